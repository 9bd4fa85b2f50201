/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a caller asks to drafts of decisions: checked, names put to stored ids, images to their
 * bytes. What must be known is looked up under the fleet's lock, a few names at a time.
 */
#include "base/bug.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fleet/deciding.h"
#include "model/reference.h"

enum { NAMES_A_HOLD = 64, UNKNOWN_SAID = 5 };

void drafting_release(struct drafting *drafting)
{
    free(drafting->at);
    drafting->at = NULL;
    drafting->count = drafting->cap = 0;
}

int drafting_add(struct drafting *drafting, const struct draft *draft, struct err *err)
{
    if (drafting->count == LIMIT_DECISIONS_AT_ONCE)
        return err_set(err, ERR_LIMIT,
            "one operation may make at most %d decisions; ask for fewer images or vulnerabilities",
            LIMIT_DECISIONS_AT_ONCE);
    if (array_reserve(
            &drafting->at, &drafting->cap, drafting->count + 1, sizeof(*drafting->at), err) < 0)
        return -1;
    drafting->at[drafting->count++] = *draft;
    return 0;
}

/* --- What can be said without looking --------------------------------------------------------- */

static int check_text(const char *what, struct slice text, size_t max_chars, struct err *err)
{
    if (!utf8_is_line(text))
        return err_set(err, ERR_INVALID, "%s: must be UTF-8 text without control characters", what);
    if (utf8_count(text) > max_chars)
        return err_set(err, ERR_INVALID, "%s: must be at most %zu characters, not %zu", what,
            max_chars, utf8_count(text));
    return 0;
}

static int check_count(const char *what, size_t count, size_t max, struct err *err)
{
    if (count <= max)
        return 0;
    return err_set(err, ERR_INVALID, "%s: at most %zu of them, not %zu", what, max, count);
}

static int check_selector(const struct decision_request *request, struct err *err)
{
    if (request->all_vuls && request->vul_count)
        return err_set(err, ERR_INVALID, "all vulnerabilities and named ones exclude each other");
    if (!request->all_vuls && request->vul_count == 0 && request->package.len == 0)
        return err_set(err, ERR_INVALID, "a decision needs a vulnerability or a package");
    if (check_count("vulnerabilities", request->vul_count, LIMIT_DECISION_VULNS, err) < 0 ||
        check_text("package", request->package, LIMIT_NAME_CHARS, err) < 0)
        return -1;
    for (size_t i = 0; i < request->vul_count; i++) {
        if (request->vuls[i].len == 0)
            return err_set(err, ERR_INVALID, "vulnerability: must not be empty");
        if (check_text("vulnerability", request->vuls[i], LIMIT_ID_CHARS, err) < 0)
            return -1;
    }
    return 0;
}

static int check_repository(struct slice place, struct err *err)
{
    struct reference reference;

    if (reference_parse(place, &reference, err) < 0)
        return err_prefix(err, "repository");
    if (reference.tag.len || reference.digest.len)
        return err_set(err, ERR_INVALID, "repository: name it without tag and digest, not \"%.*s\"",
            SLICE_FMT(place));
    return 0;
}

static int check_scope(const struct decision_request *request, struct err *err)
{
    const char *scope = words_name(&decision_scope_words, (int)request->scope);
    bool placed = request->scope == DECISION_REGISTRY || request->scope == DECISION_REPOSITORY ||
                  request->scope == DECISION_CLUSTER;

    if (placed && request->place.len == 0)
        return err_set(err, ERR_INVALID, "%s: must not be empty", scope);
    if (!placed && request->place.len)
        return err_set(err, ERR_INVALID, "scope %s names no place", scope);
    if (check_text(scope, request->place, LIMIT_NAME_CHARS, err) < 0 ||
        (request->scope == DECISION_REPOSITORY && check_repository(request->place, err) < 0))
        return -1;
    if (request->scope == DECISION_IMAGES && request->image_count == 0)
        return err_set(err, ERR_INVALID, "images: name at least one");
    if (request->scope != DECISION_IMAGES && request->image_count)
        return err_set(err, ERR_INVALID, "scope %s names no images", scope);
    return check_count("images", request->image_count, LIMIT_DECISION_IMAGES, err);
}

