/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the command, printing help, and what all subcommands share. */
#include "cli/cli.h"

#include "base/utf8.h"
#include "base/write_all.h"
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct command *const commands[] = {&command_scan, &command_import, &command_affected,
    &command_vulns, &command_images_list, &command_images_show, &command_images_set,
    &command_images_rm, &command_ignore, &command_unignore, &command_handle, &command_decisions,
    &command_status, &command_prune, &command_backup, &command_restore, &command_doctor,
    &command_serve, &command_settings, &command_token_create, &command_token_list,
    &command_token_revoke, &command_user_create, &command_user_list, &command_user_grant,
    &command_user_ungrant, &command_user_password, &command_user_revoke, &command_user_restore,
    &command_key_create, &command_key_list, &command_key_revoke, &command_project_create,
    &command_project_list, &command_project_revoke, &command_project_restore};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

/* --- Help ------------------------------------------------------------------------------------- */

static void print_help(FILE *to)
{
    fprintf(to, "Careen: which of my container images does this vulnerability affect?\n\n"
                "usage: careen [--data DIR] COMMAND [OPTION...]\n\ncommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\noptions of every command:\n"
                "  --data DIR       the data folder; else CAREEN_DATA_DIR, else ./careen-data\n"
                "  --help           help of a command: careen import --help\n"
                "  --version        the version\n"
                "\nexit status:\n"
                "  0  done\n"
                "  1  failed; the message says why\n"
                "  2  the command line is wrong\n"
                "  3  import, scan: some inputs were refused, the others are in\n"
                "  4  affected: nothing found, but no image in scope, or not all fully assessed\n");
}

/* What is too long for its column has the help below it. */
static void print_option(const char *left, const char *help)
{
    if (strlen(left) > 28)
        printf("  %s\n  %-28s %s\n", left, "", help);
    else
        printf("  %-28s %s\n", left, help);
}

static void print_command_help(const struct command *command, const struct cli_args *args)
{
    printf("%s\n\nusage: careen %s%s%s [OPTION...]\n", command->summary, command->name,
        *command->arguments ? " " : "", command->arguments);
    if (command->details)
        printf("\n%s\n", command->details);
    printf("\noptions:\n");
    for (size_t i = 0; i < args->option_count; i++) {
        const struct cli_option *option = &args->options[i];
        const char *value = option->value ? option->value : "";
        char left[80];

        snprintf(left, sizeof(left), "%s%s%s%s", option->name[1] ? "--" : "-", option->name,
            *value && *value != '[' ? " " : "", value);
        print_option(left, option->help);
    }
    print_option("--data DIR", "the data folder; else CAREEN_DATA_DIR, else ./careen-data");
}

/* The command named by the words at *at; moves *at behind it. */
static const struct command *find_command(char **argv, int argc, int *at)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *space = strchr(commands[i]->name, ' ');
        size_t len = space ? (size_t)(space - commands[i]->name) : strlen(commands[i]->name);

        if (strlen(argv[*at]) != len || strncmp(argv[*at], commands[i]->name, len) != 0)
            continue;
        if (space && (*at + 1 >= argc || strcmp(argv[*at + 1], space + 1) != 0))
            continue;
        *at += space ? 2 : 1;
        return commands[i];
    }
    return NULL;
}

