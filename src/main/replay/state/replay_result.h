#ifndef WAYBILL_MAIN_REPLAY_STATE_REPLAY_RESULT_H
#define WAYBILL_MAIN_REPLAY_STATE_REPLAY_RESULT_H

#include "main/replay/findings/difference_list.h"
#include "main/replay/findings/ledger_survey.h"
#include "main/replay/findings/on_time_survey.h"
#include "main/replay/findings/shipment_totals.h"
#include "main/replay/plan/replay_strategy.h"
#include "main/replay/state/replay_progress.h"

#include <stdbool.h>
#include <stdint.h>

/* What a replay ends with: what its last survey has found, and what it measured on the way. */

/* What the warehouses tell of the replay's orders, and what lies on all shelves. */
struct shelf_totals {
    uint32_t parts;   /* of all allocations */
    uint32_t optimal; /* allocations proved the cheapest when they were made */
    int64_t cost_minor;
    int64_t on_hand;
    int64_t allocated;
    int64_t shipped; /* for reservations */
    int64_t movements;
    int64_t mismatches;
};

enum { replay_order_states = 10 }; /* by the values of fulfillment's OrderState */

struct replay_result {
    bool has_warehouses; /* shelf and strategies are there */
    struct shelf_totals shelf;
    struct strategy_totals strategies[replay_strategy_count]; /* orders 0 = not compared */
    bool has_orders; /* fulfillment's orders are there: how many stand where, extra ones too */
    uint32_t order_counts[replay_order_states];
    bool has_shipping; /* shipments and labels are there */
    struct shipment_totals shipments;
    const struct on_time_survey
        *on_time; /* NULL: the server runs no tracking; lives as the replay */
    struct survey_totals totals;
    bool was_complete; /* the progress file said so: nothing but reads was sent */
    int64_t finish_time_us;
    struct replay_measurements measurements; /* of the run that finished it; calls 0 = not known */
    int64_t ledger_entries;
    int64_t ledger_mismatches;
    char chain_head[65];
    struct difference_list differences; /* none = everything adds up */
};

#endif
