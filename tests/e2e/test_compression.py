# SPDX-License-Identifier: Apache-2.0
"""Answers packed with gzip: for whom, which, and that unpacked they are what everybody else gets.
Unpacked by zlib, by curl and by Go's client, which asks for it on its own."""
import concurrent.futures
import gzip
import json
import re
import shutil
import socket
import subprocess
import zlib

import pytest

from conftest import Folder
from documents import trivy, trivy_package, trivy_vulnerability
from wire import PATH, connect, head

FINDINGS = "/careen/v1/default/findings"
LONG, SHORT = PATH + "?limit=200", PATH + "?limit=10&vul_id=none"
GZIP = {"Accept-Encoding": "gzip"}


def look(server, target, token, accept=None):
    """The reply, its Content-Encoding and its Vary."""
    reply = server.get(target, token, {"Accept-Encoding": accept} if accept is not None else None)
    return reply, reply.headers["Content-Encoding"], reply.headers["Vary"]


@pytest.mark.parametrize("wanted", [
    "gzip", "gzip, deflate, br, zstd", "deflate, gzip;q=0.5, *;q=0", "*", "identity;q=0.3, x-gzip"])
@pytest.mark.parametrize("target", [LONG, "/openapi.json", "/metrics", FINDINGS,
                                    FINDINGS + "?format=csv", FINDINGS + "?format=sarif"])
def test_packed_for_those_who_ask(company, target, wanted):
    plain, coding, vary = look(company.server, target, company.token)
    assert (plain.status, coding, vary) == (200, None, "Accept-Encoding")
    packed, coding, vary = look(company.server, target, company.token, wanted)
    assert (packed.status, coding, vary) == (200, "gzip", "Accept-Encoding")
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert len(packed.body) < len(plain.body) / 2
    if target == "/metrics":  # moves on
        assert gzip.decompress(packed.body).startswith(plain.body[:100])
    else:
        assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize("unwanted", [
    "", "identity", "gzip;q=0", "gzip;q=0, *", "br, deflate", "*;q=0", "gzip;q=0.4, identity;q=0.5",
    "gzip;q=high"])
def test_not_for_those_who_do_not(company, unwanted):
    reply, coding, vary = look(company.server, LONG, company.token, unwanted)
    assert (coding, vary) == (None, "Accept-Encoding")
    assert reply.json["data_list"]


def test_what_is_never_packed(company, folder):
    """Small answers, refusals, and what comes with a token."""
    for target, token in ((SHORT, company.token), ("/healthz", None), (LONG, None),
                          (LONG, "x" * 3000), (PATH + "?limit=x", company.token)):
        _, coding, vary = look(company.server, target, token, "gzip")
        assert (coding, vary) == (None, None)
    folder.run("user", "create", "u" * 64, "--role", "admin", "--password-stdin",
               stdin="a very long password\n")
    server = folder.serve()
    user = {"name": "u" * 64, "password": "a very long password", "domain": {"name": "careen"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    login = server.request("POST", "/v3/auth/tokens", GZIP, json.dumps(body))
    assert login.status == 201 and login.headers["X-Subject-Token"]
    assert login.headers["Content-Encoding"] is None and login.headers["Vary"] is None


@pytest.fixture(scope="module")
def large(careen, tmp_path_factory):
    """A server whose export comes in several pieces, and a token."""
    path = tmp_path_factory.mktemp("large")
    folder = Folder(careen, path / "data")
    names = [f"package-{n}" for n in range(3000)]
    report = trivy("registry.example.com/team/large", "1", [trivy_package(n, "1") for n in names],
                   [trivy_vulnerability(f"CVE-2025-{i:04}", n) for i, n in enumerate(names)])
    (path / "report.json").write_text(json.dumps(report))
    folder.run("import", path / "report.json")
    token = folder.token()
    yield folder.serve(), token
    folder.close()


def chunks(sock):
    """Of a chunked answer, one after the other."""
    with sock.makefile("rb") as stream:
        while stream.readline() != b"\r\n":
            pass
        while count := int(stream.readline(), 16):
            yield stream.read(count)
            assert stream.readline() == b"\r\n"


def test_pieces_can_be_read_when_they_come(large):
    """What has arrived of an export can be unpacked although the end has not."""
    server, token = large
    unpacker, out, rows = zlib.decompressobj(31), b"", []
    with connect(server.address) as sock:
        sock.sendall(head(FINDINGS, [("Accept-Encoding", "gzip")], token=token))
        for chunk in chunks(sock):
            out += unpacker.decompress(chunk)
            if out.endswith(b"\n"):
                rows.append(out.count(b"\n"))
    assert unpacker.eof
    assert out == server.get(FINDINGS, token).body
    assert rows[-1] == 3000 and rows[0] < 1500, "all at the end"


def test_clients_that_leave_in_the_middle(large):
    """The next one gets the same packer."""
    server, token = large
    expected = server.get(FINDINGS, token).body
    for _ in range(30):
        with connect(server.address) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(head(FINDINGS, [("Accept-Encoding", "gzip")], token=token))
            sock.recv(10)
    assert gzip.decompress(server.get(FINDINGS, token, GZIP).body) == expected


def test_many_at_once(large):
    server, token = large
    targets = [PATH + "?limit=200", PATH + "?limit=50", FINDINGS, FINDINGS + "?format=csv"]
    expected = {target: server.get(target, token).body for target in targets}

    def one(number):
        target = targets[number % len(targets)]
        return gzip.decompress(server.get(target, token, GZIP).body) == expected[target]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(300)))


def test_can_be_switched_off(folder, token):
    server = folder.serve("--no-compress-answers")
    reply, coding, vary = look(server, "/openapi.json", token, "gzip")
    assert (reply.status, coding, vary) == (200, None, None)


def test_the_log_has_what_was_sent(folder, token):
    server = folder.serve()
    sent = server.get("/openapi.json", token, GZIP)
    server.stop()
    logged = re.findall(r"path=/openapi.json status=200 bytes=(\d+)", "".join(server.log))
    assert logged == [str(len(sent.body))]


def test_curl(company):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    for target in (LONG, FINDINGS):
        got = subprocess.run(
            ["curl", "--silent", "--fail", "--compressed", "-H", f"X-Auth-Token: {company.token}",
             f"http://{company.server.address}{target}"], check=True, capture_output=True).stdout
        assert got == company.server.get(target, company.token).body


GO = """package main

import ("fmt"; "io"; "net/http"; "os")

func main() {
    request, _ := http.NewRequest("GET", os.Args[1], nil)
    request.Header.Set("X-Auth-Token", os.Args[2])
    answer, err := http.DefaultClient.Do(request)
    if err != nil || !answer.Uncompressed { fmt.Fprintln(os.Stderr, err, answer); os.Exit(1) }
    if _, err = io.Copy(os.Stdout, answer.Body); err != nil { panic(err) }
}
"""


def test_go_unpacks_on_its_own(company, tmp_path):
    if not shutil.which("go"):
        pytest.skip("Go is not installed")
    (tmp_path / "ask.go").write_text(GO)
    subprocess.run(["go", "build", "-o", tmp_path / "ask", tmp_path / "ask.go"], check=True)
    for target in (LONG, FINDINGS):
        url = f"http://{company.server.address}{target}"
        got = subprocess.run([tmp_path / "ask", url, company.token], check=True,
                             capture_output=True).stdout
        assert got == company.server.get(target, company.token).body
