/* OpenSSL knows the standard alphabet with padding; what comes otherwise is brought into that form
 * first, in the place of the result. */
#include "platform/base/base64.h"

#include <openssl/evp.h>
#include <string.h>

size_t base64_encode(struct text bytes, bool padded, char *out)
{
    int size =
        EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)bytes.data, (int)bytes.size);
    while (!padded && size > 0 && out[size - 1] == '=')
        out[--size] = '\0';
    return (size_t)size;
}

bool base64_decode(struct text text, char *out, size_t *size)
{
    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    size_t padding = (4 - text.size % 4) % 4;
    if (padding == 3 || text.size > INT32_MAX - 4)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr("+/-_", c) == NULL))
            return false;
        out[i] = c;
        if (c == '-')
            out[i] = '+';
        else if (c == '_')
            out[i] = '/';
    }
    memset(out + text.size, '=', padding);
    int got =
        EVP_DecodeBlock((unsigned char *)out, (unsigned char *)out, (int)(text.size + padding));
    if (got < (int)padding)
        return false;
    *size = (size_t)got - padding;
    return true;
}
