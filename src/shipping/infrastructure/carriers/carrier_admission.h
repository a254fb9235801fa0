#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_ADMISSION_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_ADMISSION_H

#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <stdint.h>

/*
 * When a call to a carrier may leave: our own limits (calls a second, calls a day), and what the
 * carrier asks for with a 429, or a 503 with Retry-After. Then not one call waits but all that it
 * can have meant:
 *
 *  - The API that said it is left alone until the moment that the carrier names, a day at most; or,
 *    if it names none, for 1 s, doubled each time that the first calls after the pause hear the
 *    same, up to 15 minutes. FedEx counts quotas by "capability" (Track, Rate, …) and names no
 *    moment in a header: its day's quota lasts until midnight UTC.
 *  - All calls of the account are left alone for as long, but at most a minute, or ten seconds
 *    where the pause is our guess: short limits count the account (FedEx by windows of ten seconds,
 *    DHL by the second; UPS names no window), and a quota that tracking has used up must not end
 *    the sale of labels.
 *
 * Apart from that stand tokens, of which the limits are others (FedEx: by address, for tokens
 * alone), and DHL's Unified Tracking, which has a host and a key of its own: their pauses hold back
 * nobody else, but the account's holds back tokens. After the account's pause calls begin at the
 * rate's pace, not with what was saved up.
 * Sources: FedEx "Quotas & rate limits"; DHL "Rate limits" of Shipment Tracking – Unified (429; the
 * day ends at 00:00 GMT); UPS's OpenAPI documents (a 429 for each operation, no more).
 *
 * Pure; times are handed in: `now_us` and the like are monotonic, `time_us` is UTC. Thread: one.
 */
enum carrier_api {
    CARRIER_API_RATES,
    CARRIER_API_SHIPMENTS, /* purchases, cancellations, labels again */
    CARRIER_API_TRACKING,  /* searches by reference, too */
    CARRIER_API_TOKENS,
    CARRIER_API_UNIFIED_TRACKING,
};
enum { carrier_api_count = CARRIER_API_UNIFIED_TRACKING + 1 };

struct carrier_pause {
    int64_t until_us;
    unsigned guesses; /* in a row without a moment named */
};

struct carrier_admission {
    int64_t calls_per_second_max; /* 0 = no limit */
    int64_t calls_per_day_max;    /* so is this */
    int64_t bucket;               /* millionths of a call that may go now */
    int64_t bucket_time_us;
    int64_t day; /* UTC, of the count below */
    int64_t calls_of_day;
    struct carrier_pause pauses[carrier_api_count];
    int64_t account_until_us;
};

void carrier_admission_init(struct carrier_admission *admission,
                            const struct carrier_settings *settings, int64_t now_us);

/* For how much longer the carrier wants no calls of that API; 0 = one may go. */
int64_t carrier_admission_pause_us(const struct carrier_admission *admission, enum carrier_api api,
                                   int64_t now_us);

/* 0 = the day's quota lasts; else how long until the next day. */
int64_t carrier_admission_quota_us(struct carrier_admission *admission, int64_t time_us);

/* 0 = one may go now; else how long to wait for one's turn. */
int64_t carrier_admission_turn_us(struct carrier_admission *admission, int64_t now_us);

/* One leaves. */
void carrier_admission_take(struct carrier_admission *admission);

/*
 * The carrier has had too many: of a call that left at `sent_us`; `after_us` is what its answer
 * named, 0 = nothing. While a pause lasts, what was under way when it began does not lengthen a
 * guess. Returns how long the API is left alone from now on, > 0.
 */
int64_t carrier_admission_pause(struct carrier_admission *admission, enum carrier_api api,
                                int64_t sent_us, int64_t now_us, int64_t after_us);

/* It has answered such a call without complaint: the next guess is the shortest again. */
void carrier_admission_resume(struct carrier_admission *admission, enum carrier_api api,
                              int64_t sent_us);

#endif