static bool is_in_group(const struct command *command, const char *group)
{
    size_t len = strlen(group);

    return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

/* A word that is no command: the first one of several ("images"), or a mistake. */
static int unknown_command(char **argv, int argc, int at)
{
    bool group = false, help = at + 1 < argc && strcmp(argv[at + 1], "--help") == 0;

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        group |= is_in_group(commands[i], argv[at]);
    if (!group)
        return cli_usage(NULL, "there is no command %s", argv[at]);
    if (!help)
        fprintf(stderr, "careen: there is no command %s%s%s; there are:\n", argv[at],
            at + 1 < argc ? " " : "", at + 1 < argc ? argv[at + 1] : "");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (is_in_group(commands[i], argv[at]))
            fprintf(help ? stdout : stderr, "  careen %-16s %s\n", commands[i]->name,
                commands[i]->summary);
    return help ? EXIT_DONE : EXIT_USAGE;
}

static int run_command(const struct command *command, struct cli_args *args, char **argv, int argc)
{
    bool help = false;
    int status;

    args->words = calloc((size_t)argc + 1, sizeof(*args->words));
    args->items = calloc((size_t)argc + 1, sizeof(*args->items));
    status = args->words && args->items ? cli_parse(command, args, argv, argc, &help) : EXIT_FAILED;
    if (status == 0 && help)
        print_command_help(command, args);
    else if (status == 0)
        status = command->run(args);
    free(args->items);
    free(args->words);
    return status;
}

static int find_and_run(int argc, char **argv)
{
    struct cli_args args = {.data_dir = getenv("CAREEN_DATA_DIR")};
    const struct command *command;
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        const char *value;

        if (cli_is_option(argv[at], "version", &value)) {
            printf("careen %s\n", CAREEN_VERSION);
            return EXIT_DONE;
        }
        if (cli_is_option(argv[at], "help", &value) || strcmp(argv[at], "-h") == 0) {
            print_help(stdout);
            return EXIT_DONE;
        }
        if (!cli_is_option(argv[at], "data", &value))
            return cli_usage(NULL, "there is no option %s before the command", argv[at]);
        if (!value && at + 1 >= argc)
            return cli_usage(NULL, "--data needs a value");
        args.data_dir = value ? value : argv[++at];
        args.data_given = true;
    }
    if (!args.data_dir || !*args.data_dir)
        args.data_dir = "careen-data";
    if (at >= argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[at], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    command = find_command(argv, argc, &at);
    return command ? run_command(command, &args, argv + at, argc - at)
                   : unknown_command(argv, argc, at);
}

/* What went through stdio is only known to have arrived now: `careen token create` on a full disk
 * must not look done. */
static int check_output(int status)
{
    bool unsent = fflush(stdout) != 0;

    if (!unsent && !ferror(stdout))
        return status;
    fprintf(stderr, "careen: cannot write to standard output%s%s\n", unsent ? ": " : "",
        unsent ? strerror(errno) : "");
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

/* Who starts a program may have closed the first three descriptors. The next files that are opened
 * would get their numbers, and what is printed would go into them. What is opened here in their
 * stead fails when it is used the wrong way, as the closed one would. */
static bool has_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int cli_main(int argc, char **argv)
{
    if (!has_descriptors())
        return EXIT_FAILED;
    return check_output(find_and_run(argc, argv));
}

/* --- For subcommands -------------------------------------------------------------------------- */

/* The text, with U+FFFD for what is no character of a line. */
static void complain(const char *text)
{
    for (struct slice rest = slice_of(text); rest.len;) {
        struct slice shown = utf8_pull_shown(&rest);

        fprintf(stderr, "%.*s", SLICE_FMT(shown));
    }
}

void cli_complain(const char *command, const char *what, const struct err *err)
{
    fprintf(stderr, "careen %s: ", command);
    if (what) {
        complain(what);
        fputs(": ", stderr);
    }
    complain(err->message);
    fputc('\n', stderr);
}

int cli_fail(const char *command, const struct err *err)
{
    cli_complain(command, NULL, err);
    return failure_of(err->code)->exit_status;
}

struct fleet *cli_open(const struct cli_args *args, enum store_mode mode, bool load,
    uint32_t *ret_project, struct err *err)
{
    struct fleet *fleet = fleet_open(args->data_dir, mode, err);
    const char *id = cli_value(args, "project");

    if (!fleet)
        return NULL;
    if (fleet_find_project(fleet, slice_of(id ? id : "default"), ret_project, err) < 0 ||
        (load && fleet_load(fleet, *ret_project, err) < 0)) {
        fleet_close(fleet);
        return NULL;
    }
    return fleet;
}

/* --- Output ----------------------------------------------------------------------------------- */

int cli_format(const struct cli_args *args, unsigned allowed, enum cli_format *ret, struct err *err)
{
    static const char *const names[] = {
        "table", "json", "jsonl", "csv", "cyclonedx", "spdx", "sarif"};
    const char *given = cli_value(args, "o");
    struct buf list = BUF_INIT(256);

    if (!given) {
        *ret = FORMAT_TABLE;
        return 0;
    }
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(allowed & 1u << i))
            continue;
        if (strcmp(given, names[i]) == 0) {
            *ret = (enum cli_format)i;
            buf_release(&list);
            return 0;
        }
        buf_printf(&list, "%s%s", list.len ? ", " : "", names[i]);
    }
    err_set(
        err, ERR_USAGE, "-o must be one of %.*s, not \"%s\"", SLICE_FMT(buf_slice(&list)), given);
    buf_release(&list);
    return -1;
}

bool cli_colours(void)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

bool cli_write(struct slice bytes)
{
    return write_all(STDOUT_FILENO, bytes);
}

int cli_print(const char *command, const struct buf *out)
{
    struct err err = {0};

    if (buf_check(out, "the answer", &err) < 0)
        return cli_fail(command, &err);
    if (!cli_write(buf_slice(out))) {
        err_set_errno(&err, "cannot write the answer to standard output");
        return cli_fail(command, &err);
    }
    return EXIT_DONE;
}
