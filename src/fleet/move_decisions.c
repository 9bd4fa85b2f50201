/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions that name an image go with it when it gets another id. */
#include "base/cleanup.h"
#include "fleet/deciding.h"

enum { READ_CHUNK = 500 };

struct naming {
    const unsigned char *image;
    int64_t now_ms;
    struct ids *to;
    uint32_t last;
    size_t read;
};

static int note_naming(void *ctx, const struct decision *decision, struct err *err)
{
    struct naming *naming = ctx;
    struct decision now = *decision;

    naming->last = decision->number;
    naming->read++;
    decision_end_by_clock(&now, naming->now_ms);
    if (now.end != DECISION_IN_FORCE || decision->image_count == 0 ||
        !bsearch(naming->image, decision->images, decision->image_count, IMAGE_ID_BYTES,
            image_id_compare))
        return 0;
    return ids_push(naming->to, decision->number, err);
}

/* From the disk: the project is not in memory. */
static int read_naming(
    struct store *store, uint32_t project, struct naming *naming, struct err *err)
{
    do {
        naming->read = 0;
        if (store_each_decision(
                store, project, true, naming->last, READ_CHUNK, note_naming, naming, err) < 0)
            return -1;
    } while (naming->read == READ_CHUNK);
    return 0;
}

static int find_naming(struct fleet *fleet, uint32_t project,
    const unsigned char image[IMAGE_ID_BYTES], int64_t now_ms, struct ids *ret, struct err *err)
{
    struct naming naming = {.image = image, .now_ms = now_ms, .to = ret};
    struct tenant *tenant;
    struct err closed;
    int failed;

    if (fleet_begin_overlays(fleet, project, &tenant, &closed) < 0)
        return read_naming(fleet->store, project, &naming, err);
    failed = overlay_naming(tenant->overlay, image, ret, err);
    fleet_end_overlays(fleet);
    return failed;
}

int decisions_move(struct fleet *fleet, const struct image *image, const char *old_id,
    int64_t now_ms, struct err *err)
{
    struct ids numbers CLEANUP(ids_release) = {0};
    unsigned char from[IMAGE_ID_BYTES], to[IMAGE_ID_BYTES];

    if (strcmp(old_id, image->id) == 0 || !image_id_bytes(slice_of(old_id), from) ||
        !image_id_bytes(slice_of(image->id), to))
        return 0;
    if (find_naming(fleet, image->project, from, now_ms, &numbers, err) < 0)
        return -1;
    for (size_t i = 0; i < numbers.count; i++)
        if (store_move_decision(fleet->store, numbers.at[i], from, to, err) < 0 ||
            decision_add_cause(
                fleet->store, CAUSE_DECISION_PUT, image->project, numbers.at[i], now_ms, err) < 0)
            return -1;
    return 0;
}
