/*
 * JSON to messages. jansson parses (strict, no duplicates, bounded nesting, line and column of what
 * is wrong); then the tree is walked with the descriptor, and every value is put where protobuf-c
 * wants it. The walk keeps its path, so that a value that does not fit is named:
 * "lines[2].quantity".
 */
#include "platform/base/memory.h"
#include "platform/json/json_message.h"
#include "platform/json/json_types.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { nesting_max = 32, path_bytes_max = 512 };

struct reader {
    struct arena *arena;
    bool ignore_unknown;
    unsigned depth;
    char path[path_bytes_max];
    size_t path_size;
    struct error error;
};

static bool refuse(struct reader *reader, const char *what)
{
    if (!error_is(reader->error))
        reader->error = error_make(ERROR_INVALID_INPUT, "%.150s%s%s", reader->path,
                                   reader->path_size == 0 ? "" : ": ", what);
    return false;
}

static bool out_of_memory(struct reader *reader)
{
    if (!error_is(reader->error))
        reader->error = error_make(ERROR_OUT_OF_MEMORY, "reading JSON");
    return false;
}

/* --- the path --- */

static size_t enter_field(struct reader *reader, const char *name)
{
    size_t before = reader->path_size;
    int added = snprintf(reader->path + before, sizeof reader->path - before, "%s%s",
                         before == 0 ? "" : ".", name);
    size_t room = sizeof reader->path - 1 - before;
    reader->path_size += (size_t)added < room ? (size_t)added : room;
    return before;
}

static size_t enter_element(struct reader *reader, size_t index)
{
    size_t before = reader->path_size;
    int added = snprintf(reader->path + before, sizeof reader->path - before, "[%zu]", index);
    size_t room = sizeof reader->path - 1 - before;
    reader->path_size += (size_t)added < room ? (size_t)added : room;
    return before;
}

static void leave(struct reader *reader, size_t before)
{
    reader->path_size = before;
    reader->path[before] = '\0';
}

/* --- scalars --- */

/* A whole number from a JSON number or a string of one; 1e3 and 1.0 are whole. */
static bool read_integer(struct reader *reader, const json_t *value, bool is_unsigned,
                         uint64_t *result)
{
    double real;
    char *end;
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *result = (uint64_t)number;
        return !is_unsigned || number >= 0 || refuse(reader, "must not be negative");
    }
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        int64_t number;
        if (text_to_int64(text_of(text), &number)) {
            *result = (uint64_t)number;
            return !is_unsigned || number >= 0 || refuse(reader, "must not be negative");
        }
        errno = 0;
        *result = strtoull(text, &end, 10);
        if (is_unsigned && text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0)
            return true;
        real = strtod(text, &end);
        if (text[0] == '\0' || text[0] == ' ' || *end != '\0')
            return refuse(reader, "must be a whole number");
    } else if (json_is_real(value)) {
        real = json_real_value(value);
    } else {
        return refuse(reader, "must be a whole number");
    }
    if (real != trunc(real) || fabs(real) > 9007199254740992.0 || (is_unsigned && real < 0))
        return refuse(reader, "must be a whole number in range");
    *result = (uint64_t)(int64_t)real;
    return true;
}

static bool read_int32(struct reader *reader, const json_t *value, void *out)
{
    uint64_t number;
    if (!read_integer(reader, value, false, &number))
        return false;
    if ((int64_t)number < INT32_MIN || (int64_t)number > INT32_MAX)
        return refuse(reader, "must fit 32 bits");
    *(int32_t *)out = (int32_t)(int64_t)number;
    return true;
}

static bool read_uint32(struct reader *reader, const json_t *value, void *out)
{
    uint64_t number;
    if (!read_integer(reader, value, true, &number))
        return false;
    if (number > UINT32_MAX)
        return refuse(reader, "must fit 32 bits");
    *(uint32_t *)out = (uint32_t)number;
    return true;
}

static bool read_double(struct reader *reader, const json_t *value, double *out)
{
    const char *text = json_string_value(value);
    char *end;
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (text == NULL)
        return refuse(reader, "must be a number");
    if (strcmp(text, "NaN") == 0)
        *out = NAN;
    else if (strcmp(text, "Infinity") == 0)
        *out = INFINITY;
    else if (strcmp(text, "-Infinity") == 0)
        *out = -INFINITY;
    else {
        *out = strtod(text, &end);
        bool plain = (text[0] >= '0' && text[0] <= '9') || text[0] == '-';
        if (!plain || *end != '\0' || isinf(*out) || isnan(*out))
            return refuse(reader, "must be a number");
    }
    return true;
}

