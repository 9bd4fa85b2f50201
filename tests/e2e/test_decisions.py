# SPDX-License-Identifier: Apache-2.0
"""HandleImageVulnerability, its preview and its history. After each decision, every answer of the
call must be what decisions_model.py works out."""
import itertools
import json
import random
import time

import pytest

from decisions_model import ALL
from decisions_world import (
    DECISIONS, HANDLE, HISTORY, OPERATE, PREVIEW, SELECT, SERVED_MS, STATUS, body_of, changes,
    later, small, state, three, world)
from wire import check_error, head, talk


def make_body(rng, model, operate, select, status):
    """An operation on rows that there are."""
    some = rng.choice(list(model.rows()))
    body = body_of(operate, select, some["type"], some["image_type"], remark=f"{operate} {select}")
    if status:
        body["handle_status"] = status
    rows = [row for row in model.rows()
            if row["type"] == some["type"] and row["image_type"] == some["image_type"]]
    picked = rng.sample(rows, min(len(rows), rng.randint(1, 5)))
    images = list(dict.fromkeys(row["image_id"] for row in picked))
    vuls = list(dict.fromkeys(row["vul_id"] for row in picked))
    lists = {
        "all_vul": {},
        "specific_image_all_vul": {"image_id_list": images},
        "specific_vul_all_image": {"vul_id_list": vuls},
        "vul_view": {"vul_data_list": [{"vul_id": vul, "image_id_list": images} for vul in vuls]},
        "image_view": {"image_data_list": [{"image_id": id, "vul_id_list": vuls}
                                           for id in images]},
    }
    return {**body, **lists[select]}


# --- Handling -------------------------------------------------------------------------------------

@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_operation(world, seed):
    """Every operate_type with every select_type and handle_status, one over the other."""
    rng = random.Random(seed)
    cases = list(itertools.product(OPERATE, SELECT, STATUS))
    rng.shuffle(cases)
    changed = {operate: 0 for operate in OPERATE}
    for case in cases:
        body = make_body(rng, world.model, *case)
        before = state(world.model)
        foretold, answer = world.root.preview(body)
        world.handle(body)
        expected = changes(before, state(world.model))
        assert [(row["image_id"], row["vul_id"]) for row in foretold] == expected, body
        assert answer["image_num"] == len({id for id, _ in expected})
        assert answer["vul_num"] >= len({vul for _, vul in expected})
        changed[case[0]] += len(expected)
        world.check(body)
    assert all(changed.values()), changed


def test_a_restart_changes_nothing(world):
    rng = random.Random(4)
    for case in itertools.product(OPERATE, SELECT):
        world.handle(make_body(rng, world.model, *case, None))
    world.check("before")
    world.folder.close()
    world.server = world.root.server = world.folder.serve(clock_ms=SERVED_MS)
    world.check("after")


@pytest.mark.parametrize("name", ["CVE-2024-2001", "GHSA-aaaa-bbbb-cccc"])
def test_by_any_alias(world, name):
    world.handle(body_of("ignore", "specific_vul_all_image", "app_vul", vul_id_list=[name]))
    world.check(name)
    ignored = world.root.rows(enterprise_project_id=ALL, status="vul_status_ignored")
    assert [row["image_name"] for row in ignored] == ["registry.example.com/app/three"]


def test_image_types(world):
    for image_type in ("cluster", "local", "local_image", "cicd", "registry"):
        for operate in ("ignore", "not_ignore"):
            world.handle(body_of(operate, image_type=image_type))
            world.check((image_type, operate))


def test_a_manual_repair_is_handled_and_not_ignored(small):
    small.handle(body_of("manual_repair"))
    repaired = small.root.rows(enterprise_project_id=ALL, is_handled="true")
    assert len(repaired) == 4 and {row["status"] for row in repaired} == {"vul_status_unfix"}
    small.check("repaired")


# --- What comes later -----------------------------------------------------------------------------

@pytest.mark.parametrize("select", ["all_vul", "specific_vul_all_image"])
def test_later_images_in_scope_are_covered(small, select):
    more = {} if select == "all_vul" else {"vul_id_list": ["CVE-2024-1"]}
    small.handle(body_of("add_to_whitelist", select, **more))
    small.put(later("registry.example.com/new", ["CVE-2024-1", "CVE-2024-9"]))
    small.put(later("registry.example.com/new", ["CVE-2024-1"], image_type="cicd", pipeline="p"))
    small.put(later("registry.example.com/red", ["CVE-2024-1"], enterprise_project_id="ep-red"))
    small.check(select)
    ignored = {row["image_name"] for row in
               small.root.rows(enterprise_project_id=ALL, status="vul_status_ignored")}
    assert {"registry.example.com/new", "registry.example.com/red"} <= ignored


