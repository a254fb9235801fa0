#!/usr/bin/python3
"""Goal: the effect of a call that is sent again is that of one call (RELIABILITY row 3).

Method: between clients and server stands a proxy that cuts connections at random: before a request
got through, or after it and before its answer. Every call is sent until it is answered, and then up to
four times more; some duplicates race each other on two connections; the server is restarted now and
then. At the end the stock must be that of the distinct ids alone. `--calls N`, `--seed N`.
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
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import inventory  # noqa: E402

SKU = "hot"
CLIENTS = 48

arguments = argparse.ArgumentParser()
arguments.add_argument("--calls", type=int, default=10000)
arguments.add_argument("--seed", type=int, default=int(os.environ.get("WAYBILL_SEED", "1")))
options = arguments.parse_args()
sys.argv = sys.argv[:1]


class FaultProxy:
    """Passes bytes on and cuts a connection after a random number of them, either way."""

    def __init__(self, chance):
        self.chance = chance
        self.target = None
        self.cuts = 0
        self.writers = set()

    async def start(self):
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def connected(self, reader, writer):
        host, port = self.target.rsplit(":", 1)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        budget = {"bytes": self.chance.randint(2000, 100000)}
        self.writers |= {writer, far_writer}
        await asyncio.gather(self.pass_on(reader, far_writer, budget),
                             self.pass_on(far_reader, writer, budget))
        for side in (writer, far_writer):
            self.writers.discard(side)
            side.transport.abort()

    async def pass_on(self, reader, writer, budget):
        try:
            while budget["bytes"] > 0:
                data = await reader.read(4096)
                if not data:
                    break
                budget["bytes"] -= len(data)
                writer.write(data)  # the last piece goes through: request done, answer cut
                await writer.drain()
            else:
                self.cuts += 1
        except OSError:
            pass
        budget["bytes"] = 0
        for side in list(self.writers):
            if side is writer:
                side.transport.abort()


async def until_answered(stub, request):
    sent = 0
    while True:
        sent += 1
        try:
            return await stub(request, timeout=10), sent
        except grpc.aio.AioRpcError as error:
            assert error.code() in (
                grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
                grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED,
            ), error
            assert sent < 200, error
            await asyncio.sleep(0.02)


class Effects:
    def __init__(self):
        self.received = 0
        self.reserved = 0
        self.committed = 0
        self.calls = 0
        self.ids = 0
        self.next = 0


async def effect(channels, chance, effects, number):
    """One id's life; every call of it sent one to five times, sometimes on both connections at once."""
    async def everywhere(method, request):
        racing = chance.random() < 0.3
        stubs = [waybill_server.inventory_method(channel, method) for channel in channels]
        chance.shuffle(stubs)
        answers = await asyncio.gather(
            *(until_answered(stub, request) for stub in (stubs if racing else stubs[:1])))
        for _ in range(chance.randint(0, 2)):
            answers.append(await until_answered(chance.choice(stubs), request))
        effects.calls += sum(sent for _, sent in answers)
        return [answer for answer, _ in answers]

    quantity = chance.randint(1, 9)
    if number % 10 == 0:
        await everywhere("ReceiveStock", inventory.ReceiveStockRequest(
            receipt_id=f"receipt-{number}", sku=SKU, quantity=quantity))
        effects.received += quantity
        effects.ids += 1
        return
    request = inventory.ReserveRequest(
        reservation_id=f"r-{number}", lines=[inventory.ReserveLine(sku=SKU, quantity=quantity)])
    answers = await everywhere("Reserve", request)
    assert len({answer.SerializeToString() for answer in answers}) == 1, answers
    step = chance.random()
    if step < 0.5:
        await everywhere("Commit", inventory.CommitRequest(reservation_id=f"r-{number}"))
        effects.committed += quantity
    elif step < 0.8:
        await everywhere("Rollback", inventory.RollbackRequest(reservation_id=f"r-{number}"))
    else:
        effects.reserved += quantity
    effects.ids += 1


async def worker(channels, chance, effects):
    while effects.calls < options.calls:
        effects.next += 1
        await effect(channels, chance, effects, effects.next)


async def restarts(proxy, holder, data, chance):
    while True:
        await asyncio.sleep(chance.uniform(0.5, 2))
        holder["server"].kill()
        holder["server"] = await asyncio.to_thread(waybill_server.Server, data)
        proxy.target = holder["server"].listen
        holder["restarts"] += 1


async def run_load(data, holder, effects):
    chance = random.Random(options.seed)
    proxy = FaultProxy(chance)
    proxy.target = holder["server"].listen
    await proxy.start()
    settings = [("grpc.enable_retries", 0), ("grpc.initial_reconnect_backoff_ms", 20),
                ("grpc.max_reconnect_backoff_ms", 100), ("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(proxy.address, options=settings) for _ in range(2)]
    restarting = asyncio.create_task(restarts(proxy, holder, data, chance))
    await asyncio.gather(*(worker(channels, chance, effects) for _ in range(CLIENTS)))
    restarting.cancel()
    for channel in channels:
        await channel.close()
    proxy.server.close()
    return proxy.cuts


def effects_are_those_of_the_distinct_ids():
    print(f"# seed {options.seed}: replay with {__file__} --seed {options.seed}")
    effects = Effects()
    data = tempfile.mkdtemp(prefix="waybill-retries-")
    holder = {"server": waybill_server.Server(data), "restarts": 0}
    try:
        with waybill_server.channel_to(holder["server"].listen) as channel:
            waybill_server.inventory_method(channel, "ReceiveStock")(
                inventory.ReceiveStockRequest(receipt_id="first", sku=SKU, quantity=10**9))
        effects.received += 10**9
        cuts = asyncio.run(run_load(data, holder, effects))
        with waybill_server.channel_to(holder["server"].listen) as channel:
            stock = waybill_server.inventory_method(channel, "GetStock")(
                inventory.GetStockRequest(sku=SKU)).stock
            report = waybill_server.inventory_method(channel, "VerifyLedger")(
                inventory.VerifyLedgerRequest())
        print(f"# {effects.calls} calls of {effects.ids} ids, {cuts} connections cut, "
              f"{holder['restarts']} restarts")
        assert stock.received == effects.received, stock
        assert stock.reserved == effects.reserved, stock
        assert stock.committed == effects.committed, stock
        assert not report.mismatches, report
        assert cuts > 10 and effects.calls > effects.ids
        holder["server"].stop()
    finally:
        if holder["server"].process.poll() is None:
            holder["server"].kill()
        shutil.rmtree(data, ignore_errors=True)


tap.run([effects_are_those_of_the_distinct_ids])
