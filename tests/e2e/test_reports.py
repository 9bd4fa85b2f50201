# SPDX-License-Identifier: Apache-2.0
"""Every Trivy and Grype report of the shared data, read by report_dump and counted here once more.

Counting goes over the whole document with Python's own JSON parser, not along the reader's way:
the distinct packages, and each pair of a vulnerability and a package with its worst severity.
"""
import json
import re
import subprocess

import pytest

from conftest import BUILD_DIR

SEVERITIES = ["unknown", "negligible", "low", "medium", "high", "critical"]
ARCHIVE = "reports.tar.zst"
MIN_REPORTS = {"trivy": 50, "grype": 8}  # as many as there are, or the search went wrong


def is_trivy(document):
    return isinstance(document, dict) and document.get("SchemaVersion") == 2


def is_grype(document):
    return isinstance(document, dict) and "matches" in document and "source" in document


@pytest.fixture(scope="module")
def documents(shared_data, tmp_path_factory):
    """{path: document} of every file in the archive that is JSON, whatever its name."""
    archive = shared_data / ARCHIVE
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    folder = tmp_path_factory.mktemp("reports")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                found[path] = json.loads(path.read_bytes().decode("utf-8-sig"))
            except ValueError:
                pass
    return found


def dump(path):
    tool = BUILD_DIR / "report_dump"
    if not tool.is_file():
        pytest.skip(f"{tool} is not built (CAREEN_TESTS)")
    return subprocess.run([tool, path], capture_output=True, text=True, timeout=60, check=False)


def severity(word):
    word = (word or "").lower()
    return SEVERITIES.index(word) if word in SEVERITIES else 0


def version_text(epoch, version, release=""):
    version = re.sub(r"^0:", "", (version or "").split("\0")[0])
    if release:
        version += "-" + release
    return f"{epoch}:{version}" if epoch and not re.match(r"\d+:", version) else version


def add(pairs, key, level):
    pairs[key] = max(level, pairs.get(key, 0))


def count_trivy(document):
    packages, pairs = set(), {}
    for result in document.get("Results") or []:
        if result.get("Class") not in ("os-pkgs", "lang-pkgs"):
            continue
        for package in result.get("Packages") or []:
            version = version_text(
                package.get("Epoch"), package.get("Version"), package.get("Release", ""))
            packages.add((package["Name"], version))
        for found in result.get("Vulnerabilities") or []:
            package = found["PkgName"], version_text(0, found.get("InstalledVersion"))
            packages.add(package)
            add(pairs, (found["VulnerabilityID"], *package), severity(found.get("Severity")))
    return packages, pairs


def grype_name(artifact):
    group = re.match(r"pkg:maven/([^/@]+)/", artifact.get("purl") or "")
    return f"{group[1]}:{artifact['name']}" if group else artifact["name"]


def count_grype(document):
    packages, pairs = set(), {}
    for match in document["matches"] or []:
        artifact, found = match["artifact"], match["vulnerability"]
        epoch = (artifact.get("metadata") or {}).get("epoch") or 0
        package = grype_name(artifact), version_text(epoch, artifact.get("version"))
        packages.add(package)
        add(pairs, (found["id"], *package), severity(found.get("severity")))
    return packages, pairs


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
    """With exit status 1 and a message: neither taken for a report nor a crash."""
    others = {path: doc for path, doc in documents.items()
              if not is_trivy(doc) and not is_grype(doc)}
    assert len(others) > 500
    for path in others:
        result = dump(path)
        assert result.returncode == 1, f"{path}: exit status {result.returncode}"
        assert re.match(r"(this is|the report|\S.* at byte \d)", result.stderr), result.stderr


@pytest.mark.parametrize("telling, message", [
    (lambda doc: "bomFormat" in doc, "CycloneDX document: it is not read yet"),
    (lambda doc: str(doc.get("spdxVersion", "")).startswith("SPDX-2"), "SPDX document"),
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
