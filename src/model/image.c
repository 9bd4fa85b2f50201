/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of images.
 *
 * A key is a row of texts; each is hashed by itself before the row is, so that no text can reach
 * into its neighbour ("a" "bc" against "ab" "c"), whatever it holds, and the key has one size:
 *
 *     key := SHA-256(label) SHA-256(field 1) ... SHA-256(field n)
 *
 * Image ids are in callers' scripts and must stay the same for ever: so must labels, the order of
 * the fields, the words for types and reference_repository().
 */
#include "model/image.h"

#include "model/reference.h"

enum { KEY_FIELDS = 8 };

struct key {
    unsigned char bytes[KEY_FIELDS * SHA256_BYTES];
    size_t len;
};

static void add_field(struct key *key, struct slice text)
{
    sha256(text, key->bytes + key->len);
    key->len += SHA256_BYTES;
}

static struct slice key_slice(const struct key *key)
{
    return (struct slice){(const char *)key->bytes, key->len};
}

struct slice image_where(const struct placement *place)
{
    switch (place->type) {
    case IMAGE_LOCAL:
        return place->agent_id;
    case IMAGE_REGISTRY:
        return place->registry_name;
    case IMAGE_CICD:
        return place->pipeline;
    case IMAGE_CLUSTER:
        return place->cluster_id;
    case IMAGE_TYPE_COUNT:
    default:
        return SLICE_NONE;
    }
}

/* What both keys begin with: label, project, enterprise project, type, where, repository, tag. */
static void add_common(
    struct key *key, const char *label, struct slice project_id, const struct image *image)
{
    const struct placement *place = &image->place;

    add_field(key, slice_of(label));
    add_field(key, project_id);
    add_field(key, place->enterprise_project.len ? place->enterprise_project : SLICE("0"));
    add_field(key, slice_of(words_name(&image_type_words, (int)place->type)));
    add_field(key, image_where(place));
    add_field(key, reference_repository(image->name));
    add_field(key, image->tag.len ? image->tag : SLICE("latest"));
}

void image_make_id(struct slice project_id, const struct image *image, char ret[UUID_TEXT_BYTES])
{
    struct key key = {.len = 0};

    add_common(&key, "image", project_id, image);
    add_field(&key, image->digest);
    uuid5(key_slice(&key), ret);
}

void image_line_key(struct slice project_id, const struct image *image, unsigned char ret[16])
{
    unsigned char digest[SHA256_BYTES];
    struct key key = {.len = 0};

    add_common(&key, "line", project_id, image);
    add_field(&key, image->architecture);
    sha256(key_slice(&key), digest);
    memcpy(ret, digest, 16);
}

int image_copy_strings(struct arena *arena, struct image *image, struct err *err)
{
    struct slice *strings[] = {&image->place.enterprise_project, &image->place.registry_type,
        &image->place.registry_name, &image->place.organization, &image->place.cluster_id,
        &image->place.cluster_name, &image->place.agent_id, &image->place.pipeline, &image->name,
        &image->tag, &image->digest, &image->config_digest, &image->os_release,
        &image->architecture};

    for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
        if (arena_dup(arena, *strings[i], strings[i], err) < 0)
            return -1;
    return 0;
}
