# SPDX-License-Identifier: Apache-2.0
"""The n-th write, fsync, truncation, open and allocation fails (tests/preload/faults.c), each n in
turn: the command says so, the facts are those of before or of after, and the next command works. A
server goes on answering while its disk is full or broken, and takes imports again afterwards."""
import json
import random
import shutil
import subprocess

import pytest

from asking import ALL
from conftest import BUILD_DIR, Folder
from documents import trivy, trivy_package, trivy_vulnerability, write

CLOCK_MS = 1_700_000_000_000
PRELOAD = BUILD_DIR / "libfaults.so"
# Of allocations there are thousands: so many are drawn, with a fixed seed.
ALLOCATIONS = 40


def report(name, version="1.0", count=6):
    return trivy(name, packages=[trivy_package(f"lib{at}", version) for at in range(count)],
                 vulnerabilities=[trivy_vulnerability(f"CVE-2024-{at}", f"lib{at}", version)
                                  for at in range(count)])


def symbols():
    return subprocess.run(["nm", BUILD_DIR / "careen"], capture_output=True, text=True,
                          check=True).stdout


@pytest.fixture(scope="module")
def preload():
    if "__asan" in symbols() or "__tsan" in symbols():
        pytest.skip("a sanitizer wants to be the first library itself")
    assert PRELOAD.is_file(), f"{PRELOAD} is not built"
    return str(PRELOAD)


@pytest.fixture(scope="module")
def allocations():
    """How many are to fail. What counts lines of code allocates, too, and dies of a failure."""
    return 0 if "__gcov" in symbols() else ALLOCATIONS


@pytest.fixture(scope="module")
def world(careen, tmp_path_factory):
    """A folder with one image, a decision and a token, and reports to import into it."""
    place = tmp_path_factory.mktemp("torture")
    folder = Folder(careen, place / "data")
    paths = {name: str(write(place, made, f"{name}.json")) for name, made in (
        ("first", report("app")), ("again", report("app", "1.1", 5)), ("second", report("other")))}
    folder.run("import", paths["first"], clock_ms=CLOCK_MS)
    folder.run("ignore", "CVE-2024-1", "--reason", "not reachable", clock_ms=CLOCK_MS)
    image = json.loads(folder.run("images", "list", "-o", "jsonl", *ALL).stdout)["image_id"]
    return folder, paths, image


ROWS = ["affected", "-o", "jsonl", "--all", *ALL]
IMAGES = ["images", "list", "-o", "jsonl", *ALL]
DECISIONS = ["decisions", "--all", "-o", "jsonl"]


def commands(paths, image):
    """{name: (the command, what shows its effect)}"""
    return {
        "import": (["import", paths["second"]], [ROWS, IMAGES]),
        "rescan": (["import", paths["again"]], [ROWS, IMAGES]),
        "remove": (["images", "rm", image], [ROWS, IMAGES]),
        "ignore": (["ignore", "CVE-2024-2", "--reason", "torture"], [ROWS, DECISIONS]),
        "unignore": (["unignore", "1"], [ROWS, DECISIONS]),
        "token": (["token", "create"], [["token", "list"]]),
        "user": (["user", "create", "ann", "--role", "viewer"], [["user", "list"]]),
    }


def state(folder, asked):
    """All that a reader can see of what a command is about, as one text."""
    texts = []
    for command in asked:
        result = folder.run(*command, expect=None, clock_ms=CLOCK_MS)
        assert result.returncode in (0, 4), (command, result.stderr)
        texts.append(result.stdout)
    return "\n".join(texts)


