/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of one file of a tar, put together where it can be read at any place: in memory up to
 * LIMIT_LAYER_CONTENT_MEMORY, in a scratch file beyond. Holes of sparse files are zeros.
 */
#ifndef CAREEN_IMAGE_CONTENT_H
#define CAREEN_IMAGE_CONTENT_H

#include "codec/blob.h"
#include "image/path.h"
#include "image/tar.h"

struct content {
    unsigned char *memory; /* owned; used again from one file to the next */
    int fd;                /* owned; -1 */
    char name[PATH_SHOWN_BYTES];
};

void content_init(struct content *content);
void content_close(struct content *content);
/* Reads the data of the entry that the tar stands at. The blob, whose name is the entry's path, is
 * good until the next call. ERR_LIMIT for LIMIT_LAYER_CONTENT_BYTES and without a scratch folder
 * (-1), errors of the tar and of writing. */
int content_read(struct content *content, struct tar *tar, const struct tar_entry *entry,
    int scratch_fd, struct blob *ret, struct err *err);

#endif
