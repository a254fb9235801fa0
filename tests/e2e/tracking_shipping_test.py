#!/usr/bin/python3
"""Goal: tracking and a shipping that runs elsewhere: its events open parcels and bring their scans, over
restarts of either side; carriers are asked, through it, about parcels of which nothing is heard, more and
more seldom, never beyond their quota, and are left alone when they say so.

Method: `waybill serve tracking --shipping grpc://…` beside a stand-in for shipping in Python's grpcio, which
serves EventService (all of its events, whatever cursor it is given: at least once) and GetTrackingInfo as
each case wants it. Intervals are seconds instead of hours.
"""

import collections
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import grpc
from google.protobuf import any_pb2, duration_pb2

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import (Server, error_details_pb2, events, shipping, shipping_events,  # noqa: E402
                            status_pb2, tracking)

SECONDS = 60
OPTIONS = ("tracking", "--tracking-free-bytes-min", "0", "--tracking-checkpoint-seconds", "1")


def method(channel, name):
    return channel.unary_unary(
        f"/waybill.tracking.v1.TrackingService/{name}",
        request_serializer=getattr(tracking, name + "Request").SerializeToString,
        response_deserializer=getattr(tracking, name + "Response").FromString)


def get(channel, number, carrier="fedex"):
    try:
        return method(channel, "GetTracking")(
            tracking.GetTrackingRequest(carrier=carrier, tracking_number=number), timeout=30).tracking
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error
        return None


def wait_for(condition, what, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Refusal(Exception):
    """How GetTrackingInfo is refused."""

    def __init__(self, code, retry_seconds=None):
        super().__init__(code)
        self.code, self.retry_seconds = code, retry_seconds


class Shipping:
    """The stand-in."""

    def __init__(self):
        self.log, self.changed = [], threading.Condition()
        self.asked = collections.defaultdict(list)  # (carrier, number) → times
        self.answer = lambda request: shipping.GetTrackingInfoResponse()
        self.port = 0
        self.start()

    def start(self):
        """Also again, at the same address."""
        self.stopping = False
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(32))
        handlers = {
            "waybill.events.v1.EventService": {
                "Subscribe": grpc.unary_stream_rpc_method_handler(
                    self.subscribe, events.SubscribeRequest.FromString,
                    events.SubscribeResponse.SerializeToString),
                "ListEventLogs": grpc.unary_unary_rpc_method_handler(
                    self.list_logs, events.ListEventLogsRequest.FromString,
                    events.ListEventLogsResponse.SerializeToString)},
            "waybill.shipping.v1.ShippingService": {
                "GetTrackingInfo": grpc.unary_unary_rpc_method_handler(
                    self.get_tracking_info, shipping.GetTrackingInfoRequest.FromString,
                    shipping.GetTrackingInfoResponse.SerializeToString)}}
        self.server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(name, methods) for name, methods in handlers.items()])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        self.server.start()

    def stop(self):
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self.server.stop(0).wait(SECONDS)

    def tell(self, message, time_seconds=1_800_000_000):
        event = events.Event(event_id=f"shipping-{len(self.log) + 1}", source="shipping", key="k",
                             type=message.DESCRIPTOR.full_name, sequence=len(self.log) + 1)
        event.time.seconds = time_seconds
        event.data.CopyFrom(any_pb2.Any(type_url="type.googleapis.com/" + event.type,
                                        value=message.SerializeToString()))
        with self.changed:
            self.log.append(event)
            self.changed.notify_all()

    def subscribe(self, request, context):
        sent = 0
        while context.is_active() and not self.stopping:
            with self.changed:
                self.changed.wait_for(lambda: len(self.log) > sent or self.stopping, 0.2)
                fresh = self.log[sent:]
            for event in fresh:
                yield events.SubscribeResponse(event=event)
            sent += len(fresh)

    def list_logs(self, request, context):
        return events.ListEventLogsResponse(logs=[events.EventLog(
            source="shipping", identity="stand-in", newest_sequence=len(self.log))])

    def get_tracking_info(self, request, context):
        self.asked[request.carrier, request.tracking_number].append(time.monotonic())
        try:
            return self.answer(request)
        except Refusal as refusal:
            status = status_pb2.Status(code=refusal.code.value[0], message="not now")
            if refusal.retry_seconds is not None:
                packed = any_pb2.Any()
                packed.Pack(error_details_pb2.RetryInfo(
                    retry_delay=duration_pb2.Duration(seconds=refusal.retry_seconds)))
                status.details.append(packed)
            context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
            context.abort(refusal.code, "not now")

    def questions(self, carrier=None):
        return sum(len(times) for (of, _), times in self.asked.items() if carrier in (None, of))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()


