# SPDX-License-Identifier: Apache-2.0
"""The command line as such: help, mistakes in it, the data folder, projects, tokens, status."""
import json
import os
import re
import subprocess

import pytest

from asking import json_lines
from documents import grype, grype_match, trivy, trivy_package, trivy_vulnerability, write

DECIDING = ["--project", "--dry-run", "-o", "--reason", "--package", "--type", "--image"]
SCOPE = ["--project", "--enterprise-project", "--image-type", "--image-id", "--image-name",
         "--registry-name", "--registry-type", "--cluster-id", "--image-type-in",
         "--enterprise-project-in", "--image-id-in", "--registry-name-in", "--registry-type-in",
         "--cluster-id-in", "--only-latest", "--running"]
GRANT = ["--project", "--all-projects", "--enterprise-project"]
OPTIONS = {  # every command, and every option that its help must name
    "import": ["--project", "-o", "--enterprise-project", "--image-type", "--registry-type",
               "--registry-name", "--organization", "--cluster-id", "--cluster-name", "--agent-id",
               "--pipeline", "--containers", "--multi-arch", "--name", "--version"],
    "scan": ["--platform", "-o", "--cache", "--no-cache", "--cache-size", "--server", "--token",
             "--ca", "--project", "--allow-empty", "--enterprise-project", "--image-type",
             "--registry-type", "--registry-name", "--organization", "--cluster-id",
             "--cluster-name", "--agent-id", "--pipeline", "--containers", "--multi-arch", "--name",
             "--version"],
    "affected": SCOPE + ["--all", "-o", "--offset", "--limit", "--is-handled", "--type",
                         "--repair-necessity", "--status", "--after", "--sort", "--vul-id-in",
                         "--type-in", "--repair-necessity-in", "--status-in", "--first-seen-since",
                         "--fixable", "--package-name", "--include"],
    "vulns": SCOPE + ["-o"],
    "images list": SCOPE + ["-o"],
    "images show": ["--project", "-o"],
    "images set": SCOPE + ["--yes"],
    "images rm": SCOPE + ["--yes"],
    "ignore": DECIDING + ["--repository", "--registry-name", "--cluster-id", "--image-type",
                          "--enterprise-project", "--expires-in", "--expires-at", "--whitelist"],
    "unignore": DECIDING + ["--repository", "--registry-name", "--cluster-id", "--image-type",
                            "--enterprise-project"],
    "handle": DECIDING,
    "decisions": ["--project", "--all", "-o"],
    "status": ["-o"],
    "serve": ["--config", "--check", "--listen", "--threads", "--workers", "--domain",
              "--strict-parameters", "--max-report-bytes", "--log-keep-days", "--access-log",
              "--no-access-log", "--log-level", "--log-format", "--tls-certificate", "--tls-key",
              "--trusted-proxies", "--max-connections", "--max-connections-per-address",
              "--header-timeout", "--body-timeout", "--idle-timeout", "--rate-limit-per-user",
              "--refusals-per-address", "--retention-superseded", "--retention-unseen",
              "--metrics-open", "--compress-answers", "--no-compress-answers", "--load",
              "--max-header-bytes", "--memory-budget"],
    "prune": ["--superseded", "--unseen", "--project", "--all-projects", "--whole", "--dry-run",
              "-o"],
    "backup": ["--without-key"],
    "restore": [],
    "doctor": ["-o"],
    "settings": ["--markdown", "--check"],
    "token create": ["--project", "--role", "--label", "--expires-in"],
    "token list": [],
    "token revoke": [],
    "user create": GRANT + ["--role", "--password-stdin"],
    "user list": [],
    "user grant": GRANT + ["--role"],
    "user ungrant": GRANT,
    "user password": [],
    "user revoke": [],
    "user restore": [],
    "key create": ["--user", "--label", "-o"],
    "key list": [],
    "key revoke": [],
    "project create": [],
    "project list": [],
    "project revoke": [],
    "project restore": [],
}