int decision_request_check(
    const struct decision_request *request, const struct deciding *deciding, struct err *err)
{
    unsigned char id[IMAGE_ID_BYTES];

    if (check_selector(request, err) < 0 || check_scope(request, err) < 0 ||
        check_text("remark", deciding->reason, LIMIT_REMARK_CHARS, err) < 0)
        return -1;
    for (size_t i = 0; i < request->image_count && !deciding->known_only; i++)
        if (!image_id_bytes(request->image_ids[i], id))
            return err_set(err, ERR_INVALID, "image: \"%.*s\" is not an image id",
                SLICE_FMT(request->image_ids[i]));
    return 0;
}

/* --- Names that must be known ----------------------------------------------------------------- */

/* A list for a message: the first few, and how many more. */
struct unknown {
    char text[768];
    size_t used, count;
};

static void say_unknown(struct unknown *unknown, struct slice name)
{
    size_t room = sizeof(unknown->text) - unknown->used;
    int wrote;

    if (unknown->count++ >= UNKNOWN_SAID)
        return;
    wrote = snprintf(
        unknown->text + unknown->used, room, "%s%.*s", unknown->used ? ", " : "", SLICE_FMT(name));
    unknown->used += (size_t)wrote < room ? (size_t)wrote : room - 1;
}

static int refuse_unknown(struct unknown *unknown, const char *what, struct err *err)
{
    if (unknown->count == 0)
        return 0;
    if (unknown->count > UNKNOWN_SAID)
        return err_set(err, ERR_NOT_FOUND, "%s: %s and %zu more", what, unknown->text,
            unknown->count - UNKNOWN_SAID);
    return err_set(err, ERR_NOT_FOUND, "%s: %s", what, unknown->text);
}

int group_has_row(const struct tenant *tenant, uint32_t group,
    const struct slice *enterprise_projects, size_t enterprise_project_count, struct err *err)
{
    const uint32_t vulns[] = {vuln_number(group, VUL_APP), vuln_number(group, VUL_LINUX)};
    const struct index_query query = {.scope = {.enterprise_projects = enterprise_projects,
                                          .enterprise_project_count = enterprise_project_count,
                                          .type = -1},
        .codes = INDEX_ALL_CODES,
        .by_vuln = true,
        .vulns = vulns,
        .vuln_count = VUL_TYPE_COUNT,
        .limit = 1};
    struct index_page page;

    return index_query(tenant->index, &query, &page, err) < 0 ? -1 : page.total > 0;
}

/* Has the group a row that the caller may decide about? 1, 0, or -1 on failure. */
static int has_row(
    const struct drafting *drafting, const struct tenant *tenant, uint32_t group, struct err *err)
{
    const struct deciding *deciding = drafting->deciding;

    return group_has_row(
        tenant, group, deciding->enterprise_projects, deciding->enterprise_project_count, err);
}

/* The advisories with rows that cover a name: those can be decided about. */
static int say_covering(const struct drafting *drafting, const struct tenant *tenant, uint32_t name,
    struct unknown *ret, struct err *err)
{
    const struct facts *facts = &drafting->fleet->facts;
    struct ids groups CLEANUP(ids_release) = {0};

    if (aliases_lookup(&tenant->aliases, name, &groups, err) < 0)
        return -1;
    for (size_t i = 0; i < groups.count; i++) {
        int found = has_row(drafting, tenant, groups.at[i], err);

        if (found < 0)
            return -1;
        if (found)
            say_unknown(ret, facts->names[aliases_title(&tenant->aliases, groups.at[i])].text);
    }
    return 0;
}

