# SPDX-License-Identifier: Apache-2.0
"""Projects come into memory when they are asked for, and go when the budget is exceeded: answers are
the same whenever that is."""
import json
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from documents import trivy, trivy_package, trivy_vulnerability, write
from wire import check_error, head, talk

PROJECTS = ("default", "one", "two")


def report(name, count):
    return trivy(name, packages=[trivy_package(f"lib{at}", "1.0") for at in range(count)],
                 vulnerabilities=[trivy_vulnerability(f"CVE-2024-{at}", f"lib{at}")
                                  for at in range(count)])


@pytest.fixture
def projects(folder, tmp_path):
    """Three projects with different rows: {id: (token, rows)}."""
    made = {}
    for at, project in enumerate(PROJECTS):
        if at:
            folder.run("project", "create", project)
        place = tmp_path / project
        place.mkdir()
        for n in range(20):
            write(place, report(f"app-{n}", at + 2), f"{n}.json")
        folder.run("import", place, "--project", project)
        made[project] = (folder.token(project), 20 * (at + 2))
    return made


def ask(server, project, token):
    return talk(server.address, head(f"/v5/{project}/vulnerability/images?limit=200", token=token))


def rows(server, project, token):
    reply = ask(server, project, token)
    assert reply.status == 200, reply.body
    return reply.json


def figure(server, name, token):
    """A metric without labels."""
    text = talk(server.address, head("/metrics", token=token)).body.decode()
    return int(float(next(line.split()[1] for line in text.splitlines()
                          if line.startswith(name + " "))))


def loads_of(server, project):
    return [line for line in server.log if "index loaded" in line and f"project={project} " in line]


def test_a_project_is_loaded_by_its_first_calls_and_once(folder, projects):
    server = folder.serve("--load", "on_first_use")
    token, count = projects["one"]
    assert talk(server.address, head("/healthz")).status == 200
    assert figure(server, "careen_projects_loaded", token) == 0
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: ask(server, "one", token), range(16)))
    assert [reply.status for reply in replies] == [200] * 16
    assert {reply.json["total_num"] for reply in replies} == {count}
    assert figure(server, "careen_projects_loaded", token) == 1
    assert figure(server, "careen_project_loads_total", token) == 1
    assert len(loads_of(server, "one")) == 1


def test_what_is_written_to_a_project_that_is_not_there_loads_it(folder, projects, tmp_path):
    server = folder.serve("--load", "on_first_use")
    token, count = projects["two"]
    body = json.dumps(report("new", 3)).encode()
    reply = talk(server.address, head(
        "/careen/v1/two/images?image_type=local", [("Content-Length", str(len(body)))], "POST", token) + body, "POST")
    assert reply.status in (200, 201), reply.body
    assert rows(server, "two", token)["total_num"] == count + 3
    folder.run("import", write(tmp_path, report("more", 1)), "--project", "one")
    assert rows(server, "one", projects["one"][0])["total_num"] == projects["one"][1] + 1


def test_the_budget_drops_what_was_asked_for_least_lately(folder, projects):
    plain = folder.serve()
    wanted = {project: rows(plain, project, token) for project, (token, _) in projects.items()}
    token = projects["default"][0]
    assert figure(plain, "careen_projects_loaded", token) == len(PROJECTS)
    assert plain.stop() == 0
    server = folder.serve("--memory-budget", "1KiB", "--load", "on_first_use")
    for turn in range(3):
        for project in PROJECTS:
            assert rows(server, project, projects[project][0]) == wanted[project], turn
    until = time.monotonic() + 10
    while figure(server, "careen_projects_loaded", token) > 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert figure(server, "careen_projects_loaded", token) == 1
    assert figure(server, "careen_project_drops_total", token) >= 2
    assert [line for line in server.log if "the memory budget is exceeded" in line]
    assert [line for line in server.log if "take more than memory_budget" in line]


def database(folder):
    return sqlite3.connect(next(folder.path.glob("*.db")))


def test_a_project_that_cannot_be_loaded_fails_alone_and_is_tried_again(folder, projects):
    with database(folder) as db:
        key, claims = db.execute(
            "SELECT s.key, s.claims FROM slot s JOIN image i ON i.number = s.key / 16"
            " WHERE i.project = (SELECT number FROM project WHERE id = 'one') LIMIT 1").fetchone()
        db.execute("UPDATE slot SET claims = x'ff' WHERE key = ?", (key,))
    server = folder.serve("--load", "on_first_use")
    token, count = projects["one"]
    began = time.monotonic()
    check_error(ask(server, "one", token), 500, "APIGW.0601", "Internal server error.")
    assert time.monotonic() - began < 5, "a failure is told at once"
    assert rows(server, "two", projects["two"][0])["total_num"] == projects["two"][1]
    with database(folder) as db:
        db.execute("UPDATE slot SET claims = ? WHERE key = ?", (claims, key))
    until = time.monotonic() + 20
    while (reply := ask(server, "one", token)).status != 200 and time.monotonic() < until:
        time.sleep(0.2)
    assert reply.status == 200 and reply.json["total_num"] == count


def test_killed_while_loading(folder, projects):
    """At several moments; the next server answers as ever."""
    token, count = projects["two"]
    for at in range(6):
        server = folder.serve("--load", "on_first_use")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda s=server: ask(s, "two", token))
            time.sleep(at * 0.002)
            folder.servers.remove(server)
            server.stop(signal.SIGKILL)
    assert rows(folder.serve(), "two", token)["total_num"] == count
