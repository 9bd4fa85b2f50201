/* SPDX-License-Identifier: Apache-2.0 */
/* One route as an operation: who may call it, with which parameters and which body. */
#include "api/affected_params.h"
#include "api/fields.h"
#include "api/openapi_parts.h"
#include "api/openapi_schemas.h"
#include "api/placement_params.h"
#include "base/limits.h"

/* --- Parameters ------------------------------------------------------------------------------- */

static void begin_parameter(
    struct json_writer *w, const char *name, const char *in, bool required, struct slice help)
{
    json_write_begin_object(w);
    json_write_member(w, "name", slice_of(name));
    json_write_member(w, "in", slice_of(in));
    json_write_key(w, "required");
    json_write_bool(w, required);
    json_write_member(w, "description", help);
}

/* A parameter that is a text of one line; max_chars 0: of any length. */
static void write_text(struct json_writer *w, const char *name, const char *in, bool required,
    size_t max_chars, const char *help)
{
    begin_parameter(w, name, in, required, slice_of(help));
    json_write_key(w, "schema");
    json_write_begin_object(w);
    schema_write_line(w, required ? 1 : 0, max_chars);
    json_write_end_object(w);
    json_write_end_object(w);
}

static void write_affected_value(struct json_writer *w, const struct affected_param *param)
{
    if (param->words) {
        schema_write_words(w, param->words, param->rows);
    } else if (param->high) {
        schema_write_range(w, param->low, param->high);
        json_write_key(w, "default");
        json_write_i64(w, param->otherwise);
    } else if (param->pattern) {
        json_write_member(w, "type", SLICE("string"));
        json_write_member(w, "pattern", slice_of(param->pattern));
    } else if (param->max_chars) {
        schema_write_line(w, 0, param->max_chars);
    } else {
        json_write_member(w, "type", SLICE("boolean"));
    }
}

static void write_affected_schema(struct json_writer *w, const struct affected_param *param)
{
    json_write_key(w, "schema");
    json_write_begin_object(w);
    if (param->many) {
        json_write_member(w, "type", SLICE("array"));
        json_write_key(w, "items");
        json_write_begin_object(w);
    }
    write_affected_value(w, param);
    if (param->many)
        json_write_end_object(w);
    json_write_end_object(w);
}

static void write_affected(struct json_writer *w, bool strict, bool pages)
{
    for (size_t i = 0; i < AFFECTED_PARAM_COUNT; i++) {
        const struct affected_param *param = &affected_params[i];
        struct buf help = BUF_INIT(1024);

        if (param->page && !pages)
            continue;
        buf_printf(&help, "%s%s", param->beyond ? "Beyond HSS: " : "", param->help);
        if (param->many)
            buf_put_cstr(&help, "; may be given again and again");
        if (!param->needs_value)
            buf_put_cstr(&help, "; empty counts as not given");
        begin_parameter(w, param->name, "query", strict && param->required, buf_slice(&help));
        if (!param->needs_value) {
            json_write_key(w, "allowEmptyValue");
            json_write_bool(w, true);
        }
        write_affected_schema(w, param);
        json_write_end_object(w);
        buf_release(&help);
    }
}

static void write_placement(struct json_writer *w)
{
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT; i++) {
        const struct placement_param *param = &placement_params[i];

        begin_parameter(w, param->name, "query", param->required, slice_of(param->help));
        json_write_key(w, "schema");
        json_write_begin_object(w);
        schema_write_placement(w, param);
        json_write_end_object(w);
        json_write_end_object(w);
    }
}

static void write_fields(struct json_writer *w, const struct fields *fields, bool strict)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->at[i];
        bool required = field->required || (strict && field->strict);
        bool emptiable = !required && (field->kind == VALUE_TEXT || field->kind == VALUE_WORD);

        begin_parameter(w, field->name, "query", required, slice_of(field->help));
        if (emptiable) {
            json_write_key(w, "allowEmptyValue");
            json_write_bool(w, true);
        }
        json_write_key(w, "schema");
        json_write_begin_object(w);
        schema_write_field(w, field);
        json_write_end_object(w);
        json_write_end_object(w);
    }
}

/* A decision of the path. */
static void write_decision(struct json_writer *w)
{
    begin_parameter(w, "decision", "path", true, SLICE("the decision"));
    json_write_key(w, "schema");
    json_write_begin_object(w);
    schema_write_range(w, 1, UINT32_MAX);
    json_write_end_object(w);
    json_write_end_object(w);
}

/* Which are never strict: the call is none of HSS. */
static void write_filters(struct json_writer *w, const struct fields *fields)
{
    write_fields(w, fields, false);
    write_affected(w, false, false);
}

static void write_parameters(
    struct json_writer *w, const struct route *route, const struct service_options *options)
{
    json_write_key(w, "parameters");
    json_write_begin_array(w);
    if (strstr(route->pattern, "{project_id}"))
        write_text(w, "project_id", "path", true, LIMIT_ID_CHARS, "the project");
    if (strstr(route->pattern, "{image_id}"))
        write_text(w, "image_id", "path", true, LIMIT_ID_CHARS, "the image");
    if (strstr(route->pattern, "{decision}"))
        write_decision(w);
    if (route->query == QUERY_AFFECTED)
        write_affected(w, options->strict_parameters, true);
    else if (route->query == QUERY_FILTERS)
        write_filters(w, route->fields);
    else if (route->query == QUERY_PLACEMENT)
        write_placement(w);
    else if (route->query == QUERY_PROJECTS)
        write_text(w, "name", "query", false, 0, "the one project of this name, not all");
    else if (route->query == QUERY_FIELDS)
        write_fields(w, route->fields, options->strict_parameters);
    if (route->examines)
        write_text(w, "X-Subject-Token", "header", true, 0, "the token to examine");
    json_write_end_array(w);
}

