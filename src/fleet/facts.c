/* SPDX-License-Identifier: Apache-2.0 */
/* Catching up with the store's names, records and claims; see facts.h. */
#include "fleet/facts.h"

#include "base/bug.h"

enum { FACTS_TEXT_MAX_BYTES = 1 << 30 };

int facts_init(struct facts *facts, struct err *err)
{
    *facts = (struct facts){.mention_count = 1};
    arena_init(&facts->texts, "the table of vulnerability names", FACTS_TEXT_MAX_BYTES);
    if (intern_init(
            &facts->package_names, "the table of package names", FACTS_TEXT_MAX_BYTES, err) < 0)
        return -1;
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
    intern_release(&facts->package_names);
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

bool facts_have(const struct facts *facts, const struct ids *claims)
{
    for (size_t i = 0; i < claims->count; i++)
        if (claims->at[i] > facts->last_claim || facts->claims[claims->at[i]].record == 0)
            return false;
    return true;
}

const uint32_t *facts_links(const struct facts *facts, const struct fact_record *record)
{
    return facts->links.at + record->links;
}

/* --- Reading: no lock is held, nothing is changed --------------------------------------------- */

void facts_news_release(struct facts_news *news)
{
    arena_release(&news->arena);
    free(news->claims);
    free(news->records);
    free(news->names);
    *news = (struct facts_news){0};
}

static int note_claim(void *ctx, uint32_t id, const struct claim *claim,
    const struct claim_names *names, struct err *err)
{
    struct facts_news *news = ctx;
    struct claim *to;
    size_t at = news->claim_count;

    if (array_reserve(
            &news->claims, &news->claim_cap, news->claim_count + 1, sizeof(*news->claims), err) < 0)
        return -1;
    news->claims[at].id = id;
    news->claim_count++;
    to = &news->claims[at].claim;
    *to = *claim;
    if (arena_dup(&news->arena, names->package, &news->claims[at].package_name, err) < 0 ||
        arena_dup(&news->arena, names->source, &news->claims[at].source_name, err) < 0)
        return -1;
    return arena_dup(&news->arena, claim->fixed_version, &to->fixed_version, err);
}

static const uint32_t *copy_ids(
    struct arena *arena, const uint32_t *ids, size_t count, struct err *err)
{
    uint32_t *copy = arena_alloc_array(arena, count + 1, sizeof(*copy), err);

    if (copy && count)
        memcpy(copy, ids, count * sizeof(*copy));
    return copy;
}

static int note_record(void *ctx, uint32_t id, const struct record *record, struct err *err)
{
    struct facts_news *news = ctx;
    struct record *to;

    if (array_reserve(&news->records, &news->record_cap, news->record_count + 1,
            sizeof(*news->records), err) < 0)
        return -1;
    news->records[news->record_count].id = id;
    to = &news->records[news->record_count++].record;
    *to = *record;
    to->aliases = copy_ids(&news->arena, record->aliases, record->alias_count, err);
    if (!to->aliases)
        return -1;
    to->covers = copy_ids(&news->arena, record->covers, record->cover_count, err);
    return to->covers ? 0 : -1;
}

static int note_name(void *ctx, uint32_t id, struct slice name, struct err *err)
{
    struct facts_news *news = ctx;

    if (array_reserve(
            &news->names, &news->name_cap, news->name_count + 1, sizeof(*news->names), err) < 0)
        return -1;
    news->names[news->name_count].id = id;
    return arena_dup(&news->arena, name, &news->names[news->name_count++].text, err);
}

int facts_read(
    const struct facts *facts, struct store *store, struct facts_news *ret, struct err *err)
{
    *ret = (struct facts_news){0};
    arena_init(&ret->arena, "news of the facts", FACTS_TEXT_MAX_BYTES);
    if (store_each_claim(store, facts->last_claim, note_claim, ret, err) == 0 &&
        store_each_record(store, facts->last_record, note_record, ret, err) == 0 &&
        store_each_name(store, facts->last_name, note_name, ret, err) == 0)
        return 0;
    facts_news_release(ret);
    return -1;
}

/* --- Taking in: names first, so that what refers to them can be checked ----------------------- */

/* A name that was dropped from the store and put in again has a new id, which is the one in use. */
static int take_name(struct facts *facts, uint32_t id, struct slice name, struct err *err)
{
    struct fact_name fact = {.kind = name_kind_of(name)};
    uint32_t dropped = facts_find_name(facts, name);

    if (arena_dup(&facts->texts, name, &fact.text, err) < 0 ||
        array_reserve(&facts->names, &facts->name_cap, (size_t)id + 1, sizeof(fact), err) < 0)
        return -1;
    facts->names[id] = fact;
    if (dropped)
        map_remove(&facts->ids_by_text, slice_hash(name), dropped);
    if (map_add(&facts->ids_by_text, slice_hash(name), id, err) < 0)
        return -1;
    facts->last_name = id;
    return 0;
}

/* The file may be damaged, or made by somebody else: what it refers to must be there. */
static int check_names(const struct facts *facts, uint32_t record, const uint32_t *names,
    size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] == 0 || names[i] > facts->last_name)
            return err_set(err, ERR_CORRUPT,
                "the stored record %u refers to name %u, which is not stored", record, names[i]);
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

