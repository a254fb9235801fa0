/*
 * Goal: no damage passes for data, and no refusal makes it worse. Method: a log of several segments
 * on the crash file system; every byte of every file is changed, every file is cut at every size,
 * removed, or replaced by a well-made lie; the log is opened again, and the verdict and the bytes
 * on the disk are compared with what the recovery rules say (docs/internals/record_log.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/codec.h"
#include "platform/base/log.h"
#include "platform/storage/record_log_format.h"
#include "tests/support/storage/crash_file_system.h"
#include "tests/support/storage/record_log_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    files_max = 16,
    file_bytes_max = 4096, /* of the kit's segments */
    last_batch_count = 2,
};

/* All bytes of a log, in the order of the names: segments, lock, synced. */
struct snapshot {
    size_t count;
    struct snapshot_file {
        char path[64];
        size_t size;
        char bytes[file_bytes_max];
    } files[files_max];
};

struct log_fixture {
    struct crash_file_system *disk; /* a log that was closed in good order */
    struct snapshot before;
    uint64_t records;
    size_t last_segment; /* its index in `before` */
    size_t last_offset;  /* of its last batch */
    size_t end;          /* behind it */
};

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s", error.detail);
}

static void add_to_snapshot(void *context, const char *name)
{
    struct snapshot *snapshot = context;
    assert_in_range(snapshot->count, 0, files_max - 1);
    snprintf(snapshot->files[snapshot->count++].path, 64, "log/%s", name);
}

static void take_snapshot(struct snapshot *snapshot, struct crash_file_system *disk)
{
    struct file_system *fs = crash_file_system_port(disk);
    memset(snapshot, 0, sizeof *snapshot);
    assert_good(file_system_list(fs, "log", add_to_snapshot, snapshot));
    for (size_t i = 0; i < snapshot->count; i++) {
        struct snapshot_file *file = &snapshot->files[i];
        struct file *opened;
        assert_good(file_system_open(fs, file->path, FILE_OPEN_READ, &opened));
        assert_good(file_read(opened, 0, file->bytes, sizeof file->bytes, &file->size));
        file_close(opened);
    }
}

static void write_bytes_at(struct crash_file_system *disk, const char *path, size_t offset,
                           const char *bytes, size_t size)
{
    struct file *file;
    assert_good(file_system_open(crash_file_system_port(disk), path, FILE_OPEN_READ_WRITE, &file));
    assert_good(file_write(file, offset, bytes, size));
    assert_good(file_sync(file));
    file_close(file);
}

static void resize_file(struct crash_file_system *disk, const char *path, size_t size)
{
    struct file *file;
    assert_good(file_system_open(crash_file_system_port(disk), path, FILE_OPEN_READ_WRITE, &file));
    assert_good(file_truncate(file, size));
    assert_good(file_sync(file));
    file_close(file);
}

static int set_up(void **state)
{
    static struct log_fixture fixture;
    struct record_log_kit kit = record_log_kit_make();
    fixture = (struct log_fixture){.disk = crash_file_system_create(1)};
    assert_good(record_log_kit_open(&kit, crash_file_system_port(fixture.disk)));
    assert_good(record_log_kit_fill(&kit, 12));
    uint64_t last = record_log_committed_end(kit.log);
    assert_good(record_log_kit_commit(&kit, last_batch_count));
    uint64_t end = record_log_committed_end(kit.log);
    fixture.records = kit.committed;
    record_log_kit_close(&kit);
    take_snapshot(&fixture.before, fixture.disk);
    fixture.last_segment = fixture.before.count - 3;
    fixture.last_offset = (size_t)(last % file_bytes_max);
    fixture.end = (size_t)(end % file_bytes_max);
    assert_in_range(fixture.before.count, 5, files_max);
    assert_int_equal(last / file_bytes_max, end / file_bytes_max);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct log_fixture *fixture = *state;
    crash_file_system_destroy(fixture->disk);
    return 0;
}

/*
 * Opening is refused with the file's name in the detail, and changes no byte; read_only as well.
 * Tells whether a record that was never written was replayed before.
 */
