/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of property_test.c: a plain model of the index (an array of images with their findings)
 * and the random changes that are made to both. Small domains, so that filters hit and combine.
 */
#ifndef CAREEN_TESTS_INDEX_WORLD_H
#define CAREEN_TESTS_INDEX_WORLD_H

#include "unit.h"

#include "index/index.h"
#include "model/vulnerability.h"

enum { IMAGES = 800, FINDINGS = 24, VULNS = 40 };

/* --- Chance ----------------------------------------------------------------------------------- */

static uint64_t seed, random_state;
static int world_number, batch_number;

static uint32_t chance(uint32_t n)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

#define WRONG(...)                                                                         \
    do {                                                                                   \
        print_error("CAREEN_TEST_SEED=%llu world %d batch %d\n", (unsigned long long)seed, \
            world_number, batch_number);                                                   \
        fail_msg(__VA_ARGS__);                                                             \
    } while (0)

static const char *const names[] = {"nginx", "library/nginx", "nginx-exporter", "redis",
    "team/redis", "app", "apple", "busybox", ""};
static const char *const parts[] = {
    "nginx", "redis", "app", "x", "e", "/", "apple", "busybox", "none", "nginx-", "-11", "xm"};
static const char *const projects[] = {"0", "ep-1", "ep-2", "ep-none"};
static const char *const registries[] = {"", "harbor", "harbor-2", "swr"};
static const char *const registry_types[] = {"", "Harbor", "SwrPrivate"};
static const char *const clusters[] = {"", "cluster-1", "cluster-2"};
static const char *const texts[] = {"", "1.25", "latest", "amd64", "debian-12"};

/* And many that come and go. */
enum { MORE_NAMES = 400 };
static char more_names[MORE_NAMES][24];

static void make_names(void)
{
    for (unsigned i = 0; i < MORE_NAMES; i++)
        (void)snprintf(
            more_names[i], sizeof(more_names[i]), "many/%s-%u", i % 3 ? "nginx" : "none", i);
}

#define PICK(of) slice_of((of)[chance(sizeof(of) / sizeof((of)[0]))])

/* Some near, some far: pages of vulnerabilities come and go. */
static uint32_t vuln_of(uint32_t i)
{
    return i < 20 ? i : i < 34 ? 230 + i : 100000 * i + i;
}

/* --- The model -------------------------------------------------------------------------------- */

struct fact {
    struct image image;
    struct index_finding findings[FINDINGS];
    size_t count;
    bool touched; /* put since the walk began */
};

struct world {
    struct index *index;
    struct fact facts[IMAGES]; /* ascending by image number */
    size_t count;
    uint32_t highest;
    uint32_t removed[IMAGES]; /* some of the numbers that were removed */
    size_t removed_count;
};

static void random_place(struct image *image)
{
    image->place = (struct placement){
        .enterprise_project = slice_of(projects[chance(3)]),
        .type = (enum image_type)chance(IMAGE_TYPE_COUNT),
        .registry_type = PICK(registry_types),
        .registry_name = PICK(registries),
        .organization = PICK(texts),
        .cluster_id = PICK(clusters),
        .cluster_name = PICK(clusters),
        .agent_id = PICK(texts),
        .pipeline = PICK(texts),
        .containers = (int64_t)chance(6) - 1,
        .multi_arch = -1,
    };
    image->name = chance(3) ? PICK(names) : slice_of(more_names[chance(MORE_NAMES)]);
    image->tag = PICK(texts);
    image->digest = PICK(texts);
    image->config_digest = PICK(texts);
    image->os_release = PICK(texts);
    image->architecture = PICK(texts);
    image->assessment = (enum assessment)chance(ASSESSMENT_COUNT);
    image->updated_ms = chance(1000);
    image->latest_scan_ms = chance(3) ? chance(20) : chance(1000);
    image->latest = chance(2);
}

/* Lists of package names: some vulnerabilities have one, others many. */
enum { PACKAGES = 9 };
static const uint32_t name_lists[][3] = {
    {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}, {7}, {3, 5, 8}, {4}};
static const uint32_t list_sizes[] = {1, 1, 1, 2, 2, 2, 3, 1, 3, 0};

static void random_names(struct index_finding *finding)
{
    uint32_t list = finding->vuln % 3 == 0   ? finding->vuln % 10
                    : finding->vuln % 3 == 1 ? (chance(4) ? 0 : chance(7))
                                             : chance(10);

    finding->names = name_lists[list];
    finding->name_count = list_sizes[list];
}

static struct index_finding random_finding(uint32_t vuln)
{
    struct index_finding finding;
    finding = (struct index_finding){
        .vuln = vuln,
        .code = index_code((enum necessity)chance(NECESSITY_COUNT), vuln_type(vuln), chance(2),
            chance(4) == 0, chance(3) == 0),
        .first_scan_ms = chance(2) ? 1000 : (int64_t)chance(50) - 5,
    };
    random_names(&finding);
    return finding;
}

static void random_findings(struct fact *fact)
{
    uint32_t density = chance(5) == 0 ? 0 : 1 + chance(50);

    fact->count = 0;
    for (uint32_t i = 0; i < VULNS && fact->count < FINDINGS; i++)
        if (chance(100) < density)
            fact->findings[fact->count++] = random_finding(vuln_of(i));
}

/* A few findings change, as a decision or an advisory would do. */
static void change_findings(struct fact *fact)
{
    for (uint32_t changes = chance(3); changes && fact->count; changes--) {
        size_t at = chance((uint32_t)fact->count);

        if (chance(3)) {
            fact->findings[at] = random_finding(fact->findings[at].vuln);
        } else {
            memmove(&fact->findings[at], &fact->findings[at + 1],
                (fact->count - at - 1) * sizeof(fact->findings[0]));
            fact->count--;
        }
    }
}

