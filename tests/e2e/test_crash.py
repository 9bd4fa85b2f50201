# SPDX-License-Identifier: Apache-2.0
"""Imports that are killed, that run side by side, that wait for one another: facts of an image are
those of before or of after, and a killed import is completed by running it again."""
import os
import random
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from asking import images, rows, show
from documents import trivy, trivy_package, trivy_vulnerability, write

IMAGES, PACKAGES = 12, 120
WAIT_S = 5  # how long a writer waits for another one


def report(at, generation):
    """Image number `at`; another generation has other versions and other vulnerabilities."""
    listed = [trivy_package(f"lib{number}", f"{generation}.{at}") for number in range(PACKAGES)]
    found = [trivy_vulnerability(f"CVE-{2000 + generation}-{number + at}", f"lib{number}",
                                 f"{generation}.{at}") for number in range(PACKAGES)]
    return trivy(f"app{at:02}", packages=listed, vulnerabilities=found)


@pytest.fixture
def generation(tmp_path):
    """generation(3): the paths of the reports of that generation, made once."""
    made = {}

    def paths(number):
        if number not in made:
            folder = tmp_path / f"generation{number}"
            folder.mkdir()
            made[number] = [str(write(folder, report(at, number), f"{at:02}.json"))
                            for at in range(IMAGES)]
        return made[number]

    return paths


def generations(run):
    """{image name: generation}; each image's rows are those of one generation, whole."""
    found = {}
    for row in rows(run):
        found.setdefault(row["image_name"], []).append(row["vul_id"])
    result = {}
    for name, ids in found.items():
        number, at = int(ids[0][4:8]) - 2000, int(name[3:])
        assert sorted(ids) == sorted(
            f"CVE-{2000 + number}-{step + at}" for step in range(PACKAGES)), name
        result[name] = number
    assert sorted(result) == sorted(image["name"] for image in images(run))
    return result


