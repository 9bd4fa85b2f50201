/* SPDX-License-Identifier: Apache-2.0 */
/* See layering.h. Where links lead is found in layering_links.c and layering_hard_links.c. */
#include "scan/layering_internal.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"

#include <stdlib.h>

struct layering *layering_new(struct err *err)
{
    struct layering *layering = calloc(1, sizeof(*layering));

    if (!layering) {
        err_nomem(err);
        return NULL;
    }
    if (intern_init(&layering->texts, "the packages of one image (LIMIT_REPORT_MEMORY_BYTES)",
            LIMIT_REPORT_MEMORY_BYTES, err) < 0) {
        free(layering);
        return NULL;
    }
    return layering;
}

void layering_free(struct layering *layering)
{
    if (!layering)
        return;
    intern_release(&layering->texts);
    free(layering->hidden);
    free(layering->in_layer);
    free(layering->databases);
    map_release(&layering->database_ids);
    free(layering->packages);
    map_release(&layering->package_ids);
    free(layering->licences);
    free(layering->links);
    map_release(&layering->link_ids);
    free(layering->besides);
    free(layering->lower_links);
    free(layering->lower_targets);
    free(layering);
}

int layering_text(struct layering *layering, struct slice text, struct slice *ret, struct err *err)
{
    uint32_t id;

    if (intern_put(&layering->texts, text, &id, err) < 0)
        return -1;
    *ret = intern_get(&layering->texts, id);
    return 0;
}

/* ---- what is hidden: marks on paths, by their text's id ---- */

static uint8_t marks_of(const struct layering *layering, const uint8_t *marks, struct slice path)
{
    uint32_t id = intern_find(&layering->texts, path);

    return id == MAP_NONE || id >= layering->marks_cap ? 0 : marks[id];
}

/* Is the path hidden by a mark on it, or above it? */
static bool is_marked(const struct layering *layering, const uint8_t *marks, struct slice path)
{
    if (marks_of(layering, marks, path) & MARK_SELF)
        return true;
    while (path.len) {
        size_t slash = slice_rfind_char(path, '/');

        path = slice_sub(path, 0, slash == path.len ? 0 : slash);
        if (marks_of(layering, marks, path) & MARK_BELOW)
            return true;
    }
    return false;
}

/* Room for the marks of every text that there is. */
static int reserve_marks(struct layering *layering, struct err *err)
{
    size_t hidden = layering->marks_cap, in_layer = layering->marks_cap,
           need = layering->texts.count;

    if (array_reserve(&layering->hidden, &hidden, need, 1, err) < 0 ||
        array_reserve(&layering->in_layer, &in_layer, need, 1, err) < 0)
        return -1;
    BUG_ON(hidden != in_layer);
    layering->marks_cap = hidden;
    return 0;
}

bool layering_is_hidden_by_layer(const struct layering *layering, struct slice path)
{
    return is_marked(layering, layering->in_layer, path);
}

static uint8_t marks_by(enum fact_kind kind)
{
    switch (kind) {
    case FACT_OPAQUE:
        return MARK_BELOW;
    case FACT_FOLDER:
        return MARK_SELF;
    case FACT_FILE:
    case FACT_BESIDE:
    case FACT_LINK:
    case FACT_COVER:
    case FACT_HIDDEN:
    case FACT_SAME:
    case FACT_KIND_COUNT:
        break;
    }
    return MARK_SELF | MARK_BELOW;
}

/* Marks what the layer hides in those below it. */
static int mark_layer(
    struct layering *layering, size_t layer, const struct layer_facts *facts, struct err *err)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->at[i];
        uint32_t id;

        if (intern_put(&layering->texts, fact->path, &id, err) < 0 ||
            reserve_marks(layering, err) < 0)
            return -1;
        layering->hidden[id] |= marks_by(fact->kind);
        /* A file hides none of its own earlier versions: they are the same database. */
        layering->in_layer[id] |= fact->kind == FACT_FILE ? MARK_BELOW : marks_by(fact->kind);
    }
    /* Databases that the layer hides have no earlier versions. */
    for (size_t i = 0; i < layering->database_count; i++)
        if (layering_is_hidden_by_layer(layering, layering->databases[i].path))
            layering->databases[i].traced = false;
    layering_hide_lower(layering, layer);
    for (size_t i = 0; i < facts->count; i++)
        layering->in_layer[intern_find(&layering->texts, facts->at[i].path)] = 0;
    return 0;
}

