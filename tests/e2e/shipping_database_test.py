#!/usr/bin/python3
"""Goal: PostgreSQL may be killed, frozen, restarted and cut off under shipping (RELIABILITY row 10): every
call gets its answer or a typed error by its deadline, what was answered stays true, no shipment has a second
label, none is lost, and shipping goes on by itself when the database is back.

Method: callers that send each shipment until it has an answer, through the three adapters; the carriers'
ledger knows what was really sold and voided. Each fault lasts some seconds; in between the database works.
A bound is asserted at five times its figure.
"""

import collections
import os
import re
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
from waybill_server import common, reason_of, shipping as s, shipping_method  # noqa: E402

CALLERS = 12
FAULT_SECONDS = 2
DEADLINE_SECONDS = 3
LATE_SECONDS = 5 * 1  # an answer comes that much after its deadline at the latest
BACK_SECONDS = 5 * 5  # RELIABILITY row 10: healthy within 5 s after return
OPEN = (s.SHIPMENT_STATE_INTENT, s.SHIPMENT_STATE_SENT, s.SHIPMENT_STATE_UNKNOWN)
# (code, reason) that say: not now, or nobody knows; ask again.
TYPED = {(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"), (grpc.StatusCode.DEADLINE_EXCEEDED, ""),
         (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE"), (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
         (grpc.StatusCode.FAILED_PRECONDITION, "SHIPMENT_UNRESOLVED"),
         (grpc.StatusCode.UNAVAILABLE, "CARRIER_UNAVAILABLE")}  # a slow machine: its time was over unasked

FROM = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                      region="NY", postal_code="10001", country_code="US")
TO = common.Address(name="Receiver", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                    region="IL", postal_code="60601", country_code="US")
PARCEL = s.Parcel(weight_grams=1200, length_mm=300, width_mm=200, height_mm=100)
SERVICES = (("ups", "03"), ("fedex", "FEDEX_GROUND"), ("tariff", "ECONOMY"))


class Shop:
    """The server, and callers that go on until they are told to stop."""

    def __init__(self, data, simulator, database):
        self.data, self.simulator, self.database = data, simulator, database
        self.start()
        self.lock = threading.Lock()
        self.next, self.over = 0, False
        self.numbers, self.cancelled = {}, set()  # by shipment, as answered
        self.errors = collections.Counter()
        self.wrong = []

    def start(self):
        self.server = waybill_server.Server(self.data, "shipping", *self.simulator.settings(
            shipping=self.database.url, sql_statement_ms_max=1000, purchase_seconds_max=2,
            first_lookup_seconds=1, lookup_seconds_max=10, ups_calls_per_second_max=0,
            fedex_calls_per_second_max=0, dhl_calls_per_second_max=0))
        self.channel = waybill_server.channel_to(self.server.listen)

    def ask(self, method, request):
        """The answer, or None after an error that is of the right kind and in time."""
        began = time.monotonic()
        try:
            answer = shipping_method(self.channel, method)(request, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            answer, kind = None, (error.code(), reason_of(error))
            with self.lock:
                self.errors[kind] += 1
                if kind not in TYPED:
                    self.wrong.append((method, error))
        took = time.monotonic() - began
        if took > DEADLINE_SECONDS + LATE_SECONDS:
            with self.lock:
                self.wrong.append((method, f"took {took:.1f} s"))
        return answer

    def until_answered(self, method, request):
        while True:
            answer = self.ask(method, request)
            if answer is not None and answer.shipment.state not in OPEN:
                return answer.shipment
            if self.over:
                return None
            time.sleep(0.05)

    def create(self, number):
        carrier, service = SERVICES[number % 3]
        return self.until_answered("CreateShipment", s.CreateShipmentRequest(
            shipment_id=f"s-{number}", carrier=carrier, service_code=service, origin=FROM,
            destination=TO, parcels=[PARCEL]))

    def caller(self):
        while not self.over:
            with self.lock:
                number, self.next = self.next, self.next + 1
            shipment = self.create(number)
            if shipment is None or shipment.state != s.SHIPMENT_STATE_CREATED:
                continue
            with self.lock:
                self.numbers[shipment.shipment_id] = shipment.tracking_number
            if number % 5 == 0 and self.until_answered("CancelShipment", s.CancelShipmentRequest(
                    shipment_id=shipment.shipment_id, reason="changed")) is not None:
                with self.lock:
                    self.cancelled.add(shipment.shipment_id)

    def sold(self):
        with self.lock:
            return len(self.numbers)

    def goes_on(self):
        """Within the bound something is bought again; then it is let work for a while."""
        before, until = self.sold(), time.monotonic() + BACK_SECONDS
        while self.sold() == before:
            assert time.monotonic() < until, (self.errors, self.wrong[:3])
            time.sleep(0.05)
        while self.sold() < before + 3 * CALLERS:
            assert time.monotonic() < until + 60, (self.errors, self.wrong[:3])
            time.sleep(0.05)

    def books(self, **wanted):
        found, token, first = {}, "", True
        while first or token:
            page = shipping_method(self.channel, "ListShipments")(s.ListShipmentsRequest(
                page_size=500, page_token=token, **wanted), timeout=60)
            found.update((one.shipment_id, one) for one in page.shipments)
            token, first = page.next_page_token, False
        return found


def killed(database):
    database.kill()
    time.sleep(FAULT_SECONDS)
    database.start()


def frozen(database):
    database.pause()
    time.sleep(FAULT_SECONDS)
    database.resume()


def restarted(database):
    database.stop()
    database.start()


def cut_off(database):
    """Its backends end in the midst of whatever they do."""
    for _ in range(5):
        database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                         " WHERE application_name <> 'psql' AND backend_type = 'client backend'")
        time.sleep(0.2)


holder = {}


def the_database_fails_under_load(fault):
    shop = holder["shop"]
    shop.goes_on()
    fault(shop.database)
    shop.goes_on()
    assert not shop.wrong, shop.wrong[:3]


def killed_under_load():
    the_database_fails_under_load(killed)


def frozen_under_load():
    the_database_fails_under_load(frozen)


def restarted_under_load():
    the_database_fails_under_load(restarted)


def cut_off_under_load():
    the_database_fails_under_load(cut_off)


def books_and_ledger_agree():
    shop = holder["shop"]
    shop.over = True
    for one in holder["callers"]:
        one.join(60)
        assert not one.is_alive()
    shop.server.stop()  # what is SENT without a carrier's being asked is looked up at the next start
    shop.start()
    until = time.monotonic() + 60
    while any(shop.books(state=state) for state in OPEN):
        assert time.monotonic() < until, [shop.books(state=state) for state in OPEN]
        for name in shop.books(state=s.SHIPMENT_STATE_INTENT):
            shop.create(int(name[2:]))  # whoever wanted it was told to end before it was bought
        time.sleep(0.2)
    books = shop.books()
    charged = shop.simulator.charged()
    sold = {re.sub(r"~\d+$", "", one["reference"]): one for one in charged}
    assert len(sold) == len(charged), "a label was bought twice"
    assert set(shop.numbers) <= set(books)
    for name, shipment in books.items():
        if shipment.state == s.SHIPMENT_STATE_NEEDS_ATTENTION:
            assert name not in sold and name not in shop.numbers, shipment
            continue
        assert shop.numbers.get(name, shipment.tracking_number) == shipment.tracking_number, shipment
        is_void = shipment.state == s.SHIPMENT_STATE_CANCELLED
        assert is_void or name not in shop.cancelled, shipment
        if shipment.carrier != "tariff" and shipment.tracking_number:
            assert sold[name]["tracking_number"] == shipment.tracking_number, shipment
            assert sold[name]["voided"] == is_void, shipment
    states = collections.Counter(s.ShipmentState.Name(one.state) for one in books.values())
    print(f"# {dict(states)}; {len(sold)} labels of carriers; errors: "
          f"{ {f'{code.name} {reason}': count for (code, reason), count in shop.errors.items()} }")
    assert len(shop.numbers) > 100 and shop.errors
    shop.server.stop()


def main():
    data = tempfile.mkdtemp(prefix="waybill-shipping-")
    try:
        with PostgresqlServer() as database, \
                carrier_simulator.Simulator("--search-lag", "1") as simulator:
            shop = holder["shop"] = Shop(data, simulator, database)
            holder["callers"] = [threading.Thread(target=shop.caller, daemon=True)
                                 for _ in range(CALLERS)]
            for one in holder["callers"]:
                one.start()
            tap.run([killed_under_load, frozen_under_load, restarted_under_load, cut_off_under_load,
                     books_and_ledger_agree])
    finally:
        if "shop" in holder:
            holder["shop"].server.process.kill()
        shutil.rmtree(data, ignore_errors=True)


main()
