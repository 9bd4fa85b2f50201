# SPDX-License-Identifier: Apache-2.0
"""ListVulAffectImages: which rows, in which order, with which fields (contract, 8.1, 8.2).

Expected rows come from the model in inventory.py, never from another answer of the server.
"""
import json
import random
import re

import pytest

from inventory import ODD, combinations
from wire import Client

ALL = "all_granted_eps"

# Parameter -> values worth asking for: those that match, and those that must not.
CHOICES = {
    "enterprise_project_id": ["0", "ep-red", "ep-蓝", ALL, "no-such", "EP-RED"],
    "vul_id": [
        "CVE-2024-1000", "CVE-2024-1003", "EulerOS-SA-2023-3326", "CVE-2023-1111", "CVE-2023-2222",
        "CVE-2024-2001", "GHSA-aaaa-bbbb-cccc", "PYSEC-2024-77", "GHSA-zzzz-yyyy-xxxx",
        "GHSA-mmmm-uuuu-llll", "CVE-2024-3001", "CVE-2024-3002", "DSA-5555-1", "CVE-2024-4001",
        "CVE-2024-5001", "CVE-2024-6001", "CVE-2024-7001", ODD, "no-such", "cve-2024-1000",
        "CVE-2024-100",
    ],
    "type": ["linux_vul", "app_vul"],
    "image_type": ["local", "local_image", "registry", "cicd", "cluster"],
    "is_handled": ["false", "true", "False", "TRUE"],
    "repair_necessity": ["Low", "Medium", "High", "Critical"],
    "image_name": ["nginx", "Nginx", "registry.example.com/", "svc-1", "e", "库", "x" * 256, "%"],
    "registry_name": ["harbor-a", "harbor-b", "swr-main", ODD, "Harbor-a", "harbor"],
    "registry_type": ["Harbor", "Jfrog", "SwrPrivate", "SwrShared", "Other", "harbor", "no such"],
    "status": ["vul_status_unfix", "vul_status_ignored"],
    "cluster_id": ["c-prod", ODD, "c", "no-such"],
}
SINGLE = [(name, value) for name, values in CHOICES.items() for value in values]


@pytest.fixture(scope="module")
def client(company):
    return Client(company.server, company.token)


def check(client, company, **query):
    """The first page of this query, against the model."""
    answer = client.ask(**query)
    more = answer.pop("next", None)
    expected = company.model.page(**query)
    assert answer == expected, query
    behind = int(query.get("offset", 0)) + len(answer["data_list"])
    assert (more is not None) == (0 < len(answer["data_list"]) and behind < answer["total_num"])
    return answer


def test_the_model_has_what_the_tests_below_need(company):
    rows = company.model.matching(enterprise_project_id=ALL)
    assert len(company.model.matching()) > 200, "a page of 200 must not be all"
    assert {row["image_type"] for row in rows} == {"local_image", "registry", "cicd", "cluster"}
    assert {row["repair_necessity"] for row in rows} == {"Low", "Medium", "High", "Critical"}
    assert {row["assessment"] for row in rows} == {"assessed", "partly_assessed"}
    assert {row["is_latest"] for row in rows} == {"true", "false"}
    assert len({(row["image_id"], row["vul_id"], row["type"]) for row in rows}) == len(rows)


def test_no_parameter_at_all_gives_the_default_project_ten_rows(client, company):
    answer = check(client, company)
    assert len(answer["data_list"]) == 10
    assert {row["enterprise_project_id"] for row in answer["data_list"]} == {"0"}


@pytest.mark.parametrize("name, value", SINGLE)
def test_each_filter_alone(client, company, name, value):
    for project in ("0", ALL):
        query = {"enterprise_project_id": project, "limit": "200", name: value}
        check(client, company, **query)


def test_every_image_by_its_id(client, company):
    for image in company.model.images:
        project = image.place["enterprise_project_id"]
        check(client, company, image_id=image.id, enterprise_project_id=project, limit="200")
        check(client, company, image_id=image.id.upper(), enterprise_project_id=project)
    check(client, company, image_id="00000000-0000-0000-0000-000000000000")


def test_all_pairs_of_filters(client, company):
    for query in combinations(CHOICES, 2):
        check(client, company, limit="50", **query)


def test_many_filters_together_at_any_page(client, company):
    rng = random.Random(20260701)
    rows = company.model.matching(enterprise_project_id=ALL)
    rows_seen = 0
    for _ in range(1500):
        names = rng.sample(list(CHOICES), rng.randint(3, len(CHOICES)))
        # Mostly ask for values that some row has, or hardly anything would be found.
        row = {"is_handled": "false", **rng.choice(rows)}
        query = {name: rng.choice(CHOICES[name]) if rng.random() < 0.2 else row.get(name, "")
                 for name in names}
        if rng.random() < 0.5:
            query["enterprise_project_id"] = ALL
        query["offset"] = str(rng.choice([0, 0, 1, 2, 10]))
        query["limit"] = str(rng.choice([10, 11, 199, 200]))
        rows_seen += len(check(client, company, **query)["data_list"])
    assert rows_seen > 1000, "these queries must find something"


@pytest.mark.parametrize("name", ["enterprise_project_id", "vul_id", "type", "image_type",
                                  "repair_necessity", "image_id", "image_name", "registry_name",
                                  "registry_type", "status", "cluster_id", "after"])
