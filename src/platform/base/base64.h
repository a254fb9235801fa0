#ifndef WAYBILL_PLATFORM_BASE_BASE64_H
#define WAYBILL_PLATFORM_BASE_BASE64_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Base64 (RFC 4648) on OpenSSL. Pure; any thread. */

/* Room for the padded form of `size` bytes and a NUL behind it. */
static inline size_t base64_room(size_t size)
{
    return (size + 2) / 3 * 4 + 1;
}

/* Writes the padded or unpadded form, a NUL behind it, and gives its length. */
size_t base64_encode(struct text bytes, bool padded, char *out);

/*
 * Reads the standard or the URL-safe alphabet, padded or not. `out` has room for text.size + 4
 * bytes. False if it is no Base64.
 */
__attribute__((warn_unused_result)) bool base64_decode(struct text text, char *out, size_t *size);

#endif
