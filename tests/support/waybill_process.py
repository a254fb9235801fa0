"""A `waybill serve` process, for the Python suites; needs nothing but Python.

WAYBILL_PROGRAM names the program under test (default build/waybill).
"""

import os
import re
import signal
import subprocess
import threading
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.abspath(os.environ.get("WAYBILL_PROGRAM", os.path.join(ROOT, "build", "waybill")))
START_SECONDS_MAX = 60
# Suites of one context receive its stock by its own calls; FED is for those of the whole.
ONE_CONTEXT = {"WAYBILL_ON_HAND_SOURCE": "own"}
FED = {"WAYBILL_ON_HAND_SOURCE": "auto"}


class Server:
    """A running server; `with Server(directory) as server:` stops it in good order."""

    def __init__(self, data, *arguments, listen="127.0.0.1:0", environment=None):
        self.data = data
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", listen, "--operations", "127.0.0.1:0",
             "--data", data, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**ONE_CONTEXT, **os.environ, **(environment or {})})
        self.log = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        line = self._ready_line()
        match = re.fullmatch(r"waybill ready listen=(\S+) operations=(\S+)\n", line)
        if not match:
            self.process.kill()
            self.process.wait()
            self._reader.join(5)
            raise AssertionError(f"no ready line but {line!r}; log: {''.join(self.log)}")
        self.listen, self.operations = match.groups()

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def _ready_line(self):
        timer = threading.Timer(START_SECONDS_MAX, self.process.kill)
        timer.start()
        try:
            return self.process.stdout.readline()
        finally:
            timer.cancel()

    def counted(self, name):
        """What the metric of that name, which has no labels, stands at."""
        with urllib.request.urlopen(f"http://{self.operations}/metrics", timeout=60) as answer:
            return int(re.search(rf"^{name} (\d+)$", answer.read().decode(), re.MULTILINE).group(1))

    def kill(self):
        """As a power switch would end the process, though not the machine."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds_max=60):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds_max)
        assert code == 0, f"exit code {code}; log: {''.join(self.log)}"

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.stop()
