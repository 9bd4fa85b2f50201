# SPDX-License-Identifier: Apache-2.0
"""What every peer is to the benchmark:

    definition()        the statements that make its table and indexes: others make it anew
    missing()           why it cannot take part ("postgresql-15 is not installed"), or None
    load(dump, say)     makes its table from the rows that the command `dump` prints, and its
                        indexes; called only when the folder has no finished load. say(text):
                        what is under way
    start(), stop()     around asking
    ask(questions)      yields an answer for each question, in order

An answer is a dict: name, count, page ("IMAGE_ID VUL_ID" of its rows, in
order), median_us, p99_us.
"""
import json
import pathlib
import shutil
import statistics
import time

SECONDS = 2.0
ROUNDS_MIN, ROUNDS_MAX = 5, 2000


class Peer:
    name = title = ""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.finished = folder / "loaded.json"

    def missing(self):
        return None

    def prepare(self, dump, made_by, say):
        """Loads unless that was done before, by the same sources."""
        if self.finished.exists() and json.loads(self.finished.read_text())["made_by"] == made_by:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        began = time.monotonic()
        self.load(dump, say)
        seconds = round(time.monotonic() - began)
        self.finished.write_text(json.dumps({"made_by": made_by, "seconds": seconds}) + "\n")

    def start(self):
        pass

    def stop(self):
        pass


def measure(run):
    """Median and 99th percentile in microseconds of many calls."""
    taken = []
    began = time.perf_counter()
    while len(taken) < ROUNDS_MIN or (
        len(taken) < ROUNDS_MAX and time.perf_counter() - began < SECONDS
    ):
        start = time.perf_counter()
        run()
        taken.append((time.perf_counter() - start) * 1e6)
    return figures(taken)


def figures(taken):
    taken = sorted(taken)
    return {"median_us": statistics.median(taken), "p99_us": taken[len(taken) * 99 // 100]}
