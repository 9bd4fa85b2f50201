# SPDX-License-Identifier: Apache-2.0
"""What ListVulAffectImages takes beyond HSS: orders, lists, flags, times, packages, facets.

Expected rows, their order and their facets come from the model in inventory.py.
"""
import datetime
import json
import random
import urllib.parse

import pytest

import inventory
from decisions_world import body_of, world  # noqa: F401, a fixture
from inventory import ODD, SORTS, START_MS, STEP_MS, combinations
from test_affected_filters import CHOICES as HSS
from test_affected_paging import by_cursor, by_offset, serve
from test_findings import PATH as EXPORT
from wire import PATH, Client, check_invalid, head, talk

ALL = "all_granted_eps"
MIDDLE = str(START_MS + 20 * STEP_MS)
ORDERS = [sign + key for key in SORTS for sign in ("", "-")]
CHOICES = {
    "sort": ORDERS,
    "vul_id_in": [["CVE-2024-1000"], ["CVE-2024-1000", "CVE-2024-1003", "CVE-2024-1000"],
                  ["CVE-2023-1111", "GHSA-aaaa-bbbb-cccc", "no-such"], ["no-such"],
                  ["CVE-2024-3001", "CVE-2024-3002", "DSA-5555-1", ODD]],
    "type_in": [["app_vul"], ["app_vul", "linux_vul"]],
    "repair_necessity_in": [["Low"], ["Critical", "High"], ["Low", "Medium", "High", "Critical"]],
    "status_in": [["vul_status_unfix"], ["vul_status_ignored"],
                  ["vul_status_unfix", "vul_status_ignored"]],
    "image_type_in": [["local_image"], ["local", "cluster"], ["cicd", "cicd"]],
    "enterprise_project_id_in": [["0"], ["ep-red", "ep-蓝"], ["no-such"], ["ep-red", "0"]],
    "registry_name_in": [["harbor-a"], ["harbor-b", "swr-main", ODD], ["no-such", "harbor-b"]],
    "registry_type_in": [["Harbor", "Jfrog"], ["Other"]],
    "cluster_id_in": [["c-prod"], [ODD, "c-prod", "c"]],
    "only_latest": ["true", "false"],
    "running": ["true", "false"],
    "fixable": ["true", "false"],
    "package_name": ["lib0", "lib1", "libsource", "lib6", "kernel", "openssl-wrapper", "LIB0",
                     "lib", "no-such", "bash"],
    "first_seen_since": ["0", MIDDLE, str(START_MS + 10_000 * STEP_MS)],
}
SINGLE = [(name, value) for name, values in CHOICES.items() for value in values]


@pytest.fixture(scope="module")
def client(company):
    return Client(company.server, company.token)


def encode(**query):
    return urllib.parse.urlencode(query, doseq=True, quote_via=urllib.parse.quote, safe="")


def check(client, company, **query):
    """The first page of this query and what is beside it, against the model."""
    answer = client.ask(**query)
    expected = company.model.page(**query)
    assert answer["total_num"] == expected["total_num"], query
    assert answer["data_list"] == expected["data_list"], query
    assert ("next" in answer) == (
        0 < len(answer["data_list"]) < answer["total_num"] - int(query.get("offset", 0)))
    include = query.get("include", [])
    assert set(answer) - {"next"} == {"total_num", "data_list", *include}
    if "counts" in include:
        assert answer["counts"] == company.model.counts(**query), query
    if "facets" in include:
        assert answer["facets"] == company.model.facets(**query), query
    return answer


def test_the_model_has_what_the_tests_below_need(company):
    rows = company.model.matching(enterprise_project_id=ALL)
    for name in set(CHOICES) - {"sort", "status_in"}:  # nothing is decided here
        assert any(0 < len(company.model.matching(enterprise_project_id=ALL, **{name: value}))
                   < len(rows) for value in CHOICES[name]), name
    assert {row.fixable for row in rows} == {True, False}
    assert {row.containers for row in rows} >= {-1, 0, 1, 2147483547}
    assert company.model.matching(package_name="libsource")
    lib6 = company.model.matching(package_name="lib6")
    assert any("lib6" in row.packages and "lib5" in row.packages for row in lib6)
    for sort in ORDERS:
        ordered = company.model.matching(enterprise_project_id=ALL, sort=sort)
        assert ordered != rows and len(ordered) == len(rows)


