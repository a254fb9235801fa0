/*
 * A page token holds the last key of its page, encoded as records are, and a hash of the filter, so
 * that one of another list is refused.
 */
#include "tracking/interfaces/rpc/tracking_lists.h"

#include "platform/base/codec.h"
#include "platform/base/page_token.h"
#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_messages.h"

static const char list_trackings_name[] = "tracking.ListTrackings";
static const char list_events_name[] = "tracking.ListEvents";

/* --- ListTrackings --- */

struct list_trackings_call {
    struct list_trackings_command command;
    struct rpc_call *call;
    struct tracking_service *service;
    struct text filter;
};

static char *trackings_token(struct list_trackings_call *state)
{
    const struct list_trackings_command *command = &state->command;
    const struct tracking *last = &command->trackings[command->tracking_count - 1];
    char bytes[page_token_key_bytes_max];
    struct byte_writer writer = {.at = bytes};
    write_text(&writer, last->carrier);
    write_text(&writer, last->tracking_number);
    write_varint(&writer, (uint64_t)last->generation);
    struct text token =
        page_token_make_key(rpc_call_arena(state->call), list_trackings_name, state->filter,
                            text_make(bytes, (size_t)(writer.at - bytes)));
    return (char *)token.data;
}

static bool fill_trackings(struct list_trackings_call *state,
                           Waybill__Tracking__V1__ListTrackingsResponse *response)
{
    struct arena *arena = rpc_call_arena(state->call);
    const struct list_trackings_command *command = &state->command;
    response->trackings =
        arena_allocate(arena, command->tracking_count * sizeof *response->trackings);
    if (response->trackings == NULL)
        return false;
    for (size_t i = 0; i < command->tracking_count; i++) {
        response->trackings[i] = tracking_message(arena, state->service, &command->trackings[i]);
        if (response->trackings[i] == NULL)
            return false;
    }
    response->n_trackings = command->tracking_count;
    if (!command->more)
        return true;
    response->next_page_token = trackings_token(state);
    return response->next_page_token != NULL;
}

static void list_trackings_done(void *context, const struct error *error)
{
    struct list_trackings_call *state = context;
    Waybill__Tracking__V1__ListTrackingsResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__list_trackings_response__init(&response);
    bool filled = fill_trackings(state, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

static bool read_trackings_token(struct list_trackings_call *state, struct text token)
{
    struct text key;
    struct tracking_key *after = &state->command.after;
    if (!page_token_read_key(rpc_call_arena(state->call), token, list_trackings_name, state->filter,
                             &key))
        return false;
    if (key.size == 0)
        return true;
    struct byte_reader reader = byte_reader_of(key);
    after->carrier = read_text(&reader);
    after->tracking_number = read_text(&reader);
    uint64_t generation = read_varint(&reader);
    after->generation = (int32_t)generation;
    return !reader.failed && reader.at == reader.end && generation <= tracking_generations_max &&
           after->carrier.size > 0 && after->carrier.size <= tracking_carrier_bytes_max &&
           after->tracking_number.size <= tracking_id_bytes_max;
}

void tracking_list_trackings(struct tracking_service *service, struct rpc_call *call,
                             const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__ListTrackingsRequest *request = (const void *)message;
    struct violations violations;
    struct list_trackings_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->service = service;
    state->command.order_id = text_of(request->order_id);
    state->command.status = (enum tracking_status)request->status;
    state->filter = text_of(
        arena_format(rpc_call_arena(call), "%d/%s", (int)request->status, request->order_id));
    if (!read_trackings_token(state, text_of(request->page_token)))
        rpc_call_end_with_page_token(call);
    else if (!tracking_service_list_trackings(service, &state->command, request->page_size,
                                              &violations, list_trackings_done, state))
        rpc_call_end_with_violations(call, &violations);
}

/* --- ListEvents --- */

struct list_events_call {
    struct list_events_command command;
    struct rpc_call *call;
    struct tracking_service *service;
    struct text filter;
};

static char *events_token(struct list_events_call *state)
{
    const struct list_events_command *command = &state->command;
    const struct tracking_event *last = &command->events[command->event_count - 1];
    char bytes[page_token_key_bytes_max];
    struct byte_writer writer = {.at = bytes};
    write_uint64(&writer, (uint64_t)last->occurred_time_us);
    write_text(&writer, last->event_id);
    struct text token =
        page_token_make_key(rpc_call_arena(state->call), list_events_name, state->filter,
                            text_make(bytes, (size_t)(writer.at - bytes)));
    return (char *)token.data;
}

static bool fill_events(struct list_events_call *state,
                        Waybill__Tracking__V1__ListEventsResponse *response)
{
    struct arena *arena = rpc_call_arena(state->call);
    const struct list_events_command *command = &state->command;
    response->events = arena_allocate(arena, command->event_count * sizeof *response->events);
    if (response->events == NULL)
        return false;
    for (size_t i = 0; i < command->event_count; i++) {
        response->events[i] = tracking_event_message(arena, state->service, &command->events[i]);
        if (response->events[i] == NULL)
            return false;
    }
    response->n_events = command->event_count;
    if (!command->more)
        return true;
    response->next_page_token = events_token(state);
    return response->next_page_token != NULL;
}

static void list_events_done(void *context, const struct error *error)
{
    struct list_events_call *state = context;
    Waybill__Tracking__V1__ListEventsResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__list_events_response__init(&response);
    bool filled = fill_events(state, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

static bool read_events_token(struct list_events_call *state, struct text token)
{
    struct text key;
    struct list_events_command *command = &state->command;
    if (!page_token_read_key(rpc_call_arena(state->call), token, list_events_name, state->filter,
                             &key))
        return false;
    if (key.size == 0)
        return true;
    struct byte_reader reader = byte_reader_of(key);
    command->has_after = true;
    command->after_time_us = (int64_t)read_uint64(&reader);
    command->after_event_id = read_text(&reader);
    return !reader.failed && reader.at == reader.end && command->after_time_us >= 0 &&
           command->after_event_id.size > 0 &&
           command->after_event_id.size <= tracking_id_bytes_max;
}

void tracking_list_events(struct tracking_service *service, struct rpc_call *call,
                          const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__ListEventsRequest *request = (const void *)message;
    struct violations violations;
    struct list_events_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    struct list_events_command *command = &state->command;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->service = service;
    command->carrier = text_of(request->carrier);
    command->tracking_number = text_of(request->tracking_number);
    command->generation = request->generation;
    command->from_us = message_time_us(request->from_time);
    command->to_us = message_time_us(request->to_time);
    command->newest_first = request->newest_first;
    state->filter = text_of(arena_format(rpc_call_arena(call), "%s/%s/%d/%lld/%lld/%d",
                                         request->carrier, request->tracking_number,
                                         request->generation, (long long)command->from_us,
                                         (long long)command->to_us, command->newest_first));
    if (!read_events_token(state, text_of(request->page_token)))
        rpc_call_end_with_page_token(call);
    else if (!tracking_service_list_events(service, command, request->page_size, &violations,
                                           list_events_done, state))
        rpc_call_end_with_violations(call, &violations);
}
