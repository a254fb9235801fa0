/*
 * Goal: a log from which old segments were removed is a whole log from there on, whenever the
 * machine stops; a reader gets every record behind its place exactly once, or is told that the
 * place is gone. Method: the crash file system; a removal after every few batches; a power failure
 * at every change; readers that start at every record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/base/random.h"
#include "platform/storage/log_identity.h"
#include "platform/storage/record_log_reader.h"
#include "tests/support/storage/crash_file_system.h"
#include "tests/support/storage/record_log_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rounds = 12, batches_a_round = 9, outcomes = 8, records_max = 2000 };

static uint64_t seed;

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s (seed %llu)", error.detail, (unsigned long long)seed);
}

/* What a log holds, learnt from a walk: positions and numbers of its records. */
struct contents {
    size_t count;
    uint64_t positions[records_max];
    uint64_t ends[records_max];
    uint64_t first_number; /* of the kit's records, told by the bytes */
    size_t left;           /* how many more the visitor takes */
    bool wrong;
};

/* The number of a kit's record is found by comparing: it begins at `from`. */
static bool number_of(struct text record, uint64_t from, uint64_t *number)
{
    for (*number = from; *number < from + records_max; (*number)++) {
        char bytes[kit_record_bytes_max];
        size_t size = kit_record_encode(*number, bytes);
        if (text_equal(record, text_make(bytes, size)))
            return true;
    }
    return false;
}

static bool visit(void *context, uint64_t position, uint64_t end, struct text record)
{
    struct contents *contents = context;
    char bytes[kit_record_bytes_max];
    if (contents->count == 0)
        contents->wrong = !number_of(record, 0, &contents->first_number);
    size_t size = kit_record_encode(contents->first_number + contents->count, bytes);
    contents->wrong = contents->wrong || !text_equal(record, text_make(bytes, size)) ||
                      contents->count == records_max;
    if (contents->wrong)
        return false;
    contents->positions[contents->count] = position;
    contents->ends[contents->count++] = end;
    return --contents->left > 0;
}

static struct error read_from(struct record_log_reader *reader, uint64_t after, size_t most,
                              struct contents *contents)
{
    *contents = (struct contents){.left = most};
    return record_log_reader_read(reader, after, visit, contents);
}

static struct error pass_over(void *context, uint64_t position, struct text record)
{
    (void)context;
    (void)position;
    (void)record;
    return error_none();
}

/* Opens the log as it is, whatever number it begins with. */
static struct error open_any(struct record_log **log, struct crash_file_system *disk)
{
    struct record_log_kit kit = record_log_kit_make();
    return record_log_open(log, crash_file_system_port(disk), &kit.options, pass_over, NULL);
}

static void a_reader_gets_every_record_from_any_place(void **state)
{
    (void)state;
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = record_log_kit_make();
    struct record_log_reader *reader;
    static struct contents all;
    static struct contents part;
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_fill(&kit, 60));
    assert_good(record_log_reader_create(&reader, kit.log));
    assert_good(read_from(reader, 0, SIZE_MAX, &all));
    assert_false(all.wrong);
    assert_int_equal(all.count, kit.committed);
    for (size_t i = 0; i < all.count; i++) {
        uint64_t places[] = {all.positions[i], all.positions[i] + 1, all.ends[i] - 1};
        for (size_t j = 0; j < 3; j++) {
            assert_good(read_from(reader, places[j], 5, &part));
            assert_int_equal(part.positions[0], all.positions[i]);
            assert_int_equal(part.first_number, i);
            assert_int_equal(part.count, all.count - i < 5 ? all.count - i : 5);
        }
    }
    /* What is committed later is given by the same reader. */
    uint64_t end = record_log_committed_end(kit.log);
    assert_good(read_from(reader, end, SIZE_MAX, &part));
    assert_int_equal(part.count, 0);
    assert_good(record_log_kit_commit(&kit, 2));
    assert_good(read_from(reader, end, SIZE_MAX, &part));
    assert_int_equal(part.count, 2);
    struct error error = read_from(reader, record_log_committed_end(kit.log) + 1, 1, &part);
    assert_int_equal(error.code, ERROR_CURSOR_EXPIRED);
    record_log_reader_destroy(reader);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

