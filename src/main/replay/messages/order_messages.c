/*
 * Plain filling in. The unit value of a line is what the data set's lines of that order pay for a
 * pack, so that one SKU has one value. An order that is heavier than parcels can be is offered to
 * the carrier of freight alone, all others to those of parcels.
 */
#include "main/replay/messages/order_messages.h"

#include "main/replay/messages/consignment_messages.h"
#include "main/replay/messages/shelf_messages.h"

#include <string.h>

static const char currency[] = "USD";

static Waybill__Fulfillment__V1__OrderLine *line_message(const struct replay *replay,
                                                         uint32_t order,
                                                         const struct data_set_line *of,
                                                         struct arena *arena)
{
    Waybill__Fulfillment__V1__OrderLine *line = arena_allocate(arena, sizeof *line);
    Waybill__Common__V1__Money *value = arena_allocate(arena, sizeof *value);
    if (line == NULL || value == NULL)
        return NULL;
    waybill__fulfillment__v1__order_line__init(line);
    waybill__common__v1__money__init(value);
    line->sku = (char *)replay->data_set->products[of->product].sku.data;
    line->quantity = of->packs;
    line->unit_value = value;
    value->currency_code = (char *)currency;
    value->amount_minor = consignment_pack_value_minor(replay, order, of->product);
    return line;
}

static bool fill_lines(const struct replay *replay, uint32_t order, struct arena *arena,
                       Waybill__Fulfillment__V1__PromiseOrderRequest *request)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    request->lines = arena_allocate(arena, of->line_count * sizeof *request->lines);
    for (; request->lines != NULL && request->n_lines < of->line_count; request->n_lines++) {
        const struct data_set_line *line =
            &replay->data_set->lines[of->first_line + request->n_lines];
        request->lines[request->n_lines] = line_message(replay, order, line, arena);
        if (request->lines[request->n_lines] == NULL)
            return false;
    }
    return request->lines != NULL;
}

bool order_message_ttl(const struct replay *replay, uint32_t hold, struct arena *arena,
                       Google__Protobuf__Duration **ttl)
{
    if (replay_plan_outcome(replay->plan, hold) != HOLD_LAPSED)
        return true;
    *ttl = arena_allocate(arena, sizeof **ttl);
    if (*ttl == NULL)
        return false;
    google__protobuf__duration__init(*ttl);
    (*ttl)->seconds = replay_lapse_ttl_us / 1000000;
    return true;
}

Waybill__Fulfillment__V1__PromiseOrderRequest *order_message_promise(const struct replay *replay,
                                                                     uint32_t hold,
                                                                     struct arena *arena)
{
    struct replay_id id = replay_plan_order_id(replay->plan, hold);
    uint32_t order = replay->plan->holds[hold].order;
    Waybill__Fulfillment__V1__PromiseOrderRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return NULL;
    waybill__fulfillment__v1__promise_order_request__init(request);
    request->order_id = arena_format(arena, "%s", id.string);
    request->destination = consignment_message_destination(replay, order, arena);
    request->currency_code = (char *)currency;
    request->carriers = consignment_message_carriers(replay, consignment_order_grams(replay, order),
                                                     &request->n_carriers);
    request->rule = WAYBILL__FULFILLMENT__V1__ORDER_RULE__ORDER_RULE_CHEAPEST;
    return request->order_id == NULL || request->destination == NULL ||
                   !fill_lines(replay, order, arena, request) ||
                   !order_message_ttl(replay, hold, arena, &request->ttl)
               ? NULL
               : request;
}

/* --- back --- */

/* Where its hold would stand. */
static enum hold_state hold_state_of(const struct replay *replay, uint32_t hold,
                                     const Waybill__Fulfillment__V1__Order *order)
{
    static const enum hold_state states[] = {
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_PROMISED] = HOLD_PENDING,
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CONFIRMING] = HOLD_PENDING,
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CONFIRMED] = HOLD_COMMITTED,
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_SHIPPED] = HOLD_COMMITTED,
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_DELIVERED] = HOLD_COMMITTED,
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_EXPIRED] = HOLD_EXPIRED,
        [WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CANCELLED] = HOLD_ROLLED_BACK,
    };
    unsigned state = (unsigned)order->state;
    enum hold_state found =
        state == 0 || state >= sizeof states / sizeof states[0] ? HOLD_NONE : states[state];
    if (found == HOLD_EXPIRED && replay_plan_outcome(replay->plan, hold) == HOLD_PAID)
        return HOLD_PENDING; /* confirmed late */
    return found == HOLD_NONE ? HOLD_UNKNOWN : found;
}

static void take_own(struct replay *replay, uint32_t order,
                     const Waybill__Fulfillment__V1__Order *record)
{
    bool is_delivered =
        record->state == WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_DELIVERED;
    bool is_shipped =
        is_delivered || record->state == WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_SHIPPED;
    bool is_confirmed =
        is_shipped || record->state == WAYBILL__FULFILLMENT__V1__ORDER_STATE__ORDER_STATE_CONFIRMED;
    if (is_confirmed && record->n_parts > 0 &&
        strlen(record->parts[0]->allocation_id) < sizeof replay->allocation_ids[0])
        strcpy(replay->allocation_ids[order].string, record->parts[0]->allocation_id);
    if (is_confirmed && replay->allocations[order] == ALLOCATION_NONE)
        replay_set_allocation(replay, order, ALLOCATION_FIRM);
    if (is_shipped)
        replay_set_allocation(replay, order, ALLOCATION_SHIPPED);
    if (is_confirmed)
        replay_set_consigned(replay, order, true);
    replay_set_delivered(replay, order, is_delivered);
}

void order_message_take(struct replay *replay, uint32_t hold,
                        const Waybill__Fulfillment__V1__Order *order)
{
    struct hold_status status = {hold_state_of(replay, hold, order), 1};
    if (status.state == HOLD_UNKNOWN)
        difference_list_add(&replay->result->differences, "order %s: %s", order->order_id,
                            order->attention_reason[0] == '\0' ? "it came back"
                                                               : order->attention_reason);
    replay_set_hold(replay, hold, status);
    if (replay_plan_outcome(replay->plan, hold) == HOLD_PAID)
        take_own(replay, replay->plan->holds[hold].order, order);
}
