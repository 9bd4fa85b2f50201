# SPDX-License-Identifier: Apache-2.0
"""The cache of careen scan, and images made to do harm, end to end."""
import gzip
import json
import os
import subprocess
import sys
import threading

import pytest

import images
from images import entry, tar
from scan_world import debian_layer, inventory, layered, names, scan, scanned, status


def files(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


@pytest.fixture
def image(tmp_path):
    return layered(tmp_path / "image", debian_layer("bash 5"), debian_layer("bash 5", "sed 4"))


# --- The cache ------------------------------------------------------------------------------------

def test_the_second_time(careen, image, tmp_path):
    cache = tmp_path / "cache"
    [first] = scanned(careen, image, "--cache", cache)
    [second] = scanned(careen, image, "--cache", cache)
    assert (first["cached_layers"], second["cached_layers"]) == (0, 2)
    assert inventory(first) == inventory(second)
    assert len(files(cache)) == 2
    [third] = scanned(careen, image, "--no-cache")
    assert third["cached_layers"] == 0


def test_another_image_over_the_same_layer(careen, tmp_path):
    base, cache = debian_layer("bash 5"), tmp_path / "cache"
    scanned(careen, layered(tmp_path / "a", base), "--cache", cache)
    [image] = scanned(careen, layered(tmp_path / "b", base, debian_layer("bash 6")), "--cache", cache)
    assert (image["cached_layers"], names(image)) == (1, {("bash", "6", "amd64")})


def test_a_cached_layer_is_not_read(careen, image, tmp_path):
    """Its bytes are not looked at: what is told is what its diff_id told before."""
    cache = tmp_path / "cache"
    [first] = scanned(careen, image, "--cache", cache)
    for blob in (image / "blobs/sha256").iterdir():
        if blob.stat().st_size > 5000:
            blob.write_bytes(bytes(blob.stat().st_size))
    [second] = scanned(careen, image, "--cache", cache)
    assert inventory(first) == inventory(second)


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(b""), lambda path: os.truncate(path, path.stat().st_size - 1),
    lambda path: path.write_bytes(path.read_bytes()[:40] + b"x" + path.read_bytes()[41:]),
    lambda path: (path.unlink(), path.mkdir()), lambda path: (path.unlink(), os.mkfifo(path)),
])
def test_a_damaged_entry_is_a_miss(careen, image, tmp_path, damage):
    cache = tmp_path / "cache"
    [first] = scanned(careen, image, "--cache", cache)
    damage(files(cache)[0])
    [second] = scanned(careen, image, "--cache", cache)
    assert (second["cached_layers"], inventory(second)) == (1, inventory(first))


def test_links_are_remembered_with_what_they_led_to(careen, tmp_path):
    cache = tmp_path / "cache"
    image = layered(tmp_path / "i", [images.symlink("var/lib/dpkg", "/opt/db")],
                    [entry("opt/db/status", status("bash 5"))])
    for cached in (0, 2):
        [found] = scanned(careen, image, "--cache", cache)
        assert (names(found), found["cached_layers"]) == ({("bash", "5", "amd64")}, cached)
    assert len(files(cache)) == 4


def test_where_it_cannot_be(careen, image, tmp_path):
    (tmp_path / "file").write_text("")
    ran = scan(careen, image, "--cache", tmp_path / "file" / "cache")
    assert "warning: the cache is not used" in ran.stderr and "bash" in ran.stdout
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "layers").write_text("")
    ran = scan(careen, image, "--cache", tmp_path / "cache")
    assert ran.stderr.count("warning: the cache is not used") == 1 and "bash" in ran.stdout


def test_small_files(careen, tmp_path):
    """ulimit -f: an error of the file that is too large, and no end by a signal."""
    many = layered(tmp_path / "many", debian_layer(*(f"package-{i} 1" for i in range(500))))
    ran = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$@"', "-", careen, "scan", "--no-cache", many],
        capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1 and "File too large" in ran.stderr


