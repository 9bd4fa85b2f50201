/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See granted.h. An image's id is made of its place, enterprise project included: an image that
 * moves gets another id, so what was checked of an id stays true until the handler acts on it.
 */
#include "api/granted.h"

#include "api/routes.h"

int granted_enterprise_project(const struct call *call, struct slice id, struct err *err)
{
    if (access_includes(&call->access, id))
        return 0;
    return err_set(err, ERR_FORBIDDEN,
        "enterprise_project_id: %.*s is not granted; name one that is, or all_granted_eps",
        SLICE_FMT(id));
}

int granted_scope(const struct call *call, struct affected_request *request, struct err *err)
{
    struct index_scope *scope = &request->query.q.scope;

    if (call->access.all)
        return 0;
    for (size_t i = 0; i < request->enterprise_projects.count; i++)
        if (granted_enterprise_project(call, request->enterprise_projects.at[i], err) < 0)
            return -1;
    if (request->enterprise_project.len &&
        granted_enterprise_project(call, request->enterprise_project, err) < 0)
        return -1;
    if (scope->enterprise_project_count)
        return 0;
    scope->enterprise_projects = call->access.enterprise_projects;
    scope->enterprise_project_count = call->access.enterprise_project_count;
    return 0;
}

int granted_projects(const struct call *call, struct slice *asked, const struct slice **ret,
    size_t *ret_count, struct err *err)
{
    if (asked->len == 0)
        *asked = SLICE("0");
    if (slice_is(*asked, "all_granted_eps")) {
        *ret = call->access.all ? NULL : call->access.enterprise_projects;
        *ret_count = call->access.all ? 0 : call->access.enterprise_project_count;
        return 0;
    }
    if (granted_enterprise_project(call, *asked, err) < 0)
        return -1;
    *ret = asked;
    *ret_count = 1;
    return 0;
}

/* Does the image of the path stand in an enterprise project of `access`? */
static int find_image(
    const struct call *call, const struct access *access, bool *ret, struct err *err)
{
    const struct index_scope scope = {.type = -1,
        .image_id = call->image_id,
        .enterprise_projects = access->enterprise_projects,
        .enterprise_project_count = access->enterprise_project_count};
    struct index_counts counts;

    if (fleet_count(call->service->fleet, call->project, &scope, &counts, err) < 0)
        return -1;
    *ret = access->any && counts.images > 0;
    return 0;
}

int granted_image(struct call *call, struct err *err)
{
    struct access seen;
    bool found = false;

    if (call->access.all)
        return 0;
    if (find_image(call, &call->access, &found, err) < 0)
        return -1;
    if (found)
        return 0;
    if (principals_access(call->service->principals, &call->principal, call->project, ROLE_VIEWER,
            &call->request->arena, &seen, err) < 0 ||
        find_image(call, &seen, &found, err) < 0)
        return -1;
    if (found)
        return err_set(err, ERR_FORBIDDEN, "changing this image needs the role %s where it stands",
            words_name(&role_words, (int)call->route->role));
    return err_set(
        err, ERR_NOT_FOUND, "there is no image with the id \"%.*s\"", SLICE_FMT(call->image_id));
}

int granted_move(const struct call *call, const struct image_change *change, struct err *err)
{
    if (!(change->fields & FIELD_ENTERPRISE_PROJECT))
        return 0;
    return granted_enterprise_project(call, change->to.enterprise_project, err);
}
