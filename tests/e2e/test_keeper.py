# SPDX-License-Identifier: Apache-2.0
"""What a server does to the store by itself: retention, and the end of decisions by the clock, each
logged once with its reason."""
import re
import time

import asking
import documents
from test_metrics import figures

IGNORED = "vul_status_ignored"


def report(folder, tmp_path, name="registry.example.com/app", content="one", **more):
    document = documents.trivy(
        name=name, content=content, packages=[documents.trivy_package("openssl", "1.0")],
        vulnerabilities=[documents.trivy_vulnerability("CVE-2024-0001", "openssl")])
    folder.run("import", documents.write(tmp_path, document), "--image-type", "local", **more)


def until(check, seconds=10):
    """The first true answer of check()."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def lines(server, text):
    return [line for line in server.log if text in line]


def test_superseded_images_go_and_say_so(folder, tmp_path):
    report(folder, tmp_path, content="one")
    old = asking.only_image(folder.run)
    report(folder, tmp_path, content="two")
    token = folder.token()
    server = folder.serve("--retention-superseded", "0")
    line, = until(lambda: lines(server, "msg=removed"))
    assert re.search(rf"level=info msg=removed reason=superseded project=default "
                     rf"image={old['image_id']} name=registry.example.com/app tag=1.0$", line.strip())
    until(lambda: figures(server, token)("careen_images", project="default") == 1)
    seen = figures(server, token)
    assert seen("careen_images_removed_total", reason="superseded") == 1
    assert seen("careen_images_removed_total", reason="unseen") == 0
    assert asking.only_image(folder.run)["image_id"] != old["image_id"]


def test_without_a_rule_everything_stays(folder, tmp_path):
    for content in ("one", "two"):
        report(folder, tmp_path, content=content)
    server = folder.serve()
    time.sleep(2.5)  # two rounds
    assert len(asking.images(folder.run)) == 2 and not lines(server, "msg=removed")


def test_a_decision_ends_by_the_clock(folder, tmp_path):
    report(folder, tmp_path)
    folder.run("ignore", "CVE-2024-0001", "--reason", "a moment", "--expires-in", "1m",
               clock_ms=int(time.time() * 1000) - 56000)  # four seconds from now
    token = folder.token()
    servers = [folder.serve(), folder.serve()]  # two of them, and only one writes it down
    rows = asking.rows(folder.run)
    assert [row["status"] for row in rows] == [IGNORED]
    until(lambda: sum((lines(server, "decision expired") for server in servers), []))
    time.sleep(1.5)
    logged = sum((lines(server, "decision expired") for server in servers), [])
    assert [re.search(r'because="([^"]*)"', line)[1] for line in logged] == ["a moment"], logged
    assert "level=info" in logged[0] and "project=default" in logged[0]
    assert sum(figures(server, token)("careen_decisions_expired_total")
               for server in servers) == 1
    for server in servers:
        assert figures(server, token)("careen_decisions", project="default") == 0
        assert figures(server, token)("careen_findings", project="default", severity="High",
                                      handled="false") == 1
    assert [row["status"] for row in asking.rows(folder.run)] == ["vul_status_unfix"]
