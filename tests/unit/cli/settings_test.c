/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, their values, and what a configuration file may look like. Which source
 * outdoes which, and SIGHUP, are tests/e2e/test_settings.py's. */
#include "unit.h"

#include "base/limits.h"
#include "cli/settings.h"
#include "cli/settings_file.h"

/* --- The table -------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return strspn(name, "abcdefghijklmnopqrstuvwxyz_") == len && len + 3 < CLI_NAME_BYTES;
}

static void the_table_is_sound(void **state)
{
    struct settings settings = {0};
    struct err err = {0};

    (void)state;
    assert_ok(settings_read(&(struct settings_sources){0}, &settings, &err));
    for (int id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        char text[SETTING_TEXT_BYTES];

        assert_true(is_name(setting->name));
        assert_true(!setting->negation || is_name(setting->negation));
        assert_true((setting->kind == KIND_CHOICE) == (setting->choices != NULL));
        assert_true(setting->kind != KIND_TEXT || !setting->live); /* serve.c: take_over() */
        assert_string_equal(setting_print(setting, &settings.at[id], text), setting->otherwise);
        assert_null(strpbrk(setting->help, "|\n"));
        for (int other = 0; other < id; other++)
            assert_string_not_equal(setting->name, settings_table[other].name);
    }
    assert_int_equal(settings_number(&settings, SETTING_MAX_REPORT_BYTES), LIMIT_REPORT_BODY_BYTES);
    assert_int_equal(settings_number(&settings, SETTING_THREADS), 0);
    assert_int_equal(settings_number(&settings, SETTING_RETENTION_UNSEEN), -1);
    assert_int_equal(settings_number(&settings, SETTING_MAX_CONNECTIONS), LIMIT_HTTP_CONNECTIONS);
    assert_string_equal(settings_text(&settings, SETTING_LISTEN), "127.0.0.1:8080");
    settings_release(&settings);
}

/* --- Values ----------------------------------------------------------------------------------- */

struct value_case {
    enum setting_id id;
    const char *text;
    int64_t number; /* REFUSED: it is none */
    const char *printed;
};
enum { REFUSED = -99 };

static void check_value(const struct value_case *at)
{
    const struct setting *setting = &settings_table[at->id];
    struct setting_value value = {.number = -77};
    char text[SETTING_TEXT_BYTES];
    struct err err = {0};
    int failed = setting_parse(setting, "here", slice_of(at->text), &value, &err);

    if (failed != (at->number == REFUSED ? -1 : 0))
        fail_msg("%s = \"%s\": %s", setting->name, at->text, failed ? err.message : "taken");
    if (failed) {
        assert_int_equal(err.code, ERR_USAGE);
        assert_memory_equal(err.message, "here must be ", 13);
        assert_int_equal(value.number, -77);
        return;
    }
    assert_int_equal(value.number, at->number);
    assert_string_equal(setting_print(setting, &value, text), at->printed);
    free(value.text);
}

