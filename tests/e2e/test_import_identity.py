# SPDX-License-Identifier: Apache-2.0
"""Which reports are of one image, which names one vulnerability, and what a row's severity is."""
import copy

import pytest

from asking import images, only_image, packages, rows, show
from documents import (
    digest, grype, grype_match, trivy, trivy_package, trivy_vulnerability, write,
)

NPM = {"kind": ("lang-pkgs", "npm"), "os": ("debian", "12")}


def put(run, folder, document, *options):
    return run("import", write(folder, document), *options)


def vul_ids(run, *arguments):
    return sorted(row["vul_id"] for row in rows(run, *arguments))


# --- One image, several reports -------------------------------------------------------------------


def test_trivy_and_grype_are_two_views_of_one_image(run, tmp_path):
    put(run, tmp_path, trivy("app", packages=[trivy_package("lib", "1.0"),
                                              trivy_package("tool", "2.0")],
                             vulnerabilities=[trivy_vulnerability("CVE-2024-0001", "lib")]))
    put(run, tmp_path, grype("app", matches=[grype_match("CVE-2024-0001", "lib"),
                                             grype_match("CVE-2024-0002", "extra", "3.0")]))
    detail = only_image(run)
    assert packages(detail) == [("extra", "3.0"), ("lib", "1.0"), ("tool", "2.0")]
    assert {package["name"]: package["sources"] for package in detail["packages"]} == {
        "lib": ["trivy", "grype"], "tool": ["trivy"], "extra": ["grype"]}
    assert [(source["source"], source["complete"], source["packages"], source["claims"])
            for source in detail["sources"]] == [("trivy", True, 2, 1), ("grype", False, 2, 2)]
    assert vul_ids(run) == ["CVE-2024-0001", "CVE-2024-0002"]  # one row for what both report
    assert detail["assessment"] == "assessed"

    # Each replaces only what it said itself.
    put(run, tmp_path, grype("app"))
    assert packages(only_image(run)) == [("lib", "1.0"), ("tool", "2.0")]
    assert vul_ids(run) == ["CVE-2024-0001"]
    put(run, tmp_path, trivy("app", packages=[trivy_package("tool", "2.0")]))
    assert vul_ids(run) == []


BARE_TRIVY = trivy("app", vulnerabilities=[trivy_vulnerability("CVE-2024-0001", "lib")])
LISTING_TRIVY = trivy("app", packages=[trivy_package("lib", "1.0")])
GRYPE = grype("app", matches=[grype_match("CVE-2024-0001", "lib")])


@pytest.mark.parametrize("reports, assessment, status", [
    ([LISTING_TRIVY], "assessed", 0),
    ([BARE_TRIVY], "partly_assessed", 4),
    ([GRYPE], "partly_assessed", 4),
    ([BARE_TRIVY, GRYPE], "partly_assessed", 4),
    ([GRYPE, LISTING_TRIVY], "assessed", 0),
    ([LISTING_TRIVY, BARE_TRIVY], "partly_assessed", 4),
    ([trivy("app")], "not_assessed", 4),
    ([grype("app")], "not_assessed", 4),
])
def test_assessment(run, tmp_path, reports, assessment, status):
    """Only a complete package list makes an image assessed; what is not never looks clean."""
    for report in reports:
        put(run, tmp_path, report)
    assert only_image(run)["assessment"] == assessment
    result = run("affected", "CVE-1999-0001", expect=status)
    assert ("not fully assessed" in result.stderr) == (status == 4)


def test_other_kinds_of_artifacts_need_a_name(run, tmp_path):
    document = trivy("app", packages=[trivy_package("lib", "1.0")])
    document["ArtifactType"] = "filesystem"
    document["ArtifactName"] = "/srv/app"
    result = run("import", write(tmp_path, document), expect=1)
    assert "say under which image name it belongs (name)" in result.stderr
    assert images(run) == []
    put(run, tmp_path, document, "--name", "shop/app:3")
    assert [(image["name"], image["version"]) for image in images(run)] == [("shop/app", "3")]


def test_two_platforms_of_one_index_are_two_images(run, tmp_path):
    """A repository digest may be an index's: then the config digests tell the platforms apart."""
    intel = trivy("app", packages=[trivy_package("lib", "1.0")])
    arm = copy.deepcopy(intel)
    arm["Metadata"]["ImageID"] = digest("config of arm")
    arm["Metadata"]["ImageConfig"]["architecture"] = "arm64"
    for _ in range(2):  # importing again finds the same two
        put(run, tmp_path, intel)
        put(run, tmp_path, arm)
        listed = images(run)
        assert [image["architecture"] for image in listed] == ["amd64", "arm64"]
        assert [image["latest"] for image in listed] == [True, True]
    match = grype("app", matches=[grype_match("CVE-2024-0001", "lib")])
    match["source"]["target"]["imageID"] = digest("config of arm")
    match["source"]["target"]["architecture"] = "arm64"
    put(run, tmp_path, match)
    assert [row["image_id"] for row in rows(run)] == [listed[1]["image_id"]]


