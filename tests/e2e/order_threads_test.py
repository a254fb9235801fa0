#!/usr/bin/python3
"""Goal: fulfillment's threads agree (RELIABILITY row 20): calls, the engine that drives orders, its clients,
watchers, followers, the relay, metrics, and the process' end, all at the same time. And a watcher sees each
state of its order once, in order, whoever stops or dies meanwhile (row 14).

Method: all five services in one process under a dozen customers, watchers, readers and lookers at metrics; it is
stopped by SIGTERM twice and killed once under that load. Built with the thread sanitizer, the first report ends
the process, and this test with it: CI runs it so.
"""

import http.client
import os
import random
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import grpc  # noqa: E402
import tap  # noqa: E402
from order_shop import SECONDS, OneProcess  # noqa: E402
from waybill_server import fulfillment as f, inventory as i, reason_of, tracking as t, warehouse as w  # noqa: E402

CUSTOMERS = 4
ORDERS = 4  # of each
CANCELLED, CONFIRMED, DELIVERED = (f.ORDER_STATE_CANCELLED, f.ORDER_STATE_CONFIRMED, f.ORDER_STATE_DELIVERED)
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED,
         grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)  # the last: a stream while it stops


def persistent(action, patience=4 * SECONDS):
    """Asks until there is an answer: what is not known to be done may be asked again."""
    end = time.monotonic() + patience
    while True:
        try:
            return action()
        except grpc.RpcError as error:
            assert error.code() in AGAIN and time.monotonic() < end, error
        except ValueError as error:  # the channel to the stopped server, before the next one is there
            assert "closed channel" in str(error), error
        time.sleep(0.05)


class Load:
    """Threads whose failures are kept; `is_over` tells those that have no end of their own."""

    def __init__(self):
        self.threads = []
        self.failures = []
        self.is_over = threading.Event()

    def start(self, action, *arguments):
        def run():
            try:
                action(*arguments)
            except Exception:  # whatever it is, it is the test's failure
                self.failures.append(traceback.format_exc())
        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def join(self):
        for thread in list(self.threads):
            thread.join(10 * SECONDS)
            assert not thread.is_alive()
        assert not self.failures, self.failures[0]


def watch(s, name, seen):
    """The revisions and states that a watcher of the order is told, until it has come to its end."""
    request = f.WatchOrderRequest(order_id=name)

    def go_on():
        method = s.channel.unary_stream(
            "/waybill.fulfillment.v1.FulfillmentService/WatchOrder",
            request_serializer=f.WatchOrderRequest.SerializeToString,
            response_deserializer=f.WatchOrderResponse.FromString)
        for message in method(request, timeout=SECONDS):
            seen.append((message.order.revision, message.order.state))
            request.cursor = message.cursor
            if message.order.state in (CANCELLED, DELIVERED):
                return

    persistent(go_on)


def settled(s, name, state):
    persistent(lambda: s.wait_for(name, state))


def customer(s, load, number, ends, watched):
    chance = random.Random(number)
    for k in range(ORDERS):
        name = f"o-{number}-{k}"
        persistent(lambda: s.promise(name, mugs=1, cups=1))
        watched[name] = []
        load.start(watch, s, name, watched[name])
        road = chance.choice(("cancel", "confirm and cancel", "deliver"))
        if road != "cancel":
            persistent(lambda: s.confirm(name))
        if road != "deliver":
            persistent(lambda: s.cancel(name))
            ends[name] = CANCELLED
            continue
        settled(s, name, CONFIRMED)
        order = persistent(lambda: s.order(name))
        persistent(lambda: ship(s, order))
        for part in order.parts:
            persistent(lambda: s.tell_of_parcels(part, t.TRACKING_EVENT_TYPE_DELIVERED))
        ends[name] = DELIVERED


def ship(s, order):
    try:
        s.call(w, "ShipAllocation", allocation_id=order.parts[0].allocation_id)
    except grpc.RpcError as error:
        assert error.code() in AGAIN or reason_of(error) == "ALLOCATION_SHIPPED", error
        if error.code() in AGAIN:
            raise


def reader(s, load):
    while not load.is_over.is_set():
        token = persistent(lambda: s.call(f, "ListOrders", page_size=3)).next_page_token
        persistent(lambda: s.call(f, "ListOrders", page_size=3, page_token=token))
        time.sleep(0.01)


def looker(s, load):
    while not load.is_over.is_set():
        for path in ("metrics", "readyz"):
            try:
                with urllib.request.urlopen(f"http://{s.server.operations}/{path}", timeout=SECONDS) as answer:
                    answer.read()
            except (http.client.HTTPException, OSError):
                pass  # it stops or starts just now
        time.sleep(0.02)


def subscriber(s, load):
    """What is told of all orders; a stream a server."""
    while not load.is_over.is_set():
        try:
            stream = s.events_of("", ["Promised", "Confirmed", "Cancelled", "Delivered"])
            for _ in stream:
                if load.is_over.is_set():
                    stream.cancel()
        except grpc.RpcError as error:
            assert error.code() in AGAIN, error
        except ValueError as error:
            assert "closed channel" in str(error), error
        time.sleep(0.05)


def all_at_the_same_time():
    seed = int(os.environ.get("SEED", "20"))
    print(f"# SEED={seed}", flush=True)
    chance = random.Random(seed)
    with OneProcess() as s:
        before = s.held()
        load, ends, watched = Load(), {}, {}
        for action in (reader, reader, looker, looker, subscriber):
            load.start(action, s, load)
        buyers = Load()
        for number in range(CUSTOMERS):
            buyers.start(customer, s, load, number, ends, watched)
        servers = [s.server]
        for disturb in (s.replace, s.kill, s.replace):
            time.sleep(chance.uniform(0.3, 1.0))
            disturb()
            servers.append(s.server)
        buyers.join()
        assert len(ends) == CUSTOMERS * ORDERS, ends
        for name, state in ends.items():
            settled(s, name, state)
        load.is_over.set()
        s.promise("last")  # wakes who waits for events
        s.cancel("last")
        load.join()
        for name, seen in watched.items():
            revisions = [revision for revision, _ in seen]
            assert revisions == sorted(set(revisions)), (name, seen)
            assert seen[-1][1] == ends[name], (name, seen)
        sent = sum(state == DELIVERED for state in ends.values())
        s.wait_until(lambda: s.held_since(before) == [0, 2 * sent, 0, 2 * sent, 2 * sent])
        assert not any("ThreadSanitizer" in "".join(one.log) for one in servers)
        assert not s.call(w, "VerifyMovements").mismatches
        assert not s.call(i, "VerifyLedger").mismatches


tap.run([all_at_the_same_time])