def test_a_named_image_has_what_it_had(small):
    """Decisions about all vulnerabilities of an image do not cover what is found in it later."""
    small.handle(body_of("ignore", "specific_image_all_vul",
                         image_id_list=[small.model.images[0].id]))
    small.put(later("registry.example.com/a", ["CVE-2024-1", "CVE-2024-3"]))
    small.check("rescanned")


def test_a_rescan_ends_a_manual_repair(small):
    small.handle(body_of("manual_repair"))
    small.put(later("registry.example.com/a", ["CVE-2024-1"]))
    small.check("rescanned")
    again = [row["image_name"] for row in
             small.root.rows(enterprise_project_id=ALL, is_handled="false", vul_id="CVE-2024-1")]
    assert again == ["registry.example.com/a", "registry.example.com/c"]
    # What another scanner says of it now ends it, too; of what is gone nothing is left.
    small.put(later("registry.example.com/b", ["CVE-2024-1"], scanner="grype"))
    small.check("another scanner")


def test_a_repair_over_an_ignore_gives_it_free_again(small):
    small.handle(body_of("ignore"))
    small.handle(body_of("manual_repair"))
    small.check("repaired")
    small.put(later("registry.example.com/a", ["CVE-2024-1", "CVE-2024-2"]))
    small.check("what was ignored before is ignored again")


# --- Who may --------------------------------------------------------------------------------------

