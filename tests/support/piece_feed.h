/* SPDX-License-Identifier: Apache-2.0 */
/* A feed of tars (image/tar.h) that gives bytes in memory in pieces of so many. */
#ifndef CAREEN_TESTS_PIECE_FEED_H
#define CAREEN_TESTS_PIECE_FEED_H

#include "image/tar.h"

struct piece_feed {
    struct tar_feed feed; /* must be first */
    struct slice all;
    size_t step;
    size_t skipped; /* how often */
};

static inline int piece_feed_more(struct tar_feed *feed, struct err *err)
{
    struct piece_feed *from = (struct piece_feed *)feed;
    struct slice piece = slice_sub(from->all, (size_t)feed->offset, from->step);

    (void)err;
    feed->at = (const unsigned char *)piece.ptr;
    feed->left = piece.len;
    return 0;
}

/* For feed.skip. */
static inline int piece_feed_skip(struct tar_feed *feed, uint64_t n, struct err *err)
{
    struct piece_feed *from = (struct piece_feed *)feed;

    if (n > from->all.len - feed->offset)
        return err_set(err, ERR_FORMAT, "the feed ends");
    feed->offset += n;
    from->skipped++;
    return 0;
}

/* Cannot pass over bytes, unless feed.skip is set. */
static inline struct piece_feed piece_feed_of(struct slice all, size_t step)
{
    return (struct piece_feed){.feed = {.more = piece_feed_more}, .all = all, .step = step};
}

#endif
