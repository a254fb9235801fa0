"""A `waybill serve` process and a client for it, for the Python suites.

The client is Python's grpcio, which we did not write; messages come from our protos by protoc.
WAYBILL_PROGRAM names the program under test (default build/waybill).
"""

import atexit
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import google
import google.protobuf
import grpc

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.abspath(os.environ.get("WAYBILL_PROGRAM", os.path.join(ROOT, "build", "waybill")))
START_SECONDS_MAX = 60

_generated = tempfile.mkdtemp(prefix="waybill-protos-")
subprocess.run(
    ["protoc", "-I", os.path.join(ROOT, "proto"), "-I", "/usr/include", "--python_out=" + _generated,
     "waybill/inventory/v1/inventory.proto", "google/rpc/status.proto",
     "google/rpc/error_details.proto"],
    cwd=os.path.join(ROOT, "proto"), check=True)
sys.path.insert(0, _generated)
google.__path__.append(os.path.join(_generated, "google"))  # several packages share this name
inventory = importlib.import_module("waybill.inventory.v1.inventory_pb2")
status_pb2 = importlib.import_module("google.rpc.status_pb2")
error_details_pb2 = importlib.import_module("google.rpc.error_details_pb2")
atexit.register(shutil.rmtree, _generated, ignore_errors=True)


class Server:
    """A running server; `with Server(directory) as server:` stops it in good order."""

    def __init__(self, data, *arguments, environment=None):
        self.data = data
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0",
             "--data", data, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.log = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        line = self._ready_line()
        match = re.fullmatch(r"waybill ready listen=(\S+) operations=(\S+)\n", line)
        if not match:
            self.process.kill()
            self.process.wait()
            self._reader.join(5)
            raise AssertionError(f"no ready line but {line!r}; log: {''.join(self.log)}")
        self.listen, self.operations = match.groups()

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def _ready_line(self):
        timer = threading.Timer(START_SECONDS_MAX, self.process.kill)
        timer.start()
        try:
            return self.process.stdout.readline()
        finally:
            timer.cancel()

    def kill(self):
        """As a power switch would end the process, though not the machine."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds_max=60):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds_max)
        assert code == 0, f"exit code {code}; log: {''.join(self.log)}"

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.stop()


def inventory_method(channel, name, raw=False):
    """A callable for one method. With raw=True the request is given as bytes."""
    request = getattr(inventory, name + "Request")
    response = getattr(inventory, name + "Response")
    return channel.unary_unary(
        f"/waybill.inventory.v1.InventoryService/{name}",
        request_serializer=(lambda data: data) if raw else request.SerializeToString,
        response_deserializer=response.FromString)


def reason_of(error):
    """The ErrorInfo reason of an RpcError, or ''."""
    info = error_details_pb2.ErrorInfo()
    for detail in details_of(error):
        if detail.Unpack(info):
            assert info.domain == "waybill"
            return info.reason
    return ""


def violations_of(error):
    """The paths of a BadRequest, or []."""
    bad = error_details_pb2.BadRequest()
    for detail in details_of(error):
        if detail.Unpack(bad):
            return [violation.field for violation in bad.field_violations]
    return []


def details_of(error):
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value).details
    return []


def channel_to(address):
    return grpc.insecure_channel(address, options=[
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 200),
    ])
