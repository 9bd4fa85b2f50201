/* SPDX-License-Identifier: Apache-2.0 */
/* Matching a raw path against the patterns of the table, segment by segment. */
#include "api/routes.h"

#include "base/limits.h"
#include "base/utf8.h"

static const struct route routes[] = {
    {"GET", "/v5/{project_id}/vulnerability/images", ACCESS_PROJECT, false, false,
        handle_affected_images},
    {"POST", "/careen/v1/{project_id}/images", ACCESS_PROJECT, true, true, handle_import},
    {"GET", "/careen/v1/{project_id}/images/{image_id}", ACCESS_PROJECT, false, true,
        handle_show_image},
    {"PATCH", "/careen/v1/{project_id}/images/{image_id}", ACCESS_PROJECT, true, true,
        handle_set_image},
    {"DELETE", "/careen/v1/{project_id}/images/{image_id}", ACCESS_PROJECT, false, true,
        handle_remove_image},
    {"GET", "/healthz", ACCESS_OPEN, false, false, handle_health},
    {"GET", "/readyz", ACCESS_OPEN, false, false, handle_ready},
};

/* Where the raw segment of {project_id} and {image_id} go, still encoded. */
struct segments {
    struct slice project_id, image_id;
};

static bool matches(const char *pattern, struct slice path, struct segments *ret)
{
    struct slice rest = slice_of(pattern);

    if (slice_ends_with(path, "/"))
        return false; /* another path, which pulling segments would not tell */
    while (rest.len && path.len) {
        struct slice want = slice_pull_until(&rest, '/'), have = slice_pull_until(&path, '/');

        if (slice_is(want, "{project_id}"))
            ret->project_id = have;
        else if (slice_is(want, "{image_id}"))
            ret->image_id = have;
        else if (!slice_eq(want, have))
            return false;
        else
            continue;
        if (have.len == 0)
            return false;
    }
    return rest.len == 0 && path.len == 0;
}

static int decode_id(
    struct call *call, const char *name, struct slice raw, struct slice *ret, struct err *err)
{
    if (raw.len == 0)
        return 0;
    if (percent_decode(raw, &call->request->arena, ret, err) < 0)
        return err_prefix(err, "%s", name);
    if (utf8_count(*ret) > LIMIT_ID_CHARS)
        return err_set(err, ERR_INVALID, "%s: must be 1-%d characters", name, LIMIT_ID_CHARS);
    return 0;
}

const struct failure *route_find(struct call *call, struct err *err)
{
    bool path_known = false;
    struct segments segments;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        segments = (struct segments){0};
        if (!matches(routes[i].pattern, call->request->path, &segments))
            continue;
        path_known = true;
        if (strcmp(routes[i].method, call->request->method) != 0)
            continue;
        call->route = &routes[i];
        if (decode_id(call, "project_id", segments.project_id, &call->project_id, err) < 0 ||
            decode_id(call, "image_id", segments.image_id, &call->image_id, err) < 0)
            return failure_of(err->code);
        return NULL;
    }
    return path_known ? &failure_wrong_method : &failure_no_route;
}
