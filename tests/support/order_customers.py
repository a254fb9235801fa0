"""A shop with its four services and its orders, and the people around it: customers, who send each call until
it is answered, whoever dies meanwhile; warehouse hands and carriers' drivers; a person who is asked when
a carrier's answer was lost for good; and one who kills processes.

An order goes one of the ROADS, a generator: each `yield` is a pause in seconds. So a few threads (Crowd) walk
thousands of orders, of which most wait.
"""

import collections
import heapq
import random
import shutil
import tempfile
import threading
import time
import traceback

import grpc
from google.protobuf import timestamp_pb2

from carrier_simulator import ACCOUNTS, SECRET, Simulator
from order_auditor import live_labels
from order_shop import money, open_warehouse
from socket_supervisor import SERVICES, Processes, Supervisor
from waybill_process import FED
from waybill_server import (
    call, channel_to, common, fulfillment as f, inventory as i, reason_of, shipping as p, tracking as t,
    warehouse as w)

SECONDS = 20  # a call
PATIENCE_SECONDS = 120  # until there is an answer
PROMISED, CONFIRMING, CONFIRMED, SHIPPED, DELIVERED, RETURNED, EXPIRED, CANCELLED, ASKED = (
    f.ORDER_STATE_PROMISED, f.ORDER_STATE_CONFIRMING, f.ORDER_STATE_CONFIRMED, f.ORDER_STATE_SHIPPED,
    f.ORDER_STATE_DELIVERED, f.ORDER_STATE_RETURNED, f.ORDER_STATE_EXPIRED, f.ORDER_STATE_CANCELLED,
    f.ORDER_STATE_NEEDS_ATTENTION)
# A hold of a second ended before the call did, since something was being killed: nothing is held.
TOO_SLOW = ("ALLOCATION_EXPIRED", "RESERVATION_EXPIRED")
# What is not known to be done may be asked again.
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED,
         grpc.StatusCode.CANCELLED)

NEW_YORK = common.Address(name="Site 1", phone="+12125550100", lines=["1 Main Street"], city="New York",
                          region="NY", postal_code="10001", country_code="US",
                          point=common.GeoPoint(latitude_e7=407500000, longitude_e7=-739900000))
CHICAGO = common.Address(name="Ann", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                         region="IL", postal_code="60601", country_code="US",
                         point=common.GeoPoint(latitude_e7=418800000, longitude_e7=-876300000))
BONN = common.Address(name="Site 2", phone="+4922850100", lines=["Am Hof 2"], city="Bonn",
                      postal_code="53111", country_code="DE",
                      point=common.GeoPoint(latitude_e7=507000000, longitude_e7=71000000))
BERLIN = common.Address(name="Zoë", phone="+4930550100", lines=["Torstraße 3"], city="Berlin",
                        postal_code="10115", country_code="DE",
                        point=common.GeoPoint(latitude_e7=525200000, longitude_e7=134050000))
# SKU: what one weighs, what it costs, where it lies. A mug and a cup come from two warehouses.
GOODS = {"MUG": (400, 900, ("W1",)), "CUP": (300, 700, ("W2",)), "PEN": (20, 150, ("W1", "W2")),
         "BENCH": (30000, 19900, ("W1",))}
BASKETS = (("MUG",), ("CUP",), ("PEN",), ("MUG", "CUP"), ("MUG", "PEN"), ("BENCH", "BENCH", "BENCH"))
LEFT_ALONE = "77"  # ends the ids of orders to which the person who is asked has not come yet
CARRIERS = ((), (), ("ups",), ("fedex", "ups"), ("dhl", "ups"))


