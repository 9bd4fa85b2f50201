# SPDX-License-Identifier: Apache-2.0
"""What every answer of ListVulAffectImages has around its body, and who gets one: headers, routes,
credentials, the order of checks, sizes (contract, 4.1, 8.1, 8.3)."""
import re
import time

import pytest

from inventory import START_MS
from wire import (JSON_TYPE, PATH, Reply, check_error, check_invalid, connect, head, talk)

NO_ROUTE = (404, "APIGW.0101",
            "The API does not exist or has not been published in the environment.")
WRONG_METHOD = (404, "APIGW.0101", "The API does not exist.")
WRONG_PROJECT = (403, "APIGW.0302", "The IAM user is not authorized to access the API.")
TOO_LARGE = (413, "APIGW.0201", "Request entity too large. (")
LONG_URI = (414, "APIGW.0201", "Request URI too large. (")
LARGE_HEADERS = (431, "APIGW.0201", "Request headers too large. (")
MALFORMED = (400, "APIGW.0201", "API request error. (")
IAM = "Incorrect IAM authentication information: "
NO_TOKEN = (401, "APIGW.0301", IAM + "x-auth-token not found")
BAD_TOKEN = (401, "APIGW.0301", IAM + "decrypt token fail")
BAD_SIGNATURE = (401, "APIGW.0301", IAM + "verify aksk signature fail")


@pytest.fixture(scope="module")
def ask(company):
    """ask(target, headers, method, token): the Reply to a request, by default an authorised one."""
    def send(target=PATH, headers=(), method="GET", token=company.token):
        return talk(company.server.address, head(target, headers, method, token), method)

    return send


# --- Headers --------------------------------------------------------------------------------------

ANSWERS = {
    "rows": (PATH, "GET", True), "no rows": (PATH + "?vul_id=no-such", "GET", True),
    "bad parameter": (PATH + "?limit=9", "GET", True), "no token": (PATH, "GET", False),
    "no route": ("/no/such", "GET", True), "wrong method": (PATH, "POST", True),
    "wrong project": ("/v5/other/vulnerability/images", "GET", True),
    "HEAD": (PATH, "HEAD", True), "health": ("/healthz", "GET", False),
}


@pytest.mark.parametrize("target, method, with_token", ANSWERS.values(), ids=ANSWERS)
def test_headers_of_every_answer(company, ask, target, method, with_token):
    reply = ask(target, method=method, token=company.token if with_token else None)
    assert re.fullmatch("[0-9a-f]{32}", reply.only("X-Request-Id"))
    assert reply.only("Content-Type") == JSON_TYPE
    assert re.fullmatch(r"\d+", reply.only("Content-Length"))
    if method != "HEAD":
        assert reply.only("Content-Length") == str(len(reply.body)) and reply.json
    names = [name for name, _ in reply.headers]
    assert "Transfer-Encoding" not in names and "Content-Encoding" not in names
    assert "Location" not in names and "Server" not in names


def test_request_ids_are_never_the_same(company):
    seen = set()
    with connect(company.server.address) as sock, sock.makefile("rb") as stream:
        for n in range(300):
            # What the client calls itself does not matter.
            sock.sendall(head(PATH, [("X-Request-Id", "0" * 32)], token=company.token))
            seen.add(Reply(stream).only("X-Request-Id"))
            assert len(seen) == n + 1 and "0" * 32 not in seen


def test_requests_one_behind_the_other_on_one_connection(company):
    """Pipelined: as many answers, in order."""
    targets = [PATH + f"?limit={limit}" for limit in range(10, 60)]
    with connect(company.server.address) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"".join(head(target, token=company.token) for target in targets))
        for limit in range(10, 60):
            assert len(Reply(stream).json["data_list"]) == limit


