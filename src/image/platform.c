/* SPDX-License-Identifier: Apache-2.0 */
/* See platform.h; the same as containerd's platforms package, as far as it matters here. */
#include "image/platform.h"

static struct slice normal_architecture(struct slice name)
{
    static const struct {
        const char *other, *name;
    } names[] = {
        {"x86_64", "amd64"},
        {"x86-64", "amd64"},
        {"aarch64", "arm64"},
        {"i386", "386"},
        {"i686", "386"},
        {"loongarch64", "loong64"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(name, names[i].other))
            return slice_of(names[i].name);
    return name;
}

static bool is_os(struct slice name)
{
    static const char *const names[] = {"linux", "windows", "freebsd", "darwin", "openbsd",
        "netbsd", "solaris", "illumos", "aix", "android", "plan9", "wasip1", "js"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

int platform_parse(struct slice text, struct platform *ret, struct err *err)
{
    struct platform platform = {0};
    struct slice rest = text, first = slice_pull_until(&rest, '/');

    if (is_os(first)) {
        platform.os = first;
        first = slice_pull_until(&rest, '/');
    }
    platform.architecture = normal_architecture(first);
    platform.variant = rest;
    if (slice_ends_with(text, "/") || slice_find_char(rest, '/') < rest.len ||
        (first.len == 0 && (rest.len || slice_starts_with(text, "/"))))
        return err_set(err, ERR_INVALID,
            "\"%.*s\" is no platform: write linux/arm64/v8, linux/amd64 or arm64", SLICE_FMT(text));
    *ret = platform;
    return 0;
}

bool platform_matches(const struct platform *wanted, struct slice os, struct slice architecture)
{
    struct slice variant = architecture, base = slice_pull_until(&variant, '/');

    base = normal_architecture(base);
    if (wanted->os.len && !slice_eq(wanted->os, os))
        return false;
    if (wanted->architecture.len && !slice_eq(wanted->architecture, base))
        return false;
    if (wanted->variant.len == 0)
        return true;
    if (variant.len == 0 && slice_is(base, "arm64"))
        variant = SLICE("v8");
    return slice_eq(wanted->variant, variant);
}
