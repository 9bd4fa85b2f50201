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
        .q = {.scope = {.type = -1}, .codes = INDEX_ALL_CODES, .limit = LIMIT_PAGE_MAX},
        .vul_id = name};

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

/* Does naming `more`, too, reach rows that `names` do not reach? */
static int adds_rows(const struct deciding_line *line, const struct slice *names, size_t count,
    struct slice more, bool *ret, struct err *err)
{
    struct arena arena CLEANUP(arena_release);
    struct slice *all;
    uint64_t without, with;

    arena_init(&arena, "the names of vulnerabilities", 256UL << 20);
    all = arena_alloc_array(&arena, count + 1, sizeof(*all), err);
    if (!all)
        return -1;
    memcpy(all, names, count * sizeof(*all));
    all[count] = more;
    if (count_reached(line, all, count, &without, err) < 0 ||
        count_reached(line, all, count + 1, &with, err) < 0)
        return -1;
    *ret = with > without;
    return 0;
}

/* Keeps of the names found those that the command line does not reach: advisories that cover. The
 * name alone is asked first: that is cheap, and nearly always enough. */
static int keep_covering(
    const struct deciding_line *line, struct slice name, struct found *found, struct err *err)
{
    const struct decision_request *request = &line->request;
    size_t kept = 0;

    for (size_t i = 0; i < found->count; i++) {
        bool adds = !slice_eq(found->at[i], name);

        if ((adds && adds_rows(line, &name, 1, found->at[i], &adds, err) < 0) ||
            (adds && request->vul_count > 1 &&
                adds_rows(line, request->vuls, request->vul_count, found->at[i], &adds, err) < 0))
            return -1;
        if (adds)
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

static int warn_of(const struct deciding_line *line, struct slice name, struct arena *arena,
    bool *ret_said, struct err *err)
{
    struct found found = {.arena = arena};
    uint64_t own = 0;

    if (find_names(line, name, &found, err) < 0)
        return -1;
    if (found.count == 0) {
        fprintf(stderr, "careen %s: nothing in this project has %.*s now: is the name right?\n",
            line->command, SLICE_FMT(name));
        *ret_said = true;
        return 0;
    }
    if (keep_covering(line, name, &found, err) < 0)
        return -1;
    if (found.count == 0)
        return 0;
    if (count_reached(line, &name, 1, &own, err) < 0)
        return -1;
    fprintf(stderr, "careen %s: %.*s is %scovered by ", line->command, SLICE_FMT(name),
        own ? "also " : "only ");
    list_names(&found);
    fputs(", whose rows stay as they are: name that, too, to reach them\n", stderr);
    *ret_said |= own == 0;
    return 0;
}

int deciding_warn(const struct deciding_line *line, bool *ret_said, struct err *err)
{
    const struct decision_request *request = &line->request;
    struct arena arena CLEANUP(arena_release);

    arena_init(&arena, "the names of vulnerabilities", 256UL << 20);
    for (size_t i = 0; i < request->vul_count && i < NAMES_CHECKED; i++)
        if (warn_of(line, request->vuls[i], &arena, ret_said, err) < 0)
            return -1;
    return 0;
}
