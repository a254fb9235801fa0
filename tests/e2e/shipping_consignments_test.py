#!/usr/bin/python3
"""Goal: what is sent abroad, in several parcels, or back, is bought from, followed at and voided with
each carrier alike, through one interface.

Method: a `waybill serve shipping` with the tariff and the three adapters against `waybill simulate
carriers`, where a parcel lives 20,000 times faster; each service is one that GetRates has offered.
"""

import os
import shutil
import sys
import tempfile
import time

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import carrier_simulator  # noqa: E402
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import common, reason_of, shipping as s, shipping_method  # noqa: E402

HERE = common.Address(name="Sender", phone="+12125550100", lines=["1 Main Street"], city="New York",
                      region="NY", postal_code="10001", country_code="US",
                      point=common.GeoPoint(latitude_e7=407500000, longitude_e7=-739900000))
NEAR = common.Address(name="Receiver", phone="+13125550100", lines=["2 Lake Street"], city="Chicago",
                      region="IL", postal_code="60601", country_code="US",
                      point=common.GeoPoint(latitude_e7=418800000, longitude_e7=-876300000))
ABROAD = common.Address(name="Zoë Łukasiewicz", phone="+4930550100", lines=["Torstraße 3"],
                        city="Berlin", postal_code="10115", country_code="DE",
                        point=common.GeoPoint(latitude_e7=525200000, longitude_e7=134050000))
PARCELS = [s.Parcel(weight_grams=1200, length_mm=300, width_mm=200, height_mm=100),
           s.Parcel(weight_grams=2400, length_mm=310, width_mm=210, height_mm=110)]
CUSTOMS = s.Customs(incoterm="DAP", items=[
    s.CustomsItem(description="Books", quantity=2, weight_grams=900, hs_code="490199",
                  value=common.Money(currency_code="USD", amount_minor=2599), origin_country="US")])
CARRIERS = ("ups", "fedex", "dhl", "tariff")
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
holder = {"bought": {}}


def call(method, **fields):
    request = getattr(s, method + "Request")(**fields)
    return shipping_method(holder["channel"], method)(request, timeout=60)


def refused(code, expected, method, /, **fields):
    try:
        answer = call(method, **fields)
    except grpc.RpcError as error:
        assert error.code() == code and reason_of(error) == expected, error
        return error
    raise AssertionError(f"{method} answered {answer}")


def offered(carrier, **facts):
    """A service of the carrier for these facts, or None where it has none."""
    answer = call("GetRates", carriers=[carrier], **facts)
    return answer.rates[0] if answer.rates else None


def several_parcels_go_abroad_with_their_customs_by_each_carrier():
    facts = {"origin": HERE, "destination": ABROAD, "parcels": PARCELS, "customs": CUSTOMS}
    for carrier in CARRIERS:
        rate = offered(carrier, **facts)
        assert rate is not None, f"{carrier} offers nothing"
        shipment = call("CreateShipment", shipment_id=f"abroad-{carrier}", rate_id=rate.rate_id,
                        **facts).shipment
        assert shipment.state == s.SHIPMENT_STATE_CREATED, shipment
        assert shipment.carrier == carrier and shipment.tracking_number, shipment
        assert shipment.amount == rate.amount, shipment
        assert [one.weight_grams for one in shipment.parcels] == [1200, 2400], shipment
        assert shipment.destination == ABROAD and shipment.origin == HERE, shipment
        assert len({one.tracking_number for one in shipment.parcels}) == 2, shipment
        label = call("GetLabel", shipment_id=shipment.shipment_id)
        assert label.content and label.media_type, label.media_type
        holder["bought"][carrier] = shipment


def goods_come_back_by_each_carrier_that_has_returns():
    facts = {"origin": NEAR, "destination": HERE, "parcels": PARCELS[:1]}
    can = {one.carrier: one.capabilities for one in call("ListCarriers").carriers}
    for carrier in CARRIERS:
        rate = offered(carrier, **facts)
        if rate is None:
            assert carrier == "dhl", f"{carrier} offers nothing at home"
            continue
        assert can[carrier].returns, carrier
        shipment = call("CreateShipment", shipment_id=f"back-{carrier}", carrier=carrier,
                        service_code=rate.service_code, direction=s.SHIPMENT_DIRECTION_RETURN,
                        **facts).shipment
        assert shipment.state == s.SHIPMENT_STATE_CREATED, shipment
        assert shipment.direction == s.SHIPMENT_DIRECTION_RETURN, shipment
        refused(PRECONDITION, "RATE_MISMATCH", "CreateShipment", shipment_id=f"other-{carrier}",
                rate_id=rate.rate_id, direction=s.SHIPMENT_DIRECTION_RETURN, **facts)


def one_shape_of_scans_comes_from_each_carrier():
    for carrier in ("ups", "fedex", "dhl"):
        shipment = holder["bought"][carrier]
        deadline = time.monotonic() + 45
        while True:
            answer = call("GetTrackingInfo", shipment_id=shipment.shipment_id)
            if answer.HasField("delivered_time") or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert answer.HasField("delivered_time"), f"{carrier}: {answer}"
        assert len(answer.scans) >= 3, f"{carrier}: {answer}"
        for scan in answer.scans:
            assert scan.tracking_number and scan.carrier_code, f"{carrier}: {scan}"
            assert scan.HasField("occurred_time"), f"{carrier}: {scan}"
        by_number = call("GetTrackingInfo", carrier=carrier,
                         tracking_number=shipment.tracking_number)
        assert by_number.delivered_time == answer.delivered_time, f"{carrier}: {by_number}"
    refused(grpc.StatusCode.NOT_FOUND, "TRACKING_NUMBER_NOT_FOUND", "GetTrackingInfo",
            carrier="fedex", tracking_number="794644790138")


def a_consignment_is_voided_whole_where_the_carrier_can():
    for carrier in CARRIERS:
        shipment_id = holder["bought"][carrier].shipment_id
        if carrier == "dhl":
            refused(PRECONDITION, "CANCEL_UNSUPPORTED", "CancelShipment", shipment_id=shipment_id,
                    reason="changed")
            continue
        try:
            done = call("CancelShipment", shipment_id=shipment_id, reason="changed").shipment
        except grpc.RpcError as error:  # it has been delivered meanwhile
            assert carrier != "tariff" and reason_of(error) == "CANCEL_REFUSED", error
            continue
        assert done.state == s.SHIPMENT_STATE_CANCELLED, done


def main():
    data = tempfile.mkdtemp(prefix="waybill-consignments-")
    with carrier_simulator.Simulator("--speed", "20000") as simulator:
        with waybill_server.Server(data, "shipping", *simulator.settings()) as server:
            holder["channel"] = waybill_server.channel_to(server.listen)
            tap.run([several_parcels_go_abroad_with_their_customs_by_each_carrier,
                     goods_come_back_by_each_carrier_that_has_returns,
                     one_shape_of_scans_comes_from_each_carrier,
                     a_consignment_is_voided_whole_where_the_carrier_can])
    shutil.rmtree(data, ignore_errors=True)


main()
