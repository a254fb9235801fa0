/* Pure conversions; nothing here keeps state. Calendar arithmetic is timegm's and gmtime_r's. */
#include "platform/json/json_types.h"

#include <string.h>
#include <time.h>

static const int64_t timestamp_seconds_min = INT64_C(-62135596800); /* 0001-01-01 */
static const int64_t timestamp_seconds_max = INT64_C(253402300799); /* 9999-12-31 */
static const int64_t duration_seconds_max = INT64_C(315576000000);

enum json_form json_form_of(const ProtobufCMessageDescriptor *type)
{
    static const struct {
        const char *name;
        enum json_form form;
    } forms[] = {
        {"Any", JSON_FORM_ANY},
        {"BoolValue", JSON_FORM_WRAPPER},
        {"BytesValue", JSON_FORM_WRAPPER},
        {"DoubleValue", JSON_FORM_WRAPPER},
        {"Duration", JSON_FORM_DURATION},
        {"FieldMask", JSON_FORM_FIELD_MASK},
        {"FloatValue", JSON_FORM_WRAPPER},
        {"Int32Value", JSON_FORM_WRAPPER},
        {"Int64Value", JSON_FORM_WRAPPER},
        {"ListValue", JSON_FORM_LIST},
        {"StringValue", JSON_FORM_WRAPPER},
        {"Struct", JSON_FORM_STRUCT},
        {"Timestamp", JSON_FORM_TIMESTAMP},
        {"UInt32Value", JSON_FORM_WRAPPER},
        {"UInt64Value", JSON_FORM_WRAPPER},
        {"Value", JSON_FORM_VALUE},
    };
    if (strcmp(type->package_name, "google.protobuf") != 0)
        return JSON_FORM_OBJECT;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(type->short_name, forms[i].name) == 0)
            return forms[i].form;
    }
    return JSON_FORM_OBJECT;
}

bool json_is_null_value(const ProtobufCEnumDescriptor *type)
{
    return strcmp(type->name, "google.protobuf.NullValue") == 0;
}

bool json_field_is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    size_t size = strlen(entry->short_name);
    return size > 5 && strcmp(entry->short_name + size - 5, "Entry") == 0 && entry->n_fields == 2 &&
           strcmp(entry->fields[0].name, "key") == 0 && strcmp(entry->fields[1].name, "value") == 0;
}

size_t json_value_size(ProtobufCType type)
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

/* --- names --- */

/* The next letter of the lowerCamelCase name; 0 at its end. */
static char next_letter(const char **proto_name)
{
    bool raise = false;
    while (**proto_name == '_') {
        raise = true;
        (*proto_name)++;
    }
    char letter = **proto_name;
    if (letter == '\0')
        return letter;
    (*proto_name)++;
    return raise && letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

bool json_name_is(const char *proto_name, const char *name)
{
    for (; *name != '\0'; name++) {
        if (next_letter(&proto_name) != *name)
            return false;
    }
    return next_letter(&proto_name) == '\0';
}

bool json_name_write(const char *proto_name, struct buffer *out)
{
    if (!buffer_reserve(out, strlen(proto_name)))
        return false;
    for (char letter = next_letter(&proto_name); letter != '\0'; letter = next_letter(&proto_name))
        out->data[out->size++] = letter;
    return true;
}

/* Whether lowerCamelCase and back gives the same path again. */
static bool is_mask_path(const char *path)
{
    if (*path == '\0')
        return false;
    for (; *path != '\0'; path++) {
        bool plain = (*path >= 'a' && *path <= 'z') || (*path >= '0' && *path <= '9');
        bool raises = *path == '_' && path[1] >= 'a' && path[1] <= 'z';
        if (!plain && !raises && *path != '.')
            return false;
    }
    return true;
}

bool json_field_mask_is_valid(char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_mask_path(paths[i]))
            return false;
    }
    return true;
}

bool json_field_mask_write(char *const *paths, size_t count, struct buffer *out)
{
    bool fits = buffer_append_string(out, "\"");
    for (size_t i = 0; fits && i < count; i++)
        fits = (i == 0 || buffer_append_string(out, ",")) && json_name_write(paths[i], out);
    return fits && buffer_append_string(out, "\"");
}

size_t json_field_mask_count(struct text text)
{
    size_t count = text.size > 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == ',';
    return count;
}

bool json_field_mask_next(struct text *left, char *path)
{
    size_t size = 0;
    const char *begin = path;
    for (; size < left->size && left->data[size] != ','; size++) {
        char letter = left->data[size];
        bool raised = letter >= 'A' && letter <= 'Z';
        if (raised)
            *path++ = '_';
        *path++ = raised ? (char)(letter - 'A' + 'a') : letter;
        if (letter == '_')
            return false;
    }
    *path = '\0';
    *left = text_make(left->data + size, left->size - size);
    if (left->size > 0)
        *left = text_make(left->data + 1, left->size - 1);
    return is_mask_path(begin);
}

/* --- numbers --- */

static size_t skip_digits(struct text text, size_t at)
{
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at;
}

bool json_is_number_text(struct text text)
{
    size_t begin = text.size > 0 && text.data[0] == '-';
    size_t at = skip_digits(text, begin);
    if (at == begin || (text.data[begin] == '0' && at > begin + 1))
        return false;
    if (at < text.size && text.data[at] == '.') {
        size_t point = at;
        at = skip_digits(text, at + 1);
        if (at == point + 1)
            return false;
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.size && (text.data[at] == '+' || text.data[at] == '-');
        size_t exponent = at;
        at = skip_digits(text, at);
        if (at == exponent)
            return false;
    }
    return at == text.size;
}

