#!/usr/bin/python3
"""Goal: a peer that floods harms itself alone (RELIABILITY row 17). Method: each flood sends up to 10^5
frames by hand, on one connection or on one after the other; it must be cut within its budget, or, where what it does is allowed,
cost no more than its share of memory; meanwhile another client's calls are answered, and afterwards, too.

What the flood reads is thrown away by a thread, so that the server is never stopped by a full socket.
"""

import os
import struct
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import raw_http2 as h2  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402

FRAMES = 100_000
PER_SEND = 500
MEMORY_BYTES_MAX = 16 * 1024 * 1024
METHOD = "/waybill.inventory.v1.InventoryService/GetStock"
SKU = b"\x0a\x01A"  # GetStockRequest{sku: "A"}


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def call(address):
    """One GetStock; gives the answer's last frame kinds or raises."""
    connection = h2.Connection(address)
    connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.request(METHOD)) +
                    h2.frame(h2.DATA, h2.END_STREAM, 1, h2.grpc_message(SKU)))
    while True:
        got = connection.read_frame()
        assert got is not None, "the connection of a well-behaved client was closed"
        kind, flags, stream, _ = got
        if kind == h2.HEADERS and stream == 1 and flags & h2.END_STREAM:
            connection.close()
            return


class Drain(threading.Thread):
    """Reads until the end, and notes how the server said good-bye."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection = connection
        self.goaway = None
        self.ended = False
        self.start()

    def run(self):
        try:
            while True:
                got = self.connection.read_frame()
                if got is None:
                    break
                if got[0] == h2.GOAWAY:
                    self.goaway = struct.unpack(">I", got[3][4:8])[0]
        except OSError:
            pass
        self.ended = True


def flood(make, cut=True, pairs=(), answer=h2.ENHANCE_YOUR_CALM):
    """Sends make(n) for n = 0, 1, 2, …; with `cut` the server must close before all are sent."""
    with tempfile.TemporaryDirectory() as directory:
        with waybill_process.Server(directory) as server:
            call(server.listen)
            before = resident_bytes(server)
            connection = h2.Connection(server.listen, *pairs, timeout=60)
            drain = Drain(connection)
            sent = 0
            open_still = True
            while open_still and sent < FRAMES and not drain.ended:
                open_still = connection.send(b"".join(make(sent + i) for i in range(PER_SEND)))
                sent += PER_SEND
                if sent % (20 * PER_SEND) == 0:
                    call(server.listen)
            grown = resident_bytes(server) - before
            if cut:
                drain.join(10)
                assert drain.ended, f"{sent} were sent, and the connection is still there"
                assert drain.goaway in (answer, None), f"GOAWAY {drain.goaway}"
            connection.close()
            assert grown <= MEMORY_BYTES_MAX, f"{grown} more bytes of memory"
            call(server.listen)
            print(f"# {sent} sent, {grown // 1024} KiB more, GOAWAY {drain.goaway}")


def rapid_reset():
    block = h2.request(METHOD)
    flood(lambda n: h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
          h2.frame(h2.RST_STREAM, 0, 2 * n + 1, struct.pack(">I", h2.CANCEL)))


def resets_provoked_by_an_empty_window_update():
    block = h2.request(METHOD)
    flood(lambda n: h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
          h2.frame(h2.WINDOW_UPDATE, 0, 2 * n + 1, struct.pack(">I", 0)), answer=1)  # PROTOCOL_ERROR


def resets_provoked_by_data_behind_the_end():
    block = h2.request(METHOD)
    flood(lambda n: h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 2 * n + 1, block) +
          h2.frame(h2.DATA, 0, 2 * n + 1, b"x"), answer=5)  # STREAM_CLOSED


def resets_provoked_by_a_window_beyond_its_maximum():
    # Each makes us reset a stream, which nghttp2's own limit for resets does not count.
    block = h2.request(METHOD)
    flood(lambda n: h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
          h2.frame(h2.WINDOW_UPDATE, 0, 2 * n + 1, struct.pack(">I", 0x7FFFFFFF)))


def continuation_without_end():
    flood(lambda n: h2.frame(h2.HEADERS, 0, 1, h2.request(METHOD)) if n == 0 else
          h2.frame(h2.CONTINUATION, 0, 1, h2.literal("x-filler", "y" * 100)))


def header_table_bomb():
    # One entry of nearly 4 KiB, then a thousand references to it in each request.
    bomb = b"\x40" + h2.text("x-bomb") + h2.text("z" * 3900)

    def make(n):
        block = h2.request(METHOD) + (bomb if n == 0 else b"") + b"\xbe" * 1000
        return h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 2 * n + 1, block)
    flood(make)


def pings():
    flood(lambda n: h2.frame(h2.PING, payload=struct.pack(">Q", n)))


def settings():
    flood(lambda n: h2.settings((4, 65535)))


def priorities():
    flood(lambda n: h2.frame(h2.PRIORITY, 0, 2 * n + 1, struct.pack(">IB", 0, 1)))


def empty_data():
    block = h2.request(METHOD)
    flood(lambda n: (h2.frame(h2.HEADERS, h2.END_HEADERS, 1, block) if n == 0 else b"") +
          h2.frame(h2.DATA, 0, 1))


def window_never_opened():
    # Answers that may not leave: the stream limit bounds how many are kept.
    block = h2.request(METHOD)
    flood(lambda n: h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
          h2.frame(h2.DATA, h2.END_STREAM, 2 * n + 1, h2.grpc_message(SKU)),
          cut=False, pairs=((4, 0),))


# --- over several connections: the account of an address ---

ATTACKER = "127.0.0.2"  # the good ones come from 127.0.0.1
RESETS = b"".join(
    h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, h2.request(METHOD)) +
    h2.frame(h2.RST_STREAM, 0, 2 * n + 1, struct.pack(">I", h2.CANCEL)) for n in range(900))


def barred(server):
    return server.counted("waybill_http_connections_barred_total")


def is_alive(connection):
    """Whether the server answers a ping; all that came before has then been judged."""
    if not connection.send(h2.frame(h2.PING, payload=b"are you?")):
        return False
    while True:
        got = connection.read_frame()
        if got is None or got[0] == h2.PING:
            return got is not None


def attack_until_barred(server, attack, attempts_max):
    """How many connections it took. An attempt that is refused may look like a lost connection."""
    for attempt in range(attempts_max):
        try:
            attack()
        except (ConnectionError, BrokenPipeError):
            pass
        if attempt % 10 == 9 or attempts_max < 200:
            call(server.listen)
            if barred(server) > 0:
                return attempt + 1
    raise AssertionError(f"{attempts_max} connections, and the next one is taken as well")


def with_a_server(check):
    with tempfile.TemporaryDirectory() as directory:
        with waybill_process.Server(directory) as server:
            call(server.listen)
            before = resident_bytes(server)
            check(server)
            grown = resident_bytes(server) - before
            assert grown <= MEMORY_BYTES_MAX, f"{grown} more bytes of memory"


def connecting_anew_gives_no_new_budget():
    def attack(server):
        connection = h2.Connection(server.listen, source=ATTACKER)
        connection.send(RESETS)  # less than ends one connection
        is_alive(connection)
        connection.close()

    def check(server):
        print(f"# barred after {attack_until_barred(server, lambda: attack(server), 100)} connections")
    with_a_server(check)


def many_connections_at_once_share_one_budget():
    def check(server):
        connections = [h2.Connection(server.listen, source=ATTACKER, timeout=60) for _ in range(100)]
        for connection in connections:
            connection.send(RESETS)
        alive = sum(is_alive(connection) for connection in connections)
        call(server.listen)
        for connection in connections:
            connection.close()
        print(f"# {alive} of 100 go on")
        assert alive < 20, f"{alive} of 100 connections spent a budget each"
    with_a_server(check)


def connections_broken_over_and_over_are_refused():
    def attack(server):
        connection = h2.Plain(server.listen, source=ATTACKER)
        connection.send(b"nonsense\r\n\r\n")
        connection.read_to_the_end()

    def check(server):
        print(f"# barred after {attack_until_barred(server, lambda: attack(server), 10000)} connections")
    with_a_server(check)


def many_good_clients_behind_one_address_are_served():
    # As behind a proxy: many connections, pings, and calls given up, but more that go well.
    calls, given_up, good = 60, 28, b"".join
    block = h2.request(METHOD)
    frames = h2.frame(h2.PING, payload=b"keepaliv") + good(
        h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
        h2.frame(h2.DATA, h2.END_STREAM, 2 * n + 1, h2.grpc_message(SKU)) for n in range(calls))
    cancels = good(
        h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
        h2.frame(h2.RST_STREAM, 0, 2 * n + 1, struct.pack(">I", h2.CANCEL))
        for n in range(calls, calls + given_up))

    def check(server):
        for _ in range(200):
            connection = h2.Connection(server.listen, source=ATTACKER)
            connection.send(frames)
            ended = 0
            while ended < calls:
                got = connection.read_frame()
                assert got is not None, "the connection of a well-behaved client was closed"
                ended += got[0] == h2.HEADERS and got[1] & h2.END_STREAM
            connection.send(cancels)
            assert is_alive(connection), "the connection of a well-behaved client was closed"
            connection.close()
        assert barred(server) == 0
    with_a_server(check)


def connections_alone_cost_nothing():
    def check(server):
        for _ in range(3000):
            h2.Connection(server.listen, source=ATTACKER).close()
        call(server.listen)
        assert barred(server) == 0
    with_a_server(check)


tap.run([connecting_anew_gives_no_new_budget, many_connections_at_once_share_one_budget,
         connections_broken_over_and_over_are_refused,
         many_good_clients_behind_one_address_are_served, connections_alone_cost_nothing,
         rapid_reset, resets_provoked_by_an_empty_window_update,
         resets_provoked_by_data_behind_the_end,
         resets_provoked_by_a_window_beyond_its_maximum, continuation_without_end, header_table_bomb, pings,
         settings, priorities, empty_data, window_never_opened])
