# SPDX-License-Identifier: Apache-2.0
"""ListVulAffectImages: how parameters may be written, and which are refused (contract, 1.2, 8.3).

Requests go out as bytes: no library between the test and the server tidies them up.
"""
import itertools
import urllib.parse

import pytest

from inventory import ODD
from wire import PATH, Reply, check_invalid, connect, head, talk

ALL = "all_granted_eps"


class Wire:
    def __init__(self, server, token):
        self.server, self.token = server, token

    def get(self, query):
        """The Reply to this query, given as bytes or Latin-1."""
        query = query if isinstance(query, bytes) else query.encode("latin-1")
        target = PATH.encode() + (b"?" + query if query else b"")
        return talk(self.server.address, head(target, token=self.token))

    def rows(self, query):
        reply = self.get(query)
        assert reply.status == 200, (query, reply.body)
        return reply.json


@pytest.fixture(scope="module")
def wire(company):
    return Wire(company.server, company.token)


@pytest.fixture(scope="module")
def strict(company):
    server = company.folder.serve("--strict-parameters")
    yield Wire(server, company.token)
    assert server.stop() == 0


# --- Values that are refused ----------------------------------------------------------------------

NO_NUMBERS = ["", "-1", "+10", "%2B10", "%2010", "10%20", "10.0", "1e1", "0x0a", "ten", "10,",
              "10;", "'10'", "true", "null", "%D9%A1%D9%A0", "00000000010", "4294967306",
              "18446744073709551626", "99999999999999999999"]
REFUSED = [
    *(("limit", value, "limit: must be 10-200") for value in
      [*NO_NUMBERS, "9", "201", "0", "1", "1000"]),
    *(("offset", value, "offset: must be 0-2000000") for value in
      [*NO_NUMBERS, "2000001", "2147483648", "00000000000"]),
    *(("is_handled", value, "is_handled: must be true or false") for value in
      ["", "1", "0", "yes", "no", "truee", "fals", "tru", "true%20", "%20true", "null", "t", "-"]),
    *(("type", value, "type: must be app_vul or linux_vul") for value in
      ["APP_VUL", "Linux_vul", "linux", "windows_vul", "linux_vul%20", "linux_vul,app_vul", "0"]),
    *(("image_type", value, "image_type: must be local, registry, cicd or cluster") for value in
      ["Local", "LOCAL_IMAGE", "private_image", "registry_image", "local%2Cregistry", "1"]),
    *(("repair_necessity", value, "repair_necessity: must be Low, Medium, High or Critical")
      for value in ["low", "CRITICAL", "immediate_repair", "Unknown", "Low%2CHigh"]),
    *(("status", value, "status: must be vul_status_unfix or vul_status_ignored") for value in
      ["unfix", "VUL_STATUS_UNFIX", "vul_status_fixed", "vul_status_unfixx"]),
    *(("after", value, "after: must be the `next` of a page before") for value in
      ["x", "1", "1.", ".1", "1.2.3", "1,2", "-1.2", "1.-2", "4294967296.1", "1.4294967296"]),
]


@pytest.mark.parametrize("name, value, detail", REFUSED)
def test_bad_values(wire, name, value, detail):
    check_invalid(wire.get(f"{name}={value}"), detail)
    check_invalid(wire.get(f"vul_id=CVE-2024-1000&{name}={value}&cluster_id=c"), detail)


LENGTHS = {"enterprise_project_id": 256, "vul_id": 256, "image_id": 256, "image_name": 256,
           "registry_name": 256, "registry_type": 256, "cluster_id": 128}


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("char", ["a", "库", "🐳", "+"])
def test_lengths_are_counted_in_characters(wire, name, char):
    longest = LENGTHS[name]
    fits = urllib.parse.quote(char * longest, safe="+")
    assert wire.rows(f"{name}={fits}") == {"total_num": 0, "data_list": []}
    over = urllib.parse.quote(char * (longest + 1), safe="+")
    check_invalid(wire.get(f"{name}={over}"), f"{name}: must be at most {longest} characters")


NAMES = [*LENGTHS, "type", "image_type", "is_handled", "repair_necessity", "status", "limit",
         "offset", "after"]