@pytest.mark.parametrize("name, value", SINGLE, ids=str)
def test_each_alone(client, company, name, value):
    for project in ("0", ALL, ""):
        query = {"enterprise_project_id": project, name: value, "include": ["counts", "facets"]}
        check(client, company, limit="200", **query)


@pytest.mark.parametrize("names", [CHOICES, {**HSS, "sort": ["-severity", "image_name"]}])
def test_all_pairs(client, company, names):
    for query in combinations(names, 2):
        check(client, company, limit="50", enterprise_project_id=ALL,
              **{name: value for name, value in query.items() if name != "enterprise_project_id"})


def test_many_together_at_any_page(client, company):
    rng = random.Random(20260702)
    rows = company.model.matching(enterprise_project_id=ALL)
    found = 0
    for _ in range(1500):
        row = {"is_handled": "false", **rng.choice(rows)}
        query = {name: rng.choice(HSS[name]) if rng.random() < 0.1 else row.get(name, "")
                 for name in rng.sample(list(HSS), rng.randint(0, 3))}
        for name in rng.sample(list(CHOICES), rng.randint(1, 5)):
            query[name] = rng.choice(CHOICES[name])
            if name.endswith("_in") and rng.random() < 0.7:  # mostly with the row's own value
                value = row.get(name.removesuffix("_in"))
                query[name] = [*query[name], value] if value else query[name]
        if rng.random() < 0.7:
            query["enterprise_project_id"] = ALL
        query["include"] = rng.choice([[], ["counts"], ["facets"], ["facets", "counts"]])
        query["offset"] = str(rng.choice([0, 0, 1, 10]))
        query["limit"] = str(rng.choice([10, 11, 200]))
        found += len(check(client, company, **query)["data_list"])
    assert found > 1000, "these queries must find something"


def test_every_image_in_a_list(client, company):
    ids = [image.id for image in company.model.images]
    for count in (1, 2, 10, len(ids)):
        check(client, company, image_id_in=ids[::-1][:count], enterprise_project_id=ALL,
              limit="200", include=["counts"])
    check(client, company, image_id_in=[*ids[:3], "no-such"], image_id=ids[1])
    check(client, company, image_id_in=ids[:3], image_id=ids[4])


def test_a_time_in_words(client):
    moment = datetime.datetime.fromtimestamp(int(MIDDLE) / 1000, datetime.timezone.utc)
    expected = client.ask(first_seen_since=MIDDLE)
    assert 0 < expected["total_num"] < client.ask()["total_num"]
    east = moment.astimezone(datetime.timezone(datetime.timedelta(hours=8)))
    for text in (moment.strftime("%Y-%m-%dT%H:%M:%SZ"), east.isoformat()):
        assert client.ask(first_seen_since=text) == expected
    day = moment.strftime("%Y-%m-%d")
    assert client.ask(first_seen_since=day)["total_num"] == client.ask()["total_num"]


