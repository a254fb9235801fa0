"""A client for tests/carriers' probe: a program around the carriers' pure functions, asked line by line.

CARRIER_PROBE names it. A body may be bytes, a string, or a value that becomes JSON.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile

PUSH_HEADERS = {"ups": "credential", "fedex": "fdx-signature", "dhl": "x-dhl-token"}


class Probe:
    def __init__(self):
        self.process = subprocess.Popen([os.environ["CARRIER_PROBE"]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the probe ended at {words}"
        return json.loads(line)

    def ask_of(self, body, *words):
        """With the name of a file that holds the body as the last word."""
        with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
            file.write(bytes_of(body))
            file.flush()
            return self.ask(*words, file.name)

    def read(self, carrier, operation, status, body):
        return self.ask_of(body, "read", carrier, operation, status)

    def push(self, carrier, header, value, body, secret):
        return self.ask_of(body, "webhook", carrier, secret, header, value)

    def believed_push(self, carrier, body, secret="s3cret"):
        """The push as whoever knows the secret sends it."""
        value = signature(body, secret) if carrier == "fedex" else secret
        return self.push(carrier, PUSH_HEADERS[carrier], value, body, secret)


def bytes_of(body):
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def signature(body, secret):
    """As FedEx signs its pushes."""
    digest = hmac.new(secret.encode(), bytes_of(body), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def same(got, **wanted):
    for key, value in wanted.items():
        assert got.get(key) == value, f"{key}: {got.get(key)!r}, not {value!r}, in {str(got)[:600]}"
