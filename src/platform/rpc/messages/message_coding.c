/* Names of codings, as HTTP writes them. */
#include "platform/rpc/messages/message_coding.h"

#include <strings.h>

enum message_coding message_coding_of(struct text name)
{
    if (name.size == 0 || text_equals_string(name, "identity"))
        return MESSAGE_IDENTITY;
    return text_equals_string(name, "gzip") ? MESSAGE_GZIP : MESSAGE_CODING_UNKNOWN;
}

bool message_coding_accepts_gzip(struct text list)
{
    while (list.size > 0) {
        size_t size = 0;
        while (size < list.size && list.data[size] != ',')
            size++;
        struct text item = text_trim(text_make(list.data, size));
        for (size_t i = 0; i < item.size; i++) {
            if (item.data[i] == ';')
                item.size = i;
        }
        if (item.size == 4 && strncasecmp(item.data, "gzip", 4) == 0)
            return true;
        size += size < list.size;
        list = text_make(list.data + size, list.size - size);
    }
    return false;
}