static bool read_enum(struct reader *reader, const json_t *value,
                      const ProtobufCEnumDescriptor *type, void *out)
{
    if (json_is_string(value)) {
        const ProtobufCEnumValue *known =
            protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(value));
        if (known == NULL)
            return refuse(reader, "is no name of this enum");
        *(int *)out = known->value;
        return true;
    }
    return json_is_integer(value) ? read_int32(reader, value, out)
                                  : refuse(reader, "must be a name of the enum");
}

static bool read_string(struct reader *reader, const json_t *value, void *out)
{
    if (!json_is_string(value))
        return refuse(reader, "must be a string");
    struct text copy = arena_copy_text(
        reader->arena, text_make(json_string_value(value), json_string_length(value)));
    *(char **)out = (char *)(uintptr_t)copy.data;
    return copy.data != NULL || out_of_memory(reader);
}

static bool read_message(struct reader *reader, const json_t *value,
                         const ProtobufCMessageDescriptor *type, ProtobufCMessage **message);

static bool read_value(struct reader *reader, const json_t *value,
                       const ProtobufCFieldDescriptor *field, void *out)
{
    double real;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_int32(reader, value, out);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_uint32(reader, value, out);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_integer(reader, value, false, out);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_integer(reader, value, true, out);
    case PROTOBUF_C_TYPE_FLOAT:
        if (!read_double(reader, value, &real))
            return false;
        *(float *)out = (float)real;
        return true;
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_double(reader, value, out);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(value))
            return refuse(reader, "must be true or false");
        *(protobuf_c_boolean *)out = json_is_true(value);
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, value, field->descriptor, out);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(reader, value, out);
    case PROTOBUF_C_TYPE_BYTES:
        if (!json_is_string(value))
            return refuse(reader, "must be Base64");
        return json_base64_read(text_make(json_string_value(value), json_string_length(value)),
                                reader->arena, out) ||
               refuse(reader, "must be Base64");
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(reader, value, field->descriptor, out);
    }
    return false;
}

/* --- messages --- */

static size_t element_size(ProtobufCType type)
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
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 8;
    }
    return 8;
}

static ProtobufCMessage *make_message(struct reader *reader, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_allocate(reader->arena, type->sizeof_message);
    if (message == NULL)
        out_of_memory(reader);
    else
        protobuf_c_message_init(type, message);
    return message;
}

static bool read_list(struct reader *reader, const json_t *value,
                      const ProtobufCFieldDescriptor *field, char **elements, size_t *count)
{
    size_t size = element_size(field->type);
    if (!json_is_array(value))
        return refuse(reader, "must be an array");
    *elements = arena_allocate_zero(reader->arena, json_array_size(value), size);
    if (*elements == NULL)
        return out_of_memory(reader);
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t before = enter_element(reader, i);
        const json_t *element = json_array_get(value, i);
        if (json_is_null(element))
            return refuse(reader, "must not be null");
        if (!read_value(reader, element, field, *elements + i * size))
            return false;
        leave(reader, before);
    }
    *count = json_array_size(value);
    return true;
}

/* {"key": value} as entry messages; a key that is no string comes as the string of one. */
static bool read_map(struct reader *reader, const json_t *value,
                     const ProtobufCFieldDescriptor *field, char **elements, size_t *count)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return refuse(reader, "must be an object");
    ProtobufCMessage **entries =
        arena_allocate_zero(reader->arena, json_object_size(value), sizeof(ProtobufCMessage *));
    if (entries == NULL)
        return out_of_memory(reader);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        size_t before = enter_field(reader, key);
        ProtobufCMessage *entry = make_message(reader, type);
        json_t *name = json_string(key);
        bool good = entry != NULL && (name != NULL || out_of_memory(reader));
        good = good &&
               read_value(reader, name, &type->fields[0], (char *)entry + type->fields[0].offset);
        good = good &&
               read_value(reader, member, &type->fields[1], (char *)entry + type->fields[1].offset);
        json_decref(name);
        if (!good)
            return false;
        entries[(*count)++] = entry;
        leave(reader, before);
    }
    *elements = (char *)entries;
    return true;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  const char *name)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        char json_name[json_name_bytes_max];
        json_name_of(type->fields[i].name, json_name);
        if (strcmp(json_name, name) == 0 || strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    }
    return NULL;
}

