/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row for each type that has a definition (package-url/purl-spec, types/), with what can be
 * said in flags; the few that need more have a line of code below. Where a definition contradicts
 * itself (Go's names: "case_sensitive": true, and "shall be lowercased" in the note), the field
 * holds.
 */
#include "sbom/purl_type.h"

enum {
    NAMESPACE_REQUIRED = 1 << 0,
    NAMESPACE_PROHIBITED = 1 << 1,
    LOWER_NAMESPACE = 1 << 2,
    LOWER_NAME = 1 << 3,
    LOWER_VERSION = 1 << 4,
    LOWER_SUBPATH = 1 << 5,
    UPPER_NAMESPACE = 1 << 6,
    LOWER_BOTH = LOWER_NAMESPACE | LOWER_NAME,
};

struct rule {
    const char *type;
    unsigned flags;
    const char *qualifier; /* a required one */
};

static const struct rule rules[] = {
    {"alpm", NAMESPACE_REQUIRED | LOWER_BOTH, NULL},
    {"apk", NAMESPACE_REQUIRED | LOWER_BOTH, NULL},
    {"bazel", NAMESPACE_PROHIBITED, NULL},
    {"bitbucket", NAMESPACE_REQUIRED | LOWER_BOTH, NULL},
    {"bitnami", NAMESPACE_PROHIBITED | LOWER_NAME, NULL},
    {"brew", LOWER_BOTH, NULL},
    {"cargo", NAMESPACE_PROHIBITED, NULL},
    {"chrome-extension", NAMESPACE_PROHIBITED | LOWER_NAME, NULL},
    {"cocoapods", NAMESPACE_PROHIBITED, NULL},
    {"composer", NAMESPACE_REQUIRED | LOWER_BOTH, NULL},
    {"conda", NAMESPACE_PROHIBITED, NULL},
    {"cpan", UPPER_NAMESPACE, NULL},
    {"cran", NAMESPACE_PROHIBITED, NULL},
    {"deb", NAMESPACE_REQUIRED | LOWER_BOTH, NULL},
    {"gem", NAMESPACE_PROHIBITED, NULL},
    {"git", NAMESPACE_REQUIRED, NULL},
    {"github", NAMESPACE_REQUIRED | LOWER_BOTH, NULL},
    {"golang", NAMESPACE_REQUIRED, NULL},
    {"hackage", NAMESPACE_PROHIBITED, NULL},
    {"hex", LOWER_BOTH, NULL},
    {"huggingface", NAMESPACE_REQUIRED | LOWER_VERSION, NULL},
    {"julia", NAMESPACE_PROHIBITED, "uuid"},
    {"luarocks", LOWER_BOTH, NULL},
    {"maven", NAMESPACE_REQUIRED, NULL},
    {"mlflow", NAMESPACE_PROHIBITED, NULL},
    {"nuget", NAMESPACE_PROHIBITED, NULL},
    {"oci", NAMESPACE_PROHIBITED | LOWER_NAME | LOWER_VERSION, NULL},
    {"opam", NAMESPACE_PROHIBITED, NULL},
    {"otp", NAMESPACE_PROHIBITED | LOWER_NAME | LOWER_SUBPATH, NULL},
    {"pub", NAMESPACE_PROHIBITED | LOWER_NAME, NULL},
    {"pypi", NAMESPACE_PROHIBITED | LOWER_NAME | LOWER_VERSION, NULL},
    {"qpkg", NAMESPACE_REQUIRED | LOWER_NAMESPACE, NULL},
    {"rpm", NAMESPACE_REQUIRED | LOWER_NAMESPACE, NULL},
    {"swid", 0, "tag_id"},
    {"swift", NAMESPACE_REQUIRED, NULL},
    {"vcpkg", NAMESPACE_PROHIBITED, NULL},
    {"vscode-extension", NAMESPACE_REQUIRED | LOWER_BOTH | LOWER_VERSION, NULL},
    {"yocto", LOWER_NAMESPACE, NULL},
};

static const struct rule *find_rule(struct slice type)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (slice_is(type, rules[i].type))
            return &rules[i];
    return NULL;
}

bool purl_type_has_path_name(struct slice type)
{
    return slice_is(type, "git");
}

/* ---- normalising ---- */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The bytes of a part, to be changed where they stand. */
static char *bytes_of(struct purl *purl, struct slice part)
{
    return part.len ? purl->text + (part.ptr - purl->text) : purl->text;
}

static void lower(struct purl *purl, struct slice part)
{
    char *at = bytes_of(purl, part);

    for (size_t i = 0; i < part.len; i++)
        if (is_upper(at[i]))
            at[i] = (char)(at[i] - 'A' + 'a');
}

