/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call takes, as a table of fields: the parameters of its query, or the members of its JSON
 * body. The table parses (fields.c, fields_json.c), and the OpenAPI document describes the call by
 * it.
 */
#ifndef CAREEN_API_FIELDS_H
#define CAREEN_API_FIELDS_H

#include "codec/query_string.h"
#include "codec/stream.h"
#include "model/words.h"

/* What a value is, and what stands at its offset in the caller's structure. */
enum value_kind {
    VALUE_TEXT,   /* struct slice: of one line */
    VALUE_WORD,   /* int */
    VALUE_NUMBER, /* int64_t */
    VALUE_FLAG,   /* bool */
    VALUE_IDS,    /* struct id_list; in bodies only, as the next */
    VALUE_PAIRS,  /* struct pair_list: objects of one id and a list of ids */
};

struct id_list {
    const struct slice *at;
    size_t count;
};

struct pair {
    struct slice one;
    struct id_list many;
};

struct pair_list {
    const struct pair *at;
    size_t count;
};

struct field {
    const char *name, *help;
    enum value_kind kind;
    size_t offset;
    bool required;                /* must be given, and not empty */
    bool strict;                  /* must be given with strict parameters */
    bool beyond;                  /* beyond HSS */
    size_t min_chars, max_chars;  /* of texts; ids have 1-LIMIT_ID_CHARS */
    const struct words *words;    /* of words */
    const struct words *rows;     /* what answers call them, which is taken, too; or NULL */
    int64_t low, high, otherwise; /* of numbers: the range, and the value if not given */
    size_t max_ids;               /* of lists, over all pairs */
    size_t max_pairs;
    const char *one, *many; /* of pairs: the names of their two members */
};

struct fields {
    const struct field *at;
    size_t count; /* at most 32 */
    bool closed;  /* other members are refused, not passed over */
};

/* For tables. */
#define FIELDS(table) table, sizeof(table) / sizeof((table)[0])

/* Fills *into from decoded parameters, whose slices must outlive it; what is not given stays as it
 * was. Unknown ones are passed over. An empty value counts as not given, but for numbers and flags.
 * ERR_INVALID: "limit: must be 10-200"; *into is filled in part then. */
int fields_from_query(const struct fields *fields, const struct query_params *params, bool strict,
    void *into, struct err *err);

/* Fills *into from a body that is one JSON object; what is not given (null is as good) stays as it
 * was. Texts in the arena. *ret_given: a bit for each field that was given, by its position.
 * ERR_FORMAT, ERR_INVALID: "image_id_list[3]: must be 1-256 characters ... at byte 90"; *into is
 * filled in part then. `body` may be NULL: there is none. */
int fields_from_json(const struct fields *fields, struct stream *body, struct arena *arena,
    void *into, uint32_t *ret_given, struct err *err);

/* A word of `words`, or of `rows` (NULL: none). ERR_INVALID: "type: must be linux_vul or app_vul".
 */
int word_read(const char *name, const struct words *words, const struct words *rows,
    struct slice value, int *ret, struct err *err);

/* The rule that a text breaks ("must be 1-256 characters without control characters"), written into
 * dst; NULL when it breaks none. */
enum { TEXT_RULE_BYTES = 96 };
const char *text_rule(
    struct slice text, size_t min_chars, size_t max_chars, char dst[TEXT_RULE_BYTES]);

#endif
