#!/usr/bin/python3
"""Goal: every bad field of every request is refused with its path, garbage is refused or cut, and
nothing of it has an effect.

Method: for each method a good request; for each field of it, from the descriptor, the bad values its
kind can have, written as wire bytes where a library would refuse to send them. The list of methods is
the service descriptor's, so that a new method fails here until it has a good request.
"""

import os
import random
import shutil
import socket
import sys
import tempfile

import grpc
from google.protobuf.descriptor import FieldDescriptor as Field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import inventory, reason_of, violations_of  # noqa: E402

SERVICE = inventory.DESCRIPTOR.services_by_name["InventoryService"]

GOOD = {
    "ReceiveStock": inventory.ReceiveStockRequest(receipt_id="bad-1", sku="S", quantity=5),
    "AdjustStock": inventory.AdjustStockRequest(
        adjustment_id="bad-1", sku="S", delta=1, reason=inventory.ADJUSTMENT_REASON_COUNT, note="n"),
    "SetStockPolicy": inventory.SetStockPolicyRequest(sku="S", low_stock_threshold=1),
    "GetStock": inventory.GetStockRequest(sku="S"),
    "BatchGetStock": inventory.BatchGetStockRequest(skus=["S", "T"]),
    "ListStock": inventory.ListStockRequest(
        state=inventory.STOCK_STATE_IN_STOCK, page_size=10),
    "Reserve": inventory.ReserveRequest(
        reservation_id="bad-1", order_id="o", customer_id="c",
        lines=[inventory.ReserveLine(sku="S", quantity=1)]),
    "Commit": inventory.CommitRequest(
        reservation_id="bad-1", lines=[inventory.CommitLine(sku="S", quantity=1)]),
    "BatchReserve": inventory.BatchReserveRequest(requests=[inventory.ReserveRequest(
        reservation_id="bad-1", lines=[inventory.ReserveLine(sku="S", quantity=1)])]),
    "ReturnStock": inventory.ReturnStockRequest(
        return_id="bad-1", reservation_id="bad-1", reason=inventory.RETURN_REASON_OTHER,
        lines=[inventory.ReturnLine(sku="S", quantity=1)]),
    "ExtendReservation": inventory.ExtendReservationRequest(reservation_id="bad-1"),
    "ListReservations": inventory.ListReservationsRequest(
        order_id="o", customer_id="c", sku="S", state=inventory.RESERVATION_STATE_PENDING,
        page_size=10),
    "Rollback": inventory.RollbackRequest(reservation_id="bad-1"),
    "GetReservation": inventory.GetReservationRequest(reservation_id="bad-1"),
    "ListStockEntries": inventory.ListStockEntriesRequest(sku="S", page_size=10),
    "VerifyLedger": inventory.VerifyLedgerRequest(),
}
GOOD["Reserve"].ttl.seconds = 60
GOOD["ExtendReservation"].ttl.seconds = 60

# Fields that may be left out (absent has a meaning), by message.
MAY_BE_ABSENT = {
    "SetStockPolicyRequest": {"low_stock_threshold", "safety_stock", "backorder_limit",
                              "reservation_quantity_max", "expected_revision"},
    "ListStockRequest": {"state", "page_size", "page_token"},
    "AdjustStockRequest": {"note", "expected_revision"},
    "ReserveRequest": {"order_id", "customer_id", "ttl", "allow_partial"},
    "CommitRequest": {"lines", "retake_if_expired"},
    "ListReservationsRequest": {"order_id", "customer_id", "sku", "state", "page_size",
                                "page_token"},
    "ListStockEntriesRequest": {"page_size", "page_token"},
}
# Fields whose negative value is good.
MAY_BE_NEGATIVE = {("AdjustStockRequest", "delta")}
# Fields without an upper limit of their own.
MAY_BE_HUGE = {("AdjustStockRequest", "expected_revision"),
               ("SetStockPolicyRequest", "expected_revision")}
# Enums that may be unspecified.
MAY_BE_UNSPECIFIED = {("ListStockRequest", "state"), ("ListReservationsRequest", "state")}

# Methods that stream have their bad messages in tests/e2e/inventory_streams_test.py.
STREAMS = {method.name for method in SERVICE.methods
           if method.name.endswith("Stream") or method.name.startswith("Watch")}

holder = {}


