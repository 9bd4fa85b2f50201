/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions, copied, in the lists of overlay_lists.h. Of images and packages that no decision names
 * any more the interned name stays.
 */
#include "base/bug.h"
#include "base/cleanup.h"
#include "fleet/overlay_lists.h"

enum { NAMES_MAX_BYTES = 1 << 30 };

/* --- One decision ----------------------------------------------------------------------------- */

static void lying_free(struct lying *lying)
{
    if (!lying)
        return;
    ids_release(&lying->groups);
    free(lying->block);
    free(lying);
}

static size_t texts_of(const struct decision *decision)
{
    size_t bytes = decision->package.len + decision->place.len + decision->author.len +
                   decision->reason.len + decision->ended_by.len;

    for (size_t i = 0; i < decision->enterprise_project_count; i++)
        bytes += decision->enterprise_projects[i].len;
    return bytes;
}

static void *put_bytes(char **at, const void *from, size_t bytes)
{
    char *to = *at;

    if (bytes)
        memcpy(to, from, bytes);
    *at += bytes;
    return to;
}

static struct slice put_text(char **at, struct slice text)
{
    return (struct slice){put_bytes(at, text.ptr, text.len), text.len};
}

/* Everything that it points at goes into one block: what needs to be aligned most comes first. */
static int copy_decision(struct lying *lying, const struct decision *from, struct err *err)
{
    struct decision *to = &lying->decision;
    size_t projects = from->enterprise_project_count * sizeof(*from->enterprise_projects);
    size_t vulns = from->vuln_count * sizeof(*from->vulns);
    size_t images = from->image_count * sizeof(*from->images);
    struct slice *names;
    char *at;

    lying->block = malloc(projects + vulns + images + texts_of(from) + 1);
    if (!lying->block)
        return err_nomem(err);
    at = lying->block;
    *to = *from;
    names = put_bytes(&at, from->enterprise_projects, projects);
    to->vulns = put_bytes(&at, from->vulns, vulns);
    to->images = put_bytes(&at, from->images, images);
    to->package = put_text(&at, from->package);
    to->place = put_text(&at, from->place);
    to->author = put_text(&at, from->author);
    to->reason = put_text(&at, from->reason);
    to->ended_by = put_text(&at, from->ended_by);
    for (size_t i = 0; i < from->enterprise_project_count; i++)
        names[i] = put_text(&at, from->enterprise_projects[i]);
    to->enterprise_projects = names;
    return 0;
}

static int group_names(const struct decision *decision, const struct aliases *aliases,
    struct ids *ret, struct err *err)
{
    ret->count = 0;
    for (size_t i = 0; i < decision->vuln_count; i++)
        if (ids_push(ret, aliases_group(aliases, decision->vulns[i]), err) < 0)
            return -1;
    ids_sort_unique(ret);
    return 0;
}

static struct lying *lying_new(
    const struct aliases *aliases, const struct decision *decision, struct err *err)
{
    struct lying *lying = calloc(1, sizeof(*lying));

    if (!lying) {
        err_nomem(err);
        return NULL;
    }
    if (copy_decision(lying, decision, err) < 0 ||
        group_names(decision, aliases, &lying->groups, err) < 0) {
        lying_free(lying);
        return NULL;
    }
    return lying;
}

/* --- In and out of the lists ------------------------------------------------------------------ */

static bool is_named(const struct lying *lying)
{
    return lying->decision.scope == DECISION_IMAGES;
}

static bool is_by_package(const struct lying *lying)
{
    return !is_named(lying) && lying->decision.vuln_count == 0;
}

static struct slice id_bytes(const unsigned char *id)
{
    return (struct slice){(const char *)id, IMAGE_ID_BYTES};
}

static int add_groups(
    struct overlay *overlay, enum list_kind kind, const struct lying *lying, struct err *err)
{
    for (size_t i = 0; i < lying->groups.count; i++)
        if (lists_add(&overlay->lists[kind], lying->groups.at[i], lying, err) < 0)
            return -1;
    return 0;
}

static void drop_groups(struct overlay *overlay, enum list_kind kind, const struct lying *lying)
{
    for (size_t i = 0; i < lying->groups.count; i++)
        lists_drop(&overlay->lists[kind], lying->groups.at[i], lying);
}

static enum list_kind groups_kind(const struct lying *lying)
{
    return is_named(lying) ? LIST_IMAGE_GROUP : LIST_GROUP;
}

static enum list_kind images_kind(const struct lying *lying)
{
    return lying->decision.vuln_count ? LIST_IMAGE : LIST_IMAGE_PACKAGE;
}

