#!/usr/bin/python3
"""Goal: the services as processes of their own do what they do in one process, on SQLite and on PostgreSQL,
also while each of them is replaced; and a replay's report does not depend on any of it, nor on where the
replay was cut.

Method: `waybill replay` plays part of the real data set (--orders; 0 = all of it), with its warehouses, through
one process with all services, and through a process a service, wired by grpc:// addresses; warehouse,
shipping and fulfillment on SQLite, then each on a database of a real PostgreSQL. The reports are the same,
field by field, but for what was measured and the ledger's hash, which holds times. The processes sit behind
sockets that a supervisor keeps; while the replay runs each is stopped by SIGTERM and started again in turn, and
no call has to be sent again. `waybill reconcile` finds books and shelves in agreement across the processes;
events of a service are read at its address. `WAYBILL_SEED=N` repeats the random moments.
"""

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from socket_supervisor import SERVICES, Processes  # noqa: E402
from waybill_process import FED, PROGRAM, ROOT, Server  # noqa: E402

arguments = argparse.ArgumentParser()
arguments.add_argument("--orders", type=int, default=600, help="how many are replayed; 0 = the whole data set")
options, sys.argv[1:] = arguments.parse_known_args()

SECONDS = 600
SEED = int(os.environ.get("WAYBILL_SEED", "0")) or random.randrange(1, 2**31)
REPLAYED = ("warehouse", "inventory", "shipping", "tracking", "fulfillment")  # what a replay calls
ON_SQL = ("warehouse", "shipping", "fulfillment")
OF_A_RUN = ("measurements", "was_complete")
holder = {}


