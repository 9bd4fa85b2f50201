# SPDX-License-Identifier: Apache-2.0
"""careen scan of images with rpm databases: behind links, with a write-ahead log, over each other."""
import sqlite3
import subprocess

import pytest

from images import entry, hardlink, symlink
from scan_world import layered, names, scan, scanned

HOME = "usr/lib/sysimage/rpm"
DATABASE = f"{HOME}/rpmdb.sqlite"
OS_RELEASE = entry("etc/os-release", b'ID="rocky"\nVERSION_ID="9.1"\n')


@pytest.fixture(scope="module")
def database(shared_data, tmp_path_factory):
    """The path of a database of sqlite, without a log."""
    archive = shared_data / "pkgdb.tar.zst"
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    into = tmp_path_factory.mktemp("pkgdb")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", into], check=True)
    found = sorted(into.rglob("rpmdb.sqlite"), key=lambda path: path.stat().st_size)
    if not found:
        pytest.skip(f"no rpmdb.sqlite in {archive}")
    return found[-1]


def count(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("select count(*) from Packages").fetchone()[0]


def with_log(database, folder, removed=3):
    """(database, log): packages are removed, and the log says so alone."""
    path = folder / "rpmdb.sqlite"
    path.write_bytes(database.read_bytes())
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma wal_autocheckpoint = 0")
    before = path.read_bytes()
    connection.execute(
        f"delete from Packages where hnum in (select hnum from Packages limit {removed})")
    both = path.read_bytes(), (folder / "rpmdb.sqlite-wal").read_bytes()
    connection.close()
    assert both[0] == before and both[1]
    return both


def test_behind_links(careen, database, tmp_path):
    content = database.read_bytes()
    [direct] = scanned(careen, layered(tmp_path / "a", [OS_RELEASE, entry(DATABASE, content)]))
    assert direct["os"] == "rocky-9"
    assert len(direct["packages"]) > 100
    linked = [OS_RELEASE, symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm"),
              entry(DATABASE, content)]
    elsewhere = [OS_RELEASE, symlink("var/lib/rpm", "/opt/rpm"), entry("opt/rpm/rpmdb.sqlite", content)]
    hard = [OS_RELEASE, entry("ostree/objects/ab", content), hardlink(DATABASE, "ostree/objects/ab")]
    for number, layer in enumerate((linked, elsewhere, hard)):
        [image] = scanned(careen, layered(tmp_path / str(number), layer))
        assert names(image) == names(direct)


def test_with_a_log(careen, database, tmp_path):
    main, log = with_log(database, tmp_path)
    [without] = scanned(careen, layered(tmp_path / "a", [OS_RELEASE, entry(DATABASE, main)]))
    for number, layer in enumerate((
            [entry(DATABASE, main), entry(f"{DATABASE}-wal", log)],
            [entry(f"{DATABASE}-wal", log), entry(DATABASE, main)])):
        [image] = scanned(careen, layered(tmp_path / f"b{number}", [OS_RELEASE, *layer]))
        assert names(image) < names(without)
        assert len(image["packages"]) >= count(database) - 3 - 1
    [empty] = scanned(careen, layered(
        tmp_path / "c", [OS_RELEASE, entry(DATABASE, main), entry(f"{DATABASE}-wal")]))
    assert names(empty) == names(without)


def test_a_log_in_another_layer(careen, database, tmp_path):
    main, log = with_log(database, tmp_path)
    image = layered(tmp_path / "i", [OS_RELEASE, entry(DATABASE, main)],
                    [entry(f"{DATABASE}-wal", log)])
    assert "another layer" in scan(careen, image, expect=1).stderr
    hidden = layered(tmp_path / "j", [OS_RELEASE, entry(f"{DATABASE}-wal", log)],
                     [entry(DATABASE, main), entry(f"{HOME}/.wh.rpmdb.sqlite-wal")])
    [image] = scanned(careen, hidden)
    assert len(image["packages"]) > 100


def test_an_upgrade(careen, database, tmp_path):
    main, log = with_log(database, tmp_path)
    [image] = scanned(careen, layered(
        tmp_path / "i", [OS_RELEASE, entry(DATABASE, main), entry(f"{DATABASE}-wal", log)],
        [entry(DATABASE, database.read_bytes()), entry(f"{DATABASE}-wal")]))
    layers = [package["layer"] for package in image["packages"]]
    assert len(set(layers)) == 2
    assert sorted(layers.count(layer) for layer in set(layers))[0] in (2, 3)
