/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts: what an index leads to, what is left out, what is refused. */
#include "unit.h"

#include "image/image.h"
#include "support/image_make.h"

static struct buf layer;

static void expect_refused(struct buf *tar, enum err_code code, const char *says)
{
    struct err err = {ERR_NONE, ""};

    assert_null(image_make_open(tar, &err));
    if (err.code != code || !strstr(err.message, says))
        fail_msg("%d \"%s\" does not say \"%s\"", (int)err.code, err.message, says);
    buf_release(tar);
}

static struct buf put_image(struct buf *tar, const char *architecture, const char *more)
{
    struct buf descriptor = BUF_INIT(10000);
    struct slice layers[] = {buf_slice(&layer)};

    image_make_oci(tar, architecture, layers, 1, more, &descriptor);
    return descriptor;
}

static void test_images(void **state)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES), list = BUF_INIT(10000), index = BUF_INIT(10000);
    struct buf first = put_image(&tar, "amd64", "");
    struct buf second = put_image(&tar, "arm64",
        ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"registry.test/x:1\"}");
    const struct manifest *image;
    char digest[DIGEST_TEXT_BYTES];
    struct image_source *source;
    struct err err;

    (void)state;
    buf_printf(&index, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", first.data, second.data);
    image_make_blob(&tar, buf_slice(&index), OCI_INDEX,
        ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"2\"}", &list);
    image_make_index(&tar, list.data);
    source = image_make_open(&tar, &err);
    if (!source)
        fail_msg("%s", err.message);
    assert_int_equal(image_source_kind(source), SOURCE_OCI_LAYOUT);
    assert_int_equal(image_count(source), 2);
    image = image_at(source, 0);
    assert_slice(image->name, "");
    assert_slice(image->tag, "2");
    assert_slice(image->os, "linux");
    assert_slice(image->architecture, "amd64");
    assert_int_equal(image->layer_count, 1);
    assert_slice(image->layers[0].digest, digest_text(buf_slice(&layer), digest));
    assert_slice(image->layers[0].diff_id, digest);
    assert_int_equal(image->layers[0].size_bytes, layer.len);
    assert_true(strstr(first.data, image->digest.ptr) != NULL);
    assert_slice(image_at(source, 1)->name, "registry.test/x");
    assert_slice(image_at(source, 1)->tag, "1");
    image_close(source);
    buf_release(&tar);
    buf_release(&list);
    buf_release(&index);
    buf_release(&first);
    buf_release(&second);
}

static void test_left_out(void **state)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES), list = BUF_INIT(10000);
    struct buf unknown =
        put_image(&tar, "amd64", ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}");
    struct buf attested = put_image(
        &tar, "amd64", ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}");

    (void)state;
    buf_printf(&list,
        "%s,%s,{\"mediaType\":\"a/b\",\"digest\":\"x\",\"size\":1},"
        "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"sha256:%064d\",\"size\":1}",
        unknown.data, attested.data, 0);
    image_make_index(&tar, list.data);
    expect_refused(&tar, ERR_NOT_FOUND, "there is no image in it: of what it lists, 1 are not");
    buf_release(&list);
    buf_release(&unknown);
    buf_release(&attested);
}

static void refuse_index(const char *descriptor, enum err_code code, const char *says)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES);

    image_make_index(&tar, descriptor);
    expect_refused(&tar, code, says);
}

static void refuse_document(const char *text, enum err_code code, const char *says)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES), list = BUF_INIT(10000);

    image_make_blob(&tar, slice_of(text), OCI_MANIFEST, "", &list);
    image_make_index(&tar, list.data);
    expect_refused(&tar, code, says);
    buf_release(&list);
}

static void test_refused(void **state)
{
    (void)state;
    refuse_index("", ERR_NOT_FOUND, "there is no image in it");
    refuse_index("{", ERR_FORMAT, "index.json");
    refuse_index("{\"mediaType\":\"\",\"digest\":\"sha256:x\",\"size\":1}", ERR_FORMAT,
        "a digest that is no SHA-256");
    refuse_index("{\"digest\":\"sha512:x\",\"size\":1}", ERR_UNSUPPORTED, "SHA-512");
    refuse_index("{\"digest\":\"\",\"size\":-1}", ERR_INVALID, "a size below 0");
    refuse_document("{}", ERR_FORMAT, "it is neither an index nor a manifest");
    refuse_document("[]", ERR_INVALID, "object");
    refuse_document("{\"schemaVersion\":1,\"fsLayers\":[]}", ERR_UNSUPPORTED, "first manifest");
    refuse_document("{\"schemaVersion\":2,\"config\":{},\"layers\":[]}", ERR_FORMAT,
        "a digest that is no SHA-256");
    refuse_document("{\"schemaVersion\":2,\"config\":{\"digest\":"
                    "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"},"
                    "\"layers\":[]}",
        ERR_FORMAT, "is not there");
}

static int make_layer(void **state)
{
    (void)state;
    layer.max = 100000;
    tar_put_file(&layer, "a", SLICE("b"));
    tar_put_end(&layer);
    return 0;
}

static int free_layer(void **state)
{
    (void)state;
    buf_release(&layer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, make_layer, free_layer);
}
