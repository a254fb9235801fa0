#!/usr/bin/python3
"""Goal: a process is replaced under load and no call fails (RELIABILITY row 23): listening sockets are a
supervisor's, calls in flight are finished by the old process, later ones wait and are answered by the new one.

Method: a supervisor keeps the sockets and runs each service as a process of its own, as systemd would;
every service is stopped by SIGTERM and started again in turn, both ways: new after old, and new beside old; on
stores of its own, and with warehouse, shipping and fulfillment on a real PostgreSQL.
Meanwhile grpcio clients with their repeats switched off and without wait_for_ready, each on a connection of
its own, and HTTP/1.1 clients that keep their connections make one unary call after the other: every one must
be answered OK at its first attempt. Afterwards the stores hold exactly what was acknowledged. Sockets that
cannot be meant are refused by name.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from socket_supervisor import (  # noqa: E402
    Process, Processes, Supervisor, address_of, listening_socket, spawn)
from waybill_process import FED, PROGRAM  # noqa: E402
from waybill_server import (  # noqa: E402
    call, common, fulfillment, inventory, inventory_method, shipping, subscribe, tracking, warehouse,
    warehouse_method)

SECONDS = 60
CLIENTS = 4  # a service and a kind
DRAIN_SECONDS_MAX = 10 * 5  # a bound is asserted at five times its figure
STOCK = 10**9
USD = common.Money(currency_code="USD", amount_minor=500)
BONN = common.Address(name="Site", lines=["2, Weg"], city="Bonn", postal_code="53111", country_code="DE",
                      point=common.GeoPoint(latitude_e7=507000000, longitude_e7=70000000))
PARIS = common.Address(name="Ann", lines=["1, Rue"], city="Paris", postal_code="75001", country_code="FR",
                       point=common.GeoPoint(latitude_e7=488566000, longitude_e7=23522000))


class Place:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="waybill-takeover-")
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)


def channel_to(address):
    """One connection a channel, and no repeats of any kind."""
    return grpc.insecure_channel(address, options=[
        ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)])


def tracking_method(channel, name):
    return channel.unary_unary(
        "/waybill.tracking.v1.TrackingService/" + name,
        request_serializer=getattr(tracking, name + "Request").SerializeToString,
        response_deserializer=getattr(tracking, name + "Response").FromString)


def ask(callable_method, request):
    """Waits as long as it takes; never wait_for_ready."""
    return callable_method(request, timeout=SECONDS)


# --- what each service is asked, and what it must hold afterwards ---

class InventoryLoad:
    """Every call holds one piece of the same SKU under an id of its own."""

    service = "inventory"

    def prepare(self, address):
        pass

    def client(self, address, name):
        channel = channel_to(address)
        reserve = inventory_method(channel, "Reserve")

        def once(number):
            ask(reserve, inventory.ReserveRequest(
                reservation_id=f"{name}-{number}",
                lines=[inventory.ReserveLine(sku="MUG", quantity=1)]))
        return once, channel.close

    def http_client(self, address, name):
        connection = http.client.HTTPConnection(address, timeout=SECONDS)

        def once(number):
            body = {"reservationId": f"{name}-{number}", "lines": [{"sku": "MUG", "quantity": "1"}]}
            connection.request("POST", "/waybill.inventory.v1.InventoryService/Reserve",
                               json.dumps(body), {"content-type": "application/json"})
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, (answer.status, told)
        return once, connection.close

    def check(self, address, done):
        with channel_to(address) as channel:
            stock = ask(inventory_method(channel, "GetStock"),
                        inventory.GetStockRequest(sku="MUG")).stock
            assert stock.reserved == done, (stock, done)
            ledger = ask(inventory_method(channel, "VerifyLedger"), inventory.VerifyLedgerRequest())
            assert not ledger.mismatches, ledger


class WarehouseLoad:
    """Every call receives one piece of the same SKU under an id of its own."""

    service = "warehouse"

    def prepare(self, address):
        with channel_to(address) as channel:
            call(channel, warehouse, "CreateWarehouse", warehouse=warehouse.Warehouse(
                warehouse_id="w1", name="Site 1", priority=1, active=True, address=BONN,
                handling_cost=USD))
            call(channel, warehouse, "SetCostCard", cost_card=warehouse.CostCard(
                warehouse_id="w1", valid_from="2020-01-01", parcel_grams_max=10000,
                bands=[warehouse.CostBand(distance_metres_max=2000000, base=USD, per_kilogram=USD)]))
            for sku in ("CUP", "MUG"):  # MUG is waited for, CUP is there by then
                call(channel, warehouse, "PutItem", item=warehouse.Item(sku=sku, name=sku, weight_grams=400))
                call(channel, warehouse, "ReceiveStock", movement_id="first-" + sku, warehouse_id="w1",
                     sku=sku, quantity=STOCK)

    def client(self, address, name):
        channel = channel_to(address)
        receive = warehouse_method(channel, "ReceiveStock")

        def once(number):
            ask(receive, warehouse.ReceiveStockRequest(
                movement_id=f"{name}-{number}", warehouse_id="w1", sku="MUG", quantity=1))
        return once, channel.close

    def http_client(self, address, name):
        connection = http.client.HTTPConnection(address, timeout=SECONDS)

        def once(number):
            body = {"movementId": f"{name}-{number}", "warehouseId": "w1", "sku": "MUG",
                    "quantity": "1"}
            connection.request("POST", "/waybill.warehouse.v1.WarehouseService/ReceiveStock",
                               json.dumps(body), {"content-type": "application/json"})
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, (answer.status, told)
        return once, connection.close

    def check(self, address, done):
        with channel_to(address) as channel:
            stock = ask(warehouse_method(channel, "GetWarehouseStock"),
                        warehouse.GetWarehouseStockRequest(warehouse_id="w1", sku="MUG")).stock
            assert stock.on_hand == STOCK + done, (stock, done)
            report = ask(warehouse_method(channel, "VerifyMovements"),
                         warehouse.VerifyMovementsRequest())
            assert not report.mismatches, report


class TrackingLoad:
    """Every call records one event of a parcel of the client's own."""

    service = "tracking"

    def __init__(self):
        self.names = []

    def prepare(self, address):
        pass

    def client(self, address, name):
        self.names.append(name)
        channel = channel_to(address)
        record = tracking_method(channel, "RecordEvent")

        def once(number):
            event = tracking.TrackingEvent(
                event_id=f"{name}-{number}", carrier="ups", tracking_number=f"{name}-{number // 1000}",
                type=tracking.TRACKING_EVENT_TYPE_IN_TRANSIT, source="test")
            event.occurred_time.seconds = 1800000000 + number
            ask(record, tracking.RecordEventRequest(event=event))
        return once, channel.close

    http_client = None

    def check(self, address, done):
        count = 0
        with channel_to(address) as channel:
            get = tracking_method(channel, "GetTracking")
            for name in self.names:
                for parcel in range(1000):
                    try:
                        count += ask(get, tracking.GetTrackingRequest(
                            carrier="ups", tracking_number=f"{name}-{parcel}")).tracking.event_count
                    except grpc.RpcError as error:
                        assert error.code() == grpc.StatusCode.NOT_FOUND, error
                        break
        assert count == done, (count, done)


