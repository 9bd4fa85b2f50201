# SPDX-License-Identifier: Apache-2.0
"""Images that have had their time: `careen prune`, the server's retention, and what is collected."""
import json
import random
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from asking import images, pairs, rows
from documents import trivy, trivy_package, trivy_vulnerability, write

DAY_MS = 24 * 3600 * 1000
START_MS = 1_700_000_000_000
CALL = "/v5/default/vulnerability/images?limit=200&offset=0"


def report(name, content, at):
    """Half of its packages and vulnerabilities are those of every image."""
    listed = [trivy_package(f"lib{number}", "1.0") for number in range(5)]
    listed += [trivy_package(f"lib{number}", f"{at}.0") for number in range(5, 10)]
    found = [trivy_vulnerability(f"CVE-2024-{number}", f"lib{number}") for number in range(5)]
    found += [trivy_vulnerability(f"CVE-2023-{at}{number}", f"lib{number}", f"{at}.0",
                                  aliases=[f"GHSA-{at:04}-{number:04}-aaaa"])
              for number in range(5, 10)]
    return trivy(name, packages=listed, vulnerabilities=found, content=content)


@pytest.fixture
def put(run, tmp_path):
    """put(name, content, day, ...): imports a report on that day."""
    def imported(name, content, day, *options, folder_run=run):
        at = int(content)
        path = write(tmp_path, report(name, content, at), f"{content}.json")
        folder_run("import", path, *options, clock_ms=START_MS + day * DAY_MS)

    return imported


STEPS = [  # name, content, day
    ("app", "1", 0),      # superseded, and old
    ("app", "2", 50),     # superseded, not old enough
    ("app", "3", 100),    # the latest
    ("gone", "4", 5),     # nobody reports it any more
    ("run", "5", 1, "--containers", "3"),  # superseded, and runs
    ("run", "6", 99),
    ("steady", "7", 98), ("steadier", "8", 97),
]
RULES = ("--superseded", "60d", "--unseen", "95d")


def reported(run):
    return sorted(image["image_id"] for image in images(run))


def test_prune(run, put):
    for step in STEPS:
        put(*step)
    before, listed = rows(run), reported(run)
    assert json.loads(run("status", "-o", "json").stdout)["retention"] == {
        "last_run_ms": None, "superseded_ms": None, "unseen_ms": None, "removed": 0}
    assert "retention      has not run" in run("status").stdout

    dry = json.loads(run("prune", *RULES, "--dry-run", "-o", "json").stdout)
    assert [(image["name"], image["reason"]) for image in dry["images"]] == [
        ("app", "superseded"), ("gone", "unseen"), ("run", "unseen")]
    assert dry["dry_run"] and "dropped" not in dry
    assert rows(run) == before and reported(run) == listed
    said = run("prune", *RULES, "--dry-run").stdout
    assert re.search(r"default +\S{36} +gone +1\.0 +2023-11-19T22:13:20 +unseen", said), said
    assert "3 images would be removed: 1 superseded, 2 unseen" in said

    done = json.loads(run("prune", *RULES, "-o", "json", clock_ms=START_MS).stdout)
    assert done["images"] == dry["images"] and done["complete"]
    assert (done["superseded"], done["unseen"], done["spared"]) == (1, 2, 0)
    # 5 of each image's packages and claims are its own.
    assert done["dropped"]["claims"] == done["dropped"]["packages"] == 15
    assert done["dropped"]["records"] == 15 and done["dropped"]["names"] == 30
    ids = {image["image_id"] for image in dry["images"]}
    assert rows(run) == [row for row in before if row["image_id"] not in ids]

    status = json.loads(run("status", "-o", "json").stdout)
    assert status["retention"] == {"last_run_ms": START_MS, "superseded_ms": 60 * DAY_MS,
                                   "unseen_ms": 95 * DAY_MS, "removed": 3}
    assert status["packages"] == 5 + 5 * 5 and status["claims"] == 5 + 5 * 5
    assert ("retention      superseded after 60d, unseen after 95d; last run 2023-11-14T22:13:20Z; "
            "3 images removed in all") in run("status").stdout
    again = json.loads(run("prune", *RULES, "-o", "json").stdout)
    assert again["images"] == [] and again["dropped"]["claims"] == 0


def test_what_stays_is_as_if_the_others_had_never_been(careen, run, put, tmp_path):
    from conftest import Folder  # pylint: disable=import-outside-toplevel

    other = Folder(careen, tmp_path / "other")
    for step in STEPS:
        put(*step)
    run("prune", "--superseded", "0", "--whole")
    left = reported(run)
    for name, content, *more in STEPS:
        if content not in "12":
            put(name, content, *more, folder_run=other.run)
    assert left == reported(other.run)

    def told(of):
        """first_scan_time may lie before: the claim was known of an image that has gone."""
        return sorted(json.dumps({**row, "first_scan_time": None}) for row in rows(of))

    assert told(run) == told(other.run)
    assert len(told(run)) == 10 * len(left)