static int check_vul(const struct drafting *drafting, const struct tenant *tenant,
    struct slice text, struct unknown *unknown, struct err *err)
{
    uint32_t name = facts_find_name(&drafting->fleet->facts, text);
    struct unknown covering = {.count = 0};
    int found = name ? has_row(drafting, tenant, aliases_group(&tenant->aliases, name), err) : 0;
    char what[128 + 4 * LIMIT_ID_CHARS];

    if (found < 0)
        return -1;
    if (found)
        return 0;
    if (name && say_covering(drafting, tenant, name, &covering, err) < 0)
        return -1;
    if (covering.count == 0) {
        say_unknown(unknown, text);
        return 0;
    }
    snprintf(what, sizeof(what), "%.*s is covered by advisories; decide about them instead",
        SLICE_FMT(text));
    return refuse_unknown(&covering, what, err);
}

static int check_vuls(
    const struct drafting *drafting, const struct decision_request *request, struct err *err)
{
    struct unknown unknown = {.count = 0};

    for (size_t i = 0; i < request->vul_count;) {
        struct tenant *tenant;
        size_t until = i + NAMES_A_HOLD;
        int failed = 0;

        if (fleet_begin_read(drafting->fleet, drafting->project, &tenant, err) < 0)
            return -1;
        for (; i < request->vul_count && i < until && !failed; i++)
            failed = check_vul(drafting, tenant, request->vuls[i], &unknown, err);
        fleet_end_read(drafting->fleet);
        if (failed)
            return -1;
    }
    return refuse_unknown(&unknown, "no image has these vulnerabilities", err);
}

static bool note_found(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    (void)image;
    (void)counts;
    *(bool *)ctx = true;
    return false;
}

static int check_image(const struct drafting *drafting, const struct tenant *tenant,
    struct slice id, int image_type, struct unknown *unknown, struct err *err)
{
    const struct index_scope scope = {
        .enterprise_projects = drafting->deciding->enterprise_projects,
        .enterprise_project_count = drafting->deciding->enterprise_project_count,
        .type = image_type,
        .image_id = id};
    unsigned char bytes[IMAGE_ID_BYTES];
    bool found = false;

    if (image_id_bytes(id, bytes) &&
        index_each_image(tenant->index, &scope, 0, note_found, &found, err) < 0)
        return -1;
    if (!found)
        say_unknown(unknown, id);
    return 0;
}

static int check_images(
    const struct drafting *drafting, const struct decision_request *request, struct err *err)
{
    struct unknown unknown = {.count = 0};

    for (size_t i = 0; i < request->image_count;) {
        struct tenant *tenant;
        size_t until = i + NAMES_A_HOLD;
        int failed = 0;

        if (fleet_begin_read(drafting->fleet, drafting->project, &tenant, err) < 0)
            return -1;
        for (; i < request->image_count && i < until && !failed; i++)
            failed = check_image(
                drafting, tenant, request->image_ids[i], request->image_type, &unknown, err);
        fleet_end_read(drafting->fleet);
        if (failed)
            return -1;
    }
    return refuse_unknown(&unknown,
        request->image_type < 0 ? "there are no such images"
                                : "there are no such images of this image_type",
        err);
}

/* --- The draft -------------------------------------------------------------------------------- */

static int copy_slices(struct arena *arena, const struct slice *from, size_t count,
    struct slice **ret, struct err *err)
{
    *ret = arena_alloc_array(arena, count + 1, sizeof(**ret), err);
    if (!*ret)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (arena_dup(arena, from[i], &(*ret)[i], err) < 0)
            return -1;
    return 0;
}

static int compare_slices(const void *left, const void *right)
{
    return slice_cmp(*(const struct slice *)left, *(const struct slice *)right);
}

/* Sorts in place and drops duplicates; returns how many are left. */
static size_t sort_unique(
    void *at, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    char *bytes = at;
    size_t kept = 0;

    if (count == 0)
        return 0;
    qsort(at, count, size, compare);
    for (size_t i = 1; i < count; i++)
        if (compare(bytes + kept * size, bytes + i * size) != 0)
            memmove(bytes + ++kept * size, bytes + i * size, size);
    return kept + 1;
}

