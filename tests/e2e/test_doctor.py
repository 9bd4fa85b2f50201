# SPDX-License-Identifier: Apache-2.0
"""careen doctor: what is well is said to be, and each kind of damage is found and named."""
import json
import os
import sqlite3
import subprocess

import pytest

from documents import trivy, trivy_package, trivy_vulnerability, write

HOUR_MS = 3_600_000
CLOCK_MS = 1_700_000_000_000


@pytest.fixture
def filled(run, tmp_path):
    """Two images, and an access key."""
    for name in ("app", "web"):
        run("import", write(tmp_path, trivy(name, packages=[trivy_package("zlib", "1.0")],
                                            vulnerabilities=[trivy_vulnerability("CVE-2024-1",
                                                                                 "zlib")])))
    run("user", "create", "ann", "--role", "admin")
    run("key", "create", "--user", "ann")
    return run


def examine(run, expect=0, **more):
    """{check: [(result, detail), ...]} and the overall result."""
    answer = json.loads(run("doctor", "-o", "json", expect=expect, **more).stdout)
    found = {}
    for check in answer["checks"]:
        found.setdefault(check["check"], []).append((check["result"], check["detail"]))
    return found, answer["result"]


def failures(found):
    return {check: detail for check, results in found.items() for result, detail in results
            if result == "failed"}


def edit(data_dir, *statements):
    with sqlite3.connect(data_dir / "careen.db") as db:
        for statement in statements:
            db.execute(statement)


def test_all_is_well(filled, data_dir):
    found, overall = examine(filled)
    assert overall != "failed" and not failures(found)
    assert set(found) >= {"folder", "database", "key", "index", "space", "clock", "descriptors"}
    assert found["index"] == [("ok", "project default: 2 images, 2 findings, as the facts say")]
    assert found["key"] == [("ok", "secret.key opens every access key")]
    table = filled("doctor").stdout
    assert table.startswith("CHECK") and "every page read" in table


def test_beside_a_server(filled, start_server):
    server = start_server()
    found, _ = examine(filled)
    assert not failures(found)
    assert server.get("/readyz").status == 200


def test_it_changes_nothing(filled, data_dir):
    before = {entry.name: entry.read_bytes() for entry in data_dir.iterdir()
              if not entry.name.endswith(("-shm", "-wal"))}
    filled("doctor")
    assert before == {entry.name: entry.read_bytes() for entry in data_dir.iterdir()
                      if not entry.name.endswith(("-shm", "-wal"))}


def test_no_folder(run, data_dir):
    found, overall = examine(run, expect=1)
    assert overall == "failed"
    assert str(data_dir) in failures(found)["folder"]
    assert "careen import" in failures(found)["database"]


def test_a_damaged_database(filled, data_dir):
    edit(data_dir, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((data_dir / "careen.db").read_bytes())
    content[4 * 4096 : 8 * 4096] = b"\xee" * (4 * 4096)
    (data_dir / "careen.db").write_bytes(content)
    found, _ = examine(filled, expect=1)
    assert failures(found), found


def test_facts_that_contradict_each_other(filled, data_dir):
    edit(data_dir, "PRAGMA foreign_keys = OFF", "DELETE FROM claim")
    found, _ = examine(filled, expect=1)
    assert "claim" in failures(found)["index"]


def test_a_change_log_that_has_lost_what_was_never_there(filled, data_dir):
    """A follower would load anew for ever."""
    edit(data_dir, "UPDATE state SET value = 4294967295 WHERE name = 'log_trimmed'")
    found, _ = examine(filled, expect=1)
    assert "outside what was ever written" in failures(found)["index"]


def test_a_missing_key_file(filled, data_dir):
    (data_dir / "secret.key").unlink()
    found, _ = examine(filled, expect=1)
    assert "secret.key" in failures(found)["key"]


def test_another_key_file(filled, data_dir):
    (data_dir / "secret.key").write_text("0123456789abcdef" * 4 + "\n")
    found, _ = examine(filled, expect=1)
    assert "secret.key" in failures(found)["key"]


def test_a_key_file_that_others_may_read(filled, data_dir):
    os.chmod(data_dir / "secret.key", 0o644)
    found, _ = examine(filled, expect=1)
    assert "secret.key" in failures(found)["key"]


def test_a_folder_that_others_may_write_to(filled, data_dir):
    os.chmod(data_dir, 0o777)
    found, _ = examine(filled, expect=1)
    os.chmod(data_dir, 0o700)
    assert "chmod 700" in failures(found)["folder"]


def test_a_clock_that_is_behind(filled, tmp_path):
    filled("import", write(tmp_path, trivy("late")), clock_ms=CLOCK_MS + 24 * HOUR_MS * 3650)
    found, _ = examine(filled)
    assert [detail for result, detail in found["clock"]
            if result == "warning" and "was or is wrong" in detail]


def test_few_descriptors(careen, filled, data_dir):
    command = f'ulimit -n 100; exec "{careen}" --data "{data_dir}" doctor'
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert "LimitNOFILE" in result.stdout


def test_usage(run):
    assert "no argument x" in run("doctor", "x", expect=2).stderr
    assert "-o must be one of table, json" in run("doctor", "-o", "csv", expect=2).stderr
