/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a pax extended header (POSIX.1-2001 pax, "pax Extended Header"), and sparse files
 * as GNU tar writes them into it (GNU tar manual, "Storing Sparse Files": 0.0, 0.1 and 1.0).
 */
#ifndef CAREEN_IMAGE_TAR_PAX_H
#define CAREEN_IMAGE_TAR_PAX_H

#include "image/tar_block.h"

enum tar_sparse {
    TAR_SPARSE_NONE,
    TAR_SPARSE_MAP,  /* 0.0 and 0.1: the parts stand in the header */
    TAR_SPARSE_DATA, /* 1.0: the parts stand in front of the data */
};

struct tar_parts {
    struct tar_part *at; /* owned */
    size_t count, cap;
};

/* The texts point into the header; those that no record sets are empty. */
struct tar_pax {
    struct slice path, linkpath;
    bool has_size, has_real_size;
    uint64_t size, real_size;
    enum tar_sparse sparse;
};

/* Reads the records of an extended header; of a key that stands there twice the last one counts, a
 * record without a value does not. *parts is overwritten with those of TAR_SPARSE_MAP. ERR_FORMAT,
 * ERR_UNSUPPORTED (a sparse version that is not known), ERR_LIMIT (LIMIT_TAR_SPARSE_PARTS). */
int tar_pax_read(
    struct slice header, struct tar_pax *ret, struct tar_parts *parts, struct err *err);
/* Of a global header: records that readers disagree about (a path, a size for all entries) are
 * ERR_UNSUPPORTED; the others say nothing that is needed. */
int tar_pax_check_global(struct slice header, struct err *err);

int tar_parts_add(struct tar_parts *parts, uint64_t offset, uint64_t size, struct err *err);
/* Are the parts in order, apart, within a file of that size, and of `stored` bytes together? */
bool tar_parts_fit(const struct tar_parts *parts, uint64_t size, uint64_t stored);
void tar_parts_release(struct tar_parts *parts);

#endif
