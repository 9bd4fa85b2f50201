/* SPDX-License-Identifier: Apache-2.0 */
/* careen key create | list | revoke */
#include "auth/users.h"
#include "base/clock.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "codec/json_writer.h"

/* --- create ----------------------------------------------------------------------------------- */

static const struct cli_option create_options[] = {
    {"user", "NAME", "who signs with it; must be given", NULL},
    {"label", "TEXT", "what it is for; shown by careen key list", NULL},
    {"o", "FORMAT", "json: an object of ak and sk; else a line each", NULL},
};

static void write_pair(const struct key_pair *pair, enum cli_format format, struct buf *out)
{
    struct json_writer w;

    if (format != FORMAT_JSON) {
        buf_printf(out, "%s\n%s\n", pair->ak, pair->sk);
        return;
    }
    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "ak", slice_of(pair->ak));
    json_write_member(&w, "sk", slice_of(pair->sk));
    json_write_end_object(&w);
    buf_put_char(out, '\n');
}

static int run_create(const struct cli_args *args)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(4096);
    enum cli_format format = FORMAT_TABLE;
    struct key_pair pair = {0};
    struct err err = {0};
    struct store *store;
    int failed;

    if (args->word_count)
        return cli_usage("key create", "there is no argument %s", args->words[0]);
    if (!cli_given(args, "user"))
        return cli_usage("key create", "--user must be given");
    if (cli_format(args, 1u << FORMAT_JSON, &format, &err) < 0)
        return cli_fail("key create", &err);
    store = store_open(args->data_dir, STORE_WRITE, &err);
    failed = store ? key_create(store, args->data_dir, cli_slice(args, "user"),
                         cli_slice(args, "label"), &pair, &err)
                   : -1;
    store_close(store);
    if (failed)
        return cli_fail("key create", &err);
    write_pair(&pair, format, &out);
    explicit_bzero(&pair, sizeof(pair));
    return cli_print("key create", &out);
}

/* --- list ------------------------------------------------------------------------------------- */

struct listing {
    struct table table;
    struct users_by_number {
        struct slice *names;
        size_t count, cap;
    } users;
};

/* Users have numbers from 1 up, so a name stands at the place of its user's number. */
static int note_user(void *ctx, const struct user *user, struct err *err)
{
    struct listing *listing = ctx;
    size_t need = (size_t)user->number + 1;

    if (array_reserve(&listing->users.names, &listing->users.cap, need, sizeof(struct slice), err) <
            0 ||
        arena_dup(&listing->table.arena, user->name, &listing->users.names[user->number], err) < 0)
        return -1;
    listing->users.count = need;
    return 0;
}

static int list_key(void *ctx, const struct access_key *key, struct err *err)
{
    struct listing *listing = ctx;
    struct table *table = &listing->table;
    char created[CLOCK_TEXT_BYTES];
    bool named = key->user < listing->users.count;

    (void)err;
    table_cell(table, key->ak, COLOUR_NONE);
    table_cell(table, named ? listing->users.names[key->user] : SLICE_NONE, COLOUR_NONE);
    table_cell(table, slice_of(clock_format(key->created_ms, created)), COLOUR_NONE);
    table_cell(table, key->revoked_ms ? SLICE("revoked") : SLICE("valid"),
        key->revoked_ms ? COLOUR_DIM : COLOUR_NONE);
    table_cell(table, key->label, COLOUR_NONE);
    return 0;
}

static int run_list(const struct cli_args *args)
{
    static const char *const headings[] = {"AK", "USER", "CREATED", "STATE", "LABEL"};
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    struct store *store;
    struct listing listing = {0};
    struct err err = {0};
    int failed;

    store = store_open(args->data_dir, STORE_READ, &err);
    if (!store)
        return cli_fail("key list", &err);
    table_init(&listing.table, headings, 5);
    failed = store_each_user(store, note_user, &listing, &err) < 0 ||
             store_each_key(store, list_key, &listing, &err) < 0;
    if (!failed)
        table_write(&listing.table, cli_colours(), &out);
    table_release(&listing.table);
    free(listing.users.names);
    store_close(store);
    return failed ? cli_fail("key list", &err) : cli_print("key list", &out);
}

/* --- revoke ----------------------------------------------------------------------------------- */

static int run_revoke(const struct cli_args *args)
{
    struct err err = {0};
    struct store *store;
    int failed;

    if (args->word_count != 1)
        return cli_usage("key revoke", "give one AK");
    store = store_open(args->data_dir, STORE_WRITE, &err);
    failed = store ? key_revoke(store, slice_of(args->words[0]), &err) : -1;
    store_close(store);
    return failed ? cli_fail("key revoke", &err) : EXIT_DONE;
}

const struct command command_key_create = {.name = "key create",
    .summary = "make an access key (AK and SK) and print it",
    .arguments = "",
    .details = "For the SDKs, which sign every request. The SK is shown this once: it is stored\n"
               "sealed with the key file of the data folder, secret.key.",
    .options = create_options,
    .option_count = sizeof(create_options) / sizeof(create_options[0]),
    .run = run_create};

const struct command command_key_list = {
    .name = "key list", .summary = "list the access keys", .arguments = "", .run = run_list};

const struct command command_key_revoke = {.name = "key revoke",
    .summary = "make an access key invalid, now and for good",
    .arguments = "AK",
    .details = "Its sealed SK is erased. A running server refuses it within a second.",
    .run = run_revoke};
