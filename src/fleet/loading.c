/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a project in memory from the store, beside readers and writers, over several cores.
 *
 * Two passes over the images: the first counts what they hold, so that the alias groups of this
 * project are known, and the second derives their rows. What other projects hold costs nothing.
 *
 * The images come in batches. Each thread takes the next batch off the store, which is one thread's
 * at a time; works on it beside the others; and puts it into the tenant when those before it are
 * in, so that the index is filled in the order of its images however many threads there are:
 *
 *     thread 1   read 1 | derive 1 | put 1 |          read 3 | derive 3 |  put 3 ...
 *     thread 2          | read 2   | derive 2 | put 2 |       read 4    | ...
 *
 * The facts are shared with everybody; they are read under the fleet's lock, for one image at a
 * time, and never while the store is being read (internal.h, Locks). The tenant is nobody else's
 * yet: what is put into it is put in turn, and what is derived from (alias groups, holdings,
 * decisions) does not change during the second pass.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "fleet/internal.h"

#include <malloc.h>
#include <unistd.h>

enum { BATCH_IMAGES = 64, BATCH_BYTES = 1 << 20 };

/* A copy of an image as the store has it. */
struct loaded_image {
    struct image image;
    struct slot slots[SOURCE_COUNT]; /* lists in the batch's arena */
    struct ids claims;
    struct derived derived;
    bool later; /* it, or what it refers to, was committed since the first pass or the facts */
};

struct batch {
    uint64_t turn;
    struct arena arena;
    struct loaded_image at[BATCH_IMAGES];
    size_t count;
};

struct loading;
typedef int (*read_fn)(struct loading *loading, struct batch *batch, struct err *err);
/* One image, on any thread. */
typedef int (*work_fn)(struct loading *loading, struct loaded_image *image, struct err *err);

struct loading {
    struct fleet *fleet;
    struct tenant *tenant;
    struct ids *later;
    read_fn read;
    work_fn derive, put; /* put: in order, one at a time */

    pthread_mutex_t reading; /* of the next three */
    uint32_t last;           /* image number reached */
    uint64_t turns;          /* batches read */
    bool read_all;

    pthread_mutex_t putting;
    pthread_cond_t turned;
    uint64_t turn; /* whose it is to put */
    bool failed;
    struct err err;

    pthread_t helpers[LIMIT_LOAD_THREADS];
    unsigned helper_count;
};

/* --- Batches ---------------------------------------------------------------------------------- */

static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < BATCH_IMAGES; i++) {
        ids_release(&batch->at[i].claims);
        derived_release(&batch->at[i].derived);
    }
    arena_release(&batch->arena);
    free(batch);
}

static struct batch *batch_new(struct err *err)
{
    struct batch *batch = calloc(1, sizeof(*batch));

    if (batch)
        arena_init(&batch->arena, "images being loaded", LIMIT_LOAD_BATCH_BYTES);
    else
        err_nomem(err);
    return batch;
}

/* The next batch; empty when there is none. */
static int read_batch(struct loading *l, struct batch *batch, struct err *err)
{
    int failed = 0;

    batch->count = 0;
    arena_reset(&batch->arena);
    pthread_mutex_lock(&l->reading);
    if (l->fleet->ended)
        failed = err_set(err, ERR_BUSY, "loading was given up: the server is stopping");
    else if (!l->read_all)
        failed = l->read(l, batch, err);
    l->read_all |= failed || batch->count == 0;
    if (batch->count)
        l->last = batch->at[batch->count - 1].image.number;
    batch->turn = l->turns;
    l->turns += batch->count > 0;
    pthread_mutex_unlock(&l->reading);
    return failed;
}

/* --- First pass: what is held ----------------------------------------------------------------- */

/* Within a read of the store. */
static int copy_claims(
    void *ctx, uint32_t number, const struct ids claims[SOURCE_COUNT], struct err *err)
{
    struct batch *batch = ctx;
    struct loaded_image *to = &batch->at[batch->count];

    to->image.number = number;
    to->later = false;
    to->claims.count = 0;
    for (int source = 0; source < SOURCE_COUNT; source++)
        if (ids_append(&to->claims, claims[source].at, claims[source].count, err) < 0)
            return -1;
    batch->count++;
    return 0;
}

static int read_claims(struct loading *l, struct batch *batch, struct err *err)
{
    return store_each_image_claims(
        l->fleet->store, l->tenant->number, l->last, BATCH_IMAGES, copy_claims, batch, err);
}

static int sort_claims(struct loading *l, struct loaded_image *image, struct err *err)
{
    (void)l;
    (void)err;
    ids_sort_unique(&image->claims);
    return 0;
}

