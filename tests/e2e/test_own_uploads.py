# SPDX-License-Identifier: Apache-2.0
"""How reports get to POST /careen/v1/{project_id}/images: encodings, sizes, bombs, no reports."""
import gzip
import json
import socket
import time
import zlib

import pytest

from documents import grype, grype_match, trivy, trivy_package, trivy_vulnerability
from wire import Reply, check_error, check_invalid, connect, head, talk

TARGET = "/careen/v1/default/images?image_type=local"
UNPARSED = (400, "HSS.0002", "Failed to parse the request. (")
TOO_LARGE = (413, "APIGW.0201", "Request entity too large. (")
MAX_BYTES = 200_000


def report(n=1, name="registry.example.com/app"):
    """Some 250 bytes for each n."""
    return json.dumps(trivy(
        name, "1.0", [trivy_package(f"package-{k}", "1.0") for k in range(n)],
        [trivy_vulnerability(f"CVE-2025-{k:04}", f"package-{k}", "1.0") for k in range(n)],
    )).encode()


@pytest.fixture
def server(folder, token):
    made = folder.serve("--max-report-bytes", MAX_BYTES)
    made.token = token
    return made


def total(server):
    return server.get("/v5/default/vulnerability/images", server.token).json["total_num"]


def post(server, body, headers=()):
    headers = [*headers, ("Content-Length", len(body))]
    return talk(server.address, head(TARGET, headers, "POST", server.token) + body)


def chunked(body, size):
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# --- Ways to send a report ------------------------------------------------------------------------

@pytest.mark.parametrize("headers", [
    (), [("Content-Type", "application/json")], [("Content-Type", "text/plain")],
    [("Content-Type", "application/x-www-form-urlencoded")],
    [("Content-Type", "multipart/form-data; boundary=x")],
], ids=str)
def test_plain(server, headers):
    assert post(server, report(300), headers).json["findings"] == 300
    assert total(server) == 300


@pytest.mark.parametrize("headers", [
    (), [("Content-Encoding", "gzip")], [("Content-Type", "application/gzip")],
    [("Content-Encoding", "gzip"), ("Content-Type", "application/json")],
], ids=str)
def test_gzip_is_found_out_from_the_bytes(server, headers):
    assert post(server, gzip.compress(report(300)), headers).json["findings"] == 300
    assert post(server, report(300), headers).json["changed"] is False


def test_gzip_of_several_members(server):
    body = report(300)
    parts = (body[:1000], body[1000:50000], body[50000:])
    assert post(server, b"".join(map(gzip.compress, parts))).json["findings"] == 300


@pytest.mark.parametrize("size", [1, 7, 4096, 10**6])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_chunked(server, size, pack):
    body = pack(report(20 if size == 1 else 300))
    data = head(TARGET, [("Transfer-Encoding", "chunked")], "POST", server.token)
    reply = talk(server.address, data + chunked(body, size))
    assert reply.status == 200 and reply.json["created"] is True, reply.body


def test_expect_100_continue(server):
    body = report(300)
    headers = [("Expect", "100-continue"), ("Content-Length", len(body))]
    data = head(TARGET, headers, "POST", server.token)
    with connect(server.address) as sock, sock.makefile("rb") as stream:
        sock.sendall(data)
        assert Reply(stream).status == 100
        sock.sendall(body)
        assert Reply(stream).json["findings"] == 300


@pytest.mark.parametrize("sent, length, status", [
    ("wrong", 1000, 401), (None, 1000, 401), ("good", MAX_BYTES + 1, 413), ("good", 10**12, 413),
])
def test_what_is_refused_is_not_asked_for(server, sent, length, status):
    """No 100: the client keeps its body."""
    sent = server.token if sent == "good" else sent
    headers = [("Expect", "100-continue"), ("Content-Length", length)]
    assert talk(server.address, head(TARGET, headers, "POST", sent)).status == status


def test_a_body_in_drips(server):
    body = report(3)
    with connect(server.address) as sock, sock.makefile("rb") as stream:
        for byte in head(TARGET, [("Content-Length", len(body))], "POST", server.token) + body:
            sock.sendall(bytes([byte]))
        assert Reply(stream).json["findings"] == 3


def test_many_reports_on_one_connection(server):
    with connect(server.address) as sock, sock.makefile("rb") as stream:
        for n in range(1, 30):
            body = report(n, f"registry.example.com/app-{n}")
            sock.sendall(head(TARGET, [("Content-Length", len(body))], "POST", server.token) + body)
            assert Reply(stream).json["findings"] == n
    assert total(server) == sum(range(1, 30))


def test_what_was_sent_halfway_is_not_stored(server):
    body = report(300)
    data = head(TARGET, [("Content-Length", len(body))], "POST", server.token) + body[:-1]
    with connect(server.address) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000) in (b"", b"HTTP/1.1 400 Bad Request\r\n")
    assert total(server) == 0


# --- Too large ------------------------------------------------------------------------------------

def test_the_largest_body(server):
    body = report(300)
    fits = body + b" " * (MAX_BYTES - len(body))
    assert post(server, fits).json["findings"] == 300
    check_error(post(server, fits + b" "), *TOO_LARGE, "200000 bytes")
    assert post(server, gzip.compress(fits + b" " * (15 * MAX_BYTES))).status == 200, "as sent"
    check_error(post(server, gzip.compress(fits + b" " * (15 * MAX_BYTES + 1))), *TOO_LARGE,
                "the report is larger than the limit of 3200000 bytes")


