#!/usr/bin/python3
"""Goal: tracking as a client sees it: events by stream, watchers, cursors over a restart; nothing
acknowledged is lost by kill -9 (RELIABILITY rows 5 and 14), nothing is answered after a failed sync
(row 7), a full disk refuses writes and nothing else (row 8).

Method: grpcio against `waybill serve tracking`. RocksDB is treated from outside: the process is killed,
strace makes a sync or write fail, the disk is a small tmpfs. `WAYBILL_SEED` replays a random case,
`WAYBILL_KILLS` says how often the process is killed.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import hashlib
import hmac
import http.server
import json

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
                    yield tracking.RecordEventsRequest(event=event(f"N{turn}", f"e{number}", number))
                    number += 1
            call = method(channel, "RecordEvents")(sent(), timeout=30)
            acknowledged = [next(call) for _ in range(100)]
            call.cancel()
            stop.set()
            kept = {one.event_id for one in list_all(channel, f"N{turn}")}
            assert all(answer.status.code == 0 for answer in acknowledged)
            assert {answer.event_id for answer in acknowledged} <= kept


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
    kills = int(os.environ.get("WAYBILL_KILLS", "30"))
    with Place() as data:
        journal = {}  # number → ids acknowledged
        for life in range(kills):
            with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
                for number, ids in journal.items():
                    if chance.random() < 0.3 or life == kills - 1:
                        kept = {one.event_id for one in list_all(channel, number)}
                        assert ids <= kept, (number, ids - kept)
                        assert get(channel, number).event_count == len(kept)
                killer = threading.Timer(0.1 + chance.random() / 2, server.kill)

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


class Receiver:
    """A merchant's server: answers what `answers` says, then 200; keeps what came."""

    def __init__(self, answers=()):
        self.came, self.answers, self.refuses = [], list(answers), lambda body: False
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.came.append((dict(self.headers), body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(500 if receiver.refuses(body) else status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *unused):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=60):
        deadline = time.monotonic() + seconds
        while len(self.came) < count:
            assert time.monotonic() < deadline, f"{len(self.came)} of {count} came"
            time.sleep(0.02)
        return self.came

    def close(self):
        self.server.shutdown()
        self.server.server_close()


SECRET = "a secret of sixteen and more"


def subscribe(channel, url, name="sub", **more):
    return method(channel, "CreateSubscription")(
        tracking.CreateSubscriptionRequest(subscription=tracking.Subscription(
            subscription_id=name, url=url, secret=SECRET, **more)), timeout=30).subscription


def webhooks_are_signed_in_order_and_go_on_after_a_restart():
    receiver = Receiver([503, 500])
    with Place() as data:
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            record(channel, "N", "before", 0)
            made = subscribe(channel, receiver.url)
            assert made.secret == "" and made.url == receiver.url
            assert subscribe(channel, receiver.url) == made
            try:
                subscribe(channel, receiver.url + "2")
                raise AssertionError("one id for two subscriptions")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.ALREADY_EXISTS, error
            for i in range(5):
                record(channel, "N", f"e{i}", 10 + i)
            record(channel, "N", "e5", 20, type=tracking.TRACKING_EVENT_TYPE_DELIVERED)
            receiver.wait(9)  # two refused, five, an update and a delivery
            listed = method(channel, "ListSubscriptions")(tracking.ListSubscriptionsRequest(),
                                                          timeout=30).subscriptions
            assert [one.subscription_id for one in listed] == ["sub"] and not listed[0].secret
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            record(channel, "N", "e6", 30)
            receiver.wait(10)
            bodies = [json.loads(body) for _, body in receiver.came[2:]]
            told = [body["data"]["event"]["eventId"] for body in bodies
                    if body["type"] == "TrackingUpdated"]
            assert told == [f"e{i}" for i in range(7)], told
            assert [body["type"] for body in bodies].count("ShipmentDelivered") == 1
            nonces = set()
            for headers, body in receiver.came:
                headers = {name.lower(): value for name, value in headers.items()}
                signed = f"{headers['waybill-timestamp']}.{headers['waybill-nonce']}.".encode() + body
                expected = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
                assert headers["waybill-signature"] == expected
                assert abs(time.time() - int(headers["waybill-timestamp"])) < 300
                assert headers["waybill-event-id"] == json.loads(body)["eventId"]
                nonces.add(headers["waybill-nonce"])
            assert len(nonces) == len(receiver.came)
            method(channel, "DeleteSubscription")(
                tracking.DeleteSubscriptionRequest(subscription_id="sub"), timeout=30)
            time.sleep(1)  # what is on its way may still arrive
            record(channel, "N", "e7", 40)
            again = subscribe(channel, receiver.url, "again", types=["ShipmentDelivered"],
                              replay_from={"seconds": 1})
            assert list(again.types) == ["ShipmentDelivered"]
            receiver.wait(11)
            time.sleep(0.5)
            assert len(receiver.came) == 11
            assert json.loads(receiver.came[10][1])["type"] == "ShipmentDelivered"
    receiver.close()


def dead_letters_are_listed_survive_a_restart_and_are_replayed():
    receiver = Receiver()
    receiver.refuses = lambda body: b'"N"' in body
    stubborn = (*SMALL, "--tracking-webhook-attempts-max", "2")

    def listed(channel, name="sub", **page):
        return method(channel, "ListDeadLetters")(
            tracking.ListDeadLettersRequest(subscription_id=name, **page), timeout=30)

    def counted(channel):
        return method(channel, "ListSubscriptions")(
            tracking.ListSubscriptionsRequest(), timeout=30).subscriptions[0].dead_letter_count

    def wait_for(channel, count):
        deadline = time.monotonic() + 60
        while len(listed(channel).dead_letters) != count or counted(channel) != count:
            assert time.monotonic() < deadline, (listed(channel), counted(channel))
            time.sleep(0.1)
        return listed(channel).dead_letters
    with Place() as data:
        with Server(data, *stubborn) as server, waybill_server.channel_to(server.listen) as channel:
            subscribe(channel, receiver.url)
            for i in range(3):
                record(channel, "N", f"n{i}", i)
            record(channel, "M", "m", 10)
            letters = wait_for(channel, 3)
            assert [letter.reason for letter in letters] == ["status 500"] * 3, letters
            refused = [json.loads(body)["eventId"] for _, body in receiver.came if b'"N"' in body]
            assert [letter.event_id for letter in letters] == refused[::2], (letters, refused)
            receiver.wait(7)  # two attempts each, and M's
            assert b'"M"' in receiver.came[-1][1]
            page = listed(channel, page_size=2)
            assert len(page.dead_letters) == 2 and page.next_page_token
            rest = listed(channel, page_size=2, page_token=page.next_page_token)
            assert list(page.dead_letters) + list(rest.dead_letters) == list(letters)
            for wrong in ("List", "Replay"):
                request = getattr(tracking, wrong + "DeadLettersRequest")(subscription_id="su")
                try:
                    method(channel, wrong + "DeadLetters")(request, timeout=30)
                    raise AssertionError("a subscription that is none")
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.NOT_FOUND, error
        with Server(data, *stubborn) as server, waybill_server.channel_to(server.listen) as channel:
            assert list(wait_for(channel, 3)) == list(letters)
            with urllib.request.urlopen(f"http://{server.operations}/metrics", timeout=30) as answer:
                assert b"\nwaybill_tracking_dead_letters 3\n" in answer.read()
            replay = tracking.ReplayDeadLettersRequest(subscription_id="sub")
            assert method(channel, "ReplayDeadLetters")(replay, timeout=30).dead_letters == 3
            again = wait_for(channel, 3)  # it still does not want them
            deadline = time.monotonic() + 60
            while again[-1].give_up_time.ToMicroseconds() <= letters[-1].give_up_time.ToMicroseconds():
                assert time.monotonic() < deadline
                again = wait_for(channel, 3)
            assert [one.event_id for one in again] == [one.event_id for one in letters]
            receiver.refuses = lambda body: False
            before = len(receiver.came)
            assert method(channel, "ReplayDeadLetters")(replay, timeout=30).dead_letters == 3
            wait_for(channel, 0)
            receiver.wait(before + 3)
            sent = [json.loads(body)["eventId"] for _, body in receiver.came[before:]]
            assert sent == [letter.event_id for letter in letters], sent
            assert method(channel, "ReplayDeadLetters")(replay, timeout=30).dead_letters == 0
        with Server(data, *stubborn) as server, waybill_server.channel_to(server.listen) as channel:
            assert len(wait_for(channel, 0)) == 0
            record(channel, "M", "last", 20)
            receiver.wait(before + 4)
            assert b'"last"' in receiver.came[-1][1]
            assert len(receiver.came) == before + 4
    receiver.close()


def silence_is_told_once_over_restarts_and_ends_with_the_next_scan():
    def old(event_id, days):
        made = event("N", event_id)
        made.occurred_time.seconds = int(time.time()) - days * 86400
        return made

    def note(channel, one):
        method(channel, "RecordEvent")(tracking.RecordEventRequest(event=one), timeout=30)
        method(channel, "ListTrackings")(tracking.ListTrackingsRequest(  # writes the index
            status=tracking.TRACKING_STATUS_IN_TRANSIT), timeout=30)
    receiver = Receiver()
    attentive = (*SMALL, "--tracking-silence-days", "2")
    with Place() as data:
        with Server(data, *attentive) as server, waybill_server.channel_to(server.listen) as channel:
            subscribe(channel, receiver.url, types=["TrackingSilent"])
            note(channel, old("e1", 9))
        for expected in (1, 1):  # it is told at the first start, not at the second
            with Server(data, *attentive) as server:
                receiver.wait(expected)
                time.sleep(0.5)
                assert len(receiver.came) == expected
        told = json.loads(receiver.came[0][1])
        assert told["type"] == "TrackingSilent" and told["key"] == "ups/N", told
        assert told["data"]["status"] == "TRACKING_STATUS_IN_TRANSIT", told
        with Server(data, *attentive) as server, waybill_server.channel_to(server.listen) as channel:
            second = old("e2", 5)
            note(channel, second)
            server.kill()
        with Server(data, *attentive) as server, waybill_server.channel_to(server.listen) as channel:
            note(channel, second)
        with Server(data, *attentive) as server:
            receiver.wait(2)
            since = json.loads(receiver.came[1][1])["data"]["silentSince"]
            assert since > told["data"]["silentSince"], since
    receiver.close()


def import_refuses_single_rows_and_tells_what_it_leaves_out():
    rows = [("A1", "DELIVERED", "é"), ("A2", 'DELIVERED"",""city"":""Lagos', ""), ("A3", "DELIVERED", "x" * 70000),
            ("A4", "DELIVERED", "a\nb"), ("A5", "DELIVERED", "x" * 40000), ("A6", "IN_TRANSIT", "last")]
    with Place() as data:
        os.makedirs(os.path.dirname(data), exist_ok=True)
        file = data + ".csv"
        with open(file, "wb") as table:
            table.write(b'\xEF\xBB\xBF"carrier","tracking_number","occurred_time","type","description","wieght"\r\n')
            for number, type, description in rows:
                table.write(f'"ups","{number}","2026-01-01T10:00:00Z","{type}","{description}",""\r\n'.encode())
            table.write(b'ups,A7,2026-01-01T10:00:00Z,DELIVERED,caf\xe9,\r\n')
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            done = subprocess.run([waybill_server.PROGRAM, "import", "tracking", file, "--json",
                                   "--server", server.listen], capture_output=True, text=True, timeout=60)
            told = json.loads(done.stdout)
            assert done.returncode == 1 and told == {"rows": 7, "recorded": 2, "refused": 5,
                                                     "complete": True}, done
            assert "column 'wieght' is not known" in done.stderr, done.stderr
            for words in ("line 3: event.type: is no name", "line 4: its fields are more than 64 KiB",
                          "line 5: description: must not hold control", "line 7: event.description: must be at",
                          "line 9: description: must be UTF-8"):
                assert words in done.stderr, (words, done.stderr)
            assert get(channel, "A1").status == DELIVERED and get(channel, "A6").event_count == 1


def page_of_the_largest_events_fits_a_client_as_it_comes():
    with Place() as data, Server(data, *SMALL) as server, grpc.insecure_channel(server.listen) as channel:
        large = {"payload": b"x" * 4096, "description": "d" * 256, "facility": "f" * 128, "city": "c" * 128}
        sent = [tracking.RecordEventsRequest(event=event("N" if i < 1000 else f"N{i}", f"e{i}", i, **large))
                for i in range(2000)]
        assert all(answer.status.code == 0
                   for answer in method(channel, "RecordEvents")(iter(sent), timeout=60))
        for newest_first in (False, True):
            ids, token = [], ""
            while token or not ids:
                page = method(channel, "ListEvents")(
                    tracking.ListEventsRequest(carrier="ups", tracking_number="N", page_size=1000,
                                               newest_first=newest_first, page_token=token), timeout=30)
                ids += [one.event_id for one in page.events]
                token = page.next_page_token
            assert ids == [f"e{i}" for i in range(1000)][::-1 if newest_first else 1], len(ids)
        numbers, token = [], ""
        while token or not numbers:
            page = method(channel, "ListTrackings")(
                tracking.ListTrackingsRequest(status=tracking.TRACKING_STATUS_IN_TRANSIT, page_size=1000,
                                              page_token=token), timeout=30)
            numbers += [one.tracking_number for one in page.trackings]
            token = page.next_page_token
        assert sorted(numbers) == sorted(["N"] + [f"N{i}" for i in range(1000, 2000)]), len(numbers)


def damaged_file_of_rocksdb_is_named_with_what_to_do():
    with Place() as data:
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            for i in range(100):
                record(channel, f"N{i % 7}", f"e{i}", i)
        folder = os.path.join(data, "tracking", "rocksdb")
        file = max((name for name in os.listdir(folder) if name.endswith(".sst")),
                   key=lambda name: os.path.getsize(os.path.join(folder, name)))
        with open(os.path.join(folder, file), "r+b") as table:
            first = table.read(1)[0]
            table.seek(0)
            table.write(bytes([first ^ 0x55]))
        done = subprocess.run([waybill_server.PROGRAM, "verify", data], capture_output=True, text=True)
        assert done.returncode == 1 and f"in {file} offset" in done.stderr, done
        process = subprocess.Popen([waybill_server.PROGRAM, "serve", "tracking", "--listen", "127.0.0.1:0",
                                    "--operations", "127.0.0.1:0", "--data", data],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready = process.stdout.readline()  # nothing, if it was met while starting
        if ready:
            with waybill_server.channel_to(ready.split()[2].partition("=")[2]) as channel:
                try:
                    get(channel, "N1")
                    raise AssertionError("what is damaged was read")
                except grpc.RpcError:
                    pass
        told = process.communicate(timeout=60)[1]
        assert process.returncode == 1 and f"in {file} offset" in told, told
        assert "waybill verify" in told and "restore the" in told, told


def ping_that_is_too_old_leaves_nothing_behind():
    with Place() as data:
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            record(channel, "N", "e", 0)
            for seconds in (1500000000, int(time.time()) - 31 * 86400, int(time.time())):
                method(channel, "RecordPing")(tracking.RecordPingRequest(
                    carrier="ups", tracking_number="N", point={"latitude_e7": 1}, time={"seconds": seconds}),
                    timeout=30)
        done = subprocess.run([waybill_server.PROGRAM, "verify", data, "--json"], capture_output=True, text=True)
        assert json.loads(done.stdout.splitlines()[-1])["records"] == 2, done  # the event, the last ping


def import_records_a_file_once_and_verify_finds_it_whole():
    program = waybill_server.PROGRAM
    with Place() as data:
        os.makedirs(os.path.dirname(data), exist_ok=True)
        file = data + ".csv"
        with open(file, "w", encoding="utf-8") as rows:
            rows.write("carrier,tracking_number,occurred_time,carrier_code,city\n")
            for i in range(1000):
                rows.write(f'fedex,F{i % 50},2026-01-{1 + i // 50:02}T10:00:00+02:00,DL,"Lagos, X"\n')
            rows.write("fedex,F1,yesterday,DL,\n")
        with Server(data, *SMALL) as server, waybill_server.channel_to(server.listen) as channel:
            for _ in range(2):
                done = subprocess.run([program, "import", "tracking", file, "--server", server.listen],
                                      capture_output=True, text=True, timeout=60)
                assert done.returncode == 1 and "line 1002: event.occurredTime" in done.stderr, done
                assert "1000 recorded, 1 refused" in done.stderr, done
            found = method(channel, "GetTracking")(
                tracking.GetTrackingRequest(carrier="fedex", tracking_number="F1"), timeout=30).tracking
            assert found.status == DELIVERED and found.event_count == 20
            assert found.last_event.utc_offset_minutes.value == 120, found
            assert found.last_event.utc_offset_source == tracking.UTC_OFFSET_SOURCE_CARRIER, found
        done = subprocess.run([program, "verify", data, "--json"], capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        assert done.returncode == 0 and found["events"] == 1000 and found["mismatches"] == 0, done
        assert found["trackings"] == 50 and not found["replayPending"], found


tap.run([stream_answers_every_event_by_its_id, stream_that_is_cut_leaves_a_server_that_goes_on,
         watcher_sees_every_change_of_its_numbers_and_orders,
         cursor_goes_on_after_a_restart_without_gap_or_repetition,
         nothing_acknowledged_is_lost_by_kill_9, full_disk_refuses_writes_and_nothing_else,
         failed_sync_stops_the_process_and_nothing_is_lost,
         webhooks_are_signed_in_order_and_go_on_after_a_restart,
         dead_letters_are_listed_survive_a_restart_and_are_replayed,
         silence_is_told_once_over_restarts_and_ends_with_the_next_scan,
         import_records_a_file_once_and_verify_finds_it_whole,
         damaged_file_of_rocksdb_is_named_with_what_to_do,
         ping_that_is_too_old_leaves_nothing_behind,
         import_refuses_single_rows_and_tells_what_it_leaves_out,
         page_of_the_largest_events_fits_a_client_as_it_comes, every_refusal_names_its_fields])
