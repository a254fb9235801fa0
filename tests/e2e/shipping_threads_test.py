#!/usr/bin/python3
"""Goal: shipping's threads never race (RELIABILITY row 20): I/O threads, the carriers' thread and its HTTP
client, the one that draws labels, store threads, the relay of events, the main thread that ends it all.

Method: every method at once from several callers, pushes of carriers, scrapes, and a reader of the events,
against carriers of whose answers some go wrong; SIGTERM in the midst of it, and again on the same data, so
that the resolver starts with something to do. Built with the thread sanitizer the process ends with its
report as soon as it sees a race; without it this is a test of a shutdown under load.
"""

import os
import random
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import carrier_simulator  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import common, shipping as s, shipping_method, subscribe  # noqa: E402

SEED = int(os.environ.get("WAYBILL_SEED", "7"))
LIVES = 2
SECONDS_A_LIFE = 4
CALLERS = 8
# What a caller may hear while carriers fail and the server goes; anything else is a defect.
EXPECTED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED,
            grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.RESOURCE_EXHAUSTED}

FROM = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                      region="NY", postal_code="10001", country_code="US")
TO = common.Address(name="Receiver", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                    region="IL", postal_code="60601", country_code="US")
PARCEL = s.Parcel(weight_grams=1200, length_mm=300, width_mm=200, height_mm=100)
SERVICES = (("ups", "03"), ("fedex", "FEDEX_GROUND"), ("tariff", "ECONOMY"))


class Caller(threading.Thread):
    """Asks for whatever there is, until it is told to end or the server is gone."""

    def __init__(self, life, number):
        super().__init__(daemon=True)
        self.life, self.number = life, number
        self.chance = random.Random(SEED * 1000 + life.number * 100 + number)
        self.bought = []
        self.calls = 0

    def one_of_mine(self):
        return self.chance.choice(self.bought) if self.bought else "nobody"

    def buy(self):
        carrier, service = self.chance.choice(SERVICES)
        name = f"s-{self.life.number}-{self.number}-{len(self.bought)}"
        self.bought.append(name)
        return "CreateShipment", s.CreateShipmentRequest(
            shipment_id=name, carrier=carrier, service_code=service, origin=FROM, destination=TO,
            parcels=[PARCEL], order_id=f"o-{self.number}")

    def rates(self):
        return "GetRates", s.GetRatesRequest(origin=FROM, destination=TO, parcels=[PARCEL])

    def read(self):
        return "GetShipment", s.GetShipmentRequest(shipment_id=self.one_of_mine())

    def label(self):
        return "GetLabel", s.GetLabelRequest(shipment_id=self.one_of_mine())

    def list(self):
        return "ListShipments", s.ListShipmentsRequest(order_id=f"o-{self.number}", page_size=20)

    def cancel(self):
        return "CancelShipment", s.CancelShipmentRequest(shipment_id=self.one_of_mine(), reason="x")

    def resolve(self):
        return "ResolveShipment", s.ResolveShipmentRequest(
            shipment_id=self.one_of_mine(), resolution=s.SHIPMENT_RESOLUTION_VOID)

    def scans(self):
        return "GetTrackingInfo", s.GetTrackingInfoRequest(shipment_id=self.one_of_mine())

    def carriers(self):
        return "ListCarriers", s.ListCarriersRequest()

    def run(self):
        kinds = [self.buy, self.buy, self.buy, self.rates, self.read, self.label, self.list, self.cancel,
                 self.resolve, self.scans, self.carriers]
        while not self.life.over:
            method, request = self.chance.choice(kinds)()
            try:
                shipping_method(self.life.channel, method)(request, timeout=5)
            except ValueError:  # the channel was closed
                return
            except grpc.RpcError as error:
                if error.code() not in EXPECTED:
                    self.life.odd.append(error)
                if error.code() == grpc.StatusCode.UNAVAILABLE and self.life.ending:
                    return
            self.calls += 1


class Life:
    """The server from start to SIGTERM, with all that is asked of it."""

    def __init__(self, number, data, flags):
        self.number, self.over, self.ending, self.odd = number, False, False, []
        self.server = waybill_server.Server(data, "shipping", *flags)
        self.channel = waybill_server.channel_to(self.server.listen)
        self.callers = [Caller(self, one) for one in range(CALLERS)]
        self.others = [threading.Thread(target=one, daemon=True)
                       for one in (self.push, self.scrape, self.follow)]

    def get(self, url, data=None, headers=None):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers or {}),
                                        timeout=10) as answer:
                answer.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # refused, or the server is gone

    def push(self):
        while not self.over:
            for body, secret in ((b'{"trackingNumber": "1ZW4YB1L0300000017"}', carrier_simulator.SECRET),
                                 (b"{}", "another")):
                self.get(f"http://{self.server.listen}/webhooks/ups", body, {"credential": secret})

    def scrape(self):
        while not self.over:
            self.get(f"http://{self.server.operations}/metrics")
            self.get(f"http://{self.server.operations}/readyz")

    def follow(self):
        try:
            for _ in subscribe(self.channel):
                if self.over:
                    return
        except (grpc.RpcError, ValueError):
            pass

    def live(self):
        for one in self.callers + self.others:
            one.start()
        time.sleep(SECONDS_A_LIFE)
        self.ending = True
        self.server.stop(120)  # its code is 0, or the log is told
        self.over = True
        self.channel.close()
        for one in self.callers + self.others:
            one.join(60)
            assert not one.is_alive()
        assert not self.odd, self.odd[:3]
        return sum(one.calls for one in self.callers)


def lives(*flags):
    data = tempfile.mkdtemp(prefix="waybill-shipping-")
    calls = 0
    print(f"# seed {SEED}")
    try:
        with carrier_simulator.Simulator("--seed", str(SEED), "--fault-rate", "0.3",
                                         "--search-lag", "1") as simulator:
            for number in range(LIVES):
                life = Life(number, data, [*simulator.settings(
                    purchase_seconds_max=2, first_lookup_seconds=1, lookup_seconds_max=5,
                    ups_calls_per_second_max=0, fedex_calls_per_second_max=0,
                    dhl_calls_per_second_max=0), *flags])
                try:
                    calls += life.live()
                finally:
                    life.over = True
                    life.server.process.kill()
        print(f"# {calls} calls")
        assert calls > 100, calls
    finally:
        shutil.rmtree(data, ignore_errors=True)


def on_sqlite():
    lives()


def on_postgresql():
    with PostgresqlServer() as database:
        lives("--shipping", database.url)


tap.run([on_sqlite, on_postgresql])
