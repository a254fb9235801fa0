#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_DAY_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_DAY_H

#include "platform/base/civil_date.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <stdbool.h>
#include <stdint.h>

/* Days as numbers, 0 = 1970-01-01. Pure; any thread. */

static const int64_t tariff_day_us = INT64_C(86400000000);

/* "YYYY-MM-DD"; false: no such day. */
static inline bool tariff_day_of(struct text date, int64_t *day)
{
    int64_t time_us = 0;
    int32_t offset;
    bool has_offset;
    if (date.size != 10 || !time_from_iso(date, &time_us, &has_offset, &offset))
        return false;
    *day = time_us / tariff_day_us;
    return true;
}

/*
 * `days` later, counting Monday to Friday, with `saturdays` Saturdays too; `days` 0 is the same
 * day.
 */
static inline int64_t tariff_day_after(int64_t day, int64_t days, bool saturdays)
{
    while (days > 0) {
        int weekday = civil_weekday(++day);
        days -= weekday != 0 && (weekday != 6 || saturdays);
    }
    return day;
}

#endif
