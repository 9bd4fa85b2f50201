/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service: the fleet, and those who may use it, behind HTTP. Routes are a table (routes.c);
 * each handler gets a struct call. Two threads of its own work beside them: the follower keeps the
 * index as the store is (follower.h), the keeper does what is due in the store (keeper.h).
 */
#ifndef CAREEN_API_SERVICE_H
#define CAREEN_API_SERVICE_H

#include "fleet/fleet.h"
#include "http/server.h"

struct service;

struct service_options {
    const char *data_dir;          /* kept; where the key file is (auth/seal.h) */
    const char *domain;            /* kept; the name of the one IAM domain */
    bool strict_parameters;        /* the four required parameters must be there */
    uint64_t max_report_bytes;     /* of an import's body, as sent */
    int64_t log_keep_ms;           /* causes older than this are dropped from the change log */
    struct retention retention;    /* applied every hour; with both ages -1 never */
    unsigned rate_limit_per_user;  /* requests a minute; 0: no limit */
    unsigned refusals_per_address; /* 401 answers a minute; 0: no limit */
    bool load_at_start;            /* kept; all projects, else each when it is asked for */
    uint64_t memory_budget;        /* bytes of the projects' indexes; 0: none */
    bool metrics_open;             /* GET /metrics needs no credentials, and shows all projects */
};

/* The fleet stays the caller's and must outlive the service. */
struct service *service_start(
    struct fleet *fleet, const struct service_options *options, struct err *err);
/* Takes over what may change while it runs: strict_parameters, max_report_bytes, log_keep_ms,
 * retention, the two limits of rate, memory_budget and metrics_open. Any thread. Requests in flight
 * may see what was and what is now, each option whole. */
void service_reconfigure(struct service *service, const struct service_options *options);
/* What holds now, for handlers: what it points to is not changed any more, and lives as long as the
 * service. Any thread; costs one read. */
const struct service_options *service_options(const struct service *service);
/* For /metrics: the server whose counters are shown; zeros until it is told. Any thread. It must
 * end before the service. */
void service_set_server(struct service *service, const struct http_server *server);
/* The callbacks for http_server_start(); valid until service_stop(). */
struct http_app service_app(struct service *service);
/* Was the last round of following good, and is every project loaded that is at the start? */
bool service_ready(const struct service *service);
/* After the HTTP server has stopped. Accepts NULL. */
void service_stop(struct service *service);

#endif
