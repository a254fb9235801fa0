#!/usr/bin/python3
"""Goal: the effect of a call that is sent again is that of one call (RELIABILITY row 3).

Method: between clients and server stands a proxy that cuts connections at random: before a request
got through, or after it and before its answer. Every call is sent until it is answered, and then up to
four times more; some duplicates race each other on two connections; the server is restarted now and
then. At the end the store must hold the effects of the distinct ids alone; of shipping the carriers' own
ledger. For inventory, tracking, and warehouse and shipping on both databases. `--calls N`, `--seed N`; names
of cases select some.
"""

import argparse
import asyncio
import os
import random
import re
import shutil
import sys
import tempfile
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import aio_loop  # noqa: E402
import carrier_simulator  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import (common, inventory, shipping, shipping_method, tracking,  # noqa: E402
                            warehouse, warehouse_method)

SKU = "hot"
STOCK = 10**9
CLIENTS = 48

arguments = argparse.ArgumentParser()
arguments.add_argument("--calls", type=int, default=10000)
arguments.add_argument("--seed", type=int, default=int(os.environ.get("WAYBILL_SEED", "1")))
arguments.add_argument("case", nargs="*")
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
        budget = {"bytes": self.chance.randint(2000, 40000)}
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
    """What the store must hold at the end: the sum of the distinct ids."""

    def __init__(self):
        self.calls = 0
        self.ids = 0
        self.next = 0


class Everywhere:
    """Sends one call one to five times, sometimes on both connections at once."""

    def __init__(self, channels, chance, effects, method_of):
        self.channels = channels
        self.chance = chance
        self.effects = effects
        self.method_of = method_of

    async def __call__(self, name, request):
        racing = self.chance.random() < 0.3
        stubs = [self.method_of(channel, name) for channel in self.channels]
        self.chance.shuffle(stubs)
        answers = await asyncio.gather(
            *(until_answered(stub, request) for stub in (stubs if racing else stubs[:1])))
        for _ in range(self.chance.randint(0, 2)):
            answers.append(await until_answered(self.chance.choice(stubs), request))
        self.effects.calls += sum(sent for _, sent in answers)
        return [answer for answer, _ in answers]


def same(answers):
    """The first of answers that must all say the same."""
    assert len({answer.SerializeToString() for answer in answers}) == 1, answers
    return answers[0]


class InventoryWork:
    services = ("inventory",)
    method_of = staticmethod(waybill_server.inventory_method)

    def __init__(self):
        self.received = STOCK
        self.reserved = 0
        self.committed = 0

    def prepare(self, channel):
        waybill_server.inventory_method(channel, "ReceiveStock")(
            inventory.ReceiveStockRequest(receipt_id="first", sku=SKU, quantity=STOCK))

    async def effect(self, everywhere, chance, number):
        quantity = chance.randint(1, 9)
        if number % 10 == 0:
            await everywhere("ReceiveStock", inventory.ReceiveStockRequest(
                receipt_id=f"receipt-{number}", sku=SKU, quantity=quantity))
            self.received += quantity
            return
        same(await everywhere("Reserve", inventory.ReserveRequest(
            reservation_id=f"r-{number}", lines=[inventory.ReserveLine(sku=SKU, quantity=quantity)])))
        step = chance.random()
        if step < 0.5:
            await everywhere("Commit", inventory.CommitRequest(reservation_id=f"r-{number}"))
            self.committed += quantity
        elif step < 0.8:
            await everywhere("Rollback", inventory.RollbackRequest(reservation_id=f"r-{number}"))
        else:
            self.reserved += quantity

    def check(self, channel):
        stock = waybill_server.inventory_method(channel, "GetStock")(
            inventory.GetStockRequest(sku=SKU)).stock
        report = waybill_server.inventory_method(channel, "VerifyLedger")(
            inventory.VerifyLedgerRequest())
        assert stock.received == self.received, stock
        assert stock.reserved == self.reserved, stock
        assert stock.committed == self.committed, stock
        assert not report.mismatches, report


