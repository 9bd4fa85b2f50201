/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request's parameters are gathered in, and the parsers of their values. Between
 * affected_params.c, which has the table, and affected_values.c only.
 */
#ifndef CAREEN_API_AFFECTED_PARSER_H
#define CAREEN_API_AFFECTED_PARSER_H

#include "api/affected_cursor.h"
#include "api/affected_params.h"

/* The values of a parameter that may be given again and again. */
struct value_list {
    struct slice *at;
    size_t count, cap;
};

struct affected_parser {
    struct affected_request request;
    struct arena *arena;                                /* for lists, and what is decoded */
    int image_type, necessity, type, status;            /* -1: any */
    int handled, fixable;                               /* -1: any, 0, 1 */
    int only_latest, running;                           /* 0, 1 */
    uint32_t image_types, necessities, types, statuses; /* any of these, as bits; 0: all */
    struct value_list enterprise_projects, vul_ids, image_ids, registry_names, registry_types,
        cluster_ids;
    struct affected_cursor cursor;
    bool by_cursor;
    bool given[AFFECTED_PARAM_COUNT];
};

/* Each puts the value at param->offset, of the type that is named. ERR_INVALID: "limit: must be
 * 10-200". */
typedef int affected_parse_fn(const struct affected_param *param, struct slice value,
    struct affected_parser *parser, struct err *err);

affected_parse_fn affected_parse_text;   /* struct slice */
affected_parse_fn affected_parse_texts;  /* struct value_list, one more */
affected_parse_fn affected_parse_word;   /* int */
affected_parse_fn affected_parse_words;  /* uint32_t, one bit more */
affected_parse_fn affected_parse_flag;   /* int, 0 or 1 */
affected_parse_fn affected_parse_offset; /* these know their places */
affected_parse_fn affected_parse_limit;
affected_parse_fn affected_parse_sort;
affected_parse_fn affected_parse_after;
affected_parse_fn affected_parse_since;

#endif
