#!/usr/bin/python3
"""Goal: with on_hand_source = warehouse, what happens on the shelves is what inventory has on hand, each
movement once, however often the process is killed; inventory's own receipts are refused.

Method: `waybill serve` with both services, asked by `waybill call`.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from waybill_process import PROGRAM, Server  # noqa: E402

SECONDS = 60
holder = {}


def serve(*arguments):
    return Server(holder["data"], *arguments, "--on-hand-source", "warehouse")


def call(server, method, **fields):
    done = subprocess.run([PROGRAM, "call", method, json.dumps(fields), "--server", server.listen,
                           "--json"], capture_output=True, text=True, timeout=SECONDS)
    answer = json.loads(done.stdout) if done.stdout.strip() else {}
    return answer, done.stdout + done.stderr, done.returncode


def done(server, method, **fields):
    answer, output, code = call(server, method, **fields)
    assert code == 0, (method, output)
    return answer


def warehouse(method):
    return "waybill.warehouse.v1.WarehouseService/" + method


def inventory(method):
    return "waybill.inventory.v1.InventoryService/" + method


def on_hand(server, sku):
    answer, _, code = call(server, inventory("GetStock"), sku=sku)
    return int(answer["stock"].get("onHand", 0)) if code == 0 else None


def wait_for(server, sku, quantity):
    end = time.monotonic() + SECONDS
    while on_hand(server, sku) != quantity:
        assert time.monotonic() < end, (sku, on_hand(server, sku), quantity)
        time.sleep(0.05)


def make_warehouses(server):
    for number in (1, 2):
        done(server, warehouse("CreateWarehouse"), warehouse={
            "warehouseId": f"w{number}", "name": f"Site {number}", "priority": number,
            "active": True})


def receive(server, number, quantity, sku="MUG"):
    done(server, warehouse("ReceiveStock"), movementId=f"in-{number}", warehouseId="w1", sku=sku,
         quantity=str(quantity))


def movements_become_stock():
    with serve() as server:
        make_warehouses(server)
        receive(server, 1, 10)
        wait_for(server, "MUG", 10)
        done(server, warehouse("ShipStock"), movementId="out-1", warehouseId="w1", sku="MUG",
             quantity="3")
        wait_for(server, "MUG", 7)
        done(server, warehouse("AdjustStock"), movementId="adjust-1", warehouseId="w1", sku="MUG",
             delta="-1", reason="ADJUSTMENT_REASON_DAMAGE")
        wait_for(server, "MUG", 6)
        done(server, inventory("Reserve"), reservationId="cart-1",
             lines=[{"sku": "MUG", "quantity": "6"}])


def own_receipts_are_refused():
    with serve() as server:
        for method, fields in (
                ("ReceiveStock", {"receiptId": "r1", "sku": "MUG", "quantity": "1"}),
                ("AdjustStock", {"adjustmentId": "a1", "sku": "MUG", "delta": "1",
                                 "reason": "ADJUSTMENT_REASON_COUNT"})):
            _, output, code = call(server, inventory(method), **fields)
            assert code != 0 and "FED_BY_WAREHOUSE" in output, output
        assert on_hand(server, "MUG") == 6


def goods_that_left_come_back_by_the_warehouse_only():
    with serve() as server:
        point = {"point": {"latitudeE7": 525000000, "longitudeE7": 134000000}}
        done(server, warehouse("CreateWarehouse"), warehouse={
            "warehouseId": "w3", "name": "Site 3", "priority": 3, "active": True, "address": point})
        done(server, warehouse("ReceiveStock"), movementId="bowl-in", warehouseId="w3", sku="BOWL",
             quantity="10")
        wait_for(server, "BOWL", 10)
        done(server, inventory("Reserve"), reservationId="bowl-1",
             lines=[{"sku": "BOWL", "quantity": "2"}])
        done(server, inventory("Commit"), reservationId="bowl-1")
        done(server, warehouse("Allocate"), allocationId="bowl-1", orderId="bowl-1",
             reservationId="bowl-1", strategy="ALLOCATION_STRATEGY_PRIORITY",
             destination=point,
             lines=[{"sku": "BOWL", "quantity": "2"}])
        done(server, warehouse("ShipAllocation"), allocationId="bowl-1")
        assert on_hand(server, "BOWL") == 8
        assert reconcile(server).returncode == 0
        done(server, warehouse("ReturnStock"), movementId="bowl-back", warehouseId="w3", sku="BOWL",
             quantity="1", reason="RETURN_REASON_CUSTOMER")
        wait_for(server, "BOWL", 9)
        for reason in ("CUSTOMER", "OTHER"):
            _, output, code = call(server, inventory("ReturnStock"), returnId="bowl-again",
                                   reservationId="bowl-1", reason=f"RETURN_REASON_{reason}",
                                   lines=[{"sku": "BOWL", "quantity": "1"}])
            assert code != 0 and "FED_BY_WAREHOUSE" in output, output
            assert "WarehouseService/ReturnStock" in output, output
        assert on_hand(server, "BOWL") == 9 and reconcile(server).returncode == 0
        # Of one that left it is said that it did not: no drift, and yet it is told.
        done(server, inventory("ReturnStock"), returnId="bowl-wrong", reservationId="bowl-1",
             reason="RETURN_REASON_CANCELLED", lines=[{"sku": "BOWL", "quantity": "2"}])
        compared = reconcile(server)
        assert compared.returncode == 1, compared
        told, counts = (json.loads(line) for line in compared.stdout.splitlines())
        assert (counts["differing"], counts["left"]) == (1, 1), counts
        assert (told["sku"], told["drift"], told["shippedUnsold"]) == ("BOWL", 0, 2), told
        assert reconcile(server, "--repair").returncode == 1, "no entry can repair it"
        for_people = subprocess.run([PROGRAM, "reconcile", "--server", server.listen, "--wait", "0"],
                                    capture_output=True, text=True, timeout=SECONDS)
        assert "2 shipped but not sold" in for_people.stdout, for_people
        # What is sold and has not left covers it: only sums of a SKU are compared.
        done(server, inventory("Reserve"), reservationId="bowl-2",
             lines=[{"sku": "BOWL", "quantity": "2"}])
        done(server, inventory("Commit"), reservationId="bowl-2")
        assert reconcile(server).returncode == 0


def killed_anywhere_nothing_is_lost_or_doubled():
    chance = random.Random(5)
    total = 0
    for attempt in range(6):
        server = serve()
        for i in range(20):
            number = f"kill-{attempt}-{i}"
            quantity = chance.randint(1, 9)
            receive(server, number, quantity, "CUP")
            receive(server, number, quantity, "CUP")  # a repeat
            total += quantity
        server.kill()
    with serve() as server:
        wait_for(server, "CUP", total)
        answer = done(server, inventory("VerifyLedger"))
        assert not answer.get("mismatches"), answer
        time.sleep(0.3)
        assert on_hand(server, "CUP") == total


def reconcile(server, *arguments):
    return subprocess.run([PROGRAM, "reconcile", "--server", server.listen, "--wait", "2", "--json",
                           *arguments], capture_output=True, text=True, timeout=SECONDS)


def books_and_shelves_agree_whatever_is_sold_moved_and_on_its_way():
    with serve() as server:
        receive(server, "agree", 50, "PLATE")
        done(server, warehouse("CreateTransfer"), transferId="t-1", fromWarehouseId="w1",
             toWarehouseId="w2", lines=[{"sku": "PLATE", "quantity": "20"}])
        wait_for(server, "PLATE", 50)
        done(server, inventory("Reserve"), reservationId="plate-1",
             lines=[{"sku": "PLATE", "quantity": "5"}])
        done(server, inventory("Commit"), reservationId="plate-1")
        done(server, inventory("ReturnStock"), returnId="back-1", reservationId="plate-1",
             reason="RETURN_REASON_CANCELLED", lines=[{"sku": "PLATE", "quantity": "2"}])
        compared = reconcile(server)
        assert compared.returncode == 0, compared
        counts = json.loads(compared.stdout)
        assert counts["compared"] >= 1 and (counts["differing"], counts["left"]) == (0, 0), compared


def drift_is_told_and_repaired_by_a_posted_entry():
    with serve() as server:
        # Only the reconciler may do this; so it makes a drift.
        done(server, inventory("AdjustStock"), adjustmentId="reconcile:by-hand", sku="PLATE",
             delta="-4", reason="ADJUSTMENT_REASON_CORRECTION")
        before = on_hand(server, "PLATE")
        compared = reconcile(server)
        assert compared.returncode == 1, compared
        told, counts = (json.loads(line) for line in compared.stdout.splitlines())
        assert (counts["differing"], counts["left"]) == (1, 1), counts
        assert (told["sku"], told["drift"], told["result"]) == ("PLATE", 4, "left as it is"), told
        assert on_hand(server, "PLATE") == before
        for_people = subprocess.run([PROGRAM, "reconcile", "--server", server.listen, "--wait", "0.5"],
                                    capture_output=True, text=True, timeout=SECONDS)
        assert "1 SKU differs; looking again for 0.5 s" in for_people.stderr, for_people
        assert "1 differs\n" in for_people.stdout and for_people.returncode == 1, for_people
        repaired = reconcile(server, "--repair")
        assert repaired.returncode == 0, repaired
        told, counts = (json.loads(line) for line in repaired.stdout.splitlines())
        assert told["result"] == "repaired" and counts["left"] == 0, repaired
        assert on_hand(server, "PLATE") == before + 4
        assert reconcile(server).returncode == 0
        entries = done(server, inventory("ListStockEntries"), sku="PLATE")["entries"]
        assert entries[-1]["causeId"].startswith("reconcile:"), entries[-1]


def the_other_source_is_refused_with_the_way_to_convert():
    started = subprocess.run([PROGRAM, "serve", "--data", holder["data"], "--listen", "127.0.0.1:0",
                              "--operations", "127.0.0.1:0", "--on-hand-source", "own"], capture_output=True, text=True,
                             timeout=SECONDS)
    assert started.returncode != 0
    assert "to convert" in started.stdout + started.stderr, started.stderr


def without_a_warehouse_it_does_not_start():
    with tempfile.TemporaryDirectory(prefix="waybill-shelf-") as data:
        started = subprocess.run([PROGRAM, "serve", "inventory", "--data", data, "--listen",
                                  "127.0.0.1:0", "--operations", "127.0.0.1:0", "--on-hand-source",
                                  "warehouse"], capture_output=True, text=True, timeout=SECONDS)
        assert started.returncode != 0
        assert "serves no warehouse" in started.stdout + started.stderr, started.stderr


def serve_inventory(data, *options):
    return subprocess.Popen([PROGRAM, "serve", "inventory", "--data", data, "--listen", "127.0.0.1:0",
                             "--operations", "127.0.0.1:0", *options], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def an_address_that_is_none_is_refused_before_anything_is_made():
    with tempfile.TemporaryDirectory(prefix="waybill-shelf-") as data:
        for address in ("foo", "http://127.0.0.1:7701", "grpc://", "grpc://host", "grpc://host:0",
                        "grpc://host:99999", "grpc://host:1/x", "sqlite:shelves.sqlite"):
            process = serve_inventory(data, "--warehouse", address)
            output = "".join(process.communicate(timeout=SECONDS))
            assert process.returncode != 0, output
            wanted = f"inventory: --warehouse {address}: is no grpc://HOST:PORT"
            assert wanted in output, (wanted, output)
            assert not os.path.exists(os.path.join(data, "inventory")), address


def that_nobody_named_a_warehouse_is_told():
    for options, is_told in (((), True), (("--on-hand-source", "own"), False),
                             (("--on-hand-source", "own", "--warehouse", "foo"), False)):
        with tempfile.TemporaryDirectory(prefix="waybill-shelf-") as data:
            process = serve_inventory(data, *options)
            ready = process.stdout.readline()
            process.terminate()
            _, errors = process.communicate(timeout=SECONDS)
            assert ready.startswith("waybill ready"), (ready, errors)
            assert process.returncode == 0, errors
            assert ("no warehouse is named" in errors and "is kept" in errors) == is_told, errors


def main():
    holder["data"] = tempfile.mkdtemp(prefix="waybill-shelf-")
    try:
        tap.run([
            movements_become_stock,
            own_receipts_are_refused,
            goods_that_left_come_back_by_the_warehouse_only,
            killed_anywhere_nothing_is_lost_or_doubled,
            books_and_shelves_agree_whatever_is_sold_moved_and_on_its_way,
            drift_is_told_and_repaired_by_a_posted_entry,
            the_other_source_is_refused_with_the_way_to_convert,
            without_a_warehouse_it_does_not_start,
            an_address_that_is_none_is_refused_before_anything_is_made,
            that_nobody_named_a_warehouse_is_told,
        ])
    finally:
        shutil.rmtree(holder["data"], ignore_errors=True)


main()
