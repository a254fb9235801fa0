#ifndef WAYBILL_WAREHOUSE_DOMAIN_SITE_H
#define WAYBILL_WAREHOUSE_DOMAIN_SITE_H

#include "platform/base/geography.h"
#include "platform/base/text.h"
#include "warehouse/domain/calendar.h"
#include "warehouse/domain/cost_card.h"
#include "warehouse/domain/money.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A warehouse as allocation sees it. */
struct site {
    struct text warehouse_id;
    int32_t priority;
    bool active;
    bool has_point;
    struct geo_point point;
    struct money handling_cost; /* absent = nothing, in whatever currency */
    struct working_days working_days;
    int64_t capacity_per_day;      /* 0 = no limit */
    const struct cost_card *cards; /* sorted by valid_from_day */
    size_t card_count;
};

#endif
