/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See child.h. Facts of layers are gathered by a few threads, put into one nameless file, and laid
 * over each other from there, so that an image of hundreds of layers takes no more memory than its
 * largest one. Where links lead to places that no reader knows, the layers are read once more with
 * those in mind (a round); most images need one round.
 */
#include "scan/child.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/write_all.h"
#include "image/scratch.h"
#include "scan/cache.h"
#include "scan/gather.h"
#include "scan/wire.h"

#include <pthread.h>
#include <stdlib.h>

/* Facts in the file. */
struct stored {
    char name[CACHE_NAME_BYTES]; /* as in the cache; empty for what has no diff_id */
    uint64_t offset, bytes;
};

struct child {
    const struct child_plan *plan;
    struct image_source *source;
    int store_fd;
    uint64_t store_bytes;
    struct stored *stored; /* heap */
    size_t stored_count, stored_cap;
    struct map stored_ids; /* by name */
    size_t layers_done, layers_known;
    pthread_mutex_t lock; /* of all above, and of the pipe, while there are threads */
};

/* ---- the pipe ---- */

static int send_frame(
    const struct child *child, enum frame_type type, const struct buf *body, struct err *err)
{
    unsigned char head[FRAME_HEAD_BYTES];

    if (buf_check(body, "what is found (LIMIT_SCAN_FRAME_BYTES)", err) < 0)
        return -1;
    frame_head(type, body->len, head);
    if (!write_all(child->plan->out_fd, (struct slice){(const char *)head, sizeof(head)}) ||
        !write_all(child->plan->out_fd, buf_slice(body)))
        return err_set_errno(err, "cannot tell what is found");
    return 0;
}

static int send_progress(const struct child *child, struct err *err)
{
    struct buf body CLEANUP(buf_release) = BUF_INIT(64);

    pack_number(&body, child->layers_done);
    pack_number(&body, child->layers_known);
    return send_frame(child, FRAME_PROGRESS, &body, err);
}

/* ---- facts, stored ---- */

static bool has_name(const void *owner, uint32_t id, const void *key)
{
    const struct child *child = owner;

    return strcmp(child->stored[id].name, key) == 0;
}

static int store(
    struct child *child, const char *name, struct slice bytes, struct stored *ret, struct err *err)
{
    struct stored stored = {.offset = child->store_bytes, .bytes = bytes.len};

    if (child->store_fd < 0)
        child->store_fd = scratch_open(child->plan->scratch_fd, err);
    if (child->store_fd < 0 ||
        scratch_write(child->store_fd, bytes.ptr, bytes.len, stored.offset, err) < 0)
        return -1;
    child->store_bytes += bytes.len;
    snprintf(stored.name, sizeof(stored.name), "%s", name);
    if (array_reserve(
            &child->stored, &child->stored_cap, child->stored_count + 1, sizeof(stored), err) < 0 ||
        (*name && map_add(&child->stored_ids, slice_hash(slice_of(name)),
                      (uint32_t)child->stored_count, err) < 0))
        return -1;
    child->stored[child->stored_count++] = stored;
    *ret = stored;
    return 0;
}

/* A layer that another image of the target has, too. */
static bool find_stored(const struct child *child, const char *name, struct stored *ret)
{
    uint32_t id =
        *name ? map_find(&child->stored_ids, slice_hash(slice_of(name)), has_name, child, name)
              : MAP_NONE;

    if (id == MAP_NONE)
        return false;
    *ret = child->stored[id];
    return true;
}

/* False when it is not in the cache, or damaged there. What it says is read when it is laid. */
static int find_cached(
    struct child *child, const char *name, bool *ret_found, struct stored *ret, struct err *err)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(LIMIT_FACTS_BYTES);
    struct err why;

    *ret_found = false;
    if (!*name || child->plan->cache_fd < 0 || !cache_get(child->plan->cache_fd, name, &bytes) ||
        layer_facts_check(buf_slice(&bytes), &why) < 0)
        return 0;
    if (store(child, name, buf_slice(&bytes), ret, err) < 0)
        return -1;
    buf_clear(&bytes);
    pack_text(&bytes, slice_of(name));
    if (send_frame(child, FRAME_CACHED, &bytes, err) < 0)
        return -1;
    *ret_found = true;
    return 0;
}

