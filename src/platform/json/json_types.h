#ifndef WAYBILL_PLATFORM_JSON_JSON_TYPES_H
#define WAYBILL_PLATFORM_JSON_JSON_TYPES_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What reading and writing share: names, the types with a JSON form of their own, Base64, times.
 * Thread: any.
 */
enum json_form {
    JSON_FORM_OBJECT,    /* a message like any other */
    JSON_FORM_TIMESTAMP, /* "2026-11-24T10:00:00Z" */
    JSON_FORM_DURATION,  /* "1.5s" */
    JSON_FORM_ANY,       /* {"@type": …} */
};

enum json_form json_form_of(const ProtobufCMessageDescriptor *type);

/* Whether the field is a map: repeated entries of key and value, which protobuf-c keeps as
 * messages. */
bool json_field_is_map(const ProtobufCFieldDescriptor *field);

/* "order_id" → "orderId". `out` has room for json_name_bytes_max. */
enum { json_name_bytes_max = 128 };
void json_name_of(const char *proto_name, char *out);

/* Appends Base64 with padding. False at the buffer's limit. */
bool json_base64_write(struct text bytes, struct buffer *out);

/* Standard or URL-safe Base64, padded or not. False if it is none, or without memory. */
bool json_base64_read(struct text text, struct arena *arena, ProtobufCBinaryData *bytes);

/* RFC 3339, 0, 3, 6 or 9 digits. False if the time is outside years 1 to 9999. */
bool json_timestamp_write(int64_t seconds, int32_t nanos, struct buffer *out);
bool json_timestamp_read(struct text text, int64_t *seconds, int32_t *nanos);

/* Seconds with 0, 3, 6 or 9 digits and an "s". False outside ±10,000 years, or of mixed signs. */
bool json_duration_write(int64_t seconds, int32_t nanos, struct buffer *out);
bool json_duration_read(struct text text, int64_t *seconds, int32_t *nanos);

#endif
