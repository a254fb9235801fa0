#ifndef WAYBILL_WAREHOUSE_DOMAIN_MONEY_H
#define WAYBILL_WAREHOUSE_DOMAIN_MONEY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An amount in minor units of one currency (ISO 4217). Without a currency it is absent. */
struct money {
    char currency[4]; /* NUL-terminated; "" = absent */
    int64_t amount_minor;
};

static inline bool money_is(struct money money)
{
    return money.currency[0] != '\0';
}

static inline bool money_same_currency(struct money a, struct money b)
{
    return memcmp(a.currency, b.currency, sizeof a.currency) == 0;
}

#endif
