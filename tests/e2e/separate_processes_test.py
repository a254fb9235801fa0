#!/usr/bin/python3
"""Goal: the services as processes of their own do what they do in one process, also while each of them is
replaced.

Method: `waybill replay` plays part of the real data set, with its warehouses, through one process with all
services and through a process a service, wired by grpc:// addresses: both reports say the same of every
order, cost, shelf and ledger. The processes sit behind sockets that a supervisor keeps; while the replay runs
each is stopped by SIGTERM and started again in turn, and no call has to be sent again. `waybill reconcile`
finds books and shelves in agreement across the processes; events of a service are read at its address.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from socket_supervisor import SERVICES, Processes  # noqa: E402
from waybill_process import FED, PROGRAM, ROOT, Server  # noqa: E402

ORDERS = 1500
SECONDS = 240
REPLAYED = ("warehouse", "inventory", "shipping", "tracking", "fulfillment")  # what a replay calls
# Of one run, not of the orders: the last three are decided by who of many is allocated first, and are not
# the same in two runs of one process, either.
PASSING = ("measurements", "chain_head", "was_complete", "parts", "cost_minor", "movements")
# So what the parts' shipments cost; all that is sent weighs the same.
PASSING_OF_CARRIERS = ("shipments", "parcels", "charged_minor", "compared", "compared_minor", "freight_minor")


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
                if len(seen) < ORDERS or row["ASN/DN #"] in seen:
                    seen.add(row["ASN/DN #"])
                    writer.writerow(row)
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def replay(self, name, *where):
        """Its report, which must add up."""
        done = subprocess.run(
            [PROGRAM, "replay", self.orders, *where, "--json", "--progress",
             os.path.join(self.path, name + ".json")],
            capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert report["adds_up"] and report["orders"] == ORDERS, report
        return report


def of_the_orders(report):
    """Without what is of one run alone."""
    told = {name: value for name, value in report.items() if name not in PASSING}
    for part in ("ledger", "warehouses"):
        told[part] = {name: value for name, value in report[part].items() if name not in PASSING}
    told["shipments"] = dict(report["shipments"], carriers=[
        {name: value for name, value in carrier.items() if name not in PASSING_OF_CARRIERS}
        for carrier in report["shipments"]["carriers"]])
    return told


def replace_each(processes, replaced, stop):
    """In turn, both ways, until the replay is over, and each at least once."""
    while not stop.is_set():
        for service, one in processes.supervisors.items():
            stop.wait(0.1)
            if stop.is_set() and service in replaced:
                return
            one.take_over() if len(replaced) % 2 == 0 else one.restart()
            replaced.append(service)


def report_of_one_process_and_of_several_is_the_same_while_each_is_replaced():
    with Place() as place:
        with Server(os.path.join(place.path, "whole"), environment=FED) as server:
            whole = place.replay("whole", "--server", server.listen)
        with Processes(place.path) as processes:
            replaced, stop = [], threading.Event()
            replacing = threading.Thread(target=replace_each, args=(processes, replaced, stop))
            replacing.start()
            try:
                apart = place.replay("apart", *processes.addresses(*REPLAYED))
            finally:
                stop.set()
                replacing.join()
            print(f"# {len(replaced)} replacements, {apart['measurements']['calls']} calls")
            assert set(replaced) == set(SERVICES), replaced
            assert apart["measurements"]["repeated"] == 0, apart["measurements"]
            assert of_the_orders(apart) == of_the_orders(whole), (apart, whole)
            assert apart["committed"]["holds"] == ORDERS, apart
            reconciled = subprocess.run([PROGRAM, "reconcile", *processes.addresses("inventory", "warehouse")],
                                        capture_output=True, text=True, timeout=SECONDS)
            assert reconciled.returncode == 0, reconciled


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
    report_of_one_process_and_of_several_is_the_same_while_each_is_replaced,
    events_of_a_service_are_read_at_its_address,
])
