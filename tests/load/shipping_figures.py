#!/usr/bin/python3
"""The figures of shipping, through gRPC, in one run of less than a minute; prints a line each.

    tests/load/shipping_figures.py [--build build-test-gcc] [--seconds 5] [--answer-ms 50]
                                   [--in-flight 1000] [--rounds 5]

Needs what `./test` has built.

- GetRates of the tariff alone, 16 connections x 100 calls in flight.
- GetRates of UPS, FedEx and DHL through `waybill simulate carriers`, one caller; each carrier takes
  half to all of --answer-ms. After each call the simulator is asked how long its slowest carrier
  took, from the head of the request to the last byte given away; what the caller saw beyond that is
  ours, HTTP included.
- The same three with 64 calls in flight.
- 1,000 shipments in flight, round after round: memory before, after and at its peak. The tariff's
  are bought as fast as they can be, UPS's through the simulator.

Client, server and simulator share the machine's cores. A benchmark, not a test: it asserts nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

arguments = argparse.ArgumentParser()
arguments.add_argument("--build", default="build-test-gcc")
arguments.add_argument("--seconds", type=float, default=5)
arguments.add_argument("--answer-ms", type=int, default=50)
arguments.add_argument("--in-flight", type=int, default=1000)
arguments.add_argument("--rounds", type=int, default=5)
options = arguments.parse_args()
BUILD = os.path.join(ROOT, options.build)
LOAD = os.path.join(BUILD, "tests", "load", "shipping_load")
os.environ["WAYBILL_PROGRAM"] = os.path.join(BUILD, "src", "main", "waybill")

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import carrier_simulator  # noqa: E402
import waybill_process  # noqa: E402


# As many calls as may be: their quotas are not what is measured.
CARRIERS = {"carriers": "ups fedex dhl"}
for _name in ("ups", "fedex", "dhl"):
    CARRIERS.update({f"{_name}_calls_at_once_max": 128, f"{_name}_calls_per_second_max": 0})


class Serving:
    """A server of shipping alone, on a directory of its own."""

    def __init__(self, *flags):
        self.data = tempfile.mkdtemp(prefix="waybill-figures-")
        self.server = waybill_process.Server(self.data, "shipping", *flags)

    def load(self, *flags):
        subprocess.run([LOAD, flags[0], self.server.listen, "--pid", str(self.server.process.pid),
                        *map(str, flags[1:])], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.stop()
        shutil.rmtree(self.data, ignore_errors=True)


def fill(serving, name, *flags):
    """Round after round of CreateShipment."""
    for number in range(options.rounds):
        print(f"{name}, {options.in_flight} in flight, round {number + 1}: ", end="", flush=True)
        serving.load("shipments", "--connections", 10, "--streams", options.in_flight // 10,
                     "--calls", 2 * options.in_flight, *flags)


def main():
    seconds = options.seconds
    with Serving("--carriers", "tariff") as serving:
        print("tariff: ", end="", flush=True)
        serving.load("rates", "--seconds", seconds)
        fill(serving, "tariff", "--carriers", "tariff", "--service", "EXPRESS")
    with carrier_simulator.Simulator("--answer-ms", str(options.answer_ms)) as simulator, \
            Serving(*simulator.settings(**CARRIERS)) as serving:
        three = ("--carriers", "ups,fedex,dhl", "--seconds", seconds)
        print("three carriers, one caller: ", end="", flush=True)
        serving.load("rates", *three, "--simulator", simulator.address)
        print("three carriers: ", end="", flush=True)
        serving.load("rates", *three, "--connections", 4, "--streams", 16)
        fill(serving, "ups", "--carriers", "ups", "--service", "11")


main()
