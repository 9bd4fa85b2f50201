/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of layers on the disk, one file for each:
 *
 *     DIR/layers/sha256/ab/abcdef....FORMAT-INVENTORY[-ALIASES]
 *
 * by diff_id, the versions of what is in it, and (rarely) the aliases that it was gathered with. A
 * file comes to be under another name and is renamed, so that any number of processes may share a
 * folder; facts have a checksum, so what is damaged is not there. Nothing is ever synced: after a
 * power cut there may be less.
 */
#ifndef CAREEN_SCAN_CACHE_H
#define CAREEN_SCAN_CACHE_H

#include "base/buf.h"
#include "scan/interest.h"

enum { CACHE_NAME_BYTES = 160 };

/* Where the cache is by custom: $XDG_CACHE_HOME/careen, ~/.cache/careen, or (root without a home)
 * /var/cache/careen; into dst. False when there is no such place. */
bool cache_default_dir(char *dst, size_t cap);
/* Makes the folder, and those above it, when missing (mode 0700), and opens it. *ret is the
 * caller's to close. ERR_DENIED for a folder that everybody may write to: whoever writes there says
 * what is found. */
int cache_open(const char *dir, int *ret, struct err *err);

/* The file of a layer; false for a diff_id that is no "sha256:" and 64 lower-case hex digits. */
bool cache_name(struct slice diff_id, const struct interest *interest, char dst[CACHE_NAME_BYTES]);
/* Is it a name that cache_name() may give? For names from outside. */
bool cache_is_name(const char *name);
/* Appends the file to *out. False when it is not there, or cannot be read. Asks for nothing but
 * openat() in dir. */
bool cache_get(int dir, const char *name, struct buf *out);
int cache_put(int dir, const char *name, struct slice bytes, struct err *err);
/* It was of use just now. A file that is gone by now, or somebody else's, stays as it is. */
void cache_touch(int dir, const char *name);
/* Removes the files that were longest of no use (neither written nor touched) while all together
 * have more than max_bytes, and what a killed process left behind. *ret_bytes: what is left. */
int cache_trim(int dir, uint64_t max_bytes, uint64_t *ret_bytes, struct err *err);

#endif
