/* SPDX-License-Identifier: Apache-2.0 */
/* careen token create | list | revoke */
#include "auth/tokens.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/when.h"
#include "cli/cli.h"
#include "cli/grants.h"
#include "cli/table.h"

static const struct cli_option create_options[] = {
    {"project", "ID", "the project that the token opens; \"default\" if not given", NULL},
    {"role", "ROLE", "viewer, operator or admin; operator if not given", NULL},
    {"label", "TEXT", "what it is for; shown by careen token list", NULL},
    {"expires-in", "DURATION", "30m, 12h or 90d; never, if not given", NULL},
};

static int create(const struct cli_args *args, char text[TOKEN_TEXT_BYTES], struct err *err)
{
    struct token_request request = {.label = cli_slice(args, "label")};
    struct fleet *fleet;
    uint32_t number;
    int64_t lifetime_ms = 0;
    int failed;

    if (cli_role(args, ROLE_OPERATOR, &request.role, err) < 0)
        return -1;
    if (cli_given(args, "expires-in") &&
        when_duration(cli_slice(args, "expires-in"), &lifetime_ms, err) < 0)
        return err_prefix(err, "--expires-in");
    fleet = cli_open(args, STORE_CREATE, false, &request.project, err);
    if (!fleet)
        return -1;
    request.expires_ms = lifetime_ms ? clock_now_ms() + lifetime_ms : 0;
    failed = token_create(fleet_store(fleet), &request, text, &number, err);
    fleet_close(fleet);
    return failed;
}

static int run_create(const struct cli_args *args)
{
    char text[TOKEN_TEXT_BYTES];
    struct err err = {0};

    if (args->word_count)
        return cli_usage("token create", "there is no argument %s", args->words[0]);
    if (create(args, text, &err) < 0)
        return cli_fail("token create", &err);
    printf("%s\n", text);
    return EXIT_DONE;
}

/* --- list ------------------------------------------------------------------------------------- */

struct listing {
    struct table table;
    struct fleet *fleet;
};

static void time_cell(struct table *table, int64_t ms, const char *none)
{
    char text[CLOCK_TEXT_BYTES];

    table_cell(table, slice_of(ms ? clock_format(ms, text) : none), COLOUR_NONE);
}

static int list_token(void *ctx, const struct token *token, struct err *err)
{
    struct listing *listing = ctx;
    struct slice project;
    bool expired = token->expires_ms && token->expires_ms <= clock_now_ms();

    if (fleet_project_id(listing->fleet, token->project, &listing->table.arena, &project, err) < 0)
        return -1;
    table_number(&listing->table, token->number);
    table_cell(&listing->table, project, COLOUR_NONE);
    table_cell(&listing->table, slice_of(words_name(&role_words, (int)token->role)), COLOUR_NONE);
    time_cell(&listing->table, token->created_ms, "");
    time_cell(&listing->table, token->expires_ms, "never");
    table_cell(&listing->table,
        token->revoked_ms ? SLICE("revoked")
        : expired         ? SLICE("expired")
                          : SLICE("valid"),
        token->revoked_ms || expired ? COLOUR_DIM : COLOUR_NONE);
    table_cell(&listing->table, token->label, COLOUR_NONE);
    return 0;
}

static int run_list(const struct cli_args *args)
{
    static const char *const headings[] = {
        ">NUMBER", "PROJECT", "ROLE", "CREATED", "EXPIRES", "STATE", "LABEL"};
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    struct listing listing;
    struct err err = {0};
    int failed;

    listing.fleet = fleet_open(args->data_dir, STORE_READ, &err);
    if (!listing.fleet)
        return cli_fail("token list", &err);
    table_init(&listing.table, headings, 7);
    failed = store_each_token(fleet_store(listing.fleet), list_token, &listing, &err);
    if (!failed)
        table_write(&listing.table, cli_colours(), &out);
    table_release(&listing.table);
    fleet_close(listing.fleet);
    return failed ? cli_fail("token list", &err) : cli_print("token list", &out);
}

/* --- revoke ----------------------------------------------------------------------------------- */

static int run_revoke(const struct cli_args *args)
{
    struct err err = {0};
    struct store *store;
    uint64_t number;
    int failed;

    if (args->word_count != 1 || !slice_to_u64(slice_of(args->words[0]), &number) ||
        number > UINT32_MAX)
        return cli_usage("token revoke", "give the number of one token");
    store = store_open(args->data_dir, STORE_WRITE, &err);
    failed = store ? token_revoke(store, (uint32_t)number, &err) : -1;
    store_close(store);
    return failed ? cli_fail("token revoke", &err) : EXIT_DONE;
}

const struct command command_token_create = {.name = "token create",
    .summary = "make an access token and print it",
    .arguments = "",
    .details = "Send it as X-Auth-Token. It opens one project, whole, with one role. It is shown\n"
               "this once: only its SHA-256 is stored.",
    .options = create_options,
    .option_count = sizeof(create_options) / sizeof(create_options[0]),
    .run = run_create};

const struct command command_token_list = {
    .name = "token list", .summary = "list the access tokens", .arguments = "", .run = run_list};

const struct command command_token_revoke = {.name = "token revoke",
    .summary = "make a token invalid, now and for good",
    .arguments = "NUMBER",
    .details = "A running server refuses it within a second.",
    .run = run_revoke};
