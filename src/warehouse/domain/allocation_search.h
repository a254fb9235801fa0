#ifndef WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_SEARCH_H
#define WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_SEARCH_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The search for the cheapest plan: which sites to use and how much of each line from each, so that
 * all lines are met and Σ over used sites of (fixed + stairs(weight)) is least, where
 * stairs(weight) = ceil(weight / parcel_grams_max) × base + ceil(weight / 1000) × per_kilogram.
 * Everything else of an allocation (strategies, ties, splits, reasons) is allocation_plan.c's.
 *
 * docs/internals/allocation.md tells how it works and why each bound holds. In integers; pure;
 * equal questions give equal answers. All memory is taken at the start, from the arena.
 */
struct search_site {
    int64_t fixed; /* for using it at all, ≥ 0 */
    int64_t base;  /* a parcel, ≥ 0 */
    int64_t per_kilogram;
    int64_t parcel_grams_max; /* > 0 */
    int32_t priority;         /* of plans that cost the same, the set with the smaller ascending */
    struct text warehouse_id; /* list of priorities is the better, then that of warehouse_ids */
};

/* Σ of what all sites could cost must stay below it. */
static const int64_t search_cost_max = INT64_C(1) << 60;

struct search_question {
    const struct search_site *sites; /* by priority, then warehouse_id */
    size_t site_count;
    size_t line_count;
    const int64_t *needed;       /* of each line, > 0 */
    const int64_t *weight_grams; /* of a piece, > 0 */
    const int64_t *available;    /* [site × line_count + line], ≥ 0; their sums suffice */
    bool counts_sites;           /* plans of equal cost use equally many sites */
    uint64_t work_max;           /* about how many elementary steps it may take */
};

struct search_answer {
    bool found;          /* false: no memory, or amounts beyond what it can reckon with (2^60) */
    int64_t cost;        /* of the plan, Σ fixed included */
    int64_t bound;       /* no plan costs less; = cost when it is proved the cheapest */
    int64_t *quantities; /* [site × line_count + line] */
    bool *used;
    bool has_second; /* the best plan found that uses another set of sites */
    int64_t second_cost;
    bool *second_used;
    bool is_best; /* bound = cost, and no other set of sites with this cost is to be preferred */
    bool no_memory;
    uint64_t work; /* taken */
};

void allocation_search(const struct search_question *question, struct arena *arena,
                       struct search_answer *answer);

#endif
