# SPDX-License-Identifier: Apache-2.0
"""Careen's readers of dpkg's, apk's and pacman's databases against dpkg-query, apk and pacman; of
os-release against a shell; and the packages that they find against those that come of a scanner's
report on the same. (rpm's databases: test_rpm_databases.py.)
"""
import json
import pathlib
import platform
import random
import re
import shutil
import subprocess

import pytest

from conftest import BUILD_DIR
from documents import digest, write

GONE = {"not-installed", "config-files"}
STATUS, INSTALLED, OS_RELEASE = "var/lib/dpkg/status", "lib/apk/db/installed", "etc/os-release"
# Status files of the shared data that dpkg itself accepts.
STATUS_FILES = [
    "debian-rootfs/bookworm/var/lib/dpkg/status",
    "claircore/dpkg/testdata/texlive.status",
    "claircore/dpkg/testdata/postgresql.status",
    "claircore/dpkg/testdata/debian-only.status",
    "grype/test/integration/testdata/image-debian-match-coverage/var/lib/dpkg/status",
]
ALPINES = ["v3.9", "v3.14", "v3.19"]


def find_tool(name):
    tool = BUILD_DIR / name
    if not tool.is_file():
        pytest.skip(f"{tool} is not built (CAREEN_TESTS)")
    return tool


def require(command, which_set):
    if not shutil.which(command):
        pytest.skip(f"no {command} here: scripts/install-dependencies {which_set}")


def dump(file, path):
    """What the reader of an image's path finds in a file."""
    made = subprocess.run([find_tool("inventory_dump"), file, path], capture_output=True, text=True,
                          timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    return [json.loads(line) for line in made.stdout.splitlines()]


def canonical(packages):
    return sorted(packages, key=lambda package: json.dumps(package, sort_keys=True))


def unpack(archive, folder):
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def pkgdb(shared_data, tmp_path_factory):
    return unpack(shared_data / "pkgdb.tar.zst", tmp_path_factory.mktemp("pkgdb")) / "pkgdb"


@pytest.fixture(scope="module")
def images(shared_data, tmp_path_factory):
    return unpack(shared_data / "images.tar.zst", tmp_path_factory.mktemp("images")) / "images"


# ---- dpkg ----


def without_epoch(version):
    return re.sub(r"^\d+:", "", version)


def deb(name, version, arch, source, source_version):
    """As inventory_dump writes it."""
    package = {"ecosystem": "deb", "name": name, "version": version}
    if arch:
        package["arch"] = arch
    if source != name:
        package["source_name"] = source
    if source_version not in (version, without_epoch(version)):
        package["source_version"] = source_version
    return package


def ask_dpkg(admin_folder):
    fields = ("Package", "Version", "Architecture", "source:Package", "source:Version",
              "db:Status-Status")
    form = "\\t".join(f"${{{field}}}" for field in fields) + "\\n"
    asked = subprocess.run(["dpkg-query", f"--admindir={admin_folder}", "-W", f"-f={form}"],
                           capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split("\t") for line in asked.stdout.splitlines()]
    return canonical(deb(*row[:5]) for row in rows if row[5] not in GONE)


def admin_folder(status, folder):
    (folder / "info").mkdir(parents=True)
    (folder / "updates").mkdir()
    shutil.copy(status, folder / "status")
    return folder


def test_dpkg_of_this_machine(tmp_path):
    require("dpkg-query", "test")
    folder = admin_folder("/var/lib/dpkg/status", tmp_path / "dpkg")
    expected = ask_dpkg(folder)
    assert len(expected) > 50
    assert canonical(dump(folder / "status", STATUS)) == expected


@pytest.mark.parametrize("name", STATUS_FILES)
def test_dpkg(pkgdb, tmp_path, name):
    require("dpkg-query", "test")
    folder = admin_folder(pkgdb / name, tmp_path / "dpkg")
    expected = ask_dpkg(folder)
    assert expected
    assert canonical(dump(folder / "status", STATUS)) == expected


def test_dpkg_against_the_list_from_the_image(pkgdb):
    """The list that dpkg-query gave inside the image; all of it is in state "ii"."""
    folder = pkgdb / "debian-rootfs" / "bookworm"
    rows = [line.split("\t") for line in (folder / "dpkg-query.tsv").read_text().splitlines()]
    assert {row[5].strip() for row in rows} == {"ii"}
    assert canonical(dump(folder / STATUS, STATUS)) == canonical(deb(*row[:5]) for row in rows)


STANZA = """Package: {name}
Status: {status}
Architecture: amd64
{source}Version: {version}
Maintainer: nobody <nobody@example.org>
Description: a test
 with a second line
 .
 and a third

"""
STATES = ["install ok installed", "hold ok installed", "deinstall ok installed",
          "install ok unpacked", "install reinstreq half-installed", "install ok half-configured",
          "deinstall ok config-files", "purge ok not-installed"]
VERSIONS = ["1.0-1", "0:1.0-1", "1:1.0-1", "2:0~rc1+dfsg-3+b1", "20240101"]
SOURCES = ["", "Source: other\n", "Source: other (1.0-1)\n", "Source: other (3:9-9)\n"]


def test_dpkg_states_epochs_and_sources(tmp_path):
    """Every state with every form of version and source, in any order: dpkg-query's list. Of a
    package that is not installed and leaves no files behind, dpkg shows nothing."""
    require("dpkg-query", "test")
    stanzas = [
        STANZA.format(name=f"p{s}-{v}-{k}", status=status, version=version, source=source)
        for s, status in enumerate(STATES) for v, version in enumerate(VERSIONS)
        for k, source in enumerate(SOURCES)
    ]
    seen = []
    for seed in range(3):
        random.Random(seed).shuffle(stanzas)
        status = tmp_path / f"status-{seed}"
        status.write_text("".join(stanzas))
        found = canonical(dump(status, STATUS))
        assert found == ask_dpkg(admin_folder(status, tmp_path / f"dpkg-{seed}"))
        seen.append(found)
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == len(stanzas) * 6 // len(STATES)


# ---- apk ----


def ask_apk(root):
    """apk of that Alpine, run by its own loader; of a line "musl-1.2.4-r2 x86_64 {musl} (MIT)
    [installed]" all that it says."""
    loader = next((root / "lib").glob("ld-musl-*.so.1"))
    asked = subprocess.run(
        [loader, "--library-path", root / "lib", root / "sbin" / "apk", "--root", root, "list", "-I"],
        capture_output=True, text=True, timeout=60, check=True)
    packages = []
    for line in asked.stdout.splitlines():
        match = re.fullmatch(r"(.+)-([^-]+-r\d+) (\S+) \{(.*?)\} \((.*)\) \[installed\]", line)
        name, version, arch, origin, licence = match.groups()
        package = {"ecosystem": "apk", "name": name, "version": version, "arch": arch,
                   "licence": licence}
        if origin != name:
            package["source_name"] = origin
        packages.append(package)
    return canonical(packages)


@pytest.mark.parametrize("version", ALPINES)
def test_apk(images, tmp_path, version):
    archive, = (images / "alpine-minirootfs" / version).glob("*/*.tar.gz")
    if platform.machine() not in archive.name:
        pytest.skip(f"{archive.name} is of another machine than this one")
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path], check=True)
    expected = ask_apk(tmp_path)
    assert len(expected) > 10
    assert canonical(dump(tmp_path / INSTALLED, INSTALLED)) == expected
    release, = dump(tmp_path / "etc" / "os-release", OS_RELEASE)
    cousin, = dump(tmp_path / "etc" / "alpine-release", "etc/alpine-release")
    assert release["os_release"] == cousin["os_release"] == f"alpine-{version[1:]}"
    assert release["rank"] > cousin["rank"]


