"""Goal: the real adapters against the simulated carriers: what an outcome says is what was charged,
under any fault. And the adapters' manners towards a server of our own making: one token for all,
renewed once on 401, Retry-After kept by all calls, nothing bought twice.
Method: `waybill simulate carriers` with faults from a seed, audited by what it says it charged; a
small server that counts."""

import collections
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

import tap  # noqa: E402

SEED = int(os.environ.get("WAYBILL_SEED", "7"))
CALLS = os.environ["CARRIER_CALLS"]
PROGRAM = os.environ["WAYBILL_PROGRAM"]
SAMPLES = os.path.join(HERE, "samples")


@contextlib.contextmanager
def simulator(*options, seed=("--seed", "1")):
    process = subprocess.Popen([PROGRAM, "simulate", "carriers", "--listen", "127.0.0.1:0", *seed,
                                *options], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert "ready listen=" in line, line
        yield "http://" + line.split("listen=")[1].strip()
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def calls(base, carrier, operation, count=1, timeout_ms=15000, name="id", *more):
    done = subprocess.run([CALLS, f"{base}/{carrier}", carrier, operation, str(count),
                           str(timeout_ms), name, *map(str, more)], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr, done.stdout[-500:])
    lines = done.stdout.splitlines()
    assert lines[-1].startswith(("audit ", "tries ")), lines
    assert lines[-1].split()[2] == "0", "a secret is in the audit trail"
    outcomes = {}
    for line in lines[:-1]:
        key, verdict, status, number, *message = line.split(" ", 4)
        outcomes.setdefault(key, (verdict, int(status), number, " ".join(message)))
    return outcomes


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url, body, **headers):
    request = urllib.request.Request(url, data=json.dumps(body).encode(), method="POST", headers={
        "Content-Type": "application/json", "Authorization": "Bearer x", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


CARRIERS = ("ups", "fedex", "dhl")


def rates_labels_tracking_and_search_go_round():
    with simulator("--search-lag", "0", "--speed", "2000000") as base:
        for carrier in CARRIERS:
            assert calls(base, carrier, "rate")["id-0"][0] == "ANSWERED"
            verdict, _, number, message = calls(base, carrier, "create", 1, 15000, f"{carrier}.x")[
                f"{carrier}.x-0"]
            assert verdict == "ANSWERED", message
            found = calls(base, carrier, "find", 1, 15000, f"{carrier}.x")[f"{carrier}.x-0"]
            assert found[0] == "ANSWERED" and found[2] == number, found
            time.sleep(0.3)
            track = calls(base, carrier, "track", 1, 15000, number)[number]
            assert track[0] == "ANSWERED" and track[2] != "-", track
            assert calls(base, carrier, "track", 1, 15000, "999999999999")["999999999999"][
                0] == "NOT_FOUND"
            assert calls(base, carrier, "find", 1, 15000, "nobody")["nobody-0"][0] == "NOT_FOUND"


def numbers_begin_anew_at_each_start_but_with_a_seed():
    def bought(*seed):
        with simulator(seed=seed) as base:
            return [calls(base, carrier, "create")["id-0"][2] for carrier in CARRIERS]
    first, second = bought(), bought()
    assert all(len(number) >= 10 for number in first), first
    assert not set(first) & set(second), (first, second)
    assert bought("--seed", "5") == bought("--seed", "5")
    assert bought("--seed", "5")[0].startswith("1ZW4YB1L"), "the account of small seeds"


def cancelling_voids_once_and_dhl_has_none():
    with simulator() as base:
        for carrier in ("ups", "fedex"):
            number = calls(base, carrier, "create")["id-0"][2]
            assert calls(base, carrier, "cancel", 1, 15000, number)[number][0] == "ANSWERED"
            assert calls(base, carrier, "cancel", 1, 15000, number)[number][0] == "ANSWERED"
            assert calls(base, carrier, "cancel", 1, 15000, "1Z")["1Z"][0] == "NOT_FOUND"
        assert calls(base, "dhl", "cancel", 1, 15000, "1")["1"][0] == "UNSUPPORTED"
        assert get(base + "/simulator/counts")["voided"] == 2


def a_search_by_reference_lags():
    with simulator("--search-lag", "3600") as base:
        calls(base, "fedex", "create", 1, 15000, "late")
        assert calls(base, "fedex", "find", 1, 15000, "late")["late-0"][0] == "NOT_FOUND"


def under_faults_an_outcome_says_what_was_charged():
    print(f"# WAYBILL_SEED={SEED}")
    with simulator("--fault-rate", "0.4", "--seed", str(SEED), "--search-lag", "0") as base:
        seen = collections.Counter()
        for carrier in CARRIERS:
            for batch in range(3):
                name = f"{carrier}-{batch}"
                outcomes = calls(base, carrier, "create", 25, 2500, name, 0, 25)
                assert len(outcomes) == 25
                charged = collections.Counter(
                    one["reference"] for one in get(base + "/simulator/shipments")["shipments"])
                for key, (verdict, _, _, message) in outcomes.items():
                    seen[verdict] += 1
                    assert charged[key] <= 1, f"{key} was bought {charged[key]} times"
                    wanted = {"ANSWERED": (1,), "UNKNOWN": (0, 1)}.get(verdict, (0,))
                    assert charged[key] in wanted, f"{key}: {verdict}, charged {charged[key]}: {message}"
        print(f"# {dict(seen)} {get(base + '/simulator/counts')['faults']}")
        assert seen["UNKNOWN"] > 0 and seen["ANSWERED"] > 50


def without_memory_an_outcome_says_what_was_charged():
    """RELIABILITY row 9: the n-th allocation fails, every n, each call on a carrier of its own."""
    with simulator("--search-lag", "0", "--speed", "2000000") as base:
        for carrier in CARRIERS:
            outcomes = calls(base, carrier, "create", 1, 15000, f"{carrier}-m", 0, 1, "memory")
            calls(base, carrier, "create", 50, 15000, f"{carrier}-f")
            charged = {one["reference"]: one["tracking_number"]
                       for one in get(base + "/simulator/shipments")["shipments"]}
            print(f"# {carrier}: {collections.Counter(one[0] for one in outcomes.values())}")
            assert len(outcomes) > 5 and list(outcomes.values())[-1][0] == "ANSWERED", outcomes
            for key, (verdict, _, number, message) in outcomes.items():
                said = f"{key}: {verdict} {number} {message}"
                assert verdict in ("ANSWERED", "UNAVAILABLE", "UNKNOWN"), said
                assert verdict != "UNAVAILABLE" or key not in charged, said
                assert verdict != "ANSWERED" or charged[key] == number, said
            found = calls(base, carrier, "find", 1, 15000, f"{carrier}-f", 0, 1, "memory")
            for key, (verdict, _, number, message) in found.items():
                assert verdict in ("ANSWERED", "UNAVAILABLE", "UNKNOWN"), (key, verdict, message)
                assert verdict != "ANSWERED" or charged[key] == number, (key, number)
            assert list(found.values())[-1][0] == "ANSWERED", found
            number = next(iter(charged.values()))
            for operation in ("rate", "track", "cancel"):
                seen = calls(base, carrier, operation, 1, 15000, number, 0, 1, "memory")
                assert not {one[0] for one in seen.values()} & {"REFUSED", "THROTTLED"}, seen


def pushes_come_signed_twice_and_late_and_again():
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers), body))
            self.send_response(503 if len(got) == 1 else 202)  # the first one is sent again
            self.send_header("Content-Length", "0")
            self.end_headers()

    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    with simulator("--push-url", f"http://127.0.0.1:{hook.server_port}/webhooks", "--push-secret",
                   "s3cret", "--speed", "1000000") as base:
        numbers = {carrier: calls(base, carrier, "create")["id-0"][2] for carrier in CARRIERS}
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ends = [path for path, _, body in got
                    if b'"DL"' in body or b'"FS"' in body or b'"delivered"' in body]
            if {path.rsplit("/", 1)[1] for path in ends} == set(CARRIERS) and len(got) > 20:
                break
            time.sleep(0.1)
        for path, headers, body in got:
            lower = {name.lower(): value for name, value in headers.items()}
            if path.endswith("fedex"):
                mac = hmac.new(b"s3cret", body, hashlib.sha256)
                import base64  # noqa: PLC0415
                assert lower["fdx-signature"] in (mac.hexdigest(),
                                                  base64.b64encode(mac.digest()).decode())
            else:
                assert "s3cret" in (lower.get("credential"), lower.get("x-dhl-token"))
        for carrier, number in numbers.items():
            assert any(number.encode() in body for path, _, body in got if path.endswith(carrier))
    hook.shutdown()