def settle(world, count):
    """Until the other server has followed."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        rows = world.root.rows(enterprise_project_id=ALL, is_handled="true")
        if len(rows) == count:
            return
        time.sleep(0.02)
    raise AssertionError(rows)


def test_only_what_is_granted_changes(three):
    red, both = three.people.red, three.people.both
    three.handle(body_of(), caller=red, projects={"ep-red"})
    settle(three, 2)
    three.check("red decided")
    three.handle(body_of("add_to_whitelist"), caller=both, projects={"ep-red", "ep-blue"})
    settle(three, 4)
    three.check("both decided")
    three.handle(body_of("not_ignore"), project="ep-red", caller=red)
    settle(three, 2)
    three.check("red undid")
    red_rows = red.rows(enterprise_project_id=ALL)
    assert len(red_rows) == 2


@pytest.mark.parametrize("name, project", [
    ("red", "0"), ("red", ""), ("red", None), ("red", "ep-blue"), ("red", "no-such"),
    ("mixed", "0"), ("mixed", "ep-red")])
def test_what_is_not_granted_is_refused(three, name, project):
    query = {} if project is None else {"enterprise_project_id": project}
    caller = getattr(three.people, name)
    for path, body in ((HANDLE, body_of()), (PREVIEW, body_of()),
                       (DECISIONS, {"action": "ignore", "vul_ids": ["CVE-2024-1"]})):
        reply = caller.ask("POST", path, body, **query)
        assert (reply.status, reply.json["error_code"]) == (400, "HSS.0013"), reply.json
    three.check("nothing happened")


def test_images_of_others_are_not_there(three):
    """An id that exists, but not where the caller may decide."""
    foreign = three.model.images[0].id
    body = body_of(select="specific_image_all_vul", image_id_list=[foreign])
    reply = three.people.red.ask("POST", HANDLE, body, enterprise_project_id=ALL)
    assert (reply.status, reply.json["error_code"]) == (400, "HSS.0011"), reply.json
    assert foreign in reply.json["error_msg"]
    three.check("nothing happened")


def test_viewers_do_not_decide(three):
    viewer = three.people.viewer
    for method, path, body in (("POST", HANDLE, body_of()), ("POST", PREVIEW, body_of()),
                               ("POST", DECISIONS, {}), ("DELETE", DECISIONS + "/1", None)):
        reply = viewer.ask(method, path, body)
        assert (reply.status, reply.json["error_code"]) == (403, "APIGW.0302")
    assert viewer.good("GET", HISTORY, vul_id="CVE-2024-1")["total_num"] == 0
    assert viewer.good("GET", DECISIONS) == {"decisions": []}


# --- Refusals -------------------------------------------------------------------------------------

INVALID = ("HSS.0001", "Invalid parameter. (")
UNKNOWN = ("HSS.0011", "Requested resource not found. (")
UNREAD = ("HSS.0002", "Failed to parse the request. (")
NO_IMAGE = "00000000-0000-5000-8000-000000000000"
REFUSED = [
    ("nothing", "", UNREAD, "the document is empty"),
    ("no JSON", "{", UNREAD, "the document ends"),
    ("two values", json.dumps(body_of()) + "{}", UNREAD, "expected the end"),
    ("no object", [], INVALID, "expected an object"),
    ("no members", {}, INVALID, "image_type: must be given"),
    ("no image_type", {**body_of(), "image_type": None}, INVALID, "image_type: must be given"),
    ("no type", {**body_of(), "type": None}, INVALID, "type: must be given"),
    ("no operate_type", {**body_of(), "operate_type": None}, INVALID,
     "operate_type: must be given"),
    ("no select_type", {**body_of(), "select_type": None}, INVALID, "select_type: must be given"),
    ("image_type", body_of(image_type="harbor"), INVALID,
     "image_type: must be local, registry, cicd or cluster"),
    ("type", body_of(type="web_cms"), INVALID, "type: must be app_vul or linux_vul"),
    ("operate_type", body_of("verify"), INVALID,
     "operate_type: must be ignore, add_to_whitelist, manual_repair or not_ignore"),
    ("select_type", body_of(select="all"), INVALID, "select_type: must be all_vul, "),
    ("handle_status", body_of(handle_status="fixed"), INVALID,
     "handle_status: must be unhandled or handled"),
    ("remark", body_of(remark="库" * 513), INVALID, "remark: must be 0-512 characters, not 513"),
    ("twice", json.dumps(body_of())[:-1] + ', "type": "app_vul"}', INVALID,
     "type: must be given once"),
    ("another list", body_of(vul_id_list=["CVE-2024-1"]), INVALID,
     "vul_id_list: must not be given with select_type all_vul"),
    ("no list", body_of(select="vul_view"), INVALID,
     "vul_data_list: must be given with select_type vul_view"),
    ("an empty list", body_of(select="specific_image_all_vul", image_id_list=[]), INVALID,
     "image_id_list: must not be empty"),
    ("a number", body_of(select="specific_image_all_vul", image_id_list=[1]), INVALID,
     "image_id_list[0]: expected a string, found a number"),
    ("too long", body_of(select="specific_vul_all_image", vul_id_list=["a" * 257]), INVALID,
     "vul_id_list[0]: must be 1-256 characters, not 257"),
    ("half a pair", body_of(select="vul_view", vul_data_list=[{"vul_id": "CVE-2024-1"}]), INVALID,
     "vul_data_list[0]: image_id_list must be given"),
    ("unknown vulnerability", body_of(select="specific_vul_all_image",
                                      vul_id_list=["CVE-2024-1", "CVE-1999-1"]), UNKNOWN,
     "CVE-1999-1"),
    ("no image's id", body_of(select="specific_image_all_vul", image_id_list=["x"]), UNKNOWN, "x"),
    ("unknown image", body_of(select="specific_image_all_vul", image_id_list=[NO_IMAGE]), UNKNOWN,
     NO_IMAGE),
    ("an image of another type", body_of(select="specific_image_all_vul", image_type="cluster",
                                         image_id_list=["first"]), UNKNOWN, "of this image_type"),
    ("unknown in a pair", body_of(select="image_view", image_data_list=[
        {"image_id": NO_IMAGE, "vul_id_list": ["CVE-2024-1"]}]), UNKNOWN, NO_IMAGE),
    ("unknown in the second pair", body_of(select="vul_view", vul_data_list=[
        {"vul_id": "CVE-2024-1", "image_id_list": ["first"]},
        {"vul_id": "CVE-1999-2", "image_id_list": ["first"]}]), UNKNOWN, "CVE-1999-2"),
]


def test_refusals(small):
    first = small.model.images[0].id
    for name, body, (code, text), detail in REFUSED:
        body = body if isinstance(body, str) else json.dumps(body).replace('"first"', f'"{first}"')
        for path in (HANDLE, PREVIEW):
            data = head(path + "?enterprise_project_id=" + ALL,
                        [("Content-Length", len(body.encode()))], "POST", small.root.token)
            reply = talk(small.server.address, data + body.encode(), "POST")
            check_error(reply, 400, code, text, detail)
        small.check(name)
    assert small.root.good("GET", DECISIONS, state="all") == {"decisions": []}


def test_the_body_has_a_limit(small):
    ids = [small.model.images[0].id] * 100_000
    small.handle(body_of(select="specific_image_all_vul", image_id_list=ids))
    small.check("100,000 ids")
    body = json.dumps(body_of(remark=" " * 8 * 1024 * 1024))
    reply = small.root.ask("POST", HANDLE, body)
    assert (reply.status, reply.json["error_code"]) == (413, "APIGW.0201")


@pytest.mark.parametrize("path, query, detail", [
    (PREVIEW, {"limit": "9"}, "limit: must be 10-200"),
    (PREVIEW, {"offset": "-1"}, "offset: must be 0-2000000"),
    (HANDLE, {"enterprise_project_id": "x" * 257}, "enterprise_project_id: must be 0-256"),
    (HISTORY, {}, "vul_id: must be given"),
    (HISTORY, {"vul_id": ""}, "vul_id: must be 1-256 characters, not 0"),
    (HISTORY, {"vul_id": "a", "handle_type": "x"}, "handle_type: must be ignore"),
    (DECISIONS, {"state": "x"}, "state: must be in_force or all"),
])
def test_bad_parameters(small, path, query, detail):
    method, body = ("GET", None) if path in (HISTORY, DECISIONS) else ("POST", body_of())
    reply = small.root.ask(method, path, body, **query)
    assert (reply.status, reply.json["error_code"]) == (400, "HSS.0001"), reply.json
    assert detail in reply.json["error_msg"]


# --- Preview --------------------------------------------------------------------------------------

def test_preview_pages_and_filters(world):
    rows, answer = world.root.preview(body_of())
    assert len(rows) > 50 and answer["image_num"] == len({row["image_id"] for row in rows})
    assert answer["vul_num"] == len({row["vul_id"] for row in rows})
    assert all(row["vul_name"] == row["vul_id"] for row in rows)
    for offset in (0, 10, len(rows) - 3, len(rows) + 10):
        page = world.root.good("POST", PREVIEW, body_of(), enterprise_project_id=ALL, limit=10,
                               offset=offset)
        assert page["data_list"] == rows[offset:offset + 10]
        assert page["total_vul_num"] == len(rows)
    for query in ({"image_name": "svc-1"}, {"vul_name": "CVE-2024-100"}, {"image_name": "no"},
                  {"image_name": "svc-1", "vul_name": "7"}):
        expected = [row for row in rows if query.get("image_name", "") in row["image_name"]
                    and query.get("vul_name", "") in row["vul_id"]]
        page = world.root.good("POST", PREVIEW, body_of(), enterprise_project_id=ALL, limit=200,
                               **query)
        assert page["data_list"] == expected and page["total_vul_num"] == len(expected)
    world.check("a preview changes nothing")
    assert world.root.good("GET", DECISIONS, state="all") == {"decisions": []}


# --- History --------------------------------------------------------------------------------------

def test_history(small):
    a, b, c, d = small.model.images
    one = {"vul_id_list": ["CVE-2024-1"]}
    small.handle(body_of("ignore", "specific_vul_all_image", remark="not reachable", **one))
    small.handle(body_of("manual_repair", "vul_view", vul_data_list=[
        {"vul_id": "CVE-2024-1", "image_id_list": [b.id]}]))
    small.handle(body_of("not_ignore", "specific_image_all_vul", image_id_list=[a.id]))
    small.handle(body_of("add_to_whitelist", "all_vul", image_type="cluster"), project="0")

    def history(**query):
        answer = small.root.good("GET", HISTORY, **{
            "vul_id": "CVE-2024-1", "enterprise_project_id": ALL, **query})
        assert answer["total_num"] == len(answer["data_list"])
        return answer["data_list"]

    entries = [(entry["handle_type"], entry["image_id"], entry["status"]) for entry in history()]
    assert entries == [
        ("add_to_whitelist", c.id, "vul_status_ignored"),
        ("not_ignore", a.id, "vul_status_unfix"),
        ("manual_repair", b.id, "vul_status_unfix"),
        *(("ignore", image.id, "vul_status_ignored") for image in (a, b, d))]
    last = history(remark="not reach")[-1]
    assert last == {
        "image_id": d.id, "image_name": d.name, "image_digest": d.digest, "image_version": "1.0",
        "user_name": "token 1", "handle_time": SERVED_MS, "handle_type": "ignore",
        "status": "vul_status_ignored", "remark": "not reachable", "decision": 1,
        "state": "in_force"}
    assert history(image_type="cluster")[0]["agent_id"] == "host"
    for query, count in (
            ({"image_type": "registry"}, 5), ({"image_type": "local_image"}, 0),
            ({"image_id": a.id}, 2), ({"image_name": "example.com/b"}, 2),
            ({"status": "vul_status_unfix"}, 2), ({"user_name": "token 1"}, 6),
            ({"user_name": "token"}, 0), ({"handle_type": "ignore"}, 3),
            ({"handle_type": "manual_repair"}, 1), ({"remark": "x"}, 0), ({"app_name": "ssl"}, 0),
            ({"app_version": "1.0"}, 0), ({"vul_id": "CVE-2024-2"}, 1),
            ({"vul_id": "CVE-1999-1"}, 0), ({"enterprise_project_id": "ep-red"}, 1),
            ({"enterprise_project_id": "0"}, 5)):
        assert len(history(**query)) == count, query
    page = small.root.good("GET", HISTORY, vul_id="CVE-2024-1", enterprise_project_id=ALL, offset=4)
    assert page["total_num"] == 6 and len(page["data_list"]) == 2
