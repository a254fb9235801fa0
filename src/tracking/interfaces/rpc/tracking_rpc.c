/*
 * One handler and one completion a unary method. A handler puts the command on the call's arena, so
 * that it lives until the store has answered, whatever becomes of the caller; the completion turns
 * outcome or error into the answer. Lists have a file of their own, and so have streams.
 */
#include "tracking/interfaces/rpc/tracking_rpc.h"

#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_lists.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "tracking/interfaces/rpc/tracking_record_stream.h"
#include "tracking/interfaces/rpc/tracking_subscriptions.h"

static struct tracking_service *service_of(void *context)
{
    return ((struct tracking_door *)context)->service;
}

/* --- CreateTracking --- */

struct create_tracking_call {
    struct create_tracking_command command;
    struct rpc_call *call;
    struct tracking_service *service;
};

static void create_tracking_done(void *context, const struct error *error)
{
    struct create_tracking_call *state = context;
    Waybill__Tracking__V1__CreateTrackingResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__create_tracking_response__init(&response);
    response.tracking =
        tracking_message(rpc_call_arena(state->call), state->service, &state->command.tracking);
    rpc_call_end_with_answer(state->call, &response.base, response.tracking != NULL);
}

static void handle_create_tracking(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__CreateTrackingRequest *request = (const void *)message;
    struct violations violations;
    struct create_tracking_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->service = service_of(context);
    state->command.carrier = text_of(request->carrier);
    state->command.tracking_number = text_of(request->tracking_number);
    state->command.shipment_id = text_of(request->shipment_id);
    state->command.order_id = text_of(request->order_id);
    state->command.expected_delivery_time_us = message_time_us(request->expected_delivery_time);
    state->command.start_time_us = message_time_us(request->start_time);
    if (!tracking_service_create_tracking(state->service, &state->command, &violations,
                                          create_tracking_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- GetTracking --- */

struct get_tracking_call {
    struct get_tracking_command command;
    struct rpc_call *call;
    struct tracking_service *service;
};

static void get_tracking_done(void *context, const struct error *error)
{
    struct get_tracking_call *state = context;
    Waybill__Tracking__V1__GetTrackingResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__get_tracking_response__init(&response);
    response.tracking =
        tracking_message(rpc_call_arena(state->call), state->service, &state->command.tracking);
    rpc_call_end_with_answer(state->call, &response.base, response.tracking != NULL);
}

static void handle_get_tracking(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__GetTrackingRequest *request = (const void *)message;
    struct violations violations;
    struct get_tracking_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->service = service_of(context);
    state->command.carrier = text_of(request->carrier);
    state->command.tracking_number = text_of(request->tracking_number);
    state->command.generation = request->generation;
    if (!tracking_service_get_tracking(state->service, &state->command, &violations,
                                       get_tracking_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- RecordEvent --- */

struct record_event_call {
    struct record_event_command command;
    struct rpc_call *call;
    struct tracking_service *service;
};

static void record_event_done(void *context, const struct error *error)
{
    struct record_event_call *state = context;
    struct arena *arena = rpc_call_arena(state->call);
    Waybill__Tracking__V1__RecordEventResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__record_event_response__init(&response);
    response.tracking = tracking_message(arena, state->service, &state->command.tracking);
    response.event = tracking_event_message(arena, state->service, &state->command.event);
    rpc_call_end_with_answer(state->call, &response.base,
                             response.tracking != NULL && response.event != NULL);
}

static void fail_without_event(struct rpc_call *call)
{
    struct violations violations;
    violations_init(&violations, rpc_call_arena(call));
    violations_add(&violations, "must be given", "event");
    rpc_call_end_with_violations(call, &violations);
}

static void handle_record_event(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__RecordEventRequest *request = (const void *)message;
    struct violations violations;
    if (request->event == NULL) {
        fail_without_event(call);
        return;
    }
    struct record_event_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->service = service_of(context);
    state->command.event = tracking_event_of(request->event);
    state->command.wants_tracking = true;
    if (!tracking_service_record_event(state->service, &state->command, &violations,
                                       record_event_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- RecordPing --- */

struct record_ping_call {
    struct record_ping_command command;
    struct rpc_call *call;
};

static void record_ping_done(void *context, const struct error *error)
{
    struct record_ping_call *state = context;
    Waybill__Tracking__V1__RecordPingResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__record_ping_response__init(&response);
    rpc_call_answer(state->call, &response.base);
}

static void handle_record_ping(void *context, struct rpc_call *call,
                               const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__RecordPingRequest *request = (const void *)message;
    struct violations violations;
    struct record_ping_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.carrier = text_of(request->carrier);
    state->command.tracking_number = text_of(request->tracking_number);
    state->command.time_us = message_time_us(request->time);
    if (request->point == NULL) {
        violations_add(&violations, "must be given", "point");
    } else {
        state->command.latitude_e7 = request->point->latitude_e7;
        state->command.longitude_e7 = request->point->longitude_e7;
    }
    if (!tracking_service_record_ping(service_of(context), &state->command, &violations,
                                      record_ping_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- RemapTrackings --- */

struct remap_trackings_call {
    struct remap_trackings_command command;
    struct rpc_call *call;
};

static void remap_trackings_done(void *context, const struct error *error)
{
    struct remap_trackings_call *state = context;
    Waybill__Tracking__V1__RemapTrackingsResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__remap_trackings_response__init(&response);
    response.map_version = state->command.map_version;
    response.trackings = state->command.trackings;
    response.events = state->command.events;
    response.status_changes = state->command.status_changes;
    rpc_call_answer(state->call, &response.base);
}

static void handle_remap_trackings(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__RemapTrackingsRequest *request = (const void *)message;
    struct violations violations;
    struct remap_trackings_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.carrier = text_of(request->carrier);
    state->command.map_version = request->map_version;
    if (!tracking_service_remap_trackings(service_of(context), &state->command, &violations,
                                          remap_trackings_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- EraseTracking --- */

struct erase_tracking_call {
    struct erase_tracking_command command;
    struct rpc_call *call;
};

static void erase_tracking_done(void *context, const struct error *error)
{
    struct erase_tracking_call *state = context;
    Waybill__Tracking__V1__EraseTrackingResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__erase_tracking_response__init(&response);
    response.generations = state->command.generations;
    response.events = state->command.events;
    response.pings = state->command.pings;
    rpc_call_answer(state->call, &response.base);
}

static void handle_erase_tracking(void *context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__EraseTrackingRequest *request = (const void *)message;
    struct violations violations;
    struct erase_tracking_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->command.carrier = text_of(request->carrier);
    state->command.tracking_number = text_of(request->tracking_number);
    if (!tracking_service_erase_tracking(service_of(context), &state->command, &violations,
                                         erase_tracking_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- the table --- */

static void handle_list_trackings(void *context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    tracking_list_trackings(service_of(context), call, message);
}

static void handle_list_events(void *context, struct rpc_call *call,
                               const ProtobufCMessage *message)
{
    tracking_list_events(service_of(context), call, message);
}

struct rpc_service tracking_rpc_service(struct tracking_door *door)
{
    static const struct rpc_method methods[] = {
        {.name = "CreateTracking", .unary = handle_create_tracking},
        {.name = "GetTracking", .unary = handle_get_tracking, .idempotent = true},
        {.name = "ListTrackings", .unary = handle_list_trackings, .idempotent = true},
        {.name = "RecordEvent", .unary = handle_record_event},
        {.name = "RecordEvents", .kind = RPC_BIDI_STREAM, .stream = &tracking_record_stream},
        {.name = "RecordPing", .unary = handle_record_ping},
        {.name = "ListEvents", .unary = handle_list_events, .idempotent = true},
        {.name = "WatchTracking", .kind = RPC_SERVER_STREAM, .stream = &tracking_watch_stream},
        {.name = "RemapTrackings", .unary = handle_remap_trackings},
        {.name = "EraseTracking", .unary = handle_erase_tracking},
        {.name = "CreateSubscription", .unary = tracking_create_subscription},
        {.name = "ListSubscriptions", .unary = tracking_list_subscriptions, .idempotent = true},
        {.name = "DeleteSubscription", .unary = tracking_delete_subscription},
        {.name = "ListDeadLetters", .unary = tracking_list_dead_letters, .idempotent = true},
        {.name = "ReplayDeadLetters", .unary = tracking_replay_dead_letters},
    };
    static const struct rpc_field_limit field_limits[] = {
        {&waybill__tracking__v1__watch_tracking_request__descriptor, "trackings",
         tracking_watched_max},
        {&waybill__tracking__v1__subscription__descriptor, "types", 16},
    };
    return (struct rpc_service){
        .descriptor = &waybill__tracking__v1__tracking_service__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .field_limits = field_limits,
        .field_limit_count = sizeof field_limits / sizeof field_limits[0],
        .context = door,
    };
}
