#!/usr/bin/python3
"""Goal: what a SQL context commits is published, once and nothing else, whatever is killed between the
change, the relay's append, its deletion and a subscriber's acknowledgement (RELIABILITY row 12).

Method: clients post movements to warehouse and note what was answered; a consumer follows the stream and
keeps only every tenth cursor; the server is killed at a random moment and started again. At the end the
events are compared with ListMovements: published = committed ⊇ acknowledged, sequences 1, 2, 3, … without
gaps, one event_id a movement, order per key as in the ledger. On SQLite, and on a PostgreSQL of the test's
own, which is then killed itself under load and started again.
`--kills N`, `--changes N`, `--seed N`.
"""

import argparse
import asyncio
import importlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import aio_loop  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import events  # noqa: E402

CLIENTS = 24
SKUS = [f"SKU-{number}" for number in range(8)]
SECONDS = 60
LIFE_SECONDS_MAX = 15  # between two kills
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED)
BUSY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED)

arguments = argparse.ArgumentParser()
arguments.add_argument("--kills", type=int, default=30)
arguments.add_argument("--changes", type=int, default=10000)
arguments.add_argument("--seed", type=int, default=int(os.environ.get("WAYBILL_SEED", "1")))
options = arguments.parse_args()
sys.argv = sys.argv[:1]


def messages():
    """warehouse's messages, by protoc like the others."""
    out = tempfile.mkdtemp(prefix="waybill-protos-", dir=os.path.dirname(waybill_server._generated))
    proto = os.path.join(waybill_server.ROOT, "proto")
    subprocess.run(["protoc", "-I", proto, "-I", "/usr/include", "--python_out=" + out,
                    "waybill/common/v1/common.proto", "waybill/warehouse/v1/warehouse.proto",
                    "waybill/warehouse/v1/warehouse_events.proto"], cwd=proto, check=True)
    import waybill
    for package in (waybill,):
        package.__path__.append(os.path.join(out, "waybill"))
    found = [importlib.import_module("waybill.warehouse.v1." + name)
             for name in ("warehouse_pb2", "warehouse_events_pb2")]
    shutil.rmtree(out, ignore_errors=True)
    return found


warehouse, warehouse_events = messages()


def method(channel, name):
    return channel.unary_unary(
        f"/waybill.warehouse.v1.WarehouseService/{name}",
        request_serializer=getattr(warehouse, name + "Request").SerializeToString,
        response_deserializer=getattr(warehouse, name + "Response").FromString)


class Consumer:
    """Notes events by id; what it sees again must be the same."""

    def __init__(self):
        self.cursor = "oldest"
        self.seen = {}
        self.order = []
        self.repeats = 0

    def note(self, event):
        content = (event.sequence, event.key, event.data.SerializeToString())
        if event.event_id in self.seen:
            assert self.seen[event.event_id] == content, event
            self.repeats += 1
            return
        message = warehouse_events.MovementRecorded()
        assert event.data.Unpack(message), event
        self.seen[event.event_id] = content
        self.order.append((event.sequence, event.key, message.movement.movement_id))

    async def follow(self, address, chance):
        async with grpc.aio.insecure_channel(address) as channel:
            stream = channel.unary_stream(
                "/waybill.events.v1.EventService/Subscribe",
                request_serializer=events.SubscribeRequest.SerializeToString,
                response_deserializer=events.SubscribeResponse.FromString)
            try:
                async for response in stream(events.SubscribeRequest(
                        cursor=self.cursor, types=["waybill.warehouse.v1.MovementRecorded"])):
                    self.note(response.event)
                    if chance.random() < 0.1:
                        self.cursor = response.event.cursor
            except grpc.aio.AioRpcError as error:
                assert error.code() in GONE, error


