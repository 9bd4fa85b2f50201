/* SPDX-License-Identifier: Apache-2.0 */
/* See cache.h. */
#include "scan/cache.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/write_all.h"
#include "codec/hash.h"
#include "model/reference.h"
#include "scan/facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYERS "layers/sha256"
#define UNFINISHED "new."

enum { UNFINISHED_S = 3600 }; /* what is older was left behind */

/* ---- places ---- */

bool cache_default_dir(char *dst, size_t cap)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int len;

    if (xdg && xdg[0] == '/')
        len = snprintf(dst, cap, "%s/careen", xdg);
    else if (home && home[0] == '/' && home[1])
        len = snprintf(dst, cap, "%s/.cache/careen", home);
    else if (geteuid() == 0)
        len = snprintf(dst, cap, "/var/cache/careen");
    else
        return false;
    return len > 0 && (size_t)len < cap;
}

static int make_folder(int dir, const char *path, struct err *err)
{
    if (mkdirat(dir, path, 0700) < 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make the folder %s", path);
    return 0;
}

int cache_open(const char *dir, int *ret, struct err *err)
{
    char path[PATH_MAX];
    struct stat st;
    int fd;

    if (strlen(dir) >= sizeof(path))
        return err_set(err, ERR_INVALID, "the name of the cache's folder is too long");
    memcpy(path, dir, strlen(dir) + 1);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_set_errno(err, "cannot make the folder %s", path);
        *slash = '/';
    }
    if (make_folder(AT_FDCWD, path, err) < 0)
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "cannot open the cache %s", path);
    if (fstat(fd, &st) < 0 || st.st_mode & S_IWOTH) {
        close(fd);
        return err_set(err, ERR_DENIED, "everybody may write to %s", path);
    }
    *ret = fd;
    return 0;
}

/* ---- names ---- */

static bool is_hex(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') && !(s.ptr[i] >= 'a' && s.ptr[i] <= 'f'))
            return false;
    return true;
}

static void add_text(struct sha256 *hash, struct slice text)
{
    sha256_add(hash, text);
    sha256_add(hash, (struct slice){"", 1});
}

bool cache_name(struct slice diff_id, const struct interest *interest, char dst[CACHE_NAME_BYTES])
{
    struct slice hex = slice_skip(diff_id, strlen("sha256:"));
    unsigned char digest[SHA256_BYTES];
    char aliases[2 * SHA256_BYTES + 1];
    struct sha256 hash;

    if (!digest_is_valid(diff_id))
        return false;
    snprintf(dst, CACHE_NAME_BYTES, LAYERS "/%.2s/%.*s.%d-%d", hex.ptr, SLICE_FMT(hex),
        (int)FACTS_FORMAT, (int)INVENTORY_VERSION);
    if (interest->alias_count == 0)
        return true;
    sha256_begin(&hash);
    for (size_t i = 0; i < interest->alias_count; i++) {
        add_text(&hash, interest->aliases[i].real);
        add_text(&hash, interest->aliases[i].as);
    }
    sha256_finish(&hash, digest);
    hex_encode(digest, sizeof(digest), aliases);
    snprintf(dst + strlen(dst), CACHE_NAME_BYTES - strlen(dst), "-%.16s", aliases);
    return true;
}

bool cache_is_name(const char *name)
{
    size_t folder = strlen(LAYERS "/");
    struct slice rest = slice_of(name), hex;

    if (!slice_starts_with(rest, LAYERS "/") || rest.len < folder + 3 + 2 * SHA256_BYTES ||
        name[folder + 2] != '/')
        return false;
    hex = slice_sub(rest, folder + 3, 2 * SHA256_BYTES);
    rest = slice_skip(rest, folder + 3 + hex.len);
    if (!is_hex(hex) || memcmp(name + folder, hex.ptr, 2) != 0 || !slice_starts_with(rest, "."))
        return false;
    for (size_t i = 1; i < rest.len; i++)
        if (rest.ptr[i] != '-' && !is_hex(slice_sub(rest, i, 1)))
            return false;
    return true;
}

/* ---- reading and writing ---- */

static bool read_all(int fd, struct buf *out)
{
    struct stat st;
    size_t left;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
        (uint64_t)st.st_size > LIMIT_FACTS_BYTES)
        return false;
    left = (size_t)st.st_size;
    if (left && !buf_reserve(out, left))
        return false;
    while (left) {
        ssize_t got = read(fd, out->data + out->len, left);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        out->len += (size_t)got;
        left -= (size_t)got;
    }
    return true;
}

