# SPDX-License-Identifier: Apache-2.0
"""Careen's own endpoints for decisions: list, make, withdraw. After each, every answer of the call
must be what decisions_model.py works out."""
import time

import pytest

import inventory
from decisions_model import ALL, Model
from decisions_world import (
    DECISIONS, HOUR_MS, OPERATE, SERVED_MS, SMALL, Caller, changes, later, small, state, three)
from inventory import HARBOR, claim, image


def decide(small, expect=200, project=ALL, **body):
    reply = small.root.ask("POST", DECISIONS, {"action": "ignore", **body},
                           enterprise_project_id=project)
    assert reply.status == expect, reply.body
    return reply.json


SCOPES = [
    ({}, {}),
    ({"scope": "registry", "place": "harbor-a"},
     {"place": lambda image: image.place.get("registry_name") == "harbor-a"}),
    ({"scope": "repository", "place": "registry.example.com/b"},
     {"place": lambda image: image.name == "registry.example.com/b"}),
    ({"scope": "cluster", "place": "c-prod"},
     {"place": lambda image: image.place.get("cluster_id") == "c-prod"}),
    ({"image_type": "cluster"}, {"image_type": "cluster"}),
    ({"type": "app_vul"}, {"type": "app_vul"}),
]


@pytest.mark.parametrize("scope, model", SCOPES)
@pytest.mark.parametrize("action", OPERATE[:1] + OPERATE[3:])
@pytest.mark.parametrize("what", [{"vul_ids": ["CVE-2024-1"]}, {"package": "ssl"},
                                  {"vul_ids": ["CVE-2024-1", "CVE-2024-3"], "package": "npmx"}])
def test_every_scope(small, scope, model, action, what):
    before = state(small.model)
    body = {"action": action, **what, **scope}
    foretold = decide(small, dry_run=True, **body)
    small.check("a dry run changes nothing")
    made = decide(small, **body)
    small.model.decide(action, SERVED_MS, vuls=what.get("vul_ids"), package=what.get("package"),
                       **model)
    changed = len(changes(before, state(small.model)))
    assert foretold == {"rows": changed, "reached": made["reached"], "decisions": []}
    assert made["rows"] == changed and len(made["decisions"]) == 1
    small.check(body)
    # Withdrawn, all is as it was.
    number, = made["decisions"]
    assert small.root.good("DELETE", f"{DECISIONS}/{number}") == {"rows": changed}
    small.model.withdraw(small.model.decisions[-1])
    small.check("withdrawn")


def test_the_list(small):
    a, b, *_ = small.model.images
    decide(small, vul_ids=["CVE-2024-1"], reason="not reachable", scope="images",
           image_ids=[b.id, a.id])
    decide(small, package="ssl", scope="registry", place="harbor-a", type="linux_vul",
           image_type="registry", project="ep-red", expires_ms=SERVED_MS + HOUR_MS)
    decide(small, action="not_ignore", vul_ids=["CVE-2024-9", "CVE-2024-1"])
    small.root.good("DELETE", DECISIONS + "/3")
    listed = small.root.good("GET", DECISIONS, enterprise_project_id=ALL, state="all")
    assert listed == {"decisions": [
        {"number": 1, "action": "ignore", "vul_ids": ["CVE-2024-1"], "scope": "images",
         "image_ids": sorted([a.id, b.id]), "author": "token 1", "reason": "not reachable",
         "created_ms": SERVED_MS, "state": "in_force", "rows": 2},
        {"number": 2, "action": "ignore", "package": "ssl", "type": "linux_vul",
         "scope": "registry", "place": "harbor-a", "image_type": "registry",
         "enterprise_project_ids": ["ep-red"], "author": "token 1", "reason": "",
         "created_ms": SERVED_MS, "expires_ms": SERVED_MS + HOUR_MS, "state": "in_force",
         "rows": 1},
        {"number": 3, "action": "not_ignore", "vul_ids": ["CVE-2024-1", "CVE-2024-9"],
         "scope": "project", "author": "token 1", "reason": "", "created_ms": SERVED_MS,
         "state": "withdrawn", "ended_ms": SERVED_MS, "ended_by": "token 1", "rows": 0}]}

    def numbers(**query):
        answer = small.root.good("GET", DECISIONS, **{"enterprise_project_id": ALL, **query})
        return [decision["number"] for decision in answer["decisions"]]

    assert numbers() == [1, 2]
    assert numbers(vul_id="CVE-2024-1", state="all") == [1, 3]
    assert numbers(vul_id="CVE-1999-1") == []
    assert numbers(after=1) == [2]
    assert numbers(enterprise_project_id="0") == [1]
    assert numbers(enterprise_project_id="ep-red", state="all") == [1, 2, 3]


