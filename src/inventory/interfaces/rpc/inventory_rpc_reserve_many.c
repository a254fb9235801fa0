/*
 * BatchReserve and ReserveStream: many Reserves, each decided alone and answered with its
 * reservation or with the status that the call Reserve would have ended with.
 *
 * A batch has one arena for all. The store writes into it from the first command that it has on, so
 * all is checked and all memory asked for before the first is sent, and nothing more until the last
 * is answered.
 *
 * In a stream each Reserve under way has a place with an arena of its own, which outlives the
 * message it came in; places are used again. It takes no further message while `under_way_max` are
 * not answered or answers wait to leave: that is the back-pressure. The stream lives until the call
 * is over and all is answered. Without memory for a place the call ends with RESOURCE_EXHAUSTED;
 * what is not answered by then may be sent again.
 */
#include "inventory/domain/limits.h"
#include "inventory/interfaces/rpc/inventory_messages.h"
#include "inventory/interfaces/rpc/inventory_rpc_call.h"
#include "platform/base/memory.h"

#include "google/rpc/status.pb-c.h"

/* --- results --- */

/* A status as a message; NULL without memory. */
static Google__Rpc__Status *status_message(struct arena *arena, const struct rpc_status *status)
{
    size_t count = 0;
    Google__Rpc__Status *message = arena_allocate(arena, sizeof *message);
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next)
        count++;
    Google__Protobuf__Any **details = arena_allocate(arena, count * sizeof(void *));
    if (message == NULL || details == NULL)
        return NULL;
    google__rpc__status__init(message);
    message->code = (int32_t)status->code;
    message->message = arena_copy_string(arena, status->message);
    message->details = details;
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next) {
        Google__Protobuf__Any *any = arena_allocate(arena, sizeof *any);
        if (any == NULL)
            return NULL;
        google__protobuf__any__init(any);
        any->type_url = arena_format(arena, "type.googleapis.com/%s", detail->type_name);
        any->value.data = (uint8_t *)(uintptr_t)detail->value.data;
        any->value.len = detail->value.size;
        if (any->type_url == NULL)
            return NULL;
        details[message->n_details++] = any;
    }
    return message->message == NULL ? NULL : message;
}

/* How a Reserve ended: exactly one of the two is set; both NULL without memory. */
struct reserve_end {
    Waybill__Inventory__V1__Reservation *reservation;
    Google__Rpc__Status *status;
};

static struct reserve_end end_with(struct arena *arena, const struct rpc_status *status)
{
    return (struct reserve_end){.status = status_message(arena, status)};
}

static struct reserve_end end_of(struct arena *arena, const struct reserve_command *command,
                                 const struct error *error)
{
    struct rpc_status status;
    if (error == NULL && command->base.outcome == INVENTORY_INSUFFICIENT_STOCK) {
        status = inventory_rpc_shortage_status(arena, command->shortages, command->shortage_count);
        return end_with(arena, &status);
    }
    if (inventory_rpc_refusal(arena, &command->base, error, &status))
        return end_with(arena, &status);
    return (struct reserve_end){.reservation = reservation_message(arena, &command->reservation)};
}

/* --- BatchReserve --- */

struct batch_item {
    struct reserve_command command;
    struct batch *batch;
    const struct error *error;     /* of the store; lives as long as the call */
    struct reserve_end refused_by; /* the check; nothing was sent */
    bool is_sent;
};

struct batch {
    struct rpc_call *call;
    const Waybill__Inventory__V1__BatchReserveRequest *request;
    struct batch_item *items;
    size_t count;
    size_t waiting;
    struct error overloaded; /* a store's error may not outlive its completion */
};

static Waybill__Inventory__V1__ReserveResult *result_message(struct arena *arena,
                                                             const struct batch *batch, size_t at)
{
    const struct batch_item *item = &batch->items[at];
    Waybill__Inventory__V1__ReserveResult *result = arena_allocate(arena, sizeof *result);
    struct reserve_end end =
        item->is_sent ? end_of(arena, &item->command, item->error) : item->refused_by;
    if (result == NULL || (end.reservation == NULL && end.status == NULL))
        return NULL;
    waybill__inventory__v1__reserve_result__init(result);
    result->reservation_id = batch->request->requests[at]->reservation_id;
    if (end.reservation != NULL) {
        result->result_case = WAYBILL__INVENTORY__V1__RESERVE_RESULT__RESULT_RESERVATION;
        result->reservation = end.reservation;
    } else {
        result->result_case = WAYBILL__INVENTORY__V1__RESERVE_RESULT__RESULT_STATUS;
        result->status = end.status;
    }
    return result;
}

static void answer_batch(struct batch *batch)
{
    struct arena *arena = rpc_call_arena(batch->call);
    Waybill__Inventory__V1__BatchReserveResponse response;
    waybill__inventory__v1__batch_reserve_response__init(&response);
    response.results = arena_allocate(arena, batch->count * sizeof *response.results);
    bool filled = response.results != NULL;
    for (size_t i = 0; filled && i < batch->count; i++) {
        response.results[i] = result_message(arena, batch, i);
        filled = response.results[i] != NULL;
    }
    response.n_results = batch->count;
    rpc_call_end_with_answer(batch->call, &response.base, filled);
}

