"""A client for a `waybill serve` process, for the Python suites.

It is Python's grpcio, which we did not write; messages come from our protos by protoc.
"""

import atexit
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

import google
import google.protobuf
import grpc

from waybill_process import PROGRAM, ROOT, Server  # noqa: F401, for the suites

_generated = tempfile.mkdtemp(prefix="waybill-protos-")
subprocess.run(
    ["protoc", "-I", os.path.join(ROOT, "proto"), "-I", "/usr/include", "--python_out=" + _generated,
     "waybill/inventory/v1/inventory.proto", "waybill/inventory/v1/inventory_events.proto",
     "waybill/common/v1/common.proto", "waybill/warehouse/v1/warehouse.proto",
     "waybill/warehouse/v1/warehouse_events.proto",
     "waybill/events/v1/events.proto", "waybill/tracking/v1/tracking.proto",
     "waybill/shipping/v1/shipping.proto", "waybill/shipping/v1/shipping_events.proto",
     "waybill/fulfillment/v1/fulfillment.proto", "waybill/fulfillment/v1/fulfillment_events.proto",
     "google/rpc/status.proto",
     "google/rpc/error_details.proto", "grpc/health/v1/health.proto"],
    cwd=os.path.join(ROOT, "proto"), check=True)
sys.path.insert(0, _generated)
for _package in (google, grpc):  # several packages share these names
    _package.__path__.append(os.path.join(_generated, _package.__name__))
inventory = importlib.import_module("waybill.inventory.v1.inventory_pb2")
inventory_events = importlib.import_module("waybill.inventory.v1.inventory_events_pb2")
common = importlib.import_module("waybill.common.v1.common_pb2")
warehouse = importlib.import_module("waybill.warehouse.v1.warehouse_pb2")
warehouse_events = importlib.import_module("waybill.warehouse.v1.warehouse_events_pb2")
events = importlib.import_module("waybill.events.v1.events_pb2")
tracking = importlib.import_module("waybill.tracking.v1.tracking_pb2")
shipping = importlib.import_module("waybill.shipping.v1.shipping_pb2")
shipping_events = importlib.import_module("waybill.shipping.v1.shipping_events_pb2")
fulfillment = importlib.import_module("waybill.fulfillment.v1.fulfillment_pb2")
fulfillment_events = importlib.import_module("waybill.fulfillment.v1.fulfillment_events_pb2")
status_pb2 = importlib.import_module("google.rpc.status_pb2")
error_details_pb2 = importlib.import_module("google.rpc.error_details_pb2")
health = importlib.import_module("grpc.health.v1.health_pb2")
atexit.register(shutil.rmtree, _generated, ignore_errors=True)


def inventory_method(channel, name, raw=False):
    """A callable for one method. With raw=True the request is given as bytes."""
    request = getattr(inventory, name + "Request")
    response = getattr(inventory, name + "Response")
    return channel.unary_unary(
        f"/waybill.inventory.v1.InventoryService/{name}",
        request_serializer=(lambda data: data) if raw else request.SerializeToString,
        response_deserializer=response.FromString)


def warehouse_method(channel, name, raw=False):
    """The same for warehouse."""
    request = getattr(warehouse, name + "Request")
    response = getattr(warehouse, name + "Response")
    return channel.unary_unary(
        f"/waybill.warehouse.v1.WarehouseService/{name}",
        request_serializer=(lambda data: data) if raw else request.SerializeToString,
        response_deserializer=response.FromString)


def shipping_method(channel, name, raw=False):
    """The same for shipping."""
    request = getattr(shipping, name + "Request")
    response = getattr(shipping, name + "Response")
    return channel.unary_unary(
        f"/waybill.shipping.v1.ShippingService/{name}",
        request_serializer=(lambda data: data) if raw else request.SerializeToString,
        response_deserializer=response.FromString)


def call(channel, messages, name, timeout=60, **fields):
    """One call of the only service in that module: call(channel, fulfillment, "GetOrder", order_id="o")."""
    service = messages.DESCRIPTOR.services_by_name.values()[0].full_name
    method = channel.unary_unary(
        f"/{service}/{name}",
        request_serializer=getattr(messages, name + "Request").SerializeToString,
        response_deserializer=getattr(messages, name + "Response").FromString)
    return method(getattr(messages, name + "Request")(**fields), timeout=timeout)


def subscribe(channel, timeout=None, **request):
    """The stream of events.v1 Subscribe: iterate over its `event`s, or cancel() it."""
    method = channel.unary_stream(
        "/waybill.events.v1.EventService/Subscribe",
        request_serializer=events.SubscribeRequest.SerializeToString,
        response_deserializer=events.SubscribeResponse.FromString)
    return method(events.SubscribeRequest(**request), timeout=timeout)


def cursor_of(error):
    """The cursor with which a stream that the server ended goes on, or ''."""
    info = error_details_pb2.ErrorInfo()
    for detail in details_of(error):
        if detail.Unpack(info) and "cursor" in info.metadata:
            return info.metadata["cursor"]
    return ""


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
