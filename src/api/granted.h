/* SPDX-License-Identifier: Apache-2.0 */
/* What of a project the caller may touch: the enterprise projects in which the caller holds the
 * route's role (call->access). No endpoint reads or writes images without one of these. */
#ifndef CAREEN_API_GRANTED_H
#define CAREEN_API_GRANTED_H

#include "api/affected_params.h"
#include "api/call.h"

/* ERR_FORBIDDEN when this enterprise project is not granted. */
int granted_enterprise_project(const struct call *call, struct slice id, struct err *err);
/* Narrows a query: all_granted_eps to what is granted; one that is not granted, the default one
 * included, is ERR_FORBIDDEN. */
int granted_scope(const struct call *call, struct affected_request *request, struct err *err);
/* The enterprise projects that a call about decisions is for: the one that it names (empty: the
 * default one), which must be granted (ERR_FORBIDDEN), or with all_granted_eps all of the caller's.
 * *ret points to *asked or into call->access; *ret_count 0: every one. */
int granted_projects(const struct call *call, struct slice *asked, const struct slice **ret,
    size_t *ret_count, struct err *err);
/* The image of the path. ERR_NOT_FOUND, as if it did not exist, when the caller may not see it;
 * ERR_FORBIDDEN when the caller may, but not do what the route does. */
int granted_image(struct call *call, struct err *err);
/* Where a change moves an image to. ERR_FORBIDDEN. */
int granted_move(const struct call *call, const struct image_change *change, struct err *err);

#endif
