/*
 * What fulfillment knows of this replay: every order, page by page. The ledgers were read before;
 * what they tell of holds is here told by orders, whose reservations have names of fulfillment's
 * own.
 */
#include "main/replay/survey/replay_survey.h"

#include "main/replay/messages/order_messages.h"
#include "main/replay/pump/answer_details.h"
#include "main/replay/state/page_reading.h"

#include <string.h>

enum { page_records = 100 };

static bool prepare(void *context, size_t item, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Fulfillment__V1__ListOrdersRequest *request = arena_allocate(arena, sizeof *request);
    (void)item;
    if (request == NULL)
        return false;
    waybill__fulfillment__v1__list_orders_request__init(request);
    request->page_size = page_records;
    request->page_token = replay_page_token(replay);
    call->path = "/waybill.fulfillment.v1.FulfillmentService/ListOrders";
    call->request = &request->base;
    call->response = &waybill__fulfillment__v1__list_orders_response__descriptor;
    return true;
}

static void take(struct replay *replay, uint32_t hold, const Waybill__Fulfillment__V1__Order *order)
{
    unsigned state = (unsigned)order->state;
    replay->result->order_counts[state < replay_order_states ? state : 0]++;
    order_message_take(replay, hold, order);
}

static struct error answered(void *context, size_t item, const struct rpc_client_result *result,
                             bool *again)
{
    struct replay *replay = context;
    uint32_t hold;
    (void)item;
    *again = false;
    replay->has_fulfillment = result->status.code != GRPC_STATUS_UNIMPLEMENTED;
    if (!replay->has_fulfillment)
        return error_none();
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "ListOrders");
    const Waybill__Fulfillment__V1__ListOrdersResponse *page =
        (const Waybill__Fulfillment__V1__ListOrdersResponse *)result->response;
    if (!replay->orders_are_listed) { /* the first page: what was known is forgotten */
        for (uint32_t i = 0; i < replay->plan->hold_count; i++)
            replay_set_hold(replay, i, (struct hold_status){HOLD_NONE, 1});
        memset(replay->result->order_counts, 0, sizeof replay->result->order_counts);
        replay->orders_are_listed = true;
    }
    for (size_t i = 0; i < page->n_orders; i++) {
        if (replay_plan_find_order_id(replay->plan, text_of(page->orders[i]->order_id), &hold))
            take(replay, hold, page->orders[i]);
    }
    return replay_turn_page(replay, page->next_page_token, again);
}

static const struct pump_work work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = prepare,
    .answered = answered,
};

/* The totals by orders; what the ledgers took for other people's holds was ours. */
static void count_orders(struct replay *replay)
{
    struct survey_totals *totals = &replay->result->totals;
    memset(totals->holds, 0, sizeof totals->holds);
    for (uint32_t i = 0; i < replay->plan->hold_count; i++) {
        struct hold_totals *of = &totals->holds[replay->holds[i].state];
        const struct data_set_order *order = replay_plan_order(replay->plan, i);
        of->holds++;
        of->lines += order->sku_count;
        of->packs += order->packs;
        replay->look_up_us[i] = 0;
        replay->confirming[i] = false;
    }
    totals->others_committed -= totals->holds[HOLD_COMMITTED].packs;
    totals->others_reserved -= totals->holds[HOLD_PENDING].packs;
}

struct error replay_survey_orders(struct replay *replay)
{
    replay->orders_are_listed = false;
    replay_begin_pages(replay);
    struct error error = call_pump_run(replay->pump, &work, replay, NULL);
    replay->result->has_orders = replay->has_fulfillment;
    if (!error_is(error) && replay->has_fulfillment)
        count_orders(replay);
    return error;
}

void replay_judge_orders(struct replay *replay)
{
    for (uint32_t i = 0; i < replay->plan->hold_count; i++) {
        struct replay_id id = replay_plan_order_id(replay->plan, i);
        if (replay->holds[i].state != hold_state_wanted(replay_plan_outcome(replay->plan, i)))
            difference_list_add(&replay->result->differences,
                                "order %s is not where the plan leaves it", id.string);
    }
    if (replay->delivered_count != replay->data_set->order_count)
        difference_list_add(&replay->result->differences, "%u orders are delivered instead of %u",
                            replay->delivered_count, replay->data_set->order_count);
}
