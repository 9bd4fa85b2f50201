/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image on its way into the store, within the caller's write: its row is found by its key or
 * made; the report's packages, records and claims become stored ids; the slot of the report's
 * source is replaced whole. When the slot is the same as before, only times are written.
 */
#include "fleet/image_write.h"

#include "base/bug.h"
#include "base/cleanup.h"
#include "base/limits.h"

/* --- The image's row -------------------------------------------------------------------------- */

static bool take_text(struct slice *old, struct slice fresh)
{
    bool other = fresh.len && !slice_eq(*old, fresh);

    if (other)
        *old = fresh;
    return other;
}

/* -1 = not given. */
static bool take_number(int64_t *old, int64_t fresh)
{
    bool other = fresh >= 0 && *old != fresh;

    if (other)
        *old = fresh;
    return other;
}

/* What is given replaces what was known; what is not given stays. True when anything changed. */
static bool merge_row(struct image *old, const struct image *fresh)
{
    struct placement *place = &old->place;
    int64_t multi_arch = place->multi_arch;
    bool changed = false;

    changed |= take_text(&place->registry_type, fresh->place.registry_type);
    changed |= take_text(&place->registry_name, fresh->place.registry_name);
    changed |= take_text(&place->organization, fresh->place.organization);
    changed |= take_text(&place->cluster_id, fresh->place.cluster_id);
    changed |= take_text(&place->cluster_name, fresh->place.cluster_name);
    changed |= take_text(&place->agent_id, fresh->place.agent_id);
    changed |= take_text(&place->pipeline, fresh->place.pipeline);
    changed |= take_text(&old->config_digest, fresh->config_digest);
    changed |= take_text(&old->os_release, fresh->os_release);
    changed |= take_text(&old->architecture, fresh->architecture);
    changed |= take_number(&place->containers, fresh->place.containers);
    changed |= take_number(&multi_arch, fresh->place.multi_arch);
    changed |= take_number(&old->size_bytes, fresh->size_bytes);
    place->multi_arch = (int)multi_arch;
    return changed;
}

/* 1 when an image with the key of *fresh is stored (then in *ret), 0 when not. Sets fresh->id. */
static int find_row(
    struct image_write *write, struct image *fresh, struct image *ret, struct err *err)
{
    struct err why = {0};

    image_make_id(write->project_id, fresh, fresh->id);
    if (store_find_image(
            write->fleet->store, fresh->project, slice_of(fresh->id), write->arena, ret, &why) == 0)
        return 1;
    if (why.code == ERR_NOT_FOUND)
        return 0;
    *err = why;
    return -1;
}

static bool configs_differ(const struct image *a, const struct image *b)
{
    return a->config_digest.len && b->config_digest.len &&
           !slice_eq(a->config_digest, b->config_digest);
}

/* Finds or makes the row. A repository digest may be that of a multi-platform index: then images of
 * several platforms share it, and their config digests tell. A manifest has one config, so the
 * digest was not the platform manifest's, and the config's stands in for it. */
int image_write_resolve(struct image_write *write, struct err *err)
{
    struct image fresh = write->image, stored;
    int found = find_row(write, &fresh, &stored, err);

    if (found == 1 && configs_differ(&fresh, &stored)) {
        fresh.digest = fresh.config_digest;
        found = find_row(write, &fresh, &stored, err);
    }
    if (found < 0)
        return -1;
    write->found = found == 1;
    if (write->found) {
        image_line_key(write->project_id, &stored, write->line_before);
        write->row_changed = merge_row(&stored, &fresh);
        write->image = stored;
    } else {
        fresh.first_seen_ms = write->now_ms;
        write->image = fresh;
    }
    write->image.latest_scan_ms = write->now_ms;
    image_line_key(write->project_id, &write->image, write->line);
    return 0;
}

/* --- The slot --------------------------------------------------------------------------------- */

static int put_names(
    struct store *store, const struct names *names, struct ids *ret, struct err *err)
{
    uint32_t id;

    for (size_t i = 0; i < names->count; i++)
        if (store_put_name(store, names->at[i], &id, err) < 0 || ids_push(ret, id, err) < 0)
            return -1;
    ids_sort_unique(ret);
    return 0;
}

