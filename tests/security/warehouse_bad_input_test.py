#!/usr/bin/python3
"""Goal: every bad field of every request of warehouse is refused with its path, and nothing of it has
an effect.

Method: for each method a good request; every field of it is walked from the descriptor, through
messages within messages, and gets the bad values its kind can have as wire bytes. A new method fails
here until it has a good request; a new field is walked by itself.
"""

import os
import random
import shutil
import sys
import tempfile

import grpc
from google.protobuf.descriptor import FieldDescriptor as Field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from bad_requests import field_bytes, walk, without_places  # noqa: E402
from waybill_server import common, reason_of, violations_of, warehouse as w  # noqa: E402

SERVICE = w.DESCRIPTOR.services_by_name["WarehouseService"]
POINT = common.GeoPoint(latitude_e7=500000000, longitude_e7=80000000)
ADDRESS = common.Address(name="N", company="C", phone="1", email="a@b", lines=["Street 1"], city="X",
                         region="R", postal_code="1", country_code="DE", point=POINT)
MONEY = common.Money(currency_code="USD", amount_minor=5)
LINE = w.ItemLine(sku="S", quantity=1)
WAREHOUSE = w.Warehouse(warehouse_id="BAD", name="N", priority=1, active=True, address=ADDRESS,
                        handling_cost=MONEY, cutoff_local_time="14:00", time_zone="Europe/Berlin",
                        closed_days=["SUNDAY"], capacity_per_day=5)
PLACE = dict(warehouse_id="W", zone="Z", bin="B", sku="S", lot="L", expiry_date="2027-01-01",
             reference="R", note="n")

