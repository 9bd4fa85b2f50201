# SPDX-License-Identifier: Apache-2.0
"""scripts/run-example, what `make run` starts: the first minute of every user."""
import json
import os
import re
import signal
import socket
import stat
import subprocess
import types

import pytest

from conftest import BUILD_DIR, ROOT
from signer import Key

SCRIPT = ROOT / "scripts" / "run-example"


class Example:
    """A started run-example; `said` is its standard output up to the end of the announcement."""

    def __init__(self, data, listen="127.0.0.1:0"):
        self.data = data
        self.process = subprocess.Popen(
            [SCRIPT, listen, data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "CAREEN_BUILD_DIR": str(BUILD_DIR)}, start_new_session=True,
        )
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                break

    def credentials(self):
        return json.loads((self.data / "credentials.json").read_text())

    def ask(self):
        """Pastes the announced curl line into a shell and returns the answer."""
        line = re.search(r"^ *(curl .*)$", self.said, re.M)
        assert line, self.said
        answer = subprocess.run(
            ["bash", "-c", line[1]], capture_output=True, text=True, timeout=30, check=True
        )
        return json.loads(answer.stdout)

    def stop(self):
        """Ctrl-C: the interrupt goes to the whole group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@pytest.fixture
def example(careen, tmp_path):
    started = []

    def start(ready=True, **how):
        started.append(Example(tmp_path / "folder" / "data", **how))
        if ready and "Ctrl-C" not in started[-1].said:
            pytest.fail("it ended before it was ready:\n" + started[-1].stop()[1])
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_first_and_second_start(example):
    first = example()
    credentials = first.credentials()
    assert stat.S_IMODE((first.data / "credentials.json").stat().st_mode) == 0o600
    assert credentials["project_id"] == "cn-north-4"
    assert sorted(credentials) == ["ak", "endpoint", "project_id", "sk", "token"]
    for word in credentials.values():
        assert word in first.said
    answer = first.ask()
    assert answer["total_num"] >= 1
    names = [row["image_name"] for row in answer["data_list"]]
    assert "swr.cn-north-4.myhuaweicloud.com/hss_container_org/hostguard" in names
    status, errors = first.stop()
    assert status == 0, errors

    second = example()
    assert "Loading" not in second.said
    for word in ("token", "ak", "sk"):
        assert second.credentials()[word] == credentials[word]
    key = Key(ak=credentials["ak"], sk=credentials["sk"])
    server = types.SimpleNamespace(address=second.credentials()["endpoint"][len("http://"):])
    assert key.get(server, "/v5/cn-north-4/vulnerability/images?limit=10").json["total_num"] >= 10
    listed = key.get(server, "/v3/projects?name=cn-north-4").json["projects"]
    assert [project["id"] for project in listed] == ["cn-north-4"]
    assert second.ask()["total_num"] == answer["total_num"]


def test_a_token_that_no_longer_works_is_replaced(example):
    first = example()
    first.stop()
    path = first.data / "credentials.json"
    path.write_text(path.read_text().replace(first.credentials()["token"], "no-such-token"))
    second = example()
    assert second.credentials()["token"] != "no-such-token"
    assert second.ask()["total_num"] >= 1


def test_a_taken_port_is_the_servers_own_error(example):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        status, errors = example(ready=False, listen=address).stop()
        assert status not in (0, None) and address in errors
