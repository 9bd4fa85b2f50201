/* SPDX-License-Identifier: Apache-2.0 */
/* Opening images: see image.h. Being built: every target is refused by name as yet. */
#include "image/image.h"

struct image_source {
    enum source_kind kind;
};

struct image_source *image_open(
    const char *target, const struct source_options *options, struct err *err)
{
    (void)options;
    err_set(err, ERR_UNSUPPORTED, "%s: images are not read yet", target);
    return NULL;
}

void image_close(struct image_source *source)
{
    free(source);
}

enum source_kind image_source_kind(const struct image_source *source)
{
    return source->kind;
}

size_t image_count(const struct image_source *source)
{
    (void)source;
    return 0;
}

const struct manifest *image_at(const struct image_source *source, size_t i)
{
    (void)source;
    (void)i;
    return NULL;
}

int image_read_layer(struct image_source *source, const struct manifest *manifest, size_t layer,
    const struct layer_visitor *visitor, struct err *err)
{
    (void)source;
    (void)manifest;
    (void)layer;
    (void)visitor;
    return err_set(err, ERR_UNSUPPORTED, "layers are not read yet");
}
