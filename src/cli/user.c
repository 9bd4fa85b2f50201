/* SPDX-License-Identifier: Apache-2.0 */
/* careen user create | list | grant | ungrant | password | revoke | restore */
#include "auth/users.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/grants.h"
#include "cli/table.h"

#include <termios.h>
#include <unistd.h>

/* --- Passwords -------------------------------------------------------------------------------- */

enum { LINE_BYTES = PASSWORD_MAX_BYTES + 3 };

/* A line of standard input, without echo where that is a terminal. */
static int read_line(char line[LINE_BYTES], struct err *err)
{
    struct termios before, silent;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    char *got;

    if (terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        fputs("new password: ", stderr);
    }
    got = fgets(line, LINE_BYTES, stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (!got)
        return err_set(err, ERR_INVALID, "there is no password on standard input");
    return 0;
}

static int read_password(char line[LINE_BYTES], struct slice *ret, struct err *err)
{
    size_t len;

    if (read_line(line, err) < 0)
        return -1;
    len = strcspn(line, "\r\n");
    if (len < PASSWORD_MIN_BYTES || len > PASSWORD_MAX_BYTES)
        return err_set(err, ERR_INVALID, "a password must be %d to %d bytes long",
            PASSWORD_MIN_BYTES, PASSWORD_MAX_BYTES);
    *ret = (struct slice){line, len};
    return 0;
}

/* --- create, grant, ungrant ------------------------------------------------------------------- */

enum deed { DEED_CREATE, DEED_GRANT, DEED_UNGRANT };

static int write_user(const struct cli_args *args, enum deed deed, struct slice name,
    struct slice password, struct err *err)
{
    struct fleet *fleet = fleet_open(args->data_dir, STORE_CREATE, err);
    struct grants grants = {0};
    struct store *store;
    int failed;

    if (!fleet)
        return -1;
    store = fleet_store(fleet);
    failed = grants_read(args, fleet, deed == DEED_UNGRANT, &grants, err);
    if (!failed && deed == DEED_CREATE)
        failed = user_create(store, name, password, grants.at, grants.count, err);
    else if (!failed && deed == DEED_GRANT)
        failed = user_grant(store, name, grants.at, grants.count, err);
    else if (!failed)
        failed = user_ungrant(store, name, grants.at, grants.count, err);
    grants_release(&grants);
    fleet_close(fleet);
    return failed;
}

static int run_deed(const struct cli_args *args, enum deed deed, const char *command)
{
    struct slice password = SLICE_NONE;
    char line[LINE_BYTES];
    struct err err = {0};
    int failed = 0;

    if (args->word_count != 1)
        return cli_usage(command, "give one user name");
    if (deed == DEED_GRANT && !cli_given(args, "role"))
        return cli_usage(command, "--role must be given");
    if (deed == DEED_CREATE && cli_given(args, "password-stdin"))
        failed = read_password(line, &password, &err);
    if (!failed)
        failed = write_user(args, deed, slice_of(args->words[0]), password, &err);
    explicit_bzero(line, sizeof(line));
    return failed ? cli_fail(command, &err) : EXIT_DONE;
}

static int run_create(const struct cli_args *args)
{
    return run_deed(args, DEED_CREATE, "user create");
}

static int run_grant(const struct cli_args *args)
{
    return run_deed(args, DEED_GRANT, "user grant");
}

static int run_ungrant(const struct cli_args *args)
{
    return run_deed(args, DEED_UNGRANT, "user ungrant");
}

/* --- password, revoke, restore ---------------------------------------------------------------- */

static int run_password(const struct cli_args *args)
{
    struct slice password = SLICE_NONE;
    char line[LINE_BYTES];
    struct err err = {0};
    struct store *store;
    int failed;

    if (args->word_count != 1)
        return cli_usage("user password", "give one user name");
    store = store_open(args->data_dir, STORE_WRITE, &err);
    failed = !store || read_password(line, &password, &err) < 0 ||
             user_set_password(store, slice_of(args->words[0]), password, &err) < 0;
    explicit_bzero(line, sizeof(line));
    store_close(store);
    return failed ? cli_fail("user password", &err) : EXIT_DONE;
}

static int set_revoked(const struct cli_args *args, bool revoked, const char *command)
{
    struct err err = {0};
    struct store *store;
    int failed;

    if (args->word_count != 1)
        return cli_usage(command, "give one user name");
    store = store_open(args->data_dir, STORE_WRITE, &err);
    failed = store ? user_set_revoked(store, slice_of(args->words[0]), revoked, &err) : -1;
    store_close(store);
    return failed ? cli_fail(command, &err) : EXIT_DONE;
}

static int run_revoke(const struct cli_args *args)
{
    return set_revoked(args, true, "user revoke");
}

static int run_restore(const struct cli_args *args)
{
    return set_revoked(args, false, "user restore");
}

/* --- list ------------------------------------------------------------------------------------- */

/* A row for each grant, and one for a user without. */
struct listing {
    struct table table;
    struct fleet *fleet;
    const struct user *user;
    size_t rows; /* of this user */
};

static void put_user(struct listing *listing)
{
    const struct user *user = listing->user;
    struct table *table = &listing->table;
    struct slice name;
    struct err err;

    if (arena_dup(&table->arena, user->name, &name, &err) < 0)
        table->failed = true;
    table_cell(table, name, COLOUR_NONE);
    table_cell(table, user->revoked_ms ? SLICE("revoked") : SLICE("valid"),
        user->revoked_ms ? COLOUR_DIM : COLOUR_NONE);
    table_cell(table, user->password.len ? SLICE("yes") : SLICE("no"), COLOUR_NONE);
    listing->rows++;
}

static int list_grant(void *ctx, const struct grant *grant, struct err *err)
{
    struct listing *listing = ctx;
    struct table *table = &listing->table;
    struct slice project = SLICE("(all)");

    if (grant->user != listing->user->number)
        return 0;
    if (grant->project &&
        fleet_project_id(listing->fleet, grant->project, &table->arena, &project, err) < 0)
        return -1;
    put_user(listing);
    table_cell(table, slice_of(words_name(&role_words, (int)grant->role)), COLOUR_NONE);
    table_cell(table, project, COLOUR_NONE);
    table_cell(table, grant->enterprise_project.len ? grant->enterprise_project : SLICE("(all)"),
        COLOUR_NONE);
    return 0;
}

struct users {
    struct arena arena;
    struct user *at;
    size_t count, cap;
};

static int keep_user(void *ctx, const struct user *user, struct err *err)
{
    struct users *users = ctx;
    struct user *grown =
        arena_grow(&users->arena, users->at, users->count, &users->cap, sizeof(*grown), err);

    if (!grown)
        return -1;
    users->at = grown;
    grown[users->count] = *user;
    if (arena_dup(&users->arena, user->name, &grown[users->count].name, err) < 0)
        return -1;
    users->count++;
    return 0;
}

static int list_users(struct listing *listing, struct users *users, struct err *err)
{
    struct store *store = fleet_store(listing->fleet);

    if (store_each_user(store, keep_user, users, err) < 0)
        return -1;
    for (size_t i = 0; i < users->count; i++) {
        listing->user = &users->at[i];
        listing->rows = 0;
        if (store_each_grant(store, list_grant, listing, err) < 0)
            return -1;
        if (listing->rows)
            continue;
        put_user(listing);
        for (int column = 0; column < 3; column++)
            table_cell(&listing->table, SLICE("-"), COLOUR_DIM);
    }
    return 0;
}

static int run_list(const struct cli_args *args)
{
    static const char *const headings[] = {
        "NAME", "STATE", "PASSWORD", "ROLE", "PROJECT", "ENTERPRISE PROJECT"};
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    struct listing listing = {0};
    struct users users = {0};
    struct err err = {0};
    int failed;

    listing.fleet = fleet_open(args->data_dir, STORE_READ, &err);
    if (!listing.fleet)
        return cli_fail("user list", &err);
    arena_init(&users.arena, "the list of users", 256UL << 20);
    table_init(&listing.table, headings, 6);
    failed = list_users(&listing, &users, &err);
    if (!failed)
        table_write(&listing.table, cli_colours(), &out);
    table_release(&listing.table);
    arena_release(&users.arena);
    fleet_close(listing.fleet);
    return failed ? cli_fail("user list", &err) : cli_print("user list", &out);
}

/* --- The commands ----------------------------------------------------------------------------- */

static const struct cli_option create_options[] = {
    GRANT_OPTIONS, {"password-stdin", NULL,
                       "read a password from standard input, for POST /v3/auth/tokens", NULL}};
static const struct cli_option grant_options[] = {GRANT_OPTIONS};

const struct command command_user_create = {.name = "user create",
    .summary = "make a user",
    .arguments = "NAME",
    .details = "A user signs requests with access keys (careen key create), and logs in with a\n"
               "password if there is one. With --role, a first grant goes with it.",
    .options = create_options,
    .option_count = sizeof(create_options) / sizeof(create_options[0]),
    .run = run_create};

const struct command command_user_list = {.name = "user list",
    .summary = "list the users and what is granted to them",
    .arguments = "",
    .run = run_list};

const struct command command_user_grant = {.name = "user grant",
    .summary = "grant a user a role in a project, or a part of it",
    .arguments = "NAME",
    .details = "viewer reads; operator also imports and decides; admin also manages. Without\n"
               "--enterprise-project the role holds for the whole project.",
    .options = grant_options,
    .option_count = sizeof(grant_options) / sizeof(grant_options[0]),
    .run = run_grant};

const struct command command_user_ungrant = {.name = "user ungrant",
    .summary = "take a grant away",
    .arguments = "NAME",
    .details = "Of the grant made with the same --project and --enterprise-project.",
    .options = grant_options + 1, /* all but --role */
    .option_count = sizeof(grant_options) / sizeof(grant_options[0]) - 1,
    .run = run_ungrant};

const struct command command_user_password = {.name = "user password",
    .summary = "set a user's password, read from standard input",
    .arguments = "NAME",
    .details = "Tokens that the user has logged in for become invalid.",
    .run = run_password};

const struct command command_user_revoke = {.name = "user revoke",
    .summary = "refuse a user from now on",
    .arguments = "NAME",
    .details = "Tokens that the user has logged in for become invalid for good; access keys until\n"
               "careen user restore. A running server follows within a second.",
    .run = run_revoke};

const struct command command_user_restore = {.name = "user restore",
    .summary = "let a revoked user in again",
    .arguments = "NAME",
    .run = run_restore};
