# SPDX-License-Identifier: Apache-2.0
"""careen import: which files it takes, what lands where, and what importing again changes."""
import gzip
import json
import re
import subprocess

import pytest

from asking import ALL, images, json_lines, only_image, packages, pairs, rows, show
from documents import trivy, trivy_package, trivy_vulnerability, write

HOUR = 3600 * 1000
MONDAY = 1_700_000_000_000


def report(name, ids=("CVE-2024-0001",), versions=None, **more):
    """One package "pkg" for each id's vulnerability: "pkg0", "pkg1", ..."""
    listed = [trivy_package(f"pkg{at}", "1.0") for at in range(max(len(ids), 1))]
    found = [trivy_vulnerability(id, f"pkg{at}") for at, id in enumerate(ids)]
    return trivy(name, packages=listed, vulnerabilities=found, **more)


def names(run):
    return [image["name"] for image in images(run)]


def write_gz(path, document):
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    return path


# --- Which files, in which order ------------------------------------------------------------------


def test_order_of_arrival_is_the_order_of_inputs(run, tmp_path):
    order = ["zeta", "alpha", "mid", "beta", "omega", "c", "a", "b"]
    for at, name in enumerate(order):
        write(tmp_path, report(name, [f"CVE-2024-{at + 1000}"]), f"{name}.json")
    run("import", *(tmp_path / f"{name}.json" for name in order))
    assert names(run) == order
    assert [row["image_name"] for row in rows(run)] == order


