/* SPDX-License-Identifier: Apache-2.0 */
/* Removing an image, and changing where it is said to live. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/internal.h"

/* One image being changed, within a write. */
struct changing {
    struct fleet *fleet;
    struct slice project_id;
    struct arena arena;
    struct image image;
    unsigned char line[16]; /* as it was before */
    int64_t now_ms;
};

static int find_image(struct changing *c, uint32_t project, struct slice image_id, struct err *err)
{
    if (store_find_image(c->fleet->store, project, image_id, &c->arena, &c->image, err) < 0)
        return -1;
    image_line_key(c->project_id, &c->image, c->line);
    return 0;
}

/* All its claims have gone from the image: that is what the log says of a removal. */
static int log_removal(struct store *store, const struct image *image, enum removal why,
    int64_t now_ms, struct err *err)
{
    struct slot slots[SOURCE_COUNT] = {0};
    struct cause cause = {.kind = CAUSE_IMAGE_REMOVED,
        .at_ms = now_ms,
        .project = image->project,
        .image = image->number,
        .removal = why};
    int failed = store_get_slots(store, image->number, slots, err) < 0 ||
                 content_claims(slots, &cause.removed, err) < 0 ||
                 store_add_cause(store, &cause, err) < 0;

    ids_release(&cause.removed);
    content_release(slots);
    return failed ? -1 : 0;
}

int change_remove(struct store *store, struct slice project_id, const struct image *image,
    enum removal why, int64_t now_ms, struct err *err)
{
    unsigned char line[16];

    image_line_key(project_id, image, line);
    if (log_removal(store, image, why, now_ms, err) < 0 ||
        store_remove_image(store, image->number, err) < 0)
        return -1;
    return latest_leave(store, image, line, now_ms, err);
}

/* --- Setting ---------------------------------------------------------------------------------- */

static void apply_change(struct placement *place, const struct image_change *change)
{
    if (change->fields & FIELD_CONTAINERS)
        place->containers = change->to.containers;
    if (change->fields & FIELD_ENTERPRISE_PROJECT)
        place->enterprise_project = change->to.enterprise_project;
    if (change->fields & FIELD_CLUSTER_ID)
        place->cluster_id = change->to.cluster_id;
    if (change->fields & FIELD_CLUSTER_NAME)
        place->cluster_name = change->to.cluster_name;
    if (change->fields & FIELD_ORGANIZATION)
        place->organization = change->to.organization;
    if (change->fields & FIELD_REGISTRY_TYPE)
        place->registry_type = change->to.registry_type;
    if (change->fields & FIELD_MULTI_ARCH)
        place->multi_arch = change->to.multi_arch;
}

static int move_line(struct changing *c, const unsigned char to[16], struct err *err)
{
    struct store *store = c->fleet->store;

    if (memcmp(c->line, to, sizeof(c->line)) == 0)
        return 0;
    if (latest_leave(store, &c->image, c->line, c->now_ms, err) < 0)
        return -1;
    return latest_contend(store, &c->image, to, c->now_ms, err);
}

static int set_image(struct changing *c, const struct image_change *change, struct err *err)
{
    const struct cause cause = {.kind = CAUSE_IMAGE_SET,
        .at_ms = c->now_ms,
        .project = c->image.project,
        .image = c->image.number};
    char old_id[UUID_TEXT_BYTES];
    unsigned char line[16];

    memcpy(old_id, c->image.id, sizeof(old_id));
    apply_change(&c->image.place, change);
    if (placement_check(&c->image.place, err) < 0)
        return -1;
    image_make_id(c->project_id, &c->image, c->image.id);
    image_line_key(c->project_id, &c->image, line);
    c->image.updated_ms = c->now_ms;
    if (move_line(c, line, err) < 0 ||
        store_update_image(c->fleet->store, &c->image, line, err) < 0 ||
        decisions_move(c->fleet, &c->image, old_id, c->now_ms, err) < 0)
        return -1;
    return store_add_cause(c->fleet->store, &cause, err);
}

/* --- The write around them -------------------------------------------------------------------- */

/* Finds the image and removes it (change NULL) or sets it, as one transaction. */
static int write_change(struct changing *c, uint32_t project, struct slice image_id,
    const struct image_change *change, const char *who, struct err *err)
{
    struct store *store = c->fleet->store;

    if (store_begin(store, who, err) < 0)
        return -1;
    c->now_ms = clock_now_ms();
    /* Nobody else can commit now: the decisions in memory are those that there are. */
    if (fleet_follow(c->fleet, err) < 0 || find_image(c, project, image_id, err) < 0 ||
        (change ? set_image(c, change, err)
                : change_remove(store, c->project_id, &c->image, REMOVAL_ASKED, c->now_ms, err)) <
            0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

static int change_image(struct fleet *fleet, uint32_t project, struct slice image_id,
    const struct image_change *change, const char *who, char ret_id[UUID_TEXT_BYTES],
    struct err *err)
{
    struct changing c = {.fleet = fleet};
    int failed;

    arena_init(&c.arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    failed = fleet_prepare_write(fleet, project, &c.arena, &c.project_id, err) < 0 ||
             write_change(&c, project, image_id, change, who, err) < 0;
    if (!failed) {
        memcpy(ret_id, c.image.id, UUID_TEXT_BYTES);
        failed = fleet_follow(fleet, err) < 0;
    }
    arena_release(&c.arena);
    return failed ? -1 : 0;
}

int fleet_remove_image(
    struct fleet *fleet, uint32_t project, struct slice image_id, const char *who, struct err *err)
{
    char id[UUID_TEXT_BYTES];

    return change_image(fleet, project, image_id, NULL, who, id, err);
}

int fleet_set_image(struct fleet *fleet, uint32_t project, struct slice image_id,
    const struct image_change *change, const char *who, char ret_id[UUID_TEXT_BYTES],
    struct err *err)
{
    return change_image(fleet, project, image_id, change, who, ret_id, err);
}