class Place:
    """A folder with part of the data set, as large as it needs to be, and its tables beside it."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="waybill-apart-")
        data = os.path.join(ROOT, "data")
        for name in os.listdir(data):
            if name.endswith(".csv") and name != "scms_deliveries.csv":
                os.symlink(os.path.join(data, name), os.path.join(self.path, name))
        self.orders = os.path.join(self.path, "orders.csv")
        with open(os.path.join(data, "scms_deliveries.csv"), encoding="utf-8", newline="") as whole, \
                open(self.orders, "w", encoding="utf-8", newline="") as part:
            reader = csv.DictReader(whole)
            writer = csv.DictWriter(part, reader.fieldnames, lineterminator="\n")
            writer.writeheader()
            seen = set()
            for row in reader:
                if options.orders == 0 or len(seen) < options.orders or row["ASN/DN #"] in seen:
                    seen.add(row["ASN/DN #"])
                    writer.writerow(row)
        self.order_count = len(seen)
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def command(self, name, *where):
        return [PROGRAM, "replay", self.orders, *where, "--json", "--progress",
                os.path.join(self.path, name + ".json")]

    def replay(self, name, *where):
        """Its report, which must add up."""
        done = subprocess.run(self.command(name, *where), capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert report["adds_up"] and report["orders"] == self.order_count, report
        print(f"# {name}: {report['measurements']['calls']} calls in "
              f"{report['measurements']['busy_us'] / 1e6:.1f} s")
        return report

    def replay_cut(self, name, moments, *where):
        """The same, after it was killed at each of these moments, in seconds from its start."""
        for moment in moments:
            process = subprocess.Popen(self.command(name, *where), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            time.sleep(moment)
            process.kill()
            process.communicate()
        return self.replay(name, *where)


def of_the_orders(report):
    """Without what is of one run alone."""
    told = {name: value for name, value in report.items() if name not in OF_A_RUN}
    told["ledger"] = {name: value for name, value in report["ledger"].items() if name != "chain_head"}
    return told


def report_of_one_process():
    """By way of one process with all services."""
    if "report" not in holder:
        with Place() as place, Server(os.path.join(place.path, "whole"), environment=FED) as server:
            holder["report"] = place.replay("whole", "--server", server.listen)
    return holder["report"]


def assert_same(found, expected):
    found, expected = of_the_orders(found), of_the_orders(expected)
    different = {name: (found[name], expected[name]) for name in expected if found[name] != expected[name]}
    assert found.keys() == expected.keys() and not different, different


def replace_each(processes, replaced, stop):
    """In turn, both ways, until the replay is over, and each at least once."""
    while not stop.is_set():
        for service, one in processes.supervisors.items():
            stop.wait(0.1)
            if stop.is_set() and service in replaced:
                return
            one.take_over() if len(replaced) % 2 == 0 else one.restart()
            replaced.append(service)


def replay_through(processes, place):
    """While each of them is replaced."""
    replaced, stop = [], threading.Event()
    replacing = threading.Thread(target=replace_each, args=(processes, replaced, stop))
    replacing.start()
    try:
        report = place.replay("apart", *processes.addresses(*REPLAYED))
    finally:
        stop.set()
        replacing.join()
    print(f"# {len(replaced)} replacements")
    assert set(replaced) == set(SERVICES), replaced
    assert report["measurements"]["repeated"] == 0, report["measurements"]
    assert report["committed"]["holds"] == place.order_count, report
    reconciled = subprocess.run([PROGRAM, "reconcile", *processes.addresses("inventory", "warehouse")],
                                capture_output=True, text=True, timeout=SECONDS)
    assert reconciled.returncode == 0, reconciled
    return report


def report_of_five_processes_is_that_of_one_while_each_is_replaced():
    with Place() as place, Processes(place.path) as processes:
        assert_same(replay_through(processes, place), report_of_one_process())


def report_on_postgresql_is_the_same_while_each_is_replaced():
    with PostgresqlServer({"max_connections": 200}) as server, Place() as place:
        stores = {service: ("--" + service, server.database(service)) for service in ON_SQL}
        with Processes(place.path, stores) as processes:
            assert_same(replay_through(processes, place), report_of_one_process())


def report_of_a_replay_that_was_cut_is_the_same():
    chance = random.Random(SEED)
    print(f"# WAYBILL_SEED={SEED}")
    whole_s = report_of_one_process()["measurements"]["busy_us"] / 1e6
    moments = [chance.uniform(0.1, max(whole_s / 3, 0.5)) for _ in range(3)]
    with Place() as place, Server(os.path.join(place.path, "cut"), environment=FED) as server:
        assert_same(place.replay_cut("cut", moments, "--server", server.listen), report_of_one_process())


def events_of_a_service_are_read_at_its_address():
    with tempfile.TemporaryDirectory(prefix="waybill-apart-") as place, Processes(place) as processes:
        for service, kind in (("warehouse", "waybill.warehouse.v1.MovementRecorded"),
                              ("inventory", "waybill.inventory.v1.StockReceived")):
            if service == "warehouse":
                call(processes, "WarehouseService/CreateWarehouse", "warehouse", warehouse={
                    "warehouseId": "w1", "name": "Site 1", "priority": 1, "active": True})
                call(processes, "WarehouseService/ReceiveStock", "warehouse", movementId="in-1",
                     warehouseId="w1", sku="MUG", quantity="10")
            seen = subprocess.run(
                [PROGRAM, "watch", "--server", processes.supervisors[service].listen, "--from",
                 "oldest", "--types", kind, "--count", "1", "--json"],
                capture_output=True, text=True, timeout=SECONDS)
            assert seen.returncode == 0 and kind in seen.stdout and "MUG" in seen.stdout, seen


def call(processes, method, service, **fields):
    done = subprocess.run([PROGRAM, "call", method, json.dumps(fields), "--server",
                           processes.supervisors[service].listen],
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done


tap.run([
    report_of_five_processes_is_that_of_one_while_each_is_replaced,
    report_on_postgresql_is_the_same_while_each_is_replaced,
    report_of_a_replay_that_was_cut_is_the_same,
    events_of_a_service_are_read_at_its_address,
])