# --- Pages ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("limit", [10, 13, 200])
@pytest.mark.parametrize("query", [
    {"enterprise_project_id": ALL}, {"vul_id": "CVE-2024-1000"}, {"only_latest": "true"},
    {"package_name": "libsource"}, {"running": "true", "repair_necessity_in": ["High", "Low"]},
    {"image_type_in": ["registry", "cluster"], "fixable": "true", "first_seen_since": MIDDLE},
    {"vul_id_in": ["CVE-2024-1000", "CVE-2024-1004"], "registry_name_in": ["harbor-a", ODD]},
], ids=str)
def test_a_walk_gives_every_row_once_in_order(company, client, sort, limit, query):
    expected = company.model.matching(sort=sort, **query)
    totals = set()
    assert by_cursor(client, limit, lambda page: totals.add(page["total_num"]), sort=sort,
                     **query) == expected
    assert totals <= {len(expected)}
    assert by_offset(client, limit, sort=sort, **query) == expected


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("format", ["jsonl", "csv", "sarif"])
def test_an_export_has_the_order(company, sort, format):
    expected = company.model.matching(sort=sort, enterprise_project_id=ALL)
    query = encode(format=format, sort=sort, enterprise_project_id=ALL, include="facets",
                   limit="10")
    body = company.server.get(f"{EXPORT}?{query}", company.token).body.decode()
    said = company.folder.run("affected", "--all", "-o", format, "--sort", sort,
                              "--enterprise-project", ALL)
    assert said.stdout == body
    if format == "jsonl":
        assert [json.loads(line) for line in body.splitlines()] == expected
    assert body.count(expected[0]["image_id"]) > 0


@pytest.mark.parametrize("name, value", [pair for pair in SINGLE if pair[0] != "sort"], ids=str)
def test_an_export_has_the_filters(company, name, value):
    query = encode(enterprise_project_id=ALL, **{name: value})
    body = company.server.get(f"{EXPORT}?{query}", company.token).body.decode()
    expected = company.model.matching(enterprise_project_id=ALL, **{name: value})
    assert [json.loads(line) for line in body.splitlines()] == expected


def test_a_cursor_outlives_its_image(folder, tmp_path):
    """... in every order: what it stands behind is in the cursor, not looked up."""
    steps = [inventory.image(f"registry.example.com/{name}", inventory.os_claims(1)[:4],
                             containers=count) for count, name in enumerate("dbca")]
    model = inventory.seed(folder, tmp_path, steps)
    client = serve(folder)
    rows = {sort: model.matching(sort=sort) for sort in ORDERS}
    pages = {sort: client.ask(sort=sort) for sort in ORDERS}
    assert all(pages[sort]["data_list"] == rows[sort][:10] for sort in ORDERS)
    for sort in ORDERS:
        gone = pages[sort]["data_list"][-1]["image_id"]
        client.connection.request("DELETE", f"/careen/v1/default/images/{gone}",
                                  headers={"X-Auth-Token": client.token})
        client.connection.getresponse().read()
        left = {row["image_id"] for row in client.ask(limit="200")["data_list"]}
        behind = client.ask(sort=sort, after=pages[sort]["next"], limit="200")["data_list"]
        assert behind == [row for row in rows[sort][10:] if row["image_id"] in left]
        if len(left) == 1:
            break


def test_a_walk_while_images_come_and_go(folder, tmp_path):
    """Rows of images that stay as they are come once each, in order, wherever others are put."""
    def put(name, containers):
        step = inventory.image(name, inventory.os_claims(containers), containers=containers)
        reply = server.request("POST", "/careen/v1/default/images?" + encode(
            image_type="registry", registry_name="r", containers=str(containers)),
            token=token, body=json.dumps(inventory.document(step)))
        assert reply.status == 200, reply.body
        return reply.json["image_id"]

    rng = random.Random(20260704)
    token, server = folder.token(), folder.serve()
    client = Client(server, token)
    stay = {put(f"registry.example.com/{n * 37 % 40:02}", n % 9) for n in range(40)}
    for sort in ORDERS:
        others = []

        def disturb(_page):
            if len(others) == 25:
                return
            name = f"registry.example.com/{rng.randrange(40):02}-{len(others)}"
            others.append(put(name, rng.randrange(9)))
            if rng.random() < 0.5:
                gone = others[rng.randrange(len(others))]
                server.request("DELETE", f"/careen/v1/default/images/{gone}", token=token)

        rows = by_cursor(client, 13, disturb, sort=sort)
        left = [row for row in rows if row["image_id"] in stay]
        assert len(others) == 25 and len(left) < len(rows)
        assert left == [row for row in by_cursor(client, 200, sort=sort)
                        if row["image_id"] in stay]


