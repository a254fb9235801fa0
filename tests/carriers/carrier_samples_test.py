"""Goal: every kind of answer and push of UPS, FedEx and DHL is understood, or clearly refused; every
request is what the carrier asks for.
Method: the samples of this folder against values written here; each of them damaged in many ways
(null, missing, number for string, object for array, cut) must end in a clear outcome; requests are
compared with what they must say. With WAYBILL_CARRIER_SAMPLES=DIR the answers of that folder are
read, too, and requests are checked by the OpenAPI documents in its spec folders."""

import base64
import copy
import glob
import hashlib
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from urllib.parse import parse_qs

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

import outside_tools  # noqa: E402
import tap  # noqa: E402
from carrier_probe import PUSH_HEADERS, Probe, same, signature as signature_of  # noqa: E402

SAMPLES = os.path.join(HERE, "samples")
MORE = os.environ.get("WAYBILL_CARRIER_SAMPLES")
SEED = int(os.environ.get("WAYBILL_SEED", "20261125"))
VERDICTS = {"ANSWERED", "REFUSED", "NOT_FOUND", "THROTTLED", "UNAVAILABLE", "UNKNOWN", "UNSUPPORTED"}


probe = Probe()
read_value = probe.read
push = probe.push
believed_push = probe.believed_push


def read(path, operation, status=200):
    return probe.ask("read", path.split("/")[0], operation, status, os.path.join(SAMPLES, path))


def sample(path):
    with open(os.path.join(SAMPLES, path), "rb") as file:
        return file.read()


# ------------------------------------------------------------------------------------------ UPS

def ups_rates():
    one = read("ups/rate/response-negotiatedRateResponse.json", "rate")
    same(one, verdict="ANSWERED")
    same(one["rates"][0], service="03", name="UPS Ground", amount="USD 1249")
    shop = read("ups/rate/response-simpleRateShopResponse.json", "rate")
    assert len(shop["rates"]) > 5 and all(rate["amount"].startswith("USD ") for rate in shop["rates"])
    own = read("ups/rate/response-own-negotiated-arrays.json", "rate")
    assert [rate["amount"] for rate in own["rates"]] == ["CAD 34400", "JPY 1234"]
    same(own["rates"][0], name="UPS Express Early", estimated=1748341800, charges=2)


def nothing_is_carried_for_nothing():
    """A total of 0 is no price: the next type of rate is, or none."""
    ups = json.loads(sample("ups/rate/response-simpleRateResponse.json"))
    rated = ups["RateResponse"]["RatedShipment"]
    (rated[0] if isinstance(rated, list) else rated)["TotalCharges"]["MonetaryValue"] = "0.00"
    same(read_value("ups", "rate", 200, ups), verdict="UNKNOWN", rates=[])
    fedex = json.loads(sample("fedex/rate/response-own.json"))
    rated = fedex["output"]["rateReplyDetails"][0]["ratedShipmentDetails"]
    account = [one for one in rated if one["rateType"] == "ACCOUNT"][0]
    other = copy.deepcopy(account)
    other.update(rateType="LIST", totalNetCharge=77.125)
    account["totalNetCharge"] = 0.0
    rated.append(other)
    got = read_value("fedex", "rate", 200, fedex)["rates"][0]
    assert got["amount"] != "USD 0" and got["amount"].startswith("USD "), got


def ups_shipments():
    zpl = read("ups/ship/response-ShipToAUPSAccessPointResponse.json", "ship")
    same(zpl, verdict="ANSWERED")
    assert all(parcel["labels"][0][0] == "ZPL" for parcel in zpl["shipment"]["parcels"])
    negotiated = read("ups/ship/response-ShippingRequestwithNegotiatedRatesResponse.json", "ship")
    same(negotiated["shipment"], number="1Z1662229115284418", charged="CAD 2772")
    value = json.loads(sample("ups/ship/response-ShippingRequestwithNegotiatedRatesResponse.json"))
    total = {"CurrencyCode": "CAD", "MonetaryValue": "20.00"}
    value["ShipmentResponse"]["ShipmentResults"]["NegotiatedRateCharges"] = {"TotalCharge": total}
    same(read_value("ups", "ship", 200, value)["shipment"], charged="CAD 2000")
    total["MonetaryValue"] = None  # then it is not known: the published one would be wrong
    same(read_value("ups", "ship", 200, value)["shipment"], charged="")
    total["MonetaryValue"] = "92233720368547758.07"  # nor is this one, beyond any limit of amounts
    same(read_value("ups", "ship", 200, value)["shipment"], charged="")
    own = read("ups/ship/response-own-png.json", "ship")["shipment"]
    same(own, number="1Z5R89390357567127", charged="CAD 15542", warnings=1)
    value = json.loads(sample("ups/ship/response-own-png.json"))
    value["ShipmentResponse"]["ShipmentResults"]["PackageResults"][0]["TrackingNumber"] = None
    numberless = read_value("ups", "ship", 200, value)["shipment"]  # its number is the whole's
    assert [one["number"] for one in numberless["parcels"]] == [one["number"] for one in own["parcels"]]
    assert [len(parcel["labels"]) for parcel in own["parcels"]] == [1, 0]  # GIF is no label of ours
    same(read("ups/ship/response-own-no-number.json", "ship"), verdict="UNKNOWN")
    same(read("ups/ship/response-own-inner-error.json", "ship"), verdict="REFUSED", code="120100")
    label = read("ups/ship/label-own-recovery.json", "label")["shipment"]["labels"]
    assert label[0][0] == "PDF"


def ups_void_token_errors():
    same(read("ups/void/response-own-voided.json", "cancel"), verdict="ANSWERED")
    same(read("ups/void/response-own-not-voided.json", "cancel"), verdict="REFUSED")
    same(read("ups/oauth/token-own.json", "token"), token="abc.def", lifetime=14399)
    same(read("ups/oauth/token-own-error.json", "token", 401), verdict="UNAVAILABLE", code="250003")
    same(read("ups/errors/error-own-short-code.json", "ship", 400), verdict="REFUSED", code="010400")
    same(read("ups/errors/error-own-short-code.json", "ship", 429), verdict="THROTTLED")
    same(read("ups/errors/error-own-short-code.json", "ship", 503), verdict="UNKNOWN")


