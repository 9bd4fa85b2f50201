/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision about a name that no row goes by is made, since images with it may come, but it may
 * be a slip. A CVE that only distributors' advisories cover is the likeliest one: `careen affected`
 * finds their rows by it, and a decision about it does not reach them.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "cli/deciding.h"

/* Vulnerabilities that are looked at, and advisories that are named for each. */
enum { NAMES_CHECKED = 50, ADVISORIES_NAMED = 5 };

/* The vul_ids of the rows that a name finds. */
struct found {
    struct arena *arena;
    struct slice at[ADVISORIES_NAMED + 1];
    size_t count;
    uint32_t last_image, last_vuln;
    bool more;
};

static bool has_name(const struct found *found, struct slice name)
{
    for (size_t i = 0; i < found->count; i++)
        if (slice_eq(found->at[i], name))
            return true;
    return false;
}

static int take_names(void *ctx, const struct affected_page *page, struct err *err)
{
    struct found *found = ctx;

    for (size_t i = 0; i < page->count && found->count <= ADVISORIES_NAMED; i++)
        if (!has_name(found, page->rows[i].vul_id) &&
            arena_dup(found->arena, page->rows[i].vul_id, &found->at[found->count++], err) < 0)
            return -1;
    found->more = page->more && page->count && found->count <= ADVISORIES_NAMED;
    if (page->count) {
        found->last_image = page->rows[page->count - 1].image->number;
        found->last_vuln = page->rows[page->count - 1].vuln;
    }
    return 0;
}

static int find_names(
    const struct deciding_line *line, struct slice name, struct found *found, struct err *err)
{
    struct affected_query query = {
        .q = {.scope = {.type = -1}, .codes = UINT32_MAX, .limit = LIMIT_PAGE_MAX}, .vul_id = name};

    do {
        if (fleet_affected(line->fleet, line->project, &query, take_names, found, err) < 0)
            return -1;
        query.q.by_cursor = true;
        query.q.after_image = found->last_image;
        query.q.after_vuln = found->last_vuln;
    } while (found->more);
    return 0;
}

/* How many rows of the whole project a decision about these names would lie over. */
static int count_reached(const struct deciding_line *line, const struct slice *names, size_t count,
    uint64_t *ret, struct err *err)
{
    const struct decision_request request = {.action = DECISION_IGNORE,
        .vuls = names,
        .vul_count = count,
        .handled = -1,
        .type = -1,
        .image_type = -1};
    const struct deciding deciding = {.author = line->deciding.author};
    struct decision_outcome outcome = {0};

    if (fleet_preview_decision(
            line->fleet, line->project, &request, 1, &deciding, NULL, NULL, &outcome, err) < 0)
        return -1;
    ids_release(&outcome.numbers);
    *ret = outcome.reached;
    return 0;
}

/* Keeps of the names found those that the command line does not reach: advisories that cover. */
static int keep_covering(
    const struct deciding_line *line, uint64_t reached, struct found *found, struct err *err)
{
    size_t count = line->request.vul_count, kept = 0;
    struct slice *names = arena_alloc_array(found->arena, count + 1, sizeof(*names), err);
    uint64_t with;

    if (!names)
        return -1;
    memcpy(names, line->request.vuls, count * sizeof(*names));
    for (size_t i = 0; i < found->count; i++) {
        names[count] = found->at[i];
        if (count_reached(line, names, count + 1, &with, err) < 0)
            return -1;
        if (with > reached)
            found->at[kept++] = found->at[i];
    }
    found->count = kept;
    return 0;
}

static void list_names(const struct found *found)
{
    for (size_t i = 0; i < found->count && i < ADVISORIES_NAMED; i++)
        fprintf(stderr, "%s%.*s", i ? ", " : "", SLICE_FMT(found->at[i]));
    fputs(found->count > ADVISORIES_NAMED ? ", ..." : "", stderr);
}

static int warn_of(const struct deciding_line *line, struct slice name, uint64_t reached,
    struct arena *arena, bool *ret_said, struct err *err)
{
    struct found found = {.arena = arena};
    uint64_t own;

    if (count_reached(line, &name, 1, &own, err) < 0 || find_names(line, name, &found, err) < 0 ||
        keep_covering(line, reached, &found, err) < 0)
        return -1;
    if (own && found.count == 0)
        return 0;
    fprintf(stderr, "careen %s: ", line->command);
    if (found.count == 0) {
        fprintf(
            stderr, "nothing in this project has %.*s now: is the name right?\n", SLICE_FMT(name));
    } else {
        fprintf(stderr, "%.*s is also covered by ", SLICE_FMT(name));
        list_names(&found);
        fputs(", whose rows stay as they are: name that, too, to reach them\n", stderr);
    }
    *ret_said |= own == 0;
    return 0;
}

int deciding_warn(const struct deciding_line *line, bool *ret_said, struct err *err)
{
    const struct decision_request *request = &line->request;
    struct arena arena CLEANUP(arena_release);
    uint64_t reached = 0;

    arena_init(&arena, "the names of vulnerabilities", 256UL << 20);
    if (request->vul_count &&
        count_reached(line, request->vuls, request->vul_count, &reached, err) < 0)
        return -1;
    for (size_t i = 0; i < request->vul_count && i < NAMES_CHECKED; i++)
        if (warn_of(line, request->vuls[i], reached, &arena, ret_said, err) < 0)
            return -1;
    return 0;
}
