# SPDX-License-Identifier: Apache-2.0
"""What tests of decisions share: a server with inventory.py in it, the model of what decisions
make of that, and who asks. world, small and three are fixtures."""
import json
import time
import types
import urllib.parse

import pytest

import inventory
from decisions_model import ALL, Model
from inventory import HARBOR, PROD, claim, image
from signer import new_key

CALL = "/v5/default/vulnerability/images"
HANDLE = "/v5/default/image/vulnerability/handle"
PREVIEW = "/v5/default/image/vulnerability/handle-affect-vulnerabilities"
HISTORY = "/v5/default/image/vulnerability/handle-history"
DECISIONS = "/careen/v1/default/decisions"
OPERATE = ["ignore", "not_ignore", "manual_repair", "add_to_whitelist"]
SELECT = ["all_vul", "specific_image_all_vul", "specific_vul_all_image", "vul_view", "image_view"]
STATUS = [None, "unhandled", "handled"]
HOUR_MS = 3600 * 1000
SERVED_MS = inventory.START_MS + HOUR_MS  # the time at which all is decided


def url(path, query):
    return path + "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote, safe="")


class Caller:
    """Somebody with a token, or with a key, of one server."""

    def __init__(self, server, token=None, key=None):
        self.server, self.token, self.key = server, token, key

    def ask(self, method, path, body=None, **query):
        """The reply. body: text, or what is sent as JSON."""
        target = url(path, query) if query else path
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if self.key:
            return self.key.request(self.server, method, target,
                                    body=body.encode() if body is not None else None)
        return self.server.request(method, target, body=body, token=self.token)

    def good(self, method, path, body=None, **query):
        reply = self.ask(method, path, body, **query)
        assert reply.status == 200, (path, query, body, reply.body)
        return reply.json

    def handle(self, body, project=ALL):
        reply = self.ask("POST", HANDLE, body, enterprise_project_id=project)
        assert (reply.status, reply.body) == (200, b"{}"), (body, reply.body)

    def preview(self, body, project=ALL):
        """(every row, the answer of the last page)"""
        rows = []
        while True:
            answer = self.good("POST", PREVIEW, body, enterprise_project_id=project, limit=200,
                               offset=len(rows))
            rows += answer["data_list"]
            if not answer["data_list"] or len(rows) == answer["total_vul_num"]:
                return rows, answer

    def rows(self, **query):
        rows = []
        while True:
            page = self.good("GET", CALL, limit=200, offset=len(rows), **query)
            rows += page["data_list"]
            if len(rows) >= page["total_num"]:
                return rows


class World:
    """The inventory, served at a fixed time, and the model of it."""

    def __init__(self, folder, scratch, steps=None):
        self.folder, self.scratch, self.imported = folder, scratch, 0
        self.model = inventory.seed(folder, scratch, steps, Model())
        token = folder.token()
        self.server = folder.serve(clock_ms=SERVED_MS)
        self.root = Caller(self.server, token)

    def handle(self, body, project=ALL, caller=None, projects=None):
        """One operation, on the server and in the model. projects: those granted, if not all."""
        (caller or self.root).handle(body, project)
        self.model.operate(body, SERVED_MS, projects if project == ALL else {project})

    def put(self, step):
        """A report that arrives an hour after all decisions."""
        self.imported += 1
        clock_ms = SERVED_MS + HOUR_MS + self.imported
        path = self.scratch / f"later-{self.imported}.json"
        path.write_text(json.dumps(inventory.document(step)))
        said = self.folder.run("import", path, "-o", "jsonl",
                               *inventory.placement_options(step.place), clock_ms=clock_ms)
        image_id = json.loads(said.stdout)["image_id"]
        self.model.put(step, clock_ms, image_id)
        self.wait_for(image_id, clock_ms)

    def wait_for(self, image_id, clock_ms):
        """Until the server has followed what a command wrote of an image with rows."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            rows = self.root.rows(enterprise_project_id=ALL, image_id=image_id)
            if rows and rows[0]["latest_scan_time"] == str(clock_ms):
                return
            time.sleep(0.02)
        raise AssertionError(f"the server has not followed: {rows}")

    def check(self, why, caller=None, projects=None, **query):
        """Every row of the answer, under every filter that decisions move, is the model's."""
        for more in ({}, {"is_handled": "true"}, {"is_handled": "false"},
                     {"status": "vul_status_ignored"}, {"status": "vul_status_unfix"},
                     {"is_handled": "true", "status": "vul_status_unfix"}):
            asked = {"enterprise_project_id": ALL, **query, **more}
            expected = [row for row in self.model.matching(**asked)
                        if projects is None or row["enterprise_project_id"] in projects]
            assert (caller or self.root).rows(**asked) == expected, (why, asked)


@pytest.fixture
def world(folder, tmp_path):
    return World(folder, tmp_path)


SMALL = [
    image("registry.example.com/a", [claim("CVE-2024-1", "ssl"), claim("CVE-2024-2", "ssl")],
          **HARBOR),
    image("registry.example.com/b", [claim("CVE-2024-1", "ssl"), claim("CVE-2024-1", "libssl")],
          **HARBOR),
    image("registry.example.com/c", [claim("CVE-2024-1", "ssl")], agent_id="host", **PROD),
    image("registry.example.com/d", [claim("CVE-2024-1", "ssl"), claim("CVE-2024-3", "npmx", "low",
                                                                      (), "npm")],
          enterprise_project_id="ep-red", **HARBOR),
]


@pytest.fixture
def small(folder, tmp_path):
    return World(folder, tmp_path, SMALL)


def body_of(operate="ignore", select="all_vul", type="linux_vul", image_type="registry", **more):
    return {"image_type": image_type, "type": type, "operate_type": operate, "select_type": select,
            **more}


def state(model):
    return {(row["image_id"], row["type"], row["vul_id"]): (row["status"], row.handled)
            for row in model.rows()}


def changes(before, after):
    """The rows that are others, in their order, as the preview tells them."""
    return [(id, vul) for (id, type, vul), was in before.items()
            if after[(id, type, vul)] != was]


def later(name, ids, scanner="trivy", **place):
    return image(name, [claim(id, "ssl") for id in ids], scanner=scanner, **{**HARBOR, **place})


def hire(folder, name, *grants):
    folder.run("user", "create", name)
    for role, projects in grants:
        only = ["--enterprise-project", projects] if projects else []
        folder.run("user", "grant", name, "--role", role, *only)
    return new_key(folder, name)


@pytest.fixture
def three(folder, tmp_path):
    """A World of three enterprise projects, and those who may decide in one or two of them."""
    steps = [image(f"registry.example.com/{ep}/{n}", [claim("CVE-2024-1", "ssl")],
                   enterprise_project_id=ep, **HARBOR)
             for ep in ("0", "ep-red", "ep-blue") for n in range(2)]
    keys = {"red": hire(folder, "red", ("operator", "ep-red")),
            "both": hire(folder, "both", ("operator", "ep-red"), ("operator", "ep-blue")),
            "viewer": hire(folder, "viewer", ("viewer", None)),
            "mixed": hire(folder, "mixed", ("viewer", None), ("operator", "ep-blue"))}
    made = World(folder, tmp_path, steps)
    real = folder.serve()  # signatures want the time of day
    made.people = types.SimpleNamespace(
        **{name: Caller(real, key=key) for name, key in keys.items()})
    return made