class WarehouseWork:
    services = ("warehouse",)
    method_of = staticmethod(waybill_server.warehouse_method)
    sites = ("w1", "w2")

    def __init__(self):
        self.on_hand = {site: STOCK for site in self.sites}
        self.allocated = 0
        self.in_allocations = 0  # taken off the shelves for orders, at either site

    def prepare(self, channel):
        for number, site in enumerate(self.sites):
            place = warehouse.Warehouse(warehouse_id=site, name=site, priority=number, active=True)
            place.address.point.latitude_e7 = 500000000 + number
            warehouse_method(channel, "CreateWarehouse")(
                warehouse.CreateWarehouseRequest(warehouse=place), timeout=60)
            warehouse_method(channel, "ReceiveStock")(warehouse.ReceiveStockRequest(
                movement_id="first-" + site, warehouse_id=site, sku=SKU, quantity=STOCK), timeout=60)

    async def effect(self, everywhere, chance, number):
        kind = chance.choice((self.move, self.move, self.transfer, self.allocate))
        await kind(everywhere, chance, number)

    async def move(self, everywhere, chance, number):
        site, quantity = chance.choice(self.sites), chance.randint(1, 9)
        fields = {"movement_id": f"m-{number}", "warehouse_id": site, "sku": SKU}
        name = chance.choice(("ReceiveStock", "ShipStock", "ReturnStock", "AdjustStock"))
        if name == "AdjustStock":
            fields.update(delta=-quantity, reason=warehouse.ADJUSTMENT_REASON_DAMAGE)
        else:
            fields["quantity"] = quantity
        answers = await everywhere(name, getattr(warehouse, name + "Request")(**fields))
        same([answer.movement for answer in answers])
        self.on_hand[site] += quantity if name in ("ReceiveStock", "ReturnStock") else -quantity

    async def transfer(self, everywhere, chance, number):
        here, there = chance.sample(self.sites, 2)
        quantity = chance.randint(1, 9)
        await everywhere("CreateTransfer", warehouse.CreateTransferRequest(
            transfer_id=f"t-{number}", from_warehouse_id=here, to_warehouse_id=there,
            lines=[warehouse.CreateTransferLine(sku=SKU, quantity=quantity)]))
        if chance.random() < 0.3:
            await everywhere("CancelTransfer", warehouse.CancelTransferRequest(
                transfer_id=f"t-{number}"))
            return
        await everywhere("ReceiveTransfer", warehouse.ReceiveTransferRequest(
            transfer_id=f"t-{number}"))
        self.on_hand[here] -= quantity
        self.on_hand[there] += quantity

    async def allocate(self, everywhere, chance, number):
        quantity = chance.randint(1, 9)
        request = warehouse.AllocateRequest(
            allocation_id=f"a-{number}", strategy=warehouse.ALLOCATION_STRATEGY_PRIORITY,
            lines=[warehouse.ItemLine(sku=SKU, quantity=quantity)])
        request.destination.point.latitude_e7 = 500000000
        same([answer.allocation for answer in await everywhere("Allocate", request)])
        step = chance.random()
        if step < 0.5:
            await everywhere("ShipAllocation", warehouse.ShipAllocationRequest(
                allocation_id=f"a-{number}"))
            self.in_allocations += quantity
        elif step < 0.8:
            await everywhere("ReleaseAllocation", warehouse.ReleaseAllocationRequest(
                allocation_id=f"a-{number}"))
        else:
            self.allocated += quantity

    def check(self, channel):
        stocks = [warehouse_method(channel, "GetWarehouseStock")(
            warehouse.GetWarehouseStockRequest(warehouse_id=site, sku=SKU), timeout=60).stock
            for site in self.sites]
        assert sum(one.on_hand for one in stocks) == \
            sum(self.on_hand.values()) - self.in_allocations, (stocks, self.on_hand)
        assert sum(one.allocated for one in stocks) == self.allocated, stocks
        report = warehouse_method(channel, "VerifyMovements")(
            warehouse.VerifyMovementsRequest(), timeout=60)
        assert not report.mismatches, report


