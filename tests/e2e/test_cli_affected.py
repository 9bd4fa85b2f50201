# SPDX-License-Identifier: Apache-2.0
"""careen affected in its four formats: the same rows, the call's bytes, and fit for a screen."""
import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import unicodedata
import urllib.parse

import pytest

from asking import ALL, images, json_lines, rows
from documents import grype, grype_match, trivy, trivy_package, trivy_vulnerability, write

SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
SEVERITY_COLOURS = {"Critical": "\x1b[1;31m", "High": "\x1b[31m", "Medium": "\x1b[33m"}
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def report(name, ids, **more):
    return trivy(name, packages=[trivy_package("lib", "1.0")], vulnerabilities=[
        trivy_vulnerability(id, "lib", severity=SEVERITIES[at % 4]) for at, id in enumerate(ids)],
        **more)


@pytest.fixture
def fleet(run, tmp_path):
    """A fleet of 5 images with 250 rows in the default enterprise project, and one elsewhere."""
    for at, options in enumerate([
        [],
        ["--image-type", "registry", "--registry-name", "Harbor 1", "--registry-type", "Harbor"],
        ["--image-type", "cluster", "--cluster-id", "c-1", "--containers", "4"],
        ["--image-type", "cicd"], ["--organization", "org"],
    ]):
        ids = [f"CVE-2024-{number:04}" for number in range(at, 50 + at)]
        run("import", write(tmp_path, report(f"app{at}/web", ids)), *options)
    run("import", write(tmp_path, report("elsewhere", ["CVE-2024-0001"])),
        "--enterprise-project", "ep-2")
    return run


# --- The same answer as the call's ----------------------------------------------------------------


FILTERS = [
    {"vul_id": "CVE-2024-0004"},
    {"vul_id": "CVE-2024-0004", "image_type": "registry"},
    {"vul_id": "CVE-1999-0001"},
    {},
    {"limit": "200"},
    {"limit": "50", "offset": "190"},
    {"offset": "1000"},
    {"after": "2.7", "limit": "20"},
    {"type": "linux_vul", "repair_necessity": "Critical"},
    {"type": "app_vul"},
    {"is_handled": "true"},
    {"status": "vul_status_unfix", "image_name": "app1"},
    {"registry_name": "Harbor 1", "registry_type": "Harbor"},
    {"cluster_id": "c-1", "image_type": "cluster"},
    {"enterprise_project_id": "ep-2"},
    {"enterprise_project_id": "all_granted_eps", "vul_id": "CVE-2024-0001"},
    {"image_name": "no such image"},
]


def as_options(filters):
    options = [filters["vul_id"]] if "vul_id" in filters else []
    for name, value in filters.items():
        if name != "vul_id":
            options += ["--" + name.replace("_", "-"), value]
    return options


def test_json_is_the_body_of_the_call(fleet, folder):
    run, token, server = fleet, folder.token(), folder.serve()
    for filters in FILTERS:
        query = {"is_handled": "false", "vul_id": "", "type": "", "image_type": "", **filters}
        answer = server.get(
            "/v5/default/vulnerability/images?" + urllib.parse.urlencode(
                query, quote_via=urllib.parse.quote), token)
        assert answer.status == 200, (filters, answer.body)
        told = run("affected", "-o", "json", *as_options({"is_handled": "false", **filters}),
                   expect=None)
        assert told.returncode == (4 if filters.get("image_name") == "no such image" else 0)
        assert told.stdout.encode() == answer.body, filters


def test_every_format_has_the_same_rows(fleet):
    run = fleet
    expected = [(row["vul_id"], row["image_name"]) for row in rows(run, *ALL)]
    assert len(expected) == 251
    lines = run("affected", "--all", *ALL).stdout.splitlines()
    assert [tuple(line.split()[1:3]) for line in lines[1:-1]] == expected
    assert lines[-1] == "251 rows"
    records = list(csv.DictReader(io.StringIO(run("affected", "--all", "-o", "csv", *ALL).stdout)))
    assert [(record["vul_id"], record["image_name"]) for record in records] == expected
    paged, after = [], "0.0"
    while after:
        page = json.loads(run("affected", "-o", "json", "--after", after, "--limit", "100",
                              *ALL).stdout)
        assert page["total_num"] == 251
        paged += page["data_list"]
        after = page.get("next")
    assert [(row["vul_id"], row["image_name"]) for row in paged] == expected
    assert paged == rows(run, *ALL)