def ups_tracking():
    got = read("ups/track/response-own-delivered.json", "track")
    same(got, verdict="ANSWERED", delivered=1643232600, expected=1643327999)
    same(got["scans"][0], code="D/F4/011", time=1643232600, offset=-300, city="PARAMUS", country="US",
         description="DELIVERED", facility="0761")
    same(got["scans"][1], code="M/MP/003", time=1643185001, offset=-9999)
    same(read("ups/track/warning-own-not-found.json", "track"), verdict="NOT_FOUND", code="TW0001")
    found = read("ups/track/find-own-two-packages.json", "find")["matches"]
    assert len(found) == 1 and len(found[0]["parcels"]) == 2 and not found[0]["voided"]
    assert read("ups/track/find-own-voided.json", "find")["matches"][0]["voided"]


def ups_promises_and_scans_of_all_shapes():
    got = read("ups/track/response-own-rescheduled.json", "track")
    same(got, verdict="ANSWERED", delivered=0, expected=1780493400)  # RDD, the window's end
    assert [(scan["code"], scan["time"], scan["offset"]) for scan in got["scans"]] == [
        ("X/48", 1780409700, -240), ("I/QQ", 1780396920, -240), ("P", 1780344061, -9999)]


def every_cause_of_a_refusal_is_told():
    for path, status, code, message in [
            ("ups/errors/error-own-several.json", 400, "120124",
             "Requested service is unavailable; ShipTo address is too long"),
            ("ups/errors/error-own-gateway-fault.json", 429, "policies.ratelimit.QuotaViolation",
             "Rate limit quota violation"),
            ("fedex/errors/error-own-parameters.json", 400, "INVALID.INPUT.EXCEPTION",
             "Validation failed for object, recipients.address.postalCode: required, "
             "recipients.contact.phoneNumber: length; The ship date is past"),
            ("dhl/errors/error-own-several.json", 400, "7004",
             "7004: The phone number is missing; #/content/packages/0/weight: must be greater than 0"),
            ("dhl/errors/error-own-gateway.json", 401, "", "Invalid Credentials")]:
        same(read(path, "ship", status), code=code, message=message)


def ups_pushes_are_believed_with_the_credential_only():
    body = sample("ups/webhook/event-delivery.json")
    got = push("ups", "Credential", "s3cret", body, "s3cret")
    same(got, verdict="SCANS")
    same(got["scans"][0], number="1Z204W4R0308071865", code="D/FS/009", time=1713880204, offset=-240,
         city="CHARLOTTE", country="US")
    out = push("ups", "credential", "s3cret", sample("ups/webhook/event-out.json"), "s3cret")
    same(out["scans"][0], code="I/OT/017")
    for header, value in [("credential", "s3creT"), ("credential", ""), ("other", "s3cret"),
                          ("credential", "s3cret2")]:
        same(push("ups", header, value, body, "s3cret"), verdict="REFUSED", scans=[])
    same(push("ups", "credential", "", body, ""), verdict="REFUSED")
    strange = push("ups", "credential", "s", sample("ups/webhook/event-own-strange.json"), "s")
    same(strange, verdict="UNKNOWN_SHAPE")


def gif_codes(pixels, code_bits):
    """The codes of GIF's LZW with their widths, by the book (GIF89a, appendix F)."""
    clear, end = 1 << code_bits, (1 << code_bits) + 1
    table, width, word = {bytes([at]): at for at in range(clear)}, code_bits + 1, b""
    yield clear, width
    for pixel in pixels:
        if word + bytes([pixel]) in table:
            word += bytes([pixel])
            continue
        yield table[word], width
        if len(table) + 2 < 4096:
            table[word + bytes([pixel])] = len(table) + 2
            width += len(table) + 2 > 1 << width
        else:
            yield clear, width
            table, width = {bytes([at]): at for at in range(clear)}, code_bits + 1
        word = bytes([pixel])
    yield table[word], width
    yield end, width


def gif_of(width, height, pixels, palette, *, code_bits=8, interlaced=False, local=False):
    """A GIF of rows of places in the palette."""
    size = 2 ** code_bits
    colours = b"".join(palette) + bytes(3 * (size - len(palette)))
    flags = 0x80 | code_bits - 1
    order = range(height)
    if interlaced:
        order = [row for first, step in ((0, 8), (4, 8), (2, 4), (1, 2))
                 for row in range(first, height, step)]
    stream = b"".join(pixels[row * width:(row + 1) * width] for row in order)
    bits = count = 0
    data = bytearray()
    for code, code_width in gif_codes(stream, code_bits):
        bits |= code << count
        count += code_width
        while count >= 8:
            data.append(bits & 255)
            bits, count = bits >> 8, count - 8
    data.append(bits & 255)
    blocks = b"".join(bytes([len(data[at:at + 255])]) + data[at:at + 255]
                      for at in range(0, len(data), 255))
    whole = b"GIF89a" + struct.pack("<HHBBB", width, height, 0 if local else flags, 0, 0)
    whole += b"" if local else colours
    whole += b"!\xfe\x03abc\x00!\xf9\x04\x00\x00\x00\x00\x00"
    whole += b"," + struct.pack("<HHHHB", 0, 0, width, height,
                                (flags if local else 0) | (0x40 if interlaced else 0))
    return whole + (colours if local else b"") + bytes([code_bits]) + blocks + b"\x00;"


