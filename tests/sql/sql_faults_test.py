#!/usr/bin/python3
"""RELIABILITY rows 10 and 11 for PostgreSQL: the server is killed, stopped, restarted and frozen under
load; no answer is lost or wrong, errors are typed and come in time, the breaker opens and closes within
its bound; and settings that lose acknowledged writes are refused at the start.

WAYBILL_SQL_LOAD names the load program (sql_load.c). Bounds are asserted at five times their figure.
"""

import os
import queue
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402

PROGRAM = os.environ.get("WAYBILL_SQL_LOAD", "")
BOUND_SECONDS = 5 * 5
DEADLINE_MS = 2000
SUMMARY = re.compile(r"lost (\d+) wrong (\d+) unknown (\d+) answers (\d+) latest_ms (\d+)")
TYPED = re.compile(r"\d+ (store unavailable|deadline exceeded|queue full) ")


class Load:
    """The load program; reads its lines on a thread."""

    def __init__(self, url, clients=32):
        self.process = subprocess.Popen([PROGRAM, url, str(clients), str(DEADLINE_MS)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.all = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.wait("ready")
        except AssertionError:
            self.process.kill()
            raise AssertionError(self.process.stderr.read()) from None

    def _read(self):
        for line in self.process.stdout:
            self.all.append(line.rstrip("\n"))
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait(self, pattern, seconds=60):
        """The first new line that fits."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line {pattern!r} within {seconds} s: {self.all[-5:]}") from None
            assert line is not None, f"ended without {pattern!r}: {self.all[-5:]}"
            if re.search(pattern, line):
                return line

    def works(self):
        """From now on a commit is answered."""
        while not self.lines.empty():
            self.lines.get()
        self.wait(r"^\d+ ok ", BOUND_SECONDS)

    def end(self):
        """Its summary, checked."""
        self.process.stdin.write("end\n")
        self.process.stdin.flush()
        line = self.wait(SUMMARY.pattern, 60)
        lost, wrong, unknown, answers, latest_ms = map(int, SUMMARY.search(line).groups())
        assert self.process.wait(30) == 0
        odd = [text for text in self.all
               if not TYPED.match(text) and not re.match(r"ready|\d+ ok |available|lost", text)]
        assert not odd, odd[:5]
        print(f"# {answers} answers, {unknown} done without an answer, slowest {latest_ms} ms")
        assert lost == 0 and wrong == 0, line
        assert latest_ms <= 5 * (DEADLINE_MS + 250), line
        assert answers > 0, line

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def killed_and_started_again_under_load():
    with PostgresqlServer() as server, Load(server.url) as load:
        for _ in range(2):
            load.works()
            server.kill()
            load.wait("available 0", BOUND_SECONDS)
            server.start()
            load.wait("available 1", BOUND_SECONDS)
            load.works()
        load.end()


def restarted_in_good_order_under_load():
    with PostgresqlServer() as server, Load(server.url) as load:
        for _ in range(2):
            load.works()
            server.stop()
            server.start()
            load.works()
        load.end()


def frozen_and_thawed_under_load():
    with PostgresqlServer() as server, Load(server.url) as load:
        for _ in range(2):
            load.works()
            server.pause()
            load.wait("available 0", BOUND_SECONDS)
            time.sleep(1)
            server.resume()
            load.wait("available 1", BOUND_SECONDS)
            load.works()
        load.end()


def connections_cut_under_load():
    with PostgresqlServer() as server, Load(server.url) as load:
        for _ in range(6):
            load.works()
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE application_name = 'waybill' AND random() < 0.7")
        load.works()
        load.end()


def refused(url, name):
    """Whether a start is refused with a text that names setting and cure."""
    try:
        with Load(url, 1):
            return False
    except AssertionError as error:
        text = str(error)
        assert f"{name} is off" in text and "--allow-degraded" in text, text
        return True


def settings_that_lose_writes_are_refused_at_start():
    with PostgresqlServer() as server:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            server.stop()
            server.configure({name: "off"})
            server.start()
            assert refused(server.url, name), f"{name} = off was not noticed"
            server.configure({name: "on"})
        server.stop()
        server.start()
        server.execute("ALTER ROLE waybill SET synchronous_commit = off")
        assert refused(server.url, "synchronous_commit"), "a role's setting was not noticed"
        server.execute("ALTER ROLE waybill RESET synchronous_commit")
        server.execute("ALTER DATABASE waybill SET synchronous_commit = off")
        assert refused(server.url, "synchronous_commit"), "a database's was not noticed"
        server.execute("ALTER DATABASE waybill SET synchronous_commit = local")
        with Load(server.url, 1) as load:
            load.works()
            load.end()


def a_server_that_comes_back_with_weaker_settings_is_not_used():
    with PostgresqlServer() as server, Load(server.url, 4) as load:
        load.works()
        server.stop()
        server.configure({"fsync": "off"})
        server.start()
        load.wait("available 0", BOUND_SECONDS)
        time.sleep(2)
        assert "available 1" not in load.all[-1]
        server.stop()
        server.configure({"fsync": "on"})
        server.start()
        load.wait("available 1", BOUND_SECONDS)
        load.works()
        load.end()


tap.run([
    killed_and_started_again_under_load,
    restarted_in_good_order_under_load,
    frozen_and_thawed_under_load,
    connections_cut_under_load,
    settings_that_lose_writes_are_refused_at_start,
    a_server_that_comes_back_with_weaker_settings_is_not_used,
])
