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
    JSON_FORM_OBJECT,     /* a message like any other */
    JSON_FORM_TIMESTAMP,  /* "2026-11-24T10:00:00Z" */
    JSON_FORM_DURATION,   /* "1.5s" */
    JSON_FORM_FIELD_MASK, /* "sku,stock.onHand" */
    JSON_FORM_WRAPPER,    /* what is in it */
    JSON_FORM_STRUCT,     /* any object */
    JSON_FORM_LIST,       /* any array */
    JSON_FORM_VALUE,      /* any JSON */
    JSON_FORM_ANY,        /* {"@type": …} */
};

/* Messages within messages, the outermost counted as 1. */
enum { json_nesting_max = 32 };

enum json_form json_form_of(const ProtobufCMessageDescriptor *type);

/* Whether it is google.protobuf.NullValue, whose one value is null. */
bool json_is_null_value(const ProtobufCEnumDescriptor *type);

/* Whether the field is a map: repeated entries of key and value, which protobuf-c keeps as
 * messages. */
bool json_field_is_map(const ProtobufCFieldDescriptor *field);

/* Bytes that one value takes in protobuf-c's structs. */
size_t json_value_size(ProtobufCType type);

/* Whether `name` is the lowerCamelCase form of a field's name: "order_id" is "orderId". */
bool json_name_is(const char *proto_name, const char *name);

/* Appends that form. False: the buffer's limit or memory. */
bool json_name_write(const char *proto_name, struct buffer *out);

/* Whether each path comes back the same from lowerCamelCase. */
bool json_field_mask_is_valid(char *const *paths, size_t count);

/* Appends the paths, which are valid, as one JSON string. False: the buffer's limit or memory. */
bool json_field_mask_write(char *const *paths, size_t count, struct buffer *out);

/* How many paths there are in "sku,stock.onHand". */
size_t json_field_mask_count(struct text text);

/*
 * Takes the first path of *left and its comma, and writes it in the fields' own names, a NUL
 * behind; `path` has room for twice left->size and 1. False if it is none.
 */
bool json_field_mask_next(struct text *left, char *path);

/* Whether the text is a JSON number (RFC 8259 section 6), nothing around it. */
bool json_is_number_text(struct text text);

/* Whether the time is within years 1 to 9999. */
bool json_timestamp_is_valid(int64_t seconds, int32_t nanos);

/* RFC 3339, 0, 3, 6 or 9 digits, of a valid time. False: the buffer's limit or memory. */
bool json_timestamp_write(int64_t seconds, int32_t nanos, struct buffer *out);
bool json_timestamp_read(struct text text, int64_t *seconds, int32_t *nanos);

/* Whether it is within ±10,000 years and both parts have one sign. */
bool json_duration_is_valid(int64_t seconds, int32_t nanos);

/* Seconds with 0, 3, 6 or 9 digits and an "s", of a valid duration. False as above. */
bool json_duration_write(int64_t seconds, int32_t nanos, struct buffer *out);
bool json_duration_read(struct text text, int64_t *seconds, int32_t *nanos);

#endif
