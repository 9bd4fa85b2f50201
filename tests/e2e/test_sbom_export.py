# SPDX-License-Identifier: Apache-2.0
"""SBOMs out: careen images show -o cyclonedx | spdx. Valid by the formats' own schemas and tools, and
in again, under another name, without loss."""
import json
import subprocess

import pytest

from asking import images, show
from conftest import ROOT
from documents import trivy, trivy_package, trivy_vulnerability, write
from sboms import is_cyclonedx, is_spdx2

ARCHIVE = "reports.tar.zst"
SCHEMA = "reports/cyclonedx-spec/schema"
SDK_PYTHON = ROOT / "build" / "sdk-venv" / "bin" / "python"
FIELDS = ["ecosystem", "release", "channel", "name", "version", "arch", "module", "source_name",
          "source_version"]
SEVERITIES = ["unknown", "negligible", "low", "medium", "high", "critical"]
EVERY = 5  # of the documents of the shared data: which are exported


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory):
    archive = shared_data / ARCHIVE
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    folder = tmp_path_factory.mktemp("export")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def cyclonedx_errors(data):
    """A function: the errors of a document by the official schema of CycloneDX 1.6."""
    jsonschema = pytest.importorskip("jsonschema")
    schemas = {path.name: json.loads(path.read_text()) for path in (data / SCHEMA).glob("*.json")}
    schema = schemas["bom-1.6.schema.json"]
    store = {f"http://cyclonedx.org/schema/{name}": schema for name, schema in schemas.items()}
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    validator = jsonschema.Draft7Validator(
        schema, resolver=resolver, format_checker=jsonschema.draft7_format_checker)
    return lambda document: [error.message for error in validator.iter_errors(document)]


def package_set(detail):
    return {tuple(package.get(field, "") for field in FIELDS) for package in detail["packages"]}


def claim_set(detail):
    """{(reported as, package, version, arch): (worst severity, first fixed version)}"""
    claims = {}
    for claim in detail["vulnerabilities"]:
        pair = tuple(claim.get(field, "")
                     for field in ("reported_as", "type", "package", "version", "arch"))
        level, fixed = claims.get(pair, (0, ""))
        claims[pair] = (max(level, SEVERITIES.index(claim["severity"])),
                        fixed or claim.get("fixed_version", ""))
    return claims


def export(run, image_id, form, path):
    path.write_text(run("images", "show", image_id, "-o", form).stdout)
    return json.loads(path.read_text())


def named(run, name):
    return show(run, [i["image_id"] for i in images(run) if i["name"] == name][0])


def assert_round_trip(run, detail, folder):
    """Both ways out and in again. Returns the CycloneDX document."""
    path = folder / "out.json"
    document = export(run, detail["image_id"], "cyclonedx", path)
    run("import", path, "--name", "again/cyclonedx", "--version", detail["image_id"])
    export(run, detail["image_id"], "spdx", path)
    run("import", path, "--name", "again/spdx", "--version", detail["image_id"])
    for image in images(run):
        if image.get("version") != detail["image_id"]:
            continue
        again = show(run, image["image_id"])
        assert package_set(again) == package_set(detail)
        if image["name"] == "again/cyclonedx":
            assert claim_set(again) == claim_set(detail)
        for member in ("os", "architecture", "size_bytes", "digest", "config_digest", "assessment"):
            if detail["packages"] or member != "assessment":
                assert again.get(member) == detail.get(member), member
        run("images", "rm", image["image_id"], "--yes")
    return document


@pytest.fixture
def rich(run, tmp_path):
    """An image that two sources know: details."""
    run("import", write(tmp_path, trivy(
        "shop/app", packages=[
            trivy_package("libc6", "2.36-9"), trivy_package("Django", "3.2", "pypi"),
            {**trivy_package("mod", "1.0", "rpm/redhat"), "Epoch": 2, "Modularitylabel": "m:1"},
        ], vulnerabilities=[
            trivy_vulnerability("CVE-2024-0001", "libc6", "2.36-9", "2.36-10", "CRITICAL"),
            trivy_vulnerability("GHSA-aaaa-bbbb-cccc", "Django", "3.2", "", "LOW",
                                aliases=["CVE-2024-0002"]),
            trivy_vulnerability("CVE-2024-0003", "Django", "3.2", "4.0, 3.2.1", "UNKNOWN"),
        ])))
    return named(run, "shop/app")