class Shop:
    """Supervised processes, one or one a service, that ship with a simulator of carriers; these push what
    happens to parcels if `pushes`.
    """

    def __init__(self, apart, stock, *of_simulator, pushes=False, **settings):
        self.data = tempfile.mkdtemp(prefix="waybill-shop-")
        self.stock = stock
        if apart:
            self.processes = Processes(self.data)
            self.supervisors = self.processes.supervisors
        else:
            self.processes = Supervisor(self.data, environment=FED)
            self.supervisors = dict.fromkeys(("all",), self.processes)
        self.addresses = {service: self.supervisors[service if apart else "all"].listen
                          for service in SERVICES}
        if pushes:
            of_simulator += ("--push-url", f"http://{self.addresses['shipping']}/webhooks",
                             "--push-secret", SECRET)
        self.simulator = Simulator(*of_simulator)
        self.supervisors["shipping" if apart else "all"].arguments += self.simulator.settings(
            carriers="ups,fedex,dhl", purchase_seconds_max=2, first_lookup_seconds=1, lookup_seconds_max=6,
            **{f"{carrier}_calls_per_second_max": 0 for carrier in ACCOUNTS},
            **{f"{carrier}_calls_at_once_max": 64 for carrier in ACCOUNTS})
        for name, value in settings.items():  # of tracking
            self.supervisors["tracking" if apart else "all"].arguments += [
                "--" + name.replace("_", "-"), str(value)]

    def __enter__(self):
        self.simulator.__enter__()
        self.processes.__enter__()
        self.channels = {address: channel_to(address) for address in set(self.addresses.values())}
        self.fill()
        return self

    def __exit__(self, *unused):
        for channel in self.channels.values():
            channel.close()
        self.processes.__exit__()
        self.simulator.__exit__()
        shutil.rmtree(self.data, ignore_errors=True)

    def ask(self, messages, name, **fields):
        """Until it is answered; refusals are raised."""
        service = messages.DESCRIPTOR.package.split(".")[1]
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return call(self.channels[self.addresses[service]], messages, name, SECONDS, **fields)
            except grpc.RpcError as error:
                if error.code() not in AGAIN or time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def fill(self):
        for number, address in enumerate((NEW_YORK, BONN), 1):
            open_warehouse(self.ask, number, address, 20000000)
        for sku, (grams, _, places) in GOODS.items():
            self.ask(w, "PutItem", item=w.Item(sku=sku, name=f"A {sku}", weight_grams=grams,
                                               hs_code="691110", origin_country="DE"))
            for place in places:
                self.ask(w, "ReceiveStock", movement_id=f"in-{place}-{sku}", warehouse_id=place, sku=sku,
                         quantity=self.stock)
        end = time.monotonic() + PATIENCE_SECONDS
        while len(self.ask(i, "BatchGetStock", skus=list(GOODS)).stocks) < len(GOODS):
            assert time.monotonic() < end, "inventory does not follow the warehouse"
            time.sleep(0.02)

    def order(self, order_id):
        return self.ask(f, "GetOrder", order_id=order_id).order

    def orders_in(self, state):
        return self.ask(f, "ListOrders", state=state, page_size=1000).orders

    def unfinished(self):
        """How much is still under way by itself."""
        return len(self.orders_in(CONFIRMING)) + sum(
            len(self.ask(p, "ListShipments", state=state, page_size=1000).shipments)
            for state in (p.SHIPMENT_STATE_INTENT, p.SHIPMENT_STATE_SENT, p.SHIPMENT_STATE_UNKNOWN))


# --- customers ---

class LeftAlone(Exception):
    """Nobody comes to decide about this order."""


