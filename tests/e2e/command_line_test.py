#!/usr/bin/python3
"""Goal: the program does what its help says, and whoever makes a mistake is told what to do.

Method: the program is run as a user runs it; exit codes, both outputs and the files it leaves are
looked at. `command_line_test.py NAME…` runs single cases.
"""

import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402
import waybill_server  # noqa: E402
from certificates import make_certificate  # noqa: E402
from waybill_server import PROGRAM, ROOT, Server, inventory  # noqa: E402

TIME_LIMIT = 30
COMMANDS = ("serve", "call", "watch", "replay", "migrate", "reconcile", "simulate", "import", "verify")
CALLING = {  # the commands that call a server, each so that nothing but the server can be wrong
    "call": ["call", "GetStock", '{"sku": "A"}'],
    "watch": ["watch", "--from", "oldest", "--count", "1"],
    "reconcile": ["reconcile", "--wait", "0"],
    "import": ["import", "tracking", "EVENTS"],
    "replay": ["replay", "ORDERS", "--progress", "PROGRESS"],
}
SETTINGS = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
STOCK = '{"receiptId": "receipt", "sku": "A", "quantity": 5}'


class Place:
    """A directory of the case's own, gone behind it."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="waybill-command-line-")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return os.path.join(self.path, name)


def run(*arguments, environment=None, given=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, input=given,
                          timeout=TIME_LIMIT, env={**SETTINGS, **(environment or {})})


def call(server, method, request="{}", *arguments, **keywords):
    return run("call", method, request, "--server", server.listen, *arguments, **keywords)


def assert_told(done, code, *parts):
    """Nothing on standard output; the complaint has all parts, and is no essay."""
    assert done.returncode == code, done
    assert done.stdout == "", done
    for part in parts:
        assert part in done.stderr, (part, done.stderr)
    assert len(done.stderr.splitlines()) <= 3, done.stderr


def serve_is_told(place, code, *parts, arguments=(), environment=None):
    """A start that must fail; it leaves no data directory behind if the settings were wrong."""
    done = run("serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data",
               place / "data", *arguments, environment=environment)
    assert_told(done, code, "waybill serve: ", *parts)
    if code == 2:
        assert not os.path.exists(place / "data"), arguments


def hashes_of(directory):
    result = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                result[os.path.join(parent, name)] = hashlib.sha256(file.read()).hexdigest()
    return result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- help, and what is not known ---

def help_of_every_command_explains_it():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == "", done
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout, done.stdout
        for flag in ("--help", "-h"):
            of_command = run(command, flag)
            assert of_command.returncode == 0 and of_command.stderr == "", of_command
            assert of_command.stdout.startswith(f"usage: waybill {command}"), of_command.stdout
            assert all(len(line) <= 100 for line in of_command.stdout.splitlines()), command
            assert f"\n  waybill {command}" in of_command.stdout, f"{command}: no example"
            assert "\nExit code: 0" in of_command.stdout, command
            assert command in ("serve", "simulate") or "--json" in of_command.stdout, command
            assert command not in CALLING or "--server HOST:PORT" in of_command.stdout, command
            assert command not in CALLING or "--tls-ca FILE" in of_command.stdout, command
    assert run("help").stdout == done.stdout
    nothing = run()
    assert nothing.returncode == 2 and nothing.stderr == done.stdout, nothing


def version_is_one_line():
    done = run("--version")
    assert done.returncode == 0 and re.fullmatch(r"waybill \d+\.\d+\.\d+\n", done.stdout), done


def unknown_words_are_refused_with_a_hint():
    assert_told(run("serv"), 2, "there is no command serv; did you mean serve?")
    assert_told(run("--nonsense"), 2, "there is no command --nonsense; `waybill --help` lists them")
    assert_told(run("serve", "--lissten", "x:1"), 2, "--lissten: is no option; did you mean --listen?")
    assert_told(run("serve", "parcels"), 2, "parcels: is no service; there is: warehouse, inventory")
    assert_told(run("call", "GetStock", "--nonsense"), 2, "--nonsense is no option", "--help")
    assert_told(run("verify", "--nonsense"), 2, "--nonsense", "--help")
    assert_told(run("replay", "--nonsense"), 2, "--nonsense", "--help")
    assert_told(run("watch", "--nonsense"), 2, "--nonsense", "--help")
    assert_told(run("reconcile", "--nonsense"), 2, "--nonsense is no option", "--help")
    assert_told(run("import", "tracking", "--nonsense"), 2, "--nonsense is no option", "--help")
    assert_told(run("import", "parcels"), 2, "not parcels", "waybill import tracking FILE")
    assert_told(run("import", "tracking"), 2, "which file?")
    assert_told(run("simulate", "parcels"), 2, "not parcels", "waybill simulate carriers")
    assert_told(run("simulate", "carriers", "--nonsense", "1"), 2, "--nonsense 1", "--help")
    assert_told(run("migrate", "sideways"), 2, "not sideways", "`waybill migrate status`")


def script(name, *arguments, environment=None):
    """./run or ./test, with arguments with which it ends before it installs or builds anything."""
    return subprocess.run([os.path.join(ROOT, name), *arguments], capture_output=True, text=True,
                          timeout=TIME_LIMIT, env={**SETTINGS, **(environment or {})})


def run_and_test_name_the_word_that_is_wrong():
    for name in ("run", "test"):
        for flag in ("--help", "-h"):
            done = script(name, flag)
            assert done.returncode == 0 and done.stderr == "", done
            assert done.stdout.startswith(f"usage: ./{name} ") and "Exit code: 0" in done.stdout, done
        assert_told(script(name, "--bogus"), 2, f"{name}: what is --bogus?", f"`./{name} --help` explains")
    assert_told(script("run", "parcels"), 2, "run: what is parcels?")
    assert_told(script("run", "--carriers", "pigeons"), 2, "not 'pigeons'")
    assert_told(script("run", "--carriers"), 2, "--carriers takes simulated or tariff")
    assert_told(script("run", "--carriers=pigeons"), 2, "not 'pigeons'")
    assert_told(script("test", "shelf", "watch"), 2, "test: what is watch?")


def run_beside_a_server_on_the_same_data_is_refused():
    with Place() as place, Server(place / "data") as server:
        done = script("run", "--once", environment={"WAYBILL_DATA": place / "data"})
        assert "build/waybill watch --from oldest\n" in done.stderr, done
        with open(place / "data/ready.1", "w", encoding="utf-8") as file:  # as ./run leaves it
            file.write(f"waybill ready listen={server.listen} operations={server.operations}\n")
        before = sorted(os.listdir(place / "data"))
        done = script("run", "--once", environment={"WAYBILL_DATA": place / "data"})
        assert f"build/waybill watch --from oldest --server {server.listen}\n" in done.stderr, done
        assert done.returncode == 1 and done.stdout == "", done
        assert f"a server is running on {place / 'data'}/ already" in done.stderr, done
        assert "WAYBILL_DATA=other" in done.stderr and "Ctrl-C" in done.stderr, done
        assert sorted(os.listdir(place / "data")) == before
        assert call(server, "VerifyLedger").returncode == 0


# --- serve: settings ---

def bad_settings_are_told_before_anything_is_touched():
    with Place() as place:
        with open(place / "waybill.ini", "w", encoding="utf-8") as file:
            file.write("[server]\nlisten = 127.0.0.1:0\nio_threads = many\n")
        cases = [
            (("--listen", "nonsense"), "listen: nonsense: an address is HOST:PORT"),
            (("--listen", "127.0.0.1:99999"), "ports end at 65535"),
            (("--operations", "127.0.0.1"), "operations: 127.0.0.1: an address is HOST:PORT"),
            (("--listen", "0.0.0.0:0"), "--plaintext everywhere"),
            (("--drain-seconds", "-1"), "--drain-seconds: must be a whole number from 0 to 3600"),
            (("--log-level", "loud"), "must be debug, info, warning, error or off"),
            (("--config", place / "waybill.ini"), "waybill.ini:3: io_threads: must be a whole number"),
            (("--config", place / "absent.ini"), "absent.ini: cannot be read: No such file"),
            (("--inventory", "redis://host"), "redis://host is no store; use embedded:DIR"),
            (("--data",), "--data: needs a value"),
        ]
        for arguments, problem in cases:
            serve_is_told(place, 2, problem, arguments=arguments)
        serve_is_told(place, 2, "WAYBILL_IDS_MAX: must be a whole number from 1 to 4000000000",
                      environment={"WAYBILL_IDS_MAX": "0"})


def bad_tls_files_are_told():
    with Place() as place:
        for name in ("chain.pem", "key.pem"):
            with open(place / name, "w", encoding="utf-8") as file:
                file.write("no PEM\n")
        for arguments, problem in [
                (("--tls-certificate", place / "chain.pem"), "needs both a certificate and its key"),
                (("--tls-certificate", place / "none", "--tls-key", place / "key.pem"),
                 "none: No such file or directory"),
                (("--tls-certificate", place / "chain.pem", "--tls-key", place / "key.pem"),
                 "chain.pem: no certificate in PEM form")]:
            done = run("serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data",
                       place / "data", *arguments)
            assert_told(done, 2, problem)


def settings_of_carriers_that_would_be_passed_over_are_refused():
    account = ("--dhl-client-id", "a", "--dhl-client-secret", "b", "--dhl-account-number", "c")
    with Place() as place:
        for problem, arguments in [
                ("tracking_poll_quota: dlh is no carrier; there are ups, fedex, dhl and tariff",
                 ("--tracking-poll-quota", "1000, dlh=250")),
                ("tracking_poll_quota: DHL is no carrier", ("--tracking-poll-quota", "DHL=250")),
                ("carriers: upps is no carrier; there are ups, fedex, dhl and tariff",
                 ("--carriers", "tariff, upps")),
                ("ups_client_id: is needed with ups_client_secret", ("--ups-client-secret", "x")),
                ("fedex_client_id: is needed with fedex_webhook_secret",
                 ("--fedex-webhook-secret", "x")),
                ("dhl_tracking_base_url: is needed with dhl_tracking_key",
                 (*account, "--dhl-tracking-key", "k")),
                ("dhl_tracking_key: is needed with dhl_tracking_base_url",
                 (*account, "--dhl-tracking-base-url", "https://api-eu.dhl.com")),
                ("dhl_tracking_base_url: api-eu.dhl.com is no URL",
                 (*account, "--dhl-tracking-key", "k", "--dhl-tracking-base-url", "api-eu.dhl.com")),
        ]:
            serve_is_told(place, 2, problem, arguments=arguments)


def printed_configuration_starts_a_server():
    printed = run("serve", "--print-config")
    assert printed.returncode == 0 and printed.stderr == "", printed
    with open(os.path.join(ROOT, "config", "waybill.ini"), encoding="utf-8") as kept:
        assert kept.read() == printed.stdout
    with Place() as place:
        with open(place / "waybill.ini", "w", encoding="utf-8") as file:
            file.write(printed.stdout)
        with Server(place / "data", "--config", place / "waybill.ini") as server:
            assert call(server, "VerifyLedger").returncode == 0


def ready_line_names_both_addresses():
    with Place() as place, Server(place / "data") as server:  # the Server checks the line's form
        for address in (server.listen, server.operations):
            host, port = address.split(":")
            assert host == "127.0.0.1" and int(port) > 0, address
        assert server.listen != server.operations


def port_in_use_is_refused():
    with Place() as place, Server(place / "first") as first:
        for flag, address in (("--listen", first.listen), ("--operations", first.operations),
                              ("--listen", first.operations)):
            serve_is_told(place, 1, f"cannot listen on {address}: address already in use",
                          f"another program using the port? {flag} HOST:0", arguments=(flag, address))
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            serve_is_told(place, 1, "address already in use",
                          arguments=("--listen", "127.0.0.1:%d" % other.getsockname()[1]))
        assert call(first, "VerifyLedger").returncode == 0
    with Place() as place:  # and a port is free again at once
        address = "127.0.0.1:%d" % free_port()
        for _ in range(2):
            with Server(place / "data", "--io-threads", "4", listen=address) as server:
                assert server.listen == address
                assert call(server, "VerifyLedger").returncode == 0


# --- serve: the data directory ---

def data_directory_of_another_server_is_refused():
    with Place() as place, Server(place / "data") as server:
        serve_is_told(place, 1, "in use by another process", "give --data DIR")
        assert call(server, "VerifyLedger").returncode == 0


def data_directory_that_cannot_be_one_is_refused():
    with Place() as place:
        with open(place / "data", "w", encoding="utf-8"):
            pass
        serve_is_told(place, 1, "Not a directory", "is the data directory there")
    with Place() as place:
        serve_is_told(place, 1, "No such file", arguments=("--inventory", "embedded:/proc/absent"))


def data_directory_that_may_not_be_written_is_refused():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise tap.Skip("needs root and setpriv, to be somebody who may not write")
    with Place() as place:
        os.chmod(place.path, 0o755)
        program = shutil.copy(PROGRAM, place / "waybill")  # the build may be out of their reach
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "serve",
             "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", place / "data"],
            capture_output=True, text=True, timeout=TIME_LIMIT, env=SETTINGS)
        assert_told(done, 1, "Permission denied", "may this user write to it?")


def a_database_that_is_not_there_is_told_of_as_one():
    with Place() as place:
        serve_is_told(place, 1, "warehouse: ", "Connection refused", "→ is PostgreSQL running there", "createdb -O ROLE DATABASE",
                      arguments=("--warehouse", f"postgresql://nobody@127.0.0.1:{free_port()}/none"))


def address_of_another_process_is_no_database():
    with Place() as place:
        serve_is_told(place, 2, "warehouse: this is no database; use sqlite:FILE",
                      "or name only the services this process shall run: waybill serve inventory",
                      arguments=("--warehouse", "grpc://127.0.0.1:7400"))
        for context in ("warehouse", "shipping", "fulfillment"):
            serve_is_told(place, 2, f": {context}: this is no database; use sqlite:",
                          arguments=("--" + context, "http://127.0.0.1:7400"))


def push_of_a_carrier_that_is_not_configured_is_refused_with_the_reason():
    with Place() as place, Server(place / "data") as server:
        for carrier in ("ups", "fedex", "dhl"):
            request = urllib.request.Request(f"http://{server.listen}/webhooks/{carrier}", b"{}")
            try:
                urllib.request.urlopen(request, timeout=TIME_LIMIT)
                raise AssertionError("it was taken")
            except urllib.error.HTTPError as error:
                told = error.read()
                assert error.code == 404, (error, told)
                assert b"no account or secret for this carrier is configured" in told, told


def checksum_of(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_64bits.restype = ctypes.c_uint64
    library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return library.XXH3_64bits(data, len(data))


def segments_of(data):
    directory = os.path.join(data, "inventory")
    return [os.path.join(directory, name) for name in sorted(os.listdir(directory))
            if name.endswith(".log")]


def data_directory_of_a_newer_program_is_refused():
    for field in (16, 20):  # docs/internals/record_log.md: the log's version, its records' version
        with Place() as place:
            with Server(place / "data", "inventory"):
                pass
            with open(segments_of(place / "data")[0], "r+b") as file:
                header = bytearray(file.read(512))
                struct.pack_into("<I", header, field, 1000)
                struct.pack_into("<Q", header, 8, checksum_of(bytes(header[16:])))
                file.seek(0)
                file.write(header)
            before = hashes_of(place / "data")
            serve_is_told(place, 1, ".log at byte ", "newer waybill", arguments=("inventory",))
            assert hashes_of(place / "data") == before
            done = run("verify", place / "data")
            assert_told(done, 1, ".log at byte ")


# --- serve: the operations port ---

def get(server, path):
    try:
        with urllib.request.urlopen(f"http://{server.operations}{path}", timeout=TIME_LIMIT) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def operations_port_tells_health_readiness_and_metrics():
    with Place() as place, Server(place / "data") as server:
        assert call(server, "InventoryService/ReceiveStock", STOCK).returncode == 0
        assert get(server, "/healthz") == (200, "ok\n")
        assert get(server, "/readyz") == (200, "ready\n")
        status, metrics = get(server, "/metrics")
        assert status == 200 and "\nwaybill_inventory_skus 1\n" in metrics, metrics
        assert get(server, "/absent")[0] == 404


# --- serve: the end ---

class HalfCall:
    """A call (Connect, JSON) whose request has begun and not ended."""

    body = b'{"sku": "A"}'

    def __init__(self, server):
        host, port = server.listen.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=TIME_LIMIT)
        self.socket.sendall(
            b"POST /waybill.inventory.v1.InventoryService/GetStock HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(self.body)
            + self.body[:3])

    def finish(self):
        self.socket.sendall(self.body[3:])
        answer = b""
        while True:
            part = self.socket.recv(65536)
            answer += part
            if not part:
                return answer


def wait_for_log(server, text):
    until = time.monotonic() + TIME_LIMIT
    while not any(text in line for line in server.log):
        assert time.monotonic() < until, server.log
        time.sleep(0.01)


def wait_until_refused(address):
    host, port = address.split(":")
    until = time.monotonic() + TIME_LIMIT
    while True:
        with socket.socket() as late:
            late.settimeout(TIME_LIMIT)
            if late.connect_ex((host, int(port))) != 0:
                return
        assert time.monotonic() < until, "new connections are still taken"
        time.sleep(0.01)


def signals_end_it_in_good_order_and_calls_in_flight_finish():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Place() as place:
            server = Server(place / "data")
            assert call(server, "InventoryService/ReceiveStock", STOCK).returncode == 0
            calls = [HalfCall(server) for _ in range(5)]
            time.sleep(0.2)
            server.process.send_signal(number)
            wait_for_log(server, "stopping")
            wait_until_refused(server.listen)
            for one in calls:
                answer = one.finish()
                assert answer.startswith(b"HTTP/1.1 200 ") and b'"onHand":"5"' in answer, answer
            assert server.process.wait(TIME_LIMIT) == 0
            assert run("verify", place / "data").returncode == 0


def drain_ends_with_its_time():
    with Place() as place:
        server = Server(place / "data", "--drain-seconds", "1")
        half = HalfCall(server)
        time.sleep(0.2)
        began = time.monotonic()
        server.stop()
        assert 0.9 <= time.monotonic() - began <= 10
        half.socket.close()


def second_signal_stops_at_once():
    with Place() as place:
        server = Server(place / "data", "--drain-seconds", "3600")
        half = HalfCall(server)
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        wait_for_log(server, "once more stops at once")
        time.sleep(0.3)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == -signal.SIGTERM
        half.socket.close()
        with Server(place / "data") as again:
            assert call(again, "VerifyLedger").returncode == 0


# --- serve: a full disk ---

class SmallDisk:
    """A file system of eight megabytes."""

    def __init__(self, path):
        self.path = path
        os.mkdir(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", path],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise tap.Skip("may not mount a small file system: " + done.stderr.strip())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        subprocess.run(["umount", "--lazy", self.path], check=True)

    def fill(self):
        with open(os.path.join(self.path, "filler"), "wb", buffering=0) as filler:
            size = 1 << 20
            while size >= 1:
                try:
                    filler.write(b"x" * size)
                except OSError:
                    size //= 2

    def free(self):
        os.remove(os.path.join(self.path, "filler"))


def receive_until_refused(channel, calls_max):
    """Many at once; gives the first refusal."""
    method = waybill_server.inventory_method(channel, "ReceiveStock")
    for begin in range(0, calls_max, 200):
        futures = [method.future(inventory.ReceiveStockRequest(receipt_id=f"r{number}", sku="A",
                                                               quantity=1), timeout=TIME_LIMIT)
                   for number in range(begin, begin + 200)]
        for future in futures:
            if future.exception() is not None:
                return future.exception()
    raise AssertionError("the disk is never full")


def full_disk_refuses_writes_and_nothing_else():
    with Place() as place, SmallDisk(place / "disk") as disk:
        arguments = ("--segment-bytes", "1048576", "--batch-bytes-max", "65536")
        with Server(os.path.join(disk.path, "data"), "inventory", *arguments) as server:
            assert call(server, "InventoryService/ReceiveStock", STOCK).returncode == 0
            disk.fill()
            with waybill_server.channel_to(server.listen) as channel:
                error = receive_until_refused(channel, 40000)
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
                assert waybill_server.reason_of(error) == "DISK_FULL", error
            done = call(server, "InventoryService/ReceiveStock", STOCK.replace("receipt\"", "other\""))
            assert done.returncode == 64 + 8 and "DISK_FULL" in done.stderr, done
            assert call(server, "GetStock", '{"sku": "A"}').returncode == 0
            assert get(server, "/healthz")[0] == 200
            disk.free()
            until = time.monotonic() + TIME_LIMIT
            while call(server, "InventoryService/ReceiveStock", STOCK.replace("receipt\"", "other\"")).returncode != 0:
                assert time.monotonic() < until
                time.sleep(0.1)
            ledger = json.loads(call(server, "VerifyLedger", "{}", "--json").stdout)
            assert "mismatches" not in ledger, ledger
        assert run("verify", os.path.join(disk.path, "data")).returncode == 0


# --- verify ---

def make_history(data):
    with Server(data, "inventory") as server:
        assert call(server, "InventoryService/ReceiveStock", STOCK).returncode == 0
        for number in range(20):
            request = {"reservationId": f"r{number}", "lines": [{"sku": "A", "quantity": 1}]}
            done = call(server, "Reserve", json.dumps(request))
            assert done.returncode == (0 if number < 5 else 64 + 9), done


def verify_finds_nothing_wrong_with_a_good_directory():
    with Place() as place:
        make_history(place / "data")
        before = hashes_of(place / "data")
        done = run("verify", place / "data")
        assert done.returncode == 0 and done.stderr == "", done
        assert re.search(r"mismatches +0\n", done.stdout) and "chain head" in done.stdout, done
        told = json.loads(run("verify", place / "data", "--json").stdout)
        assert told["skus"] == 1 and told["reservations"] == 5 and told["mismatches"] == 0, told
        assert re.fullmatch("[0-9a-f]{64}", told["chainHead"]), told
        within = json.loads(run("verify", place / "data/inventory", "--json").stdout)
        assert within["chainHead"] == told["chainHead"]
        assert hashes_of(place / "data") == before


def verify_takes_what_the_default_server_wrote():
    """With the warehouse: inventory that follows shelves, a database, an event log."""
    with Place() as place:
        with Server(place / "data", environment={"WAYBILL_ON_HAND_SOURCE": "auto"}) as server:
            for method, request in (
                    ("CreateWarehouse", {"warehouse": {"warehouseId": "W", "name": "W",
                                                       "active": True}}),
                    ("PutItem", {"item": {"sku": "A", "name": "A", "weightGrams": 1}}),
                    ("WarehouseService/ReceiveStock", {"movementId": "m", "warehouseId": "W",
                                                       "sku": "A", "quantity": 5})):
                assert call(server, method, json.dumps(request)).returncode == 0
            done = run("verify", place / "data")
            assert done.returncode == 1, done
            assert "in use by another process: inventory, tracking, warehouse, " in done.stderr, done
        before = hashes_of(place / "data")
        done = run("verify", place / "data")
        assert done.returncode == 0 and done.stderr == "", done
        assert "warehouse.sqlite" in done.stdout and "inventory" in done.stdout, done.stdout
        assert hashes_of(place / "data") == before
        database = place / "data/warehouse.sqlite"
        with open(database, "r+b") as file:
            file.seek(os.path.getsize(database) // 2 // 4096 * 4096)
            file.write(b"\xff" * 4096)
        done = run("verify", place / "data")
        assert done.returncode == 1 and "warehouse.sqlite: " in done.stderr, done
        assert "damaged data" in done.stderr, done


def assert_damage_is_found(data, path):
    before = hashes_of(data)
    done = run("verify", data)
    assert_told(done, 1, "damaged data")
    assert re.search(re.escape(os.path.basename(path)) + r" at byte \d+: ", done.stderr), done.stderr
    told = json.loads(run("verify", data, "--json").stdout)
    assert told["error"] == "damaged data" and " at byte " in told["detail"], told
    done = run("serve", "inventory", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data",
               data)
    assert_told(done, 1, " at byte ", "nothing was changed")
    assert hashes_of(data) == before


def verify_finds_one_flipped_bit():
    with Place() as place:
        make_history(place / "data")
        path = segments_of(place / "data")[0]
        with open(path, "rb") as file:
            content = file.read()
        end = len(content.rstrip(b"\0"))
        offsets = [0, 9, 17, 100, 512, 530, 512 + 70, end // 2, end - 513, end - 1]
        for offset in offsets:
            with open(path, "r+b") as file:
                file.seek(offset)
                file.write(bytes([content[offset] ^ 4]))
            assert_damage_is_found(place / "data", path)
            with open(path, "r+b") as file:
                file.seek(offset)
                file.write(content[offset:offset + 1])
        assert run("verify", place / "data").returncode == 0


def verify_finds_a_truncated_log():
    with Place() as place:
        make_history(place / "data")
        path = segments_of(place / "data")[0]
        for size in (0, 100, 512, 1024, 1100):
            shutil.copy(path, place / "kept")
            os.truncate(path, size)
            assert_damage_is_found(place / "data", path)
            shutil.copy(place / "kept", path)


def verify_tells_where_there_is_no_store():
    with Place() as place:
        assert_told(run("verify", place / "absent"), 1, "absent is no folder", "waybill serve --data")
        assert_told(run("verify", place.path), 1, "there is no record log")
        told = json.loads(run("verify", place.path, "--json").stdout)
        assert told["error"] == "not found", told
        assert_told(run("verify"), 2, "which folder?", "waybill verify DIR")
        assert_told(run("verify", "a", "b"), 2, "what is b?")


def verify_keeps_away_from_a_running_server():
    with Place() as place, Server(place / "data") as server:
        done = run("verify", place / "data")
        assert done.returncode == 1 and done.stdout == "", done
        told = done.stderr.splitlines()  # once, however many stores there are
        assert len(told) == 3, told
        assert "in use by another process: inventory, tracking, warehouse, " in told[0], told
        assert f"stop the server that has {place / 'data'} open" in told[1], told
        assert "VerifyLedger" in told[2], told
        done = run("verify", place / "data", "--json")
        assert done.returncode == 1 and done.stderr == "", done
        stores = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(stores) >= 4 and all(one["error"] == "in use by another process"
                                        for one in stores), stores
        assert call(server, "VerifyLedger").returncode == 0


# --- call ---

def call_prints_the_answer():
    with Place() as place, Server(place / "data") as server:
        done = call(server, "InventoryService/ReceiveStock", STOCK)
        assert done.returncode == 0 and done.stderr == "", done
        assert done.stdout.startswith('{\n  "stock": {\n    "sku": "A",\n    "onHand": "5"'), done
        for name in ("GetStock", "InventoryService/GetStock",
                     "waybill.inventory.v1.InventoryService/GetStock",
                     "/waybill.inventory.v1.InventoryService/GetStock"):
            done = call(server, name, '{"sku": "A"}', "--json")
            assert len(done.stdout.splitlines()) == 1, done
            assert json.loads(done.stdout)["stock"]["available"] == "5", done
        done = call(server, "GetStock", "-", "--json", given='{"sku":\n"A"}\n')
        assert json.loads(done.stdout)["stock"]["onHand"] == "5", done


def call_tells_a_refusal_with_its_details():
    request = '{"reservationId": "r", "lines": [{"sku": "A", "quantity": 9}]}'
    with Place() as place, Server(place / "data") as server:
        assert call(server, "InventoryService/ReceiveStock", STOCK).returncode == 0
        done = call(server, "Reserve", request)
        assert done.returncode == 64 + 9 and done.stdout == "", done
        assert done.stderr.startswith("FAILED_PRECONDITION INSUFFICIENT_STOCK: not enough stock"), done
        assert '"availableQuantity":"5"' in done.stderr, done
        done = call(server, "Reserve", request, "--json")
        assert done.returncode == 64 + 9 and done.stderr == "", done
        told = json.loads(done.stdout)
        assert (told["code"], told["reason"]) == ("FAILED_PRECONDITION", "INSUFFICIENT_STOCK"), told
        line = told["details"][1]["lines"][0]
        assert (line["requestedQuantity"], line["availableQuantity"]) == ("9", "5"), told
        done = call(server, "GetStock", '{"sku": "none"}')
        assert done.returncode == 64 + 5 and "SKU_NOT_FOUND" in done.stderr, done


def call_refuses_a_bad_request_before_it_is_sent():
    absent = ("--server", "127.0.0.1:1")  # had it been asked, the message would be another
    for request, problem in [
            ('{"lines": [{}, {"quantity": "x"}]}', "lines[1].quantity: must be a whole number"),
            ('{"sku": "A"}', "sku: there is no such field\n  ReserveRequest has reservationId, "),
            ('{"reservationid": "A"}',
             "there is no such field; did you mean reservationId (reservation_id)?\n"),
            ('{"reservation_idd": "A"}', "did you mean reservationId (reservation_id)?\n"),
            ('{"lines": [{"quantitty": 1}]}', "lines[0].quantitty: there is no such field; did you "
             "mean quantity?\n  ReserveLine has sku, quantity"),
            ('{"lines": [', "line 1 column 11"),
            ("[]", "must be an object")]:
        assert_told(run("call", "Reserve", request, *absent), 2, "is no ReserveRequest", problem)
    for rule in ("CHEAPEST", "RATE_RULE_CHEAPST", "cheapest"):
        assert_told(run("call", "CreateShipment", json.dumps({"rule": rule}), *absent), 2,
                    "rule: is no name of this enum; did you mean RATE_RULE_CHEAPEST?\n"
                    "  RateRule is RATE_RULE_UNSPECIFIED, ")
    assert_told(run("call", "GetStok", "{}", *absent), 2, "no method GetStok; did you mean GetStock?")
    assert_told(run("call", "Stock/GetStock", "{}", *absent), 2, "did you mean GetStock?")
    both = "InventoryService/ReceiveStock, WarehouseService/ReceiveStock"
    assert_told(run("call", "ReceiveStock", "{}", *absent), 2,
                f"several services have ReceiveStock; name one: {both}\n")
    assert_told(run("call", "RecieveStock", "{}", *absent), 2, f"did you mean {both}?")
    assert_told(run("call", "Inventory/Nonsense", *absent), 2, "`waybill call --help` lists them")
    for method, instead in (("WatchOrder", "waybill watch --key ORDER_ID"),
                            ("WatchStock", "waybill watch --key SKU"),
                            ("Subscribe", "waybill watch"), ("RecordEvents", "import tracking"),
                            ("WatchTracking", "--key CARRIER/"), ("ReserveStream", "call Reserve"),
                            ("Watch", "single calls")):
        assert_told(run("call", method, *absent), 2, f"{method} is a stream", instead)
    listed = run("call", "--help").stdout
    assert "  WatchOrder (stream) {" in listed and "  GetOrder {" in listed, listed
    assert_told(run("call", "GetStock", "{}", "{}", *absent), 2, "quote it")
    assert_told(run("call", "GetStock", "--timeout", "0", *absent), 2, "--timeout takes seconds")
    assert_told(run("call", "GetStock", "{}", "--server"), 2, "--server needs a value")
    assert_told(run("call", "GetStock", "{}", "--server", "nonsense"), 2, "an address is HOST:PORT")


def addresses_that_are_none_are_told_with_what_to_write_instead():
    for address, *parts in [
            ("nonsense", "an address is HOST:PORT", "→ --server nonsense:7400"),
            ("7401", "an address is HOST:PORT", "→ --server 127.0.0.1:7401"),
            (":7401", "the host is missing", "→ --server 127.0.0.1:7401"),
            ("http://localhost:7401/", "without http://", "→ --server localhost:7401\n"),
            ("https://shop.example", "without https://", "→ --server shop.example:7400 --tls\n"),
            ("grpc://localhost:7401", "without grpc://", "→ --server localhost:7401\n"),
            ("127.0.0.1:99999", "a port is a number from 1 to 65535", "listen="),
            ("127.0.0.1:0", "a port is a number from 1 to 65535", "listen="),
            ("127.0.0.1:http", "a port is a number from 1 to 65535", "7400"),
            ("127.0.0.1:", "a port is a number from 1 to 65535", "7400"),
            ("::1:7401", "an IPv6 address stands in brackets", "→ --server [::1]:7401")]:
        for command, words in CALLING.items():
            done = run(*words, "--server", address)
            assert_told(done, 2, f"waybill {command}: --server {address}: ", *parts)
        assert_told(run("call", "VerifyLedger", environment={"WAYBILL_SERVER": address}), 2,
                    f"waybill call: WAYBILL_SERVER {address}: ", *parts)
    assert_told(run("reconcile", "--warehouse", "http://w:1"), 2, "→ --warehouse w:1\n")
    assert_told(run("replay", "x.csv", "--tracking", "t"), 2, "→ --tracking t:7400\n")


def every_caller(place, *arguments, but=()):
    """(command, what came of it) with these arguments."""
    with open(place / "events.csv", "w", encoding="utf-8") as file:
        file.write("carrier,tracking_number,occurred_time,type\n"
                   "ups,1Z1,2026-11-25T10:00:00Z,DELIVERED\n")
    with open(place / "orders.csv", "w", encoding="utf-8") as file:
        file.write("ASN/DN #,Item Description,Line Item Quantity\nA-1,Mug,2\n")
    names = {"EVENTS": place / "events.csv", "ORDERS": place / "orders.csv",
             "PROGRESS": place / "replay.json"}
    for command, words in CALLING.items():
        if command not in but:
            yield command, run(*(names.get(word, word) for word in words), *arguments)


def wrong_servers_are_told_with_what_to_do_next():
    with Place() as place, Server(place / "data") as server:
        absent = "127.0.0.1:%d" % free_port()
        for arguments, *parts in [
                (("--server", server.operations), "no gRPC is spoken there", "→ ", "operations port",
                 "behind listen="),
                (("--server", absent), "connection refused", "waybill serve"),
                (("--server", "no-such-host.invalid:7400"), "no host has that name"),
                (("--server", server.listen, "--tls"), "the server does not speak TLS",
                 "leave --tls and --tls-… out")]:
            # It asks for three seconds before it gives up: once is enough.
            but = () if "operations port" in parts else ("replay",)
            for command, done in every_caller(place, *arguments, but=but):
                assert done.returncode in (1, 64 + 12, 64 + 14), (command, done)
                for part in parts:
                    assert part in done.stderr, (command, part, done.stderr)


def servers_in_tls_are_told_from_plain_ones():
    with Place() as place:
        chain, key = make_certificate(place.path, "shop")
        with Server(place / "data", "--tls-certificate", chain, "--tls-key", key) as server:
            for command, done in every_caller(place, "--server", server.listen, but=("replay",)):
                assert "the server ended the connection before it said anything" in done.stderr, done
                assert "→ does it speak TLS? then give --tls" in done.stderr, (command, done)
            for command, done in every_caller(place, "--server", server.listen, "--tls", but=("replay",)):
                assert "the server's certificate is not believed" in done.stderr, (command, done)
                assert "→ --tls-ca FILE" in done.stderr, (command, done)
            # With its authority believed all is well; `watch` would wait for an event.
            for command, done in every_caller(place, "--server", server.listen, "--tls-ca", chain,
                                              but=("watch",)):
                assert done.returncode == (64 + 5 if command == "call" else 0), (command, done)


def import_says_what_came_of_it():
    with Place() as place, Server(place / "data") as server:
        with open(place / "events.csv", "w", encoding="utf-8") as file:
            file.write("carrier,tracking_number,occurred_time,type\n"
                       "ups,1Z1,2026-11-25T10:00:00Z,DELIVERED\nups,1Z1,yesterday,DELIVERED\n")
        done = run("import", "tracking", place / "events.csv", "--json", "--server", server.listen)
        assert done.returncode == 1 and "line 3: " in done.stderr, done
        assert json.loads(done.stdout) == {"rows": 2, "recorded": 1, "refused": 1,
                                           "complete": True}, done
        assert_told(run("import", "tracking", place / "absent.csv", "--server", server.listen), 1,
                    "absent.csv: No such file or directory")
        assert "recorded" not in run("import", "tracking", place / "absent.csv").stderr


def call_tells_that_no_server_is_there():
    address = "127.0.0.1:%d" % free_port()
    done = run("call", "GetStock", '{"sku": "A"}', "--server", address)
    assert_told(done, 64 + 14, f"UNAVAILABLE: {address}: connection refused", "`waybill serve` starts one")
    done = run("call", "GetStock", '{"sku": "A"}', "--server", address, "--json")
    assert done.returncode == 64 + 14 and json.loads(done.stdout)["code"] == "UNAVAILABLE", done


def call_gives_up_at_its_timeout():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        done = run("call", "GetStock", '{"sku": "A"}', "--timeout", "0.3", "--server",
                   "127.0.0.1:%d" % silent.getsockname()[1])
        assert done.returncode == 64 + 4 and "DEADLINE_EXCEEDED" in done.stderr, done
        assert "→ ask again with the same id" in done.stderr and "--timeout SECONDS" in done.stderr, done
        assert time.monotonic() - began < 20


def call_of_a_service_that_runs_elsewhere_is_told():
    with Place() as place, Server(place / "data", "inventory") as server:
        done = call(server, "ListWarehouses")
        assert done.returncode == 64 + 12, done
        assert "→ this process does not serve WarehouseService; --server HOST:PORT" in done.stderr, done


def return_without_a_reason_names_them():
    """So does every call of which an enum is wrong: given by number or by name, in a list's filter as well."""
    lines = '"returnId": "x", "reservationId": "r", "lines": [{"sku": "A", "quantity": 1}]'
    reasons = "values: RETURN_REASON_CANCELLED, RETURN_REASON_SHORT_PICK, RETURN_REASON_CUSTOMER, RETURN_REASON_OTHER"
    states = "must be one of the ReservationState values or unspecified: RESERVATION_STATE_PENDING, "
    with Place() as place, Server(place / "data", "inventory") as server:
        for method, request, told in (("ReturnStock", "{" + lines + "}", reasons),
                                      ("ReturnStock", "{" + lines + ', "reason": 77}', reasons),
                                      ("ListReservations", '{"state": 77}', states)):
            done = call(server, "InventoryService/" + method, request)
            assert done.returncode == 64 + 3 and told in done.stderr, done


