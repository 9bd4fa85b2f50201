/* SPDX-License-Identifier: Apache-2.0 */
/* See documents.h. Each reader is a walk with json_reader.h, checked once at its end. */
#include "image/documents.h"

#include "base/limits.h"
#include "codec/json_reader.h"

/* Room for one more element, zeroed, at the end of an array in the arena: where the array is then;
 * NULL when the reader has failed. */
static void *grow(struct json_reader *r, struct arena *arena, void *array, size_t count,
    size_t *cap, size_t size, size_t most, const char *what)
{
    struct err why;
    char *moved;

    if (count >= most) {
        json_fail(r, ERR_LIMIT, "more than the limit of %zu %s", most, what);
        return NULL;
    }
    moved = arena_grow(arena, array, count, cap, size, &why);
    if (!moved) {
        json_fail_with(r, &why);
        return NULL;
    }
    memset(moved + count * size, 0, size);
    return moved;
}

static void read_strings(struct json_reader *r, struct arena *arena, struct slice **array,
    size_t *count, size_t *cap, size_t most, const char *what)
{
    json_begin_array(r);
    while (json_next_element(r)) {
        struct slice *moved = grow(r, arena, *array, *count, cap, sizeof(*moved), most, what);

        if (!moved)
            return;
        *array = moved;
        json_read_string(r, arena, &moved[(*count)++]);
    }
}

static void read_platform(struct json_reader *r, struct arena *arena, struct descriptor *ret)
{
    struct slice key;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "os"))
            json_read_string(r, arena, &ret->os);
        else if (slice_is(key, "architecture"))
            json_read_string(r, arena, &ret->architecture);
        else if (slice_is(key, "variant"))
            json_read_string(r, arena, &ret->variant);
        else
            json_skip(r);
    }
}

static void read_annotations(struct json_reader *r, struct arena *arena, struct descriptor *ret)
{
    struct slice key, type = SLICE_NONE;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "org.opencontainers.image.ref.name"))
            json_read_string(r, arena, &ret->ref_name);
        else if (slice_is(key, "io.containerd.image.name"))
            json_read_string(r, arena, &ret->image_name);
        else if (slice_is(key, "vnd.docker.reference.type") && json_peek_string(r, &type))
            ret->is_attestation = slice_is(type, "attestation-manifest");
        else
            json_skip(r);
    }
}

static void read_descriptor(struct json_reader *r, struct arena *arena, struct descriptor *ret)
{
    struct slice key;
    int64_t size = 0;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "mediaType"))
            json_read_string(r, arena, &ret->media_type);
        else if (slice_is(key, "digest"))
            json_read_string(r, arena, &ret->digest);
        else if (slice_is(key, "size")) {
            if (json_read_i64(r, &size) && size < 0)
                json_fail(r, ERR_INVALID, "a size below 0");
        } else if (slice_is(key, "platform"))
            read_platform(r, arena, ret);
        else if (slice_is(key, "annotations"))
            read_annotations(r, arena, ret);
        else if (slice_is(key, "urls")) {
            json_begin_array(r);
            while (json_next_element(r)) {
                ret->has_urls = true;
                json_skip(r);
            }
        } else
            json_skip(r);
    }
    ret->size = (uint64_t)size;
}

static void read_descriptors(struct json_reader *r, struct arena *arena, size_t most,
    const char *what, struct descriptors *ret)
{
    ret->count = 0; /* where a key stands twice the last one counts */
    json_begin_array(r);
    while (json_next_element(r)) {
        struct descriptor *moved =
            grow(r, arena, ret->at, ret->count, &ret->cap, sizeof(*moved), most, what);

        if (!moved)
            return;
        ret->at = moved;
        read_descriptor(r, arena, &moved[ret->count++]);
    }
}

