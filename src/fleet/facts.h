/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, records and claims as the store has them, in memory by stored id: what findings are
 * derived from without touching the disk. They only grow: what the store drops because nothing
 * refers to it (store_collect) stays here until the process ends, and nothing here refers to it
 * either. Ids have gaps where something was dropped before it was read. The follower adds, under
 * the fleet's lock.
 */
#ifndef CAREEN_FLEET_FACTS_H
#define CAREEN_FLEET_FACTS_H

#include "base/intern.h"
#include "store/store.h"

/* A record that links this name to others: its own name, an alias or covered. One linked list a
 * name; records that link nothing are in none. */
struct mention {
    uint32_t record;
    uint32_t next; /* position in mentions; 0 = last */
};

struct fact_record {
    uint32_t name;
    uint32_t links; /* position in `links`: aliases first, then covers */
    uint16_t alias_count, cover_count;
    enum source source;
};

struct fact_claim {
    uint32_t package, record;
    uint32_t fixed_version; /* id in versions */
    uint32_t package_name;  /* id in package_names */
    uint32_t source_name;   /* likewise; 0 where it is not known, or the same */
    uint8_t type;           /* enum vul_type */
    uint8_t severity;       /* enum severity */
    int64_t known_ms;
};

struct fact_name {
    struct slice text;
    enum name_kind kind;
    uint32_t mentions; /* position in mentions; 0 = none */
};

struct facts {
    struct fact_name *names;     /* 1 .. last_name */
    struct fact_record *records; /* 1 .. last_record */
    struct fact_claim *claims;   /* 1 .. last_claim */
    size_t name_cap, record_cap, claim_cap;
    uint32_t last_name, last_record, last_claim;

    struct arena texts; /* of names */
    struct map ids_by_text;
    struct intern versions;      /* fixed versions: few, repeated */
    struct intern package_names; /* of claims, and of their sources */
    struct ids links;
    struct mention *mentions; /* from 1 */
    size_t mention_count, mention_cap;
};

int facts_init(struct facts *facts, struct err *err);
void facts_release(struct facts *facts);

/* What the store has beyond the facts in hand: read from the disk first, taken into memory then. */
struct facts_news {
    struct arena arena; /* owns what the arrays point at */
    struct {
        uint32_t id;
        struct claim claim;
        struct slice package_name, source_name;
    } * claims; /* arrays on the heap */
    struct {
        uint32_t id;
        struct record record;
    } * records;
    struct {
        uint32_t id;
        struct slice text;
    } * names;
    size_t claim_count, claim_cap, record_count, record_cap, name_count, name_cap;
};

void facts_news_release(struct facts_news *news);
/* Reads claims first, then records, then names: each may refer only to what is read after it, so
 * everything that is in use is there. Changes nothing. */
int facts_read(
    const struct facts *facts, struct store *store, struct facts_news *ret, struct err *err);
/* Takes them in, under the fleet's lock. ERR_CORRUPT when one refers to something that is not
 * stored. What was taken before a failure stays, and is not read again. */
int facts_take(struct facts *facts, const struct facts_news *news, struct err *err);

/* Are all of these claims here? */
bool facts_have(const struct facts *facts, const struct ids *claims);
/* The stored id of a name, or 0. The store may have dropped it since: what is written must go by
 * store_put_name(). */
uint32_t facts_find_name(const struct facts *facts, struct slice text);
/* The names that a record links to its own: aliases, then covers. */
const uint32_t *facts_links(const struct facts *facts, const struct fact_record *record);

#endif
