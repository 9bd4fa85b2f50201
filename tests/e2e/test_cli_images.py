# SPDX-License-Identifier: Apache-2.0
"""careen images list, show, rm and set."""
import json
import re

import pytest

from asking import ALL, images, json_lines, rows, show
from documents import digest, grype, grype_match, trivy, trivy_package, trivy_vulnerability, write

MONDAY = 1_700_000_000_000


def report(name, **more):
    return trivy(name, packages=[trivy_package("lib", "1.0"), trivy_package("tool", "2.0")],
                 vulnerabilities=[
        trivy_vulnerability("CVE-2024-0001", "lib", severity="CRITICAL", fixed="1.1"),
        trivy_vulnerability("CVE-2024-0002", "tool", "2.0", fixed="", severity="UNKNOWN")], **more)


@pytest.fixture
def three(run, tmp_path):
    """The ids of three images: web/one, web/two (registry r) and batch (cluster c)."""
    run("import", write(tmp_path, report("web/one")), clock_ms=MONDAY)
    run("import", write(tmp_path, report("web/two")), "--image-type", "registry",
        "--registry-name", "r", "--registry-type", "Harbor", clock_ms=MONDAY)
    run("import", write(tmp_path, report("batch")), "--image-type", "cluster", "--cluster-id", "c",
        "--containers", "2", clock_ms=MONDAY)
    return [image["image_id"] for image in images(run)]


# --- list and show --------------------------------------------------------------------------------


def test_list(run, three):
    lines = run("images", "list").stdout.splitlines()
    assert lines[0].split() == ["IMAGE", "ID", "NAME", "VERSION", "TYPE", "WHERE", "CRITICAL",
                                "HIGH", "MEDIUM", "LOW", "CONTAINERS", "ASSESSMENT", "LAST", "SCAN"]
    assert lines[2].split() == [three[1], "web/two", "1.0", "registry", "r", "1", "0", "1", "0",
                                "0", "assessed", "2023-11-14T22:13:20"]
    assert lines[3].split()[3:5] == ["cluster", "c"] and lines[3].split()[-3] == "2"
    assert lines[4:] == ["3 images"]


@pytest.mark.parametrize("filters, found", [
    ([], [0, 1, 2]),
    (["--image-name", "web"], [0, 1]),
    (["--image-name", "WEB"], []),
    (["--image-type", "local"], [0]),
    (["--image-type", "registry"], [1]),
    (["--image-type", "cicd"], []),
    (["--registry-name", "r"], [1]),
    (["--registry-type", "Harbor"], [1]),
    (["--cluster-id", "c"], [2]),
    (["--image-name", "web", "--registry-name", "r"], [1]),
    (["--image-name", "batch", "--registry-name", "r"], []),
    (["--enterprise-project", "other"], []),
])
def test_filters(run, three, filters, found):
    scope = [] if "--enterprise-project" in filters else list(ALL)
    listed = json_lines(run("images", "list", "-o", "jsonl", *filters, *scope).stdout)
    assert [image["image_id"] for image in listed] == [three[at] for at in found]
    assert run("images", "list", *filters, *scope).stdout.endswith(f"{len(found)} images\n")


def test_one_image_by_id(run, three):
    assert [image["name"] for image in images(run, "--image-id", three[1])] == ["web/two"]


def test_list_as_json_lines(run, three):
    image = images(run)[1]
    assert image == {
        "image_id": three[1], "name": "web/two", "version": "1.0", "digest": digest("web/two:1.0"),
        "config_digest": digest("config web/two:1.0"), "os": "debian-12", "architecture": "amd64",
        "enterprise_project_id": "0", "image_type": "registry", "registry_type": "Harbor",
        "registry_name": "r", "assessment": "assessed", "latest": True, "first_seen_ms": MONDAY,
        "latest_scan_ms": MONDAY, "updated_ms": MONDAY,
        "Critical": 1, "High": 0, "Medium": 1, "Low": 0,
    }


