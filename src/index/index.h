/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of one project: its findings in memory, in image space.
 *
 * Images have ordinals 0, 1, 2, ... in order of arrival (ascending image number). Then
 *
 *   - every value of an image attribute (type, registry, cluster, ...) is a set of ordinals;
 *   - every vulnerability has, for each code that occurs, the set of ordinals it affects with that
 *     code;
 *   - every ordinal has its vulnerabilities, ascending, with a code beside each, and the count of
 *     each of the 64 codes.
 *
 *     code (6 bits):  [ handled | ignored | fixable | type | necessity : 2 ]
 *
 * A query with vulnerabilities intersects their sets with those of the attributes; a query without
 * adds up the counts of the admitted codes over the matching ordinals, walks to the offset by those
 * counts, and opens only the images on the page. Totals are exact. Rows are ordered by image
 * number, then vulnerability number.
 *
 * The index knows numbers and attributes, not names of vulnerabilities, claims or the store: fleet/
 * derives what goes in. It is not locked here: one writer, or many readers. Slices returned by
 * queries point into the index and are valid until its next change.
 */
#ifndef CAREEN_INDEX_INDEX_H
#define CAREEN_INDEX_INDEX_H

#include "base/array.h"
#include "base/limits.h"
#include "model/image.h"

struct index;

/* Bit masks of codes are uint64_t. */
enum { INDEX_CODES = 64 };
#define INDEX_ALL_CODES UINT64_MAX

/* fixable: one of the row's packages has a version that fixes the vulnerability. */
static inline uint8_t index_code(
    enum necessity necessity, enum vul_type type, bool fixable, bool ignored, bool handled)
{
    return (uint8_t)((unsigned)necessity | (unsigned)type << 2 | (unsigned)fixable << 3 |
                     (unsigned)ignored << 4 | (unsigned)handled << 5);
}

static inline enum necessity index_code_necessity(uint8_t code)
{
    return (enum necessity)(code & 3);
}

static inline enum vul_type index_code_type(uint8_t code)
{
    return (enum vul_type)(code >> 2 & 1);
}

static inline bool index_code_fixable(uint8_t code)
{
    return (code >> 3 & 1) != 0;
}

static inline bool index_code_ignored(uint8_t code)
{
    return (code >> 4 & 1) != 0;
}

static inline bool index_code_handled(uint8_t code)
{
    return (code >> 5 & 1) != 0;
}

struct index_finding {
    uint32_t vuln; /* vuln_number() */
    uint8_t code;  /* index_code(); its type bit equals the vulnerability's */
    int64_t first_scan_ms;
    /* The names of its packages, as numbers of the caller's: ascending, no duplicates, any number
     * of them. Rows are found by them (index_query.by_package). */
    const uint32_t *names;
    uint32_t name_count;
};

struct index *index_new(struct err *err);
void index_free(struct index *index); /* accepts NULL */

/* Adds an image or replaces the one with its number, attributes and findings whole. `findings` must
 * be strictly ascending by vuln. Everything is copied. A new number may come in any order (loading
 * brings them ascending, which is fast). ERR_LIMIT above LIMIT_IMAGE_FINDINGS, ERR_NOMEM; the index
 * is unchanged then. Cost: the image's own findings, old and new. */
int index_put(struct index *index, const struct image *image, const struct index_finding *findings,
    size_t count, struct err *err);
/* Between the two, images are put in that are new, ascending by number, and nothing else is done:
 * what many puts have in common is done once, in the end. */
void index_begin_filling(struct index *index);
void index_end_filling(struct index *index);
/* Gives one finding another code. Nothing happens when the image has no such finding. ERR_INVALID
 * when the necessity, the type or fixable would change, ERR_NOMEM; the index is unchanged then.
 * Cost: the two sets of the vulnerability's posting. */
int index_recode(
    struct index *index, uint32_t number, uint32_t vuln, uint8_t code, struct err *err);
/* Nothing happens when the number is not there. */
void index_remove(struct index *index, uint32_t number);

/* --- Queries ---------------------------------------------------------------------------------- */

/* Any of these, equal ones allowed; count 0: all. */
struct index_values {
    const struct slice *at;
    size_t count;
};

/* Which images: all given conditions hold. An empty slice, and -1, admit all. Exact comparisons,
 * case-sensitive, but for name_part, which is a substring of the image's name. */
struct index_scope {
    const struct slice *enterprise_projects; /* any of these; NULL with count 0: all */
    size_t enterprise_project_count;
    int type; /* enum image_type or -1 */
    struct slice image_id, name_part, registry_name, registry_type, cluster_id;
    /* Any of several. Beside a single one of the same attribute, both must hold. */
    uint32_t types; /* bit mask of enum image_type; 0: all */
    struct index_values image_ids, registry_names, registry_types, cluster_ids;
    bool only_latest, running; /* latest of its line; has running containers */
};

/* What rows are sorted by; those that are equal by image number, then vulnerability number, in both
 * directions. Unknown containers (-1) stand below none. */
enum index_sort {
    INDEX_SORT_IMAGE, /* by image number alone; has one direction */
    INDEX_SORT_SEVERITY,
    INDEX_SORT_IMAGE_NAME, /* by its bytes */
    INDEX_SORT_LATEST_SCAN,
    INDEX_SORT_CONTAINERS,
};

