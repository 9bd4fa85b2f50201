/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/make_facts.h"

static void make(struct layer_facts *facts, struct buf *bytes)
{
    struct err err = {0};

    layer_facts_init(facts);
    add_file_of(facts, "opt/x", STATUS, (const char *const[]){"bash 5.2", "sed 4.9", NULL});
    add_damaged(facts, STATUS, "line 3: no version");
    add_file(facts, "etc/os-release", "release debian-12");
    add_file(facts, "usr/share/doc/sed/copyright", "licence sed GPL-3+");
    add_link(facts, "lib", "usr/lib");
    add_plain(facts, FACT_HIDDEN, "var/lib/apk");
    add_plain(facts, FACT_OPAQUE, "var/lib/apk");
    assert_ok(layer_facts_add(facts,
        &(struct fact){
            .kind = FACT_BESIDE, .path = SLICE("var/lib/rpm/rpmdb.sqlite-wal"), .empty = true},
        &err));
    add_same(facts, "usr/lib/dpkg/status", "opt/x");
    layer_facts_settle(facts);
    assert_ok(layer_facts_encode(facts, bytes, &err));
}

static void assert_same(const struct fact *a, const struct fact *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(slice_eq(a->path, b->path));
    assert_true(slice_eq(a->target, b->target));
    assert_true(slice_eq(a->as, b->as));
    assert_true(slice_eq(a->why, b->why));
    assert_true(slice_eq(a->payload, b->payload));
    assert_ptr_equal(a->reader, b->reader);
    assert_int_equal(a->failed, b->failed);
    assert_int_equal(a->empty && a->kind == FACT_BESIDE, b->empty);
}

static void test_round_trip(void **state)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(65536);
    struct buf again CLEANUP(buf_release) = BUF_INIT(65536);
    struct layer_facts facts, read;
    struct err err = {0};

    (void)state;
    make(&facts, &bytes);
    assert_ok(layer_facts_decode(buf_slice(&bytes), &read, &err));
    assert_int_equal(facts.count, 9);
    assert_int_equal(read.count, facts.count);
    for (size_t i = 0; i < read.count; i++)
        assert_same(&facts.at[i], &read.at[i]);
    assert_ok(layer_facts_encode(&read, &again, &err));
    assert_true(slice_eq(buf_slice(&bytes), buf_slice(&again)));
    layer_facts_release(&facts);
    layer_facts_release(&read);
}

/* A damaged file is a miss, whatever is damaged. */
static void test_every_changed_byte_is_found(void **state)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(65536);
    struct layer_facts facts, read;
    struct err none = {0};

    (void)state;
    make(&facts, &bytes);
    layer_facts_release(&facts);
    assert_int_equal(layer_facts_check(buf_slice(&bytes), &none), 0);
    for (size_t i = 0; i < bytes.len; i++) {
        struct err err = {0};

        bytes.data[i] ^= 1;
        assert_int_equal(layer_facts_decode(buf_slice(&bytes), &read, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(layer_facts_check(buf_slice(&bytes), &err), -1);
        bytes.data[i] ^= 1;
    }
    for (size_t len = 0; len < bytes.len; len++) {
        struct err err = {0};

        assert_int_equal(layer_facts_decode(slice_sub(buf_slice(&bytes), 0, len), &read, &err), -1);
    }
}

static void test_what_a_payload_tells(void **state)
{
    struct buf payload CLEANUP(buf_release) = BUF_INIT(65536);
    struct inventory inventory CLEANUP(inventory_release);
    struct arena arena CLEANUP(arena_release);
    struct found_package package;
    struct found_licence licence;
    struct told told;
    struct err err = {0};

    (void)state;
    arena_init(&arena, "test", 65536);
    inventory_init(&inventory);
    inventory.os_release = SLICE("debian-12");
    inventory.os_rank = 7;
    assert_ok(inventory_add(&inventory,
        &(struct package){.ecosystem = SLICE("rpm"),
            .name = SLICE("perl"),
            .version = SLICE("4:5.26"),
            .arch = SLICE("noarch"),
            .module = SLICE("perl:5.26"),
            .source_name = SLICE("perl-src"),
            .source_version = SLICE("4:5.26")},
        SLICE("GPL"), &err));
    assert_ok(inventory_add_licence(&inventory, SLICE("sed"), SLICE("GPL"), &err));
    assert_ok(layer_facts_pack_inventory(&payload, &inventory, &err));
    assert_ok(told_begin(buf_slice(&payload), &arena, &told, &err));
    assert_slice(told.os_release, "debian-12");
    assert_int_equal(told.os_rank, 7);
    assert_true(told_package(&told, &package));
    assert_slice(package.package.name, "perl");
    assert_slice(package.package.module, "perl:5.26");
    assert_slice(package.package.source_name, "perl-src");
    assert_slice(package.licence, "GPL");
    assert_false(told_package(&told, &package));
    assert_true(told_licence(&told, &licence));
    assert_slice(licence.package, "sed");
    assert_false(told_licence(&told, &licence));
    assert_false(told.in.failed);
    assert_int_equal(told_begin(SLICE("\xff"), &arena, &told, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_changed_byte_is_found),
        cmocka_unit_test(test_what_a_payload_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
