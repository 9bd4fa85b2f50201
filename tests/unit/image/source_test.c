/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of layouts and archives share. */
#include "unit.h"

#include "base/limits.h"
#include "image/source.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct image_source source;

static void test_config(void **state)
{
    struct slice diff_ids[] = {SLICE_INIT(DIGEST), SLICE_INIT("x")};
    struct image_config config = {.os = SLICE("linux"),
        .architecture = SLICE("arm"),
        .variant = SLICE("v7"),
        .diff_ids = diff_ids,
        .diff_id_count = 1};
    struct manifest manifest = {.layer_count = 1};
    struct layer layers[2] = {{.size_bytes = 1}, {.size_bytes = 2}};
    struct err err;

    (void)state;
    assert_ok(source_take_config(&source, &config, &manifest, layers, &err));
    assert_slice(manifest.os, "linux");
    assert_slice(manifest.architecture, "arm/v7");
    assert_slice(layers[0].diff_id, DIGEST);
    config.diff_id_count = 2;
    assert_int_equal(source_take_config(&source, &config, &manifest, layers, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    manifest.layer_count = 2;
    assert_int_equal(source_take_config(&source, &config, &manifest, layers, &err), -1);
    assert_non_null(strstr(err.message, "a diff_id that is no SHA-256"));
    config.variant = SLICE_NONE;
    manifest.layer_count = config.diff_id_count = 0;
    assert_ok(source_take_config(&source, &config, &manifest, layers, &err));
    assert_slice(manifest.architecture, "arm");
}

static void test_names(void **state)
{
    struct manifest manifest = {.name = SLICE("before")};
    struct slice digest;
    struct err err;

    (void)state;
    assert_true(source_name(SLICE("host:5000/a/b:1"), &manifest));
    assert_slice(manifest.name, "host:5000/a/b");
    assert_slice(manifest.tag, "1");
    assert_false(source_name(SLICE("a b"), &manifest));
    assert_slice(manifest.name, "host:5000/a/b");
    assert_ok(source_digest(&source, SLICE_NONE, &digest, &err));
    assert_slice(digest, DIGEST);
}

static void test_add(void **state)
{
    struct source_image image = {.manifest = {.size_bytes = 0}};
    struct err err;

    (void)state;
    assert_int_equal(source_check_any(&source, &err), -1);
    assert_string_equal(err.message, "there is no image in it");
    source.missing = 3;
    assert_int_equal(source_check_any(&source, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "3 are not there"));
    for (; image.manifest.size_bytes < LIMIT_IMAGE_MANIFESTS; image.manifest.size_bytes++)
        assert_ok(source_add(&source, &image, &err));
    assert_int_equal(source_add(&source, &image, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    for (size_t i = 0; i < source.count; i++)
        assert_int_equal(source.images[i].manifest.size_bytes, i);
    assert_ok(source_check_any(&source, &err));
}

static int make(void **state)
{
    (void)state;
    arena_init(&source.arena, "the test", LIMIT_IMAGE_MEMORY_BYTES);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    arena_release(&source.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_add),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
