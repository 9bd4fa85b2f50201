# SPDX-License-Identifier: Apache-2.0
"""careen import and bytes that are no report, or a broken or a monstrous one: each is refused with
a message that says where, and what else was there, or comes with it, is not touched."""
import copy
import ctypes
import functools
import gzip
import json
import os
import re
import socket
import subprocess
import threading

import pytest

from asking import images, pairs, rows, show
from documents import grype, grype_match, trivy, trivy_package, trivy_vulnerability, write

GOOD = trivy("app", packages=[trivy_package("lib", "1.0")],
             vulnerabilities=[trivy_vulnerability("CVE-2024-0001", "lib")])
TEXT = json.dumps(GOOD).encode()
GRYPE = grype("app", matches=[grype_match("CVE-2024-0001", "lib")])
RESULT, PACKAGE, VULNERABILITY = (
    ("Results", 0), ("Results", 0, "Packages", 0), ("Results", 0, "Vulnerabilities", 0))
ZIPPED = gzip.compress(TEXT)


def changed(where, value, document=GOOD):
    """The document with another value at that place."""
    document = copy.deepcopy(document)
    functools.reduce(lambda at, key: at[key], where[:-1], document)[where[-1]] = value
    return json.dumps(document).encode()


def many(packages, vulnerabilities, ids):
    return json.dumps(trivy(
        "app", packages=[trivy_package(f"p{at}", "1") for at in range(packages)],
        vulnerabilities=[trivy_vulnerability(f"CVE-2024-{at % ids}", f"p{at // ids}", "1")
                         for at in range(vulnerabilities)])).encode()


