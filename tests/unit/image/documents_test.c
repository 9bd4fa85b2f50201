/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON documents of images. */
#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "image/documents.h"

static struct arena arena;

static void test_index(void **state)
{
    struct oci_document document;
    struct err err;

    (void)state;
    assert_ok(oci_document_read(
        SLICE(
            "{\"schemaVersion\":2,\"x\":[{}],\"manifests\":[{\"mediaType\":\"m\",\"digest\":\"d\","
            "\"size\":7,\"platform\":{\"os\":\"o\",\"architecture\":\"a\",\"variant\":\"v\","
            "\"os.version\":\"1\"},\"annotations\":{\"org.opencontainers.image.ref.name\":\"r\","
            "\"io.containerd.image.name\":\"n\",\"other\":\"x\"}},{\"annotations\":{"
            "\"vnd.docker.reference.type\":\"attestation-manifest\"},\"urls\":[\"u\"]}]}"),
        &arena, &document, &err));
    assert_true(document.is_index);
    assert_false(document.is_manifest);
    assert_false(document.is_schema1);
    assert_int_equal(document.manifests.count, 2);
    assert_slice(document.manifests.at[0].media_type, "m");
    assert_slice(document.manifests.at[0].digest, "d");
    assert_int_equal(document.manifests.at[0].size, 7);
    assert_slice(document.manifests.at[0].os, "o");
    assert_slice(document.manifests.at[0].architecture, "a");
    assert_slice(document.manifests.at[0].variant, "v");
    assert_slice(document.manifests.at[0].ref_name, "r");
    assert_slice(document.manifests.at[0].image_name, "n");
    assert_false(document.manifests.at[0].is_attestation);
    assert_true(document.manifests.at[1].is_attestation);
    assert_true(document.manifests.at[1].has_urls);
}

static void test_manifest(void **state)
{
    struct oci_document document;
    struct err err;

    (void)state;
    assert_ok(oci_document_read(
        SLICE("{\"config\":{\"digest\":\"c\"},\"layers\":[{\"digest\":\"a\"},{\"digest\":\"b\"}]}"),
        &arena, &document, &err));
    assert_true(document.is_manifest);
    assert_slice(document.config.digest, "c");
    assert_int_equal(document.layers.count, 2);
    assert_slice(document.layers.at[1].digest, "b");
    assert_ok(oci_document_read(SLICE("{\"config\":{}}"), &arena, &document, &err));
    assert_false(document.is_manifest);
    assert_ok(oci_document_read(SLICE("{\"schemaVersion\":1}"), &arena, &document, &err));
    assert_true(document.is_schema1);
    /* Of a key that stands twice, the last. */
    assert_ok(oci_document_read(SLICE("{\"config\":{\"digest\":\"c\",\"size\":5},\"config\":{},"
                                      "\"layers\":[{},{}],\"layers\":[{\"digest\":\"z\"}]}"),
        &arena, &document, &err));
    assert_slice(document.config.digest, "");
    assert_int_equal(document.config.size, 0);
    assert_int_equal(document.layers.count, 1);
    assert_slice(document.layers.at[0].digest, "z");
}

static void test_config(void **state)
{
    struct image_config config;
    struct err err;

    (void)state;
    assert_ok(image_config_read(
        SLICE("{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\",\"rootfs\":{\"type\":"
              "\"layers\",\"diff_ids\":[\"a\",\"b\"]},\"history\":[{}],\"config\":{\"Env\":null}}"),
        &arena, &config, &err));
    assert_slice(config.os, "linux");
    assert_slice(config.architecture, "arm");
    assert_slice(config.variant, "v7");
    assert_int_equal(config.diff_id_count, 2);
    assert_slice(config.diff_ids[1], "b");
    assert_ok(image_config_read(SLICE("{\"rootfs\":null}"), &arena, &config, &err));
    assert_int_equal(config.diff_id_count, 0);
}