GOOD = {
    "PutItem": w.PutItemRequest(item=w.Item(
        sku="BAD", name="N", weight_grams=1, length_mm=1, width_mm=1, height_mm=1, hazard_class="3",
        hs_code="3002.15", origin_country="DE")),
    "GetItem": w.GetItemRequest(sku="S"),
    "ListItems": w.ListItemsRequest(page_size=5),
    "CreateWarehouse": w.CreateWarehouseRequest(warehouse=WAREHOUSE),
    "UpdateWarehouse": w.UpdateWarehouseRequest(warehouse=WAREHOUSE),
    "GetWarehouse": w.GetWarehouseRequest(warehouse_id="W"),
    "ListWarehouses": w.ListWarehousesRequest(page_size=5),
    "SetCostCard": w.SetCostCardRequest(cost_card=w.CostCard(
        warehouse_id="W", valid_from="2026-01-01", parcel_grams_max=1000,
        bands=[w.CostBand(distance_metres_max=1000, base=MONEY, per_kilogram=MONEY)])),
    "ListCostCards": w.ListCostCardsRequest(warehouse_id="W", page_size=5),
    "CreateBin": w.CreateBinRequest(warehouse_id="W", zone="Z", bin="BAD"),
    "ListBins": w.ListBinsRequest(warehouse_id="W", zone="Z", page_size=5),
    "ReceiveStock": w.ReceiveStockRequest(movement_id="bad", quantity=1, reason="r", **PLACE),
    "ShipStock": w.ShipStockRequest(movement_id="bad", quantity=1, reason="r", **PLACE),
    "ReturnStock": w.ReturnStockRequest(movement_id="bad", quantity=1,
                                        reason=w.RETURN_REASON_OTHER, **PLACE),
    "AdjustStock": w.AdjustStockRequest(movement_id="bad", delta=1,
                                        reason=w.ADJUSTMENT_REASON_FOUND, **PLACE),
    "MoveStock": w.MoveStockRequest(movement_id="bad", warehouse_id="W", from_zone="Z", from_bin="B",
                                    to_zone="Z", to_bin="C", sku="S", lot="L", quantity=1),
    "CreateTransfer": w.CreateTransferRequest(
        transfer_id="bad", from_warehouse_id="W", to_warehouse_id="V",
        lines=[w.CreateTransferLine(sku="S", lot="L", quantity=1)]),
    "ReceiveTransfer": w.ReceiveTransferRequest(
        transfer_id="bad",
        lines=[w.ReceiveTransferLine(sku="S", lot="L", quantity=1, zone="Z", bin="B")]),
    "CancelTransfer": w.CancelTransferRequest(transfer_id="bad"),
    "GetTransfer": w.GetTransferRequest(transfer_id="bad"),
    "ListTransfers": w.ListTransfersRequest(
        warehouse_id="W", state=w.TRANSFER_STATE_RECEIVED, page_size=5),
    "StartCount": w.StartCountRequest(count_id="bad", warehouse_id="W", zone="Z", skus=["S"]),
    "RecordCount": w.RecordCountRequest(count_id="bad", lines=[w.RecordCountLine(
        sku="S", zone="Z", bin="B", lot="L", expiry_date="2027-01-01", counted=1)]),
    "ApproveCount": w.ApproveCountRequest(count_id="bad"),
    "CancelCount": w.CancelCountRequest(count_id="bad"),
    "GetCount": w.GetCountRequest(count_id="bad"),
    "ListCounts": w.ListCountsRequest(warehouse_id="W", state=w.COUNT_STATE_OPEN, page_size=5),
    "GetWarehouseStock": w.GetWarehouseStockRequest(warehouse_id="W", sku="S"),
    "ListWarehouseStock": w.ListWarehouseStockRequest(warehouse_id="W", sku="S", page_size=5),
    "ConfirmAllocation": w.ConfirmAllocationRequest(allocation_id="bad"),
    "ReleaseAllocation": w.ReleaseAllocationRequest(allocation_id="bad"),
    "GetAllocation": w.GetAllocationRequest(allocation_id="bad"),
    "ListAllocations": w.ListAllocationsRequest(
        order_id="O", warehouse_id="W", state=w.ALLOCATION_STATE_FIRM, page_size=5),
    "ShipAllocation": w.ShipAllocationRequest(
        allocation_id="bad", warehouse_id="W",
        lines=[w.ShipAllocationLine(sku="S", quantity=1, zone="Z", bin="B", lot="L")]),
    "ListMovements": w.ListMovementsRequest(
        warehouse_id="W", sku="S", type=w.MOVEMENT_TYPE_INBOUND, reference="R", page_size=5),
    "VerifyMovements": w.VerifyMovementsRequest(),
}
for _name in ("PlanAllocation", "Allocate"):
    GOOD[_name] = getattr(w, _name + "Request")(
        allocation_id="bad", order_id="O", reservation_id="R", destination=ADDRESS, lines=[LINE],
        strategy=w.ALLOCATION_STRATEGY_PRIORITY, split_cost=MONEY)
    GOOD[_name].expire_time.seconds = 4000000000
GOOD["UpdateWarehouse"].update_mask.paths.append("name")
GOOD["UpdateWarehouse"].update_mask.paths.extend(
    ["priority", "address", "handling_cost", "cutoff_local_time", "time_zone", "closed_days",
     "capacity_per_day"])
GOOD["ListMovements"].start_time.seconds = 1
GOOD["ListMovements"].end_time.seconds = 2

# Fields that must be there, by the method they are of.
REQUIRED = {"movement_id", "quantity", "delta", "item", "warehouse", "cost_card", "transfer_id",
            "from_warehouse_id", "to_warehouse_id", "count_id", "destination", "bands",
            "valid_from", "parcel_grams_max", "base", "per_kilogram", "currency_code", "point"}
REQUIRED_BY_METHOD = {("Allocate", "allocation_id"), ("Allocate", "lines"),
                      ("PlanAllocation", "lines"), ("CreateTransfer", "lines"),
                      ("RecordCount", "lines"), ("GetItem", "sku"), ("CreateBin", "zone"),
                      ("CreateBin", "bin"), ("GetWarehouseStock", "sku"), ("StartCount", "warehouse_id"),
                      ("ConfirmAllocation", "allocation_id"), ("ShipAllocation", "allocation_id")}