DOCUMENTS = {  # what it is: (bytes, what is said)
    "nothing": (b"", "the report is empty"),
    "blanks": (b" \n\t\n", "the report is empty"),
    "cut in a key": (TEXT[:TEXT.index(b"Metadata") + 4], "the document ends in the middle of"),
    "cut in the middle": (TEXT[:400],
                          r"Metadata\S*: the document ends in the middle of .* at byte"),
    "cut before the last byte": (TEXT[:-1], "the document ends in the middle of an object at byte"),
    "one byte too many": (TEXT + b"x", f"expected the end .* found 'x' at byte {len(TEXT)}"),
    "two reports": (TEXT + TEXT, "expected the end of the document"),
    "nested arrays": (b'{"SchemaVersion":2,"x":' + b"[" * 100_000,
                      "nested deeper than the limit of 128 levels at byte"),
    "nested objects": (b'{"a":' * 100_000, "nested deeper than the limit of 128 levels at byte"),
    "results are text": (changed(("Results",), "x"), "Results: expected an array, found a string"),
    "results are an object": (changed(("Results",), {}), "Results: expected an array"),
    "a result is a number": (changed(RESULT, 1),
                             r"Results\[0\]: expected an object, found a number"),
    "packages are an object": (changed((*RESULT, "Packages"), {}),
                               r"Results\[0\]\.Packages: expected an array, found an object"),
    "a name is a number": (
        changed((*PACKAGE, "Name"), 7),
        r"Results\[0\]\.Packages\[0\]\.Name: expected a string, found a number at byte "
        + str(changed((*PACKAGE, "Name"), 7).index(b": 7") + 2)),
    "an id is a list": (changed((*VULNERABILITY, "VulnerabilityID"), []),
                        r"\[0\]\.VulnerabilityID: expected a string, found an array"),
    "an id is null": (changed((*VULNERABILITY, "VulnerabilityID"), None),
                      r"Results\[0\]\.Vulnerabilities\[0\]: vulnerability id is empty at byte"),
    "a severity is a number": (changed((*VULNERABILITY, "Severity"), 3),
                               r"\.Severity: expected a string"),
    "aliases are text": (changed((*VULNERABILITY, "VendorIDs"), "x"),
                         r"VendorIDs: expected an array"),
    "a tag is a number": (changed(("Metadata", "RepoTags"), [1]),
                          r"Metadata\.RepoTags\[0\]: expected a string"),
    "metadata are a list": (changed(("Metadata",), []), "Metadata: expected an object"),
    "a size is text": (changed(("Metadata", "Size"), "big"),
                       r"Metadata\.Size: expected an integer"),
    "a size is 10^30": (changed(("Metadata", "Size"), 10**30), "expected an integer of 64 bits"),
    "a size is 1.5": (changed(("Metadata", "Size"), 1.5), "an integer of 64 bits, found 1.5"),
    "schema version as text": (changed(("SchemaVersion",), "2"),
                               "SchemaVersion: expected an integer"),
    "schema version 1": (changed(("SchemaVersion",), 1),
                         "schema version 1: only version 2 is read"),
    "schema version 3": (changed(("SchemaVersion",), 3),
                         "schema version 3: only version 2 is read"),
    "a match is text": (changed(("matches", 0), "x", GRYPE), r"matches\[0\]: expected an object"),
    "a match is empty": (changed(("matches", 0), {}, GRYPE),
                         r"matches\[0\]: vulnerability id is empty"),
    "a match without artifact": (changed(("matches", 0, "artifact"), None, GRYPE),
                                 r"matches\[0\]: package name is empty at byte"),
    "Latin-1": (TEXT.replace(b'"lib"', b'"l\xfcb"'), r"\[0\]\.Name: a string is not UTF-8 at byte"),
    "overlong UTF-8": (TEXT.replace(b'"lib"', b'"l\xc0\xafb"'), "a string is not UTF-8 at byte"),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), "in UTF-16; convert it to UTF-8"),
    "a raw NUL": (TEXT.replace(b'"lib"', b'"l\0b"'), "control character 0x00 in a string"),
    "a NUL in a name": (changed((*PACKAGE, "Name"), "a\0b"),
                        r'package name "a\?b" is not UTF-8 or'),
    "a NUL in an id": (changed((*VULNERABILITY, "VulnerabilityID"), "CVE\0"),
                       r'vulnerability id "CVE\?" is not UTF-8 or holds control characters'),
    "a line end in a name": (changed((*PACKAGE, "Name"), "a\nb"), "holds control characters"),
    "a name that turns": (changed((*PACKAGE, "Name"), "lib\u202etxt"),
                          r'package name "lib\?+txt" is not UTF-8 or holds control characters'),
    "an escape in a name": (changed((*PACKAGE, "Name"), "\x1b[31m"), "holds control characters"),
    "a name is empty": (changed((*PACKAGE, "Name"), ""), "package name is empty"),
    "a long name": (changed((*PACKAGE, "Name"), "n" * 513), "is longer than 512 characters"),
    "a long id": (changed((*VULNERABILITY, "VulnerabilityID"), "v" * 513),
                  "longer than 512 characters"),
    "a name of 2 MB": (changed((*PACKAGE, "Name"), "n" * 2_000_000), "the limit of 1048576 bytes"),
    "too many packages": (many(50_001, 0, 1), "more than 50000 packages"),
    "too many claims": (many(101, 100_001, 1000), "more than 100000 claims"),
    "too many findings": (many(2, 65_536, 65_536), "has 65536 vulnerabilities, the limit is 65535"),
    "too many aliases": (changed((*VULNERABILITY, "VendorIDs"),
                                 [f"DSA-{at}" for at in range(1025)]),
                         r"VendorIDs\[1024\]: a list holds more than 1024 names"),
    "gzip, cut": (ZIPPED[:-20], "truncated gzip data: it ends in the middle of a member at byte"),
    "gzip, cut in its head": (ZIPPED[:5], "truncated gzip data"),
    "gzip, wrong checksum": (ZIPPED[:-8] + b"\1\2\3\4" + ZIPPED[-4:],
                             "damaged gzip data: a wrong checksum"),
    "gzip, damaged": (ZIPPED[:40] + bytes(40) + ZIPPED[80:],
                      "damaged gzip data|not UTF-8|expected"),
    "gzip, junk behind": (ZIPPED + b"junk", "bytes that are not gzip follow"),
    "gzip in gzip": (gzip.compress(ZIPPED), r'it starts with "\\1f\\8b'),
    "a page": (b"<!DOCTYPE html><html>404</html>", "it looks like XML or HTML"),
    "YAML": (b"apiVersion: v1\n", "it looks like YAML"),
    "a zip archive": (b"PK\x03\x04" + bytes(100), "it is a zip archive: unpack it first"),
    "an array": (b"[]", "this is not a known report: a JSON array"),
    "null": (b"null", "a JSON value that is no object"),
    "an empty object": (b"{}", "an empty JSON object"),
    "two formats in one": (json.dumps({**GOOD, **GRYPE}).encode(),
                           "keys of a Trivy report and of a Grype report"),
}


@pytest.fixture
def kept(run, tmp_path):
    """kept(): all that is stored of an image that every test finds there already."""
    run("import", write(tmp_path, trivy("kept", packages=[trivy_package("old", "1.0")],
                                        vulnerabilities=[
        trivy_vulnerability("CVE-2020-1", "old")])))
    kept_id = images(run)[0]["image_id"]
    return lambda: (show(run, kept_id), rows(run, "--image-name", "kept"))


