/* SPDX-License-Identifier: Apache-2.0 */
/* A data folder with an empty store, for the tests of this room that need one. */
#ifndef CAREEN_TESTS_AUTH_FOLDER_H
#define CAREEN_TESTS_AUTH_FOLDER_H

#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

struct folder {
    char path[256];
    struct store *store;
};

static inline void assert_failed(
    int result, const struct err *err, enum err_code code, const char *part)
{
    assert_int_equal(result, -1);
    if (err->code != code || !strstr(err->message, part))
        fail_msg("code %d, not %d, or no \"%s\" in: %s", err->code, code, part, err->message);
}

static inline int folder_setup(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    struct err err;

    if (!folder)
        return -1;
    snprintf(folder->path, sizeof(folder->path), "/tmp/careen-auth-XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    folder->store = store_open(folder->path, STORE_CREATE, &err);
    *state = folder;
    return folder->store ? 0 : -1;
}

static inline int folder_teardown(void **state)
{
    struct folder *folder = *state;
    DIR *dir = opendir(folder->path);
    struct dirent *entry;
    char path[600];

    store_close(folder->store);
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof(path), "%s/%s", folder->path, entry->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(folder->path);
    free(folder);
    return 0;
}

/* DATA/secret.key. */
static inline void key_path(const struct folder *folder, char path[300])
{
    snprintf(path, 300, "%s/secret.key", folder->path);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

#endif
