# SPDX-License-Identifier: Apache-2.0
"""HandleImageVulnerability, its preview and its history through the vendor's SDKs, unmodified."""
import types

import pytest

import inventory
import sdk_cases
from conftest import Folder
from decisions_model import ALL, Model
from decisions_world import HISTORY, Caller, body_of, changes, state
from sdk_world import DRIVERS, Driver
from signer import new_key
from test_sdk import FIELDS, check_failure, strictly

HISTORY_FIELDS = """image_id image_name image_digest image_version agent_id user_name handle_time
    handle_type status app_name remark""".split()
VUL = "CVE-2024-1000"


@pytest.fixture(scope="module")
def office(careen, tmp_path_factory):
    """A server of its own, with a model, a key that may decide and one that may in ep-red alone."""
    folder = Folder(careen, tmp_path_factory.mktemp("decided") / "data")
    made = types.SimpleNamespace(folder=folder)
    made.model = inventory.seed(folder, tmp_path_factory.mktemp("reports"), model=Model())
    folder.run("user", "create", "alice", "--role", "operator")
    folder.run("user", "create", "red", "--role", "operator", "--enterprise-project", "ep-red")
    made.reader, made.red = new_key(folder, "alice"), new_key(folder, "red")
    token = folder.token()
    made.server = folder.serve()
    made.root = Caller(made.server, token)
    yield made
    folder.close()


@pytest.fixture(scope="module", params=DRIVERS)
def driver(request, tmp_path_factory):
    return Driver(request.param, tmp_path_factory.mktemp("home"))


def case(office, call, parameters, key=None):
    return sdk_cases.case(office, parameters, key or office.reader, call=call)


def operation(body, project=ALL, **more):
    return {"enterprise_project_id": project, "body": body, **more}


def decoded(driver, row, fields):
    """As that SDK can decode it: only Node lets pass what its models do not name."""
    return {name: row[name] for name in row if name in fields or driver.language == "node"}


def bodies(model):
    """Each operate_type with each select_type, such that something changes."""
    rows = [row for row in model.matching(enterprise_project_id=ALL, image_type="registry",
                                          type="linux_vul")]
    images = list(dict.fromkeys(row["image_id"] for row in rows))
    for number, operate in enumerate(["ignore", "not_ignore", "manual_repair", "add_to_whitelist"]):
        pair, vuls = images[number:number + 2], [VUL, "CVE-2024-1001"]
        yield body_of(operate, "all_vul", remark=f"all: {operate} 库 \"'\\")
        yield body_of("not_ignore", "specific_image_all_vul", image_id_list=pair)
        yield body_of(operate, "specific_vul_all_image", vul_id_list=vuls)
        yield body_of("not_ignore", "vul_view", handle_status="handled", vul_data_list=[
            {"vul_id": vul, "image_id_list": pair} for vul in vuls])
        yield body_of(operate, "image_view", image_data_list=[
            {"image_id": id, "vul_id_list": vuls} for id in pair])


def test_every_operation(office, driver):
    """What the SDK foretells is what changes, and what it asks for is what is done."""
    made = 1 << 62  # nothing is reported again here: repairs last
    moved = 0
    for body in bodies(office.model):
        before = state(office.model)
        office.model.operate(body, made, None)
        expected = changes(before, state(office.model))
        foretold, done, listed = driver.run([
            case(office, "preview", operation(body, offset=0, limit=200)),
            case(office, "handle", operation(body)),
            case(office, "affected", sdk_cases.for_language(driver.language, case(
                office, "affected", {"is_handled": True, "enterprise_project_id": ALL,
                                     "vul_id": VUL, "type": "linux_vul",
                                     "image_type": "registry", "limit": 200}))["parameters"])])
        assert foretold["totals"][0] == len(expected), body
        assert [(row["image_id"], row["vul_id"]) for row in foretold["rows"]] == expected[:200]
        assert strictly(foretold["totals"]) == strictly([
            len(expected), len({vul for _, vul in expected}), len({id for id, _ in expected})])
        assert done["done"] == 200 and not done.get("fields"), done
        rows = office.model.matching(is_handled="true", enterprise_project_id=ALL, vul_id=VUL,
                                     type="linux_vul", image_type="registry")
        assert listed["total_num"] == len(rows)
        assert strictly(listed["rows"]) == strictly(
            [decoded(driver, row, FIELDS) for row in rows[:200]])
        moved += len(expected)
    assert moved > 500


def test_history(office, driver):
    office.root.handle(body_of("ignore", "specific_vul_all_image", vul_id_list=[VUL],
                               remark="库 \"'\\ é"))
    queries = [
        {}, {"enterprise_project_id": ALL}, {"offset": 1, "limit": 10}, {"limit": 200},
        {"image_name": "svc-1"}, {"status": "vul_status_ignored"}, {"user_name": "token 1"},
        {"user_name": "nobody"}, {"handle_type": "ignore"}, {"remark": "库 \"'"},
        {"app_name": "lib0"}, {"app_version": "1"}, {"image_id": "none"},
    ]
    queries = [{"vul_id": VUL, "image_type": "registry", **query} for query in queries]
    outcomes = driver.run([case(office, "history", query) for query in queries])
    found = 0
    for query, outcome in zip(queries, outcomes):
        plain = office.root.good("GET", HISTORY, **query)
        assert strictly(outcome["total_num"]) == strictly(plain["total_num"]), query
        rows = [decoded(driver, row, HISTORY_FIELDS) for row in plain["data_list"]]
        assert strictly(outcome["rows"]) == strictly(rows), query
        found += len(rows)
    assert found > 50


def test_refusals(office, driver):
    one = body_of("ignore", "specific_vul_all_image", vul_id_list=[VUL])
    wrong = [
        ("handle", operation({**one, "operate_type": "verify"}), None, "HSS.0001",
         "Invalid parameter. (operate_type: must be ignore, ..."),
        ("handle", operation({**one, "vul_id_list": ["CVE-1999-1"]}), None, "HSS.0011",
         "Requested resource not found. (no image has these vulnerabilities: CVE-1999-1)"),
        ("handle", operation(one, "0"), office.red, "HSS.0013", "Insufficient permissions. (..."),
        ("preview", operation(one, offset=0, limit=9), None, "HSS.0001",
         "Invalid parameter. (limit: must be 10-200)"),
        ("history", {"vul_id": VUL, "image_type": "private_image"}, None, "HSS.0001",
         "Invalid parameter. (image_type: must be local, registry, cicd or cluster)"),
    ]
    outcomes = driver.run([case(office, call, parameters, key)
                           for call, parameters, key, *_ in wrong])
    for outcome, (*_, code, text) in zip(outcomes, wrong):
        check_failure(outcome["error"], 400, code, text)


def test_grants(office, driver):
    """red decides in ep-red and nowhere else."""
    body = body_of("not_ignore")
    done, again = driver.run([case(office, "handle", operation(body), office.red),
                              case(office, "preview", operation(body, offset=0, limit=10),
                                   office.red)])
    office.model.operate(body, 1 << 62, {"ep-red"})
    assert done["done"] == 200 and again["totals"][0] == 0
    handled = office.root.rows(enterprise_project_id="ep-red", is_handled="true")
    assert all(row["image_type"] != "registry" for row in handled)