def a_folder_of_samples_answers():
    with simulator("--samples", SAMPLES) as base:
        for carrier, number in [("ups", "1Z"), ("fedex", "794644790138"), ("dhl", "3318810025")]:
            verdict, _, found, message = calls(base, carrier, "create")["id-0"]
            assert verdict in ("ANSWERED", "UNKNOWN", "REFUSED"), message
            assert calls(base, carrier, "rate")["id-0"][0] == "ANSWERED"
            del number, found
        seen = []
        for _ in range(4):  # each operation has its own turn, whatever is asked in between
            seen.append(post(base + "/ups/api/rating/v2409/Shop", {})[1])
            calls(base, "fedex", "rate")
        assert seen[0] != seen[1] and seen[1] != seen[2], "always the same sample"
        status, body = post(base + "/dhl/shipments", {}, **{"X-Sample": "400"})
        assert status == 400 and body["detail"].startswith("998"), body
        status, body = post(base + "/dhl/shipments", {}, **{"X-Sample": "201-own.json"})
        assert status == 201 and body["shipmentTrackingNumber"] == "3318810025"
        status, body = post(base + "/dhl/shipments", {}, **{"X-Sample": "no-such-part"})
        assert status == 404 and "dhl/ship" in body["message"], body


def the_sample_that_holds_the_number_answers():
    with simulator("--samples", SAMPLES) as base:
        for carrier, number, code in [("fedex", "794644790149", "DL"), ("fedex", "794644790138", ""),
                                      ("ups", "1Z5R89390357567127", ""), ("dhl", "3318810025", "PU")]:
            verdict, _, found, message = calls(base, carrier, "track", 1, 15000, number)[number]
            assert verdict == "ANSWERED" and code in found, (carrier, verdict, found, message)
        request = urllib.request.Request(base + "/dhl/shipments?trackingNumber=00340434999999999996",
                                         headers={"DHL-API-Key": "k"})
        for _ in range(3):
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.headers["x-sample"] == "dhl/unified-track/response-own-words-only.json"


