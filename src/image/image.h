/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from outside, opened and walked: docker-archive (docker save, old and new layouts), OCI
 * image layout (image-spec 1.1, image-layout.md) as a folder or a tar, and a root folder. Which it
 * is, is found by looking. An archive that is both of the first (docker save since 25) is read by
 * its OCI index, which states digests, and named as its manifest.json says.
 *
 * An open source lists its images, one for each platform and each name: indexes are always
 * descended, and what they list but the source does not hold is left out. A layer is read entry by
 * entry, in the order of its archive; what covers what is for the reader to work out
 * (scan/layering.h). Nothing is ever unpacked: contents that are wanted stand in memory while they
 * are small, and in an unlinked file of the scratch folder when they are not.
 *
 * Everything here takes bytes from strangers. Ceilings are LIMIT_LAYER_*, LIMIT_IMAGE_*.
 */
#ifndef CAREEN_IMAGE_IMAGE_H
#define CAREEN_IMAGE_IMAGE_H

#include "base/arena.h"
#include "codec/blob.h"

enum source_kind { SOURCE_DOCKER_ARCHIVE, SOURCE_OCI_LAYOUT, SOURCE_FOLDER };

struct source_options {
    /* "linux/arm64/v8", "arm64"; empty: every platform. An image that does not say its platform
     * passes only an empty one. */
    struct slice platform;
    int scratch_fd; /* a folder for unlinked files; -1: none, large contents are ERR_LIMIT */
    int input_fd;   /* what "-" reads to its end; it stays the caller's */
};

struct layer {
    struct slice digest;  /* "sha256:..." of the blob as stored; empty when nothing states one */
    struct slice diff_id; /* of its tar; empty for a folder */
    uint64_t size_bytes;  /* as stored */
};

/* One image for one platform. */
struct manifest {
    struct slice name, tag; /* what the source calls it; both may be empty */
    struct slice digest; /* "sha256:..." of the manifest; empty in a docker-archive without one */
    struct slice config_digest;    /* "sha256:..."; empty for a folder */
    struct slice os, architecture; /* "linux"; "amd64", "arm64/v8"; may be empty */
    uint64_t size_bytes;           /* layers as stored, and the config */
    const struct layer *layers;    /* lowest first */
    size_t layer_count;
};

struct image_source; /* owns everything that its manifests point at */

/* target: a path; "-" is an archive from options->input_fd, which is put into the scratch folder;
 * "dir:PATH", "docker-archive:PATH", "oci:PATH" and, as other tools write it, "oci-archive:PATH"
 * and "oci-dir:PATH" say what it has to be. Of an archive under gzip or zstd as a whole, the tar is
 * put into the scratch folder. Manifests and configs are read, and checked against their digests;
 * layers are not. Attestations (platform unknown/unknown) and artifacts that are no images are left
 * out. ERR_NOT_FOUND (no such file; no image for the platform: names those that there are),
 * ERR_FORMAT, ERR_INVALID, ERR_UNSUPPORTED (by name: docker schema 1, encrypted layers, foreign
 * layers, an archive of something else), ERR_LIMIT. */
struct image_source *image_open(
    const char *target, const struct source_options *options, struct err *err);
/* What of a target is its path. */
const char *image_target_path(const char *target);
/* Is it "-", whatever stands in front of it? */
bool image_target_is_input(const char *target);
void image_close(struct image_source *source); /* accepts NULL */
enum source_kind image_source_kind(const struct image_source *source);
/* In the order of the source. */
size_t image_count(const struct image_source *source);
const struct manifest *image_at(const struct image_source *source, size_t i);
/* How many manifests say to be images, but have layers of another type than tar and are not read:
 * new forms of layers. Signatures and attestations are not meant. *ret_first says which the first
 * is, and what type. */
size_t image_left_out(const struct image_source *source, struct slice *ret_first);

/* --- Layers ----------------------------------------------------------------------------------- */

enum entry_type {
    ENTRY_FILE,
    ENTRY_FOLDER,
    ENTRY_SYMLINK,  /* target: as written */
    ENTRY_HARDLINK, /* target: the path of another entry of the layer, cleaned */
    ENTRY_WHITEOUT, /* path: what is hidden in lower layers (image-spec, layer.md, Whiteouts) */
    ENTRY_OPAQUE,   /* path: the folder whose lower contents are hidden */
    ENTRY_OTHER,    /* devices, pipes */
};

struct layer_entry {
    enum entry_type type;
    /* Cleaned: no leading or trailing '/', no empty parts, no "." or ".."; ".." that would leave
     * the root is an error, as it is in a hard link's target. The root itself is "". */
    struct slice path;
    struct slice target;
    uint64_t size;
};

/* Both run on the thread that reads the layer. A content, and what an entry points at, is good
 * during the call only; the file of a content that is in one may be kept with dup(2). -1 ends the
 * walk with *err.
 *
 * What stands twice in a layer is told twice, in the order of the archive: the last one counts. An
 * entry below a path that is a link in the same layer is told as it is written. Of aufs's own
 * entries (".wh..wh.*"), and of types that no reader makes anything of, nothing is told. */
struct layer_visitor {
    /* Of every entry: *ret_wanted: hand me the content of this ENTRY_FILE. */
    int (*entry)(void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err);
    int (*content)(
        void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err);
    /* May anything below this folder, which was told of, matter? Where not, the walk of a root
     * folder does not go: it may be large, and not for everybody to read. An archive is read whole.
     * NULL: everything does. */
    bool (*enters)(void *ctx, struct slice folder);
    void *ctx;
};

/* Reads a layer of a manifest to its end and checks its diff_id and the digest of its blob, hashing
 * on a second thread; what the visitor was told before that is to be thrown away on failure. The
 * compression (gzip, zstd with a window up to LIMIT_ZSTD_WINDOW_BYTES, none) is found by looking,
 * not by the media type. Several threads may read several layers. ERR_FORMAT with the layer's
 * digest and the place, ERR_LIMIT, ERR_UNSUPPORTED. The "layer" of a folder is its tree, links not
 * followed, other file systems not entered. */
int image_read_layer(struct image_source *source, const struct manifest *manifest, size_t layer,
    const struct layer_visitor *visitor, struct err *err);

#endif
