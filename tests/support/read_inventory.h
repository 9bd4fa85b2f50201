/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets of the package databases share. */
#ifndef CAREEN_TESTS_SUPPORT_READ_INVENTORY_H
#define CAREEN_TESTS_SUPPORT_READ_INVENTORY_H

#include "base/bug.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "inventory/inventory.h"

#include <string.h>

static inline void check_found(const struct found_package *found)
{
    struct err err = {0};

    BUG_ON(package_check(&found->package, &err) < 0);
    BUG_ON(found->package.version.len == 0);
    BUG_ON(found->package.release.len || found->package.channel.len);
    BUG_ON(found->licence.len > LIMIT_LICENCE_BYTES || !utf8_is_line(found->licence));
}

static inline void check_inventory(const struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->package_count; i++)
        check_found(&inventory->packages[i]);
    for (size_t i = 0; i < inventory->licence_count; i++) {
        BUG_ON(inventory->licences[i].package.len == 0 || inventory->licences[i].licence.len == 0);
        BUG_ON(!utf8_is_line(inventory->licences[i].package));
        BUG_ON(!utf8_is_line(inventory->licences[i].licence));
    }
    BUG_ON(!utf8_is_line(inventory->os_release));
    BUG_ON((inventory->os_rank > 0) != (inventory->os_release.len > 0));
}

/* Reads bytes as the file at path. *inventory is initialised here, and is to be released. False
 * when it is refused, which has to be for a reason that names the file. */
static inline bool read_as(const char *path, struct slice bytes, struct inventory *inventory)
{
    const struct inventory_reader *reader = inventory_reader_for(slice_of(path));
    const struct blob blob = blob_of_memory(bytes, path);
    const struct inventory_file file = {.path = slice_of(path), .content = &blob};
    struct err err = {0};

    BUG_ON(!reader);
    inventory_init(inventory);
    if (reader->read(&file, inventory, &err) == 0) {
        check_inventory(inventory);
        return true;
    }
    BUG_ON(err.code != ERR_FORMAT && err.code != ERR_INVALID && err.code != ERR_LIMIT);
    BUG_ON(strncmp(err.message, path, strlen(path)) != 0);
    return false;
}

static inline bool same_package(const struct found_package *a, const struct found_package *b)
{
    return slice_eq(a->package.name, b->package.name) &&
           slice_eq(a->package.version, b->package.version) &&
           slice_eq(a->package.arch, b->package.arch) &&
           slice_eq(a->package.source_name, b->package.source_name) &&
           slice_eq(a->package.source_version, b->package.source_version) &&
           slice_eq(a->licence, b->licence);
}

/* Of a text of paragraphs: an empty line and the same once more gives the same packages once more:
 * no paragraph depends on what is around it. */
static inline void check_paragraphs(const char *path, struct slice bytes)
{
    struct inventory once, twice;
    struct buf text = BUF_INIT(2 * bytes.len + 16);

    if (read_as(path, bytes, &once)) {
        buf_put_slice(&text, bytes);
        buf_put_cstr(&text, "\n\n");
        buf_put_slice(&text, bytes);
        BUG_ON(!read_as(path, buf_slice(&text), &twice));
        BUG_ON(twice.package_count != 2 * once.package_count);
        for (size_t i = 0; i < twice.package_count; i++)
            BUG_ON(!same_package(&twice.packages[i], &once.packages[i % once.package_count]));
        inventory_release(&twice);
    }
    inventory_release(&once);
    buf_release(&text);
}

#endif
