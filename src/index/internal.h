/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the index share.
 *
 *   - blocks: 256 ordinals each: image number, entry, the counts by code (counts.c) and the values
 *     that facets count by; sums of the counts by block;
 *   - entry: one image with its findings: struct image, and one piece of memory
 *     [ times : 8 | vulns : 4 | time of each : 0, 1 or 2 | codes : 1 ];
 *   - attributes: strings shared by images, counted; those filtered by carry a set of ordinals,
 *     those of many images a tally: the sums of the images' counts by block;
 *   - postings: vulnerability -> {code, set of ordinals}, and for each of these ordinals a variant:
 *     the names of the packages that the row is due to (variants.c); name -> vulnerabilities
 *     (packages.c).
 *
 * Numbers ascend with ordinals. An image that goes leaves a hole: its ordinal keeps the number (so
 * that it may come back) but has no entry, no counts, and is in no set.
 *
 * A change has two phases: everything that may fail (prepare) leaves the content as it is, and what
 * follows cannot fail. Nothing here is changed by a read.
 */
#ifndef CAREEN_INDEX_INTERNAL_H
#define CAREEN_INDEX_INTERNAL_H

#include "base/map.h"
#include "index/idset.h"
#include "index/index.h"

/* --- Attributes ------------------------------------------------------------------------------- */

/* Sums of the counts of a value's images, by block. */
struct tally {
    uint64_t totals[INDEX_CODES];
    size_t blocks; /* no image of the value is in those behind */
    uint32_t sums[][INDEX_CODES];
};

/* One string. Alive while images refer to it. */
struct value {
    uint32_t refs;
    uint32_t len;
    union {
        uint32_t line;       /* of a name: in struct names */
        struct tally *tally; /* where table_has_tallies(); owned, may be NULL */
    } as;
    struct idset set; /* ordinals whose image has it; empty in TABLE_TEXT */
    char text[];
};

struct table_place {
    struct value *value; /* NULL: free */
    uint32_t next_free;
};

/* How many images of a value are of each type. */
struct type_counts {
    uint32_t of[IMAGE_TYPE_COUNT];
};

struct table {
    struct map ids;
    struct table_place *places;
    struct type_counts *types; /* by place; none in TABLE_TEXT */
    size_t count, cap;         /* places in use or free; room */
    size_t types_cap;
    uint32_t first_free;
};

enum table_id {
    TABLE_ENTERPRISE_PROJECT,
    TABLE_REGISTRY_TYPE,
    TABLE_REGISTRY_NAME,
    TABLE_CLUSTER_ID,
    TABLE_NAME,
    TABLE_TEXT, /* what is not filtered by */
    TABLE_COUNT
};

/* Those whose values are compared whole. */
static inline bool table_has_tallies(enum table_id table)
{
    return table <= TABLE_CLUSTER_ID;
}

enum { FIELD_COUNT = 12 };

/* A string of struct image that is kept in a table. */
struct field {
    size_t offset; /* of the slice in struct image */
    enum table_id table;
};
extern const struct field attribute_fields[FIELD_COUNT];

struct name_line {
    size_t start;   /* in text; the end is the next one's start */
    uint32_t place; /* in TABLE_NAME, or NAMES_DEAD */
};

/* All names in one text, to be searched for a part. */
struct names {
    char *text;
    size_t len, cap;
    struct name_line *lines;
    size_t count, line_cap;
    size_t dead_bytes, dead_lines;
};

#define NAMES_DEAD UINT32_MAX

struct attributes {
    struct table tables[TABLE_COUNT];
    struct names names;
    struct idset types[IMAGE_TYPE_COUNT];
    struct idset assessments[ASSESSMENT_COUNT];
    struct idset live;    /* ordinals that hold an image */
    struct idset latest;  /* those whose image is the latest of its line */
    struct idset running; /* those whose image runs in a container */
    struct tally *type_tallies[IMAGE_TYPE_COUNT], *latest_tally, *running_tally; /* may be NULL */
    size_t bytes; /* estimate of the memory of values, sets and tallies */
};

struct entry;

void attributes_init(struct attributes *attributes);
void attributes_release(struct attributes *attributes);
struct slice value_text(const struct value *value);
/* The place of the value of this text, or MAP_NONE. */
uint32_t table_place(const struct table *table, struct slice text);
/* The value of this text, or NULL. */
const struct value *table_find(const struct table *table, struct slice text);
const struct value *attributes_value(
    const struct attributes *attributes, size_t field, uint32_t id);