@pytest.fixture
def command(careen, tmp_path):
    """command("status", ...): the bare program, in an empty folder and a bare environment."""

    def run_command(*arguments, expect, env=None, cwd=tmp_path):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("CAREEN_")}
        result = subprocess.run(
            [careen.resolve(), *arguments], capture_output=True, text=True, cwd=cwd, timeout=60,
            stdin=subprocess.DEVNULL, check=False, env={**environment, **(env or {})})
        assert result.returncode == expect, result.stdout + result.stderr
        return result

    return run_command


# --- Help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(command, arguments):
    result = command(*arguments, expect=0)
    listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", result.stdout.split("options of")[0], re.M)
    assert sorted(listed) == sorted(OPTIONS)
    for word in ("--data DIR", "CAREEN_DATA_DIR", "--version", "exit status"):
        assert word in result.stdout
    assert result.stderr == ""


def test_no_command_is_a_mistake_with_help(command):
    result = command(expect=2)
    assert result.stdout == "" and result.stderr == command("--help", expect=0).stdout


def test_version(command):
    assert re.fullmatch(r"careen \d+\.\d+\.\d+\S*\n", command("--version", expect=0).stdout)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", OPTIONS)
def test_help_of_a_command_names_every_option(command, name, flag, tmp_path):
    result = command(*name.split(), flag, expect=0)
    named = re.findall(r"^  (--?[a-z-]+)", result.stdout.split("\noptions:\n")[1], re.M)
    assert sorted(named) == sorted(OPTIONS[name] + ["--data"])
    assert f"usage: careen {name}" in result.stdout and result.stderr == ""
    assert all(len(line) <= 110 for line in result.stdout.splitlines())
    assert list(tmp_path.iterdir()) == []  # help touches nothing


@pytest.mark.parametrize("group", ["images", "token", "project"])
def test_help_of_a_group(command, group):
    result = command(group, "--help", expect=0)
    for name in OPTIONS:
        assert (f"careen {name} " in result.stdout) == name.startswith(group + " ")
    assert command(group, expect=2).stderr.endswith(result.stdout)


# --- Mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, said", [
    (["frob"], "there is no command frob; see: careen --help"),
    (["imports", "x"], "there is no command imports; see"),
    (["images", "frob"], "there is no command images frob; there are:"),
    (["images"], "there is no command images; there are:"),
    (["--frob", "status"], "there is no option --frob before the command; see: careen --help"),
    (["--data"], "--data needs a value"),
    (["status", "--data"], "--data needs a value; see: careen status --help"),
    (["status", "--frob"], "there is no option --frob; see: careen status --help"),
    (["status", "-x"], "there is no option -x"),
    (["status", "-o"], "-o needs a value"),
    (["status", "-o", "xml"], '-o must be one of table, json, not "xml"'),
    (["status", "here"], "there is no argument here"),
    (["import"], "name the reports to import; see: careen import --help"),
    (["import", "--name", "a", "--name", "b", "x"], "--name is given twice"),
    (["import", "--name"], "--name needs a value"),
    (["import", "-o", "csv", "x"], '-o must be one of table, jsonl, not "csv"'),
    (["affected", "--all=yes"], "--all takes no value"),
    (["affected", "--all", "-o", "json"], "take -o jsonl with --all"),
    (["affected", "a", "b"], "give one vulnerability, not 2"),
    (["affected", "--limit", "9"], "limit: must be 10-200"),
    (["affected", "--limit", "201"], "limit: must be 10-200"),
    (["affected", "--offset", "2000001"], "offset: must be 0-2000000"),
    (["affected", "--offset", "-1"], "offset: must be 0-2000000"),
    (["affected", "--is-handled", "perhaps"], "is_handled: must be true or false"),
    (["affected", "--type", "os"], "type: must be app_vul or linux_vul"),
    (["affected", "--repair-necessity", "high"], "must be Low, Medium, High or Critical"),
    (["affected", "--after", "7"], "after: must be the `next` of a page before"),
    (["affected", "v" * 257], "vul_id: must be at most 256 characters, not 257"),
    (["images", "show"], "give one image id"),
    (["images", "show", "a", "b"], "give one image id"),
    (["images", "rm"], "say which images: by id, or by filters"),
    (["images", "rm", "id", "--image-name", "x"], "give image ids or filters, not both"),
    (["images", "set", "id"], "say what to set: containers=3, for example"),
    (["images", "set", "id", "pods=3"], "pods: no such parameter; there are"),
    (["images", "set", "id", "name=x"], "name cannot be changed on a stored image"),
    (["images", "set", "id", "containers=x"], 'containers: must be 0-2147483547, not "x"'),
    (["token", "revoke"], "give the number of one token"),
    (["token", "revoke", "x"], "give the number of one token"),
    (["token", "create", "--expires-in", "soon"], "--expires-in: must be a number and s, m, h or d"),
    (["token", "create", "--expires-in", "0d"], 'not "0d"'),
    (["project", "create"], "give one project id"),
    (["project", "create", "a/b"], "a project id must be 1 to 256 characters, without '/'"),
    (["project", "create", ""], "a project id must be 1 to 256 characters"),
    (["serve", "--threads", "0"], "--threads must be 1-256"),
    (["serve", "--log-level", "loud"], "--log-level must be error, warn, info or debug"),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_mistakes(command, arguments, said):
    result = command(*arguments, expect=2)
    assert said in result.stderr and result.stdout == ""
    assert result.stderr.startswith("careen")