@pytest.mark.parametrize("headers", [
    [("Accept-Encoding", "deflate, br")], [("Accept", "application/xml")],
    [("Content-Type", "text/plain")], [("X-Language", "zh-cn")], [("region", "cn-north-4")],
    [("X-Project-Id", "default")], [("x-project-id", "default")], [("User-Agent", "a" * 2000)],
    [("Connection", "close")], [("X-Sdk-Date", "20261124T074248Z")],
], ids=str)
def test_headers_that_change_nothing(ask, headers):
    assert ask(headers=headers).json == ask().json


# --- Routes ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("target", [
    "/", "/v5", "/v5/", "/v5/default", "/v5/default/vulnerability", PATH + "/", PATH + "/x",
    PATH + "x", "/v4/default/vulnerability/images", "/V5/default/vulnerability/images",
    "/v5/default/vulnerability/Images", "/v5//vulnerability/images", "/v5/default//images",
    "/v5//default/vulnerability/images", "/v5/default/image/vulnerability", "/careen/v1/default",
    "/v5/default/vulnerability/hosts", "/v5/default/vulnerability/images%2f", "/healthz/",
    "/metrics/", "/v5/default/vulnerability%2fimages", "/..%2fv5/default/vulnerability/images",
    "/favicon.ico",
    "/v5/default/../default/vulnerability/images", "/v5/a/b/vulnerability/images", "*",
])
def test_unknown_paths(ask, target):
    for method in ("GET", "POST"):
        check_error(ask(target, method=method), *NO_ROUTE)
    check_error(ask(target, token=None), *NO_ROUTE)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE",
                                    "PROPFIND", "get", "Get", "GETS"])
def test_wrong_methods(ask, method):
    check_error(ask(method=method), *WRONG_METHOD)
    check_error(ask(method=method, token=None), *WRONG_METHOD)


def test_head_is_a_wrong_method_without_a_body(company):
    """What follows on the connection must not be taken for the body."""
    with connect(company.server.address) as sock, sock.makefile("rb") as stream:
        sock.sendall(head(PATH, method="HEAD", token=company.token))
        sock.sendall(head(PATH, token=company.token))
        assert Reply(stream, "HEAD").status == 404
        assert Reply(stream).json["total_num"] > 0


@pytest.mark.parametrize("target", [
    "/" + PATH, "//" + PATH, "/////" + PATH, "http://localhost" + PATH, "http://localhost/" + PATH,
    "/v5/%64%65fault/vulnerability/images", PATH + "?",
])
def test_other_ways_to_the_same_path(ask, target):
    """Java with a slash at the end of its endpoint asks for //v5/...; a proxy for http://..."""
    assert ask(target).json == ask().json


# --- Credentials ----------------------------------------------------------------------------------

@pytest.mark.parametrize("headers, error", [
    ([], NO_TOKEN), ([("X-Auth-Token", "")], NO_TOKEN),
    ([("X-Auth-Token", "wrong")], BAD_TOKEN), ([("X-Auth-Token", "x" * 30000)], BAD_TOKEN),
    ([("X-Auth-Token", "careen_" + "0" * 64)], BAD_TOKEN),
    ([("X-Auth-Token", "\xff\xfe")], BAD_TOKEN),
    ([("Authorization", "Bearer abc")], BAD_TOKEN),
    ([("Authorization", "Basic eDp5")], BAD_SIGNATURE),
    ([("Authorization", "SDK-HMAC-SM3 Access=a, SignedHeaders=b, Signature=c")], BAD_SIGNATURE),
    ([("Authorization", "SDK-HMAC-SHA256")], BAD_SIGNATURE),
], ids=lambda value: str(value)[:50])
def test_without_a_good_token(ask, headers, error):
    check_error(ask(headers=headers, token=None), *error)


def test_nearly_the_token(company, ask):
    token = company.token
    for wrong in (token[:-1], token + "0", token.upper(), token[7:], token[:-1] + "g", "X" + token,
                  f'"{token}"', f"Bearer {token}"):
        check_error(ask(token=wrong), *BAD_TOKEN)
    assert ask(headers=[("x-auth-TOKEN", "  " + token)], token=None).status == 200


