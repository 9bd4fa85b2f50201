# SPDX-License-Identifier: Apache-2.0
"""The JSON reader against Python's json module, on every JSON document of the shared data.

Both must accept the same documents and find the same content. Python is laxer in three points,
which are made strict here before comparing: NaN, Infinity and -Infinity (parse_constant refuses
them), bytes that are not UTF-8 (decoded strictly), and escaped lone surrogates (Python keeps them,
the reader gives U+FFFD). Numbers are compared when they are integers of 64 bits; every other
number is "num" on both sides. What the dump program's writer does not nest (deeper than 50) is
"deep" on both sides. The order of keys, and keys given twice, count.
"""

import gzip
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHIVES = [
    "reports",
    "advisories-osv",
    "advisories-native",
    "advisories-formats",
    "pkgdb",
    "purl-spec",
    "images",
]
DEPTH_MAX = 50
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def data_folder():
    folder = Path(os.environ.get("CAREEN_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data: {folder} is absent (set CAREEN_TEST_DATA)")
    return folder


def dump_program():
    build = Path(os.environ.get("CAREEN_BUILD_DIR", ROOT / "build" / "release"))
    program = build / "json_dump"
    if not program.exists():
        pytest.skip(f"{program} is not built (set CAREEN_BUILD_DIR)")
    return program


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = data_folder()
    target = tmp_path_factory.mktemp("json")
    for name in ARCHIVES:
        archive = folder / f"{name}.tar.zst"
        if archive.exists():
            (target / name).mkdir()
            subprocess.run(["tar", "--zstd", "-xf", archive, "-C", target / name], check=True)
    return target


def looks_like_json(path):
    """By its name; or, for blobs without one, by its first byte."""
    name = path.name.lower()
    if name.endswith((".json", ".json.gz", ".json.golden", ".sarif", ".jsonld", ".afpkg")):
        return True
    if "." in name:
        return False
    with path.open("rb") as file:
        return file.read(1) in (b"{", b"[")


class Pairs(list):
    """An object as its pairs: told from an array, order and duplicates kept."""


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def integer(text):
    value = int(text)
    return value if -(2**63) <= value < 2**63 else "num"


STRICT = json.JSONDecoder(
    object_pairs_hook=Pairs,
    parse_constant=refuse,
    parse_float=lambda text: "num",
    parse_int=integer,
)


def canonical(value, depth=0):
    """The form that json_dump writes, as one comparable value."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list) and depth >= DEPTH_MAX:
        return "deep"
    if isinstance(value, Pairs):
        return Pairs((canonical(key), canonical(member, depth + 1)) for key, member in value)
    if isinstance(value, list):
        return [canonical(element, depth + 1) for element in value]
    return value


def by_python(content):
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return canonical(STRICT.decode(content.decode("utf-8-sig")))


def same(a, b):
    """Equality that keeps objects and arrays, booleans and integers apart."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, tuple):
        return same(a[0], b[0]) and same(a[1], b[1])
    return a == b


def compare(path, answer):
    """None when reader and Python agree on this document, else what they disagree about."""
    try:
        expected = by_python(path.read_bytes())
    except (ValueError, RecursionError, EOFError, OSError) as error:
        return f"{path}: Python refuses it ({error})" if answer.startswith("+") else None
    if answer.startswith("-"):
        return f"{path}: refused: {answer[1:]}"
    # What was emitted holds no number but integers, and nothing that Python is lax about.
    if not same(STRICT.decode(answer[1:]), expected):
        return f"{path}: the content differs"
    return None


def answers(paths, *options):
    program = dump_program()
    names = "".join(f"{path}\n" for path in paths)
    done = subprocess.run(
        [program, *options], input=names.encode(), stdout=subprocess.PIPE, timeout=120, check=True
    )
    lines = done.stdout.decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(paths)
    return lines


def test_every_document(archives):
    dump_program()
    paths = sorted(
        path
        for path in archives.rglob("*")
        if path.is_file() and not path.is_symlink() and looks_like_json(path)
    )
    assert len(paths) > 1000
    lines = answers(paths)
    wrong = [text for text in map(compare, paths, lines) if text]
    assert not wrong, "\n".join(wrong[:20])
    # Skipping accepts and refuses the same, with the same words.
    for path, line, skipped in zip(paths, lines, answers(paths, "-s")):
        assert skipped == ("+" if line.startswith("+") else line), path


def test_json_lines(archives, tmp_path):
    """Files of one document a line: a sample of the lines, as documents of their own."""
    documents = []
    for path in sorted(archives.rglob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines()[::7]):
            document = tmp_path / f"{len(documents)}-{number}.json"
            document.write_bytes(line)
            documents.append(document)
    if not documents:
        pytest.skip("no .jsonl file in the test data")
    wrong = [text for text in map(compare, documents, answers(documents)) if text]
    assert not wrong, "\n".join(wrong[:20])


def test_comparison_notices(tmp_path):
    """The comparison itself: what must count as different does."""
    pairs = [
        (b'{"a":1,"b":2}', '+{"b":2,"a":1}'),
        (b'{"a":1,"a":2}', '+{"a":2}'),
        (b"[true]", "+[1]"),
        (b"{}", "+[]"),
        (b"[1]", "-refused"),
        (b"[NaN]", '+["num"]'),
        (b'["\xff"]', '+["\xff"]'),
        (b"[1.5]", "+[1]"),
    ]
    for content, answer in pairs:
        document = tmp_path / "document.json"
        document.write_bytes(content)
        assert compare(document, answer), content
    for content, answer in [(b'["\\ud800"]', '+["\ufffd"]'), (b"[1e2]", '+["num"]'), (b"1", "+1")]:
        document.write_bytes(content)
        assert compare(document, answer) is None, content
