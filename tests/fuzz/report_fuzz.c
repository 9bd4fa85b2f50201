// room: sbom
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_read() on any bytes, whatever the format: it must end, and what it hands over must be what
 * report.h promises. The corpus holds a small document of each format.
 */
#include "base/bug.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "codec/stream.h"
#include "sbom/report.h"

static void check_line(struct slice s)
{
    BUG_ON(!utf8_is_line(s));
}

static void check(const struct report *report)
{
    BUG_ON(!report->format || report->size_bytes < -1);
    check_line(report->name);
    check_line(report->tag);
    check_line(report->digest);
    check_line(report->os_release);
    check_line(report->architecture);
    for (size_t i = 0; i < report->package_count; i++) {
        BUG_ON(report->packages[i].name.len == 0 || report->packages[i].ecosystem.len == 0);
        check_line(report->packages[i].name);
        check_line(report->packages[i].version);
        check_line(report->packages[i].release);
    }
    for (size_t i = 0; i < report->record_count; i++)
        BUG_ON(report->records[i].name.len == 0);
    for (size_t i = 0; i < report->claim_count; i++) {
        BUG_ON(report->claims[i].package >= report->package_count);
        BUG_ON(report->claims[i].record >= report->record_count);
        check_line(report->claims[i].fixed_version);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {(const char *)data, size};
    struct report report CLEANUP(report_release);
    struct stream *in CLEANUP(stream_cleanup) = NULL;
    struct err err = {0};

    report_init(&report);
    in = stream_open_memory(bytes, &err);
    BUG_ON(!in);
    if (report_read(in, LIMIT_REPORT_BYTES, &report, &err) == 0)
        check(&report);
    else
        BUG_ON(err.code == ERR_NONE || err.message[0] == '\0');
    return 0;
}