static void test_saved(void **state)
{
    struct saved_images saved;
    struct err err;

    (void)state;
    assert_ok(saved_images_read(
        SLICE("[{\"Config\":\"c\",\"Layers\":[\"a\",\"b\"],\"RepoTags\":[\"t\"],\"Parent\":\"p\","
              "\"LayerSources\":{\"x\":{}}},{\"RepoTags\":null}]"),
        &arena, &saved, &err));
    assert_int_equal(saved.count, 2);
    assert_slice(saved.at[0].config, "c");
    assert_int_equal(saved.at[0].layer_count, 2);
    assert_slice(saved.at[0].layers[1], "b");
    assert_slice(saved.at[0].tags[0], "t");
    assert_int_equal(saved.at[1].tag_count, 0);
    assert_ok(saved_images_read(SLICE("null"), &arena, &saved, &err));
    assert_int_equal(saved.count, 0);
}

/* An array of `count` times `element` behind `start`, `end` behind it. */
static void expect_limit(const char *start, const char *element, size_t count, const char *end,
    int (*read)(struct slice json, struct err *err))
{
    for (size_t more = 0; more < 2; more++) {
        struct buf text = BUF_INIT(1 << 20);
        struct err err = {ERR_NONE, ""};

        buf_put_cstr(&text, start);
        for (size_t i = 0; i < count + more; i++)
            buf_printf(&text, "%s%s", i ? "," : "", element);
        buf_put_cstr(&text, end);
        assert_int_equal(read(buf_slice(&text), &err), more ? -1 : 0);
        assert_int_equal(err.code, more ? ERR_LIMIT : ERR_NONE);
        buf_release(&text);
        arena_reset(&arena);
    }
}

static int read_oci(struct slice json, struct err *err)
{
    struct oci_document document;

    return oci_document_read(json, &arena, &document, err);
}

static int read_config(struct slice json, struct err *err)
{
    struct image_config config;

    return image_config_read(json, &arena, &config, err);
}

static int read_saved(struct slice json, struct err *err)
{
    struct saved_images saved;

    return saved_images_read(json, &arena, &saved, err);
}

static void test_ceilings(void **state)
{
    (void)state;
    expect_limit("{\"manifests\":[", "{}", LIMIT_IMAGE_MANIFESTS, "]}", read_oci);
    expect_limit("{\"layers\":[", "{}", LIMIT_IMAGE_LAYERS, "]}", read_oci);
    expect_limit("{\"rootfs\":{\"diff_ids\":[", "\"\"", LIMIT_IMAGE_LAYERS, "]}}", read_config);
    expect_limit("[", "{}", LIMIT_IMAGE_MANIFESTS, "]", read_saved);
    expect_limit("[{\"Layers\":[", "\"\"", LIMIT_IMAGE_LAYERS, "]}]", read_saved);
    expect_limit("[{\"RepoTags\":[", "\"\"", LIMIT_IMAGE_MANIFESTS, "]}]", read_saved);
}

static void test_wrong_types(void **state)
{
    static const struct {
        int (*read)(struct slice json, struct err *err);
        const char *text;
        enum err_code code;
    } cases[] = {
        {read_oci, "", ERR_FORMAT},
        {read_oci, "[]", ERR_INVALID},
        {read_oci, "{\"manifests\":{}}", ERR_INVALID},
        {read_oci, "{\"manifests\":[1]}", ERR_INVALID},
        {read_oci, "{\"manifests\":[{\"size\":-1}]}", ERR_INVALID},
        {read_oci, "{\"manifests\":[{\"size\":1.5}]}", ERR_INVALID},
        {read_oci, "{\"manifests\":[{\"digest\":1}]}", ERR_INVALID},
        {read_oci, "{\"config\":[]}", ERR_INVALID},
        {read_oci, "{}x", ERR_FORMAT},
        {read_config, "{\"rootfs\":[]}", ERR_INVALID},
        {read_config, "{\"rootfs\":{\"diff_ids\":[1]}}", ERR_INVALID},
        {read_config, "{\"os\":{}}", ERR_INVALID},
        {read_saved, "{}", ERR_INVALID},
        {read_saved, "[{\"Layers\":\"x\"}]", ERR_INVALID},
        {read_saved, "[{\"Config\":[]}]", ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {ERR_NONE, ""};

        if (cases[i].read(slice_of(cases[i].text), &err) == 0)
            fail_msg("%s was taken", cases[i].text);
        if (err.code != cases[i].code)
            fail_msg("%s: %d %s", cases[i].text, (int)err.code, err.message);
    }
}

static int make(void **state)
{
    (void)state;
    arena_init(&arena, "the test", LIMIT_IMAGE_MEMORY_BYTES);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_wrong_types),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
