/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gunzip filter: the one file that includes an inflating library. isa-l inflates at twice
 * zlib's speed and is taken where it is there; both stand behind `struct inflater`, which inflates
 * one member (RFC 1952, section 2.3) and checks its CRC-32 and ISIZE.
 *
 * What a file may hold is decided here, the same for both libraries: members one after the other,
 * then zero bytes (tapes and block devices pad with them). Anything else behind the last member is
 * an error, because a cut that falls between two members must not look like a shorter file.
 *
 * A bomb is refused by its ratio, of all members together, long before any limit on the size.
 */
#include "codec/stream.h"

#if CAREEN_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

#include "base/bug.h"
#include "base/limits.h"

enum {
    INPUT_BYTES = 64 * 1024,
    OUTPUT_STEP_MAX = 1 << 30, /* the libraries count in 32 bits */
};

enum step {
    STEP_GO_ON,
    STEP_MEMBER_END,
    STEP_BROKEN,
    STEP_NOMEM,
};

enum phase {
    PHASE_DETECT, /* nothing read yet */
    PHASE_PASS,   /* no gzip: hand on what comes */
    PHASE_MEMBER,
    PHASE_BETWEEN, /* a member ended: another one, padding, or the end */
    PHASE_PADDING,
    PHASE_END,
};

#if CAREEN_HAVE_ISAL
struct inflater {
    struct inflate_state state;
    struct isal_gzip_header header; /* must outlive a call: an extra field may be cut between two */
    bool header_read;
};
#else
struct inflater {
    z_stream z;
    bool ready;
};
#endif

struct gunzip_stream {
    struct stream stream;
    struct stream *in; /* owned */
    enum phase phase;
    uint64_t taken; /* bytes read from `in` so far */
    uint64_t made;  /* bytes that all members gave so far */
    size_t at, end; /* what of input[] is not used yet */
    bool in_ended;
    struct expansion most;
    struct err failed;
    struct inflater inflater;
    unsigned char input[INPUT_BYTES];
};

#if CAREEN_HAVE_ISAL

static enum step inflater_begin(struct inflater *inflater)
{
    isal_inflate_init(&inflater->state);
    inflater->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&inflater->header);
    inflater->header_read = false;
    return STEP_GO_ON;
}

static void inflater_end(struct inflater *inflater)
{
    (void)inflater; /* isa-l allocates nothing */
}

static const char *isal_why(int result)
{
    switch (result) {
    case ISAL_INVALID_BLOCK:
        return "an invalid block";
    case ISAL_INVALID_SYMBOL:
        return "an invalid symbol";
    case ISAL_INVALID_LOOKBACK:
        return "a reference to before the start";
    case ISAL_INVALID_WRAPPER:
        return "an invalid header";
    case ISAL_UNSUPPORTED_METHOD:
        return "an unknown compression method";
    case ISAL_INCORRECT_CHECKSUM:
        return "a wrong checksum or length";
    default:
        return "invalid data";
    }
}

static enum step inflater_run(
    struct gunzip_stream *g, void *dst, size_t cap, size_t *made, const char **why)
{
    struct inflate_state *state = &g->inflater.state;
    int result = ISAL_DECOMP_OK;

    state->next_in = g->input + g->at;
    state->avail_in = (uint32_t)(g->end - g->at);
    state->next_out = dst;
    state->avail_out = (uint32_t)cap;
    if (!g->inflater.header_read) {
        result = isal_read_gzip_header(state, &g->inflater.header);
        g->inflater.header_read = result == ISAL_DECOMP_OK;
    }
    if (g->inflater.header_read)
        result = isal_inflate(state);
    g->at = g->end - state->avail_in;
    *made = cap - state->avail_out;
    if (result < 0) {
        *why = isal_why(result);
        return STEP_BROKEN;
    }
    return state->block_state == ISAL_BLOCK_FINISH ? STEP_MEMBER_END : STEP_GO_ON;
}

#else

static enum step inflater_begin(struct inflater *inflater)
{
    enum { WINDOW_BITS = 15, ONLY_GZIP = 16 };

    if (inflater->ready)
        return inflateReset(&inflater->z) == Z_OK ? STEP_GO_ON : STEP_NOMEM;
    if (inflateInit2(&inflater->z, WINDOW_BITS + ONLY_GZIP) != Z_OK)
        return STEP_NOMEM;
    inflater->ready = true;
    return STEP_GO_ON;
}

static void inflater_end(struct inflater *inflater)
{
    if (inflater->ready)
        inflateEnd(&inflater->z);
}

static enum step inflater_run(
    struct gunzip_stream *g, void *dst, size_t cap, size_t *made, const char **why)
{
    z_stream *z = &g->inflater.z;
    int result;

    z->next_in = g->input + g->at;
    z->avail_in = (uInt)(g->end - g->at);
    z->next_out = dst;
    z->avail_out = (uInt)cap;
    result = inflate(z, Z_NO_FLUSH);
    g->at = g->end - z->avail_in;
    *made = cap - z->avail_out;
    if (result == Z_OK || result == Z_BUF_ERROR) /* the latter: it wants more input */
        return STEP_GO_ON;
    if (result == Z_STREAM_END)
        return STEP_MEMBER_END;
    if (result == Z_MEM_ERROR)
        return STEP_NOMEM;
    *why = z->msg ? z->msg : "invalid data";
    return STEP_BROKEN;
}

#endif

static unsigned long long compressed_offset(const struct gunzip_stream *g)
{
    return g->taken - (g->end - g->at);
}

