#!/usr/bin/python3
"""The five figures of the door, in one run of about two minutes; prints one table with what each must
be and whether it is.

    tests/load/door_figures.py [--build build-test-gcc] [--rounds 3] [--seconds 3] [--connections 10000]
                               [--server-core 0] [--client-core 1] [--json]

Needs what `./test` has built, and h2load (nghttp2-client). Server and generator have a core each; where
there are not two, all share. What is compared is measured in turns, and medians are compared.

1. Echo: `echo_server` (the whole RPC layer: check, unpack, handler, pack) against `echo_bare` (nghttp2
   and libuv alone), 16 connections x 100 calls; a call carries 20 bytes.
2. JSON over HTTP/1.1 against protobuf over HTTP/2, both with 64 connections x 1 call.
3. TLS (1.3, P-256) against plain, 16 x 100.
4. Memory of an idle connection after one call, plain, `waybill serve`.
5. Flood: the p99 of one caller of `waybill serve`, quiet, and while a process of idle priority sends
   rapid resets on one connection after the other, from an address of its own.

Beside calls a second stands the server's CPU time a call, which other work on the machine disturbs
less. A benchmark, not a test: it exits with 0 whatever the figures are.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
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
arguments.add_argument("--seconds", type=int, default=3)
arguments.add_argument("--connections", type=int, default=10000)
arguments.add_argument("--server-core", type=int, default=0)
arguments.add_argument("--client-core", type=int, default=1)
arguments.add_argument("--json", action="store_true")
options, sys.argv[1:] = arguments.parse_known_args()
BUILD = os.path.join(ROOT, options.build)
CORES = os.sched_getaffinity(0)
if not {options.server_core, options.client_core} <= CORES:
    options.server_core = options.client_core = min(CORES)
for needed in ("tests/load/echo_server", "tests/load/echo_bare", "src/main/waybill"):
    if not os.access(os.path.join(BUILD, needed), os.X_OK):
        raise SystemExit(f"door_figures: {BUILD} has no {needed}: run ./test, or give --build DIRECTORY")
if shutil.which("h2load") is None:
    raise SystemExit("door_figures: h2load is missing: apt-get install nghttp2-client")
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
            raise SystemExit(f"door_figures: {name} does not start")

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
        done = subprocess.run([*command, "-D", str(seconds), url], capture_output=True, text=True,
                              check=False, timeout=seconds + 60)
        said = done.stdout + done.stderr
        used = server.cpu_seconds() - before
    rate = float(re.search(r"([\d.]+) req/s", said).group(1))
    good = int(re.search(r"(\d+) 2xx", said).group(1))
    lost = int(re.search(r"(\d+) failed", said).group(1))
    if good == 0 or lost > 20000:  # what is in flight at the end of the time counts as failed
        raise SystemExit(f"door_figures: h2load has failed:\n{said}")
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
    """Rapid resets, connection after connection, whether they are taken or not."""
    block = h2.request(idle.METHOD)
    frames = b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS, 2 * n + 1, block) +
                      h2.frame(h2.RST_STREAM, 0, 2 * n + 1, b"\0\0\0\x08") for n in range(2000))
    while True:
        try:
            connection = h2.Connection(address, source="127.0.0.2")
            connection.send(frames)
            connection.close()
        except OSError:
            pass  # refused


class Flood:
    """In a process of its own, on the generator's core, where it takes only what is left."""

    def __init__(self, address):
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.sched_setaffinity(0, {options.client_core})
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
                flood_until_killed(address)
            finally:
                os._exit(1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def flood_figures(directory):
    """p99 quiet and flooded, and how many of the flood's connections were refused."""
    os.sched_setaffinity(0, {options.server_core})  # for the server, which is started from here
    with waybill_process.Server(os.path.join(directory, "data"), "--io-threads", "1") as server:
        os.sched_setaffinity(0, {options.client_core})
        caller_p99_us(server, 1)

        def measure():
            quiet = caller_p99_us(server, options.seconds)
            with Flood(server.listen):
                flooded = caller_p99_us(server, options.seconds)
            return quiet, flooded
        quiet, flooded = medians(measure)
        refused = server.counted("waybill_http_connections_barred_total")
    os.sched_setaffinity(0, CORES)
    return quiet, flooded, refused


def rows_of(directory):
    """(what, figure, unit, must, goal, note)"""
    (bare, bare_cpu, ours, ours_cpu, few, few_cpu, in_json, json_cpu, tls,
     tls_cpu) = echo_figures(directory)
    quiet, flooded, refused = flood_figures(directory)
    files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    connections = min(options.connections, files_max - 200)
    memory = idle.measure_idle_connections(connections) / 1024
    tls_costs = 100 * (1 - tls / ours)

    def by_time(cpu):
        return f"{cpu:.2f} us of CPU a call"
    return [
        ("1 echo, bare nghttp2 + libuv", bare, "/s", None, None, by_time(bare_cpu)),
        ("1 echo, whole layer", ours, "/s", (">=", 450000), None, by_time(ours_cpu)),
        ("1 of bare", ours / bare, "", (">=", 0.8), None, f"{bare_cpu / ours_cpu:.2f} by CPU time"),
        ("2 protobuf, HTTP/2, 64 x 1", few, "/s", None, None, by_time(few_cpu)),
        ("2 JSON, HTTP/1.1, 64 x 1", in_json, "/s", None, None, by_time(json_cpu)),
        ("2 of protobuf", in_json / few, "", (">=", 0.5), 0.7, f"{few_cpu / json_cpu:.2f} by CPU time"),
        ("3 echo in TLS", tls, "/s", None, None, by_time(tls_cpu)),
        ("3 TLS costs", tls_costs, "%", ("<=", 30), None,
         f"{100 * (1 - ours_cpu / tls_cpu):.0f} % by CPU time"),
        ("4 idle connection", memory, "KiB", ("<=", 32), None, f"{connections} of them"),
        ("5 another caller's p99, quiet", quiet, "us", None, None, ""),
        ("5 the same, flooded", flooded, "us", None, None, f"{refused} connections refused"),
        ("5 of quiet", flooded / quiet, "", ("<=", 2), None, ""),
    ]


def main():
    with tempfile.TemporaryDirectory() as directory:
        rows = rows_of(directory)
    if options.json:
        print(json.dumps([{"what": what, "figure": figure, "unit": unit, "must": must, "goal": goal}
                          for what, figure, unit, must, goal, _ in rows], indent=1))
        return
    print(f"load of the machine {os.getloadavg()[0]:.1f}, {len(CORES)} cores, medians of {options.rounds}")
    print(f"{'what':31} {'figure':>9}     {'must':>12} {'goal':>5}")
    for what, figure, unit, must, goal, note in rows:
        holds = must and (figure >= must[1] if must[0] == ">=" else figure <= must[1])
        verdict = "" if not must else "holds" if holds else "MISSED"
        shown = f"{figure:9,.0f}" if unit in ("/s", "us") else f"{figure:9.2f}"
        print(f"{what:31} {shown} {unit:3} {f'{must[0]} {must[1]:,}' if must else '':>12} "
              f"{goal or '':>5} {verdict:6} {note}")


if __name__ == "__main__":
    main()
