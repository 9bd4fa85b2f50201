/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nearly always one decision, or none, holds for all claims of a row: that is found out without
 * looking at them. Only where it depends on the package, or on when a claim was last found, the
 * image's claims are gone through.
 */
#include "fleet/laying.h"

#include "base/bug.h"

void laid_rows_release(struct laid_rows *rows)
{
    free(rows->at);
    ids_release(&rows->claims);
    *rows = (struct laid_rows){0};
}

uint8_t laid_code(const struct laid *row)
{
    return index_code(index_code_necessity(row->code), index_code_type(row->code),
        index_code_fixable(row->code), row->ignored, row->handled);
}

bool laying_needs_slots(const struct laying *laying)
{
    return overlay_needs_times(laying->overlay, laying->image) ||
           (laying->above && overlay_needs_times(laying->above, laying->image));
}

static void take_verdict(struct laid *row, const struct decision *decision)
{
    enum verdict verdict = verdict_of(decision);

    row->ignored &= verdict == VERDICT_IGNORED;
    row->handled &= verdict != VERDICT_OPEN;
}

bool lay_row(const struct laying *laying, uint32_t vuln, struct laid *ret)
{
    const struct overlaid claim = {.image = laying->image,
        .group = vuln_name_id(vuln),
        .type = vuln_type(vuln),
        .except = laying->except};
    const struct decision *decision = NULL;

    *ret = (struct laid){.vuln = vuln, .ignored = true, .handled = true};
    ret->open = laying->above && !overlay_row_decision(laying->above, &claim, &decision);
    if (!ret->open) {
        ret->reached = decision != NULL;
        ret->open = !decision && !overlay_row_decision(laying->overlay, &claim, &decision);
    }
    if (!ret->open)
        take_verdict(ret, decision);
    return !ret->open;
}

/* The latest report that has the claim. Without slots every time gives the same answer. */
static int64_t last_found_ms(const struct laying *laying, uint32_t claim)
{
    int64_t latest_ms = 0;

    if (!laying->slots)
        return laying->image->latest_scan_ms;
    for (int i = 0; i < SOURCE_COUNT; i++) {
        const struct slot *slot = &laying->slots[i];

        if (slot->scanned_ms > latest_ms && ids_contains(&slot->claims, claim))
            latest_ms = slot->scanned_ms;
    }
    return latest_ms;
}

void lay_claim(const struct laying *laying, uint32_t claim, struct laid *row)
{
    const struct fact_claim *fact = &laying->facts->claims[claim];
    const struct overlaid overlaid = {.image = laying->image,
        .group = vuln_name_id(row->vuln),
        .type = fact->type,
        .package = intern_get(&laying->facts->package_names, fact->package_name),
        .last_found_ms = last_found_ms(laying, claim),
        .except = laying->except};
    const struct decision *decision =
        laying->above ? overlay_decision(laying->above, &overlaid) : NULL;

    row->met = true;
    row->reached |= decision != NULL;
    if (!decision)
        decision = overlay_decision(laying->overlay, &overlaid);
    take_verdict(row, decision);
}

/* --- All rows of an image --------------------------------------------------------------------- */

static int add_row(const struct laying *laying, uint32_t vuln, uint8_t code, bool *open,
    struct laid_rows *ret, struct err *err)
{
    struct laid *row;

    if (array_reserve(&ret->at, &ret->cap, ret->count + 1, sizeof(*ret->at), err) < 0)
        return -1;
    row = &ret->at[ret->count++];
    *open |= !lay_row(laying, vuln, row);
    row->code = code;
    return 0;
}

/* Position of a vulnerability in an ascending list, or count. */
static size_t find_vuln(const uint32_t *vulns, size_t count, uint32_t vuln)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (vulns[middle] < vuln)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && vulns[low] == vuln ? low : count;
}

/* Goes through the groups or through the rows, whichever are fewer. */
static int add_rows(const struct laying *laying, const struct index *index,
    const struct ids *groups, bool *open, struct laid_rows *ret, struct err *err)
{
    const uint32_t *vulns;
    const uint8_t *codes;
    size_t count = index_findings(index, laying->image->number, &vulns, &codes);

    if (groups && groups->count < count / 8) {
        for (size_t i = 0; i < groups->count * VUL_TYPE_COUNT; i++) {
            uint32_t vuln =
                vuln_number(groups->at[i / VUL_TYPE_COUNT], (enum vul_type)(i % VUL_TYPE_COUNT));
            size_t at = find_vuln(vulns, count, vuln);

            if (at < count && add_row(laying, vuln, codes[at], open, ret, err) < 0)
                return -1;
        }
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        if ((!groups || ids_contains(groups, vuln_name_id(vulns[i]))) &&
            add_row(laying, vulns[i], codes[i], open, ret, err) < 0)
            return -1;
    return 0;
}

static struct laid *find_row(const struct laid_rows *rows, uint32_t vuln)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (rows->at[middle].vuln < vuln)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->count && rows->at[low].vuln == vuln ? &rows->at[low] : NULL;
}

static int ask_claims(const struct laying *laying, const struct holdings *holdings,
    struct laid_rows *rows, struct err *err)
{
    if (holdings_get(holdings, laying->image->number, &rows->claims, err) < 0)
        return -1;
    for (size_t i = 0; i < rows->claims.count; i++) {
        uint32_t claim = rows->claims.at[i];
        const struct fact_claim *fact = &laying->facts->claims[claim];
        uint32_t name = laying->facts->records[fact->record].name;
        struct laid *row =
            find_row(rows, vuln_number(aliases_group(laying->aliases, name), fact->type));

        if (row && row->open)
            lay_claim(laying, claim, row);
    }
    return 0;
}

int lay_image(const struct laying *laying, const struct index *index,
    const struct holdings *holdings, const struct ids *groups, struct laid_rows *ret,
    struct err *err)
{
    bool open = false;

    ret->count = 0;
    if (add_rows(laying, index, groups, &open, ret, err) < 0 ||
        (open && ask_claims(laying, holdings, ret, err) < 0))
        return -1;
    /* A row whose claims nobody holds is about to go. */
    for (size_t i = 0; i < ret->count; i++)
        if (ret->at[i].open && !ret->at[i].met)
            ret->at[i].ignored = ret->at[i].handled = false;
    return 0;
}
