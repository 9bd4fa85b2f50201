/* SPDX-License-Identifier: Apache-2.0 */
/* What a project takes in memory. */
#include "fleet/internal.h"

int fleet_size(struct fleet *fleet, uint32_t project, struct index_size *ret, struct err *err)
{
    struct tenant *tenant;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    index_size(tenant->index, ret);
    fleet_end_read(fleet);
    return 0;
}
