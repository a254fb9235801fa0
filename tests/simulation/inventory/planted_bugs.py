#!/usr/bin/python3
"""Goal: the suites bite. Bugs of the kind that people make are planted into a copy of the sources, one at
a time, and every one must be caught by the contract, the differential test or the simulator
(RELIABILITY row 24); the copy without a bug must pass them all.

Method: a bug is a file, a text that stands in it exactly once, and what stands there instead. The copy is
compiled once, for each bug only the file with the bug again, by gcc itself, without Meson. A suite that
fails, crashes or hangs has caught it. Names of bugs on the command line select some.
"""

import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import tap  # noqa: E402

JOBS = 2
SUITE_SECONDS_MAX = 15  # more and it hangs, on a bug
FLAGS = ["-std=gnu17", "-O1", "-D_GNU_SOURCE", "-fno-strict-aliasing"]
LIBRARIES = ["-lcmocka", "-lcrypto", "-lxxhash", "-lpthread", "-lm"]

ROOMS = ["src/platform/base", "src/platform/storage", "src/inventory/domain",
         "src/inventory/application", "src/inventory/infrastructure/embedded",
         "tests/contract/inventory", "tests/simulation/inventory"]
SUPPORT = ["fake_clock", "temporary_directory", "test_executor", "inventory/inventory_call",
           "inventory/inventory_call_print", "inventory/inventory_model",
           "inventory/inventory_model_reservations", "inventory/inventory_model_state",
           "inventory/inventory_model_stock", "storage/crash_file_image",
           "storage/crash_file_system", "storage/crash_names"]

# Each is one program and its arguments; quick ones first. A bug's line names those that caught it.
SUITES = {
    "contract": ("tests/contract/inventory/embedded_contract_test.c", []),
    "disk full": ("tests/simulation/inventory/disk_full_test.c", []),
    "differential": ("tests/simulation/inventory/differential_test.c",
                     ["--seeds", "12", "--operations", "2000"]),
    "simulation": ("tests/simulation/inventory/inventory_simulation.c",
                   ["--seeds", "8", "--operations", "6000"]),
}

DOMAIN = "src/inventory/domain/"
EMBEDDED = "src/inventory/infrastructure/embedded/"