static int hold_image(struct loading *l, struct loaded_image *image, struct err *err)
{
    int failed = 0;

    pthread_rwlock_rdlock(&l->fleet->lock);
    if (facts_have(&l->fleet->facts, &image->claims))
        failed = tenant_hold(l->fleet, l->tenant, image->image.number, &image->claims, err);
    else
        image->later = true;
    pthread_rwlock_unlock(&l->fleet->lock);
    return failed;
}

/* --- Second pass: rows ------------------------------------------------------------------------ */

static void *copy_list(
    struct arena *arena, const void *list, size_t count, size_t size, struct err *err)
{
    void *copy = arena_alloc_array(arena, count + 1, size, err);

    if (copy && count)
        memcpy(copy, list, count * size);
    return copy;
}

static int copy_slot(struct arena *arena, const struct slot *from, struct slot *to, struct err *err)
{
    const struct timed_ids *packages = &from->packages;
    const struct ids *claims = &from->claims;

    *to = *from;
    to->packages.at = copy_list(arena, packages->at, packages->count, sizeof(*packages->at), err);
    to->claims.at = copy_list(arena, claims->at, claims->count, sizeof(*claims->at), err);
    to->packages.cap = to->claims.cap = 0;
    return to->packages.at && to->claims.at ? 0 : -1;
}

/* Within a read of the store. */
static int copy_image(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err)
{
    struct batch *batch = ctx;
    struct loaded_image *to = &batch->at[batch->count];

    to->image = *image;
    to->later = false;
    if (image_copy_strings(&batch->arena, &to->image, err) < 0)
        return -1;
    for (int source = 0; source < SOURCE_COUNT; source++)
        if (copy_slot(&batch->arena, &slots[source], &to->slots[source], err) < 0)
            return -1;
    batch->count++;
    return batch->count == BATCH_IMAGES || batch->arena.used_bytes >= BATCH_BYTES;
}

static int read_images(struct loading *l, struct batch *batch, struct err *err)
{
    return store_each_image(
        l->fleet->store, l->tenant->number, l->last, BATCH_IMAGES, copy_image, batch, err);
}

static int derive_image(struct loading *l, struct loaded_image *image, struct err *err)
{
    struct fleet *fleet = l->fleet;
    struct ids come CLEANUP(ids_release) = {0}, go CLEANUP(ids_release) = {0};
    int failed;

    if (content_claims(image->slots, &image->claims, err) < 0 ||
        holdings_compare(
            &l->tenant->holdings, image->image.number, &image->claims, &come, &go, err) < 0)
        return -1;
    image->later = come.count || go.count;
    if (image->later)
        return 0;
    pthread_rwlock_rdlock(&fleet->lock);
    failed = derive_findings(&fleet->facts, &l->tenant->aliases, l->tenant->overlay, &image->image,
        image->slots, &image->derived, err);
    pthread_rwlock_unlock(&fleet->lock);
    return failed;
}

static int put_image(struct loading *l, struct loaded_image *image, struct err *err)
{
    if (image->later)
        return 0;
    return index_put(l->tenant->index, &image->image, image->derived.at, image->derived.count, err);
}

/* --- Threads ---------------------------------------------------------------------------------- */

static void note_failure(struct loading *l, const struct err *why)
{
    pthread_mutex_lock(&l->putting);
    if (!l->failed)
        l->err = *why;
    l->failed = true;
    pthread_cond_broadcast(&l->turned);
    pthread_mutex_unlock(&l->putting);
}

/* False when another batch has failed. */
static bool wait_for_turn(struct loading *l, uint64_t turn)
{
    bool failed;

    pthread_mutex_lock(&l->putting);
    while (l->turn != turn && !l->failed)
        pthread_cond_wait(&l->turned, &l->putting);
    failed = l->failed;
    pthread_mutex_unlock(&l->putting);
    return !failed;
}

static void end_turn(struct loading *l)
{
    pthread_mutex_lock(&l->putting);
    l->turn++;
    pthread_cond_broadcast(&l->turned);
    pthread_mutex_unlock(&l->putting);
}

static int put_batch(struct loading *l, struct batch *batch, struct err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct loaded_image *image = &batch->at[i];

        if (l->put(l, image, err) < 0 ||
            (image->later && ids_push(l->later, image->image.number, err) < 0))
            return -1;
    }
    return 0;
}

static void start_helpers(struct loading *l);

/* Batch after batch until there is none. */
static int work(struct loading *l, struct batch *batch, struct err *err)
{
    for (;;) {
        if (read_batch(l, batch, err) < 0)
            return -1;
        if (batch->count == 0)
            return 0;
        if (batch->turn == 1)
            start_helpers(l);
        for (size_t i = 0; i < batch->count; i++)
            if (l->derive(l, &batch->at[i], err) < 0)
                return -1;
        if (!wait_for_turn(l, batch->turn))
            return 0;
        if (put_batch(l, batch, err) < 0)
            return -1;
        end_turn(l);
    }
}

