/* Requests and responses of what waits for a person: unread pushes, unwanted labels. */
#include "platform/base/page_token.h"
#include "platform/rpc/message_fields.h"
#include "shipping/interfaces/rpc/shipping_calls.h"

static const char unread_list[] = "shipping.ListUnreadPushes";
static const char unwanted_list[] = "shipping.ListUnwantedLabels";

/* The page of a list: what its token is bound to, how many, from where. */
static void read_page(struct rpc_reading *reading, const char *list, struct text filter,
                      int32_t page_size, const char *page_token, size_t *size, uint64_t *after)
{
    reading->filter = filter;
    *size = page_size < 0 ? SIZE_MAX : (size_t)page_size;
    reading->page_token_invalid =
        !page_token_read(text_of(page_token), list, reading->filter, after);
}

/* False without memory. */
static bool put_page_token(struct arena *arena, const char *list, struct text filter, uint64_t next,
                           char **out)
{
    *out = next == 0 ? arena_copy_string(arena, text_of(""))
                     : (char *)(uintptr_t)page_token_make(arena, list, filter, next).data;
    return *out != NULL;
}

/* --- pushes --- */

static void read_list_unread_pushes(struct rpc_reading *reading, void *base,
                                    const ProtobufCMessage *message)
{
    struct list_unread_pushes_call *call = base;
    const Waybill__Shipping__V1__ListUnreadPushesRequest *request = (const void *)message;
    call->carrier = text_of(request->carrier);
    read_page(reading, unread_list, call->carrier, request->page_size, request->page_token,
              &call->page_size, &call->after);
}

static Waybill__Shipping__V1__UnreadPush *push_message(struct arena *arena,
                                                       const struct shipping_unread_push *unread)
{
    Waybill__Shipping__V1__UnreadPush *message =
        message_create(arena, &waybill__shipping__v1__unread_push__descriptor);
    if (message == NULL || !message_put_text(arena, &message->carrier, unread->push.carrier) ||
        !message_put_text(arena, &message->reason, unread->why) ||
        !message_put_time(arena, &message->receive_time, unread->push.receive_time_us))
        return NULL;
    message->push_id = (int64_t)unread->push.webhook_id;
    message->body.data = (uint8_t *)(uintptr_t)unread->push.body.data;
    message->body.len = unread->push.body.size;
    return message;
}

static bool write_list_unread_pushes(struct arena *arena, const void *base, struct text filter,
                                     ProtobufCMessage *message)
{
    const struct list_unread_pushes_call *call = base;
    Waybill__Shipping__V1__ListUnreadPushesResponse *response = (void *)message;
    response->pushes = message_pointers(arena, call->push_count);
    if (response->pushes == NULL ||
        !put_page_token(arena, unread_list, filter, call->next, &response->next_page_token))
        return false;
    for (size_t i = 0; i < call->push_count; i++) {
        response->pushes[i] = push_message(arena, &call->pushes[i]);
        if (response->pushes[i] == NULL)
            return false;
    }
    response->n_pushes = call->push_count;
    return true;
}

static void read_replay_unread_pushes(struct rpc_reading *reading, void *base,
                                      const ProtobufCMessage *message)
{
    struct replay_unread_pushes_call *call = base;
    const Waybill__Shipping__V1__ReplayUnreadPushesRequest *request = (const void *)message;
    (void)reading;
    call->carrier = text_of(request->carrier);
}

static bool write_replay_unread_pushes(struct arena *arena, const void *base, struct text filter,
                                       ProtobufCMessage *message)
{
    const struct replay_unread_pushes_call *call = base;
    Waybill__Shipping__V1__ReplayUnreadPushesResponse *response = (void *)message;
    (void)arena;
    (void)filter;
    response->pushes = (int64_t)call->push_count;
    response->more = call->has_more;
    return true;
}

/* --- labels --- */

static void read_list_unwanted_labels(struct rpc_reading *reading, void *base,
                                      const ProtobufCMessage *message)
{
    struct list_unwanted_labels_call *call = base;
    const Waybill__Shipping__V1__ListUnwantedLabelsRequest *request = (const void *)message;
    char *filter = arena_format(reading->arena, "%d", (int)request->state);
    reading->failed = reading->failed || filter == NULL;
    call->state = (enum unwanted_label_state)request->state;
    read_page(reading, unwanted_list, text_of(filter), request->page_size, request->page_token,
              &call->page_size, &call->after);
}

