/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of names by the rules of aliases.h. Work is done only around the names whose links
 * changed: a breadth-first walk over the records in use collects the names connected to them, and
 * the rules are applied to that component alone. Each component is walked once however many of its
 * names changed: whoever makes a report chooses how large it is.
 */
#include "fleet/aliases.h"

#include "base/cleanup.h"

void aliases_init(struct aliases *aliases, const struct facts *facts)
{
    *aliases = (struct aliases){.facts = facts};
}

void aliases_release(struct aliases *aliases)
{
    free(aliases->uses);
    free(aliases->groups);
    ids_release(&aliases->dirty);
    *aliases = (struct aliases){0};
}

uint32_t aliases_uses(const struct aliases *aliases, uint32_t record)
{
    return record < aliases->use_cap ? aliases->uses[record] : 0;
}

bool aliases_in_use(const struct aliases *aliases, uint32_t record)
{
    return aliases_uses(aliases, record) > 0;
}

bool aliases_settled(const struct aliases *aliases)
{
    return aliases->dirty.count == 0;
}

uint32_t aliases_group(const struct aliases *aliases, uint32_t name)
{
    bool grouped = name < aliases->group_cap && aliases->groups[name].number;

    return grouped ? aliases->groups[name].number : name;
}

uint32_t aliases_title(const struct aliases *aliases, uint32_t name)
{
    bool grouped = name < aliases->group_cap && aliases->groups[name].number;

    return grouped ? aliases->groups[name].title : name;
}

/* The names of a record have gained or lost a link. */
static int mark_dirty(struct aliases *aliases, uint32_t record, struct err *err)
{
    const struct fact_record *fact = &aliases->facts->records[record];

    if (fact->alias_count == 0)
        return 0;
    if (ids_push(&aliases->dirty, fact->name, err) < 0)
        return -1;
    return ids_append(&aliases->dirty, facts_links(aliases->facts, fact), fact->alias_count, err);
}

int aliases_use(struct aliases *aliases, uint32_t record, struct err *err)
{
    if (array_reserve(
            &aliases->uses, &aliases->use_cap, (size_t)record + 1, sizeof(*aliases->uses), err) < 0)
        return -1;
    if (aliases->uses[record] == 0 && mark_dirty(aliases, record, err) < 0)
        return -1;
    aliases->uses[record]++;
    return 0;
}

int aliases_unuse(struct aliases *aliases, uint32_t record, struct err *err)
{
    if (!aliases_in_use(aliases, record))
        return 0;
    if (aliases->uses[record] == 1 && mark_dirty(aliases, record, err) < 0)
        return -1;
    aliases->uses[record]--;
    return 0;
}

/* --- One component ---------------------------------------------------------------------------- */

#define NONE UINT32_MAX

/* One end of the component's links; all arrays below go by position in the sorted `names`. */
struct node {
    uint32_t parent; /* union-find; a root is its own */
    uint32_t cve;    /* position of the one CVE it is linked to directly, or NONE */
    uint32_t label;  /* position of the node that stands for its group */
    uint32_t cves;   /* of a root: CVEs in its tree */
    bool ambiguous;  /* linked to several CVEs */
    /* Of a label: its group. */
    uint32_t members, first, title;
};

struct link {
    uint32_t a, b; /* name ids; positions once the names are sorted */
};

struct component {
    struct ids names;
    struct map seen_names, seen_records;
    struct link *links;
    size_t link_count, link_cap;
    struct node *nodes;
};

static void component_release(struct component *c)
{
    ids_release(&c->names);
    map_release(&c->seen_names);
    map_release(&c->seen_records);
    free(c->links);
    free(c->nodes);
}

static bool is_id(const void *owner, uint32_t id, const void *key)
{
    const uint32_t *sought = key;

    (void)owner;
    return id == *sought;
}

static uint64_t hash_of(uint32_t id)
{
    return (id + UINT64_C(1)) * 0x9e3779b97f4a7c15u;
}

static bool seen(const struct map *set, uint32_t id)
{
    return map_find(set, hash_of(id), is_id, NULL, &id) != MAP_NONE;
}

/* 1 when the id is new, 0 when it was there, -1 on failure. */
static int see(struct map *set, uint32_t id, struct err *err)
{
    if (seen(set, id))
        return 0;
    return map_add(set, hash_of(id), id, err) < 0 ? -1 : 1;
}

static int visit_name(struct component *c, uint32_t name, struct err *err)
{
    int fresh = see(&c->seen_names, name, err);

    return fresh <= 0 ? fresh : ids_push(&c->names, name, err);
}

/* Adds the alias links of one record in use, and the names at their ends. Advisories never merge.
 */
