/*
 * 32 hexadecimal digits: the position, and a hash over list, filter and position; for a key 16
 * digits of the hash, then two for each byte. Pure.
 */
#include "platform/base/page_token.h"

#include "platform/base/hash_map.h"
#include "platform/base/hexadecimal.h"

#include <stdio.h>
#include <string.h>

enum { token_size = 32, seal_size = 16 };

static const char digits[] = "0123456789abcdef";

static int digit_value(char c)
{
    const char *digit = c == '\0' ? NULL : strchr(digits, c);
    return digit == NULL ? -1 : (int)(digit - digits);
}

static void format_token(char out[token_size + 1], const char *list, struct text filter,
                         uint64_t position)
{
    uint64_t seal = hash_text(hash_text(position, text_of(list)), filter);
    snprintf(out, token_size + 1, "%016llx%016llx", (unsigned long long)position,
             (unsigned long long)seal);
}

struct text page_token_make(struct arena *arena, const char *list, struct text filter,
                            uint64_t position)
{
    char token[token_size + 1];
    format_token(token, list, filter, position);
    return arena_copy_text(arena, text_make(token, token_size));
}

bool page_token_read(struct text token, const char *list, struct text filter, uint64_t *position)
{
    char expected[token_size + 1];
    uint64_t value = 0;
    *position = 0;
    if (token.size == 0)
        return true;
    if (token.size != token_size)
        return false;
    for (size_t i = 0; i < token_size / 2; i++) {
        int digit = digit_value(token.data[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    format_token(expected, list, filter, value);
    if (value == 0 || !text_equal(token, text_make(expected, token_size)))
        return false;
    *position = value;
    return true;
}

static void format_key_seal(char out[seal_size + 1], const char *list, struct text filter,
                            struct text key)
{
    uint64_t seal = hash_text(hash_text(hash_text(key.size, text_of(list)), filter), key);
    snprintf(out, seal_size + 1, "%016llx", (unsigned long long)seal);
}

struct text page_token_make_key(struct arena *arena, const char *list, struct text filter,
                                struct text key)
{
    char *token = arena_allocate(arena, seal_size + 2 * key.size + 1);
    if (token == NULL)
        return (struct text){0};
    format_key_seal(token, list, filter, key);
    hexadecimal_write(key.data, key.size, token + seal_size);
    return text_make(token, seal_size + 2 * key.size);
}

bool page_token_read_key(struct arena *arena, struct text token, const char *list,
                         struct text filter, struct text *key)
{
    char expected[seal_size + 1];
    *key = (struct text){0};
    if (token.size == 0)
        return true;
    if (token.size <= seal_size || token.size % 2 != 0 ||
        token.size > seal_size + 2 * page_token_key_bytes_max)
        return false;
    size_t size = (token.size - seal_size) / 2;
    char *bytes = arena_allocate(arena, size);
    if (bytes == NULL)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit_value(token.data[seal_size + 2 * i]);
        int low = digit_value(token.data[seal_size + 2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (char)(high << 4 | low);
    }
    *key = text_make(bytes, size);
    format_key_seal(expected, list, filter, *key);
    return text_equal(text_make(token.data, seal_size), text_make(expected, seal_size));
}