/* ---- packages ---- */

struct package_key {
    size_t database;
    const struct package *package;
};

static bool same_package(const struct package *a, const struct package *b)
{
    return slice_eq(a->name, b->name) && slice_eq(a->version, b->version) &&
           slice_eq(a->arch, b->arch) && slice_eq(a->ecosystem, b->ecosystem) &&
           slice_eq(a->module, b->module) && slice_eq(a->source_name, b->source_name) &&
           slice_eq(a->source_version, b->source_version);
}

static bool is_package(const void *owner, uint32_t id, const void *key)
{
    const struct layering *layering = owner;
    const struct package_key *sought = key;

    return layering->packages[id].database == sought->database &&
           same_package(&layering->packages[id].shown.found.package, sought->package);
}

static uint64_t package_hash(const struct package_key *key)
{
    uint64_t hash = slice_hash(key->package->name) + key->database;

    hash = hash * 0x9e3779b97f4a7c15u ^ slice_hash(key->package->version);
    return hash * 0x9e3779b97f4a7c15u ^ slice_hash(key->package->arch);
}

static uint32_t find_package(const struct layering *layering, const struct package_key *key)
{
    return map_find(&layering->package_ids, package_hash(key), is_package, layering, key);
}

static int copy_package(struct layering *layering, const struct found_package *from,
    struct found_package *ret, struct err *err)
{
    struct found_package copy = *from;
    struct package *package = &copy.package;
    struct slice *const texts[] = {&package->ecosystem, &package->name, &package->version,
        &package->arch, &package->module, &package->source_name, &package->source_version,
        &copy.licence};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (layering_text(layering, *texts[i], texts[i], err) < 0)
            return -1;
    *ret = copy;
    return 0;
}

static int add_package(
    struct layering *layering, size_t database, const struct found_package *found, struct err *err)
{
    const struct package_key key = {database, &found->package};
    struct traced_package package = {.database = database, .traced = true};

    if (find_package(layering, &key) != MAP_NONE)
        return 0;
    if (layering->package_count >= LIMIT_IMAGE_PACKAGES)
        return err_set(err, ERR_LIMIT,
            "the image holds more than %d packages (LIMIT_IMAGE_PACKAGES)", LIMIT_IMAGE_PACKAGES);
    package.shown.layer = layering->databases[database].layer;
    package.shown.path = layering->databases[database].path;
    if (copy_package(layering, found, &package.shown.found, err) < 0 ||
        array_reserve(&layering->packages, &layering->package_cap, layering->package_count + 1,
            sizeof(package), err) < 0)
        return -1;
    layering->packages[layering->package_count] = package;
    if (map_add(
            &layering->package_ids, package_hash(&key), (uint32_t)layering->package_count, err) < 0)
        return -1;
    layering->package_count++;
    return 0;
}

/* ---- databases ---- */

static bool is_database(const void *owner, uint32_t id, const void *key)
{
    const struct layering *layering = owner;

    return slice_eq(layering->databases[id].path, *(const struct slice *)key);
}

uint32_t layering_find_database(const struct layering *layering, struct slice path)
{
    return map_find(&layering->database_ids, slice_hash(path), is_database, layering, &path);
}

int layering_add_database(
    struct layering *layering, size_t layer, const struct fact *fact, size_t *ret, struct err *err)
{
    struct database database = {.layer = layer,
        .reader = fact->reader,
        .traced = fact->kind == FACT_FILE,
        .first_package = layering->package_count};
    size_t at = layering->database_count;

    if (layering_text(layering, fact->path, &database.path, err) < 0 ||
        array_reserve(
            &layering->databases, &layering->database_cap, at + 1, sizeof(database), err) < 0 ||
        map_add(&layering->database_ids, slice_hash(database.path), (uint32_t)at, err) < 0)
        return -1;
    layering->databases[at] = database;
    layering->database_count++;
    *ret = at;
    return 0;
}

/* ---- licences ---- */

