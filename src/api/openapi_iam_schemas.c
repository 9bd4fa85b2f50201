/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of the IAM calls (iam_login.c reads, iam_render.c writes); bottom up. */
#include "api/openapi_schemas.h"

#include "base/slice.h"
#include "model/words.h"

#define HEX32 "^[0-9a-f]{32}$"
#define IAM_TIME "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$"

static const char *const login_method_names[] = {"password"};
static const struct words login_method_words = {"method", login_method_names, 1};

/* --- Logging in ------------------------------------------------------------------------------- */

static const struct member name_or_id_members[] = {
    {.name = "name", .help = "its name", .optional = true},
    {.name = "id", .help = "its id", .optional = true},
};
static const struct schema schema_name_or_id = {
    "NameOrId", "A domain or project, by either", MEMBERS(name_or_id_members)};

static const struct member login_user_members[] = {
    {.name = "name", .help = "the user", .filled = true},
    {.name = "password", .help = "the user's password", .filled = true},
    {.name = "domain",
        .type = MEMBER_OBJECT,
        .help = "the server's one domain",
        .of = &schema_name_or_id,
        .optional = true},
};
static const struct schema schema_login_user = {
    "LoginUser", "Who logs in", MEMBERS(login_user_members)};

static const struct member login_password_members[] = {
    {.name = "user", .type = MEMBER_OBJECT, .help = "who logs in", .of = &schema_login_user},
};
static const struct schema schema_login_password = {
    "LoginPassword", "A login by password", MEMBERS(login_password_members)};

static const struct member login_identity_members[] = {
    {.name = "methods",
        .type = MEMBER_TEXTS,
        .help = "[\"password\"]",
        .words = &login_method_words},
    {.name = "password",
        .type = MEMBER_OBJECT,
        .help = "by password",
        .of = &schema_login_password},
};
static const struct schema schema_login_identity = {
    "LoginIdentity", "How one logs in", MEMBERS(login_identity_members)};

static const struct member login_scope_members[] = {
    {.name = "project",
        .type = MEMBER_OBJECT,
        .help = "to which the token is narrowed",
        .of = &schema_name_or_id,
        .optional = true},
    {.name = "domain",
        .type = MEMBER_OBJECT,
        .help = "every project that is granted; not together with a project",
        .of = &schema_name_or_id,
        .optional = true},
};
static const struct schema schema_login_scope = {
    "LoginScope", "What the token reaches", MEMBERS(login_scope_members)};

static const struct member login_auth_members[] = {
    {.name = "identity",
        .type = MEMBER_OBJECT,
        .help = "who logs in, and how",
        .of = &schema_login_identity},
    {.name = "scope",
        .type = MEMBER_OBJECT,
        .help = "what the token reaches: if not given, every project that is granted",
        .of = &schema_login_scope,
        .optional = true},
};
static const struct schema schema_login_auth = {
    "LoginAuth", "A login", MEMBERS(login_auth_members)};

static const struct member login_members[] = {
    {.name = "auth", .type = MEMBER_OBJECT, .help = "the login", .of = &schema_login_auth},
};
const struct schema schema_login = {"Login", "The body of a login", MEMBERS(login_members)};

static const struct member named_members[] = {
    {.name = "id", .help = "made of its name", .pattern = HEX32},
    {.name = "name", .help = "its name"},
};
static const struct schema schema_named = {"Named", "A domain or role", MEMBERS(named_members)};

static const struct member token_user_members[] = {
    {.name = "id", .help = "made of the name", .pattern = HEX32},
    {.name = "name", .help = "the user's name, or the token's"},
    {.name = "password_expires_at", .help = "empty: never"},
    {.name = "domain", .type = MEMBER_OBJECT, .help = "the domain", .of = &schema_named},
};
static const struct schema schema_token_user = {
    "TokenUser", "Whose token it is", MEMBERS(token_user_members)};

