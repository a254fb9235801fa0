#!/usr/bin/python3
"""Goal: `waybill replay` plays the data set once and no more, however often it is cut and started, tells
the truth about it, and says what to do when it cannot.

Method: the program against a server of its own, the real data set: whole through all services, and, for the
many runs that are cut, its orders alone (three of the columns) through inventory. It is killed (-9) and
interrupted at random moments, also with a server that forgets ids after a second, which is what a month does
with the usual retention; the server is killed too. Every effect counts: at the end ledger and movements must
have exactly the entries of one uncut replay. `WAYBILL_SEED=N` repeats the random moments.
"""

import atexit
import collections
import csv
import datetime
import hashlib
import json
import os
import pty
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
from waybill_process import FED, PROGRAM, ROOT, Server as AnyServer  # noqa: E402

DATA_SET = os.path.join(ROOT, "data", "scms_deliveries.csv")
ORDERS_ALONE = os.path.join(tempfile.mkdtemp(prefix="waybill-replay-orders-"), "orders.csv")
SEED = int(os.environ.get("WAYBILL_SEED", "0")) or random.randrange(1, 2**31)
MOMENTS = random.Random(SEED)
FORGETFUL = {"WAYBILL_RETENTION_SECONDS": "1", "WAYBILL_COMMITTED_RETENTION_SECONDS": "1"}
EXTRA_LINES = {1: 515 + 468, 2: 1002}  # of the holds that are cancelled or left to lapse, by seed
ENTRIES = 184 + 2 * (9610 + EXTRA_LINES[1])  # a receipt a product; each line held and resolved
TIME_LIMIT = 300
uncut = {}  # the report of the whole replay, which a cut one must equal


