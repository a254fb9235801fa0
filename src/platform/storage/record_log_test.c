/*
 * Goal: the contract of record_log.h where nothing fails. Method: logs on the crash file system
 * with segments of 4 KiB, so that a few batches make several.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/storage/record_log_format.h"
#include "tests/support/storage/crash_file_system.h"
#include "tests/support/storage/record_log_kit.h"

#include <string.h>

struct fixture {
    struct crash_file_system *disk;
    struct file_system *fs;
    struct record_log_kit kit; /* open */
    struct buffer record;
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s", error.detail);
}

static void assert_code(struct error error, enum error_code code)
{
    if (error.code != code)
        fail_msg("got %s, not %s: %s", error_text(error.code), error_text(code), error.detail);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.disk = crash_file_system_create(1);
    fixture.fs = crash_file_system_port(fixture.disk);
    fixture.kit = record_log_kit_make();
    buffer_init(&fixture.record, kit_record_bytes_max);
    assert_good(record_log_kit_open(&fixture.kit, fixture.fs));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    record_log_kit_close(&fixture->kit);
    buffer_deinit(&fixture->record);
    crash_file_system_destroy(fixture->disk);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    record_log_kit_close(&fixture->kit);
    assert_good(record_log_kit_open(&fixture->kit, fixture->fs));
    assert_false(fixture->kit.replay_is_wrong);
}

static void count_segment(void *context, const char *name)
{
    uint64_t base;
    *(unsigned *)context += segment_base_of_name(name, &base);
}

static unsigned segment_count(struct fixture *fixture)
{
    unsigned count = 0;
    assert_good(file_system_list(fixture->fs, "log", count_segment, &count));
    return count;
}

static uint64_t file_bytes(struct fixture *fixture, const char *path)
{
    struct file *file;
    uint64_t size;
    assert_good(file_system_open(fixture->fs, path, FILE_OPEN_READ, &file));
    assert_good(file_size(file, &size));
    file_close(file);
    return size;
}

/* --- append, commit, replay --- */

static void new_log_is_empty(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture->kit.replayed, 0);
    assert_int_not_equal(record_log_end(fixture->kit.log), 0);
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 0);
}

static void committed_records_are_replayed_in_order(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_fill(&fixture->kit, 50));
    assert_true(segment_count(fixture) > 5);
    uint64_t last_position = fixture->kit.last_position;
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 1 + 99 - 1);
    assert_int_equal(fixture->kit.last_position, last_position);
    assert_good(record_log_kit_fill(&fixture->kit, 50));
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 2 * 99);
}

static void uncommitted_records_are_not_replayed(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_commit(&fixture->kit, 2));
    assert_good(record_log_claim(fixture->kit.log));
    record_log_kit_append(&fixture->kit);
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 2);
}

static void position_is_the_one_announced(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before = 0;
    for (unsigned i = 0; i < 50; i++) {
        assert_good(record_log_claim(fixture->kit.log));
        uint64_t announced = record_log_end(fixture->kit.log);
        record_log_kit_append(&fixture->kit);
        assert_int_equal(fixture->kit.last_position, announced);
        assert_true(announced > before);
        assert_true(record_log_committed_end(fixture->kit.log) <= announced);
        before = announced;
        assert_good(record_log_commit(fixture->kit.log));
        assert_true(record_log_committed_end(fixture->kit.log) > announced);
    }
}

static void empty_commit_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint64_t changes = crash_file_system_changes(fixture->disk);
    assert_good(record_log_commit(fixture->kit.log));
    assert_good(record_log_claim(fixture->kit.log));
    assert_good(record_log_commit(fixture->kit.log));
    assert_int_equal(crash_file_system_changes(fixture->disk), changes);
}