static struct fact *fact_from(struct world *world, uint32_t number)
{
    size_t at = 0;

    while (at < world->count && world->facts[at].image.number < number)
        at++;
    return &world->facts[at];
}

static bool is_number(struct world *world, uint32_t number)
{
    struct fact *fact = fact_from(world, number);

    return fact < world->facts + world->count && fact->image.number == number;
}

static void put(struct world *world, const struct fact *fact)
{
    struct fact *at = fact_from(world, fact->image.number);
    struct err err;

    if (index_put(world->index, &fact->image, fact->findings, fact->count, &err) < 0)
        WRONG("put of image %u: %s", fact->image.number, err.message);
    if (!is_number(world, fact->image.number)) {
        memmove(at + 1, at, (size_t)(world->facts + world->count - at) * sizeof(*at));
        world->count++;
    }
    *at = *fact;
    at->touched = true;
    if (fact->image.number > world->highest)
        world->highest = fact->image.number;
}

static void put_new(struct world *world, uint32_t number)
{
    struct fact fact = {.image.number = number};

    if (world->count == IMAGES || is_number(world, number))
        return;
    random_place(&fact.image);
    (void)snprintf(fact.image.id, sizeof(fact.image.id), "id-%u", number);
    random_findings(&fact);
    put(world, &fact);
}

static void replace(struct world *world)
{
    struct fact fact;

    if (world->count == 0)
        return;
    fact = world->facts[chance((uint32_t)world->count)];
    switch (chance(4)) {
    case 0:
        random_place(&fact.image);
        break;
    case 1:
        change_findings(&fact);
        break;
    case 2:
        (void)snprintf(
            fact.image.id, sizeof(fact.image.id), "id-%u-%u", fact.image.number, chance(3));
        break;
    default:
        random_place(&fact.image);
        random_findings(&fact);
        break;
    }
    put(world, &fact);
}

static void check_index(const struct world *world)
{
    const char *why = index_validate(world->index);

    if (why)
        WRONG("%s", why);
}

/* What a decision does: only `ignored` and `handled` change, or nothing does. */
static void recode_one(struct world *world)
{
    struct fact *fact;
    struct index_finding *finding;
    uint8_t code;
    struct err err;

    if (world->count == 0)
        return;
    fact = &world->facts[chance((uint32_t)world->count)];
    if (index_recode(world->index, fact->image.number, vuln_of(VULNS), 0, &err) < 0 ||
        index_recode(world->index, world->highest + 1, vuln_of(0), 0, &err) < 0)
        WRONG("recoding what is not there: %s", err.message);
    if (fact->count == 0)
        return;
    finding = &fact->findings[chance((uint32_t)fact->count)];
    code = (uint8_t)((finding->code & 15) | chance(4) << 4);
    if (index_recode(world->index, fact->image.number, finding->vuln, code, &err) < 0)
        WRONG("recoding image %u vulnerability %u: %s", fact->image.number, finding->vuln,
            err.message);
    finding->code = code;
    fact->touched = true;
    if (index_recode(world->index, fact->image.number, finding->vuln, code ^ 4, &err) == 0 ||
        err.code != ERR_INVALID)
        WRONG("image %u vulnerability %u changed its type", fact->image.number, finding->vuln);
    check_index(world);
}

/* One vulnerability in every image, as a decision about a package does: its sets come, grow large
 * and go. */
static void recode_all(struct world *world)
{
    uint32_t vuln = vuln_of(chance(VULNS));
    uint8_t bits = (uint8_t)(chance(4) << 4);
    struct err err;

    for (size_t i = 0; i < world->count; i++) {
        struct fact *fact = &world->facts[i];

        for (size_t j = 0; j < fact->count; j++) {
            struct index_finding *finding = &fact->findings[j];

            if (finding->vuln != vuln)
                continue;
            finding->code = (uint8_t)((finding->code & 15) | bits);
            fact->touched = true;
            if (index_recode(world->index, fact->image.number, vuln, finding->code, &err) < 0)
                WRONG("recoding image %u vulnerability %u: %s", fact->image.number, vuln,
                    err.message);
        }
    }
    check_index(world);
}

static void remove_one(struct world *world)
{
    struct fact *fact;
    uint32_t number;

    if (world->count == 0)
        return;
    fact = &world->facts[chance((uint32_t)world->count)];
    number = fact->image.number;
    index_remove(world->index, number);
    index_remove(world->index, number); /* nothing happens */
    memmove(fact, fact + 1, (size_t)(world->facts + world->count - fact - 1) * sizeof(*fact));
    world->count--;
    world->removed[world->removed_count++ % IMAGES] = number;
}

/* `growth` of 10 changes are arrivals. */
static void change(struct world *world, uint32_t growth)
{
    uint32_t kept = world->removed_count < IMAGES ? (uint32_t)world->removed_count : IMAGES;

    if (chance(10) < growth)
        put_new(world, world->highest + 1 + chance(3));
    else if (chance(8) == 0)
        put_new(world, chance(world->highest + 1));
    else if (kept && chance(8) == 0)
        put_new(world, world->removed[chance(kept)]);
    else if (chance(3) == 0)
        recode_one(world);
    else if (chance(20) == 0)
        recode_all(world);
    else if (chance(2))
        replace(world);
    else
        remove_one(world);
}

#endif
