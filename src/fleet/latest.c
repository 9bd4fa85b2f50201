/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark `latest`: on each line (place, repository, tag, platform) one image has it, the one that
 * was reported last. All within the caller's write; each image whose mark changes gets a cause.
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

int latest_take(struct store *store, uint32_t project, const unsigned char line[16], uint32_t image,
    int64_t now_ms, struct err *err)
{
    uint32_t other;

    if (store_find_latest(store, project, line, image, &other, err) < 0)
        return -1;
    return other ? mark(store, other, false, line, now_ms, err) : 0;
}

int latest_pass_on(struct store *store, uint32_t project, const unsigned char line[16],
    uint32_t gone, int64_t now_ms, struct err *err)
{
    uint32_t heir;

    if (store_find_newest(store, project, line, gone, &heir, err) < 0)
        return -1;
    return heir ? mark(store, heir, true, line, now_ms, err) : 0;
}
