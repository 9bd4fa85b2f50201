/* SPDX-License-Identifier: Apache-2.0 */
/* careen scan: an image's packages as a table, as JSON, and as SBOMs. */
#include "cli/scanning.h"

#include "api/image_render.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/table.h"
#include "codec/json_writer.h"
#include "sbom/export.h"
#include "sbom/package_purl.h"

#include <stdlib.h>

/* Of a layer, and (in bytes) of a licence: lists of a Debian copyright file fill a screen. */
enum { LAYER_CHARS = 12, LICENCE_BYTES = 40 };

/* "sha256:0123..." as people know it from `docker images`. */
static struct slice short_digest(struct slice digest)
{
    size_t colon = slice_find_char(digest, ':');

    return slice_sub(slice_skip(digest, colon == digest.len ? 0 : colon + 1), 0, LAYER_CHARS);
}

void scan_title(const char *target, const struct scanned_image *image, struct buf *out)
{
    const struct report *report = &image->report;

    if (report->name.len == 0) {
        buf_put_cstr(out, target);
        return;
    }
    buf_put_slice(out, report->name);
    if (report->tag.len) {
        buf_put_char(out, ':');
        buf_put_slice(out, report->tag);
    }
}

/* ---- the table ---- */

static void put_platform(const struct scanned_image *image, struct buf *out)
{
    if (image->report.architecture.len == 0)
        return;
    buf_put_cstr(out, "  ");
    if (image->os.len) {
        buf_put_slice(out, image->os);
        buf_put_char(out, '/');
    }
    buf_put_slice(out, image->report.architecture);
}

/* Names come from anywhere: the line goes through a table's cell. */
static void write_heading(
    const char *target, const struct scanned_image *image, bool colours, struct buf *out)
{
    const struct report *report = &image->report;
    struct buf text CLEANUP(buf_release) = BUF_INIT(LIMIT_REPORT_MEMORY_BYTES);
    struct table table;
    const char *const headings[] = {""};

    scan_title(target, image, &text);
    put_platform(image, &text);
    buf_printf(&text, "  %.*s", SLICE_FMT(report->os_release));
    if (report->os_release.len == 0)
        buf_put_cstr(&text, "unknown distribution");
    buf_printf(&text, "  %zu %s", report->package_count,
        report->package_count == 1 ? "package" : "packages");
    if (report->is_image)
        buf_printf(&text, "  %zu %s", image->layers, image->layers == 1 ? "layer" : "layers");
    table_init(&table, headings, 1);
    table.count = 0;
    table_cell(&table, buf_slice(&text), COLOUR_NONE);
    table_write(&table, colours, out);
    table_release(&table);
}

static void licence_cell(struct table *table, struct slice licence)
{
    struct buf text = BUF_INIT(2 * LICENCE_BYTES);
    size_t len = LICENCE_BYTES;

    if (licence.len <= LICENCE_BYTES) {
        table_cell(table, licence, COLOUR_NONE);
        return;
    }
    while (len && ((unsigned char)licence.ptr[len] & 0xc0) == 0x80)
        len--; /* not within a character */
    buf_put_slice(&text, slice_sub(licence, 0, len));
    buf_put_cstr(&text, "...");
    table_cell(table, buf_slice(&text), COLOUR_NONE);
    buf_release(&text);
}

static void show_table(
    const char *target, const struct scanned_image *image, bool colours, struct buf *out)
{
    static const char *const headings[] = {"NAME", "VERSION", "TYPE", "LAYER", "LICENCE"};
    const struct report *report = &image->report;
    struct table table;

    write_heading(target, image, colours, out);
    if (report->package_count == 0)
        return;
    table_init(&table, headings, sizeof(headings) / sizeof(headings[0]));
    for (size_t i = 0; i < report->package_count; i++) {
        table_cell(&table, report->packages[i].name, COLOUR_NONE);
        table_cell(&table, report->packages[i].version, COLOUR_NONE);
        table_cell(&table, report->packages[i].ecosystem, COLOUR_DIM);
        table_cell(&table, short_digest(image->packages[i].layer), COLOUR_DIM);
        licence_cell(&table, image->packages[i].licence);
    }
    table_write(&table, colours, out);
    table_release(&table);
}

