/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of layouts and archives share; see source.h. */
#include "image/source.h"

#include "base/limits.h"
#include "codec/hash.h"
#include "model/reference.h"

int source_add(struct image_source *source, const struct source_image *image, struct err *err)
{
    void *moved;

    if (source->count >= LIMIT_IMAGE_MANIFESTS)
        return err_set(err, ERR_LIMIT, "more than the limit of %d images", LIMIT_IMAGE_MANIFESTS);
    moved = arena_grow(
        &source->arena, source->images, source->count, &source->cap, sizeof(*source->images), err);
    if (!moved)
        return -1;
    source->images = moved;
    source->images[source->count++] = *image;
    return 0;
}

int source_make_layers(struct image_source *source, size_t count, struct source_image *image,
    struct layer **ret, struct err *err)
{
    struct layer *layers = arena_alloc_array(&source->arena, count, sizeof(*layers), err);

    image->layer_paths = arena_alloc_array(&source->arena, count, sizeof(*image->layer_paths), err);
    if (!layers || !image->layer_paths)
        return -1;
    image->manifest.layers = layers;
    image->manifest.layer_count = count;
    *ret = layers;
    return 0;
}

static int join_variant(
    struct arena *arena, const struct image_config *config, struct slice *ret, struct err *err)
{
    char *text = arena_alloc(arena, config->architecture.len + config->variant.len + 2, err);
    int len;

    if (!text)
        return -1;
    len = snprintf(text, config->architecture.len + config->variant.len + 2, "%.*s/%.*s",
        SLICE_FMT(config->architecture), SLICE_FMT(config->variant));
    *ret = (struct slice){text, (size_t)len};
    return 0;
}

int source_take_config(struct image_source *source, const struct image_config *config,
    struct manifest *manifest, struct layer *layers, struct err *err)
{
    manifest->os = config->os;
    manifest->architecture = config->architecture;
    if (config->variant.len && config->architecture.len &&
        join_variant(&source->arena, config, &manifest->architecture, err) != 0)
        return -1;
    if (config->diff_id_count != manifest->layer_count)
        return err_set(err, ERR_FORMAT, "%zu layers, but the config %.*s lists %zu",
            manifest->layer_count, SLICE_FMT(manifest->config_digest), config->diff_id_count);
    for (size_t i = 0; i < manifest->layer_count; i++) {
        if (!digest_is_valid(config->diff_ids[i]))
            return err_set(err, ERR_FORMAT, "the config %.*s has a diff_id that is no SHA-256",
                SLICE_FMT(manifest->config_digest));
        layers[i].diff_id = config->diff_ids[i];
    }
    return 0;
}

bool source_name(struct slice reference, struct manifest *manifest)
{
    struct reference parsed;
    struct err ignored;

    if (reference_parse(reference, &parsed, &ignored) != 0)
        return false;
    manifest->name = parsed.name;
    manifest->tag = parsed.tag;
    return true;
}

int source_digest(
    struct image_source *source, struct slice bytes, struct slice *ret, struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    char text[DIGEST_TEXT_BYTES];

    sha256(bytes, digest);
    digest_write(digest, text);
    return arena_dup(&source->arena, slice_of(text), ret, err);
}

int source_check_any(const struct image_source *source, struct err *err)
{
    if (source->count)
        return 0;
    if (source->left_out)
        return err_set(err, ERR_NOT_FOUND, "there is no image in it that can be read: not %.*s",
            SLICE_FMT(source->first_left_out));
    if (source->missing)
        return err_set(err, ERR_NOT_FOUND,
            "there is no image in it: of what it lists, %zu are not there", source->missing);
    return err_set(err, ERR_NOT_FOUND, "there is no image in it");
}
