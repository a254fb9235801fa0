#!/usr/bin/python3
"""Goal: gRPC, gRPC-Web and Connect as their inventors mean them. Method: the conformance suite of the
Connect project calls our server (conformance_server.c) through its own reference clients; every case of
a configuration must pass, and there must be as many cases as there were when it was written.

No case is known to fail. One kind may have to be asked twice: where a deadline ends the call on both
sides in the same instant, the suite's Connect client may give up between the head of our answer and its
body, and then finds the body that it has not read wanting.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import outside_tools  # noqa: E402
import tap  # noqa: E402

SERVER = os.environ.get("CONFORMANCE_SERVER", "")
SECONDS_MAX = 240
ASKED_TWICE = re.compile(r"Timeouts/.*/Protocol:PROTOCOL_CONNECT/.*/unary")


def suite(configuration, *more):
    """Gives the number of cases, the names of those that failed, and all that was said."""
    program = outside_tools.install("connectrpc.com/conformance/cmd/connectconformance", "v1.0.7")
    done = subprocess.run(
        [program, "--mode", "server", "--conf",
         os.path.join(HERE, "configurations", configuration + ".yaml"), *more, "--", SERVER],
        capture_output=True, text=True, timeout=SECONDS_MAX)
    output = done.stdout + done.stderr
    total = re.search(r"Total cases: (\d+)", output)
    report = re.search("^.*(runtime error:|Sanitizer)", output, re.M)
    assert not report, output[report.start():][:4000]
    failed = re.findall(r"^FAILED: (.*):$", output, re.M)
    assert total and (done.returncode == 0) == (not failed), output[-2000:]
    return int(total.group(1)), failed, output


def run(configuration, cases):
    total, failed, output = suite(configuration)
    assert total >= cases, f"{total} cases, not {cases}"
    twice = [name for name in failed if ASKED_TWICE.fullmatch(name)]
    assert failed == twice, output[output.index("FAILED"):][:4000]
    if twice:
        print(f"# asked twice: {', '.join(twice)}")
        _, failed, output = suite(configuration, *(f"--run={name}" for name in twice))
        assert not failed, output[output.index("FAILED"):][:4000]


def grpc_374_cases():
    run("grpc-only", 374)


def connect_unary_344_cases():
    run("connect-unary", 344)


def grpc_web_248_cases():
    run("grpc-web", 248)


def all_protocols_codecs_and_stream_types_with_mutual_tls_3640_cases():
    run("all-three-tls", 3640)


tap.run([grpc_374_cases, connect_unary_344_cases, grpc_web_248_cases,
         all_protocols_codecs_and_stream_types_with_mutual_tls_3640_cases])
