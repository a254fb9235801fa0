#!/usr/bin/python3
"""Goal: receivers of webhooks that hang, redirect, break off or want no more hurt themselves alone; what is
signed is every byte of what is sent, whatever the texts; there are as many subscriptions as the setting
allows; a long past of which nothing is wanted holds up nobody, and what hangs does not put off the end of the
process.

Method: grpcio against `waybill serve tracking`, receivers of the test's own that check the HMAC by themselves.
No case times anything: a bound stands only where waiting would show a defect.
"""

import hashlib
import hmac
import http.server
import json
import os
import socket
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from waybill_server import Server, channel_to, reason_of, tracking  # noqa: E402

SERVICE = "/waybill.tracking.v1.TrackingService/"
SECRET = "a secret of sixteen and more"
SECONDS = 60
SMALL = ("tracking", "--tracking-free-bytes-min", "0", "--tracking-checkpoint-bytes", "1048576")


def method(channel, name):
    response = getattr(tracking, name + "Response")
    kind = channel.stream_stream if name == "RecordEvents" else channel.unary_unary
    return kind(SERVICE + name, response_deserializer=response.FromString,
                request_serializer=getattr(tracking, name + "Request").SerializeToString)


def event(number, event_id, **more):
    made = tracking.TrackingEvent(event_id=event_id, carrier="ups", tracking_number=number, source="test",
                                  type=more.pop("type", tracking.TRACKING_EVENT_TYPE_IN_TRANSIT), **more)
    made.occurred_time.seconds = 1800000000
    return made


def record(channel, *arguments, **more):
    method(channel, "RecordEvent")(tracking.RecordEventRequest(event=event(*arguments, **more)), timeout=30)


def subscribe(channel, url, name, **more):
    return method(channel, "CreateSubscription")(tracking.CreateSubscriptionRequest(
        subscription=tracking.Subscription(subscription_id=name, url=url, secret=SECRET, **more)), timeout=30)


def wait_for(condition, what, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Receiver:
    """Answers each path by its name: /200, /410, /307 (to /elsewhere), /hang, /cut; keeps what came by path."""

    def __init__(self):
        self.came, self.ends = {}, threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.came.setdefault(self.path, []).append((self.headers, body))
                word = self.path.strip("/").split("-")[0]
                if word == "hang":
                    receiver.ends.wait(120)
                if word in ("hang", "cut"):
                    self.close_connection = True
                    return
                self.send_response(int(word) if word.isdigit() else 200)
                if word == "307":
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *unused):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}/{path}"

    def of(self, path):
        return self.came.get("/" + path, [])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.ends.set()
        self.server.shutdown()
        self.server.server_close()


class World:
    def __init__(self, *arguments):
        self.arguments, self.place = arguments, tempfile.TemporaryDirectory(prefix="waybill-webhooks-")

    def __enter__(self):
        self.start()
        self.receiver = Receiver()
        return self, self.channel, self.receiver

    def start(self):
        self.server = Server(os.path.join(self.place.name, "data"), *SMALL, *self.arguments)
        self.server.__enter__()
        self.channel = channel_to(self.server.listen)

    def stop(self):
        self.channel.close()
        self.server.__exit__(None, None, None)

    def __exit__(self, *unused):
        self.stop()
        self.receiver.__exit__()
        self.place.cleanup()


def subscriptions_are_as_many_as_the_setting_allows():
    with World("--tracking-subscriptions-max", "2") as (world, channel, receiver):
        for name in ("a", "b", "a"):
            subscribe(channel, receiver.url("200"), name)
        try:
            subscribe(channel, receiver.url("200"), "c")
            raise AssertionError("one more than there may be")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
            assert reason_of(error) == "SUBSCRIPTION_LIMIT", error
            assert "tracking_subscriptions_max" in error.details(), error
        method(channel, "DeleteSubscription")(
            tracking.DeleteSubscriptionRequest(subscription_id="a"), timeout=30)
        subscribe(channel, receiver.url("200"), "c")
        listed = method(channel, "ListSubscriptions")(tracking.ListSubscriptionsRequest(), timeout=30)
        assert [one.subscription_id for one in listed.subscriptions] == ["b", "c"], listed


def receivers_that_misbehave_hold_up_nobody_else():
    """More that hang than an HTTP client has connections by itself (64), beside two that work."""
    with World("--tracking-webhook-attempts-max", "2") as (world, channel, receiver):
        for i in range(90):
            subscribe(channel, receiver.url(f"hang-{i}"), f"a{i:02}")
        for path in ("307", "410", "cut", "200"):
            subscribe(channel, receiver.url(path), f"z-{path}")
        for i in range(5):
            record(channel, "N", f"e{i}")
        wait_for(lambda: len(receiver.of("200")) == 5, "the one that works")

        def reasons(name):
            letters = method(channel, "ListDeadLetters")(
                tracking.ListDeadLettersRequest(subscription_id=name), timeout=30).dead_letters
            return [letter.reason for letter in letters]
        for name, reason in (("z-307", "status 307"), ("z-410", "status 410"), ("z-cut", "")):
            wait_for(lambda: len(reasons(name)) == 5, name)
            assert all(reason in one and one for one in reasons(name)), (name, reasons(name))
        assert len(receiver.of("410")) == 10, "each twice"
        assert not receiver.of("elsewhere"), "a redirect was followed"


