"""A shop for tests of orders from promise to delivery: two warehouses with cups, mugs and pens, and every
call an order's life needs. Behind it is one process or five; whoever uses it cannot tell.

    with OneProcess() as s:        all services in one process
    with OneProcess(faulty=True):  the same, but shipping is a server of the test's own (fake_shipping.py)
    with FiveProcesses() as s:     a process a service
"""

import shutil
import tempfile
import time

import grpc

from fake_shipping import FakeShipping
from socket_supervisor import Processes
from waybill_process import FED
from waybill_server import (
    Server, call, channel_to, common, fulfillment as f, inventory as i, reason_of, shipping as p, subscribe,
    tracking as t, warehouse as w)

SECONDS = 60
STOCK = 1000  # of mugs in W1, of cups in W2
PENS = 10     # in each
VALUES = {"MUG": 900, "CUP": 700, "PEN": 100}


def money(minor):
    return common.Money(currency_code="USD", amount_minor=minor)


DESTINATION = common.Address(name="Ann", lines=["1, Rue"], city="Paris", country_code="FR",
                             point=common.GeoPoint(latitude_e7=488566000, longitude_e7=23522000))


def open_warehouse(call_with, number, address, distance_metres_max=2000000):
    """W1, W2, … with its costs; `call_with` is a shop's way to call."""
    call_with(w, "CreateWarehouse", warehouse=w.Warehouse(
        warehouse_id=f"W{number}", name=f"Site {number}", priority=number, active=True, address=address,
        handling_cost=money(100)))
    call_with(w, "SetCostCard", cost_card=w.CostCard(
        warehouse_id=f"W{number}", valid_from="2020-01-01", parcel_grams_max=10000,
        bands=[w.CostBand(distance_metres_max=distance_metres_max, base=money(500),
                          per_kilogram=money(10))]))


