# SPDX-License-Identifier: Apache-2.0
"""Settings of `careen serve` from file, environment and flags; what SIGHUP changes; what the service
manager is told; the files of dist/."""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import documents
import tls_world
from conftest import BUILD_DIR, ROOT, Server
from test_log import read_logfmt

WAIT_SECONDS = 10
CALL = "/v5/default/vulnerability/images"

# For every setting but the two of TLS (test_tls.py): what the file, the environment and a flag say.
VALUES = {
    "data_dir": ("in-file", "in-environment", "in-flag"),
    "listen": ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"),
    "threads": ("1", "2", "3"),
    "workers": ("1", "2", "3"),
    "domain": ("one", "two words", "three"),
    "strict_parameters": ("true", "false", "true"),
    "max_report_bytes": ("1KiB", "2MiB", "3GiB"),
    "log_keep_days": ("1", "2", "36500"),
    "access_log": ("false", "true", "false"),
    "compress_answers": ("false", "true", "false"),
    "log_level": ("error", "warn", "debug"),
    "log_format": ("json", "logfmt", "json"),
    "trusted_proxies": ("10.0.0.0/8", "10.0.0.1,10.0.0.2", "::1"),
    "max_connections": ("1", "2", "3"),
    "max_connections_per_address": ("1", "2", "3"),
    "max_header_bytes": ("8KiB", "10000", "64KiB"),
    "header_timeout": ("1", "2", "3"),
    "body_timeout": ("1", "2", "3"),
    "idle_timeout": ("1", "2", "3"),
    "rate_limit_per_user": ("1", "2", "3"),
    "refusals_per_address": ("1", "2", "0"),
    "retention_superseded": ("0", "36h", "90d"),
    "retention_unseen": ("1d", "2d", "3d"),
    "metrics_open": ("true", "false", "true"),
    "load": ("on_first_use", "at_start", "on_first_use"),
    "memory_budget": ("1KiB", "2MiB", "3GiB"),
}


@pytest.fixture
def careen_in(careen, tmp_path):
    """careen_in("settings", ..., env={}, expect=0): the program in an empty folder, in an environment
    without settings."""
    def run(*arguments, env=None, expect=0):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("CAREEN_")}
        done = subprocess.run([careen, *map(str, arguments)], cwd=tmp_path, text=True, check=False,
                              capture_output=True, timeout=60, env={**environment, **(env or {})})
        assert done.returncode == expect, done.stdout + done.stderr
        return done
    return run


@pytest.fixture
def conf(tmp_path):
    """conf("name = value", ...): the path of a configuration file of these lines."""
    def write(*lines):
        path = tmp_path / "careen.conf"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path
    return write


def variable(name):
    return "CAREEN_" + name.upper()


def flag(name):
    return "--data" if name == "data_dir" else "--" + name.replace("_", "-")


def table(careen_in):
    """{name: default} of the printed configuration file."""
    return dict(re.findall(r"^#([a-z_]+) = ?(.*)$", careen_in("settings").stdout, re.M))


# --- One table ------------------------------------------------------------------------------------


def test_every_setting_is_tested_here(careen_in):
    assert sorted(VALUES) == sorted(set(table(careen_in)) - {"tls_certificate", "tls_key"})


@pytest.mark.parametrize("name", VALUES)
def test_file_then_environment_then_flag(careen_in, conf, name):
    file, environment, given = VALUES[name]
    default = table(careen_in)[name]
    path = conf(f"{name} = {file}")
    option = f"{flag(name)}={given}" if given in ("true", "false") else f"{flag(name)} {given}"
    said = [
        careen_in("serve", "--check"),
        careen_in("serve", "--check", "--config", path),
        careen_in("serve", "--check", "--config", path, env={variable(name): environment}),
        careen_in("serve", "--check", "--config", path, *option.split(),
                  env={variable(name): environment}),
        careen_in("serve", "--check", env={"CAREEN_CONFIG": str(path), variable(name): ""}),
        careen_in("settings", "--check", path),
    ]
    shown = [dict(line.split(" = ") for line in one.stdout.splitlines()) for one in said]
    assert [one.get(name, default) for one in shown] == [default, file, environment, given, file,
                                                         file]
    assert all(set(one) <= {name} for one in shown)