def every_byte_that_is_sent_is_signed_whatever_the_texts():
    texts = ['"\\/', "Łódź \u2028 \U0001f4e6", "\u00e9" * 60, "</script>", "{\"a\":1}", "%0d%0a", "a" * 128]
    with World() as (world, channel, receiver):
        subscribe(channel, receiver.url("200"), "sub")
        for i, text in enumerate(texts):
            record(channel, "N", f"e{i}", city=text, facility=text, payload=bytes(range(256)) * 16)
        wait_for(lambda: len(receiver.of("200")) == len(texts), "all")
        for i, (headers, body) in enumerate(receiver.of("200")):
            signed = f"{headers['waybill-timestamp']}.{headers['waybill-nonce']}.".encode() + body
            assert headers["waybill-signature"] == "v1=" + hmac.new(
                SECRET.encode(), signed, hashlib.sha256).hexdigest(), i
            assert json.loads(body)["data"]["event"]["city"] == texts[i], body


def fill(channel, count):
    """Scans of many numbers: a past of which a subscription to deliveries wants nothing."""
    begun = time.monotonic_ns()

    def requests():
        for i in range(count):
            yield tracking.RecordEventsRequest(
                event=event(f"P{i % 500}", f"{begun}-{i}", payload=b"x" * 2000))
    answers = method(channel, "RecordEvents")(requests(), timeout=240)
    assert sum(answer.status.code == 0 for answer in answers) == count


def a_long_past_of_which_nothing_is_wanted_holds_up_nobody():
    with World() as (world, channel, receiver):
        fill(channel, 15000)
        subscribe(channel, receiver.url("200-past"), "past", types=["ShipmentDelivered"],
                  replay_from={"seconds": 1})
        subscribe(channel, receiver.url("200-now"), "now")
        record(channel, "N", "e1")
        record(channel, "N", "e2", type=tracking.TRACKING_EVENT_TYPE_DELIVERED)
        wait_for(lambda: len(receiver.of("200-now")) == 3, "what came")
        wait_for(lambda: len(receiver.of("200-past")) == 1, "the delivery")
        world.stop()
        world.start()
        record(world.channel, "M", "e1", type=tracking.TRACKING_EVENT_TYPE_DELIVERED)
        wait_for(lambda: len(receiver.of("200-past")) == 2, "the second delivery")
        wait_for(lambda: len(receiver.of("200-now")) == 5, "what came then")
        time.sleep(0.5)
        assert [len(receiver.of(path)) for path in ("200-past", "200-now")] == [2, 5]


def what_was_given_up_keeps_its_name_when_the_log_has_it_no_more():
    with World("--tracking-webhook-attempts-max", "1", "--tracking-log-retention-days", "0",
               "--tracking-checkpoint-seconds", "1") as (world, channel, receiver):
        subscribe(channel, receiver.url("500"), "sub", types=["ShipmentDelivered"])
        record(channel, "N", "e1", type=tracking.TRACKING_EVENT_TYPE_DELIVERED)

        def letters():
            return method(channel, "ListDeadLetters")(
                tracking.ListDeadLettersRequest(subscription_id="sub"), timeout=30).dead_letters
        wait_for(letters, "a dead letter")
        given_up = letters()[0]
        deadline = time.monotonic() + 200
        while letters()[0].reason != "it is no longer kept":
            assert time.monotonic() < deadline, letters()
            fill(channel, 4000)
            last = letters()[0].give_up_time
            method(channel, "ReplayDeadLetters")(
                tracking.ReplayDeadLettersRequest(subscription_id="sub"), timeout=30)
            wait_for(lambda: letters() and letters()[0].give_up_time != last, "it was tried")
        assert letters()[0].event_id == given_up.event_id == json.loads(receiver.of("500")[0][1])["eventId"]


def nobody_listens_and_the_end_is_not_put_off():
    with World() as (world, channel, receiver):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            subscribe(channel, f"http://127.0.0.1:{port}/", "nobody")
            subscribe(channel, receiver.url("hang"), "hangs")
            record(channel, "N", "e1")
            wait_for(lambda: receiver.of("hang"), "the one that hangs")
            began = time.monotonic()
            world.stop()
            assert time.monotonic() - began < 50, "an end waits for nobody (10 s)"
        world.start()
        record(world.channel, "N", "e2")
        wait_for(lambda: len(receiver.of("hang")) >= 2, "sent again after the start")
        bodies = [json.loads(body)["data"]["event"]["eventId"] for _, body in receiver.of("hang")]
        assert set(bodies) == {"e1"}, bodies


tap.run([subscriptions_are_as_many_as_the_setting_allows, receivers_that_misbehave_hold_up_nobody_else,
         every_byte_that_is_sent_is_signed_whatever_the_texts,
         a_long_past_of_which_nothing_is_wanted_holds_up_nobody,
         what_was_given_up_keeps_its_name_when_the_log_has_it_no_more,
         nobody_listens_and_the_end_is_not_put_off])
