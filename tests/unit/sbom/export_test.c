/* SPDX-License-Identifier: Apache-2.0 */
/* SBOMs out, and in again without loss. Their validity is tested in tests/e2e/test_sbom_export.py.
 */
#include "unit.h"

#include "document.h"
#include "rng.h"
#include "sbom/export.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

typedef int (*write_fn)(const struct sbom_image *image, struct buf *out, struct err *err);

/* ecosystem, release, channel, name, version, arch, module, source name, source version */
static const struct package packages[] = {
    {SLICE_INIT("deb"), SLICE_INIT("debian-12"), SLICE_INIT(""), SLICE_INIT("libstdc++6"),
        SLICE_INIT("12.2.0-14"), SLICE_INIT("amd64"), SLICE_INIT(""), SLICE_INIT("gcc-12"),
        SLICE_INIT("")},
    {SLICE_INIT("deb"), SLICE_INIT("debian-12"), SLICE_INIT("esm-apps"), SLICE_INIT("Upper_Case"),
        SLICE_INIT("1:2.0~rc1-1+b1"), SLICE_INIT("all"), SLICE_INIT(""), SLICE_INIT(""),
        SLICE_INIT("1.9")},
    {SLICE_INIT("deb"), SLICE_INIT("ubuntu-22.04"), SLICE_INIT(""), SLICE_INIT("other-release"),
        SLICE_INIT("1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("deb"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("other-release"),
        SLICE_INIT("1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("rpm"), SLICE_INIT("debian-12"), SLICE_INIT(""), SLICE_INIT("nodejs"),
        SLICE_INIT("1:18.12.1-2.module+el8"), SLICE_INIT("x86_64"), SLICE_INIT("nodejs:18:x:y"),
        SLICE_INIT("nodejs-src"), SLICE_INIT("1:18.12.0-1")},
    {SLICE_INIT("rpm"), SLICE_INIT("debian-12"), SLICE_INIT(""), SLICE_INIT("gpg-pubkey"),
        SLICE_INIT("0:1"), SLICE_INIT("None"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("ebuild"), SLICE_INIT("debian-12"), SLICE_INIT(""), SLICE_INIT("app-misc/foo"),
        SLICE_INIT("1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("foo.src.rpm"), SLICE_INIT("")},
    {SLICE_INIT("pypi"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("Django_Rest.Framework"),
        SLICE_INIT("3.0RC1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("npm"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("@babel/core"),
        SLICE_INIT("7.0.0"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("maven"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("org.example:tool"),
        SLICE_INIT("1.0 Final"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("maven"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("groupless"), SLICE_INIT(""),
        SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("golang"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("stdlib"),
        SLICE_INIT("v1.22.1+incompatible"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""),
        SLICE_INIT("")},
    {SLICE_INIT("golang"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("example.org/A//b/"),
        SLICE_INIT("v1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("generic"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("a/b?c#d@e"),
        SLICE_INIT("@1?#/"), SLICE_INIT("x"), SLICE_INIT("m"), SLICE_INIT("a@b"),
        SLICE_INIT("c@d")},
    {SLICE_INIT("not a purl type!"), SLICE_INIT(""), SLICE_INIT("c"), SLICE_INIT("\"quoted\" \\"),
        SLICE_INIT("NOASSERTION"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("git"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("github.com/Owner/Repo"),
        SLICE_INIT("1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("oci"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("some/image"), SLICE_INIT("1"),
        SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
    {SLICE_INIT("swift"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("\xe5\x90\x8d\xe5\x89\x8d"),
        SLICE_INIT("1"), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT(""), SLICE_INIT("")},
};

enum { PACKAGES = sizeof(packages) / sizeof(packages[0]) };

static const struct slice related[] = {SLICE_INIT("CVE-2024-0001"), SLICE_INIT("DSA-1-1")};

/* The fourth and the fifth are one for a reader: the worse severity, the first fixed version. */
static const struct sbom_claim claims[] = {
    {SLICE_INIT("CVE-2024-0009"), NULL, 0, 0, SEVERITY_NEGLIGIBLE, SLICE_INIT("")},
    {SLICE_INIT("CVE-2024-0009"), NULL, 0, 4, SEVERITY_CRITICAL, SLICE_INIT("1:19")},
    {SLICE_INIT("CVE-2024-0009"), NULL, 0, 8, SEVERITY_NEGLIGIBLE, SLICE_INIT("")},
    {SLICE_INIT("GHSA-aaaa-bbbb-cccc"), related, 1, 9, SEVERITY_LOW, SLICE_INIT("")},
    {SLICE_INIT("GHSA-aaaa-bbbb-cccc"), related, 2, 9, SEVERITY_HIGH, SLICE_INIT("2.0, 3.0; 4")},
    {SLICE_INIT("EulerOS-SA-2023-1"), related, 1, 5, SEVERITY_UNKNOWN, SLICE_INIT("2")},
};

static struct sbom_image make_image(void)
{
    return (struct sbom_image){.tool_version = "0.1",
        .id = "6b3f2d6e-3f0e-5f5c-8a8e-3f3b1f0e2d6e",
        .name = SLICE("r.example.org:5000/shop/App"),
        .tag = SLICE("1.0"),
        .digest = SLICE(D1),
        .config_digest = SLICE(D2),
        .os_release = SLICE("debian-12"),
        .architecture = SLICE("arm64/v8"),
        .size_bytes = 1234,
        .scanned_ms = 1700000000123,
        .complete = true,
        .packages = packages,
        .package_count = PACKAGES,
        .claims = claims,
        .claim_count = sizeof(claims) / sizeof(claims[0])};
}

static bool same_package(const struct package *a, const struct package *b)
{
    return slice_eq(a->ecosystem, b->ecosystem) && slice_eq(a->release, b->release) &&
           slice_eq(a->channel, b->channel) && slice_eq(a->name, b->name) &&
           slice_eq(a->version, b->version) && slice_eq(a->arch, b->arch) &&
           slice_eq(a->module, b->module) && slice_eq(a->source_name, b->source_name) &&
           slice_eq(a->source_version, b->source_version);
}

/* Writes the image, reads the document, and finds every package in it. */
static void read_back(const struct sbom_image *image, write_fn write)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 24);

    assert_ok(write(image, &out, &err));
    if (read_bytes(buf_slice(&out)) != 0)
        fail_msg("%s: %s", err.message, out.data);
    assert_int_equal(report.package_count, image->package_count);
    for (size_t i = 0; i < image->package_count; i++) {
        size_t k = 0;

        while (k < report.package_count && !same_package(&image->packages[i], &report.packages[k]))
            k++;
        if (k == report.package_count)
            fail_msg("lost %.*s in %s", SLICE_FMT(image->packages[i].name), out.data);
    }
}

static void assert_image(const struct sbom_image *image)
{
    assert_true(report.is_image);
    assert_int_equal(report.complete, image->complete);
    assert_true(slice_eq(report.name, image->name));
    assert_true(slice_eq(report.tag, image->tag));
    assert_true(slice_eq(report.digest, image->digest));
    assert_true(slice_eq(report.config_digest, image->config_digest));
    assert_true(slice_eq(report.os_release, image->os_release));
    assert_true(slice_eq(report.architecture, image->architecture));
    assert_int_equal(report.size_bytes, image->size_bytes);
}

static void keeps_everything(void **state)
{
    static const write_fn writers[] = {sbom_write_cyclonedx, sbom_write_spdx};
    struct sbom_image image = make_image();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        image = make_image();
        read_back(&image, writers[i]);
        assert_image(&image);
        image.complete = false;
        read_back(&image, writers[i]);
        assert_image(&image);
        image.tag = image.digest = image.config_digest = SLICE_NONE;
        image.architecture = SLICE_NONE;
        image.size_bytes = -1;
        read_back(&image, writers[i]);
        assert_image(&image);
        image.digest = image.config_digest = SLICE(D2); /* no registry has it */
        image.os_release = SLICE("euleros-2.0-sp9");
        read_back(&image, writers[i]);
        assert_image(&image);
        image.name = SLICE("nginx");
        image.os_release = SLICE_NONE;
        read_back(&image, writers[i]);
        assert_image(&image);
        image.package_count = image.claim_count = 0;
        image.os_release = SLICE("wolfi");
        read_back(&image, writers[i]);
        assert_image(&image);
    }
}

static void keeps_claims(void **state)
{
    struct sbom_image image = make_image();
    const struct report_claim *claim;

    (void)state;
    read_back(&image, sbom_write_cyclonedx);
    assert_int_equal(report.claim_count, 5);
    claim = claim_of("CVE-2024-0009", "libstdc++6");
    assert_int_equal(claim->severity, SEVERITY_NEGLIGIBLE);
    assert_slice(claim->fixed_version, "");
    claim = claim_of("CVE-2024-0009", "nodejs");
    assert_int_equal(claim->severity, SEVERITY_CRITICAL);
    assert_slice(claim->fixed_version, "1:19");
    assert_int_equal(claim_of("CVE-2024-0009", "@babel/core")->severity, SEVERITY_NEGLIGIBLE);
    claim = claim_of("GHSA-aaaa-bbbb-cccc", "org.example:tool");
    assert_int_equal(claim->severity, SEVERITY_HIGH);
    assert_slice(claim->fixed_version, "2.0, 3.0; 4");
    assert_names(&report.records[claim->record].aliases, "CVE-2024-0001");
    assert_names(&report.records[claim->record].covers, "DSA-1-1");
    claim = claim_of("EulerOS-SA-2023-1", "gpg-pubkey");
    assert_int_equal(claim->severity, SEVERITY_UNKNOWN);
    assert_names(&report.records[claim->record].covers, "CVE-2024-0001");
    read_back(&image, sbom_write_spdx);
    assert_int_equal(report.claim_count, 0);
}

/* Whatever order the store has the packages and claims in. */
static void is_deterministic(void **state)
{
    struct buf first CLEANUP(buf_release) = BUF_INIT(1UL << 24);
    struct buf second CLEANUP(buf_release) = BUF_INIT(1UL << 24);
    struct sbom_image image = make_image();
    struct package turned[PACKAGES];
    struct sbom_claim moved[sizeof(claims) / sizeof(claims[0])];

    (void)state;
    assert_ok(sbom_write_cyclonedx(&image, &first, &err));
    assert_non_null(strstr(first.data, "\"timestamp\":\"2023-11-14T22:13:20Z\""));
    for (size_t i = 0; i < PACKAGES; i++)
        turned[PACKAGES - 1 - i] = packages[i];
    for (size_t i = 0; i < image.claim_count; i++) {
        moved[i] = claims[i];
        moved[i].package = PACKAGES - 1 - claims[i].package;
    }
    image.packages = turned;
    image.claims = moved;
    assert_ok(sbom_write_cyclonedx(&image, &second, &err));
    assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
    image.scanned_ms++;
    buf_clear(&second);
    assert_ok(sbom_write_cyclonedx(&image, &second, &err));
    assert_false(slice_eq(buf_slice(&first), buf_slice(&second)));
}

static void names_what_fixes(void **state)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1UL << 24);
    struct sbom_image image = make_image();

    (void)state;
    image.complete = false;
    assert_ok(sbom_write_cyclonedx(&image, &out, &err));
    assert_non_null(strstr(out.data, "\"recommendation\":\"Upgrade nodejs to version 1:19\""));
    assert_non_null(strstr(out.data, "\"compositions\":[{\"aggregate\":\"incomplete\""));
    assert_null(strstr(out.data, "Django_Rest.Framework\"},{\"name\":\"careen:release"));
    assert_non_null(strstr(out.data, "pkg:pypi/django-rest.framework@3.0rc1"));
    assert_non_null(strstr(out.data, "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro="
                                     "debian-12&upstream=gcc-12"));
    assert_non_null(strstr(out.data, "pkg:oci/app@" D1));
}

static void stops_at_the_ceiling(void **state)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(1000);
    struct sbom_image image = make_image();

    (void)state;
    assert_int_equal(sbom_write_cyclonedx(&image, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_clear(&out);
    assert_int_equal(sbom_write_spdx(&image, &out, &err), -1);
}

/* ---- any packages ---- */

static struct slice random_text(struct rng *rng, char *at, bool needed)
{
    static const char letters[] = "aA1.-_/:@+~%?#&= \"\\";
    size_t len = needed + rng_below(rng, 8);

    for (size_t i = 0; i < len; i++)
        at[i] = letters[rng_below(rng, sizeof(letters) - 1)];
    return (struct slice){at, len};
}

static void keeps_any_package(void **state)
{
    static const char *const ecosystems[] = {"deb", "rpm", "apk", "npm", "maven", "golang", "pypi",
        "generic", "git", "k8s", "pub", "ebuild", "cpan", "odd one"};
    static const char *const releases[] = {"", "debian-12", "rhel-9", "wolfi", "x"};
    struct rng rng = {7};

    (void)state;
    for (int round = 0; round < 3000; round++) {
        static char texts[7][16];
        struct sbom_image image = make_image();
        struct package package = {
            .ecosystem = slice_of(ecosystems[rng_below(&rng, sizeof(ecosystems) / sizeof(char *))]),
            .channel = random_text(&rng, texts[0], false),
            .name = random_text(&rng, texts[1], true),
            .version = random_text(&rng, texts[2], false),
            .arch = random_text(&rng, texts[3], false),
            .module = random_text(&rng, texts[4], false),
            .source_name = random_text(&rng, texts[5], false),
            .source_version = random_text(&rng, texts[6], false)};

        if (package_vul_type(package.ecosystem) == VUL_LINUX)
            package.release = slice_of(releases[rng_below(&rng, 5)]);
        image.os_release = slice_of(releases[rng_below(&rng, 5)]);
        image.packages = &package;
        image.package_count = 1;
        image.claim_count = 0;
        read_back(&image, round % 2 ? sbom_write_cyclonedx : sbom_write_spdx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_everything),
        TEST(keeps_claims),
        TEST(is_deterministic),
        TEST(names_what_fixes),
        TEST(stops_at_the_ceiling),
        TEST(keeps_any_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
