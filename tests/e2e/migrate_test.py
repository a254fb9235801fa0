#!/usr/bin/python3
"""`waybill migrate` from outside: what it shows, what it applies, what it refuses, on SQLite and on a real
PostgreSQL."""

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import tap  # noqa: E402
from postgresql_server import PostgresqlServer  # noqa: E402
from waybill_process import PROGRAM  # noqa: E402


def migrate(*arguments, code=0, environment=None):
    done = subprocess.run([PROGRAM, "migrate", *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(environment or {})})
    assert done.returncode == code, f"{arguments}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def states(*arguments, code=0, environment=None):
    """{(service, number): state}"""
    text = migrate(*arguments, "--json", code=code, environment=environment)
    return {(service["service"], one["number"]): one["state"]
            for service in json.loads(text)["services"] for one in service.get("migrations", [])}


def status_plan_and_up_tell_the_same_story():
    with tempfile.TemporaryDirectory() as data:
        first = states("status", "--data", data)
        assert ("warehouse", 1) in first and set(first.values()) == {"pending"}, first
        assert states("plan", "--data", data) == first
        assert os.listdir(data) == [], "status and plan make no files"
        assert "pending" in migrate("plan", "--data", data)
        assert set(states("up", "--data", data).values()) == {"applied"}
        assert set(states("up", "--data", data).values()) == {"applied"}
        assert states("plan", "--data", data) == {}
        text = migrate("status", "warehouse", "--data", data)
        assert "0001" in text and "applied 20" in text and data in text, text
        assert "nothing to apply" in migrate("plan", "warehouse", "--data", data)


def one_service_at_a_time_and_elsewhere():
    with tempfile.TemporaryDirectory() as data:
        path = os.path.join(data, "there", "w.sqlite")
        applied = states("up", "warehouse", "--warehouse", f"sqlite:{path}", "--data", data)
        assert {service for service, _ in applied} == {"warehouse"}, applied
        assert os.path.exists(path)


def edit(data, statement):
    database = sqlite3.connect(os.path.join(data, "warehouse.sqlite"))
    database.execute(statement)
    database.commit()
    database.close()


def changed_and_newer_schemas_are_refused_by_name():
    with tempfile.TemporaryDirectory() as data:
        migrate("up", "warehouse", "--data", data)
        edit(data, "INSERT INTO schema_migrations VALUES ('warehouse', 9999, 'future', 'x', 1)")
        # Rows are compared by order: what this program knows stays applied, one is unknown.
        found = states("status", "warehouse", "--data", data, code=1)
        assert found[("warehouse", 9999)] == "unknown", found
        text = migrate("up", "warehouse", "--data", data, code=1)
        assert "newer than this program" in text and "9999_future" in text, text
        edit(data, "DELETE FROM schema_migrations WHERE number = 9999")
        edit(data, "UPDATE schema_migrations SET checksum = 'other' WHERE number = 1")
        found = states("status", "warehouse", "--data", data, code=1)
        assert found[("warehouse", 1)] == "changed", found
        text = migrate("up", "warehouse", "--data", data, code=1)
        assert "warehouse/0001" in text and "changed" in text, text


def a_file_in_use_is_looked_at_but_not_touched():
    with tempfile.TemporaryDirectory() as data:
        migrate("up", "warehouse", "--data", data)
        with open(os.path.join(data, "warehouse.sqlite-lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert set(states("status", "warehouse", "--data", data).values()) == {"applied"}
            text = migrate("up", "warehouse", "--data", data, code=1)
            assert "in use by another process" in text, text


def wrong_arguments_are_explained():
    assert "`waybill migrate status` changes nothing" in migrate(code=2)
    assert "is wanted, not sideways" in migrate("sideways", code=2)
    assert "inventory" in migrate("status", "inventory", code=2)
    assert "--no-such-thing" in migrate("status", "--no-such-thing", "1", code=2)
    assert "up" in migrate("--help") and "plan" in migrate("status", "--help")
    text = migrate("status", "warehouse", "--warehouse", "mysql://somewhere", code=1)
    assert "sqlite:FILE or postgresql://" in text, text


def a_server_is_migrated_and_its_password_is_never_shown():
    with PostgresqlServer() as server:
        secret = server.url.replace("waybill@", "waybill:s3cret@")
        setting = {"WAYBILL_WAREHOUSE": secret}
        assert set(states("status", "warehouse", environment=setting).values()) == {"pending"}
        text = migrate("up", "warehouse", environment=setting)
        assert "applied" in text and "s3cret" not in text, text
        assert set(states("status", "warehouse", environment=setting).values()) == {"applied"}
        server.stop()
        text = migrate("status", "warehouse", code=1, environment=setting)
        assert "store unavailable" in text and "s3cret" not in text, text
        server.configure({"fsync": "off"})
        server.start()
        text = migrate("up", "warehouse", code=1, environment=setting)
        assert "fsync is off" in text, text
        migrate("up", "warehouse", "--allow-degraded", "yes", environment=setting)


tap.run([
    status_plan_and_up_tell_the_same_story,
    one_service_at_a_time_and_elsewhere,
    changed_and_newer_schemas_are_refused_by_name,
    a_file_in_use_is_looked_at_but_not_touched,
    wrong_arguments_are_explained,
    a_server_is_migrated_and_its_password_is_never_shown,
])
