# SPDX-License-Identifier: Apache-2.0
"""One wide table with everything that the call shows and filters by, and the call's questions in
SQL over it. Every peer has this table, and the index that serves a question best for each of them.

Words of closed vocabularies are numbers, as whoever is after speed would have them. `id` is the
order of the rows: the image's number above the vulnerability's, as one integer.
"""

# In the order in which bench-dump writes them.
COLUMNS = (
    ("id", "bigint"),
    ("enterprise_project_id", "text"),
    ("image_type", "smallint"),
    ("image_id", "text"),
    ("image_name", "text"),
    ("image_version", "text"),
    ("image_digest", "text"),
    ("image_size", "bigint"),
    ("agent_id", "text"),
    ("organization", "text"),
    ("registry_type", "text"),
    ("registry_name", "text"),
    ("is_multi_arch", "smallint"),
    ("cluster_id", "text"),
    ("cluster_name", "text"),
    ("container_num", "integer"),
    ("latest_scan_time", "bigint"),
    ("vul_id", "text"),
    ("type", "smallint"),
    ("repair_necessity", "smallint"),
    ("status", "smallint"),
    ("is_handled", "smallint"),
    ("first_scan_time", "bigint"),
)
NAMES = [name for name, _ in COLUMNS]
IMAGE_ID, VUL_ID = NAMES.index("image_id"), NAMES.index("vul_id")  # known to sqlite.c, too

# All end in `id`, so that a page is read in order and a count reads nothing but the index.
INDEXES = (
    ("vul_id", "image_type", "registry_type", "status", "id"),
    ("vul_id", "id"),
    ("repair_necessity", "status", "id"),
    ("type", "image_type", "id"),
    ("image_id", "id"),
    ("image_name", "id"),
    ("registry_name", "is_handled", "id"),
    ("cluster_id", "repair_necessity", "id"),
    ("registry_name", "cluster_id", "repair_necessity", "type", "id"),
    ("repair_necessity DESC", "id"),
    ("enterprise_project_id", "id"),
)

WORDS = {
    "image_type": ("local", "registry", "cicd", "cluster"),
    "type": ("app_vul", "linux_vul"),
    "repair_necessity": ("Low", "Medium", "High", "Critical"),
    "status": ("vul_status_unfix", "vul_status_ignored"),
    "is_handled": ("false", "true"),
}
ORDERS = {None: "id", "-severity": "repair_necessity DESC, id"}
# Above this offset a page's keys are looked for first, in an index, and its rows only then.
FAR = 1000


def create(words=lambda type_: type_):
    columns = ", ".join(f"{name} {words(type_)} NOT NULL" for name, type_ in COLUMNS[1:])
    return f"CREATE TABLE finding ({COLUMNS[0][0]} {words('bigint')} PRIMARY KEY, {columns})"


def index_statements(indexes=INDEXES):
    for columns in indexes:
        name = "finding_" + "_".join(columns).replace(" ", "_")[:50]
        yield f"CREATE INDEX {name} ON finding ({', '.join(columns)})"


def literal(name, value):
    if name in WORDS:
        return str(WORDS[name].index(value))
    return "'" + value.replace("'", "''") + "'"


def condition(name, value, contains):
    """SQL of one filter. contains: how this database says that a text has another in it."""
    if isinstance(value, list):
        return f"{name} IN ({', '.join(literal(name, one) for one in value)})"
    if name == "image_name":
        return contains(name, literal(name, value))
    return f"{name} = {literal(name, value)}"


def order(question):
    """The call's own, or by `sort`: "-severity", the worst first."""
    return ORDERS[question["sort"]]


def where(question, contains):
    conditions = [condition(*filter_, contains) for filter_ in question["filters"].items()]
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def count_sql(question, contains):
    return f"SELECT count(*) FROM finding{where(question, contains)}"


def page_sql(question, contains):
    part = f" LIMIT {question['limit']} OFFSET {question['offset']}"
    rows, by = where(question, contains), order(question)
    if question["offset"] < FAR:
        return f"SELECT * FROM finding{rows} ORDER BY {by}{part}"
    return (
        f"SELECT finding.* FROM (SELECT id FROM finding{rows} ORDER BY {by}{part}) AS page"
        f" JOIN finding ON finding.id = page.id"
        f" ORDER BY {', '.join('finding.' + column for column in by.split(', '))}"
    )
