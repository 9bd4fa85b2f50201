/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images for tests, as tars in memory: docker-archives and OCI layouts of layers that are given as
 * they are. image_make_file() puts one where image_open() finds it.
 */
#ifndef CAREEN_TESTS_IMAGE_MAKE_H
#define CAREEN_TESTS_IMAGE_MAKE_H

#include "image/image.h"
#include "model/reference.h"
#include "support/tar_make.h"

#include <sys/mman.h>
#include <unistd.h>

enum { IMAGE_MAKE_BYTES = 1 << 24 };

/* "sha256:...", into dst. */
static inline const char *digest_text(struct slice bytes, char dst[DIGEST_TEXT_BYTES])
{
    unsigned char digest[SHA256_BYTES];

    sha256(bytes, digest);
    digest_write(digest, dst);
    return dst;
}

/* A config that lists these layers, which are not compressed. */
static inline void image_make_config(
    struct buf *out, const char *architecture, const struct slice *layers, size_t count)
{
    char digest[DIGEST_TEXT_BYTES];

    buf_printf(
        out, "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"diff_ids\":[", architecture);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", digest_text(layers[i], digest));
    buf_put_cstr(out, "]}}");
}

/* Puts a blob of an OCI layout into its tar, and its descriptor, with `more` members, into
 * *descriptor. */
static inline void image_make_blob(struct buf *tar, struct slice bytes, const char *media_type,
    const char *more, struct buf *descriptor)
{
    char digest[DIGEST_TEXT_BYTES], path[100];

    digest_text(bytes, digest);
    snprintf(path, sizeof(path), "blobs/sha256/%s", digest + 7);
    tar_put_file(tar, path, bytes);
    buf_printf(descriptor, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", media_type,
        digest, bytes.len, more);
}

#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"

/* An image of an OCI layout: its blobs, and the descriptor of its manifest. */
static inline void image_make_oci(struct buf *tar, const char *architecture,
    const struct slice *layers, size_t count, const char *more, struct buf *descriptor)
{
    struct buf config = BUF_INIT(IMAGE_MAKE_BYTES), manifest = BUF_INIT(IMAGE_MAKE_BYTES);

    image_make_config(&config, architecture, layers, count);
    buf_put_cstr(&manifest, "{\"schemaVersion\":2,\"config\":");
    image_make_blob(tar, buf_slice(&config), OCI_CONFIG, "", &manifest);
    buf_put_cstr(&manifest, ",\"layers\":[");
    for (size_t i = 0; i < count; i++) {
        buf_put_cstr(&manifest, i ? "," : "");
        image_make_blob(tar, layers[i], OCI_LAYER, "", &manifest);
    }
    buf_put_cstr(&manifest, "]}");
    image_make_blob(tar, buf_slice(&manifest), OCI_MANIFEST, more, descriptor);
    buf_release(&config);
    buf_release(&manifest);
}

/* index.json with these descriptors. */
static inline void image_make_index(struct buf *tar, const char *descriptors)
{
    struct buf text = BUF_INIT(IMAGE_MAKE_BYTES);

    buf_printf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}", descriptors);
    tar_put_file(tar, "index.json", buf_slice(&text));
    buf_release(&text);
}

/* A file without a name, with these bytes, and a path that leads to it until it is closed. */
static inline int image_make_file(const struct buf *bytes, char path[64])
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* Opens what the tar says, which is ended first. */
static inline struct image_source *image_make_open(struct buf *tar, struct err *err)
{
    const struct source_options options = {.scratch_fd = -1, .input_fd = -1};
    struct image_source *source;
    char path[64];
    int fd;

    tar_put_end(tar);
    fd = image_make_file(tar, path);
    source = image_open(path, &options, err);
    close(fd);
    return source;
}

#endif