@pytest.mark.parametrize("spellings", [
    ["nginx:1.25", "docker.io/library/nginx:1.25", "library/nginx:1.25",
     "index.docker.io/library/nginx:1.25"],
    ["nginx", "nginx:latest", "docker.io/library/nginx:latest", "docker.io/nginx"],
    ["docker.io/bitnami/redis:7", "bitnami/redis:7"],
])
def test_spellings_of_one_reference(run, tmp_path, spellings):
    report = trivy("any", packages=[trivy_package("lib", "1.0")])
    for spelling in spellings:
        put(run, tmp_path, report, "--name", spelling, "--version",
            spelling.partition(":")[2] or "latest")
    listed = images(run)
    assert len(listed) == 1
    assert listed[0]["name"] == spellings[0].partition(":")[0]  # shown as it was first given


def test_what_makes_another_image(run, tmp_path):
    """Every part of an image's key; the same parts in the other project are yet another image."""
    report = trivy("app", packages=[trivy_package("lib", "1.0")])
    run("project", "create", "other")
    for options in [
        [], ["--version", "2.0"], ["--name", "App"], ["--name", "quay.io/app"],
        ["--image-type", "registry"], ["--image-type", "registry", "--registry-name", "r"],
        ["--image-type", "cluster", "--cluster-id", "c"],
        ["--image-type", "cluster", "--cluster-id", "d"], ["--enterprise-project", "ep"],
        ["--agent-id", "host"], ["--project", "other"],
    ]:
        put(run, tmp_path, report, *options)
    listed = images(run)
    assert len(listed) == 10 and len(images(run, "--project", "other")) == 1
    ids = {image["image_id"] for image in listed + images(run, "--project", "other")}
    assert len(ids) == 11


# --- One vulnerability, several names -------------------------------------------------------------


GHSA, CVE = "GHSA-aaaa-bbbb-cccc", "CVE-2024-0001"


def npm(name, id, aliases=()):
    return trivy(name, packages=[trivy_package("left-pad", "1.0", "npm")], **NPM,
                 vulnerabilities=[trivy_vulnerability(id, "left-pad", aliases=aliases)])


def grype_npm(name, id, related=()):
    return grype(name, matches=[grype_match(id, "left-pad", related=related, type="npm")])


def test_aliases_fold_into_one_row(run, tmp_path):
    put(run, tmp_path, npm("app", CVE))
    put(run, tmp_path, grype_npm("app", GHSA, [CVE]))
    assert [(row["vul_id"], row["type"]) for row in rows(run)] == [(CVE, "app_vul")]
    assert [(claim["vul_id"], claim["reported_as"], claim["source"])
            for claim in only_image(run)["vulnerabilities"]] in (
        [(CVE, CVE, "trivy"), (CVE, GHSA, "grype")], [(CVE, GHSA, "grype"), (CVE, CVE, "trivy")])
    for name in (CVE, GHSA):
        assert vul_ids(run, name) == [CVE]
    # When nobody links them any more, the alias is no longer known.
    put(run, tmp_path, grype("app"))
    assert vul_ids(run) == [CVE] and vul_ids(run, GHSA) == []


def test_an_alias_learned_later_renames_rows_of_other_images(run, tmp_path):
    put(run, tmp_path, npm("first", GHSA))
    before = rows(run)[0]
    assert before["vul_id"] == GHSA
    put(run, tmp_path, grype_npm("second", GHSA, [CVE]))
    assert vul_ids(run) == [CVE, CVE]
    after = rows(run)[0]
    assert after == {**before, "vul_id": CVE}  # first seen and updated as before
    run("images", "rm", images(run)[1]["image_id"])
    assert rows(run)[0] == before


def test_an_advisory_covers_and_never_merges(run, tmp_path):
    advisory = "EulerOS-SA-2023-3326"
    covered = ["CVE-2023-0001", "CVE-2023-0002"]
    put(run, tmp_path, grype("euler", os=("euleros", "2.0"), matches=[
        grype_match(advisory, "kernel", related=covered, type="rpm")]))
    put(run, tmp_path, trivy("app", packages=[trivy_package("lib", "1.0")], vulnerabilities=[
        trivy_vulnerability(covered[0], "lib", aliases=["DSA-5000-1"])]))
    assert vul_ids(run) == [covered[0], advisory]
    assert vul_ids(run, covered[0]) == [covered[0], advisory]
    assert vul_ids(run, covered[1]) == [advisory]
    assert vul_ids(run, advisory) == [advisory]
    assert vul_ids(run, "DSA-5000-1") == [covered[0]]
    assert vul_ids(run, "dsa-5000-1") == []  # names are taken to the letter


