# SPDX-License-Identifier: Apache-2.0
"""What the tests of `careen scan` share: root file systems of distributions, images made of them, and
a scan's answer.

A root file system is made by debootstrap once, and kept in build/rootfs: 30 to 60 s each.
"""
import json
import os
import shutil
import subprocess

import pytest

import images
from conftest import ROOT

ROOTFS = ROOT / "build" / "rootfs"
SUITES = ["bookworm", "bullseye", "trixie"]
SCAN_SECONDS, BOOTSTRAP_SECONDS = 120, 900


def need(*programs):
    """Skips, with the reason, where a program is missing."""
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"there is no {program}")


def scan(careen, *arguments, expect=0, env=None, text=True):
    """careen scan; no cache unless one is named. The CompletedProcess."""
    cache = () if {"--cache", "--no-cache"} & set(arguments) else ("--no-cache",)
    ran = subprocess.run(
        [careen, "scan", *map(str, arguments), *cache], capture_output=True, text=text,
        timeout=SCAN_SECONDS, check=False, env={**os.environ, **(env or {})})
    assert expect in (None, ran.returncode), f"exit status {ran.returncode}\n{ran.stderr}"
    return ran


def scanned(careen, *arguments, **more):
    """The images that it finds, as -o json tells them."""
    ran = scan(careen, *arguments, "-o", "json", **more)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def names(image):
    """{(name, version, arch)}"""
    return {(package["name"], package["version"], package.get("arch", ""))
            for package in image["packages"]}


def inventory(image):
    """All that is said of its packages, whatever form the image has."""
    return sorted(json.dumps(package, sort_keys=True) for package in image["packages"])


def rootfs(suite):
    """The folder with a Debian system, or a skip."""
    path = ROOTFS / f"{suite}.dir"
    if not (ROOTFS / f"{suite}.made").exists():
        need("debootstrap", "dpkg-query")
        if os.geteuid() != 0:
            pytest.skip("debootstrap needs root")
        ROOTFS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["rm", "-rf", path], check=True)
        ran = subprocess.run(
            ["debootstrap", "--variant=minbase", suite, path, "http://deb.debian.org/debian"],
            capture_output=True, text=True, timeout=BOOTSTRAP_SECONDS, check=False)
        if ran.returncode != 0:
            pytest.skip(f"debootstrap {suite}: {ran.stdout[-300:]}{ran.stderr[-300:]}")
        (ROOTFS / f"{suite}.made").touch()
    return path


def tree_tar(folder, into):
    """A tar of a folder, as builders write it: numeric owners, sorted. Its bytes stay on the disk."""
    subprocess.run(["tar", "--numeric-owner", "--sort=name", "-C", folder, "-cf", into, "."],
                   check=True)
    return into


def dpkg_list(folder):
    """{(name, version, arch)} of what is installed, by dpkg-query."""
    ran = subprocess.run(
        ["dpkg-query", f"--admindir={folder}/var/lib/dpkg", "-W", "-f",
         "${Package} ${Version} ${Architecture} ${db:Status-Abbrev}\n"],
        capture_output=True, text=True, check=True)
    lines = [line.split() for line in ran.stdout.splitlines()]
    return {tuple(fields[:3]) for fields in lines if fields[3] == "ii"}


def status(*packages):
    """A dpkg status file of "name version" pairs."""
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
        "Maintainer: x\nDescription: x\n\n"
        for name, version in (package.split() for package in packages)).encode()


OS_RELEASE = b"ID=debian\nVERSION_ID=12\n"


def debian_layer(*packages, more=()):
    """The tar of a layer with these packages."""
    return images.tar([
        images.entry("etc/os-release", OS_RELEASE),
        images.entry("var/lib/dpkg/status", status(*packages)), *more])


def layered(path, *layers, ref_name=None):
    """An OCI layout of layers, given as tars or lists of entries, lowest first."""
    layout = images.Layout(path)
    tars = [layer if isinstance(layer, bytes) else images.tar(layer) for layer in layers]
    name = {"annotations": {"org.opencontainers.image.ref.name": ref_name}} if ref_name else {}
    return layout.write(layout.image(tars, config={"config": {}}, **name))
