# SPDX-License-Identifier: Apache-2.0
"""What an SBOM holds, counted independently: with Python's own JSON parser and URL decoding, over the
whole document. Packages are (type, name with its namespace, version); names are compared in lower
case and with '-' for '_', as the types' own normalisation (tested elsewhere) goes further."""
import re
from urllib.parse import unquote

DISTRIBUTIONS = {"alpm", "apk", "deb", "rpm", "opkg", "qpkg", "yocto"}
SOFTWARE = {"library", "framework", "application", "firmware", "device-driver", None}
PURPOSES = {"APPLICATION", "FRAMEWORK", "LIBRARY", "FIRMWARE", "INSTALL", None}
SYFT_TYPES = {"rpm": "rpm", "deb": "deb", "apk": "apk", "python": "pypi"}
SEVERITIES = ["unknown", "negligible", "low", "medium", "high", "critical"]


def is_cyclonedx(document):
    return isinstance(document, dict) and document.get("bomFormat") == "CycloneDX"


def is_spdx2(document):
    return isinstance(document, dict) and str(document.get("spdxVersion", "")).startswith("SPDX-2.")


def key(kind, name, version):
    return kind, name.lower().replace("_", "-"), version.lower()


def with_epoch(epoch, version):
    version = re.sub(r"^0:", "", version)
    return f"{epoch}:{version}" if epoch not in ("", "0") and not re.match(r"\d+:", version) \
        else version


def split_purl(purl):
    """type, [namespace segments], name, version, qualifiers"""
    rest = purl.split("#")[0]
    rest, _, query = rest.partition("?")
    qualifiers = dict(part.partition("=")[::2] for part in query.split("&") if part)
    rest = rest.split(":", 1)[1].strip("/")
    kind, _, rest = rest.partition("/")
    path, at, version = rest.rpartition("@")
    if not at or not path or path.endswith("/"):
        path, version = rest, ""
    *namespace, name = [unquote(segment) for segment in path.split("/") if segment]
    return kind.lower(), namespace, name, unquote(version), \
        {name: unquote(value) for name, value in qualifiers.items()}


def package_of_purl(purl, version, epoch=""):
    kind, namespace, name, own, qualifiers = split_purl(purl)
    if kind in DISTRIBUTIONS:
        namespace = []
    joined = (":" if kind == "maven" else "/").join(["/".join(namespace), name] if namespace
                                                     else [name])
    return key(kind, joined, with_epoch(qualifiers.get("epoch") or epoch, own or version))


def is_purl(text):
    return bool(re.match(r"pkg:/*[a-zA-Z][a-zA-Z0-9.-]*/+[^/]", text or ""))


# --- CycloneDX --------------------------------------------------------------------------------------


def components(document):
    """All but the document's own, at whatever depth."""
    def walk(listed):
        for component in listed or []:
            yield component
            yield from walk(component.get("components"))
    yield from walk(document.get("components"))
    yield from walk(((document.get("metadata") or {}).get("component") or {}).get("components"))


def properties(component):
    return {entry.get("name"): entry.get("value") for entry in component.get("properties") or []}


def package_of_component(component):
    known = properties(component)
    epoch = known.get("syft:metadata:epoch") or ""
    version = component.get("version") or ""
    if component.get("type") == "operating-system":
        return None
    if is_purl(component.get("purl")):
        return package_of_purl(component["purl"], version, epoch)
    if component.get("type") not in SOFTWARE or \
            known.get("aquasecurity:trivy:Class") == "lang-pkgs":
        return None
    name = "/".join(filter(None, [component.get("group"), component["name"]]))
    kind = SYFT_TYPES.get(known.get("syft:package:type"), "generic")
    return key(kind, name, with_epoch(epoch, version))


def rating_word(rating):
    word = rating.get("severity") or ""
    return {"none": "negligible", "info": "negligible", "": "unknown"}.get(word, word)


def level(vulnerability):
    ratings = vulnerability.get("ratings") or []
    source = (vulnerability.get("source") or {}).get("name")
    own = [SEVERITIES.index(rating_word(rating)) for rating in ratings
           if source and (rating.get("source") or {}).get("name") == source]
    return max(own, default=0) or max((SEVERITIES.index(rating_word(r)) for r in ratings), default=0)


def count_cyclonedx(document):
    """({package}, {(vulnerability, package): level}): claims on components that have a bom-ref."""
    packages = {}
    root = (document.get("metadata") or {}).get("component") or {}
    found = [(component, package_of_component(component)) for component in components(document)]
    for component, package in found:
        for ref in (component.get("bom-ref"), component.get("purl")):
            if package and ref:
                packages.setdefault(ref, package)
    claims, extra = {}, set()
    for vulnerability in document.get("vulnerabilities") or []:
        state = (vulnerability.get("analysis") or {}).get("state") or ""
        if state in ("not_affected", "false_positive") or state.startswith("resolved"):
            continue
        for affected in vulnerability.get("affects") or []:
            ref, versions = affected.get("ref"), affected.get("versions") or []
            if versions and all(entry.get("status") == "unaffected" for entry in versions):
                continue
            if ref not in packages and ref == root.get("bom-ref") and ref and \
                    root.get("type") != "container":
                packages[ref] = package_of_component({**root, "type": "application"})
                extra.add(packages[ref])
            if ref in packages and vulnerability.get("id"):
                pair = vulnerability["id"], packages[ref]
                claims[pair] = max(claims.get(pair, 0), level(vulnerability))
    return {package for _, package in found if package} | extra, claims


# --- SPDX -------------------------------------------------------------------------------------------


def purls(package):
    return [ref["referenceLocator"] for ref in package.get("externalRefs") or []
            if ref.get("referenceType") == "purl" and is_purl(ref.get("referenceLocator"))]


def is_image(package):
    return package.get("primaryPackagePurpose") == "CONTAINER" or \
        any(re.match("pkg:/*(oci|docker)/", purl) for purl in purls(package)[:1]) or \
        bool(re.match("SPDXRef-(ContainerImage|DocumentRoot-Image)-", package.get("SPDXID", "")))


def count_spdx(document):
    listed = document.get("packages") or []
    described = set(document.get("documentDescribes") or [])
    for relation in document.get("relationships") or []:
        if relation.get("relationshipType") == "DESCRIBES":
            described.add(relation["relatedSpdxElement"])
    roots = [package for package in listed
             if package.get("SPDXID") in described and (is_image(package) or not purls(package))]
    if not described:
        roots = [p for p in listed if p.get("primaryPackagePurpose") == "CONTAINER"]
    root = roots[0] if len(roots) == 1 else None
    found = set()
    for package in listed:
        version = package.get("versionInfo") or ""
        version = "" if version in ("NOASSERTION", "NONE") else version
        if package is root:
            continue
        if purls(package):
            found.add(package_of_purl(purls(package)[0], version))
        elif package.get("primaryPackagePurpose") in PURPOSES and not re.match(
                "SPDXRef-(OperatingSystem|Application|ContainerImage)-", package.get("SPDXID", "")):
            found.add(key("generic", package["name"], version))
    return found, {}


# --- What Careen read -------------------------------------------------------------------------------


def counted_by_careen(report):
    packages = [key(package["ecosystem"], package["name"], package["version"])
                for package in report["packages"]]
    claims = {}
    for claim in report["claims"]:
        pair = report["records"][claim["record"]]["name"], packages[claim["package"]]
        claims[pair] = max(claims.get(pair, 0), SEVERITIES.index(claim["severity"]))
    return set(packages), claims