def write_orders_alone():
    """The same orders in a file that does not tell where goods come from: inventory alone."""
    with open(DATA_SET, encoding="utf-8", newline="") as whole, \
            open(ORDERS_ALONE, "w", encoding="utf-8", newline="") as alone:
        names = ["ASN/DN #", "Item Description", "Line Item Quantity"]
        writer = csv.DictWriter(alone, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(csv.DictReader(whole))


class Server(AnyServer):
    """Inventory alone, unless the whole is asked for."""

    def __init__(self, data, *services, listen="127.0.0.1:0", environment=None):
        super().__init__(data, *(services or ["inventory"]), listen=listen, environment=environment)


class WholeServer(AnyServer):
    """All services in one process, as users run it."""

    def __init__(self, data, listen="127.0.0.1:0"):
        super().__init__(data, listen=listen, environment=FED)


class Place:
    """A directory with a server's data and a progress file."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="waybill-replay-")
        self.data = os.path.join(self.path, "data")
        self.progress = os.path.join(self.path, "progress", "replay.json")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path)

    def command(self, server, *arguments, csv=ORDERS_ALONE):
        return [PROGRAM, "replay", csv, "--server", server, "--progress", self.progress, *arguments]

    def run(self, server, *arguments, csv=ORDERS_ALONE):
        return subprocess.run(self.command(server, *arguments, csv=csv), capture_output=True,
                              text=True, timeout=TIME_LIMIT)

    def report(self, server, *arguments, csv=ORDERS_ALONE):
        """The JSON of a run that must add up."""
        done = self.run(server, "--json", *arguments, csv=csv)
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert report["adds_up"] and report["differences"] == [], report
        return report

    def start(self, server, *arguments, csv=ORDERS_ALONE):
        return subprocess.Popen(self.command(server, *arguments, csv=csv), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def kept(self):
        with open(self.progress, encoding="utf-8") as file:
            return json.load(file)


def assert_once(report):
    """Every order had its one effect: the figures are those of an uncut replay."""
    assert report["orders"] == 7030 and report["products"] == 184, report
    assert report["lines_sent"] == 10324 and report["lines_summed"] == 9610, report
    assert report["packs"] == 189265090, report
    assert report["committed"] == {"holds": 7030, "packs": 189265090}, report
    assert report["rolled_back"] == {"holds": 387, "packs": 11185677}, report
    assert report["expired"] == {"holds": 347, "packs": 9605800}, report
    assert report["ledger"]["entries"] == ENTRIES, report
    assert report["ledger"]["mismatches"] == 0, report
    assert report["others"] == {"received_packs": 0, "committed_packs": 0, "held_packs": 0}, report


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % probe.getsockname()[1]


def started(place, server, csv=ORDERS_ALONE):
    """A run that has begun to send."""
    def saved():
        return os.stat(place.progress).st_ino if os.path.exists(place.progress) else None
    before = saved()
    process = place.start(server.listen, csv=csv)
    while saved() == before and process.poll() is None:
        time.sleep(0.001)
    return process


def kill_soon(process, seconds_max):
    time.sleep(MOMENTS.uniform(0, seconds_max))
    process.kill()
    process.communicate(timeout=TIME_LIMIT)


def cut_again_and_again(place, server, cuts, pause=0.0):
    """Kills runs, half of them early, until one comes to its end or enough were cut; gives how many."""
    for number in range(cuts):
        kill_soon(started(place, server), MOMENTS.choice((0.03, 0.2)))
        if place.kept()["complete"]:
            return number
        time.sleep(pause)
    return cuts


def day(text):
    return datetime.datetime.strptime(text, "%d-%b-%y").date()


def on_time_of_the_data():
    """(lines, late) of the file, by country and whether a centre sent them, and by origin."""
    countries, origins = {}, {}
    with open(DATA_SET, encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            is_late = day(line["Delivered to Client Date"]) > day(line["Scheduled Delivery Date"])
            is_direct = line["Fulfill Via"] == "Direct Drop"
            origin = line["Manufacturing Site"] if is_direct else None
            for counts, key in ((countries, (line["Country"], is_direct)), (origins, origin)):
                lines, late = counts.get(key, (0, 0))
                counts[key] = (lines + 1, late + is_late)
    return countries, origins


def assert_all_arrived(report):
    """What tracking answers is what the file says, country by country and site by site."""
    told = report["on_time"]
    assert (told["lines"], told["late"]) == (10324, 1186), told
    countries, origins = on_time_of_the_data()
    for of in told["countries"]:
        for key, is_direct in (("from_centres", False), ("direct", True)):
            counted = countries.pop((of["country"], is_direct), (0, 0))
            assert (of[key]["lines"], of[key]["late"]) == counted, (of, counted)
    assert countries == {}, countries
    counted = origins.pop(None)
    assert (told["centres"]["lines"], told["centres"]["late"]) == counted, told["centres"]
    for of in told["sites"]:
        assert (of["lines"], of["late"]) == origins.pop(of["site"]), of
    assert origins == {}, origins


def assert_shipped_once(report):
    """Every line left the shelves once, and nothing is left."""
    assert report["committed"] == {"holds": 7030, "packs": 189265090}, report
    shelf = report["warehouses"]
    assert shelf["shipped_packs"] == 189265090, shelf
    assert shelf["on_hand_packs"] == 0 and shelf["allocated_packs"] == 0, shelf
    assert shelf["mismatches"] == 0 and report["ledger"]["mismatches"] == 0, report
    assert report["others"] == {"received_packs": 0, "committed_packs": 0, "held_packs": 0}, report


def call(server, method, **request):
    done = subprocess.run([PROGRAM, "call", f"TrackingService/{method}", json.dumps(request), "--server",
                           server.listen], check=True, capture_output=True, text=True,
                          timeout=TIME_LIMIT)
    return json.loads(done.stdout)


def late_line(server):
    """An order of one line that came late, and its tracking."""
    with open(DATA_SET, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    orders = collections.Counter(line["ASN/DN #"] for line in lines)
    line = next(line for line in lines if orders[line["ASN/DN #"]] == 1 and
                day(line["Delivered to Client Date"]) > day(line["Scheduled Delivery Date"]))
    return line, call(server, "ListTrackings", orderId=line["ASN/DN #"])["trackings"][0]


def assert_a_late_line_has_its_life(server):
    """As any client sees it."""
    line, tracking = late_line(server)
    assert tracking["status"] == "TRACKING_STATUS_DELIVERED", tracking
    assert tracking["deliveredTime"][:10] == str(day(line["Delivered to Client Date"])), tracking
    assert tracking["originalExpectedDeliveryTime"][:10] == \
        str(day(line["Scheduled Delivery Date"])), tracking
    assert tracking["expectedDeliveryTime"][:10] == tracking["deliveredTime"][:10], tracking
    events = call(server, "ListEvents", carrier=tracking["carrier"],
                  trackingNumber=tracking["trackingNumber"])["events"]
    types = [event["type"].removeprefix("TRACKING_EVENT_TYPE_") for event in events]
    assert types[0] == "PICKED_UP" and types[-1] == "DELIVERED" and "EXCEPTION" in types, types
    assert len(types) == 6, types


def without_run(report):
    """What does not depend on when and how often it was run."""
    told = {name: value for name, value in report.items() if name not in ("measurements", "was_complete")}
    return dict(told, ledger={**report["ledger"], "chain_head": None})


def whole_replay_ships_every_line_leaves_the_shelves_empty_and_follows_all():
    with Place() as place, WholeServer(place.data) as server:
        report = place.report(server.listen, csv=DATA_SET)
        assert_shipped_once(report)
        assert_all_arrived(report)
        assert_a_late_line_has_its_life(server)
        strategies = report["warehouses"]["strategies"]
        for name in ("PRIORITY", "FEWEST_SPLITS", "LOWEST_COST"):
            assert strategies[name]["orders"] == 7030, strategies
        lowest = strategies["LOWEST_COST"]
        for other in (strategies["PRIORITY"], strategies["FEWEST_SPLITS"]):
            assert lowest["cost_minor"] <= other["cost_minor"], strategies
            assert strategies["FEWEST_SPLITS"]["parts"] <= other["parts"], strategies
        again = place.report(server.listen, csv=DATA_SET)
        assert again["was_complete"]
        assert again["ledger"] == report["ledger"], (report, again)
        assert without_run(again) == without_run(report), (report, again)
        uncut.update(without_run(report))


def whole_replay_killed_at_random_moments_ships_once():
    """The client four times, the server twice in between."""
    address = free_address()
    with Place() as place:
        server = WholeServer(place.data, listen=address)
        for number in range(4):
            kill_soon(started(place, server, csv=DATA_SET), MOMENTS.choice((1.0, 4.0, 8.0)))
            if number % 2 == 1:
                server.kill()
                server = WholeServer(place.data, listen=address)
        report = place.report(address, csv=DATA_SET)
        assert_shipped_once(report)
        assert_all_arrived(report)
        told = without_run(report)
        more = dict(uncut, ledger=dict(uncut["ledger"], entries=told["ledger"]["entries"])) if uncut else told
        assert told == more, {name: (told[name], more[name]) for name in more if told[name] != more[name]}
        # Promises that a killed server was at are undone and made anew, which is in the ledger, too.
        assert not uncut or told["ledger"]["entries"] >= uncut["ledger"]["entries"], (report, uncut)
        server.stop()


def server_without_tracking_ships_and_follows_nothing():
    with Place() as place, AnyServer(place.data, "inventory", "warehouse", environment=FED) as server:
        report = place.report(server.listen, csv=DATA_SET)
        assert_shipped_once(report)
        assert report["on_time"] is None, report["on_time"]


def fresh_replay_adds_up():
    with Place() as place, Server(place.data) as server:
        report = place.report(server.listen)
        assert_once(report)
        assert not report["was_complete"]
        assert report["measurements"]["calls"] >= 184 + 2 * (7030 + 387 + 347), report
        latency = report["measurements"]["latency_us"]
        assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["max"], latency
        kept = place.kept()
        assert kept["complete"] and kept["stage"] == "done", kept


def second_run_sends_nothing_and_reports_the_first_ones_figures():
    with Place() as place, Server(place.data) as server:
        first = place.report(server.listen)
        second = place.report(server.listen)
        assert second["was_complete"]
        assert second["ledger"] == first["ledger"], (first, second)
        assert second["measurements"] == first["measurements"], (first, second)


def second_run_after_a_restart_and_a_month_sends_nothing():
    with Place() as place:
        with Server(place.data, environment=FORGETFUL) as server:
            first = place.report(server.listen)
        time.sleep(1.5)
        with Server(place.data, environment=FORGETFUL) as server:
            second = place.report(server.listen)
            assert second["ledger"] == first["ledger"], (first, second)
            os.remove(place.progress)
            third = place.report(server.listen)
            assert third["ledger"] == first["ledger"], (first, third)
            assert_once(third)


def runs_killed_at_random_moments_double_nothing():
    cuts = 0
    for _ in range(3):
        with Place() as place, Server(place.data) as server:
            cuts += cut_again_and_again(place, server, 10)
            assert_once(place.report(server.listen))
    assert cuts >= 3, cuts


def runs_killed_while_ids_are_forgotten_double_nothing():
    """Between the cuts every id that can be forgotten is, as after a month."""
    with Place() as place, Server(place.data, environment=FORGETFUL) as server:
        cuts = cut_again_and_again(place, server, 6, pause=1.3)
        assert_once(place.report(server.listen))
        assert cuts >= 1, cuts


def runs_killed_without_their_progress_file_double_nothing():
    with Place() as place, Server(place.data) as server:
        for _ in range(6):
            kill_soon(started(place, server), 0.1)
            os.remove(place.progress)
        assert_once(place.report(server.listen))


def interrupted_run_says_so_and_goes_on():
    with Place() as place, Server(place.data) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            process = started(place, server)
            process.send_signal(number)
            out, err = process.communicate(timeout=TIME_LIMIT)
            assert process.returncode == 128 + number, (process.returncode, out, err)
            assert "The same command goes on from here" in err, err
            assert out == "", out
            assert not place.kept()["complete"]
        assert_once(place.report(server.listen))


def killed_server_is_waited_for():
    """Calls are repeated with their ids until the server is back, and act once."""
    address = free_address()
    with Place() as place:
        server = Server(place.data, listen=address)
        process = place.start(address, "--json")
        for _ in range(4):
            time.sleep(MOMENTS.uniform(0.05, 0.3))
            server.kill()
            server = Server(place.data, listen=address)
        out, err = process.communicate(timeout=TIME_LIMIT)
        server.stop()
        assert process.returncode == 0, out + err
        assert_once(json.loads(out))


def server_that_lost_its_data_is_found_out():
    with Place() as place:
        with Server(place.data) as server:
            place.report(server.listen)
        shutil.rmtree(place.data)
        with Server(place.data) as server:
            kept = place.kept()
            done = place.run(server.listen)
            assert done.returncode == 1 and done.stdout == "", done
            assert "7764 holds are finished and 0 lines delivered, the server knows of 0 and 0" in done.stderr, done.stderr
            assert "delete that file" in done.stderr, done.stderr
            assert place.kept() == kept
            os.remove(place.progress)
            assert_once(place.report(server.listen))


def other_seed_needs_its_own_progress_file():
    with Place() as place, Server(place.data) as server:
        place.report(server.listen)
        done = place.run(server.listen, "--seed", "2")
        assert done.returncode == 1, done
        assert "belongs to another replay" in done.stderr and "--progress FILE" in done.stderr, done
        place.progress += ".2"
        report = place.report(server.listen, "--seed", "2")
        assert report["others"]["committed_packs"] == 189265090, report
        assert report["ledger"]["entries"] == ENTRIES + 184 + 2 * (9610 + EXTRA_LINES[2]), report


def damaged_progress_file_is_refused():
    with Place() as place, Server(place.data) as server:
        place.report(server.listen)
        with open(place.progress, "w", encoding="utf-8") as file:
            file.write('{"format": 1, "seed"')
        done = place.run(server.listen)
        assert done.returncode == 1, done
        assert "is not a progress file" in done.stderr and "Delete it" in done.stderr, done.stderr


def two_runs_with_one_progress_file_are_refused():
    with Place() as place, Server(place.data) as server:
        first = started(place, server)
        done = place.run(server.listen)
        assert done.returncode == 1 and "another replay is running" in done.stderr, done
        first.communicate(timeout=TIME_LIMIT)
        assert first.returncode == 0
        assert_once(place.report(server.listen))


def what_others_do_is_told_apart():
    with Place() as place, Server(place.data) as server:
        place.report(server.listen)
        sku = "SCMS-" + hashlib.sha256(b"Efavirenz 600mg, tablets, 30 Tabs").hexdigest()[:10]
        receipt = {"receiptId": "somebody", "sku": sku, "quantity": "5"}
        subprocess.run([PROGRAM, "call", "InventoryService/ReceiveStock", json.dumps(receipt), "--server",
                        server.listen], check=True, capture_output=True, timeout=TIME_LIMIT)
        report = place.report(server.listen)
        assert report["others"]["received_packs"] == 5, report


def bad_file_is_refused_before_anything_is_sent():
    address = free_address()  # nobody is there: had it been asked, the message would be another
    cases = {
        "ASN/DN #,Item Description,Line Item Quantity\nA,x,1\nB,x,many\n":
            ":3: Line Item Quantity: must be a whole number",
        "ASN/DN #,Item Description,Line Item Quantity\nA,\"x,1\n":
            ":2: Item Description: a quoted field of this record never ends",
        "ASN/DN #,Line Item Quantity\nA,1\n": ":1: the header names column 'Item Description' nowhere",
        "": ":1: empty",
    }
    with Place() as place:
        path = os.path.join(place.path, "bad.csv")
        for content, problem in cases.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            done = place.run(address, csv=path)
            assert done.returncode == 1 and path + problem in done.stderr, done
            assert not os.path.exists(place.progress)
        done = place.run(address, csv=os.path.join(place.path, "absent.csv"))
        assert done.returncode == 1 and "absent.csv" in done.stderr, done


def absent_server_is_explained():
    address = free_address()
    with Place() as place:
        done = place.run(address)
        assert done.returncode == 1 and done.stdout == "", done
        assert f"no server answers at {address}" in done.stderr, done.stderr
        assert f"waybill serve --listen {address}" in done.stderr, done.stderr


def wrong_arguments_are_explained():
    for arguments in (["a.csv", "b.csv"], [], ["a.csv", "--seed", "x"], ["a.csv", "--seed", "-1"],
                      ["a.csv", "--sed", "1"], ["a.csv", "--seed"]):
        done = subprocess.run([PROGRAM, "replay", *arguments], capture_output=True, text=True,
                              timeout=TIME_LIMIT)
        assert done.returncode == 2 and "--help" in done.stderr, (arguments, done)
    done = subprocess.run([PROGRAM, "replay", "--help"], capture_output=True, text=True,
                          timeout=TIME_LIMIT)
    assert done.returncode == 0 and done.stdout.startswith("usage: waybill replay CSV"), done


def terminal_sees_a_bar():
    with Place() as place, Server(place.data) as server:
        primary, secondary = pty.openpty()
        process = subprocess.Popen(place.command(server.listen), stdout=subprocess.PIPE,
                                   stderr=secondary)
        os.close(secondary)
        shown = b""
        while process.poll() is None or select.select([primary], [], [], 0)[0]:
            if select.select([primary], [], [], 0.1)[0]:
                try:
                    shown += os.read(primary, 65536)
                except OSError:  # the other side is closed
                    break
        out = process.communicate(timeout=TIME_LIMIT)[0].decode()
        os.close(primary)
        assert process.returncode == 0
        assert b"\r" in shown and b"[###" in shown and b" %" in shown, shown
        assert "everything adds up" in out and "189,265,090" in out, out


def pipe_sees_no_bar_and_json_no_progress():
    with Place() as place, Server(place.data) as server:
        done = place.run(server.listen, "--json")
        assert done.stderr == "" and len(done.stdout.splitlines()) == 1, done
        done = place.run(server.listen)
        assert "\r" not in done.stderr and "\x1b" not in done.stderr, done.stderr


print(f"# WAYBILL_SEED={SEED}")
write_orders_alone()
atexit.register(shutil.rmtree, os.path.dirname(ORDERS_ALONE))
tap.run([
    whole_replay_ships_every_line_leaves_the_shelves_empty_and_follows_all,
    whole_replay_killed_at_random_moments_ships_once,
    server_without_tracking_ships_and_follows_nothing,
    fresh_replay_adds_up,
    second_run_sends_nothing_and_reports_the_first_ones_figures,
    second_run_after_a_restart_and_a_month_sends_nothing,
    runs_killed_at_random_moments_double_nothing,
    runs_killed_while_ids_are_forgotten_double_nothing,
    runs_killed_without_their_progress_file_double_nothing,
    interrupted_run_says_so_and_goes_on,
    killed_server_is_waited_for,
    server_that_lost_its_data_is_found_out,
    other_seed_needs_its_own_progress_file,
    damaged_progress_file_is_refused,
    two_runs_with_one_progress_file_are_refused,
    what_others_do_is_told_apart,
    bad_file_is_refused_before_anything_is_sent,
    absent_server_is_explained,
    wrong_arguments_are_explained,
    terminal_sees_a_bar,
    pipe_sees_no_bar_and_json_no_progress,
])
