/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with the root of a file system, for tests that scan one. */
#ifndef CAREEN_TESTS_SCAN_TREE_H
#define CAREEN_TESTS_SCAN_TREE_H

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DPKG_BASH                                                                      \
    "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n" \
    "Description: x\n"

struct tree {
    char root[64];
};

static inline void tree_begin(struct tree *tree)
{
    snprintf(tree->root, sizeof(tree->root), "/tmp/careen-tree-test.XXXXXX");
    assert_non_null(mkdtemp(tree->root));
}

static inline void tree_end(struct tree *tree)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf %s", tree->root);
    assert_int_equal(system(command), 0);
}

/* The path within the tree, with the folders above it made. */
static inline char *tree_path(const struct tree *tree, const char *path, char dst[256])
{
    snprintf(dst, 256, "%s/%s", tree->root, path);
    for (char *slash = strchr(dst + strlen(tree->root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(dst, 0755);
        *slash = '/';
    }
    return dst;
}

static inline void tree_file(const struct tree *tree, const char *path, const char *content)
{
    char full[256];
    int fd = open(tree_path(tree, path, full), O_CREAT | O_TRUNC | O_WRONLY, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

static inline void tree_link(const struct tree *tree, const char *path, const char *target)
{
    char full[256];

    assert_int_equal(symlink(target, tree_path(tree, path, full)), 0);
}

#endif
