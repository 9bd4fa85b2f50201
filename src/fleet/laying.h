/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions laid over the rows of one image: a row is ignored (handled) when every one of its
 * claims is. Pure: no lock, no disk.
 */
#ifndef CAREEN_FLEET_LAYING_H
#define CAREEN_FLEET_LAYING_H

#include "fleet/holdings.h"
#include "fleet/overlay.h"
#include "index/index.h"
#include "store/store.h"

/* One image, and what lies over it. */
struct laying {
    const struct facts *facts;
    const struct aliases *aliases;
    const struct overlay *above; /* decisions newer than all of `overlay`; NULL: none */
    const struct overlay *overlay;
    const struct ids
        *except; /* decisions of `overlay` taken for not there, ascending; NULL: none */
    const struct image *image;
    const struct slot *slots; /* by source; NULL unless laying_needs_slots() */
};

/* What has become of a row. */
struct laid {
    uint32_t vuln;
    uint8_t code;          /* as it is in the index */
    bool ignored, handled; /* as the decisions have it */
    bool reached;          /* a decision of `above` lies over one of its claims */
    bool open;             /* its claims are still to be asked for */
    bool met;              /* one has been */
};

struct laid_rows {
    struct laid *at; /* ascending by vuln */
    size_t count, cap;
    struct ids claims; /* scratch space */
};

void laid_rows_release(struct laid_rows *rows);
/* The code that the row is to have. */
uint8_t laid_code(const struct laid *row);

/* Are the image's slots needed, for the times when claims were last found? Rarely. */
bool laying_needs_slots(const struct laying *laying);
/* The row of this vulnerability, all claims at once. False: its claims must be asked for, and *ret
 * is ready for lay_claim(). */
bool lay_row(const struct laying *laying, uint32_t vuln, struct laid *ret);
/* Lays them over one more claim of an open row. */
void lay_claim(const struct laying *laying, uint32_t claim, struct laid *row);
/* The rows that the image has in the index, those of some alias groups (ascending; NULL: all). */
int lay_image(const struct laying *laying, const struct index *index,
    const struct holdings *holdings, const struct ids *groups, struct laid_rows *ret,
    struct err *err);

#endif
