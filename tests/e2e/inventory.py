# SPDX-License-Identifier: Apache-2.0
"""An inventory of a small company, and what the call has to answer about it.

STEPS are facts: reports imported at a given time and place, one after the other, and what is done
to the images afterwards. seed() puts them into a data folder with the command line. Model works out
from the same facts, and from nothing that the server says, which rows a query must give (only the
ids of images are taken from what `careen import` prints). It is written for the eye, not for speed.

Names in STEPS stand for cases: a vulnerability that three reports call by three names, an advisory
that covers CVEs, a tag that moved, the same package in two ecosystems, an image told of by two
scanners, ...
"""
import collections
import itertools
import json
import types

from documents import digest, grype, grype_match, trivy, trivy_package, trivy_vulnerability, write

START_MS = 1_700_000_000_000
STEP_MS = 1_000
ODD = "r&d+100% / 库=~*'()!"  # what encodings stumble over

NECESSITY = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low",
             "unknown": "Medium", "negligible": "Low"}
WORSE = ["unknown", "negligible", "low", "medium", "high", "critical"]
ROW_TYPE = {"local": "local_image", "registry": "registry", "cicd": "cicd", "cluster": "cluster"}


# Source packages that are not called like what is built from them; lib6 is both.
SOURCES = {"lib1": "libsource", "lib2": "libsource", "lib5": "lib6"}


def claim(id, package, severity="high", related=(), kind="deb", fixed="2.0"):
    """One line of a report: this vulnerability is in this package."""
    return types.SimpleNamespace(
        id=id, package=package, severity=severity, related=related, kind=kind, fixed=fixed)


def image(name, claims, tag="1.0", scanner="trivy", content=None, complete=True, size=None,
          **place):
    """One report, and the place that it is imported with."""
    place.setdefault("image_type", "local")
    return types.SimpleNamespace(
        action="import", name=name, claims=claims, tag=tag, scanner=scanner, size=size, place=place,
        content=content or f"{name}:{tag}", complete=complete,
    )


def change(name, tag="1.0", **place):
    return types.SimpleNamespace(action="set", name=name, tag=tag, place=place)


def remove(name, tag="1.0"):
    return types.SimpleNamespace(action="rm", name=name, tag=tag)


def os_claims(n):
    """Some of 18 vulnerabilities of a Debian, other ones for every n."""
    words = ["critical", "high", "medium", "low", "negligible", "unknown"]
    return [
        claim(f"CVE-2024-{1000 + k}", f"lib{k % 7}", words[(k + (n if k % 4 == 0 else 0)) % 6],
              fixed="" if k % 5 == 2 else "2.0")
        for k in range(18) if (5 * n + 3 * k) % 4 != 0
    ]


OPENSSL = claim("CVE-2024-2001", "openssl-wrapper", "medium", ("GHSA-aaaa-bbbb-cccc",), "npm")
EULER = claim("EulerOS-SA-2023-3326", "kernel", "critical", ("CVE-2023-1111", "CVE-2023-2222"),
              "rpm")
HARBOR = {"image_type": "registry", "registry_type": "Harbor", "registry_name": "harbor-a"}
SWR = {"image_type": "registry", "registry_type": "SwrPrivate", "registry_name": "swr-main",
       "organization": "hss_container_org"}
PROD = {"image_type": "cluster", "cluster_id": "c-prod", "cluster_name": "prod"}

