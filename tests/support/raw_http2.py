"""HTTP/2 by hand (RFC 9113): frames as bytes, for what no client would send."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, CANCEL, ENHANCE_YOUR_CALM = 0, 8, 11


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


def literal(name, value):
    """One header, neither indexed nor Huffman-coded (RFC 7541 section 6.2.2)."""
    return b"\x00" + text(name) + text(value)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, size = len(data) - 127, b"\x7f"
    while rest >= 128:
        size += bytes([rest % 128 + 128])
        rest //= 128
    return size + bytes([rest]) + data


def request(path, *more, method="POST"):
    """The header block of a gRPC call."""
    pairs = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x"),
             ("content-type", "application/grpc"), ("te", "trailers"), *more]
    return b"".join(literal(name, value) for name, value in pairs)


def grpc_message(message=b""):
    return b"\0" + struct.pack(">I", len(message)) + message


class Connection:
    """A socket that has greeted. Nothing is read unless asked for."""

    def __init__(self, address, *pairs, timeout=10, source=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout,
                                               source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(PREFACE + settings(*pairs))
        self.buffer = b""

    def send(self, data):
        """False if the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except (ConnectionError, BrokenPipeError):
            return False

    def read_frame(self):
        """(kind, flags, stream, payload), or None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + self._size():
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.buffer += data
        size = self._size()
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
        return kind, flags, stream & 0x7FFFFFFF, payload

    def _size(self):
        return struct.unpack(">I", b"\0" + self.buffer[:3])[0]

    def close(self):
        self.socket.close()


class Plain(Connection):
    """A socket that says nothing by itself, for HTTP/1.1."""

    def __init__(self, address, timeout=60, source=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout,
                                               source_address=source and (source, 0))
        self.buffer = b""

    def read_to_the_end(self):
        """All until the server closes."""
        said = b""
        while data := self.socket.recv(65536):
            said += data
        self.close()
        return said