def stub(method, raw=True):
    return waybill_server.inventory_method(holder["channel"], method, raw=raw)


def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field_bytes(field, value):
    """One field on the wire; bytes are sent as they are, also where they are no UTF-8."""
    if isinstance(value, bytes):
        return varint(field.number << 3 | 2) + varint(len(value)) + value
    return varint(field.number << 3) + varint(value)


def refused(method, data, field):
    """The call answers INVALID_ARGUMENT INVALID_FIELD and names the field."""
    try:
        answer = stub(method)(data, timeout=30)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (method, field, error)
        reason = reason_of(error)
        if field == "page_token" and reason == "PAGE_TOKEN_INVALID":
            return
        assert reason == "INVALID_FIELD", (method, field, reason, error.details())
        paths = violations_of(error)
        assert any(path == field or path.startswith(field) for path in paths), (field, paths)
        return
    raise AssertionError(f"{method} took a bad {field}: {answer}")


def without(message, field):
    copy = type(message)()
    copy.CopyFrom(message)
    copy.ClearField(field.name)
    return copy.SerializeToString()


def bad_values(message, field):
    """What this field must refuse, as wire values."""
    key = (message.DESCRIPTOR.name, field.name)
    if field.type == Field.TYPE_STRING:
        yield "too long", b"x" * 300
        yield "not UTF-8", b"a\xff\xfe"
        yield "cut UTF-8", b"a\xc3"
        yield "NUL", b"a\0b"
        if field.name != "note":
            yield "control character", b"a\x01b"
        if field.name.endswith("_id") or field.name in ("sku", "skus"):
            yield "outer space", b" a "
        if field.name.endswith("_id"):
            yield "wrong character", b"a/b"
    elif field.type in (Field.TYPE_INT64, Field.TYPE_INT32):
        if key not in MAY_BE_NEGATIVE:
            yield "negative", -1
        if key not in MAY_BE_HUGE:
            yield "huge", 10**12 + 1 if field.type == Field.TYPE_INT64 else 2**31 - 1
            yield "largest", 2**63 - 1 if field.type == Field.TYPE_INT64 else 1001
        yield "smallest", -(2**63) if field.type == Field.TYPE_INT64 else -(2**31)
    elif field.type == Field.TYPE_ENUM:
        if key not in MAY_BE_UNSPECIFIED:
            yield "unspecified", 0
        yield "unknown", 9999
        yield "negative", -1


def every_method_is_in_the_table():
    assert {method.name for method in SERVICE.methods} == set(GOOD) | STREAMS


def bad_fields_are_refused_with_their_path():
    tried = 0
    for method, message in GOOD.items():
        optional = MAY_BE_ABSENT.get(message.DESCRIPTOR.name, set())
        for field in message.DESCRIPTOR.fields:
            if field.name not in optional:
                refused(method, without(message, field), field.name)
                tried += 1
            for _, value in bad_values(message, field):
                # The last of several occurrences counts, so a bad one after a good one is refused.
                refused(method, message.SerializeToString() + field_bytes(field, value), field.name)
                tried += 1
    print(f"# {tried} bad requests")
    assert tried > 90


def bad_lines_are_refused_with_their_place():
    for method, kind in (("Reserve", inventory.ReserveLine), ("Commit", inventory.CommitLine),
                         ("ReturnStock", inventory.ReturnLine)):
        lines = GOOD[method].DESCRIPTOR.fields_by_name["lines"]
        for field in kind.DESCRIPTOR.fields:
            for _, value in bad_values(kind(), field):
                good = kind(sku="S", quantity=1)
                bad = good.SerializeToString() + field_bytes(field, value)
                refused(method, GOOD[method].SerializeToString() + field_bytes(lines, bad),
                        f"lines[1].{field.name}")
        many = GOOD[method].SerializeToString() + 100 * field_bytes(
            lines, kind(sku="S", quantity=1).SerializeToString())
        refused(method, many, "lines")


def sums_of_lines_are_bounded():
    request = inventory.ReserveRequest(reservation_id="bad-1")
    for _ in range(2):
        request.lines.add(sku="S", quantity=10**12)
    refused("Reserve", request.SerializeToString(), "lines[0].quantity")


