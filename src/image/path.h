/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of an archive, cleaned, and the whiteouts among them (image-spec, layer.md, Whiteouts). */
#ifndef CAREEN_IMAGE_PATH_H
#define CAREEN_IMAGE_PATH_H

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

/* Without leading and trailing '/', empty parts, "." and ".."; the root is "". Written into dst.
 * ERR_FORMAT when ".." leaves the root; ERR_LIMIT for LIMIT_LAYER_PATH_BYTES and _DEPTH. The
 * message names the path. */
int path_clean(
    struct slice path, char dst[LIMIT_LAYER_PATH_BYTES], struct slice *ret, struct err *err);

/* The folder of a cleaned path, and its last part. */
struct slice path_folder(struct slice path);
struct slice path_base(struct slice path);

enum path_mark {
    PATH_PLAIN,
    PATH_WHITEOUT, /* of the path in *ret */
    PATH_OPAQUE,   /* of the folder in *ret */
    PATH_IGNORED,  /* aufs's own: ".wh..wh.plnk" and the like */
};
/* What the name of a cleaned path means in a layer. *ret may be written into dst. ERR_FORMAT for a
 * whiteout that names nothing. */
int path_whiteout(struct slice path, char dst[LIMIT_LAYER_PATH_BYTES], enum path_mark *ret_mark,
    struct slice *ret, struct err *err);

/* A path fit for a message: no control characters, cut where it is long. Returns dst. */
enum { PATH_SHOWN_BYTES = 200 };
const char *path_show(struct slice path, char dst[PATH_SHOWN_BYTES]);

#endif
