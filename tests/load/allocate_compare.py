#!/usr/bin/python3
"""Allocate on PostgreSQL beside pgbench with the same statements, taking turns on one server.

    allocate_compare.py PROGRAM [ROUNDS [SECONDS]]

PROGRAM is warehouse_load, 64 commands in flight over the store's connections; pgbench has 8 clients.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from postgresql_server import PostgresqlServer  # noqa: E402

MIGRATION = os.path.join(ROOT, "migrations/postgresql/warehouse/0001_warehouse.sql")
SCRIPT = os.path.join(ROOT, "tests/load/allocate.pgbench")
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
FILL = """
INSERT INTO warehouse_sites (warehouse_id, content, name, priority, active, address_name, company,
  phone, email, address_lines, city, region, postal_code, country_code, handling_currency,
  handling_minor, cutoff_local_time, time_zone, closed_days, capacity_per_day, revision)
  SELECT 'W' || i, '', '', 0, 1, '', '', '', '', '', '', '', '', '', '', 0, '', '', '', 0, 1
  FROM generate_series(0, 2) i;
INSERT INTO warehouse_items (sku, name, weight_grams, length_mm, width_mm, height_mm, hazard_class,
  hs_code, origin_country)
  SELECT 'S' || i, '', 500, 0, 0, 0, '', '', '' FROM generate_series(0, 999) i;
INSERT INTO warehouse_stock (sku, warehouse_id, on_hand, allocated, shipped_for_reservations,
  update_time_us)
  SELECT 'S' || i, 'W' || w, 1000000, 0, 0, 0
  FROM generate_series(0, 999) i, generate_series(0, 2) w;
INSERT INTO warehouse_shelves
  SELECT 'S' || i, 'W' || w, '', '', '', 0, 1000000, 0
  FROM generate_series(0, 999) i, generate_series(0, 2) w;
"""


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    seconds = sys.argv[3] if len(sys.argv) > 3 else "5"
    with PostgresqlServer() as server:
        subprocess.run(["psql", server.url, "-q", "-v", "ON_ERROR_STOP=1", "-f", MIGRATION], check=True)
        subprocess.run(["psql", server.url, "-q", "-v", "ON_ERROR_STOP=1"], input=FILL, text=True,
                       check=True)
        for _ in range(rounds):
            told = subprocess.run([PGBENCH, "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", seconds,
                                   "-f", SCRIPT, server.url], capture_output=True, text=True,
                                  check=True).stdout
            print("pgbench, 8 clients:", re.search(r"tps = (\d+)", told).group(1), "a second", flush=True)
            subprocess.run([program, "64", seconds, "1000"], check=True,
                           env={**os.environ, "WAYBILL_SQL_URL": server.url})


main()
