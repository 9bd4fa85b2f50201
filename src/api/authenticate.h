/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls, and whether they may: a token in X-Auth-Token or, as "Bearer TOKEN", in Authorization;
 * or a request signed with an access key (contract, sections 2, 3 and 8.3). Nothing here waits for
 * the disk. */
#ifndef CAREEN_API_AUTHENTICATE_H
#define CAREEN_API_AUTHENTICATE_H

#include "api/call.h"

/* Once the headers are there and the route is known: call->principal, and in call->proof what is
 * left for authenticate_body(). */
struct refusal authenticate(struct call *call);
/* Once the body is there and hashed, if call->proof asked for that. */
struct refusal authenticate_body(struct call *call);
/* Behind both: the path's ids, the project, and the role in it: call->project and call->access. */
struct refusal authorize(struct call *call);

#endif