class ShippingLoad:
    """Every call buys one label of the offline carrier, under an id of its own."""

    service = "shipping"
    http_client = None

    def prepare(self, address):
        pass

    def client(self, address, name):
        channel = channel_to(address)
        parcel = shipping.Parcel(weight_grams=500, length_mm=100, width_mm=100, height_mm=100, value=USD)

        def once(number):
            shipment = call(channel, shipping, "CreateShipment", SECONDS, shipment_id=f"{name}-{number}",
                            order_id=name, carrier="tariff", service_code="UPS", origin=BONN,
                            destination=BONN, parcels=[parcel]).shipment
            assert shipment.state == shipping.SHIPMENT_STATE_CREATED, shipment
        return once, channel.close

    def check(self, address, done):
        count = 0
        with channel_to(address) as channel:
            for number in range(CLIENTS):
                token = ""
                while True:
                    page = call(channel, shipping, "ListShipments", order_id=f"shipping-{number}",
                                page_size=1000, page_token=token)
                    count += len(page.shipments)
                    token = page.next_page_token
                    if not token:
                        break
        assert count == done, (count, done)


class FulfillmentLoad:
    """Every turn promises an order, which asks inventory, warehouse and shipping, and cancels it."""

    service = "fulfillment"
    http_client = None

    def prepare(self, address):
        pass

    def client(self, address, name):
        channel = channel_to(address)
        line = fulfillment.OrderLine(sku="CUP", quantity=1, unit_value=USD)

        def once(number):
            call(channel, fulfillment, "PromiseOrder", SECONDS, order_id=f"{name}-{number}",
                 customer_id=name, lines=[line], destination=PARIS, currency_code="USD",
                 carriers=["tariff"])
            call(channel, fulfillment, "CancelOrder", SECONDS, order_id=f"{name}-{number}", reason="test")
        return once, channel.close

    def check(self, address, done):
        count = 0
        with channel_to(address) as channel:
            for number in range(CLIENTS):
                token = ""
                while True:
                    page = call(channel, fulfillment, "ListOrders", customer_id=f"fulfillment-{number}",
                                state=fulfillment.ORDER_STATE_CANCELLED, page_size=1000, page_token=token)
                    count += len(page.orders)
                    token = page.next_page_token
                    if not token:
                        break
        assert count == done, (count, done)


