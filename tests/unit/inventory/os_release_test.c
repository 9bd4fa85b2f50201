/* SPDX-License-Identifier: Apache-2.0 */
/* The distribution, from os-release and its older cousins, and which of several is believed. */
#include "inventory/reading.h"

/* What one file tells; its rank. */
static int tell(const char *path, struct slice text, char release[200])
{
    struct inventory inventory;
    struct err err = {0};
    int rank;

    inventory_init(&inventory);
    assert_ok(read_as(path, text, &inventory, &err));
    assert_true(slice_to_cstr(inventory.os_release, release, 200));
    assert_int_equal(inventory.package_count, 0);
    rank = inventory.os_rank;
    assert_true((rank > 0) == (release[0] != '\0'));
    inventory_release(&inventory);
    return rank;
}

/* Of files as they are found in images, without the lines that tell nothing here. */
static const struct {
    const char *path, *text, *release;
} releases[] = {
    {"etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\n", "debian-12"},
    {"usr/lib/os-release", "ID=debian\nVERSION_CODENAME=trixie\n", "debian-13"},
    {"etc/os-release", "PRETTY_NAME=\"Distroless\"\nID=\"debian\"\n", "debian"},
    {"etc/os-release", "ID=ubuntu\nVERSION_ID='22.04'\nVERSION=\"22.04.2 LTS (J)\"",
        "ubuntu-22.04"},
    {"etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.4\n", "alpine-3.19"},
    {"etc/os-release", "NAME=\"Alpine Linux\"\nVERSION_ID=3.15.4\n", "alpine-3.15"},
    {"etc/os-release", "ID=\"rhel\"\nVERSION_ID=\"8.10\"\n", "rhel-8"},
    {"etc/os-release", "NAME=\"CentOS Stream\"\nID=\"centos\"\nVERSION_ID=\"9\"\n", "centos-9"},
    {"etc/os-release", "ID=fedora\nVERSION_ID=42\n", "fedora-42"},
    {"etc/os-release", "ID=\"almalinux\"\nVERSION_ID=\"9.4\"\n", "almalinux-9"},
    {"etc/os-release", "ID=\"rocky\"\nVERSION_ID=\"9.3\"\n", "rocky-9"},
    {"etc/os-release", "ID=\"ol\"\nVERSION_ID=\"8.10\"\n", "oracle-8"},
    {"etc/os-release", "ID=\"amzn\"\nVERSION_ID=\"2018.03\"\n", "amazon-1"},
    {"etc/os-release", "ID=\"amzn\"\nVERSION_ID=\"2\"\n", "amazon-2"},
    {"etc/os-release", "ID=\"amzn\"\nVERSION_ID=\"2023\"\n", "amazon-2023"},
    {"etc/os-release", "ID=\"sles\"\nVERSION=\"15-SP3\"\nVERSION_ID=\"15.3\"\n", "sles-15.3"},
    {"etc/os-release", "ID=\"sle-micro\"\nVERSION_ID=\"5.3\"\n", "slem-5.3"},
    {"etc/os-release", "ID=\"sl-micro\"\nVERSION_ID=\"6.0\"\n", "slem-6.0"},
    {"etc/os-release", "ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"\n", "opensuse-leap-15.6"},
    {"etc/os-release", "NAME=\"openSUSE Leap\"\nID=opensuse\nVERSION_ID=\"42.3\"\n",
        "opensuse-leap-42.3"},
    {"etc/os-release", "ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20220412\"\n",
        "opensuse-tumbleweed"},
    {"etc/os-release", "ID=photon\nVERSION_ID=4.0\n", "photon-4.0"},
    {"etc/os-release", "ID=mariner\nVERSION_ID=\"2.0\"\n", "mariner-2.0"},
    {"etc/os-release", "ID=azurelinux\nVERSION_ID=\"3.0\"\n", "azurelinux-3.0"},
    {"etc/os-release", "ID=wolfi\nVERSION_ID=\"20230201\"\n", "wolfi"},
    {"etc/os-release", "ID=chainguard\nVERSION_ID=\"20230214\"\n", "chainguard"},
    {"etc/os-release", "ID=\"openEuler\"\nVERSION=\"22.03 (LTS-SP1)\"\nVERSION_ID=\"22.03\"\n",
        "openeuler-22.03-lts-sp1"},
    {"etc/os-release", "ID=\"openEuler\"\nVERSION=\"23.09\"\nVERSION_ID=\"23.09\"\n",
        "openeuler-23.09"},
    {"etc/os-release", "ID=\"euleros\"\nVERSION=\"2.0 (SP8)\"\nVERSION_ID=\"2.0\"\n",
        "euleros-2.0-sp8"},
    {"etc/os-release", "ID=\"euleros\"\nVERSION=\"2.0 (SP9x86_64)\"\nVERSION_ID=\"2.0\"\n",
        "euleros-2.0-sp9-x86_64"},
    {"etc/os-release", "ID=\"hce\"\nVERSION=\"2.0 (x86_64)\"\nVERSION_ID=\"2.0\"\n", "hce-2.0"},
    {"etc/os-release", "ID=\"kylin\"\nVERSION=\"V10 (Lance)\"\nVERSION_ID=\"V10\"\n",
        "kylin-v10-sp3"},
    {"etc/os-release", "ID=\"kylin\"\nVERSION_ID=\"V10\"\n", "kylin-v10"},
    {"etc/os-release", "ID=\"uos\"\nVERSION=\"20\"\nVERSION_ID=\"20\"\n", "uos-20"},
    {"etc/os-release", "ID=\"anolis\"\nVERSION_ID=\"8.8\"\n", "anolis-8.8"},
    {"etc/os-release", "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n", "arch"},
    {"etc/os-release", "ID=raspbian\nVERSION_ID=\"9\"\n", "raspbian-9"},
    {"etc/os-release", "ID=vyos\nVERSION_ID=\"1.4-rolling\"\n", "vyos-1.4-rolling"},
    {"etc/os-release", "ID=busybox\n", "busybox"},
    {"etc/os-release", "ID_LIKE=x\nVERSION_ID=1\n", ""},
    {"etc/os-release", "", ""},
    {"etc/os-release", "\n\xff=\nID=\"\xff\"\n", ""},

    {"etc/debian_version", "10.8\n", "debian-10"},
    {"etc/debian_version", "trixie/sid\n", "debian-13"},
    {"etc/debian_version", "\n", ""},
    {"etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=18.04\n", "ubuntu-18.04"},
    {"etc/lsb-release", "DISTRIB_ID=Uos\nDISTRIB_RELEASE=20\n", "uos-20"},
    {"etc/lsb-release", "LSB_VERSION=core-4.1\n", ""},
    {"etc/os-version", "[Version]\nSystemName=UnionTech OS Desktop\nMajorVersion=20\n", "uos-20"},
    {"etc/os-version", "[Version]\n", ""},
    {"etc/alpine-release", "3.10.4\n", "alpine-3.10"},
    {"etc/redhat-release", "Red Hat Enterprise Linux Server release 7.4 (Maipo)\n", "rhel-7"},
    {"etc/redhat-release", "CentOS release 5.7 (Final)\n", "centos-5"},
    {"etc/redhat-release", "Scientific Linux release 6.10 (Carbon)\n", "scientific-6"},
    {"etc/centos-release", "CentOS Linux release 7.6.1810 (Core) \n", "centos-7"},
    {"etc/centos-release", "CentOS Stream release 8\n", "centos-8"},
    {"usr/lib/fedora-release", "Fedora release 29 (Twenty Nine)\n", "fedora-29"},
    {"etc/rocky-release", "Rocky Linux release 8.4 (Green Obsidian)", "rocky-8"},
    {"etc/almalinux-release", "AlmaLinux release 8.4 (Electric Cheetah)", "almalinux-8"},
    {"etc/oracle-release", "Oracle Linux Server release 7.6\n", "oracle-7"},
    {"etc/system-release", "Amazon Linux AMI release 2018.03\n", "amazon-1"},
    {"etc/system-release", "Amazon Linux release 2 (Karoo)\n", "amazon-2"},
    {"etc/system-release", "UnionTech OS Server release 20 (kongzi)\n", "uos-20"},
    {"etc/SuSE-release",
        "SUSE Linux Enterprise Server 12 (x86_64)\nVERSION = 12\nPATCHLEVEL = 3\n# x\n",
        "sles-12.3"},
    {"etc/SuSE-release", "SUSE Linux Enterprise Server 12 (x86_64)\nPATCHLEVEL = 0", "sles-12"},
    {"etc/SuSE-release", "openSUSE 13.2 (x86_64)\nVERSION = 13.2\n", "opensuse-13.2"},
    {"etc/photon-release", "VMware Photon Linux 2.0\nPHOTON_BUILD_NUMBER=1\n", "photon-2.0"},
    {"etc/mariner-release", "CBL-Mariner 2.0.20220122\nMARINER_BUILD_NUMBER=1\n", "mariner-2.0"},
    {"etc/azurelinux-release", "Microsoft Azure Linux 3.0.20240624\n", "azurelinux-3.0"},
    {"etc/openEuler-release", "openEuler release 20.03 (LTS-SP4)\n", "openeuler-20.03-lts-sp4"},
    {"etc/euleros-release", "EulerOS release 2.0 (SP2)\n", "euleros-2.0-sp2"},
    {"etc/hce-release", "Huawei Cloud EulerOS release 2.0 (West Lake)\n", "hce-2.0"},
    {"etc/kylin-release", "Kylin Linux Advanced Server release V10 (Sword)\n", "kylin-v10-sp2"},
    {"etc/anolis-release", "Anolis OS release 8.6\n", "anolis-8.6"},
    {"etc/arch-release", "", "arch"},
    {"etc/redhat-release", "", ""},
    {"etc/redhat-release", "nonsense", "nonsense"},
};

static void test_releases(void **state)
{
    char release[200];

    (void)state;
    for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
        tell(releases[i].path, slice_of(releases[i].text), release);
        if (strcmp(release, releases[i].release) != 0)
            fail_msg("%s, %s: %s, not %s", releases[i].path, releases[i].text, release,
                releases[i].release);
    }
}

static void test_quoting(void **state)
{
    char release[200];

    (void)state;
    tell("etc/os-release",
        SLICE("# ID=no\n  ID = \"my \\\"best\\\" \\$x\" \nVERSION_ID='1\\2'\nIDX=no\n"), release);
    assert_string_equal(release, "my-\"best\"-$x-1\\2");
    tell("etc/os-release", SLICE("ID=one\nID=two\nVERSION_ID=\"\n"), release);
    assert_string_equal(release, "two");
    tell("etc/os-release", SLICE("ID=a\\\nVERSION_ID=\\"), release);
    assert_string_equal(release, "a\\-\\");
}

/* Of each pair, the first is believed. */
static void test_ranks(void **state)
{
    static const struct {
        const char *path, *text, *than, *than_text;
    } cases[] = {
        {"etc/os-release", "ID=debian\nVERSION_ID=12", "usr/lib/os-release",
            "ID=debian\nVERSION_ID=11"},
        {"usr/lib/os-release", "ID=ubuntu\nVERSION_ID=22.04", "etc/debian_version", "bookworm/sid"},
        {"etc/os-release", "ID=kali", "etc/debian_version", "kali-rolling"},
        {"etc/os-release", "ID=wolfi", "etc/alpine-release", "3.1"},
        {"etc/debian_version", "trixie/sid", "etc/os-release", "ID=debian"},
        {"etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04", "etc/debian_version",
            "jessie/sid"},
        {"etc/oracle-release", "Oracle Linux Server release 6.10", "etc/redhat-release",
            "Red Hat Enterprise Linux Server release 6.10 (Santiago)"},
        {"etc/centos-release", "CentOS release 6.10", "etc/redhat-release", "CentOS release 6.10"},
        {"etc/os-release", "ID=manjaro\nVERSION_ID=1", "etc/arch-release", ""},
        {"etc/os-release", "ID=\"openEuler\"\nVERSION=\"22.03 LTS\"", "etc/openEuler-release",
            "openEuler release 22.03 LTS"},
    };
    char release[200];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int above = tell(cases[i].path, slice_of(cases[i].text), release);
        int below = tell(cases[i].than, slice_of(cases[i].than_text), release);

        if (above <= below)
            fail_msg("%s is not above %s (%s)", cases[i].path, cases[i].than, cases[i].than_text);
    }
}

static void test_paths(void **state)
{
    (void)state;
    assert_null(inventory_reader_for(SLICE("os-release")));
    assert_null(inventory_reader_for(SLICE("etc/os-release.d/x")));
    assert_null(inventory_reader_for(SLICE("opt/etc/os-release")));
    assert_null(inventory_reader_for(SLICE("etc/")));
    assert_null(inventory_reader_for(SLICE("etc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_releases),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
