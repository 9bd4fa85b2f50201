# SPDX-License-Identifier: Apache-2.0
"""careen scan: hard links to hard links, and to files of lower layers, held against umoci, which unpacks
one layer onto the other."""
import os
import shutil
import subprocess

import pytest

import images
from images import entry, hardlink, symlink
from scan_world import layered, scan, scanned, status

STATUS = "var/lib/dpkg/status"
COPYRIGHT = (b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
             b"Files: *\nCopyright: x\nLicense: MIT\n")

# Layers, and what umoci makes of them: the status file's packages, or None when it cannot.
HARD_LINKS = {
    "nothing there": ([[hardlink(STATUS, "not/there")]], None),
    "the target comes later": (
        [[hardlink(STATUS, "late"), entry("late", status("bash 5"))]], None),
    "a chain": (
        [[entry("x", status("bash 5")), hardlink("y", "x"), hardlink("z", "y"),
          hardlink(STATUS, "z")]], "bash 5"),
    "a chain whose end changes": (
        [[entry("x", status("bash 5")), hardlink("y", "x"), entry("x", status("bash 6")),
          hardlink(STATUS, "y")]], "bash 5"),
    "a target that becomes a link": (
        [[entry("x", status("bash 5")), entry("y", status("bash 6")), hardlink("y", "x"),
          hardlink(STATUS, "y")]], "bash 5"),
    "to a symbolic link": (
        [[entry("var/lib/dpkg/z", status("bash 5")), symlink("x", "z"), hardlink(STATUS, "x")]],
        "bash 5"),
    "a lower layer": ([[entry("x", status("bash 5"))], [hardlink(STATUS, "x")]], "bash 5"),
    "a lower layer, under a database": (
        [[entry("x", status("bash 5")), entry(STATUS, status("sed 4"))], [hardlink(STATUS, "x")]],
        "bash 5"),
    "a lower layer, over a new target": (
        [[entry("x", status("bash 5"))], [hardlink(STATUS, "x"), entry("x", status("sed 4"))]],
        "bash 5"),
    "a lower layer, under a new target": (
        [[entry("x", status("bash 5"))], [entry("x", status("sed 4")), hardlink(STATUS, "x")]],
        "sed 4"),
    "a lower layer, the target changed above": (
        [[entry("x", status("bash 5"))], [hardlink(STATUS, "x")], [entry("x", status("sed 4"))]],
        "bash 5"),
    "a lower layer, the target removed above": (
        [[entry("x", status("bash 5"))], [hardlink(STATUS, "x")], [entry(".wh.x")]], "bash 5"),
    "a lower layer, the target removed behind it": (
        [[entry("x", status("bash 5"))], [hardlink(STATUS, "x"), entry(".wh.x")]], "bash 5"),
    "a lower layer, the target removed between": (
        [[entry("x", status("bash 5"))], [entry(".wh.x")], [hardlink(STATUS, "x")]], None),
    "a lower layer, the link replaced": (
        [[entry("x", status("bash 5"))], [hardlink(STATUS, "x")],
         [entry(STATUS, status("sed 4"))]], "sed 4"),
    "a chain of layers": (
        [[entry("w", status("bash 5"))], [hardlink("x", "w")], [hardlink(STATUS, "x")]], "bash 5"),
    "a chain of layers, changed above": (
        [[entry("w", status("bash 5"))], [hardlink("x", "w")], [hardlink(STATUS, "x")],
         [entry("x", status("sed 4"))]], "bash 5"),
    "to a database of a lower layer": (
        [[entry("usr/lib/dpkg/status", status("bash 5"))],
         [hardlink(STATUS, "usr/lib/dpkg/status"), entry("usr/lib/dpkg/.wh.status")]], "bash 5"),
}


@pytest.mark.parametrize("name", HARD_LINKS)
def test_hard_links_as_umoci_follows_them(careen, tmp_path, name):
    layers, expected = HARD_LINKS[name]
    target = layered(tmp_path / "i", *layers, ref_name="top")
    if shutil.which("umoci") and os.geteuid() == 0:
        ran = subprocess.run(["umoci", "unpack", "--image", f"{target}:top", tmp_path / "bundle"],
                             capture_output=True, check=False)
        assert (ran.returncode == 0) == (expected is not None), ran.stderr
        if expected:
            assert (tmp_path / "bundle/rootfs" / STATUS).read_bytes() == status(expected)
    if expected is None:
        assert "hard link" in scan(careen, target, expect=1).stderr
        return
    [image] = scanned(careen, target)
    assert {package["name"] + " " + package["version"] for package in image["packages"]} == {expected}
    assert image["databases"] == 1


def test_a_hard_link_brings_its_packages(careen, tmp_path):
    """What is linked from below came with the link's layer; a licence is not looked for below."""
    doc = "usr/share/doc/bash/copyright"
    base, top = (images.tar(layer) for layer in (
        [entry("x", status("bash 5")), entry("y", COPYRIGHT)],
        [hardlink(STATUS, "x"), hardlink(doc, "y")]))
    [image] = scanned(careen, layered(tmp_path / "i", base, top))
    assert [package["layer"] for package in image["packages"]] == [images.sha256(top)]
    assert "licence" not in image["packages"][0]
    [image] = scanned(careen, layered(tmp_path / "j", base, images.tar(
        [entry("y", COPYRIGHT), hardlink(STATUS, "x"), hardlink(doc, "y")])))
    assert image["packages"][0]["licence"] == "MIT"


def test_hard_links_to_hard_links_end(careen, tmp_path):
    chain = [entry("l0", status("bash 5"))] + \
        [hardlink(f"l{number}", f"l{number - 1}") for number in range(1, 12)]
    for last, expected in ((7, 0), (8, 1)):
        target = layered(tmp_path / f"i{last}", [*chain, hardlink(STATUS, f"l{last}")])
        ran = scan(careen, target, expect=expected)
        assert ("LIMIT_HARD_LINK_ROUNDS" in ran.stderr) == bool(expected)
    many = [hardlink(f"var/lib/dpkg/status.d/p{number}", f"x{number}") for number in range(257)]
    base = [entry(f"x{number}", status(f"p{number} 1")) for number in range(257)]
    ran = scan(careen, layered(tmp_path / "many", base, many), expect=1)
    assert "LIMIT_LOWER_LINKS" in ran.stderr