def test_flags_of_switches(careen_in, conf):
    both = ["strict_parameters = true", "access_log = false"]
    for lines, flags, said in [
        ([], ["--strict-parameters", "--no-access-log"], both),
        (both, ["--strict-parameters=no", "--access-log"], []),
        (both, ["--access-log=false"], both),
    ]:
        shown = careen_in("serve", "--check", "--config", conf(*lines), *flags).stdout
        assert shown.splitlines() == said
    wrong = careen_in("serve", "--access-log", "--no-access-log", expect=2)
    assert "--access-log and --no-access-log are given both" in wrong.stderr


def test_the_printed_file_is_taken_and_changes_nothing(careen_in, conf):
    printed = careen_in("settings").stdout
    assert careen_in("settings", "--check", conf(printed)).stdout == ""
    every = re.sub(r"^#([a-z_]+ =)", r"\1", printed, flags=re.M)
    assert every.count("\n") == printed.count("\n") and every != printed
    assert careen_in("settings", "--check", conf(every)).stdout == ""


def test_the_shipped_file_and_the_manual_are_printed_ones(careen_in):
    assert (ROOT / "dist/careen.conf").read_text() == careen_in("settings").stdout
    assert careen_in("settings", "--markdown").stdout in (ROOT / "docs/operations.md").read_text()


# --- What is wrong with them ----------------------------------------------------------------------


@pytest.mark.parametrize("lines, said", [
    (["", "log_keep_days = abc"], 'line 2: log_keep_days must be 1-36500, not "abc"'),
    (["log_keep_days = 0"], 'line 1: log_keep_days must be 1-36500, not "0"'),
    (["log_keep_day = 1"], "line 1: there is no setting log_keep_day; did you mean log_keep_days?"),
    (["max-report-bytes = 1"], "line 1: there is no setting max-report-bytes; did you mean "
                               "max_report_bytes?"),
    (["listen = :1", "# c", "listen = :1"], "line 3: listen is set in line 1 already"),
    (["domain = \"x\""], "line 1: domain must be 1-256 bytes of text, without quotes around it, "
                         'not ""x""'),
    (["[serve]"], "line 1: there are no sections in this file"),
    (["listen"], "line 1: it is neither NAME = VALUE nor a comment"),
    (["domain = " + "x" * 200], "line 1 is longer than 199 bytes"),
    (["retention_unseen = 30"], "line 1: retention_unseen must be 1s-36500d (a number and s, m, h "
                                'or d) or off, not "30"'),
])
def test_a_wrong_file(careen_in, conf, lines, said):
    path = conf(*lines)
    for command in (["serve", "--config", path], ["serve", "--check", "--config", path],
                    ["settings", "--check", path]):
        done = careen_in(*command, expect=2)
        assert done.stderr.startswith(f"careen {command[0]}: {path}, {said}"), done.stderr
        assert done.stdout == ""


def test_files_that_cannot_be_read(careen_in, tmp_path):
    missing = careen_in("serve", "--config", "nowhere.conf", expect=1).stderr
    assert "cannot read the configuration file nowhere.conf: No such file" in missing
    folder = careen_in("settings", "--check", tmp_path, expect=1).stderr
    assert f"cannot read the configuration file {tmp_path}: Is a directory" in folder
    endless = careen_in("settings", "--check", "/dev/zero", expect=2).stderr
    assert "/dev/zero, line 1" in endless


