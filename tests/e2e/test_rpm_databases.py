# SPDX-License-Identifier: Apache-2.0
"""Careen's readers of rpm's databases against rpm itself: `rpm -qa` of databases that rpm made of
the lists in the shared data, the same in Berkeley DB (db5.3_load) and ndb, and the databases of the
shared data with their lists. Name, full version, architecture, source, licence and modularity label
must be the same, nothing more and nothing less.
"""
import json
import shutil
import sqlite3
import subprocess

import pytest

import rpm_world as rpm
from conftest import BUILD_DIR

ARCHIVE = "pkgdb.tar.zst"
MIN_LISTS = 14
BDB, NDB = "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db"
SQLITE = "usr/share/rpm/rpmdb.sqlite"


@pytest.fixture(scope="module")
def program():
    path = BUILD_DIR / "inventory_dump"
    if not path.is_file():
        pytest.skip(f"{path} is not built (set CAREEN_BUILD_DIR)")
    return path


@pytest.fixture(scope="module")
def pkgdb(shared_data, tmp_path_factory):
    """The unpacked databases and lists of the shared data."""
    archive = shared_data / ARCHIVE
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    folder = tmp_path_factory.mktemp("pkgdb")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def made(pkgdb, tmp_path_factory):
    """{name of a list: (its rows without keys, folder of the database that rpm made of it)}. One
    more holds a key, which only `rpm --import` can put in."""
    rpm.require("rpm", "rpmbuild")
    lists = {
        path.stem.removeprefix("go-rpmdb-"):
            [row for row in rpm.read_list(path) if row.name != "gpg-pubkey"]
        for path in sorted(pkgdb.glob("**/golden/go-rpmdb-*.tsv"))
    }
    assert len(lists) >= MIN_LISTS
    rpms = rpm.build([row for rows in lists.values() for row in rows],
                     tmp_path_factory.mktemp("rpms"))
    databases = {}
    for name, rows in lists.items():
        folder = tmp_path_factory.mktemp("rpmdb")
        rpm.install([rpms[row] for row in rows], folder)
        databases[name] = (rows, folder)
    rows, folder = min(databases.values(), key=lambda made: len(made[0]))
    with_key = tmp_path_factory.mktemp("rpmdb-key") / "db"
    shutil.copytree(folder, with_key)
    rpm.import_key(with_key)
    databases["key"] = (None, with_key)
    return databases


def test_what_rpm_installs(program, made):
    """The lists again, by way of rpmbuild, rpm and our reader; and what rpm says of each."""
    for name, (rows, folder) in made.items():
        found = rpm.dump(program, folder / "rpmdb.sqlite", SQLITE, folder / "rpmdb.sqlite-wal")
        assert found == rpm.expected(rpm.query(folder)), name
        if rows is None:
            assert [package["version"] for package in found if package["name"] == "gpg-pubkey"]
        else:
            assert found == rpm.expected(rows), name


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("page_bytes", [512, 4096, 65536])
def test_berkeley_db(program, made, tmp_path, big_endian, page_bytes):
    rpm.require("db5.3_load")
    for name, (_, folder) in made.items():
        home = tmp_path / name
        home.mkdir()
        rpm.write_bdb(home / "Packages", rpm.headers(folder / "rpmdb.sqlite"), big_endian,
                      page_bytes)
        found = rpm.dump(program, home / "Packages", BDB)
        assert found == rpm.expected(rpm.query(folder)), name
        if page_bytes == 4096:  # rpm's own reader of Berkeley DB; in all sizes it takes long
            assert found == rpm.expected(rpm.query(home)), name


def test_ndb(program, made, tmp_path):
    for name, (_, folder) in made.items():
        rpm.write_ndb(tmp_path / name, rpm.headers(folder / "rpmdb.sqlite"))
        found = rpm.dump(program, tmp_path / name, NDB)
        assert found == rpm.expected(rpm.query(folder)), name


# ---- SQLite in all its shapes ----


