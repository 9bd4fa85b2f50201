/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /careen/v1/{project_id}/decisions: one decision, all that there may be of it. */
#ifndef CAREEN_API_DECISION_BODY_H
#define CAREEN_API_DECISION_BODY_H

#include "api/fields.h"
#include "fleet/fleet.h"

struct decision_body {
    int action, scope; /* enum decision_action, decision_scope */
    struct id_list vul_ids, image_ids;
    bool all_vuls, dry_run;
    struct slice package, place, reason;
    int type, image_type, handled; /* -1: any */
    int64_t expires_ms;            /* 0: never */
};

/* The members, for the OpenAPI document. */
extern const struct fields decision_fields;

/* Reads the body, NULL if there is none. ERR_FORMAT, ERR_INVALID: the member and its rule; unknown
 * members are refused: a misspelt one would decide something else. */
int decision_body_read(
    struct stream *body, struct arena *arena, struct decision_body *ret, struct err *err);
/* The same as a request to the fleet, pointing into the body. */
struct decision_request decision_body_request(const struct decision_body *body);

#endif
