/*
 * The table of methods. One handler and one completion a method: a handler puts the command on the
 * call's arena, so that it lives until the store has answered, whatever becomes of the caller; the
 * completion turns outcome or error into the answer.
 */
#include "inventory/interfaces/rpc/inventory_rpc.h"

#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"
#include "inventory/interfaces/rpc/stock_watch.h"

struct rpc_service inventory_rpc_service(struct inventory_door *door)
{
    static const struct rpc_method methods[] = {
        {.name = "ReceiveStock", .unary = inventory_rpc_receive_stock},
        {.name = "AdjustStock", .unary = inventory_rpc_adjust_stock},
        {.name = "ReturnStock", .unary = inventory_rpc_return_stock},
        {.name = "SetStockPolicy", .unary = inventory_rpc_set_stock_policy},
        {.name = "GetStock", .unary = inventory_rpc_get_stock, .idempotent = true},
        {.name = "BatchGetStock", .unary = inventory_rpc_batch_get_stock, .idempotent = true},
        {.name = "ListStock", .unary = inventory_rpc_list_stock, .idempotent = true},
        {.name = "Reserve", .unary = inventory_rpc_reserve},
        {.name = "BatchReserve", .unary = inventory_rpc_batch_reserve},
        {.name = "ReserveStream", .kind = RPC_BIDI_STREAM, .stream = &inventory_rpc_reserve_stream},
        {.name = "WatchStock",
         .kind = RPC_SERVER_STREAM,
         .stream = &inventory_rpc_watch_stock_stream,
         .idempotent = true},
        {.name = "Commit", .unary = inventory_rpc_commit},
        {.name = "Rollback", .unary = inventory_rpc_rollback},
        {.name = "ExtendReservation", .unary = inventory_rpc_extend_reservation},
        {.name = "ListReservations", .unary = inventory_rpc_list_reservations, .idempotent = true},
        {.name = "GetReservation", .unary = inventory_rpc_get_reservation, .idempotent = true},
        {.name = "ListStockEntries", .unary = inventory_rpc_list_stock_entries, .idempotent = true},
        {.name = "VerifyLedger", .unary = inventory_rpc_verify_ledger, .idempotent = true},
    };
    static const struct rpc_field_limit field_limits[] = {
        {&waybill__inventory__v1__batch_get_stock_request__descriptor, "skus",
         inventory_batch_skus_max},
        {&waybill__inventory__v1__watch_stock_request__descriptor, "skus",
         inventory_batch_skus_max},
        {&waybill__inventory__v1__return_stock_request__descriptor, "lines", inventory_lines_max},
        {&waybill__inventory__v1__batch_reserve_request__descriptor, "requests",
         inventory_batch_reserves_max},
        {&waybill__inventory__v1__reserve_request__descriptor, "lines", inventory_lines_max},
        {&waybill__inventory__v1__commit_request__descriptor, "lines", inventory_lines_max},
    };
    return (struct rpc_service){
        .descriptor = &waybill__inventory__v1__inventory_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = door,
    };
}