def test_words_that_look_like_options(command, tmp_path):
    write(tmp_path, trivy("app", packages=[trivy_package("lib", "1.0")]), "--name")
    command("import", "--", "--name", expect=0)
    command("affected", "--", "--all", expect=0)


# --- The data folder ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, env, folder", [
    (["--data", "d", "project", "create", "p"], {}, "d"),
    (["--data=d", "project", "create", "p"], {}, "d"),
    (["project", "create", "--data", "d", "p"], {}, "d"),
    (["project", "create", "p", "--data=d"], {}, "d"),
    (["--data", "first", "project", "create", "p", "--data", "d"], {}, "d"),
    (["project", "create", "p"], {}, "careen-data"),
    (["project", "create", "p"], {"CAREEN_DATA_DIR": ""}, "careen-data"),
    (["project", "create", "p"], {"CAREEN_DATA_DIR": "d"}, "d"),
    (["--data", "d", "project", "create", "p"], {"CAREEN_DATA_DIR": "other"}, "d"),
    (["project", "create", "p", "--data", "d"], {"CAREEN_DATA_DIR": "other"}, "d"),
])
def test_where_the_data_folder_is(command, tmp_path, arguments, env, folder):
    command(*arguments, expect=0, env=env)
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    listed = command("project", "list", "--data", folder, expect=0).stdout
    assert listed == "default\np\n"
    assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / folder / "careen.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["affected", "vulns", "images list", "status", "token list",
                                  "project list"])
def test_commands_that_read_make_no_folder(command, tmp_path, name):
    result = command(*name.split(), "--data", "nowhere", expect=1)
    assert "nowhere" in result.stderr and "careen import" in result.stderr
    assert list(tmp_path.iterdir()) == []


# --- Projects, tokens, status ---------------------------------------------------------------------


def test_projects(run):
    run("project", "create", "b")
    run("project", "create", "项目 a")
    assert run("project", "list").stdout == "default\nb\n项目 a\n"
    assert 'project "b" exists already' in run("project", "create", "b", expect=1).stderr
    assert run("project", "list").stdout == "default\nb\n项目 a\n"


def tokens(run, **how):
    lines = run("token", "list", **how).stdout.splitlines()[1:]
    return [re.split(r"  +", line.strip()) for line in lines]


def test_tokens(run, data_dir):
    run("project", "create", "other")
    made = [
        run("token", "create", clock_ms=1_000_000).stdout,
        run("token", "create", "--project", "other", "--label", "CI 流水线").stdout,
        run("token", "create", "--expires-in", "2h", clock_ms=1_000_000).stdout,
    ]
    assert all(re.fullmatch(r"careen_[0-9a-f]{64}\n", text) for text in made)
    assert len(set(made)) == 3
    listed = tokens(run, clock_ms=2_000_000)
    assert listed[0] == ["1", "default", "operator", "1970-01-01T00:16:40.000Z", "never", "valid"]
    assert listed[1][1:3] + listed[1][4:] == ["other", "operator", "never", "valid", "CI 流水线"]
    assert listed[2][4:] == ["1970-01-01T02:16:40.000Z", "valid"]
    assert tokens(run)[2][5] == "expired"
    run("token", "revoke", "1")
    assert [token[5] for token in tokens(run, clock_ms=2_000_000)] == ["revoked", "valid", "valid"]
    assert "4" in run("token", "revoke", "4", expect=1).stderr
    assert "no-such" in run("token", "create", "--project", "no-such", expect=1).stderr
    stored = b"".join(path.read_bytes() for path in data_dir.iterdir())
    assert not any(text.strip().encode() in stored for text in made)  # only their hashes