static int add_images(struct overlay *overlay, const struct lying *lying, struct err *err)
{
    const struct decision *decision = &lying->decision;
    uint32_t key;

    for (size_t i = 0; i < decision->image_count; i++)
        if (intern_put(&overlay->images, id_bytes(decision->images[i]), &key, err) < 0 ||
            lists_add(&overlay->lists[images_kind(lying)], key, lying, err) < 0)
            return -1;
    return 0;
}

static void drop_images(struct overlay *overlay, const struct lying *lying)
{
    const struct decision *decision = &lying->decision;

    for (size_t i = 0; i < decision->image_count; i++)
        lists_drop(&overlay->lists[images_kind(lying)],
            intern_find(&overlay->images, id_bytes(decision->images[i])), lying);
}

static int add_package(struct overlay *overlay, const struct lying *lying, struct err *err)
{
    uint32_t key;

    if (intern_put(&overlay->packages, lying->decision.package, &key, err) < 0)
        return -1;
    return lists_add(&overlay->lists[LIST_PACKAGE], key, lying, err);
}

static void unlist(struct overlay *overlay, const struct lying *lying)
{
    drop_groups(overlay, groups_kind(lying), lying);
    if (is_named(lying))
        drop_images(overlay, lying);
    else if (is_by_package(lying))
        lists_drop(&overlay->lists[LIST_PACKAGE],
            intern_find(&overlay->packages, lying->decision.package), lying);
}

static int enlist(struct overlay *overlay, const struct lying *lying, struct err *err)
{
    int failed = add_groups(overlay, groups_kind(lying), lying, err);

    if (!failed && is_named(lying))
        failed = add_images(overlay, lying, err);
    else if (!failed && is_by_package(lying))
        failed = add_package(overlay, lying, err);
    if (failed)
        unlist(overlay, lying);
    return failed;
}

/* Room for the counts is made first: counting itself cannot fail. */
static int reserve_names(struct overlay *overlay, const struct decision *decision, struct err *err)
{
    size_t count = decision->vuln_count;

    if (count == 0)
        return 0;
    return array_reserve(&overlay->named, &overlay->named_cap,
        (size_t)decision->vulns[count - 1] + 1, sizeof(*overlay->named), err);
}

static void count_names(struct overlay *overlay, const struct decision *decision, bool in)
{
    for (size_t i = 0; i < decision->vuln_count; i++)
        overlay->named[decision->vulns[i]] += in ? 1u : UINT32_MAX;
}

/* Room is there: overlay_put() has made it. */
static void gather_by_package(struct overlay *overlay)
{
    overlay->by_package_count = 0;
    for (size_t i = 0; i < overlay->count; i++)
        if (is_by_package(overlay->at[i]))
            overlay->by_package[overlay->by_package_count++] = overlay->at[i];
}

/* --- Keeping ---------------------------------------------------------------------------------- */

struct overlay *overlay_new(struct err *err)
{
    struct overlay *overlay = calloc(1, sizeof(*overlay));

    if (!overlay) {
        err_nomem(err);
        return NULL;
    }
    if (intern_init(&overlay->images, "the table of images in decisions", NAMES_MAX_BYTES, err) <
            0 ||
        intern_init(
            &overlay->packages, "the table of packages in decisions", NAMES_MAX_BYTES, err) < 0) {
        overlay_free(overlay);
        return NULL;
    }
    return overlay;
}

void overlay_free(struct overlay *overlay)
{
    if (!overlay)
        return;
    for (size_t i = 0; i < overlay->count; i++)
        lying_free(overlay->at[i]);
    for (int kind = 0; kind < LIST_COUNT; kind++)
        lists_release(&overlay->lists[kind]);
    intern_release(&overlay->images);
    intern_release(&overlay->packages);
    free(overlay->named);
    free(overlay->by_package);
    free(overlay->at);
    free(overlay);
}

