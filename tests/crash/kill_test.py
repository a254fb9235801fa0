#!/usr/bin/python3
"""Goal: what was acknowledged is there after kill -9, wholly; what was not is there wholly or not at all
(RELIABILITY row 5).

Method: 64 clients reserve, commit and roll back; each keeps a journal of the answers it got. The server
is killed at a random moment and started again. Calls that got no answer are sent again with the same
id. Then every journal entry is compared with GetReservation, every SKU's stock with the journal's sums,
and VerifyLedger must find nothing. `--kills N`, `--seed N`.
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import aio_loop  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import inventory  # noqa: E402

CLIENTS = 64
SKUS = [f"SKU-{number}" for number in range(20)]
ON_HAND = 10**9

arguments = argparse.ArgumentParser()
arguments.add_argument("--kills", type=int, default=30)
arguments.add_argument("--seed", type=int, default=int(os.environ.get("WAYBILL_SEED", "1")))
options = arguments.parse_args()
sys.argv = sys.argv[:1]


class Journal:
    """What the clients know: reservation id → lines and the state last acknowledged, or in doubt."""

    def __init__(self):
        self.lines = {}
        self.state = {}
        self.doubt = {}
        self.count = 0


def request_of(journal, number, method):
    if method == "Reserve":
        return inventory.ReserveRequest(
            reservation_id=number,
            lines=[inventory.ReserveLine(sku=sku, quantity=quantity)
                   for sku, quantity in journal.lines[number].items()])
    return getattr(inventory, method + "Request")(reservation_id=number)


async def call(channel, journal, number, method):
    """One call; the journal knows it before it is sent and after it was answered."""
    journal.doubt[number] = method
    stub = waybill_server.inventory_method(channel, method)
    answer = await stub(request_of(journal, number, method), timeout=30)
    journal.state[number] = answer.reservation.state
    del journal.doubt[number]


async def client(channel, journal, chance):
    while True:
        number = f"r-{journal.count}"
        journal.count += 1
        journal.lines[number] = {sku: chance.randint(1, 5) for sku in chance.sample(SKUS, 3)}
        try:
            await call(channel, journal, number, "Reserve")
            step = chance.random()
            if step < 0.4:
                await call(channel, journal, number, "Commit")
            elif step < 0.7:
                await call(channel, journal, number, "Rollback")
        except grpc.aio.AioRpcError as error:
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN,
                                    grpc.StatusCode.INTERNAL), error
            return


async def load(server, journal, chance):
    async with grpc.aio.insecure_channel(server.listen) as channel:
        clients = [asyncio.create_task(client(channel, journal, chance)) for _ in range(CLIENTS)]
        await asyncio.sleep(chance.uniform(0.05, 0.8))
        server.kill()
        await asyncio.gather(*clients)


def compare(server, journal, checked):
    """`checked` are ids whose state is final and was compared before."""
    with waybill_server.channel_to(server.listen) as channel:
        grpc.channel_ready_future(channel).result(30)
        for number, method in list(journal.doubt.items()):
            answer = waybill_server.inventory_method(channel, method)(request_of(journal, number, method))
            journal.state[number] = answer.reservation.state
            del journal.doubt[number]
        get = waybill_server.inventory_method(channel, "GetReservation")
        futures = {number: get.future(inventory.GetReservationRequest(reservation_id=number))
                   for number in journal.state if number not in checked}
        for number, future in futures.items():
            found = future.result().reservation
            assert found.state == journal.state[number], (number, found, journal.state[number])
            lines = {line.sku: line.quantity for line in found.lines}
            assert lines == journal.lines[number], (number, lines, journal.lines[number])
            if found.state != inventory.RESERVATION_STATE_PENDING:
                checked.add(number)
        check_sums(channel, journal)
        report = waybill_server.inventory_method(channel, "VerifyLedger")(inventory.VerifyLedgerRequest())
        assert not report.mismatches, report
        assert report.reservations == len(journal.state), (report, len(journal.state))


def check_sums(channel, journal):
    reserved = dict.fromkeys(SKUS, 0)
    committed = dict.fromkeys(SKUS, 0)
    for number, state in journal.state.items():
        sums = {inventory.RESERVATION_STATE_PENDING: reserved,
                inventory.RESERVATION_STATE_COMMITTED: committed}.get(state)
        if sums is not None:
            for sku, quantity in journal.lines[number].items():
                sums[sku] += quantity
    get = waybill_server.inventory_method(channel, "GetStock")
    for sku in SKUS:
        stock = get(inventory.GetStockRequest(sku=sku)).stock
        assert (stock.reserved, stock.committed) == (reserved[sku], committed[sku]), stock
        assert stock.on_hand == ON_HAND - committed[sku], stock


def what_was_acknowledged_survives_kill_9():
    print(f"# seed {options.seed}: replay with {__file__} --seed {options.seed}")
    chance = random.Random(options.seed)
    journal = Journal()
    checked = set()
    data = tempfile.mkdtemp(prefix="waybill-kill-")
    try:
        server = waybill_server.Server(data)
        with waybill_server.channel_to(server.listen) as channel:
            for sku in SKUS:
                waybill_server.inventory_method(channel, "ReceiveStock")(inventory.ReceiveStockRequest(
                    receipt_id="receipt-" + sku, sku=sku, quantity=ON_HAND))
        for _ in range(options.kills):
            aio_loop.run(load(server, journal, chance))
            server = waybill_server.Server(data)
            compare(server, journal, checked)
        server.stop()
        print(f"# {options.kills} kills, {len(journal.state)} reservations, 0 lost, 0 half")
        assert len(journal.state) > 100 * options.kills
    finally:
        shutil.rmtree(data, ignore_errors=True)


tap.run([what_was_acknowledged_survives_kill_9])
