/* One table: what each command is checked by. */
#include "warehouse/application/warehouse_service.h"

#include "warehouse/application/field_checks.h"

static command_check *const checks[warehouse_command_count] = {
    [COMMAND_PUT_ITEM] = check_put_item,
    [COMMAND_GET_ITEM] = check_get_item,
    [COMMAND_LIST_ITEMS] = check_list_items,
    [COMMAND_CREATE_WAREHOUSE] = check_create_warehouse,
    [COMMAND_UPDATE_WAREHOUSE] = check_update_warehouse,
    [COMMAND_GET_WAREHOUSE] = check_get_warehouse,
    [COMMAND_LIST_WAREHOUSES] = check_list_warehouses,
    [COMMAND_SET_COST_CARD] = check_set_cost_card,
    [COMMAND_LIST_COST_CARDS] = check_list_cost_cards,
    [COMMAND_CREATE_BIN] = check_create_bin,
    [COMMAND_LIST_BINS] = check_list_bins,
    [COMMAND_RECEIVE_STOCK] = check_receive_stock,
    [COMMAND_SHIP_STOCK] = check_ship_stock,
    [COMMAND_RETURN_STOCK] = check_receive_stock,
    [COMMAND_ADJUST_STOCK] = check_adjust_stock,
    [COMMAND_MOVE_STOCK] = check_move_stock,
    [COMMAND_CREATE_TRANSFER] = check_create_transfer,
    [COMMAND_RECEIVE_TRANSFER] = check_receive_transfer,
    [COMMAND_CANCEL_TRANSFER] = check_transfer_id,
    [COMMAND_GET_TRANSFER] = check_transfer_id,
    [COMMAND_LIST_TRANSFERS] = check_list_transfers,
    [COMMAND_START_COUNT] = check_start_count,
    [COMMAND_RECORD_COUNT] = check_record_count,
    [COMMAND_APPROVE_COUNT] = check_count_id,
    [COMMAND_CANCEL_COUNT] = check_count_id,
    [COMMAND_GET_COUNT] = check_count_id,
    [COMMAND_LIST_COUNTS] = check_list_counts,
    [COMMAND_GET_WAREHOUSE_STOCK] = check_get_stock,
    [COMMAND_LIST_WAREHOUSE_STOCK] = check_list_stock,
    [COMMAND_PLAN_ALLOCATION] = check_plan_allocation,
    [COMMAND_ALLOCATE] = check_allocate,
    [COMMAND_CONFIRM_ALLOCATION] = check_allocation_id,
    [COMMAND_RELEASE_ALLOCATION] = check_allocation_id,
    [COMMAND_GET_ALLOCATION] = check_allocation_id,
    [COMMAND_LIST_ALLOCATIONS] = check_list_allocations,
    [COMMAND_SHIP_ALLOCATION] = check_ship_allocation,
    [COMMAND_LIST_MOVEMENTS] = check_list_movements,
    [COMMAND_VERIFY_MOVEMENTS] = check_verify_movements,
};

bool warehouse_service_submit(struct warehouse_service *service, struct warehouse_command *command,
                              warehouse_done *done)
{
    checks[command->kind](command);
    if (command->violations.count > 0)
        return false;
    warehouse_repository_execute(service->repository, command, done);
    return true;
}
