#!/usr/bin/python3
"""Goal: clients that we did not write can use us. Method: each calls a running `waybill serve`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import go_tools  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402

DESCRIPTORS = os.environ.get("WAYBILL_DESCRIPTORS", "")
SERVICE = "waybill.inventory.v1.InventoryService"
GRPC_EXIT = 64  # grpcurl's exit code is this and the status
NODE_PACKAGES = ["@bufbuild/protobuf@2.17.0", "@connectrpc/connect@2.2.0",
                 "@connectrpc/connect-web@2.2.0", "@grpc/grpc-js@1.14.7",
                 "@grpc/proto-loader@0.8.1"]


def run(*command, code=0, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def with_server(case):
    def run_case():
        with tempfile.TemporaryDirectory() as directory:
            with waybill_process.Server(directory) as server:
                case(server)
    run_case.__name__ = case.__name__
    return run_case


def grpcurl():
    return go_tools.install("github.com/fullstorydev/grpcurl/cmd/grpcurl", "v1.9.4")


@with_server
def grpcurl_lists_and_describes_by_reflection(server):
    services = run(grpcurl(), "-plaintext", server.listen, "list").split()
    assert {SERVICE, "grpc.health.v1.Health"} <= set(services), services
    methods = run(grpcurl(), "-plaintext", server.listen, "list", SERVICE)
    assert f"{SERVICE}.Reserve" in methods, methods
    shape = run(grpcurl(), "-plaintext", server.listen, "describe",
                "waybill.inventory.v1.ReserveRequest")
    assert "string reservation_id = 1" in shape, shape


@with_server
def grpcurl_calls_and_shows_the_details_of_an_error(server):
    call = [grpcurl(), "-plaintext", "-d"]
    run(*call, '{"receiptId": "r", "sku": "A", "quantity": 5}', server.listen,
        SERVICE + "/ReceiveStock")
    said = run(*call, '{"sku": "A"}', server.listen, SERVICE + "/GetStock")
    assert json.loads(said)["stock"]["available"] == "5", said
    said = run(*call, '{"reservationId": "c", "lines": [{"sku": "A", "quantity": 6}]}',
               server.listen, SERVICE + "/Reserve", code=GRPC_EXIT + 9)
    assert "INSUFFICIENT_STOCK" in said and '"requestedQuantity": "6"' in said, said


@with_server
def grpc_health_probe_finds_each_service_healthy(server):
    probe = go_tools.install("github.com/grpc-ecosystem/grpc-health-probe", "v0.4.61")
    assert "SERVING" in run(probe, "-addr=" + server.listen)
    assert "SERVING" in run(probe, "-addr=" + server.listen, "-service=" + SERVICE)
    run(probe, "-addr=" + server.listen, "-service=nobody", code=3)


@with_server
def node_calls_by_grpc_js_connect_and_grpc_web(server):
    if not shutil.which("npm"):
        raise tap.Skip("there is no Node here")
    directory = os.path.join(go_tools.CACHE, "node")
    os.makedirs(directory, exist_ok=True)
    if not os.path.exists(os.path.join(directory, "installed")):
        run("npm", "install", "--no-audit", "--no-fund", "--silent", *NODE_PACKAGES, cwd=directory)
        with open(os.path.join(directory, "installed"), "w", encoding="utf-8") as file:
            file.write("\n".join(NODE_PACKAGES))
    said = run("node", os.path.join(HERE, "node_clients.mjs"), server.listen, DESCRIPTORS,
               cwd=directory)
    assert said.count(" ok") == 5, said


def protos_pass_buf_lint():
    buf = go_tools.install("github.com/bufbuild/buf/cmd/buf", "v1.75.0")
    run(buf, "lint", cwd=ROOT)


tap.run([grpcurl_lists_and_describes_by_reflection,
         grpcurl_calls_and_shows_the_details_of_an_error,
         grpc_health_probe_finds_each_service_healthy,
         node_calls_by_grpc_js_connect_and_grpc_web, protos_pass_buf_lint])
