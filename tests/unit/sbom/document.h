/* SPDX-License-Identifier: Apache-2.0 */
/* Reading documents that stand in a test, and looking into the report. Include after unit.h. */
#ifndef CAREEN_TESTS_SBOM_DOCUMENT_H
#define CAREEN_TESTS_SBOM_DOCUMENT_H

#include "base/cleanup.h"
#include "codec/stream.h"
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

static int read_bytes(struct slice bytes)
{
    struct stream *in CLEANUP(stream_cleanup) = stream_open_memory(bytes, &err);

    assert_non_null(in);
    report_release(&report);
    return report_read(in, &report, &err);
}

/* Reads a document that must be good. */
__attribute__((unused)) static void read_good(const char *text)
{
    assert_ok(read_bytes(slice_of(text)));
}

/* Reads a document that must be refused with this code, and a message that holds `part`. */
static void assert_refused(const char *text, enum err_code code, const char *part)
{
    err = (struct err){0};
    if (read_bytes(slice_of(text)) == 0)
        fail_msg("not refused: %s", text);
    if (err.code != code || !strstr(err.message, part))
        fail_msg(
            "refused with code %d \"%s\", not with %d \"%s\"", err.code, err.message, code, part);
}

/* Reads every beginning of the document, each in memory of exactly its size: all but those that
 * lack only blanks must be refused, and none may do worse. */
__attribute__((unused)) static void assert_survives_truncation(const char *text)
{
    size_t whole = slice_trim(slice_of(text)).len;

    for (size_t n = 0; n < whole; n++) {
        char *copy CLEANUP(cleanup_free) = malloc(n ? n : 1);

        assert_non_null(copy);
        memcpy(copy, text, n);
        if (read_bytes((struct slice){copy, n}) == 0)
            fail_msg("the first %zu bytes are not refused", n);
        assert_int_equal(err.code, ERR_FORMAT);
    }
}

/* The one claim for this vulnerability and package; fails when there is none. */
__attribute__((unused)) static const struct report_claim *claim_of(
    const char *vulnerability, const char *package)
{
    for (size_t i = 0; i < report.claim_count; i++) {
        const struct report_claim *claim = &report.claims[i];

        if (slice_is(report.records[claim->record].name, vulnerability) &&
            slice_is(report.packages[claim->package].name, package))
            return claim;
    }
    fail_msg("no claim of %s for %s", vulnerability, package);
    return NULL;
}

/* "a b", of the names. */
__attribute__((unused)) static void assert_names(const struct names *names, const char *want)
{
    struct slice rest = slice_of(want);

    for (size_t i = 0; i < names->count; i++)
        assert_true(slice_eq(slice_pull_until(&rest, ' '), names->at[i]));
    assert_int_equal(rest.len, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
