// room: image
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole archives, and the JSON documents of images: bytes that are no tar are read as each of the
 * documents. What an archive lists must be fit to be shown and read.
 */
#include "image/documents.h"
#include "image/image.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/limits.h"

static int on_entry(void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    (void)ctx;
    (void)err;
    BUG_ON(slice_starts_with(entry->path, "/") || slice_ends_with(entry->path, "/"));
    *ret_wanted = entry->size < 4096;
    return 0;
}

static int on_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    (void)ctx;
    (void)err;
    BUG_ON(content->size != entry->size);
    return 0;
}

static void read_archive(const uint8_t *data, size_t size)
{
    static const struct layer_visitor visitor = {.entry = on_entry, .content = on_content};
    struct source_options options = {.scratch_fd = -1};
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct image_source *source;
    char path[64];
    struct err err;

    BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    source = image_open(path, &options, &err);
    BUG_ON(source && image_count(source) == 0);
    for (size_t i = 0; source && i < image_count(source) && i < 4; i++) {
        const struct manifest *manifest = image_at(source, i);

        for (size_t layer = 0; layer < manifest->layer_count && layer < 4; layer++)
            (void)image_read_layer(source, manifest, layer, &visitor, &err);
    }
    image_close(source);
    close(fd);
}

static void read_documents(struct slice json)
{
    struct arena arena;
    struct oci_document document;
    struct image_config config;
    struct saved_images saved;
    struct err err;

    arena_init(&arena, "the fuzzer", LIMIT_IMAGE_MEMORY_BYTES);
    (void)oci_document_read(json, &arena, &document, &err);
    (void)image_config_read(json, &arena, &config, &err);
    (void)saved_images_read(json, &arena, &saved, &err);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 512)
        read_archive(data, size);
    if (size == 0 || data[0] == '{' || data[0] == '[')
        read_documents((struct slice){(const char *)data, size});
    return 0;
}
