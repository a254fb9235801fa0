"""Goal: what DHL's interfaces have been seen to answer and push, beyond its documented examples, is
understood, or clearly refused; a push of which a part is not understood is never taken for read.
Method: small answers of those shapes, written here, against values written here. Each names where
its shape was seen; none is a copy."""

import base64
import gzip
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

import tap  # noqa: E402
from carrier_probe import Probe, same  # noqa: E402

PDF = base64.b64encode(b"%PDF-1.4 label").decode()
ZPL = base64.b64encode(b"^XA^FO10,10^FDX^FS^XZ").decode()
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n123").decode()
probe = Probe()
push = probe.believed_push


def read(operation, status, body):
    return probe.read("dhl", operation, status, body)


# ---------------------------------------------------------------------------------------- rates

def price(kind, amount, currency=None):
    money = {"currencyType": kind, "price": amount}
    return money if currency is None else {**money, "priceCurrency": currency}


def rate_of(*prices, **more):
    product = {"productCode": "P", "productName": "EXPRESS", "totalPrice": list(prices), **more}
    return read("rate", 200, {"products": [product],
                              "exchangeRates": [{"currentExchangeRate": 1.188411,
                                                 "currency": "GBP", "baseCurrency": "EUR"}]})


def a_price_of_nothing_gives_way_to_the_next_kind():
    """PULCL and BASEC of 0 without a currency: a connector of an ERP, recorded in Belgium in 2024."""
    got = rate_of(price("BILLC", 76.24, "EUR"), price("PULCL", 0), price("BASEC", 0))
    same(got["rates"][0], amount="EUR 7624")
    got = rate_of(price("BASEC", 182.84, "EUR"), price("PULCL", "157.95", "GBP"), price("BILLC", 0, "EUR"))
    same(got["rates"][0], amount="GBP 15795")
    got = rate_of(price("BASEC", 106.8, "EUR"), price("BILLC", 53296.35))
    same(got["rates"][0], amount="EUR 10680")
    same(rate_of(price("BILLC", 0, "EUR"), price("BASEC", 0)), verdict="UNKNOWN", rates=[])


def a_breakdown_is_that_of_the_price_that_was_taken():
    parts = [{"priceCurrency": "EUR", "breakdown": [{"name": "EXPRESS", "price": 100}]},
             {"priceCurrency": "GBP", "breakdown": [{"name": "EXPRESS", "price": 58.88},
                                                    {"name": "FUEL SURCHARGE", "price": 17.36},
                                                    {"name": "NO PRICE"}]}]
    got = rate_of(price("BILLC", 76.24, "GBP"), detailedPriceBreakdown=parts)
    same(got["rates"][0], amount="GBP 7624", charges=2)


def delivery_is_promised_in_many_forms():
    for words, wanted in [("2024-05-03T23:59:00", 1714780740), ("2024-05-03", 1714780799),
                          ("2020-12-18T23:59:00 GMT+01:00", 1608332340),
                          ("2024-05-03T18:00:00+02:00", 1714752000), ("N/A", 0), (None, 0)]:
        got = rate_of(price("BILLC", 7, "EUR"),
                      deliveryCapabilities={"estimatedDeliveryDateAndTime": words})
        same(got["rates"][0], estimated=wanted)


# ------------------------------------------------------------------------------------ shipments

def document(kind, content=PDF, image="PDF", **more):
    return {"imageFormat": image, "content": content, "typeCode": kind, **more}


def shipment_of(numbers=(1, 2), documents=(), in_packages=((), ()), **more):
    packages = [{"trackingNumber": f"JD0{place + 1}",
                 **({} if number is None else {"referenceNumber": number}),
                 **({"documents": list(own)} if own else {})}
                for place, (number, own) in enumerate(zip(numbers, in_packages))]
    got = read("ship", 201, {"shipmentTrackingNumber": "1234567890", "packages": packages,
                             "documents": list(documents), **more})
    same(got, verdict="ANSWERED")
    return got["shipment"]


def labels_of(shipment):
    return ([label[0] for label in shipment["labels"]],
            [[label[0] for label in parcel["labels"]] for parcel in shipment["parcels"]])


