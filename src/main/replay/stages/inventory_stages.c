/*
 * Receive what all orders need; make the extra holds, cancel some, wait until the others have
 * lapsed; then reserve every order, all its lines as they stand in the file, and commit it.
 *
 * Every answer is checked against what was asked and moves its hold to the state it tells. A hold
 * that ran out while it was to be paid or cancelled (a run that was cut, or a very slow one) is
 * reserved anew under the next attempt's id. An id that the server has forgotten leaves the hold
 * unknown, for the next survey to tell. Any other refusal ends the run.
 */
#include "main/replay/stages/replay_stage.h"

#include "main/replay/messages/order_messages.h"
#include "main/replay/pump/answer_details.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <string.h>

static const int64_t look_up_pause_us = INT64_C(100) * 1000;

static size_t hold_count(void *context)
{
    const struct replay *replay = context;
    return replay->plan->hold_count;
}

static enum hold_outcome outcome_of(const struct replay *replay, size_t hold)
{
    return replay_plan_outcome(replay->plan, (uint32_t)hold);
}

static bool is_held_for(const struct replay *replay, size_t hold, enum hold_outcome outcome)
{
    return replay->holds[hold].state == HOLD_PENDING && outcome_of(replay, hold) == outcome;
}

static const char *order_name(const struct replay *replay, size_t hold)
{
    return replay_plan_order(replay->plan, (uint32_t)hold)->order_id.data;
}

/* The id of the hold's present attempt, on the arena; NULL without memory. */
static char *reservation_id(const struct replay *replay, size_t hold, struct arena *arena)
{
    struct replay_id id =
        replay_plan_reservation_id(replay->plan, (uint32_t)hold, replay->holds[hold].attempt);
    return arena_format(arena, "%s", id.string);
}

/* --- answers that hold a reservation --- */

static void go_on_as_unknown(struct replay *replay, size_t hold)
{
    struct hold_status status = {HOLD_UNKNOWN, replay->holds[hold].attempt};
    replay_set_hold(replay, (uint32_t)hold, status);
}

/* It ran out though it was to be paid or cancelled. */
static struct error reserve_anew(struct replay *replay, size_t hold)
{
    struct hold_status status = {HOLD_NONE, replay->holds[hold].attempt + 1};
    if (status.attempt > replay_attempts_max) {
        return error_make(ERROR_INTERNAL, "order %s: %d holds have run out one after the other",
                          order_name(replay, hold), replay_attempts_max);
    }
    replay_set_hold(replay, (uint32_t)hold, status);
    return error_none();
}

static struct error take_refusal(struct replay *replay, size_t hold, const char *method,
                                 const struct rpc_status *status)
{
    if (answer_has_reason(status, "RESERVATION_EXPIRED"))
        return reserve_anew(replay, hold);
    if (answer_has_reason(status, "RESERVATION_NOT_FOUND")) {
        go_on_as_unknown(replay, hold);
        return error_none();
    }
    return error_prefix(answer_error(status), "order %s: %s", order_name(replay, hold), method);
}

/* Whether it is the reservation that was asked for, whole. */
static bool is_the_orders(const struct replay *replay, size_t hold,
                          const Waybill__Inventory__V1__Reservation *reservation)
{
    const struct data_set_order *of = replay_plan_order(replay->plan, (uint32_t)hold);
    struct replay_id id =
        replay_plan_reservation_id(replay->plan, (uint32_t)hold, replay->holds[hold].attempt);
    int64_t packs = 0;
    if (reservation == NULL || strcmp(reservation->reservation_id, id.string) != 0)
        return false;
    for (size_t i = 0; i < reservation->n_lines; i++)
        packs += reservation->lines[i]->quantity;
    return reservation->n_lines == of->sku_count && packs == of->packs;
}

static enum hold_state state_of(const Waybill__Inventory__V1__Reservation *reservation)
{
    static const enum hold_state states[] = {
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_PENDING] = HOLD_PENDING,
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_COMMITTED] = HOLD_COMMITTED,
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_ROLLED_BACK] =
            HOLD_ROLLED_BACK,
        [WAYBILL__INVENTORY__V1__RESERVATION_STATE__RESERVATION_STATE_EXPIRED] = HOLD_EXPIRED,
    };
    unsigned state = (unsigned)reservation->state;
    return state == 0 || state >= sizeof states / sizeof states[0] ? HOLD_UNKNOWN : states[state];
}

