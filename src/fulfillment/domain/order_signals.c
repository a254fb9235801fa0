/*
 * What others' events do to the record, and what the world is told of it. A signal changes nothing
 * but facts; what follows from them is the process's business.
 */
#include "fulfillment/domain/order_process.h"
#include "fulfillment/domain/order_results.h"

/* --- signals --- */

static void note_shipped(struct order *order, const struct order_signal *signal)
{
    for (size_t i = 0; i < order->part_count; i++) {
        struct order_part *part = &order->parts[i];
        if (!text_equal(part->warehouse_id, signal->warehouse_id) || part->is_shipped)
            continue;
        part->is_shipped = true;
        order_take_shipped_lines(part, signal->lines, signal->line_count);
    }
}

static void note_parcel(struct order *order, const struct order_signal *signal)
{
    for (size_t i = 0; i < order->part_count; i++) {
        struct order_part *part = &order->parts[i];
        for (size_t k = 0; k < part->parcel_count; k++) {
            struct order_parcel *parcel = &part->parcels[k];
            if (!text_equal(part->carrier, signal->carrier) ||
                !text_equal(parcel->tracking_number, signal->tracking_number))
                continue;
            parcel->status = signal->kind == SIGNAL_PARCEL_DELIVERED  ? PARCEL_DELIVERED
                             : signal->kind == SIGNAL_PARCEL_RETURNED ? PARCEL_RETURNED
                                                                      : PARCEL_ON_ITS_WAY;
            parcel->delivered_time_us =
                signal->kind == SIGNAL_PARCEL_DELIVERED ? signal->time_us : 0;
        }
    }
}

/* Whether a person who is asked at this step decides at shipping. */
static bool waits_for_shipment(enum order_step step)
{
    return step == STEP_LABEL || step == STEP_ABANDON || step == STEP_VOID;
}

void order_take_signal(struct order *order, const struct order_signal *signal, struct arena *arena)
{
    switch (signal->kind) {
    case SIGNAL_PART_SHIPPED:
        if (text_equal(signal->allocation_id, order_allocation_id(arena, order)))
            note_shipped(order, signal);
        break;
    case SIGNAL_SHIPMENT_CHANGED:
        if (waits_for_shipment(order->step)) {
            order_leave_attention(order);
            order->tries = 0;
        }
        break;
    case SIGNAL_PARCEL_ON_ITS_WAY:
    case SIGNAL_PARCEL_DELIVERED:
    case SIGNAL_PARCEL_RETURNED:
        note_parcel(order, signal);
        break;
    }
    if (order->pivot_is_passed && order->goal == GOAL_NONE && order->state != ORDER_CANCELLED) {
        order->goal = GOAL_CONFIRM;
        order->step = STEP_RETURN_SHORT;
        order->tries = 0;
    }
}

/* --- events --- */

static const char *const event_names[] = {
    [EVENT_ORDER_PROMISED] = "OrderPromised", [EVENT_ORDER_CONFIRMED] = "OrderConfirmed",
    [EVENT_ORDER_SHIPPED] = "OrderShipped",   [EVENT_ORDER_DELIVERED] = "OrderDelivered",
    [EVENT_ORDER_RETURNED] = "OrderReturned", [EVENT_ORDER_CANCELLED] = "OrderCancelled",
    [EVENT_ORDER_EXPIRED] = "OrderExpired",   [EVENT_ORDER_NEEDS_ATTENTION] = "OrderNeedsAttention",
};

const char *order_event_name(enum order_event_type type)
{
    return event_names[type];
}

/* Which milestones a state has behind it. */
static uint32_t milestones_of(enum order_state state)
{
    switch (state) {
    case ORDER_CONFIRMED:
        return MILESTONE_CONFIRMED;
    case ORDER_SHIPPED:
    case ORDER_RETURNED:
        return MILESTONE_CONFIRMED | MILESTONE_SHIPPED;
    case ORDER_DELIVERED:
        return MILESTONE_CONFIRMED | MILESTONE_SHIPPED | MILESTONE_DELIVERED;
    case ORDER_PROMISED:
    case ORDER_CONFIRMING:
    case ORDER_EXPIRED:
    case ORDER_CANCELLED:
    case ORDER_NEEDS_ATTENTION:
    case ORDER_PROMISING:
    case ORDER_REFUSED:
        break;
    }
    return 0;
}

size_t order_events(enum order_state before, struct order *order,
                    enum order_event_type events[order_events_max])
{
    static const struct {
        enum order_state state;
        enum order_event_type event;
    } entered[] = {
        {ORDER_PROMISED, EVENT_ORDER_PROMISED},
        {ORDER_RETURNED, EVENT_ORDER_RETURNED},
        {ORDER_CANCELLED, EVENT_ORDER_CANCELLED},
        {ORDER_EXPIRED, EVENT_ORDER_EXPIRED},
        {ORDER_NEEDS_ATTENTION, EVENT_ORDER_NEEDS_ATTENTION},
    };
    static const struct {
        uint32_t milestone;
        enum order_event_type event;
    } passed[] = {
        {MILESTONE_CONFIRMED, EVENT_ORDER_CONFIRMED},
        {MILESTONE_SHIPPED, EVENT_ORDER_SHIPPED},
        {MILESTONE_DELIVERED, EVENT_ORDER_DELIVERED},
    };
    size_t count = 0;
    uint32_t untold = milestones_of(order->state) & ~order->milestones;
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        if ((untold & passed[i].milestone) != 0)
            events[count++] = passed[i].event;
    }
    order->milestones |= untold;
    for (size_t i = 0; i < sizeof entered / sizeof entered[0]; i++) {
        if (order->state == entered[i].state && before != order->state)
            events[count++] = entered[i].event;
    }
    return count;
}
