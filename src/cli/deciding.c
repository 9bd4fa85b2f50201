/* SPDX-License-Identifier: Apache-2.0 */
/* See deciding.h: reading the command line, and doing what it says. */
#include "cli/deciding.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/utf8.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

/* The name of whoever runs this: the operating system's, else "uid 1000". One whose name cannot be
 * looked up just now is not written into a history that is kept for ever. */
static int find_author(char ret[AUTHOR_BYTES], struct err *err)
{
    const struct passwd *user;

    errno = 0;
    user = getpwuid(getuid());
    if (!user && (errno == ENOMEM || errno == EIO || errno == EMFILE || errno == ENFILE))
        return err_set_errno(err, "cannot look up the name of user %u", (unsigned)getuid());
    if (user && *user->pw_name && utf8_is_line(slice_of(user->pw_name)))
        snprintf(ret, AUTHOR_BYTES, "%s", user->pw_name);
    else
        snprintf(ret, AUTHOR_BYTES, "uid %u", (unsigned)getuid());
    return 0;
}

/* A text of one line that a decision keeps. */
static int check_text(const char *what, struct slice text, size_t max_chars, struct err *err)
{
    if (text.len == 0)
        return err_set(err, ERR_USAGE, "%s is empty", what);
    if (!utf8_is_line(text))
        return err_set(
            err, ERR_USAGE, "%s must be one line of UTF-8 without control characters", what);
    if (utf8_count(text) > max_chars)
        return err_set(err, ERR_USAGE, "%s is longer than %zu characters", what, max_chars);
    return 0;
}

int deciding_start(struct deciding_line *line, const struct cli_args *args, const char *command,
    enum decision_action action, struct err *err)
{
    *line = (struct deciding_line){.args = args,
        .command = command,
        .dry_run = cli_given(args, "dry-run"),
        .request = {.action = action, .handled = -1, .type = -1, .image_type = -1}};
    arena_init(&line->arena, "the decision", 256UL << 20);
    if (find_author(line->author, err) < 0)
        return -1;
    line->deciding.author = slice_of(line->author);
    line->deciding.reason = cli_slice(args, "reason");
    if (cli_given(args, "reason") &&
        check_text("--reason", line->deciding.reason, LIMIT_REMARK_CHARS, err) < 0)
        return -1;
    return cli_format(args, 1u << FORMAT_TABLE | 1u << FORMAT_JSON, &line->format, err);
}

void deciding_finish(struct deciding_line *line)
{
    fleet_close(line->fleet);
    arena_release(&line->arena);
}

/* --- What it is about ------------------------------------------------------------------------- */

/* The word of an option, or -1 when it is not given. */
static int read_word(const struct cli_args *args, const char *name, const struct words *words,
    int *ret, struct err *err)
{
    char list[128];

    *ret = -1;
    if (!cli_given(args, name))
        return 0;
    *ret = words_find(words, cli_slice(args, name));
    if (*ret < 0)
        return err_set(err, ERR_USAGE, "--%s must be %s, not \"%s\"", name,
            words_list(words, list, sizeof(list)), cli_value(args, name));
    return 0;
}

static int read_vuls(struct deciding_line *line, struct err *err)
{
    size_t count = (size_t)line->args->word_count;
    struct slice *vuls = arena_alloc_array(&line->arena, count + 1, sizeof(*vuls), err);

    if (!vuls)
        return -1;
    for (size_t i = 0; i < count; i++) {
        vuls[i] = slice_of(line->args->words[i]);
        if (check_text("a VUL_ID", vuls[i], LIMIT_ID_CHARS, err) < 0)
            return -1;
    }
    line->request.vuls = vuls;
    line->request.vul_count = count;
    return 0;
}

int deciding_selector(struct deciding_line *line, struct err *err)
{
    struct decision_request *request = &line->request;

    request->package = cli_slice(line->args, "package");
    if (cli_given(line->args, "package") &&
        check_text("--package", request->package, LIMIT_NAME_CHARS, err) < 0)
        return -1;
    if (line->args->word_count == 0 && request->package.len == 0)
        return err_set(err, ERR_USAGE,
            "say which vulnerability, by VUL_ID, or with --package any of that package");
    if (read_word(line->args, "type", &vul_type_words, &request->type, err) < 0)
        return -1;
    return read_vuls(line, err);
}

/* --- Where ------------------------------------------------------------------------------------ */

