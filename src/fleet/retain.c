/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retention: images that have had their time are removed.
 *
 * They are chosen from memory (of a project that is not loaded, from the store), and each is looked
 * at again within the write that removes it: it may have been reported since, or have become the
 * latest of its line by the removal of another. The age is counted from the newest report as it was
 * at the beginning, which a later one only raises: nothing goes too early.
 *
 * Superseded images come first. Were the latest of a line removed before an older one of the same
 * line, that one would be the latest for a moment, and be removed for another reason than the one
 * that a dry run gives.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "fleet/internal.h"

struct candidate {
    uint32_t number;
    enum removal why;
};

struct retaining {
    struct fleet *fleet;
    const struct retention *rule;
    bool dry_run;
    const char *who;
    retention_fn fn;
    void *ctx;
    struct retained *sums;

    /* Of the project at hand: */
    uint32_t project;
    struct slice project_id;
    int64_t newest_ms; /* its newest report */
    uint64_t images;
    struct candidate *at;
    size_t count, cap, next; /* candidates before `next` are done */
    struct err *failed;      /* set: choosing ran out of memory */

    /* Of the transaction at hand: */
    struct arena arena;
    struct image *gone;
    enum removal *reasons;
    size_t gone_count;
};

/* How many images are looked at before those that went are told of: bounds the memory. */
enum { RETAIN_CHUNK = 256, WALK_CHUNK = 256 };

/* --- Choosing --------------------------------------------------------------------------------- */

static bool is_over(const struct retaining *r, const struct image *image, enum removal *ret)
{
    int64_t age_ms = r->newest_ms - image->latest_scan_ms;

    if (r->rule->superseded_ms >= 0 && age_ms >= r->rule->superseded_ms && !image->latest &&
        image->place.containers <= 0)
        *ret = REMOVAL_SUPERSEDED;
    else if (r->rule->unseen_ms >= 0 && age_ms >= r->rule->unseen_ms)
        *ret = REMOVAL_UNSEEN;
    else
        return false;
    return true;
}

static bool note_newest(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct retaining *r = ctx;

    (void)counts;
    r->images++;
    if (image->latest_scan_ms > r->newest_ms)
        r->newest_ms = image->latest_scan_ms;
    return true;
}

static bool note_candidate(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct retaining *r = ctx;
    struct candidate candidate = {.number = image->number};
    struct err why;

    (void)counts;
    if (!is_over(r, image, &candidate.why))
        return true;
    if (array_reserve(&r->at, &r->cap, r->count + 1, sizeof(*r->at), &why) < 0) {
        *r->failed = why;
        return false;
    }
    r->at[r->count++] = candidate;
    return true;
}

/* A project that is not in memory is looked through in the store: retention is no reason to load
 * it. */
struct stored_walk {
    struct retaining *r;
    index_image_fn fn;
    uint32_t last;
    size_t count;
};

static int see_stored(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    static const uint16_t no_counts[INDEX_CODES];
    struct stored_walk *walk = ctx;

    (void)slots;
    (void)err;
    walk->last = image->number;
    walk->count++;
    return walk->fn(walk->r, image, no_counts) ? 0 : 1;
}

static int walk_images(struct retaining *r, index_image_fn fn, struct err *err)
{
    const struct index_scope all = {.type = -1};
    struct stored_walk walk = {.r = r, .fn = fn};
    struct err why = {0};

    if (fleet_each_image(r->fleet, r->project, &all, 0, fn, r, &why) == 0)
        return 0;
    if (why.code != ERR_LOADING) {
        *err = why;
        return -1;
    }
    do {
        walk.count = 0;
        if (store_each_image(
                r->fleet->store, r->project, walk.last, WALK_CHUNK, see_stored, &walk, err) < 0)
            return -1;
    } while (walk.count == WALK_CHUNK && r->failed->code == ERR_NONE);
    return 0;
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->why != b->why)
        return a->why == REMOVAL_SUPERSEDED ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static int choose(struct retaining *r, struct err *err)
{
    struct err failed = {0};

    r->images = 0;
    r->newest_ms = INT64_MIN;
    r->count = r->next = 0;
    r->failed = &failed;
    if (walk_images(r, note_newest, err) < 0 || walk_images(r, note_candidate, err) < 0)
        return -1;
    r->failed = NULL;
    if (failed.code != ERR_NONE) {
        *err = failed;
        return -1;
    }
    if (r->count)
        qsort(r->at, r->count, sizeof(*r->at), compare_candidates);
    return 0;
}

/* --- Removing --------------------------------------------------------------------------------- */

/* Adds to a number of the store's state, within a write. */
static int add_to_state(struct store *store, const char *name, int64_t value, struct err *err)
{
    int64_t before;

    if (store_get_state(store, name, &before, err) < 0)
        return -1;
    return store_set_state(store, name, before + value, err);
}

/* Looks at a candidate as it is stored now, and (unless dry_run) removes it if it is still to go.
 */
static int take_one(struct retaining *r, const struct candidate *candidate, struct err *err)
{
    struct store *store = r->fleet->store;
    struct image *image = &r->gone[r->gone_count];
    struct err why = {0};

    if (store_get_image(store, candidate->number, &r->arena, image, &why) < 0) {
        if (why.code == ERR_NOT_FOUND) /* somebody else has removed it */
            return 0;
        *err = why;
        return -1;
    }
    if (image->project != r->project || !is_over(r, image, &r->reasons[r->gone_count]))
        return 0;
    if (!r->dry_run && change_remove(store, r->project_id, image, r->reasons[r->gone_count],
                           clock_now_ms(), err) < 0)
        return -1;
    r->gone_count++;
    return 0;
}