GOOD = {"type": "app_vul", "image_type": "local", "is_handled": "false", "repair_necessity": "Low",
        "status": "vul_status_unfix", "limit": "10", "offset": "0", "after": "1.1"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("again", ["{0}={1}", "{0}=", "{0}", "%{2:02x}{3}={1}"],
                         ids=["equal", "empty", "no-equals-sign", "name-encoded"])
def test_a_parameter_twice(wire, name, again):
    value = GOOD.get(name, "x")
    second = again.format(name, value, ord(name[0]), name[1:])
    check_invalid(wire.get(f"{name}={value}&{second}"), f"{name}: must be given once")
    check_invalid(wire.get(f"{name}={value}&no_such=1&{second}&x"), f"{name}: must be given once")


BAD_BYTES = {
    "not UTF-8": ["%FF", "%C3", "%C3%28", "%ED%A0%80", "%F4%90%80%80", "%C0%AF", "%E5%BA", "\xff",
                  "a%80"],
    "control characters": ["%00", "a%00b", "%0A", "%0D%0A", "%09", "%7F", "%1B", "%C2%85", "%1f"],
    "'%' is not followed": ["%", "%%", "%2", "%2G", "%G2", "%u4e2d", "100%", "%+1", "%x1", "%-1"],
}
BAD = [(value, rule) for rule, values in BAD_BYTES.items() for value in values]


@pytest.mark.parametrize("value, rule", BAD)
def test_bytes_that_are_no_text(wire, value, rule):
    """In known and unknown parameters alike, in values and in names."""
    for name in ("vul_id", "image_name", "limit", "no_such"):
        reply = wire.get(f"{name}={value}")
        check_invalid(reply, rule)
        assert f"query parameter {name}: " in reply.json["error_msg"]
    check_invalid(wire.get(f"type=app_vul&{value}=1"), rule)
    assert "query parameter 2" in wire.get(f"type=app_vul&{value}=1").json["error_msg"]


def test_too_many_parameters(wire):
    many = "&".join(f"x{n}" for n in range(1000))
    assert wire.rows(many) == wire.rows("")
    check_invalid(wire.get(many + "&vul_id=x"), "the query has 1001 parameters")


# --- Ways to write the same -----------------------------------------------------------------------

HOSTILE = ODD  # space, '/', '+', '=', '&', '*', '~', '(', ')', "'", '!', '%', Chinese


def encoders():
    """How each SDK puts a value on the wire (contract, section 1.2), and what else is allowed."""
    def rfc3986(text):
        return urllib.parse.quote(text, safe="~")

    return {
        "python": rfc3986,
        "go": rfc3986,
        "java": lambda text: urllib.parse.quote(text, safe="*").replace("~", "%7E"),
        "node": lambda text: urllib.parse.quote(text, safe="~*!'()"),
        "php": rfc3986,
        "lower-case hex": lambda text: urllib.parse.quote(text, safe="").lower(),
        "every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
        "raw bytes": lambda text: "".join(
            char if char not in "&% " else f"%{ord(char):02X}" for char in text),
    }


@pytest.mark.parametrize("how", encoders())
@pytest.mark.parametrize("name, found", [("vul_id", 1), ("registry_name", 8), ("cluster_id", 2)])
def test_hostile_values_in_every_encoding(company, wire, how, name, found):
    encoded = encoders()[how](HOSTILE)
    query = f"enterprise_project_id={ALL}&{name}={encoded}".encode()
    answer = wire.rows(query)
    expected = company.model.page(**{name: HOSTILE, "enterprise_project_id": ALL})
    assert answer == expected and answer["total_num"] == found


def test_a_plus_is_a_plus(wire):
    assert wire.rows("registry_name=r&enterprise_project_id=0")["total_num"] == 0
    plain = urllib.parse.quote(HOSTILE, safe="+")
    assert "+" in plain and wire.rows(f"registry_name={plain}")["total_num"] > 0
    as_blank = plain.replace("%20", "+")
    assert wire.rows(f"registry_name={as_blank}")["total_num"] == 0
    assert wire.rows("image_name=+")["total_num"] == 0


EMPTY_GO = "image_type&is_handled=false&type&vul_id"


@pytest.mark.parametrize("query, same_as", [
    (EMPTY_GO, "is_handled=false"),
    ("image_type=&is_handled=false&type=&vul_id=", "is_handled=false"),
    ("vul_id=&type=&image_type=&is_handled=false", "is_handled=false"),
    ("", ""), ("&", ""), ("&&&", ""), ("=", ""), ("=x", ""), ("a=b=c", ""), ("?", ""),
    ("vul_id=&", ""), ("&limit=10", ""), ("limit=10&&type=", ""), ("limit=10&", ""),
    ("enterprise_project_id", ""), ("enterprise_project_id=0", ""), ("after", ""),
    ("%76ul_id=CVE-2024-1000", "vul_id=CVE-2024-1000"),
    ("no_such=1&Limit=9&LIMIT=9&is-handled=maybe&region=x", ""),
    ("no_such=1&no_such=1", ""), ("x" * 300 + "=1", ""), ("no_such=" + "y" * 30000, ""),
    ("limit=%31%30", ""), ("is_handled=FaLsE", "is_handled=false"),
    ("image_type=local_image", "image_type=local"),
    ("offset=0000000000", ""), ("limit=0000000010", ""),
    ("after=0.0", ""), ("after=0.0&offset=5", ""),
])
def test_ways_to_write_the_same(wire, query, same_as):
    assert wire.rows(query) == wire.rows(same_as)


def test_a_name_is_that_name_in_that_case_only(wire, company):
    assert wire.rows("VUL_ID=no-such")["total_num"] == len(company.model.matching())
    assert wire.rows("vul_id%20=no-such")["total_num"] == len(company.model.matching())


def test_the_order_of_parameters_means_nothing(wire):
    parts = ["vul_id=CVE-2024-1000", "type=linux_vul", "image_type=registry", "is_handled=false"]
    answers = [wire.rows("&".join(order)) for order in itertools.permutations(parts)]
    assert answers[0]["total_num"] > 0 and all(answer == answers[0] for answer in answers)


def test_a_semicolon_separates_nothing(wire):
    assert wire.rows("vul_id=CVE-2024-1000;limit=9")["total_num"] == 0


# --- Strict parameters ----------------------------------------------------------------------------

REQUIRED = {"is_handled": "false", "vul_id": "CVE-2024-1000", "type": "linux_vul",
            "image_type": "registry"}


def test_strict_parameters_must_all_be_there(strict, company):
    complete = [f"{name}={value}" for name, value in REQUIRED.items()]
    answer = strict.rows("&".join(complete))
    assert answer["data_list"] == company.model.page(**REQUIRED)["data_list"] != []
    for name in REQUIRED:
        others = "&".join(part for part in complete if not part.startswith(name + "="))
        check_invalid(strict.get(others), f"{name}: must be given")
    check_invalid(strict.get(""), "is_handled: must be given")


@pytest.mark.parametrize("query", [EMPTY_GO, "image_type=&is_handled=false&type=&vul_id="])
def test_strict_parameters_may_be_empty_as_go_sends_them(strict, company, query):
    assert strict.rows(query)["total_num"] == len(company.model.matching())


@pytest.mark.parametrize("query, detail", [
    (EMPTY_GO + "&limit=9", "limit: must be 10-200"),
    ("image_type=&is_handled=&type=&vul_id=", "is_handled: must be true or false"),
])
def test_strict_parameters_change_no_other_rule(strict, query, detail):
    check_invalid(strict.get(query), detail)


# --- A body ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("headers, body", [
    ([("Content-Length", "2")], b"{}"),
    ([("Content-Type", "application/json"), ("Content-Length", "7")], b"limit=9"),
    ([("Transfer-Encoding", "chunked")], b"4\r\nlimi\r\n3\r\nt=9\r\n0\r\n\r\n"),
    ([("Content-Length", "300000")], b"x" * 300000),
    ([("Content-Type", "application/json")], b""),
], ids=["json", "form", "chunked", "300 kB", "type without body"])
def test_a_body_on_the_get_is_ignored(company, headers, body):
    """... and the connection still works afterwards."""
    with connect(company.server.address) as sock, sock.makefile("rb") as stream:
        for _ in range(2):
            sock.sendall(head(PATH + "?limit=20", headers, token=company.token) + body)
            reply = Reply(stream)
            assert (reply.status, len(reply.json["data_list"])) == (200, 20)
