/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of formats, and the one walk over a document's top-level object that serves all of
 * them: each member goes to the format that lists its key, and the telling keys decide at the end
 * which format it was. A new format is one file, and one line in the table.
 *
 * Bytes pass: the caller's stream -> gunzip -> ceiling -> a look at the first bytes -> JSON reader.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "model/name.h"
#include "sbom/format.h"
#include "sbom/tap.h"

static const struct report_format *const formats[] = {
    &trivy_format,
    &grype_format,
    &cyclonedx_format,
    &spdx_format,
};

enum {
    FORMAT_COUNT = sizeof(formats) / sizeof(*formats),
    SHOWN_KEYS = 8,
    NO_FORMAT = -1,
};

struct walk {
    struct reading in;
    void *states[FORMAT_COUNT]; /* made when a format gets its first key */
    int format;                 /* position of the one that was recognised, or NO_FORMAT */
    const struct format_key *skipped[FORMAT_COUNT]; /* the first with a value of another type */
    struct slice keys[SHOWN_KEYS];
    size_t key_count;
};

static void walk_release(struct walk *walk)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (walk->states[i] && formats[i]->release)
            formats[i]->release(walk->states[i]);
        free(walk->states[i]);
    }
    json_reader_free(walk->in.json);
}

static const struct format_key *find_key(struct slice name, int *ret_format)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        for (size_t k = 0; k < formats[i]->key_count; k++)
            if (slice_is(name, formats[i]->keys[k].name)) {
                *ret_format = i;
                return &formats[i]->keys[k];
            }
    return NULL;
}

static const char *type_name(enum json_type type)
{
    return type == JSON_OBJECT   ? "an object"
           : type == JSON_ARRAY  ? "an array"
           : type == JSON_STRING ? "a string"
                                 : "a number";
}

/* Is the value none of this format's? Other documents have such keys, too ("packages" of a lock
 * file): while the format is not known, a value of another type only counts against it. */
static bool is_misplaced(struct walk *walk, int format, const struct format_key *key)
{
    enum json_type type;

    if (walk->format != NO_FORMAT)
        return walk->format != format;
    type = json_peek(walk->in.json);
    if (type == key->type || type == JSON_NULL || type == JSON_NOTHING)
        return false;
    if (!walk->skipped[format])
        walk->skipped[format] = key;
    return true;
}

static int recognise(struct walk *walk, int format, struct err *err)
{
    if (walk->format != NO_FORMAT && walk->format != format)
        return err_set(err, ERR_UNSUPPORTED,
            "this is not a known report: it has top-level keys of a %s and of a %s",
            formats[walk->format]->title, formats[format]->title);
    walk->format = format;
    return 0;
}

static int read_member(struct walk *walk, struct slice name, struct err *err)
{
    int format = NO_FORMAT;
    const struct format_key *key = find_key(name, &format);
    bool consumed = false;

    if (!key) {
        if (walk->format == NO_FORMAT && refuse_by_key(walk->in.json, name, &consumed, err) < 0)
            return -1;
        if (!consumed)
            json_skip(walk->in.json);
        return 0;
    }
    if (key->telling && recognise(walk, format, err) < 0)
        return -1;
    if (is_misplaced(walk, format, key)) {
        json_skip(walk->in.json);
        return 0;
    }
    if (!walk->states[format]) {
        walk->states[format] = calloc(1, formats[format]->state_bytes);
        if (!walk->states[format])
            return err_nomem(err);
    }
    key->read(&walk->in, walk->states[format]);
    return 0;
}