static void commit_costs_two_writes_and_one_sync(void **state)
{
    struct fixture *fixture = *state;
    uint64_t writes = crash_file_system_count(fixture->disk, CRASH_OPERATION_WRITE);
    uint64_t syncs = crash_file_system_count(fixture->disk, CRASH_OPERATION_SYNC);
    assert_good(record_log_kit_commit(&fixture->kit, 3));
    assert_int_equal(crash_file_system_count(fixture->disk, CRASH_OPERATION_WRITE), writes + 2);
    assert_int_equal(crash_file_system_count(fixture->disk, CRASH_OPERATION_SYNC), syncs + 1);
}

static void room_comes_with_a_claim_and_is_what_a_batch_can_hold(void **state)
{
    struct fixture *fixture = *state;
    struct record_log *log = fixture->kit.log;
    uint64_t position;
    assert_int_equal(record_log_room(log), 0);
    assert_good(record_log_claim(log));
    size_t room = record_log_room(log);
    assert_int_equal(room, 1024 - batch_header_bytes - record_frame_bytes);
    memset(record_log_append_begin(log, room, &position), 'x', room);
    assert_int_equal(record_log_room(log), room);
    record_log_append_end(log, room);
    assert_int_equal(record_log_room(log), 0);
    assert_good(record_log_commit(log));
    assert_int_equal(record_log_room(log), 0);
    struct buffer record;
    buffer_init(&record, 2000);
    assert_good(record_log_read(log, position, &record));
    assert_int_equal(record.size, room);
    assert_int_equal(record.data[room - 1], 'x');
    buffer_deinit(&record);
}

/* --- reading --- */

static void any_record_is_read_by_its_position(void **state)
{
    struct fixture *fixture = *state;
    enum { count = 300 }; /* more segments than files stay open */
    static uint64_t positions[count];
    for (unsigned i = 0; i < count; i++) {
        assert_good(record_log_kit_commit(&fixture->kit, 1));
        positions[i] = fixture->kit.last_position;
    }
    assert_true(segment_count(fixture) > 65);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < count; i++) {
            char expected[kit_record_bytes_max];
            unsigned at = i * 7 % count;
            size_t size = kit_record_encode(at, expected);
            assert_good(record_log_read(fixture->kit.log, positions[at], &fixture->record));
            assert_true(text_equal(buffer_text(&fixture->record), text_make(expected, size)));
        }
        reopen(fixture);
    }
}

static void record_of_the_open_batch_is_read(void **state)
{
    struct fixture *fixture = *state;
    char expected[kit_record_bytes_max];
    assert_good(record_log_kit_commit(&fixture->kit, 1));
    assert_good(record_log_claim(fixture->kit.log));
    record_log_kit_append(&fixture->kit);
    uint64_t position = fixture->kit.last_position;
    record_log_kit_append(&fixture->kit);
    size_t size = kit_record_encode(1, expected);
    assert_good(record_log_read(fixture->kit.log, position, &fixture->record));
    assert_true(text_equal(buffer_text(&fixture->record), text_make(expected, size)));
}

static void position_without_a_record_is_damage(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_fill(&fixture->kit, 10));
    uint64_t end = record_log_committed_end(fixture->kit.log);
    struct buffer large; /* a wrong size is found out by the checksum, not by the buffer's limit */
    buffer_init(&large, 65536);
    for (uint64_t position = 0; position < end + 3000; position++) {
        struct error error = record_log_read(fixture->kit.log, position, &large);
        if (error_is(error))
            assert_code(error, ERROR_DAMAGED);
        else
            assert_true(position < end);
    }
    assert_code(record_log_read(fixture->kit.log, UINT64_MAX, &large), ERROR_DAMAGED);
    buffer_deinit(&large);
}

static void record_larger_than_the_buffer_may_grow_is_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct buffer small;
    buffer_init(&small, 3);
    uint64_t position;
    assert_good(record_log_claim(fixture->kit.log));
    memcpy(record_log_append_begin(fixture->kit.log, 4, &position), "four", 4);
    record_log_append_end(fixture->kit.log, 4);
    assert_code(record_log_read(fixture->kit.log, position, &small), ERROR_LIMIT);
    assert_good(record_log_commit(fixture->kit.log));
    assert_code(record_log_read(fixture->kit.log, position, &small), ERROR_LIMIT);
    buffer_deinit(&small);
}

