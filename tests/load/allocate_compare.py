#!/usr/bin/python3
"""Allocate on PostgreSQL through gRPC, beside pgbench with our statements and, if its sources are named,
beside the rival: in one run, on one server, taking turns; prints medians and ratios.

    tests/load/allocate_compare.py [--peer DIR] [--rounds 3] [--seconds 8] [--warehouses 16] [--json]

Each has a database of its own with the same stock: 10,000 SKUs in every warehouse. 8 connections with 8
calls in flight each, every call one piece of another SKU; pgbench has 8 clients; all have 8 connections to
PostgreSQL. The allocation is the rival's own, by priority, then distance. Afterwards the databases are asked
whether what is held is what was granted. DIR holds the rival's Go sources (grpc-go, pgx) and needs Go; it
keeps neither ids nor shelves nor events. Needs a built Waybill and load generator (./test builds both).
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from postgresql_server import PostgresqlServer, free_port, programs  # noqa: E402

MIGRATIONS = os.path.join(ROOT, "migrations/postgresql/warehouse")
SCRIPT = os.path.join(ROOT, "tests/load/allocate.pgbench")
SKUS = 10000
CONNECTIONS = STREAMS = CLIENTS = 8
FILL = """
INSERT INTO warehouse_sites (warehouse_id, content, name, priority, active, address_name, company,
  phone, email, address_lines, city, region, postal_code, country_code, latitude_e7, longitude_e7,
  handling_currency, handling_minor, cutoff_local_time, time_zone, closed_days, capacity_per_day,
  revision)
  SELECT 'W' || i, '', '', 1 + i %% 4, 1, '', '', '', '', '', '', '', '', '',
    350000000 + 10000000 * i, -100000000 + 20000000 * i, '', 0, '', '', '', 0, 1
  FROM generate_series(0, %(last)d) i;
INSERT INTO warehouse_items (sku, name, weight_grams, length_mm, width_mm, height_mm, hazard_class,
  hs_code, origin_country)
  SELECT 'SKU-' || lpad(i::text, 12, '0'), '', 500, 0, 0, 0, '', '', ''
  FROM generate_series(0, %(skus)d - 1) i;
INSERT INTO warehouse_stock (sku, warehouse_id, on_hand, allocated, shipped_for_reservations,
  update_time_us)
  SELECT 'SKU-' || lpad(i::text, 12, '0'), 'W' || w, 1000000, 0, 0, 0
  FROM generate_series(0, %(skus)d - 1) i, generate_series(0, %(last)d) w;
INSERT INTO warehouse_shelves
  SELECT 'SKU-' || lpad(i::text, 12, '0'), 'W' || w, '', '', '', 0, 1000000, 0
  FROM generate_series(0, %(skus)d - 1) i, generate_series(0, %(last)d) w;
UPDATE warehouse_directory SET revision = revision + 1;
"""


def psql(url, *arguments, text=None):
    done = subprocess.run(["psql", url, "-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments],
                          input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"allocate_compare: psql: {done.stderr}")
    return done.stdout.strip()


def fill(url, options):
    psql(url, text=FILL % {"skus": SKUS, "last": options.warehouses - 1})
    # Not those that are empty still: PostgreSQL would believe that they stay so.
    psql(url, "-c", "VACUUM ANALYZE warehouse_sites, warehouse_items, warehouse_stock, warehouse_shelves")


def statements(options):
    """allocate.pgbench with this run's SKUs and warehouses."""
    with open(SCRIPT, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"\\set s random\(.*\)", f"\\\\set s random(0, {SKUS - 1})", text)
    text = re.sub(r"\\set w random\(.*\)", f"\\\\set w random(0, {options.warehouses - 1})", text)
    text = text.replace("""'{"S' || :s::text || '"}'""", """'{"SKU-' || lpad(:s::text, 12, '0') || '"}'""")
    return text.replace("'S' || :s::text", "'SKU-' || lpad(:s::text, 12, '0')")


