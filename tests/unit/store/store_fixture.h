/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a temporary folder, and short ways to fill it, for the tests of this room. */
#ifndef CAREEN_TESTS_STORE_FIXTURE_H
#define CAREEN_TESTS_STORE_FIXTURE_H

#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/store.h"

struct fixture {
    char dir[256];
    struct store *store;
};

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void remove_tree(const char *dir)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* *state: a struct fixture whose folder is empty and whose store is not open. */
static inline int setup_folder(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");

    if (!f)
        return -1;
    snprintf(f->dir, sizeof(f->dir), "%s/careen-store-XXXXXX", tmp ? tmp : "/tmp");
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static inline int setup_store(void **state)
{
    struct fixture *f;
    struct err err;

    if (setup_folder(state) < 0)
        return -1;
    f = *state;
    f->store = store_open(f->dir, STORE_CREATE, &err);
    return f->store ? 0 : -1;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    remove_tree(f->dir);
    free(f);
    return 0;
}

static inline void reopen(struct fixture *f)
{
    struct err err;

    store_close(f->store);
    f->store = store_open(f->dir, STORE_WRITE, &err);
    if (!f->store)
        fail_msg("reopening: %s", err.message);
}

static inline void begin(struct store *store)
{
    struct err err;

    assert_ok(store_begin(store, "test", &err));
}

static inline void commit(struct store *store)
{
    struct err err;

    assert_ok(store_commit(store, &err));
}

static inline uint32_t put_name(struct store *store, const char *name)
{
    struct err err;
    uint32_t id = 0;

    assert_ok(store_put_name(store, slice_of(name), &id, &err));
    return id;
}

static inline uint32_t put_package(struct store *store, const char *name, const char *version)
{
    struct package package = {
        .ecosystem = SLICE("deb"), .name = slice_of(name), .version = slice_of(version)};
    struct err err;
    uint32_t id = 0;

    assert_ok(store_put_package(store, &package, &id, &err));
    return id;
}

static inline struct image make_image(const char *id, const char *name)
{
    struct image image = {
        .project = 1,
        .place = {.enterprise_project = SLICE("0"),
            .type = IMAGE_REGISTRY,
            .registry_name = SLICE("harbor"),
            .containers = -1,
            .multi_arch = -1},
        .name = slice_of(name),
        .tag = SLICE("1.0"),
        .size_bytes = -1,
        .first_seen_ms = 1000,
        .latest_scan_ms = 2000,
        .updated_ms = 3000,
        .latest = true,
    };

    snprintf(image.id, sizeof(image.id), "%s", id);
    return image;
}

static const unsigned char line_a[16] = {1, 2, 3}, line_b[16] = {4, 5, 6};

static inline uint32_t add_image(struct store *store, const char *id)
{
    struct image image = make_image(id, "nginx");
    struct err err;
    uint32_t number = 0;

    assert_ok(store_add_image(store, &image, line_a, &number, &err));
    return number;
}

static inline void fill_slot(struct slot *slot, enum source source, uint32_t packages, int64_t ms)
{
    struct err err;

    *slot = (struct slot){.source = source, .complete = true, .scanned_ms = ms};
    for (uint32_t i = 1; i <= packages; i++) {
        assert_ok(timed_ids_push(&slot->packages, i * 3, ms - i % 2, &err));
        assert_ok(ids_push(&slot->claims, i * 2, &err));
    }
}

static inline void assert_same_slot(const struct slot *a, const struct slot *b)
{
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->complete, b->complete);
    assert_int_equal(a->scanned_ms, b->scanned_ms);
    assert_int_equal(a->packages.count, b->packages.count);
    for (size_t i = 0; i < a->packages.count; i++) {
        assert_int_equal(a->packages.at[i].id, b->packages.at[i].id);
        assert_int_equal(a->packages.at[i].first_seen_ms, b->packages.at[i].first_seen_ms);
    }
    assert_true(ids_equal(&a->claims, &b->claims));
}

static inline void release_slots(struct slot slots[SOURCE_COUNT])
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        slot_release(&slots[i]);
}

static inline void add_cause(
    struct store *store, enum cause_kind kind, uint32_t image, int64_t at_ms)
{
    struct cause cause = {.kind = kind, .at_ms = at_ms, .project = 1, .image = image};
    struct err err;

    assert_ok(store_add_cause(store, &cause, &err));
}

static inline void assert_bounds(struct store *store, uint64_t trimmed, uint64_t last)
{
    uint64_t got_trimmed = 99, got_last = 99;
    struct err err;

    assert_ok(store_log_bounds(store, &got_trimmed, &got_last, &err));
    assert_int_equal(got_trimmed, trimmed);
    assert_int_equal(got_last, last);
}

/* Does a call (0 or -1) fail with this code, and does the message hold this text? */
#define assert_fails(call, want, text)                                                 \
    do {                                                                               \
        err = (struct err){0};                                                         \
        assert_int_equal((call), -1);                                                  \
        if (err.code != (want) || !strstr(err.message, (text)))                        \
            fail_msg("%s: code %d, \"%s\", not code %d, \"%s\"", #call, (int)err.code, \
                err.message, (int)(want), (text));                                     \
    } while (0)

#endif
