/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the contract that needs threads and processes: writers take turns and say who has it,
 * readers do not wait, many processes share one store. A child never uses a store that its parent
 * opened.
 */
#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

enum { CHILDREN = 6, CHILD_WRITES = 15, SHARED_NAMES = 40 };

static void wait_for_byte(int fd)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 1);
}

static void assert_child_succeeds(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- A writer that holds the store ---------------------------------------------------------------
 */

/* In a child: begins a write, says so, and sleeps until it is killed. */
static void hold_write(const char *dir, int tell_fd)
{
    struct err err;
    struct store *store = store_open(dir, STORE_WRITE, &err);
    uint32_t id;

    if (!store || store_begin(store, "careen import", &err) < 0 ||
        store_put_name(store, SLICE("uncommitted"), &id, &err) < 0 || write(tell_fd, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static pid_t start_holder(const char *dir)
{
    int pipe_fds[2];
    pid_t pid;

    assert_int_equal(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0)
        hold_write(dir, pipe_fds[1]);
    close(pipe_fds[1]);
    wait_for_byte(pipe_fds[0]);
    close(pipe_fds[0]);
    return pid;
}

static void test_other_process_holds(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    int64_t start_us, waited_ms;
    char pid_text[32];
    pid_t pid;
    struct err err;

    store_close(f->store);
    f->store = NULL;
    pid = start_holder(f->dir);
    f->store = store_open(f->dir, STORE_WRITE, &err);
    assert_non_null(f->store);

    /* Reads do not wait for the writer. */
    start_us = clock_monotonic_us();
    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.names, 0);
    assert_true(clock_monotonic_us() - start_us < 1000000);

    start_us = clock_monotonic_us();
    assert_fails(store_begin(f->store, "me", &err), ERR_BUSY, "being written by careen import");
    waited_ms = (clock_monotonic_us() - start_us) / 1000;
    assert_in_range(waited_ms, LIMIT_WRITER_WAIT_MS - 100, LIMIT_WRITER_WAIT_MS + 3000);
    snprintf(pid_text, sizeof(pid_text), "(pid %ld) since 20", (long)pid);
    assert_non_null(strstr(err.message, pid_text));
    assert_non_null(strstr(err.message, "try again"));

    /* Killed in the middle of its write: nothing of it is left, and the way is free. */
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    begin(f->store);
    assert_int_equal(put_name(f->store, "next"), 1);
    commit(f->store);
    assert_ok(store_check(f->store, &err));
}

struct waiter {
    struct store *store;
    struct err err;
    int result;
    int64_t waited_ms;
};

static void *wait_for_turn(void *context)
{
    struct waiter *waiter = context;
    int64_t start_us = clock_monotonic_us();

    waiter->result = store_begin(waiter->store, "waiter", &waiter->err);
    waiter->waited_ms = (clock_monotonic_us() - start_us) / 1000;
    store_rollback(waiter->store);
    return NULL;
}

static void test_other_thread_holds(void **state)
{
    struct fixture *f = *state;
    struct waiter waiter = {.store = f->store};
    pthread_t thread;
    struct err err;

    assert_ok(store_begin(f->store, "careen serve", &err));
    assert_int_equal(pthread_create(&thread, NULL, wait_for_turn, &waiter), 0);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.result, -1);
    assert_int_equal(waiter.err.code, ERR_BUSY);
    assert_non_null(strstr(waiter.err.message, "being written by careen serve (pid "));
    assert_in_range(waiter.waited_ms, LIMIT_WRITER_WAIT_MS - 100, LIMIT_WRITER_WAIT_MS + 3000);

    /* The write is still this thread's: the other's rollback did not touch it. */
    put_name(f->store, "mine");
    commit(f->store);
}

static void test_turn_is_passed_on(void **state)
{
    struct fixture *f = *state;
    struct waiter waiter = {.store = f->store};
    pthread_t thread;

    begin(f->store);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_turn, &waiter), 0);
    usleep(100000);
    commit(f->store);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.result, 0);
    assert_in_range(waiter.waited_ms, 0, LIMIT_WRITER_WAIT_MS - 1000);
}

/* --- Reads beside a write ------------------------------------------------------------------------
 */

struct reading {
    struct store *store;
    uint64_t names;
    int result;
};