static bool refuse(struct crash_file_system *disk, const char *path)
{
    bool wrong = false;
    static struct snapshot before;
    static struct snapshot after;
    struct record_log_kit kit = record_log_kit_make();
    take_snapshot(&before, disk);
    for (int read_only = 0; read_only < 2; read_only++) {
        kit.options.read_only = read_only == 1;
        struct error error = record_log_kit_open(&kit, crash_file_system_port(disk));
        if (error.code != ERROR_DAMAGED || strstr(error.detail, path) == NULL ||
            strstr(error.detail, " at byte ") == NULL)
            fail_msg("expected damage of %s, got %s: %s", path, error_text(error.code),
                     error.detail);
        assert_null(kit.log);
        wrong |= kit.replay_is_wrong;
    }
    take_snapshot(&after, disk);
    assert_memory_equal(&before, &after, sizeof before);
    return wrong;
}

static void assert_refused(struct crash_file_system *disk, const char *path)
{
    assert_false(refuse(disk, path));
}

/* Opening gives exactly so many records, read_only as well, and then the log goes on. */
static void assert_opens(struct crash_file_system *disk, uint64_t records)
{
    struct record_log_kit kit = record_log_kit_make();
    kit.options.read_only = true;
    uint64_t changes = crash_file_system_changes(disk);
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_int_equal(kit.replayed, records);
    record_log_kit_close(&kit);
    assert_int_equal(crash_file_system_changes(disk), changes);
    kit.options.read_only = false;
    for (int i = 0; i < 2; i++) {
        assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
        assert_false(kit.replay_is_wrong);
        assert_int_equal(kit.replayed, records);
        assert_good(record_log_kit_fill(&kit, 4));
        records = kit.committed;
        record_log_kit_close(&kit);
    }
}

static bool is_segment(const struct snapshot_file *file)
{
    return strstr(file->path, ".log") != NULL;
}

static void any_changed_byte_is_refused_where_it_was_acknowledged(void **state)
{
    struct log_fixture *fixture = *state;
    for (size_t i = 0; i < fixture->before.count; i++) {
        const struct snapshot_file *file = &fixture->before.files[i];
        for (size_t at = 0; at < file->size; at++) {
            struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
            char changed = (char)(file->bytes[at] ^ (1 << (at % 8)));
            write_bytes_at(disk, file->path, at, &changed, 1);
            if (is_segment(file) && (i != fixture->last_segment || at < fixture->end))
                assert_refused(disk, file->path);
            else
                assert_opens(disk, fixture->records);
            crash_file_system_destroy(disk);
        }
    }
}

/* After a power failure that took the watermark, a changed last batch looks like a torn one. */
static void without_watermark_only_the_last_batch_can_be_cut(void **state)
{
    struct log_fixture *fixture = *state;
    struct crash_file_system *bare = crash_file_system_after_kill(fixture->disk);
    assert_good(file_system_remove(crash_file_system_port(bare), "log/synced"));
    for (size_t i = 0; i <= fixture->last_segment; i++) {
        const struct snapshot_file *file = &fixture->before.files[i];
        for (size_t at = 0; at < file->size; at++) {
            struct crash_file_system *disk = crash_file_system_after_kill(bare);
            char changed = (char)(file->bytes[at] ^ (1 << (at % 8)));
            write_bytes_at(disk, file->path, at, &changed, 1);
            if (i != fixture->last_segment || at < fixture->last_offset)
                assert_refused(disk, file->path);
            else if (at < fixture->end)
                assert_opens(disk, fixture->records - last_batch_count);
            else
                assert_opens(disk, fixture->records);
            crash_file_system_destroy(disk);
        }
    }
    crash_file_system_destroy(bare);
}

static void file_of_another_size_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    for (size_t i = 0; i <= fixture->last_segment; i++) {
        const struct snapshot_file *file = &fixture->before.files[i];
        for (size_t size = 0; is_segment(file) && size <= file->size + 512; size++) {
            struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
            if (size == file->size)
                size++;
            resize_file(disk, file->path, size);
            assert_refused(disk, file->path);
            crash_file_system_destroy(disk);
        }
    }
}

