#!/usr/bin/python3
"""Goal: every bad field of every request of shipping is refused with its path, and nothing of it has
an effect.

Method: for each method a good request; every field of it is walked from the descriptor, through
messages within messages, and gets the bad values its kind can have as wire bytes. A new method fails
here until it has a good request; a new field is walked by itself.
"""

import os
import random
import shutil
import sys
import tempfile

import grpc
from google.protobuf.descriptor import FieldDescriptor as Field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from bad_requests import field_bytes, walk, without_places  # noqa: E402
from waybill_server import (common, reason_of, shipping as s, shipping_method,  # noqa: E402
                            violations_of)

SERVICE = s.DESCRIPTOR.services_by_name["ShippingService"]
POINT = common.GeoPoint(latitude_e7=407000000, longitude_e7=-740000000)
FROM = common.Address(name="N", company="C", phone="1", email="a@b", lines=["Street 1"], city="X",
                      region="NY", postal_code="10001", country_code="US", point=POINT)
TO = common.Address(name="N", company="C", phone="1", email="a@b", lines=["Strasse 1"], city="Y",
                    region="R", postal_code="10115", country_code="DE", point=POINT)
MONEY = common.Money(currency_code="USD", amount_minor=5)
PARCEL = s.Parcel(weight_grams=1, length_mm=1, width_mm=1, height_mm=1, value=MONEY, reference="R")
CUSTOMS = s.Customs(incoterm="DAP", contents_type="GIFT", items=[s.CustomsItem(
    description="D", quantity=1, value=MONEY, weight_grams=1, hs_code="4901.99",
    origin_country="US")])

GOOD = {
    "GetRates": s.GetRatesRequest(origin=FROM, destination=TO, parcels=[PARCEL], carriers=["tariff"],
                                  ship_date="2026-11-30", customs=CUSTOMS,
                                  direction=s.SHIPMENT_DIRECTION_RETURN,
                                  options=s.ShipmentOptions(insured_value=MONEY)),
    "CreateShipment": s.CreateShipmentRequest(
        shipment_id="bad", order_id="O", carrier="tariff", service_code="UPS", origin=FROM,
        destination=TO, parcels=[PARCEL], customs=CUSTOMS, direction=s.SHIPMENT_DIRECTION_OUTBOUND,
        options=s.ShipmentOptions(signature=True, insured_value=MONEY, saturday=True),
        label_format=s.LABEL_FORMAT_PDF, reference="R"),
    "GetShipment": s.GetShipmentRequest(shipment_id="bad"),
    "ListShipments": s.ListShipmentsRequest(order_id="O", state=s.SHIPMENT_STATE_CREATED,
                                            page_size=5),
    "CancelShipment": s.CancelShipmentRequest(shipment_id="bad", reason="r"),
    "ResolveShipment": s.ResolveShipmentRequest(
        shipment_id="bad", resolution=s.SHIPMENT_RESOLUTION_ADOPT, tracking_number="N1", note="n"),
    "GetLabel": s.GetLabelRequest(shipment_id="bad", parcel=1, format=s.LABEL_FORMAT_PDF),
    "GetTrackingInfo": s.GetTrackingInfoRequest(carrier="tariff", tracking_number="N1"),
    "ListCarriers": s.ListCarriersRequest(),
    "ListUnreadPushes": s.ListUnreadPushesRequest(carrier="ups", page_size=5),
    "ReplayUnreadPushes": s.ReplayUnreadPushesRequest(carrier="ups"),
    "ListUnwantedLabels": s.ListUnwantedLabelsRequest(
        state=s.UNWANTED_LABEL_STATE_TO_VOID, page_size=5),
    "ResolveUnwantedLabel": s.ResolveUnwantedLabelRequest(
        label_id=1, resolution=s.UNWANTED_LABEL_RESOLUTION_VOIDED, note="n"),
}