STEPS = [
    *(image(f"registry.example.com/shop/svc-{n}", os_claims(n), containers=n, **HARBOR)
      for n in range(14)),
    *(image(f"registry.example.com/shop/svc-{n}", os_claims(n), **PROD) for n in range(4)),
    image("docker.io/library/nginx", os_claims(11), tag="1.25", agent_id="web-1", size=187_654_321),
    image("nginx", os_claims(11)[:3], tag="1.25", agent_id="web-2", containers=2),
    image("Nginx-legacy", os_claims(12)[:4], tag="0.9", agent_id="web-1"),
    image("swr.example.com/hss_container_org/hostguard", [EULER], containers=1, **SWR),
    image("swr.example.com/hss_container_org/hostguard-lite", [EULER, *os_claims(5)[:2]],
          is_multi_arch="true", **SWR),
    # One vulnerability under three names: CVE with alias, alias with CVE, alias alone.
    image("registry.example.com/app/one", [OPENSSL], image_type="cicd", pipeline="nightly"),
    image("registry.example.com/app/two",
          [claim("GHSA-aaaa-bbbb-cccc", "openssl-wrapper", "high", ("CVE-2024-2001",), "npm")],
          scanner="grype", image_type="cicd", pipeline="payments/main"),
    image("registry.example.com/app/three",
          [claim("GHSA-aaaa-bbbb-cccc", "wrapper-fork", "low", (), "npm")], **HARBOR),
    # No CVE: the GHSA is the name, and its other database's id finds it.
    image("registry.example.com/app/four",
          [claim("PYSEC-2024-77", "flaskish", "critical", ("GHSA-zzzz-yyyy-xxxx",), "pypi")],
          scanner="grype", **{**HARBOR, "registry_name": "harbor-b"}),
    # One id for several CVEs merges none of them, but is found by each.
    image("registry.example.com/app/five",
          [claim("GHSA-mmmm-uuuu-llll", "bundle", "medium", ("CVE-2024-3001", "CVE-2024-3002"),
                 "npm")], scanner="grype", **HARBOR),
    image("registry.example.com/app/six", [claim("CVE-2024-3001", "bundle", "low", (), "npm")],
          **HARBOR),
    # An advisory that covers the CVE is found by its alias, too.
    image("registry.example.com/app/seven",
          [claim("ALSA-2024:2001", "openssl", "high", ("CVE-2024-2001",), "rpm")], **HARBOR),
    # A distributor's advisory beside a CVE only finds.
    image("registry.example.com/base/debian",
          [claim("CVE-2024-4001", "glibc", "high", ("DSA-5555-1",)),
           claim("CVE-2024-4002", "glibc", "unknown", ("DSA-5555-1",))], **HARBOR),
    # The same CVE in an OS package and in an application: two rows.
    image("registry.example.com/app/both",
          [claim("CVE-2024-5001", "libxml", "low"),
           claim("CVE-2024-5001", "lxml", "critical", (), "pypi")], scanner="grype", **PROD),
    # Two scanners of one image: the union, and the worse word.
    image("registry.example.com/app/twice", [claim("CVE-2024-1000", "lib0", "low")], **HARBOR),
    image("registry.example.com/app/twice",
          [claim("CVE-2024-1000", "lib0", "critical"), claim("CVE-2024-6001", "lib1", "medium")],
          scanner="grype", **HARBOR),
    # A later report of the same scanner replaces the earlier one; what stays keeps its times.
    image("registry.example.com/app/rescan", os_claims(1)[:6], **HARBOR),
    image("registry.example.com/app/rescan",
          [*os_claims(1)[3:6], claim("CVE-2024-7001", "lib1", "high")], **HARBOR),
    image("registry.example.com/app/same", os_claims(2)[:3], **HARBOR),
    image("registry.example.com/app/same", os_claims(2)[:3], **HARBOR),
    # A tag that moved to another content.
    image("registry.example.com/app/moved", os_claims(3)[:2], content="old", **HARBOR),
    image("registry.example.com/app/moved", os_claims(3)[:3], content="new", **HARBOR),
    # Nothing found, and nothing but findings known.
    image("registry.example.com/app/clean", [], **HARBOR),
    image("registry.example.com/app/partly", os_claims(4)[:2], complete=False, **HARBOR),
    # Enterprise projects, and names that need encoding.
    image("registry.example.com/red/one", os_claims(6), enterprise_project_id="ep-red", **HARBOR),
    image("registry.example.com/red/two", [OPENSSL], enterprise_project_id="ep-red", **PROD),
    image("registry.example.com/blue/one", os_claims(7)[:5], enterprise_project_id="ep-蓝",
          image_type="registry", registry_type="Jfrog", registry_name=ODD, organization=ODD),
    image("registry.example.com/odd/one", [claim(ODD, "odd", "low"), *os_claims(8)[:2]],
          image_type="registry", registry_type="Other", registry_name=ODD),
    image("registry.example.com/odd/two", os_claims(8)[:2], image_type="cluster", cluster_id=ODD,
          cluster_name=ODD),
    # What happens to images later.
    image("registry.example.com/app/gone", os_claims(9), **HARBOR),
    remove("registry.example.com/app/gone"),
    change("registry.example.com/app/three", containers="2147483547", organization="late"),
    image("registry.example.com/last/one", os_claims(10), image_type="cicd", pipeline="last"),
    # One of the first is reported again.
    image("registry.example.com/shop/svc-2", os_claims(2), containers=2, **HARBOR),
]


