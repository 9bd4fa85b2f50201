/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v3/auth/tokens (contract, section 3). */
#ifndef CAREEN_API_IAM_LOGIN_H
#define CAREEN_API_IAM_LOGIN_H

#include "base/arena.h"
#include "codec/json_reader.h"

/* What it asks for; what is not given is empty. Strings in the arena. */
struct login_request {
    struct slice user_name, password;
    struct slice domain_name, domain_id; /* the user's */
    bool scope_project, scope_domain;
    struct slice scope_name, scope_id;
};

/* ERR_FORMAT, ERR_INVALID (another type, a method that is not `password`, no user or no password),
 * with the path of the member in the message, and never its value. Unknown members are passed over.
 */
int login_request_read(
    struct stream *body, struct arena *arena, struct login_request *ret, struct err *err);

#endif
