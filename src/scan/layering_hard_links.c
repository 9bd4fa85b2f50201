/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hard links to files of lower layers: what umoci, and whoever else unpacks one layer onto the
 * other, makes of them. Such a file has the content that its target had right below the link's
 * layer, whatever upper layers made of the target since; a layer that puts something else at the
 * target, or takes it away, ends the search.
 */
#include "scan/layering_internal.h"

#include "base/array.h"
#include "base/limits.h"

static int set_target(
    struct layering *layering, struct lower_link *link, struct slice target, struct err *err)
{
    if (layering_text(layering, target, &link->target, err) < 0 ||
        array_reserve(&layering->lower_targets, &layering->lower_target_cap,
            layering->lower_target_count + 1, sizeof(link->target), err) < 0)
        return -1;
    layering->lower_targets[layering->lower_target_count++] = link->target;
    return 0;
}

int layering_add_lower_link(
    struct layering *layering, size_t layer, const struct fact *fact, struct err *err)
{
    struct lower_link link = {.layer = layer};

    if (layering->lower_link_count == LIMIT_LOWER_LINKS)
        return err_set(err, ERR_LIMIT,
            "more than %d hard links to files of lower layers (LIMIT_LOWER_LINKS)",
            LIMIT_LOWER_LINKS);
    if (set_target(layering, &link, fact->target, err) < 0 ||
        array_reserve(&layering->lower_links, &layering->lower_link_cap,
            layering->lower_link_count + 1, sizeof(link), err) < 0 ||
        layering_add_database(layering, layer, fact, &link.database, err) < 0)
        return -1;
    layering->lower_links[layering->lower_link_count++] = link;
    return 0;
}

static int take_file(struct layering *layering, struct lower_link *link, const struct fact *fact,
    struct arena *arena, struct err *err)
{
    struct database *database = &layering->databases[link->database];
    struct told told;
    int failed;

    link->gone = fact->reader != database->reader;
    if (link->gone)
        return 0;
    if (fact->failed)
        return err_set(err, fact->failed, "%.*s", SLICE_FMT(fact->why));
    if (told_begin(fact->payload, arena, &told, err) < 0)
        return -1;
    link->found = true;
    database->first_package = layering->package_count;
    failed = layering_take_told(layering, link->database, &told, err);
    arena_reset(arena);
    return failed;
}

int layering_take_lower(struct layering *layering, size_t layer, const struct fact *fact,
    struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < layering->lower_link_count; i++) {
        struct lower_link *link = &layering->lower_links[i];

        if (link->found || link->gone || link->layer == layer ||
            !slice_eq(link->target, fact->path))
            continue;
        if (fact->kind == FACT_FILE && take_file(layering, link, fact, arena, err) < 0)
            return -1;
        if (fact->kind != FACT_SAME)
            continue;
        link->layer = layer;
        if (set_target(layering, link, fact->target, err) < 0)
            return -1;
    }
    return 0;
}

void layering_hide_lower(struct layering *layering, size_t layer)
{
    for (size_t i = 0; i < layering->lower_link_count; i++) {
        struct lower_link *link = &layering->lower_links[i];

        if (!link->found && link->layer != layer &&
            layering_is_hidden_by_layer(layering, link->target))
            link->gone = true;
    }
}

/* What no reader knows by its own path was read as a target; it is no database of the image. */
static void drop_targets(struct layering *layering)
{
    for (size_t i = 0; i < layering->lower_target_count; i++) {
        uint32_t id = layering_find_database(layering, layering->lower_targets[i]);

        if (id != MAP_NONE && !inventory_reader_for(layering->lower_targets[i]))
            layering->databases[id].gone = true;
    }
}

int layering_finish_lower(struct layering *layering, struct err *err)
{
    for (size_t i = 0; i < layering->lower_link_count; i++) {
        const struct lower_link *link = &layering->lower_links[i];

        if (!link->found)
            return err_set(err, ERR_FORMAT,
                "%.*s is a hard link to %.*s, which is no file before it, in its layer or below",
                SLICE_FMT(layering->databases[link->database].path), SLICE_FMT(link->target));
    }
    drop_targets(layering);
    return 0;
}