def document(step):
    """The step's report as its scanner would write it."""
    if step.scanner == "grype":
        matches = [grype_match(c.id, c.package, severity=c.severity.capitalize(), related=c.related,
                               type=c.kind, fixed=c.fixed) for c in step.claims]
        return grype(step.name, step.tag, matches, content=step.content)
    vulnerabilities = []
    for c in step.claims:
        made = trivy_vulnerability(c.id, c.package, severity=c.severity.upper(), aliases=c.related,
                                    fixed=c.fixed)
        made["PkgIdentifier"] = {"PURL": f"pkg:{c.kind}/{c.package}@1.0"}
        vulnerabilities.append(made)
    packages = {(c.package, c.kind) for c in step.claims} | {("bash", "deb")}
    report = trivy(
        step.name, step.tag, vulnerabilities=vulnerabilities, content=step.content,
        packages=[trivy_package(name, "1.0", kind, SOURCES.get(name) if kind == "deb" else None)
                  for name, kind in sorted(packages)]
        if step.complete else (),
    )
    if step.size is not None:
        report["Metadata"]["Size"] = step.size
    return report


OPTIONS = {"enterprise_project_id": "enterprise-project", "is_multi_arch": "multi-arch"}


def placement_options(place):
    return [f"--{OPTIONS.get(name, name.replace('_', '-'))}={value}"
            for name, value in place.items()]


def seed(folder, scratch, steps=None, model=None):
    """Carries out the steps on a Folder and returns the Model of them."""
    model = model or Model()
    for number, step in enumerate(STEPS if steps is None else steps):
        clock_ms = START_MS + number * STEP_MS
        if step.action == "import":
            path = write(scratch, document(step), f"{number}.json")
            said = folder.run("import", path, "-o", "jsonl", *placement_options(step.place),
                              clock_ms=clock_ms)
            model.put(step, clock_ms, json.loads(said.stdout)["image_id"])
        elif step.action == "rm":
            folder.run("images", "rm", model.find(step).id, clock_ms=clock_ms)
            model.remove(step)
        else:
            words = [f"{name}={value}" for name, value in step.place.items()]
            folder.run("images", "set", model.find(step).id, *words, clock_ms=clock_ms)
            model.set(step, clock_ms)
    return model


# --- The model ------------------------------------------------------------------------------------

def name_kind(name):
    """0 CVE, 1 GHSA, 2 another database's name for one vulnerability, 3 an advisory."""
    for kind, prefix in enumerate(("CVE-", "GHSA-", "PYSEC-")):
        if name.startswith(prefix):
            return kind
    return 3


def split_related(claim):
    """Which related names are the same thing, and which are only found."""
    kind = name_kind(claim.id)
    several = sum(name_kind(name) == 0 for name in set(claim.related)) > 1
    aliases = {
        name for name in claim.related
        if kind != 3 and name_kind(name) != 3
        and not (name_kind(name) == 0 and (kind == 0 or several))
    }
    return aliases - {claim.id}, set(claim.related) - aliases - {claim.id}


SORTS = {
    "severity": lambda row: ["Low", "Medium", "High", "Critical"].index(row["repair_necessity"]),
    "image_name": lambda row: row["image_name"].encode(),
    "latest_scan_time": lambda row: int(row["latest_scan_time"]),
    "container_num": lambda row: row.containers,
}
FACETS = ["repair_necessity", "type", "status", "is_handled", "fixable", "image_type",
          "registry_type", "registry_name", "cluster_id", "enterprise_project_id"]


class Row(dict):
    """A row as the answer has it, and what the answer does not say."""

    packages = ()  # the names that its packages go by
    fixable = False
    containers = -1  # not known

    @property
    def handled(self):
        return self["is_handled"]

    def facet(self, name):
        """The value of this row for a filter, as text, or None."""
        if name == "fixable":
            return str(self.fixable).lower()
        if name == "is_handled":
            return str(self.handled).lower()
        value = self.get(name)
        return "local" if value == "local_image" else value


