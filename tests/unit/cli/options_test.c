/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, good and bad, and what commands read out of them. */
#include "unit.h"

#include "cli/options.h"

enum { WORDS_MAX = 12 };

static const struct cli_option own_options[] = {
    {.name = "project", .value = "ID", .help = ""},
    {.name = "all", .value = NULL, .help = ""},
    {.name = "o", .value = "FORMAT", .help = ""},
    {.name = "image", .value = "ID...", .help = ""},
};

static const struct command affected = {
    .name = "test", .options = own_options, .option_count = 4, .tables = OPTIONS_AFFECTED};
static const struct command import = {
    .name = "test", .options = own_options, .option_count = 4, .tables = OPTIONS_PLACEMENT};
static const struct command scoped = {
    .name = "test", .options = own_options, .option_count = 4, .tables = OPTIONS_SCOPE};

struct line {
    char text[512];
    char *argv[WORDS_MAX + 1];
    char *words[WORDS_MAX + 1];
    struct cli_item items[WORDS_MAX + 1];
    struct cli_args args;
    bool help;
};

/* Words are divided by blanks; "_" stands for an empty one. The exit status of parsing. */
static int parse(struct line *line, const struct command *command, const char *text)
{
    int argc = 0;
    char *rest = line->text, *word;

    *line = (struct line){.args = {.data_dir = "default"}};
    line->args.words = line->words;
    line->args.items = line->items;
    snprintf(line->text, sizeof(line->text), "%s", text);
    while ((word = strsep(&rest, " "))) {
        if (*word == '\0')
            continue;
        if (strcmp(word, "_") == 0)
            *word = '\0';
        assert_true(argc < WORDS_MAX);
        line->argv[argc++] = word;
    }
    return cli_parse(command, &line->args, line->argv, argc, &line->help);
}

static void parse_good(struct line *line, const struct command *command, const char *text)
{
    if (parse(line, command, text) != 0)
        fail_msg("refused: %s", text);
}

static void test_values(void **state)
{
    struct line line;

    (void)state;
    parse_good(&line, &affected, "--project p1 CVE-1 -o json --all");
    assert_string_equal(cli_value(&line.args, "project"), "p1");
    assert_string_equal(cli_value(&line.args, "o"), "json");
    assert_true(cli_given(&line.args, "all"));
    assert_int_equal(line.args.word_count, 1);
    assert_string_equal(line.args.words[0], "CVE-1");
    assert_string_equal(line.args.data_dir, "default");
    assert_false(line.help);

    parse_good(&line, &affected, "--project=p=1 -o=csv --data=/d");
    assert_string_equal(cli_value(&line.args, "project"), "p=1");
    assert_string_equal(cli_value(&line.args, "o"), "csv");
    assert_string_equal(line.args.data_dir, "/d");
    assert_false(cli_given(&line.args, "all"));
    assert_slice(cli_slice(&line.args, "all"), "");

    parse_good(&line, &affected, "--project _ --data d2");
    assert_true(cli_given(&line.args, "project"));
    assert_slice(cli_slice(&line.args, "project"), "");
    assert_string_equal(line.args.data_dir, "d2");
    parse_good(&line, &affected, "--project= -");
    assert_true(cli_given(&line.args, "project"));
    assert_string_equal(line.args.words[0], "-");
    parse_good(&line, &affected, "--project --all"); /* a value may look like an option */
    assert_string_equal(cli_value(&line.args, "project"), "--all");
    parse_good(&line, &affected, "a -- --project -o");
    assert_int_equal(line.args.word_count, 3);
    assert_string_equal(line.args.words[1], "--project");
    assert_string_equal(line.args.words[2], "-o");
}