int layering_add_licence(
    struct layering *layering, const struct found_licence *found, struct err *err)
{
    struct found_licence copy;

    if (layering_text(layering, found->package, &copy.package, err) < 0 ||
        layering_text(layering, found->licence, &copy.licence, err) < 0 ||
        array_reserve(&layering->licences, &layering->licence_cap, layering->licence_count + 1,
            sizeof(copy), err) < 0)
        return -1;
    layering->licences[layering->licence_count++] = copy;
    return 0;
}

static int compare_licences(const void *a, const void *b)
{
    return slice_cmp(
        ((const struct found_licence *)a)->package, ((const struct found_licence *)b)->package);
}

void layering_sort_licences(struct layering *layering)
{
    if (layering->licence_count)
        qsort(layering->licences, layering->licence_count, sizeof(*layering->licences),
            compare_licences);
    layering->licences_sorted = layering->licence_count;
}

const struct found_licence *layering_find_licence(
    const struct layering *layering, struct slice package)
{
    const struct found_licence sought = {.package = package};

    return layering->licences_sorted
               ? bsearch(&sought, layering->licences, layering->licences_sorted, sizeof(sought),
                     compare_licences)
               : NULL;
}

/* ---- files ---- */

int layering_take_told(
    struct layering *layering, size_t database, struct told *told, struct err *err)
{
    struct found_package package;
    struct found_licence licence;

    while (told_package(told, &package))
        if (add_package(layering, database, &package, err) < 0)
            return -1;
    layering->databases[database].package_count =
        layering->package_count - layering->databases[database].first_package;
    while (told_licence(told, &licence))
        if (layering_add_licence(layering, &licence, err) < 0)
            return -1;
    if (told->os_release.len == 0 || (layering->release.len && told->os_rank <= layering->os_rank))
        return 0;
    layering->os_rank = told->os_rank;
    return layering_text(layering, told->os_release, &layering->release, err);
}

/* An earlier version of a visible database: the packages that it had came with it, or before. */
static void trace(
    struct layering *layering, size_t layer, const struct database *database, struct told *told)
{
    size_t end = database->first_package + database->package_count;
    struct found_package package;

    while (told && told_package(told, &package)) {
        const struct package_key key = {(size_t)(database - layering->databases), &package.package};
        uint32_t id = find_package(layering, &key);

        if (id != MAP_NONE && layering->packages[id].traced)
            layering->packages[id].shown.layer = layer;
    }
    for (size_t i = database->first_package; i < end; i++)
        layering->packages[i].traced &= layering->packages[i].shown.layer == layer;
}

static int take_file(struct layering *layering, size_t layer, const struct fact *fact,
    struct arena *arena, struct err *err)
{
    uint32_t known = layering_find_database(layering, fact->path);
    bool traced = known != MAP_NONE && layering->databases[known].traced;
    struct told told;
    size_t database;

    if (!traced && is_marked(layering, layering->hidden, fact->path))
        return 0;
    if (!fact->failed && told_begin(fact->payload, arena, &told, err) < 0)
        return -1;
    if (traced) {
        trace(layering, layer, &layering->databases[known], fact->failed ? NULL : &told);
        return 0;
    }
    if (fact->failed)
        return err_set(err, fact->failed, "%.*s", SLICE_FMT(fact->why));
    if (layering_add_database(layering, layer, fact, &database, err) < 0)
        return -1;
    return layering_take_told(layering, database, &told, err);
}

/* ---- a layer ---- */

static int take_beside(
    struct layering *layering, size_t layer, const struct fact *fact, struct err *err)
{
    struct beside beside = {.layer = layer};

    if (fact->empty)
        return 0;
    if (layering_text(layering, fact->path, &beside.path, err) < 0 ||
        array_reserve(&layering->besides, &layering->beside_cap, layering->beside_count + 1,
            sizeof(beside), err) < 0)
        return -1;
    layering->besides[layering->beside_count++] = beside;
    return 0;
}

