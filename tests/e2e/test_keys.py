# SPDX-License-Identifier: Apache-2.0
"""Signed requests: access keys, signatures, and every way to be refused (contract, 2 and 8.3)."""
import hashlib
import json
import pathlib
import stat
import time

import pytest

import signer
from documents import trivy, trivy_package, trivy_vulnerability
from signer import SDK, V11, Key, new_key, now, send

CALL = "/v5/default/vulnerability/images"
IMPORT = "/careen/v1/default/images?image_type=local&agent_id=h"
INCORRECT = "Incorrect IAM authentication information: "
WRONG = INCORRECT + "verify aksk signature fail"
REPORT = json.dumps(trivy(
    packages=[trivy_package("bash", "1.0")],
    vulnerabilities=[trivy_vulnerability("CVE-2024-1", "bash")],
)).encode()


@pytest.fixture
def key(folder):
    folder.run("user", "create", "alice", "--role", "operator")
    return new_key(folder, "alice")


def refused(reply, text, status=401, code="APIGW.0301"):
    assert reply.status == status, reply.body
    assert list(reply.json) == ["error_code", "error_msg", "request_id"]
    assert reply.json["error_code"] == code
    assert reply.json["error_msg"] == text, reply.json
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]


def wait_for(check, seconds=5):
    """What was written by a command is followed by the server within a second."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until
        time.sleep(0.02)


# --- What is accepted -----------------------------------------------------------------------------

@pytest.mark.parametrize("algorithm", [SDK, V11])
def test_the_signature_of_the_guide(algorithm):
    """The signer itself, against the vectors that were published."""
    key = Key(ak="AccessKey", sk="SecretKey")
    made = signer.authorization(key, "GET", "/path?limit=1", {"X-Sdk-Date": "20060102T150405Z"},
                                algorithm=SDK)
    assert made.endswith("5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624")
    signer.SCOPE, before = "20060102/test-region-1/demo", signer.SCOPE
    made = signer.authorization(key, "GET", "/path?limit=1", {"X-Sdk-Date": "20060102T150405Z"},
                                algorithm=V11)
    signer.SCOPE = before
    assert made.endswith("8fd3610508884bb19718317797c7378716a94bc740d97502e569322e366341cc")


HEADER_SETS = {
    "python": ["content-type", "host", "user-agent", "x-project-id", "x-sdk-date"],
    "go": ["user-agent", "x-project-id", "x-sdk-date"],
    "java": ["host", "user-agent", "x-project-id", "x-sdk-date"],
    "date alone": ["x-sdk-date"],
}


@pytest.mark.parametrize("algorithm", [SDK, V11])
@pytest.mark.parametrize("signed", HEADER_SETS.values(), ids=HEADER_SETS)
def test_signed_calls(key, server, algorithm, signed):
    headers = {"Content-Type": "application/json", "User-Agent": "sdk/1.0; x",
               "X-Project-Id": "default"}
    for query in ("", "?limit=10&offset=0", "?image_type&is_handled=false&type&vul_id",
                  "?vul_id=a%20%2F%2B%3D%26%2A~%21()'%E4%B8%AD%25&b=2&a=1&a"):
        reply = key.get(server, CALL + query.replace("&a=1&a", ""), headers, algorithm=algorithm,
                        signed=signed)
        assert reply.status == 200, (query, reply.body)
        assert reply.json["total_num"] == 0
    assert key.get(server, "/" + CALL, headers, algorithm=algorithm, signed=signed).status == 200


def test_unsigned_payload(key, server):
    headers = {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
    assert key.get(server, CALL, headers).status == 200
    reply = key.request(server, "POST", IMPORT, headers, REPORT)
    assert reply.status == 200, reply.body
    assert key.get(server, CALL).json["total_num"] == 1


@pytest.mark.parametrize("stated", [False, True])
@pytest.mark.parametrize("size", [0, 300_000], ids=["small", "spooled to disk"])
def test_signed_uploads(key, server, stated, size):
    body = REPORT + b" " * size
    headers = {"X-Sdk-Content-Sha256": hashlib.sha256(body).hexdigest()} if stated else {}
    reply = key.request(server, "POST", IMPORT, headers, body)
    assert reply.status == 200, reply.body
    assert reply.json["findings"] == 1
    sent = key.headers(server, "POST", IMPORT, headers, body)
    other = body.replace(b"bash", b"dash")
    reply = send(server, "POST", IMPORT, sent, other)
    assert reply.status == 401 and reply.json["error_msg"].startswith(WRONG)
    assert "findings" not in reply.json
    assert key.get(server, CALL).json["total_num"] == 1
    # In pieces, without a length.
    sent = key.headers(server, "POST", IMPORT, headers, body)
    pieces = iter([body[:1000], body[1000:]])
    assert send(server, "POST", IMPORT, sent, pieces).status == 200


def test_a_body_that_is_ignored_must_match(key, server):
    sent = key.headers(server, "GET", CALL, body=b"{}")
    assert send(server, "GET", CALL, sent, b"{}").status == 200
    assert send(server, "GET", CALL, sent, b"[]").json["error_msg"].startswith(WRONG)
    sent = key.headers(server, "GET", CALL)
    assert send(server, "GET", CALL, sent, b"[]").json["error_msg"].startswith(WRONG)


def test_a_body_of_nobodys_project_tells_nothing(key, server):
    """Without a right signature, an upload learns neither of projects nor of parameters."""
    stranger = Key(ak=key.ak, sk="x" * 40)
    for target in (IMPORT.replace("default", "nope"), "/careen/v1/default/images?nonsense=1"):
        reply = stranger.request(server, "POST", target, body=REPORT)
        assert reply.status == 401 and reply.json["error_msg"].startswith(WRONG)
    refused(key.request(server, "POST", IMPORT.replace("default", "nope"), body=REPORT),
            "The IAM user is not authorized to access the API.", 403, "APIGW.0302")


# --- What is refused ------------------------------------------------------------------------------

def test_wrong_secret(key, server):
    bad = Key(ak=key.ak, sk=key.sk[:-1] + ("A" if key.sk[-1] != "A" else "B"))
    target = CALL + "?vul_id=CVE-1&limit=10"
    reply = bad.get(server, target)
    sent = bad.headers(server, "GET", target)
    signed = sent["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    date = reply.json["error_msg"].split("x-sdk-date:")[1].split("|")[0]
    canonical = signer.canonical_request("GET", target, {**sent, "X-Sdk-Date": date}, signed, b"")
    refused(reply, f"{WRONG}, canonicalRequest:{canonical}".replace("\n", "|"))
    assert sent["Authorization"][-64:] not in reply.body.decode()


def test_unknown_key(key, server):
    refused(Key(ak="CRNNOBODY", sk=key.sk).get(server, CALL),
            INCORRECT + "Get secretKey failed,ak:CRNNOBODY,err:ak not exist")
    refused(Key(ak=key.ak.lower(), sk=key.sk).get(server, CALL),
            INCORRECT + f"Get secretKey failed,ak:{key.ak.lower()},err:ak not exist")


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24 * 365])
def test_clock_skew(key, server, minutes):
    sent = key.headers(server, "GET", CALL, minutes=minutes)
    before, reply, after = now(), send(server, "GET", CALL, sent), now()
    text = INCORRECT + "calc aksk signature fail:signature expired, signature time:" \
        f"{sent['X-Sdk-Date']},server time:"
    assert reply.json["error_msg"][:len(text)] == text
    assert before <= reply.json["error_msg"][len(text):] <= after
    refused(reply, reply.json["error_msg"])


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clock_within_the_skew(key, server, minutes):
    assert key.get(server, CALL, minutes=minutes).status == 200


def test_malformed(key, server):
    good = key.headers(server, "GET", CALL)
    changes = {
        "no date": {"X-Sdk-Date": None},
        "date unsigned": {"Authorization": good["Authorization"].replace(";x-sdk-date", "")},
        "date malformed": {"X-Sdk-Date": "2026-11-24T00:00:00Z"},
        "date empty": {"X-Sdk-Date": ""},
        "no such day": {"X-Sdk-Date": "20260231T000000Z"},
        "nothing behind": {"Authorization": SDK},
        "no signature": {"Authorization": good["Authorization"].rsplit(",", 1)[0]},
        "short signature": {"Authorization": good["Authorization"][:-1]},
        "two signatures": {"Authorization": good["Authorization"] + ", Signature=00"},
        "other algorithm": {"Authorization": good["Authorization"].replace(SDK, "SDK-HMAC-SM3")},
        "basic": {"Authorization": "Basic YWxpY2U6cGFzc3dvcmQ="},
        "bearer without a token": {"Authorization": "Bearer "},
    }
    for name, change in changes.items():
        headers = {k: v for k, v in {**good, **change}.items() if v is not None}
        reply = send(server, "GET", CALL, headers)
        assert reply.status == 401, name
        refused(reply, WRONG)


def test_temporary_keys(key, server):
    reply = key.get(server, CALL, {"X-Security-Token": "t" * 100})
    refused(reply, WRONG + ", temporary access keys (X-Security-Token) are not supported")


def test_signature_and_token(key, token, server):
    """A known algorithm goes before the token; another one leaves it to the token."""
    assert key.get(server, CALL, {"X-Auth-Token": "nonsense"}, signed=["x-sdk-date"]).status == 200
    bad = Key(ak=key.ak, sk="wrong")
    assert bad.get(server, CALL, {"X-Auth-Token": token}).status == 401
    for other in ("Bearer x", "SDK-HMAC-SM3 Access=x, SignedHeaders=x, Signature=x"):
        reply = send(server, "GET", CALL, {"Authorization": other, "X-Auth-Token": token})
        assert reply.status == 200
    reply = send(server, "GET", CALL, {"Authorization": SDK + " nonsense", "X-Auth-Token": token})
    refused(reply, WRONG)


def test_another_project(folder, key, server):
    folder.run("project", "create", "other")
    not_authorized = ("The IAM user is not authorized to access the API.", 403, "APIGW.0302")
    for project in ("other", "nope"):
        refused(key.get(server, CALL.replace("default", project)), *not_authorized)
    refused(key.get(server, CALL, {"X-Project-Id": "other"}), *not_authorized)
    assert key.get(server, CALL, {"X-Project-Id": "default"}).status == 200


# --- The lock-out ---------------------------------------------------------------------------------

LOCKED = INCORRECT + "AK access failed to reach the limit,forbidden."


def test_lock_out(folder, key, server):
    bad, other = Key(ak=key.ak, sk="wrong"), new_key(folder, "alice")
    wait_for(lambda: other.get(server, CALL).status == 200)
    for _ in range(5):
        assert bad.get(server, CALL).json["error_msg"].startswith(WRONG)
    assert key.get(server, CALL).status == 200  # that ends the row
    for _ in range(6):
        assert bad.get(server, CALL).json["error_msg"].startswith(WRONG)
    refused(bad.get(server, CALL), LOCKED)
    refused(key.get(server, CALL), LOCKED)
    refused(key.request(server, "POST", IMPORT, body=REPORT), LOCKED)
    assert other.get(server, CALL).status == 200
    # From another address the key works, and cannot be locked out from the first one.
    sent = key.headers(server, "GET", CALL)
    assert send(server, "GET", CALL, sent, source="127.0.0.2").status == 200


def test_a_network_is_locked_out(folder, key):
    """One client has a /64 of IPv6 at least: another address of it is no other client."""
    server = folder.serve("--trusted-proxies", "127.0.0.1")

    def ask(by, address):
        sent = {**by.headers(server, "GET", CALL), "X-Forwarded-For": address}
        return send(server, "GET", CALL, sent)

    for n in range(6):
        assert ask(Key(ak=key.ak, sk="wrong"), f"2001:db8::{n}").status == 401
    refused(ask(key, "2001:db8::77"), LOCKED)
    assert ask(key, "2001:db8:0:1::77").status == 200


def test_uploads_count_for_the_lock_out(key, server):
    bad = Key(ak=key.ak, sk="wrong")
    for _ in range(6):
        assert bad.request(server, "POST", IMPORT, body=REPORT).json["error_msg"].startswith(WRONG)
    refused(key.get(server, CALL), LOCKED)


def test_stale_and_unknown_do_not_lock_out(key, server):
    bad = Key(ak=key.ak, sk="wrong")
    for _ in range(8):
        assert bad.get(server, CALL, minutes=30).status == 401
        assert Key(ak="CRNX", sk="x").get(server, CALL).status == 401
    assert key.get(server, CALL).status == 200


# --- The command line, and what is stored ---------------------------------------------------------

def test_key_commands(folder, server):
    folder.run("user", "create", "bob", "--role", "viewer")
    lines = folder.run("key", "create", "--user", "bob", "--label", "laptop").stdout.splitlines()
    key = Key(ak=lines[0], sk=lines[1])
    assert len(lines) == 2 and len(key.ak) == 20 and len(key.sk) == 40
    wait_for(lambda: key.get(server, CALL).status == 200)
    listed = folder.run("key", "list").stdout
    assert key.ak in listed and "bob" in listed and "laptop" in listed and "valid" in listed
    assert key.sk not in listed
    folder.run("key", "revoke", key.ak)
    wait_for(lambda: key.get(server, CALL).status == 401)
    refused(key.get(server, CALL), INCORRECT + f"Get secretKey failed,ak:{key.ak},err:ak not exist")
    assert "revoked" in folder.run("key", "list").stdout
    assert "nobody" in folder.run("key", "create", "--user", "nobody", expect=1).stderr
    assert "--user" in folder.run("key", "create", expect=2).stderr
    assert "CRNX" in folder.run("key", "revoke", "CRNX", expect=1).stderr


def test_revoked_users_keys(folder, key, server):
    folder.run("user", "revoke", "alice")
    wait_for(lambda: key.get(server, CALL).status == 401)
    folder.run("user", "restore", "alice")
    wait_for(lambda: key.get(server, CALL).status == 200)


def stored_bytes(folder):
    return b"".join(path.read_bytes() for path in pathlib.Path(folder.path).iterdir()
                    if path.is_file())


def test_secrets_are_nowhere(folder, key, token, server):
    bad = Key(ak=key.ak, sk="w" * 40)
    key.request(server, "POST", IMPORT, body=REPORT)
    bad.get(server, CALL)
    server.get(CALL, token=token)
    sent = key.headers(server, "GET", CALL)
    send(server, "GET", CALL, sent)
    stored, log = stored_bytes(folder), "".join(server.log)
    for secret in (key.sk, token, sent["Authorization"][-64:], bad.sk):
        assert secret.encode() not in stored
        assert secret not in log
    key_file = folder.path / "secret.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert len(key_file.read_bytes()) == 65


def test_the_key_file(folder, key):
    key_file = folder.path / "secret.key"
    aside = key_file.rename(folder.path / "aside")
    for command in (["serve", "--listen", "127.0.0.1:0"], ["key", "create", "--user", "alice"]):
        said = folder.run(*command, expect=1).stderr
        assert str(key_file) in said and "restore it from a backup" in said
    assert not key_file.exists()
    key_file.write_text("0" * 64 + "\n")
    key_file.chmod(0o600)
    said = folder.run("serve", "--listen", "127.0.0.1:0", expect=1).stderr
    assert str(key_file) in said and key.ak in said
    aside.rename(key_file)
    key_file.chmod(0o644)
    assert "chmod 600" in folder.run("serve", "--listen", "127.0.0.1:0", expect=1).stderr
    key_file.chmod(0o600)
    assert key.get(folder.serve(), CALL).status == 200
