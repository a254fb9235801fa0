/*
 * Messages to JSON, straight into the buffer: fields in the descriptor's order, those at their
 * default left out. What cannot be said in JSON (a time out of range, an Any of unknown type) is an
 * error; a buffer at its limit is one, too.
 */
#include "platform/base/base64.h"
#include "platform/base/memory.h"
#include "platform/json/json_message.h"
#include "platform/json/json_types.h"
#include "platform/json/json_wire.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { any_memory_bytes_max = 16 * 1024 * 1024 };

struct writer {
    struct buffer *out;
    unsigned indent;
    unsigned depth;   /* of indentation */
    unsigned nesting; /* of messages */
    struct error error;
};

static bool fail(struct writer *writer, enum error_code code, const char *what)
{
    if (!error_is(writer->error))
        writer->error = error_make(code, "%s", what);
    return false;
}

static bool no_room(struct writer *writer)
{
    return fail(writer, ERROR_LIMIT, "the JSON is too large");
}

static bool put(struct writer *writer, const char *string)
{
    return buffer_append_string(writer->out, string) || no_room(writer);
}

static bool put_line(struct writer *writer)
{
    if (writer->indent == 0)
        return true;
    bool fits = buffer_append_string(writer->out, "\n");
    for (unsigned i = 0; fits && i < writer->depth * writer->indent; i++)
        fits = buffer_append(writer->out, " ", 1);
    return fits || no_room(writer);
}

/* Whether the byte may stand in a JSON string as it is. */
static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
}

bool json_string_write(struct text text, struct buffer *out)
{
    bool fits = buffer_append_string(out, "\"");
    for (size_t i = 0; fits && i < text.size;) {
        size_t plain = i;
        while (plain < text.size && is_plain(text.data[plain]))
            plain++;
        fits = buffer_append(out, text.data + i, plain - i);
        i = plain;
        if (!fits || i == text.size)
            break;
        unsigned char c = (unsigned char)text.data[i++];
        if (c == '"' || c == '\\')
            fits = buffer_append_format(out, "\\%c", c);
        else if (c == '\n')
            fits = buffer_append_string(out, "\\n");
        else
            fits = buffer_append_format(out, "\\u%04x", c);
    }
    return fits && buffer_append_string(out, "\"");
}

static bool put_string(struct writer *writer, struct text text)
{
    if (!text_is_utf8(text))
        return fail(writer, ERROR_INVALID_INPUT, "a string that is not UTF-8");
    return json_string_write(text, writer->out) || no_room(writer);
}

