/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts: what one layer told, as far as it can matter to an image: each file that a reader knows,
 * with what the reader made of it, and what is needed to lay layers over each other. A layer has
 * the same facts in whatever image it stands, so they are kept by diff_id (cache.h). They are
 * small: some 60 kB for 500 packages.
 *
 * As bytes (pack.h):
 *
 *     "careenf" FACTS_FORMAT  INVENTORY_VERSION  count
 *     count times: kind, path, and
 *         FACT_FILE:   reader's name, as, code of the error; its message, or the payload
 *         FACT_LINK:   target
 *         FACT_BESIDE: 1 when it is not empty
 *         FACT_SAME:   target, reader's name
 *     SHA-256 of all that
 *
 * The payload: a table of texts, each once; rank and release; packages and licences, as positions
 * in the table.
 */
#ifndef CAREEN_SCAN_FACTS_H
#define CAREEN_SCAN_FACTS_H

#include "base/arena.h"
#include "inventory/inventory.h"
#include "scan/pack.h"

/* Raised when the bytes or what is put into them change. */
enum { FACTS_FORMAT = 2 };

enum fact_kind {
    FACT_FILE,
    FACT_BESIDE, /* the second file of a FACT_FILE, "rpmdb.sqlite-wal" */
    FACT_LINK,   /* a symbolic link above files that matter, or in place of one */
    FACT_COVER,  /* anything else that is no folder, there */
    FACT_FOLDER, /* there: it hides a link */
    FACT_HIDDEN, /* a whiteout: hides in lower layers only */
    FACT_OPAQUE, /* likewise, what is below the path */
    FACT_SAME,   /* a file: a hard link to what lower layers have at target */
    FACT_KIND_COUNT
};

struct fact {
    enum fact_kind kind;
    struct slice path;
    struct slice target; /* FACT_LINK: as written; FACT_SAME: cleaned, from the root */
    bool empty;          /* FACT_BESIDE */

    /* FACT_FILE; the reader FACT_SAME, too */
    const struct inventory_reader *reader;
    struct slice as;      /* the path that the reader was told, if it is another; else empty */
    enum err_code failed; /* the file is damaged: why says how */
    struct slice why;
    struct slice payload; /* of what it told: told_begin() */

    size_t order; /* while gathered: when it came, from 1 */
};

struct layer_facts {
    struct arena arena;
    struct fact *at; /* heap; by path, an ancestor before what is below it */
    size_t count, cap;
    size_t added; /* ever */
};

void layer_facts_init(struct layer_facts *facts);
void layer_facts_release(struct layer_facts *facts);
/* Copies the fact and its texts. ERR_LIMIT at LIMIT_LAYER_FACTS or LIMIT_FACTS_BYTES. */
int layer_facts_add(struct layer_facts *facts, const struct fact *fact, struct err *err);
/* Puts them in order, and leaves of several at one place what stands in the end: the last one; and
 * of what was below a place before something that is no folder came there, nothing. */
void layer_facts_settle(struct layer_facts *facts);
/* By path and '/' as the smallest byte: what is below a path follows it. */
int layer_facts_compare_paths(struct slice a, struct slice b);

/* The payload of what a reader made of a file, appended. ERR_NOMEM, ERR_LIMIT. */
int layer_facts_pack_inventory(struct buf *out, const struct inventory *inventory, struct err *err);

/* What a payload holds, one after the other. The texts point into the payload's. */
struct told {
    struct unpack in;
    struct slice os_release;
    int os_rank;
    const struct slice *texts;
    size_t text_count;
    size_t packages, licences; /* in all */
    size_t next_package, next_licence;
};
/* The table of texts is made in the arena. ERR_CORRUPT. */
int told_begin(struct slice payload, struct arena *arena, struct told *ret, struct err *err);
/* All packages, then all licences; false behind the last, and when the payload is damaged. */
bool told_package(struct told *told, struct found_package *ret);
bool told_licence(struct told *told, struct found_licence *ret);

/* Appends. ERR_LIMIT at LIMIT_FACTS_BYTES, ERR_NOMEM. */
int layer_facts_encode(const struct layer_facts *facts, struct buf *out, struct err *err);
/* Are they whole, and of this version? ERR_CORRUPT. */
int layer_facts_check(struct slice bytes, struct err *err);
/* Both of layer_facts_check(), and of what that has passed. Texts point into the bytes, which must
 * outlive *ret. ERR_CORRUPT when they are not what
 * layer_facts_encode() writes (another version, damaged, cut); payloads are looked through, too, so
 * that telling them cannot fail. */
int layer_facts_decode(struct slice bytes, struct layer_facts *ret, struct err *err);
int layer_facts_decode_checked(struct slice bytes, struct layer_facts *ret, struct err *err);

#endif
