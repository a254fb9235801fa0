#!/usr/bin/python3
"""Goal: what the last release wrote is opened, and work goes on (RELIABILITY row 23): embedded stores, SQLite
and PostgreSQL databases with their event logs, as a killed process left them.

Method: last_release/ holds such files of an order's whole life, with what was answered then: answers are the
same now, cursors go on, and what was begun there can be ended here. With --record the program under test
writes them; a release records them once, before its files change:

    WAYBILL_PROGRAM=OLD/waybill tests/e2e/last_release_test.py --record
"""

import contextlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from order_shop import DESTINATION, OneProcess, SECONDS  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_process import PROGRAM  # noqa: E402
from waybill_server import common, fulfillment as f, reason_of, shipping as p, subscribe, \
    tracking as t  # noqa: E402

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "last_release")
SERVICES = ("warehouse", "shipping", "fulfillment")
# The files grow old; what is in them must not.
KEEP = ("--committed-retention-seconds", "315360000", "--events-retention-days", "36500",
        "--tracking-log-retention-days", "36500")


def stores_of(database):
    return [word for service in SERVICES for word in ("--" + service, database.url)] if database else []


class Reopened(OneProcess):
    """The program on files that are there."""

    def __init__(self, data, database):
        self.data, self.shipping, self.channels = data, None, []
        self.arguments = (*KEEP, *stores_of(database))
        self.start()

    def next_event(self, cursor, key):
        stream = subscribe(self.channel, timeout=SECONDS, cursor=cursor, key=key)
        event = next(stream).event
        stream.cancel()
        return event


# --- what is recorded ---

CONSIGNMENT = {
    "origin": common.Address(name="Shop", lines=["2, Weg"], city="Bonn", postal_code="53111", country_code="DE"),
    "destination": DESTINATION,
    "parcels": [p.Parcel(weight_grams=900, length_mm=200, width_mm=150, height_mm=100)],
}
ALONE = {"shipment_id": "alone", "rule": p.RATE_RULE_CHEAPEST, **CONSIGNMENT}


def encoded(message):
    return message.SerializeToString().hex()


def record_life(s):
    """An order that is shipped and on its way, one with labels, one cancelled; and what tells of them."""
    s.promise("shipped")
    shipped = s.confirm("shipped")
    s.ship(shipped)
    s.tell_of_parcels(shipped.parts[0], t.TRACKING_EVENT_TYPE_PICKED_UP)
    s.promise("confirmed")
    s.confirm("confirmed")
    s.promise("cancelled")
    s.cancel("cancelled")
    watch = s.channel.unary_stream(
        "/waybill.fulfillment.v1.FulfillmentService/WatchOrder",
        request_serializer=f.WatchOrderRequest.SerializeToString,
        response_deserializer=f.WatchOrderResponse.FromString)(
            f.WatchOrderRequest(order_id="confirmed"), timeout=SECONDS)
    seen = next(watch)
    watch.cancel()
    subscription = subscribe(s.channel, timeout=SECONDS, key="confirmed", cursor="oldest")
    first = next(subscription).event
    subscription.cancel()
    alone = s.call(p, "CreateShipment", **ALONE).shipment
    page = s.call(p, "ListShipments", page_size=1)
    number = shipped.parts[0].tracking_numbers[0]
    return {
        "orders": {order_id: encoded(s.order(order_id)) for order_id in ("shipped", "confirmed", "cancelled")},
        "shipment": encoded(alone),
        "held": s.held(),
        "watch_cursor": seen.cursor,
        "event_cursor": first.cursor,
        "page_token": page.next_page_token,
        "rate_id": s.call(p, "GetRates", **CONSIGNMENT).rates[0].rate_id,
        "tracked": [shipped.parts[0].carrier, number],
    }


def without_reserve(member):
    """Files of zeros for a log's next segment are made anew where there are none."""
    return None if member.name.endswith("/next.tmp") else member


def record():
    for name in ("embedded", "postgresql"):
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(PostgresqlServer()) if name == "postgresql" else None
            s = OneProcess(stores=(*KEEP, *stores_of(database)))
            stack.callback(s.stop)
            facts = record_life(s)
            s.server.kill()
            if database:
                dump = subprocess.run(
                    [os.path.join(database.bin, "pg_dump"), "--no-owner", "--inserts", database.url],
                    capture_output=True, text=True, check=True, timeout=SECONDS).stdout
                # Newer ones fence their dump in words that older ones do not read.
                dump = "".join(line for line in dump.splitlines(True) if not line.startswith("\\"))
                with open(os.path.join(s.data, "dump.sql"), "w", encoding="utf-8") as file:
                    file.write(dump)
            with open(os.path.join(s.data, "facts.json"), "w", encoding="utf-8") as file:
                json.dump(facts, file)
            with tarfile.open(os.path.join(RECORDED, name + ".tar.xz"), "w:xz") as archive:
                archive.add(s.data, arcname=".", filter=without_reserve)
            s.start()


