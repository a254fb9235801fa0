#!/usr/bin/python3
"""Goal: never a second label for a shipment, none lost, whatever is killed when (RELIABILITY rows 3, 5
and 10 for shipping's repository).

Method: shops (shipping_buyer.c; WAYBILL_SHIPPING_BUYER names it) buy the same shipments from a carrier that
is a file, so what was charged is known whatever the shops know. They are killed with -9 at random moments and
started again; on PostgreSQL there are two at once, and the server is killed, stopped and cut off, too. At the
end one of them finishes, and file, records, events and what was acknowledged are compared.
`WAYBILL_SEED` replays the moments.
"""

import collections
import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402

PROGRAM = os.environ["WAYBILL_SHIPPING_BUYER"]
SECONDS_MAX = 120
SEED = int(os.environ.get("WAYBILL_SEED", random.randrange(2**32)))


class Shop:
    """One process that buys; its acknowledgements are kept in `acknowledged`."""

    def __init__(self, world):
        self.world = world
        self.process = world.start()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.world.note(line.split())

    def kill(self):
        self.process.kill()
        return self.wait()

    def wait(self):
        code = self.process.wait(SECONDS_MAX)
        self.reader.join(SECONDS_MAX)
        return code


class World:
    def __init__(self, folder, url, count, chance):
        self.ledger = os.path.join(folder, "carrier")
        self.url, self.count, self.chance = url, count, chance
        self.acknowledged = collections.defaultdict(set)
        self.odd = []

    def start(self, *more):
        return subprocess.Popen([PROGRAM, self.url, self.ledger, str(self.count),
                                 str(self.chance.randrange(2**31)), *more],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def note(self, words):
        if words[0] == "created":
            if len(words) == 3:  # else cut by the kill
                self.acknowledged[words[1]].add(words[2])
        elif words[0] not in ("ready", "closed"):
            self.odd.append(words)

    def finish(self):
        """(state by shipment, number by shipment, events)"""
        process = self.start("finish")
        output, _ = process.communicate(timeout=SECONDS_MAX)
        assert process.returncode == 0 and output.endswith("finished\n"), output[-300:]
        states, numbers, events = {}, {}, collections.Counter()
        for line in output.splitlines():
            words = line.split()
            if words[0] == "shipment":
                states[words[1]] = words[2]
                numbers[words[1]] = words[4] if len(words) > 4 else ""
            elif words[0] == "event":
                events[(words[1].rsplit(".", 1)[1], words[2])] += 1
            elif words[0] != "finished":
                self.note(words)
        return states, numbers, events

    def check(self):
        states, numbers, events = self.finish()
        assert not self.odd, self.odd[:3]
        charged = collections.defaultdict(list)
        with open(self.ledger, encoding="ascii") as file:
            for line in file:
                reference, number = line.split()
                charged[re.sub(r"~\d+$", "", reference)].append(number)
        assert len(states) == self.count
        for shipment, state in states.items():
            labels = charged.get(shipment, [])
            assert len(labels) <= 1, (shipment, labels)
            assert (state == "CREATED") == (len(labels) == 1), (shipment, state, labels)
            assert numbers[shipment] == (labels[0] if labels else ""), (shipment, labels)
            assert self.acknowledged.get(shipment, set()) <= set(labels), shipment
            assert events[("ShipmentCreated", shipment)] == len(labels), shipment
            assert events[("ShipmentFailed", shipment)] == (state == "FAILED"), shipment
            assert events[("ShipmentCancelled", shipment)] == (state == "CANCELLED"), shipment
        print(f"# {dict(collections.Counter(states.values()))},"
              f" {len(self.acknowledged)} purchases acknowledged")
        assert len(charged) > self.count // 3


def begin():
    print(f"# WAYBILL_SEED={SEED}")
    return random.Random(SEED)


def killed_while_buying_on_sqlite():
    chance = begin()
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder, f"sqlite:{folder}/shipping.sqlite", 600, chance)
        for _ in range(12):
            shop = Shop(world)
            time.sleep(chance.uniform(0.02, 0.5))
            assert shop.kill() in (-9, 0)
        world.check()


def killed_with_the_server_on_postgresql():
    chance = begin()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(PostgresqlServer())
        world = World(folder, server.url, 600, chance)
        shops = [Shop(world), Shop(world)]
        for action in chance.sample(["shop", "shop", "shop", "server", "restart", "freeze", "cut"], 7):
            time.sleep(chance.uniform(0.1, 0.5))
            if action == "shop":
                shops.pop(chance.randrange(2)).kill()
                shops.append(Shop(world))
            elif action == "server":
                server.kill()
                server.start()
            elif action == "restart":
                server.stop()
                server.start()
            elif action == "freeze":
                server.pause()
                time.sleep(chance.uniform(0.1, 2.5))
                server.resume()
            else:
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE application_name = 'waybill'")
        for shop in shops:
            shop.process.stdin.close()
            assert shop.wait() in (0, 2)
        world.check()


tap.run([killed_while_buying_on_sqlite, killed_with_the_server_on_postgresql])
