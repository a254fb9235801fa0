#!/usr/bin/python3
"""Goal: every bad field of every request of fulfillment is refused with its path, and nothing of it has
an effect.

Method: all services in one process. For each method a good request; every field of it is walked from the
descriptor, through messages within messages, and gets the bad values its kind can have as wire bytes. A new
method fails here until it has a good request; a new field is walked by itself.
"""

import os
import random
import shutil
import sys
import tempfile
import time

import grpc
from google.protobuf.descriptor import FieldDescriptor as Field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from bad_requests import field_bytes, walk, without_places  # noqa: E402
from waybill_process import FED  # noqa: E402
from waybill_server import (call, common, fulfillment as f, inventory as i, reason_of,  # noqa: E402
                            violations_of, warehouse as w)

SERVICE = f.DESCRIPTOR.services_by_name["FulfillmentService"]
POINT = common.GeoPoint(latitude_e7=525000000, longitude_e7=134000000)
ADDRESS = common.Address(name="N", company="C", phone="1", email="a@b", lines=["Street 1"], city="X",
                         region="R", postal_code="10115", country_code="DE", point=POINT)
MONEY = common.Money(currency_code="USD", amount_minor=5)
STOCK = 1000

GOOD = {
    "PromiseOrder": f.PromiseOrderRequest(
        order_id="bad", customer_id="C",
        lines=[f.OrderLine(sku="S", quantity=1, unit_value=MONEY)], destination=ADDRESS,
        currency_code="USD", rule=f.ORDER_RULE_FASTEST, carriers=["tariff"], incoterm="DDP",
        ttl={"seconds": 60}),
    "ConfirmOrder": f.ConfirmOrderRequest(order_id="bad"),
    "CancelOrder": f.CancelOrderRequest(order_id="bad", reason="r"),
    "GetOrder": f.GetOrderRequest(order_id="bad"),
    "ListOrders": f.ListOrdersRequest(customer_id="C", state=f.ORDER_STATE_PROMISED, page_size=5),
    "WatchOrder": f.WatchOrderRequest(order_id="bad"),
}

REQUIRED = {"order_id", "lines", "sku", "quantity", "unit_value", "currency_code", "destination", "city",
            "country_code", "point"}
MAY_BE_NEGATIVE = {"latitude_e7", "longitude_e7"}
MAY_BE_UNSPECIFIED = {"state", "rule"}

holder = {}


def stub(method):
    """Takes the request as bytes; a stream is asked for its first message."""
    path = f"/{SERVICE.full_name}/{method}"
    response = getattr(f, method + "Response").FromString
    if not SERVICE.methods_by_name[method].server_streaming:
        return holder["channel"].unary_unary(path, response_deserializer=response)
    stream = holder["channel"].unary_stream(path, response_deserializer=response)

    def first(data, timeout):
        answers = stream(data, timeout=timeout)
        try:
            return next(answers)
        finally:
            answers.cancel()
    return first


def refused(method, data, path):
    """The violations of a request that must be refused for that path."""
    try:
        answer = stub(method)(data, timeout=30)
    except grpc.RpcError as error:
        reason = reason_of(error)
        if (path, reason) in (("page_token", "PAGE_TOKEN_INVALID"), ("cursor", "CURSOR_EXPIRED")):
            return []
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (method, path, error)
        assert reason == "INVALID_FIELD", (method, path, reason, error.details())
        paths = violations_of(error)
        told, meant = [without_places(one) for one in paths], without_places(path)
        assert any(one.startswith(meant) or meant.startswith(one) for one in told), (
            method, path, paths)
        return paths
    raise AssertionError(f"{method} took a bad {path}: {answer}")


