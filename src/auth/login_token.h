/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of POST /v3/auth/tokens: "careen-login.USER.GENERATION.PROJECT.ISSUED.MAC", the MAC an
 * HMAC-SHA256 under a key derived from the key file. Nothing is stored of them: a login costs no
 * write, and a flood of logins no disk. They end after LOGIN_TOKEN_MS, and at once when the user's
 * generation is raised (another password, revoked).
 */
#ifndef CAREEN_AUTH_LOGIN_TOKEN_H
#define CAREEN_AUTH_LOGIN_TOKEN_H

#include "auth/seal.h"

enum { LOGIN_TOKEN_MS = 24 * 3600 * 1000, LOGIN_TOKEN_BYTES = 160 };

struct login {
    uint32_t user, generation;
    uint32_t project; /* 0: not narrowed to one */
    int64_t issued_ms;
};

/* Does the text look like one? */
bool login_token_is(struct slice text);
void login_token_make(
    const struct seal *seal, const struct login *login, char ret[LOGIN_TOKEN_BYTES]);
/* False when it is not one of ours. Says nothing of its age or its user. */
bool login_token_read(const struct seal *seal, struct slice text, struct login *ret);

#endif
