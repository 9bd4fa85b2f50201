/* SPDX-License-Identifier: Apache-2.0 */
/* See overlay.h. Where links lead is found in overlay_links.c. */
#include "scan/overlay_internal.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"

#include <stdlib.h>

struct overlay *overlay_new(struct err *err)
{
    struct overlay *overlay = calloc(1, sizeof(*overlay));

    if (!overlay) {
        err_nomem(err);
        return NULL;
    }
    if (intern_init(&overlay->texts, "the packages of one image (LIMIT_REPORT_MEMORY_BYTES)",
            LIMIT_REPORT_MEMORY_BYTES, err) < 0) {
        free(overlay);
        return NULL;
    }
    return overlay;
}

void overlay_free(struct overlay *overlay)
{
    if (!overlay)
        return;
    intern_release(&overlay->texts);
    free(overlay->hidden);
    free(overlay->in_layer);
    free(overlay->databases);
    map_release(&overlay->database_ids);
    free(overlay->packages);
    map_release(&overlay->package_ids);
    free(overlay->licences);
    free(overlay->links);
    map_release(&overlay->link_ids);
    free(overlay->besides);
    free(overlay);
}

int overlay_text(struct overlay *overlay, struct slice text, struct slice *ret, struct err *err)
{
    uint32_t id;

    if (intern_put(&overlay->texts, text, &id, err) < 0)
        return -1;
    *ret = intern_get(&overlay->texts, id);
    return 0;
}

/* ---- what is hidden: marks on paths, by their text's id ---- */

static uint8_t marks_of(const struct overlay *overlay, const uint8_t *marks, struct slice path)
{
    uint32_t id = intern_find(&overlay->texts, path);

    return id == MAP_NONE || id >= overlay->marks_cap ? 0 : marks[id];
}

/* Is the path hidden by a mark on it, or above it? */
static bool is_marked(const struct overlay *overlay, const uint8_t *marks, struct slice path)
{
    if (marks_of(overlay, marks, path) & MARK_SELF)
        return true;
    while (path.len) {
        size_t slash = slice_rfind_char(path, '/');

        path = slice_sub(path, 0, slash == path.len ? 0 : slash);
        if (marks_of(overlay, marks, path) & MARK_BELOW)
            return true;
    }
    return false;
}

/* Room for the marks of every text that there is. */
static int reserve_marks(struct overlay *overlay, struct err *err)
{
    size_t hidden = overlay->marks_cap, in_layer = overlay->marks_cap, need = overlay->texts.count;

    if (array_reserve(&overlay->hidden, &hidden, need, 1, err) < 0 ||
        array_reserve(&overlay->in_layer, &in_layer, need, 1, err) < 0)
        return -1;
    BUG_ON(hidden != in_layer);
    overlay->marks_cap = hidden;
    return 0;
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
    case FACT_KIND_COUNT:
        break;
    }
    return MARK_SELF | MARK_BELOW;
}

/* Marks what the layer hides in those below it. */
static int mark_layer(struct overlay *overlay, const struct facts *facts, struct err *err)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->at[i];
        uint32_t id;

        if (intern_put(&overlay->texts, fact->path, &id, err) < 0 ||
            reserve_marks(overlay, err) < 0)
            return -1;
        overlay->hidden[id] |= marks_by(fact->kind);
        /* A file hides none of its own earlier versions: they are the same database. */
        overlay->in_layer[id] |= fact->kind == FACT_FILE ? MARK_BELOW : marks_by(fact->kind);
    }
    /* Databases that the layer hides have no earlier versions. */
    for (size_t i = 0; i < overlay->database_count; i++)
        if (is_marked(overlay, overlay->in_layer, overlay->databases[i].path))
            overlay->databases[i].traced = false;
    for (size_t i = 0; i < facts->count; i++)
        overlay->in_layer[intern_find(&overlay->texts, facts->at[i].path)] = 0;
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
    const struct overlay *overlay = owner;
    const struct package_key *sought = key;

    return overlay->packages[id].database == sought->database &&
           same_package(&overlay->packages[id].shown.found.package, sought->package);
}

static uint64_t package_hash(const struct package_key *key)
{
    uint64_t hash = slice_hash(key->package->name) + key->database;

    hash = hash * 0x9e3779b97f4a7c15u ^ slice_hash(key->package->version);
    return hash * 0x9e3779b97f4a7c15u ^ slice_hash(key->package->arch);
}

static uint32_t find_package(const struct overlay *overlay, const struct package_key *key)
{
    return map_find(&overlay->package_ids, package_hash(key), is_package, overlay, key);
}

static int copy_package(struct overlay *overlay, const struct found_package *from,
    struct found_package *ret, struct err *err)
{
    struct found_package copy = *from;
    struct package *package = &copy.package;
    struct slice *const texts[] = {&package->ecosystem, &package->name, &package->version,
        &package->arch, &package->module, &package->source_name, &package->source_version,
        &copy.licence};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (overlay_text(overlay, *texts[i], texts[i], err) < 0)
            return -1;
    *ret = copy;
    return 0;
}

