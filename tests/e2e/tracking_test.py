#!/usr/bin/python3
"""Goal: tracking as a client sees it: events by stream, watchers, cursors over a restart; nothing
acknowledged is lost by kill -9 (RELIABILITY rows 5 and 14), nothing is answered after a failed sync
(row 7), a full disk refuses writes and nothing else (row 8).

Method: grpcio against `waybill serve tracking`. RocksDB is treated from outside: the process is killed,
strace makes a sync or write fail, the disk is a small tmpfs. `WAYBILL_SEED` replays a random case.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import Server, tracking  # noqa: E402

SERVICE = "/waybill.tracking.v1.TrackingService/"
SEED = int(os.environ.get("WAYBILL_SEED", "1"))
START = 1800000000
SMALL = ("tracking", "--tracking-free-bytes-min", "0", "--tracking-checkpoint-bytes", "1048576")
DELIVERED = tracking.TRACKING_STATUS_DELIVERED


def method(channel, name):
    request = getattr(tracking, name + "Request")
    response = getattr(tracking, name + "Response")
    kind = {"RecordEvents": channel.stream_stream, "WatchTracking": channel.unary_stream}
    return kind.get(name, channel.unary_unary)(
        SERVICE + name, request_serializer=request.SerializeToString,
        response_deserializer=response.FromString)


def event(number, event_id, seconds=0, type=tracking.TRACKING_EVENT_TYPE_IN_TRANSIT, **more):
    made = tracking.TrackingEvent(event_id=event_id, carrier="ups", tracking_number=number, type=type,
                                  source="test", **more)
    made.occurred_time.seconds = START + seconds
    return made


def record(channel, *arguments, **more):
    return method(channel, "RecordEvent")(
        tracking.RecordEventRequest(event=event(*arguments, **more)), timeout=30)


def get(channel, number):
    return method(channel, "GetTracking")(
        tracking.GetTrackingRequest(carrier="ups", tracking_number=number), timeout=30).tracking


def list_all(channel, number):
    events, token = [], ""
    while True:
        page = method(channel, "ListEvents")(
            tracking.ListEventsRequest(carrier="ups", tracking_number=number, page_size=7,
                                       page_token=token), timeout=30)
        events += page.events
        token = page.next_page_token
        if not token:
            return events


class Place:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="waybill-tracking-")
        return os.path.join(self.path, "data")

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)


def stream_answers_every_event_by_its_id():
    with Place() as data, Server(data, *SMALL) as server, \
            waybill_server.channel_to(server.listen) as channel:
        count = 5000
        sent = (tracking.RecordEventsRequest(
            event=event(f"N{i % 50}", "" if i % 100 == 7 else f"e{i}", i,
                        corrects_event_id="x y" if i % 100 == 9 else "")) for i in range(count))
        answers = list(method(channel, "RecordEvents")(sent, timeout=60))
        assert len(answers) == count
        wrong = [answer for answer in answers if answer.status.code != 0]
        assert len(wrong) == count // 100 and all(answer.status.code == 3 for answer in wrong), wrong[:2]
        assert all(answer.event_id for answer in answers)
        assert sum(len(list_all(channel, f"N{i}")) for i in range(50)) == count - len(wrong)


def stream_that_is_cut_leaves_a_server_that_goes_on():
    with Place() as data, Server(data, *SMALL) as server, \
            waybill_server.channel_to(server.listen) as channel:
        for turn in range(20):
            stop = threading.Event()

            def sent():
                number = 0
                while not stop.is_set():
                    yield tracking.RecordEventsRequest(event=event("N", f"t{turn}-{number}", number))
                    number += 1
            call = method(channel, "RecordEvents")(sent(), timeout=30)
            acknowledged = [next(call).event_id for _ in range(100)]
            call.cancel()
            stop.set()
            kept = {one.event_id for one in list_all(channel, "N")}
            assert set(acknowledged) <= kept


def watcher_sees_every_change_of_its_numbers_and_orders():
    with Place() as data, Server(data, *SMALL) as server, \
            waybill_server.channel_to(server.listen) as channel:
        method(channel, "CreateTracking")(tracking.CreateTrackingRequest(
            carrier="ups", tracking_number="N1", shipment_id="s1", order_id="o1"), timeout=30)
        by_number = method(channel, "WatchTracking")(tracking.WatchTrackingRequest(
            trackings=[tracking.TrackingKey(carrier="ups", tracking_number="N1"),
                       tracking.TrackingKey(carrier="ups", tracking_number="N2")]), timeout=60)
        by_order = method(channel, "WatchTracking")(
            tracking.WatchTrackingRequest(order_id="o1"), timeout=60)
        by_number.initial_metadata()
        by_order.initial_metadata()
        for i in range(300):
            record(channel, f"N{1 + i % 3}", f"e{i}", i)
        seen = [next(by_number).event.event_id for _ in range(200)]
        assert seen == [f"e{i}" for i in range(300) if i % 3 < 2], seen[:5]
        seen = [next(by_order) for _ in range(100)]
        assert [one.event.event_id for one in seen] == [f"e{i}" for i in range(0, 300, 3)]
        assert seen[-1].tracking.order_id == "o1" and seen[-1].tracking.event_count == 100
        by_number.cancel()
        by_order.cancel()


def cursor_goes_on_after_a_restart_without_gap_or_repetition():
    with Place() as data:
        watched = tracking.WatchTrackingRequest(
            trackings=[tracking.TrackingKey(carrier="ups", tracking_number="N")])
        seen = []
        for life in range(4):
            with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
                call = method(channel, "WatchTracking")(watched, timeout=60)
                call.initial_metadata()
                if life == 0:
                    record(channel, "N", "first", 0)
                    watched.cursor = next(call).cursor
                for i in range(50):
                    record(channel, "N", f"e{life}-{i}", 60 + i)
                for answer in call:
                    watched.cursor = answer.cursor
                    seen.append(answer.event.event_id)
                    if len(seen) % 50 == 25:
                        break
                call.cancel()
                if life % 2 == 0:
                    server.kill()
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            call = method(channel, "WatchTracking")(watched, timeout=60)
            while len(seen) < 200:
                seen.append(next(call).event.event_id)
            call.cancel()
            assert seen == [f"e{life}-{i}" for life in range(4) for i in range(50)]
            watched.cursor = "nobody-0000000000000001"
            try:
                next(method(channel, "WatchTracking")(watched, timeout=60))
                raise AssertionError("a cursor of nobody's making was taken")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.OUT_OF_RANGE, error


def nothing_acknowledged_is_lost_by_kill_9():
    chance = random.Random(SEED)
    print(f"# seed {SEED}")
    kills = 12
    with Place() as data:
        journal = {}  # number → ids acknowledged
        for life in range(kills):
            with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
                for number, ids in journal.items():
                    if chance.random() < 0.3 or life == kills - 1:
                        kept = {one.event_id for one in list_all(channel, number)}
                        assert ids <= kept, (number, ids - kept)
                        assert get(channel, number).event_count == len(kept)
                killer = threading.Timer(0.2 + chance.random(), server.kill)

                def sent():
                    for i in range(10**9):
                        yield tracking.RecordEventsRequest(
                            event=event(f"N{i % 200}", f"{life}-{i}", i))
                killer.start()
                try:
                    for answer in method(channel, "RecordEvents")(sent(), timeout=60):
                        assert answer.status.code == 0, answer
                        index = int(answer.event_id.split("-")[1])
                        journal.setdefault(f"N{index % 200}", set()).add(answer.event_id)
                except grpc.RpcError as error:
                    assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL,
                                            grpc.StatusCode.CANCELLED), error
                killer.join()
        print(f"# {sum(len(ids) for ids in journal.values())} events acknowledged over {kills} kills")


def full_disk_refuses_writes_and_nothing_else():
    directory = tempfile.mkdtemp(prefix="waybill-tracking-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", directory],
                          capture_output=True, text=True)
    if done.returncode != 0:
        os.rmdir(directory)
        raise tap.Skip("may not mount a small file system: " + done.stderr.strip())
    try:
        with Server(os.path.join(directory, "data"), "tracking", "--tracking-free-bytes-min",
                    str(24 << 20)) as server, waybill_server.channel_to(server.listen) as channel:
            record(channel, "N", "e1")
            filler = os.path.join(directory, "filler")
            with open(filler, "wb", buffering=0) as file:
                while os.statvfs(directory).f_bavail * os.statvfs(directory).f_bsize > 23 << 20:
                    file.write(b"x" * (1 << 20))
            try:
                record(channel, "N", "e2", 1)
                raise AssertionError("recorded on a full disk")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
                assert "DISK_FULL" in str(waybill_server.details_of(error)), error
            record(channel, "N", "e1")  # a repeat writes nothing
            assert get(channel, "N").event_count == 1
            assert len(list_all(channel, "N")) == 1
            os.remove(filler)
            deadline = time.monotonic() + 30
            while True:
                try:
                    record(channel, "N", "e2", 1)
                    break
                except grpc.RpcError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            assert get(channel, "N").event_count == 2
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)
        os.rmdir(directory)


def failed_sync_stops_the_process_and_nothing_is_lost():
    if shutil.which("strace") is None:
        raise tap.Skip("strace is not here")
    with Place() as data:
        acknowledged = []
        for failing in ("fdatasync:error=EIO:when=4+", "pwrite64:error=EIO:when=12+"):
            with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
                tracer = subprocess.Popen(
                    ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(server.process.pid),
                     "-e", "inject=" + failing], stderr=subprocess.PIPE, text=True)
                time.sleep(1)
                if tracer.poll() is not None:
                    raise tap.Skip("strace may not: " + tracer.stderr.read().strip())
                try:
                    for i in range(1000):
                        event_id = f"{failing[:3]}-{i}"
                        record(channel, "N", event_id, i)
                        acknowledged.append(event_id)
                    raise AssertionError("every sync failed, and nobody noticed")
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                assert server.process.wait(10) == 1
                tracer.wait(10)
                server.kill()
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            kept = {one.event_id for one in list_all(channel, "N")}
            assert set(acknowledged) <= kept
            assert get(channel, "N").event_count == len(kept)


def every_refusal_names_its_fields():
    with Place() as data, Server(data, *SMALL) as server, \
            waybill_server.channel_to(server.listen) as channel:
        try:
            method(channel, "RecordEvent")(tracking.RecordEventRequest(event=tracking.TrackingEvent(
                carrier="UPS", tracking_number="", country_code="usa", payload=b"x" * 5000)), timeout=30)
            raise AssertionError("taken")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
            fields = str(waybill_server.details_of(error))
            for field in ("event.carrier", "event.tracking_number", "event.country_code",
                          "event.payload", "event.type", "event.occurred_time", "event.source"):
                assert field in fields, (field, fields)


tap.run([stream_answers_every_event_by_its_id, stream_that_is_cut_leaves_a_server_that_goes_on,
         watcher_sees_every_change_of_its_numbers_and_orders,
         cursor_goes_on_after_a_restart_without_gap_or_repetition,
         nothing_acknowledged_is_lost_by_kill_9, full_disk_refuses_writes_and_nothing_else,
         failed_sync_stops_the_process_and_nothing_is_lost, every_refusal_names_its_fields])