/* The shortest digits that read as the same number: `digits` are mostly enough, two more always. */
static bool put_real(struct writer *writer, double value, int digits, bool is_float)
{
    char text[32];
    if (isnan(value))
        return put(writer, "\"NaN\"");
    if (isinf(value))
        return put(writer, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    if (value == 0 && signbit(value))
        return put(writer, "-0.0"); /* many read -0 as the integer 0 */
    for (int more = 0; more <= (is_float ? 3 : 2); more++) {
        snprintf(text, sizeof text, "%.*g", digits + more, value);
        if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    return put(writer, text);
}

static bool put_enum(struct writer *writer, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    if (json_is_null_value(type))
        return put(writer, "null");
    if (known != NULL)
        return put_string(writer, text_of(known->name));
    return buffer_append_format(writer->out, "%d", value) || no_room(writer);
}

static bool put_bytes(struct writer *writer, const ProtobufCBinaryData *bytes)
{
    struct buffer *out = writer->out;
    size_t room = base64_room(bytes->len);
    if (!buffer_reserve(out, room + 2))
        return no_room(writer);
    out->data[out->size++] = '"';
    out->size += base64_encode(text_make(bytes->data, bytes->len), true, out->data + out->size);
    out->data[out->size++] = '"';
    return true;
}

static bool put_message(struct writer *writer, const ProtobufCMessage *message);

/* The entry of a map may come without its value: then it is an empty one. */
static bool put_empty_message(struct writer *writer, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = memory_allocate(type->sizeof_message);
    if (message == NULL)
        return fail(writer, ERROR_OUT_OF_MEMORY, "writing JSON");
    protobuf_c_message_init(type, message);
    bool fits = put_message(writer, message);
    memory_release(message);
    return fits;
}

/* One value in memory, as protobuf-c lays it out. */
static bool put_value(struct writer *writer, const ProtobufCFieldDescriptor *field,
                      const void *value)
{
    const ProtobufCMessage *message;
    bool fits = false;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        fits = buffer_append_format(writer->out, "%d", *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        fits = buffer_append_format(writer->out, "%u", *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        fits = buffer_append_format(writer->out, "\"%lld\"", (long long)*(const int64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        fits = buffer_append_format(writer->out, "\"%llu\"",
                                    (unsigned long long)*(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        return put_real(writer, (double)*(const float *)value, 6, true);
    case PROTOBUF_C_TYPE_DOUBLE:
        return put_real(writer, *(const double *)value, 15, false);
    case PROTOBUF_C_TYPE_BOOL:
        return put(writer, *(const protobuf_c_boolean *)value ? "true" : "false");
    case PROTOBUF_C_TYPE_ENUM:
        return put_enum(writer, field->descriptor, *(const int *)value);
    case PROTOBUF_C_TYPE_STRING:
        return put_string(writer, text_of(*(char *const *)value));
    case PROTOBUF_C_TYPE_BYTES:
        return put_bytes(writer, value);
    case PROTOBUF_C_TYPE_MESSAGE:
        message = *(ProtobufCMessage *const *)value;
        return message == NULL ? put_empty_message(writer, field->descriptor)
                               : put_message(writer, message);
    }
    return fits || no_room(writer);
}

/* Whether a field that is neither repeated nor of a oneof is at proto3's default. */
static bool is_default(const ProtobufCFieldDescriptor *field, const void *value)
{
    static const char zeros[sizeof(ProtobufCBinaryData)];
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *string = *(char *const *)value;
        return string == NULL || string[0] == '\0';
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)value)->len == 0;
    return memcmp(value, zeros, json_value_size(field->type)) == 0;
}

static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + field->quantifier_offset) > 0;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    return !is_default(field, base + field->offset);
}

/* The key of a map's entry is a string in JSON, whatever its type. */
static bool put_map(struct writer *writer, ProtobufCMessage *const *entries, size_t count)
{
    bool fits = put(writer, "{");
    writer->depth++;
    for (size_t i = 0; fits && i < count; i++) {
        const ProtobufCFieldDescriptor *key = &entries[i]->descriptor->fields[0];
        const ProtobufCFieldDescriptor *value = &entries[i]->descriptor->fields[1];
        const char *base = (const char *)entries[i];
        bool quoted = key->type == PROTOBUF_C_TYPE_STRING || json_value_size(key->type) == 8;
        fits = (i == 0 || put(writer, ",")) && put_line(writer) && (quoted || put(writer, "\"")) &&
               put_value(writer, key, base + key->offset) && (quoted || put(writer, "\"")) &&
               put(writer, writer->indent == 0 ? ":" : ": ") &&
               put_value(writer, value, base + value->offset);
    }
    writer->depth--;
    return fits && (count == 0 || put_line(writer)) && put(writer, "}");
}

static bool put_list(struct writer *writer, const ProtobufCFieldDescriptor *field,
                     const char *elements, size_t count)
{
    bool fits = put(writer, "[");
    writer->depth++;
    for (size_t i = 0; fits && i < count; i++)
        fits = (i == 0 || put(writer, ",")) && put_line(writer) &&
               put_value(writer, field, elements + i * json_value_size(field->type));
    writer->depth--;
    return fits && (count == 0 || put_line(writer)) && put(writer, "]");
}

static bool put_field_value(struct writer *writer, const ProtobufCMessage *message,
                            const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return put_value(writer, field, base + field->offset);
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    const char *elements = *(char *const *)(base + field->offset);
    if (json_field_is_map(field))
        return put_map(writer, (ProtobufCMessage *const *)elements, count);
    return put_list(writer, field, elements, count);
}

static bool put_field(struct writer *writer, const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field)
{
    if (!put_line(writer) || !put(writer, "\""))
        return false;
    if (!json_name_write(field->name, writer->out))
        return no_room(writer);
    return put(writer, writer->indent == 0 ? "\":" : "\": ") &&
           put_field_value(writer, message, field);
}

/* `comma`: something stands before in the same object. */
static bool put_fields(struct writer *writer, const ProtobufCMessage *message, bool comma)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (!is_present(message, field))
            continue;
        if ((comma && !put(writer, ",")) || !put_field(writer, message, field))
            return false;
        comma = true;
    }
    return true;
}

/* --- Any --- */

/* Where a message within an Any is unpacked to. */
struct content_memory {
    struct arena arena;
    bool full;
};

static void *allocate_content(void *context, size_t size)
{
    struct content_memory *memory = context;
    void *block = arena_allocate(&memory->arena, size);
    memory->full = memory->full || block == NULL;
    return block;
}

static void keep_content(void *context, void *block)
{
    (void)context;
    (void)block;
}

/* Its fields behind "@type", or "value" for a type with a form of its own. */
static bool put_content(struct writer *writer, const char *type_url,
                        const ProtobufCMessage *message)
{
    bool fits = put(writer, "{");
    writer->depth++;
    fits = fits && put_line(writer) && put(writer, "\"@type\"") &&
           put(writer, writer->indent == 0 ? ":" : ": ") && put_string(writer, text_of(type_url));
    if (fits && json_form_of(message->descriptor) == JSON_FORM_OBJECT)
        fits = put_fields(writer, message, true);
    else if (fits)
        fits = put(writer, ",") && put_line(writer) &&
               put(writer, writer->indent == 0 ? "\"value\":" : "\"value\": ") &&
               put_message(writer, message);
    writer->depth--;
    return fits && put_line(writer) && put(writer, "}");
}

static bool put_any(struct writer *writer, const Google__Protobuf__Any *any)
{
    if (any->type_url[0] == '\0' && any->value.len == 0)
        return put(writer, "{}");
    const char *slash = strrchr(any->type_url, '/');
    const ProtobufCMessageDescriptor *type =
        json_message_type(text_of(slash == NULL ? any->type_url : slash + 1));
    struct content_memory memory = {.full = false};
    ProtobufCAllocator allocator = {
        .alloc = allocate_content, .free = keep_content, .allocator_data = &memory};
    if (type == NULL || slash == NULL)
        return fail(writer, ERROR_INVALID_INPUT, "an Any of a type that is not known here");
    if (!json_wire_nests_within(type, text_make(any->value.data, any->value.len), json_nesting_max))
        return fail(writer, ERROR_INVALID_INPUT, "an Any whose bytes are bad or nest too deeply");
    arena_init(&memory.arena, any_memory_bytes_max);
    const ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, any->value.len, any->value.data);
    bool fits = false;
    if (message != NULL)
        fits = put_content(writer, any->type_url, message);
    else if (memory.full)
        fits = fail(writer, ERROR_LIMIT, "an Any that takes too much memory");
    else
        fits = fail(writer, ERROR_INVALID_INPUT, "an Any whose bytes are bad");
    arena_deinit(&memory.arena);
    return fits;
}