@pytest.mark.parametrize("env, flags, said", [
    ({"CAREEN_THREADS": "0"}, [], 'CAREEN_THREADS must be 1-256 or auto, not "0"'),
    ({}, ["--threads", "0"], '--threads must be 1-256 or auto, not "0"'),
    ({}, ["--max-report-bytes", "1TB"], "--max-report-bytes must be 1-4294967296 bytes, or such as "
                                        '64KiB, 64MiB, 4GiB, not "1TB"'),
    ({"CAREEN_LOG_FORMAT": "xml"}, [], 'CAREEN_LOG_FORMAT must be logfmt or json, not "xml"'),
    ({"CAREEN_TLS_KEY": "k.pem"}, [], 'tls_key is set ("k.pem"), but tls_certificate is not: set '
                                      "both, or none"),
    ({}, ["--tls-certificate", "c.pem"], 'tls_certificate is set ("c.pem"), but tls_key is not'),
    ({}, ["--trusted-proxies", "10.0.0.1/99", "--check"], "trusted_proxies: "),
    ({}, ["--tls-certificate", "c.pem", "--tls-key", "k.pem", "--check"], "c.pem"),
])
def test_wrong_values_elsewhere(careen_in, env, flags, said):
    status = 1 if said == "c.pem" else 2
    assert said in careen_in("serve", *flags, env=env, expect=status).stderr


def test_a_file_that_others_may_write_is_fine(careen_in, conf):
    path = conf("domain = x")
    path.chmod(0o666)
    assert careen_in("settings", "--check", path).stdout == "domain = x\n"


# --- SIGHUP ---------------------------------------------------------------------------------------


def write_report(folder, name, vulnerabilities):
    return documents.write(folder, documents.trivy(
        name, packages=[documents.trivy_package("zlib", "1.0")],
        vulnerabilities=[documents.trivy_vulnerability(one, "zlib") for one in vulnerabilities]),
        f"{name}.json")


def wait_for(what, why):
    until = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < until, why()
        time.sleep(0.01)


def reload(server):
    """SIGHUP; returns the events that it made, up to its end."""
    mark = len(server.log)

    def ended():
        return [line for line in server.log[mark:] if re.search(r'msg="?reload', line)]
    os.kill(server.pid, signal.SIGHUP)
    wait_for(ended, lambda: "".join(server.log[mark:]))
    events = [read_logfmt(line.rstrip("\n")) for line in server.log[mark:]]
    return [event for event in events if event["msg"] not in ("request", "index loaded")]


def changes(events, message="setting changed"):
    return {event["setting"]: (event["from"], event["to"])
            for event in events if event["msg"] == message}


NEXT_START = "setting changes with the next start only"


def test_reload_takes_over_what_may_change(folder, conf, token):
    server = folder.serve("--config", conf("strict_parameters = false", "workers = 2"))
    assert server.get(CALL, token).status == 200
    conf("strict_parameters = true", "workers = 3", "max_report_bytes = 100", "log_keep_days = 7",
         "rate_limit_per_user = 1000", "refusals_per_address = 0", "retention_superseded = 30d",
         "retention_unseen = 90d", "metrics_open = on", "domain = other", "access_log = false")
    events = reload(server)
    assert changes(events) == {
        "strict_parameters": ("false", "true"), "max_report_bytes": ("64MiB", "100"),
        "log_keep_days": ("30", "7"), "rate_limit_per_user": ("0", "1000"),
        "refusals_per_address": ("300", "0"), "retention_superseded": ("off", "30d"),
        "retention_unseen": ("off", "90d"), "metrics_open": ("false", "true")}
    restarts = {"workers": ("2", "3"), "domain": ("careen", "other"),
                "access_log": ("true", "false")}
    assert changes(events, NEXT_START) == restarts
    assert {event["level"] for event in events if event["msg"] == NEXT_START} == {"warn"}
    assert server.get(CALL, token).status == 400
    assert server.get("/metrics").status == 200
    body = b"x" * 101
    assert server.request("POST", "/careen/v1/default/images", body=body, token=token).status == 413
    again = reload(server)  # nothing is new, and a restart is still due
    assert changes(again) == {} and changes(again, NEXT_START) == restarts


def test_reload_of_the_level(folder, conf):
    server = folder.serve("--config", conf("log_level = info"))
    conf("log_level = warn")
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: any("setting=log_level" in line for line in server.log),
             lambda: "".join(server.log))
    wait_for(lambda: not seen_in_log(server), lambda: "still at info")
    conf("log_level = info")
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: seen_in_log(server), lambda: "not at info again")
    changed = [line for line in server.log if "setting=log_level" in line]
    assert [line.split("setting=")[1] for line in changed] == [
        "log_level from=info to=warn\n", "log_level from=warn to=info\n"]


