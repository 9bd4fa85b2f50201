# SPDX-License-Identifier: Apache-2.0
"""DuckDB, in process, through its Python module: that costs each question some 100 us, of answers
that take milliseconds."""
import subprocess

from peers import table
from peers.peer import Peer, measure

# Its indexes serve single values that few rows have; the rest is what its columns are for. The rows
# are in order, so that the minima and maxima of its blocks find an image's.
INDEXED = ("image_id", "vul_id")


def contains(column, text):
    return f"contains({column}, {text})"


class DuckDB(Peer):
    name, title = "duckdb", "DuckDB"

    def __init__(self, folder):
        super().__init__(folder)
        self.file = str(folder / "finding.duckdb")
        self.database = None

    def missing(self):
        try:
            import duckdb  # pylint: disable=unused-import
        except ImportError:
            return "the Python module duckdb is not installed"
        return None

    def connect(self):
        import duckdb

        return duckdb.connect(self.file)

    def definition(self):
        return [
            table.create().replace(" PRIMARY KEY", " NOT NULL"),
            *(f"CREATE INDEX finding_{column} ON finding ({column})" for column in INDEXED),
        ]

    def load(self, dump, say):
        create, *indexes = self.definition()
        say("rows")
        database = self.connect()
        database.execute(create)
        rows = subprocess.Popen(dump, stdout=subprocess.PIPE)
        columns = ", ".join(f"'{name}': '{type_}'" for name, type_ in table.COLUMNS)
        database.execute(
            f"INSERT INTO finding SELECT * FROM read_csv('/dev/fd/{rows.stdout.fileno()}',"
            f" delim = '\t', header = false, quote = '', escape = '', nullstr = '\\N',"
            f" auto_detect = false, columns = {{{columns}}})"
        )
        if rows.wait() != 0:
            raise RuntimeError("bench-dump failed")
        for number, statement in enumerate(indexes, 1):
            say(f"index {number} of {len(indexes)}")
            database.execute(statement)
        database.execute("ANALYZE")
        database.close()

    def start(self):
        self.database = self.connect()

    def stop(self):
        self.database.close()

    def ask(self, questions):
        for question in questions:
            self.database.execute(f"PREPARE rows AS {table.count_sql(question, contains)}")
            self.database.execute(f"PREPARE page AS {table.page_sql(question, contains)}")
            count = self.database.execute("EXECUTE rows").fetchone()[0]
            page = [
                f"{row[table.IMAGE_ID]} {row[table.VUL_ID]}"
                for row in self.database.execute("EXECUTE page").fetchall()
            ]
            yield {
                "name": question["name"], "count": count, "page": page, **measure(self.both)
            }

    def both(self):
        self.database.execute("EXECUTE rows").fetchall()
        self.database.execute("EXECUTE page").fetchall()
