/*
 * Goal: what a commit acknowledged survives everything that a disk may do, and what does not
 * survive is never taken for good. Method: a log on the crash file system; a power failure, kill or
 * fault at every single operation; several outcomes of each; then the log is opened again and must
 * hold exactly the first records, at least all acknowledged ones, and must go on as if nothing had
 * been.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tests/support/storage/crash_file_system.h"
#include "tests/support/storage/record_log_kit.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum {
    batches = 30,
    outcomes = 16,
};

static uint64_t seed;

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s (seed %llu)", error.detail, (unsigned long long)seed);
}

static void assert_code(struct error error, enum error_code code)
{
    if (error.code != code)
        fail_msg("got %s, not %s: %s (seed %llu)", error_text(error.code), error_text(code),
                 error.detail, (unsigned long long)seed);
}

/* Opens the log on `disk`: it must hold between `least` and `most` records. Leaves it open. */
static void assert_recovers(struct record_log_kit *kit, struct crash_file_system *disk,
                            uint64_t least, uint64_t most)
{
    assert_good(record_log_kit_open(kit, crash_file_system_port(disk)));
    assert_false(kit->replay_is_wrong);
    assert_in_range(kit->replayed, least, most);
}

/* The log goes on after a recovery: more batches, closed, opened, all there. */
static void assert_goes_on(struct crash_file_system *disk, uint64_t least, uint64_t most)
{
    struct record_log_kit kit = record_log_kit_make();
    assert_recovers(&kit, disk, least, most);
    assert_good(record_log_kit_fill(&kit, 5));
    uint64_t committed = kit.committed;
    record_log_kit_close(&kit);
    assert_recovers(&kit, disk, committed, committed);
    record_log_kit_close(&kit);
}

/* Opens a log and fills it until something happens. The kit tells how far it came. */
static struct record_log_kit run(struct crash_file_system *disk)
{
    struct record_log_kit kit = record_log_kit_make();
    struct error error = record_log_kit_open(&kit, crash_file_system_port(disk));
    if (!error_is(error))
        error = record_log_kit_fill(&kit, batches);
    (void)error;
    return kit;
}

static uint64_t changes_of_a_run(void)
{
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = run(disk);
    uint64_t changes = crash_file_system_changes(disk);
    assert_int_equal(kit.committed, kit.appended);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
    return changes;
}

static enum unsynced_fate fate_of(unsigned outcome)
{
    if (outcome == 0)
        return UNSYNCED_LOST;
    return outcome == 1 ? UNSYNCED_KEPT : UNSYNCED_RANDOM;
}

static void power_failure_at_any_change_keeps_what_was_committed(void **state)
{
    (void)state;
    uint64_t changes = changes_of_a_run();
    assert_true(changes > 3 * batches);
    for (uint64_t at = 1; at <= changes; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        crash_file_system_cut_power(disk, at);
        struct record_log_kit kit = run(disk);
        for (unsigned outcome = 0; outcome < outcomes; outcome++) {
            struct crash_file_system *after = crash_file_system_after_power_failure(
                disk, fate_of(outcome), seed + at * outcomes + outcome);
            assert_goes_on(after, kit.committed, kit.appended);
            crash_file_system_destroy(after);
        }
        record_log_kit_close(&kit);
        crash_file_system_destroy(disk);
    }
}

static void power_failure_during_recovery_keeps_what_was_committed(void **state)
{
    (void)state;
    uint64_t changes = changes_of_a_run();
    for (uint64_t at = changes / 2; at <= changes; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        crash_file_system_cut_power(disk, at);
        struct record_log_kit kit = run(disk);
        bool completed = false;
        for (uint64_t again = 1; !completed; again++) {
            struct crash_file_system *first =
                crash_file_system_after_power_failure(disk, UNSYNCED_RANDOM, seed + at);
            crash_file_system_cut_power(first, again);
            struct record_log_kit second = record_log_kit_make();
            completed = !error_is(record_log_kit_open(&second, crash_file_system_port(first)));
            uint64_t least = completed ? second.replayed : kit.committed;
            for (unsigned outcome = 0; outcome < 4; outcome++) {
                struct crash_file_system *after = crash_file_system_after_power_failure(
                    first, fate_of(outcome), seed + again * outcomes + outcome);
                assert_goes_on(after, least, kit.appended);
                crash_file_system_destroy(after);
            }
            record_log_kit_close(&second);
            crash_file_system_destroy(first);
        }
        record_log_kit_close(&kit);
        crash_file_system_destroy(disk);
    }
}

static void kill_at_any_change_keeps_what_was_committed(void **state)
{
    (void)state;
    uint64_t changes = changes_of_a_run();
    for (uint64_t at = 1; at <= changes; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        crash_file_system_cut_power(disk, at);
        struct record_log_kit kit = run(disk);
        struct crash_file_system *after = crash_file_system_after_kill(disk);
        assert_goes_on(after, kit.committed, kit.appended);
        crash_file_system_destroy(after);
        record_log_kit_close(&kit);
        crash_file_system_destroy(disk);
    }
}