static void missing_segment_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    for (size_t i = 0; i <= fixture->last_segment; i++) {
        const struct snapshot_file *file = &fixture->before.files[i];
        if (!is_segment(file))
            continue;
        struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
        assert_good(file_system_remove(crash_file_system_port(disk), file->path));
        assert_refused(disk,
                       i == fixture->last_segment ? fixture->before.files[i - 1].path : file->path);
        crash_file_system_destroy(disk);
    }
}

static void missing_log_is_refused_where_something_was_acknowledged(void **state)
{
    struct log_fixture *fixture = *state;
    struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
    for (size_t i = 0; i <= fixture->last_segment; i++) {
        if (is_segment(&fixture->before.files[i]))
            assert_good(
                file_system_remove(crash_file_system_port(disk), fixture->before.files[i].path));
    }
    assert_refused(disk, "log/00000000000000000000.log");
    crash_file_system_destroy(disk);
}

static void segment_in_the_place_of_another_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
    const struct snapshot_file *file = &fixture->before.files[fixture->last_segment];
    const struct snapshot_file *other = &fixture->before.files[fixture->last_segment - 1];
    write_bytes_at(disk, file->path, 0, other->bytes, other->size);
    assert_refused(disk, file->path);
    crash_file_system_destroy(disk);
}

static void any_old_or_damaged_watermark_is_no_obstacle(void **state)
{
    struct log_fixture *fixture = *state;
    struct crash_file_system *disk = crash_file_system_create(1);
    struct record_log_kit kit = record_log_kit_make();
    static struct snapshot young;
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_fill(&kit, 2));
    record_log_kit_close(&kit);
    take_snapshot(&young, disk);
    crash_file_system_destroy(disk);

    disk = crash_file_system_after_kill(fixture->disk);
    const struct snapshot_file *synced = &young.files[young.count - 1];
    write_bytes_at(disk, "log/synced", 0, synced->bytes, synced->size);
    assert_opens(disk, fixture->records);
    crash_file_system_destroy(disk);
    for (size_t size = 0; size < synced->size; size += 100) {
        disk = crash_file_system_after_kill(fixture->disk);
        resize_file(disk, "log/synced", size);
        assert_opens(disk, fixture->records);
        crash_file_system_destroy(disk);
    }
}

/* --- lies whose checksums hold --- */

/* A copy of the disk with other bytes at one place. */
static struct crash_file_system *with_sector(const struct log_fixture *fixture, size_t index,
                                             size_t offset, const char *bytes, size_t size)
{
    struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
    write_bytes_at(disk, fixture->before.files[index].path, offset, bytes, size);
    return disk;
}

/* A batch whose checksum was made anew after a change of one byte of a record. */
static void forge_batch(const struct log_fixture *fixture, size_t index, size_t offset,
                        char batch[file_bytes_max], struct batch_header *header)
{
    const struct snapshot_file *file = &fixture->before.files[index];
    struct segment_header segment;
    assert_null(segment_header_decode(file->bytes, &segment));
    memcpy(batch, file->bytes + offset, file->size - offset);
    assert_null(batch_header_decode(batch, segment.base + offset, file->size - offset, header));
    char *frame = batch + batch_header_bytes;
    uint32_t size;
    assert_null(record_frame_decode(frame, header->size, &size));
    frame[record_frame_bytes] ^= 1;
    record_frame_encode(frame, segment.base + offset + batch_header_bytes, size);
    batch_header_encode(header, batch);
}

static void forged_batch_breaks_the_chain(void **state)
{
    struct log_fixture *fixture = *state;
    char batch[file_bytes_max];
    struct batch_header header;
    for (size_t i = 0; i <= fixture->last_segment; i++) {
        forge_batch(fixture, i, segment_header_bytes, batch, &header);
        struct crash_file_system *disk = with_sector(fixture, i, segment_header_bytes, batch,
                                                     (size_t)whole_sectors(header.size));
        assert_true(refuse(disk, ".log")); /* it shows only in the next batch */
        crash_file_system_destroy(disk);
    }
}

