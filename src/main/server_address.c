/* One variable for all commands, so that a shell says once which server is meant. */
#include "main/server_address.h"

#include <stdlib.h>

const char *server_address_default(void)
{
    const char *value = getenv("WAYBILL_SERVER");
    return value == NULL || *value == '\0' ? "127.0.0.1:7400" : value;
}