def a_label_goes_to_the_package_whose_number_it_names():
    """splitTransportAndWaybillDocLabels: MyDHL's example of labels linked by piece."""
    two = [document("label", ZPL, "ZPL", packageReferenceNumber=1),
           document("label", packageReferenceNumber=2)]
    assert labels_of(shipment_of((1, 2), two)) == ([], [["ZPL"], ["PDF"]])
    turned = shipment_of((2, 1), two)  # they come back in another order than they were asked for
    assert labels_of(turned) == ([], [["ZPL"], ["PDF"]])
    assert [parcel["number"] for parcel in turned["parcels"]] == ["JD02", "JD01"]
    assert [parcel["number"] for parcel in shipment_of((2, 2), two)["parcels"]] == ["JD01", "JD02"]
    assert labels_of(shipment_of((None, None), two)) == ([], [["ZPL"], ["PDF"]])
    far = [document("label", packageReferenceNumber=7), document("label", packageReferenceNumber=5)]
    assert labels_of(shipment_of((5, 6), far)) == (["PDF"], [["PDF"], []])
    twice = [document("label", packageReferenceNumber=1)] * 2
    assert labels_of(shipment_of((1, 2), twice)) == (["PDF"], [["PDF"], []])


def labels_stand_among_other_documents():
    """invoice, waybillDoc, qr-code, shipmentReceipt: outputImageProperties of MyDHL."""
    kinds = [document("waybillDoc"), document("invoice"), document("LABEL"),
             document("shipmentReceipt"), document("qr-code", PNG, "PNG")]
    assert labels_of(shipment_of(documents=kinds)) == (["PDF"], [[], []])
    inner = ([document("qr-code", PNG, "PNG"), document("label", ZPL, "ZPL")], [document("label")])
    assert labels_of(shipment_of(in_packages=inner)) == ([], [["ZPL"], ["PDF"]])
    assert labels_of(shipment_of(documents=[document("label", "GzJANDM=", "LP2")])) == ([], [[], []])
    link = {"url": "https://example.test/label.pdf", "typeCode": "label", "imageFormat": "PDF"}
    assert labels_of(shipment_of(documents=[link])) == ([], [[], []])


def a_shipments_price_date_and_warnings_are_read():
    """The charges of an ERP's note of an answer from Nigeria; the day alone is of older answers."""
    charges = [price("BASEC", 106.8, "EUR"), price("PULCL", 53296.35, "NGN"),
               price("BILLC", 53296.35, "NGN")]
    got = shipment_of(documents=[document("label")], shipmentCharges=charges, warnings=["one", "two"],
                      estimatedDeliveryDate={"estimatedDeliveryDate": "2022-12-15T23:59:00Z",
                                             "estimatedDeliveryType": "QDDC"})
    same(got, charged="NGN 5329635", warnings=2, estimated=1671148740)
    same(shipment_of(documents=[document("label")], estimatedDeliveryDate="2022-12-15"),
         estimated=1671148799, charged="")


# --------------------------------------------------------------------------------------- errors

def every_problem_says_what_is_wrong():
    """RFC 7807 and its habits, MyDHL, Parcel DE Shipping, gateways before them."""
    for status, verdict, code, message, body in [
            (400, "REFUSED", "410138", "410138: Requested product(s) not available at payer, D/D",
             {"instance": "/expressapi/shipments", "title": "Bad request", "message": "Bad request",
              "detail": "410138: Requested product(s) not available at payer, D/D ", "status": "400"}),
            (400, "REFUSED", "400", "Invalid input; trackingNumber: must not be empty; service: unknown",
             {"title": "Bad Request", "status": 400, "detail": "Invalid input",
              "invalid-params": [{"name": "trackingNumber", "reason": "must not be empty"},
                                 {"name": "service", "reason": "unknown"}]}),
            (400, "REFUSED", "400", "Validation failed. Weight: above 0; Weight: too heavy; City: missing",
             {"title": "Validation failed.", "status": 400,
              "errors": {"Weight": ["above 0", "too heavy"], "City": ["missing"]}}),
            (400, "REFUSED", "400", "Validation failed. shipper.addressStreet: Street name is required",
             {"status": {"title": "Error", "statusCode": 400, "detail": "Validation failed."},
              "items": [{"validationMessages": [
                  {"property": "shipper.addressStreet", "validationState": "Error",
                   "validationMessage": "Street name is required"}]}]}),
            (400, "REFUSED", "", "shipments[0].consignee: required; profile: unknown",
             [{"propertyPath": "shipments[0].consignee", "message": "required"},
              {"propertyPath": "profile", "message": "unknown"}]),
            (400, "REFUSED", "400", "Multiple problems found; packages.weight: too heavy",
             {"status": "400", "detail": "Multiple problems found",
              "additionalDetails": [{"field": "packages.weight", "message": "too heavy"}]}),
            (401, "UNAVAILABLE", "", "Invalid Credentials; Expired",
             {"reasons": [{"msg": "Invalid Credentials"}, "Expired"], "details": {"msgId": "Id-1"}}),
            (401, "UNAVAILABLE", "401", "Unauthorized for given resource.",
             {"status": 401, "title": "Unauthorized", "detail": "Unauthorized for given resource."}),
            (400, "REFUSED", "E17", "no such product", {"errorCode": "E17", "errorMessage": "no such product"}),
            (429, "THROTTLED", "429", "Too many requests",
             {"title": "Too Many Requests", "status": 429, "detail": "Too many requests"}),
            (404, "NOT_FOUND", "404", "No shipment with given tracking number found.",
             {"title": "No result found", "status": 404, "instance": "/shipment/8264715546",
              "detail": "No shipment with given tracking number found."})]:
        same(read("ship", status, body), verdict=verdict, code=code, message=message)


