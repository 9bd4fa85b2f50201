/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which paths of a layer matter. A file matters when a reader of the inventory knows its path, or
 * when it stands where a link leads that such a path goes through (an alias). What stands above
 * such files matters, too: a link there leads elsewhere, and a file or a whiteout there hides them.
 *
 * The readers know files by their paths; what stands above is told by a table of examples, one for
 * each kind of path. tests/unit/scan/interest_test.c holds the two together.
 */
#ifndef CAREEN_SCAN_INTEREST_H
#define CAREEN_SCAN_INTEREST_H

#include "base/buf.h"
#include "inventory/inventory.h"

/* What is at `real`, or below it, is also at (below) `as`, by links of the image. */
struct alias {
    struct slice real, as;
};

struct interest {
    const struct alias *aliases;
    size_t alias_count;
};

/* The reader of a file, or NULL. *as: the path under which the reader knows it: `path`, or one made
 * in scratch, good until the next call. */
const struct inventory_reader *interest_reader(
    const struct interest *interest, struct slice path, struct buf *scratch, struct slice *as);
/* Is it the second file of one that matters ("rpmdb.sqlite-wal")? */
bool interest_is_beside(const struct interest *interest, struct slice path, struct buf *scratch);

enum above {
    ABOVE_NOTHING,
    ABOVE_ONE_OF_MANY, /* one of any number of like folders: usr/share/doc/NAME */
    ABOVE_ALL,
};
/* May files that matter stand below this path? */
enum above interest_above(const struct interest *interest, struct slice path);

/* Does the file tell of the licence of one package, and of nothing else? Then it is not worth
 * reading every layer again. */
bool interest_is_licence(struct slice path);
/* A link of the image at `path` leads to `real`: would files that matter below `path` be missed, as
 * no reader knows them below `real`? */
bool interest_needs_alias(struct slice path, struct slice real, struct buf *scratch);

/* Is it a package database (dpkg's), and no file that tells of something else (os-release)? */
bool interest_lists_packages(const struct inventory_reader *reader);

/* The examples: NULL behind the last. "*" stands for one part of any name. */
const char *interest_example(size_t i);

#endif
