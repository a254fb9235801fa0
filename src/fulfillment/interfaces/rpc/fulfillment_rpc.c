/*
 * Changes of an order go as a job to the driver, whose answer comes back to the call's loop; reads
 * go to the repository. Everything is on the call's arena, so that it lives until the answer,
 * whatever becomes of the caller.
 */
#include "fulfillment/interfaces/rpc/fulfillment_rpc.h"

#include "fulfillment/interfaces/rpc/order_answers.h"
#include "fulfillment/interfaces/rpc/order_messages.h"
#include "platform/base/page_token.h"

#include <string.h>

static struct fulfillment_service *service_of(void *context)
{
    return ((struct fulfillment_door *)context)->service;
}

/* --- jobs --- */

struct job_call {
    struct order_job job; /* first */
    struct rpc_call *call;
    const ProtobufCMessageDescriptor *response;
};

/* The three responses have one shape: a head, and the order. */
static void job_done(struct order_job *job, const struct error *error)
{
    struct job_call *state = (struct job_call *)job;
    Waybill__Fulfillment__V1__PromiseOrderResponse response;
    _Static_assert(sizeof(Waybill__Fulfillment__V1__PromiseOrderResponse) ==
                           sizeof(Waybill__Fulfillment__V1__ConfirmOrderResponse) &&
                       sizeof(Waybill__Fulfillment__V1__PromiseOrderResponse) ==
                           sizeof(Waybill__Fulfillment__V1__CancelOrderResponse),
                   "one shape");
    if (error != NULL) {
        rpc_call_end_with_error(state->call, error);
        return;
    }
    if (job->answer != ORDER_ANSWER_ORDER) {
        order_fail_with_answer(state->call, job);
        return;
    }
    protobuf_c_message_init(state->response, &response);
    response.order = order_message(rpc_call_arena(state->call), &job->order);
    rpc_call_end_with_answer(state->call, &response.base, response.order != NULL);
}

static struct job_call *create_job(struct rpc_call *call,
                                   const ProtobufCMessageDescriptor *response)
{
    struct job_call *state = arena_allocate_zero(rpc_call_arena(call), 1, sizeof *state);
    if (state == NULL) {
        rpc_call_end_without_memory(call);
        return NULL;
    }
    state->call = call;
    state->response = response;
    state->job.executor = rpc_call_executor(call);
    state->job.arena = rpc_call_arena(call);
    state->job.deadline_us = rpc_call_command_deadline_us(call);
    return state;
}

/* --- PromiseOrder --- */

struct promise_call {
    struct job_call job; /* first */
    const Waybill__Fulfillment__V1__PromiseOrderRequest *message;
    struct order request;
    char (*currencies)[4]; /* of the lines' unit values */
    struct violations violations;
};

static void read_currency(char out[4], const char *code)
{
    size_t size = strlen(code);
    memset(out, 0, 4);
    memcpy(out, code, size > 3 ? 3 : size);
    if (size > 3) /* the service shall find it wrong */
        out[0] = '?';
}

static bool read_lines(struct promise_call *state,
                       const Waybill__Fulfillment__V1__PromiseOrderRequest *request)
{
    struct arena *arena = state->job.job.arena;
    struct order *order = &state->request;
    order->lines = arena_allocate_zero(arena, request->n_lines + 1, sizeof *order->lines);
    state->currencies = arena_allocate_zero(arena, request->n_lines + 1, sizeof *state->currencies);
    if (order->lines == NULL || state->currencies == NULL)
        return false;
    for (size_t i = 0; i < request->n_lines; i++) {
        const Waybill__Fulfillment__V1__OrderLine *line = request->lines[i];
        order->lines[i].sku = text_of(line->sku);
        order->lines[i].quantity = line->quantity;
        if (line->unit_value == NULL)
            continue;
        order->lines[i].unit_value_minor = line->unit_value->amount_minor;
        read_currency(state->currencies[i], line->unit_value->currency_code);
    }
    order->line_count = request->n_lines;
    return true;
}

static bool read_texts(struct arena *arena, char *const *strings, size_t count, struct text **out)
{
    *out = arena_allocate_zero(arena, count + 1, sizeof **out);
    for (size_t i = 0; *out != NULL && i < count; i++)
        (*out)[i] = text_of(strings[i]);
    return *out != NULL;
}

static bool read_destination(struct promise_call *state,
                             const Waybill__Common__V1__Address *message)
{
    struct text *lines;
    if (message == NULL)
        return true;
    if (!read_texts(state->job.job.arena, message->lines, message->n_lines, &lines))
        return false;
    state->request.destination = (struct order_address){
        .name = text_of(message->name),
        .company = text_of(message->company),
        .phone = text_of(message->phone),
        .email = text_of(message->email),
        .lines = lines,
        .line_count = message->n_lines,
        .city = text_of(message->city),
        .region = text_of(message->region),
        .postal_code = text_of(message->postal_code),
        .country_code = text_of(message->country_code),
        .has_point = message->point != NULL,
        .latitude_e7 = message->point == NULL ? 0 : message->point->latitude_e7,
        .longitude_e7 = message->point == NULL ? 0 : message->point->longitude_e7,
    };
    return true;
}

