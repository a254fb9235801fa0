/* Arenas and buffers of its own for every step, so that the sanitizers see what outlives them. */
#include "tests/support/json_kit.h"

#include "json_kinds.pb-c.h"
#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/json/json_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { bytes_max = 64 * 1024 * 1024 };

void json_kit_prepare(void)
{
    static const ProtobufCMessageDescriptor *const types[] = {&json_kinds__kinds__descriptor};
    json_message_register(types, 1);
}

/* The caller's to release by free(). */
static char *written(const ProtobufCMessage *message)
{
    struct buffer out;
    buffer_init(&out, bytes_max);
    struct error error = json_message_write(message, 0, &out);
    if (error_is(error))
        fail_msg("cannot be written: %s", error.detail);
    char *copy = strndup(out.data, out.size);
    buffer_deinit(&out);
    return copy;
}

static void expect_after_packing(const ProtobufCMessage *message, const char *expected)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    protobuf_c_message_pack(message, packed);
    ProtobufCMessage *again =
        protobuf_c_message_unpack(&json_kinds__kinds__descriptor, NULL, size, packed);
    assert_non_null(again);
    char *json = written(again);
    assert_string_equal(json, expected);
    free(json);
    protobuf_c_message_free_unpacked(again, NULL);
    free(packed);
}

static char *read_and_written(const char *json, const char *expected)
{
    struct arena arena;
    ProtobufCMessage *message = NULL;
    arena_init(&arena, bytes_max);
    struct error error =
        json_message_read(text_of(json), &json_kinds__kinds__descriptor, false, &arena, &message);
    if (error_is(error))
        fail_msg("%s: cannot be read: %s", json, error.detail);
    char *result = written(message);
    expect_after_packing(message, expected);
    arena_deinit(&arena);
    return result;
}

void json_kit_expect(const char *json, const char *expected)
{
    char *once = read_and_written(json, expected);
    assert_string_equal(once, expected);
    char *twice = read_and_written(once, expected);
    assert_string_equal(twice, expected);
    free(twice);
    free(once);
}

void json_kit_expect_same(const char *json)
{
    json_kit_expect(json, json);
}

void json_kit_refuse(const char *json, const char *detail)
{
    struct arena arena;
    ProtobufCMessage *message = NULL;
    arena_init(&arena, bytes_max);
    struct error error =
        json_message_read(text_of(json), &json_kinds__kinds__descriptor, false, &arena, &message);
    if (error.code != ERROR_INVALID_INPUT)
        fail_msg("%s: %s instead of a refusal", json, error_text(error.code));
    assert_string_equal(error.detail, detail);
    arena_deinit(&arena);
}

void json_kit_refuse_writing(const ProtobufCMessage *message, const char *detail)
{
    struct buffer out;
    buffer_init(&out, bytes_max);
    struct error error = json_message_write(message, 0, &out);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_string_equal(error.detail, detail);
    buffer_deinit(&out);
}
