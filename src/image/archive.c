/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See archive.h. Headers are read with pread(2) in small pieces, data is passed over: an archive of
 * 10 GB with ten layers costs some twenty reads.
 */
#include "image/archive.h"

#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/map.h"
#include "codec/decompress.h"
#include "image/path.h"
#include "image/scratch.h"
#include "image/tar.h"

enum { PIECE_BYTES = 8 * 1024, COPY_BYTES = 128 * 1024 };

struct member {
    struct slice path, target; /* target: of links, cleaned, from the root */
    uint64_t offset, size;
    bool is_file, is_link, is_sparse;
};

struct archive {
    int fd; /* owned: the file, or the scratch file with what was in it */
    struct blob blob;
    struct arena arena;
    struct member *members; /* owned */
    size_t count, cap;
    struct map by_path; /* of the last one of each path */
};

struct blob_feed {
    struct tar_feed feed; /* must be first */
    const struct blob *blob;
    unsigned char piece[PIECE_BYTES];
};

static int feed_more(struct tar_feed *feed, struct err *err)
{
    struct blob_feed *from = (struct blob_feed *)feed;
    uint64_t left = from->blob->size - feed->offset;
    size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;

    if (blob_read(from->blob, feed->offset, from->piece, n, err) != 0)
        return -1;
    feed->at = from->piece;
    feed->left = n;
    return 0;
}

static int feed_skip(struct tar_feed *feed, uint64_t n, struct err *err)
{
    struct blob_feed *from = (struct blob_feed *)feed;

    if (n > from->blob->size - feed->offset)
        return err_set(err, ERR_FORMAT, "the tar ends at byte %llu, in the middle of an entry",
            (unsigned long long)from->blob->size);
    feed->offset += n;
    return 0;
}

static bool has_path(const void *owner, uint32_t id, const void *key)
{
    const struct archive *archive = owner;

    return slice_eq(archive->members[id].path, *(const struct slice *)key);
}

static const struct member *find(const struct archive *archive, struct slice path)
{
    uint32_t id = map_find(&archive->by_path, slice_hash(path), has_path, archive, &path);

    return id == MAP_NONE ? NULL : &archive->members[id];
}

/* The last of a name replaces the ones before it. */
static int put(struct archive *archive, const struct member *member, struct err *err)
{
    uint32_t id =
        map_find(&archive->by_path, slice_hash(member->path), has_path, archive, &member->path);

    if (id != MAP_NONE) {
        archive->members[id] = *member;
        return 0;
    }
    if (archive->count >= LIMIT_IMAGE_ARCHIVE_ENTRIES)
        return err_set(err, ERR_LIMIT, "it has more than the limit of %d entries",
            LIMIT_IMAGE_ARCHIVE_ENTRIES);
    if (array_reserve(&archive->members, &archive->cap, archive->count + 1,
            sizeof(*archive->members), err) != 0)
        return -1;
    archive->members[archive->count] = *member;
    if (map_add(&archive->by_path, slice_hash(member->path), (uint32_t)archive->count, err) != 0)
        return -1;
    archive->count++;
    return 0;
}

/* A symbolic link's target counts from the folder of the link; a hard link's from the root. */
static int clean_target(
    struct archive *archive, const struct tar_entry *entry, struct member *member, struct err *err)
{
    char joined[LIMIT_LAYER_PATH_BYTES + 1], cleaned[LIMIT_LAYER_PATH_BYTES];
    struct slice target = entry->target, folder = path_folder(member->path);

    if (entry->type == TAR_SYMLINK && folder.len && !slice_starts_with(target, "/")) {
        int len =
            snprintf(joined, sizeof(joined), "%.*s/%.*s", SLICE_FMT(folder), SLICE_FMT(target));

        if (len > LIMIT_LAYER_PATH_BYTES)
            return err_set(err, ERR_LIMIT, "a link in it is longer than the limit of %d bytes",
                LIMIT_LAYER_PATH_BYTES);
        target = (struct slice){joined, (size_t)len};
    }
    if (path_clean(target, cleaned, &target, err) != 0)
        return -1;
    return arena_dup(&archive->arena, target, &member->target, err);
}

static int add(struct archive *archive, const struct tar_entry *entry, struct err *err)
{
    char cleaned[LIMIT_LAYER_PATH_BYTES];
    struct member member = {
        .offset = entry->data_offset,
        .size = entry->stored,
        .is_file = entry->type == TAR_FILE,
        .is_link = entry->type == TAR_SYMLINK || entry->type == TAR_HARDLINK,
        .is_sparse = entry->sparse,
    };

    if (entry->type == TAR_UNKNOWN)
        return 0;
    if (path_clean(entry->path, cleaned, &member.path, err) != 0 ||
        arena_dup(&archive->arena, member.path, &member.path, err) != 0)
        return -1;
    if (member.is_link && clean_target(archive, entry, &member, err) != 0)
        return -1;
    return put(archive, &member, err);
}

static int read_index(struct archive *archive, struct err *err)
{
    struct blob_feed feed = {
        .feed = {.more = feed_more, .skip = feed_skip}, .blob = &archive->blob};
    struct tar *tar CLEANUP(tar_cleanup) = tar_open(&feed.feed, err);
    struct tar_entry entry;
    bool end = false;

    if (!tar)
        return -1;
    for (;;) {
        if (tar_next(tar, &entry, &end, err) != 0)
            return -1;
        if (end)
            return 0;
        if (add(archive, &entry, err) != 0)
            return -1;
    }
}