def test_folders_are_walked_by_name(run, tmp_path):
    folder = tmp_path / "reports"
    (folder / "b" / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    write(folder, report("four"), "c.json")
    write(folder, report("one"), "a.json")
    write(folder / "b" / "deep", report("three"), "z.json")
    write_gz(folder / "b" / "a.json.gz", report("two"))
    (folder / "d.json").symlink_to(write(tmp_path, report("five"), "elsewhere.json"))
    write(folder, report("never"), ".hidden.json")
    write(folder / ".hidden", report("never"), "a.json")
    (folder / "e").symlink_to(folder / "b")  # a link to a folder is not followed
    (folder / "notes.txt").write_text("not a report")
    (folder / "broken.json").symlink_to(folder / "no such file")
    run("import", folder)
    assert names(run) == ["one", "two", "three", "four", "five"]


def test_files_folders_and_standard_input_together(run, tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    write(folder, report("third"), "x.json")
    first = write(tmp_path, report("first"), "first.json")
    last = write_gz(tmp_path / "any name", report("last"))  # found out, not told by the name
    result = run("import", first, "-", folder, last, stdin=json.dumps(report("second")))
    assert names(run) == ["first", "second", "third", "last"]
    assert result.stdout.startswith("4 images, ")


def test_gzip_on_standard_input(careen, data_dir, run):
    subprocess.run(
        [careen, "--data", data_dir, "import", "-"], check=True, capture_output=True,
        input=gzip.compress(json.dumps(report("packed")).encode()),
    )
    assert names(run) == ["packed"]


def test_byte_order_mark_and_blanks(run, tmp_path):
    path = tmp_path / "report.json"
    path.write_bytes(b"\xef\xbb\xbf\n  " + json.dumps(report("marked")).encode() + b"\n\n")
    run("import", path)
    assert names(run) == ["marked"]


# --- Where an image lives -------------------------------------------------------------------------


PLACES = [  # options; what the row says
    ([], {"image_type": "local_image", "container_num": 0, "enterprise_project_id": "0"}),
    (["--image-type", "registry"], {"image_type": "registry"}),
    (["--image-type", "cicd"], {"image_type": "cicd"}),
    (["--image-type", "cluster", "--cluster-id", "c-1", "--cluster-name", "Prod"],
     {"image_type": "cluster", "cluster_id": "c-1", "cluster_name": "Prod"}),
    (["--enterprise-project", "ep-7"], {"enterprise_project_id": "ep-7"}),
    (["--enterprise-project-id", "ep-8"], {"enterprise_project_id": "ep-8"}),
    (["--registry-type", "Harbor", "--registry-name", "harbor one"],
     {"registry_type": "Harbor", "registry_name": "harbor one"}),
    (["--organization", "组织"], {"organization": "组织"}),
    (["--agent-id", "host-1"], {"agent_id": "host-1"}),
    (["--containers", "17"], {"container_num": 17}),
    (["--containers=2147483547"], {"container_num": 2147483547}),
    (["--multi-arch"], {"is_multi_arch": "true"}),
    (["--is-multi-arch=false"], {"is_multi_arch": "false"}),
    (["--name", "other/name:7"], {"image_name": "other/name", "image_version": "7"}),
    (["--name", "other", "--version", "8"], {"image_name": "other", "image_version": "8"}),
    (["--version", "9"], {"image_name": "web/app", "image_version": "9"}),
]


@pytest.mark.parametrize("options, members", PLACES, ids=lambda value: " ".join(value))
def test_placement_is_in_the_answer(run, tmp_path, options, members):
    run("import", write(tmp_path, report("web/app")), *options)
    page = json.loads(run("affected", "-o", "json", *ALL).stdout)
    assert page["total_num"] == 1
    row = page["data_list"][0]
    assert {key: row.get(key) for key in members} == members


def test_placement_that_was_not_given_is_left_out(run, tmp_path):
    run("import", write(tmp_path, report("web/app")))
    row = rows(run)[0]
    for member in ("agent_id", "organization", "registry_type", "registry_name", "is_multi_arch",
                   "cluster_id", "cluster_name", "image_size"):
        assert member not in row


def test_pipeline_is_part_of_the_place(run, tmp_path):
    path = write(tmp_path, report("web/app"))
    for pipeline in ("nightly", "release"):
        run("import", path, "--image-type", "cicd", "--pipeline", pipeline)
    assert [show(run, image["image_id"])["pipeline"] for image in images(run)] == [
        "nightly", "release"]


@pytest.mark.parametrize("options, said", [
    (["--image-type", "pod"], 'image_type: must be local, registry, cicd or cluster, not "pod"'),
    (["--image-type", "cluster"], "cluster_id: an image of type cluster needs one"),
    (["--containers", "-1"], "containers: must be 0-2147483547"),
    (["--containers", "many"], '"many"'),
    (["--registry-type", "Quay"], "registry_type: must be Harbor"),
    (["--multi-arch=maybe"], '"maybe"'),
    (["--enterprise-project", ""], "enterprise_project_id: must not be empty"),
    (["--enterprise-project", "all_granted_eps"], "name one"),
    (["--organization", "a\nb"], "organization: must be UTF-8 text without control characters"),
    (["--cluster-id", "x" * 129], "cluster_id: must be at most 128 characters, not 129"),
])
def test_wrong_placement(run, tmp_path, data_dir, options, said):
    result = run("import", write(tmp_path, report("web/app")), *options, expect=2)
    assert said in result.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize("name", ["bad name", "a//b", "-", "x:y:z", "a@b", "名字"])
def test_names_that_are_no_reference(run, tmp_path, name):
    result = run("import", write(tmp_path, report("web/app")), "--name", name, expect=1)
    assert f'"{name}" is not an image reference' in result.stderr
    assert images(run) == []


# --- What the summary says ------------------------------------------------------------------------


def summary(result):
    line = re.fullmatch(
        r"(\d+) images, (\d+) packages, (\d+) findings, (\d+) appeared, (\d+) retracted\n",
        result.stdout)
    assert line, result.stdout
    return tuple(map(int, line.groups()))


def test_summary_counts(run, tmp_path):
    one = write(tmp_path, report("one", ["CVE-2024-0001", "CVE-2024-0002"]), "one.json")
    two = write(tmp_path, report("two", ["CVE-2024-0002"]), "two.json")
    none = write(tmp_path, report("none", []), "none.json")
    assert summary(run("import", one, two, none)) == (3, 4, 3, 3, 0)
    assert summary(run("import", one, two, none)) == (3, 4, 3, 0, 0)
    write(tmp_path, report("one", ["CVE-2024-0002", "CVE-2024-0003", "CVE-2024-0004"]), "one.json")
    assert summary(run("import", one)) == (1, 3, 3, 2, 1)
    # The same image twice in one import counts once, as it is in the end.
    again = write(tmp_path, report("one", ["CVE-2024-0009"]), "one-again.json")
    assert summary(run("import", one, again)) == (1, 1, 1, 1, 3)


def test_jsonl_tells_each_input(run, tmp_path):
    one = write(tmp_path, report("one", ["CVE-2024-0001", "CVE-2024-0002"]), "one.json")
    bare = write(tmp_path, trivy("bare", vulnerabilities=[
        trivy_vulnerability("CVE-2024-0001", "pkg0")]), "bare.json")
    told = json_lines(run("import", "-o", "jsonl", one, bare).stdout)
    assert [line.pop("image_id") for line in told] == [image["image_id"] for image in images(run)]
    assert told == [
        {"source": "trivy", "created": True, "changed": True, "assessment": "assessed",
         "packages": 2, "claims": 2, "findings": 2, "appeared": 2, "retracted": 0},
        {"source": "trivy", "created": True, "changed": True, "assessment": "partly_assessed",
         "packages": 1, "claims": 1, "findings": 1, "appeared": 1, "retracted": 0},
    ]
    again = json_lines(run("import", "-o", "jsonl", one).stdout)[0]
    assert (again["created"], again["changed"], again["appeared"]) == (False, False, 0)


# --- Importing again ------------------------------------------------------------------------------


def without(document, *keys):
    """The document without these members, at any depth."""
    if isinstance(document, dict):
        return {key: without(value, *keys) for key, value in document.items() if key not in keys}
    if isinstance(document, list):
        return [without(element, *keys) for element in document]
    return document


def test_the_same_report_again_changes_nothing_but_the_scan_time(run, tmp_path):
    paths = [
        write(tmp_path, report("one", ["CVE-2024-0001", "CVE-2024-0002"]), "one.json"),
        write(tmp_path, report("two", ["CVE-2024-0002"]), "two.json"),
    ]
    run("import", *paths, clock_ms=MONDAY)
    before = [[show(run, image["image_id"]) for image in images(run)], rows(run)]
    run("import", *paths, clock_ms=MONDAY + HOUR)
    after = [[show(run, image["image_id"]) for image in images(run)], rows(run)]
    times = ("latest_scan_ms", "scanned_ms", "latest_scan_time")
    assert without(before, *times) == without(after, *times)
    assert {row["latest_scan_time"] for row in before[1]} == {str(MONDAY)}
    assert {row["latest_scan_time"] for row in after[1]} == {str(MONDAY + HOUR)}
    assert {row["updated_time"] for row in after[1]} == {str(MONDAY)}
    assert [source["scanned_ms"] for source in after[0][0]["sources"]] == [MONDAY + HOUR]


def test_a_changed_report_replaces_what_the_scanner_said(run, tmp_path):
    run("import", write(tmp_path, report("app", ["CVE-2024-0001", "CVE-2024-0002"])),
        clock_ms=MONDAY)
    told = json_lines(run(
        "import", "-o", "jsonl", write(tmp_path, report("app", ["CVE-2024-0002", "CVE-2024-0003"])),
        clock_ms=MONDAY + HOUR).stdout)[0]
    # The same ids at other packages: 0002 stays a row, on pkg0 now.
    assert (told["created"], told["changed"]) == (False, True)
    assert (told["findings"], told["appeared"], told["retracted"]) == (2, 1, 1)
    assert sorted(row["vul_id"] for row in rows(run)) == ["CVE-2024-0002", "CVE-2024-0003"]
    assert only_image(run)["updated_ms"] == MONDAY + HOUR


def test_a_placement_that_is_not_given_again_stays(run, tmp_path):
    path = write(tmp_path, report("app"))
    run("import", path, "--containers", "3", "--organization", "org", clock_ms=MONDAY)
    run("import", path, clock_ms=MONDAY + HOUR)
    assert (rows(run)[0]["container_num"], rows(run)[0]["organization"]) == (3, "org")
    run("import", path, "--containers", "0")
    assert rows(run)[0]["container_num"] == 0


# --- First scan times (docs/architecture.md, Vocabulary: Times) -----------------------------------


def first_times(run):
    return {(row["image_name"], row["vul_id"]): int(row["first_scan_time"]) for row in rows(run)}


def test_first_scan_time(run, tmp_path):
    """The earliest, over the row's packages, of the later of: package first seen in this image,
    claim first known."""
    first, second = MONDAY, MONDAY + HOUR
    base = [trivy_package("lib", "1.0"), trivy_package("tool", "2.0")]

    def load(name, packages, vulnerabilities, at):
        run("import", write(tmp_path, trivy(
            name, packages=packages, vulnerabilities=vulnerabilities)), clock_ms=at)

    # The packages are known first; the claim on one of them comes an hour later.
    load("a", base, [], first)
    load("a", base, [trivy_vulnerability("CVE-2024-0001", "lib")], second)
    assert first_times(run) == {("a", "CVE-2024-0001"): second}

    # A later import of another image with the same claim: the package is first seen there then.
    load("b", base, [trivy_vulnerability("CVE-2024-0001", "lib")], second + HOUR)
    assert first_times(run)["b", "CVE-2024-0001"] == second + HOUR
    assert first_times(run)["a", "CVE-2024-0001"] == second

    # The claim was known, the package is old in this image too: the claim's time holds.
    load("c", base, [], second + 2 * HOUR)
    load("c", base, [trivy_vulnerability("CVE-2024-0001", "lib")], second + 3 * HOUR)
    assert first_times(run)["c", "CVE-2024-0001"] == second + 2 * HOUR

    # A second package of the row does not make it younger.
    load("a", base, [trivy_vulnerability("CVE-2024-0001", "lib"),
                     trivy_vulnerability("CVE-2024-0001", "tool", "2.0", "3.0")], second + 4 * HOUR)
    assert first_times(run)["a", "CVE-2024-0001"] == second

    # A changed severity is another claim of the same thing: known since then all the same.
    load("a", base, [trivy_vulnerability("CVE-2024-0001", "lib", severity="CRITICAL")],
         second + 5 * HOUR)
    assert first_times(run)["a", "CVE-2024-0001"] == second

    # Retracted and back again: the package was there all the time, the claim was known.
    load("a", base, [], second + 6 * HOUR)
    assert ("a", "CVE-2024-0001") not in first_times(run)
    load("a", base, [trivy_vulnerability("CVE-2024-0001", "lib")], second + 7 * HOUR)
    assert first_times(run)["a", "CVE-2024-0001"] == second


def test_a_package_that_went_and_came_back_is_seen_anew(run, tmp_path):
    load = lambda packages, at: run("import", write(tmp_path, trivy(  # noqa: E731
        "a", packages=packages, vulnerabilities=[trivy_vulnerability("CVE-2024-0001", "lib")]
        if any(package["Name"] == "lib" for package in packages) else [])), clock_ms=at)
    lib, tool = trivy_package("lib", "1.0"), trivy_package("tool", "2.0")
    load([lib, tool], MONDAY)
    load([tool], MONDAY + HOUR)
    load([lib, tool], MONDAY + 2 * HOUR)
    assert first_times(run) == {("a", "CVE-2024-0001"): MONDAY + 2 * HOUR}
    seen = {package["name"]: package["first_seen_ms"] for package in only_image(run)["packages"]}
    assert seen == {"lib": MONDAY + 2 * HOUR, "tool": MONDAY}


# --- Latest ---------------------------------------------------------------------------------------


def latest(run):
    return [(image["digest"][7:11], image["latest"]) for image in images(run)]


def test_a_moved_tag_makes_a_new_image(run, tmp_path):
    old = write(tmp_path, report("app", content="old"), "old.json")
    new = write(tmp_path, report("app", content="new"), "new.json")
    run("import", old)
    run("import", new)
    assert [flag for _, flag in latest(run)] == [False, True]
    assert [row["is_latest"] for row in rows(run)] == ["false", "true"]
    assert [pair[:2] for pair in pairs(rows(run))] == [("app", "1.0"), ("app", "1.0")]
    # Reported again, the tag has moved back.
    run("import", old)
    assert [flag for _, flag in latest(run)] == [True, False]
    # Other tags and other places have latest ones of their own.
    run("import", new, "--image-type", "registry")
    run("import", write(tmp_path, report("app", tag="2.0", content="other")))
    assert [flag for _, flag in latest(run)] == [True, False, True, True]


def test_removing_the_latest_passes_the_mark_on(run, tmp_path):
    for content in ("old", "new"):
        run("import", write(tmp_path, report("app", content=content)))
    run("images", "rm", images(run)[1]["image_id"])
    assert [flag for _, flag in latest(run)] == [True]
    assert packages(only_image(run)) == [("pkg0", "1.0")]
