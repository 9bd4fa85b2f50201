# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL: Debian's, in a cluster of its own that nobody else can reach (a socket in a folder).

Each question is measured twice: in the server, by a function whose statements are planned once (as
the others are measured in process), and by pgbench through the socket with prepared statements sent
together (as Careen is over HTTP).
"""
import glob
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

from peers import table
from peers.peer import ROUNDS_MAX, ROUNDS_MIN, SECONDS, Peer, figures

# Parts of names are found by trigrams.
INDEXES = tuple(columns for columns in table.INDEXES if columns[0] != "image_name")
USERS = ("postgres", "nobody")  # the server refuses to run as root
MEASURE = """
CREATE OR REPLACE FUNCTION pg_temp.measure(seconds float8, at_least int, at_most int)
RETURNS SETOF float8 LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz := clock_timestamp();
    start timestamptz;
    rounds int := 0;
BEGIN
    WHILE rounds < at_least
        OR (rounds < at_most AND extract(epoch FROM clock_timestamp() - began) < seconds)
    LOOP
        start := clock_timestamp();
        PERFORM pg_temp.question();
        RETURN NEXT extract(epoch FROM clock_timestamp() - start) * 1e6;
        rounds := rounds + 1;
    END LOOP;
END $$;
"""
QUESTION = """
CREATE OR REPLACE FUNCTION pg_temp.question() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plpgsql_total bigint;
    plpgsql_seen bigint := 0;
    plpgsql_row record;
BEGIN
    SELECT INTO plpgsql_total ({count});
    FOR plpgsql_row IN {page} LOOP plpgsql_seen := plpgsql_seen + 1; END LOOP;
    RETURN plpgsql_total + plpgsql_seen;
END $$;
"""


def contains(column, text):
    return f"{column} LIKE {text[:1]}%{text[1:-1]}%{text[-1:]}"


def gigabytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30


def programs():
    """The folder of the newest version's programs, or None."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    version = lambda path: float(pathlib.Path(path).parts[-3])
    return pathlib.Path(max(found, key=version)).parent if found else None


