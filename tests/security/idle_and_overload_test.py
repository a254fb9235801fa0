#!/usr/bin/python3
"""Goal: peers that are many, slow or too demanding harm nobody else (RELIABILITY row 18). Method: idle
connections by the thousand, each after one call; bodies that come byte by byte over both versions of
HTTP; hundreds of times the load that the store's queue takes, by grpcio. Memory is read from /proc.

    idle_and_overload_test.py [--connections 1000] [--slow-seconds 3] [CASE…]

With --slow-seconds of 30 or more slowhttptest attacks, too.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import grpc

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import raw_http2 as h2  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import inventory  # noqa: E402

IDLE_BYTES_MAX = 32 * 1024
MEMORY_BYTES_MAX = 16 * 1024 * 1024
METHOD = "/waybill.inventory.v1.InventoryService/GetStock"
SKU = b"\x0a\x01A"  # GetStockRequest{sku: "A"}
SLOW_PEERS = 200
QUEUE_LENGTH = 16
AT_ONCE = 5000

arguments = argparse.ArgumentParser()
arguments.add_argument("--connections", type=int, default=1000)
arguments.add_argument("--slow-seconds", type=float, default=3)
options, sys.argv[1:] = arguments.parse_known_args()


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def ask(connection, stream):
    """One GetStock, of which the answer is read to its end."""
    assert connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.request(METHOD)) +
                           h2.frame(h2.DATA, h2.END_STREAM, stream, h2.grpc_message(SKU)))
    while True:
        got = connection.read_frame()
        assert got is not None, "the server has closed a connection"
        kind, flags, of_stream, _ = got
        if kind == h2.HEADERS and of_stream == stream and flags & h2.END_STREAM:
            return


def open_files_max(wanted):
    """Allows for that many sockets here; the server sees to itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        raise tap.Skip(f"at most {hard} files may be open here, {wanted} are needed")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def measure_idle_connections(count, *more):
    """Gives the bytes of resident memory that each costs, plain, after one call."""
    open_files_max(count + 100)
    with tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory, *more) as server:
            for _ in range(100):  # what the first ones take stays for the others
                ask(h2.Connection(server.listen, timeout=60), 1)
            before = resident_bytes(server)
            connections = []
            for _ in range(count):
                connection = h2.Connection(server.listen, timeout=60)
                connections.append(connection)
                ask(connection, 1)
            each = (resident_bytes(server) - before) / count
            for connection in connections[::max(1, count // 50)]:
                ask(connection, 3)  # they are still there
            for connection in connections:
                connection.close()
    return each


def idle_connections_cost_little_and_stay():
    each = measure_idle_connections(options.connections)
    print(f"# {options.connections} connections, {each / 1024:.1f} KiB each after one call")
    assert each <= IDLE_BYTES_MAX, f"{each} bytes each"


def begin_http_1(address, kind):
    """A request that lacks its last byte."""
    peer = h2.Plain(address)
    peer.send(f"POST {METHOD} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
              "Content-Length: 12\r\n\r\n".encode() + b'{"sku": "A"')
    return peer


def begin_http_2(address, kind, method=METHOD):
    peer = h2.Connection(address, timeout=60)
    block = h2.request(method).replace(h2.literal("content-type", "application/grpc"),
                                       h2.literal("content-type", kind))
    peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, block) +
              h2.frame(h2.DATA, 0, 1, h2.grpc_message(SKU)[:-1]))
    return peer


def ends_stream(peer):
    """The body of the answer on stream 1, which must end."""
    body = b""
    while True:
        got = peer.read_frame()
        assert got is not None, "the connection was closed"
        kind, flags, stream, payload = got
        if stream == 1 and kind == h2.DATA:
            body += payload
        assert not (stream == 1 and kind == h2.RST_STREAM), "reset, without an answer"
        if stream == 1 and kind in (h2.DATA, h2.HEADERS) and flags & h2.END_STREAM:
            return body


def requests_that_do_not_come_whole_are_answered_in_time():
    with tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory, "--request-seconds", "1") as server:
            in_json = begin_http_1(server.listen, "application/json")
            of_nobody = begin_http_1(server.listen, "text/nonsense")
            web = begin_http_2(server.listen, "application/grpc-web")
            in_grpc = begin_http_2(server.listen, "application/grpc")
            stream = begin_http_2(server.listen, "application/grpc-web",
                                  "/waybill.inventory.v1.InventoryService/WatchStock")
            with waybill_server.channel_to(server.listen) as channel:
                idle = channel.stream_stream(
                    "/waybill.inventory.v1.InventoryService/ReserveStream",
                    request_serializer=inventory.ReserveStreamRequest.SerializeToString,
                    response_deserializer=inventory.ReserveStreamResponse.FromString)
                go_on = threading.Event()

                def requests():
                    go_on.wait(60)
                    yield inventory.ReserveStreamRequest(reserve=inventory.ReserveRequest(
                        reservation_id="late", lines=[inventory.ReserveLine(sku="A", quantity=1)]))
                answers = idle(requests(), timeout=60)
                said = in_json.read_to_the_end()
                assert said.startswith(b"HTTP/1.1 504 ") and b"deadline_exceeded" in said, said
                said = of_nobody.read_to_the_end()
                assert said.startswith(b"HTTP/1.1 415 "), said
                for peer in (web, stream):
                    said = ends_stream(peer)
                    assert b"grpc-status: 4" in said, said
                ends_stream(in_grpc)
                ask(in_grpc, 3)  # the connection goes on
                time.sleep(2.5)
                go_on.set()  # a stream that has been idle longer than a request may take
                assert next(answers).reservation_id == "late"
            assert server.counted("waybill_http_requests_late_total") == 5


