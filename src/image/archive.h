/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar file as a folder of blobs: its headers are read once, and tell where the data of each file
 * stands. Nothing is unpacked, but an archive under gzip or zstd as a whole, of which the tar is
 * put into the scratch folder.
 */
#ifndef CAREEN_IMAGE_ARCHIVE_H
#define CAREEN_IMAGE_ARCHIVE_H

#include "base/arena.h"
#include "codec/blob.h"

struct archive;

/* Takes over fd, a regular file, also on failure. name: kept. ERR_UNSUPPORTED for what is no tar,
 * ERR_FORMAT for one that is damaged, ERR_LIMIT (LIMIT_IMAGE_ARCHIVE_*, LIMIT_IMAGE_MEMORY_BYTES).
 */
struct archive *archive_open(int fd, const char *name, int scratch_fd, struct err *err);
/* Puts what comes from a pipe into a scratch file, unpacked, for archive_open(): its descriptor, or
 * -1. Takes over in_fd. ERR_LIMIT for LIMIT_IMAGE_ARCHIVE_BYTES, and without a scratch folder. */
int archive_spool(int in_fd, const char *name, int scratch_fd, struct err *err);
void archive_close(struct archive *archive); /* accepts NULL */
/* The file with this cleaned path: the last one of that name. Links are followed within the
 * archive. *ret_found is false when there is none. The blob is good until the archive is closed.
 * ERR_FORMAT for a path or a link that leaves the archive, or a loop of links. */
int archive_find(const struct archive *archive, struct slice path, bool *ret_found,
    struct blob *ret, struct err *err);

#endif