def seen_in_log(server):
    """Is a request logged?"""
    reply = server.get("/healthz")
    time.sleep(0.1)
    return any(reply.headers["X-Request-Id"] in line for line in server.log)


def test_flags_stay_over_a_file_that_changes(folder, conf, token):
    server = folder.serve("--config", conf(), "--strict-parameters", "--log-keep-days", "9")
    conf("strict_parameters = false", "log_keep_days = 8", "max_report_bytes = 1KiB")
    assert list(changes(reload(server))) == ["max_report_bytes"]
    assert server.get(CALL, token).status == 400


@pytest.mark.parametrize("lines, said", [
    (["strict_parameters = true", "log_keep_days = never"], "line 2: log_keep_days must be"),
    (["strict_parameters = true", "nothing = 1"], "line 2: there is no setting nothing"),
    (["strict_parameters = true", "tls_key = k"], "tls_key is set"),
    (None, "No such file"),
])
def test_a_bad_file_changes_nothing(folder, conf, token, lines, said):
    path = conf("log_keep_days = 5")
    server = folder.serve("--config", path)
    path.unlink()
    if lines:
        conf(*lines)
    event, = reload(server)
    assert event["level"] == "error" and said in event["msg"]
    assert event["msg"].endswith("; everything stays as it was")
    assert server.get(CALL, token).status == 200
    conf("log_keep_days = 6")  # and it is still there to be told
    assert changes(reload(server)) == {"log_keep_days": ("5", "6")}


def test_reloads_while_it_is_asked(folder, conf, token):
    server = folder.serve("--config", conf(), "--no-access-log")
    failed, done = [], threading.Event()

    def ask():
        while not done.is_set():
            status = server.get(CALL, token).status
            if status not in (200, 400):
                failed.append(status)
    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for turn in range(40):
        conf(f"strict_parameters = {['true', 'false'][turn % 2]}", f"log_keep_days = {turn + 1}")
        os.kill(server.pid, signal.SIGHUP)
        time.sleep(0.02)
    done.set()
    for asker in askers:
        asker.join()
    assert not failed


def test_a_bad_certificate_holds_up_the_settings_too(folder, conf, tmp_path):
    authority = tls_world.Authority(tmp_path)
    certificate, key = tls_world.install(tmp_path, authority.issue("leaf"))
    server = tls_world.SecureServer(folder, authority, certificate, key, "--config",
                                    conf("log_keep_days = 5"))
    good = key.read_text()
    key.write_text("no PEM")
    conf("log_keep_days = 6")
    event, = reload(server)
    assert event["level"] == "error" and str(key) in event["msg"]
    key.write_text(good)
    assert changes(reload(server)) == {"log_keep_days": ("5", "6")}


def test_a_certificate_that_clients_will_not_like(folder, tmp_path, monkeypatch):
    authority = tls_world.Authority(tmp_path)
    certificate, key = tls_world.install(tmp_path, authority.issue("leaf", days=5))
    monkeypatch.setenv("CAREEN_CLOCK_MS", str(int(time.time() + 10 * 86400) * 1000))
    server = tls_world.SecureServer(folder, authority, certificate, key)
    expired = f"the TLS certificate {certificate} has expired at 20"
    assert any(expired in line for line in server.log)
    assert not any("the TLS key" in line for line in server.log)
    key.chmod(0o644)
    events = reload(server)
    assert [event["msg"] for event in events if event["level"] == "warn"][1] == (
        f"every user of this machine can read the TLS key {key}: chmod o= it")


# --- Logs -----------------------------------------------------------------------------------------


def test_json_logs(folder, token):
    server = folder.serve("--log-format", "json")
    server.get(CALL + "?image_name=%22", token)
    assert server.stop() == 0
    events = [json.loads(line) for line in server.log]
    request, = (event for event in events if event.get("path") == CALL)
    assert request["status"] == 200 and request["query"] == "image_name=%22"
    assert isinstance(request["duration_us"], int) and request["user"].startswith("token ")
    assert events[-1]["msg"] == "stopped"