static void batch_item_done(void *context, const struct error *error)
{
    struct batch_item *item = context;
    struct batch *batch = item->batch;
    if (error != NULL && item->command.base.error == NULL) {
        batch->overloaded = *error; /* refused before the store had it */
        item->error = &batch->overloaded;
    } else {
        item->error = item->command.base.error;
    }
    if (--batch->waiting == 0)
        answer_batch(batch);
}

/* Reads and checks one request. False without memory. */
static bool prepare_item(struct batch *batch, size_t at)
{
    struct arena *arena = rpc_call_arena(batch->call);
    struct batch_item *item = &batch->items[at];
    const Waybill__Inventory__V1__ReserveRequest *request = batch->request->requests[at];
    struct violations violations;
    struct quantity_line *lines;
    item->batch = batch;
    item->command.base.executor = rpc_call_executor(batch->call);
    item->command.base.arena = arena;
    if (!inventory_rpc_read_reserve(arena, request, &item->command, &lines))
        return false;
    violations_init(&violations, arena);
    item->is_sent =
        inventory_service_check_reserve(&item->command, lines, request->n_lines, &violations);
    if (item->is_sent) {
        batch->waiting++;
        return true;
    }
    struct rpc_status status =
        rpc_status_invalid(arena, violations.items, violations_kept(&violations));
    item->refused_by = end_with(arena, &status);
    return item->refused_by.status != NULL;
}

static bool has_good_size(struct rpc_call *call,
                          const Waybill__Inventory__V1__BatchReserveRequest *request)
{
    size_t line_count = 0;
    for (size_t i = 0; i < request->n_requests; i++)
        line_count += request->requests[i]->n_lines;
    if (request->n_requests > 0 && line_count <= inventory_batch_lines_max)
        return true;
    inventory_rpc_fail_with_violation(
        call, "requests", "must have 1 to 1000 requests with at most 20000 lines in all");
    return false;
}

void inventory_rpc_batch_reserve(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    const Waybill__Inventory__V1__BatchReserveRequest *request = (const void *)message;
    struct inventory_service *service = context;
    if (!has_good_size(call, request))
        return;
    struct arena *arena = rpc_call_arena(call);
    struct batch *batch = arena_allocate_zero(arena, 1, sizeof *batch);
    struct batch_item *items = arena_allocate_zero(arena, request->n_requests, sizeof *items);
    bool prepared = batch != NULL && items != NULL;
    if (prepared)
        *batch = (struct batch){
            .call = call, .request = request, .items = items, .count = request->n_requests};
    for (size_t i = 0; prepared && i < request->n_requests; i++)
        prepared = prepare_item(batch, i);
    if (!prepared) {
        rpc_call_end_without_memory(call);
        return;
    }
    if (batch->waiting == 0) {
        answer_batch(batch);
        return;
    }
    for (size_t i = 0; i < request->n_requests; i++) {
        if (items[i].is_sent)
            inventory_service_start_reserve(service, &items[i].command, batch_item_done, &items[i]);
    }
}

/* --- ReserveStream --- */

enum { under_way_max = 1024, place_bytes_max = 256 * 1024 };

struct reserve_stream;

/* One Reserve under way. */
struct reserve_place {
    struct reserve_command command;
    struct arena arena;
    struct reserve_stream *stream;
    struct reserve_place *next; /* of those free */
};

struct reserve_stream {
    struct rpc_call *call; /* NULL when it must not be touched any more */
    struct inventory_service *service;
    struct executor *executor;
    struct reserve_place *free;
    size_t under_way;
    bool is_full;     /* answers have to leave first */
    bool wants_next;  /* the next message has not been asked for */
    bool half_closed; /* the client has sent its last */
    bool is_closed;   /* the call is over */
    unsigned busy;    /* functions here that are at work with it */
};

static void destroy_if_over(struct reserve_stream *stream)
{
    if (!stream->is_closed || stream->under_way > 0 || stream->busy > 0)
        return;
    while (stream->free != NULL) {
        struct reserve_place *place = stream->free;
        stream->free = place->next;
        arena_deinit(&place->arena);
        memory_release(place);
    }
    memory_release(stream);
}

static struct reserve_place *take_place(struct reserve_stream *stream)
{
    struct reserve_place *place = stream->free;
    if (place != NULL) {
        stream->free = place->next;
        arena_reset(&place->arena);
    } else {
        place = memory_allocate(sizeof *place);
        if (place == NULL)
            return NULL;
        arena_init(&place->arena, place_bytes_max);
    }
    place->stream = stream;
    place->command = (struct reserve_command){
        .base = {.executor = stream->executor, .arena = &place->arena},
    };
    return place;
}

static void give_place(struct reserve_place *place)
{
    place->next = place->stream->free;
    place->stream->free = place;
}