def second(folder):
    """A good report that comes with the bad one."""
    return write(folder, trivy("second", packages=[trivy_package("lib", "1.0")]), "second.json")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_refused(run, kept, tmp_path, name):
    content, said = DOCUMENTS[name]
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    before = kept()
    result = run("import", path, second(tmp_path), expect=3)
    told = result.stderr.splitlines()
    assert re.fullmatch(rf"careen import: {re.escape(str(path))}: .*({said}).*", told[0]), told[0]
    assert told[1:] == ["careen import: 1 of 2 inputs were refused"]
    assert len(told[0]) < 1200
    assert [image["name"] for image in images(run)] == ["kept", "second"]
    assert kept() == before
    assert run("import", path, expect=1).stdout.startswith("0 images, ")


def test_a_refused_report_leaves_the_one_before_it(run, tmp_path):
    run("import", write(tmp_path, GOOD))
    before = rows(run)
    for bad in (TEXT[:-1], DOCUMENTS["too many findings"][0]):
        (tmp_path / "bad.json").write_bytes(bad)
        run("import", tmp_path / "bad.json", expect=1)
        assert rows(run) == before


ODD = {  # odd, but the standard or the scanners allow it
    "unknown members": changed(("Extra",), {"a": [1, {"b": None}], "Results": 3}),
    "null lists": changed((*RESULT, "Vulnerabilities"), None),
    "a lone surrogate": TEXT.replace(b'"lib"', b'"l\\ud800b"'),
    "escaped letters": TEXT.replace(b'"lib"', b'"l\\u0069b"'),
    "names of 512 characters": changed((*PACKAGE, "Name"), "名" * 512),
    "deep, not too deep": changed(("Extra",), json.loads("[" * 126 + "]" * 126)),
    "several gzip members": gzip.compress(TEXT[:200]) + gzip.compress(TEXT[200:]),
}


@pytest.mark.parametrize("name", ODD)
def test_accepted(run, tmp_path, name):
    (tmp_path / "odd.json").write_bytes(ODD[name])
    run("import", tmp_path / "odd.json")
    assert [image["name"] for image in images(run)] == ["app"]


# --- Files that are none --------------------------------------------------------------------------


def test_paths(run, kept, tmp_path):
    before = kept()
    empty, only_text = tmp_path / "empty", tmp_path / "only-text"
    empty.mkdir()
    only_text.mkdir()
    (only_text / "a.txt").write_text("{}")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.path.relpath(tmp_path / "socket"))
    for path, said in [
        (tmp_path / "missing.json", "No such file or directory"),
        (tmp_path / "second.json" / "below", "Not a directory|No such file"),
        (tmp_path / "loop", "Too many levels of symbolic links"),
        (tmp_path / "socket", "is a socket; a file or a pipe is needed"),
        ("/dev/null", "is a device; a file or a pipe is needed"),
        ("", "No such file"),
        ("x" * 300, "File name too long"),
        ("/proc/self/mem", "cannot read /proc/self/mem: Input/output error|is not JSON|is empty"),
    ]:
        result = run("import", path, second(tmp_path), expect=3)
        assert re.search(rf"careen import: {re.escape(str(path))}: .*({said})", result.stderr), (
            path, result.stderr)
    for folder in (empty, only_text):  # a mistake in the command line: nothing is begun
        result = run("import", second(tmp_path), folder, expect=1)
        assert f"{folder}: there is no file in this folder whose name ends in" in result.stderr
    listening.close()
    assert kept() == before


def test_standard_input_without_content(run, tmp_path):
    assert "standard input: the report is empty" in run("import", "-", stdin="", expect=1).stderr
    result = run("import", "-", "-", second(tmp_path), stdin=TEXT.decode(), expect=3)
    assert "standard input: the report is empty" in result.stderr  # the second time
    assert [image["name"] for image in images(run)] == ["app", "second"]


def test_a_fifo_is_read_like_a_file(run, tmp_path):
    fifo = tmp_path / "fifo.json"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(TEXT,))
    writer.start()
    run("import", fifo)
    writer.join()
    assert pairs(rows(run)) == [("app", "1.0", "CVE-2024-0001")]


