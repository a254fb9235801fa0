#!/usr/bin/python3
"""Goal: whatever dies in the middle of whatever, nothing is lost or doubled over all stores: stock, money,
labels, parcels; through the public interface alone.

Method: orders go all roads there are (paid, abandoned, paid late, cancelled before and after the pivot, sent,
delivered, returned, more than there is) over all services, once in one process and once in five, while a
killer ends one of them with -9 every second or so and the carriers (`waybill simulate carriers`, by the
real adapters) get a share of all requests wrong. Customers send every call until it is answered. Then an
auditor (tests/support/order_auditor.py) reads what anybody may read and compares all of it. That the auditor
sees what is wrong is shown by books with something wrong planted in them.

--orders N: how many each time (1,000). WAYBILL_SEED replays the choices.
"""

import argparse
import collections
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import order_auditor  # noqa: E402
import tap  # noqa: E402
from order_customers import ASKED, LEFT_ALONE, ROADS, Crowd, Customer, Killer, Person, Shop  # noqa: E402
from waybill_server import common, fulfillment as f, shipping as p, tracking as t  # noqa: E402

arguments = argparse.ArgumentParser()
arguments.add_argument("--orders", type=int, default=1000)
arguments.add_argument("--fault-rate", default="0.12")
options, sys.argv[1:] = arguments.parse_known_args()
SEED = int(os.environ.get("WAYBILL_SEED", random.randrange(2**32)))
ALL_ROADS = {name for name, (_, share, _) in ROADS.items() if share > 0}
SETTLING_SECONDS_MAX = 60  # after the last customer; far above what it takes


def wait_until_nothing_is_under_way(shop):
    end = time.monotonic() + SETTLING_SECONDS_MAX
    while (count := shop.unfinished()) > 0:
        assert time.monotonic() < end, f"{count} are still under way"
        time.sleep(0.2)


def audited(shop):
    """The books; events and movements may be on their way to the last of them."""
    end = time.monotonic() + SETTLING_SECONDS_MAX / 2
    while True:
        books = order_auditor.read(shop.addresses, shop.simulator)
        findings = order_auditor.audit(books)
        if not findings or time.monotonic() > end:
            break
        time.sleep(0.5)
    for one in findings[:40]:
        print(f"# {one}")
    assert not findings, f"{len(findings)} findings"
    return books


def check_ends(customers, books):
    """Each order is where its road leads to, or waits for a person who has not come yet."""
    for one in customers:
        order = books.orders.get(one.order_id)
        if one.end is None:
            assert order is None, order
        elif order is None or order.state != one.end:
            assert order is not None and order.state == ASKED, (one.name, order)
            assert one.order_id.endswith(LEFT_ALONE), (one.name, order)


def storm(shop, count, road=None):
    """Books and customers, after `count` orders have gone their roads while processes were killed."""
    began = time.monotonic()
    customers = [Customer(shop, SEED, number, road) for number in range(count)]
    person = Person(shop)
    with person:
        with Killer(shop, SEED) as killer:
            Crowd(customers).run()
        walked = time.monotonic()
        wait_until_nothing_is_under_way(shop)
    books = audited(shop)
    print(f"# walked in {walked - began:.1f} s, settled and audited in {time.monotonic() - walked:.1f} s; "
          f"kills {dict(killer.kills)}, a person's decisions {dict(person.decisions)}")
    print(f"# {dict(collections.Counter(order_auditor.state_of(one) for one in books.orders.values()))}")
    print(f"# carriers: {shop.simulator.counts()}")
    check_ends(customers, books)
    assert sum(killer.kills.values()) >= 3, killer.kills
    return customers, books


def faulty_shop(apart, *of_simulator, **more):
    print(f"# again: WAYBILL_SEED={SEED} {sys.argv[0]}", flush=True)
    return Shop(apart, 3 * options.orders, "--seed", str(SEED % 2**31), "--fault-rate", options.fault_rate,
                *of_simulator, **more)