static void forged_last_batch_is_not_what_was_acknowledged(void **state)
{
    struct log_fixture *fixture = *state;
    char batch[file_bytes_max];
    struct batch_header header;
    forge_batch(fixture, fixture->last_segment, fixture->last_offset, batch, &header);
    struct crash_file_system *disk =
        with_sector(fixture, fixture->last_segment, fixture->last_offset, batch,
                    (size_t)whole_sectors(header.size));
    assert_refused(disk, fixture->before.files[fixture->last_segment].path);
    crash_file_system_destroy(disk);
}

static void batch_that_contradicts_itself_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    const char *path = fixture->before.files[fixture->last_segment].path;
    for (int lie = 0; lie < 5; lie++) {
        char batch[file_bytes_max];
        struct batch_header header;
        struct byte_writer frame = {.at = batch + batch_header_bytes};
        forge_batch(fixture, fixture->last_segment, fixture->last_offset, batch, &header);
        if (lie == 0)
            write_uint32(&frame, 0); /* a record without bytes */
        else if (lie == 1)
            write_uint32(&frame, header.size); /* a record that ends beyond its batch */
        else if (lie == 2)
            batch[batch_header_bytes + record_frame_bytes] ^= 1; /* the record's own checksum */
        else if (lie == 3)
            header.record_count--;
        else
            header.record_count++;
        batch_header_encode(&header, batch);
        struct crash_file_system *disk =
            with_sector(fixture, fixture->last_segment, fixture->last_offset, batch,
                        (size_t)whole_sectors(header.size));
        assert_good(file_system_remove(crash_file_system_port(disk), "log/synced"));
        assert_refused(disk, path);
        crash_file_system_destroy(disk);
    }
}

/* Writes a changed header of the first segment, with its checksum. */
static struct crash_file_system *with_header(const struct log_fixture *fixture,
                                             void (*change)(struct segment_header *header))
{
    struct segment_header header;
    char sector[segment_header_bytes];
    assert_null(segment_header_decode(fixture->before.files[0].bytes, &header));
    change(&header);
    segment_header_encode(&header, sector);
    return with_sector(fixture, 0, 0, sector, sizeof sector);
}

static void set_kind(struct segment_header *header)
{
    strcpy(header->kind, "tracking");
}

static void set_version(struct segment_header *header)
{
    header->record_version = 2;
}

static void set_chain(struct segment_header *header)
{
    header->chain_before[0] = 1;
}

static void set_bytes(struct segment_header *header)
{
    header->bytes = 8192;
}

static void set_base(struct segment_header *header)
{
    header->base = 512;
}

/* The last batch of a full segment is gone as if it had never been; only the chain tells. */
static void batch_missing_at_the_end_of_a_full_segment_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    for (size_t i = 0; i < fixture->last_segment; i++) {
        static const char zeros[file_bytes_max];
        const struct snapshot_file *file = &fixture->before.files[i];
        struct batch_header header;
        size_t last = 0;
        size_t at = segment_header_bytes;
        struct segment_header segment;
        assert_null(segment_header_decode(file->bytes, &segment));
        while (at < file->size && batch_header_decode(file->bytes + at, segment.base + at,
                                                      file->size - at, &header) == NULL) {
            last = at;
            at += (size_t)whole_sectors(header.size);
        }
        struct crash_file_system *disk = with_sector(fixture, i, last, zeros, at - last);
        assert_good(file_system_remove(crash_file_system_port(disk), "log/synced"));
        assert_refused(disk, fixture->before.files[i + 1].path);
        crash_file_system_destroy(disk);
    }
}

