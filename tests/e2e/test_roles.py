# SPDX-License-Identifier: Apache-2.0
"""Who may do what: roles, and users granted some enterprise projects of a project.

30 enterprise projects; Model works out from the imported facts alone what somebody who is granted
some of them must get from every endpoint.
"""
import itertools
import json
import time
import types
import urllib.parse

import pytest

from conftest import Folder
from documents import trivy, trivy_package, trivy_vulnerability
from signer import new_key

ALL = "all_granted_eps"
EPS = ["0"] + [f"ep-{n:02}" for n in range(1, 30)]
CVES = [f"CVE-2024-{n}" for n in range(1001, 1009)]
LEVELS = ["Critical", "High", "Medium", "Low"]
IMAGES = "/careen/v1/default/images"
CALL = "/v5/default/vulnerability/images"


def level_of(cve):
    return LEVELS[CVES.index(cve) % 4]


def report(name, cves):
    return json.dumps(trivy(
        name, packages=[trivy_package("bash", "1.0")],
        vulnerabilities=[trivy_vulnerability(cve, "bash", severity=level_of(cve).upper())
                         for cve in cves]))


class Model:
    """Images in order of arrival, each with the vulnerabilities it was reported with."""

    def __init__(self):
        self.images = []

    def rows(self, eps, vul_id=None, image_type=None, repair_necessity=None, image_name=None,
             image_id=None):
        return [
            (image.id, cve) for image in self.images for cve in image.cves
            if image.ep in eps and vul_id in (None, cve) and image_type in (None, image.type)
            and repair_necessity in (None, level_of(cve)) and image_id in (None, image.id)
            and (image_name or "") in image.name
        ]


def place(ep, image_type):
    more = {"registry": {"registry_name": "harbor"}, "cluster": {"cluster_id": "c1"},
            "local": {"agent_id": "host"}}[image_type]
    return {"enterprise_project_id": ep, "image_type": image_type, **more}


def url(path, **query):
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


class Person:
    """A user of a Server, who signs; `eps`: what is granted."""

    def __init__(self, server, key, eps=()):
        self.server, self.key, self.eps = server, key, set(eps)

    def ask(self, method, path, body=None, **query):
        return self.key.request(self.server, method, url(path, **query),
                                body=body.encode() if body else None)

    def get(self, path=CALL, **query):
        return self.ask("GET", path, **query)


PEOPLE = {  # name: [(role, enterprise projects)]
    "three": [("viewer", ["ep-03", "ep-17", "ep-29"])],
    "mixed": [("operator", ["ep-05", "0"]), ("viewer", ["ep-06"])],
    "viewer": [("viewer", None)],
    "operator": [("operator", None)],
    "none": [],
    "elsewhere": [("admin", ["no-images-there"])],
}


def fill(server, operator):
    """Three images in each enterprise project, some with all vulnerabilities, some with few."""
    model = Model()
    kinds = itertools.cycle(["registry", "cluster", "local"])
    for number, ep in enumerate(EPS * 3):
        # The first image names them all, so that their numbers are in the order of CVES.
        cves = CVES if number % 7 == 0 else CVES[number % 5:number % 5 + 1 + number % 3]
        image_type, name = next(kinds), f"registry.example.com/shop/app-{number}"
        reply = operator.ask("POST", IMAGES, report(name, cves), **place(ep, image_type))
        assert reply.status == 200, reply.body
        model.images.append(types.SimpleNamespace(
            id=reply.json["image_id"], ep=ep, type=image_type, name=name, cves=cves))
    return model


def hire(folder):
    keys = {}
    for name, grants in PEOPLE.items():
        folder.run("user", "create", name)
        for role, eps in grants:
            only = ["--enterprise-project", ",".join(eps)] if eps else []
            folder.run("user", "grant", name, "--role", role, *only)
        keys[name] = new_key(folder, name)
    return keys


@pytest.fixture(scope="module")
def office(careen, tmp_path_factory):
    """folder, model, and a Person for each of PEOPLE."""
    folder = Folder(careen, tmp_path_factory.mktemp("roles") / "data")
    keys = hire(folder)
    server = folder.serve()
    people = {
        name: Person(server, keys[name], itertools.chain(*(eps or EPS for _, eps in grants)))
        for name, grants in PEOPLE.items()
    }
    model = fill(server, people["operator"])
    yield types.SimpleNamespace(folder=folder, server=server, model=model, **people)
    folder.close()