class PostgreSQL(Peer):
    name, title = "postgresql", "PostgreSQL"

    def __init__(self, folder):
        super().__init__(folder)
        self.bin, self.cluster = programs(), folder / "cluster"
        self.user = None
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            self.user = next(user for user in USERS if user in known)
        self.socket = None

    def missing(self):
        return None if self.bin else "PostgreSQL is not installed (postgresql-15)"

    # --- The server ---------------------------------------------------------------------------

    def command(self, program, *arguments):
        started = [self.bin / program, *arguments]
        return ["runuser", "-u", self.user, "--", *started] if self.user else started

    def run(self, program, *arguments, **more):
        done = subprocess.run(
            self.command(program, *arguments), capture_output=True, text=True, cwd="/", **more
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr[-2000:] or done.stdout[-2000:]}")
        return done.stdout

    def settings(self):
        memory = gigabytes()
        buffers = 4096 if memory >= 12 else max(128, memory * 1024 // 4)
        return {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.socket}'",
            "shared_buffers": f"{buffers}MB",
            "effective_cache_size": f"{max(1, memory * 3 // 4)}GB",
            "maintenance_work_mem": "1GB" if memory >= 12 else "256MB",
            "work_mem": "256MB" if memory >= 12 else "32MB",
            "seq_page_cost": "0.5",  # all of it is in memory
            "random_page_cost": "0.5",
            "jit": "off",
            "cursor_tuple_fraction": "1",
            "autovacuum": "off",
            "fsync": "off",
            "synchronous_commit": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "32GB",
            "checkpoint_timeout": "1h",
        }

    def start(self):
        self.socket = tempfile.mkdtemp(prefix="careen-bench-")
        if self.user:
            shutil.chown(self.socket, self.user)
        lines = "".join(f"{name} = {value}\n" for name, value in self.settings().items())
        (self.cluster / "conf.d").mkdir(exist_ok=True)
        (self.cluster / "conf.d/bench.conf").write_text(lines)
        self.run("pg_ctl", "-D", self.cluster, "-w", "-t", "300", "-s", "-l",
                 self.cluster / "log", "start")

    def stop(self):
        if self.socket:
            self.run("pg_ctl", "-D", self.cluster, "-w", "-t", "300", "-s", "-m", "fast", "stop")
            shutil.rmtree(self.socket)
            self.socket = None

    def psql(self, sql, **more):
        return self.run(
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.socket, "-d", "postgres",
            "-f", "-", input=sql, **more
        )

    # --- The data -----------------------------------------------------------------------------

    def init(self):
        if self.user:
            shutil.chown(self.folder, self.user)
        self.run("initdb", "-D", self.cluster, "--no-sync", "-A", "trust", "--encoding=UTF8",
                 "--locale=C")
        with open(self.cluster / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write("include_dir = 'conf.d'\n")

    def definition(self):
        return [
            table.create().replace(" PRIMARY KEY", ""),
            "ALTER TABLE finding ADD PRIMARY KEY (id)",
            *table.index_statements(INDEXES),
            "CREATE EXTENSION pg_trgm;"
            "CREATE INDEX finding_trigrams ON finding USING gin (image_name gin_trgm_ops)",
        ]

    def load(self, dump, say):
        create, *statements = self.definition()
        self.init()
        self.start()
        try:
            say("rows")
            self.copy("finding", create, dump)
            for number, statement in enumerate(statements, 1):
                say(f"index {number} of {len(statements)}")
                self.psql(statement)
            say("vacuum")
            self.psql("VACUUM (ANALYZE, FREEZE) finding")
        finally:
            self.stop()

    def copy(self, name, create, dump):
        """A new table of the rows that the command prints. In one transaction, so that the rows
        need no log and are visible to all at once."""
        rows = subprocess.Popen(dump, stdout=subprocess.PIPE)
        done = subprocess.run(
            self.command("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", self.socket, "-d",
                         "postgres", "-1", "-c", create, "-c", f"COPY {name} FROM STDIN (FREEZE)"),
            stdin=rows.stdout, capture_output=True, text=True, cwd="/", check=False,
        )
        rows.stdout.close()
        if rows.wait() != 0 or done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr[-2000:]}")

    # --- Questions ----------------------------------------------------------------------------

    def ask(self, questions):
        for question in questions:
            yield self.answer(
                question["name"], table.count_sql(question, contains),
                table.page_sql(question, contains))

    def answer(self, name, count, page):
        printed = self.psql(
            f"{count};\nSELECT image_id || ' ' || vul_id FROM ({page}) AS page;\n").splitlines()
        inside = self.psql(
            QUESTION.format(count=count, page=page) + MEASURE +
            f"SELECT pg_temp.measure({SECONDS}, {ROUNDS_MIN}, {ROUNDS_MAX});\n").split()
        answer = {
            "name": name, "count": int(printed[0]), "page": printed[1:],
            **figures([float(taken) for taken in inside]),
        }
        through = self.through_socket(count, page, answer["median_us"])
        return {**answer, **{f"socket_{key}": value for key, value in through.items()}}

    def through_socket(self, count, page, about_us):
        rounds = int(min(ROUNDS_MAX, max(ROUNDS_MIN, SECONDS * 1e6 / about_us)))
        script = f"\\startpipeline\n{count};\n{page};\n\\endpipeline\n"
        with tempfile.TemporaryDirectory(prefix="careen-bench-") as folder:
            file = pathlib.Path(folder, "question.sql")
            file.write_text(script)
            if self.user:
                shutil.chown(folder, self.user)
            self.run("pgbench", "-n", "-M", "prepared", "-c", "1", "-t", str(rounds), "-l",
                     f"--log-prefix={folder}/log", "-f", file, "-h", self.socket, "postgres")
            log = "".join(path.read_text() for path in pathlib.Path(folder).glob("log*"))
        return figures([float(taken) for taken in re.findall(r"^\d+ \d+ (\d+) ", log, re.M)])
