/* SPDX-License-Identifier: Apache-2.0 */
/* See content.h. What is in memory is written where it belongs, at once; so is what is in a file,
 * of which the holes are left as holes. */
#include "image/content.h"

#include <unistd.h>

#include "image/scratch.h"

/* Where the next stored byte belongs. */
struct place {
    const struct tar_part *part;
    uint64_t done; /* of *part */
};

void content_init(struct content *content)
{
    *content = (struct content){.fd = -1};
}

static void close_file(struct content *content)
{
    if (content->fd >= 0)
        close(content->fd);
    content->fd = -1;
}

void content_close(struct content *content)
{
    close_file(content);
    free(content->memory);
    content->memory = NULL;
}

/* Makes room for `size` bytes, all zeros. */
static int make_room(struct content *content, uint64_t size, int scratch_fd, struct err *err)
{
    close_file(content);
    if (size <= LIMIT_LAYER_CONTENT_MEMORY) {
        if (!content->memory)
            content->memory = malloc(LIMIT_LAYER_CONTENT_MEMORY);
        if (!content->memory)
            return err_nomem(err);
        memset(content->memory, 0, (size_t)size);
        return 0;
    }
    content->fd = scratch_open(scratch_fd, err);
    if (content->fd < 0)
        return -1;
    if (ftruncate(content->fd, (off_t)size) != 0)
        return err_set_errno(err, "cannot write to the scratch folder");
    return 0;
}

static int put(const struct content *content, struct slice bytes, uint64_t offset, struct err *err)
{
    if (content->fd >= 0)
        return scratch_write(content->fd, bytes.ptr, bytes.len, offset, err);
    memcpy(content->memory + offset, bytes.ptr, bytes.len);
    return 0;
}

/* tar_parts_fit() has made sure that the parts hold all that is stored, and stay within the size.
 */
static int put_stored(
    const struct content *content, struct slice bytes, struct place *place, struct err *err)
{
    while (bytes.len) {
        uint64_t left;
        struct slice now;

        while (place->done == place->part->size) {
            place->part++;
            place->done = 0;
        }
        left = place->part->size - place->done;
        now = slice_sub(bytes, 0, left < bytes.len ? (size_t)left : bytes.len);
        if (put(content, now, place->part->offset + place->done, err) != 0)
            return -1;
        place->done += now.len;
        bytes = slice_skip(bytes, now.len);
    }
    return 0;
}

static int fill(
    const struct content *content, struct tar *tar, const struct tar_entry *entry, struct err *err)
{
    struct tar_part whole = {0, entry->size};
    struct place place = {.part = entry->sparse ? entry->parts : &whole};
    struct slice piece;

    do {
        if (tar_data(tar, &piece, err) != 0 || put_stored(content, piece, &place, err) != 0)
            return -1;
    } while (piece.len);
    return 0;
}

int content_read(struct content *content, struct tar *tar, const struct tar_entry *entry,
    int scratch_fd, struct blob *ret, struct err *err)
{
    path_show(entry->path, content->name);
    if (entry->size > LIMIT_LAYER_CONTENT_BYTES)
        return err_set(err, ERR_LIMIT, "%s is larger than the limit of %ld bytes", content->name,
            LIMIT_LAYER_CONTENT_BYTES);
    if (make_room(content, entry->size, scratch_fd, err) != 0)
        return err_prefix(err, "%s", content->name);
    if (fill(content, tar, entry, err) != 0)
        return -1;
    if (content->fd >= 0)
        return blob_of_file(content->fd, content->name, ret, err);
    *ret = blob_of_memory(
        (struct slice){(const char *)content->memory, (size_t)entry->size}, content->name);
    return 0;
}
