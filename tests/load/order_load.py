#!/usr/bin/python3
"""How many orders a second are promised and confirmed: all five services in one process on embedded
stores, labels of the tariff made on demand, over gRPC from Python's grpcio on the same machine.

    order_load.py [ORDERS] [CALLERS]      WAYBILL_PROGRAM names the program
"""

import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import grpc  # noqa: E402
from waybill_process import FED  # noqa: E402
from waybill_server import (  # noqa: E402
    Server, call, channel_to, common, fulfillment as f, inventory as i, warehouse as w)

SKUS = 200


def money(minor):
    return common.Money(currency_code="USD", amount_minor=minor)


def place(city, country, latitude, longitude):
    return common.Address(name="Somebody", lines=["1, Street"], city=city, country_code=country,
                          point=common.GeoPoint(latitude_e7=latitude, longitude_e7=longitude))


def fill(channel):
    call(channel, w, "CreateWarehouse", warehouse=w.Warehouse(
        warehouse_id="W1", name="Site", priority=1, active=True, handling_cost=money(100),
        address=place("Bonn", "DE", 507000000, 70000000)))
    call(channel, w, "SetCostCard", cost_card=w.CostCard(
        warehouse_id="W1", valid_from="2020-01-01", parcel_grams_max=10000,
        bands=[w.CostBand(distance_metres_max=2000000, base=money(500), per_kilogram=money(10))]))
    for number in range(SKUS):
        call(channel, w, "PutItem", item=w.Item(sku=f"S{number}", weight_grams=400))
        call(channel, w, "ReceiveStock", movement_id=f"in-{number}", warehouse_id="W1",
             sku=f"S{number}", quantity=1000000)
    while True:  # until inventory has followed the last
        try:
            call(channel, i, "GetStock", sku=f"S{SKUS - 1}")
            return
        except grpc.RpcError:
            time.sleep(0.05)


def measure(server, name, orders, callers, action):
    numbers, lock, seconds = iter(range(orders)), threading.Lock(), []

    def caller():
        with channel_to(server.listen) as channel:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                began = time.monotonic()
                action(channel, number)
                seconds.append(time.monotonic() - began)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = orders / (time.monotonic() - began)
    seconds.sort()
    print(f"{name}: {rate:.0f}/s, p50 {seconds[orders // 2] * 1000:.1f} ms, "
          f"p99 {seconds[orders * 99 // 100] * 1000:.1f} ms", flush=True)


def promise(channel, number):
    call(channel, f, "PromiseOrder", order_id=f"o{number}", currency_code="USD",
         lines=[f.OrderLine(sku=f"S{number % SKUS}", quantity=1, unit_value=money(100))],
         destination=place("Paris", "FR", 488566000, 23522000))


def confirm(channel, number):
    order = call(channel, f, "ConfirmOrder", order_id=f"o{number}").order
    assert order.state == f.ORDER_STATE_CONFIRMED, order


def main():
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    callers = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    with tempfile.TemporaryDirectory(prefix="waybill-order-load-") as data:
        with Server(data, environment=FED) as server, channel_to(server.listen) as channel:
            fill(channel)
            measure(server, "PromiseOrder", orders, callers, promise)
            measure(server, "ConfirmOrder", orders, callers, confirm)


main()
