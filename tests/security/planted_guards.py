#!/usr/bin/python3
"""Goal: no guard of the door is without a test that misses it (RELIABILITY, row 24's spirit). Each guard of
platform/http, platform/rpc and platform/io is taken out of a copy of the sources, one at a time, and the
suite that is named beside it must fail; with all guards in place the suites must pass.

Method: a guard is one edit or several (file, a text that stands in it exactly once, what stands there
instead), and the suites that must notice: all of them, if several are named. The copy is built once by
Meson, for each guard only what changed again. Where a library of ours guards the same, both guards are
taken out. Names of guards on the command line select some.
"""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import tap  # noqa: E402

SECONDS_MAX = 240  # of a suite; more and it hangs, without a guard
HTTP, RPC, IO = "src/platform/http/", "src/platform/rpc/", "src/platform/io/"
TARGETS = ["src/main/waybill", HTTP + "http_server_test", HTTP + "http2_peer_test",
           HTTP + "http_peers_test",
           RPC + "rpc_server_test", "tests/security/stream_limits_test"]

NO_ACK_LIMIT = (HTTP + "http2_session.c", "option, outbound_ack_max);", "option, 100000000);")


def program(path, *cases):
    """A suite that is a program of ours; cmocka runs all of its cases."""
    return [path, *cases]


def script(name, *cases):
    return ["/usr/bin/python3", f"tests/security/{name}_test.py", *cases]


TAKEOVER = ["/usr/bin/python3", "tests/e2e/takeover_test.py"]

