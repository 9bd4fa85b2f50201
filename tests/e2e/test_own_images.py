# SPDX-License-Identifier: Apache-2.0
"""Careen's own endpoints: POST, GET, PATCH and DELETE below /careen/v1/{project_id}/images."""
import json
import re
import urllib.parse

import pytest

from conftest import Folder
from documents import digest, grype, grype_match, trivy, trivy_package, trivy_vulnerability
from wire import Client, check_error, check_invalid, head, talk

IMAGES = "/careen/v1/default/images"
NOT_FOUND = (400, "HSS.0011", "Requested resource not found. (")
UNPARSED = (400, "HSS.0002", "Failed to parse the request. (")
ODD = "r&d+100% / 库=~*'()!"
APP = trivy("registry.example.com/app", "1.0",
            [trivy_package("zlib", "1.2"), trivy_package("bash", "5.2")],
            [trivy_vulnerability("CVE-2025-0001", "zlib", "1.2", severity="CRITICAL")])


class Api:
    """The endpoints as a client calls them, on connections of their own."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.call = Client(server, token)

    def send(self, method, path, body=None, headers=(), token=""):
        """The Reply. body: bytes, or a document to be sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers = [*headers, ("Content-Length", len(body))]
        data = head(path, headers, method, self.token if token == "" else token)
        return talk(self.server.address, data + (body or b""), method)

    def post(self, document=APP, headers=(), **parameters):
        return self.send("POST", IMAGES + query(parameters or {"image_type": "local"}), document,
                         headers)

    def put(self, document=APP, **parameters):
        """A POST that must succeed; what it said."""
        reply = self.post(document, **parameters)
        assert reply.status == 200, reply.body
        return reply.json

    def show(self, image_id):
        reply = self.send("GET", f"{IMAGES}/{image_id}")
        assert reply.status == 200, reply.body
        return reply.json

    def rows(self, **query):
        answer = self.call.ask(enterprise_project_id="all_granted_eps", limit="200", **query)
        return answer["data_list"]


def query(parameters):
    return "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote, safe="")


@pytest.fixture
def api(folder, token):
    return Api(folder.serve(), token)


@pytest.fixture(scope="module")
def still(careen, tmp_path_factory):
    """An Api that holds one image, whose id is in image_id, and that no test changes."""
    folder = Folder(careen, tmp_path_factory.mktemp("still") / "data")
    token = folder.token()
    made = Api(folder.serve(), token)
    made.image_id = made.put(image_type="registry", registry_name="r", containers="1")["image_id"]
    yield made
    folder.close()


# --- POST -----------------------------------------------------------------------------------------

def test_what_a_post_answers(api):
    first = api.put(image_type="local")
    assert re.fullmatch("[0-9a-f-]{36}", first.pop("image_id"))
    assert first == {"source": "trivy", "created": True, "changed": True, "assessment": "assessed",
                     "packages": 2, "claims": 1, "findings": 1, "appeared": 1, "retracted": 0}
    again = api.put(image_type="local")
    assert (again["created"], again["changed"], again["appeared"]) == (False, False, 0)
    other = trivy("registry.example.com/app", "1.0", [trivy_package("bash", "5.2")])
    emptied = api.put(other, image_type="local")
    assert (emptied["created"], emptied["changed"], emptied["findings"], emptied["retracted"]) == (
        False, True, 0, 1)
    partly = api.put(grype("registry.example.com/app", "1.0", [grype_match("CVE-2025-2", "p")],
                           content="else"), image_type="local")
    assert (partly["source"], partly["assessment"], partly["created"]) == (
        "grype", "partly_assessed", True)


def test_what_was_posted_is_in_the_next_answer(api):
    """On the same server, at once: no waiting, no retry."""
    for n in range(100):
        document = trivy(f"registry.example.com/app-{n}", "1.0", [trivy_package("p", "1")],
                         [trivy_vulnerability("CVE-2025-0001", "p", "1")])
        image_id = api.put(document)["image_id"]
        answer = api.call.ask(vul_id="CVE-2025-0001", image_id=image_id)
        assert answer["total_num"] == 1 and answer["data_list"][0]["image_id"] == image_id


