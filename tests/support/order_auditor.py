"""An auditor of orders, who knows nothing but what anybody may read: the services' public calls and
events, and what the carriers say they sold (`waybill simulate carriers`).

    books = order_auditor.read(addresses, simulator)    addresses: {"inventory": "127.0.0.1:…", …}
    findings = order_auditor.audit(books)               sentences; none = everything adds up

What must hold when nothing is under way any more:

  stock    received = on the shelf + sent away; held, committed, allocated and returned are what the orders
           say, order by order and in sum; an order that is over holds nothing
  money    what an order says it was charged is what its shipment says, and what the carrier took
  labels   one live label at the carrier for each part of a living order, none for any other, none that no
           order knows of, except where a person is asked
  parcels  each number of a living label is one tracking of that order, and delivered orders' are delivered
  words    every order is where a person understands it, or says why not; each milestone is told once
"""

import collections
import copy
import queue
import threading

import grpc

from carrier_simulator import reference_of
from waybill_server import (
    call, channel_to, events, fulfillment as f, inventory as i, shipping as p, subscribe, tracking as t,
    warehouse as w)

SECONDS = 60
SILENCE_SECONDS = 1  # of a stream of events: it has told what there is
PAGE = 1000
# Where a damaged answer left the charge out it is taken as rated, unless that answer was damaged as well: of
# so many shipments one may be.
MISJUDGED_PARTS_MIN = 200
ATTEMPTS_MAX = 64  # of a purchase
# Orders whose goods are sold; whether they have left.
SOLD = {f.ORDER_STATE_CONFIRMED: False, f.ORDER_STATE_SHIPPED: True, f.ORDER_STATE_DELIVERED: True,
        f.ORDER_STATE_RETURNED: True}
ARRIVED = {f.ORDER_STATE_DELIVERED: t.TRACKING_STATUS_DELIVERED,
           f.ORDER_STATE_RETURNED: t.TRACKING_STATUS_RETURNED}  # here all parcels come back, or none
OVER = (f.ORDER_STATE_EXPIRED, f.ORDER_STATE_CANCELLED)
ASKED = f.ORDER_STATE_NEEDS_ATTENTION
# Behind these a shipment has no label that anybody may use.
UNBOUGHT = (p.SHIPMENT_STATE_FAILED, p.SHIPMENT_STATE_CANCELLED)
OPEN = (p.SHIPMENT_STATE_INTENT, p.SHIPMENT_STATE_SENT, p.SHIPMENT_STATE_UNKNOWN)
# Which events an order in that state must have behind it, each once.
TOLD = {
    f.ORDER_STATE_CONFIRMED: ("OrderConfirmed",),
    f.ORDER_STATE_SHIPPED: ("OrderConfirmed", "OrderShipped"),
    f.ORDER_STATE_DELIVERED: ("OrderConfirmed", "OrderShipped", "OrderDelivered"),
    f.ORDER_STATE_RETURNED: ("OrderConfirmed", "OrderShipped", "OrderReturned"),
    f.ORDER_STATE_CANCELLED: ("OrderCancelled",),
    f.ORDER_STATE_EXPIRED: ("OrderExpired",),
}


class Books:
    """What was read. Messages of the services; labels as the simulator lists them."""

    def __init__(self):
        self.orders = {}
        self.reservations = {}
        self.stocks = {}
        self.shelves = {}  # (warehouse_id, sku)
        self.allocations = {}
        self.movements = {}
        self.shipments = {}
        self.trackings = []
        self.labels = []
        self.unvoidable = set()  # carriers that have no call to void a label
        self.told = collections.Counter()  # (event's name, key): different event_ids
        self.mismatches = []

    def copy(self):
        return copy.deepcopy(self)


# --- reading ---

def pages(channel, messages, name, field, **wanted):
    """All records of a list."""
    token = ""
    while True:
        page = call(channel, messages, name, SECONDS, page_size=PAGE, page_token=token, **wanted)
        yield from getattr(page, field)
        token = page.next_page_token
        if not token:
            return


def by(name, records):
    found = {}
    for record in records:
        key = getattr(record, name)
        assert key not in found, f"{name} {key} is listed twice"
        found[key] = record
    return found


