#!/usr/bin/python3
"""Goal: TLS as promised: 1.2 and 1.3 only, ALPN, mutual on demand, certificates renewed under load without
a dropped call, plain connections only where somebody has said so. Method: Python's ssl and http.client
against `waybill serve`, with certificates made by openssl.
"""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402
import waybill_process  # noqa: E402
from certificates import make_certificate  # noqa: E402

PATH = "/waybill.inventory.v1.InventoryService/VerifyLedger"
RELOAD_SECONDS_MAX = 15


EXPIRED_CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {0}/index
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def make_expired_certificate(directory):
    """`openssl req` makes none; `openssl ca` takes the dates."""
    certificate, key, request, configuration = (
        os.path.join(directory, "expired" + end) for end in (".pem", ".key", ".csr", ".cnf"))
    for name, content in (("expired.cnf", EXPIRED_CONFIGURATION.format(directory)), ("index", ""),
                          ("serial", "01")):
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(content)
    subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                    request, "-subj", "/CN=expired"], check=True, capture_output=True)
    subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", configuration, "-keyfile",
                    key, "-in", request, "-out", certificate, "-startdate", "20200101000000Z",
                    "-enddate", "20200102000000Z"], check=True, capture_output=True)
    return certificate, key


def trusting(certificate, **more):
    context = ssl.create_default_context(cafile=certificate)
    for name, value in more.items():
        setattr(context, name, value)
    return context


