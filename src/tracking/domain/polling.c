/* Plain arithmetic, and the reading of one setting. */
#include "tracking/domain/polling.h"

#include <string.h>

static const int64_t hour_us = INT64_C(3600) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t quota_max = 1000000000;

int64_t polling_offset_us(int64_t interval_us, size_t index)
{
    return index < polling_short_offsets ? interval_us >> (polling_short_offsets - index)
                                         : interval_us << (index - polling_short_offsets);
}

bool polling_applies(enum tracking_status status, size_t index)
{
    return !tracking_status_is_terminal(status) &&
           (index >= polling_short_offsets || status == TRACKING_STATUS_OUT_FOR_DELIVERY);
}

static bool names_carrier(const struct polling_quotas *quotas, struct text name)
{
    for (size_t i = 0; i < quotas->count; i++) {
        if (text_equals_string(name, quotas->items[i].carrier))
            return true;
    }
    return false;
}

/* "dhl=250" or "1000"; each once. */
static bool read_item(struct text item, struct polling_quotas *quotas, bool *has_others)
{
    const char *equals = item.size == 0 ? NULL : memchr(item.data, '=', item.size);
    size_t name_size = equals == NULL ? 0 : (size_t)(equals - item.data);
    struct text name = text_trim(text_make(item.data, name_size));
    size_t skip = equals == NULL ? 0 : name_size + 1;
    struct text digits = text_trim(text_make(item.data + skip, item.size - skip));
    int64_t number;
    if (!text_to_int64(digits, &number) || number < 0 || number > quota_max)
        return false;
    if (equals == NULL) {
        bool is_first = !*has_others;
        quotas->others = number;
        *has_others = true;
        return is_first;
    }
    if (name.size == 0 || names_carrier(quotas, name) || name.size > tracking_carrier_bytes_max ||
        quotas->count == polling_quotas_max)
        return false;
    memcpy(quotas->items[quotas->count].carrier, name.data, name.size);
    quotas->items[quotas->count++].per_day = number;
    return true;
}

bool polling_quotas_read(struct text setting, struct polling_quotas *quotas)
{
    bool has_others = false;
    *quotas = (struct polling_quotas){0};
    while (setting.size > 0) {
        const char *comma = memchr(setting.data, ',', setting.size);
        size_t size = comma == NULL ? setting.size : (size_t)(comma - setting.data);
        if (!read_item(text_make(setting.data, size), quotas, &has_others))
            return false;
        if (comma == NULL)
            break;
        setting = text_make(setting.data + size + 1, setting.size - size - 1);
        if (setting.size == 0)
            return false;
    }
    return true;
}

int64_t polling_quota_of(const struct polling_quotas *quotas, struct text carrier)
{
    for (size_t i = 0; i < quotas->count; i++) {
        if (text_equals_string(carrier, quotas->items[i].carrier))
            return quotas->items[i].per_day;
    }
    return quotas->others;
}

int64_t polling_allowance(int64_t per_day, int64_t now_us)
{
    int64_t elapsed_us = now_us % day_us + hour_us;
    /* In milliseconds: a quota of 10^9 times a day of them fits. */
    int64_t spread = per_day * (elapsed_us / 1000) / (day_us / 1000);
    if (spread == 0 && per_day > 0)
        spread = 1;
    return spread < per_day ? spread : per_day;
}

int64_t polling_day_of(int64_t now_us)
{
    return now_us / day_us;
}
