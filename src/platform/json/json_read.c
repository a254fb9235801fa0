/*
 * JSON to messages. jansson parses; then the tree is walked with the descriptor, and every value is
 * put where protobuf-c wants it. The walk keeps its path, so that a value that does not fit is
 * named: "lines[2].quantity".
 */
#include "platform/json/json_message.h"
#include "platform/json/json_reader.h"
#include "platform/json/json_tree.h"
#include "platform/json/json_types.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

#include <string.h>

static bool read_message(struct json_reader *reader, const json_t *value,
                         const ProtobufCMessageDescriptor *type, ProtobufCMessage **message);

static bool read_value(struct json_reader *reader, const json_t *value,
                       const ProtobufCFieldDescriptor *field, void *out)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_message(reader, value, field->descriptor, out);
    return json_reader_scalar(reader, value, field, out);
}

static ProtobufCMessage *make_message(struct json_reader *reader,
                                      const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_allocate(reader->arena, type->sizeof_message);
    if (message == NULL)
        json_reader_out_of_memory(reader);
    else
        protobuf_c_message_init(type, message);
    return message;
}

/* Whether null is a value of its own there, not the absence of one. */
static bool takes_null(const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return json_is_null_value(field->descriptor);
    return field->type == PROTOBUF_C_TYPE_MESSAGE &&
           json_form_of(field->descriptor) == JSON_FORM_VALUE;
}

static bool read_list(struct json_reader *reader, const json_t *value,
                      const ProtobufCFieldDescriptor *field, char **elements, size_t *count)
{
    size_t size = json_value_size(field->type);
    if (!json_is_array(value))
        return json_reader_refuse(reader, "must be an array");
    *elements = arena_allocate_zero(reader->arena, json_array_size(value), size);
    if (*elements == NULL)
        return json_reader_out_of_memory(reader);
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t before = json_reader_enter_element(reader, i);
        const json_t *element = json_array_get(value, i);
        if (json_is_null(element) && !takes_null(field))
            return json_reader_refuse(reader, "must not be null");
        if (!read_value(reader, element, field, *elements + i * size))
            return false;
        json_reader_leave(reader, before);
    }
    *count = json_array_size(value);
    return true;
}

/* {"key": value} as entry messages. */
static bool read_map(struct json_reader *reader, const json_t *value,
                     const ProtobufCFieldDescriptor *field, char **elements, size_t *count)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return json_reader_refuse(reader, "must be an object");
    ProtobufCMessage **entries =
        arena_allocate_zero(reader->arena, json_object_size(value), sizeof(ProtobufCMessage *));
    if (entries == NULL)
        return json_reader_out_of_memory(reader);
    *elements = (char *)entries;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        size_t before = json_reader_enter_field(reader, key);
        ProtobufCMessage *entry = make_message(reader, type);
        if (entry == NULL)
            return false;
        if (json_is_null(member) && !takes_null(&type->fields[1]))
            return json_reader_refuse(reader, "must not be null");
        char *base = (char *)entry;
        if (!json_reader_key(reader, key, type->fields[0].type, base + type->fields[0].offset) ||
            !read_value(reader, member, &type->fields[1], base + type->fields[1].offset))
            return false;
        entries[(*count)++] = entry;
        json_reader_leave(reader, before);
    }
    return true;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  const char *name)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (json_name_is(type->fields[i].name, name) || strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    }
    return NULL;
}

static bool read_field(struct json_reader *reader, const json_t *value,
                       const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
    char *base = (char *)message;
    if (json_is_null(value) && !takes_null(field))
        return true; /* as if it were not there */
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t *count = (size_t *)(base + field->quantifier_offset);
        char **elements = (char **)(base + field->offset);
        return json_field_is_map(field) ? read_map(reader, value, field, elements, count)
                                        : read_list(reader, value, field, elements, count);
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *which = (uint32_t *)(base + field->quantifier_offset);
        if (*which != 0)
            return json_reader_refuse(reader, "another field of the same oneof is set");
        *which = field->id;
    }
    return read_value(reader, value, field, base + field->offset);
}

