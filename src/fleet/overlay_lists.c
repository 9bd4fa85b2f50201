/* SPDX-License-Identifier: Apache-2.0 */
/* Linked lists in one array, with those that were freed in a list of their own. */
#include "fleet/overlay_lists.h"

void lists_release(struct lists *lists)
{
    free(lists->at);
    free(lists->links);
    *lists = (struct lists){0};
}

uint32_t lists_first(const struct lists *lists, uint32_t key)
{
    return key < lists->cap ? lists->at[key].first : 0;
}

uint32_t lists_length(const struct lists *lists, uint32_t key)
{
    return key < lists->cap ? lists->at[key].count : 0;
}

static int take_link(struct lists *lists, uint32_t *ret, struct err *err)
{
    if (lists->free) {
        *ret = lists->free;
        lists->free = lists->links[*ret].next;
        return 0;
    }
    if (lists->link_count == 0)
        lists->link_count = 1;
    if (array_reserve(
            &lists->links, &lists->link_cap, lists->link_count + 1, sizeof(*lists->links), err) < 0)
        return -1;
    *ret = (uint32_t)lists->link_count++;
    return 0;
}

/* Decisions come with rising numbers nearly always: the place is at the front. */
int lists_add(struct lists *lists, uint32_t key, const struct lying *of, struct err *err)
{
    uint32_t fresh, *at;

    if (array_reserve(&lists->at, &lists->cap, (size_t)key + 1, sizeof(*lists->at), err) < 0 ||
        take_link(lists, &fresh, err) < 0)
        return -1;
    at = &lists->at[key].first;
    while (*at && lists->links[*at].of->decision.number > of->decision.number)
        at = &lists->links[*at].next;
    lists->links[fresh] = (struct link){of, *at};
    *at = fresh;
    lists->at[key].count++;
    lists->used_count++;
    return 0;
}

void lists_drop(struct lists *lists, uint32_t key, const struct lying *of)
{
    uint32_t *at, gone;

    if (key >= lists->cap)
        return;
    at = &lists->at[key].first;
    while (*at && lists->links[*at].of != of)
        at = &lists->links[*at].next;
    gone = *at;
    if (gone == 0)
        return;
    *at = lists->links[gone].next;
    lists->links[gone] = (struct link){NULL, lists->free};
    lists->free = gone;
    lists->at[key].count--;
    lists->used_count--;
}
