#!/usr/bin/python3
"""Goal: grpc.health.v1 tells of each service what is true of its store: SERVING while the store is there,
NOT_SERVING while it is away or the process is stopping; services beside it go on. Method: warehouse on a
PostgreSQL of our own that is killed and started again; grpcio watches.
"""

import os
import queue
import sys
import tempfile
import threading

import grpc

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_server import health  # noqa: E402

SERVING, NOT_SERVING, UNKNOWN = 1, 2, 3
WAREHOUSE, INVENTORY = "waybill.warehouse.v1.WarehouseService", "waybill.inventory.v1.InventoryService"
SECONDS_MAX = 60


class Watch:
    """What a server says of one service, in order; None when the stream has ended."""

    def __init__(self, channel, service):
        self.said = queue.Queue()
        method = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=health.HealthCheckRequest.SerializeToString,
            response_deserializer=health.HealthCheckResponse.FromString)
        self.call = method(health.HealthCheckRequest(service=service))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                self.said.put(message.status)
        except grpc.RpcError:
            pass
        self.said.put(None)

    def expect(self, status):
        got = self.said.get(timeout=SECONDS_MAX)
        assert got == status, f"{got}, not {status}"

    def expect_nothing(self):
        assert self.said.empty(), self.said.get()


def service_follows_its_store_and_others_go_on():
    with PostgresqlServer() as database, tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory, "--warehouse", database.url) as server, \
                grpc.insecure_channel(server.listen) as channel:
            warehouse, inventory, process = (Watch(channel, name)
                                             for name in (WAREHOUSE, INVENTORY, ""))
            for watch in (warehouse, inventory, process):
                watch.expect(SERVING)
            database.kill()
            warehouse.expect(NOT_SERVING)
            process.expect(NOT_SERVING)
            database.start()
            warehouse.expect(SERVING)
            process.expect(SERVING)
            inventory.expect_nothing()


def stopping_process_says_so_before_it_ends():
    with tempfile.TemporaryDirectory() as directory:
        with waybill_server.Server(directory) as server, \
                grpc.insecure_channel(server.listen) as channel:
            inventory, nobody = (Watch(channel, name) for name in (INVENTORY, "nobody"))
            inventory.expect(SERVING)
            nobody.expect(UNKNOWN)
            server.process.terminate()
            inventory.expect(NOT_SERVING)
            inventory.expect(None)
            nobody.expect(None)
            assert server.process.wait(SECONDS_MAX) == 0


tap.run([service_follows_its_store_and_others_go_on, stopping_process_says_so_before_it_ends])