/* Whether the field is there by both of its names; each alone jansson refuses to have twice. */
static bool is_twice(const json_t *object, const char *key, const ProtobufCFieldDescriptor *field)
{
    const char *other;
    json_t *member;
    if (strchr(field->name, '_') == NULL)
        return false;
    if (strcmp(key, field->name) != 0)
        return json_object_get(object, field->name) != NULL;
    json_object_foreach((json_t *)(uintptr_t)object, other, member)
    {
        if (strcmp(other, key) != 0 && json_name_is(field->name, other))
            return true;
    }
    return false;
}

/* All members; in an Any but "@type". */
static bool read_members(struct json_reader *reader, const json_t *value, bool in_any,
                         ProtobufCMessage *message)
{
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (in_any && strcmp(key, "@type") == 0)
            continue;
        const ProtobufCFieldDescriptor *field = find_field(message->descriptor, key);
        size_t before = json_reader_enter_field(reader, key);
        if (field == NULL && !reader->ignore_unknown) {
            json_reader_note_unknown(reader, key, message->descriptor, NULL);
            return json_reader_refuse(reader, "there is no such field");
        }
        if (field != NULL && is_twice(value, key, field))
            return json_reader_refuse(reader, "is there by both of its names");
        if (field != NULL && !read_field(reader, member, field, message))
            return false;
        json_reader_leave(reader, before);
    }
    return true;
}

/* --- the types with a form of their own --- */

/* The message in an Any; *message is NULL without an error only in an empty one. */
static bool read_any_content(struct json_reader *reader, const json_t *value,
                             const ProtobufCMessageDescriptor *type, ProtobufCMessage **message)
{
    if (json_form_of(type) == JSON_FORM_OBJECT) {
        *message = make_message(reader, type);
        return *message != NULL && read_members(reader, value, true, *message);
    }
    const json_t *content = json_object_get(value, "value");
    if (content == NULL)
        return json_reader_refuse(reader, "needs \"value\"");
    if (json_object_size(value) > 2 && !reader->ignore_unknown)
        return json_reader_refuse(reader, "has only \"@type\" and \"value\"");
    size_t before = json_reader_enter_field(reader, "value");
    bool good = read_message(reader, content, type, message);
    if (good)
        json_reader_leave(reader, before);
    return good;
}

static bool read_any(struct json_reader *reader, const json_t *value, Google__Protobuf__Any *any)
{
    const char *url = json_string_value(json_object_get(value, "@type"));
    const char *slash = url == NULL ? NULL : strrchr(url, '/');
    ProtobufCMessage *message = NULL;
    if (!json_is_object(value))
        return json_reader_refuse(reader, "must be an object");
    if (json_object_size(value) == 0)
        return true;
    if (slash == NULL)
        return json_reader_refuse(reader,
                                  "needs \"@type\" of the form \"type.googleapis.com/NAME\"");
    const ProtobufCMessageDescriptor *type = json_message_type(text_of(slash + 1));
    if (type == NULL)
        return json_reader_refuse(reader, "its \"@type\" is not known here");
    if (!read_any_content(reader, value, type, &message) ||
        !json_reader_copy_string(reader, text_of(url), &any->type_url))
        return false;
    any->value.len = protobuf_c_message_get_packed_size(message);
    any->value.data = arena_allocate(reader->arena, any->value.len);
    if (any->value.data == NULL)
        return json_reader_out_of_memory(reader);
    protobuf_c_message_pack(message, any->value.data);
    return true;
}

static bool read_field_mask(struct json_reader *reader, const json_t *value,
                            Google__Protobuf__FieldMask *mask)
{
    struct text left = json_reader_string_of(value);
    if (!json_is_string(value))
        return json_reader_refuse(reader, "must be a string such as \"sku,stock.onHand\"");
    size_t count = json_field_mask_count(left);
    mask->paths = arena_allocate_zero(reader->arena, count, sizeof *mask->paths);
    if (mask->paths == NULL)
        return json_reader_out_of_memory(reader);
    while (mask->n_paths < count) {
        const char *comma = memchr(left.data, ',', left.size);
        size_t size = comma == NULL ? left.size : (size_t)(comma - left.data);
        char *path = arena_allocate(reader->arena, 2 * size + 1);
        if (path == NULL)
            return json_reader_out_of_memory(reader);
        if (!json_field_mask_next(&left, path))
            return json_reader_refuse(reader,
                                      "must be lowerCamelCase paths with commas between them");
        mask->paths[mask->n_paths++] = path;
    }
    return true;
}

