# SPDX-License-Identifier: Apache-2.0
"""Users with passwords, tokens and the lists that IAM clients ask for (contract, 2.5 and 3)."""
import concurrent.futures
import json
import re
import time

import pytest

from conftest import Folder
from signer import new_key

CALL = "/v5/cn-north-4/vulnerability/images"
TOKENS = "/v3/auth/tokens"
HOUR_MS = 3600 * 1000
START_MS = 1_800_000_000_000
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
PASSWORD = "correct horse battery"


def hire(folder):
    """alice: operator of cn-north-4 with a password; bob: a password and no grant."""
    folder.run("project", "create", "cn-north-4")
    folder.run("user", "create", "alice", "--password-stdin", "--role", "operator", "--project",
               "cn-north-4", stdin=PASSWORD + "\n")
    folder.run("user", "create", "bob", "--password-stdin", stdin=PASSWORD)
    return folder


@pytest.fixture
def people(folder):
    """Those of hire(), for a test that changes them."""
    return hire(folder)


@pytest.fixture
def server(people):
    return people.serve()


@pytest.fixture(scope="module")
def office(careen, tmp_path_factory):
    """A server with those of hire(), whom no test changes."""
    folder = hire(Folder(careen, tmp_path_factory.mktemp("office") / "data"))
    yield folder.serve()
    folder.close()


def body(name="alice", password=PASSWORD, domain={"name": "careen"}, scope=None, methods=("password",)):
    auth = {"identity": {"methods": list(methods),
                         "password": {"user": {"name": name, "password": password,
                                               "domain": domain}}}}
    if scope:
        auth["scope"] = scope
    return {"auth": auth}


PROJECT = {"project": {"name": "cn-north-4"}}


def log_in(server, *args, query="", raw=None, headers=None, **how):
    content = raw if raw is not None else json.dumps(body(*args, **how))
    return server.request("POST", TOKENS + query, body=content, headers={
        "Content-Type": "application/json;charset=UTF-8", **(headers or {})})


def refused(reply, status, code, title, text):
    assert reply.status == status, reply.body
    assert reply.headers.get("X-Subject-Token") is None
    message = reply.json["error_msg"]
    assert text in message
    assert reply.json == {"error": {"code": status, "message": message, "title": title},
                          "error_code": code, "error_msg": message,
                          "request_id": reply.headers["X-Request-Id"]}


def unauthorized(reply, text="The request you have made requires authentication."):
    refused(reply, 401, "IAM.0001", "Unauthorized", text)


def wait_for(check, seconds=5):
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until
        time.sleep(0.02)


def named(thing, *more):
    assert sorted(thing) == sorted(["id", "name", *more])
    assert re.fullmatch("[0-9a-f]{32}", thing["id"])
    return thing["name"]


def check_token(token, user="alice", role="operator", domain="careen"):
    assert set(token) - {"project", "domain"} == {
        "methods", "issued_at", "expires_at", "user", "roles", "catalog"}
    assert token["methods"] == ["password"]
    assert re.fullmatch(TIME, token["issued_at"]) and re.fullmatch(TIME, token["expires_at"])
    assert named(token["user"], "password_expires_at", "domain") == user
    assert token["user"]["password_expires_at"] == ""
    assert named(token["user"]["domain"]) == domain
    assert [named(one) for one in token["roles"]] == ([role] if role else [])
    assert token["catalog"] == []


# --- Logging in -----------------------------------------------------------------------------------

@pytest.mark.parametrize("scope", [PROJECT, {"project": {"id": "cn-north-4"}}])
def test_a_token_of_a_project(office, scope):
    reply = log_in(office, scope=scope, query="?nocatalog=true")
    assert reply.status == 201, reply.body
    token = reply.json["token"]
    check_token(token)
    assert "domain" not in token
    assert token["project"]["id"] == token["project"]["name"] == "cn-north-4"
    assert named(token["project"]["domain"]) == "careen"
    text = reply.headers["X-Subject-Token"]
    assert office.get(CALL, token=text).status == 200
    assert office.get(CALL.replace("cn-north-4", "default"), token=text).status == 403


