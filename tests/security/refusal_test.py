#!/usr/bin/python3
"""Goal: what the door refuses over HTTP: bombs, pages that may not call, effects by GET, requests that two
readers would read differently. Method: http.client and raw bytes against `waybill serve`; after each
refusal the same connection or the next one is served.
"""

import gzip
import http.client
import json
import os
import socket
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402
import waybill_process  # noqa: E402

SERVICE = "/waybill.inventory.v1.InventoryService/"
JSON = {"content-type": "application/json"}
SHOP = "https://shop.example"
MIB = 1024 * 1024
MEMORY_BYTES_MAX = 16 * MIB


def ask(server, verb, method, body=None, headers=JSON):
    """Gives status, headers and body."""
    host, port = server.listen.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(verb, SERVICE + method, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, \
            answer.read()
    finally:
        connection.close()


def say(server, text):
    """Sends bytes as they are and gives the status of the first answer."""
    host, port = server.listen.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as peer:
        peer.sendall(text.encode())
        said = b""
        while b"\r\n" not in said:
            data = peer.recv(4096)
            assert data, f"closed after {said}"
            said += data
        return int(said.split()[1])


def with_server(*arguments):
    def decorate(case):
        def run():
            with tempfile.TemporaryDirectory() as directory:
                with waybill_process.Server(directory, *arguments) as server:
                    case(server)
                    status, _, _ = ask(server, "POST", "VerifyLedger", "{}")
                    assert status == 200, "and the next one is served"
        run.__name__ = case.__name__
        return run
    return decorate


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@with_server()
def bombs_are_not_inflated(server):
    bomb = gzip.compress(b" " * (256 * MIB))
    assert len(bomb) < MIB
    before = resident_bytes(server)
    status, _, body = ask(server, "POST", "GetStock", bomb, {**JSON, "content-encoding": "gzip"})
    assert status == 429 and json.loads(body)["code"] == "resource_exhausted", (status, body)
    web = {"content-type": "application/grpc-web+proto", "grpc-encoding": "gzip"}
    _, _, body = ask(server, "POST", "GetStock", b"\1" + len(bomb).to_bytes(4, "big") + bomb, web)
    assert b"grpc-status: 8" in body, body
    grown = resident_bytes(server) - before
    assert grown <= MEMORY_BYTES_MAX, f"{grown} more bytes"


@with_server("--message-bytes-max", "2000")
def bodies_beyond_the_limit_are_refused(server):
    status, _, body = ask(server, "POST", "GetStock", '{"sku":"A"' + " " * 3000 + "}")
    assert status == 429 and json.loads(body)["code"] == "resource_exhausted", (status, body)


@with_server()
def elements_beyond_the_limit_are_refused_before_they_are_unpacked(server):
    # 400,000 empty lines: 0.8 MB here, some 25 MB unpacked.
    before = resident_bytes(server)
    status, _, body = ask(server, "POST", "Reserve", b"\x22\x00" * 400_000,
                          {"content-type": "application/proto"})
    assert status == 400 and "too many elements" in body.decode(), (status, body)
    grown = resident_bytes(server) - before
    assert grown <= MEMORY_BYTES_MAX, f"{grown} more bytes"


@with_server()
def calls_end_at_their_deadline_whoever_waits(server):
    # A stream that says nothing more; the caller leaves the time to the server.
    host, port = server.listen.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("POST", "/grpc.health.v1.Health/Watch", b"\0\0\0\0\2{}",
                       {"content-type": "application/connect+json", "connect-timeout-ms": "300"})
    body = connection.getresponse().read()
    connection.close()
    assert b"SERVING" in body and b"deadline_exceeded" in body, body


@with_server()
def deep_json_is_refused(server):
    for text in ("[" * 100000, '{"lines":' * 100000, '{"a":[' * 100 + "1" + "]}" * 100):
        status, _, body = ask(server, "POST", "Reserve", text)
        assert status == 400, (status, body)


@with_server()
def pages_may_not_call_unless_told(server):
    asked = {"origin": SHOP, "access-control-request-method": "POST"}
    status, headers, _ = ask(server, "OPTIONS", "GetStock", None, asked)
    assert status == 405 and not any("access-control" in name for name in headers), headers
    status, headers, _ = ask(server, "POST", "VerifyLedger", "{}", {**JSON, "origin": SHOP})
    assert status == 200 and "access-control-allow-origin" not in headers, headers


@with_server("--cors-origins", SHOP)
def pages_of_the_named_origin_alone_may_call(server):
    for origin, may in ((SHOP, True), ("https://shop.example.evil", False), ("null", False),
                        ("https://shop", False)):
        asked = {"origin": origin, "access-control-request-method": "POST"}
        status, headers, _ = ask(server, "OPTIONS", "GetStock", None, asked)
        assert (status == 204) == may, (origin, status)
        assert headers.get("access-control-allow-origin") == (SHOP if may else None), headers
        _, headers, _ = ask(server, "POST", "VerifyLedger", "{}", {**JSON, "origin": origin})
        assert headers.get("access-control-allow-origin") == (SHOP if may else None), headers


@with_server()
def get_is_for_what_has_no_effect(server):
    query = "?connect=v1&encoding=json&message=%7B%7D"
    for method, status in (("VerifyLedger", 200), ("Reserve", 405), ("ReceiveStock", 405)):
        got, headers, _ = ask(server, "GET", method + query, None, {})
        assert got == status, (method, got)
        assert status == 200 or headers["allow"] == "POST", headers


@with_server()
def requests_that_two_readers_would_read_differently_are_refused(server):
    head = f"POST {SERVICE}VerifyLedger HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    assert say(server, head + "Content-Length: 2\r\n\r\n{}") == 200
    for text in (head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                 head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                 head + "Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                 head + "Content-Length: +2\r\n\r\n{}",
                 head + "Content-Length: 2\r\nHost: y\r\n\r\n{}",
                 head.replace("Host: x\r\n", "") + "Content-Length: 2\r\n\r\n{}",
                 head.replace("Host: x", "Host : x") + "Content-Length: 2\r\n\r\n{}"):
        status = say(server, text)
        assert status in (400, 501), f"{status}: {text!r}"


tap.run([bombs_are_not_inflated, calls_end_at_their_deadline_whoever_waits, bodies_beyond_the_limit_are_refused,
         elements_beyond_the_limit_are_refused_before_they_are_unpacked, deep_json_is_refused, pages_may_not_call_unless_told,
         pages_of_the_named_origin_alone_may_call, get_is_for_what_has_no_effect,
         requests_that_two_readers_would_read_differently_are_refused])
