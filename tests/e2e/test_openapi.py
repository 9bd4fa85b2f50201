# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document against the server that made it: routes, answers, refusals; and schemathesis,
which makes up requests from the document and holds every answer against it.

The validator of documents and schemathesis are installed in build/sdk-venv by
`scripts/install-dependencies ci`; without them their tests are skipped.
"""
import copy
import itertools
import json
import os
import re
import subprocess
import types
import urllib.parse

import jsonschema
import pytest

import documents
from conftest import ROOT

DOCUMENT = "/openapi.json"
SDK_PYTHON = ROOT / "build" / "sdk-venv" / "bin" / "python"
CONFIGURATION = ROOT / "tests" / "e2e" / "schemathesis.toml"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CALL = "/v5/{project_id}/vulnerability/images"
IMAGES = "/careen/v1/{project_id}/images"
FINDINGS = "/careen/v1/{project_id}/findings"
IMAGE = IMAGES + "/{image_id}"
VULNERABILITY = "/v5/{project_id}/image/vulnerability"
DECISIONS = "/careen/v1/{project_id}/decisions"
DECISION = DECISIONS + "/{decision}"
USER, PASSWORD = "schemathesis", "correct horse battery"
EXAMPLES, SECONDS = 60, 600  # of schemathesis: for each operation (30 s in all); when to give up

# Members of answers that nothing here makes: what no report says.
UNSEEN = ["ImagePackage.channel"]


def operations(document):
    """{(method, path): operation}"""
    return {(method.upper(), path): operation for path, item in document["paths"].items()
            for method, operation in item.items()}


@pytest.fixture(scope="module")
def document(company):
    return company.server.get(DOCUMENT).json


# --- The document itself --------------------------------------------------------------------------

def needs(package):
    """Skips unless build/sdk-venv has the package."""
    if not SDK_PYTHON.exists() or subprocess.run(
            [SDK_PYTHON, "-c", f"import {package}"], capture_output=True, check=False).returncode:
        pytest.skip(f"no {package} in build/sdk-venv: scripts/install-dependencies ci")


def test_it_is_valid_openapi(document, tmp_path):
    needs("openapi_spec_validator")
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    done = subprocess.run([SDK_PYTHON, "-m", "openapi_spec_validator", file], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_open_and_says_its_version(company, document):
    reply = company.server.get(DOCUMENT, headers={"X-Auth-Token": "nonsense"})
    assert reply.status == 200 and reply.json == document
    version = company.folder.run("--version").stdout.split()[-1]
    assert document["openapi"].startswith("3.1.") and document["info"]["version"] == version
    assert document["servers"] == [{"url": "/"}]
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)


def test_it_says_what_the_options_make_of_the_server(document, start_server):
    def required(of):
        return {one["name"] for one in operations(of)["GET", CALL]["parameters"]
                if one["in"] == "query" and one["required"]}

    strict = start_server("--strict-parameters", "--max-report-bytes", "12345").get(DOCUMENT).json
    assert required(document) == set()
    assert required(strict) == {"is_handled", "vul_id", "type", "image_type"}
    assert "12345 bytes" in operations(strict)["POST", IMAGES]["requestBody"]["description"]


def test_it_has_the_routes_of_the_manual(document):
    text = (ROOT / "docs" / "api.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if re.match(r"\| `[A-Z]+ /", line)]
    named = {tuple(route.split(" ")) for row in rows for route in re.findall("`([^`]+)`", row)}
    assert set(operations(document)) == named


def test_it_has_every_route_and_nothing_else(company, document):
    """Every method on every path of the document, on what their paths begin with, and beside."""
    known = set(operations(document))
    paths = {path for _, path in known}
    begins = {"/".join(path.split("/")[:count]) or "/"
              for path in paths for count in range(len(path.split("/")))}
    beside = {path + "/" for path in paths} | {path + "/more" for path in paths - {IMAGES, DECISIONS}}
    beside |= {"/v5/{project_id}/vulnerabilities", "/openapi.yaml", "/metric", "/docs", "/v3"}
    for method, path in itertools.product(METHODS, paths | begins | beside):
        target = path.format(project_id="default", image_id="none", decision="1")
        reply = company.server.request(method, target)  # no token: a route answers 401
        served = not (reply.status == 404 and (method == "HEAD" or
                                               reply.json["error_code"] == "APIGW.0101"))
        assert served == ((method, path) in known), (method, path, reply.status)


# --- Answers --------------------------------------------------------------------------------------

class Contract:
    """The document with its schemas closed: what they do not declare is refused."""

    def __init__(self, document):
        self.operations = operations(document)
        self.components = copy.deepcopy(document["components"])
        for schema in self.components["schemas"].values():
            if "properties" in schema:
                schema["additionalProperties"] = False
        self.seen = set()     # (method, path, status)
        self.members = set()  # "Schema.member" of answers

    def check(self, method, path, reply):
        """The reply is one that the document has for the route."""
        responses = self.operations[method, path]["responses"]
        assert str(reply.status) in responses, (method, path, reply.status, reply.body)
        response = responses[str(reply.status)]
        self.seen.add((method, path, reply.status))
        kind = reply.headers["Content-Type"].split(";")[0]
        assert kind in response["content"], (method, path, kind)
        media = response["content"][kind]
        for name, reference in response["headers"].items():
            header = self.components["headers"][reference["$ref"].split("/")[-1]]
            value = reply.headers.get(name)
            assert value is not None or not header["required"], (method, path, name)
            assert value is None or re.search(header["schema"].get("pattern", ""), value)
        schema = {**media["schema"], "components": self.components}
        value = json.loads(reply.body) if kind.endswith("json") else reply.body.decode()
        jsonschema.Draft202012Validator(schema).validate(value)
        self._note(media["schema"], value)
        return reply

    def _note(self, schema, value):
        if "$ref" in schema:
            name = schema["$ref"].split("/")[-1]
            for member, kind in self.components["schemas"][name].get("properties", {}).items():
                if member in value:
                    self.members.add(f"{name}.{member}")
                    self._note(kind, value[member])
        elif schema.get("type") == "array":
            for item in value:
                self._note(schema["items"], item)

    def declared(self):
        """Every "Schema.member" that an answer may have."""
        todo = [media["schema"] for operation in self.operations.values()
                for response in operation["responses"].values()
                for media in response["content"].values()]
        found, names = set(), set()
        while todo:
            schema = todo.pop()
            todo += [schema["items"]] if "items" in schema else []
            name = schema.get("$ref", "").split("/")[-1]
            if not name or name in names:
                continue
            names.add(name)
            members = self.components["schemas"][name].get("properties", {})
            found |= {f"{name}.{member}" for member in members}
            todo += members.values()
        return found


class Asking:
    """Requests to one server, each answer checked."""

    def __init__(self, contract, server, token):
        self.contract, self.server, self.token = contract, server, token

    def __call__(self, method, path, query="", image_id="none", project="default", token=None,
                 decision=1, **more):
        target = path.format(project_id=project, image_id=image_id, decision=decision) + query
        reply = self.server.request(method, target, token=self.token if token is None else token,
                                    **more)
        return self.contract.check(method, path, reply)


def login(**more):
    user = {"name": USER, "password": PASSWORD, "domain": {"name": "careen"}}
    identity = {"methods": ["password"], "password": {"user": {**user, **more}}}
    return {"auth": {"identity": identity, "scope": {"project": {"name": "default"}}}}


@pytest.fixture
def world(folder, document):
    """A server of its own with a user of all projects, and what asks it."""
    folder.run("user", "create", USER, "--password-stdin", stdin=PASSWORD + "\n")
    folder.run("user", "grant", USER, "--role", "admin", "--all-projects")
    token = folder.token()
    contract = Contract(document)
    return types.SimpleNamespace(folder=folder, token=token, contract=contract,
                                 ask=Asking(contract, folder.serve(), token))


def import_report(ask, name, query="image_type=local"):
    """The image's id. The report says all that one can say of a package."""
    package = {**documents.trivy_package("openssl", "1.0"), "Arch": "amd64", "SrcName": "ssl",
               "SrcVersion": "1.1", "Modularitylabel": "ssl:1"}
    report = documents.trivy(
        name=name, packages=[package],
        vulnerabilities=[documents.trivy_vulnerability("CVE-2024-0001", "openssl")])
    report["Metadata"]["Size"] = 1000
    return ask("POST", IMAGES, "?" + query, body=json.dumps(report)).json["image_id"]


