#!/usr/bin/python3
"""Goal: WatchStock tells the present stock, then every change; nothing is missed across a cut stream or
a killed server, and who is slow gets the latest of each SKU instead of everything.

Method: grpcio against a server of the test's own; what a watcher last heard of a SKU is compared with
what GetStock says.
"""

import os
import shutil
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import inventory, reason_of, violations_of  # noqa: E402

PATH = "/waybill.inventory.v1.InventoryService/"
holder = {}


def ask(method, request):
    return waybill_server.inventory_method(holder["channel"], method)(request, timeout=60)


def receive(sku, quantity, receipt_id):
    return ask("ReceiveStock", inventory.ReceiveStockRequest(
        receipt_id=receipt_id, sku=sku, quantity=quantity)).stock


def reserve(reservation_id, *lines):
    return ask("Reserve", inventory.ReserveRequest(
        reservation_id=reservation_id,
        lines=[inventory.ReserveLine(sku=sku, quantity=quantity) for sku, quantity in lines]))


def stock(sku):
    return ask("GetStock", inventory.GetStockRequest(sku=sku)).stock


def watch(*skus, cursor="", channel=None):
    call = (channel or holder["channel"]).unary_stream(
        PATH + "WatchStock",
        request_serializer=inventory.WatchStockRequest.SerializeToString,
        response_deserializer=inventory.WatchStockResponse.FromString)
    return call(inventory.WatchStockRequest(skus=skus, cursor=cursor), timeout=60)


def read_until(stream, sku, revision):
    """All messages up to the one that has that revision of the SKU, or a later one."""
    messages = []
    for message in stream:
        messages.append(message)
        if message.stock.sku == sku and message.stock.revision >= revision:
            return messages
    raise AssertionError("the stream ended")


def read_until_cause(stream, cause):
    """All messages up to the one with that cause. One before it may have its stock already: what is
    told is the stock of the moment, not of the event."""
    messages = []
    for message in stream:
        messages.append(message)
        if message.cause == cause:
            return messages
    raise AssertionError("the stream ended")


def the_present_comes_first_and_then_each_change():
    for i in range(600):  # several pages
        receive(f"P-{i:03}", i + 1, f"p-{i}")
    stream = watch()
    present = [next(stream) for _ in range(600)]
    assert [one.stock.sku for one in present] == [f"P-{i:03}" for i in range(600)]
    assert all(one.stock.on_hand == i + 1 and one.cause == "" for i, one in enumerate(present))
    assert all(one.cursor == "" for one in present[:-1]) and present[-1].cursor != ""
    reserve("first", ("P-005", 2), ("P-007", 3))
    changes = [next(stream), next(stream)]
    assert {one.stock.sku for one in changes} == {"P-005", "P-007"}
    assert all(one.cause == "StockReserved" for one in changes), changes
    assert changes[0].stock == stock(changes[0].stock.sku)
    receive("NEW", 1, "new")
    message = next(stream)
    assert (message.stock.sku, message.cause) == ("NEW", "StockReceived")
    stream.cancel()


def only_what_is_wanted_is_told():
    stream = watch("P-010", "P-011", "NEVER", "P-010")
    assert [next(stream).stock.sku for _ in range(2)] == ["P-010", "P-011"]
    reserve("others", ("P-020", 1), ("P-011", 1))
    receive("P-021", 1, "others")
    ask("Rollback", inventory.RollbackRequest(reservation_id="others"))
    messages = read_until_cause(stream, "ReservationRolledBack")
    assert {one.stock.sku for one in messages} == {"P-011"}, messages
    assert messages[-1].stock == stock("P-011")
    receive("NEVER", 5, "never")
    message = next(stream)
    assert (message.stock.sku, message.stock.on_hand) == ("NEVER", 5)
    stream.cancel()


def every_kind_of_change_is_told():
    receive("KINDS", 10, "kinds")
    stream = watch("KINDS")
    next(stream)
    causes = []
    for step in (
            lambda: reserve("k-1", ("KINDS", 2)),
            lambda: ask("Commit", inventory.CommitRequest(reservation_id="k-1")),
            lambda: ask("ReturnStock", inventory.ReturnStockRequest(
                return_id="k-r", reservation_id="k-1",
                lines=[inventory.ReturnLine(sku="KINDS", quantity=1)],
                reason=inventory.RETURN_REASON_CUSTOMER)),
            lambda: ask("AdjustStock", inventory.AdjustStockRequest(
                adjustment_id="k-a", sku="KINDS", delta=-1,
                reason=inventory.ADJUSTMENT_REASON_LOSS)),
            lambda: reserve("k-2", ("KINDS", 1)),
            lambda: ask("Rollback", inventory.RollbackRequest(reservation_id="k-2"))):
        step()
        messages = read_until(stream, "KINDS", stock("KINDS").revision)
        assert messages[-1].stock == stock("KINDS")
        causes.append(messages[-1].cause)
    assert causes == ["StockReserved", "StockCommitted", "StockReturned", "StockAdjusted",
                      "StockReserved", "ReservationRolledBack"], causes
    stream.cancel()