def test_an_empty_value_is_not_given(client, company, name):
    assert client.ask(**{name: "", "limit": "200"}) == client.ask(limit="200")
    check(client, company, **{name: "", "limit": "200"})


@pytest.mark.parametrize("handled", ["true", "false"])
@pytest.mark.parametrize("status", ["vul_status_unfix", "vul_status_ignored"])
def test_a_contradiction_is_an_empty_list_and_no_error(client, company, handled, status):
    answer = check(client, company, is_handled=handled, status=status, limit="200")
    if (handled, status) == ("false", "vul_status_ignored"):
        assert answer == {"total_num": 0, "data_list": []}


@pytest.mark.parametrize("offset, limit", [
    ("0", "10"), ("0", "200"), ("1", "11"), ("199", "10"), ("200", "200"), ("0", "199"),
    ("00000007", "0000000010"), ("2000000", "200"),
])
def test_offset_and_limit_within_their_borders(client, company, offset, limit):
    check(client, company, offset=offset, limit=limit)


def test_offsets_around_the_end(client, company):
    total = len(company.model.matching())
    for offset in range(total - 11, total + 3):
        answer = check(client, company, offset=str(offset))
        assert answer["total_num"] == total
        assert len(answer["data_list"]) == max(0, min(10, total - offset))


def test_a_value_of_a_row_can_be_fed_back(client, company):
    """Whatever a row says of itself, asked for, gives that row among others."""
    names = ["image_id", "image_name", "vul_id", "repair_necessity", "status", "image_type", "type",
             "registry_type", "registry_name", "cluster_id", "enterprise_project_id"]
    for row in company.model.matching(enterprise_project_id=ALL)[::7]:
        query = {name: row[name] for name in names if name in row}
        assert row in check(client, company, **query, limit="200")["data_list"]


# --- The form of the answer -----------------------------------------------------------------------

TEXTS = {"agent_id", "image_id", "image_name", "vul_id", "repair_necessity", "image_digest",
         "image_version", "status", "first_scan_time", "latest_scan_time", "image_type",
         "image_size", "organization", "registry_type", "registry_name", "is_multi_arch",
         "cluster_id", "cluster_name", "type", "assessment", "enterprise_project_id",
         "image_config_digest", "is_latest", "updated_time"}
OTHERS = {"container_num", "is_handled"}
ALWAYS = {"image_id", "image_name", "vul_id", "repair_necessity", "container_num", "image_digest",
          "image_version", "status", "first_scan_time", "latest_scan_time", "image_type"}
FORM = {
    "image_id": r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "first_scan_time": r"17\d{11}", "latest_scan_time": r"17\d{11}", "updated_time": r"17\d{11}",
    "image_size": r"\d+", "is_multi_arch": "true|false", "is_latest": "true|false",
    "image_type": "local_image|registry|cicd|cluster",
    "status": "vul_status_unfix|vul_status_ignored", "repair_necessity": "Low|Medium|High|Critical",
    "image_digest": "sha256:[0-9a-f]{64}",
    "registry_type": "Harbor|Jfrog|SwrPrivate|SwrShared|SwrEnterprise|Other",
}


def test_json_types_of_every_field(client):
    seen = set()
    answer = client.ask(enterprise_project_id=ALL, limit="200")
    for row in answer["data_list"] + client.ask(enterprise_project_id=ALL, limit="200",
                                                offset="200")["data_list"]:
        assert ALWAYS <= row.keys(), row
        assert row.keys() <= TEXTS | OTHERS, "a field that no one has described"
        assert type(row["container_num"]) is int and 0 <= row["container_num"] <= 2147483547
        assert type(row["is_handled"]) is bool
        for name in row.keys() & TEXTS:
            assert type(row[name]) is str and row[name] != "", (name, row)
            assert re.fullmatch(FORM.get(name, ".*"), row[name]), (name, row)
        seen |= row.keys()
    assert seen == TEXTS | OTHERS, "the inventory must show every field"
    assert type(answer["total_num"]) is int and type(answer["next"]) is str
    assert list(answer) == ["total_num", "data_list", "next"]


def test_integers_are_bare_and_text_is_raw_utf8(company):
    """json.loads would forgive 1.0 for a float and escapes for text: look at the bytes."""
    body = company.server.get(
        "/v5/default/vulnerability/images?limit=200&enterprise_project_id=all_granted_eps"
        "&registry_type=Other", company.token).body
    assert re.search(rb'"container_num":\d+[,}]', body) and not body.startswith(b"\xef\xbb\xbf")
    assert re.match(rb'\{"total_num":\d+,"data_list":\[\{', body)
    text = body.decode("utf-8")
    assert json.dumps(ODD, ensure_ascii=False)[1:-1] in text and "null" not in text


def test_the_largest_container_count(client):
    row, = client.ask(image_name="app/three")["data_list"]
    assert (row["container_num"], row["organization"]) == (2147483547, "late")


def test_the_order_is_the_same_after_a_restart(company, client):
    def pages(asked):
        return [asked.ask(enterprise_project_id=ALL, limit="50", offset=str(at))
                for at in range(0, 300, 50)]

    again = company.folder.serve()
    assert pages(Client(again, company.token)) == pages(client)
    assert again.stop() == 0
