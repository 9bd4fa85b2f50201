/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts (image-spec, image-layout.md): index.json, and blobs/sha256/HEX that it leads
 * to. Every document but index.json is checked against the size and digest that led to it, before a
 * byte of it is parsed. So indexes cannot lead in circles; they can lead to one place many times,
 * which is why documents are counted.
 *
 * Left out, because they are no images: attestations, signatures, charts; and manifests that are
 * listed but are not there, as when a tool saves one platform of several. A manifest that says to
 * be an image but whose layers are of another type may be either, and is counted.
 */
#include "image/source.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "model/reference.h"

enum { BLOB_PATH_BYTES = 100 };

/* The names that led here; a nested index has none of its own. */
struct names {
    struct slice ref_name, image_name;
};

static int walk_index(struct image_source *source, const struct descriptors *manifests,
    const struct names *names, int depth, struct err *err);

/* "blobs/sha256/HEX", into dst. */
static int blob_path(const struct descriptor *descriptor, char dst[BLOB_PATH_BYTES],
    struct slice *ret, struct err *err)
{
    int len;

    if (slice_starts_with(descriptor->digest, "sha512:"))
        return err_set(err, ERR_UNSUPPORTED, "digests of SHA-512 are not read");
    if (!digest_is_valid(descriptor->digest))
        return err_set(err, ERR_FORMAT, "a digest that is no SHA-256");
    len = snprintf(dst, BLOB_PATH_BYTES, "blobs/sha256/%.*s",
        SLICE_FMT(slice_skip(descriptor->digest, strlen("sha256:"))));
    *ret = (struct slice){dst, (size_t)len};
    return 0;
}

/* Reads a document and checks that it is the one. */
static int read_document(struct image_source *source, const struct descriptor *descriptor,
    bool *ret_found, struct buf *ret, struct err *err)
{
    char bytes[BLOB_PATH_BYTES];
    struct slice path, digest;

    if (blob_path(descriptor, bytes, &path, err) != 0 ||
        place_read(&source->place, path, ret_found, ret, err) != 0)
        return -1;
    if (!*ret_found)
        return 0;
    if (ret->len != descriptor->size)
        return err_set(err, ERR_FORMAT, "%.*s has %zu bytes, not %llu", SLICE_FMT(path), ret->len,
            (unsigned long long)descriptor->size);
    if (source_digest(source, buf_slice(ret), &digest, err) != 0)
        return -1;
    if (!slice_eq(digest, descriptor->digest))
        return err_set(err, ERR_FORMAT, "%.*s is damaged: its digest is %.*s", SLICE_FMT(path),
            SLICE_FMT(digest));
    return 0;
}

static bool is_image_config(struct slice media_type)
{
    return media_type.len == 0 ||
           slice_is(media_type, "application/vnd.oci.image.config.v1+json") ||
           slice_is(media_type, "application/vnd.docker.container.image.v1+json");
}

static bool is_foreign(const struct descriptor *layer)
{
    return layer->has_urls || slice_contains(layer->media_type, SLICE("foreign")) ||
           slice_contains(layer->media_type, SLICE("nondistributable"));
}

static int take_layer(struct image_source *source, const struct descriptor *descriptor,
    struct layer *ret, struct slice *ret_path, struct err *err)
{
    struct place_file file CLEANUP(place_file_release) = {.fd = -1};
    char bytes[BLOB_PATH_BYTES];
    bool found = false;

    if (slice_ends_with(descriptor->media_type, "+encrypted"))
        return err_set(
            err, ERR_UNSUPPORTED, "the layer %.*s is encrypted", SLICE_FMT(descriptor->digest));
    if (blob_path(descriptor, bytes, ret_path, err) != 0 ||
        arena_dup(&source->arena, *ret_path, ret_path, err) != 0 ||
        place_open(&source->place, *ret_path, &found, &file, err) != 0)
        return -1;
    if (!found && is_foreign(descriptor))
        return err_set(err, ERR_UNSUPPORTED,
            "the layer %.*s is foreign: it has to be fetched from elsewhere",
            SLICE_FMT(descriptor->digest));
    if (!found)
        return err_set(
            err, ERR_FORMAT, "the layer %.*s is not there", SLICE_FMT(descriptor->digest));
    if (file.blob.size != descriptor->size)
        return err_set(err, ERR_FORMAT, "the layer %.*s has %llu bytes, not %llu",
            SLICE_FMT(descriptor->digest), (unsigned long long)file.blob.size,
            (unsigned long long)descriptor->size);
    *ret = (struct layer){.digest = descriptor->digest, .size_bytes = descriptor->size};
    return 0;
}

