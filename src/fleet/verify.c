/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what is in memory what the facts say? A second tenant is built from the store alone, and both
 * are compared: every attribute of every image, its vulnerabilities, codes and names of packages,
 * the records in use, the groups of names, and the decisions in force. A write of somebody else in
 * between makes a difference of its own: then all is done again.
 */
#include "base/cleanup.h"
#include "fleet/internal.h"

enum { VERIFY_TRIES = 20 };

struct comparing {
    const struct fleet *fleet;
    const struct tenant *kept, *fresh;
    uint64_t images;
    struct err *err;
    bool failed;
};

static bool same_place(const struct placement *a, const struct placement *b)
{
    return slice_eq(a->enterprise_project, b->enterprise_project) && a->type == b->type &&
           slice_eq(a->registry_type, b->registry_type) &&
           slice_eq(a->registry_name, b->registry_name) &&
           slice_eq(a->organization, b->organization) && slice_eq(a->cluster_id, b->cluster_id) &&
           slice_eq(a->cluster_name, b->cluster_name) && slice_eq(a->agent_id, b->agent_id) &&
           slice_eq(a->pipeline, b->pipeline) && a->containers == b->containers &&
           a->multi_arch == b->multi_arch;
}

static bool same_row(const struct image *a, const struct image *b)
{
    return strcmp(a->id, b->id) == 0 && a->project == b->project &&
           same_place(&a->place, &b->place) && slice_eq(a->name, b->name) &&
           slice_eq(a->tag, b->tag) && slice_eq(a->digest, b->digest) &&
           slice_eq(a->config_digest, b->config_digest) && slice_eq(a->os_release, b->os_release) &&
           slice_eq(a->architecture, b->architecture) && a->size_bytes == b->size_bytes &&
           a->first_seen_ms == b->first_seen_ms && a->latest_scan_ms == b->latest_scan_ms &&
           a->updated_ms == b->updated_ms && a->latest == b->latest &&
           a->assessment == b->assessment;
}

static int compare_aliases(const struct comparing *c, struct err *err)
{
    const struct facts *facts = &c->fleet->facts;
    const struct aliases *kept = &c->kept->aliases, *fresh = &c->fresh->aliases;

    for (uint32_t record = 1; record <= facts->last_record; record++)
        if (aliases_uses(kept, record) != aliases_uses(fresh, record))
            return err_set(err, ERR_CORRUPT, "record %u is counted %u times, the store has it %u",
                record, aliases_uses(kept, record), aliases_uses(fresh, record));
    for (uint32_t name = 1; name <= facts->last_name; name++)
        if (aliases_group(kept, name) != aliases_group(fresh, name) ||
            aliases_title(kept, name) != aliases_title(fresh, name))
            return err_set(err, ERR_CORRUPT, "%.*s is in another group than the records say",
                SLICE_FMT(facts->names[name].text));
    return 0;
}

static int compare_overlays(const struct comparing *c, struct err *err)
{
    const char *broken = overlay_validate(c->kept->overlay);
    const char *difference = overlay_compare(c->kept->overlay, c->fresh->overlay);

    if (broken)
        return err_set(err, ERR_CORRUPT, "the decisions in memory are inconsistent: %s", broken);
    if (difference)
        return err_set(err, ERR_CORRUPT, "the decisions in memory differ from the stored ones: %s",
            difference);
    return 0;
}

static bool same_names(const struct comparing *c, uint32_t number, uint32_t vuln)
{
    const uint32_t *kept, *fresh;
    size_t count = index_names(c->kept->index, number, vuln, &kept);

    return count == index_names(c->fresh->index, number, vuln, &fresh) &&
           (count == 0 || memcmp(kept, fresh, count * sizeof(*kept)) == 0);
}

static bool compare_image(void *ctx, const struct image *fresh, const uint16_t counts[INDEX_CODES])
{
    struct comparing *c = ctx;
    const struct image *kept = index_find(c->kept->index, fresh->number);
    const uint32_t *kept_vulns, *fresh_vulns;
    const uint8_t *kept_codes, *fresh_codes;
    size_t kept_count, fresh_count;

    (void)counts;
    c->images++;
    fresh_count = index_findings(c->fresh->index, fresh->number, &fresh_vulns, &fresh_codes);
    kept_count = index_findings(c->kept->index, fresh->number, &kept_vulns, &kept_codes);
    c->failed = !kept || !same_row(kept, fresh) || kept_count != fresh_count;
    for (size_t i = 0; i < fresh_count && !c->failed; i++)
        c->failed = kept_codes[i] != fresh_codes[i] || kept_vulns[i] != fresh_vulns[i] ||
                    !same_names(c, fresh->number, fresh_vulns[i]);
    if (c->failed)
        err_set(
            c->err, ERR_CORRUPT, "image %s: the index differs from the stored facts", fresh->id);
    return !c->failed;
}

static int compare_tenants(struct comparing *c, struct err *err)
{
    const struct index_scope all = {.type = -1};
    struct index_size size;
    const char *broken = index_validate(c->kept->index);

    if (broken)
        return err_set(err, ERR_CORRUPT, "the index is inconsistent: %s", broken);
    if (index_each_image(c->fresh->index, &all, 0, compare_image, c, err) < 0 || c->failed)
        return -1;
    index_size(c->kept->index, &size);
    if (size.images != c->images)
        return err_set(err, ERR_CORRUPT, "the index has %llu images, the store %llu",
            (unsigned long long)size.images, (unsigned long long)c->images);
    return compare_aliases(c, err) < 0 ? -1 : compare_overlays(c, err);
}

static int verify_once(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct comparing c = {.fleet = fleet, .err = err};
    struct tenant *fresh;
    int failed;

    if (fleet_follow_locked(fleet, err) < 0)
        return -1;
    c.kept = fleet_tenant(fleet, project);
    if (!c.kept || !c.kept->index)
        return err_set(err, ERR_LOADING, "project number %u is not loaded", project);
    fresh = tenant_load(fleet, project, slice_of(c.kept->id), err);
    if (!fresh)
        return -1;
    c.fresh = fresh;
    failed = compare_tenants(&c, err);
    tenant_free(fresh);
    return failed;
}

int fleet_verify(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct err why = {0};
    uint64_t version = 0;
    int failed, tries = 0;
    bool moved;

    pthread_mutex_lock(&fleet->follow);
    do {
        failed = verify_once(fleet, project, &why);
        moved = failed && why.code == ERR_CORRUPT &&
                store_data_version(fleet->store, &version, &why) == 0 &&
                version != fleet->data_version;
    } while (moved && ++tries < VERIFY_TRIES);
    pthread_mutex_unlock(&fleet->follow);
    if (failed)
        *err = why;
    return failed;
}