static const struct member token_project_members[] = {
    {.name = "id", .help = "the project"},
    {.name = "name", .help = "the same"},
    {.name = "domain", .type = MEMBER_OBJECT, .help = "the domain", .of = &schema_named},
};
static const struct schema schema_token_project = {
    "TokenProject", "The one project that a token reaches", MEMBERS(token_project_members)};

static const struct member token_members[] = {
    {.name = "methods",
        .type = MEMBER_TEXTS,
        .help = "how one got it",
        .words = &login_method_words},
    {.name = "issued_at", .help = "when it was made", .pattern = IAM_TIME},
    {.name = "expires_at", .help = "when it ends; the year 9999: never", .pattern = IAM_TIME},
    {.name = "user", .type = MEMBER_OBJECT, .help = "whose it is", .of = &schema_token_user},
    {.name = "project",
        .type = MEMBER_OBJECT,
        .help = "if it reaches one project only",
        .of = &schema_token_project,
        .optional = true},
    {.name = "domain",
        .type = MEMBER_OBJECT,
        .help = "if it reaches every project that is granted",
        .of = &schema_named,
        .optional = true},
    {.name = "roles",
        .type = MEMBER_OBJECTS,
        .help = "the highest role held there",
        .of = &schema_named},
    {.name = "catalog", .type = MEMBER_OBJECTS, .help = "always empty"},
};
static const struct schema schema_token = {"Token", "What a token is", MEMBERS(token_members)};

static const struct member token_answer_members[] = {
    {.name = "token", .type = MEMBER_OBJECT, .help = "what it is", .of = &schema_token},
};
const struct schema schema_token_answer = {
    "TokenAnswer", "A token, whose text is in X-Subject-Token", MEMBERS(token_answer_members)};

static const struct member links_members[] = {
    {.name = "self", .help = "what was asked for; empty for one of a list"},
    {.name = "previous", .type = MEMBER_NULL, .help = "lists have one page", .optional = true},
    {.name = "next", .type = MEMBER_NULL, .help = "lists have one page", .optional = true},
};
static const struct schema schema_links = {"Links", "Of a list or item", MEMBERS(links_members)};

static const struct member project_members[] = {
    {.name = "id", .help = "the project"},
    {.name = "name", .help = "the same"},
    {.name = "domain_id", .help = "the domain", .pattern = HEX32},
    {.name = "parent_id", .help = "the domain", .pattern = HEX32},
    {.name = "is_domain", .type = MEMBER_BOOLEAN, .help = "false"},
    {.name = "enabled", .type = MEMBER_BOOLEAN, .help = "false when it is revoked"},
    {.name = "description", .help = "empty"},
    {.name = "links", .type = MEMBER_OBJECT, .help = "of the item", .of = &schema_links},
};
static const struct schema schema_project = {"Project", "A project", MEMBERS(project_members)};

static const struct member projects_members[] = {
    {.name = "projects",
        .type = MEMBER_OBJECTS,
        .help = "in which the caller has a role",
        .of = &schema_project},
    {.name = "links", .type = MEMBER_OBJECT, .help = "of the list", .of = &schema_links},
};
const struct schema schema_projects = {
    "Projects", "The caller's projects", MEMBERS(projects_members)};

static const struct member domain_members[] = {
    {.name = "id", .help = "made of its name", .pattern = HEX32},
    {.name = "name", .help = "the domain"},
    {.name = "enabled", .type = MEMBER_BOOLEAN, .help = "true"},
    {.name = "description", .help = "empty"},
    {.name = "links", .type = MEMBER_OBJECT, .help = "of the item", .of = &schema_links},
};
static const struct schema schema_domain = {"Domain", "A domain", MEMBERS(domain_members)};

static const struct member domains_members[] = {
    {.name = "domains", .type = MEMBER_OBJECTS, .help = "the one", .of = &schema_domain},
    {.name = "links", .type = MEMBER_OBJECT, .help = "of the list", .of = &schema_links},
};
const struct schema schema_domains = {"Domains", "The domain", MEMBERS(domains_members)};
