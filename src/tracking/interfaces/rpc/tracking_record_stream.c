/*
 * Each event under way has a place of its own, with an arena that outlives the message it came in;
 * places are used again. The stream lives until the call is over and all its events are answered.
 *
 * Failures: an event that is refused or meets an error is answered with its status, and the stream
 * goes on. Without memory for a place the call ends with RESOURCE_EXHAUSTED; what was sent before
 * is answered or not known, and may be sent again.
 */
#include "tracking/interfaces/rpc/tracking_record_stream.h"

#include "platform/base/memory.h"
#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"

#include "google/rpc/status.pb-c.h"

#include <string.h>

enum {
    under_way_max = 512,
    place_bytes_max = 256 * 1024,
};

struct record_stream;

/* One event under way. */
struct record_place {
    struct record_event_command command;
    struct arena arena;
    struct record_stream *stream;
    struct record_place *next; /* of those free */
    /* As it is answered: to tell that an event is durable takes no memory. */
    char event_id[tracking_id_bytes_max + 1];
};

struct record_stream {
    struct rpc_call *call; /* NULL when it is over */
    struct tracking_service *service;
    struct executor *executor;
    struct record_place *free;
    size_t under_way;
    bool must_wait;   /* answers have to leave first */
    bool wants_next;  /* the next message has not been asked for */
    bool half_closed; /* the client has sent its last */
    bool held;        /* a completion is still at work with it */
};

static void destroy_if_over(struct record_stream *stream)
{
    if (stream->call != NULL || stream->under_way > 0 || stream->held)
        return;
    while (stream->free != NULL) {
        struct record_place *place = stream->free;
        stream->free = place->next;
        arena_deinit(&place->arena);
        memory_release(place);
    }
    memory_release(stream);
}

static struct record_place *take_place(struct record_stream *stream)
{
    struct record_place *place = stream->free;
    if (place != NULL) {
        stream->free = place->next;
        arena_reset(&place->arena);
        return place;
    }
    place = memory_allocate(sizeof *place);
    if (place != NULL)
        arena_init(&place->arena, place_bytes_max);
    return place;
}

static void give_place(struct record_stream *stream, struct record_place *place)
{
    place->next = stream->free;
    stream->free = place;
}

/* Asks for the next message, or ends the call after the last answer. */
static void go_on(struct record_stream *stream)
{
    if (stream->call == NULL)
        return;
    if (stream->half_closed && stream->under_way == 0) {
        rpc_call_finish(stream->call);
        return;
    }
    if (!stream->wants_next || stream->must_wait || stream->under_way >= under_way_max)
        return;
    stream->wants_next = false;
    rpc_call_read_next(stream->call);
}

static const char *reason_of(const struct rpc_status *status)
{
    return grpc_status_name(status->code);
}

/* Its id for the answer; one that is refused for being too long is copied, or empty. */
static char *event_id_of(struct record_place *place)
{
    struct text id = place->command.event.event_id;
    char *copy = NULL;
    if (id.size > tracking_id_bytes_max) {
        copy = arena_copy_string(&place->arena, id);
        id.size = 0;
    }
    if (id.size > 0)
        memcpy(place->event_id, id.data, id.size);
    place->event_id[id.size] = '\0';
    return copy == NULL ? place->event_id : copy;
}

/* Answers one event: `status` NULL = it is recorded. */
static void answer(struct record_stream *stream, struct record_place *place,
                   const struct rpc_status *status)
{
    struct arena *arena = &place->arena;
    Waybill__Tracking__V1__RecordEventsResponse response;
    Google__Rpc__Status said;
    Google__Protobuf__Any *details[1];
    Google__Protobuf__Any detail;
    if (stream->call == NULL)
        return;
    waybill__tracking__v1__record_events_response__init(&response);
    google__rpc__status__init(&said);
    response.event_id = event_id_of(place);
    response.status = &said;
    if (status != NULL) {
        char *words = arena_copy_string(arena, status->message);
        said.code = (int32_t)status->code;
        said.message = words == NULL ? (char *)(uintptr_t)reason_of(status) : words;
        if (status->details != NULL) {
            google__protobuf__any__init(&detail);
            detail.type_url =
                arena_format(arena, "type.googleapis.com/%s", status->details->type_name);
            detail.value.data = (uint8_t *)(uintptr_t)status->details->value.data;
            detail.value.len = status->details->value.size;
            details[0] = &detail;
            said.details = details;
            said.n_details = detail.type_url == NULL ? 0 : 1;
        }
    }
    if (!rpc_call_send(stream->call, &response.base))
        stream->must_wait = true;
}

