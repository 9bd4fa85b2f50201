/* SPDX-License-Identifier: Apache-2.0 */
/* See findings_sarif.h. Section numbers are those of SARIF 2.1.0. */
#include "api/findings_sarif.h"

#include "base/limits.h"
#include "codec/query_string.h"
#include "model/vulnerability.h"

#include <stdlib.h>

enum {
    NAMES_BYTES = 16 * 1024 * 1024,
    TEXT_BYTES = 64 * 1024,
};

static const char ignored[] = "ignored by a decision in Careen";

/* By enum necessity. The score is what GitHub sorts by: the middle of CVSS's range. */
static const struct {
    const char *level, *score;
} severities[NECESSITY_COUNT] = {
    {"note", "2.0"}, {"warning", "5.5"}, {"error", "8.0"}, {"error", "9.5"}};

int sarif_init(struct sarif *sarif, struct err *err)
{
    *sarif = (struct sarif){.reference.max = TEXT_BYTES, .message.max = TEXT_BYTES};
    if (intern_init(&sarif->rules, "the rules of a SARIF log", NAMES_BYTES, err) < 0)
        return -1;
    sarif->worst = malloc(SARIF_RULES_MAX);
    return sarif->worst ? 0 : err_nomem(err);
}

void sarif_release(struct sarif *sarif)
{
    intern_release(&sarif->rules);
    free(sarif->worst);
    buf_release(&sarif->reference);
    buf_release(&sarif->message);
    *sarif = (struct sarif){0};
}

void sarif_begin(struct sarif *sarif, struct buf *out)
{
    (void)sarif;
    buf_put_cstr(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
                      "\"version\":\"2.1.0\",\"runs\":[{\"results\":[");
}

/* --- Images ----------------------------------------------------------------------------------- */

static void put_reference(struct buf *out, const struct image *image)
{
    buf_put_slice(out, image->name);
    if (image->tag.len) {
        buf_put_char(out, ':');
        buf_put_slice(out, image->tag);
    }
    if (image->digest.len) {
        buf_put_char(out, '@');
        buf_put_slice(out, image->digest);
    }
}

/* A relative reference (RFC 3986, section 4.2): what could be taken for a scheme or an authority
 * gets "./" in front. */
static void put_uri(struct buf *out, struct slice reference)
{
    struct slice rest = reference, segment = slice_pull_until(&rest, '/');

    if (segment.len == 0 || slice_find_char(segment, ':') < segment.len)
        buf_put_cstr(out, "./");
    for (size_t i = 0; i < reference.len; i++) {
        char c = reference.ptr[i];

        if (c == '/' || c == ':' || c == '@')
            buf_put_char(out, c);
        else
            percent_encode(out, slice_sub(reference, i, 1));
    }
}

void sarif_write_image(struct sarif *sarif, const struct image *image, struct json_writer *w)
{
    buf_clear(&sarif->reference);
    put_reference(&sarif->reference, image);
    buf_clear(&sarif->message);
    put_uri(&sarif->message, buf_slice(&sarif->reference));
    json_write_key(w, "locations");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_key(w, "physicalLocation");
    json_write_begin_object(w);
    json_write_key(w, "artifactLocation");
    json_write_begin_object(w);
    json_write_member(w, "uri", buf_slice(&sarif->message));
    json_write_end_object(w);
    json_write_end_object(w);
    json_write_end_object(w);
    json_write_end_array(w);
}

/* --- Results ---------------------------------------------------------------------------------- */

/* The position of the rule, or SARIF_RULES_MAX: there is no place for it. */
static size_t rule_of(struct sarif *sarif, const struct affected_row *row)
{
    unsigned char necessity = (unsigned char)index_code_necessity(row->code);
    uint32_t id = intern_find(&sarif->rules, row->vul_id);
    struct err err;

    if (row->vul_id.len == 0)
        return SARIF_RULES_MAX;
    if (id == MAP_NONE) {
        if (sarif->rules.count > SARIF_RULES_MAX ||
            intern_put(&sarif->rules, row->vul_id, &id, &err) < 0)
            return SARIF_RULES_MAX;
        sarif->worst[id - 1] = necessity;
    }
    if (sarif->worst[id - 1] < necessity)
        sarif->worst[id - 1] = necessity;
    return id - 1;
}

static void write_message(
    struct sarif *sarif, const struct affected_row *row, struct json_writer *w)
{
    struct buf *text = &sarif->message;

    buf_clear(text);
    buf_put_slice(text, row->vul_id);
    buf_put_cstr(text, " (");
    buf_put_cstr(text, words_name(&necessity_words, (int)index_code_necessity(row->code)));
    buf_put_cstr(text, ") in ");
    buf_put_slice(text, buf_slice(&sarif->reference));
    json_write_key(w, "message");
    json_write_begin_object(w);
    json_write_member(w, "text", buf_slice(text));
    json_write_end_object(w);
}

