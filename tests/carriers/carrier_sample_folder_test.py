"""Goal: whoever brings samples of carriers need not arrange them for us: however folders and files are
called, each answers what it is an answer to, and what does not answer is listed with the reason.
Method: the samples of this folder in their own order and in others (flat, by operation, renamed,
numbered, one carrier alone), which must be told apart alike; whole HTTP answers; the real adapters
ask."""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

import tap  # noqa: E402
from carrier_simulator import Simulator  # noqa: E402

CALLS = os.environ["CARRIER_CALLS"]
SAMPLES = os.path.join(HERE, "samples")
CARRIERS = ("ups", "fedex", "dhl")


def own_paths():
    for folder, _, names in os.walk(SAMPLES):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), SAMPLES)


def told_apart(folder):
    """{(carrier, operation): how many answer in turn}, and the list itself."""
    with Simulator("--samples", folder) as simulator:
        files = simulator.asked("samples")["samples"]
    counts = collections.Counter()
    for file in files:
        if file.get("answers_in_turn"):
            counts[file["carrier"], file["operation"]] += 1
    return counts, files


def arranged(folder, rename):
    """The samples under other names; those that `rename` gives None are left out."""
    for path in sorted(own_paths()):
        name = rename(path)
        if name is not None:
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(SAMPLES, path), target)


def asked(base, carrier, operation, name="id"):
    done = subprocess.run([CALLS, f"{base}/{carrier}", carrier, operation, "1", "15000", name],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    return done.stdout.split("\n")[0].split(" ", 4)


def fetch(url, **headers):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer x", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def other_orders_are_told_apart_alike():
    plain, _ = told_apart(SAMPLES)
    assert len(plain) >= 15 and plain["dhl", "unified-track"] == 3, plain

    def by_operation(path):
        carrier, *rest = path.split("/")
        return "/".join([rest[0], carrier, *rest[1:]]) if len(rest) > 1 else None

    def shouted(path):
        carrier, *rest = path.split("/")
        names = {"rate": "Rates", "ship": "Shipments", "track": "Tracking", "void": "Void"}
        name = {"ups": "UPS", "fedex": "FedEx REST", "dhl": "MyDHL"}.get(carrier, carrier)
        return "/".join(["answers", name, "v1", names.get(rest[0], rest[0]), *rest[1:]]) if rest else None

    for rename in (lambda path: path.replace("/", "-"), lambda path: path.replace("/", "_", 1).replace("/", "."),
                   by_operation, shouted):
        with tempfile.TemporaryDirectory() as folder:
            arranged(folder, rename)
            got, files = told_apart(folder)
            assert got == plain, f"{got - plain} beyond, {plain - got} missing in {files}"
            with Simulator("--samples", folder) as simulator:
                for carrier in CARRIERS:
                    assert asked(f"http://{simulator.address}", carrier, "rate")[1] == "ANSWERED"
                    assert asked(f"http://{simulator.address}", carrier, "create")[1] == "ANSWERED"


def numbered_files_are_told_by_their_content():
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(own_paths())
        arranged(folder, lambda path: f"{paths.index(path)}.json" if path.endswith(".json") else None)
        got, files = told_apart(folder)
        for carrier in CARRIERS:
            for operation in ("rate", "ship", "track"):
                assert got[carrier, operation] >= 1, (carrier, operation, files)
        assert got["ups", "cancel"] and got["fedex", "cancel"] and got["ups", "label recovery"]
        assert all("not_read" in file or file["status"] in (200, 201, 400, 404) for file in files), files


def one_carrier_or_one_operation_may_be_the_folder():
    plain, _ = told_apart(SAMPLES)
    for carrier in CARRIERS:
        got, _ = told_apart(os.path.join(SAMPLES, carrier))
        assert got == {key: count for key, count in plain.items() if key[0] == carrier}, got
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(SAMPLES, "dhl", "rate"), os.path.join(folder, "dhl", "rate"))
        got, _ = told_apart(os.path.join(folder, "dhl", "rate"))
        assert got == {("dhl", "rate"): 1}, got