def call(address, context):
    """One call over HTTP/1.1; gives the serial number of the certificate shown."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
    try:
        connection.request("POST", PATH, "{}", {"content-type": "application/json"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert answer.status == 200, body
        return connection.sock.getpeercert()["serialNumber"]
    finally:
        connection.close()


def serve(directory, certificate, key, *more, listen="127.0.0.1:0"):
    return waybill_process.Server(os.path.join(directory, "data"), "--tls-certificate", certificate,
                                  "--tls-key", key, *more, listen=listen)


def refused(address, context):
    try:
        call(address, context)
    except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
        return True
    return False


def versions_1_2_and_1_3_are_spoken_and_older_ones_refused():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        with serve(directory, certificate, key) as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                call(server.listen, trusting(certificate, minimum_version=version,
                                             maximum_version=version))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                old = trusting(certificate, minimum_version=ssl.TLSVersion.TLSv1,
                               maximum_version=ssl.TLSVersion.TLSv1_1)
                old.set_ciphers("ALL:@SECLEVEL=0")
            assert refused(server.listen, old)


def alpn_chooses_http_2_first_and_refuses_what_is_unknown():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        with serve(directory, certificate, key) as server:
            host, port = server.listen.rsplit(":", 1)

            def settled(*offered):
                context = trusting(certificate)
                context.set_alpn_protocols(list(offered))
                with context.wrap_socket(socket.create_connection((host, int(port))),
                                         server_hostname="localhost") as secured:
                    return secured.selected_alpn_protocol()
            assert settled("http/1.1", "h2") == "h2"
            assert settled("http/1.1") == "http/1.1"
            try:
                settled("spdy/3")
                raise AssertionError("an unknown protocol was taken")
            except ssl.SSLError:
                pass


def mutual_tls_takes_only_clients_of_the_authority():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        authority, _ = make_certificate(directory, "authority")
        mine = make_certificate(directory, "client", authority="authority")
        strange = make_certificate(directory, "stranger")
        with serve(directory, certificate, key, "--tls-client-ca", authority) as server:
            context = trusting(certificate)
            assert refused(server.listen, context), "a client without certificate was served"
            context.load_cert_chain(*mine)
            call(server.listen, context)
            other = trusting(certificate)
            other.load_cert_chain(*strange)
            assert refused(server.listen, other), "a stranger's certificate was taken"


def waybill_call(server, *arguments, method="VerifyLedger", request="{}"):
    return subprocess.run([waybill_process.PROGRAM, "call", method, request, "--server",
                           server.listen, *arguments], capture_output=True, text=True, timeout=60)


def our_own_client_checks_the_server_and_shows_its_certificate():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        authority, _ = make_certificate(directory, "authority")
        mine, my_key = make_certificate(directory, "client", authority="authority")
        with serve(directory, certificate, key, "--tls-client-ca", authority, "inventory",
                   "events") as server:
            known = ["--tls-ca", certificate]
            shown = ["--tls-certificate", mine, "--tls-key", my_key]
            done = waybill_call(server, *known, *shown)
            assert done.returncode == 0 and "chainHead" in done.stdout, done
            for arguments, why in ((known, ""), (["--tls", *shown], "self-signed certificate"),
                                   ([], "")):
                done = waybill_call(server, *arguments)
                assert done.returncode == 64 + 14 and why in done.stderr, done
            receipt = json.dumps({"receiptId": "r", "sku": "A", "quantity": 1})
            done = waybill_call(server, *known, *shown, request=receipt,
                                method="waybill.inventory.v1.InventoryService/ReceiveStock")
            assert done.returncode == 0, done
            done = subprocess.run([waybill_process.PROGRAM, "watch", "--server", server.listen,
                                   "--from", "oldest", "--count", "1", *known, *shown],
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == 0 and "StockReceived" in done.stdout, done
            done = waybill_call(server, *known, *shown[:2])
            assert done.returncode == 2 and "--tls-key" in done.stderr, done
        with serve(directory, certificate, key, listen="127.0.0.2:0") as server:
            done = waybill_call(server, *known)  # that address is not in the certificate
            assert done.returncode == 64 + 14 and "mismatch" in done.stderr, done


def certificates_are_renewed_under_load_without_a_dropped_call():
    with tempfile.TemporaryDirectory() as directory:
        first, first_key = make_certificate(directory, "first")
        second, second_key = make_certificate(directory, "second")
        certificate, key = (os.path.join(directory, name) for name in ("now.pem", "now.key"))
        both = os.path.join(directory, "both.pem")
        with open(both, "w", encoding="ascii") as file:
            file.write(open(first, encoding="ascii").read() + open(second, encoding="ascii").read())

        def renew(new_certificate, new_key):
            for new, place in ((new_key, key), (new_certificate, certificate)):
                os.link(new, place + ".new")
                os.replace(place + ".new", place)
        renew(first, first_key)
        with serve(directory, certificate, key) as server:
            stop = threading.Event()
            failures = []

            def load():
                while not stop.is_set():
                    try:
                        call(server.listen, trusting(both))
                    except Exception as failure:  # whatever it is, it is a dropped call
                        failures.append(repr(failure))
            threads = [threading.Thread(target=load) for _ in range(4)]
            for thread in threads:
                thread.start()
            before = call(server.listen, trusting(both))
            renew(second, second_key)
            until = time.monotonic() + RELOAD_SECONDS_MAX
            after = before
            while after == before and time.monotonic() < until:
                after = call(server.listen, trusting(both))
            stop.set()
            for thread in threads:
                thread.join()
            assert after != before, "the new certificate is not shown"
            assert not failures, failures[:3]


def renewal_that_cannot_be_used_leaves_the_old_certificate():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        with serve(directory, certificate, key) as server:
            context = trusting(certificate)
            before = call(server.listen, context)
            with open(key, "w", encoding="ascii") as file:
                file.write("nonsense")
            until = time.monotonic() + RELOAD_SECONDS_MAX
            while time.monotonic() < until and not any("TLS" in line for line in server.log):
                time.sleep(0.1)
            assert any("cannot be used" in line for line in server.log), server.log
            assert call(server.listen, context) == before


def start_fails(*arguments):
    done = subprocess.run(
        [waybill_process.PROGRAM, "serve", "--operations", "127.0.0.1:0", *arguments],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, f"{done.returncode}: {done.stderr}"
    return done.stderr


def files_that_cannot_be_used_are_named_at_start():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        _, other_key = make_certificate(directory, "other")
        expired, expired_key = make_expired_certificate(directory)
        data = ["--data", os.path.join(directory, "data"), "--listen", "127.0.0.1:0"]
        missing = os.path.join(directory, "missing.pem")
        for files, named in (((missing, key), missing), ((certificate, missing), missing),
                             ((certificate, other_key), other_key), ((key, key), key),
                             ((expired, expired_key), "expired")):
            said = start_fails(*data, "--tls-certificate", files[0], "--tls-key", files[1])
            assert named in said, said
        assert "both" in start_fails(*data, "--tls-certificate", certificate)


def plain_connections_stay_on_loopback_unless_told():
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "data")
        said = start_fails("--data", data, "--listen", "0.0.0.0:0")
        assert "--plaintext everywhere" in said, said
        assert "must be one of" in start_fails("--data", data, "--plaintext", "maybe")
        with waybill_process.Server(data, "--plaintext", "everywhere", listen="[::1]:0") as server:
            assert server.listen.startswith("[::1]:")


tap.run([versions_1_2_and_1_3_are_spoken_and_older_ones_refused,
         alpn_chooses_http_2_first_and_refuses_what_is_unknown,
         mutual_tls_takes_only_clients_of_the_authority,
         our_own_client_checks_the_server_and_shows_its_certificate,
         certificates_are_renewed_under_load_without_a_dropped_call,
         renewal_that_cannot_be_used_leaves_the_old_certificate,
         files_that_cannot_be_used_are_named_at_start,
         plain_connections_stay_on_loopback_unless_told])
