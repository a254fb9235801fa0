#!/usr/bin/python3
"""Goal: 2,000 shipments with three carriers of whose answers 30 % go wrong, and a server that is
killed in between: 0 labels twice, 0 lost, every unknown outcome closed or handed to a person.

Method: `waybill simulate carriers` with faults from a seed keeps its own ledger; callers that send
each shipment until it has an answer; kill -9 after every few hundred; then look-ups, whose distances
are shortened by settings. Ledger and books are compared number by number. `--shipments N`; the books are
on SQLite, or with `--postgresql` on a server of the test's own.
"""

import argparse
import collections
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import carrier_simulator  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import common, shipping as s, shipping_method  # noqa: E402

arguments = argparse.ArgumentParser()
arguments.add_argument("--shipments", type=int, default=2000)
arguments.add_argument("--postgresql", action="store_true")
options = arguments.parse_args()
sys.argv = sys.argv[:1]

SEED = os.environ.get("WAYBILL_SEED", "20260921")
SHIPMENTS = options.shipments
KILLS = max(3, SHIPMENTS // 400)
CALLERS = 48
SECONDS_MAX = 240 * max(1, SHIPMENTS // 2000)  # a bound of the whole, far above what it takes
OPEN = (s.SHIPMENT_STATE_INTENT, s.SHIPMENT_STATE_SENT, s.SHIPMENT_STATE_UNKNOWN)

FROM = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                      region="NY", postal_code="10001", country_code="US")
TO = common.Address(name="Receiver", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                    region="IL", postal_code="60601", country_code="US")
ABROAD = common.Address(name="Receiver", phone="+4930550100", lines=["Hauptstrasse 3"],
                        city="Berlin", postal_code="10115", country_code="DE")
USD = common.Money(currency_code="USD", amount_minor=2500)
CUSTOMS = s.Customs(items=[s.CustomsItem(description="Books", quantity=1, value=USD,
                                         weight_grams=900, hs_code="490199", origin_country="US")])


class Shop:
    """The server, which dies; the callers, who do not."""

    def __init__(self, data, simulator, store):
        self.data = data
        self.flags = store + simulator.settings(
            purchase_seconds_max=2, first_lookup_seconds=1, lookup_seconds_max=10,
            ups_calls_per_second_max=0, fedex_calls_per_second_max=0, dhl_calls_per_second_max=0,
            ups_calls_at_once_max=64, fedex_calls_at_once_max=64, dhl_calls_at_once_max=64)
        self.lock = threading.Lock()
        self.answered = {}
        self.next = 0
        self.deaths = 0
        self.start()

    def start(self):
        self.server = waybill_server.Server(self.data, "shipping", *self.flags)
        self.channel = waybill_server.channel_to(self.server.listen)
        self.create = shipping_method(self.channel, "CreateShipment")
        self.list = shipping_method(self.channel, "ListShipments")

    def kill(self):
        self.server.kill()
        self.channel.close()
        self.deaths += 1
        self.start()

    def request(self, number):
        choice = number % 8
        request = s.CreateShipmentRequest(
            shipment_id=f"s-{number}", order_id=f"o-{number % 100}", origin=FROM, destination=TO,
            parcels=[s.Parcel(weight_grams=1000 + number % 7, length_mm=300, width_mm=200,
                              height_mm=100, value=USD)] * (1 + (number % 10 == 0)))
        if choice < 3:
            request.carrier, request.service_code = "ups", "03"
        elif choice < 6:
            request.carrier, request.service_code = "fedex", "FEDEX_GROUND"
        else:
            request.destination.CopyFrom(ABROAD)
            request.customs.CopyFrom(CUSTOMS)
            request.carrier, request.service_code = "dhl", "P"
        return request

    def take_number(self):
        with self.lock:
            self.next += 1
            return self.next - 1

    def caller(self):
        while True:
            number = self.take_number()
            if number >= SHIPMENTS:
                return
            while True:
                try:
                    answer = self.create(self.request(number), timeout=20).shipment
                    if answer.state not in (s.SHIPMENT_STATE_INTENT, s.SHIPMENT_STATE_SENT):
                        break
                except (grpc.RpcError, ValueError):  # ValueError: the channel was just closed
                    pass
                time.sleep(0.05)
            with self.lock:
                self.answered[number] = answer.state

    def books(self, **wanted):
        """All shipments, by id."""
        found, token = {}, ""
        while True:
            page = self.list(s.ListShipmentsRequest(page_size=500, page_token=token, **wanted),
                             timeout=60)
            for one in page.shipments:
                assert one.shipment_id not in found, one.shipment_id
                found[one.shipment_id] = one
            token = page.next_page_token
            if not token:
                return found


def buy_all(shop, deadline):
    callers = [threading.Thread(target=shop.caller, daemon=True) for _ in range(CALLERS)]
    for one in callers:
        one.start()
    for death in range(1, KILLS + 1):
        while len(shop.answered) < death * SHIPMENTS // (KILLS + 1):
            assert time.monotonic() < deadline, len(shop.answered)
            time.sleep(0.02)
        shop.kill()
    for one in callers:
        one.join(max(1, deadline - time.monotonic()))
        assert not one.is_alive(), f"{len(shop.answered)} answered"


def wait_for_the_resolver(shop, deadline):
    while True:
        left = sum(len(shop.books(state=state)) for state in OPEN)
        if left == 0:
            return
        assert time.monotonic() < deadline, f"{left} are still open"
        time.sleep(0.3)


result = {}


def shipments_are_bought_while_the_server_dies():
    data = tempfile.mkdtemp(prefix="waybill-shipping-")
    deadline = time.monotonic() + SECONDS_MAX
    began = time.monotonic()
    print(f"# seed {SEED}; again: WAYBILL_SEED={SEED} {sys.argv[0]}")
    with contextlib.ExitStack() as stack:
        store = []
        if options.postgresql:
            store = ["--shipping", stack.enter_context(PostgresqlServer()).url]
        simulator = stack.enter_context(carrier_simulator.Simulator(
            "--seed", SEED, "--fault-rate", "0.3", "--search-lag", "2"))
        shop = Shop(data, simulator, store)
        buy_all(shop, deadline)
        bought = time.monotonic()
        wait_for_the_resolver(shop, deadline)
        result["books"] = shop.books()
        result["charged"] = simulator.charged()
        result["counts"] = simulator.counts()
        before = len(result["charged"])
        for number in range(0, SHIPMENTS, 97):  # the same again: the record, and no purchase
            again = shop.create(shop.request(number), timeout=60).shipment
            assert again.state == result["books"][again.shipment_id].state, again
        assert len(simulator.charged()) == before
        shop.server.stop()
        shop.channel.close()
    shutil.rmtree(data, ignore_errors=True)
    states = collections.Counter(
        s.ShipmentState.Name(one.state) for one in result["books"].values())
    print(f"# {shop.deaths} kills, {bought - began:.1f} s to buy, "
          f"{time.monotonic() - bought:.1f} s to resolve; {dict(states)}")
    print(f"# carriers: {result['counts']}")
    assert len(result["books"]) == SHIPMENTS and shop.deaths == KILLS
    assert sum(result["counts"]["faults"].values()) > SHIPMENTS / 5


def no_label_was_bought_twice():
    references = collections.Counter(one["reference"] for one in result["charged"])
    assert [one for one in references.items() if one[1] > 1] == []
    created = [one for one in result["books"].values() if one.state == s.SHIPMENT_STATE_CREATED]
    asked = [one for one in result["books"].values()
             if one.state == s.SHIPMENT_STATE_NEEDS_ATTENTION]
    paid = [one for one in result["charged"] if not one["voided"]]
    assert len(created) <= len(paid) <= len(created) + len(asked), (len(created), len(paid))


def no_label_was_lost():
    """What was paid for is in the books, under its number; or a person is asked."""
    numbers = {one.tracking_number: one for one in result["books"].values()
               if one.state == s.SHIPMENT_STATE_CREATED}
    assert len(numbers) == sum(one.state == s.SHIPMENT_STATE_CREATED
                               for one in result["books"].values())
    paid = {one["tracking_number"] for one in result["charged"] if not one["voided"]}
    assert set(numbers) <= paid, set(numbers) - paid
    unclaimed = [one for one in result["charged"] if one["tracking_number"] not in numbers]
    for one in unclaimed:
        record = result["books"].get(one["reference"])
        assert record is not None and record.state == s.SHIPMENT_STATE_NEEDS_ATTENTION, (one, record)
    print(f"# {len(numbers)} labels, {len(unclaimed)} of them in a person's hands")


def every_unknown_is_closed_or_a_persons():
    for one in result["books"].values():
        assert one.state not in OPEN, one
        if one.state in (s.SHIPMENT_STATE_NEEDS_ATTENTION, s.SHIPMENT_STATE_FAILED):
            assert one.failure, one


tap.run([
    shipments_are_bought_while_the_server_dies,
    no_label_was_bought_twice,
    no_label_was_lost,
    every_unknown_is_closed_or_a_persons,
])
