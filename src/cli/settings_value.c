/* SPDX-License-Identifier: Apache-2.0 */
/* Values of settings: read, written, and the rules as they are told. */
#include "cli/settings.h"

#include "base/bug.h"

struct unit {
    const char *name;
    int64_t factor;
};
/* Largest first. */
static const struct unit size_units[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};
static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};
enum { UNITS = 4 };

static const struct unit *units_of(const struct setting *setting)
{
    static const struct unit none[UNITS] = {{"", 1}, {"", 1}, {"", 1}, {"", 1}};

    return setting->kind == KIND_SIZE       ? size_units
           : setting->kind == KIND_DURATION ? duration_units
                                            : none;
}

/* --- Rules ------------------------------------------------------------------------------------ */

static void print_number(const struct setting *setting, int64_t number, char *dst, size_t cap)
{
    const struct unit *unit = units_of(setting), *end = unit + UNITS;

    while (unit < end - 1 && (number == 0 || number % unit->factor))
        unit++;
    if (number == 0)
        snprintf(dst, cap, "0");
    else
        snprintf(dst, cap, "%lld%s", (long long)(number / unit->factor), unit->name);
}

char *setting_rule(const struct setting *setting, char dst[SETTING_TEXT_BYTES])
{
    char low[32], high[32], words[128];
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
        print_number(setting, setting->low, low, sizeof(low));
        print_number(setting, setting->high, high, sizeof(high));
        snprintf(dst, SETTING_TEXT_BYTES, "%s-%s (a number and s, m, h or d)%s%s", low, high, plus,
            word);
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

/* Digits and one of the units; a duration of 0 needs none. */
static bool read_number(const struct setting *setting, struct slice text, int64_t *ret)
{
    const struct unit *units = units_of(setting);
    size_t digits = 0;
    uint64_t number;

    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!slice_to_u64(slice_sub(text, 0, digits), &number) || number > INT64_MAX)
        return false;
    *ret = (int64_t)number;
    if (setting->kind == KIND_DURATION && number == 0 && digits == text.len)
        return true;
    for (size_t i = 0; i < UNITS; i++)
        if (slice_is(slice_skip(text, digits), units[i].name))
            return !__builtin_mul_overflow(*ret, units[i].factor, ret);
    return false;
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
        if (setting->word && slice_is(text, setting->word)) {
            *ret = setting->word_number;
            return true;
        }
        return read_number(setting, text, ret) && *ret >= setting->low && *ret <= setting->high;
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
        print_number(setting, value->number, dst, SETTING_TEXT_BYTES);
    return dst;
}
