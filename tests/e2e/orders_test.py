#!/usr/bin/python3
"""Goal: an order goes from promise to delivery through the public interface, and whatever is in the way
(no stock, a late payment, a cancellation, a carrier that refuses, shipping away, the process
killed), nothing is held, bought or counted twice, and nothing is left.

Method: `waybill serve` with inventory, warehouse, tracking and fulfillment; shipping is a server of the
test's own (tests/support/fake_shipping.py), which can be told to misbehave. Then all five services in one
process, shipping with its tariff, on SQLite and on a real PostgreSQL.
"""

import os
import random
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import grpc  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from fake_shipping import FakeShipping  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_process import FED  # noqa: E402
from waybill_server import (  # noqa: E402
    Server, call, channel_to, common, fulfillment as f, inventory as i, reason_of, shipping as p,
    tracking as t, violations_of, warehouse as w)

SECONDS = 60
STOCK = 1000
PROMISED, CONFIRMING, CONFIRMED = (f.ORDER_STATE_PROMISED, f.ORDER_STATE_CONFIRMING,
                                   f.ORDER_STATE_CONFIRMED)
holder = {}


def money(minor):
    return common.Money(currency_code="USD", amount_minor=minor)


DESTINATION = common.Address(name="Ann", lines=["1, Rue"], city="Paris", country_code="FR",
                             point=common.GeoPoint(latitude_e7=488566000, longitude_e7=23522000))


class Shop:
    """The servers, filled once. With `arguments`: one process with all services; else shipping is the test's."""

    def __init__(self, arguments=None):
        self.data = tempfile.mkdtemp(prefix="waybill-orders-")
        self.shipping = FakeShipping() if arguments is None else None
        self.arguments = arguments
        self.channels = []
        if arguments is None:
            self.arguments = ("warehouse", "inventory", "tracking", "fulfillment", "--shipping",
                              self.shipping.url)
        self.start()
        self.fill()

    def start(self):
        self.server = Server(self.data, *self.arguments, environment=FED)
        self.channel = channel_to(self.server.listen)
        self.channels.append(self.channel)  # others may be using the ones before

    def kill(self):
        self.server.kill()
        self.start()

    def replace(self):
        """In good order: calls that are under way may end."""
        self.server.stop()
        self.start()

    def stop(self):
        for channel in self.channels:
            channel.close()
        self.server.stop()
        if self.shipping:
            self.shipping.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def labels(self):
        if self.shipping:
            return len(self.shipping.labels())
        found, token = 0, ""
        while True:
            page = self.call(p, "ListShipments", state=p.SHIPMENT_STATE_CREATED, page_token=token)
            found += len(page.shipments)
            token = page.next_page_token
            if not token:
                return found

    def call(self, messages, name, timeout=SECONDS, **fields):
        return call(self.channel, messages, name, timeout, **fields)

    def fill(self):
        for number, (sku, longitude) in enumerate((("MUG", 70000000), ("CUP", 80000000)), 1):
            address = common.Address(lines=["2, Weg"], city="Bonn", country_code="DE",
                                     point=common.GeoPoint(latitude_e7=507000000,
                                                           longitude_e7=longitude))
            self.call(w, "CreateWarehouse", warehouse=w.Warehouse(
                warehouse_id=f"W{number}", name=f"Site {number}", priority=number, active=True,
                address=address, handling_cost=money(100)))
            self.call(w, "SetCostCard", cost_card=w.CostCard(
                warehouse_id=f"W{number}", valid_from="2020-01-01", parcel_grams_max=10000,
                bands=[w.CostBand(distance_metres_max=2000000, base=money(500),
                                  per_kilogram=money(10))]))
            self.call(w, "PutItem", item=w.Item(sku=sku, name=f"A {sku}", weight_grams=400,
                                                hs_code="691110", origin_country="DE"))
            self.call(w, "ReceiveStock", movement_id=f"in-{sku}", warehouse_id=f"W{number}",
                      sku=sku, quantity=STOCK)
        self.wait_until(lambda: self.stock("MUG").on_hand == self.stock("CUP").on_hand == STOCK)

    def stock(self, sku):
        try:
            return self.call(i, "GetStock", sku=sku).stock
        except grpc.RpcError as error:
            assert reason_of(error) == "SKU_NOT_FOUND", error
            return i.Stock()

    def shelf(self, number, sku):
        return self.call(w, "GetWarehouseStock", warehouse_id=f"W{number}", sku=sku).stock

    def wait_until(self, condition):
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, "".join(self.server.log[-20:])
            time.sleep(0.02)

    def promise(self, order_id, mugs=2, cups=1, **more):
        lines = [f.OrderLine(sku=sku, quantity=quantity, unit_value=money(value))
                 for sku, quantity, value in (("MUG", mugs, 900), ("CUP", cups, 700)) if quantity]
        return self.call(f, "PromiseOrder", order_id=order_id, customer_id="ann", lines=lines,
                         destination=DESTINATION, currency_code="USD", **more).order

    def confirm(self, order_id):
        return self.call(f, "ConfirmOrder", order_id=order_id).order

    def cancel(self, order_id):
        return self.call(f, "CancelOrder", order_id=order_id, reason="changed my mind").order

    def order(self, order_id):
        return self.call(f, "GetOrder", order_id=order_id).order

    def wait_for(self, order_id, state):
        self.wait_until(lambda: self.order(order_id).state == state)
        return self.order(order_id)

    def held(self):
        """What is alive now, of everything: reserved, committed and not returned, allocated, labels."""
        stocks = [self.stock(sku) for sku in ("MUG", "CUP")]
        shelves = [self.shelf(1, "MUG"), self.shelf(2, "CUP")]
        return (sum(s.reserved for s in stocks), sum(s.committed - s.returned for s in stocks),
                sum(s.allocated for s in shelves),
                sum(s.shipped_for_reservations for s in shelves), self.labels())


