/*
 * Every order is planned alone by each strategy on the full shelves (PlanAllocation holds nothing).
 * The sums are kept in the progress file once all orders are planned; a run that is cut before
 * begins them anew, and nothing is allocated before they are there.
 */
#include "main/replay/stages/replay_stage.h"

#include "main/replay/messages/shelf_messages.h"
#include "main/replay/pump/answer_details.h"

static const Waybill__Warehouse__V1__AllocationStrategy strategies[] = {
    [REPLAY_PRIORITY] = WAYBILL__WAREHOUSE__V1__ALLOCATION_STRATEGY__ALLOCATION_STRATEGY_PRIORITY,
    [REPLAY_FEWEST_SPLITS] =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_STRATEGY__ALLOCATION_STRATEGY_FEWEST_SPLITS,
    [REPLAY_LOWEST_COST] =
        WAYBILL__WAREHOUSE__V1__ALLOCATION_STRATEGY__ALLOCATION_STRATEGY_LOWEST_COST,
};

static size_t plan_count(void *context)
{
    const struct replay *replay = context;
    return (size_t)replay->data_set->order_count * replay_strategy_count;
}

static bool plan_is_due(void *context, size_t item)
{
    (void)context;
    (void)item;
    return true;
}

static bool plan_prepare(void *context, size_t item, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    uint32_t order = (uint32_t)(item / replay_strategy_count);
    Waybill__Warehouse__V1__PlanAllocationRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__plan_allocation_request__init(request);
    request->order_id = (char *)replay->data_set->orders[order].order_id.data;
    request->destination = shelf_message_destination(replay, order, arena);
    request->lines = shelf_message_lines(replay, order, arena, &request->n_lines);
    request->strategy = strategies[item % replay_strategy_count];
    call->path = "/waybill.warehouse.v1.WarehouseService/PlanAllocation";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__plan_allocation_response__descriptor;
    return request->destination != NULL && request->lines != NULL;
}

static struct error plan_answered(void *context, size_t item,
                                  const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    struct strategy_totals *totals = &replay->strategies[item % replay_strategy_count];
    const Waybill__Warehouse__V1__PlanAllocationResponse *response =
        (const Waybill__Warehouse__V1__PlanAllocationResponse *)result->response;
    *again = false;
    replay->plans_made++;
    if (answer_has_reason(&result->status, "INSUFFICIENT_STOCK"))
        return error_none(); /* somebody else has taken goods: the order is not counted */
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "order %s: PlanAllocation",
                            replay->data_set->orders[item / replay_strategy_count].order_id.data);
    totals->orders++;
    totals->parts += (uint32_t)response->allocation->n_parts;
    totals->optimal += response->allocation->optimal != 0;
    if (response->allocation->total_cost != NULL)
        totals->cost_minor += response->allocation->total_cost->amount_minor;
    return error_none();
}

const struct replay_stage strategy_stage = {
    .name = "strategies",
    .title = "Comparing strategies",
    .work = {.item_count = plan_count,
             .is_due = plan_is_due,
             .prepare = plan_prepare,
             .answered = plan_answered},
};
