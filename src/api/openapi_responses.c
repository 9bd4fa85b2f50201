/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a route answers: success, and the failures, by status. Which failures follows from what the
 * route table says: what refuses before the route is known, who may call, what is in the path,
 * query and body; a route's own are in the table.
 */
#include "api/openapi_parts.h"
#include "api/openapi_schemas.h"
#include "base/bug.h"

enum { FAILURES_MAX = 32 };

struct failure_list {
    const struct failure *at[FAILURES_MAX];
    size_t count;
};

/* --- Which ------------------------------------------------------------------------------------ */

static void add(struct failure_list *list, const struct failure *failure)
{
    BUG_ON(list->count == FAILURES_MAX);
    list->at[list->count++] = failure;
}

/* Of credentials and the project in the path. */
static void add_access(struct failure_list *list, const struct route *route)
{
    if (route->access == ACCESS_OPEN)
        return;
    add(list, &failure_unauthenticated);
    add(list, &failure_throttled);
    if (route->access == ACCESS_CALLER)
        return;
    add(list, failure_of(ERR_INVALID)); /* an id that is no text */
    add(list, failure_of(ERR_FORBIDDEN));
    add(list, failure_of(ERR_LOADING));
    add(list, &failure_wrong_project);
    add(list, &failure_revoked_project);
    add(list, &failure_no_route); /* an empty id makes another path */
}

static void add_all(struct failure_list *list, const struct route *route)
{
    for (size_t i = 0; failure_transport_at(i); i++)
        add(list, failure_transport_at(i));
    add_access(list, route);
    if (route->examines || (route->query != QUERY_NONE && route->access != ACCESS_ROLE))
        add(list, failure_of(ERR_INVALID));
    if (strstr(route->pattern, "{image_id}") || strstr(route->pattern, "{decision}") ||
        route->body == BODY_OPERATION)
        add(list, failure_of(ERR_NOT_FOUND));
    if (route->body != BODY_NONE && !route->iam)
        add(list, failure_of(ERR_FORMAT));
    add(list, failure_of(ERR_IO));
    for (size_t i = 0; route->failures && route->failures[i]; i++)
        add(list, route->failures[i]);
}

/* --- How -------------------------------------------------------------------------------------- */

static void write_header_ref(struct json_writer *w, const char *name)
{
    struct buf ref = BUF_INIT(256);

    buf_printf(&ref, "#/components/headers/%s", name);
    json_write_key(w, name);
    json_write_begin_object(w);
    json_write_member(w, "$ref", buf_slice(&ref));
    json_write_end_object(w);
    buf_release(&ref);
}

static void write_media(struct json_writer *w, const struct media *media)
{
    json_write_key(w, media->type);
    json_write_begin_object(w);
    json_write_key(w, "schema");
    json_write_begin_object(w);
    schema_write_ref(w, media->schema);
    json_write_end_object(w);
    json_write_end_object(w);
}

/* media: up to one without a type. */
static void write_response(struct json_writer *w, unsigned status, struct slice description,
    const char *header, const struct media *media)
{
    char key[16];

    snprintf(key, sizeof(key), "%u", status);
    json_write_key(w, key);
    json_write_begin_object(w);
    json_write_member(w, "description", description);
    json_write_key(w, "headers");
    json_write_begin_object(w);
    write_header_ref(w, "X-Request-Id");
    if (header)
        write_header_ref(w, header);
    json_write_end_object(w);
    json_write_key(w, "content");
    json_write_begin_object(w);
    for (; media->type; media++)
        write_media(w, media);
    json_write_end_object(w);
    json_write_end_object(w);
}

/* All of this status as one response. */
static void write_failures(struct json_writer *w, const struct failure_list *list, unsigned status,
    const struct route *route)
{
    const struct media media[] = {
        {"application/json", route->iam ? &schema_iam_error : &schema_error}, {NULL, NULL}};
    struct buf text = BUF_INIT(4096);
    bool later = status == 429 || status == 500 || status == 503;

    for (size_t i = 0; i < list->count; i++) {
        const struct failure *failure = list->at[i];

        if (failure->http_status == status)
            buf_printf(&text, "%s%s: %s", text.len ? " | " : "",
                route->iam ? failure_iam_code(failure) : failure->code, failure->text);
    }
    write_response(w, status, buf_slice(&text), later ? "Retry-After" : NULL, media);
    buf_release(&text);
}

void openapi_write_responses(struct json_writer *w, const struct route *route)
{
    struct failure_list list = {.count = 0};
    const char *header = route->gives_token ? "X-Subject-Token" : NULL;
    const struct media json[] = {{"application/json", route->answer}, {NULL, NULL}};
    const struct media *media = route->media ? route->media : json;

    add_all(&list, route);
    json_write_key(w, "responses");
    json_write_begin_object(w);
    write_response(w, route_status(route), slice_of(route->answer->help), header, media);
    for (unsigned status = 400; status < 600; status++) {
        size_t i = 0;

        while (i < list.count && list.at[i]->http_status != status)
            i++;
        if (i < list.count)
            write_failures(w, &list, status, route);
        else if (status == route->other_status)
            write_response(w, status, slice_of(route->answer->help), NULL, media);
    }
    json_write_end_object(w);
}

static void write_header(
    struct json_writer *w, const char *name, bool required, const char *pattern, const char *help)
{
    json_write_key(w, name);
    json_write_begin_object(w);
    json_write_member(w, "description", slice_of(help));
    json_write_key(w, "required");
    json_write_bool(w, required);
    json_write_key(w, "schema");
    json_write_begin_object(w);
    json_write_member(w, "type", SLICE("string"));
    json_write_member_if(w, "pattern", slice_of(pattern));
    json_write_end_object(w);
    json_write_end_object(w);
}

void openapi_write_headers(struct json_writer *w)
{
    write_header(w, "X-Request-Id", true, "^[0-9a-f]{32}$",
        "names the request; also in the server's log and in error bodies");
    write_header(w, "X-Subject-Token", true, "", "the token");
    write_header(
        w, "Retry-After", false, "^[0-9]+$", "when to try again, in seconds, if that helps");
}
