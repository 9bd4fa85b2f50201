/* SPDX-License-Identifier: Apache-2.0 */
/* Facets of a query: being built. */
#include "index/query.h"

int index_facets(const struct index *index, const struct index_query *query,
    struct index_facets *ret, struct err *err)
{
    (void)index;
    (void)query;
    (void)ret;
    return err_set(err, ERR_INVALID, "facets are not built yet");
}