def obey_modes():
    """Drops what lets root pass over modes: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_unreadable(careen, data_dir, run, kept, tmp_path):
    before = kept()
    path = write(tmp_path, GOOD, "secret.json")
    folder = tmp_path / "closed"
    folder.mkdir()
    path.chmod(0)
    folder.chmod(0)
    for arguments, status, said in [
        ([path], 1, f"{path}: .*Permission denied"),
        ([path, second(tmp_path)], 3, f"{path}: .*Permission denied"),
        ([folder], 1, f"cannot read the folder {folder}: Permission denied"),
    ]:
        result = subprocess.run([careen, "--data", data_dir, "import", *arguments], text=True,
                                capture_output=True, check=False, preexec_fn=obey_modes)
        assert result.returncode == status and re.search(said, result.stderr), result.stderr
    folder.chmod(0o700)
    assert kept() == before


# --- Monsters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("head, filling", [(b"", b" "), (b'{"SchemaVersion":2,"x":"', b"x")])
def test_gzip_bomb(run, tmp_path, head, filling):
    """It would unpack to more than 4 GB: refused long before, at a few times 16 MiB / 1030."""
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(head) + gzip.compress(filling * (64 << 20)) * 66)
    result = run("import", path, expect=1)
    said = re.search(r"expands to more than 200 times its size at byte (\d+) of", result.stderr)
    assert said and int(said[1]) < 100_000, result.stderr


def write_monster(pipe, packages, vulnerabilities, size_bytes):
    """A report of that size, most of it texts that are of no use here."""
    pipe.write(b'{"SchemaVersion":2,"ArtifactName":"monster:1","ArtifactType":"container_image",'
               b'"Results":[{"Target":"t","Class":"os-pkgs","Type":"debian","Packages":[')
    for at in range(packages):
        pipe.write(b"," * (at > 0) + json.dumps(
            trivy_package(f"package-{at}", f"1.{at}") | {"ID": f"package-{at}@1"}).encode())
    pipe.write(b'],"Vulnerabilities":[')
    text = "x" * (size_bytes // vulnerabilities)
    for at in range(vulnerabilities):
        pipe.write(b"," * (at > 0) + json.dumps(trivy_vulnerability(
            f"CVE-2024-{at}", f"package-{at % packages}", f"1.{at % packages}", f"2.{at}") | {
                "PkgID": f"package-{at % packages}@1", "Description": text}).encode())
    pipe.write(b"]}]}")
    pipe.close()


def peak_kib(pid):
    """The most memory that a living process has had."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
    except (OSError, TypeError):  # it has ended
        return 0


def sanitized(program):
    return b"__asan_init" in program.read_bytes()


@pytest.mark.parametrize("packages, vulnerabilities, most_mib", [
    (3_000, 20_000, 64),
    (30_000, 50_000, 112),  # near the ceilings: what is stored of it counts, too
])
def test_300_megabytes_through_a_pipe(careen, data_dir, run, packages, vulnerabilities, most_mib):
    process = subprocess.Popen([careen, "--data", data_dir, "import", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    writer = threading.Thread(target=write_monster, args=(
        process.stdin, packages, vulnerabilities, 300 << 20))
    writer.start()
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_kib(process.pid))
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            pass
    writer.join()
    assert process.stdout.read().decode() == (
        f"1 images, {packages} packages, {vulnerabilities} findings, "
        f"{vulnerabilities} appeared, 0 retracted\n")
    process.stdout.close()
    assert run("affected").stdout.endswith(f"10 of {vulnerabilities} rows; --limit and --offset "
                                           "choose others, --all shows all\n")
    if not sanitized(careen):
        assert 4 << 10 < peak < most_mib << 10, f"{peak} KiB"


def test_a_report_that_needs_too_much_memory(careen, data_dir, run):
    """Within every count, but its texts are beyond the ceiling: refused as soon as it is seen."""
    document = json.dumps(trivy("app", packages=[
        trivy_package(f"{'p' * 490}{at}", f"{'1' * 490}{at}") for at in range(40_000)])).encode()
    result = subprocess.run([careen, "--data", data_dir, "import", "-"], input=document,
                            capture_output=True, check=False)
    assert result.returncode == 1
    assert b"the report needs more than 24 MiB of memory at byte" in result.stderr
    assert images(run) == []


def test_a_name_of_a_file_does_not_write_on_the_terminal(run, tmp_path):
    odd = tmp_path / "a\ncareen import: forged\x1b[2K\u202e.json"
    odd.write_text("{")
    for command in (["import", odd], ["import", tmp_path], ["restore", odd]):
        said = run(*command, expect=1).stderr
        assert all(line.startswith("careen ") for line in said.splitlines()), said
        assert "forged" in said.splitlines()[0] and not set("\x1b\u202e") & set(said), said
