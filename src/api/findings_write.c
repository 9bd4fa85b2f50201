/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See findings_write.h. Most of a row's bytes are its image's: they are written once for all rows
 * of an image that come together in a page, and copied into each. Not from one page to the next:
 * the image may have changed meanwhile.
 */
#include "api/findings_write.h"

#include "base/bug.h"
#include "base/limits.h"
#include "codec/csv.h"

/* --- JSON Lines ------------------------------------------------------------------------------- */

/* Members, without the object's brace; the turn behind the row's own is SARIF's. */
static void json_image(struct findings_writer *writer, const struct image *image, size_t turn)
{
    struct buf *out = &writer->image;
    size_t at = out->len;
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    if (turn < AFFECTED_TURNS)
        affected_write_image(&w, turn, image);
    else
        sarif_write_image(&writer->sarif, image, &w);
    if (out->failed)
        return;
    out->len--;
    memmove(out->data + at, out->data + at + 1, out->len - at + 1);
}

static void json_row(
    struct findings_writer *writer, const struct affected_row *row, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    affected_write_row_of(&w, writer->turns, row);
    buf_put_char(out, '\n');
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void csv_begin(struct findings_writer *writer, struct buf *out)
{
    (void)writer;
    buf_put_cstr(out,
        "image_id,image_name,image_version,image_digest,vul_id,type,repair_necessity,status,"
        "image_type,registry_name,cluster_id,container_num,first_scan_time,latest_scan_time,"
        "assessment,is_handled\n");
}

static void csv_image(struct findings_writer *writer, const struct image *image, size_t turn)
{
    struct buf *out = &writer->image;

    if (turn == 0) {
        csv_field(out, slice_of(image->id), true);
        csv_field(out, image->name, false);
        csv_field(out, image->tag, false);
        csv_field(out, image->digest, false);
    } else if (turn == 1) {
        csv_field(out, slice_of(words_name(&image_type_rows, (int)image->place.type)), false);
        csv_field(out, image->place.registry_name, false);
        csv_field(out, image->place.cluster_id, false);
        csv_number(out, image->place.containers < 0 ? 0 : image->place.containers);
    } else {
        csv_number(out, image->latest_scan_ms);
        csv_field(out, slice_of(words_name(&assessment_words, (int)image->assessment)), false);
    }
}

static void csv_row(struct findings_writer *writer, const struct affected_row *row, struct buf *out)
{
    enum vul_status status = index_code_ignored(row->code) ? STATUS_IGNORED : STATUS_UNFIX;
    int necessity = (int)index_code_necessity(row->code);

    buf_put_slice(out, writer->turns[0]);
    csv_field(out, row->vul_id, false);
    csv_field(out, slice_of(words_name(&vul_type_words, (int)row->type)), false);
    csv_field(out, slice_of(words_name(&necessity_words, necessity)), false);
    csv_field(out, slice_of(words_name(&vul_status_words, (int)status)), false);
    buf_put_slice(out, writer->turns[1]);
    csv_number(out, row->first_scan_ms);
    buf_put_slice(out, writer->turns[2]);
    csv_field(out, index_code_handled(row->code) ? SLICE("true") : SLICE("false"), false);
    csv_end(out);
}

/* --- SARIF ------------------------------------------------------------------------------------ */

static void sarif_document_begin(struct findings_writer *writer, struct buf *out)
{
    sarif_begin(&writer->sarif, out);
}

static void sarif_row(
    struct findings_writer *writer, const struct affected_row *row, struct buf *out)
{
    sarif_write_result(&writer->sarif, row, writer->turns[AFFECTED_TURNS], writer->turns, out);
}

/* --- Any -------------------------------------------------------------------------------------- */

static const struct format {
    const char *media_type;
    size_t turns;                                                   /* of an image */
    void (*begin)(struct findings_writer *writer, struct buf *out); /* NULL: nothing */
    void (*image)(struct findings_writer *writer, const struct image *image, size_t turn);
    void (*row)(struct findings_writer *writer, const struct affected_row *row, struct buf *out);
} formats[FINDINGS_FORMAT_COUNT] = {
    {"application/jsonl; charset=UTF-8", AFFECTED_TURNS, NULL, json_image, json_row},
    {"text/csv; charset=UTF-8; header=present", 3, csv_begin, csv_image, csv_row},
    {"application/sarif+json", FINDINGS_TURNS, sarif_document_begin, json_image, sarif_row},
};

static const char *const format_names[] = {"jsonl", "csv", "sarif"};
const struct words findings_format_words = {"format", format_names, FINDINGS_FORMAT_COUNT};

const char *findings_media_type(enum findings_format format)
{
    return formats[format].media_type;
}

int findings_writer_init(
    struct findings_writer *writer, enum findings_format format, struct err *err)
{
    BUG_ON(format >= FINDINGS_FORMAT_COUNT);
    *writer = (struct findings_writer){.format = format, .image.max = LIMIT_HTTP_RESPONSE_BYTES};
    return format == FINDINGS_SARIF ? sarif_init(&writer->sarif, err) : 0;
}

void findings_writer_release(struct findings_writer *writer)
{
    buf_release(&writer->image);
    sarif_release(&writer->sarif);
}

void findings_write_begin(struct findings_writer *writer, struct buf *out)
{
    if (formats[writer->format].begin)
        formats[writer->format].begin(writer, out);
}

/* The buffer may move while it grows, so the turns are found afterwards. */
static void write_image(struct findings_writer *writer, const struct image *image)
{
    const struct format *format = &formats[writer->format];
    size_t ends[FINDINGS_TURNS], begin = 0;

    buf_clear(&writer->image);
    for (size_t i = 0; i < format->turns; i++) {
        format->image(writer, image, i);
        ends[i] = writer->image.len;
    }
    for (size_t i = 0; i < format->turns; begin = ends[i++])
        writer->turns[i] = slice_sub(buf_slice(&writer->image), begin, ends[i] - begin);
}

int findings_write_page(struct findings_writer *writer, const struct affected_page *page,
    struct buf *out, struct err *err)
{
    const struct image *image = NULL;

    for (size_t i = 0; i < page->count; i++) {
        if (page->rows[i].image != image) {
            image = page->rows[i].image;
            write_image(writer, image);
            if (buf_check(&writer->image, "an image of the answer", err) < 0)
                return -1;
        }
        formats[writer->format].row(writer, &page->rows[i], out);
    }
    return 0;
}

bool findings_write_end(struct findings_writer *writer, size_t bytes, struct buf *out)
{
    return writer->format != FINDINGS_SARIF || sarif_end(&writer->sarif, bytes, out);
}
