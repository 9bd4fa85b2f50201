# SPDX-License-Identifier: Apache-2.0
"""`careen backup` and `careen restore`: a restored server is the same one; nothing is there by
half, whatever is cut off, killed or full."""
import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

import inventory
from asking import images, rows
from conftest import Folder
from documents import trivy, trivy_package, trivy_vulnerability, write
from signer import new_key
from test_bad_folder import disk  # noqa: F401  pylint: disable=unused-import

CALL = "/v5/default/vulnerability/images?limit=10&enterprise_project_id=all_granted_eps"


def report(name, count=20):
    return trivy(name, packages=[trivy_package(f"{name}-lib{at}", "1.0") for at in range(count)],
                 vulnerabilities=[trivy_vulnerability(f"CVE-2024-{at}", f"{name}-lib{at}")
                                  for at in range(count)])


@pytest.fixture
def other(careen, tmp_path):
    """A Folder to restore into."""
    made = Folder(careen, tmp_path / "other")
    yield made
    made.close()


def pages(server, key):
    """The bodies of all pages, by cursor and by offset, and what else the call answers."""
    bodies, cursor, offset = [], "", 0
    while True:
        answer = key.request(server, "GET", f"{CALL}&cursor={cursor}" if cursor else CALL)
        assert answer.status == 200, answer.body
        bodies.append(answer.body)
        cursor = (answer.json.get("page_info") or {}).get("next_cursor") or ""
        if not cursor:
            break
    while len(bodies) < 100:
        answer = key.request(server, "GET", f"{CALL}&offset={offset}")
        bodies.append(answer.body)
        offset += 10
        if not answer.json["data_list"]:
            break
    bodies.append(key.request(server, "GET", f"{CALL}&vul_id=CVE-2024-2001").body)
    return bodies


def test_a_restored_server_answers_the_same(folder, other, tmp_path):
    inventory.seed(folder, tmp_path)
    folder.run("ignore", "CVE-2024-1000", "--reason", "a test")
    folder.run("user", "create", "alice", "--role", "operator")
    key, token = new_key(folder, "alice"), folder.token()
    server = folder.serve()
    before = pages(server, key)
    assert len(before) > 20
    file = tmp_path / "careen.backup"
    said = folder.run("backup", file).stdout
    assert re.match(rf"{file}: 0\.\d MiB, \d+ images in 1 projects, with secret\.key", said), said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = other.run("restore", file).stdout
    assert "with secret.key" in said and f"careen --data {other.path} serve" in said
    assert sorted(entry.name for entry in other.path.iterdir()) == ["careen.db", "secret.key"]
    assert stat.S_IMODE((other.path / "secret.key").stat().st_mode) == 0o600
    assert (other.path / "secret.key").read_text() == (folder.path / "secret.key").read_text()
    again = other.serve()
    assert pages(again, key) == before
    assert again.get(CALL, token).body == server.get(CALL, token).body
    # Both go on alike: the numbers that are given next are the same.
    path = write(tmp_path, report("later"), "later.json")
    for data in (folder, other):
        data.run("import", path, clock_ms=inventory.START_MS)
    assert rows(folder.run) == rows(other.run)
    assert "backup" not in dict(sqlite3.connect(other.path / "careen.db").execute(
        "SELECT name, type FROM sqlite_schema"))


def test_without_the_key(folder, other, tmp_path):
    folder.run("user", "create", "alice", "--role", "operator")
    key = new_key(folder, "alice")
    secret = (folder.path / "secret.key").read_bytes().strip()
    assert "without secret.key" in folder.run("backup", tmp_path / "b", "--without-key").stdout
    assert secret not in (tmp_path / "b").read_bytes()
    assert "holds no secret.key" in other.run("restore", tmp_path / "b").stdout
    shutil.copy(folder.path / "secret.key", other.path / "secret.key")
    assert key.request(other.serve(), "GET", CALL).status == 200


def test_without_the_key_that_is_there_already(folder, other, tmp_path):
    folder.run("user", "create", "alice", "--role", "operator")
    key = new_key(folder, "alice")
    folder.run("backup", tmp_path / "b", "--without-key")
    other.path.mkdir(mode=0o700)
    shutil.copy(folder.path / "secret.key", other.path / "secret.key")
    said = other.run("restore", tmp_path / "b").stdout
    assert "holds no secret.key: the one in the folder stays\n" in said
    assert key.request(other.serve(), "GET", CALL).status == 200


def test_another_key_is_there(folder, other, tmp_path):
    folder.run("user", "create", "alice", "--role", "operator")
    new_key(folder, "alice")
    folder.run("backup", tmp_path / "b")
    other.path.mkdir(mode=0o700)
    (other.path / "secret.key").write_text("ab" * 32 + "\n")
    (other.path / "secret.key").chmod(0o600)
    said = other.run("restore", tmp_path / "b", expect=1).stderr
    assert "is another key" in said
    assert [entry.name for entry in other.path.iterdir()] == ["secret.key"]
    (other.path / "secret.key").write_bytes((folder.path / "secret.key").read_bytes())
    other.run("restore", tmp_path / "b")


