/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vulnerability -> the ordinals it affects, one set for each code that occurs. Vulnerability
 * numbers are dense (stored names in order of arrival), so they index pages of pointers directly: a
 * lookup is two loads, and a walk in ascending order needs no sorting. By the names of packages:
 * variants.c.
 */
#include "index/internal.h"

#include "base/array.h"
#include "base/bug.h"

static size_t posting_bytes(uint32_t cap)
{
    return sizeof(struct posting) + cap * sizeof(struct code_set) + 16;
}

static struct posting_page *page_of(const struct postings *postings, uint32_t vuln)
{
    size_t page = vuln / POSTING_PAGE;

    return page < postings->cap ? postings->pages[page] : NULL;
}

static struct posting *posting_of(const struct postings *postings, uint32_t vuln)
{
    const struct posting_page *page = page_of(postings, vuln);

    return page ? page->at[vuln % POSTING_PAGE] : NULL;
}

const struct posting *postings_find(const struct postings *postings, uint32_t vuln)
{
    return posting_of(postings, vuln);
}

static struct code_set *set_of(struct posting *posting, uint8_t code)
{
    for (uint32_t i = 0; posting && i < posting->count; i++)
        if (posting->at[i].code == code)
            return &posting->at[i];
    return NULL;
}

/* A place for this vulnerability's pointer. */
static struct posting_page *make_page(struct postings *postings, uint32_t vuln, struct err *err)
{
    size_t at = vuln / POSTING_PAGE;

    if (array_reserve(&postings->pages, &postings->cap, at + 1, sizeof(*postings->pages), err) < 0)
        return NULL;
    if (!postings->pages[at]) {
        postings->pages[at] = calloc(1, sizeof(*postings->pages[at]));
        if (!postings->pages[at]) {
            err_nomem(err);
            return NULL;
        }
        postings->bytes += sizeof(struct posting_page);
    }
    return postings->pages[at];
}

static void drop_empty_page(struct postings *postings, uint32_t vuln)
{
    struct posting_page **page = &postings->pages[vuln / POSTING_PAGE];

    if (*page && (*page)->used == 0) {
        free(*page);
        *page = NULL;
        postings->bytes -= sizeof(struct posting_page);
    }
}

static struct code_set *make_set(
    struct postings *postings, uint32_t vuln, uint8_t code, struct err *err)
{
    struct posting_page *page = make_page(postings, vuln, err);
    struct posting *posting;
    uint32_t cap;

    if (!page)
        return NULL;
    posting = page->at[vuln % POSTING_PAGE];
    if (!posting || posting->count == posting->cap) {
        cap = posting ? posting->cap + 1 + posting->cap / 2 : 1;
        posting = realloc(posting, sizeof(*posting) + cap * sizeof(struct code_set));
        if (!posting) {
            drop_empty_page(postings, vuln);
            err_nomem(err);
            return NULL;
        }
        if (page->at[vuln % POSTING_PAGE]) {
            postings->bytes -= posting_bytes(posting->cap);
        } else {
            *posting = (struct posting){.count = 0};
            page->used++;
            postings->vulns++;
        }
        posting->cap = cap;
        postings->bytes += posting_bytes(cap);
        page->at[vuln % POSTING_PAGE] = posting;
    }
    posting->at[posting->count] = (struct code_set){.code = code};
    return &posting->at[posting->count++];
}

int postings_prepare(
    struct postings *postings, uint32_t vuln, const struct membership *row, struct err *err)
{
    struct code_set *at = set_of(posting_of(postings, vuln), row->code);
    int failed;

    if (!at)
        at = make_set(postings, vuln, row->code, err);
    if (!at)
        return -1;
    postings->bytes -= idset_bytes(&at->set);
    failed =
        postings->filling ? idset_prepare_filling(&at->set, err) : idset_prepare(&at->set, err);
    postings->bytes += idset_bytes(&at->set);
    return failed < 0
               ? -1
               : variants_prepare(postings, posting_of(postings, vuln), vuln, row->variant, err);
}

static void settle_page(struct postings *postings, struct posting_page *page)
{
    for (size_t i = 0; page && i < POSTING_PAGE; i++)
        for (uint32_t j = 0; page->at[i] && j < page->at[i]->count; j++) {
            struct idset *set = &page->at[i]->at[j].set;

            postings->bytes -= idset_bytes(set);
            idset_settle(set);
            postings->bytes += idset_bytes(set);
        }
}

void postings_settle(struct postings *postings)
{
    for (size_t i = 0; i < postings->cap; i++)
        settle_page(postings, postings->pages[i]);
    postings->filling = false;
}

/* Takes a posting without sets out of its page. */
static void drop_posting(struct postings *postings, struct posting_page *page, uint32_t vuln)
{
    struct posting *posting = page->at[vuln % POSTING_PAGE];

    variants_release(postings, posting, vuln);
    postings->bytes -= posting_bytes(posting->cap);
    free(posting);
    page->at[vuln % POSTING_PAGE] = NULL;
    page->used--;
    postings->vulns--;
    drop_empty_page(postings, vuln);
}