def a_byte_order_mark_is_passed_over():
    mark = b"\xef\xbb\xbf"
    good = {"products": [{"productCode": "P", "totalPrice": [price("BILLC", 7, "EUR")]}]}
    same(read("rate", 200, mark + json.dumps(good).encode()), verdict="ANSWERED")
    same(read("ship", 400, mark + b'{"title":"t","detail":"7008: bad","status":400}'), code="7008")
    same(push("dhl", mark + json.dumps(delivered()).encode()), verdict="SCANS")
    same(read("rate", 200, mark), verdict="UNKNOWN")


# ------------------------------------------------------------------------------- unified tracking

def event(time, code="transit", status=None, description=None, **more):
    made = {"timestamp": time, "statusCode": code, "status": status, "description": description}
    return {**{key: value for key, value in made.items() if value is not None}, **more}


def followed(*events, **more):
    shipment = {"id": "1234567890", "service": "express", "events": list(events), **more}
    return {"shipments": [{key: value for key, value in shipment.items() if value is not None}]}


def codes(got):
    return [scan["code"] for scan in got["scans"]]


def times_of_events_are_read_in_many_forms():
    at = 1686649320
    for words, time, offset in [
            ("2023-06-13T09:42:00+02:00", at - 7200, 120), ("2023-06-13T09:42:00", at, -9999),
            ("2023-06-13T09:42:00.123+0200", at - 7200, 120), ("2023-06-13T09:42", at, -9999),
            ("2023-06-13 09:42:00", at, -9999), ("2023-06-13t09:42:00z", at, 0),
            ("2023-06-13T09:42:00,5Z", at, 0), ("2023-06-13T09:42:00 UTC", at, 0),
            ("2023-06-13T09:42:00 GMT+02:00", at - 7200, 120), ("2023-06-13T09:42:00-05", at + 18000, -300)]:
        scan = read("track", 200, followed(event(words)))["scans"][0]
        assert (scan["time"], scan["offset"]) == (time, offset), f"{words}: {scan}"
    for words in ("garbage", "", "13.06.2023 09:42", 1686642120, "2023-06-13T25:00:00", None):
        body = {"scope": "subscription.push", **followed({**event("x", "transit", "DF"), "timestamp": words})}
        same(push("dhl", body), verdict="UNKNOWN_SHAPE")


def times_of_mydhl_stand_in_up_to_three_members():
    area = [{"code": "BNA", "description": "NASHVILLE-US"}]
    for members, time, offset in [
            ({"date": "2020-06-10", "time": "09:06:00", "GMTOffset": "-05:00"}, 1591797960, -300),
            ({"date": "2020-06-10", "time": "09:06", "GMTOffset": "GMT+01:00"}, 1591776360, 60),
            ({"date": "2020-06-10", "time": "09:06:00"}, 1591779960, -9999),
            ({"date": "2020-06-10"}, 1591747200, -9999),
            ({"date": "2020-06-10T09:06:00"}, 1591779960, -9999),
            ({"date": "2020-06-10T00:00:00", "time": "09:06:00"}, 1591779960, -9999),
            ({"date": "10/06/2020", "time": "09:06:00"}, 0, -9999), ({"time": "09:06:00"}, 0, -9999)]:
        one = {"typeCode": "PU", "description": "Shipment picked up", "serviceArea": area, **members}
        shipment = {"shipmentTrackingNumber": "7957673080", "status": "Success", "events": [one]}
        scan = read("track", 200, {"shipments": [shipment]})["scans"][0]
        assert (scan["time"], scan["offset"]) == (time, offset), f"{members}: {scan}"
        same(scan, code="PU", city="NASHVILLE", country="US", facility="BNA")


