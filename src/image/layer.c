/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See layer.h. The calling thread decompresses into the buffers of a hashing ring, and walks the
 * tar where it lies in them; the other thread hashes what was decompressed and, when it is ahead,
 * the blob. So a layer costs about what decompressing costs, and memory does not grow with it.
 *
 * What stands behind the end of the tar is part of what the diff_id is the digest of: it is read to
 * its end, and counted, but means nothing.
 */
#include "image/layer.h"

#include "base/cleanup.h"
#include "codec/decompress.h"
#include "image/content.h"
#include "image/hashing.h"
#include "model/reference.h"

/* Decompressed bytes on their way into the tar and the ring. */
struct pump {
    struct tar_feed feed; /* must be first */
    struct stream *in;
    struct hashing *hashing;
    uint64_t total;
};

struct walk {
    const struct layer_visitor *visitor;
    struct tar *tar;
    int scratch_fd;
    uint64_t entries, holes; /* holes: bytes of sparse files that the tar does not hold */
    struct content content;
    char path[LIMIT_LAYER_PATH_BYTES], target[LIMIT_LAYER_PATH_BYTES];
    char hidden[LIMIT_LAYER_PATH_BYTES];
};

static int fail_size(struct err *err)
{
    return err_set(err, ERR_LIMIT, "it is larger than the limit of %ld bytes", LIMIT_LAYER_BYTES);
}

static int pump_more(struct tar_feed *feed, struct err *err)
{
    struct pump *pump = (struct pump *)feed;
    unsigned char *buffer = hashing_buffer(pump->hashing);
    size_t len = 0, got = 1;

    while (got && len < HASHING_BUFFER_BYTES) {
        if (stream_read(pump->in, buffer + len, HASHING_BUFFER_BYTES - len, &got, err) != 0)
            return -1;
        len += got;
    }
    pump->total += len;
    if (pump->total > LIMIT_LAYER_BYTES)
        return fail_size(err);
    if (len)
        hashing_give(pump->hashing, len);
    feed->at = buffer;
    feed->left = len;
    return 0;
}

static int drain(struct pump *pump, struct err *err)
{
    do {
        if (pump_more(&pump->feed, err) != 0)
            return -1;
    } while (pump->feed.left);
    return 0;
}

/* What the visitor is told of an entry of the tar. *ret_ignored: nothing. */
static int translate(struct walk *walk, const struct tar_entry *from, struct layer_entry *ret,
    bool *ret_ignored, struct err *err)
{
    static const enum entry_type types[] = {
        [TAR_FILE] = ENTRY_FILE,
        [TAR_FOLDER] = ENTRY_FOLDER,
        [TAR_SYMLINK] = ENTRY_SYMLINK,
        [TAR_HARDLINK] = ENTRY_HARDLINK,
        [TAR_OTHER] = ENTRY_OTHER,
    };
    enum path_mark mark;

    *ret = (struct layer_entry){.type = types[from->type], .size = from->size};
    if (path_clean(from->path, walk->path, &ret->path, err) != 0 ||
        path_whiteout(ret->path, walk->hidden, &mark, &ret->path, err) != 0)
        return -1;
    if (ret->path.len == 0 && mark == PATH_PLAIN && from->type != TAR_FOLDER)
        return err_set(err, ERR_FORMAT, "an entry in the place of the root that is no folder");
    *ret_ignored = mark == PATH_IGNORED;
    if (mark == PATH_WHITEOUT || mark == PATH_OPAQUE) {
        ret->type = mark == PATH_OPAQUE ? ENTRY_OPAQUE : ENTRY_WHITEOUT;
        ret->size = 0;
        return 0;
    }
    if (from->type == TAR_HARDLINK)
        return path_clean(from->target, walk->target, &ret->target, err);
    if (from->type != TAR_SYMLINK)
        return 0;
    ret->target = from->target;
    if (from->target.len > LIMIT_LAYER_LINK_BYTES)
        return err_set(err, ERR_LIMIT,
            "the target of the link %s is longer than the limit of %d "
            "bytes",
            path_show(ret->path, walk->hidden), LIMIT_LAYER_LINK_BYTES);
    return 0;
}

