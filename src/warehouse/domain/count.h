#ifndef WAYBILL_WAREHOUSE_DOMAIN_COUNT_H
#define WAYBILL_WAREHOUSE_DOMAIN_COUNT_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A cycle count: OPEN → RECORDED → APPROVED | CANCELLED. Recording notes what was counted and what
 * the books said at that instant; approval posts the differences as adjustments, so what moved
 * between counting and approval is no difference. Pure functions.
 */
enum count_state { COUNT_OPEN = 1, COUNT_RECORDED, COUNT_APPROVED, COUNT_CANCELLED };

enum count_event { COUNT_RECORD, COUNT_APPROVE, COUNT_CANCEL };

struct count_line {
    struct text sku;
    struct text zone;
    struct text bin;
    struct text lot;
    int64_t expiry_day;
    int64_t expected;
    bool is_counted;
    int64_t counted;
    size_t index; /* in the request that recorded it */
};

struct count {
    struct text count_id;
    struct text warehouse_id;
    enum count_state state;
    struct text zone;        /* what is counted: empty = all */
    const struct text *skus; /* sorted; none = all */
    size_t sku_count;
    struct count_line *lines; /* sorted by SKU, place, lot and expiry date */
    size_t line_count;
    int64_t create_time_us;
    int64_t resolve_time_us; /* 0 until approved or cancelled */
};

enum count_transition {
    COUNT_MOVES,
    COUNT_STAYS,   /* a repeat: the answer is the record */
    COUNT_REFUSES, /* an error, named by the present state */
};

/* RECORD of one RECORDED already moves again: it was counted once more. */
enum count_transition count_transition(enum count_state state, enum count_event event,
                                       enum count_state *after);

/* Sorts into the order of a count's lines. */
void count_lines_sort(struct count_line *lines, size_t count);

/* Sorts and drops what is there twice; gives the new count. */
size_t count_skus_normalize(struct text *skus, size_t count);

/* By SKU, place, lot and expiry date, as sorted. */
int count_line_compare(const struct count_line *a, const struct count_line *b);

/* Whether the count is about this SKU in this zone. */
bool count_covers(const struct count *count, struct text sku, struct text zone);

#endif
