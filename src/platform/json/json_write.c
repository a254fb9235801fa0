/*
 * Messages to JSON, straight into the buffer: fields in the descriptor's order, those at their
 * default left out. What cannot be said in JSON (a time out of range, an Any of unknown type) is an
 * error; a buffer at its limit is one, too.
 */
#include "platform/json/json_message.h"
#include "platform/json/json_types.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

#include <math.h>
#include <string.h>

enum { nesting_max = 32, any_memory_bytes_max = 16 * 1024 * 1024 };

struct writer {
    struct buffer *out;
    unsigned indent;
    unsigned depth;
    struct error error;
};

static bool fail(struct writer *writer, enum error_code code, const char *what)
{
    if (!error_is(writer->error))
        writer->error = error_make(code, "%s", what);
    return false;
}

static bool put(struct writer *writer, const char *string)
{
    return buffer_append_string(writer->out, string) ||
           fail(writer, ERROR_LIMIT, "the JSON is too large");
}

static bool put_line(struct writer *writer)
{
    if (writer->indent == 0)
        return true;
    bool fits = buffer_append_string(writer->out, "\n");
    for (unsigned i = 0; fits && i < writer->depth * writer->indent; i++)
        fits = buffer_append(writer->out, " ", 1);
    return fits || fail(writer, ERROR_LIMIT, "the JSON is too large");
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
    return json_string_write(text, writer->out) ||
           fail(writer, ERROR_LIMIT, "the JSON is too large");
}

static bool put_double(struct writer *writer, double value, int digits)
{
    if (isnan(value))
        return put(writer, "\"NaN\"");
    if (isinf(value))
        return put(writer, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return buffer_append_format(writer->out, "%.*g", digits, value) ||
           fail(writer, ERROR_LIMIT, "the JSON is too large");
}

static bool put_enum(struct writer *writer, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    if (known != NULL)
        return put_string(writer, text_of(known->name));
    return buffer_append_format(writer->out, "%d", value) ||
           fail(writer, ERROR_LIMIT, "the JSON is too large");
}

static bool put_message(struct writer *writer, const ProtobufCMessage *message);

/* One value in memory, as protobuf-c lays it out. */
static bool put_value(struct writer *writer, const ProtobufCFieldDescriptor *field,
                      const void *value)
{
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
        return put_double(writer, (double)*(const float *)value, 9);
    case PROTOBUF_C_TYPE_DOUBLE:
        return put_double(writer, *(const double *)value, 17);
    case PROTOBUF_C_TYPE_BOOL:
        return put(writer, *(const protobuf_c_boolean *)value ? "true" : "false");
    case PROTOBUF_C_TYPE_ENUM:
        return put_enum(writer, field->descriptor, *(const int *)value);
    case PROTOBUF_C_TYPE_STRING:
        return put_string(writer, text_of(*(char *const *)value));
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = value;
        fits = buffer_append_string(writer->out, "\"") &&
               json_base64_write(text_make(bytes->data, bytes->len), writer->out) &&
               buffer_append_string(writer->out, "\"");
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        return put_message(writer, *(ProtobufCMessage *const *)value);
    }
    return fits || fail(writer, ERROR_LIMIT, "the JSON is too large");
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(ProtobufCMessage *);
    }
    return 0;
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
    return memcmp(value, zeros, size_of(field->type)) == 0;
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
        bool quoted = key->type == PROTOBUF_C_TYPE_STRING || size_of(key->type) == 8;
        fits = (i == 0 || put(writer, ",")) && put_line(writer) && (quoted || put(writer, "\"")) &&
               put_value(writer, key, base + key->offset) && (quoted || put(writer, "\"")) &&
               put(writer, writer->indent == 0 ? ":" : ": ") &&
               put_value(writer, value, base + value->offset);
    }
    writer->depth--;
    return fits && put_line(writer) && put(writer, "}");
}