def test_the_fuse(run, put):
    for step in (("a", "1", 0), ("b", "2", 0), ("c", "3", 10)):
        put(*step)
    said = run("prune", "--unseen", "1d").stdout
    assert "0 images removed" in said and "2 images were left alone" in said
    assert len(images(run)) == 3
    assert "2 images removed" in run("prune", "--unseen", "1d", "--whole").stdout
    assert [image["name"] for image in images(run)] == ["c"]


def test_projects_are_counted_apart(run, put):
    run("project", "create", "other")
    for step in (("a", "1", 0), ("b", "2", 10), ("c", "3", 10)):
        put(*step)
        put(step[0], step[1], step[2] - 5, "--project", "other")
    assert "1 images removed" in run("prune", "--unseen", "8d", "--project", "other").stdout
    assert len(images(run)) == 3 and len(images(run, "--project=other")) == 2
    said = run("prune", "--unseen", "8d", "--all-projects").stdout
    assert "1 images removed" in said and "default" in said
    assert len(images(run)) == 2 and len(images(run, "--project=other")) == 2


def test_only_collecting(run, put):
    put("app", "1", 0)
    put("app2", "2", 0)
    image = images(run, "--image-name", "app")[0]
    run("images", "rm", image["image_id"])
    done = json.loads(run("prune", "-o", "json").stdout)
    assert done["images"] == [] and done["dropped"]["claims"] == 5
    assert json.loads(run("status", "-o", "json").stdout)["retention"]["last_run_ms"] is None


@pytest.mark.parametrize("words, message", [
    (["--superseded", "3"], "--superseded"),
    (["--unseen", "soon"], "--unseen"),
    (["--project", "default", "--all-projects"], "not both"),
    (["word"], "no argument word"),
    (["-o", "csv"], "table, json"),
])
def test_mistakes(run, put, words, message):
    put("app", "1", 0)
    assert message in run("prune", *words, expect=2).stderr


def test_killed_at_any_moment(careen, run, data_dir, put):
    """Images are there or gone; what is in use stays; another run completes it."""
    chance = random.Random(1)
    for at in range(1, 41):
        put(f"app{at}", str(at), 0 if at % 2 else 100)
    expected = [row for row in rows(run) if int(row["image_name"][3:]) % 2 == 0]
    start = time.monotonic()
    run("prune", "--unseen", "90d", "--dry-run")
    took, counts = time.monotonic() - start, set()
    for _ in range(25):
        command = subprocess.Popen([careen, "--data", data_dir, "prune", "--unseen", "90d"],
                                   stdout=subprocess.DEVNULL)
        time.sleep(chance.random() * 2 * took)
        command.send_signal(signal.SIGKILL)
        command.wait()
        left = rows(run)
        assert [row for row in left if int(row["image_name"][3:]) % 2 == 0] == expected
        counts.add(len(images(run)))
        assert len(left) == 10 * len(images(run))
        put("app39", "39", 0)  # something to be done again
    run("prune", "--unseen", "90d")
    assert rows(run) == expected and 20 in counts
    status = json.loads(run("status", "-o", "json").stdout)
    assert status["claims"] == 5 + 5 * 20 + 1  # app39's last: the highest id stays
    with sqlite3.connect(data_dir / "careen.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def wait_for(check, seconds=10):
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def total(server, token):
    return server.get(CALL, token).json["total_num"]


def test_a_server_beside(run, put, start_server, token):
    """What is pruned beside it goes from its answers; reports that come after have new ids for what
    was dropped, and are found by them."""
    for step in STEPS:
        put(*step)
    server = start_server()
    count = total(server, token)
    run("prune", *RULES)
    wait_for(lambda: total(server, token) == count - 30)
    put("gone", "4", 101)
    wait_for(lambda: total(server, token) == count - 20)
    for vul_id in ("CVE-2023-45", "GHSA-0004-0005-aaaa"):
        found = server.get(f"{CALL}&vul_id={vul_id}", token).json
        assert found["total_num"] == 1, vul_id
    # The server's own import uses what it had in memory before.
    body = json.dumps(report("app", "1", 1)).encode()
    answer = server.request("POST", "/careen/v1/default/images?image_type=local&agent_id=h",
                            body=body, token=token)
    assert answer.status == 200, answer.body
    assert answer.json["findings"] == 10
    assert len(pairs(rows(run))) == total(server, token)
    run("doctor", expect=None)


def test_the_server_retains(run, put, start_server, token):
    for step in STEPS:
        put(*step)
    server = start_server("--retention-superseded", "60d", "--retention-unseen", "95d")
    wait_for(lambda: len(images(run)) == len(STEPS) - 3)
    wait_for(lambda: any("collected 15 claims" in line for line in server.log))
    assert sum("removed" in line and "superseded" in line for line in server.log) == 1
    assert json.loads(run("status", "-o", "json").stdout)["retention"]["removed"] == 3
    assert total(server, token) == 50
