# SPDX-License-Identifier: Apache-2.0
"""careen ignore, unignore, handle and decisions."""
import csv
import io
import json
import os
import pwd
import re
import shlex
import time
import urllib.parse

import pytest

from asking import ALL, images, json_lines, rows
from documents import grype, grype_match, trivy, trivy_package, trivy_vulnerability, write

MONDAY = 1_700_000_000_000  # 2023-11-14T22:13:20Z
HOUR, DAY = 3_600_000, 86_400_000
AUTHOR = pwd.getpwuid(os.getuid()).pw_name
LOG4J = "CVE-2021-44228"


def report(name, ids=(LOG4J, "CVE-2024-0001"), tag="1.0", aliases=(), package="lib", **more):
    return trivy(name, tag, packages=[trivy_package(package, "1.0")], vulnerabilities=[
        trivy_vulnerability(id, package, severity="CRITICAL", aliases=aliases) for id in ids], **more)


@pytest.fixture
def put(run, tmp_path):
    """put(report, "--image-type", ...): imports it and gives the image's id."""

    def put_report(document, *place, clock_ms=MONDAY):
        path = write(tmp_path, document)
        return json.loads(run("import", path, "-o", "jsonl", *place,
                              clock_ms=clock_ms).stdout.splitlines()[0])["image_id"]

    return put_report


@pytest.fixture
def two(put):
    """The ids of shop/app:1.0 and shop/web:1.0; both have LOG4J and CVE-2024-0001."""
    return put(report("shop/app")), put(report("shop/web"))


def ignore(run, *arguments, reason="not reachable", **more):
    """careen ignore, its answer as JSON."""
    return json.loads(run("ignore", *arguments, "--reason", reason, "-o", "json", **more).stdout)


def statuses(run, *arguments, **more):
    """{(image, version, vulnerability): status} of `careen affected`."""
    text = run("affected", "--all", "-o", "csv", *ALL, *arguments, **more).stdout
    told = {}
    for row in csv.DictReader(io.StringIO(text)):
        handled = {"true": "handled", "false": "open"}[row["is_handled"]]
        status = "ignored" if row["status"] == "vul_status_ignored" else handled
        told[row["image_name"], row["image_version"], row["vul_id"]] = status
    return told


def changed(run, *arguments, **more):
    """The images that do not have LOG4J open."""
    return {(image, tag): status for (image, tag, id), status in
            statuses(run, LOG4J, *arguments, **more).items() if status != "open"}


def decisions(run, *arguments, **more):
    return json.loads(run("decisions", "-o", "json", *arguments, **more).stdout)["decisions"]


# --- ignore ---------------------------------------------------------------------------------------


def test_ignore_says_what_it_did_and_how_to_undo_it(run, two, data_dir):
    done = run("ignore", LOG4J, "--reason", "not reachable")
    assert done.stdout == (
        f"decision 1: {LOG4J} is ignored in the whole project, images to come included\n"
        "changed 2 rows\n"
        f"undo with: careen unignore 1 --data {shlex.quote(str(data_dir))}\n")
    assert done.stderr == ""
    assert statuses(run) == {
        ("shop/app", "1.0", LOG4J): "ignored", ("shop/app", "1.0", "CVE-2024-0001"): "open",
        ("shop/web", "1.0", LOG4J): "ignored", ("shop/web", "1.0", "CVE-2024-0001"): "open"}
    command = shlex.split(done.stdout.splitlines()[-1].removeprefix("undo with: careen "))
    assert run(*command).stdout == "decision 1 is withdrawn; changed 2 rows\n"
    assert set(statuses(run).values()) == {"open"}