def test_what_is_refused(folder, other, tmp_path):
    folder.run("import", write(tmp_path, report("app")))
    file = tmp_path / "b"
    folder.run("backup", file)
    assert "exists already" in folder.run("backup", file, expect=1).stderr
    assert "holds a store already" in folder.run("restore", file, expect=1).stderr
    assert "there is no store" in other.run("backup", tmp_path / "c", expect=1).stderr
    assert "cannot make a file beside" in folder.run(
        "backup", tmp_path / "no" / "c", expect=1).stderr

    def refused(change, message):
        bad = tmp_path / "bad"
        shutil.copy(file, bad)
        change(bad)
        said = other.run("restore", bad, expect=1).stderr
        assert re.search(message, said) and str(bad) in said, said
        assert not other.path.exists()
        bad.unlink()

    def sql(*statements):
        def change(path):
            with sqlite3.connect(path) as db:
                for statement in statements:
                    db.execute(statement)
            db.close()
        return change

    refused(lambda path: path.write_text("a diary\n" * 100), "not a database")
    refused(lambda path: path.write_bytes(b""), "not a database")
    refused(lambda path: (path.unlink(), os.mkfifo(path)), "not a file")
    refused(lambda path: os.truncate(path, path.stat().st_size // 2), "malformed|not sound|damaged")
    refused(sql("PRAGMA user_version = 99"), "schema version 99.*run the newer careen")
    refused(sql("PRAGMA application_id = 7"), "not a store of Careen")
    refused(sql("PRAGMA application_id = 0", "PRAGMA user_version = 0"), "not a backup of Careen")
    refused(sql("CREATE TRIGGER t AFTER INSERT ON image BEGIN DELETE FROM slot; END"),
            'the trigger "t" is none of Careen')
    refused(sql("CREATE INDEX i ON image (abs(number))"), 'the index "i" is none of Careen')
    refused(sql("DROP INDEX image_line"), 'the index "image_line" is missing')
    refused(sql("PRAGMA foreign_keys = OFF", "DELETE FROM package"), "not sound")
    refused(lambda path: path.with_name("bad-wal").write_bytes(b"x"), "is in use, or was")
    (tmp_path / "bad-wal").unlink()
    other.path.mkdir()
    other.path.chmod(0o770)
    said = other.run("restore", file, expect=1).stderr
    assert f"others may write to it (mode 0770), and nothing was restored: chmod 700 {other.path}" in said
    assert not list(other.path.iterdir())
    other.path.chmod(0o700)
    other.run("restore", file)
    assert rows(other.run) == rows(folder.run)


def test_beside_imports(folder, other, tmp_path):
    """Each backup is one moment: some of the images, and each of them whole."""
    paths = [write(tmp_path, report(f"app{at:03}"), f"{at}.json") for at in range(60)]
    folder.run("import", *paths[:3])
    over = threading.Event()

    def importing():
        for path in paths[3:]:
            folder.run("import", path)
        over.set()

    thread = threading.Thread(target=importing)
    thread.start()
    counts = []
    while not over.is_set() or not counts:
        file = tmp_path / f"b{len(counts)}"
        folder.run("backup", file)
        other.run("restore", file)
        counts.append(len(images(other.run)))
        assert len(rows(other.run)) == 20 * counts[-1]
        shutil.rmtree(other.path)
    thread.join()
    assert counts == sorted(counts) and counts[0] < len(paths)


def test_killed_at_any_moment(careen, folder, other, tmp_path):
    folder.run("import", *[write(tmp_path, report(f"app{at}", 200), f"{at}.json")
                           for at in range(60)])
    expected, file, chance = rows(folder.run), tmp_path / "b", random.Random(1)

    def timed(*command):
        start = time.monotonic()
        Folder.run(*command)
        return time.monotonic() - start

    took = {"backup": timed(folder, "backup", file), "restore": timed(other, "restore", file)}
    shutil.rmtree(other.path)

    def killed(data, verb):
        """Killed at a random moment of about the time that it takes."""
        command = subprocess.Popen([careen, "--data", data.path, verb, file],
                                   stdout=subprocess.DEVNULL)
        time.sleep(chance.random() * 1.5 * took[verb])
        command.send_signal(signal.SIGKILL)
        command.wait()

    seen = set()
    for _ in range(40):
        killed(other, "restore")
        seen.add(("restore", (other.path / "careen.db").exists()))
        if (other.path / "careen.db").exists():
            assert rows(other.run) == expected
        shutil.rmtree(other.path, ignore_errors=True)
        file.unlink()
        killed(folder, "backup")
        seen.add(("backup", file.exists()))
        if not file.exists():
            folder.run("backup", file)
    assert len(seen) == 4, seen


def test_a_full_disk(careen, folder, disk, tmp_path):  # noqa: F811
    at, remount = disk
    folder.run("import", *[write(tmp_path, report(f"app{n}", 400), f"{n}.json") for n in range(20)])
    assert (folder.path / "careen.db").stat().st_size > 1 << 20
    said = folder.run("backup", at / "b", expect=1).stderr
    assert f"cannot write the backup {at}/b" in said and "free space" in said, said
    assert list(at.iterdir()) == []
    folder.run("backup", tmp_path / "b")
    data = Folder(careen, at / "data")
    said = data.run("restore", tmp_path / "b", expect=1).stderr
    assert f"cannot write {at}/data/careen.db" in said and "No space left" in said, said
    assert list(at.iterdir()) == []
    remount("remount,size=64m")
    data.run("restore", tmp_path / "b")
    assert rows(data.run) == rows(folder.run)