class Place:
    """A tracking that follows the stand-in."""

    def __init__(self, far):
        self.far, self.path = far, tempfile.mkdtemp(prefix="waybill-tracking-")

    def serve(self, *arguments):
        return Server(os.path.join(self.path, "data"), *OPTIONS, "--shipping",
                      f"grpc://127.0.0.1:{self.far.port}", *arguments)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)


def scan(number, code, seconds_ago, **more):
    made = shipping.Scan(tracking_number=number, carrier_code=code, **more)
    made.occurred_time.FromMilliseconds(int((time.time() - seconds_ago) * 1000))
    return made


def shipment(shipment_id, *numbers):
    made = shipping.Shipment(shipment_id=shipment_id, order_id="o-" + shipment_id, carrier="fedex",
                             tracking_number=numbers[0],
                             parcels=[shipping.ShipmentParcel(tracking_number=number) for number in numbers])
    made.create_time.GetCurrentTime()
    return shipping_events.ShipmentCreated(shipment=made)


def whole_shipment(shipment_id, number, *pieces):
    """As of DHL Express: the pieces have numbers, but what happens is told of the whole."""
    made = shipment(shipment_id, *pieces)
    made.shipment.carrier = "dhl"
    made.shipment.tracking_number = number
    return made


def record(channel, number, seconds_ago, carrier="fedex", type=tracking.TRACKING_EVENT_TYPE_IN_TRANSIT):
    event = tracking.TrackingEvent(carrier=carrier, tracking_number=number, type=type, source="test")
    event.occurred_time.FromMilliseconds(int((time.time() - seconds_ago) * 1000))
    method(channel, "RecordEvent")(tracking.RecordEventRequest(event=event), timeout=30)


def a_shipment_of_which_its_carrier_tells_as_a_whole_is_one_tracking():
    with Shipping() as far, Place(far) as place:
        far.tell(whole_shipment("s1", "1234567890", "JD1", "JD2"))
        far.tell(shipment("s2", "A"))
        with place.serve() as server, waybill_server.channel_to(server.listen) as channel:
            wait_for(lambda: get(channel, "A"), "the shipment behind it")
            whole = get(channel, "1234567890", "dhl")
            assert (whole.shipment_id, whole.order_id) == ("s1", "o-s1"), whole
            assert get(channel, "JD1", "dhl") is None and get(channel, "JD2", "dhl") is None


def events_of_shipping_are_followed_over_restarts_of_both_sides():
    with Shipping() as far, Place(far) as place:
        far.tell(shipment("s1", "A", "B"))
        far.tell(shipping_events.CarrierEventReceived(
            carrier="fedex", shipment_id="s1", order_id="o-s1", scan=scan("A", "PU", 60)))
        with place.serve() as server, waybill_server.channel_to(server.listen) as channel:
            wait_for(lambda: get(channel, "B"), "the second parcel")
            first = wait_for(lambda: (lambda one: one and one.event_count and one)(get(channel, "A")), "A")
            assert (first.shipment_id, first.order_id) == ("s1", "o-s1"), first
            assert first.status == tracking.TRACKING_STATUS_PICKED_UP, first
            far.stop()
            far.start()
            far.tell(shipment("s2", "C"))
            wait_for(lambda: get(channel, "C"), "a shipment after shipping's restart")
            server.kill()
        far.tell(shipping_events.CarrierEventReceived(
            carrier="fedex", shipment_id="s1", order_id="o-s1", scan=scan("A", "DL", 30)))
        with place.serve() as server, waybill_server.channel_to(server.listen) as channel:
            delivered = wait_for(lambda: (lambda one: one.event_count == 2 and one)(get(channel, "A")),
                                 "a scan told while tracking was away")
            assert delivered.status == tracking.TRACKING_STATUS_DELIVERED, delivered
            assert get(channel, "B").revision == 1 and get(channel, "C").revision == 1


