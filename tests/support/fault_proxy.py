"""A TCP proxy that slows and cuts: between a client and a server on loopback.

    with FaultProxy(server_port, random) as proxy:
        proxy.port
        proxy.delay_seconds = 0.05       each piece of an answer comes so much later
        proxy.cut_probability = 0.01     a piece is cut somewhere in its middle, then both ends close
        proxy.accepting = False          new connections are refused, as by a firewall's reset
"""

import socket
import threading
import time


class FaultProxy:
    def __init__(self, server_port, random):
        self.server_port = server_port
        self.random = random
        self.delay_seconds = 0.0
        self.cut_probability = 0.0
        self.accepting = True
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ended = False

    def _pump(self, source, target, faulty):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if faulty and self.delay_seconds:
                    time.sleep(self.delay_seconds)
                if faulty and self.random.random() < self.cut_probability:
                    target.sendall(data[:self.random.randrange(len(data))])
                    self.cuts += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port), 10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        back = threading.Thread(target=self._pump, args=(server, client, True), daemon=True)
        back.start()
        self._pump(client, server, False)
        back.join()
        client.close()
        server.close()

    def _accept(self):
        while not self.ended:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.accepting:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
            else:
                client.close()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.ended = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
