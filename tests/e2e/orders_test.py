#!/usr/bin/python3
"""Goal: an order goes from promise to delivery through the public interface, and whatever is in the way
(no stock, a late payment, a cancellation, a carrier that refuses, shipping away, the process
killed), nothing is held, bought or counted twice, and nothing is left.

Method: the flows (what customers and warehouses do) through all services in one process, and the same ones
through five processes. Then inventory, warehouse, tracking and fulfillment beside a shipping of the test's own
(tests/support/fake_shipping.py), which can be told to misbehave; then storms of customers while the one process
is killed and replaced, on SQLite and on a real PostgreSQL.
"""

import os
import random
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import grpc  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from order_shop import (  # noqa: E402
    DESTINATION, PENS, SECONDS, STOCK, FiveProcesses, OneProcess, money)
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import (  # noqa: E402
    common, fulfillment as f, inventory as i, reason_of, shipping as p, tracking as t, violations_of,
    warehouse as w)

PROMISED, CONFIRMING, CONFIRMED = (f.ORDER_STATE_PROMISED, f.ORDER_STATE_CONFIRMING,
                                   f.ORDER_STATE_CONFIRMED)
holder = {}


def refused(action, reason):
    try:
        answer = action()
    except grpc.RpcError as error:
        assert reason_of(error) == reason, (reason_of(error), error.code(), error.details())
        return error
    raise AssertionError(f"was not refused: {answer}")


def shop(kind):
    """Made once, when it is first needed."""
    if kind not in holder:
        holder[kind] = kind()
    return holder[kind]


def faulty_carriers():
    return OneProcess(faulty=True)


# --- flows: what the one process does and what the five do ---

def an_order_from_two_warehouses_goes_from_promise_to_delivery(s):
    before = s.held()
    events = s.events_of("first", ("Promised", "Confirmed", "Shipped", "Delivered"))
    order = s.promise("first")
    assert order.state == PROMISED and len(order.reservation_id) == 40, order
    assert [part.warehouse_id for part in order.parts] == ["W1", "W2"], order
    assert len({part.allocation_id for part in order.parts}) == 1, order
    assert order.goods_value.amount_minor == 2500
    assert order.shipping_cost.amount_minor == sum(part.amount.amount_minor for part in order.parts)
    assert order.handling_cost.amount_minor == 200
    assert order.landed_cost.amount_minor == 2700 + order.shipping_cost.amount_minor
    assert s.held_since(before) == [3, 0, 3, 0, 0]
    assert s.promise("first") == order  # a repeat
    order = s.confirm("first")
    assert order.state == CONFIRMED, order
    assert all(len(part.tracking_numbers) == 1 for part in order.parts), order
    assert s.held_since(before) == [0, 3, 3, 0, 2]
    s.ship(order)
    assert s.held_since(before) == [0, 3, 0, 3, 2]
    refused(lambda: s.cancel("first"), "ORDER_SHIPPED")
    for part in order.parts:
        s.tell_of_parcels(part, t.TRACKING_EVENT_TYPE_DELIVERED)
    order = s.wait_for("first", f.ORDER_STATE_DELIVERED)
    assert all(part.HasField("delivered_time") for part in order.parts), order
    told = [next(events).event.type.rsplit(".", 1)[1] for _ in range(4)]
    assert told == ["OrderPromised", "OrderConfirmed", "OrderShipped", "OrderDelivered"], told
    events.cancel()


def a_line_that_no_warehouse_has_alone_comes_from_several(s):
    before = s.held()
    order = s.promise("split", mugs=0, cups=0, pens=PENS + 5)
    taken = {part.warehouse_id: part.lines[0].quantity for part in order.parts}
    assert sum(taken.values()) == PENS + 5 and taken.keys() == {"W1", "W2"}, order
    refused(lambda: s.promise("too-many", mugs=0, cups=0, pens=PENS), "INSUFFICIENT_STOCK")
    assert s.confirm("split").state == CONFIRMED
    assert s.held_since(before) == [0, PENS + 5, PENS + 5, 0, 2]
    assert s.cancel("split").state == f.ORDER_STATE_CANCELLED
    assert s.held() == before


