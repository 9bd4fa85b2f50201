/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See tar.h. An entry is one block, or several: extended headers (pax 'x', GNU 'L' and 'K') come
 * before the block that they speak of. Its data is padded to whole blocks.
 *
 * Invariant: `data_left` and `padding` are what stands between the feed and the next block.
 */
#include "image/tar.h"

#include "base/buf.h"
#include "base/limits.h"

enum {
    OLD_SPARSE = 386, /* the older GNU format: parts in the block, */
    OLD_SPARSE_PARTS = 4,
    OLD_SPARSE_MORE = 482,
    OLD_SPARSE_SIZE = 483,
    NEXT_SPARSE_PARTS = 21, /* and in blocks behind it */
    NEXT_SPARSE_MORE = 504,
    NUMBER_BYTES = 12,
};

struct tar {
    struct tar_feed *feed; /* the caller's */
    uint64_t data_left, padding;
    uint64_t block_offset; /* of the last block, for messages */
    struct buf long_name, long_link, pax_text;
    struct tar_parts parts;
    struct tar_block block;
    unsigned char bytes[TAR_BLOCK_BYTES];
};

/* What extended headers said of the entry to come. */
struct extensions {
    bool has_pax, has_name, has_link;
    struct tar_pax pax;
};

struct tar *tar_open(struct tar_feed *feed, struct err *err)
{
    struct tar *tar = calloc(1, sizeof(*tar));

    if (!tar) {
        err_nomem(err);
        return NULL;
    }
    tar->feed = feed;
    tar->long_name.max = tar->long_link.max = tar->pax_text.max = LIMIT_TAR_HEADER_BYTES;
    return tar;
}

void tar_close(struct tar *tar)
{
    if (!tar)
        return;
    buf_release(&tar->long_name);
    buf_release(&tar->long_link);
    buf_release(&tar->pax_text);
    tar_parts_release(&tar->parts);
    free(tar);
}

void tar_cleanup(struct tar **tar)
{
    tar_close(*tar);
}

static int fail_end(const struct tar *tar, struct err *err)
{
    return err_set(err, ERR_FORMAT, "the tar ends at byte %llu, in the middle of an entry",
        (unsigned long long)tar->feed->offset);
}

/* For errors of what was read from the last block. */
static int at_block(const struct tar *tar, struct err *err)
{
    return err_prefix(
        err, "the tar is damaged at byte %llu", (unsigned long long)tar->block_offset);
}

/* The next piece, of at most `most` bytes, off the feed; empty at its end. */
static int pull(struct tar *tar, uint64_t most, struct slice *ret, struct err *err)
{
    struct tar_feed *feed = tar->feed;
    size_t n;

    if (feed->left == 0 && feed->more(feed, err) != 0)
        return -1;
    n = most < feed->left ? (size_t)most : feed->left;
    *ret = (struct slice){(const char *)feed->at, n};
    if (n == 0)
        return 0;
    feed->at += n;
    feed->left -= n;
    feed->offset += n;
    return 0;
}

/* Up to len bytes into dst; fewer at the end. */
static int read_bytes(struct tar *tar, void *dst, size_t len, size_t *ret, struct err *err)
{
    struct slice piece = {NULL, 1};
    size_t done = 0;

    while (done < len && piece.len) {
        if (pull(tar, len - done, &piece, err) != 0)
            return -1;
        if (piece.len)
            memcpy((char *)dst + done, piece.ptr, piece.len);
        done += piece.len;
    }
    *ret = done;
    return 0;
}

static int skip_bytes(struct tar *tar, uint64_t n, struct err *err)
{
    struct tar_feed *feed = tar->feed;
    struct slice piece;

    while (n) {
        if (feed->left == 0 && feed->skip)
            return feed->skip(feed, n, err);
        if (pull(tar, n, &piece, err) != 0)
            return -1;
        if (piece.len == 0)
            return fail_end(tar, err);
        n -= piece.len;
    }
    return 0;
}

