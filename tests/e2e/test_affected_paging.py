# SPDX-License-Identifier: Apache-2.0
"""Walks through the pages of ListVulAffectImages, while other processes import and remove."""
import collections
import subprocess

import pytest

import inventory
from documents import trivy, trivy_package, trivy_vulnerability, write
from wire import Client

ALL = "all_granted_eps"
VUL = "CVE-2025-0001"


def serve(folder):
    """A server on the folder, asked with a token that was there before it."""
    token = folder.token()
    return Client(folder.serve(), token)


def by_offset(client, limit, each=lambda page: None, **query):
    """All rows, as the vendor's own program pages: by offset, until a page is empty."""
    rows = []
    while True:
        page = client.ask(limit=str(limit), offset=str(len(rows)), **query)
        if not page["data_list"]:
            return rows
        rows += page["data_list"]
        each(page)


def by_cursor(client, limit, each=lambda page: None, **query):
    """All rows, by `next` and `after`."""
    page = client.ask(limit=str(limit), **query)
    rows = page["data_list"]
    while "next" in page:
        each(page)
        page = client.ask(limit=str(limit), after=page["next"], **query)
        rows = rows + page["data_list"]
    return rows


WALKS = pytest.mark.parametrize("walk", [by_offset, by_cursor])


@WALKS
@pytest.mark.parametrize("limit", [10, 13, 100, 200])
@pytest.mark.parametrize("query", [
    {}, {"enterprise_project_id": ALL}, {"vul_id": "CVE-2024-1000"}, {"type": "app_vul"},
    {"image_type": "cluster", "repair_necessity": "High"}, {"image_name": "shop/svc-1"},
    {"vul_id": "CVE-2024-3001", "enterprise_project_id": ALL},
], ids=str)
def test_a_walk_gives_every_row_once_in_order(company, walk, limit, query):
    client = Client(company.server, company.token)
    totals = set()
    rows = walk(client, limit, lambda page: totals.add(page["total_num"]), **query)
    expected = company.model.matching(**query)
    assert rows == expected
    assert totals <= {len(expected)}


def test_a_cursor_wins_over_an_offset_and_outlives_its_row(company):
    client = Client(company.server, company.token)
    rows = company.model.matching()
    first = client.ask()
    second = client.ask(after=first["next"], offset="77")
    assert second["data_list"] == rows[10:20] and second["total_num"] == len(rows)
    image, vuln = map(int, first["next"].split("."))
    assert client.ask(after=f"{image}.{vuln}")["data_list"] == rows[10:20]
    end = client.ask(after="4294967295.4294967295")
    assert end == {"total_num": len(rows), "data_list": []}


# --- While others write ---------------------------------------------------------------------------

def report(name, ids, tag="1"):
    packages = [trivy_package(f"p{n}", "1.0") for n in range(len(ids))]
    found = [trivy_vulnerability(id, f"p{n}") for n, id in enumerate(ids)]
    return trivy(f"registry.example.com/{name}", tag, packages, found)


def ids_of(n):
    return [VUL, *(f"CVE-2025-{1000 + (n * 7 + k) % 40}" for k in range(4))]


@pytest.fixture
def fleet(folder, tmp_path):
    """60 images of five rows each, served; reports(folder, names) for more."""
    def reports(kind, names):
        path = tmp_path / kind
        path.mkdir()
        for n, name in enumerate(names):
            write(path, report(name, ids_of(n)), f"{n:04}.json")
        return path

    folder.run("import", reports("old", [f"old-{n:02}" for n in range(60)]))
    folder.reports = reports
    folder.client = serve(folder)
    return folder


def keys(rows):
    return [(row["image_name"], row["vul_id"]) for row in rows]


