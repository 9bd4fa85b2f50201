/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of ListVulAffectImages (contract, sections 1.2, 8.2 and 8.3) as one table: the
 * call parses its query string with it, `careen affected` its options and prints their help from
 * it, and the OpenAPI document describes them by it (openapi.c).
 */
#ifndef CAREEN_API_AFFECTED_PARAMS_H
#define CAREEN_API_AFFECTED_PARAMS_H

#include "codec/query_string.h"
#include "fleet/fleet.h"

struct affected_parser;

struct affected_param {
    const char *name;  /* "registry_name"; as an option: --registry-name */
    const char *value; /* "NAME"; as of struct cli_option */
    const char *help;
    bool required;    /* with strict parameters */
    bool needs_value; /* empty is an error, not "not given" */
    bool many;        /* may be given again and again: any of these */
    bool scope;       /* chooses images, not rows */
    bool page;        /* chooses the page, not what is asked for */
    bool beyond;      /* beyond HSS */
    int (*parse)(const struct affected_param *param, struct slice value,
        struct affected_parser *parser, struct err *err);
    size_t offset;                    /* into the parser, where the value goes */
    size_t max_chars;                 /* of texts */
    const struct words *words, *rows; /* of words; and what answers call them, which is taken too */
    unsigned low, high, otherwise;    /* of numbers: the range, and the value if not given */
    const char *pattern;              /* of cursors and times, for the document */
};

enum { AFFECTED_PARAM_COUNT = 32 };
extern const struct affected_param affected_params[AFFECTED_PARAM_COUNT];

/* The query with room for what it points at; not to be copied. */
struct affected_request {
    struct affected_query query;
    struct slice enterprise_project; /* the single one that was named; empty: none */
    struct index_values enterprise_projects;
    uint32_t include; /* bits of affected_facets.h; query.facets is set with any */
};

/* Fills *ret from decoded parameters; unknown ones are passed over. strict: is_handled, vul_id,
 * type and image_type must be there. The slices of params, and the arena, must outlive *ret.
 * ERR_INVALID: "limit: must be 10-200"; else the arena's errors. */
int affected_parse(const struct query_params *params, bool strict, struct arena *arena,
    struct affected_request *ret, struct err *err);

/* Is it the name of a parameter that chooses the page? */
bool affected_chooses_page(struct slice name);

#endif