def test_what_is_in_it(run, rich, tmp_path):
    document = export(run, rich["image_id"], "cyclonedx", tmp_path / "c.json")
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "shop/app"
    assert "pkg:pypi/django@3.2" in [c.get("purl") for c in document["components"]]
    found = {v["id"]: v for v in document["vulnerabilities"]}
    assert found["CVE-2024-0001"]["ratings"] == [{"severity": "critical"}]
    assert found["CVE-2024-0001"]["recommendation"] == "Upgrade libc6 to version 2.36-10"
    assert found["GHSA-aaaa-bbbb-cccc"]["references"] == [{"id": "CVE-2024-0002", "source": {}}]
    spdx = export(run, rich["image_id"], "spdx", tmp_path / "s.json")
    assert spdx["spdxVersion"] == "SPDX-2.3"
    assert [p["primaryPackagePurpose"] for p in spdx["packages"]][:2] == \
        ["CONTAINER", "OPERATING-SYSTEM"]


def test_same_bytes_every_time(run, rich):
    for form in ("cyclonedx", "spdx"):
        command = ("images", "show", rich["image_id"], "-o", form)
        assert run(*command).stdout == run(*command).stdout


def test_round_trip(run, rich, tmp_path):
    assert_round_trip(run, rich, tmp_path)


def test_in_again_is_the_same_image(run, rich, tmp_path):
    """Without another name it is another source of the image it came from."""
    path = tmp_path / "out.json"
    for form in ("cyclonedx", "spdx"):
        export(run, rich["image_id"], form, path)
        told = json.loads(run("import", path, "-o", "jsonl").stdout)
        assert (told["image_id"], told["source"], told["created"]) == \
            (rich["image_id"], "sbom", False)
        assert package_set(show(run, rich["image_id"])) == package_set(rich)


def test_a_partial_list_stays_partial(run, tmp_path):
    run("import", write(tmp_path, trivy(
        "shop/part", vulnerabilities=[trivy_vulnerability("CVE-2024-0001", "libc6")])))
    detail = named(run, "shop/part")
    assert detail["assessment"] == "partly_assessed"
    document = assert_round_trip(run, detail, tmp_path)
    assert document["compositions"][0]["aggregate"] == "incomplete"


def test_needs_an_image(run, rich):
    failed = run("images", "show", "none", "-o", "spdx", expect=1)
    assert "none" in failed.stderr and not failed.stdout
    assert "cyclonedx, spdx" in run("images", "show", rich["image_id"], "-o", "xml", expect=2).stderr


def sample(data):
    """Every EVERYth Trivy and Grype report, CycloneDX and SPDX document."""
    found = []
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.stat().st_size < 5_000_000:
            try:
                document = json.loads(path.read_bytes().decode("utf-8-sig"))
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict) and (
                    is_cyclonedx(document) or is_spdx2(document) or "matches" in document or
                    document.get("SchemaVersion") == 2):
                found.append(path)
    return found[::EVERY]


def test_shared_documents(run, data, cyclonedx_errors, tmp_path):
    """Whatever was imported: valid, and the same when it comes in again."""
    packages = claims = count = 0
    for number, path in enumerate(sample(data)):
        name = f"sample/{number}"
        if run("import", path, "--name", name, expect=None).returncode != 0:
            continue
        detail = named(run, name)
        document = assert_round_trip(run, detail, tmp_path)
        assert cyclonedx_errors(document) == [], path
        packages += len(detail["packages"])
        claims += len(detail["vulnerabilities"])
        count += 1
        run("images", "rm", detail["image_id"], "--yes")
    assert count > 60 and packages > 300 and claims > 20


SPDX_CHECK = """
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
for path in sys.argv[1:]:
    for message in validate_full_spdx_document(parse_file(path)):
        print(path, message.validation_message)
"""


def test_spdx_is_valid(run, rich, tmp_path):
    """By the SPDX project's own tools (spdx-tools in build/sdk-venv)."""
    if not SDK_PYTHON.is_file() or subprocess.run(
            [SDK_PYTHON, "-c", "import spdx_tools"], capture_output=True, check=False).returncode:
        pytest.skip("no spdx-tools in build/sdk-venv: scripts/install-dependencies ci")
    run("import", write(tmp_path, trivy(
        "shop/part", vulnerabilities=[trivy_vulnerability("CVE-2024-0001", "libc6")])))
    paths = []
    for name in ("shop/app", "shop/part"):
        paths.append(tmp_path / f"{len(paths)}.spdx.json")
        export(run, named(run, name)["image_id"], "spdx", paths[-1])
    result = subprocess.run(
        [SDK_PYTHON, "-c", SPDX_CHECK, *paths], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr
