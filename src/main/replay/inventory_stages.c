/*
 * Receive what all orders need; reserve every order, all its lines as they stand in the file;
 * commit what is paid, roll back what is cancelled; look up what was left to lapse.
 *
 * Every answer is checked against what was asked and moves its order to the state it tells. A hold
 * that ran out while its order was to be paid or cancelled (a run that was cut, or a very slow one)
 * gives the order back to be reserved under the next attempt's id. An id that the server has
 * forgotten leaves the order unknown, for the next survey to tell. Any other refusal ends the run.
 */
#include "main/replay/replay_stage.h"

#include "main/replay/answer_details.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <string.h>

static const int64_t look_up_pause_us = INT64_C(100) * 1000;

static size_t order_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->order_count;
}

static enum order_outcome outcome_of(const struct replay *replay, size_t order)
{
    return replay_plan_outcome(replay->plan, (uint32_t)order);
}

static bool is_held_for(const struct replay *replay, size_t order, enum order_outcome outcome)
{
    return replay->orders[order].state == ORDER_HELD && outcome_of(replay, order) == outcome;
}

static const char *order_name(const struct replay *replay, size_t order)
{
    return replay->data_set->orders[order].order_id.data;
}

/* The id of the order's present attempt, on the arena; NULL without memory. */
static char *reservation_id(const struct replay *replay, size_t order, struct arena *arena)
{
    struct replay_id id =
        replay_plan_reservation_id(replay->plan, (uint32_t)order, replay->orders[order].attempt);
    return arena_format(arena, "%s", id.string);
}

/* --- answers that hold a reservation --- */

static void go_on_as_unknown(struct replay *replay, size_t order)
{
    struct order_status status = {ORDER_UNKNOWN, replay->orders[order].attempt};
    replay_set_order(replay, (uint32_t)order, status);
}

/* The hold ran out though the order was to be paid or cancelled. */
static struct error reserve_anew(struct replay *replay, size_t order)
{
    struct order_status status = {ORDER_NEW, replay->orders[order].attempt + 1};
    if (status.attempt > replay_attempts_max) {
        return error_make(ERROR_INTERNAL, "order %s: %d holds have run out one after the other",
                          order_name(replay, order), replay_attempts_max);
    }
    replay_set_order(replay, (uint32_t)order, status);
    return error_none();
}

static struct error take_refusal(struct replay *replay, size_t order, const char *method,
                                 const struct rpc_status *status)
{
    if (answer_has_reason(status, "RESERVATION_EXPIRED"))
        return reserve_anew(replay, order);
    if (answer_has_reason(status, "RESERVATION_NOT_FOUND")) {
        go_on_as_unknown(replay, order);
        return error_none();
    }
    return error_prefix(answer_error(status), "order %s: %s", order_name(replay, order), method);
}

/* Whether it is the reservation that was asked for, whole. */
static bool is_the_orders(const struct replay *replay, size_t order,
                          const Waybill__Inventory__V1__Reservation *reservation)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    struct replay_id id =
        replay_plan_reservation_id(replay->plan, (uint32_t)order, replay->orders[order].attempt);
    int64_t packs = 0;
    if (reservation == NULL || strcmp(reservation->reservation_id, id.string) != 0)
        return false;
    for (size_t i = 0; i < reservation->n_lines; i++)
        packs += reservation->lines[i]->quantity;
    return reservation->n_lines == of->sku_count && packs == of->packs;
}

static enum order_state state_of(const Waybill__Inventory__V1__Reservation *reservation)
{
    static const enum order_state states[] = {
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_PENDING] = ORDER_HELD,
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_COMMITTED] = ORDER_COMMITTED,
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_ROLLED_BACK] =
            ORDER_ROLLED_BACK,
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_EXPIRED] = ORDER_EXPIRED,
    };
    unsigned state = (unsigned)reservation->state;
    return state == 0 || state >= sizeof states / sizeof states[0] ? ORDER_UNKNOWN : states[state];
}

static struct error take_reservation(struct replay *replay, size_t order, const char *method,
                                     const Waybill__Inventory__V1__Reservation *reservation)
{
    if (!is_the_orders(replay, order, reservation) || state_of(reservation) == ORDER_UNKNOWN) {
        return error_make(ERROR_PROTOCOL, "order %s: %s answered with another reservation",
                          order_name(replay, order), method);
    }
    struct order_status status = {state_of(reservation), replay->orders[order].attempt};
    if (status.state == ORDER_EXPIRED && outcome_of(replay, order) != ORDER_LAPSED)
        return reserve_anew(replay, order);
    replay_set_order(replay, (uint32_t)order, status);
    return error_none();
}