def test_one_page_is_the_default(fleet):
    run = fleet
    assert len(json_lines(run("affected", "-o", "jsonl").stdout)) == 10
    lines = run("affected").stdout.splitlines()
    assert len(lines) == 12
    assert lines[-1] == "10 of 250 rows; --limit and --offset choose others, --all shows all"
    assert run("affected", "CVE-1999-0001").stdout == "0 rows\n"
    some = run("affected", "--all", "--limit", "10", "--offset", "240", "-o", "jsonl").stdout
    assert len(json_lines(some)) == 10


def test_csv_columns_are_those_of_the_call(run, tmp_path):
    run("import", write(tmp_path, report("web", ["CVE-2024-0001"])), "--image-type", "registry",
        "--registry-name", "r", "--containers", "3", clock_ms=1_700_000_000_000)
    record = list(csv.DictReader(io.StringIO(run("affected", "-o", "csv").stdout)))[0]
    row = rows(run)[0]
    assert record.pop("is_handled") == "false"  # the call has a filter for it, no member
    assert record == {key: str(row.get(key, "")) for key in record}
    assert record["first_scan_time"] == "1700000000000" and record["container_num"] == "3"


HOSTILE = [  # registry name; the field of the CSV line
    ('a "quoted" one', '"a ""quoted"" one"'),
    ("one, two", '"one, two"'),
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ('=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'),
    ("仓库 №1", "仓库 №1"),
    ("plain=1", "plain=1"),
]


@pytest.mark.parametrize("name, field", HOSTILE, ids=[name for name, _ in HOSTILE])
def test_csv_quotes_and_disarms(run, tmp_path, name, field):
    run("import", write(tmp_path, report("web", ["CVE-2024-0001"])), "--image-type", "registry",
        "--registry-name=" + name)
    line = run("affected", "-o", "csv").stdout.splitlines()[1]
    assert f",registry,{field}," in line
    assert rows(run, "--registry-name", name)[0]["registry_name"] == name
    record = list(csv.reader([line]))[0]
    assert record[9].lstrip("'") == name


def test_csv_disarms_ids_of_vulnerabilities(run, tmp_path):
    run("import", write(tmp_path, report("web", ["=cmd|' /C calc'!A0"])))
    record = list(csv.DictReader(io.StringIO(run("affected", "-o", "csv").stdout)))[0]
    assert record["vul_id"] == "'=cmd|' /C calc'!A0"


# --- On a screen ----------------------------------------------------------------------------------


def on_terminal(careen, data_dir, *arguments, **environment):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [careen, "--data", data_dir, *arguments], stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=theirs, env={**os.environ, "TERM": "xterm", **environment})
    os.close(theirs)
    said = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed
            some = b""
        if not some:
            break
        said += some
    os.close(ours)
    assert process.wait(60) == 0, said
    return said.decode()


def test_colours_only_on_a_terminal(run, careen, data_dir, tmp_path):
    run("import", write(tmp_path, report("web", [f"CVE-2024-000{at}" for at in range(4)])))
    plain = run("affected").stdout
    assert "\x1b" not in plain
    image_id = images(run)[0]["image_id"]
    for command in (["affected"], ["vulns"], ["images", "list"], ["images", "show", image_id]):
        coloured = on_terminal(careen, data_dir, *command, NO_COLOR="")
        assert "\x1b[" in coloured, command
        expected = run(*command).stdout
        assert ESCAPE.sub("", coloured).replace("\r\n", "\n") == expected, command
        assert "\x1b" not in on_terminal(careen, data_dir, *command, NO_COLOR="1")
        assert "\x1b" not in expected
    shown = on_terminal(careen, data_dir, "affected", NO_COLOR="")
    for word, colour in SEVERITY_COLOURS.items():
        assert f"{colour}{word}\x1b[0m" in shown
    for format in ("json", "jsonl", "csv"):
        assert "\x1b" not in on_terminal(careen, data_dir, "affected", "-o", format)


def test_progress_only_on_a_terminal(run, careen, data_dir, tmp_path):
    paths = [str(write(tmp_path, report(f"app{at}", ["CVE-2024-0001"]), f"{at}.json"))
             for at in range(20)]
    assert run("import", *paths).stderr == ""
    shown = on_terminal(careen, data_dir, "import", *paths)
    assert "20/20 reports" in shown
    assert shown.endswith(
        "\r\x1b[K20 images, 20 packages, 20 findings, 0 appeared, 0 retracted\r\n")


