#ifndef WAYBILL_MAIN_REPLAY_PLAN_ORDER_TURNS_H
#define WAYBILL_MAIN_REPLAY_PLAN_ORDER_TURNS_H

#include "main/replay/data/data_set.h"
#include "platform/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Orders of one product take turns: each begins when all orders of the data set that stand before
 * it and want one of its products are over. So what each of them finds on the shelves, and with it
 * from where it is sent and what that costs, follows from the data set alone: not from which of
 * many calls in flight arrives first, and not from where a replay was cut, since what is done of a
 * product is always its first orders. Orders without a product in common go side by side.
 *
 * order_turns_begin, then order_turns_next and order_turns_done until every order is done. Thread:
 * one.
 */
struct order_turns {
    uint32_t order_count;
    uint32_t *first_follower; /* of each order: place in the two below; UINT32_MAX = none */
    uint32_t *followers;      /* orders that come directly behind it, one a product shared */
    uint32_t *next_follower;
    uint32_t follower_count;
    uint32_t *waits_for; /* of each order: followings that are not over yet */
    uint32_t *ready;     /* orders whose turn it is, or was, in the order in which it came */
    uint32_t ready_count;
    uint32_t taken_count; /* of them */
};

/* Error: OUT_OF_MEMORY, then there is nothing to release. */
struct error order_turns_init(struct order_turns *turns, const struct data_set *data_set);

void order_turns_deinit(struct order_turns *turns);

/* All orders are yet to be done. */
void order_turns_begin(struct order_turns *turns);

/* The next order whose turn it is; each is given once. False: nobody's before one is done. */
bool order_turns_next(struct order_turns *turns, uint32_t *order);

/* The order, which was given, is over. */
void order_turns_done(struct order_turns *turns, uint32_t order);

#endif
