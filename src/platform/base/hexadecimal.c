/* By table and by range; nothing here can fail. */
#include "platform/base/hexadecimal.h"

void hexadecimal_write(const void *bytes, size_t size, char *digits)
{
    static const char values[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    for (size_t i = 0; i < size; i++) {
        digits[2 * i] = values[from[i] >> 4];
        digits[2 * i + 1] = values[from[i] & 15];
    }
    digits[2 * size] = '\0';
}

int hexadecimal_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}