@pytest.mark.parametrize("scope", [None, {"domain": {"name": "careen"}}])
def test_a_token_of_the_domain(office, scope):
    reply = log_in(office, scope=scope)
    assert reply.status == 201, reply.body
    token = reply.json["token"]
    check_token(token)
    assert "project" not in token and named(token["domain"]) == "careen"
    assert office.get(CALL, token=reply.headers["X-Subject-Token"]).status == 200


def test_credentials_are_ignored_there(office):
    for headers in ({"Authorization": "SDK-HMAC-SHA256 nonsense"}, {"X-Auth-Token": "nonsense"}):
        assert log_in(office, headers=headers).status == 201


def test_who_cannot_log_in(people, server):
    people.run("user", "create", "nopass", "--role", "admin")
    unauthorized(log_in(server, "alice", "wrong password"))
    unauthorized(log_in(server, "nobody"))
    unauthorized(log_in(server, "Alice"))
    unauthorized(log_in(server, "nopass"))
    unauthorized(log_in(server, domain={"name": "other"}))
    unauthorized(log_in(server, domain={"id": "0" * 32}))
    for scope in (PROJECT, {"project": {"name": "default"}}, {"project": {"id": "nope"}}):
        refused(log_in(server, "bob", scope=scope), 403, "IAM.0003", "Forbidden", "scope")
    refused(log_in(server, scope={"domain": {"name": "other"}}), 403, "IAM.0003", "Forbidden",
            "scope")


BAD = {
    "empty": ("", "empty"),
    "not json": ("{", "byte"),
    "an array": ("[]", "object"),
    "nothing": ("{}", "methods"),
    "auth a string": ('{"auth": "x"}', "auth"),
    "password a number": (json.dumps(body(password=12345678)), "password"),
    "name a list": (json.dumps(body(name=["alice"])), "name"),
    "no name": (json.dumps(body(name="")), "name: must be given"),
    "no password": (json.dumps(body(password="")), "password: must be given"),
    "methods a string": (json.dumps(body(methods=[["password"]])), "methods"),
    "token method": (json.dumps(body(methods=["token"])), 'the only method here is "password"'),
    "no methods": (json.dumps(body(methods=[])), "methods"),
    "two scopes": (json.dumps(body(scope={**PROJECT, "domain": {}})), "not both"),
    "empty scope": (json.dumps(body(scope={"project": {}})), "name or an id"),
}


@pytest.mark.parametrize("raw, text", BAD.values(), ids=BAD)
def test_bad_bodies(office, raw, text):
    reply = log_in(office, raw=raw)
    refused(reply, 400, "IAM.0011", "Bad Request", text)
    assert PASSWORD not in reply.json["error_msg"]


def test_a_body_too_large(office):
    assert log_in(office, raw=json.dumps(body(scope={"x": "y" * 70_000}))).status == 413


def test_a_password_change_ends_logins(people, server):
    old = log_in(server).headers["X-Subject-Token"]
    second = log_in(server).headers["X-Subject-Token"]
    assert server.get(CALL, token=old).status == server.get(CALL, token=second).status == 200
    people.run("user", "password", "alice", stdin="another password\n")
    wait_for(lambda: server.get(CALL, token=old).status == 401)
    assert "decrypt token fail" in server.get(CALL, token=second).json["error_msg"]
    unauthorized(log_in(server))
    assert log_in(server, "alice", "another password").status == 201


def test_revoking_a_user_ends_logins(people, server):
    token = log_in(server).headers["X-Subject-Token"]
    people.run("user", "revoke", "alice")
    wait_for(lambda: server.get(CALL, token=token).status == 401)
    unauthorized(log_in(server))
    people.run("user", "restore", "alice")
    wait_for(lambda: log_in(server).status == 201)
    assert server.get(CALL, token=token).status == 401


