# SPDX-License-Identifier: Apache-2.0
"""GET /metrics: the format, who sees what, and that the figures are right. prometheus_client's parser
is in build/sdk-venv (`scripts/install-dependencies ci`); promtool, where there is one in PATH, is
asked, too."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

import asking
import documents
import signer
from conftest import ROOT
from wire import PATH

SDK_PYTHON = ROOT / "build" / "sdk-venv" / "bin" / "python"
METRICS = "/metrics"
IMAGES = "/careen/v1/default/images"

# Reads text in the exposition format and prints it as [family, type, [[sample, labels, value]]];
# with "strict", through the parser of OpenMetrics, which is stricter: the order of buckets, their
# sums, samples that come twice, families that come apart.
PARSE = r"""
import json, re, sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict_parser
from prometheus_client.utils import floatToGoString

text = sys.stdin.read()
families = list(parser.text_string_to_metric_families(text))
text = re.sub(r"(?m)^(# (?:HELP|TYPE) \S+?)_total ", r"\1 ", text)  # families without suffix
text = re.sub(r'le="([0-9.]+)"', lambda le: f'le="{floatToGoString(float(le[1]))}"', text)
strict = list(strict_parser.text_string_to_metric_families(text + "# EOF\n"))
assert [one.name for one in strict] == [one.name for one in families]
print(json.dumps([[one.name, one.type, [[s.name, s.labels, s.value] for s in one.samples]]
                  for one in families]))
