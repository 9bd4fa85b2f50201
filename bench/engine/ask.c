/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-ask DATA: loads a data folder that bench-fill made, asks the engine the benchmark's
 * questions and prints as JSON how long the answers take. Nothing is written to the folder.
 * bench-ask --put DATA: puts some new images into it at the end, too, and times those.
 *
 *     {"queries":[{"name","rows","median_us","p99_us","filters":{...},"offset","limit"}, ...],
 *      "extensions":[the same of what HSS has no words for],
 *      "limits":{"findings","images","rss_bytes_per_finding","db_bytes_per_finding","start_s",
 *                "put_image_ms"}}
 *
 * `filters` has the words of the HTTP interface, for those who ask others the same.
 */
#include "world.h"

#include "base/clock.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum {
    RUNS = 2000,
    RUN_LIMIT_MS = 4000, /* a slow question is asked less often */
    PUTS = 30,
    PAGE_ROWS = 10,
};

struct question {
    const char *name;
    char filters[512]; /* as members of a JSON object */
    bool facets;       /* instead of a page */
    struct affected_query query;
};

struct asking {
    struct fleet *fleet;
    uint32_t project;
    struct question questions[40];
    size_t count, extensions; /* those from here on are no part of the contract */
    int64_t middle_ms;        /* when the finding in the middle was first seen */
    uint64_t rows;            /* of the last answer */
    uint64_t checked;         /* so that the rows are looked at */
    char common[64], rare[64], image_id[64];
    char package[64]; /* in every base image */
    uint64_t common_images, rare_images;
};

static int64_t now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

/* --- The questions ---------------------------------------------------------------------------- */

static bool admit_all(uint8_t code)
{
    (void)code;
    return true;
}

static bool is_critical_unfix(uint8_t code)
{
    return index_code_necessity(code) == NECESSITY_CRITICAL && !index_code_ignored(code);
}

static bool is_high(uint8_t code)
{
    return index_code_necessity(code) == NECESSITY_HIGH;
}

static bool is_app(uint8_t code)
{
    return index_code_type(code) == VUL_APP;
}

static bool is_app_high(uint8_t code)
{
    return is_app(code) && is_high(code);
}

static bool is_not_handled(uint8_t code)
{
    return !index_code_handled(code);
}

static bool is_fixable(uint8_t code)
{
    return index_code_fixable(code);
}

static bool is_unfix(uint8_t code)
{
    return !index_code_ignored(code);
}

static struct index_query *add(struct asking *asking, const char *name, const char *filters,
    bool (*admits)(uint8_t code), uint64_t offset, size_t limit)
{
    struct question *question = &asking->questions[asking->count++];
    struct index_query *query = &question->query.q;

    question->name = name;
    snprintf(question->filters, sizeof(question->filters), "%s", filters);
    *query = (struct index_query){.scope.type = -1, .offset = offset, .limit = limit};
    for (uint8_t code = 0; code < INDEX_CODES; code++)
        if (admits(code))
            query->codes |= (uint64_t)1 << code;
    return query;
}

static void add_vul_id(
    struct asking *asking, const char *name, const char *vul_id, bool (*admits)(uint8_t code))
{
    char filters[128];

    snprintf(filters, sizeof(filters), "\"vul_id\":\"%s\"", vul_id);
    add(asking, name, filters, admits, 0, PAGE_ROWS);
    asking->questions[asking->count - 1].query.vul_id = slice_of(vul_id);
}

static void add_common_in_harbor(struct asking *asking)
{
    struct question *question;
    struct index_query *query;

    add_vul_id(asking, "vul_type_registry_status", asking->common, is_unfix);
    question = &asking->questions[asking->count - 1];
    query = &question->query.q;
    query->scope.type = IMAGE_REGISTRY;
    query->scope.registry_type = SLICE("Harbor");
    snprintf(question->filters, sizeof(question->filters),
        "\"vul_id\":\"%s\",\"image_type\":\"registry\",\"registry_type\":\"Harbor\","
        "\"status\":\"vul_status_unfix\"",
        asking->common);
}

