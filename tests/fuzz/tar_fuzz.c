// room: image
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars: the same entries and contents come out, or a failure, whatever the pieces in which the
 * bytes come and whether they may be passed over; what comes out keeps its promises.
 */
#include "base/buf.h"
#include "base/bug.h"
#include "image/content.h"
#include "support/piece_feed.h"

enum { LOG_BYTES = 1 << 24, CONTENT_BYTES = 1 << 16 };

static void check_path(struct slice path)
{
    char cleaned[LIMIT_LAYER_PATH_BYTES], again[LIMIT_LAYER_PATH_BYTES];
    struct slice once, twice, hidden;
    enum path_mark mark;
    struct err err;

    if (path_clean(path, cleaned, &once, &err) != 0)
        return;
    BUG_ON(path_clean(once, again, &twice, &err) != 0 || !slice_eq(once, twice));
    BUG_ON(slice_starts_with(once, "/") || slice_ends_with(once, "/"));
    if (path_whiteout(once, again, &mark, &hidden, &err) == 0)
        BUG_ON(hidden.len > once.len);
}

/* Writes all that is told into the log. */
static int walk(struct slice bytes, size_t step, bool may_skip, struct buf *log)
{
    struct piece_feed feed = piece_feed_of(bytes, step);
    struct content content;
    struct tar_entry entry;
    struct err err = {ERR_NONE, ""};
    struct tar *tar = tar_open(&feed.feed, &err);
    bool end = false;
    int result;

    feed.feed.skip = may_skip ? piece_feed_skip : NULL;
    content_init(&content);
    while ((result = tar_next(tar, &entry, &end, &err)) == 0 && !end) {
        struct blob blob;

        check_path(entry.path);
        BUG_ON(entry.stored > entry.size || (entry.stored < entry.size && !entry.sparse));
        buf_printf(log, "%d %llu %llu %llu ", (int)entry.type, (unsigned long long)entry.size,
            (unsigned long long)entry.stored, (unsigned long long)entry.data_offset);
        buf_put_slice(log, entry.path);
        buf_put_char(log, 0);
        buf_put_slice(log, entry.target);
        if (entry.type != TAR_FILE || entry.size > CONTENT_BYTES)
            continue;
        result = content_read(&content, tar, &entry, -1, &blob, &err);
        if (result != 0)
            break;
        BUG_ON(blob.size != entry.size);
        buf_put(log, blob.bytes, (size_t)blob.size);
    }
    tar_close(tar);
    content_close(&content);
    BUG_ON(result != 0 && err.code == ERR_NONE);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};
    struct buf whole = BUF_INIT(LOG_BYTES), pieces = BUF_INIT(LOG_BYTES);
    int result = walk(bytes, SIZE_MAX, false, &whole);

    BUG_ON(result != walk(bytes, 1 + size % 700, true, &pieces));
    BUG_ON(!slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
