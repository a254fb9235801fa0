/* Names. */
#include "warehouse/domain/warehouse_event.h"

const char *warehouse_event_name(enum warehouse_event_type type)
{
    switch (type) {
    case EVENT_MOVEMENT_RECORDED:
        return "MovementRecorded";
    case EVENT_STOCK_ALLOCATED:
        return "StockAllocated";
    case EVENT_ALLOCATION_RELEASED:
        return "AllocationReleased";
    case EVENT_ALLOCATION_SHIPPED:
        return "AllocationShipped";
    case EVENT_STOCK_TRANSFERRED:
        return "StockTransferred";
    case EVENT_TRANSFER_RECEIVED:
        return "TransferReceived";
    case EVENT_TRANSFER_CANCELLED:
        return "TransferCancelled";
    }
    return "";
}
