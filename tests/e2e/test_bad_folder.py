# SPDX-License-Identifier: Apache-2.0
"""Data folders that cannot be used, or no longer be trusted: a message that names the file and the
remedy, and not a byte of them changed; and disks that are full or read-only."""
import hashlib
import os
import random
import re
import shutil
import sqlite3
import subprocess

import pytest

from asking import images, json_lines, rows, show
from conftest import Folder
from documents import trivy, trivy_package, trivy_vulnerability, write

READING = [["status"], ["affected", "--all"], ["vulns"], ["images", "list"], ["token", "list"],
           ["project", "list"], ["images", "show", "id"]]
WRITING = [["import", "REPORT"], ["images", "rm", "id"], ["images", "set", "id", "containers=1"],
           ["token", "create"], ["token", "revoke", "1"], ["project", "create", "p"],
           ["serve", "--listen", "127.0.0.1:0"]]


def report(name, count=3):
    return trivy(name, packages=[trivy_package(f"{name}-lib{at}", "1.0") for at in range(count)],
                 vulnerabilities=[trivy_vulnerability(f"CVE-2024-{at}", f"{name}-lib{at}")
                                  for at in range(count)])


@pytest.fixture
def path(tmp_path):
    return write(tmp_path, report("app"))


def commands(path, some):
    return [[str(path) if word == "REPORT" else word for word in command] for command in some]


def contents(folder):
    """Every file of the folder, but for those in which SQLite coordinates readers."""
    return {entry.name: hashlib.sha256(entry.read_bytes()).hexdigest()
            for entry in folder.iterdir() if entry.suffix != ".db-shm" and entry.is_file()
            and not (entry.suffix == ".db-wal" and entry.stat().st_size == 0)}


# --- Refused, and untouched -----------------------------------------------------------------------


def text_file(folder):
    (folder / "careen.db").write_text("remember the milk\n" * 200)


def random_bytes(folder):
    (folder / "careen.db").write_bytes(random.Random(1).randbytes(100_000))


def foreign_database(folder):
    with sqlite3.connect(folder / "careen.db") as db:
        db.execute("CREATE TABLE note (text)")
        db.execute("INSERT INTO note VALUES ('mine')")
    db.close()


def foreign_application(folder):
    foreign_database(folder)
    with sqlite3.connect(folder / "careen.db") as db:
        db.execute("PRAGMA application_id = 1234")
    db.close()


def versioned(version):
    def make(folder):
        with sqlite3.connect(folder / "careen.db") as db:
            db.execute(f"PRAGMA user_version = {version}")
        db.close()
    return make


REFUSED = {  # a store is there before `make` spoils it: yes or no; what is said
    "a text": (False, text_file, "careen.db: .*not a database; restore a backup"),
    "noise": (False, random_bytes, "careen.db: .*not a database; restore a backup"),
    "foreign": (False, foreign_database, "careen.db is not a store of Careen .*; restore"),
    "foreign id": (False, foreign_application, r"not a store of Careen \(application id 1234,"),
    "a newer version": (True, versioned(999), "careen.db has schema version 999, and this careen "
                        ".* knows versions up to .*; run the newer careen"),
    "version 0": (True, versioned(0), "careen.db has the impossible schema version 0; restore"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_untouched(run, data_dir, path, name):
    has_store, spoil, said = REFUSED[name]
    if has_store:
        run("import", path)
    else:
        data_dir.mkdir()
    spoil(data_dir)
    before = contents(data_dir)
    for command in commands(path, READING + WRITING):
        result = run(*command, expect=1)
        assert re.search(said, result.stderr), (command, result.stderr)
        assert result.stdout == ""
        assert contents(data_dir) == before, command


def test_folders_that_are_none(careen, tmp_path, path):
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "odd" / "careen.db").mkdir(parents=True)
    for folder, said in [
        ("file", "Not a directory"), ("file/below", "Not a directory"),
        ("missing/parent", "No such file or directory"), ("dangling", "No such file or directory"),
        ("odd", "careen.db is not a file: name another data folder"), ("n" * 300, "too long"),
    ]:
        data = Folder(careen, tmp_path / folder)
        for command in commands(path, WRITING[:1] + WRITING[3:4]):
            result = data.run(*command, expect=1)
            assert str(tmp_path / folder) in result.stderr and said in result.stderr
        assert str(tmp_path / folder) in data.run("status", expect=1).stderr
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "dangling", "file", "odd", "report.json"]


def test_an_empty_file_becomes_a_store(run, data_dir, path):
    data_dir.mkdir()
    (data_dir / "careen.db").write_bytes(b"")
    assert "there is no store in" in run("status", expect=1).stderr
    run("import", path)
    assert len(images(run)) == 1


# --- Damage ---------------------------------------------------------------------------------------


