#ifndef WAYBILL_WAREHOUSE_DOMAIN_TRANSFER_H
#define WAYBILL_WAREHOUSE_DOMAIN_TRANSFER_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Goods on the way from one warehouse to another: IN_TRANSIT → RECEIVED | CANCELLED, once. While in
 * transit they are on no shelf; the transfer itself counts them. Pure functions.
 */
enum transfer_state { TRANSFER_IN_TRANSIT = 1, TRANSFER_RECEIVED, TRANSFER_CANCELLED };

enum transfer_event { TRANSFER_RECEIVE, TRANSFER_CANCEL };

struct transfer_line {
    struct text sku;
    struct text lot;
    int64_t expiry_day;
    int64_t first_in_us; /* at the warehouse it left */
    int64_t quantity;
    int64_t received_quantity;
};

struct transfer {
    struct text transfer_id;
    struct text from_warehouse_id;
    struct text to_warehouse_id;
    enum transfer_state state;
    struct transfer_line *lines; /* one a SKU, lot and expiry date, sorted by SKU */
    size_t line_count;
    int64_t create_time_us;
    int64_t resolve_time_us; /* 0 while in transit */
};

/* What an event meets. */
enum transfer_transition {
    TRANSFER_MOVES,   /* the state changes */
    TRANSFER_STAYS,   /* a repeat: the answer is the record (RECEIVE: if it brings the same) */
    TRANSFER_REFUSES, /* an error, named by the present state */
};

enum transfer_transition transfer_transition(enum transfer_state state, enum transfer_event event,
                                             enum transfer_state *after);

/* A line of CreateTransfer. */
struct transfer_request_line {
    struct text sku;
    struct text lot; /* empty = any */
    int64_t quantity;
    size_t index; /* of the first such line in the request */
};

/*
 * Sorts by SKU, lots that are named before "any", and sums lines of one SKU and lot in place; gives
 * the new count.
 */
size_t transfer_request_normalize(struct transfer_request_line *lines, size_t count);

/* A line of ReceiveTransfer. */
struct reception_line {
    struct text sku;
    struct text lot; /* empty = any of the transfer's */
    int64_t quantity;
    struct text zone;
    struct text bin;
};

/* Goods of one line of the transfer that came, and where they are put. */
struct placement {
    size_t line; /* of the transfer */
    struct text zone;
    struct text bin;
    int64_t quantity;
};

/*
 * What came of each line, and where it is put: `lines` as asked (none = all as sent, without a
 * bin). A SKU named without a lot fills the transfer's lines of that SKU in their order, and what
 * is more than was sent goes to the last of them. Writes received quantities into `transfer_lines`
 * and at most line_count + transfer_line_count placements, in normal form: by line, then place,
 * each once. False: lines[*failed] names what the transfer does not have.
 */
bool transfer_reception(struct transfer_line *transfer_lines, size_t transfer_line_count,
                        const struct reception_line *lines, size_t line_count,
                        struct placement *placements, size_t *placement_count, size_t *failed);

#endif