/* 0 is absent; what is none is -1, which the service finds wrong. */
static int64_t read_ttl(const Google__Protobuf__Duration *ttl)
{
    if (ttl == NULL)
        return 0;
    bool good = ttl->seconds >= 0 && ttl->seconds <= fulfillment_ttl_us_max / 1000000 &&
                ttl->nanos >= 0 && ttl->nanos <= 999999999;
    int64_t ttl_us = good ? ttl->seconds * 1000000 + ttl->nanos / 1000 : -1;
    return ttl_us == 0 ? -1 : ttl_us;
}

static bool read_promise(struct promise_call *state,
                         const Waybill__Fulfillment__V1__PromiseOrderRequest *request)
{
    struct order *order = &state->request;
    order->order_id = text_of(request->order_id);
    order->customer_id = text_of(request->customer_id);
    read_currency(order->currency, request->currency_code);
    order->rule = (enum order_rule)request->rule;
    order->incoterm = text_of(request->incoterm);
    order->ttl_us = read_ttl(request->ttl);
    order->carrier_count = request->n_carriers;
    return read_lines(state, request) && read_destination(state, request->destination) &&
           read_texts(state->job.job.arena, request->carriers, request->n_carriers,
                      &order->carriers);
}

/* The path of a carrier by its place among the sorted, to its path in the message. */
static struct text path_as_given(const struct promise_call *state, struct text path)
{
    static const char list[] = "carriers[";
    size_t place = 0;
    if (!text_starts_with(path, text_of(list)))
        return path;
    for (size_t i = sizeof list - 1; i < path.size && path.data[i] >= '0' && path.data[i] <= '9';
         i++)
        place = place * 10 + (size_t)(path.data[i] - '0');
    for (size_t i = 0; place < state->request.carrier_count && i < state->message->n_carriers;
         i++) {
        if (!text_equals_string(state->request.carriers[place], state->message->carriers[i]))
            continue;
        char *given = arena_format(state->job.job.arena, "%s%zu]", list, i);
        return given == NULL ? path : text_of(given);
    }
    return path;
}

static void promise_done(struct order_job *job, const struct error *error)
{
    struct promise_call *state = (struct promise_call *)job;
    struct order_refusal *refusal = &job->order.refusal;
    bool is_invalid =
        error == NULL && job->answer == ORDER_ANSWER_REFUSED && refusal->kind == REFUSAL_INVALID;
    struct violation *violations =
        is_invalid
            ? arena_allocate_zero(job->arena, refusal->violation_count + 1, sizeof *violations)
            : NULL;
    for (size_t i = 0; violations != NULL && i < refusal->violation_count; i++) {
        violations[i] = refusal->violations[i];
        violations[i].field = path_as_given(state, violations[i].field);
    }
    if (violations != NULL)
        refusal->violations = violations;
    job_done(job, error);
}