static int put_record(struct store *store, const struct report *report, size_t position,
    uint32_t *ret_name, uint32_t *ret, struct err *err)
{
    const struct report_record *from = &report->records[position];
    struct ids aliases CLEANUP(ids_release) = {0}, covers CLEANUP(ids_release) = {0};
    struct record record = {.source = report->source};

    if (store_put_name(store, from->name, &record.name, err) < 0 ||
        put_names(store, &from->aliases, &aliases, err) < 0 ||
        put_names(store, &from->covers, &covers, err) < 0)
        return -1;
    record.aliases = aliases.at;
    record.alias_count = aliases.count;
    record.covers = covers.at;
    record.cover_count = covers.count;
    *ret_name = record.name;
    return store_put_record(store, &record, ret, err);
}

/* The report's packages and records, and the records' names, become stored ids. */
static int put_things(struct image_write *write, struct err *err)
{
    struct store *store = write->fleet->store;
    const struct report *report = write->request->report;
    size_t size = sizeof(uint32_t);

    write->packages = arena_alloc_array(write->arena, report->package_count + 1, size, err);
    write->records = arena_alloc_array(write->arena, report->record_count + 1, size, err);
    write->names = arena_alloc_array(write->arena, report->record_count + 1, size, err);
    if (!write->packages || !write->records || !write->names)
        return -1;
    for (size_t i = 0; i < report->package_count; i++)
        if (store_put_package(store, &report->packages[i], &write->packages[i], err) < 0)
            return -1;
    for (size_t i = 0; i < report->record_count; i++)
        if (put_record(store, report, i, &write->names[i], &write->records[i], err) < 0)
            return -1;
    return 0;
}

/* A package keeps the time at which any source first saw it in this image. */
static int time_packages(struct image_write *write, struct err *err)
{
    const struct report *report = write->request->report;
    struct timed_ids known = {0};
    int failed = content_packages(write->old, &known, err);

    for (size_t i = 0; i < report->package_count && !failed; i++) {
        const struct timed_id *before = timed_ids_find(&known, write->packages[i]);

        failed = timed_ids_push(&write->slot.packages, write->packages[i],
            before ? before->first_seen_ms : write->now_ms, err);
    }
    timed_ids_sort(&write->slot.packages);
    timed_ids_release(&known);
    return failed;
}

static int put_claims(struct image_write *write, struct err *err)
{
    const struct report *report = write->request->report;

    for (size_t i = 0; i < report->claim_count; i++) {
        const struct report_claim *from = &report->claims[i];
        struct claim claim = {.package = write->packages[from->package],
            .record = write->records[from->record],
            .type = package_vul_type(report->packages[from->package].ecosystem),
            .severity = from->severity,
            .fixed_version = from->fixed_version};
        uint32_t id;

        if (store_put_claim(write->fleet->store, &claim, write->now_ms, &id, err) < 0 ||
            ids_push(&write->slot.claims, id, err) < 0)
            return -1;
    }
    ids_sort_unique(&write->slot.claims);
    return 0;
}

static bool same_packages(const struct timed_ids *a, const struct timed_ids *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->at[i].id != b->at[i].id)
            return false;
    return true;
}

static int build_slot(struct image_write *write, struct err *err)
{
    const struct report *report = write->request->report;
    const struct slot *old = &write->old[report->source];

    write->slot.source = report->source;
    write->slot.complete = report->complete;
    write->slot.scanned_ms = write->now_ms;
    if (put_things(write, err) < 0 || time_packages(write, err) < 0 || put_claims(write, err) < 0)
        return -1;
    write->content_changed = old->scanned_ms == 0 || old->complete != report->complete ||
                             !ids_equal(&old->claims, &write->slot.claims) ||
                             !same_packages(&old->packages, &write->slot.packages);
    return 0;
}

/* --- The ceiling of findings ------------------------------------------------------------------ */

/* The index counts an image's findings in 16 bits. What is stored must fit, so an upper bound of
 * them is checked here: the distinct reported names, with their types, over all slots. */
static int push_claimed(const struct image_write *write, struct ids *vulns, struct err *err)
{
    const struct report *report = write->request->report;

    for (size_t i = 0; i < report->claim_count; i++) {
        struct slice ecosystem = report->packages[report->claims[i].package].ecosystem;

        if (ids_push(vulns,
                vuln_number(write->names[report->claims[i].record], package_vul_type(ecosystem)),
                err) < 0)
            return -1;
    }
    return 0;
}

/* Those of a slot that stays; its claims are in the facts, which this write began with. */
static int push_stored(
    const struct facts *facts, const struct ids *claims, struct ids *vulns, struct err *err)
{
    for (size_t i = 0; i < claims->count; i++) {
        const struct fact_claim *claim;

        BUG_ON(claims->at[i] > facts->last_claim);
        claim = &facts->claims[claims->at[i]];
        if (ids_push(vulns, vuln_number(facts->records[claim->record].name, claim->type), err) < 0)
            return -1;
    }
    return 0;
}

