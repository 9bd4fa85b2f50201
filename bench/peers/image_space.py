# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL once more, with Careen's own idea of the data in its tables: a row for each image with
the counts of its findings by code, arrays of what it has, and for each vulnerability the array of
the images that have it (docs/architecture.md, Index and query). It shows how much of the
difference is the idea, and how much is the engine.

It lives in the cluster of the wide table and is made from it.
"""
from peers import table
from peers.peer import Peer
from peers.postgresql import contains

CODES = 32
BITS = {"repair_necessity": (0, 3), "type": (2, 1), "status": (3, 1), "is_handled": (4, 1)}
OF_IMAGE = table.COLUMNS[1 : table.NAMES.index("latest_scan_time") + 1]
INDEXED = ("enterprise_project_id", "image_type", "image_id", "registry_name", "registry_type",
           "cluster_id")


def create():
    counts = ", ".join(f"c{code} smallint NOT NULL" for code in range(CODES))
    columns = ", ".join(f"{name} {type_} NOT NULL" for name, type_ in OF_IMAGE)
    return f"""
        CREATE TABLE image (number integer NOT NULL, {counts}, {columns});
        CREATE TABLE image_finding (number integer, vulns integer[], codes smallint[],
            firsts bigint[]);
        CREATE TABLE vulnerability (number integer, vul_id text, images integer[],
            codes smallint[]);
        ALTER TABLE image_finding ALTER vulns SET STORAGE external, ALTER codes SET STORAGE
            external, ALTER firsts SET STORAGE external;
        ALTER TABLE vulnerability ALTER images SET STORAGE external, ALTER codes SET STORAGE
            external;
    """


def steps():
    """What makes the tables from the wide one, with a word for each step."""
    code = " | ".join(f"({name}::int << {shift})" for name, (shift, _) in BITS.items())
    parts = f"(id >> 32)::int AS image, (id & 4294967295)::int AS vuln, ({code})::smallint AS code"
    counts = ", ".join(f"count(*) FILTER (WHERE code = {code}) AS c{code}" for code in range(CODES))
    names = ", ".join(name for name, _ in OF_IMAGE)
    yield "tables", create()
    yield "images", (
        f"INSERT INTO image SELECT (id >> 32)::int, "
        + ", ".join(f"c{code}" for code in range(CODES)) + f", {names} FROM ("
        f" SELECT min(id) AS id, {counts} FROM (SELECT id, {parts} FROM finding) AS row"
        f" GROUP BY image) AS counted JOIN finding USING (id)")
    yield "findings of images", (
        "INSERT INTO image_finding SELECT image, array_agg(vuln ORDER BY vuln), array_agg(code"
        " ORDER BY vuln), array_agg(first_scan_time ORDER BY vuln)"
        f" FROM (SELECT {parts}, first_scan_time FROM finding) AS row GROUP BY image")
    yield "images of vulnerabilities", (
        "INSERT INTO vulnerability SELECT vuln, min(vul_id), array_agg(image ORDER BY image),"
        f" array_agg(code ORDER BY image) FROM (SELECT {parts}, vul_id FROM finding) AS row"
        " GROUP BY vuln")
    yield "indexes", "".join((
        "ALTER TABLE image ADD PRIMARY KEY (number); ALTER TABLE image_finding ADD PRIMARY KEY"
        " (number); ALTER TABLE vulnerability ADD PRIMARY KEY (number);"
        " CREATE INDEX ON vulnerability (vul_id);"
        " CREATE INDEX ON image USING gin (image_name gin_trgm_ops);",
        *(f"CREATE INDEX ON image ({name}, number);" for name in INDEXED)))
    yield "vacuum", "VACUUM (ANALYZE, FREEZE) image, image_finding, vulnerability"


def admitted(filters):
    """The codes that the filters on rows admit."""
    wanted = {
        name: table.WORDS[name].index(filters[name]) for name in BITS if name in filters
    }
    return [
        code for code in range(CODES)
        if all(code >> BITS[name][0] & BITS[name][1] == value for name, value in wanted.items())
    ]


class Question:
    """One question's statements."""

    def __init__(self, question):
        filters = question["filters"]
        self.offset, self.limit = question["offset"], question["limit"]
        self.codes = admitted(filters)
        self.vul_id = filters.get("vul_id")
        self.scope = [
            table.condition(name, value, contains)
            for name, value in filters.items() if name != "vul_id" and name not in BITS
        ]
        self.all_codes = len(self.codes) == CODES

    def code_is_admitted(self):
        return [] if self.all_codes else [f"code IN ({', '.join(map(str, self.codes))})"]

    def scope_where(self, *more):
        conditions = [*self.scope, *more]
        return "WHERE " + " AND ".join(conditions) if conditions else ""

    def counted(self):
        return " + ".join(f"c{code}::int" for code in self.codes)

    def count(self):
        if not self.vul_id:
            return f"SELECT coalesce(sum({self.counted()}), 0) FROM image {self.scope_where()}"
        named = f"vul_id = {table.literal('vul_id', self.vul_id)}"
        if self.all_codes and not self.scope:
            return f"SELECT coalesce(sum(cardinality(images)), 0) FROM vulnerability WHERE {named}"
        return (
            "SELECT count(*) FROM vulnerability, unnest(images, vulnerability.codes) AS f (image,"
            f" code){' JOIN image ON image.number = f.image' if self.scope else ''}"
            f" {self.scope_where(named, *self.code_is_admitted())}")

    def columns(self, vuln):
        names = ", ".join(f"image.{name}" for name, _ in OF_IMAGE)
        bits = ", ".join(
            f"code >> {shift} & {mask} AS {name}" for name, (shift, mask) in BITS.items())
        return f"{names}, {vuln}.vul_id, {bits}"

    def page(self):
        if self.vul_id:
            return self.page_of_vul_id()
        return self.page_of_images(*(self.far() if self.offset >= table.FAR else ("", "", "0")))

    def page_of_vul_id(self):
        """Which rows, then what they show."""
        named = f"vul_id = {table.literal('vul_id', self.vul_id)}"
        image = "JOIN image ON image.number = f.image" if self.scope else ""
        found = (
            "SELECT f.image, vulnerability.number AS vuln, vul_id, code FROM vulnerability,"
            f" unnest(images, vulnerability.codes) AS f (image, code) {image}"
            f" {self.scope_where(named, *self.code_is_admitted())}"
            f" ORDER BY 1, 2 LIMIT {self.limit} OFFSET {self.offset}")
        return (
            f"SELECT {self.columns('found')}, firsts[array_position(vulns, found.vuln)] AS"
            f" first_scan_time FROM ({found}) AS found JOIN image ON image.number = found.image"
            " JOIN image_finding ON image_finding.number = found.image"
            " ORDER BY found.image, found.vuln")

    def far(self):
        """The images on a page that begins far behind: those whose counts, added up, reach it."""
        return (
            f"WITH walked AS (SELECT number, {self.counted()} AS n, sum({self.counted()}) OVER"
            f" (ORDER BY number) AS upto FROM image {self.scope_where()}),"
            " opened AS (SELECT number, upto - n AS before FROM walked WHERE n > 0"
            f" AND upto > {self.offset} AND upto - n < {self.offset + self.limit}) ",
            "JOIN opened ON opened.number = image.number",
            f"(SELECT {self.offset} - coalesce(min(before), 0) FROM opened)")

    def page_of_images(self, before, opened, offset):
        if opened:
            scope = "WHERE " + " AND ".join(self.code_is_admitted() or ["true"])
        else:
            some = [] if self.all_codes else [f"{self.counted()} > 0"]
            scope = self.scope_where(*some, *self.code_is_admitted())
        offset = offset if opened else str(self.offset)
        return (
            f"{before}SELECT {self.columns('vulnerability')}, f.first AS first_scan_time"
            f" FROM image {opened} JOIN image_finding ON image_finding.number = image.number,"
            " unnest(vulns, image_finding.codes, firsts) AS f (vuln, code, first)"
            f" JOIN vulnerability ON vulnerability.number = f.vuln {scope}"
            f" ORDER BY image.number, f.vuln LIMIT {self.limit} OFFSET {offset}")


class ImageSpace(Peer):
    name, title = "postgresql_image_space", "PostgreSQL, image space"

    def __init__(self, folder, wide):
        super().__init__(folder)
        self.wide = wide

    def missing(self):
        return self.wide.missing()

    def definition(self):
        return [*self.wide.definition(), *(sql for _, sql in steps())]

    def load(self, dump, say):
        self.start()
        try:
            self.wide.psql("DROP TABLE IF EXISTS image, image_finding, vulnerability")
            for what, sql in steps():
                say(what)
                self.wide.psql(sql)
        finally:
            self.stop()

    def start(self):
        self.wide.start()

    def stop(self):
        self.wide.stop()

    def ask(self, questions):
        for question in questions:
            if question["sort"]:
                continue  # four walks, one after the other, are no one statement
            asked = Question(question)
            yield self.wide.answer(question["name"], asked.count(), asked.page())
