/* Views of bytes: comparison, UTF-8 and numbers. Nothing here allocates or fails. */
#include "platform/base/text.h"

#include <string.h>

int text_compare(struct text a, struct text b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

bool text_starts_with(struct text text, struct text prefix)
{
    return text.size >= prefix.size && text_equal(text_make(text.data, prefix.size), prefix);
}

/* The length of the UTF-8 sequence at `bytes` (RFC 3629 section 4, table of byte ranges), or 0. */
static size_t utf8_sequence_size(const unsigned char *bytes, size_t left)
{
    unsigned char first = bytes[0];
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t size = 0;
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        size = 2;
    else if (first >= 0xE0 && first <= 0xEF)
        size = 3;
    else if (first >= 0xF0 && first <= 0xF4)
        size = 4;
    if (size == 0 || size > left)
        return 0;
    if (first == 0xE0)
        low = 0xA0;
    else if (first == 0xED)
        high = 0x9F;
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    }
    return size;
}

bool text_is_utf8(struct text text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t at = 0;
    while (at < text.size) {
        /* Eight ASCII bytes at a time: what nearly every id and SKU is made of. */
        if (text.size - at >= 8) {
            uint64_t word;
            memcpy(&word, bytes + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += 8;
                continue;
            }
        }
        size_t size = utf8_sequence_size(bytes + at, text.size - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

struct text text_without_mark(struct text text)
{
    struct text mark = text_of("\xEF\xBB\xBF");
    return text_starts_with(text, mark) ? text_make(text.data + mark.size, text.size - mark.size)
                                        : text;
}

bool text_is_digits(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.size > 0;
}

struct text text_shortened(struct text text, size_t size_max)
{
    if (text.size <= size_max)
        return text;
    while (size_max > 0 && ((unsigned char)text.data[size_max] & 0xC0) == 0x80)
        size_max--; /* what comes behind is the rest of a character */
    return text_make(text.data, size_max);
}

bool text_has_control(struct text text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    for (size_t i = 0; i < text.size; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7F)
            return true;
        if (bytes[i] == 0xC2 && i + 1 < text.size && bytes[i + 1] < 0xA0)
            return true;
    }
    return false;
}

bool text_is_identifier(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == ':' || c == '-';
        if (!good)
            return false;
    }
    return true;
}

bool text_is_name(struct text text)
{
    return text.size > 0 && text.data[0] != ' ' && text.data[text.size - 1] != ' ' &&
           !text_has_control(text) && text_is_utf8(text);
}

bool text_to_int64(struct text text, int64_t *value)
{
    size_t at = 0;
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t sum = 0;
    if (negative)
        at = 1;
    if (at == text.size)
        return false;
    for (; at < text.size; at++) {
        if (text.data[at] < '0' || text.data[at] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.data[at] - '0');
        if (sum > (limit - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool text_digits(struct text text, size_t at, size_t count, int64_t *value)
{
    *value = 0;
    if (at > text.size || count > text.size - at)
        return false;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *value = *value * 10 + (text.data[i] - '0');
    }
    return true;
}

struct text text_trim(struct text text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}
