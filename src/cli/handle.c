/* SPDX-License-Identifier: Apache-2.0 */
/* careen handle: rows of named images that somebody has repaired by hand. */
#include "cli/deciding.h"

static const struct cli_option options[] = {
    {"image", "ID...", "these images, one at least: --image A,B or --image A --image B", NULL},
    {"reason", "TEXT", "what was done", NULL},
    DECIDING_SELECTOR_OPTIONS,
    DECIDING_COMMON_OPTIONS,
};

static int handle(struct deciding_line *line, const struct cli_args *args, struct err *err)
{
    if (deciding_start(line, args, "handle", DECISION_REPAIR, err) < 0 ||
        deciding_selector(line, err) < 0)
        return -1;
    if (!cli_given(args, "image"))
        return err_set(err, ERR_USAGE, "say which images were repaired: --image ID");
    return deciding_images(line, err) < 0 ? -1 : deciding_run(line, err);
}

static int run(const struct cli_args *args)
{
    struct deciding_line line;
    struct err err = {0};
    int failed = handle(&line, args, &err);

    deciding_finish(&line);
    return failed ? cli_fail("handle", &err) : EXIT_DONE;
}

const struct command command_handle = {.name = "handle",
    .summary = "say that images were repaired by hand",
    .arguments = "[VUL_ID...]",
    .details = "Their rows are handled (is_handled), but not ignored. That ends with the next "
               "report of such an\n"
               "image that still finds the vulnerability, or with careen unignore.\n\n"
               "  careen handle CVE-2024-0001 --image 4fe1a03d-0000-5000-8000-000000000000",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
