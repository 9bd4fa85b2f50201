/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the threads: jobs that wait for a gate, so that it is seen which of them run. */
#include "unit.h"

#include "http/workers.h"

#include <unistd.h>

enum { THREADS = 4, ANN = 1, BOB = 2 };

struct job {
    uint64_t owner;
    atomic_int state; /* 0 waits, 1 runs, 2 done */
    atomic_bool *open;
};

static void run_job(void *arg)
{
    struct job *job = arg;

    job->state = 1;
    while (!*job->open)
        usleep(100);
    job->state = 2;
}

static void drop_job(void *arg)
{
    struct job *job = arg;

    job->state = -1;
}

static size_t in_state(struct job *jobs, size_t count, int state)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += jobs[i].state == state;
    return found;
}

static void wait_for(struct job *jobs, size_t count, int state, size_t wanted)
{
    for (int tries = 0; in_state(jobs, count, state) != wanted; tries++) {
        assert_true(tries < 20000);
        usleep(500);
    }
}

static void one_owner_leaves_a_thread(void **state)
{
    struct workers workers;
    struct job anns[10] = {0}, bobs[2] = {0};
    atomic_bool shut = false;
    struct err err;

    (void)state;
    assert_int_equal(workers_start(&workers, THREADS, run_job, NULL, &err), 0);
    for (size_t i = 0; i < 10; i++) {
        anns[i].open = &shut;
        assert_true(workers_push(&workers, &anns[i], ANN, false));
    }
    wait_for(anns, 10, 1, THREADS - 1);
    usleep(5000);
    assert_int_equal(in_state(anns, 10, 1), THREADS - 1);
    assert_int_equal(workers_waiting(&workers), 10 - (THREADS - 1));
    for (size_t i = 0; i < 2; i++) {
        bobs[i].open = &shut;
        assert_true(workers_push(&workers, &bobs[i], BOB, false));
    }
    wait_for(bobs, 2, 1, 1);
    shut = true; /* opens */
    wait_for(anns, 10, 2, 10);
    wait_for(bobs, 2, 2, 2);
    workers_stop(&workers, drop_job);
    workers_release(&workers);
}

static void one_owner_leaves_places(void **state)
{
    static struct job jobs[LIMIT_HTTP_WAITING + THREADS];
    struct workers workers;
    struct job bob = {0};
    atomic_bool shut = false;
    size_t taken = 0;
    struct err err;

    (void)state;
    memset(jobs, 0, sizeof(jobs));
    assert_int_equal(workers_start(&workers, THREADS, run_job, NULL, &err), 0);
    for (size_t i = 0; i < THREADS - 1; i++) {
        jobs[i].open = &shut;
        assert_true(workers_push(&workers, &jobs[i], ANN, false));
    }
    wait_for(jobs, THREADS - 1, 1, THREADS - 1);
    for (size_t i = THREADS - 1; i < LIMIT_HTTP_WAITING + THREADS; i++) {
        jobs[i].open = &shut;
        taken += workers_push(&workers, &jobs[i], ANN, false);
    }
    assert_int_equal(taken, LIMIT_HTTP_WAITING_OF_ONE);
    bob.open = &shut;
    assert_true(workers_push(&workers, &bob, BOB, false));
    wait_for(&bob, 1, 1, 1);
    shut = true;
    workers_stop(&workers, drop_job);
    assert_int_equal(bob.state, 2);
    workers_release(&workers);
}

static void a_single_thread_serves_all(void **state)
{
    struct workers workers;
    struct job jobs[5] = {0};
    atomic_bool open = true;
    struct err err;

    (void)state;
    assert_int_equal(workers_start(&workers, 1, run_job, NULL, &err), 0);
    for (size_t i = 0; i < 5; i++) {
        jobs[i].open = &open;
        assert_true(workers_push(&workers, &jobs[i], i % 2 ? ANN : BOB, false));
    }
    wait_for(jobs, 5, 2, 5);
    workers_stop(&workers, drop_job);
    assert_false(workers_push(&workers, &jobs[0], ANN, false));
    workers_release(&workers);
}

static bool is_open(void *arg)
{
    struct job *job = arg;

    return *job->open;
}

/* Parked jobs take neither threads nor the places of others, and run once they can. */
static void parked_jobs_are_in_nobodys_way(void **state)
{
    static struct job parked[LIMIT_HTTP_PARKED], plain[8];
    struct workers workers;
    struct job drop = {0};
    atomic_bool shut = false, never = false, open = true;
    struct err err;

    (void)state;
    memset(parked, 0, sizeof(parked));
    memset(plain, 0, sizeof(plain));
    assert_int_equal(workers_start(&workers, THREADS, run_job, is_open, &err), 0);
    for (size_t i = 0; i < LIMIT_HTTP_PARKED - 1; i++) {
        parked[i].open = &shut;
        assert_true(workers_push(&workers, &parked[i], i, true));
    }
    drop.open = &never;
    assert_true(workers_push(&workers, &drop, ANN, true));
    assert_false(workers_push(&workers, &drop, BOB, true)); /* no place */
    for (size_t i = 0; i < 8; i++) {
        plain[i].open = &open;
        assert_true(workers_push(&workers, &plain[i], ANN, false));
    }
    wait_for(plain, 8, 2, 8);
    assert_int_equal(in_state(parked, LIMIT_HTTP_PARKED, 0), LIMIT_HTTP_PARKED);
    shut = true; /* opens */
    wait_for(parked, LIMIT_HTTP_PARKED - 1, 2, LIMIT_HTTP_PARKED - 1);
    assert_int_equal(drop.state, 0);
    workers_stop(&workers, drop_job);
    assert_int_equal(drop.state, -1);
    workers_release(&workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_owner_leaves_a_thread),
        cmocka_unit_test(one_owner_leaves_places),
        cmocka_unit_test(a_single_thread_serves_all),
        cmocka_unit_test(parked_jobs_are_in_nobodys_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