/* Takes references to all strings of entry->image and points the image's slices at them. */
int attributes_acquire(struct attributes *attributes, struct entry *entry, struct err *err);
/* Gives those references back. */
void attributes_drop(struct attributes *attributes, const struct entry *entry);
/* Before entry comes to an ordinal in the place of `old` (or NULL): makes room in the sets. */
int attributes_prepare(struct attributes *attributes, const struct entry *old,
    const struct entry *entry, struct err *err);
/* `old` goes (may be NULL), `entry` comes (may be NULL). */
void attributes_apply(struct attributes *attributes, uint32_t ordinal, const struct entry *old,
    const struct entry *entry);
void attributes_move(
    struct attributes *attributes, const struct entry *entry, uint32_t from, uint32_t to);
/* NULL, or what is wrong with tables and sets by themselves. */
const char *attributes_validate(const struct attributes *attributes);

void names_release(struct names *names);
/* Makes one names_add() of so many bytes infallible. */
int names_prepare(struct names *names, size_t len, struct err *err);
/* Returns the name's line. */
uint32_t names_add(struct names *names, struct slice name, uint32_t place);
void names_remove(struct names *names, uint32_t line, struct table *table);
/* The place of the next name from *line on that has the part (not empty) in it; *line goes behind
 * it. False when there is none. */
bool names_next(const struct names *names, struct slice part, size_t *line, uint32_t *ret_place);
const char *names_validate(const struct names *names, const struct table *table);

/* --- Entries ---------------------------------------------------------------------------------- */

struct entry {
    struct image image;
    uint32_t values[FIELD_COUNT]; /* ids in the tables */
    uint32_t count;               /* findings */
    uint32_t time_count;          /* distinct first_scan_ms */
    int64_t *findings;            /* owned; NULL when count is 0 */
    char digests[];               /* the texts of digest and config_digest */
};

/* A copy of the image, its findings packed; the strings of the tables still point at the caller's.
 */
struct entry *entry_new(
    const struct image *image, const struct index_finding *findings, size_t count, struct err *err);
void entry_free(struct entry *entry); /* accepts NULL; the strings of the tables are not its own */
const uint32_t *entry_vulns(const struct entry *entry);
const uint8_t *entry_codes(const struct entry *entry);
void entry_set_code(struct entry *entry, size_t finding, uint8_t code);
int64_t entry_oldest_ms(const struct entry *entry); /* 0 without findings; accepts NULL */
int64_t entry_newest_ms(const struct entry *entry);
int64_t entry_first_scan_ms(const struct entry *entry, size_t finding);
/* Which findings were first seen since a time, as many are asked: those whose place among the
 * ascending times is not before `first`. */
struct entry_since {
    const uint8_t *places; /* of the findings, `width` bytes each */
    size_t width, first;
};
struct entry_since entry_since(const struct entry *entry, int64_t since_ms);
static inline bool entry_is_since(const struct entry_since *since, size_t finding)
{
    uint16_t wide;

    if (since->width <= 1)
        return (since->width ? since->places[finding] : 0u) >= since->first;
    memcpy(&wide, since->places + finding * sizeof(wide), sizeof(wide));
    return wide >= since->first;
}
size_t entry_bytes(const struct entry *entry);
/* Position of the first finding with a vulnerability >= vuln. */
size_t entry_find(const struct entry *entry, uint32_t vuln);

/* --- Names of packages ------------------------------------------------------------------------ */

struct named {
    uint32_t name;
    struct idset vulns; /* not empty */
};

struct packages {
    struct name_list **lists; /* of variants with several names; NULL: a free place */
    size_t list_count, list_cap;
    struct ids free_lists; /* places; has room for all */
    struct map list_ids;   /* names -> place in lists */
    struct named *named;
    size_t named_count, named_cap;
    struct map named_ids; /* name -> place in named */
    size_t bytes;         /* estimate of the memory of lists and sets */
};

/* A variant is a name's number, or from here on a list's place. */
#define VARIANT_LISTS UINT32_C(0x80000000)
#define VARIANT_NONE UINT32_MAX /* no name */
#define VARIANT_UNSET (UINT32_MAX - 1)

struct variant_names {
    const uint32_t *at; /* ascending */
    uint32_t count;
};

