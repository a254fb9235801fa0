/*
 * Goal: no bytes on the disk make the log crash, read outside its memory, or contradict itself.
 * Method: the input becomes the files of a log in memory: 1 byte   bit 0: repair checksums, chain
 * and frames first, so that what lies behind them is reached; bit 1: the last 1024 bytes are the
 * file `synced` rest     segment files of 4096 bytes each, the last may be shorter A log that opens
 * must then scan, read and go on, and open again with all that it had.
 */
#include "platform/base/check.h"
#include "platform/base/codec.h"
#include "platform/base/log.h"
#include "platform/storage/record_log.h"
#include "platform/storage/record_log_format.h"
#include "tests/support/storage/crash_file_system.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    segment_size = 4096,
    segments_max = 8,
    synced_size = watermark_slots * watermark_slot_bytes,
    positions_max = 1024,
    checksum_at = 8, /* in every structure, over all from byte 16 on */
    checked_at = 16,
    batch_size_at = 24,
    chain_at = 32,
};

struct replayed {
    uint64_t count;
    uint64_t positions[positions_max];
};

static struct error remember(void *context, uint64_t position, struct text record)
{
    struct replayed *replayed = context;
    CHECK(record.size > 0);
    CHECK(position != 0);
    if (replayed->count < positions_max)
        replayed->positions[replayed->count] = position;
    replayed->count++;
    return error_none();
}

static void put_checksum(char *bytes, size_t size)
{
    struct byte_writer writer = {.at = bytes + checksum_at};
    write_uint64(&writer, XXH3_64bits(bytes + checked_at, size - checked_at));
}

/* Makes the frames of a batch's records hold where their sizes are possible. */
static void repair_records(char *batch, size_t size, uint64_t position)
{
    size_t at = batch_header_bytes;
    while (at + record_frame_bytes < size) {
        uint32_t record_size;
        if (record_frame_decode(batch + at, size - at - record_frame_bytes, &record_size) != NULL)
            return;
        record_frame_encode(batch + at, position + at, record_size);
        at += record_frame_bytes + record_size;
    }
}

static void repair_segment(char *bytes, size_t size, uint64_t base, struct chain_hasher *hasher,
                           uint8_t chain[chain_bytes])
{
    if (size < segment_header_bytes)
        return;
    memcpy(bytes + 64, chain, chain_bytes);
    put_checksum(bytes, segment_header_bytes);
    size_t at = segment_header_bytes;
    while (size - at >= batch_header_bytes) {
        struct byte_reader reader = byte_reader_of(text_make(bytes + at + batch_size_at, 4));
        size_t batch_size = read_uint32(&reader);
        size_t whole = (size_t)whole_sectors(batch_size);
        if (batch_size < batch_header_bytes || whole > size - at)
            return;
        memcpy(bytes + at + chain_at, chain, chain_bytes);
        repair_records(bytes + at, batch_size, base + at);
        put_checksum(bytes + at, whole);
        CHECK(!error_is(chain_hasher_after(hasher, text_make(bytes + at, whole), chain)));
        at += whole;
    }
}

static void put_file(struct file_system *fs, const char *path, const char *bytes, size_t size)
{
    struct file *file = NULL;
    CHECK(!error_is(file_system_open(fs, path, FILE_OPEN_CREATE, &file)));
    CHECK(!error_is(file_write(file, 0, bytes, size)));
    file_close(file);
}

static void put_log(struct file_system *fs, char *bytes, size_t size, unsigned flags)
{
    struct chain_hasher hasher;
    uint8_t chain[chain_bytes] = {0};
    CHECK(!error_is(chain_hasher_init(&hasher)));
    CHECK(!error_is(file_system_create_directory(fs, "log")));
    if ((flags & 2) != 0 && size >= synced_size) {
        size -= synced_size;
        put_file(fs, "log/synced", bytes + size, synced_size);
    }
    for (size_t i = 0; i < segments_max && i * segment_size < size; i++) {
        char path[log_path_bytes];
        size_t at = i * segment_size;
        size_t left = size - at < segment_size ? size - at : segment_size;
        if ((flags & 1) != 0)
            repair_segment(bytes + at, left, at, &hasher, chain);
        segment_path(path, "log", at);
        put_file(fs, path, bytes + at, left);
    }
    chain_hasher_deinit(&hasher);
}

/* A log that opened keeps its word. */
static void use_log(struct record_log **log, struct file_system *fs,
                    const struct record_log_options *options, const struct replayed *replayed)
{
    static struct replayed scanned;
    struct buffer record;
    uint8_t head[chain_bytes];
    uint8_t scanned_head[chain_bytes];
    uint64_t position;
    buffer_init(&record, segment_size);
    scanned.count = 0;
    CHECK(!error_is(record_log_scan(*log, UINT64_MAX, remember, &scanned, scanned_head)));
    CHECK(scanned.count == replayed->count);
    record_log_chain_head(*log, head);
    CHECK(memcmp(head, scanned_head, chain_bytes) == 0);
    for (size_t i = 0; i < replayed->count && i < positions_max; i++)
        CHECK(!error_is(record_log_read(*log, replayed->positions[i], &record)));
    CHECK(!error_is(record_log_claim(*log)));
    memcpy(record_log_append_begin(*log, 5, &position), "after", 5);
    record_log_append_end(*log, 5);
    CHECK(!error_is(record_log_commit(*log)));
    record_log_close(*log);
    scanned.count = 0;
    CHECK(!error_is(record_log_open(log, fs, options, remember, &scanned)));
    CHECK(scanned.count == replayed->count + 1);
    buffer_deinit(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct replayed replayed;
    struct record_log *log = NULL;
    struct record_log_options options = {
        .directory = "log",
        .kind = "test",
        .record_version = 1,
        .segment_bytes = segment_size,
        .batch_bytes_max = segment_size / 4,
    };
    if (size == 0 || size > 1 + segments_max * segment_size + synced_size)
        return 0;
    char *bytes = malloc(size);
    CHECK(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    struct crash_file_system *disk = crash_file_system_create(1);
    struct file_system *fs = crash_file_system_port(disk);
    log_configure(LOG_LEVEL_OFF, false);
    put_log(fs, bytes, size - 1, data[0]);
    replayed.count = 0;
    struct error error = record_log_open(&log, fs, &options, remember, &replayed);
    if (error_is(error))
        CHECK(error.code == ERROR_DAMAGED && log == NULL);
    else
        use_log(&log, fs, &options, &replayed);
    record_log_close(log);
    crash_file_system_destroy(disk);
    free(bytes);
    return 0;
}
