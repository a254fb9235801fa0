#!/usr/bin/python3
"""Goal: gRPC, gRPC-Web and Connect as their inventors mean them. Method: the conformance suite of the
Connect project calls our server (conformance_server.c) through its own reference clients; every case of
a configuration must pass, and there must be as many cases as there were when it was written.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import go_tools  # noqa: E402
import tap  # noqa: E402

SERVER = os.environ.get("CONFORMANCE_SERVER", "")
SECONDS_MAX = 240


def run(configuration, cases):
    suite = go_tools.install("connectrpc.com/conformance/cmd/connectconformance", "v1.0.7")
    done = subprocess.run(
        [suite, "--mode", "server", "--conf",
         os.path.join(HERE, "configurations", configuration + ".yaml"), "--", SERVER],
        capture_output=True, text=True, timeout=SECONDS_MAX)
    output = done.stdout + done.stderr
    total = re.search(r"Total cases: (\d+)", output)
    failures = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert done.returncode == 0 and not failures, "\n".join(failures[:20]) or output[-2000:]
    assert total and int(total.group(1)) >= cases, f"{total and total.group(1)} cases, not {cases}"


def grpc_374_cases():
    run("grpc-only", 374)


def connect_unary_344_cases():
    run("connect-unary", 344)


def grpc_web_248_cases():
    run("grpc-web", 248)


def all_protocols_codecs_and_stream_types_with_tls_3620_cases():
    run("all-three-tls", 3620)


tap.run([grpc_374_cases, connect_unary_344_cases, grpc_web_248_cases,
         all_protocols_codecs_and_stream_types_with_tls_3620_cases])