static int keep_facts(struct child *child, const char *name, const struct layer_facts *facts,
    struct stored *ret, struct err *err)
{
    struct buf frame CLEANUP(buf_release) = BUF_INIT(LIMIT_SCAN_FRAME_BYTES);
    struct slice bytes;
    size_t from;

    pack_text(&frame, slice_of(name));
    from = frame.len;
    if (layer_facts_encode(facts, &frame, err) < 0)
        return -1;
    bytes = slice_skip(buf_slice(&frame), from);
    if (store(child, name, bytes, ret, err) < 0)
        return -1;
    if (!*name || child->plan->cache_fd < 0)
        return 0;
    return send_frame(child, FRAME_FACTS, &frame, err);
}

/* ---- layers ---- */

/* The layers of one image that have to be read, handed out to threads. */
struct round {
    struct child *child;
    const struct manifest *manifest;
    const struct interest *interest;
    struct stored *stored;           /* by layer */
    char (*names)[CACHE_NAME_BYTES]; /* by layer; heap */
    size_t *todo;                    /* layers, heap */
    size_t todo_count, next;
    struct err err; /* of the lowest layer that failed */
    size_t failed;  /* that layer; SIZE_MAX: none */
};

/* Once for each layer: with many aliases a name is the hash of a megabyte. */
static void name_layers(struct round *round)
{
    for (size_t i = 0; i < round->manifest->layer_count; i++)
        if (!cache_name(round->manifest->layers[i].diff_id, round->interest, round->names[i]))
            round->names[i][0] = '\0';
}

static int read_layer(struct round *round, size_t layer, struct err *err)
{
    struct child *child = round->child;
    struct layer_facts facts;
    int failed;

    if (layer_facts_gather(child->source, round->manifest, layer, round->interest, &facts, err) < 0)
        return -1;
    pthread_mutex_lock(&child->lock);
    failed = keep_facts(child, round->names[layer], &facts, &round->stored[layer], err);
    child->layers_done++;
    if (!failed)
        failed = send_progress(child, err);
    pthread_mutex_unlock(&child->lock);
    layer_facts_release(&facts);
    return failed;
}

/* The next layer to read, or false. After a failure there is none: the scan has failed. */
static bool next_layer(struct round *round, size_t *ret)
{
    bool found;

    pthread_mutex_lock(&round->child->lock);
    found = round->failed == SIZE_MAX && round->next < round->todo_count;
    if (found)
        *ret = round->todo[round->next++];
    pthread_mutex_unlock(&round->child->lock);
    return found;
}

static void *read_layers(void *ctx)
{
    struct round *round = ctx;
    size_t layer;

    while (next_layer(round, &layer)) {
        struct err err = {0};

        if (read_layer(round, layer, &err) == 0)
            continue;
        pthread_mutex_lock(&round->child->lock);
        if (layer < round->failed) {
            round->failed = layer;
            round->err = err;
        }
        pthread_mutex_unlock(&round->child->lock);
    }
    return NULL;
}

/* On this thread and, when there are several, on others. A thread that cannot be had is no loss. */
static int read_todo(struct round *round, struct err *err)
{
    pthread_t threads[LIMIT_SCAN_THREADS];
    size_t count = 0, wanted = round->child->plan->threads;

    if (wanted > round->todo_count)
        wanted = round->todo_count;
    if (wanted > sizeof(threads) / sizeof(threads[0]))
        wanted = sizeof(threads) / sizeof(threads[0]);
    while (count + 1 < wanted && pthread_create(&threads[count], NULL, read_layers, round) == 0)
        count++;
    read_layers(round);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    if (round->failed == SIZE_MAX)
        return 0;
    *err = round->err;
    return -1;
}

static bool is_todo(const struct round *round, const char *name)
{
    for (size_t i = 0; *name && i < round->todo_count; i++)
        if (strcmp(round->names[round->todo[i]], name) == 0)
            return true;
    return false;
}

/* Finds what is known of the layers, and reads the others. *cached counts those of the cache. */
static int load_layers(struct round *round, size_t *cached, struct err *err)
{
    struct child *child = round->child;
    bool found;

    name_layers(round);
    for (size_t i = 0; i < round->manifest->layer_count; i++) {
        const char *name = round->names[i];

        if (is_todo(round, name) || find_stored(child, name, &round->stored[i]))
            continue;
        if (find_cached(child, name, &found, &round->stored[i], err) < 0)
            return -1;
        *cached += found;
        if (!found)
            round->todo[round->todo_count++] = i;
    }
    child->layers_known += round->todo_count;
    if (round->todo_count && (send_progress(child, err) < 0 || read_todo(round, err) < 0))
        return -1;
    /* A layer may stand in an image twice. */
    for (size_t i = 0; i < round->manifest->layer_count; i++)
        find_stored(child, round->names[i], &round->stored[i]);
    return 0;
}

