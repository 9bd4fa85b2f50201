/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: what is served, who may call it, and how its body is taken in. */
#ifndef CAREEN_API_ROUTES_H
#define CAREEN_API_ROUTES_H

#include "api/call.h"

enum route_access { ACCESS_OPEN, ACCESS_PROJECT }; /* no credentials; a token of the project */

struct route {
    const char *method;
    const char *pattern; /* "/v5/{project_id}/..." */
    enum route_access access;
    bool upload;   /* the body is kept, up to the report ceiling */
    bool blocking; /* may wait for the store */
    void (*handle)(struct call *call);
};

/* Splits the path along the patterns and fills call->route and the ids of the path (percent-decoded
 * into the request's arena). NULL, or the refusal to answer. */
const struct failure *route_find(struct call *call, struct err *err);

#endif
