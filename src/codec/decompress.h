/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression of whatever comes, told by its first bytes. */
#ifndef CAREEN_CODEC_DECOMPRESS_H
#define CAREEN_CODEC_DECOMPRESS_H

#include "codec/stream.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* Looks at the first bytes: gzip (stream.h) and zstd (unzstd.h) are decompressed, all else passes
 * through, but xz, bzip2 and lz4, which are ERR_UNSUPPORTED by name. On failure some bytes of `in`
 * may have been read. */
struct stream *stream_auto_decompress(struct stream *in, const struct expansion *most,
    enum compression *ret_compression, struct err *err);

#endif
