/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers laid over each other (image-spec, layer.md): which package databases are visible in the
 * image, and which layer each of their packages came with. Layers are given from the top down, one
 * at a time: what an upper layer hides need not be remembered, only that it is hidden.
 *
 * A package came with the lowest layer from which on it is in every version of its database up to
 * the top: a layer that lacks it, or in which the database is gone, ends the row.
 */
#ifndef CAREEN_SCAN_OVERLAY_H
#define CAREEN_SCAN_OVERLAY_H

#include "scan/facts.h"
#include "scan/interest.h"

struct overlay; /* owns every text that it gives out */

struct overlay_package {
    struct found_package found; /* release and channel empty */
    struct slice path;          /* of its database, as it stands in the layer */
    size_t layer;
};

struct overlay *overlay_new(struct err *err);
void overlay_free(struct overlay *overlay); /* accepts NULL */
/* The next lower layer; numbers fall. The facts are the caller's. ERR_NOMEM, ERR_LIMIT; the error
 * of a damaged database that is visible. */
int overlay_add(struct overlay *overlay, size_t layer, const struct facts *facts, struct err *err);

/* Behind the lowest layer: where links lead. Appends to *ret (heap) the aliases that are missing in
 * `interest`: when there are any, every layer has to be gathered again, and laid anew. Their texts
 * are the overlay's. ERR_LIMIT at LIMIT_SCAN_ALIASES. */
int overlay_missing_aliases(struct overlay *overlay, const struct interest *interest,
    struct alias **ret, size_t *ret_count, struct err *err);
/* And then: packages get the licences that other files tell; in order of name, version, path. */
int overlay_finish(struct overlay *overlay, struct err *err);

/* After overlay_finish(). */
size_t overlay_package_count(const struct overlay *overlay);
const struct overlay_package *overlay_package(const struct overlay *overlay, size_t i);
/* The release that the best visible file tells; empty. */
struct slice overlay_release(const struct overlay *overlay);
/* How many visible files list packages, empty ones included; and the path of one of them. */
size_t overlay_databases(const struct overlay *overlay, struct slice *ret_path);

#endif
