/* One table of descriptors; the names are theirs. */
#include "main/event_types.h"

#include "waybill/fulfillment/v1/fulfillment_events.pb-c.h"
#include "waybill/inventory/v1/inventory_events.pb-c.h"
#include "waybill/shipping/v1/shipping_events.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"
#include "waybill/warehouse/v1/warehouse_events.pb-c.h"

#include <pthread.h>

const ProtobufCMessageDescriptor *const event_messages[] = {
    &waybill__inventory__v1__stock_received__descriptor,
    &waybill__inventory__v1__stock_adjusted__descriptor,
    &waybill__inventory__v1__stock_alert__descriptor,
    &waybill__inventory__v1__stock_shortage__descriptor,
    &waybill__inventory__v1__stock_reserved__descriptor,
    &waybill__inventory__v1__stock_committed__descriptor,
    &waybill__inventory__v1__reservation_rolled_back__descriptor,
    &waybill__inventory__v1__reservation_expired__descriptor,
    &waybill__inventory__v1__reservation_extended__descriptor,
    &waybill__inventory__v1__stock_returned__descriptor,
    &waybill__warehouse__v1__movement_recorded__descriptor,
    &waybill__warehouse__v1__stock_allocated__descriptor,
    &waybill__warehouse__v1__allocation_released__descriptor,
    &waybill__warehouse__v1__allocation_shipped__descriptor,
    &waybill__warehouse__v1__stock_transferred__descriptor,
    &waybill__warehouse__v1__transfer_received__descriptor,
    &waybill__warehouse__v1__transfer_cancelled__descriptor,
    &waybill__shipping__v1__shipment_created__descriptor,
    &waybill__shipping__v1__shipment_cancelled__descriptor,
    &waybill__shipping__v1__shipment_failed__descriptor,
    &waybill__shipping__v1__carrier_event_received__descriptor,
    &waybill__tracking__v1__tracking_updated__descriptor,
    &waybill__tracking__v1__shipment_delivered__descriptor,
    &waybill__tracking__v1__tracking_silent__descriptor,
    &waybill__fulfillment__v1__order_promised__descriptor,
    &waybill__fulfillment__v1__order_confirmed__descriptor,
    &waybill__fulfillment__v1__order_shipped__descriptor,
    &waybill__fulfillment__v1__order_delivered__descriptor,
    &waybill__fulfillment__v1__order_returned__descriptor,
    &waybill__fulfillment__v1__order_cancelled__descriptor,
    &waybill__fulfillment__v1__order_expired__descriptor,
    &waybill__fulfillment__v1__order_needs_attention__descriptor,
};
enum { count = sizeof event_messages / sizeof event_messages[0] };
const size_t event_message_count = count;

static const char *names[count];
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static void fill_names(void)
{
    for (size_t i = 0; i < count; i++)
        names[i] = event_messages[i]->name;
}

struct event_types event_types_known(void)
{
    pthread_once(&names_once, fill_names);
    return (struct event_types){.names = names, .count = count};
}

struct event_types event_types_of(const char *source)
{
    struct event_types all = event_types_known();
    struct event_types found = {0};
    for (size_t i = 0; i < all.count; i++) {
        if (!text_equals_string(event_type_source(text_of(all.names[i])), source))
            continue;
        if (found.count == 0)
            found.names = &all.names[i];
        found.count++;
    }
    return found;
}
