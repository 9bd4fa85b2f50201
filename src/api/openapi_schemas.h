/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of requests and answers as JSON Schemas, one table of members each, for the OpenAPI
 * document. The renderers (affected_render.c, image_render.c, iam_render.c) write what is declared
 * here and nothing else: tests/e2e/test_openapi.py holds real answers against it, closed.
 */
#ifndef CAREEN_API_OPENAPI_SCHEMAS_H
#define CAREEN_API_OPENAPI_SCHEMAS_H

#include "codec/json_writer.h"

struct schema;
struct words;
struct placement_param;
struct field;
struct fields;

enum member_type {
    MEMBER_TEXT,
    MEMBER_INTEGER, /* not negative */
    MEMBER_BOOLEAN,
    MEMBER_NULL,
    MEMBER_OBJECT,   /* of the schema `of` */
    MEMBER_TEXTS,    /* an array, not empty */
    MEMBER_INTEGERS, /* an array */
    MEMBER_OBJECTS,  /* an array of `of`, of any if that is NULL */
};

struct member {
    const char *name;
    enum member_type type;
    const char *help;
    const struct schema *of;
    const struct words *words; /* the texts that there are */
    const char *pattern;       /* of texts */
    int64_t maximum;           /* of integers; 0: none */
    bool filled;               /* a text that is not empty */
    bool optional;
    bool beyond; /* beyond HSS */
};

struct schema {
    const char *name, *help;
    const struct member *members; /* NULL: any object */
    size_t count;
    void (*write)(struct json_writer *w); /* instead: made from another table */
    const struct fields *fields;          /* or from this one */
};

extern const struct schema schema_operation, schema_done, schema_preview, schema_history,
    schema_decisions, schema_decision_body, schema_decision_outcome, schema_withdrawn;
extern const struct schema schema_affected_page, schema_import_outcome, schema_image,
    schema_image_change, schema_image_id, schema_removed, schema_login, schema_token_answer,
    schema_projects, schema_domains, schema_health, schema_readiness, schema_document,
    schema_metrics, schema_findings, schema_sarif;
/* Error bodies: failure_write(), failure_write_iam(). */
extern const struct schema schema_error, schema_iam_error;

/* For tables: the members and their count. */
#define MEMBERS(table) table, sizeof(table) / sizeof((table)[0]), NULL, NULL

/* --- How they become JSON Schema -------------------------------------------------------------- */

/* Members of an object that the caller has begun. */

/* "type": "string" and "pattern": a text without control characters and line breaks, as
 * utf8_is_line() wants it; of min to max code points (0: any number). */
void schema_write_line(struct json_writer *w, size_t min_chars, size_t max_chars);
/* "type": "string" and "enum": the words, and those of `more` (may be NULL) that are others. */
void schema_write_words(struct json_writer *w, const struct words *words, const struct words *more);
/* "type": "integer" and its range. */
void schema_write_range(struct json_writer *w, int64_t minimum, int64_t maximum);
/* What a value of the parameter may be. */
void schema_write_placement(struct json_writer *w, const struct placement_param *param);
/* What a value of the field may be. */
void schema_write_field(struct json_writer *w, const struct field *field);
/* "$ref" to the schema. */
void schema_write_ref(struct json_writer *w, const struct schema *schema);
/* Everything of the schema. */
void schema_write(struct json_writer *w, const struct schema *schema);

#endif
