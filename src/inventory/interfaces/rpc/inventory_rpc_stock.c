/* The methods about stock. */
#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"
#include "platform/base/page_token.h"

static const char on_hand_rule[] = "on hand may not exceed 1000000000000000";

/* --- ReceiveStock --- */

struct receive_stock_call {
    struct receive_stock_command command;
    struct rpc_call *call;
};

static void receive_stock_done(void *context, const struct error *error)
{
    struct receive_stock_call *state = context;
    struct receive_stock_command *command = &state->command;
    Waybill__Inventory__V1__ReceiveStockResponse response;
    if (error == NULL && command->base.outcome == INVENTORY_ON_HAND_LIMIT) {
        inventory_rpc_fail_with_violation(state->call, "quantity", on_hand_rule);
        return;
    }
    if (inventory_rpc_failed(state->call, &command->base, error))
        return;
    waybill__inventory__v1__receive_stock_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    rpc_call_end_with_answer(state->call, &response.base, response.stock != NULL);
}

void inventory_rpc_receive_stock(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ReceiveStockRequest *request = (const void *)message;
    struct violations violations;
    struct receive_stock_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.receipt_id = text_of(request->receipt_id);
    state->command.sku = text_of(request->sku);
    state->command.quantity = request->quantity;
    if (!inventory_service_receive_stock(context, &state->command, &violations, receive_stock_done,
                                         state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- AdjustStock --- */

struct adjust_stock_call {
    struct adjust_stock_command command;
    struct rpc_call *call;
};

static void adjust_stock_done(void *context, const struct error *error)
{
    struct adjust_stock_call *state = context;
    struct adjust_stock_command *command = &state->command;
    Waybill__Inventory__V1__AdjustStockResponse response;
    if (error == NULL && command->base.outcome == INVENTORY_ON_HAND_LIMIT) {
        inventory_rpc_fail_with_violation(state->call, "delta", on_hand_rule);
        return;
    }
    if (error == NULL && command->base.outcome == INVENTORY_INSUFFICIENT_STOCK) {
        inventory_rpc_fail_with_shortages(state->call, &command->shortage, 1);
        return;
    }
    if (inventory_rpc_failed(state->call, &command->base, error))
        return;
    waybill__inventory__v1__adjust_stock_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    rpc_call_end_with_answer(state->call, &response.base, response.stock != NULL);
}

void inventory_rpc_adjust_stock(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__AdjustStockRequest *request = (const void *)message;
    struct violations violations;
    struct adjust_stock_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.adjustment_id = text_of(request->adjustment_id);
    state->command.sku = text_of(request->sku);
    state->command.delta = request->delta;
    state->command.reason = (enum adjustment_reason)request->reason;
    state->command.note = text_of(request->note);
    state->command.expected_revision = request->expected_revision;
    if (!inventory_service_adjust_stock(context, &state->command, &violations, adjust_stock_done,
                                        state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- GetStock --- */

struct get_stock_call {
    struct get_stock_command command;
    struct rpc_call *call;
};

static void get_stock_done(void *context, const struct error *error)
{
    struct get_stock_call *state = context;
    struct get_stock_command *command = &state->command;
    Waybill__Inventory__V1__GetStockResponse response;
    if (inventory_rpc_failed(state->call, &command->base, error))
        return;
    waybill__inventory__v1__get_stock_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    rpc_call_end_with_answer(state->call, &response.base, response.stock != NULL);
}

void inventory_rpc_get_stock(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__GetStockRequest *request = (const void *)message;
    struct violations violations;
    struct get_stock_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.sku = text_of(request->sku);
    if (!inventory_service_get_stock(context, &state->command, &violations, get_stock_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- SetStockPolicy --- */

struct set_stock_policy_call {
    struct set_stock_policy_command command;
    struct rpc_call *call;
};

static void set_stock_policy_done(void *context, const struct error *error)
{
    struct set_stock_policy_call *state = context;
    struct set_stock_policy_command *command = &state->command;
    Waybill__Inventory__V1__SetStockPolicyResponse response;
    if (inventory_rpc_failed(state->call, &command->base, error))
        return;
    waybill__inventory__v1__set_stock_policy_response__init(&response);
    response.stock = stock_message(rpc_call_arena(state->call), command->sku, &command->stock);
    rpc_call_end_with_answer(state->call, &response.base, response.stock != NULL);
}

void inventory_rpc_set_stock_policy(void *context, struct rpc_call *call,
                                    const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__SetStockPolicyRequest *request = (const void *)message;
    struct violations violations;
    struct set_stock_policy_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.sku = text_of(request->sku);
    state->command.policy = (struct stock_policy){
        .low_stock_threshold = request->low_stock_threshold,
        .safety_stock = request->safety_stock,
        .backorder_limit = request->backorder_limit,
        .reservation_quantity_max = request->reservation_quantity_max,
    };
    state->command.expected_revision = request->expected_revision;
    if (!inventory_service_set_stock_policy(context, &state->command, &violations,
                                            set_stock_policy_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- BatchGetStock --- */

struct batch_get_stock_call {
    struct batch_get_stock_command command;
    struct rpc_call *call;
};

static bool fill_batch(struct arena *arena, const struct batch_get_stock_command *command,
                       Waybill__Inventory__V1__BatchGetStockResponse *response)
{
    response->stocks = stock_messages(arena, command->stocks, command->stock_count);
    response->missing = arena_allocate(arena, command->missing_count * sizeof *response->missing);
    if (response->stocks == NULL || response->missing == NULL)
        return false;
    response->n_stocks = command->stock_count;
    response->n_missing = command->missing_count;
    for (size_t i = 0; i < command->missing_count; i++) {
        response->missing[i] = arena_copy_string(arena, command->missing[i]);
        if (response->missing[i] == NULL)
            return false;
    }
    return true;
}

static void batch_get_stock_done(void *context, const struct error *error)
{
    struct batch_get_stock_call *state = context;
    Waybill__Inventory__V1__BatchGetStockResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__batch_get_stock_response__init(&response);
    bool filled = fill_batch(rpc_call_arena(state->call), &state->command, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

void inventory_rpc_batch_get_stock(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__BatchGetStockRequest *request = (const void *)message;
    struct violations violations;
    struct batch_get_stock_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    struct text *skus = arena_allocate(rpc_call_arena(call), request->n_skus * sizeof *skus);
    if (skus == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    for (size_t i = 0; i < request->n_skus; i++)
        skus[i] = text_of(request->skus[i]);
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    if (!inventory_service_batch_get_stock(context, &state->command, skus, request->n_skus,
                                           &violations, batch_get_stock_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- ListStock --- */

static const char list_stock_name[] = "inventory.ListStock";

struct list_stock_call {
    struct list_stock_command command;
    struct rpc_call *call;
    struct text filter; /* the page token is bound to it */
};

static bool fill_list(struct arena *arena, const struct list_stock_call *state,
                      Waybill__Inventory__V1__ListStockResponse *response)
{
    const struct list_stock_command *command = &state->command;
    response->stocks = stock_messages(arena, command->stocks, command->stock_count);
    if (response->stocks == NULL)
        return false;
    response->n_stocks = command->stock_count;
    if (command->next.size == 0)
        return true;
    response->next_page_token =
        (char *)page_token_make_key(arena, list_stock_name, state->filter, command->next).data;
    return response->next_page_token != NULL;
}

static void list_stock_done(void *context, const struct error *error)
{
    struct list_stock_call *state = context;
    Waybill__Inventory__V1__ListStockResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__list_stock_response__init(&response);
    bool filled = fill_list(rpc_call_arena(state->call), state, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

/* An unknown value becomes one that the use case refuses. */
static enum stock_state stock_state_of(Waybill__Inventory__V1__StockState value)
{
    switch (value) {
    case WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_IN_STOCK:
        return STOCK_STATE_IN_STOCK;
    case WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_LOW_STOCK:
        return STOCK_STATE_LOW_STOCK;
    case WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_OUT_OF_STOCK:
        return STOCK_STATE_OUT_OF_STOCK;
    case WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_UNSPECIFIED:
    case _WAYBILL__INVENTORY__V1__STOCK_STATE_IS_INT_SIZE:
        break;
    }
    return (enum stock_state)(STOCK_STATE_OUT_OF_STOCK + 1);
}

void inventory_rpc_list_stock(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ListStockRequest *request = (const void *)message;
    struct arena *arena = rpc_call_arena(call);
    struct violations violations;
    struct list_stock_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, arena);
    state->call = call;
    state->command.has_state =
        request->state != WAYBILL__INVENTORY__V1__STOCK_STATE__STOCK_STATE_UNSPECIFIED;
    if (state->command.has_state)
        state->command.state = stock_state_of(request->state);
    state->filter = text_of(arena_format(arena, "state=%d", (int)request->state));
    if (state->filter.data == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    if (!page_token_read_key(arena, text_of(request->page_token), list_stock_name, state->filter,
                             &state->command.after)) {
        state->command.base.outcome = INVENTORY_PAGE_TOKEN_INVALID;
        inventory_rpc_failed(call, &state->command.base, NULL);
        return;
    }
    if (!inventory_service_list_stock(context, &state->command, request->page_size, &violations,
                                      list_stock_done, state))
        rpc_call_end_with_violations(call, &violations);
}