static void add_by_severity(struct asking *asking, const char *name, uint64_t offset)
{
    struct index_query *query =
        add(asking, name, "\"sort\":\"-severity\"", admit_all, offset, PAGE_ROWS);

    query->sort = INDEX_SORT_SEVERITY;
    query->descending = true;
}

static void make_questions(struct asking *asking, uint64_t findings)
{
    static const struct slice granted[] = {
        SLICE_INIT("0"), SLICE_INIT("ep-07"), SLICE_INIT("ep-15")};
    char filters[128];
    struct index_query *query;

    add(asking, "no_filter_first_page", "", admit_all, 0, PAGE_ROWS);
    add(asking, "no_filter_offset_2m", "", admit_all, 2000000, 200);
    add_vul_id(asking, "common_vul_id", asking->common, admit_all);
    add_vul_id(asking, "rare_vul_id", asking->rare, admit_all);
    add(asking, "critical_unfix",
        "\"repair_necessity\":\"Critical\",\"status\":\"vul_status_unfix\"", is_critical_unfix, 0,
        PAGE_ROWS);
    query = add(asking, "app_vul_registry_offset_100k",
        "\"type\":\"app_vul\",\"image_type\":\"registry\"", is_app, 100000, 100);
    query->scope.type = IMAGE_REGISTRY;
    snprintf(filters, sizeof(filters), "\"image_id\":\"%s\"", asking->image_id);
    query = add(asking, "one_image_id", filters, admit_all, 0, 50);
    query->scope.image_id = slice_of(asking->image_id);
    query = add(asking, "image_name_part", "\"image_name\":\"nginx\"", admit_all, 0, PAGE_ROWS);
    query->scope.name_part = SLICE("nginx");
    query = add(asking, "registry_name_handled",
        "\"registry_name\":\"registry-00\",\"is_handled\":\"false\"", is_not_handled, 0, PAGE_ROWS);
    query->scope.registry_name = SLICE("registry-00");
    query = add(asking, "cluster_high",
        "\"cluster_id\":\"cluster-00\",\"repair_necessity\":\"High\"", is_high, 0, PAGE_ROWS);
    query->scope.cluster_id = SLICE("cluster-00");
    add_common_in_harbor(asking);
    query = add(asking, "nothing_matches",
        "\"image_name\":\"nginx\",\"registry_name\":\"registry-00\",\"cluster_id\":\"cluster-00\","
        "\"repair_necessity\":\"High\",\"type\":\"app_vul\"",
        is_app_high, 0, PAGE_ROWS);
    query->scope.name_part = SLICE("nginx");
    query->scope.registry_name = SLICE("registry-00");
    query->scope.cluster_id = SLICE("cluster-00");
    add_by_severity(asking, "severity_first_page", 0);
    add_by_severity(asking, "severity_last_page", findings > PAGE_ROWS ? findings - PAGE_ROWS : 0);
    query = add(asking, "granted_3_of_30", "\"enterprise_project_id\":[\"0\",\"ep-07\",\"ep-15\"]",
        admit_all, 0, PAGE_ROWS);
    query->scope.enterprise_projects = granted;
    query->scope.enterprise_project_count = 3;
}

static void add_sorted(struct asking *asking, const char *name, const char *filters,
    enum index_sort sort, bool descending, uint64_t offset)
{
    struct index_query *query = add(asking, name, filters, admit_all, offset, PAGE_ROWS);

    query->sort = sort;
    query->descending = descending;
}

static struct index_query *add_facets(
    struct asking *asking, const char *name, const char *filters, bool (*admits)(uint8_t code))
{
    struct index_query *query = add(asking, name, filters, admits, 0, PAGE_ROWS);

    asking->questions[asking->count - 1].facets = true;
    return query;
}