static int take_fact(struct layering *layering, size_t layer, const struct fact *fact,
    struct arena *arena, struct err *err)
{
    if (layering_take_lower(layering, layer, fact, arena, err) < 0)
        return -1;
    if (fact->kind == FACT_FILE)
        return take_file(layering, layer, fact, arena, err);
    if ((fact->kind != FACT_LINK && fact->kind != FACT_BESIDE && fact->kind != FACT_SAME) ||
        is_marked(layering, layering->hidden, fact->path))
        return 0;
    if (fact->kind == FACT_SAME)
        return layering_add_lower_link(layering, layer, fact, err);
    return fact->kind == FACT_LINK ? layering_add_link(layering, fact, err)
                                   : take_beside(layering, layer, fact, err);
}

int layering_add(
    struct layering *layering, size_t layer, const struct layer_facts *facts, struct err *err)
{
    struct arena arena CLEANUP(arena_release);

    arena_init(&arena, "what one file tells (LIMIT_FACTS_BYTES)", 2 * LIMIT_FACTS_BYTES);
    for (size_t i = 0; i < facts->count; i++) {
        if (take_fact(layering, layer, &facts->at[i], &arena, err) < 0)
            return -1;
        arena_reset(&arena);
    }
    return mark_layer(layering, layer, facts, err);
}

/* ---- the end ---- */

static bool is_lower_link(const struct layering *layering, uint32_t database)
{
    for (size_t i = 0; i < layering->lower_link_count; i++)
        if (layering->lower_links[i].database == database)
            return true;
    return false;
}

/* A log in another layer than its database: to read it, both would have to be read together. */
static int check_besides(const struct layering *layering, struct err *err)
{
    for (size_t i = 0; i < layering->beside_count; i++) {
        struct slice path = layering->besides[i].path;
        uint32_t id =
            layering_find_database(layering, slice_sub(path, 0, slice_rfind_char(path, '-')));

        if (id != MAP_NONE && (layering->databases[id].layer != layering->besides[i].layer ||
                                  is_lower_link(layering, id)))
            return err_set(err, ERR_UNSUPPORTED,
                "%.*s stands in another layer than the database that it belongs to",
                SLICE_FMT(path));
    }
    return 0;
}

static void give_licences(struct layering *layering)
{
    layering_sort_licences(layering);
    for (size_t i = 0; i < layering->package_count; i++) {
        struct found_package *found = &layering->packages[i].shown.found;
        const struct found_licence *licence = layering_find_licence(layering, found->package.name);

        if (licence && found->licence.len == 0)
            found->licence = licence->licence;
    }
}

static int compare_packages(const void *a, const void *b)
{
    const struct layering_package *left = &((const struct traced_package *)a)->shown,
                                  *right = &((const struct traced_package *)b)->shown;
    const struct package *one = &left->found.package, *other = &right->found.package;
    int order = slice_cmp(one->name, other->name);

    if (order == 0)
        order = slice_cmp(one->version, other->version);
    if (order == 0)
        order = slice_cmp(one->arch, other->arch);
    return order ? order : slice_cmp(left->path, right->path);
}

static void drop_packages_of_gone(struct layering *layering)
{
    size_t kept = 0;

    for (size_t i = 0; i < layering->package_count; i++)
        if (!layering->databases[layering->packages[i].database].gone)
            layering->packages[kept++] = layering->packages[i];
    layering->package_count = kept;
}

int layering_finish(struct layering *layering, struct err *err)
{
    if (check_besides(layering, err) < 0 || layering_finish_lower(layering, err) < 0 ||
        layering_link_licences(layering, err) < 0)
        return -1;
    layering_join_databases(layering);
    drop_packages_of_gone(layering);
    give_licences(layering);
    if (layering->package_count)
        qsort(layering->packages, layering->package_count, sizeof(*layering->packages),
            compare_packages);
    return 0;
}

size_t layering_package_count(const struct layering *layering)
{
    return layering->package_count;
}

const struct layering_package *layering_package(const struct layering *layering, size_t i)
{
    return &layering->packages[i].shown;
}

struct slice layering_release(const struct layering *layering)
{
    return layering->release;
}

size_t layering_databases(const struct layering *layering, struct slice *ret_path)
{
    size_t count = 0;

    for (size_t i = 0; i < layering->database_count; i++) {
        const struct database *database = &layering->databases[i];

        if (!database->gone && interest_lists_packages(database->reader)) {
            *ret_path = database->path;
            count++;
        }
    }
    return count;
}
