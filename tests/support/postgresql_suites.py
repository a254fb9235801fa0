#!/usr/bin/python3
"""Runs C suites, which read WAYBILL_SQL_URL, on a real PostgreSQL of their own.

    postgresql_suites.py [--seconds N] PROGRAM…

--seconds: how long a suite may take, 240.
Their TAP is passed on, numbered through.
"""

import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402

CASE = re.compile(r"(ok|not ok) \d+ ?(.*)")


def run(program, url, first, seconds_max):
    """(cases, failed)"""
    environment = {**os.environ, "WAYBILL_SQL_URL": url, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True, env=environment)
    cases = failed = 0
    timer = threading.Timer(seconds_max, process.kill)
    timer.start()
    for line in process.stdout:
        match = CASE.match(line)
        if match:
            cases += 1
            failed += match.group(1) == "not ok"
            print(f"{match.group(1)} {first + cases} {match.group(2)}", flush=True)
        elif line.startswith("#"):
            print(line, end="", flush=True)
    code = process.wait()
    timer.cancel()
    if code != 0 and failed == 0:
        cases += 1
        failed += 1
        print(f"not ok {first + cases} {os.path.basename(program)} ended with {code}", flush=True)
    return cases, failed


def main():
    try:
        server = PostgresqlServer()
    except tap.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    programs, seconds_max = sys.argv[1:], 240
    if programs[0] == "--seconds":
        programs, seconds_max = programs[2:], int(programs[1])
    total = failures = 0
    with server:
        for program in programs:
            cases, failed = run(program, server.url, total, seconds_max)
            total += cases
            failures += failed
    print(f"1..{total}")
    return 1 if failures else 0


sys.exit(main())
