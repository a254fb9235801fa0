#!/usr/bin/python3
"""Waybill against the rival on Redis, in one run, taking turns; prints medians.

    tests/load/compare.py --peer DIR [--rounds 3] [--seconds 5] [--cores 0,1] [--json]

DIR holds the rival's Go sources (grpc-go, go-redis). Needs Go, redis-server and a built Waybill and
load generator (./run --build; ./test load). Server, store and generator share the cores named.
Each round measures, for 1 x 1, 8 x 16, 16 x 100 and 64 x 100 (connections x calls in flight): the
disk's fdatasync of 4 KiB, the rival with its AOF synced always, then Waybill; Waybill's GetStock at
last. After each run of the rival its Redis is asked whether what it counts as reserved is what it
granted; Waybill's effect is checked by the generator itself, SKU by SKU, and by VerifyLedger.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = [(1, 1), (8, 16), (16, 100), (64, 100)]
SKUS = 10000
SYNC_BYTES = 4096


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"compare: {process.args[0]} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"compare: {process.args[0]} does not answer on port {port}")


def sync_us(directory, count=300):
    """Median of write + fdatasync of 4 KiB into a file that is already written."""
    path = os.path.join(directory, "sync")
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.pwrite(file, bytes(SYNC_BYTES * count), 0)
    os.fsync(file)
    times = []
    for index in range(count):
        began = time.perf_counter_ns()
        os.pwrite(file, b"x" * SYNC_BYTES, SYNC_BYTES * index)
        os.fdatasync(file)
        times.append((time.perf_counter_ns() - began) / 1000)
    os.close(file)
    os.unlink(path)
    return statistics.median(times)


def redis_commands(port, text):
    done = subprocess.run(["redis-cli", "-p", str(port), "--raw"], input=text,
                          capture_output=True, text=True, check=True)
    return done.stdout


class Peer:
    """The rival and its Redis, AOF synced always, made anew for each case."""

    def __init__(self, program, directory, pin):
        self.redis_port, port = free_port(), free_port()
        self.redis = subprocess.Popen(
            pin + ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir",
                   directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
            stdout=subprocess.DEVNULL)
        wait_for_port(self.redis_port, self.redis)
        lines = [f"SET inventory:{{SKU-{sku:012}}}:available 1000000000" for sku in range(SKUS)]
        redis_commands(self.redis_port, "\n".join(lines) + "\n")
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            pin + [program, "-addr", self.address, "-redis", f"127.0.0.1:{self.redis_port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(port, self.process)

    def reserved(self):
        keys = " ".join(f"inventory:{{SKU-{sku:012}}}:reserved" for sku in range(SKUS))
        answer = redis_commands(self.redis_port, f"MGET {keys}\n")
        return sum(int(line) for line in answer.split() if line.isdigit())

    def close(self):
        for process in (self.process, self.redis):
            process.terminate()
            process.wait()


def start_waybill(directory, pin):
    process = subprocess.Popen(
        pin + [os.path.join(ROOT, "build", "waybill"), "serve", "inventory", "--listen", "127.0.0.1:0",
               "--operations", "127.0.0.1:0", "--data", directory, "--log-level", "warning"],
        stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("waybill ready listen="):
        raise SystemExit("compare: waybill serve did not start")
    return process, line.split("listen=")[1].split()[0]


def measure(options, pin, target, address, case, *more):
    command = pin + [options.load, target, address, "--connections", str(case[0]), "--streams",
                     str(case[1]), "--seconds", str(options.seconds), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"compare: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def run_peer(options, pin, program, case):
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        peer = Peer(program, directory, pin)
        try:
            result = measure(options, pin, "peer", peer.address, case)
            result["differences"] = abs(peer.reserved() - result["granted"])
        finally:
            peer.close()
    return result


def run_waybill(options, pin, case, *more):
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        process, address = start_waybill(directory, pin)
        try:
            return measure(options, pin, "waybill", address, case, *more)
        finally:
            process.terminate()
            process.wait()


def median_of(results):
    return {key: statistics.median(result[key] for result in results)
            for key in ("perSecond", "p50Ms", "p99Ms", "differences", "mismatches")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peer", required=True, help="directory of the rival's Go sources")
    parser.add_argument("--load", default=os.path.join(ROOT, "build-test-gcc/tests/load/load"),
                        help="the load generator (made by ./test)")
    parser.add_argument("--directory", default=ROOT, help="where the stores live: a real disk")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--cores", default="0,1", help="as taskset takes them")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    pin = ["taskset", "-c", options.cores]
    rows = {}
    syncs = []
    with tempfile.TemporaryDirectory() as build:
        sources = os.path.join(build, "peer")
        shutil.copytree(options.peer, sources)
        program = os.path.join(build, "peer_go")
        subprocess.run(["go", "build", "-o", program, "."], cwd=sources, check=True)
        for turn in range(options.rounds):
            for case in CASES:
                print(f"round {turn + 1} of {options.rounds}: {case[0]} x {case[1]}",
                      file=sys.stderr, flush=True)
                syncs.append(sync_us(options.directory))
                name = f"{case[0]} x {case[1]}"
                rows.setdefault(("rival", "Reserve", name), []).append(
                    run_peer(options, pin, program, case))
                rows.setdefault(("waybill", "Reserve", name), []).append(
                    run_waybill(options, pin, case))
            rows.setdefault(("waybill", "GetStock", "64 x 100"), []).append(
                run_waybill(options, pin, (64, 100), "--get"))
    medians = [{"who": who, "method": method, "load": load, **median_of(results)}
               for (who, method, load), results in rows.items()]
    if options.json:
        print(json.dumps({"fdatasyncUs": statistics.median(syncs), "rows": medians}))
        return
    print(f"fdatasync of {SYNC_BYTES} bytes: {statistics.median(syncs):.0f} us; "
          f"medians of {options.rounds} rounds of {options.seconds} s, cores {options.cores}")
    for row in medians:
        print(f"{row['who']:8} {row['method']:9} {row['load']:9} {row['perSecond'] / 1000:8.1f} "
              f"thousand/s  p50 {row['p50Ms']:7.3f} ms  p99 {row['p99Ms']:7.3f} ms  "
              f"differences {row['differences']:.0f}, mismatches {row['mismatches']:.0f}")


main()