def test_a_full_disk(careen, image, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place],
                             capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be made: {mounted.stderr}")
    try:
        (place / "filler").write_bytes(bytes(16384))
        ran = scan(careen, image, "--cache", place / "cache")
        assert "warning: the cache is not used" in ran.stderr and "bash" in ran.stdout
        assert [path for path in files(place) if path.name != "filler" and path.stat().st_size] == []
    finally:
        subprocess.run(["umount", place], check=True)


def test_its_size(careen, tmp_path):
    cache = tmp_path / "cache"
    noise = [entry(f"usr/share/doc/p{number}/copyright", b"License: GPL-%d+\n" % number)
             for number in range(6000)]
    for number in range(3):
        image = layered(tmp_path / str(number), debian_layer(f"p{number} 1", more=noise))
        scan(careen, image, "--cache", cache, "--cache-size", 1)
        assert sum(path.stat().st_size for path in files(cache)) <= 1 << 20
    assert files(cache)
    scan(careen, image, "--cache", cache, "--cache-size", "none", expect=2)
    scan(careen, image, "--cache", cache, "--no-cache", expect=2)


def test_what_is_asked_for_stays(careen, tmp_path):
    """Of two layers of the same size the one that an image had again is kept."""
    cache, hexes = tmp_path / "cache", {}
    noise = [entry(f"usr/share/doc/p{number}/copyright", b"License: GPL-%d+\n" % number)
             for number in range(6000)]
    for name in "abc":
        layer = debian_layer(f"{name} 1", more=noise)
        hexes[name] = images.sha256(layer).removeprefix("sha256:")
        layered(tmp_path / name, layer)
    for name in "ab":
        scan(careen, tmp_path / name, "--cache", cache)
    assert len(files(cache)) == 2
    for path in files(cache):
        used = 1000 if path.name.startswith(hexes["a"]) else 2000
        os.utime(path, (used, used))
    scan(careen, tmp_path / "a", "--cache", cache)
    size = files(cache)[0].stat().st_size
    assert 2 * size < 1 << 20 < 3 * size
    scan(careen, tmp_path / "c", "--cache", cache, "--cache-size", 1)
    kept = {path.name.split(".")[0] for path in files(cache)}
    assert kept == {hexes["a"], hexes["c"]}