def read_events(channel):
    """{(name, key): {event_id}} of all logs of a process, up to what is in them now."""
    newest = {log.source: log.newest_sequence
              for log in call(channel, events, "ListEventLogs", SECONDS).logs}
    found, came = collections.defaultdict(set), queue.Queue()
    stream = subscribe(channel, timeout=SECONDS, cursor="oldest")

    def follow():
        try:
            for answer in stream:
                came.put(answer.event)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.CANCELLED, error

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        while newest:
            event = came.get(timeout=SILENCE_SECONDS)
            found[(event.type.rsplit(".", 1)[1], event.key)].add(event.event_id)
            if event.sequence >= newest.get(event.source, 0):
                newest.pop(event.source, None)
    except queue.Empty:
        pass  # the newest entry of a log need not be an event
    stream.cancel()
    follower.join()
    return found


def read(addresses, simulator):
    """`addresses` by service; one address may serve several."""
    books = Books()
    channels = {address: channel_to(address) for address in set(addresses.values())}
    of = {service: channels[address] for service, address in addresses.items()}
    books.orders = by("order_id", pages(of["fulfillment"], f, "ListOrders", "orders"))
    books.reservations = by("reservation_id", pages(of["inventory"], i, "ListReservations",
                                                    "reservations"))
    books.stocks = by("sku", pages(of["inventory"], i, "ListStock", "stocks"))
    books.shelves = {(one.warehouse_id, one.sku): one
                     for one in pages(of["warehouse"], w, "ListWarehouseStock", "stocks")}
    books.allocations = by("allocation_id", pages(of["warehouse"], w, "ListAllocations", "allocations"))
    books.movements = by("movement_id", pages(of["warehouse"], w, "ListMovements", "movements"))
    books.shipments = by("shipment_id", pages(of["shipping"], p, "ListShipments", "shipments"))
    for status in t.TrackingStatus.values():
        if status != t.TRACKING_STATUS_UNSPECIFIED:
            books.trackings += pages(of["tracking"], t, "ListTrackings", "trackings", status=status)
    books.labels = simulator.charged()
    books.unvoidable = {one.carrier for one in call(of["shipping"], p, "ListCarriers", SECONDS).carriers
                        if not one.capabilities.cancel}
    books.mismatches = [*call(of["inventory"], i, "VerifyLedger", SECONDS).mismatches,
                        *call(of["warehouse"], w, "VerifyMovements", SECONDS).mismatches]
    for channel in channels.values():
        for what, ids in read_events(channel).items():
            books.told[what] += len(ids)
        channel.close()
    return books


# --- the audit ---

def state_of(order):
    return f.OrderState.Name(order.state).removeprefix("ORDER_STATE_")


def summed(lines, field="quantity"):
    total = collections.Counter()
    for line in lines:
        total[line.sku] += getattr(line, field)
    return +total


def live_labels(labels, shipment_ids):
    """{shipment_id, or the reference of nobody's: [label]}; voided ones left out."""
    known = {reference_of(shipment_id, attempt): shipment_id for shipment_id in shipment_ids
             for attempt in range(1, ATTEMPTS_MAX + 1)}
    found = collections.defaultdict(list)
    for label in labels:
        if not label["voided"]:
            found[known.get(label["reference"], label["reference"])].append(label)
    return found


