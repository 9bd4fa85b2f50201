# SPDX-License-Identifier: Apache-2.0
"""careen serve as a service: health, what other processes write, stopping, the log."""
import json
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
import types

import pytest

from conftest import Folder
from documents import trivy, trivy_package, trivy_vulnerability, write
from wire import PATH, Client, Reply, check_error, connect, head, talk

VUL = "CVE-2025-0001"
IMPORT = "/careen/v1/default/images?image_type=local"


def report(name, ids=(VUL,)):
    return trivy(f"registry.example.com/{name}", "1.0", [trivy_package("p", "1.0")],
                 [trivy_vulnerability(id, "p", "1.0") for id in ids])


def wait_for(condition, seconds):
    """Asks until it is true, every 2 ms. Returns the seconds since the call."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(0.002)
    return time.monotonic() - start


@pytest.fixture
def client(folder, token):
    return Client(folder.serve(), token)


@pytest.fixture(scope="module", autouse=True)
def stuck(careen, tmp_path_factory):
    """A server that is told to stop while a request never ends: how long it took, in the end. It
    runs beside the other tests of this file, to save their time."""
    folder = Folder(careen, tmp_path_factory.mktemp("stuck") / "data")
    token = folder.token()
    server = folder.serve()
    took = []

    def stop():
        start = time.monotonic()
        assert server.stop() == 0
        took.append(time.monotonic() - start)

    with connect(server.address) as sock:
        sock.sendall(head(IMPORT, [("Content-Length", 100)], "POST", token) + b"{")
        time.sleep(0.05)
        stopping = threading.Thread(target=stop)
        stopping.start()
        yield types.SimpleNamespace(thread=stopping, took=took)
        stopping.join()


# --- Health ---------------------------------------------------------------------------------------

def test_health_needs_no_token_and_no_parameters(server):
    for target, said in (("/healthz", {"status": "ok"}), ("/readyz", {"status": "ready"}),
                         ("//healthz?x=%zz", {"status": "ok"})):
        headers = [("X-Auth-Token", "wrong"), ("X-Project-Id", "x")]
        reply = talk(server.address, head(target, headers))
        assert (reply.status, reply.json) == (200, said)
    for target in ("/healthz", "/readyz"):
        check_error(talk(server.address, head(target, method="POST")), 404, "APIGW.0101",
                    "The API does not exist.")


def test_ready_only_when_the_index_is_loaded(careen, folder, tmp_path):
    """Asked from the first moment on: not ready until it is loaded, then for good; calls wait for it,
    and get all rows."""
    many = tmp_path / "many"
    many.mkdir()
    for n in range(400):
        write(many, report(f"app-{n}", [f"CVE-2025-{k}" for k in range(60)]), f"{n}.json")
    folder.run("import", many)
    token = folder.token()
    process = subprocess.Popen([careen, "--data", folder.path, "serve", "--listen", "127.0.0.1:0"],
                               stderr=subprocess.PIPE, text=True)
    address = re.search(r"http://([^\s\"]+)", process.stderr.readline())[1]
    seen = []
    while not seen or seen[-1][0] != 200:
        ready = talk(address, head("/readyz")).status
        seen.append((ready, talk(address, head(PATH, token=token))))
    for ready, call in seen:
        assert call.status == 200
        assert call.json["total_num"] == 400 * 60, "half an index must not answer"
    assert {ready for ready, _ in seen} <= {200, 503} and seen[-1][1].status == 200
    process.terminate()
    assert process.wait(20) == 0
    process.stderr.close()


# --- What others write ----------------------------------------------------------------------------

def test_what_another_process_imported_is_there_within_a_second(folder, client, tmp_path):
    """Measured from the end of the command; the time is printed with pytest -s."""
    took = []
    for n in range(12):
        folder.run("import", write(tmp_path, report(f"app-{n}")))
        took.append(wait_for(lambda n=n: client.ask(vul_id=VUL)["total_num"] == n + 1, 1.0))
    print(f"visible after {statistics.median(took) * 1000:.0f} ms (median), "
          f"{max(took) * 1000:.0f} ms (slowest of {len(took)})")


def test_what_other_commands_change_is_there_within_a_second(folder, client, tmp_path):
    folder.run("import", write(tmp_path, report("app")))
    wait_for(lambda: client.ask()["total_num"] == 1, 1.0)
    image_id = client.ask()["data_list"][0]["image_id"]
    folder.run("images", "set", image_id, "containers=5")
    wait_for(lambda: client.ask()["data_list"][0]["container_num"] == 5, 1.0)
    folder.run("import", write(tmp_path, report("app", [])))
    wait_for(lambda: client.ask()["total_num"] == 0, 1.0)
    folder.run("images", "rm", image_id)
    folder.run("project", "create", "later")
    token = folder.token("later")
    folder.run("import", "--project", "later", write(tmp_path, report("app")))
    later = Client(folder.servers[-1], token, "later")
    wait_for(lambda: later.get(later.path)[0] == 200, 1.0)
    wait_for(lambda: later.ask()["total_num"] == 1, 1.0)


def test_two_servers_on_one_folder_agree(folder, token):
    first, second = folder.serve(), folder.serve()
    body = json.dumps(report("app")).encode()
    data = head(IMPORT, [("Content-Length", len(body))], "POST", token)
    assert talk(first.address, data + body).json["created"] is True
    ask = head(PATH, token=token)
    assert talk(first.address, ask).json["total_num"] == 1
    wait_for(lambda: talk(second.address, ask).json["total_num"] == 1, 1.0)
    assert talk(first.address, ask).body == talk(second.address, ask).body


def test_calls_go_on_while_reports_come_in(folder, client):
    """Writers and readers at once: every post lands, every answer is whole and never goes back."""
    failures = []

    def post(worker):
        for n in range(25):
            body = json.dumps(report(f"w{worker}-{n}")).encode()
            data = head(IMPORT, [("Content-Length", len(body))], "POST", client.token)
            reply = talk(folder.servers[-1].address, data + body)
            if reply.status != 200:
                failures.append(reply.body)

    workers = [threading.Thread(target=post, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    last = 0
    while any(worker.is_alive() for worker in workers):
        page = client.ask(vul_id=VUL, limit="200")
        assert last <= page["total_num"] == len(page["data_list"])
        last = page["total_num"]
    assert not failures and client.ask(vul_id=VUL)["total_num"] == 100


# --- Stopping -------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_request_in_flight_ends_when_the_server_stops(folder, token, how):
    server = folder.serve()
    body = json.dumps(report("app")).encode()
    with connect(server.address) as sock, sock.makefile("rb") as stream:
        sock.sendall(head(IMPORT, [("Content-Length", len(body))], "POST", token) + body[:-1])
        time.sleep(0.05)
        stopping = threading.Thread(target=server.stop, args=(how,))
        stopping.start()
        time.sleep(0.2)
        with pytest.raises(OSError):  # no new ones
            connect(server.address, 1)
        sock.sendall(body[-1:])
        reply = Reply(stream)
        assert (reply.status, reply.json["findings"]) == (200, 1)
        assert reply.only("Connection") == "close"
        stopping.join(20)
    assert server.stop() == 0
    again = folder.serve()
    assert talk(again.address, head(PATH, token=token)).json["total_num"] == 1, "and it was stored"


def test_idle_connections_do_not_hold_it_up(folder, token):
    server = folder.serve()
    with connect(server.address) as silent, connect(server.address) as kept:
        kept.sendall(head(PATH, token=token))
        with kept.makefile("rb") as stream:
            assert Reply(stream).status == 200
            start = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - start < 2
            assert stream.read(1) == b""
        assert silent.recv(1) == b""


# --- Starting -------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, status, said", [
    (["--listen", "nowhere"], 2, "nowhere"), (["--listen", "127.0.0.1:99999"], 2, "99999"),
    (["--threads", "0"], 2, "--threads must be 1-256"),
    (["--max-report-bytes", "x"], 2, "--max-report-bytes must be 1-"),
    (["--log-level", "loud"], 2, "--log-level must be error, warn, info or debug"),
    (["--no-such"], 2, "--no-such"), (["extra"], 2, "there is no argument extra"),
    (["--strict-parameters=1"], 2, "--strict-parameters"),
])
def test_a_bad_command_line(run, arguments, status, said):
    assert said in run("serve", *arguments, expect=status).stderr


def test_an_address_in_use_is_named(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        assert address in run("serve", "--listen", address, expect=1).stderr


# --- The log --------------------------------------------------------------------------------------

LINE = re.compile(
    r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info msg=request method=(\S+) path=(\S+) "
    r"(?:query=(\S+) )?status=(\d+) bytes=(\d+) duration_us=\d+ (?:user=(\".+?\"|\S+) )?"
    r"client=(\S+) request_id=([0-9a-f]{32})\n")


def logged_target(target):
    """Path and query as the log has them."""
    path, _, query = target.partition("?")
    return path, f'"{query}"' if query else None


def test_one_line_a_request_with_its_id_and_no_token(folder, token):
    server = folder.serve("--log-level", "debug")
    bad_token = "careen_" + "ab" * 32
    requests = [  # what is sent, then the log's method, path, query, user
        (head(PATH + "?limit=10", token=token), "GET", PATH, '"limit=10"', '"token 1"'),
        (head(PATH + "?limit=9", token=token), "GET", PATH, '"limit=9"', '"token 1"'),
        (head(PATH, token=bad_token), "GET", PATH, None, None),
        (head(PATH, [("Authorization", f"Bearer {bad_token}")]), "GET", PATH, None, None),
        (head("/v5/x/vulnerability/images", token=token), "GET", "/v5/x/vulnerability/images",
         None, '"token 1"'),
        (head("/no\\such%0a", token=token), "GET", r'"/no\\such%0a"', None, None),
        (head(PATH + "?a=\xff\u00e9", token=token), "GET", PATH, r'"a=\ufffd\ufffd"', '"token 1"'),
        (head(PATH, method="DELETE", token=token), "DELETE", PATH, None, None),
        (head(IMPORT, [("Content-Length", 2)], "POST", token) + b"{}", "POST",
         *logged_target(IMPORT), '"token 1"'),
        (head("/healthz"), "GET", "/healthz", None, None),
    ]
    expected = []
    for data, *logged, user in requests:
        reply = talk(server.address, data)
        expected.append((*logged, str(reply.status), str(len(reply.body)), user, "127.0.0.1",
                         reply.only("X-Request-Id")))
    assert server.stop() == 0
    found = [LINE.fullmatch(line) for line in server.log]
    lines = [m.groups() for m in found if m and m[2] != "/readyz"]
    assert sorted(lines, key=str) == sorted(expected, key=str)  # written once the answer is sent
    log = "".join(server.log)
    for secret in (token, bad_token, token[7:], token[7:39]):
        assert secret not in log


def test_failures_inside_are_logged_under_the_request_id(folder, token):
    """The store goes away: the caller learns nothing but that, the log says what."""
    server = folder.serve()
    body = json.dumps(report("app")).encode()
    data = head(IMPORT, [("Content-Length", len(body))], "POST", token) + body
    holder = subprocess.Popen(
        ["/usr/bin/python3", "-c",
         "import sqlite3,sys,time\n"
         "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
         "db.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\ntime.sleep(30)",
         next(folder.path.glob("*.db"))], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    try:
        reply = talk(server.address, data)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    check_error(reply, 500, "APIGW.0601", "Internal server error.")
    assert reply.only("Retry-After") == "1"
    request_id = reply.only("X-Request-Id")
    assert [line for line in server.log if " level=error " in line and
            line.endswith(f" request_id={request_id}\n")], server.log
    assert talk(server.address, data).status == 200


def test_the_access_log_can_be_left_out(folder, token):
    server = folder.serve("--no-access-log")
    assert talk(server.address, head(PATH, token=token)).status == 200
    assert server.stop() == 0
    assert not [line for line in server.log if "GET" in line]


def test_a_request_that_never_ends_holds_a_stop_up_for_ten_seconds_at_most(stuck):
    """The last test, as its time has nearly passed by now."""
    stuck.thread.join(20)
    assert len(stuck.took) == 1 and 9 < stuck.took[0] < 13