def what_comes_back_is_told_and_received(s):
    """One parcel is delivered, the other comes back; then its goods are put on the shelf."""
    stock = s.stock("CUP")
    events = s.events_of("returned", ("Delivered", "Returned"))
    s.promise("returned")
    order = s.confirm("returned")
    s.ship(order)
    s.tell_of_parcels(order.parts[0], t.TRACKING_EVENT_TYPE_DELIVERED)
    s.tell_of_parcels(order.parts[1], t.TRACKING_EVENT_TYPE_RETURNED)
    order = s.wait_for("returned", f.ORDER_STATE_RETURNED)
    assert [part.HasField("delivered_time") for part in order.parts] == [True, False], order
    told = next(events).event
    assert told.type == "waybill.fulfillment.v1.OrderReturned", told
    record = waybill_server.fulfillment_events.OrderReturned()
    assert told.data.Unpack(record) and record.order.state == f.ORDER_STATE_RETURNED, told
    events.cancel()
    refused(lambda: s.cancel("returned"), "ORDER_SHIPPED")
    assert s.stock("CUP").on_hand == stock.on_hand - 1
    s.call(w, "ReturnStock", movement_id="returned-cup", warehouse_id="W2", sku="CUP", quantity=1,
           reason=w.RETURN_REASON_CUSTOMER, reference=order.parts[1].allocation_id)
    s.wait_until(lambda: s.stock("CUP").on_hand == stock.on_hand)
    assert s.stock("CUP").available == stock.available


def a_promise_without_stock_says_what_there_is_and_leaves_nothing(s):
    before = s.held()
    error = refused(lambda: s.promise("greedy", mugs=STOCK + 1), "INSUFFICIENT_STOCK")
    detail = f.InsufficientStock()
    assert any(one.Unpack(detail) for one in waybill_server.details_of(error))
    assert detail.lines[0].sku == "MUG" and detail.lines[0].requested_quantity == STOCK + 1
    refused(lambda: s.promise("unknown", carriers=["nobody"]), "INVALID_FIELD")
    assert s.held() == before
    refused(lambda: s.order("greedy"), "ORDER_NOT_FOUND")
    assert s.promise("greedy").state == PROMISED  # asked again, it is decided anew
    assert s.cancel("greedy").state == f.ORDER_STATE_CANCELLED
    assert s.held() == before


def an_abandoned_order_gives_back_and_a_late_payment_is_taken_if_the_stock_is_free(s):
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


def a_cancellation_gives_back_before_and_after_the_pivot(s):
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


def a_unit_too_heavy_for_a_parcel_goes_as_freight(s):
    """90 kg in one piece cannot be shared out to two parcels; two of 45 kg can."""
    for sku, grams in (("ANVIL", 90000), ("HAMMER", 45000)):
        s.call(w, "PutItem", item=w.Item(sku=sku, name=sku, weight_grams=grams, hs_code="820520",
                                         origin_country="DE"))
        s.call(w, "ReceiveStock", movement_id="in-" + sku, warehouse_id="W1", sku=sku, quantity=2)
        s.wait_until(lambda sku=sku: s.stock(sku).on_hand == 2)
    for sku, quantity, parcels in (("ANVIL", 1, 1), ("HAMMER", 2, 2)):
        lines = [f.OrderLine(sku=sku, quantity=quantity, unit_value=money(5000))]
        s.call(f, "PromiseOrder", order_id="heavy-" + sku, lines=lines, destination=DESTINATION,
               currency_code="USD")
        order = s.confirm("heavy-" + sku)
        part = order.parts[0]
        assert order.state == CONFIRMED and len(part.tracking_numbers) == parcels, order
        assert (part.service_code == "FREIGHT") == (sku == "ANVIL"), order
        assert s.cancel(order.order_id).state == f.ORDER_STATE_CANCELLED