def refused(action, reason):
    try:
        answer = action()
    except grpc.RpcError as error:
        assert reason_of(error) == reason, (reason_of(error), error.code(), error.details())
        return error
    raise AssertionError(f"was not refused: {answer}")


def shop():
    if "shop" not in holder:
        holder["shop"] = Shop()
    return holder["shop"]


def an_order_goes_from_promise_to_delivery():
    s = shop()
    before = s.held()
    events = waybill_server.subscribe(s.channel, timeout=SECONDS,
                                      key="first", types=[
        "waybill.fulfillment.v1.Order" + name
        for name in ("Promised", "Confirmed", "Shipped", "Delivered")])
    events.initial_metadata()
    order = s.promise("first")
    assert order.state == PROMISED and len(order.parts) == 2, order
    assert [part.warehouse_id for part in order.parts] == ["W1", "W2"], order
    assert {part.carrier for part in order.parts} == {"c1"}
    assert order.goods_value.amount_minor == 2500
    assert order.shipping_cost.amount_minor == 2000
    assert order.handling_cost.amount_minor == 200
    assert order.landed_cost.amount_minor == 4700
    assert len(order.reservation_id) == 40 and len(order.parts[0].allocation_id) == 40
    rates = [r for r in s.shipping.requests if isinstance(r, waybill_server.shipping.GetRatesRequest)]
    assert rates[0].customs.items[0].hs_code == "691110" and rates[0].customs.incoterm == "DAP"
    assert rates[0].parcels[0].weight_grams == 800
    assert s.promise("first") == order  # a repeat
    order = s.confirm("first")
    assert order.state == CONFIRMED, order
    assert all(len(part.tracking_numbers) == 1 for part in order.parts)
    assert order.parts[0].charged.amount_minor == 1111
    assert [n - o for n, o in zip(s.held(), before)] == [0, 3, 3, 0, 2]
    s.call(w, "ShipAllocation", allocation_id=order.parts[0].allocation_id)
    s.wait_for("first", f.ORDER_STATE_SHIPPED)
    refused(lambda: s.cancel("first"), "ORDER_SHIPPED")
    for part in order.parts:
        event = t.TrackingEvent(carrier=part.carrier, tracking_number=part.tracking_numbers[0],
                                type=t.TRACKING_EVENT_TYPE_DELIVERED, source="test")
        event.occurred_time.GetCurrentTime()
        s.call(t, "RecordEvent", event=event)
    order = s.wait_for("first", f.ORDER_STATE_DELIVERED)
    assert all(part.HasField("delivered_time") for part in order.parts)
    told = [next(events).event.type.rsplit(".", 1)[1] for _ in range(4)]
    assert told == ["OrderPromised", "OrderConfirmed", "OrderShipped", "OrderDelivered"], told
    events.cancel()


def what_is_wrong_is_told_field_by_field():
    s = shop()
    request = dict(order_id="bad id", lines=[f.OrderLine(sku="MUG", quantity=0)],
                   destination=common.Address(), currency_code="usd")
    try:
        s.call(f, "PromiseOrder", **request)
        raise AssertionError("was not refused")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        found = set(violations_of(error))
        assert {"order_id", "lines[0].quantity", "currency_code", "destination.point",
                "destination.city", "destination.lines", "destination.country_code"} <= found, found
    refused(lambda: s.order("nobody"), "ORDER_NOT_FOUND")
    refused(lambda: s.confirm("nobody"), "ORDER_NOT_FOUND")
    s.promise("twice")
    refused(lambda: s.promise("twice", mugs=3), "ID_REUSED")
    s.cancel("twice")