class Audit:
    def __init__(self, books):
        self.books = books
        self.findings = []
        self.misjudged = set()  # shipments that cost something else than anybody said
        self.reservations = self.of_orders(books.reservations)
        self.allocations = self.of_orders(books.allocations)
        self.shipments = self.of_orders(books.shipments)
        self.labels = live_labels(books.labels, books.shipments)
        self.trackings = collections.defaultdict(list)
        for one in books.trackings:
            self.trackings[(one.carrier, one.tracking_number)].append(one)

    @staticmethod
    def of_orders(records):
        found = collections.defaultdict(list)
        for record in records.values():
            found[record.order_id].append(record)
        return found

    def find(self, subject, words):
        self.findings.append(f"{subject}: {words}")

    def expect(self, good, subject, words):
        if not good:
            self.find(subject, words)

    def equal(self, found, expected, subject, words):
        self.expect(found == expected, subject, f"{words}: {found}, expected {expected}")

    # --- order by order ---

    def order(self, order):
        subject = f"order {order.order_id} {state_of(order)}"
        asked = order.state == ASKED
        self.expect(order.state in SOLD or order.state in OVER or asked
                    or order.state == f.ORDER_STATE_PROMISED, subject, "is nowhere a person understands")
        self.expect(order.attention_reason or not asked, subject, "does not say why a person is asked")
        self.costs(order, subject)
        self.holds(order, subject)
        self.plans(order, subject)
        self.parcels(order, subject)
        for name in ("OrderPromised", *TOLD.get(order.state, ())):
            self.equal(self.books.told[(name, order.order_id)], 1, subject, f"{name} told")

    def costs(self, order, subject):
        """What the customer was told."""
        self.equal(order.goods_value.amount_minor,
                   sum(line.quantity * line.unit_value.amount_minor for line in order.lines), subject,
                   "goods value")
        self.equal(order.landed_cost.amount_minor, order.goods_value.amount_minor
                   + order.shipping_cost.amount_minor + order.handling_cost.amount_minor, subject,
                   "landed cost")

    def holds(self, order, subject):
        """Its reservations."""
        for one in self.reservations[order.order_id]:
            if one.state == i.RESERVATION_STATE_PENDING:
                self.expect(order.state == f.ORDER_STATE_PROMISED
                            and one.reservation_id == order.reservation_id, subject, "still holds stock")
        committed = [one for one in self.reservations[order.order_id]
                     if one.state == i.RESERVATION_STATE_COMMITTED]
        if order.state in SOLD or order.state == ASKED:
            self.equal([one.reservation_id for one in committed], [order.reservation_id], subject,
                       "reservations committed")
            for one in committed:
                self.equal(summed(one.lines, "committed_quantity"), summed(order.lines), subject,
                           "goods committed")
        elif order.state == f.ORDER_STATE_CANCELLED:
            self.expect(len(committed) <= 1, subject, "was committed more than once")
        else:
            self.equal(len(committed), 0, subject, "reservations committed")

    def plans(self, order, subject):
        """Its allocations."""
        parts = [(one, part) for one in self.allocations[order.order_id] for part in one.parts]
        states = {part.state for _, part in parts}
        firm, shipped = w.ALLOCATION_STATE_FIRM, w.ALLOCATION_STATE_SHIPPED
        live = summed(line for _, part in parts for line in part.lines if part.state in (firm, shipped))
        if order.state in SOLD:
            self.equal(live, summed(order.lines), subject, "goods on firm allocations")
            self.equal(shipped in states, SOLD[order.state], subject, "goods have left")
        elif order.state != ASKED:
            self.equal(live, {}, subject, "goods on firm allocations")
        if order.state != f.ORDER_STATE_PROMISED:
            self.expect(w.ALLOCATION_STATE_TENTATIVE not in states, subject, "still holds a plan")
        for one, part in parts:
            if part.state == shipped:
                self.equal(self.books.told[("AllocationShipped", one.allocation_id)] > 0, True, subject,
                           "AllocationShipped told")

    def parcels(self, order, subject):
        """Its shipments, what they cost, and their numbers."""
        of_parts = {part.shipment_id for part in order.parts}
        for one in self.shipments[order.order_id]:
            name = f"{subject}, shipment {one.shipment_id}"
            if order.state in SOLD:
                self.expect(one.shipment_id in of_parts or one.state in UNBOUGHT, name,
                            f"is {p.ShipmentState.Name(one.state)} and of no part")
            elif order.state in OVER:
                lost = one.state == p.SHIPMENT_STATE_CREATED and one.carrier in self.books.unvoidable
                self.expect(one.state in UNBOUGHT or (lost and order.attention_reason), name,
                            f"is {p.ShipmentState.Name(one.state)}; the order: {order.attention_reason!r}")
            elif order.state == f.ORDER_STATE_PROMISED:
                self.find(name, "was bought before it was paid")
        if order.state in SOLD:
            for part in order.parts:
                self.part(order, part, f"{subject}, part of {part.warehouse_id}")

    def part(self, order, part, subject):
        shipment = self.books.shipments.get(part.shipment_id)
        if shipment is None or shipment.state != p.SHIPMENT_STATE_CREATED:
            self.find(subject, "has no shipment with a label")
            return
        self.equal(shipment.order_id, order.order_id, subject, "its shipment's order")
        self.equal(list(part.tracking_numbers), numbers_of(shipment), subject, "tracking numbers")
        self.equal(money(part.charged), charge_of(shipment), subject, "charged")
        for number in part.tracking_numbers:
            found = self.trackings[(part.carrier, number)]
            self.equal([(one.order_id, one.shipment_id) for one in found],
                       [(order.order_id, part.shipment_id)], subject, f"trackings of {number}")
            if order.state in ARRIVED:
                self.equal([one.status for one in found], [ARRIVED[order.state]], subject,
                           f"status of {number}")

    # --- what no order knows of ---

    def strangers(self):
        for what, records in (("reservation", self.books.reservations),
                              ("allocation", self.books.allocations),
                              ("shipment", self.books.shipments)):
            for key, one in records.items():
                if one.order_id in self.books.orders:
                    continue
                # A promise that was refused leaves what was given back, and no more.
                over = {"reservation": (i.RESERVATION_STATE_ROLLED_BACK, i.RESERVATION_STATE_EXPIRED),
                        "allocation": (w.ALLOCATION_STATE_RELEASED, w.ALLOCATION_STATE_EXPIRED),
                        "shipment": ()}[what]
                self.expect(one.state in over, f"{what} {key}", f"is of no order: {one.order_id!r}")
        known = {(one.carrier, number): one for one in self.books.shipments.values()
                 for number in numbers_of(one)}
        for one in self.books.trackings:
            shipment = known.get((one.carrier, one.tracking_number))
            subject = f"tracking {one.carrier} {one.tracking_number}"
            if shipment is None:
                self.find(subject, "is of no shipment")
            else:
                self.equal((one.order_id, one.shipment_id), (shipment.order_id, shipment.shipment_id),
                           subject, "order and shipment")
        for name, key in self.books.told:
            if name.startswith("Order"):
                self.expect(key in self.books.orders, f"event {name}", f"is of no order: {key}")

    # --- labels and money ---

    def bought(self):
        for shipment in self.books.shipments.values():
            subject = f"shipment {shipment.shipment_id} {p.ShipmentState.Name(shipment.state)}"
            labels = self.labels.get(shipment.shipment_id, [])
            self.expect(shipment.state not in OPEN, subject, "is not finished")
            told = self.books.told[("ShipmentCreated", shipment.shipment_id)]
            if shipment.state == p.SHIPMENT_STATE_CREATED:
                self.equal([(one["carrier"], one["tracking_number"]) for one in labels],
                           [(shipment.carrier, shipment.tracking_number)], subject, "live labels")
                taken = [(one["currency"], one["amount_minor"]) for one in labels]
                if shipment.HasField("charged"):
                    self.equal(taken, [money(shipment.charged)], subject, "charged")
                elif taken != [charge_of(shipment)]:
                    self.misjudged.add(shipment.shipment_id)
                self.equal([one["parcels"] for one in labels], [len(shipment.parcels)], subject, "parcels")
                self.equal(told, 1, subject, "ShipmentCreated told")
            elif shipment.state in UNBOUGHT:
                self.equal(len(labels), 0, subject, "live labels")
                self.expect(told <= 1, subject, f"ShipmentCreated told {told} times")
            elif shipment.state == p.SHIPMENT_STATE_NEEDS_ATTENTION:
                self.expect(shipment.failure, subject, "does not say why a person is asked")
        for shipment_id, labels in self.labels.items():
            self.expect(shipment_id in self.books.shipments, f"label {labels[0]['tracking_number']}",
                        f"is of no shipment: {shipment_id}")

    def money(self):
        """In sum: what living orders paid for labels, and what the carriers took for theirs."""
        paid, taken = collections.Counter(), collections.Counter()
        for order in self.books.orders.values():
            for part in order.parts if order.state in SOLD else ():
                if part.shipment_id not in self.misjudged:
                    paid[part.charged.currency_code] += part.charged.amount_minor
        for shipment_id, labels in self.labels.items():
            shipment = self.books.shipments.get(shipment_id)
            order = self.books.orders.get(shipment.order_id) if shipment is not None else None
            excused = shipment_id in self.misjudged or (
                order is not None and order.state not in SOLD and order.attention_reason)
            for label in labels if not excused else ():
                taken[label["currency"]] += label["amount_minor"]
        self.equal(paid, taken, "carriers", "charged in all")
        self.expect(len(self.misjudged) <= len(self.books.shipments) // MISJUDGED_PARTS_MIN, "carriers",
                    f"took something else than the rate for {sorted(self.misjudged)}")

    # --- stock ---

    def stock(self):
        sums = {name: collections.Counter() for name in (
            "pending", "committed", "cancelled", "sold", "in", "out", "allocated", "shipped")}
        for one in self.books.reservations.values():
            order = self.books.orders.get(one.order_id)
            if one.state == i.RESERVATION_STATE_PENDING:
                sums["pending"] += summed(one.lines)
            elif one.state == i.RESERVATION_STATE_COMMITTED:
                sums["committed"] += summed(one.lines, "committed_quantity")
                if order is not None and order.state == f.ORDER_STATE_CANCELLED:
                    sums["cancelled"] += summed(one.lines, "committed_quantity")
        for order in self.books.orders.values():
            if order.state in SOLD or order.state == ASKED:
                sums["sold"] += summed(order.lines)
        for (_, sku), moved in self.moved().items():
            sums["in"][sku] += moved["in"]
            sums["out"][sku] += moved["out"]
        for one in self.books.shelves.values():
            sums["allocated"][one.sku] += one.allocated
            sums["shipped"][one.sku] += one.shipped_for_reservations
        for sku, stock in self.books.stocks.items():
            self.sku(stock, {name: counter[sku] for name, counter in sums.items()})

    def sku(self, stock, sums):
        subject = f"sku {stock.sku}"
        shelf = sum(one.on_hand for one in self.books.shelves.values() if one.sku == stock.sku)
        equal = self.equal
        equal(stock.on_hand, stock.received + stock.returned + stock.adjusted - stock.committed, subject,
              "on hand and its totals")
        equal(stock.available, stock.on_hand - stock.reserved, subject, "available")
        equal(stock.reserved, sums["pending"], subject, "reserved, by reservations")
        equal(stock.committed, sums["committed"], subject, "committed, by reservations")
        equal(stock.returned, sums["cancelled"], subject, "given back, by cancelled orders")
        equal(stock.committed - stock.returned, sums["sold"], subject, "sold, by orders")
        equal(stock.received + stock.adjusted, sums["in"], subject, "received, by movements")
        equal(sums["in"], shelf + sums["out"], subject, "received = on the shelf + sent away")
        equal(sums["out"], sums["shipped"], subject, "sent away, by movements and shelves")
        equal(stock.on_hand, shelf - (sums["sold"] - sums["out"]), subject,
              "on hand = on the shelf - sold and not yet sent away")

    def moved(self):
        """By warehouse and SKU: what came in, what was sent away for reservations."""
        found = collections.defaultdict(collections.Counter)
        for one in self.books.movements.values():
            out = one.type == w.MOVEMENT_TYPE_OUTBOUND and one.reservation_id
            found[(one.warehouse_id, one.sku)]["out" if out else "in"] += (
                -one.quantity if out else one.quantity)
        return found

    def shelves(self):
        moved = self.moved()
        held, sent = collections.Counter(), collections.Counter()
        for one in self.books.allocations.values():
            for part in one.parts:
                for line in part.lines:
                    if part.state in (w.ALLOCATION_STATE_TENTATIVE, w.ALLOCATION_STATE_FIRM):
                        held[(part.warehouse_id, line.sku)] += line.quantity
                    sent[(part.warehouse_id, line.sku)] += line.shipped_quantity
        for key, shelf in self.books.shelves.items():
            subject = "shelf " + " ".join(key)
            self.equal(shelf.on_hand, moved[key]["in"] - moved[key]["out"], subject, "on hand, by movements")
            self.equal(shelf.allocated, held[key], subject, "allocated, by allocations")
            self.equal(shelf.shipped_for_reservations, sent[key], subject, "sent away, by allocations")
            self.equal(sum(one.quantity for one in shelf.bins), shelf.on_hand, subject, "in its bins")


def numbers_of(shipment):
    """What its carrier tells of: the parcels, or the whole where no parcel has the whole's number."""
    numbers = [one.tracking_number for one in shipment.parcels]
    if shipment.tracking_number not in numbers:
        return [shipment.tracking_number]
    return list(dict.fromkeys(number or shipment.tracking_number for number in numbers))


def money(message):
    return (message.currency_code, message.amount_minor)


def charge_of(shipment):
    """What the carrier said it takes, else as it was rated."""
    return money(shipment.charged if shipment.HasField("charged") else shipment.amount)


def audit(books):
    """What does not add up, in words."""
    work = Audit(books)
    for order in books.orders.values():
        work.order(order)
    work.strangers()
    work.bought()
    work.money()
    work.stock()
    work.shelves()
    for one in books.mismatches:
        work.find("ledger", str(one))
    return work.findings
