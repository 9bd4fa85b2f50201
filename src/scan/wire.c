/* SPDX-License-Identifier: Apache-2.0 */
/* See wire.h. An image: what its manifest says, the diff_ids of its layers, a payload of facts.h
 * with all its packages, and for each the layer and the database. */
#include "scan/wire.h"

#include "base/cleanup.h"
#include "base/limits.h"

#include <stdlib.h>

static int nonsense(struct err *err)
{
    return err_set(err, ERR_FORMAT, "the process that reads the image talks nonsense");
}

/* ---- frames ---- */

void frame_head(enum frame_type type, size_t len, unsigned char dst[FRAME_HEAD_BYTES])
{
    dst[0] = (unsigned char)type;
    for (unsigned i = 0; i < 4; i++)
        dst[1 + i] = (unsigned char)(len >> (8 * i));
}

int frame_next(struct slice *bytes, enum frame_type *ret_type, struct slice *ret, struct err *err)
{
    const unsigned char *head = (const unsigned char *)bytes->ptr;
    size_t len = 0;

    if (bytes->len < FRAME_HEAD_BYTES)
        return 0;
    for (unsigned i = 0; i < 4; i++)
        len |= (size_t)head[1 + i] << (8 * i);
    if (head[0] >= FRAME_TYPES || len > LIMIT_SCAN_FRAME_BYTES)
        return nonsense(err);
    if (bytes->len - FRAME_HEAD_BYTES < len)
        return 0;
    *ret_type = (enum frame_type)head[0];
    *ret = slice_sub(*bytes, FRAME_HEAD_BYTES, len);
    *bytes = slice_skip(*bytes, FRAME_HEAD_BYTES + len);
    return 1;
}

/* ---- errors ---- */

void error_encode(const struct err *error, struct buf *out)
{
    pack_number(out, error->code);
    pack_text(out, slice_of(error->message));
}

void error_decode(struct slice bytes, struct err *ret)
{
    struct unpack in = {.rest = bytes};
    enum err_code code = (enum err_code)unpack_up_to(&in, ERR_CODE_COUNT - 1);
    struct slice message = unpack_text(&in);

    if (in.failed || code == ERR_NONE)
        nonsense(ret);
    else
        err_set(ret, code, "%.*s", SLICE_FMT(message));
}

/* ---- an image: writing ---- */

/* Packages in the shape that layer_facts_pack_inventory() takes. */
static int pack_packages(struct layering *layering, struct buf *out, struct err *err)
{
    struct buf payload CLEANUP(buf_release) = BUF_INIT(LIMIT_SCAN_FRAME_BYTES);
    struct inventory all = {.os_release = layering_release(layering)};
    int failed;

    all.package_count = layering_package_count(layering);
    all.packages = calloc(all.package_count + 1, sizeof(*all.packages));
    if (!all.packages)
        return err_nomem(err);
    for (size_t i = 0; i < all.package_count; i++)
        all.packages[i] = layering_package(layering, i)->found;
    failed = layer_facts_pack_inventory(&payload, &all, err);
    free(all.packages);
    pack_text(out, buf_slice(&payload));
    return failed;
}

