/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark `latest`: on each line (place, repository, tag, platform) one image has it, the one that
 * was reported last. All within the caller's write; each other image whose mark changes gets a
 * cause.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "fleet/internal.h"

static int mark(struct store *store, uint32_t number, bool latest, const unsigned char line[16],
    int64_t now_ms, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct image image;
    struct cause cause = {.kind = CAUSE_IMAGE_SET, .at_ms = now_ms, .image = number};

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    if (store_get_image(store, number, &arena, &image, err) < 0)
        return -1;
    image.latest = latest;
    image.updated_ms = now_ms;
    cause.project = image.project;
    if (store_update_image(store, &image, line, err) < 0)
        return -1;
    return store_add_cause(store, &cause, err);
}

/* Was the image with this number reported later? Of two at once the newer one was. The same order
 * as store_find_newest()'s. */
static int is_later(
    struct store *store, uint32_t number, const struct image *than, bool *ret, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct image image;

    arena_init(&arena, "an image", LIMIT_REPORT_MEMORY_BYTES);
    if (store_get_image(store, number, &arena, &image, err) < 0)
        return -1;
    *ret = image.latest_scan_ms != than->latest_scan_ms
               ? image.latest_scan_ms > than->latest_scan_ms
               : number > than->number;
    return 0;
}

int latest_take(struct store *store, struct image *image, const unsigned char line[16],
    int64_t now_ms, struct err *err)
{
    uint32_t other;

    if (store_find_latest(store, image->project, line, image->number, &other, err) < 0 ||
        (other && mark(store, other, false, line, now_ms, err) < 0))
        return -1;
    image->latest = true;
    return 0;
}

int latest_contend(struct store *store, struct image *image, const unsigned char line[16],
    int64_t now_ms, struct err *err)
{
    uint32_t other;
    bool beaten = false;

    if (store_find_latest(store, image->project, line, image->number, &other, err) < 0 ||
        (other && is_later(store, other, image, &beaten, err) < 0))
        return -1;
    image->latest = false;
    return beaten ? 0 : latest_take(store, image, line, now_ms, err);
}

int latest_leave(struct store *store, const struct image *image, const unsigned char line[16],
    int64_t now_ms, struct err *err)
{
    uint32_t heir;

    if (!image->latest)
        return 0;
    if (store_find_newest(store, image->project, line, image->number, &heir, err) < 0)
        return -1;
    return heir ? mark(store, heir, true, line, now_ms, err) : 0;
}