static struct error read_back(void *context, uint64_t position, struct text record)
{
    struct fixture *fixture = context;
    struct error error = record_log_read(fixture->kit.log, position, &fixture->record);
    if (!error_is(error) && !text_equal(buffer_text(&fixture->record), record))
        error = error_make(ERROR_INTERNAL, "not the record at %llu", (unsigned long long)position);
    return error;
}

static void replayed_records_can_be_read_during_the_replay(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_fill(&fixture->kit, 20));
    fixture->kit.watcher = read_back;
    fixture->kit.watcher_context = fixture;
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 39);
}

static struct error refuse(void *context, uint64_t position, struct text record)
{
    (void)record;
    if (position < *(uint64_t *)context)
        return error_none();
    return error_make(ERROR_INTERNAL, "enough");
}

static void error_of_the_replay_is_passed_on_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_fill(&fixture->kit, 10));
    uint64_t middle = fixture->kit.last_position / 2;
    record_log_kit_close(&fixture->kit);
    fixture->kit.watcher = refuse;
    fixture->kit.watcher_context = &middle;
    uint64_t writes = crash_file_system_count(fixture->disk, CRASH_OPERATION_WRITE);
    assert_code(record_log_kit_open(&fixture->kit, fixture->fs), ERROR_INTERNAL);
    assert_null(fixture->kit.log);
    assert_int_equal(crash_file_system_count(fixture->disk, CRASH_OPERATION_WRITE), writes);
    fixture->kit.watcher = NULL;
    assert_good(record_log_kit_open(&fixture->kit, fixture->fs));
    assert_int_equal(fixture->kit.replayed, 19);
}

/* --- scanning --- */

static struct error count_record(void *context, uint64_t position, struct text record)
{
    (void)position;
    (void)record;
    (*(uint64_t *)context)++;
    return error_none();
}

static void scan_walks_all_committed_records_and_gives_the_chain_head(void **state)
{
    struct fixture *fixture = *state;
    uint8_t head[chain_bytes];
    uint8_t scanned_head[chain_bytes];
    uint64_t count = 0;
    static const uint8_t none[chain_bytes];
    assert_good(record_log_scan(fixture->kit.log, UINT64_MAX, count_record, &count, head));
    assert_memory_equal(head, none, chain_bytes);
    assert_good(record_log_kit_fill(&fixture->kit, 30));
    record_log_chain_head(fixture->kit.log, head);
    assert_good(record_log_claim(fixture->kit.log));
    record_log_kit_append(&fixture->kit);
    assert_good(record_log_scan(fixture->kit.log, UINT64_MAX, count_record, &count, scanned_head));
    assert_int_equal(count, fixture->kit.committed);
    assert_memory_equal(head, scanned_head, chain_bytes);
    reopen(fixture);
    record_log_chain_head(fixture->kit.log, head);
    assert_memory_equal(head, scanned_head, chain_bytes);
}

static void scan_ends_where_it_is_told_to(void **state)
{
    struct fixture *fixture = *state;
    uint8_t head[chain_bytes];
    enum { records = 40 };
    uint64_t positions[records];
    for (unsigned i = 0; i < records; i++) {
        if (i % 2 == 0)
            assert_good(record_log_claim(fixture->kit.log));
        record_log_kit_append(&fixture->kit);
        positions[i] = fixture->kit.last_position;
        if (i % 2 == 1)
            assert_good(record_log_commit(fixture->kit.log));
    }
    for (unsigned i = 0; i < records; i++) {
        uint64_t count = 0;
        assert_good(record_log_scan(fixture->kit.log, positions[i], count_record, &count, head));
        assert_int_equal(count, i);
        count = 0;
        assert_good(
            record_log_scan(fixture->kit.log, positions[i] + 1, count_record, &count, head));
        assert_int_equal(count, i + 1);
    }
}