def a_watcher_sees_the_order_go(s):
    watch = s.channel_of(f).unary_stream(
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


def the_books_agree(s):
    """After all of these."""
    assert not s.call(w, "VerifyMovements").mismatches
    assert not s.call(i, "VerifyLedger").mismatches
    for sku in ("MUG", "CUP", "PEN"):
        on_shelves = sum(one.on_hand for one in s.shelves() if one.sku == sku)
        promised = s.stock(sku)
        unsent = sum(one.allocated for one in s.shelves() if one.sku == sku)
        assert promised.reserved == 0 and promised.on_hand == on_shelves - unsent, (promised, on_shelves)


FLOWS = (
    an_order_from_two_warehouses_goes_from_promise_to_delivery,
    a_line_that_no_warehouse_has_alone_comes_from_several,
    what_comes_back_is_told_and_received,
    a_promise_without_stock_says_what_there_is_and_leaves_nothing,
    an_abandoned_order_gives_back_and_a_late_payment_is_taken_if_the_stock_is_free,
    a_cancellation_gives_back_before_and_after_the_pivot,
    a_unit_too_heavy_for_a_parcel_goes_as_freight,
    a_watcher_sees_the_order_go,
    the_books_agree,
)


def through(kind, name):
    """The flows as cases."""
    def case_of(flow):
        def case():
            flow(shop(kind))
        case.__name__ = f"{name}__{flow.__name__}"
        return case
    return [case_of(flow) for flow in FLOWS]


# --- what may be in the way ---

def a_promise_costs_what_the_carrier_said_and_without_a_rate_there_is_none():
    s = shop(faulty_carriers)
    order = s.promise("priced")
    assert {part.carrier for part in order.parts} == {"c1"}, order
    assert order.shipping_cost.amount_minor == 2000 and order.landed_cost.amount_minor == 4700, order
    rates = [r for r in s.shipping.requests if isinstance(r, p.GetRatesRequest)]
    assert rates[0].customs.items[0].hs_code == "691110" and rates[0].customs.incoterm == "DAP"
    assert rates[0].parcels[0].weight_grams == 800
    order = s.confirm("priced")
    assert order.parts[0].charged.amount_minor == 1111 and order.parts[0].amount.amount_minor == 1000, order
    s.cancel("priced")
    before = s.held()
    refused(lambda: s.promise("unpriced", carriers=["nobody"]), "NO_RATE")
    refused(lambda: s.order("unpriced"), "ORDER_NOT_FOUND")
    assert s.held() == before


def what_is_wrong_is_told_field_by_field():
    s = shop(faulty_carriers)
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


def waiting_for_a_person(s):
    with urllib.request.urlopen(f"http://{s.server.operations}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return int(dict(line.rsplit(" ", 1) for line in lines if line[0] != "#")
               ["waybill_fulfillment_orders_need_attention"])


def another_carrier_takes_what_one_refuses():
    s = shop(faulty_carriers)
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
    deadline = time.monotonic() + 60
    while waiting_for_a_person(s) < 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    s.shipping.refusing = set()
    assert s.confirm("hopeless").state == CONFIRMED
    for name in ("refused", "hopeless"):
        s.cancel(name)


def shipping_away_and_the_process_killed_it_goes_on():
    s = shop(faulty_carriers)
    before = s.held()
    s.promise("killed")
    s.shipping.is_down = True
    assert s.confirm("killed").state == CONFIRMING
    s.kill()
    assert s.order("killed").state == CONFIRMING
    s.shipping.is_down = False
    order = s.wait_for("killed", CONFIRMED)
    assert len(order.parts) == 2
    assert s.held_since(before) == [0, 3, 3, 0, 2]
    s.cancel("killed")


def a_cancellation_is_taken_though_a_carrier_must_be_waited_for():
    s = shop(faulty_carriers)
    before = s.held()
    s.promise("unresolved")
    assert s.confirm("unresolved").state == CONFIRMED
    s.shipping.unresolved = "SHIPMENT_UNRESOLVED"
    for _ in range(2):  # it may be asked again
        order = s.cancel("unresolved")
        assert order.state == CONFIRMING and order.cancelling, order
        assert order.cancel_reason == "changed my mind", order
    refused(lambda: s.confirm("unresolved"), "ORDER_CANCELLED")
    s.shipping.unresolved = None
    order = s.wait_for("unresolved", f.ORDER_STATE_CANCELLED)
    assert not order.cancelling and not order.attention_reason, order
    s.promise("stuck")
    assert s.confirm("stuck").state == CONFIRMED
    s.shipping.unresolved = "SHIPMENT_NEEDS_ATTENTION"
    order = s.cancel("stuck")
    assert order.state == f.ORDER_STATE_NEEDS_ATTENTION and order.cancelling, order
    assert order.attention_reason, order
    s.shipping.unresolved = None  # a person has seen to it
    order = s.cancel("stuck")
    assert order.state == f.ORDER_STATE_CANCELLED and not order.attention_reason, order
    assert s.held() == before


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
    found = s.held_since(before)
    assert found == [0, 2 * confirmed, 2 * confirmed, 0, 2 * confirmed], (found, confirmed)
    assert not s.call(w, "VerifyMovements").mismatches
    assert not s.call(i, "VerifyLedger").mismatches


def killed_anywhere_every_order_ends_done_or_undone():
    storm(shop(faulty_carriers), shop(faulty_carriers).kill)


def all_services_in_one_process_killed_and_stopped_under_load():
    s = shop(OneProcess)
    disturbances = iter((s.kill, s.replace, s.kill))
    storm(s, lambda: next(disturbances)())


def all_services_on_postgresql_do_the_same():
    with PostgresqlServer() as database:
        url = database.database("orders")
        with OneProcess(("--warehouse", url, "--shipping", url, "--fulfillment", url)) as s:
            an_order_from_two_warehouses_goes_from_promise_to_delivery(s)
            storm(s, s.replace, 2)


def kill_once(s, database):
    s.shipping.meanwhile = lambda: None
    database.kill()


def an_order_goes_on_at_once_when_its_database_is_back():
    """Its save is lost while a label is bought: nobody waits for the rest of the lease of 30 seconds."""
    with PostgresqlServer() as database:
        with OneProcess(("--fulfillment", database.url), faulty=True) as s:
            for name in ("asked-again", "left-alone"):
                before = s.held()
                s.promise(name)
                s.shipping.meanwhile = lambda: kill_once(s, database)
                error = refused(lambda: s.confirm(name), "STORE_UNAVAILABLE")
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                database.start()
                began = time.monotonic()
                if name == "asked-again":
                    assert persistent(lambda: s.confirm(name)).state == CONFIRMED
                while persistent(lambda: s.order(name)).state != CONFIRMED:
                    time.sleep(0.05)
                seconds = time.monotonic() - began
                print(f"# {name}: {seconds:.1f} s after the database")
                assert seconds < 5 * 4, "within five times the two looks and the way back"
                assert s.held_since(before) == [0, 3, 3, 0, 2]


try:
    tap.run([
        *through(OneProcess, "one_process"),
        *through(FiveProcesses, "five_processes"),
        a_promise_costs_what_the_carrier_said_and_without_a_rate_there_is_none,
        what_is_wrong_is_told_field_by_field,
        another_carrier_takes_what_one_refuses,
        shipping_away_and_the_process_killed_it_goes_on,
        a_cancellation_is_taken_though_a_carrier_must_be_waited_for,
        killed_anywhere_every_order_ends_done_or_undone,
        all_services_in_one_process_killed_and_stopped_under_load,
        all_services_on_postgresql_do_the_same,
        an_order_goes_on_at_once_when_its_database_is_back,
    ])
finally:
    for one in holder.values():
        one.stop()
