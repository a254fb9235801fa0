/* 32 hexadecimal digits: the position, and a hash over list, filter and position. Pure. */
#include "platform/base/page_token.h"

#include "platform/base/hash_map.h"

#include <stdio.h>
#include <string.h>

enum { token_size = 32 };

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
        const char *digits = "0123456789abcdef";
        const char *digit = token.data[i] == '\0' ? NULL : strchr(digits, token.data[i]);
        if (digit == NULL)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    format_token(expected, list, filter, value);
    if (value == 0 || !text_equal(token, text_make(expected, token_size)))
        return false;
    *position = value;
    return true;
}