bool cache_get(int dir, const char *name, struct buf *out)
{
    int fd CLEANUP(cleanup_fd) = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    return fd >= 0 && read_all(fd, out);
}

static int write_file(int dir, const char *name, struct slice bytes, struct err *err)
{
    int fd CLEANUP(cleanup_fd) =
        openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 || !write_all(fd, bytes))
        return err_set_errno(err, "cannot write to the cache");
    return 0;
}

int cache_put(int dir, const char *name, struct slice bytes, struct err *err)
{
    char folder[CACHE_NAME_BYTES], unfinished[CACHE_NAME_BYTES];
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1];
    size_t slash = slice_rfind_char(slice_of(name), '/');

    snprintf(folder, sizeof(folder), "%.*s", (int)slash, name);
    if (make_folder(dir, "layers", err) < 0 || make_folder(dir, LAYERS, err) < 0 ||
        make_folder(dir, folder, err) < 0)
        return -1;
    random_bytes(random, sizeof(random));
    hex_encode(random, sizeof(random), hex);
    snprintf(unfinished, sizeof(unfinished), LAYERS "/" UNFINISHED "%s", hex);
    if (write_file(dir, unfinished, bytes, err) == 0) {
        if (renameat(dir, unfinished, dir, name) == 0)
            return 0;
        err_set_errno(err, "cannot write to the cache");
    }
    unlinkat(dir, unfinished, 0);
    return -1;
}

void cache_touch(int dir, const char *name)
{
    utimensat(dir, name, NULL, AT_SYMLINK_NOFOLLOW);
}

/* ---- trimming ---- */

struct cached {
    char name[CACHE_NAME_BYTES];
    int64_t used_s;
    uint64_t bytes;
};

struct contents {
    struct cached *at; /* heap */
    size_t count, cap;
    uint64_t bytes;
};

static int add_file(struct contents *all, const char *folder, const char *name,
    const struct stat *st, struct err *err)
{
    struct cached *file;

    if (array_reserve(&all->at, &all->cap, all->count + 1, sizeof(*all->at), err) < 0)
        return -1;
    file = &all->at[all->count++];
    snprintf(file->name, sizeof(file->name), "%.20s/%.130s", folder, name);
    file->used_s = st->st_mtime;
    file->bytes = (uint64_t)st->st_size;
    all->bytes += file->bytes;
    return 0;
}

/* A file that is half written is nobody's after an hour. */
static bool was_left_behind(const char *name, const struct stat *st)
{
    return strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0 &&
           st->st_mtime < clock_now_ms() / 1000 - UNFINISHED_S;
}

/* Every file of a folder, and of those in it (depth 1). */
static int list_folder(
    int dir, const char *path, unsigned depth, struct contents *all, struct err *err)
{
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    int failed = 0;

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return errno == ENOENT ? 0 : err_set_errno(err, "cannot list the cache");
    }
    for (struct dirent *entry; !failed && (entry = readdir(folder));) {
        struct stat st;
        char below[CACHE_NAME_BYTES];

        if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISREG(st.st_mode) && was_left_behind(entry->d_name, &st)) {
            unlinkat(fd, entry->d_name, 0);
        } else if (S_ISREG(st.st_mode) && depth == 1) {
            failed = add_file(all, path, entry->d_name, &st, err);
        } else if (S_ISDIR(st.st_mode) && depth == 0 && strlen(entry->d_name) == 2) {
            snprintf(below, sizeof(below), "%s/%.2s", path, entry->d_name);
            failed = list_folder(dir, below, 1, all, err);
        }
    }
    closedir(folder);
    return failed;
}

static int compare_ages(const void *a, const void *b)
{
    const struct cached *left = a, *right = b;

    if (left->used_s != right->used_s)
        return left->used_s < right->used_s ? -1 : 1;
    return strcmp(left->name, right->name);
}

int cache_trim(int dir, uint64_t max_bytes, uint64_t *ret_bytes, struct err *err)
{
    struct contents all = {0};
    int failed = list_folder(dir, LAYERS, 0, &all, err);

    if (!failed && all.bytes > max_bytes) {
        qsort(all.at, all.count, sizeof(*all.at), compare_ages);
        for (size_t i = 0; i < all.count && all.bytes > max_bytes; i++) {
            /* Another process may have been faster. */
            if (unlinkat(dir, all.at[i].name, 0) < 0 && errno != ENOENT) {
                failed = err_set_errno(err, "cannot remove old files of the cache");
                break;
            }
            all.bytes -= all.at[i].bytes;
        }
    }
    if (!failed)
        *ret_bytes = all.bytes;
    free(all.at);
    return failed;
}