def test_a_chunked_body_that_grows_too_large(server):
    data = head(TARGET, [("Transfer-Encoding", "chunked")], "POST", server.token)
    with connect(server.address) as sock, sock.makefile("rb") as stream:
        sock.sendall(data + chunked(b" " * (MAX_BYTES + 1), 10_000)[:-5])
        check_error(Reply(stream), *TOO_LARGE, "200000 bytes")
    assert total(server) == 0


def test_no_folder_for_large_bodies(folder, server):
    """It is the server's fault, and where its folders are is nobody's business."""
    moved = folder.path.with_name("moved")
    folder.path.rename(moved)
    try:
        reply = post(server, report(600) + b" ")
    finally:
        moved.rename(folder.path)
    check_error(reply, 500, "APIGW.0601", "Internal server error.")
    assert str(folder.path).encode() not in reply.body and b"No such" not in reply.body


# --- No report ------------------------------------------------------------------------------------

SARIF = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": []}
NO_REPORT = {
    "empty": (b"", "the body is empty: send a Trivy or Grype report as JSON"),
    "blank": (b" \n", ""), "text": (b"hello", ""), "html": (b"<html></html>", ""),
    "bad UTF-8": (b'{"SchemaVersion": 2, "ArtifactName": "\xff"}', ""),
    "cut off": (report(3)[:-10], ""), "two documents": (report() * 2, ""),
    "cut-off gzip": (gzip.compress(report(30))[:-20], ""),
    "gzip of nothing": (gzip.compress(b""), ""), "gzip magic alone": (b"\x1f\x8b", ""),
    "zlib": (zlib.compress(report()), ""), "zip": (b"PK\x03\x04" + bytes(60), ""),
    "empty object": (b"{}", "an empty JSON object"), "number": (b"12", "no JSON object"),
    "array": (b"[]", ""),
    "SARIF": (json.dumps(SARIF).encode(), "this is a SARIF log: SARIF has no packages; make "),
    "SARIF, only its runs": (b'{"runs": []}', "this is a SARIF log"),
    "CSAF": (b'{"document": {}, "product_tree": {}}', "a CSAF document"),
    "attestation": (b'{"predicateType": "x"}', "an in-toto attestation"),
    "Trivy, old": (b'[{"Target": "x"}]', "a Trivy report of schema version 1"),
    "Trivy, new": (b'{"SchemaVersion": 3}', "a Trivy report of schema version 3"),
    "Syft": (b'{"artifactRelationships": []}', "a Syft document"),
    "two kinds": (b'{"SchemaVersion": 2, "matches": []}', "a Trivy report and of a Grype report"),
    "unknown": (b'{"colour": "blue"}', "this is not a known report: top-level keys colour"),
}


def test_what_is_no_report(server):
    for name, (body, detail) in NO_REPORT.items():
        check_error(post(server, body), *UNPARSED, detail)
        if body[:2] != b"\x1f\x8b" and body:
            check_error(post(server, gzip.compress(body)), *UNPARSED, detail)
    assert total(server) == 0
    assert post(server, report()).status == 200


@pytest.mark.parametrize("body, detail", [
    ({"SchemaVersion": "2"}, "SchemaVersion"),
    ({"SchemaVersion": 2, "Results": {"a": 1}}, "Results"),
    ({"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"VulnerabilityID": 5}]}]},
     "VulnerabilityID"),
    ({"matches": [{"vulnerability": {"id": ["x"]}}]}, "id"),
    (grype(matches=[grype_match("CVE-2025-1\n", "p")]), "CVE-2025-1"),
    (trivy(vulnerabilities=[trivy_vulnerability("C" * 600, "p")]), "512 characters"),
], ids=lambda value: str(value)[:50])
def test_reports_with_a_bad_value_say_where(server, body, detail):
    check_invalid(post(server, json.dumps(body).encode()), detail)
    assert total(server) == 0


# --- Bombs ----------------------------------------------------------------------------------------

def peak_kb(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def members(unit, count, before=b"", after=b""):
    """gzip members that unpack to before + unit * count + after."""
    return gzip.compress(before) + gzip.compress(unit, 9) * count + gzip.compress(after)


def many_packages(count):
    listed = b",".join(b'{"Name":"p%d","Version":"1"}' % n for n in range(count))
    return b'{"SchemaVersion":2,"Results":[{"Type":"debian","Packages":[%s]}]}' % listed


BIG = 32 << 20
BOMBS = {
    "5 GB of blanks": (members(b" " * BIG, 160), TOO_LARGE, "200 times its size"),
    "zeros": (members(bytes(BIG), 160), UNPARSED, ""),
    "nesting": (members(b"[" * BIG, 4, b'{"colour":'), TOO_LARGE, "128"),
    "one name": (members(b"x" * BIG, 4, b'{"ArtifactName": "', b'"}'), TOO_LARGE, ""),
    "packages": (gzip.compress(many_packages(100_001)), TOO_LARGE, "packages"),
}


@pytest.mark.parametrize("body, error, detail", BOMBS.values(), ids=BOMBS)
def test_bombs(folder, token, body, error, detail):
    """Refused, with little memory, while the call goes on answering."""
    server = folder.serve()
    server.token = token
    data = head(TARGET, [("Content-Length", len(body))], "POST", token) + body
    with connect(server.address, 120) as sock, sock.makefile("rb") as stream:
        sock.sendall(data)
        start = time.monotonic()
        assert total(server) == 0
        assert time.monotonic() - start < 2
        check_error(Reply(stream), *error, detail)
    assert peak_kb(server) < 400_000