def ask_about_images(ask):
    everything = urllib.parse.urlencode({
        "image_type": "cluster", "registry_type": "Harbor", "registry_name": "r",
        "organization": "o", "cluster_id": "c", "cluster_name": "n", "agent_id": "a",
        "pipeline": "p", "containers": "3", "is_multi_arch": "true"})
    for query in ("image_type=local", everything):
        image_id = import_report(ask, "registry.example.com/a", query)
        assert ask("GET", IMAGE, image_id=image_id).status == 200
    assert ask("GET", CALL).json["total_num"] == 2
    assert ask("GET", CALL, "?type=none").status == 400
    assert ask("GET", CALL, project="other").status == 403
    assert ask("GET", CALL, token="bad").status == 401
    assert ask("GET", CALL, project="%ff").status == 400
    assert ask("POST", IMAGES, "?image_type=local", body="{}").status == 400
    assert ask("POST", IMAGES, body="{}").status == 400
    assert ask("PATCH", IMAGE, image_id=image_id, body='{"containers": 4}').status == 200
    assert ask("PATCH", IMAGE, image_id=image_id, body='{"containers": "4"}').status == 400
    assert ask("PATCH", IMAGE, image_id=image_id, body=b" " * 70000).status == 413
    assert ask("DELETE", IMAGE, image_id=image_id).status == 200
    for method in ("GET", "DELETE"):
        assert ask(method, IMAGE).json["error_code"] == "HSS.0011"