static void error_of_a_scan_is_passed_on(void **state)
{
    struct fixture *fixture = *state;
    uint8_t head[chain_bytes];
    uint64_t from = 0;
    assert_good(record_log_kit_fill(&fixture->kit, 3));
    assert_code(record_log_scan(fixture->kit.log, UINT64_MAX, refuse, &from, head), ERROR_INTERNAL);
}

static void chain_depends_on_every_record_before(void **state)
{
    struct fixture *fixture = *state;
    uint8_t heads[2][chain_bytes];
    for (int i = 0; i < 2; i++) {
        struct record_log_kit kit = record_log_kit_make();
        kit.options.directory = i == 0 ? "one" : "other";
        assert_good(record_log_kit_open(&kit, fixture->fs));
        uint64_t position;
        assert_good(record_log_claim(kit.log));
        *record_log_append_begin(kit.log, 1, &position) = (char)i;
        record_log_append_end(kit.log, 1);
        assert_good(record_log_commit(kit.log));
        assert_good(record_log_kit_fill(&kit, 5));
        record_log_chain_head(kit.log, heads[i]);
        record_log_kit_close(&kit);
    }
    assert_memory_not_equal(heads[0], heads[1], chain_bytes);
}

/* --- opening --- */

static void second_opener_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct record_log_kit second = record_log_kit_make();
    assert_code(record_log_kit_open(&second, fixture->fs), ERROR_LOCKED);
    second.options.read_only = true;
    assert_good(record_log_kit_open(&second, fixture->fs));
    record_log_kit_close(&second);
}

static void impossible_sizes_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint64_t segment;
        size_t batch;
    } sizes[] = {{4096, 1025}, {4096, 511}, {(UINT64_C(1) << 32) + 1, 1024}, {0, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct record_log_kit kit = record_log_kit_make();
        kit.options.directory = "other";
        kit.options.segment_bytes = sizes[i].segment;
        kit.options.batch_bytes_max = sizes[i].batch;
        assert_code(record_log_kit_open(&kit, fixture->fs), ERROR_INVALID_SETTING);
    }
}

static void read_only_needs_a_log(void **state)
{
    struct fixture *fixture = *state;
    struct record_log_kit kit = record_log_kit_make();
    kit.options.read_only = true;
    kit.options.directory = "nowhere";
    assert_code(record_log_kit_open(&kit, fixture->fs), ERROR_NOT_FOUND);
    assert_good(file_system_create_directory(fixture->fs, "nowhere"));
    assert_code(record_log_kit_open(&kit, fixture->fs), ERROR_NOT_FOUND);
}

static void read_only_reads_scans_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct record_log_kit second = record_log_kit_make();
    uint8_t head[chain_bytes];
    uint8_t scanned_head[chain_bytes];
    uint64_t count = 0;
    assert_good(record_log_kit_fill(&fixture->kit, 20));
    record_log_chain_head(fixture->kit.log, head);
    uint64_t changes = crash_file_system_changes(fixture->disk);
    second.options.read_only = true;
    assert_good(record_log_kit_open(&second, fixture->fs));
    assert_int_equal(second.replayed, 39);
    assert_good(record_log_read(second.log, second.last_position, &fixture->record));
    assert_code(record_log_read(second.log, second.last_position + 4096, &fixture->record),
                ERROR_DAMAGED);
    assert_good(record_log_scan(second.log, UINT64_MAX, count_record, &count, scanned_head));
    assert_int_equal(count, 39);
    assert_memory_equal(head, scanned_head, chain_bytes);
    record_log_kit_close(&second);
    assert_int_equal(crash_file_system_changes(fixture->disk), changes);
}

static void newer_records_begin_a_new_segment(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_commit(&fixture->kit, 1));
    fixture->kit.options.record_version = 2;
    reopen(fixture);
    assert_int_equal(segment_count(fixture), 1);
    assert_good(record_log_kit_commit(&fixture->kit, 1));
    assert_int_equal(segment_count(fixture), 2);
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 2);
    record_log_kit_close(&fixture->kit);
    fixture->kit.options.record_version = 1;
    assert_code(record_log_kit_open(&fixture->kit, fixture->fs), ERROR_DAMAGED);
    fixture->kit.options.record_version = 2;
    assert_good(record_log_kit_open(&fixture->kit, fixture->fs));
}