/* --- Body ------------------------------------------------------------------------------------- */

static const char report_example[] =
    "{\"SchemaVersion\":2,\"ArtifactName\":\"registry.example.com/shop/web:1.4\","
    "\"ArtifactType\":\"container_image\","
    "\"Metadata\":{\"OS\":{\"Family\":\"debian\",\"Name\":\"12.5\"}},"
    "\"Results\":[{\"Target\":\"registry.example.com/shop/web:1.4 (debian 12.5)\","
    "\"Class\":\"os-pkgs\",\"Type\":\"debian\","
    "\"Packages\":[{\"Name\":\"openssl\",\"Version\":\"3.0.11-1~deb12u2\",\"Arch\":\"amd64\"}],"
    "\"Vulnerabilities\":[{\"VulnerabilityID\":\"CVE-2024-0727\",\"PkgName\":\"openssl\","
    "\"InstalledVersion\":\"3.0.11-1~deb12u2\",\"FixedVersion\":\"3.0.13-1~deb12u1\","
    "\"Severity\":\"MEDIUM\"}]}]}";

/* A media type of requests: JSON of the schema, or a report, or bytes. */
static void write_media(
    struct json_writer *w, const char *type, bool json, const struct schema *schema)
{
    json_write_key(w, type);
    json_write_begin_object(w);
    if (json) {
        json_write_key(w, "schema");
        json_write_begin_object(w);
        if (schema)
            schema_write_ref(w, schema);
        else
            json_write_member(w, "type", SLICE("object"));
        json_write_end_object(w);
    }
    if (json && !schema) {
        json_write_key(w, "example");
        json_write_json(w, report_example);
    }
    json_write_end_object(w);
}

static void write_body(
    struct json_writer *w, const struct route *route, const struct service_options *options)
{
    bool report = route->body == BODY_REPORT;
    struct buf help = BUF_INIT(1024);

    if (report)
        buf_printf(&help,
            "A report of Trivy (schema version 2) or Grype, or an SBOM (CycloneDX 1.2 to 1.7, SPDX "
            "2.2, 2.3), as JSON; plain or gzip, which its bytes tell, not its type. At most %llu "
            "bytes as sent",
            (unsigned long long)options->max_report_bytes);
    else
        buf_printf(&help, "At most %ld bytes",
            route->body == BODY_OPERATION ? LIMIT_OPERATION_BYTES : LIMIT_DOCUMENT_BYTES);
    json_write_key(w, "requestBody");
    json_write_begin_object(w);
    json_write_member(w, "description", buf_slice(&help));
    json_write_key(w, "required");
    json_write_bool(w, true);
    json_write_key(w, "content");
    json_write_begin_object(w);
    write_media(w, "application/json", true, route->request);
    if (report)
        write_media(w, "application/gzip", false, NULL);
    json_write_end_object(w);
    json_write_end_object(w);
    buf_release(&help);
}

/* --- All together ----------------------------------------------------------------------------- */

/* Either of the two credentials; none for open routes. */
static void write_security(struct json_writer *w, const struct route *route)
{
    static const char *const schemes[] = {"Token", "Signature"};

    json_write_key(w, "security");
    json_write_begin_array(w);
    for (size_t i = 0; i < 2 && route->access != ACCESS_OPEN; i++) {
        json_write_begin_object(w);
        json_write_key(w, schemes[i]);
        json_write_begin_array(w);
        json_write_end_array(w);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static void write_description(struct json_writer *w, const struct route *route)
{
    struct buf text = BUF_INIT(1024);

    if (route->access == ACCESS_OPEN)
        buf_put_cstr(&text, "Takes no credentials.");
    else if (route->access == ACCESS_CALLER)
        buf_put_cstr(&text, "Takes any good credentials.");
    else
        buf_printf(
            &text, "Takes the role %s in the project.", words_name(&role_words, (int)route->role));
    json_write_member(w, "description", buf_slice(&text));
    buf_release(&text);
}

void openapi_write_operation(
    struct json_writer *w, const struct route *route, const struct service_options *options)
{
    char method[16];
    size_t len = strlen(route->method);

    for (size_t i = 0; i <= len && i < sizeof(method); i++)
        method[i] = (char)(route->method[i] | (i < len ? 0x20 : 0));
    json_write_key(w, method);
    json_write_begin_object(w);
    json_write_member(w, "operationId", slice_of(route->operation));
    json_write_member(w, "summary", slice_of(route->summary));
    write_description(w, route);
    json_write_key(w, "tags");
    json_write_begin_array(w);
    json_write_string(w, slice_of(route->tag));
    json_write_end_array(w);
    write_security(w, route);
    write_parameters(w, route, options);
    if (route->body != BODY_NONE)
        write_body(w, route, options);
    openapi_write_responses(w, route);
    json_write_end_object(w);
}