static int add_package(
    struct overlay *overlay, size_t database, const struct found_package *found, struct err *err)
{
    const struct package_key key = {database, &found->package};
    struct traced_package package = {.database = database, .traced = true};

    if (find_package(overlay, &key) != MAP_NONE)
        return 0;
    if (overlay->package_count >= LIMIT_IMAGE_PACKAGES)
        return err_set(err, ERR_LIMIT,
            "the image holds more than %d packages (LIMIT_IMAGE_PACKAGES)", LIMIT_IMAGE_PACKAGES);
    package.shown.layer = overlay->databases[database].layer;
    package.shown.path = overlay->databases[database].path;
    if (copy_package(overlay, found, &package.shown.found, err) < 0 ||
        array_reserve(&overlay->packages, &overlay->package_cap, overlay->package_count + 1,
            sizeof(package), err) < 0)
        return -1;
    overlay->packages[overlay->package_count] = package;
    if (map_add(&overlay->package_ids, package_hash(&key), (uint32_t)overlay->package_count, err) <
        0)
        return -1;
    overlay->package_count++;
    return 0;
}

/* ---- databases ---- */

static bool is_database(const void *owner, uint32_t id, const void *key)
{
    const struct overlay *overlay = owner;

    return slice_eq(overlay->databases[id].path, *(const struct slice *)key);
}

static uint32_t find_database(const struct overlay *overlay, struct slice path)
{
    return map_find(&overlay->database_ids, slice_hash(path), is_database, overlay, &path);
}

static int add_database(
    struct overlay *overlay, size_t layer, const struct fact *fact, size_t *ret, struct err *err)
{
    struct database database = {.layer = layer,
        .reader = fact->reader,
        .traced = true,
        .first_package = overlay->package_count};
    size_t at = overlay->database_count;

    if (overlay_text(overlay, fact->path, &database.path, err) < 0 ||
        array_reserve(&overlay->databases, &overlay->database_cap, at + 1, sizeof(database), err) <
            0 ||
        map_add(&overlay->database_ids, slice_hash(database.path), (uint32_t)at, err) < 0)
        return -1;
    overlay->databases[at] = database;
    overlay->database_count++;
    *ret = at;
    return 0;
}

static int add_licence(struct overlay *overlay, const struct found_licence *found, struct err *err)
{
    struct found_licence copy;

    if (overlay_text(overlay, found->package, &copy.package, err) < 0 ||
        overlay_text(overlay, found->licence, &copy.licence, err) < 0 ||
        array_reserve(&overlay->licences, &overlay->licence_cap, overlay->licence_count + 1,
            sizeof(copy), err) < 0)
        return -1;
    overlay->licences[overlay->licence_count++] = copy;
    return 0;
}

/* What a visible file told. */
static int take_told(struct overlay *overlay, size_t database, struct told *told, struct err *err)
{
    struct found_package package;
    struct found_licence licence;

    while (told_package(told, &package))
        if (add_package(overlay, database, &package, err) < 0)
            return -1;
    overlay->databases[database].package_count =
        overlay->package_count - overlay->databases[database].first_package;
    while (told_licence(told, &licence))
        if (add_licence(overlay, &licence, err) < 0)
            return -1;
    if (told->os_release.len == 0 || (overlay->release.len && told->os_rank <= overlay->os_rank))
        return 0;
    overlay->os_rank = told->os_rank;
    return overlay_text(overlay, told->os_release, &overlay->release, err);
}

/* An earlier version of a visible database: the packages that it had came with it, or before. */
static void trace(
    struct overlay *overlay, size_t layer, const struct database *database, struct told *told)
{
    struct traced_package *packages = overlay->packages + database->first_package;
    struct found_package package;

    while (told && told_package(told, &package)) {
        const struct package_key key = {(size_t)(database - overlay->databases), &package.package};
        uint32_t id = find_package(overlay, &key);

        if (id != MAP_NONE && overlay->packages[id].traced)
            overlay->packages[id].shown.layer = layer;
    }
    for (size_t i = 0; i < database->package_count; i++)
        packages[i].traced &= packages[i].shown.layer == layer;
}

static int take_file(struct overlay *overlay, size_t layer, const struct fact *fact,
    struct arena *arena, struct err *err)
{
    uint32_t known = find_database(overlay, fact->path);
    bool traced = known != MAP_NONE && overlay->databases[known].traced;
    struct told told;
    size_t database;

    if (!traced && is_marked(overlay, overlay->hidden, fact->path))
        return 0;
    if (!fact->failed && told_begin(fact->payload, arena, &told, err) < 0)
        return -1;
    if (traced) {
        trace(overlay, layer, &overlay->databases[known], fact->failed ? NULL : &told);
        return 0;
    }
    if (fact->failed)
        return err_set(err, fact->failed, "%.*s", SLICE_FMT(fact->why));
    if (add_database(overlay, layer, fact, &database, err) < 0)
        return -1;
    return take_told(overlay, database, &told, err);
}

