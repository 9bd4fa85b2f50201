/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of packages in the index. The names that one row has are a *variant*: nearly always one, so
 * a variant of one name is the name's number itself; longer lists are kept once each, counted, and
 * numbered from VARIANT_LISTS on. And each name knows the vulnerabilities that have it in any of
 * their variants (variants.c), to find them by.
 */
#include "index/internal.h"

#include "base/bug.h"

struct name_list {
    uint32_t refs, count;
    uint32_t next_free; /* while count is 0 */
    uint32_t names[];
};

/* --- Lists ------------------------------------------------------------------------------------ */

struct names_sought {
    const uint32_t *names;
    uint32_t count;
};

static uint64_t hash_of_names(const uint32_t *names, uint32_t count)
{
    return slice_hash((struct slice){(const char *)names, count * sizeof(*names)});
}

static bool is_list(const void *owner, uint32_t place, const void *key)
{
    const struct packages *packages = owner;
    const struct name_list *list = packages->lists[place];
    const struct names_sought *sought = key;

    return list->count == sought->count &&
           memcmp(list->names, sought->names, sought->count * sizeof(uint32_t)) == 0;
}

static size_t list_bytes(const struct name_list *list)
{
    return sizeof(*list) + list->count * sizeof(uint32_t) + 8;
}

static uint32_t find_list(const struct packages *packages, const uint32_t *names, uint32_t count)
{
    const struct names_sought sought = {names, count};

    return map_find(&packages->list_ids, hash_of_names(names, count), is_list, packages, &sought);
}

static int add_list(struct packages *packages, const uint32_t *names, uint32_t count, uint32_t *ret,
    struct err *err)
{
    struct name_list *list = malloc(sizeof(*list) + count * sizeof(*names));
    uint32_t place = packages->free_lists.count
                         ? packages->free_lists.at[packages->free_lists.count - 1]
                         : (uint32_t)packages->list_count;

    if (!list)
        return err_nomem(err);
    /* Room to give the place back is made now: that must not fail. */
    if (array_reserve(&packages->lists, &packages->list_cap, (size_t)place + 1,
            sizeof(*packages->lists), err) < 0 ||
        array_reserve(&packages->free_lists.at, &packages->free_lists.cap, packages->list_cap,
            sizeof(uint32_t), err) < 0 ||
        map_add(&packages->list_ids, hash_of_names(names, count), place, err) < 0) {
        free(list);
        return -1;
    }
    *list = (struct name_list){.count = count};
    memcpy(list->names, names, count * sizeof(*names));
    if (place == packages->list_count)
        packages->list_count++;
    else
        packages->free_lists.count--;
    packages->lists[place] = list;
    packages->bytes += list_bytes(list);
    *ret = place;
    return 0;
}

int variant_acquire(struct packages *packages, const uint32_t *names, uint32_t count, uint32_t *ret,
    struct err *err)
{
    uint32_t place;

    if (count <= 1) {
        *ret = count ? names[0] : VARIANT_NONE;
        return 0;
    }
    place = find_list(packages, names, count);
    if (place == MAP_NONE && add_list(packages, names, count, &place, err) < 0)
        return -1;
    packages->lists[place]->refs++;
    *ret = VARIANT_LISTS + place;
    return 0;
}

static struct name_list *list_of(const struct packages *packages, uint32_t variant)
{
    return variant < VARIANT_LISTS || variant >= VARIANT_UNSET
               ? NULL
               : packages->lists[variant - VARIANT_LISTS];
}

void variant_hold(struct packages *packages, uint32_t variant)
{
    struct name_list *list = list_of(packages, variant);

    if (list)
        list->refs++;
}

void variant_drop(struct packages *packages, uint32_t variant)
{
    struct name_list *list = list_of(packages, variant);
    uint32_t place = variant - VARIANT_LISTS;

    if (!list)
        return;
    BUG_ON(list->refs == 0);
    if (--list->refs)
        return;
    map_remove(&packages->list_ids, hash_of_names(list->names, list->count), place);
    packages->bytes -= list_bytes(list);
    free(list);
    packages->lists[place] = NULL;
    packages->free_lists.at[packages->free_lists.count++] = place;
}

struct variant_names variant_names(const struct packages *packages, const uint32_t *variant)
{
    const struct name_list *list = list_of(packages, *variant);

    if (list)
        return (struct variant_names){list->names, list->count};
    return (struct variant_names){variant, *variant != VARIANT_NONE};
}

bool variant_has(const struct packages *packages, uint32_t variant, uint32_t name)
{
    const struct name_list *list;

    if (variant < VARIANT_LISTS)
        return variant == name;
    list = list_of(packages, variant);
    for (uint32_t i = 0; list && i < list->count; i++)
        if (list->names[i] == name)
            return true;
    return false;
}

/* --- Names ------------------------------------------------------------------------------------ */

static bool is_name(const void *owner, uint32_t place, const void *key)
{
    const struct packages *packages = owner;

    return packages->named[place].name == *(const uint32_t *)key;
}