/* The elements of --image with blanks between; "!" and the message when they are refused. */
static const char *images_of(const char *text)
{
    static char joined[1100];
    struct arena arena;
    struct slice *list;
    struct line line;
    struct err err = {0};
    size_t count, used = 0;

    arena_init(&arena, "the test", 1UL << 20);
    parse_good(&line, &affected, text);
    if (cli_list(&line.args, "image", &arena, &list, &count, &err) < 0) {
        assert_int_equal(err.code, ERR_USAGE);
        snprintf(joined, sizeof(joined), "!%s", err.message);
        count = 0;
    } else {
        joined[0] = '\0';
    }
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(
            joined + used, sizeof(joined) - used, "%s%.*s", i ? " " : "", SLICE_FMT(list[i]));
    arena_release(&arena);
    return joined;
}

static void test_lists(void **state)
{
    (void)state;
    assert_string_equal(images_of("--all"), "");
    assert_string_equal(images_of("--image a"), "a");
    assert_string_equal(
        images_of("--image a,b --all --image=c --project p --image d,e"), "a b c d e");
    assert_string_equal(images_of("--image a --image a"), "a a");
    assert_string_equal(images_of("--image _"), "!--image has an empty element: \"\"");
    assert_string_equal(images_of("--image a --image b,"), "!--image has an empty element: \"b,\"");
    assert_string_equal(images_of("--image ,"), "!--image has an empty element: \",\"");
}

static void test_help(void **state)
{
    struct line line;

    (void)state;
    parse_good(&line, &affected, "--help");
    assert_true(line.help);
    parse_good(&line, &affected, "x -h --all");
    assert_true(line.help && cli_given(&line.args, "all"));
    parse_good(&line, &affected, "-- --help");
    assert_false(line.help);
}

static void test_mistakes(void **state)
{
    static const char *const bad[] = {"--project", "--project a --project b", "-o a -o b",
        "--all=yes", "--nothing", "-x", "-ojson", "--o json", "-project x", "--projects x",
        "--proj x", "--data", "--image", "--image-name", "---all",
        "--registry-type a --registry-type b"};
    struct line line;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse(&line, &affected, bad[i]) != EXIT_USAGE)
            fail_msg("taken: %s", bad[i]);
}

/* The parameters of the call, by their short names and by their own with dashes. */
static void test_affected_params(void **state)
{
    struct line line;
    struct affected_request request;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, "a test", 1 << 20);
    parse_good(&line, &affected,
        "--enterprise-project e1 --image-type local --limit 20 --after= --project p --sort "
        "-severity");
    assert_ok(cli_affected_request(&line.args, "CVE-1", &arena, &request, &err));
    assert_slice(request.enterprise_project, "e1");
    assert_slice(request.query.vul_id, "CVE-1");
    assert_int_equal(request.query.q.limit, 20);
    assert_int_equal(request.query.q.scope.type, IMAGE_LOCAL);
    assert_int_equal(request.query.q.sort, INDEX_SORT_SEVERITY);
    assert_true(request.query.q.descending);
    assert_false(request.query.q.by_cursor);

    parse_good(&line, &affected, "--enterprise-project-id=e2 --is-handled t");
    assert_int_equal(cli_affected_request(&line.args, NULL, &arena, &request, &err), -1);
    assert_string_equal(err.message, "is_handled: must be true or false");
    assert_int_equal(
        parse(&line, &affected, "--vul-id CVE-1"), EXIT_USAGE); /* it is the argument */
    arena_release(&arena);
}

