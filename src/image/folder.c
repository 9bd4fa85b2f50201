/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See folder.h. Every step is an openat(2) from the folder above with O_NOFOLLOW, so that no link
 * made while the walk is under way leads out. Only folders tell by their device where another file
 * system begins: files of an overlay have other devices than its folders.
 */
#include "image/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/path.h"

struct folder_walk {
    const struct layer_visitor *visitor;
    dev_t device;
    uint64_t entries;
    size_t len; /* of path[] */
    char path[LIMIT_LAYER_PATH_BYTES];
    char target[LIMIT_LAYER_LINK_BYTES];
    char name[PATH_SHOWN_BYTES];
};

static const char *show(struct folder_walk *walk)
{
    return path_show((struct slice){walk->path, walk->len}, walk->name);
}

static int fail_read(struct folder_walk *walk, struct err *err)
{
    int number = errno;
    const char *shown = show(walk);

    errno = number;
    return err_set_errno(err, "cannot read %s%s", shown,
        number == EACCES || number == EPERM ? " (it takes a user who may)" : "");
}

/* Opens a wanted file and shows it. */
static int show_content(struct folder_walk *walk, int parent, const char *name,
    struct layer_entry *entry, struct err *err)
{
    int fd CLEANUP(cleanup_fd) =
        openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    struct blob content;

    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? 0 : fail_read(walk, err);
    if (fstat(fd, &st) != 0)
        return fail_read(walk, err);
    if (!S_ISREG(st.st_mode)) /* it became something else meanwhile */
        return 0;
    if (st.st_size > LIMIT_LAYER_CONTENT_BYTES)
        return err_set(err, ERR_LIMIT, "%s is larger than the limit of %ld bytes", show(walk),
            LIMIT_LAYER_CONTENT_BYTES);
    show(walk);
    if (blob_of_file(fd, walk->name, &content, err) != 0)
        return -1;
    return walk->visitor->content(walk->visitor->ctx, entry, &content, err);
}

static int visit(
    struct folder_walk *walk, int parent, const char *name, const struct stat *st, struct err *err)
{
    struct layer_entry entry = {.type = ENTRY_OTHER, .path = {walk->path, walk->len}};
    bool wanted = false;
    ssize_t len;

    if (++walk->entries > LIMIT_LAYER_ENTRIES)
        return err_set(
            err, ERR_LIMIT, "it has more than the limit of %d entries", LIMIT_LAYER_ENTRIES);
    if (S_ISREG(st->st_mode)) {
        entry.type = ENTRY_FILE;
        entry.size = (uint64_t)st->st_size;
    } else if (S_ISDIR(st->st_mode)) {
        entry.type = ENTRY_FOLDER;
    } else if (S_ISLNK(st->st_mode)) {
        entry.type = ENTRY_SYMLINK;
        len = readlinkat(parent, name, walk->target, sizeof(walk->target));
        if (len < 0)
            return errno == ENOENT ? 0 : fail_read(walk, err);
        entry.target = (struct slice){walk->target, (size_t)len};
    }
    if (walk->visitor->entry(walk->visitor->ctx, &entry, &wanted, err) != 0)
        return -1;
    if (wanted && entry.type == ENTRY_FILE)
        return show_content(walk, parent, name, &entry, err);
    return 0;
}

/* Is the folder whose path is in walk->path to be walked? */
static bool enters(const struct folder_walk *walk, const struct stat *st)
{
    const struct layer_visitor *visitor = walk->visitor;

    return S_ISDIR(st->st_mode) && st->st_dev == walk->device &&
           (!visitor->enters ||
               visitor->enters(visitor->ctx, (struct slice){walk->path, walk->len}));
}

static int walk_folder(struct folder_walk *walk, int fd, size_t depth, struct err *err);

/* An entry, whose path is in walk->path, and what is below it. */
static int walk_entry(
    struct folder_walk *walk, int parent, const char *name, size_t depth, struct err *err)
{
    struct stat st;
    int fd;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : fail_read(walk, err);
    if (visit(walk, parent, name, &st, err) != 0)
        return -1;
    if (!enters(walk, &st))
        return 0;
    if (depth == LIMIT_LAYER_PATH_DEPTH)
        return err_set(err, ERR_LIMIT, "%s has more parts than the limit of %d", show(walk),
            LIMIT_LAYER_PATH_DEPTH);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? 0 : fail_read(walk, err);
    return walk_folder(walk, fd, depth + 1, err);
}

static int append(struct folder_walk *walk, struct slice name, struct err *err)
{
    if (walk->len + 1 + name.len > sizeof(walk->path))
        return err_set(err, ERR_LIMIT, "a path below %s has more than the limit of %d bytes",
            show(walk), LIMIT_LAYER_PATH_BYTES);
    if (walk->len)
        walk->path[walk->len++] = '/';
    memcpy(walk->path + walk->len, name.ptr, name.len);
    walk->len += name.len;
    return 0;
}

/* Takes over fd. */
static int walk_folder(struct folder_walk *walk, int fd, size_t depth, struct err *err)
{
    DIR *folder = fdopendir(fd);
    size_t len = walk->len;
    struct dirent *entry;
    int result = 0;

    if (!folder) {
        fail_read(walk, err);
        close(fd);
        return -1;
    }
    while (result == 0 && (errno = 0, entry = readdir(folder))) {
        struct slice name = slice_of(entry->d_name);

        if (slice_is(name, ".") || slice_is(name, ".."))
            continue;
        result = append(walk, name, err);
        if (result == 0)
            result = walk_entry(walk, fd, entry->d_name, depth, err);
        walk->len = len;
    }
    if (result == 0 && errno != 0)
        result = fail_read(walk, err);
    closedir(folder);
    return result;
}

int folder_read(int folder_fd, const struct layer_visitor *visitor, struct err *err)
{
    struct folder_walk *walk = calloc(1, sizeof(*walk));
    struct stat st;
    int fd, result = -1;

    if (!walk)
        return err_nomem(err);
    walk->visitor = visitor;
    /* Not dup(2): two that walk at once would share the place in the folder. */
    fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        fail_read(walk, err);
        if (fd >= 0)
            close(fd);
    } else {
        walk->device = st.st_dev;
        result = walk_folder(walk, fd, 1, err);
    }
    free(walk);
    return result;
}