# Parameter, value, and what a row and the detail of the image then say.
PLACEMENT = [
    ("enterprise_project_id", "ep-1", {"enterprise_project_id": "ep-1"}),
    ("enterprise_project_id", ODD, {"enterprise_project_id": ODD}),
    ("image_type", "local", {"image_type": "local_image"}),
    ("image_type", "registry", {"image_type": "registry"}),
    ("image_type", "cicd", {"image_type": "cicd"}),
    ("registry_type", "Harbor", {"registry_type": "Harbor"}),
    ("registry_type", "Other", {"registry_type": "Other"}),
    ("registry_name", ODD, {"registry_name": ODD}),
    ("organization", ODD, {"organization": ODD}),
    ("cluster_id", "c-1", {"cluster_id": "c-1"}),
    ("cluster_name", ODD, {"cluster_name": ODD}),
    ("agent_id", "web-1", {"agent_id": "web-1"}),
    ("containers", "7", {"container_num": 7}),
    ("containers", "2147483547", {"container_num": 2147483547}),
    ("is_multi_arch", "true", {"is_multi_arch": "true"}),
    ("is_multi_arch", "false", {"is_multi_arch": "false"}),
    ("name", "other.example.com/x", {"image_name": "other.example.com/x", "image_version": "1.0"}),
    ("name", "other.example.com/x:9", {"image_name": "other.example.com/x", "image_version": "9"}),
    ("version", "2.0", {"image_name": "registry.example.com/app", "image_version": "2.0"}),
]


@pytest.mark.parametrize("name, value, said", PLACEMENT)
def test_every_placement_parameter_lands_in_the_answer(api, name, value, said):
    image_id = api.put(**{"image_type": "registry", name: value})["image_id"]
    row, = api.rows()
    assert row["image_id"] == image_id and row["vul_id"] == "CVE-2025-0001"
    assert {key: row[key] for key in said} == said
    detail = api.show(image_id)
    names = {"container_num": "containers", "image_name": "name", "image_version": "version"}
    for key, text in said.items():
        shown = detail[names.get(key, key)]
        assert (str(shown).lower() if key == "is_multi_arch" else shown) == text


def test_a_cluster_image_and_a_pipeline(api):
    api.put(image_type="cluster", cluster_id="c-1", cluster_name="prod")
    image_id = api.put(image_type="cicd", pipeline="nightly")["image_id"]
    rows = api.rows()
    assert [(row["image_type"], row.get("cluster_id")) for row in rows] == [
        ("cluster", "c-1"), ("cicd", None)]
    assert api.show(image_id)["pipeline"] == "nightly"


def test_the_same_image_at_several_places_is_several_images(api):
    places = [{"image_type": "local", "agent_id": "a"}, {"image_type": "local", "agent_id": "b"},
              {"image_type": "registry", "registry_name": "a"},
              {"image_type": "registry", "registry_name": "b"},
              {"image_type": "registry", "registry_name": "b", "enterprise_project_id": "x"},
              {"image_type": "cluster", "cluster_id": "a"}, {"image_type": "cicd", "pipeline": "a"}]
    ids = [api.put(**place)["image_id"] for place in places]
    assert len(set(ids)) == len(places) == len(api.rows())
    assert [api.put(**place)["image_id"] for place in places] == ids
    # What is not part of the place is updated where it stands.
    assert api.put(**places[2], organization="new", containers="3")["image_id"] == ids[2]
    assert [row.get("organization") for row in api.rows()].count("new") == 1