static void upper(struct purl *purl, struct slice part)
{
    char *at = bytes_of(purl, part);

    for (size_t i = 0; i < part.len; i++)
        if (is_lower(at[i]))
            at[i] = (char)(at[i] - 'a' + 'A');
}

static void replace(struct purl *purl, struct slice part, char from, char to)
{
    char *at = bytes_of(purl, part);

    for (size_t i = 0; i < part.len; i++)
        if (at[i] == from)
            at[i] = to;
}

/* Pub: "Replace non-[a-z] letters, non-[0-9] digits with underscore". */
static void normalise_pub(struct purl *purl)
{
    char *at = bytes_of(purl, purl->name);

    for (size_t i = 0; i < purl->name.len; i++)
        if (!is_lower(at[i]) && !is_digit(at[i]))
            at[i] = '_';
}

/* Hosts that take no notice of case in the path to a repository. */
static bool is_caseless_host(struct slice host)
{
    return slice_is(host, "github") || slice_is(host, "github.com") ||
           slice_is(host, "bitbucket") || slice_is(host, "bitbucket.org");
}

void purl_type_normalise(struct purl *purl)
{
    const struct rule *rule = find_rule(purl->type);

    if (!rule)
        return;
    if (rule->flags & LOWER_NAMESPACE)
        lower(purl, purl->namespace);
    if (rule->flags & UPPER_NAMESPACE)
        upper(purl, purl->namespace);
    if (rule->flags & LOWER_NAME)
        lower(purl, purl->name);
    if (rule->flags & LOWER_VERSION)
        lower(purl, purl->version);
    if (rule->flags & LOWER_SUBPATH)
        lower(purl, purl->subpath);
    if (slice_is(purl->type, "pypi") || slice_is(purl->type, "hackage"))
        replace(purl, purl->name, '_', '-');
    else if (slice_is(purl->type, "pub"))
        normalise_pub(purl);
    else if (slice_is(purl->type, "git") && is_caseless_host(purl->namespace))
        lower(purl, purl->name);
    else if (slice_is(purl->type, "mlflow") &&
             slice_contains(purl_qualifier(purl, "repository_url"), SLICE("databricks")))
        lower(purl, purl->name);
}

/* ---- checking ---- */

/* "^[a-p]{32}$" */
static bool is_chrome_id(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] < 'a' || name.ptr[i] > 'p')
            return false;
    return name.len == 32;
}

/* "^\d+(\.\d+){0,3}$", or none */
static bool is_chrome_version(struct slice version)
{
    unsigned parts = 0;

    while (version.len) {
        struct slice part = slice_pull_until(&version, '.');

        for (size_t i = 0; i < part.len; i++)
            if (!is_digit(part.ptr[i]))
                return false;
        if (part.len == 0 || ++parts > 4)
            return false;
    }
    return true;
}

static int check_chrome(const struct purl *purl, struct err *err)
{
    if (!is_chrome_id(purl->name))
        return err_set(err, ERR_INVALID,
            "a purl of type chrome-extension needs a name of 32 letters from a to p, not \"%.*s\"",
            SLICE_FMT(purl->name));
    if (!is_chrome_version(purl->version) || slice_ends_with(purl->version, "."))
        return err_set(err, ERR_INVALID,
            "a purl of type chrome-extension needs a version of 1 to 4 numbers, not \"%.*s\"",
            SLICE_FMT(purl->version));
    return 0;
}

int purl_type_check(const struct purl *purl, struct err *err)
{
    const struct rule *rule = find_rule(purl->type);

    if (!rule)
        return 0;
    if (rule->flags & NAMESPACE_REQUIRED && purl->namespace.len == 0)
        return err_set(err, ERR_INVALID, "a purl of type %s needs a namespace", rule->type);
    if (rule->flags & NAMESPACE_PROHIBITED && purl->namespace.len)
        return err_set(err, ERR_INVALID, "a purl of type %s has no namespace, not \"%.*s\"",
            rule->type, SLICE_FMT(purl->namespace));
    if (rule->qualifier && purl_qualifier(purl, rule->qualifier).len == 0)
        return err_set(err, ERR_INVALID, "a purl of type %s needs the qualifier %s", rule->type,
            rule->qualifier);
    if (slice_is(purl->type, "cpan") && slice_contains(purl->name, SLICE("::")))
        return err_set(err, ERR_INVALID,
            "a purl of type cpan names a distribution, not a module: \"%.*s\"",
            SLICE_FMT(purl->name));
    return slice_is(purl->type, "chrome-extension") ? check_chrome(purl, err) : 0;
}