static int visit_record(
    const struct aliases *aliases, struct component *c, uint32_t record, struct err *err)
{
    const struct facts *facts = aliases->facts;
    const struct fact_record *fact = &facts->records[record];
    const uint32_t *names = facts_links(facts, fact);
    int fresh = see(&c->seen_records, record, err);

    if (fresh <= 0 || !aliases_in_use(aliases, record) ||
        facts->names[fact->name].kind == NAME_ADVISORY)
        return fresh < 0 ? -1 : 0;
    for (size_t i = 0; i < fact->alias_count; i++) {
        if (facts->names[names[i]].kind == NAME_ADVISORY)
            continue;
        if (array_reserve(&c->links, &c->link_cap, c->link_count + 1, sizeof(*c->links), err) < 0)
            return -1;
        c->links[c->link_count++] = (struct link){fact->name, names[i]};
        if (visit_name(c, names[i], err) < 0)
            return -1;
    }
    return visit_name(c, fact->name, err);
}

/* Does the record link this name as an alias (or is it the record's own)? */
static bool links_alias(const struct facts *facts, const struct fact_record *record, uint32_t name)
{
    const struct ids aliases = {
        .at = facts->links.at + record->links, .count = record->alias_count};

    return record->name == name || ids_contains(&aliases, name);
}

static int collect(
    const struct aliases *aliases, uint32_t start, struct component *c, struct err *err)
{
    const struct facts *facts = aliases->facts;

    if (visit_name(c, start, err) < 0)
        return -1;
    for (size_t i = 0; i < c->names.count; i++) {
        uint32_t name = c->names.at[i];

        for (uint32_t m = facts->names[name].mentions; m; m = facts->mentions[m].next) {
            uint32_t record = facts->mentions[m].record;

            if (links_alias(facts, &facts->records[record], name) &&
                visit_record(aliases, c, record, err) < 0)
                return -1;
        }
    }
    return 0;
}

