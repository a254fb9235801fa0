/*
 * An order follows, for each of its products, the latest order before it that wants that product:
 * one edge a product at most, so fewer than lines. What an order waits for is counted; who comes to
 * 0 is ready. Orders are a chain for each product, so there are no circles, and all come to 0.
 */
#include "main/replay/plan/order_turns.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

enum { nobody = UINT32_MAX };

static void add_follower(struct order_turns *turns, uint32_t order, uint32_t follower)
{
    uint32_t edge = turns->follower_count++;
    turns->followers[edge] = follower;
    turns->next_follower[edge] = turns->first_follower[order];
    turns->first_follower[order] = edge;
}

/* latest: of each product, the last order up to now; nobody at first. */
static void follow(struct order_turns *turns, const struct data_set *data_set, uint32_t order,
                   uint32_t *latest)
{
    const struct data_set_order *of = &data_set->orders[order];
    for (uint32_t i = 0; i < of->line_count; i++) {
        uint32_t product = data_set->lines[of->first_line + i].product;
        if (latest[product] != nobody && latest[product] != order)
            add_follower(turns, latest[product], order);
        latest[product] = order;
    }
}

struct error order_turns_init(struct order_turns *turns, const struct data_set *data_set)
{
    uint32_t orders = data_set->order_count;
    uint32_t *latest = memory_allocate_zero(data_set->product_count, sizeof *latest);
    *turns = (struct order_turns){
        .order_count = orders,
        .first_follower = memory_allocate_zero(orders, sizeof(uint32_t)),
        .followers = memory_allocate_zero(data_set->line_count, sizeof(uint32_t)),
        .next_follower = memory_allocate_zero(data_set->line_count, sizeof(uint32_t)),
        .waits_for = memory_allocate_zero(orders, sizeof(uint32_t)),
        .ready = memory_allocate_zero(orders, sizeof(uint32_t)),
    };
    if (latest == NULL || turns->first_follower == NULL || turns->followers == NULL ||
        turns->next_follower == NULL || turns->waits_for == NULL || turns->ready == NULL) {
        memory_release(latest);
        order_turns_deinit(turns);
        return error_make(ERROR_OUT_OF_MEMORY, "turns of the orders");
    }
    memset(latest, 0xff, data_set->product_count * sizeof *latest);
    memset(turns->first_follower, 0xff, orders * sizeof *turns->first_follower);
    for (uint32_t i = 0; i < orders; i++)
        follow(turns, data_set, i, latest);
    memory_release(latest);
    return error_none();
}

void order_turns_deinit(struct order_turns *turns)
{
    memory_release(turns->first_follower);
    memory_release(turns->followers);
    memory_release(turns->next_follower);
    memory_release(turns->waits_for);
    memory_release(turns->ready);
    *turns = (struct order_turns){0};
}

void order_turns_begin(struct order_turns *turns)
{
    memset(turns->waits_for, 0, turns->order_count * sizeof *turns->waits_for);
    for (uint32_t i = 0; i < turns->follower_count; i++)
        turns->waits_for[turns->followers[i]]++;
    turns->ready_count = 0;
    turns->taken_count = 0;
    for (uint32_t i = 0; i < turns->order_count; i++) {
        if (turns->waits_for[i] == 0)
            turns->ready[turns->ready_count++] = i;
    }
}

bool order_turns_next(struct order_turns *turns, uint32_t *order)
{
    if (turns->taken_count == turns->ready_count)
        return false;
    *order = turns->ready[turns->taken_count++];
    return true;
}

void order_turns_done(struct order_turns *turns, uint32_t order)
{
    for (uint32_t edge = turns->first_follower[order]; edge != nobody;
         edge = turns->next_follower[edge]) {
        uint32_t follower = turns->followers[edge];
        CHECK(turns->waits_for[follower] > 0);
        if (--turns->waits_for[follower] == 0)
            turns->ready[turns->ready_count++] = follower;
    }
}
