/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory: each call again and again, with the first, the second, ... allocation failing,
 * until it succeeds. A failed put leaves the index as it was; a failed query is an error and no
 * more.
 *
 * The allocator is replaced in this program. Sets stay in their small forms: CRoaring does not
 * survive a failed allocation (idset.h). Skipped where the C library or a sanitizer does not let us
 * in.
 */
#include "unit.h"

#include "index/index.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)

enum { IMAGES = 60 };

static long fail_in = -1; /* allocations that still succeed; -1: all */
static struct err err;

static long blocks; /* allocated and not freed */

extern void __libc_free(void *block);
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static bool fails(void)
{
    return fail_in >= 0 && fail_in-- == 0;
}

static void *counted(void *block)
{
    blocks += block != NULL;
    return block;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    return old ? __libc_realloc(old, size) : counted(__libc_malloc(size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

void free(void *block)
{
    blocks -= block != NULL;
    __libc_free(block);
}

/* --- Facts ------------------------------------------------------------------------------------ */

static int put_image(struct index *index, uint32_t number, uint32_t variant)
{
    static const uint32_t names[][3] = {{1}, {2}, {1, 2}, {1, 2, 3}, {4}};
    static const uint32_t sizes[] = {1, 1, 2, 3, 1};
    struct index_finding findings[6];
    char text[32];
    struct image image = {.number = number,
        .place = {.type = (enum image_type)(number % IMAGE_TYPE_COUNT), .containers = variant}};

    (void)snprintf(image.id, sizeof(image.id), "id-%u-%u", number, variant);
    (void)snprintf(text, sizeof(text), "text-%u", number / 3 + variant);
    image.name = image.place.registry_name = image.place.organization = slice_of(text);
    image.digest = image.place.cluster_id = slice_of(text);
    for (uint32_t i = 0; i < 6; i++)
        findings[i] = (struct index_finding){
            .vuln = (i * 300 + (i > 3 ? variant * 5000 : 0) + number % 3) * 2,
            .code = (uint8_t)((variant + i + number) % 4),
            .first_scan_ms = (int64_t)i,
            .names = names[(number + variant + i) % 5],
            .name_count = sizes[(number + variant + i) % 5]};
    return index_put(index, &image, findings, 6, &err);
}

static struct index_query query_all(void)
{
    return (struct index_query){.scope = {.type = -1}, .codes = INDEX_ALL_CODES, .limit = 200};
}

/* What the index says, as far as a page goes. */
struct picture {
    struct index_page pages[4]; /* two, one that is sorted, and one by package */
    struct index_size size;
};

static void take_picture(const struct index *index, struct picture *ret)
{
    struct index_query query = query_all();

    for (size_t i = 0; i < 2; i++) {
        query.offset = i * 200;
        assert_ok(index_query(index, &query, &ret->pages[i], &err));
    }
    query.offset = 0;
    query.sort = INDEX_SORT_CONTAINERS;
    assert_ok(index_query(index, &query, &ret->pages[2], &err));
    query.by_package = true;
    query.package = 2;
    assert_ok(index_query(index, &query, &ret->pages[3], &err));
    index_size(index, &ret->size);
}

static void assert_same_picture(const struct picture *a, const struct picture *b)
{
    assert_int_equal(a->size.images, b->size.images);
    assert_int_equal(a->size.findings, b->size.findings);
    assert_int_equal(a->size.vulns, b->size.vulns);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(a->pages[i].total, b->pages[i].total);
        for (size_t j = 0; j < a->pages[i].count; j++) {
            assert_int_equal(a->pages[i].rows[j].image->number, b->pages[i].rows[j].image->number);
            assert_int_equal(a->pages[i].rows[j].vuln, b->pages[i].rows[j].vuln);
            assert_int_equal(a->pages[i].rows[j].code, b->pages[i].rows[j].code);
        }
    }
}

/* Puts with ever more memory; returns how often it failed. */
static int put_starving(struct index *index, uint32_t number, uint32_t variant)
{
    struct picture before, after;
    int failures = 0;

    take_picture(index, &before);
    for (;;) {
        int failed;

        fail_in = failures;
        failed = put_image(index, number, variant);
        fail_in = -1;
        assert_null(index_validate(index));
        if (failed == 0)
            return failures;
        assert_int_equal(err.code, ERR_NOMEM);
        take_picture(index, &after);
        assert_same_picture(&before, &after);
        failures++;
    }
}

static struct index *some_images(void)
{
    struct index *index = index_new(&err);

    assert_non_null(index);
    for (uint32_t i = 0; i < IMAGES; i++)
        assert_int_equal(put_image(index, i * 10, 0), 0);
    return index;
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void test_put(void **state)
{
    long blocks_before = blocks;
    struct index *index = index_new(&err);

    (void)state;
    assert_true(put_starving(index, 10, 1) > 10); /* the first of all */
    index_free(index);
    index = some_images();
    assert_true(put_starving(index, IMAGES * 10, 2) > 10); /* behind all */
    assert_true(put_starving(index, 305, 3) > 10);         /* out of order */
    assert_true(put_starving(index, 300, 4) > 5);          /* replaced */
    index_remove(index, 100);
    assert_true(put_starving(index, 100, 0) > 0); /* back in its hole */
    assert_true(put_starving(index, 100, 0) > 0); /* nothing new */
    index_free(index);
    assert_int_equal(blocks, blocks_before);
}

/* Until memory is enough; returns how often it was not. */
static int recode_starving(struct index *index, uint32_t number, uint32_t vuln, uint8_t code)
{
    struct picture before, after;

    take_picture(index, &before);
    for (int failures = 0;; failures++) {
        int failed;

        fail_in = failures;
        failed = index_recode(index, number, vuln, code, &err);
        fail_in = -1;
        assert_null(index_validate(index));
        if (failed == 0)
            return failures;
        assert_int_equal(err.code, ERR_NOMEM);
        take_picture(index, &after);
        assert_same_picture(&before, &after);
    }
}

static void test_recode(void **state)
{
    long blocks_before = blocks;
    struct index *index = some_images();
    int failures = 0;

    (void)state;
    for (uint32_t i = 0; i < IMAGES; i += 3) /* those with vulnerability 0, of code i % 4 */
        failures += recode_starving(index, i * 10, 0, (uint8_t)((i * 10 % 4) | 32));
    assert_true(failures > 4);
    assert_int_equal(recode_starving(index, 0, 1, 32), 0); /* it has not */
    index_free(index);
    assert_int_equal(blocks, blocks_before);
}

static void test_new(void **state)
{
    (void)state;
    fail_in = 0;
    assert_null(index_new(&err));
    fail_in = -1;
    assert_int_equal(err.code, ERR_NOMEM);
}

static bool see_vuln(void *ctx, const struct index_vuln *vuln)
{
    *(uint64_t *)ctx += vuln->images;
    return true;
}

/* One of the questions; 0 or -1. */
static int ask(const struct index *index, int which)
{
    static const struct slice projects[] = {SLICE_INIT("a"), SLICE_INIT("")};
    static const uint32_t vulns[] = {0, 600, 1200, 2, 4};
    struct index_query query = query_all();
    struct index_page page;
    struct index_counts counts;
    struct index_facets facets;
    struct ids ids = {0};
    uint64_t images = 0;
    int failed;

    query.scope.name_part = SLICE("text-1");
    query.scope.enterprise_projects = projects;
    query.scope.enterprise_project_count = 2;
    query.vulns = vulns;
    query.vuln_count = 5;
    query.by_vuln = which == 1 || which == 6 || which == 9;
    query.by_package = which >= 7 && which < 10;
    query.package = 2;
    query.by_time = which == 5 || which == 6 || which == 8;
    query.first_seen_since_ms = 1;
    switch (which) {
    case 0:
    case 1:
    case 7:
        return index_query(index, &query, &page, &err);
    case 5:
    case 6:
        query.sort = INDEX_SORT_IMAGE_NAME;
        query.descending = which == 6;
        return index_query(index, &query, &page, &err);
    case 8:
    case 9:
    case 10:
        return index_facets(index, &query, &facets, &err);
    case 11:
        query.scope = (struct index_scope){.type = IMAGE_LOCAL};
        return index_facets(index, &query, &facets, &err);
    case 12: /* deep, by many vulnerabilities */
        query.scope = (struct index_scope){.type = -1};
        query.by_vuln = true;
        query.sort = INDEX_SORT_LATEST_SCAN;
        query.offset = 20;
        return index_query(index, &query, &page, &err);
    case 2:
        return index_count(index, &query.scope, &counts, &err);
    case 3:
        return index_each_vuln(index, &query.scope, query.codes, see_vuln, &images, &err);
    default:
        failed = index_images_of(index, 2, &ids, &err);
        assert_int_equal(failed ? 0 : ids.count, ids.count);
        ids_release(&ids);
        return failed;
    }
}

static void test_questions(void **state)
{
    long blocks_before = blocks;
    struct index *index = some_images();

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(put_image(index, i * 30, 1), 0);
    for (int which = 0; which < 13; which++) {
        int failures = 0, failed;

        do {
            fail_in = failures;
            failed = ask(index, which);
            fail_in = -1;
            if (failed)
                assert_int_equal(err.code, ERR_NOMEM);
            failures += failed != 0;
        } while (failed);
        assert_true(failures > 0);
    }
    index_free(index);
    assert_int_equal(blocks, blocks_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_recode),
        cmocka_unit_test(test_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    print_message("skipped: the allocator cannot be replaced here\n");
    return 77;
}

#endif
