/* Each request is what its name says; without memory they abort. */
#include "tests/support/fulfillment/order_requests.h"

#include "platform/base/check.h"
#include "platform/rpc/message_fields.h"

static void *take(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = message_create(arena, descriptor);
    CHECK(message != NULL);
    return message;
}

static void put(struct arena *arena, char **field, const char *words)
{
    CHECK(message_put_text(arena, field, text_of(words)));
}

static Waybill__Fulfillment__V1__OrderLine *line(struct arena *arena, const char *sku,
                                                 int64_t quantity)
{
    Waybill__Fulfillment__V1__OrderLine *made =
        take(arena, &waybill__fulfillment__v1__order_line__descriptor);
    put(arena, &made->sku, sku);
    made->quantity = quantity;
    CHECK(message_put_money(arena, &made->unit_value, "USD", 1000));
    return made;
}

static Waybill__Common__V1__Address *destination(struct arena *arena)
{
    Waybill__Common__V1__Address *made = take(arena, &waybill__common__v1__address__descriptor);
    const struct text lines[] = {text_of("Street 1")};
    put(arena, &made->name, "Ann");
    put(arena, &made->city, "Paris");
    put(arena, &made->country_code, "FR");
    CHECK(message_put_texts(arena, &made->lines, &made->n_lines, lines, 1));
    CHECK(message_put_point(arena, &made->point, 5, 7));
    return made;
}

Waybill__Fulfillment__V1__PromiseOrderRequest *order_request_promise(struct arena *arena,
                                                                     const char *order_id,
                                                                     const char *customer_id)
{
    Waybill__Fulfillment__V1__PromiseOrderRequest *made =
        take(arena, &waybill__fulfillment__v1__promise_order_request__descriptor);
    const struct text carriers[] = {text_of("c2"), text_of("c1")};
    put(arena, &made->order_id, order_id);
    put(arena, &made->customer_id, customer_id);
    put(arena, &made->currency_code, "USD");
    made->destination = destination(arena);
    made->n_lines = 2;
    made->lines = arena_allocate_zero(arena, 2, sizeof *made->lines);
    CHECK(made->lines != NULL);
    made->lines[0] = line(arena, "A", 2);
    made->lines[1] = line(arena, "B", 1);
    CHECK(message_put_texts(arena, &made->carriers, &made->n_carriers, carriers, 2));
    return made;
}

ProtobufCMessage *order_request_confirm(struct arena *arena, const char *order_id)
{
    Waybill__Fulfillment__V1__ConfirmOrderRequest *request =
        take(arena, &waybill__fulfillment__v1__confirm_order_request__descriptor);
    put(arena, &request->order_id, order_id);
    return &request->base;
}

ProtobufCMessage *order_request_cancel(struct arena *arena, const char *order_id)
{
    Waybill__Fulfillment__V1__CancelOrderRequest *request =
        take(arena, &waybill__fulfillment__v1__cancel_order_request__descriptor);
    put(arena, &request->order_id, order_id);
    put(arena, &request->reason, "changed her mind");
    return &request->base;
}

ProtobufCMessage *order_request_get(struct arena *arena, const char *order_id)
{
    Waybill__Fulfillment__V1__GetOrderRequest *request =
        take(arena, &waybill__fulfillment__v1__get_order_request__descriptor);
    put(arena, &request->order_id, order_id);
    return &request->base;
}

ProtobufCMessage *order_request_watch(struct arena *arena, const char *order_id, const char *cursor)
{
    Waybill__Fulfillment__V1__WatchOrderRequest *request =
        take(arena, &waybill__fulfillment__v1__watch_order_request__descriptor);
    put(arena, &request->order_id, order_id);
    put(arena, &request->cursor, cursor);
    return &request->base;
}
