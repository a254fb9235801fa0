#ifndef WAYBILL_MAIN_REPLAY_PLAN_REPLAY_STRATEGY_H
#define WAYBILL_MAIN_REPLAY_PLAN_REPLAY_STRATEGY_H

#include <stdint.h>

/*
 * What each allocation strategy would make of all orders, side by side: every order planned alone
 * on the full shelves, before the first one is allocated.
 */
enum replay_strategy { REPLAY_PRIORITY, REPLAY_FEWEST_SPLITS, REPLAY_LOWEST_COST };
enum { replay_strategy_count = REPLAY_LOWEST_COST + 1 };

struct strategy_totals {
    uint32_t orders;    /* that could be planned */
    uint32_t parts;     /* warehouses used, of all orders together */
    uint32_t optimal;   /* orders whose plan is proved the best */
    int64_t cost_minor; /* in cents of a US dollar */
};

#endif