/* Fills and removes until the power goes; *kept and *committed tell what must be there after. */
static void run(struct crash_file_system *disk, uint64_t *oldest, uint64_t *committed)
{
    struct record_log_kit kit = record_log_kit_make();
    struct error error = record_log_kit_open(&kit, crash_file_system_port(disk));
    *oldest = 0;
    *committed = 0;
    for (int round = 0; round < rounds && !error_is(error); round++) {
        uint64_t before = record_log_end(kit.log);
        if (round % 3 == 1)
            record_log_seal(kit.log);
        error = record_log_kit_fill(&kit, batches_a_round);
        *committed = kit.committed;
        if (!error_is(error))
            error = record_log_remove_before(kit.log, before);
        *oldest = kit.log == NULL ? 0 : record_log_oldest(kit.log);
    }
    record_log_kit_close(&kit);
}

static void removal_survives_a_power_failure_at_any_change(void **state)
{
    (void)state;
    uint64_t oldest;
    uint64_t committed;
    struct crash_file_system *whole = crash_file_system_create(seed);
    run(whole, &oldest, &committed);
    uint64_t changes = crash_file_system_changes(whole);
    assert_true(oldest > 0);
    crash_file_system_destroy(whole);
    for (uint64_t at = 1; at <= changes; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        crash_file_system_cut_power(disk, at);
        run(disk, &oldest, &committed);
        for (unsigned outcome = 0; outcome < outcomes; outcome++) {
            struct crash_file_system *after =
                crash_file_system_after_power_failure(disk,
                                                      outcome == 0   ? UNSYNCED_LOST
                                                      : outcome == 1 ? UNSYNCED_KEPT
                                                                     : UNSYNCED_RANDOM,
                                                      seed + at * outcomes + outcome);
            struct record_log *log;
            struct record_log_reader *reader;
            static struct contents all;
            assert_good(open_any(&log, after));
            assert_true(record_log_oldest(log) >= oldest);
            assert_good(record_log_reader_create(&reader, log));
            assert_good(read_from(reader, record_log_oldest(log), SIZE_MAX, &all));
            assert_false(all.wrong);
            assert_true(all.first_number + all.count >= committed);
            uint8_t head[32];
            uint8_t scanned[32];
            record_log_chain_head(log, head);
            assert_good(record_log_scan(log, UINT64_MAX, pass_over, NULL, scanned));
            assert_memory_equal(head, scanned, sizeof head);
            record_log_reader_destroy(reader);
            record_log_close(log);
            crash_file_system_destroy(after);
        }
        crash_file_system_destroy(disk);
    }
}

static void a_place_in_a_removed_segment_has_expired(void **state)
{
    (void)state;
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = record_log_kit_make();
    struct record_log_reader *reader;
    static struct contents part;
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_fill(&kit, 40));
    assert_good(record_log_reader_create(&reader, kit.log));
    assert_good(read_from(reader, 0, 1, &part)); /* it stands in the first segment */
    assert_good(record_log_remove_before(kit.log, record_log_end(kit.log)));
    uint64_t oldest = record_log_oldest(kit.log);
    assert_true(oldest > 0);
    assert_int_equal(read_from(reader, oldest - 1, 1, &part).code, ERROR_CURSOR_EXPIRED);
    assert_int_equal(read_from(reader, 0, 1, &part).code, ERROR_CURSOR_EXPIRED);
    assert_good(read_from(reader, oldest, SIZE_MAX, &part));
    assert_true(part.count > 0 && part.positions[0] > oldest);
    record_log_reader_destroy(reader);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

