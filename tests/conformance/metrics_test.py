#!/usr/bin/python3
"""Goal: /metrics can be read by Prometheus and is true. Method: Prometheus' own linter and, for the
figures, its own Python parser; calls are made, and their counts must be there.
"""

import os
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import outside_tools  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402

SERVICE = "waybill.inventory.v1.InventoryService"


def post(server, method, body, expect):
    request = urllib.request.Request(f"http://{server.listen}/{SERVICE}/{method}", body.encode(),
                                     {"content-type": "application/json"})
    try:
        status = urllib.request.urlopen(request).status
    except urllib.error.HTTPError as refusal:
        status = refusal.code
    assert status == expect, status


def metrics_after_some_calls():
    with tempfile.TemporaryDirectory() as directory:
        with waybill_process.Server(directory) as server:
            post(server, "ReceiveStock", '{"receiptId": "r", "sku": "A", "quantity": 5}', 200)
            for _ in range(3):
                post(server, "GetStock", '{"sku": "A"}', 200)
            post(server, "GetStock", '{"sku": "B"}', 404)
            post(server, "Nothing", "{}", 404)
            with urllib.request.urlopen(f"http://{server.operations}/metrics") as answer:
                assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
                return answer.read().decode()


def linter_finds_nothing():
    sources = os.path.join(HERE, "metrics_lint")
    program = os.path.join(outside_tools.CACHE, "metrics_lint")
    built = subprocess.run([outside_tools.go(), "build", "-o", program, "."], cwd=sources,
                           capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program], input=metrics_after_some_calls(), capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout


def calls_are_counted_by_method_and_status():
    python = outside_tools.python_with("prometheus-client==0.25.0")
    script = """
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        labels = sample.labels
        print(sample.name, labels.get('grpc_method', ''), labels.get('grpc_code', ''),
              labels.get('le', ''), int(sample.value) if sample.value == int(sample.value) else '-',
              sep='|')
"""
    done = subprocess.run([python, "-c", script], input=metrics_after_some_calls(),
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = set(done.stdout.splitlines())
    for line in ("grpc_server_started_total|ReceiveStock|||1", "grpc_server_started_total|GetStock|||4",
                 "grpc_server_handled_total|GetStock|OK||3",
                 "grpc_server_handled_total|GetStock|NOT_FOUND||1",
                 "grpc_server_handled_total|unknown|UNIMPLEMENTED||1",
                 "grpc_server_handling_seconds_count|GetStock|||4",
                 "grpc_server_handling_seconds_bucket|GetStock||+Inf|4",
                 "waybill_inventory_skus||||1", "waybill_http_connections_accepted_total||||6"):
        assert line in lines, f"{line} is not among\n{done.stdout}"


tap.run([linter_finds_nothing, calls_are_counted_by_method_and_status])
