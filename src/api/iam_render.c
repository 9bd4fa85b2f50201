/* SPDX-License-Identifier: Apache-2.0 */
/* See iam_render.h. Ids are made of names, which are never given twice: nothing else to store. */
#include "api/iam_render.h"

#include "base/clock.h"
#include "codec/hash.h"

/* When a token that never ends does. */
static const char end_of_time[] = "9999-12-31T23:59:59.000000Z";

void iam_id(const char *kind, struct slice name, char ret[IAM_ID_BYTES])
{
    struct buf text = BUF_INIT(4096);
    char uuid[UUID_TEXT_BYTES];
    size_t len = 0;

    buf_printf(&text, "iam %s ", kind);
    buf_put_slice(&text, name);
    uuid5(buf_slice(&text), uuid);
    buf_release(&text);
    for (const char *c = uuid; *c; c++)
        if (*c != '-')
            ret[len++] = *c;
    ret[len] = '\0';
}

static void write_id_and_name(struct json_writer *w, const char *kind, struct slice name)
{
    char id[IAM_ID_BYTES];

    iam_id(kind, name, id);
    json_write_member(w, "id", slice_of(id));
    json_write_member(w, "name", name);
}

static void write_named(struct json_writer *w, const char *key, const char *kind, struct slice name)
{
    json_write_key(w, key);
    json_write_begin_object(w);
    write_id_and_name(w, kind, name);
    json_write_end_object(w);
}

/* IAM writes microseconds. */
static void write_time(struct json_writer *w, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES], time[CLOCK_TEXT_BYTES + 8];

    clock_format(ms, text);
    snprintf(time, sizeof(time), "%.*s000Z", (int)strlen(text) - 1, text);
    json_write_member(w, key, slice_of(time));
}

static void write_user(struct json_writer *w, const struct iam_token *token)
{
    json_write_key(w, "user");
    json_write_begin_object(w);
    write_id_and_name(w, token->who->user ? "user" : "token", token->who->name);
    json_write_member(w, "password_expires_at", SLICE_NONE);
    write_named(w, "domain", "domain", token->domain);
    json_write_end_object(w);
}

static void write_scope(struct json_writer *w, const struct iam_token *token)
{
    if (token->project_id.len == 0) {
        write_named(w, "domain", "domain", token->domain);
        return;
    }
    json_write_key(w, "project");
    json_write_begin_object(w);
    json_write_member(w, "id", token->project_id);
    json_write_member(w, "name", token->project_id);
    write_named(w, "domain", "domain", token->domain);
    json_write_end_object(w);
}

static void write_roles(struct json_writer *w, const struct iam_token *token)
{
    json_write_key(w, "roles");
    json_write_begin_array(w);
    if (token->has_role) {
        json_write_begin_object(w);
        write_id_and_name(w, "role", slice_of(words_name(&role_words, (int)token->role)));
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

void iam_write_token(struct buf *out, const struct iam_token *token)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, "token");
    json_write_begin_object(&w);
    json_write_key(&w, "methods");
    json_write_begin_array(&w);
    json_write_string(&w, SLICE("password"));
    json_write_end_array(&w);
    write_time(&w, "issued_at", token->who->issued_ms);
    if (token->who->expires_ms)
        write_time(&w, "expires_at", token->who->expires_ms);
    else
        json_write_member(&w, "expires_at", slice_of(end_of_time));
    write_user(&w, token);
    write_scope(&w, token);
    write_roles(&w, token);
    json_write_key(&w, "catalog");
    json_write_begin_array(&w);
    json_write_end_array(&w);
    json_write_end_object(&w);
    json_write_end_object(&w);
}

/* --- Lists ------------------------------------------------------------------------------------ */

static void write_links(struct json_writer *w, struct slice self, bool of_list)
{
    json_write_key(w, "links");
    json_write_begin_object(w);
    json_write_member(w, "self", self);
    if (of_list) {
        json_write_key(w, "previous");
        json_write_null(w);
        json_write_key(w, "next");
        json_write_null(w);
    }
    json_write_end_object(w);
}

static void write_flag(struct json_writer *w, const char *key, bool value)
{
    json_write_key(w, key);
    json_write_bool(w, value);
}

static void write_project(
    struct json_writer *w, const char *domain_id, const struct known_project *project)
{
    json_write_begin_object(w);
    json_write_member(w, "id", project->id);
    json_write_member(w, "name", project->id);
    json_write_member(w, "domain_id", slice_of(domain_id));
    json_write_member(w, "parent_id", slice_of(domain_id));
    write_flag(w, "is_domain", false);
    write_flag(w, "enabled", !project->revoked);
    json_write_member(w, "description", SLICE_NONE);
    write_links(w, SLICE_NONE, false);
    json_write_end_object(w);
}

void iam_write_projects(struct buf *out, struct slice domain, const struct known_project *projects,
    size_t count, struct slice self)
{
    char domain_id[IAM_ID_BYTES];
    struct json_writer w;

    iam_id("domain", domain, domain_id);
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, "projects");
    json_write_begin_array(&w);
    for (size_t i = 0; i < count; i++)
        write_project(&w, domain_id, &projects[i]);
    json_write_end_array(&w);
    write_links(&w, self, true);
    json_write_end_object(&w);
}

void iam_write_domains(struct buf *out, struct slice domain, struct slice self)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, "domains");
    json_write_begin_array(&w);
    json_write_begin_object(&w);
    write_id_and_name(&w, "domain", domain);
    write_flag(&w, "enabled", true);
    json_write_member(&w, "description", SLICE_NONE);
    write_links(&w, SLICE_NONE, false);
    json_write_end_object(&w);
    json_write_end_array(&w);
    write_links(&w, self, true);
    json_write_end_object(&w);
}
