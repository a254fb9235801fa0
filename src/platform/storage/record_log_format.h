#ifndef WAYBILL_PLATFORM_STORAGE_RECORD_LOG_FORMAT_H
#define WAYBILL_PLATFORM_STORAGE_RECORD_LOG_FORMAT_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of the record log's files (docs/internals/record_log.md): encoding and checking, no
 * I/O. The _decode functions trust nothing; they return NULL when all is well and otherwise, as a
 * literal, what is wrong. Thread: any.
 */
enum {
    log_sector_bytes = 512, /* what a disk writes at once: no two batches share one */
    chain_bytes = 32,
    segment_header_bytes = log_sector_bytes,
    segment_kind_bytes = 16,
    batch_header_bytes = 64,
    record_frame_bytes = 8,
    watermark_slot_bytes = log_sector_bytes,
    watermark_slots = 2,
    log_path_bytes = 4096,
};

/* Rounded up to whole sectors. */
static inline uint64_t whole_sectors(uint64_t size)
{
    return (size + log_sector_bytes - 1) / log_sector_bytes * log_sector_bytes;
}

/* The SHA-256 chain: the value after a batch is the hash of its sectors, which hold the value
 * before. */
struct chain_hasher {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
    bool begun;
};

/* OUT_OF_MEMORY. _deinit also after a failure. */
struct error chain_hasher_init(struct chain_hasher *hasher);
void chain_hasher_deinit(struct chain_hasher *hasher);

/* Takes the memory that the next hash needs: after it, that one cannot fail for want of any. */
struct error chain_hasher_begin(struct chain_hasher *hasher);
struct error chain_hasher_after(struct chain_hasher *hasher, struct text batch,
                                uint8_t chain[chain_bytes]);

/* The first sector of a segment file; never rewritten. */
struct segment_header {
    uint32_t record_version;
    uint64_t base;  /* the position of the file's first byte */
    uint64_t bytes; /* size of the file */
    char kind[segment_kind_bytes];
    uint8_t chain_before[chain_bytes];
};

void segment_header_encode(const struct segment_header *header, char sector[segment_header_bytes]);
const char *segment_header_decode(const char sector[segment_header_bytes],
                                  struct segment_header *header);

/* The file's path: the base position in 20 digits. */
void segment_path(char path[log_path_bytes], const char *directory, uint64_t base);

/* False for a name that is no segment's. */
bool segment_base_of_name(const char *name, uint64_t *base);

struct batch_header {
    uint64_t position; /* of the batch's first byte */
    uint32_t size;     /* header and records; zeros fill the last sector */
    uint32_t record_count;
    uint8_t chain_before[chain_bytes];
};

/* Fills the first 64 bytes of a batch whose records, and the zeros behind them, are in place. */
void batch_header_encode(const struct batch_header *header, char *batch);

/* Of a batch that should stand at `position`, where at most `size_max` bytes are left. */
const char *batch_header_decode(const char bytes[batch_header_bytes], uint64_t position,
                                uint64_t size_max, struct batch_header *header);

/* Checksum of the batch; `batch` holds all its sectors. */
const char *batch_verify(const struct batch_header *header, const char *batch);

/* The bytes of a frame, for a record that stands right behind it. Size > 0. */
void record_frame_encode(char *frame, uint64_t position, uint32_t size);

/* The size of a record, of which at most `size_max` bytes can be there. */
const char *record_frame_decode(const char frame[record_frame_bytes], uint64_t size_max,
                                uint32_t *size);

/* Whether the record is the one that was framed at `position`. */
const char *record_verify(const char frame[record_frame_bytes], uint64_t position,
                          struct text record);

/* Up to where the log was durable when its process last said so, and the chain's value there. */
struct watermark {
    uint64_t end;
    uint8_t chain[chain_bytes];
};

void watermark_encode(const struct watermark *watermark, char slot[watermark_slot_bytes]);
const char *watermark_decode(const char slot[watermark_slot_bytes], struct watermark *watermark);

#endif
