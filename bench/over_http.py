# SPDX-License-Identifier: Apache-2.0
"""The questions over HTTP, on one connection that stays open; how many requests a second of
processor time answers, beside nginx serving the same bytes from a file; and how long requests take
at a steady rate while images are put in. Access logs are written all the time."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import urllib.error
import urllib.parse
import urllib.request

import common
from peers.peer import figures

sys.path.append(str(common.ROOT / "tests/e2e"))
import signer

PATH = "/v5/default/vulnerability/images"
OFFSET_MAX = 2000000  # the call takes no more
CONNECTIONS = 64
PUTS_PER_SECOND = 10
LOG_SECONDS = 0.1  # until the last line is written
FOLLOW_SECONDS = 2  # until the server has seen what another process wrote
PASSWORD = "made for the benchmark"
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error; worker_processes auto;
worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access; keepalive_requests 1000000000;
    sendfile on; tcp_nopush on; open_file_cache max=16;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    default_type application/json;
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


def log_in(endpoint, user):
    """A token of the user."""
    who = {"name": user, "password": PASSWORD, "domain": {"name": "careen"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}},
                     "scope": {"project": {"name": "default"}}}}
    request = urllib.request.Request(
        endpoint + "/v3/auth/tokens", json.dumps(body).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["X-Subject-Token"]


class Server:
    """The server over a copy of the data folder, as tokens are written into it."""

    def __init__(self, data):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="careen-bench-"))
        self.data = self.folder / "data"
        shutil.copytree(data, self.data)
        self.tokens = {None: common.careen(self.data, "token", "create", "--project", "default")}
        self.process = self.endpoint = self.start_s = self.parameters = None

    def __enter__(self):
        began = time.monotonic()
        self.process, self.endpoint = common.start_server(self.data, self.folder / "log")
        common.first_answer(self.endpoint + PATH, self.tokens[None])
        self.start_s = time.monotonic() - began
        document = json.loads(common.fetch(self.endpoint + "/openapi.json", ""))
        call = document["paths"]["/v5/{project_id}/vulnerability/images"]["get"]
        self.parameters = {parameter.get("name") for parameter in call["parameters"]}
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder)

    def token(self, granted):
        """Of a user who may see these enterprise projects only; None: all."""
        if granted not in self.tokens:
            user = f"bench-{len(self.tokens)}"
            common.careen(
                self.data, "user", "create", user, "--role", "viewer", "--project", "default",
                "--enterprise-project", ",".join(granted), "--password-stdin",
                input=PASSWORD + "\n")
            time.sleep(FOLLOW_SECONDS)
            self.tokens[granted] = log_in(self.endpoint, user)
        return self.tokens[granted]

    def request(self, question):
        """URL and token; those of several enterprise projects are a user's who was granted them."""
        filters = dict(question["filters"])
        granted = filters.pop("enterprise_project_id", None)
        query = {"enterprise_project_id": "all_granted_eps", **filters,
                 "offset": question["offset"], "limit": question["limit"]}
        if question["sort"]:
            query["sort"] = question["sort"]
        url = f"{self.endpoint}{PATH}?{urllib.parse.urlencode(query)}"
        return url, self.token(tuple(granted) if granted else None)

    def ask(self, question, seconds):
        """Count and page as the peers give them, and the latency; None when the call cannot say
        it."""
        if question["offset"] > OFFSET_MAX or (
            question["sort"] and "sort" not in self.parameters
        ):
            return None
        url, token = self.request(question)
        body = json.loads(common.fetch(url, token))
        page = [f"{row['image_id']} {row['vul_id']}" for row in body["data_list"]]
        saw = common.wrk(url, {"X-Auth-Token": token}, 1, seconds)
        return {"name": question["name"], "count": body["total_num"], "page": page,
                "median_us": saw["median_us"], "p99_us": saw["p99_us"]}

    def signed(self, url):
        """Headers of a user's access key; good for a quarter of an hour."""
        common.careen(self.data, "user", "create", "signs", "--role", "viewer", "--project",
                      "default")
        key = json.loads(common.careen(self.data, "key", "create", "--user", "signs", "-o", "json"))
        time.sleep(FOLLOW_SECONDS)
        host, target = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()
        headers = {"Host": host, "X-Sdk-Date": signer.now()}
        headers["Authorization"] = signer.authorization(
            types.SimpleNamespace(**key), "GET", target, headers)
        return headers

    def export(self):
        """Megabytes a second of all rows as JSON Lines, and by how much memory the server grows."""
        url = (f"{self.endpoint}/careen/v1/default/findings?format=jsonl"
               "&enterprise_project_id=all_granted_eps")
        before = common.anonymous_kib(self.process.pid)
        size, seconds, _, peak = common.export(url, self.tokens[None], self.process.pid)
        return {"mb_s": size / 1e6 / seconds, "grows_kib": peak - before}