/* The variant of these names, held until variant_drop(). */
int variant_acquire(struct packages *packages, const uint32_t *names, uint32_t count, uint32_t *ret,
    struct err *err);
void variant_hold(struct packages *packages, uint32_t variant);
void variant_drop(struct packages *packages, uint32_t variant);
/* They point into *variant or the packages. */
struct variant_names variant_names(const struct packages *packages, const uint32_t *variant);
bool variant_has(const struct packages *packages, uint32_t variant, uint32_t name);
/* The vulnerabilities that a name has, or NULL. */
const struct idset *packages_vulns(const struct packages *packages, uint32_t name);
/* Nothing is left behind on failure. */
int packages_enter(struct packages *packages, uint32_t name, uint32_t vuln, struct err *err);
void packages_leave(struct packages *packages, uint32_t name, uint32_t vuln);
void packages_release(struct packages *packages);
size_t packages_bytes(const struct packages *packages);
const char *packages_validate(const struct packages *packages);

/* --- Postings --------------------------------------------------------------------------------- */

struct code_set {
    struct idset set;
    uint8_t code;
};

struct variant {
    uint32_t id;   /* VARIANT_UNSET: a free place */
    uint32_t rows; /* 0 only while a change is being made */
};

/* One vulnerability. Sets are in no order; none is empty but while a change is being made. */
struct posting {
    uint32_t count, cap;
    uint32_t variant_count, variant_cap;
    struct variant *variants; /* owned */
    char *kinds;              /* owned; the place in variants of each row, by rank; NULL: place 0 */
    uint32_t kind_cap;
    uint8_t kind_width;
    struct code_set at[];
};

enum { POSTING_PAGE = 256 };
struct posting_page {
    uint32_t used;
    struct posting *at[POSTING_PAGE]; /* by vuln % POSTING_PAGE */
};

struct postings {
    struct posting_page **pages; /* by vuln / POSTING_PAGE; NULL where nothing is */
    size_t cap;
    uint64_t vulns;
    size_t bytes;
    bool filling; /* large sets are being filled (idset.h) */
    struct packages packages;
};

void postings_release(struct postings *postings);
/* NULL when there is none. */
const struct posting *postings_find(const struct postings *postings, uint32_t vuln);
/* A row: its code and its variant. */
struct membership {
    uint8_t code;
    uint32_t variant;
};
/* Makes one postings_change() to this row infallible. Failing, it may leave empty sets:
 * postings_trim() is due. */
int postings_prepare(
    struct postings *postings, uint32_t vuln, const struct membership *row, struct err *err);
/* The row of an ordinal, which may not be there before or after (NULL). */
void postings_change(struct postings *postings, uint32_t vuln, uint32_t ordinal,
    const struct membership *before, const struct membership *after);
/* The variant of an ordinal that has a row. */
uint32_t postings_variant(const struct postings *postings, uint32_t vuln, uint32_t ordinal);
/* Ends `filling`. */
void postings_settle(struct postings *postings);
void postings_move(
    struct postings *postings, uint32_t vuln, uint8_t code, uint32_t from, uint32_t to);
/* Drops what a postings_prepare() left empty. */
void postings_trim(struct postings *postings, uint32_t vuln);
/* NULL, or what is wrong with the structure by itself. */
const char *postings_validate(const struct postings *postings);

/* The variants of a posting (variants.c). variants_prepare() makes one variants_change() to this
 * variant infallible, which is called before the sets of codes change; before, after: NULL when
 * there is no row. filling: the ordinal is the last of all. */
int variants_prepare(struct postings *postings, struct posting *posting, uint32_t vuln,
    uint32_t variant, struct err *err);
void variants_change(struct posting *posting, uint32_t ordinal, bool filling,
    const uint32_t *before, const uint32_t *after);
/* Forgets those without rows. */
void variants_tidy(struct postings *postings, struct posting *posting, uint32_t vuln);
void variants_release(struct postings *postings, struct posting *posting, uint32_t vuln);
void variants_free(struct posting *posting); /* the memory alone */
const uint32_t *posting_variant(const struct posting *posting, uint32_t ordinal);
/* The rows of a posting that have a name: all of them, or those of the set. */
struct named_rows {
    bool all;
    struct idset set; /* the caller's */
};
int variants_with(const struct packages *packages, const struct posting *posting, uint32_t name,
    struct named_rows *ret, struct err *err);