static void read_oci_document(struct json_reader *r, struct arena *arena, void *out)
{
    struct oci_document *ret = out;
    bool has_config = false, has_layers = false;
    struct slice key;
    int64_t version = 2;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "manifests")) {
            ret->is_index = true;
            read_descriptors(
                r, arena, LIMIT_IMAGE_MANIFESTS, "manifests in an index", &ret->manifests);
        } else if (slice_is(key, "layers")) {
            has_layers = true;
            read_descriptors(r, arena, LIMIT_IMAGE_LAYERS, "layers of an image", &ret->layers);
        } else if (slice_is(key, "config")) {
            has_config = true;
            ret->config = (struct descriptor){0};
            read_descriptor(r, arena, &ret->config);
        } else if (slice_is(key, "schemaVersion")) {
            json_read_i64(r, &version);
        } else {
            json_skip(r);
        }
    }
    ret->is_schema1 = version == 1;
    ret->is_manifest = has_config && has_layers && !ret->is_index;
}

static void read_rootfs(struct json_reader *r, struct arena *arena, struct image_config *ret)
{
    struct slice key;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "diff_ids")) {
            ret->diff_id_count = 0;
            read_strings(r, arena, &ret->diff_ids, &ret->diff_id_count, &ret->diff_id_cap,
                LIMIT_IMAGE_LAYERS, "layers of an image");
        } else {
            json_skip(r);
        }
    }
}

static void read_image_config(struct json_reader *r, struct arena *arena, void *out)
{
    struct image_config *ret = out;
    struct slice key;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "os"))
            json_read_string(r, arena, &ret->os);
        else if (slice_is(key, "architecture"))
            json_read_string(r, arena, &ret->architecture);
        else if (slice_is(key, "variant"))
            json_read_string(r, arena, &ret->variant);
        else if (slice_is(key, "rootfs"))
            read_rootfs(r, arena, ret);
        else
            json_skip(r);
    }
}

static void read_saved_image(struct json_reader *r, struct arena *arena, struct saved_image *ret)
{
    struct slice key;

    json_begin_object(r);
    while (json_next_key(r, &key)) {
        if (slice_is(key, "Config")) {
            json_read_string(r, arena, &ret->config);
        } else if (slice_is(key, "Layers")) {
            ret->layer_count = 0;
            read_strings(r, arena, &ret->layers, &ret->layer_count, &ret->layer_cap,
                LIMIT_IMAGE_LAYERS, "layers of an image");
        } else if (slice_is(key, "RepoTags")) {
            ret->tag_count = 0;
            read_strings(r, arena, &ret->tags, &ret->tag_count, &ret->tag_cap,
                LIMIT_IMAGE_MANIFESTS, "tags of an image");
        } else {
            json_skip(r);
        }
    }
}

static void read_saved_images(struct json_reader *r, struct arena *arena, void *out)
{
    struct saved_images *ret = out;

    json_begin_array(r);
    while (json_next_element(r)) {
        struct saved_image *moved = grow(r, arena, ret->at, ret->count, &ret->cap, sizeof(*moved),
            LIMIT_IMAGE_MANIFESTS, "images in an archive");

        if (!moved)
            return;
        ret->at = moved;
        read_saved_image(r, arena, &moved[ret->count++]);
    }
}

/* *out: a zeroed document of the kind that read() fills in. */
static int read_document(struct slice json, struct arena *arena,
    void (*read)(struct json_reader *, struct arena *, void *), void *out, struct err *err)
{
    struct stream *in = stream_open_memory(json, err);
    struct json_reader *r = in ? json_reader_new(in, err) : NULL;
    int result = -1;

    if (r) {
        read(r, arena, out);
        result = json_reader_finish(r, err);
    }
    json_reader_free(r);
    stream_close(in);
    return result;
}

int oci_document_read(
    struct slice json, struct arena *arena, struct oci_document *ret, struct err *err)
{
    struct oci_document document = {0};

    if (read_document(json, arena, read_oci_document, &document, err) != 0)
        return -1;
    *ret = document;
    return 0;
}

int image_config_read(
    struct slice json, struct arena *arena, struct image_config *ret, struct err *err)
{
    struct image_config config = {0};

    if (read_document(json, arena, read_image_config, &config, err) != 0)
        return -1;
    *ret = config;
    return 0;
}

int saved_images_read(
    struct slice json, struct arena *arena, struct saved_images *ret, struct err *err)
{
    struct saved_images images = {0};

    if (read_document(json, arena, read_saved_images, &images, err) != 0)
        return -1;
    *ret = images;
    return 0;
}
