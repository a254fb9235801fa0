"""The load program (sql_load.c) under Python's control; WAYBILL_SQL_LOAD names it."""

import os
import queue
import re
import subprocess
import threading
import time

PROGRAM = os.environ.get("WAYBILL_SQL_LOAD", "")
BOUND_SECONDS = 5 * 5
DEADLINE_MS = 2000
SUMMARY = re.compile(r"lost (\d+) wrong (\d+) unknown (\d+) answers (\d+) latest_ms (\d+)")
TYPED = re.compile(r"\d+ (store unavailable|deadline exceeded|queue full|disk full) ")


class Load:
    """The load program; reads its lines on a thread."""

    def __init__(self, url, clients=32, tell_all=False):
        self.process = subprocess.Popen([PROGRAM, url, str(clients), str(DEADLINE_MS),
                                         *(["all"] if tell_all else [])],
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