GUARDS = {
    "resets_cost": (
        [(HTTP + "http2_session.c", "    case NGHTTP2_RST_STREAM:\n        return 2;",
          "    case NGHTTP2_RST_STREAM:\n        return 0;")],
        script("flood", "rapid_reset")),
    "provoked_resets_cost": (
        [(HTTP + "http2_session.c", "    http_connection_charge(context, 2);\n",
          "    (void)context;\n")],
        script("flood", "resets_provoked_by_a_window_beyond_its_maximum")),
    "pings_cost": (
        [(HTTP + "http2_session.c", "    case NGHTTP2_PING:\n", ""), NO_ACK_LIMIT],
        script("flood", "pings")),
    "settings_cost": (
        [(HTTP + "http2_session.c", "    case NGHTTP2_SETTINGS:\n    case", "    case"),
         NO_ACK_LIMIT],
        script("flood", "settings")),
    "priorities_cost": (
        [(HTTP + "http2_session.c", "    case NGHTTP2_PRIORITY:\n", "")],
        script("flood", "priorities")),
    "empty_data_costs": (
        [(HTTP + "http2_session.c", "!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ? 1 : 0;",
          "!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ? 0 : 0;")],
        script("flood", "empty_data")),
    "long_heads_cost": (
        [(HTTP + "http2_session.c", "http_connection_charge(connection, oversized_head_cost);",
          "http_connection_charge(connection, 0);")],
        script("flood", "header_table_bomb")),
    "exhausted_budget_ends_the_connection": (
        [(HTTP + "http_connection.c", "overspent ? 0 : connection->budget - cost;",
          "overspent ? 0 : connection->budget - 0 * cost;")],
        script("flood", "priorities")),
    "who_gets_data_may_ping": (
        [(HTTP + "http2_session.c", "if (size > 0 && exchange->body_sent)\n",
          "if (size > SIZE_MAX / 2)\n")],
        program(HTTP + "http2_peer_test")),
    "budget_outlives_its_connection": (
        [(HTTP + "http_connection.c", "    if (verdict == HTTP_PEERS_BARRED) {",
          "    if (verdict == HTTP_PEERS_BARRED && loop->peers == NULL) {")],
        script("flood", "connecting_anew_gives_no_new_budget")),
    "overspent_address_ends_what_costs_more": (
        [(HTTP + "http_connection.c", "overspent ? 0 : connection->budget - cost;",
          "overspent && cost < 0 ? 0 : connection->budget - cost;")],
        script("flood", "many_connections_at_once_share_one_budget")),
    "broken_connections_cost": (
        [(HTTP + "http_connection.c", "(void)blame(connection, broken_cost);",
          "(void)connection;")],
        script("flood", "connections_broken_over_and_over_are_refused")),
    "bars_end": (
        [(HTTP + "http_peers.c", "    if (suspect->points <= http_peer_points_max / 2)\n",
          "    if (suspect->points < 0)\n")],
        program(HTTP + "http_peers_test")),
    "table_of_suspects_keeps_the_worst": (
        [(HTTP + "http_peers.c", "if (set[i].points < least->points)",
          "if (set[i].points > least->points)"),
         (HTTP + "http_peers.c", "!known && points <= place->points", "!known && points < 0")],
        program(HTTP + "http_peers_test")),
    "what_goes_well_takes_points_back": (
        [(HTTP + "http_connection.c", "    (void)blame(connection, -1);\n", "")],
        script("flood", "many_good_clients_behind_one_address_are_served")),
    "heads_of_http_1_are_bounded": (
        [(HTTP + "http1_session.c",
          "if (session->request_bytes > session->connection->loop->options->header_bytes_max)",
          "if (session->request_bytes > SIZE_MAX / 2)")],
        program(HTTP + "http_server_test")),
    "peers_must_greet": (
        [(HTTP + "http_loop.c",
          "now_us - connection->open_time_us > options->greeting_us_max)",
          "now_us - connection->open_time_us < 0)")],
        program(HTTP + "http2_peer_test")),
    "peers_must_take_what_is_sent": (
        [(HTTP + "http_loop.c", "    if (connection->socket.in_write &&\n",
          "    if (connection->socket.in_write && options->age_us_max > 1 &&\n")],
        program(HTTP + "http2_peer_test")),
    "bodies_of_http_1_must_move": (
        [(HTTP + "http1_session.c",
          "(waits_for_peer && still_us > options->body_pause_us_max)",
          "(waits_for_peer && still_us < 0)")],
        program(HTTP + "http_server_test")),
    "requests_must_come_whole": (
        [(HTTP + "http_connection.c", "at->open_time_us < from_us &&",
          "at->open_time_us < INT64_MIN + from_us * 0 &&")],
        script("idle_and_overload", "requests_that_do_not_come_whole_are_answered_in_time")),
    "streams_of_requests_may_idle": (
        [(RPC + "server/rpc_request.c", "call->exchange->streams = !rpc_call_takes_one(call);",
          "call->exchange->streams = false;")],
        script("idle_and_overload", "requests_that_do_not_come_whole_are_answered_in_time")),
    "idle_connections_end": (
        [(HTTP + "http_loop.c", "now_us - connection->active_time_us > options->idle_us_max;",
          "now_us - connection->active_time_us < 0;")],
        program(HTTP + "http2_peer_test")),
    "old_connections_end": (
        [(HTTP + "http_loop.c", "now_us - connection->open_time_us > options->age_us_max;",
          "now_us - connection->open_time_us < 0;")],
        program(HTTP + "http2_peer_test")),
    "connections_are_bounded": (
        [(HTTP + "http_connection.c",
          "atomic_fetch_add(loop->connection_count, 1) < loop->options->connections_max)",
          "atomic_fetch_add(loop->connection_count, 1) < 1000000000)")],
        program(HTTP + "http_server_test")),
    "connections_of_one_peer_are_bounded": (
        [(HTTP + "http_peers.c", "known->connections >= connections_max)",
          "known->connections == UINT32_MAX)")],
        program(HTTP + "http_server_test")),
    "one_host": (
        [(HTTP + "http1_session.c", "session->host_count != 1 &&", "session->host_count > 99 &&")],
        script("refusal", "requests_that_two_readers_would_read_differently_are_refused")),
    "unread_requests_shut_the_connection": (
        [(HTTP + "http2_session.c", "|| own->held_bytes > held_bytes_max)", ")")],
        program("tests/security/stream_limits_test")),
    "unread_answers_are_bounded_by_count": (
        [(RPC + "server/rpc_response.c", "call->output_count < stream_messages_max &&\n",
          "call->output_count < SIZE_MAX &&\n")],
        program("tests/security/stream_limits_test")),
    "unread_answers_are_bounded_by_bytes": (
        [(RPC + "server/rpc_response.c", "        http_queued(call->exchange) < http_queued_bytes_max)",
          "        http_queued(call->exchange) < SIZE_MAX)")],
        program("tests/security/stream_limits_test")),
    "writers_are_told_to_wait": (
        [(RPC + "server/rpc_response.c", "call->was_full = call->output_count >= stream_messages_max / 2 ||",
          "call->was_full = call->output_count >= SIZE_MAX ||")],
        program("tests/security/stream_limits_test")),
    "messages_are_bounded": (
        [(RPC + "server/rpc_request.c", "if (*size > call->loop->options->message_bytes_max) {",
          "if (*size > SIZE_MAX / 2) {")],
        program(RPC + "rpc_server_test")),
    "bodies_are_bounded": (
        [(RPC + "server/rpc_request.c", "if (call->input.size + bytes.size > limit) {",
          "if (call->input.size + bytes.size > SIZE_MAX - limit) {")],
        script("refusal", "bodies_beyond_the_limit_are_refused")),
    "bombs_are_bounded": (
        [(RPC + "server/rpc_loop.c", "buffer_init(&loop->inflated, bytes_max + 8192);",
          "buffer_init(&loop->inflated, bytes_max + ((size_t)1 << 40));")],
        script("refusal", "bombs_are_not_inflated")),
    "texts_are_utf8": (
        [(RPC + "messages/message_check.c", "if (!text_is_utf8(bytes))", "if (bytes.size > SIZE_MAX / 2)")],
        program(RPC + "rpc_server_test")),
    "texts_hold_no_nul": (
        [(RPC + "messages/message_check.c", "memchr(bytes.data, 0, bytes.size) != NULL)",
          "bytes.size > SIZE_MAX / 2)")],
        script("bad_input")),
    "elements_are_counted": (
        [(RPC + "messages/message_check.c", "if (counts[i] > rules->fields[i].count_max &&",
          "if (counts[i] > UINT32_MAX - 1 &&"),
         (RPC + "messages/message_check.c", "    if (repeated && *count > rules->fields[index].count_max)\n"
          "        return true; /* told once, at the message's end */\n", "")],
        script("refusal", "elements_beyond_the_limit_are_refused_before_they_are_unpacked")),
    "deadlines_end_calls": (
        [(RPC + "server/rpc_loop.c", "        rpc_call_deadline_passed(call);\n", "")],
        script("refusal", "calls_end_at_their_deadline_whoever_waits")),
    "tables_have_no_gap": (
        [(RPC + "services/method_table.c", "    if (entry->method == NULL)\n",
          "    if (entry->method == NULL && table->count > 100000)\n")],
        program(RPC + "rpc_server_test")),
    "get_has_no_effect": (
        [(RPC + "server/rpc_request.c", "call->method->method->idempotent) {",
          "call->method->method->unary != NULL) {")],
        script("refusal", "get_is_for_what_has_no_effect")),
    "pages_are_not_allowed": (
        [(RPC + "server/rpc_request.c", "    if (allowed.size == 0)\n        return false;\n",
          "    if (allowed.size == 0)\n        allowed = text_of(\"*\");\n")],
        script("refusal", "pages_may_not_call_unless_told")),
    "origins_are_compared": (
        [(RPC + "server/rpc_request.c",
          "        if (text_equal(text_trim(text_make(allowed.data, size)), origin))\n",
          "        if (text_starts_with(origin, text_trim(text_make(allowed.data, size))))\n")],
        script("refusal", "pages_of_the_named_origin_alone_may_call")),
    "plain_connections_stay_on_loopback": (
        [("src/main/process.c", ": listen_address_is_loopback(&address)))",
          ": address.ss_family != 0))")],
        script("tls", "plain_connections_stay_on_loopback_unless_told")),
    "passed_sockets_ask_for_tls_too": (
        [("src/main/process.c", "(is_passed ? ports->all_loopback :", "(is_passed ? is_passed :")],
        TAKEOVER + ["passed_socket_that_others_reach_needs_tls"]),
    "passed_sockets_must_listen": (
        [(IO + "passed_sockets.c", "&size) != 0 || listens == 0)", "&size) != 0)")],
        TAKEOVER + ["wrong_descriptors_are_refused_by_name"]),
    "a_drain_waits_until_its_notice_was_read": (
        [(HTTP + "http2_session.c", "        nghttp2_submit_ping(own->session,",
          "        -nghttp2_submit_ping(own->session,"),
         (HTTP + "http2_session.c", "NGHTTP2_FLAG_NONE, NULL) != 0)\n        tell",
          "NGHTTP2_FLAG_NONE, NULL) == 0)\n        tell")],
        program(HTTP + "http2_peer_test")),
    "a_drain_gives_http_1_a_moment": (
        [(HTTP + "http1_session.c",
          "           (!loop->draining || http_loop_drain_grace_is_over(loop));",
          "           loop != NULL;")],
        TAKEOVER + ["whole_process_with_several_threads_and_sockets_is_replaced_and_no_call_fails"]),
    "stores_are_waited_for": (
        [("src/main/process.c", "if (error.code != ERROR_LOCKED || now_us >=",
          "if (error.code == ERROR_LOCKED || now_us >=")],
        TAKEOVER + ["start_that_waits_for_a_store_gives_up_in_time_and_stops_when_told"]),
    "old_versions_of_tls_are_refused": (
        [(IO + "tls.c", "SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);",
          "SSL_CTX_set_min_proto_version(context, TLS1_VERSION);"),
         (IO + "tls.c", "\"ECDHE+AESGCM:ECDHE+CHACHA20\"", "\"ALL:@SECLEVEL=0\"")],
        script("tls", "versions_1_2_and_1_3_are_spoken_and_older_ones_refused")),
    "clients_show_a_certificate": (
        [(IO + "tls.c", "        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;\n",
          "        mode |= SSL_VERIFY_PEER;\n")],
        script("tls", "mutual_tls_takes_only_clients_of_the_authority")),
    "servers_show_their_name": (
        [(IO + "tls.c", "return X509_VERIFY_PARAM_set1_ip_asc(rules, server_name) == 1;",
          "return rules != NULL;")],
        script("tls", "our_own_client_checks_the_server_and_shows_its_certificate")),
}


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **more)


