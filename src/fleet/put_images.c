/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting images in. A transaction takes images until LIMIT_TRANSACTION_MS have passed, or one
 * comes that it holds already (the rows before the second report are those after the first); then
 * the log is followed, so that what was written is in the answers when fleet_put_images() returns.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/image_write.h"

/* --- Outcomes --------------------------------------------------------------------------------- */

/* The rows of an image before and after, to be compared. */
static int copy_rows(
    struct fleet *fleet, uint32_t project, uint32_t number, struct ids *ret, struct err *err)
{
    struct tenant *tenant;
    const uint32_t *vulns;
    const uint8_t *codes;
    size_t count;
    int failed;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    count = index_findings(tenant->index, number, &vulns, &codes);
    ret->count = 0;
    failed = ids_append(ret, vulns, count, err);
    fleet_end_read(fleet);
    return failed;
}

static int fill_before(
    struct image_write *write, struct put_outcome *outcome, struct ids *rows, struct err *err)
{
    struct timed_ids packages = {0};
    struct slot now[SOURCE_COUNT];
    int failed;

    image_write_slots(write, now);
    failed = content_packages(now, &packages, err);
    outcome->packages = packages.count;
    timed_ids_release(&packages);
    memcpy(outcome->image_id, write->image.id, sizeof(outcome->image_id));
    outcome->number = write->image.number;
    outcome->created = !write->found;
    outcome->changed = write->content_changed;
    outcome->claims = write->request->report->claim_count;
    outcome->assessment = write->image.assessment;
    return failed ? -1 : copy_rows(write->fleet, write->image.project, outcome->number, rows, err);
}

static int fill_after(struct fleet *fleet, uint32_t project, const struct ids *before,
    struct put_outcome *outcome, struct err *err)
{
    struct ids after CLEANUP(ids_release) = {0}, change CLEANUP(ids_release) = {0};

    if (copy_rows(fleet, project, outcome->number, &after, err) < 0 ||
        ids_subtract(&after, before, &change, err) < 0)
        return -1;
    outcome->findings = after.count;
    outcome->appeared = change.count;
    if (ids_subtract(before, &after, &change, err) < 0)
        return -1;
    outcome->retracted = change.count;
    return 0;
}

/* --- Transactions ----------------------------------------------------------------------------- */

struct transaction {
    struct fleet *fleet;
    uint32_t project;
    struct slice project_id;
    const struct put_request *requests;
    struct put_outcome *outcomes;
    size_t first, next, count; /* requests [first, next) are in it */
    struct ids *before;        /* rows, by position - first */
    struct arena arena;
};

static bool holds_image(const struct transaction *t, uint32_t number)
{
    for (size_t i = t->first; i < t->next; i++)
        if (t->outcomes[i].number == number)
            return true;
    return false;
}

/* 1 when the image is in, or refused, 0 when the transaction must be committed first, -1 on
 * failure. */
static int put_one(struct transaction *t, struct err *err)
{
    struct image_write write CLEANUP(image_write_release) = {.fleet = t->fleet,
        .project_id = t->project_id,
        .request = &t->requests[t->next],
        .arena = &t->arena,
        .now_ms = clock_now_ms()};
    struct put_outcome *outcome = &t->outcomes[t->next];
    struct err why = {0};
    int wrote;

    if (image_from_request(write.request, &write.image, &outcome->err) < 0) {
        outcome->failed = true;
        return 1;
    }
    write.image.project = t->project;
    if (image_write_resolve(&write, err) < 0)
        return -1;
    if (write.found && holds_image(t, write.image.number))
        return 0;
    wrote = image_write_store(&write, &why);
    if (wrote < 0)
        *err = why;
    if (wrote == 1) {
        outcome->failed = true;
        outcome->err = why;
    }
    if (wrote != 0)
        return wrote;
    return fill_before(&write, outcome, &t->before[t->next - t->first], err) < 0 ? -1 : 1;
}

static int write_some(struct transaction *t, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LIMIT_TRANSACTION_MS * INT64_C(1000);
    int put = 1;

    t->next = t->first;
    while (put == 1 && t->next < t->count && clock_monotonic_us() < until_us) {
        put = put_one(t, err);
        t->next += put == 1;
    }
    return put < 0 ? -1 : 0;
}

static int check_loaded(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct tenant *tenant;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    fleet_end_read(fleet);
    return 0;
}

static int run_transaction(struct transaction *t, const char *who, struct err *err)
{
    struct store *store = t->fleet->store;

    if (check_loaded(t->fleet, t->project, err) < 0 || store_begin(store, who, err) < 0)
        return -1;
    /* Nobody else can commit now: what the index holds after this is what was before. */
    if (fleet_follow(t->fleet, err) < 0 || write_some(t, err) < 0 || store_commit(store, err) < 0) {
        store_rollback(store);
        for (size_t i = t->first; i < t->count; i++)
            t->outcomes[i].number = 0;
        return -1;
    }
    if (fleet_follow(t->fleet, err) < 0)
        return -1;
    for (size_t i = t->first; i < t->next; i++)
        if (!t->outcomes[i].failed &&
            fill_after(t->fleet, t->project, &t->before[i - t->first], &t->outcomes[i], err) < 0)
            return -1;
    return 0;
}

static int run_all(struct transaction *t, const char *who, struct err *err)
{
    for (t->first = 0; t->first < t->count; t->first = t->next) {
        if (run_transaction(t, who, err) < 0)
            return -1;
        arena_reset(&t->arena);
    }
    return 0;
}

int fleet_put_images(struct fleet *fleet, uint32_t project, const struct put_request *requests,
    size_t count, const char *who, struct put_outcome *ret, struct err *err)
{
    struct transaction t = {
        .fleet = fleet, .project = project, .requests = requests, .outcomes = ret, .count = count};
    struct arena id_arena CLEANUP(arena_release);
    int failed;

    memset(ret, 0, count * sizeof(*ret));
    arena_init(&id_arena, "a project id", LIMIT_REPORT_MEMORY_BYTES);
    arena_init(&t.arena, "a transaction", LIMIT_REPORT_MEMORY_BYTES);
    t.before = calloc(count + 1, sizeof(*t.before));
    if (!t.before)
        return err_nomem(err);
    failed = fleet_prepare_write(fleet, project, &id_arena, &t.project_id, err) < 0 ||
             run_all(&t, who, err) < 0;
    for (size_t i = 0; i < count; i++)
        ids_release(&t.before[i]);
    free(t.before);
    arena_release(&t.arena);
    return failed ? -1 : 0;
}
