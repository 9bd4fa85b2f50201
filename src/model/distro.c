/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row for each name of a distribution: the word of our releases, its packages' ecosystem, and
 * the rule by which its version becomes a release, which is what its advisories are written for. A
 * rolling distribution has one release, whatever day its snapshot is of.
 */
#include "model/distro.h"

#include <strings.h>

enum rule {
    RULE_MAJOR,  /* "10.13" -> 10 */
    RULE_MINOR,  /* "3.10.2" -> 3.10 */
    RULE_WHOLE,  /* "2.0 (SP9)" -> 2.0-sp9 */
    RULE_NONE,   /* rolling */
    RULE_AMAZON, /* 2, 2022, 2023; everything before is release 1 ("2018.03") */
    RULE_DEBIAN, /* as RULE_MAJOR; "trixie/sid" -> 13 */
    RULE_EULER,  /* "2.0 (SP9x86_64)" -> 2.0-sp9-x86_64 */
    RULE_KYLIN,  /* "V10 (Lance)" -> v10-sp3 */
};

struct distro {
    const char *family; /* as scanners write it, in lower case */
    const char *word;
    const char *ecosystem;
    enum rule rule;
};

static const struct distro distros[] = {
    {"alpine", "alpine", "apk", RULE_MINOR},
    {"debian", "debian", "deb", RULE_DEBIAN},
    {"raspbian", "raspbian", "deb", RULE_DEBIAN},
    {"ubuntu", "ubuntu", "deb", RULE_MINOR},
    {"redhat", "rhel", "rpm", RULE_MAJOR},
    {"rhel", "rhel", "rpm", RULE_MAJOR},
    {"red hat enterprise linux", "rhel", "rpm", RULE_MAJOR},
    {"centos", "centos", "rpm", RULE_MAJOR},
    {"alma", "almalinux", "rpm", RULE_MAJOR},
    {"almalinux", "almalinux", "rpm", RULE_MAJOR},
    {"rocky", "rocky", "rpm", RULE_MAJOR},
    {"rockylinux", "rocky", "rpm", RULE_MAJOR},
    {"oracle", "oracle", "rpm", RULE_MAJOR},
    {"oraclelinux", "oracle", "rpm", RULE_MAJOR},
    {"ol", "oracle", "rpm", RULE_MAJOR},
    {"fedora", "fedora", "rpm", RULE_MAJOR},
    {"amazon", "amazon", "rpm", RULE_AMAZON},
    {"amazonlinux", "amazon", "rpm", RULE_AMAZON},
    {"amzn", "amazon", "rpm", RULE_AMAZON},
    {"opensuse-leap", "opensuse-leap", "rpm", RULE_MINOR},
    {"opensuse.leap", "opensuse-leap", "rpm", RULE_MINOR},
    {"opensuseleap", "opensuse-leap", "rpm", RULE_MINOR},
    {"opensuse-tumbleweed", "opensuse-tumbleweed", "rpm", RULE_NONE},
    {"opensuse.tumbleweed", "opensuse-tumbleweed", "rpm", RULE_NONE},
    {"opensuse", "opensuse", "rpm", RULE_MINOR},
    {"sles", "sles", "rpm", RULE_WHOLE},
    {"suse linux enterprise server", "sles", "rpm", RULE_WHOLE},
    {"slem", "slem", "rpm", RULE_WHOLE},
    {"sl-micro", "slem", "rpm", RULE_WHOLE},
    {"sle-micro", "slem", "rpm", RULE_WHOLE},
    {"sle-micro-rancher", "slem", "rpm", RULE_WHOLE},
    {"suse linux enterprise micro", "slem", "rpm", RULE_WHOLE},
    {"photon", "photon", "rpm", RULE_MINOR},
    {"cbl-mariner", "mariner", "rpm", RULE_MINOR},
    {"mariner", "mariner", "rpm", RULE_MINOR},
    {"azurelinux", "azurelinux", "rpm", RULE_MINOR},
    {"euleros", "euleros", "rpm", RULE_EULER},
    {"openeuler", "openeuler", "rpm", RULE_WHOLE},
    {"hce", "hce", "rpm", RULE_MINOR},
    {"kylin", "kylin", "rpm", RULE_KYLIN},
    {"anolis", "anolis", "rpm", RULE_WHOLE},
    {"uos", "uos", "rpm", RULE_MAJOR},
    {"scientific", "scientific", "rpm", RULE_MAJOR},
    {"bottlerocket", "bottlerocket", "rpm", RULE_WHOLE},
    {"mageia", "mageia", "rpm", RULE_MAJOR},
    {"wolfi", "wolfi", "apk", RULE_NONE},
    {"chainguard", "chainguard", "apk", RULE_NONE},
    {"minimos", "minimos", "apk", RULE_NONE},
    {"echo", "echo", "deb", RULE_NONE},
    {"arch", "arch", "alpm", RULE_NONE},
    {"archlinux", "arch", "alpm", RULE_NONE},
    {"gentoo", "gentoo", "ebuild", RULE_NONE},
};