def test_a_login_lasts_a_day_and_a_restart(people):
    first = people.serve(clock_ms=START_MS)
    reply = log_in(first)
    text = reply.headers["X-Subject-Token"]
    assert reply.json["token"]["issued_at"] == "2027-01-15T08:00:00.000000Z"
    assert reply.json["token"]["expires_at"] == "2027-01-16T08:00:00.000000Z"
    people.close()
    assert people.serve(clock_ms=START_MS + 24 * HOUR_MS - 1).get(CALL, token=text).status == 200
    late = people.serve(clock_ms=START_MS + 24 * HOUR_MS).get(CALL, token=text)
    assert late.status == 401
    assert late.json["error_msg"].endswith("token expires, expires_at: 2027-01-16T08:00:00.000Z")


def test_changed_tokens(office):
    text = log_in(office).headers["X-Subject-Token"]
    for bad in (text[:-1], text + "0", text.replace("login.1.", "login.2."), text.upper(),
                "careen-login.", "careen-login.1.0.0.9999999999999." + "0" * 64):
        reply = office.get(CALL, token=bad)
        assert reply.status == 401 and "decrypt token fail" in reply.json["error_msg"], bad


def test_two_passwords_at_a_time(office):
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: log_in(office), range(24)))
    assert {reply.status for reply in replies} == {201, 429}
    for reply in replies:
        if reply.status == 429:
            refused(reply, 429, "APIGW.0308", "Too Many Requests",
                    "The throttling threshold has been reached: ")
            assert reply.headers["Retry-After"] == "1"


def test_guessing_is_locked_out(server):
    for _ in range(6):
        unauthorized(log_in(server, "alice", "wrong password"))
    unauthorized(log_in(server), "wait five minutes")
    assert log_in(server, "bob").status == 201


def test_a_network_is_locked_out(people):
    """One client has a /64 of IPv6 at least: another address of it is no other client."""
    server = people.serve("--trusted-proxies", "127.0.0.1")

    def from_address(address, *secret):
        return log_in(server, *secret, headers={"X-Forwarded-For": address})

    for n in range(6):
        unauthorized(from_address(f"2001:db8::{n}", "alice", "wrong password"))
    unauthorized(from_address("2001:db8::77"), "wait five minutes")
    assert from_address("2001:db8:0:1::77").status == 201


def test_passwords_are_nowhere(people, server):
    token = log_in(server).headers["X-Subject-Token"]
    log_in(server, "alice", "a wrong guess")
    server.get(CALL, token=token)
    stored = b"".join(path.read_bytes() for path in people.path.iterdir())
    log = "".join(server.log)
    for secret in (PASSWORD, "a wrong guess", token, token[-64:]):
        assert secret.encode() not in stored and secret not in log
    assert b"$scrypt$ln=" in stored


# --- Examining tokens -----------------------------------------------------------------------------

def examine(server, caller, subject):
    return server.get(TOKENS, token=caller, headers={"X-Subject-Token": subject})


def test_examining_ones_own(office):
    reply = log_in(office, scope=PROJECT)
    text = reply.headers["X-Subject-Token"]
    again = examine(office, text, text)
    assert again.status == 200
    assert again.headers["X-Subject-Token"] == text
    assert again.json == reply.json
    wide = log_in(office).headers["X-Subject-Token"]
    assert examine(office, wide, text).json == reply.json


