/*
 * Every structure begins with eight bytes of magic and an XXH3 checksum of 64 bits over all that
 * follows; a record's frame has 32 bits of one, seeded with its position, so that a record found at
 * another place than its own is refused. Little-endian throughout.
 *
 * XXH3 instead of a CRC: it is as stable (its format is frozen since xxHash 0.8), wider, and ten
 * times faster than zlib's crc32 on the machines we measured. It finds accidents; what finds intent
 * is the SHA-256 chain.
 */
#include "platform/storage/record_log_format.h"

#include "platform/base/check.h"
#include "platform/base/codec.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum {
    magic_bytes = 8,
    checksum_end = 16, /* magic and checksum; what is checked begins here */
    segment_format_version = 1,
};

static const char segment_magic[magic_bytes + 1] = "WBSEGMNT";
static const char batch_magic[magic_bytes + 1] = "WB-BATCH";
static const char watermark_magic[magic_bytes + 1] = "WBSYNCED";

/* --- the chain --- */

struct error chain_hasher_init(struct chain_hasher *hasher)
{
    hasher->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->context = EVP_MD_CTX_new();
    hasher->begun = false;
    if (hasher->algorithm == NULL || hasher->context == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "SHA-256");
    return chain_hasher_begin(hasher);
}

void chain_hasher_deinit(struct chain_hasher *hasher)
{
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->algorithm);
    *hasher = (struct chain_hasher){0};
}

struct error chain_hasher_begin(struct chain_hasher *hasher)
{
    if (!hasher->begun && EVP_DigestInit_ex2(hasher->context, hasher->algorithm, NULL) != 1)
        return error_make(ERROR_OUT_OF_MEMORY, "SHA-256");
    hasher->begun = true;
    return error_none();
}

struct error chain_hasher_after(struct chain_hasher *hasher, struct text batch,
                                uint8_t chain[chain_bytes])
{
    struct error error = chain_hasher_begin(hasher);
    if (error_is(error))
        return error;
    hasher->begun = false;
    if (EVP_DigestUpdate(hasher->context, batch.data, batch.size) != 1 ||
        EVP_DigestFinal_ex(hasher->context, chain, NULL) != 1)
        return error_make(ERROR_INTERNAL, "SHA-256");
    return error_none();
}

/* --- magic and checksum --- */

static uint64_t checksum_of(const char *bytes, size_t size)
{
    return XXH3_64bits(bytes + checksum_end, size - checksum_end);
}

/* Writes both, once all that follows is in place. */
static void seal(char *bytes, size_t size, const char *magic)
{
    struct byte_writer writer = {.at = bytes};
    write_bytes(&writer, magic, magic_bytes);
    write_uint64(&writer, checksum_of(bytes, size));
}

static bool has_magic(const char *bytes, const char *magic)
{
    return memcmp(bytes, magic, magic_bytes) == 0;
}

static bool has_checksum(const char *bytes, size_t size)
{
    struct byte_reader reader = byte_reader_of(text_make(bytes + magic_bytes, 8));
    return read_uint64(&reader) == checksum_of(bytes, size);
}

/* --- segments --- */

void segment_header_encode(const struct segment_header *header, char sector[segment_header_bytes])
{
    struct byte_writer writer = {.at = sector + checksum_end};
    memset(sector, 0, segment_header_bytes);
    write_uint32(&writer, segment_format_version);
    write_uint32(&writer, header->record_version);
    write_uint64(&writer, header->base);
    write_uint64(&writer, header->bytes);
    write_bytes(&writer, header->kind, segment_kind_bytes);
    write_bytes(&writer, header->chain_before, chain_bytes);
    seal(sector, segment_header_bytes, segment_magic);
}

const char *segment_header_decode(const char sector[segment_header_bytes],
                                  struct segment_header *header)
{
    struct byte_reader reader =
        byte_reader_of(text_make(sector + checksum_end, segment_header_bytes - checksum_end));
    if (!has_magic(sector, segment_magic))
        return "this is no segment of a record log";
    if (!has_checksum(sector, segment_header_bytes))
        return "the checksum of the segment header does not match";
    if (read_uint32(&reader) != segment_format_version)
        return "the segment has a newer format than this program knows";
    header->record_version = read_uint32(&reader);
    header->base = read_uint64(&reader);
    header->bytes = read_uint64(&reader);
    read_bytes(&reader, header->kind, segment_kind_bytes);
    read_bytes(&reader, header->chain_before, chain_bytes);
    if (header->bytes % log_sector_bytes != 0)
        return "the size in the segment header is impossible";
    if (header->kind[segment_kind_bytes - 1] != '\0')
        return "the kind in the segment header is no text";
    return NULL;
}

