/* Pure conversions; nothing here keeps state. Calendar arithmetic is timegm's and gmtime_r's. */
#include "platform/json/json_types.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

static const int64_t timestamp_seconds_min = INT64_C(-62135596800); /* 0001-01-01 */
static const int64_t timestamp_seconds_max = INT64_C(253402300799); /* 9999-12-31 */
static const int64_t duration_seconds_max = INT64_C(315576000000);

enum json_form json_form_of(const ProtobufCMessageDescriptor *type)
{
    if (type == &google__protobuf__timestamp__descriptor)
        return JSON_FORM_TIMESTAMP;
    if (type == &google__protobuf__duration__descriptor)
        return JSON_FORM_DURATION;
    if (type == &google__protobuf__any__descriptor)
        return JSON_FORM_ANY;
    return JSON_FORM_OBJECT;
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

void json_name_of(const char *proto_name, char *out)
{
    size_t size = 0;
    bool raise = false;
    for (; *proto_name != '\0' && size + 1 < json_name_bytes_max; proto_name++) {
        if (*proto_name == '_') {
            raise = true;
            continue;
        }
        bool lower = *proto_name >= 'a' && *proto_name <= 'z';
        out[size++] = raise && lower ? (char)(*proto_name - 'a' + 'A') : *proto_name;
        raise = false;
    }
    out[size] = '\0';
}

/* --- Base64 --- */

bool json_base64_write(struct text bytes, struct buffer *out)
{
    size_t size = (bytes.size + 2) / 3 * 4;
    if (!buffer_reserve(out, size + 1)) /* EVP writes a NUL behind */
        return false;
    EVP_EncodeBlock((unsigned char *)out->data + out->size, (const unsigned char *)bytes.data,
                    (int)bytes.size);
    out->size += size;
    return true;
}

bool json_base64_read(struct text text, struct arena *arena, ProtobufCBinaryData *bytes)
{
    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    size_t padding = (4 - text.size % 4) % 4;
    char *standard = arena_allocate(arena, text.size + padding + 1);
    unsigned char *decoded = arena_allocate(arena, text.size + padding + 1);
    if (standard == NULL || decoded == NULL || padding == 3)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && strchr("+/-_", c) == NULL)
            return false;
        standard[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    memset(standard + text.size, '=', padding);
    int size = EVP_DecodeBlock(decoded, (unsigned char *)standard, (int)(text.size + padding));
    if (size < (int)padding)
        return false;
    *bytes = (ProtobufCBinaryData){.len = (size_t)size - padding, .data = decoded};
    return true;
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

bool json_timestamp_write(int64_t seconds, int32_t nanos, struct buffer *out)
{
    struct tm parts;
    time_t time = (time_t)seconds;
    if (seconds < timestamp_seconds_min || seconds > timestamp_seconds_max || nanos < 0 ||
        nanos > 999999999 || gmtime_r(&time, &parts) == NULL)
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

bool json_duration_write(int64_t seconds, int32_t nanos, struct buffer *out)
{
    bool negative = seconds < 0 || nanos < 0;
    if (seconds > duration_seconds_max || seconds < -duration_seconds_max || nanos > 999999999 ||
        nanos < -999999999 || (negative && (seconds > 0 || nanos > 0)))
        return false;
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
