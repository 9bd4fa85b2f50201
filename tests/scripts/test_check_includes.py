# SPDX-License-Identifier: Apache-2.0
"""scripts/check-includes finds each kind of wrong include, and passes the right ones."""
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "check-includes"


def check(folder, path, line):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("/* a comment */\n" + line + "\n")
    return subprocess.run([SCRIPT, folder], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "path, line",
    [
        ("codec/a.c", '#include "base/buf.h"'),
        ("codec/a.c", '#include "codec/b.h"'),
        ("fleet/a.h", '#include "store/store.h"'),
        ("cli/a.c", '  #  include "base/err.h"'),
        ("api/a.c", '#include "http/server.h"'),
        ("main.c", '#include "cli/cli.h"'),
        ("codec/a.c", "#include <zlib.h>"),
        ("codec/a.c", "#include <sys/stat.h>"),
        ("index/idset.h", "#include <roaring/roaring.h>"),
        ("store/sqlite/db.c", "#include <sqlite3.h>"),
    ],
)
def test_right(tmp_path, path, line):
    result = check(tmp_path, path, line)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(
    "path, line, why",
    [
        ("base/a.c", '#include "codec/stream.h"', "base may not include codec"),
        ("model/a.h", '#include "store/store.h"', "model may not include store"),
        ("store/a.c", '#include "index/index.h"', "store may not include index"),
        ("sbom/a.c", '#include "store/store.h"', "sbom may not include store"),
        ("version/a.c", '#include "cvss/cvss.h"', "version may not include cvss"),
        ("http/a.c", '#include "model/words.h"', "http may not include model"),
        ("auth/a.c", '#include "http/server.h"', "auth may not include http"),
        ("api/a.c", '#include "cli/cli.h"', "api may not include cli"),
        ("base/a.c", '#include "buf.h"', "names no room"),
        ("base/a.c", '#include "../codec/hex.h"', "is in no room"),
        ("kitchen/a.c", '#include "base/buf.h"', "kitchen is in no table"),
        ("fleet/a.c", "#include <sqlite3.h>", "belongs to store/ alone"),
        ("http/other.c", "#include <microhttpd.h>", "belongs to http/library alone"),
        ("index/index.c", "#include <roaring/roaring.h>", "belongs to index/idset alone"),
        ("base/a.c", "#include <yaml.h>", "which file wraps it"),
    ],
)
def test_wrong(tmp_path, path, line, why):
    result = check(tmp_path, path, line)
    assert result.returncode == 1
    assert result.stdout.startswith(f"{tmp_path / path}:")
    assert why in result.stdout


def test_empty_folder_is_an_error(tmp_path):
    result = subprocess.run([SCRIPT, tmp_path], capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "no C file" in result.stderr