def codes_are_found_where_they_stand():
    """Two letters with and without a service in capitals; a code of MyDHL; words alone."""
    at = "2023-06-13T09:42:00"
    for service, one, wanted in [
            ("express", event(at, "transit", "WC"), "transit/WC"),
            ("EXPRESS", event(at, "transit", "WC"), "transit/WC"),
            ("parcel-de", event(at, "transit", "WC"), "transit"),
            ("express", event(at, "transit", "DLVRD:CUSTM"), "transit"),
            ("express", {"timestamp": at, "typeCode": "PU", "description": "x"}, "PU"),
            ("express", {"timestamp": at, "status": "DELIVERED", "description": "JESSICA"}, "DELIVERED"),
            ("express", {"timestamp": at, "description": "x"}, "unknown"),
            ("express", event(at, "out-for-delivery", "OD"), "out-for-delivery/OD")]:
        assert codes(read("track", 200, followed(one, service=service))) == [wanted], wanted
    for code in ("delivered", "DELIVERED", "Delivered"):
        same(read("track", 200, followed(event(at, code))), delivered=1686649320)


def a_parcel_of_another_service_is_read():
    """Shape: DHL Parcel Germany, newest first, German, no offsets, some without a place (2023)."""
    words = "Die Sendung wurde zugestellt."
    place = {"address": {"addressLocality": "Deutschland"}}
    newest = event("2023-03-13T09:50:00", "delivered", words, words, location=place)
    got = read("track", 200, {**followed(
        newest, event("2023-03-13T08:36:00", "transit", "Im Zustellfahrzeug"),
        event("2023-03-01T16:18:00", "pre-transit", "Angekündigt"), status=newest,
        service="parcel-de", id="00340434292135100186",
        details={"product": {"productName": "DHL PAKET"}, "proofOfDeliverySignedAvailable": False},
        estimatedTimeOfDelivery=None, estimatedDeliveryTimeFrame={
            "estimatedFrom": "2023-03-13T10:00:00", "estimatedThrough": "2023-03-13T14:00:00"}),
        "possibleAdditionalShipmentsUrl": ["/shipments?trackingNumber=1&service=freight"]})
    same(got, verdict="ANSWERED", delivered=1678701000, expected=1678716000)
    assert codes(got) == ["delivered", "transit", "pre-transit"]
    same(got["scans"][0], number="00340434292135100186", city="Deutschland", description=words, offset=-9999)


def several_shipments_and_odd_members_are_read():
    at = "2023-06-13T09:42:00Z"
    first, second = followed(event(at))["shipments"][0], followed(event(at))["shipments"][0]
    got = read("track", 200, {"shipments": [first, {**second, "id": 7777777770}]})
    assert [scan["number"] for scan in got["scans"]] == ["1234567890", "7777777770"]
    numbered = {"shipments": [{"trackingNumber": "99", "service": "express", "events": [event(at)]}]}
    same(read("track", 200, numbered)["scans"][0], number="99")
    same(read("track", 200, followed(event(at, location="Stockholm")))["scans"][0], city="Stockholm")
    assert len(read("track", 200, followed(None, event(at), None))["scans"]) == 1
    same(read("track", 200, {"shipments": []}), verdict="NOT_FOUND")
    same(read("track", 200, {"shipments": None}), verdict="UNKNOWN")


# --------------------------------------------------------------------------------------- pushes

def delivered(number="1234567890"):
    return {"scope": "subscription.push", **followed(
        id=number, events=None, status=event("2026-06-30T10:00:00Z", "delivered", "OK"))}


NOTICE = {"scope": "subscription.validate", "self": "https://example.test/subscription/1",
          "secret": "abc", "events": ["Transit"], "shipmentIDs": ["1"], "service": "express"}


def numbers(got):
    return [scan["number"] for scan in got["scans"]]


def a_batch_of_pushes_is_read_to_its_end():
    got = push("dhl", [delivered("1"), delivered("2")])
    same(got, verdict="SCANS")
    assert numbers(got) == ["1", "2"]
    same(push("dhl", [NOTICE, delivered("1")]), verdict="SCANS")
    same(push("dhl", [NOTICE, NOTICE]), verdict="NOTICE", why="subscription.validate")
    fedex = push("fedex", [aiv("1"), aiv("2")])
    same(fedex, verdict="SCANS")
    assert numbers(fedex) == ["1", "2"]
    ups = push("ups", [alert("1"), alert("2")])
    same(ups, verdict="SCANS")
    assert numbers(ups) == ["1", "2"]