def test_lists_show_it(run, two):
    run("ignore", LOG4J, "--image", two[0], "--reason", "x")
    run("handle", LOG4J, "--image", two[1])
    table = run("affected", LOG4J).stdout
    assert re.search(r"shop/app +1.0 +local .* ignored +assessed", table), table
    assert re.search(r"shop/web +1.0 +local .* handled +assessed", table), table
    assert [row["image_name"] for row in rows(run, LOG4J, "--is-handled", "false")] == []
    assert [row["image_name"] for row in rows(run, LOG4J, "--is-handled", "true")] == [
        "shop/app", "shop/web"]
    assert [row["image_name"] for row in rows(run, LOG4J, "--status", "vul_status_ignored")] == [
        "shop/app"]
    assert {vuln["vul_id"]: (vuln["images"], vuln["open_images"])
            for vuln in json_lines(run("vulns", "-o", "jsonl").stdout)} == {
        LOG4J: (2, 0), "CVE-2024-0001": (2, 2)}
    assert re.search(rf"^critical +{LOG4J} +ignored ", run("images", "show", two[0]).stdout, re.M)
    assert re.search(r"^critical +CVE-2024-0001 +open ", run("images", "show", two[0]).stdout, re.M)
    project = json.loads(run("status", "-o", "json").stdout)["projects"][0]
    assert (project["findings"], project["handled"], project["decisions_in_force"]) == (4, 2, 2)


@pytest.mark.parametrize("scope, hit, says", [
    ([], "abcd", "in the whole project,"),
    (["--image-type", "registry"], "bc", r"in the whole project \(registry images\)"),
    (["--repository", "shop/app"], "abd", "in repository shop/app"),
    (["--repository", "docker.io/shop/app"], "abd", ""),
    (["--repository", "shop/app", "--image-type", "local"], "a", ""),
    (["--registry-name", "harbor"], "b", "in registry harbor"),
    (["--cluster-id", "c1"], "d", "in cluster c1"),
    (["--enterprise-project", "team"], "d", "enterprise projects team"),
    (["--enterprise-project", "0,team"], "abcd", "enterprise projects 0, team"),
    (["--enterprise-project", "team", "--enterprise-project=0"], "abcd", ""),
    (["--enterprise-project", "0", "--repository", "shop/app"], "ab", ""),
])
def test_scopes(run, put, scope, hit, says):
    places = {
        "a": [], "b": ["--image-type", "registry", "--registry-name", "harbor"],
        "c": ["--image-type", "registry", "--registry-name", "other"],
        "d": ["--image-type", "cluster", "--cluster-id", "c1", "--enterprise-project", "team"]}
    ids = {put(report("shop/web" if letter == "c" else "shop/app"), *place): letter
           for letter, place in places.items()}
    assert len(ids) == 4
    done = run("ignore", LOG4J, "--reason", "x", *scope)
    assert re.search(says, done.stdout), done.stdout
    ignored = [ids[row["image_id"]] for row in rows(run, LOG4J, "--is-handled", "true")]
    assert "".join(ignored) == hit


def test_images(run, put, two):
    third = put(report("shop/batch"))
    assert ignore(run, LOG4J, "--image", f"{two[0]},{third}")["rows"] == 2
    assert changed(run) == {("shop/app", "1.0"): "ignored", ("shop/batch", "1.0"): "ignored"}
    told = run("ignore", "CVE-2024-0001", "--image", two[0], "--image", two[1], "--reason", "x")
    assert "is ignored in 2 images\nchanged 2 rows\n" in told.stdout
    one = run("ignore", "CVE-2024-0001", "--image", third, "--reason", "x").stdout
    assert f"is ignored in image {third}\nchanged 1 row\n" in one


def test_packages_and_types(run, tmp_path, two):
    run("import", write(tmp_path, trivy("mixed", packages=[
        trivy_package("lib", "1.0"), trivy_package("tool", "1.0")], vulnerabilities=[
        trivy_vulnerability(LOG4J, "lib"), trivy_vulnerability("CVE-2024-0003", "tool")])))
    told = run("ignore", "--package", "lib", "--reason", "headers only").stdout
    assert "any vulnerability in package lib is ignored in the whole project" in told
    assert "changed 5 rows\n" in told
    assert statuses(run)["mixed", "1.0", "CVE-2024-0003"] == "open"
    assert ignore(run, "CVE-2024-0003", "--type", "app_vul")["rows"] == 0
    assert ignore(run, "CVE-2024-0003", "--package", "lib")["rows"] == 0
    assert ignore(run, "CVE-2024-0003", "--package", "tool", "--type", "linux_vul")["rows"] == 1