def first_order_without_a_cost_card_is_told_what_is_missing():
    address = {"name": "N", "lines": ["1"], "city": "C", "countryCode": "US",
               "point": {"latitudeE7": 407500000, "longitudeE7": -739970000}}
    with Place() as place, Server(place / "data", environment={"WAYBILL_ON_HAND_SOURCE": "auto"}) as server:
        for method, request in (
                ("CreateWarehouse", {"warehouse": {"warehouseId": "W", "name": "W", "active": True,
                                                   "address": address}}),
                ("PutItem", {"item": {"sku": "A", "name": "A", "weightGrams": 1}}),
                ("WarehouseService/ReceiveStock", {"movementId": "m", "warehouseId": "W",
                                                   "sku": "A", "quantity": 5})):
            assert call(server, method, json.dumps(request)).returncode == 0
        until = time.monotonic() + TIME_LIMIT
        while call(server, "GetStock", '{"sku": "A"}').returncode != 0:
            assert time.monotonic() < until, "inventory hears nothing of the shelf"
        order = {"orderId": "o", "currencyCode": "USD", "destination": address,
                 "lines": [{"sku": "A", "quantity": 2,
                            "unitValue": {"currencyCode": "USD", "amountMinor": 100}}]}
        done = call(server, "PromiseOrder", json.dumps(order))
        assert done.returncode == 64 + 9, done
        assert "A has 0, 2 asked; a warehouse counts if it is active, has a point, and a cost card" \
            in done.stderr, done


