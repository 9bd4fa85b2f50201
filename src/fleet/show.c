/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is known about one image: its row, sources, packages and claims. */
#include "base/cleanup.h"
#include "fleet/internal.h"

struct showing {
    struct fleet *fleet;
    struct arena *arena;
    struct image_detail *detail;
    struct slot slots[SOURCE_COUNT];
    struct timed_ids packages;
};

/* --- Packages: from the store ----------------------------------------------------------------- */

static int copy_texts(struct arena *arena, struct package *package, struct err *err)
{
    struct slice *const texts[] = {&package->ecosystem, &package->release, &package->channel,
        &package->name, &package->version, &package->arch, &package->module, &package->source_name,
        &package->source_version};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (arena_dup(arena, *texts[i], texts[i], err) < 0)
            return -1;
    return 0;
}

static unsigned sources_of(const struct slot slots[SOURCE_COUNT], uint32_t package)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < SOURCE_COUNT; i++)
        if (timed_ids_find(&slots[i].packages, package))
            mask |= 1u << i;
    return mask;
}

static int take_package(void *ctx, uint32_t id, const struct package *package, struct err *err)
{
    struct showing *showing = ctx;
    struct image_package *to = &showing->detail->packages[showing->detail->package_count];

    to->package = *package;
    to->first_seen_ms = showing->packages.at[showing->detail->package_count].first_seen_ms;
    to->sources = sources_of(showing->slots, id);
    showing->detail->package_count++;
    return copy_texts(showing->arena, &to->package, err);
}

static int read_packages(struct showing *showing, struct err *err)
{
    struct ids ids CLEANUP(ids_release) = {0};

    if (content_packages(showing->slots, &showing->packages, err) < 0)
        return -1;
    for (size_t i = 0; i < showing->packages.count; i++)
        if (ids_push(&ids, showing->packages.at[i].id, err) < 0)
            return -1;
    showing->detail->packages =
        arena_alloc_array(showing->arena, ids.count + 1, sizeof(struct image_package), err);
    if (!showing->detail->packages)
        return -1;
    return store_each_package(showing->fleet->store, &ids, take_package, showing, err);
}

/* --- Claims: from the facts in memory --------------------------------------------------------- */

static uint32_t package_position(const struct showing *showing, uint32_t package)
{
    const struct timed_id *found = timed_ids_find(&showing->packages, package);

    return found ? (uint32_t)(found - showing->packages.at) : UINT32_MAX;
}

static int copy_related(
    struct showing *showing, uint32_t record_id, struct image_claim *to, struct err *err)
{
    const struct facts *facts = &showing->fleet->facts;
    const struct fact_record *record = &facts->records[record_id];
    size_t count = (size_t)record->alias_count + record->cover_count;
    const uint32_t *links;

    if (count == 0)
        return 0;
    links = facts_links(facts, record);
    to->related = arena_alloc_array(showing->arena, count, sizeof(*to->related), err);
    if (!to->related)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (arena_dup(showing->arena, facts->names[links[i]].text, &to->related[i], err) < 0)
            return -1;
    to->related_count = count;
    return 0;
}

static int take_claim(struct showing *showing, const struct tenant *tenant, enum source source,
    uint32_t id, struct err *err)
{
    const struct facts *facts = &showing->fleet->facts;
    struct image_claim *to = &showing->detail->claims[showing->detail->claim_count];
    const struct fact_claim *claim;
    uint32_t name;

    if (id > facts->last_claim)
        return 0; /* committed a moment ago by another process, not followed yet */
    claim = &facts->claims[id];
    name = facts->records[claim->record].name;
    *to = (struct image_claim){.reported = facts->names[name].text,
        .vul_id = facts->names[aliases_title(&tenant->aliases, name)].text,
        .type = claim->type,
        .package = package_position(showing, claim->package),
        .source = source,
        .severity = claim->severity,
        .fixed_version = intern_get(&facts->versions, claim->fixed_version),
        .known_ms = claim->known_ms};
    showing->detail->claim_count += to->package != UINT32_MAX;
    return copy_related(showing, claim->record, to, err) < 0 ||
                   arena_dup(showing->arena, to->reported, &to->reported, err) < 0 ||
                   arena_dup(showing->arena, to->vul_id, &to->vul_id, err) < 0 ||
                   arena_dup(showing->arena, to->fixed_version, &to->fixed_version, err) < 0
               ? -1
               : 0;
}

static int read_claims(struct showing *showing, uint32_t project, struct err *err)
{
    struct tenant *tenant;
    size_t count = 1;
    int failed = 0;

    for (int i = 0; i < SOURCE_COUNT; i++)
        count += showing->slots[i].claims.count;
    showing->detail->claims =
        arena_alloc_array(showing->arena, count, sizeof(struct image_claim), err);
    if (!showing->detail->claims || fleet_begin_read(showing->fleet, project, &tenant, err) < 0)
        return -1;
    for (int i = 0; i < SOURCE_COUNT; i++)
        for (size_t j = 0; j < showing->slots[i].claims.count && !failed; j++)
            failed =
                take_claim(showing, tenant, (enum source)i, showing->slots[i].claims.at[j], err);
    fleet_end_read(showing->fleet);
    return failed;
}

static void read_sources(struct showing *showing)
{
    for (int i = 0; i < SOURCE_COUNT; i++) {
        const struct slot *slot = &showing->slots[i];

        showing->detail->sources[i].present = slot->scanned_ms != 0;
        showing->detail->sources[i].complete = slot->complete;
        showing->detail->sources[i].scanned_ms = slot->scanned_ms;
        showing->detail->sources[i].packages = slot->packages.count;
        showing->detail->sources[i].claims = slot->claims.count;
    }
}

int fleet_show_image(struct fleet *fleet, uint32_t project, struct slice image_id,
    struct arena *arena, struct image_detail *ret, struct err *err)
{
    struct image_detail detail = {0};
    struct showing showing = {.fleet = fleet, .arena = arena, .detail = &detail};
    int failed = store_find_image(fleet->store, project, image_id, arena, &detail.image, err);

    if (!failed)
        failed = store_get_slots(fleet->store, detail.image.number, showing.slots, err);
    if (!failed) {
        read_sources(&showing);
        failed = read_packages(&showing, err) < 0 || read_claims(&showing, project, err) < 0;
    }
    content_release(showing.slots);
    timed_ids_release(&showing.packages);
    if (failed)
        return -1;
    *ret = detail;
    return 0;
}