class Changes:
    def __init__(self):
        self.acknowledged = set()
        self.sent = 0

    async def client(self, channel, chance):
        receive = method(channel, "ReceiveStock")
        while True:
            self.sent += 1
            movement_id = f"m-{self.sent}-{chance.randrange(10**9)}"
            try:
                await receive(warehouse.ReceiveStockRequest(
                    movement_id=movement_id, warehouse_id="w", sku=chance.choice(SKUS),
                    quantity=1), timeout=SECONDS)
            except grpc.aio.AioRpcError as error:
                assert error.code() in GONE, error
                return
            self.acknowledged.add(movement_id)


async def load(server, changes, consumer, chance, wanted):
    """Kills at a random moment, once so many changes are acknowledged in all; sooner if that takes long."""
    async with grpc.aio.insecure_channel(server.listen) as channel:
        tasks = [asyncio.create_task(changes.client(channel, chance)) for _ in range(CLIENTS)]
        tasks.append(asyncio.create_task(consumer.follow(server.listen, chance)))
        await asyncio.sleep(chance.uniform(0.05, 0.3))
        for _ in range(LIFE_SECONDS_MAX * 100):
            if len(changes.acknowledged) >= wanted:
                break
            await asyncio.sleep(0.01)
        server.kill()
        await asyncio.gather(*tasks)


def prepare(server):
    with waybill_server.channel_to(server.listen) as channel:
        grpc.channel_ready_future(channel).result(SECONDS)
        method(channel, "CreateWarehouse")(warehouse.CreateWarehouseRequest(
            warehouse=warehouse.Warehouse(warehouse_id="w", name="W", active=True)), timeout=SECONDS)
        for sku in SKUS:
            method(channel, "PutItem")(warehouse.PutItemRequest(
                item=warehouse.Item(sku=sku, name=sku, weight_grams=1)), timeout=SECONDS)


def ledger(channel):
    """Every movement in the store, in the ledger's order: (sku, movement_id)."""
    found, token = [], ""
    while True:
        page = method(channel, "ListMovements")(warehouse.ListMovementsRequest(
            warehouse_id="w", page_size=1000, page_token=token), timeout=SECONDS)
        found += [(movement.sku, movement.movement_id) for movement in page.movements]
        token = page.next_page_token
        if not token:
            return found


def catch_up(server, consumer):
    with waybill_server.channel_to(server.listen) as channel:
        grpc.channel_ready_future(channel).result(SECONDS)
        method(channel, "ReceiveStock")(warehouse.ReceiveStockRequest(
            movement_id="end", warehouse_id="w", sku=SKUS[0], quantity=1), timeout=SECONDS)
        stream = waybill_server.subscribe(channel, timeout=SECONDS, cursor=consumer.cursor,
                                          types=["waybill.warehouse.v1.MovementRecorded"])
        for response in stream:
            consumer.note(response.event)
            if consumer.order[-1][2] == "end":
                stream.cancel()
                break
        return ledger(channel)


def compare(changes, consumer, committed):
    published = [movement_id for _, _, movement_id in consumer.order]
    assert len(set(published)) == len(published), "a movement was told by two events"
    in_store = {movement_id for _, movement_id in committed}
    missing = in_store - set(published)
    assert not missing, (len(missing), sorted(missing)[:5])
    phantom = set(published) - in_store
    assert not phantom, (len(phantom), sorted(phantom)[:5])
    lost = changes.acknowledged - in_store
    assert not lost, (len(lost), sorted(lost)[:5])
    assert sorted(sequence for sequence, _, _ in consumer.order) == \
        list(range(1, len(published) + 1)), "sequences have gaps"
    for sku in SKUS:
        by_ledger = [movement_id for key, movement_id in committed if key == sku]
        by_events = [movement_id for _, key, movement_id in sorted(consumer.order) if key == sku]
        assert by_ledger == by_events, sku