static void values(void **state)
{
    static const struct value_case cases[] = {
        {SETTING_LOG_KEEP_DAYS, "1", 1, "1"},
        {SETTING_LOG_KEEP_DAYS, "36500", 36500, "36500"},
        {SETTING_LOG_KEEP_DAYS, "0", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "36501", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "-1", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "+1", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "1 ", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "0x10", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "30d", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "18446744073709551617", REFUSED, NULL},
        {SETTING_LOG_KEEP_DAYS, "9223372036854775808", REFUSED, NULL},
        {SETTING_THREADS, "auto", 0, "auto"},
        {SETTING_THREADS, "0", REFUSED, NULL},
        {SETTING_THREADS, "off", REFUSED, NULL},
        {SETTING_RATE_LIMIT_PER_USER, "0", 0, "0"},
        {SETTING_MAX_REPORT_BYTES, "1", 1, "1"},
        {SETTING_MAX_REPORT_BYTES, "1023", 1023, "1023"},
        {SETTING_MAX_REPORT_BYTES, "1024", 1024, "1KiB"},
        {SETTING_MAX_REPORT_BYTES, "1536KiB", 1536 * 1024, "1536KiB"},
        {SETTING_MAX_REPORT_BYTES, "4GiB", INT64_C(4) << 30, "4GiB"},
        {SETTING_MAX_REPORT_BYTES, "5GiB", REFUSED, NULL},
        {SETTING_MAX_REPORT_BYTES, "0", REFUSED, NULL},
        {SETTING_MAX_REPORT_BYTES, "64MB", REFUSED, NULL},
        {SETTING_MAX_REPORT_BYTES, "64 MiB", REFUSED, NULL},
        {SETTING_MAX_REPORT_BYTES, "MiB", REFUSED, NULL},
        {SETTING_MAX_REPORT_BYTES, "9007199254740993KiB", REFUSED, NULL},
        {SETTING_MAX_REPORT_BYTES, "17179869185GiB", REFUSED, NULL}, /* 2^64 and 1 GiB */
        {SETTING_RETENTION_SUPERSEDED, "off", -1, "off"},
        {SETTING_RETENTION_SUPERSEDED, "0", 0, "0"},
        {SETTING_RETENTION_SUPERSEDED, "0d", 0, "0"},
        {SETTING_RETENTION_SUPERSEDED, "90d", INT64_C(90) * 86400000, "90d"},
        {SETTING_RETENTION_SUPERSEDED, "36h", INT64_C(36) * 3600000, "36h"},
        {SETTING_RETENTION_SUPERSEDED, "48h", INT64_C(48) * 3600000, "2d"},
        {SETTING_RETENTION_SUPERSEDED, "90m", 90 * 60000, "90m"},
        {SETTING_RETENTION_SUPERSEDED, "5s", 5000, "5s"},
        {SETTING_RETENTION_SUPERSEDED, "30", REFUSED, NULL}, /* days? seconds? */
        {SETTING_RETENTION_SUPERSEDED, "-1d", REFUSED, NULL},
        {SETTING_RETENTION_SUPERSEDED, "36501d", REFUSED, NULL},
        {SETTING_RETENTION_SUPERSEDED, "OFF", REFUSED, NULL},
        {SETTING_RETENTION_UNSEEN, "0", REFUSED, NULL},
        {SETTING_ACCESS_LOG, "true", 1, "true"},
        {SETTING_ACCESS_LOG, "Yes", 1, "true"},
        {SETTING_ACCESS_LOG, "on", 1, "true"},
        {SETTING_ACCESS_LOG, "false", 0, "false"},
        {SETTING_ACCESS_LOG, "no", 0, "false"},
        {SETTING_ACCESS_LOG, "OFF", 0, "false"},
        {SETTING_ACCESS_LOG, "1", REFUSED, NULL},
        {SETTING_ACCESS_LOG, "", REFUSED, NULL},
        {SETTING_LOG_LEVEL, "error", 0, "error"},
        {SETTING_LOG_LEVEL, "debug", 3, "debug"},
        {SETTING_LOG_LEVEL, "Debug", REFUSED, NULL},
        {SETTING_LOG_FORMAT, "json", 1, "json"},
        {SETTING_DOMAIN, "a b", 3, "a b"},
        {SETTING_DOMAIN, "", REFUSED, NULL},
        {SETTING_DOMAIN, "\"careen\"", REFUSED, NULL},
        {SETTING_TLS_KEY, "", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_value(&cases[i]);
}

static void messages_have_value_and_rule(void **state)
{
    struct setting_value value = {0};
    struct err err = {0};

    (void)state;
    setting_parse(&settings_table[SETTING_LOG_KEEP_DAYS], "careen.conf, line 12: log_keep_days",
        SLICE("abc"), &value, &err);
    assert_string_equal(
        err.message, "careen.conf, line 12: log_keep_days must be 1-36500, not \"abc\"");
    setting_parse(&settings_table[SETTING_THREADS], "--threads", SLICE("0"), &value, &err);
    assert_string_equal(err.message, "--threads must be 1-256 or auto, not \"0\"");
    setting_parse(
        &settings_table[SETTING_LOG_FORMAT], "CAREEN_LOG_FORMAT", SLICE("xml"), &value, &err);
    assert_string_equal(err.message, "CAREEN_LOG_FORMAT must be logfmt or json, not \"xml\"");
}

/* --- Files ------------------------------------------------------------------------------------ */

struct seen {
    char text[4096];
    const char *stop_at; /* refuse this name */
};

static int note(void *ctx, const char *name, const char *value, unsigned line, struct err *err)
{
    struct seen *seen = ctx;
    size_t used = strlen(seen->text);

    if (seen->stop_at && strcmp(name, seen->stop_at) == 0)
        return err_set(err, ERR_USAGE, "stopped at %s", name);
    snprintf(seen->text + used, sizeof(seen->text) - used, "%u:%s=<%s>;", line, name, value);
    return 0;
}

/* What the file says, or the message. */
static const char *parse(struct slice file, struct seen *seen)
{
    static struct err err;
    FILE *open = fmemopen((void *)(uintptr_t)file.ptr, file.len, "r");
    int failed;

    assert_non_null(open);
    err = (struct err){0};
    seen->text[0] = '\0';
    failed = settings_file_parse(open, "f", note, seen, &err);
    fclose(open);
    return failed ? err.message : seen->text;
}

static void files(void **state)
{
    static const char neither[] = "f, line 2: it is neither NAME = VALUE nor a comment";
    static const char control[] =
        "f, line 1: there are control characters in it, or it is not UTF-8";
    static const char sections[] = "f, line 3: there are no sections in this file: remove [...]";
    static const struct {
        struct slice file;
        const char *result;
    } cases[] = {
        {SLICE_INIT("\n"), ""},
        {SLICE_INIT("a=1"), "1:a=<1>;"},
        {SLICE_INIT("# c\n; c = d\n\n a\t=\t1 2 \r\n"), "4:a=<1 2>;"},
        {SLICE_INIT("\xef\xbb\xbf"
                    "a = 1\n"),
            "1:a=<1>;"},
        {SLICE_INIT("a = b=c:d\nl=[::1]:80\n"), "1:a=<b=c:d>;2:l=<[::1]:80>;"},
        {SLICE_INIT("a =\nb = 1 ; why\nc = x;y # z\n"), "1:a=<>;2:b=<1>;3:c=<x;y # z>;"},
        {SLICE_INIT("a = 1\n  b = 2\n\tc = 3\n"), "1:a=<1>;2:b=<2>;3:c=<3>;"}, /* not continued */
        {SLICE_INIT("a = 1\na\n"), neither},
        {SLICE_INIT("a = 1\na: 1\n"), neither},
        {SLICE_INIT("a = 1\nlisten :80 = 1\n"), neither},
        {SLICE_INIT("a = 1\nb ; = 1\nc = 1\n"), neither},
        {SLICE_INIT("a = 1\n\n[server]\n"), sections},
        {SLICE_INIT("a = \x1b[1m\n"), control},
        {SLICE_INIT("a = \xff\n"), control},
        {SLICE_INIT("a\0 = b\n"), control},
    };
    struct seen seen = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(parse(cases[i].file, &seen), cases[i].result);
    seen.stop_at = "b";
    assert_string_equal(parse(SLICE("a = 1\nb = 2\nc = 3\n"), &seen), "stopped at b");
    assert_string_equal(seen.text, "1:a=<1>;");
}

static void files_have_limits(void **state)
{
    static char text[LIMIT_SETTINGS_FILE_BYTES + 2];
    struct seen seen = {0};

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "# c\na = ", 8);
    text[4 + 199] = '\n';
    assert_non_null(strstr(parse((struct slice){text, 204}, &seen), "2:a=<xxx"));
    text[4 + 199] = 'x';
    text[4 + 200] = '\n';
    assert_string_equal(parse((struct slice){text, 205}, &seen),
        "f, line 2 is longer than 199 bytes: give the value in the environment or as a flag");
    memset(text, '\n', sizeof(text));
    assert_string_equal(parse((struct slice){text, LIMIT_SETTINGS_FILE_BYTES}, &seen), "");
    assert_string_equal(parse((struct slice){text, LIMIT_SETTINGS_FILE_BYTES + 1}, &seen),
        "f is larger than the limit of 262144 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(values),
        cmocka_unit_test(messages_have_value_and_rule),
        cmocka_unit_test(files),
        cmocka_unit_test(files_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
