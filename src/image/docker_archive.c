/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `docker save` writes (moby, image/tarexport): manifest.json lists images, each with the
 * paths of its config and layers in the archive. Older ones have a folder for each layer, and links
 * between them where layers are the same; since Docker 25 the files stand as in an OCI layout, with
 * an index.json beside manifest.json. Podman, skopeo, kaniko and Bazel write the same with names of
 * their own. An image with several tags is listed once for each.
 */
#include "image/source.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "codec/hash.h"
#include "image/path.h"
#include "model/reference.h"

/* "blobs/sha256/HEX", "sha256:HEX", "HEX.json", "HEX": the hex, or nothing. */
static struct slice hex_of(struct slice path)
{
    struct slice base = path_base(path);
    unsigned char ignored[SHA256_BYTES];

    if (slice_starts_with(base, "sha256:"))
        base = slice_skip(base, strlen("sha256:"));
    base = slice_pull_until(&base, '.');
    return hex_decode(base, ignored, sizeof(ignored)) ? base : SLICE_NONE;
}

/* A path of manifest.json, cleaned, in the arena. */
static int take_path(
    struct image_source *source, struct slice path, struct slice *ret, struct err *err)
{
    char cleaned[LIMIT_LAYER_PATH_BYTES];

    if (path_clean(path, cleaned, &path, err) != 0)
        return err_prefix(err, "manifest.json");
    return arena_dup(&source->arena, path, ret, err);
}

static int fail_missing(struct slice path, struct err *err)
{
    char shown[PATH_SHOWN_BYTES];

    return err_set(err, ERR_FORMAT, "manifest.json names %s, which is not in the archive",
        path_show(path, shown));
}

static int take_layer(struct image_source *source, struct slice path, struct layer *ret,
    struct slice *ret_path, struct err *err)
{
    struct place_file file CLEANUP(place_file_release) = {.fd = -1};
    bool found = false;

    if (take_path(source, path, ret_path, err) != 0 ||
        place_open(&source->place, *ret_path, &found, &file, err) != 0)
        return -1;
    if (!found)
        return fail_missing(*ret_path, err);
    ret->size_bytes = file.blob.size;
    /* Other names may have the hex of anything. */
    if (slice_starts_with(*ret_path, "blobs/sha256/") && hex_of(*ret_path).len) {
        char digest[sizeof("sha256:") + 2 * SHA256_BYTES];

        snprintf(digest, sizeof(digest), "sha256:%.*s", SLICE_FMT(hex_of(*ret_path)));
        return arena_dup(&source->arena, slice_of(digest), &ret->digest, err);
    }
    return 0;
}

static int take_layers(struct image_source *source, const struct saved_image *saved,
    struct source_image *image, struct layer **ret, struct err *err)
{
    if (source_make_layers(source, saved->layer_count, image, ret, err) != 0)
        return -1;
    for (size_t i = 0; i < saved->layer_count; i++) {
        if (take_layer(source, saved->layers[i], &(*ret)[i], &image->layer_paths[i], err) != 0)
            return -1;
        image->manifest.size_bytes += (*ret)[i].size_bytes;
    }
    return 0;
}

static int read_config(struct image_source *source, struct slice path, struct manifest *manifest,
    struct image_config *ret, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    struct slice hex = hex_of(path);
    bool found = false;

    if (take_path(source, path, &path, err) != 0 ||
        place_read(&source->place, path, &found, &text, err) != 0)
        return -1;
    if (!found)
        return fail_missing(path, err);
    if (source_digest(source, buf_slice(&text), &manifest->config_digest, err) != 0)
        return -1;
    if (hex.len && !slice_eq(hex, slice_skip(manifest->config_digest, strlen("sha256:"))))
        return err_set(err, ERR_FORMAT, "the config %.*s is damaged: its digest is %.*s",
            SLICE_FMT(hex), SLICE_FMT(manifest->config_digest));
    if (image_config_read(buf_slice(&text), &source->arena, ret, err) != 0)
        return err_prefix(err, "the config %.*s", SLICE_FMT(manifest->config_digest));
    manifest->size_bytes += text.len;
    return 0;
}