def call_asks_for_health():
    with Place() as place, Server(place / "data") as server:
        for service in ("", "waybill.inventory.v1.InventoryService"):
            done = call(server, "Check", json.dumps({"service": service}), "--json")
            assert json.loads(done.stdout) == {"status": "SERVING"}, done
        done = call(server, "grpc.health.v1.Health/Check", '{"service": "absent"}')
        assert done.returncode == 64 + 5 and "NOT_FOUND" in done.stderr, done


# --- a client that we did not write ---

def descriptors_of(*protos):
    """Message classes by full name, from the protos, without a module that hides grpcio's."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    with Place() as place:
        subprocess.run(["protoc", "-I", os.path.join(ROOT, "proto"), "--include_imports",
                        "--descriptor_set_out", place / "set", *protos], check=True)
        with open(place / "set", "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for one in files.file:
        pool.Add(one)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


def grpcio_reads_the_details_of_a_refusal():
    with Place() as place, Server(place / "data") as server, \
            waybill_server.channel_to(server.listen) as channel:
        assert call(server, "InventoryService/ReceiveStock", STOCK).returncode == 0
        reserve = waybill_server.inventory_method(channel, "Reserve")
        request = inventory.ReserveRequest(
            reservation_id="r", lines=[inventory.ReserveLine(sku="A", quantity=9)])
        try:
            reserve(request, timeout=TIME_LIMIT)
            raise AssertionError("more was promised than is there")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.FAILED_PRECONDITION, error
            assert waybill_server.reason_of(error) == "INSUFFICIENT_STOCK", error
            detail = inventory.InsufficientStock()
            assert any(one.Unpack(detail) for one in waybill_server.details_of(error))
            assert detail.lines[0].available_quantity == 5, detail
        request.lines[0].quantity = 5
        granted = reserve(request, timeout=TIME_LIMIT).reservation
        assert granted.state == inventory.RESERVATION_STATE_PENDING, granted


def grpcio_asks_for_health_and_reflection():
    message = descriptors_of("grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto")
    health_request, health_response = (message("grpc.health.v1.HealthCheck" + kind)
                                       for kind in ("Request", "Response"))
    request, response = (message("grpc.reflection.v1.ServerReflection" + kind)
                         for kind in ("Request", "Response"))
    with Place() as place, Server(place / "data") as server, \
            waybill_server.channel_to(server.listen) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check",
                                    request_serializer=health_request.SerializeToString,
                                    response_deserializer=health_response.FromString)
        assert check(health_request(), timeout=TIME_LIMIT).status == 1
        ask = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                    request_serializer=request.SerializeToString,
                                    response_deserializer=response.FromString)
        questions = [request(list_services="*"),
                     request(file_containing_symbol="waybill.inventory.v1.InventoryService"),
                     request(file_containing_symbol="no.such.Symbol")]
        services, file, unknown = ask(iter(questions), timeout=TIME_LIMIT)
        names = {one.name for one in services.list_services_response.service}
        assert {"waybill.inventory.v1.InventoryService", "grpc.health.v1.Health"} <= names, names
        assert any(b"waybill/inventory/v1/inventory.proto" in one
                   for one in file.file_descriptor_response.file_descriptor_proto)
        assert unknown.error_response.error_code == 5, unknown


tap.run([
    help_of_every_command_explains_it,
    version_is_one_line,
    unknown_words_are_refused_with_a_hint,
    run_and_test_name_the_word_that_is_wrong,
    run_beside_a_server_on_the_same_data_is_refused,
    bad_settings_are_told_before_anything_is_touched,
    bad_tls_files_are_told,
    settings_of_carriers_that_would_be_passed_over_are_refused,
    printed_configuration_starts_a_server,
    ready_line_names_both_addresses,
    port_in_use_is_refused,
    data_directory_of_another_server_is_refused,
    data_directory_that_cannot_be_one_is_refused,
    data_directory_that_may_not_be_written_is_refused,
    a_database_that_is_not_there_is_told_of_as_one,
    address_of_another_process_is_no_database,
    push_of_a_carrier_that_is_not_configured_is_refused_with_the_reason,
    data_directory_of_a_newer_program_is_refused,
    operations_port_tells_health_readiness_and_metrics,
    signals_end_it_in_good_order_and_calls_in_flight_finish,
    drain_ends_with_its_time,
    second_signal_stops_at_once,
    full_disk_refuses_writes_and_nothing_else,
    verify_finds_nothing_wrong_with_a_good_directory,
    verify_takes_what_the_default_server_wrote,
    verify_finds_one_flipped_bit,
    verify_finds_a_truncated_log,
    verify_tells_where_there_is_no_store,
    verify_keeps_away_from_a_running_server,
    call_prints_the_answer,
    addresses_that_are_none_are_told_with_what_to_write_instead,
    wrong_servers_are_told_with_what_to_do_next,
    servers_in_tls_are_told_from_plain_ones,
    import_says_what_came_of_it,
    call_tells_a_refusal_with_its_details,
    call_refuses_a_bad_request_before_it_is_sent,
    call_tells_that_no_server_is_there,
    call_gives_up_at_its_timeout,
    call_of_a_service_that_runs_elsewhere_is_told,
    return_without_a_reason_names_them,
    first_order_without_a_cost_card_is_told_what_is_missing,
    call_asks_for_health,
    grpcio_reads_the_details_of_a_refusal,
    grpcio_asks_for_health_and_reflection,
])