/* ---- a layer ---- */

static int take_beside(
    struct overlay *overlay, size_t layer, const struct fact *fact, struct err *err)
{
    struct beside beside = {.layer = layer};

    if (fact->empty)
        return 0;
    if (overlay_text(overlay, fact->path, &beside.path, err) < 0 ||
        array_reserve(&overlay->besides, &overlay->beside_cap, overlay->beside_count + 1,
            sizeof(beside), err) < 0)
        return -1;
    overlay->besides[overlay->beside_count++] = beside;
    return 0;
}

static int take_fact(struct overlay *overlay, size_t layer, const struct fact *fact,
    struct arena *arena, struct err *err)
{
    if (fact->kind == FACT_FILE)
        return take_file(overlay, layer, fact, arena, err);
    if ((fact->kind != FACT_LINK && fact->kind != FACT_BESIDE) ||
        is_marked(overlay, overlay->hidden, fact->path))
        return 0;
    return fact->kind == FACT_LINK ? overlay_add_link(overlay, fact, err)
                                   : take_beside(overlay, layer, fact, err);
}

int overlay_add(struct overlay *overlay, size_t layer, const struct facts *facts, struct err *err)
{
    struct arena arena CLEANUP(arena_release);

    arena_init(&arena, "what one file tells (LIMIT_FACTS_BYTES)", 2 * LIMIT_FACTS_BYTES);
    for (size_t i = 0; i < facts->count; i++) {
        if (take_fact(overlay, layer, &facts->at[i], &arena, err) < 0)
            return -1;
        arena_reset(&arena);
    }
    return mark_layer(overlay, facts, err);
}

/* ---- the end ---- */

/* A log in another layer than its database: to read it, both would have to be read together. */
static int check_besides(const struct overlay *overlay, struct err *err)
{
    for (size_t i = 0; i < overlay->beside_count; i++) {
        struct slice path = overlay->besides[i].path;
        uint32_t id = find_database(overlay, slice_sub(path, 0, slice_rfind_char(path, '-')));

        if (id != MAP_NONE && overlay->databases[id].layer != overlay->besides[i].layer)
            return err_set(err, ERR_UNSUPPORTED,
                "%.*s stands in another layer than the database that it belongs to",
                SLICE_FMT(path));
    }
    return 0;
}

static int compare_licences(const void *a, const void *b)
{
    return slice_cmp(
        ((const struct found_licence *)a)->package, ((const struct found_licence *)b)->package);
}

static void give_licences(struct overlay *overlay)
{
    if (overlay->licence_count == 0)
        return;
    qsort(overlay->licences, overlay->licence_count, sizeof(*overlay->licences), compare_licences);
    for (size_t i = 0; i < overlay->package_count; i++) {
        struct found_package *found = &overlay->packages[i].shown.found;
        const struct found_licence *licence =
            bsearch(&(struct found_licence){.package = found->package.name}, overlay->licences,
                overlay->licence_count, sizeof(*overlay->licences), compare_licences);

        if (licence && found->licence.len == 0)
            found->licence = licence->licence;
    }
}

static int compare_packages(const void *a, const void *b)
{
    const struct overlay_package *left = &((const struct traced_package *)a)->shown,
                                 *right = &((const struct traced_package *)b)->shown;
    const struct package *one = &left->found.package, *other = &right->found.package;
    int order = slice_cmp(one->name, other->name);

    if (order == 0)
        order = slice_cmp(one->version, other->version);
    if (order == 0)
        order = slice_cmp(one->arch, other->arch);
    return order ? order : slice_cmp(left->path, right->path);
}

static void drop_packages_of_gone(struct overlay *overlay)
{
    size_t kept = 0;

    for (size_t i = 0; i < overlay->package_count; i++)
        if (!overlay->databases[overlay->packages[i].database].gone)
            overlay->packages[kept++] = overlay->packages[i];
    overlay->package_count = kept;
}

int overlay_finish(struct overlay *overlay, struct err *err)
{
    if (check_besides(overlay, err) < 0 || overlay_link_licences(overlay, err) < 0 ||
        overlay_join_databases(overlay, err) < 0)
        return -1;
    drop_packages_of_gone(overlay);
    give_licences(overlay);
    if (overlay->package_count)
        qsort(overlay->packages, overlay->package_count, sizeof(*overlay->packages),
            compare_packages);
    return 0;
}

size_t overlay_package_count(const struct overlay *overlay)
{
    return overlay->package_count;
}

const struct overlay_package *overlay_package(const struct overlay *overlay, size_t i)
{
    return &overlay->packages[i].shown;
}

struct slice overlay_release(const struct overlay *overlay)
{
    return overlay->release;
}

size_t overlay_databases(const struct overlay *overlay, struct slice *ret_path)
{
    size_t count = 0;

    for (size_t i = 0; i < overlay->database_count; i++) {
        const struct database *database = &overlay->databases[i];

        if (!database->gone && interest_lists_packages(database->reader)) {
            *ret_path = database->path;
            count++;
        }
    }
    return count;
}