def test_a_row_is_ignored_when_all_of_its_packages_are(run, tmp_path):
    run("import", write(tmp_path, trivy("app", packages=[
        trivy_package("curl", "1.0"), trivy_package("libcurl", "1.0")], vulnerabilities=[
        trivy_vulnerability(LOG4J, "curl"), trivy_vulnerability(LOG4J, "libcurl")])))
    first = ignore(run, LOG4J, "--package", "curl")
    assert (first["rows"], changed(run)) == (0, {})
    assert ignore(run, "--package", "libcurl")["rows"] == 1
    assert changed(run) == {("app", "1.0"): "ignored"}
    run("unignore", LOG4J, "--package", "curl")
    assert changed(run) == {}


def test_several_vulnerabilities_are_one_decision(run, two):
    told = ignore(run, LOG4J, "CVE-2024-0001", "--whitelist")
    assert (told["rows"], told["reached"], told["decisions"]) == (4, 4, [1])
    made = decisions(run)[0]
    assert sorted(made["vul_ids"]) == sorted([LOG4J, "CVE-2024-0001"])
    assert made["action"] == "add_to_whitelist" and made["rows"] == 4
    assert set(statuses(run).values()) == {"ignored"}
    again = ignore(run, LOG4J)
    assert (again["rows"], again["reached"]) == (0, 2)  # they are ignored already
    text = run("ignore", LOG4J, "--reason", "x").stdout
    assert "changed 0 rows of the 2 that it lies over\n" in text


def test_any_alias_will_do(run, put):
    put(report("shop/app", [LOG4J], aliases=["GHSA-jfh8-c2jp-5v3q"]))
    assert ignore(run, "GHSA-jfh8-c2jp-5v3q")["rows"] == 1
    assert decisions(run)[0]["vul_ids"] == [LOG4J]  # as rows name it
    assert len(decisions(run, "GHSA-jfh8-c2jp-5v3q")) == len(decisions(run, LOG4J)) == 1
    assert decisions(run, "CVE-2024-0001") == []


# --- Previews -------------------------------------------------------------------------------------


def test_dry_run_changes_nothing(run, two):
    before = statuses(run)
    told = run("ignore", LOG4J, "--repository", "shop/app", "--dry-run").stdout
    lines = told.splitlines()
    assert lines[0] == (f"dry run: {LOG4J} would be ignored in repository shop/app, images to come "
                        "included")
    assert lines[1] == "dry run: would change 1 row"
    assert lines[2].split() == ["SEVERITY", "VULNERABILITY", "IMAGE", "STATUS", "NOW"]
    assert lines[3].split() == ["Critical", LOG4J, "shop/app:1.0", "open"] and len(lines) == 4
    assert statuses(run) == before and decisions(run, "--all") == []
    for command in (["unignore", LOG4J], ["handle", LOG4J, "--image", two[0]]):
        assert run(*command, "--dry-run").stdout.startswith("dry run: ")
    assert decisions(run, "--all") == []


def test_dry_run_of_many_rows(run, put):
    ids = [f"CVE-2024-{n}" for n in range(2000, 2023)]
    put(report("shop/app", ids))
    told = run("ignore", *ids, "--reason", "x", "--dry-run").stdout.splitlines()
    assert told[1] == "dry run: would change 23 rows" and told[-1] == "... and 3 more"
    assert len(told) == 2 + 1 + 20 + 1
    exact = run("ignore", *ids[:20], "--reason", "x", "--dry-run").stdout.splitlines()
    assert len(exact) == 2 + 1 + 20
    told = ignore(run, *ids, "--dry-run")
    assert told["dry_run"] is True and told["rows"] == 23 and told["decisions"] == []
    assert [row["vul_id"] for row in told["changes"]] == ids and "undo" not in told
    assert told["changes"][0] == rows(run, ids[0])[0]  # as the call has it


def test_dry_run_of_a_withdrawal(run, two):
    ignore(run, LOG4J)
    assert run("unignore", "1", "--dry-run").stdout == (
        "dry run: decision 1 would be withdrawn; would change 2 rows\n")
    assert json.loads(run("unignore", "1", "--dry-run", "-o", "json").stdout) == {
        "dry_run": True, "withdrawn": [{"number": 1, "rows": 2}]}
    assert len(changed(run)) == 2
    assert "no decision 2\n" in run("unignore", "2", "--dry-run", expect=1).stderr
    run("unignore", "1")
    assert "withdrawn" in run("unignore", "1", "--dry-run", expect=1).stderr


