# SPDX-License-Identifier: Apache-2.0
"""Ceilings of decisions (src/base/limits.h): as many in force as a project may have, and no more."""
import json
import sqlite3

from documents import trivy, trivy_package, trivy_vulnerability, write

IN_FORCE = 100_000


def columns(db):
    return [row[1] for row in db.execute("PRAGMA table_info(decision)") if row[1] != "number"]


def copy_decision(data_dir, times):
    """Decision 1 as often again, with higher numbers."""
    with sqlite3.connect(data_dir / "careen.db") as db:
        names = ", ".join(columns(db))
        db.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                   f"INSERT INTO decision ({names}) SELECT {names} FROM n, decision "
                   "WHERE number = 1", (times,))


def test_no_more_in_force_than_the_limit(run, data_dir, tmp_path):
    run("import", write(tmp_path, trivy("app", packages=[trivy_package("zlib", "1.0")],
                                        vulnerabilities=[trivy_vulnerability("CVE-2024-1", "zlib"),
                                                         trivy_vulnerability("CVE-2024-2",
                                                                             "zlib")])))
    run("ignore", "CVE-2024-1", "--reason", "first")
    copy_decision(data_dir, IN_FORCE - 2)
    run("ignore", "CVE-2024-2", "--reason", "the last that fits")
    refused = run("ignore", "CVE-2024-2", "--reason", "one too many", expect=1)
    assert "100000 decisions are in force" in refused.stderr
    assert "withdraw some" in refused.stderr
    run("unignore", "2")
    run("ignore", "CVE-2024-2", "--reason", "fits again")
    rows = [json.loads(line) for line in run("affected", "-o", "jsonl", expect=None)
            .stdout.splitlines()]
    assert [row["status"] for row in rows] == ["vul_status_ignored"] * 2
