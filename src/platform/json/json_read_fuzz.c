/*
 * Fuzz target of JSON (RELIABILITY row 19): any bytes are refused, or are a message that is written
 * as JSON which is read as the same message.
 */
#include "json_kinds.pb-c.h"
#include "platform/base/check.h"
#include "platform/json/json_message.h"

#include <stddef.h>
#include <stdint.h>

enum { bytes_max = 64 * 1024 * 1024 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const ProtobufCMessageDescriptor *const types[] = {&json_kinds__kinds__descriptor};
    (void)argc;
    (void)argv;
    json_message_register(types, 1);
    return 0;
}

/* Reads, and writes what was read. */
static struct error read_and_write(struct text json, struct buffer *out)
{
    struct arena arena;
    ProtobufCMessage *message = NULL;
    arena_init(&arena, bytes_max);
    struct error error =
        json_message_read(json, &json_kinds__kinds__descriptor, false, &arena, &message);
    if (!error_is(error))
        CHECK(!error_is(json_message_write(message, 0, out)));
    else
        CHECK(text_is_utf8(text_of(error.detail)));
    arena_deinit(&arena);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer once;
    struct buffer twice;
    buffer_init(&once, bytes_max);
    buffer_init(&twice, bytes_max);
    struct error error = read_and_write(text_make(data, size), &once);
    if (!error_is(error)) {
        error = read_and_write(buffer_text(&once), &twice);
        /* Without its spaces the text may be too short for the memory that it takes. */
        CHECK(error.code == ERROR_LIMIT || text_equal(buffer_text(&once), buffer_text(&twice)));
    }
    buffer_deinit(&twice);
    buffer_deinit(&once);
    return 0;
}
