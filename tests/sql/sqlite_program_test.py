#!/usr/bin/python3
"""RELIABILITY rows 5 and 8 for SQLite, from outside: kill -9 under load, and what was answered is there;
a real disk without space, and then with space again.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from sql_load import Load  # noqa: E402

KILLS = 10


def acknowledged(load):
    """Without the last line, which may be cut."""
    return {int(line.split()[2]) for line in load.all[:-1] if " ok " in line}


def stored(path):
    """By Python's own SQLite: numbers, and whether the books balance."""
    database = sqlite3.connect(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        numbers = {row[0] for row in database.execute("SELECT number FROM transfers")}
        total = database.execute("SELECT coalesce(sum(amount), 0) FROM transfers").fetchone()[0]
        balances = dict(database.execute("SELECT name, value FROM balances"))
    finally:
        database.close()
    assert balances["to"] == total and balances["from"] == -total, (balances, total)
    return numbers


def killed_under_load_nothing_answered_is_lost():
    directory = tempfile.mkdtemp(prefix="waybill-sqlite-")
    answers = 0
    try:
        for kill in range(KILLS):
            path = os.path.join(directory, f"{kill % 3}.sqlite")
            if os.path.exists(path):
                # Numbers start anew with each load: what is there would be found, not written.
                database = sqlite3.connect(path)
                database.executescript("DELETE FROM transfers; UPDATE balances SET value = 0")
                database.close()
            with Load(f"sqlite:{path}", 64, tell_all=True) as load:
                load.wait(r"^\d+ ok ")
                time.sleep(0.05 + 0.03 * kill)
                load.process.send_signal(signal.SIGKILL)
                load.process.wait(30)
                load.reader.join(30)
                known = acknowledged(load)
                for name in os.listdir(directory):
                    mode = os.stat(os.path.join(directory, name)).st_mode
                    assert mode & 0o007 == 0, f"{name}: {mode:o}: others may read what customers order"
                missing = known - stored(path)
                assert not missing, f"kill {kill}: {len(missing)} of {len(known)} lost"
                answers += len(known)
        print(f"# {answers} answers before {KILLS} kills, 0 lost")
    finally:
        shutil.rmtree(directory)


class SmallDisk:
    """A tmpfs of our own; root only."""

    def __init__(self, megabytes):
        if os.getuid() != 0:
            raise tap.Skip("a small disk needs root")
        self.path = tempfile.mkdtemp(prefix="waybill-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.path],
                              capture_output=True, text=True)
        if done.returncode != 0:
            os.rmdir(self.path)
            raise tap.Skip("a tmpfs cannot be mounted here: " + done.stderr.strip())

    def resize(self, megabytes):
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.path], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        subprocess.run(["umount", self.path], check=True)
        os.rmdir(self.path)


def a_full_disk_refuses_writes_and_goes_on_when_there_is_space():
    with SmallDisk(2) as disk:
        path = os.path.join(disk.path, "store.sqlite")
        with Load(f"sqlite:{path}", 16) as load:
            load.works()
            load.wait(r"^\d+ disk full ", 120)
            time.sleep(0.3)
            disk.resize(256)
            load.works()
            load.end()
        stored(path)


tap.run([
    killed_under_load_nothing_answered_is_lost,
    a_full_disk_refuses_writes_and_goes_on_when_there_is_space,
])
