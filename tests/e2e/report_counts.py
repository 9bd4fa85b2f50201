# SPDX-License-Identifier: Apache-2.0
"""The JSON documents of the shared data, and what a Trivy or Grype report among them holds.

Counting goes over the whole document with Python's own JSON parser, not along the reader's way:
the distinct packages, and each pair of a vulnerability and a package with its worst severity.
"""
import json
import re
import subprocess

import pytest

SEVERITIES = ["unknown", "negligible", "low", "medium", "high", "critical"]
ARCHIVE = "reports.tar.zst"
MIN_REPORTS = {"trivy": 50, "grype": 8}  # as many as there are, or the search went wrong


def is_trivy(document):
    return isinstance(document, dict) and document.get("SchemaVersion") == 2


def is_grype(document):
    return isinstance(document, dict) and "matches" in document and "source" in document


def unpacked_documents(shared_data, folder):
    """{path: document} of every file in the archive that is JSON, whatever its name; or a skip."""
    archive = shared_data / ARCHIVE
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                found[path] = json.loads(path.read_bytes().decode("utf-8-sig"))
            except ValueError:
                pass
    return found


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
