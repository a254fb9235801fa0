#!/usr/bin/python3
"""Goal: what tracking answers about a parcel is what its rules say of the set of its events, whatever order they
came in, told again or corrected before they came, over generations, kills and maps of codes; a time range takes
what it says, and a list that is read while others record gives each event that was there once.

Method: the rules of docs/internals/tracking.md written down a second time, in Python, over lists of events that
chance makes, against `waybill serve tracking`; the maps of codes are read from their files. `WAYBILL_SEED`
replays a run.
"""

import csv
import os
import random
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from waybill_server import Server, channel_to, tracking  # noqa: E402

SERVICE = "/waybill.tracking.v1.TrackingService/"
MAPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "carrier_codes")
SEED = int(os.environ.get("WAYBILL_SEED", "1"))
SMALL = ("tracking", "--tracking-free-bytes-min", "0", "--tracking-checkpoint-bytes", "1048576",
         "--tracking-checkpoint-seconds", "1")
START, DAY = 1_700_000_000, 86400
NAMES = ("UNSPECIFIED", "INFO_RECEIVED", "PICKED_UP", "IN_TRANSIT", "AT_FACILITY", "OUT_FOR_DELIVERY", "EXCEPTION",
         "CANCELLED", "RETURNED", "DELIVERED")  # by what says more at one instant
TYPES = {name: tracking.TrackingEventType.Value("TRACKING_EVENT_TYPE_" + name) for name in NAMES}
STATUS = {name: tracking.TrackingStatus.Value("TRACKING_STATUS_" + name) for name in NAMES[1:] + ("UNKNOWN",)}


def method(channel, name):
    kind = channel.stream_stream if name == "RecordEvents" else channel.unary_unary
    return kind(SERVICE + name, request_serializer=getattr(tracking, name + "Request").SerializeToString,
                response_deserializer=getattr(tracking, name + "Response").FromString)


def call(channel, name, **fields):
    return method(channel, name)(getattr(tracking, name + "Request")(**fields), timeout=60)


# --- the rules ---

class Maps:
    """Of each carrier: code → {version: (type, sub-status)}."""

    def __init__(self):
        self.of = {}
        for carrier in ("ups", "fedex", "dhl"):
            with open(os.path.join(MAPS, carrier + ".csv"), encoding="utf-8", newline="") as file:
                lines = csv.DictReader(line for line in file if not line.startswith("#"))
                codes = self.of.setdefault(carrier, {})
                for line in lines:
                    codes.setdefault(line["code"], {})[int(line["version"])] = (
                        line["type"].replace("NO_CHANGE", "UNSPECIFIED"), line["sub_status"])

    def newest(self, carrier):
        return max(version for versions in self.of[carrier].values() for version in versions)

    def find(self, carrier, code, version):
        parts = code.upper().split("/")
        for name in ("/".join(parts), "/".join(parts[:2]), parts[-1], parts[0] + "/*", parts[0]):
            known = [v for v in self.of[carrier].get(name, {}) if v <= version]
            if known:
                return self.of[carrier][name][max(known)]
        return "UNSPECIFIED", ""


