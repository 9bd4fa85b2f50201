/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of layers for tests, in a line each. */
#ifndef CAREEN_TESTS_SCAN_MAKE_FACTS_H
#define CAREEN_TESTS_SCAN_MAKE_FACTS_H

#include "unit.h"

#include "base/cleanup.h"
#include "scan/facts.h"

#define STATUS "var/lib/dpkg/status"

static inline void add_plain(struct layer_facts *facts, enum fact_kind kind, const char *path)
{
    struct err err = {0};

    assert_ok(layer_facts_add(facts, &(struct fact){.kind = kind, .path = slice_of(path)}, &err));
}

static inline void add_link(struct layer_facts *facts, const char *path, const char *target)
{
    struct err err = {0};

    assert_ok(layer_facts_add(facts,
        &(struct fact){.kind = FACT_LINK, .path = slice_of(path), .target = slice_of(target)},
        &err));
}

/* packages: "bash 5.2" and so on, NULL at the end. */
static inline void add_file_of(
    struct layer_facts *facts, const char *path, const char *as, const char *const *packages)
{
    struct buf payload CLEANUP(buf_release) = BUF_INIT(65536);
    struct inventory inventory CLEANUP(inventory_release);
    struct fact fact = {.kind = FACT_FILE, .path = slice_of(path)};
    struct err err = {0};

    inventory_init(&inventory);
    for (; *packages; packages++) {
        struct slice version = slice_of(*packages), name = slice_pull_until(&version, ' ');

        if (slice_is(name, "release")) {
            inventory.os_release = version;
            inventory.os_rank = (int)strlen(path);
        } else if (slice_is(name, "licence")) {
            struct slice licence = version, of = slice_pull_until(&licence, ' ');

            assert_ok(inventory_add_licence(&inventory, of, licence, &err));
        } else {
            assert_ok(inventory_add(&inventory,
                &(struct package){.ecosystem = SLICE("deb"),
                    .name = name,
                    .version = version,
                    .arch = SLICE("amd64")},
                SLICE_NONE, &err));
        }
    }
    assert_ok(layer_facts_pack_inventory(&payload, &inventory, &err));
    if (as)
        fact.as = slice_of(as);
    fact.reader = inventory_reader_for(slice_of(as ? as : path));
    assert_non_null(fact.reader);
    fact.payload = buf_slice(&payload);
    assert_ok(layer_facts_add(facts, &fact, &err));
}

#define add_file(facts, path, ...) \
    add_file_of(facts, path, NULL, (const char *const[]){__VA_ARGS__, NULL})

static inline void add_same(struct layer_facts *facts, const char *path, const char *target)
{
    struct err err = {0};

    assert_ok(layer_facts_add(facts,
        &(struct fact){.kind = FACT_SAME,
            .path = slice_of(path),
            .target = slice_of(target),
            .reader = inventory_reader_for(slice_of(path))},
        &err));
}

static inline void add_damaged(struct layer_facts *facts, const char *path, const char *why)
{
    struct err err = {0};

    assert_ok(layer_facts_add(facts,
        &(struct fact){.kind = FACT_FILE,
            .path = slice_of(path),
            .reader = inventory_reader_for(slice_of(path)),
            .failed = ERR_FORMAT,
            .why = slice_of(why)},
        &err));
}

#endif
