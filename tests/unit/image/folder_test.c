/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a root folder: kinds, contents, depth, and what changes meanwhile. */
#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "image/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/folder-test-XXXXXX";
static int folder_fd = -1;

struct seen {
    struct buf log;
    const char *remove;  /* when it is told of, it is removed */
    const char *replace; /* when it is told of, it becomes a link */
    bool want;
    bool (*enters)(void *ctx, struct slice path);
};

static int on_entry(void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    struct seen *seen = ctx;

    (void)err;
    buf_printf(&seen->log, "[%d %.*s>%.*s %llu]", (int)entry->type, SLICE_FMT(entry->path),
        SLICE_FMT(entry->target), (unsigned long long)entry->size);
    *ret_wanted = seen->want;
    if (seen->remove && slice_is(entry->path, seen->remove))
        assert_int_equal(
            unlinkat(folder_fd, seen->remove, entry->type == ENTRY_FOLDER ? AT_REMOVEDIR : 0), 0);
    if (seen->replace && slice_is(entry->path, seen->replace)) {
        assert_int_equal(unlinkat(folder_fd, seen->replace, 0), 0);
        assert_int_equal(symlinkat("/etc/passwd", folder_fd, seen->replace), 0);
    }
    return 0;
}

static int on_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    struct seen *seen = ctx;
    char bytes[100] = "";

    assert_int_equal(blob_read(content, 0, bytes, (size_t)content->size, err), 0);
    buf_printf(&seen->log, "{%.*s: %s}", SLICE_FMT(entry->path), bytes);
    return 0;
}

static int read_folder(struct seen *seen, struct err *err)
{
    struct layer_visitor visitor = {
        .entry = on_entry, .content = on_content, .enters = seen->enters, .ctx = seen};

    seen->log = (struct buf)BUF_INIT(1 << 20);
    return folder_read(folder_fd, &visitor, err);
}

static void put(const char *name, const char *text)
{
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_kinds(void **state)
{
    static const char *const lines[] = {"[1 d> 0]", "[0 d/f> 4]", "{d/f: text}", "[2 l>/x/../y 0]",
        "[6 p> 0]", "[0 .wh.x> 0]", "{.wh.x: }"};
    struct seen seen = {.want = true};
    struct err err;
    size_t sum = 0;

    (void)state;
    assert_int_equal(mkdirat(folder_fd, "d", 0700), 0);
    put("d/f", "text");
    put(".wh.x", "");
    assert_int_equal(symlinkat("/x/../y", folder_fd, "l"), 0);
    assert_int_equal(mkfifoat(folder_fd, "p", 0600), 0);
    assert_ok(read_folder(&seen, &err));
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!strstr(seen.log.data, lines[i]))
            fail_msg("%s is not in %s", lines[i], seen.log.data);
        sum += strlen(lines[i]);
    }
    assert_int_equal(seen.log.len, sum);
    buf_release(&seen.log);
    assert_int_equal(unlinkat(folder_fd, "d/f", 0), 0);
    assert_int_equal(unlinkat(folder_fd, "d", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(folder_fd, "l", 0), 0);
    assert_int_equal(unlinkat(folder_fd, "p", 0), 0);
    assert_int_equal(unlinkat(folder_fd, ".wh.x", 0), 0);
}

/* A file that is gone, a folder that is gone, a file that became a link: nothing is read. */
static void test_changes_meanwhile(void **state)
{
    struct seen seen = {.want = true, .remove = "f"};
    struct err err;

    (void)state;
    put("f", "text");
    assert_ok(read_folder(&seen, &err));
    assert_string_equal(seen.log.data, "[0 f> 4]");
    buf_release(&seen.log);
    assert_int_equal(mkdirat(folder_fd, "f", 0700), 0);
    assert_ok(read_folder(&seen, &err));
    assert_string_equal(seen.log.data, "[1 f> 0]");
    buf_release(&seen.log);
    put("f", "text");
    seen.remove = NULL;
    seen.replace = "f";
    assert_ok(read_folder(&seen, &err));
    assert_string_equal(seen.log.data, "[0 f> 4]");
    buf_release(&seen.log);
    assert_int_equal(unlinkat(folder_fd, "f", 0), 0);
}

static void test_depth(void **state)
{
    struct seen seen = {0};
    struct err err;
    int fds[LIMIT_LAYER_PATH_DEPTH + 1], result;

    (void)state;
    fds[0] = folder_fd;
    for (int i = 0; i < LIMIT_LAYER_PATH_DEPTH; i++) {
        assert_int_equal(mkdirat(fds[i], "d", 0700), 0);
        fds[i + 1] = openat(fds[i], "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fds[i + 1] >= 0);
    }
    result = mkdirat(fds[LIMIT_LAYER_PATH_DEPTH], "d", 0700);
    assert_int_equal(result, 0);
    for (int i = 1; i < LIMIT_LAYER_PATH_DEPTH; i++)
        close(fds[i]);
    assert_int_equal(read_folder(&seen, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_release(&seen.log);
    close(fds[LIMIT_LAYER_PATH_DEPTH]);
    {
        char command[200];

        snprintf(command, sizeof(command), "rm -rf %s/d", folder);
        assert_int_equal(system(command), 0);
    }
}

static int make(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder_fd < 0 ? -1 : 0;
}

static int unmake(void **state)
{
    (void)state;
    close(folder_fd);
    return rmdir(folder);
}

static bool enters_a(void *ctx, struct slice path)
{
    (void)ctx;
    return slice_is(path, "a") || slice_starts_with(path, "a/");
}

/* A folder that is not entered is told of, and not opened: nobody need be allowed to. */
static void test_what_is_not_entered(void **state)
{
    struct seen seen = {.enters = enters_a};
    struct err err;

    (void)state;
    assert_int_equal(mkdirat(folder_fd, "a", 0700), 0);
    assert_int_equal(mkdirat(folder_fd, "a/c", 0700), 0);
    put("a/c/f", "");
    assert_int_equal(mkdirat(folder_fd, "b", 0000), 0);
    assert_int_equal(mkdirat(folder_fd, "b/c", 0000), geteuid() ? -1 : 0);
    assert_ok(read_folder(&seen, &err));
    assert_non_null(strstr(seen.log.data, "[1 b> 0]"));
    assert_non_null(strstr(seen.log.data, "[0 a/c/f> 0]"));
    assert_null(strstr(seen.log.data, "b/c"));
    buf_release(&seen.log);
    unlinkat(folder_fd, "a/c/f", 0);
    unlinkat(folder_fd, "a/c", AT_REMOVEDIR);
    unlinkat(folder_fd, "a", AT_REMOVEDIR);
    unlinkat(folder_fd, "b/c", AT_REMOVEDIR);
    unlinkat(folder_fd, "b", AT_REMOVEDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_what_is_not_entered),
        cmocka_unit_test(test_changes_meanwhile),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