/* --- fractions of a second --- */

/* ".5" as ".500": as many digits as are needed, in threes. */
static bool write_fraction(uint32_t nanos, struct buffer *out)
{
    if (nanos == 0)
        return true;
    if (nanos % 1000000 == 0)
        return buffer_append_format(out, ".%03u", nanos / 1000000);
    if (nanos % 1000 == 0)
        return buffer_append_format(out, ".%06u", nanos / 1000);
    return buffer_append_format(out, ".%09u", nanos);
}

/* ".d" to ".ddddddddd" at the front of `text`, which is shortened; no fraction is 0. */
static bool read_fraction(struct text *text, int32_t *nanos)
{
    int digits = 0;
    *nanos = 0;
    if (text->size == 0 || text->data[0] != '.')
        return true;
    text->data++;
    text->size--;
    while (text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9' && digits < 9) {
        *nanos = *nanos * 10 + (text->data[0] - '0');
        digits++;
        text->data++;
        text->size--;
    }
    for (int i = digits; i < 9; i++)
        *nanos *= 10;
    return digits > 0;
}

/* --- times --- */

bool json_timestamp_is_valid(int64_t seconds, int32_t nanos)
{
    return seconds >= timestamp_seconds_min && seconds <= timestamp_seconds_max && nanos >= 0 &&
           nanos <= 999999999;
}

bool json_timestamp_write(int64_t seconds, int32_t nanos, struct buffer *out)
{
    struct tm parts;
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, &parts) == NULL)
        return false;
    return buffer_append_format(out, "\"%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                parts.tm_sec) &&
           write_fraction((uint32_t)nanos, out) && buffer_append_string(out, "Z\"");
}

static bool read_digits(struct text *text, size_t count, int *value)
{
    *value = 0;
    if (text->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        *value = *value * 10 + (text->data[i] - '0');
    }
    text->data += count;
    text->size -= count;
    return true;
}

static bool read_mark(struct text *text, char mark)
{
    if (text->size == 0 || text->data[0] != mark)
        return false;
    text->data++;
    text->size--;
    return true;
}

/* "Z" or "+hh:mm": seconds to take off. */
static bool read_offset(struct text *text, int64_t *offset)
{
    int hours;
    int minutes;
    *offset = 0;
    if (read_mark(text, 'Z'))
        return text->size == 0;
    bool west = read_mark(text, '-');
    if (!west && !read_mark(text, '+'))
        return false;
    if (!read_digits(text, 2, &hours) || !read_mark(text, ':') || !read_digits(text, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *offset = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return text->size == 0;
}

bool json_timestamp_read(struct text text, int64_t *seconds, int32_t *nanos)
{
    struct tm parts = {0};
    struct tm again;
    int64_t offset;
    if (!read_digits(&text, 4, &parts.tm_year) || !read_mark(&text, '-') ||
        !read_digits(&text, 2, &parts.tm_mon) || !read_mark(&text, '-') ||
        !read_digits(&text, 2, &parts.tm_mday) || !read_mark(&text, 'T') ||
        !read_digits(&text, 2, &parts.tm_hour) || !read_mark(&text, ':') ||
        !read_digits(&text, 2, &parts.tm_min) || !read_mark(&text, ':') ||
        !read_digits(&text, 2, &parts.tm_sec) || !read_fraction(&text, nanos) ||
        !read_offset(&text, &offset))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    again = parts;
    time_t time = timegm(&again); /* normalises: 31 February comes back as March */
    if (again.tm_mon != parts.tm_mon || again.tm_mday != parts.tm_mday || parts.tm_hour > 23 ||
        parts.tm_min > 59 || parts.tm_sec > 59)
        return false;
    *seconds = (int64_t)time - offset;
    return *seconds >= timestamp_seconds_min && *seconds <= timestamp_seconds_max;
}

bool json_duration_is_valid(int64_t seconds, int32_t nanos)
{
    bool negative = seconds < 0 || nanos < 0;
    return seconds <= duration_seconds_max && seconds >= -duration_seconds_max &&
           nanos <= 999999999 && nanos >= -999999999 && !(negative && (seconds > 0 || nanos > 0));
}

bool json_duration_write(int64_t seconds, int32_t nanos, struct buffer *out)
{
    bool negative = seconds < 0 || nanos < 0;
    return buffer_append_format(out, "\"%s%lld", negative ? "-" : "",
                                (long long)(negative ? -seconds : seconds)) &&
           write_fraction((uint32_t)(negative ? -nanos : nanos), out) &&
           buffer_append_string(out, "s\"");
}

bool json_duration_read(struct text text, int64_t *seconds, int32_t *nanos)
{
    size_t digits = 0;
    bool negative = read_mark(&text, '-');
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (digits == 0 || !text_to_int64(text_make(text.data, digits), seconds))
        return false;
    text.data += digits;
    text.size -= digits;
    if (!read_fraction(&text, nanos) || !text_equals_string(text, "s") ||
        *seconds > duration_seconds_max)
        return false;
    if (negative) {
        *seconds = -*seconds;
        *nanos = -*nanos;
    }
    return true;
}
