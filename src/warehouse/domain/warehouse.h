#ifndef WAYBILL_WAREHOUSE_DOMAIN_WAREHOUSE_H
#define WAYBILL_WAREHOUSE_DOMAIN_WAREHOUSE_H

#include "platform/base/geography.h"
#include "platform/base/text.h"
#include "warehouse/domain/calendar.h"
#include "warehouse/domain/money.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address {
    struct text name;
    struct text company;
    struct text phone;
    struct text email;
    const struct text *lines;
    size_t line_count;
    struct text city;
    struct text region;
    struct text postal_code;
    struct text country_code;
    bool has_point;
    struct geo_point point;
};

/* A warehouse as its owner describes it. */
struct warehouse {
    struct text warehouse_id;
    struct text name;
    int32_t priority; /* the lower, the sooner it is used */
    bool active;
    struct address address;
    struct money handling_cost;
    struct text cutoff_local_time;  /* "HH:MM" or empty */
    struct text time_zone;          /* of the time zone database, or empty = UTC */
    const struct text *closed_days; /* dates and weekday names */
    size_t closed_day_count;
    int64_t capacity_per_day; /* allocations; 0 = no limit */
    int64_t revision;
};

/* The parts that UpdateWarehouse can change; a bit each. */
enum warehouse_field {
    WAREHOUSE_NAME = 1 << 0,
    WAREHOUSE_PRIORITY = 1 << 1,
    WAREHOUSE_ACTIVE = 1 << 2,
    WAREHOUSE_ADDRESS = 1 << 3,
    WAREHOUSE_HANDLING_COST = 1 << 4,
    WAREHOUSE_CUTOFF_LOCAL_TIME = 1 << 5,
    WAREHOUSE_TIME_ZONE = 1 << 6,
    WAREHOUSE_CLOSED_DAYS = 1 << 7,
    WAREHOUSE_CAPACITY_PER_DAY = 1 << 8,
    WAREHOUSE_ALL_FIELDS = (1 << 9) - 1,
};

/* The field of that name in update_mask, 0 if there is none. */
unsigned warehouse_field_of(struct text path);

/* Copies the fields named from one to the other; texts are shared. */
void warehouse_merge(struct warehouse *warehouse, const struct warehouse *changes, unsigned fields);

/* Whether all but the revision is equal. */
bool warehouse_equal(const struct warehouse *a, const struct warehouse *b);

bool address_equal(const struct address *a, const struct address *b);

#endif
