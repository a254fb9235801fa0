#ifndef WAYBILL_WAREHOUSE_DOMAIN_MOVEMENT_H
#define WAYBILL_WAREHOUSE_DOMAIN_MOVEMENT_H

#include "platform/base/text.h"

#include <stdint.h>

/*
 * Goods that came to a place or left it. Movements are never changed afterwards, and the sum of a
 * place's movements is what lies there. The other side of each entry follows from the type, so the
 * books are double: INBOUND from the supplier, OUTBOUND to and RETURN from the customer, TRANSFER
 * to and from "in transit" (a move within a warehouse has both legs at once), ADJUSTMENT against
 * the account of that name.
 */
enum movement_type {
    MOVEMENT_INBOUND = 1,
    MOVEMENT_OUTBOUND,
    MOVEMENT_TRANSFER,
    MOVEMENT_ADJUSTMENT,
    MOVEMENT_RETURN,
};

struct movement {
    struct text movement_id;
    enum movement_type type;
    struct text warehouse_id;
    struct text zone;
    struct text bin;
    struct text sku;
    struct text lot;
    int64_t expiry_day;
    int64_t quantity; /* signed, not 0 */
    struct text reason;
    struct text reference; /* the caller's, or the transfer, count, allocation or movement */
    struct text reservation_id;
    struct text note;
    int64_t time_us;
};

/* As inventory's reasons of the same names; in a movement they are written as these words. */
enum adjustment_reason {
    ADJUSTMENT_COUNT = 1,
    ADJUSTMENT_DAMAGE,
    ADJUSTMENT_LOSS,
    ADJUSTMENT_FOUND,
    ADJUSTMENT_CORRECTION,
    ADJUSTMENT_OTHER,
};

enum return_reason {
    RETURN_CANCELLED = 1,
    RETURN_SHORT_PICK,
    RETURN_CUSTOMER,
    RETURN_OTHER,
};

/* "DAMAGE"; empty for a value that is none. Pure. */
struct text adjustment_reason_text(enum adjustment_reason reason);
struct text return_reason_text(enum return_reason reason);

#endif
