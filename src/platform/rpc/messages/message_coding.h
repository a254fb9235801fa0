#ifndef WAYBILL_PLATFORM_RPC_MESSAGES_MESSAGE_CODING_H
#define WAYBILL_PLATFORM_RPC_MESSAGES_MESSAGE_CODING_H

#include "platform/base/text.h"

#include <stdbool.h>

/*
 * The codings of messages (grpc/doc/compression.md, RFC 9110 section 8.4.1): identity and gzip
 * (platform/compression). Pure.
 */
enum message_coding { MESSAGE_IDENTITY, MESSAGE_GZIP, MESSAGE_CODING_UNKNOWN };

/* "gzip", "identity" or nothing; anything else is unknown. */
enum message_coding message_coding_of(struct text name);

/* Whether a list such as "identity,deflate,gzip;q=0.5" holds gzip. */
bool message_coding_accepts_gzip(struct text list);

#endif
