/* SPDX-License-Identifier: Apache-2.0 */
/* Settings from all their sources, each over the one before: defaults, file, environment, flags. */
#include "cli/settings.h"

#include "base/bug.h"
#include "cli/settings_file.h"
#include "http/proxies.h"
#include "http/tls.h"

enum { NAME_BYTES = 64, WHERE_BYTES = 300 };

/* --- Names ------------------------------------------------------------------------------------ */

/* "max_report_bytes" as "CAREEN_MAX_REPORT_BYTES". */
static void variable_name(const char *name, char dst[NAME_BYTES])
{
    snprintf(dst, NAME_BYTES, "CAREEN_%s", name);
    for (char *c = dst; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
}

/* "max_report_bytes" as "max-report-bytes". */
static const char *dashed(const char *name, char dst[NAME_BYTES])
{
    snprintf(dst, NAME_BYTES, "%s", name);
    for (char *c = dst; *c; c++)
        if (*c == '_')
            *c = '-';
    return dst;
}

static int find_setting(const char *name)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        if (strcmp(settings_table[id].name, name) == 0)
            return id;
    return -1;
}

/* How many characters must be put in, left out or replaced to make b of a (Levenshtein). */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[NAME_BYTES + 1];

    for (size_t i = 0; i <= b.len; i++)
        row[i] = i;
    for (size_t i = 0; i < a.len; i++) {
        size_t corner = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            size_t replaced = corner + (a.ptr[i] != b.ptr[j]);

            corner = row[j + 1];
            row[j + 1] = corner < row[j] ? corner + 1 : row[j] + 1;
            if (replaced < row[j + 1])
                row[j + 1] = replaced;
        }
    }
    return row[b.len];
}

static const char *nearest(const char *name)
{
    const struct slice given = slice_sub(slice_of(name), 0, NAME_BYTES);
    size_t best = 0, least = SIZE_MAX;

    for (size_t id = 0; id < SETTING_COUNT; id++) {
        size_t away = distance(given, slice_of(settings_table[id].name));

        if (away < least) {
            least = away;
            best = id;
        }
    }
    return settings_table[best].name;
}

/* --- Sources ---------------------------------------------------------------------------------- */

static int set(
    struct settings *settings, size_t id, const char *where, const char *text, struct err *err)
{
    return setting_parse(&settings_table[id], where, slice_of(text), &settings->at[id], err);
}

static int take_defaults(struct settings *settings, struct err *err)
{
    for (size_t id = 0; id < SETTING_COUNT; id++)
        if (set(settings, id, settings_table[id].name, settings_table[id].otherwise, err) < 0)
            return -1;
    return 0;
}

struct file_reading {
    struct settings *settings;
    const char *path;
    unsigned lines[SETTING_COUNT]; /* where each stands; 0: nowhere yet */
};

static int take_line(void *ctx, const char *name, const char *value, unsigned line, struct err *err)
{
    struct file_reading *reading = ctx;
    char where[WHERE_BYTES];
    int id = find_setting(name);

    if (id < 0)
        return err_set(err, ERR_USAGE, "%s, line %u: there is no setting %s; did you mean %s?",
            reading->path, line, name, nearest(name));
    if (reading->lines[id])
        return err_set(err, ERR_USAGE, "%s, line %u: %s is set in line %u already", reading->path,
            line, name, reading->lines[id]);
    reading->lines[id] = line;
    snprintf(where, sizeof(where), "%s, line %u: %s", reading->path, line, name);
    return set(reading->settings, (size_t)id, where, value, err);
}

static int take_environment(struct settings *settings, struct err *err)
{
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        char name[NAME_BYTES];
        const char *value;

        variable_name(settings_table[id].name, name);
        value = getenv(name);
        if (value && *value && set(settings, id, name, value, err) < 0)
            return -1;
    }
    return 0;
}

static int take_flag(
    struct settings *settings, enum setting_id id, const struct cli_args *flags, struct err *err)
{
    const struct setting *setting = &settings_table[id];
    char flag[NAME_BYTES], negation[NAME_BYTES], where[NAME_BYTES + 3];
    const char *value;

