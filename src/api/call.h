/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers share: one call in flight, and the ways to answer it. Inside api/ only. */
#ifndef CAREEN_API_CALL_H
#define CAREEN_API_CALL_H

#include "api/failure.h"
#include "api/service.h"
#include "codec/query_string.h"

#include <pthread.h>

struct service {
    struct fleet *fleet;
    struct tokens *tokens;
    struct service_options options;
    pthread_t follower;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping; /* under lock */
    bool ready;    /* atomic */
};

struct route;

struct call {
    struct service *service;
    const struct route *route;
    struct http_request *request;
    struct http_response *response;
    uint32_t project;        /* stored number, where the route has {project_id} */
    struct slice project_id; /* decoded */
    struct slice image_id;   /* decoded, where the route has {image_id} */
};

/* The query's parameters, decoded. ERR_INVALID when they cannot be, or are too many. */
int call_query(struct call *call, struct query_params *ret, struct err *err);
/* Answers an error: the status and body of the table, detail in place. What went wrong inside
 * (disk, memory) is logged under the request id and not told to the caller. */
void call_fail(struct call *call, const struct err *err);
/* The response body as a JSON document of status 200, or an error if it outgrew its ceiling. */
void call_finish(struct call *call);

/* The handlers of routes.c. */
void handle_affected_images(struct call *call);
void handle_import(struct call *call);
void handle_show_image(struct call *call);
void handle_remove_image(struct call *call);
void handle_set_image(struct call *call);
void handle_health(struct call *call);
void handle_ready(struct call *call);

#endif