/* Whoever opened the log after a kill may have told others what is in it. */
static void what_a_recovery_showed_survives_a_power_failure(void **state)
{
    (void)state;
    uint64_t changes = changes_of_a_run();
    for (uint64_t at = 1; at <= changes; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        crash_file_system_cut_power(disk, at);
        struct record_log_kit kit = run(disk);
        struct crash_file_system *killed = crash_file_system_after_kill(disk);
        struct record_log_kit second = record_log_kit_make();
        assert_recovers(&second, killed, kit.committed, kit.appended);
        for (unsigned outcome = 0; outcome < 4; outcome++) {
            struct crash_file_system *after = crash_file_system_after_power_failure(
                killed, fate_of(outcome), seed + at * outcomes + outcome);
            assert_goes_on(after, second.replayed, second.replayed);
            crash_file_system_destroy(after);
        }
        record_log_kit_close(&second);
        crash_file_system_destroy(killed);
        record_log_kit_close(&kit);
        crash_file_system_destroy(disk);
    }
}

/* --- failed operations --- */

/* Runs with a fault at every k-th operation of a kind until none is hit; `after` judges each. */
static void fail_every(const struct crash_fault *kind,
                       void (*judge)(struct crash_file_system *disk, struct record_log_kit *kit))
{
    for (uint64_t at = 1;; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed + at);
        struct crash_fault fault = *kind;
        fault.at = at;
        crash_file_system_set_fault(disk, &fault);
        struct record_log_kit kit = run(disk);
        bool hit = crash_file_system_count(disk, fault.operation) >= at;
        fault.at = 0;
        crash_file_system_set_fault(disk, &fault);
        judge(disk, &kit);
        record_log_kit_close(&kit);
        crash_file_system_destroy(disk);
        if (!hit)
            return;
        assert_true(at < 10000);
    }
}

/* The process ends after the failure; then the power may fail, too. */
static void assert_survives(struct crash_file_system *disk, struct record_log_kit *kit)
{
    struct crash_file_system *killed = crash_file_system_after_kill(disk);
    struct record_log_kit second = record_log_kit_make();
    for (unsigned outcome = 0; outcome < 4; outcome++) {
        struct crash_file_system *after =
            crash_file_system_after_power_failure(disk, fate_of(outcome), seed + outcome);
        assert_goes_on(after, kit->committed, kit->appended);
        crash_file_system_destroy(after);
    }
    assert_recovers(&second, killed, kit->committed, kit->appended);
    struct crash_file_system *after =
        crash_file_system_after_power_failure(killed, UNSYNCED_LOST, seed);
    assert_goes_on(after, second.replayed, second.replayed);
    crash_file_system_destroy(after);
    record_log_kit_close(&second);
    crash_file_system_destroy(killed);
}

/* Nothing may be acknowledged after a failure of this kind. */
static void judge_final_failure(struct crash_file_system *disk, struct record_log_kit *kit)
{
    if (kit->log != NULL && kit->committed < kit->appended) {
        assert_true(error_is(record_log_commit(kit->log)));
        assert_true(error_is(record_log_claim(kit->log)));
        assert_int_equal(record_log_room(kit->log), 0);
    }
    assert_survives(disk, kit);
}

static void failed_sync_is_final(void **state)
{
    (void)state;
    struct crash_fault fault = {.operation = CRASH_OPERATION_SYNC, .code = ERROR_INPUT_OUTPUT};
    fail_every(&fault, judge_final_failure);
}

static void failed_write_is_final(void **state)
{
    (void)state;
    struct crash_fault fault = {.operation = CRASH_OPERATION_WRITE, .code = ERROR_INPUT_OUTPUT};
    fail_every(&fault, judge_final_failure);
    fault.partly = true;
    fail_every(&fault, judge_final_failure);
}

static void failed_names_lose_nothing(void **state)
{
    (void)state;
    struct crash_fault fault = {.operation = CRASH_OPERATION_NAME, .code = ERROR_INPUT_OUTPUT};
    fail_every(&fault, judge_final_failure);
    fault.operation = CRASH_OPERATION_SYNC_DIRECTORY;
    fail_every(&fault, judge_final_failure);
}

/* Where the disk was full before a batch was begun, the log goes on when there is room again. */
static void judge_full_disk(struct crash_file_system *disk, struct record_log_kit *kit)
{
    if (kit->log != NULL && kit->committed == kit->appended)
        assert_good(record_log_kit_fill(kit, 10));
    judge_final_failure(disk, kit);
}