def ids(reply):
    assert reply.status == 200, reply.body
    return [(row["image_id"], row["vul_id"]) for row in reply.json["data_list"]]


def refused(reply, status, code, text):
    assert (reply.status, reply.json["error_code"]) == (status, code), reply.json
    assert reply.json["error_msg"].startswith(text)


def not_granted(reply):
    refused(reply, 400, "HSS.0013", "Insufficient permissions.")


def not_authorized(reply):
    refused(reply, 403, "APIGW.0302", "The IAM user is not authorized to access the API.")


# --- Reading --------------------------------------------------------------------------------------

QUERIES = [
    dict(zip(("vul_id", "image_type", "repair_necessity", "image_name"), values))
    for values in itertools.product(
        [None, CVES[0], CVES[5], "CVE-0"], [None, "registry", "local"], [None, "Critical"],
        [None, "app-1", "app-7"])
]


@pytest.mark.parametrize("name", ["three", "mixed", "viewer"])
def test_counts_and_pages(office, name):
    person = getattr(office, name)
    seen = 0
    for query in QUERIES:
        given = {key: value for key, value in query.items() if value}
        expected = office.model.rows(person.eps, **given)
        seen += len(expected)
        for offset in range(0, len(expected) + 10, 10):
            reply = person.get(enterprise_project_id=ALL, offset=offset, **given)
            assert ids(reply) == expected[offset:offset + 10], (query, offset)
            assert reply.json["total_num"] == len(expected)
    assert seen > 50


def test_walking_by_cursor(office):
    expected, got, after = office.model.rows(office.three.eps), [], {}
    while True:
        reply = office.three.get(enterprise_project_id=ALL, limit=10, **after)
        got += ids(reply)
        assert reply.json["total_num"] == len(expected)
        if "next" not in reply.json:
            break
        after = {"after": reply.json["next"]}
    assert got == expected
    # A cursor of somebody who sees more shows nothing more.
    wide = office.viewer.get(enterprise_project_id=ALL, limit=50).json["next"]
    rest = ids(office.three.get(enterprise_project_id=ALL, limit=200, after=wide))
    assert set(rest) <= set(expected)


@pytest.mark.parametrize("name", ["three", "mixed", "viewer"])
def test_each_enterprise_project(office, name):
    person = getattr(office, name)
    for ep in EPS:
        reply = person.get(enterprise_project_id=ep, limit=200)
        if ep not in person.eps:
            not_granted(reply)
        else:
            expected = office.model.rows({ep})
            assert ids(reply) == expected and reply.json["total_num"] == len(expected) > 0
    for query in ({}, {"enterprise_project_id": ""}):
        reply = person.get(limit=200, **query)
        if "0" in person.eps:
            assert ids(reply) == office.model.rows({"0"})
        else:
            not_granted(reply)
    reply = person.get(enterprise_project_id="no-such")
    if name == "viewer":
        assert reply.json == {"total_num": 0, "data_list": []}
    else:
        not_granted(reply)


def test_one_image_of_another(office):
    """A filter by id finds nothing that is not granted."""
    for image in office.model.images:
        reply = office.three.get(enterprise_project_id=ALL, image_id=image.id, limit=200)
        expected = office.model.rows(office.three.eps, image_id=image.id)
        assert ids(reply) == expected and reply.json["total_num"] == len(expected)


def test_granted_nothing_that_is_there(office):
    reply = office.elsewhere.get(enterprise_project_id=ALL)
    assert reply.json == {"total_num": 0, "data_list": []}
    not_granted(office.elsewhere.get())


def test_show(office):
    for image in office.model.images:
        reply = office.three.get(f"{IMAGES}/{image.id}")
        if image.ep in office.three.eps:
            assert reply.status == 200 and reply.json["image_id"] == image.id
        else:
            unknown = office.three.get(f"{IMAGES}/{image.id[:-12]}000000000000")
            refused(reply, 400, "HSS.0011", "Requested resource not found.")
            assert reply.json["error_msg"].replace(image.id, "") == \
                unknown.json["error_msg"].replace(f"{image.id[:-12]}000000000000", "")


# --- Writing --------------------------------------------------------------------------------------

