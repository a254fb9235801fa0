#ifndef WAYBILL_PLATFORM_JSON_JSON_MESSAGE_H
#define WAYBILL_PLATFORM_JSON_JSON_MESSAGE_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/*
 * The proto3 JSON mapping (protobuf.dev/programming-guides/json) both ways, from protobuf-c's
 * descriptors: lowerCamelCase names out, both names in; 64-bit integers as strings; enums by name;
 * bytes as Base64; maps as objects; the types of google.protobuf in their own forms.
 *
 * Where it is stricter than it must be: a number that is no string must fit a signed 64-bit
 * integer or have a point or an exponent; one that has them, to be an integer, must be at most
 * 2^53; map keys that are integers come in plain digits; messages nest 32 deep. protobuf-c does
 * not keep the option json_name, so names are always made from the proto's. Proto2 is not meant.
 * Thread: any; the types registered are read only.
 */

/*
 * Appends the message as JSON to `out`. `indent` 0 = one line. Fields at their default are left
 * out. Errors: LIMIT (out's limit or memory), OUT_OF_MEMORY, INVALID_INPUT (what JSON cannot say: a
 * Timestamp out of range, an Any of unknown type, a string that is not UTF-8).
 */
struct error json_message_write(const ProtobufCMessage *message, unsigned indent,
                                struct buffer *out);

/* Appends the text, which is UTF-8, as a JSON string. False: out's limit or memory. */
bool json_string_write(struct text text, struct buffer *out);

/*
 * Reads one JSON object as a message on `arena`. Unknown fields are refused unless
 * `ignore_unknown`. Errors: INVALID_INPUT with "line 1 column 7: …" for text that is no JSON and
 * with the field's path for a value that does not fit; LIMIT (JSON that takes far more memory than
 * its text); OUT_OF_MEMORY.
 */
struct error json_message_read(struct text json, const ProtobufCMessageDescriptor *descriptor,
                               bool ignore_unknown, struct arena *arena,
                               ProtobufCMessage **message);

/* A name in JSON that there is not, and what it should have been a name of. */
struct json_unknown {
    const ProtobufCMessageDescriptor *message;  /* it should be a field of this; or NULL */
    const ProtobufCEnumDescriptor *enumeration; /* it should be a value of this; or NULL */
    char name[128];                             /* cut */
};

/* The same; refuses unknown fields, and tells in *unknown whether such a name was wrong. */
struct error json_message_read_telling(struct text json,
                                       const ProtobufCMessageDescriptor *descriptor,
                                       struct arena *arena, ProtobufCMessage **message,
                                       struct json_unknown *unknown);

/*
 * Makes types known by name, for Any; google.protobuf's and google.rpc's are known already. The
 * list must live for ever. At start, before there are other threads.
 */
void json_message_register(const ProtobufCMessageDescriptor *const *types, size_t count);

/* The type of that full name among those registered ("google.rpc.ErrorInfo"), or NULL. */
const ProtobufCMessageDescriptor *json_message_type(struct text full_name);

#endif