static void make_facets(struct asking *asking)
{
    struct index_query *query;

    add_facets(asking, "facets", "", admit_all);
    add_facets(asking, "facets_vul_id", "", admit_all);
    asking->questions[asking->count - 1].query.vul_id = slice_of(asking->common);
    query = add_facets(asking, "facets_image_id", "", admit_all);
    query->scope.image_id = slice_of(asking->image_id);
    query = add_facets(asking, "facets_image_type", "", admit_all);
    query->scope.type = IMAGE_REGISTRY;
    query = add_facets(asking, "facets_cluster_id", "", admit_all);
    query->scope.cluster_id = SLICE("cluster-00");
    add_facets(asking, "facets_critical", "", is_critical_unfix);
    query = add_facets(asking, "facets_image_name_critical", "", is_critical_unfix);
    query->scope.name_part = SLICE("nginx");
    add_facets(asking, "facets_package_name", "", admit_all);
    asking->questions[asking->count - 1].query.package_name = slice_of(asking->package);
}

static void make_extensions(struct asking *asking, uint64_t findings)
{
    static const struct slice registries[] = {
        SLICE_INIT("registry-00"), SLICE_INIT("registry-03"), SLICE_INIT("registry-07")};
    char filters[128];
    struct index_query *query;

    asking->extensions = asking->count;
    add_sorted(asking, "sort_image_name", "\"sort\":\"image_name\"", INDEX_SORT_IMAGE_NAME, false,
        findings / 2);
    add_sorted(asking, "sort_latest_scan_time", "\"sort\":\"-latest_scan_time\"",
        INDEX_SORT_LATEST_SCAN, true, findings / 2);
    add_sorted(asking, "sort_container_num", "\"sort\":\"-container_num\"", INDEX_SORT_CONTAINERS,
        true, 0);
    query = add(asking, "sort_image_name_critical_registry",
        "\"sort\":\"image_name\",\"repair_necessity\":\"Critical\",\"image_type\":\"registry\"",
        is_critical_unfix, 100000, PAGE_ROWS);
    query->sort = INDEX_SORT_IMAGE_NAME;
    query->scope.type = IMAGE_REGISTRY;
    query = add(asking, "registry_name_in_running",
        "\"registry_name_in\":[\"registry-00\",\"registry-03\",\"registry-07\"],\"running\":"
        "\"true\"",
        admit_all, 0, PAGE_ROWS);
    query->scope.registry_names = (struct index_values){registries, 3};
    query->scope.running = true;
    snprintf(filters, sizeof(filters), "\"package_name\":\"%s\"", asking->package);
    add(asking, "package_name", filters, admit_all, 0, PAGE_ROWS);
    asking->questions[asking->count - 1].query.package_name = slice_of(asking->package);
    query = add(asking, "package_name_registry_offset", filters, admit_all, 5000, PAGE_ROWS);
    asking->questions[asking->count - 1].query.package_name = slice_of(asking->package);
    query->scope.type = IMAGE_REGISTRY;
    add(asking, "fixable", "\"fixable\":\"true\"", is_fixable, 2000000, PAGE_ROWS);
    query = add(asking, "only_latest", "\"only_latest\":\"true\"", admit_all, 2000000, PAGE_ROWS);
    query->scope.only_latest = true;
    snprintf(filters, sizeof(filters), "\"first_seen_since\":%lld", (long long)asking->middle_ms);
    query = add(asking, "first_seen_since", filters, admit_all, 0, PAGE_ROWS);
    query->by_time = true;
    query->first_seen_since_ms = asking->middle_ms;
    make_facets(asking);
}

/* --- What to ask for -------------------------------------------------------------------------- */

static bool see_vuln(void *ctx, const struct vuln_summary *vuln)
{
    struct asking *asking = ctx;

    if (vuln->images > asking->common_images) {
        asking->common_images = vuln->images;
        snprintf(asking->common, sizeof(asking->common), "%.*s", SLICE_FMT(vuln->vul_id));
    }
    if (asking->rare_images == 0 || vuln->images < asking->rare_images) {
        asking->rare_images = vuln->images;
        snprintf(asking->rare, sizeof(asking->rare), "%.*s", SLICE_FMT(vuln->vul_id));
    }
    return true;
}

