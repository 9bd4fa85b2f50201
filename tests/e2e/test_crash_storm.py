# SPDX-License-Identifier: Apache-2.0
"""Imports, decisions and removals that are killed at random moments, with a server running beside
that is killed, too. After each the facts are those of before or of after, the server's answers are
what a fresh reading of the facts says, and `careen doctor` finds the index equal to them.

CAREEN_KILLS: how many; 1,000 by hand, fewer by default since each takes some 60 ms and more."""
import os
import random
import signal
import subprocess
import time

import pytest

from asking import ALL, images, json_lines, rows
from documents import trivy, trivy_package, trivy_vulnerability, write

KILLS = int(os.environ.get("CAREEN_KILLS", "60"))
SEED = int(os.environ.get("CAREEN_CRASH_SEED", "1"))
IMAGES, PACKAGES, VULNERABILITIES = 8, 40, 12
PAGE = "/v5/default/vulnerability/images?limit=200&enterprise_project_id=all_granted_eps&offset="


def report(at, generation):
    """Image `at`; its vulnerabilities are the same in every generation, its packages are not."""
    listed = [trivy_package(f"lib{number}", f"{generation}.{at}") for number in range(PACKAGES)]
    found = [trivy_vulnerability(f"CVE-2024-{number}", f"lib{number}", f"{generation}.{at}")
             for number in range(VULNERABILITIES + generation)]
    return trivy(f"app{at:02}", packages=listed, vulnerabilities=found)


class Storm:
    """The folder, what is known of it, and the commands that are let loose on it."""

    def __init__(self, folder, paths):
        self.folder, self.paths = folder, paths
        self.chance = random.Random(SEED)
        self.generations = {f"app{at:02}": 0 for at in range(IMAGES)}

    def decisions(self):
        return json_lines(self.folder.run("decisions", "--all", "-o", "jsonl").stdout)

    def command(self):
        """A random one: its words, and the generation that it brings (None: none)."""
        kind = self.chance.choice(["import", "import", "ignore", "unignore", "handle", "remove"])
        some = f"CVE-2024-{self.chance.randrange(VULNERABILITIES)}"
        listed = images(self.folder.run)
        in_force = [made["number"] for made in self.decisions() if made["state"] == "in_force"]
        if kind == "import":
            now = self.chance.randrange(3)
            return ["import", *self.paths[now]], now
        if kind == "unignore" and in_force:
            return ["unignore", str(self.chance.choice(in_force))], None
        if kind == "remove" and listed:
            return ["images", "rm", self.chance.choice(listed)["image_id"]], None
        if kind == "handle" and listed:
            return ["handle", some, "--image", self.chance.choice(listed)["image_id"],
                    "--reason", "patched by hand"], None
        return ["ignore", some, "--reason", "storm"], None

    def kill_one(self):
        """True when it was still running."""
        words, now = self.command()
        before = self.decisions()
        process = subprocess.Popen(
            [self.folder.binary, "--data", self.folder.path, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.chance.uniform(0, 0.05 if now is not None else 0.012))
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.check(words, now, before)
        return process.returncode == -signal.SIGKILL

    def check(self, words, now, before):
        found = {}
        for row in rows(self.folder.run):
            found.setdefault(row["image_name"], []).append(row["vul_id"])
        generations = {}
        for name, ids in found.items():
            generation = len(ids) - VULNERABILITIES
            assert sorted(ids) == sorted(f"CVE-2024-{number}"
                                         for number in range(len(ids))), (words, name)
            assert generation in (self.generations.get(name), now), (words, name, generation)
            generations[name] = generation
        gone = set(self.generations) - set(generations)
        assert len(gone) <= (words[0] == "images"), (words, gone)
        self.generations = generations
        after = self.decisions()
        assert [made["number"] for made in after][:len(before)] == [
            made["number"] for made in before]
        made = len(after) - len(before)
        ended = (sum(each["state"] != "in_force" for each in after)
                 - sum(each["state"] != "in_force" for each in before))
        assert made <= (words[0] in ("ignore", "handle")), words
        assert ended <= (words[0] == "unignore"), words
        # What a command had synced when it was killed, and nobody saw, can show when the last
        # process with the folder open is gone; behind a commit of another it cannot any more.
        self.folder.token()


@pytest.fixture
def storm(folder, tmp_path):
    paths = []
    for generation in range(3):
        place = tmp_path / f"generation{generation}"
        place.mkdir()
        paths.append([str(write(place, report(at, generation), f"{at}.json"))
                      for at in range(IMAGES)])
    folder.run("import", *paths[0])
    return Storm(folder, paths)


def all_rows(server, token):
    found, offset = [], 0
    while True:
        page = server.get(PAGE + str(offset), token).json
        found += page["data_list"]
        offset += len(page["data_list"])
        if not page["data_list"]:
            return found, page["total_num"]


def wait_equal(server, token, folder):
    """The server's rows become those of a fresh reading, within a second or so."""
    until = time.monotonic() + 10
    while True:
        (served, total), stored = all_rows(server, token), rows(folder.run)
        if served == stored and total == len(stored):
            return
        assert time.monotonic() < until, (len(served), len(stored))
        time.sleep(0.05)


def test_a_storm_of_kills(storm):
    folder = storm.folder
    token, server = folder.token(), folder.serve()
    killed = attempts = restarts = 0
    while killed < KILLS and attempts < KILLS * 4:
        attempts += 1
        killed += storm.kill_one()
        if attempts % 5 == 0:
            wait_equal(server, token, folder)
        if attempts % 15 == 0:
            folder.servers.remove(server)
            server.stop(signal.SIGKILL)
            server, restarts = folder.serve(), restarts + 1
            wait_equal(server, token, folder)
    wait_equal(server, token, folder)
    print(f"{killed} of {attempts} commands were killed in time, {restarts} servers were killed")
    assert killed >= KILLS * 0.9, f"only {killed} of {attempts} were killed in time"
    assert folder.run("doctor", expect=0)
    folder.run("import", *storm.paths[2])
    assert len(rows(folder.run)) == IMAGES * (VULNERABILITIES + 2)
    assert len(images(folder.run, *ALL)) == IMAGES
