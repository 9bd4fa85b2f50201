/* SPDX-License-Identifier: Apache-2.0 */
/*
 * careen unignore: decisions withdrawn by their numbers, or a newer decision that opens rows again.
 * A word of digits alone is a number; no vulnerability is called so.
 */
#include "base/cleanup.h"
#include "cli/deciding.h"
#include "codec/json_writer.h"

static const struct cli_option options[] = {
    {"reason", "TEXT", "why; with VUL_ID", NULL},
    DECIDING_SELECTOR_OPTIONS,
    DECIDING_SCOPE_OPTIONS,
    DECIDING_COMMON_OPTIONS,
};

/* --- By number -------------------------------------------------------------------------------- */

static void write_json(const struct deciding_line *line, const struct ids *numbers,
    const uint64_t *rows, size_t done, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, "dry_run");
    json_write_bool(&w, line->dry_run);
    json_write_key(&w, "withdrawn");
    json_write_begin_array(&w);
    for (size_t i = 0; i < done; i++) {
        json_write_begin_object(&w);
        json_write_member_u64(&w, "number", numbers->at[i]);
        json_write_member_u64(&w, "rows", rows[i]);
        json_write_end_object(&w);
    }
    json_write_end_array(&w);
    json_write_end_object(&w);
    buf_put_char(out, '\n');
}

static void write_lines(const struct deciding_line *line, const struct ids *numbers,
    const uint64_t *rows, size_t done, struct buf *out)
{
    for (size_t i = 0; i < done; i++)
        buf_printf(out,
            line->dry_run ? "dry run: decision %u would be withdrawn; would change %llu row%s\n"
                          : "decision %u is withdrawn; changed %llu row%s\n",
            numbers->at[i], (unsigned long long)rows[i], rows[i] == 1 ? "" : "s");
}

/* One after the other; those before a failure are withdrawn, and the answer says so. */
static int withdraw_each(struct deciding_line *line, const struct ids *numbers, struct err *err)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    uint64_t *rows = arena_alloc_array(&line->arena, numbers->count, sizeof(*rows), err);
    int failed = rows ? 0 : -1;
    size_t done = 0;

    while (!failed && done < numbers->count) {
        const struct ids gone = {numbers->at, done, 0};
        uint32_t number = numbers->at[done];

        failed = line->dry_run ? fleet_preview_withdrawal(line->fleet, line->project, number, &gone,
                                     &line->deciding, &rows[done], err)
                               : fleet_withdraw_decision(line->fleet, line->project, number,
                                     &line->deciding, line->command, &rows[done], err);
        if (!failed)
            done++;
    }
    if (done)
        (line->format == FORMAT_JSON ? write_json : write_lines)(line, numbers, rows, done, &out);
    if (!cli_write(buf_slice(&out)) && !failed)
        failed = err_set_errno(err, "cannot write the answer to standard output");
    return failed;
}

static int withdraw(struct deciding_line *line, const struct ids *numbers, struct err *err)
{
    static const char *const others[] = {"reason", "package", "type", "image", "repository",
        "registry-name", "cluster-id", "image-type", "enterprise-project"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (cli_given(line->args, others[i]))
            return err_set(err, ERR_USAGE,
                "--%s goes with VUL_ID: a number withdraws that decision, whole", others[i]);
    line->fleet =
        cli_open(line->args, line->dry_run ? STORE_READ : STORE_WRITE, true, &line->project, err);
    return line->fleet ? withdraw_each(line, numbers, err) : -1;
}

/* --- Which of the two ------------------------------------------------------------------------- */

static bool is_number(const char *word)
{
    return *word && word[strspn(word, "0123456789")] == '\0';
}

/* The numbers among the words: all of them, or none. */
static int read_numbers(const struct cli_args *args, struct ids *ret, struct err *err)
{
    for (int i = 0; i < args->word_count; i++) {
        uint64_t number;

        if (!is_number(args->words[i]))
            continue;
        if (!slice_to_u64(slice_of(args->words[i]), &number) || number == 0 || number > UINT32_MAX)
            return err_set(err, ERR_NOT_FOUND, "there is no decision %s", args->words[i]);
        if (ids_push(ret, (uint32_t)number, err) < 0)
            return -1;
    }
    if (ret->count && ret->count != (size_t)args->word_count)
        return err_set(
            err, ERR_USAGE, "give numbers of decisions or names of vulnerabilities, not both");
    ids_sort_unique(ret);
    return 0;
}

static int unignore(struct deciding_line *line, const struct cli_args *args, struct err *err)
{
    struct ids numbers CLEANUP(ids_release) = {0};

    if (deciding_start(line, args, "unignore", DECISION_REOPEN, err) < 0 ||
        read_numbers(args, &numbers, err) < 0)
        return -1;
    if (numbers.count)
        return withdraw(line, &numbers, err);
    if (args->word_count == 0 && !cli_given(args, "package"))
        return err_set(err, ERR_USAGE,
            "say which vulnerability, by VUL_ID, or with --package any of that package; or which "
            "decision, by its NUMBER (careen decisions)");
    if (deciding_selector(line, err) < 0 || deciding_scope(line, err) < 0)
        return -1;
    return deciding_run(line, err);
}

static int run(const struct cli_args *args)
{
    struct deciding_line line;
    struct err err = {0};
    int failed = unignore(&line, args, &err);

    deciding_finish(&line);
    return failed ? cli_fail("unignore", &err) : EXIT_DONE;
}

const struct command command_unignore = {.name = "unignore",
    .summary = "withdraw decisions, or open rows again",
    .arguments = "NUMBER... | [VUL_ID...]",
    .details =
        "NUMBER is that of a decision (careen decisions): it is withdrawn, and rows are again as\n"
        "older decisions say. VUL_ID, with a scope as in careen ignore, makes a newer decision "
        "that\n"
        "opens those rows and leaves the rest of an older one standing.\n\n"
        "  careen unignore 12\n"
        "  careen unignore CVE-2024-0001 --repository shop/app --reason 'reachable after all'",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