static void other_sizes_apply_from_the_next_segment_on(void **state)
{
    struct fixture *fixture = *state;
    assert_good(record_log_kit_fill(&fixture->kit, 10));
    fixture->kit.options.segment_bytes = 32768;
    fixture->kit.options.batch_bytes_max = 8000;
    reopen(fixture);
    assert_good(record_log_kit_commit(&fixture->kit, 25));
    assert_good(record_log_kit_commit(&fixture->kit, 25));
    fixture->kit.options.segment_bytes = 4096;
    fixture->kit.options.batch_bytes_max = 1024;
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 19 + 50);
    assert_good(record_log_kit_fill(&fixture->kit, 30));
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, 19 + 50 + 60);
}

static void young_log_begins_with_small_segments(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {
        "young/00000000000000000000.log", "young/00000000000000004096.log",
        "young/00000000000000012288.log", "young/00000000000000028672.log"};
    static const uint64_t bytes[] = {4096, 8192, 16384, 16384};
    struct record_log_kit kit = record_log_kit_make();
    kit.options.directory = "young";
    kit.options.segment_bytes = 16384;
    assert_good(record_log_kit_open(&kit, fixture->fs));
    assert_good(record_log_kit_fill(&kit, 60));
    record_log_kit_close(&kit);
    for (int i = 0; i < 4; i++)
        assert_int_equal(file_bytes(fixture, names[i]), bytes[i]);
}

/* --- a full disk --- */

static void reserve_takes_one_batch_when_the_disk_is_full(void **state)
{
    struct fixture *fixture = *state;
    struct record_log *log = fixture->kit.log;
    crash_file_system_set_room(fixture->disk, 0);
    assert_code(record_log_kit_fill(&fixture->kit, 100), ERROR_DISK_FULL);
    assert_int_equal(record_log_room(log), 0);
    record_log_claim_reserve(log);
    size_t room = record_log_room(log);
    assert_int_equal(room, 1024 - batch_header_bytes - record_frame_bytes);
    uint64_t position;
    memset(record_log_append_begin(log, room, &position), 'x', room);
    record_log_append_end(log, room);
    assert_good(record_log_commit(log));
    assert_good(record_log_read(log, position - 1024, &fixture->record));
    for (int i = 0; i < 10; i++) {
        record_log_claim_reserve(log);
        if (record_log_room(log) > 0) {
            *record_log_append_begin(log, 1, &position) = 'y';
            record_log_append_end(log, 1);
        }
        assert_good(record_log_commit(log));
    }
    record_log_claim_reserve(log);
    assert_int_equal(record_log_room(log), 0);
    crash_file_system_set_room(fixture->disk, UINT64_MAX);
    assert_good(record_log_kit_fill(&fixture->kit, 5));
}

static void reserve_keeps_to_the_batches_of_its_segment(void **state)
{
    struct fixture *fixture = *state;
    fixture->kit.options.segment_bytes = 32768;
    fixture->kit.options.batch_bytes_max = 8000;
    reopen(fixture);
    crash_file_system_set_room(fixture->disk, 0);
    assert_code(record_log_claim(fixture->kit.log), ERROR_DISK_FULL);
    record_log_claim_reserve(fixture->kit.log);
    while (record_log_room(fixture->kit.log) >= kit_record_bytes_max)
        record_log_kit_append(&fixture->kit);
    assert_good(record_log_commit(fixture->kit.log));
    uint64_t appended = fixture->kit.appended;
    assert_in_range(appended, 1, 30);
    crash_file_system_set_room(fixture->disk, UINT64_MAX);
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, appended);
}

static void note_preparation(void *context, const char *name)
{
    if (strcmp(name, "next.tmp") == 0)
        *(bool *)context = true;
}

