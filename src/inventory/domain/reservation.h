#ifndef WAYBILL_INVENTORY_DOMAIN_RESERVATION_H
#define WAYBILL_INVENTORY_DOMAIN_RESERVATION_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A hold on stock and its life: PENDING → COMMITTED | ROLLED_BACK | EXPIRED, once; but EXPIRED →
 * COMMITTED when it is taken again (DESIGN section 3 rule 4). Pure functions; times in microseconds
 * UTC.
 */
enum reservation_state {
    RESERVATION_PENDING,
    RESERVATION_COMMITTED,
    RESERVATION_ROLLED_BACK,
    RESERVATION_EXPIRED,
};

struct reservation_line {
    struct text sku;
    int64_t quantity;             /* held, or that was held */
    int64_t committed_quantity;   /* taken for good; 0 unless COMMITTED */
    int64_t returned_quantity;    /* of committed_quantity, what came back */
    int64_t backordered_quantity; /* of quantity, what was not there when it was promised */
    int64_t stock_revision;       /* of the SKU after this reservation's latest change of it */
};

/* A SKU and a quantity as a caller asks for them. */
struct quantity_line {
    struct text sku;
    int64_t quantity;
};

struct reservation {
    struct text reservation_id;
    struct text order_id;    /* may be empty */
    struct text customer_id; /* may be empty */
    enum reservation_state state;
    int64_t ttl_us;
    int64_t create_time_us;
    int64_t expire_time_us;  /* create_time + ttl, or later if it was extended */
    int64_t resolve_time_us; /* 0 while pending; an expiry is dated expire_time_us */
    size_t line_count;
    struct reservation_line *lines; /* one a SKU, sorted by SKU (text_compare) */
    /*
     * With allow_partial, what was asked for, sorted likewise: lines hold what of it there was, and
     * a SKU of which there was nothing has no line. Without, the lines are what was asked for.
     */
    bool allow_partial;
    size_t requested_count;
    const struct quantity_line *requested;
};

enum reservation_event {
    RESERVATION_COMMIT,
    RESERVATION_ROLLBACK,
    RESERVATION_EXPIRE,
    RESERVATION_EXTEND,
    RESERVATION_RETAKE, /* a commit with retake_if_expired */
    RESERVATION_RETURN, /* of what was committed */
};

/* What an event meets. */
enum reservation_transition {
    RESERVATION_MOVES,   /* it is changed, though perhaps not its state */
    RESERVATION_STAYS,   /* nothing changes and it is no error: the answer is the record */
    RESERVATION_REFUSES, /* nothing changes and it is an error, named by the present state */
};

/* The table: what `event` does to a reservation in `state`, and the state after it. */
enum reservation_transition reservation_transition(enum reservation_state state,
                                                   enum reservation_event event,
                                                   enum reservation_state *after);

/* Whether its time is over: expire_time ≤ now. */
bool reservation_is_due(int64_t expire_time_us, int64_t now_us);

/* Sorts by SKU and sums lines of one SKU in place; gives the new count. Sums stay below 2^63. */
size_t quantity_lines_normalize(struct quantity_line *lines, size_t count);

/*
 * What a Reserve says (normal form, defaults filled in): the same id with the same content is the
 * same reservation.
 */
struct reservation_content {
    struct text order_id;
    struct text customer_id;
    int64_t ttl_us;
    bool allow_partial;
    const struct quantity_line *lines;
    size_t line_count;
};

/* Whether a Reserve with this content is the one that made the record. */
bool reservation_has_content(const struct reservation *reservation,
                             const struct reservation_content *content);

/* Sorts texts and drops those that are there twice, in place; gives the new count. */
size_t texts_normalize(struct text *texts, size_t count);

/*
 * What a Commit with `lines` (normal form; none = all) takes: writes one quantity for each line of
 * the reservation. False if `lines` name a SKU or a quantity that the reservation does not have;
 * *failed is then the index in `lines`.
 */
bool reservation_committed_quantities(const struct reservation *reservation,
                                      const struct quantity_line *lines, size_t line_count,
                                      int64_t *committed_quantities, size_t *failed);

/*
 * What a return of `lines` (normal form, not none) brings back: one quantity for each line of the
 * reservation. False if `lines` name more of a SKU than is committed and not yet returned; *failed
 * is then the index in `lines`.
 */
bool reservation_returned_quantities(const struct reservation *reservation,
                                     const struct quantity_line *lines, size_t line_count,
                                     int64_t *returned_quantities, size_t *failed);

#endif
