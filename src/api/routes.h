/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: what is served, who may call it, how its body is taken in, and what it says of
 * itself in the OpenAPI document (openapi.c), which is made from this table. */
#ifndef CAREEN_API_ROUTES_H
#define CAREEN_API_ROUTES_H

#include "api/call.h"

enum route_access {
    ACCESS_OPEN,   /* no credentials */
    ACCESS_CALLER, /* any good ones */
    ACCESS_ROLE,   /* the role, in the project of the path */
};

enum route_body {
    BODY_NONE,
    BODY_DOCUMENT,  /* at most LIMIT_DOCUMENT_BYTES */
    BODY_OPERATION, /* LIMIT_OPERATION_BYTES */
    BODY_REPORT,    /* the setting for reports */
};

struct schema;

/* Which parameters the query has. */
enum route_query {
    QUERY_NONE,
    QUERY_AFFECTED,
    QUERY_FILTERS, /* those of QUERY_AFFECTED that choose no page, and fields */
    QUERY_PLACEMENT,
    QUERY_PROJECTS,
    QUERY_FIELDS
};

/* What an answer may be. */
struct media {
    const char *type;
    const struct schema *schema;
};

struct fields;

struct route {
    const char *method;
    const char *pattern; /* "/v5/{project_id}/..." */
    enum route_access access;
    enum role role;       /* with ACCESS_ROLE: the least */
    enum route_body body; /* kept for the handler */
    bool blocking;        /* may wait for the store */
    bool iam;             /* errors in IAM's shape */
    void (*handle)(struct call *call);
    const char *operation, *summary, *tag;
    const struct schema *request; /* of a body that is no report */
    const struct schema *answer;
    const struct media *media; /* of the answer, the last has no type; NULL: JSON */
    enum route_query query;
    const struct fields *fields; /* with QUERY_FIELDS, QUERY_FILTERS */
    unsigned status;             /* of success; 0: 200 */
    unsigned other_status;       /* the same answer may come with this one, too; 0: it does not */
    bool examines;               /* takes a token in X-Subject-Token */
    bool gives_token;            /* answers with one there */
    const struct failure *const *failures; /* its own, NULL behind the last */
};

/* All routes, one after the other; NULL behind the last. */
const struct route *route_at(size_t i);
/* The i with which route_at() gives this one. */
size_t route_number(const struct route *route);
/* The status of success. */
unsigned route_status(const struct route *route);

/* Finds the route of the request: call->route, and the ids of the path, percent-decoded into the
 * request's arena (call->bad_path where they cannot be). NULL, or the failure to answer. */
const struct failure *route_find(struct call *call);

#endif
