# SPDX-License-Identifier: Apache-2.0
"""The vendor's SDKs, unmodified, against the server (contract, 1, 2, 3, 8).

Rows that an SDK decodes must be what the server says in JSON to a plain request with a token; that
those are the right ones is the matter of test_affected_*.py.
"""
import json
import re

import pytest

import sdk_cases
from sdk_cases import ALL, EMPTY, case, for_language
from sdk_world import DRIVERS, ODD_PROJECT, PASSWORD, REGION, Driver, raw

FIELDS = """image_id image_name vul_id repair_necessity container_num image_digest image_version
    agent_id status first_scan_time latest_scan_time image_type image_size organization
    registry_type registry_name is_multi_arch cluster_id cluster_name""".split()
INCORRECT = "Incorrect IAM authentication information: "
FULL = {"is_handled": False, "vul_id": "CVE-2024-1000", "type": "linux_vul",
        "image_type": "registry"}
ONLY = {**FULL, "vul_id": "CVE-2024-9001"}  # the one row of the small projects


@pytest.fixture(scope="module", params=DRIVERS)
def driver(request, tmp_path_factory):
    return Driver(request.param, tmp_path_factory.mktemp("home"))


def only(*languages):
    """For tests of what the other SDKs cannot do."""
    return pytest.mark.parametrize("driver", languages, indirect=True)


def decoded_by(driver, row):
    """The row as that SDK can decode it: only Node lets pass what its models do not name."""
    if driver.language == "node":
        return row
    return {name: row[name] for name in FIELDS if name in row}


def strictly(value):
    """Equal texts: equal values of equal types."""
    return json.dumps(value, sort_keys=True)


def check_failure(error, status, code, text):
    """text: all of the message, or its beginning if it ends in '...'."""
    assert error["status"] == status and error["code"] == code, error
    if text.endswith("..."):
        assert error["message"].startswith(text[:-3]), error
    else:
        assert error["message"] == text, error
    assert re.fullmatch("[0-9a-f]{32}", error["request_id"]), error
    assert error.get("kind", "ClientRequestException") == "ClientRequestException"


def check(driver, outcome, asked, reply):
    """The outcome against the plain reply to the same question."""
    if reply.status != 200:
        assert "error" in outcome, (asked, outcome)
        check_failure(outcome["error"], reply.status, reply.json["error_code"],
                      reply.json["error_msg"])
        return
    assert "rows" in outcome, (asked, outcome)
    assert strictly(outcome["total_num"]) == strictly(reply.json["total_num"]), asked
    rows = [decoded_by(driver, row) for row in reply.json["data_list"]]
    assert strictly(outcome["rows"]) == strictly(rows), asked


def check_all(world, driver, all_parameters, **how):
    """Asks with each of the parameters. Returns how many answers there were of each status, and how
    many rows."""
    cases = [for_language(driver.language, case(world, one, **how)) for one in all_parameters]
    counts, rows = {}, 0
    for asked, outcome in zip(cases, driver.run(cases)):
        reply = raw(how.get("server", world.server), world.token, asked["parameters"])
        check(driver, outcome, asked, reply)
        counts[reply.status] = counts.get(reply.status, 0) + 1
        rows += len(outcome.get("rows", ()))
    return counts, rows


# --- The call -------------------------------------------------------------------------------------

def test_every_filter_alone(sdk_world, driver):
    counts, rows = check_all(sdk_world, driver, sdk_cases.parameters_alone(sdk_world.model))
    assert counts.keys() == {200} and rows > 400


def test_filters_together(sdk_world, driver):
    counts, rows = check_all(sdk_world, driver, sdk_cases.parameters_together(sdk_world.model, 150))
    assert counts == {200: 150} and rows > 200


def test_hostile_characters_in_every_parameter(sdk_world, driver):
    counts, rows = check_all(sdk_world, driver, sdk_cases.parameters_hostile())
    assert counts[200] > 150 and counts[400] > 100 and rows > 10


def test_limits_lengths_and_words(sdk_world, driver):
    counts, rows = check_all(sdk_world, driver, sdk_cases.parameters_at_limits())
    assert counts[200] > 20 and counts[400] > 30 and rows > 200


