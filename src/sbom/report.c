/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reader hands over, and the adding of it: distinct packages, records and claims.
 *
 * The arrays are found again through maps from a hash of the content to the position. The release
 * of a package is not hashed: report_set_release() changes it for all OS packages at once, and the
 * maps stay right. Texts are shared by report_text(): a package's name stands in its report once
 * for each of its vulnerabilities, and a distributor's advisory once for each package.
 */
#include "sbom/report.h"

#include "base/array.h"
#include "base/limits.h"
#include "model/name.h"

void report_init(struct report *report)
{
    *report = (struct report){.size_bytes = -1};
    arena_init(&report->arena, "the report", LIMIT_REPORT_MEMORY_BYTES);
}

void report_release(struct report *report)
{
    arena_release(&report->arena);
    map_release(&report->package_ids);
    map_release(&report->record_ids);
    map_release(&report->claim_ids);
    map_release(&report->text_ids);
    free(report->packages);
    free(report->records);
    free(report->claims);
    free(report->texts);
    report_init(report);
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

/* ---- texts ---- */

static bool is_text(const void *owner, uint32_t id, const void *key)
{
    const struct report *report = owner;
    const struct slice *s = key;

    return slice_eq(report->texts[id], *s);
}

int report_text(struct report *report, struct slice s, struct slice *ret, struct err *err)
{
    uint64_t hash = slice_hash(s);
    uint32_t id = map_find(&report->text_ids, hash, is_text, report, &s);
    struct slice copy;

    if (id == MAP_NONE) {
        if (array_reserve(&report->texts, &report->text_cap, report->text_count + 1,
                sizeof(*report->texts), err) < 0 ||
            arena_dup(&report->arena, s, &copy, err) < 0)
            return -1;
        id = (uint32_t)report->text_count;
        if (map_add(&report->text_ids, hash, id, err) < 0)
            return -1;
        report->texts[report->text_count++] = copy;
    }
    *ret = report->texts[id];
    return 0;
}

/* ---- packages ---- */

static uint64_t package_hash(const struct package *p)
{
    uint64_t hash = slice_hash(p->name);

    hash = mix(hash, slice_hash(p->version));
    hash = mix(hash, slice_hash(p->ecosystem));
    hash = mix(hash, slice_hash(p->arch));
    hash = mix(hash, slice_hash(p->module));
    hash = mix(hash, slice_hash(p->source_name));
    return mix(hash, slice_hash(p->source_version));
}

static bool is_package(const void *owner, uint32_t id, const void *key)
{
    const struct report *report = owner;
    const struct package *a = &report->packages[id], *b = key;

    return slice_eq(a->name, b->name) && slice_eq(a->version, b->version) &&
           slice_eq(a->ecosystem, b->ecosystem) && slice_eq(a->arch, b->arch) &&
           slice_eq(a->release, b->release) && slice_eq(a->channel, b->channel) &&
           slice_eq(a->module, b->module) && slice_eq(a->source_name, b->source_name) &&
           slice_eq(a->source_version, b->source_version);
}

int report_add_package(
    struct report *report, const struct package *package, uint32_t *ret, struct err *err)
{
    uint64_t hash = package_hash(package);
    uint32_t id = map_find(&report->package_ids, hash, is_package, report, package);

    if (id == MAP_NONE) {
        if (package_check(package, err) < 0)
            return -1;
        if (report->package_count >= LIMIT_IMAGE_PACKAGES)
            return err_set(err, ERR_LIMIT,
                "the report holds more than %d packages (LIMIT_IMAGE_PACKAGES)",
                LIMIT_IMAGE_PACKAGES);
        if (array_reserve(&report->packages, &report->package_cap, report->package_count + 1,
                sizeof(*report->packages), err) < 0)
            return -1;
        id = (uint32_t)report->package_count;
        if (map_add(&report->package_ids, hash, id, err) < 0)
            return -1;
        report->packages[report->package_count++] = *package;
    }
    *ret = id;
    return 0;
}

/* Will this package's release be what one that was added without gets? */
static bool is_given(struct slice release, struct slice os_release)
{
    return slice_eq(release, os_release) ||
           (slice_is(release, RELEASE_NONE) && os_release.len == 0);
}

/* A package that named its release itself may have a twin that left it out. */
static int check_twin(const struct report *report, struct package package, struct err *err)
{
    char name[NAME_SHOWN_BYTES];

    package.release = SLICE_NONE;
    if (map_find(&report->package_ids, package_hash(&package), is_package, report, &package) ==
        MAP_NONE)
        return 0;
    return err_set(err, ERR_INVALID, "package %s is there twice, with its release and without",
        name_shown(package.name, name));
}

int report_set_release(struct report *report, struct slice os_release, struct err *err)
{
    for (size_t i = 0; i < report->package_count; i++)
        if (report->packages[i].release.len && is_given(report->packages[i].release, os_release) &&
            check_twin(report, report->packages[i], err) < 0)
            return -1;
    report->os_release = os_release;
    for (size_t i = 0; i < report->package_count; i++) {
        struct package *package = &report->packages[i];

        if (slice_is(package->release, RELEASE_NONE))
            package->release = SLICE_NONE;
        else if (package->release.len == 0 && package_vul_type(package->ecosystem) == VUL_LINUX)
            package->release = os_release;
    }
    return 0;
}

/* ---- records ---- */

int names_push(struct arena *arena, struct names *names, struct slice name, struct err *err)
{
    struct slice *at;

    if (names->count >= LIMIT_RECORD_NAMES)
        return err_set(err, ERR_LIMIT, "a list holds more than %d names (LIMIT_RECORD_NAMES)",
            LIMIT_RECORD_NAMES);
    at = arena_grow(arena, names->at, names->count, &names->cap, sizeof(*names->at), err);
    if (!at)
        return -1;
    at[names->count++] = name;
    names->at = at;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static bool names_contain(const struct names *sorted, struct slice name)
{
    return bsearch(&name, sorted->at, sorted->count, sizeof(*sorted->at), compare_names) != NULL;
}

/* Fills ret (with room for all of `from`) in order, without duplicates, `own` and those in `but`
 * (which is in order). */
static void put_in_order(
    struct names *ret, const struct names *from, struct slice own, const struct names *but)
{
    size_t kept = 0;

    if (from->count)
        memcpy(ret->at, from->at, from->count * sizeof(*ret->at));
    if (from->count > 1)
        qsort(ret->at, from->count, sizeof(*ret->at), compare_names);
    for (size_t i = 0; i < from->count; i++) {
        if (kept && slice_eq(ret->at[i], ret->at[kept - 1]))
            continue;
        if (slice_eq(ret->at[i], own) || (but && names_contain(but, ret->at[i])))
            continue;
        ret->at[kept++] = ret->at[i];
    }
    ret->count = ret->cap = kept;
}

static uint64_t names_hash(uint64_t hash, const struct names *names)
{
    hash = mix(hash, names->count);
    for (size_t i = 0; i < names->count; i++)
        hash = mix(hash, slice_hash(names->at[i]));
    return hash;
}

static bool names_equal(const struct names *a, const struct names *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!slice_eq(a->at[i], b->at[i]))
            return false;
    return true;
}

static bool is_record(const void *owner, uint32_t id, const void *key)
{
    const struct report *report = owner;
    const struct report_record *a = &report->records[id], *b = key;

    return slice_eq(a->name, b->name) && names_equal(&a->aliases, &b->aliases) &&
           names_equal(&a->covers, &b->covers);
}

static int check_record(const struct report_record *record, struct err *err)
{
    char name[NAME_SHOWN_BYTES];

    if (name_check("vulnerability id", record->name, true, err) < 0)
        return -1;
    for (size_t i = 0; i < record->aliases.count; i++)
        if (name_check("alias", record->aliases.at[i], true, err) < 0)
            return err_prefix(err, "vulnerability %s", name_shown(record->name, name));
    for (size_t i = 0; i < record->covers.count; i++)
        if (name_check("covered id", record->covers.at[i], true, err) < 0)
            return err_prefix(err, "vulnerability %s", name_shown(record->name, name));
    return 0;
}

/* The names move from the caller's memory to the arena: once for each distinct record. */
static int keep_names(struct report *report, struct names *names, struct err *err)
{
    struct slice *at = NULL;

    if (names->count) {
        at = arena_alloc_array(&report->arena, names->count, sizeof(*at), err);
        if (!at)
            return -1;
        memcpy(at, names->at, names->count * sizeof(*at));
    }
    names->at = at;
    return 0;
}

static int add_new_record(struct report *report, uint64_t hash, struct report_record *record,
    uint32_t *ret, struct err *err)
{
    if (check_record(record, err) < 0)
        return -1;
    if (report->record_count >= LIMIT_IMAGE_CLAIMS)
        return err_set(err, ERR_LIMIT,
            "the report holds more than %d vulnerabilities (LIMIT_IMAGE_CLAIMS)",
            LIMIT_IMAGE_CLAIMS);
    if (array_reserve(&report->records, &report->record_cap, report->record_count + 1,
            sizeof(*report->records), err) < 0 ||
        keep_names(report, &record->aliases, err) < 0 ||
        keep_names(report, &record->covers, err) < 0)
        return -1;
    if (map_add(&report->record_ids, hash, (uint32_t)report->record_count, err) < 0)
        return -1;
    *ret = (uint32_t)report->record_count;
    report->records[report->record_count++] = *record;
    return 0;
}

/* Aliases and covered names in one list. Real records have a handful of aliases; one with many
 * would tie thousands of names into one group, and all who follow would pay for that: they only
 * find. */
static struct names only_finding(const struct report_record *record, struct slice *at)
{
    size_t aliases = record->aliases.count, covers = record->covers.count;

    memcpy(at, record->aliases.at, aliases * sizeof(*at));
    if (covers)
        memcpy(at + aliases, record->covers.at, covers * sizeof(*at));
    return (struct names){.at = at, .count = aliases + covers};
}

int report_add_record(
    struct report *report, const struct report_record *record, uint32_t *ret, struct err *err)
{
    struct slice at[2 * LIMIT_RECORD_NAMES], both[LIMIT_RECORD_NAMES];
    struct report_record key = {
        .name = record->name, .aliases = {.at = at}, .covers = {.at = at + LIMIT_RECORD_NAMES}};
    struct names covers = record->covers;
    uint64_t hash;
    uint32_t id;

    if (record->aliases.count + record->covers.count > LIMIT_RECORD_NAMES)
        return err_set(err, ERR_LIMIT,
            "a vulnerability has more than %d names (LIMIT_RECORD_NAMES)", LIMIT_RECORD_NAMES);
    if (record->aliases.count > LIMIT_RECORD_ALIASES)
        covers = only_finding(record, both);
    else
        put_in_order(&key.aliases, &record->aliases, key.name, NULL);
    put_in_order(&key.covers, &covers, key.name, &key.aliases);
    hash = names_hash(names_hash(slice_hash(key.name), &key.aliases), &key.covers);
    id = map_find(&report->record_ids, hash, is_record, report, &key);
    if (id == MAP_NONE)
        return add_new_record(report, hash, &key, ret, err);
    *ret = id;
    return 0;
}

/* ---- claims ---- */

static uint64_t claim_hash(const struct report_claim *claim)
{
    const uint32_t key[2] = {claim->package, claim->record};

    return slice_hash((struct slice){(const char *)key, sizeof(key)});
}

static bool is_claim(const void *owner, uint32_t id, const void *key)
{
    const struct report *report = owner;
    const struct report_claim *a = &report->claims[id], *b = key;

    return a->package == b->package && a->record == b->record;
}

int report_add_claim(struct report *report, const struct report_claim *claim, struct err *err)
{
    uint64_t hash = claim_hash(claim);
    uint32_t id = map_find(&report->claim_ids, hash, is_claim, report, claim);

    if (id != MAP_NONE) {
        struct report_claim *known = &report->claims[id];

        if (claim->severity > known->severity)
            known->severity = claim->severity;
        if (known->fixed_version.len == 0)
            known->fixed_version = claim->fixed_version;
        return 0;
    }
    if (name_check("fixed version", claim->fixed_version, false, err) < 0)
        return -1;
    if (report->claim_count >= LIMIT_IMAGE_CLAIMS)
        return err_set(err, ERR_LIMIT, "the report holds more than %d claims (LIMIT_IMAGE_CLAIMS)",
            LIMIT_IMAGE_CLAIMS);
    if (array_reserve(&report->claims, &report->claim_cap, report->claim_count + 1,
            sizeof(*report->claims), err) < 0 ||
        map_add(&report->claim_ids, hash, (uint32_t)report->claim_count, err) < 0)
        return -1;
    report->claims[report->claim_count++] = *claim;
    return 0;
}
