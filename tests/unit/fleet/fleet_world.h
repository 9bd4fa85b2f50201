/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random reports from small domains, so that everything meets everything: the same package in many
 * images, the same vulnerability under several names, two scanners, tags that move, digests that
 * are shared by platforms, placements that are given later.
 */
#ifndef CAREEN_TESTS_FLEET_WORLD_H
#define CAREEN_TESTS_FLEET_WORLD_H

#include "alias_model.h"
#include "fleet/fleet.h"
#include "rng.h"

enum {
    WORLD_NAMES = 12,
    WORLD_PACKAGES = 7,
    WORLD_SAYINGS = 36,
    WORLD_FIXES = 2,
    WORLD_REPORT_CLAIMS = 10,
    /* package x saying x source (Trivy, Grype) x severity x fix */
    WORLD_CLAIMS = WORLD_PACKAGES * WORLD_SAYINGS * 2 * SEVERITY_COUNT * WORLD_FIXES
};

static const struct package world_packages[WORLD_PACKAGES] = {
    {.ecosystem = SLICE_INIT("deb"), .name = SLICE_INIT("openssl"), .version = SLICE_INIT("1.0")},
    {.ecosystem = SLICE_INIT("deb"), .name = SLICE_INIT("openssl"), .version = SLICE_INIT("1.1")},
    {.ecosystem = SLICE_INIT("deb"),
        .name = SLICE_INIT("zlib1g"),
        .version = SLICE_INIT("1.2"),
        .source_name = SLICE_INIT("zlib")},
    {.ecosystem = SLICE_INIT("apk"), .name = SLICE_INIT("zlib"), .version = SLICE_INIT("1.2")},
    {.ecosystem = SLICE_INIT("npm"), .name = SLICE_INIT("lodash"), .version = SLICE_INIT("4.17")},
    {.ecosystem = SLICE_INIT("npm"), .name = SLICE_INIT("react"), .version = SLICE_INIT("18")},
    {.ecosystem = SLICE_INIT("pypi"), .name = SLICE_INIT("flask"), .version = SLICE_INIT("2")},
};

static const char *const world_fixes[WORLD_FIXES] = {"", "9.9"};

/* A vulnerability as one scanner may state it; the names are stored ids. */
struct saying {
    uint32_t name, aliases, covers; /* bit masks */
};

/* A report before it is one. */
struct made_claim {
    unsigned package, saying, severity, fix;
};

struct made_report {
    enum source source;
    bool complete;
    unsigned packages; /* bit mask */
    struct made_claim claims[WORLD_REPORT_CLAIMS];
    size_t claim_count;
    const char *name, *repository; /* as given, and what it means */
    const char *tag, *digest, *config, *architecture;
    int64_t size_bytes;
    struct placement place;
};

struct fleet_world {
    struct rng rng;
    const char *texts[WORLD_NAMES + 1]; /* by stored id */
    enum name_kind kinds[WORLD_NAMES + 1];
    /* The first WORLD_NAMES say just their name: putting them in order gives the names their ids.
     */
    struct saying sayings[WORLD_SAYINGS];
};

static inline unsigned world_below(struct fleet_world *world, unsigned bound)
{
    return (unsigned)rng_below(&world->rng, bound);
}

#define WORLD_PICK(world, array) ((array)[world_below(world, sizeof(array) / sizeof((array)[0]))])

static inline bool world_has_saying(const struct fleet_world *world, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&world->sayings[i], &world->sayings[count], sizeof(struct saying)) == 0)
            return true;
    return false;
}

static inline uint32_t world_draw_names(struct fleet_world *world, unsigned most)
{
    uint32_t names = 0;

    for (unsigned n = world_below(world, most + 1); n; n--)
        names |= alias_bit(1 + world_below(world, WORLD_NAMES));
    return names;
}

static inline void world_init(struct fleet_world *world, uint64_t seed)
{
    static const char *const texts[WORLD_NAMES] = {"CVE-2024-1", "CVE-2024-2", "CVE-2024-3",
        "CVE-2024-4", "GHSA-aaaa", "GHSA-bbbb", "GHSA-cccc", "PYSEC-2024-1", "RUSTSEC-2024-0001",
        "DSA-1-1", "ALAS-2024-1", "EulerOS-SA-2024-1"};

    *world = (struct fleet_world){.rng = {seed}};
    for (size_t i = 0; i < WORLD_NAMES; i++) { /* shuffled while being dealt */
        size_t at = 1 + world_below(world, (unsigned)i + 1);

        world->texts[i + 1] = world->texts[at];
        world->texts[at] = texts[i];
    }
    for (uint32_t name = 1; name <= WORLD_NAMES; name++) {
        world->kinds[name] = name_kind_of(slice_of(world->texts[name]));
        world->sayings[name - 1].name = name;
    }
    for (size_t i = WORLD_NAMES; i < WORLD_SAYINGS; i++)
        do {
            struct saying *saying = &world->sayings[i];

            saying->name = 1 + world_below(world, WORLD_NAMES);
            saying->aliases = world_draw_names(world, 2) & ~alias_bit(saying->name);
            saying->covers = world_draw_names(world, 2) & ~alias_bit(saying->name);
            saying->covers &= ~saying->aliases; /* as reports have it */
        } while (world_has_saying(world, i));
}