@pytest.mark.parametrize("algorithm", ["plain", "derived"])
def test_ways_to_sign(sdk_world, driver, algorithm):
    """With a region and a derived predicate, SDKs sign with V11-HMAC-SHA256."""
    how = {"region": REGION, "derived": True} if algorithm == "derived" else {}
    asked = [{}, FULL, {**FULL, "vul_id": sdk_cases.HOSTILE[0]}, {**FULL, "limit": 9}]
    counts, _ = check_all(sdk_world, driver, asked, **how)
    assert counts == {200: 3, 400: 1}


@only("python", "node")
def test_values_of_other_types(sdk_world, driver):
    counts, _ = check_all(sdk_world, driver, sdk_cases.parameters_strange())
    assert counts[400] > 15


@only("python", "node")
def test_a_parameter_twice(sdk_world, driver):
    """These send a list as one parameter for each value."""
    values = {**FULL, "limit": 10}
    cases = [case(sdk_world, {name: [value, value]}) for name, value in values.items()]
    for asked, outcome in zip(cases, driver.run(cases)):
        name, = asked["parameters"]
        check_failure(outcome["error"], 400, "HSS.0001",
                      f"Invalid parameter. ({name}: must be given once)")


@only("python", "go", "java")
def test_a_project_id_that_needs_encoding(sdk_world, driver):
    """Node encodes it twice in what it signs, and once in what it sends."""
    asked = case(sdk_world, ONLY, project=ODD_PROJECT)
    reply = raw(sdk_world.server, sdk_world.odd_token, ONLY, ODD_PROJECT)
    assert reply.json["total_num"] == 1
    check(driver, driver.run([asked])[0], asked, reply)


def test_strict_parameters(sdk_world, driver):
    """Go cannot omit the four; the others may, and are refused."""
    counts, _ = check_all(sdk_world, driver, [{}, EMPTY, FULL], server=sdk_world.strict)
    assert counts == ({200: 3} if driver.language == "go" else {200: 2, 400: 1})


@only("java")
def test_java_refuses_to_send_less_than_the_mandatory_parameters(sdk_world, driver):
    empty = {name: {**FULL, name: ""} for name in FULL if name != "is_handled"}
    absent = {name: {k: v for k, v in FULL.items() if k != name} for name in FULL}
    names = [*empty, *absent]
    cases = [case(sdk_world, one) for one in [*empty.values(), *absent.values()]]
    for name, outcome in zip(names, driver.run(cases)):
        assert name in outcome["refused"], outcome


# --- Who may ask ----------------------------------------------------------------------------------

def test_enterprise_projects(sdk_world, driver):
    """red sees ep-red and nothing else."""
    red = case(sdk_world, FULL, sdk_world.red)

    def of(enterprise_project_id):
        return {**red, "parameters": {**FULL, "enterprise_project_id": enterprise_project_id}}

    own, granted, absent, other = driver.run([of("ep-red"), of(ALL), red, of("ep-蓝")])
    expected = raw(sdk_world.server, sdk_world.token, of("ep-red")["parameters"])
    assert expected.json["total_num"] > 0
    check(driver, own, red, expected)
    check(driver, granted, red, expected)
    for refused in (absent, other):
        check_failure(refused["error"], 400, "HSS.0013", "Insufficient permissions....")


def refusals(world):
    """(case, status, code, message) of everything that is refused before parameters are read."""
    wrong = INCORRECT + "verify aksk signature fail"
    key = type(world.reader)
    unknown = key(ak="CRNNOSUCHKEY00000000", sk=world.reader.sk)
    forged = key(ak=world.reader.ak, sk=world.reader.sk[:-1] + "!")
    yield (case(world, FULL, unknown), 401, "APIGW.0301",
           INCORRECT + "Get secretKey failed,ak:CRNNOSUCHKEY00000000,err:ak not exist")
    yield (case(world, FULL, forged), 401, "APIGW.0301",
           wrong + ", canonicalRequest:GET|/v5/default/vulnerability/images/|image_type=registry&"
           "is_handled=false&type=linux_vul&vul_id=CVE-2024-1000|...")
    yield (case(world, FULL, server=world.late), 401, "APIGW.0301",
           INCORRECT + "calc aksk signature fail:signature expired, signature time:...")
    yield case(world, FULL, security_token="no-such"), 401, "APIGW.0301", wrong + "..."
    forbidden = "The IAM user is not authorized to access the API."
    yield case(world, FULL, project="other"), 403, "APIGW.0302", forbidden
    yield case(world, FULL, project="no-such"), 403, "APIGW.0302", forbidden
    yield (case(world, FULL, project="closed"), 403, "APIGW.0310",
           "The project is unavailable.")
    yield (case(world, call="hosts"), 404, "APIGW.0101",
           "The API does not exist or has not been published in the environment.")