def verify(data, count):
    """`waybill verify` finds the same number of events, and one flipped bit."""
    def run():
        return subprocess.run([waybill_server.PROGRAM, "verify", data, "--json"], text=True,
                              stdout=subprocess.PIPE, timeout=SECONDS)
    done = run()
    assert done.returncode == 0 and f'"events":{count},"newestSequence":{count}' in done.stdout, done
    with open(os.path.join(data, "events", "warehouse", f"{0:020}.log"), "r+b") as file:
        file.seek(5000)
        byte = file.read(1)[0]
        file.seek(5000)
        file.write(bytes([byte ^ 1]))
    done = run()
    assert done.returncode == 1 and "damaged" in done.stdout, done


def kills(*serve_arguments):
    print(f"# seed {options.seed}: replay with {__file__} --seed {options.seed}")
    chance = random.Random(options.seed)
    changes, consumer = Changes(), Consumer()
    data = tempfile.mkdtemp(prefix="waybill-outbox-kill-")
    try:
        server = waybill_server.Server(data, "warehouse", *serve_arguments)
        prepare(server)
        for kill in range(options.kills):
            aio_loop.run(load(server, changes, consumer, chance,
                             options.changes * (kill + 1) / options.kills))
            server = waybill_server.Server(data, "warehouse", *serve_arguments)
        committed = catch_up(server, consumer)
        server.stop()
        compare(changes, consumer, committed)
        verify(data, len(committed))
        print(f"# {options.kills} kills, {len(changes.acknowledged)} changes acknowledged, "
              f"{len(committed)} committed, {len(consumer.order)} published, {consumer.repeats} seen again")
        assert len(changes.acknowledged) >= options.changes, len(changes.acknowledged)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def what_sqlite_commits_is_published_and_nothing_else():
    kills()


def what_postgresql_commits_is_published_and_nothing_else():
    with PostgresqlServer() as server:
        kills("--warehouse", server.url)


async def outages(server, postgresql, changes, count):
    """Load that goes on while the database is killed and started again."""
    async with grpc.aio.insecure_channel(server.listen) as channel:
        receive = method(channel, "ReceiveStock")
        ending = asyncio.Event()

        async def client(number):
            while not ending.is_set():
                changes.sent += 1
                movement_id = f"m-{changes.sent}-{number}"
                try:
                    await receive(warehouse.ReceiveStockRequest(
                        movement_id=movement_id, warehouse_id="w", sku=SKUS[number % len(SKUS)],
                        quantity=1), timeout=5)
                    changes.acknowledged.add(movement_id)
                except grpc.aio.AioRpcError as error:
                    assert error.code() in BUSY, error
                    await asyncio.sleep(0.05)

        tasks = [asyncio.create_task(client(number)) for number in range(8)]
        for _ in range(count):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(postgresql.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(postgresql.start)
        before = len(changes.acknowledged)
        for _ in range(300):  # the breaker lets calls through again
            await asyncio.sleep(0.1)
            if len(changes.acknowledged) > before + 50:
                break
        ending.set()
        await asyncio.gather(*tasks)
        assert len(changes.acknowledged) > before, "no call succeeds after the database came back"


def the_relay_goes_on_when_postgresql_comes_back():
    changes, consumer = Changes(), Consumer()
    data = tempfile.mkdtemp(prefix="waybill-outbox-outage-")
    try:
        with PostgresqlServer() as postgresql:
            with waybill_server.Server(data, "warehouse", "--warehouse", postgresql.url) as server:
                prepare(server)
                aio_loop.run(outages(server, postgresql, changes, 2))
                committed = catch_up(server, consumer)
                compare(changes, consumer, committed)
        print(f"# 2 outages, {len(changes.acknowledged)} changes acknowledged, {len(committed)} "
              f"committed, {len(consumer.order)} published")
    finally:
        shutil.rmtree(data, ignore_errors=True)


tap.run([
    what_sqlite_commits_is_published_and_nothing_else,
    what_postgresql_commits_is_published_and_nothing_else,
    the_relay_goes_on_when_postgresql_comes_back,
])
