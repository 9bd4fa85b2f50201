# SPDX-License-Identifier: Apache-2.0
"""GET /careen/v1/{project_id}/findings: the rows of the call, all of them, in three formats."""
import csv
import io
import json
import socket
import time
import urllib.parse

import pytest

from conftest import Folder
from documents import trivy, trivy_package, trivy_vulnerability
from signer import new_key
from test_affected_paging import by_cursor
from tls_world import Authority, SecureServer, install
from wire import Client, check_error, check_invalid, head, talk

ALL = "all_granted_eps"
PATH = "/careen/v1/default/findings"
FORMATS = {"jsonl": "application/jsonl; charset=UTF-8",
           "csv": "text/csv; charset=UTF-8; header=present",
           "sarif": "application/sarif+json"}
QUERIES = [
    {}, {"enterprise_project_id": ALL}, {"vul_id": "CVE-2024-1000"}, {"type": "app_vul"},
    {"image_type": "cluster", "repair_necessity": "High"}, {"image_name": "shop/svc-1"},
    {"vul_id": "CVE-2024-3001", "enterprise_project_id": ALL}, {"vul_id": "CVE-1999-0001"},
    {"status": "vul_status_ignored"}, {"is_handled": "false", "enterprise_project_id": ALL},
]
LEVELS = {"Critical": "error", "High": "error", "Medium": "warning", "Low": "note"}


def export(server, token, project="default", **query):
    target = f"/careen/v1/{project}/findings?" + urllib.parse.urlencode(query)
    return server.get(target, token=token)


def read(reply, format):
    """The rows of an export, and of CSV the columns."""
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"] == FORMATS[format]
    return parse(reply.body, format)


def parse(body, format):
    text = body.decode()
    if format == "jsonl":
        assert text == "" or text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]
    if format == "csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    log = json.loads(text)
    check_sarif(log)
    return [result["properties"] for result in log["runs"][0]["results"]]


def columns(row):
    """The row of the call as CSV has it."""
    names = ["image_id", "image_name", "image_version", "image_digest", "vul_id", "type",
             "repair_necessity", "status", "image_type", "registry_name", "cluster_id",
             "container_num", "first_scan_time", "latest_scan_time", "assessment"]
    found = {name: str(row.get(name, "")) for name in names}
    return {**found, "is_handled": "true" if row["is_handled"] else "false"}


