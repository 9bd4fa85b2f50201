/* SPDX-License-Identifier: Apache-2.0 */
/* Reading documents that stand in a test, and looking into the report. Include after unit.h. */
#ifndef CAREEN_TESTS_SBOM_DOCUMENT_H
#define CAREEN_TESTS_SBOM_DOCUMENT_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
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
    return report_read(in, LIMIT_REPORT_BYTES, &report, &err);
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

/* Reads a document that is written with ' for ", and must be good. */
__attribute__((unused)) static void read_quoted(const char *text)
{
    char *copy CLEANUP(cleanup_free) = strdup(text);

    assert_non_null(copy);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    read_good(copy);
}

__attribute__((unused)) static void assert_quoted_refused(
    const char *text, enum err_code code, const char *part)
{
    char *copy CLEANUP(cleanup_free) = strdup(text);

    assert_non_null(copy);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    assert_refused(copy, code, part);
}

/* The one package of this name; fails when there is none, or more. */
__attribute__((unused)) static const struct package *package_of(const char *name)
{
    const struct package *found = NULL;

    for (size_t i = 0; i < report.package_count; i++)
        if (slice_is(report.packages[i].name, name)) {
            if (found)
                fail_msg("several packages %s", name);
            found = &report.packages[i];
        }
    if (!found)
        fail_msg("no package %s", name);
    return found;
}

/* "ecosystem|release|channel|name|version|arch|module|source name|source version" */
__attribute__((unused)) static void assert_package(const char *name, const char *want)
{
    const struct package *p = package_of(name);
    struct buf text CLEANUP(buf_release) = BUF_INIT(8192);

    buf_printf(&text, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", SLICE_FMT(p->ecosystem),
        SLICE_FMT(p->release), SLICE_FMT(p->channel), SLICE_FMT(p->name), SLICE_FMT(p->version),
        SLICE_FMT(p->arch), SLICE_FMT(p->module), SLICE_FMT(p->source_name),
        SLICE_FMT(p->source_version));
    assert_slice(buf_slice(&text), want);
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