/* Asks for the next message, or ends the call behind the last answer. */
static void go_on(struct reserve_stream *stream)
{
    if (stream->call == NULL)
        return;
    if (stream->half_closed && stream->under_way == 0) {
        rpc_call_finish(stream->call);
        return;
    }
    if (!stream->wants_next || stream->is_full || stream->under_way >= under_way_max)
        return;
    stream->wants_next = false;
    rpc_call_read_next(stream->call);
}

static void send_end(struct reserve_place *place, struct reserve_end end)
{
    struct reserve_stream *stream = place->stream;
    Waybill__Inventory__V1__ReserveStreamResponse response;
    char *id = arena_copy_string(&place->arena, place->command.reservation_id);
    if (stream->call == NULL)
        return;
    if (id == NULL || (end.reservation == NULL && end.status == NULL)) {
        rpc_call_end_without_memory(stream->call);
        stream->call = NULL;
        return;
    }
    waybill__inventory__v1__reserve_stream_response__init(&response);
    response.reservation_id = id;
    if (end.reservation != NULL) {
        response.result_case = WAYBILL__INVENTORY__V1__RESERVE_STREAM_RESPONSE__RESULT_RESERVATION;
        response.reservation = end.reservation;
    } else {
        response.result_case = WAYBILL__INVENTORY__V1__RESERVE_STREAM_RESPONSE__RESULT_STATUS;
        response.status = end.status;
    }
    if (!rpc_call_send(stream->call, &response.base))
        stream->is_full = true;
}

static void place_done(void *context, const struct error *error)
{
    struct reserve_place *place = context;
    struct reserve_stream *stream = place->stream;
    stream->busy++;
    send_end(place, end_of(&place->arena, &place->command, error));
    stream->under_way--;
    give_place(place);
    go_on(stream);
    stream->busy--;
    destroy_if_over(stream);
}

static void stream_opened(void *context, struct rpc_call *call, void **stream_context)
{
    struct reserve_stream *stream = memory_allocate_zero(1, sizeof *stream);
    *stream_context = stream;
    if (stream == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    stream->call = call;
    stream->service = context;
    stream->executor = rpc_call_executor(call);
    rpc_call_send_headers(call);
}

/* The command's texts move to the place: the message is gone when it was delivered. */
static bool keep_texts(struct reserve_place *place, struct quantity_line *lines, size_t line_count)
{
    struct reserve_command *command = &place->command;
    struct text *texts[] = {&command->reservation_id, &command->order_id, &command->customer_id};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_copy_text(&place->arena, *texts[i]);
        if (texts[i]->data == NULL)
            return false;
    }
    for (size_t i = 0; i < line_count; i++) {
        lines[i].sku = arena_copy_text(&place->arena, lines[i].sku);
        if (lines[i].sku.data == NULL)
            return false;
    }
    return true;
}

static void start(struct reserve_place *place, struct quantity_line *lines, size_t line_count)
{
    struct reserve_stream *stream = place->stream;
    struct violations violations;
    violations_init(&violations, &place->arena);
    if (inventory_service_reserve(stream->service, &place->command, lines, line_count, &violations,
                                  place_done, place)) {
        stream->under_way++;
        return;
    }
    struct rpc_status status =
        rpc_status_invalid(&place->arena, violations.items, violations_kept(&violations));
    send_end(place, end_with(&place->arena, &status));
    give_place(place);
}

static void stream_message(void *stream_context, struct rpc_call *call,
                           const ProtobufCMessage *message)
{
    static const Waybill__Inventory__V1__ReserveRequest nothing =
        WAYBILL__INVENTORY__V1__RESERVE_REQUEST__INIT;
    const Waybill__Inventory__V1__ReserveStreamRequest *envelope = (const void *)message;
    const Waybill__Inventory__V1__ReserveRequest *request =
        envelope->reserve == NULL ? &nothing : envelope->reserve;
    struct reserve_stream *stream = stream_context;
    struct quantity_line *lines;
    if (stream == NULL || stream->call == NULL)
        return;
    struct reserve_place *place = take_place(stream);
    if (place == NULL ||
        !inventory_rpc_read_reserve(&place->arena, request, &place->command, &lines) ||
        !keep_texts(place, lines, request->n_lines)) {
        if (place != NULL)
            give_place(place);
        stream->call = NULL;
        rpc_call_end_without_memory(call);
        return;
    }
    stream->busy++;
    stream->wants_next = true;
    start(place, lines, request->n_lines);
    go_on(stream);
    stream->busy--;
    destroy_if_over(stream);
}

static void stream_half_closed(void *stream_context, struct rpc_call *call)
{
    struct reserve_stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->half_closed = true;
    go_on(stream);
}

static void stream_writable(void *stream_context, struct rpc_call *call)
{
    struct reserve_stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->is_full = false;
    go_on(stream);
}

static void stream_closed(void *stream_context, struct rpc_call *call)
{
    struct reserve_stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->call = NULL;
    stream->is_closed = true;
    destroy_if_over(stream);
}

const struct rpc_stream_handler inventory_rpc_reserve_stream = {
    .opened = stream_opened,
    .message = stream_message,
    .half_closed = stream_half_closed,
    .writable = stream_writable,
    .closed = stream_closed,
};