static void set_data(struct tar *tar, uint64_t size)
{
    tar->data_left = size;
    tar->padding = (TAR_BLOCK_BYTES - size % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
}

int tar_data(struct tar *tar, struct slice *ret, struct err *err)
{
    if (tar->data_left == 0) {
        *ret = SLICE_NONE;
        return 0;
    }
    if (pull(tar, tar->data_left, ret, err) != 0)
        return -1;
    if (ret->len == 0)
        return fail_end(tar, err);
    tar->data_left -= ret->len;
    return 0;
}

/* Reads the next header block. *ret_end: there is none, as it should be. */
static int read_block(struct tar *tar, bool *ret_end, struct err *err)
{
    size_t got;

    for (int zeros = 0; zeros < 2; zeros++) {
        tar->block_offset = tar->feed->offset;
        if (read_bytes(tar, tar->bytes, TAR_BLOCK_BYTES, &got, err) != 0)
            return -1;
        *ret_end = got == 0;
        if (got == 0)
            return 0;
        if (got < TAR_BLOCK_BYTES)
            return fail_end(tar, err);
        if (!tar_block_is_zero(tar->bytes)) {
            if (zeros == 0)
                return 0;
            err_set(err, ERR_FORMAT, "a block that is not zero follows one that is");
            return at_block(tar, err);
        }
    }
    *ret_end = true;
    return 0;
}

/* The data of an extended header, whole. */
static int read_extension(struct tar *tar, struct buf *text, struct err *err)
{
    uint64_t size = tar->block.size;
    size_t got;
    char *at;

    buf_clear(text);
    if (size > LIMIT_TAR_HEADER_BYTES) {
        err_set(err, ERR_LIMIT, "an extended header larger than the limit of %ld bytes",
            LIMIT_TAR_HEADER_BYTES);
        return at_block(tar, err);
    }
    if (size == 0)
        return 0;
    at = buf_reserve(text, (size_t)size);
    if (!at)
        return err_nomem(err);
    if (read_bytes(tar, at, (size_t)size, &got, err) != 0)
        return -1;
    if (got < size)
        return fail_end(tar, err);
    text->len = (size_t)size;
    text->data[text->len] = 0;
    set_data(tar, size);
    tar->data_left = 0;
    return 0;
}

/* A name of GNU's: ends with a NUL. */
static int read_long(struct tar *tar, struct buf *text, bool *ret_has, struct err *err)
{
    if (read_extension(tar, text, err) != 0)
        return -1;
    if (text->len)
        text->len = strnlen(text->data, text->len);
    *ret_has = text->len > 0;
    return 0;
}

static int read_pax(struct tar *tar, struct extensions *extensions, struct err *err)
{
    if (read_extension(tar, &tar->pax_text, err) != 0)
        return -1;
    extensions->has_pax = true;
    if (tar_pax_read(buf_slice(&tar->pax_text), &extensions->pax, &tar->parts, err) != 0)
        return at_block(tar, err);
    return 0;
}

static int read_global(struct tar *tar, struct err *err)
{
    struct buf text = BUF_INIT(LIMIT_TAR_HEADER_BYTES);
    int result = read_extension(tar, &text, err);

    if (result == 0 && tar_pax_check_global(buf_slice(&text), err) != 0)
        result = at_block(tar, err);
    buf_release(&text);
    return result;
}

/* Reads blocks up to one that is an entry. *ret_end: the tar ended instead. */
static int read_headers(
    struct tar *tar, struct extensions *extensions, bool *ret_end, struct err *err)
{
    for (;;) {
        int result;

        if (skip_bytes(tar, tar->data_left + tar->padding, err) != 0)
            return -1;
        set_data(tar, 0);
        if (read_block(tar, ret_end, err) != 0 || *ret_end)
            return *ret_end ? 0 : -1;
        if (tar_block_decode(tar->bytes, &tar->block, err) != 0)
            return at_block(tar, err);
        switch (tar->block.type) {
        case 'x':
            result = read_pax(tar, extensions, err);
            break;
        case 'g':
            result = read_global(tar, err);
            break;
        case 'L':
            result = read_long(tar, &tar->long_name, &extensions->has_name, err);
            break;
        case 'K':
            result = read_long(tar, &tar->long_link, &extensions->has_link, err);
            break;
        default:
            return 0;
        }
        if (result != 0)
            return -1;
    }
}

static int type_of(
    const struct tar_block *block, struct slice path, enum tar_type *ret, struct err *err)
{
    switch (block->type) {
    case '\0': /* v7 has no folders, only names that end so */
        *ret = slice_ends_with(path, "/") ? TAR_FOLDER : TAR_FILE;
        return 0;
    case '0':
    case '7': /* "contiguous" */
    case 'S':
        *ret = TAR_FILE;
        return 0;
    case '1':
        *ret = TAR_HARDLINK;
        return 0;
    case '2':
        *ret = TAR_SYMLINK;
        return 0;
    case '5':
        *ret = TAR_FOLDER;
        return 0;
    case '3':
    case '4':
    case '6':
        *ret = TAR_OTHER;
        return 0;
    case 'M': /* the rest of a file that began in another archive */
        return err_set(err, ERR_UNSUPPORTED, "a part of an archive in several volumes");
    default:
        *ret = TAR_UNKNOWN;
        return 0;
    }
}

/* Whatever their size field says, no data follows these. */
static bool has_no_data(char type)
{
    return type >= '1' && type <= '6';
}

static int take_old_parts(struct tar *tar, const unsigned char *at, size_t count, struct err *err)
{
    for (size_t i = 0; i < count && at[0]; i++, at += 2 * (size_t)NUMBER_BYTES) {
        uint64_t offset, size;

        if (!tar_number(at, NUMBER_BYTES, &offset) ||
            !tar_number(at + NUMBER_BYTES, NUMBER_BYTES, &size))
            return err_set(err, ERR_FORMAT, "a wrong map of a sparse file");
        if (tar_parts_add(&tar->parts, offset, size, err) != 0)
            return -1;
    }
    return 0;
}

static int read_old_sparse(struct tar *tar, uint64_t *ret_size, struct err *err)
{
    unsigned char more = tar->bytes[OLD_SPARSE_MORE];
    size_t got;

    tar->parts.count = 0;
    if (tar->block.format != TAR_GNU ||
        !tar_number(tar->bytes + OLD_SPARSE_SIZE, NUMBER_BYTES, ret_size))
        return err_set(err, ERR_FORMAT, "a sparse file without a size");
    if (take_old_parts(tar, tar->bytes + OLD_SPARSE, OLD_SPARSE_PARTS, err) != 0)
        return -1;
    while (more) {
        if (read_bytes(tar, tar->bytes, TAR_BLOCK_BYTES, &got, err) != 0)
            return -1;
        if (got < TAR_BLOCK_BYTES)
            return fail_end(tar, err);
        if (take_old_parts(tar, tar->bytes, NEXT_SPARSE_PARTS, err) != 0)
            return -1;
        more = tar->bytes[NEXT_SPARSE_MORE];
    }
    return 0;
}

/* A decimal number and a line end, off the data of the entry. */
static int pull_line(struct tar *tar, uint64_t *ret, struct err *err)
{
    char digits[21];
    size_t len = 0;
    struct slice piece;

    for (;;) {
        if (tar->data_left == 0)
            break;
        if (pull(tar, 1, &piece, err) != 0)
            return -1;
        if (piece.len == 0)
            return fail_end(tar, err);
        tar->data_left--;
        if (piece.ptr[0] == '\n') {
            if (slice_to_u64((struct slice){digits, len}, ret) && *ret >> 62 == 0)
                return 0;
            break;
        }
        if (len == sizeof(digits))
            break;
        digits[len++] = piece.ptr[0];
    }
    return err_set(err, ERR_FORMAT, "a wrong map of a sparse file");
}

/* 1.0: lines in front of the data, padded to whole blocks. */
static int read_sparse_data(struct tar *tar, struct err *err)
{
    uint64_t count, before = tar->data_left, used, pad;

    if (pull_line(tar, &count, err) != 0)
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset, size;

        if (pull_line(tar, &offset, err) != 0 || pull_line(tar, &size, err) != 0 ||
            tar_parts_add(&tar->parts, offset, size, err) != 0)
            return -1;
    }
    used = before - tar->data_left;
    pad = (TAR_BLOCK_BYTES - used % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
    if (pad > tar->data_left)
        return err_set(err, ERR_FORMAT, "a wrong map of a sparse file");
    tar->data_left -= pad;
    return skip_bytes(tar, pad, err);
}

/* The parts of a sparse file, and its size as it was; leaves a file that is not sparse alone. */
static int read_sparse(
    struct tar *tar, const struct extensions *extensions, struct tar_entry *entry, struct err *err)
{
    enum tar_sparse kind = extensions->has_pax ? extensions->pax.sparse : TAR_SPARSE_NONE;

    if (tar->block.type == 'S') {
        if (read_old_sparse(tar, &entry->size, err) != 0)
            return -1;
    } else if (kind == TAR_SPARSE_NONE) {
        return 0;
    } else {
        if (entry->type != TAR_FILE)
            return err_set(err, ERR_FORMAT, "something sparse that is no file");
        if (kind == TAR_SPARSE_DATA && read_sparse_data(tar, err) != 0)
            return -1;
        entry->size = extensions->pax.real_size;
    }
    if (!tar_parts_fit(&tar->parts, entry->size, tar->data_left))
        return err_set(err, ERR_FORMAT, "a wrong map of a sparse file");
    entry->sparse = true;
    entry->parts = tar->parts.at;
    entry->part_count = tar->parts.count;
    return 0;
}

static int make_entry(
    struct tar *tar, const struct extensions *extensions, struct tar_entry *ret, struct err *err)
{
    const struct tar_pax *pax = &extensions->pax;
    struct tar_entry entry = {
        .path = slice_of(tar->block.name),
        .target = slice_of(tar->block.link),
        .size = tar->block.size,
    };

    if (pax->path.len)
        entry.path = pax->path;
    if (pax->linkpath.len)
        entry.target = pax->linkpath;
    if (pax->has_size)
        entry.size = pax->size;
    if (extensions->has_name)
        entry.path = buf_slice(&tar->long_name);
    if (extensions->has_link)
        entry.target = buf_slice(&tar->long_link);
    if (type_of(&tar->block, entry.path, &entry.type, err) != 0)
        return at_block(tar, err);
    if (has_no_data(tar->block.type))
        entry.size = 0;
    set_data(tar, entry.size);
    if (read_sparse(tar, extensions, &entry, err) != 0)
        return at_block(tar, err);
    entry.stored = tar->data_left;
    entry.data_offset = tar->feed->offset;
    *ret = entry;
    return 0;
}

int tar_next(struct tar *tar, struct tar_entry *ret, bool *ret_end, struct err *err)
{
    struct extensions extensions = {0};
    bool end = false;

    if (read_headers(tar, &extensions, &end, err) != 0)
        return -1;
    if (!end && make_entry(tar, &extensions, ret, err) != 0)
        return -1;
    *ret_end = end;
    return 0;
}