def test_pages_of_the_list(small):
    for n in range(25):
        decide(small, vul_ids=["CVE-2024-1"], reason=str(n))
    seen, after = [], 0
    while after is not None:
        page = small.root.good("GET", DECISIONS, after=after, limit=10)
        seen += [decision["number"] for decision in page["decisions"]]
        after = page.get("next")
    assert seen == list(range(1, 26))
    assert "next" not in small.root.good("GET", DECISIONS, limit=25)


def test_a_decision_about_what_is_not_there_yet(small):
    made = decide(small, vul_ids=["CVE-2024-77"])
    assert made == {"rows": 0, "reached": 0, "decisions": [1]}
    small.model.decide("ignore", SERVED_MS, vuls=["CVE-2024-77"])
    small.put(later("registry.example.com/new", ["CVE-2024-77", "CVE-2024-1"]))
    small.check("it has come")


def test_it_expires(folder, tmp_path):
    """By the clock of the server, at once in answers."""
    inventory.seed(folder, tmp_path, SMALL, Model())
    token = folder.token()
    caller = Caller(folder.serve(), token)
    expires_ms = int(time.time() * 1000) + 1500
    body = {"action": "ignore", "vul_ids": ["CVE-2024-1"], "expires_ms": expires_ms}
    assert caller.good("POST", DECISIONS, body)["rows"] == 3
    assert len(caller.rows(is_handled="true")) == 3
    until = time.monotonic() + 10
    while caller.rows(is_handled="true") and time.monotonic() < until:
        time.sleep(0.05)
    assert int(time.time() * 1000) >= expires_ms
    assert caller.rows(is_handled="true") == []
    decision, = caller.good("GET", DECISIONS, state="all")["decisions"]
    assert (decision["state"], decision["ended_ms"]) == ("expired", expires_ms)


@pytest.mark.parametrize("body, code, detail", [
    ({"action": None}, "HSS.0001", "action: must be given"),
    ({"vul_id": "CVE-2024-1"}, "HSS.0001", "vul_id: there is no such member"),
    ({}, "HSS.0001", "vul_ids: must be given, or package or all_vuls"),
    ({"vul_ids": ["CVE-2024-1"], "scope": "registry"}, "HSS.0001",
     "place: must be given with the scope registry"),
    ({"vul_ids": ["CVE-2024-1"], "scope": "repository", "place": "nginx:1.25"}, "HSS.0001",
     "repository"),
    ({"vul_ids": ["CVE-2024-1"], "scope": "images", "image_ids": ["x"]}, "HSS.0001", "x"),
    ({"vul_ids": ["CVE-2024-1"], "expires_ms": SERVED_MS}, "HSS.0001", ""),
    ({"vul_ids": ["CVE-2024-1"], "expires_ms": "2030-01-01"}, "HSS.0001", "expires_ms: expected"),
    ("{", "HSS.0002", "the document ends"),
])
def test_bad_decisions(small, body, code, detail):
    if isinstance(body, dict):
        body = {"action": "ignore", **body}
    reply = small.root.ask("POST", DECISIONS, body)
    assert (reply.status, reply.json["error_code"]) == (400, code), reply.json
    assert detail in reply.json["error_msg"]
    small.check("nothing happened")


