#!/usr/bin/python3
"""Goal: gRPC as other implementations speak it. Method: grpc-go's interop client runs its cases against
our server (interop_server.c), plain and in TLS; each is a case here. Both sides must end well.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import outside_tools  # noqa: E402
import tap  # noqa: E402
from certificates import make_certificate  # noqa: E402

SERVER = os.environ.get("INTEROP_SERVER", "")
CASES = ["empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong",
         "empty_stream", "timeout_on_sleeping_server", "cancel_after_begin",
         "cancel_after_first_response", "status_code_and_message", "special_status_message",
         "custom_metadata", "unimplemented_method", "unimplemented_service"]


def ask(name, server_arguments, client_arguments):
    client = outside_tools.install("google.golang.org/grpc/interop/client", "v1.85.0")
    server = subprocess.Popen([SERVER, "127.0.0.1:0", "1", *server_arguments],
                              stdout=subprocess.PIPE, text=True)
    try:
        host, port = server.stdout.readline().strip().rsplit(":", 1)
        done = subprocess.run(
            [client, f"--server_host={host}", f"--server_port={port}", f"--test_case={name}",
             *client_arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        server.terminate()
        assert server.wait(30) == 0


def plain(name):
    def run():
        ask(name, [], ["--use_tls=false"])
    run.__name__ = name
    return run


def in_tls(name):
    def run():
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = make_certificate(directory, "server")
            ask(name, [certificate, key],
                ["--use_tls=true", "--use_test_ca=true", "--ca_file=" + certificate])
    run.__name__ = name + "_in_tls"
    return run


tap.run([kind(name) for kind in (plain, in_tls) for name in CASES])
