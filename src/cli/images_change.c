/* SPDX-License-Identifier: Apache-2.0 */
/*
 * careen images rm | set: named images at once; images chosen by filters only with --yes, else they
 * are listed and nothing happens.
 */
#include "base/cleanup.h"
#include "cli/images.h"

static const struct cli_option options[] = {
    {"project", "ID", "the project; \"default\" if not given", NULL},
    {"yes", NULL, "do it; without, images chosen by filters are only listed", NULL},
};

struct changing {
    const struct cli_args *args;
    const char *command;
    const char *done, *would; /* "removed", "would be removed" */
    struct image_change change;
    bool set; /* else remove */
    const char *ids[1024];
    size_t id_count;
    struct fleet *fleet;
    uint32_t project;
};

static int change_one(struct changing *changing, const char *id, struct err *err)
{
    char new_id[UUID_TEXT_BYTES];
    int failed;

    if (!changing->set) {
        failed = fleet_remove_image(
            changing->fleet, changing->project, slice_of(id), "careen images rm", err);
    } else {
        failed = fleet_set_image(changing->fleet, changing->project, slice_of(id),
            &changing->change, "careen images set", new_id, err);
        if (!failed && strcmp(id, new_id) != 0)
            printf("%s is now %s\n", id, new_id);
    }
    return failed ? err_prefix(err, "image %s", id) : 0;
}

/* Changes `count` images, one after the other; says how many were done if one fails. */
static int change_each(struct changing *changing, const char *(*id_at)(const void *, size_t),
    const void *ids, size_t count, struct err *err)
{
    size_t done = 0;

    while (done < count && change_one(changing, id_at(ids, done), err) == 0)
        done++;
    if (done == count)
        printf("%zu images %s\n", done, changing->done);
    else if (done)
        printf("%zu images %s before that\n", done, changing->done);
    return done == count ? 0 : -1;
}

static const char *named_id(const void *ids, size_t at)
{
    const struct changing *changing = ids;

    return changing->ids[at];
}

static const char *chosen_id(const void *ids, size_t at)
{
    const struct choice *choice = ids;

    return choice->at[at].id;
}

static int preview(const struct changing *changing, const struct choice *choice, struct err *err)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 30);

    choice_write_table(choice, &out);
    if (choice->count)
        buf_printf(&out, "they %s; repeat with --yes to do it\n", changing->would);
    if (buf_check(&out, "the list", err) < 0)
        return -1;
    return cli_write(buf_slice(&out)) ? 0 : err_set_errno(err, "cannot write the list");
}

static int change_filtered(struct changing *changing, struct err *err)
{
    struct choice choice CLEANUP(choice_release);

    choice_init(&choice);
    if (choice_by_filter(&choice, changing->args, changing->fleet, changing->project, err) < 0)
        return -1;
    if (!cli_given(changing->args, "yes"))
        return preview(changing, &choice, err);
    return change_each(changing, chosen_id, &choice, choice.count, err);
}

static int run_change(struct changing *changing)
{
    struct err err = {0};
    bool filtered = choice_filtered(changing->args);
    int failed;

    if (filtered && changing->id_count)
        return cli_usage(changing->command, "give image ids or filters, not both");
    if (!filtered && changing->id_count == 0)
        return cli_usage(changing->command, "say which images: by id, or by filters");
    changing->fleet = cli_open(changing->args, STORE_WRITE, true, &changing->project, &err);
    if (!changing->fleet)
        return cli_fail(changing->command, &err);
    failed = filtered ? change_filtered(changing, &err)
                      : change_each(changing, named_id, changing, changing->id_count, &err);
    fleet_close(changing->fleet);
    return failed ? cli_fail(changing->command, &err) : EXIT_DONE;
}

static int add_id(struct changing *changing, const char *id)
{
    if (changing->id_count == sizeof(changing->ids) / sizeof(changing->ids[0]))
        return cli_usage(changing->command, "too many image ids; use filters");
    changing->ids[changing->id_count++] = id;
    return 0;
}

/* --- rm --------------------------------------------------------------------------------------- */

static int run_rm(const struct cli_args *args)
{
    struct changing changing = {
        .args = args, .command = "images rm", .done = "removed", .would = "would be removed"};

    for (int i = 0; i < args->word_count; i++)
        if (add_id(&changing, args->words[i]))
            return EXIT_USAGE;
    return run_change(&changing);
}

/* --- set -------------------------------------------------------------------------------------- */

/* "containers=3" */
static int take_assignment(struct placement_request *given, const char *word, struct err *err)
{
    struct slice value = slice_of(word), name = slice_pull_until(&value, '=');
    unsigned before = given->fields;

    given->fields = 0;
    if (placement_take(given, name, value, err) < 0)
        return -1;
    if (given->fields == 0)
        return err_set(err, ERR_USAGE, "%.*s cannot be changed on a stored image", SLICE_FMT(name));
    given->fields |= before;
    return 0;
}

static int run_set(const struct cli_args *args)
{
    struct changing changing = {.args = args,
        .command = "images set",
        .done = "changed",
        .would = "would be changed",
        .set = true};
    struct placement_request given;
    struct err err = {0};

    placement_request_init(&given);
    for (int i = 0; i < args->word_count; i++) {
        if (!strchr(args->words[i], '=')) {
            if (add_id(&changing, args->words[i]))
                return EXIT_USAGE;
        } else if (take_assignment(&given, args->words[i], &err) < 0) {
            return cli_fail("images set", &err);
        }
    }
    if (given.fields == 0)
        return cli_usage("images set", "say what to set: containers=3, for example");
    changing.change = (struct image_change){given.fields, given.place};
    return run_change(&changing);
}

const struct command command_images_rm = {.name = "images rm",
    .summary = "remove images: by id, or all that filters choose",
    .arguments = "[IMAGE_ID...]",
    .details = "Images chosen by filters are listed first; --yes removes them.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_SCOPE,
    .run = run_rm};

const struct command command_images_set = {.name = "images set",
    .summary = "change where images are said to live",
    .arguments = "[IMAGE_ID...] NAME=VALUE...",
    .details =
        "NAME is one of containers, enterprise_project_id, cluster_id, cluster_name, "
        "organization,\n"
        "registry_type, is_multi_arch. For example:\n"
        "  careen images set --image-name nginx containers=3 --yes\n"
        "Images chosen by filters are listed first; --yes changes them. Another enterprise "
        "project,\n"
        "or another cluster of a cluster image, gives an image another id: the new one is printed.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_SCOPE,
    .run = run_set};