static uint64_t hash_of_name(uint32_t name)
{
    return slice_hash((struct slice){(const char *)&name, sizeof(name)});
}

static uint32_t place_of_name(const struct packages *packages, uint32_t name)
{
    return map_find(&packages->named_ids, hash_of_name(name), is_name, packages, &name);
}

const struct idset *packages_vulns(const struct packages *packages, uint32_t name)
{
    uint32_t place = place_of_name(packages, name);

    return place == MAP_NONE ? NULL : &packages->named[place].vulns;
}

/* Places in use are 0 .. named_count - 1: the last one moves to where one goes. */
static int add_name(struct packages *packages, uint32_t name, uint32_t *ret, struct err *err)
{
    uint32_t place = (uint32_t)packages->named_count;

    if (array_reserve(&packages->named, &packages->named_cap, (size_t)place + 1,
            sizeof(*packages->named), err) < 0 ||
        map_add(&packages->named_ids, hash_of_name(name), place, err) < 0)
        return -1;
    packages->named[place] = (struct named){.name = name};
    packages->named_count++;
    *ret = place;
    return 0;
}

static void drop_name(struct packages *packages, uint32_t place)
{
    uint32_t last = (uint32_t)--packages->named_count;
    struct err none;

    map_remove(&packages->named_ids, hash_of_name(packages->named[place].name), place);
    packages->bytes -= idset_bytes(&packages->named[place].vulns);
    idset_release(&packages->named[place].vulns);
    if (place == last)
        return;
    map_remove(&packages->named_ids, hash_of_name(packages->named[last].name), last);
    packages->named[place] = packages->named[last];
    /* the room of the one just removed */
    BUG_ON(
        map_add(&packages->named_ids, hash_of_name(packages->named[place].name), place, &none) < 0);
}

int packages_enter(struct packages *packages, uint32_t name, uint32_t vuln, struct err *err)
{
    uint32_t place = place_of_name(packages, name);
    struct idset *vulns;
    int failed;

    if (place == MAP_NONE && add_name(packages, name, &place, err) < 0)
        return -1;
    vulns = &packages->named[place].vulns;
    packages->bytes -= idset_bytes(vulns);
    failed = idset_prepare(vulns, err); /* a new one has room */
    if (failed == 0)
        idset_add(vulns, vuln);
    packages->bytes += idset_bytes(vulns);
    return failed;
}

void packages_leave(struct packages *packages, uint32_t name, uint32_t vuln)
{
    uint32_t place = place_of_name(packages, name);
    struct idset *vulns;

    BUG_ON(place == MAP_NONE);
    vulns = &packages->named[place].vulns;
    packages->bytes -= idset_bytes(vulns);
    idset_remove(vulns, vuln);
    packages->bytes += idset_bytes(vulns);
    if (vulns->count == 0)
        drop_name(packages, place);
}

/* --- All of it -------------------------------------------------------------------------------- */

void packages_release(struct packages *packages)
{
    for (size_t i = 0; i < packages->list_count; i++)
        free(packages->lists[i]);
    for (size_t i = 0; i < packages->named_count; i++)
        idset_release(&packages->named[i].vulns);
    free(packages->lists);
    free(packages->named);
    ids_release(&packages->free_lists);
    map_release(&packages->list_ids);
    map_release(&packages->named_ids);
    *packages = (struct packages){0};
}

size_t packages_bytes(const struct packages *packages)
{
    return packages->bytes + packages->list_cap * (sizeof(*packages->lists) + sizeof(uint32_t)) +
           packages->named_cap * sizeof(*packages->named) +
           (packages->list_ids.cap + packages->named_ids.cap) * sizeof(uint64_t);
}

const char *packages_validate(const struct packages *packages)
{
    size_t bytes = 0, lists = 0;
    const char *why;

    for (size_t i = 0; i < packages->list_count; i++) {
        const struct name_list *list = packages->lists[i];

        if (!list)
            continue;
        lists++;
        bytes += list_bytes(list);
        if (list->count < 2 || list->refs == 0)
            return "a list of package names is kept that nobody needs";
        for (uint32_t j = 1; j < list->count; j++)
            if (list->names[j - 1] >= list->names[j])
                return "a list of package names is not ascending";
        if (find_list(packages, list->names, list->count) != i)
            return "a list of package names is not found";
    }
    if (lists + packages->free_lists.count != packages->list_count ||
        lists != packages->list_ids.count)
        return "a list of package names was lost";
    for (size_t i = 0; i < packages->named_count; i++) {
        const struct named *named = &packages->named[i];

        bytes += idset_bytes(&named->vulns);
        if (named->vulns.count == 0 || place_of_name(packages, named->name) != i)
            return "a package's name has no vulnerabilities, or is not found";
        if ((why = idset_validate(&named->vulns)))
            return why;
    }
    if (packages->named_ids.count != packages->named_count || bytes != packages->bytes)
        return "the names of packages are not as many, or not as large, as was counted";
    return NULL;
}