static bool read_field(struct reader *reader, const json_t *value,
                       const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
    char *base = (char *)message;
    if (json_is_null(value))
        return true; /* as if it were not there */
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t *count = (size_t *)(base + field->quantifier_offset);
        char **elements = (char **)(base + field->offset);
        if (*count > 0)
            return refuse(reader, "is there twice");
        return json_field_is_map(field) ? read_map(reader, value, field, elements, count)
                                        : read_list(reader, value, field, elements, count);
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *which = (uint32_t *)(base + field->quantifier_offset);
        if (*which != 0)
            return refuse(reader, "another field of the same oneof is set");
        *which = field->id;
    }
    return read_value(reader, value, field, base + field->offset);
}

/* All members but "@type". */
static bool read_members(struct reader *reader, const json_t *value, ProtobufCMessage *message)
{
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        const ProtobufCFieldDescriptor *field = find_field(message->descriptor, key);
        size_t before = enter_field(reader, key);
        if (strcmp(key, "@type") == 0) {
            leave(reader, before);
            continue;
        }
        if (field == NULL && !reader->ignore_unknown)
            return refuse(reader, "there is no such field");
        if (field != NULL && !read_field(reader, member, field, message))
            return false;
        leave(reader, before);
    }
    return true;
}

static bool read_any(struct reader *reader, const json_t *value, Google__Protobuf__Any *any)
{
    const char *url = json_string_value(json_object_get(value, "@type"));
    const char *slash = url == NULL ? NULL : strrchr(url, '/');
    ProtobufCMessage *message = NULL;
    if (slash == NULL)
        return refuse(reader, "needs \"@type\"");
    const ProtobufCMessageDescriptor *type = json_message_type(text_of(slash + 1));
    if (type == NULL)
        return refuse(reader, "its \"@type\" is not known here");
    if (json_form_of(type) == JSON_FORM_OBJECT) {
        message = make_message(reader, type);
        if (message == NULL || !read_members(reader, value, message))
            return false;
    } else if (!read_message(reader, json_object_get(value, "value"), type, &message)) {
        return false;
    }
    any->type_url = (char *)(uintptr_t)arena_copy_text(reader->arena, text_of(url)).data;
    any->value.len = protobuf_c_message_get_packed_size(message);
    any->value.data = arena_allocate(reader->arena, any->value.len);
    if (any->type_url == NULL || any->value.data == NULL)
        return out_of_memory(reader);
    protobuf_c_message_pack(message, any->value.data);
    return true;
}

static bool read_object(struct reader *reader, const json_t *value, ProtobufCMessage *message)
{
    struct text text = text_make(json_string_value(value), json_string_length(value));
    switch (json_form_of(message->descriptor)) {
    case JSON_FORM_TIMESTAMP: {
        Google__Protobuf__Timestamp *time = (void *)message;
        return (json_is_string(value) && json_timestamp_read(text, &time->seconds, &time->nanos)) ||
               refuse(reader, "must be a time such as \"2026-11-24T10:00:00Z\"");
    }
    case JSON_FORM_DURATION: {
        Google__Protobuf__Duration *duration = (void *)message;
        return (json_is_string(value) &&
                json_duration_read(text, &duration->seconds, &duration->nanos)) ||
               refuse(reader, "must be a duration such as \"900s\"");
    }
    case JSON_FORM_ANY:
        return read_any(reader, value, (void *)message);
    case JSON_FORM_OBJECT:
        break;
    }
    if (!json_is_object(value))
        return refuse(reader, "must be an object");
    return read_members(reader, value, message);
}

static bool read_message(struct reader *reader, const json_t *value,
                         const ProtobufCMessageDescriptor *type, ProtobufCMessage **message)
{
    if (reader->depth == nesting_max)
        return refuse(reader, "is nested too deeply");
    ProtobufCMessage *made = make_message(reader, type);
    if (made == NULL)
        return false;
    reader->depth++;
    bool good = read_object(reader, value, made);
    reader->depth--;
    *message = made;
    return good;
}

static void use_our_memory(void)
{
    json_set_alloc_funcs(memory_allocate, memory_release);
}

struct error json_message_read(struct text json, const ProtobufCMessageDescriptor *descriptor,
                               bool ignore_unknown, struct arena *arena, ProtobufCMessage **message)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct reader reader = {
        .arena = arena, .ignore_unknown = ignore_unknown, .error = error_none()};
    json_error_t wrong;
    pthread_once(&once, use_our_memory);
    json_t *value = json_loadb(json.data == NULL ? "" : json.data, json.size,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
    if (value == NULL && json_error_code(&wrong) == json_error_out_of_memory)
        return error_make(ERROR_OUT_OF_MEMORY, "reading JSON");
    if (value == NULL)
        return error_make(ERROR_INVALID_INPUT, "line %d column %d: %s", wrong.line, wrong.column,
                          wrong.text);
    (void)read_message(&reader, value, descriptor, message);
    json_decref(value);
    return reader.error;
}
