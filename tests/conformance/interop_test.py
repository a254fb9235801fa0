#!/usr/bin/python3
"""Goal: gRPC as other implementations speak it. Method: grpc-go's interop client runs its cases against
our server (interop_server.c); each is a case here.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import go_tools  # noqa: E402
import tap  # noqa: E402

SERVER = os.environ.get("INTEROP_SERVER", "")
CASES = ["empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong",
         "empty_stream", "timeout_on_sleeping_server", "cancel_after_begin",
         "cancel_after_first_response", "status_code_and_message", "special_status_message",
         "custom_metadata", "unimplemented_method", "unimplemented_service"]


def case(name):
    def run():
        client = go_tools.install("google.golang.org/grpc/interop/client", "v1.85.0")
        server = subprocess.Popen([SERVER], stdout=subprocess.PIPE, text=True)
        try:
            host, port = server.stdout.readline().strip().rsplit(":", 1)
            done = subprocess.run(
                [client, f"--server_host={host}", f"--server_port={port}", "--use_tls=false",
                 f"--test_case={name}"], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            server.terminate()
            assert server.wait(30) == 0
    run.__name__ = name
    return run


tap.run([case(name) for name in CASES])
