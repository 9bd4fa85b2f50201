# SPDX-License-Identifier: Apache-2.0
"""SBOMs in: every CycloneDX and SPDX document of the shared data, read by report_dump and counted
here once more (sboms.py); what is refused, and how."""
import json
import re
import subprocess

import pytest

from conftest import BUILD_DIR
from sboms import count_cyclonedx, count_spdx, counted_by_careen, is_cyclonedx, is_spdx2

ARCHIVES = ["reports.tar.zst", "pkgdb.tar.zst"]
MIN_DOCUMENTS = {"cyclonedx": 320, "spdx": 50}  # as many as there are, or the search went wrong


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sboms")
    for archive in ARCHIVES:
        if not (shared_data / archive).is_file():
            pytest.skip(f"no {shared_data / archive}")
        subprocess.run(
            ["tar", "--zstd", "-xf", shared_data / archive, "-C", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def documents(data):
    """{path: document} of every file that is JSON, whatever its name."""
    found = {}
    for path in sorted(data.rglob("*")):
        if path.is_file():
            try:
                found[path] = json.loads(path.read_bytes().decode("utf-8-sig"))
            except (ValueError, RecursionError):
                pass
    return found


def dump(path):
    tool = BUILD_DIR / "report_dump"
    if not tool.is_file():
        pytest.skip(f"{tool} is not built (CAREEN_TESTS)")
    return subprocess.run([tool, path], capture_output=True, text=True, timeout=60, check=False)


def is_nameless(document):
    """A package that has neither a name nor a purl: the document is not valid."""
    return any("name" not in package for package in document.get("packages") or [])


@pytest.mark.parametrize("name, is_format, count", [
    ("cyclonedx", is_cyclonedx, count_cyclonedx), ("spdx", is_spdx2, count_spdx)])
def test_counts(documents, name, is_format, count):
    sboms = {path: doc for path, doc in documents.items() if is_format(doc)}
    assert len(sboms) >= MIN_DOCUMENTS[name]
    wrong, packages, claims = [], 0, 0
    for path, document in sboms.items():
        result = dump(path)
        if is_nameless(document) and result.returncode == 1:
            assert "package name is empty" in result.stderr
            continue
        if result.returncode != 0:
            wrong.append(f"{path}: refused: {result.stderr}")
            continue
        report = json.loads(result.stdout)
        assert report["format"] == name
        mine, theirs = count(document), counted_by_careen(report)
        packages, claims = packages + len(theirs[0]), claims + len(theirs[1])
        if mine != theirs:
            wrong.append(f"{path}: only here {mine[0] - theirs[0]} {mine[1].items() - theirs[1].items()}"
                         f", only there {theirs[0] - mine[0]} {theirs[1].items() - mine[1].items()}")
    assert not wrong, "\n".join(wrong)
    assert packages > {"cyclonedx": 4000, "spdx": 800}[name]
    assert claims > 50 or name == "spdx"


def test_versions(documents):
    """All six versions of CycloneDX and both of SPDX are among what was counted."""
    seen = {document.get("specVersion") for document in documents.values() if is_cyclonedx(document)}
    assert {"1.2", "1.3", "1.4", "1.5", "1.6", "1.7"} <= seen
    seen = {document.get("spdxVersion") for document in documents.values() if is_spdx2(document)}
    assert {"SPDX-2.2", "SPDX-2.3"} <= seen


# --- Refusals ---------------------------------------------------------------------------------------


def heads(data, pattern):
    found = [path for path in sorted(data.rglob("*")) if path.is_file() and
             re.search(pattern, path.read_bytes()[:400])]
    assert found
    return found


@pytest.mark.parametrize("pattern, message", [
    (rb"<bom[^>]*cyclonedx", "CycloneDX document in XML"),
    (rb"^\s*SPDXVersion:", "SPDX document in tag-value form"),
    (rb"spdx\.org/rdf/3\.", r"SPDX 3 document|SPDX-3"),
    (rb"<rdf:RDF[^>]*spdx\.org", "SPDX document in RDF"),
    (rb"(?m)^SPDXID: \"", "SPDX document in YAML"),
])
def test_refused_by_name(data, pattern, message):
    for path in heads(data, pattern):
        result = dump(path)
        assert result.returncode == 1 and re.search(message, result.stderr), \
            f"{path}: {result.stderr}"