def test_roles_of_endpoints(office):
    image = office.model.images[3]
    path = f"{IMAGES}/{image.id}"
    assert image.ep in office.three.eps
    for person in (office.three, office.viewer, office.none):
        not_authorized(person.ask("POST", IMAGES, report("x", CVES), **place(image.ep, "local")))
        not_authorized(person.ask("PATCH", path, '{"containers": 3}'))
        not_authorized(person.ask("DELETE", path))
    for method, target in (("GET", CALL), ("GET", path)):
        not_authorized(office.none.ask(method, target, enterprise_project_id=ALL))
    for project in ("default", "nope"):  # which of them exists is not told
        not_authorized(office.none.get(CALL.replace("default", project)))


def test_importing(office):
    for ep in EPS + ["new"]:
        reply = office.mixed.ask("POST", IMAGES, report("registry.example.com/x", CVES[:1]),
                                 **place(ep, "cluster"))
        if ep in ("ep-05", "0"):
            assert reply.status == 200, reply.body
            assert office.mixed.ask("DELETE", f"{IMAGES}/{reply.json['image_id']}").status == 200
        else:
            not_granted(reply)
    not_granted(office.mixed.ask("POST", IMAGES, "no report at all", **place("ep-01", "local")))


def image_in(office, ep):
    return next(image for image in office.model.images if image.ep == ep)


def test_changing_and_removing(office):
    for method, body in (("PATCH", '{"containers": 3}'), ("PATCH", "nonsense"), ("DELETE", None)):
        for ep in ("ep-01", "ep-29"):  # not seen
            reply = office.mixed.ask(method, f"{IMAGES}/{image_in(office, ep).id}", body)
            refused(reply, 400, "HSS.0011", "Requested resource not found.")
        reply = office.mixed.ask(method, f"{IMAGES}/{image_in(office, 'ep-06').id}", body)
        not_granted(reply)  # seen, but read only
    assert office.mixed.get(f"{IMAGES}/{image_in(office, 'ep-06').id}").status == 200
    image = image_in(office, "ep-05")
    path = f"{IMAGES}/{image.id}"
    assert office.mixed.ask("PATCH", path, '{"containers": 3}').status == 200
    for ep in ("ep-01", "ep-06", "new"):
        not_granted(office.mixed.ask("PATCH", path, json.dumps({"enterprise_project_id": ep})))
    assert len(office.model.rows({"ep-05", "0", "ep-06"})) == \
        office.mixed.get(enterprise_project_id=ALL).json["total_num"]
    moved = office.mixed.ask("PATCH", path, '{"enterprise_project_id": "0"}')
    assert moved.status == 200
    back = office.mixed.ask("PATCH", f"{IMAGES}/{moved.json['image_id']}",
                            '{"enterprise_project_id": "ep-05"}')
    assert back.json["image_id"] == image.id


def test_tokens_have_roles(office):
    viewer = office.folder.token("default", "--role", "viewer")
    operator = office.folder.token("default")
    image = office.model.images[0]
    body = report(image.name, image.cves)
    target = url(IMAGES, **place(image.ep, image.type))
    for _ in range(500):  # the server follows within a second
        if office.server.get(CALL, token=operator).status == 200:
            break
        time.sleep(0.02)
    assert office.server.get(CALL, token=viewer).status == 200
    assert office.server.request("POST", target, body=body, token=viewer).status == 403
    assert office.server.request("POST", target, body=body, token=operator).status == 200
    listed = office.folder.run("token", "list").stdout
    assert " viewer " in listed and " operator " in listed


def test_grants_are_followed(office):
    office.folder.run("user", "create", "late", "--role", "viewer", "--enterprise-project", "ep-01")
    person = Person(office.server, new_key(office.folder, "late"))

    def until(eps):
        """The server answers with what is granted now."""
        expected = office.model.rows(eps)
        for _ in range(500):
            reply = person.get(enterprise_project_id=ALL, limit=200)
            if reply.status == (200 if eps else 403) and (not eps or ids(reply) == expected):
                return
            time.sleep(0.02)
        pytest.fail(f"{eps}: {reply.status} {reply.body}")

    until({"ep-01"})
    office.folder.run("user", "grant", "late", "--role", "viewer", "--enterprise-project", "ep-02")
    until({"ep-01", "ep-02"})
    office.folder.run("user", "ungrant", "late", "--enterprise-project", "ep-01,ep-02")
    until(set())