def judge(events, starts, index, maps, versions):
    """What is right of one generation; None for what a hash decides."""
    withdrawn = {event.corrects_event_id for event in events if event.corrects_event_id}

    def generation(event):
        takes = [i for i, start in enumerate(starts) if i > 0 and start - 7 * DAY <= event.occurred_time.seconds]
        return takes[-1] if takes else 0

    def said(event):
        name = NAMES[0] if event.type == 0 else next(n for n in NAMES if TYPES[n] == event.type)
        found = maps.find(event.carrier, event.carrier_code, versions[event.carrier]) if event.carrier_code else None
        if event.type == 0:
            return found
        return name, found[1] if found is not None and found[0] == name else ""

    own = [event for event in events if generation(event) == index]
    count = [(event.occurred_time.seconds, NAMES.index(said(event)[0]), said(event), event) for event in own
             if event.event_id not in withdrawn]
    status, sub, delivered = "UNKNOWN", "", 0
    by_class = [[one for one in count if one[2][0] in names] for names in (
        ("DELIVERED",), ("RETURNED",), NAMES[2:8], ("INFO_RECEIVED",))]
    for candidates in by_class:
        if candidates:
            first = candidates is by_class[0]
            best = (min if first else max)(candidates, key=lambda one: one[:2])
            ties = {one[2] for one in candidates if one[:2] == best[:2]}
            status, sub = best[2][0], best[2][1] if len(ties) == 1 else None
            break
    if status == "DELIVERED":
        delivered = best[0]
        if by_class[1] and min(one[0] for one in by_class[1]) <= delivered:
            sub = "RETURNED_TO_SENDER"
    told = [one for one in count if one[3].HasField("expected_delivery_time")]
    expected = max(told, key=lambda one: one[:2])[3].expected_delivery_time.seconds if told else 0
    last = max(count, key=lambda one: one[:2]) if count else None
    if last is not None and [one[:2] for one in count].count(last[:2]) > 1:
        last = False
    return {"status": STATUS[status], "sub_status": sub, "delivered": delivered, "expected": expected,
            "count": len(own), "last": last[3].event_id if last else last}


def check(channel, number, carrier, events, starts, maps, versions):
    for index in range(max(1, len(starts))):
        found = call(channel, "GetTracking", carrier=carrier, tracking_number=number, generation=index + 1).tracking
        right = judge(events, starts, index, maps, versions)
        told = {"status": found.status, "sub_status": found.sub_status,
                "delivered": found.delivered_time.seconds, "expected": found.expected_delivery_time.seconds,
                "count": found.event_count, "last": found.last_event.event_id or None}
        for name, value in right.items():
            if not (name == "sub_status" and value is None) and value is not False:
                assert told[name] == value, (f"seed {SEED}", carrier, number, index + 1, name, told, right)


# --- chance ---