/* ---- an image ---- */

static int lay_layer(struct child *child, struct layering *layering, size_t layer,
    const struct stored *stored, struct buf *bytes, struct err *err)
{
    struct blob blob = {
        .fd = child->store_fd, .offset = stored->offset, .size = stored->bytes, .name = "facts"};
    struct layer_facts facts;
    int failed;

    buf_clear(bytes);
    if (!buf_reserve(bytes, (size_t)stored->bytes))
        return buf_check(bytes, "facts", err);
    if (blob_read(&blob, 0, bytes->data, (size_t)stored->bytes, err) < 0)
        return -1;
    bytes->len = (size_t)stored->bytes;
    if (layer_facts_decode_checked(buf_slice(bytes), &facts, err) < 0)
        return -1;
    failed = layering_add(layering, layer, &facts, err);
    layer_facts_release(&facts);
    return failed;
}

static struct layering *lay_layers(struct round *round, struct err *err)
{
    struct buf bytes CLEANUP(buf_release) = BUF_INIT(LIMIT_SCAN_FRAME_BYTES);
    struct layering *layering = layering_new(err);

    if (!layering)
        return NULL;
    for (size_t i = round->manifest->layer_count; i > 0; i--) {
        const struct layer *layer = &round->manifest->layers[i - 1];

        if (lay_layer(round->child, layering, i - 1, &round->stored[i - 1], &bytes, err) == 0)
            continue;
        if (layer->diff_id.len)
            err_prefix(err, "layer %.*s", SLICE_FMT(layer->diff_id));
        layering_free(layering);
        return NULL;
    }
    return layering;
}

static struct layering *run_round(struct child *child, const struct manifest *manifest,
    const struct interest *interest, size_t *cached, struct err *err)
{
    struct round round = {
        .child = child, .manifest = manifest, .interest = interest, .failed = SIZE_MAX};
    struct layering *layering = NULL;

    round.stored = calloc(manifest->layer_count + 1, sizeof(*round.stored));
    round.todo = calloc(manifest->layer_count + 1, sizeof(*round.todo));
    round.names = calloc(manifest->layer_count + 1, sizeof(*round.names));
    if (!round.stored || !round.todo || !round.names)
        err_nomem(err);
    else if (load_layers(&round, cached, err) == 0)
        layering = lay_layers(&round, err);
    free(round.stored);
    free(round.todo);
    free(round.names);
    return layering;
}

/* Copies the aliases behind those that there are. */
static int add_aliases(struct alias **aliases, size_t *count, size_t *cap, const struct alias *more,
    size_t more_count, struct arena *arena, struct err *err)
{
    if (array_reserve(aliases, cap, *count + more_count, sizeof(**aliases), err) < 0)
        return -1;
    for (size_t i = 0; i < more_count; i++) {
        struct alias *alias = &(*aliases)[*count];

        if (arena_dup(arena, more[i].real, &alias->real, err) < 0 ||
            arena_dup(arena, more[i].as, &alias->as, err) < 0)
            return -1;
        ++*count;
    }
    return 0;
}

struct rounds {
    struct arena arena;
    struct alias *aliases; /* heap */
    size_t count, cap;
};

/* Round after round until links lead to no new places. */
static struct layering *run_rounds(struct child *child, const struct manifest *manifest,
    struct rounds *rounds, size_t *cached, struct err *err)
{
    for (unsigned i = 0; i < LIMIT_SCAN_ROUNDS; i++) {
        const struct interest interest = {rounds->aliases, rounds->count};
        struct layering *layering =
            run_round(child, manifest, &interest, i ? &(size_t){0} : cached, err);
        struct alias *missing = NULL;
        size_t count = 0;
        int failed;

        if (!layering)
            return NULL;
        failed = layering_missing_aliases(layering, &interest, &missing, &count, err);
        if (!failed && count)
            failed = add_aliases(&rounds->aliases, &rounds->count, &rounds->cap, missing, count,
                &rounds->arena, err);
        free(missing);
        if (!failed && count == 0)
            return layering;
        layering_free(layering);
        if (failed)
            return NULL;
    }
    err_set(err, ERR_LIMIT,
        "links lead to package databases over more than %d others (LIMIT_SCAN_ROUNDS)",
        LIMIT_SCAN_ROUNDS);
    return NULL;
}