def a_promise_without_stock_says_what_there_is_and_leaves_nothing():
    s = shop()
    before = s.held()
    error = refused(lambda: s.promise("greedy", mugs=STOCK + 1), "INSUFFICIENT_STOCK")
    detail = f.InsufficientStock()
    assert any(one.Unpack(detail) for one in waybill_server.details_of(error))
    assert detail.lines[0].sku == "MUG" and detail.lines[0].requested_quantity == STOCK + 1
    refused(lambda: s.promise("unknown", carriers=["nobody"]), "NO_RATE")
    assert s.held() == before
    refused(lambda: s.order("greedy"), "ORDER_NOT_FOUND")
    assert s.promise("greedy").state == PROMISED  # asked again, it is decided anew
    assert s.cancel("greedy").state == f.ORDER_STATE_CANCELLED
    assert s.held() == before


def a_late_payment_is_taken_if_the_stock_is_free():
    s = shop()
    before = s.held()
    ttl = {"seconds": 1}
    s.promise("late", ttl=ttl)
    s.wait_for("late", f.ORDER_STATE_EXPIRED)
    s.wait_until(lambda: s.held() == before)
    assert s.confirm("late").state == CONFIRMED
    s.promise("too-late", mugs=400, cups=0, ttl=ttl)
    s.wait_for("too-late", f.ORDER_STATE_EXPIRED)
    s.promise("taker", mugs=s.stock("MUG").available - 10, cups=0)
    error = refused(lambda: s.confirm("too-late"), "INSUFFICIENT_STOCK")
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert s.order("too-late").state == f.ORDER_STATE_EXPIRED
    s.cancel("taker")
    assert s.confirm("too-late").state == CONFIRMED
    for name in ("late", "too-late"):
        assert s.cancel(name).state == f.ORDER_STATE_CANCELLED
    assert s.held() == before


def a_cancellation_gives_back_before_and_after_the_pivot():
    s = shop()
    before = s.held()
    for number, confirmed in enumerate((False, True)):
        name = f"cancelled-{number}"
        s.promise(name)
        if confirmed:
            assert s.confirm(name).state == CONFIRMED
        assert s.cancel(name).state == f.ORDER_STATE_CANCELLED
        assert s.cancel(name).state == f.ORDER_STATE_CANCELLED
        assert s.held() == before, (s.held(), before)
        refused(lambda name=name: s.confirm(name), "ORDER_CANCELLED")


def another_carrier_takes_what_one_refuses():
    s = shop()
    s.shipping.refusing = {"c1"}
    s.shipping.away = {"c2"}
    s.promise("refused")
    order = s.confirm("refused")
    if order.state != CONFIRMED:  # c2 was asked a few times first
        order = s.wait_for("refused", CONFIRMED)
    assert {part.carrier for part in order.parts} == {"c3"}, order
    assert order.parts[0].amount.amount_minor == 1000  # the price stays
    s.shipping.refusing = {"c1", "c2", "c3"}
    s.shipping.away = set()
    s.promise("hopeless")
    order = s.confirm("hopeless")
    assert order.state == f.ORDER_STATE_NEEDS_ATTENTION and order.attention_reason, order
    s.shipping.refusing = set()
    assert s.confirm("hopeless").state == CONFIRMED
    for name in ("refused", "hopeless"):
        s.cancel(name)


def shipping_away_and_the_process_killed_it_goes_on():
    s = shop()
    before = s.held()
    s.promise("killed")
    s.shipping.is_down = True
    assert s.confirm("killed").state == CONFIRMING
    s.kill()
    assert s.order("killed").state == CONFIRMING
    s.shipping.is_down = False
    order = s.wait_for("killed", CONFIRMED)
    assert len(order.parts) == 2
    assert [n - o for n, o in zip(s.held(), before)] == [0, 3, 3, 0, 2]
    s.cancel("killed")


def a_watcher_sees_the_order_go():
    s = shop()
    watch = s.channel.unary_stream(
        "/waybill.fulfillment.v1.FulfillmentService/WatchOrder",
        request_serializer=f.WatchOrderRequest.SerializeToString,
        response_deserializer=f.WatchOrderResponse.FromString)
    s.promise("watched")
    stream = watch(f.WatchOrderRequest(order_id="watched"), timeout=SECONDS)
    assert next(stream).order.state == PROMISED
    s.confirm("watched")
    confirmed = next(stream)
    assert confirmed.order.state == CONFIRMED
    stream.cancel()
    s.cancel("watched")
    stream = watch(f.WatchOrderRequest(order_id="watched", cursor=confirmed.cursor),
                   timeout=SECONDS)
    assert next(stream).order.state == f.ORDER_STATE_CANCELLED
    stream.cancel()
    refused(lambda: next(watch(f.WatchOrderRequest(order_id="watched", cursor="AAAA"),
                               timeout=SECONDS)), "CURSOR_EXPIRED")
    refused(lambda: next(watch(f.WatchOrderRequest(order_id="nobody"), timeout=SECONDS)),
            "ORDER_NOT_FOUND")
    orders = s.call(f, "ListOrders", customer_id="ann", state=f.ORDER_STATE_CANCELLED,
                    page_size=1)
    assert len(orders.orders) == 1 and orders.next_page_token
    again = s.call(f, "ListOrders", customer_id="ann", state=f.ORDER_STATE_CANCELLED,
                   page_token=orders.next_page_token)
    assert orders.orders[0].order_id not in {order.order_id for order in again.orders}


