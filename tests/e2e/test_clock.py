# SPDX-License-Identifier: Apache-2.0
"""A clock that jumps under a running server, a day either way (libfaketime): what is promised in
docs/threat-model.md, section Time. Only the wall clock jumps; timeouts go by another one."""
import json
import pathlib
import time

import pytest

from asking import ALL, json_lines
from documents import trivy, trivy_package, trivy_vulnerability, write
from signer import new_key

PAGE = "/v5/default/vulnerability/images?limit=50&enterprise_project_id=all_granted_eps"
DAY_S = 24 * 3600


@pytest.fixture(scope="module")
def faketime():
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("no libfaketime here (Debian's package libfaketime)")
    return str(found[0])


class Clock:
    """The wall clock of a server that was started with `environment`."""

    def __init__(self, library, path):
        self.path = path
        self.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(path),
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                            "DONT_FAKE_MONOTONIC": "1"}
        self.jump(0)

    def jump(self, seconds):
        """To `seconds` from the true time."""
        new = self.path.with_suffix(".new")
        new.write_text(f"{seconds:+d}s")
        new.rename(self.path)


@pytest.fixture
def world(folder, faketime, tmp_path):
    """One image with two vulnerabilities, a served folder, and its clock."""
    folder.run("import", write(tmp_path, trivy(
        "app", packages=[trivy_package("zlib", "1.0")],
        vulnerabilities=[trivy_vulnerability(f"CVE-2024-{at}", "zlib") for at in (1, 2)])))
    folder.run("user", "create", "ann", "--role", "operator", "--password-stdin",
               stdin="correct horse\n")
    folder.clock = Clock(faketime, tmp_path / "clock")
    return folder


def wait_for(check, seconds=10):
    until = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def handled(server, token):
    return [row["vul_id"] for row in server.get(PAGE + "&is_handled=true", token).json["data_list"]]


@pytest.mark.parametrize("seconds", [DAY_S, -DAY_S])
def test_it_goes_on_answering_and_following(world, seconds, tmp_path):
    token, server = world.token(), world.serve(env=world.clock.environment)
    before = server.get(PAGE, token).json
    world.clock.jump(seconds)
    assert server.get(PAGE, token).json["total_num"] == before["total_num"]
    world.run("import", write(tmp_path, trivy("late", packages=[trivy_package("zlib", "1.0")],
                                              vulnerabilities=[trivy_vulnerability("CVE-2024-1",
                                                                                   "zlib")])))
    wait_for(lambda: server.get(PAGE, token).json["total_num"] == before["total_num"] + 1, 3)
    answer = server.request("POST", "/careen/v1/default/images?image_type=local", token=token,
                            body=json.dumps(trivy("later", packages=[trivy_package("a", "1")])))
    assert answer.status == 200
    world.clock.jump(0)
    assert server.get(PAGE, token).json["total_num"] == before["total_num"] + 1
    world.run("doctor")


def test_a_token_expires_and_is_good_again(world):
    token = world.token("default", "--expires-in", "12h")
    server = world.serve(env=world.clock.environment)
    assert server.get(PAGE, token).status == 200
    world.clock.jump(DAY_S)
    refused = server.get(PAGE, token)
    assert refused.status == 401 and "token expires" in refused.json["error_msg"]
    world.clock.jump(-DAY_S)
    assert server.get(PAGE, token).status == 200
    world.clock.jump(0)
    assert server.get(PAGE, token).status == 200


def test_a_login_expires_and_is_good_again(world):
    server = world.serve(env=world.clock.environment)
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "ann", "password": "correct horse", "domain": {"name": "careen"}}}},
        "scope": {"project": {"name": "default"}}}}
    token = server.request("POST", "/v3/auth/tokens",
                           body=json.dumps(body)).headers["X-Subject-Token"]
    assert server.get(PAGE, token).status == 200
    world.clock.jump(DAY_S + 60)
    assert server.get(PAGE, token).status == 401
    world.clock.jump(0)
    assert server.get(PAGE, token).status == 200


def test_signatures_go_by_the_servers_clock(world):
    key = new_key(world, "ann")
    server = world.serve(env=world.clock.environment)

    def ask(ahead_s):
        return key.get(server, PAGE, minutes=ahead_s // 60)

    assert ask(0).status == 200
    for seconds in (DAY_S, -DAY_S):
        world.clock.jump(seconds)
        refused = ask(0)
        assert refused.status == 401 and "signature expired" in refused.json["error_msg"]
        assert ask(seconds).status == 200
    world.clock.jump(0)
    assert ask(0).status == 200


def test_a_decision_that_expired_stays_ended(world):
    token, server = world.token(), world.serve(env=world.clock.environment)
    world.run("ignore", "CVE-2024-1", "--reason", "for half a day", "--expires-in", "12h")
    world.run("ignore", "CVE-2024-2", "--reason", "for two days", "--expires-in", "2d")
    wait_for(lambda: handled(server, token) == ["CVE-2024-1", "CVE-2024-2"])
    world.clock.jump(DAY_S)
    wait_for(lambda: handled(server, token) == ["CVE-2024-2"], 3)
    wait_for(lambda: [line for line in server.log if "decision expired" in line])
    world.clock.jump(-DAY_S)
    time.sleep(0.5)
    assert handled(server, token) == ["CVE-2024-2"]
    world.clock.jump(0)
    states = {made["number"]: made["state"] for made in
              json_lines(world.run("decisions", "--all", "-o", "jsonl").stdout)}
    assert states == {1: "expired", 2: "in_force"}
    assert sum("decision expired" in line for line in server.log) == 1
    world.run("doctor")


def test_retention_removes_nothing_for_a_jump(world):
    """Ages count from the newest report."""
    server = world.serve("--retention-unseen", "30d", env=world.clock.environment)
    world.clock.jump(3650 * DAY_S)
    assert server.get("/healthz").status == 200
    world.run("prune", "--unseen", "30d", env=world.clock.environment)
    world.clock.jump(0)
    assert world.run("images", "list", *ALL, "-o", "jsonl").stdout.count("\n") == 1
