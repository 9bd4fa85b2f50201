/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and facets of an answer (api/affected_facets.h) for people. */
#ifndef CAREEN_CLI_FACETS_H
#define CAREEN_CLI_FACETS_H

#include "base/buf.h"
#include "index/index.h"

/* What `include` (bits of INCLUDE_COUNTS and INCLUDE_FACETS) asks for: a line of counts; a table
 * with a line for each value of each filter. */
void facets_print(const struct index_facets *facets, unsigned include, struct buf *out);

#endif