enum { DISTRO_COUNT = sizeof(distros) / sizeof(distros[0]) };

static bool same_word(struct slice s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

const struct distro *distro_find(struct slice family)
{
    for (size_t i = 0; i < DISTRO_COUNT; i++)
        if (family.len && same_word(family, distros[i].family))
            return &distros[i];
    return NULL;
}

struct slice distro_ecosystem(const struct distro *distro)
{
    return slice_of(distro->ecosystem);
}

bool distro_has_versions(const struct distro *distro)
{
    return distro->rule != RULE_NONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The first `parts` dotted numbers at the start of the version, or all of it if it starts otherwise
 * ("trixie/sid"). */
static struct slice leading_numbers(struct slice version, unsigned parts)
{
    size_t i = 0;

    while (i < version.len && is_digit(version.ptr[i])) {
        while (i < version.len && is_digit(version.ptr[i]))
            i++;
        if (--parts == 0 || i + 1 >= version.len || version.ptr[i] != '.' ||
            !is_digit(version.ptr[i + 1]))
            break;
        i++;
    }
    return i ? slice_sub(version, 0, i) : version;
}

/* "2 (Karoo)", "2023.1.20230629", "AMI release 2018.03". */
static struct slice amazon_release(struct slice version)
{
    struct slice number;

    while (version.len && !is_digit(version.ptr[0]))
        version = slice_skip(version, 1);
    number = leading_numbers(version, 1);
    if (number.len == 4 && slice_cmp(number, SLICE("2022")) < 0)
        return SLICE("1");
    return number;
}

/* A version that is given by its name: which number it has. */
struct named_version {
    const char *name, *version;
};

static const struct named_version debian_versions[] = {{"wheezy", "7"}, {"jessie", "8"},
    {"stretch", "9"}, {"buster", "10"}, {"bullseye", "11"}, {"bookworm", "12"}, {"trixie", "13"},
    {"forky", "14"}, {"duke", "15"}, {NULL, NULL}};
/* Kylin Linux Advanced Server V10: the service pack is only in the name. */
static const struct named_version kylin_versions[] = {{"V10 (Tercel)", "v10-sp1"},
    {"V10 (Sword)", "v10-sp2"}, {"V10 (Lance)", "v10-sp3"}, {"V10 (Halberd)", "v10-sp3-2403"},
    {NULL, NULL}};

static struct slice version_named(const struct named_version *versions, struct slice name)
{
    for (; versions->name; versions++)
        if (same_word(name, versions->name))
            return slice_of(versions->version);
    return SLICE_NONE;
}

/* "10.13", "trixie", and "trixie/sid": what is to be the next release, or never one. */
static struct slice debian_release(struct slice version)
{
    struct slice codename = slice_sub(version, 0, slice_find_char(version, '/'));
    struct slice number = version_named(debian_versions, codename);

    return number.len ? number : leading_numbers(version, 1);
}

static struct slice kylin_release(struct slice version)
{
    struct slice known = version_named(kylin_versions, version);

    return known.len ? known : version;
}

static struct slice apply(enum rule rule, struct slice version)
{
    switch (rule) {
    case RULE_MAJOR:
        return leading_numbers(version, 1);
    case RULE_MINOR:
        return leading_numbers(version, 2);
    case RULE_NONE:
        return SLICE_NONE;
    case RULE_AMAZON:
        return amazon_release(version);
    case RULE_DEBIAN:
        return debian_release(version);
    case RULE_KYLIN:
        return kylin_release(version);
    case RULE_EULER:
    case RULE_WHOLE:
    default:
        return version;
    }
}

/* Appends s in lower case, runs of blanks as one '-', without parentheses. False if it does not
 * fit. */
static bool append(char *dst, size_t *used, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '(' || c == ')')
            continue;
        if (c == ' ' || c == '\t')
            c = '-';
        if (c == '-' && *used && dst[*used - 1] == '-')
            continue;
        if (*used >= DISTRO_RELEASE_BYTES)
            return false;
        dst[(*used)++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return true;
}

/* "2.0 (SP9x86_64)", "2.0SP9-x86_64", "2.0 (SP8)", "2.0": number, service pack and architecture,
 * which files and advisories run together in different ways. On x86-64 some service packs have
 * advisories of their own. */
static bool append_euler(char *dst, size_t *used, struct slice version)
{
    struct slice number = leading_numbers(version, 3), pack;
    size_t digits = 2;

    version = slice_skip(version, number.len);
    while (version.len && memchr(" (-", version.ptr[0], 3))
        version = slice_skip(version, 1);
    if (!append(dst, used, number))
        return false;
    if (version.len >= 2 && strncasecmp(version.ptr, "sp", 2) == 0) {
        while (digits < version.len && is_digit(version.ptr[digits]))
            digits++;
        pack = slice_sub(version, 0, digits);
        version = slice_skip(version, digits);
        if (!append(dst, used, SLICE("-")) || !append(dst, used, pack))
            return false;
    }
    return version.len == 0 || slice_is(version, ")") ||
           (append(dst, used, SLICE("-")) && append(dst, used, version));
}

struct slice distro_release(
    struct slice family, struct slice version, char dst[DISTRO_RELEASE_BYTES])
{
    const struct distro *distro;
    size_t used = 0;

    family = slice_trim(family);
    version = slice_trim(version);
    if (family.len == 0 || same_word(family, "none"))
        return SLICE_NONE;
    distro = distro_find(family);
    if (distro) {
        family = slice_of(distro->word);
        version = apply(distro->rule, version);
    }
    if (!append(dst, &used, family))
        return SLICE_NONE;
    if (version.len && !append(dst, &used, SLICE("-")))
        return SLICE_NONE;
    if (!(distro && distro->rule == RULE_EULER ? append_euler : append)(dst, &used, version))
        return SLICE_NONE;
    return (struct slice){dst, used};
}

/* The longest known family that the qualifier starts with, up to a '-' or its end. */
static struct slice known_family(struct slice qualifier)
{
    size_t best = 0;

    for (size_t i = 0; i < DISTRO_COUNT; i++) {
        size_t n = strlen(distros[i].family);

        if (n > best && same_word(slice_sub(qualifier, 0, n), distros[i].family) &&
            (n == qualifier.len || qualifier.ptr[n] == '-'))
            best = n;
    }
    return slice_sub(qualifier, 0, best);
}

struct slice distro_release_of_purl(
    struct slice namespace, struct slice qualifier, char dst[DISTRO_RELEASE_BYTES])
{
    struct slice family;

    if (qualifier.len && is_digit(qualifier.ptr[0]))
        return distro_release(namespace, qualifier, dst);
    family = known_family(qualifier);
    if (family.len == 0)
        family = slice_sub(qualifier, 0, slice_find_char(qualifier, '-'));
    return distro_release(family, slice_skip(qualifier, family.len + 1), dst);
}