def test_dry_run_of_several_withdrawals(run, two):
    """What it foretells of each is what comes, with those before it gone."""
    ignore(run, LOG4J, "--repository", "shop/app")
    ignore(run, LOG4J)
    run("unignore", LOG4J, "--image", two[0])
    for numbers, rows in ((["1"], [0]), (["2"], [1]), (["3"], [1]), (["1", "2"], [0, 1]),
                          (["3", "2", "1"], [0, 1, 0]), (["2", "3"], [1, 1])):
        foretold = json.loads(run("unignore", *numbers, "--dry-run", "-o", "json").stdout)
        assert [one["rows"] for one in foretold["withdrawn"]] == rows, numbers
    assert len(decisions(run)) == 3
    done = json.loads(run("unignore", "2", "3", "-o", "json").stdout)
    assert [one["rows"] for one in done["withdrawn"]] == [1, 1]


# --- What looks like a mistake --------------------------------------------------------------------


def test_a_vulnerability_that_nothing_has(run, put, two):
    done = run("ignore", "CVE-2024-9999", "--reason", "x")
    assert done.stderr == ("careen ignore: nothing in this project has CVE-2024-9999 now: is the "
                           "name right?\n")
    assert "changed 0 rows\n" in done.stdout
    put(report("shop/new", ["CVE-2024-9999"]))
    assert statuses(run)["shop/new", "1.0", "CVE-2024-9999"] == "ignored"


def test_a_place_that_has_it_not(run, two):
    done = run("ignore", LOG4J, "--repository", "shop/apq", "--reason", "x")
    assert done.stderr == ("careen ignore: nothing in repository shop/apq has it now: is that "
                           "right?\n")
    assert decisions(run)[0]["place"] == "shop/apq"


def test_a_name_that_advisories_cover(run, tmp_path, two):
    run("import", write(tmp_path, grype("euler", os=("euleros", "2.0"), matches=[
        grype_match("EulerOS-SA-2023-3326", "kernel", related=["CVE-2023-1111", LOG4J],
                    type="rpm")])))
    only = run("ignore", "CVE-2023-1111", "--reason", "x")
    assert only.stderr == (
        "careen ignore: CVE-2023-1111 is only covered by EulerOS-SA-2023-3326, whose rows stay as "
        "they are: name that, too, to reach them\n")
    assert "changed 0 rows\n" in only.stdout
    both = run("ignore", LOG4J, "--reason", "x")
    assert "also covered by EulerOS-SA-2023-3326" in both.stderr
    assert changed(run).keys() == {("shop/app", "1.0"), ("shop/web", "1.0")}
    assert run("ignore", LOG4J, "EulerOS-SA-2023-3326", "--reason", "x").stderr == ""
    assert len(changed(run)) == 3


