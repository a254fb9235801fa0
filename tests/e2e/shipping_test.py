#!/usr/bin/python3
"""Goal: shipping as its callers and its carriers meet it: rates, purchases, labels, cancellations,
tracking, pushes (RELIABILITY row 22), and an end in good order.

Method: a `waybill serve` with the tariff and with the three adapters against `waybill simulate
carriers` without faults; pushes are made here, byte for byte. The books are on SQLite, or with
`--postgresql` on a server of the test's own.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import socket
import stat
import sys
import tempfile
import time
import urllib.error
import urllib.request

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import carrier_simulator  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import (common, reason_of, shipping as s, shipping_events,  # noqa: E402
                            shipping_method, subscribe, violations_of)

FROM = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                      region="NY", postal_code="10001", country_code="US")
TO = common.Address(name="Receiver", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                    region="IL", postal_code="60601", country_code="US")
ABROAD = common.Address(name="Receiver", phone="+4930550100", lines=["Hauptstrasse 3"],
                        city="Berlin", postal_code="10115", country_code="DE")
USD = common.Money(currency_code="USD", amount_minor=2500)
CUSTOMS = s.Customs(items=[s.CustomsItem(description="Books", quantity=1, value=USD,
                                         weight_grams=900, hs_code="490199", origin_country="US")])
PARCEL = s.Parcel(weight_grams=1200, length_mm=300, width_mm=200, height_mm=100)

holder = {}


def call(method, seconds=30, **fields):
    request = getattr(s, method + "Request")(**fields)
    return shipping_method(holder["channel"], method)(request, timeout=seconds)


def refused(code, expected, method, /, **fields):
    try:
        answer = call(method, **fields)
    except grpc.RpcError as error:
        assert error.code() == code and reason_of(error) == expected, error
        return error
    raise AssertionError(f"{method} answered {answer}")


def create(shipment_id, carrier, service_code, **more):
    fields = dict(shipment_id=shipment_id, carrier=carrier, service_code=service_code, origin=FROM,
                  destination=TO, parcels=[PARCEL])
    return call("CreateShipment", **{**fields, **more}).shipment


PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


# --- rates and purchases ---

def carriers_say_what_they_can_do():
    carriers = {one.carrier: one for one in call("ListCarriers").carriers}
    assert set(carriers) == {"ups", "fedex", "dhl", "tariff"}, carriers
    assert not carriers["dhl"].capabilities.cancel and carriers["ups"].capabilities.cancel
    assert carriers["fedex"].capabilities.webhook_body_signed
    assert all(one.breaker_state == s.CIRCUIT_STATE_CLOSED for one in carriers.values())


def rates_of_all_carriers_are_sorted_and_can_be_bought():
    answer = call("GetRates", origin=FROM, destination=TO, parcels=[PARCEL])
    amounts = [one.amount.amount_minor for one in answer.rates]
    assert amounts == sorted(amounts) and all(one.rate_id for one in answer.rates), answer
    told = {one.carrier for one in answer.rates} | {one.carrier for one in answer.failures}
    assert told == {"ups", "fedex", "dhl", "tariff"}, told
    assert all(one.reason for one in answer.failures)
    for number, carrier in enumerate(("ups", "fedex", "tariff")):
        rate = next(one for one in answer.rates if one.carrier == carrier)
        shipment = call("CreateShipment", shipment_id=f"rate-{number}", rate_id=rate.rate_id,
                        origin=FROM, destination=TO, parcels=[PARCEL]).shipment
        assert shipment.state == s.SHIPMENT_STATE_CREATED, shipment
        assert (shipment.carrier, shipment.service_code) == (carrier, rate.service_code)
        assert shipment.amount == rate.amount and shipment.tracking_number, shipment
    refused(PRECONDITION, "RATE_MISMATCH", "CreateShipment", shipment_id="rate-9",
            rate_id=answer.rates[0].rate_id, origin=FROM, destination=TO,
            parcels=[s.Parcel(weight_grams=1201)])


def options_and_direction_are_rated_and_bought():
    options = s.ShipmentOptions(signature=True, saturday=True, insured_value=USD)
    for name, more in (("options", {"options": options}),
                       ("return", {"direction": s.SHIPMENT_DIRECTION_RETURN})):
        answer = call("GetRates", origin=FROM, destination=TO, parcels=[PARCEL], **more)
        for carrier in ("ups", "fedex"):
            rate = next(one for one in answer.rates if one.carrier == carrier)
            asked = dict(rate_id=rate.rate_id, origin=FROM, destination=TO, parcels=[PARCEL])
            error = refused(PRECONDITION, "RATE_MISMATCH", "CreateShipment",
                            shipment_id=f"{name}-{carrier}", **asked)
            assert ("options.signature, options.saturday, options.insured_value" if name == "options"
                    else "what differs: direction.") in error.details(), error
            shipment = call("CreateShipment", shipment_id=f"{name}-{carrier}", **asked, **more).shipment
            assert shipment.state == s.SHIPMENT_STATE_CREATED and shipment.amount == rate.amount
            assert shipment.direction == more.get("direction", s.SHIPMENT_DIRECTION_OUTBOUND)


def a_deadline_is_kept_whatever_a_carrier_does():
    data = tempfile.mkdtemp(prefix="waybill-shipping-")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and says nothing
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        flags = [*holder["simulator"].settings(), "--ups-base-url", base, "--dhl-base-url", base]
        with waybill_server.Server(data, "shipping", *flags) as server:
            channel = waybill_server.channel_to(server.listen)
            began = time.monotonic()
            answer = shipping_method(channel, "GetRates")(s.GetRatesRequest(
                origin=FROM, destination=TO, parcels=[PARCEL]), timeout=3)
            assert time.monotonic() - began < 15, "the deadline was 3 s"
            assert {one.carrier for one in answer.rates} == {"tariff", "fedex"}, answer
            assert {one.carrier for one in answer.failures} == {"ups", "dhl"}, answer
            assert all(one.reason for one in answer.failures), answer
            channel.close()
    shutil.rmtree(data, ignore_errors=True)


def a_border_without_customs_is_refused():
    error = refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "GetRates", origin=FROM,
                    destination=ABROAD, parcels=[PARCEL])
    assert violations_of(error) == ["customs"], error
    answer = call("GetRates", origin=FROM, destination=ABROAD, parcels=[PARCEL], customs=CUSTOMS,
                  carriers=["dhl"])
    assert answer.rates and not answer.failures, answer


def the_same_id_is_one_label():
    charged = len(holder["simulator"].charged())
    first = create("same", "ups", "03")
    for _ in range(5):
        assert create("same", "ups", "03") == first
    assert len(holder["simulator"].charged()) == charged + 1
    refused(grpc.StatusCode.ALREADY_EXISTS, "ID_REUSED", "CreateShipment", shipment_id="same",
            carrier="ups", service_code="03", origin=FROM, destination=TO, parcels=[PARCEL, PARCEL])
    assert call("GetShipment", shipment_id="same").shipment == first
    refused(grpc.StatusCode.NOT_FOUND, "SHIPMENT_NOT_FOUND", "GetShipment", shipment_id="nobody")


def several_parcels_have_numbers_and_labels_of_their_own():
    for carrier, service in (("ups", "03"), ("fedex", "FEDEX_GROUND")):
        shipment = create(f"three-{carrier}", carrier, service, parcels=[PARCEL] * 3)
        numbers = {one.tracking_number for one in shipment.parcels}
        assert shipment.state == s.SHIPMENT_STATE_CREATED and len(numbers) == 3, shipment
        labels = {call("GetLabel", shipment_id=shipment.shipment_id, parcel=parcel).content
                  for parcel in (1, 2, 3)}
        assert len(labels) == 3
        refused(grpc.StatusCode.NOT_FOUND, "LABEL_NOT_FOUND", "GetLabel",
                shipment_id=shipment.shipment_id, parcel=4)


def labels_come_in_the_format_asked_for():
    for number, (carrier, service, label_format, start) in enumerate((
            ("ups", "03", s.LABEL_FORMAT_ZPL, b"^XA"),
            ("ups", "03", s.LABEL_FORMAT_PNG, b"\x89PNG"),
            ("fedex", "FEDEX_GROUND", s.LABEL_FORMAT_PDF, b"%PDF"))):
        create(f"format-{number}", carrier, service, label_format=label_format)
        label = call("GetLabel", shipment_id=f"format-{number}")
        assert label.content.startswith(start) and label.media_type, (carrier, label.content[:20])
    refused(PRECONDITION, "LABEL_FORMAT_UNAVAILABLE", "CreateShipment", shipment_id="format-9",
            carrier="ups", service_code="03", origin=FROM, destination=TO, parcels=[PARCEL],
            label_format=s.LABEL_FORMAT_PDF)
    refused(PRECONDITION, "LABEL_FORMAT_UNAVAILABLE", "GetLabel", shipment_id="format-0",
            format=s.LABEL_FORMAT_PNG)


def labels_of_the_tariff_are_drawn_in_any_format():
    shipment = create("drawn", "tariff", "ECONOMY", parcels=[PARCEL] * 2)
    assert shipment.state == s.SHIPMENT_STATE_CREATED, shipment
    for label_format, start in ((s.LABEL_FORMAT_PDF, b"%PDF"), (s.LABEL_FORMAT_ZPL, b"^XA"),
                                (s.LABEL_FORMAT_PNG, b"\x89PNG")):
        pages = {call("GetLabel", shipment_id="drawn", parcel=parcel, format=label_format).content
                 for parcel in (1, 2)}
        assert len(pages) == 2 and all(page.startswith(start) for page in pages), label_format
    done = call("CancelShipment", shipment_id="drawn", reason="changed").shipment
    assert done.state == s.SHIPMENT_STATE_CANCELLED, done
    refused(PRECONDITION, "SHIPMENT_CANCELLED", "GetLabel", shipment_id="drawn")


def rules_take_the_cheapest_and_the_fastest():
    rates = call("GetRates", origin=FROM, destination=TO, parcels=[PARCEL]).rates
    cheapest = call("CreateShipment", shipment_id="cheapest", rule=s.RATE_RULE_CHEAPEST,
                    origin=FROM, destination=TO, parcels=[PARCEL]).shipment
    assert cheapest.amount.amount_minor == rates[0].amount.amount_minor, cheapest
    fastest = call("CreateShipment", shipment_id="fastest", rule=s.RATE_RULE_FASTEST,
                   origin=FROM, destination=TO, parcels=[PARCEL]).shipment
    assert fastest.amount.amount_minor >= cheapest.amount.amount_minor


def a_carriers_no_is_a_record_with_its_words():
    shipment = create("refused", "ups", "no-such-service")
    assert shipment.state == s.SHIPMENT_STATE_FAILED and shipment.failure, shipment
    refused(PRECONDITION, "SHIPMENT_FAILED", "CancelShipment", shipment_id="refused", reason="x")


# --- afterwards ---

def labels_are_voided_by_each_carriers_rules():
    for carrier, service in (("ups", "03"), ("fedex", "FEDEX_GROUND")):
        create(f"void-{carrier}", carrier, service)
        for _ in range(2):
            done = call("CancelShipment", shipment_id=f"void-{carrier}", reason="changed").shipment
            assert done.state == s.SHIPMENT_STATE_CANCELLED, done
        voided = [one for one in holder["simulator"].charged() if one["voided"]]
        assert done.tracking_number in {one["tracking_number"] for one in voided}, voided
    create("void-dhl", "dhl", "P", destination=ABROAD, customs=CUSTOMS)
    error = refused(PRECONDITION, "CANCEL_UNSUPPORTED", "CancelShipment", shipment_id="void-dhl",
                    reason="changed")
    assert "DHL Express" in error.details(), error
    assert call("GetShipment",
                shipment_id="void-dhl").shipment.state == s.SHIPMENT_STATE_CREATED


def a_label_that_is_unknown_is_not_resolved():
    assert not call("ListUnwantedLabels").labels
    refused(grpc.StatusCode.NOT_FOUND, "UNWANTED_LABEL_NOT_FOUND", "ResolveUnwantedLabel", label_id=7,
            resolution=s.UNWANTED_LABEL_RESOLUTION_TRY_AGAIN)


def lists_are_whole_and_in_order():
    for number in range(7):
        create(f"list-{number}", "tariff", "UPS", order_id="the-order")
    found, token = [], ""
    while True:
        page = call("ListShipments", order_id="the-order", page_size=3, page_token=token)
        found += [one.shipment_id for one in page.shipments]
        token = page.next_page_token
        if not token:
            break
    assert found == [f"list-{number}" for number in range(7)], found
    first = call("ListShipments", order_id="the-order", page_size=3).next_page_token
    refused(grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID", "ListShipments",
            page_token=first)


def a_carrier_is_asked_for_scans():
    shipment = create("scans", "ups", "03")
    answer = call("GetTrackingInfo", shipment_id="scans")
    assert answer.scans and answer.scans[0].tracking_number, answer
    again = call("GetTrackingInfo", carrier="ups", tracking_number=shipment.tracking_number)
    assert again.scans[0].carrier_code == answer.scans[0].carrier_code
    refused(grpc.StatusCode.NOT_FOUND, "TRACKING_NUMBER_NOT_FOUND", "GetTrackingInfo",
            carrier="ups", tracking_number="1ZW4YB1L0399999999")


def what_is_settled_needs_no_person():
    create("settled", "ups", "03")
    refused(PRECONDITION, "SHIPMENT_RESOLVED", "ResolveShipment", shipment_id="settled",
            resolution=s.SHIPMENT_RESOLUTION_VOID)
    refused(grpc.StatusCode.NOT_FOUND, "SHIPMENT_NOT_FOUND", "ResolveShipment",
            shipment_id="nobody", resolution=s.SHIPMENT_RESOLUTION_BUY_AGAIN)


# --- pushes ---

def push(carrier, body, headers, method="POST"):
    request = urllib.request.Request(f"http://{holder['server'].listen}/webhooks/{carrier}",
                                     data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def fedex_body(number, code="PU", when="2026-11-20T10:00:00+00:00"):
    return json.dumps({"output": {"completeTrackResults": [{
        "trackingNumber": number, "trackResults": [{"scanEvents": [{
            "date": when, "eventType": code, "eventDescription": "x",
            "scanLocation": {"city": "Chicago", "countryCode": "US"}}]}]}]}}).encode()


def fedex_signature(body, hexadecimal=False):
    mac = hmac.new(carrier_simulator.SECRET.encode(), body, hashlib.sha256).digest()
    return mac.hex() if hexadecimal else base64.b64encode(mac).decode()


def scans():
    return holder["server"].counted("waybill_shipping_scans_total")


def scans_become(count):
    end = time.monotonic() + 30
    while scans() < count and time.monotonic() < end:
        time.sleep(0.05)
    assert scans() == count, (scans(), count)


def every_altered_byte_of_fedex_is_refused():
    shipment = create("fedex-push", "fedex", "FEDEX_GROUND")
    body, before = fedex_body(shipment.tracking_number), scans()
    signature = fedex_signature(body)
    for at in range(len(body)):
        bent = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        assert push("fedex", bent, {"fdx-signature": signature}) == 401, at
    for at in range(len(signature)):
        bent = signature[:at] + ("A" if signature[at] != "A" else "B") + signature[at + 1:]
        assert push("fedex", body, {"fdx-signature": bent}) == 401, at
    assert push("fedex", body, {}) == 401
    assert push("fedex", body + b" ", {"fdx-signature": signature}) == 401
    assert scans() == before


def both_signatures_are_taken_and_replays_have_no_effect():
    number = call("GetShipment", shipment_id="fedex-push").shipment.tracking_number
    before = scans()
    with subscribed() as events:
        body = fedex_body(number)
        for _ in range(20):
            assert push("fedex", body, {"fdx-signature": fedex_signature(body)}) == 200
            assert push("fedex", body, {"fdx-signature": fedex_signature(body, True)}) == 200
        scans_become(before + 1)
        other = body.replace(b"Chicago", b"Chicago ").replace(b'"x"', b'"y"')
        assert push("fedex", other, {"fdx-signature": fedex_signature(other)}) == 200
        scans_become(before + 2)
        told = [next(events), next(events)]
    assert all(one.shipment_id == "fedex-push" and one.scan.tracking_number == number
               and one.carrier == "fedex" for one in told), told


class subscribed:
    """The CarrierEventReceived from now on."""

    def __enter__(self):
        self.stream = subscribe(holder["channel"], timeout=60, key="fedex-push")
        time.sleep(0.5)  # an empty cursor means: from when the server has it
        return self

    def __next__(self):
        for answer in self.stream:
            message = shipping_events.CarrierEventReceived()
            if answer.event.data.Unpack(message):
                return message
        raise AssertionError("the stream ended")

    def __exit__(self, *unused):
        self.stream.cancel()


def ups_and_dhl_present_their_credential():
    ups = json.dumps({"trackingNumber": "1ZW4YB1L0300000017", "activityStatus": {
        "type": "I", "code": "OR", "description": "Origin scan"}, "localActivityDate": "20261120",
        "localActivityTime": "101500"}).encode()
    dhl = json.dumps({"scope": "subscription.push", "shipments": [{
        "id": "1234567890", "service": "express", "status": {
            "timestamp": "2026-11-20T10:00:00Z", "statusCode": "transit",
            "description": "On its way"}}]}).encode()
    before = scans()
    assert push("ups", ups, {"credential": "another"}) == 401
    assert push("ups", ups, {}) == 401
    assert push("dhl", dhl, {"x-dhl-token": carrier_simulator.SECRET + "x"}) == 401
    for at in range(len(carrier_simulator.SECRET)):
        start, bent = carrier_simulator.SECRET[:at], carrier_simulator.SECRET[at + 1:]
        for shown in (start, start + "~" + bent):
            assert push("ups", ups, {"credential": shown}) == 401, shown
            assert push("dhl", dhl, {"x-dhl-token": shown}) == 401, shown
    assert scans() == before
    for _ in range(20):
        assert push("ups", ups, {"credential": carrier_simulator.SECRET}) == 200
        assert push("dhl", dhl, {"x-dhl-token": carrier_simulator.SECRET}) == 200
    scans_become(before + 2)
    again = {"ups": ups, "dhl": dhl, "other bytes": ups + b" "}  # of the same scan
    holder["server"].stop()
    holder["channel"].close()
    restart()
    for name, body in again.items():
        carrier = "dhl" if name == "dhl" else "ups"
        assert push(carrier, body, {"credential": carrier_simulator.SECRET,
                                    "x-dhl-token": carrier_simulator.SECRET}) == 200, name
    later = ups.replace(b"101500", b"111500")
    assert later != ups and push("ups", later, {"credential": carrier_simulator.SECRET}) == 200
    scans_become(1)  # they are read in their order: this one alone was new


def unknown_shapes_are_kept_and_other_requests_refused():
    shapes = holder["server"].counted("waybill_shipping_unknown_shapes_total")
    secret = {"credential": carrier_simulator.SECRET}
    for body in (b"{}", b"no json", b"", b'{"a":' * 200, b"\xff\xfe"):
        assert push("ups", body, secret) == 200, body
    end = time.monotonic() + 30
    while holder["server"].counted("waybill_shipping_unknown_shapes_total") < shapes + 5:
        assert time.monotonic() < end
        time.sleep(0.05)
    answer = call("ListUnreadPushes", carrier="ups", page_size=3)
    assert [one.body for one in answer.pushes][:2] == [b"{}", b"no json"], answer
    assert all(one.reason and one.receive_time.seconds and one.carrier == "ups"
               for one in answer.pushes) and answer.next_page_token
    rest = call("ListUnreadPushes", carrier="ups", page_token=answer.next_page_token)
    kept = len(answer.pushes) + len(rest.pushes)
    assert kept >= 5 and not rest.next_page_token, rest
    answer = call("ReplayUnreadPushes")
    assert answer.pushes == kept and not answer.more, answer
    end = time.monotonic() + 30
    while len(call("ListUnreadPushes").pushes) < kept:  # read again, and as strange as before
        assert time.monotonic() < end
        time.sleep(0.05)
    assert push("ups", b"x" * (1024 * 1024), secret) == 200
    try:
        assert push("ups", b"x" * (1024 * 1024 + 1), secret) == 413
    except (urllib.error.URLError, ConnectionError):
        pass  # the refusal came while the body was still being sent
    assert push("ups", None, secret, method="GET") == 405
    assert push("tariff", b"{}", secret) not in (200, 401)  # nobody pushes for it


# --- life ---

def an_orderly_end_loses_nothing():
    ids = [f"last-{number}" for number in range(30)]
    calls = [shipping_method(holder["channel"], "CreateShipment").future(s.CreateShipmentRequest(
        shipment_id=one, carrier="ups", service_code="03", origin=FROM, destination=TO,
        parcels=[PARCEL]), timeout=60) for one in ids]
    time.sleep(0.05)
    holder["server"].stop()
    for one in calls:
        one.exception()
    holder["channel"].close()
    restart()
    sold = {one["tracking_number"] for one in holder["simulator"].charged()}
    for one in ids:
        shipment = create(one, "ups", "03")
        assert shipment.state == s.SHIPMENT_STATE_CREATED, shipment
        assert shipment.tracking_number
    again = holder["simulator"].charged()
    references = [one["reference"] for one in again]
    assert len(references) == len(set(references)) and len(sold) <= len(again)


def rates_outlive_a_restart_by_the_key_on_disk():
    path = os.path.join(holder["data"], "shipping_rate_key")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and os.path.getsize(path) == 65
    rate = call("GetRates", origin=FROM, destination=TO, parcels=[PARCEL]).rates[0]
    holder["server"].stop()
    holder["channel"].close()
    restart()
    shipment = call("CreateShipment", shipment_id="after-restart", rate_id=rate.rate_id,
                    origin=FROM, destination=TO, parcels=[PARCEL]).shipment
    assert shipment.state == s.SHIPMENT_STATE_CREATED, shipment


def restart():
    holder["server"] = waybill_server.Server(
        holder["data"], "shipping", *holder["store"], *holder["simulator"].settings(
            ups_calls_per_second_max=0, fedex_calls_per_second_max=0, dhl_calls_per_second_max=0))
    holder["channel"] = waybill_server.channel_to(holder["server"].listen)


def main():
    holder["data"] = tempfile.mkdtemp(prefix="waybill-shipping-")
    holder["store"] = []
    try:
        with contextlib.ExitStack() as stack:
            if "--postgresql" in sys.argv:
                sys.argv.remove("--postgresql")
                holder["store"] = ["--shipping", stack.enter_context(PostgresqlServer()).url]
            holder["simulator"] = stack.enter_context(
                carrier_simulator.Simulator("--search-lag", "1"))
            restart()
            tap.run([
                carriers_say_what_they_can_do,
                rates_of_all_carriers_are_sorted_and_can_be_bought,
                options_and_direction_are_rated_and_bought,
                a_deadline_is_kept_whatever_a_carrier_does,
                a_border_without_customs_is_refused,
                the_same_id_is_one_label,
                several_parcels_have_numbers_and_labels_of_their_own,
                labels_come_in_the_format_asked_for,
                labels_of_the_tariff_are_drawn_in_any_format,
                rules_take_the_cheapest_and_the_fastest,
                a_carriers_no_is_a_record_with_its_words,
                labels_are_voided_by_each_carriers_rules,
                a_label_that_is_unknown_is_not_resolved,
                lists_are_whole_and_in_order,
                a_carrier_is_asked_for_scans,
                what_is_settled_needs_no_person,
                every_altered_byte_of_fedex_is_refused,
                both_signatures_are_taken_and_replays_have_no_effect,
                ups_and_dhl_present_their_credential,
                unknown_shapes_are_kept_and_other_requests_refused,
                rates_outlive_a_restart_by_the_key_on_disk,
                an_orderly_end_loses_nothing,
            ])
    finally:
        if "server" in holder:
            holder["server"].process.kill()
        shutil.rmtree(holder["data"], ignore_errors=True)


main()