class TrackingWork:
    services = ("tracking",)
    parcels = 50

    def __init__(self):
        self.events = [0] * self.parcels
        self.created = 0

    @staticmethod
    def method_of(channel, name):
        if name == "RecordEvents":
            return TrackingWork.one_event_stream(channel)
        return channel.unary_unary(
            "/waybill.tracking.v1.TrackingService/" + name,
            request_serializer=getattr(tracking, name + "Request").SerializeToString,
            response_deserializer=getattr(tracking, name + "Response").FromString)

    @staticmethod
    def one_event_stream(channel):
        """RecordEvents as if it were unary: a stream of one event and its answer."""
        stream = channel.stream_stream(
            "/waybill.tracking.v1.TrackingService/RecordEvents",
            request_serializer=tracking.RecordEventsRequest.SerializeToString,
            response_deserializer=tracking.RecordEventsResponse.FromString)

        async def send(request, timeout):
            async for answer in stream(iter([request]), timeout=timeout):
                assert answer.status.code == 0, answer
                return answer
            raise AssertionError("a stream ended in good order without its answer")
        return send

    def prepare(self, channel):
        pass

    async def effect(self, everywhere, chance, number):
        parcel = chance.randrange(self.parcels)
        if number % 5 == 0:
            answers = await everywhere("CreateTracking", tracking.CreateTrackingRequest(
                carrier="ups", tracking_number=f"C{number}", shipment_id=f"s-{number}", order_id="created"))
            assert {(answer.tracking.generation, answer.tracking.revision) for answer in answers} == {(1, 1)}
            self.created += 1
            return
        event = tracking.TrackingEvent(
            event_id=f"e-{number}" if chance.random() < 0.5 else "", carrier="ups",
            tracking_number=f"N{parcel}", type=tracking.TRACKING_EVENT_TYPE_IN_TRANSIT,
            source="test", description=f"scan {number}")
        event.occurred_time.seconds = 1800000000 + number
        if number % 3 == 0:
            answers = await everywhere("RecordEvents", tracking.RecordEventsRequest(event=event))
            same(answers)
        else:
            answers = await everywhere("RecordEvent", tracking.RecordEventRequest(event=event))
            same([answer.event for answer in answers])
        self.events[parcel] += 1

    def check(self, channel):
        for parcel, count in enumerate(self.events):
            found = self.method_of(channel, "GetTracking")(tracking.GetTrackingRequest(
                carrier="ups", tracking_number=f"N{parcel}"), timeout=60).tracking
            assert found.event_count == count, (found, count)
        created, token = 0, ""
        while created == 0 or token:
            page = self.method_of(channel, "ListTrackings")(tracking.ListTrackingsRequest(
                order_id="created", page_size=1000, page_token=token), timeout=60)
            created, token = created + len(page.trackings), page.next_page_token
        assert created == self.created, (created, self.created)


class ShippingWork:
    """Shipments with carriers that keep a ledger of what they sold and voided."""

    services = ("shipping",)
    method_of = staticmethod(shipping_method)
    carriers = (("ups", "03"), ("fedex", "FEDEX_GROUND"), ("dhl", "P"))
    address = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                             region="NY", postal_code="10001", country_code="US")
    abroad = common.Address(name="Receiver", phone="+4930550100", lines=["Hauptstrasse 3"], city="Berlin",
                            postal_code="10115", country_code="DE")
    open_states = (shipping.SHIPMENT_STATE_INTENT, shipping.SHIPMENT_STATE_SENT,
                   shipping.SHIPMENT_STATE_UNKNOWN)

    def __init__(self, simulator):
        self.simulator = simulator
        self.bought = set()
        self.cancelled = set()
        self.numbers = {}

    def prepare(self, channel):
        pass

    def request(self, chance, number):
        carrier, service = chance.choice(self.carriers)
        usd = common.Money(currency_code="USD", amount_minor=2500)
        return shipping.CreateShipmentRequest(
            shipment_id=f"s-{number}", carrier=carrier, service_code=service, origin=self.address,
            destination=self.abroad if carrier == "dhl" else self.address,
            parcels=[shipping.Parcel(weight_grams=1000 + number % 9, length_mm=300, width_mm=200,
                                     height_mm=100, value=usd)],
            customs=None if carrier != "dhl" else shipping.Customs(items=[shipping.CustomsItem(
                description="Books", quantity=1, value=usd, weight_grams=900, hs_code="490199",
                origin_country="US")]))

    def note(self, answers):
        """Whoever was told a number was told the same one."""
        for one in (answer.shipment for answer in answers):
            if one.state == shipping.SHIPMENT_STATE_CREATED:
                assert self.numbers.setdefault(one.shipment_id, one.tracking_number) == \
                    one.tracking_number, (one, self.numbers[one.shipment_id])

    async def effect(self, everywhere, chance, number):
        request = self.request(chance, number)
        self.bought.add(request.shipment_id)
        answers = await everywhere("CreateShipment", request)
        self.note(answers)
        if request.carrier == "dhl" or chance.random() > 0.2 or \
                answers[-1].shipment.state != shipping.SHIPMENT_STATE_CREATED:
            return
        answers = await everywhere("CancelShipment", shipping.CancelShipmentRequest(
            shipment_id=request.shipment_id, reason="changed"))
        assert all(one.shipment.state == shipping.SHIPMENT_STATE_CANCELLED for one in answers), answers
        self.cancelled.add(request.shipment_id)

    def books(self, channel, **wanted):
        found, token, first = {}, "", True
        while first or token:
            page = shipping_method(channel, "ListShipments")(shipping.ListShipmentsRequest(
                page_size=500, page_token=token, **wanted), timeout=60)
            found.update((one.shipment_id, one) for one in page.shipments)
            token, first = page.next_page_token, False
        return found

    def check(self, channel):
        until = time.monotonic() + 60
        while any(self.books(channel, state=state) for state in self.open_states):
            assert time.monotonic() < until, "the resolver has not ended"
            time.sleep(0.2)
        books, charged = self.books(channel), self.simulator.charged()
        sold = {re.sub(r"~\d+$", "", one["reference"]): one for one in charged}  # of any attempt
        assert set(books) == self.bought, set(books) ^ self.bought
        assert len(sold) == len(charged), "a label was bought twice"
        for name, shipment in books.items():
            if shipment.state == shipping.SHIPMENT_STATE_NEEDS_ATTENTION:
                assert name not in sold and name not in self.numbers, shipment
                continue
            assert shipment.tracking_number == sold[name]["tracking_number"], shipment
            assert self.numbers.get(name, shipment.tracking_number) == shipment.tracking_number, shipment
            is_void = shipment.state == shipping.SHIPMENT_STATE_CANCELLED
            assert is_void == sold[name]["voided"] == (name in self.cancelled), shipment
        print(f"# {len(sold)} labels for {len(books)} shipments, {len(self.cancelled)} voided")
        assert len(sold) > 0.9 * len(books)