@pytest.mark.parametrize("command, message", [
    ([], "say which vulnerability"),
    ([LOG4J], "--reason"),
    ([LOG4J, "--reason", ""], "--reason is empty"),
    ([LOG4J, "--reason", "a\nb"], "--reason must be one line"),
    ([LOG4J, "--reason", "\x1b[2J"], "--reason must be one line"),
    ([LOG4J, "--reason", "x" * 513], "longer than 512"),
    (["", "--reason", "x"], "VUL_ID is empty"),
    (["CVE\t1", "--reason", "x"], "VUL_ID must be one line"),
    (["x" * 257, "--reason", "x"], "longer than 256"),
    ([LOG4J, "--reason", "x", "--type", "linux"], "--type must be app_vul or linux_vul"),
    ([LOG4J, "--reason", "x", "--image-type", "vm"], "--image-type must be"),
    ([LOG4J, "--reason", "x", "--repository", "a", "--cluster-id", "c"], "exclude each other"),
    ([LOG4J, "--reason", "x", "--repository", "shop/app:1.0"], "without tag and digest"),
    ([LOG4J, "--reason", "x", "--repository", ""], "the place is empty"),
    ([LOG4J, "--reason", "x", "--repository", "a b"], "a b"),
    ([LOG4J, "--reason", "x", "--image", "nonsense"], '"nonsense"'),
    ([LOG4J, "--reason", "x", "--image", ""], "empty element"),
    ([LOG4J, "--reason", "x", "--package", ""], "--package is empty"),
    ([LOG4J, "--reason", "x", "--enterprise-project", "all_granted_eps"], "leave"),
    ([LOG4J, "--reason", "x", "--enterprise-project", "a,,b"], "empty element"),
    ([LOG4J, "--reason", "x", "--expires-in", "soon"], '--expires-in: must be a number'),
    ([LOG4J, "--reason", "x", "--expires-at", "2001-02-30"], '"2001-02-30"'),
    ([LOG4J, "--reason", "x", "--expires-at", "2001-02-03"], "2001-02-03 is past"),
    ([LOG4J, "--reason", "x", "--expires-in", "1d", "--expires-at", "2901-02-03"],
     "exclude each other"),
    ([LOG4J, "--reason", "x", "-o", "csv"], "-o must be one of table, json"),
])
def test_mistakes_of_ignore(run, two, command, message):
    result = run("ignore", *command, expect=None)
    assert result.returncode in (1, 2) and message in result.stderr, result
    assert result.stdout == "" and "\x1b" not in result.stderr
    assert decisions(run, "--all") == []


@pytest.mark.parametrize("command, status, message", [
    (["unignore"], 2, "say which vulnerability"),
    (["unignore", "1", LOG4J], 2, "not both"),
    (["unignore", "0"], 1, "there is no decision 0"),
    (["unignore", "7"], 1, "7"),
    (["unignore", "99999999999999999999"], 1, "there is no decision 99999999999999999999"),
    (["unignore", "1", "--reason", "x"], 2, "--reason goes with VUL_ID"),
    (["unignore", "1", "--repository", "x"], 2, "--repository goes with VUL_ID"),
    (["handle", LOG4J], 2, "--image"),
    (["handle", "--image", "00000000-0000-5000-8000-000000000000"], 2, "say which vulnerability"),
    (["handle", LOG4J, "--image", "00000000-0000-5000-8000-000000000000"], 1, "there is no image"),
    (["handle", LOG4J, "--repository", "x"], 2, "--repository"),
    (["decisions", "a", "b"], 2, "one vulnerability"),
    (["decisions", ""], 2, "empty"),
    (["decisions", "-o", "spdx"], 2, "-o must be one of"),
])
def test_mistakes_of_the_others(run, two, command, status, message):
    ignore(run, "CVE-2024-0001")
    result = run(*command, expect=status)
    assert message in result.stderr and result.stdout == ""
    assert len(decisions(run, "--all")) == 1 and len(decisions(run)) == 1


# --- Undoing --------------------------------------------------------------------------------------


def test_withdrawing_several(run, two):
    ignore(run, LOG4J, "--repository", "shop/app")
    ignore(run, LOG4J)
    ignore(run, "CVE-2024-0001")
    assert json.loads(run("unignore", "2", "1", "-o", "json").stdout) == {
        "dry_run": False, "withdrawn": [{"number": 1, "rows": 0}, {"number": 2, "rows": 2}]}
    result = run("unignore", "3", "9", expect=1)
    assert result.stdout == "decision 3 is withdrawn; changed 2 rows\n" and "9" in result.stderr
    assert "withdrawn" in run("unignore", "3", expect=1).stderr  # it has ended
    assert set(statuses(run).values()) == {"open"} and decisions(run) == []


def test_a_newer_decision_opens_a_part(run, put, two):
    ignore(run, LOG4J)
    told = run("unignore", LOG4J, "--repository", "shop/app", "--reason", "reachable").stdout
    assert f"decision 2: {LOG4J} is open again in repository shop/app" in told
    assert "changed 1 row\n" in told
    assert changed(run) == {("shop/web", "1.0"): "ignored"}
    put(report("shop/app", tag="2.0"), clock_ms=MONDAY + 1)
    put(report("shop/new"), clock_ms=MONDAY + 1)
    assert changed(run) == {("shop/web", "1.0"): "ignored", ("shop/new", "1.0"): "ignored"}
    run("unignore", "2")  # withdraws what opened it
    assert len(changed(run)) == 4


