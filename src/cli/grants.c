/* SPDX-License-Identifier: Apache-2.0 */
/* See grants.h. */
#include "cli/grants.h"

#include "base/array.h"
#include "base/limits.h"
#include "base/utf8.h"

void grants_release(struct grants *grants)
{
    free(grants->at);
    *grants = (struct grants){0};
}

int cli_role(const struct cli_args *args, enum role otherwise, enum role *ret, struct err *err)
{
    char list[64];
    int role;

    if (!cli_given(args, "role")) {
        *ret = otherwise;
        return 0;
    }
    role = words_find(&role_words, cli_slice(args, "role"));
    if (role < 0)
        return err_set(err, ERR_USAGE, "--role must be %s, not \"%s\"",
            words_list(&role_words, list, sizeof(list)), cli_value(args, "role"));
    *ret = (enum role)role;
    return 0;
}

static int find_project(
    const struct cli_args *args, struct fleet *fleet, uint32_t *ret, struct err *err)
{
    const char *id = cli_value(args, "project");

    if (!cli_given(args, "all-projects"))
        return fleet_find_project(fleet, slice_of(id ? id : "default"), ret, err);
    if (id)
        return err_set(err, ERR_USAGE, "--project and --all-projects exclude each other");
    *ret = 0;
    return 0;
}

static int add_grant(struct grants *grants, struct grant grant, struct err *err)
{
    if (array_reserve(&grants->at, &grants->cap, grants->count + 1, sizeof(grant), err) < 0)
        return -1;
    grants->at[grants->count++] = grant;
    return 0;
}

static int add_enterprise_projects(
    struct grants *grants, struct grant grant, struct slice list, struct err *err)
{
    do {
        struct slice id = slice_pull_until(&list, ',');

        if (id.len == 0 || !utf8_is_line(id) || utf8_count(id) > LIMIT_ID_CHARS ||
            slice_is(id, "all_granted_eps"))
            return err_set(err, ERR_USAGE,
                "--enterprise-project must be ids of 1 to %d characters with commas between, not "
                "\"%.*s\"",
                LIMIT_ID_CHARS, SLICE_FMT(id));
        grant.enterprise_project = id;
        if (add_grant(grants, grant, err) < 0)
            return -1;
    } while (list.len);
    return 0;
}

int grants_read(const struct cli_args *args, struct fleet *fleet, bool any_role, struct grants *ret,
    struct err *err)
{
    struct grant grant = {0};

    if (!any_role && !cli_given(args, "role")) {
        if (cli_given(args, "project") || cli_given(args, "all-projects") ||
            cli_given(args, "enterprise-project"))
            return err_set(err, ERR_USAGE, "--role must be given: which role is granted there?");
        return 0;
    }
    if ((!any_role && cli_role(args, ROLE_VIEWER, &grant.role, err) < 0) ||
        find_project(args, fleet, &grant.project, err) < 0)
        return -1;
    return cli_given(args, "enterprise-project")
               ? add_enterprise_projects(ret, grant, cli_slice(args, "enterprise-project"), err)
               : add_grant(ret, grant, err);
}
