/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archives: paths, links, tags, and an OCI layout beside manifest.json. */
#include "unit.h"

#include "image/image.h"
#include "support/image_make.h"

static struct buf layer, config;
static char config_digest[DIGEST_TEXT_BYTES];

static void put_manifest(
    struct buf *tar, const char *config_path, const char *layers, const char *tags)
{
    struct buf text = BUF_INIT(10000);

    buf_printf(
        &text, "[{\"Config\":\"%s\",\"Layers\":[%s],\"RepoTags\":%s}]", config_path, layers, tags);
    tar_put_file(tar, "./manifest.json", buf_slice(&text));
    buf_release(&text);
}

static struct buf with_config(void)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES);
    char name[100];

    snprintf(name, sizeof(name), "%s.json", config_digest + 7);
    tar_put_file(&tar, name, buf_slice(&config));
    return tar;
}

static void expect(struct buf *tar, size_t count, const char *name, const char *tag)
{
    struct err err;
    struct image_source *source = image_make_open(tar, &err);
    char digest[DIGEST_TEXT_BYTES];

    if (!source)
        fail_msg("%s", err.message);
    assert_int_equal(image_source_kind(source), SOURCE_DOCKER_ARCHIVE);
    assert_int_equal(image_count(source), count);
    for (size_t i = 0; i < count; i++) {
        const struct manifest *image = image_at(source, i);

        assert_slice(image->config_digest, config_digest);
        assert_slice(image->architecture, "amd64");
        assert_int_equal(image->size_bytes, config.len + layer.len);
        assert_int_equal(image->layer_count, 1);
        assert_slice(image->layers[0].diff_id, digest_text(buf_slice(&layer), digest));
    }
    assert_slice(image_at(source, count - 1)->name, name);
    assert_slice(image_at(source, count - 1)->tag, tag);
    image_close(source);
    buf_release(tar);
}

static void expect_refused(struct buf *tar, enum err_code code, const char *says)
{
    struct err err = {ERR_NONE, ""};

    assert_null(image_make_open(tar, &err));
    if (err.code != code || !strstr(err.message, says))
        fail_msg("%d \"%s\" does not say \"%s\"", (int)err.code, err.message, says);
    buf_release(tar);
}

static const char *config_path(void)
{
    static char name[100];

    snprintf(name, sizeof(name), "%s.json", config_digest + 7);
    return name;
}

static void test_forms(void **state)
{
    struct buf tar = with_config();

    (void)state;
    tar_put_file(&tar, "x/layer.tar", buf_slice(&layer));
    put_manifest(&tar, config_path(), "\"x/layer.tar\"", "[\"a/b:1\"]");
    expect(&tar, 1, "a/b", "1");
    /* Several tags; none. */
    tar = with_config();
    tar_put_file(&tar, "x/layer.tar", buf_slice(&layer));
    put_manifest(&tar, config_path(), "\"./x//layer.tar\"", "[\"a:1\",\"host:5000/a:2\"]");
    expect(&tar, 2, "host:5000/a", "2");
    tar = with_config();
    tar_put_file(&tar, "x/layer.tar", buf_slice(&layer));
    put_manifest(&tar, config_path(), "\"x/layer.tar\"", "null");
    expect(&tar, 1, "", "");
    /* Links: to a folder beside, from the root, hard, and two in a row. */
    tar = with_config();
    tar_put_file(&tar, "y/layer.tar", buf_slice(&layer));
    tar_put(&tar, "x/layer.tar", '2', SLICE_NONE, "../y/layer.tar");
    tar_put(&tar, "z/layer.tar", '2', SLICE_NONE, "/x/layer.tar");
    tar_put(&tar, "h/layer.tar", '1', SLICE_NONE, "z/layer.tar");
    put_manifest(&tar, config_path(), "\"h/layer.tar\"", "[\"a:1\"]");
    expect(&tar, 1, "a", "1");
}

