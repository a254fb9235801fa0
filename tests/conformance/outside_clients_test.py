#!/usr/bin/python3
"""Goal: clients that we did not write can use us. Method: each calls a running `waybill serve`; buf also
reads our protos for what would break a client of the last release.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import grpc

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import outside_tools  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402
import waybill_server  # noqa: E402
from certificates import make_certificate  # noqa: E402
from waybill_server import health, inventory  # noqa: E402

DESCRIPTORS = os.environ.get("WAYBILL_DESCRIPTORS", "")
SERVICE = "waybill.inventory.v1.InventoryService"
GRPC_EXIT = 64  # grpcurl's exit code is this and the status
BUF_FOUND = 100  # buf's exit code when it has read all and found something
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
    return outside_tools.install("github.com/fullstorydev/grpcurl/cmd/grpcurl", "v1.9.4")


def buf():
    return outside_tools.install("github.com/bufbuild/buf/cmd/buf", "v1.75.0")


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


def grpcurl_calls_in_mutual_tls():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        authority, _ = make_certificate(directory, "authority")
        mine, my_key = make_certificate(directory, "client", authority="authority")
        with waybill_process.Server(
                os.path.join(directory, "data"), "--tls-certificate", certificate, "--tls-key", key,
                "--tls-client-ca", authority) as server:
            call = [grpcurl(), "-cacert", certificate, "-max-time", "10"]
            method = [server.listen, SERVICE + "/VerifyLedger"]
            run(*call, "-cert", mine, "-key", my_key, *method)
            run(*call, *method, code=1)


@with_server
def grpcio_calls_with_gzip_and_watches_health(server):
    """As in Debian 12; the suites of errors and bad input are its work, too."""
    with grpc.insecure_channel(server.listen) as channel:
        many = inventory.ReserveRequest(reservation_id="gzip")
        for number in range(100):
            sku = f"{'S' * 40}{number}"
            waybill_server.inventory_method(channel, "ReceiveStock")(
                inventory.ReceiveStockRequest(receipt_id=sku, sku=sku, quantity=9),
                compression=grpc.Compression.Gzip, timeout=30)
            many.lines.add(sku=sku, quantity=2)
        answer, call = waybill_server.inventory_method(channel, "Reserve").with_call(
            many, compression=grpc.Compression.Gzip, timeout=30)
        assert len(answer.reservation.lines) == 100 and call.code() == grpc.StatusCode.OK
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=health.HealthCheckRequest.SerializeToString,
            response_deserializer=health.HealthCheckResponse.FromString)
        watched = watch(health.HealthCheckRequest(service=SERVICE), timeout=30)
        assert next(watched).status == health.HealthCheckResponse.SERVING
        watched.cancel()


@with_server
def buf_curl_calls_by_three_protocols(server):
    url = f"http://{server.listen}/{SERVICE}/"
    call = [buf(), "curl", "--schema", ROOT]
    for number, protocol in enumerate((["connect"], ["grpc", "--http2-prior-knowledge"],
                                       ["grpcweb"]), 1):
        run(*call, "--protocol", *protocol, "-d",
            json.dumps({"receiptId": protocol[0], "sku": "B", "quantity": 5}), url + "ReceiveStock")
        said = run(*call, "--protocol", *protocol, "-d", '{"sku": "B"}', url + "GetStock")
        assert json.loads(said)["stock"]["available"] == str(5 * number), said


@with_server
def grpc_health_probe_finds_each_service_healthy(server):
    probe = outside_tools.install("github.com/grpc-ecosystem/grpc-health-probe", "v0.4.61")
    assert "SERVING" in run(probe, "-addr=" + server.listen)
    assert "SERVING" in run(probe, "-addr=" + server.listen, "-service=" + SERVICE)
    run(probe, "-addr=" + server.listen, "-service=nobody", code=3)


@with_server
def node_calls_by_grpc_js_connect_and_grpc_web(server):
    said = run("node", os.path.join(HERE, "node_clients.mjs"), server.listen, DESCRIPTORS,
               cwd=outside_tools.node_with("node", *NODE_PACKAGES))
    assert said.count(" ok") == 5, said


def protos_pass_buf_lint():
    run(buf(), "lint", cwd=ROOT)


def protos_break_no_client_of_the_last_release():
    """Before the first release: none of the last commit. A planted break must be found."""
    if not os.path.exists(os.path.join(ROOT, ".git")):
        raise tap.Skip("this is no clone: there is no earlier release to compare with")
    release = subprocess.run(["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"],
                             cwd=ROOT, capture_output=True, text=True)
    before = f"{ROOT}/.git#ref={release.stdout.strip() or 'HEAD'}"
    run(buf(), "breaking", "--against", before, cwd=ROOT)
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(os.path.join(ROOT, "buf.yaml"), directory)
        shutil.copytree(os.path.join(ROOT, "proto"), os.path.join(directory, "proto"))
        path = os.path.join(directory, "proto", "waybill", "inventory", "v1", "inventory.proto")
        with open(path, encoding="utf-8") as file:
            protos = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(protos.replace("string reservation_id = 1;", "string renamed_by_this_test = 1;"))
        said = run(buf(), "breaking", "--against", before, cwd=directory, code=BUF_FOUND)
        assert "reservation_id" in said, said


tap.run([grpcurl_lists_and_describes_by_reflection,
         grpcurl_calls_and_shows_the_details_of_an_error, grpcurl_calls_in_mutual_tls,
         grpcio_calls_with_gzip_and_watches_health, buf_curl_calls_by_three_protocols,
         grpc_health_probe_finds_each_service_healthy,
         node_calls_by_grpc_js_connect_and_grpc_web, protos_pass_buf_lint,
         protos_break_no_client_of_the_last_release])