def orders_over_five_processes_that_are_killed_are_conserved():
    with faulty_shop(True, "--search-lag", "8") as shop:
        customers, _ = storm(shop, options.orders)
        assert {one.name for one in customers} == ALL_ROADS


def orders_in_one_process_that_is_killed_are_conserved():
    with faulty_shop(False, "--search-lag", "1") as shop:
        customers, _ = storm(shop, options.orders)
        assert {one.name for one in customers} == ALL_ROADS


def parcels_that_carriers_tell_of_with_faults_deliver_their_orders():
    """A parcel lives 20,000 times faster; what pushes do not bring, polls do."""
    with faulty_shop(True, "--search-lag", "1", "--speed", "20000", pushes=True,
                     tracking_poll_seconds=8) as shop:
        storm(shop, options.orders // 10, "brought")
        counts = shop.simulator.counts()
        assert counts["pushes_accepted"] > options.orders // 10, counts


# --- the auditor ---

def calm_books():
    """A few orders on each road, nobody dies, carriers make no mistakes."""
    with Shop(False, 1000, "--seed", "1") as shop:
        customers = [Customer(shop, 1, number) for number in range(60)]
        assert {one.name for one in customers} == ALL_ROADS
        Crowd(customers).run()
        wait_until_nothing_is_under_way(shop)
        books = audited(shop)
    check_ends(customers, books)
    return books


def an_order(books, *states):
    return min((one for one in books.orders.values() if one.state in states),
               key=lambda one: one.order_id)


def lose_a_unit_of_the_shelf(books):
    next(iter(books.shelves.values())).on_hand -= 1


def hold_a_unit_for_nobody(books):
    stock = books.stocks["MUG"]
    stock.reserved, stock.available = stock.reserved + 1, stock.available - 1


def sell_a_unit_that_is_not_sold(books):
    stock = books.stocks["MUG"]
    stock.committed, stock.on_hand, stock.available = (
        stock.committed + 1, stock.on_hand - 1, stock.available - 1)


def forget_a_movement(books):
    books.movements.popitem()


def keep_a_cancelled_orders_allocation(books):
    order = an_order(books, f.ORDER_STATE_CANCELLED)
    for one in books.allocations.values():
        if one.order_id == order.order_id:
            one.parts[0].state = 2  # FIRM


def buy_a_second_label(books):
    label = next(one for one in books.labels if not one["voided"])
    books.labels.append({**label, "tracking_number": "1Z999AA10123456784"})


def buy_a_label_for_nobody(books):
    books.labels.append({**books.labels[0], "voided": False, "reference": "nobody"})


def leave_a_cancelled_label_alive(books):
    next(one for one in books.labels if one["voided"])["voided"] = False


def void_a_sold_orders_label(books):
    next(one for one in books.labels if not one["voided"])["voided"] = True


def charge_a_cent_more(books):
    next(one for one in books.labels if not one["voided"])["amount_minor"] += 1


def tell_the_order_another_charge(books):
    an_order(books, f.ORDER_STATE_CONFIRMED).parts[0].charged.amount_minor -= 1


def open_a_tracking_of_nobody(books):
    books.trackings.append(t.Tracking(carrier="ups", tracking_number="1Z999AA10123456784"))


def open_a_tracking_twice(books):
    number = an_order(books, f.ORDER_STATE_CONFIRMED).parts[0].tracking_numbers[0]
    books.trackings.append(next(one for one in books.trackings if one.tracking_number == number))


def give_a_parcel_to_another_order(books):
    number = an_order(books, f.ORDER_STATE_CONFIRMED).parts[0].tracking_numbers[0]
    next(one for one in books.trackings if one.tracking_number == number).order_id = "order-x"


def lose_a_parcel(books):
    number = an_order(books, f.ORDER_STATE_DELIVERED).parts[0].tracking_numbers[0]
    books.trackings = [one for one in books.trackings if one.tracking_number != number]


def deliver_in_the_order_alone(books):
    an_order(books, f.ORDER_STATE_SHIPPED, f.ORDER_STATE_RETURNED).state = f.ORDER_STATE_DELIVERED


def leave_an_order_half_way(books):
    an_order(books, f.ORDER_STATE_CONFIRMED).state = f.ORDER_STATE_CONFIRMING


def ask_a_person_without_a_reason(books):
    an_order(books, f.ORDER_STATE_CONFIRMED).state = f.ORDER_STATE_NEEDS_ATTENTION


def lose_an_order(books):
    del books.orders[an_order(books, f.ORDER_STATE_CONFIRMED).order_id]


def tell_a_confirmation_twice(books):
    books.told[("OrderConfirmed", an_order(books, f.ORDER_STATE_CONFIRMED).order_id)] += 1


def leave_a_shipment_unknown(books):
    shipment = books.shipments[an_order(books, f.ORDER_STATE_CONFIRMED).parts[0].shipment_id]
    shipment.state = p.SHIPMENT_STATE_UNKNOWN


def say_that_ups_would_not_void(books):
    """Its label is alive, and the order says so; but UPS can void."""
    order = next(one for one in books.orders.values() if one.state == f.ORDER_STATE_CANCELLED
                 and any(shipment.order_id == one.order_id and shipment.carrier == "ups"
                         for shipment in books.shipments.values()))
    order.attention_reason = "label not voided"
    for shipment in books.shipments.values():
        if shipment.order_id == order.order_id:
            shipment.state = p.SHIPMENT_STATE_CREATED
            for label in books.labels:
                if label["tracking_number"] == shipment.tracking_number:
                    label["voided"] = False


def tell_the_customer_another_sum(books):
    an_order(books, f.ORDER_STATE_DELIVERED).landed_cost.amount_minor += 1


def leave_the_price_of_a_label_out(books):
    """Of the order alone: its shipment knows it."""
    an_order(books, f.ORDER_STATE_DELIVERED).parts[0].ClearField("charged")


def pay_in_other_money(books):
    an_order(books, f.ORDER_STATE_CONFIRMED).parts[0].charged.CopyFrom(
        common.Money(currency_code="EUR", amount_minor=1))


PLANTED = (
    lose_a_unit_of_the_shelf, hold_a_unit_for_nobody, sell_a_unit_that_is_not_sold, forget_a_movement,
    keep_a_cancelled_orders_allocation, buy_a_second_label, buy_a_label_for_nobody,
    leave_a_cancelled_label_alive, void_a_sold_orders_label, charge_a_cent_more,
    tell_the_order_another_charge, open_a_tracking_of_nobody, open_a_tracking_twice,
    give_a_parcel_to_another_order, lose_a_parcel, deliver_in_the_order_alone, leave_an_order_half_way,
    ask_a_person_without_a_reason, lose_an_order, tell_a_confirmation_twice, leave_a_shipment_unknown,
    pay_in_other_money, say_that_ups_would_not_void, tell_the_customer_another_sum,
    leave_the_price_of_a_label_out)


def what_is_planted_in_good_books_is_found():
    books = calm_books()
    for plant in PLANTED:
        doctored = books.copy()
        plant(doctored)
        findings = order_auditor.audit(doctored)
        assert findings, f"{plant.__name__} was not found"
        print(f"# {plant.__name__}: {findings[0]}")
    assert not order_auditor.audit(books)
    print(f"# {len(PLANTED)} of {len(PLANTED)} found")


tap.run([
    what_is_planted_in_good_books_is_found,
    orders_over_five_processes_that_are_killed_are_conserved,
    orders_in_one_process_that_is_killed_are_conserved,
    parcels_that_carriers_tell_of_with_faults_deliver_their_orders,
])