    dashed(setting->name, flag);
    snprintf(where, sizeof(where), "--%s", id == SETTING_DATA_DIR ? "data" : flag);
    if (id == SETTING_DATA_DIR)
        value = flags->data_given ? flags->data_dir : NULL;
    else
        value = cli_value(flags, flag);
    if (setting->negation && cli_given(flags, dashed(setting->negation, negation))) {
        if (value)
            return err_set(err, ERR_USAGE, "--%s and --%s are given both", flag, negation);
        value = "false";
    }
    return value ? set(settings, id, where, value, err) : 0;
}

static int take_flags(struct settings *settings, const struct cli_args *flags, struct err *err)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        if (take_flag(settings, (enum setting_id)id, flags, err) < 0)
            return -1;
    return 0;
}

/* --- All of them ------------------------------------------------------------------------------ */

static int check_pair(
    const struct settings *settings, enum setting_id one, enum setting_id other, struct err *err)
{
    if (!*settings_text(settings, one) || *settings_text(settings, other))
        return 0;
    return err_set(err, ERR_USAGE, "%s is set (\"%s\"), but %s is not: set both, or none",
        settings_table[one].name, settings_text(settings, one), settings_table[other].name);
}

static int read_all(const struct settings_sources *from, struct settings *settings, struct err *err)
{
    struct file_reading reading = {.settings = settings, .path = from->file};

    if (take_defaults(settings, err) < 0 ||
        (from->file && settings_file_read(from->file, take_line, &reading, err) < 0) ||
        (from->environment && take_environment(settings, err) < 0) ||
        (from->flags && take_flags(settings, from->flags, err) < 0) ||
        check_pair(settings, SETTING_TLS_CERTIFICATE, SETTING_TLS_KEY, err) < 0)
        return -1;
    return check_pair(settings, SETTING_TLS_KEY, SETTING_TLS_CERTIFICATE, err);
}

int settings_read(const struct settings_sources *from, struct settings *ret, struct err *err)
{
    struct settings settings = {0};

    if (read_all(from, &settings, err) < 0) {
        settings_release(&settings);
        return -1;
    }
    *ret = settings;
    return 0;
}

int settings_check(const struct settings *settings, struct err *err)
{
    const char *certificate = settings_text(settings, SETTING_TLS_CERTIFICATE);
    struct proxies *proxies = proxies_parse(settings_text(settings, SETTING_TRUSTED_PROXIES), err);
    struct tls_info info;

    if (!proxies)
        return err_prefix(err, "trusted_proxies");
    proxies_free(proxies);
    if (!*certificate)
        return 0;
    return tls_check(certificate, settings_text(settings, SETTING_TLS_KEY), &info, err);
}

void settings_release(struct settings *settings)
{
    for (size_t id = 0; id < SETTING_COUNT; id++)
        free(settings->at[id].text);
    *settings = (struct settings){0};
}

struct settings_sources settings_sources_of(const struct cli_args *args)
{
    const char *file = cli_value(args, "config");

    if (!file) {
        file = getenv("CAREEN_CONFIG");
        if (file && !*file)
            file = NULL;
    }
    return (struct settings_sources){.file = file, .environment = true, .flags = args};
}

const char *settings_text(const struct settings *settings, enum setting_id id)
{
    BUG_ON(settings_table[id].kind != KIND_TEXT);
    return settings->at[id].text;
}

int64_t settings_number(const struct settings *settings, enum setting_id id)
{
    BUG_ON(settings_table[id].kind == KIND_TEXT);
    return settings->at[id].number;
}

bool settings_same(const struct settings *a, const struct settings *b, enum setting_id id)
{
    return settings_table[id].kind == KIND_TEXT ? strcmp(a->at[id].text, b->at[id].text) == 0
                                                : a->at[id].number == b->at[id].number;
}

void settings_each_option(settings_option_fn add, void *ctx)
{
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];

        if (id == SETTING_DATA_DIR)
            continue; /* --data, of every command */
        add(ctx, setting->name, setting->kind == KIND_SWITCH ? "[=BOOL]" : setting->value,
            setting->option_help);
        if (setting->negation)
            add(ctx, setting->negation, NULL, "the other way round");
    }
}
