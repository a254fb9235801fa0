/* One zlib stream a member; its memory is ours, its output grows with the buffer's limit. */
#include "platform/compression/gzip.h"

#include "platform/base/memory.h"

#include <zlib.h>

enum { gzip_window_bits = 15 + 16, default_memory_level = 8 };

static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return memory_allocate((size_t)count * size);
}

static void release(void *context, void *block)
{
    (void)context;
    memory_release(block);
}

static z_stream stream_of(struct text bytes)
{
    return (z_stream){
        .next_in = (Bytef *)(uintptr_t)bytes.data,
        .avail_in = (uInt)bytes.size,
        .zalloc = allocate,
        .zfree = release,
    };
}

/* Runs the stream to its end; Z_BUF_ERROR when `out` is full. */
static int run(z_stream *stream, int (*step)(z_stream *, int), int flush, struct buffer *out)
{
    int result = Z_OK;
    while (result == Z_OK) {
        if (!buffer_reserve(out, gzip_piece_bytes))
            return out->size + gzip_piece_bytes > out->size_max ? Z_BUF_ERROR : Z_MEM_ERROR;
        stream->next_out = (Bytef *)out->data + out->size;
        stream->avail_out = gzip_piece_bytes;
        result = step(stream, flush);
        out->size += gzip_piece_bytes - stream->avail_out;
        if (result == Z_OK && stream->avail_in == 0 && stream->avail_out > 0)
            return Z_DATA_ERROR; /* cut */
    }
    return result;
}

static struct error error_of(int result)
{
    if (result == Z_STREAM_END)
        return error_none();
    if (result == Z_MEM_ERROR)
        return error_make(ERROR_OUT_OF_MEMORY, "gzip");
    if (result == Z_BUF_ERROR)
        return error_make(ERROR_LIMIT, "the message is larger than allowed");
    return error_make(ERROR_INVALID_INPUT, "the message is not compressed by gzip");
}

struct error gzip_compress(struct text bytes, struct buffer *out)
{
    z_stream stream = stream_of(bytes);
    int result = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits,
                              default_memory_level, Z_DEFAULT_STRATEGY);
    if (result == Z_OK) {
        result = run(&stream, deflate, Z_FINISH, out);
        deflateEnd(&stream);
    }
    return error_of(result);
}

struct error gzip_decompress(struct text bytes, struct buffer *out)
{
    z_stream stream = stream_of(bytes);
    int result = inflateInit2(&stream, gzip_window_bits);
    if (result == Z_OK) {
        result = run(&stream, inflate, Z_NO_FLUSH, out);
        if (result == Z_STREAM_END && stream.avail_in > 0)
            result = Z_DATA_ERROR; /* something behind it */
        inflateEnd(&stream);
    }
    return error_of(result);
}
