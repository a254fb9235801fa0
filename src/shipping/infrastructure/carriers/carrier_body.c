/* Inflated into a buffer that holds no more than a body may be, then kept in the arena. */
#include "shipping/infrastructure/carriers/carrier_body.h"

#include "platform/compression/gzip.h"

static struct error inflate_into(struct text body, struct buffer *out)
{
    struct error error = gzip_decompress(body, out);
    if (error.code == ERROR_LIMIT ||
        (!error_is(error) && out->size > (size_t)carrier_body_plain_bytes_max))
        return error_make(ERROR_INVALID_INPUT, "gzip of more than %d bytes",
                          carrier_body_plain_bytes_max);
    if (error.code == ERROR_INVALID_INPUT)
        return error_make(ERROR_INVALID_INPUT, "gzip that is damaged");
    return error;
}

struct error carrier_body_inflate(struct text body, struct arena *arena, struct text *plain)
{
    struct buffer out;
    *plain = body;
    if (!text_starts_with(body, text_of("\x1F\x8B")))
        return error_none();
    buffer_init(&out, carrier_body_plain_bytes_max + gzip_piece_bytes);
    struct error error = inflate_into(body, &out);
    if (!error_is(error)) {
        *plain = arena_copy_text(arena, buffer_text(&out));
        if (plain->data == NULL)
            error = error_make(ERROR_OUT_OF_MEMORY, "inflating a body");
    }
    buffer_deinit(&out);
    return error;
}