/* What a recovery has shown is as good as acknowledged: it must not be cut the next time. */
static void batch_lost_after_a_recovery_showed_it_is_refused(void **state)
{
    (void)state;
    static const char zeros[1024];
    struct crash_file_system *disk = crash_file_system_create(1);
    struct record_log_kit kit = record_log_kit_make();
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    assert_good(record_log_kit_commit(&kit, 1));
    uint64_t end = record_log_committed_end(kit.log);
    crash_file_system_cut_power(disk, 2); /* in the sync */
    assert_true(error_is(record_log_kit_commit(&kit, 1)));
    struct crash_file_system *killed = crash_file_system_after_kill(disk);
    record_log_kit_close(&kit);
    assert_good(record_log_kit_open(&kit, crash_file_system_port(killed)));
    assert_int_equal(kit.replayed, 2);
    struct crash_file_system *again = crash_file_system_after_kill(killed);
    record_log_kit_close(&kit);
    write_bytes_at(again, "log/00000000000000000000.log", end, zeros, sizeof zeros);
    assert_refused(again, "log/00000000000000000000.log");
    crash_file_system_destroy(again);
    crash_file_system_destroy(killed);
    crash_file_system_destroy(disk);
}

/* The process was killed while it wrote one: the one before still tells what was acknowledged. */
static void half_written_watermark_leaves_the_one_before(void **state)
{
    (void)state;
    static const char zeros[2048];
    for (uint64_t seed = 0; seed < 64; seed++) { /* one in eight tears it where it matters */
        for (unsigned batches = 1; batches < 4; batches++) {
            struct crash_file_system *disk = crash_file_system_create(seed);
            struct record_log_kit kit = record_log_kit_make();
            uint64_t end = 0;
            assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
            for (unsigned i = 0; i < batches; i++) {
                end = record_log_committed_end(kit.log);
                assert_good(record_log_kit_commit(&kit, 1));
            }
            struct crash_fault fault = {.operation = CRASH_OPERATION_WRITE,
                                        .at = 2, /* behind the batch's */
                                        .code = ERROR_INPUT_OUTPUT,
                                        .partly = true};
            crash_file_system_set_fault(disk, &fault);
            assert_true(error_is(record_log_kit_commit(&kit, 1)));
            struct crash_file_system *killed = crash_file_system_after_kill(disk);
            record_log_kit_close(&kit);
            write_bytes_at(killed, "log/00000000000000000000.log", end, zeros, sizeof zeros);
            assert_refused(killed, "log/00000000000000000000.log");
            crash_file_system_destroy(killed);
            crash_file_system_destroy(disk);
        }
    }
}

static void foreign_or_newer_header_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    void (*const changes[])(struct segment_header *) = {set_kind, set_version, set_chain, set_bytes,
                                                        set_base};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct crash_file_system *disk = with_header(fixture, changes[i]);
        assert_refused(disk, "log/00000000000000000000.log");
        crash_file_system_destroy(disk);
    }
}

static void newer_format_is_told_from_damage(void **state)
{
    struct log_fixture *fixture = *state;
    struct record_log_kit kit = record_log_kit_make();
    char sector[segment_header_bytes];
    memcpy(sector, fixture->before.files[0].bytes, sizeof sector);
    struct byte_writer version = {.at = sector + 16};
    write_uint32(&version, 2);
    struct byte_writer checksum = {.at = sector + 8};
    write_uint64(&checksum, XXH3_64bits(sector + 16, sizeof sector - 16));
    struct crash_file_system *disk = with_sector(fixture, 0, 0, sector, sizeof sector);
    assert_refused(disk, "log/00000000000000000000.log");
    struct error error = record_log_kit_open(&kit, crash_file_system_port(disk));
    assert_non_null(strstr(error.detail, "newer format"));
    crash_file_system_destroy(disk);
}

static void overlapping_segment_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    struct segment_header header;
    char bytes[file_bytes_max] = {0};
    struct file *file;
    struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
    assert_null(segment_header_decode(fixture->before.files[0].bytes, &header));
    header.base = 1024;
    segment_header_encode(&header, bytes);
    assert_good(file_system_open(crash_file_system_port(disk), "log/00000000000000001024.log",
                                 FILE_OPEN_CREATE, &file));
    assert_good(file_write(file, 0, bytes, sizeof bytes));
    file_close(file);
    assert_refused(disk, "log/00000000000000001024.log");
    crash_file_system_destroy(disk);
}

