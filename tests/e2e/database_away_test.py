#!/usr/bin/python3
"""A service on PostgreSQL as its operator sees it: /readyz and /metrics tell when the database is away and
when it is back, calls get a typed error meanwhile, and the process stops in good order all the same.

Bounds are asserted at five times their figure.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_process import PROGRAM, Server  # noqa: E402

BOUND_SECONDS = 5 * 5


def get(server, path):
    """(status, text) of the operations port."""
    try:
        with urllib.request.urlopen(f"http://{server.operations}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_for(server, status, seconds=BOUND_SECONDS):
    """/readyz' text once it has that status."""
    until = time.monotonic() + seconds
    found = get(server, "/readyz")
    while found[0] != status and time.monotonic() < until:
        time.sleep(0.1)
        found = get(server, "/readyz")
    assert found[0] == status, found
    return found[1]


def call(server, method, message):
    """(exit code, text)"""
    done = subprocess.run([PROGRAM, "call", method, json.dumps(message), "--server", server.listen],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def item(number):
    return {"item": {"sku": f"SKU-{number}", "name": "a thing", "weightGrams": 100}}


@contextlib.contextmanager
def service(database, *arguments):
    with tempfile.TemporaryDirectory() as data:
        with Server(data, "--warehouse", database.url, "--sql-statement-ms-max", "1000", *arguments) as server:
            yield server


def call_again(server, method, request):
    """Each of the service's connections finds out for itself that the old database is no more."""
    for _ in range(50):
        code, text = call(server, method, request)
        if code == 0:
            return text
        assert "STORE_UNAVAILABLE" in text, text
        time.sleep(0.1)
    raise AssertionError(text)


def a_database_that_dies_and_comes_back_is_told():
    with PostgresqlServer() as database, service(database) as server:
        assert get(server, "/readyz") == (200, "ready\n")
        code, text = call(server, "PutItem", item(1))
        assert code == 0 and "SKU-1" in text, text
        database.kill()
        text = wait_for(server, 503)
        assert "warehouse.sql: away" in text, text
        code, text = call(server, "PutItem", item(2))
        assert code != 0 and "STORE_UNAVAILABLE" in text, text
        _, metrics = get(server, "/metrics")
        assert 'waybill_dependency_circuit{dependency="warehouse.sql",state="closed"} 0\n' in metrics
        assert "\nwaybill_warehouse_sql_available 0\n" in metrics
        code, text = call(server, "GetStock", {"sku": "SKU-1"})
        assert "STORE_UNAVAILABLE" not in text, "inventory has a store of its own: " + text
        database.start()
        wait_for(server, 200)
        assert "SKU-1" in call_again(server, "GetItem", {"sku": "SKU-1"})
        call_again(server, "PutItem", item(2))
        _, metrics = get(server, "/metrics")
        assert 'waybill_dependency_circuit{dependency="warehouse.sql",state="closed"} 1\n' in metrics


def a_process_stops_in_good_order_while_its_database_is_frozen():
    with PostgresqlServer() as database, service(database) as server:
        database.pause()
        wait_for(server, 503)
        began = time.monotonic()
        server.stop(5 * 10)
        print(f"# stopped after {time.monotonic() - began:.1f} s")
        database.resume()


def a_degraded_database_is_used_only_when_told_and_reported():
    with PostgresqlServer({"fsync": "off"}) as database:
        try:
            with service(database):
                raise RuntimeError("started")
        except AssertionError as error:
            assert "fsync is off" in str(error) and "--allow-degraded yes" in str(error), error
        with service(database, "--allow-degraded", "yes") as server:
            status, text = get(server, "/readyz")
            assert status == 200 and "warehouse.sql: degraded: fsync is off" in text, text
            _, metrics = get(server, "/metrics")
            assert 'waybill_dependency_degraded{dependency="warehouse.sql"} 1\n' in metrics
            assert call(server, "PutItem", item(1))[0] == 0


tap.run([
    a_database_that_dies_and_comes_back_is_told,
    a_process_stops_in_good_order_while_its_database_is_frozen,
    a_degraded_database_is_used_only_when_told_and_reported,
])