/* Enters a record in the lists of the names that it links, its own among them. */
static int enter_mentions(struct facts *facts, uint32_t id, struct err *err)
{
    const struct fact_record *record = &facts->records[id];
    size_t count = (size_t)record->alias_count + record->cover_count;

    if (count && enter_mention(facts, record->name, id, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (enter_mention(facts, facts_links(facts, record)[i], id, err) < 0)
            return -1;
    return 0;
}

static int take_record(
    struct facts *facts, uint32_t id, const struct record *record, struct err *err)
{
    struct fact_record fact = {.name = record->name,
        .links = (uint32_t)facts->links.count,
        .alias_count = (uint16_t)record->alias_count,
        .cover_count = (uint16_t)record->cover_count,
        .source = record->source};

    if (check_names(facts, id, &record->name, 1, err) < 0 ||
        check_names(facts, id, record->aliases, record->alias_count, err) < 0 ||
        check_names(facts, id, record->covers, record->cover_count, err) < 0 ||
        ids_append(&facts->links, record->aliases, record->alias_count, err) < 0 ||
        ids_append(&facts->links, record->covers, record->cover_count, err) < 0 ||
        array_reserve(&facts->records, &facts->record_cap, (size_t)id + 1, sizeof(fact), err) < 0)
        return -1;
    facts->records[id] = fact;
    if (enter_mentions(facts, id, err) < 0)
        return -1;
    facts->last_record = id;
    return 0;
}

static int take_claim(struct facts *facts, uint32_t id, const struct claim *claim,
    struct slice package_name, struct slice source_name, struct err *err)
{
    struct fact_claim fact = {.package = claim->package,
        .record = claim->record,
        .type = (uint8_t)claim->type,
        .severity = (uint8_t)claim->severity,
        .known_ms = claim->known_ms};

    if (claim->record == 0 || claim->record > facts->last_record)
        return err_set(err, ERR_CORRUPT,
            "the stored claim %u refers to record %u, which is not stored", id, claim->record);
    if (intern_put(&facts->versions, claim->fixed_version, &fact.fixed_version, err) < 0 ||
        intern_put(&facts->package_names, package_name, &fact.package_name, err) < 0 ||
        intern_put(&facts->package_names, source_name, &fact.source_name, err) < 0 ||
        array_reserve(&facts->claims, &facts->claim_cap, (size_t)id + 1, sizeof(fact), err) < 0)
        return -1;
    facts->claims[id] = fact;
    facts->last_claim = id;
    return 0;
}

int facts_take(struct facts *facts, const struct facts_news *news, struct err *err)
{
    for (size_t i = 0; i < news->name_count; i++)
        if (take_name(facts, news->names[i].id, news->names[i].text, err) < 0)
            return -1;
    for (size_t i = 0; i < news->record_count; i++)
        if (take_record(facts, news->records[i].id, &news->records[i].record, err) < 0)
            return -1;
    for (size_t i = 0; i < news->claim_count; i++)
        if (take_claim(facts, news->claims[i].id, &news->claims[i].claim,
                news->claims[i].package_name, news->claims[i].source_name, err) < 0)
            return -1;
    return 0;
}