BAD_PARAMETERS = [
    ("", "image_type: must be given"),
    ("registry_name=x", "image_type: must be given"),
    ("image_type=", "image_type: must be local, registry, cicd or cluster"),
    ("image_type=Local", "image_type: must be local, registry, cicd or cluster"),
    ("image_type=cluster", "cluster_id: an image of type cluster needs one"),
    ("image_type=local&image_type=local", "image_type: must be given once"),
    ("image_type=local&name=a&name=b", "name: must be given once"),
    ("image_type=local&colour=blue", "colour: no such parameter; there are enterprise_project_"),
    ("image_type=local&Name=x", "Name: no such parameter"),
    ("image_type=local&limit=10", "limit: no such parameter"),
    ("image_type=local&containers=", "containers: must be 0-2147483547"),
    ("image_type=local&containers=-1", "containers: must be 0-2147483547"),
    ("image_type=local&containers=2147483548", "containers: must be 0-2147483547"),
    ("image_type=local&containers=1.0", "containers: must be 0-2147483547"),
    ("image_type=local&is_multi_arch=yes", "is_multi_arch: must be true or false"),
    ("image_type=local&is_multi_arch=TRUE", "is_multi_arch: must be true or false"),
    ("image_type=local&registry_type=harbor", "registry_type: must be Harbor, Jfrog, "),
    ("image_type=local&enterprise_project_id=", "enterprise_project_id: must not be empty"),
    ("image_type=local&enterprise_project_id=all_granted_eps", "all_granted_eps means all of them"),
    ("image_type=local&cluster_id=" + "x" * 129, "cluster_id: must be at most 128 characters"),
    ("image_type=local&agent_id=" + "x" * 129, "agent_id: must be at most 128 characters"),
    *((f"image_type=local&{name}=" + "%E5%BA%93" * 257, f"{name}: must be at most 256 characters")
      for name in ("enterprise_project_id", "registry_name", "organization", "cluster_name",
                   "pipeline", "version")),
    ("image_type=local&name=" + "x" * 513, "name"),
    ("image_type=local&name=/etc/passwd", "name: "), ("image_type=local&name=a%20b", "name: "),
    ("image_type=local&name=%00", "control characters"), ("image_type=local&name=%ff", "not UTF-8"),
    ("image_type=local&name=%", "'%' is not followed"),
]


def test_bad_parameters_store_nothing(api):
    for bad, detail in BAD_PARAMETERS:
        check_invalid(api.send("POST", f"{IMAGES}?{bad}", APP), detail)
    assert api.rows() == []


def test_a_report_that_is_of_no_image_needs_a_name(api):
    document = {**APP, "ArtifactType": "filesystem", "ArtifactName": "/srv", "Metadata": {}}
    check_invalid(api.post(document), "the report is of something else than an image")
    api.put(document, image_type="local", name="registry.example.com/srv")
    row, = api.rows()
    assert row["image_name"] == "registry.example.com/srv" and "image_digest" not in row
    nameless = {**APP, "ArtifactName": digest("x"), "Metadata": {"ImageID": digest("x")}}
    check_invalid(api.post(nameless), "the report does not name its image")


# --- GET ------------------------------------------------------------------------------------------

def test_showing_an_image(api):
    other = grype("registry.example.com/app", "1.0", [grype_match("CVE-2025-0002", "zlib", "1.2")])
    image_id = api.put(other, image_type="local")["image_id"]
    assert api.put(image_type="local", agent_id="")["image_id"] == image_id
    detail = api.show(image_id)
    assert (detail["image_id"], detail["name"], detail["version"]) == (
        image_id, "registry.example.com/app", "1.0")
    assert detail["digest"] == digest("registry.example.com/app:1.0") and detail["latest"] is True
    assert [(source["source"], source["complete"]) for source in detail["sources"]] == [
        ("trivy", True), ("grype", False)]
    assert {(p["name"], p["version"]) for p in detail["packages"]} == {
        ("zlib", "1.2"), ("bash", "5.2")}
    assert {(v["vul_id"], v["source"], v["package"]) for v in detail["vulnerabilities"]} == {
        ("CVE-2025-0001", "trivy", "zlib"), ("CVE-2025-0002", "grype", "zlib")}
    for name in ("first_seen_ms", "latest_scan_ms", "updated_ms"):
        assert type(detail[name]) is int and detail[name] > 1_600_000_000_000