/* ---- JSON ---- */

static void write_package(struct json_writer *w, const struct scanned_image *image, size_t i)
{
    const struct package *package = &image->report.packages[i];
    const struct scanned_package *beside = &image->packages[i];
    struct buf purl CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct err ignored;

    json_write_begin_object(w);
    package_write_members(w, package);
    if (package_to_purl(package, image->report.os_release, &purl, &ignored) == 0)
        json_write_member(w, "purl", buf_slice(&purl));
    json_write_member_if(w, "licence", beside->licence);
    json_write_member_if(w, "layer", beside->layer);
    json_write_member(w, "database", beside->path);
    json_write_end_object(w);
}

static int show_json(
    const char *target, const struct scanned_image *image, struct buf *out, struct err *err)
{
    const struct report *report = &image->report;
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "target", slice_of(target));
    json_write_member_if(&w, "name", report->name);
    json_write_member_if(&w, "version", report->tag);
    json_write_member_if(&w, "digest", report->digest);
    json_write_member_if(&w, "config_digest", report->config_digest);
    json_write_member_if(&w, "platform_os", image->os);
    json_write_member_if(&w, "architecture", report->architecture);
    if (report->size_bytes >= 0)
        json_write_member_u64(&w, "size_bytes", (uint64_t)report->size_bytes);
    json_write_member_if(&w, "os", report->os_release);
    json_write_key(&w, "complete");
    json_write_bool(&w, report->complete);
    json_write_member_u64(&w, "databases", image->databases);
    json_write_member_u64(&w, "layers", image->layers);
    json_write_member_u64(&w, "cached_layers", image->cached_layers);
    json_write_key(&w, "packages");
    json_write_begin_array(&w);
    for (size_t i = 0; i < report->package_count; i++)
        write_package(&w, image, i);
    json_write_end_array(&w);
    json_write_end_object(&w);
    buf_put_char(out, '\n');
    return buf_check(out, "the answer", err);
}

/* ---- SBOMs ---- */

int scan_write_sbom(
    const struct scanned_image *image, enum cli_format format, struct buf *out, struct err *err)
{
    const struct report *report = &image->report;
    struct buf key CLEANUP(buf_release) = BUF_INIT(LIMIT_REPORT_MEMORY_BYTES);
    struct sbom_beside *beside = calloc(report->package_count + 1, sizeof(*beside));
    char id[UUID_TEXT_BYTES];
    struct sbom_image sbom = {.tool_version = CAREEN_VERSION,
        .id = id,
        .name = report->name,
        .tag = report->tag,
        .digest = report->digest,
        .config_digest = report->config_digest,
        .os_release = report->os_release,
        .architecture = report->architecture,
        .size_bytes = report->size_bytes,
        .scanned_ms = clock_now_ms(),
        .complete = report->complete,
        .scanned = true,
        .packages = report->packages,
        .package_count = report->package_count,
        .beside = beside};
    int failed;

    if (!beside)
        return err_nomem(err);
    for (size_t i = 0; i < report->package_count; i++)
        beside[i] = (struct sbom_beside){image->packages[i].licence, image->packages[i].layer};
    buf_printf(&key, "scan %.*s %.*s %.*s %.*s", SLICE_FMT(report->name), SLICE_FMT(report->tag),
        SLICE_FMT(report->digest), SLICE_FMT(report->config_digest));
    uuid5(buf_slice(&key), id);
    failed = (format == FORMAT_SPDX ? sbom_write_spdx : sbom_write_cyclonedx)(&sbom, out, err);
    free(beside);
    return failed;
}

int scan_show(const char *target, const struct scanned_image *image, enum cli_format format,
    struct buf *out, struct err *err)
{
    if (format == FORMAT_CYCLONEDX || format == FORMAT_SPDX)
        return scan_write_sbom(image, format, out, err);
    if (format == FORMAT_JSON)
        return show_json(target, image, out, err);
    show_table(target, image, cli_colours(), out);
    return buf_check(out, "the answer", err);
}