class Model:
    """The inventory as it must be after the steps put so far."""

    def __init__(self):
        self.images = []  # in order of arrival
        self.numbers = {}  # of names: in order of first mention
        self.known = {}  # (package, kind, name) -> when that was first claimed
        self._rows = None  # rows() since the last change

    def put(self, step, now, id):
        """A report arrives. The id identifies the image, as the command said it."""
        self._rows = None
        for c in step.claims:
            aliases, covers = split_related(c)
            for name in (c.id, *sorted(aliases), *sorted(covers)):
                self.numbers.setdefault(name, len(self.numbers) + 1)
            earlier = (self.known.get((c.package, c.kind, name), now) for name in (c.id, *aliases))
            self.known.setdefault((c.package, c.kind, c.id), min(earlier))
        found = next((i for i in self.images if i.id == id), None)
        if found is None:
            found = types.SimpleNamespace(
                id=id, name=step.name, tag=step.tag, digest=digest(step.content),
                config=digest("config " + step.content), first_seen=now, updated=now, size=None,
                slots={}, slot_times={}, seen={}, latest=True,
                place={"enterprise_project_id": "0"},
            )
            self.images.append(found)
        found.place.update(step.place)
        found.size = step.size if step.size is not None else found.size
        found.scanned = now
        content = (step.claims, step.complete and step.scanner == "trivy")
        if found.slots.get(step.scanner) != content:
            found.updated = now
        found.slots[step.scanner] = content
        found.slot_times[step.scanner] = now
        for c in step.claims:
            found.seen.setdefault((c.package, c.kind), now)
        self._take_latest(found, now)

    def _take_latest(self, image, now):
        def line(other):
            place = [other.place.get(key) for key in (
                "image_type", "enterprise_project_id", "registry_name", "cluster_id", "agent_id",
                "pipeline")]
            return (other.name, other.tag, place)

        for other in self.images:
            if other is not image and other.latest and line(other) == line(image):
                other.latest = False
                other.updated = now
        image.latest = True

    def find(self, step):
        return [i for i in self.images if (i.name, i.tag) == (step.name, step.tag)][-1]

    def remove(self, step):
        self.images.remove(self.find(step))
        self._rows = None

    def set(self, step, now):
        self._rows = None
        found = self.find(step)
        found.place.update(step.place)
        found.updated = now

    # Names

    def _records(self):
        """Every (name, aliases, covers) that an image holds now."""
        return {
            (c.id, frozenset(split_related(c)[0]), frozenset(split_related(c)[1]))
            for i in self.images for claims, _ in i.slots.values() for c in claims
        }

    def groups(self):
        """name -> the names that are one vulnerability (the facts above merge no two CVEs)."""
        groups = {}
        for name, aliases, _ in self._records():
            merged = set().union(*(groups.get(n, {n}) for n in (name, *aliases)))
            for member in merged:
                groups[member] = merged
        return groups

    def title(self, group):
        return min(group, key=lambda name: (name_kind(name), self.numbers[name]))

    def meant_by(self, name):
        """The titles of the vulnerabilities that a lookup by this name means."""
        groups = self.groups()
        own = groups.get(name, {name})
        if not own & self.numbers.keys():
            return set()
        title = self.title(own)
        return {title} | {
            self.title(groups.get(record, {record}))
            for record, aliases, covers in self._records()
            if {name, title} & {record, *aliases, *covers}
        }

    # Rows

    def rows(self):
        """Every row in order, as the answer must have it (JSON)."""
        for i, type, title, held in self.findings():
            severity = WORSE[max(WORSE.index(c.severity) for c, _ in held)]
            first = min(max(i.seen[(c.package, c.kind)], self.known[(c.package, c.kind, c.id)])
                        for c, _ in held)
            row = self._row(i, type, title, severity, first)
            row.packages = {name for c, _ in held for name in self._names(i, c)}
            row.fixable = any(c.fixed for c, _ in held)
            row.containers = int(i.place.get("containers", -1))
            yield row

    @staticmethod
    def _names(image, claim):
        """Its package's, and that of the source, which complete lists of Trivy tell."""
        claims, complete = image.slots.get("trivy", ((), False))
        told = complete and claim.kind == "deb" and any(claim is c for c in claims)
        return {claim.package, SOURCES.get(claim.package, claim.package) if told else claim.package}

    def findings(self):
        """Every row in order: its image, type, title, and claims, each with the time of the report
        that makes it."""
        groups = self.groups()
        for i in self.images:
            findings = {}
            for scanner, (claims, _) in i.slots.items():
                for c in claims:
                    group = groups.get(c.id, {c.id})
                    type = "linux_vul" if c.kind in ("deb", "rpm") else "app_vul"
                    number = min(self.numbers[name] for name in group)
                    findings.setdefault((number, type, self.title(group)), []).append(
                        (c, i.slot_times[scanner]))
            for (_, type, title), held in sorted(findings.items(), key=lambda pair: pair[0]):
                yield i, type, title, held

    @staticmethod
    def _row(i, type, title, severity, first):
        complete = any(complete for _, complete in i.slots.values())
        row = {
            "agent_id": i.place.get("agent_id"), "image_id": i.id, "image_name": i.name,
            "vul_id": title, "repair_necessity": NECESSITY[severity],
            "container_num": int(i.place.get("containers", 0)), "image_digest": i.digest,
            "image_version": i.tag, "status": "vul_status_unfix", "first_scan_time": str(first),
            "latest_scan_time": str(i.scanned), "image_type": ROW_TYPE[i.place["image_type"]],
            "image_size": None if i.size is None else str(i.size), "type": type,
            "assessment": "assessed" if complete else "partly_assessed",
            "image_config_digest": i.config, "is_latest": "true" if i.latest else "false",
            "updated_time": str(i.updated), "is_handled": False,
        }
        for name in ("organization", "registry_type", "registry_name", "is_multi_arch",
                     "cluster_id", "cluster_name", "enterprise_project_id"):
            row[name] = i.place.get(name)
        return Row({name: value for name, value in row.items() if value is not None})

    def matching(self, **query):
        """All rows that a query admits, of every page, in its order. Values are the parameters'
        texts, or lists of them."""
        self._rows = rows = self._rows or list(self.rows())
        projects = query.get("enterprise_project_id_in") or []
        project = query.get("enterprise_project_id") or ("all_granted_eps" if projects else "0")
        if project != "all_granted_eps":
            rows = [row for row in rows if row["enterprise_project_id"] == project]
        tests = self._tests(query)
        for name, value in query.items():
            if name in tests and value:
                rows = [row for row in rows if tests[name](row, value)]
        sort = query.get("sort")
        if sort:
            rows = sorted(rows, key=SORTS[sort.lstrip("-")], reverse=sort.startswith("-"))
        return rows

    def _tests(self, query):
        """What a value of each parameter asks of a row."""
        meant = self.meant_by(query["vul_id"]) if query.get("vul_id") else None
        any_meant = {title for name in query.get("vul_id_in", []) for title in self.meant_by(name)}
        tests = {
            "is_handled": lambda row, value: (value.lower() == "true") == row.handled,
            "vul_id": lambda row, value: row["vul_id"] in meant,
            "vul_id_in": lambda row, value: row["vul_id"] in any_meant,
            "image_type": lambda row, value: row["image_type"] == ROW_TYPE.get(value, value),
            "image_type_in": lambda row, values: row["image_type"] in [
                ROW_TYPE.get(value, value) for value in values],
            "image_name": lambda row, value: value in row["image_name"],
            "only_latest": lambda row, value: value == "false" or row["is_latest"] == "true",
            "running": lambda row, value: value == "false" or row.containers > 0,
            "fixable": lambda row, value: (value == "true") == row.fixable,
            "package_name": lambda row, value: value in row.packages,
            "first_seen_since": lambda row, value: int(row["first_scan_time"]) >= int(value),
            "enterprise_project_id_in": lambda row, values: row["enterprise_project_id"] in values,
        }
        for name in ("type", "repair_necessity", "image_id", "registry_name", "registry_type",
                     "status", "cluster_id"):
            tests[name] = lambda row, value, name=name: row.get(name) == value
            tests[name + "_in"] = lambda row, values, name=name: row.get(name) in values
        return tests

    def facets(self, **query):
        """The member `facets` of the answer."""
        facets = {}
        for name in FACETS:
            found = collections.Counter(row.facet(name) for row in self.matching(**query))
            del found[None]
            ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0].encode()))
            facets[name] = {"value_num": len(ordered), "values": [
                {"value": value, "row_num": count} for value, count in ordered[:100]]}
        return facets

    def counts(self, **query):
        """The member `counts`."""
        rows = self.matching(**query)
        images = {row["image_id"]: max(row.containers, 0) for row in rows}
        return {"image_num": len(images), "container_num": sum(images.values()),
                "vul_num": len({(row["vul_id"], row["type"]) for row in rows})}

    def page(self, **query):
        """The answer without `next`: total_num and data_list."""
        rows = self.matching(**query)
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 10))
        return {"total_num": len(rows), "data_list": rows[offset:offset + limit]}


def combinations(choices, size):
    """Every query of `size` parameters of the table."""
    for names in itertools.combinations(choices, size):
        for values in itertools.product(*(choices[name] for name in names)):
            yield dict(zip(names, values))