MAY_BE_ABSENT = {("ReceiveTransfer", "lines.quantity"), ("PutItem", "item.name"),
                 ("CreateWarehouse", "warehouse.address.point"),
                 ("UpdateWarehouse", "warehouse.address.point"),
                 ("CreateWarehouse", "warehouse.name")}
MAY_BE_NEGATIVE = {"delta", "latitude_e7", "longitude_e7"}
NOT_LOOKED_AT = {"expected_revision", "revision"}  # only negative is bad; the latter not at all
MAY_BE_UNSPECIFIED = {"state", "type", "reason", "strategy"}

holder = {}


def stub(method, raw=True):
    return waybill_server.warehouse_method(holder["channel"], method, raw=raw)


def refused(method, data, path):
    try:
        answer = stub(method)(data, timeout=30)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (method, path, error)
        reason = reason_of(error)
        if path == "page_token" and reason == "PAGE_TOKEN_INVALID":
            return
        assert reason == "INVALID_FIELD", (method, path, reason, error.details())
        paths = violations_of(error)
        told, meant = [without_places(one) for one in paths], without_places(path)
        assert any(one.startswith(meant) or meant.startswith(one) for one in told), (
            method, path, paths)
        return
    raise AssertionError(f"{method} took a bad {path}: {answer}")


def bad_values(field):
    name = field.name
    if field.type == Field.TYPE_STRING:
        yield b"x" * 300
        yield b"a\xff\xfe"
        yield b"a\0b"
        yield b"a\x01b"
        if name.endswith("_id") or name in ("sku", "skus", "zone", "bin", "lot", "to_bin"):
            yield b" a "
        if name.endswith("_id"):
            yield b"a/b"
        if name.endswith("_date") or name in ("valid_from", "closed_days"):
            yield b"2027-02-29"
            yield b"27-1-1"
        if name in ("country_code", "origin_country", "currency_code"):
            yield b"de"
        if name == "cutoff_local_time":
            yield b"24:00"
        if name == "time_zone":
            yield b"../../etc/passwd"
    elif field.type in (Field.TYPE_INT64, Field.TYPE_INT32):
        if name == "revision":
            return
        if name not in MAY_BE_NEGATIVE:
            yield -1
        yield -(2**63) if field.type == Field.TYPE_INT64 else -(2**31)
        if name not in NOT_LOOKED_AT and name != "nanos":
            yield 2**63 - 1 if field.type == Field.TYPE_INT64 else 2**31 - 1
        if name == "nanos":
            yield 10**9
    elif field.type == Field.TYPE_ENUM:
        if name not in MAY_BE_UNSPECIFIED:
            yield 0
        yield 9999
        yield -1


def every_method_is_in_the_table():
    assert {method.name for method in SERVICE.methods} == set(GOOD)


def bad_fields_are_refused_with_their_path():
    tried = 0
    for method, message in GOOD.items():
        def absent(path, field, method=method):
            plain = path.replace("[1]", "")
            return ((field.name in REQUIRED or (method, plain) in REQUIRED_BY_METHOD)
                    and (method, plain) not in MAY_BE_ABSENT
                    and not (method.startswith("List") and field.name == "warehouse_id"))
        good = message.SerializeToString()
        for path, data in walk(message, "", lambda data, whole, g=good: (
                data if whole else g + data), absent, bad_values):
            refused(method, data, path)
            tried += 1
    print(f"# {tried} bad requests")
    assert tried > 600


def too_many_lines_are_refused():
    for method, count in (("Allocate", 101), ("CreateTransfer", 101), ("ReceiveTransfer", 101),
                          ("ShipAllocation", 101), ("RecordCount", 1001)):
        field = GOOD[method].DESCRIPTOR.fields_by_name["lines"]
        one = field_bytes(field, GOOD[method].lines[0].SerializeToString())
        refused(method, GOOD[method].SerializeToString() + count * one, "lines")