static Waybill__Shipping__V1__UnwantedLabel *label_message(struct arena *arena,
                                                           const struct unwanted_label *label)
{
    Waybill__Shipping__V1__UnwantedLabel *message =
        message_create(arena, &waybill__shipping__v1__unwanted_label__descriptor);
    if (message == NULL || !message_put_text(arena, &message->carrier, label->carrier) ||
        !message_put_text(arena, &message->tracking_number, label->tracking_number) ||
        !message_put_text(arena, &message->shipment_id, label->shipment_id) ||
        !message_put_text(arena, &message->note, label->note) ||
        !message_put_time(arena, &message->create_time, label->create_time_us) ||
        !message_put_time(arena, &message->next_time, label->next_time_us))
        return NULL;
    message->label_id = (int64_t)label->label_id;
    message->state = (Waybill__Shipping__V1__UnwantedLabelState)label->state;
    return message;
}

static bool write_list_unwanted_labels(struct arena *arena, const void *base, struct text filter,
                                       ProtobufCMessage *message)
{
    const struct list_unwanted_labels_call *call = base;
    Waybill__Shipping__V1__ListUnwantedLabelsResponse *response = (void *)message;
    response->labels = message_pointers(arena, call->label_count);
    if (response->labels == NULL ||
        !put_page_token(arena, unwanted_list, filter, call->next, &response->next_page_token))
        return false;
    for (size_t i = 0; i < call->label_count; i++) {
        response->labels[i] = label_message(arena, &call->labels[i]);
        if (response->labels[i] == NULL)
            return false;
    }
    response->n_labels = call->label_count;
    return true;
}

/* What is neither is no change, which the checks find out. */
static enum unwanted_label_change change_of(Waybill__Shipping__V1__UnwantedLabelResolution decision)
{
    switch ((int)decision) {
    case WAYBILL__SHIPPING__V1__UNWANTED_LABEL_RESOLUTION__UNWANTED_LABEL_RESOLUTION_VOIDED:
        return UNWANTED_LABEL_CHANGE_VOIDED;
    case WAYBILL__SHIPPING__V1__UNWANTED_LABEL_RESOLUTION__UNWANTED_LABEL_RESOLUTION_TRY_AGAIN:
        return UNWANTED_LABEL_CHANGE_TRY_AGAIN;
    }
    return UNWANTED_LABEL_CHANGE_IN_VAIN;
}

static void read_resolve_unwanted_label(struct rpc_reading *reading, void *base,
                                        const ProtobufCMessage *message)
{
    struct resolve_unwanted_label_call *call = base;
    const Waybill__Shipping__V1__ResolveUnwantedLabelRequest *request = (const void *)message;
    (void)reading;
    call->label_id = request->label_id;
    call->change = change_of(request->resolution);
    call->note = text_of(request->note);
}

static bool write_resolve_unwanted_label(struct arena *arena, const void *base, struct text filter,
                                         ProtobufCMessage *message)
{
    Waybill__Shipping__V1__ResolveUnwantedLabelResponse *response = (void *)message;
    (void)filter;
    response->label =
        label_message(arena, &((const struct resolve_unwanted_label_call *)base)->label);
    return response->label != NULL;
}

const struct rpc_command_row attention_call_rows[] = {
    {"ListUnreadPushes", CALL_LIST_UNREAD_PUSHES, sizeof(struct list_unread_pushes_call), true,
     &waybill__shipping__v1__list_unread_pushes_response__descriptor, read_list_unread_pushes,
     write_list_unread_pushes},
    {"ReplayUnreadPushes", CALL_REPLAY_UNREAD_PUSHES, sizeof(struct replay_unread_pushes_call),
     false, &waybill__shipping__v1__replay_unread_pushes_response__descriptor,
     read_replay_unread_pushes, write_replay_unread_pushes},
    {"ListUnwantedLabels", CALL_LIST_UNWANTED_LABELS, sizeof(struct list_unwanted_labels_call),
     true, &waybill__shipping__v1__list_unwanted_labels_response__descriptor,
     read_list_unwanted_labels, write_list_unwanted_labels},
    {"ResolveUnwantedLabel", CALL_RESOLVE_UNWANTED_LABEL,
     sizeof(struct resolve_unwanted_label_call), false,
     &waybill__shipping__v1__resolve_unwanted_label_response__descriptor,
     read_resolve_unwanted_label, write_resolve_unwanted_label},
};
const size_t attention_call_row_count = sizeof attention_call_rows / sizeof attention_call_rows[0];