# --- Stories --------------------------------------------------------------------------------------


def test_a_decision_covers_later_images_until_it_expires(run, put, two):
    told = run("ignore", LOG4J, "--repository", "shop/app", "--reason", "until the release",
               "--expires-in", "90d", clock_ms=MONDAY).stdout
    assert ("decision 1: CVE-2021-44228 is ignored in repository shop/app, images to come included, "
            "until 2024-02-12T22:13:20.000Z\n") in told
    put(report("shop/app", tag="1.1"), clock_ms=MONDAY + DAY)
    put(report("shop/other"), clock_ms=MONDAY + DAY)
    still = MONDAY + 90 * DAY - 1
    assert changed(run, clock_ms=still) == {("shop/app", "1.0"): "ignored",
                                            ("shop/app", "1.1"): "ignored"}
    assert changed(run, clock_ms=still + 1) == {}
    assert [decision["state"] for decision in decisions(run, clock_ms=still)] == ["in_force"]
    assert decisions(run, clock_ms=still + 1) == []
    ended, = decisions(run, "--all", clock_ms=still + 1)
    assert (ended["state"], ended["rows"]) == ("expired", 0)
    state = json.loads(run("status", "-o", "json", clock_ms=still + 1).stdout)["projects"][0]
    assert (state["handled"], state["decisions_in_force"]) == (0, 0)
    run("ignore", LOG4J, "--reason", "again", "--expires-at", "2024-06-01", clock_ms=still + 1)
    renewed, = decisions(run, clock_ms=still + 1)
    assert renewed["expires_ms"] == 1_717_200_000_000 and renewed["number"] == 2
    assert len(changed(run, clock_ms=still + 1)) == 4


def test_a_repair_holds_until_a_later_report_finds_it_again(run, put, two):
    told = run("handle", LOG4J, "--image", two[0], "--reason", "patched in place",
               clock_ms=MONDAY + HOUR).stdout
    assert f"{LOG4J} is handled in image {two[0]}, until a later report still finds it\n" in told
    assert changed(run) == {("shop/app", "1.0"): "handled"}
    row, = rows(run, LOG4J, "--image-name", "shop/app")
    assert row["status"] == "vul_status_unfix"
    put(report("shop/web"), clock_ms=MONDAY + 2 * HOUR)  # another image
    assert changed(run) == {("shop/app", "1.0"): "handled"}
    put(report("shop/app"), clock_ms=MONDAY + 2 * HOUR)
    assert changed(run) == {}
    run("handle", LOG4J, "--image", two[0], clock_ms=MONDAY + 3 * HOUR)
    put(report("shop/app", ["CVE-2024-0001"]), clock_ms=MONDAY + 4 * HOUR)  # it is gone
    assert ("shop/app", "1.0", LOG4J) not in statuses(run)


# --- The list -------------------------------------------------------------------------------------


@pytest.fixture
def history(run, put, two):
    """Four decisions: in force with all conditions, expired, withdrawn, a repair."""
    run("ignore", LOG4J, "CVE-2024-0001", "--repository", "shop/app", "--image-type", "local",
        "--type", "linux_vul", "--enterprise-project", "0,team", "--package", "lib", "--reason",
        "one", "--expires-at", "2024-01-31T12:00+08:00", clock_ms=MONDAY)
    run("ignore", "--package", "lib", "--reason", "two", "--expires-in", "1h", clock_ms=MONDAY)
    run("ignore", LOG4J, "--whitelist", "--reason", "three", clock_ms=MONDAY)
    run("unignore", "3", clock_ms=MONDAY + 2 * HOUR)
    run("handle", LOG4J, "--image", ",".join(two), clock_ms=MONDAY + 2 * HOUR)
    return two