static void *run(void *ctx)
{
    struct loading *l = ctx;
    struct err err = {0};
    struct batch *batch = batch_new(&err);

    if (!batch || work(l, batch, &err) < 0)
        note_failure(l, &err);
    if (batch)
        batch_release(batch);
    return NULL;
}

/* Where a second batch has come, by the one thread there is. Where no thread can be started, it
 * takes longer. */
static void start_helpers(struct loading *l)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN); /* -1: not known */

    while (l->helper_count + 1 < cores && l->helper_count + 1 < LIMIT_LOAD_THREADS &&
           pthread_create(&l->helpers[l->helper_count], NULL, run, l) == 0)
        l->helper_count++;
}

static int pass(struct loading *l, read_fn read, work_fn derive, work_fn put, struct err *err)
{
    l->read = read;
    l->derive = derive;
    l->put = put;
    l->last = 0;
    l->turns = l->turn = 0;
    l->read_all = false;
    run(l);
    for (; l->helper_count; l->helper_count--)
        pthread_join(l->helpers[l->helper_count - 1], NULL);
    if (l->failed)
        *err = l->err;
    return l->failed ? -1 : 0;
}

/* --- Building --------------------------------------------------------------------------------- */

/* Facts must not grow while groups are made of them; that takes a moment, so nobody is locked out
 * of reading. */
static int settle(struct loading *l, bool following, struct err *err)
{
    int failed;

    if (!following)
        pthread_mutex_lock(&l->fleet->follow);
    failed = tenant_settle_aliases(l->fleet, l->tenant, err);
    if (!following)
        pthread_mutex_unlock(&l->fleet->follow);
    return failed;
}

static int fill(struct loading *l, bool following, struct err *err)
{
    struct tenant *tenant = l->tenant;

    if (pass(l, read_claims, sort_claims, hold_image, err) < 0 || settle(l, following, err) < 0 ||
        tenant_load_decisions(l->fleet, tenant, err) < 0)
        return -1;
    index_begin_filling(tenant->index);
    if (pass(l, read_images, derive_image, put_image, err) < 0)
        return -1;
    index_end_filling(tenant->index);
    return 0;
}

static struct tenant *tenant_new(
    struct fleet *fleet, uint32_t number, struct slice id, struct err *err)
{
    struct tenant *tenant = calloc(1, sizeof(*tenant));

    if (!tenant) {
        err_nomem(err);
        return NULL;
    }
    tenant->number = number;
    tenant->id = strndup(id.ptr, id.len);
    aliases_init(&tenant->aliases, &fleet->facts);
    tenant->index = index_new(err);
    tenant->overlay = tenant->index ? overlay_new(err) : NULL;
    if (tenant->overlay && !tenant->id)
        err_nomem(err);
    if (tenant->overlay && tenant->id)
        return tenant;
    tenant_free(tenant);
    return NULL;
}

struct tenant *tenant_build(struct fleet *fleet, uint32_t number, struct slice id, bool following,
    struct ids *later, struct err *err)
{
    struct loading l = {.fleet = fleet, .later = later};
    int failed;

    l.tenant = tenant_new(fleet, number, id, err);
    if (!l.tenant)
        return NULL;
    pthread_mutex_init(&l.reading, NULL);
    pthread_mutex_init(&l.putting, NULL);
    pthread_cond_init(&l.turned, NULL);
    failed = fill(&l, following, err);
    pthread_cond_destroy(&l.turned);
    pthread_mutex_destroy(&l.putting);
    pthread_mutex_destroy(&l.reading);
    store_release_cache(fleet->store); /* what was read once will hardly be read again */
    malloc_trim(0);                    /* the lists that the sets were made of */
    if (!failed)
        return l.tenant;
    tenant_free(l.tenant);
    return NULL;
}

static int apply_later(
    struct fleet *fleet, struct tenant *tenant, struct ids *later, struct err *err)
{
    ids_sort_unique(later);
    for (size_t i = 0; i < later->count; i++)
        if (tenant_apply(fleet, tenant, later->at[i], err) < 0)
            return -1;
    return 0;
}

struct tenant *tenant_load(struct fleet *fleet, uint32_t number, struct slice id, struct err *err)
{
    struct ids later CLEANUP(ids_release) = {0};
    struct tenant *tenant = tenant_build(fleet, number, id, true, &later, err);

    if (!tenant || apply_later(fleet, tenant, &later, err) == 0)
        return tenant;
    tenant_free(tenant);
    return NULL;
}