def test_two_at_once(careen, image, tmp_path):
    cache, failed = tmp_path / "cache", []
    [expected] = scanned(careen, image)

    def go():
        for _ in range(8):
            [found] = scanned(careen, image, "--cache", cache)
            if inventory(found) != inventory(expected):
                failed.append(found)
            for path in files(cache):
                path.unlink(missing_ok=True)

    threads = [threading.Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_default_place(careen, image, tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}
    subprocess.run([careen, "scan", image], check=True, capture_output=True, env=environment)
    assert files(tmp_path / "home/.cache/careen")
    environment["CAREEN_CACHE_DIR"] = str(tmp_path / "given")
    subprocess.run([careen, "scan", image], check=True, capture_output=True, env=environment)
    assert files(tmp_path / "given")


# --- Harm -----------------------------------------------------------------------------------------

def peak_bytes(careen, *arguments):
    """The status of a scan, what it complained of, and the memory of its largest process."""
    code = ("import resource, subprocess, sys\n"
            "ran = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
            "print(ran.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)\n"
            "sys.stderr.write(ran.stderr)\n")
    ran = subprocess.run([sys.executable, "-c", code, careen, "scan", "--no-cache", *arguments],
                         capture_output=True, text=True, check=True)
    status_, peak = ran.stdout.split()
    return int(status_), ran.stderr, int(peak)


def sanitized(careen):
    return b"__asan_init" in careen.read_bytes()


def test_a_bomb(careen, tmp_path):
    """3 GB of nothing in 3 MB: an error that names the limit, within little memory."""
    zeros = gzip.compress(bytes(1 << 24), 9)
    layout = images.Layout(tmp_path / "i")
    made = bytearray(tar([entry("x")])[:512])
    made[124:136] = b"%011o\0" % (200 << 24)
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    layout.write(layout.image([gzip.compress(bytes(made)) + zeros * 200],
                              diff_ids=[images.sha256(b"whatever")]))
    status_, error, peak = peak_bytes(careen, tmp_path / "i")
    assert status_ == 1 and "more than 200 times its size" in error, error
    assert sanitized(careen) or peak < 64 << 20


def test_escapes(careen, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(status("stolen 1"))
    for number, entries in enumerate((
            [images.symlink("var/lib/dpkg/status", str(secret))],
            [images.symlink("var/lib/dpkg", f"../../../../../../..{tmp_path}")],
            [images.hardlink("var/lib/dpkg/status", "../../../etc/passwd")],
            [entry("../../../../etc/os-release", b"ID=evil\n")])):
        ran = scan(careen, layered(tmp_path / str(number), entries), "-o", "json", expect=None)
        assert "stolen" not in ran.stdout and "evil" not in ran.stdout
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").symlink_to(secret)
    ran = scan(careen, f"dir:{root}", "-o", "json", expect=None)
    assert "stolen" not in ran.stdout


def test_a_layout_with_links_out(careen, tmp_path):
    layout = layered(tmp_path / "i", debian_layer("bash 5"))
    blobs = layout / "blobs/sha256"
    largest = max(blobs.iterdir(), key=lambda path: path.stat().st_size)
    outside = tmp_path / "outside"
    largest.rename(outside)
    largest.symlink_to(outside)
    ran = scan(careen, layout, expect=1)
    assert largest.name in ran.stderr or "link" in ran.stderr


def test_many_facts(careen, tmp_path):
    """More files of interest than any image has."""
    layer = tar([entry("var/lib/dpkg/status.d/p")])[:512] * 200001 + bytes(1024)
    ran = scan(careen, layered(tmp_path / "i", layer), expect=1)
    assert "LIMIT_LAYER_FACTS" in ran.stderr


def test_many_packages(careen, tmp_path):
    many = status(*(f"package-{number} 1.{number}" for number in range(50001)))
    ran = scan(careen, layered(tmp_path / "i", [entry("var/lib/dpkg/status", many)]), expect=1)
    assert "LIMIT_IMAGE_PACKAGES" in ran.stderr


def test_memory(careen, tmp_path):
    """Many layers with a large database each."""
    if sanitized(careen):
        pytest.skip("a sanitizer's memory is its own")
    layers = [debian_layer(*(f"package-{number} {layer}.{number}" for number in range(5000)))
              for layer in range(40)]
    status_, error, peak = peak_bytes(careen, layered(tmp_path / "i", *layers))
    assert status_ == 0, error
    assert peak < 64 << 20


def test_one_image_under_many_names(careen, tmp_path):
    """What is found is held for each of them: it has a bound."""
    layer = debian_layer(*(f"{'long' * 50}-{number} 1" for number in range(20000)))
    config = json.dumps({"os": "linux", "architecture": "amd64",
                         "rootfs": {"type": "layers", "diff_ids": [images.sha256(layer)]}}).encode()
    manifest = [{"Config": "config.json", "Layers": ["layer.tar"],
                 "RepoTags": [f"a:{number}" for number in range(40)]}]
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar([entry("config.json", config), entry("layer.tar", layer),
                             entry("manifest.json", json.dumps(manifest).encode())]))
    ran = scan(careen, archive, "-o", "json", expect=1)
    assert "LIMIT_SCAN_FOUND_BYTES" in ran.stderr and ran.stdout == ""


def test_truncated(careen, tmp_path):
    """An archive that ends anywhere: an error, or what was whole."""
    layout = layered(tmp_path / "i", debian_layer("bash 5"))
    whole = tmp_path / "whole.tar"
    subprocess.run(["tar", "-C", layout, "-cf", whole, "."], check=True)
    content = whole.read_bytes()
    for size in (0, 1, 511, 512, 1000, 2048, 5000, len(content) // 2, len(content) - 11000):
        cut = tmp_path / "cut.tar"
        cut.write_bytes(content[:size])
        ran = scan(careen, cut, expect=1)
        assert "cut.tar" in ran.stderr
