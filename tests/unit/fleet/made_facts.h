/* SPDX-License-Identifier: Apache-2.0 */
/* Facts put together by hand, for tests of what is pure: no store, names are only kinds. */
#ifndef CAREEN_TESTS_MADE_FACTS_H
#define CAREEN_TESTS_MADE_FACTS_H

#include "fleet/aliases.h"

/* Reserving for all of a test at once keeps the helpers free of error paths. */
enum { MADE_MAX = 4096 };

static void made_init(struct facts *facts)
{
    struct err err;

    assert_ok(facts_init(facts, &err));
    assert_ok(
        array_reserve(&facts->names, &facts->name_cap, MADE_MAX, sizeof(*facts->names), &err));
    assert_ok(array_reserve(
        &facts->records, &facts->record_cap, MADE_MAX, sizeof(*facts->records), &err));
    assert_ok(
        array_reserve(&facts->claims, &facts->claim_cap, MADE_MAX, sizeof(*facts->claims), &err));
    assert_ok(array_reserve(
        &facts->mentions, &facts->mention_cap, MADE_MAX * 8, sizeof(*facts->mentions), &err));
}

static uint32_t made_name(struct facts *facts, enum name_kind kind)
{
    facts->names[++facts->last_name] = (struct fact_name){.text = SLICE("name"), .kind = kind};
    assert_true(facts->last_name < MADE_MAX);
    return facts->last_name;
}

static void made_mention(struct facts *facts, uint32_t name, uint32_t record)
{
    facts->mentions[facts->mention_count] = (struct mention){record, facts->names[name].mentions};
    facts->names[name].mentions = (uint32_t)facts->mention_count++;
    assert_true(facts->mention_count < facts->mention_cap);
}

/* Lists are sorted, without duplicates and without the record's own name, as the store has them. */
static uint32_t made_record(
    struct facts *facts, uint32_t name, const struct ids *aliases, const struct ids *covers)
{
    uint32_t id = ++facts->last_record;
    struct fact_record *record = &facts->records[id];
    struct err err;

    assert_true(id < MADE_MAX);
    *record = (struct fact_record){.name = name,
        .links = (uint32_t)facts->links.count,
        .alias_count = (uint16_t)aliases->count,
        .cover_count = (uint16_t)covers->count,
        .source = SOURCE_TRIVY};
    assert_ok(ids_append(&facts->links, aliases->at, aliases->count, &err));
    assert_ok(ids_append(&facts->links, covers->at, covers->count, &err));
    if (aliases->count + covers->count)
        made_mention(facts, name, id);
    for (size_t i = 0; i < aliases->count; i++)
        made_mention(facts, aliases->at[i], id);
    for (size_t i = 0; i < covers->count; i++)
        made_mention(facts, covers->at[i], id);
    return id;
}

/* Plans and applies at once; *ret: the groups that changed. */
static inline int made_settle(struct aliases *aliases, struct ids *ret, struct err *err)
{
    struct alias_plan plan = {0};
    int failed = aliases_plan(aliases, &plan, err);

    ret->count = 0;
    if (!failed)
        failed = aliases_apply(aliases, &plan, err) < 0 ||
                 ids_append(ret, plan.changed.at, plan.changed.count, err) < 0;
    alias_plan_release(&plan);
    return failed ? -1 : 0;
}

#endif
