/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See decompress.h. The first bytes are read here and given back in front of the rest, by a stream
 * that stands between the one below and the decompressor.
 */
#include "codec/decompress.h"

#include "codec/unzstd.h"

enum { MAGIC_BYTES = 8 };

struct ahead_stream {
    struct stream stream;
    struct stream *in; /* owned, once the construction is done */
    size_t at, end;    /* of ahead[], what is still to be given */
    unsigned char ahead[MAGIC_BYTES];
};

static int ahead_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct ahead_stream *s = (struct ahead_stream *)stream;
    size_t n = s->end - s->at < cap ? s->end - s->at : cap;

    if (n == 0)
        return stream_read(s->in, dst, cap, ret, err);
    memcpy(dst, s->ahead + s->at, n);
    s->at += n;
    *ret = n;
    return 0;
}

static void ahead_close(struct stream *stream)
{
    struct ahead_stream *s = (struct ahead_stream *)stream;

    stream_close(s->in);
    free(s);
}

static const struct stream_ops ahead_ops = {ahead_read, ahead_close};

static int look_ahead(struct ahead_stream *s, struct err *err)
{
    size_t got = 1;

    while (got && s->end < MAGIC_BYTES) {
        if (stream_read(s->in, s->ahead + s->end, MAGIC_BYTES - s->end, &got, err) != 0)
            return -1;
        s->end += got;
    }
    return 0;
}

/* Does the input start with these bytes? A mask of 0xf0 on the first lets its low digit be any. */
static bool starts_with(const struct ahead_stream *s, const char *magic, size_t len, int mask)
{
    return s->end >= len && (s->ahead[0] & mask) == ((unsigned char)magic[0] & mask) &&
           memcmp(s->ahead + 1, magic + 1, len - 1) == 0;
}

static int detect(const struct ahead_stream *s, enum compression *ret, struct err *err)
{
    const char *other = NULL;

    if (starts_with(s, "\xfd\x37zXZ\0", 6, 0xff))
        other = "xz";
    else if (starts_with(s, "BZh", 3, 0xff) && s->end >= 8 && memcmp(s->ahead + 4, "1AY&", 4) == 0)
        other = "bzip2";
    else if (starts_with(s, "\x04\x22\x4d\x18", 4, 0xff))
        other = "lz4";
    if (other)
        return err_set(err, ERR_UNSUPPORTED,
            "%s compression is not read; gzip, zstd and no compression are", other);
    if (starts_with(s, "\x1f\x8b", 2, 0xff))
        *ret = COMPRESSION_GZIP;
    else if (starts_with(s, "\x28\xb5\x2f\xfd", 4, 0xff) ||
             starts_with(s, "\x50\x2a\x4d\x18", 4, 0xf0)) /* a skippable frame */
        *ret = COMPRESSION_ZSTD;
    else
        *ret = COMPRESSION_NONE;
    return 0;
}

static struct stream *decompressor(
    struct stream *in, enum compression compression, const struct expansion *most, struct err *err)
{
    switch (compression) {
    case COMPRESSION_GZIP:
        return stream_gunzip_within(in, most, err);
    case COMPRESSION_ZSTD:
        return stream_unzstd(in, most, err);
    case COMPRESSION_NONE:
        break;
    }
    return in;
}

struct stream *stream_auto_decompress(struct stream *in, const struct expansion *most,
    enum compression *ret_compression, struct err *err)
{
    struct ahead_stream *s = calloc(1, sizeof(*s));
    enum compression compression = COMPRESSION_NONE;
    struct stream *out = NULL;

    if (!s) {
        err_nomem(err);
        return NULL;
    }
    s->stream.ops = &ahead_ops;
    s->in = in;
    if (look_ahead(s, err) == 0 && detect(s, &compression, err) == 0)
        out = decompressor(&s->stream, compression, most, err);
    if (!out) {
        free(s);
        return NULL;
    }
    *ret_compression = compression;
    return out;
}
