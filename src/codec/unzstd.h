/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zstd filter (RFC 8878): frames that follow each other, skippable ones among them. The one
 * wrapper of libzstd.
 */
#ifndef CAREEN_CODEC_UNZSTD_H
#define CAREEN_CODEC_UNZSTD_H

#include "codec/stream.h"

/* All of `in` must be frames; the checksum of a frame that has one is checked. ERR_FORMAT, with the
 * place in the compressed bytes, for what is damaged, cut or no zstd; ERR_LIMIT for a window over
 * LIMIT_ZSTD_WINDOW_BYTES, and for what expands too much; ERR_UNSUPPORTED for a frame that needs a
 * dictionary. */
struct stream *stream_unzstd(struct stream *in, const struct expansion *most, struct err *err);

#endif