def check_sarif(log):
    """What SARIF 2.1.0 demands of what is written here, and what its readers look for."""
    assert log["version"] == "2.1.0" and set(log) == {"$schema", "version", "runs"}
    run, = log["runs"]
    driver = run["tool"]["driver"]
    assert set(run) == {"results", "tool"} and driver["name"] == "Careen"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    worst = {}
    for result in run["results"]:
        row = result["properties"]
        assert ids[result["ruleIndex"]] == result["ruleId"] == row["vul_id"]
        assert result["level"] == LEVELS[row["repair_necessity"]]
        reference = row["image_name"] + (":" + row["image_version"] if "image_version" in row else "")
        reference += "@" + row["image_digest"] if "image_digest" in row else ""
        assert result["message"]["text"].endswith(" in " + reference)
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii() and not urllib.parse.urlsplit(uri).scheme
        assert urllib.parse.unquote(uri.removeprefix("./")) == reference
        ignored = row["status"] == "vul_status_ignored"
        assert [one["kind"] for one in result["suppressions"]] == ["external"] * ignored
        assert all(one["justification"] for one in result["suppressions"])
        score = ["Low", "Medium", "High", "Critical"].index(row["repair_necessity"])
        worst[row["vul_id"]] = max(worst.get(row["vul_id"], 0), score)
    prints = [result["partialFingerprints"]["finding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    assert set(worst) == set(ids)
    for rule in driver["rules"]:
        known = rule["id"].startswith(("CVE-", "GHSA-"))
        assert ("helpUri" in rule) == known and rule["shortDescription"]["text"]
        score = ["2.0", "5.5", "8.0", "9.5"][worst[rule["id"]]]
        assert rule["properties"]["security-severity"] == score


# --- The same rows --------------------------------------------------------------------------------

@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_it_has_the_rows_of_the_call(company, format, query):
    expected = by_cursor(Client(company.server, company.token), 200, **query)
    assert expected == company.model.matching(**query)
    rows = read(export(company.server, company.token, format=format, **query), format)
    assert rows == ([columns(row) for row in expected] if format == "csv" else expected)


@pytest.mark.parametrize("format", FORMATS)
def test_the_command_line_writes_the_same(company, format):
    reply = export(company.server, company.token, format=format, enterprise_project_id=ALL)
    said = company.folder.run("affected", "--all", "-o", format, "--enterprise-project", ALL)
    assert said.stdout == reply.body.decode()


def test_json_lines_are_the_default_and_pages_are_none_of_its_business(company):
    expected = company.model.matching()
    for query in ({}, {"limit": "10", "offset": "50"}, {"limit": "1"}, {"after": "1.1"},
                  {"after": "x"}, {"something": "else"}):
        assert read(export(company.server, company.token, **query), "jsonl") == expected


def test_refusals(company):
    def ask(query, token=company.token, path=PATH):
        return talk(company.server.address, head(f"{path}?{query}", token=token))

    check_invalid(ask("format=xml"), "format: must be jsonl, csv or sarif")
    check_invalid(ask("type=x"), "type: must be")
    check_invalid(ask("format=csv&format=csv"), "format: must be given once")
    assert ask("", token="nonsense").status == 401
    assert ask("", path="/careen/v1/none/findings").status == 403


# --- Who may see what -----------------------------------------------------------------------------

def test_a_caller_sees_what_is_granted(folder, tmp_path):
    for ep in ("0", "ep-1", "ep-2"):
        file = tmp_path / f"{ep}.json"
        file.write_text(json.dumps(report(f"of-{ep}", 3)))
        folder.run("import", "--image-type", "registry", "--enterprise-project", ep, file)
    folder.run("user", "create", "someone")
    folder.run("user", "grant", "someone", "--role", "viewer", "--enterprise-project", "ep-1")
    key = new_key(folder, "someone")
    server = folder.serve()
    for format in FORMATS:
        reply = key.request(server, "GET", f"{PATH}?format={format}&enterprise_project_id={ALL}")
        names = {row["image_name"] for row in parse(reply.body, format)}
        assert names == {"registry.example.com/team/of-ep-1"}
        reply = key.request(server, "GET", f"{PATH}?format={format}&enterprise_project_id=ep-2")
        assert (reply.status, reply.json["error_code"]) == (400, "HSS.0013")
    assert key.request(server, "GET", PATH).status == 400


def test_over_tls(large, tmp_path):
    authority = Authority(tmp_path)
    server = SecureServer(large, authority, *install(tmp_path, authority.issue("leaf")))
    for format in FORMATS:
        assert len(read(export(server, large.token_text, format=format), format)) == IMAGES * FOUND
    with authority.context().wrap_socket(ask_for_all(server, large.token_text, say=b""),
                                         server_hostname="localhost") as sock:
        sock.sendall(head(f"{PATH}?enterprise_project_id={ALL}", token=large.token_text))
        assert sock.recv(1000)
    until = time.monotonic() + 10
    while not any(" bytes=" not in line for line in server.log if "/findings" in line):
        assert time.monotonic() < until
        time.sleep(0.05)


# --- Larger than a piece --------------------------------------------------------------------------

IMAGES, FOUND = 60, 100  # 6,000 rows, 4 MiB


def report(name, count, tag="1"):
    packages = [trivy_package(f"p{n}", "1.0") for n in range(count)]
    found = [trivy_vulnerability(f"CVE-2025-{n:04}", f"p{n}") for n in range(count)]
    return trivy(f"registry.example.com/team/{name}", tag, packages, found)


@pytest.fixture(scope="module")
def large(careen, tmp_path_factory):
    """A folder with 6,000 rows."""
    path = tmp_path_factory.mktemp("large")
    folder = Folder(careen, path / "data")
    files = []
    for n in range(IMAGES):
        file = path / f"{n}.json"
        file.write_text(json.dumps(report(f"app-{n:03}", FOUND)))
        files.append(file)
    folder.run("import", "--image-type", "registry", *files)
    folder.token_text = folder.token()
    yield folder
    folder.close()


def ask_for_all(server, token, say=None):
    """A connection on which an export has been asked for (or something else said), and nothing
    read."""
    host, port = server.address.rsplit(":", 1)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.settimeout(30)
    sock.connect((host, int(port)))
    ask = head(f"{PATH}?enterprise_project_id={ALL}", token=token)
    sock.sendall(ask if say is None else say)
    return sock


def read_to_end(sock):
    got = b""
    while (part := sock.recv(65536)):
        got += part
        if got.endswith(b"\r\n0\r\n\r\n"):
            break
    return got


def chunks(body):
    """The body, and whether its last chunk is there."""
    joined = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        size = int(size, 16)
        if size == 0:
            return b"".join(joined), True
        joined.append(rest[:size])
        body = rest[size + 2:]
    return b"".join(joined), False


@pytest.mark.parametrize("format", FORMATS)
def test_it_comes_in_chunks(large, format):
    server = large.serve()
    reply = export(server, large.token_text, format=format)
    assert reply.headers["Transfer-Encoding"] == "chunked"
    rows = read(reply, format)
    assert len(rows) == IMAGES * FOUND
    assert len({(row["image_id"], row["vul_id"]) for row in rows}) == IMAGES * FOUND
    line = next(line for line in reversed(server.log) if "/findings" in line)
    assert f"status=200 bytes={len(reply.body)} " in line


def test_images_that_come_and_go_meanwhile(large, tmp_path):
    """Rows of images that stay are there once, whatever else happens between two pieces."""
    server = large.serve()
    first = by_cursor(Client(server, large.token_text), 200)
    stay = [row for row in first if not row["image_name"].endswith(("-050", "-001"))]
    sock = ask_for_all(server, large.token_text)
    time.sleep(0.3)
    gone = [row["image_id"] for row in first if row["image_name"].endswith(("-050", "-001"))]
    for image_id in dict.fromkeys(gone):
        large.run("images", "rm", image_id)
    file = tmp_path / "late.json"
    file.write_text(json.dumps(report("late", 10)))
    large.run("import", "--image-type", "registry", file)
    time.sleep(1.5)  # the server follows within a second
    body, whole = chunks(read_to_end(sock).partition(b"\r\n\r\n")[2])
    assert whole
    rows = parse(body, "jsonl")
    names = {row["image_name"].rsplit("/", 1)[1] for row in rows}
    assert [row for row in rows if row in stay] == stay
    assert "app-001" in names, "it was sent before it went"
    assert "late" in names and "app-050" not in names, "the answer did not wait for its reader"
    for n in ("001", "050"):
        file = tmp_path / f"{n}.json"
        file.write_text(json.dumps(report(f"app-{n}", FOUND)))
        large.run("import", "--image-type", "registry", file)


def test_a_client_that_hangs_up(large):
    server = large.serve()
    for _ in range(50):  # more than may be under way at once
        sock = ask_for_all(server, large.token_text)
        assert sock.recv(1000)
        sock.close()
    until = time.monotonic() + 10
    while sum("/findings" in line for line in server.log) < 50 and time.monotonic() < until:
        time.sleep(0.05)
    cut = [line for line in server.log if "/findings" in line and " bytes=" not in line]
    assert len(cut) > 40 and all("status=200" in line for line in cut)
    assert len(read(export(server, large.token_text), "jsonl")) >= IMAGES * FOUND


def test_too_many_at_once(large):
    server = large.serve()
    socks = [ask_for_all(server, large.token_text) for _ in range(32)]
    assert all(sock.recv(12) == b"HTTP/1.1 200" for sock in socks)
    reply = talk(server.address, head(PATH, token=large.token_text))
    check_error(reply, 500, "APIGW.0601", "Internal server error.", "exports are under way")
    assert reply.only("Retry-After")
    assert Client(server, large.token_text).ask()["total_num"] >= IMAGES * FOUND
    socks.pop().close()
    until = time.monotonic() + 10
    while (reply := export(server, large.token_text)).status != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert reply.status == 200
    for sock in socks:
        sock.close()


def test_a_server_that_stops(large):
    server = large.serve()
    sock = ask_for_all(server, large.token_text)
    time.sleep(0.3)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 15
    try:
        _, whole = chunks(read_to_end(sock).partition(b"\r\n\r\n")[2])
    except ConnectionResetError:
        whole = False
    assert not whole