def test_rows_that_are_decided_about(world):  # noqa: F811
    """status and is_handled as lists and as facets, and orders and flags over decided rows."""
    world.handle(body_of("ignore", "specific_vul_all_image", vul_id_list=["CVE-2024-1001"]))
    world.handle(body_of("manual_repair", "specific_vul_all_image",
                         vul_id_list=["CVE-2024-1002", "CVE-2024-1004"]))
    client = Client(world.server, world.root.token)
    model = world.model
    facets = model.facets(enterprise_project_id=ALL)
    assert [len(facets[name]["values"]) for name in ("status", "is_handled")] == [2, 2]
    for status in (["vul_status_ignored"], ["vul_status_unfix"],
                   ["vul_status_unfix", "vul_status_ignored"]):
        for more in ({}, {"is_handled": "true"}, {"is_handled": "false"}, {"fixable": "false"},
                     {"sort": "-severity"}, {"sort": "container_num", "package_name": "lib1"},
                     {"status": "vul_status_ignored"}, {"first_seen_since": MIDDLE}):
            query = {"enterprise_project_id": ALL, "status_in": status, **more}
            assert by_cursor(client, 50, **query) == model.matching(**query)
            answer = client.ask(include=["counts", "facets"], **query)
            assert answer["counts"] == model.counts(**query), query
            assert answer["facets"] == model.facets(**query), query


# --- Refusals -------------------------------------------------------------------------------------

def refused(company, query, detail, path=PATH):
    said = talk(company.server.address, head(f"{path}?{query}", token=company.token))
    check_invalid(said, detail)


@pytest.mark.parametrize("query, detail", [
    ("sort=name", "sort: must be severity, image_name, latest_scan_time or container_num, or one"),
    ("sort=Severity", "sort: must be"), ("sort=+severity", "sort: must be"),
    ("sort=severity&sort=image_name", "sort: must be given once"),
    ("type_in=app_vul&type_in=x", "type_in: must be app_vul or linux_vul"),
    ("repair_necessity_in=High%2CLow", "repair_necessity_in: must be"),
    ("status_in=open", "status_in: must be"), ("image_type_in=x", "image_type_in: must be"),
    ("enterprise_project_id_in=all_granted_eps", "enterprise_project_id_in: must be ids"),
    ("only_latest=1", "only_latest: must be true or false"),
    ("running=no", "running: must be true or false"),
    ("fixable=maybe", "fixable: must be true or false"),
    ("fixable=true&fixable=true", "fixable: must be given once"),
    ("first_seen_since=2027-02-30", "first_seen_since: must be epoch milliseconds"),
    ("first_seen_since=-1", "first_seen_since: must be epoch milliseconds"),
    ("package_name=" + "x" * 513, "package_name: must be at most 512 characters"),
    ("vul_id_in=a&vul_id_in=" + "x" * 257, "vul_id_in: must be at most 256 characters"),
    ("cluster_id_in=" + "x" * 129, "cluster_id_in: must be at most 128 characters"),
    ("vul_id_in=%ff", "not UTF-8"),
])
def test_refusals(company, query, detail):
    refused(company, query, detail)
    refused(company, query, detail, path=EXPORT)


@pytest.mark.parametrize("query, detail", [
    ("include=all", "include: must be counts or facets"),
    ("include=counts%2Cfacets", "include: must be counts or facets"),
    ("sort=severity&after=x", "after: must be the `next` of a page before"),
    ("sort=severity&after=1.2", "after: must be the `next` of a page with the same sort"),
    ("after=s.1.2.3", "after: must be the `next` of a page with the same sort (none), not with"),
])
def test_refusals_of_the_page(company, query, detail):
    refused(company, query, detail)
    assert company.server.get(f"{EXPORT}?{query}", company.token).status == 200


