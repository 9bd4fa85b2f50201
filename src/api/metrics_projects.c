/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics_projects.h. First all is gathered, then written family by family, as the format wants
 * it. */
#include "api/metrics_projects.h"

#include "api/prometheus.h"
#include "base/cleanup.h"
#include "model/words.h"

/* Images are walked in pieces of so many: nobody who wants to write waits for longer. */
enum { WALK_CHUNK = 4096 };

struct project_figures {
    struct slice id;
    uint32_t number;
    struct access access;
    bool loaded;
    uint64_t images, by_code[INDEX_CODES];
    int64_t newest_ms; /* report; -1: there is none */
    struct fleet_size size;
};

/* --- Gathering -------------------------------------------------------------------------------- */

struct walk {
    struct project_figures *into;
    uint32_t last;
    size_t count;
};

static bool add_image(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    struct walk *walk = ctx;
    struct project_figures *into = walk->into;

    into->images++;
    for (size_t code = 0; code < INDEX_CODES; code++)
        into->by_code[code] += counts[code];
    if (image->latest_scan_ms > into->newest_ms)
        into->newest_ms = image->latest_scan_ms;
    walk->last = image->number;
    return ++walk->count < WALK_CHUNK;
}

/* A project that cannot be read now is one that is not loaded. ERR_NOMEM and the like are told. */
static int gather(struct fleet *fleet, struct project_figures *into, struct err *err)
{
    const struct index_scope scope = {.type = -1,
        .enterprise_projects = into->access.enterprise_projects,
        .enterprise_project_count = into->access.enterprise_project_count};
    struct walk walk = {.into = into};
    struct err busy = {0};

    into->newest_ms = -1;
    if (fleet_size(fleet, into->number, &into->size, &busy) < 0)
        return 0;
    into->loaded = true;
    do {
        walk.count = 0;
        if (fleet_each_image(fleet, into->number, &scope, walk.last, add_image, &walk, &busy) < 0) {
            if (busy.code != ERR_LOADING) {
                *err = busy;
                return -1;
            }
            into->loaded = false; /* dropped just now */
            return 0;
        }
    } while (walk.count == WALK_CHUNK);
    return 0;
}

static int every_project(
    struct call *call, struct project_figures **ret, size_t *ret_count, struct err *err)
{
    struct ids numbers CLEANUP(ids_release) = {0};
    struct arena *arena = &call->request->arena;
    struct project_figures *at;

    if (fleet_projects(call->service->fleet, &numbers, err) < 0)
        return -1;
    at = arena_alloc_array(arena, numbers.count + 1, sizeof(*at), err);
    if (!at)
        return -1;
    for (size_t i = 0; i < numbers.count; i++) {
        at[i].number = numbers.at[i];
        at[i].access = (struct access){.any = true, .all = true};
        if (fleet_project_id(call->service->fleet, numbers.at[i], arena, &at[i].id, err) < 0)
            return -1;
    }
    *ret = at;
    *ret_count = numbers.count;
    return 0;
}

static int projects_of_caller(
    struct call *call, struct project_figures **ret, size_t *ret_count, struct err *err)
{
    struct principals *principals = call->service->principals;
    struct arena *arena = &call->request->arena;
    struct known_project *known;
    struct project_figures *at;
    size_t count, kept = 0;