static bool see_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct asking *asking = ctx;

    (void)counts;
    snprintf(asking->image_id, sizeof(asking->image_id), "%s", image->id);
    return false;
}

static int take_total(void *ctx, const struct affected_page *page, struct err *err)
{
    (void)err;
    *(uint64_t *)ctx = page->total;
    return 0;
}

/* Of the names that all base images have, the one with the most rows. */
static int choose_package(struct asking *asking, struct err *err)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < 30; i++) {
        char name[64];
        struct affected_query query = {
            .q = {.scope.type = -1, .codes = INDEX_ALL_CODES, .limit = PAGE_ROWS}};
        uint64_t rows = 0;

        snprintf(name, sizeof(name), "lib%05u", i);
        query.package_name = slice_of(name);
        if (fleet_affected(asking->fleet, asking->project, &query, take_total, &rows, err) < 0)
            return -1;
        if (rows < most)
            continue;
        most = rows;
        snprintf(asking->package, sizeof(asking->package), "%s", name);
    }
    return 0;
}

static int choose(struct asking *asking, uint64_t images, struct err *err)
{
    const struct index_scope all = {.type = -1};

    if (fleet_each_vuln(
            asking->fleet, asking->project, &all, INDEX_ALL_CODES, see_vuln, asking, err) < 0 ||
        choose_package(asking, err) < 0)
        return -1;
    return fleet_each_image(
        asking->fleet, asking->project, &all, (uint32_t)(images / 2), see_image, asking, err);
}

/* --- Asking ----------------------------------------------------------------------------------- */

static int take_page(void *ctx, const struct affected_page *page, struct err *err)
{
    struct asking *asking = ctx;

    (void)err;
    asking->rows = page->total;
    if (asking->count == 0 && page->count)
        asking->middle_ms = page->rows[0].first_scan_ms;
    for (size_t i = 0; i < page->count; i++)
        asking->checked += page->rows[i].vuln + page->rows[i].vul_id.len;
    return 0;
}

static int take_facets(void *ctx, const struct index_facets *facets, struct err *err)
{
    struct asking *asking = ctx;

    (void)err;
    asking->rows = facets->rows;
    asking->checked += facets->vulns + facets->images + facets->by_value[0].values;
    return 0;
}

static int ask(struct asking *asking, const struct question *question, struct err *err)
{
    if (question->facets)
        return fleet_facets(
            asking->fleet, asking->project, &question->query, take_facets, asking, err);
    return fleet_affected(asking->fleet, asking->project, &question->query, take_page, asking, err);
}

static int compare_times(const void *left, const void *right)
{
    int64_t a, b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

static int ask_often(
    struct asking *asking, const struct question *question, const char *before, struct err *err)
{
    static int64_t times[RUNS];
    int64_t began = now_ns();
    size_t runs = 0;

    while (runs < RUNS && (runs < 20 || now_ns() - began < RUN_LIMIT_MS * INT64_C(1000000))) {
        int64_t start = now_ns();

        if (ask(asking, question, err) < 0)
            return -1;
        times[runs++] = now_ns() - start;
    }
    qsort(times, runs, sizeof(times[0]), compare_times);
    printf("%s\n{\"name\":\"%s\",\"rows\":%llu,\"median_us\":%.2f,\"p99_us\":%.2f,\"filters\":{%s},"
           "\"offset\":%llu,\"limit\":%zu}",
        before, question->name, (unsigned long long)asking->rows, (double)times[runs / 2] / 1e3,
        (double)times[runs - 1 - runs / 100] / 1e3, question->filters,
        (unsigned long long)question->query.q.offset, question->query.q.limit);
    fflush(stdout);
    return 0;
}

/* The median of some puts, each committed and visible; -1 on failure. */
static double put_images(struct asking *asking, uint64_t images, struct err *err)
{
    int64_t times[PUTS];

    for (uint32_t i = 0; i < PUTS; i++) {
        struct world_image made;
        struct put_request request = {.report = &made.report, .place = &made.place};
        struct put_outcome outcome;
        int64_t began;
        int failed;

        if (world_make((uint32_t)images + i, &made, err) < 0)
            return -1;
        began = now_ns();
        failed = fleet_put_images(
            asking->fleet, asking->project, &request, 1, "bench-ask", &outcome, err);
        times[i] = now_ns() - began;
        report_release(&made.report);
        if (failed)
            return -1;
        if (outcome.failed) {
            *err = outcome.err;
            return -1;
        }
    }
    qsort(times, PUTS, sizeof(times[0]), compare_times);
    return (double)times[PUTS / 2] / 1e6;
}

/* --- What it takes ---------------------------------------------------------------------------- */

static uint64_t anonymous_bytes(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t kilobytes = 0;

    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, "RssAnon:", 8) == 0) {
            const char *digits = line + strcspn(line, "0123456789");

            (void)slice_to_u64((struct slice){digits, strspn(digits, "0123456789")}, &kilobytes);
        }
    if (status)
        fclose(status);
    return kilobytes * 1024;
}