BUGS = {
    "hold_expires_a_microsecond_late": (
        DOMAIN + "reservation.c",
        "return expire_time_us <= now_us;",
        "return expire_time_us < now_us;"),
    "rollback_after_commit_is_taken_for_a_repeat": (
        DOMAIN + "reservation.c",
        "[RESERVATION_ROLLBACK] = {RESERVATION_REFUSES, RESERVATION_COMMITTED}",
        "[RESERVATION_ROLLBACK] = {RESERVATION_STAYS, RESERVATION_COMMITTED}"),
    "content_without_its_ttl": (
        DOMAIN + "reservation.c",
        "reservation->ttl_us == content->ttl_us &&",
        ""),
    "one_more_than_available_is_granted": (
        DOMAIN + "stock.c",
        "        return STOCK_ABOVE_QUANTITY;\n    if (quantity > stock_grantable(before))",
        "        return STOCK_ABOVE_QUANTITY;\n    if (quantity > stock_grantable(before) + 1)"),
    "partial_commit_keeps_the_rest_reserved": (
        DOMAIN + "stock.c",
        "after->reserved -= quantity;",
        "after->reserved -= committed > 0 ? committed : quantity;"),
    "adjustment_may_not_go_below_reserved": (
        DOMAIN + "stock.c",
        "if (delta < 0 && on_hand + delta < 0)",
        "if (delta < 0 && stock_available(before) + delta < 0)"),
    "note_is_no_part_of_an_adjustment": (
        EMBEDDED + "engine_stock_commands.c",
        "present.reason == wanted->reason && text_equal(present.note, wanted->note);",
        "present.reason == wanted->reason;"),
    "commit_again_with_other_lines_is_a_repeat": (
        EMBEDDED + "engine_reservation_commands.c",
        "same = present->lines[i].committed_quantity == committed[i];",
        "same = committed[i] >= 0;"),
    "shortage_tells_what_is_on_hand": (
        EMBEDDED + "engine_reservation_commands.c",
        ".available_quantity = stock_available(stock),",
        ".available_quantity = stock_on_hand(stock),"),
    "one_id_more_than_the_bound": (
        EMBEDDED + "engine_commands.c",
        "if (engine_state_id_count(&engine->state) >= engine->options.ids_max)",
        "if (engine_state_id_count(&engine->state) > engine->options.ids_max)"),
    "full_disk_does_not_stop_a_rollback": (
        EMBEDDED + "engine_reservation_commands.c",
        "if (!engine_may_write(engine, command) ||\n        !engine_copy_reservation(",
        "if (!engine_copy_reservation("),
    "answers_go_out_before_the_sync": (
        EMBEDDED + "engine.c",
        "        error = record_log_commit(engine->log);\n        if (error_is(error))\n"
        "            return error;\n        post_completions(commands + answered, decided);\n",
        "        post_completions(commands + answered, decided);\n"
        "        error = record_log_commit(engine->log);\n        if (error_is(error))\n"
        "            return error;\n"),
    "time_runs_back_with_the_clock": (
        EMBEDDED + "engine.c",
        "    if (clock_us > engine->now_us)\n        engine->now_us = clock_us;\n",
        "    engine->now_us = clock_us;\n"),
    "ids_are_forgotten_a_microsecond_early": (
        EMBEDDED + "engine.c",
        "engine->oldest_until_us[retention] = record.time_us + retention_us;",
        "engine->oldest_until_us[retention] = record.time_us + retention_us - 1;"),
    "expiry_is_dated_when_it_was_noticed": (
        EMBEDDED + "engine.c",
        "&record, RESERVATION_EXPIRED, held->expire_time_us, NULL);",
        "&record, RESERVATION_EXPIRED, engine->now_us, NULL);"),
    "holds_of_one_time_expire_in_any_order": (
        EMBEDDED + "engine_state.c",
        "return a->position < b->position;",
        "return a->position > b->position;"),
    "restart_forgets_the_highest_time": (
        EMBEDDED + "engine_recovery.c",
        "    if (record.time_us > engine->now_us)\n        engine->now_us = record.time_us;\n",
        ""),
    "restart_forgets_receipts": (
        EMBEDDED + "engine_recovery.c",
        "RECORD_STOCK_POLICY ||\n        !is_retained(engine, record->time_us, "
        "engine->options.committed_retention_us))",
        "RECORD_STOCK_POLICY ||\n        !is_retained(engine, record->time_us, "
        "engine->options.retention_us))"),
    "safety_stock_is_promised": (
        DOMAIN + "stock.c",
        "return stock_unreserved(stock) - stock->policy.safety_stock;",
        "return stock_unreserved(stock);"),
    "one_reservation_may_have_less_than_its_limit": (
        DOMAIN + "stock.c",
        "return quantity_max == 0 || quantity <= quantity_max;",
        "return quantity_max == 0 || quantity < quantity_max;"),
    "first_receipt_raises_an_alert": (
        DOMAIN + "stock.c",
        "before->revision == 0 ? crossing.after : stock_state(before)",
        "stock_state(before)"),
    "shortage_is_told_again_by_each_count": (
        DOMAIN + "stock.c",
        "is_count && stock_available(before) >= 0 && stock_available(after) < 0",
        "is_count && stock_available(after) < 0"),
    "policy_in_force_is_refused_by_its_revision": (
        DOMAIN + "stock.c",
        "    if (is_same_policy(&before->policy, policy))\n        return STOCK_UNCHANGED;\n"
        "    if (expected_revision != 0 && expected_revision != before->revision)\n"
        "        return STOCK_REVISION_DIFFERENT;\n",
        "    if (expected_revision != 0 && expected_revision != before->revision)\n"
        "        return STOCK_REVISION_DIFFERENT;\n"
        "    if (is_same_policy(&before->policy, policy))\n        return STOCK_UNCHANGED;\n"),
    "partial_hold_is_known_by_what_it_got": (
        DOMAIN + "reservation.c",
        "    if (reservation->allow_partial)\n        return text_equal(reservation->requested",
        "    if (at >= reservation->line_count)\n        return text_equal(reservation->requested"),
    "partial_hold_of_nothing_is_granted": (
        EMBEDDED + "engine_reservation_commands.c",
        "(command->allow_partial && holds->count > 0)",
        "(command->allow_partial && command->shortage_count > 1)"),
    "expiry_raises_no_alert": (
        EMBEDDED + "engine.c",
        "record->crossings[i] = stock_crossing(&skus[i]->stock, &stocks[i], false);",
        "record->crossings[i] = (struct stock_crossing){0};"),
    "listing_goes_on_at_the_last_name_again": (
        EMBEDDED + "sku_order.c",
        "if (text_compare(name, sku_name(root)) < 0) {",
        "if (text_compare(name, sku_name(root)) <= 0) {"),
    "extension_may_shorten": (
        EMBEDDED + "engine_reservation_commands.c",
        "if (engine->now_us + command->ttl_us <= record.reservation.expire_time_us)",
        "if (engine->now_us + command->ttl_us == record.reservation.expire_time_us)"),
    "extended_hold_keeps_its_place_in_time": (
        EMBEDDED + "engine_state.c",
        "due_sink(state, held->due_index, extended); /* it falls due later */",
        "due_place(state, held->due_index, extended);"),
    "retake_takes_what_is_not_free": (
        DOMAIN + "stock.c",
        "    if (quantity > stock_grantable(before))\n        return STOCK_INSUFFICIENT;\n"
        "    changed(before, now_us, after);\n    after->committed += quantity;",
        "    changed(before, now_us, after);\n    after->committed += quantity;"),
    "retake_takes_lines_that_were_not_asked_for": (
        EMBEDDED + "engine_resolved_commands.c",
        "touched->skus[i] = committed[i] == 0 ? NULL : sku;",
        "touched->skus[i] = sku;"),
    "goods_come_back_twice": (
        DOMAIN + "reservation.c",
        "lines[asked].quantity > line->committed_quantity - line->returned_quantity",
        "lines[asked].quantity > line->committed_quantity"),
    "return_again_for_another_reason_is_a_repeat": (
        EMBEDDED + "engine_resolved_commands.c",
        "        present->return_reason != command->reason)",
        "        command->reason == 0)"),
    "retaken_one_is_forgotten_with_the_expired_one": (
        EMBEDDED + "engine_state.c",
        "return value == *(const uint64_t *)context;",
        "return value >= *(const uint64_t *)context;"),
    "restart_mistakes_a_forgotten_reservation_for_its_successor": (
        EMBEDDED + "engine_recovery.c",
        "    engine_forget_due(engine); /* else it might find one that had this id before */\n",
        ""),
    "list_shows_an_id_that_stands_for_a_later_reservation": (
        EMBEDDED + "engine_reservation_listing.c",
        "if (!found || present.reservation.create_time_us != create_time_us)",
        "if (!found || create_time_us == 0)"),
    "list_of_an_order_shows_strangers": (
        EMBEDDED + "engine_reservation_listing.c",
        "(command->order_id.size == 0 || text_equal(command->order_id, reservation->order_id))",
        "true"),
    "pages_repeat_their_last_reservation": (
        EMBEDDED + "engine_reservation_listing.c",
        "engine->state.due[i]->create_position < command->after)",
        "engine->state.due[i]->create_position <= command->after)"),
    "movement_on_the_shelf_counts_again": (
        EMBEDDED + "engine_stock_commands.c",
        "           place.position <= engine->shelf_position;",
        "           place.position < engine->shelf_position;"),
    "restart_forgets_how_far_the_shelf_was_followed": (
        EMBEDDED + "engine_recovery.c",
        "    if (record.shelf.position != 0)\n        engine_set_shelf_place(engine, record.shelf);\n",
        ""),
    "store_that_follows_the_shelf_takes_receipts": (
        EMBEDDED + "engine_stock_commands.c",
        "    if (engine->options.on_hand_source == ON_HAND_WAREHOUSE) {\n"
        "        engine_refuse(&command->base, INVENTORY_FED_BY_WAREHOUSE);",
        "    if (engine->options.on_hand_source == ON_HAND_WAREHOUSE && command->quantity < 0) {\n"
        "        engine_refuse(&command->base, INVENTORY_FED_BY_WAREHOUSE);"),
    "ledger_chain_skips_an_entry_of_a_partial_commit": (
        EMBEDDED + "inventory_record.c",
        "line->quantity - line->committed_quantity);",
        "0 * line->quantity);"),
}


