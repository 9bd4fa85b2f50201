/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of fleet/aliases.h once more, by their wording: links as a matrix, its transitive
 * closure, and nothing incremental. Names are 1 .. count; sets of names are bit masks.
 */
#ifndef CAREEN_TESTS_ALIAS_MODEL_H
#define CAREEN_TESTS_ALIAS_MODEL_H

#include "model/vulnerability.h"

enum { ALIAS_MODEL_NAMES = 31 };

struct alias_record {
    uint32_t name;
    uint32_t aliases, covers; /* bit masks */
    bool used;
};

struct alias_world {
    uint32_t names; /* how many */
    enum name_kind kinds[ALIAS_MODEL_NAMES + 1];
    const struct alias_record *records;
    size_t record_count;
};

struct alias_picture {
    uint32_t number[ALIAS_MODEL_NAMES + 1], title[ALIAS_MODEL_NAMES + 1];
};

typedef bool alias_matrix[ALIAS_MODEL_NAMES + 1][ALIAS_MODEL_NAMES + 1];

static inline uint32_t alias_bit(uint32_t name)
{
    return UINT32_C(1) << name;
}

static inline bool alias_is_cve(const struct alias_world *world, uint32_t name)
{
    return world->kinds[name] == NAME_CVE;
}

static inline void alias_link(const struct alias_world *world, alias_matrix links)
{
    for (size_t r = 0; r < world->record_count; r++) {
        const struct alias_record *record = &world->records[r];
        uint32_t a = record->name;

        for (uint32_t b = 1; record->used && b <= world->names; b++)
            if (record->aliases & alias_bit(b) && world->kinds[a] != NAME_ADVISORY &&
                world->kinds[b] != NAME_ADVISORY &&
                !(alias_is_cve(world, a) && alias_is_cve(world, b)))
                links[a][b] = links[b][a] = true;
    }
}

/* How many CVEs a name is linked to, and one of them. */
static inline unsigned alias_cves(
    const struct alias_world *world, alias_matrix links, uint32_t name, uint32_t *ret_cve)
{
    unsigned count = 0;

    for (uint32_t other = 1; other <= world->names; other++)
        if (links[name][other] && alias_is_cve(world, other)) {
            *ret_cve = other;
            count++;
        }
    return count;
}

static inline void alias_cut_ambiguous(const struct alias_world *world, alias_matrix links)
{
    bool ambiguous[ALIAS_MODEL_NAMES + 1] = {false};
    uint32_t cve;

    for (uint32_t name = 1; name <= world->names; name++)
        ambiguous[name] = !alias_is_cve(world, name) && alias_cves(world, links, name, &cve) > 1;
    for (uint32_t a = 1; a <= world->names; a++)
        for (uint32_t b = 1; b <= world->names; b++)
            links[a][b] = links[a][b] && !ambiguous[a] && !ambiguous[b];
}

static inline void alias_close(uint32_t names, alias_matrix reach)
{
    for (uint32_t a = 1; a <= names; a++)
        reach[a][a] = true;
    for (uint32_t via = 1; via <= names; via++)
        for (uint32_t a = 1; a <= names; a++)
            for (uint32_t b = 1; b <= names; b++)
                reach[a][b] = reach[a][b] || (reach[a][via] && reach[via][b]);
}

/* The name at which all of a group meet. */
static inline uint32_t alias_home(
    const struct alias_world *world, alias_matrix links, alias_matrix reach, uint32_t name)
{
    uint32_t home = name, cves = 0;

    for (uint32_t other = 1; other <= world->names; other++)
        cves += reach[name][other] && alias_is_cve(world, other);
    if (cves > 1 && !alias_is_cve(world, name))
        alias_cves(world, links, name, &home);
    else if (cves <= 1)
        for (home = 1; !reach[name][home]; home++)
            ;
    return home;
}

static inline void alias_draw(const struct alias_world *world, struct alias_picture *ret)
{
    alias_matrix links = {{false}}, reach;
    uint32_t home[ALIAS_MODEL_NAMES + 1];

    alias_link(world, links);
    alias_cut_ambiguous(world, links);
    memcpy(reach, links, sizeof(reach));
    alias_close(world->names, reach);
    for (uint32_t name = 1; name <= world->names; name++)
        home[name] = alias_home(world, links, reach, name);
    for (uint32_t name = 1; name <= world->names; name++) {
        ret->number[name] = ret->title[name] = 0;
        for (uint32_t other = world->names; other >= 1; other--) {
            if (home[other] != home[name])
                continue;
            ret->number[name] = other;
            if (!ret->title[name] || world->kinds[other] <= world->kinds[ret->title[name]])
                ret->title[name] = other;
        }
    }
}

/* The groups (by number) that a lookup of this name means. */
static inline uint32_t alias_found(
    const struct alias_world *world, const struct alias_picture *picture, uint32_t name)
{
    uint32_t sought = alias_bit(name) | alias_bit(picture->title[name]);
    uint32_t found = alias_bit(picture->number[name]);

    for (size_t r = 0; r < world->record_count; r++) {
        const struct alias_record *record = &world->records[r];

        if (record->used && (alias_bit(record->name) | record->aliases | record->covers) & sought)
            found |= alias_bit(picture->number[record->name]);
    }
    return found;
}

#endif
