/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted while serving, for GET /metrics, and that call itself (metrics_answer.c).
 *
 * Counting is on the path of every request, so it takes no lock: plain numbers, added to without
 * order between them. A reader may see a request in one of them and not yet in another.
 */
#ifndef CAREEN_API_METRICS_H
#define CAREEN_API_METRICS_H

#include "base/buf.h"
#include "http/server.h"
#include "store/store.h"

struct route;
struct metrics;

/* With what a caller who was refused (401) had come. */
enum credential {
    CREDENTIAL_NONE,
    CREDENTIAL_TOKEN,
    CREDENTIAL_SIGNATURE,
    CREDENTIAL_PASSWORD,
    CREDENTIAL_COUNT
};
enum rate_policy { RATE_CALLER, RATE_ADDRESS, RATE_POLICY_COUNT };
extern const char *const rate_policy_names[RATE_POLICY_COUNT]; /* "user", "ip" */
enum import_end { IMPORT_TAKEN, IMPORT_UNCHANGED, IMPORT_REFUSED, IMPORT_END_COUNT };

struct metrics *metrics_new(struct err *err);
void metrics_free(struct metrics *metrics); /* accepts NULL */

/* All that follow: any thread. */

/* route NULL: it was refused before its route was known, or has none. */
void metrics_count_request(
    struct metrics *metrics, const struct route *route, const struct http_ended *ended);
void metrics_count_refused(struct metrics *metrics, enum credential with);
void metrics_count_throttled(struct metrics *metrics, enum rate_policy policy);
/* format: the report's ("trivy"), or NULL when it is not known. */
void metrics_count_import(struct metrics *metrics, const char *format, enum import_end end);
void metrics_count_removed(struct metrics *metrics, enum removal why, uint64_t images);
void metrics_count_expired(struct metrics *metrics);
/* A round of following has succeeded. */
void metrics_note_followed(struct metrics *metrics, int64_t now_us);

/* Since the last one, in microseconds; -1 when there was none. */
int64_t metrics_follow_age_us(const struct metrics *metrics, int64_t now_us);
/* All counters in the Prometheus text format (prometheus.h). */
void metrics_write_counters(struct buf *out, const struct metrics *metrics);

#endif
