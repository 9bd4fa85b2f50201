/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of readers share: a text read as if it were the file of an image. */
#ifndef CAREEN_TESTS_UNIT_INVENTORY_READING_H
#define CAREEN_TESTS_UNIT_INVENTORY_READING_H

#include "unit.h"

#include "base/buf.h"
#include "inventory/inventory.h"

#include <string.h>

/* By the reader that the path has. */
static inline int read_as(
    const char *path, struct slice text, struct inventory *inventory, struct err *err)
{
    const struct inventory_reader *reader = inventory_reader_for(slice_of(path));
    const struct blob blob = blob_of_memory(text, path);
    const struct inventory_file file = {.path = slice_of(path), .content = &blob};

    assert_non_null(reader);
    return reader->read(&file, inventory, err);
}

/* Must be refused, with this message. */
static inline void refuse(
    const char *path, struct slice text, enum err_code code, const char *message)
{
    struct inventory inventory;
    struct err err = {0};

    inventory_init(&inventory);
    assert_int_equal(read_as(path, text, &inventory, &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
    inventory_release(&inventory);
}

/* "name version arch source source_version licence|..." of all packages, '-' for what is empty. */
static inline void assert_packages(const struct inventory *inventory, const char *expected)
{
    struct buf text = BUF_INIT(1 << 20);

    for (size_t i = 0; i < inventory->package_count; i++) {
        const struct found_package *at = &inventory->packages[i];
        const struct slice fields[] = {at->package.name, at->package.version, at->package.arch,
            at->package.source_name, at->package.source_version, at->licence};

        for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
            buf_put_cstr(&text, k ? " " : "");
            buf_put_slice(&text, fields[k].len ? fields[k] : SLICE("-"));
        }
        buf_put_char(&text, '\n');
    }
    assert_slice(buf_slice(&text), expected);
    buf_release(&text);
}

#endif