class Shop:
    """`channel_of(messages)` leads to who serves them; `log()` is what the servers said."""

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="waybill-orders-")
        self.shipping = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def call(self, messages, name, timeout=SECONDS, **fields):
        return call(self.channel_of(messages), messages, name, timeout, **fields)

    def fill(self):
        for number, longitude in ((1, 70000000), (2, 80000000)):
            open_warehouse(self.call, number, common.Address(
                lines=["2, Weg"], city="Bonn", country_code="DE",
                point=common.GeoPoint(latitude_e7=507000000, longitude_e7=longitude)))
        for sku in VALUES:
            self.call(w, "PutItem", item=w.Item(sku=sku, name=f"A {sku}", weight_grams=400,
                                                hs_code="691110", origin_country="DE"))
        for sku, number, quantity in (("MUG", 1, STOCK), ("CUP", 2, STOCK), ("PEN", 1, PENS), ("PEN", 2, PENS)):
            self.call(w, "ReceiveStock", movement_id=f"in-{number}-{sku}", warehouse_id=f"W{number}",
                      sku=sku, quantity=quantity)
        self.wait_until(lambda: [self.stock(sku).on_hand for sku in VALUES] == [STOCK, STOCK, 2 * PENS])

    def wait_until(self, condition):
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, self.log()
            time.sleep(0.02)

    # --- what there is ---

    def stock(self, sku):
        try:
            return self.call(i, "GetStock", sku=sku).stock
        except grpc.RpcError as error:
            assert reason_of(error) == "SKU_NOT_FOUND", error
            return i.Stock()

    def shelves(self):
        return self.call(w, "ListWarehouseStock").stocks

    def labels(self):
        """How many there are now."""
        if self.shipping:
            return len(self.shipping.labels())
        found, token = 0, ""
        while True:
            page = self.call(p, "ListShipments", state=p.SHIPMENT_STATE_CREATED, page_token=token)
            found += len(page.shipments)
            token = page.next_page_token
            if not token:
                return found

    def held(self):
        """What is alive now, of everything: reserved, committed and not returned, allocated, sent, labels."""
        stocks = [self.stock(sku) for sku in VALUES]
        shelves = self.shelves()
        return (sum(s.reserved for s in stocks), sum(s.committed - s.returned for s in stocks),
                sum(s.allocated for s in shelves),
                sum(s.shipped_for_reservations for s in shelves), self.labels())

    def held_since(self, before):
        return [now - then for now, then in zip(self.held(), before)]

    # --- an order's life ---

    def promise(self, order_id, mugs=2, cups=1, pens=0, **more):
        lines = [f.OrderLine(sku=sku, quantity=quantity, unit_value=money(VALUES[sku]))
                 for sku, quantity in (("MUG", mugs), ("CUP", cups), ("PEN", pens)) if quantity]
        return self.call(f, "PromiseOrder", order_id=order_id, customer_id="ann", lines=lines,
                         destination=DESTINATION, currency_code="USD", **more).order

    def confirm(self, order_id):
        return self.call(f, "ConfirmOrder", order_id=order_id).order

    def cancel(self, order_id):
        return self.call(f, "CancelOrder", order_id=order_id, reason="changed my mind").order

    def order(self, order_id):
        return self.call(f, "GetOrder", order_id=order_id).order

    def wait_for(self, order_id, state):
        self.wait_until(lambda: self.order(order_id).state == state)
        return self.order(order_id)

    def ship(self, order):
        self.call(w, "ShipAllocation", allocation_id=order.parts[0].allocation_id)
        self.wait_for(order.order_id, f.ORDER_STATE_SHIPPED)

    def tell_of_parcels(self, part, kind):
        """What its carrier says of them."""
        for number in part.tracking_numbers:
            event = t.TrackingEvent(carrier=part.carrier, tracking_number=number, type=kind, source="test")
            event.occurred_time.GetCurrentTime()
            self.call(t, "RecordEvent", event=event)

    def events_of(self, order_id, names):
        """The stream of these of its events, from now on."""
        stream = subscribe(self.channel_of(f), timeout=SECONDS, key=order_id, types=[
            "waybill.fulfillment.v1.Order" + name for name in names])
        stream.initial_metadata()  # it is there
        return stream


class OneProcess(Shop):
    """`stores`: further arguments. It can be killed and replaced."""

    def __init__(self, stores=(), faulty=False):
        super().__init__()
        self.shipping = FakeShipping() if faulty else None
        self.arguments = stores
        self.channels = []
        if faulty:
            self.arguments = ("warehouse", "inventory", "tracking", "fulfillment", "--shipping",
                              self.shipping.url, *stores)
        self.start()
        self.fill()

    def start(self):
        self.server = Server(self.data, *self.arguments, environment=FED)
        self.channel = channel_to(self.server.listen)
        self.channels.append(self.channel)  # others may be using the ones before

    def channel_of(self, messages):
        return self.channel

    def log(self):
        return "".join(self.server.log[-20:])

    def kill(self):
        self.server.kill()
        self.start()

    def replace(self):
        """In good order: calls that are under way may end."""
        self.server.stop()
        self.start()

    def stop(self):
        for channel in self.channels:
            channel.close()
        self.server.stop()
        if self.shipping:
            self.shipping.stop()
        shutil.rmtree(self.data, ignore_errors=True)


class FiveProcesses(Shop):
    """Wired by their addresses."""

    def __init__(self):
        super().__init__()
        self.processes = Processes(self.data).__enter__()
        self.channels = {service: channel_to(one.listen)
                         for service, one in self.processes.supervisors.items()}
        self.fill()

    def channel_of(self, messages):
        return self.channels[messages.DESCRIPTOR.package.split(".")[1]]

    def log(self):
        return "".join(one.present.text()[-2000:] for one in self.processes.supervisors.values())

    def stop(self):
        for channel in self.channels.values():
            channel.close()
        self.processes.__exit__()
        shutil.rmtree(self.data, ignore_errors=True)
