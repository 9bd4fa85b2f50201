/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may do, from the picture of grants (principals.h). */
#include "auth/picture.h"

bool principals_find_project(
    struct principals *principals, struct slice id, struct known_project *ret)
{
    const struct picture *picture = &principals->picture;
    bool found = false;

    pthread_rwlock_rdlock(&principals->lock);
    for (size_t i = 0; i < picture->project_count && !found; i++)
        if (slice_eq(picture->projects[i].id, id)) {
            *ret = (struct known_project){.number = picture->projects[i].number,
                .revoked = picture->projects[i].revoked_ms != 0};
            found = true;
        }
    pthread_rwlock_unlock(&principals->lock);
    return found;
}

/* The next grant of a user that reaches into the project (0: any). */
static const struct grant *next_grant(
    const struct picture *picture, const struct principal *who, uint32_t project, size_t *at)
{
    const struct grant *grant;

    if (project && who->project && who->project != project)
        return NULL;
    while ((grant = picture_grant(picture, who->user, *at, at)))
        if (project == 0 || grant->project == 0 || grant->project == project)
            return grant;
    return NULL;
}

bool access_includes(const struct access *access, struct slice enterprise_project)
{
    for (size_t i = 0; i < access->enterprise_project_count; i++)
        if (slice_eq(access->enterprise_projects[i], enterprise_project))
            return true;
    return access->all;
}

static int add_enterprise_project(
    struct access *access, size_t *cap, struct slice id, struct arena *arena, struct err *err)
{
    struct slice *grown, kept;

    if (access_includes(access, id))
        return 0;
    grown = arena_grow(arena, access->enterprise_projects, access->enterprise_project_count, cap,
        sizeof(*grown), err);
    if (!grown || arena_dup(arena, id, &kept, err) < 0)
        return -1;
    access->enterprise_projects = grown;
    grown[access->enterprise_project_count++] = kept;
    return 0;
}

/* Locked. */
static int gather_access(const struct picture *picture, const struct principal *who,
    uint32_t project, enum role role, struct arena *arena, struct access *ret, struct err *err)
{
    const struct grant *grant;
    size_t at = 0, cap = 0;

    while ((grant = next_grant(picture, who, project, &at))) {
        if (grant->role < role)
            continue;
        ret->any = true;
        if (grant->enterprise_project.len == 0)
            ret->all = true;
        else if (add_enterprise_project(ret, &cap, grant->enterprise_project, arena, err) < 0)
            return -1;
    }
    return 0;
}

int principals_access(struct principals *principals, const struct principal *who, uint32_t project,
    enum role role, struct arena *arena, struct access *ret, struct err *err)
{
    struct access access = {0};
    int failed = 0;

    if (who->user == 0) {
        access.any = access.all = who->project == project && who->role >= role;
    } else {
        pthread_rwlock_rdlock(&principals->lock);
        failed = gather_access(&principals->picture, who, project, role, arena, &access, err);
        pthread_rwlock_unlock(&principals->lock);
    }
    if (failed)
        return -1;
    *ret = access;
    return 0;
}

bool principals_role(
    struct principals *principals, const struct principal *who, uint32_t project, enum role *ret)
{
    const struct grant *grant;
    bool found = false;
    size_t at = 0;

    if (who->user == 0) {
        if (project && project != who->project)
            return false;
        *ret = who->role;
        return true;
    }
    pthread_rwlock_rdlock(&principals->lock);
    while ((grant = next_grant(&principals->picture, who, project, &at))) {
        if (!found || grant->role > *ret)
            *ret = grant->role;
        found = true;
    }
    pthread_rwlock_unlock(&principals->lock);
    return found;
}

bool principals_is_admin(struct principals *principals, const struct principal *who)
{
    const struct grant *grant;
    bool admin = false;
    size_t at = 0;

    if (who->user == 0 || who->project)
        return false;
    pthread_rwlock_rdlock(&principals->lock);
    while ((grant = next_grant(&principals->picture, who, 0, &at)))
        admin |= grant->role == ROLE_ADMIN && !grant->project && !grant->enterprise_project.len;
    pthread_rwlock_unlock(&principals->lock);
    return admin;
}

/* Locked. */
static bool may_see(
    const struct picture *picture, const struct principal *who, const struct project *project)
{
    size_t at = 0;

    if (who->user == 0)
        return who->project == project->number;
    return next_grant(picture, who, project->number, &at) != NULL;
}

static int list_projects(const struct picture *picture, const struct principal *who,
    struct arena *arena, struct known_project *list, size_t *ret_count, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < picture->project_count; i++) {
        const struct project *project = &picture->projects[i];

        if (!may_see(picture, who, project))
            continue;
        list[count] =
            (struct known_project){.number = project->number, .revoked = project->revoked_ms != 0};
        if (arena_dup(arena, project->id, &list[count++].id, err) < 0)
            return -1;
    }
    *ret_count = count;
    return 0;
}

int principals_projects(struct principals *principals, const struct principal *who,
    struct arena *arena, struct known_project **ret, size_t *ret_count, struct err *err)
{
    const struct picture *picture = &principals->picture;
    struct known_project *list;
    int failed = -1;

    pthread_rwlock_rdlock(&principals->lock);
    list = arena_alloc_array(arena, picture->project_count + 1, sizeof(*list), err);
    if (list)
        failed = list_projects(picture, who, arena, list, ret_count, err);
    pthread_rwlock_unlock(&principals->lock);
    if (failed)
        return -1;
    *ret = list;
    return 0;
}