def test_show(run, three, tmp_path):
    run("import", write(tmp_path, grype("web/one", matches=[
        grype_match("CVE-2024-0001", "lib", severity="High")])), clock_ms=MONDAY + 1)
    detail = show(run, three[0])
    assert [(package["name"], package["sources"], package["first_seen_ms"], package["release"])
            for package in sorted(detail["packages"], key=lambda package: package["name"])] == [
        ("lib", ["trivy", "grype"], MONDAY, "debian-12"), ("tool", ["trivy"], MONDAY, "debian-12")]
    claims = {(claim["vul_id"], claim["source"]): claim for claim in detail["vulnerabilities"]}
    assert claims["CVE-2024-0001", "trivy"] == {
        "vul_id": "CVE-2024-0001", "type": "linux_vul", "reported_as": "CVE-2024-0001",
        "source": "trivy", "severity": "critical", "package": "lib", "version": "1.0",
        "fixed_version": "1.1", "known_ms": MONDAY}
    assert claims["CVE-2024-0001", "grype"]["known_ms"] == MONDAY  # the same thing, known since
    assert "fixed_version" not in claims["CVE-2024-0002", "trivy"]
    text = run("images", "show", three[0]).stdout
    for line in (f"image +{three[0]}", "name +web/one", "assessment +assessed", "latest +yes",
                 "last scan +2023-11-14T22:13:20.001Z", "trivy +2 packages, 2 claims",
                 r"grype +1 packages \(vulnerable ones only\), 1 claims",
                 "critical +CVE-2024-0001 +open +CVE-2024-0001 +trivy +lib +1.0 +1.1",
                 "high +CVE-2024-0001 +open +CVE-2024-0001 +grype +lib +1.0 +2.0",
                 "unknown +CVE-2024-0002 +open +CVE-2024-0002 +trivy +tool +2.0 *"):
        assert re.search(f"^{line}$", text, re.M), (line, text)


@pytest.mark.parametrize("name", ["no-such-image", "", "00000000-0000-0000-0000-000000000000",
                                  "'; DROP TABLE image;--", "x" * 5000])
@pytest.mark.parametrize("command", [["show"], ["rm"], ["set", "containers=1"]], ids=" ".join)
def test_an_image_that_is_not_there(run, three, command, name):
    result = run("images", command[0], name, *command[1:], expect=1)
    assert name[:50] in result.stderr
    assert [image["image_id"] for image in images(run)] == three


# --- rm -------------------------------------------------------------------------------------------


def test_remove_by_id(run, three):
    assert run("images", "rm", three[0], three[2]).stdout == "2 images removed\n"
    assert [image["image_id"] for image in images(run)] == [three[1]]
    assert {row["image_id"] for row in rows(run)} == {three[1]}


def test_remove_by_filter_is_shown_first(run, three):
    shown = run("images", "rm", "--image-name", "web")
    assert three[0] in shown.stdout and three[1] in shown.stdout and three[2] not in shown.stdout
    assert shown.stdout.endswith("2 images\nthey would be removed; repeat with --yes to do it\n")
    assert len(images(run)) == 3
    assert run("images", "rm", "--image-name", "nothing").stdout == "0 images\n"
    assert run("images", "rm", "--image-name", "nothing", "--yes").stdout == "0 images removed\n"
    assert run("images", "rm", "--image-name", "web", "--yes").stdout == "2 images removed\n"
    assert [image["image_id"] for image in images(run)] == [three[2]]


def test_remove_until_one_fails(run, three):
    result = run("images", "rm", three[0], "missing", three[1], expect=1)
    assert "image missing: " in result.stderr and result.stdout == "1 images removed before that\n"
    assert [image["image_id"] for image in images(run)] == three[1:]