LOADS = (WarehouseLoad, InventoryLoad, ShippingLoad, TrackingLoad, FulfillmentLoad)


# --- the load ---

class Clients:
    """Threads that call one after the other until they are told to end."""

    def __init__(self):
        self.stopping = threading.Event()
        self.threads = []
        self.done = {}
        self.failures = []
        self.longest = 0.0
        self.mutex = threading.Lock()

    def add(self, load, address, name, make):
        self.threads.append(threading.Thread(target=self._run, args=(load, address, name, make)))

    def _run(self, load, address, name, make):
        once, close = make(address, name)
        done, longest = 0, 0.0
        try:
            while not self.stopping.is_set():
                began = time.monotonic()
                once(done)
                longest = max(longest, time.monotonic() - began)
                done += 1
        except Exception as error:  # every kind is a failed call
            with self.mutex:
                self.failures.append((name, done, repr(error)))
        finally:
            close()
            with self.mutex:
                self.done[load.service] = self.done.get(load.service, 0) + done
                self.longest = max(self.longest, longest)

    def __enter__(self):
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        for one in self.threads:
            one.join()


def begin(loads, addresses):
    clients = Clients()
    for load in loads:
        load.prepare(addresses[load.service])
    wait_for_stock(addresses["inventory"], STOCK)
    for load in loads:
        for number in range(CLIENTS):
            clients.add(load, addresses[load.service], f"{load.service}-{number}", load.client)
            if load.http_client is not None:
                clients.add(load, addresses[load.service], f"{load.service}-http-{number}",
                            load.http_client)
    return clients


def stock_of(address):
    with channel_to(address) as channel:
        try:
            return ask(inventory_method(channel, "GetStock"),
                       inventory.GetStockRequest(sku="MUG")).stock.on_hand
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND, error
            return None


def wait_for_stock(address, quantity):
    """Inventory has followed the warehouse's shelves."""
    end = time.monotonic() + SECONDS
    while stock_of(address) != quantity:
        assert time.monotonic() < end, (stock_of(address), quantity)
        time.sleep(0.05)


def check(loads, addresses, clients, drains):
    print(f"# calls {clients.done}, longest {clients.longest:.1f} s, "
          f"drains {' '.join('%.1f' % one for one in drains)} s")
    assert clients.failures == [], clients.failures
    assert max(drains) <= DRAIN_SECONDS_MAX, drains
    for load in loads:
        assert clients.done[load.service] > 0, clients.done
        load.check(addresses[load.service], clients.done[load.service])
    wait_for_stock(addresses["inventory"], STOCK + clients.done["warehouse"])


def nothing_is_held(addresses, sku):
    """Cancelled orders have given everything back."""
    with channel_to(addresses["inventory"]) as promises, channel_to(addresses["warehouse"]) as shelves:
        stock = call(promises, inventory, "GetStock", sku=sku).stock
        shelf = call(shelves, warehouse, "GetWarehouseStock", warehouse_id="w1", sku=sku).stock
        assert (stock.reserved, shelf.allocated, shelf.on_hand) == (0, 0, STOCK), (stock, shelf)


# --- the cases ---

def replace_each_in_turn(place, stores=None):
    """Under load; `stores`: arguments by service."""
    loads = [make() for make in LOADS]
    with Processes(place, stores) as processes:
        addresses = {name: one.listen for name, one in processes.supervisors.items()}
        drains = []
        with begin(loads, addresses) as clients:
            time.sleep(0.5)
            for one in processes.supervisors.values():
                drains.append(one.restart())
                time.sleep(0.3)
                drains.append(one.take_over())
                time.sleep(0.3)
        check(loads, addresses, clients, drains)
        nothing_is_held(addresses, "CUP")