def test_decisions_as_json(run, history):
    now = {"clock_ms": MONDAY + 2 * HOUR}
    told = decisions(run, "--all", **now)
    assert told[0] == {
        "number": 1, "action": "ignore", "vul_ids": told[0]["vul_ids"], "package": "lib",
        "type": "linux_vul", "scope": "repository", "place": "shop/app", "image_type": "local",
        "enterprise_project_ids": ["0", "team"], "author": AUTHOR, "reason": "one",
        "created_ms": MONDAY, "expires_ms": 1_706_673_600_000, "state": "in_force", "rows": 2}
    assert sorted(told[0]["vul_ids"]) == [LOG4J, "CVE-2024-0001"]
    assert {key: told[1][key] for key in ("package", "scope", "state", "expires_ms", "rows")} == {
        "package": "lib", "scope": "project", "state": "expired", "expires_ms": MONDAY + HOUR,
        "rows": 0}
    assert "vul_ids" not in told[1]
    assert {key: told[2][key] for key in ("action", "state", "ended_ms", "ended_by")} == {
        "action": "add_to_whitelist", "state": "withdrawn", "ended_ms": MONDAY + 2 * HOUR,
        "ended_by": AUTHOR}
    assert told[3]["image_ids"] == sorted(history) and told[3]["rows"] == 2
    assert [decision["number"] for decision in decisions(run, **now)] == [1, 4]
    assert json_lines(run("decisions", "--all", "-o", "jsonl", **now).stdout) == told
    assert [decision["number"] for decision in decisions(run, LOG4J, "--all", **now)][0] == 1
    assert 4 not in [one["number"] for one in decisions(run, "CVE-2024-0001", "--all", **now)]


def test_decisions_as_a_table(run, history):
    table = run("decisions", "--all", clock_ms=MONDAY + 2 * HOUR).stdout
    lines = table.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ["NUMBER", "ACTION", "WHAT", "WHERE", "UNTIL", "ROWS"]
    for line in ("     1  ignore     .* \\+1 +repository shop/app +2024-01-31 +2",
                 f"        {AUTHOR}, 2023-11-14: one",
                 "        only: package lib linux_vul local images",
                 "        enterprise projects: 0, team",
                 "     2  ignore     all of lib +the whole project +expired +0",
                 "     3  whitelist  CVE-2021-44228 +the whole project +withdrawn +0",
                 f"        withdrawn 2023-11-15T00:13:20Z by {AUTHOR}",
                 "     4  repair     CVE-2021-44228 +2 images +2",
                 f"        images: {' '.join(sorted(history))}"):
        assert re.search(f"^{line}$", table, re.M), (line, table)
    assert lines[-1] == "4 decisions"
    assert run("decisions", "CVE-1999-0001").stdout == "0 decisions\n"


def test_decisions_as_csv(run, history):
    text = run("decisions", "--all", "-o", "csv", clock_ms=MONDAY + 2 * HOUR).stdout
    read = list(csv.DictReader(io.StringIO(text)))
    told = decisions(run, "--all", clock_ms=MONDAY + 2 * HOUR)
    names = {"created_time": "created_ms", "expires_time": "expires_ms", "ended_time": "ended_ms"}
    for record, decision in zip(read, told, strict=True):
        for key, value in record.items():
            known = decision.get(names.get(key, key), "")
            assert value == (" ".join(known) if isinstance(known, list) else str(known)), key


def test_long_names_are_cut_in_the_table_only(run, put):
    long = "harbor.example.com/" + "x" * 60 + "/app"
    put(report(long, ["DISTRIBUTOR-ADVISORY-2024-000123456789"], package="p" * 60))
    run("ignore", "DISTRIBUTOR-ADVISORY-2024-000123456789", "--package", "p" * 60, "--repository",
        long, "--reason", "long")
    lines = run("decisions").stdout.splitlines()
    assert len(lines[0]) <= 100 and len(lines[1]) <= 100
    assert lines[1].count("…") == 2
    assert lines[3:6] == ["        vulnerabilities: DISTRIBUTOR-ADVISORY-2024-000123456789",
                          f"        repository {long}", f"        only: package {'p' * 60}"]
    assert decisions(run)[0]["place"] == long


# --- Hostile input --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "'; DROP TABLE decision;--", '"quoted", and more', "=1+1", "%s%n%d", "$(reboot)", "漏洞 🎉",
    "a" * 256, "../../etc/passwd", "1 2", "-", "{}", "\\u0000"])
