/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the links of an image lead, the way the kernel goes, with the image as its root: ".." at
 * the root stays there, and more than LIMIT_LINKS_FOLLOWED links lead nowhere.
 */
#include "scan/layering_internal.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"

#include <stdlib.h>

enum { PATH_MAX_BYTES = 4 * LIMIT_LAYER_PATH_BYTES };

/* Paths are hashed part by part, so that on the way down each part costs its own length alone: a
 * link may lead through thousands of them. */
static uint64_t hash_below(uint64_t folder, struct slice part)
{
    return (folder ^ slice_hash(part)) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_path(struct slice path)
{
    uint64_t hash = 0;

    while (path.len)
        hash = hash_below(hash, slice_pull_until(&path, '/'));
    return hash;
}

static bool is_link(const void *owner, uint32_t id, const void *key)
{
    const struct layering *layering = owner;

    return slice_eq(layering->links[id].path, *(const struct slice *)key);
}

static const struct visible_link *find_link(
    const struct layering *layering, struct slice path, uint64_t hash)
{
    uint32_t id = map_find(&layering->link_ids, hash, is_link, layering, &path);

    return id == MAP_NONE ? NULL : &layering->links[id];
}

int layering_add_link(struct layering *layering, const struct fact *fact, struct err *err)
{
    struct visible_link link;

    if (layering_text(layering, fact->path, &link.path, err) < 0 ||
        layering_text(layering, fact->target, &link.target, err) < 0 ||
        array_reserve(&layering->links, &layering->link_cap, layering->link_count + 1, sizeof(link),
            err) < 0 ||
        map_add(&layering->link_ids, hash_path(link.path), (uint32_t)layering->link_count, err) < 0)
        return -1;
    layering->links[layering->link_count++] = link;
    return 0;
}

/* ---- following ---- */

struct walk {
    struct buf at;      /* where we are: no link on the way */
    struct buf rest[2]; /* what is still to go, and the same being rewritten */
    unsigned followed;
    size_t depth;                                /* of `at` */
    uint64_t hashes[LIMIT_LAYER_PATH_DEPTH + 1]; /* of `at`, by depth */
};

static void walk_release(struct walk *walk)
{
    buf_release(&walk->at);
    buf_release(&walk->rest[0]);
    buf_release(&walk->rest[1]);
}

static void go_up(struct walk *walk)
{
    struct buf *at = &walk->at;
    size_t slash = slice_rfind_char(buf_slice(at), '/');

    if (at->len == 0)
        return;
    at->len = slash == at->len ? 0 : slash;
    at->data[at->len] = '\0';
    walk->depth--;
}

static void go_to_root(struct walk *walk)
{
    buf_clear(&walk->at);
    walk->depth = 0;
}

/* False for more parts than a path of a layer has. */
static bool go_down(struct walk *walk, struct slice part)
{
    if (walk->depth == LIMIT_LAYER_PATH_DEPTH)
        return false;
    walk->hashes[walk->depth + 1] = hash_below(walk->hashes[walk->depth], part);
    walk->depth++;
    if (walk->at.len)
        buf_put_char(&walk->at, '/');
    buf_put_slice(&walk->at, part);
    return !walk->at.failed;
}

/* The link's target is to go before the rest. */
static struct slice enter_link(struct walk *walk, struct slice target, struct slice rest)
{
    struct buf *to = &walk->rest[walk->followed % 2];

    walk->followed++;
    if (slice_starts_with(target, "/"))
        go_to_root(walk);
    else
        go_up(walk);
    buf_clear(to);
    buf_put_slice(to, target);
    buf_put_char(to, '/');
    buf_put_slice(to, rest);
    return buf_slice(to);
}

/* The path without links, in walk->at; false when it leads nowhere. */
static bool resolve(const struct layering *layering, struct slice path, struct walk *walk)
{
    go_to_root(walk);
    walk->followed = 0;
    while (path.len) {
        struct slice part = slice_pull_until(&path, '/');
        const struct visible_link *link;

        if (part.len == 0 || slice_is(part, "."))
            continue;
        if (slice_is(part, "..")) {
            go_up(walk);
            continue;
        }
        if (!go_down(walk, part))
            return false;
        link = find_link(layering, buf_slice(&walk->at), walk->hashes[walk->depth]);
        if (!link)
            continue;
        if (walk->followed == LIMIT_LINKS_FOLLOWED)
            return false;
        path = enter_link(walk, link->target, path);
        if (walk->rest[0].failed || walk->rest[1].failed)
            return false;
    }
    return true;
}

#define WALK_INIT                                 \
    {                                             \
        .at = BUF_INIT(PATH_MAX_BYTES), .rest = { \
            BUF_INIT(PATH_MAX_BYTES),             \
            BUF_INIT(PATH_MAX_BYTES)              \
        }                                         \
    }

/* ---- aliases ---- */

static bool has_alias(const struct alias *aliases, size_t count, struct slice real, struct slice as)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(aliases[i].real, real) && slice_eq(aliases[i].as, as))
            return true;
    return false;
}