static uint32_t position_of(const struct ids *sorted, uint32_t id)
{
    size_t low = 0, high = sorted->count;

    while (low + 1 < high) {
        size_t middle = (low + high) / 2;

        if (sorted->at[middle] <= id)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static bool is_cve(const struct aliases *aliases, const struct component *c, uint32_t position)
{
    return aliases->facts->names[c->names.at[position]].kind == NAME_CVE;
}

static void note_cve(struct node *node, uint32_t cve)
{
    if (node->cve == NONE)
        node->cve = cve;
    else if (node->cve != cve)
        node->ambiguous = true;
}

/* Turns links into positions and finds each node's CVEs. */
static int prepare_nodes(const struct aliases *aliases, struct component *c, struct err *err)
{
    ids_sort_unique(&c->names);
    c->nodes = calloc(c->names.count, sizeof(*c->nodes));
    if (!c->nodes)
        return err_nomem(err);
    for (uint32_t i = 0; i < c->names.count; i++)
        c->nodes[i] = (struct node){.parent = i, .cve = NONE, .label = i};
    for (size_t i = 0; i < c->link_count; i++) {
        struct link *link = &c->links[i];

        *link = (struct link){position_of(&c->names, link->a), position_of(&c->names, link->b)};
        if (is_cve(aliases, c, link->a) && !is_cve(aliases, c, link->b))
            note_cve(&c->nodes[link->b], link->a);
        else if (is_cve(aliases, c, link->b) && !is_cve(aliases, c, link->a))
            note_cve(&c->nodes[link->a], link->b);
    }
    return 0;
}

/* Halves the path on its way: links may come in the order that makes the longest chain. */
static uint32_t root_of(const struct component *c, uint32_t position)
{
    struct node *nodes = c->nodes;

    while (nodes[position].parent != position) {
        nodes[position].parent = nodes[nodes[position].parent].parent;
        position = nodes[position].parent;
    }
    return position;
}

static void unite(const struct aliases *aliases, struct component *c)
{
    for (size_t i = 0; i < c->link_count; i++) {
        struct link link = c->links[i];
        bool two_cves = is_cve(aliases, c, link.a) && is_cve(aliases, c, link.b);
        uint32_t a = root_of(c, link.a), b = root_of(c, link.b);

        if (!two_cves && !c->nodes[link.a].ambiguous && !c->nodes[link.b].ambiguous)
            c->nodes[a > b ? a : b].parent = a < b ? a : b;
    }
    for (uint32_t i = 0; i < c->names.count; i++)
        c->nodes[root_of(c, i)].cves += is_cve(aliases, c, i);
}

/* The rules of aliases.h: who stands with whom. */
static void label_nodes(const struct aliases *aliases, struct component *c)
{
    for (uint32_t i = 0; i < c->names.count; i++) {
        struct node *node = &c->nodes[i];
        uint32_t root = root_of(c, i);

        if (c->nodes[root].cves <= 1)
            node->label = root;
        else if (!is_cve(aliases, c, i) && node->cve != NONE && !node->ambiguous)
            node->label = node->cve;
    }
}

/* Better title first: the kinds stand in that order in their enum, then the smaller id. */
static void gather_groups(const struct aliases *aliases, struct component *c)
{
    for (uint32_t i = 0; i < c->names.count; i++) {
        struct node *group = &c->nodes[c->nodes[i].label];
        enum name_kind kind = aliases->facts->names[c->names.at[i]].kind;

        if (group->members++ == 0)
            group->first = group->title = i;
        else if (kind < aliases->facts->names[c->names.at[group->title]].kind)
            group->title = i;
    }
}

void alias_plan_release(struct alias_plan *plan)
{
    free(plan->at);
    ids_release(&plan->changed);
    *plan = (struct alias_plan){0};
}

/* Notes the names of the component whose group changes. */
static int plan_groups(const struct aliases *aliases, const struct component *c,
    struct alias_plan *plan, struct err *err)
{
    for (uint32_t i = 0; i < c->names.count; i++) {
        const struct node *group = &c->nodes[c->nodes[i].label];
        uint32_t name = c->names.at[i];
        struct alias_group now = {0}, old = {0};

        if (name < aliases->group_cap)
            old = aliases->groups[name];
        if (group->members > 1)
            now = (struct alias_group){c->names.at[group->first], c->names.at[group->title]};
        if (now.number == old.number && now.title == old.title)
            continue;
        if (array_reserve(&plan->at, &plan->cap, plan->count + 1, sizeof(*plan->at), err) < 0 ||
            ids_push(&plan->changed, old.number ? old.number : name, err) < 0 ||
            ids_push(&plan->changed, now.number ? now.number : name, err) < 0)
            return -1;
        plan->at[plan->count].name = name;
        plan->at[plan->count++].group = now;
    }
    return 0;
}

/* Plans the component of a name; all its names are noted in *planned. */
static int plan_from(const struct aliases *aliases, uint32_t start, struct map *planned,
    struct alias_plan *plan, struct err *err)
{
    struct component c CLEANUP(component_release) = {0};

    if (collect(aliases, start, &c, err) < 0 || prepare_nodes(aliases, &c, err) < 0)
        return -1;
    unite(aliases, &c);
    label_nodes(aliases, &c);
    gather_groups(aliases, &c);
    for (size_t i = 0; i < c.names.count; i++)
        if (see(planned, c.names.at[i], err) < 0)
            return -1;
    return plan_groups(aliases, &c, plan, err);
}

int aliases_plan(struct aliases *aliases, struct alias_plan *ret, struct err *err)
{
    struct map planned CLEANUP(map_release) = {0};
    struct alias_plan plan = {0};

    ids_sort_unique(&aliases->dirty);
    for (size_t i = 0; i < aliases->dirty.count; i++) {
        uint32_t name = aliases->dirty.at[i];

        if (!seen(&planned, name) && plan_from(aliases, name, &planned, &plan, err) < 0) {
            alias_plan_release(&plan);
            return -1;
        }
    }
    ids_sort_unique(&plan.changed);
    *ret = plan;
    return 0;
}

int aliases_apply(struct aliases *aliases, const struct alias_plan *plan, struct err *err)
{
    uint32_t highest = 0;

    for (size_t i = 0; i < plan->count; i++)
        if (plan->at[i].name > highest)
            highest = plan->at[i].name;
    if (plan->count && array_reserve(&aliases->groups, &aliases->group_cap, (size_t)highest + 1,
                           sizeof(*aliases->groups), err) < 0)
        return -1;
    for (size_t i = 0; i < plan->count; i++)
        aliases->groups[plan->at[i].name] = plan->at[i].group;
    aliases->dirty.count = 0;
    return 0;
}

/* The groups of the records in use that link this name. */
static int add_linking(
    const struct aliases *aliases, uint32_t name, struct ids *ret, struct err *err)
{
    const struct facts *facts = aliases->facts;

    for (uint32_t m = facts->names[name].mentions; m; m = facts->mentions[m].next) {
        uint32_t record = facts->mentions[m].record;

        if (aliases_in_use(aliases, record) &&
            ids_push(ret, aliases_group(aliases, facts->records[record].name), err) < 0)
            return -1;
    }
    return 0;
}

int aliases_lookup(const struct aliases *aliases, uint32_t name, struct ids *ret, struct err *err)
{
    uint32_t title = aliases_title(aliases, name);

    ret->count = 0;
    if (ids_push(ret, aliases_group(aliases, name), err) < 0 ||
        add_linking(aliases, name, ret, err) < 0 ||
        (title != name && add_linking(aliases, title, ret, err) < 0))
        return -1;
    ids_sort_unique(ret);
    return 0;
}