# --- The second SIGTERM ---------------------------------------------------------------------------


@contextlib.contextmanager
def request_in_flight(server, token):
    """An upload whose rest never comes."""
    host, port = server.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /careen/v1/default/images HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
            "Content-Length: 1000\r\n\r\n{".encode())
        time.sleep(0.2)
        yield


@pytest.mark.parametrize("first, second", [(signal.SIGTERM, signal.SIGTERM),
                                           (signal.SIGINT, signal.SIGINT)])
def test_a_second_signal_stops_at_once(careen, folder, token, tmp_path, first, second):
    folder.run("import", write_report(tmp_path, "app", ["CVE-2025-1"]))
    server = Server(careen, folder.path)
    with request_in_flight(server, token):
        os.kill(server.pid, first)
        wait_for(lambda: any("stopping: " in line for line in server.log),
                 lambda: "".join(server.log))
        time.sleep(0.3)
        start = time.monotonic()
        assert server.stop(second) == 1
        assert time.monotonic() - start < 2
    assert "stopping at once" in server.log[-1] and "level=warn" in server.log[-1]
    folder.run("doctor")
    assert folder.serve().get(CALL, token).json["total_num"] > 0


# --- The service manager --------------------------------------------------------------------------


class Manager:
    """Hears what a server tells by NOTIFY_SOCKET."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.environment = {**os.environ, "NOTIFY_SOCKET": name}
        self.socket.settimeout(WAIT_SECONDS)
        self.told = []  # (when, {name: value})

    def hear(self, name):
        """The next message that has this name."""
        while True:
            told = dict(line.split("=", 1) for line in
                        self.socket.recv(4096).decode().split("\n"))
            self.told.append((time.monotonic(), told))
            if name in told:
                return told


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "path" else f"@careen-test-{os.getpid()}"
    playing = Manager(name)
    yield playing
    playing.socket.close()


def test_the_service_manager_is_told(careen, folder, token, conf, manager):
    server = Server(careen, folder.path, ["--config", conf()], manager.environment)
    ready = manager.hear("READY")
    assert ready == {"READY": "1", "STATUS": f"serving on http://{server.address}"}
    assert server.get("/readyz").status == 200  # not before the index is loaded
    assert manager.told[0][1] == {"STATUS": "loading the index"}
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    conf("nothing = 1")
    os.kill(server.pid, signal.SIGHUP)
    reloading = manager.hear("RELOADING")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert before <= int(reloading["MONOTONIC_USEC"]) <= after
    assert manager.hear("READY") == ready  # a bad file is no reason not to be
    with request_in_flight(server, token):
        os.kill(server.pid, signal.SIGTERM)
        assert manager.hear("STOPPING") == {
            "STOPPING": "1", "STATUS": "waiting for requests in flight"}
        os.kill(server.pid, signal.SIGTERM)
        assert manager.hear("STATUS") == {"STATUS": "stopped at once"}
    assert server.stop() == 1
    assert not any("WATCHDOG" in told for _, told in manager.told)


def test_ready_comes_when_the_index_is_there(careen, folder, tmp_path, manager):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(300):
        write_report(many, f"app-{number}", [f"CVE-2025-{k}" for k in range(100)])
    folder.run("import", many)
    process = subprocess.Popen(
        [careen, "--data", folder.path, "serve", "--listen", "127.0.0.1:0"],
        env=manager.environment, stderr=subprocess.PIPE, text=True)
    try:
        address = manager.hear("READY")["STATUS"].split("://")[1]
        connection = http.client.HTTPConnection(address, timeout=WAIT_SECONDS)
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        connection.close()
        assert manager.told[0][1] == {"STATUS": "loading the index"}
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stderr.close()


def test_the_watchdog_is_fed_while_the_server_reacts(careen, folder, manager):
    environment = {**manager.environment, "WATCHDOG_USEC": "400000"}
    server = Server(careen, folder.path, ["--threads", "1"], environment)
    manager.hear("READY")
    del manager.told[:]
    for _ in range(6):
        manager.hear("WATCHDOG")
    fed = [when for when, told in manager.told if "WATCHDOG" in told]
    gaps = [later - earlier for earlier, later in zip(fed, fed[1:])]
    assert max(gaps) < 0.4 and sum(gaps) / len(gaps) > 0.15, gaps
    assert server.stop() == 0


def test_the_watchdog_is_not_fed_when_the_server_hangs(careen, folder, manager, tmp_path):
    deaf = tmp_path / "deaf"
    environment = {**manager.environment, "WATCHDOG_USEC": "400000", "CAREEN_DEAF": str(deaf),
                   "LD_PRELOAD": str(BUILD_DIR / "libdeaf.so")}
    server = Server(careen, folder.path, [], environment)
    manager.hear("WATCHDOG")
    deaf.touch()
    wait_for(lambda: any("does not react" in line for line in server.log),
             lambda: "".join(server.log))
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            manager.socket.recv(4096)  # from before
    time.sleep(1)
    with pytest.raises(BlockingIOError):
        manager.socket.recv(4096)
    manager.socket.settimeout(WAIT_SECONDS)
    deaf.unlink()
    manager.hear("WATCHDOG")
    assert server.stop() == 0


def test_a_wrong_socket_is_said_and_nothing_else(folder, careen):
    server = Server(careen, folder.path, [], {**os.environ, "NOTIFY_SOCKET": "relative"})
    assert server.stop() == 0
    assert any("level=warn" in line and "NOTIFY_SOCKET" in line for line in server.log)


# --- dist/ ----------------------------------------------------------------------------------------


def unit():
    text = (ROOT / "dist/careen.service").read_text()
    return dict(re.findall(r"^([A-Za-z]+)=(.*)$", text, re.M))


def test_the_unit(careen_in, careen, conf, tmp_path):
    lines = unit()
    assert lines["Type"] == "notify" and lines["NoNewPrivileges"] == "yes"
    program, *arguments = lines["ExecStart"].split()
    assert program == "/usr/local/bin/careen"
    path = conf()
    arguments = [str(path) if word == "/etc/careen/careen.conf" else word for word in arguments]
    name, value = lines["Environment"].split("=")
    shown = careen_in(*arguments, "--check", env={name: value}).stdout
    assert shown == "data_dir = /var/lib/careen\n"  # where StateDirectory is
    assert lines["StateDirectory"] == "careen"
    if shutil.which("systemd-analyze"):
        shipped = (ROOT / "dist/careen.service").read_text()
        there = tmp_path / "careen.service"
        there.write_text(shipped.replace("/usr/local/bin/careen", str(careen)))
        checked = subprocess.run(["systemd-analyze", "verify", there], capture_output=True,
                                 text=True, timeout=60, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=20", there],
            capture_output=True, text=True, timeout=60, check=False)
        assert rated.returncode == 0, rated.stdout + rated.stderr


@pytest.mark.parametrize("prefix, configuration", [
    ("/usr/local", "etc/careen/careen.conf"), ("/opt/x", "opt/x/etc/careen/careen.conf")])
def test_what_is_installed(careen, tmp_path, prefix, configuration):
    def install():
        subprocess.run(["cmake", "--install", careen.parent, "--prefix", prefix], check=True,
                       stdout=subprocess.DEVNULL, timeout=60,
                       env={**os.environ, "DESTDIR": str(tmp_path)})
    install()
    path = tmp_path / configuration
    assert path.read_text() == (ROOT / "dist/careen.conf").read_text()
    service = tmp_path.joinpath(prefix[1:], "lib/systemd/system/careen.service").read_text()
    command = f"ExecStart={prefix}/bin/careen serve --config /{configuration}\n"
    assert command in service
    assert tmp_path.joinpath(prefix[1:], "bin/careen").stat().st_mode & 0o111
    path.write_text("domain = kept\n")
    install()
    assert path.read_text() == "domain = kept\n"
