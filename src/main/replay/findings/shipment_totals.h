#ifndef WAYBILL_MAIN_REPLAY_FINDINGS_SHIPMENT_TOTALS_H
#define WAYBILL_MAIN_REPLAY_FINDINGS_SHIPMENT_TOTALS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What was bought of each carrier, and beside it the freight that was really paid, of those orders
 * of which the data set records it; an order that went in several shipments has its freight shared
 * out by their weight. Amounts are in cents of one currency a row. Thread: one at a time.
 */
enum { shipment_rows_max = 16 };

struct shipment_row {
    char carrier[32];
    char currency[4];
    uint32_t shipments;
    uint32_t parcels;
    int64_t grams;
    int64_t charged_minor;  /* as the carrier charges, or as rated where it has not said */
    uint32_t compared;      /* shipments of orders whose freight is recorded */
    int64_t compared_minor; /* what they cost */
    int64_t freight_minor;  /* what was really paid for them */
};

struct shipment_totals {
    struct shipment_row rows[shipment_rows_max];
    size_t row_count;
    uint32_t not_created; /* shipments without a label: refused, unknown, cancelled */
};

/* The row of that carrier and currency, made if need be; NULL = there are too many. */
struct shipment_row *shipment_totals_row(struct shipment_totals *totals, const char *carrier,
                                         const char *currency);

#endif
