/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one file a subcommand, each with one struct command. A table of options gives
 * parsing and help; --data and --help are known everywhere, before or after the subcommand.
 */
#ifndef CAREEN_CLI_CLI_H
#define CAREEN_CLI_CLI_H

#include "api/affected_params.h"
#include "api/failure.h"
#include "api/placement_params.h"
#include "fleet/fleet.h"

/* A named option. value NULL: a switch; "[=...]": the value may be left out and is "true" then;
 * "ID...": a list, given with commas between or again and again (cli_list). */
struct cli_option {
    const char *name; /* "registry-type", without dashes */
    const char *value;
    const char *help;
    const char
        *param; /* of the tables below: the parameter's name; its dashed form is taken, too */
};

/* Tables of parameters that a command takes as options, besides its own. */
enum cli_tables {
    OPTIONS_PLACEMENT = 1, /* api/placement_params.h: where the image lives */
    OPTIONS_AFFECTED = 2,  /* api/affected_params.h, without vul_id */
    OPTIONS_SCOPE = 4,     /* those of them that choose images */
    OPTIONS_SETTINGS = 8,  /* cli/settings.h: of the server */
};

enum { CLI_OPTIONS_MAX = 40, CLI_NAME_BYTES = 40 };

/* One time that a list was given. */
struct cli_item {
    size_t option; /* position in options */
    const char *value;
};

/* A parsed command line: what was given for each option, and the rest. */
struct cli_args {
    struct cli_option options[CLI_OPTIONS_MAX];
    char names[CLI_OPTIONS_MAX][CLI_NAME_BYTES]; /* of options made from tables */
    size_t option_count;
    const char *values[CLI_OPTIONS_MAX]; /* by position in options; NULL: not given; switches: "";
                                            lists: the last one */
    struct cli_item *items;              /* what was given for lists, in order */
    int item_count;
    char **words; /* positional arguments */
    int word_count;
    const char *data_dir;
    bool data_given; /* by --data; else it is the environment's, or the default */
};

struct command {
    const char *name;      /* "import", "images list" */
    const char *summary;   /* one line */
    const char *arguments; /* "FILE..." */
    const char *details;   /* paragraphs for --help; may be NULL */
    const struct cli_option *options;
    size_t option_count;
    unsigned tables;                         /* enum cli_tables */
    int (*run)(const struct cli_args *args); /* an exit status */
};

extern const struct command command_affected, command_backup, command_prune, command_restore,
    command_scan, command_doctor, command_settings, command_images_list, command_images_show,
    command_images_rm, command_images_set, command_import, command_key_create, command_key_list,
    command_key_revoke, command_project_create, command_project_list, command_project_revoke,
    command_project_restore, command_serve, command_status, command_token_create,
    command_token_list, command_token_revoke, command_user_create, command_user_list,
    command_user_grant, command_user_ungrant, command_user_password, command_user_revoke,
    command_user_restore, command_vulns;

extern const struct command command_decisions, command_handle, command_ignore, command_unignore;

/* Everything from argv to the exit status. */
int cli_main(int argc, char **argv);

/* --- For subcommands -------------------------------------------------------------------------- */

/* The value of an option, or NULL. BUG when the command has no such option. */
const char *cli_value(const struct cli_args *args, const char *name);
struct slice cli_slice(const struct cli_args *args, const char *name); /* empty when not given */
bool cli_given(const struct cli_args *args, const char *name);
/* The elements of a list, as often as it was given; the array is in the arena, the elements point
 * into args. ERR_USAGE for an empty element. */
int cli_list(const struct cli_args *args, const char *name, struct arena *arena, struct slice **ret,
    size_t *ret_count, struct err *err);

/* One line on standard error, whatever bytes are in it: names of files come from anywhere. what:
 * what it is about; may be NULL. */
void cli_complain(const char *command, const char *what, const struct err *err);
/* "careen import: message" to standard error; returns the exit status of the table. */
int cli_fail(const char *command, const struct err *err);
/* A mistake in the command line: the message, and where help is. Returns EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the options of OPTIONS_AFFECTED or OPTIONS_SCOPE ask for, and the argument VUL_ID (may be
 * NULL); points into args and the arena. ERR_INVALID, ERR_USAGE. */
int cli_affected_request(const struct cli_args *args, const char *vul_id, struct arena *arena,
    struct affected_request *ret, struct err *err);
/* The options of OPTIONS_PLACEMENT that were given. ERR_INVALID. */
int cli_placement(const struct cli_args *args, struct placement_request *ret, struct err *err);
/* The store opened, the project found and loaded. *ret_project from --project, else "default". */
struct fleet *cli_open(const struct cli_args *args, enum store_mode mode, bool load,
    uint32_t *ret_project, struct err *err);

/* --- Output ----------------------------------------------------------------------------------- */

enum cli_format {
    FORMAT_TABLE,
    FORMAT_JSON,
    FORMAT_JSONL,
    FORMAT_CSV,
    FORMAT_CYCLONEDX,
    FORMAT_SPDX,
    FORMAT_SARIF,
};

/* Of -o; ERR_USAGE when it is none of `allowed` (a mask of 1 << enum cli_format). */
int cli_format(
    const struct cli_args *args, unsigned allowed, enum cli_format *ret, struct err *err);
/* Colours only on a terminal, and not with NO_COLOR (https://no-color.org). */
bool cli_colours(void);
/* Writes to standard output; false when that fails (a closed pipe, a full disk). */
bool cli_write(struct slice bytes);
/* A whole answer; EXIT_DONE, or EXIT_FAILED with a message when it cannot be written. */
int cli_print(const char *command, const struct buf *out);

#endif
