/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: what is served, who may call it, and how its body is taken in. */
#ifndef CAREEN_API_ROUTES_H
#define CAREEN_API_ROUTES_H

#include "api/call.h"

enum route_access {
    ACCESS_OPEN,   /* no credentials */
    ACCESS_CALLER, /* any good ones */
    ACCESS_ROLE,   /* the role, in the project of the path */
};

enum route_body { BODY_NONE, BODY_DOCUMENT, BODY_REPORT }; /* ceilings: LIMIT_DOCUMENT_BYTES, */
                                                           /* the setting for reports */
struct route {
    const char *method;
    const char *pattern; /* "/v5/{project_id}/..." */
    enum route_access access;
    enum role role;       /* with ACCESS_ROLE: the least */
    enum route_body body; /* kept for the handler */
    bool blocking;        /* may wait for the store */
    bool iam;             /* errors in IAM's shape */
    void (*handle)(struct call *call);
};

/* Finds the route of the request: call->route, and the ids of the path, percent-decoded into the
 * request's arena (call->bad_path where they cannot be). NULL, or the failure to answer. */
const struct failure *route_find(struct call *call);

#endif