static uint64_t database_bytes(const char *data)
{
    char path[4096];
    struct stat file;

    snprintf(path, sizeof(path), "%s/careen.db", data);
    return stat(path, &file) < 0 ? 0 : (uint64_t)file.st_size;
}

static int run(struct asking *asking, const char *data, bool puts, struct err *err)
{
    struct question all = {
        .query.q = {.scope.type = -1, .codes = INDEX_ALL_CODES, .limit = PAGE_ROWS}};
    int64_t began = now_ns();
    struct fleet_size size;
    double start_s, put_ms = 0, findings;
    uint64_t bytes;

    asking->fleet = fleet_open(data, puts ? STORE_WRITE : STORE_READ, err);
    if (!asking->fleet ||
        fleet_find_project(asking->fleet, SLICE("default"), &asking->project, err) < 0 ||
        fleet_load(asking->fleet, asking->project, err) < 0 || ask(asking, &all, err) < 0)
        return -1;
    start_s = (double)(now_ns() - began) / 1e9;
    bytes = anonymous_bytes();
    if (fleet_size(asking->fleet, asking->project, &size, err) < 0 ||
        choose(asking, size.index.images, err) < 0)
        return -1;
    all.query.q.offset = size.index.findings / 2;
    if (ask(asking, &all, err) < 0)
        return -1;
    make_questions(asking, size.index.findings);
    make_extensions(asking, size.index.findings);
    for (size_t i = 0; i < asking->count; i++) {
        const char *before = i == 0                    ? "{\"queries\":["
                             : i == asking->extensions ? "],\n\"extensions\":["
                                                       : ",";

        if (ask_often(asking, &asking->questions[i], before, err) < 0)
            return -1;
    }
    if (puts && (put_ms = put_images(asking, size.index.images, err)) < 0)
        return -1;
    findings = size.index.findings ? (double)size.index.findings : 1;
    printf("],\n\"limits\":{\"findings\":%llu,\"images\":%llu,\"rss_bytes_per_finding\":%.2f,"
           "\"db_bytes_per_finding\":%.2f,\"start_s\":%.3f,\"put_image_ms\":",
        (unsigned long long)size.index.findings, (unsigned long long)size.index.images,
        (double)bytes / findings, (double)database_bytes(data) / findings, start_s);
    if (puts)
        printf("%.3f}}\n", put_ms);
    else
        printf("null}}\n");
    return 0;
}

int main(int argc, char **argv)
{
    static struct asking asking;
    bool puts = argc == 3 && strcmp(argv[1], "--put") == 0;
    struct err err = {0};
    int failed;

    if (argc != 2 && !puts) {
        fprintf(stderr, "usage: bench-ask [--put] DATA\n");
        return 2;
    }
    failed = run(&asking, argv[argc - 1], puts, &err);
    fleet_close(asking.fleet);
    if (failed)
        fprintf(stderr, "bench-ask: %s\n", err.message);
    return failed ? 1 : 0;
}