static struct error take_reservation(struct replay *replay, size_t hold, const char *method,
                                     const Waybill__Inventory__V1__Reservation *reservation)
{
    if (!is_the_orders(replay, hold, reservation) || state_of(reservation) == HOLD_UNKNOWN) {
        return error_make(ERROR_PROTOCOL, "order %s: %s answered with another reservation",
                          order_name(replay, hold), method);
    }
    struct hold_status status = {state_of(reservation), replay->holds[hold].attempt};
    if (status.state == HOLD_EXPIRED && outcome_of(replay, hold) != HOLD_LAPSED)
        return reserve_anew(replay, hold);
    replay_set_hold(replay, (uint32_t)hold, status);
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

static bool reserve_is_due(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->holds[hold].state == HOLD_NONE && outcome_of(replay, hold) == HOLD_PAID;
}

static bool extra_is_due(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->holds[hold].state == HOLD_NONE && outcome_of(replay, hold) != HOLD_PAID;
}

/* All lines as they stand in the file; the service sums them. False without memory. */
static bool fill_lines(const struct replay *replay, size_t hold, struct arena *arena,
                       Waybill__Inventory__V1__ReserveRequest *request)
{
    const struct data_set_order *of = replay_plan_order(replay->plan, (uint32_t)hold);
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

static bool reserve_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Inventory__V1__ReserveRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__reserve_request__init(request);
    request->reservation_id = reservation_id(replay, hold, arena);
    request->order_id = (char *)replay_plan_order(replay->plan, (uint32_t)hold)->order_id.data;
    call->path = "/waybill.inventory.v1.InventoryService/Reserve";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__reserve_response__descriptor;
    return request->reservation_id != NULL && fill_lines(replay, hold, arena, request) &&
           order_message_ttl(replay, (uint32_t)hold, arena, &request->ttl);
}

static struct error reserve_answered(void *context, size_t hold,
                                     const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    int64_t lapsed_us = clock_monotonic_us(replay->options.clock) + replay_lapse_ttl_us;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(replay, hold, "Reserve", &result->status);
    replay->look_up_us[hold] = lapsed_us;
    replay->lapse_give_up_us = lapsed_us + replay_lapse_grace_us;
    const Waybill__Inventory__V1__ReserveResponse *response =
        (const Waybill__Inventory__V1__ReserveResponse *)result->response;
    return take_reservation(replay, hold, "Reserve", response->reservation);
}

/* --- pay --- */

static bool pay_is_due(void *context, size_t hold)
{
    return is_held_for(context, hold, HOLD_PAID);
}

static bool pay_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__CommitRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__commit_request__init(request);
    request->reservation_id = reservation_id(context, hold, arena);
    call->path = "/waybill.inventory.v1.InventoryService/Commit";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__commit_response__descriptor;
    return request->reservation_id != NULL;
}

static struct error pay_answered(void *context, size_t hold, const struct rpc_client_result *result,
                                 bool *again)
{
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(context, hold, "Commit", &result->status);
    const Waybill__Inventory__V1__CommitResponse *response =
        (const Waybill__Inventory__V1__CommitResponse *)result->response;
    return take_reservation(context, hold, "Commit", response->reservation);
}

/* --- cancel --- */

static bool cancel_is_due(void *context, size_t hold)
{
    return is_held_for(context, hold, HOLD_CANCELLED);
}

static bool cancel_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__RollbackRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__rollback_request__init(request);
    request->reservation_id = reservation_id(context, hold, arena);
    call->path = "/waybill.inventory.v1.InventoryService/Rollback";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__rollback_response__descriptor;
    return request->reservation_id != NULL;
}

static struct error cancel_answered(void *context, size_t hold,
                                    const struct rpc_client_result *result, bool *again)
{
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(context, hold, "Rollback", &result->status);
    const Waybill__Inventory__V1__RollbackResponse *response =
        (const Waybill__Inventory__V1__RollbackResponse *)result->response;
    return take_reservation(context, hold, "Rollback", response->reservation);
}

/* --- lapse --- */

static bool lapse_is_due(void *context, size_t hold)
{
    return is_held_for(context, hold, HOLD_LAPSED);
}

static int64_t lapse_wait_us(void *context, size_t hold)
{
    const struct replay *replay = context;
    return replay->look_up_us[hold] - clock_monotonic_us(replay->options.clock);
}

static bool lapse_prepare(void *context, size_t hold, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__GetReservationRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__get_reservation_request__init(request);
    request->reservation_id = reservation_id(context, hold, arena);
    call->path = "/waybill.inventory.v1.InventoryService/GetReservation";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__get_reservation_response__descriptor;
    return request->reservation_id != NULL;
}

/* The server's clock says when it is over, so a hold may still be found pending for a moment. */
static struct error lapse_answered(void *context, size_t hold,
                                   const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    int64_t now_us = clock_monotonic_us(replay->options.clock);
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return take_refusal(replay, hold, "GetReservation", &result->status);
    const Waybill__Inventory__V1__GetReservationResponse *response =
        (const Waybill__Inventory__V1__GetReservationResponse *)result->response;
    struct error error = take_reservation(replay, hold, "GetReservation", response->reservation);
    if (error_is(error) || replay->holds[hold].state != HOLD_PENDING)
        return error;
    if (now_us > replay->lapse_give_up_us) {
        return error_make(ERROR_INTERNAL, "order %s: its hold of %lld s is still pending",
                          order_name(replay, hold), (long long)(replay_lapse_ttl_us / 1000000));
    }
    *again = true;
    replay->look_up_us[hold] = now_us + look_up_pause_us;
    return error_none();
}

const struct replay_stage receive_stage = {
    .name = "receive",
    .title = "Receiving stock",
    .work = {.item_count = product_count,
             .is_due = receive_is_due,
             .prepare = receive_prepare,
             .answered = receive_answered},
};

const struct replay_stage hold_stages[] = {
    {
        .name = "hold",
        .title = "Holding for a while",
        .work = {.item_count = hold_count,
                 .is_due = extra_is_due,
                 .prepare = reserve_prepare,
                 .answered = reserve_answered},
    },
    {
        .name = "cancel",
        .title = "Cancelling",
        .work = {.item_count = hold_count,
                 .is_due = cancel_is_due,
                 .prepare = cancel_prepare,
                 .answered = cancel_answered},
    },
    {
        .name = "lapse",
        .title = "Letting holds lapse",
        .work = {.item_count = hold_count,
                 .is_due = lapse_is_due,
                 .wait_us = lapse_wait_us,
                 .prepare = lapse_prepare,
                 .answered = lapse_answered},
    },
    {
        .name = "reserve",
        .title = "Reserving",
        .work = {.item_count = hold_count,
                 .is_due = reserve_is_due,
                 .prepare = reserve_prepare,
                 .answered = reserve_answered},
    },
    {
        .name = "pay",
        .title = "Paying",
        .work = {.item_count = hold_count,
                 .is_due = pay_is_due,
                 .prepare = pay_prepare,
                 .answered = pay_answered},
    },
};
const size_t hold_stage_count = sizeof hold_stages / sizeof hold_stages[0];
