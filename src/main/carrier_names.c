/* The adapters' names, as their protocols and the tariff say them. */
#include "main/carrier_names.h"

#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <stddef.h>

enum { name_shown_max = 60 };

struct error carrier_name_check(const char *setting, struct text name)
{
    const char *const names[] = {ups_protocol.name, fedex_protocol.name, dhl_protocol.name,
                                 "tariff"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_equals_string(name, names[i]))
            return error_none();
    }
    return error_make(ERROR_INVALID_SETTING, "%s: %.*s is no carrier; there are %s, %s, %s and %s",
                      setting, (int)(name.size > name_shown_max ? name_shown_max : name.size),
                      name.size > 0 ? name.data : "", names[0], names[1], names[2], names[3]);
}