int image_encode(const struct found_image *image, struct buf *out, struct err *err)
{
    const struct manifest *manifest = image->manifest;
    const struct slice texts[] = {manifest->name, manifest->tag, manifest->digest,
        manifest->config_digest, manifest->os, manifest->architecture};
    size_t count = layering_package_count(image->layering);
    struct slice ignored;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        pack_text(out, texts[i]);
    pack_number(out, image->kind != SOURCE_FOLDER);
    pack_number(out, manifest->size_bytes);
    pack_number(out, layering_databases(image->layering, &ignored));
    pack_number(out, image->cached_layers);
    pack_number(out, manifest->layer_count);
    for (size_t i = 0; i < manifest->layer_count; i++)
        pack_text(out, manifest->layers[i].diff_id);
    if (pack_packages(image->layering, out, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct layering_package *package = layering_package(image->layering, i);

        pack_number(out, package->layer);
        pack_text(out, package->path);
    }
    return buf_check(out, "what is found in one image (LIMIT_SCAN_FRAME_BYTES)", err);
}

/* ---- an image: reading ---- */

static int take_head(struct unpack *in, struct scanned_image *image, struct err *err)
{
    struct report *report = &image->report;
    struct slice *const texts[] = {&report->name, &report->tag, &report->digest,
        &report->config_digest, &image->os, &report->architecture};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (report_text(report, unpack_text(in), texts[i], err) < 0)
            return -1;
    report->is_image = unpack_up_to(in, 1) != 0;
    report->size_bytes = (int64_t)unpack_up_to(in, INT64_MAX);
    image->databases = (size_t)unpack_up_to(in, LIMIT_LAYER_FACTS);
    image->cached_layers = (size_t)unpack_up_to(in, LIMIT_IMAGE_LAYERS);
    image->layers = (size_t)unpack_up_to(in, LIMIT_IMAGE_LAYERS);
    if (!report->is_image)
        report->size_bytes = -1;
    return in->failed ? nonsense(err) : 0;
}

/* *ret: one text for each layer, in the report's arena. */
static int take_layers(
    struct unpack *in, struct scanned_image *image, struct slice **ret, struct err *err)
{
    struct slice *layers =
        arena_alloc_array(&image->report.arena, image->layers + 1, sizeof(*layers), err);

    if (!layers)
        return -1;
    for (size_t i = 0; i < image->layers; i++)
        if (report_text(&image->report, unpack_text(in), &layers[i], err) < 0)
            return -1;
    *ret = layers;
    return in->failed ? nonsense(err) : 0;
}

static int take_package(
    struct report *report, const struct found_package *found, uint32_t *ret, struct err *err)
{
    struct package package = found->package;
    struct slice *const texts[] = {&package.ecosystem, &package.name, &package.version,
        &package.arch, &package.module, &package.source_name, &package.source_version};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (report_text(report, *texts[i], texts[i], err) < 0)
            return -1;
    return report_add_package(report, &package, ret, err);
}

/* The packages of the payload, and behind it layer and database of each. */
static int take_packages(struct unpack *in, const struct slice *layers, struct told *told,
    struct scanned_image *image, struct err *err)
{
    struct report *report = &image->report;
    struct found_package found;

    image->packages =
        arena_alloc_array(&report->arena, told->packages + 1, sizeof(*image->packages), err);
    if (!image->packages)
        return -1;
    while (told_package(told, &found)) {
        size_t before = report->package_count;
        struct scanned_package beside = {0};
        uint64_t layer = unpack_number(in);
        struct slice path = unpack_text(in);
        uint32_t at;

        if (in->failed || layer >= image->layers)
            return nonsense(err);
        beside.layer = layers[layer];
        if (take_package(report, &found, &at, err) < 0 ||
            report_text(report, path, &beside.path, err) < 0 ||
            report_text(report, found.licence, &beside.licence, err) < 0)
            return -1;
        /* Two databases may list one package: the first one stands. */
        if (report->package_count > before)
            image->packages[at] = beside;
    }
    return told->in.failed || in->failed || in->rest.len ? nonsense(err) : 0;
}

static int decode(struct slice bytes, struct scanned_image *image, struct err *err)
{
    struct unpack in = {.rest = bytes};
    struct slice *layers, release;
    struct told told;

    if (take_head(&in, image, err) < 0 || take_layers(&in, image, &layers, err) < 0 ||
        told_begin(unpack_text(&in), &image->report.arena, &told, err) < 0 ||
        take_packages(&in, layers, &told, image, err) < 0 ||
        report_text(&image->report, told.os_release, &release, err) < 0)
        return -1;
    /* Without a release no advisory can be told to be about the packages: not all is known. */
    image->report.complete = image->databases > 0 && release.len > 0;
    return report_set_release(&image->report, release, err);
}

int image_decode(struct slice bytes, struct scanned_image *ret, struct err *err)
{
    struct scanned_image image = {0};

    report_init(&image.report);
    image.report.format = "careen";
    image.report.source = SOURCE_CAREEN;
    if (decode(bytes, &image, err) < 0) {
        report_release(&image.report);
        return -1;
    }
    *ret = image;
    return 0;
}

void scanned_image_release(struct scanned_image *image)
{
    report_release(&image->report);
}