static int refuse_unknown(const struct walk *walk, struct err *err)
{
    struct buf list = BUF_INIT(400);

    if (refuse_by_keys(
            walk->keys, walk->key_count < SHOWN_KEYS ? walk->key_count : SHOWN_KEYS, err) < 0)
        return -1;
    if (walk->key_count == 0)
        return err_set(err, ERR_UNSUPPORTED, "this is not a known report: an empty JSON object");
    for (size_t i = 0; i < walk->key_count && i < SHOWN_KEYS; i++)
        buf_printf(&list, "%s%.*s", i ? ", " : "", SLICE_FMT(walk->keys[i]));
    err_set(err, ERR_UNSUPPORTED,
        "this is not a known report: top-level keys %s%s; Trivy and Grype reports, CycloneDX and "
        "SPDX 2 are read, as JSON",
        list.data ? list.data : "", walk->key_count > SHOWN_KEYS ? ", ..." : "");
    buf_release(&list);
    return -1;
}

/* Keeps the first keys for the message about an unknown document, cut short and made printable. */
static int note_key(struct walk *walk, struct slice key, struct err *err)
{
    char shown[40];
    size_t n = key.len < sizeof(shown) ? key.len : sizeof(shown);

    if (walk->key_count++ >= SHOWN_KEYS)
        return 0;
    for (size_t i = 0; i < n; i++)
        shown[i] = key.ptr[i] >= 0x20 && key.ptr[i] < 0x7f ? key.ptr[i] : '?';
    return report_text(
        walk->in.report, (struct slice){shown, n}, &walk->keys[walk->key_count - 1], err);
}

static int read_object(struct walk *walk, struct err *err)
{
    struct json_reader *json = walk->in.json;
    struct report *report = walk->in.report;
    const struct report_format *format;
    struct slice key;

    json_begin_object(json);
    while (json_next_key(json, &key))
        if (note_key(walk, key, err) < 0 || read_member(walk, key, err) < 0)
            return -1;
    if (json_reader_finish(json, err) < 0)
        return -1;
    if (walk->format == NO_FORMAT)
        return refuse_unknown(walk, err);
    format = formats[walk->format];
    if (walk->skipped[walk->format])
        return err_set(err, ERR_INVALID, "%s of this %s is not %s",
            walk->skipped[walk->format]->name, format->title,
            type_name(walk->skipped[walk->format]->type));
    report->format = format->name;
    report->source = format->source;
    if (format->finish(&walk->in, walk->states[walk->format], err) < 0)
        return -1;
    if (report->size_bytes < 0)
        report->size_bytes = -1;
    if (name_check("the distribution", report->os_release, false, err) < 0)
        return -1;
    return name_check("the architecture", report->architecture, false, err);
}

static int read_document(struct walk *walk, struct err *err)
{
    enum json_type type = json_peek(walk->in.json);

    if (type == JSON_OBJECT)
        return read_object(walk, err);
    if (type == JSON_ARRAY)
        return refuse_array(walk->in.json, err);
    json_skip(walk->in.json);
    if (json_reader_finish(walk->in.json, err) < 0)
        return -1;
    return err_set(err, ERR_UNSUPPORTED,
        "this is not a known report: a JSON value that is no object; Trivy and Grype reports, "
        "CycloneDX and SPDX 2 are read, as JSON");
}

/* Puts one filter on the stack: on failure what was there is closed. */
static struct stream *stacked(struct stream *below, struct stream *above)
{
    if (!above)
        stream_close(below);
    return above;
}

static struct stream *open_document(
    struct stream *in, uint64_t max_bytes, struct slice *ret_head, struct err *err)
{
    struct stream *top = tap_borrow(in, err);

    if (top)
        top = stacked(top, stream_auto_gunzip(top, err));
    if (top)
        top = stacked(top, stream_limit(top, max_bytes, "the report", err));
    if (top)
        top = stacked(top, tap_look(top, ret_head, err));
    return top;
}

int report_read(struct stream *in, uint64_t max_bytes, struct report *report, struct err *err)
{
    struct walk walk CLEANUP(walk_release) = {.in.report = report, .format = NO_FORMAT};
    struct stream *document CLEANUP(stream_cleanup) = NULL;
    struct slice head;

    document = open_document(in, max_bytes, &head, err);
    if (!document || refuse_by_bytes(head, err) < 0)
        return -1;
    walk.in.json = json_reader_new(document, err);
    if (!walk.in.json)
        return -1;
    return read_document(&walk, err);
}