def test_a_cursor_of_another_order_is_refused(company, client):
    made = {sort: client.ask(sort=sort)["next"] for sort in ORDERS} | {"": client.ask()["next"]}
    for sort, cursor in made.items():
        for other in made:
            query = f"sort={other}&after={cursor}"
            if sort == other:
                assert client.ask(sort=sort, after=cursor)["data_list"]
            else:
                refused(company, query, f"with the same sort ({other or 'none'}), "
                                        f"not with another ({sort or 'none'})")


def test_mutated_cursors(company, client):
    """Whatever becomes of a cursor, it is refused, or rows of the query come in their order."""
    rng = random.Random(20260703)
    refusals = 0
    for sort in ORDERS:
        rows = company.model.matching(sort=sort)
        cursor = client.ask(sort=sort)["next"]
        for _ in range(100):
            at = rng.randrange(len(cursor))
            made = cursor[:at] + rng.choice(["", rng.choice("0123456789.-sSiIlLcCxZ_~ é")]) + \
                cursor[at + rng.randint(0, 1):]
            status, answer = client.get(client.path + "?" + encode(sort=sort, after=made))
            if status == 400:
                assert answer["error_msg"].startswith("Invalid parameter. (after: must be")
                refusals += 1
                continue
            assert status == 200 and answer["total_num"] == len(rows)
            page = answer["data_list"]
            start = rows.index(page[0]) if page else 0
            assert page == rows[start:start + len(page)]
    assert refusals > 100


def test_long_lists(company, client):
    many = [f"CVE-1999-{n:05}" for n in range(990)]
    check(client, company, vul_id_in=[*many, "CVE-2024-1000"])
    refused(company, "&".join("vul_id_in=x" for _ in range(1001)), "1001 parameters")
    lines = ",".join(f"x{n:05}" for n in range(9_999))
    told = company.folder.run("affected", "-o", "json", "--vul-id-in", lines,
                              "--vul-id-in=CVE-2024-1000")
    assert json.loads(told.stdout)["total_num"] == len(
        company.model.matching(vul_id="CVE-2024-1000"))
    told = company.folder.run("affected", "--vul-id-in", lines, "--vul-id-in=a,b", expect=None)
    assert told.returncode == 2 and "vul_id_in: must be at most 10000 values" in told.stderr


def test_enterprise_projects_must_be_granted(folder, tmp_path):
    """Of a list, every one; all_granted_eps beside it changes nothing about that."""
    steps = [inventory.image(f"registry.example.com/{name}", inventory.os_claims(1)[:4],
                             enterprise_project_id=name) for name in ("ep-1", "ep-2", "ep-3")]
    model = inventory.seed(folder, tmp_path, steps)
    folder.run("user", "create", "bob", "--password-stdin", stdin="correct horse battery\n")
    for project in ("ep-1", "ep-2"):
        folder.run("user", "grant", "bob", "--role", "viewer", "--enterprise-project", project)
    server = folder.serve()
    token = login(server, "bob")

    def ask(*projects, single=ALL):
        query = encode(enterprise_project_id_in=projects, enterprise_project_id=single,
                       include="facets")
        return server.get(f"{PATH}?{query}", token)

    for projects in (["ep-1"], ["ep-1", "ep-2"], ["ep-2", "ep-2"]):
        reply = ask(*projects)
        expected = model.page(enterprise_project_id_in=projects)
        assert reply.json["data_list"] == expected["data_list"] != []
        named = [one["value"] for one in reply.json["facets"]["enterprise_project_id"]["values"]]
        assert sorted(named) == sorted(set(projects))
    everything = ask().json["facets"]["enterprise_project_id"]["values"]
    assert sorted(one["value"] for one in everything) == ["ep-1", "ep-2"]
    assert ask("ep-1", single="ep-2").json["total_num"] == 0
    assert ask("ep-1", "ep-2", single="ep-2").json["total_num"] == 4
    for projects, single in ((["ep-3"], ALL), (["ep-1", "ep-3"], ALL), (["ep-1"], "ep-3"),
                             (["ep-3"], "ep-1"), (["no-such"], "")):
        reply = ask(*projects, single=single)
        assert (reply.status, reply.json["error_code"]) == (400, "HSS.0013"), (projects, single)


