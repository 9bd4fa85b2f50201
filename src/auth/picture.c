/* SPDX-License-Identifier: Apache-2.0 */
/* See picture.h. */
#include "auth/picture.h"

#include "base/array.h"

/* For all the strings; a user with its password's hash takes some 200 bytes. */
enum { PICTURE_BYTES = 256 << 20 };

static int take_project(void *ctx, const struct project *project, struct err *err)
{
    struct picture *p = ctx;
    struct project kept = *project;

    if (array_reserve(&p->projects, &p->project_cap, p->project_count + 1, sizeof(kept), err) < 0 ||
        arena_dup(&p->arena, project->id, &kept.id, err) < 0)
        return -1;
    p->projects[p->project_count++] = kept;
    return 0;
}

static int take_user(void *ctx, const struct user *user, struct err *err)
{
    struct picture *p = ctx;
    struct user kept = *user;

    if (array_reserve(&p->users, &p->user_cap, p->user_count + 1, sizeof(kept), err) < 0 ||
        arena_dup(&p->arena, user->name, &kept.name, err) < 0 ||
        arena_dup(&p->arena, user->password, &kept.password, err) < 0)
        return -1;
    p->users[p->user_count++] = kept;
    return 0;
}

static int take_key(void *ctx, const struct access_key *key, struct err *err)
{
    struct picture *p = ctx;
    struct access_key kept = *key;

    if (key->revoked_ms)
        return 0;
    kept.label = SLICE_NONE;
    if (array_reserve(&p->keys, &p->key_cap, p->key_count + 1, sizeof(kept), err) < 0 ||
        arena_dup(&p->arena, key->ak, &kept.ak, err) < 0 ||
        arena_dup(&p->arena, key->sealed_sk, &kept.sealed_sk, err) < 0)
        return -1;
    p->keys[p->key_count] = kept;
    return map_add(&p->keys_by_ak, slice_hash(kept.ak), (uint32_t)p->key_count++, err);
}

static int take_grant(void *ctx, const struct grant *grant, struct err *err)
{
    struct picture *p = ctx;
    struct grant kept = *grant;

    if (array_reserve(&p->grants, &p->grant_cap, p->grant_count + 1, sizeof(kept), err) < 0 ||
        arena_dup(&p->arena, grant->enterprise_project, &kept.enterprise_project, err) < 0)
        return -1;
    p->grants[p->grant_count++] = kept;
    return 0;
}

int picture_read(struct store *store, struct picture *ret, struct err *err)
{
    *ret = (struct picture){0};
    arena_init(&ret->arena, "users, keys and grants", PICTURE_BYTES);
    if (store_each_project(store, take_project, ret, err) < 0 ||
        store_each_user(store, take_user, ret, err) < 0 ||
        store_each_key(store, take_key, ret, err) < 0 ||
        store_each_grant(store, take_grant, ret, err) < 0)
        return -1;
    return 0;
}

void picture_release(struct picture *picture)
{
    free(picture->projects);
    free(picture->users);
    free(picture->keys);
    free(picture->grants);
    map_release(&picture->keys_by_ak);
    arena_release(&picture->arena);
    *picture = (struct picture){0};
}

const struct user *picture_user(const struct picture *picture, uint32_t number)
{
    size_t low = 0, high = picture->user_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (picture->users[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < picture->user_count && picture->users[low].number == number ? &picture->users[low]
                                                                             : NULL;
}

static bool is_ak(const void *owner, uint32_t id, const void *key)
{
    const struct picture *picture = owner;
    const struct slice *ak = key;

    return slice_eq(picture->keys[id].ak, *ak);
}

const struct access_key *picture_key(const struct picture *picture, struct slice ak)
{
    uint32_t at = map_find(&picture->keys_by_ak, slice_hash(ak), is_ak, picture, &ak);

    return at == MAP_NONE ? NULL : &picture->keys[at];
}

const struct grant *picture_grant(
    const struct picture *picture, uint32_t user, size_t from, size_t *ret_next)
{
    size_t low = from, high = picture->grant_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (picture->grants[middle].user < user)
            low = middle + 1;
        else
            high = middle;
    }
    if (low >= picture->grant_count || picture->grants[low].user != user)
        return NULL;
    *ret_next = low + 1;
    return &picture->grants[low];
}