# --- what is made of it ---


@contextlib.contextmanager
def recorded(name):
    """The directory, the facts, and the database, if there is one."""
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="waybill-last-release-"))
        database = stack.enter_context(PostgresqlServer()) if name == "postgresql" else None
        with tarfile.open(os.path.join(RECORDED, name + ".tar.xz")) as archive:
            archive.extractall(data)
        if database:
            subprocess.run([os.path.join(database.bin, "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d",
                            database.url, "-f", os.path.join(data, "dump.sql")],
                           stdout=subprocess.DEVNULL, check=True, timeout=SECONDS)
        with open(os.path.join(data, "facts.json"), encoding="utf-8") as file:
            yield data, json.load(file), database


def decoded(kind, text):
    return kind.FromString(bytes.fromhex(text))


def assert_answers_are_the_same(s, facts):
    for order_id, text in facts["orders"].items():
        was, now = decoded(f.Order, text), s.order(order_id)
        assert (was.state, was.parts, was.landed_cost) == (now.state, now.parts, now.landed_cost), (was, now)
    was = decoded(p.Shipment, facts["shipment"])
    assert s.call(p, "GetShipment", shipment_id=was.shipment_id).shipment == was
    assert list(s.held()) == facts["held"], (s.held(), facts["held"])
    carrier, number = facts["tracked"]
    found = s.call(t, "GetTracking", carrier=carrier, tracking_number=number).tracking
    assert found.tracking_number == number, found
    # The same request again is the same shipment, and the same order: what was hashed then is hashed so now.
    assert s.call(p, "CreateShipment", **ALONE).shipment == was
    again = s.promise("confirmed")
    assert again.parts == s.order("confirmed").parts, again
    assert s.confirm("confirmed").state == f.ORDER_STATE_CONFIRMED


def assert_cursors_go_on(s, facts):
    assert s.next_event(facts["event_cursor"], "confirmed").key == "confirmed"
    assert s.call(p, "ListShipments", page_size=1, page_token=facts["page_token"]).shipments
    try:
        s.call(p, "CreateShipment", shipment_id="rated", rate_id=facts["rate_id"], **CONSIGNMENT)
        raise AssertionError("a rate lives an hour")
    except grpc.RpcError as error:
        assert reason_of(error) == "RATE_EXPIRED", error


def assert_work_goes_on(s, facts):
    watch = s.channel.unary_stream(
        "/waybill.fulfillment.v1.FulfillmentService/WatchOrder",
        request_serializer=f.WatchOrderRequest.SerializeToString,
        response_deserializer=f.WatchOrderResponse.FromString)(
            f.WatchOrderRequest(order_id="confirmed", cursor=facts["watch_cursor"]), timeout=SECONDS)
    assert s.cancel("confirmed").state == f.ORDER_STATE_CANCELLED
    while next(watch).order.state != f.ORDER_STATE_CANCELLED:
        pass
    watch.cancel()
    s.promise("new")
    s.ship(s.confirm("new"))
    assert not s.call(p, "ListUnwantedLabels").labels


def goes_on(name):
    with recorded(name) as (data, facts, database):
        s = Reopened(data, database)
        try:
            assert_answers_are_the_same(s, facts)
            assert_cursors_go_on(s, facts)
            assert_work_goes_on(s, facts)
            s.replace()
            assert s.order("new").state == f.ORDER_STATE_SHIPPED
        finally:
            s.server.stop()


def files_and_embedded_stores_are_opened_and_go_on():
    goes_on("embedded")


def a_postgresql_database_is_opened_and_goes_on():
    goes_on("postgresql")


def who_migrates_by_hand_is_told_what_to_do():
    with recorded("embedded") as (data, _, _):
        status = subprocess.run([PROGRAM, "migrate", "plan", "--data", data], capture_output=True, text=True,
                                timeout=SECONDS)
        assert "0002" in status.stdout, status
        refused = subprocess.run([PROGRAM, "serve", "--data", data, "--listen", "127.0.0.1:0", "--operations",
                                  "127.0.0.1:0", "--migrate", "refuse"], capture_output=True, text=True,
                                 timeout=SECONDS)
        assert refused.returncode != 0 and "waybill migrate up" in refused.stderr, refused
        subprocess.run([PROGRAM, "migrate", "up", "--data", data], capture_output=True, check=True,
                       timeout=SECONDS)
        s = Reopened(data, None)
        s.server.stop()


if sys.argv[1:] == ["--record"]:
    record()
else:
    tap.run([
        files_and_embedded_stores_are_opened_and_go_on,
        a_postgresql_database_is_opened_and_goes_on,
        who_migrates_by_hand_is_told_what_to_do,
    ])
