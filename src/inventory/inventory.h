/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From files of an image to packages: one reader for each package database, picked by the path
 * alone. A reader sees one file and knows nothing of layers or of the distribution, which may stand
 * in another layer: packages come without a release, and scan/ gives it to them.
 *
 * Readers take bytes from strangers: they are pure, do not touch the disk but through the blob, and
 * stay within LIMIT_INVENTORY_*. A database that is there but damaged is an error, never an empty
 * list; one that lists no package is told so by its count.
 */
#ifndef CAREEN_INVENTORY_INVENTORY_H
#define CAREEN_INVENTORY_INVENTORY_H

#include "base/arena.h"
#include "codec/blob.h"
#include "model/package.h"

struct found_package {
    struct package package; /* release and channel empty */
    struct slice licence;   /* as the database words it; empty when it does not */
};

/* A licence from another file than the database (Debian's copyright files): of the package of this
 * name, whichever file lists it. */
struct found_licence {
    struct slice package, licence;
};

/* What one file told. All texts are in the arena. */
struct inventory {
    struct arena arena;
    struct found_package *packages; /* heap */
    size_t package_count, package_cap;
    struct found_licence *licences; /* heap */
    size_t licence_count, licence_cap;
    /* The distribution's release ("debian-12", model/distro.h); empty when the file tells none. */
    struct slice os_release;
    /* Of os-release and its cousins: a file of higher rank is believed before one of lower. */
    int os_rank;
};

void inventory_init(struct inventory *inventory);
void inventory_release(struct inventory *inventory);
/* For readers: copies every text. ERR_LIMIT at LIMIT_IMAGE_PACKAGES; ERR_INVALID, with the name,
 * for texts that no package may have (not UTF-8, control characters, too long, no name, no
 * version). Epochs of 0 and a source that is the package itself are left out; so is a licence that
 * is no line of text or longer than LIMIT_LICENCE_BYTES: it is told, but is no part of what a
 * package is. */
int inventory_add(struct inventory *inventory, const struct package *package, struct slice licence,
    struct err *err);
int inventory_add_licence(
    struct inventory *inventory, struct slice package, struct slice licence, struct err *err);

struct inventory_file {
    struct slice path; /* cleaned, as in image/image.h */
    const struct blob *content;
    const struct blob *beside; /* the file that the reader wants beside it, or NULL */
};

struct inventory_reader {
    const char
        *name; /* "dpkg", "apk", "rpm-sqlite", "os-release": static, and stable: it is stored */
    bool (*matches)(struct slice path);
    /* The suffix of a second file that is part of this one ("-wal"), or NULL. */
    const char *beside;
    int (*read)(const struct inventory_file *file, struct inventory *inventory, struct err *err);
};

/* The reader of a path, or NULL. Never two. */
const struct inventory_reader *inventory_reader_for(struct slice path);
/* By its name; NULL. */
const struct inventory_reader *inventory_reader_named(struct slice name);
/* Raised whenever any reader would tell other facts of the same bytes: caches go by it. */
enum { INVENTORY_VERSION = 1 };

#endif
