/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a root folder, as if it were a layer. */
#ifndef CAREEN_IMAGE_FOLDER_H
#define CAREEN_IMAGE_FOLDER_H

#include "image/image.h"

/* Walks the tree below an open folder, as far as the visitor enters it: no link is followed, no
 * other file system entered, nothing opened that is no regular file or folder. Names have no
 * meaning as whiteouts here. What goes away meanwhile is left out. ERR_DENIED for a folder, or a
 * file that is wanted, that may not be read; ERR_LIMIT as of layers; ERR_IO. */
int folder_read(int folder_fd, const struct layer_visitor *visitor, struct err *err);

#endif
