/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image with its findings. The findings of an image were first seen at few distinct times
 * (often one), so the times are a table and each finding has an index into it of as few bytes as
 * will do: none for one time, one up to 256, else two (an image has at most 65,535 findings).
 *
 *     [ times : 8 * t | vulns : 4 * n | time index : (0, 1, 2) * n | codes : n ]
 */
#include "index/internal.h"

static size_t index_width(size_t time_count)
{
    return time_count <= 1 ? 0 : time_count <= 256 ? 1 : 2;
}

static size_t findings_bytes(const struct entry *entry)
{
    return entry->time_count * sizeof(int64_t) +
           entry->count * (sizeof(uint32_t) + index_width(entry->time_count) + 1);
}

static uint32_t *vulns_of(const struct entry *entry)
{
    return (uint32_t *)(void *)(entry->findings + entry->time_count);
}

static uint8_t *time_index_of(const struct entry *entry)
{
    return (uint8_t *)(vulns_of(entry) + entry->count);
}

static uint8_t *codes_of(const struct entry *entry)
{
    return time_index_of(entry) + entry->count * index_width(entry->time_count);
}

const uint32_t *entry_vulns(const struct entry *entry)
{
    return entry->count ? vulns_of(entry) : NULL;
}

const uint8_t *entry_codes(const struct entry *entry)
{
    return entry->count ? codes_of(entry) : NULL;
}

void entry_set_code(struct entry *entry, size_t finding, uint8_t code)
{
    codes_of(entry)[finding] = code;
}

int64_t entry_first_scan_ms(const struct entry *entry, size_t finding)
{
    const uint8_t *at = time_index_of(entry);
    uint16_t wide;

    switch (index_width(entry->time_count)) {
    case 0:
        return entry->findings[0];
    case 1:
        return entry->findings[at[finding]];
    default:
        memcpy(&wide, at + finding * sizeof(wide), sizeof(wide));
        return entry->findings[wide];
    }
}

struct entry_since entry_since(const struct entry *entry, int64_t since_ms)
{
    struct entry_since since = {.width = index_width(entry->time_count)};

    while (since.first < entry->time_count && entry->findings[since.first] < since_ms)
        since.first++;
    since.places = entry->count ? time_index_of(entry) : NULL;
    return since;
}

int64_t entry_oldest_ms(const struct entry *entry)
{
    return entry && entry->count ? entry->findings[0] : 0;
}

int64_t entry_newest_ms(const struct entry *entry)
{
    return entry && entry->count ? entry->findings[entry->time_count - 1] : 0;
}

size_t entry_find(const struct entry *entry, uint32_t vuln)
{
    const uint32_t *vulns = entry_vulns(entry);
    size_t low = 0, count = entry->count;

    while (count) {
        size_t half = count / 2;

        if (vulns[low + half] < vuln) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static int compare_times(const void *left, const void *right)
{
    int64_t a, b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

/* The distinct times, ascending, into an array of `count`; returns how many. */
static size_t distinct_times(const struct index_finding *findings, size_t count, int64_t *times)
{
    size_t distinct = 0;
    bool sorted = true;

    /* One time for all, or ascending ones, are common and need no sorting. */
    for (size_t i = 0; i < count; i++) {
        if (distinct && times[distinct - 1] == findings[i].first_scan_ms)
            continue;
        sorted = sorted && (distinct == 0 || times[distinct - 1] < findings[i].first_scan_ms);
        times[distinct++] = findings[i].first_scan_ms;
    }
    if (!sorted) {
        size_t kept = 0;

        qsort(times, distinct, sizeof(*times), compare_times);
        for (size_t i = 0; i < distinct; i++)
            if (kept == 0 || times[kept - 1] != times[i])
                times[kept++] = times[i];
        distinct = kept;
    }
    return distinct;
}

static size_t time_position(const int64_t *times, size_t count, int64_t time)
{
    size_t low = 0;

    while (count > 1) {
        size_t half = count / 2;

        if (times[low + half] <= time)
            low += half;
        count -= half;
    }
    return low;
}

static void pack_finding(struct entry *entry, size_t i, const struct index_finding *finding)
{
    size_t width = index_width(entry->time_count);
    uint16_t position =
        (uint16_t)time_position(entry->findings, entry->time_count, finding->first_scan_ms);

    vulns_of(entry)[i] = finding->vuln;
    codes_of(entry)[i] = finding->code;
    if (width == 1)
        time_index_of(entry)[i] = (uint8_t)position;
    else if (width == 2)
        memcpy(time_index_of(entry) + i * 2, &position, 2);
}

static int pack_findings(
    struct entry *entry, const struct index_finding *findings, size_t count, struct err *err)
{
    int64_t *times;

    if (count == 0)
        return 0;
    times = malloc(count * sizeof(*times));
    if (!times)
        return err_nomem(err);
    entry->count = (uint32_t)count;
    entry->time_count = (uint32_t)distinct_times(findings, count, times);
    entry->findings = malloc(findings_bytes(entry));
    if (!entry->findings) {
        free(times);
        return err_nomem(err);
    }
    memcpy(entry->findings, times, entry->time_count * sizeof(*times));
    free(times);
    for (size_t i = 0; i < count; i++)
        pack_finding(entry, i, &findings[i]);
    return 0;
}

static void copy_digest(struct slice *digest, char *dst)
{
    if (digest->len)
        memcpy(dst, digest->ptr, digest->len);
    digest->ptr = dst;
}

struct entry *entry_new(
    const struct image *image, const struct index_finding *findings, size_t count, struct err *err)
{
    /* The digest of an image without a known manifest is its config's: one text is enough. */
    bool same = slice_eq(image->digest, image->config_digest);
    size_t tail = image->digest.len + (same ? 0 : image->config_digest.len);
    struct entry *entry = calloc(1, sizeof(*entry) + tail);

    if (!entry) {
        err_nomem(err);
        return NULL;
    }
    entry->image = *image;
    copy_digest(&entry->image.digest, entry->digests);
    if (same)
        entry->image.config_digest = entry->image.digest;
    else
        copy_digest(&entry->image.config_digest, entry->digests + image->digest.len);
    if (pack_findings(entry, findings, count, err) < 0) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    free(entry->findings);
    free(entry);
}

size_t entry_bytes(const struct entry *entry)
{
    bool same = entry->image.digest.ptr == entry->image.config_digest.ptr;
    size_t tail = entry->image.digest.len + (same ? 0 : entry->image.config_digest.len);

    return sizeof(*entry) + tail + 24 + (entry->count ? findings_bytes(entry) + 16 : 0);
}
