/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of an image stand: a tar, or a folder. */
#ifndef CAREEN_IMAGE_PLACE_H
#define CAREEN_IMAGE_PLACE_H

#include "base/buf.h"
#include "image/archive.h"

struct place {
    struct archive *archive; /* owned; NULL: a folder */
    int folder_fd;           /* owned; -1 */
    const char *name;        /* kept */
};

void place_release(struct place *place);

/* A file of the place, opened. */
struct place_file {
    struct blob blob;
    int fd; /* owned; -1: the blob reads from the archive */
};
void place_file_release(struct place_file *file);
/* By a path of names and '/' alone. *ret_found is false when there is no such file. Links are
 * followed within an archive, and are errors in a folder (ERR_FORMAT). Any thread. */
int place_open(const struct place *place, struct slice path, bool *ret_found,
    struct place_file *ret, struct err *err);
/* All of a JSON document, into *ret, which is cleared first. ERR_LIMIT for
 * LIMIT_IMAGE_DOCUMENT_BYTES. */
int place_read(const struct place *place, struct slice path, bool *ret_found, struct buf *ret,
    struct err *err);

#endif