static int copy(struct stream *in, int fd, struct err *err)
{
    char *bytes CLEANUP(cleanup_free) = malloc(COPY_BYTES);
    uint64_t offset = 0;
    size_t got;

    if (!bytes)
        return err_nomem(err);
    for (;;) {
        if (stream_read(in, bytes, COPY_BYTES, &got, err) != 0)
            return -1;
        if (got == 0)
            return 0;
        if (offset + got > LIMIT_IMAGE_ARCHIVE_BYTES)
            return err_set(err, ERR_LIMIT, "unpacked it is larger than the limit of %ld bytes",
                LIMIT_IMAGE_ARCHIVE_BYTES);
        if (scratch_write(fd, bytes, got, offset, err) != 0)
            return -1;
        offset += got;
    }
}

int archive_spool(int in_fd, const char *name, int scratch_fd, struct err *err)
{
    static const struct expansion most = {LIMIT_LAYER_FREE_BYTES, LIMIT_LAYER_RATIO};
    enum compression ignored;
    struct stream *stored = stream_open_fd(in_fd, name, err);
    struct stream *in = stored ? stream_auto_decompress(stored, &most, &ignored, err) : NULL;
    int fd = in ? scratch_open(scratch_fd, err) : -1;

    if (fd >= 0 && copy(in, fd, err) != 0) {
        close(fd);
        fd = -1;
    }
    stream_close(in ? in : stored);
    return fd;
}

/* Puts the tar of an archive that is compressed as a whole into a scratch file, which takes the
 * place of the file. */
static int unpack(struct archive *archive, int scratch_fd, struct err *err)
{
    static const struct expansion most = {LIMIT_LAYER_FREE_BYTES, LIMIT_LAYER_RATIO};
    enum compression compression = COMPRESSION_NONE;
    struct stream *stored = stream_open_blob(&archive->blob, err);
    struct stream *in = stored ? stream_auto_decompress(stored, &most, &compression, err) : NULL;
    int fd = -1, result = in ? 0 : -1;

    if (compression != COMPRESSION_NONE) {
        fd = scratch_open(scratch_fd, err);
        result = fd < 0 ? -1 : copy(in, fd, err);
    }
    stream_close(in ? in : stored);
    if (fd >= 0) {
        close(archive->fd);
        archive->fd = fd;
    }
    if (result != 0 || fd < 0)
        return result;
    return blob_of_file(fd, archive->blob.name, &archive->blob, err);
}

/* Is there a header where the first must be? */
static int check_tar(const struct archive *archive, struct err *err)
{
    unsigned char block[TAR_BLOCK_BYTES];
    struct tar_block decoded;
    struct err why;

    if (archive->blob.size < TAR_BLOCK_BYTES)
        return err_set(err, ERR_UNSUPPORTED, "it is no tar: too short");
    if (blob_read(&archive->blob, 0, block, sizeof(block), err) != 0)
        return -1;
    if (!tar_block_is_zero(block) && tar_block_decode(block, &decoded, &why) != 0)
        return err_set(err, ERR_UNSUPPORTED,
            "it is no tar: an image is a docker-archive, an OCI layout or a root folder");
    return 0;
}

struct archive *archive_open(int fd, const char *name, int scratch_fd, struct err *err)
{
    struct archive *archive = calloc(1, sizeof(*archive));

    if (!archive) {
        close(fd);
        err_nomem(err);
        return NULL;
    }
    archive->fd = fd;
    arena_init(&archive->arena, "the index of an archive", LIMIT_IMAGE_MEMORY_BYTES);
    if (blob_of_file(fd, name, &archive->blob, err) == 0 && unpack(archive, scratch_fd, err) == 0 &&
        check_tar(archive, err) == 0 && read_index(archive, err) == 0)
        return archive;
    archive_close(archive);
    return NULL;
}

void archive_close(struct archive *archive)
{
    if (!archive)
        return;
    close(archive->fd);
    map_release(&archive->by_path);
    arena_release(&archive->arena);
    free(archive->members);
    free(archive);
}

int archive_find(const struct archive *archive, struct slice path, bool *ret_found,
    struct blob *ret, struct err *err)
{
    const struct member *member = find(archive, path);
    char shown[PATH_SHOWN_BYTES];

    for (int links = 0; member && member->is_link; links++) {
        if (links == LIMIT_IMAGE_ARCHIVE_LINKS)
            return err_set(err, ERR_FORMAT,
                "%s: a loop of links, or more than %d (LIMIT_IMAGE_ARCHIVE_LINKS)",
                path_show(path, shown), LIMIT_IMAGE_ARCHIVE_LINKS);
        member = find(archive, member->target);
    }
    if (!member || !member->is_file) {
        *ret_found = false;
        return 0;
    }
    if (member->is_sparse)
        return err_set(
            err, ERR_UNSUPPORTED, "%s is a sparse file in the archive", path_show(path, shown));
    if (blob_part(&archive->blob, member->offset, member->size, ret, err) != 0)
        return -1;
    *ret_found = true;
    return 0;
}
