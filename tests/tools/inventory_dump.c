// room: inventory
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory_dump FILE PATH [BESIDE]: what the reader for an image's PATH makes of a file (and of
 * the one beside it), one JSON object a line on standard output: packages, licences, the release.
 * Exit status 1, with the message on standard error, when it is refused.
 */
#include "inventory/inventory.h"

#include "base/cleanup.h"
#include "codec/json_writer.h"

#include <fcntl.h>
#include <stdio.h>

enum { MAX_LINE_BYTES = 1 << 20 };

static int put_line(struct json_writer *w, struct buf *out, struct err *err)
{
    json_write_end_object(w);
    buf_put_char(out, '\n');
    if (buf_check(out, "a line", err) < 0)
        return -1;
    fwrite(out->data, 1, out->len, stdout);
    return 0;
}

static int put_package(const struct found_package *found, struct buf *out, struct err *err)
{
    const struct package *p = &found->package;
    struct json_writer w;

    buf_clear(out);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "ecosystem", p->ecosystem);
    json_write_member(&w, "name", p->name);
    json_write_member(&w, "version", p->version);
    json_write_member_if(&w, "arch", p->arch);
    json_write_member_if(&w, "module", p->module);
    json_write_member_if(&w, "source_name", p->source_name);
    json_write_member_if(&w, "source_version", p->source_version);
    json_write_member_if(&w, "licence", found->licence);
    return put_line(&w, out, err);
}

static int put_licence(const struct found_licence *found, struct buf *out, struct err *err)
{
    struct json_writer w;

    buf_clear(out);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "licence_of", found->package);
    json_write_member(&w, "licence", found->licence);
    return put_line(&w, out, err);
}

static int put_release(const struct inventory *inventory, struct buf *out, struct err *err)
{
    struct json_writer w;

    buf_clear(out);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "os_release", inventory->os_release);
    json_write_key(&w, "rank");
    json_write_i64(&w, inventory->os_rank);
    return put_line(&w, out, err);
}

static int put_inventory(const struct inventory *inventory, struct err *err)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MAX_LINE_BYTES);

    for (size_t i = 0; i < inventory->package_count; i++)
        if (put_package(&inventory->packages[i], &out, err) < 0)
            return -1;
    for (size_t i = 0; i < inventory->licence_count; i++)
        if (put_licence(&inventory->licences[i], &out, err) < 0)
            return -1;
    return inventory->os_release.len ? put_release(inventory, &out, err) : 0;
}

static int open_blob(const char *path, int *fd, struct blob *ret, struct err *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? err_set_errno(err, "cannot open %s", path) : blob_of_file(*fd, path, ret, err);
}

static int dump(char **arguments, struct err *err)
{
    struct inventory inventory CLEANUP(inventory_release);
    const struct inventory_reader *reader = inventory_reader_for(slice_of(arguments[1]));
    int fd CLEANUP(cleanup_fd) = -1, beside_fd CLEANUP(cleanup_fd) = -1;
    struct blob content, beside;
    struct inventory_file file = {.path = slice_of(arguments[1]), .content = &content};

    inventory_init(&inventory);
    if (!reader)
        return err_set(err, ERR_INVALID, "there is no reader for %s", arguments[1]);
    if (open_blob(arguments[0], &fd, &content, err) < 0)
        return -1;
    if (arguments[2]) {
        if (open_blob(arguments[2], &beside_fd, &beside, err) < 0)
            return -1;
        file.beside = &beside;
    }
    return reader->read(&file, &inventory, err) < 0 ? -1 : put_inventory(&inventory, err);
}

int main(int argc, char **argv)
{
    struct err err;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: inventory_dump FILE PATH [BESIDE]\n");
        return 2;
    }
    if (dump(argv + 1, &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    return 1;
}
