/* SPDX-License-Identifier: Apache-2.0 */
/* What each distribution calls a release, by the words of scanners and of purls. */
#include "unit.h"

#include "model/distro.h"

static void names_releases(void **state)
{
    static const struct {
        const char *family, *version, *release;
    } table[] = {
        {"debian", "10.13", "debian-10"},
        {"debian", "12", "debian-12"},
        {"debian", "trixie/sid", "debian-13"},
        {"debian", "bookworm", "debian-12"},
        {"debian", "unheard/sid", "debian-unheard/sid"},
        {"debian", "", "debian"},
        {"alpine", "3.10.2", "alpine-3.10"},
        {"alpine", "3.20", "alpine-3.20"},
        {"alpine", "3.21.0_alpha20240807", "alpine-3.21"},
        {"ubuntu", "22.04", "ubuntu-22.04"},
        {"ubuntu", "22.04.2", "ubuntu-22.04"},
        {"redhat", "7.7", "rhel-7"},
        {"rhel", "8.7", "rhel-8"},
        {"centos", "6.10", "centos-6"},
        {"CentOS", "7 (Core)", "centos-7"},
        {"alma", "8.5", "almalinux-8"},
        {"almalinux", "9.2", "almalinux-9"},
        {"rocky", "9.1", "rocky-9"},
        {"rockylinux", "9.1", "rocky-9"},
        {"oracle", "8.6", "oracle-8"},
        {"oraclelinux", "8.6", "oracle-8"},
        {"fedora", "39", "fedora-39"},
        {"amazon", "2 (Karoo)", "amazon-2"},
        {"amazonlinux", "2023", "amazon-2023"},
        {"amazon", "2023.1.20230629", "amazon-2023"},
        {"amazon", "2022", "amazon-2022"},
        {"amazon", "AMI release 2018.03", "amazon-1"},
        {"amazonlinux", "2018.03", "amazon-1"},
        {"opensuse-leap", "15.1", "opensuse-leap-15.1"},
        {"opensuse.leap", "15.1", "opensuse-leap-15.1"},
        {"opensuse-tumbleweed", "20240607", "opensuse-tumbleweed"},
        {"sles", "15.3", "sles-15.3"},
        {"slem", "5.4", "slem-5.4"},
        {"photon", "3.0", "photon-3.0"},
        {"cbl-mariner", "1.0.20220101", "mariner-1.0"},
        {"azurelinux", "3.0", "azurelinux-3.0"},
        {"wolfi", "20230201", "wolfi"},
        {"chainguard", "20230214", "chainguard"},
        {"euleros", "2.0 (SP9)", "euleros-2.0-sp9"},
        {"EulerOS", "2.0 SP9x86_64", "euleros-2.0-sp9-x86_64"},
        {"euleros", "2.0 (SP10x86_64)", "euleros-2.0-sp10-x86_64"},
        {"euleros", "2.0SP9-x86_64", "euleros-2.0-sp9-x86_64"},
        {"euleros", "2.0SP1", "euleros-2.0-sp1"},
        {"euleros", "2.0", "euleros-2.0"},
        {"euleros", "", "euleros"},
        {"openeuler", "22.03 LTS", "openeuler-22.03-lts"},
        {"hce", "2.0 (x86_64)", "hce-2.0"},
        {"kylin", "V10 (Lance)", "kylin-v10-sp3"},
        {"kylin", "V10 (Sword)", "kylin-v10-sp2"},
        {"kylin", "V11 (Swan25)", "kylin-v11-swan25"},
        {"kylin", "V10", "kylin-v10"},
        {"uos", "20", "uos-20"},
        {"scientific", "7.9", "scientific-7"},
        {"sle-micro-rancher", "5.4", "slem-5.4"},
        {"openeuler", "22.03 (LTS-SP1)", "openeuler-22.03-lts-sp1"},
        {"My Linux", " 1.2  Beta ", "my-linux-1.2-beta"},
        {"busybox", "1.32.1", "busybox-1.32.1"},
        {"none", "", ""},
        {"", "3", ""},
    };
    char text[DISTRO_RELEASE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        assert_slice(distro_release(slice_of(table[i].family), slice_of(table[i].version), text),
            table[i].release);
}

static void reads_purl_qualifiers(void **state)
{
    static const struct {
        const char *namespace, *distro, *release;
    } table[] = {
        {"debian", "debian-10.2", "debian-10"},
        {"alpine", "3.9.4", "alpine-3.9"},
        {"rhel", "rhel-8.7", "rhel-8"},
        {"amazon", "amazon-2 (Karoo)", "amazon-2"},
        {"amazon", "amazon-AMI release 2018.03", "amazon-1"},
        {"opensuse", "opensuse-leap-15.1", "opensuse-leap-15.1"},
        {"opensuse", "opensuse-tumbleweed-20240607", "opensuse-tumbleweed"},
        {"cbl-mariner", "cbl-mariner-1.0", "mariner-1.0"},
        {"x", "unheard-of-3", "unheard-of-3"},
        {"x", "wolfi", "wolfi"},
        {"x", "", ""},
    };
    char text[DISTRO_RELEASE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        assert_slice(
            distro_release_of_purl(slice_of(table[i].namespace), slice_of(table[i].distro), text),
            table[i].release);
}

static void drops_what_does_not_fit(void **state)
{
    char text[DISTRO_RELEASE_BYTES], version[DISTRO_RELEASE_BYTES];

    (void)state;
    memset(version, 'v', sizeof(version));
    assert_int_equal(
        distro_release(SLICE("odd"), (struct slice){version, sizeof(version)}, text).len, 0);
    assert_int_equal(
        distro_release(SLICE("odd"), (struct slice){version, sizeof(version) - 4}, text).len,
        sizeof(text));
}

static void knows_ecosystems(void **state)
{
    (void)state;
    assert_slice(distro_ecosystem(distro_find(SLICE("Alpine"))), "apk");
    assert_slice(distro_ecosystem(distro_find(SLICE("euleros"))), "rpm");
    assert_slice(distro_ecosystem(distro_find(SLICE("ubuntu"))), "deb");
    assert_null(distro_find(SLICE("npm")));
    assert_null(distro_find(SLICE_NONE));
}

static void knows_rolling_ones(void **state)
{
    (void)state;
    assert_true(distro_has_versions(distro_find(SLICE("debian"))));
    assert_true(distro_has_versions(distro_find(SLICE("openEuler"))));
    assert_false(distro_has_versions(distro_find(SLICE("wolfi"))));
    assert_false(distro_has_versions(distro_find(SLICE("arch"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_releases),
        cmocka_unit_test(knows_rolling_ones),
        cmocka_unit_test(reads_purl_qualifiers),
        cmocka_unit_test(drops_what_does_not_fit),
        cmocka_unit_test(knows_ecosystems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