def test_refusals(sdk_world, driver):
    expected = list(refusals(sdk_world))
    for outcome, (_, *failure) in zip(driver.run([asked for asked, *_ in expected]), expected):
        check_failure(outcome["error"], *failure)


@only("python", "go", "java")
def test_other_algorithms_are_refused(sdk_world, driver):
    outcome, = driver.run([case(sdk_world, FULL, sm3=True)])
    check_failure(outcome["error"], 401, "APIGW.0301", INCORRECT + "verify aksk signature fail...")


def test_a_key_that_fails_again_and_again_is_locked_out(sdk_world, driver):
    key = sdk_world.hasty[driver.language]
    wrong = case(sdk_world, FULL, type(key)(ak=key.ak, sk="wrong"))
    *outcomes, last = driver.run([wrong] * 6 + [case(sdk_world, FULL, key)])
    for outcome in outcomes[:5]:
        check_failure(outcome["error"], 401, "APIGW.0301",
                      INCORRECT + "verify aksk signature fail, canonicalRequest:GET|...")
    check_failure(last["error"], 401, "APIGW.0301",
                  INCORRECT + "AK access failed to reach the limit,forbidden.")


# --- Without a project id -------------------------------------------------------------------------

def region_only(world, region=REGION, key=None, **more):
    return case(world, ONLY, key, project=None, region=region,
                iam=f"http://{world.server.address}", **more)


def test_a_region_only(sdk_world, driver):
    """The SDK asks IAM for the project named like the region."""
    asked = region_only(sdk_world)
    reply = raw(sdk_world.server, sdk_world.region_token, asked["parameters"], REGION)
    assert reply.json["total_num"] == 1
    again = {**asked, "derived": True}
    for outcome in driver.run([asked, asked, again]):
        check(driver, outcome, asked, reply)


def test_a_region_without_a_project(sdk_world, driver):
    cases = [region_only(sdk_world, "cn-east-3"), region_only(sdk_world, key=sdk_world.red)]
    for outcome, asked in zip(driver.run(cases), cases):
        text = outcome["error"]["message"] if "error" in outcome else outcome["refused"]
        assert "rows" not in outcome and text, asked


# --- Tokens ---------------------------------------------------------------------------------------

def login(world, scope, password=PASSWORD):
    user = {"name": "alice", "password": password, "domain": {"name": "careen"}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
    return case(world, {"nocatalog": "true", "body": {"auth": auth}}, call="token")


@only("go", "node")
def test_token_issue(sdk_world, driver):
    scopes = [{"project": {"name": REGION}}, {"project": {"id": REGION}},
              {"domain": {"name": "careen"}}]
    for outcome in driver.run([login(sdk_world, scope) for scope in scopes]):
        issued = outcome["token"]
        text = issued.pop("X-Subject-Token")
        plain = sdk_world.server.get(
            "/v3/auth/tokens?nocatalog=true", token=text, headers={"X-Subject-Token": text})
        assert plain.status == 200
        issued["token"].setdefault("catalog", [])
        plain.json["token"].setdefault("catalog", [])
        assert strictly(issued) == strictly(plain.json)
        reply = raw(sdk_world.server, text, ONLY, REGION)
        assert reply.json["total_num"] == 1
    wrong, = driver.run([login(sdk_world, scopes[0], "wrong password")])
    # Keystone's form of an error is in that answer, too, and Node looks at that first.
    check_failure(wrong["error"], 401, 401 if driver.language == "node" else "IAM.0001",
                  "The request you have made requires authentication.")
