/* SPDX-License-Identifier: Apache-2.0 */
/* careen restore: a data folder from a backup. */
#include "auth/seal.h"
#include "cli/cli.h"

struct restore {
    const char *data_dir;
    bool has_key; /* the backup */
    bool key_there;
};

/* Before the store appears: a server that started without the key would make another one. */
static int keep_key(void *ctx, struct slice key, struct err *err)
{
    struct restore *restore = ctx;
    struct seal seal;
    struct err ignored = {0};

    restore->has_key = key.len > 0;
    if (restore->has_key)
        return seal_install(restore->data_dir, key, err);
    restore->key_there = seal_read(restore->data_dir, &seal, &ignored) == 0;
    if (restore->key_there)
        seal_forget(&seal);
    return 0;
}

/* What is there now; a store of an older version can only be counted once it has been migrated. */
static void say(const struct restore *restore)
{
    struct err err;
    struct store *store = store_open(restore->data_dir, STORE_READ, &err);
    struct store_stats stats;

    if (store && store_stats(store, &stats, &err) == 0)
        printf("%s: %.1f MiB, %llu images in %llu projects", restore->data_dir,
            (double)stats.bytes / 1048576.0, (unsigned long long)stats.images,
            (unsigned long long)stats.projects);
    else
        printf("%s: restored, of an older version", restore->data_dir);
    store_close(store);
    if (restore->has_key)
        printf(", with secret.key\n");
    else if (restore->key_there)
        printf("; the backup holds no secret.key: the one in the folder stays\n");
    else
        printf("; the backup holds no secret.key: access keys need it in the folder before the "
               "first start\n");
    printf("go on with: careen --data %s serve\n", restore->data_dir);
}

static int run(const struct cli_args *args)
{
    struct restore restore = {.data_dir = args->data_dir};
    struct err err = {0};

    if (args->word_count != 1)
        return cli_usage("restore", "name one backup");
    if (store_restore(args->words[0], args->data_dir, keep_key, &restore, &err) < 0)
        return cli_fail("restore", &err);
    say(&restore);
    return EXIT_DONE;
}

const struct command command_restore = {.name = "restore",
    .summary = "make the data folder from a backup",
    .arguments = "FILE",
    .details = "The folder of --data must not hold a store. The backup is checked whole before it "
               "is used.",
    .run = run};
