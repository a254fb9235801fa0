/* Sends by kind, waits at most a minute, prints field by field. */
#include "tests/support/tracking/tracking_call.h"

#include "platform/base/check.h"

enum { call_bytes_max = 64 * 1024 * 1024 };

static const int64_t answer_timeout_us = INT64_C(60) * 1000000;

void tracking_caller_init(struct tracking_caller *caller, struct tracking_repository *repository)
{
    *caller = (struct tracking_caller){.repository = repository};
    test_executor_init(&caller->executor);
    arena_init(&caller->arena, call_bytes_max);
}

void tracking_caller_deinit(struct tracking_caller *caller)
{
    test_executor_deinit(&caller->executor);
    arena_deinit(&caller->arena);
}

static void call_done(void *context, const struct error *error)
{
    struct tracking_caller *caller = context;
    caller->under_way--;
    if (error != NULL)
        caller->error = *error;
}

static void send(struct tracking_caller *caller, struct tracking_call *call)
{
    struct tracking_repository *to = caller->repository;
    switch (call->kind) {
    case TRACKING_CALL_CREATE:
        tracking_repository_create_tracking(to, &call->create, call_done, caller);
        break;
    case TRACKING_CALL_GET:
        tracking_repository_get_tracking(to, &call->get, call_done, caller);
        break;
    case TRACKING_CALL_LIST_TRACKINGS:
        tracking_repository_list_trackings(to, &call->list_trackings, call_done, caller);
        break;
    case TRACKING_CALL_LIST_IDLE:
        tracking_repository_list_idle_trackings(to, &call->list_idle, call_done, caller);
        break;
    case TRACKING_CALL_RECORD_EVENT:
        tracking_repository_record_event(to, &call->record_event, call_done, caller);
        break;
    case TRACKING_CALL_RECORD_PING:
        tracking_repository_record_ping(to, &call->record_ping, call_done, caller);
        break;
    case TRACKING_CALL_LIST_EVENTS:
        tracking_repository_list_events(to, &call->list_events, call_done, caller);
        break;
    case TRACKING_CALL_REMAP:
        tracking_repository_remap_trackings(to, &call->remap, call_done, caller);
        break;
    case TRACKING_CALL_ERASE:
        tracking_repository_erase_tracking(to, &call->erase, call_done, caller);
        break;
    case TRACKING_CALL_PUT_NOTE:
        tracking_repository_put_note(to, &call->put_note, call_done, caller);
        break;
    case TRACKING_CALL_LIST_NOTES:
        tracking_repository_list_notes(to, &call->list_notes, call_done, caller);
        break;
    }
}

void tracking_call_run_all(struct tracking_caller *caller, struct tracking_call *calls,
                           size_t count)
{
    arena_reset(&caller->arena);
    caller->error = error_none();
    caller->under_way = count;
    for (size_t i = 0; i < count; i++) {
        calls[i].base.executor = &caller->executor.base;
        calls[i].base.arena = &caller->arena;
        send(caller, &calls[i]);
    }
    for (int i = 0; caller->under_way > 0; i++) {
        CHECK(i < 10000); /* the store does not answer */
        if (caller->work != NULL)
            caller->work(caller->work_context);
        if (test_executor_wait(&caller->executor, caller->work == NULL ? answer_timeout_us : 0))
            test_executor_run_all(&caller->executor);
    }
}

void tracking_call_run(struct tracking_caller *caller, struct tracking_call *call)
{
    tracking_call_run_all(caller, call, 1);
}

#define PRINT(...) CHECK(buffer_append_format(out, __VA_ARGS__))
#define TEXT(text) (int)(text).size, (text).data == NULL ? "" : (text).data

static void print_location(struct buffer *out, const struct tracking_location *location)
{
    PRINT(" at(");
    if (location->has_point)
        PRINT("%d,%d", location->latitude_e7, location->longitude_e7);
    PRINT(";%.*s;%.*s;%.*s)", TEXT(location->facility), TEXT(location->city),
          TEXT(location->country_code));
}

void tracking_event_print(struct buffer *out, const struct tracking_event *event)
{
    PRINT("[%.*s %.*s/%.*s %s%s %s v%d t%lld", TEXT(event->event_id), TEXT(event->carrier),
          TEXT(event->tracking_number), tracking_event_type_text(event->type),
          event->type_is_mapped ? " mapped" : "", tracking_sub_status_text(event->sub_status),
          event->map_version, (long long)event->occurred_time_us);
    if (event->has_utc_offset)
        PRINT(" offset %d by %d", event->utc_offset_minutes, (int)event->utc_offset_source);
    print_location(out, &event->location);
    PRINT(" code(%.*s) says(%.*s) from(%.*s) corrects(%.*s) payload(%.*s) expects %lld "
          "recorded %lld%s]",
          TEXT(event->carrier_code), TEXT(event->description), TEXT(event->source),
          TEXT(event->corrects_event_id), TEXT(event->payload),
          (long long)event->expected_delivery_time_us, (long long)event->record_time_us,
          event->withdrawn ? " withdrawn" : "");
}