def silent_parcels_are_asked_about_more_and_more_seldom_and_once_learnt_anew():
    with Shipping() as far, Place(far) as place:
        with place.serve("--tracking-poll-seconds", "8") as server, \
                waybill_server.channel_to(server.listen) as channel:
            record(channel, "N", 0)
            record(channel, "D", 0, type=tracking.TRACKING_EVENT_TYPE_DELIVERED)
            record(channel, "O", 0, type=tracking.TRACKING_EVENT_TYPE_OUT_FOR_DELIVERY)
            began = time.monotonic()
            wait_for(lambda: len(far.asked["fedex", "N"]) == 2, "two questions about N")
            since = [moment - began for moment in far.asked["fedex", "N"]]
            # 8 and 16 s after the scan, each within a round (1 s), on a busy machine later.
            assert 7 <= since[0] and 15 <= since[1] and since[1] - since[0] >= 6, since
            out = [moment - began for moment in far.asked["fedex", "O"]]
            assert len(out) >= 3 and out[0] < since[0], out  # 1, 2, 4, 8, 16 s
            assert not far.asked["fedex", "D"]
            pushed = scan("N", "AR", 5, description="Arrived", city="Lagos", country_code="NG")
            far.tell(shipping_events.CarrierEventReceived(carrier="fedex", scan=pushed))
            wait_for(lambda: get(channel, "N").event_count == 2, "the push")

            def answer(request):
                response = shipping.GetTrackingInfoResponse()
                if request.tracking_number == "N":
                    response.scans.append(pushed)  # known by then
                    response.scans.append(scan("N", "OD", 1, description="On the way"))
                    response.expected_delivery_time.seconds = 1_900_000_000
                return response
            far.answer = answer
            found = wait_for(lambda: (lambda one: one.event_count >= 4 and one)(get(channel, "N")),
                             "what the carrier answered")
            assert found.status == tracking.TRACKING_STATUS_OUT_FOR_DELIVERY, found
            assert found.expected_delivery_time.seconds == 1_900_000_000, found
            listed = method(channel, "ListEvents")(
                tracking.ListEventsRequest(carrier="fedex", tracking_number="N"), timeout=30).events
            assert [event.description for event in listed].count("Arrived") == 1, listed
            assert {event.source for event in listed} == {"test", "shipping", "poll"}, listed


def quota_is_kept_over_restarts_and_no_other_carrier_suffers():
    with Shipping() as far, Place(far) as place:
        # An hour's worth at once, so all of a quota of 12 is 1 by midnight, and more later in the day.
        quota = ("--tracking-poll-seconds", "8", "--tracking-poll-quota",
                 "1000000, dhl=3, ups=0, tariff=1")

        def answer(request):
            if request.carrier == "tariff":  # asked again it would be another question
                raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_seconds=1)
            return shipping.GetTrackingInfoResponse()
        far.answer = answer
        for life in range(3):
            with place.serve(*quota) as server, waybill_server.channel_to(server.listen) as channel:
                for i in range(30):
                    for carrier in ("dhl", "ups", "tariff", "fedex"):
                        record(channel, f"{life}-{i}", 0, carrier)
                known = far.questions("fedex")
                wait_for(lambda: far.questions("fedex") - known >= 30, "questions to fedex")
                if life == 0:
                    time.sleep(5)  # for a second question, were there any
                if life == 1:
                    server.kill()
        assert far.questions("tariff") == 1, far.asked
        assert far.questions("dhl") <= 3 and far.questions("ups") == 0, far.asked