/* --- damage under an open log --- */

static struct error count_record(void *context, uint64_t position, struct text record)
{
    (void)position;
    (void)record;
    (*(uint64_t *)context)++;
    return error_none();
}

static void scan_and_read_find_damage_under_an_open_log(void **state)
{
    struct log_fixture *fixture = *state;
    struct record_log_kit kit = record_log_kit_make();
    struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
    const struct snapshot_file *file = &fixture->before.files[0];
    struct buffer record;
    uint8_t chain[chain_bytes];
    uint64_t scanned = 0;
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    uint64_t end = record_log_committed_end(kit.log);
    buffer_init(&record, kit_record_bytes_max);
    uint64_t position = segment_header_bytes + batch_header_bytes;
    assert_good(record_log_read(kit.log, position, &record));
    size_t record_end = (size_t)position + record_frame_bytes + record.size;
    for (size_t at = 0; at < file->size - 2048; at++) {
        char changed = (char)(file->bytes[at] ^ 0x10);
        write_bytes_at(disk, file->path, at, &changed, 1);
        assert_int_equal(record_log_scan(kit.log, end, count_record, &scanned, chain).code,
                         ERROR_DAMAGED);
        bool within = at >= position && at < record_end;
        assert_int_equal(record_log_read(kit.log, position, &record).code,
                         within ? ERROR_DAMAGED : ERROR_NONE);
        write_bytes_at(disk, file->path, at, &file->bytes[at], 1);
    }
    scanned = 0;
    assert_good(record_log_scan(kit.log, end, count_record, &scanned, chain));
    assert_int_equal(scanned, fixture->records);
    buffer_deinit(&record);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

/* A disk that answers with another sector than the one asked for. */
static void record_of_another_position_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    struct record_log_kit kit = record_log_kit_make();
    struct crash_file_system *disk = crash_file_system_after_kill(fixture->disk);
    const struct snapshot_file *first = &fixture->before.files[0];
    const struct snapshot_file *second = &fixture->before.files[1];
    struct buffer record;
    buffer_init(&record, kit_record_bytes_max);
    assert_good(record_log_kit_open(&kit, crash_file_system_port(disk)));
    write_bytes_at(disk, second->path, log_sector_bytes, first->bytes + log_sector_bytes,
                   log_sector_bytes);
    uint64_t position = file_bytes_max + segment_header_bytes + batch_header_bytes;
    assert_int_equal(record_log_read(kit.log, position, &record).code, ERROR_DAMAGED);
    buffer_deinit(&record);
    record_log_kit_close(&kit);
    crash_file_system_destroy(disk);
}

int main(void)
{
    log_configure(LOG_LEVEL_ERROR, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changed_byte_is_refused_where_it_was_acknowledged),
        cmocka_unit_test(without_watermark_only_the_last_batch_can_be_cut),
        cmocka_unit_test(file_of_another_size_is_refused),
        cmocka_unit_test(missing_segment_is_refused),
        cmocka_unit_test(missing_log_is_refused_where_something_was_acknowledged),
        cmocka_unit_test(segment_in_the_place_of_another_is_refused),
        cmocka_unit_test(any_old_or_damaged_watermark_is_no_obstacle),
        cmocka_unit_test(forged_batch_breaks_the_chain),
        cmocka_unit_test(forged_last_batch_is_not_what_was_acknowledged),
        cmocka_unit_test(batch_that_contradicts_itself_is_refused),
        cmocka_unit_test(batch_missing_at_the_end_of_a_full_segment_is_refused),
        cmocka_unit_test(batch_lost_after_a_recovery_showed_it_is_refused),
        cmocka_unit_test(half_written_watermark_leaves_the_one_before),
        cmocka_unit_test(foreign_or_newer_header_is_refused),
        cmocka_unit_test(newer_format_is_told_from_damage),
        cmocka_unit_test(overlapping_segment_is_refused),
        cmocka_unit_test(scan_and_read_find_damage_under_an_open_log),
        cmocka_unit_test(record_of_another_position_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