/* Candidates until the time of a transaction is over. */
static int take_some(struct retaining *r, struct err *err)
{
    int64_t until_us = clock_monotonic_us() + LIMIT_TRANSACTION_MS * INT64_C(1000);
    size_t until = r->next + RETAIN_CHUNK < r->count ? r->next + RETAIN_CHUNK : r->count;

    do {
        if (take_one(r, &r->at[r->next], err) < 0)
            return -1;
        r->next++;
    } while (r->next < until && clock_monotonic_us() < until_us);
    return 0;
}

static int remove_some(struct retaining *r, struct err *err)
{
    struct store *store = r->fleet->store;

    if (store_begin(store, r->who, err) < 0)
        return -1;
    if (take_some(r, err) < 0 ||
        (r->gone_count &&
            add_to_state(store, "retention_removed", (int64_t)r->gone_count, err) < 0) ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        r->gone_count = 0;
        return -1;
    }
    return 0;
}

static int tell(struct retaining *r, struct err *err)
{
    for (size_t i = 0; i < r->gone_count; i++) {
        if (r->reasons[i] == REMOVAL_SUPERSEDED)
            r->sums->superseded++;
        else
            r->sums->unseen++;
    }
    for (size_t i = 0; i < r->gone_count && r->fn; i++)
        if (r->fn(r->ctx, r->project_id, &r->gone[i], r->reasons[i], err) < 0)
            return -1;
    return 0;
}

static int run_chunk(struct retaining *r, struct err *err)
{
    r->gone_count = 0;
    if ((r->dry_run ? take_some : remove_some)(r, err) < 0 || tell(r, err) < 0)
        return -1;
    arena_reset(&r->arena);
    return r->dry_run ? 0 : fleet_follow(r->fleet, err);
}

static int retain_project(struct retaining *r, struct err *err)
{
    struct arena id_arena CLEANUP(arena_release);

    arena_init(&id_arena, "a project id", LIMIT_REPORT_MEMORY_BYTES);
    if (fleet_prepare_write(r->fleet, r->project, &id_arena, &r->project_id, err) < 0 ||
        choose(r, err) < 0)
        return -1;
    if (!r->rule->whole && r->count > r->images / 2) {
        r->sums->spared += r->count;
        return 0;
    }
    while (r->next < r->count)
        if (run_chunk(r, err) < 0)
            return -1;
    return 0;
}

/* --- The run ---------------------------------------------------------------------------------- */

static int note_run(struct retaining *r, struct err *err)
{
    struct store *store = r->fleet->store;

    if (store_begin(store, r->who, err) < 0)
        return -1;
    if (store_set_state(store, "retention_ran_ms", clock_now_ms(), err) < 0 ||
        store_set_state(store, "retention_superseded_ms", r->rule->superseded_ms, err) < 0 ||
        store_set_state(store, "retention_unseen_ms", r->rule->unseen_ms, err) < 0 ||
        store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    return 0;
}

/* One project that cannot be read does not keep the others: the first failure is returned in the
 * end. */
static int retain_all(struct retaining *r, uint32_t project, struct err *err)
{
    struct ids projects CLEANUP(ids_release) = {0};
    struct err first = {0}, why;

    if (project ? ids_push(&projects, project, err) < 0
                : fleet_projects(r->fleet, &projects, err) < 0)
        return -1;
    for (size_t i = 0; i < projects.count; i++) {
        r->project = projects.at[i];
        if (retain_project(r, &why) < 0 && first.code == ERR_NONE)
            first = why;
    }
    if (first.code != ERR_NONE) {
        *err = first;
        return -1;
    }
    return r->dry_run ? 0 : note_run(r, err);
}

int fleet_retain(struct fleet *fleet, uint32_t project, const struct retention *rule, bool dry_run,
    const char *who, retention_fn fn, void *ctx, struct retained *ret, struct err *err)
{
    struct retained sums = {0};
    struct retaining r = {.fleet = fleet,
        .rule = rule,
        .dry_run = dry_run,
        .who = who,
        .fn = fn,
        .ctx = ctx,
        .sums = &sums};
    int failed;

    arena_init(&r.arena, "images to be removed", LIMIT_REPORT_MEMORY_BYTES);
    r.gone = calloc(RETAIN_CHUNK, sizeof(*r.gone));
    r.reasons = calloc(RETAIN_CHUNK, sizeof(*r.reasons));
    failed = r.gone && r.reasons ? retain_all(&r, project, err) : err_nomem(err);
    free(r.gone);
    free(r.reasons);
    free(r.at);
    arena_release(&r.arena);
    if (!failed)
        *ret = sums;
    return failed;
}

int fleet_retention_past(struct store *store, struct retention_past *ret, struct err *err)
{
    struct retention_past past;

    if (store_get_state(store, "retention_ran_ms", &past.ran_ms, err) < 0 ||
        store_get_state(store, "retention_removed", &past.removed, err) < 0 ||
        store_get_state(store, "retention_superseded_ms", &past.superseded_ms, err) < 0 ||
        store_get_state(store, "retention_unseen_ms", &past.unseen_ms, err) < 0)
        return -1;
    *ret = past;
    return 0;
}