static void full_disk_at_any_write_loses_nothing(void **state)
{
    (void)state;
    struct crash_fault fault = {.operation = CRASH_OPERATION_WRITE, .code = ERROR_DISK_FULL};
    fail_every(&fault, judge_full_disk);
    fault.partly = true;
    fail_every(&fault, judge_full_disk);
    fault = (struct crash_fault){.operation = CRASH_OPERATION_NAME, .code = ERROR_DISK_FULL};
    fail_every(&fault, judge_full_disk);
}

static void full_disk_shows_in_claim_and_passes(void **state)
{
    (void)state;
    for (uint64_t room = 0; room < 20000; room += 100) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        struct record_log_kit kit = record_log_kit_make();
        struct buffer record;
        buffer_init(&record, kit_record_bytes_max);
        assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
        assert_good(record_log_kit_commit(&kit, 1));
        uint64_t position = kit.last_position;
        crash_file_system_set_room(disk, room);
        assert_code(record_log_kit_fill(&kit, 1000), ERROR_DISK_FULL);
        assert_int_equal(kit.committed, kit.appended);
        assert_code(record_log_claim(kit.log), ERROR_DISK_FULL);
        assert_int_equal(record_log_room(kit.log), 0);
        assert_good(record_log_commit(kit.log));
        assert_good(record_log_read(kit.log, position, &record));
        crash_file_system_set_room(disk, UINT64_MAX);
        assert_good(record_log_kit_fill(&kit, 20));
        uint64_t committed = kit.committed;
        record_log_kit_close(&kit);
        assert_goes_on(disk, committed, committed);
        buffer_deinit(&record);
        crash_file_system_destroy(disk);
    }
}

static void unreadable_disk_is_an_error_not_damage(void **state)
{
    (void)state;
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = run(disk);
    uint64_t committed = kit.committed;
    record_log_kit_close(&kit);
    struct error error;
    uint64_t at = 0;
    do {
        struct crash_fault fault = {
            .operation = CRASH_OPERATION_READ, .at = ++at, .code = ERROR_INPUT_OUTPUT};
        crash_file_system_set_fault(disk, &fault);
        error = record_log_kit_open(&kit, crash_file_system_port(disk));
        if (error_is(error))
            assert_code(error, ERROR_INPUT_OUTPUT);
    } while (error_is(error));
    assert_true(at > 5);
    assert_int_equal(kit.replayed, committed);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

/* --- failed allocations --- */

/* OpenSSL takes its memory through the same door. */
static void *crypto_allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_allocate(size);
}

static void *crypto_reallocate(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_reallocate(block, size);
}

static void crypto_release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    memory_release(block);
}

static void failed_allocation_loses_nothing(void **state)
{
    (void)state;
    for (int repeat = 0; repeat < 2; repeat++) {
        bool failed = true;
        for (uint64_t at = 0; failed; at++) {
            struct crash_file_system *disk = crash_file_system_create(seed);
            uint64_t before = memory_allocation_count();
            memory_fail_after(at, repeat);
            struct record_log_kit kit = run(disk);
            failed = memory_allocation_count() - before > at;
            memory_fail_after(UINT64_MAX, 0);
            if (kit.log != NULL)
                assert_int_equal(kit.committed, kit.appended);
            record_log_kit_close(&kit);
            assert_goes_on(disk, kit.committed, kit.appended);
            memory_fail_after(at, repeat);
            struct error error = record_log_kit_open(&kit, crash_file_system_port(disk));
            memory_fail_after(UINT64_MAX, 0);
            if (error_is(error))
                assert_code(error, ERROR_OUT_OF_MEMORY);
            record_log_kit_close(&kit);
            crash_file_system_destroy(disk);
        }
    }
}

int main(void)
{
    const char *given = getenv("WAYBILL_SEED");
    seed = given == NULL ? 1 : strtoull(given, NULL, 10);
    print_message("# seed %llu; again with WAYBILL_SEED=%llu\n", (unsigned long long)seed,
                  (unsigned long long)seed);
    log_configure(LOG_LEVEL_ERROR, false);
    if (CRYPTO_set_mem_functions(crypto_allocate, crypto_reallocate, crypto_release) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_failure_at_any_change_keeps_what_was_committed),
        cmocka_unit_test(power_failure_during_recovery_keeps_what_was_committed),
        cmocka_unit_test(kill_at_any_change_keeps_what_was_committed),
        cmocka_unit_test(what_a_recovery_showed_survives_a_power_failure),
        cmocka_unit_test(failed_sync_is_final),
        cmocka_unit_test(failed_write_is_final),
        cmocka_unit_test(failed_names_lose_nothing),
        cmocka_unit_test(full_disk_at_any_write_loses_nothing),
        cmocka_unit_test(full_disk_shows_in_claim_and_passes),
        cmocka_unit_test(unreadable_disk_is_an_error_not_damage),
        cmocka_unit_test(failed_allocation_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