def a_folder_may_hold_refusals_alone_and_pages_of_gateways():
    with tempfile.TemporaryDirectory() as folder:
        for name, content in [("ups/ship/response-502-gateway.html", "<html>Bad gateway</html>"),
                              ("fedex/ship/response-400-no.json",
                               '{"errors": [{"code": "NO.1", "message": "not today"}]}'),
                              ("dhl/ship/response-503-empty.txt", ""), ("dhl/pickup/a.json", "{}")]:
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
        with simulator("--samples", folder) as base:
            verdicts = {carrier: calls(base, carrier, "create")["id-0"] for carrier in CARRIERS}
            assert [verdicts[carrier][:2] for carrier in CARRIERS] == [
                ("UNKNOWN", 502), ("REFUSED", 400), ("UNKNOWN", 503)], verdicts
            assert verdicts["fedex"][3] == "not today"


def folder_of(folder, files):
    for name, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)


def a_word_beside_a_label_is_no_refusal():
    with open(os.path.join(SAMPLES, "dhl/ship/response-201-own.json"), encoding="utf-8") as file:
        dhl = json.load(file)
    fedex = {"output": {"transactionShipments": [{"masterTrackingNumber": "1", "pieceResponses": [
        {"trackingNumber": "1"}]}]}}
    with tempfile.TemporaryDirectory() as folder:
        folder_of(folder, {
            "dhl/ship/response-201-a.json": {**dhl, "message": "accepted", "title": "Created"},
            "fedex/ship/response-200-a.json": {**fedex, "errors": {}, "message": "OK"},
            # Neither a label nor a reason: nobody knows, so it is looked up, never given up.
            "ups/ship/response-200-a.json": {"message": "accepted"},
        })
        with simulator("--samples", folder) as base:
            got = {carrier: calls(base, carrier, "create")["id-0"] for carrier in CARRIERS}
            assert [got[carrier][0] for carrier in CARRIERS] == ["UNKNOWN", "ANSWERED", "ANSWERED"], got
            assert got["fedex"][2] == "1" and got["dhl"][2] == dhl["shipmentTrackingNumber"], got


