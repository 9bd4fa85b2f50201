/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the index, with names of vulnerabilities put to its numbers. No disk on this path.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "fleet/internal.h"

static struct slice title_of(const struct fleet *fleet, const struct tenant *tenant, uint32_t vuln)
{
    return fleet->facts.names[aliases_title(&tenant->aliases, vuln_name_id(vuln))].text;
}

/* --- Affected images -------------------------------------------------------------------------- */

/* The vulnerabilities that a name means here, of both types. */
static int lookup_vulns(const struct fleet *fleet, const struct tenant *tenant, struct slice vul_id,
    struct ids *ret, struct err *err)
{
    uint32_t name = facts_find_name(&fleet->facts, vul_id);
    struct ids groups CLEANUP(ids_release) = {0};

    if (name == 0)
        return 0;
    if (aliases_lookup(&tenant->aliases, name, &groups, err) < 0)
        return -1;
    for (size_t i = 0; i < groups.count; i++)
        for (int type = 0; type < VUL_TYPE_COUNT; type++)
            if (ids_push(ret, vuln_number(groups.at[i], (enum vul_type)type), err) < 0)
                return -1;
    return 0;
}

/* Those of both lists, ascending. */
static void keep_common(struct ids *a, struct ids *b)
{
    size_t kept = 0;

    ids_sort_unique(a);
    ids_sort_unique(b);
    for (size_t i = 0; i < a->count; i++)
        if (ids_contains(b, a->at[i]))
            a->at[kept++] = a->at[i];
    a->count = kept;
}

/* The vulnerabilities that a query names, each once. */
static int lookup_named(const struct fleet *fleet, const struct tenant *tenant,
    const struct affected_query *query, struct ids *ret, struct err *err)
{
    struct ids single CLEANUP(ids_release) = {0};

    for (size_t i = 0; i < query->vul_ids.count; i++)
        if (lookup_vulns(fleet, tenant, query->vul_ids.at[i], ret, err) < 0)
            return -1;
    if (query->vul_id.len == 0) {
        ids_sort_unique(ret);
        return 0;
    }
    if (query->vul_ids.count == 0)
        return lookup_vulns(fleet, tenant, query->vul_id, ret, err);
    if (lookup_vulns(fleet, tenant, query->vul_id, &single, err) < 0)
        return -1;
    keep_common(ret, &single);
    return 0;
}

/* The query in the index's numbers; it points into *vulns. */
static int resolve(const struct fleet *fleet, const struct tenant *tenant,
    const struct affected_query *query, struct ids *vulns, struct index_query *ret, struct err *err)
{
    *ret = query->q;
    if (query->vul_id.len || query->vul_ids.count) {
        if (lookup_named(fleet, tenant, query, vulns, err) < 0)
            return -1;
        ret->by_vuln = true;
        ret->vulns = vulns->at;
        ret->vuln_count = vulns->count;
    }
    if (query->package_name.len) {
        ret->by_package = true;
        ret->package = intern_find(&fleet->facts.package_names, query->package_name);
    }
    return 0;
}

static int query_locked(const struct fleet *fleet, const struct tenant *tenant,
    const struct affected_query *query, affected_fn fn, void *ctx, struct err *err)
{
    struct ids vulns CLEANUP(ids_release) = {0};
    struct affected_row rows[LIMIT_PAGE_MAX];
    struct affected_page page = {.rows = rows};
    struct index_facets facets;
    struct index_query q;
    struct index_page found;

    if (resolve(fleet, tenant, query, &vulns, &q, err) < 0 ||
        index_query(tenant->index, &q, &found, err) < 0 ||
        (query->facets && index_facets(tenant->index, &q, &facets, err) < 0))
        return -1;
    page.facets = query->facets ? &facets : NULL;
    page.total = found.total;
    page.more = found.more;
    page.count = found.count;
    for (size_t i = 0; i < found.count; i++) {
        const struct index_row *row = &found.rows[i];

        rows[i] = (struct affected_row){row->image, title_of(fleet, tenant, row->vuln),
            vuln_type(row->vuln), row->vuln, row->code, row->first_scan_ms};
    }
    return fn(ctx, &page, err);
}

int fleet_affected(struct fleet *fleet, uint32_t project, const struct affected_query *query,
    affected_fn fn, void *ctx, struct err *err)
{
    struct tenant *tenant;
    int failed;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    failed = query_locked(fleet, tenant, query, fn, ctx, err);
    fleet_end_read(fleet);
    return failed;
}

static int facets_locked(const struct fleet *fleet, const struct tenant *tenant,
    const struct affected_query *query, facets_fn fn, void *ctx, struct err *err)
{
    struct ids vulns CLEANUP(ids_release) = {0};
    struct index_facets facets;
    struct index_query q;

    if (resolve(fleet, tenant, query, &vulns, &q, err) < 0 ||
        index_facets(tenant->index, &q, &facets, err) < 0)
        return -1;
    return fn(ctx, &facets, err);
}

int fleet_facets(struct fleet *fleet, uint32_t project, const struct affected_query *query,
    facets_fn fn, void *ctx, struct err *err)
{
    struct tenant *tenant;
    int failed;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    failed = facets_locked(fleet, tenant, query, fn, ctx, err);
    fleet_end_read(fleet);
    return failed;
}

/* --- Images and vulnerabilities --------------------------------------------------------------- */

int fleet_count(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    struct index_counts *ret, struct err *err)
{
    struct tenant *tenant;
    int failed;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    failed = index_count(tenant->index, scope, ret, err);
    fleet_end_read(fleet);
    return failed;
}

int fleet_each_image(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    uint32_t after, index_image_fn fn, void *ctx, struct err *err)
{
    struct tenant *tenant;
    int failed;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    failed = index_each_image(tenant->index, scope, after, fn, ctx, err);
    fleet_end_read(fleet);
    return failed;
}

struct naming {
    const struct fleet *fleet;
    const struct tenant *tenant;
    vuln_summary_fn fn;
    void *ctx;
};

static bool name_vuln(void *ctx, const struct index_vuln *vuln)
{
    const struct naming *naming = ctx;
    const struct vuln_summary summary = {title_of(naming->fleet, naming->tenant, vuln->vuln),
        vuln_type(vuln->vuln), vuln->worst, vuln->images, vuln->containers};

    return naming->fn(naming->ctx, &summary);
}

int fleet_each_vuln(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    uint64_t codes, vuln_summary_fn fn, void *ctx, struct err *err)
{
    struct naming naming = {.fleet = fleet, .fn = fn, .ctx = ctx};
    struct tenant *tenant;
    int failed;

    if (fleet_begin_read(fleet, project, &tenant, err) < 0)
        return -1;
    naming.tenant = tenant;
    failed = index_each_vuln(tenant->index, scope, codes, name_vuln, &naming, err);
    fleet_end_read(fleet);
    return failed;
}