def a_hold_that_expires_is_told():
    receive("SHORT", 3, "short")
    stream = watch("SHORT")
    next(stream)
    request = inventory.ReserveRequest(
        reservation_id="short", lines=[inventory.ReserveLine(sku="SHORT", quantity=1)])
    request.ttl.seconds = 1
    ask("Reserve", request)
    messages = read_until_cause(stream, "ReservationExpired")
    assert messages[-1].stock.available == 3
    stream.cancel()


def a_cut_stream_goes_on_behind_its_cursor():
    receive("CUT", 1000, "cut")
    stream = watch("CUT")
    message = next(stream)
    for i in range(50):
        stream.cancel()
        reserve(f"cut-{i}", ("CUT", 1))
        stream = watch("CUT", cursor=message.cursor)
        message = read_until(stream, "CUT", i + 2)[-1]
        assert message.stock == stock("CUT"), (i, message)
    stream.cancel()


def who_is_slow_gets_the_latest():
    receive("BUSY", 10**6, "busy")
    channel = grpc.insecure_channel(holder["server"].listen, options=[
        ("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1024)])
    stream = watch("BUSY", channel=channel)
    next(stream)
    requests = [inventory.ReserveRequest(
        reservation_id=f"busy-{i}", lines=[inventory.ReserveLine(sku="BUSY", quantity=1)])
                for i in range(20000)]
    for at in range(0, len(requests), 1000):
        ask("BatchReserve", inventory.BatchReserveRequest(requests=requests[at:at + 1000]))
    last = stock("BUSY")
    assert last.reserved == 20000
    messages = read_until(stream, "BUSY", last.revision)
    assert messages[-1].stock == last
    assert len(messages) < 20000, len(messages)
    revisions = [one.stock.revision for one in messages]
    assert revisions == sorted(revisions)
    stream.cancel()
    channel.close()


def many_watchers_see_the_same_end():
    receive("CROWD", 10**6, "crowd")
    ends = []

    def follow():
        stream = watch("CROWD")
        ends.append(read_until(stream, "CROWD", 201)[-1].stock)
        stream.cancel()

    threads = [threading.Thread(target=follow) for _ in range(40)]
    for thread in threads:
        thread.start()
    for i in range(200):
        reserve(f"crowd-{i}", ("CROWD", 1))
    for thread in threads:
        thread.join()
    assert len(ends) == 40 and all(one.reserved == 200 for one in ends), ends


def a_cursor_outlives_a_killed_server():
    receive("KILLED", 10, "killed")
    stream = watch("KILLED")
    cursor = next(stream).cursor
    reserve("killed-1", ("KILLED", 4))
    holder["server"].kill()
    holder["server"].__exit__(None, None, None)
    begin()
    message = next(watch("KILLED", cursor=cursor))
    assert (message.stock.reserved, message.cause) == (4, "StockReserved"), message


def bad_requests_are_refused():
    for skus in (["A", "", " B"], ["x" * 65]):
        try:
            next(watch(*skus))
        except grpc.RpcError as error:
            assert reason_of(error) == "INVALID_FIELD", error
            assert violations_of(error)[0].startswith("skus["), violations_of(error)
            continue
        raise AssertionError("taken")
    for cursor in ("nobody's", "0" * 40, "x-0000000000000000"):
        try:
            next(watch(cursor=cursor))
        except grpc.RpcError as error:
            assert reason_of(error) == "CURSOR_EXPIRED", error
            continue
        raise AssertionError("taken")


def the_server_stops_beside_watchers():
    receive("LAST", 1, "last")
    streams = [watch(), watch("LAST")]
    for stream in streams:
        next(stream)
    began = time.monotonic()
    holder["server"].stop()
    for stream in streams:
        try:
            for _ in stream:
                pass
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    assert time.monotonic() - began < 50


def begin():
    holder["server"] = waybill_server.Server(holder["data"], "inventory").__enter__()
    holder["channel"] = waybill_server.channel_to(holder["server"].listen)


def main():
    holder["data"] = tempfile.mkdtemp(prefix="waybill-watch-")
    try:
        begin()
        tap.run([
            the_present_comes_first_and_then_each_change,
            only_what_is_wanted_is_told,
            every_kind_of_change_is_told,
            a_hold_that_expires_is_told,
            a_cut_stream_goes_on_behind_its_cursor,
            who_is_slow_gets_the_latest,
            many_watchers_see_the_same_end,
            a_cursor_outlives_a_killed_server,
            bad_requests_are_refused,
            the_server_stops_beside_watchers,
        ])
    finally:
        holder["server"].__exit__(None, None, None)
        shutil.rmtree(holder["data"], ignore_errors=True)


main()
