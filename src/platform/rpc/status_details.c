/*
 * Details are packed messages named by type; those that cannot be unpacked count as absent.
 */
#include "platform/rpc/status_details.h"

#include "google/rpc/error_details.pb-c.h"

#include <string.h>

struct text rpc_status_detail(const struct rpc_status *status, const char *type_name)
{
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next) {
        if (strcmp(detail->type_name, type_name) == 0)
            return detail->value;
    }
    return (struct text){0};
}

bool rpc_status_has_reason(const struct rpc_status *status, const char *reason)
{
    struct text packed = rpc_status_detail(status, "google.rpc.ErrorInfo");
    Google__Rpc__ErrorInfo *info =
        google__rpc__error_info__unpack(NULL, packed.size, (const uint8_t *)packed.data);
    bool equal = info != NULL && strcmp(info->reason, reason) == 0;
    google__rpc__error_info__free_unpacked(info, NULL);
    return equal;
}

int64_t rpc_status_retry_delay_us(const struct rpc_status *status)
{
    struct text packed = rpc_status_detail(status, "google.rpc.RetryInfo");
    Google__Rpc__RetryInfo *info =
        google__rpc__retry_info__unpack(NULL, packed.size, (const uint8_t *)packed.data);
    int64_t delay_us = 0;
    if (info != NULL && info->retry_delay != NULL && info->retry_delay->seconds >= 0 &&
        info->retry_delay->seconds <= 86400)
        delay_us = info->retry_delay->seconds * 1000000 + info->retry_delay->nanos / 1000;
    google__rpc__retry_info__free_unpacked(info, NULL);
    return delay_us;
}