def test_a_removed_image_comes_back_with_its_id(run, three, tmp_path):
    run("images", "rm", three[0])
    run("import", write(tmp_path, report("web/one")), clock_ms=MONDAY + 5)
    back = images(run)[-1]  # it arrived last
    assert (back["image_id"], back["first_seen_ms"]) == (three[0], MONDAY + 5)


# --- set ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("assignment, member, value", [
    ("containers=7", "container_num", 7),
    ("organization=a=b", "organization", "a=b"),
    ("organization=组织", "organization", "组织"),
    ("registry_type=Jfrog", "registry_type", "Jfrog"),
    ("cluster_name=blue", "cluster_name", "blue"),
    ("is_multi_arch=true", "is_multi_arch", "true"),
])
def test_set_by_id(run, three, assignment, member, value):
    before = rows(run)
    result = run("images", "set", three[1], assignment, clock_ms=MONDAY + 9)
    assert result.stdout == "1 images changed\n"
    for old, new in zip(before, rows(run)):
        if old["image_id"] == three[1]:
            assert new == {**old, member: value, "updated_time": str(MONDAY + 9)}
        else:
            assert new == old


def test_set_empties(run, three):
    run("images", "set", three[1], "registry_type=")
    assert "registry_type" not in images(run)[1]


def test_set_by_filter_is_shown_first(run, three):
    shown = run("images", "set", "--image-name", "web", "containers=5")
    assert shown.stdout.endswith("2 images\nthey would be changed; repeat with --yes to do it\n")
    assert [row["container_num"] for row in rows(run)] == [0, 0, 0, 0, 2, 2]
    done = run("images", "set", "--image-name", "web", "containers=5", "organization=o", "--yes")
    assert done.stdout == "2 images changed\n"
    assert [row["container_num"] for row in rows(run)] == [5, 5, 5, 5, 2, 2]
    assert [image.get("organization") for image in images(run)] == ["o", "o", None]


def test_a_changed_place_is_a_changed_id(run, three):
    for at, assignment in [(0, "enterprise_project_id=ep"), (2, "cluster_id=d")]:
        said = run("images", "set", three[at], assignment).stdout
        moved = re.fullmatch(rf"{three[at]} is now (\S+)\n1 images changed\n", said)
        assert moved, said
        listed = [image["image_id"] for image in images(run)]
        assert listed[at] == moved[1]  # in its old place in the order
    assert images(run)[0]["enterprise_project_id"] == "ep"
    assert [row["vul_id"] for row in rows(run, "--cluster-id", "d")] == [
        "CVE-2024-0001", "CVE-2024-0002"]
    run("images", "show", three[0], expect=1)
    # The cluster of an image that is of another type is no part of its identity.
    assert run("images", "set", three[1], "cluster_id=x").stdout == "1 images changed\n"


def test_set_does_not_land_on_another_image(run, three, tmp_path):
    run("import", write(tmp_path, report("web/one")), "--enterprise-project", "ep")
    before = images(run)
    result = run("images", "set", three[0], "enterprise_project_id=ep", expect=1)
    assert three[0] in result.stderr and re.search("exist|another|stands", result.stderr)
    assert images(run) == before
    assert run("images", "set", three[2], "cluster_id=", expect=2).stderr.endswith(
        "cluster_id: an image of type cluster needs one\n")
    assert images(run) == before


def test_set_moves_the_mark_latest(run, tmp_path):
    run("import", write(tmp_path, report("app", content="old")))
    run("import", write(tmp_path, report("app", content="new")))
    old, new = images(run)
    assert (old["latest"], new["latest"]) == (False, True)
    run("images", "set", new["image_id"], "enterprise_project_id=ep")
    assert [image["latest"] for image in images(run)] == [True, True]
    moved = images(run)[1]["image_id"]
    run("images", "set", moved, "enterprise_project_id=0")
    assert [image["latest"] for image in images(run)] == [False, True]
    assert json.loads(run("affected", "-o", "json").stdout)["total_num"] == 4
