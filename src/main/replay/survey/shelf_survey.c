/*
 * What the warehouses know of this replay: every allocation (ListAllocations, page by page), and at
 * the end what still lies on the shelves and whether the movements explain it.
 */
#include "main/replay/survey/replay_survey.h"

#include "main/replay/messages/shelf_messages.h"
#include "main/replay/pump/answer_details.h"
#include "main/replay/state/page_reading.h"

#include <string.h>

enum { page_records = 100 };
static const int64_t verify_timeout_us = INT64_C(3600) * 1000000;

/* --- allocations --- */

static bool allocations_prepare(void *context, size_t item, struct arena *arena,
                                struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Warehouse__V1__ListAllocationsRequest *request =
        arena_allocate(arena, sizeof *request);
    (void)item;
    if (request == NULL)
        return false;
    waybill__warehouse__v1__list_allocations_request__init(request);
    request->page_size = page_records;
    request->page_token = replay_page_token(replay);
    call->path = "/waybill.warehouse.v1.WarehouseService/ListAllocations";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__list_allocations_response__descriptor;
    return true;
}

static void take_allocation(struct replay *replay,
                            const Waybill__Warehouse__V1__Allocation *allocation)
{
    struct shelf_totals *totals = &replay->result->shelf;
    uint32_t order;
    bool is_ours =
        replay->has_fulfillment
            ? replay_plan_find_own_order(replay->plan, text_of(allocation->order_id), &order)
            : replay_plan_find_allocation(replay->plan, text_of(allocation->allocation_id), &order);
    if (!is_ours)
        return;
    enum allocation_progress progress = shelf_message_progress(allocation);
    if (progress == ALLOCATION_NONE && replay->has_fulfillment)
        return; /* an attempt that fulfillment gave up for another */
    replay_set_allocation(replay, order, progress);
    if (progress == ALLOCATION_NONE)
        difference_list_add(&replay->result->differences,
                            "order %s: its allocation was released by somebody else",
                            replay->data_set->orders[order].order_id.data);
    replay->part_counts[order] = (uint16_t)allocation->n_parts;
    totals->parts += (uint32_t)allocation->n_parts;
    totals->optimal += allocation->optimal != 0;
    if (allocation->total_cost != NULL)
        totals->cost_minor += allocation->total_cost->amount_minor;
}

static struct error allocations_answered(void *context, size_t item,
                                         const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    (void)item;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "ListAllocations");
    const Waybill__Warehouse__V1__ListAllocationsResponse *page =
        (const Waybill__Warehouse__V1__ListAllocationsResponse *)result->response;
    for (size_t i = 0; i < page->n_allocations; i++)
        take_allocation(replay, page->allocations[i]);
    return replay_turn_page(replay, page->next_page_token, again);
}

static const struct pump_work allocations_work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = allocations_prepare,
    .answered = allocations_answered,
};

struct error replay_survey_allocations(struct replay *replay)
{
    replay->result->shelf = (struct shelf_totals){0};
    for (uint32_t i = 0; i < replay->data_set->order_count; i++)
        replay_set_allocation(replay, i, ALLOCATION_NONE);
    replay_begin_pages(replay);
    return call_pump_run(replay->pump, &allocations_work, replay, NULL);
}

/* --- what lies on the shelves --- */

static bool stock_prepare(void *context, size_t item, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Warehouse__V1__ListWarehouseStockRequest *request =
        arena_allocate(arena, sizeof *request);
    (void)item;
    if (request == NULL)
        return false;
    waybill__warehouse__v1__list_warehouse_stock_request__init(request);
    request->page_size = page_records;
    request->page_token = replay_page_token(replay);
    call->path = "/waybill.warehouse.v1.WarehouseService/ListWarehouseStock";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__list_warehouse_stock_response__descriptor;
    return true;
}

static struct error stock_answered(void *context, size_t item,
                                   const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    (void)item;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "ListWarehouseStock");
    const Waybill__Warehouse__V1__ListWarehouseStockResponse *page =
        (const Waybill__Warehouse__V1__ListWarehouseStockResponse *)result->response;
    for (size_t i = 0; i < page->n_stocks; i++) {
        const Waybill__Warehouse__V1__WarehouseStock *stock = page->stocks[i];
        replay->result->shelf.on_hand += stock->on_hand;
        replay->result->shelf.allocated += stock->allocated;
        replay->result->shelf.shipped += stock->shipped_for_reservations;
    }
    return replay_turn_page(replay, page->next_page_token, again);
}

static const struct pump_work stock_work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = stock_prepare,
    .answered = stock_answered,
};

/* --- the audit trail --- */

static bool verify_prepare(void *context, size_t item, struct arena *arena, struct pump_call *call)
{
    Waybill__Warehouse__V1__VerifyMovementsRequest *request =
        arena_allocate(arena, sizeof *request);
    (void)context;
    (void)item;
    if (request == NULL)
        return false;
    waybill__warehouse__v1__verify_movements_request__init(request);
    call->path = "/waybill.warehouse.v1.WarehouseService/VerifyMovements";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__verify_movements_response__descriptor;
    call->timeout_us = verify_timeout_us;
    return true;
}

static struct error verify_answered(void *context, size_t item,
                                    const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    (void)item;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "VerifyMovements");
    const Waybill__Warehouse__V1__VerifyMovementsResponse *response =
        (const Waybill__Warehouse__V1__VerifyMovementsResponse *)result->response;
    replay->result->shelf.movements = response->movements;
    replay->result->shelf.mismatches = (int64_t)response->n_mismatches;
    for (size_t i = 0; i < response->n_mismatches; i++) {
        const Waybill__Warehouse__V1__MovementMismatch *mismatch = response->mismatches[i];
        difference_list_add(&replay->result->differences,
                            "%s in %s: the movements give %lld, the shelf's %s is %lld",
                            mismatch->sku, mismatch->warehouse_id,
                            (long long)mismatch->movement_quantity, mismatch->balance,
                            (long long)mismatch->balance_quantity);
    }
    return error_none();
}

static const struct pump_work verify_work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = verify_prepare,
    .answered = verify_answered,
};

/* Others may have goods there, too; but what this replay shipped is what its orders held. */
static void judge_shelves(struct replay *replay)
{
    const struct shelf_totals *shelf = &replay->result->shelf;
    struct difference_list *differences = &replay->result->differences;
    if (shelf->shipped < replay->data_set->packs)
        difference_list_add(differences, "%lld packs left the shelves for orders instead of %lld",
                            (long long)shelf->shipped, (long long)replay->data_set->packs);
    for (uint32_t i = 0; i < replay->data_set->order_count; i++) {
        if (replay->allocations[i] != ALLOCATION_SHIPPED)
            difference_list_add(differences, "order %s: it was not shipped",
                                replay->data_set->orders[i].order_id.data);
    }
}

struct error replay_judge_shelves(struct replay *replay)
{
    replay_begin_pages(replay);
    struct error error = call_pump_run(replay->pump, &stock_work, replay, NULL);
    if (!error_is(error))
        error = call_pump_run(replay->pump, &verify_work, replay, NULL);
    if (!error_is(error))
        judge_shelves(replay);
    return error;
}
