/* Cursors of one log: written by snprintf, read digit by digit, refused if anything is off. */
#include "platform/events/log_cursor.h"

#include <stdio.h>
#include <string.h>

void log_cursor_write(const char *identity, uint64_t position, char cursor[log_cursor_bytes_max])
{
    snprintf(cursor, log_cursor_bytes_max, "%s-%016llx", identity, (unsigned long long)position);
}

bool log_cursor_read(struct text cursor, const char *identity, uint64_t *position)
{
    static const char digits[] = "0123456789abcdef";
    size_t size = strlen(identity);
    *position = 0;
    if (cursor.size != size + 17 || memcmp(cursor.data, identity, size) != 0 ||
        cursor.data[size] != '-')
        return false;
    for (size_t i = size + 1; i < cursor.size; i++) {
        const char *digit = cursor.data[i] == '\0' ? NULL : strchr(digits, cursor.data[i]);
        if (digit == NULL)
            return false;
        *position = *position << 4 | (uint64_t)(digit - digits);
    }
    return true;
}
