#!/usr/bin/python3
"""Goal: an order is cancelled though its carrier does not find the label to void: the order ends and says so, and
the label, which may exist all the same, waits for a person, who can decide about it.

Method: one process with a simulator of carriers, which is replaced by one that has sold nothing.
"""

import os
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from carrier_simulator import Simulator  # noqa: E402
from order_customers import CHICAGO, NEW_YORK  # noqa: E402
from order_shop import SECONDS, OneProcess, money, open_warehouse  # noqa: E402
from waybill_server import fulfillment as f, shipping as p, warehouse as w  # noqa: E402


def need_attention(server):
    with urllib.request.urlopen(f"http://{server.operations}/metrics", timeout=SECONDS) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("waybill_shipping_shipments_need_attention "):
                return int(line.split()[1])
    raise AssertionError("there is no such metric")


def a_label_that_its_carrier_does_not_find_is_never_lost_in_silence():
    simulator = Simulator()
    s = OneProcess(simulator.settings(carriers="ups", purchase_seconds_max=2, first_lookup_seconds=1,
                                      lookup_seconds_max=6, ups_calls_per_second_max=0))
    try:
        open_warehouse(s.call, 3, NEW_YORK, 20000000)
        s.call(w, "PutItem", item=w.Item(sku="LAMP", name="A lamp", weight_grams=900, hs_code="940521",
                                         origin_country="US"))
        s.call(w, "ReceiveStock", movement_id="lamps", warehouse_id="W3", sku="LAMP", quantity=10)
        s.wait_until(lambda: s.stock("LAMP").on_hand == 10)
        s.call(f, "PromiseOrder", order_id="dark", customer_id="ann", destination=CHICAGO, currency_code="USD",
               lines=[f.OrderLine(sku="LAMP", quantity=1, unit_value=money(4000))])
        order = s.confirm("dark")
        assert order.state == f.ORDER_STATE_CONFIRMED, order
        shipment_id = order.parts[0].shipment_id
        address = simulator.address
        simulator.__exit__()
        simulator = Simulator("--listen", address)
        s.cancel("dark")
        order = s.wait_for("dark", f.ORDER_STATE_CANCELLED)
        assert not order.cancelling, order
        assert shipment_id in order.attention_reason, order
        assert "void" in order.attention_reason, order
        assert s.stock("LAMP").committed == s.stock("LAMP").returned, s.stock("LAMP")
        open_now = s.call(p, "ListShipments", state=p.SHIPMENT_STATE_NEEDS_ATTENTION).shipments
        assert [one.shipment_id for one in open_now] == [shipment_id], open_now
        assert open_now[0].tracking_number and "190102" in open_now[0].failure, open_now
        s.wait_until(lambda: need_attention(s.server) == 1)
        done = s.call(p, "ResolveShipment", shipment_id=shipment_id, resolution=p.SHIPMENT_RESOLUTION_VOID,
                      note="the portal does not have it either").shipment
        assert done.state == p.SHIPMENT_STATE_CANCELLED, done
        s.wait_until(lambda: need_attention(s.server) == 0)
        assert s.order("dark").state == f.ORDER_STATE_CANCELLED
    finally:
        s.stop()
        simulator.__exit__()


tap.run([a_label_that_its_carrier_does_not_find_is_never_lost_in_silence])