void segment_path(char path[log_path_bytes], const char *directory, uint64_t base)
{
    int size =
        snprintf(path, log_path_bytes, "%s/%020llu.log", directory, (unsigned long long)base);
    CHECK(size > 0 && size < log_path_bytes);
}

bool segment_base_of_name(const char *name, uint64_t *base)
{
    int64_t number;
    if (strlen(name) != 24 || strcmp(name + 20, ".log") != 0 ||
        !text_to_int64(text_make(name, 20), &number) || number < 0)
        return false;
    *base = (uint64_t)number;
    return true;
}

/* --- batches --- */

void batch_header_encode(const struct batch_header *header, char *batch)
{
    struct byte_writer writer = {.at = batch + checksum_end};
    write_uint64(&writer, header->position);
    write_uint32(&writer, header->size);
    write_uint32(&writer, header->record_count);
    write_bytes(&writer, header->chain_before, chain_bytes);
    seal(batch, (size_t)whole_sectors(header->size), batch_magic);
}

const char *batch_header_decode(const char bytes[batch_header_bytes], uint64_t position,
                                uint64_t size_max, struct batch_header *header)
{
    struct byte_reader reader =
        byte_reader_of(text_make(bytes + checksum_end, batch_header_bytes - checksum_end));
    if (!has_magic(bytes, batch_magic))
        return "no batch begins here";
    header->position = read_uint64(&reader);
    header->size = read_uint32(&reader);
    header->record_count = read_uint32(&reader);
    read_bytes(&reader, header->chain_before, chain_bytes);
    if (header->position != position)
        return "the batch belongs at another position";
    if (header->size < batch_header_bytes || header->size > size_max)
        return "the size of the batch is impossible";
    return NULL;
}

const char *batch_verify(const struct batch_header *header, const char *batch)
{
    if (!has_checksum(batch, (size_t)whole_sectors(header->size)))
        return "the checksum of the batch does not match";
    return NULL;
}

/* --- records --- */

static uint32_t record_checksum(uint64_t position, struct text record)
{
    return (uint32_t)XXH3_64bits_withSeed(record.data, record.size, position);
}

void record_frame_encode(char *frame, uint64_t position, uint32_t size)
{
    struct byte_writer writer = {.at = frame};
    write_uint32(&writer, size);
    write_uint32(&writer, record_checksum(position, text_make(frame + record_frame_bytes, size)));
}

const char *record_frame_decode(const char frame[record_frame_bytes], uint64_t size_max,
                                uint32_t *size)
{
    struct byte_reader reader = byte_reader_of(text_make(frame, record_frame_bytes));
    *size = read_uint32(&reader);
    if (*size == 0 || *size > size_max)
        return "the size of the record is impossible";
    return NULL;
}

const char *record_verify(const char frame[record_frame_bytes], uint64_t position,
                          struct text record)
{
    struct byte_reader reader = byte_reader_of(text_make(frame + 4, record_frame_bytes - 4));
    if (read_uint32(&reader) != record_checksum(position, record))
        return "the checksum of the record does not match";
    return NULL;
}

/* --- the watermark --- */

void watermark_encode(const struct watermark *watermark, char slot[watermark_slot_bytes])
{
    struct byte_writer writer = {.at = slot + checksum_end};
    memset(slot, 0, watermark_slot_bytes);
    write_uint64(&writer, watermark->end);
    write_bytes(&writer, watermark->chain, chain_bytes);
    seal(slot, watermark_slot_bytes, watermark_magic);
}

const char *watermark_decode(const char slot[watermark_slot_bytes], struct watermark *watermark)
{
    struct byte_reader reader =
        byte_reader_of(text_make(slot + checksum_end, watermark_slot_bytes - checksum_end));
    if (!has_magic(slot, watermark_magic) || !has_checksum(slot, watermark_slot_bytes))
        return "the watermark does not verify";
    watermark->end = read_uint64(&reader);
    read_bytes(&reader, watermark->chain, chain_bytes);
    return NULL;
}
