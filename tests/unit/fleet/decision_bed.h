/* SPDX-License-Identifier: Apache-2.0 */
/* Short ways to decide about what is in a bed, and to look at rows. */
#ifndef CAREEN_TESTS_FLEET_DECISION_BED_H
#define CAREEN_TESTS_FLEET_DECISION_BED_H

#include "base/clock.h"
#include "bed.h"

enum { OPEN = 0, HANDLED = 1, IGNORED = 3, NO_ROW = -1 };

static inline struct decision_request request_of(
    enum decision_action action, const struct slice *vul)
{
    return (struct decision_request){.action = action,
        .vuls = vul,
        .vul_count = vul ? 1 : 0,
        .handled = -1,
        .type = -1,
        .image_type = -1};
}

static inline struct deciding deciding_by(const char *author)
{
    return (struct deciding){.author = slice_of(author), .reason = SLICE("a test")};
}

static inline int take_state(void *ctx, const struct affected_page *page, struct err *err)
{
    (void)err;
    if (page->count)
        *(int *)ctx =
            index_code_handled(page->rows[0].code) + 2 * index_code_ignored(page->rows[0].code);
    return 0;
}

/* OPEN, HANDLED, IGNORED (and handled) or NO_ROW. */
static inline int state_in(
    struct fleet *fleet, uint32_t project, const char *image_id, const char *vul)
{
    const struct affected_query query = {
        .q = {.scope = {.type = -1, .image_id = slice_of(image_id)},
            .codes = INDEX_ALL_CODES,
            .limit = 10},
        .vul_id = slice_of(vul)};
    int state = NO_ROW;
    struct err err;

    assert_ok(fleet_affected(fleet, project, &query, take_state, &state, &err));
    return state;
}

static inline int state_of(struct bed *bed, const char *image_id, const char *vul)
{
    return state_in(bed->fleet, bed->project, image_id, vul);
}

/* The preview must say what comes. */
static inline struct decision_outcome decide_as(
    struct bed *bed, const struct decision_request *request, const struct deciding *deciding)
{
    struct decision_outcome preview, outcome;
    struct err err;

    assert_ok(fleet_preview_decision(
        bed->fleet, bed->project, request, 1, deciding, NULL, NULL, &preview, &err));
    assert_ok(fleet_decide(bed->fleet, bed->project, request, 1, deciding, "test", &outcome, &err));
    assert_int_equal(preview.rows, outcome.rows);
    assert_int_equal(preview.reached, outcome.reached);
    assert_int_equal(preview.numbers.count, 0);
    bed_verify(bed);
    return outcome;
}

/* One decision; its number. *ret_rows (may be NULL): the rows that changed. */
static inline uint32_t decide(
    struct bed *bed, const struct decision_request *request, uint64_t *ret_rows)
{
    const struct deciding deciding = deciding_by("ann");
    struct decision_outcome outcome = decide_as(bed, request, &deciding);
    uint32_t number;

    assert_int_equal(outcome.numbers.count, 1);
    number = outcome.numbers.at[0];
    if (ret_rows)
        *ret_rows = outcome.rows;
    ids_release(&outcome.numbers);
    return number;
}

/* About one vulnerability in named images. */
static inline uint32_t decide_named(
    struct bed *bed, enum decision_action action, const char *vul, const char *image_id)
{
    const struct slice name = slice_of(vul), id = slice_of(image_id);
    struct decision_request request = request_of(action, &name);

    request.scope = DECISION_IMAGES;
    request.image_ids = &id;
    request.image_count = 1;
    return decide(bed, &request, NULL);
}

static inline uint32_t decide_everywhere(
    struct bed *bed, enum decision_action action, const char *vul, uint64_t *ret_rows)
{
    const struct slice name = slice_of(vul);
    const struct decision_request request = request_of(action, &name);

    return decide(bed, &request, ret_rows);
}

static inline uint64_t withdraw(struct bed *bed, uint32_t number)
{
    const struct deciding by = deciding_by("bob");
    uint64_t rows;
    struct err err;

    assert_ok(fleet_withdraw_decision(bed->fleet, bed->project, number, &by, "test", &rows, &err));
    bed_verify(bed);
    return rows;
}

/* Times are in milliseconds, and the order of reports and decisions counts here. */
static inline void wait_ms(unsigned ms)
{
    usleep(ms * 1000);
}

#endif