@pytest.fixture
def start(careen, data_dir):
    """start("import", ...): the running command; what still runs in the end is killed."""
    running = []

    def start_command(*arguments):
        running.append(subprocess.Popen(
            [careen, "--data", data_dir, *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield start_command
    for process in running:
        process.kill()
        process.communicate()


def duration_s(start, paths):
    began = time.monotonic()
    assert start("import", *paths).wait(60) == 0
    return time.monotonic() - began


def kill_after(process, seconds):
    """True when it did not end before that."""
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_killed_at_any_moment(run, start, generation):
    chance = random.Random(os.environ.get("CAREEN_CRASH_SEED", "1"))
    settled = {f"app{at:02}": 0 for at in range(IMAGES)}
    run("import", *generation(0))
    whole_s = min(duration_s(start, generation(number)) for number in (1, 2, 1, 0))
    killed = mixed = attempts = 0
    while killed < 50 and attempts < 150:
        attempts += 1
        now = 1 + attempts % 2
        killed += kill_after(start("import", *generation(now)), chance.uniform(0, whole_s))
        found = generations(run)
        assert sorted(found) == sorted(settled)
        for name, number in found.items():
            assert number in (settled[name], now), (name, number, settled[name], now)
        mixed += len(set(found.values())) > 1
        settled = found
    assert killed == 50, f"only {killed} of {attempts} were killed in time"
    assert mixed > 0, f"only {mixed} of {killed} were killed between images"
    run("import", *generation(2))
    assert set(generations(run).values()) == {2}
    detail = show(run, images(run)[0]["image_id"])
    assert {package["version"] for package in detail["packages"]} == {"2.0"}


def test_killed_while_the_store_is_being_made(run, start, generation, data_dir):
    chance = random.Random(2)
    for _ in range(15):
        kill_after(start("import", *generation(0)[:1]), chance.uniform(0, 0.03))
        result = run("images", "list", expect=None)
        assert result.returncode == 0 or re.search(
            "there is no store in|its making was cut short: run `careen import`", result.stderr)
        run("import", *generation(0)[:1])
        assert generations(run) == {"app00": 0}
        for entry in data_dir.iterdir():
            entry.unlink()
        data_dir.rmdir()


def answer_of(server, token):
    return server.get("/v5/default/vulnerability/images?is_handled=false&vul_id=&type=&image_type="
                      "&limit=200&enterprise_project_id=all_granted_eps", token).json


def wait_until(check, seconds=10):
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_killed_beside_a_running_server(run, folder, start, generation):
    chance = random.Random(3)
    whole_s = duration_s(start, generation(0))
    token, server = folder.token(), folder.serve()
    for attempt in range(10):
        kill_after(start("import", *generation(1 + attempt % 2)), chance.uniform(0, whole_s))
        generations(run)
        assert answer_of(server, token)["total_num"] == IMAGES * PACKAGES
    run("import", *generation(2))
    expected = rows(run)[:200]
    wait_until(lambda: answer_of(server, token)["data_list"] == expected)


def test_server_killed_beside_an_import(run, folder, start, generation):
    run("import", *generation(0))
    server = folder.serve()
    process = start("import", *generation(1))
    os.kill(server.pid, signal.SIGKILL)
    assert process.wait(60) == 0, process.stderr.read()
    folder.servers.remove(server)
    server.stop()
    assert set(generations(run).values()) == {1}


def test_two_imports_at_once(run, start, generation):
    """They take turns image by image; both succeed, and nothing of either is lost."""
    run("import", *generation(0))
    for _ in range(3):
        both = [start("import", *generation(1)), start("import", *reversed(generation(2)))]
        for process in both:
            assert process.wait(60) == 0, process.stderr.read()
        assert set(generations(run).values()) <= {1, 2}
    run("import", *generation(1))
    assert set(generations(run).values()) == {1}


def test_many_first_imports_at_once(run, start, generation):
    """Of a data folder that is not there yet."""
    several = [start("import", path) for path in generation(0)[:6]]
    for process in several:
        assert process.wait(60) == 0, process.stderr.read()
    assert generations(run) == {f"app{at:02}": 0 for at in range(6)}
    assert run("project", "list").stdout == "default\n"


# --- Waiting for another writer -------------------------------------------------------------------


def stop_in_a_write(process, data_dir):
    """Stops the import while it holds the write, if that is possible: True when it is."""
    while process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        if holder(data_dir) == process.pid and is_locked(data_dir):
            return True
        process.send_signal(signal.SIGCONT)
        time.sleep(0.0005)
    return False


def holder(data_dir):
    """The pid in DATA/writer."""
    try:
        lines = (data_dir / "writer").read_text(encoding="utf-8").split("\n")
        return int(lines[1] or 0)
    except (FileNotFoundError, IndexError):
        return 0


def is_locked(data_dir):
    db = sqlite3.connect(data_dir / "careen.db", timeout=0, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
        return False
    except sqlite3.OperationalError:
        return True
    finally:
        db.close()


def test_an_import_that_is_held_up_names_the_holder(run, start, generation, data_dir):
    run("import", *generation(0))
    for number in range(1, 20):
        process = start("import", *generation(1 + number % 2))
        if stop_in_a_write(process, data_dir):
            break
        process.wait(60)
    else:
        pytest.fail("no import could be stopped while it was writing")
    before = rows(run)  # reading does not wait
    began = time.monotonic()
    result = run("import", generation(0)[0], expect=1)
    assert WAIT_S - 1 < time.monotonic() - began < WAIT_S + 3
    assert re.search(rf"the store is being written by careen import \(pid {process.pid}\) "
                     r"since \d{4}-\d\d-\d\dT[\d:.]+Z; try again", result.stderr), result.stderr
    assert rows(run) == before
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0, process.stderr.read()
    run("import", *generation(0))
    assert set(generations(run).values()) == {0}


def test_another_program_that_holds_the_store(run, generation, data_dir):
    run("import", *generation(0)[:1])
    db = sqlite3.connect(data_dir / "careen.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    result = run("import", generation(1)[0], expect=1)
    assert WAIT_S - 1 < time.monotonic() - began < WAIT_S + 3
    assert re.search(f"the store in {data_dir} is being written by another program; try again",
                     result.stderr), result.stderr
    db.execute("ROLLBACK")
    db.close()
    assert generations(run) == {"app00": 0}
    run("import", generation(1)[0])
    assert generations(run) == {"app00": 1}


def test_a_holder_that_lets_go_in_time(run, start, generation, data_dir):
    run("import", *generation(0)[:1])
    db = sqlite3.connect(data_dir / "careen.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    process = start("import", generation(1)[0])
    time.sleep(1.5)
    assert process.poll() is None
    db.execute("ROLLBACK")
    db.close()
    assert process.wait(60) == 0, process.stderr.read()
    assert generations(run) == {"app00": 1}
