/* SPDX-License-Identifier: Apache-2.0 */
/* Catching up with the store's names, records and claims; see facts.h. */
#include "fleet/facts.h"

#include "base/bug.h"

enum { FACTS_TEXT_MAX_BYTES = 1 << 30 };

int facts_init(struct facts *facts, struct err *err)
{
    *facts = (struct facts){.mention_count = 1};
    arena_init(&facts->texts, "the table of vulnerability names", FACTS_TEXT_MAX_BYTES);
    return intern_init(&facts->versions, "the table of fixed versions", FACTS_TEXT_MAX_BYTES, err);
}

void facts_release(struct facts *facts)
{
    free(facts->names);
    free(facts->records);
    free(facts->claims);
    free(facts->mentions);
    ids_release(&facts->links);
    intern_release(&facts->versions);
    map_release(&facts->ids_by_text);
    arena_release(&facts->texts);
    *facts = (struct facts){0};
}

static bool is_name(const void *owner, uint32_t id, const void *key)
{
    const struct facts *facts = owner;
    const struct slice *text = key;

    return slice_eq(facts->names[id].text, *text);
}

uint32_t facts_find_name(const struct facts *facts, struct slice text)
{
    uint32_t id = map_find(&facts->ids_by_text, slice_hash(text), is_name, facts, &text);

    return id == MAP_NONE ? 0 : id;
}

const uint32_t *facts_links(const struct facts *facts, const struct fact_record *record)
{
    return facts->links.at + record->links;
}

static int take_claim(void *ctx, uint32_t id, const struct claim *claim, struct err *err)
{
    struct facts *facts = ctx;
    struct fact_claim fact = {.package = claim->package,
        .record = claim->record,
        .type = claim->type,
        .severity = claim->severity,
        .known_ms = claim->known_ms};

    if (intern_put(&facts->versions, claim->fixed_version, &fact.fixed_version, err) < 0 ||
        array_reserve(&facts->claims, &facts->claim_cap, (size_t)id + 1, sizeof(fact), err) < 0)
        return -1;
    facts->claims[id] = fact;
    facts->last_claim = id;
    return 0;
}

static int take_record(void *ctx, uint32_t id, const struct record *record, struct err *err)
{
    struct facts *facts = ctx;
    struct fact_record fact = {.name = record->name,
        .links = (uint32_t)facts->links.count,
        .alias_count = (uint16_t)record->alias_count,
        .cover_count = (uint16_t)record->cover_count,
        .source = record->source};

    if (ids_append(&facts->links, record->aliases, record->alias_count, err) < 0 ||
        ids_append(&facts->links, record->covers, record->cover_count, err) < 0 ||
        array_reserve(&facts->records, &facts->record_cap, (size_t)id + 1, sizeof(fact), err) < 0)
        return -1;
    facts->records[id] = fact;
    facts->last_record = id;
    return 0;
}

static int take_name(void *ctx, uint32_t id, struct slice name, struct err *err)
{
    struct facts *facts = ctx;
    struct fact_name fact = {.kind = name_kind_of(name)};

    if (arena_dup(&facts->texts, name, &fact.text, err) < 0 ||
        array_reserve(&facts->names, &facts->name_cap, (size_t)id + 1, sizeof(fact), err) < 0)
        return -1;
    facts->names[id] = fact;
    if (map_add(&facts->ids_by_text, slice_hash(name), id, err) < 0)
        return -1;
    facts->last_name = id;
    return 0;
}

static int enter_mention(struct facts *facts, uint32_t name, uint32_t record, struct err *err)
{
    if (array_reserve(&facts->mentions, &facts->mention_cap, facts->mention_count + 1,
            sizeof(*facts->mentions), err) < 0)
        return -1;
    facts->mentions[facts->mention_count] = (struct mention){record, facts->names[name].mentions};
    facts->names[name].mentions = (uint32_t)facts->mention_count++;
    return 0;
}

/* Enters records (from, last] in the lists of the names they link, their own among them. */
static int enter_mentions(struct facts *facts, uint32_t from, struct err *err)
{
    for (uint32_t id = from + 1; id <= facts->last_record; id++) {
        const struct fact_record *record = &facts->records[id];
        size_t count = (size_t)record->alias_count + record->cover_count;

        if (count && enter_mention(facts, record->name, id, err) < 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            if (enter_mention(facts, facts_links(facts, record)[i], id, err) < 0)
                return -1;
    }
    return 0;
}

int facts_catch_up(struct facts *facts, struct store *store, struct err *err)
{
    uint32_t last_claim = facts->last_claim, last_record = facts->last_record;

    if (store_each_claim(store, facts->last_claim, take_claim, facts, err) == 0 &&
        store_each_record(store, facts->last_record, take_record, facts, err) == 0 &&
        store_each_name(store, facts->last_name, take_name, facts, err) == 0 &&
        enter_mentions(facts, last_record, err) == 0)
        return 0;
    /* Cut short: what may refer to something unread is read again next time. */
    facts->last_claim = last_claim;
    facts->last_record = last_record;
    return -1;
}
