#!/usr/bin/python3
"""Goal: many Reserves at once, in a batch and in a stream, are each decided alone and answered with what
the call Reserve would have answered; a stream holds back who sends faster than it reads.

Method: grpcio against a server of the test's own.
"""

import os
import shutil
import sys
import tempfile
import threading

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import error_details_pb2, inventory, reason_of, violations_of  # noqa: E402

PATH = "/waybill.inventory.v1.InventoryService/"
holder = {}


def ask(method, request):
    return waybill_server.inventory_method(holder["channel"], method)(request, timeout=60)


def reserve(number, sku="MANY", quantity=1):
    return inventory.ReserveRequest(
        reservation_id=str(number), lines=[inventory.ReserveLine(sku=sku, quantity=quantity)])


def reason_in(status):
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return info.reason
    return ""


def stock(sku):
    return ask("GetStock", inventory.GetStockRequest(sku=sku)).stock


def each_of_a_batch_is_decided_alone():
    batch = inventory.BatchReserveRequest(requests=[
        reserve("b-1", "FEW", 2), reserve("b-2", "FEW", 2), reserve("b 3", "FEW", 1),
        reserve("b-4", "NEVER", 1), reserve("b-5", "FEW", 1), reserve("b-1", "FEW", 2),
        reserve("b-1", "FEW", 1)])
    results = ask("BatchReserve", batch).results
    assert [result.reservation_id for result in results] == [
        "b-1", "b-2", "b 3", "b-4", "b-5", "b-1", "b-1"]
    assert [result.WhichOneof("result") for result in results] == [
        "reservation", "status", "status", "status", "reservation", "reservation", "status"]
    assert [reason_in(results[at].status) for at in (1, 2, 3, 6)] == [
        "INSUFFICIENT_STOCK", "INVALID_FIELD", "SKU_NOT_FOUND", "ID_REUSED"]
    detail = inventory.InsufficientStock()
    assert any(one.Unpack(detail) for one in results[1].status.details)
    assert detail.lines[0].available_quantity == 1
    assert results[1].status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert (stock("FEW").reserved, stock("FEW").available) == (3, 0)


def a_thousand_in_a_batch():
    batch = inventory.BatchReserveRequest(requests=[reserve(f"t-{i}") for i in range(1000)])
    for _ in range(2):  # the second is a repeat
        results = ask("BatchReserve", batch).results
        assert len(results) == 1000
        assert all(result.reservation.reservation_id == result.reservation_id
                   for result in results)
        assert stock("MANY").reserved == 1000


def bad_batches_are_refused_whole():
    line = inventory.ReserveLine(sku="MANY", quantity=1)
    wide = [inventory.ReserveRequest(reservation_id=f"w-{i}", lines=[line] * 100)
            for i in range(201)]
    for requests in ([], [reserve(f"x-{i}") for i in range(1001)], wide):
        try:
            ask("BatchReserve", inventory.BatchReserveRequest(requests=requests))
        except grpc.RpcError as error:
            assert reason_of(error) == "INVALID_FIELD", error
            assert violations_of(error) == ["requests"], violations_of(error)
            continue
        raise AssertionError("taken")
    assert stock("MANY").reserved == 1000


def stream(requests):
    call = holder["channel"].stream_stream(
        PATH + "ReserveStream",
        request_serializer=inventory.ReserveStreamRequest.SerializeToString,
        response_deserializer=inventory.ReserveStreamResponse.FromString)
    return call(inventory.ReserveStreamRequest(reserve=one) for one in requests)


def a_stream_answers_every_reserve_once():
    answers = {}
    wanted = [reserve(f"s-{i}", "SOME", 1) for i in range(5000)]
    wanted += [reserve("bad id", "SOME", 1), reserve("s-never", "NEVER", 1)]
    for answer in stream(wanted):
        assert answer.reservation_id not in answers
        answers[answer.reservation_id] = answer
    assert set(answers) == {one.reservation_id for one in wanted}
    granted = [one for one in answers.values() if one.WhichOneof("result") == "reservation"]
    assert len(granted) == 4000, len(granted)
    assert reason_in(answers["bad id"].status) == "INVALID_FIELD"
    assert reason_in(answers["s-never"].status) == "SKU_NOT_FOUND"
    assert sum(reason_in(one.status) == "INSUFFICIENT_STOCK" for one in answers.values()) == 1000
    assert (stock("SOME").reserved, stock("SOME").available) == (4000, 0)


def a_stream_holds_back_who_does_not_read():
    sent = [0]
    enough = threading.Event()

    def requests():
        for i in range(200000):
            sent[0] = i
            yield reserve(f"h-{i % 100}", "MANY", 1)
        enough.set()

    call = stream(requests())
    next(call)
    assert not enough.wait(3), "200,000 were taken though nobody reads the answers"
    assert sent[0] < 190000, sent[0]
    for _ in range(1000):
        next(call)
    call.cancel()
    assert stock("MANY").reserved == 1100


def a_stream_cut_in_the_middle_is_sent_again():
    call = stream(reserve(f"c-{i}", "MANY", 1) for i in range(100000))
    for _ in range(10):
        next(call)
    call.cancel()
    answers = list(stream(reserve(f"c-{i}", "MANY", 1) for i in range(2000)))
    assert len(answers) == 2000
    assert all(one.WhichOneof("result") == "reservation" for one in answers)
    report = ask("VerifyLedger", inventory.VerifyLedgerRequest())
    assert not report.mismatches, report


def an_empty_stream_ends_well():
    assert list(stream([])) == []


def main():
    data = tempfile.mkdtemp(prefix="waybill-streams-")
    try:
        with waybill_server.Server(data) as server:
            holder["channel"] = waybill_server.channel_to(server.listen)
            for sku, quantity in (("FEW", 3), ("MANY", 10**6), ("SOME", 4000)):
                ask("ReceiveStock", inventory.ReceiveStockRequest(
                    receipt_id=sku, sku=sku, quantity=quantity))
            tap.run([
                each_of_a_batch_is_decided_alone,
                a_thousand_in_a_batch,
                bad_batches_are_refused_whole,
                a_stream_answers_every_reserve_once,
                a_stream_holds_back_who_does_not_read,
                a_stream_cut_in_the_middle_is_sent_again,
                an_empty_stream_ends_well,
            ])
    finally:
        shutil.rmtree(data, ignore_errors=True)


main()