def png_pixels(png):
    """Size, palette and rows of a PNG as ours are; each chunk's check sum holds."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, []
    while at < len(png):
        size, name = struct.unpack(">I4s", png[at:at + 8])
        data = png[at + 8:at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size:at + 12 + size])[0] == zlib.crc32(name + data)
        chunks.append((name, data))
        at += 12 + size
    assert [name for name, _ in chunks] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    assert (depth, kind) == (8, 3)
    rows = zlib.decompress(chunks[2][1])
    assert len(rows) == (width + 1) * height
    return width, height, chunks[1][1], b"".join(
        rows[row * (width + 1) + 1:(row + 1) * (width + 1)] for row in range(height))


def gif_converted(gif):
    with tempfile.NamedTemporaryFile("wb", suffix=".gif") as file, \
            tempfile.NamedTemporaryFile("rb", suffix=".png") as out:
        file.write(gif)
        file.flush()
        fine = probe.ask("gif", file.name, out.name)["fine"]
        return out.read() if fine else None


def a_gif_label_becomes_a_png_of_the_same_pixels():
    rng = random.Random(SEED)
    for width, height, code_bits, kind in [(1, 1, 2, {}), (7, 5, 2, {}), (64, 33, 4, {"local": True}),
                                           (200, 150, 8, {}), (61, 47, 8, {"interlaced": True}),
                                           (300, 200, 8, {"interlaced": True, "local": True})]:
        palette = [rng.randbytes(3) for _ in range(2 ** code_bits)]
        for colours in (2, 2 ** code_bits):
            pixels = bytes(rng.randrange(colours) for _ in range(width * height))
            gif = gif_of(width, height, pixels, palette, code_bits=code_bits, **kind)
            got = png_pixels(gif_converted(gif))
            assert got == (width, height, (b"".join(palette) + bytes(768))[:768], pixels)
            for _ in range(30):
                damaged_gif = bytearray(gif)
                damaged_gif[rng.randrange(len(gif))] = rng.randrange(256)
                png = gif_converted(bytes(damaged_gif))
                assert png is None or png_pixels(png)
            assert gif_converted(gif[:rng.randrange(6, len(gif) - 4)]) is None
    too_large = bytearray(gif_of(1, 1, b"\x00", palette))
    at = too_large.rindex(b",")
    too_large[at + 5:at + 9] = b"\xff\xff\xff\xff"
    assert gif_converted(bytes(too_large)) is None


def labels_are_told_by_their_bytes():
    answer = json.loads(sample("ups/ship/response-own-png.json"))
    parcel = answer["ShipmentResponse"]["ShipmentResults"]["PackageResults"]
    label = (parcel[0] if isinstance(parcel, list) else parcel)["ShippingLabel"]
    gif = base64.b64encode(gif_of(8, 8, bytes(64), [b"abc", b"def"])).decode()
    lines = "\r\n".join(gif[at:at + 76] for at in range(0, len(gif), 76))
    for said, content, wanted in [("GIF", gif, "PNG"), ("GIF", lines, "PNG"), ("PNG", gif, "PNG"),
                                  ("GIF", base64.b64encode(b"^XA^XZ").decode(), "ZPL"),
                                  ("EPL", base64.b64encode(b"N\nq800\n").decode(), None),
                                  ("SPL", base64.b64encode(b"GIF89a and no more").decode(), None),
                                  ("zpl", base64.b64encode(b"  ~SD30").decode(), "ZPL")]:
        label["ImageFormat"], label["GraphicImage"] = {"Code": said}, content
        got = read_value("ups", "ship", 200, answer)
        same(got, verdict="ANSWERED")
        labels = got["shipment"]["parcels"][0]["labels"]
        assert [one[0] for one in labels] == ([wanted] if wanted else []), (said, got)


# ---------------------------------------------------------------------------------------- FedEx

def fedex_rates():
    got = read("fedex/rate/response-own.json", "rate")
    assert [rate["amount"] for rate in got["rates"]] == ["USD 3854", "USD 8801"]
    same(got["rates"][0], service="FEDEX_GROUND", charges=3, estimated=1780603200)
    same(got["rates"][1], estimated=1780396200)
    abroad = json.loads(sample("fedex/rate/response-own.json").replace(b'"USD"', b'"UKL"'))
    assert [rate["amount"] for rate in read_value("fedex", "rate", 200, abroad)["rates"]] == [
        "GBP 3854", "GBP 8801"]
    yen = json.loads(sample("fedex/rate/response-own.json").replace(b'"USD"', b'"JYE"'))
    assert read_value("fedex", "rate", 200, yen)["rates"][0]["amount"] == "JPY 39"
    listed = {"rateType": "LIST", "totalNetCharge": 99.5, "currency": "USD"}
    ours = {"rateType": "ACCOUNT", "totalNetCharge": 88.0, "currency": "USD"}
    both = {"output": {"rateReplyDetails": [{"serviceType": "FEDEX_GROUND",
                                             "ratedShipmentDetails": [listed, ours]}]}}
    assert [one["amount"] for one in read_value("fedex", "rate", 200, both)["rates"]] == ["USD 8800"]
    ours["totalNetCharge"] = None  # what we pay is not known: what others pay would be wrong
    assert read_value("fedex", "rate", 200, both)["rates"] == []


def fedex_shipments():
    minimal = read("fedex/ship/response-minimal.json", "ship")
    same(minimal["shipment"], number="794644790138", charged="")
    own = read("fedex/ship/response-own-two-pieces.json", "ship")["shipment"]
    same(own, number="794644790138", charged="USD 4448", warnings=1)
    assert [parcel["labels"][0][0] for parcel in own["parcels"]] == ["PDF", "ZPL"]
    value = json.loads(sample("fedex/ship/response-own-two-pieces.json"))
    value["output"]["transactionShipments"][0]["pieceResponses"][0]["trackingNumber"] = None
    numberless = read_value("fedex", "ship", 200, value)["shipment"]  # its number is the whole's
    assert [one["number"] for one in numberless["parcels"]] == [one["number"] for one in own["parcels"]]
    same(read("fedex/ship/response-own-200-error.json", "ship"), verdict="REFUSED",
         code="SYSTEM.UNEXPECTED.ERROR")
    dated = json.loads(sample("fedex/ship/response-own-two-pieces.json"))
    made = dated["output"]["transactionShipments"][0]
    made.setdefault("completedShipmentDetail", {})["operationalDetail"] = {
        "commitDates": ["2026-06-03"], "publishedDeliveryTime": "2026-06-03T15:00:00"}
    same(read_value("fedex", "ship", 200, dated)["shipment"], estimated=1780498800)
    del made["completedShipmentDetail"]["operationalDetail"]["publishedDeliveryTime"]
    same(read_value("fedex", "ship", 200, dated)["shipment"], estimated=1780531199)
    alerted = {"output": {"alerts": [{"code": "VIRTUAL.RESPONSE", "message": "a test answer"}]}}
    same(read_value("fedex", "ship", 200, alerted), verdict="UNKNOWN", code="VIRTUAL.RESPONSE",
         message="a test answer")


def fedex_cancel_token_errors():
    same(read("fedex/cancel/response-own.json", "cancel"), verdict="ANSWERED")
    same(read("fedex/cancel/response-own-refused.json", "cancel"), verdict="REFUSED",
         message="Shipment has been tendered")
    same(read("fedex/oauth/token-own.json", "token"), token="abc", lifetime=3599)
    errors_by_endpoint(os.path.join(SAMPLES, "fedex/errors/errors-own.json"))


def errors_by_endpoint(path):
    wanted = {400: "REFUSED", 401: "UNAVAILABLE", 403: "UNAVAILABLE", 404: "NOT_FOUND",
              422: "REFUSED", 429: "THROTTLED", 500: "UNKNOWN", 503: "UNKNOWN"}
    with open(path, encoding="utf-8") as file:
        for key, value in json.load(file).items():
            status = int(key.split()[-1])
            got = read_value("fedex", "track", status, value)
            same(got, verdict=wanted.get(status, "REFUSED"))
            assert got["code"] and got["message"], f"{key}: {got}"


def fedex_tracking():
    got = read("fedex/track/response-own.json", "track")
    same(got, verdict="ANSWERED", delivered=1780588800, expected=1780621200)
    same(got["scans"][0], code="DL", time=1780588800, offset=-300, city="AUSTIN", facility="AUSA",
         description="Delivered: Left at front door")
    same(got["scans"][1], code="PU", offset=-9999)
    same(read("fedex/track/response-own-not-found.json", "track"), verdict="NOT_FOUND",
         code="TRACKING.TRACKINGNUMBER.NOTFOUND")
    bare = read("fedex/track/response-own-no-scans.json", "track")
    same(bare, verdict="ANSWERED", delivered=1780588800, expected=1780682400)
    same(bare["scans"][0], code="DL", time=1780588800, offset=-300, city="AUSTIN",
         description="Delivered", number="794644790138")
    same(bare["scans"][1], code="IT", time=1780405200, description="In transit")
    found = read("fedex/track/find-own-two-pieces.json", "find")["matches"]
    assert [(match["number"], len(match["parcels"]), match["voided"]) for match in found] == [
        ("794644790138", 2, False), ("986578788855", 1, True)]


def fedex_pushes_are_believed_by_their_bytes():
    notice = json.loads(sample("fedex/webhook/sample-out-for-delivery.json"))
    body, token = notice["rawBody"].encode(), notice["securityToken"]
    base64_form = notice["headers"]["fdx-signature(base64)"]
    hex_form = notice["headers"]["fdx-signature(hex)"]
    for signature in [base64_form, hex_form, hex_form.upper()]:
        got = push("fedex", "FDX-Signature", signature, body, token)
        same(got, verdict="SCANS")
        same(got["scans"][0], number="231300687629630", code="OD", city="GRIMES", offset=-300)
    for at in range(len(body)):
        altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        same(push("fedex", "fdx-signature", base64_form, altered, token), verdict="REFUSED", scans=[])
    for at in range(len(base64_form)):
        wrong = base64_form[:at] + ("A" if base64_form[at] != "A" else "B") + base64_form[at + 1:]
        same(push("fedex", "fdx-signature", wrong, body, token), verdict="REFUSED")
    same(push("fedex", "fdx-signature", base64_form, body, ""), verdict="REFUSED")
    same(push("fedex", "fdx-signature", signature_of(b"no json", token), b"no json", token),
         verdict="UNKNOWN_SHAPE")


# ------------------------------------------------------------------------------------------ DHL

def dhl_rates():
    got = read("dhl/rate/response-own.json", "rate")
    assert [(rate["service"], rate["amount"]) for rate in got["rates"]] == [
        ("P", "GBP 15795"), ("K", "KWD 12346")]
    same(got["rates"][0], charges=2, estimated=1780617540)


def dhl_shipments():
    own = read("dhl/ship/response-201-own.json", "ship", 201)["shipment"]
    same(own, number="3318810025", charged="USD 14750", warnings=2)
    assert [label[0] for label in own["labels"]] == ["PDF"]
    assert [[label[0] for label in parcel["labels"]] for parcel in own["parcels"]] == [[], ["ZPL"]]
    plain = {"shipmentTrackingNumber": 3318810025, "packages": [{"trackingNumber": "JD01"}],
             "documents": [{"imageFormat": "PDF", "content": "JVBERi0xLjQK"}]}
    bare = read_value("dhl", "ship", 201, plain)["shipment"]
    same(bare, number="3318810025", labels=[["PDF", 9]])  # a document without a type
    same(read("dhl/ship/response-201-own-inner-problem.json", "ship", 201), verdict="REFUSED",
         code="7120")
    same(read("dhl/ship/response-400-own.json", "ship", 400), verdict="REFUSED", code="998")
    same(read("dhl/ship/response-422-own.json", "ship", 422), verdict="REFUSED", code="422")
    same(read("dhl/ship/response-500-own.json", "ship", 500), verdict="UNKNOWN", code="999")
    same(read("dhl/errors/parcel-de-own.json", "ship", 400), verdict="REFUSED", code="400")
    same(read("dhl/ship/response-201-own.json", "cancel"), verdict="UNSUPPORTED")


def dhl_tracking():
    got = read("dhl/track/response-200-own.json", "track")
    same(got, verdict="ANSWERED", delivered=1780563600, expected=1780617540)
    same(got["scans"][0], code="PU", time=1780372581, offset=600, city="SYDNEY", country="AU",
         facility="SYD", number="3318810025")
    same(got["scans"][1], code="OK", offset=-9999, city="AUCKLAND")
    same(read("dhl/track/response-404-own.json", "track", 404), verdict="NOT_FOUND")
    found = read("dhl/track/find-own.json", "find")["matches"]
    assert [match["number"] for match in found] == ["3318810025", "3821724944"]
    unified = read("dhl/unified-track/response-own.json", "track")
    same(unified["scans"][0], number="7777777770", code="delivered", city="AMSTERDAM", country="NL")
    letters = read("dhl/unified-track/response-own-express-letters.json", "track")
    same(letters, delivered=0, expected=1780617599)  # a day alone: until its end
    assert [(scan["code"], scan["time"]) for scan in letters["scans"]] == [
        ("transit/ZZ", 1780520400), ("transit/PU", 1780509900), ("transit/WC", 1780555200)]
    assert letters["scans"][0]["description"] == (
        "Nobody knows these letters: The next step is up to the recipient")
    words = read("dhl/unified-track/response-own-words-only.json", "track")
    same(words, expected=1780574400)
    assert [(scan["code"], scan["city"]) for scan in words["scans"]] == [
        ("transit", "Bonn"), ("unknown", "Köln")]
    same(read("dhl/unified-track/error-own.json", "track", 404), verdict="NOT_FOUND")
    same(read("dhl/unified-track/error-own.json", "track", 200), verdict="NOT_FOUND", code="404")


def dhl_pushes_are_believed_with_the_token_only():
    body = sample("dhl/push/message-push-delivered.json")
    got = push("dhl", "x-dhl-token", "tok", body, "tok")
    same(got, verdict="SCANS")
    same(got["scans"][0], number="9356579890", code="delivered", city="AMSTERDAM", time=1782813600)
    same(push("dhl", "x-dhl-token", "tok", sample("dhl/push/message-validate.json"), "tok"),
         verdict="NOTICE", why="subscription.validate")
    same(push("dhl", "x-dhl-token", "tok", sample("dhl/push/message-own-strange.json"), "tok"),
         verdict="UNKNOWN_SHAPE")
    same(push("dhl", "x-dhl-token", "toK", body, "tok"), verdict="REFUSED", scans=[])


# ------------------------------------------------------------------------------------- requests

def written(carrier, operation, kind=0):
    request = probe.ask("write", carrier, operation, kind)
    assert not request["failed"], request
    if request["content_type"] == "application/json":
        request["json"] = json.loads(request["body"])
    return request


def requests_say_what_was_asked():
    token = written("fedex", "token")
    assert parse_qs(token["body"])["client_secret"] == ["secret&more"]
    ups = written("ups", "ship", 1)
    shipment = ups["json"]["ShipmentRequest"]["Shipment"]
    assert [package["PackageWeight"]["Weight"] for package in shipment["Package"]] == ["5.1", "1.1"]
    same(shipment["Package"][0]["Dimensions"], Length="13", Width="9", Height="5")
    declared = [package["PackageServiceOptions"]["DeclaredValue"]["MonetaryValue"]
                for package in shipment["Package"]]
    assert declared == ["77.51", "77.50"]
    product = shipment["ShipmentServiceOptions"]["InternationalForms"]["Product"][0]
    assert product["Unit"]["Number"] == "3" and product["Unit"]["Value"] == "51.67"
    reference = shipment["ReferenceNumber"][0]["Value"]
    assert reference.startswith("W") and len(reference) == 30  # order-4711:1 holds a ':'
    assert reference in written("ups", "find")["path"]
    fedex = written("fedex", "ship", 1)["json"]["requestedShipment"]
    assert [item["weight"]["value"] for item in fedex["requestedPackageLineItems"]] == [5.01, 1.01]
    assert fedex["requestedPackageLineItems"][0]["customerReferences"][0]["value"] == reference
    assert fedex["customsClearanceDetail"]["commodities"][0]["customsValue"]["amount"] == 155.01
    assert fedex["shipper"]["contact"]["companyName"] == 'Sender & Söhne "Co"'
    dhl = written("dhl", "ship", 1)["json"]
    assert [package["weight"] for package in dhl["content"]["packages"]] == [2.268, 0.454]
    assert dhl["customerReferences"] == [{"value": reference, "typeCode": "CU"}]
    assert dhl["content"]["declaredValue"] == 155.01
    assert dhl["outputImageProperties"]["encodingFormat"] == "pdf"
    void = written("ups", "cancel")
    assert void["method"] == "DELETE" and void["path"].endswith("/void/cancel/1Z%20A%2F2")
    assert probe.ask("write", "dhl", "cancel", 0)["failed"]  # there is none
    digest = hashlib.sha256(b"order-4711:1").digest()
    digits = base64.b32encode(digest).decode()
    assert reference == "W" + digits[1:30]  # for ever: a lost purchase is looked up by it


def returns_are_asked_for_as_each_carrier_calls_them():
    for kind in (2, 4):  # at home; from Hamburg, with all options
        for operation in ("rate", "ship"):
            fedex = written("fedex", operation, kind)["json"]["requestedShipment"]
            services = fedex["shipmentSpecialServices"]
            assert services["returnShipmentDetail"] == {"returnType": "PRINT_RETURN_LABEL"}
            assert services["specialServiceTypes"][0] == "RETURN_SHIPMENT"
            assert fedex["shipper"]["address"]["city"] == (
                "Timonium" if kind == 2 else "Hamburg")
            dhl = written("dhl", operation, kind)["json"]
            assert dhl["accounts"] == [{"typeCode": "shipper", "number": "A1B2C3"},
                                       {"typeCode": "payer", "number": "A1B2C3"}]
        # UPS: the account's owner is the shipper; of a return that is who gets it.
        rate = written("ups", "rate", kind)["json"]["RateRequest"]["Shipment"]
        ship = written("ups", "ship", kind)["json"]["ShipmentRequest"]["Shipment"]
        assert rate["ShipmentServiceOptions"]["ReturnService"]["Code"] == "9"
        assert ship["ReturnService"]["Code"] == "9"
        for shipment in (rate, ship):
            assert shipment["Shipper"]["Address"] == shipment["ShipTo"]["Address"]
            assert shipment["Shipper"]["Address"] != shipment["ShipFrom"]["Address"]
            assert shipment["Shipper"]["ShipperNumber"] == "A1B2C3"
        assert [package["Description"] for package in ship["Package"]] == ["Goods", "Goods"]
        assert "Description" not in rate["Package"][0]
    abroad = written("dhl", "ship", 4)["json"]
    assert abroad["customerDetails"]["shipperDetails"]["postalAddress"]["cityName"] == "Hamburg"
    assert abroad["content"]["exportDeclaration"]["exportReasonType"] == "return"
    assert abroad["content"]["exportDeclaration"]["lineItems"][0]["exportReasonType"] == "return"
    forms = written("ups", "ship", 4)["json"]["ShipmentRequest"]["Shipment"]
    assert forms["ShipmentServiceOptions"]["InternationalForms"]["ReasonForExport"] == "RETURN"
    for kind in (0, 1, 3):
        assert len(written("dhl", "ship", kind)["json"]["accounts"]) == 1
        assert "ReturnService" not in json.dumps(written("ups", "rate", kind)["json"])
        assert "RETURN_SHIPMENT" not in json.dumps(written("fedex", "rate", kind)["json"])


def rates_are_asked_for_with_the_options_that_are_bought():
    for operation in ("rate", "ship"):
        request = written("ups", operation, 4)["json"]
        shipment = request["RateRequest" if operation == "rate" else "ShipmentRequest"]["Shipment"]
        options = shipment["ShipmentServiceOptions"]
        assert options["SaturdayDeliveryIndicator"] == "Y"
        assert options["DeliveryConfirmation"]["DCISType"] == "1"  # abroad: of the whole
        declared = [package["PackageServiceOptions"]["DeclaredValue"]["MonetaryValue"]
                    for package in shipment["Package"]]
        assert declared == ["77.51", "77.50"]
        fedex = written("fedex", operation, 4)["json"]["requestedShipment"]
        assert "SATURDAY_DELIVERY" in fedex["shipmentSpecialServices"]["specialServiceTypes"]
        items = fedex["requestedPackageLineItems"]
        assert items[0]["declaredValue"] == {"amount": 155.01, "currency": "USD"}
        assert [item["packageSpecialServices"]["signatureOptionType"] for item in items] == ["DIRECT"] * 2
        services = written("dhl", operation, 4)["json"]["valueAddedServices"]
        assert services == [{"serviceCode": "II", "value": 155.01, "currency": "USD"},
                            {"serviceCode": "SF"}, {"serviceCode": "AA"}]
    plain = written("dhl", "rate", 0)["json"]
    assert "valueAddedServices" not in plain
    # Without customs it is what the parcels are worth, all of them.
    assert plain["monetaryAmount"] == [{"typeCode": "declaredValue", "value": 155.0, "currency": "USD"}]


def addresses_fit_without_becoming_others():
    """What is too long is broken between words or left out, never cut into something else."""
    wide = ["Care of the Department of Very Long Names", "Gebäude 7, Straße der Vereinten Nationen",
            "1234 Floor 3 Ring twice"]
    ups = written("ups", "ship", 5)["json"]["ShipmentRequest"]["Shipment"]["ShipTo"]
    same(ups["Address"], PostalCode="300051234", AddressLine=[
        "Care of the Department of Very Long", "Names Gebäude 7, Straße der", "Vereinten Nationen 1234 Floor 3"])
    assert "StateProvinceCode" not in ups["Address"] and "EMailAddress" not in ups
    assert ups["Phone"]["Number"] == "14105551234"
    fedex = written("fedex", "ship", 5)["json"]["requestedShipment"]["recipients"][0]
    same(fedex["address"], postalCode="30005-1234", streetLines=ups["Address"]["AddressLine"])
    assert "stateOrProvinceCode" not in fedex["address"]
    same(fedex["contact"], phoneNumber="14105551234",
         emailAddress="a.receiver.with.a.very.long.name.indeed@department.example.com")
    dhl = written("dhl", "ship", 5)["json"]["customerDetails"]["receiverDetails"]
    address = dhl["postalAddress"]
    assert [address[f"addressLine{at}"] for at in (1, 2, 3)] == wide
    same(address, postalCode="30005-1234", provinceCode="Georgia, the state in the south")
    plain = written("ups", "ship")["json"]["ShipmentRequest"]["Shipment"]["ShipTo"]["Address"]
    assert plain["AddressLine"] == ["123 Main Street", "Floor 2"]


CHECKER = r'''
import json, sys, yaml, jsonschema
from jsonschema import Draft4Validator, RefResolver
cases = json.load(sys.stdin)
documents, wrong = {}, []
for case in cases:
    path = case["spec"]
    if path not in documents:
        documents[path] = yaml.load(open(path, encoding="utf-8").read().replace("\t", "  "),
                                    Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    document = documents[path]
    operation = document["paths"][case["path"]][case["method"].lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft4Validator(schema, resolver=RefResolver("", document))
    for error in validator.iter_errors(case["json"]):
        at = "/".join(str(part) for part in error.absolute_path)
        if not any(known in at + ": " + error.message for known in case["known"]):
            wrong.append(f"{case['name']}: {at}: {error.message[:300]}")
print(json.dumps(wrong))
'''


def requests_are_valid_by_the_openapi_documents():
    python = outside_tools.python_with("jsonschema==4.23.0", "PyYAML==6.0.2")
    spec = {
        ("ups", "rate"): ("ups/spec/Rating.yaml", "/rating/{version}/{requestoption}", "post"),
        ("ups", "ship"): ("ups/spec/Shipping.yaml", "/shipments/{version}/ship", "post"),
        ("ups", "label"): ("ups/spec/Shipping.yaml", "/labels/{version}/recovery", "post"),
        ("fedex", "rate"): ("fedex/spec/rate.json", "/rate/v1/rates/quotes", "post"),
        ("fedex", "ship"): ("fedex/spec/ship.json", "/ship/v1/shipments", "post"),
        ("fedex", "cancel"): ("fedex/spec/ship.json", "/ship/v1/shipments/cancel", "put"),
        ("fedex", "track"): ("fedex/spec/track.json", "/track/v1/trackingnumbers", "post"),
        ("fedex", "find"): ("fedex/spec/track.json", "/track/v1/referencenumbers", "post"),
        ("dhl", "rate"): ("dhl/spec/mydhl-express-3.1.1.yaml", "/rates", "post"),
        ("dhl", "ship"): ("dhl/spec/mydhl-express-3.1.1.yaml", "/shipments", "post"),
    }
    # Where a document contradicts its own prose: label recovery wants either number or reference,
    # four letters for "PDF", and eight characters for any amount.
    known = ["'TrackingNumbers' is a required", "'ReferenceValues' is a required",
             "MonetaryValue: '77.5", "LabelImageFormat/Code: 'PDF' is too short",
             "is not a multiple of 0.001"]  # binary fractions of decimals such as 2.268
    cases = []
    for (carrier, operation), (path, url, method) in spec.items():
        for kind in range(6):
            request = written(carrier, operation, kind)
            cases.append({"name": f"{carrier} {operation} {kind}", "spec": os.path.join(MORE, path),
                          "path": url, "method": method, "json": request["json"], "known": known})
    done = subprocess.run([python, "-c", CHECKER], input=json.dumps(cases), text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    wrong = json.loads(done.stdout)
    assert not wrong, "\n".join(wrong[:40])


# -------------------------------------------------------------------------------------- variants

def with_more_fields(node):
    """Fields that nobody has heard of, in each object."""
    if isinstance(node, list):
        return [with_more_fields(value) for value in node]
    if not isinstance(node, dict):
        return node
    more = {"aNewField": {"Code": "9", "value": [1, None, "x"]}, "anotherOne": None}
    return {**more, **{key: with_more_fields(value) for key, value in node.items()}}


NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})([.][0-9]{1,6})?")


def with_numbers_as_strings(node):
    if isinstance(node, dict):
        return {key: with_numbers_as_strings(value) for key, value in node.items()}
    if isinstance(node, list):
        return [with_numbers_as_strings(value) for value in node]
    if isinstance(node, (int, float)) and not isinstance(node, bool):
        return str(node)
    return node


def with_amounts_as_numbers(node, key=""):
    """Amounts and weights that came as strings come as numbers."""
    if isinstance(node, dict):
        return {name: with_amounts_as_numbers(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [with_amounts_as_numbers(value, key) for value in node]
    if key in ("MonetaryValue", "Weight", "totalNetCharge", "expires_in", "price", "amount") and \
            isinstance(node, str) and NUMBER.fullmatch(node):
        return float(node) if "." in node else int(node)
    return node


def without_lists_of_one(node):
    """UPS writes a list of one as its element."""
    if isinstance(node, dict):
        return {key: without_lists_of_one(value) for key, value in node.items()}
    if isinstance(node, list):
        values = [without_lists_of_one(value) for value in node]
        return values[0] if len(values) == 1 and isinstance(values[0], dict) else values
    return node


def with_lists_for_objects(node, depth=0):
    """And an object as a list of one."""
    if isinstance(node, dict):
        made = {key: with_lists_for_objects(value, depth + 1) for key, value in node.items()}
        return [made] if depth > 1 else made
    if isinstance(node, list):
        return [value if not isinstance(value, dict) else
                {key: with_lists_for_objects(inner, depth + 2) for key, inner in value.items()}
                for value in node]
    return node


def what_carriers_vary_unasked_changes_nothing():
    variants = [with_more_fields, with_numbers_as_strings, with_amounts_as_numbers,
                without_lists_of_one, with_lists_for_objects]
    different = []
    for short in answers(SAMPLES):
        carrier, operation = short.split("/")[0], operation_of(short)
        found = re.search(r"response-(\d{3})", short)
        status = int(found.group(1)) if found else 200
        value = json.loads(sample(short))
        plain = read_value(carrier, operation, status, value)
        for vary in variants:
            got = read_value(carrier, operation, status, vary(value))
            if got != plain:
                different.append(f"{short} {vary.__name__}: {str(got)[:300]} not {str(plain)[:300]}")
    assert not different, "\n".join(different)


def a_multi_status_is_judged_by_what_is_in_it():
    one = json.loads(sample("dhl/errors/parcel-de-own-ok.json"))
    plain = read_value("dhl", "ship", 200, one)
    same(read_value("dhl", "ship", 207, one), verdict=plain["verdict"], message=plain["message"])
    refused = json.loads(sample("dhl/errors/parcel-de-own.json"))
    same(read_value("dhl", "ship", 207, refused), verdict="REFUSED", code="400")
    good = json.loads(sample("dhl/ship/response-201-own.json"))
    assert read_value("dhl", "ship", 207, good) == read_value("dhl", "ship", 201, good)


def push_bodies(root):
    for path in sorted(glob.glob(os.path.join(root, "*", "webhook", "*.json")) +
                       glob.glob(os.path.join(root, "*", "push", "*.json"))):
        short = os.path.relpath(path, root)
        if not re.search(r"contract|subscribe|request", short):
            with open(path, "rb") as file:
                body = file.read()
            notice = json.loads(body)
            raw = notice.get("rawBody") if isinstance(notice, dict) else None
            yield short, body if raw is None else raw.encode()


def pushes_vary_too_and_end_in_a_clear_outcome():
    rng = random.Random(SEED)
    for short, body in push_bodies(SAMPLES):
        carrier, value = short.split("/")[0], json.loads(body)
        plain = believed_push(carrier, body)
        more = believed_push(carrier, json.dumps(with_more_fields(value)).encode())
        assert more == plain, f"{short}: {more} not {plain}"
        for _ in range(60):
            got = believed_push(carrier, json.dumps(damaged(value, rng)).encode())
            assert got["verdict"] in ("SCANS", "NOTICE", "UNKNOWN_SHAPE"), f"{short}: {got}"
            assert got["verdict"] != "UNKNOWN_SHAPE" or got["why"], f"{short}: {got}"
        for _ in range(10):
            got = believed_push(carrier, body[:rng.randrange(len(body.rstrip()))])
            same(got, verdict="UNKNOWN_SHAPE")


# --------------------------------------------------------------------------------------- damage

OPERATIONS = [("rate", "rate"), ("label", "label"), ("find", "find"), ("track", "track"),
              ("ship", "ship"), ("void", "cancel"), ("cancel", "cancel"), ("oauth", "token")]


def operation_of(path):
    name = os.path.basename(path)
    if name.startswith("label") or "label-recovery" in name:
        return "label"
    if name.startswith("find"):
        return "find"
    for part, operation in OPERATIONS:
        if part in os.path.dirname(path):
            return operation
    return "ship"


def answers(root):
    for path in sorted(glob.glob(os.path.join(root, "*", "*", "*.json"))):
        short = os.path.relpath(path, root)
        if re.search(r"/spec/|/tables/|/labels/|/request|_request|-request\.|Request\.|/webhook/|/push/|"
                     r"timelines|errors-", short):
            continue
        yield short


def damaged(value, rng):
    """One thing of the tree made null, missing, of another type, or wrapped in an array."""
    value = copy.deepcopy(value)
    places = []

    def walk(node):
        for key in (node if isinstance(node, dict) else range(len(node))):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    if isinstance(value, (dict, list)):
        walk(value)
    if not places:
        return None
    node, key = rng.choice(places)
    kind = rng.randrange(8)
    if kind == 0 and isinstance(node, dict):
        del node[key]
    else:
        node[key] = [None, [], {}, [node[key]], 9e99, "", {"x": node[key]}, -1][kind]
    return value


def damaged_answers_end_in_a_clear_outcome():
    rng = random.Random(SEED)
    print(f"# WAYBILL_SEED={SEED}")
    for short in answers(SAMPLES):
        carrier, text = short.split("/")[0], sample(short).decode()
        if len(text) > 100_000:
            continue
        value = json.loads(text)
        for _ in range(60):
            got = read_value(carrier, operation_of(short), 200, damaged(value, rng))
            assert got["verdict"] in VERDICTS, got
            if got["verdict"] not in ("ANSWERED",):
                assert got["message"] or got["code"], f"{short}: {got}"
        for _ in range(10):
            got = read_value(carrier, operation_of(short), 200, text[:rng.randrange(len(text.rstrip()))])
            same(got, verdict="UNKNOWN")


def a_body_that_is_no_json_is_judged_by_its_status():
    for carrier in ("ups", "fedex", "dhl"):
        for status, verdict in [(200, "UNKNOWN"), (502, "UNKNOWN"), (400, "REFUSED"),
                                (429, "THROTTLED"), (404, "NOT_FOUND"), (401, "UNAVAILABLE")]:
            for body in ("<html>Bad gateway</html>", "", "[", "\x00"):
                same(read_value(carrier, "ship", status, body), verdict=verdict)


def without_memory_an_answer_is_whole_or_unknown():
    """Never another answer, unless its arena tells; never a no to what was done."""
    tries = 0
    for folder in [SAMPLES] + ([MORE] if MORE else []):
        for short in answers(folder):
            if short.split("/")[0] not in ("ups", "fedex", "dhl"):
                continue
            got = probe.ask("memory", short.split("/")[0], operation_of(short), 200,
                            os.path.join(folder, short))
            assert got["tries"] >= 2 and got["untold"] == 0 and got["denied"] == 0, f"{short}: {got}"
            tries += got["tries"]
    print(f"# {tries} tries")


def pushes_of_another_folder_are_read():
    count = 0
    for short, body in push_bodies(MORE):
        if short.split("/")[0] not in PUSH_HEADERS:
            continue
        got = believed_push(short.split("/")[0], body)
        print(f"# {short}: {got['verdict']} {got['why']}")
        assert got["verdict"] in ("SCANS", "NOTICE"), f"{short}: {got}"
        count += 1
    assert count > 0


def answers_of_another_folder_are_read():
    count = 0
    for short in answers(MORE):
        carrier = short.split("/")[0]
        if carrier not in ("ups", "fedex", "dhl"):
            continue
        found = re.search(r"response-(\d{3})", short)
        status = int(found.group(1)) if found else 200
        got = probe.ask("read", carrier, operation_of(short), status, os.path.join(MORE, short))
        good = status < 300 and not re.search(r"error|warning|not-found|validatedataonly|/pickup/|"
                                              r"/address/|parcel-de|timeintransit", short)
        assert got["verdict"] in VERDICTS
        print(f"# {short}: {got['verdict']} {got['code']} {got['message'][:60]}")
        if good:
            same(got, verdict="ANSWERED")
        elif "warning" not in short and re.search(r"error|response-[45]", short):
            assert got["verdict"] != "ANSWERED" and got["message"], f"{short}: {got}"
        count += 1
    for path in glob.glob(os.path.join(MORE, "fedex", "errors-by-endpoint.json")):
        errors_by_endpoint(path)
    assert count > 0


tap.run([ups_rates, nothing_is_carried_for_nothing, ups_shipments, ups_void_token_errors, ups_tracking,
         ups_promises_and_scans_of_all_shapes, every_cause_of_a_refusal_is_told,
         a_gif_label_becomes_a_png_of_the_same_pixels, labels_are_told_by_their_bytes,
         ups_pushes_are_believed_with_the_credential_only, fedex_rates, fedex_shipments,
         fedex_cancel_token_errors, fedex_tracking, fedex_pushes_are_believed_by_their_bytes,
         dhl_rates, dhl_shipments, dhl_tracking, dhl_pushes_are_believed_with_the_token_only,
         requests_say_what_was_asked, addresses_fit_without_becoming_others, returns_are_asked_for_as_each_carrier_calls_them,
         rates_are_asked_for_with_the_options_that_are_bought,
         what_carriers_vary_unasked_changes_nothing,
         a_multi_status_is_judged_by_what_is_in_it, pushes_vary_too_and_end_in_a_clear_outcome,
         damaged_answers_end_in_a_clear_outcome, a_body_that_is_no_json_is_judged_by_its_status,
         without_memory_an_answer_is_whole_or_unknown,
         *([requests_are_valid_by_the_openapi_documents, answers_of_another_folder_are_read,
            pushes_of_another_folder_are_read] if MORE else [])])