static void preparation_ahead_gives_back_the_last_room_of_a_disk(void **state)
{
    struct fixture *fixture = *state;
    bool prepared = true;
    assert_good(record_log_kit_fill(&fixture->kit, 2));
    fixture->kit.options.background_prepare = true;
    crash_file_system_set_room(fixture->disk, 3000);
    reopen(fixture);
    while (prepared) { /* the thread has not given up yet */
        prepared = crash_file_system_count(fixture->disk, CRASH_OPERATION_NAME) < 6;
        if (!prepared)
            assert_good(file_system_list(fixture->fs, "log", note_preparation, &prepared));
    }
    assert_code(record_log_kit_fill(&fixture->kit, 100), ERROR_DISK_FULL);
    crash_file_system_set_room(fixture->disk, UINT64_MAX);
    assert_good(record_log_kit_fill(&fixture->kit, 100));
    uint64_t committed = fixture->kit.committed;
    reopen(fixture);
    assert_int_equal(fixture->kit.replayed, committed);
}

/* --- a torn tail --- */

static void cut_tail_is_zero_on_the_disk_when_the_log_is_open(void **state)
{
    struct fixture *fixture = *state;
    char rest[4096];
    size_t got;
    struct file *file;
    assert_good(record_log_kit_commit(&fixture->kit, 1));
    uint64_t end = record_log_committed_end(fixture->kit.log);
    assert_good(
        file_system_open(fixture->fs, "log/00000000000000000000.log", FILE_OPEN_READ_WRITE, &file));
    assert_good(file_write(file, end + 700, "torn", 4));
    assert_good(file_sync(file));
    file_close(file);
    reopen(fixture);
    struct crash_file_system *after =
        crash_file_system_after_power_failure(fixture->disk, UNSYNCED_LOST, 1);
    assert_good(file_system_open(crash_file_system_port(after), "log/00000000000000000000.log",
                                 FILE_OPEN_READ, &file));
    assert_good(file_read(file, end, rest, sizeof rest, &got));
    file_close(file);
    assert_int_equal(got, 4096 - end);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(rest[i], 0);
    crash_file_system_destroy(after);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LOG(new_log_is_empty),
        WITH_LOG(committed_records_are_replayed_in_order),
        WITH_LOG(uncommitted_records_are_not_replayed),
        WITH_LOG(position_is_the_one_announced),
        WITH_LOG(empty_commit_writes_nothing),
        WITH_LOG(commit_costs_two_writes_and_one_sync),
        WITH_LOG(room_comes_with_a_claim_and_is_what_a_batch_can_hold),
        WITH_LOG(any_record_is_read_by_its_position),
        WITH_LOG(record_of_the_open_batch_is_read),
        WITH_LOG(position_without_a_record_is_damage),
        WITH_LOG(record_larger_than_the_buffer_may_grow_is_a_limit),
        WITH_LOG(replayed_records_can_be_read_during_the_replay),
        WITH_LOG(error_of_the_replay_is_passed_on_and_changes_nothing),
        WITH_LOG(scan_walks_all_committed_records_and_gives_the_chain_head),
        WITH_LOG(scan_ends_where_it_is_told_to),
        WITH_LOG(error_of_a_scan_is_passed_on),
        WITH_LOG(chain_depends_on_every_record_before),
        WITH_LOG(second_opener_is_refused),
        WITH_LOG(impossible_sizes_are_refused),
        WITH_LOG(read_only_needs_a_log),
        WITH_LOG(read_only_reads_scans_and_changes_nothing),
        WITH_LOG(newer_records_begin_a_new_segment),
        WITH_LOG(other_sizes_apply_from_the_next_segment_on),
        WITH_LOG(young_log_begins_with_small_segments),
        WITH_LOG(reserve_takes_one_batch_when_the_disk_is_full),
        WITH_LOG(reserve_keeps_to_the_batches_of_its_segment),
        WITH_LOG(preparation_ahead_gives_back_the_last_room_of_a_disk),
        WITH_LOG(cut_tail_is_zero_on_the_disk_when_the_log_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
