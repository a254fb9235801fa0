"""A `waybill simulate carriers` process, for the Python suites, and the settings that make a server
ship with it."""

import base64
import hashlib
import json
import re
import subprocess
import urllib.request

from waybill_process import PROGRAM

SECRET = "agreed-upon"
ACCOUNTS = {"ups": "W4YB1L", "fedex": "740561073", "dhl": "123456789"}


def reference_of(shipment_id, attempt=1):
    """What carriers know that attempt to buy the shipment by (docs/internals/carriers.md)."""
    whole = shipment_id if attempt == 1 else f"{shipment_id}~{attempt}"
    if re.fullmatch(r"[A-Za-z0-9-]{1,30}", whole):
        return whole
    return "W" + base64.b32encode(hashlib.sha256(whole.encode()).digest()).decode()[1:30]


class Simulator:
    """`with Simulator("--fault-rate", "0.3") as simulator:` stops it in good order. The seed is 1 unless
    the options say another."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, "simulate", "carriers", "--listen", "127.0.0.1:0", "--seed", "1", *options],
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
