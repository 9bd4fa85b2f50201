/* SPDX-License-Identifier: Apache-2.0 */
/* See world.h. */
#include "world.h"

#include "random.h"

enum {
    SEED = 20250829,
    BASES = 400,
    OS_NAMES = 4000,
    APP_NAMES = 20000,
    REPOSITORIES = 8000,
};

static const char *const releases[] = {
    "debian-12", "debian-11", "ubuntu-22.04", "alpine-3.19", "euleros-2.0-sp9"};
static const char *const os_ecosystems[] = {"deb", "deb", "deb", "apk", "rpm"};
static const char *const app_ecosystems[] = {"npm", "pypi", "maven", "golang"};
static const char *const words[] = {"api", "web", "nginx", "worker", "billing", "search", "orders",
    "auth", "edge", "report", "stream", "cache", "mail", "media", "admin", "batch", "gateway",
    "catalog", "events", "ledger"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct random random_of(uint64_t kind, uint64_t at)
{
    return (struct random){mix(mix(SEED + kind) + at)};
}

void world_vulnerability(uint32_t at, char ret[32])
{
    snprintf(ret, 32, "CVE-%u-%05u", 2010 + at % 16, 10000 + at);
}

void world_registry(uint32_t at, char ret[64])
{
    snprintf(ret, 64, "registry-%02u", at);
}

void world_cluster(uint32_t at, char ret[64])
{
    snprintf(ret, 64, "cluster-%02u", at);
}

void world_enterprise_project(uint32_t at, char ret[64])
{
    if (at == 0)
        snprintf(ret, 64, "0");
    else
        snprintf(ret, 64, "ep-%02u", at);
}

/* --- Packages and what is wrong with them ----------------------------------------------------- */

/* 5 % critical, 20 % high, 45 % medium, 30 % low. */
static enum severity severity_of(uint32_t twentieth)
{
    return twentieth < 1    ? SEVERITY_CRITICAL
           : twentieth < 5  ? SEVERITY_HIGH
           : twentieth < 14 ? SEVERITY_MEDIUM
                            : SEVERITY_LOW;
}

/* What one package of one version has: in one of five, one to five vulnerabilities. They go by the
 * package's name, so all versions of it share some. */
static int add_claims(struct report *report, uint32_t package, const struct package *made,
    uint64_t name_hash, uint32_t version, struct err *err)
{
    struct random random = {mix(name_hash) + version};
    uint32_t count = random_below(&random, 100) < 21 ? 1 + random_skewed(&random, 5, 2) : 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t number =
            (uint32_t)(mix(name_hash * 8 + (i + version) % 6) % WORLD_VULNERABILITIES);
        struct random about = random_of(7, number);
        struct report_record record = {.name = SLICE_NONE};
        struct report_claim claim = {.package = package};
        char text[32];
        bool fixed = random_below(&about, 10) < 7;

        world_vulnerability(number, text);
        if (report_text(report, slice_of(text), &record.name, err) < 0 ||
            report_add_record(report, &record, &claim.record, err) < 0)
            return -1;
        claim.severity = severity_of(random_below(&about, 20));
        claim.fixed_version = fixed ? made->version : SLICE_NONE;
        if (report_add_claim(report, &claim, err) < 0)
            return -1;
    }
    return 0;
}

static int add_package(struct report *report, const char *ecosystem, const char *release,
    uint32_t name, uint32_t version, struct err *err)
{
    struct package package = {.ecosystem = slice_of(ecosystem),
        .release = slice_of(release),
        .arch = *release ? SLICE("amd64") : SLICE_NONE};
    char text[64];
    uint32_t id;

    snprintf(text, sizeof(text), "%s%05u", *release ? "lib" : ecosystem, name);
    if (report_text(report, slice_of(text), &package.name, err) < 0)
        return -1;
    snprintf(text, sizeof(text), "%u.%u.%u", 1 + name % 7, name % 13, version);
    if (report_text(report, slice_of(text), &package.version, err) < 0 ||
        report_add_package(report, &package, &id, err) < 0)
        return -1;
    return add_claims(report, id, &package, mix(name + (*release ? 0 : 1000003)), version, err);
}

/* A base image: one distribution, 60 to 180 of its packages, the popular ones in nearly all. */
static int add_base(struct report *report, uint32_t base, uint32_t age, struct err *err)
{
    struct random random = random_of(1, base);
    uint32_t distro = random_skewed(&random, COUNT(releases), 1.5);
    uint32_t count = random_range(&random, 60, 180);

    report->os_release = slice_of(releases[distro]);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = i < 30 ? i : random_skewed(&random, OS_NAMES, 2.5);
        uint32_t version = (uint32_t)(mix(name) + age) % 3;

        if (add_package(report, os_ecosystems[distro], releases[distro], name, version, err) < 0)
            return -1;
    }
    return 0;
}

