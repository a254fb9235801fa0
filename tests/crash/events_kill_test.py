#!/usr/bin/python3
"""Goal: no event is lost, none is made up, order holds per key, whatever is killed between a change, its
relay, its delivery and the acknowledgement (RELIABILITY row 12, the built-in log).

Method: clients change things under load and note what was answered; a consumer follows the stream, notes
each event and only then its cursor, and goes on with that after each kill -9 of the server. At the end the
published events are compared with the store's own records: published ⊇ committed, no event without its
change, the same event_id for the same event, sequences in order, a reservation's events in the order of
its life. `--kills N`, `--changes N`, `--seed N`.
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
from waybill_server import events, inventory, inventory_events  # noqa: E402

CLIENTS = 32
SKUS = [f"SKU-{number}" for number in range(10)]
SECONDS = 60

arguments = argparse.ArgumentParser()
arguments.add_argument("--kills", type=int, default=30)
arguments.add_argument("--changes", type=int, default=10000)
arguments.add_argument("--seed", type=int, default=int(os.environ.get("WAYBILL_SEED", "1")))
options = arguments.parse_args()
sys.argv = sys.argv[:1]

GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED)


class Consumer:
    """Notes events, then the cursor, as one that stores both would; what it saw again it compares."""

    def __init__(self):
        self.cursor = "oldest"
        self.seen = {}       # event_id → (type, key, sequence, data)
        self.order = []      # event_ids as first seen
        self.repeats = 0

    def note(self, event):
        content = (event.type, event.key, event.sequence, event.data.SerializeToString())
        if event.event_id in self.seen:
            assert self.seen[event.event_id] == content, (event, self.seen[event.event_id])
            self.repeats += 1
            return
        self.seen[event.event_id] = content
        self.order.append(event.event_id)

    async def follow(self, address, chance):
        """Until the server is gone. It keeps every tenth cursor only, as a consumer that was killed
        before it could store the others."""
        async with grpc.aio.insecure_channel(address) as channel:
            method = channel.unary_stream(
                "/waybill.events.v1.EventService/Subscribe",
                request_serializer=events.SubscribeRequest.SerializeToString,
                response_deserializer=events.SubscribeResponse.FromString)
            try:
                async for response in method(events.SubscribeRequest(cursor=self.cursor)):
                    self.note(response.event)
                    if chance.random() < 0.1:
                        self.cursor = response.event.cursor
            except grpc.aio.AioRpcError as error:
                assert error.code() in GONE, error


class Changes:
    """What clients did, by what was answered; in doubt what was not."""

    def __init__(self):
        self.count = 0
        self.acknowledged = set()  # (event name, key)
        self.doubtful = {}         # reservation → method without an answer

    async def call(self, channel, name, number, **fields):
        self.doubtful[number] = name
        request = getattr(inventory, name + "Request")(reservation_id=number, **fields)
        await waybill_server.inventory_method(channel, name)(request, timeout=SECONDS)
        del self.doubtful[number]
        self.acknowledged.add((name, number))
        self.count += 1

    async def client(self, channel, chance, client):
        number = 0
        while True:
            number += 1
            name = f"{self.count}-{client}-{number}-{chance.randrange(10**9)}"
            lines = [inventory.ReserveLine(sku=sku, quantity=1) for sku in chance.sample(SKUS, 2)]
            try:
                await self.call(channel, "Reserve", name, lines=lines)
                if chance.random() < 0.8:
                    await self.call(channel, chance.choice(["Commit", "Rollback"]), name)
            except grpc.aio.AioRpcError as error:
                assert error.code() in GONE, error
                return


EVENT_OF = {"Reserve": "StockReserved", "Commit": "StockCommitted", "Rollback": "ReservationRolledBack"}


async def load(server, changes, consumer, chance, seconds):
    async with grpc.aio.insecure_channel(server.listen) as channel:
        tasks = [asyncio.create_task(changes.client(channel, chance, client))
                 for client in range(CLIENTS)]
        tasks.append(asyncio.create_task(consumer.follow(server.listen, chance)))
        await asyncio.sleep(seconds)
        server.kill()
        await asyncio.gather(*tasks)


def catch_up(server, consumer):
    """Reads what is left, up to the end of the log."""
    with waybill_server.channel_to(server.listen) as channel:
        marker = f"end-{random.randrange(10**12)}"
        waybill_server.inventory_method(channel, "ReceiveStock")(inventory.ReceiveStockRequest(
            receipt_id=marker, sku="marker", quantity=1), timeout=SECONDS)
        stream = waybill_server.subscribe(channel, timeout=SECONDS, cursor=consumer.cursor)
        for response in stream:
            consumer.note(response.event)
            consumer.cursor = response.event.cursor
            message = inventory_events.StockReceived()
            if response.event.data.Unpack(message) and message.receipt_id == marker:
                stream.cancel()
                return


def compare(server, changes, consumer):
    published = {}
    last = {}
    for event_id in consumer.order:
        kind, key, sequence, _ = consumer.seen[event_id]
        name = kind.rsplit(".", 1)[1]
        assert (name, key) not in published or name in ("StockReceived", "StockAlert"), (name, key)
        published[(name, key)] = sequence
        if name in EVENT_OF.values():
            assert sequence > last.get(key, 0), (name, key)
            assert (key in last) == (name != "StockReserved"), (name, key)
            last[key] = sequence
    missing = [(name, key) for name, key in changes.acknowledged
               if (EVENT_OF[name], key) not in published]
    assert not missing, (len(missing), missing[:5])
    check_no_phantom(server, changes, published)


def check_no_phantom(server, changes, published):
    """Every reservation told of is in the store, in the state that was told last."""
    expected = {}
    for name, key in published:
        if name in EVENT_OF.values():
            state = {"StockReserved": inventory.RESERVATION_STATE_PENDING,
                     "StockCommitted": inventory.RESERVATION_STATE_COMMITTED,
                     "ReservationRolledBack": inventory.RESERVATION_STATE_ROLLED_BACK}[name]
            expected[key] = max(expected.get(key, 0), state)
    with waybill_server.channel_to(server.listen) as channel:
        get = waybill_server.inventory_method(channel, "GetReservation")
        keys = list(expected)
        for first in range(0, len(keys), 500):
            futures = {key: get.future(inventory.GetReservationRequest(reservation_id=key),
                                       timeout=SECONDS) for key in keys[first:first + 500]}
            for key, future in futures.items():
                state = future.result().reservation.state
                assert state == expected[key], (key, state, expected[key])


def what_was_committed_is_published_and_nothing_else():
    print(f"# seed {options.seed}: replay with {__file__} --seed {options.seed}")
    chance = random.Random(options.seed)
    changes = Changes()
    consumer = Consumer()
    data = tempfile.mkdtemp(prefix="waybill-events-kill-")
    try:
        server = waybill_server.Server(data, "inventory")
        with waybill_server.channel_to(server.listen) as channel:
            for sku in SKUS:
                waybill_server.inventory_method(channel, "ReceiveStock")(inventory.ReceiveStockRequest(
                    receipt_id="receipt-" + sku, sku=sku, quantity=10**9))
        for kill in range(options.kills):
            left = max(options.changes - changes.count, 0) / max(options.kills - kill, 1)
            seconds = chance.uniform(0.1, 0.4) + min(left / 4000, 1)
            aio_loop.run(load(server, changes, consumer, chance, seconds))
            server = waybill_server.Server(data, "inventory")
        catch_up(server, consumer)
        compare(server, changes, consumer)
        server.stop()
        print(f"# {options.kills} kills, {changes.count} changes acknowledged, {len(changes.doubtful)} in "
              f"doubt, {len(consumer.order)} events published, {consumer.repeats} seen again")
        assert changes.count >= options.changes / 2, changes.count
    finally:
        shutil.rmtree(data, ignore_errors=True)


tap.run([what_was_committed_is_published_and_nothing_else])
