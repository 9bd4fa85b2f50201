# SPDX-License-Identifier: Apache-2.0
"""Every JSON document of the shared data through `careen import`: reports arrive whole, with what
report_counts.py counts in them; everything else is refused by name."""
import re

import pytest

from asking import images, json_lines, show
from conftest import Folder
from report_counts import (
    MIN_REPORTS, SEVERITIES, add, count_grype, count_trivy, is_grype, is_trivy, unpacked_documents,
)
from sboms import is_cyclonedx, is_spdx2


@pytest.fixture(scope="module")
def documents(shared_data, tmp_path_factory):
    return unpacked_documents(shared_data, tmp_path_factory.mktemp("reports"))


def is_of_image(document):
    if is_trivy(document):
        return document.get("ArtifactType") == "container_image"
    return document["source"].get("type") == "image"


def stored(detail):
    packages = {(package["name"], package["version"]) for package in detail["packages"]}
    pairs = {}
    for claim in detail["vulnerabilities"]:
        add(pairs, (claim["reported_as"], claim["package"], claim["version"]),
            SEVERITIES.index(claim["severity"]))
    return packages, pairs


def import_alone(careen, folder, path):
    """The report in a fresh data folder, with a name if it has none: (what was told, the image's
    detail), or (the error, None)."""
    data = Folder(careen, folder)
    result = data.run("import", path, "-o", "jsonl", expect=None)
    if result.returncode == 1 and "(name)" in result.stderr:
        assert images(data.run) == []
        result = data.run("import", path, "-o", "jsonl", "--name", "named/by-test", expect=None)
    if result.returncode != 0:
        return result.stderr, None
    listed = images(data.run)
    assert len(listed) == 1, path
    return json_lines(result.stdout)[0], show(data.run, listed[0]["image_id"])


@pytest.mark.parametrize("name, is_format, count", [
    ("trivy", is_trivy, count_trivy), ("grype", is_grype, count_grype)])
def test_every_report_arrives_whole(careen, documents, tmp_path, name, is_format, count):
    reports = {path: doc for path, doc in documents.items() if is_format(doc)}
    assert len(reports) >= MIN_REPORTS[name]
    wrong = []
    for at, (path, document) in enumerate(reports.items()):
        told, detail = import_alone(careen, tmp_path / str(at), path)
        if detail is None:
            wrong.append(f"{path}: {told}")
            continue
        packages, pairs = count(document)
        if stored(detail) != (packages, pairs):
            wrong.append(f"{path}: {stored(detail)} is not {(packages, pairs)}")
        # Packages of one name and version may differ in what else is their identity.
        assert told["packages"] == len(detail["packages"]) >= len(packages), path
        assert told["source"] == name and told["created"] and told["retracted"] == 0, path
        assert told["findings"] == told["appeared"] <= told["claims"], path
    assert not wrong, "\n".join(wrong)


def test_a_report_of_no_image_is_refused_without_a_name(careen, documents, tmp_path):
    others = [path for path, doc in documents.items()
              if (is_trivy(doc) or is_grype(doc)) and not is_of_image(doc)]
    assert len(others) >= 5
    result = Folder(careen, tmp_path / "data").run("import", *others, expect=1)
    for path in others:
        assert re.search(rf"{re.escape(str(path))}: .*\(name\)", result.stderr), path


def test_everything_at_once(careen, documents, tmp_path):
    """One import of every document: the reports are in, the others are told one by one. SBOMs may
    be either: test_sbom.py tells which of them are invalid."""
    data = Folder(careen, tmp_path / "data")
    result = data.run("import", *documents, "--name", "all/of-them", "-o", "jsonl", expect=3)
    told, refused = json_lines(result.stdout), result.stderr.splitlines()
    assert len(told) + len(refused) == len(documents)
    reports = [doc for doc in documents.values() if is_trivy(doc) or is_grype(doc)]
    assert len([line for line in told if line["source"] in ("trivy", "grype")]) == len(reports)
    refused_paths = set()
    for line in refused:
        found = re.match(r"careen import: (/.*?): (this is|the report|package name|.* at byte \d)",
                         line)
        assert found, line
        refused_paths.add(found[1])
    for path, document in documents.items():
        if not any(known(document) for known in (is_trivy, is_grype, is_cyclonedx, is_spdx2)):
            assert str(path) in refused_paths


FORMATS = [
    (lambda doc: "runs" in doc, "a SARIF log"),
    (lambda doc: "ClusterName" in doc, "a Trivy Kubernetes report"),
    (lambda doc: doc.get("kind") == "VulnerabilityReport", "trivy-operator"),
    (lambda doc: "product_tree" in doc, "a CSAF document"),
]


@pytest.mark.parametrize("telling, message", FORMATS, ids=[message for _, message in FORMATS])
def test_refused_by_name(careen, documents, tmp_path, telling, message):
    others = [path for path, doc in documents.items() if isinstance(doc, dict) and telling(doc)]
    assert others
    result = Folder(careen, tmp_path / "data").run("import", *others, expect=1)
    for path in others:
        assert re.search(rf"{re.escape(str(path))}: .*{re.escape(message)}", result.stderr), path
