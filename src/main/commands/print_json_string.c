/* By platform/json, as all JSON here; without memory for it an empty string goes out. */
#include "main/commands/print_json_string.h"

#include "platform/json/json_message.h"

#include <stdint.h>
#include <stdio.h>

void print_json_string(const char *string)
{
    struct buffer json;
    buffer_init(&json, SIZE_MAX);
    if (json_string_write(text_of(string), &json))
        fwrite(json.data, 1, json.size, stdout);
    else
        fputs("\"\"", stdout);
    buffer_deinit(&json);
}