static int take_layers(struct image_source *source, const struct descriptors *layers,
    struct source_image *image, struct layer **ret, struct err *err)
{
    if (source_make_layers(source, layers->count, image, ret, err) != 0)
        return -1;
    for (size_t i = 0; i < layers->count; i++) {
        if (take_layer(source, &layers->at[i], &(*ret)[i], &image->layer_paths[i], err) != 0)
            return -1;
        image->manifest.size_bytes += layers->at[i].size;
    }
    return 0;
}

static int read_config(struct image_source *source, const struct descriptor *descriptor,
    struct image_config *ret, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    bool found = false;

    if (read_document(source, descriptor, &found, &text, err) != 0)
        return -1;
    if (!found)
        return err_set(
            err, ERR_FORMAT, "the config %.*s is not there", SLICE_FMT(descriptor->digest));
    if (image_config_read(buf_slice(&text), &source->arena, ret, err) != 0)
        return err_prefix(err, "the config %.*s", SLICE_FMT(descriptor->digest));
    return 0;
}

/* What annotations call it: a whole reference, or a tag alone (image-spec, annotations.md). */
static int take_name(struct image_source *source, const struct names *names,
    struct manifest *manifest, struct err *err)
{
    struct slice ref = names->ref_name, text;
    char *joined;

    if (names->image_name.len && source_name(names->image_name, manifest))
        return 0;
    if (slice_find_char(ref, ':') < ref.len || slice_find_char(ref, '/') < ref.len) {
        source_name(ref, manifest);
        return 0;
    }
    if (ref.len == 0)
        return 0;
    joined = arena_alloc(&source->arena, ref.len + 3, err);
    if (!joined)
        return -1;
    text = (struct slice){joined, (size_t)snprintf(joined, ref.len + 3, "x:%.*s", SLICE_FMT(ref))};
    source_name(text, manifest);
    manifest->name = SLICE_NONE;
    return 0;
}

static bool is_unknown(struct slice os, struct slice architecture)
{
    return slice_is(os, "unknown") && slice_is(architecture, "unknown");
}

/* What is said of an image, in the dress of one. */
static bool is_statement(struct slice type)
{
    static const char *const starts[] = {"application/vnd.in-toto", "application/vnd.dsse.",
        "application/vnd.dev.cosign.", "application/vnd.dev.sigstore."};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (slice_starts_with(type, starts[i]))
            return true;
    return false;
}

/* The type of a layer that is no tar; empty. */
static struct slice other_layer_type(const struct oci_document *document)
{
    for (size_t i = 0; i < document->layers.count; i++) {
        struct slice type = document->layers.at[i].media_type;

        if (type.len && !slice_contains(type, SLICE("tar")))
            return type;
    }
    return SLICE_NONE;
}

/* Which one, and why: of the first. */
static int leave_out(struct image_source *source, const struct descriptor *descriptor,
    const struct names *names, struct slice type, struct err *err)
{
    struct slice name = names->image_name.len ? names->image_name
                        : names->ref_name.len ? names->ref_name
                                              : descriptor->digest;
    size_t room = name.len + type.len + 32;
    char *text;

    if (source->left_out++)
        return 0;
    text = arena_alloc(&source->arena, room, err);
    if (!text)
        return -1;
    source->first_left_out.ptr = text;
    source->first_left_out.len = (size_t)snprintf(
        text, room, "%.*s (a layer of type %.*s)", SLICE_FMT(name), SLICE_FMT(type));
    return 0;
}

