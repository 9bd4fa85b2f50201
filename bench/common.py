# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the binary, the made-up reports, running and measuring a command."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("CAREEN_BUILD_DIR", "build/release")
CAREEN = BUILD / "careen"
COUNT = int(os.environ.get("CAREEN_BENCH_REPORTS", "1000"))
REPORTS = ROOT / f"build/bench-reports-{COUNT}"
DATA = ROOT / "build/bench-data"
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