# --- PATCH ----------------------------------------------------------------------------------------

CHANGES = [
    ({"containers": 3}, {"container_num": 3}), ({"containers": 0}, {"container_num": 0}),
    ({"containers": 2147483547}, {"container_num": 2147483547}),
    ({"cluster_id": "c-9"}, {"cluster_id": "c-9"}), ({"cluster_name": ODD}, {"cluster_name": ODD}),
    ({"organization": "new"}, {"organization": "new"}),
    ({"organization": ""}, {"organization": None}),
    ({"registry_type": "Jfrog"}, {"registry_type": "Jfrog"}),
    ({"registry_type": ""}, {"registry_type": None}),
    ({"is_multi_arch": True}, {"is_multi_arch": "true"}),
    ({"is_multi_arch": False}, {"is_multi_arch": "false"}),
    ({"enterprise_project_id": "ep-2"}, {"enterprise_project_id": "ep-2"}),
    ({"containers": 5, "organization": "both", "is_multi_arch": True},
     {"container_num": 5, "organization": "both", "is_multi_arch": "true"}),
]


@pytest.mark.parametrize("change, said", CHANGES, ids=lambda value: str(value)[:40])
def test_changing_every_member_that_can_be(api, change, said):
    image_id = api.put(image_type="registry", registry_name="r", registry_type="Harbor",
                       organization="old", containers="1")["image_id"]
    before, = api.rows()
    reply = api.send("PATCH", f"{IMAGES}/{image_id}", change)
    assert reply.status == 200 and list(reply.json) == ["image_id"], reply.body
    after, = api.rows()
    assert after["image_id"] == reply.json["image_id"]
    moved = "enterprise_project_id" in change  # which is part of what identifies an image
    assert (after["image_id"] != image_id) == moved
    for name in before.keys() | after.keys() | said.keys():
        if name in said:
            assert after.get(name) == said[name]
        elif name not in ("updated_time", "image_id"):
            assert after.get(name) == before.get(name), name


@pytest.mark.parametrize("body, detail", [
    ({"colour": "blue"}, "colour: no such parameter; there are "),
    ({"image_type": "local"}, "image_type: cannot be changed on a stored image"),
    ({"registry_name": "x"}, "registry_name: cannot be changed on a stored image"),
    ({"name": "x"}, "name: cannot be changed"), ({"version": "x"}, "version: cannot be changed"),
    ({"agent_id": "x"}, "agent_id: cannot be changed"), ({"pipeline": "x"}, "pipeline: cannot be"),
    *(({"containers": value}, "containers: must be a number") for value in ("3", True, None, [3])),
    ({"containers": -1}, "containers: must be 0-2147483547"),
    ({"containers": 2147483548}, "containers: must be 0-2147483547"),
    ({"is_multi_arch": "true"}, "is_multi_arch: must be true or false"),
    ({"is_multi_arch": 1}, "is_multi_arch: must be true or false"),
    ({"organization": 5}, "organization: must be a string"),
    ({"organization": None}, "organization: must be a string"),
    ({"cluster_name": {"a": 1}}, "cluster_name: must be a string"),
    ({"enterprise_project_id": ""}, "enterprise_project_id: must not be empty"),
    ({"enterprise_project_id": "all_granted_eps"}, "all_granted_eps means all"),
    ({"registry_type": "harbor"}, "registry_type: must be Harbor, "),
    ({"cluster_id": "x" * 129}, "cluster_id: must be at most 128 characters"),
    ({"organization": "a\u0000b"}, "organization: must be UTF-8 text without control characters"),
    ({"containers": 3, "colour": 1}, "colour: no such parameter"),
    ({}, "the object names nothing to change"), (b"null", "the object names nothing to change"),
    (b'{"containers": 1, "containers": 2}', "containers: must be given once"),
], ids=lambda value: str(value)[:40])
def test_bad_changes_change_nothing(still, body, detail):
    before = still.show(still.image_id)
    check_invalid(still.send("PATCH", f"{IMAGES}/{still.image_id}", body), detail)
    assert still.show(still.image_id) == before


