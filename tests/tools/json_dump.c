// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads file names from standard input, one a line, and answers each with a line: "+" and the
 * document in canonical form (support/json_emit.h), or "-" and why it was refused. gzip is taken
 * too. With -s documents are only skipped, and the form is left out.
 */
#include "support/json_emit.h"

#include "base/cleanup.h"

static int dump(const char *path, bool skip, struct buf *out, struct err *err)
{
    struct stream *file = stream_open_file(path, err);
    struct stream *in CLEANUP(stream_cleanup) = file ? stream_auto_gunzip(file, err) : NULL;
    struct json_reader *r CLEANUP(json_reader_cleanup) = NULL;
    struct json_writer w;

    if (!in) {
        stream_close(file);
        return -1;
    }
    r = json_reader_new(in, err);
    if (!r)
        return -1;
    json_writer_init(&w, out);
    if (skip)
        json_skip(r);
    else
        json_emit(r, &w);
    if (json_reader_finish(r, err) != 0)
        return -1;
    return buf_check(out, "the dump", err);
}

int main(int argc, char **argv)
{
    bool skip = argc > 1 && strcmp(argv[1], "-s") == 0;
    struct buf out = BUF_INIT(1UL << 30);
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while ((len = getline(&line, &cap, stdin)) > 0) {
        struct err err;

        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        buf_clear(&out);
        if (dump(line, skip, &out, &err) == 0)
            printf("+%s\n", out.data ? out.data : "");
        else
            printf("-%s\n", err.message);
        fflush(stdout);
    }
    free(line);
    buf_release(&out);
    return 0;
}