class Copy:
    """The sources in a directory of their own, built."""

    def __init__(self, directory):
        self.directory = os.path.join(directory, "waybill")
        self.build = os.path.join(directory, "build")
        listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
        for path in listed.stdout.split("\n"):
            if path and os.path.isfile(os.path.join(ROOT, path)):
                to = os.path.join(self.directory, path)
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copy2(os.path.join(ROOT, path), to)
        made = run(["meson", "setup", self.build, "-Doptimization=1", "-Dwerror=false"], cwd=self.directory,
                   env={**os.environ, "CC": "gcc"})
        assert made.returncode == 0, made.stdout
        self.make()

    def make(self):
        built = run(["ninja", "-C", self.build, *TARGETS])
        assert built.returncode == 0, built.stdout[-4000:]

    def suite_passes(self, suite):
        """Whether it does, and what it said."""
        if suite[0] in TARGETS:
            command = [os.path.join(self.build, suite[0]), *suite[1:]]
        else:
            command = [suite[0], os.path.join(self.directory, suite[1]), *suite[2:]]
        environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP", "WAYBILL_PROGRAM":
                       os.path.join(self.build, "src", "main", "waybill")}
        try:
            done = run(command, env=environment, timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return False, "it hangs"
        return done.returncode == 0, done.stdout

    def edit(self, edits):
        """Gives what puts the files back."""
        kept = {}
        for file, old, new in edits:
            path = os.path.join(self.directory, file)
            with open(path, encoding="utf-8") as source:
                text = source.read()
            kept.setdefault(path, text)
            if text.count(old) != 1:
                raise AssertionError(f"{file} has the text to replace {text.count(old)} times: "
                                     f"bring this guard up to date\n{old}")
            with open(path, "w", encoding="utf-8") as source:
                source.write(text.replace(old, new))
        return kept

    def without(self, edits, suite):
        """Whether the suite passes without the guard."""
        kept = {}
        try:
            kept = self.edit(edits)
            self.make()
            return self.suite_passes(suite)
        finally:
            for path, text in kept.items():
                with open(path, "w", encoding="utf-8") as source:
                    source.write(text)


def main():
    names = [name for name in GUARDS if not sys.argv[1:] or name in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="waybill-planted-guards-") as directory:
        copy = Copy(directory)

        def suites_pass_with_all_guards():
            seen = []
            for name in names:
                suite = GUARDS[name][1]
                if suite not in seen:
                    seen.append(suite)
                    passes, said = copy.suite_passes(suite)
                    assert passes, f"{suite}\n{said}"

        def case_of(name):
            def case():
                edits, suite = GUARDS[name]
                passes, said = copy.without(edits, suite)
                assert not passes, f"no case of {' '.join(suite)} misses it\n{said}"
                print("# " + next((line for line in said.splitlines() if line.startswith("not ok")),
                                  said.strip().splitlines()[-1] if said.strip() else "it crashed"))
            case.__name__ = name
            return case

        sys.argv = sys.argv[:1]
        tap.run([suites_pass_with_all_guards] + [case_of(name) for name in names])


main()
