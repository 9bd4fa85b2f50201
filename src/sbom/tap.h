/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two small streams: one that lends another's stream to a stack of filters without giving it away,
 * and one that looks at the first bytes before they are read.
 */
#ifndef CAREEN_SBOM_TAP_H
#define CAREEN_SBOM_TAP_H

#include "codec/stream.h"

enum { TAP_HEAD_BYTES = 512 };

/* Reads from `in`, which stays the caller's: closing the tap leaves it open. */
struct stream *tap_borrow(struct stream *in, struct err *err);
/* Takes `in` over, reads its first bytes (TAP_HEAD_BYTES, or fewer at its end), shows them in
 * *ret_head, which is valid as long as the stream, and delivers them again. */
struct stream *tap_look(struct stream *in, struct slice *ret_head, struct err *err);

#endif