static void *read_stats(void *context)
{
    struct reading *reading = context;
    struct store_stats stats;
    struct err err;

    reading->result = store_stats(reading->store, &stats, &err);
    reading->names = reading->result == 0 ? stats.names : 99;
    return NULL;
}

static uint64_t names_seen_by_another_thread(struct store *store)
{
    struct reading reading = {.store = store};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, read_stats, &reading), 0);
    pthread_join(thread, NULL);
    assert_int_equal(reading.result, 0);
    return reading.names;
}

static void test_reads_run_beside_a_write(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    struct err err;

    begin(f->store);
    put_name(f->store, "a");
    assert_int_equal(names_seen_by_another_thread(f->store), 0);
    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.names, 1);
    commit(f->store);
    assert_int_equal(names_seen_by_another_thread(f->store), 1);
}

struct crowd {
    struct store *store;
    int seed;
    int failed;
};

/* Threads that read and write one store at once; the sanitizers watch. */
static void *join_crowd(void *context)
{
    struct crowd *me = context;
    struct store_stats stats;
    char name[32];
    uint32_t id;
    struct err err;

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "n-%d", (i * 7 + me->seed) % 50);
        if (store_begin(me->store, "crowd", &err) < 0 ||
            store_put_name(me->store, slice_of(name), &id, &err) < 0 ||
            store_stats(me->store, &stats, &err) < 0 || stats.names < 1)
            me->failed++;
        if (i % 3 == 0)
            store_rollback(me->store);
        else if (store_commit(me->store, &err) < 0)
            me->failed++;
        if (store_stats(me->store, &stats, &err) < 0)
            me->failed++;
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd[4];
    pthread_t threads[4];
    struct err err;

    for (int i = 0; i < 4; i++) {
        crowd[i] = (struct crowd){.store = f->store, .seed = i};
        assert_int_equal(pthread_create(&threads[i], NULL, join_crowd, &crowd[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(crowd[i].failed, 0);
    }
    assert_ok(store_check(f->store, &err));
}

/* --- Many processes ------------------------------------------------------------------------------
 */

/* Opens (whoever is first makes the store), and puts names that the others put too. */
static int child_writes(const char *dir, int child)
{
    struct err err;
    struct store *store = store_open(dir, STORE_CREATE, &err);
    struct cause cause = {.kind = CAUSE_IMAGE_SET, .project = 1, .image = (uint32_t)child + 1};
    char name[32];
    uint32_t id;

    for (int i = 0; store && i < CHILD_WRITES; i++) {
        if (store_begin(store, "child", &err) < 0)
            break;
        for (int n = 0; n < 10; n++) {
            snprintf(name, sizeof(name), "name-%d", (child * 3 + i * 5 + n) % SHARED_NAMES);
            if (store_put_name(store, slice_of(name), &id, &err) < 0)
                break;
        }
        if (store_add_cause(store, &cause, &err) < 0 || store_commit(store, &err) < 0)
            break;
        if (i == CHILD_WRITES - 1) {
            store_close(store);
            return 0;
        }
    }
    print_error("child %d: %s\n", child, err.message);
    return 1;
}

static int count_cause(void *ctx, const struct cause *cause, struct err *err)
{
    uint64_t *count = ctx;

    (void)err;
    assert_int_equal(cause->number, *count + 1); /* no gap: every one was committed */
    *count = cause->number;
    return 0;
}

static void test_many_processes(void **state)
{
    struct fixture *f = *state;
    pid_t pids[CHILDREN];
    struct store_stats stats;
    uint64_t causes = 0;
    struct err err;

    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(child_writes(f->dir, i));
    }
    for (int i = 0; i < CHILDREN; i++)
        assert_child_succeeds(pids[i]);
    f->store = store_open(f->dir, STORE_READ, &err);
    assert_non_null(f->store);
    assert_ok(store_stats(f->store, &stats, &err));
    assert_int_equal(stats.projects, 1);
    assert_int_equal(stats.names, SHARED_NAMES);
    assert_ok(store_each_cause(f->store, 0, 10000, count_cause, &causes, &err));
    assert_int_equal(causes, CHILDREN * CHILD_WRITES);
    assert_ok(store_check(f->store, &err));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_other_process_holds),
        TEST(test_other_thread_holds),
        TEST(test_turn_is_passed_on),
        TEST(test_reads_run_beside_a_write),
        TEST(test_many_threads),
        cmocka_unit_test_setup_teardown(test_many_processes, setup_folder, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