static bool put_list(struct writer *writer, const ProtobufCFieldDescriptor *field,
                     const char *elements, size_t count)
{
    bool fits = put(writer, "[");
    writer->depth++;
    for (size_t i = 0; fits && i < count; i++)
        fits = (i == 0 || put(writer, ",")) && put_line(writer) &&
               put_value(writer, field, elements + i * size_of(field->type));
    writer->depth--;
    return fits && put_line(writer) && put(writer, "]");
}

static bool put_field(struct writer *writer, const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field)
{
    char name[json_name_bytes_max];
    const char *base = (const char *)message;
    json_name_of(field->name, name);
    if (!put_line(writer) || !put_string(writer, text_of(name)) ||
        !put(writer, writer->indent == 0 ? ":" : ": "))
        return false;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return put_value(writer, field, base + field->offset);
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    const char *elements = *(char *const *)(base + field->offset);
    if (json_field_is_map(field))
        return put_map(writer, (ProtobufCMessage *const *)elements, count);
    return put_list(writer, field, elements, count);
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

static void *arena_for_protobuf(void *arena, size_t size)
{
    return arena_allocate(arena, size);
}

static void keep_for_protobuf(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

/* {"@type": "type.googleapis.com/…", fields}, or "value" for a type with a form of its own. */
static bool put_any(struct writer *writer, const Google__Protobuf__Any *any)
{
    const char *slash = strrchr(any->type_url, '/');
    const ProtobufCMessageDescriptor *type =
        json_message_type(text_of(slash == NULL ? any->type_url : slash + 1));
    struct arena arena;
    ProtobufCAllocator allocator = {
        .alloc = arena_for_protobuf, .free = keep_for_protobuf, .allocator_data = &arena};
    if (type == NULL)
        return fail(writer, ERROR_INVALID_INPUT, "an Any of a type that is not known here");
    arena_init(&arena, any_memory_bytes_max);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, any->value.len, any->value.data);
    bool fits = message != NULL || fail(writer, ERROR_INVALID_INPUT, "an Any whose bytes are bad");
    fits = fits && put(writer, "{");
    writer->depth++;
    fits = fits && put_line(writer) && put(writer, "\"@type\"") &&
           put(writer, writer->indent == 0 ? ":" : ": ") &&
           put_string(writer, text_of(any->type_url));
    if (fits && json_form_of(type) == JSON_FORM_OBJECT)
        fits = put_fields(writer, message, true);
    else if (fits)
        fits = put(writer, ",") && put_line(writer) &&
               put(writer, writer->indent == 0 ? "\"value\":" : "\"value\": ") &&
               put_message(writer, message);
    writer->depth--;
    fits = fits && put_line(writer) && put(writer, "}");
    arena_deinit(&arena);
    return fits;
}

static bool put_message(struct writer *writer, const ProtobufCMessage *message)
{
    size_t before = writer->out->size;
    if (writer->depth > nesting_max)
        return fail(writer, ERROR_INVALID_INPUT, "messages are nested too deeply");
    switch (json_form_of(message->descriptor)) {
    case JSON_FORM_TIMESTAMP: {
        const Google__Protobuf__Timestamp *time = (const void *)message;
        return json_timestamp_write(time->seconds, time->nanos, writer->out) ||
               fail(writer, ERROR_INVALID_INPUT, "a Timestamp out of range");
    }
    case JSON_FORM_DURATION: {
        const Google__Protobuf__Duration *duration = (const void *)message;
        return json_duration_write(duration->seconds, duration->nanos, writer->out) ||
               fail(writer, ERROR_INVALID_INPUT, "a Duration out of range");
    }
    case JSON_FORM_ANY:
        return put_any(writer, (const void *)message);
    case JSON_FORM_OBJECT:
        break;
    }
    if (!put(writer, "{"))
        return false;
    writer->depth++;
    bool fits = put_fields(writer, message, false);
    writer->depth--;
    bool empty = writer->out->size == before + 1;
    return fits && (empty || put_line(writer)) && put(writer, "}");
}

struct error json_message_write(const ProtobufCMessage *message, unsigned indent,
                                struct buffer *out)
{
    struct writer writer = {.out = out, .indent = indent, .error = error_none()};
    (void)put_message(&writer, message);
    return writer.error;
}
