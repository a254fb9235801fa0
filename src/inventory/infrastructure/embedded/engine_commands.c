/*
 * Which function decides which command, and what all of them need.
 */
#include "inventory/infrastructure/embedded/engine_commands.h"

void engine_refuse(struct inventory_command *command, enum inventory_outcome outcome)
{
    command->outcome = outcome;
}

void engine_refuse_sku(struct inventory_command *command, enum inventory_outcome outcome,
                       struct text sku)
{
    command->outcome = outcome;
    command->failed_sku = sku;
}

bool engine_out_of_memory(struct inventory_command *command)
{
    engine_fail(command, error_make(ERROR_OUT_OF_MEMORY, "inventory engine"));
    return false;
}

bool engine_reserve_id(struct engine *engine, struct inventory_command *command)
{
    if (engine_state_id_count(&engine->state) >= engine->options.ids_max) {
        engine_fail(command, error_make(ERROR_RETENTION_FULL,
                                        "%llu ids are kept for their retention; none is forgotten "
                                        "early: try later or raise inventory ids_max",
                                        (unsigned long long)engine->options.ids_max));
        return false;
    }
    return engine_state_reserve_id(&engine->state) || engine_out_of_memory(command);
}

static void verify_ledger(struct engine *engine, struct verify_ledger_command *command)
{
    command->base.task.next = engine->verifications;
    engine->verifications = &command->base.task;
}

void engine_execute(struct engine *engine, struct inventory_command *command)
{
    switch ((enum inventory_command_kind)command->kind) {
    case COMMAND_RECEIVE_STOCK:
        engine_receive_stock(engine, (struct receive_stock_command *)command);
        return;
    case COMMAND_ADJUST_STOCK:
        engine_adjust_stock(engine, (struct adjust_stock_command *)command);
        return;
    case COMMAND_GET_STOCK:
        engine_get_stock(engine, (struct get_stock_command *)command);
        return;
    case COMMAND_SET_STOCK_POLICY:
        engine_set_stock_policy(engine, (struct set_stock_policy_command *)command);
        return;
    case COMMAND_BATCH_GET_STOCK:
        engine_batch_get_stock(engine, (struct batch_get_stock_command *)command);
        return;
    case COMMAND_LIST_STOCK:
        engine_list_stock(engine, (struct list_stock_command *)command);
        return;
    case COMMAND_RESERVE:
        engine_reserve(engine, (struct reserve_command *)command);
        return;
    case COMMAND_COMMIT:
        engine_commit(engine, (struct commit_command *)command);
        return;
    case COMMAND_ROLLBACK:
        engine_rollback(engine, (struct rollback_command *)command);
        return;
    case COMMAND_EXTEND_RESERVATION:
        engine_extend_reservation(engine, (struct extend_reservation_command *)command);
        return;
    case COMMAND_RETURN_STOCK:
        engine_return_stock(engine, (struct return_stock_command *)command);
        return;
    case COMMAND_LIST_RESERVATIONS:
        engine_list_reservations(engine, (struct list_reservations_command *)command);
        return;
    case COMMAND_GET_RESERVATION:
        engine_get_reservation(engine, (struct get_reservation_command *)command);
        return;
    case COMMAND_LIST_STOCK_ENTRIES:
        engine_list_stock_entries(engine, (struct list_stock_entries_command *)command);
        return;
    case COMMAND_FOLLOW_SHELF:
        engine_follow_shelf(engine, (struct follow_shelf_command *)command);
        return;
    case COMMAND_GET_SHELF_PLACE:
        engine_get_shelf_place(engine, (struct get_shelf_place_command *)command);
        return;
    case COMMAND_VERIFY_LEDGER:
        verify_ledger(engine, (struct verify_ledger_command *)command);
        return;
    }
}
