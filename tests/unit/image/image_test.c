/* SPDX-License-Identifier: Apache-2.0 */
/* Opening targets of every kind, platforms, and reading layers through a source. */
#include "unit.h"

#include "image/image.h"
#include "support/image_make.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static struct buf layer;
static char folder[] = "/tmp/image-test-XXXXXX";

static int count_entry(
    void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    (void)entry;
    (void)err;
    *ret_wanted = false;
    ++*(size_t *)ctx;
    return 0;
}

static int no_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    (void)ctx;
    (void)entry;
    (void)content;
    return err_set(err, ERR_BUSY, "nobody asked");
}

static int read_layer(
    struct image_source *source, size_t image, size_t *ret_entries, struct err *err)
{
    struct layer_visitor visitor = {
        .entry = count_entry, .content = no_content, .ctx = ret_entries};

    *ret_entries = 0;
    return image_read_layer(source, image_at(source, image), 0, &visitor, err);
}

static struct image_source *open_for(const char *target, const char *platform, struct err *err)
{
    struct source_options options = {.platform = slice_of(platform), .scratch_fd = -1};

    return image_open(target, &options, err);
}

static void expect_refused(
    const char *target, const char *platform, enum err_code code, const char *says)
{
    struct err err = {ERR_NONE, ""};

    assert_null(open_for(target, platform, &err));
    if (err.code != code || !strstr(err.message, says))
        fail_msg("%d \"%s\" does not say \"%s\"", (int)err.code, err.message, says);
}

/* An OCI layout with an image for each of two platforms. */
static int make_layout(char path[64])
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES), list = BUF_INIT(10000);
    struct slice layers[] = {buf_slice(&layer)};
    int fd;

    image_make_oci(&tar, "amd64", layers, 1, "", &list);
    buf_put_char(&list, ',');
    image_make_oci(&tar, "arm64", layers, 1, "", &list);
    image_make_index(&tar, list.data);
    tar_put_end(&tar);
    fd = image_make_file(&tar, path);
    buf_release(&tar);
    buf_release(&list);
    return fd;
}

static void test_platforms(void **state)
{
    char path[64];
    int fd = make_layout(path);
    struct image_source *source;
    struct err err;
    size_t entries;

    (void)state;
    source = open_for(path, "", &err);
    assert_int_equal(image_count(source), 2);
    image_close(source);
    source = open_for(path, "linux/arm64", &err);
    assert_int_equal(image_count(source), 1);
    assert_slice(image_at(source, 0)->architecture, "arm64");
    assert_ok(read_layer(source, 0, &entries, &err));
    assert_int_equal(entries, 1);
    image_close(source);
    expect_refused(path, "linux/s390x", ERR_NOT_FOUND,
        "there is no image for linux/s390x; there is linux/amd64, linux/arm64");
    expect_refused(path, "x/y/z", ERR_INVALID, "\"x/y/z\" is no platform");
    close(fd);
}

static void test_words_in_front(void **state)
{
    static const char *const words[] = {"", "oci:", "oci-archive:", "oci-dir:"};
    char path[64], target[128];
    int fd = make_layout(path);
    struct image_source *source;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        snprintf(target, sizeof(target), "%s%s", words[i], path);
        assert_string_equal(image_target_path(target), path);
        source = open_for(target, "", &err);
        assert_int_equal(image_source_kind(source), SOURCE_OCI_LAYOUT);
        image_close(source);
    }
    snprintf(target, sizeof(target), "dir:%s", path);
    expect_refused(target, "", ERR_INVALID, "it is a file, and no folder");
    snprintf(target, sizeof(target), "docker-archive:%s", path);
    expect_refused(target, "", ERR_FORMAT, "there is no manifest.json");
    snprintf(target, sizeof(target), "docker-archive:%s", folder);
    expect_refused(target, "", ERR_INVALID, "it is a folder");
    snprintf(target, sizeof(target), "oci:%s", folder);
    expect_refused(target, "", ERR_FORMAT, "there is no index.json");
    close(fd);
}

static void test_folder(void **state)
{
    char path[128];
    struct image_source *source;
    struct err err;
    size_t entries;

    (void)state;
    snprintf(path, sizeof(path), "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    source = open_for(folder, "", &err);
    assert_int_equal(image_source_kind(source), SOURCE_FOLDER);
    assert_int_equal(image_count(source), 1);
    assert_int_equal(image_at(source, 0)->layer_count, 1);
    assert_ok(read_layer(source, 0, &entries, &err));
    assert_int_equal(entries, 1);
    assert_ok(read_layer(source, 0, &entries, &err));
    assert_int_equal(entries, 1);
    image_close(source);
    expect_refused(folder, "linux", ERR_NOT_FOUND, "there is none that says its platform");
    assert_int_equal(rmdir(path), 0);
}

static void test_no_images(void **state)
{
    char path[128];
    struct buf bytes = BUF_INIT(10000);
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "%s/none", folder);
    expect_refused(path, "", ERR_NOT_FOUND, "cannot open");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(path, "", ERR_INVALID, "is neither a file nor a folder");
    assert_int_equal(unlink(path), 0);
    expect_refused("/dev/null", "", ERR_INVALID, "is neither a file nor a folder");
    fd = image_make_file(&bytes, path);
    expect_refused(path, "", ERR_UNSUPPORTED, "it is no tar: too short");
    close(fd);
    tar_put_file(&bytes, "etc/passwd", SLICE_NONE);
    fd = image_make_file(&bytes, path);
    expect_refused(path, "", ERR_UNSUPPORTED, "neither a docker-archive nor an OCI layout");
    close(fd);
    memset(bytes.data, 'x', bytes.len);
    fd = image_make_file(&bytes, path);
    expect_refused(path, "", ERR_UNSUPPORTED, "it is no tar");
    close(fd);
    buf_release(&bytes);
    image_close(NULL);
}

static void *read_many(void *ctx)
{
    struct err err;
    size_t entries;

    for (int i = 0; i < 20; i++)
        if (read_layer(ctx, (size_t)i % 2, &entries, &err) != 0 || entries != 1)
            return ctx;
    return NULL;
}

static void test_threads(void **state)
{
    char path[64];
    int fd = make_layout(path);
    struct err err;
    struct image_source *source = open_for(path, "", &err);
    pthread_t threads[3];
    void *failed;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, source), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    image_close(source);
    close(fd);
}

static int make(void **state)
{
    (void)state;
    layer.max = 100000;
    tar_put_file(&layer, "a", SLICE("b"));
    tar_put_end(&layer);
    return mkdtemp(folder) ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    buf_release(&layer);
    return rmdir(folder);
}

/* The tar comes through a pipe; what is no tar, and no input at all, is refused. */
static void test_standard_input(void **state)
{
    struct source_options options = {.scratch_fd = open("/tmp", O_RDONLY | O_DIRECTORY)};
    struct err err = {0};
    int ends[2];

    (void)state;
    assert_true(image_target_is_input("-"));
    assert_true(image_target_is_input("docker-archive:-"));
    assert_false(image_target_is_input("./-"));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "no tar", 6), 6);
    close(ends[1]);
    options.input_fd = ends[0];
    assert_null(image_open("-", &options, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "standard input"));
    assert_int_equal(close(ends[0]), 0);
    options.input_fd = -1;
    assert_null(image_open("-", &options, &err));
    assert_non_null(strstr(err.message, "standard input"));
    close(options.scratch_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_platforms),
        cmocka_unit_test(test_words_in_front),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_no_images),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
