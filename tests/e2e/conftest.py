# SPDX-License-Identifier: Apache-2.0
"""What whole-program tests share: the real binary, a data folder each, a server on a free port.

The binary is the one in CAREEN_BUILD_DIR, else in build/release. With CAREEN_REQUIRE_ALL=1 a test
that would be skipped fails instead: a machine without the test data cannot look like one where all
pass.
"""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import types

import pytest

import inventory
import sdk_world as sdks

ROOT = pathlib.Path(__file__).parents[2]
BUILD_DIR = ROOT / os.environ.get("CAREEN_BUILD_DIR", "build/release")
TEST_DATA = pathlib.Path(os.environ.get("CAREEN_TEST_DATA", ROOT.parent / "shared" / "data"))
REQUIRE_ALL = os.environ.get("CAREEN_REQUIRE_ALL") == "1"
START_SECONDS, STOP_SECONDS, COMMAND_SECONDS = 20, 20, 120


def _fail_if_skipped(report, node):
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{node.nodeid} was skipped, and CAREEN_REQUIRE_ALL=1: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    _fail_if_skipped(outcome.get_result(), item)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield  # a whole file skips while it is read: pytest.importorskip()
    _fail_if_skipped(outcome.get_result(), collector)


@pytest.fixture(scope="session")
def careen():
    """The path of the binary."""
    path = BUILD_DIR / "careen"
    assert path.is_file(), f"{path} is not built: make build"
    return path


@pytest.fixture(scope="session")
def shared_data():
    """The folder with the third-party test data (archives *.tar.zst), or a skip."""
    if not TEST_DATA.is_dir():
        pytest.skip(f"no test data in {TEST_DATA} (CAREEN_TEST_DATA)")
    return TEST_DATA


@pytest.fixture
def data_dir(tmp_path):
    """The data folder of this test's careen; not there until careen makes it."""
    return tmp_path / "data"


class Folder:
    """A data folder, and the commands on it. `clock_ms` stops their clock at that time."""

    def __init__(self, binary, path):
        self.binary, self.path = binary, path
        self.servers = []

    @staticmethod
    def _environment(clock_ms):
        return {**os.environ, "CAREEN_CLOCK_MS": str(clock_ms)} if clock_ms else None

    def run(self, *arguments, expect=0, stdin=None, clock_ms=None, env=None):
        """Runs the command and returns its CompletedProcess (text). The exit status must be the
        expected one; None takes any. env: further environment variables."""
        result = subprocess.run(
            [self.binary, "--data", self.path, *map(str, arguments)], input=stdin,
            capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS, check=False,
            env={**(self._environment(clock_ms) or os.environ), **(env or {})},
        )
        if expect is not None:
            assert result.returncode == expect, (
                f"careen {' '.join(map(str, arguments))}: exit status {result.returncode}\n"
                f"{result.stdout}{result.stderr}"
            )
        return result

    def token(self, project="default", *options, clock_ms=None):
        """A new token of the project."""
        made = self.run("token", "create", "--project", project, *options, clock_ms=clock_ms)
        return made.stdout.strip()

    def serve(self, *arguments, clock_ms=None, env=None):
        """A Server, which close() stops and which must end well. env: further environment
        variables."""
        running = Server(self.binary, self.path, arguments,
                         {**(self._environment(clock_ms) or os.environ), **(env or {})})
        self.servers.append(running)
        return running

    def close(self):
        for running in self.servers:
            assert running.stop() == 0, "careen serve ended badly:\n" + "".join(running.log)
        self.servers = []


@pytest.fixture
def folder(careen, data_dir):
    """This test's Folder."""
    made = Folder(careen, data_dir)
    yield made
    made.close()


@pytest.fixture
def run(folder):
    """run("import", path, expect=0): Folder.run on this test's data folder."""
    return folder.run


@pytest.fixture
def token(folder):
    """A token of the default project."""
    return folder.token()


class Server:
    """A running `careen serve`. Its log (standard error) is kept in `log`, line by line."""

    def __init__(self, binary, data_dir, arguments=(), environment=None):
        self.log = []
        self._listening = threading.Event()
        self.address = None  # "127.0.0.1:PORT"
        self._process = subprocess.Popen(
            [binary, "--data", data_dir, "serve", "--listen", "127.0.0.1:0", *map(str, arguments)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            env=environment,
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self._listening.wait(START_SECONDS)
        if not self.address:
            self._process.kill()
            pytest.fail("careen serve did not say where it listens:\n" + "".join(self.log))
        until = time.monotonic() + START_SECONDS
        while (status := self.get("/readyz").status) == 503 and time.monotonic() < until:
            time.sleep(0.005)  # it listens before its index is loaded
        assert status == 200, f"/readyz answers {status}\n" + "".join(self.log)

    def _read_log(self):
        for line in self._process.stderr:
            self.log.append(line)
            found = re.search(r"listening on https?://([^\s\"]+)", line)
            if found:
                self.address = found[1]
                self._listening.set()
        self._listening.set()  # it ended: nobody has to wait any longer

    def connect(self):
        """An http.client connection."""
        return http.client.HTTPConnection(self.address, timeout=COMMAND_SECONDS)

    def request(self, method, target, headers=None, body=None, token=None):
        """One request on a connection of its own. The target goes out as it is. Returns status,
        headers, body (bytes) and json (parsed when the type says so, else None)."""
        headers = dict(headers or {})
        if token:
            headers["X-Auth-Token"] = token
        connection = self.connect()
        try:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = (response.getheader("Content-Type", "").split(";")[0] == "application/json"
                   and not response.getheader("Content-Encoding"))
        return types.SimpleNamespace(
            status=response.status, headers=response.headers, body=content,
            json=json.loads(content) if is_json and content else None,
        )

    def get(self, target, token=None, headers=None):
        return self.request("GET", target, headers=headers, token=token)

    def stop(self, how=signal.SIGTERM):
        """Stops it as a service manager does, and returns the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            pytest.fail(f"careen serve did not stop in {STOP_SECONDS} s:\n" + "".join(self.log))
        self._reader.join(STOP_SECONDS)
        self._process.stderr.close()
        return status


@pytest.fixture
def start_server(folder):
    """start_server("--option", ...): a Server on data_dir, which must stop with exit status 0."""
    return folder.serve


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture(scope="session")
def company(careen, tmp_path_factory):
    """The inventory of inventory.py, served and only read: folder, model, server, token."""
    folder = Folder(careen, tmp_path_factory.mktemp("company") / "data")
    model = inventory.seed(folder, tmp_path_factory.mktemp("reports"))
    yield types.SimpleNamespace(
        folder=folder, model=model, token=folder.token(), server=folder.serve("--threads", "1")
    )
    folder.close()


@pytest.fixture(scope="session")
def sdk_world(careen, tmp_path_factory):
    """What the tests with SDKs ask: sdk_world.world()."""
    folder = Folder(careen, tmp_path_factory.mktemp("sdks") / "data")
    with sdks.world(folder, tmp_path_factory.mktemp("reports")) as made:
        yield made