def persistent(action):
    """Asks until there is an answer: what is not known to be done may be asked again."""
    while True:
        try:
            return action()
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
                return None
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED,
                                    grpc.StatusCode.CANCELLED,
                                    grpc.StatusCode.DEADLINE_EXCEEDED), error
        except ValueError as error:  # the channel to the killed server, before the next one is there
            assert "closed channel" in str(error), error
        time.sleep(0.05)


def storm(s, disturb, times=3):
    """Four customers, and a disturbance now and then; then everything adds up."""
    seed = int(os.environ.get("SEED", "8"))
    print(f"# SEED={seed}", flush=True)
    before = s.held()
    ended = {}

    def customer(number):
        chance = random.Random(seed * 100 + number)
        for k in range(6):
            name = f"storm-{number}-{k}"
            persistent(lambda name=name: s.promise(name, mugs=1, cups=1))
            road = chance.randrange(3)
            if road != 0:
                persistent(lambda name=name: s.confirm(name))
            if road != 1:
                persistent(lambda name=name: s.cancel(name))
            ended[name] = road

    customers = [threading.Thread(target=customer, args=(number,)) for number in range(4)]
    for thread in customers:
        thread.start()
    chance = random.Random(seed)
    for _ in range(times):
        time.sleep(chance.uniform(0.1, 0.6))
        disturb()
    for thread in customers:
        thread.join(SECONDS * 2)
        assert not thread.is_alive()
    assert len(ended) == 4 * 6
    for name, road in ended.items():
        s.wait_for(name, CONFIRMED if road == 1 else f.ORDER_STATE_CANCELLED)
    confirmed = sum(road == 1 for road in ended.values())
    found = [n - o for n, o in zip(s.held(), before)]
    assert found == [0, 2 * confirmed, 2 * confirmed, 0, 2 * confirmed], (found, confirmed)
    assert not s.call(w, "VerifyMovements").mismatches
    assert not s.call(i, "VerifyLedger").mismatches


def killed_anywhere_every_order_ends_done_or_undone():
    storm(shop(), shop().kill)


def go_the_whole_way(s, name):
    assert s.promise(name).state == PROMISED
    order = s.confirm(name)
    assert order.state == CONFIRMED and all(part.tracking_numbers for part in order.parts), order
    s.call(w, "ShipAllocation", allocation_id=order.parts[0].allocation_id)
    s.wait_for(name, f.ORDER_STATE_SHIPPED)
    for part in order.parts:
        for number in part.tracking_numbers:
            event = t.TrackingEvent(carrier=part.carrier, tracking_number=number,
                                    type=t.TRACKING_EVENT_TYPE_DELIVERED, source="test")
            event.occurred_time.GetCurrentTime()
            s.call(t, "RecordEvent", event=event)
    s.wait_for(name, f.ORDER_STATE_DELIVERED)


def all_services_in_one_process_killed_and_stopped_under_load():
    with Shop(()) as s:
        go_the_whole_way(s, "whole")
        disturbances = iter((s.kill, s.replace, s.kill))
        storm(s, lambda: next(disturbances)())


def all_services_on_postgresql_do_the_same():
    with PostgresqlServer() as database:
        url = database.database("orders")
        with Shop(("--warehouse", url, "--shipping", url, "--fulfillment", url)) as s:
            go_the_whole_way(s, "whole")
            storm(s, s.replace, 2)


try:
    tap.run([
        an_order_goes_from_promise_to_delivery,
        what_is_wrong_is_told_field_by_field,
        a_promise_without_stock_says_what_there_is_and_leaves_nothing,
        a_late_payment_is_taken_if_the_stock_is_free,
        a_cancellation_gives_back_before_and_after_the_pivot,
        another_carrier_takes_what_one_refuses,
        shipping_away_and_the_process_killed_it_goes_on,
        a_watcher_sees_the_order_go,
        killed_anywhere_every_order_ends_done_or_undone,
        all_services_in_one_process_killed_and_stopped_under_load,
        all_services_on_postgresql_do_the_same,
    ])
finally:
    if "shop" in holder:
        holder["shop"].stop()
