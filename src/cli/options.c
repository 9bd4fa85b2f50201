/* SPDX-License-Identifier: Apache-2.0 */
/* A command's options: gathered from its own table and the tables of parameters, parsed, and read.
 */
#include "cli/options.h"

#include "base/bug.h"
#include "cli/settings.h"

#include <stdarg.h>

int cli_usage(const char *command, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "careen%s%s: ", command ? " " : "", command ? command : "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see: careen%s%s --help\n", command ? " " : "", command ? command : "");
    return EXIT_USAGE;
}

bool cli_is_option(const char *argument, const char *name, const char **ret_value)
{
    size_t len = strlen(name);
    const char *body = name[1] ? argument + 2 : argument + 1;

    if (strncmp(argument, name[1] ? "--" : "-", name[1] ? 2 : 1) != 0 ||
        strncmp(body, name, len) != 0 || (body[len] != '\0' && body[len] != '='))
        return false;
    *ret_value = body[len] == '=' ? body + len + 1 : NULL;
    return true;
}

struct parse {
    const struct command *command;
    struct cli_args *args;
    char **argv;
    int argc, at;
    bool help;
};

static const char *dashes(const char *name)
{
    return name[1] ? "--" : "-";
}

static bool is_list(const struct cli_option *option)
{
    return option->value && slice_ends_with(slice_of(option->value), "...");
}

/* Takes the value of the option at parse->at. 0 or EXIT_USAGE. */
static int take_value(
    struct parse *parse, const char *name, const char *inline_value, bool again, const char **ret)
{
    if (*ret && !again)
        return cli_usage(parse->command->name, "%s%s is given twice", dashes(name), name);
    if (!inline_value && parse->at + 1 >= parse->argc)
        return cli_usage(parse->command->name, "%s%s needs a value", dashes(name), name);
    *ret = inline_value ? inline_value : parse->argv[++parse->at];
    return 0;
}

static int take_list(struct parse *parse, size_t at, const char *value)
{
    struct cli_args *args = parse->args;

    if (take_value(parse, args->options[at].name, value, true, &args->values[at]))
        return EXIT_USAGE;
    args->items[args->item_count++] = (struct cli_item){at, args->values[at]};
    return 0;
}

static int take_option(struct parse *parse, size_t at, const char *value)
{
    const struct cli_option *option = &parse->args->options[at];
    const char **ret = &parse->args->values[at];
    bool optional = option->value && option->value[0] == '[';

    if (is_list(option))
        return take_list(parse, at, value);
    if (option->value && !optional)
        return take_value(parse, option->name, value, false, ret);
    if (value && !optional)
        return cli_usage(parse->command->name, "--%s takes no value", option->name);
    if (*ret && optional)
        return cli_usage(parse->command->name, "--%s is given twice", option->name);
    *ret = value ? value : optional ? "true" : "";
    return 0;
}

/* "registry_type" as "registry-type". */
static void dashed(const char *param, char name[CLI_NAME_BYTES])
{
    snprintf(name, CLI_NAME_BYTES, "%s", param);
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = '-';
}

/* By its own name, or by its parameter's. */
static bool names_option(const struct cli_option *option, const char *argument, const char **value)
{
    char name[CLI_NAME_BYTES];

    if (cli_is_option(argument, option->name, value))
        return true;
    if (!option->param)
        return false;
    dashed(option->param, name);
    return cli_is_option(argument, name, value);
}

static int parse_option(struct parse *parse)
{
    const char *argument = parse->argv[parse->at], *value;
    struct cli_args *args = parse->args;

    if (cli_is_option(argument, "help", &value) || strcmp(argument, "-h") == 0) {
        parse->help = true;
        return 0;
    }
    if (cli_is_option(argument, "data", &value)) {
        args->data_dir = NULL;
        args->data_given = true;
        return take_value(parse, "data", value, false, &args->data_dir);
    }
    for (size_t i = 0; i < args->option_count; i++)
        if (names_option(&args->options[i], argument, &value))
            return take_option(parse, i, value);
    return cli_usage(parse->command->name, "there is no option %s", argument);
}

static int parse_arguments(struct parse *parse)
{
    bool only_words = false;

    for (; parse->at < parse->argc; parse->at++) {
        char *argument = parse->argv[parse->at];

        if (!only_words && strcmp(argument, "--") == 0) {
            only_words = true;
        } else if (!only_words && argument[0] == '-' && argument[1] != '\0') {
            int status = parse_option(parse);

            if (status)
                return status;
        } else {
            parse->args->words[parse->args->word_count++] = argument;
        }
    }
    return 0;
}

/* --- Options made from the tables of parameters ----------------------------------------------- */

static void add_option(struct cli_args *args, const struct cli_option *option)
{
    BUG_ON(args->option_count == CLI_OPTIONS_MAX);
    args->options[args->option_count++] = *option;
}