@WALKS
@pytest.mark.parametrize("query", [{}, {"vul_id": VUL}], ids=["all", "one vulnerability"])
def test_imports_of_another_process_repeat_and_skip_nothing(fleet, walk, query):
    """New images come behind those that stand there, so a walk meets each row once."""
    before = keys(by_offset(fleet.client, 200, **query))
    path = fleet.reports("new", [f"new-{n:03}" for n in range(150)])
    importing = subprocess.Popen(
        [fleet.binary, "--data", fleet.path, "import", path], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    walks = 0
    while importing.poll() is None or walks == 0:
        rows = keys(walk(fleet.client, 10, **query))
        assert max(collections.Counter(rows).values()) == 1, "a row came twice"
        assert rows[:len(before)] == before, "a row was skipped or moved"
        arrived = [name for name, _ in rows[len(before):]]
        assert arrived == sorted(arrived), "images stand in the order in which they came"
        walks += 1
    assert importing.returncode == 0


def test_totals_stay_exact_while_images_come(fleet):
    """Each answer's total is that of one moment: whole images, as each has exactly one VUL row."""
    path = fleet.reports("new", [f"new-{n:03}" for n in range(100)])
    importing = subprocess.Popen([fleet.binary, "--data", fleet.path, "import", path],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    last, answers = 0, 0
    while importing.poll() is None or answers == 0:
        page = fleet.client.ask(offset="2000000")
        assert page["total_num"] % 5 == 0 and page["total_num"] >= last
        last = page["total_num"]
        answers += 1
    assert importing.returncode == 0


def test_a_cursor_walk_survives_removals(fleet):
    """An offset skips rows when earlier ones go; a cursor does not, even when its row goes."""
    all_rows = by_offset(fleet.client, 200)
    gone = set()

    def remove_what_was_shown(page):
        image_id = page["data_list"][-1]["image_id"]
        if image_id not in gone:
            fleet.client.connection.request(
                "DELETE", f"/careen/v1/default/images/{image_id}",
                headers={"X-Auth-Token": fleet.client.token})
            response = fleet.client.connection.getresponse()
            response.read()
            assert response.status == 200
            gone.add(image_id)

    rows = by_cursor(fleet.client, 12, remove_what_was_shown)
    shown = {(row["image_id"], row["vul_id"]) for row in rows}
    missed = [row for row in all_rows if (row["image_id"], row["vul_id"]) not in shown]
    assert len(shown) == len(rows) and len(gone) > 10
    assert all(row["image_id"] in gone for row in missed), "only rows of removed images may miss"


def test_rows_keep_their_places_when_an_image_is_reported_again(folder, tmp_path):
    for name in ("a", "b", "c"):
        folder.run("import", write(tmp_path, report(name, [VUL])))
    folder.run("import", write(tmp_path, report("a", [VUL, "CVE-2025-2"])))
    client = serve(folder)
    assert keys(by_cursor(client, 10)) == [
        ("registry.example.com/a", VUL), ("registry.example.com/a", "CVE-2025-2"),
        ("registry.example.com/b", VUL), ("registry.example.com/c", VUL)]


def test_within_an_image_rows_are_in_order_of_the_names_first_mention(folder, tmp_path):
    """... over the whole inventory, which is the vulnerability's stored number."""
    first, second = report("a", ["CVE-2025-9", "CVE-2025-5"]), report(
        "b", ["CVE-2025-1", "CVE-2025-5", "CVE-2025-9"])
    for document in (first, second):
        folder.run("import", write(tmp_path, document))
    client = serve(folder)
    expected = [("registry.example.com/a", "CVE-2025-9"), ("registry.example.com/a", "CVE-2025-5"),
                ("registry.example.com/b", "CVE-2025-9"), ("registry.example.com/b", "CVE-2025-5"),
                ("registry.example.com/b", "CVE-2025-1")]
    assert keys(by_offset(client, 10)) == expected
    again = Client(folder.serve(), client.token)
    assert by_offset(again, 10) == by_offset(client, 10)


def test_projects_do_not_see_each_other(folder, tmp_path):
    folder.run("project", "create", "other")
    mine = inventory.image("registry.example.com/mine", inventory.os_claims(1))
    model = inventory.seed(folder, tmp_path, [mine])
    folder.run("import", "--project", "other", write(tmp_path, report("theirs", [VUL])))
    tokens = folder.token(), folder.token("other")
    server = folder.serve()
    mine, theirs = Client(server, tokens[0]), Client(server, tokens[1], "other")
    assert by_offset(mine, 200, enterprise_project_id=ALL) == model.matching()
    assert keys(by_offset(theirs, 200, enterprise_project_id=ALL)) == [
        ("registry.example.com/theirs", VUL)]
    assert mine.ask(vul_id=VUL)["total_num"] == 0
    assert theirs.ask(vul_id="CVE-2024-1001")["total_num"] == 0