/* --- receive --- */

static size_t product_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->product_count;
}

static bool receive_is_due(void *context, size_t product)
{
    const struct replay *replay = context;
    return !replay->received[product];
}

static bool receive_prepare(void *context, size_t product, struct arena *arena,
                            struct pump_call *call)
{
    const struct replay *replay = context;
    struct replay_id id = replay_plan_receipt_id(replay->plan, (uint32_t)product);
    Waybill__Inventory__V1__ReceiveStockRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__receive_stock_request__init(request);
    request->receipt_id = arena_format(arena, "%s", id.string);
    request->sku = (char *)replay->data_set->products[product].sku.data;
    request->quantity = replay->data_set->products[product].packs;
    call->path = "/waybill.inventory.v1.InventoryService/ReceiveStock";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__receive_stock_response__descriptor;
    return request->receipt_id != NULL;
}

static struct error receive_answered(void *context, size_t product,
                                     const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK) {
        return error_prefix(answer_error(&result->status), "%s: ReceiveStock",
                            replay->data_set->products[product].sku.data);
    }
    replay->received[product] = true;
    replay->received_count++;
    return error_none();
}

/* --- reserve --- */

static bool reserve_is_due(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->orders[order].state == ORDER_NEW;
}

/* All lines as they stand in the file; the service sums them. False without memory. */
static bool fill_lines(const struct replay *replay, size_t order, struct arena *arena,
                       Waybill__Inventory__V1__ReserveRequest *request)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    Waybill__Inventory__V1__ReserveLine *lines =
        arena_allocate(arena, of->line_count * sizeof *lines);
    request->lines = arena_allocate(arena, of->line_count * sizeof(void *));
    if (lines == NULL || request->lines == NULL)
        return false;
    request->n_lines = of->line_count;
    for (uint32_t i = 0; i < of->line_count; i++) {
        const struct data_set_line *line = &replay->data_set->lines[of->first_line + i];
        waybill__inventory__v1__reserve_line__init(&lines[i]);
        lines[i].sku = (char *)replay->data_set->products[line->product].sku.data;
        lines[i].quantity = line->packs;
        request->lines[i] = &lines[i];
    }
    return true;
}

/* An order that is to lapse is held for a short time only. */
static bool fill_ttl(const struct replay *replay, size_t order, struct arena *arena,
                     Waybill__Inventory__V1__ReserveRequest *request)
{
    if (outcome_of(replay, order) != ORDER_LAPSED)
        return true;
    request->ttl = arena_allocate(arena, sizeof *request->ttl);
    if (request->ttl == NULL)
        return false;
    google__protobuf__duration__init(request->ttl);
    request->ttl->seconds = replay_lapse_ttl_us / 1000000;
    return true;
}

static bool reserve_prepare(void *context, size_t order, struct arena *arena,
                            struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Inventory__V1__ReserveRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__reserve_request__init(request);
    request->reservation_id = reservation_id(replay, order, arena);
    request->order_id = (char *)replay->data_set->orders[order].order_id.data;
    call->path = "/waybill.inventory.v1.InventoryService/Reserve";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__reserve_response__descriptor;
    return request->reservation_id != NULL && fill_lines(replay, order, arena, request) &&
           fill_ttl(replay, order, arena, request);
}

static struct error reserve_answered(void *context, size_t order,
                                     const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    int64_t lapsed_us = clock_monotonic_us(replay->options.clock) + replay_lapse_ttl_us;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(replay, order, "Reserve", &result->status);
    replay->look_up_us[order] = lapsed_us;
    replay->lapse_give_up_us = lapsed_us + replay_lapse_grace_us;
    const Waybill__Inventory__V1__ReserveResponse *response =
        (const Waybill__Inventory__V1__ReserveResponse *)result->response;
    return take_reservation(replay, order, "Reserve", response->reservation);
}

/* --- pay --- */

static bool pay_is_due(void *context, size_t order)
{
    return is_held_for(context, order, ORDER_PAID);
}

