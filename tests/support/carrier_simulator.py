"""A `waybill simulate carriers` process, for the Python suites, and the settings that make a server
ship with it."""

import json
import subprocess
import urllib.request

from waybill_process import PROGRAM

SECRET = "agreed-upon"
ACCOUNTS = {"ups": "W4YB1L", "fedex": "740561073", "dhl": "123456789"}


class Simulator:
    """`with Simulator("--fault-rate", "0.3") as simulator:` stops it in good order."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, "simulate", "carriers", "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert "ready listen=" in line, line
        self.address = line.split("listen=")[1].strip()

    def settings(self, **more):
        """Flags for `waybill serve`; more: names with _ for -, as purchase_seconds_max=2."""
        flags = []
        for carrier, account in ACCOUNTS.items():
            flags += [f"--{carrier}-base-url", f"http://{self.address}/{carrier}",
                      f"--{carrier}-client-id", "waybill", f"--{carrier}-client-secret", "secret",
                      f"--{carrier}-account-number", account, f"--{carrier}-webhook-secret", SECRET]
        for name, value in more.items():
            flags += ["--" + name.replace("_", "-"), str(value)]
        return flags

    def asked(self, path):
        with urllib.request.urlopen(f"http://{self.address}/simulator/{path}", timeout=60) as answer:
            return json.load(answer)

    def charged(self):
        """What it has sold: {carrier, reference, tracking_number, voided, …} each."""
        return self.asked("shipments")["shipments"]

    def counts(self):
        return self.asked("counts")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0
