/* SPDX-License-Identifier: Apache-2.0 */
/* See inputs.h. scandir sorts, so that the same folder is always imported in the same order. */
#include "cli/inputs.h"

#include <dirent.h>
#include <sys/stat.h>

enum { FOLDER_DEPTH_MAX = 64, INPUTS_MEMORY_BYTES = 512 * 1024 * 1024 };

void inputs_init(struct inputs *inputs)
{
    *inputs = (struct inputs){0};
    arena_init(&inputs->arena, "the list of files", INPUTS_MEMORY_BYTES);
}

void inputs_release(struct inputs *inputs)
{
    arena_release(&inputs->arena);
}

static int add_file(struct inputs *inputs, const char *path, struct err *err)
{
    struct slice *grown = arena_grow(
        &inputs->arena, inputs->at, inputs->count, &inputs->cap, sizeof(*inputs->at), err);

    if (!grown)
        return -1;
    inputs->at = grown;
    if (arena_dup(&inputs->arena, slice_of(path), &inputs->at[inputs->count], err) < 0)
        return -1;
    inputs->count++;
    return 0;
}

static int keep_entry(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_report_name(const char *name)
{
    return slice_ends_with(slice_of(name), ".json") || slice_ends_with(slice_of(name), ".json.gz");
}

static int walk(struct inputs *inputs, const char *folder, int depth, struct err *err);

static int add_entry(
    struct inputs *inputs, const char *folder, const char *name, int depth, struct err *err)
{
    char path[4096];
    struct stat status;

    const char *slash = slice_ends_with(slice_of(folder), "/") ? "" : "/";

    if ((size_t)snprintf(path, sizeof(path), "%s%s%s", folder, slash, name) >= sizeof(path))
        return err_set(err, ERR_LIMIT, "%s%s%s: the path is longer than %zu bytes", folder, slash,
            name, sizeof(path) - 1);
    if (lstat(path, &status) < 0)
        return err_set_errno(err, "cannot look at %s", path);
    if (S_ISDIR(status.st_mode))
        return walk(inputs, path, depth + 1, err);
    if (!is_report_name(name) || (S_ISLNK(status.st_mode) && stat(path, &status) < 0) ||
        !S_ISREG(status.st_mode))
        return 0;
    return add_file(inputs, path, err);
}

static int walk(struct inputs *inputs, const char *folder, int depth, struct err *err)
{
    struct dirent **entries;
    int count, failed = 0;

    if (depth > FOLDER_DEPTH_MAX)
        return err_set(
            err, ERR_LIMIT, "%s: folders are nested deeper than %d", folder, FOLDER_DEPTH_MAX);
    count = scandir(folder, &entries, keep_entry, alphasort);
    if (count < 0)
        return err_set_errno(err, "cannot read the folder %s", folder);
    for (int i = 0; i < count; i++) {
        if (!failed)
            failed = add_entry(inputs, folder, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int inputs_add(struct inputs *inputs, const char *path, struct err *err)
{
    struct stat status;
    size_t before = inputs->count;

    if (strcmp(path, "-") == 0 || stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        return add_file(inputs, path, err);
    if (walk(inputs, path, 0, err) < 0)
        return -1;
    if (inputs->count == before)
        return err_set(err, ERR_NOT_FOUND,
            "%s: there is no file in this folder whose name ends in .json or .json.gz", path);
    return 0;
}
