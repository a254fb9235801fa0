#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_PRICE_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_PRICE_H

#include "shipping/domain/carrier.h"
#include "shipping/infrastructure/tariff/tariff_card.h"

/*
 * What a service asks for a consignment: a pure function of the card and the facts, in integers.
 * Sums are kept exactly, in units of 10^-13 of a minor unit, and rounded half up once, at the end;
 * a line of the breakdown is the difference of two rounded running sums, so that the lines add up
 * to the amount and each is less than one minor unit off. Any thread.
 */

/* What is the same for all services. */
struct tariff_facts {
    const struct consignment *consignment;
    int64_t day; /* of ship_date */
    bool same_country;
    int64_t distance_metres; /* < 0 = a place is not known */
    int64_t grams;           /* of all parcels */
    int64_t heaviest_grams;
    int64_t longest_mm; /* 0 = nothing measured */
    int64_t girthest_mm;
};

/* False: ship_date is no date. */
__attribute__((warn_unused_result)) bool tariff_facts_of(const struct consignment *consignment,
                                                         struct tariff_facts *facts);

enum tariff_verdict {
    TARIFF_OFFERED,
    TARIFF_TOO_MANY_PARCELS,
    TARIFF_TOO_HEAVY,
    TARIFF_TOO_LARGE,
    TARIFF_NOT_BEYOND, /* the service is for what others refuse */
    TARIFF_NO_ZONE,
    TARIFF_NO_SATURDAY,
    TARIFF_NO_SIGNATURE,
    TARIFF_NO_INSURANCE, /* not sold, or the value is in another currency */
    TARIFF_BEYOND_AMOUNT,
};

/* "a parcel is too heavy" and so on; "" for OFFERED. */
const char *tariff_verdict_text(enum tariff_verdict verdict);

enum { tariff_charges_max = 10 };

struct tariff_price {
    struct shipping_money amount;
    struct carrier_charge charges[tariff_charges_max]; /* none is 0; descriptions are constants */
    size_t charge_count;
    int64_t estimated_delivery_time_us; /* 18:00 of the day, as local time */
};

/* The price is set when OFFERED. */
enum tariff_verdict tariff_price_of(const struct tariff_service *service,
                                    const struct tariff_facts *facts, struct tariff_price *price);

#endif