def test_blanks_behind_a_headers_value_are_not_part_of_it(company, ask):
    """RFC 9110, section 5.5."""
    for blanks in (" ", "\t", " \t "):
        assert ask(headers=[("X-Auth-Token", company.token + blanks)], token=None).status == 200


def test_another_projects_token(company, ask):
    for headers in ([("X-Project-Id", "other")], [("X-Project-Id", "Default")]):
        check_error(ask(headers=headers), *WRONG_PROJECT)
    for project in ("other", "Default", "default%20", "%E5%BA%93", "x" * 256):
        check_error(ask(f"/v5/{project}/vulnerability/images"), *WRONG_PROJECT)
    check_error(ask("/v5/other/vulnerability/images", [("X-Project-Id", "other")]), *WRONG_PROJECT)


@pytest.mark.parametrize("project, rule", [
    ("x" * 257, "project_id: must be 1-256 characters"), ("%", "project_id: a '%' is not followed"),
    ("%zz", "project_id: a '%' is not followed"), ("%ff", "project_id: the percent-decoded bytes"),
    ("default%00", "project_id: control characters"),
    ("%E5%BA%93" * 257, "project_id: must be 1-256"),
])
def test_a_project_id_that_is_none(ask, project, rule):
    target = f"/v5/{project}/vulnerability/images"
    check_invalid(ask(target), rule)
    check_error(ask(target, token=None), *NO_TOKEN)


@pytest.mark.parametrize("target, headers", [
    (PATH + "?limit=9", ()), (PATH + "?%zz", ()), (PATH + "?limit=1&limit=2", ()),
    ("/v5/other/vulnerability/images?limit=9", ()), (PATH, [("X-Project-Id", "other")]),
    (PATH + "?vul_id=" + "x" * 300, ()), (PATH + "?" + "&".join("x" * 1 for _ in range(1500)), ()),
], ids=lambda value: str(value)[:60])
def test_without_credentials_nothing_is_learnt(ask, target, headers):
    check_error(ask(target, headers, token=None), *NO_TOKEN)
    check_error(ask(target, headers, token="wrong"), *BAD_TOKEN)


def test_a_wrong_project_is_told_before_a_bad_parameter(ask):
    check_error(ask("/v5/other/vulnerability/images?limit=9"), *WRONG_PROJECT)
    check_error(ask("/v5/no/such?limit=9", token=None), *NO_ROUTE)


# --- Tokens come and go ---------------------------------------------------------------------------

HOUR_MS = 3600 * 1000


@pytest.mark.parametrize("lifetime, ms", [("30m", HOUR_MS // 2), ("12h", 12 * HOUR_MS),
                                          ("90d", 90 * 24 * HOUR_MS)])
def test_a_token_expires_to_the_millisecond(folder, lifetime, ms):
    token = folder.token("default", "--expires-in", lifetime, clock_ms=START_MS)
    for_ever = folder.token(clock_ms=START_MS)
    end_ms = START_MS + ms
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end_ms / 1000)) + ".000Z"
    for clock_ms in (START_MS, end_ms - 1, end_ms, end_ms * 2):
        server = folder.serve(clock_ms=clock_ms)
        reply = talk(server.address, head(PATH, token=token))
        if clock_ms < end_ms:
            assert reply.status == 200
        else:
            check_error(reply, 401, "APIGW.0301", IAM + f"token expires, expires_at: {when}")
        assert talk(server.address, head(PATH, token=for_ever)).status == 200