def test_names_and_reasons_come_back_as_they_were(run, two, text):
    run("ignore", "--reason", text, "--", text)
    made, = decisions(run)
    assert (made["vul_ids"], made["reason"], made["author"]) == ([text], text, AUTHOR)
    record, = csv.DictReader(io.StringIO(run("decisions", "-o", "csv").stdout))
    disarmed = "'" + text if text[0] in "=+-@" else text
    assert (record["vul_ids"], record["reason"]) == (disarmed, disarmed)
    assert f": {text}\n" in run("decisions").stdout
    assert len(decisions(run, "--", text)) == 1
    run("unignore", "1")
    assert len(rows(run)) == 4


@pytest.mark.parametrize("text", ["\udcff\udcfe", "a\u202eb", "a\x7fb", "a\u2028b"])
def test_texts_that_are_no_line_are_refused(run, two, text):
    for arguments in ([LOG4J, "--reason", text], [text, "--reason", "x"],
                      [LOG4J, "--reason", "x", "--registry-name", text],
                      [LOG4J, "--reason", "x", "--package", text]):
        assert "one line of UTF-8" in run("ignore", *arguments, expect=2).stderr
    assert decisions(run, "--all") == []


def test_the_undo_command_is_quoted(careen, tmp_path, folder):
    folder.path = tmp_path / "it's $HOME; here"
    folder.run("import", write(tmp_path, report("shop/app")), "--project", "default")
    done = folder.run("ignore", LOG4J, "--reason", "x").stdout.splitlines()[-1]
    words = shlex.split(done.removeprefix("undo with: "))
    assert words == ["careen", "unignore", "1", "--data", str(folder.path)]
    assert words[-1] not in done  # it needed quotes


def test_projects_are_apart(run, put, two):
    run("project", "create", "other")
    put(report("shop/app"), "--project", "other")
    done = run("ignore", LOG4J, "--reason", "x", "--project", "other").stdout
    assert "undo with: careen unignore 1 --project other" in done
    assert changed(run) == {} and decisions(run) == []
    assert len(changed(run, "--project", "other")) == 1
    assert "1" in run("unignore", "1", expect=1).stderr  # of the other project
    run("unignore", "1", "--project", "other")
    assert changed(run, "--project", "other") == {}


def test_without_a_data_folder(run, data_dir):
    for command in (["ignore", LOG4J, "--reason", "x"], ["decisions"], ["unignore", "1"],
                    ["ignore", LOG4J, "--reason", "x", "--dry-run"]):
        assert "there is no store" in run(*command, expect=1).stderr
    assert not data_dir.exists()


# --- Beside a running server ----------------------------------------------------------------------


def ask(server, token, handled):
    query = urllib.parse.urlencode({
        "vul_id": LOG4J, "type": "linux_vul", "image_type": "local", "is_handled": handled})
    answer = server.get(f"/v5/default/vulnerability/images?{query}", token=token)
    assert answer.status == 200, answer.body
    return {row["image_name"]: row["status"] for row in answer.json["data_list"]}


def within_a_second(server, token, expected):
    until = time.monotonic() + 1
    while ask(server, token, "true") != expected and time.monotonic() < until:
        time.sleep(0.02)
    assert ask(server, token, "true") == expected


def test_a_running_server_answers_so_within_a_second(run, put, two, token, server):
    assert ask(server, token, "true") == {}
    run("ignore", LOG4J, "--repository", "shop/app", "--reason", "x")
    within_a_second(server, token, {"shop/app": "vul_status_ignored"})
    assert ask(server, token, "false") == {"shop/web": "vul_status_unfix"}
    run("handle", LOG4J, "--image", two[1])
    within_a_second(server, token, {"shop/app": "vul_status_ignored",
                                    "shop/web": "vul_status_unfix"})
    run("unignore", "1", "2")
    within_a_second(server, token, {})
    assert len(images(run)) == 2


@pytest.mark.parametrize("command", ["ignore", "unignore", "handle", "decisions"])
def test_help_has_examples(run, command):
    told = run(command, "--help").stdout
    assert re.search(rf"^  careen {command} ", told, re.M)
    assert max(map(len, told.splitlines())) <= 110
