/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. In a folder every part of a path is opened by itself, without following links. */
#include "image/place.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "image/path.h"

void place_release(struct place *place)
{
    archive_close(place->archive);
    place->archive = NULL;
    if (place->folder_fd >= 0)
        close(place->folder_fd);
    place->folder_fd = -1;
}

void place_file_release(struct place_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Opens a path below a folder. -1 with ENOENT where there is nothing. */
static int open_below(int folder_fd, struct slice path)
{
    int at = folder_fd, next = -1;

    while (path.len) {
        struct slice part = slice_pull_until(&path, '/');
        char name[256];

        if (!slice_to_cstr(part, name, sizeof(name))) {
            next = -1;
            errno = ENAMETOOLONG;
        } else {
            next = openat(at, name,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
                    (path.len ? O_DIRECTORY : 0));
        }
        if (at != folder_fd) {
            int number = errno;

            close(at);
            errno = number;
        }
        if (next < 0)
            return -1;
        at = next;
    }
    return next;
}

static int open_in_folder(const struct place *place, struct slice path, bool *ret_found,
    struct place_file *ret, struct err *err)
{
    char shown[PATH_SHOWN_BYTES];
    int fd = open_below(place->folder_fd, path);

    if (fd < 0 && errno == ENOENT) {
        *ret_found = false;
        return 0;
    }
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return err_set(err, ERR_FORMAT, "%s is a link, or below one: links are not followed",
            path_show(path, shown));
    if (fd < 0)
        return err_set_errno(err, "cannot open %s", path_show(path, shown));
    if (blob_of_file(fd, place->name, &ret->blob, err) != 0) {
        close(fd);
        return err_set(err, ERR_FORMAT, "%s is no regular file", path_show(path, shown));
    }
    ret->fd = fd;
    *ret_found = true;
    return 0;
}

int place_open(const struct place *place, struct slice path, bool *ret_found,
    struct place_file *ret, struct err *err)
{
    struct place_file file = {.fd = -1};

    if (place->archive ? archive_find(place->archive, path, ret_found, &file.blob, err) != 0
                       : open_in_folder(place, path, ret_found, &file, err) != 0)
        return -1;
    if (*ret_found)
        *ret = file;
    return 0;
}

static int read_all(const struct blob *blob, struct buf *ret, struct err *err)
{
    char *at;

    if (blob->size > LIMIT_IMAGE_DOCUMENT_BYTES)
        return err_set(err, ERR_LIMIT, "a document larger than the limit of %ld bytes",
            LIMIT_IMAGE_DOCUMENT_BYTES);
    buf_clear(ret);
    if (blob->size == 0)
        return 0;
    at = buf_reserve(ret, (size_t)blob->size);
    if (!at)
        return err_nomem(err);
    if (blob_read(blob, 0, at, (size_t)blob->size, err) != 0)
        return -1;
    ret->len = (size_t)blob->size;
    ret->data[ret->len] = 0;
    return 0;
}

int place_read(
    const struct place *place, struct slice path, bool *ret_found, struct buf *ret, struct err *err)
{
    struct place_file file CLEANUP(place_file_release) = {.fd = -1};
    char shown[PATH_SHOWN_BYTES];

    if (place_open(place, path, ret_found, &file, err) != 0)
        return -1;
    if (*ret_found && read_all(&file.blob, ret, err) != 0)
        return err_prefix(err, "%s", path_show(path, shown));
    return 0;
}
