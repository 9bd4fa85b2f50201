/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id sets as bytes; see idlist.h for the layout. Neighbouring ids are close together (packages that
 * arrive in one image get numbers in a row), so most steps fit one byte.
 *
 * The bytes come back from a disk, so decoding trusts nothing. There is one encoding of a set, and
 * only that one is read: no overlong varints, no empty runs, no times out of order. Every member
 * takes a byte at least, so a count that is larger than what is left is refused before memory is
 * asked for.
 */
#include "codec/idlist.h"

#include "base/bug.h"
#include "base/cleanup.h"

#include <inttypes.h>

enum { VARINT_MAX_BYTES = 10 };

static void put_varint(struct buf *out, uint64_t value)
{
    unsigned char bytes[VARINT_MAX_BYTES];
    size_t len = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (unsigned char)(value | 0x80);
    bytes[len++] = (unsigned char)value;
    buf_put(out, bytes, len);
}

/* The shortest encoding of a 64-bit number only. */
static bool pull_varint(struct slice *bytes, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes->len && i < VARINT_MAX_BYTES; i++) {
        unsigned char byte = (unsigned char)bytes->ptr[i];

        if (i == VARINT_MAX_BYTES - 1 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (byte == 0 && i > 0)
            return false;
        *bytes = slice_skip(*bytes, i + 1);
        *ret = value;
        return true;
    }
    return false;
}

void idlist_encode(struct buf *out, const struct ids *ids)
{
    put_varint(out, ids->count);
    for (size_t i = 0; i < ids->count; i++) {
        BUG_ON(i > 0 && ids->at[i] <= ids->at[i - 1]);
        put_varint(out, i == 0 ? ids->at[0] : ids->at[i] - ids->at[i - 1] - 1);
    }
}

static int corrupt(struct err *err, const char *why)
{
    return err_set(err, ERR_CORRUPT, "a stored list of ids is damaged: %s", why);
}

/* A count of things of at least min_bytes each. */
static int pull_count(
    struct slice *bytes, size_t min_bytes, size_t max, size_t *ret, struct err *err)
{
    uint64_t count;

    if (!pull_varint(bytes, &count))
        return corrupt(err, "its count is cut off or malformed");
    if (count > max || count > bytes->len / min_bytes)
        return err_set(err, ERR_CORRUPT,
            "a stored list of ids is damaged: its count is %" PRIu64
            ", %zu bytes follow, at most %zu are allowed",
            count, bytes->len, max);
    *ret = (size_t)count;
    return 0;
}

int idlist_decode(struct slice *bytes, size_t max_count, struct ids *ret, struct err *err)
{
    struct ids ids CLEANUP(ids_release) = {0};
    struct slice rest = *bytes;
    uint64_t next = 0; /* the smallest id that may come */
    size_t count = 0;

    if (pull_count(&rest, 1, max_count, &count, err) < 0 ||
        array_reserve(&ids.at, &ids.cap, count, sizeof(*ids.at), err) < 0)
        return -1;
    for (; ids.count < count; ids.count++) {
        uint64_t step;

        if (!pull_varint(&rest, &step))
            return corrupt(err, "a member is cut off or malformed");
        if (next > UINT32_MAX || step > UINT32_MAX - next)
            return corrupt(err, "a member is beyond 32 bits");
        ids.at[ids.count] = (uint32_t)(next + step);
        next += step + 1;
    }
    *bytes = rest;
    ids_release(ret);
    *ret = ids;
    ids = (struct ids){0};
    return 0;
}

void timed_ids_release(struct timed_ids *ids)
{
    free(ids->at);
    *ids = (struct timed_ids){0};
}

int timed_ids_push(struct timed_ids *ids, uint32_t id, int64_t first_seen_ms, struct err *err)
{
    if (array_reserve(&ids->at, &ids->cap, ids->count + 1, sizeof(*ids->at), err) < 0)
        return -1;
    ids->at[ids->count++] = (struct timed_id){id, first_seen_ms};
    return 0;
}

static int compare_by_id(const void *left, const void *right)
{
    const struct timed_id *a = left, *b = right;
    int order = (a->id > b->id) - (a->id < b->id);

    return order ? order
                 : (a->first_seen_ms > b->first_seen_ms) - (a->first_seen_ms < b->first_seen_ms);
}

static int compare_by_time(const void *left, const void *right)
{
    const struct timed_id *a = left, *b = right;
    int order = (a->first_seen_ms > b->first_seen_ms) - (a->first_seen_ms < b->first_seen_ms);

    return order ? order : (a->id > b->id) - (a->id < b->id);
}

