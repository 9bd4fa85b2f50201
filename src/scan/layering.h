/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers laid over each other (image-spec, layer.md): which package databases are visible in the
 * image, and which layer each of their packages came with. Layers are given from the top down, one
 * at a time: what an upper layer hides need not be remembered, only that it is hidden.
 *
 * A package came with the lowest layer from which on it is in every version of its database up to
 * the top: a layer that lacks it, or in which the database is gone, ends the row. Those of a
 * database that is a hard link to a file of lower layers came with the link.
 */
#ifndef CAREEN_SCAN_LAYERING_H
#define CAREEN_SCAN_LAYERING_H

#include "scan/facts.h"
#include "scan/interest.h"

struct layering; /* owns every text that it gives out */

struct layering_package {
    struct found_package found; /* release and channel empty */
    struct slice path;          /* of its database, as it stands in the layer */
    size_t layer;
};

struct layering *layering_new(struct err *err);
void layering_free(struct layering *layering); /* accepts NULL */
/* The next lower layer; numbers fall. The facts are the caller's. ERR_NOMEM, ERR_LIMIT; the error
 * of a damaged database that is visible. */
int layering_add(
    struct layering *layering, size_t layer, const struct layer_facts *facts, struct err *err);

/* Behind the lowest layer: where links lead. Appends to *ret (heap) the aliases that are missing in
 * `interest`: when there are any, every layer has to be gathered again, and laid anew. Their texts
 * are the layering's. ERR_LIMIT at LIMIT_SCAN_ALIASES. */
int layering_missing_aliases(struct layering *layering, const struct interest *interest,
    struct alias **ret, size_t *ret_count, struct err *err);
/* And then: packages get the licences that other files tell; in order of name, version, path.
 * ERR_FORMAT for a hard link to what is in no layer. */
int layering_finish(struct layering *layering, struct err *err);

/* After layering_finish(). */
size_t layering_package_count(const struct layering *layering);
const struct layering_package *layering_package(const struct layering *layering, size_t i);
/* The release that the best visible file tells; empty. */
struct slice layering_release(const struct layering *layering);
/* How many visible files list packages, empty ones included; and the path of one of them. */
size_t layering_databases(const struct layering *layering, struct slice *ret_path);

#endif
