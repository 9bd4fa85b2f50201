/* SPDX-License-Identifier: Apache-2.0 */
/* careen backup: all facts and the key in one file, while others go on writing. */
#include "auth/seal.h"
#include "cli/cli.h"

#include <sys/stat.h>

static const struct cli_option options[] = {
    {"without-key", NULL, "leave secret.key out: whoever restores must have it", NULL},
};

struct backup {
    const struct cli_args *args;
    const char *file;
    char key[SEAL_TEXT_BYTES]; /* empty: none */
    struct store_stats stats;
};

/* A folder may have no key yet: then there is nothing that was sealed with one. */
static int read_key(struct backup *backup, struct err *err)
{
    struct seal seal;
    struct err why;

    if (cli_given(backup->args, "without-key"))
        return 0;
    if (seal_read(backup->args->data_dir, &seal, &why) == 0) {
        seal_text(&seal, backup->key);
        seal_forget(&seal);
        return 0;
    }
    if (why.code == ERR_NOT_FOUND)
        return 0;
    *err = why;
    return err_prefix(err, "a backup with the key (--without-key leaves it out)");
}

static int write_backup(struct backup *backup, struct err *err)
{
    struct store *store = store_open(backup->args->data_dir, STORE_READ, err);
    int failed = !store || store_stats(store, &backup->stats, err) < 0 ||
                 store_backup(store, backup->file, slice_of(backup->key), err) < 0;

    store_close(store);
    return failed ? -1 : 0;
}

static void say(const struct backup *backup)
{
    struct stat file;

    printf("%s: %.1f MiB, %llu images in %llu projects", backup->file,
        stat(backup->file, &file) == 0 ? (double)file.st_size / 1048576.0 : 0.0,
        (unsigned long long)backup->stats.images, (unsigned long long)backup->stats.projects);
    if (*backup->key)
        printf(", with secret.key: guard it like that file\n");
    else if (cli_given(backup->args, "without-key"))
        printf(", without secret.key: keep a copy of it elsewhere\n");
    else
        printf("; there is no secret.key\n");
    printf("restore it with: careen --data NEW_DIR restore %s\n", backup->file);
}

static int run(const struct cli_args *args)
{
    struct backup backup = {.args = args};
    struct err err = {0};
    int failed;

    if (args->word_count != 1)
        return cli_usage("backup", "name one file to be written");
    backup.file = args->words[0];
    failed = read_key(&backup, &err) < 0 || write_backup(&backup, &err) < 0;
    if (!failed)
        say(&backup);
    explicit_bzero(backup.key, sizeof(backup.key));
    return failed ? cli_fail("backup", &err) : EXIT_DONE;
}

const struct command command_backup = {.name = "backup",
    .summary = "write all facts, and the key, to one new file",
    .arguments = "FILE",
    .details =
        "The file holds the state of one moment; a server and imports go on meanwhile. It is\n"
        "there whole or not at all, and never replaces another one.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
