/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a folder and of an archive, opened alike. */
#include "unit.h"

#include "base/limits.h"
#include "image/place.h"
#include "support/image_make.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/place-test-XXXXXX";

static void path_in(const char *name, char dst[128])
{
    snprintf(dst, 128, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text, off_t size)
{
    char path[128];
    int fd;

    path_in(name, path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static struct place folder_place(void)
{
    return (struct place){
        .folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .name = "the folder"};
}

static struct place archive_place(void)
{
    struct buf tar = BUF_INIT(IMAGE_MAKE_BYTES);
    struct place place = {.folder_fd = -1, .name = "the archive"};
    char path[64];
    struct err err;

    tar_put_file(&tar, "a", SLICE("text"));
    tar_put_file(&tar, "d/e/b", SLICE("deep"));
    tar_put_file(&tar, "empty", SLICE_NONE);
    place.archive = archive_open(image_make_file(&tar, path), place.name, -1, &err);
    assert_non_null(place.archive);
    buf_release(&tar);
    return place;
}

static void expect_text(const struct place *place, const char *path, const char *text)
{
    struct buf out = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    bool found = false;
    struct err err;

    buf_put_cstr(&out, "what was there");
    assert_ok(place_read(place, slice_of(path), &found, &out, &err));
    assert_true(found);
    assert_slice(buf_slice(&out), text);
    buf_release(&out);
}

static void test_read(void **state)
{
    struct place places[] = {folder_place(), archive_place()};
    struct place_file file = {.fd = -1};
    struct err err;
    bool found;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        expect_text(&places[i], "a", "text");
        expect_text(&places[i], "d/e/b", "deep");
        expect_text(&places[i], "empty", "");
        assert_ok(place_open(&places[i], SLICE("d/x/b"), &found, &file, &err));
        assert_false(found);
        assert_ok(place_open(&places[i], SLICE("x"), &found, &file, &err));
        assert_false(found);
        place_release(&places[i]);
        place_release(&places[i]);
    }
}

static void expect_refused(const struct place *place, const char *path, enum err_code code)
{
    struct place_file file = {.fd = -1};
    bool found = false;
    struct err err = {ERR_NONE, ""};

    if (place_open(place, slice_of(path), &found, &file, &err) == 0)
        fail_msg("%s was opened", path);
    assert_int_equal(err.code, code);
    assert_false(found);
}

static void test_links_and_others(void **state)
{
    struct place place = folder_place();
    struct buf out = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    char link[128], pipe_path[128], name[400];
    bool found;
    struct err err;

    (void)state;
    path_in("link", link);
    path_in("pipe", pipe_path);
    assert_int_equal(symlink("a", link), 0);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    expect_refused(&place, "link", ERR_FORMAT);
    expect_refused(&place, "pipe", ERR_FORMAT);
    expect_refused(&place, "d", ERR_FORMAT);
    expect_refused(&place, "a/b", ERR_FORMAT);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("d", link), 0);
    expect_refused(&place, "link/e/b", ERR_FORMAT);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    expect_refused(&place, name, ERR_IO);
    write_file("large", "", LIMIT_IMAGE_DOCUMENT_BYTES + 1);
    assert_int_equal(place_read(&place, SLICE("large"), &found, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_release(&out);
    place_release(&place);
}

static int make(void **state)
{
    char path[128];

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    path_in("d", path);
    mkdir(path, 0700);
    path_in("d/e", path);
    mkdir(path, 0700);
    write_file("a", "text", 4);
    write_file("d/e/b", "deep", 4);
    write_file("empty", "", 0);
    return 0;
}

static int unmake(void **state)
{
    static const char *const names[] = {
        "a", "d/e/b", "empty", "link", "pipe", "large", "d/e", "d", ""};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path_in(names[i], path);
        if (remove(path) != 0)
            return -1;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_links_and_others),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
