/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as a row of the table `image`, both ways.
 *
 * UUIDs and SHA-256 digests are most of such a row when they are text (36 and 71 bytes each). In
 * their usual form they are packed into blobs of 16 and 32 bytes; anything else stays text. Both
 * are told apart by their storage class, and nothing is lost.
 */
#include "store/sqlite/sqlite_store.h"

#include "codec/hash.h"

static const char digest_prefix[] = "sha256:";
enum { DIGEST_PREFIX_CHARS = sizeof(digest_prefix) - 1 };

/* hex_decode() takes either case; only lower case comes back the same. */
static bool is_lower(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'F')
            return false;
    return true;
}

static bool pack_digest(struct slice text, unsigned char packed[PACKED_BYTES])
{
    return text.len == DIGEST_PREFIX_CHARS + 2 * SHA256_BYTES && is_lower(text) &&
           slice_starts_with(text, digest_prefix) &&
           hex_decode(slice_skip(text, DIGEST_PREFIX_CHARS), packed, SHA256_BYTES);
}

void bind_packed(struct query *q, int at, struct slice text, unsigned char packed[PACKED_BYTES])
{
    if (uuid_decode(text, packed))
        query_bind_blob(q, at, (struct slice){(const char *)packed, UUID_BYTES});
    else if (pack_digest(text, packed))
        query_bind_blob(q, at, (struct slice){(const char *)packed, SHA256_BYTES});
    else
        query_bind_text(q, at, text);
}

static struct slice unpack(struct query *q, int column, char dst[PACKED_TEXT_BYTES])
{
    struct slice stored = query_blob(q, column);

    if (sqlite3_column_type(q->stmt, column) == SQLITE_TEXT)
        return query_text(q, column);
    if (stored.len == UUID_BYTES) {
        uuid_encode((const unsigned char *)stored.ptr, dst);
        return (struct slice){dst, UUID_TEXT_BYTES - 1};
    }
    if (stored.len == SHA256_BYTES) {
        memcpy(dst, digest_prefix, DIGEST_PREFIX_CHARS);
        hex_encode((const unsigned char *)stored.ptr, SHA256_BYTES, dst + DIGEST_PREFIX_CHARS);
        return (struct slice){dst, DIGEST_PREFIX_CHARS + 2 * SHA256_BYTES};
    }
    q->damaged = true;
    return SLICE_NONE;
}

static void read_placement(struct query *q, struct placement *ret)
{
    *ret = (struct placement){
        .type = (enum image_type)query_enum(q, 5, IMAGE_TYPE_COUNT),
        .enterprise_project = query_text(q, 6),
        .registry_type = query_text(q, 7),
        .registry_name = query_text(q, 8),
        .organization = query_text(q, 9),
        .cluster_id = query_text(q, 10),
        .cluster_name = query_text(q, 11),
        .agent_id = query_text(q, 12),
        .pipeline = query_text(q, 13),
        .containers = query_int(q, 14),
        .multi_arch = (int)query_int(q, 15),
    };
}

int image_row_read(struct query *q, struct image_row *row, struct image *ret, struct err *err)
{
    char id[PACKED_TEXT_BYTES];
    struct image image = {
        .number = query_id(q, 0),
        .project = query_id(q, 1),
        .latest = query_enum(q, 3, 2) == 1,
        .assessment = (enum assessment)query_enum(q, 4, ASSESSMENT_COUNT),
        .name = query_text(q, 16),
        .tag = query_text(q, 17),
        .digest = unpack(q, 18, row->digest),
        .config_digest = unpack(q, 19, row->config_digest),
        .os_release = query_text(q, 20),
        .architecture = query_text(q, 21),
        .size_bytes = query_int(q, 22),
        .first_seen_ms = query_int(q, 23),
        .latest_scan_ms = query_int(q, 24),
        .updated_ms = query_int(q, 25),
    };

    read_placement(q, &image.place);
    if (!slice_to_cstr(unpack(q, 2, id), image.id, sizeof(image.id)))
        q->damaged = true;
    if (query_check(q, err) < 0)
        return -1;
    *ret = image;
    return 0;
}

void image_row_bind(struct query *q, struct image_binding *binding, const struct image *image,
    const unsigned char line[16])
{
    const struct placement *place = &image->place;
    const struct slice texts[] = {place->enterprise_project, place->registry_type,
        place->registry_name, place->organization, place->cluster_id, place->cluster_name,
        place->agent_id, place->pipeline};

    query_bind_blob(q, 1, (struct slice){(const char *)line, 16});
    query_bind_int(q, 2, image->project);
    bind_packed(q, 3, slice_of(image->id), binding->id);
    query_bind_int(q, 4, image->latest);
    query_bind_int(q, 5, image->assessment);
    query_bind_int(q, 6, place->type);
    for (int i = 0; i < 8; i++)
        query_bind_text(q, 7 + i, texts[i]);
    query_bind_int(q, 15, place->containers);
    query_bind_int(q, 16, place->multi_arch);
    query_bind_text(q, 17, image->name);
    query_bind_text(q, 18, image->tag);
    bind_packed(q, 19, image->digest, binding->digest);
    bind_packed(q, 20, image->config_digest, binding->config_digest);
    query_bind_text(q, 21, image->os_release);
    query_bind_text(q, 22, image->architecture);
    query_bind_int(q, 23, image->size_bytes);
    query_bind_int(q, 24, image->first_seen_ms);
    query_bind_int(q, 25, image->latest_scan_ms);
    query_bind_int(q, 26, image->updated_ms);
}