def overloaded_carrier_is_left_alone_for_as_long_as_it_says():
    with Shipping() as far, Place(far) as place:
        def answer(request):
            if request.carrier == "ups" and far.questions("ups") <= 2:
                raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_seconds=4)
            if request.carrier == "dhl":
                raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_seconds=3600)
            if request.carrier == "own":
                raise Refusal(grpc.StatusCode.UNIMPLEMENTED)
            return shipping.GetTrackingInfoResponse()
        far.answer = answer
        with place.serve("--tracking-poll-seconds", "8", "--tracking-poll-quota", "1000000") as server, \
                waybill_server.channel_to(server.listen) as channel:
            for carrier in ("ups", "dhl", "own"):
                record(channel, "N", 0, carrier)
            record(channel, "F", 0)
            wait_for(lambda: far.questions("fedex") >= 2, "two questions to fedex")
            ups = far.asked["ups", "N"]
            wait_for(lambda: len(ups) >= 3, "ups asked again")
            assert ups[1] - ups[0] >= 4 and ups[2] - ups[1] >= 4, ups
            # Both are due at 8 and 16 s, as fedex is.
            assert far.questions("dhl") == 1 and far.questions("own") == 1, far.asked
            assert get(channel, "N", "dhl").event_count == 1


def shipping_that_is_away_is_asked_again_when_it_is_back():
    with Shipping() as far, Place(far) as place:
        far.answer = lambda request: shipping.GetTrackingInfoResponse(
            scans=[scan(request.tracking_number, "DL", 0)])
        with place.serve("--tracking-poll-seconds", "8") as server, \
                waybill_server.channel_to(server.listen) as channel:
            far.stop()
            record(channel, "N", 0)
            time.sleep(10)
            far.start()
            found = wait_for(lambda: (lambda one: one.event_count == 2 and one)(get(channel, "N")),
                             "the delivery", 120)
            assert found.status == tracking.TRACKING_STATUS_DELIVERED, found


def an_address_of_shipping_that_is_none_is_refused_before_anything_is_made():
    with tempfile.TemporaryDirectory(prefix="waybill-tracking-") as data:
        for address in ("foo", "http://127.0.0.1:7703", "grpc://", "grpc://host", "grpc://host:0",
                        "sqlite:shipping.sqlite"):
            done = subprocess.run([waybill_server.PROGRAM, "serve", "tracking", "--data", data, "--listen",
                                   "127.0.0.1:0", "--operations", "127.0.0.1:0", "--shipping", address],
                                  capture_output=True, text=True, timeout=SECONDS)
            assert done.returncode != 0, done
            wanted = f"tracking: --shipping {address}: is no grpc://HOST:PORT"
            assert wanted in done.stdout + done.stderr, (wanted, done)
            assert not os.path.exists(os.path.join(data, "tracking")), address


def together(cases):
    """The cases as ones that all begin with the first: they mostly wait."""
    pool = concurrent.futures.ThreadPoolExecutor(len(cases))
    begun = {}

    def of(case):
        def run():
            if not begun:
                begun.update({one: pool.submit(one) for one in cases})
            begun[case].result()
        run.__name__ = case.__name__
        return run
    return [of(case) for case in cases]


tap.run(together([
    an_address_of_shipping_that_is_none_is_refused_before_anything_is_made,
    a_shipment_of_which_its_carrier_tells_as_a_whole_is_one_tracking,
    events_of_shipping_are_followed_over_restarts_of_both_sides,
    silent_parcels_are_asked_about_more_and_more_seldom_and_once_learnt_anew,
    quota_is_kept_over_restarts_and_no_other_carrier_suffers,
    overloaded_carrier_is_left_alone_for_as_long_as_it_says,
    shipping_that_is_away_is_asked_again_when_it_is_back,
]))
