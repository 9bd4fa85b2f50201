/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See gzip.h. isa-l packs JSON ten times as fast as zlib's quickest level, and as tightly: a page
 * of 10 rows of different images takes 12 us, of 7 KB to 2. Both stand behind `struct gzip`, with
 * reset() and step().
 */
#include "codec/gzip.h"

#if CAREEN_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

#include "base/bug.h"

/* Room that is made in the output at once; what the libraries take and give is counted in 32 bits.
 */
enum { OUTPUT_BYTES = 16 * 1024, INPUT_STEP_MAX = 1 << 30 };

#if CAREEN_HAVE_ISAL

struct gzip {
    struct isal_zstream z;
    /* Less costs time, more gains nothing with answers. */
    uint8_t level_buffer[ISAL_DEF_LVL1_SMALL];
};

void gzip_reset(struct gzip *gzip)
{
    struct isal_zstream *z = &gzip->z;

    isal_deflate_init(z);
    z->gzip_flag = IGZIP_GZIP;
    z->level = 1;
    z->level_buf = gzip->level_buffer;
    z->level_buf_size = sizeof(gzip->level_buffer);
}

static bool init(struct gzip *gzip)
{
    gzip_reset(gzip);
    return true;
}

static void release(struct gzip *gzip)
{
    (void)gzip;
}

/* Packs what it can of *in into dst; returns how many bytes it wrote. */
static size_t step(
    struct gzip *gzip, struct slice *in, bool flush, bool end, char *dst, size_t room)
{
    struct isal_zstream *z = &gzip->z;

    z->next_in = (uint8_t *)(uintptr_t)in->ptr;
    z->avail_in = (uint32_t)in->len;
    z->next_out = (uint8_t *)dst;
    z->avail_out = (uint32_t)room;
    z->flush = flush ? SYNC_FLUSH : NO_FLUSH;
    z->end_of_stream = end;
    BUG_ON(isal_deflate(z) != COMP_OK);
    *in = slice_skip(*in, in->len - z->avail_in);
    return room - z->avail_out;
}

#else

struct gzip {
    z_stream z;
};

enum { WINDOW_BITS = 15 + 16 /* with gzip's head and tail */, MEMORY_LEVEL = 8 };

static bool init(struct gzip *gzip)
{
    return deflateInit2(&gzip->z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
               Z_DEFAULT_STRATEGY) == Z_OK;
}

static void release(struct gzip *gzip)
{
    deflateEnd(&gzip->z);
}

void gzip_reset(struct gzip *gzip)
{
    deflateReset(&gzip->z);
}

static size_t step(
    struct gzip *gzip, struct slice *in, bool flush, bool end, char *dst, size_t room)
{
    int how = end ? Z_FINISH : flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;

    gzip->z.next_in = (Bytef *)(uintptr_t)in->ptr;
    gzip->z.avail_in = (uInt)in->len;
    gzip->z.next_out = (Bytef *)dst;
    gzip->z.avail_out = (uInt)room;
    (void)deflate(&gzip->z, how); /* Z_BUF_ERROR: there was nothing to do */
    *in = slice_skip(*in, in->len - gzip->z.avail_in);
    return room - gzip->z.avail_out;
}

#endif

struct gzip *gzip_new(struct err *err)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));

    if (gzip && init(gzip))
        return gzip;
    free(gzip);
    err_nomem(err);
    return NULL;
}

void gzip_free(struct gzip *gzip)
{
    if (gzip)
        release(gzip);
    free(gzip);
}

void gzip_put(struct gzip *gzip, struct slice bytes, enum gzip_then then, struct buf *out)
{
    bool filled;

    do {
        struct slice now = slice_sub(bytes, 0, INPUT_STEP_MAX);
        bool last = now.len == bytes.len;
        size_t before = now.len, wrote;
        char *room = buf_reserve(out, OUTPUT_BYTES);

        if (!room)
            break;
        wrote = step(
            gzip, &now, last && then == GZIP_FLUSH, last && then == GZIP_END, room, OUTPUT_BYTES);
        room[wrote] = '\0';
        out->len += wrote;
        filled = wrote == OUTPUT_BYTES;
        bytes = slice_skip(bytes, before - now.len);
    } while (bytes.len || filled);
    if (then == GZIP_END || out->failed)
        gzip_reset(gzip);
}