    if (principals_projects(principals, &call->principal, arena, &known, &count, err) < 0)
        return -1;
    at = arena_alloc_array(arena, count + 1, sizeof(*at), err);
    if (!at)
        return -1;
    for (size_t i = 0; i < count; i++) {
        at[kept].number = known[i].number;
        at[kept].id = known[i].id;
        if (principals_access(principals, &call->principal, known[i].number, ROLE_VIEWER, arena,
                &at[kept].access, err) < 0)
            return -1;
        kept += at[kept].access.any; /* taken away a moment ago */
    }
    *ret = at;
    *ret_count = kept;
    return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static void write_findings(struct buf *out, const struct project_figures *of)
{
    for (int severity = 0; severity < NECESSITY_COUNT; severity++)
        for (int handled = 0; handled < 2; handled++) {
            const struct prom_label labels[] = {{"project", of->id},
                {"severity", slice_of(words_name(&necessity_words, severity))},
                {"handled", handled ? SLICE("true") : SLICE("false")}, {NULL, SLICE_NONE}};
            uint64_t count = 0;

            for (unsigned code = 0; code < INDEX_CODES; code++)
                if ((int)index_code_necessity((uint8_t)code) == severity &&
                    index_code_handled((uint8_t)code) == (handled != 0))
                    count += of->by_code[code];
            prom_sample(out, "careen_findings", labels, count);
        }
}

enum figure {
    FIGURE_LOADED,
    FIGURE_IMAGES,
    FIGURE_FINDINGS,
    FIGURE_NEWEST,
    FIGURE_VULNS,
    FIGURE_DECISIONS,
    FIGURE_BYTES
};

static const struct {
    const char *name, *help;
    bool whole; /* of the project, not of a part that a caller may see */
} figures[] = {
    [FIGURE_LOADED] = {"careen_project_loaded",
        "Whether the project's index is in memory and kept up.", false},
    [FIGURE_IMAGES] = {"careen_images", "Images.", false},
    [FIGURE_FINDINGS] = {"careen_findings",
        "Rows of the answer: vulnerabilities of images, by severity, handled or not.", false},
    [FIGURE_NEWEST] = {"careen_newest_report_timestamp_seconds",
        "When the newest report of an image was made, since the epoch.", false},
    [FIGURE_VULNS] = {"careen_vulnerabilities", "Distinct vulnerabilities with findings.", true},
    [FIGURE_DECISIONS] = {"careen_decisions", "Decisions in force.", true},
    [FIGURE_BYTES] = {"careen_index_bytes", "Memory of the project's index, estimated.", true},
};
enum { FIGURES = sizeof(figures) / sizeof(figures[0]) };

static void write_figure(struct buf *out, const struct project_figures *of, enum figure figure)
{
    const struct prom_label labels[] = {{"project", of->id}, {NULL, SLICE_NONE}};
    const char *name = figures[figure].name;

    switch (figure) {
    case FIGURE_LOADED:
        prom_sample(out, name, labels, of->loaded);
        break;
    case FIGURE_IMAGES:
        prom_sample(out, name, labels, of->images);
        break;
    case FIGURE_FINDINGS:
        write_findings(out, of);
        break;
    case FIGURE_NEWEST:
        if (of->newest_ms >= 0)
            prom_sample_micro(out, name, labels, of->newest_ms * 1000);
        break;
    case FIGURE_VULNS:
        prom_sample(out, name, labels, of->size.index.vulns);
        break;
    case FIGURE_DECISIONS:
        prom_sample(out, name, labels, of->size.decisions);
        break;
    case FIGURE_BYTES:
    default:
        prom_sample(out, name, labels, of->size.index.bytes);
        break;
    }
}

static void write_all(struct buf *out, const struct project_figures *at, size_t count)
{
    for (size_t figure = 0; figure < FIGURES; figure++) {
        prom_gauge(out, figures[figure].name, figures[figure].help);
        for (size_t i = 0; i < count; i++)
            if (figure == FIGURE_LOADED ||
                (at[i].loaded && (at[i].access.all || !figures[figure].whole)))
                write_figure(out, &at[i], (enum figure)figure);
    }
}

int metrics_write_projects(struct call *call, struct err *err)
{
    bool open = service_options(call->service)->metrics_open;
    struct project_figures *at = NULL;
    size_t count = 0;

    if ((open ? every_project : projects_of_caller)(call, &at, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (gather(call->service->fleet, &at[i], err) < 0)
            return -1;
    write_all(&call->response->body, at, count);
    return 0;
}
