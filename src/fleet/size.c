/* SPDX-License-Identifier: Apache-2.0 */
/* What a project takes in memory. */
#include "fleet/internal.h"

int fleet_size(struct fleet *fleet, uint32_t project, struct fleet_size *ret, struct err *err)
{
    struct tenant *tenant;

    pthread_rwlock_rdlock(&fleet->overlays);
    if (fleet_begin_read(fleet, project, &tenant, err) < 0) {
        pthread_rwlock_unlock(&fleet->overlays);
        return -1;
    }
    index_size(tenant->index, &ret->index);
    ret->decisions = overlay_count(tenant->overlay);
    fleet_end_read(fleet);
    pthread_rwlock_unlock(&fleet->overlays);
    return 0;
}
