/* SPDX-License-Identifier: Apache-2.0 */
#include "scan/make_facts.h"

#include "scan/wire.h"

static struct layering *make_layering(void)
{
    struct layer_facts facts;
    struct err err = {0};
    struct layering *layering = layering_new(&err);

    layer_facts_init(&facts);
    add_file(&facts, STATUS, "bash 5.2", "sed 4.9");
    add_file(&facts, "etc/os-release", "release debian-12");
    add_file(&facts, "usr/share/doc/sed/copyright", "licence sed GPL-3+");
    layer_facts_settle(&facts);
    assert_ok(layering_add(layering, 1, &facts, &err));
    assert_ok(layering_finish(layering, &err));
    layer_facts_release(&facts);
    return layering;
}

static const struct layer layers[] = {
    {.diff_id = SLICE_INIT("sha256:one")}, {.diff_id = SLICE_INIT("sha256:two")}};
static const struct manifest manifest = {.name = SLICE_INIT("shop/web"),
    .tag = SLICE_INIT("1.0"),
    .digest = SLICE_INIT("sha256:manifest"),
    .config_digest = SLICE_INIT("sha256:config"),
    .os = SLICE_INIT("linux"),
    .architecture = SLICE_INIT("amd64"),
    .size_bytes = 1234,
    .layers = layers,
    .layer_count = 2};

static void encode(enum source_kind kind, struct buf *bytes)
{
    struct found_image image = {
        .manifest = &manifest, .kind = kind, .layering = make_layering(), .cached_layers = 1};
    struct err err = {0};

    assert_ok(image_encode(&image, bytes, &err));
    layering_free(image.layering);
}

static void test_an_image(void **state)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(65536);
    struct scanned_image image;
    struct err err = {0};

    (void)state;
    encode(SOURCE_OCI_LAYOUT, &bytes);
    assert_ok(image_decode(buf_slice(&bytes), &image, &err));
    assert_slice(image.report.name, "shop/web");
    assert_slice(image.report.tag, "1.0");
    assert_slice(image.report.digest, "sha256:manifest");
    assert_slice(image.report.config_digest, "sha256:config");
    assert_slice(image.report.architecture, "amd64");
    assert_slice(image.report.os_release, "debian-12");
    assert_slice(image.os, "linux");
    assert_int_equal(image.report.size_bytes, 1234);
    assert_int_equal(image.report.source, SOURCE_CAREEN);
    assert_true(image.report.is_image);
    assert_true(image.report.complete);
    assert_int_equal(image.databases, 1);
    assert_int_equal(image.layers, 2);
    assert_int_equal(image.cached_layers, 1);
    assert_int_equal(image.report.package_count, 2);
    assert_slice(image.report.packages[1].name, "sed");
    assert_slice(image.report.packages[1].release, "debian-12");
    assert_slice(image.packages[1].licence, "GPL-3+");
    assert_slice(image.packages[1].layer, "sha256:two");
    assert_slice(image.packages[1].path, STATUS);
    scanned_image_release(&image);
}

static void test_a_folder(void **state)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(65536);
    struct scanned_image image;
    struct err err = {0};

    (void)state;
    encode(SOURCE_FOLDER, &bytes);
    assert_ok(image_decode(buf_slice(&bytes), &image, &err));
    assert_false(image.report.is_image);
    assert_int_equal(image.report.size_bytes, -1);
    scanned_image_release(&image);
}

/* Whatever the child says: an error, or an image that holds together. */
static void test_every_cut_and_changed_byte(void **state)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(65536);
    struct scanned_image image;
    struct err err = {0};

    (void)state;
    encode(SOURCE_OCI_LAYOUT, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(image_decode(slice_sub(buf_slice(&bytes), 0, len), &image, &err), -1);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= 0x41;
        if (image_decode(buf_slice(&bytes), &image, &err) == 0)
            scanned_image_release(&image);
        bytes.data[i] ^= 0x41;
    }
}

static void test_frames(void **state)
{
    unsigned char bytes[FRAME_HEAD_BYTES + 3] = {0};
    struct slice rest = {(const char *)bytes, 0}, body;
    enum frame_type type;
    struct err err = {0};

    (void)state;
    frame_head(FRAME_PROGRESS, 3, bytes);
    for (; rest.len < sizeof(bytes); rest.len++)
        assert_int_equal(frame_next(&rest, &type, &body, &err), 0);
    assert_int_equal(frame_next(&rest, &type, &body, &err), 1);
    assert_int_equal(type, FRAME_PROGRESS);
    assert_int_equal(body.len, 3);
    assert_int_equal(rest.len, 0);
    rest = (struct slice){(const char *)bytes, sizeof(bytes)};
    bytes[0] = FRAME_TYPES;
    assert_int_equal(frame_next(&rest, &type, &body, &err), -1);
    frame_head(FRAME_PROGRESS, 0x7fffffff, bytes);
    assert_int_equal(frame_next(&rest, &type, &body, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
}

static void test_errors(void **state)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(4096);
    struct err err = {0}, read = {0};

    (void)state;
    err_set(&err, ERR_LIMIT, "too much");
    error_encode(&err, &bytes);
    error_decode(buf_slice(&bytes), &read);
    assert_int_equal(read.code, ERR_LIMIT);
    assert_string_equal(read.message, "too much");
    error_decode(SLICE("\xff"), &read);
    assert_int_equal(read.code, ERR_FORMAT);
    error_decode(SLICE("\x00\x00"), &read); /* an error that is none */
    assert_int_equal(read.code, ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image),
        cmocka_unit_test(test_a_folder),
        cmocka_unit_test(test_every_cut_and_changed_byte),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
