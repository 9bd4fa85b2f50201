/* SPDX-License-Identifier: Apache-2.0 */
/* See decision.h. */
#include "model/decision.h"

#include "base/bug.h"
#include "model/reference.h"

static const char *const action_names[] = {
    "ignore", "add_to_whitelist", "manual_repair", "not_ignore"};
static const char *const scope_names[] = {"project", "registry", "repository", "cluster", "images"};
static const char *const end_names[] = {"in_force", "withdrawn", "expired"};

const struct words decision_action_words = {"operate_type", action_names, DECISION_ACTION_COUNT};
const struct words decision_scope_words = {"scope", scope_names, DECISION_SCOPE_COUNT};
const struct words decision_end_words = {"state", end_names, DECISION_END_COUNT};

bool image_id_bytes(struct slice id, unsigned char ret[IMAGE_ID_BYTES])
{
    return uuid_decode(id, ret);
}

void image_id_format(const unsigned char id[IMAGE_ID_BYTES], char ret[UUID_TEXT_BYTES])
{
    uuid_encode(id, ret);
}

int image_id_compare(const void *left, const void *right)
{
    return memcmp(left, right, IMAGE_ID_BYTES);
}

static int dup_bytes(
    struct arena *arena, const void *from, size_t count, size_t size, void **ret, struct err *err)
{
    *ret = arena_alloc_array(arena, count + 1, size, err);
    if (*ret && count)
        memcpy(*ret, from, count * size);
    return *ret ? 0 : -1;
}

int decision_dup(
    struct arena *arena, const struct decision *decision, struct decision *ret, struct err *err)
{
    struct decision copy = *decision;
    struct slice *const texts[] = {
        &copy.package, &copy.place, &copy.author, &copy.reason, &copy.ended_by};
    struct slice *projects;
    void *vulns, *images, *names;

    if (dup_bytes(arena, copy.vulns, copy.vuln_count, sizeof(*copy.vulns), &vulns, err) < 0 ||
        dup_bytes(arena, copy.images, copy.image_count, IMAGE_ID_BYTES, &images, err) < 0 ||
        dup_bytes(arena, copy.enterprise_projects, copy.enterprise_project_count,
            sizeof(struct slice), &names, err) < 0)
        return -1;
    projects = names;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (arena_dup(arena, *texts[i], texts[i], err) < 0)
            return -1;
    for (size_t i = 0; i < copy.enterprise_project_count; i++)
        if (arena_dup(arena, projects[i], &projects[i], err) < 0)
            return -1;
    copy.vulns = vulns;
    copy.images = images;
    copy.enterprise_projects = projects;
    *ret = copy;
    return 0;
}

static bool names_image(const struct decision *decision, const struct image *image)
{
    unsigned char id[IMAGE_ID_BYTES];

    return image_id_bytes(slice_of(image->id), id) &&
           bsearch(id, decision->images, decision->image_count, IMAGE_ID_BYTES, image_id_compare);
}

/* Normalising only takes something off the front: most names are told apart by their ends. */
static bool is_repository(struct slice repository, struct slice name)
{
    return repository.len <= name.len &&
           slice_eq(repository, slice_skip(name, name.len - repository.len)) &&
           slice_eq(repository, reference_repository(name));
}

static bool reaches_place(const struct decision *decision, const struct image *image)
{
    switch (decision->scope) {
    case DECISION_PROJECT:
        return true;
    case DECISION_REGISTRY:
        return slice_eq(decision->place, image->place.registry_name);
    case DECISION_REPOSITORY:
        return is_repository(decision->place, image->name);
    case DECISION_CLUSTER:
        return slice_eq(decision->place, image->place.cluster_id);
    case DECISION_IMAGES:
        return names_image(decision, image);
    case DECISION_SCOPE_COUNT:
    default:
        BUG_ON(true);
    }
}

bool decision_reaches(const struct decision *decision, const struct image *image)
{
    bool reached = decision->enterprise_project_count == 0;

    if (decision->image_type >= 0 && decision->image_type != (int)image->place.type)
        return false;
    for (size_t i = 0; i < decision->enterprise_project_count && !reached; i++)
        reached = slice_eq(decision->enterprise_projects[i], image->place.enterprise_project);
    return reached && reaches_place(decision, image);
}
