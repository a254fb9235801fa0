#ifndef WAYBILL_PLATFORM_JSON_JSON_READER_H
#define WAYBILL_PLATFORM_JSON_JSON_READER_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/json/json_message.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Reading one tree of JSON: where the walk is, what was wrong first, and the values that hold no
 * others. Every function that gives bool has told the reader what is wrong when it gives false.
 * Thread: the reader's.
 */
struct json_reader {
    struct arena *arena; /* of the message */
    bool ignore_unknown;
    unsigned nesting;
    char path[512]; /* "lines[2].quantity" */
    size_t path_size;
    struct error error;
    struct json_unknown unknown; /* with the error, if it is of that kind */
};

/*
 * There is no such name of `message` or, if that is NULL, of `enumeration`: remembered for people.
 * json_reader_refuse follows.
 */
void json_reader_note_unknown(struct json_reader *reader, const char *name,
                              const ProtobufCMessageDescriptor *message,
                              const ProtobufCEnumDescriptor *enumeration);

/* The value at the path is wrong. Always false, so that it can be returned. */
bool json_reader_refuse(struct json_reader *reader, const char *what);
bool json_reader_out_of_memory(struct json_reader *reader);

/* Go one step down; what they give is for the way back. A path too long for its place is cut. */
size_t json_reader_enter_field(struct json_reader *reader, const char *name);
size_t json_reader_enter_element(struct json_reader *reader, size_t index);
void json_reader_leave(struct json_reader *reader, size_t before);

/* A view of a JSON string, a NUL behind it; empty for any other value. */
struct text json_reader_string_of(const json_t *value);

/* Puts a copy where protobuf-c has a `char *`. */
bool json_reader_copy_string(struct json_reader *reader, struct text text, void *out);

/* Puts a value that is no message where protobuf-c wants it. */
bool json_reader_scalar(struct json_reader *reader, const json_t *value,
                        const ProtobufCFieldDescriptor *field, void *out);

/* The same for the key of a map, which is a string in JSON, whatever its type. */
bool json_reader_key(struct json_reader *reader, const char *key, ProtobufCType type, void *out);

#endif