def each_service_in_turn_is_replaced_and_no_call_fails():
    with Place() as place:
        replace_each_in_turn(place)


def each_service_in_turn_is_replaced_with_stores_on_postgresql():
    """Warehouse, shipping and fulfillment each on a database of its own."""
    with PostgresqlServer({"max_connections": 200}) as server, Place() as place:
        replace_each_in_turn(place, {service: ("--" + service, server.database(service))
                                     for service in ("warehouse", "shipping", "fulfillment")})


def whole_process_with_several_threads_and_sockets_is_replaced_and_no_call_fails():
    """All services in one process, three I/O threads that share the socket."""
    with Place() as place:
        loads = [make() for make in LOADS]
        with Supervisor(place, "--io-threads", "3", environment=FED) as whole:
            addresses = {load.service: whole.listen for load in loads}
            with begin(loads, addresses) as clients:
                time.sleep(0.5)
                drains = [whole.take_over(), whole.restart(), whole.take_over()]
                time.sleep(0.3)
            check(loads, addresses, clients, drains)


def connections_wait_while_nobody_serves():
    """From before the first process is there."""
    with Place() as place, listening_socket() as sockets:
        address = address_of(sockets)
        answers = []

        def wait():
            with channel_to(address) as channel:
                answers.append(ask(inventory_method(channel, "ListStock"), inventory.ListStockRequest()))
        waiting = [threading.Thread(target=wait) for _ in range(8)]
        for one in waiting:
            one.start()
        time.sleep(0.5)
        process = Process(["--data", place, "--operations", "127.0.0.1:0", "inventory"],
                          (sockets.fileno(),), ("waybill.socket",))
        assert process.wait_ready()[0] == address
        for one in waiting:
            one.join()
        assert len(answers) == 8, answers
        process.signal(signal.SIGTERM)
        assert process.wait() == 0


def several_sockets_are_served_by_every_thread():
    """Two addresses, and two sockets of one port (ReusePort=yes)."""
    with Place() as place, listening_socket(reuse_port=True) as first, \
            socket.create_server(first.getsockname(), reuse_port=True) as second, \
            listening_socket() as third, listening_socket() as operations:
        process = Process(["--data", place, "--io-threads", "2", "inventory"],
                          [one.fileno() for one in (first, operations, second, third)],
                          ("listen", "operations", "listen", "listen"))
        process.wait_ready()
        for address in [address_of(first)] * 16 + [address_of(third)] * 4:
            with channel_to(address) as channel:
                ask(inventory_method(channel, "ListStock"), inventory.ListStockRequest())
        connection = http.client.HTTPConnection(address_of(operations), timeout=SECONDS)
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        connection.close()
        process.signal(signal.SIGTERM)
        assert process.wait() == 0


def event_stream_goes_on_with_its_cursor():
    """Streams are ended when the process stops, with the place to go on from: nothing is missed."""
    with Place() as place, Supervisor(place, "warehouse") as shelves:
        load = WarehouseLoad()
        load.prepare(shelves.listen)
        seen, stop = [], threading.Event()

        def follow():
            cursor = "oldest"
            while not stop.is_set():
                with channel_to(shelves.listen) as channel:
                    try:
                        for answer in subscribe(channel, timeout=SECONDS, cursor=cursor):
                            cursor = answer.event.cursor
                            seen.append(answer.event.sequence)
                            if len(seen) >= 301:
                                return
                    except grpc.RpcError as error:
                        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        follower = threading.Thread(target=follow)
        follower.start()
        once, close = load.client(shelves.listen, "follow")
        for number in range(300):
            if number in (100, 200):
                shelves.restart() if number == 100 else shelves.take_over()
            once(number)
        close()
        follower.join(SECONDS)
        stop.set()
        assert seen == list(range(1, 302)), (len(seen), seen[:3], seen[-3:])


