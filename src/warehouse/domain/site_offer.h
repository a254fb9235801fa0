#ifndef WAYBILL_WAREHOUSE_DOMAIN_SITE_OFFER_H
#define WAYBILL_WAREHOUSE_DOMAIN_SITE_OFFER_H

#include "warehouse/domain/allocation_plan.h"
#include "warehouse/domain/site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a warehouse can offer for a destination: on which day it leaves, how far it is, and the
 * prices of its cost card on that day; or why it takes no part. Pure.
 */
struct site_offer {
    struct allocation_site site;
    int64_t ship_day;      /* 0 = none: PRIORITY does not ask for one */
    char currency[4];      /* of the prices; "" = there are none */
    bool mixes_currencies; /* handling cost and cost card are of different ones */
};

/* The wall clock of a warehouse. */
struct local_moment {
    int64_t day; /* calendar.h */
    int64_t minutes;
};

/* The local wall clock at an instant, so many seconds ahead of UTC. */
struct local_moment local_moment_of(int64_t now_us, int64_t offset_seconds);

/*
 * PRIORITY excludes only what is inactive or has no point; for it days, cards and bands decide
 * nothing but whether there is a cost. Capacity is not looked at: see site_offer_exclude.
 */
struct site_offer site_offer_make(const struct site *site, struct geo_point destination,
                                  struct local_moment now, int64_t ship_within_days,
                                  enum allocation_strategy strategy);

enum offers_outcome {
    OFFERS_GOOD,
    OFFERS_MIX_CURRENCIES, /* cards, handling costs and split_cost are not all of one currency */
    OFFERS_TOO_COSTLY,     /* a cost could exceed 10^15 minor units, or a weight 10^15 grams */
};

/*
 * Whether the offers that take part and have stock can be compared by cost: `has_stock` tells of
 * each. Writes the one currency ("" = nobody names one). With PRIORITY costs are dropped instead,
 * of all sites, when they cannot be compared or a line has no weight.
 */
enum offers_outcome site_offers_compare(struct site_offer *offers, const bool *has_stock,
                                        size_t count, struct money split_cost,
                                        const struct allocation_demand *lines, size_t line_count,
                                        enum allocation_strategy strategy, char currency[4]);

#endif
