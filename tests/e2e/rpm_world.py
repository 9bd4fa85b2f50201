# SPDX-License-Identifier: Apache-2.0
"""Databases of rpm, made by others than us: rpmbuild and rpm make them of lists of packages,
db5.3_load writes them as Berkeley DB, SQLite's own library rewrites them. Only Debian's rpm has no
ndb: that format is written here, after rpm's lib/backend/ndb/rpmpkg.c.

What is in a database is asked of `rpm -qa`.
"""
import collections
import json
import os
import re
import sqlite3
import struct
import subprocess
import zlib

import pytest

Row = collections.namedtuple("Row", "name epoch version release arch source licence module")

_QUERY = "".join(
    f"%{{{tag}}}\\t"
    for tag in "NAME EPOCH VERSION RELEASE ARCH SOURCERPM LICENSE MODULARITYLABEL DBINSTANCE".split()
) + "\\n"
_KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZZIAgBYJKwYBBAHaRw8BAQdAvymROz/l8776e+7J9Rpt/g3yxyMh8aPbZlyg
nXkY+My0IUNhcmVlbiB0ZXN0cyA8dGVzdHMzQGV4YW1wbGUub3JnPoiQBBMWCAA4
FiEE5w8qv2siDKRoLZiOom/lFaC7G3kFAmWSAIACGwMFCwkIBwIGFQoJCAsCBBYC
AwECHgECF4AACgkQom/lFaC7G3kNQgD9Ehm6XTyMA1gOg8E/NS37jbbxyv1NRG8l
XrhcZqmpujcA/jIkPe/Z1OcX1KykUo4F5V7Axut4odV8/o8UFvH+Q88B
=dTDt
-----END PGP PUBLIC KEY BLOCK-----
"""
_PROCESSES = 2


def require(*commands):
    for command in commands:
        if not any(os.access(os.path.join(folder, command), os.X_OK)
                   for folder in os.environ["PATH"].split(os.pathsep)):
            pytest.skip(f"no {command} here: scripts/install-dependencies ci")


def row(name, epoch, version, release, arch, source, licence, module):
    """Nothing is "" or "(none)"; an epoch of 0 is the same as none."""
    fields = ["" if field == "(none)" else field
              for field in (name, epoch, version, release, arch, source, licence, module)]
    return Row(*fields)._replace(epoch="" if fields[1] == "0" else fields[1])


def read_list(path):
    """The rows of a list of the shared data, imported keys included."""
    rows = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            epoch, name, version, release, arch, source, _, licence, _, module = line.split("\t")
            rows.append(row(name, epoch, version, release, arch, source, licence, module))
    return rows


# ---- what Careen has to make of a row ----


def expected(packages):
    """The sorted packages as inventory_dump writes them."""
    return sorted((_expected(package) for package in packages), key=json.dumps)


def _expected(package):
    epoch = f"{package.epoch}:" if package.epoch else ""
    made = {
        "ecosystem": "rpm", "name": package.name, "arch": package.arch,
        "version": f"{epoch}{package.version}-{package.release}",
        "module": package.module, "licence": package.licence,
    }
    source = re.fullmatch(r"(.+)-([^-]+-[^-]+)\.(src|nosrc)\.rpm", package.source)
    if source and source[1] != package.name:
        made["source_name"] = source[1]
    if source and epoch + source[2] != made["version"]:
        made["source_version"] = epoch + source[2]
    return {key: value for key, value in sorted(made.items()) if value}


def dump(program, database, path="var/lib/rpm/rpmdb.sqlite", wal=None):
    """What our reader for that path finds in the file, sorted."""
    done = subprocess.run([program, database, path, *([wal] if wal else [])],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted((dict(sorted(package.items())) for package in found), key=json.dumps)


# ---- rpm ----


def _run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def query(folder, numbers=None):
    """`rpm -qa` of the database in the folder; of the packages with these numbers only."""
    lines = _run("rpm", "--dbpath", folder, "-qa", "--qf", _QUERY).splitlines()
    fields = [line.split("\t") for line in lines]
    return [row(*line[:8]) for line in fields if numbers is None or int(line[8]) in numbers]


def import_key(folder):
    """As `rpm --import` does: it becomes a package, gpg-pubkey."""
    (folder / "key.asc").write_text(_KEY)
    _run("rpm", "--dbpath", folder, "--import", folder / "key.asc")


def install(rpms, folder):
    _run("rpm", "--dbpath", folder, "--justdb", "--nodeps", "--ignorearch", "--ignoreos",
         "--noscripts", "--nosignature", "--nodigest", "--force", "-i", *rpms)


def _spec(number, packages):
    """A spec that makes these packages of one source package, which are of one architecture."""
    name, version, release = re.fullmatch(r"(.+)-([^-]+)-([^-]+)\.src\.rpm",
                                          packages[0].source).groups()
    main = next((package for package in packages if package.name == name), None)
    lines = [
        f"%global _rpmfilename {number}/%%%%{{NAME}}.rpm", f"Name: {name}", f"Version: {version}",
        f"Release: {release}", f"License: {main.licence if main else 'none'}", "Summary: a test",
    ]
    if main and main.epoch:
        lines.append(f"Epoch: {main.epoch}")
    if packages[0].module:
        lines.append(f"ModularityLabel: {packages[0].module}")
    if packages[0].arch == "noarch":
        lines.append("BuildArch: noarch")
    lines += ["%description", "a test"]
    for package in packages:
        if package is main:
            assert (package.version, package.release) == (version, release), package
            lines.append("%files")
            continue
        lines += [
            f"%package -n {package.name}", f"Epoch: {package.epoch or 0}",
            f"Version: {package.version}", f"Release: {package.release}", "Summary: a test",
            f"License: {package.licence}", f"%description -n {package.name}", "a test",
            f"%files -n {package.name}",
        ]
    return "\n".join(lines) + "\n"


def _start_build(folder, target, specs):
    defines = {"_topdir": folder, "debug_package": "%{nil}", "__check_files": "%{nil}"}
    return subprocess.Popen(
        ["rpmbuild", "-bb", "--quiet", "--short-circuit", "--noclean", "--target", f"{target}-linux",
         *(option for name, value in defines.items()
           for option in ("--define", f"{name} {value}")), *specs],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )


def build(packages, folder):
    """{Row: path of its .rpm}. Packages of one source are built together, as they have to be: rpm
    takes the name of the source from the spec."""
    specs, paths = {}, {}
    groups = collections.defaultdict(list)
    for package in sorted(set(packages)):
        number = 0  # two of one name do not fit into one spec
        while any(package.name == other.name
                  for other in groups[package.source, package.arch, package.module, number]):
            number += 1
        groups[package.source, package.arch, package.module, number].append(package)
    for number, members in enumerate(group for group in groups.values() if group):
        spec = folder / f"{number}.spec"
        spec.write_text(_spec(number, members))
        target = "x86_64" if members[0].arch == "noarch" else members[0].arch
        top = folder / f"{target}-{number % _PROCESSES}"
        specs.setdefault((top, target), []).append(spec)
        paths.update({package: top / "RPMS" / str(number) / f"{package.name}.rpm"
                      for package in members})
    builds = [_start_build(top, target, names) for (top, target), names in specs.items()]
    outputs = [process.communicate()[0] for process in builds]
    for process, output in zip(builds, outputs):
        assert process.returncode == 0, "".join(
            line for line in output.splitlines(keepends=True) if not line.startswith("Building "))
    assert not [path for path in paths.values() if not path.is_file()]
    return paths


# ---- the other formats ----


def headers(database):
    """{number: header} of a database in SQLite, by SQLite."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    found = dict(connection.execute("SELECT hnum, blob FROM Packages"))
    connection.close()
    return found