def ask_about_decisions(ask):
    """Decisions of every kind about an image that has all that one can say of a place."""
    image_id = import_report(ask, "registry.example.com/b", "image_type=registry&agent_id=a")
    one = {"image_type": "registry", "type": "linux_vul", "operate_type": "ignore",
           "select_type": "specific_image_all_vul", "image_id_list": [image_id], "remark": "why"}
    for path in ("/handle-affect-vulnerabilities", "/handle"):
        assert ask("POST", VULNERABILITY + path, body=json.dumps(one)).status == 200
        for body, status in (("{}", 400), ("{", 400), (b" " * (9 << 20), 413)):
            assert ask("POST", VULNERABILITY + path, body=body).status == status
    own = {"action": "ignore", "vul_ids": ["CVE-2024-0001"], "package": "openssl", "reason": "why",
           "type": "linux_vul", "image_type": "registry", "expires_ms": 4_000_000_000_000}
    for more in ({"dry_run": True}, {"scope": "repository", "place": "registry.example.com/b"},
                 {"scope": "images", "image_ids": [image_id]}, *[{}] * 10):
        made = ask("POST", DECISIONS, body=json.dumps({**own, **more})).json
    assert ask("POST", DECISIONS, body="{}").status == 400
    number, = made["decisions"]
    assert ask("DELETE", DECISION, decision=number).json == {"rows": 0}
    for decision in (number, 999):
        assert ask("DELETE", DECISION, decision=decision).status == 400
    assert ask("GET", DECISIONS).json["next"] == 10
    assert ask("GET", DECISIONS, "?state=all&limit=100").json["decisions"][-1]["ended_by"]
    history = VULNERABILITY + "/handle-history"
    assert ask("GET", history, "?vul_id=CVE-2024-0001&limit=200").json["total_num"] == 13
    assert ask("GET", history).status == 400
    ask("DELETE", IMAGE, image_id=image_id)
    # Of an image that is gone, the decisions that named it remain.
    gone = ask("GET", history, "?vul_id=CVE-2024-0001").json["data_list"]
    assert gone and "image_name" not in gone[-1]


