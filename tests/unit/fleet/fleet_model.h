/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fleet must know, kept in the plainest way: the newest report of each source for each
 * image, and the rules of docs/architecture.md (Vocabulary) applied to them anew for every
 * question. Times are spans, since the fleet reads the clock itself; those that it shows are exact.
 */
#ifndef CAREEN_TESTS_FLEET_MODEL_H
#define CAREEN_TESTS_FLEET_MODEL_H

#include "fleet_world.h"

enum { MODEL_IMAGES = 600, MODEL_PROJECTS = 3 };

struct span {
    int64_t low, high;
};

static inline struct span span_earlier(struct span a, struct span b)
{
    return (struct span){a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high};
}

static inline struct span span_later(struct span a, struct span b)
{
    return (struct span){a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

struct model_slot {
    bool present, complete;
    unsigned packages;
    struct span seen[WORLD_PACKAGES];
    size_t claims[WORLD_REPORT_CLAIMS]; /* of model->known */
    size_t claim_count;
};

struct model_image {
    bool alive;
    size_t project; /* position */
    uint32_t number;
    char id[UUID_TEXT_BYTES];
    struct placement place;
    const char *name, *repository, *tag, *digest, *config, *architecture;
    int64_t size_bytes;
    struct span first_seen, latest_scan, updated;
    bool latest;
    struct model_slot slots[SOURCE_COUNT];
};

struct model {
    struct fleet_world world;
    size_t project_count;
    const char *project_ids[MODEL_PROJECTS];
    uint32_t project_numbers[MODEL_PROJECTS];
    struct model_image images[MODEL_IMAGES];
    size_t image_count;
    struct span known[WORLD_CLAIMS]; /* low 0: never claimed */
};

/* --- Claims ----------------------------------------------------------------------------------- */

static inline size_t model_claim(enum source source, const struct made_claim *claim)
{
    size_t at = claim->package * WORLD_SAYINGS + claim->saying;

    at = at * 2 + (source == SOURCE_GRYPE);
    return (at * SEVERITY_COUNT + claim->severity) * WORLD_FIXES + claim->fix;
}

static inline unsigned claim_severity(size_t claim)
{
    return (unsigned)(claim / WORLD_FIXES % SEVERITY_COUNT);
}

static inline bool claim_is_fixable(size_t claim)
{
    return *world_fixes[claim % WORLD_FIXES] != '\0';
}

static inline unsigned claim_saying(size_t claim)
{
    return (unsigned)(claim / (WORLD_FIXES * SEVERITY_COUNT * 2) % WORLD_SAYINGS);
}

static inline unsigned claim_package(size_t claim)
{
    return (unsigned)(claim / (WORLD_FIXES * SEVERITY_COUNT * 2 * WORLD_SAYINGS));
}

static inline enum vul_type claim_type(size_t claim)
{
    return package_vul_type(world_packages[claim_package(claim)].ecosystem);
}

/* A new claim is known since any claim of that package under one of its record's names was. */
static inline void model_make_known(struct model *model, size_t claim, struct span now)
{
    const struct saying *saying = &model->world.sayings[claim_saying(claim)];
    uint32_t names = alias_bit(saying->name) | saying->aliases;
    struct span known = now;

    if (model->known[claim].low)
        return;
    for (size_t other = 0; other < WORLD_CLAIMS; other++)
        if (model->known[other].low && claim_package(other) == claim_package(claim) &&
            names & alias_bit(model->world.sayings[claim_saying(other)].name))
            known = span_earlier(known, model->known[other]);
    model->known[claim] = known;
}

/* --- Images ----------------------------------------------------------------------------------- */

static inline bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static inline const char *tag_meant(const char *tag)
{
    return *tag ? tag : "latest";
}

/* Project, place, repository and tag: what key and line have in common. */
static inline bool same_spot(const struct model_image *a, const struct model_image *b)
{
    return a->alive && b->alive && a->project == b->project && a->place.type == b->place.type &&
           slice_eq(a->place.enterprise_project, b->place.enterprise_project) &&
           slice_eq(image_where(&a->place), image_where(&b->place)) &&
           same_text(a->repository, b->repository) &&
           same_text(tag_meant(a->tag), tag_meant(b->tag));
}

static inline bool same_line(const struct model_image *a, const struct model_image *b)
{
    return same_spot(a, b) && same_text(a->architecture, b->architecture);
}

static inline struct model_image *model_find(struct model *model, const struct model_image *like)
{
    for (size_t i = 0; i < model->image_count; i++)
        if (&model->images[i] != like && same_spot(&model->images[i], like) &&
            same_text(model->images[i].digest, like->digest))
            return &model->images[i];
    return NULL;
}

/* Was `a` reported later than `b`? Of two at once the newer image was. */
static inline bool model_is_later(const struct model_image *a, const struct model_image *b)
{
    return a->latest_scan.low > b->latest_scan.low ||
           (a->latest_scan.low == b->latest_scan.low && a->number > b->number);
}

/* The image has gone from the line that `was` describes: the one reported last inherits. */
static inline void model_leave(struct model *model, const struct model_image *was, struct span now)
{
    struct model_image *heir = NULL;

    for (size_t i = 0; i < model->image_count; i++) {
        struct model_image *image = &model->images[i];

        if (image->number != was->number && same_line(image, was) &&
            (!heir || model_is_later(image, heir)))
            heir = image;
    }
    if (!was->latest || !heir)
        return;
    heir->latest = true;
    heir->updated = now;
}

static inline struct model_image *model_latest(struct model *model, const struct model_image *like)
{
    for (size_t i = 0; i < model->image_count; i++)
        if (&model->images[i] != like && same_line(&model->images[i], like) &&
            model->images[i].latest)
            return &model->images[i];
    return NULL;
}

static inline void model_take(struct model *model, struct model_image *image, struct span now)
{
    struct model_image *other = model_latest(model, image);

    if (other) {
        other->latest = false;
        other->updated = now;
    }
    image->latest = true;
}

/* --- Putting ---------------------------------------------------------------------------------- */

static inline bool take_slice(struct slice *old, struct slice fresh)
{
    bool other = fresh.len && !slice_eq(*old, fresh);

    *old = fresh.len ? fresh : *old;
    return other;
}

static inline bool take_cstr(const char **old, const char *fresh)
{
    bool other = *fresh && !same_text(*old, fresh);

    *old = *fresh ? fresh : *old;
    return other;
}

static inline bool model_merge(struct model_image *image, const struct model_image *fresh)
{
    const struct placement *from = &fresh->place;
    struct placement *to = &image->place;
    bool changed = take_slice(&to->registry_type, from->registry_type);

    changed |= take_slice(&to->registry_name, from->registry_name);
    changed |= take_slice(&to->organization, from->organization);
    changed |= take_slice(&to->cluster_id, from->cluster_id);
    changed |= take_slice(&to->agent_id, from->agent_id);
    changed |= take_cstr(&image->config, fresh->config);
    changed |= take_cstr(&image->architecture, fresh->architecture);
    if (from->containers >= 0) {
        changed |= from->containers != to->containers;
        to->containers = from->containers;
    }
    if (from->multi_arch >= 0) {
        changed |= from->multi_arch != to->multi_arch;
        to->multi_arch = from->multi_arch;
    }
    if (fresh->size_bytes >= 0) {
        changed |= fresh->size_bytes != image->size_bytes;
        image->size_bytes = fresh->size_bytes;
    }
    return changed;
}

/* When the package was first seen in the image, by any slot; low 0: never. */
static inline struct span model_seen(const struct model_image *image, unsigned package)
{
    struct span seen = {0, 0};

    for (int s = 0; s < SOURCE_COUNT; s++)
        if (image->slots[s].packages & 1u << package)
            seen = seen.low ? span_earlier(seen, image->slots[s].seen[package])
                            : image->slots[s].seen[package];
    return seen;
}

static inline bool slot_claims(const struct model_slot *slot, size_t claim)
{
    for (size_t i = 0; i < slot->claim_count; i++)
        if (slot->claims[i] == claim)
            return true;
    return false;
}

static inline bool same_slot(const struct model_slot *a, const struct model_slot *b)
{
    if (a->present != b->present || a->complete != b->complete || a->packages != b->packages ||
        a->claim_count != b->claim_count)
        return false;
    for (size_t i = 0; i < a->claim_count; i++)
        if (!slot_claims(b, a->claims[i]))
            return false;
    return true;
}

/* Replaces a source's slot; true when it says something else than before. */
static inline bool model_fill(struct model *model, struct model_image *image,
    const struct made_report *report, struct span now)
{
    struct model_slot slot = {
        .present = true, .complete = report->complete, .packages = report->packages};
    bool changed;

    for (unsigned package = 0; package < WORLD_PACKAGES; package++) {
        struct span seen = model_seen(image, package);

        slot.seen[package] = seen.low ? seen : now;
    }
    for (size_t i = 0; i < report->claim_count; i++) {
        size_t claim = model_claim(report->source, &report->claims[i]);

        model_make_known(model, claim, now);
        slot.claims[slot.claim_count++] = claim;
    }
    changed = !same_slot(&slot, &image->slots[report->source]);
    image->slots[report->source] = slot;
    return changed;
}

static inline enum assessment model_assessment(const struct model_image *image)
{
    enum assessment assessment = ASSESSMENT_NOT;

    for (int s = 0; s < SOURCE_COUNT; s++)
        if (image->slots[s].packages) /* every claim has its package */
            assessment = image->slots[s].complete       ? ASSESSMENT_FULL
                         : assessment == ASSESSMENT_NOT ? ASSESSMENT_PARTLY
                                                        : assessment;
    return assessment;
}

struct model_outcome {
    struct model_image *image;
    bool created, changed;
};

static inline struct model_outcome model_put(
    struct model *model, size_t project, const struct made_report *report, struct span now)
{
    struct model_image fresh = {.alive = true,
        .project = project,
        .place = report->place,
        .name = report->name,
        .repository = report->repository,
        .tag = report->tag,
        .digest = *report->digest ? report->digest : report->config,
        .config = report->config,
        .architecture = report->architecture,
        .size_bytes = report->size_bytes,
        .first_seen = now};
    struct model_image *image = model_find(model, &fresh), was;
    struct model_outcome ret = {0};
    bool changed = false, moved = false;

    if (image && *image->config && *fresh.config && !same_text(image->config, fresh.config)) {
        fresh.digest = fresh.config; /* another platform's */
        image = model_find(model, &fresh);
    }
    ret.created = !image;
    if (image) {
        was = *image;
        changed = model_merge(image, &fresh);
        moved = !same_line(&was, image);
        if (moved)
            model_leave(model, &was, now);
    } else {
        assert_true(model->image_count < MODEL_IMAGES);
        image = &model->images[model->image_count++];
        *image = fresh;
    }
    if (!image->latest || moved) {
        changed = true;
        model_take(model, image, now);
    }
    ret.changed = model_fill(model, image, report, now);
    image->latest_scan = now;
    if (changed || ret.changed)
        image->updated = now;
    ret.image = image;
    return ret;
}

/* --- Removing and setting --------------------------------------------------------------------- */

static inline void model_remove(struct model *model, struct model_image *image, struct span now)
{
    struct model_image was = *image;

    image->alive = false;
    model_leave(model, &was, now);
}

/* Would another image stand in the way? `image` has the new place already. */
static inline bool model_conflicts(struct model *model, const struct model_image *image)
{
    return model_find(model, image) != NULL;
}

static inline void model_moved(
    struct model *model, const struct model_image *was, struct model_image *image, struct span now)
{
    struct model_image *other;

    image->updated = now;
    if (same_line(was, image))
        return;
    model_leave(model, was, now);
    other = model_latest(model, image);
    image->latest = false;
    if (!other || model_is_later(image, other))
        model_take(model, image, now);
}

/* --- Rows ------------------------------------------------------------------------------------- */

struct model_row {
    const struct model_image *image;
    uint32_t vuln;
    enum severity severity;
    struct span first_scan;
    bool fixable;
    unsigned packages; /* bit mask */
};

/* Whose names stand together in one project, from the claims of its images. */
struct model_names {
    struct alias_record records[WORLD_SAYINGS * 2];
    struct alias_world world;
    struct alias_picture picture;
};

static inline void model_draw(const struct model *model, size_t project, struct model_names *ret)
{
    *ret = (struct model_names){.world = {.names = WORLD_NAMES, .record_count = WORLD_SAYINGS * 2}};
    ret->world.records = ret->records;
    memcpy(ret->world.kinds, model->world.kinds, sizeof(model->world.kinds));
    for (size_t i = 0; i < WORLD_SAYINGS * 2; i++) {
        const struct saying *saying = &model->world.sayings[i / 2];

        ret->records[i] =
            (struct alias_record){saying->name, saying->aliases, saying->covers, false};
    }
    for (size_t i = 0; i < model->image_count; i++) {
        const struct model_image *image = &model->images[i];

        for (int s = 0; s < SOURCE_COUNT && image->alive && image->project == project; s++)
            for (size_t j = 0; j < image->slots[s].claim_count; j++)
                ret->records[claim_saying(image->slots[s].claims[j]) * 2 + (s == SOURCE_GRYPE)]
                    .used = true;
    }
    alias_draw(&ret->world, &ret->picture);
}

static inline void model_fold(struct model_row *rows, size_t *count, const struct model_row *claim)
{
    size_t at = 0;

    while (at < *count && rows[at].vuln < claim->vuln)
        at++;
    if (at < *count && rows[at].vuln == claim->vuln) {
        if (claim->severity > rows[at].severity)
            rows[at].severity = claim->severity;
        rows[at].fixable |= claim->fixable;
        rows[at].packages |= claim->packages;
        rows[at].first_scan = span_earlier(rows[at].first_scan, claim->first_scan);
        return;
    }
    memmove(&rows[at + 1], &rows[at], (*count - at) * sizeof(*rows));
    rows[at] = *claim;
    ++*count;
}

enum { MODEL_ROWS = (WORLD_NAMES + 1) * VUL_TYPE_COUNT };

/* An image's rows, ascending by vulnerability. */
static inline size_t model_rows(const struct model *model, const struct model_names *names,
    const struct model_image *image, struct model_row rows[MODEL_ROWS])
{
    size_t count = 0;

    for (int s = 0; s < SOURCE_COUNT; s++)
        for (size_t i = 0; i < image->slots[s].claim_count; i++) {
            size_t claim = image->slots[s].claims[i];
            uint32_t name = model->world.sayings[claim_saying(claim)].name;
            struct model_row row = {image,
                vuln_number(names->picture.number[name], claim_type(claim)),
                (enum severity)claim_severity(claim),
                span_later(model_seen(image, claim_package(claim)), model->known[claim]),
                claim_is_fixable(claim), 1u << claim_package(claim)};

            model_fold(rows, &count, &row);
        }
    return count;
}

#endif
