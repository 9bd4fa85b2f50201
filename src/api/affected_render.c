/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings for every documented string field, times and size included, and bare integers for
 * total_num and container_num: anything else makes the Go and Java SDKs fail (contract,
 * section 1.4). What is not known is left out. Extra members, which all SDKs ignore, come last.
 */
#include "api/affected_render.h"

#include "api/affected_cursor.h"
#include "api/affected_facets.h"
#include "base/limits.h"

/* A row is members of its image and members of its own by turns. Those of the image are the same in
 * all of its rows, and most of the bytes. */

static void write_identity(struct json_writer *w, const struct image *image)
{
    json_write_member_if(w, "agent_id", image->place.agent_id);
    json_write_member(w, "image_id", slice_of(image->id));
    json_write_member(w, "image_name", image->name);
}

static void write_vulnerability(struct json_writer *w, const struct affected_row *row)
{
    json_write_member(w, "vul_id", row->vul_id);
    json_write_member(w, "repair_necessity",
        slice_of(words_name(&necessity_words, (int)index_code_necessity(row->code))));
}

static void write_version(struct json_writer *w, const struct image *image)
{
    int64_t containers = image->place.containers;

    json_write_key(w, "container_num");
    json_write_i64(w, containers < 0 ? 0 : containers);
    json_write_member_if(w, "image_digest", image->digest);
    json_write_member_if(w, "image_version", image->tag);
}

static void write_status(struct json_writer *w, const struct affected_row *row)
{
    enum vul_status status = index_code_ignored(row->code) ? STATUS_IGNORED : STATUS_UNFIX;

    json_write_member(w, "status", slice_of(words_name(&vul_status_words, (int)status)));
    json_write_key(w, "first_scan_time");
    json_write_i64_string(w, row->first_scan_ms);
}

static void write_placement(struct json_writer *w, const struct image *image)
{
    const struct placement *place = &image->place;

    json_write_key(w, "latest_scan_time");
    json_write_i64_string(w, image->latest_scan_ms);
    json_write_member(w, "image_type", slice_of(words_name(&image_type_rows, (int)place->type)));
    if (image->size_bytes >= 0) {
        json_write_key(w, "image_size");
        json_write_i64_string(w, image->size_bytes);
    }
    json_write_member_if(w, "organization", place->organization);
    json_write_member_if(w, "registry_type", place->registry_type);
    json_write_member_if(w, "registry_name", place->registry_name);
    if (place->multi_arch >= 0)
        json_write_member(w, "is_multi_arch", slice_of(place->multi_arch ? "true" : "false"));
    json_write_member_if(w, "cluster_id", place->cluster_id);
    json_write_member_if(w, "cluster_name", place->cluster_name);
}

static void write_type(struct json_writer *w, const struct affected_row *row)
{
    json_write_member(w, "type", slice_of(words_name(&vul_type_words, (int)row->type)));
}

static void write_extras(struct json_writer *w, const struct image *image)
{
    json_write_member(
        w, "assessment", slice_of(words_name(&assessment_words, (int)image->assessment)));
    json_write_member(w, "enterprise_project_id", image->place.enterprise_project);
    json_write_member_if(w, "image_config_digest", image->config_digest);
    json_write_member(w, "is_latest", slice_of(image->latest ? "true" : "false"));
    json_write_key(w, "updated_time");
    json_write_i64_string(w, image->updated_ms);
}

static void write_handled(struct json_writer *w, const struct affected_row *row)
{
    json_write_key(w, "is_handled");
    json_write_bool(w, index_code_handled(row->code));
}

static const struct {
    void (*of_image)(struct json_writer *w, const struct image *image);
    void (*of_row)(struct json_writer *w, const struct affected_row *row);
} turns[AFFECTED_TURNS] = {{write_identity, write_vulnerability}, {write_version, write_status},
    {write_placement, write_type}, {write_extras, write_handled}};

void affected_write_row(struct json_writer *w, const struct affected_row *row)
{
    json_write_begin_object(w);
    for (size_t i = 0; i < AFFECTED_TURNS; i++) {
        turns[i].of_image(w, row->image);
        turns[i].of_row(w, row);
    }
    json_write_end_object(w);
}

void affected_write_image(struct json_writer *w, size_t turn, const struct image *image)
{
    turns[turn].of_image(w, image);
}

void affected_write_row_of(
    struct json_writer *w, const struct slice image[AFFECTED_TURNS], const struct affected_row *row)
{
    json_write_begin_object(w);
    for (size_t i = 0; i < AFFECTED_TURNS; i++) {
        json_write_members(w, image[i]);
        turns[i].of_row(w, row);
    }
    json_write_end_object(w);
}

static void write_next(
    struct json_writer *w, const struct affected_row *last, const struct index_query *query)
{
    const struct affected_cursor cursor = affected_cursor_at(last, query);
    struct buf text = BUF_INIT(LIMIT_HTTP_RESPONSE_BYTES);

    affected_cursor_write(&text, &cursor);
    if (text.failed)
        w->out->failed = true;
    json_write_member(w, "next", buf_slice(&text));
    buf_release(&text);
}

/* ---- Pages ---- */

/* Where the members of the last row's image stand in the output, for the next row of this image. */
struct written {
    const struct image *image; /* NULL: none yet */
    size_t begin[AFFECTED_TURNS], end[AFFECTED_TURNS];
};

static void write_turn(
    struct json_writer *w, size_t turn, const struct affected_row *row, struct written *written)
{
    size_t comma = turn > 0;

    written->begin[turn] = w->out->len + comma;
    turns[turn].of_image(w, row->image);
    written->end[turn] = w->out->len;
}

static void copy_turn(struct json_writer *w, size_t turn, struct written *written)
{
    size_t begin = written->begin[turn], len = written->end[turn] - begin;

    /* With room enough the bytes stay where they are while they are copied. */
    if (buf_reserve(w->out, len + 1))
        json_write_members(w, (struct slice){w->out->data + begin, len});
}

/* Pages go image by image, so most rows but the first are half copied. */
static void write_row(
    struct json_writer *w, const struct affected_row *row, struct written *written)
{
    bool again = row->image == written->image;

    json_write_begin_object(w);
    for (size_t i = 0; i < AFFECTED_TURNS; i++) {
        if (again)
            copy_turn(w, i, written);
        else
            write_turn(w, i, row, written);
        turns[i].of_row(w, row);
    }
    json_write_end_object(w);
    written->image = w->out->failed ? NULL : row->image;
}

/* Room at once for what rows take nearly always; else the buffer grows as ever. */
static void make_room(struct buf *out, size_t rows)
{
    enum { ROW_BYTES = 800 };

    if (rows * ROW_BYTES < out->max)
        (void)buf_reserve(out, rows * ROW_BYTES);
}

void affected_write_page(
    struct buf *out, const struct affected_page *page, const struct affected_request *request)
{
    struct written written = {0};
    struct json_writer w;

    make_room(out, page->count + 1);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, "total_num");
    json_write_i64(&w, page->total > INT32_MAX ? INT32_MAX : (int64_t)page->total);
    json_write_key(&w, "data_list");
    json_write_begin_array(&w);
    for (size_t i = 0; i < page->count; i++)
        write_row(&w, &page->rows[i], &written);
    json_write_end_array(&w);
    if (page->more && page->count)
        write_next(&w, &page->rows[page->count - 1], &request->query.q);
    if (page->facets)
        affected_write_facets(&w, page->facets, request->include);
    json_write_end_object(&w);
}