static int take_manifest(struct image_source *source, const struct oci_document *document,
    const struct descriptor *descriptor, const struct names *names, struct err *err)
{
    struct source_image image = {.manifest = {.digest = descriptor->digest,
                                     .config_digest = document->config.digest,
                                     .size_bytes = document->config.size}};
    struct image_config config = {0};
    struct slice other = other_layer_type(document);
    struct layer *layers = NULL;

    if (!is_image_config(document->config.media_type))
        return 0;
    if (is_statement(other))
        return 0;
    if (other.len)
        return leave_out(source, descriptor, names, other, err);
    if (read_config(source, &document->config, &config, err) != 0)
        return -1;
    if (config.os.len == 0)
        config.os = descriptor->os;
    if (config.architecture.len == 0) {
        config.architecture = descriptor->architecture;
        config.variant = descriptor->variant;
    }
    if (is_unknown(config.os, config.architecture))
        return 0;
    if (take_layers(source, &document->layers, &image, &layers, err) != 0 ||
        source_take_config(source, &config, &image.manifest, layers, err) != 0 ||
        take_name(source, names, &image.manifest, err) != 0)
        return -1;
    return source_add(source, &image, err);
}

static int take_document(struct image_source *source, const struct oci_document *document,
    const struct descriptor *descriptor, const struct names *names, int depth, struct err *err)
{
    if (document->is_schema1)
        return err_set(err, ERR_UNSUPPORTED,
            "Docker's first manifest schema is not read: push or save the image again");
    if (document->is_index)
        return walk_index(source, &document->manifests, names, depth + 1, err);
    if (document->is_manifest)
        return take_manifest(source, document, descriptor, names, err);
    return err_set(err, ERR_FORMAT, "it is neither an index nor a manifest");
}

/* Of types that are not known, nothing is to be thought (image-spec, image-index.md). */
static bool may_be_image(const struct descriptor *descriptor)
{
    static const char *const types[] = {"", "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws"};

    if (descriptor->is_attestation || is_unknown(descriptor->os, descriptor->architecture))
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_is(descriptor->media_type, types[i]))
            return true;
    return false;
}

static int follow(struct image_source *source, const struct descriptor *descriptor,
    const struct names *above, int depth, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    struct names names = {descriptor->ref_name, descriptor->image_name};
    struct oci_document document;
    bool found = false;

    if (!may_be_image(descriptor))
        return 0;
    if (++source->documents > LIMIT_IMAGE_DOCUMENTS)
        return err_set(err, ERR_LIMIT,
            "more than the limit of %d indexes and manifests (LIMIT_IMAGE_DOCUMENTS)",
            LIMIT_IMAGE_DOCUMENTS);
    if (names.ref_name.len == 0 && names.image_name.len == 0)
        names = *above;
    if (read_document(source, descriptor, &found, &text, err) != 0)
        return -1;
    if (!found) {
        source->missing++;
        return 0;
    }
    if (oci_document_read(buf_slice(&text), &source->arena, &document, err) != 0 ||
        take_document(source, &document, descriptor, &names, depth, err) != 0)
        return depth > 1 ? -1 : err_prefix(err, "%.*s", SLICE_FMT(descriptor->digest));
    return 0;
}

static int walk_index(struct image_source *source, const struct descriptors *manifests,
    const struct names *names, int depth, struct err *err)
{
    if (depth > LIMIT_IMAGE_INDEX_DEPTH)
        return err_set(err, ERR_LIMIT, "indexes in indexes, deeper than the limit of %d",
            LIMIT_IMAGE_INDEX_DEPTH);
    for (size_t i = 0; i < manifests->count; i++)
        if (follow(source, &manifests->at[i], names, depth, err) != 0)
            return -1;
    return 0;
}

int oci_layout_read(struct image_source *source, struct err *err)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(LIMIT_IMAGE_DOCUMENT_BYTES);
    static const struct names none;
    struct oci_document document;
    bool found = false;

    if (place_read(&source->place, SLICE("index.json"), &found, &text, err) != 0)
        return -1;
    if (!found)
        return err_set(err, ERR_FORMAT, "it is no OCI layout: there is no index.json");
    if (oci_document_read(buf_slice(&text), &source->arena, &document, err) != 0)
        return err_prefix(err, "index.json");
    if (!document.is_index)
        return err_set(err, ERR_FORMAT, "index.json lists no manifests");
    return walk_index(source, &document.manifests, &none, 1, err);
}