def bad_values(field):
    name = field.name
    if field.type == Field.TYPE_STRING:
        yield b"x" * 600
        yield b"a\xff\xfe"
        yield b"a\0b"
        yield b"a\x01b"
        if name.endswith("_id") or name == "sku":
            yield b" a "
        if name.endswith("_id"):
            yield b"a/b"
        if name in ("country_code", "currency_code"):
            yield b"de"
            yield b"D1"
        if name == "carriers":
            yield b""
            yield b"nobody"
            yield b"tariff"  # named twice
        if name == "incoterm":
            yield b"ZZZ"
            yield b"dap"
    elif field.type in (Field.TYPE_INT64, Field.TYPE_INT32):
        if name not in MAY_BE_NEGATIVE:
            yield -1
        yield -(2**63) if field.type == Field.TYPE_INT64 else -(2**31)
        yield 2**63 - 1 if field.type == Field.TYPE_INT64 else 2**31 - 1
        if name in ("quantity", "amount_minor"):
            yield 10**12 + 1
        if name == "latitude_e7":
            yield 900000001
            yield -900000001
        if name == "longitude_e7":
            yield 1800000001
            yield -1800000001
        if name == "seconds":  # of ttl
            yield 31 * 86400 + 1
        if name == "page_size":
            yield 1001
    elif field.type == Field.TYPE_ENUM:
        if name not in MAY_BE_UNSPECIFIED:
            yield 0
        yield 9999
        yield -1


def changed(**fields):
    """The good promise with other fields, as bytes."""
    request = f.PromiseOrderRequest()
    request.CopyFrom(GOOD["PromiseOrder"])
    for name, value in fields.items():
        request.ClearField(name)
        if isinstance(value, list):
            getattr(request, name).extend(value)
        elif isinstance(value, (str, int)):
            setattr(request, name, value)
        else:
            getattr(request, name).CopyFrom(value)
    return request.SerializeToString()


def line(quantity=1, minor=5, sku="S"):
    return f.OrderLine(sku=sku, quantity=quantity,
                       unit_value=common.Money(currency_code="USD", amount_minor=minor))


def every_method_is_in_the_table():
    assert {method.name for method in SERVICE.methods} == set(GOOD)


def bad_fields_are_refused_with_their_path():
    tried = 0
    for method, message in GOOD.items():
        good = message.SerializeToString()
        for path, data in walk(
                message, "", lambda data, whole, g=good: (data if whole else g + data),
                lambda path, field: field.name in REQUIRED, bad_values):
            refused(method, data, path)
            tried += 1
    print(f"# {tried} bad requests")
    assert tried > 150


def what_is_too_much_is_refused():
    refused("PromiseOrder", changed(lines=[line()] * 101), "lines")
    refused("PromiseOrder", changed(carriers=[f"c{n}" for n in range(17)]), "carriers")
    many = common.Address()
    many.CopyFrom(ADDRESS)
    many.lines.extend(["x"] * 4)
    refused("PromiseOrder", changed(destination=many), "destination.lines")
    empty = common.Address()
    empty.CopyFrom(ADDRESS)
    empty.lines[0] = ""
    assert refused("PromiseOrder", changed(destination=empty), "destination.lines") == [
        "destination.lines[0]"]
    assert refused("PromiseOrder", changed(ttl=f.PromiseOrderRequest(ttl={"nanos": 0}).ttl), "ttl")
    assert refused("PromiseOrder", changed(ttl=f.PromiseOrderRequest(ttl={"nanos": 999}).ttl), "ttl")


def lines_of_one_sku_must_fit_together():
    assert refused("PromiseOrder", changed(lines=[line(), line(sku="T"), line(minor=6)]),
                   "lines.unit_value") == ["lines[2].unit_value.amount_minor"]
    assert refused("PromiseOrder", changed(lines=[line(10**12, 0), line(1, 0)]),
                   "lines.quantity") == ["lines[1].quantity"]
    assert refused("PromiseOrder", changed(lines=[line(10**12, 1001)]), "lines") == ["lines"]
    assert refused("PromiseOrder", changed(lines=[line(10**12, 10**12, f"S{n}") for n in range(100)]),
                   "lines") == ["lines"]


def currencies_must_be_the_orders():
    other = f.OrderLine(sku="S", quantity=1,
                        unit_value=common.Money(currency_code="EUR", amount_minor=5))
    assert refused("PromiseOrder", changed(lines=[line(), other]), "lines.unit_value") == [
        "lines[1].unit_value.currency_code"]
    assert set(refused("PromiseOrder", changed(currency_code="DOLLAR"), "currency_code")) == {
        "currency_code", "lines[0].unit_value.currency_code"}