def whole_http_answers_are_answers():
    refusal = {"title": "Bad request", "detail": "7008: no", "status": "400"}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in [
                ("dhl-rates.http", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n\r\n"
                                   '{"title": "Too many", "status": 429}'),
                ("dhl-ship-a.http", "HTTP/2 400\ncontent-type: application/json\n\n" + json.dumps(refusal)),
                ("ups-rate-gateway.http", "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>no</html>"),
                ("ups-rate-request.http", "POST /api/rating HTTP/1.1\r\n\r\n{}")]:
            with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
                file.write(content)
        _, files = told_apart(folder)
        assert [file.get("status", file.get("not_read")) for file in files] == [429, 400, 502, "a request"]
        with Simulator("--samples", folder) as simulator:
            base = f"http://{simulator.address}"
            assert asked(base, "dhl", "create")[1:3] == ["REFUSED", "400"]
            status, headers, body = fetch(f"{base}/dhl/rates")
            assert (status, json.loads(body)["status"]) == (429, 429)
            assert headers["content-type"] == "application/json"
            status, headers, body = fetch(f"{base}/ups/api/rating/v2409/Shop")
            assert (status, body, headers["content-type"]) == (502, b"<html>no</html>", "text/html")


def a_status_is_taken_from_the_name_or_the_body_never_from_a_number():
    good = {"trackResponse": {"shipment": [{"package": [{"trackingNumber": "1Z204W4R0308071865"}]}]}}
    problem = {"title": "No result found", "detail": "none", "status": 404}
    files = {"ups/track/1Z204W4R0308071865.json": (good, 200), "ups/track/v1-404.json": (problem, 404),
             "dhl/unified-track/nobody.json": (problem, 404), "dhl/ship/error-own.json": (problem, 404),
             "ups/rate/invalid.json": ({"response": {"errors": [{"code": "111", "message": "x"}]}}, 400),
             "ups/ship/503 later.json": ({}, 503), "dhl/ship/fine.json": ({"message": "accepted"}, 201)}
    with tempfile.TemporaryDirectory() as folder:
        for name, (value, _) in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                json.dump(value, file)
        _, listed = told_apart(folder)
        got = {file["path"]: file.get("status") for file in listed}
        assert got == {name: status for name, (_, status) in files.items()}, got


def chosen(base, words):
    request = urllib.request.Request(f"{base}/simulator/sample", words.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"sample": words}


def each_sample_is_met_in_turn_by_the_adapters():
    """What it answers with arrives, whatever it is: with its status, and with a verdict."""
    operations = {"rate": "rate", "ship": "create", "cancel": "cancel", "track": "track"}
    verdicts = collections.Counter()
    with Simulator("--samples", SAMPLES) as simulator:
        base = f"http://{simulator.address}"
        for file in simulator.asked("samples")["samples"]:
            operation = operations.get(file.get("operation"))
            if operation is None or (file["carrier"], operation) == ("dhl", "cancel"):
                continue
            chosen(base, file["path"])
            _, verdict, status, *_ = asked(base, file["carrier"], operation, "1")
            assert int(status) == file["status"], (file, verdict, status)
            assert (verdict == "ANSWERED") <= (file["status"] < 300), (file, verdict)
            verdicts[verdict] += 1
        chosen(base, "")
        assert asked(base, "dhl", "create")[1] == "ANSWERED"
    print(f"# {dict(verdicts)}")
    assert verdicts["ANSWERED"] >= 15 and verdicts["REFUSED"] >= 3, verdicts


def what_is_of_no_use_is_told_and_why():
    with tempfile.TemporaryDirectory() as folder:
        for name, content in [("dhl/rate/response-200-a.json", '{"products": []}'), ("notes.md", "x"),
                              ("dhl/pickup/a.json", "{}"), ("ups/rate/1.json", '{"RateRequest": {}}'),
                              ("strange.json", '{"a": 1}'), ("ups/strange.json", '{"a": 1}'),
                              ("ups rates/strange.json", '{"a": 1}'), (".hidden/ups/rate/a.json", "{}")]:
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
        os.symlink(folder, os.path.join(folder, "dhl", "again"))
        _, listed = told_apart(folder)
        assert {file["path"]: file.get("not_read", "") for file in listed} == {
            "dhl/pickup/a.json": "of an interface that is not called", "dhl/rate/response-200-a.json": "",
            "notes.md": "not .json, .html, .xml, .txt or .http",
            "strange.json": "no carrier in its path or content",
            "ups rates/strange.json": "no answer and no error by its content",
            "ups/rate/1.json": "a request", "ups/strange.json": "no operation in its path or content"}


tap.run([other_orders_are_told_apart_alike, numbered_files_are_told_by_their_content,
         one_carrier_or_one_operation_may_be_the_folder, whole_http_answers_are_answers,
         a_status_is_taken_from_the_name_or_the_body_never_from_a_number,
         each_sample_is_met_in_turn_by_the_adapters, what_is_of_no_use_is_told_and_why])
