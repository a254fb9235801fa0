#ifndef WAYBILL_PLATFORM_COMPRESSION_GZIP_H
#define WAYBILL_PLATFORM_COMPRESSION_GZIP_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

/* gzip (RFC 1952), one member at a time. Thread: one at a time. */

/*
 * What decompressing may need of a buffer beyond the content: it takes room in such pieces, so a
 * content is surely taken if it is so much shorter than the buffer's limit.
 */
enum { gzip_piece_bytes = 4096 };

/* Appends the bytes as one gzip member. OUT_OF_MEMORY; LIMIT of `out`. */
struct error gzip_compress(struct text bytes, struct buffer *out);

/* Appends what is in the gzip member. INVALID_INPUT: it is none; LIMIT of `out`; OUT_OF_MEMORY. */
struct error gzip_decompress(struct text bytes, struct buffer *out);

#endif