def test_status(run, tmp_path, data_dir):
    run("project", "create", "other")
    run("import", write(tmp_path, trivy("app", packages=[trivy_package("lib", "1.0")],
                                        vulnerabilities=[
        trivy_vulnerability("CVE-2024-0001", "lib", severity="CRITICAL"),
        trivy_vulnerability("CVE-2024-0002", "lib", severity="LOW")])))
    run("import", write(tmp_path, grype("bare", matches=[grype_match("CVE-2024-0001", "lib")])))
    run("import", write(tmp_path, grype("empty")), "--project", "other")
    told = json.loads(run("status", "-o", "json").stdout)
    assert told["data_dir"] == str(data_dir) and told["schema_version"] >= 1
    assert told["database_bytes"] >= (data_dir / "careen.db").stat().st_size
    assert (told["packages"], told["claims"]) == (1, 3)
    nothing = {"images": 0, "findings": 0, "Critical": 0, "High": 0, "Medium": 0, "Low": 0,
               "handled": 0, "decisions_in_force": 0, "assessed": 0, "partly_assessed": 0,
               "not_assessed": 0}
    assert told["projects"] == [
        {**nothing, "project_id": "default", "images": 2, "findings": 3, "Critical": 1, "High": 1,
         "Low": 1, "assessed": 1, "partly_assessed": 1},
        {**nothing, "project_id": "other", "images": 1, "not_assessed": 1},
    ]
    table = run("status").stdout
    assert re.search(r"^default +2 +3 +1 +1 +0 +1 +0 +0 +1 +0$", table, re.M), table
    assert re.search(rf"^data folder +{re.escape(str(data_dir))}$", table, re.M)


def test_vulns(run, tmp_path):
    for name, containers, found in [
        ("a", "2", [("CVE-2024-0001", "LOW"), ("CVE-2024-0002", "HIGH")]),
        ("b", "3", [("CVE-2024-0001", "CRITICAL")]),
        ("c", "0", [("CVE-2024-0003", "HIGH"), ("CVE-2024-0002", "HIGH")]),
    ]:
        run("import", write(tmp_path, trivy(
            name, packages=[trivy_package("lib", "1.0")],
            vulnerabilities=[trivy_vulnerability(id, "lib", severity=word) for id, word in found])),
            "--containers", containers)
    expected = [("CVE-2024-0001", "Critical", 2, 5), ("CVE-2024-0002", "High", 2, 2),
                ("CVE-2024-0003", "High", 1, 0)]  # worst first, then the widest
    told = json_lines(run("vulns", "-o", "jsonl").stdout)
    assert [(vuln["vul_id"], vuln["repair_necessity"], vuln["images"], vuln["containers"])
            for vuln in told] == expected
    assert {vuln["type"] for vuln in told} == {"linux_vul"}
    assert run("vulns", "-o", "csv").stdout.splitlines() == [
        "vul_id,type,repair_necessity,images,containers,open_images",
        *(f"{id},linux_vul,{word},{images},{containers},{images}"
          for id, word, images, containers in expected)]
    table = run("vulns").stdout.splitlines()
    assert [line.split()[1] for line in table[1:-1]] == [id for id, *_ in expected]
    assert table[-1] == "3 vulnerabilities"
    assert [vuln["vul_id"] for vuln in json_lines(
        run("vulns", "-o", "jsonl", "--image-name", "b").stdout)] == ["CVE-2024-0001"]
    assert run("vulns", "--image-name", "nothing").stdout == "0 vulnerabilities\n"