/* --- the other types with a form of their own --- */

static bool put_timestamp(struct writer *writer, const Google__Protobuf__Timestamp *time)
{
    if (!json_timestamp_is_valid(time->seconds, time->nanos))
        return fail(writer, ERROR_INVALID_INPUT, "a Timestamp out of range");
    return json_timestamp_write(time->seconds, time->nanos, writer->out) || no_room(writer);
}

static bool put_duration(struct writer *writer, const Google__Protobuf__Duration *duration)
{
    if (!json_duration_is_valid(duration->seconds, duration->nanos))
        return fail(writer, ERROR_INVALID_INPUT, "a Duration out of range");
    return json_duration_write(duration->seconds, duration->nanos, writer->out) || no_room(writer);
}

static bool put_field_mask(struct writer *writer, const Google__Protobuf__FieldMask *mask)
{
    if (!json_field_mask_is_valid(mask->paths, mask->n_paths))
        return fail(writer, ERROR_INVALID_INPUT, "a FieldMask with a path that JSON cannot say");
    return json_field_mask_write(mask->paths, mask->n_paths, writer->out) || no_room(writer);
}

static bool put_any_value(struct writer *writer, const Google__Protobuf__Value *value)
{
    switch (value->kind_case) {
    case GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE:
        return put(writer, "null");
    case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
        if (!isfinite(value->number_value))
            return fail(writer, ERROR_INVALID_INPUT, "a Value that is no number");
        return put_real(writer, value->number_value, 15, false);
    case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
        return put_string(writer, text_of(value->string_value));
    case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
        return put(writer, value->bool_value ? "true" : "false");
    case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
        return put_message(writer, &value->struct_value->base);
    case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
        return put_message(writer, &value->list_value->base);
    case GOOGLE__PROTOBUF__VALUE__KIND__NOT_SET:
    case _GOOGLE__PROTOBUF__VALUE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return fail(writer, ERROR_INVALID_INPUT, "a Value of no kind");
}

static bool put_object(struct writer *writer, const ProtobufCMessage *message)
{
    size_t before = writer->out->size;
    if (!put(writer, "{"))
        return false;
    writer->depth++;
    bool fits = put_fields(writer, message, false);
    writer->depth--;
    bool empty = writer->out->size == before + 1;
    return fits && (empty || put_line(writer)) && put(writer, "}");
}

static bool put_form(struct writer *writer, const ProtobufCMessage *message)
{
    switch (json_form_of(message->descriptor)) {
    case JSON_FORM_TIMESTAMP:
        return put_timestamp(writer, (const void *)message);
    case JSON_FORM_DURATION:
        return put_duration(writer, (const void *)message);
    case JSON_FORM_FIELD_MASK:
        return put_field_mask(writer, (const void *)message);
    case JSON_FORM_WRAPPER:
    case JSON_FORM_STRUCT:
    case JSON_FORM_LIST:
        return put_field_value(writer, message, &message->descriptor->fields[0]);
    case JSON_FORM_VALUE:
        return put_any_value(writer, (const void *)message);
    case JSON_FORM_ANY:
        return put_any(writer, (const void *)message);
    case JSON_FORM_OBJECT:
        return put_object(writer, message);
    }
    return false;
}

static bool put_message(struct writer *writer, const ProtobufCMessage *message)
{
    if (writer->nesting == json_nesting_max)
        return fail(writer, ERROR_INVALID_INPUT, "messages are nested too deeply");
    writer->nesting++;
    bool fits = put_form(writer, message);
    writer->nesting--;
    return fits;
}

struct error json_message_write(const ProtobufCMessage *message, unsigned indent,
                                struct buffer *out)
{
    struct writer writer = {.out = out, .indent = indent, .error = error_none()};
    (void)put_message(&writer, message);
    return writer.error;
}
