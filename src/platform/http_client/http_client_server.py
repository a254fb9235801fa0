"""The server that http_client_test talks to: well-behaved and badly behaved paths, on free ports.
Starts the test program given as argument with the ports in its environment, passes on its result."""

import http.server
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time

counts = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        self.served += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        counts[path] = counts.get(path, 0) + 1
        if path == "/echo":
            said = f"{self.command} {self.path} {self.headers.get('X-Test', '-')} {self.served} "
            self.answer(200, said.encode() + body)
        elif path == "/throttled":
            self.answer(429, b"slow down", [("Retry-After", " 7 ")])
        elif path == "/redirect":
            self.answer(302, b"", [("Location", "/echo")])
        elif path == "/huge":
            self.answer(200, b"x" * 100_000)
        elif path == "/hang":
            time.sleep(5)
            self.close_connection = True
        elif path == "/slow":
            self.send_response(200)
            self.send_header("Content-Length", "20")
            self.end_headers()
            for _ in range(20):
                self.wfile.write(b"s")
                self.wfile.flush()
                time.sleep(0.02)
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
            self.close_connection = True
        elif path == "/silent":
            self.close_connection = True
        elif path == "/dies-when-kept":
            if self.served > 1:
                self.close_connection = True
            else:
                self.answer(200, b"fresh")
        elif path == "/no-http":
            self.wfile.write(b"220 mail ready\r\n\r\n")
            self.close_connection = True
        elif path == "/count":
            self.answer(200, str(counts.get(self.path.split("?")[1], 0)).encode())
        else:
            self.answer(404, b"")

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that hang up are what is tested


def start(context=None):
    server = Quiet(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


with tempfile.TemporaryDirectory() as directory:
    key, certificate = os.path.join(directory, "key.pem"), os.path.join(directory, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    plain, secure = start(), start(tls)
    environment = {**os.environ, "PLAIN_PORT": str(plain.server_port),
                   "TLS_PORT": str(secure.server_port), "TLS_CERTIFICATE": certificate,
                   "http_proxy": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1"}
    sys.exit(subprocess.run([sys.argv[1]], env=environment, check=False).returncode)