def write_bdb(path, blobs, big_endian=False, page_bytes=4096):
    """As rpm with Berkeley DB writes it: numbers in the order of bytes of the database, and under
    number 0 the highest one."""
    order = ">I" if big_endian else "<I"
    pairs = {0: struct.pack(order, max(blobs, default=0)), **blobs}
    lines = ["VERSION=3", "format=bytevalue", "type=hash",
             f"db_lorder={4321 if big_endian else 1234}", f"db_pagesize={page_bytes}", "HEADER=END"]
    for number, blob in pairs.items():
        lines += [" " + struct.pack(order, number).hex(), " " + blob.hex()]
    _run("db5.3_load", path, input="\n".join([*lines, "DATA=END", ""]))


def write_ndb(path, blobs):
    """Slots in any order, and a hole where a package was removed."""
    pages = len(blobs) * 16 // 4096 + 1
    slots, body, place = [], b"", pages * 256
    for number, blob in blobs.items():
        content = struct.pack("<4sIII", b"BlbS", number, 1700000000, len(blob)) + blob
        content += bytes(-(len(content) + 12) % 16)
        content += struct.pack("<II4s", zlib.adler32(content), len(blob), b"BlbE")
        slots.append(struct.pack("<4sIII", b"Slot", number, place, len(content) // 16))
        body += content + bytes(32 if number == 1 else 0)
        place = pages * 256 + len(body) // 16
    slots.reverse()
    slots += [struct.pack("<4sIII", b"Slot", 0, 0, 0)] * (pages * 256 - 2 - len(slots))
    head = struct.pack("<4sIIII12x", b"RpmP", 0, 7, pages, max(blobs, default=0) + 1)
    path.write_bytes(head + b"".join(slots) + body)