static bool pay_prepare(void *context, size_t order, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__CommitRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__commit_request__init(request);
    request->reservation_id = reservation_id(context, order, arena);
    call->path = "/waybill.inventory.v1.InventoryService/Commit";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__commit_response__descriptor;
    return request->reservation_id != NULL;
}

static struct error pay_answered(void *context, size_t order,
                                 const struct rpc_client_result *result, bool *again)
{
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(context, order, "Commit", &result->status);
    const Waybill__Inventory__V1__CommitResponse *response =
        (const Waybill__Inventory__V1__CommitResponse *)result->response;
    return take_reservation(context, order, "Commit", response->reservation);
}

/* --- cancel --- */

static bool cancel_is_due(void *context, size_t order)
{
    return is_held_for(context, order, ORDER_CANCELLED);
}

static bool cancel_prepare(void *context, size_t order, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__RollbackRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__rollback_request__init(request);
    request->reservation_id = reservation_id(context, order, arena);
    call->path = "/waybill.inventory.v1.InventoryService/Rollback";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__rollback_response__descriptor;
    return request->reservation_id != NULL;
}

static struct error cancel_answered(void *context, size_t order,
                                    const struct rpc_client_result *result, bool *again)
{
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(context, order, "Rollback", &result->status);
    const Waybill__Inventory__V1__RollbackResponse *response =
        (const Waybill__Inventory__V1__RollbackResponse *)result->response;
    return take_reservation(context, order, "Rollback", response->reservation);
}

/* --- lapse --- */

static bool lapse_is_due(void *context, size_t order)
{
    return is_held_for(context, order, ORDER_LAPSED);
}

static int64_t lapse_wait_us(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->look_up_us[order] - clock_monotonic_us(replay->options.clock);
}

static bool lapse_prepare(void *context, size_t order, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__GetReservationRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__get_reservation_request__init(request);
    request->reservation_id = reservation_id(context, order, arena);
    call->path = "/waybill.inventory.v1.InventoryService/GetReservation";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__get_reservation_response__descriptor;
    return request->reservation_id != NULL;
}

/* The server's clock says when it is over, so a hold may still be found pending for a moment. */
static struct error lapse_answered(void *context, size_t order,
                                   const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    int64_t now_us = clock_monotonic_us(replay->options.clock);
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(replay, order, "GetReservation", &result->status);
    const Waybill__Inventory__V1__GetReservationResponse *response =
        (const Waybill__Inventory__V1__GetReservationResponse *)result->response;
    struct error error = take_reservation(replay, order, "GetReservation", response->reservation);
    if (error_is(error) || replay->orders[order].state != ORDER_HELD)
        return error;
    if (now_us > replay->lapse_give_up_us) {
        return error_make(ERROR_INTERNAL, "order %s: its hold of %lld s is still pending",
                          order_name(replay, order), (long long)(replay_lapse_ttl_us / 1000000));
    }
    *again = true;
    replay->look_up_us[order] = now_us + look_up_pause_us;
    return error_none();
}

const struct replay_stage inventory_stages[] = {
    {
        .name = "receive",
        .title = "Receiving stock",
        .work = {.item_count = product_count,
                 .is_due = receive_is_due,
                 .prepare = receive_prepare,
                 .answered = receive_answered},
    },
    {
        .name = "reserve",
        .title = "Reserving",
        .work = {.item_count = order_count,
                 .is_due = reserve_is_due,
                 .prepare = reserve_prepare,
                 .answered = reserve_answered},
    },
    {
        .name = "pay",
        .title = "Paying",
        .work = {.item_count = order_count,
                 .is_due = pay_is_due,
                 .prepare = pay_prepare,
                 .answered = pay_answered},
    },
    {
        .name = "cancel",
        .title = "Cancelling",
        .work = {.item_count = order_count,
                 .is_due = cancel_is_due,
                 .prepare = cancel_prepare,
                 .answered = cancel_answered},
    },
    {
        .name = "lapse",
        .title = "Letting holds lapse",
        .work = {.item_count = order_count,
                 .is_due = lapse_is_due,
                 .wait_us = lapse_wait_us,
                 .prepare = lapse_prepare,
                 .answered = lapse_answered},
    },
};
const size_t inventory_stage_count = sizeof inventory_stages / sizeof inventory_stages[0];
