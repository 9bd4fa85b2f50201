# SPDX-License-Identifier: Apache-2.0
"""Lines of the log read back, whatever bytes they hold: JSON by Python's reader, logfmt by the small
one below. tests/tools/log_emit.c writes them."""
import json
import random
import re
import subprocess

import pytest

from conftest import BUILD_DIR

EVENTS = 3000
TEXT_CHARS = 2000  # LOG_TEXT_CHARS of src/base/log.h
PIECES = [bytes([byte]) for byte in range(256)] + [
    b"plain", b" ", b"=", b'"', b"\\", b"\n", b"\r\n", b"\x1b[31m", b"\xc2\x85", b"\xe2\x80\xa8",
    "\u202e".encode(), "\u00e9".encode(), "\u6f0f\u6d1e".encode(), "\U0001f6a2".encode(),
    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe6\xbc", b'"}', b" level=error",
]
LINE = re.compile(r'(?:^| )([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^ "=\\]+)')


def read_logfmt(line):
    """KEY=VALUE divided by single blanks; a quoted value is a JSON string."""
    fields, at = {}, 0
    while at < len(line):
        found = LINE.match(line, at)
        assert found, line[at:]
        key, value = found.groups()
        fields[key] = json.loads(value) if value[0] == '"' else value
        at = found.end()
    return fields


def random_text(draw):
    return b"".join(draw.choices(PIECES, k=draw.choice((0, 1, 2, 5, 20, 1500))))


def random_event(draw):
    fields = {}
    for number in range(draw.randrange(17)):
        fields[f"k{number}"] = (draw.randrange(-2 ** 63, 2 ** 63) if draw.random() < 0.3
                                else random_text(draw))
    return random_text(draw).replace(b"\0", b""), fields


def shown(text):
    """What a reader sees: every byte that is no UTF-8 as U+FFFD."""
    return re.sub("[\udc80-\udcff]", "\ufffd", text.decode(errors="surrogateescape"))


def same(read, given):
    """A text may have been cut, and says so; one that is short enough never is."""
    given = shown(given)
    if read.endswith("...") and not given.endswith("..."):
        assert 6 * len(given) > TEXT_CHARS - 10
        return given.startswith(read[:-3])
    return read == given


@pytest.mark.parametrize("how", ["logfmt", "json"])
def test_every_event_is_one_line_that_reads_back(how):
    tool = BUILD_DIR / "log_emit"
    assert tool.is_file(), f"{tool} is not built"
    draw = random.Random(20261124)
    events = [random_event(draw) for _ in range(EVENTS)]
    told = "".join(
        " ".join([how, "x" + event.hex(), *(
            f"{key} {value if isinstance(value, int) else 'x' + value.hex()}"
            for key, value in fields.items())]) + "\n" for event, fields in events)
    done = subprocess.run([tool], input=told.encode(), capture_output=True, timeout=60, check=True)
    lines = done.stderr.decode().split("\n")  # strictly UTF-8
    assert lines.pop() == "" and len(lines) == EVENTS
    for line, (event, fields) in zip(lines, events):
        assert not re.search("[\0-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]",
                             line)
        read = json.loads(line) if how == "json" else read_logfmt(line)
        assert list(read) == ["time", "level", "msg", *fields]
        assert read["level"] == "info" and same(read["msg"], event)
        for key, given in fields.items():
            if isinstance(given, int):
                assert int(read[key]) == given and (how == "logfmt" or read[key] == given)
            else:
                assert same(read[key], given), (read[key], given)
