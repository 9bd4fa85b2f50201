/* SPDX-License-Identifier: Apache-2.0 */
/* careen status: what the data folder holds. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/retention_text.h"
#include "cli/table.h"
#include "codec/json_writer.h"

static const struct cli_option options[] = {
    {"o", "FORMAT", "table or json", NULL},
};

/* One project's counts. */
struct project_counts {
    struct slice id;
    struct index_counts counts;
    uint64_t decisions; /* in force */
};

struct state {
    const struct cli_args *args;
    enum cli_format format;
    struct store_stats stats;
    struct retention_past retention;
    struct arena arena;
    struct project_counts *projects;
    size_t project_count;
};

static uint64_t findings_of(const struct index_counts *counts, int necessity)
{
    uint64_t sum = 0;

    for (unsigned code = 0; code < INDEX_CODES; code++)
        if (necessity < 0 || (int)index_code_necessity((uint8_t)code) == necessity)
            sum += counts->by_code[code];
    return sum;
}

static uint64_t handled_of(const struct index_counts *counts)
{
    uint64_t sum = 0;

    for (unsigned code = 0; code < INDEX_CODES; code++)
        if (index_code_handled((uint8_t)code))
            sum += counts->by_code[code];
    return sum;
}

/* Counts the decisions of a project that are in force, whether or not their end was written down.
 */
struct deciding_count {
    int64_t now_ms;
    uint64_t in_force, on_page;
    uint32_t last;
};

static int count_decision(void *ctx, const struct decision *decision, struct err *err)
{
    struct deciding_count *count = ctx;

    (void)err;
    count->in_force += decision->expires_ms == 0 || decision->expires_ms > count->now_ms;
    count->on_page++;
    count->last = decision->number;
    return 0;
}

static int count_decisions(
    struct store *store, uint32_t project, uint64_t *ret_in_force, struct err *err)
{
    struct deciding_count count = {.now_ms = clock_now_ms()};

    do {
        count.on_page = 0;
        if (store_each_decision(
                store, project, true, count.last, 1000, count_decision, &count, err) < 0)
            return -1;
    } while (count.on_page);
    *ret_in_force = count.in_force;
    return 0;
}

static int gather(struct state *state, struct fleet *fleet, struct err *err)
{
    const struct index_scope all = {.type = -1};
    struct ids numbers CLEANUP(ids_release) = {0};

    if (store_stats(fleet_store(fleet), &state->stats, err) < 0 ||
        fleet_retention_past(fleet_store(fleet), &state->retention, err) < 0 ||
        fleet_load(fleet, 0, err) < 0 || fleet_projects(fleet, &numbers, err) < 0)
        return -1;
    state->projects =
        arena_alloc_array(&state->arena, numbers.count + 1, sizeof(*state->projects), err);
    if (!state->projects)
        return -1;
    for (size_t i = 0; i < numbers.count; i++) {
        struct project_counts *entry = &state->projects[state->project_count++];

        if (fleet_project_id(fleet, numbers.at[i], &state->arena, &entry->id, err) < 0 ||
            fleet_count(fleet, numbers.at[i], &all, &entry->counts, err) < 0 ||
            count_decisions(fleet_store(fleet), numbers.at[i], &entry->decisions, err) < 0)
            return -1;
    }
    return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static void write_table(const struct state *state, struct buf *out)
{
    static const char *const headings[] = {"PROJECT", ">IMAGES", ">FINDINGS", ">CRITICAL", ">HIGH",
        ">MEDIUM", ">LOW", ">HANDLED", ">DECISIONS", ">PARTLY ASSESSED", ">NOT ASSESSED"};
    struct table table;

    buf_printf(out,
        "data folder    %s\nschema         %u\ndatabase       %.1f MiB\npackages       %llu\n"
        "claims         %llu\nretention      ",
        state->args->data_dir, state->stats.schema_version, (double)state->stats.bytes / 1048576.0,
        (unsigned long long)state->stats.packages, (unsigned long long)state->stats.claims);
    retention_past_write(&state->retention, out);
    buf_put_cstr(out, "\n\n");
    table_init(&table, headings, 11);
    for (size_t i = 0; i < state->project_count; i++) {
        const struct index_counts *counts = &state->projects[i].counts;

        table_cell(&table, state->projects[i].id, COLOUR_NONE);
        table_number(&table, counts->images);
        table_number(&table, findings_of(counts, -1));
        for (int necessity = NECESSITY_COUNT - 1; necessity >= 0; necessity--)
            table_number(&table, findings_of(counts, necessity));
        table_number(&table, handled_of(counts));
        table_number(&table, state->projects[i].decisions);
        table_number(&table, counts->by_assessment[ASSESSMENT_PARTLY]);
        table_number(&table, counts->by_assessment[ASSESSMENT_NOT]);
    }
    table_write(&table, cli_colours(), out);
    table_release(&table);
}

static void write_json(const struct state *state, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_write_begin_object(&w);
    json_write_member(&w, "data_dir", slice_of(state->args->data_dir));
    json_write_member_u64(&w, "schema_version", state->stats.schema_version);
    json_write_member_u64(&w, "database_bytes", state->stats.bytes);
    json_write_member_u64(&w, "packages", state->stats.packages);
    json_write_member_u64(&w, "claims", state->stats.claims);
    json_write_key(&w, "retention");
    retention_past_json(&state->retention, &w);
    json_write_key(&w, "projects");
    json_write_begin_array(&w);
    for (size_t i = 0; i < state->project_count; i++) {
        const struct index_counts *counts = &state->projects[i].counts;

        json_write_begin_object(&w);
        json_write_member(&w, "project_id", state->projects[i].id);
        json_write_member_u64(&w, "images", counts->images);
        json_write_member_u64(&w, "findings", findings_of(counts, -1));
        for (int necessity = NECESSITY_COUNT - 1; necessity >= 0; necessity--)
            json_write_member_u64(
                &w, words_name(&necessity_words, necessity), findings_of(counts, necessity));
        json_write_member_u64(&w, "handled", handled_of(counts));
        json_write_member_u64(&w, "decisions_in_force", state->projects[i].decisions);
        for (int i_assessment = 0; i_assessment < ASSESSMENT_COUNT; i_assessment++)
            json_write_member_u64(&w, words_name(&assessment_words, i_assessment),
                counts->by_assessment[i_assessment]);
        json_write_end_object(&w);
    }
    json_write_end_array(&w);
    json_write_end_object(&w);
    buf_put_char(out, '\n');
}

static int run(const struct cli_args *args)
{
    struct state state = {.args = args};
    struct buf out CLEANUP(buf_release) = BUF_INIT(64UL << 20);
    struct err err = {0};
    struct fleet *fleet;
    int failed;

    if (args->word_count)
        return cli_usage("status", "there is no argument %s", args->words[0]);
    if (cli_format(args, 1u << FORMAT_TABLE | 1u << FORMAT_JSON, &state.format, &err) < 0)
        return cli_fail("status", &err);
    arena_init(&state.arena, "the list of projects", 64UL << 20);
    fleet = fleet_open(args->data_dir, STORE_READ, &err);
    failed = !fleet || gather(&state, fleet, &err) < 0;
    if (!failed)
        (state.format == FORMAT_TABLE ? write_table : write_json)(&state, &out);
    fleet_close(fleet);
    arena_release(&state.arena);
    return failed ? cli_fail("status", &err) : cli_print("status", &out);
}

const struct command command_status = {.name = "status",
    .summary = "what the data folder holds",
    .arguments = "",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