def test_examining_those_of_others(people, server):
    people.run("user", "create", "root", "--password-stdin", "--role", "admin", "--all-projects",
               stdin=PASSWORD)
    wait_for(lambda: log_in(server, "root").status == 201)
    root, alice, bob = (log_in(server, name).headers["X-Subject-Token"]
                        for name in ("root", "alice", "bob"))
    stored = people.token("cn-north-4")
    assert examine(server, root, alice).json["token"]["user"]["name"] == "alice"
    assert examine(server, root, bob).json["token"]["roles"] == []
    refused(examine(server, alice, bob), 403, "IAM.0003", "Forbidden", "")
    refused(examine(server, alice, root), 403, "IAM.0003", "Forbidden", "")
    wait_for(lambda: server.get(CALL, token=stored).status == 200)
    own = examine(server, stored, stored)
    assert own.status == 200 and own.json["token"]["user"]["name"] == "token 1"
    assert own.json["token"]["project"]["id"] == "cn-north-4"
    refused(examine(server, stored, alice), 403, "IAM.0003", "Forbidden", "")
    refused(examine(server, alice, stored), 403, "IAM.0003", "Forbidden", "")
    assert examine(server, root, stored).status == 200
    for bad in ("nonsense", alice[:-1]):
        refused(examine(server, alice, bad), 404, "IAM.0004", "Not Found", "X-Subject-Token")
    for missing in (examine(server, alice, ""), server.get(TOKENS, token=alice)):
        refused(missing, 400, "IAM.0007", "Bad Request", "X-Subject-Token: must be given")
    unauthorized(examine(server, "nonsense", alice), "decrypt token fail")
    unauthorized(server.get(TOKENS), "x-auth-token not found")


# --- Projects and domains -------------------------------------------------------------------------

def check_project(project, enabled=True):
    assert list(project) == ["id", "name", "domain_id", "parent_id", "is_domain", "enabled",
                             "description", "links"]
    assert project["id"] == project["name"]
    assert re.fullmatch("[0-9a-f]{32}", project["domain_id"])
    assert project["is_domain"] is False and project["enabled"] is enabled
    return project["id"]


def test_region_only_configurations(people, server):
    """An SDK that knows its region but no project id asks for the project of that name."""
    people.run("user", "grant", "alice", "--role", "viewer", "--project", "default")
    key = new_key(people, "alice")
    wait_for(lambda: key.get(server, CALL).status == 200)
    reply = key.get(server, "/v3/projects?name=cn-north-4", {"Content-Type": "application/json"})
    assert reply.status == 200
    assert [check_project(one) for one in reply.json["projects"]] == ["cn-north-4"]
    assert reply.json["links"]["self"] == "/v3/projects?name=cn-north-4"
    assert key.get(server, "/v3/projects?name=nope").json["projects"] == []
    every = key.get(server, "/v3/projects").json["projects"]
    assert [check_project(one) for one in every] == ["default", "cn-north-4"]
    domains = key.get(server, "/v3/auth/domains").json["domains"]
    assert [one["name"] for one in domains] == ["careen"]
    assert domains[0]["id"] == every[0]["domain_id"] and domains[0]["enabled"] is True
    unauthorized(server.get("/v3/projects?name=cn-north-4"), "x-auth-token not found")


def test_projects_of_others_are_not_listed(people, server):
    bob = log_in(server, "bob").headers["X-Subject-Token"]
    assert server.get("/v3/projects", token=bob).json["projects"] == []
    assert server.get("/v3/projects?name=cn-north-4", token=bob).json["projects"] == []
    narrow = log_in(server, scope=PROJECT).headers["X-Subject-Token"]
    listed = server.get("/v3/projects", token=narrow).json["projects"]
    assert [one["id"] for one in listed] == ["cn-north-4"]
    stored = people.token("default")
    wait_for(lambda: server.get("/v3/projects", token=stored).status == 200)
    listed = server.get("/v3/projects", token=stored).json["projects"]
    assert [one["id"] for one in listed] == ["default"]


def test_the_domains_name(people):
    server = people.serve("--domain", "acme")
    unauthorized(log_in(server))
    reply = log_in(server, domain={"name": "acme"})
    assert reply.status == 201
    check_token(reply.json["token"], domain="acme")
    assert log_in(server, domain={"id": reply.json["token"]["domain"]["id"]}).status == 201
    assert log_in(server, domain={}).status == 201