def family(pid):
    """The process and its children."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def throughput(url, headers, pid, seconds):
    """Requests per second of processor time of the server, and per second as it went."""
    common.wrk(url, headers, CONNECTIONS, 1)
    pids = family(pid)
    before = common.cpu_seconds(pids)
    saw = common.wrk(url, headers, CONNECTIONS, seconds)
    return saw["requests"] / (common.cpu_seconds(pids) - before), saw["rate"]


@contextlib.contextmanager
def nginx(body):
    """nginx with the bytes as a file; gives its URL and process id, or None without nginx."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="careen-bench-") as folder:
        os.chmod(folder, 0o755)  # its workers are another user's
        files = pathlib.Path(folder, "files")
        files.mkdir()
        (files / "page.json").write_bytes(body)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        pathlib.Path(folder, "conf").write_text(NGINX.format(folder=folder, port=port))
        process = subprocess.Popen([program, "-e", f"{folder}/error", "-c", f"{folder}/conf"])
        try:
            url = f"http://127.0.0.1:{port}/page.json"
            wait_for(url)
            yield url, process.pid
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)


class Putting(threading.Thread):
    """Puts so many images a second over HTTP until it is told to stop."""

    def __init__(self, server, files, per_second):
        super().__init__()
        self.url = f"{server.endpoint}/careen/v1/default/images?image_type=local&agent_id=bench"
        self.token, self.files, self.pause = server.tokens[None], files, 1 / per_second
        self.ended = threading.Event()
        self.put = 0

    def run(self):
        due = time.monotonic()
        for file in self.files:
            request = urllib.request.Request(
                self.url, file.read_bytes(),
                {"X-Auth-Token": self.token, "Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=60):
                self.put += 1
            due += self.pause
            if self.ended.wait(max(0, due - time.monotonic())):
                return


def steady(server, question, rate, seconds, files):
    """Median and 99th percentile in microseconds at a fixed rate, and the latter within the server,
    with PUTS_PER_SECOND images put in at the same time; None without h2load. A request that has to wait for its connection counts
    from when it is sent."""
    if not shutil.which("h2load"):
        return None
    url, token = server.request(question)
    log = server.folder / "steady"
    logged = (server.folder / "log").stat().st_size
    putting = Putting(server, files[: PUTS_PER_SECOND * seconds * 2], PUTS_PER_SECOND)
    putting.start()
    subprocess.run(
        ["h2load", "--h1", "-t1", f"-c{CONNECTIONS}", f"-D{seconds}",
         f"--rps={max(1, round(rate / CONNECTIONS))}", f"--log-file={log}",
         "-H", f"X-Auth-Token: {token}", url], check=True, capture_output=True)
    putting.ended.set()
    putting.join()
    taken = [line.split("\t") for line in log.read_text().splitlines()]
    if any(status != "200" for _, status, *_ in taken):
        raise RuntimeError(f"{url}: an answer other than 200 under a steady load")
    answer = figures([int(us) for _, _, us, *_ in taken])
    return {**answer, "rate": len(taken) / seconds, "puts": putting.put / seconds,
            "server_p99_us": within(server, logged)["p99_us"]}


def within(server, since):
    """The same of what the server itself took, from its log behind byte `since`: what clients wait
    for processors is not in it."""
    time.sleep(LOG_SECONDS)
    with open(server.folder / "log", encoding="utf-8") as log:
        log.seek(since)
        return figures([int(us) for us in re.findall(r"method=GET .* duration_us=(\d+)", log.read())])


def wait_for(url):
    for _ in range(100):
        try:
            return common.fetch(url, "")
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError(f"{url}: no answer")


def per_cpu_second(server, question, seconds):
    """The call, with a token and signed, and nginx in turn, so that a noisy machine disturbs all:
    medians of three."""
    url, token = server.request(question)
    headers, signed = {"X-Auth-Token": token}, server.signed(url)
    rates = {"http": [], "signed": [], "nginx": []}
    with nginx(common.fetch(url, token)) as other:
        for _ in range(3):
            rates["http"].append(throughput(url, headers, server.process.pid, seconds))
            rates["signed"].append(throughput(url, signed, server.process.pid, seconds))
            if other:
                rates["nginx"].append(throughput(other[0], headers, other[1], seconds))
    return {name: sorted(seen)[1] for name, seen in rates.items() if seen}