static int add_apps(struct report *report, struct random *random, struct err *err)
{
    const char *ecosystem = app_ecosystems[random_skewed(random, COUNT(app_ecosystems), 1.5)];
    uint32_t count = random_range(random, 20, 176);

    for (uint32_t i = 0; i < count; i++)
        if (add_package(report, ecosystem, "", random_skewed(random, APP_NAMES, 2.5),
                random_below(random, 4), err) < 0)
            return -1;
    return 0;
}

/* --- Places ----------------------------------------------------------------------------------- */

static void make_place(struct random *random, struct world_image *ret)
{
    static const char *const registry_types[] = {"Harbor", "SwrPrivate", "Jfrog", "Other"};
    uint32_t kind = random_below(random, 10), registry;

    ret->place = placement_default();
    world_enterprise_project(random_skewed(random, WORLD_ENTERPRISE_PROJECTS, 3), ret->texts[0]);
    ret->place.enterprise_project = slice_of(ret->texts[0]);
    ret->place.containers = random_below(random, 3) ? 0 : random_range(random, 1, 20);
    ret->place.multi_arch = (int)random_below(random, 2);
    if (kind < 5) {
        registry = random_skewed(random, WORLD_REGISTRIES, 2);
        ret->place.type = IMAGE_REGISTRY;
        world_registry(registry, ret->texts[1]);
        ret->place.registry_name = slice_of(ret->texts[1]);
        ret->place.registry_type = slice_of(registry_types[registry % COUNT(registry_types)]);
    } else if (kind < 8) {
        ret->place.type = IMAGE_LOCAL;
        snprintf(ret->texts[1], 64, "agent-%03u", random_below(random, 500));
        ret->place.agent_id = slice_of(ret->texts[1]);
    } else if (kind < 9) {
        ret->place.type = IMAGE_CICD;
        snprintf(ret->texts[1], 64, "pipeline-%02u", random_below(random, 60));
        ret->place.pipeline = slice_of(ret->texts[1]);
    } else {
        ret->place.type = IMAGE_CLUSTER;
        world_cluster(random_skewed(random, WORLD_CLUSTERS, 2), ret->texts[1]);
        ret->place.cluster_id = ret->place.cluster_name = slice_of(ret->texts[1]);
    }
}

static void make_name(struct random *random, uint32_t at, struct world_image *ret)
{
    uint32_t repository = random_skewed(random, REPOSITORIES, 1.5);
    struct random about = random_of(3, repository);

    snprintf(ret->texts[2], 64, "registry.example.com/team-%02u/%s-%s-%u", random_below(&about, 60),
        words[random_below(&about, COUNT(words))], words[random_below(&about, COUNT(words))],
        repository);
    snprintf(ret->texts[3], 64, "1.%u.%u", at / 1000 % 100, at % 1000);
    ret->report.name = slice_of(ret->texts[2]);
    ret->report.tag = slice_of(ret->texts[3]);
}

static void make_digest(uint64_t value, struct world_image *ret, struct slice *to, struct err *err)
{
    char text[80];

    snprintf(text, sizeof(text), "sha256:%016llx%016llx%016llx%016llx",
        (unsigned long long)mix(value), (unsigned long long)mix(value + 1),
        (unsigned long long)mix(value + 2), (unsigned long long)mix(value + 3));
    (void)report_text(&ret->report, slice_of(text), to, err);
}

int world_make(uint32_t at, struct world_image *ret, struct err *err)
{
    struct random random = random_of(2, at);
    struct err ignored = {0};

    report_init(&ret->report);
    ret->report.format = "trivy";
    ret->report.source = SOURCE_TRIVY;
    ret->report.complete = ret->report.is_image = true;
    ret->report.architecture = SLICE("amd64");
    ret->report.size_bytes = (int64_t)random_range(&random, 5 << 20, 900 << 20);
    make_place(&random, ret);
    make_name(&random, at, ret);
    make_digest(mix(at) * 2, ret, &ret->report.digest, &ignored);
    make_digest(mix(at) * 2 + 1000, ret, &ret->report.config_digest, &ignored);
    if (add_base(&ret->report, random_skewed(&random, BASES, 2.5), at / 20000, err) < 0 ||
        add_apps(&ret->report, &random, err) < 0) {
        report_release(&ret->report);
        return -1;
    }
    return 0;
}
