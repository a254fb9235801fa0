#ifndef WAYBILL_PLATFORM_RPC_MESSAGES_MESSAGE_CHECK_H
#define WAYBILL_PLATFORM_RPC_MESSAGES_MESSAGE_CHECK_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/rpc/status.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Looks over the wire bytes of a message with its descriptor before protobuf-c unpacks them
 * (DESIGN section 5): protobuf-c takes any bytes as a string, cuts them at NUL, and lets small
 * input take much memory. The rules are those of the Protocol Buffers encoding specification.
 */
struct message_check;

struct rpc_field_limit;

/* Nesting of messages, the outermost counted as 1 (DESIGN section 3 rule 8). */
enum { message_nesting_max = 16 };

/*
 * Compiles the rules for a message type and all types within it. Every repeated field needs a
 * limit. Errors: INVALID_SETTING (names the field without limit), OUT_OF_MEMORY.
 */
struct error message_check_create(struct message_check **check,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  const struct rpc_field_limit *limits, size_t limit_count);
void message_check_destroy(struct message_check *check);

/*
 * True: the bytes may be unpacked, strings are UTF-8 without NUL, counts and nesting hold.
 * Otherwise *status is INVALID_ARGUMENT: MALFORMED_MESSAGE for bytes that are no message (bad tag,
 * length, varint, wire type, group, nesting), INVALID_FIELD with every violation and its path for
 * strings and counts. Pure but for `arena`; any thread.
 */
__attribute__((warn_unused_result)) bool message_check_run(const struct message_check *check,
                                                           struct text bytes, struct arena *arena,
                                                           struct rpc_status *status);

#endif