class SlowPeers(threading.Thread):
    """Bodies that come byte by byte, half of them over HTTP/1.1, half over HTTP/2."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.peers = []
        for number in range(SLOW_PEERS):
            peer = h2.Connection(address, timeout=60) if number % 2 else h2.Plain(address)
            if number % 2:
                peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.request(METHOD)) +
                          h2.frame(h2.DATA, 0, 1, b"\0\0\x01\0\0"))
            else:
                peer.send(f"POST {METHOD} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                          "Content-Length: 65000\r\n\r\n{".encode())
            self.peers.append(peer)
        self.start()

    def run(self):
        while not self.stop.wait(0.1):
            for number, peer in enumerate(self.peers):
                peer.send(h2.frame(h2.DATA, 0, 1, b"x") if number % 2 else b" ")

    def end(self):
        self.stop.set()
        self.join()
        for peer in self.peers:
            peer.close()


def slow_bodies_harm_nobody_else():
    with tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory) as server:
            connection = h2.Connection(server.listen, timeout=60)
            ask(connection, 1)
            before = resident_bytes(server)
            slow = SlowPeers(server.listen)
            until = time.monotonic() + options.slow_seconds
            calls = 0
            while time.monotonic() < until:
                calls += 1
                ask(connection, 2 * calls + 1)
            grown = resident_bytes(server) - before
            slow.end()
            ask(h2.Connection(server.listen, timeout=60), 1)
            print(f"# {SLOW_PEERS} slow peers, {calls} other calls, {grown // 1024} KiB more")
            assert calls > 10 and grown <= MEMORY_BYTES_MAX, f"{calls} calls, {grown} bytes more"


def slowhttptest_harms_nobody_else():
    program = shutil.which("slowhttptest")
    if not program:
        raise tap.Skip("slowhttptest is not installed")
    with tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory) as server:
            connection = h2.Connection(server.listen, timeout=60)
            ask(connection, 1)
            before, stream = resident_bytes(server), 1
            for kind in ("-H", "-B", "-X"):  # slow heads, slow bodies, slow reading
                attack = subprocess.Popen(
                    [program, kind, "-c", "1000", "-i", "2", "-r", "500", "-x", "10", "-w", "64",
                     "-y", "128", "-n", "2", "-z", "8", "-k", "3", "-p", "10", "-l",
                     str(int(options.slow_seconds)), "-u", f"http://{server.listen}/openapi.json"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while attack.poll() is None:
                    stream += 2
                    ask(connection, stream)
            grown = resident_bytes(server) - before
            print(f"# {stream // 2} other calls, {grown // 1024} KiB more")
            assert grown <= 4 * MEMORY_BYTES_MAX, f"{grown} bytes more"


def burst(server, number):
    """Far more than the queue takes, at once, over 8 connections; gives how often each status."""
    channels = [grpc.insecure_channel(server.listen, [("grpc.use_local_subchannel_pool", 1)])
                for _ in range(8)]
    methods = [waybill_server.inventory_method(channel, "ReceiveStock") for channel in channels]
    asked = [methods[i % 8].future(
        inventory.ReceiveStockRequest(receipt_id=f"{number}-{i}", sku="A", quantity=1), timeout=60)
        for i in range(AT_ONCE)]
    codes = {}
    for one in asked:
        codes[one.code()] = codes.get(one.code(), 0) + 1
    for channel in channels:
        channel.close()
    return codes


def load_beyond_the_queue_is_refused_with_flat_memory():
    ok, exhausted = grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED
    with tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory, "inventory", "--queue-length-max", str(QUEUE_LENGTH)) as server:
            first = burst(server, 0)
            before = resident_bytes(server)
            sums = dict(first)
            for number in range(1, 6):
                for code, count in burst(server, number).items():
                    sums[code] = sums.get(code, 0) + count
            grown = resident_bytes(server) - before
            print(f"# {sums.get(ok)} done, {sums.get(exhausted)} refused, {grown // 1024} KiB more")
            assert set(sums) == {ok, exhausted}, sums
            assert grown <= MEMORY_BYTES_MAX, f"{grown} more bytes"
            with grpc.insecure_channel(server.listen) as channel:
                answer = waybill_server.inventory_method(channel, "GetStock")(
                    inventory.GetStockRequest(sku="A"), timeout=60)
            assert answer.stock.on_hand == sums[ok], "what was refused was not done, nor the reverse"


if __name__ == "__main__":
    tap.run([idle_connections_cost_little_and_stay, slow_bodies_harm_nobody_else,
             requests_that_do_not_come_whole_are_answered_in_time,
             load_beyond_the_queue_is_refused_with_flat_memory] +
            ([slowhttptest_harms_nobody_else] if options.slow_seconds >= 30 else []))