void timed_ids_sort(struct timed_ids *ids)
{
    size_t kept = 0;

    if (ids->count)
        qsort(ids->at, ids->count, sizeof(*ids->at), compare_by_id);
    for (size_t i = 0; i < ids->count; i++)
        if (kept == 0 || ids->at[kept - 1].id != ids->at[i].id)
            ids->at[kept++] = ids->at[i];
    ids->count = kept;
}

static int compare_with_id(const void *key, const void *member)
{
    const uint32_t *id = key;
    const struct timed_id *m = member;

    return (*id > m->id) - (*id < m->id);
}

const struct timed_id *timed_ids_find(const struct timed_ids *ids, uint32_t id)
{
    if (ids->count == 0)
        return NULL;
    return bsearch(&id, ids->at, ids->count, sizeof(*ids->at), compare_with_id);
}

static size_t count_runs(const struct timed_ids *by_time)
{
    size_t runs = 0;

    for (size_t i = 0; i < by_time->count; i++)
        runs += i == 0 || by_time->at[i].first_seen_ms != by_time->at[i - 1].first_seen_ms;
    return runs;
}

/* A copy of *ids (sorted by id), sorted by time. */
static int copy_by_time(const struct timed_ids *ids, struct timed_ids *ret, struct err *err)
{
    for (size_t i = 0; i < ids->count; i++) {
        BUG_ON(i > 0 && ids->at[i].id <= ids->at[i - 1].id);
        if (ids->at[i].first_seen_ms < 0)
            return err_set(err, ERR_INVALID,
                "the time %" PRId64 " of id %" PRIu32
                " is before 1970: times are epoch milliseconds",
                ids->at[i].first_seen_ms, ids->at[i].id);
    }
    if (array_reserve(&ret->at, &ret->cap, ids->count, sizeof(*ret->at), err) < 0)
        return -1;
    if (ids->count) {
        memcpy(ret->at, ids->at, ids->count * sizeof(*ret->at));
        qsort(ret->at, ids->count, sizeof(*ret->at), compare_by_time);
    }
    ret->count = ids->count;
    return 0;
}

int timed_ids_encode(struct buf *out, const struct timed_ids *ids, struct err *err)
{
    struct timed_ids by_time CLEANUP(timed_ids_release) = {0};
    struct ids run CLEANUP(ids_release) = {0};

    if (copy_by_time(ids, &by_time, err) < 0 ||
        array_reserve(&run.at, &run.cap, ids->count, sizeof(*run.at), err) < 0)
        return -1;
    put_varint(out, count_runs(&by_time));
    for (size_t i = 0; i < by_time.count;) {
        int64_t time_ms = by_time.at[i].first_seen_ms;

        for (run.count = 0; i < by_time.count && by_time.at[i].first_seen_ms == time_ms; i++)
            run.at[run.count++] = by_time.at[i].id;
        put_varint(out, (uint64_t)time_ms);
        idlist_encode(out, &run);
    }
    return 0;
}

/* Reads one run of a time later than *last_ms (-1 before the first) and appends its members. */
static int pull_run(
    struct slice *bytes, size_t max_count, int64_t *last_ms, struct timed_ids *to, struct err *err)
{
    struct ids run CLEANUP(ids_release) = {0};
    uint64_t time_ms;

    if (!pull_varint(bytes, &time_ms) || time_ms > INT64_MAX)
        return corrupt(err, "a time is cut off or malformed");
    if ((int64_t)time_ms <= *last_ms)
        return corrupt(err, "its times are out of order");
    if (idlist_decode(bytes, max_count - to->count, &run, err) < 0)
        return -1;
    if (run.count == 0)
        return corrupt(err, "a time has no members");
    if (array_reserve(&to->at, &to->cap, to->count + run.count, sizeof(*to->at), err) < 0)
        return -1;
    for (size_t i = 0; i < run.count; i++)
        to->at[to->count++] = (struct timed_id){run.at[i], (int64_t)time_ms};
    *last_ms = (int64_t)time_ms;
    return 0;
}

int timed_ids_decode(struct slice bytes, size_t max_count, struct timed_ids *ret, struct err *err)
{
    enum { RUN_MIN_BYTES = 3 }; /* a time, a count, a member */
    struct timed_ids ids CLEANUP(timed_ids_release) = {0};
    int64_t last_ms = -1;
    size_t runs = 0, members;

    if (pull_count(&bytes, RUN_MIN_BYTES, max_count, &runs, err) < 0)
        return -1;
    for (size_t i = 0; i < runs; i++)
        if (pull_run(&bytes, max_count, &last_ms, &ids, err) < 0)
            return -1;
    if (bytes.len)
        return corrupt(err, "bytes follow its end");
    members = ids.count;
    if (runs > 1)
        timed_ids_sort(&ids);
    if (ids.count != members)
        return corrupt(err, "an id has two times");
    timed_ids_release(ret);
    *ret = ids;
    ids = (struct timed_ids){0};
    return 0;
}
