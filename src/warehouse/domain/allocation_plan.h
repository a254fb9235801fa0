#ifndef WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_PLAN_H
#define WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_PLAN_H

#include "platform/base/arena.h"
#include "warehouse/domain/allocation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which warehouses ship what: the decision of DESIGN section 4, "Strategies", as a pure function of
 * integers. Whoever asks has already looked up cost card, band, day and capacity; here is only
 * arithmetic. Amounts are minor units of one currency.
 *
 * Cost of a plan: Σ over used sites of (handling + ceil(weight / parcel_grams_max) × base +
 * ceil(weight / 1000) × per_kilogram) + (used sites − 1) × split_cost, weight being that of all the
 * site ships. LOWEST_COST minimises it; FEWEST_SPLITS the number of sites first; PRIORITY takes
 * sites by priority, then distance, and gives each all it can ship. Ties: fewer sites, then the
 * smaller ascending list of priorities, then of warehouse_ids; inside a set, more from the first.
 */
struct allocation_site {
    struct text warehouse_id;
    int32_t priority;
    enum allocation_reason_code excluded; /* 0 = usable; else it takes no part, and this is why */
    bool has_distance;
    int64_t distance_metres;
    bool has_cost; /* the four below are known; always, but with PRIORITY */
    int64_t handling_minor;
    int64_t base_minor;
    int64_t per_kilogram_minor;
    int64_t parcel_grams_max;
};

struct allocation_demand {
    int64_t quantity;     /* > 0 */
    int64_t weight_grams; /* of one piece; > 0, but with PRIORITY */
};

struct allocation_problem {
    enum allocation_strategy strategy;
    bool allow_partial; /* each line gets min(quantity, Σ available where it may come from) */
    int64_t split_cost_minor;
    uint64_t work_max;                   /* bound on the work; 1 = 40 elementary steps */
    const struct allocation_site *sites; /* by priority, then warehouse_id */
    size_t site_count;
    const struct allocation_demand *lines;
    size_t line_count;
    const int64_t *available; /* [site × line_count + line]; negative counts as 0 */
};

enum allocation_plan_outcome {
    ALLOCATION_PLAN_FOUND,
    ALLOCATION_PLAN_INSUFFICIENT, /* a line without allow_partial, or with it every line, has 0 */
    ALLOCATION_PLAN_OUT_OF_MEMORY,
};

struct allocation_plan {
    enum allocation_plan_outcome outcome;
    int64_t *line_available;  /* of each line: Σ available at usable sites; always set */
    int64_t *quantities;      /* [site × line_count + line] */
    int64_t *site_cost_minor; /* of each used site that has a cost, without splits */
    bool has_total_cost;      /* every used site has a cost */
    int64_t total_cost_minor; /* with splits */
    bool optimal;
    int64_t gap_minor; /* total_cost − gap ≤ the cost of the best plan; 0 when optimal */
    uint64_t work;     /* taken, as work_max counts; never a time, so that answers repeat */
    enum allocation_reason_code *reasons; /* of each site */
    bool has_runner_up;                   /* the best plan found with another set of sites */
    bool *runner_up_sites;
    bool has_runner_up_cost;
    int64_t runner_up_cost_minor;
};

/* Decides. Results live on the arena. Deterministic: equal problems give equal plans. */
void allocation_plan_solve(const struct allocation_problem *problem, struct arena *arena,
                           struct allocation_plan *plan);

#endif