def what_a_part_of_a_push_does_not_tell_is_for_a_person():
    """What is understood has its effect; the whole is kept."""
    silent = aiv("1")
    silent["output"]["completeTrackResults"] += [{"trackingNumber": "9", "trackResults": [
        {"trackingNumberInfo": {"trackingNumber": "9"}, "scanEvents": None}]}]
    strange = delivered("1")
    strange["shipments"] += [{"id": "9", "service": "express", "news": 1}]
    for carrier, body, seen in [
            ("dhl", [delivered("1"), {"news": 1}], ["1"]), ("dhl", strange, ["1"]),
            ("dhl", {"scope": "subscription.expired", "self": "x"}, []),
            ("dhl", {"scope": "subscription.push", "shipments": []}, []),
            ("dhl", {"scope": "subscription.push", "shipments": None}, []),
            ("fedex", [aiv("1"), {"news": 1}], ["1"]), ("fedex", silent, ["1"]),
            ("fedex", {"transactionId": "x", "output": None}, []),
            ("ups", [alert("1"), {"news": 1}], ["1"]), ("ups", [None], [])]:
        got = push(carrier, body)
        same(got, verdict="UNKNOWN_SHAPE")
        assert numbers(got) == seen and got["why"], got
    for carrier in ("ups", "fedex", "dhl"):
        for body in (b"", b"[]", b"{}", b"null", b'"x"', b"7", b"<a/>", b"payload=%7B%7D", b"[" * 3000,
                     json.dumps(delivered()).encode("utf-16"), b'{"a":"\xfc"}', b"\x1f\x8b\x08\x00"):
            got = push(carrier, body)
            same(got, verdict="UNKNOWN_SHAPE", scans=[])
            assert got["why"], got


def a_push_may_come_compressed():
    """By whoever relays it. FedEx' signature is of the bytes as they come."""
    for carrier, body in [("dhl", delivered("1")), ("fedex", aiv("1")), ("ups", alert("1"))]:
        packed = gzip.compress(json.dumps(body).encode())
        got = push(carrier, packed)
        same(got, verdict="SCANS")
        assert numbers(got) == ["1"], got
        for damaged in (packed[:-1], packed[:20], packed[:10], packed + b"x", packed + packed,
                        packed[:-4] + b"\xff\xff\xff\xff", packed[:-4] + b"\x01\x00\x00\x00",
                        gzip.compress(b"[" * 3000), gzip.compress(bytes(9 << 20)), gzip.compress(b"")):
            got = push(carrier, damaged)
            same(got, verdict="UNKNOWN_SHAPE", scans=[])
            assert got["why"], got


def a_shipment_alone_is_a_push_too():
    """As a public handler of these pushes expects them: one shipment, not in a list."""
    body = {"trackingNumber": "JD0140", "service": "express",
            "events": [event("2025-05-04T10:00:00Z", "transit", "PU")],
            "status": event("2025-05-04T10:00:00Z", "transit")}
    got = push("dhl", body)
    same(got, verdict="SCANS")
    assert numbers(got) == ["JD0140"] and codes(got) == ["transit/PU"]


def aiv(number):
    """FedEx' Advanced Integrated Visibility: results as tracking gives them."""
    scan = {"date": "2024-05-02T08:11:00-05:00", "eventType": "OD", "eventDescription": "On vehicle",
            "derivedStatusCode": "OD", "scanLocation": {"city": "MEMPHIS", "countryCode": "US"}}
    return {"transactionId": "t", "output": {"completeTrackResults": [
        {"trackingNumber": number, "trackResults": [
            {"trackingNumberInfo": {"trackingNumber": number}, "scanEvents": [scan, None]}]}]}}


def alert(number):
    """UPS Track Alert."""
    return {"trackingNumber": number, "localActivityDate": "20240423", "localActivityTime": "095004",
            "activityLocation": None, "gmtActivityDate": "20240423", "gmtActivityTime": "135004",
            "activityStatus": {"type": "D", "code": "FS", "description": "Delivered",
                               "descriptionCode": 9}}


tap.run([a_price_of_nothing_gives_way_to_the_next_kind, a_breakdown_is_that_of_the_price_that_was_taken,
         delivery_is_promised_in_many_forms, a_label_goes_to_the_package_whose_number_it_names,
         labels_stand_among_other_documents, a_shipments_price_date_and_warnings_are_read,
         every_problem_says_what_is_wrong, a_byte_order_mark_is_passed_over,
         times_of_events_are_read_in_many_forms,
         times_of_mydhl_stand_in_up_to_three_members, codes_are_found_where_they_stand,
         a_parcel_of_another_service_is_read, several_shipments_and_odd_members_are_read,
         a_batch_of_pushes_is_read_to_its_end, what_a_part_of_a_push_does_not_tell_is_for_a_person,
         a_push_may_come_compressed, a_shipment_alone_is_a_push_too])