def test_a_revoked_project(people, server):
    token = log_in(server).headers["X-Subject-Token"]
    people.run("project", "revoke", "cn-north-4")
    wait_for(lambda: server.get(CALL, token=token).status == 403)
    reply = server.get(CALL, token=token)
    assert reply.json["error_code"] == "APIGW.0310"
    assert reply.json["error_msg"] == "The project is unavailable."
    bob = log_in(server, "bob").headers["X-Subject-Token"]
    assert server.get(CALL, token=bob).json["error_code"] == "APIGW.0302"
    listed = server.get("/v3/projects", token=token).json["projects"]
    assert [check_project(one, enabled=False) for one in listed] == ["cn-north-4"]
    assert people.run("project", "list").stdout == "default\ncn-north-4 (revoked)\n"
    people.run("project", "restore", "cn-north-4")
    wait_for(lambda: server.get(CALL, token=token).status == 200)
    assert "nope" in people.run("project", "revoke", "nope", expect=1).stderr


# --- The command line -----------------------------------------------------------------------------

def test_user_commands(folder):
    run = folder.run
    run("user", "create", "alice", "--role", "operator", "--enterprise-project", "a,b")
    run("user", "create", "bob")
    assert "exists already" in run("user", "create", "bob", expect=1).stderr
    run("user", "grant", "bob", "--role", "viewer", "--all-projects")
    run("user", "grant", "bob", "--role", "admin", "--all-projects")
    run("user", "revoke", "bob")
    listed = [line.split() for line in run("user", "list").stdout.splitlines()]
    assert listed[1:] == [
        ["alice", "valid", "no", "operator", "default", "a"],
        ["alice", "valid", "no", "operator", "default", "b"],
        ["bob", "revoked", "no", "admin", "(all)", "(all)"],
    ]
    run("user", "ungrant", "alice", "--enterprise-project=a,b")
    assert "alice" in run("user", "ungrant", "alice", "--enterprise-project=a", expect=1).stderr
    listed = [line.split() for line in run("user", "list").stdout.splitlines()]
    assert listed[1] == ["alice", "valid", "no", "-", "-", "-"]


MISTAKES = [
    (["user", "create"], 2), (["user", "create", "a", "b"], 2), (["user", "grant", "alice"], 2),
    (["user", "grant", "alice", "--role", "boss"], 2),
    (["user", "grant", "nobody", "--role", "viewer"], 1),
    (["user", "grant", "alice", "--role", "viewer", "--project", "nope"], 1),
    (["user", "grant", "alice", "--role", "viewer", "--project", "default", "--all-projects"], 2),
    (["user", "grant", "alice", "--role", "viewer", "--enterprise-project", "a,,b"], 2),
    (["user", "grant", "alice", "--role", "viewer", "--enterprise-project", "all_granted_eps"], 2),
    (["user", "create", "x", "--project", "default"], 2), (["user", "create", "a\nb"], 2),
    (["user", "create", "x" * 65], 2), (["user", "revoke", "nobody"], 1),
    (["user", "restore"], 2), (["user", "password"], 2), (["token", "create", "--role", "boss"], 2),
]


@pytest.mark.parametrize("command, status", MISTAKES)
def test_mistakes(folder, command, status):
    folder.run("user", "create", "alice")
    said = folder.run(*command, expect=status)
    assert said.stderr.startswith("careen ") and not said.stdout


@pytest.mark.parametrize("given", ["", "\n", "short\n", "x" * 1025 + "\n"])
def test_bad_passwords(folder, given):
    folder.run("user", "create", "alice")
    for command in (["user", "create", "bob", "--password-stdin"], ["user", "password", "alice"]):
        assert "password" in folder.run(*command, expect=2, stdin=given).stderr
    assert "bob" not in folder.run("user", "list").stdout