def _copy(source, path, page_bytes, mode):
    """The packages in a database of their own, by SQLite; the connection stays open."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size={page_bytes}")
    connection.execute("PRAGMA auto_vacuum=FULL")
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE 'Name' (key TEXT, hnum INTEGER)")
    connection.execute(
        "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO Packages VALUES (?, ?)", rpm.headers(source).items())
    connection.execute("COMMIT")
    return connection


def _expected_of(connection, folder):
    """What SQLite finds now, in the words of rpm."""
    left = {blob for (blob,) in connection.execute("SELECT blob FROM Packages")}
    numbers = [number for number, blob in rpm.headers(folder / "rpmdb.sqlite").items()
               if blob in left]
    return rpm.expected(rpm.query(folder, numbers))


@pytest.mark.parametrize("page_bytes", [512, 1024, 4096, 65536])
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_sqlite_shapes(program, made, tmp_path, page_bytes, mode):
    """Any page size, holes where rows were removed, and a log with committed pages, newer versions
    of them, and pages that were not committed."""
    _, folder = made["CentOS8Modularitylabel"]
    database = tmp_path / "rpmdb.sqlite"
    wal = tmp_path / "rpmdb.sqlite-wal" if mode == "WAL" else None
    connection = _copy(folder / "rpmdb.sqlite", database, page_bytes, mode)
    rows = connection.execute("SELECT count(*) FROM Packages").fetchone()[0]
    assert len(rpm.dump(program, database, SQLITE, wal)) == rows
    connection.execute("DELETE FROM Packages WHERE hnum % 3 = 0")
    connection.execute("UPDATE Packages SET blob = blob WHERE hnum % 2 = 0")
    expected = _expected_of(connection, folder)
    assert 0 < len(expected) < rows
    assert rpm.dump(program, database, SQLITE, wal) == expected
    if wal:
        connection.execute("PRAGMA cache_size=1")  # what is not committed goes into the log at once
        connection.execute("BEGIN")
        connection.execute("DELETE FROM Packages WHERE hnum % 2 = 0")
        connection.execute("UPDATE Packages SET hnum = hnum + 1000000")
        assert rpm.dump(program, database, SQLITE, wal) == expected
        connection.execute("ROLLBACK")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("DELETE FROM Packages WHERE hnum % 5 = 0")
        assert rpm.dump(program, database, SQLITE, wal) == _expected_of(connection, folder)
    connection.close()


def test_log_of_an_older_round(program, made, tmp_path):
    """After a checkpoint the log is written from its start: behind the new frames stand old ones,
    with sums that fit each other, and salts that do not."""
    _, folder = made["CentOS7Many"]
    database, wal = tmp_path / "rpmdb.sqlite", tmp_path / "rpmdb.sqlite-wal"
    connection = _copy(folder / "rpmdb.sqlite", database, 1024, "WAL")
    size = wal.stat().st_size
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.execute("DELETE FROM Packages WHERE hnum = (SELECT max(hnum) FROM Packages)")
    assert wal.stat().st_size == size  # nothing was cut off
    assert rpm.dump(program, database, SQLITE, wal) == _expected_of(connection, folder)
    connection.close()


# ---- the databases of the shared data ----


def _librpm_list(path):
    """(name, version, arch, source file) of each line of `rpm -qa` in the shared data."""
    return sorted(tuple(line.split("\t")[:4]) for line in path.read_text().splitlines())


def _source(package):
    epoch, _, version = package["version"].rpartition(":")
    source = package.get("source_version", version)
    return f"{package.get('source_name', package['name'])}-{source.removeprefix(epoch + ':')}.src.rpm"


@pytest.mark.parametrize("database, path, golden, count", [
    ("cbl-mariner-2.0/rpmdb.sqlite", SQLITE, "librpm-qa-cbl-mariner-2.0.tsv", 129),
    ("libuuid/Packages", BDB, "librpm-qa-libuuid.tsv", 1),
])
def test_real_databases(program, pkgdb, database, path, golden, count):
    (file,) = pkgdb.glob(f"**/go-rpmdb/**/{database}")
    (listed,) = pkgdb.glob(f"**/golden/{golden}")
    found = rpm.dump(program, file, path)
    assert len(found) == count
    assert _librpm_list(listed) == sorted(
        (package["name"], package["version"], package["arch"], _source(package))
        for package in found
    )


def test_real_ndb(program, pkgdb):
    (file,) = pkgdb.glob("**/sle15-bci/Packages.db")
    (listed,) = pkgdb.glob("**/golden/go-rpmdb-SLE15WithNDB.tsv")
    found = rpm.dump(program, file, NDB)
    assert len(found) == 35
    assert found == rpm.expected(rpm.read_list(listed))


def test_real_databases_without_a_list(program, pkgdb, tmp_path):
    """Small ones that scanners test with, as rpm reads them."""
    rpm.require("rpm")
    files = [path for name in ("Packages", "Packages_epoch") for path in pkgdb.glob(f"**/{name}")
             if path.stat().st_size >= 4096]
    assert len(files) >= 5
    for number, path in enumerate(files):
        home = tmp_path / str(number)
        home.mkdir()
        shutil.copy(path, home / "Packages")
        assert rpm.dump(program, path, BDB) == rpm.expected(rpm.query(home)), path


def test_manifest_of_distroless_images(program, pkgdb):
    (file,) = [path for path in pkgdb.glob("**/redhat/testdata/container-manifest-2")]
    fields = [line.split("\t") for line in file.read_text().splitlines() if line]
    rows = [rpm.row(line[0], line[8], *line[1].rsplit("-", 1), line[7], line[9], "", "")
            for line in fields]
    assert rows
    assert rpm.dump(program, file, "var/lib/rpmmanifest/container-manifest-2") == rpm.expected(rows)


def test_damage_is_an_error(program, made, tmp_path):
    """A database that is cut anywhere is refused, or whole: never a part of the list."""
    _, folder = made["CentOS6Many"]
    blobs = rpm.headers(folder / "rpmdb.sqlite")
    rpm.write_ndb(tmp_path / "Packages.db", blobs)
    shutil.copy(folder / "rpmdb.sqlite", tmp_path / "rpmdb.sqlite")
    whole = len(blobs)
    refused = 0
    for name in ("Packages.db", "rpmdb.sqlite"):
        content = (tmp_path / name).read_bytes()
        for parts in range(40):
            cut = tmp_path / "cut"
            cut.write_bytes(content[:len(content) * parts // 40])
            done = subprocess.run([program, cut, f"var/lib/rpm/{name}"], capture_output=True,
                                  text=True, check=False)
            assert done.returncode in (0, 1)
            if done.returncode == 1:
                assert done.stderr.startswith(f"var/lib/rpm/{name}: "), done.stderr
                refused += 1
            else:
                assert len(json.loads(f"[{','.join(done.stdout.splitlines())}]")) == whole
    assert refused >= 78