/* Adds to *bytes. */
const char *variants_validate(
    const struct packages *packages, const struct posting *posting, uint32_t vuln, size_t *bytes);

/* --- The index -------------------------------------------------------------------------------- */

enum { BLOCK_ORDINALS = 256 };

/* Codes in planes: those of one plane have `ignored` and `handled` in common. Few findings have
 * been decided about, so plane 0 is always there, and the others only where they are not all zeros.
 */
enum { PLANES = 4, PLANE_CODES = INDEX_CODES / PLANES };

static inline unsigned plane_of(unsigned code)
{
    return code / PLANE_CODES;
}

/* Counts first: two ordinals' share a cache line. */
struct block {
    _Alignas(64) uint16_t open[BLOCK_ORDINALS][PLANE_CODES]; /* counts of plane 0 */
    uint16_t (*decided[PLANES - 1])[PLANE_CODES];            /* of the others; owned; NULL: zeros */
    uint16_t findings[BLOCK_ORDINALS];                       /* the sum of an ordinal's counts */
    int64_t oldest[BLOCK_ORDINALS], newest[BLOCK_ORDINALS];  /* first_scan_ms; 0 without findings */
    uint32_t numbers[BLOCK_ORDINALS]; /* of images, ascending; those of holes included */
    /* What facets count by, where images are gone through in order. Of holes: anything. */
    uint32_t values[INDEX_FACET_COUNT][BLOCK_ORDINALS]; /* places in the table of the same number */
    uint32_t containers[BLOCK_ORDINALS];                /* unknown as 0 */
    uint8_t types[BLOCK_ORDINALS];
    struct entry *entries[BLOCK_ORDINALS];
};

struct index {
    struct block **blocks;
    uint32_t (*sums)[INDEX_CODES]; /* of counts, by block */
    size_t block_count, block_cap, sum_cap;
    uint32_t ordinal_count;
    struct map ids; /* image id -> ordinal */
    struct attributes attributes;
    struct postings postings;
    uint64_t totals[INDEX_CODES]; /* of counts */
    uint64_t present;             /* bit mask of codes whose total is not 0 */
    size_t planes;                /* of decided counts, over all blocks */
    struct orders *orders;        /* owned; made by reads */
    uint64_t images, findings;
    size_t entry_bytes;
};

static inline struct block *block_of(const struct index *index, uint32_t ordinal)
{
    return index->blocks[ordinal / BLOCK_ORDINALS];
}

static inline struct entry *entry_at(const struct index *index, uint32_t ordinal)
{
    return block_of(index, ordinal)->entries[ordinal % BLOCK_ORDINALS];
}

static inline uint32_t number_at(const struct index *index, uint32_t ordinal)
{
    return block_of(index, ordinal)->numbers[ordinal % BLOCK_ORDINALS];
}

/* The counts of one plane; NULL: zeros. */
static inline const uint16_t *counts_at(const struct index *index, uint32_t ordinal, unsigned plane)
{
    const struct block *block = block_of(index, ordinal);

    if (plane == 0)
        return block->open[ordinal % BLOCK_ORDINALS];
    return block->decided[plane - 1] ? block->decided[plane - 1][ordinal % BLOCK_ORDINALS] : NULL;
}

static inline uint32_t findings_at(const struct index *index, uint32_t ordinal)
{
    return block_of(index, ordinal)->findings[ordinal % BLOCK_ORDINALS];
}

static inline int64_t oldest_at(const struct index *index, uint32_t ordinal)
{
    return block_of(index, ordinal)->oldest[ordinal % BLOCK_ORDINALS];
}

static inline int64_t newest_at(const struct index *index, uint32_t ordinal)
{
    return block_of(index, ordinal)->newest[ordinal % BLOCK_ORDINALS];
}

/* The first ordinal whose number is >= number, or ordinal_count. */
uint32_t ordinal_from(const struct index *index, uint32_t number);
uint64_t image_id_hash(const struct image *image);
struct slice image_id_text(const struct image *image);

/* --- Counts ----------------------------------------------------------------------------------- */

/* Makes room for an entry's counts in the block of an ordinal. On failure counts_trim() is due. */
int counts_prepare(
    struct index *index, uint32_t ordinal, const struct entry *entry, struct err *err);
