/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a tar: v7, ustar, pax and GNU, with long names and sparse files. Where readers differ
 * this one does as Go's archive/tar, which is what unpacks layers in containerd, Docker and Podman.
 *
 * Bytes are not copied: they come in pieces from a feed, which keeps a piece until the next is
 * asked for; what of an entry's data is not asked for is passed over.
 *
 * Not libarchive, because it gives names in the charset of the locale (of two names in bytes that
 * the locale does not know it makes one), loads iconv modules for that while it reads, and does not
 * say where in the tar the data of an entry stands.
 */
#ifndef CAREEN_IMAGE_TAR_H
#define CAREEN_IMAGE_TAR_H

#include "image/tar_pax.h"

/* Where the bytes come from; it is embedded in what knows more. */
struct tar_feed {
    const unsigned char *at; /* what of the piece was not used yet */
    size_t left;
    uint64_t offset; /* of `at`, from the start of the tar */
    /* Called when nothing is left: gives the next piece, none at the end. */
    int (*more)(struct tar_feed *feed, struct err *err);
    /* Called when nothing is left: passes over n bytes, or fails if there are not so many. NULL:
     * more() is called as often as it takes. */
    int (*skip)(struct tar_feed *feed, uint64_t n, struct err *err);
};

enum tar_type {
    TAR_FILE,
    TAR_FOLDER,
    TAR_SYMLINK,
    TAR_HARDLINK,
    TAR_OTHER,   /* a device, a pipe */
    TAR_UNKNOWN, /* a type that no reader makes anything of: volume labels and the like */
};

struct tar_entry {
    enum tar_type type;
    struct slice path, target; /* as written; good until the next entry */
    uint64_t size;             /* of the file as it was, holes included */
    uint64_t stored;           /* bytes of it in the tar */
    uint64_t data_offset;      /* of them, from the start of the tar */
    bool sparse;
    const struct tar_part *parts; /* where the stored bytes belong, in order; sparse only */
    size_t part_count;
};

struct tar; /* one walk */

/* The feed stays the caller's. NULL with ERR_NOMEM. */
struct tar *tar_open(struct tar_feed *feed, struct err *err);
void tar_close(struct tar *tar); /* accepts NULL */
void tar_cleanup(struct tar **tar);

/* The next entry; *ret_end instead at the end: two blocks of zeros, or no more bytes. ERR_FORMAT,
 * ERR_UNSUPPORTED, ERR_LIMIT (LIMIT_TAR_*) with the place, errors of the feed. */
int tar_next(struct tar *tar, struct tar_entry *ret, bool *ret_end, struct err *err);
/* The next piece of the entry's stored bytes, good until the next call; empty at its end. */
int tar_data(struct tar *tar, struct slice *ret, struct err *err);

#endif