async def worker(work, everywhere, chance, effects):
    while effects.calls < options.calls:
        effects.next += 1
        await work.effect(everywhere, chance, effects.next)
        effects.ids += 1


async def restarts(proxy, holder, chance):
    while True:
        await asyncio.sleep(chance.uniform(0.5, 2))
        holder["server"].kill()
        holder["server"] = await asyncio.to_thread(holder["start"])
        proxy.target = holder["server"].listen
        holder["restarts"] += 1


async def run_load(work, holder, effects):
    chance = random.Random(options.seed)
    proxy = FaultProxy(chance)
    proxy.target = holder["server"].listen
    await proxy.start()
    settings = [("grpc.enable_retries", 0), ("grpc.initial_reconnect_backoff_ms", 20),
                ("grpc.max_reconnect_backoff_ms", 100), ("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(proxy.address, options=settings) for _ in range(2)]
    everywhere = Everywhere(channels, chance, effects, work.method_of)
    restarting = asyncio.create_task(restarts(proxy, holder, chance))
    await asyncio.gather(*(worker(work, everywhere, chance, effects) for _ in range(CLIENTS)))
    restarting.cancel()
    for channel in channels:
        await channel.close()
    proxy.server.close()
    return proxy.cuts


def effects_are_those_of_the_distinct_ids(work, *arguments):
    print(f"# seed {options.seed}: replay with {__file__} --seed {options.seed}")
    effects = Effects()
    data = tempfile.mkdtemp(prefix="waybill-retries-")

    def start():
        return waybill_server.Server(data, *work.services, *arguments)
    holder = {"server": start(), "start": start, "restarts": 0}
    try:
        with waybill_server.channel_to(holder["server"].listen) as channel:
            work.prepare(channel)
        cuts = aio_loop.run(run_load(work, holder, effects))
        with waybill_server.channel_to(holder["server"].listen) as channel:
            grpc.channel_ready_future(channel).result(60)
            work.check(channel)
        print(f"# {effects.calls} calls of {effects.ids} ids, {cuts} connections cut, "
              f"{holder['restarts']} restarts")
        assert cuts > 10 and effects.calls > effects.ids
        holder["server"].stop()
    finally:
        if holder["server"].process.poll() is None:
            holder["server"].kill()
        shutil.rmtree(data, ignore_errors=True)


def inventory_acts_once():
    effects_are_those_of_the_distinct_ids(InventoryWork())


def warehouse_on_sqlite_acts_once():
    effects_are_those_of_the_distinct_ids(WarehouseWork())


def warehouse_on_postgresql_acts_once():
    with PostgresqlServer() as server:
        effects_are_those_of_the_distinct_ids(WarehouseWork(), "--warehouse", server.url)


def tracking_acts_once():
    effects_are_those_of_the_distinct_ids(TrackingWork())


def shipping_acts_once(*arguments):
    with carrier_simulator.Simulator("--search-lag", "1") as simulator:
        effects_are_those_of_the_distinct_ids(ShippingWork(simulator), *arguments, *simulator.settings(
            purchase_seconds_max=5, first_lookup_seconds=2, lookup_seconds_max=10,
            ups_calls_per_second_max=0, fedex_calls_per_second_max=0, dhl_calls_per_second_max=0,
            ups_calls_at_once_max=64, fedex_calls_at_once_max=64, dhl_calls_at_once_max=64))


def shipping_on_sqlite_acts_once():
    shipping_acts_once()


def shipping_on_postgresql_acts_once():
    with PostgresqlServer() as server:
        shipping_acts_once("--shipping", server.url)


CASES = [inventory_acts_once, warehouse_on_sqlite_acts_once, warehouse_on_postgresql_acts_once,
         tracking_acts_once, shipping_on_sqlite_acts_once, shipping_on_postgresql_acts_once]
tap.run([case for case in CASES if not options.case or case.__name__ in options.case])
