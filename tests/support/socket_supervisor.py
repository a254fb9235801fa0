"""Keeps listening sockets and runs `waybill serve` behind them, one process after the other, as systemd's
socket activation does (sd_listen_fds(3)): descriptors from 3 on, LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES.
"""

import fcntl
import os
import re
import signal
import socket
import threading
import time

from waybill_process import FED, ONE_CONTEXT, PROGRAM, START_SECONDS_MAX

BACKLOG = 1024
AWAY = 64  # where a descriptor is out of the way of those that are passed
# The services in the order in which they start, and of whom each is told.
SERVICES = {
    "warehouse": (),
    "inventory": ("warehouse",),
    "shipping": (),
    "tracking": ("shipping",),
    "fulfillment": ("inventory", "warehouse", "shipping", "tracking"),
}
PASS_PID = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'


def listening_socket(**options):
    made = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG, **options)
    return made


def address_of(one):
    return "%s:%d" % one.getsockname()[:2]


def spawn(command, passed, names, environment, output, errors, process=None):
    """Starts `command` with `passed` as descriptors 3, 4, …; gives its process id."""
    away = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, AWAY) for one in (*passed, output, errors)]
    actions = [(os.POSIX_SPAWN_DUP2, one, 3 + number) for number, one in enumerate(away[:-2])]
    actions += [(os.POSIX_SPAWN_DUP2, away[-2], 1), (os.POSIX_SPAWN_DUP2, away[-1], 2)]
    variables = {**os.environ, **environment, "LISTEN_FDS": str(len(passed))}
    if names is not None:
        variables["LISTEN_FDNAMES"] = ":".join(names)
    if process is not None:
        variables["LISTEN_PID"] = process
    else:  # only the process itself knows its number
        command = ["/bin/sh", "-c", PASS_PID, "sh", *command]
    try:
        return os.posix_spawn(command[0], command, variables, file_actions=actions)
    finally:
        for one in away:
            os.close(one)


class Process:
    """One `waybill serve`, started with sockets; `ready` comes with its line."""

    def __init__(self, arguments, passed, names, environment=None):
        self.log = []
        self.code = None
        out, out_end = os.pipe()
        errors, errors_end = os.pipe()
        self.process = spawn([PROGRAM, "serve", *arguments], passed, names,
                             {**ONE_CONTEXT, **(environment or {})}, out_end, errors_end)
        os.close(out_end)
        os.close(errors_end)
        self.out = os.fdopen(out, encoding="utf-8")
        self.errors = os.fdopen(errors, encoding="utf-8")
        self.reader = threading.Thread(target=lambda: self.log.extend(self.errors), daemon=True)
        self.reader.start()

    def wait_ready(self):
        timer = threading.Timer(START_SECONDS_MAX, self.signal, [signal.SIGKILL])
        timer.start()
        line = self.out.readline()
        timer.cancel()
        found = re.fullmatch(r"waybill ready listen=(\S+) operations=(\S+)\n", line)
        assert found, f"no ready line but {line!r}; log: {self.text()}"
        return found.groups()

    def wait_for_log(self, words):
        end = time.monotonic() + START_SECONDS_MAX
        while words not in self.text():
            assert time.monotonic() < end, self.text()
            time.sleep(0.005)

    def text(self):
        return "".join(self.log)

    def signal(self, number):
        if self.code is None:
            os.kill(self.process, number)

    def wait(self, seconds_max=60):
        """Its exit code; negative: of a signal."""
        end = time.monotonic() + seconds_max
        while self.code is None:
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done != 0:
                self.code = os.waitstatus_to_exitcode(status)
                self.reader.join(10)
                self.out.close()
                self.errors.close()
                break
            assert time.monotonic() < end, f"still there after {seconds_max} s; log: {self.text()}"
            time.sleep(0.005)
        return self.code


class Supervisor:
    """The sockets of one set of services, and who serves behind them now."""

    def __init__(self, data, *arguments, environment=None):
        self.listen_socket = listening_socket()
        self.operations_socket = listening_socket()
        self.listen = address_of(self.listen_socket)
        self.operations = address_of(self.operations_socket)
        self.arguments = ["--data", data, *arguments]
        self.environment = environment
        self.present = None

    def start(self):
        return Process(self.arguments, (self.listen_socket.fileno(), self.operations_socket.fileno()),
                       ("listen", "operations"), self.environment)

    def __enter__(self):
        self.present = self.start()
        self.present.wait_ready()
        return self

    def restart(self):
        """As `systemctl restart`: the old one stops, then the new one starts. Gives the drain's seconds."""
        old = self.present
        began = time.monotonic()
        old.signal(signal.SIGTERM)
        assert old.wait() == 0, old.text()
        took = time.monotonic() - began
        self.present = self.start()
        self.present.wait_ready()
        return took

    def take_over(self):
        """The new one is there before the old one is asked to stop, and waits for its stores."""
        old, new = self.present, self.start()
        new.wait_for_log("waiting until it lets go")
        began = time.monotonic()
        old.signal(signal.SIGTERM)
        assert old.wait() == 0, old.text()
        took = time.monotonic() - began
        self.present = new
        new.wait_ready()
        new.wait_for_log("the store is free, taken over")
        return took

    def kill(self):
        """As a power switch would end the process, though not the machine; then the next one starts."""
        self.present.signal(signal.SIGKILL)
        code = self.present.wait()
        assert code == -signal.SIGKILL, f"it had ended with {code}: {self.present.text()}"
        self.present = self.start()
        self.present.wait_ready()

    def __exit__(self, *unused):
        self.present.signal(signal.SIGTERM)
        code = self.present.wait()
        self.listen_socket.close()
        self.operations_socket.close()
        assert code == 0, self.present.text()


class Processes:
    """One process a service, each with its own data, wired by their addresses, which are known before the
    start. `more`: further arguments by service.
    """

    def __init__(self, place, more=None):
        self.supervisors = {}
        for service, known in SERVICES.items():
            told = [word for other in known
                    for word in ("--" + other, "grpc://" + self.supervisors[other].listen)]
            told += (more or {}).get(service, ())
            self.supervisors[service] = Supervisor(os.path.join(place, service), service, *told,
                                                   environment=FED)

    def __enter__(self):
        for one in self.supervisors.values():
            one.__enter__()
        return self

    def __exit__(self, *unused):
        for one in reversed(self.supervisors.values()):
            one.__exit__()

    def addresses(self, *services):
        return [word for one in services for word in ("--" + one, self.supervisors[one].listen)]
