#ifndef WAYBILL_TRACKING_DOMAIN_POLLING_H
#define WAYBILL_TRACKING_DOMAIN_POLLING_H

#include "platform/base/text.h"
#include "tracking/domain/limits.h"
#include "tracking/domain/tracking_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When a carrier is asked about a parcel of which it does not tell, and how often it may be asked.
 * All functions are pure.
 *
 * A parcel is asked about at fixed times after it was last heard of: after an interval, twice, four
 * times that …, up to polling_offset_count times; one that is out for delivery also after an
 * eighth, a quarter and a half of it. Whatever is learnt begins this anew, so a parcel of which
 * there is news is asked about often and a silent one less and less; and nothing needs to be
 * remembered of a parcel but when it was last heard of.
 */
enum {
    polling_short_offsets = 3, /* the first ones: for parcels out for delivery only */
    polling_offset_count = polling_short_offsets + 8,
};

/* interval × 2^(index − polling_short_offsets). */
int64_t polling_offset_us(int64_t interval_us, size_t index);

/* Whether a parcel in that state is asked about at that offset. */
bool polling_applies(enum tracking_status status, size_t index);

/*
 * How often a carrier may be asked in a day, as a setting says: "1000, dhl=250": a number for all,
 * then those of single carriers; in any order. Without a number for all it is 0.
 */
enum { polling_quotas_max = 32 };

struct polling_quotas {
    int64_t others;
    size_t count;
    struct {
        char carrier[tracking_carrier_bytes_max + 1];
        int64_t per_day;
    } items[polling_quotas_max];
};

/* False: it is none. Numbers are 0 to 10^9. */
bool polling_quotas_read(struct text setting, struct polling_quotas *quotas);

int64_t polling_quota_of(const struct polling_quotas *quotas, struct text carrier);

/*
 * How many questions a carrier may be asked by now, since midnight UTC: its quota, spread over the
 * day, with what an hour would bring at once.
 */
int64_t polling_allowance(int64_t per_day, int64_t now_us);

/* Days since 1970. */
int64_t polling_day_of(int64_t now_us);

#endif
