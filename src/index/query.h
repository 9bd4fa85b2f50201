/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of index_query(): query.c and by_vuln.c. */
#ifndef CAREEN_INDEX_QUERY_H
#define CAREEN_INDEX_QUERY_H

#include "index/internal.h"

/* Appends a row; the page has room. */
void page_add(struct index_page *page, const struct entry *entry, size_t finding);
/* The rows of query->vulns within the ordinals of a scope. *ret is untouched on failure. */
int query_vulns(const struct index *index, const struct ordinals *scope,
    const struct index_query *query, struct index_page *ret, struct err *err);

#endif
