/* Names come from the descriptors; where there is no memory for one it is left out. */
#include "main/commands/request_hint.h"

#include "main/suggestion.h"
#include "platform/json/json_types.h"

#include <string.h>

enum { name_bytes_max = 128, columns_max = 96 };

/* A field's name in lowerCamelCase; one that is too long as the proto has it. */
struct camel_name {
    char string[name_bytes_max];
};

static struct camel_name camel_name_of(const ProtobufCFieldDescriptor *field)
{
    struct camel_name name;
    struct buffer written;
    buffer_init(&written, name_bytes_max - 1);
    if (json_name_write(field->name, &written))
        snprintf(name.string, sizeof name.string, "%.*s", (int)written.size, written.data);
    else
        snprintf(name.string, sizeof name.string, "%s", field->name);
    buffer_deinit(&written);
    return name;
}

/* Names on lines of at most columns_max. */
struct list {
    FILE *out;
    int column;
    bool has_some;
};

static void list_add(struct list *list, const char *name)
{
    if (list->has_some)
        list->column += fprintf(list->out, ",");
    if (list->has_some && list->column + (int)strlen(name) + 1 > columns_max)
        list->column = fprintf(list->out, "\n   ") - 1;
    list->column += fprintf(list->out, " %s", name);
    list->has_some = true;
}

static void print_fields(const struct json_unknown *unknown, FILE *out)
{
    const ProtobufCMessageDescriptor *message = unknown->message;
    struct suggestion suggestion = suggestion_begin(unknown->name);
    const ProtobufCFieldDescriptor *best = NULL;
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        struct camel_name name = camel_name_of(field);
        size_t before = suggestion.distance;
        suggestion_consider_as(&suggestion, name.string, field->name);
        suggestion_consider(&suggestion, field->name);
        if (suggestion.distance < before)
            best = field;
    }
    if (best != NULL) {
        struct camel_name name = camel_name_of(best);
        bool is_both = strcmp(name.string, best->name) != 0;
        fprintf(out, "; did you mean %s%s%s%s?", name.string, is_both ? " (" : "",
                is_both ? best->name : "", is_both ? ")" : "");
    }
    struct list list = {.out = out, .column = fprintf(out, "\n  %s has", message->short_name) - 1};
    for (unsigned i = 0; i < message->n_fields; i++)
        list_add(&list, camel_name_of(&message->fields[i]).string);
    fprintf(out, message->n_fields == 0 ? " no fields\n" : "\n");
}

/* How many bytes all names of the enum begin with, up to the last '_' of them. */
static size_t shared_size(const ProtobufCEnumDescriptor *enumeration)
{
    const char *first = enumeration->values[0].name;
    size_t shared = strlen(first);
    for (unsigned i = 1; i < enumeration->n_values; i++) {
        const char *name = enumeration->values[i].name;
        size_t same = 0;
        while (same < shared && name[same] == first[same])
            same++;
        shared = same;
    }
    while (shared > 0 && first[shared - 1] != '_')
        shared--;
    return shared;
}

static void print_values(const struct json_unknown *unknown, FILE *out)
{
    const ProtobufCEnumDescriptor *enumeration = unknown->enumeration;
    struct suggestion suggestion = suggestion_begin(unknown->name);
    size_t shared = shared_size(enumeration);
    for (unsigned i = 0; i < enumeration->n_values; i++) {
        const char *name = enumeration->values[i].name;
        suggestion_consider(&suggestion, name);
        suggestion_consider_as(&suggestion, name + shared, name);
    }
    if (suggestion.best != NULL)
        fprintf(out, "; did you mean %s?", suggestion.best);
    struct list list = {.out = out,
                        .column = fprintf(out, "\n  %s is", enumeration->short_name) - 1};
    for (unsigned i = 0; i < enumeration->n_values; i++)
        list_add(&list, enumeration->values[i].name);
    fprintf(out, "\n");
}

void request_hint_print(const struct json_unknown *unknown, FILE *out)
{
    if (unknown->message != NULL)
        print_fields(unknown, out);
    else if (unknown->enumeration != NULL && unknown->enumeration->n_values > 0)
        print_values(unknown, out);
    else
        fprintf(out, "\n");
}