/* Position of the decision of this number, or where it belongs. */
static size_t position_of(const struct overlay *overlay, uint32_t number)
{
    size_t low = 0, high = overlay->count;

    if (high && overlay->at[high - 1]->decision.number < number)
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (overlay->at[middle]->decision.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct lying *find(const struct overlay *overlay, uint32_t number)
{
    size_t at = position_of(overlay, number);
    bool found = at < overlay->count && overlay->at[at]->decision.number == number;

    return found ? overlay->at[at] : NULL;
}

static void let_go(struct overlay *overlay, struct lying *lying)
{
    unlist(overlay, lying);
    count_names(overlay, &lying->decision, false);
    lying_free(lying);
}

int overlay_put(struct overlay *overlay, const struct aliases *aliases,
    const struct decision *decision, struct err *err)
{
    size_t at = position_of(overlay, decision->number);
    struct lying *old = find(overlay, decision->number), *fresh;

    if (array_reserve(&overlay->at, &overlay->cap, overlay->count + 1, sizeof(*overlay->at), err) <
            0 ||
        array_reserve(&overlay->by_package, &overlay->by_package_cap, overlay->count + 1,
            sizeof(*overlay->by_package), err) < 0 ||
        reserve_names(overlay, decision, err) < 0)
        return -1;
    fresh = lying_new(aliases, decision, err);
    if (!fresh || enlist(overlay, fresh, err) < 0) {
        lying_free(fresh);
        return -1;
    }
    count_names(overlay, &fresh->decision, true);
    if (old) {
        let_go(overlay, old);
    } else {
        memmove(
            &overlay->at[at + 1], &overlay->at[at], (overlay->count - at) * sizeof(struct lying *));
        overlay->count++;
    }
    overlay->at[at] = fresh;
    if (old || at + 1 < overlay->count)
        gather_by_package(overlay);
    else if (is_by_package(fresh))
        overlay->by_package[overlay->by_package_count++] = fresh;
    return 0;
}

void overlay_remove(struct overlay *overlay, uint32_t number)
{
    size_t at = position_of(overlay, number);
    struct lying *lying = find(overlay, number);
    bool by_package = lying && is_by_package(lying);

    if (!lying)
        return;
    overlay->count--;
    memmove(&overlay->at[at], &overlay->at[at + 1], (overlay->count - at) * sizeof(struct lying *));
    let_go(overlay, lying);
    if (by_package)
        gather_by_package(overlay);
}

const struct decision *overlay_find(const struct overlay *overlay, uint32_t number)
{
    const struct lying *lying = find(overlay, number);

    return lying ? &lying->decision : NULL;
}

size_t overlay_count(const struct overlay *overlay)
{
    return overlay->count;
}

const struct decision *overlay_at(const struct overlay *overlay, size_t position)
{
    BUG_ON(position >= overlay->count);
    return &overlay->at[position]->decision;
}

const struct ids *overlay_groups(const struct overlay *overlay, uint32_t number)
{
    const struct lying *lying = find(overlay, number);

    BUG_ON(!lying);
    return &lying->groups;
}

bool overlay_concerns(const struct overlay *overlay, uint32_t name)
{
    return name < overlay->named_cap && overlay->named[name] > 0;
}

static int regroup(
    struct overlay *overlay, const struct aliases *aliases, struct lying *lying, struct err *err)
{
    struct ids groups CLEANUP(ids_release) = {0}, old;

    if (group_names(&lying->decision, aliases, &groups, err) < 0)
        return -1;
    if (ids_equal(&groups, &lying->groups))
        return 0;
    drop_groups(overlay, groups_kind(lying), lying);
    old = lying->groups;
    lying->groups = groups;
    groups = old;
    return add_groups(overlay, groups_kind(lying), lying, err);
}

int overlay_regroup(struct overlay *overlay, const struct aliases *aliases, struct err *err)
{
    for (size_t i = 0; i < overlay->count; i++)
        if (regroup(overlay, aliases, overlay->at[i], err) < 0)
            return -1;
    return 0;
}

int overlay_expired(const struct overlay *overlay, int64_t now_ms, struct ids *ret, struct err *err)
{
    for (size_t i = 0; i < overlay->count; i++) {
        const struct decision *decision = &overlay->at[i]->decision;

        if (decision->expires_ms && decision->expires_ms <= now_ms &&
            ids_push(ret, decision->number, err) < 0)
            return -1;
    }
    return 0;
}

int64_t overlay_next_expiry_ms(const struct overlay *overlay)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < overlay->count; i++) {
        int64_t expires_ms = overlay->at[i]->decision.expires_ms;

        if (expires_ms && expires_ms < next)
            next = expires_ms;
    }
    return next;
}

int overlay_naming(const struct overlay *overlay, const unsigned char image[IMAGE_ID_BYTES],
    struct ids *ret, struct err *err)
{
    static const enum list_kind kinds[] = {LIST_IMAGE, LIST_IMAGE_PACKAGE};
    uint32_t key = intern_find(&overlay->images, id_bytes(image));

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct lists *lists = &overlay->lists[kinds[i]];

        for (uint32_t at = lists_first(lists, key); at; at = lists->links[at].next)
            if (ids_push(ret, lists->links[at].of->decision.number, err) < 0)
                return -1;
    }
    return 0;
}
