/* SPDX-License-Identifier: Apache-2.0 */
/* Adding to a report: what is distinct, what is refused, what stays of two. */
#include "unit.h"

#include "base/limits.h"
#include "sbom/report.h"

static struct report report;
static struct err err;

static int setup(void **state)
{
    (void)state;
    report_init(&report);
    err = (struct err){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    report_release(&report);
    return 0;
}

static struct package package_named(const char *name)
{
    return (struct package){
        .ecosystem = SLICE("deb"), .name = slice_of(name), .version = SLICE("1.0")};
}

static void shares_texts(void **state)
{
    char first[] = "text", second[] = "text";
    struct slice a, b, c;

    (void)state;
    assert_ok(report_text(&report, slice_of(first), &a, &err));
    assert_ok(report_text(&report, slice_of(second), &b, &err));
    assert_ok(report_text(&report, SLICE("other"), &c, &err));
    assert_ptr_equal(a.ptr, b.ptr);
    assert_ptr_not_equal(a.ptr, c.ptr);
    memset(first, 'x', 4);
    assert_slice(b, "text");
}

static void packages_are_distinct_by_every_field(void **state)
{
    struct package package = package_named("a");
    struct slice *fields[] = {&package.ecosystem, &package.release, &package.channel, &package.name,
        &package.version, &package.arch, &package.module, &package.source_name,
        &package.source_version};
    uint32_t first, id;

    (void)state;
    assert_ok(report_add_package(&report, &package, &first, &err));
    assert_ok(report_add_package(&report, &package, &id, &err));
    assert_int_equal(first, id);
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        struct slice old = *fields[i];

        *fields[i] = SLICE("changed");
        assert_ok(report_add_package(&report, &package, &id, &err));
        assert_int_equal(id, i + 1);
        *fields[i] = old;
    }
    assert_int_equal(report.package_count, 10);
}

