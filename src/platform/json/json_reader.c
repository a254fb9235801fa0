/* The path is text in a fixed place; each step back only cuts it. Numbers are C's, in its locale.
 */
#include "platform/json/json_reader.h"

#include "platform/base/base64.h"
#include "platform/json/json_types.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { path_bytes_shown_max = 150 };

/* How much of the path is shown: whole characters. */
static int shown_size(const struct json_reader *reader)
{
    size_t size =
        reader->path_size < path_bytes_shown_max ? reader->path_size : path_bytes_shown_max;
    while (size > 0 && !text_is_utf8(text_make(reader->path, size)))
        size--;
    return (int)size;
}

bool json_reader_refuse(struct json_reader *reader, const char *what)
{
    int shown = shown_size(reader);
    if (!error_is(reader->error))
        reader->error = error_make(ERROR_INVALID_INPUT, "%.*s%s%s", shown, reader->path,
                                   shown == 0 ? "" : ": ", what);
    return false;
}

bool json_reader_out_of_memory(struct json_reader *reader)
{
    if (!error_is(reader->error))
        reader->error = error_make(ERROR_OUT_OF_MEMORY, "reading JSON");
    return false;
}

void json_reader_note_unknown(struct json_reader *reader, const char *name,
                              const ProtobufCMessageDescriptor *message,
                              const ProtobufCEnumDescriptor *enumeration)
{
    if (error_is(reader->error))
        return;
    reader->unknown = (struct json_unknown){.message = message, .enumeration = enumeration};
    snprintf(reader->unknown.name, sizeof reader->unknown.name, "%s", name);
}

/* --- the path --- */

size_t json_reader_enter_field(struct json_reader *reader, const char *name)
{
    size_t before = reader->path_size;
    int added = snprintf(reader->path + before, sizeof reader->path - before, "%s%s",
                         before == 0 ? "" : ".", name);
    size_t room = sizeof reader->path - 1 - before;
    reader->path_size += (size_t)added < room ? (size_t)added : room;
    return before;
}

size_t json_reader_enter_element(struct json_reader *reader, size_t index)
{
    size_t before = reader->path_size;
    int added = snprintf(reader->path + before, sizeof reader->path - before, "[%zu]", index);
    size_t room = sizeof reader->path - 1 - before;
    reader->path_size += (size_t)added < room ? (size_t)added : room;
    return before;
}

void json_reader_leave(struct json_reader *reader, size_t before)
{
    reader->path_size = before;
    reader->path[before] = '\0';
}

/* --- scalars --- */

struct text json_reader_string_of(const json_t *value)
{
    return text_make(json_string_value(value), json_string_length(value));
}

/* A whole number that came as a floating one: 1e3 and 1.0 are, 1.5 is none. */
static bool take_whole(struct json_reader *reader, double real, bool is_unsigned, uint64_t *result)
{
    if (real != trunc(real) || fabs(real) > 9007199254740992.0 || (is_unsigned && real < 0))
        return json_reader_refuse(reader, "must be a whole number in range");
    *result = (uint64_t)(int64_t)real;
    return true;
}

static bool read_integer_text(struct json_reader *reader, struct text text, bool is_unsigned,
                              uint64_t *result)
{
    int64_t number;
    char *end;
    if (!json_is_number_text(text))
        return json_reader_refuse(reader, "must be a whole number");
    if (text_to_int64(text, &number)) {
        *result = (uint64_t)number;
        return !is_unsigned || number >= 0 || json_reader_refuse(reader, "must not be negative");
    }
    errno = 0; /* every text here has a NUL behind it */
    *result = strtoull(text.data, &end, 10);
    if (is_unsigned && text.data[0] != '-' && *end == '\0' && errno == 0)
        return true;
    return take_whole(reader, strtod(text.data, NULL), is_unsigned, result);
}

/* From a JSON number or a string of one. */
static bool read_integer(struct json_reader *reader, const json_t *value, bool is_unsigned,
                         uint64_t *result)
{
    if (json_is_string(value))
        return read_integer_text(reader, json_reader_string_of(value), is_unsigned, result);
    if (json_is_real(value))
        return take_whole(reader, json_real_value(value), is_unsigned, result);
    if (!json_is_integer(value))
        return json_reader_refuse(reader, "must be a whole number");
    json_int_t number = json_integer_value(value);
    *result = (uint64_t)number;
    return !is_unsigned || number >= 0 || json_reader_refuse(reader, "must not be negative");
}

static bool take_int32(struct json_reader *reader, uint64_t number, void *out)
{
    if ((int64_t)number < INT32_MIN || (int64_t)number > INT32_MAX)
        return json_reader_refuse(reader, "must fit 32 bits");
    *(int32_t *)out = (int32_t)(int64_t)number;
    return true;
}

static bool take_uint32(struct json_reader *reader, uint64_t number, void *out)
{
    if (number > UINT32_MAX)
        return json_reader_refuse(reader, "must fit 32 bits");
    *(uint32_t *)out = (uint32_t)number;
    return true;
}