def copy_of(world_folder, to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(world_folder.path, to)
    return Folder(world_folder.binary, to)


def count_calls(folder, command, preload, tmp_path):
    counts = tmp_path / "counts"
    folder.run(*command, clock_ms=CLOCK_MS,
               env={"LD_PRELOAD": preload, "CAREEN_FAULT_COUNTS": str(counts)})
    return {kind: int(count) for kind, count in
            (line.split() for line in counts.read_text().splitlines())}


def faults(counts, allocations):
    """Calls of each kind, with the errors that they may really have: of writes a third, each with
    another error than its neighbours."""
    for n in range(1, counts["write"] + 1, 3):
        yield f"write:{n}:{('ENOSPC', 'EIO', 'short')[n % 9 // 3]}"
    for n in range(1, counts["write"] + 1, 11):
        yield f"write:{n}+:ENOSPC"
    for n in range(1, counts["sync"] + 1):
        yield f"sync:{n}{'+' if n % 2 else ''}:EIO"
    for n in range(1, counts["truncate"] + 1):
        yield f"truncate:{n}:EIO"
    for n in range(1, counts["open"] + 1):
        yield f"open:{n}:{('EMFILE', 'EROFS')[n % 2]}"
    chance = random.Random(1)
    for n in sorted(chance.sample(range(1, counts["alloc"] + 1),
                                  min(allocations, counts["alloc"]))):
        yield f"alloc:{n}:ENOMEM"


@pytest.mark.parametrize("name", ["import", "rescan", "remove", "ignore", "unignore", "token",
                                  "user"])
def test_every_call_fails_once(name, world, preload, allocations, tmp_path):
    original, paths, image = world
    command, asked = commands(paths, image)[name]
    before = state(original, asked)
    clean = copy_of(original, tmp_path / "clean")
    counts = count_calls(clean, command, preload, tmp_path)
    after = state(clean, asked)
    assert after != before
    told = harmless = 0
    for fault in faults(counts, allocations):
        folder = copy_of(original, tmp_path / "tried")
        result = folder.run(*command, expect=None, clock_ms=CLOCK_MS,
                            env={"LD_PRELOAD": preload, "CAREEN_FAULT": fault})
        found = state(folder, asked)
        where = f"{fault}: exit status {result.returncode}, {result.stderr!r}"
        assert result.returncode in (0, 1, 3), where
        assert found == after if result.returncode == 0 else found in (before, after), where
        if result.returncode == 0:
            harmless += 1
            continue
        told += 1
        assert result.stderr.startswith("careen") and len(result.stderr) > 20, where
        if found == before and told % 5 == 0:
            folder.run(*command, clock_ms=CLOCK_MS)
            assert state(folder, asked) == after, where
    print(f"{name}: {told} faults were told, {harmless} did not matter; {counts}")
    assert told > 10


# --- A server on a bad disk -----------------------------------------------------------------------

PAGE = "/v5/default/vulnerability/images?limit=50&enterprise_project_id=all_granted_eps"
IMPORT = "/careen/v1/default/images?image_type=local"


@pytest.mark.parametrize("fault", ["write:1+:ENOSPC", "write:1+:EIO", "write:1+:short",
                                   "sync:1+:EIO", "open:1+:EMFILE", "alloc:300:ENOMEM"])
def test_a_server_survives_its_disk(fault, world, preload, tmp_path):
    folder = copy_of(world[0], tmp_path / "served")
    armed = tmp_path / "armed"
    token = folder.token()
    server = folder.serve(env={"LD_PRELOAD": preload, "CAREEN_FAULT": fault,
                               "CAREEN_FAULT_ARMED": str(armed)})
    before = server.get(PAGE, token).json
    armed.touch()
    statuses = set()
    for at in range(6):
        body = json.dumps(report(f"image{at}", count=200))
        answer = server.request("POST", IMPORT, body=body, token=token)
        assert answer.status in (200, 500), (answer.status, answer.body)
        statuses.add(answer.status)
        assert answer.status == 200 or answer.json["error_code"] == "APIGW.0601"
        page = server.get(PAGE, token)
        assert page.status == 200
        assert page.json["total_num"] >= before["total_num"]
    if fault.endswith(("+:ENOSPC", "+:EIO")):
        assert statuses == {500}
    armed.unlink()
    answer = server.request("POST", IMPORT, body=json.dumps(report("last")), token=token)
    assert answer.status == 200, answer.body
    found = server.get(PAGE + "&image_name=last", token).json
    assert found["total_num"] == 6
    folder.close()
    assert folder.run("affected", "--image-name", "last", *ALL, "-o", "jsonl").stdout.count("\n") == 6
