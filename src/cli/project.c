/* SPDX-License-Identifier: Apache-2.0 */
/* careen project create | list | revoke | restore */
#include "auth/users.h"
#include "base/cleanup.h"
#include "cli/cli.h"

static int run_create(const struct cli_args *args)
{
    struct err err = {0};
    struct fleet *fleet;
    uint32_t number;
    int failed;

    if (args->word_count != 1)
        return cli_usage("project create", "give one project id");
    fleet = fleet_open(args->data_dir, STORE_CREATE, &err);
    if (!fleet)
        return cli_fail("project create", &err);
    failed = fleet_add_project(fleet, slice_of(args->words[0]), &number, &err);
    fleet_close(fleet);
    return failed ? cli_fail("project create", &err) : EXIT_DONE;
}

static int write_project(void *ctx, const struct project *project, struct err *err)
{
    struct buf *out = ctx;

    (void)err;
    buf_put_slice(out, project->id);
    buf_put_cstr(out, project->revoked_ms ? " (revoked)\n" : "\n");
    return 0;
}

static int run_list(const struct cli_args *args)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    struct err err = {0};
    struct store *store = store_open(args->data_dir, STORE_READ, &err);
    int failed = store ? store_each_project(store, write_project, &out, &err) : -1;

    store_close(store);
    return failed ? cli_fail("project list", &err) : cli_print("project list", &out);
}

static int set_revoked(const struct cli_args *args, bool revoked, const char *command)
{
    struct err err = {0};
    struct store *store;
    int failed;

    if (args->word_count != 1)
        return cli_usage(command, "give one project id");
    store = store_open(args->data_dir, STORE_WRITE, &err);
    failed = store ? project_set_revoked(store, slice_of(args->words[0]), revoked, &err) : -1;
    store_close(store);
    return failed ? cli_fail(command, &err) : EXIT_DONE;
}

static int run_revoke(const struct cli_args *args)
{
    return set_revoked(args, true, "project revoke");
}

static int run_restore(const struct cli_args *args)
{
    return set_revoked(args, false, "project restore");
}

const struct command command_project_create = {.name = "project create",
    .summary = "make a project (a tenant)",
    .arguments = "ID",
    .details = "The id is what stands in the path of calls: /v5/ID/vulnerability/images.",
    .run = run_create};

const struct command command_project_list = {
    .name = "project list", .summary = "list the projects", .arguments = "", .run = run_list};

const struct command command_project_revoke = {.name = "project revoke",
    .summary = "refuse all calls to a project",
    .arguments = "ID",
    .details = "Its images stay stored. A running server follows within a second.",
    .run = run_revoke};

const struct command command_project_restore = {.name = "project restore",
    .summary = "serve a revoked project again",
    .arguments = "ID",
    .run = run_restore};