/* Makes at least `need` bytes of input available, fewer at the end of the stream below. */
static int fill(struct gunzip_stream *g, size_t need)
{
    size_t got;

    if (g->at == g->end)
        g->at = g->end = 0;
    BUG_ON(need > INPUT_BYTES);
    if (g->at + need > INPUT_BYTES) {
        memmove(g->input, g->input + g->at, g->end - g->at);
        g->end -= g->at;
        g->at = 0;
    }
    while (g->end - g->at < need && !g->in_ended) {
        if (stream_read(g->in, g->input + g->end, INPUT_BYTES - g->end, &got, &g->failed) != 0)
            return -1;
        g->in_ended = got == 0;
        g->end += got;
        g->taken += got;
    }
    return 0;
}

static int begin_member(struct gunzip_stream *g)
{
    if (inflater_begin(&g->inflater) == STEP_NOMEM)
        return err_nomem(&g->failed);
    g->phase = PHASE_MEMBER;
    return 0;
}

/* At the first byte, or behind a member: what comes? */
static int look_ahead(struct gunzip_stream *g)
{
    const unsigned char *next;
    size_t len;

    if (fill(g, 2) != 0)
        return -1;
    next = g->input + g->at;
    len = g->end - g->at;
    if (len >= 2 && next[0] == 0x1f && next[1] == 0x8b)
        return begin_member(g);
    if (g->phase == PHASE_DETECT)
        g->phase = PHASE_PASS;
    else if (len == 0)
        g->phase = PHASE_END;
    else if (next[0] == 0)
        g->phase = PHASE_PADDING;
    else
        return err_set(&g->failed, ERR_FORMAT,
            "bytes that are not gzip follow the compressed data at byte %llu of it",
            compressed_offset(g));
    return 0;
}

static int pass(struct gunzip_stream *g, void *dst, size_t cap, size_t *ret)
{
    size_t n = g->end - g->at < cap ? g->end - g->at : cap;

    if (n == 0)
        return stream_read(g->in, dst, cap, ret, &g->failed);
    memcpy(dst, g->input + g->at, n);
    g->at += n;
    *ret = n;
    return 0;
}

/* Inflates until there is output, or the member ends (*ret may be 0 then). */
static int run_member(struct gunzip_stream *g, void *dst, size_t cap, size_t *ret)
{
    const char *why = "no progress";

    for (;;) {
        size_t before = g->at, made = 0;
        enum step step =
            inflater_run(g, dst, cap < OUTPUT_STEP_MAX ? cap : OUTPUT_STEP_MAX, &made, &why);

        if (step == STEP_NOMEM)
            return err_nomem(&g->failed);
        if (step == STEP_GO_ON && made == 0 && g->at == before && g->at < g->end)
            step = STEP_BROKEN;
        if (step == STEP_BROKEN)
            return err_set(&g->failed, ERR_FORMAT,
                "damaged gzip data: %s at byte %llu of the compressed data", why,
                compressed_offset(g));
        if (step == STEP_MEMBER_END)
            g->phase = PHASE_BETWEEN;
        if (made || step == STEP_MEMBER_END) {
            g->made += made;
            *ret = made;
            return expansion_check(&g->most, "gzip", compressed_offset(g), g->made, &g->failed);
        }
        if (fill(g, 1) != 0)
            return -1;
        if (g->at == g->end)
            return err_set(&g->failed, ERR_FORMAT,
                "truncated gzip data: it ends in the middle of a member at byte %llu of the "
                "compressed data",
                compressed_offset(g));
    }
}

static int run_padding(struct gunzip_stream *g)
{
    if (fill(g, 1) != 0)
        return -1;
    if (g->at == g->end)
        g->phase = PHASE_END;
    for (; g->at < g->end; g->at++)
        if (g->input[g->at] != 0)
            return err_set(&g->failed, ERR_FORMAT,
                "bytes that are not zero follow the zero padding behind gzip data at byte %llu of "
                "the compressed data",
                compressed_offset(g));
    return 0;
}

static int produce(struct gunzip_stream *g, void *dst, size_t cap, size_t *ret)
{
    for (;;) {
        size_t got = 0;
        int result = 0;

        switch (g->phase) {
        case PHASE_DETECT:
        case PHASE_BETWEEN:
            result = look_ahead(g);
            break;
        case PHASE_PASS:
            return pass(g, dst, cap, ret);
        case PHASE_MEMBER:
            result = run_member(g, dst, cap, &got);
            break;
        case PHASE_PADDING:
            result = run_padding(g);
            break;
        case PHASE_END:
            *ret = 0;
            return 0;
        }
        if (result != 0)
            return -1;
        if (got) {
            *ret = got;
            return 0;
        }
    }
}

static int gunzip_read(struct stream *stream, void *dst, size_t cap, size_t *ret, struct err *err)
{
    struct gunzip_stream *g = (struct gunzip_stream *)stream;

    if (g->failed.code == ERR_NONE && produce(g, dst, cap, ret) == 0)
        return 0;
    *err = g->failed;
    return -1;
}

static void gunzip_close(struct stream *stream)
{
    struct gunzip_stream *g = (struct gunzip_stream *)stream;

    inflater_end(&g->inflater);
    stream_close(g->in);
    free(g);
}

static const struct stream_ops gunzip_ops = {gunzip_read, gunzip_close};

struct stream *stream_gunzip_within(
    struct stream *in, const struct expansion *most, struct err *err)
{
    struct gunzip_stream *g = calloc(1, sizeof(*g));

    if (!g) {
        err_nomem(err);
        return NULL;
    }
    g->stream.ops = &gunzip_ops;
    g->in = in;
    g->most = *most;
    return &g->stream;
}

struct stream *stream_auto_gunzip(struct stream *in, struct err *err)
{
    static const struct expansion most = {LIMIT_GUNZIP_FREE_BYTES, LIMIT_GUNZIP_RATIO};

    return stream_gunzip_within(in, &most, err);
}