class Customer:
    """One order and its road. What it is about follows from the seed and its number alone."""

    def __init__(self, shop, seed, number, road=None):
        chance = random.Random(f"{seed} {number}")
        self.shop = shop
        self.number = number
        self.order_id = f"order-{number}"
        drawn = chance.choices(list(ROADS), [share for _, share, _ in ROADS.values()])[0]
        self.name = road or drawn
        self.road, _, self.end = ROADS[self.name]
        self.lines = [f.OrderLine(sku=sku, quantity=quantity, unit_value=money(GOODS[sku][1]))
                      for sku, quantity in collections.Counter(chance.choice(BASKETS)).items()]
        self.destination = chance.choice((CHICAGO, BERLIN))
        self.rule = chance.choice((f.ORDER_RULE_CHEAPEST, f.ORDER_RULE_FASTEST))
        self.carriers = chance.choice(CARRIERS)
        self.ttl = None
        self.now = timestamp_pb2.Timestamp()

    def walk(self):
        try:
            yield from self.road(self)
        except LeftAlone:
            pass

    def promise(self):
        more = {"ttl": {"seconds": self.ttl}} if self.ttl else {}
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.shop.ask(f, "PromiseOrder", order_id=self.order_id, customer_id="ann",
                              lines=self.lines, destination=self.destination, currency_code="USD",
                              rule=self.rule, carriers=self.carriers, **more)
                return
            except grpc.RpcError as error:  # of all carriers' answers none was usable
                if reason_of(error) != "NO_RATE" or time.monotonic() > end:
                    raise
            yield 0.2

    def reach(self, *states):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            order = self.shop.order(self.order_id)
            if order.state in states:
                return order
            if order.state == ASKED and self.order_id.endswith(LEFT_ALONE):
                raise LeftAlone
            assert time.monotonic() < end, f"{self.name}: waits for {states}: {order}"
            yield 0.25

    def confirm(self):
        self.shop.ask(f, "ConfirmOrder", order_id=self.order_id)

    def cancel(self):
        """A cancellation that is taken and waits for a carrier may say so by a refusal."""
        try:
            self.shop.ask(f, "CancelOrder", order_id=self.order_id, reason="changed my mind")
        except grpc.RpcError as error:
            assert reason_of(error) in ("SHIPMENT_UNRESOLVED", "SHIPMENT_NEEDS_ATTENTION",
                                        "SHIPMENT_UNKNOWN"), (error, self.shop.order(self.order_id))

    # --- roads ---

    def is_delivered(self):
        yield from self.is_sent()
        yield from self.scan(t.TRACKING_EVENT_TYPE_DELIVERED, "delivered")
        yield from self.reach(DELIVERED)

    def is_brought_by_its_carriers(self):
        """Nobody but they says so."""
        yield from self.is_sent()
        yield from self.reach(DELIVERED)

    def comes_back(self):
        yield from self.is_sent()
        order = yield from self.scan(t.TRACKING_EVENT_TYPE_RETURNED, "returned")
        for part in order.parts:
            for line in part.lines:
                self.shop.ask(w, "ReturnStock", movement_id=f"back-{part.allocation_id}-{part.warehouse_id}"
                              f"-{line.sku}", warehouse_id=part.warehouse_id, sku=line.sku,
                              quantity=line.quantity, reason=w.RETURN_REASON_CUSTOMER,
                              reference=self.order_id)
        yield from self.reach(RETURNED)

    def is_paid(self):
        yield from self.promise()
        self.confirm()
        yield from self.reach(CONFIRMED)

    def is_abandoned(self):
        self.ttl = 1
        yield from self.promise()
        yield from self.reach(EXPIRED)

    def is_paid_late(self):
        self.ttl = 1
        yield from self.promise()
        yield from self.reach(EXPIRED)
        while self.shop.order(self.order_id).state in (PROMISED, EXPIRED):  # undone: a service was away
            try:
                self.confirm()
            except grpc.RpcError as error:
                if reason_of(error) not in TOO_SLOW:
                    raise
            yield 0.25
        yield from self.reach(CONFIRMED)

    def is_cancelled_unpaid(self):
        yield from self.promise()
        self.cancel()
        yield from self.reach(CANCELLED)

    def is_cancelled_paid(self):
        yield from self.promise()
        self.confirm()
        self.cancel()
        yield from self.reach(CANCELLED)

    def is_paid_and_cancelled_at_once(self):
        yield from self.promise()
        other = threading.Thread(target=self.cancel)
        other.start()
        try:
            self.confirm()
        except grpc.RpcError as error:
            assert reason_of(error) == "ORDER_CANCELLED", error
        other.join()
        yield from self.reach(CANCELLED)

    def wants_too_much(self):
        self.lines[0].quantity = 2 * self.shop.stock + 1
        try:
            yield from self.promise()
            raise AssertionError("was promised")
        except grpc.RpcError as error:
            assert reason_of(error) == "INSUFFICIENT_STOCK", error

    def is_sent(self):
        yield from self.is_paid()
        order = self.shop.order(self.order_id)
        for allocation in {part.allocation_id for part in order.parts}:
            self.shop.ask(w, "ShipAllocation", allocation_id=allocation)
        yield from self.reach(SHIPPED, DELIVERED)

    def scan(self, event_type, word):
        """Each parcel, once, by a driver who sends it until it is taken."""
        order = self.shop.order(self.order_id)
        self.now.GetCurrentTime()
        for part in order.parts:
            for number in part.tracking_numbers:
                event = t.TrackingEvent(event_id=f"{number}-{word}", carrier=part.carrier,
                                        tracking_number=number, type=event_type, source="test")
                event.occurred_time.CopyFrom(self.now)
                self.shop.ask(t, "RecordEvent", event=event)
                yield 0
        return order


# Name: the road, its share, where it ends (None: there is no such order).
ROADS = {
    "delivered": (Customer.is_delivered, 30, DELIVERED),
    "returned": (Customer.comes_back, 6, RETURNED),
    "paid": (Customer.is_paid, 16, CONFIRMED),
    "abandoned": (Customer.is_abandoned, 8, EXPIRED),
    "paid late": (Customer.is_paid_late, 10, CONFIRMED),
    "cancelled unpaid": (Customer.is_cancelled_unpaid, 8, CANCELLED),
    "cancelled paid": (Customer.is_cancelled_paid, 12, CANCELLED),
    "paid and cancelled": (Customer.is_paid_and_cancelled_at_once, 6, CANCELLED),
    "too much": (Customer.wants_too_much, 4, None),
    "brought": (Customer.is_brought_by_its_carriers, 0, DELIVERED),
}