static int take_images(const struct drafting *drafting, const struct decision_request *request,
    struct decision *ret, struct err *err)
{
    unsigned char(*images)[IMAGE_ID_BYTES] =
        arena_alloc_array(drafting->arena, request->image_count + 1, IMAGE_ID_BYTES, err);

    if (!images)
        return -1;
    for (size_t i = 0; i < request->image_count; i++)
        BUG_ON(!image_id_bytes(request->image_ids[i], images[i]));
    ret->image_count = sort_unique(images, request->image_count, IMAGE_ID_BYTES, image_id_compare);
    ret->images = (const unsigned char(*)[IMAGE_ID_BYTES])images;
    return 0;
}

static int take_enterprise_projects(
    const struct drafting *drafting, struct decision *ret, struct err *err)
{
    const struct deciding *deciding = drafting->deciding;
    struct slice *names;

    if (copy_slices(drafting->arena, deciding->enterprise_projects,
            deciding->enterprise_project_count, &names, err) < 0)
        return -1;
    ret->enterprise_project_count =
        sort_unique(names, deciding->enterprise_project_count, sizeof(*names), compare_slices);
    ret->enterprise_projects = names;
    return 0;
}

/* Names that are stored become ids; the others are kept, sorted. */
static int take_vuls(const struct drafting *drafting, const struct decision_request *request,
    struct draft *ret, struct err *err)
{
    uint32_t *known =
        arena_alloc_array(drafting->arena, request->vul_count + 1, sizeof(*known), err);
    struct slice *unknown;
    struct ids ids = {.at = known};
    size_t count = 0;

    if (!known ||
        copy_slices(drafting->arena, request->vuls, request->vul_count, &unknown, err) < 0)
        return -1;
    pthread_rwlock_rdlock(&drafting->fleet->lock);
    for (size_t i = 0; i < request->vul_count; i++) {
        uint32_t name = facts_find_name(&drafting->fleet->facts, request->vuls[i]);

        if (name)
            known[ids.count++] = name;
        else
            unknown[count++] = unknown[i];
    }
    pthread_rwlock_unlock(&drafting->fleet->lock);
    ids_sort_unique(&ids);
    ret->decision.vulns = known;
    ret->decision.vuln_count = ids.count;
    ret->unknown = unknown;
    ret->unknown_count = sort_unique(unknown, count, sizeof(*unknown), compare_slices);
    return 0;
}

static int make_base(const struct drafting *drafting, const struct decision_request *request,
    struct draft *ret, struct err *err)
{
    const struct deciding *deciding = drafting->deciding;
    struct decision *decision = &ret->decision;

    *ret = (struct draft){.decision = {.project = drafting->project,
                              .action = request->action,
                              .type = request->type,
                              .package = request->package,
                              .scope = request->scope,
                              .place = request->place,
                              .image_type = request->image_type,
                              .author = deciding->author,
                              .reason = deciding->reason,
                              .created_ms = drafting->now_ms,
                              .expires_ms = deciding->expires_ms}};
    if (request->scope == DECISION_REPOSITORY)
        decision->place = reference_repository(request->place);
    if (take_images(drafting, request, decision, err) < 0 ||
        take_enterprise_projects(drafting, decision, err) < 0)
        return -1;
    return take_vuls(drafting, request, ret, err);
}

int decision_request_draft(
    struct drafting *drafting, const struct decision_request *request, struct err *err)
{
    struct draft draft;

    if (drafting->deciding->known_only &&
        (check_vuls(drafting, request, err) < 0 || check_images(drafting, request, err) < 0))
        return -1;
    if (make_base(drafting, request, &draft, err) < 0)
        return -1;
    if (draft_needs_rows(request))
        return draft_expand(drafting, request, &draft, err);
    return drafting_add(drafting, &draft, err);
}
