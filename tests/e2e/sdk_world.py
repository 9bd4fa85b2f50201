# SPDX-License-Identifier: Apache-2.0
"""What the SDKs ask: the inventory of inventory.py behind users, keys and projects of every kind.

Programs that carry out cases with one SDK each are in tests/sdk, one per language. What they are
built with is fetched into build/sdk by `scripts/install-dependencies ci`.
"""
import contextlib
import functools
import json
import os
import pathlib
import subprocess
import time
import types
import urllib.parse

import pytest

import inventory
from documents import trivy, trivy_package, trivy_vulnerability, write
from signer import new_key

ROOT = pathlib.Path(__file__).parents[2]
SOURCES, BUILT = ROOT / "tests" / "sdk", ROOT / "build" / "sdk"
REGION = "cn-north-4"
ODD_PROJECT = "r&d+=~*()!"  # Java sends a '%', '?' or '#' of a project id as it is
PASSWORD = "correct horse battery"
SECONDS = 300
HOUR_MS = 3600 * 1000

JARS = BUILT / "java" / "libs"
CLASSES = BUILT / "java" / "classes"
SDK_PYTHON = ROOT / "build" / "sdk-venv" / "bin" / "python"

# Which file says what is fetched, how the driver is built (in its folder), and how it is run.
DRIVERS = {
    "python": ("requirements.txt", None, [SDK_PYTHON, SOURCES / "python" / "driver.py"]),
    "go": ("go.mod", ["go", "build", "-o", BUILT / "go" / "driver", "."],
           [BUILT / "go" / "driver"]),
    "java": ("pom.xml",
             ["javac", "-Xlint:all", "-Werror", "-d", CLASSES, "-cp", f"{JARS}/*",
              "AffectedImages.java", "Decisions.java", "Driver.java"],
             ["java", "-cp", f"{CLASSES}:{JARS}/*", "Driver"]),
    "node": ("package-lock.json", None, ["node", SOURCES / "node" / "driver.js"]),
}


def need(language):
    """Skips the test if what the SDK's driver needs was not fetched, or not of this version."""
    manifest = SOURCES / language / DRIVERS[language][0]
    fetched = BUILT / language / "fetched"
    if not fetched.exists() or fetched.read_bytes() != manifest.read_bytes():
        pytest.skip(f"the {language} SDK is not in build/sdk: scripts/install-dependencies ci")


def compile_in(folder, command):
    """Runs a compiler, which may fetch nothing."""
    environment = {**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local",
                   "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                          timeout=SECONDS, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@functools.cache
def build(language):
    """Builds the program of the language, once."""
    if command := DRIVERS[language][1]:
        compile_in(SOURCES / language, command)


class Driver:
    """The program of one language, built."""

    def __init__(self, language, home):
        need(language)
        build(language)
        self.command = DRIVERS[language][2]
        self.language = language
        # A home without credentials and regions of whoever runs the tests.
        self.environment = {**os.environ, "HOME": str(home), "GOTRACEBACK": "single",
                            "NODE_PATH": str(BUILT / "node" / "node_modules")}

    def run(self, cases):
        """The outcomes of the cases: total_num and rows, or token, or error, or refused."""
        asked = [{k: v for k, v in case.items() if v is not None} for case in cases]
        done = subprocess.run(self.command, input=json.dumps(asked), capture_output=True, text=True,
                              timeout=SECONDS, check=False, env=self.environment)
        assert done.returncode == 0, done.stderr[-4000:]
        outcomes = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(outcomes) == len(cases), done.stderr[-4000:]
        return outcomes


def raw(server, token, parameters, project="default"):
    """What the server answers to the same parameters, asked with a token and without any SDK."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value)
             for name, value in parameters.items()}
    query = urllib.parse.urlencode(texts, quote_via=urllib.parse.quote, safe="")
    project = urllib.parse.quote(project, safe="")
    return server.get(f"/v5/{project}/vulnerability/images?{query}", token=token)


def _import_into(folder, scratch, project):
    report = trivy("registry.example.com/only/one", packages=[trivy_package("bash", "1.0")],
                   vulnerabilities=[trivy_vulnerability("CVE-2024-9001", "bash")])
    folder.run("import", write(scratch, report, "only.json"), "--project", project, "--image-type",
               "registry")


@contextlib.contextmanager
def world(folder, scratch):
    """reader reads four projects; red only the enterprise project ep-red; hasty has a key for each
    SDK to be locked out with. Of the projects, "closed" is revoked, "other" nobody's, and one
    named like a region.
    Servers: server; strict, with --strict-parameters; late, whose clock is an hour ahead."""
    model = inventory.seed(folder, scratch)
    run = folder.run
    for project in (REGION, ODD_PROJECT, "closed", "other"):
        run("project", "create", project)
        _import_into(folder, scratch, project)
    run("user", "create", "reader", "--role", "viewer")
    for project in (REGION, ODD_PROJECT, "closed"):
        run("user", "grant", "reader", "--role", "viewer", "--project", project)
    run("project", "revoke", "closed")
    run("user", "create", "red", "--role", "viewer", "--enterprise-project", "ep-red")
    run("user", "create", "hasty", "--role", "viewer")
    run("user", "create", "alice", "--password-stdin", "--role", "operator", "--project", REGION,
        stdin=PASSWORD)
    made = types.SimpleNamespace(
        folder=folder, model=model, token=folder.token(), region_token=folder.token(REGION),
        odd_token=folder.token(ODD_PROJECT),
        reader=new_key(folder, "reader"), red=new_key(folder, "red"),
        hasty={language: new_key(folder, "hasty") for language in DRIVERS})
    made.server = folder.serve("--threads", "2")
    made.strict = folder.serve("--strict-parameters")
    made.late = folder.serve(clock_ms=int(time.time() * 1000) + HOUR_MS)
    yield made
    folder.close()
