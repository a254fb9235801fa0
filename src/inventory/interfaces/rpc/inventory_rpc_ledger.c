/* The methods about the ledger. */
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"
#include "platform/base/hexadecimal.h"
#include "platform/base/page_token.h"

static const char list_stock_entries_name[] = "inventory.ListStockEntries";

/* --- ListStockEntries --- */

struct list_stock_entries_call {
    struct list_stock_entries_command command;
    struct rpc_call *call;
};

static bool fill_entries(struct arena *arena, const struct list_stock_entries_command *command,
                         Waybill__Inventory__V1__ListStockEntriesResponse *response)
{
    response->entries = arena_allocate(arena, command->entry_count * sizeof *response->entries);
    if (response->entries == NULL)
        return false;
    for (size_t i = 0; i < command->entry_count; i++) {
        response->entries[i] = stock_entry_message(arena, &command->entries[i]);
        if (response->entries[i] == NULL)
            return false;
    }
    response->n_entries = command->entry_count;
    if (command->next == 0)
        return true;
    response->next_page_token =
        (char *)page_token_make(arena, list_stock_entries_name, command->sku, command->next).data;
    return response->next_page_token != NULL;
}

static void list_stock_entries_done(void *context, const struct error *error)
{
    struct list_stock_entries_call *state = context;
    Waybill__Inventory__V1__ListStockEntriesResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__list_stock_entries_response__init(&response);
    bool filled = fill_entries(rpc_call_arena(state->call), &state->command, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

void inventory_rpc_list_stock_entries(void *context, struct rpc_call *call,
                                      const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__ListStockEntriesRequest *request = (const void *)message;
    struct violations violations;
    struct list_stock_entries_call *state = inventory_rpc_command(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.sku = text_of(request->sku);
    if (!page_token_read(text_of(request->page_token), list_stock_entries_name, state->command.sku,
                         &state->command.after)) {
        state->command.base.outcome = INVENTORY_PAGE_TOKEN_INVALID;
        inventory_rpc_failed(call, &state->command.base, NULL);
        return;
    }
    if (!inventory_service_list_stock_entries(context, &state->command, request->page_size,
                                              &violations, list_stock_entries_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- VerifyLedger --- */

struct verify_ledger_call {
    struct verify_ledger_command command;
    struct rpc_call *call;
};

static char *hexadecimal(struct arena *arena, const uint8_t bytes[32])
{
    char *digits = arena_allocate(arena, 65);
    if (digits != NULL)
        hexadecimal_write(bytes, 32, digits);
    return digits;
}

static bool fill_verification(struct arena *arena, const struct verify_ledger_command *command,
                              Waybill__Inventory__V1__VerifyLedgerResponse *response)
{
    response->entries = (int64_t)command->entries;
    response->skus = (int64_t)command->skus;
    response->reservations = (int64_t)command->reservations;
    response->chain_head = hexadecimal(arena, command->chain_head);
    response->mismatches =
        arena_allocate(arena, command->mismatch_count * sizeof *response->mismatches);
    if (response->chain_head == NULL || response->mismatches == NULL)
        return false;
    for (size_t i = 0; i < command->mismatch_count; i++) {
        response->mismatches[i] = ledger_mismatch_message(arena, &command->mismatches[i]);
        if (response->mismatches[i] == NULL)
            return false;
    }
    response->n_mismatches = command->mismatch_count;
    return true;
}

static void verify_ledger_done(void *context, const struct error *error)
{
    struct verify_ledger_call *state = context;
    Waybill__Inventory__V1__VerifyLedgerResponse response;
    if (inventory_rpc_failed(state->call, &state->command.base, error))
        return;
    waybill__inventory__v1__verify_ledger_response__init(&response);
    bool filled = fill_verification(rpc_call_arena(state->call), &state->command, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

void inventory_rpc_verify_ledger(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    struct verify_ledger_call *state = inventory_rpc_command(call, sizeof *state);
    (void)message;
    if (state == NULL)
        return;
    state->call = call;
    inventory_service_verify_ledger(context, &state->command, verify_ledger_done, state);
}
