// room: sbom
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_dump FILE [TIMES]: what report_read() makes of a document, as JSON on standard output, for
 * tests that count independently. Exit status 1, with the message on standard error, when it is
 * refused. With TIMES the document is read that often and the speed is shown instead.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/clock.h"
#include "codec/json_writer.h"
#include "codec/stream.h"
#include "sbom/report.h"

enum { MAX_OUTPUT_BYTES = 1 << 30 };

static void write_names(struct json_writer *w, const char *key, const struct names *names)
{
    json_write_key(w, key);
    json_write_begin_array(w);
    for (size_t i = 0; i < names->count; i++)
        json_write_string(w, names->at[i]);
    json_write_end_array(w);
}

static void write_packages(struct json_writer *w, const struct report *report)
{
    json_write_key(w, "packages");
    json_write_begin_array(w);
    for (size_t i = 0; i < report->package_count; i++) {
        const struct package *p = &report->packages[i];

        json_write_begin_object(w);
        json_write_member(w, "ecosystem", p->ecosystem);
        json_write_member_if(w, "release", p->release);
        json_write_member(w, "name", p->name);
        json_write_member(w, "version", p->version);
        json_write_member_if(w, "arch", p->arch);
        json_write_member_if(w, "module", p->module);
        json_write_member_if(w, "source_name", p->source_name);
        json_write_member_if(w, "source_version", p->source_version);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_claims(struct json_writer *w, const struct report *report)
{
    json_write_key(w, "records");
    json_write_begin_array(w);
    for (size_t i = 0; i < report->record_count; i++) {
        json_write_begin_object(w);
        json_write_member(w, "name", report->records[i].name);
        write_names(w, "aliases", &report->records[i].aliases);
        write_names(w, "covers", &report->records[i].covers);
        json_write_end_object(w);
    }
    json_write_end_array(w);
    json_write_key(w, "claims");
    json_write_begin_array(w);
    for (size_t i = 0; i < report->claim_count; i++) {
        const struct report_claim *claim = &report->claims[i];

        json_write_begin_object(w);
        json_write_key(w, "package");
        json_write_i64(w, claim->package);
        json_write_key(w, "record");
        json_write_i64(w, claim->record);
        json_write_member(
            w, "severity", slice_of(words_name(&severity_words, (int)claim->severity)));
        json_write_member_if(w, "fixed_version", claim->fixed_version);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_report(struct json_writer *w, const struct report *report)
{
    json_write_begin_object(w);
    json_write_member(w, "format", slice_of(report->format));
    json_write_key(w, "complete");
    json_write_bool(w, report->complete);
    json_write_key(w, "is_image");
    json_write_bool(w, report->is_image);
    json_write_member(w, "name", report->name);
    json_write_member(w, "tag", report->tag);
    json_write_member(w, "digest", report->digest);
    json_write_member(w, "config_digest", report->config_digest);
    json_write_member(w, "os_release", report->os_release);
    json_write_member(w, "architecture", report->architecture);
    json_write_key(w, "size_bytes");
    json_write_i64(w, report->size_bytes);
    json_write_key(w, "memory_bytes");
    json_write_i64(w, (int64_t)report->arena.used_bytes);
    write_packages(w, report);
    write_claims(w, report);
    json_write_end_object(w);
}

static int read_file(const char *path, struct report *report, struct err *err)
{
    struct stream *in CLEANUP(stream_cleanup) = stream_open_file(path, err);

    return in ? report_read(in, LIMIT_REPORT_BYTES, report, err) : -1;
}

static int dump(const char *path, struct err *err)
{
    struct report report CLEANUP(report_release);
    struct buf out CLEANUP(buf_release) = BUF_INIT(MAX_OUTPUT_BYTES);
    struct json_writer writer;

    report_init(&report);
    if (read_file(path, &report, err) < 0)
        return -1;
    json_writer_init(&writer, &out);
    write_report(&writer, &report);
    if (buf_check(&out, "the dump", err) < 0)
        return -1;
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

static int measure(const char *path, int64_t times, struct err *err)
{
    int64_t start_us = clock_monotonic_us();

    for (int64_t i = 0; i < times; i++) {
        struct report report CLEANUP(report_release);

        report_init(&report);
        if (read_file(path, &report, err) < 0)
            return -1;
    }
    printf("%.1f us each\n", (double)(clock_monotonic_us() - start_us) / (double)times);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    int64_t times = 0;

    if (argc < 2 || argc > 3 || (argc == 3 && !slice_to_i64(slice_of(argv[2]), &times))) {
        fprintf(stderr, "usage: report_dump FILE [TIMES]\n");
        return 2;
    }
    if ((times > 0 ? measure(argv[1], times, &err) : dump(argv[1], &err)) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    return 1;
}