def page_numbers(file):
    return range(file.stat().st_size // 4096)


@pytest.mark.parametrize("seed", range(12))
def test_overwritten_pages(run, data_dir, tmp_path, path, seed):
    """Whatever is overwritten: an answer or an error that names the store, never a crash."""
    chance = random.Random(seed)
    paths = [write(tmp_path, report(f"app{at}", 30), f"{at}.json") for at in range(6)]
    run("import", *paths)
    for name in ("careen.db-wal", "careen.db-shm"):
        assert not (data_dir / name).exists() or (data_dir / name).stat().st_size == 0
    file = data_dir / "careen.db"
    sound = file.read_bytes()
    refused = 0
    for _ in range(3):
        spoilt = bytearray(sound)
        for page in chance.sample(page_numbers(file), chance.choice([1, 3, 10])):
            at = page * 4096 + chance.randrange(0, 4096, 16)
            length = chance.choice([1, 16, 400, 4096])
            spoilt[at:at + length] = chance.randbytes(length)
        file.write_bytes(spoilt[:len(sound)])
        for command in [["affected", "--all"], ["images", "list"], ["import", path]]:
            result = run(*command, expect=None)
            assert result.returncode in (0, 1, 4), (command, result.returncode, result.stderr)
            if result.returncode == 1:
                refused += 1
                assert re.search(r"careen\.db|refers to|refused", result.stderr), result.stderr
        for leftover in data_dir.glob("careen.db-*"):
            leftover.unlink()
    assert refused > 0
    file.write_bytes(sound)  # a backup is restored: everything is there
    assert len(images(run)) == 6 and len(rows(run)) == 180


def test_a_truncated_store(run, data_dir, path):
    run("import", path)
    file = data_dir / "careen.db"
    sound = file.read_bytes()
    for length in (100, 512, 4096, 3 * 4096, len(sound) - 4096, len(sound) - 7):
        file.write_bytes(sound[:length])
        for command in commands(path, READING[:5] + WRITING[:1]):
            result = run(*command, expect=None)
            assert result.returncode in (0, 1), (length, command, result.stderr)
            assert result.returncode == 0 or "careen.db" in result.stderr, result.stderr


def test_a_missing_journal_file_is_made_anew(run, data_dir, path):
    run("import", path)
    for name in ("writer", "careen.db-wal", "careen.db-shm"):
        (data_dir / name).unlink(missing_ok=True)
    run("import", path)
    assert len(images(run)) == 1


# --- Disks ----------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    """A file system of its own, of 1 MB; disk.mount("remount,...") changes it."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*arguments):
        return subprocess.run(["mount", *arguments, folder], capture_output=True, text=True,
                              check=False)

    made = mount("-t", "tmpfs", "-o", "size=1m", "tmpfs")
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield folder, lambda options: mount("-o", options).check_returncode()
    subprocess.run(["umount", folder], check=True)


def test_a_read_only_disk(careen, disk, path):
    folder, remount = disk
    data = Folder(careen, folder / "data")
    data.run("import", path)
    before, stored = rows(data.run), contents(folder / "data")
    remount("remount,ro")
    assert rows(data.run) == before
    for command in READING[:-1]:
        data.run(*command)
    for command in commands(path, WRITING):
        result = data.run(*command, expect=1)
        assert f"{folder}/data" in result.stderr and "Read-only file system" in result.stderr
    result = Folder(careen, folder / "other").run("import", path, expect=1)
    assert f"cannot make the data folder {folder}/other: Read-only file system" in result.stderr
    remount("remount,rw")
    assert contents(folder / "data") == stored
    data.run("import", path)


def test_a_full_disk(careen, disk, tmp_path):
    """Facts come whole or not at all; what was there stays; with space the import goes through."""
    folder, remount = disk
    data = Folder(careen, folder / "data")
    paths = [write(tmp_path, report(f"app{at}", 40), f"{at:03}.json") for at in range(120)]
    data.run("import", *paths[:3])
    before = [show(data.run, image["image_id"]) for image in images(data.run)]
    result = data.run("import", *paths, expect=1)
    assert re.search(rf"{folder}/data/careen.db: .*free space on its disk and try again",
                     result.stderr), result.stderr
    listed = images(data.run)
    assert 3 <= len(listed) < len(paths)
    for image in listed:
        assert image["High"] == 40, image  # never half an image
    assert [image["name"] for image in listed] == [f"app{at}" for at in range(len(listed))]
    after = [show(data.run, image["image_id"]) for image in images(data.run)[:3]]
    assert [(detail["packages"], detail["vulnerabilities"]) for detail in after] == [
        (detail["packages"], detail["vulnerabilities"]) for detail in before]
    remount("remount,size=64m")
    told = json_lines(data.run("import", "-o", "jsonl", *paths).stdout)
    assert len(told) == len(paths) == len(images(data.run))
    assert {line["findings"] for line in told} == {40}


def test_a_disk_without_room_for_a_store(careen, disk, path):
    folder, remount = disk
    with open(folder / "filler", "wb") as filler:
        filler.write(bytes(1 << 20))
    result = Folder(careen, folder / "data").run("import", path, expect=1)
    assert re.search("No space left on device|free space on its disk", result.stderr), result.stderr
    (folder / "filler").unlink()
    Folder(careen, folder / "data").run("import", path)


def test_a_copied_folder_is_the_same_store(careen, run, data_dir, path, tmp_path):
    run("import", path)
    shutil.copytree(data_dir, tmp_path / "copy")
    assert rows(Folder(careen, tmp_path / "copy").run) == rows(run)
    moved = tmp_path / "odd name % ? # 仓库"
    os.rename(data_dir, moved)
    assert rows(Folder(careen, moved).run) == rows(Folder(careen, tmp_path / "copy").run)
