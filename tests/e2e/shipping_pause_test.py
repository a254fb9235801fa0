#!/usr/bin/python3
"""Goal: a carrier that answers "too many calls" (429 with Retry-After) is left alone until the moment
it named, and shipping's callers are told so: a reason in GetRates, UNAVAILABLE with a delay for a
purchase, which is bought once when it comes again; /metrics and /readyz say it, too.

Method: `waybill serve shipping` with `waybill simulate carriers` behind a front of our own, which
counts what comes, answers the first call for rates with 429, and hands on everything else.
"""

import contextlib
import http.server
import os
import re
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import carrier_simulator  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import common, error_details_pb2, reason_of, shipping as s, shipping_method  # noqa: E402

PAUSE_SECONDS = 15
FROM = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                      region="NY", postal_code="10001", country_code="US")
TO = common.Address(name="Receiver", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                    region="IL", postal_code="60601", country_code="US")
PARCEL = s.Parcel(weight_grams=1200, length_mm=300, width_mm=200, height_mm=100)


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    paths = []  # of what came, without tokens
    until = None  # the end of the pause
    simulator = None

    def log_message(self, *arguments):
        pass

    def answer(self, status, data, headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_first = False
        if "oauth" not in self.path:
            with self.lock:
                self.paths.append((time.monotonic(), self.path))
                is_first = Front.until is None and "rate" in self.path
                if is_first:
                    Front.until = time.monotonic() + PAUSE_SECONDS
        if is_first:
            self.answer(429, b'{"errors": [{"code": "TOO.MANY", "message": "Please wait a while"}]}',
                        [("Retry-After", str(PAUSE_SECONDS)), ("Content-Type", "application/json")])
            return
        kept = {name: self.headers[name] for name in ("Content-Type", "Authorization", "Accept")
                if self.headers[name]}
        request = urllib.request.Request(f"http://{self.simulator}{self.path}", data=body,
                                         headers=kept, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.answer(answer.status, answer.read(), [("Content-Type", "application/json")])
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read(), [("Content-Type", "application/json")])

    do_PUT = do_POST


@contextlib.contextmanager
def front(simulator):
    Front.simulator = simulator.address
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def a_carrier_that_wants_a_pause_is_left_alone_and_callers_are_told():
    with carrier_simulator.Simulator() as simulator, front(simulator) as base, \
            tempfile.TemporaryDirectory(prefix="waybill-shipping-") as data:
        flags = simulator.settings(purchase_seconds_max=2, fedex_base_url=base + "/fedex")
        with waybill_server.Server(data, "shipping", *flags) as server, \
                contextlib.closing(waybill_server.channel_to(server.listen)) as channel:
            look_at(server, channel, simulator)


def retry_of(detail):
    """The seconds of a RetryInfo, or 0."""
    info = error_details_pb2.RetryInfo()
    return info.retry_delay.ToNanoseconds() / 1e9 if detail.Unpack(info) else 0


def asked(server, path):
    with urllib.request.urlopen(f"http://{server.operations}{path}", timeout=30) as answer:
        return answer.read().decode()


def look_at(server, channel, simulator):
    def reason_for_fedex():
        answer = shipping_method(channel, "GetRates")(
            s.GetRatesRequest(origin=FROM, destination=TO, parcels=[PARCEL]), timeout=8)
        assert {one.carrier for one in answer.rates} == {"ups", "dhl", "tariff"}, answer
        return next(one.reason for one in answer.failures if one.carrier == "fedex")

    def buy():
        return shipping_method(channel, "CreateShipment")(s.CreateShipmentRequest(
            shipment_id="patient", carrier="fedex", service_code="FEDEX_GROUND", origin=FROM,
            destination=TO, parcels=[PARCEL]), timeout=30).shipment

    assert "Please wait a while" in reason_for_fedex()
    held = reason_for_fedex()
    assert re.search(r"too many calls: the carrier wants no calls for another \d+ s", held), held
    try:
        raise AssertionError(f"bought {buy()}")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        assert reason_of(error) == "CARRIER_UNAVAILABLE", error
        assert "wants no calls" in error.details(), error
        delays = [retry_of(detail) for detail in waybill_server.details_of(error)]
    assert any(0 < seconds <= PAUSE_SECONDS for seconds in delays), delays
    assert "carrier.fedex: asked to be left alone for another " in asked(server, "/readyz")
    metrics = asked(server, "/metrics")
    for line in (r'calls_total\{dependency="carrier.fedex",outcome="held_back"\} [2-9]',
                 r'left_alone_seconds\{dependency="carrier.fedex"\} [1-9]'):
        assert re.search(line, metrics), [one for one in metrics.splitlines() if "fedex" in one]
    assert time.monotonic() < Front.until, "this machine was too slow to see the pause"

    wait_until = time.monotonic() + 60
    shipment = None
    while shipment is None and time.monotonic() < wait_until:
        try:
            shipment = buy()
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            time.sleep(0.5)
    assert shipment is not None and shipment.state == s.SHIPMENT_STATE_CREATED, shipment
    early = [path for at, path in Front.paths[1:] if at < Front.until]
    assert early == [], f"came within the pause: {early}"
    assert [one["voided"] for one in simulator.charged()] == [False], simulator.charged()


tap.run([a_carrier_that_wants_a_pause_is_left_alone_and_callers_are_told])