static int check_findings(const struct image_write *write, struct err *err)
{
    struct fleet *fleet = write->fleet;
    struct ids vulns CLEANUP(ids_release) = {0};
    int failed = push_claimed(write, &vulns, err);

    pthread_rwlock_rdlock(&fleet->lock);
    for (int source = 0; source < SOURCE_COUNT && !failed; source++)
        if (source != (int)write->slot.source)
            failed = push_stored(&fleet->facts, &write->old[source].claims, &vulns, err);
    pthread_rwlock_unlock(&fleet->lock);
    if (failed)
        return -1;
    ids_sort_unique(&vulns);
    if (vulns.count <= LIMIT_IMAGE_FINDINGS)
        return 0;
    return err_set(err, ERR_LIMIT, "the image has %zu vulnerabilities, the limit is %d",
        vulns.count, LIMIT_IMAGE_FINDINGS);
}

/* The image's slots as they will be; they share memory with *write. */
void image_write_slots(const struct image_write *write, struct slot ret[SOURCE_COUNT])
{
    memcpy(ret, write->old, sizeof(write->old));
    ret[write->slot.source] = write->slot;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* The claims that came and went, over all slots of the image. */
static int log_content(struct image_write *write, struct err *err)
{
    struct slot now[SOURCE_COUNT];
    struct ids before CLEANUP(ids_release) = {0}, after CLEANUP(ids_release) = {0};
    struct cause cause = {.kind = CAUSE_IMAGE_PUT,
        .at_ms = write->now_ms,
        .project = write->image.project,
        .image = write->image.number};
    int failed;

    image_write_slots(write, now);
    failed = content_claims(write->old, &before, err) < 0 || content_claims(now, &after, err) < 0 ||
             ids_subtract(&after, &before, &cause.added, err) < 0 ||
             ids_subtract(&before, &after, &cause.removed, err) < 0 ||
             store_add_cause(write->fleet->store, &cause, err) < 0;
    ids_release(&cause.added);
    ids_release(&cause.removed);
    return failed ? -1 : 0;
}

static int log_plain(const struct image_write *write, enum cause_kind kind, struct err *err)
{
    const struct cause cause = {.kind = kind,
        .at_ms = write->now_ms,
        .project = write->image.project,
        .image = write->image.number};

    return store_add_cause(write->fleet->store, &cause, err);
}

static int log_changes(struct image_write *write, struct err *err)
{
    if (write->content_changed)
        return log_content(write, err);
    if (write->row_changed && log_plain(write, CAUSE_IMAGE_SET, err) < 0)
        return -1;
    return log_plain(write, CAUSE_IMAGE_SCANNED, err);
}

/* Whatever was reported last is the latest of its line. An image whose architecture has become
 * known stands on another line than before. */
static int take_mark(struct image_write *write, struct err *err)
{
    struct store *store = write->fleet->store;
    struct image *image = &write->image;
    bool moved = write->found && memcmp(write->line, write->line_before, sizeof(write->line)) != 0;

    if (moved && latest_leave(store, image, write->line_before, write->now_ms, err) < 0)
        return -1;
    if (image->latest && !moved)
        return 0;
    write->row_changed = true;
    return latest_take(store, image, write->line, write->now_ms, err);
}

static int write_row(struct image_write *write, struct err *err)
{
    struct store *store = write->fleet->store;
    struct image *image = &write->image;
    struct slot now[SOURCE_COUNT];

    if (take_mark(write, err) < 0)
        return -1;
    image_write_slots(write, now);
    image->assessment = content_assessment(now);
    if (write->content_changed || write->row_changed)
        image->updated_ms = write->now_ms;
    if (write->found)
        return store_update_image(store, image, write->line, err);
    return store_add_image(store, image, write->line, &image->number, err);
}

int image_write_store(struct image_write *write, struct err *err)
{
    if (write->found &&
        store_get_slots(write->fleet->store, write->image.number, write->old, err) < 0)
        return -1;
    if (build_slot(write, err) < 0 || check_findings(write, err) < 0)
        return err->code == ERR_LIMIT ? 1 : -1;
    if (write_row(write, err) < 0 ||
        store_put_slot(write->fleet->store, write->image.number, &write->slot, err) < 0)
        return -1;
    return log_changes(write, err);
}

void image_write_release(struct image_write *write)
{
    content_release(write->old);
    slot_release(&write->slot);
}