def life(dice, carrier, number, maps):
    """Events within days of each other, many at one instant; some withdraw others, one perhaps itself."""
    codes = sorted(maps.of[carrier])
    events = []
    for i in range(dice.randint(1, 25)):
        event = tracking.TrackingEvent(event_id=f"e{i}", carrier=carrier, tracking_number=number, source="audit",
                                       type=TYPES[dice.choice(NAMES)])
        event.occurred_time.seconds = START + dice.choice([0, 1, 40]) * DAY + dice.randint(0, 12)
        if event.type == 0 or dice.random() < 0.3:
            event.carrier_code = dice.choice(codes + ["no-such", "X/13/013"]).replace("*", "ZZ")
        if dice.random() < 0.25:
            event.corrects_event_id = f"e{dice.randint(0, 30)}"
        events.append(event)
    for event in dice.sample(events, len(events) // 2):
        if not any(other.HasField("expected_delivery_time") and other.occurred_time == event.occurred_time
                   for other in events):
            event.expected_delivery_time.seconds = START + dice.randint(1, 9) * DAY
    return events


def record(channel, events):
    answers = method(channel, "RecordEvents")(
        iter([tracking.RecordEventsRequest(event=event) for event in events]), timeout=120)
    assert all(answer.status.code == 0 and answer.event_id for answer in answers)


def every_order_of_every_set_gives_what_the_rules_say():
    dice, maps = random.Random(SEED), Maps()
    versions = {carrier: maps.newest(carrier) for carrier in maps.of}
    with tempfile.TemporaryDirectory(prefix="waybill-audit-") as place:
        data = os.path.join(place, "data")
        lives = []
        with Server(data, *SMALL) as server, channel_to(server.listen) as channel:
            for i in range(120):
                carrier = dice.choice(sorted(maps.of))
                events = life(dice, carrier, f"N{i}", maps)
                starts = [0]
                if dice.random() < 0.5:
                    starts = [START - 3 * DAY]
                    call(channel, "CreateTracking", carrier=carrier, tracking_number=f"N{i}", shipment_id="s1",
                         start_time={"seconds": starts[0]})
                sent = events + dice.choices(events, k=len(events) // 2)
                dice.shuffle(sent)
                lives.append([carrier, f"N{i}", events, starts, sent])
            for carrier, number, events, starts, sent in lives:
                record(channel, sent[:len(sent) // 2])
            server.kill()
        with Server(data, *SMALL) as server, channel_to(server.listen) as channel:
            for one in lives:
                carrier, number, events, starts, sent = one
                record(channel, sent)
                check(channel, number, carrier, events, starts, maps, versions)
                if starts != [0] and judge(events, starts, 0, maps, versions)["status"] in (
                        STATUS["DELIVERED"], STATUS["RETURNED"], STATUS["CANCELLED"]):
                    starts.append(START + dice.choice([2, 30, 47, 47]) * DAY + dice.randint(0, 12))
                    call(channel, "CreateTracking", carrier=carrier, tracking_number=number, shipment_id="s2",
                         start_time={"seconds": starts[1]})
                    check(channel, number, carrier, events, starts, maps, versions)
            assert sum(len(one[3]) > 1 for one in lives) > 10
            for version in (1, maps.newest("ups")):
                call(channel, "RemapTrackings", carrier="ups", map_version=version)
                versions["ups"] = version
                if version == 1:
                    server.kill()
                    break
        with Server(data, *SMALL) as server, channel_to(server.listen) as channel:
            for version in (1, maps.newest("ups")):
                call(channel, "RemapTrackings", carrier="ups", map_version=version)
                versions["ups"] = version
                for carrier, number, events, starts, _ in lives:
                    check(channel, number, carrier, events, starts, maps, versions)


def pages(channel, **question):
    events, token = [], ""
    while True:
        page = call(channel, "ListEvents", carrier="ups", tracking_number="N", page_token=token, **question)
        events += page.events
        token = page.next_page_token
        if not token:
            return events


def ranges_take_their_first_instant_and_not_their_last_while_others_record():
    dice = random.Random(SEED)

    def made(i, name):
        event = tracking.TrackingEvent(event_id=f"{name}{i}", carrier="ups", tracking_number="N", source="audit",
                                       type=TYPES["IN_TRANSIT"])
        event.occurred_time.seconds, event.occurred_time.nanos = START + dice.randint(0, 60), dice.choice([0, 1000])
        return event

    def instant(event):
        return event.occurred_time.seconds * 10**6 + event.occurred_time.nanos // 1000
    with tempfile.TemporaryDirectory(prefix="waybill-audit-") as place, \
            Server(os.path.join(place, "data"), *SMALL) as server, channel_to(server.listen) as channel:
        events = [made(i, "e") for i in range(400)]
        later = [made(i, "w") for i in range(3000)]
        record(channel, events)
        writer = threading.Thread(target=record, args=(channel, later))
        writer.start()
        for round in range(60):
            begin, end = sorted(dice.sample(range(-2, 64), 2))
            nanos = dice.choice([0, 1000])
            low, high = (START + begin) * 10**6, (START + end) * 10**6 + nanos // 1000
            newest_first = dice.random() < 0.5
            found = pages(channel, from_time={"seconds": START + begin},
                          to_time={"seconds": START + end, "nanos": nanos}, newest_first=newest_first,
                          page_size=dice.randint(5, 90))
            keys = [(instant(event), event.event_id) for event in found]
            assert keys == sorted(set(keys), reverse=newest_first), f"seed {SEED}, round {round}"
            wanted = {(instant(event), event.event_id) for event in events if low <= instant(event) < high}
            assert wanted <= set(keys), (f"seed {SEED}, round {round}", wanted - set(keys))
            assert all(low <= key[0] < high for key in keys), f"seed {SEED}, round {round}"
        writer.join()
        assert len(pages(channel, page_size=1000)) == 3400


print(f"# seed {SEED}")
tap.run([every_order_of_every_set_gives_what_the_rules_say,
         ranges_take_their_first_instant_and_not_their_last_while_others_record])
