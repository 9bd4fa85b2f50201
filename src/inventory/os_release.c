/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which distribution an image is of: os-release (os-release(5)) and the older files beside it. Each
 * tells a release in the words of model/distro.h, which are those that reports on the image come
 * to; a file that tells none is not damaged, as anybody may write such a file.
 *
 * Several are there at once, and disagree: what is built from Debian or Red Hat keeps their files
 * for programs that look for them. So each has a rank, and the highest is believed. os-release
 * stands above all, unless it names a distribution whose releases have versions, and no version
 * (Debian before its release).
 */
#include "inventory/readers.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "inventory/lines.h"
#include "model/distro.h"
#include "model/name.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* 0 tells nothing. */
enum rank {
    RANK_PRESENCE = 1, /* the file is empty, and its name says it */
    RANK_NO_VERSION,
    RANK_DEBIAN,  /* debian_version: Ubuntu has it too */
    RANK_RED_HAT, /* redhat-release: Oracle has it, too */
    RANK_SYSTEM,  /* system-release: a link to the distribution's own file, or Amazon's */
    RANK_OWN,
    RANK_OS_RELEASE_USR,
    RANK_OS_RELEASE, /* etc/ goes before usr/lib/ (os-release(5)) */
};

enum syntax {
    SYNTAX_OS_RELEASE, /* KEY=value */
    SYNTAX_LSB,        /* the same, with DISTRIB_ before the keys */
    SYNTAX_OS_VERSION, /* UOS: an INI file with MajorVersion=20 */
    SYNTAX_SUSE,       /* "SUSE Linux Enterprise Server 12 (x86_64)", PATCHLEVEL = 3 */
    SYNTAX_SENTENCE,   /* "CentOS Linux release 7.6.1810 (Core)" */
    SYNTAX_VERSION,    /* "3.10.4" */
};

struct told_by {
    const char *name; /* below etc/ or usr/lib/ */
    enum syntax syntax;
    enum rank rank;
    const char *family; /* of SYNTAX_VERSION, and where the file is empty */
};