/* Shorter names where the parameter's is clumsy on a command line. */
static void add_param(struct cli_args *args, const char *param, const char *value, const char *help)
{
    char *name = args->names[args->option_count];
    bool multi_arch = strcmp(param, "is_multi_arch") == 0;

    if (strcmp(param, "enterprise_project_id") == 0)
        snprintf(name, CLI_NAME_BYTES, "enterprise-project");
    else if (strcmp(param, "enterprise_project_id_in") == 0)
        snprintf(name, CLI_NAME_BYTES, "enterprise-project-in");
    else if (multi_arch)
        snprintf(name, CLI_NAME_BYTES, "multi-arch");
    else
        dashed(param, name);
    add_option(args, &(struct cli_option){name, multi_arch ? "[=BOOL]" : value, help, param});
}

static void add_setting(void *ctx, const char *param, const char *value, const char *help)
{
    add_param(ctx, param, value, help);
}

static void gather_options(const struct command *command, struct cli_args *args)
{
    for (size_t i = 0; i < command->option_count; i++)
        add_option(args, &command->options[i]);
    for (size_t i = 0; i < PLACEMENT_PARAM_COUNT && command->tables & OPTIONS_PLACEMENT; i++)
        add_param(
            args, placement_params[i].name, placement_params[i].value, placement_params[i].help);
    for (size_t i = 0; i < AFFECTED_PARAM_COUNT; i++) {
        const struct affected_param *param = &affected_params[i];
        bool wanted =
            command->tables & OPTIONS_SCOPE ? param->scope : command->tables & OPTIONS_AFFECTED;

        if (wanted && strcmp(param->name, "vul_id") != 0)
            add_param(args, param->name, param->value, param->help);
    }
    if (command->tables & OPTIONS_SETTINGS)
        settings_each_option(add_setting, args);
}

int cli_parse(
    const struct command *command, struct cli_args *args, char **argv, int argc, bool *ret_help)
{
    struct parse parse = {.command = command, .args = args, .argv = argv, .argc = argc};
    int status;

    gather_options(command, args);
    status = parse_arguments(&parse);
    *ret_help = parse.help;
    return status;
}

/* --- Reading them ----------------------------------------------------------------------------- */

static size_t position_of(const struct cli_args *args, const char *name)
{
    size_t at = 0;

    while (at < args->option_count && strcmp(args->options[at].name, name) != 0)
        at++;
    BUG_ON(at == args->option_count);
    return at;
}

const char *cli_value(const struct cli_args *args, const char *name)
{
    return args->values[position_of(args, name)];
}

struct slice cli_slice(const struct cli_args *args, const char *name)
{
    return slice_of(cli_value(args, name));
}

bool cli_given(const struct cli_args *args, const char *name)
{
    return cli_value(args, name) != NULL;
}

int cli_list(const struct cli_args *args, const char *name, struct arena *arena, struct slice **ret,
    size_t *ret_count, struct err *err)
{
    size_t at = position_of(args, name), count = 0, cap = 0;
    struct slice *list = NULL;

    for (int i = 0; i < args->item_count; i++) {
        const char *rest = args->items[i].value;

        while (args->items[i].option == at && rest) {
            const char *comma = strchrnul(rest, ',');

            list = arena_grow(arena, list, count, &cap, sizeof(*list), err);
            if (!list)
                return -1;
            list[count] = (struct slice){rest, (size_t)(comma - rest)};
            if (list[count++].len == 0)
                return err_set(err, ERR_USAGE, "--%s has an empty element: \"%s\"", name,
                    args->items[i].value);
            rest = *comma ? comma + 1 : NULL;
        }
    }
    *ret = list;
    *ret_count = count;
    return 0;
}

/* Parameters in an array that grows. */
struct given {
    struct arena *arena;
    struct query_params params;
    size_t cap;
};

static int give(struct given *given, const char *name, struct slice value, struct err *err)
{
    struct query_params *params = &given->params;
    struct query_param *grown =
        arena_grow(given->arena, params->at, params->count, &given->cap, sizeof(*grown), err);

    if (!grown)
        return -1;
    params->at = grown;
    params->at[params->count++] = (struct query_param){slice_of(name), value};
    return 0;
}

static int give_list(
    struct given *given, const struct cli_args *args, size_t option, struct err *err)
{
    struct slice *list;
    size_t count;

    if (cli_list(args, args->options[option].name, given->arena, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (give(given, args->options[option].param, list[i], err) < 0)
            return -1;
    return 0;
}

int cli_affected_request(const struct cli_args *args, const char *vul_id, struct arena *arena,
    struct affected_request *ret, struct err *err)
{
    struct given given = {.arena = arena};

    for (size_t i = 0; i < args->option_count; i++) {
        const struct cli_option *option = &args->options[i];

        if (!option->param || !args->values[i])
            continue;
        if (is_list(option) ? give_list(&given, args, i, err) < 0
                            : give(&given, option->param, slice_of(args->values[i]), err) < 0)
            return -1;
    }
    if (vul_id && give(&given, "vul_id", slice_of(vul_id), err) < 0)
        return -1;
    return affected_parse(&given.params, false, arena, ret, err);
}

int cli_placement(const struct cli_args *args, struct placement_request *ret, struct err *err)
{
    placement_request_init(ret);
    for (size_t i = 0; i < args->option_count; i++)
        if (args->options[i].param && args->values[i] &&
            placement_take(ret, slice_of(args->options[i].param), slice_of(args->values[i]), err) <
                0)
            return -1;
    return placement_check(&ret->place, err);
}