int deciding_images(struct deciding_line *line, struct err *err)
{
    unsigned char bytes[IMAGE_ID_BYTES];
    struct slice *list;
    size_t count;

    if (cli_list(line->args, "image", &line->arena, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!image_id_bytes(list[i], bytes))
            return err_set(err, ERR_USAGE,
                "--image must be an image id, as careen images list prints it, not \"%.*s\"",
                SLICE_FMT(list[i]));
    line->request.scope = DECISION_IMAGES;
    line->request.image_ids = list;
    line->request.image_count = count;
    return 0;
}

static int read_enterprise_projects(struct deciding_line *line, struct err *err)
{
    struct slice *list;
    size_t count;

    if (cli_list(line->args, "enterprise-project", &line->arena, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (check_text("--enterprise-project", list[i], LIMIT_ID_CHARS, err) < 0)
            return -1;
        if (slice_is(list[i], "all_granted_eps"))
            return err_set(err, ERR_USAGE, "leave --enterprise-project out to mean all of them");
    }
    line->deciding.enterprise_projects = list;
    line->deciding.enterprise_project_count = count;
    return 0;
}

int deciding_scope(struct deciding_line *line, struct err *err)
{
    static const struct {
        const char *option;
        enum decision_scope scope;
    } places[] = {{"repository", DECISION_REPOSITORY}, {"registry-name", DECISION_REGISTRY},
        {"cluster-id", DECISION_CLUSTER}, {"image", DECISION_IMAGES}};
    struct decision_request *request = &line->request;
    const char *chosen = NULL;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!cli_given(line->args, places[i].option))
            continue;
        if (chosen)
            return err_set(err, ERR_USAGE,
                "--%s and --%s exclude each other: a decision is about "
                "one place",
                chosen, places[i].option);
        chosen = places[i].option;
        request->scope = places[i].scope;
        request->place = cli_slice(line->args, chosen);
    }
    if (read_word(line->args, "image-type", &image_type_words, &request->image_type, err) < 0 ||
        read_enterprise_projects(line, err) < 0)
        return -1;
    if (!chosen)
        return 0;
    if (request->scope == DECISION_IMAGES) {
        request->place = SLICE_NONE;
        return deciding_images(line, err);
    }
    return check_text("the place", request->place, LIMIT_NAME_CHARS, err);
}

/* --- Doing it --------------------------------------------------------------------------------- */

static bool found_it(void *ctx, const struct image *image, const uint16_t counts[INDEX_CODES])
{
    bool *found = ctx;

    (void)image;
    (void)counts;
    *found = true;
    return false;
}

/* Images named are there: a decision about one that is not would be a slip of the fingers. */
static int check_images(const struct deciding_line *line, struct err *err)
{
    for (size_t i = 0; i < line->request.image_count; i++) {
        const struct index_scope scope = {.type = -1, .image_id = line->request.image_ids[i]};
        bool found = false;

        if (fleet_each_image(line->fleet, line->project, &scope, 0, found_it, &found, err) < 0)
            return -1;
        if (!found)
            return err_set(err, ERR_NOT_FOUND,
                "there is no image %.*s in this project; careen images list shows those there are",
                SLICE_FMT(scope.image_id));
    }
    return 0;
}

/* One walk says what would change, and, without --dry-run, the decision is made after it. */
static int decide(struct deciding_line *line, struct preview *preview,
    struct decision_outcome *outcome, struct err *err)
{
    if (line->dry_run)
        return fleet_preview_decision(line->fleet, line->project, &line->request, 1,
            &line->deciding, preview_take, preview, outcome, err);
    return fleet_decide(line->fleet, line->project, &line->request, 1, &line->deciding,
        line->command, outcome, err);
}

static void warn_of_nothing(
    const struct deciding_line *line, const struct decision_outcome *outcome)
{
    struct buf scope CLEANUP(buf_release) = BUF_INIT(4096);

    if (outcome->reached)
        return;
    deciding_write_scope(line, &scope);
    fprintf(stderr, "careen %s: nothing in %.*s has it now: is that right?\n", line->command,
        SLICE_FMT(buf_slice(&scope)));
}

int deciding_run(struct deciding_line *line, struct err *err)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 30);
    struct decision_outcome outcome = {0};
    struct preview *preview = NULL;
    bool said = false;
    int failed;

    line->fleet =
        cli_open(line->args, line->dry_run ? STORE_READ : STORE_WRITE, true, &line->project, err);
    if (!line->fleet || check_images(line, err) < 0 || deciding_warn(line, &said, err) < 0 ||
        (line->dry_run && preview_new(line, &preview, err) < 0))
        return -1;
    failed = decide(line, preview, &outcome, err);
    if (!failed) {
        if (!said)
            warn_of_nothing(line, &outcome);
        deciding_write(line, preview, &outcome, &out);
        failed = buf_check(&out, "the answer", err);
    }
    if (!failed && !cli_write(buf_slice(&out)))
        failed = err_set_errno(err, "cannot write the answer to standard output");
    preview_free(preview);
    ids_release(&outcome.numbers);
    return failed;
}