REQUIRED = {"shipment_id", "origin", "destination", "parcels", "weight_grams", "country_code",
            "currency_code", "length_mm", "width_mm", "height_mm", "description", "quantity",
            "origin_country", "items", "customs", "resolution", "tracking_number", "carrier",
            "service_code", "label_id"}
REQUIRED_PATHS = {("CreateShipment", "origin.lines"), ("CreateShipment", "destination.lines"),
                  ("CreateShipment", "origin.city"), ("CreateShipment", "destination.city"),
                  ("CreateShipment", "customs.items.value"), ("GetRates", "customs.items.value")}
PUSHES = {"ListUnreadPushes", "ReplayUnreadPushes"}  # may name a carrier that was once configured
MAY_BE_ABSENT = {("GetTrackingInfo", "shipment_id")} | {(method, "carrier") for method in PUSHES} | {
    (method, f"customs.items.{name}") for method in ("GetRates", "CreateShipment")
    for name in ("weight_grams",)}
MAY_BE_NEGATIVE = {"latitude_e7", "longitude_e7"}
MAY_BE_UNSPECIFIED = {"state", "rule", "direction", "label_format", "format"}
NAMES = {"carrier", "carriers", "service_code", "tracking_number"}
ONE_OF = {"rate_id", "rule"}  # with carrier and service_code given, any of them is one too many

holder = {}


def stub(method, raw=True):
    return shipping_method(holder["channel"], method, raw=raw)


def refused(method, data, path):
    try:
        answer = stub(method)(data, timeout=30)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (method, path, error)
        reason = reason_of(error)
        if path == "page_token" and reason == "PAGE_TOKEN_INVALID":
            return
        assert reason == "INVALID_FIELD", (method, path, reason, error.details())
        paths = violations_of(error)
        told, meant = [without_places(one) for one in paths], without_places(path)
        kin = {"rate_id", "shipment_id"} if meant in ONE_OF | NAMES else set()
        alike = {"parcels.length_mm"} if meant.endswith("_mm") else set()
        assert any(one.startswith(meant) or meant.startswith(one) or one in kin | alike
                   for one in told), (method, path, paths)
        return
    raise AssertionError(f"{method} took a bad {path}: {answer}")


def bad_values(field):
    name = field.name
    if field.type == Field.TYPE_STRING:
        yield b"x" * 600
        yield b"a\xff\xfe"
        yield b"a\0b"
        yield b"a\x01b"
        if name.endswith("_id") or name in NAMES:
            yield b" a "
        if name.endswith("_id"):
            yield b"a/b"
        if name == "ship_date":
            yield b"2027-02-29"
            yield b"27-1-1"
        if name in ("country_code", "origin_country", "currency_code"):
            yield b"de"
        if name in ("carrier", "carriers"):
            yield b"nobody"
        if name == "incoterm":
            yield b"ABC"
        if name == "contents_type":
            yield b"THINGS"
        if name == "hs_code":
            yield b"49-01"
    elif field.type in (Field.TYPE_INT64, Field.TYPE_INT32):
        if name not in MAY_BE_NEGATIVE:
            yield -1
        yield -(2**63) if field.type == Field.TYPE_INT64 else -(2**31)
        yield 2**63 - 1 if field.type == Field.TYPE_INT64 else 2**31 - 1
    elif field.type == Field.TYPE_ENUM:
        if name not in MAY_BE_UNSPECIFIED:
            yield 0
        yield 9999
        yield -1


def every_method_is_in_the_table():
    assert {method.name for method in SERVICE.methods} == set(GOOD)


def bad_fields_are_refused_with_their_path():
    tried = 0
    for method, message in GOOD.items():
        def absent(path, field, method=method):
            plain = without_places(path)
            return ((field.name in REQUIRED or (method, plain) in REQUIRED_PATHS)
                    and (method, plain) not in MAY_BE_ABSENT
                    and not plain.startswith("carriers"))
        good = message.SerializeToString()
        for path, data in walk(message, "", lambda data, whole, g=good: (
                data if whole else g + data), absent, bad_values):
            if method in PUSHES and data.endswith(b"nobody"):
                continue
            refused(method, data, path)
            tried += 1
    print(f"# {tried} bad requests")
    assert tried > 400


