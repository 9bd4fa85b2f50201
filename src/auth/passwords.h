/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords as they are stored: "$scrypt$ln=15,r=8,p=3$SALT$HASH" (salt and hash in hex). The costs
 * stand in the text, so they can be raised without touching what is stored.
 *
 * A check takes 32 MiB and a good part of a second on purpose. A gate lets two run at a time:
 * guesses that come faster are turned away, and cost neither memory nor time.
 */
#ifndef CAREEN_AUTH_PASSWORDS_H
#define CAREEN_AUTH_PASSWORDS_H

#include "base/err.h"
#include "base/slice.h"

#include <stdatomic.h>

enum { PASSWORD_MIN_BYTES = 8, PASSWORD_MAX_BYTES = 1024, PASSWORD_HASH_BYTES = 160 };
enum { PASSWORD_CHECKS_AT_ONCE = 2 };

struct password_gate {
    atomic_int running;
};

/* ERR_INVALID when the password is too short or too long; ERR_NOMEM. */
int password_hash(struct slice password, char ret[PASSWORD_HASH_BYTES], struct err *err);

/* *ret: whether the password is the one of this hash. An empty hash (a user without a password, or
 * no such user) takes as long, and is never right. ERR_BUSY when two checks are running already,
 * ERR_CORRUPT, ERR_NOMEM. Any thread. */
int password_check(struct password_gate *gate, struct slice password, struct slice hash, bool *ret,
    struct err *err);

#endif