/* Room for one code. */
int counts_prepare_code(struct index *index, uint32_t ordinal, uint8_t code, struct err *err);
/* Adds `step` (1 or -1) to the count of a code. */
void counts_add(struct index *index, uint32_t ordinal, uint8_t code, int step);
/* To another ordinal, which has none; there is room. */
void counts_move(struct index *index, uint32_t from, uint32_t to);
/* Frees the planes of these blocks that are all zeros. */
void counts_trim(struct index *index, size_t first_block, size_t last_block);
void counts_read(const struct index *index, uint32_t ordinal, uint16_t ret[INDEX_CODES]);
void block_free(struct block *block);
/* NULL, or what is wrong. */
const char *counts_validate(const struct index *index);

/* --- Tallies ---------------------------------------------------------------------------------- */

/* Adds the counts that an ordinal has to the tallies of the entry's values. */
void tallies_add(struct index *index, uint32_t ordinal, const struct entry *entry);
void tallies_subtract(struct index *index, uint32_t ordinal, const struct entry *entry);
void tallies_recode(struct index *index, uint32_t ordinal, const struct entry *entry,
    uint8_t old_code, uint8_t new_code);
/* Builds those that the entry's values have come to need, drops those that they no longer do. */
void tallies_fit(struct index *index, const struct entry *entry);
void tally_drop(struct attributes *attributes, struct tally **place);
size_t tally_bytes(const struct tally *tally); /* accepts NULL */
const char *tallies_validate(const struct index *index);

/* --- Orders ----------------------------------------------------------------------------------- */

enum { ORDER_CHUNK = 512, ORDER_COUNT = 6 };

struct order_chunk {
    uint32_t count; /* not 0 */
    uint32_t ordinals[ORDER_CHUNK];
};

/* All images in one order. */
struct order {
    struct order_chunk **chunks;
    size_t count, cap;
};

/* A place in an order; images of equal value stand by number. */
struct order_key {
    int64_t value;
    struct slice name;
    uint32_t number;
};

struct orders *orders_new(struct err *err);
void orders_free(struct orders *orders); /* accepts NULL */
/* The order of INDEX_SORT_IMAGE_NAME and those behind it; made when it is not there. Many threads
 * may ask at once. NULL with ERR_NOMEM. */
const struct order *orders_get(
    const struct index *index, enum index_sort sort, bool descending, struct err *err);
/* The first image at or behind a key: its chunk (order->count: none) and position there. */
void order_seek(const struct index *index, const struct order *order, enum index_sort sort,
    bool descending, const struct order_key *key, size_t *ret_chunk, size_t *ret_at);
/* Has the ordinal's image this key? */
bool order_is_at(const struct index *index, uint32_t ordinal, enum index_sort sort, bool descending,
    const struct order_key *key);
/* An ordinal's image changes from `old` to `new` (either may be NULL): leave while `old` is there,
 * enter when `new` is. Where there is no memory an order is dropped, and made anew when asked for.
 */
void orders_leave(
    struct index *index, uint32_t ordinal, const struct entry *old, const struct entry *new);
void orders_enter(
    struct index *index, uint32_t ordinal, const struct entry *old, const struct entry *new);
size_t orders_bytes(const struct orders *orders);
const char *orders_validate(const struct index *index);

/* --- Scopes ----------------------------------------------------------------------------------- */

/* Some ordinals, and where they are known the sums of their counts by block. */
struct part {
    const struct idset *set;
    const uint64_t *totals;        /* of codes; NULL where sums are not known */
    uint32_t (*sums)[INDEX_CODES]; /* by block */
    size_t blocks;                 /* of sums; what is behind is zero */
};

enum { MAX_PARTS = 32 };

/* The ordinals of an index_scope: those of all parts, which have none in common. */
struct ordinals {
    struct part parts[MAX_PARTS];
    size_t count;
    bool all;         /* every image */
    struct idset own; /* what a part was made of here */
};

/* The index's own sets where that will do. */
int parts_of_scope(const struct index *index, const struct index_scope *scope, struct ordinals *ret,
    struct err *err);
/* The same as one part. */
int ordinals_of_scope(const struct index *index, const struct index_scope *scope,
    struct ordinals *ret, struct err *err);
void ordinals_release(struct ordinals *ordinals);

static inline const struct idset *only_set(const struct ordinals *ordinals)
{
    return ordinals->parts[0].set;
}

#endif
