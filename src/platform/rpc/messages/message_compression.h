#ifndef WAYBILL_PLATFORM_RPC_MESSAGES_MESSAGE_COMPRESSION_H
#define WAYBILL_PLATFORM_RPC_MESSAGES_MESSAGE_COMPRESSION_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>

/*
 * The codings of messages (grpc/doc/compression.md, RFC 9110 section 8.4.1): identity and gzip.
 * Thread: one at a time.
 */
enum message_coding { MESSAGE_IDENTITY, MESSAGE_GZIP, MESSAGE_CODING_UNKNOWN };

/* "gzip", "identity" or nothing; anything else is unknown. */
enum message_coding message_coding_of(struct text name);

/* Whether a list such as "identity,deflate,gzip;q=0.5" holds gzip. */
bool message_coding_accepts_gzip(struct text list);

/* Appends the bytes as one gzip member. OUT_OF_MEMORY; LIMIT of `out`. */
struct error message_compress(struct text bytes, struct buffer *out);

/* Appends what is in the gzip member. INVALID_INPUT: it is none; LIMIT of `out`; OUT_OF_MEMORY. */
struct error message_decompress(struct text bytes, struct buffer *out);

#endif
