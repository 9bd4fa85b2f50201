/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See tar_pax.h. A record is "LENGTH KEY=VALUE\n", and its length counts all of it, so values may
 * hold anything. As in Go's archive/tar, a NUL in a path or a key is an error.
 */
#include "image/tar_pax.h"

#include "base/array.h"
#include "base/limits.h"

struct record {
    struct slice key, value;
};

/* What the records say of a sparse file, before its version is known. */
struct sparse_records {
    struct slice major, minor, name, map;
    bool has_offset; /* 0.0: an offset, which its numbytes must follow */
    uint64_t offset;
    bool has_parts;
};

static const uint64_t NUMBER_MAX = UINT64_C(1) << 62;

void tar_parts_release(struct tar_parts *parts)
{
    free(parts->at);
    *parts = (struct tar_parts){0};
}

int tar_parts_add(struct tar_parts *parts, uint64_t offset, uint64_t size, struct err *err)
{
    if (parts->count >= LIMIT_TAR_SPARSE_PARTS)
        return err_set(err, ERR_LIMIT, "a sparse file of more than the limit of %d parts",
            LIMIT_TAR_SPARSE_PARTS);
    if (array_reserve(&parts->at, &parts->cap, parts->count + 1, sizeof(*parts->at), err) != 0)
        return -1;
    parts->at[parts->count++] = (struct tar_part){offset, size};
    return 0;
}

bool tar_parts_fit(const struct tar_parts *parts, uint64_t size, uint64_t stored)
{
    uint64_t end = 0, sum = 0;

    for (size_t i = 0; i < parts->count; i++) {
        const struct tar_part *part = &parts->at[i];

        if (part->offset < end || part->offset > size || part->size > size - part->offset)
            return false;
        end = part->offset + part->size;
        sum += part->size;
    }
    return sum == stored;
}

static int fail_record(const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "an extended header with %s", why);
}

static bool number(struct slice text, uint64_t *ret)
{
    uint64_t value;

    if (!slice_to_u64(text, &value) || value > NUMBER_MAX)
        return false;
    *ret = value;
    return true;
}

/* Takes the first record off *rest. */
static int pull_record(struct slice *rest, struct record *ret, struct err *err)
{
    size_t blank = slice_find_char(slice_sub(*rest, 0, 20), ' ');
    struct slice text;
    uint64_t len;

    if (!slice_to_u64(slice_sub(*rest, 0, blank), &len) || len > rest->len || len < blank + 2 ||
        rest->ptr[len - 1] != '\n')
        return fail_record("a record of a wrong length", err);
    text = slice_sub(*rest, blank + 1, (size_t)len - blank - 2);
    ret->key = slice_pull_until(&text, '=');
    ret->value = text;
    if (ret->key.len == 0 || ret->key.ptr + ret->key.len == rest->ptr + len - 1)
        return fail_record("a record without a key", err);
    if (memchr(ret->key.ptr, 0, ret->key.len))
        return fail_record("a NUL in a key", err);
    *rest = slice_skip(*rest, (size_t)len);
    return 0;
}

static int take_text(const struct record *record, struct slice *ret, struct err *err)
{
    if (record->value.len && memchr(record->value.ptr, 0, record->value.len))
        return fail_record("a NUL in a path", err);
    *ret = record->value;
    return 0;
}

static int take_number(const struct record *record, bool *ret_has, uint64_t *ret, struct err *err)
{
    *ret_has = record->value.len > 0;
    if (*ret_has && !number(record->value, ret))
        return fail_record("a size that is none", err);
    return 0;
}

/* 0.0: a record for the offset of each part, and behind it one for its size. */
static int take_part(const struct record *record, bool is_offset, struct sparse_records *sparse,
    struct tar_parts *parts, struct err *err)
{
    uint64_t value;

    if (sparse->has_offset == is_offset || !number(record->value, &value))
        return fail_record("a wrong map of a sparse file", err);
    sparse->has_offset = is_offset;
    sparse->has_parts = true;
    if (!is_offset)
        return tar_parts_add(parts, sparse->offset, value, err);
    sparse->offset = value;
    return 0;
}

