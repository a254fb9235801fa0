/* Quotes, backslashes and control characters are escaped; all else goes out as it is. */
#include "main/print_json_string.h"

#include <stdio.h>

void print_json_string(const char *string)
{
    putchar('"');
    for (; *string != '\0'; string++) {
        if (*string == '"' || *string == '\\')
            printf("\\%c", *string);
        else if ((unsigned char)*string < 0x20)
            printf("\\u%04x", (unsigned)*string);
        else
            putchar(*string);
    }
    putchar('"');
}