def ask_about_callers(ask):
    made = ask("POST", "/v3/auth/tokens", token="", body=json.dumps(login()))
    narrow = made.headers["X-Subject-Token"]
    body = login()
    del body["auth"]["scope"]
    wide = ask("POST", "/v3/auth/tokens", body=json.dumps(body)).headers["X-Subject-Token"]
    for status, subject in ((200, narrow), (200, wide), (404, "nonsense"), (400, "")):
        reply = ask("GET", "/v3/auth/tokens", token=wide, headers={"X-Subject-Token": subject})
        assert reply.status == status
    assert ask("GET", "/v3/auth/tokens", headers={"X-Subject-Token": wide}).status == 403
    assert ask("POST", "/v3/auth/tokens", body="{}").status == 400
    assert ask("POST", "/v3/auth/tokens", body=b" " * 70000).status == 413
    assert ask("POST", "/v3/auth/tokens", body=json.dumps(login(password="x"))).status == 401
    assert ask("GET", "/v3/projects").json["projects"]
    assert ask("GET", "/v3/projects", "?name=%ff").status == 400
    assert ask("GET", "/v3/projects", token="bad").status == 401
    ask("GET", "/v3/auth/domains")


def test_answers_are_as_it_says(world, company):
    """Every operation succeeds once and is refused in its ways; every member of an answer is
    declared, and every member declared is in some answer."""
    ask_about_images(world.ask)
    ask_about_decisions(world.ask)
    ask_about_callers(world.ask)
    for path in ("/healthz", "/readyz", "/metrics", DOCUMENT):
        world.ask("GET", path)
    of_company = Asking(world.contract, company.server, company.token)
    page = of_company("GET", CALL, "?enterprise_project_id=all_granted_eps&limit=200"
                      "&include=counts&include=facets").json
    for image_id in {row["image_id"] for row in page["data_list"]}:
        of_company("GET", IMAGE, image_id=image_id)
    for format in ("jsonl", "csv", "sarif"):
        of_company("GET", FINDINGS, "?format=" + format)
    done = {(method, path) for method, path, status in world.contract.seen if status < 300}
    assert done == set(world.contract.operations)
    assert sorted(world.contract.declared() - world.contract.members) == UNSEEN


@pytest.mark.parametrize("first, last", [(0, 0xff), (0x600, 0x620), (0x2000, 0x2070)])
def test_its_pattern_of_texts_is_the_server_s(company, document, first, last):
    """What a text may have in it, at every border of the pattern's classes."""
    parameter, = (one for one in operations(document)["GET", CALL]["parameters"]
                  if one["name"] == "image_name")
    for point in range(first, last + 1):
        query = urllib.parse.urlencode({"image_name": "a" + chr(point)})
        accepted = company.server.get(f"/v5/default/vulnerability/images?{query}", company.token)
        valid = re.fullmatch(parameter["schema"]["pattern"], "a" + chr(point)) is not None
        assert (accepted.status == 200) == valid, hex(point)


# --- Schemathesis ---------------------------------------------------------------------------------

def succeeded(log, known):
    """The operations that the access log shows to have succeeded."""
    found = re.findall(r"method=([A-Z]+) path=(\S+) (?:query=\S+ )?status=20\d ", "".join(log))
    return {(method, path) for method, path in known for m, target in set(found)
            if m == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), target)}


def test_schemathesis_finds_nothing(world, tmp_path):
    needs("schemathesis")
    environment = {
        **os.environ, "CAREEN_TOKEN": world.token,
        "CAREEN_SHOWN_IMAGE": import_report(world.ask, "registry.example.com/shown"),
        "CAREEN_CHANGED_IMAGE": import_report(world.ask, "registry.example.com/changed")}
    mark = len(world.ask.server.log)
    done = subprocess.run(
        [SDK_PYTHON, "-m", "schemathesis.cli", "--config-file", CONFIGURATION, "run",
         f"http://{world.ask.server.address}{DOCUMENT}", "--header", f"X-Auth-Token: {world.token}",
         "--max-examples", str(EXAMPLES), "--seed", "20261124", "--continue-on-failure"],
        capture_output=True, text=True, timeout=SECONDS, check=False, cwd=tmp_path,
        env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    known = set(world.contract.operations)
    failed = known - succeeded(world.ask.server.log[mark:], known)
    assert failed <= {("DELETE", IMAGE), ("DELETE", DECISION)}, "it got nowhere with them"
