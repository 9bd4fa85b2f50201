/* SPDX-License-Identifier: Apache-2.0 */
/* careen project create | list */
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/table.h"

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

static int write_projects(struct fleet *fleet, struct buf *out, struct err *err)
{
    struct ids numbers CLEANUP(ids_release) = {0};
    struct arena arena CLEANUP(arena_release);
    struct slice id;

    arena_init(&arena, "the list of projects", 64UL << 20);
    if (fleet_projects(fleet, &numbers, err) < 0)
        return -1;
    for (size_t i = 0; i < numbers.count; i++) {
        if (fleet_project_id(fleet, numbers.at[i], &arena, &id, err) < 0)
            return -1;
        buf_put_slice(out, id);
        buf_put_char(out, '\n');
    }
    return 0;
}

static int run_list(const struct cli_args *args)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    struct err err = {0};
    struct fleet *fleet = fleet_open(args->data_dir, STORE_READ, &err);
    int failed = fleet ? write_projects(fleet, &out, &err) : -1;

    fleet_close(fleet);
    return failed ? cli_fail("project list", &err) : cli_print("project list", &out);
}

const struct command command_project_create = {.name = "project create",
    .summary = "make a project (a tenant)",
    .arguments = "ID",
    .details = "The id is what stands in the path of calls: /v5/ID/vulnerability/images.",
    .run = run_create};

const struct command command_project_list = {
    .name = "project list", .summary = "list the projects", .arguments = "", .run = run_list};
