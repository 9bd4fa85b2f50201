/* SPDX-License-Identifier: Apache-2.0 */
/* The key file in every state that a folder can be in, and sealing with it. */
#include "folder.h"

#include <pthread.h>

#include "auth/seal.h"
#include "base/cleanup.h"

static void write_key(const struct folder *folder, const char *text, mode_t mode)
{
    char path[300];
    FILE *file;

    key_path(folder, path);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_made_when_needed(void **state)
{
    struct folder *folder = *state;
    struct seal seal, again;
    struct stat file;
    char path[300];
    struct err err;

    key_path(folder, path);
    assert_failed(seal_read(folder->path, &seal, &err), &err, ERR_NOT_FOUND, path);
    assert_failed(seal_read(folder->path, &seal, &err), &err, ERR_NOT_FOUND, "backup");
    assert_ok(seal_read_or_make(folder->path, &seal, &err));
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(file.st_nlink, 1);
    assert_ok(seal_read_or_make(folder->path, &again, &err));
    assert_memory_equal(&seal, &again, sizeof(seal));
    assert_ok(seal_read(folder->path, &again, &err));
    assert_memory_equal(&seal, &again, sizeof(seal));
    seal_forget(&again);
    assert_memory_not_equal(&seal, &again, sizeof(seal));
}

static void test_bad_files(void **state)
{
    struct folder *folder = *state;
    struct seal seal;
    struct err err;
    char good[66];

    memset(good, 'a', 64);
    good[64] = '\n';
    good[65] = '\0';
    write_key(folder, good, 0600);
    assert_ok(seal_read(folder->path, &seal, &err));
    write_key(folder, good, 0640);
    assert_failed(seal_read(folder->path, &seal, &err), &err, ERR_DENIED, "chmod 600");
    assert_failed(seal_read_or_make(folder->path, &seal, &err), &err, ERR_DENIED, "chmod 600");
    write_key(folder, good, 0604);
    assert_failed(seal_read(folder->path, &seal, &err), &err, ERR_DENIED, "secret.key");
    write_key(folder, good + 1, 0600);
    assert_failed(seal_read(folder->path, &seal, &err), &err, ERR_CORRUPT, "damaged");
    write_key(folder, "", 0600);
    assert_failed(seal_read_or_make(folder->path, &seal, &err), &err, ERR_CORRUPT, "damaged");
    good[3] = 'x';
    write_key(folder, good, 0600);
    assert_failed(seal_read(folder->path, &seal, &err), &err, ERR_CORRUPT, "damaged");
}

static void *make(void *ctx)
{
    struct seal *seal = calloc(1, sizeof(*seal));
    struct err err;

    assert_non_null(seal);
    assert_ok(seal_read_or_make(ctx, seal, &err));
    return seal;
}

static void test_made_at_once(void **state)
{
    enum { THREADS = 8 };
    struct folder *folder = *state;
    pthread_t threads[THREADS];
    void *seals[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make, folder->path), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], &seals[i]);
    for (int i = 0; i < THREADS; i++)
        assert_memory_equal(seals[0], seals[i], sizeof(struct seal));
    for (int i = 0; i < THREADS; i++)
        free(seals[i]);
}

static void test_sealing(void **state)
{
    struct folder *folder = *state;
    struct seal seal = {.key = {1}}, other = {.key = {2}};
    struct buf sealed CLEANUP(buf_release) = BUF_INIT(1000);
    char opened[16];
    size_t len;
    struct err err;

    seal_secret(&seal, SLICE("secret key text"), SLICE("AK"), &sealed);
    assert_ok(seal_open(
        &seal, folder->path, buf_slice(&sealed), SLICE("AK"), opened, sizeof(opened), &len, &err));
    assert_int_equal(len, 15);
    assert_memory_equal(opened, "secret key text", 15);
    assert_failed(seal_open(&other, folder->path, buf_slice(&sealed), SLICE("AK"), opened,
                      sizeof(opened), &len, &err),
        &err, ERR_CORRUPT, "secret.key is not the key file that access key AK was sealed with");
    assert_failed(seal_open(&seal, folder->path, buf_slice(&sealed), SLICE("AX"), opened,
                      sizeof(opened), &len, &err),
        &err, ERR_CORRUPT, "AX");
    assert_failed(
        seal_open(&seal, folder->path, buf_slice(&sealed), SLICE("AK"), opened, 14, &len, &err),
        &err, ERR_CORRUPT, "AK");
    assert_failed(seal_open(&seal, folder->path, SLICE("short"), SLICE("AK"), opened,
                      sizeof(opened), &len, &err),
        &err, ERR_CORRUPT, "AK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_made_when_needed),
        WITH_FOLDER(test_bad_files),
        WITH_FOLDER(test_made_at_once),
        WITH_FOLDER(test_sealing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