def sources_of(room):
    return [path for path in sorted(glob.glob(f"{room}/*.c"))
            if not path.endswith(("_test.c", "_fuzz.c", "inventory_simulation.c"))]


class Copy:
    """The sources in a directory of their own, compiled; and what a bug makes of them."""

    def __init__(self, directory):
        self.directory = directory
        for part in ["src", "tests"]:
            shutil.copytree(os.path.join(ROOT, part), os.path.join(directory, part))
        os.chdir(directory)
        sources = [f"tests/support/{name}.c" for name in SUPPORT]
        for room in ROOMS:
            sources += sources_of(room)
        sources += [main for main, _ in SUITES.values()]
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            self.objects = dict(zip(sources, pool.map(self.compile, sources)))

    def compile(self, source, to=None):
        to = to or source[:-2] + ".o"
        subprocess.run(["gcc", *FLAGS, "-Isrc", "-I.", "-c", source, "-o", to], check=True)
        return to

    def link(self, objects, suite, program):
        mains = {main for main, _ in SUITES.values()} - {SUITES[suite][0]}
        parts = [part for source, part in objects.items() if source not in mains]
        subprocess.run(["gcc", *parts, "-o", program, *LIBRARIES], check=True)

    def caught_by(self, suite, objects, name, seconds_max=SUITE_SECONDS_MAX):
        """Whether the suite fails with these objects; its output if it does."""
        program = os.path.join(self.directory, f"{name}-{suite.replace(' ', '-')}")
        self.link(objects, suite, program)
        try:
            done = subprocess.run([program, *SUITES[suite][1]], timeout=seconds_max,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
            return done.returncode != 0, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired:
            return True, "it hangs"
        finally:
            os.remove(program)

    def plant(self, name):
        """The objects with the bug in them."""
        file, old, new = BUGS[name]
        with open(file, encoding="utf-8") as source:
            text = source.read()
        if text.count(old) != 1:
            raise AssertionError(f"{file} has the text to replace {text.count(old)} times: "
                                 f"bring this bug up to date\n{old}")
        mutant = f"{file[:-2]}-{name}.c"
        with open(mutant, "w", encoding="utf-8") as source:
            source.write(text.replace(old, new))
        return {**self.objects, file: self.compile(mutant)}


def check(copy, name):
    """Runs the suites on one bug and gives the line to print; raises if none caught it."""
    objects = copy.plant(name)
    caught = [suite for suite in SUITES if copy.caught_by(suite, objects, name)[0]]
    if not caught:
        raise AssertionError("no suite has caught it")
    return "caught by " + ", ".join(caught)


def main():
    with tempfile.TemporaryDirectory(prefix="waybill-planted-bugs-") as directory:
        copy = Copy(directory)
        pool = concurrent.futures.ThreadPoolExecutor(JOBS)
        names = [name for name in BUGS if not sys.argv[1:] or name in sys.argv[1:]]
        results = {name: pool.submit(check, copy, name) for name in names}

        def sources_without_a_bug_pass():
            for suite in SUITES:
                failed, output = copy.caught_by(suite, copy.objects, "no-bug", 10 * SUITE_SECONDS_MAX)
                assert not failed, f"{suite}\n{output}"

        def case_of(name):
            def case():
                print(f"# {results[name].result()}")
            case.__name__ = name
            return case

        cases = [sources_without_a_bug_pass] + [case_of(name) for name in names]
        sys.argv = sys.argv[:1]
        tap.run(cases)


main()
