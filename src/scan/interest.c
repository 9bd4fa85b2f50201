/* SPDX-License-Identifier: Apache-2.0 */
/* See interest.h. Asked for every entry of every layer: the table is short, and a path that is in
 * none of its first folders is seen at once not to matter. */
#include "scan/interest.h"

#include <string.h>

static const char *const examples[] = {
    "var/lib/dpkg/status",
    "usr/lib/dpkg/status",
    "var/lib/dpkg/status.d/*",
    "usr/lib/dpkg/status.d/*",
    "usr/lib/opkg/status",
    "var/lib/opkg/status",
    "usr/share/doc/*/copyright",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/share/rpm/rpmdb.sqlite",
    "usr/share/rpm/Packages",
    "usr/share/rpm/Packages.db",
    "var/lib/rpmmanifest/container-manifest-2",
    "var/lib/pacman/local/*/desc",
    "etc/os-release",
    "usr/lib/os-release",
};

const char *interest_example(size_t i)
{
    return i < sizeof(examples) / sizeof(examples[0]) ? examples[i] : NULL;
}

/* Is path the folder, or below it? *rest: what follows, with its '/'. */
static bool is_within(struct slice path, struct slice folder, struct slice *rest)
{
    if (path.len < folder.len || memcmp(path.ptr, folder.ptr, folder.len) != 0 ||
        (path.len > folder.len && path.ptr[folder.len] != '/'))
        return false;
    *rest = slice_skip(path, folder.len);
    return true;
}

static struct slice joined(struct buf *scratch, struct slice folder, struct slice rest)
{
    buf_clear(scratch);
    buf_put_slice(scratch, folder);
    buf_put_slice(scratch, rest);
    return scratch->failed ? SLICE_NONE : buf_slice(scratch);
}

static const struct inventory_reader *direct_reader(struct slice path)
{
    return path.len ? inventory_reader_for(path) : NULL;
}

const struct inventory_reader *interest_reader(
    const struct interest *interest, struct slice path, struct buf *scratch, struct slice *as)
{
    const struct inventory_reader *reader = direct_reader(path);
    struct slice rest;

    *as = path;
    for (size_t i = 0; !reader && i < interest->alias_count; i++)
        if (is_within(path, interest->aliases[i].real, &rest)) {
            *as = joined(scratch, interest->aliases[i].as, rest);
            reader = direct_reader(*as);
        }
    return reader;
}

bool interest_is_beside(const struct interest *interest, struct slice path, struct buf *scratch)
{
    size_t dash = slice_rfind_char(path, '-');
    const struct inventory_reader *reader;
    struct slice as;

    if (dash == path.len)
        return false;
    reader = interest_reader(interest, slice_sub(path, 0, dash), scratch, &as);
    return reader && reader->beside && slice_is(slice_skip(path, dash), reader->beside);
}

/* Does the example go through the path? *many: the path's last part is any name. */
static bool goes_through(const char *example, struct slice path, bool *many)
{
    *many = false;
    while (path.len) {
        struct slice part = slice_pull_until(&path, '/');
        size_t len = strcspn(example, "/");

        *many = len == 1 && *example == '*';
        if (!*many && (len != part.len || memcmp(example, part.ptr, len) != 0))
            return false;
        if (example[len] == '\0')
            return false; /* it is the file itself, or below it */
        example += len + 1;
    }
    return true;
}

enum above interest_above(const struct interest *interest, struct slice path)
{
    enum above found = ABOVE_NOTHING;
    struct slice rest;
    bool many;

    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        if (goes_through(examples[i], path, &many)) {
            if (!many)
                return ABOVE_ALL;
            found = ABOVE_ONE_OF_MANY;
        }
    for (size_t i = 0; i < interest->alias_count; i++)
        if (path.len == 0 || is_within(interest->aliases[i].real, path, &rest) ||
            is_within(path, interest->aliases[i].real, &rest))
            return ABOVE_ALL;
    return found;
}

/* What follows in the example when it goes through the path; NULL when it does not. */
static const char *example_behind(const char *example, struct slice path)
{
    bool many;

    if (!goes_through(example, path, &many))
        return NULL;
    while (path.len) {
        slice_pull_until(&path, '/');
        example += strcspn(example, "/") + 1;
    }
    return example;
}

bool interest_is_licence(struct slice path)
{
    return slice_starts_with(path, "usr/share/doc/");
}

bool interest_needs_alias(struct slice path, struct slice real, struct buf *scratch)
{
    if (interest_is_licence(path))
        return false;
    if (direct_reader(path))
        return !direct_reader(real);
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const char *behind = example_behind(examples[i], path);

        if (!behind)
            continue;
        buf_clear(scratch);
        buf_put_slice(scratch, real);
        if (real.len)
            buf_put_char(scratch, '/');
        buf_put_cstr(scratch, behind);
        if (scratch->failed || !direct_reader(buf_slice(scratch)))
            return true;
    }
    return false;
}

bool interest_lists_packages(const struct inventory_reader *reader)
{
    static const char *const others[] = {"os-release", "deb-copyright"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(reader->name, others[i]) == 0)
            return false;
    return true;
}