def time_to_live_has_its_range():
    for seconds, nanos in ((0, 0), (0, 999999000), (31 * 86400, 1000), (2**62, 0), (-1, 0), (5, -1),
                           (5, 10**9), (-(2**63), 0)):
        for method in ("Reserve", "ExtendReservation"):
            request = type(GOOD[method])()
            request.CopyFrom(GOOD[method])
            request.ttl.seconds, request.ttl.nanos = seconds, nanos
            refused(method, request.SerializeToString(), "ttl")


def all_violations_are_told_at_once():
    request = inventory.ReserveRequest(reservation_id="a b", order_id="x" * 65)
    request.lines.add(sku="", quantity=0)
    try:
        stub("Reserve", raw=False)(request)
        raise AssertionError("taken")
    except grpc.RpcError as error:
        assert set(violations_of(error)) == {
            "reservation_id", "order_id", "lines[0].sku", "lines[0].quantity"}, violations_of(error)


def bytes_that_are_no_message_are_malformed():
    good = GOOD["Reserve"].SerializeToString()
    cases = [good[:cut] for cut in (1, 5, len(good) - 1)]
    cases += [b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f", b"\x07", b"\x0b\x0c", b"\x00\x01",
              b"\x08" * 3, b"\x22\x02\x0a\x05"]
    for data in cases:
        try:
            stub("Reserve")(data, timeout=30)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (data, error)
            assert reason_of(error) == "MALFORMED_MESSAGE", (data, reason_of(error))
            continue
        raise AssertionError(f"took {data!r}")


def random_bytes_never_stop_the_server():
    chance = random.Random(7)
    good = [message.SerializeToString() for message in GOOD.values()]
    calls = []
    for number in range(3000):
        data = bytearray(chance.choice(good) * chance.randint(1, 3))
        for _ in range(chance.randint(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        method = chance.choice([name for name in GOOD if name != "VerifyLedger"])
        calls.append(stub(method).future(bytes(data), timeout=60))
        if len(calls) == 100:
            for call in calls:
                call.exception()  # any answer will do
            calls.clear()
    the_server_is_well()


def a_message_beyond_the_limit_is_refused():
    try:
        stub("Reserve")(b"\x0a" + varint(2 << 20) + b"x" * (2 << 20), timeout=30)
        raise AssertionError("taken")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
        assert reason_of(error) == "MESSAGE_TOO_LARGE", reason_of(error)


def garbage_on_the_socket_is_cut():
    host, port = holder["server"].listen.rsplit(":", 1)
    chance = random.Random(11)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for number in range(200):
        with socket.create_connection((host, int(port)), 10) as peer:
            peer.settimeout(10)
            start = preface if number % 2 else b""
            try:
                peer.sendall(start + chance.randbytes(chance.randint(1, 4000)))
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass
            except ConnectionError:
                pass
    the_server_is_well()


def the_server_is_well():
    answer = stub("GetStock", raw=False)(inventory.GetStockRequest(sku="S"), timeout=30)
    assert answer.stock.sku == "S"


def refused_requests_had_no_effect():
    stock = stub("GetStock", raw=False)(inventory.GetStockRequest(sku="S")).stock
    assert (stock.on_hand, stock.reserved, stock.revision) == (100, 0, 1), stock
    report = stub("VerifyLedger", raw=False)(inventory.VerifyLedgerRequest())
    assert (report.entries, len(report.mismatches)) == (1, 0), report


def the_ledger_still_balances():
    report = stub("VerifyLedger", raw=False)(inventory.VerifyLedgerRequest())
    assert not report.mismatches, report


def main():
    data = tempfile.mkdtemp(prefix="waybill-bad-")
    try:
        with waybill_server.Server(data) as server:
            holder["server"] = server
            holder["channel"] = waybill_server.channel_to(server.listen)
            stub("ReceiveStock", raw=False)(
                inventory.ReceiveStockRequest(receipt_id="first", sku="S", quantity=100))
            tap.run([
                every_method_is_in_the_table,
                bad_fields_are_refused_with_their_path,
                bad_lines_are_refused_with_their_place,
                sums_of_lines_are_bounded,
                time_to_live_has_its_range,
                all_violations_are_told_at_once,
                bytes_that_are_no_message_are_malformed,
                refused_requests_had_no_effect,
                random_bytes_never_stop_the_server,
                a_message_beyond_the_limit_is_refused,
                garbage_on_the_socket_is_cut,
                the_ledger_still_balances,
            ])
    finally:
        shutil.rmtree(data, ignore_errors=True)


main()