def all_violations_are_told_at_once():
    request = f.PromiseOrderRequest(
        order_id="a b", customer_id="x" * 65, currency_code="usd", rule=9, carriers=["a", "", "a"],
        incoterm="ZZZ", ttl={"seconds": -5},
        lines=[f.OrderLine(sku=" ", quantity=0)],
        destination=common.Address(city="x" * 129, country_code="usa", point=common.GeoPoint(
            latitude_e7=2**31 - 1, longitude_e7=-2**31)))
    found = set(refused("PromiseOrder", request.SerializeToString(), "order_id"))
    assert found == {
        "order_id", "customer_id", "currency_code", "rule", "carriers[1]", "carriers[2]", "incoterm", "ttl",
        "lines[0].sku", "lines[0].quantity", "lines[0].unit_value.currency_code", "destination.name",
        "destination.lines", "destination.city", "destination.country_code",
        "destination.point.latitude_e7", "destination.point.longitude_e7"}, found
    request = f.ListOrdersRequest(customer_id="/", state=77, page_size=-1)
    assert set(refused("ListOrders", request.SerializeToString(), "state")) == {
        "customer_id", "state", "page_size"}
    request = f.CancelOrderRequest(order_id="/", reason="x" * 257)
    assert set(refused("CancelOrder", request.SerializeToString(), "reason")) == {"order_id", "reason"}
    request = f.WatchOrderRequest(order_id="/", cursor="x")
    assert refused("WatchOrder", request.SerializeToString(), "order_id") == ["order_id"]


def carriers_that_shipping_does_not_know_have_their_place():
    """Shipping is asked with the carriers sorted; the caller is told by the order they came in."""
    data = changed(carriers=["zeppelin", "tariff", "balloon"])
    assert refused("PromiseOrder", data, "carriers") == ["carriers[2]", "carriers[0]"]


def the_largest_values_are_taken():
    """What is not refused above: each limit itself."""
    whole = common.Address(
        name="n" * 128, company="c" * 128, phone="1" * 128, email="e" * 128, lines=["l" * 128] * 4,
        city="c" * 128, region="r" * 128, postal_code="p" * 128, country_code="DE", point=POINT)
    data = changed(order_id="L" * 64, customer_id="c" * 64, destination=whole,
                   lines=[line(1), line(1)], ttl=f.PromiseOrderRequest(ttl={"seconds": 31 * 86400}).ttl)
    order = stub("PromiseOrder")(data, timeout=30).order
    assert order.state == f.ORDER_STATE_PROMISED and order.lines[0].quantity == 2, order
    cancel = f.CancelOrderRequest(order_id="L" * 64, reason="r" * 256)
    order = stub("CancelOrder")(cancel.SerializeToString(), timeout=30).order
    assert order.state == f.ORDER_STATE_CANCELLED and order.cancel_reason == "r" * 256, order


def page_tokens_are_of_one_list_and_one_filter():
    for number in range(3):
        stub("PromiseOrder")(changed(order_id=f"page-{number}", customer_id="P"), timeout=30)

    def page(**fields):
        return stub("ListOrders")(f.ListOrdersRequest(**fields).SerializeToString(), timeout=30)

    token = page(customer_id="P", page_size=1).next_page_token
    assert token
    for fields in (dict(customer_id="Q", page_token=token), dict(page_token=token),
                   dict(customer_id="P", state=f.ORDER_STATE_PROMISED, page_token=token),
                   dict(customer_id="P", page_token=token[:-1] + "x"),
                   dict(customer_id="P", page_token="x" * 5000)):
        try:
            page(**fields)
            raise AssertionError(("taken", fields))
        except grpc.RpcError as error:
            assert reason_of(error) == "PAGE_TOKEN_INVALID", error
    found, token = [], ""
    while True:
        answer = page(customer_id="P", page_size=1, page_token=token)
        found += [order.order_id for order in answer.orders]
        token = answer.next_page_token
        if not token:
            break
    assert found == ["page-0", "page-1", "page-2"], found
    for name in found:
        stub("CancelOrder")(f.CancelOrderRequest(order_id=name).SerializeToString(), timeout=30)


