#ifndef WAYBILL_PLATFORM_BASE_TEXT_H
#define WAYBILL_PLATFORM_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A view of bytes that somebody else owns. Not terminated by NUL, may hold any byte.
 * All functions are pure; any thread. The small ones are inline: comparing with a literal then
 * compares sizes first, which decides nearly always.
 */
struct text {
    const char *data; /* may be NULL when size is 0 */
    size_t size;
};

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline struct text text_of(const char *string)
{
    return (struct text){.data = string, .size = string == NULL ? 0 : strlen(string)};
}

/* A view of `size` bytes. */
static inline struct text text_make(const void *data, size_t size)
{
    return (struct text){.data = (const char *)data, .size = size};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool text_equals_string(struct text a, const char *string)
{
    return text_equal(a, text_of(string));
}

/* By bytes as memcmp does, the shorter first when one is the start of the other. */
int text_compare(struct text a, struct text b);

bool text_starts_with(struct text text, struct text prefix);

/* Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, ≤ U+10FFFF).
 */
bool text_is_utf8(struct text text);

/* Without the byte order mark of UTF-8 that files and bodies may begin with. */
struct text text_without_mark(struct text text);

/* Whether it is decimal digits, at least one, and nothing else. */
bool text_is_digits(struct text text);

/* The first bytes of UTF-8, at most size_max, without a part of a character. */
struct text text_shortened(struct text text, size_t size_max);

/* Whether it holds a byte below 0x20, 0x7F, or a C1 control character (U+0080..U+009F). */
bool text_has_control(struct text text);

/* Whether it is made of what ids are made of, A-Z a-z 0-9 . _ : - (DESIGN section 3), or empty. */
bool text_is_identifier(struct text text);

/* Whether it can name something: UTF-8 without control characters or a space at either end; not
 * empty. */
bool text_is_name(struct text text);

/* Strict decimal: all of the text, an optional '-', no spaces, no overflow. False otherwise. */
bool text_to_int64(struct text text, int64_t *value);

/* The `count` digits from `at` on, at most 18; false if the text is shorter or one is no digit. */
bool text_digits(struct text text, size_t at, size_t count, int64_t *value);

/* Without spaces, tabs and line ends at both sides. */
struct text text_trim(struct text text);

#endif
