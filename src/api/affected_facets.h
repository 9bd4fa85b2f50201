/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facets of an answer, filter by filter: which values its rows have, and how many rows each. Each
 * goes by the name of the parameter that filters by it, and its values are what that parameter
 * takes. The call writes them beside its page, `careen affected` as a table.
 */
#ifndef CAREEN_API_AFFECTED_FACETS_H
#define CAREEN_API_AFFECTED_FACETS_H

#include "codec/json_writer.h"
#include "fleet/fleet.h"

/* What may stand beside a page; bits of struct affected_request's `include`. */
enum { INCLUDE_COUNTS, INCLUDE_FACETS };
extern const struct words affected_include_words; /* counts facets */

enum { AFFECTED_FACETS = 10 };
/* "repair_necessity" */
const char *affected_facet_name(size_t facet);
/* The facet: one of the index's, or made in *room. */
const struct index_facet *affected_facet(
    const struct index_facets *facets, size_t facet, struct index_facet *room);

/* The members `counts` and `facets`, those that are included. */
void affected_write_facets(
    struct json_writer *w, const struct index_facets *facets, unsigned include);

#endif
