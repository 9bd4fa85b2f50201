/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted is in the text, in the right place. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include "api/metrics.h"
#include "api/routes.h"

static struct metrics *metrics;
static struct buf text;

static int setup(void **state)
{
    struct err err;

    (void)state;
    metrics = metrics_new(&err);
    text = (struct buf)BUF_INIT(1 << 20);
    return metrics ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    metrics_free(metrics);
    buf_release(&text);
    return 0;
}

static void assert_line(const char *line)
{
    char whole[256];

    buf_clear(&text);
    metrics_write_counters(&text, metrics);
    assert_int_equal(text.failed, ERR_NONE);
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (!strstr(text.data, whole))
        fail_msg("there is no line %s", line);
}

static void end(const struct route *route, unsigned status, int64_t took_us)
{
    metrics_count_request(metrics, route,
        &(struct http_ended){.status = status, .took_us = took_us, .sent_bytes = 10});
}

static void test_requests(void **state)
{
    const struct route *first = route_at(0);

    (void)state;
    end(first, 200, 1);
    end(first, 200, 1);
    end(first, 404, 1);
    end(NULL, 404, 1);
    end(NULL, 0, 1);
    end(NULL, 599, 1);
    assert_line("careen_http_requests_total{route=\"ListVulAffectImages\",code=\"200\"} 2");
    assert_line("careen_http_requests_total{route=\"ListVulAffectImages\",code=\"404\"} 1");
    assert_line("careen_http_requests_total{route=\"other\",code=\"404\"} 1");
    assert_line("careen_http_requests_total{route=\"other\",code=\"0\"} 1");
    assert_line("careen_http_requests_total{route=\"other\",code=\"599\"} 1");
    assert_line("careen_http_sent_bytes_total{route=\"ListVulAffectImages\"} 30");
    assert_null(strstr(text.data, "route=\"ShowImage\",code"));
}

static void test_what_was_cut_is_not_sent(void **state)
{
    (void)state;
    metrics_count_request(metrics, NULL,
        &(struct http_ended){.status = 200, .took_us = 1, .sent_bytes = 10, .cut = true});
    assert_line("careen_http_sent_bytes_total{route=\"other\"} 0");
    assert_line("careen_http_requests_total{route=\"other\",code=\"200\"} 1");
}

static void test_every_route_has_its_place(void **state)
{
    char line[200];

    (void)state;
    for (size_t i = 0; route_at(i); i++) {
        assert_int_equal(route_number(route_at(i)), i);
        for (size_t n = 0; n <= i; n++)
            end(route_at(i), 200, 1);
    }
    for (size_t i = 0; route_at(i); i++) {
        snprintf(line, sizeof(line), "careen_http_requests_total{route=\"%s\",code=\"200\"} %zu",
            route_at(i)->operation, i + 1);
        assert_line(line);
    }
}

#define BUCKET "careen_http_request_duration_seconds_bucket{route=\"other\",le="

/* A bound belongs to its bucket; each bucket holds those before it. */
static void test_durations(void **state)
{
    (void)state;
    end(NULL, 200, 0);
    end(NULL, 200, 50);
    end(NULL, 200, 51);
    end(NULL, 200, 1000000);
    end(NULL, 200, 10000000);
    end(NULL, 200, 10000001);
    assert_line(BUCKET "\"0.00005\"} 2");
    assert_line(BUCKET "\"0.0001\"} 3");
    assert_line(BUCKET "\"0.5\"} 3");
    assert_line(BUCKET "\"1\"} 4");
    assert_line(BUCKET "\"5\"} 4");
    assert_line(BUCKET "\"10\"} 5");
    assert_line(BUCKET "\"+Inf\"} 6");
    assert_line("careen_http_request_duration_seconds_count{route=\"other\"} 6");
    assert_line("careen_http_request_duration_seconds_sum{route=\"other\"} 21.000102");
}

static void test_the_others(void **state)
{
    (void)state;
    metrics_count_refused(metrics, CREDENTIAL_SIGNATURE);
    metrics_count_throttled(metrics, RATE_ADDRESS);
    metrics_count_import(metrics, "cyclonedx", IMPORT_UNCHANGED);
    metrics_count_import(metrics, NULL, IMPORT_REFUSED);
    metrics_count_import(metrics, "a new one", IMPORT_TAKEN);
    metrics_count_removed(metrics, REMOVAL_UNSEEN, 7);
    metrics_count_expired(metrics);
    assert_line("careen_refused_credentials_total{kind=\"signature\"} 1");
    assert_line("careen_refused_credentials_total{kind=\"password\"} 0");
    assert_line("careen_throttled_requests_total{policy=\"ip\"} 1");
    assert_line("careen_imports_total{format=\"cyclonedx\",outcome=\"unchanged\"} 1");
    assert_line("careen_imports_total{format=\"unknown\",outcome=\"refused\"} 1");
    assert_line("careen_imports_total{format=\"unknown\",outcome=\"imported\"} 1");
    assert_line("careen_images_removed_total{reason=\"unseen\"} 7");
    assert_line("careen_decisions_expired_total 1");
}

static void test_following(void **state)
{
    (void)state;
    assert_int_equal(metrics_follow_age_us(metrics, 1000), -1);
    metrics_note_followed(metrics, 400);
    assert_int_equal(metrics_follow_age_us(metrics, 1000), 600);
}

static void *count_many(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < 10000; i++)
        end(route_at(0), 200, i);
    return NULL;
}

static void test_threads_lose_nothing(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_line("careen_http_requests_total{route=\"ListVulAffectImages\",code=\"200\"} 40000");
    assert_line("careen_http_request_duration_seconds_count{route=\"ListVulAffectImages\"} 40000");
    assert_line("careen_http_request_duration_seconds_sum{route=\"ListVulAffectImages\"} 199.98");
}

#define WITH_METRICS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_METRICS(test_requests),
        WITH_METRICS(test_what_was_cut_is_not_sent),
        WITH_METRICS(test_every_route_has_its_place),
        WITH_METRICS(test_durations),
        WITH_METRICS(test_the_others),
        WITH_METRICS(test_following),
        WITH_METRICS(test_threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