static const struct told_by files[] = {
    {"os-release", SYNTAX_OS_RELEASE, RANK_OS_RELEASE, NULL},
    {"lsb-release", SYNTAX_LSB, RANK_OWN, NULL},
    {"os-version", SYNTAX_OS_VERSION, RANK_OWN, "uos"},
    {"SuSE-release", SYNTAX_SUSE, RANK_OWN, NULL},
    {"alpine-release", SYNTAX_VERSION, RANK_OWN, "alpine"},
    {"debian_version", SYNTAX_VERSION, RANK_DEBIAN, "debian"},
    {"redhat-release", SYNTAX_SENTENCE, RANK_RED_HAT, NULL},
    {"system-release", SYNTAX_SENTENCE, RANK_SYSTEM, NULL},
    {"almalinux-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"anolis-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"arch-release", SYNTAX_SENTENCE, RANK_PRESENCE, "arch"},
    {"azurelinux-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"centos-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"euleros-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"fedora-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"hce-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"kylin-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"mariner-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"openEuler-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"oracle-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"photon-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"rocky-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
    {"uos-release", SYNTAX_SENTENCE, RANK_OWN, NULL},
};

static struct slice base_name(struct slice path)
{
    if (slice_starts_with(path, "etc/"))
        return slice_skip(path, strlen("etc/"));
    if (slice_starts_with(path, "usr/lib/"))
        return slice_skip(path, strlen("usr/lib/"));
    return SLICE_NONE;
}

static const struct told_by *find_file(struct slice path)
{
    struct slice name = base_name(path);

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (slice_is(name, files[i].name))
            return &files[i];
    return NULL;
}

static bool os_release_matches(struct slice path)
{
    return find_file(path) != NULL;
}

/* ---- names of distributions ---- */

/* How names in full begin, longer ones before what they begin with. */
static const struct {
    const char *name, *family;
} names[] = {
    {"alpine linux", "alpine"},
    {"almalinux", "almalinux"},
    {"amazon linux", "amazon"},
    {"anolis os", "anolis"},
    {"arch linux", "arch"},
    {"cbl-mariner", "mariner"},
    {"centos", "centos"},
    {"common base linux mariner", "mariner"},
    {"debian gnu/linux", "debian"},
    {"enterprise linux enterprise linux", "oracle"},
    {"euleros virtualization", "euleros virtualization"},
    {"euleros", "euleros"},
    {"fedora", "fedora"},
    {"huawei cloud euleros", "hce"},
    {"kylin linux", "kylin"},
    {"microsoft azure linux", "azurelinux"},
    {"openeuler", "openeuler"},
    {"opensuse leap", "opensuse-leap"},
    {"opensuse tumbleweed", "opensuse-tumbleweed"},
    {"opensuse", "opensuse"},
    {"oracle linux", "oracle"},
    {"red hat enterprise linux", "redhat"},
    {"rocky linux", "rocky"},
    {"scientific linux", "scientific"},
    {"suse linux enterprise micro", "slem"},
    {"suse linux enterprise server", "sles"},
    {"suse linux micro", "slem"},
    {"ubuntu", "ubuntu"},
    {"uniontech os", "uos"},
    {"uos server", "uos"},
    {"vmware photon", "photon"},
};

/* The family of a name in full; a name that nobody knows is its own. */
static struct slice family_of(struct slice name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (name.len >= strlen(names[i].name) &&
            strncasecmp(name.ptr, names[i].name, strlen(names[i].name)) == 0)
            return slice_of(names[i].family);
    return name;
}

/* ---- what a file tells ---- */

struct told {
    char text[LIMIT_OS_RELEASE_BYTES]; /* of the file */
    size_t len;
    char joined[64];              /* a version that stands in two places of it */
    struct slice family, version; /* in one of these, or static */
};

/* The next line, trimmed, that is no comment. */
static bool next_line(struct slice *text, struct slice *ret)
{
    while (text->len) {
        *ret = slice_trim(slice_pull_until(text, '\n'));
        if (ret->len && ret->ptr[0] != '#')
            return true;
    }
    return false;
}

/* A value of os-release as a shell reads it: in quotes or not, '\\' before a character that is
 * meant. In place: it only gets shorter. */
static struct slice unquote(char *at, size_t len)
{
    char quote = len && (at[0] == '"' || at[0] == '\'') ? at[0] : '\0';
    size_t used = 0;

    for (size_t i = quote ? 1 : 0; i < len && at[i] != quote; i++) {
        if (at[i] == '\\' && quote != '\'' && i + 1 < len)
            i++;
        at[used++] = at[i];
    }
    return slice_trim((struct slice){at, used});
}

struct wanted {
    const char *key;
    struct slice *value;
};

/* Of a key that is there twice the last one counts, as in a shell. */
static void read_keys(struct told *told, const struct wanted *wanted, size_t count)
{
    struct slice text = {told->text, told->len}, line;

    while (next_line(&text, &line)) {
        struct slice value = line, key = slice_trim(slice_pull_until(&value, '='));

        value = slice_trim(value);
        for (size_t i = 0; i < count; i++)
            if (slice_is(key, wanted[i].key))
                *wanted[i].value =
                    unquote(told->text + (value.len ? value.ptr - told->text : 0), value.len);
    }
}

/* Distributions whose VERSION says more than VERSION_ID: "22.03 (LTS-SP1)", "2.0 (SP9x86_64)",
 * "V10 (Lance)". */
static bool is_told_by_version(struct slice id)
{
    static const char *const ids[] = {"openeuler", "euleros", "kylin"};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (id.len == strlen(ids[i]) && strncasecmp(id.ptr, ids[i], id.len) == 0)
            return true;
    return false;
}

static void read_os_release(struct told *told)
{
    struct slice id = SLICE_NONE, name = SLICE_NONE, version = SLICE_NONE, version_id = SLICE_NONE,
                 codename = SLICE_NONE;
    const struct wanted wanted[] = {{"ID", &id}, {"NAME", &name}, {"VERSION", &version},
        {"VERSION_ID", &version_id}, {"VERSION_CODENAME", &codename}};

    read_keys(told, wanted, sizeof(wanted) / sizeof(wanted[0]));
    told->family = id.len ? id : family_of(name);
    /* Leap 42 called itself openSUSE, as what was before it. */
    if (slice_is(id, "opensuse") && slice_is(family_of(name), "opensuse-leap"))
        told->family = SLICE("opensuse-leap");
    told->version = version_id.len && !is_told_by_version(id) ? version_id : version;
    if (told->version.len == 0)
        told->version = version_id.len ? version_id : codename;
}

static void read_lsb(struct told *told)
{
    const struct wanted wanted[] = {
        {"DISTRIB_ID", &told->family}, {"DISTRIB_RELEASE", &told->version}};

    read_keys(told, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static void read_os_version(struct told *told)
{
    const struct wanted wanted[] = {{"MajorVersion", &told->version}};

    read_keys(told, wanted, sizeof(wanted) / sizeof(wanted[0]));
    if (told->version.len == 0)
        told->family = SLICE_NONE;
}

/* "NAME release VERSION", or "NAME VERSION". */
static void read_sentence(struct told *told)
{
    static const char release[] = " release ";
    struct slice text = {told->text, told->len}, line;
    const char *at;
    size_t cut;

    if (!next_line(&text, &line))
        return;
    at = memmem(line.ptr, line.len, release, strlen(release));
    cut = at ? (size_t)(at - line.ptr) : 0;
    while (!at && cut < line.len &&
           !(line.ptr[cut] == ' ' && cut + 1 < line.len && line.ptr[cut + 1] >= '0' &&
               line.ptr[cut + 1] <= '9'))
        cut++;
    told->family = family_of(slice_sub(line, 0, cut));
    told->version = slice_trim(slice_skip(line, cut + (at ? strlen(release) : 0)));
}

/* The first line has the whole version of openSUSE, and that of SLES without its service pack,
 * which os-release writes behind a dot. */
static void read_suse(struct told *told)
{
    struct slice level = SLICE_NONE, version;
    const struct wanted wanted[] = {{"PATCHLEVEL", &level}};
    int len;

    read_sentence(told);
    version = slice_sub(told->version, 0, slice_find_char(told->version, ' '));
    told->version = version;
    read_keys(told, wanted, sizeof(wanted) / sizeof(wanted[0]));
    if (!slice_is(told->family, "sles") || level.len == 0 || slice_is(level, "0"))
        return;
    len = snprintf(
        told->joined, sizeof(told->joined), "%.*s.%.*s", SLICE_FMT(version), SLICE_FMT(level));
    if (len > 0 && (size_t)len < sizeof(told->joined))
        told->version = slice_of(told->joined);
}

static void read_version(struct told *told)
{
    struct slice text = {told->text, told->len};

    if (!next_line(&text, &told->version))
        told->family = SLICE_NONE;
}

/* ---- the reader ---- */

static int load(const struct inventory_file *file, struct told *told, struct err *err)
{
    uint64_t size = file->content->size;

    told->len = size < sizeof(told->text) ? (size_t)size : sizeof(told->text);
    return blob_read(file->content, 0, told->text, told->len, err);
}

static void interpret(const struct told_by *by, struct told *told)
{
    if (by->family)
        told->family = slice_of(by->family);
    switch (by->syntax) {
    case SYNTAX_OS_RELEASE:
        read_os_release(told);
        return;
    case SYNTAX_LSB:
        read_lsb(told);
        return;
    case SYNTAX_OS_VERSION:
        read_os_version(told);
        return;
    case SYNTAX_SUSE:
        read_suse(told);
        return;
    case SYNTAX_SENTENCE:
        read_sentence(told);
        return;
    case SYNTAX_VERSION:
    default:
        read_version(told);
    }
}

static enum rank rank_of(const struct told_by *by, const struct told *told, struct slice path)
{
    const struct distro *distro = distro_find(told->family);

    if (distro && told->version.len == 0 && distro_has_versions(distro))
        return by->rank < RANK_NO_VERSION ? by->rank : RANK_NO_VERSION;
    if (by->rank == RANK_OS_RELEASE && !slice_starts_with(path, "etc/"))
        return RANK_OS_RELEASE_USR;
    return by->rank;
}

static int os_release_read(
    const struct inventory_file *file, struct inventory *inventory, struct err *err)
{
    const struct told_by *by = find_file(file->path);
    struct told told = {0};
    char text[DISTRO_RELEASE_BYTES];
    struct slice release;
    struct err unfit;

    if (load(file, &told, err) < 0)
        return -1;
    interpret(by, &told);
    release = distro_release(told.family, told.version, text);
    if (name_check("release", release, true, &unfit) < 0)
        return 0;
    if (arena_dup(&inventory->arena, release, &inventory->os_release, err) < 0)
        return -1;
    inventory->os_rank = (int)rank_of(by, &told, file->path);
    return 0;
}

const struct inventory_reader inventory_os_release = {
    .name = "os-release", .matches = os_release_matches, .read = os_release_read};
