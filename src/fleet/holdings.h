/* SPDX-License-Identifier: Apache-2.0 */
/* Which claims each image of a project holds, over all its slots: what `aliases` has counted. */
#ifndef CAREEN_FLEET_HOLDINGS_H
#define CAREEN_FLEET_HOLDINGS_H

#include "base/array.h"

/* One image's claims as an idlist blob. */
struct held {
    uint32_t image;
    uint32_t size;
    char *blob; /* owned; NULL: none any more, the entry waits to be dropped */
};

struct holdings {
    struct held *at; /* ascending by image; images without claims have no entry */
    size_t count, cap;
    size_t gone; /* entries without a blob */
};

void holdings_release(struct holdings *holdings);
/* The image's claims, ascending; none when it is not known. Replaces *ret. */
int holdings_get(const struct holdings *holdings, uint32_t image, struct ids *ret, struct err *err);
/* How `claims` (sorted) differ from what the image holds: those that come, those that go. */
int holdings_compare(const struct holdings *holdings, uint32_t image, const struct ids *claims,
    struct ids *ret_come, struct ids *ret_go, struct err *err);
/* Makes `claims` what the image holds. */
int holdings_set(
    struct holdings *holdings, uint32_t image, const struct ids *claims, struct err *err);

#endif