def start_that_waits_for_a_store_gives_up_in_time_and_stops_when_told():
    with Place() as place, Supervisor(place, "inventory") as present:
        passed = (present.listen_socket.fileno(),)
        arguments = ["--data", place, "--operations", "127.0.0.1:0", "inventory"]
        hasty = Process([*arguments, "--takeover-seconds", "1"], passed, ("listen",))
        assert hasty.wait() == 1
        assert "another waybill uses this data directory" in hasty.text(), hasty.text()
        patient = Process(arguments, passed, ("listen",))
        patient.wait_for_log("waiting until it lets go")
        patient.signal(signal.SIGTERM)
        assert patient.wait() == 0, patient.text()
        with channel_to(present.listen) as channel:
            ask(inventory_method(channel, "ListStock"), inventory.ListStockRequest())


def refusal(place, passed, names, process=None):
    """What a start with these descriptors says; it must end by itself."""
    out, out_end = os.pipe()
    number = spawn([PROGRAM, "serve", "inventory", "--data", place, "--operations", "127.0.0.1:0"],
                   passed, names, {}, out_end, out_end, process)
    os.close(out_end)
    late = threading.Timer(SECONDS / 2, os.kill, [number, signal.SIGKILL])
    late.start()
    with os.fdopen(out, encoding="utf-8") as told:
        text = told.read()
    late.cancel()
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    assert code == 2, (code, text)
    return text


def wrong_descriptors_are_refused_by_name():
    with Place() as place, listening_socket() as good, socket.socket() as deaf, \
            socket.socket(type=socket.SOCK_DGRAM) as datagrams, \
            socket.socket(socket.AF_UNIX) as unix, open(__file__, encoding="utf-8") as file:
        unix.bind(os.path.join(place, "socket"))
        unix.listen()
        datagrams.bind(("127.0.0.1", 0))
        for wrong, why in ((deaf, "it does not listen"), (datagrams, "it is a socket for datagrams"),
                           (unix, "it is a Unix socket"), (file, "it is no socket")):
            told = refusal(place, (good.fileno(), wrong.fileno()), ("listen", "operations"))
            assert "descriptor 4 (\"operations\")" in told and why in told, told
        told = refusal(place, (good.fileno(), good.fileno()), ("listen", "web"))
        assert "is named \"web\"" in told and "FileDescriptorName=" in told, told
        told = refusal(place, (good.fileno(), good.fileno()), ("listen",))
        assert "LISTEN_FDNAMES has 1 names for 2 sockets" in told, told
        told = refusal(place, (good.fileno(),), None, process="many")
        assert "LISTEN_PID: many is no process" in told, told
        assert not os.path.exists(os.path.join(place, "inventory")), "something was opened"


def descriptors_for_another_process_are_left_alone():
    """As when a shell between systemd and us has kept the variables."""
    with Place() as place, listening_socket() as another:
        out, out_end = os.pipe()
        number = spawn([PROGRAM, "serve", "inventory", "--data", place, "--listen", "127.0.0.1:0",
                        "--operations", "127.0.0.1:0"], (another.fileno(),), None, {}, out_end,
                       out_end, process="1")
        os.close(out_end)
        with os.fdopen(out, encoding="utf-8") as told:
            line = next(line for line in told if line.startswith("waybill ready"))
            os.kill(number, signal.SIGTERM)
            told.read()
        assert os.waitpid(number, 0)[1] == 0
        assert address_of(another) not in line, line


def passed_socket_that_others_reach_needs_tls():
    with Place() as place, socket.create_server(("0.0.0.0", 0)) as open_to_all:
        told = refusal(place, (open_to_all.fileno(),), ("listen",))
        assert "passed by LISTEN_FDS is no loopback address, and there is no TLS" in told, told


def help_names_the_setting():
    done = subprocess.run([PROGRAM, "serve", "--help"], capture_output=True, text=True, check=True)
    assert "--takeover-seconds" in done.stdout, done.stdout


tap.run([
    each_service_in_turn_is_replaced_and_no_call_fails,
    each_service_in_turn_is_replaced_with_stores_on_postgresql,
    whole_process_with_several_threads_and_sockets_is_replaced_and_no_call_fails,
    connections_wait_while_nobody_serves,
    several_sockets_are_served_by_every_thread,
    event_stream_goes_on_with_its_cursor,
    start_that_waits_for_a_store_gives_up_in_time_and_stops_when_told,
    wrong_descriptors_are_refused_by_name,
    descriptors_for_another_process_are_left_alone,
    passed_socket_that_others_reach_needs_tls,
    help_names_the_setting,
])
