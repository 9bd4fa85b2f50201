# SPDX-License-Identifier: Apache-2.0
"""SQLite, in process and in C: bench/peers/sqlite.c does the work."""
import json
import sqlite3
import subprocess

from peers import table
from peers.peer import Peer

# The primary key is the rowid, which ends every index by itself.
INDEXES = tuple(columns[:-1] for columns in table.INDEXES)


def contains(column, text):
    return f"instr({column}, {text}) > 0"


def sqlite_type(type_):
    return "TEXT" if type_ == "text" else "INTEGER"


class SQLite(Peer):
    name, title = "sqlite", "SQLite"

    def __init__(self, folder, program):
        super().__init__(folder)
        self.program, self.file = program, folder / "finding.db"

    def shell(self, *statements):
        database = sqlite3.connect(self.file)
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()

    def definition(self):
        return [table.create(sqlite_type), *table.index_statements(INDEXES)]

    def load(self, dump, say):
        create, *indexes = self.definition()
        self.shell(create)
        say("rows")
        rows = subprocess.Popen(dump, stdout=subprocess.PIPE)
        subprocess.run([self.program, "load", self.file], stdin=rows.stdout, check=True)
        if rows.wait() != 0:
            raise RuntimeError("bench-dump failed")
        for number, statement in enumerate(indexes, 1):
            say(f"index {number} of {len(indexes)}")
            self.shell("PRAGMA cache_size = -2000000", "PRAGMA synchronous = OFF", statement)
        say("statistics")
        self.shell("PRAGMA analysis_limit = 10000", "ANALYZE")

    def ask(self, questions):
        lines = "".join(
            f"{q['name']}\t{table.count_sql(q, contains)}\t{table.page_sql(q, contains)}\n"
            for q in questions
        )
        asking = subprocess.Popen(
            [self.program, "ask", self.file],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        asking.stdin.write(lines)
        asking.stdin.close()
        for line in asking.stdout:
            yield json.loads(line)
        if asking.wait() != 0:
            raise RuntimeError("bench-sqlite failed")