static int take_sparse(const struct record *record, struct slice key, struct tar_pax *pax,
    struct sparse_records *sparse, struct tar_parts *parts, struct err *err)
{
    if (slice_is(key, "offset") || slice_is(key, "numbytes"))
        return take_part(record, slice_is(key, "offset"), sparse, parts, err);
    if (slice_is(key, "size") || slice_is(key, "realsize"))
        return take_number(record, &pax->has_real_size, &pax->real_size, err);
    if (slice_is(key, "name"))
        return take_text(record, &sparse->name, err);
    if (slice_is(key, "major"))
        sparse->major = record->value;
    else if (slice_is(key, "minor"))
        sparse->minor = record->value;
    else if (slice_is(key, "map"))
        sparse->map = record->value;
    return 0;
}

/* 0.1: all parts in one record: offset, size, offset, size... */
static int read_map(struct slice map, struct tar_parts *parts, struct err *err)
{
    while (map.len) {
        uint64_t offset, size;

        if (!number(slice_pull_until(&map, ','), &offset) ||
            !number(slice_pull_until(&map, ','), &size))
            return fail_record("a wrong map of a sparse file", err);
        if (tar_parts_add(parts, offset, size, err) != 0)
            return -1;
    }
    return 0;
}

static int finish_sparse(const struct sparse_records *sparse, struct tar_pax *pax,
    struct tar_parts *parts, struct err *err)
{
    bool versioned = sparse->major.len || sparse->minor.len;

    if (versioned && slice_is(sparse->major, "1") && slice_is(sparse->minor, "0"))
        pax->sparse = TAR_SPARSE_DATA;
    else if (versioned && !(slice_is(sparse->major, "0") && sparse->minor.len == 1 &&
                              (sparse->minor.ptr[0] == '0' || sparse->minor.ptr[0] == '1')))
        return err_set(err, ERR_UNSUPPORTED, "a sparse file of an unknown version");
    else if (versioned || sparse->map.len || sparse->has_parts)
        pax->sparse = TAR_SPARSE_MAP;
    else
        return 0;
    if (sparse->has_offset || (sparse->has_parts && sparse->map.len) || !pax->has_real_size)
        return fail_record("a wrong map of a sparse file", err);
    if (sparse->name.len)
        pax->path = sparse->name;
    return pax->sparse == TAR_SPARSE_MAP ? read_map(sparse->map, parts, err) : 0;
}

int tar_pax_read(struct slice header, struct tar_pax *ret, struct tar_parts *parts, struct err *err)
{
    struct tar_pax pax = {0};
    struct sparse_records sparse = {0};

    parts->count = 0;
    while (header.len) {
        struct record record;
        struct slice key;
        int result = 0;

        if (pull_record(&header, &record, err) != 0)
            return -1;
        key = record.key;
        if (slice_is(key, "path"))
            result = take_text(&record, &pax.path, err);
        else if (slice_is(key, "linkpath"))
            result = take_text(&record, &pax.linkpath, err);
        else if (slice_is(key, "size"))
            result = take_number(&record, &pax.has_size, &pax.size, err);
        else if (slice_starts_with(key, "GNU.sparse."))
            result = take_sparse(
                &record, slice_skip(key, strlen("GNU.sparse.")), &pax, &sparse, parts, err);
        if (result != 0)
            return -1;
    }
    if (finish_sparse(&sparse, &pax, parts, err) != 0)
        return -1;
    *ret = pax;
    return 0;
}

int tar_pax_check_global(struct slice header, struct err *err)
{
    while (header.len) {
        struct record record;

        if (pull_record(&header, &record, err) != 0)
            return -1;
        if (slice_is(record.key, "path") || slice_is(record.key, "linkpath") ||
            slice_is(record.key, "size") || slice_starts_with(record.key, "GNU.sparse."))
            return err_set(err, ERR_UNSUPPORTED,
                "a global header that sets the %.*s of all entries", SLICE_FMT(record.key));
    }
    return 0;
}
