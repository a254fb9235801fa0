/*
 * A comma is needed exactly where the byte before is neither an opening bracket nor a colon, so the
 * writer keeps no stack. The first failure stops all further output.
 */
#include "platform/json/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

static void put(struct json_writer *writer, const void *data, size_t size)
{
    if (!writer->failed && !buffer_append(writer->out, data, size))
        writer->failed = true;
}

static void put_quoted(struct json_writer *writer, struct text value);

static void begin(struct json_writer *writer, const char *key)
{
    const struct buffer *out = writer->out;
    char last = out->size == 0 ? '[' : out->data[out->size - 1];
    if (last != '[' && last != '{' && last != ':')
        put(writer, ",", 1);
    if (key == NULL)
        return;
    put_quoted(writer, text_of(key));
    put(writer, ":", 1);
}

/* Length of the well-formed character at the start of `text`; 0 = there is none. */
static size_t character_size(struct text text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++) {
        if (text_is_utf8(text_make(text.data, size)))
            return size;
    }
    return 0;
}

static void put_character(struct json_writer *writer, struct text rest, size_t size)
{
    char escape[8];
    unsigned char byte = (unsigned char)rest.data[0];
    if (size == 0) {
        put(writer, "\xEF\xBF\xBD", 3);
    } else if (byte == '"' || byte == '\\') {
        put(writer, "\\", 1);
        put(writer, rest.data, 1);
    } else if (byte < 0x20 || byte == 0x7F) {
        snprintf(escape, sizeof escape, "\\u%04x", byte);
        put(writer, escape, 6);
    } else {
        put(writer, rest.data, size);
    }
}

static void put_quoted(struct json_writer *writer, struct text value)
{
    put(writer, "\"", 1);
    for (size_t at = 0; at < value.size && !writer->failed;) {
        struct text rest = text_make(value.data + at, value.size - at);
        size_t size = character_size(rest);
        put_character(writer, rest, size);
        at += size == 0 ? 1 : size;
    }
    put(writer, "\"", 1);
}

void json_open_object(struct json_writer *writer, const char *key)
{
    begin(writer, key);
    put(writer, "{", 1);
}

void json_close_object(struct json_writer *writer)
{
    put(writer, "}", 1);
}

void json_open_array(struct json_writer *writer, const char *key)
{
    begin(writer, key);
    put(writer, "[", 1);
}

void json_close_array(struct json_writer *writer)
{
    put(writer, "]", 1);
}

void json_put_text(struct json_writer *writer, const char *key, struct text value)
{
    begin(writer, key);
    put_quoted(writer, value);
}

void json_put_string(struct json_writer *writer, const char *key, const char *value)
{
    json_put_text(writer, key, text_of(value));
}

void json_put_integer(struct json_writer *writer, const char *key, int64_t value)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%" PRId64, value);
    begin(writer, key);
    put(writer, digits, (size_t)size);
}

void json_put_boolean(struct json_writer *writer, const char *key, bool value)
{
    json_put_raw(writer, key, value ? "true" : "false");
}

void json_put_raw(struct json_writer *writer, const char *key, const char *json)
{
    begin(writer, key);
    put(writer, json, strlen(json));
}