/* Parameters that take several values are lists, those that are flags need no value. */
static void test_affected_lists(void **state)
{
    struct line line;
    struct affected_request request;
    struct arena arena;
    struct err err = {0};

    (void)state;
    arena_init(&arena, "a test", 1 << 20);
    parse_good(&line, &affected,
        "--vul-id-in a,b --vul-id-in=c --running --only-latest=false --image-type-in "
        "cicd,local --enterprise-project-in e1,e2");
    assert_ok(cli_affected_request(&line.args, NULL, &arena, &request, &err));
    assert_int_equal(request.query.vul_ids.count, 3);
    assert_slice(request.query.vul_ids.at[1], "b");
    assert_slice(request.query.vul_ids.at[2], "c");
    assert_int_equal(request.enterprise_projects.count, 2);
    assert_int_equal(request.query.q.scope.types, 1 << IMAGE_CICD | 1 << IMAGE_LOCAL);
    assert_true(request.query.q.scope.running);
    assert_false(request.query.q.scope.only_latest);

    parse_good(&line, &affected, "--vul-id-in a,,b");
    assert_int_equal(cli_affected_request(&line.args, NULL, &arena, &request, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    arena_release(&arena);
}

/* Filters of images have those parameters alone that choose images. */
static void test_scope(void **state)
{
    static const char *const rows[] = {"limit", "offset", "type", "status", "repair-necessity",
        "is-handled", "after", "sort", "type-in", "status-in", "vul-id-in", "first-seen-since",
        "package-name", "include"};
    struct line line;
    char text[64];

    (void)state;
    parse_good(&line, &scoped, "--image-name nginx --cluster-id c --registry-name r --image-id i");
    assert_string_equal(cli_value(&line.args, "image-name"), "nginx");
    parse_good(&line, &scoped, "--only-latest --running --cluster-id-in c,d --image-type-in cicd");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), "--%s 10", rows[i]);
        assert_int_equal(parse(&line, &scoped, text), EXIT_USAGE);
    }
}

static void test_placement(void **state)
{
    struct line line;
    struct placement_request given;
    struct err err = {0};

    (void)state;
    parse_good(&line, &import,
        "--image-type cluster --cluster-id c1 --containers 3 --multi-arch --name a/b --version 2");
    assert_ok(cli_placement(&line.args, &given, &err));
    assert_int_equal(given.place.type, IMAGE_CLUSTER);
    assert_slice(given.place.cluster_id, "c1");
    assert_slice(given.place.enterprise_project, "0");
    assert_int_equal(given.place.containers, 3);
    assert_int_equal(given.place.multi_arch, 1);
    assert_slice(given.name, "a/b");
    assert_slice(given.version, "2");

    parse_good(&line, &import, "--multi-arch=false");
    assert_ok(cli_placement(&line.args, &given, &err));
    assert_int_equal(given.place.multi_arch, 0);
    assert_int_equal(given.place.type, IMAGE_LOCAL);
    parse_good(&line, &import, "--is-multi-arch=true");
    assert_ok(cli_placement(&line.args, &given, &err));
    assert_int_equal(given.place.multi_arch, 1);
    assert_int_equal(parse(&line, &import, "--multi-arch --multi-arch=false"), EXIT_USAGE);

    parse_good(&line, &import, "--image-type cluster"); /* needs a cluster */
    assert_int_equal(cli_placement(&line.args, &given, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    parse_good(&line, &import, "--containers -1");
    assert_int_equal(cli_placement(&line.args, &given, &err), -1);
    parse_good(&line, &import, "--enterprise-project _");
    assert_int_equal(cli_placement(&line.args, &given, &err), -1);
}

static void test_is_option(void **state)
{
    static const struct {
        const char *argument, *name, *value; /* "?": it is none */
    } cases[] = {
        {"--data", "data", NULL},
        {"--data=x", "data", "x"},
        {"--data=", "data", ""},
        {"--database", "data", "?"},
        {"-data", "data", "?"},
        {"data", "data", "?"},
        {"--dat", "data", "?"},
        {"-o", "o", NULL},
        {"-o=x", "o", "x"},
        {"--o", "o", "?"},
        {"-ox", "o", "?"},
        {"-", "data", "?"},
        {"-", "o", "?"},
        {"--", "data", "?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *value = "untouched";
        bool is = cli_is_option(cases[i].argument, cases[i].name, &value);

        assert_int_equal(is, !cases[i].value || *cases[i].value != '?');
        if (!is)
            assert_string_equal(value, "untouched");
        else if (cases[i].value)
            assert_string_equal(value, cases[i].value);
        else
            assert_null(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_affected_params),
        cmocka_unit_test(test_affected_lists),
        cmocka_unit_test(test_scope),
        cmocka_unit_test(test_placement),
        cmocka_unit_test(test_is_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
