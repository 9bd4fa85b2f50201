/* SPDX-License-Identifier: Apache-2.0 */
/* The document of openapi.h, in the order of its parts: info, paths, components. */
#include "api/openapi.h"

#include "api/affected_params.h"
#include "api/openapi_parts.h"
#include "api/openapi_schemas.h"
#include "base/bug.h"
#include "codec/json_writer.h"

enum { DOCUMENT_BYTES = 1 << 20, SCHEMAS_MAX = 64 };

static void write_info(struct json_writer *w)
{
    json_write_key(w, "info");
    json_write_begin_object(w);
    json_write_member(w, "title", SLICE("Careen"));
    json_write_member(w, "version", SLICE(CAREEN_VERSION));
    json_write_member(w, "description",
        SLICE(
            "Which container images does a vulnerability affect: Huawei Cloud HSS v5 "
            "ListVulAffectImages on a server of one's own, and what goes with it. Every answer has "
            "the header X-Request-Id. A known path answers another method with 404. Parameters "
            "that a request does not have are passed over, but in imports."));
    json_write_key(w, "license");
    json_write_begin_object(w);
    json_write_member(w, "name", SLICE("Apache License 2.0"));
    json_write_member(w, "identifier", SLICE("Apache-2.0"));
    json_write_end_object(w);
    json_write_end_object(w);
    json_write_key(w, "servers");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_member(w, "url", SLICE("/"));
    json_write_end_object(w);
    json_write_end_array(w);
}

/* --- Paths ------------------------------------------------------------------------------------ */

static bool is_first_of_path(size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(route_at(i)->pattern, route_at(at)->pattern) == 0)
            return false;
    return true;
}

static void write_path(
    struct json_writer *w, const char *pattern, const struct service_options *options)
{
    json_write_key(w, pattern);
    json_write_begin_object(w);
    for (size_t i = 0; route_at(i); i++)
        if (strcmp(route_at(i)->pattern, pattern) == 0)
            openapi_write_operation(w, route_at(i), options);
    json_write_end_object(w);
}

static void write_paths(struct json_writer *w, const struct service_options *options)
{
    json_write_key(w, "paths");
    json_write_begin_object(w);
    for (size_t i = 0; route_at(i); i++)
        if (is_first_of_path(i))
            write_path(w, route_at(i)->pattern, options);
    json_write_end_object(w);
}

/* --- Components ------------------------------------------------------------------------------- */

struct schema_list {
    const struct schema *at[SCHEMAS_MAX];
    size_t count;
};

/* Adds a schema and those that it is made of, each once. Accepts NULL. */
static void gather(struct schema_list *list, const struct schema *schema)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i] == schema)
            return;
    if (!schema)
        return;
    BUG_ON(list->count == SCHEMAS_MAX);
    list->at[list->count++] = schema;
    for (size_t i = 0; i < schema->count; i++)
        gather(list, schema->members[i].of);
}

static void write_schemas(struct json_writer *w)
{
    struct schema_list list = {.count = 0};

    for (size_t i = 0; route_at(i); i++) {
        gather(&list, route_at(i)->answer);
        for (const struct media *media = route_at(i)->media; media && media->type; media++)
            gather(&list, media->schema);
        gather(&list, route_at(i)->request);
    }
    gather(&list, &schema_error);
    gather(&list, &schema_iam_error);
    json_write_key(w, "schemas");
    json_write_begin_object(w);
    for (size_t i = 0; i < list.count; i++) {
        json_write_key(w, list.at[i]->name);
        json_write_begin_object(w);
        schema_write(w, list.at[i]);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

static void write_scheme(
    struct json_writer *w, const char *key, const char *header, const char *description)
{
    json_write_key(w, key);
    json_write_begin_object(w);
    json_write_member(w, "type", SLICE("apiKey"));
    json_write_member(w, "in", SLICE("header"));
    json_write_member(w, "name", slice_of(header));
    json_write_member(w, "description", slice_of(description));
    json_write_end_object(w);
}

static void write_components(struct json_writer *w)
{
    json_write_key(w, "components");
    json_write_begin_object(w);
    write_schemas(w);
    json_write_key(w, "headers");
    json_write_begin_object(w);
    openapi_write_headers(w);
    json_write_end_object(w);
    json_write_key(w, "securitySchemes");
    json_write_begin_object(w);
    write_scheme(w, "Token", "X-Auth-Token",
        "A token of `careen token create` or of POST /v3/auth/tokens; "
        "Authorization: Bearer <token> is taken, too");
    write_scheme(w, "Signature", "Authorization",
        "SDK-HMAC-SHA256 Access=<access key>, SignedHeaders=<names>, Signature=<hex>, or "
        "V11-HMAC-SHA256: the request signed with an access key of `careen key create` as the "
        "vendor's SDKs do, with its time in X-Sdk-Date. Goes before a token");
    json_write_end_object(w);
    json_write_end_object(w);
}

int openapi_write(struct buf *out, const struct service_options *options, struct err *err)
{
    struct json_writer w;

    out->max = DOCUMENT_BYTES;
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "openapi", SLICE("3.1.0"));
    write_info(&w);
    write_paths(&w, options);
    write_components(&w);
    json_write_end_object(&w);
    return buf_check(out, "the OpenAPI document", err);
}

void handle_openapi(struct call *call)
{
    buf_put_slice(&call->response->body, buf_slice(&service_configuration(call->service)->openapi));
    call_finish(call);
}
