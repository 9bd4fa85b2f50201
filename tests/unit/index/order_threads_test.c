/* SPDX-License-Identifier: Apache-2.0 */
/* Reads that sort make the orders: many at once make each once and all see it whole. What goes
 * wrong shows under the sanitizers: an order that was made twice leaks. */
#include "unit.h"

#include "index/index.h"

#include <pthread.h>

enum { IMAGES = 3000, THREADS = 4 };

static struct index *some_images(void)
{
    struct err err;
    struct index *index = index_new(&err);

    assert_non_null(index);
    for (uint32_t i = 0; i < IMAGES; i++) {
        const struct index_finding finding = {.vuln = i % 7 * 2, .code = (uint8_t)(i % 4)};
        char name[32];
        struct image image = {
            .number = i + 1, .latest_scan_ms = i * 7919 % 1009, .place = {.containers = i % 11}};

        (void)snprintf(image.id, sizeof(image.id), "id-%u", i);
        (void)snprintf(name, sizeof(name), "name-%u", i * 7919 % 503);
        image.name = slice_of(name);
        assert_ok(index_put(index, &image, &finding, 1, &err));
    }
    return index;
}

struct asking {
    const struct index *index;
    const char *why; /* NULL, or what was wrong */
};

/* Asks in all orders, and how large they are while others make them. */
static void *ask(void *arg)
{
    struct asking *asking = arg;

    for (int i = 0; i < 6; i++) {
        struct index_query query = {.scope.type = -1,
            .codes = INDEX_ALL_CODES,
            .sort = (enum index_sort)(INDEX_SORT_IMAGE_NAME + i / 2),
            .descending = i % 2 != 0,
            .limit = 200};
        struct index_page page;
        struct index_size size;
        struct err err;

        if (index_query(asking->index, &query, &page, &err) < 0)
            asking->why = "a query failed";
        else if (page.total != IMAGES || page.count != 200 || !page.more)
            asking->why = "a page is not whole";
        index_size(asking->index, &size);
        if (size.images != IMAGES)
            asking->why = "an image is not counted";
    }
    return NULL;
}

static void test_many_ask_first(void **state)
{
    struct index *index = some_images();
    struct asking asking[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        asking[i] = (struct asking){index, NULL};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asking[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_null(asking[i].why);
    }
    assert_null(index_validate(index));
    index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_ask_first)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