def all_violations_are_told_at_once():
    request = w.AllocateRequest(allocation_id="a b", order_id="x" * 65, strategy=9)
    request.lines.add(sku="", quantity=0)
    try:
        stub("Allocate", raw=False)(request)
        raise AssertionError("taken")
    except grpc.RpcError as error:
        assert set(violations_of(error)) == {
            "allocation_id", "order_id", "strategy", "destination.point", "lines[0].sku",
            "lines[0].quantity"}, violations_of(error)


def page_tokens_are_of_one_list_and_one_filter():
    for number in range(3):
        stub("CreateBin", raw=False)(w.CreateBinRequest(warehouse_id="W", zone="P", bin=str(number)))
    first = stub("ListBins", raw=False)(w.ListBinsRequest(warehouse_id="W", zone="P", page_size=1))
    token = first.next_page_token
    assert token
    for method, request in (
            ("ListBins", w.ListBinsRequest(warehouse_id="W", zone="Z", page_token=token)),
            ("ListBins", w.ListBinsRequest(warehouse_id="W", zone="P", page_token=token[:-1] + "x")),
            ("ListItems", w.ListItemsRequest(page_token=token))):
        try:
            stub(method, raw=False)(request)
            raise AssertionError((method, "took", request))
        except grpc.RpcError as error:
            assert reason_of(error) == "PAGE_TOKEN_INVALID", error
    bins = [first.bins[0].bin]
    while token:
        page = stub("ListBins", raw=False)(
            w.ListBinsRequest(warehouse_id="W", zone="P", page_size=1, page_token=token))
        bins += [one.bin for one in page.bins]
        token = page.next_page_token
    assert bins == ["0", "1", "2"], bins


def refused_requests_had_no_effect():
    stock = stub("GetWarehouseStock", raw=False)(
        w.GetWarehouseStockRequest(warehouse_id="W", sku="S")).stock
    assert (stock.on_hand, stock.allocated) == (100, 0), stock
    report = stub("VerifyMovements", raw=False)(w.VerifyMovementsRequest())
    assert (report.movements, len(report.mismatches)) == (1, 0), report
    assert len(stub("ListWarehouses", raw=False)(w.ListWarehousesRequest()).warehouses) == 2


def random_bytes_never_stop_the_server():
    chance = random.Random(7)
    good = [message.SerializeToString() for message in GOOD.values()]
    calls = []
    for _ in range(3000):
        data = bytearray(chance.choice(good) * chance.randint(1, 3))
        for _ in range(chance.randint(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        method = chance.choice([name for name in GOOD if name != "VerifyMovements"])
        calls.append(stub(method).future(bytes(data), timeout=60))
        if len(calls) == 100:
            for call in calls:
                call.exception()  # any answer will do
            calls.clear()
    report = stub("VerifyMovements", raw=False)(w.VerifyMovementsRequest())
    assert not report.mismatches, report


def main():
    data = tempfile.mkdtemp(prefix="waybill-bad-")
    try:
        with waybill_server.Server(data) as server:
            holder["channel"] = waybill_server.channel_to(server.listen)
            for name in ("W", "V"):
                stub("CreateWarehouse", raw=False)(
                    w.CreateWarehouseRequest(warehouse=w.Warehouse(warehouse_id=name, active=True)))
            for name in ("B", "C"):
                stub("CreateBin", raw=False)(w.CreateBinRequest(warehouse_id="W", zone="Z", bin=name))
            stub("ReceiveStock", raw=False)(w.ReceiveStockRequest(
                movement_id="first", warehouse_id="W", sku="S", quantity=100))
            tap.run([
                every_method_is_in_the_table,
                bad_fields_are_refused_with_their_path,
                too_many_lines_are_refused,
                all_violations_are_told_at_once,
                page_tokens_are_of_one_list_and_one_filter,
                refused_requests_had_no_effect,
                random_bytes_never_stop_the_server,
            ])
    finally:
        shutil.rmtree(data, ignore_errors=True)


main()