static void what_is_sealed_can_be_removed_though_its_segment_has_room(void **state)
{
    (void)state;
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = record_log_kit_make();
    struct record_log_reader *reader;
    static struct contents all;
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_fill(&kit, 1));
    uint64_t end = record_log_committed_end(kit.log);
    assert_int_equal(record_log_newest_segment(kit.log), 0);
    assert_good(record_log_remove_before(kit.log, end));
    assert_int_equal(record_log_oldest(kit.log), 0);
    assert_good(record_log_claim(kit.log)); /* also of a batch that is open, and empty */
    record_log_seal(kit.log);
    assert_good(record_log_claim(kit.log));
    uint64_t newest = record_log_newest_segment(kit.log);
    assert_true(newest >= end);
    assert_good(record_log_reader_create(&reader, kit.log));
    assert_good(read_from(reader, end, SIZE_MAX, &all));
    assert_int_equal(all.count, 0);
    assert_good(record_log_kit_commit(&kit, 1));
    assert_int_equal(record_log_newest_segment(kit.log), newest); /* once */
    assert_good(read_from(reader, 0, SIZE_MAX, &all));
    assert_int_equal(all.count, 2);
    assert_good(record_log_remove_before(kit.log, newest));
    assert_int_equal(record_log_oldest(kit.log), newest);
    record_log_reader_destroy(reader);
    record_log_kit_close(&kit);
    assert_good(open_any(&kit.log, disk));
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

static void without_room_for_a_segment_sealing_waits(void **state)
{
    (void)state;
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = record_log_kit_make();
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_fill(&kit, 1));
    crash_file_system_set_room(disk, 0);
    record_log_seal(kit.log);
    assert_good(record_log_kit_fill(&kit, 1));
    assert_int_equal(record_log_newest_segment(kit.log), 0);
    crash_file_system_set_room(disk, UINT64_MAX);
    record_log_seal(kit.log);
    assert_good(record_log_kit_fill(&kit, 1));
    assert_true(record_log_newest_segment(kit.log) > 0);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

static void a_missing_segment_is_damage_also_after_a_removal(void **state)
{
    (void)state;
    struct crash_file_system *disk = crash_file_system_create(seed);
    struct record_log_kit kit = record_log_kit_make();
    struct record_log *log;
    char path[64];
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_fill(&kit, 60));
    assert_good(record_log_remove_before(kit.log, record_log_end(kit.log) / 2));
    snprintf(path, sizeof path, "log/%020llu.log", (unsigned long long)record_log_oldest(kit.log));
    record_log_kit_close(&kit);
    assert_good(file_system_remove(crash_file_system_port(disk), path));
    assert_int_equal(open_any(&log, disk).code, ERROR_DAMAGED);
    crash_file_system_destroy(disk);
}

static void an_identity_is_made_once_and_for_ever(void **state)
{
    (void)state;
    struct random_seeded random;
    char first[log_identity_bytes];
    char again[log_identity_bytes];
    random_seeded_init(&random, seed);
    for (uint64_t at = 0; at < 6; at++) {
        struct crash_file_system *disk = crash_file_system_create(seed);
        struct file_system *fs = crash_file_system_port(disk);
        assert_good(file_system_create_directory(fs, "log"));
        crash_file_system_cut_power(disk, at);
        struct error error = log_identity_open(fs, "log", &random.base, first);
        for (unsigned outcome = 0; outcome < outcomes; outcome++) {
            struct crash_file_system *after =
                crash_file_system_after_power_failure(disk, UNSYNCED_RANDOM, seed + outcome);
            assert_good(
                log_identity_open(crash_file_system_port(after), "log", &random.base, again));
            if (!error_is(error))
                assert_string_equal(first, again);
            assert_int_equal(strlen(again), log_identity_bytes - 1);
            crash_file_system_destroy(after);
        }
        crash_file_system_destroy(disk);
    }
}

int main(void)
{
    const char *text = getenv("WAYBILL_SEED");
    seed = text == NULL ? 20261125 : strtoull(text, NULL, 10);
    print_message("# seed %llu; WAYBILL_SEED replays another\n", (unsigned long long)seed);
    log_configure(LOG_LEVEL_OFF, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_gets_every_record_from_any_place),
        cmocka_unit_test(removal_survives_a_power_failure_at_any_change),
        cmocka_unit_test(a_place_in_a_removed_segment_has_expired),
        cmocka_unit_test(what_is_sealed_can_be_removed_though_its_segment_has_room),
        cmocka_unit_test(without_room_for_a_segment_sealing_waits),
        cmocka_unit_test(a_missing_segment_is_damage_also_after_a_removal),
        cmocka_unit_test(an_identity_is_made_once_and_for_ever),
    };
    return cmocka_run_group_tests_name("record_log_removal", tests, NULL, NULL);
}
