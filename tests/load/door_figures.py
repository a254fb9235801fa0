#!/usr/bin/python3
"""The figures of the door, in one run, taking turns; prints one table.

    tests/load/door_figures.py [--build build-test-gcc] [--rounds 3] [--seconds 5] [--connections 10000]
                               [--server-core 0] [--client-core 1] [--json]

Needs what `./test` has built, and h2load (nghttp2-client). Server and generator have a core each.

- Echo: `echo_server` (the whole RPC layer: check, unpack, handler, pack) against `echo_bare` (nghttp2
  and libuv alone), 16 connections x 100 calls; a call carries 20 bytes.
- JSON over HTTP/1.1 against protobuf over HTTP/2, both with 64 connections x 1 call.
- TLS (1.3, P-256) against plain, 16 x 100.
- Memory of an idle connection after one call, plain, `waybill serve`.
- Flood: the p99 of one caller of `waybill serve`, quiet, and while rapid resets are sent on one
  connection after the other by a process of lowest priority.

Beside calls a second stands the server's CPU time a call, which other work on the machine disturbs
less. A benchmark, not a test: it asserts nothing.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAYLOAD = b"0123456789abcdef"
METHOD = "/grpc.testing.TestService/UnaryCall"
FLOOD_FRAMES = 100_000

arguments = argparse.ArgumentParser()
arguments.add_argument("--build", default="build-test-gcc")
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--seconds", type=int, default=5)
arguments.add_argument("--connections", type=int, default=10000)
arguments.add_argument("--server-core", type=int, default=0)
arguments.add_argument("--client-core", type=int, default=1)
arguments.add_argument("--json", action="store_true")
options, sys.argv[1:] = arguments.parse_known_args()
BUILD = os.path.join(ROOT, options.build)
os.environ["WAYBILL_PROGRAM"] = os.path.join(BUILD, "src", "main", "waybill")

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
sys.path.insert(0, os.path.join(ROOT, "tests", "security"))
import idle_and_overload_test as idle  # noqa: E402
import raw_http2 as h2  # noqa: E402
import waybill_process  # noqa: E402
from certificates import make_certificate  # noqa: E402


class Echo:
    """One of the echo servers, on its core."""

    def __init__(self, name, *more):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(options.server_core), os.path.join(BUILD, "tests", "load", name),
             *more], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise SystemExit(f"door_figures: {name} does not start; has ./test built it?")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


def load(server, body, headers, *how, scheme="http"):
    """Gives calls a second, and the server's CPU microseconds a call."""
    url = f"{scheme}://{server.address}{METHOD}"
    said = []
    command = ["taskset", "-c", str(options.client_core), "h2load", "-d", body, *how]
    for header in headers:
        command += ["-H", header]
    for seconds in (1, options.seconds):  # the first to warm up
        before = server.cpu_seconds()
        said = subprocess.run([*command, "-D", str(seconds), url], capture_output=True, text=True,
                              check=True).stdout
        used = server.cpu_seconds() - before
    rate = float(re.search(r"([\d.]+) req/s", said).group(1))
    good = int(re.search(r"(\d+) 2xx", said).group(1))
    lost = int(re.search(r"(\d+) failed", said).group(1))
    # What is in flight at the end of the time counts as failed.
    assert good > 0 and lost <= 20000, said
    return rate, 1e6 * used / good


def medians(measure):
    """The median of each value over the rounds."""
    return [statistics.median(values) for values in
            zip(*(measure() for _ in range(options.rounds)))]


def echo_figures(directory):
    protobuf, plain_json = (os.path.join(directory, name) for name in ("echo.bin", "echo.json"))
    with open(protobuf, "wb") as file:  # SimpleRequest{payload {body}}
        file.write(h2.grpc_message(b"\x1a\x12\x12\x10" + PAYLOAD))
    with open(plain_json, "w", encoding="ascii") as file:
        file.write('{"payload":{"body":"MDEyMzQ1Njc4OWFiY2RlZg=="}}')
    certificate = make_certificate(directory, "server")
    grpc, connect = ["content-type: application/grpc", "te: trailers"], ["content-type: application/json"]
    many, few = ["-c", "16", "-m", "100"], ["-c", "64", "-m", "1"]

    def measure():
        with Echo("echo_bare") as bare:
            yield from load(bare, protobuf, grpc, *many)
        with Echo("echo_server") as ours:
            yield from load(ours, protobuf, grpc, *many)
            yield from load(ours, protobuf, grpc, *few)
            yield from load(ours, plain_json, connect, "--h1", *few)
        with Echo("echo_server", *certificate) as ours:
            yield from load(ours, protobuf, grpc, *many, scheme="https")
    return medians(lambda: list(measure()))


def caller_p99_us(server, seconds):
    connection = h2.Connection(server.listen, timeout=60)
    took, stream = [], 1
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        idle.ask(connection, stream)
        took.append(1e6 * (time.perf_counter() - began))
        stream += 2
    connection.close()
    return statistics.quantiles(took, n=100)[98]


def flood_until_killed(address):
    """Rapid resets, connection after connection."""
    block = h2.request(idle.METHOD)
    frames = b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
                      h2.frame(h2.RST_STREAM, 0, 2 * n + 1, b"\0\0\0\x08") for n in range(2000))
    while True:
        connection = h2.Connection(address)
        connection.send(frames)
        connection.close()


def flood_figures(directory):
    def measure():
        with waybill_process.Server(os.path.join(directory, "data")) as server:
            quiet = caller_p99_us(server, options.seconds)
            flooder = os.fork()
            if flooder == 0:
                os.nice(19)
                flood_until_killed(server.listen)
            try:
                flooded = caller_p99_us(server, options.seconds)
            finally:
                os.kill(flooder, 9)
                os.waitpid(flooder, 0)
            return quiet, flooded
    return medians(measure)


def main():
    with tempfile.TemporaryDirectory() as directory:
        (bare, bare_cpu, ours, ours_cpu, few, few_cpu, in_json, json_cpu, tls,
         tls_cpu) = echo_figures(directory)
        quiet, flooded = flood_figures(directory)
    memory = idle.measure_idle_connections(options.connections)
    rows = [
        ("echo, bare nghttp2 + libuv", bare, bare_cpu, ""),
        ("echo, whole layer", ours, ours_cpu,
         f"{ours / bare:.2f} of bare, {bare_cpu / ours_cpu:.2f} by CPU time (must 0.8, 450,000/s)"),
        ("protobuf, HTTP/2, 64 x 1", few, few_cpu, ""),
        ("JSON, HTTP/1.1, 64 x 1", in_json, json_cpu,
         f"{in_json / few:.2f} of protobuf, {few_cpu / json_cpu:.2f} by CPU time (must 0.5)"),
        ("echo in TLS", tls, tls_cpu,
         f"costs {100 * (1 - tls / ours):.0f} %, {100 * (1 - ours_cpu / tls_cpu):.0f} % by CPU time "
         "(at most 30)"),
    ]
    if options.json:
        print(json.dumps({"rows": rows, "idle_connection_bytes": memory, "quiet_p99_us": quiet,
                          "flooded_p99_us": flooded}))
        return
    print(f"{'what':28} {'calls/s':>9} {'CPU us':>7}")
    for name, rate, cpu, note in rows:
        print(f"{name:28} {rate:9,.0f} {cpu:7.2f}  {note}")
    print(f"idle connection              {memory / 1024:9.1f} KiB   (at most 32)")
    print(f"another caller's p99: {quiet:.0f} us quiet, {flooded:.0f} us under a flood: "
          f"{flooded / quiet:.2f} x (at most 2)")


if __name__ == "__main__":
    main()
