/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream for tests that gives at most `step` bytes for each read, and fails at a chosen byte:
 * what a slow socket and a broken disk do to whoever reads. It lives on the test's stack.
 */
#ifndef CAREEN_TESTS_DRIP_STREAM_H
#define CAREEN_TESTS_DRIP_STREAM_H

#include "codec/stream.h"

struct drip_stream {
    struct stream stream;
    struct slice rest;
    size_t step;
    size_t fail_after; /* bytes given before the failure; SIZE_MAX: none */
    unsigned closed;
};

static int drip_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct drip_stream *drip = (struct drip_stream *)stream;
    size_t n = drip->step < cap ? drip->step : cap;

    if (drip->fail_after == 0)
        return err_set(err, ERR_IO, "the drip dried up");
    if (n > drip->rest.len)
        n = drip->rest.len;
    if (n > drip->fail_after)
        n = drip->fail_after;
    if (n)
        memcpy(dst, drip->rest.ptr, n);
    drip->rest = slice_skip(drip->rest, n);
    if (drip->fail_after != SIZE_MAX)
        drip->fail_after -= n;
    *ret = n;
    return 0;
}

static void drip_close(struct stream *stream)
{
    ((struct drip_stream *)stream)->closed++;
}

static inline struct drip_stream drip_of(struct slice bytes, size_t step)
{
    static const struct stream_ops ops = {drip_read, drip_close};

    return (struct drip_stream){
        .stream = {&ops}, .rest = bytes, .step = step, .fail_after = SIZE_MAX};
}

#endif