def generate(options, who, address):
    command = [options.load, who, address, "--allocate", "--hot", "0", "--connections", str(CONNECTIONS),
               "--streams", str(STREAMS), "--seconds", str(options.seconds), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"allocate_compare: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Pgbench:
    name = "pgbench, our statements"

    def __init__(self, server, options, place):
        self.url = server.database("for_pgbench")
        for migration in sorted(os.listdir(MIGRATIONS)):
            psql(self.url, "-f", os.path.join(MIGRATIONS, migration))
        fill(self.url, options)
        self.script = os.path.join(place, "allocate.pgbench")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(statements(options))

    def measure(self, options):
        log = os.path.join(os.path.dirname(self.script), "log")
        told = subprocess.run(
            [os.path.join(programs(), "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2",
             "-T", str(options.seconds), "-l", "--log-prefix", log, "-f", self.script, self.url],
            capture_output=True, text=True, check=True,
            env={**os.environ, "PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}).stdout  # as ours
        times = []
        for name in os.listdir(os.path.dirname(log)):
            if name.startswith("log."):
                path = os.path.join(os.path.dirname(log), name)
                with open(path, encoding="utf-8") as file:
                    times += [int(line.split()[2]) / 1000 for line in file]
                os.remove(path)
        times.sort()
        return {"perSecond": float(re.search(r"tps = ([\d.]+)", told).group(1)),
                "p50Ms": times[len(times) // 2], "p99Ms": times[len(times) * 99 // 100]}

    def close(self):
        pass


class Waybill:
    name = "Waybill, gRPC"

    def __init__(self, server, options, place):
        self.url = server.database("for_waybill")
        self.process = subprocess.Popen(
            [options.program, "serve", "warehouse", "--warehouse", self.url, "--data",
             os.path.join(place, "waybill"), "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0",
             "--sql-connections", str(CLIENTS), "--log-level", "warning"],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("waybill ready listen="):
            raise SystemExit("allocate_compare: waybill serve did not start")
        self.address = line.split("listen=")[1].split()[0]
        fill(self.url, options)
        self.granted = 0

    def measure(self, options):
        result = generate(options, "waybill", self.address)
        self.granted += result["granted"]
        held = int(psql(self.url, "-c", "SELECT sum(allocated) FROM warehouse_stock"))
        result["differences"] = abs(held - self.granted)
        return result

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Peer:
    name = "rival, gRPC"

    def __init__(self, server, options, place):
        self.url = server.database("for_rival")
        sources = os.path.join(place, "rival")
        shutil.copytree(options.peer, sources)
        program = os.path.join(place, "rival_program")
        subprocess.run(["go", "build", "-o", program, "."], cwd=sources, check=True)
        with open(os.path.join(sources, "sql", "schema.sql"), encoding="utf-8") as file:
            schema = file.read().replace("generate_series(1, 16)", f"generate_series(1, {options.warehouses})")
        psql(self.url, text=schema)
        self.address = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen([program, "-addr", self.address, "-pg", self.url, "-pg-pool",
                                         str(CLIENTS), *(["-pg-batch"] if options.peer_batch else [])],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening" in line:
                break
        else:
            raise SystemExit("allocate_compare: the rival did not start")
        self.granted = 0

    def measure(self, options):
        result = generate(options, "peer", self.address)
        self.granted += result["granted"]
        taken = int(psql(self.url, "-c", "SELECT -sum(quantity) FROM movements"))
        result["differences"] = abs(taken - self.granted)
        return result

    def close(self):
        self.process.terminate()
        self.process.wait(60)


def arguments():
    build = os.path.join(ROOT, "build-test-gcc")
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peer", help="directory of the rival's Go sources")
    parser.add_argument("--peer-batch", action="store_true", help="the rival pipelines its writes")
    parser.add_argument("--load", default=os.path.join(build, "tests/load/load"))
    parser.add_argument("--program", default=os.path.join(build, "src/main/waybill"))
    parser.add_argument("--warehouses", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def run(options):
    rows = {}
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
    with tempfile.TemporaryDirectory() as place, PostgresqlServer(settings) as server:
        contestants = [kind(server, options, place)
                       for kind in ((Pgbench, Waybill, Peer) if options.peer else (Pgbench, Waybill))]
        try:
            for turn in range(options.rounds):
                for one in contestants:
                    print(f"round {turn + 1} of {options.rounds}: {one.name}", file=sys.stderr, flush=True)
                    rows.setdefault(one.name, []).append(one.measure(options))
        finally:
            for one in contestants:
                one.close()
    return rows


def main():
    options = arguments()
    rows = run(options)
    medians = {name: {key: statistics.median(result[key] for result in results)
                      for key in ("perSecond", "p50Ms", "p99Ms")}
               for name, results in rows.items()}
    ours = medians[Waybill.name]["perSecond"]
    differences = sum(result.get("differences", 0) for results in rows.values() for result in results)
    if options.json:
        print(json.dumps({"rows": medians, "differences": differences, "load": os.getloadavg()}))
    else:
        print(f"Allocate, {SKUS} SKUs in each of {options.warehouses} warehouses; medians of "
              f"{options.rounds} rounds of {options.seconds} s; load average {os.getloadavg()[0]:.1f}")
        for name, row in medians.items():
            print(f"{name:24} {row['perSecond']:7.0f}/s  p50 {row['p50Ms']:6.2f} ms  p99 {row['p99Ms']:6.2f} ms"
                  f"  Waybill is {ours / row['perSecond']:.2f} x")
        print(f"{differences} differences between what was granted and what the databases hold")
    return 1 if differences else 0


sys.exit(main())