class Crowd:
    """Walks all customers' roads, at most `at_once` at a time, on a few threads."""

    def __init__(self, customers, at_once=150, threads=16):
        self.ahead = list(reversed(customers))
        self.at_once = at_once
        self.due = []  # (when, number, road)
        self.under_way = 0
        self.failures = []
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]

    def next_road(self):
        """(number, road), or None at the end."""
        with self.changed:
            while True:
                if self.failures or (not self.ahead and self.under_way == 0):
                    self.changed.notify_all()
                    return None
                now = time.monotonic()
                if self.due and self.due[0][0] <= now:
                    return heapq.heappop(self.due)[1:]
                if self.ahead and self.under_way < self.at_once:
                    self.under_way += 1
                    customer = self.ahead.pop()
                    return customer.number, customer.walk()
                self.changed.wait(min(self.due[0][0] - now, 0.5) if self.due else 0.5)

    def work(self):
        while (step := self.next_road()) is not None:
            number, road = step
            try:
                pause = next(road)
                with self.changed:
                    heapq.heappush(self.due, (time.monotonic() + pause, number, road))
                    self.changed.notify()
            except StopIteration:
                with self.changed:
                    self.under_way -= 1
                    self.changed.notify()
            except Exception:  # told by run()
                with self.changed:
                    self.failures.append(f"order {number}: {traceback.format_exc()}")
                    self.changed.notify_all()

    def run(self):
        for one in self.threads:
            one.start()
        for one in self.threads:
            one.join()
        assert not self.failures, self.failures[0]


# --- who stands beside ---

class Background:
    """Does one thing again and again until it is told to end; a failure is told then."""

    def __init__(self):
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        try:
            while not self.stopping.is_set():
                self.turn()
        except Exception:  # told at the end
            self.failure = traceback.format_exc()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        self.thread.join()
        assert self.failure is None, self.failure


class Killer(Background):
    """kill -9 of one of the processes, again and again."""

    def __init__(self, shop, seed, pause=(0.5, 2.0)):
        super().__init__()
        self.chance = random.Random(f"{seed} killer")
        self.pause = pause
        self.shop = shop
        self.kills = collections.Counter()

    def turn(self):
        if self.stopping.wait(self.chance.uniform(*self.pause)):
            return
        name = self.chance.choice(list(self.shop.supervisors))
        self.shop.supervisors[name].kill()
        self.kills[name] += 1


class Person(Background):
    """Decides what shipping hands to people, with the carriers' own lists before her, and lets the orders go
    on.
    """

    def __init__(self, shop):
        super().__init__()
        self.shop = shop
        self.decisions = collections.Counter()

    def turn(self):
        asked = self.shop.ask(p, "ListShipments", state=p.SHIPMENT_STATE_NEEDS_ATTENTION,
                              page_size=1000).shipments
        sold = live_labels(self.shop.simulator.charged() if asked else (),
                           [shipment.shipment_id for shipment in asked])
        for shipment in asked:
            if not shipment.order_id.endswith(LEFT_ALONE):
                self.decide(shipment, [label["tracking_number"] for label in sold[shipment.shipment_id]])
        for order in self.shop.orders_in(ASKED):
            assert order.attention_reason, order
            if not order.order_id.endswith(LEFT_ALONE):
                self.go_on(order)
        self.stopping.wait(0.5)

    def decide(self, shipment, numbers):
        wanted = {part.shipment_id for part in self.shop.order(shipment.order_id).parts}
        if numbers:
            word, more = "ADOPT", {"tracking_number": numbers[0]}
        elif shipment.shipment_id in wanted:
            word, more = "BUY_AGAIN", {}
        else:
            word, more = "VOID", {}
        try:
            self.shop.ask(p, "ResolveShipment", shipment_id=shipment.shipment_id, note="seen in the portal",
                          resolution=p.ShipmentResolution.Value("SHIPMENT_RESOLUTION_" + word), **more)
            self.decisions[word] += 1
        except grpc.RpcError as error:  # its first answer was lost, and it went on meanwhile
            assert error.code() == grpc.StatusCode.FAILED_PRECONDITION, error
            self.decisions[reason_of(error)] += 1

    def go_on(self, order):
        """Paid ones are confirmed again, others cancelled again: the order knows which it was."""
        try:
            self.shop.ask(f, "ConfirmOrder", order_id=order.order_id)
        except grpc.RpcError as error:
            assert reason_of(error) == "ORDER_CANCELLED", error
            try:
                self.shop.ask(f, "CancelOrder", order_id=order.order_id, reason="again")
            except grpc.RpcError as later:
                assert later.code() == grpc.StatusCode.FAILED_PRECONDITION, later
        self.decisions["order"] += 1
