# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the binary, the made-up reports, running and measuring programs."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("CAREEN_BUILD_DIR", "build/release")
CAREEN = BUILD / "careen"
COUNT = int(os.environ.get("CAREEN_BENCH_REPORTS", "1000"))
REPORTS = ROOT / f"build/bench-reports-{COUNT}"
START_SECONDS = 300
DATA = ROOT / "build/bench-import-data"
PLACE = ("--image-type", "registry", "--registry-type", "Harbor", "--registry-name", "bench")


def reports():
    """The report files and their summary, made when they are missing."""
    if not (REPORTS / "summary.json").exists():
        print(f"Writing {COUNT} reports into {REPORTS.relative_to(ROOT)}", flush=True)
        subprocess.run(
            [sys.executable, ROOT / "bench/make-reports", REPORTS, str(COUNT)],
            check=True, stdout=subprocess.DEVNULL,
        )
    summary = json.loads((REPORTS / "summary.json").read_text())
    return sorted(REPORTS.glob("report-*.json")), summary


def measure(command):
    """Runs the command; returns its seconds of wall clock and its peak memory in bytes."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command[:6]))} ...: exit status {child.returncode}")
    return seconds, usage.ru_maxrss * 1024


def import_command(files):
    return [CAREEN, "--data", DATA, "import", *PLACE, *files]


def fresh_data():
    shutil.rmtree(DATA, ignore_errors=True)


def careen(data, *arguments, **more):
    """What a command of the program prints."""
    return subprocess.run(
        [CAREEN, "--data", data, *arguments], check=True, capture_output=True, text=True, **more
    ).stdout.strip()


def start_server(data, log):
    """Starts the server on a free port, its log in the file `log`; returns the process and its
    address."""
    with open(log, "wb") as file:
        server = subprocess.Popen(
            [CAREEN, "--data", data, "serve", "--listen", "127.0.0.1:0"], stderr=file
        )
    while server.poll() is None:
        found = re.search(r"listening on (http://[^\s\"]+)", pathlib.Path(log).read_text())
        if found:
            return server, found[1]
        time.sleep(0.005)
    sys.exit(f"careen serve ended before it listened:\n{pathlib.Path(log).read_text()}")


def anonymous_kib(pid):
    """Resident memory that is no file."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1])


def cpu_seconds(pids):
    """Of these processes together."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def export(url, token, pid):
    """Bytes, seconds, seconds of the server's CPU, and its peak of memory in KiB meanwhile."""
    before, peak = cpu_seconds([pid]), 0
    curl = subprocess.Popen(
        ["curl", "-sSf", "-o", os.devnull, "-w", "%{size_download} %{time_total}",
         "-H", f"X-Auth-Token: {token}", url], stdout=subprocess.PIPE, text=True,
    )
    while curl.poll() is None:
        peak = max(peak, anonymous_kib(pid))
        time.sleep(0.05)
    if curl.returncode:
        sys.exit(f"{url}: curl ended with {curl.returncode}")
    size, seconds = map(float, curl.stdout.read().split())
    return size, seconds, cpu_seconds([pid]) - before, peak


def fetch(url, token):
    request = urllib.request.Request(url, headers={"X-Auth-Token": token})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def first_answer(url, token):
    """Waits for it: while the project is being loaded, the call fails with 5xx."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return fetch(url, token)
        except urllib.error.HTTPError as error:
            if error.code < 500 or time.monotonic() > until:
                raise
        time.sleep(0.01)


def wrk(url, headers, connections, seconds):
    """What wrk saw: requests in all and a second, median and 99th percentile in microseconds."""
    lines = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    printed = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *lines, url],
        check=True, capture_output=True, text=True,
    ).stdout
    if "Non-2xx" in printed or "Socket errors" in printed:
        sys.exit(f"{url}:\n{printed}")
    units = {"us": 1, "ms": 1e3, "s": 1e6}
    median, last = (
        float(found[1]) * units[found[2]]
        for found in (re.search(rf" {part}% +([\d.]+)([a-z]+)", printed) for part in (50, 99))
    )
    return {
        "requests": int(re.search(r"(\d+) requests in", printed)[1]),
        "rate": float(re.search(r"Requests/sec: +([\d.]+)", printed)[1]),
        "median_us": median,
        "p99_us": last,
    }


def duration(us):
    """A length of time as people read it: 0.31 us, 45 us, 1.24 ms, 2.5 s."""
    if us is None:
        return "-"
    for size, unit in ((1, "us"), (1e3, "ms"), (1e6, "s")):
        if us < size * 999.5 or unit == "s":
            value = us / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"
    return None
