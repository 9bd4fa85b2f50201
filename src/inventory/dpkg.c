/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpkg's list of packages (deb822(5), deb-control(5), and dpkg's lib/dpkg/parse.c), which is also
 * opkg's: one paragraph a package, "Field: value" lines, further lines of a value start with a
 * blank, an empty line ends the paragraph. Distroless images have a file for each package instead,
 * in status.d, without a Status.
 *
 *     Package: libc6
 *     Status: install ok installed
 *     Architecture: amd64
 *     Source: glibc              or "glibc (2.36-9)" where its version is another one
 *     Version: 2.36-9+deb12u4
 *
 * What is listed is what has, or may have, files in the image: every state (the third word of
 * Status) but not-installed and config-files. In a finished image that is dpkg-query's "ii"; a
 * package on hold ("hi") has its files too, and so has one whose installation broke off.
 */
#include "inventory/readers.h"

#include "base/cleanup.h"
#include "inventory/paragraph.h"
#include "model/name.h"

#include <string.h>
#include <strings.h>

/* ---- paths ---- */

/* Beside the package's own file, status.d may hold what dpkg keeps in info/. */
static bool is_of_package(struct slice name)
{
    static const char *const others[] = {".md5sums", ".sha256sums", ".list", ".conffiles",
        ".preinst", ".postinst", ".prerm", ".postrm", ".config", ".templates", ".triggers",
        ".shlibs", ".symbols"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (slice_ends_with(name, others[i]))
            return false;
    return name.len > 0 && slice_find_char(name, '/') == name.len;
}

static bool is_in_status_d(struct slice path)
{
    static const char *const folders[] = {"var/lib/dpkg/status.d/", "usr/lib/dpkg/status.d/"};

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (slice_starts_with(path, folders[i]))
            return is_of_package(slice_skip(path, strlen(folders[i])));
    return false;
}

static bool dpkg_matches(struct slice path)
{
    return slice_is(path, "var/lib/dpkg/status") || slice_is(path, "usr/lib/dpkg/status") ||
           is_in_status_d(path);
}

static bool opkg_matches(struct slice path)
{
    return slice_is(path, "usr/lib/opkg/status") || slice_is(path, "var/lib/opkg/status");
}

/* ---- paragraphs ---- */

struct dpkg {
    struct lines lines;
    struct paragraph paragraph;
    struct inventory *inventory;
    const char *ecosystem;
    const char *field; /* the kept field that the line before belongs to; NULL: another one */
};

static void dpkg_release(struct dpkg *dpkg)
{
    lines_release(&dpkg->lines);
    paragraph_release(&dpkg->paragraph);
}

static const struct {
    const char *name;
    enum field field;
} kept[] = {
    {"Package", FIELD_NAME},
    {"Version", FIELD_VERSION},
    {"Architecture", FIELD_ARCH},
    {"Source", FIELD_SOURCE},
    {"Status", FIELD_STATUS},
};

/* The third word of Status; -1 for a Status that dpkg does not write. */
static int has_files(const struct dpkg *dpkg, struct slice status, bool *ret, struct err *err)
{
    static const struct {
        const char *state;
        bool has_files;
    } states[] = {
        {"installed", true},
        {"not-installed", false},
        {"config-files", false},
        {"half-installed", true},
        {"unpacked", true},
        {"half-configured", true},
        {"triggers-awaited", true},
        {"triggers-pending", true},
    };
    size_t cut = slice_rfind_char(status, ' ');
    struct slice state = cut < status.len ? slice_skip(status, cut + 1) : status;
    char shown[NAME_SHOWN_BYTES];

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (!slice_is(state, states[i].state))
            continue;
        *ret = states[i].has_files;
        return 0;
    }
    return lines_fail(&dpkg->lines, err,
        "\"%s\" is no Status of a package (that starts in line %zu)", name_shown(status, shown),
        dpkg->paragraph.first_line);
}

/* A paragraph without a Status is a package that something else than dpkg has put there. */
static int end_paragraph(struct dpkg *dpkg, struct err *err)
{
    struct slice status = dpkg->paragraph.fields[FIELD_STATUS];
    bool installed = true;

    dpkg->field = NULL;
    if (status.ptr && has_files(dpkg, status, &installed, err) < 0)
        return -1;
    if (!installed) {
        paragraph_clear(&dpkg->paragraph);
        return 0;
    }
    return paragraph_end(&dpkg->paragraph, &dpkg->lines, dpkg->inventory, dpkg->ecosystem, err);
}

static bool same_name(struct slice name, const char *known)
{
    return name.len == strlen(known) && strncasecmp(name.ptr, known, name.len) == 0;
}

static int read_field(struct dpkg *dpkg, struct slice line, struct err *err)
{
    struct slice value = line, name = slice_trim(slice_pull_until(&value, ':'));

    if (name.len == 0 || slice_find_char(line, ':') == line.len)
        return lines_fail(&dpkg->lines, err, "a line that is not a field, a colon and a value");
    paragraph_begin(&dpkg->paragraph, &dpkg->lines);
    dpkg->field = NULL;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (!same_name(name, kept[i].name))
            continue;
        dpkg->field = kept[i].name;
        return paragraph_put(
            &dpkg->paragraph, &dpkg->lines, kept[i].field, kept[i].name, slice_trim(value), err);
    }
    return 0;
}

static int read_line(struct dpkg *dpkg, struct slice line, struct err *err)
{
    if (line.len == 0)
        return end_paragraph(dpkg, err);
    if (line.ptr[0] == '#')
        return 0;
    if (line.ptr[0] != ' ' && line.ptr[0] != '\t')
        return read_field(dpkg, line, err);
    if (slice_trim(line).len == 0)
        return 0;
    if (dpkg->paragraph.first_line == 0)
        return lines_fail(&dpkg->lines, err, "a value goes on before there is a field");
    if (dpkg->field)
        return lines_fail(&dpkg->lines, err, "%s has more than one line", dpkg->field);
    return 0;
}

static int read_status(const struct inventory_file *file, struct inventory *inventory,
    const char *ecosystem, struct err *err)
{
    struct dpkg dpkg CLEANUP(dpkg_release) = {.inventory = inventory, .ecosystem = ecosystem};
    struct slice line;

    paragraph_init(&dpkg.paragraph);
    if (lines_open(&dpkg.lines, file, err) < 0)
        return -1;
    while (lines_next(&dpkg.lines, &line))
        if (read_line(&dpkg, line, err) < 0)
            return -1;
    if (lines_end(&dpkg.lines, err) < 0)
        return -1;
    return end_paragraph(&dpkg, err);
}

static int dpkg_read(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    return read_status(file, inventory, "deb", err);
}

static int opkg_read(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    return read_status(file, inventory, "opkg", err);
}

const struct inventory_reader inventory_dpkg = {
    .name = "dpkg", .matches = dpkg_matches, .read = dpkg_read};
const struct inventory_reader inventory_opkg = {
    .name = "opkg", .matches = opkg_matches, .read = opkg_read};
