/* SPDX-License-Identifier: Apache-2.0 */
/* careen ignore: rows that need no repair, from now on and in images to come. */
#include "base/clock.h"
#include "base/when.h"
#include "cli/deciding.h"

static const struct cli_option options[] = {
    {"reason", "TEXT", "why; must be given, but for --dry-run: decisions are kept for ever", NULL},
    DECIDING_SELECTOR_OPTIONS,
    DECIDING_SCOPE_OPTIONS,
    {"expires-in", "DURATION", "for so long: 12h, 90d; for ever, if not given", NULL},
    {"expires-at", "TIME", "until then: 2027-01-31 (UTC), 2027-01-31T18:30Z or ...+08:00", NULL},
    {"whitelist", NULL, "record it as add_to_whitelist; the rows are ignored all the same", NULL},
    DECIDING_COMMON_OPTIONS,
};

static int read_expiry(const struct cli_args *args, int64_t *ret, struct err *err)
{
    int64_t ms = 0;

    if (cli_given(args, "expires-in") && cli_given(args, "expires-at"))
        return err_set(err, ERR_USAGE, "--expires-in and --expires-at exclude each other");
    if (cli_given(args, "expires-in")) {
        if (when_duration(cli_slice(args, "expires-in"), &ms, err) < 0)
            return err_prefix(err, "--expires-in");
        ms += clock_now_ms();
    } else if (cli_given(args, "expires-at")) {
        if (when_instant(cli_slice(args, "expires-at"), &ms, err) < 0)
            return err_prefix(err, "--expires-at");
        if (ms <= clock_now_ms())
            return err_set(
                err, ERR_USAGE, "--expires-at: %s is past", cli_value(args, "expires-at"));
    }
    *ret = ms;
    return 0;
}

static int ignore(struct deciding_line *line, const struct cli_args *args, struct err *err)
{
    bool whitelist = cli_given(args, "whitelist");

    if (deciding_start(
            line, args, "ignore", whitelist ? DECISION_WHITELIST : DECISION_IGNORE, err) < 0)
        return -1;
    if (deciding_selector(line, err) < 0)
        return -1;
    if (!cli_given(args, "reason") && !line->dry_run)
        return err_set(err, ERR_USAGE,
            "say why: --reason TEXT; whoever meets the decision later wants to know");
    if (deciding_scope(line, err) < 0 || read_expiry(args, &line->deciding.expires_ms, err) < 0)
        return -1;
    return deciding_run(line, err);
}

static int run(const struct cli_args *args)
{
    struct deciding_line line;
    struct err err = {0};
    int failed = ignore(&line, args, &err);

    deciding_finish(&line);
    return failed ? cli_fail("ignore", &err) : EXIT_DONE;
}

const struct command command_ignore = {.name = "ignore",
    .summary = "ignore vulnerabilities, where and for how long",
    .arguments = "[VUL_ID...]",
    .details =
        "VUL_ID is a name that rows go by, or an alias of it; with --package it may be left out.\n"
        "Without a scope (--image, --repository, --registry-name or --cluster-id) the decision is\n"
        "about the whole project, with all of its enterprise projects. It holds for images that "
        "come\n"
        "later within its scope, and until it expires or careen unignore ends it. Of decisions "
        "that\n"
        "meet on a row the newest wins.\n\n"
        "  careen ignore CVE-2024-0001 --dry-run\n"
        "  careen ignore CVE-2024-0001 --repository shop/app --reason 'not reachable' "
        "--expires-in 90d\n"
        "  careen ignore --package linux-libc-dev --reason 'headers only'",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