static int visit(struct walk *walk, const struct tar_entry *from, struct err *err)
{
    const struct layer_visitor *visitor = walk->visitor;
    struct layer_entry entry;
    struct blob content;
    bool wanted = false, ignored = false;

    if (++walk->entries > LIMIT_LAYER_ENTRIES)
        return err_set(
            err, ERR_LIMIT, "it has more than the limit of %d entries", LIMIT_LAYER_ENTRIES);
    /* Both are below 2^62. */
    walk->holes += from->sparse ? from->size - from->stored : 0;
    if (walk->holes > LIMIT_LAYER_BYTES)
        return fail_size(err);
    if (from->type == TAR_UNKNOWN) /* would make nothing, so it must not hide anything */
        return 0;
    if (translate(walk, from, &entry, &ignored, err) != 0)
        return -1;
    if (ignored)
        return 0;
    if (visitor->entry(visitor->ctx, &entry, &wanted, err) != 0)
        return -1;
    if (!wanted || entry.type != ENTRY_FILE)
        return 0;
    if (content_read(&walk->content, walk->tar, from, walk->scratch_fd, &content, err) != 0)
        return -1;
    return visitor->content(visitor->ctx, &entry, &content, err);
}

static int walk_tar(
    struct pump *pump, const struct layer_visitor *visitor, int scratch_fd, struct err *err)
{
    struct walk *walk = calloc(1, sizeof(*walk));
    struct tar_entry entry;
    bool end = false;
    int result = -1;

    if (!walk)
        return err_nomem(err);
    walk->visitor = visitor;
    walk->scratch_fd = scratch_fd;
    content_init(&walk->content);
    walk->tar = tar_open(&pump->feed, err);
    if (walk->tar)
        do
            result = tar_next(walk->tar, &entry, &end, err);
        while (result == 0 && !end && (result = visit(walk, &entry, err)) == 0);
    tar_close(walk->tar);
    content_close(&walk->content);
    free(walk);
    return result;
}

static int check(struct slice stated, const unsigned char digest[SHA256_BYTES], const char *what,
    struct err *err)
{
    char text[DIGEST_TEXT_BYTES];

    digest_write(digest, text);
    if (stated.len == 0 || slice_is(stated, text))
        return 0;
    return err_set(err, ERR_FORMAT, "%s is damaged: its digest is %s, not %.*s", what, text,
        SLICE_FMT(stated));
}

/* Without compression both digests are of the same bytes, and one hash will do. */
static int check_digests(const struct layer_reading *reading, struct hashing *hashing,
    bool blob_is_hashed, struct err *err)
{
    unsigned char digest[SHA256_BYTES], blob_digest[SHA256_BYTES];

    if (hashing_finish(hashing, digest, blob_digest, err) != 0)
        return -1;
    if (check(reading->digest, blob_is_hashed ? blob_digest : digest, "the blob", err) != 0)
        return -1;
    return check(reading->diff_id, digest, "the content", err);
}

static int read_stream(const struct layer_reading *reading, struct stream *in,
    enum compression compression, const struct layer_visitor *visitor, struct err *err)
{
    bool hash_blob = reading->digest.len > 0 && compression != COMPRESSION_NONE;
    struct hashing *hashing CLEANUP(hashing_cleanup) =
        hashing_start(hash_blob ? reading->blob : NULL, err);
    struct pump pump = {.feed = {.more = pump_more}, .in = in, .hashing = hashing};

    if (!hashing)
        return -1;
    if (walk_tar(&pump, visitor, reading->scratch_fd, err) != 0 || drain(&pump, err) != 0)
        return -1;
    return check_digests(reading, hashing, hash_blob, err);
}

int layer_read(
    const struct layer_reading *reading, const struct layer_visitor *visitor, struct err *err)
{
    static const struct expansion most = {LIMIT_LAYER_FREE_BYTES, LIMIT_LAYER_RATIO};
    enum compression compression = COMPRESSION_NONE;
    struct stream *stored = stream_open_blob(reading->blob, err), *in;
    int result;

    if (!stored)
        return -1;
    in = stream_auto_decompress(stored, &most, &compression, err);
    if (!in) {
        stream_close(stored);
        return -1;
    }
    result = read_stream(reading, in, compression, visitor, err);
    stream_close(in);
    return result;
}