def cursors_are_of_one_order():
    for name in ("one", "two"):
        stub("PromiseOrder")(changed(order_id=name), timeout=30)
    request = f.WatchOrderRequest(order_id="one")
    cursor = stub("WatchOrder")(request.SerializeToString(), timeout=30).cursor
    for order_id, bad in (("two", cursor), ("one", cursor[:-1] + "x"), ("one", cursor * 2),
                          ("one", "x" * 5000)):
        request = f.WatchOrderRequest(order_id=order_id, cursor=bad)
        try:
            stub("WatchOrder")(request.SerializeToString(), timeout=30)
            raise AssertionError(("taken", order_id, bad))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.OUT_OF_RANGE, error
            assert reason_of(error) == "CURSOR_EXPIRED", error
    for name in ("one", "two"):
        stub("CancelOrder")(f.CancelOrderRequest(order_id=name).SerializeToString(), timeout=30)


def nothing_is_held():
    stock = call(holder["channel"], i, "GetStock", sku="S").stock
    shelf = call(holder["channel"], w, "GetWarehouseStock", warehouse_id="W", sku="S").stock
    return (stock.on_hand, stock.reserved, shelf.on_hand, shelf.allocated) == (STOCK, 0, STOCK, 0)


def refused_requests_had_no_effect():
    assert nothing_is_held()
    listed = stub("ListOrders")(f.ListOrdersRequest(customer_id="C").SerializeToString(), timeout=30)
    assert {order.order_id for order in listed.orders} == {"one", "two"}, listed


def random_bytes_never_stop_the_server():
    chance = random.Random(7)
    unary = [name for name in GOOD if name != "WatchOrder"]
    good = [message.SerializeToString() for message in GOOD.values()]
    calls = []
    for _ in range(2000):
        data = bytearray(chance.choice(good) * chance.randint(1, 3))
        for _ in range(chance.randint(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        calls.append(stub(chance.choice(unary)).future(bytes(data), timeout=60))
        if len(calls) == 100:
            for one in calls:
                one.exception()  # any answer will do
            calls.clear()
    assert not call(holder["channel"], w, "VerifyMovements").mismatches
    assert not call(holder["channel"], i, "VerifyLedger").mismatches


def fill(channel):
    call(channel, w, "CreateWarehouse", warehouse=w.Warehouse(
        warehouse_id="W", active=True, address=ADDRESS))
    call(channel, w, "SetCostCard", cost_card=w.CostCard(
        warehouse_id="W", valid_from="2020-01-01", parcel_grams_max=10000,
        bands=[w.CostBand(distance_metres_max=2000000, base=MONEY, per_kilogram=MONEY)]))
    for sku in ("S", "T"):
        call(channel, w, "PutItem", item=w.Item(sku=sku, name=sku, weight_grams=100))
    call(channel, w, "ReceiveStock", movement_id="in", warehouse_id="W", sku="S", quantity=STOCK)
    end = time.monotonic() + 60
    while True:
        try:
            if nothing_is_held():
                return
        except grpc.RpcError as error:
            assert reason_of(error) == "SKU_NOT_FOUND", error
        assert time.monotonic() < end
        time.sleep(0.02)


def main():
    data = tempfile.mkdtemp(prefix="waybill-bad-")
    try:
        with waybill_server.Server(data, environment=FED) as server:
            holder["channel"] = waybill_server.channel_to(server.listen)
            fill(holder["channel"])
            tap.run([
                every_method_is_in_the_table,
                bad_fields_are_refused_with_their_path,
                what_is_too_much_is_refused,
                lines_of_one_sku_must_fit_together,
                currencies_must_be_the_orders,
                all_violations_are_told_at_once,
                carriers_that_shipping_does_not_know_have_their_place,
                the_largest_values_are_taken,
                page_tokens_are_of_one_list_and_one_filter,
                cursors_are_of_one_order,
                refused_requests_had_no_effect,
                random_bytes_never_stop_the_server,
            ])
    finally:
        shutil.rmtree(data, ignore_errors=True)


main()