def too_many_are_refused():
    for method, path, count in (("GetRates", "parcels", 21), ("CreateShipment", "parcels", 21),
                                ("GetRates", "carriers", 9)):
        field = GOOD[method].DESCRIPTOR.fields_by_name[path]
        one = getattr(GOOD[method], path)[0]
        one = field_bytes(field, one.encode() if isinstance(one, str) else one.SerializeToString())
        refused(method, GOOD[method].SerializeToString() + count * one, path)
    many = s.CreateShipmentRequest()
    many.CopyFrom(GOOD["CreateShipment"])
    many.customs.items.extend([CUSTOMS.items[0]] * 100)
    refused("CreateShipment", many.SerializeToString(), "customs.items")
    many.CopyFrom(GOOD["CreateShipment"])
    many.origin.lines.extend(["x"] * 4)
    refused("CreateShipment", many.SerializeToString(), "origin.lines")


def all_violations_are_told_at_once():
    request = s.CreateShipmentRequest(shipment_id="a b", order_id="x" * 65, rule=9,
                                      origin=common.Address(country_code="usa"))
    request.parcels.add(length_mm=1)
    try:
        stub("CreateShipment", raw=False)(request)
        raise AssertionError("taken")
    except grpc.RpcError as error:
        assert set(violations_of(error)) >= {
            "shipment_id", "order_id", "rule", "origin.country_code", "origin.name", "origin.lines",
            "origin.city", "destination.country_code", "parcels[0].weight_grams",
            "parcels[0].length_mm"}, violations_of(error)


def exactly_one_choice_is_needed():
    for change in ({"rate_id": "x"}, {"rule": s.RATE_RULE_CHEAPEST}):
        request = s.CreateShipmentRequest()
        request.CopyFrom(GOOD["CreateShipment"])
        for name, value in change.items():
            setattr(request, name, value)
        refused("CreateShipment", request.SerializeToString(), "rate_id")
    for clear in (("carrier",), ("service_code",), ("carrier", "service_code")):
        request = s.CreateShipmentRequest()
        request.CopyFrom(GOOD["CreateShipment"])
        for name in clear:
            request.ClearField(name)
        refused("CreateShipment", request.SerializeToString(),
                "rate_id" if len(clear) == 2 else clear[0])


def refused_requests_had_no_effect():
    assert not stub("ListShipments", raw=False)(s.ListShipmentsRequest()).shipments


def random_bytes_never_stop_the_server():
    chance = random.Random(7)
    good = [message.SerializeToString() for message in GOOD.values()]
    calls = []
    for _ in range(3000):
        data = bytearray(chance.choice(good) * chance.randint(1, 3))
        for _ in range(chance.randint(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        calls.append(stub(chance.choice(list(GOOD))).future(bytes(data), timeout=60))
        if len(calls) == 100:
            for call in calls:
                call.exception()  # any answer will do
            calls.clear()
    assert stub("ListCarriers", raw=False)(s.ListCarriersRequest()).carriers


def main():
    data = tempfile.mkdtemp(prefix="waybill-bad-")
    try:
        with waybill_server.Server(data, "shipping") as server:
            holder["channel"] = waybill_server.channel_to(server.listen)
            tap.run([
                every_method_is_in_the_table,
                bad_fields_are_refused_with_their_path,
                too_many_are_refused,
                all_violations_are_told_at_once,
                exactly_one_choice_is_needed,
                refused_requests_had_no_effect,
                random_bytes_never_stop_the_server,
            ])
    finally:
        shutil.rmtree(data, ignore_errors=True)


main()
