/* SPDX-License-Identifier: Apache-2.0 */
/* bench-dump DATA: writes every finding to standard output as one wide row, tab-separated, in the
 * order of the call. The columns are those of bench/peers/table.py; the first is the order as one
 * number: the image's number above the vulnerability's. Words of closed vocabularies are written as
 * their numbers (model/words.h), as a table with indexes would hold them. */
#include "fleet/fleet.h"

#include "base/buf.h"
#include "base/limits.h"

#include <stdio.h>

enum { FLUSH_BYTES = 1 << 20, BUFFER_BYTES = 64 << 20, ID_BYTES = UUID_TEXT_BYTES - 1 };

struct dump {
    struct buf ids; /* of all images, in order, ID_BYTES each */
    struct buf out;
    struct affected_row last; /* where the next page of an image begins */
    bool more;
};

static bool take_id(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct dump *dump = ctx;

    (void)counts;
    buf_put(&dump->ids, image->id, ID_BYTES);
    return dump->ids.failed == ERR_NONE;
}

static void put_text(struct buf *out, struct slice text)
{
    buf_put_slice(out, text);
    buf_put_char(out, '\t');
}

static void put_number(struct buf *out, int64_t number)
{
    buf_put_i64(out, number);
    buf_put_char(out, '\t');
}

static void put_image(struct buf *out, const struct image *image)
{
    const struct placement *place = &image->place;

    put_text(out, place->enterprise_project);
    put_number(out, (int64_t)place->type);
    put_text(out, slice_of(image->id));
    put_text(out, image->name);
    put_text(out, image->tag);
    put_text(out, image->digest);
    put_number(out, image->size_bytes);
    put_text(out, place->agent_id);
    put_text(out, place->organization);
    put_text(out, place->registry_type);
    put_text(out, place->registry_name);
    put_number(out, place->multi_arch);
    put_text(out, place->cluster_id);
    put_text(out, place->cluster_name);
    put_number(out, place->containers);
    put_number(out, image->latest_scan_ms);
}

static void put_row(struct buf *out, const struct affected_row *row)
{
    put_number(out, (int64_t)((uint64_t)row->image->number << 32 | row->vuln));
    put_image(out, row->image);
    put_text(out, row->vul_id);
    put_number(out, (int64_t)row->type);
    put_number(out, (int64_t)index_code_necessity(row->code));
    put_number(out, index_code_ignored(row->code));
    put_number(out, index_code_handled(row->code));
    buf_put_i64(out, row->first_scan_ms);
    buf_put_char(out, '\n');
}

static int put_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct dump *dump = ctx;

    for (size_t i = 0; i < page->count; i++)
        put_row(&dump->out, &page->rows[i]);
    dump->more = page->more && page->count > 0;
    if (dump->more)
        dump->last = page->rows[page->count - 1];
    return buf_check(&dump->out, "rows to be written", err);
}

static int flush(struct dump *dump, struct err *err)
{
    if (fwrite(dump->out.data, 1, dump->out.len, stdout) != dump->out.len)
        return err_set(err, ERR_IO, "standard output: cannot be written to");
    buf_clear(&dump->out);
    return 0;
}

/* Page after page of one image, by cursor. Asking image by image costs each only its own rows. */
static int dump_image(
    struct fleet *fleet, uint32_t project, struct slice id, struct dump *dump, struct err *err)
{
    struct affected_query query = {
        .q.scope = {.type = -1, .image_id = id}, .q.limit = LIMIT_PAGE_MAX};

    query.q.codes = ~query.q.codes; /* all there are */
    do {
        if (fleet_affected(fleet, project, &query, put_page, dump, err) < 0)
            return -1;
        query.q.by_cursor = dump->more;
        if (dump->more) {
            query.q.after_image = dump->last.image->number;
            query.q.after_vuln = dump->last.vuln;
        }
    } while (dump->more);
    return dump->out.len < FLUSH_BYTES ? 0 : flush(dump, err);
}

static int dump_all(struct fleet *fleet, uint32_t project, struct dump *dump, struct err *err)
{
    const struct index_scope all = {.type = -1};

    if (fleet_each_image(fleet, project, &all, 0, take_id, dump, err) < 0 ||
        buf_check(&dump->ids, "ids of images", err) < 0)
        return -1;
    for (size_t at = 0; at < dump->ids.len; at += ID_BYTES)
        if (dump_image(fleet, project, (struct slice){dump->ids.data + at, ID_BYTES}, dump, err) <
            0)
            return -1;
    if (flush(dump, err) < 0)
        return -1;
    return fflush(stdout) ? err_set(err, ERR_IO, "standard output: cannot be written to") : 0;
}

int main(int argc, char **argv)
{
    struct dump dump = {.ids = BUF_INIT(1 << 30), .out = BUF_INIT(BUFFER_BYTES)};
    struct err err = {0};
    struct fleet *fleet;
    uint32_t project;
    int failed;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-dump DATA\n");
        return 2;
    }
    fleet = fleet_open(argv[1], STORE_READ, &err);
    failed = !fleet || fleet_find_project(fleet, SLICE("default"), &project, &err) < 0 ||
             fleet_load(fleet, project, &err) < 0 || dump_all(fleet, project, &dump, &err) < 0;
    fleet_close(fleet);
    buf_release(&dump.ids);
    buf_release(&dump.out);
    if (failed)
        fprintf(stderr, "bench-dump: %s\n", err.message);
    return failed;
}
