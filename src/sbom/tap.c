/* SPDX-License-Identifier: Apache-2.0 */
/* One kind of stream serves both ends: bytes read ahead, then those of `in`. */
#include "sbom/tap.h"

struct tap {
    struct stream stream;
    struct stream *in;
    bool owns;
    size_t at, len; /* head[at..len) is still to be delivered */
    char head[TAP_HEAD_BYTES];
};

static int tap_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct tap *tap = (struct tap *)stream;
    size_t n = tap->len - tap->at;

    if (n == 0)
        return stream_read(tap->in, dst, cap, ret, err);
    if (n > cap)
        n = cap;
    memcpy(dst, tap->head + tap->at, n);
    tap->at += n;
    *ret = n;
    return 0;
}

static void tap_close(struct stream *stream)
{
    struct tap *tap = (struct tap *)stream;

    if (tap->owns)
        stream_close(tap->in);
    free(tap);
}

static struct tap *tap_new(struct stream *in, struct err *err)
{
    static const struct stream_ops ops = {.read = tap_read, .close = tap_close};
    struct tap *tap = calloc(1, sizeof(*tap));

    if (!tap) {
        err_nomem(err);
        return NULL;
    }
    tap->stream.ops = &ops;
    tap->in = in;
    return tap;
}

struct stream *tap_borrow(struct stream *in, struct err *err)
{
    struct tap *tap = tap_new(in, err);

    return tap ? &tap->stream : NULL;
}

struct stream *tap_look(struct stream *in, struct slice *ret_head, struct err *err)
{
    struct tap *tap = tap_new(in, err);
    size_t got = 1;

    if (!tap)
        return NULL;
    while (tap->len < sizeof(tap->head) && got > 0) {
        if (stream_read(in, tap->head + tap->len, sizeof(tap->head) - tap->len, &got, err) < 0) {
            free(tap);
            return NULL;
        }
        tap->len += got;
    }
    tap->owns = true;
    *ret_head = (struct slice){tap->head, tap->len};
    return &tap->stream;
}