@pytest.mark.parametrize("body", [b"", None, b"x", b'{"containers": 1', b'{"containers": 01}',
                                  b'{"containers": 1}}', b'{"containers": 1.5e400}', b"\xff"])
def test_changes_that_are_no_json(still, body):
    reply = still.send("PATCH", f"{IMAGES}/{still.image_id}", body)
    assert reply.status == 400 and reply.json["error_code"] in ("HSS.0001", "HSS.0002"), reply.body
    assert still.rows()[0]["container_num"] == 1


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1"])
def test_changes_that_are_no_object(still, body):
    reply = still.send("PATCH", f"{IMAGES}/{still.image_id}", body)
    check_error(reply, 400, "HSS.0001", "Invalid parameter. (", "an object")


def test_a_change_to_where_another_image_stands_is_a_conflict(api):
    first = api.put(image_type="registry", registry_name="r")["image_id"]
    place = {"image_type": "registry", "registry_name": "r", "enterprise_project_id": "x"}
    second = api.put(**place)["image_id"]
    before = api.rows()
    reply = api.send("PATCH", f"{IMAGES}/{second}", {"enterprise_project_id": "0"})
    check_error(reply, 400, "HSS.0001", "Invalid parameter. (", first)
    assert api.rows() == before


# --- DELETE, and ids that are none ----------------------------------------------------------------

def test_removing_an_image(api):
    kept = api.put(image_type="local", agent_id="a")["image_id"]
    gone = api.put(image_type="local", agent_id="b")["image_id"]
    reply = api.send("DELETE", f"{IMAGES}/{gone}")
    assert (reply.status, reply.json) == (200, {"removed": 1})
    assert [row["image_id"] for row in api.rows()] == [kept]
    for method in ("GET", "DELETE", "PATCH"):
        check_error(api.send(method, f"{IMAGES}/{gone}", b'{"containers":1}'), *NOT_FOUND)
    assert api.put(image_type="local", agent_id="b")["image_id"] == gone
    assert [row["image_id"] for row in api.rows()] == [kept, gone], "it comes again as the last one"


@pytest.mark.parametrize("image_id", ["x", "00000000-0000-5000-8000-000000000000", "%E5%BA%93"])
def test_an_image_that_is_not_there(still, image_id):
    for method in ("GET", "DELETE", "PATCH"):
        check_error(still.send(method, f"{IMAGES}/{image_id}", b'{"containers":1}'), *NOT_FOUND)


def test_who_may_call(api, folder):
    folder.run("project", "create", "other")
    mine = api.put()["image_id"]
    theirs = "/careen/v1/other/images"
    for method, path in [("POST", "?image_type=local"), ("GET", f"/{mine}"), ("DELETE", f"/{mine}"),
                         ("PATCH", f"/{mine}")]:
        for token in (None, "wrong"):
            check_error(api.send(method, IMAGES + path, APP, token=token),
                        401, "APIGW.0301", "Incorrect")
        check_error(api.send(method, theirs + path, APP), 403, "APIGW.0302", "The IAM user")
        check_error(api.send(method, IMAGES + path, APP, [("X-Project-Id", "other")]),
                    403, "APIGW.0302", "The IAM user")
    for method, path in [("PUT", "?image_type=local"), ("GET", ""), ("POST", f"/{mine}"),
                         ("DELETE", "")]:
        check_error(api.send(method, IMAGES + path), 404, "APIGW.0101", "The API does not exist.")
    for path in ("/", f"/{mine}/", f"/{mine}/x"):
        check_error(api.send("GET", IMAGES + path), 404, "APIGW.0101", "The API does not exist or")
    assert len(api.rows()) == 1
