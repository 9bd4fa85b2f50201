/* SPDX-License-Identifier: Apache-2.0 */
/* Values of settings: read, written, and the rules as they are told. */
#include "cli/settings.h"

#include "base/bug.h"
#include "base/when.h"

/* Of sizes, the largest first. */
static const struct unit {
    const char *name;
    int64_t bytes;
} units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};
enum { UNITS = sizeof(units) / sizeof(units[0]) };

/* --- Rules ------------------------------------------------------------------------------------ */

char *setting_rule(const struct setting *setting, char dst[SETTING_TEXT_BYTES])
{
    char low[WHEN_DURATION_BYTES], high[WHEN_DURATION_BYTES], words[128];
    const char *plus = setting->word ? " or " : "", *word = setting->word ? setting->word : "";

    switch (setting->kind) {
    case KIND_NUMBER:
        snprintf(dst, SETTING_TEXT_BYTES, "%lld-%lld%s%s", (long long)setting->low,
            (long long)setting->high, plus, word);
        break;
    case KIND_SIZE:
        snprintf(dst, SETTING_TEXT_BYTES, "%lld-%lld bytes, or such as 64KiB, 64MiB, 4GiB",
            (long long)setting->low, (long long)setting->high);
        break;
    case KIND_DURATION:
        snprintf(dst, SETTING_TEXT_BYTES, "%s-%s (a number and s, m, h or d)%s%s",
            when_duration_format(setting->low, low), when_duration_format(setting->high, high),
            plus, word);
        break;
    case KIND_SWITCH:
        snprintf(dst, SETTING_TEXT_BYTES, "true or false");
        break;
    case KIND_CHOICE:
        snprintf(dst, SETTING_TEXT_BYTES, "%s", words_list(setting->choices, words, sizeof(words)));
        break;
    case KIND_TEXT:
    default:
        snprintf(dst, SETTING_TEXT_BYTES, "%lld-%lld bytes of text, without quotes around it",
            (long long)setting->low, (long long)setting->high);
        break;
    }
    return dst;
}

static int refuse(
    const struct setting *setting, const char *where, struct slice text, struct err *err)
{
    char rule[SETTING_TEXT_BYTES];

    return err_set(err, ERR_USAGE, "%s must be %s, not \"%.*s\"", where,
        setting_rule(setting, rule), SLICE_FMT(slice_sub(text, 0, 200)));
}

/* --- Reading ---------------------------------------------------------------------------------- */

static bool read_size(struct slice text, int64_t *ret)
{
    size_t digits = 0;
    uint64_t number;

    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!slice_to_u64(slice_sub(text, 0, digits), &number) || number > INT64_MAX)
        return false;
    for (size_t i = 0; i < UNITS; i++)
        if (slice_is(slice_skip(text, digits), units[i].name))
            return !__builtin_mul_overflow((int64_t)number, units[i].bytes, ret);
    return false;
}

static bool read_age(struct slice text, int64_t *ret)
{
    struct err err;

    return when_age(text, ret, &err) == 0;
}

static bool read_number(struct slice text, int64_t *ret)
{
    uint64_t number;

    if (!slice_to_u64(text, &number) || number > INT64_MAX)
        return false;
    *ret = (int64_t)number;
    return true;
}

/* Within the range, or the word that stands for one more. */
static bool read_amount(const struct setting *setting, struct slice text, int64_t *ret)
{
    bool (*how)(struct slice, int64_t *) = setting->kind == KIND_SIZE       ? read_size
                                           : setting->kind == KIND_DURATION ? read_age
                                                                            : read_number;

    if (setting->word && slice_is(text, setting->word)) {
        *ret = setting->word_number;
        return true;
    }
    return how(text, ret) && *ret >= setting->low && *ret <= setting->high;
}

static bool read_switch(struct slice text, int64_t *ret)
{
    static const char *const names[] = {"false", "true", "no", "yes", "off", "on"};
    static const struct words switches = {"a switch", names, 6};
    int found = words_find_nocase(&switches, text);

    *ret = found & 1;
    return found >= 0;
}

static bool read(const struct setting *setting, struct slice text, int64_t *ret)
{
    switch (setting->kind) {
    case KIND_SWITCH:
        return read_switch(text, ret);
    case KIND_CHOICE:
        *ret = words_find(setting->choices, text);
        return *ret >= 0;
    case KIND_TEXT:
        *ret = (int64_t)text.len;
        return *ret >= setting->low && *ret <= setting->high && !memchr(text.ptr, '\0', text.len) &&
               !(slice_starts_with(text, "\"") && slice_ends_with(text, "\""));
    case KIND_NUMBER:
    case KIND_SIZE:
    case KIND_DURATION:
    default:
        return read_amount(setting, text, ret);
    }
}

int setting_parse(const struct setting *setting, const char *where, struct slice text,
    struct setting_value *ret, struct err *err)
{
    struct setting_value value = {0};

    if (!read(setting, text, &value.number))
        return refuse(setting, where, text, err);
    if (setting->kind == KIND_TEXT) {
        value.text = strndup(text.len ? text.ptr : "", text.len);
        if (!value.text)
            return err_nomem(err);
    }
    free(ret->text);
    *ret = value;
    return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static void print_amount(
    const struct setting *setting, int64_t number, char dst[SETTING_TEXT_BYTES])
{
    bool scaled = setting->kind == KIND_SIZE && number != 0;
    const struct unit *unit = scaled ? units : units + UNITS - 1;

    while (number % unit->bytes != 0)
        unit++;
    if (setting->kind == KIND_DURATION)
        when_duration_format(number, dst);
    else
        snprintf(dst, SETTING_TEXT_BYTES, "%lld%s", (long long)(number / unit->bytes), unit->name);
}

char *setting_print(
    const struct setting *setting, const struct setting_value *value, char dst[SETTING_TEXT_BYTES])
{
    if (setting->kind == KIND_TEXT)
        snprintf(dst, SETTING_TEXT_BYTES, "%s", value->text);
    else if (setting->kind == KIND_SWITCH)
        snprintf(dst, SETTING_TEXT_BYTES, "%s", value->number ? "true" : "false");
    else if (setting->kind == KIND_CHOICE)
        snprintf(dst, SETTING_TEXT_BYTES, "%s", words_name(setting->choices, (int)value->number));
    else if (setting->word && value->number == setting->word_number)
        snprintf(dst, SETTING_TEXT_BYTES, "%s", setting->word);
    else
        print_amount(setting, value->number, dst);
    return dst;
}
