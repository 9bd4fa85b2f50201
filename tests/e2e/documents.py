# SPDX-License-Identifier: Apache-2.0
"""Small scanner reports as Python dictionaries, for tests to import; write() puts one in a file."""
import hashlib
import json


def digest(text):
    """A digest that is valid in form, always the same for one text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def trivy_package(name, version, purl_type="deb/debian", source=None):
    package = {
        "Name": name,
        "Version": version,
        "Identifier": {"PURL": f"pkg:{purl_type}/{name}@{version}"},
    }
    return {**package, "SrcName": source, "SrcVersion": version} if source else package


def trivy_vulnerability(id, package, installed="1.0", fixed="2.0", severity="HIGH", aliases=()):
    return {
        "VulnerabilityID": id,
        "VendorIDs": list(aliases),
        "PkgName": package,
        "InstalledVersion": installed,
        "FixedVersion": fixed,
        "Severity": severity,
    }


def trivy(
    name="registry.example.com/app",
    tag="1.0",
    packages=(),
    vulnerabilities=(),
    os=("debian", "12"),
    kind=("os-pkgs", "debian"),
    content=None,
    **more,
):
    """A Trivy report of schema 2 with one result. Without packages it has no package list, as Trivy
    writes it without --list-all-pkgs. `content` tells one content of a tag from another; `more` are
    further top-level keys."""
    reference = f"{name}:{tag}"
    content = content or reference
    result = {"Target": reference, "Class": kind[0], "Type": kind[1]}
    if packages:
        result["Packages"] = list(packages)
    if vulnerabilities:
        result["Vulnerabilities"] = list(vulnerabilities)
    return {
        "SchemaVersion": 2,
        "ArtifactName": reference,
        "ArtifactType": "container_image",
        "Metadata": {
            "OS": {"Family": os[0], "Name": os[1]},
            "ImageID": digest("config " + content),
            "RepoTags": [reference],
            "RepoDigests": [f"{name}@{digest(content)}"],
            "ImageConfig": {"architecture": "amd64", "os": "linux"},
        },
        "Results": [result],
        **more,
    }


def grype_match(id, package, version="1.0", fixed="2.0", severity="High", related=(), type="deb"):
    return {
        "vulnerability": {
            "id": id,
            "namespace": "debian:distro:debian:12",
            "severity": severity,
            "fix": {"versions": [fixed] if fixed else [], "state": "fixed" if fixed else "unknown"},
        },
        "relatedVulnerabilities": [{"id": other, "namespace": "nvd:cpe"} for other in related],
        "artifact": {
            "name": package,
            "version": version,
            "type": type,
            "purl": f"pkg:{type}/{package}@{version}",
        },
    }


def grype(
    name="registry.example.com/app",
    tag="1.0",
    matches=(),
    os=("debian", "12"),
    content=None,
):
    reference = f"{name}:{tag}"
    content = content or reference
    return {
        "matches": list(matches),
        "source": {
            "type": "image",
            "target": {
                "userInput": reference,
                "imageID": digest("config " + content),
                "manifestDigest": digest(content),
                "tags": [reference],
                "repoDigests": [f"{name}@{digest(content)}"],
                "architecture": "amd64",
                "os": "linux",
            },
        },
        "distro": {"name": os[0], "version": os[1], "idLike": []},
        "descriptor": {"name": "grype", "version": "0.84.0"},
    }


def write(folder, document, name="report.json"):
    """Writes the document into the folder and returns the path."""
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