# ---- pacman ----


def ask_pacman(database):
    """`pacman -Qi`, a paragraph a package. It does not tell what a package was built from."""
    asked = subprocess.run(["pacman", "-Qi", "--dbpath", database], capture_output=True, text=True,
                           timeout=60, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin"})
    packages = []
    for paragraph in asked.stdout.strip().split("\n\n"):
        told = dict(re.findall(r"^(\S[^:]*?) +: (.*)$", paragraph, re.MULTILINE))
        package = {"ecosystem": "alpm", "name": told["Name"], "version": told["Version"]}
        if told["Architecture"] != "None":
            package["arch"] = told["Architecture"]
        if told["Licenses"] != "None":
            package["licence"] = " AND ".join(told["Licenses"].split("  "))
        packages.append(package)
    return canonical(packages)


def test_pacman(pkgdb, tmp_path):
    require("pacman", "ci")
    found = []
    (tmp_path / "local").mkdir()
    for desc in pkgdb.glob("**/pacman/local/*/desc"):
        text = desc.read_text()
        name = re.search(r"^%NAME%\n(.*)\n\n%VERSION%\n(.*)$", text, re.MULTILINE)
        if not name:  # made up to be refused
            continue
        folder = "-".join(name.groups())
        if (tmp_path / "local" / folder).exists():
            continue
        (tmp_path / "local" / folder).mkdir()
        shutil.copy(desc, tmp_path / "local" / folder / "desc")
        package, = dump(desc, f"var/lib/pacman/local/{folder}/desc")
        base = re.search(r"^%BASE%\n(.*)$", text, re.MULTILINE)
        assert package.pop("source_name", package["name"]) == (base[1] if base else package["name"])
        found.append(package)
    (tmp_path / "local" / "ALPM_DB_VERSION").write_text("9\n")
    assert len(found) >= 5
    assert canonical(found) == ask_pacman(tmp_path)


# ---- os-release ----


def ask_shell(file):
    asked = subprocess.run(["sh", "-c", '. "$1"; printf "%s\\n%s\\n" "$ID" "$VERSION_ID"', "-", file],
                           capture_output=True, text=True, timeout=10, check=True, env={})
    return asked.stdout.splitlines()


def random_value(rng):
    """A value as os-release(5) allows it, in one of the three ways of writing it."""
    text = "".join(rng.choice("abz019._~+-") for _ in range(rng.randrange(1, 8)))
    way = rng.randrange(3)
    if way == 0:
        return text
    if way == 1:
        return "'" + text + rng.choice(["", " x", '"y', "\\z", "$q"]) + "'"
    return '"' + text + rng.choice(["", " x", "'y", '\\"z', "\\$q", "\\\\w", "\\`v"]) + '"'


def test_os_release_quoting(tmp_path):
    rng = random.Random(6)
    file = tmp_path / "os-release"
    for _ in range(100):
        lines = [f"ID={random_value(rng)}", f"VERSION_ID={random_value(rng)}", "# ID=no", "",
                 f"OTHER_ID={random_value(rng)}"]
        rng.shuffle(lines)
        file.write_text("\n".join(lines) + "\n" * rng.randrange(2))
        family, version = ask_shell(file)
        told, = dump(file, OS_RELEASE)
        assert told["os_release"] == re.sub(r"-+", "-", f"{family}-{version}".replace(" ", "-")), \
            file.read_text()


def test_os_release_of_the_shared_data(pkgdb):
    """ID and VERSION_ID as claircore parses them."""
    count = 0
    for txtar in pkgdb.glob("claircore/osrelease/testdata/*.txtar"):
        parts = dict(re.findall(r"^-- ([^\n]+) --\n(.*?)(?=^-- |\Z)", txtar.read_text(),
                                re.MULTILINE | re.DOTALL))
        parsed = json.loads(parts["Parsed"])
        file = txtar.with_suffix(".os-release")
        file.write_text(parts["os-release"])
        told, = dump(file, OS_RELEASE)
        major = parsed["VERSION_ID"].split(".")[0]
        assert told["os_release"].startswith(f"{parsed['ID']}-{major}"), txtar.name
        count += 1
    assert count >= 8


# ---- the same packages as from a report ----


def read_report(path):
    made = subprocess.run([find_tool("report_dump"), path], capture_output=True, text=True,
                          timeout=60, check=True)
    return json.loads(made.stdout)


def split_version(version):
    """Epoch, version and release, as Trivy lists them."""
    epoch, _, rest = version.rpartition(":")
    upstream, dash, revision = rest.rpartition("-")
    return int(epoch or 0), (upstream if dash else rest), (revision if dash else "")


def trivy_fields(prefix, version):
    epoch, upstream, revision = split_version(version)
    fields = {f"{prefix}Version": upstream, f"{prefix}Release": revision, f"{prefix}Epoch": epoch}
    return {key: value for key, value in fields.items() if value}


def trivy_report(rows):
    packages = [
        {"Name": name, "Arch": arch, "SrcName": source, **trivy_fields("", version),
         **trivy_fields("Src", source_version)}
        for name, version, arch, source, source_version in rows
    ]
    return {
        "SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "12.5"}, "ImageID": digest("x")},
        "Results": [{"Target": "x (debian 12.5)", "Class": "os-pkgs", "Type": "debian",
                     "Packages": packages}],
    }


def syft_report(rows):
    """CycloneDX as Syft writes it: of the source only what differs."""
    def quote(text):
        return text.replace("+", "%2B").replace(":", "%3A")

    def purl(name, version, arch, source, source_version):
        upstream = source if source_version == version else f"{source}@{source_version}"
        is_other = source != name or source_version != version
        return (f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={arch}&distro=debian-12"
                + (f"&upstream={quote(upstream).replace('@', '%40')}" if is_other else ""))

    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "container", "name": "x", "version": digest("x")}},
        "components": [{"type": "library", "name": row[0], "version": row[1], "purl": purl(*row)}
                       for row in rows],
    }


@pytest.mark.parametrize("make", [trivy_report, syft_report])
def test_same_packages_as_from_a_report(pkgdb, tmp_path, make):
    folder = pkgdb / "debian-rootfs" / "bookworm"
    rows = [line.split("\t")[:5] for line in (folder / "dpkg-query.tsv").read_text().splitlines()]
    report = read_report(write(tmp_path, make(rows)))
    packages = [{key: value for key, value in package.items() if key != "release"}
                for package in report["packages"]]
    release, = dump(folder / "usr" / "lib" / "os-release", "usr/lib/os-release")
    assert canonical(packages) == canonical(dump(folder / STATUS, STATUS))
    assert {package["release"] for package in report["packages"]} == {release["os_release"]}


# ---- licences ----


def test_copyright_files_of_this_machine():
    """Whatever stands in them, none is refused, and most of them name a licence."""
    files = sorted(pathlib.Path("/usr/share/doc").glob("*/copyright"))[:200]
    if len(files) < 20:
        pytest.skip("this machine keeps no copyright files")
    told = [dump(file, str(file)[1:]) for file in files]
    assert sum(map(len, told)) > len(files) * 3 // 4
    assert all(len(found) <= 1 for found in told)