static int send_image(struct child *child, const struct found_image *image, struct err *err)
{
    struct buf body CLEANUP(buf_release) = BUF_INIT(LIMIT_SCAN_FRAME_BYTES);
    struct slice path;

    if (layering_finish(image->layering, err) < 0)
        return -1;
    if (layering_databases(image->layering, &path) && layering_package_count(image->layering) == 0)
        return err_set(err, ERR_FORMAT, "%.*s is there, but lists no package", SLICE_FMT(path));
    if (image_encode(image, &body, err) < 0)
        return -1;
    return send_frame(child, FRAME_IMAGE, &body, err);
}

static int scan_image(struct child *child, const struct manifest *manifest, struct err *err)
{
    struct rounds rounds = {0};
    struct found_image image = {.manifest = manifest, .kind = image_source_kind(child->source)};
    int failed = -1;

    arena_init(&rounds.arena, "links", 16UL * LIMIT_SCAN_ALIASES * LIMIT_LAYER_PATH_BYTES);
    image.layering = run_rounds(child, manifest, &rounds, &image.cached_layers, err);
    if (image.layering)
        failed = send_image(child, &image, err);
    layering_free(image.layering);
    arena_release(&rounds.arena);
    free(rounds.aliases);
    return failed;
}

/* ---- a target ---- */

/* Of several images, which one? */
static void name_image(const struct manifest *manifest, struct err *err)
{
    if (manifest->name.len)
        err_prefix(err, "%.*s%s%.*s", SLICE_FMT(manifest->name), manifest->tag.len ? ":" : "",
            SLICE_FMT(manifest->tag));
    else if (manifest->config_digest.len)
        err_prefix(err, "%.*s", SLICE_FMT(manifest->config_digest));
}

static int send_left_out(const struct child *child, struct err *err)
{
    struct buf body CLEANUP(buf_release) = BUF_INIT(LIMIT_SCAN_FRAME_BYTES);
    struct slice first;
    size_t count = image_left_out(child->source, &first);

    if (count == 0)
        return 0;
    pack_number(&body, count);
    pack_text(&body, first);
    return send_frame(child, FRAME_LEFT_OUT, &body, err);
}

static int scan_all(struct child *child, struct err *err)
{
    const struct source_options options = {.platform = child->plan->platform,
        .scratch_fd = child->plan->scratch_fd,
        .input_fd = child->plan->input_fd};

    child->source = image_open(child->plan->target, &options, err);
    if (!child->source || send_left_out(child, err) < 0)
        return -1;
    for (size_t i = 0; i < image_count(child->source); i++) {
        const struct manifest *manifest = image_at(child->source, i);

        if (scan_image(child, manifest, err) == 0)
            continue;
        if (image_count(child->source) > 1)
            name_image(manifest, err);
        return -1;
    }
    return 0;
}

static int put_up_walls(const struct child *child, struct err *err)
{
    const struct child_plan *plan = child->plan;
    struct sandbox_plan walls = {.write = plan->scratch_fd};
    struct buf body CLEANUP(buf_release) = BUF_INIT(1024);
    char why_not[SANDBOX_WHY_BYTES];

    if (plan->target_fd >= 0)
        walls.read[walls.read_count++] = plan->target_fd;
    if (plan->cache_fd >= 0)
        walls.read[walls.read_count++] = plan->cache_fd;
    if (sandbox_enter(&walls, why_not, err) < 0)
        return -1;
    pack_text(&body, slice_of(why_not));
    return send_frame(child, FRAME_WALLS, &body, err);
}

int child_main(const struct child_plan *plan)
{
    struct child child = {.plan = plan, .store_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct buf body = BUF_INIT(8192);
    struct err err = {0}, ignored;
    int failed = put_up_walls(&child, &err) < 0 || scan_all(&child, &err) < 0;

    if (failed)
        error_encode(&err, &body);
    if (send_frame(&child, failed ? FRAME_ERROR : FRAME_DONE, &body, &ignored) < 0)
        failed = 1;
    image_close(child.source);
    cleanup_fd(&child.store_fd);
    free(child.stored);
    map_release(&child.stored_ids);
    buf_release(&body);
    return failed;
}
