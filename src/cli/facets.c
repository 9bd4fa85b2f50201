/* SPDX-License-Identifier: Apache-2.0 */
/* See facets.h. */
#include "cli/facets.h"

#include "api/affected_facets.h"
#include "cli/cli.h"
#include "cli/table.h"

static void print_counts(const struct index_facets *facets, struct buf *out)
{
    buf_printf(out, "%llu image%s, %llu vulnerabilit%s, %llu running container%s\n",
        (unsigned long long)facets->images, facets->images == 1 ? "" : "s",
        (unsigned long long)facets->vulns, facets->vulns == 1 ? "y" : "ies",
        (unsigned long long)facets->containers, facets->containers == 1 ? "" : "s");
}

static void add_rows(struct table *table, const char *name, const struct index_facet *facet)
{
    char more[64];

    for (size_t i = 0; i < facet->count; i++) {
        table_cell(table, slice_of(name), COLOUR_NONE);
        table_cell(table, facet->at[i].text, COLOUR_NONE);
        table_number(table, facet->at[i].rows);
    }
    if (facet->values == facet->count)
        return;
    snprintf(more, sizeof(more), "(%llu more)", (unsigned long long)(facet->values - facet->count));
    table_cell(table, slice_of(name), COLOUR_NONE);
    table_cell(table, slice_of(more), COLOUR_DIM);
    table_cell(table, SLICE_NONE, COLOUR_NONE);
}

void facets_print(const struct index_facets *facets, unsigned include, struct buf *out)
{
    static const char *const headings[] = {"FILTER", "VALUE", ">ROWS"};
    struct index_facet room;
    struct table table;

    if (include >> INCLUDE_COUNTS & 1)
        print_counts(facets, out);
    if (!(include >> INCLUDE_FACETS & 1))
        return;
    table_init(&table, headings, 3);
    for (size_t i = 0; i < AFFECTED_FACETS; i++)
        add_rows(&table, affected_facet_name(i), affected_facet(facets, i, &room));
    buf_put_char(out, '\n');
    table_write(&table, cli_colours(), out);
    table_release(&table);
}