def only_what_is_cancelled_already_counts_as_cancelled():
    for words, verdict in [("The shipment has already been voided.", "ANSWERED"),
                           ("Shipment is already cancelled", "ANSWERED"),
                           ("The package was previously voided", "ANSWERED"),
                           ("It has already been picked up and cannot be voided", "REFUSED"),
                           ("Already delivered: cancellation is not possible", "REFUSED")]:
        with tempfile.TemporaryDirectory() as folder:
            error = {"code": "190999", "message": words}
            folder_of(folder, {"ups/void/response-400-a.json": {"response": {"errors": [error]}},
                               "fedex/cancel/response-400-a.json": {"errors": [error]}})
            with simulator("--samples", folder) as base:
                for carrier in ("ups", "fedex"):
                    got = calls(base, carrier, "cancel", 1, 15000, "1")["1"]
                    assert got[0] == verdict, (carrier, words, got)


def what_is_in_the_folder_is_told_at_the_start():
    with tempfile.TemporaryDirectory() as folder:
        for path, wanted in [("/no/such/folder", "No such file"), (folder, "none of its 0 files answers")]:
            done = subprocess.run([PROGRAM, "simulate", "carriers", "--samples", path], text=True,
                                  capture_output=True, timeout=30, check=False)
            assert done.returncode == 1 and wanted in done.stderr, done
    process = subprocess.Popen([PROGRAM, "simulate", "carriers", "--listen", "127.0.0.1:0",
                                "--samples", SAMPLES], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.terminate()
    said = process.communicate(timeout=30)[1]
    assert re.search(r"samples: ups: .*label recovery 1", said), said
    assert re.search(r"not read: .*\d+ of an interface that is not called \(.*", said), said


# -------------------------------------------------------------------------------- our own server

class Counting(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = collections.Counter()
    arrivals = []  # (monotonic, path) of all, in their order
    plan = {}
    lock = threading.Lock()

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("/", 2)[2]
        with self.lock:
            self.counts[path] += 1
            number = self.counts[path]
            self.arrivals.append((time.monotonic(), path))
        if path == "oauth/token":
            time.sleep(0.2)
            status, headers = self.plan["token"](number)
            if status != 200:
                self.answer(status, {"errors": [{"code": str(status)}]}, headers)
                return
            self.answer(200, {"access_token": f"token-{number}", "expires_in": 3600})
            return
        status, headers, cut = self.plan["next"](number, self.headers.get("Authorization"))
        if cut:
            self.close_connection = True
            return
        good = {"output": {"rateReplyDetails": [{"serviceType": "S", "ratedShipmentDetails": [
            {"rateType": "ACCOUNT", "totalNetCharge": 1.5, "currency": "USD"}]}],
            "transactionShipments": [{"masterTrackingNumber": "1", "pieceResponses": [
                {"trackingNumber": "1"}]}]}}
        self.answer(status, good if status == 200 else {"errors": [{"code": str(status)}]}, headers)


@contextlib.contextmanager
def counting(plan, token=lambda number: (200, ())):
    Counting.counts = collections.Counter()
    Counting.arrivals = []
    Counting.plan = {"next": plan, "token": token}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


RATES, SHIP = "rate/v1/rates/quotes", "ship/v1/shipments"


def one_token_is_fetched_for_all_callers():
    with counting(lambda number, token: (200, (), False)) as base:
        outcomes = calls(base, "fedex", "rate", 60)
        assert all(outcome[0] == "ANSWERED" for outcome in outcomes.values())
        assert Counting.counts["oauth/token"] == 1 and Counting.counts[RATES] == 60


def a_token_is_renewed_once_after_401_for_purchases_too():
    with counting(lambda number, token: (401 if token == "Bearer token-1" else 200, (), False)) as base:
        assert calls(base, "fedex", "create")["id-0"][0] == "ANSWERED"
        assert Counting.counts["oauth/token"] == 2 and Counting.counts[SHIP] == 2
    with counting(lambda number, token: (401, (), False)) as base:
        assert calls(base, "fedex", "create")["id-0"][0] == "UNAVAILABLE"
        assert Counting.counts["oauth/token"] == 2 and Counting.counts[SHIP] == 2


def told_to_wait_it_waits_and_comes_again():
    with counting(lambda number, token: (429 if number == 1 else 200, [("Retry-After", "1")], False)) as base:
        began = time.monotonic()
        assert calls(base, "fedex", "create")["id-0"][0] == "ANSWERED"
        assert time.monotonic() - began >= 1
        assert Counting.counts[SHIP] == 2
    with counting(lambda number, token: (429, [("Retry-After", "3600")], False)) as base:
        assert calls(base, "fedex", "create", 1, 3000)["id-0"][0] == "THROTTLED"
        assert Counting.counts[SHIP] == 1


class Together:
    """Answers the first calls, as many as may be under way at once, when all of them are there, with
    a wish for a pause; all others with what was asked for."""

    def __init__(self, at_once, status, retry_after):
        self.barrier = threading.Barrier(at_once, timeout=60)
        self.lock = threading.Lock()
        self.begun = 0
        self.at_once, self.status, self.headers = at_once, status, [("Retry-After", retry_after)]
        self.answered = None  # when the wish was on its way

    def __call__(self, number, token):
        with self.lock:
            self.begun += 1
            is_first = self.begun <= self.at_once
        if not is_first:
            return 200, (), False
        self.barrier.wait()
        self.answered = time.monotonic()
        return self.status, self.headers, False


def a_pause_that_the_carrier_wants_holds_back_all_its_calls():
    for status, operations in ((429, "rate,create"), (503, "rate")):
        plan = Together(4, status, "2")
        with counting(plan) as base:
            outcomes = calls(base, "fedex", operations, 40, 30000, "id", 0, 4)
            assert all(outcome[0] == "ANSWERED" for outcome in outcomes.values()), outcomes
            calls_at = [at for at, path in Counting.arrivals if path != "oauth/token"]
            assert len(calls_at) == 44, Counting.counts  # nothing was lost, nothing sent twice
            assert all(at >= plan.answered + 1.9 for at in calls_at[4:]), (plan.answered, calls_at)


def who_cannot_wait_for_the_end_of_a_pause_is_told_at_once():
    plan = Together(4, 429, "3600")
    with counting(plan) as base:  # a call may take ten minutes: it is not waited for
        outcomes = calls(base, "fedex", "create", 40, 600000, "id", 0, 4)
        assert Counting.counts[SHIP] == 4, Counting.counts
        assert all(outcome[0] == "THROTTLED" for outcome in outcomes.values()), outcomes
        told = [outcome[3] for outcome in outcomes.values() if outcome[1] == 0]
        assert len(told) == 36, outcomes
        assert all(re.fullmatch("the carrier wants no calls for another 3[0-9]{3} s", words)
                   for words in told), told


def without_a_moment_named_pauses_grow():
    with counting(lambda number, token: (429 if number < 3 else 200, (), False)) as base:
        outcomes = calls(base, "fedex", "rate", 2, 60000, "id", 0, 1)
        assert all(outcome[0] == "ANSWERED" for outcome in outcomes.values()), outcomes
        at = [at for at, path in Counting.arrivals if path == RATES]
        assert len(at) == 4 and at[1] - at[0] >= 0.9 and at[2] - at[1] >= 1.9, at


def a_pause_for_tokens_is_kept_and_told_of():
    with counting(lambda number, token: (200, (), False),
                  lambda number: (429 if number == 1 else 200, [("Retry-After", "1")])) as base:
        outcomes = calls(base, "fedex", "rate", 8)
        assert all(outcome[0] == "ANSWERED" for outcome in outcomes.values()), outcomes
        at = [at for at, path in Counting.arrivals if path == "oauth/token"]
        assert len(at) == 2 and at[1] - at[0] >= 1, at
    with counting(lambda number, token: (200, (), False),
                  lambda number: (429, [("Retry-After", "3600")])) as base:
        outcomes = calls(base, "fedex", "create", 8, 600000)
        assert Counting.counts == {"oauth/token": 1}, Counting.counts
        assert all(outcome[0] == "THROTTLED" and outcome[3].startswith("no token: ")
                   for outcome in outcomes.values()), outcomes
    with counting(lambda number, token: (200, (), False), lambda number: (403, ())) as base:
        outcomes = calls(base, "fedex", "rate", 8)
        assert Counting.counts == {"oauth/token": 1}, Counting.counts
        assert all(outcome[0] == "UNAVAILABLE" and outcome[3].startswith("no token: 403")
                   for outcome in outcomes.values()), outcomes


def a_purchase_without_an_answer_is_never_sent_again():
    for plan in (lambda number, token: (500, (), False), lambda number, token: (200, (), True)):
        with counting(plan) as base:
            assert calls(base, "fedex", "create")["id-0"][0] == "UNKNOWN"
            assert Counting.counts[SHIP] == 1


def a_question_without_an_answer_is_asked_again():
    with counting(lambda number, token: (200, (), number < 3)) as base:
        assert calls(base, "fedex", "rate")["id-0"][0] == "ANSWERED"
        assert Counting.counts[RATES] == 3


def a_carrier_that_fails_is_left_alone():
    with counting(lambda number, token: (503, (), False)) as base:
        outcomes = calls(base, "fedex", "create", 40, 8000, "id", 0, 1)
        verdicts = collections.Counter(outcome[0] for outcome in outcomes.values())
        assert Counting.counts[SHIP] < 40 and verdicts["UNAVAILABLE"] > 0, verdicts
        assert verdicts["UNKNOWN"] == Counting.counts[SHIP], (verdicts, Counting.counts)


def nobody_there_is_unavailable():
    outcome = calls("http://127.0.0.1:1", "dhl", "create", 1, 1500)["id-0"]
    assert outcome[0] == "UNAVAILABLE", outcome


def calls_keep_to_the_rate():
    with counting(lambda number, token: (200, (), False)) as base:
        began = time.monotonic()
        outcomes = calls(base, "fedex", "rate", 30, 15000, "id", 10, 16)
        assert all(outcome[0] == "ANSWERED" for outcome in outcomes.values())
        assert time.monotonic() - began >= 1.8  # 10 at once, then 10 a second


tap.run([rates_labels_tracking_and_search_go_round,
         numbers_begin_anew_at_each_start_but_with_a_seed, cancelling_voids_once_and_dhl_has_none,
         a_search_by_reference_lags, under_faults_an_outcome_says_what_was_charged,
         without_memory_an_outcome_says_what_was_charged,
         pushes_come_signed_twice_and_late_and_again, a_folder_of_samples_answers,
         the_sample_that_holds_the_number_answers,
         a_folder_may_hold_refusals_alone_and_pages_of_gateways,
         a_word_beside_a_label_is_no_refusal, only_what_is_cancelled_already_counts_as_cancelled,
         what_is_in_the_folder_is_told_at_the_start,
         one_token_is_fetched_for_all_callers, a_token_is_renewed_once_after_401_for_purchases_too,
         told_to_wait_it_waits_and_comes_again,
         a_pause_that_the_carrier_wants_holds_back_all_its_calls,
         who_cannot_wait_for_the_end_of_a_pause_is_told_at_once,
         without_a_moment_named_pauses_grow, a_pause_for_tokens_is_kept_and_told_of, a_purchase_without_an_answer_is_never_sent_again,
         a_question_without_an_answer_is_asked_again, a_carrier_that_fails_is_left_alone,
         nobody_there_is_unavailable, calls_keep_to_the_rate])
