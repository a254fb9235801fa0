/* A path is walked along the descriptors, one name after the other; places in lists are passed. */
#include "platform/rpc/enum_values.h"

#include <ctype.h>
#include <string.h>

/* As the field is named, or as JSON has it: the same letters without underscores. */
static bool is_name_of(const ProtobufCFieldDescriptor *field, struct text name)
{
    const char *at = field->name;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '_')
            continue;
        while (*at == '_')
            at++;
        if (*at == '\0' || tolower((unsigned char)*at) != tolower((unsigned char)name.data[i]))
            return false;
        at++;
    }
    return *at == '\0';
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *message,
                                                  struct text name)
{
    for (unsigned i = 0; i < message->n_fields; i++) {
        if (is_name_of(&message->fields[i], name))
            return &message->fields[i];
    }
    return NULL;
}

/* The enum at the path's end; NULL if there is none. */
static const ProtobufCEnumDescriptor *enum_at(const ProtobufCMessageDescriptor *message,
                                              struct text path)
{
    size_t at = 0;
    while (message != NULL && at < path.size) {
        size_t end = at;
        while (end < path.size && path.data[end] != '.' && path.data[end] != '[')
            end++;
        const ProtobufCFieldDescriptor *field =
            find_field(message, text_make(path.data + at, end - at));
        while (end < path.size && path.data[end] != '.')
            end++;
        if (field == NULL)
            return NULL;
        if (end == path.size)
            return field->type == PROTOBUF_C_TYPE_ENUM ? field->descriptor : NULL;
        message = field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
        at = end + 1;
    }
    return NULL;
}

static bool says(struct text text, const char *part)
{
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

struct violation enum_values_named(struct arena *arena, const ProtobufCMessageDescriptor *request,
                                   struct violation violation)
{
    const ProtobufCEnumDescriptor *type = enum_at(request, violation.field);
    if (type == NULL ||
        !(says(violation.description, type->short_name) || says(violation.description, "enum")))
        return violation;
    const char *named = arena_copy_string(arena, violation.description);
    const char *separator = ": ";
    for (unsigned i = 0; i < type->n_values && named != NULL; i++) {
        if (type->values[i].value == 0) /* UNSPECIFIED */
            continue;
        named = arena_format(arena, "%s%s%s", named, separator, type->values[i].name);
        separator = ", ";
    }
    if (named != NULL)
        violation.description = text_of(named);
    return violation;
}
