#!/usr/bin/python3
"""RELIABILITY rows 10 and 11 for PostgreSQL: the server is killed, stopped, restarted and frozen under
load; no answer is lost or wrong, errors are typed and come in time, the breaker opens and closes within
its bound; and settings that lose acknowledged writes are refused at the start.

Bounds are asserted at five times their figure.
"""

import contextlib
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402

from sql_load import BOUND_SECONDS, Load  # noqa: E402


STACK = contextlib.ExitStack()
SERVERS = []


def the_server():
    """One for all cases; each leaves it running, with its own settings."""
    if not SERVERS:
        SERVERS.append(STACK.enter_context(PostgresqlServer()))
    return SERVERS[0]


def fresh():
    """(server, the URL of an empty database)"""
    server = the_server()
    return server, server.database("load")


def seconds_since(began):
    return f"{time.monotonic() - began:.1f} s"


def killed_and_started_again_under_load():
    server, url = fresh()
    with Load(url) as load:
        for _ in range(2):
            load.works()
            began = time.monotonic()
            server.kill()
            load.wait("available 0", BOUND_SECONDS)
            print(f"# breaker open after {seconds_since(began)}")
            server.start()
            began = time.monotonic()
            load.wait("available 1", BOUND_SECONDS)
            print(f"# healthy {seconds_since(began)} after its return")
            load.works()
        load.end()


def restarted_in_good_order_under_load():
    server, url = fresh()
    with Load(url) as load:
        for _ in range(2):
            load.works()
            server.stop()
            server.start()
            load.works()
        load.end()


def frozen_and_thawed_under_load():
    server, url = fresh()
    with Load(url) as load:
        for _ in range(2):
            load.works()
            began = time.monotonic()
            server.pause()
            load.wait("available 0", BOUND_SECONDS)
            print(f"# breaker open after {seconds_since(began)}")
            time.sleep(1)
            server.resume()
            began = time.monotonic()
            load.wait("available 1", BOUND_SECONDS)
            print(f"# healthy {seconds_since(began)} after its return")
            load.works()
        load.end()


def connections_cut_under_load():
    server, url = fresh()
    with Load(url) as load:
        for _ in range(6):
            load.works()
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE application_name = 'waybill' AND random() < 0.7")
        load.works()
        load.end()


def through(url, server, proxy):
    return url.replace(f":{server.port}/", f":{proxy.port}/")


def cut_in_the_middle_of_answers_under_load():
    seed = int(os.environ.get("WAYBILL_SEED", random.randrange(2**32)))
    print(f"# WAYBILL_SEED={seed}")
    server, url = fresh()
    with FaultProxy(server.port, random.Random(seed)) as proxy:
        with Load(through(url, server, proxy)) as load:
            load.works()
            proxy.cut_probability = 0.01
            until = time.monotonic() + 60
            while proxy.cuts < 60 and time.monotonic() < until:
                time.sleep(0.1)
            proxy.cut_probability = 0.0
            load.works()
            load.end()
            print(f"# {proxy.cuts} answers cut")
            assert proxy.cuts >= 20


def slowed_under_load_and_refused_for_a_while():
    server, url = fresh()
    with FaultProxy(server.port, random.Random(1)) as proxy:
        with Load(through(url, server, proxy), 8) as load:
            load.works()
            proxy.delay_seconds = 0.05
            time.sleep(3)
            proxy.accepting = False
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE application_name = 'waybill'")
            load.wait("available 0", BOUND_SECONDS)
            proxy.delay_seconds = 0.0
            proxy.accepting = True
            load.wait("available 1", BOUND_SECONDS)
            load.works()
            load.end()


def refused(url, name):
    """Whether a start is refused with a text that names setting and cure."""
    try:
        with Load(url, 1):
            return False
    except AssertionError as error:
        text = str(error)
        assert f"{name} is off" in text and "--allow-degraded" in text, text
        return True


def settings_that_lose_writes_are_refused_at_start():
    server, url = fresh()
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        server.stop()
        server.configure({name: "off"})
        server.start()
        assert refused(url, name), f"{name} = off was not noticed"
        server.configure({name: "on"})
    server.stop()
    server.start()
    server.execute("ALTER ROLE waybill SET synchronous_commit = off")
    assert refused(url, "synchronous_commit"), "a role's setting was not noticed"
    server.execute("ALTER ROLE waybill RESET synchronous_commit")
    server.execute("ALTER DATABASE load SET synchronous_commit = off")
    assert refused(url, "synchronous_commit"), "a database's was not noticed"
    server.execute("ALTER DATABASE load SET synchronous_commit = local")
    with Load(url, 1) as load:
        load.works()
        load.end()


def a_server_that_comes_back_with_weaker_settings_is_not_used():
    server, url = fresh()
    with Load(url, 4) as load:
        load.works()
        server.stop()
        server.configure({"fsync": "off"})
        server.start()
        load.wait("available 0", BOUND_SECONDS)
        time.sleep(2)
        assert "available 1" not in load.all[-1]
        server.stop()
        server.configure({"fsync": "on"})
        server.start()
        load.wait("available 1", BOUND_SECONDS)
        load.works()
        load.end()


with STACK:
    tap.run([
        killed_and_started_again_under_load,
        restarted_in_good_order_under_load,
        frozen_and_thawed_under_load,
        connections_cut_under_load,
        cut_in_the_middle_of_answers_under_load,
        slowed_under_load_and_refused_for_a_while,
        settings_that_lose_writes_are_refused_at_start,
        a_server_that_comes_back_with_weaker_settings_is_not_used,
    ])