static void event_done(void *context, const struct error *error)
{
    struct record_place *place = context;
    struct record_stream *stream = place->stream;
    struct rpc_status status;
    bool refused = tracking_refusal(&place->arena, &place->command.base, error, &status);
    answer(stream, place, refused ? &status : NULL);
    stream->under_way--;
    give_place(stream, place);
    stream->held = true;
    go_on(stream);
    stream->held = false;
    destroy_if_over(stream);
}

/* --- the handler --- */

static void opened(void *context, struct rpc_call *call, void **stream_context)
{
    struct tracking_door *door = context;
    struct record_stream *stream = memory_allocate_zero(1, sizeof *stream);
    *stream_context = stream;
    if (stream == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    stream->call = call;
    stream->service = door->service;
    stream->executor = rpc_call_executor(call);
    rpc_call_send_headers(call);
}

/* The event's texts move to the place: the message is gone when this returns. */
static bool copy_event(struct record_place *place,
                       const Waybill__Tracking__V1__TrackingEvent *message)
{
    struct tracking_event *event = &place->command.event;
    struct text *texts[] = {
        &event->event_id,          &event->carrier,       &event->tracking_number,
        &event->location.facility, &event->location.city, &event->location.country_code,
        &event->carrier_code,      &event->description,   &event->source,
        &event->corrects_event_id, &event->payload,
    };
    *event = tracking_event_of(message);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i]->size == 0)
            continue;
        *texts[i] = arena_copy_text(&place->arena, *texts[i]);
        if (texts[i]->data == NULL)
            return false;
    }
    return true;
}

static void record(struct record_stream *stream, struct record_place *place)
{
    struct violations violations;
    violations_init(&violations, &place->arena);
    place->command.base.executor = stream->executor;
    place->command.base.arena = &place->arena;
    place->stream = stream;
    if (tracking_service_record_event(stream->service, &place->command, &violations, event_done,
                                      place)) {
        stream->under_way++;
        return;
    }
    struct rpc_status status = rpc_status_invalid_request(
        &place->arena, &waybill__tracking__v1__record_events_request__descriptor, &violations);
    answer(stream, place, &status);
    give_place(stream, place);
}

static void message_came(void *stream_context, struct rpc_call *call,
                         const ProtobufCMessage *message)
{
    static const Waybill__Tracking__V1__TrackingEvent no_event =
        WAYBILL__TRACKING__V1__TRACKING_EVENT__INIT;
    const Waybill__Tracking__V1__RecordEventsRequest *request = (const void *)message;
    struct record_stream *stream = stream_context;
    struct record_place *place = stream == NULL ? NULL : take_place(stream);
    if (stream == NULL)
        return;
    if (place != NULL)
        place->command = (struct record_event_command){0};
    if (place == NULL || !copy_event(place, request->event == NULL ? &no_event : request->event)) {
        if (place != NULL)
            give_place(stream, place);
        rpc_call_end_without_memory(call);
        return;
    }
    stream->wants_next = true;
    record(stream, place);
    go_on(stream);
}

static void half_closed(void *stream_context, struct rpc_call *call)
{
    struct record_stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->half_closed = true;
    go_on(stream);
}

static void writable(void *stream_context, struct rpc_call *call)
{
    struct record_stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->must_wait = false;
    go_on(stream);
}

static void closed(void *stream_context, struct rpc_call *call)
{
    struct record_stream *stream = stream_context;
    (void)call;
    if (stream == NULL)
        return;
    stream->call = NULL;
    destroy_if_over(stream);
}

const struct rpc_stream_handler tracking_record_stream = {
    .opened = opened,
    .message = message_came,
    .half_closed = half_closed,
    .writable = writable,
    .closed = closed,
};
