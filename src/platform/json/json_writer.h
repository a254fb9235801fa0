#ifndef WAYBILL_PLATFORM_JSON_JSON_WRITER_H
#define WAYBILL_PLATFORM_JSON_JSON_WRITER_H

#include "platform/base/buffer.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Writes JSON text (RFC 8259) member by member into a buffer. `key` is NULL within an array and for
 * the outermost value. What is no UTF-8 is written as U+FFFD. A full buffer or missing memory is
 * remembered: whoever reads the text asks `failed` first. Thread: one at a time.
 */
struct json_writer {
    struct buffer *out;
    bool failed;
};

void json_writer_init(struct json_writer *writer, struct buffer *out);

void json_open_object(struct json_writer *writer, const char *key);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer, const char *key);
void json_close_array(struct json_writer *writer);
void json_put_text(struct json_writer *writer, const char *key, struct text value);
void json_put_string(struct json_writer *writer, const char *key, const char *value);
void json_put_integer(struct json_writer *writer, const char *key, int64_t value);
void json_put_boolean(struct json_writer *writer, const char *key, bool value);

/* A number or any other JSON as it stands. */
void json_put_raw(struct json_writer *writer, const char *key, const char *json);

#endif