static inline void world_draw_place(struct fleet_world *world, struct placement *ret)
{
    static const char *const registries[] = {"harbor", "quay", ""};
    static const char *const kinds[] = {"Harbor", "Other", ""};
    static const char *const clusters[] = {"c1", "c2"};

    *ret = placement_default();
    ret->type = (enum image_type)world_below(world, IMAGE_TYPE_COUNT);
    if (world_below(world, 3) == 0)
        ret->enterprise_project = SLICE("team-1");
    ret->registry_name = slice_of(WORLD_PICK(world, registries));
    ret->registry_type = slice_of(WORLD_PICK(world, kinds));
    if (ret->type == IMAGE_CLUSTER || world_below(world, 4) == 0)
        ret->cluster_id = slice_of(WORLD_PICK(world, clusters));
    if (world_below(world, 4) == 0)
        ret->organization = SLICE("org");
    if (ret->type == IMAGE_LOCAL && world_below(world, 2))
        ret->agent_id = SLICE("agent-1");
    ret->containers = (int64_t)world_below(world, 4) - 1;
    ret->multi_arch = (int)world_below(world, 3) - 1;
}

static inline void world_draw_identity(struct fleet_world *world, struct made_report *ret)
{
    static const char *const names[][2] = {{"nginx", "nginx"}, {"docker.io/library/nginx", "nginx"},
        {"quay.io/team/app", "quay.io/team/app"}, {"redis", "redis"}};
    static const char *const tags[] = {"", "latest", "1.0"};
    static const char *const digests[] = {"sha256:d1", "sha256:d2", "sha256:d3", ""};
    static const char *const configs[] = {"sha256:c1", "sha256:c2", ""};
    static const char *const architectures[] = {"amd64", "arm64", ""};
    const char *const *name = names[world_below(world, 4)];

    ret->name = name[0];
    ret->repository = name[1];
    ret->tag = WORLD_PICK(world, tags);
    ret->digest = WORLD_PICK(world, digests);
    ret->config = WORLD_PICK(world, configs);
    ret->architecture = WORLD_PICK(world, architectures);
    ret->size_bytes = world_below(world, 2) ? 1000 + (int64_t)world_below(world, 2) : -1;
}

static inline bool made_claims(const struct made_report *report, unsigned package, unsigned saying)
{
    for (size_t i = 0; i < report->claim_count; i++)
        if (report->claims[i].package == package && report->claims[i].saying == saying)
            return true;
    return false;
}

static inline void world_draw_report(struct fleet_world *world, struct made_report *ret)
{
    *ret = (struct made_report){.source = world_below(world, 2) ? SOURCE_TRIVY : SOURCE_GRYPE};
    ret->complete = world_below(world, 3) != 0;
    world_draw_identity(world, ret);
    world_draw_place(world, &ret->place);
    for (unsigned n = world_below(world, WORLD_REPORT_CLAIMS + 1); n; n--) {
        struct made_claim claim = {world_below(world, WORLD_PACKAGES),
            world_below(world, WORLD_SAYINGS), world_below(world, SEVERITY_COUNT),
            world_below(world, WORLD_FIXES)};

        if (made_claims(ret, claim.package, claim.saying))
            continue;
        ret->claims[ret->claim_count++] = claim;
        ret->packages |= 1u << claim.package;
    }
    if (ret->complete)
        ret->packages |= world_below(world, 1u << WORLD_PACKAGES);
}

static inline void world_put_names(
    const struct fleet_world *world, uint32_t mask, struct arena *arena, struct names *ret)
{
    struct err err;

    for (uint32_t name = 1; name <= WORLD_NAMES; name++)
        if (mask & alias_bit(name))
            assert_ok(names_push(arena, ret, slice_of(world->texts[name]), &err));
}

static inline void world_build_claims(
    const struct fleet_world *world, const struct made_report *from, struct report *ret)
{
    uint32_t packages[WORLD_PACKAGES] = {0};
    struct err err;

    for (unsigned i = 0; i < WORLD_PACKAGES; i++)
        if (from->packages & 1u << i)
            assert_ok(report_add_package(ret, &world_packages[i], &packages[i], &err));
    for (size_t i = 0; i < from->claim_count; i++) {
        const struct made_claim *claim = &from->claims[i];
        const struct saying *saying = &world->sayings[claim->saying];
        struct report_record record = {.name = slice_of(world->texts[saying->name])};
        struct report_claim to = {.package = packages[claim->package],
            .severity = (enum severity)claim->severity,
            .fixed_version = slice_of(world_fixes[claim->fix])};

        world_put_names(world, saying->aliases, &ret->arena, &record.aliases);
        world_put_names(world, saying->covers, &ret->arena, &record.covers);
        assert_ok(report_add_record(ret, &record, &to.record, &err));
        assert_ok(report_add_claim(ret, &to, &err));
    }
}

/* The report that a scanner would have written; to be released. */
static inline void world_build(
    const struct fleet_world *world, const struct made_report *from, struct report *ret)
{
    report_init(ret);
    ret->format = "made";
    ret->source = from->source;
    ret->complete = from->complete;
    ret->is_image = true;
    ret->name = slice_of(from->name);
    ret->tag = slice_of(from->tag);
    ret->digest = slice_of(from->digest);
    ret->config_digest = slice_of(from->config);
    ret->architecture = slice_of(from->architecture);
    ret->size_bytes = from->size_bytes;
    world_build_claims(world, from, ret);
}

#endif