struct missing {
    struct alias *at;
    size_t count, cap;
};

static int add_missing(struct layering *layering, const struct interest *interest,
    struct slice real, struct slice as, struct missing *missing, struct err *err)
{
    struct alias alias = {.as = as};

    if (has_alias(interest->aliases, interest->alias_count, real, as) ||
        has_alias(missing->at, missing->count, real, as))
        return 0;
    if (interest->alias_count + missing->count >= LIMIT_SCAN_ALIASES)
        return err_set(err, ERR_LIMIT,
            "links lead to more than %d places where package databases may be "
            "(LIMIT_SCAN_ALIASES)",
            LIMIT_SCAN_ALIASES);
    if (layering_text(layering, real, &alias.real, err) < 0 ||
        array_reserve(&missing->at, &missing->cap, missing->count + 1, sizeof(alias), err) < 0)
        return -1;
    missing->at[missing->count++] = alias;
    return 0;
}

int layering_missing_aliases(struct layering *layering, const struct interest *interest,
    struct alias **ret, size_t *ret_count, struct err *err)
{
    struct walk walk CLEANUP(walk_release) = WALK_INIT;
    struct buf scratch CLEANUP(buf_release) = BUF_INIT(PATH_MAX_BYTES);
    struct missing missing = {0};

    for (size_t i = 0; i < layering->lower_link_count; i++) {
        const struct lower_link *link = &layering->lower_links[i];
        struct slice path = layering->databases[link->database].path;

        if (!link->found && interest_needs_alias(path, link->target, &scratch) &&
            add_missing(layering, interest, link->target, path, &missing, err) < 0) {
            free(missing.at);
            return -1;
        }
    }
    for (size_t i = 0; i < layering->link_count; i++) {
        struct slice path = layering->links[i].path;

        if (!resolve(layering, path, &walk) || walk.at.len == 0 ||
            !interest_needs_alias(path, buf_slice(&walk.at), &scratch))
            continue;
        if (add_missing(layering, interest, buf_slice(&walk.at), path, &missing, err) < 0) {
            free(missing.at);
            return -1;
        }
    }
    *ret = missing.at;
    *ret_count = missing.count;
    return 0;
}

/* ---- what links make one ---- */

static struct slice last_part(struct slice path)
{
    size_t slash = slice_rfind_char(path, '/');

    return slash == path.len ? path : slice_skip(path, slash + 1);
}

int layering_link_licences(struct layering *layering, struct err *err)
{
    struct walk walk CLEANUP(walk_release) = WALK_INIT;

    layering_sort_licences(layering);
    if (layering->licences_sorted == 0)
        return 0;
    for (size_t i = 0; i < layering->link_count; i++) {
        struct slice path = layering->links[i].path;
        struct found_licence linked = {.package = last_part(path)};
        const struct found_licence *known;

        if (interest_above(&(struct interest){0}, path) != ABOVE_ONE_OF_MANY ||
            layering_find_licence(layering, linked.package) || !resolve(layering, path, &walk))
            continue;
        known = layering_find_licence(layering, last_part(buf_slice(&walk.at)));
        if (!known)
            continue;
        linked.licence = known->licence;
        if (layering_add_licence(layering, &linked, err) < 0)
            return -1;
    }
    return 0;
}

void layering_join_databases(struct layering *layering)
{
    struct walk walk CLEANUP(walk_release) = WALK_INIT;

    if (layering->link_count == 0)
        return;
    for (size_t i = 0; i < layering->database_count; i++) {
        struct database *one = &layering->databases[i], *other;
        uint32_t id;

        if (!resolve(layering, one->path, &walk) || slice_eq(buf_slice(&walk.at), one->path))
            continue;
        id = layering_find_database(layering, buf_slice(&walk.at));
        if (id == MAP_NONE)
            continue;
        other = &layering->databases[id];
        *(other->layer < one->layer ? &other->gone : &one->gone) = true;
    }
}
