/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers share: one call in flight, and the ways to answer it. Inside api/ only. */
#ifndef CAREEN_API_CALL_H
#define CAREEN_API_CALL_H

#include "api/failure.h"
#include "api/metrics.h"
#include "api/pause.h"
#include "api/service.h"
#include "api/throttle.h"
#include "auth/lockout.h"
#include "auth/passwords.h"
#include "auth/principals.h"
#include "auth/signature.h"
#include "base/log.h"
#include "codec/query_string.h"

#include <pthread.h>

/* A state of what may change while the service runs. It stays as it is: a new one takes its place,
 * and the old ones are kept, since somebody may be reading them. There are as many as there were
 * reloads of the configuration. */
struct configuration {
    struct service_options options;
    struct buf openapi; /* the document, which says what the options make of the service */
    struct configuration *older;
};

/* What /metrics shows of the store. */
struct stored_figures {
    struct store_stats stats;
    uint64_t log_position;
    int64_t retention_ran_ms; /* 0: never */
    int64_t read_us;          /* monotonic; 0: never */
};

enum { LOADERS = 2 };

struct service {
    struct fleet *fleet;
    struct principals *principals;
    struct lockout *lockout;
    struct throttle *callers, *addresses;
    struct metrics *metrics;
    struct password_gate passwords;
    pthread_mutex_t configuring;         /* one at a time */
    struct configuration *configuration; /* the newest; atomic */
    const struct http_server *server;    /* NULL: not told yet; atomic */
    pthread_mutex_t stored_lock;
    struct stored_figures stored; /* under stored_lock */
    pthread_t follower, keeper, loaders[LOADERS];
    unsigned loader_count;
    struct pause pause; /* of all of them */
    bool over_budget;   /* atomic: it was warned of */
    bool started;       /* atomic: what is loaded at the start is */
    bool following;     /* atomic: the last round was good */
    int exports;        /* under way; atomic */
};

/* What holds now. */
const struct configuration *service_configuration(const struct service *service);

struct route;

/* Why a call is not served. */
struct refusal {
    const struct failure *failure; /* NULL: it is served */
    const char *detail;            /* static, or in the request's arena */
};

/* What a signature leaves to be checked when the body is there. */
enum proof {
    PROOF_COMPLETE,
    PROOF_BODY,      /* that it has the hash that was signed */
    PROOF_SIGNATURE, /* all: it was made over the body's hash, which is not known before */
};

struct call {
    struct service *service;
    const struct route *route;
    struct http_request *request;
    struct http_response *response;
    struct refusal bad_path;    /* an id in the path cannot be decoded */
    struct principal principal; /* who calls, where the route is not open */
    struct access access;       /* where in the project the caller holds the route's role */
    enum credential credential; /* with what the caller has come */
    enum proof proof;
    struct signature signature; /* with PROOF_SIGNATURE */
    uint32_t project;           /* stored number, where the route has {project_id} */
    struct slice project_id;    /* decoded */
    struct fleet_hold *hold;    /* of the project; NULL: none yet */
    int64_t wait_until_us;      /* for it to be loaded */
    struct slice image_id;      /* decoded, where the route has {image_id} */
    struct slice decision;      /* likewise; as it was sent, not a number yet */
};

/* The query's parameters, decoded. ERR_INVALID when they cannot be, or are too many. */
int call_query(struct call *call, struct query_params *ret, struct err *err);
/* Into the log, with the request's id. */
void call_log(const struct call *call, enum log_level level, const char *message);
/* Answers an error: the status and body of the table, detail in place. What went wrong inside
 * (disk, memory) is logged under the request id and not told to the caller. */
void call_fail(struct call *call, const struct err *err);
/* Answers a refusal, in the format of the route. */
void call_refuse(struct call *call, const struct failure *failure, const char *detail);
/* The response body as a JSON document with the route's status of success, or an error if it
 * outgrew its ceiling. */
void call_finish(struct call *call);

/* The handlers of routes.c. */
void handle_affected_images(struct call *call);
void handle_export_findings(struct call *call);
void handle_import(struct call *call);
void handle_show_image(struct call *call);
void handle_remove_image(struct call *call);
void handle_set_image(struct call *call);
void handle_image_vulnerability(struct call *call);
void handle_preview_image_vulnerability(struct call *call);
void handle_image_vulnerability_history(struct call *call);
void handle_list_decisions(struct call *call);
void handle_decide(struct call *call);
void handle_withdraw_decision(struct call *call);
void handle_create_token(struct call *call);
void handle_show_token(struct call *call);
void handle_list_projects(struct call *call);
void handle_list_domains(struct call *call);
void handle_health(struct call *call);
void handle_ready(struct call *call);
void handle_openapi(struct call *call);
void handle_metrics(struct call *call);

#endif
