// room: sbom
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * purl_tool: package URLs parsed and built, for the official suite. Each line of standard input is
 * one JSON object, each line of standard output its answer:
 *
 *     {"do": "parse", "strict": true, "purl": "pkg:..."}    -> the parts; none is null
 *     {"do": "validate", "strict": true, "purl": "pkg:..."} -> {"purl": its canonical form}
 *     {"do": "build", "strict": true, "type": ...,
 *      "qualifiers": {...}, "subpath": ...}                 -> {"purl": "pkg:..."}
 *
 * or {"error": message}.
 */
#include "base/cleanup.h"
#include "codec/json_reader.h"
#include "codec/json_writer.h"
#include "sbom/purl.h"

enum { MAX_BYTES = 1 << 20 };

struct task {
    struct arena arena; /* owns the texts */
    struct slice what, text;
    bool strict;
    struct purl parts;
};

static void task_release(struct task *task)
{
    arena_release(&task->arena);
}

static void read_qualifiers(struct json_reader *in, struct task *task)
{
    struct slice key, value;
    struct err err;

    json_begin_object(in);
    while (json_next_key(in, &key)) {
        size_t at = task->parts.qualifier_count;

        if (at == PURL_MAX_QUALIFIERS || arena_dup(&task->arena, key, &key, &err) < 0 ||
            !json_read_string(in, &task->arena, &value))
            json_fail(in, ERR_LIMIT, "too many qualifiers");
        else
            task->parts.qualifiers[task->parts.qualifier_count++] =
                (struct purl_qualifier){key, value};
    }
}

static int read_task(struct slice line, struct task *task, struct err *err)
{
    struct stream *stream CLEANUP(stream_cleanup) = stream_open_memory(line, err);
    struct json_reader *in CLEANUP(json_reader_cleanup) =
        stream ? json_reader_new(stream, err) : NULL;
    const struct {
        const char *key;
        struct slice *to;
    } texts[] = {{"do", &task->what}, {"purl", &task->text}, {"type", &task->parts.type},
        {"namespace", &task->parts.namespace}, {"name", &task->parts.name},
        {"version", &task->parts.version}, {"subpath", &task->parts.subpath}};
    struct slice key;

    if (!in)
        return -1;
    json_begin_object(in);
    while (json_next_key(in, &key)) {
        size_t i = 0;

        while (i < sizeof(texts) / sizeof(texts[0]) && !slice_is(key, texts[i].key))
            i++;
        if (i < sizeof(texts) / sizeof(texts[0]))
            json_read_string(in, &task->arena, texts[i].to);
        else if (slice_is(key, "strict"))
            json_read_bool(in, &task->strict);
        else if (slice_is(key, "qualifiers"))
            read_qualifiers(in, task);
        else
            json_skip(in);
    }
    return json_reader_finish(in, err);
}

static void write_part(struct json_writer *w, const char *key, struct slice part)
{
    json_write_key(w, key);
    if (part.len)
        json_write_string(w, part);
    else
        json_write_null(w);
}

static void write_parts(struct json_writer *w, const struct purl *purl)
{
    write_part(w, "type", purl->type);
    write_part(w, "namespace", purl->namespace);
    write_part(w, "name", purl->name);
    write_part(w, "version", purl->version);
    write_part(w, "subpath", purl->subpath);
    json_write_key(w, "qualifiers");
    json_write_begin_object(w);
    for (size_t i = 0; i < purl->qualifier_count; i++) {
        json_write_key_slice(w, purl->qualifiers[i].key);
        json_write_string(w, purl->qualifiers[i].value);
    }
    json_write_end_object(w);
}

static int answer(const struct task *task, struct json_writer *w, struct err *err)
{
    enum purl_mode mode = task->strict ? PURL_STRICT : PURL_LENIENT;
    const struct purl *parts = &task->parts;
    struct buf built CLEANUP(buf_release) = BUF_INIT(MAX_BYTES);
    struct purl parsed;

    if (!slice_is(task->what, "build")) {
        if (purl_parse(task->text, mode, &parsed, err) < 0)
            return -1;
        parts = &parsed;
    }
    if (slice_is(task->what, "parse")) {
        write_parts(w, parts);
        return 0;
    }
    if (purl_build(parts, mode, &built, err) < 0)
        return -1;
    json_write_member(w, "purl", buf_slice(&built));
    return 0;
}

static int do_line(struct slice line, struct err *err)
{
    struct task task CLEANUP(task_release) = {0};
    struct buf out CLEANUP(buf_release) = BUF_INIT(MAX_BYTES);
    struct json_writer w;

    arena_init(&task.arena, "the task", MAX_BYTES);
    if (read_task(line, &task, err) < 0)
        return -1;
    json_writer_init(&w, &out);
    json_write_begin_object(&w);
    if (answer(&task, &w, err) < 0)
        json_write_member(&w, "error", slice_of(err->message));
    json_write_end_object(&w);
    puts(out.data);
    return 0;
}

int main(void)
{
    char *line CLEANUP(cleanup_free) = NULL;
    size_t cap = 0;
    ssize_t len;
    struct err err = {0};

    while ((len = getline(&line, &cap, stdin)) > 0) {
        if (do_line((struct slice){line, (size_t)len}, &err) < 0) {
            fprintf(stderr, "purl_tool: %s\n", err.message);
            return 1;
        }
    }
    return 0;
}
