/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing a command's options; between cli.c and options.c only. */
#ifndef CAREEN_CLI_OPTIONS_H
#define CAREEN_CLI_OPTIONS_H

#include "cli/cli.h"

/* Is the argument the option of this name? *ret_value: what follows a '=', or NULL. */
bool cli_is_option(const char *argument, const char *name, const char **ret_value);
/* Fills args from what follows the command's name. 0, or EXIT_USAGE with the message printed. */
int cli_parse(
    const struct command *command, struct cli_args *args, char **argv, int argc, bool *ret_help);

#endif