def test_withdrawing(three):
    mine = {"action": "ignore", "vul_ids": ["CVE-2024-1"]}
    red, both = three.people.red, three.people.both
    of_both = both.good("POST", DECISIONS, mine, enterprise_project_id=ALL)
    of_red = red.good("POST", DECISIONS, mine, enterprise_project_id="ep-red")
    number = of_both["decisions"][0]
    assert (of_both["rows"], of_red["rows"]) == (4, 0)
    reply = red.ask("DELETE", f"{DECISIONS}/{number}")
    assert (reply.status, reply.json["error_code"]) == (400, "HSS.0013"), reply.json
    # The other decision still lies over those of ep-red.
    assert both.good("DELETE", f"{DECISIONS}/{number}") == {"rows": 2}
    for gone, code in ((number, "HSS.0001"), ("999", "HSS.0011"), ("0", "HSS.0011"),
                       ("x", "HSS.0011"), ("99999999999", "HSS.0011")):
        reply = both.ask("DELETE", f"{DECISIONS}/{gone}")
        assert (reply.status, reply.json["error_code"]) == (400, code), (gone, reply.json)
    listed = red.good("GET", DECISIONS, enterprise_project_id=ALL, state="all")["decisions"]
    assert [(one["author"], one["state"]) for one in listed] == [
        ("both", "withdrawn"), ("red", "in_force")]


def test_what_is_not_granted_is_not_told(three):
    """Decisions of others who may look further name nothing that is elsewhere alone."""
    red, both, root = three.people.red, three.people.both, three.root
    step = image("registry.example.com/ep-blue/own", [claim("CVE-2024-66", "ssl")],
                 enterprise_project_id="ep-blue", **{**HARBOR, "registry_name": "harbor-blue"})
    three.put(step)
    mine, theirs = ([row["image_id"] for row in root.rows(enterprise_project_id=ep,
                                                          vul_id="CVE-2024-1")]
                    for ep in ("ep-red", "ep-blue"))

    def made(caller, body, ep=ALL):
        return caller.good("POST", DECISIONS, {"action": "ignore", **body},
                           enterprise_project_id=ep)["decisions"]

    def listed(caller, **query):
        answer = caller.good("GET", DECISIONS, **{"enterprise_project_id": ALL, "state": "all",
                                                  **query})
        return [{name: one.get(name) for name in
                 ("vul_ids", "image_ids", "enterprise_project_ids", "rows")}
                for one in answer["decisions"]]

    # As soon as the server of those with keys has followed.
    until = time.monotonic() + 10
    while not both.rows(enterprise_project_id=ALL, vul_id="CVE-2024-66"):
        assert time.monotonic() < until
        time.sleep(0.02)
    made(both, {"vul_ids": ["CVE-2024-1", "CVE-2024-66"], "scope": "images",
                "image_ids": mine + theirs})
    made(three.people.mixed, {"vul_ids": ["CVE-2024-1"]}, "ep-blue")
    for body in ({"all_vuls": True, "type": "linux_vul"}, {"vul_ids": ["CVE-2024-66"]},
                 {"vul_ids": ["CVE-2024-1"], "scope": "images", "image_ids": theirs},
                 {"vul_ids": ["CVE-2024-1"], "scope": "registry", "place": "harbor-blue"}):
        made(both, body)
    assert listed(red) == [
        {"vul_ids": ["CVE-2024-1"], "image_ids": sorted(mine),
         "enterprise_project_ids": ["ep-red"], "rows": 2},
        {"vul_ids": ["CVE-2024-1"], "image_ids": None,
         "enterprise_project_ids": ["ep-red"], "rows": 2}]
    assert listed(red, vul_id="CVE-2024-66") == []
    assert len(listed(both)) == 6 and len(listed(both, vul_id="CVE-2024-66")) == 3
    assert listed(both)[0]["image_ids"] == sorted(mine + theirs)
    # A number tells nothing either: that one is of ep-blue alone.
    codes = {number: red.ask("DELETE", f"{DECISIONS}/{number}").json["error_code"]
             for number in (1, 2, 99)}
    assert codes == {1: "HSS.0013", 2: "HSS.0011", 99: "HSS.0011"}
