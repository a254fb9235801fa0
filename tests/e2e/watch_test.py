#!/usr/bin/python3
"""Goal: `waybill watch` shows what happens, a line an event, nothing twice and nothing missed when the server
goes away and comes back, and says how to go on.

Method: the program as a person runs it, against a real server that is killed and started again on its port.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from waybill_server import PROGRAM, inventory, inventory_method  # noqa: E402

SECONDS = 60


@contextlib.contextmanager
def data_directory():
    data = tempfile.mkdtemp(prefix="waybill-watch-")
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


def receive(server, number, sku="apple"):
    with waybill_server.channel_to(server.listen) as channel:
        inventory_method(channel, "ReceiveStock")(inventory.ReceiveStockRequest(
            receipt_id=f"r-{number}", sku=sku, quantity=1), timeout=SECONDS, wait_for_ready=True)


def watch(server, *arguments):
    return subprocess.run([PROGRAM, "watch", "--server", server.listen, *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)


def typed(line):
    """What a shell makes of it, where `waybill` is the program under test."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(PROGRAM, os.path.join(folder, "waybill"))
        return subprocess.run(["/bin/sh", "-c", line], text=True, capture_output=True, timeout=SECONDS,
                              env={**os.environ, "PATH": folder + os.pathsep + os.environ["PATH"]})


class Watch:
    """One that runs on; its lines as they come."""

    def __init__(self, address, *arguments):
        self.process = subprocess.Popen([PROGRAM, "watch", "--server", address, *arguments], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.timer = threading.Timer(SECONDS, self.process.kill)
        self.timer.start()

    def lines(self, count):
        return [self.process.stdout.readline() for _ in range(count)]

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate()
        self.timer.cancel()
        return self.process.returncode, out, err


def an_event_is_a_line():
    with data_directory() as data, waybill_server.Server(data, "inventory") as server:
        receive(server, 1)
        receive(server, 2, sku="ctrl-\u2713")
        done = watch(server, "--from", "oldest", "--count", "2")
        lines = done.stdout.splitlines()
        assert done.returncode == 0 and len(lines) == 2, done
        assert "StockReceived" in lines[0] and "apple" in lines[0] and '"receiptId":"r-1"' in lines[0]
        assert "ctrl-\u2713" in lines[1], lines


def json_has_the_cursor_to_go_on_with():
    with data_directory() as data, waybill_server.Server(data, "inventory") as server:
        for number in range(4):
            receive(server, number)
        done = watch(server, "--from", "oldest", "--count", "2", "--json")
        seen = [json.loads(line) for line in done.stdout.splitlines()]
        assert [event["data"]["receiptId"] for event in seen] == ["r-0", "r-1"], seen
        done = watch(server, "--from", seen[-1]["cursor"], "--count", "2", "--json",
                     "--types", "StockReceived", "--key", "apple")
        seen = [json.loads(line) for line in done.stdout.splitlines()]
        assert [event["data"]["receiptId"] for event in seen] == ["r-2", "r-3"], seen


def nothing_is_missed_when_the_server_comes_back():
    with data_directory() as data:
        server = waybill_server.Server(data, "inventory")
        receive(server, 0)
        watching = Watch(server.listen, "--json", "--from", "oldest")
        seen = watching.lines(1)
        server.kill()
        server = waybill_server.Server(data, "inventory", listen=server.listen)
        for number in (1, 2):
            receive(server, number)
        seen += watching.lines(2)
        assert [json.loads(line)["data"]["receiptId"] for line in seen] == ["r-0", "r-1", "r-2"]
        code, out, err = watching.interrupt()
        assert code == 0 and out == "", (code, out, err)
        assert "goes on when the server answers" in err, err
        server.stop()


def interrupting_it_tells_how_to_go_on():
    with data_directory() as data, waybill_server.Server(data, "inventory") as server:
        receive(server, 1)
        watching = Watch(server.listen, "--from", "oldest")
        watching.lines(1)
        code, _, err = watching.interrupt()
        assert code == 0 and "waybill watch: 1 event; to go on:\n  waybill watch " in err, (code, err)
        receive(server, 2)
        done = typed(err.splitlines()[-1] + " --count 1")
        assert '"receiptId":"r-2"' in done.stdout, done


def what_is_told_to_go_on_watches_the_same():
    """The line can be typed as it stands: same server, filters, form; words that a shell would take apart, too."""
    key = "it's a $KEY"
    with data_directory() as data, waybill_server.Server(data, "inventory") as server:
        receive(server, 1, sku=key)
        receive(server, 2, sku=key)
        watching = Watch(server.listen, "--from", "oldest", "--types", "StockReceived,StockAlert", "--json",
                         "--key", key, "--count", "9")
        watching.lines(2)
        code, _, err = watching.interrupt()
        assert code == 0 and "waybill watch: 2 events; to go on:\n" in err, (code, err)
        told = err.splitlines()[-1]
        assert f"--server {server.listen} --types StockReceived,StockAlert --json" in told, told
        assert "--count" not in told and told.count("--from") == 1, told
        receive(server, 3)
        receive(server, 4, sku=key)
        done = typed(told + " --count 1")
        assert json.loads(done.stdout)["data"]["receiptId"] == "r-4", done


def what_is_wrong_is_told():
    for arguments, part in ((["--types", "StockReservd"], "did you mean StockReserved?"),
                            (["--count", "0"], "from 1 on"), (["--from"], "needs a value"),
                            (["--nonsense"], "--help")):
        done = subprocess.run([PROGRAM, "watch", *arguments], text=True, stderr=subprocess.PIPE,
                              stdout=subprocess.PIPE, timeout=SECONDS)
        assert done.returncode == 2 and part in done.stderr, done
    done = subprocess.run([PROGRAM, "watch", "--server", "127.0.0.1:1"], text=True,
                          stderr=subprocess.PIPE, timeout=SECONDS)
    assert done.returncode == 64 + 14 and "waybill serve" in done.stderr, done
    with data_directory() as data, waybill_server.Server(data, "inventory") as server:
        done = watch(server, "--from", "nonsense")
        assert done.returncode == 64 + 11 and "cursor" in done.stderr, done


tap.run([
    an_event_is_a_line,
    json_has_the_cursor_to_go_on_with,
    nothing_is_missed_when_the_server_comes_back,
    interrupting_it_tells_how_to_go_on,
    what_is_told_to_go_on_watches_the_same,
    what_is_wrong_is_told,
])
