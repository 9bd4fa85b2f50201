/* SPDX-License-Identifier: Apache-2.0 */
/* Reports read ahead by threads come in the order of the inputs, each with its own failure. */
#include "unit.h"

#include "cli/reading.h"
#include "files.h"

static struct inputs inputs;
static struct err err;

static int setup(void **state)
{
    inputs_init(&inputs);
    err = (struct err){0};
    return make_folder(state);
}

static int teardown(void **state)
{
    inputs_release(&inputs);
    return remove_folder(state);
}

static bool is_broken(size_t input)
{
    return input % 5 == 3;
}

static bool is_missing(size_t input)
{
    return input % 7 == 6;
}

/* Sizes differ, so that later ones are read sooner. */
static void add_inputs(size_t count)
{
    static char text[400000];

    for (size_t i = 0; i < count; i++) {
        char name[32];
        size_t blanks = i % 3 == 0 ? sizeof(text) / 2 : 0;

        snprintf(name, sizeof(name), "%zu.json", i);
        memset(text, ' ', blanks);
        snprintf(text + blanks, sizeof(text) - blanks,
            "{\"SchemaVersion\": 2, \"ArtifactName\": \"image-%zu:1\", "
            "\"ArtifactType\": \"container_image\", \"Results\": []%s",
            i, is_broken(i) ? "" : "}");
        if (!is_missing(i))
            write_file(name, text);
        assert_ok(inputs_add(&inputs, in_folder(name), &err));
    }
}

static void check_report(const struct read_report *read, size_t input)
{
    char name[32];

    assert_int_equal(read->failed, is_broken(input) || is_missing(input));
    if (is_missing(input)) {
        assert_int_equal(read->err.code, ERR_NOT_FOUND);
        return;
    }
    if (is_broken(input)) {
        assert_int_equal(read->err.code, ERR_FORMAT);
        return;
    }
    snprintf(name, sizeof(name), "image-%zu", input);
    assert_slice(read->report.name, name);
}

static struct reading *start(void)
{
    struct reading *reading = reading_start(&inputs, &err);

    if (!reading)
        fail_msg("%s", err.message);
    return reading;
}

static void test_one_by_one(void **state)
{
    struct reading *reading;

    (void)state;
    add_inputs(40);
    reading = start();
    for (size_t i = 0; i < inputs.count; i++) {
        check_report(reading_next(reading), i);
        reading_done(reading, 1);
    }
    assert_false(reading_has_next(reading));
    reading_stop(reading);
}

/* Several are out at once, and stay valid until they are given back. */
static void test_windows(void **state)
{
    struct reading *reading;
    size_t done = 0;

    (void)state;
    add_inputs(41);
    reading = start();
    while (done < inputs.count) {
        struct read_report *out[READING_WINDOW];
        size_t count = 0;

        do {
            out[count++] = reading_next(reading);
        } while (reading_has_next(reading));
        assert_in_range(count, 1, READING_WINDOW);
        for (size_t i = 0; i < count; i++)
            check_report(out[i], done + i);
        reading_done(reading, count);
        done += count;
    }
    reading_stop(reading);
}

/* A full window is waited for. */
static void test_full_window(void **state)
{
    struct reading *reading;
    struct read_report *out[READING_WINDOW];

    (void)state;
    add_inputs(READING_WINDOW * 2);
    reading = start();
    for (size_t i = 0; i < READING_WINDOW; i++)
        out[i] = reading_next(reading);
    assert_false(reading_has_next(reading));
    usleep(20000); /* the threads must not take a place that is out */
    for (size_t i = 0; i < READING_WINDOW; i++)
        check_report(out[i], i);
    reading_done(reading, READING_WINDOW);
    check_report(reading_next(reading), READING_WINDOW);
    reading_stop(reading); /* with one out, and others read ahead */
}

static void test_stop_early(void **state)
{
    (void)state;
    add_inputs(30);
    for (int i = 0; i < 20; i++) {
        struct reading *reading = start();

        if (i % 2)
            check_report(reading_next(reading), 0);
        reading_stop(reading);
    }
    reading_stop(NULL);
}

/* "-" is standard input, which stays open for others. */
static void test_standard_input(void **state)
{
    struct reading *reading;
    int saved = dup(STDIN_FILENO);

    (void)state;
    write_file("in.json", "{\"SchemaVersion\": 2, \"ArtifactName\": \"piped:1\", "
                          "\"ArtifactType\": \"container_image\", \"Results\": []}");
    assert_non_null(freopen(in_folder("in.json"), "r", stdin));
    assert_ok(inputs_add(&inputs, "-", &err));
    reading = start();
    assert_slice(reading_next(reading)->report.name, "piped");
    reading_stop(reading);
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_by_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_window, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_early, setup, teardown),
        cmocka_unit_test_setup_teardown(test_standard_input, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