static void handle_promise(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    struct promise_call *state = arena_allocate_zero(rpc_call_arena(call), 1, sizeof *state);
    struct job_call *job =
        create_job(call, &waybill__fulfillment__v1__promise_order_response__descriptor);
    if (job == NULL)
        return;
    if (state == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    state->job = *job;
    state->message = (const void *)message;
    violations_init(&state->violations, rpc_call_arena(call));
    if (!read_promise(state, state->message))
        rpc_call_end_without_memory(call);
    else if (!fulfillment_service_promise(service_of(context), &state->request,
                                          (const char(*)[4])state->currencies, &state->job.job,
                                          &state->violations, promise_done))
        rpc_call_end_with_violations(call, &state->violations);
}

/* --- ConfirmOrder, CancelOrder --- */

static void submit_change(void *context, struct job_call *state)
{
    struct violations violations;
    violations_init(&violations, state->job.arena);
    if (!fulfillment_service_change(service_of(context), &state->job, &violations, job_done))
        rpc_call_end_with_violations(state->call, &violations);
}

static void handle_confirm(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Fulfillment__V1__ConfirmOrderRequest *request = (const void *)message;
    struct job_call *state =
        create_job(call, &waybill__fulfillment__v1__confirm_order_response__descriptor);
    if (state == NULL)
        return;
    state->job.kind = ORDER_JOB_CONFIRM;
    state->job.order_id = text_of(request->order_id);
    submit_change(context, state);
}

static void handle_cancel(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Fulfillment__V1__CancelOrderRequest *request = (const void *)message;
    struct job_call *state =
        create_job(call, &waybill__fulfillment__v1__cancel_order_response__descriptor);
    if (state == NULL)
        return;
    state->job.kind = ORDER_JOB_CANCEL;
    state->job.order_id = text_of(request->order_id);
    state->job.reason = text_of(request->reason);
    submit_change(context, state);
}

/* --- GetOrder --- */

struct get_call {
    struct get_order_command command; /* first */
    struct rpc_call *call;
};

static struct fulfillment_command command_of(struct rpc_call *call)
{
    return (struct fulfillment_command){
        .executor = rpc_call_executor(call),
        .arena = rpc_call_arena(call),
        .deadline_us = rpc_call_command_deadline_us(call),
    };
}

static void get_done(struct fulfillment_command *command, const struct error *error)
{
    struct get_call *state = (struct get_call *)command;
    Waybill__Fulfillment__V1__GetOrderResponse response;
    if (error != NULL) {
        rpc_call_end_with_error(state->call, error);
        return;
    }
    if (command->outcome != FULFILLMENT_DONE) {
        order_fail_not_found(state->call);
        return;
    }
    waybill__fulfillment__v1__get_order_response__init(&response);
    response.order = order_message(rpc_call_arena(state->call), &state->command.order);
    rpc_call_end_with_answer(state->call, &response.base, response.order != NULL);
}

static void handle_get(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Fulfillment__V1__GetOrderRequest *request = (const void *)message;
    struct get_call *state = arena_allocate_zero(rpc_call_arena(call), 1, sizeof *state);
    struct violations violations;
    if (state == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.base = command_of(call);
    state->command.order_id = text_of(request->order_id);
    if (!fulfillment_service_get(service_of(context), &state->command, &violations, get_done))
        rpc_call_end_with_violations(call, &violations);
}

/* --- ListOrders --- */

struct list_call {
    struct list_orders_command command; /* first */
    struct rpc_call *call;
    struct text filter;
};

static const char list_name[] = "fulfillment.ListOrders";

static void list_done(struct fulfillment_command *command, const struct error *error)
{
    struct list_call *state = (struct list_call *)command;
    struct arena *arena = rpc_call_arena(state->call);
    const struct list_orders_command *list = &state->command;
    Waybill__Fulfillment__V1__ListOrdersResponse response;
    if (error != NULL) {
        rpc_call_end_with_error(state->call, error);
        return;
    }
    waybill__fulfillment__v1__list_orders_response__init(&response);
    response.orders = arena_allocate_zero(arena, list->order_count + 1, sizeof(void *));
    bool good = response.orders != NULL;
    for (size_t i = 0; i < list->order_count && good; i++) {
        response.orders[i] = order_message(arena, &list->orders[i]);
        good = response.orders[i] != NULL;
    }
    response.n_orders = list->order_count;
    if (good && list->next != 0) {
        response.next_page_token =
            (char *)page_token_make(arena, list_name, state->filter, list->next).data;
        good = response.next_page_token != NULL;
    }
    rpc_call_end_with_answer(state->call, &response.base, good);
}

static void handle_list(void *context, struct rpc_call *call, const ProtobufCMessage *message)
{
    const Waybill__Fulfillment__V1__ListOrdersRequest *request = (const void *)message;
    struct arena *arena = rpc_call_arena(call);
    struct list_call *state = arena_allocate_zero(arena, 1, sizeof *state);
    char *filter = arena_format(arena, "%s\n%d", request->customer_id, (int)request->state);
    struct violations violations;
    if (state == NULL || filter == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    violations_init(&violations, arena);
    state->call = call;
    state->filter = text_of(filter);
    state->command.base = command_of(call);
    state->command.customer_id = text_of(request->customer_id);
    if (!page_token_read(text_of(request->page_token), list_name, state->filter,
                         &state->command.after)) {
        rpc_call_end_with_page_token(call);
        return;
    }
    if (!fulfillment_service_list(service_of(context), &state->command, request->page_size,
                                  request->state, &violations, list_done))
        rpc_call_end_with_violations(call, &violations);
}

/* --- the table --- */

static const struct rpc_field_limit field_limits[] = {
    {&waybill__common__v1__address__descriptor, "lines", fulfillment_address_lines_max},
    {&waybill__fulfillment__v1__promise_order_request__descriptor, "lines", fulfillment_lines_max},
    {&waybill__fulfillment__v1__promise_order_request__descriptor, "carriers",
     fulfillment_carriers_max},
};

struct rpc_service fulfillment_rpc_service(struct fulfillment_door *door)
{
    static const struct rpc_method methods[] = {
        {.name = "PromiseOrder", .unary = handle_promise},
        {.name = "ConfirmOrder", .unary = handle_confirm},
        {.name = "CancelOrder", .unary = handle_cancel},
        {.name = "GetOrder", .unary = handle_get, .idempotent = true},
        {.name = "ListOrders", .unary = handle_list, .idempotent = true},
        {.name = "WatchOrder",
         .kind = RPC_SERVER_STREAM,
         .stream = &order_watch_stream,
         .idempotent = true},
    };
    return (struct rpc_service){
        .descriptor = &waybill__fulfillment__v1__fulfillment_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = door,
    };
}