/* What a later log of the same finding has, too (3.27.17). */
static void write_fingerprint(
    struct sarif *sarif, const struct affected_row *row, struct json_writer *w)
{
    struct buf *text = &sarif->message;

    buf_clear(text);
    buf_put_cstr(text, row->image->id);
    buf_put_char(text, '/');
    buf_put_cstr(text, words_name(&vul_type_words, (int)row->type));
    buf_put_char(text, '/');
    buf_put_slice(text, row->vul_id);
    json_write_key(w, "partialFingerprints");
    json_write_begin_object(w);
    json_write_member(w, "finding/v1", buf_slice(text));
    json_write_end_object(w);
}

/* Every result has the member, or none may (3.27.23): empty means "not suppressed". */
static void write_suppressions(const struct affected_row *row, struct json_writer *w)
{
    json_write_key(w, "suppressions");
    json_write_begin_array(w);
    if (index_code_ignored(row->code)) {
        json_write_begin_object(w);
        json_write_member(w, "kind", SLICE("external"));
        json_write_member(w, "justification", slice_of(ignored));
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

void sarif_write_result(struct sarif *sarif, const struct affected_row *row, struct slice image,
    const struct slice turns[AFFECTED_TURNS], struct buf *out)
{
    size_t rule = rule_of(sarif, row);
    struct json_writer w;

    if (sarif->any_result)
        buf_put_char(out, ',');
    sarif->any_result = true;
    buf_put_char(out, '\n');
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "ruleId", row->vul_id);
    if (rule < SARIF_RULES_MAX)
        json_write_member_u64(&w, "ruleIndex", rule);
    json_write_member(&w, "level", slice_of(severities[index_code_necessity(row->code)].level));
    write_message(sarif, row, &w);
    json_write_members(&w, image);
    write_fingerprint(sarif, row, &w);
    write_suppressions(row, &w);
    json_write_key(&w, "properties");
    affected_write_row_of(&w, turns, row);
    json_write_end_object(&w);
}

/* --- Rules ------------------------------------------------------------------------------------ */

/* Where the whole world looks it up; nothing for other databases' names. */
static const char *help_of(struct slice name)
{
    switch (name_kind_of(name)) {
    case NAME_CVE:
        return "https://nvd.nist.gov/vuln/detail/";
    case NAME_GHSA:
        return "https://github.com/advisories/";
    case NAME_OTHER_DATABASE:
    case NAME_ADVISORY:
    default:
        return NULL;
    }
}

static void write_rule(struct sarif *sarif, size_t rule, struct buf *out)
{
    struct slice name = intern_get(&sarif->rules, (uint32_t)rule + 1);
    const char *help = help_of(name);
    int worst = sarif->worst[rule];
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "id", name);
    json_write_key(&w, "shortDescription");
    json_write_begin_object(&w);
    json_write_member(&w, "text", name);
    json_write_end_object(&w);
    if (help) {
        buf_clear(&sarif->message);
        buf_put_cstr(&sarif->message, help);
        percent_encode(&sarif->message, name);
        json_write_member(&w, "helpUri", buf_slice(&sarif->message));
    }
    json_write_key(&w, "defaultConfiguration");
    json_write_begin_object(&w);
    json_write_member(&w, "level", slice_of(severities[worst].level));
    json_write_end_object(&w);
    json_write_key(&w, "properties");
    json_write_begin_object(&w);
    json_write_member(&w, "security-severity", slice_of(severities[worst].score));
    json_write_key(&w, "tags");
    json_write_begin_array(&w);
    json_write_string(&w, SLICE("security"));
    json_write_string(&w, SLICE("vulnerability"));
    json_write_end_array(&w);
    json_write_end_object(&w);
    json_write_end_object(&w);
}

bool sarif_end(struct sarif *sarif, size_t bytes, struct buf *out)
{
    if (!sarif->ending)
        buf_put_cstr(out,
            "],\n\"tool\":{\"driver\":{\"name\":\"Careen\",\"version\":\"" CAREEN_VERSION
            "\",\"rules\":[");
    sarif->ending = true;
    for (; sarif->rules_written + 1 < sarif->rules.count; sarif->rules_written++) {
        if (out->len >= bytes)
            return false;
        buf_put_cstr(out, sarif->rules_written ? ",\n" : "\n");
        write_rule(sarif, sarif->rules_written, out);
    }
    buf_put_cstr(out, "]}}}]}\n");
    return true;
}
