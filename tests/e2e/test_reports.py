# SPDX-License-Identifier: Apache-2.0
"""Every Trivy and Grype report of the shared data, read by report_dump and counted once more in
report_counts.py."""
import json
import re
import subprocess

import pytest

from conftest import BUILD_DIR
from sboms import is_cyclonedx, is_spdx2
from report_counts import (
    MIN_REPORTS, SEVERITIES, add, count_grype, count_trivy, is_grype, is_trivy, unpacked_documents,
)


@pytest.fixture(scope="module")
def documents(shared_data, tmp_path_factory):
    return unpacked_documents(shared_data, tmp_path_factory.mktemp("reports"))


def dump(path):
    tool = BUILD_DIR / "report_dump"
    if not tool.is_file():
        pytest.skip(f"{tool} is not built (CAREEN_TESTS)")
    return subprocess.run([tool, path], capture_output=True, text=True, timeout=60, check=False)


def counted_by_careen(report):
    packages = [(package["name"], package["version"]) for package in report["packages"]]
    pairs = {}
    for claim in report["claims"]:
        name = report["records"][claim["record"]]["name"]
        add(pairs, (name, *packages[claim["package"]]), SEVERITIES.index(claim["severity"]))
    return set(packages), pairs


@pytest.mark.parametrize("name, is_format, count", [
    ("trivy", is_trivy, count_trivy), ("grype", is_grype, count_grype)])
def test_counts(documents, name, is_format, count):
    reports = {path: doc for path, doc in documents.items() if is_format(doc)}
    assert len(reports) >= MIN_REPORTS[name]
    wrong = []
    for path, document in reports.items():
        result = dump(path)
        if result.returncode != 0:
            wrong.append(f"{path}: refused: {result.stderr}")
            continue
        report = json.loads(result.stdout)
        assert report["format"] == name
        if counted_by_careen(report) != count(document):
            wrong.append(f"{path}: {counted_by_careen(report)} is not {count(document)}")
    assert not wrong, "\n".join(wrong)


def test_everything_else_is_refused(documents):
    """With exit status 1 and a message: neither taken for a report nor a crash. SBOMs: test_sbom."""
    others = {path: doc for path, doc in documents.items()
              if not any(known(doc) for known in (is_trivy, is_grype, is_cyclonedx, is_spdx2))}
    assert len(others) > 400
    for path in others:
        result = dump(path)
        assert result.returncode == 1, f"{path}: exit status {result.returncode}"
        assert re.match(r"(this is|the report|\S.* at byte \d)", result.stderr), result.stderr


@pytest.mark.parametrize("telling, message", [
    (lambda doc: "runs" in doc, "SARIF"),
    (lambda doc: "ClusterName" in doc, "Trivy Kubernetes report"),
    (lambda doc: doc.get("kind") == "VulnerabilityReport", "trivy-operator"),
])
def test_refused_by_name(documents, telling, message):
    others = [path for path, doc in documents.items() if isinstance(doc, dict) and telling(doc)]
    assert others
    for path in others:
        result = dump(path)
        assert result.returncode == 1 and message in result.stderr, f"{path}: {result.stderr}"
