/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical request that a signature covers (contract, section 2.1). Only for signature.c. */
#ifndef CAREEN_AUTH_CANONICAL_H
#define CAREEN_AUTH_CANONICAL_H

#include "auth/signature.h"

/* To be hashed; or to be shown, its lines joined by '|' and secrets masked. */
enum canonical_form { CANONICAL_SIGNED, CANONICAL_SHOWN };

/* Writes the canonical request into the arena. -1 with *err: ERR_NOMEM, ERR_LIMIT. */
int canonical_request(const struct signature *signature, const struct signed_request *request,
    enum canonical_form form, struct arena *arena, struct slice *ret, struct err *err);

#endif
