"""A ShippingService for tests of what buys labels: it keeps its shipments, knows three carriers, and
misbehaves as it is told. It is Python's grpcio, so that no code of ours answers ours.

Carriers c1, c2, c3: each dearer than the one before, c3 the fastest. `refusing` names those that
refuse; `away`, those that cannot be asked; while `is_down` every call answers UNAVAILABLE, and while
`unresolved` names a reason, CancelShipment refuses with it. What `meanwhile` does happens while
CreateShipment is asked.
"""

import concurrent.futures
import threading

import grpc

from waybill_server import common, error_details_pb2, shipping, status_pb2

CARRIERS = ("c1", "c2", "c3")
DAY = 86400


class FakeShipping:
    def __init__(self):
        self.lock = threading.Lock()
        self.shipments = {}
        self.bought = 0  # labels, ever
        self.refusing = set()
        self.away = set()
        self.is_down = False
        self.unresolved = None
        self.meanwhile = lambda: None
        self.requests = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        methods = {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, name),
                request_deserializer=getattr(shipping, name + "Request").FromString,
                response_serializer=getattr(shipping, name + "Response").SerializeToString)
            for name in ("GetRates", "CreateShipment", "CancelShipment", "GetShipment")}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "waybill.shipping.v1.ShippingService", methods),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    @property
    def url(self):
        return f"grpc://127.0.0.1:{self.port}"

    def stop(self):
        self.server.stop(None).wait()

    def labels(self):
        """The shipments that have a label now."""
        with self.lock:
            return [s for s in self.shipments.values()
                    if s.state == shipping.SHIPMENT_STATE_CREATED]

    @staticmethod
    def refuse(context, code, reason, message):
        status = status_pb2.Status(code=code.value[0], message=message)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="waybill"))
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, message)

    def answer(self, context, request):
        with self.lock:
            self.requests.append(request)
        if self.is_down:
            self.refuse(context, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "down")

    def GetRates(self, request, context):
        self.answer(context, request)
        response = shipping.GetRatesResponse()
        for number, carrier in enumerate(CARRIERS, 1):
            if request.carriers and carrier not in request.carriers:
                continue
            rate = response.rates.add(carrier=carrier, service_code="S")
            rate.amount.CopyFrom(common.Money(currency_code="USD", amount_minor=1000 * number))
            rate.estimated_delivery_time.GetCurrentTime()
            rate.estimated_delivery_time.seconds += (4 - number) * DAY
        return response

    def CreateShipment(self, request, context):
        self.answer(context, request)
        self.meanwhile()
        with self.lock:
            shipment = self.shipments.get(request.shipment_id)
            if shipment is None and request.carrier in self.away:
                self.refuse(context, grpc.StatusCode.UNAVAILABLE, "CARRIER_UNAVAILABLE", "away")
            if shipment is None:
                shipment = shipping.Shipment(
                    shipment_id=request.shipment_id, order_id=request.order_id,
                    carrier=request.carrier, service_code=request.service_code,
                    state=shipping.SHIPMENT_STATE_CREATED)
                shipment.amount.CopyFrom(common.Money(currency_code="USD", amount_minor=1111))
                for _ in request.parcels:
                    self.bought += 1
                    shipment.parcels.add(tracking_number=f"T{self.bought:09d}")
                if request.carrier in self.refusing:
                    shipment.state = shipping.SHIPMENT_STATE_FAILED
                    shipment.failure = "the carrier would not"
                self.shipments[request.shipment_id] = shipment
            return shipping.CreateShipmentResponse(shipment=shipment)

    def CancelShipment(self, request, context):
        self.answer(context, request)
        if self.unresolved:
            self.refuse(context, grpc.StatusCode.FAILED_PRECONDITION, self.unresolved, "it may be sold")
        with self.lock:
            shipment = self.shipments.get(request.shipment_id)
            if shipment is None:
                self.refuse(context, grpc.StatusCode.NOT_FOUND, "SHIPMENT_NOT_FOUND", "no such")
            if shipment.state == shipping.SHIPMENT_STATE_CREATED:
                shipment.state = shipping.SHIPMENT_STATE_CANCELLED
            return shipping.CancelShipmentResponse(shipment=shipment)

    def GetShipment(self, request, context):
        self.answer(context, request)
        with self.lock:
            return shipping.GetShipmentResponse(shipment=self.shipments[request.shipment_id])