struct index_query {
    struct index_scope scope;
    uint64_t codes;        /* bit mask of admitted codes */
    bool by_vuln;          /* only the vulnerabilities below (none: no rows) */
    const uint32_t *vulns; /* any order, no duplicates */
    size_t vuln_count;
    bool by_package; /* only rows of which one package has this name; by_vuln may be given, too */
    uint32_t package;
    bool by_time; /* only rows first seen then or later */
    int64_t first_seen_since_ms;
    enum index_sort sort;
    bool descending;
    /* Rows behind the one with this key, whatever offset says and whether it is still there: a walk
     * through the pages neither repeats nor skips rows of images that stay as they are. */
    bool by_cursor;
    uint32_t after_image, after_vuln;
    int64_t after_value;     /* index_row_value(); not for names */
    struct slice after_name; /* with INDEX_SORT_IMAGE_NAME */
    uint64_t offset;
    size_t limit; /* 1 .. LIMIT_PAGE_MAX */
};

struct index_row {
    const struct image *image; /* in the index */
    uint32_t vuln;
    uint8_t code;
    int64_t first_scan_ms;
};

struct index_page {
    uint64_t total; /* all rows that match, wherever the page starts */
    size_t count;
    bool more; /* rows follow behind the last one of the page */
    struct index_row rows[LIMIT_PAGE_MAX];
};

/* What a row is sorted by, for a cursor; 0 where that is no number. */
int64_t index_row_value(const struct index_row *row, enum index_sort sort);

/* Sorting by an attribute of images makes its order when it is asked for first, in time n log n for
 * the images there are; changes keep it up from then on.
 *
 * Cannot fail for want of memory but by ERR_NOMEM. Any number of threads at once, while no one
 * changes the index. */
int index_query(const struct index *index, const struct index_query *query, struct index_page *ret,
    struct err *err);

/* --- Facets -----------------------------------------------------------------------------------
 *
 * What the rows of a query are, beside its pages: how many have each value of each filter, within
 * all of the query's filters. Order, cursor, offset and limit of the query do not matter. */

enum { INDEX_FACET_VALUES = 100 };

struct index_facet_value {
    struct slice text; /* in the index */
    uint64_t rows;     /* not 0 */
};

/* Of an attribute that is a text. Rows of images where it is empty are in none. */
struct index_facet {
    uint64_t values; /* how many have rows */
    size_t count;    /* of them below: those with the most rows first, then by their bytes */
    struct index_facet_value at[INDEX_FACET_VALUES];
};

enum index_facet_id {
    INDEX_FACET_ENTERPRISE_PROJECT,
    INDEX_FACET_REGISTRY_TYPE,
    INDEX_FACET_REGISTRY_NAME,
    INDEX_FACET_CLUSTER_ID,
    INDEX_FACET_COUNT
};

struct index_facets {
    uint64_t rows, images, vulns; /* all rows; distinct images and vulnerabilities with a row */
    uint64_t containers;          /* that run, over those images; unknown ones as 0 */
    uint64_t by_code[INDEX_CODES];
    uint64_t by_image_type[IMAGE_TYPE_COUNT];
    struct index_facet by_value[INDEX_FACET_COUNT];
};

/* Some kilobytes are written. ERR_NOMEM. */
int index_facets(const struct index *index, const struct index_query *query,
    struct index_facets *ret, struct err *err);

/* --- Images and vulnerabilities --------------------------------------------------------------- */

/* Images in a scope, and what they hold. */
struct index_counts {
    uint64_t images;
    uint64_t by_assessment[ASSESSMENT_COUNT]; /* images */
    uint64_t by_code[INDEX_CODES];            /* findings */
};
int index_count(const struct index *index, const struct index_scope *scope,
    struct index_counts *ret, struct err *err);

/* Walks the images of a scope in order, those with number > after; fn returning false stops.
 * counts[code] are the image's findings. */
typedef bool (*index_image_fn)(
    void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES]);
int index_each_image(const struct index *index, const struct index_scope *scope, uint32_t after,
    index_image_fn fn, void *ctx, struct err *err);

/* Walks the vulnerabilities that have rows in a scope with an admitted code, ascending by number.
 * images: how many (a vulnerability has one row an image); worst: the worst necessity among them;
 * containers: the sum over those images, unknown ones as 0. */
struct index_vuln {
    uint32_t vuln;
    uint64_t images;
    enum necessity worst;
    uint64_t containers;
};
typedef bool (*index_vuln_fn)(void *ctx, const struct index_vuln *vuln);
int index_each_vuln(const struct index *index, const struct index_scope *scope, uint64_t codes,
    index_vuln_fn fn, void *ctx, struct err *err);

/* The numbers of the images that have this vulnerability, appended to *ret; for re-deriving them.
 */
int index_images_of(const struct index *index, uint32_t vuln, struct ids *ret, struct err *err);
/* The image of this number, or NULL; its findings (valid until the next change). */
const struct image *index_find(const struct index *index, uint32_t number);
size_t index_findings(const struct index *index, uint32_t number, const uint32_t **ret_vulns,
    const uint8_t **ret_codes);
/* The names of packages that a row has, ascending; valid until the next change. */
size_t index_names(const struct index *index, uint32_t number, uint32_t vuln, const uint32_t **ret);

/* Totals of the whole index, kept up to date; O(1). */
struct index_size {
    uint64_t images, findings, vulns;
    uint64_t bytes; /* estimate of the memory held */
};
void index_size(const struct index *index, struct index_size *ret);

/* Checks every invariant (sets against lists, counts against codes, order, totals). NULL, or a
 * static text saying which one does not hold. Slow; for tests, fuzzers and `careen doctor`. */
const char *index_validate(const struct index *index);

#endif
