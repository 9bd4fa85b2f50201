/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what is in memory what the facts say? A second tenant is built from the store alone, and every
 * image of both is compared: attributes that answers show, vulnerabilities, codes.
 */
#include "base/cleanup.h"
#include "fleet/internal.h"

struct comparing {
    const struct fleet *fleet;
    const struct tenant *kept, *fresh;
    uint64_t images;
    struct err *err;
    bool failed;
};

static bool same_row(const struct image *a, const struct image *b)
{
    return strcmp(a->id, b->id) == 0 && slice_eq(a->name, b->name) && slice_eq(a->tag, b->tag) &&
           a->place.type == b->place.type && a->place.containers == b->place.containers &&
           a->latest_scan_ms == b->latest_scan_ms && a->latest == b->latest &&
           a->assessment == b->assessment &&
           slice_eq(a->place.enterprise_project, b->place.enterprise_project) &&
           slice_eq(a->place.cluster_id, b->place.cluster_id);
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
                    aliases_title(&c->kept->aliases, vuln_name_id(kept_vulns[i])) !=
                        aliases_title(&c->fresh->aliases, vuln_name_id(fresh_vulns[i]));
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
    return 0;
}

int fleet_verify(struct fleet *fleet, uint32_t project, struct err *err)
{
    struct comparing c = {.fleet = fleet, .err = err};
    struct tenant *fresh = NULL;
    int failed;

    pthread_mutex_lock(&fleet->follow);
    failed = fleet_follow_locked(fleet, err);
    c.kept = fleet_tenant(fleet, project);
    if (!failed && c.kept && c.kept->index)
        fresh = tenant_load(fleet, project, slice_of(c.kept->id), err);
    if (fresh) {
        c.fresh = fresh;
        failed = compare_tenants(&c, err);
        tenant_free(fresh);
    } else if (!failed) {
        failed = err_set(err, ERR_BUSY, "project number %u is not loaded", project);
    }
    pthread_mutex_unlock(&fleet->follow);
    return failed;
}