static void refuses_bad_names(void **state)
{
    static char longest[LIMIT_NAME_CHARS + 1];
    struct package package = package_named("");
    uint32_t id = 77;

    (void)state;
    assert_int_equal(report_add_package(&report, &package, &id, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.message, "package name is empty");

    package = package_named("ok");
    package.version = SLICE("1\n2");
    assert_int_equal(report_add_package(&report, &package, &id, &err), -1);
    assert_string_equal(err.message,
        "package ok: package version \"1?2\" is not UTF-8 or holds control characters");

    package = package_named("ok");
    memset(longest, 'l', sizeof(longest));
    package.arch = (struct slice){longest, LIMIT_NAME_CHARS};
    assert_ok(report_add_package(&report, &package, &id, &err));
    package.arch.len++;
    assert_int_equal(report_add_package(&report, &package, &id, &err), -1);
    assert_non_null(strstr(err.message, "is longer than 512 characters"));

    package = package_named("ok");
    package.ecosystem = SLICE_NONE;
    assert_int_equal(report_add_package(&report, &package, &id, &err), -1);
    assert_non_null(strstr(err.message, "package ecosystem is empty"));
    assert_int_equal(report.package_count, 1);
    assert_int_equal(id, 0);
}

static void stops_at_the_package_limit(void **state)
{
    struct package package = package_named("a");
    char version[16];
    uint32_t id;

    (void)state;
    for (int i = 0; i < LIMIT_IMAGE_PACKAGES; i++) {
        snprintf(version, sizeof(version), "%d", i);
        assert_ok(report_text(&report, slice_of(version), &package.version, &err));
        assert_ok(report_add_package(&report, &package, &id, &err));
    }
    assert_ok(report_add_package(&report, &package, &id, &err));
    package.version = SLICE("one more");
    assert_int_equal(report_add_package(&report, &package, &id, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "LIMIT_IMAGE_PACKAGES"));
}

static void sets_the_release_of_os_packages(void **state)
{
    struct package os = package_named("os"), app = package_named("app");
    uint32_t id;

    (void)state;
    app.ecosystem = SLICE("npm");
    assert_ok(report_add_package(&report, &os, &id, &err));
    assert_ok(report_add_package(&report, &app, &id, &err));
    assert_ok(report_set_release(&report, SLICE("debian-12"), &err));
    assert_slice(report.os_release, "debian-12");
    assert_slice(report.packages[0].release, "debian-12");
    assert_slice(report.packages[1].release, "");
    /* The map still finds it, under its new identity. */
    os.release = SLICE("debian-12");
    assert_ok(report_add_package(&report, &os, &id, &err));
    assert_int_equal(id, 0);
    os.release = SLICE_NONE;
    assert_ok(report_add_package(&report, &os, &id, &err));
    assert_int_equal(id, 2);
}

static void records_are_distinct_by_content(void **state)
{
    struct slice ba[] = {SLICE("B"), SLICE("A"), SLICE("B"), SLICE("R")},
                 ab[] = {SLICE("A"), SLICE("B")};
    struct report_record record = {.name = SLICE("R"), .aliases = {ba, 4, 4}, .covers = {ab, 1, 1}};
    uint32_t first, id;

    (void)state;
    assert_ok(report_add_record(&report, &record, &first, &err));
    assert_int_equal(report.records[first].aliases.count, 2);
    assert_slice(report.records[first].aliases.at[0], "A");
    assert_slice(report.records[first].aliases.at[1], "B");
    assert_int_equal(report.records[first].covers.count, 0); /* an alias need not be covered too */

    record = (struct report_record){.name = SLICE("R"), .aliases = {ab, 2, 2}};
    assert_ok(report_add_record(&report, &record, &id, &err));
    assert_int_equal(id, first);
    record = (struct report_record){.name = SLICE("R"), .covers = {ab, 2, 2}};
    assert_ok(report_add_record(&report, &record, &id, &err));
    assert_int_equal(id, 1);
    record = (struct report_record){.name = SLICE("Q"), .covers = {ab, 2, 2}};
    assert_ok(report_add_record(&report, &record, &id, &err));
    assert_int_equal(id, 2);
    /* The lists were copied. */
    ab[0] = SLICE("Z");
    assert_slice(report.records[1].covers.at[0], "A");
}

static void many_aliases_only_find(void **state)
{
    struct slice names[LIMIT_RECORD_ALIASES + 1];
    char texts[LIMIT_RECORD_ALIASES + 1][16];
    struct report_record record = {.name = SLICE("R"), .aliases = {names, 0, 0}};
    uint32_t id;

    (void)state;
    for (size_t i = 0; i < LIMIT_RECORD_ALIASES + 1; i++) {
        snprintf(texts[i], sizeof(texts[i]), "GHSA-%zu", i);
        names[i] = slice_of(texts[i]);
    }
    record.aliases.count = LIMIT_RECORD_ALIASES;
    assert_ok(report_add_record(&report, &record, &id, &err));
    assert_int_equal(report.records[id].aliases.count, LIMIT_RECORD_ALIASES);
    record.aliases.count++;
    assert_ok(report_add_record(&report, &record, &id, &err));
    assert_int_equal(report.records[id].aliases.count, 0);
    assert_int_equal(report.records[id].covers.count, LIMIT_RECORD_ALIASES + 1);
}

static void refuses_bad_records(void **state)
{
    struct slice bad[] = {SLICE("a\tb")};
    struct report_record record = {.name = SLICE_NONE};
    struct names names = {0};
    uint32_t id;

    (void)state;
    assert_int_equal(report_add_record(&report, &record, &id, &err), -1);
    assert_string_equal(err.message, "vulnerability id is empty");
    record = (struct report_record){.name = SLICE("CVE-1"), .covers = {bad, 1, 1}};
    assert_int_equal(report_add_record(&report, &record, &id, &err), -1);
    assert_non_null(strstr(err.message, "vulnerability CVE-1: covered id \"a?b\""));

    for (int i = 0; i < LIMIT_RECORD_NAMES; i++)
        assert_ok(names_push(&report.arena, &names, SLICE("n"), &err));
    assert_int_equal(names_push(&report.arena, &names, SLICE("n"), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    record = (struct report_record){.name = SLICE("CVE-1"), .aliases = names};
    assert_ok(report_add_record(&report, &record, &id, &err));
    record.aliases.count = LIMIT_RECORD_NAMES + 1;
    assert_int_equal(report_add_record(&report, &record, &id, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void keeps_the_worse_claim(void **state)
{
    struct report_claim claim = {.severity = SEVERITY_LOW};

    (void)state;
    assert_ok(report_add_claim(&report, &claim, &err));
    claim.severity = SEVERITY_HIGH;
    claim.fixed_version = SLICE("2.0");
    assert_ok(report_add_claim(&report, &claim, &err));
    claim.severity = SEVERITY_MEDIUM;
    claim.fixed_version = SLICE_NONE;
    assert_ok(report_add_claim(&report, &claim, &err));
    assert_int_equal(report.claim_count, 1);
    assert_int_equal(report.claims[0].severity, SEVERITY_HIGH);
    assert_slice(report.claims[0].fixed_version, "2.0");
    claim.record = 1;
    assert_ok(report_add_claim(&report, &claim, &err));
    claim = (struct report_claim){.package = 1};
    assert_ok(report_add_claim(&report, &claim, &err));
    assert_int_equal(report.claim_count, 3);
    claim = (struct report_claim){.package = 2, .fixed_version = SLICE("1\x7f")};
    assert_int_equal(report_add_claim(&report, &claim, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void stops_at_the_claim_limit(void **state)
{
    struct report_claim claim = {.package = 0};

    (void)state;
    for (; claim.record < LIMIT_IMAGE_CLAIMS; claim.record++)
        assert_ok(report_add_claim(&report, &claim, &err));
    assert_int_equal(report_add_claim(&report, &claim, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "LIMIT_IMAGE_CLAIMS"));
}

static void stops_at_the_memory_limit(void **state)
{
    static char text[1024 * 1024];
    struct slice ret = SLICE("untouched");
    int result = 0;

    (void)state;
    for (int i = 0; i < 40 && result == 0; i++) {
        text[0] = (char)i;
        result = report_text(&report, (struct slice){text, sizeof(text)}, &ret, &err);
    }
    assert_int_equal(result, -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "the report needs more than 24 MiB"));
}

static void can_be_used_again_after_release(void **state)
{
    struct package package = package_named("a");
    uint32_t id;

    (void)state;
    assert_ok(report_add_package(&report, &package, &id, &err));
    report_release(&report);
    assert_int_equal(report.package_count, 0);
    assert_int_equal(report.size_bytes, -1);
    assert_ok(report_add_package(&report, &package, &id, &err));
    assert_int_equal(id, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shares_texts),
        TEST(packages_are_distinct_by_every_field),
        TEST(refuses_bad_names),
        TEST(stops_at_the_package_limit),
        TEST(sets_the_release_of_os_packages),
        TEST(records_are_distinct_by_content),
        TEST(many_aliases_only_find),
        TEST(refuses_bad_records),
        TEST(keeps_the_worse_claim),
        TEST(stops_at_the_claim_limit),
        TEST(stops_at_the_memory_limit),
        TEST(can_be_used_again_after_release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