def test_a_ghsa_of_two_cves_merges_neither(run, tmp_path):
    other = "CVE-2024-0002"
    put(run, tmp_path, grype_npm("app", GHSA, [CVE, other]))
    put(run, tmp_path, trivy("app", packages=[trivy_package("left-pad", "1.0", "npm")], **NPM,
                             vulnerabilities=[trivy_vulnerability(CVE, "left-pad"),
                                              trivy_vulnerability(other, "left-pad")]))
    assert vul_ids(run) == [CVE, other, GHSA]
    assert vul_ids(run, CVE) == [CVE, GHSA]
    assert vul_ids(run, other) == [other, GHSA]


def test_one_cve_in_os_and_application_packages_is_two_findings(run, tmp_path):
    document = trivy("app", packages=[trivy_package("zlib", "1.0")],
                     vulnerabilities=[trivy_vulnerability(CVE, "zlib", severity="LOW")])
    document["Results"] += npm("app", CVE)["Results"]
    put(run, tmp_path, document)
    assert sorted((row["type"], row["repair_necessity"]) for row in rows(run)) == [
        ("app_vul", "High"), ("linux_vul", "Low")]
    assert [row["type"] for row in rows(run, CVE, "--type", "linux_vul")] == ["linux_vul"]


def test_projects_know_nothing_of_each_other(run, tmp_path):
    run("project", "create", "other")
    put(run, tmp_path, grype_npm("app", GHSA, [CVE]))
    put(run, tmp_path, npm("app", GHSA), "--project", "other")
    assert vul_ids(run) == [CVE]
    assert vul_ids(run, "--project=other") == [GHSA]  # an alias holds where it was reported
    assert vul_ids(run, CVE, "--project=other") == []
    assert len(images(run)) == len(images(run, "--project", "other")) == 1
    ours, theirs = images(run)[0]["image_id"], images(run, "--project", "other")[0]["image_id"]
    assert show(run, theirs, "--project=other")["name"] == "app"
    assert theirs in run("images", "show", theirs, expect=1).stderr
    assert ours in run("images", "rm", ours, "--project", "other", expect=1).stderr
    assert "other2" in run("affected", "--project", "other2", expect=1).stderr


# --- Severity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, necessity", [
    (["CRITICAL"], "Critical"), (["HIGH"], "High"), (["MEDIUM"], "Medium"), (["LOW"], "Low"),
    (["UNKNOWN"], "Medium"), ([""], "Medium"), (["IMPORTANT"], "Medium"),
    (["critical"], "Critical"), (["LOW", "HIGH", "MEDIUM"], "High"), (["UNKNOWN", "LOW"], "Low"),
    (["LOW", "CRITICAL"], "Critical"),
])
def test_severity_is_the_worst_over_the_packages(run, tmp_path, words, necessity):
    put(run, tmp_path, trivy(
        "app", packages=[trivy_package(f"pkg{at}", "1.0") for at in range(len(words))],
        vulnerabilities=[trivy_vulnerability(CVE, f"pkg{at}", severity=word)
                         for at, word in enumerate(words)]))
    assert [row["repair_necessity"] for row in rows(run)] == [necessity]
    assert [row["vul_id"] for row in rows(run, "--repair-necessity", necessity)] == [CVE]


@pytest.mark.parametrize("word, necessity", [
    ("Negligible", "Low"), ("Unknown", "Medium"), ("High", "High")])
def test_words_of_grype(run, tmp_path, word, necessity):
    put(run, tmp_path, grype("app", matches=[grype_match(CVE, "lib", severity=word)]))
    assert rows(run)[0]["repair_necessity"] == necessity


def test_severity_is_the_worst_over_the_sources(run, tmp_path):
    put(run, tmp_path, trivy("app", packages=[trivy_package("lib", "1.0")], vulnerabilities=[
        trivy_vulnerability(CVE, "lib", severity="LOW")]))
    put(run, tmp_path, grype("app", matches=[grype_match(CVE, "lib", severity="Critical")]))
    assert [row["repair_necessity"] for row in rows(run)] == ["Critical"]
    put(run, tmp_path, grype("app"))
    assert [row["repair_necessity"] for row in rows(run)] == ["Low"]