void tracking_print(struct buffer *out, const struct tracking *tracking, bool revision)
{
    PRINT("{%.*s/%.*s#%d status %d %s", TEXT(tracking->carrier), TEXT(tracking->tracking_number),
          tracking->generation, (int)tracking->status,
          tracking_sub_status_text(tracking->sub_status));
    print_location(out, &tracking->location);
    PRINT(" expected %lld first %lld delivered %lld events %lld",
          (long long)tracking->expected_delivery_time_us,
          (long long)tracking->original_expected_delivery_time_us,
          (long long)tracking->delivered_time_us, (long long)tracking->event_count);
    if (revision)
        PRINT(" revision %lld", (long long)tracking->revision);
    PRINT(" shipment(%.*s) order(%.*s) start %lld", TEXT(tracking->shipment_id),
          TEXT(tracking->order_id), (long long)tracking->start_time_us);
    if (tracking->has_last_event)
        tracking_event_print(out, &tracking->last_event);
    PRINT("}");
}

static void print_result(struct buffer *out, const struct tracking_call *call)
{
    switch (call->kind) {
    case TRACKING_CALL_CREATE:
        tracking_print(out, &call->create.tracking, true);
        break;
    case TRACKING_CALL_GET:
        tracking_print(out, &call->get.tracking, true);
        break;
    case TRACKING_CALL_LIST_TRACKINGS:
        for (size_t i = 0; i < call->list_trackings.tracking_count; i++)
            tracking_print(out, &call->list_trackings.trackings[i], true);
        PRINT("%s", call->list_trackings.more ? " more" : "");
        break;
    case TRACKING_CALL_LIST_IDLE:
        for (size_t i = 0; i < call->list_idle.tracking_count; i++)
            PRINT(" [%.*s/%.*s/%d %d since %lld]", TEXT(call->list_idle.trackings[i].key.carrier),
                  TEXT(call->list_idle.trackings[i].key.tracking_number),
                  call->list_idle.trackings[i].key.generation,
                  (int)call->list_idle.trackings[i].status,
                  (long long)call->list_idle.trackings[i].activity_us);
        PRINT("%s", call->list_idle.more ? " more" : "");
        break;
    case TRACKING_CALL_RECORD_EVENT:
        PRINT("%s ", call->record_event.is_new ? "new" : "known");
        tracking_event_print(out, &call->record_event.event);
        tracking_print(out, &call->record_event.tracking, true);
        break;
    case TRACKING_CALL_RECORD_PING:
        break;
    case TRACKING_CALL_LIST_EVENTS:
        for (size_t i = 0; i < call->list_events.event_count; i++)
            tracking_event_print(out, &call->list_events.events[i]);
        PRINT("%s", call->list_events.more ? " more" : "");
        break;
    case TRACKING_CALL_REMAP:
        PRINT("%lld %lld %lld", (long long)call->remap.trackings, (long long)call->remap.events,
              (long long)call->remap.status_changes);
        break;
    case TRACKING_CALL_PUT_NOTE:
        PRINT("%.*s", TEXT(call->put_note.value));
        break;
    case TRACKING_CALL_LIST_NOTES:
        for (size_t i = 0; i < call->list_notes.note_count; i++)
            PRINT("(%.*s=%.*s)", TEXT(call->list_notes.notes[i].name),
                  TEXT(call->list_notes.notes[i].value));
        PRINT("%s", call->list_notes.more ? " more" : "");
        break;
    case TRACKING_CALL_ERASE:
        PRINT("%lld %lld %lld", (long long)call->erase.generations, (long long)call->erase.events,
              (long long)call->erase.pings);
        break;
    }
}

void tracking_call_print(struct buffer *out, const struct tracking_caller *caller,
                         const struct tracking_call *call)
{
    buffer_clear(out);
    if (error_is(caller->error)) {
        PRINT("error %s: %s", error_text(caller->error.code), caller->error.detail);
        return;
    }
    PRINT("outcome %d ", (int)call->base.outcome);
    if (call->base.outcome == TRACKING_DONE)
        print_result(out, call);
}
