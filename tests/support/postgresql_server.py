"""A real PostgreSQL for the suites: a server of our own on a free port, in a temporary directory.

    with PostgresqlServer() as server:
        server.url            postgresql://waybill@127.0.0.1:PORT/waybill
        server.kill(); server.start(); server.pause(); server.resume()

As root it runs as user postgres (the server refuses root). Every wait has a deadline; every process
is ended by its id. Without the server's programs: tap.Skip.
"""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import tap

SECONDS_MAX = 60


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise tap.Skip("PostgreSQL's server is not installed")
    return found[-1]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def children_of(process_id):
    """Of one process, by /proc; nothing if it is gone."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="latin-1") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == process_id:
            found.append(int(path.split("/")[2]))
    return found


def is_alive(process_id):
    """False for a zombie, too: it holds nothing any more."""
    try:
        with open(f"/proc/{process_id}/stat", encoding="latin-1") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def send(process_ids, number):
    for process_id in process_ids:
        try:
            os.kill(process_id, number)
        except ProcessLookupError:
            pass


class PostgresqlServer:
    def __init__(self, settings=None):
        self.bin = programs()
        self.port = free_port()
        self.settings = {
            "listen_addresses": "'127.0.0.1'", "port": self.port, "fsync": "on",
            "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "64MB",
            "max_connections": 60, "max_wal_size": "256MB", "deadlock_timeout": "100ms",
            "unix_socket_directories": "''", **(settings or {})}
        self.url = f"postgresql://waybill@127.0.0.1:{self.port}/waybill"
        self.directory = None
        self.process = None

    def _as_user(self):
        if os.getuid() != 0:
            return []
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]

    def _run(self, *command):
        done = subprocess.run([*self._as_user(), *command], cwd=self.directory, timeout=SECONDS_MAX,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="waybill-postgresql-")
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self.data = os.path.join(self.directory, "data")
        self._run(os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "waybill", "-A", "trust",
                  "-E", "UTF8", "--locale=C", "--no-instructions",
                  "--no-sync")  # nothing of value yet; from the start on fsync is as set
        self.configure({})
        try:
            self.start()
            self.execute("CREATE DATABASE waybill", database="postgres")
        except BaseException:
            self.__exit__()
            raise
        return self

    def configure(self, settings):
        """Takes effect at the next start."""
        self.settings.update(settings)
        path = os.path.join(self.data, "postgresql.auto.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in self.settings.items())

    def start(self):
        log = open(os.path.join(self.directory, "log.txt"), "ab")
        stale = os.path.join(self.data, "postmaster.pid")
        if os.path.exists(stale):
            os.remove(stale)  # of a killed one, which is reaped: see kill()
        self.process = subprocess.Popen(
            [*self._as_user(), os.path.join(self.bin, "postgres"), "-D", self.data],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
        log.close()
        self.wait_ready()

    def wait_ready(self):
        until = time.monotonic() + SECONDS_MAX
        while time.monotonic() < until:
            ready = subprocess.run([os.path.join(self.bin, "pg_isready"), "-q", "-h", "127.0.0.1",
                                    "-p", str(self.port)], timeout=SECONDS_MAX)
            if ready.returncode == 0:
                return
            assert self.process.poll() is None, self.log()
            time.sleep(0.02)
        raise AssertionError("PostgreSQL did not start: " + self.log())

    def log(self):
        with open(os.path.join(self.directory, "log.txt"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def execute(self, text, database="waybill"):
        """By psql: an outside program's word."""
        return self._run(os.path.join(self.bin, "psql"), "-X", "-A", "-t", "-q",
                         "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                         "-U", "waybill", "-d", database, "-c", text)

    def database(self, name):
        """A fresh database; its URL."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", database="postgres")
        self.execute(f"CREATE DATABASE {name}", database="postgres")
        return self.url.rsplit("/", 1)[0] + "/" + name

    def _all(self):
        return [self.process.pid, *children_of(self.process.pid)]

    def pause(self):
        """Freezes postmaster and backends: connections stay, nothing answers."""
        send(self._all(), signal.SIGSTOP)

    def resume(self):
        send(self._all(), signal.SIGCONT)

    def kill(self):
        """As a power switch ends it: postmaster and backends at once."""
        send([self.process.pid], signal.SIGSTOP)  # no backend is forked behind the list's back
        every = self._all()
        send(every, signal.SIGKILL)
        self.process.wait(SECONDS_MAX)
        until = time.monotonic() + SECONDS_MAX
        while any(is_alive(process_id) for process_id in every[1:]):
            assert time.monotonic() < until, "backends did not end"
            time.sleep(0.01)

    def stop(self):
        """In good order, connections cut: SIGINT is a fast shutdown."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(SECONDS_MAX)

    def __exit__(self, *unused):
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