def until(condition, seconds=1.0):
    """Waits for it; returns how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - start


def test_tokens_made_and_revoked_while_the_server_runs(folder):
    keeps, loses = folder.token(), folder.token()
    server = folder.serve()

    def answer(token):
        return talk(server.address, head(PATH, token=token))

    assert answer(keeps).status == answer(loses).status == 200
    folder.run("token", "revoke", "2")
    until(lambda: answer(loses).status == 401)
    check_error(answer(loses), *BAD_TOKEN)
    later = folder.token()
    until(lambda: answer(later).status == 200)
    assert answer(keeps).status == 200
    check_error(answer(loses), *BAD_TOKEN)


# --- Sizes and bytes that are no HTTP -------------------------------------------------------------

URI_BYTES, HEADER_BYTES, HEADERS_BYTES, BODY_BYTES = 32768, 32768, 131072, 12 * 1024 * 1024


def test_the_longest_target(ask):
    target = PATH + "?no_such="
    assert ask(target + "x" * (URI_BYTES - len(target))).status == 200
    for more in (1, 1000, 20000):
        check_error(ask(target + "x" * (URI_BYTES - len(target) + more)), *LONG_URI)
    check_error(ask(target + "x" * URI_BYTES, token=None), *LONG_URI)


def test_the_largest_headers(ask):
    assert ask(headers=[("X-Big", "x" * (HEADER_BYTES - len("X-Big")))]).status == 200
    check_error(ask(headers=[("X-Big", "x" * (HEADER_BYTES - len("X-Big") + 1))]), *LARGE_HEADERS)
    many = [(f"X-Big-{n}", "x" * 16000) for n in range(9)]
    assert ask(headers=many[:8]).status == 200
    check_error(ask(headers=many), *LARGE_HEADERS)
    check_error(ask(headers=many, token=None), *LARGE_HEADERS)


@pytest.mark.parametrize("headers", [[("X-Huge", "x" * 1_000_000)],
                                     [(f"X-{n}", "x" * 100) for n in range(20_000)]],
                         ids=["one of 1 MB", "20,000 of 100 bytes"])
def test_headers_beyond_what_is_even_read(company, headers):
    """The library answers with a page of its own here; refused it is, and the server lives."""
    with connect(company.server.address) as sock:
        try:
            sock.sendall(head(PATH, headers, token=company.token))
        except (ConnectionResetError, BrokenPipeError):
            pass
        try:
            answer = sock.recv(65536)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
    assert talk(company.server.address, head("/healthz")).status == 200


@pytest.mark.parametrize("length", [BODY_BYTES + 1, 10**15])
def test_a_body_that_is_announced_too_large(ask, length):
    check_error(ask(headers=[("Content-Length", str(length))]), *TOO_LARGE)
    check_error(ask(headers=[("Content-Length", str(length))], token=None), *NO_TOKEN)


@pytest.mark.parametrize("bad", [
    b"GET " + PATH.encode() + b"?a b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET " + PATH.encode() + b"?a\x01b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET " + PATH.encode() + b"?a\x00b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\nhello!",
    b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
], ids=["blank", "control", "NUL", "two lengths", "length and chunked", "gzip coding", "negative"])
def test_malformed_requests(company, bad):
    reply = talk(company.server.address, bad)
    if ("Content-Type", JSON_TYPE) in reply.headers:
        check_error(reply, *MALFORMED)
    else:
        assert reply.status == 400  # the library's own page


@pytest.mark.parametrize("noise", [
    b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 999,
    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /",
], ids=lambda value: str(value[:12]))
def test_noise_harms_nothing(company, noise):
    with connect(company.server.address) as sock:
        sock.sendall(noise)
    assert talk(company.server.address, head("/healthz")).status == 200


def test_the_ceiling_on_headers_can_be_lowered(folder, token):
    server = folder.serve("--max-header-bytes", "20000")
    for count, expected in ((9, 200), (11, 431)):
        headers = [(f"X-{n}", "x" * 1900) for n in range(count)]
        assert talk(server.address, head(PATH, headers, token=token)).status == expected
    target = PATH + "?no_such="
    assert talk(server.address, head(target + "x" * (URI_BYTES - len(target)), token=token)
                ).status == 200