void postings_trim(struct postings *postings, uint32_t vuln)
{
    struct posting_page *page = page_of(postings, vuln);
    struct posting *posting = page ? page->at[vuln % POSTING_PAGE] : NULL;
    uint32_t kept = 0;

    if (!posting)
        return;
    for (uint32_t i = 0; i < posting->count; i++) {
        if (posting->at[i].set.count) {
            posting->at[kept++] = posting->at[i];
        } else {
            postings->bytes -= idset_bytes(&posting->at[i].set);
            idset_release(&posting->at[i].set);
        }
    }
    posting->count = kept;
    if (kept == 0)
        drop_posting(postings, page, vuln);
    else
        variants_tidy(postings, posting, vuln);
}

static void change_code(
    struct postings *postings, struct posting *posting, uint8_t code, uint32_t ordinal, bool comes)
{
    struct code_set *at = set_of(posting, code);

    BUG_ON(!at);
    postings->bytes -= idset_bytes(&at->set);
    if (comes)
        idset_add(&at->set, ordinal);
    else
        idset_remove(&at->set, ordinal);
    postings->bytes += idset_bytes(&at->set);
}

/* Adds before it removes: a set that stays is not emptied in between. */
void postings_change(struct postings *postings, uint32_t vuln, uint32_t ordinal,
    const struct membership *before, const struct membership *after)
{
    struct posting *posting = posting_of(postings, vuln);
    bool code = !before || !after || before->code != after->code;

    if (!before || !after || before->variant != after->variant)
        variants_change(posting, ordinal, postings->filling, before ? &before->variant : NULL,
            after ? &after->variant : NULL);
    if (after && code)
        change_code(postings, posting, after->code, ordinal, true);
    if (before && code)
        change_code(postings, posting, before->code, ordinal, false);
    if (before)
        postings_trim(postings, vuln);
}

uint32_t postings_variant(const struct postings *postings, uint32_t vuln, uint32_t ordinal)
{
    const struct posting *posting = posting_of(postings, vuln);

    BUG_ON(!posting);
    return *posting_variant(posting, ordinal);
}

void postings_move(
    struct postings *postings, uint32_t vuln, uint8_t code, uint32_t from, uint32_t to)
{
    struct code_set *at = set_of(posting_of(postings, vuln), code);

    BUG_ON(!at);
    postings->bytes -= idset_bytes(&at->set);
    idset_move(&at->set, from, to);
    postings->bytes += idset_bytes(&at->set);
}

static void release_page(struct posting_page *page)
{
    for (size_t i = 0; page && i < POSTING_PAGE; i++) {
        struct posting *posting = page->at[i];

        for (uint32_t j = 0; posting && j < posting->count; j++)
            idset_release(&posting->at[j].set);
        if (posting)
            variants_free(posting);
        free(posting);
    }
    free(page);
}

void postings_release(struct postings *postings)
{
    for (size_t i = 0; i < postings->cap; i++)
        release_page(postings->pages[i]);
    free(postings->pages);
    packages_release(&postings->packages);
    *postings = (struct postings){0};
}

static const char *validate_posting(const struct posting *posting, size_t *bytes)
{
    uint64_t seen = 0;
    const char *why;

    if (posting->count == 0 || posting->count > posting->cap)
        return "a vulnerability without sets was kept";
    *bytes += posting_bytes(posting->cap);
    for (uint32_t i = 0; i < posting->count; i++) {
        const struct code_set *at = &posting->at[i];

        if (at->set.count == 0)
            return "an empty set of a vulnerability was kept";
        if (at->code >= INDEX_CODES || seen >> at->code & 1)
            return "a vulnerability has two sets of one code";
        seen |= (uint64_t)1 << at->code;
        *bytes += idset_bytes(&at->set);
        if ((why = idset_validate(&at->set)))
            return why;
    }
    return NULL;
}

const char *postings_validate(const struct postings *postings)
{
    uint64_t vulns = 0;
    size_t bytes = 0;
    const char *why;

    for (size_t i = 0; i < postings->cap; i++) {
        const struct posting_page *page = postings->pages[i];
        uint32_t used = 0;

        if (!page)
            continue;
        bytes += sizeof(*page);
        for (size_t j = 0; j < POSTING_PAGE; j++) {
            used += page->at[j] != NULL;
            if (page->at[j] && ((why = validate_posting(page->at[j], &bytes)) ||
                                   (why = variants_validate(&postings->packages, page->at[j],
                                        (uint32_t)(i * POSTING_PAGE + j), &bytes))))
                return why;
        }
        if (used == 0 || used != page->used)
            return "a page of vulnerabilities is miscounted";
        vulns += used;
    }
    if (vulns != postings->vulns)
        return "the number of vulnerabilities is not what was counted";
    if (bytes != postings->bytes)
        return "the memory of vulnerabilities is not what was counted";
    return packages_validate(&postings->packages);
}
