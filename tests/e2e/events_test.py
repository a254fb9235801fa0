#!/usr/bin/python3
"""Goal: events.v1 Subscribe, as a client that we did not write sees it: every change in order, from the
present, the oldest or a cursor, filtered by type and key, over restarts; slow subscribers are ended with
their cursor and lose nothing; many at once.

Method: `waybill serve inventory` and Python's grpcio.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import (cursor_of, inventory, inventory_events, inventory_method,  # noqa: E402
                            reason_of, subscribe, violations_of)

SECONDS = 60


@contextlib.contextmanager
def data_directory():
    data = tempfile.mkdtemp(prefix="waybill-events-")
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def serving(*arguments):
    with data_directory() as data, waybill_server.Server(data, "inventory", *arguments) as server, \
            waybill_server.channel_to(server.listen) as channel:
        yield server, channel


def receive(channel, number, sku="apple", quantity=1):
    inventory_method(channel, "ReceiveStock")(inventory.ReceiveStockRequest(
        receipt_id=f"r-{number}", sku=sku, quantity=quantity), timeout=SECONDS)


def reserve(channel, number, sku="apple", quantity=1):
    inventory_method(channel, "Reserve")(inventory.ReserveRequest(
        reservation_id=f"hold-{number}",
        lines=[inventory.ReserveLine(sku=sku, quantity=quantity)]), timeout=SECONDS)


def take(stream, count):
    """The next so many events."""
    return [next(stream).event for _ in range(count)]


def refusal(channel, **request):
    try:
        next(subscribe(channel, timeout=SECONDS, **request))
    except grpc.RpcError as error:
        return error
    raise AssertionError("it was not refused")


def from_the_oldest_every_change_comes_in_order():
    with serving() as (_, channel):
        receive(channel, 1, quantity=10)
        reserve(channel, 1)
        stream = subscribe(channel, timeout=SECONDS, cursor="oldest")
        seen = take(stream, 2)
        reserve(channel, 2)
        seen += take(stream, 1)
        assert [event.type.rsplit(".", 1)[1] for event in seen] == \
            ["StockReceived", "StockReserved", "StockReserved"], seen
        assert [event.key for event in seen] == ["apple", "hold-1", "hold-2"]
        assert len({event.event_id for event in seen}) == 3
        assert [event.sequence for event in seen] == sorted(event.sequence for event in seen)
        assert all(event.source == "inventory" and event.cursor for event in seen)
        message = inventory_events.StockReceived()
        assert seen[0].data.Unpack(message) and message.quantity == 10, seen[0]
        assert abs(seen[0].time.ToMicroseconds() / 1e6 - time.time()) < 3600
        stream.cancel()


def an_empty_cursor_begins_with_the_present():
    with serving() as (_, channel):
        receive(channel, 1)
        stream = subscribe(channel, timeout=SECONDS)
        stream.initial_metadata()  # from here on it sees everything
        receive(channel, 2)
        message = inventory_events.StockReceived()
        assert take(stream, 1)[0].data.Unpack(message) and message.receipt_id == "r-2"
        stream.cancel()


def types_and_key_select():
    with serving() as (_, channel):
        for number in range(20):
            receive(channel, number, sku=f"sku-{number % 4}", quantity=5)
            reserve(channel, number, sku=f"sku-{number % 4}")
        reserved = "waybill.inventory.v1.StockReserved"
        received = "waybill.inventory.v1.StockReceived"
        stream = subscribe(channel, timeout=SECONDS, cursor="oldest", types=[reserved])
        assert [event.key for event in take(stream, 20)] == [f"hold-{n}" for n in range(20)]
        stream.cancel()
        stream = subscribe(channel, timeout=SECONDS, cursor="oldest", key="sku-3")
        assert {(event.type, event.key) for event in take(stream, 5)} == {(received, "sku-3")}
        stream.cancel()
        stream = subscribe(channel, timeout=SECONDS, cursor="oldest", types=[reserved, received],
                           key="hold-7")
        assert take(stream, 1)[0].type == reserved
        stream.cancel()


def what_is_wrong_is_named():
    with serving() as (_, channel):
        error = refusal(channel, types=["waybill.inventory.v1.StockReserved", "Nonsense",
                                        "waybill.warehouse.v1.MovementRecorded"], key="a\nb")
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        assert violations_of(error) == ["types[1]", "types[2]", "key"], violations_of(error)
        error = refusal(channel, types=["x"] * 65)
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        for cursor in ("nonsense", "AAAA", "x" * 5000):
            error = refusal(channel, cursor=cursor)
            assert error.code() == grpc.StatusCode.OUT_OF_RANGE, error
            assert reason_of(error) == "CURSOR_EXPIRED"


def a_cursor_survives_a_restart_and_not_another_log():
    with data_directory() as data:
        with waybill_server.Server(data, "inventory") as server, \
                waybill_server.channel_to(server.listen) as channel:
            for number in range(10):
                receive(channel, number)
            stream = subscribe(channel, timeout=SECONDS, cursor="oldest")
            first = take(stream, 10)
            stream.cancel()
        with waybill_server.Server(data, "inventory") as server, \
                waybill_server.channel_to(server.listen) as channel:
            receive(channel, 10)
            for place in (0, 4, 9):
                stream = subscribe(channel, timeout=SECONDS, cursor=first[place].cursor)
                again = take(stream, 10 - place)
                assert [event.event_id for event in again[:-1]] == \
                    [event.event_id for event in first[place + 1:]]
                assert again[-1].sequence > first[-1].sequence
                stream.cancel()
        with serving() as (_, channel):
            receive(channel, 1)
            error = refusal(channel, cursor=first[3].cursor)
            assert error.code() == grpc.StatusCode.OUT_OF_RANGE, error
            assert reason_of(error) == "CURSOR_EXPIRED"


def the_servers_end_tells_the_cursor():
    with data_directory() as data:
        server = waybill_server.Server(data, "inventory")
        with waybill_server.channel_to(server.listen) as channel:
            receive(channel, 1)
            stream = subscribe(channel, timeout=SECONDS, cursor="oldest")
            seen = take(stream, 1)
            server.stop()
            try:
                next(stream)
                raise AssertionError("the stream goes on")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                cursor = cursor_of(error)
        assert cursor, "no cursor"
        with waybill_server.Server(data, "inventory") as server, \
                waybill_server.channel_to(server.listen) as channel:
            receive(channel, 2)
            stream = subscribe(channel, timeout=SECONDS, cursor=cursor)
            assert take(stream, 1)[0].sequence > seen[0].sequence
            stream.cancel()


def a_slow_subscriber_is_ended_with_its_cursor_and_misses_nothing():
    # Without its probing of the bandwidth grpcio takes 64 KiB ahead, otherwise many MiB.
    with serving("--event-slow-seconds", "1") as (server, _), \
            grpc.insecure_channel(server.listen, options=[("grpc.http2.bdp_probe", 0)]) as channel:
        count = 2000
        stream = subscribe(channel, timeout=SECONDS, cursor="oldest",
                           types=["waybill.inventory.v1.StockReserved"])
        skus = [f"{number:03}-{'s' * 56}" for number in range(100)]
        for number, sku in enumerate(skus):
            receive(channel, number, sku=sku, quantity=10**9)
        lines = [inventory.ReserveLine(sku=sku, quantity=1) for sku in skus]
        method = inventory_method(channel, "Reserve")
        pending = [method.future(inventory.ReserveRequest(reservation_id=f"h-{number}", lines=lines))
                   for number in range(count)]  # 16 MB of events
        for future in pending:
            future.result(SECONDS)
        time.sleep(3)  # it does not read
        seen = []
        try:
            for response in stream:
                seen.append(response.event)
            raise AssertionError("it was not ended")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
            assert reason_of(error) == "SUBSCRIBER_SLOW", reason_of(error)
            cursor = cursor_of(error)
        assert 0 < len(seen) < count, len(seen)
        print(f"# ended after {len(seen)} of {count} events")
        stream = subscribe(channel, timeout=SECONDS, cursor=cursor)
        seen += take(stream, count - len(seen))
        assert len({event.event_id for event in seen}) == count
        assert [event.sequence for event in seen] == sorted(event.sequence for event in seen)
        stream.cancel()


def a_thousand_subscribers_each_see_everything():
    with serving() as (server, channel):
        subscribers, count = 1000, 20
        channels = [waybill_server.channel_to(server.listen) for _ in range(8)]
        streams = [subscribe(channels[number % 8], timeout=SECONDS) for number in range(subscribers)]
        for stream in streams:
            stream.initial_metadata()
        for number in range(count):
            receive(channel, number)
        expected = None
        for stream in streams:
            seen = [event.event_id for event in take(stream, count)]
            expected = expected or seen
            assert seen == expected
            stream.cancel()
        for one in channels:
            one.close()


def logs_are_listed():
    with serving() as (_, channel):
        receive(channel, 1)
        method = channel.unary_unary(
            "/waybill.events.v1.EventService/ListEventLogs",
            request_serializer=waybill_server.events.ListEventLogsRequest.SerializeToString,
            response_deserializer=waybill_server.events.ListEventLogsResponse.FromString)
        logs = method(waybill_server.events.ListEventLogsRequest(), timeout=SECONDS).logs
        assert [log.source for log in logs] == ["inventory"], logs
        assert logs[0].newest_sequence > logs[0].oldest_sequence and len(logs[0].identity) == 16
        stream = subscribe(channel, timeout=SECONDS, cursor=logs[0].oldest_cursor)
        assert take(stream, 1)[0].key == "apple"
        stream.cancel()


tap.run([
    from_the_oldest_every_change_comes_in_order,
    an_empty_cursor_begins_with_the_present,
    types_and_key_select,
    what_is_wrong_is_named,
    a_cursor_survives_a_restart_and_not_another_log,
    the_servers_end_tells_the_cursor,
    a_slow_subscriber_is_ended_with_its_cursor_and_misses_nothing,
    a_thousand_subscribers_each_see_everything,
    logs_are_listed,
])