def login(server, name):
    user = {"name": name, "password": "correct horse battery", "domain": {"name": "careen"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                     "scope": {"project": {"name": "default"}}}}
    reply = server.request("POST", "/v3/auth/tokens", body=json.dumps(body))
    return reply.headers["X-Subject-Token"]


# --- The command line -----------------------------------------------------------------------------

def as_options(name, value):
    option = "--" + name.replace("_", "-")
    return [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize("name, value", SINGLE, ids=str)
def test_the_command_line_answers_the_same(company, client, name, value):
    query = {"enterprise_project_id": ALL, name: value, "include": ["counts", "facets"]}
    options = [option for pair in query.items() for option in as_options(*pair)]
    told = company.folder.run("affected", "-o", "json", *options, expect=None)
    assert told.returncode in (0, 4), told.stderr
    assert json.loads(told.stdout) == client.ask(**query)


def test_counts_and_facets_for_people(company):
    told = company.folder.run("affected", "--enterprise-project", ALL, "--include", "counts,facets",
                              "--all", "--sort", "-severity", "--only-latest")
    query = {"enterprise_project_id": ALL, "only_latest": "true"}
    rows, counts = company.model.matching(**query), company.model.counts(**query)
    lines = told.stdout.splitlines()
    at = lines.index(f"{len(rows)} rows")
    assert [line.split()[0] for line in lines[1:at]] == [
        row["repair_necessity"] for row in company.model.matching(sort="-severity", **query)]
    assert lines[at + 1] == (f"{counts['image_num']} images, {counts['vul_num']} vulnerabilities, "
                             f"{counts['container_num']} running containers")
    assert lines[at + 2] == "" and lines[at + 3].split() == ["FILTER", "VALUE", "ROWS"]
    expected = [[name, value["value"], str(value["row_num"])]
                for name, facet in company.model.facets(**query).items()
                for value in facet["values"]]
    assert [[line.split()[0], " ".join(line.split()[1:-1]), line.split()[-1]]
            for line in lines[at + 4:]] == expected
    for format in ("jsonl", "csv", "sarif"):
        told = company.folder.run("affected", "-o", format, "--include", "counts", expect=2)
        assert "--include goes with -o table and -o json" in told.stderr


def test_images_and_vulnerabilities_are_chosen_by_the_same_filters(company):
    def listed(command, *options):
        told = company.folder.run(*command, "-o", "jsonl", "--enterprise-project", ALL, *options)
        return [json.loads(line) for line in told.stdout.splitlines()]

    images = {image["image_id"] for image in listed(["images", "list"], "--only-latest")}
    assert images == {image.id for image in company.model.images if image.latest}
    options = ["--image-type-in", "local,cicd", "--running"]
    rows = company.model.matching(enterprise_project_id=ALL, image_type_in=["local", "cicd"],
                                  running="true")
    assert {one["vul_id"] for one in listed(["vulns"], *options)} == {row["vul_id"] for row in rows}
    assert company.folder.run("images", "list", "--sort", "severity", expect=2)


def test_many_values_of_a_facet(folder, tmp_path):
    """At most 100 are listed, those with the most rows; how many there are is told."""
    claims = inventory.os_claims(1)
    steps = [inventory.image(f"registry.example.com/{n:03}", claims[:1 + (n * 7) % 5],
                             image_type="registry", registry_name=f"r-{n:03}") for n in range(120)]
    model = inventory.seed(folder, tmp_path, steps)
    client = serve(folder)
    answer = client.ask(include=["facets", "counts"])
    assert answer["facets"] == model.facets() and answer["counts"] == model.counts()
    assert answer["facets"]["registry_name"]["value_num"] == 120
    assert len(answer["facets"]["registry_name"]["values"]) == 100
    told = folder.run("affected", "--include=facets").stdout
    assert "(20 more)" in told and told.count("registry_name") == 101
