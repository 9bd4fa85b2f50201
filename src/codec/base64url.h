/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base 64 with the alphabet for URLs, without padding (RFC 4648, section 5): bytes as text that
 * needs no escapes in a query.
 */
#ifndef CAREEN_CODEC_BASE64URL_H
#define CAREEN_CODEC_BASE64URL_H

#include "base/arena.h"
#include "base/buf.h"

void base64url_encode(struct buf *out, struct slice bytes);
/* Into the arena. ERR_INVALID for what base64url_encode() does not write: other characters,
 * padding, lengths that cannot be, and bits behind the last byte. */
int base64url_decode(struct slice text, struct arena *arena, struct slice *ret, struct err *err);

#endif