def columns(line):
    """The columns of the screen that a line's characters start at."""
    at, starts = 0, []
    for char in line:
        starts.append(at)
        at += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return starts


@pytest.mark.parametrize("name", [
    "镜像仓库", "レジストリ", "레지스트리", "ＡＢＣ", "Ünïcödé", "😀😀", "混 mixed 合", "𠀋𠀋"])
def test_wide_characters_are_aligned(run, tmp_path, name):
    path = write(tmp_path, report("web", ["CVE-2024-0001"]))
    for registry in ("plain", name):
        run("import", path, "--image-type", "registry", "--registry-name", registry)
    for command in (["affected"], ["images", "list"]):
        lines = run(*command).stdout.splitlines()
        ends = [columns(line)[line.index(mark) + len(mark) - 1] for line, mark in
                [(lines[0], "CONTAINERS"), (lines[1], "  0  "), (lines[2], "  0  ")]]
        if command == ["affected"]:  # right-aligned numbers end where their heading does
            assert [end - 2 for end in ends[1:]] == [ends[0]] * 2, lines
        starts = [columns(line)[line.index(mark)] for line, mark in
                  [(lines[0], "ASSESSMENT"), (lines[1], "assessed"), (lines[2], "assessed")]]
        assert len(set(starts)) == 1, lines


# --- Standard output that fails -------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    ["affected"], ["affected", "-o", "json"], ["affected", "-o", "jsonl", "--all"],
    ["affected", "-o", "csv"], ["vulns"], ["images", "list"], ["status"], ["token", "list"],
    ["project", "list"], ["token", "create"], ["import", "-o", "jsonl"], ["import"],
    ["images", "set", "containers=1", "--image-name", "web", "--yes"], ["--help"],
    ["affected", "--help"],
], ids=" ".join)
def test_a_full_disk_behind_standard_output(run, careen, data_dir, tmp_path, arguments):
    path = write(tmp_path, report("web", ["CVE-2024-0001"]))
    run("import", path)
    command = [careen, "--data", data_dir, *arguments] + [path] * (arguments[0] == "import")
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert "cannot write" in result.stderr


def test_a_reader_that_goes_away(fleet, careen, data_dir):
    """careen affected --all | head -1"""
    process = subprocess.Popen([careen, "--data", data_dir, "affected", "--all", "-o", "jsonl"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stderr.read()
    process.stderr.close()
    assert process.wait(60) in (1, -signal.SIGPIPE)


# --- What an answer admits ------------------------------------------------------------------------


def test_nothing_asked_about_is_no_good_news(run, tmp_path):
    run("project", "create", "other")
    run("import", write(tmp_path, report("full", ["CVE-2024-0001"])), "--project", "other")
    says = "no image was asked about: project \"{}\" has none, or none that the filters choose\n"
    for format in ("table", "json", "jsonl", "csv"):
        assert run("affected", "CVE-2024-0001", "-o", format, expect=4).stderr == (
            "careen affected: " + says.format("default"))
    assert says.format("other") in run("affected", "--project", "other", "--image-name", "no",
                                       expect=4).stderr
    assert run("affected", "--project", "other").stderr == ""


def test_exit_status_says_when_nothing_found_is_not_enough(run, tmp_path):
    run("import", write(tmp_path, report("full", ["CVE-2024-0001"])))
    assert run("affected", "CVE-1999-0001", expect=0).stderr == ""
    run("import", write(tmp_path, grype("bare", matches=[grype_match("CVE-2024-0002", "lib")])),
        "--image-type", "registry")
    run("import", write(tmp_path, grype("blank")))
    result = run("affected", "CVE-1999-0001", expect=4)
    assert "2 of the 3 images asked about are not fully assessed (1 partly, 1 not at all)" in (
        result.stderr)
    assert result.stdout == "0 rows\n"
    for format in ("json", "jsonl", "csv"):
        run("affected", "CVE-1999-0001", "-o", format, expect=4)
    # Something was found: done, with the warning. In scope, all are assessed: done.
    assert "not fully assessed" in run("affected", "CVE-2024-0001", expect=0).stderr
    assert run("affected", "CVE-1999-0001", "--image-name", "full", expect=0).stderr == ""
    run("affected", "CVE-1999-0001", "--image-type", "registry", expect=4)
    run("affected", "CVE-1999-0001", "--image-type", "cluster", expect=4)
    words = run("affected", "--all").stdout
    assert "partly_assessed" in words and words.count("assessed") == 2
