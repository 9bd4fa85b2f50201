/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/make_facts.h"

#include "base/limits.h"
#include "scan/layering.h"

static const struct interest plain;

/* "real as, ..." of the aliases that the links ask for. */
static void assert_aliases(
    struct layer_facts *facts, const struct interest *interest, const char *expected)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(65536);
    struct err err = {0};
    struct layering *layering = layering_new(&err);
    struct alias *missing;
    size_t count;

    layer_facts_settle(facts);
    assert_ok(layering_add(layering, 0, facts, &err));
    assert_ok(layering_missing_aliases(layering, interest, &missing, &count, &err));
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s%.*s %.*s", i ? ", " : "", SLICE_FMT(missing[i].real),
            SLICE_FMT(missing[i].as));
    assert_slice(buf_slice(&text), expected);
    free(missing);
    layering_free(layering);
    layer_facts_release(facts);
}

static struct layer_facts begin(void)
{
    struct layer_facts facts;

    layer_facts_init(&facts);
    return facts;
}

static void test_known_places_need_none(void **state)
{
    struct layer_facts facts = begin();

    (void)state;
    add_link(&facts, "lib", "usr/lib");
    add_link(&facts, "etc/os-release", "../usr/lib/os-release");
    add_link(&facts, "var/lib/rpm", "../../usr/lib/sysimage/rpm");
    assert_aliases(&facts, &plain, "");
}

static void test_other_places(void **state)
{
    struct layer_facts facts = begin();

    (void)state;
    add_link(&facts, "var/lib/dpkg", "/opt/dpkg/./x//y/");
    add_link(&facts, "etc/os-release", "../../../../etc/../run/release");
    assert_aliases(&facts, &plain, "run/release etc/os-release, opt/dpkg/x/y var/lib/dpkg");
}

static void test_links_in_links(void **state)
{
    struct layer_facts facts = begin();

    (void)state;
    add_link(&facts, "var/lib/dpkg", "../db/dpkg");
    add_link(&facts, "var/db", "/srv");
    assert_aliases(&facts, &plain, "srv/dpkg var/lib/dpkg");
}

static void test_known_aliases_are_not_asked_for_again(void **state)
{
    const struct alias aliases[] = {{SLICE("opt/dpkg"), SLICE("var/lib/dpkg")}};
    struct layer_facts facts = begin();

    (void)state;
    add_link(&facts, "var/lib/dpkg", "/opt/dpkg");
    assert_aliases(&facts, &(struct interest){aliases, 1}, "");
}

static void test_loops_lead_nowhere(void **state)
{
    struct layer_facts facts = begin();

    (void)state;
    add_link(&facts, "var/lib/dpkg", "dpkg");
    add_link(&facts, "var/lib/rpm", "/etc/os-release/x");
    add_link(&facts, "etc/os-release", "/var/lib/rpm/y");
    add_link(&facts, "usr/lib/apk", "/");
    add_link(&facts, "usr/share/rpm", "");
    assert_aliases(&facts, &plain, "usr/share usr/share/rpm");
}

/* Up and down as often as it likes, but no deeper than a layer's paths. */
static void test_deep_targets(void **state)
{
    struct buf down CLEANUP(buf_release) = BUF_INIT(8192), up CLEANUP(buf_release) = BUF_INIT(8192);
    struct layer_facts facts = begin();

    (void)state;
    for (int i = 0; i < LIMIT_LAYER_PATH_DEPTH + 1; i++) {
        buf_put_cstr(&down, "/d");
        buf_put_cstr(&up, "/d/..");
    }
    buf_put_cstr(&up, "/opt/dpkg");
    add_link(&facts, "var/lib/dpkg", up.data);
    add_link(&facts, "var/lib/rpm", down.data);
    assert_aliases(&facts, &plain, "opt/dpkg var/lib/dpkg");
}

static void test_too_many(void **state)
{
    struct layer_facts facts = begin();
    struct err err = {0};
    struct layering *layering = layering_new(&err);
    struct alias *missing;
    size_t count;

    (void)state;
    for (int i = 0; i < 300; i++) {
        char path[64];

        snprintf(path, sizeof(path), "var/lib/dpkg/status.d/%d", i);
        add_link(&facts, path, "/opt/x");
    }
    layer_facts_settle(&facts);
    assert_ok(layering_add(layering, 0, &facts, &err));
    assert_int_equal(layering_missing_aliases(layering, &plain, &missing, &count, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    layering_free(layering);
    layer_facts_release(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_places_need_none),
        cmocka_unit_test(test_other_places),
        cmocka_unit_test(test_links_in_links),
        cmocka_unit_test(test_known_aliases_are_not_asked_for_again),
        cmocka_unit_test(test_loops_lead_nowhere),
        cmocka_unit_test(test_deep_targets),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