"""


class Figures:
    """The text, read by a few lines of our own that take nothing that the format does not allow."""

    SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (-?[0-9.]+)')

    def __init__(self, text):
        self.text, self.families, self.samples = text, {}, {}
        assert text.endswith("\n")
        family = None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family, help_text = line[7:].split(" ", 1)
                assert family not in self.families and help_text.endswith(".")
                self.families[family] = None
            elif line.startswith("# TYPE "):
                name, self.families[family] = line[7:].split(" ")
                assert name == family
            else:
                self._take(family, self.SAMPLE.fullmatch(line), line)
        assert set(self.families.values()) == {"counter", "gauge", "histogram"}

    def _take(self, family, found, line):
        assert found, line
        name, labels, value = found.groups()
        suffix = name.removeprefix(family)
        assert suffix in (("_bucket", "_sum", "_count")
                          if self.families[family] == "histogram" else ("",)), line
        labels = tuple(sorted(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert (name, labels) not in self.samples, line
        self.samples[name, labels] = float(value)

    def __call__(self, name, **labels):
        """The value of one sample, 0 if there is none."""
        return self.samples.get((name, tuple(sorted(labels.items()))), 0)

    def labels(self, name, label):
        return {dict(labels)[label] for sample, labels in self.samples if sample == name}


def figures(server, token=None, **how):
    reply = server.get(METRICS, token, **how)
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Figures(reply.body.decode())


# --- The format -----------------------------------------------------------------------------------

def test_prometheus_reads_it(company):
    if not SDK_PYTHON.exists() or subprocess.run(
            [SDK_PYTHON, "-c", "import prometheus_client"], capture_output=True,
            check=False).returncode:
        pytest.skip("no prometheus_client in build/sdk-venv: scripts/install-dependencies ci")
    company.server.get(PATH, company.token)
    mine = figures(company.server, company.token)
    done = subprocess.run([SDK_PYTHON, "-c", PARSE], input=mine.text, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    theirs = {(name, tuple(sorted(labels.items()))): value
              for _, _, samples in json.loads(done.stdout) for name, labels, value in samples}
    assert len(theirs) > 100
    assert theirs == mine.samples


def test_promtool_finds_nothing(company):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("no promtool in PATH (of Debian's package prometheus)")
    text = figures(company.server, company.token).text
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True,
                          text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names_follow_the_conventions(company):
    for name, kind in figures(company.server, company.token).families.items():
        assert re.fullmatch("(careen|process)(_[a-z]+)+", name)
        assert name.endswith("_total") == (kind == "counter")
        assert not re.search("_(ms|us|milliseconds|kb|mb|percent|count|sum|bucket)$", name)


def test_the_manual_has_every_metric_and_no_other(company):
    manual = (ROOT / "docs" / "operations.md").read_text()
    section = manual.split("\n## Metrics\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
    documented = {}
    for names, kind in rows:
        for name in re.findall(r"`([a-z_]+)", names):
            assert name not in documented
            documented[name] = kind.strip()
    assert documented == figures(company.server, company.token).families


def test_label_values_are_escaped(folder):
    strange = 'a"b\\c é,{}'
    folder.run("project", "create", strange)
    token = folder.token(strange)
    served = figures(folder.serve(), token)
    assert served.labels("careen_images", "project") == {r'a\"b\\c é,{}'}


# --- Who sees what --------------------------------------------------------------------------------

def test_it_takes_credentials(folder):
    folder.run("user", "create", "alice")
    key = signer.new_key(folder, "alice")
    token = folder.token()
    server = folder.serve()
    for headers in ({}, {"X-Auth-Token": "nonsense"}, {"Authorization": "Bearer nonsense"}):
        reply = server.get(METRICS, headers=headers)
        assert reply.status == 401 and reply.json["error_code"] == "APIGW.0301"
    assert server.get(METRICS, token).status == 200
    signed = server.get(METRICS, headers=key.headers(server, "GET", METRICS))
    assert signed.status == 200  # alice has no role anywhere: no project is shown
    assert Figures(signed.body.decode()).labels("careen_images", "project") == set()
    assert server.request("POST", METRICS, token=token).status == 404


def test_projects_are_those_of_the_caller(folder):
    for project in ("one", "two"):
        folder.run("project", "create", project)
    tokens = {project: folder.token(project) for project in ("one", "two")}
    closed, opened = folder.serve(), folder.serve("--metrics-open")
    for project, token in tokens.items():
        assert figures(closed, token).labels("careen_project_loaded", "project") == {project}
        assert figures(closed, token).labels("careen_index_bytes", "project") == {project}
    # Open it is for everybody, whatever they send, and shows everything.
    for headers in ({}, {"X-Auth-Token": tokens["one"]}, {"X-Auth-Token": "nonsense"}):
        seen = figures(opened, headers=headers).labels("careen_findings", "project")
        assert seen == {"default", "one", "two"}
    assert opened.get(PATH).status == 401


def test_of_enterprise_projects_only_what_is_granted(folder, tmp_path):
    for ep, images in (("0", 1), ("blue", 2)):
        for number in range(images):
            report = documents.trivy(name=f"registry.example.com/{ep}{number}", packages=[
                documents.trivy_package("openssl", "1.0")], vulnerabilities=[
                documents.trivy_vulnerability("CVE-2024-0001", "openssl")])
            file = documents.write(tmp_path, report)
            folder.run("import", file, "--image-type", "local", "--enterprise-project", ep)
    folder.run("user", "create", "some")
    folder.run("user", "grant", "some", "--role", "viewer", "--enterprise-project", "blue")
    key, token = signer.new_key(folder, "some"), folder.token()
    server = folder.serve()
    all_of_it = figures(server, token)
    part = figures(server, headers=key.headers(server, "GET", METRICS))
    finding = {"project": "default", "severity": "High", "handled": "false"}
    assert all_of_it("careen_images", project="default") == 3
    assert all_of_it("careen_findings", **finding) == 3
    assert part("careen_images", project="default") == 2
    assert part("careen_findings", **finding) == 2
    assert part("careen_project_loaded", project="default") == 1
    # What is the project's as a whole would tell of the rest.
    for name in ("careen_vulnerabilities", "careen_index_bytes"):
        assert all_of_it.labels(name, "project") == {"default"}
        assert part.labels(name, "project") == set()


# --- Bearer tokens --------------------------------------------------------------------------------

def test_bearer_tokens_are_taken_as_others_are(folder):
    token, other = folder.token(), folder.token("default", "--role", "viewer")
    server = folder.serve()
    for value in (f"Bearer {token}", f"bearer {token}", f"BEARER  {token} "):
        assert server.get(PATH, headers={"Authorization": value}).status == 200
        assert server.get("/v3/projects", headers={"Authorization": value}).status == 200
    for value in ("Bearer", "Bearer ", f"Bearer{token}", f"Basic {token}", token,
                  f"Bearer {token} {token}", f"Bearer {token[:-1]}", "Bearer " + "x" * 4000):
        assert server.get(PATH, headers={"Authorization": value}).status == 401, value
    # Where both are given, X-Auth-Token counts.
    both = {"Authorization": f"Bearer {other}", "X-Auth-Token": token}
    assert server.get("/v3/auth/tokens", headers={**both, "X-Subject-Token": token}).status == 200
    both = {"Authorization": f"Bearer {token}", "X-Auth-Token": "nonsense"}
    assert server.get(PATH, headers=both).status == 401


# --- The figures ----------------------------------------------------------------------------------

@pytest.fixture
def world(folder):
    token = folder.token()
    return folder.serve(), token


def test_requests_are_counted_by_route_and_code(world):
    server, token = world
    before = figures(server, token)
    for target, status, route in (
            (PATH, 200, "ListVulAffectImages"), (PATH + "?limit=1", 400, "ListVulAffectImages"),
            ("/v5/x/vulnerability/images", 403, "ListVulAffectImages"), ("/healthz", 200, "ShowHealth"),
            ("/nowhere", 404, "other"), (PATH + "?" + "a" * 40000, 414, "other")):
        assert server.get(target, token).status == status
        until = time.monotonic() + 5
        labels = {"route": route, "code": str(status)}
        while (after := figures(server, token))("careen_http_requests_total", **labels) == \
                before("careen_http_requests_total", **labels) and time.monotonic() < until:
            pass  # a request is counted when it has ended, which may be after its answer is read
        assert after("careen_http_requests_total", **labels) == \
            before("careen_http_requests_total", **labels) + 1, labels
    name = "careen_http_request_duration_seconds"
    assert after(name + "_count", route="ListVulAffectImages") == 3
    assert after(name + "_bucket", route="ListVulAffectImages", le="+Inf") == 3
    assert after(name + "_bucket", route="ListVulAffectImages", le="10") == 3
    assert 0 < after(name + "_sum", route="ListVulAffectImages") < 3
    assert after("careen_http_sent_bytes_total", route="ShowHealth") == len('{"status":"ok"}')


def test_imports_images_and_findings(world, folder):
    server, token = world

    def send(report, **more):
        return server.request("POST", IMAGES + "?image_type=local", token=token,
                              body=json.dumps(report), **more)

    report = documents.trivy(packages=[documents.trivy_package(name, "1.0") for name in "abc"],
                             vulnerabilities=[
        documents.trivy_vulnerability(f"CVE-2024-000{n}", name, severity=severity)
        for n, (name, severity) in enumerate(zip("abc", ("CRITICAL", "LOW", "LOW")))])
    assert send(report).status == 200 and send(report).status == 200
    assert send({"SchemaVersion": 2}).status == 400 and send([1]).status == 400
    seen = figures(server, token)
    imports = {(dict(labels)["format"], dict(labels)["outcome"]): value
               for (name, labels), value in seen.samples.items()
               if name == "careen_imports_total" and value}
    assert imports[("trivy", "imported")] == 1 and imports[("trivy", "unchanged")] == 1
    assert sum(imports.values()) == 4
    assert sum(value for (_, outcome), value in imports.items() if outcome == "refused") == 2
    for severity, count in (("Critical", 1), ("High", 0), ("Medium", 0), ("Low", 2)):
        assert seen("careen_findings", project="default", severity=severity,
                    handled="false") == count
    assert seen("careen_images", project="default") == 1
    assert seen("careen_vulnerabilities", project="default") == 3
    assert seen("careen_change_log_position") > 0
    assert abs(seen("careen_newest_report_timestamp_seconds", project="default")
               - time.time()) < 60
    image, = asking.images(folder.run)
    assert server.request("DELETE", f"{IMAGES}/{image['image_id']}", token=token).status == 200
    assert figures(server, token)("careen_images", project="default") == 0
    assert figures(server, token)("careen_images_removed_total", reason="asked") == 1


def test_figures_of_a_whole_inventory(company):
    seen = figures(company.server, company.token)
    rows = asking.rows(company.folder.run)
    counted = {}
    for row in rows:
        handled = "true" if row["status"] == "vul_status_ignored" else "false"
        key = row["repair_necessity"], handled
        counted[key] = counted.get(key, 0) + 1
    for severity in ("Critical", "High", "Medium", "Low"):
        for handled in ("false", "true"):
            assert seen("careen_findings", project="default", severity=severity,
                        handled=handled) == counted.get((severity, handled), 0)
    assert seen("careen_images", project="default") == len(asking.images(company.folder.run))
    assert seen("careen_stored_objects", kind="projects") == 1
    assert seen("careen_index_bytes", project="default") > 1000


def test_the_process(world):
    server, token = world
    seen = figures(server, token)
    status = open(f"/proc/{server.pid}/status").read()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
    assert abs(seen("process_resident_memory_bytes") - resident) < 4 << 20
    started = time.time() - seen("process_start_time_seconds")
    assert -0.5 < started < 60
    files = len(os.listdir(f"/proc/{server.pid}/fd"))
    assert abs(seen("process_open_fds") - files) <= 2
    assert seen("process_max_fds") >= files
    assert 0 <= seen("process_cpu_seconds_total") < 60
    assert seen("process_virtual_memory_bytes") > seen("process_resident_memory_bytes")
    for _ in range(2000):
        server.get("/healthz")
    assert figures(server, token)("process_cpu_seconds_total") > seen("process_cpu_seconds_total")


def test_the_server(world, folder):
    server, token = world
    seen = figures(server, token)
    version = folder.run("--version").stdout.split()[-1]
    assert seen("careen_build_info", version=version) == 1
    assert seen("careen_ready") == 1
    assert 0 <= seen("careen_follow_age_seconds") < 5
    assert seen("careen_http_connections") >= 1
    size = sum((folder.path / name).stat().st_size
               for name in ("careen.db", "careen.db-wal") if (folder.path / name).exists())
    assert 0 < seen("careen_database_bytes") <= size
    for kind, ask in (("none", {}), ("token", {"X-Auth-Token": "x"}),
                      ("signature", {"Authorization": "SDK-HMAC-SHA256 x"})):
        assert server.get(PATH, headers=ask).status == 401
        assert figures(server, token)("careen_refused_credentials_total", kind=kind) == 1