static bool read_double(struct json_reader *reader, const json_t *value, double *out)
{
    struct text text = json_reader_string_of(value);
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (text_equals_string(text, "NaN"))
        *out = NAN;
    else if (text_equals_string(text, "Infinity"))
        *out = INFINITY;
    else if (text_equals_string(text, "-Infinity"))
        *out = -INFINITY;
    else if (json_is_number_text(text))
        *out = strtod(text.data, NULL);
    else
        return json_reader_refuse(reader, "must be a number");
    return !json_is_number_text(text) || !isinf(*out) || json_reader_refuse(reader, "is too large");
}

static bool read_float(struct json_reader *reader, const json_t *value, float *out)
{
    double real;
    if (!read_double(reader, value, &real))
        return false;
    *out = (float)real;
    return isinf(real) || !isinf(*out) || json_reader_refuse(reader, "is too large");
}

static bool read_enum(struct json_reader *reader, const json_t *value,
                      const ProtobufCEnumDescriptor *type, void *out)
{
    uint64_t number;
    if (json_is_null(value) && json_is_null_value(type)) {
        *(int *)out = 0;
        return true;
    }
    if (json_is_string(value)) {
        const ProtobufCEnumValue *known =
            protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(value));
        if (known == NULL) {
            json_reader_note_unknown(reader, json_string_value(value), NULL, type);
            return json_reader_refuse(reader, "is no name of this enum");
        }
        *(int *)out = known->value;
        return true;
    }
    if (!json_is_number(value))
        return json_reader_refuse(reader, "must be a name of the enum");
    return read_integer(reader, value, false, &number) && take_int32(reader, number, out);
}

bool json_reader_copy_string(struct json_reader *reader, struct text text, void *out)
{
    struct text copy = arena_copy_text(reader->arena, text);
    *(char **)out = (char *)(uintptr_t)copy.data;
    return copy.data != NULL || json_reader_out_of_memory(reader);
}

static bool read_bytes(struct json_reader *reader, const json_t *value, ProtobufCBinaryData *out)
{
    struct text text = json_reader_string_of(value);
    if (!json_is_string(value))
        return json_reader_refuse(reader, "must be Base64");
    char *decoded = arena_allocate(reader->arena, text.size + 4);
    if (decoded == NULL)
        return json_reader_out_of_memory(reader);
    out->data = (uint8_t *)decoded;
    return base64_decode(text, decoded, &out->len) || json_reader_refuse(reader, "must be Base64");
}

bool json_reader_scalar(struct json_reader *reader, const json_t *value,
                        const ProtobufCFieldDescriptor *field, void *out)
{
    uint64_t number;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_integer(reader, value, false, &number) && take_int32(reader, number, out);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_integer(reader, value, true, &number) && take_uint32(reader, number, out);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_integer(reader, value, false, out);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_integer(reader, value, true, out);
    case PROTOBUF_C_TYPE_FLOAT:
        return read_float(reader, value, out);
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_double(reader, value, out);
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)out = json_is_true(value);
        return json_is_boolean(value) || json_reader_refuse(reader, "must be true or false");
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, value, field->descriptor, out);
    case PROTOBUF_C_TYPE_STRING:
        return json_is_string(value)
                   ? json_reader_copy_string(reader, json_reader_string_of(value), out)
                   : json_reader_refuse(reader, "must be a string");
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reader, value, out);
    case PROTOBUF_C_TYPE_MESSAGE:
        break; /* the caller's */
    }
    return false;
}

/* --- the key of a map --- */

/* Whether the key is written as we would write it, so that no two texts are one key. */
static bool is_canonical(const char *key, bool is_unsigned, uint64_t number)
{
    char text[24];
    if (is_unsigned)
        snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    else
        snprintf(text, sizeof text, "%lld", (long long)number);
    return strcmp(text, key) == 0;
}

static bool read_integer_key(struct json_reader *reader, const char *key, bool is_unsigned,
                             uint64_t *number)
{
    return read_integer_text(reader, text_of(key), is_unsigned, number) &&
           (is_canonical(key, is_unsigned, *number) ||
            json_reader_refuse(reader, "must be written in plain digits"));
}

bool json_reader_key(struct json_reader *reader, const char *key, ProtobufCType type, void *out)
{
    uint64_t number;
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_integer_key(reader, key, false, &number) && take_int32(reader, number, out);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_integer_key(reader, key, true, &number) && take_uint32(reader, number, out);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_integer_key(reader, key, false, out);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_integer_key(reader, key, true, out);
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)out = strcmp(key, "true") == 0;
        return strcmp(key, "true") == 0 || strcmp(key, "false") == 0 ||
               json_reader_refuse(reader, "must be true or false");
    case PROTOBUF_C_TYPE_STRING:
        return json_reader_copy_string(reader, text_of(key), out);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return false;
}
