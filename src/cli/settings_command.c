/* SPDX-License-Identifier: Apache-2.0 */
/* careen settings: the table of settings as a configuration file, as documentation, and a check of
 * a file before a server meets it. */
#include "cli/settings.h"

enum { OUTPUT_BYTES = 64 << 10 };

static const struct cli_option options[] = {
    {"markdown", NULL, "print them as a table for the documentation", NULL},
    {"check", "FILE", "read file and environment as careen serve does; prints what is no default",
        NULL},
};

static void print_file(struct buf *out)
{
    char rule[SETTING_TEXT_BYTES];

    buf_put_cstr(out, "# The settings of careen serve, with their defaults. \"careen settings\" "
                      "prints this file.\n"
                      "#\n"
                      "# A line is NAME = VALUE. An environment variable (CAREEN_LISTEN) outdoes "
                      "this file, and a\n"
                      "# flag (--listen) both. Settings marked (live) change with SIGHUP, others "
                      "with a restart.\n"
                      "# \"careen settings --check FILE\" says what is wrong with a file.\n");
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];

        buf_printf(out, "\n# %s%s\n", setting->help, setting->live ? " (live)" : "");
        if (setting->kind != KIND_TEXT)
            buf_printf(out, "# %s\n", setting_rule(setting, rule));
        buf_printf(
            out, "#%s =%s%s\n", setting->name, *setting->otherwise ? " " : "", setting->otherwise);
    }
}

/* Help texts and rules hold no '|'. */
static void print_markdown(struct buf *out)
{
    char rule[SETTING_TEXT_BYTES];

    buf_put_cstr(out, "| setting | default | | may be | live |\n|---|---|---|---|---|\n");
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        const char *ticks = *setting->otherwise ? "`" : "";

        buf_printf(out, "| `%s` | %s%s%s | %s | %s | %s |\n", setting->name, ticks,
            setting->otherwise, ticks, setting->help,
            setting->kind == KIND_TEXT ? "" : setting_rule(setting, rule),
            setting->live ? "yes" : "");
    }
}

int settings_print_changed(const struct settings *settings, struct err *err)
{
    struct settings defaults = {0};

    if (settings_read(&(struct settings_sources){0}, &defaults, err) < 0)
        return -1;
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        char value[SETTING_TEXT_BYTES];

        if (!settings_same(settings, &defaults, (enum setting_id)id))
            printf("%s = %s\n", setting->name, setting_print(setting, &settings->at[id], value));
    }
    settings_release(&defaults);
    return 0;
}

static int check(const char *path)
{
    const struct settings_sources sources = {.file = path, .environment = true};
    struct settings settings = {0};
    struct err err = {0};
    int failed =
        settings_read(&sources, &settings, &err) < 0 || settings_check(&settings, &err) < 0;

    if (!failed)
        failed = settings_print_changed(&settings, &err);
    settings_release(&settings);
    return failed ? cli_fail("settings", &err) : EXIT_DONE;
}

static int run(const struct cli_args *args)
{
    struct buf out = BUF_INIT(OUTPUT_BYTES);
    int status;

    if (args->word_count)
        return cli_usage("settings", "there is no argument %s", args->words[0]);
    if (cli_given(args, "check"))
        return check(cli_value(args, "check"));
    if (cli_given(args, "markdown"))
        print_markdown(&out);
    else
        print_file(&out);
    status = cli_print("settings", &out);
    buf_release(&out);
    return status;
}

const struct command command_settings = {.name = "settings",
    .summary = "print the settings of careen serve, or check a configuration file",
    .arguments = "",
    .details = "Without an option, prints a configuration file with every setting and its default.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