static void test_refused(void **state)
{
    struct buf tar = with_config();

    (void)state;
    put_manifest(&tar, config_path(), "\"x/layer.tar\"", "[]");
    expect_refused(&tar, ERR_FORMAT, "manifest.json names x/layer.tar, which is not in the");
    tar = with_config();
    put_manifest(&tar, config_path(), "\"../layer.tar\"", "[]");
    expect_refused(&tar, ERR_FORMAT, "leaves the root");
    tar = with_config();
    put_manifest(&tar, "nothing.json", "", "[]");
    expect_refused(&tar, ERR_FORMAT, "manifest.json names nothing.json");
    tar = with_config();
    put_manifest(&tar, config_path(), "", "[]");
    expect_refused(&tar, ERR_FORMAT, "0 layers, but the config");
    tar = with_config();
    tar_put_file(&tar, "l", buf_slice(&layer));
    put_manifest(&tar, config_path(), "\"l\"", "[\"A B\"]");
    expect_refused(&tar, ERR_FORMAT, "a tag that is no reference");
    tar = with_config();
    tar_put_file(&tar, config_path(), SLICE("{}"));
    put_manifest(&tar, config_path(), "", "[]");
    expect_refused(&tar, ERR_FORMAT, "is damaged: its digest is");
    tar = (struct buf)BUF_INIT(IMAGE_MAKE_BYTES);
    tar_put_file(&tar, "manifest.json", SLICE("[]"));
    expect_refused(&tar, ERR_NOT_FOUND, "there is no image in it");
    tar = (struct buf)BUF_INIT(IMAGE_MAKE_BYTES);
    tar_put_file(&tar, "repositories", SLICE("{}"));
    expect_refused(&tar, ERR_UNSUPPORTED, "Docker before 1.10");
}

/* docker save since 25. */
static void test_with_an_index(void **state)
{
    static const char annotated[] =
        ",\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/a:1\"}";
    struct slice layers[] = {buf_slice(&layer)};
    char path[200], layer_path[200], digest[DIGEST_TEXT_BYTES];

    (void)state;
    snprintf(path, sizeof(path), "blobs/sha256/%s", config_digest + 7);
    digest_text(buf_slice(&layer), digest);
    snprintf(layer_path, sizeof(layer_path), "\"blobs/sha256/%s\"", digest + 7);
    for (int form = 0; form < 3; form++) {
        struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES), descriptor = BUF_INIT(10000);
        struct image_source *source;
        struct err err;

        image_make_oci(&tar, "amd64", layers, 1, form ? "" : annotated, &descriptor);
        image_make_index(&tar, form == 2 ? "" : descriptor.data);
        put_manifest(&tar, path, layer_path, "[\"a:1\"]");
        source = image_make_open(&tar, &err);
        if (!source)
            fail_msg("%s", err.message);
        assert_int_equal(image_source_kind(source), SOURCE_DOCKER_ARCHIVE);
        assert_int_equal(image_count(source), 1);
        assert_slice(image_at(source, 0)->name, "a");
        assert_slice(image_at(source, 0)->tag, "1");
        assert_slice(image_at(source, 0)->config_digest, config_digest);
        assert_slice(image_at(source, 0)->layers[0].digest, digest);
        /* Only an index states the digest of a manifest. */
        assert_true((image_at(source, 0)->digest.len == 0) == (form == 2));
        image_close(source);
        buf_release(&tar);
        buf_release(&descriptor);
    }
}

static int make(void **state)
{
    struct slice layers[1];

    (void)state;
    layer.max = config.max = 100000;
    tar_put_file(&layer, "a", SLICE("b"));
    tar_put_end(&layer);
    layers[0] = buf_slice(&layer);
    image_make_config(&config, "amd64", layers, 1);
    digest_text(buf_slice(&config), config_digest);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    buf_release(&layer);
    buf_release(&config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_with_an_index),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