static bool read_any_value(struct json_reader *reader, const json_t *value,
                           Google__Protobuf__Value *out)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        out->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
        out->bool_value = json_is_true(value);
        return true;
    case JSON_INTEGER:
    case JSON_REAL:
        out->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
        out->number_value = json_number_value(value);
        return true;
    case JSON_STRING:
        out->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
        return json_reader_copy_string(reader, json_reader_string_of(value), &out->string_value);
    case JSON_OBJECT:
        out->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
        return read_message(reader, value, &google__protobuf__struct__descriptor,
                            (ProtobufCMessage **)&out->struct_value);
    case JSON_ARRAY:
        out->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
        return read_message(reader, value, &google__protobuf__list_value__descriptor,
                            (ProtobufCMessage **)&out->list_value);
    }
    return false;
}

/* A message of one field that stands for the whole: a wrapper, Struct, ListValue. */
static bool read_only_field(struct json_reader *reader, const json_t *value,
                            ProtobufCMessage *message)
{
    if (json_is_null(value))
        return json_reader_refuse(reader, "must not be null");
    return read_field(reader, value, &message->descriptor->fields[0], message);
}

static bool read_object(struct json_reader *reader, const json_t *value, ProtobufCMessage *message)
{
    struct text text = json_reader_string_of(value);
    switch (json_form_of(message->descriptor)) {
    case JSON_FORM_TIMESTAMP: {
        Google__Protobuf__Timestamp *time = (void *)message;
        return (json_is_string(value) && json_timestamp_read(text, &time->seconds, &time->nanos)) ||
               json_reader_refuse(reader, "must be a time such as \"2026-11-24T10:00:00Z\"");
    }
    case JSON_FORM_DURATION: {
        Google__Protobuf__Duration *duration = (void *)message;
        return (json_is_string(value) &&
                json_duration_read(text, &duration->seconds, &duration->nanos)) ||
               json_reader_refuse(reader, "must be a duration such as \"900s\"");
    }
    case JSON_FORM_FIELD_MASK:
        return read_field_mask(reader, value, (void *)message);
    case JSON_FORM_WRAPPER:
    case JSON_FORM_STRUCT:
    case JSON_FORM_LIST:
        return read_only_field(reader, value, message);
    case JSON_FORM_VALUE:
        return read_any_value(reader, value, (void *)message);
    case JSON_FORM_ANY:
        return read_any(reader, value, (void *)message);
    case JSON_FORM_OBJECT:
        break;
    }
    if (!json_is_object(value))
        return json_reader_refuse(reader, "must be an object");
    return read_members(reader, value, false, message);
}

static bool read_message(struct json_reader *reader, const json_t *value,
                         const ProtobufCMessageDescriptor *type, ProtobufCMessage **message)
{
    if (reader->nesting == json_nesting_max)
        return json_reader_refuse(reader, "is nested too deeply");
    ProtobufCMessage *made = make_message(reader, type);
    if (made == NULL)
        return false;
    reader->nesting++;
    bool good = read_object(reader, value, made);
    reader->nesting--;
    *message = made;
    return good;
}

static struct error read_text(struct json_reader *reader, struct text json,
                              const ProtobufCMessageDescriptor *descriptor,
                              ProtobufCMessage **message)
{
    struct arena tree;
    json_t *value;
    arena_init(&tree, json_tree_bytes_max(json.size));
    struct error error = json_tree_parse(json, &tree, &value);
    if (!error_is(error)) {
        (void)read_message(reader, value, descriptor, message);
        error = reader->error;
    }
    arena_deinit(&tree);
    return error;
}

struct error json_message_read(struct text json, const ProtobufCMessageDescriptor *descriptor,
                               bool ignore_unknown, struct arena *arena, ProtobufCMessage **message)
{
    struct json_reader reader = {
        .arena = arena, .ignore_unknown = ignore_unknown, .error = error_none()};
    return read_text(&reader, json, descriptor, message);
}

struct error json_message_read_telling(struct text json,
                                       const ProtobufCMessageDescriptor *descriptor,
                                       struct arena *arena, ProtobufCMessage **message,
                                       struct json_unknown *unknown)
{
    struct json_reader reader = {.arena = arena, .error = error_none()};
    struct error error = read_text(&reader, json, descriptor, message);
    *unknown = reader.unknown;
    return error;
}