/* Adds it under each of its tags, or once without a name. */
static int add_tagged(struct image_source *source, struct source_image *image,
    const struct saved_image *saved, struct err *err)
{
    if (saved->tag_count == 0)
        return source_add(source, image, err);
    for (size_t i = 0; i < saved->tag_count; i++) {
        if (!source_name(saved->tags[i], &image->manifest))
            return err_set(err, ERR_FORMAT, "manifest.json: a tag that is no reference");
        if (source_add(source, image, err) != 0)
            return -1;
    }
    return 0;
}

static int take_image(struct image_source *source, const struct saved_image *saved, struct err *err)
{
    struct source_image image = {0};
    struct image_config config = {0};
    struct layer *layers = NULL;

    if (read_config(source, saved->config, &image.manifest, &config, err) != 0 ||
        take_layers(source, saved, &image, &layers, err) != 0 ||
        source_take_config(source, &config, &image.manifest, layers, err) != 0)
        return -1;
    return add_tagged(source, &image, saved, err);
}

static int read_manifest_json(
    struct image_source *source, struct saved_images *ret, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    bool found = false;

    if (place_read(&source->place, SLICE("manifest.json"), &found, &text, err) != 0)
        return -1;
    if (!found)
        return err_set(err, ERR_FORMAT, "it is no docker-archive: there is no manifest.json");
    if (saved_images_read(buf_slice(&text), &source->arena, ret, err) != 0)
        return err_prefix(err, "manifest.json");
    return 0;
}

/* ---- An OCI layout with a manifest.json beside it ---- */

static bool is_config_of(const struct manifest *manifest, const struct saved_image *saved)
{
    struct slice hex = hex_of(saved->config);

    return hex.len && slice_eq(hex, slice_skip(manifest->config_digest, strlen("sha256:")));
}

/* "docker.io/library/alpine:3.10" is called "alpine:3.10" where manifest.json has that. */
static void take_spelling(struct manifest *manifest, const struct saved_image *saved)
{
    for (size_t i = 0; i < saved->tag_count; i++) {
        struct manifest named = *manifest;

        if (source_name(saved->tags[i], &named) && slice_eq(named.tag, manifest->tag) &&
            slice_eq(reference_repository(named.name), reference_repository(manifest->name))) {
            *manifest = named;
            return;
        }
    }
}

/* The image has no name in the index: it gets its tags here, and is listed once for each. */
static int take_tags(
    struct image_source *source, size_t at, const struct saved_image *saved, struct err *err)
{
    struct source_image copy = source->images[at];

    for (size_t i = 0; i < saved->tag_count; i++) {
        if (!source_name(saved->tags[i], &copy.manifest))
            return err_set(err, ERR_FORMAT, "manifest.json: a tag that is no reference");
        if (i == 0)
            source->images[at] = copy;
        else if (source_add(source, &copy, err) != 0)
            return -1;
    }
    return 0;
}

static int name_images(
    struct image_source *source, const struct saved_image *saved, struct err *err)
{
    size_t count = source->count;
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        struct manifest *manifest = &source->images[i].manifest;

        if (!is_config_of(manifest, saved))
            continue;
        found = true;
        if (manifest->name.len)
            take_spelling(manifest, saved);
        else if (take_tags(source, i, saved, err) != 0)
            return -1;
    }
    /* Programs that load the archive may go by either: whatever may run is to be looked at. */
    return found ? 0 : take_image(source, saved, err);
}

int docker_archive_read(struct image_source *source, struct err *err)
{
    struct saved_images saved = {0};

    if (read_manifest_json(source, &saved, err) != 0)
        return -1;
    for (size_t i = 0; i < saved.count; i++)
        if (name_images(source, &saved.at[i], err) != 0)
            return -1;
    return 0;
}
