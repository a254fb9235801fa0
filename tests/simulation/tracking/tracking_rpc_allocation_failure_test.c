/*
 * Goal: every allocation of each call of TrackingService fails once between the caller's request
 * and the answer: ours, nghttp2's and protobuf-c's (RELIABILITY row 9). It costs that call at most;
 * an event is recorded whole, once, or not at all; asked again the answer is right.
 *
 * Method: the real door and use cases in one thread (tests/support/rpc_memory_kit.h) on the
 * embedded store, watchers and webhooks with threads of their own: their allocations fail in
 * tracking_allocation_failure_test.c and are left alone here.
 */
#include "platform/base/check.h"
#include "platform/events/log_cursor.h"
#include "tests/support/rpc_memory_kit.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tracking/tracking_call.h"
#include "tracking/application/tracking_service.h"
#include "tracking/application/tracking_subscription.h"
#include "tracking/infrastructure/code_maps/built_in_code_maps.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"
#include "tracking/interfaces/events/tracking_events.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"
#include "tracking/interfaces/webhooks/tracking_webhooks.h"

#include "waybill/common/v1/common.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <stdio.h>
#include <string.h>

static const int64_t start_seconds = 1700000000;

enum { payload_bytes = 800 }; /* with the event's texts it all but fills an arena's first block */

struct world {
    struct rpc_memory_kit rpc; /* first */
    struct temporary_directory directory;
    struct built_in_code_maps code_maps;
    struct tracking_repository *repository;
    struct tracking_service service;
    struct tracking_events *events;
    struct tracking_watch *watch;
    struct tracking_webhooks *webhooks;
    struct tracking_door door;
    struct tracking_caller caller; /* behind the door */
};

/* --- the world --- */

static void open_store(struct world *world)
{
    struct embedded_tracking_options options = embedded_tracking_options_default();
    temporary_directory_create(&world->directory);
    options.directory = world->directory.path;
    options.segment_bytes = 4 << 20;
    options.batch_bytes_max = 1 << 18;
    options.memory_bytes_max = 8 << 20;
    options.free_bytes_min = 0;
    struct error error = embedded_tracking_open(&world->repository, &options);
    assert_string_equal(error.detail, "");
    assert_false(error_is(built_in_code_maps_init(&world->code_maps)));
    world->service = (struct tracking_service){
        .repository = world->repository,
        .code_maps = &world->code_maps.all,
        .clock = clock_system(),
    };
    tracking_caller_init(&world->caller, world->repository);
}

static void open_door(struct world *world, const struct rpc_memory_trial *trial)
{
    struct tracking_announcement_source *announcements =
        embedded_tracking_announcements(world->repository);
    assert_false(error_is(tracking_events_open(&world->events, &world->service, announcements)));
    assert_false(error_is(tracking_watch_open(&world->watch, &world->service, announcements,
                                              tracking_events_feed(world->events))));
    struct tracking_webhooks_options webhooks = {
        .repository = world->repository,
        .feed = tracking_events_feed(world->events),
        .random = random_system(),
        .attempts_max = 2,
    };
    assert_false(error_is(tracking_webhooks_open(&world->webhooks, &webhooks)));
    world->door = (struct tracking_door){
        .service = &world->service,
        .watch = world->watch,
        .announcements = announcements,
        .webhooks = world->webhooks,
    };
    world->rpc = (struct rpc_memory_kit){
        .trial = trial, .service = tracking_rpc_service(&world->door), .context = world};
    rpc_memory_kit_open(&world->rpc);
}

static int set_up(void **state)
{
    static struct world world;
    const struct rpc_memory_trial *trial = *state;
    memset(&world, 0, sizeof world);
    open_store(&world);
    open_door(&world, trial);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    tracking_watch_stop(world->watch);
    tracking_webhooks_stop(world->webhooks);
    rpc_memory_kit_close(&world->rpc);
    tracking_watch_close(world->watch);
    tracking_events_close(world->events);
    tracking_caller_deinit(&world->caller);
    embedded_tracking_close(world->repository);
    tracking_webhooks_close(world->webhooks);
    built_in_code_maps_deinit(&world->code_maps);
    temporary_directory_remove(&world->directory);
    return 0;
}

/* --- behind the door --- */

static char *number_of(char *text, size_t size, unsigned number)
{
    snprintf(text, size, "N%06u", number);
    return text;
}

/* One event of that number, as if it had been told before. */
static void record(struct world *world, unsigned number, const char *event_id)
{
    char name[16];
    struct tracking_call call = {.kind = TRACKING_CALL_RECORD_EVENT};
    call.record_event.event = (struct tracking_event){
        .event_id = text_of(event_id),
        .carrier = text_of("ups"),
        .tracking_number = text_of(number_of(name, sizeof name, number)),
        .type = TRACKING_EVENT_IN_TRANSIT,
        .occurred_time_us = start_seconds * 1000000,
        .location = {.city = text_of("Lagos"), .country_code = text_of("NG")},
        .description = text_of("a scan"),
        .source = text_of("test"),
    };
    tracking_call_run(&world->caller, &call);
    assert_false(error_is(world->caller.error));
}

static void put_note(struct world *world, const char *name, struct text value)
{
    struct tracking_call call = {.kind = TRACKING_CALL_PUT_NOTE};
    call.put_note.name = text_of(name);
    call.put_note.value = value;
    tracking_call_run(&world->caller, &call);
    assert_false(error_is(world->caller.error));
}

/* How many notes begin like that. */
static size_t count_notes(struct world *world, const char *prefix)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_NOTES};
    call.list_notes.prefix = text_of(prefix);
    call.list_notes.page_size = 100;
    tracking_call_run(&world->caller, &call);
    assert_false(error_is(world->caller.error));
    return call.list_notes.note_count;
}

/* What is there of the number; its events are `events`, and none is half there. */
static void check_events(struct world *world, unsigned number, int32_t events)
{
    char name[16];
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_EVENTS};
    number_of(name, sizeof name, number);
    call.list_events.carrier = text_of("ups");
    call.list_events.tracking_number = text_of(name);
    call.list_events.to_us = INT64_MAX;
    call.list_events.page_size = 100;
    tracking_call_run(&world->caller, &call);
    assert_false(error_is(world->caller.error));
    assert_int_equal(call.list_events.event_count, events);
    for (int32_t i = 0; i < events; i++) {
        const struct tracking_event *event = &call.list_events.events[i];
        assert_true(event->event_id.size > 0 && text_equals_string(event->location.city, "Lagos"));
    }
}

/* --- requests --- */

static char *number(struct arena *arena, unsigned trial)
{
    char *name = request_take(arena, 16);
    return number_of(name, 16, trial);
}

static Google__Protobuf__Timestamp *time_at(struct arena *arena, int64_t seconds)
{
    Google__Protobuf__Timestamp *made =
        request_message(arena, &google__protobuf__timestamp__descriptor);
    made->seconds = seconds;
    return made;
}

static Waybill__Common__V1__GeoPoint *point(struct arena *arena)
{
    Waybill__Common__V1__GeoPoint *made =
        request_message(arena, &waybill__common__v1__geo_point__descriptor);
    made->latitude_e7 = 64000000;
    made->longitude_e7 = 34000000;
    return made;
}

static Waybill__Tracking__V1__TrackingEvent *event(struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__TrackingEvent *made =
        request_message(arena, &waybill__tracking__v1__tracking_event__descriptor);
    made->event_id = request_string(arena, "told");
    made->carrier = request_string(arena, "ups");
    made->tracking_number = number(arena, trial);
    made->type = WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_OUT_FOR_DELIVERY;
    made->occurred_time = time_at(arena, start_seconds + 3600);
    made->point = point(arena);
    made->city = request_string(arena, "Lagos");
    made->country_code = request_string(arena, "NG");
    made->description = request_string(arena, "on the van");
    made->source = request_string(arena, "test");
    made->expected_delivery_time = time_at(arena, start_seconds + 7200);
    return made;
}

static ProtobufCMessage *make_creation(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__CreateTrackingRequest *request =
        request_message(arena, &waybill__tracking__v1__create_tracking_request__descriptor);
    (void)context;
    request->carrier = request_string(arena, "ups");
    request->tracking_number = number(arena, trial);
    request->shipment_id = number(arena, trial);
    request->order_id = request_string(arena, "an-order");
    request->expected_delivery_time = time_at(arena, start_seconds + 86400);
    return &request->base;
}

static ProtobufCMessage *make_get_of_none(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__GetTrackingRequest *request =
        request_message(arena, &waybill__tracking__v1__get_tracking_request__descriptor);
    (void)context;
    request->carrier = request_string(arena, "ups");
    request->tracking_number = number(arena, trial);
    return &request->base;
}

static ProtobufCMessage *make_get(void *context, struct arena *arena, unsigned trial)
{
    record(context, trial, "first");
    return make_get_of_none(context, arena, trial);
}

/* One a page, of those that there are. */
static ProtobufCMessage *make_list(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__ListTrackingsRequest *request =
        request_message(arena, &waybill__tracking__v1__list_trackings_request__descriptor);
    record(context, 2 * trial, "first");
    record(context, 2 * trial + 1, "first");
    request->status = WAYBILL__TRACKING__V1__TRACKING_STATUS__TRACKING_STATUS_IN_TRANSIT;
    request->page_size = 1;
    return &request->base;
}

static ProtobufCMessage *make_event(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__RecordEventRequest *request =
        request_message(arena, &waybill__tracking__v1__record_event_request__descriptor);
    record(context, trial, "first");
    request->event = event(arena, trial);
    return &request->base;
}

/* Its id is made of the content, its type of the carrier's code. */
static ProtobufCMessage *make_coded_event(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__RecordEventRequest *request =
        (Waybill__Tracking__V1__RecordEventRequest *)make_event(context, arena, trial);
    request->event->event_id = request_string(arena, "");
    request->event->type =
        WAYBILL__TRACKING__V1__TRACKING_EVENT_TYPE__TRACKING_EVENT_TYPE_UNSPECIFIED;
    request->event->carrier_code = request_string(arena, "D");
    return &request->base;
}

static ProtobufCMessage *make_wrong_event(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__RecordEventRequest *request =
        (Waybill__Tracking__V1__RecordEventRequest *)make_event(context, arena, trial);
    request->event->country_code = request_string(arena, "nowhere");
    request->event->occurred_time = NULL;
    return &request->base;
}

static ProtobufCMessage *make_streamed_event(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__RecordEventsRequest *request =
        request_message(arena, &waybill__tracking__v1__record_events_request__descriptor);
    record(context, trial, "first");
    request->event = event(arena, trial);
    return &request->base;
}

/* The event fills its arena's block: whatever more the answer took would be an allocation. */
static ProtobufCMessage *make_large_streamed_event(void *context, struct arena *arena,
                                                   unsigned trial)
{
    Waybill__Tracking__V1__RecordEventsRequest *request =
        (Waybill__Tracking__V1__RecordEventsRequest *)make_streamed_event(context, arena, trial);
    request->event->event_id =
        request_string(arena, "told-by-one-whose-ids-are-as-long-as-an-id-may-be-64-characters.");
    request->event->payload.len = payload_bytes;
    request->event->payload.data = request_take(arena, payload_bytes);
    return &request->base;
}

static ProtobufCMessage *make_ping(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__RecordPingRequest *request =
        request_message(arena, &waybill__tracking__v1__record_ping_request__descriptor);
    record(context, trial, "first");
    request->carrier = request_string(arena, "ups");
    request->tracking_number = number(arena, trial);
    request->point = point(arena);
    request->time = time_at(arena, start_seconds + 60);
    return &request->base;
}

static ProtobufCMessage *make_list_of_events(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__ListEventsRequest *request =
        request_message(arena, &waybill__tracking__v1__list_events_request__descriptor);
    record(context, trial, "first");
    record(context, trial, "second");
    request->carrier = request_string(arena, "ups");
    request->tracking_number = number(arena, trial);
    request->page_size = 1;
    return &request->base;
}

/* From before an event that is there. */
static ProtobufCMessage *make_watch(void *context, struct arena *arena, unsigned trial)
{
    struct world *world = context;
    struct tracking_announcement_source *source = world->door.announcements;
    Waybill__Tracking__V1__WatchTrackingRequest *request =
        request_message(arena, &waybill__tracking__v1__watch_tracking_request__descriptor);
    Waybill__Tracking__V1__TrackingKey *key =
        request_message(arena, &waybill__tracking__v1__tracking_key__descriptor);
    request->cursor = request_take(arena, log_cursor_bytes_max);
    log_cursor_write(tracking_announcement_source_identity(source),
                     tracking_announcement_source_newest(source), request->cursor);
    record(world, trial, "first");
    key->carrier = request_string(arena, "ups");
    key->tracking_number = number(arena, trial);
    request->n_trackings = 1;
    request->trackings = request_take(arena, sizeof *request->trackings);
    request->trackings[0] = key;
    return &request->base;
}

static ProtobufCMessage *make_remap(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__RemapTrackingsRequest *request =
        request_message(arena, &waybill__tracking__v1__remap_trackings_request__descriptor);
    (void)context;
    (void)trial;
    request->carrier = request_string(arena, "ups");
    return &request->base;
}

static ProtobufCMessage *make_erasure(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__EraseTrackingRequest *request =
        request_message(arena, &waybill__tracking__v1__erase_tracking_request__descriptor);
    record(context, trial, "first");
    request->carrier = request_string(arena, "ups");
    request->tracking_number = number(arena, trial);
    return &request->base;
}

static ProtobufCMessage *make_subscription(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__CreateSubscriptionRequest *request =
        request_message(arena, &waybill__tracking__v1__create_subscription_request__descriptor);
    Waybill__Tracking__V1__Subscription *subscription =
        request_message(arena, &waybill__tracking__v1__subscription__descriptor);
    (void)context;
    subscription->subscription_id = number(arena, trial);
    subscription->url = request_string(arena, "http://127.0.0.1:9/hook");
    subscription->secret = request_string(arena, "sixteen-bytes-and-more");
    subscription->n_types = 1;
    subscription->types = request_take(arena, sizeof *subscription->types);
    subscription->types[0] =
        request_string(arena, "TrackingSilent"); /* none is told: nothing is sent */
    request->subscription = subscription;
    return &request->base;
}

/* The subscription of that number is there. */
static void subscribe(struct world *world, struct arena *arena, unsigned trial)
{
    char name[tracking_note_name_bytes_max];
    struct tracking_subscription subscription = {
        .url = text_of("http://127.0.0.1:9/hook"),
        .secret = text_of("sixteen-bytes-and-more"),
        .types = 4, /* TrackingSilent: none is told, nothing is sent */
        .create_time_us = 1,
    };
    snprintf(name, sizeof name, "%s%s", subscription_prefix, number(arena, trial));
    put_note(world, name, tracking_subscription_encode(arena, &subscription));
}

static ProtobufCMessage *make_list_of_subscriptions(void *context, struct arena *arena,
                                                    unsigned trial)
{
    Waybill__Tracking__V1__ListSubscriptionsRequest *request =
        request_message(arena, &waybill__tracking__v1__list_subscriptions_request__descriptor);
    if (trial < 2)
        subscribe(context, arena, trial);
    request->page_size = 1;
    return &request->base;
}

static ProtobufCMessage *make_deletion(void *context, struct arena *arena, unsigned trial)
{
    Waybill__Tracking__V1__DeleteSubscriptionRequest *request =
        request_message(arena, &waybill__tracking__v1__delete_subscription_request__descriptor);
    subscribe(context, arena, trial);
    request->subscription_id = number(arena, trial);
    return &request->base;
}

/* As before, and the sender knows so many: what seems to belong to none it removes. */
static void subscribe_for_sender(struct world *world, struct arena *arena, unsigned trial)
{
    uint64_t until_ns = uv_hrtime() + UINT64_C(60) * 1000000000;
    subscribe(world, arena, trial);
    tracking_webhooks_changed(world->webhooks);
    while (tracking_webhooks_usage(world->webhooks).subscriptions <= trial) {
        assert_true(uv_hrtime() < until_ns);
        uv_sleep(1);
    }
}

static void give_up(struct world *world, struct arena *arena, unsigned trial, uint64_t sequence)
{
    char name[tracking_note_name_bytes_max];
    char value[dead_letter_bytes_max];
    const struct dead_letter letter = {
        .create_time_us = 1,
        .time_us = start_seconds * 1000000,
        .event_id = text_of("an-event"),
        .reason = text_of("status 503"),
    };
    dead_letter_write_name(dead_letter_prefix, number(arena, trial), sequence, name);
    put_note(world, name, dead_letter_encode(&letter, value));
}

static ProtobufCMessage *make_list_of_dead_letters(void *context, struct arena *arena,
                                                   unsigned trial)
{
    Waybill__Tracking__V1__ListDeadLettersRequest *request =
        request_message(arena, &waybill__tracking__v1__list_dead_letters_request__descriptor);
    subscribe_for_sender(context, arena, trial);
    give_up(context, arena, trial, 1);
    give_up(context, arena, trial, 2);
    request->subscription_id = number(arena, trial);
    request->page_size = 1;
    return &request->base;
}

static ProtobufCMessage *make_replay_of_dead_letters(void *context, struct arena *arena,
                                                     unsigned trial)
{
    Waybill__Tracking__V1__ReplayDeadLettersRequest *request =
        request_message(arena, &waybill__tracking__v1__replay_dead_letters_request__descriptor);
    subscribe_for_sender(context, arena, trial);
    give_up(context, arena, trial, 1);
    give_up(context, arena, trial, 2);
    request->subscription_id = number(arena, trial);
    return &request->base;
}

/* --- what has become of it --- */

static void check_creation(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__CreateTrackingResponse *created = (const void *)response;
    check_events(context, trial, 0);
    assert_int_equal(created->tracking->generation, 1);
    assert_int_equal(created->tracking->revision, 1);
}

static void check_tracking(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__GetTrackingResponse *found = (const void *)response;
    check_events(context, trial, 1);
    assert_int_equal(found->tracking->event_count, 1);
    assert_string_equal(found->tracking->last_event->event_id, "first");
}

static void check_list(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__ListTrackingsResponse *list = (const void *)response;
    (void)context;
    (void)trial;
    assert_int_equal(list->n_trackings, 1);
    assert_true(list->next_page_token[0] != '\0');
}

static void check_recorded(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__RecordEventResponse *recorded = (const void *)response;
    check_events(context, trial, 2);
    assert_int_equal(recorded->tracking->event_count, 2);
    assert_string_equal(recorded->event->description, "on the van");
    assert_true(recorded->event->event_id[0] != '\0');
}

static void check_unrecorded(void *context, unsigned trial, const ProtobufCMessage *response)
{
    (void)response;
    check_events(context, trial, 1);
}

/* Asked of every answer, also the one that failed halfway: what is recorded is named. */
static bool says_not_recorded(const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__RecordEventsResponse *answer = (const void *)response;
    assert_true(answer->status->code != GRPC_STATUS_OK || answer->event_id[0] != '\0');
    return answer->status->code == GRPC_STATUS_RESOURCE_EXHAUSTED;
}

static void check_streamed(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__RecordEventsResponse *answer = (const void *)response;
    check_events(context, trial, 2);
    assert_int_equal(answer->status->code, 0);
    assert_string_equal(answer->event_id, "told");
}

static void check_large_streamed(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__RecordEventsResponse *answer = (const void *)response;
    check_events(context, trial, 2);
    assert_int_equal(answer->status->code, 0);
    assert_int_equal(strlen(answer->event_id), tracking_id_bytes_max);
}

static void check_list_of_events(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__ListEventsResponse *list = (const void *)response;
    (void)context;
    (void)trial;
    assert_int_equal(list->n_events, 1);
    assert_string_equal(list->events[0]->city, "Lagos");
    assert_true(list->next_page_token[0] != '\0');
}

static void check_watched(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__WatchTrackingResponse *told = (const void *)response;
    char name[16];
    (void)context;
    assert_string_equal(told->tracking->tracking_number, number_of(name, sizeof name, trial));
    assert_string_equal(told->event->event_id, "first");
    assert_true(told->cursor[0] != '\0');
}

static void check_erasure(void *context, unsigned trial, const ProtobufCMessage *response)
{
    (void)response;
    struct world *world = context;
    char name[16];
    struct tracking_call call = {.kind = TRACKING_CALL_GET};
    call.get.carrier = text_of("ups");
    call.get.tracking_number = text_of(number_of(name, sizeof name, trial));
    tracking_call_run(&world->caller, &call);
    assert_int_equal(call.base.outcome, TRACKING_NOT_FOUND);
}

static void check_subscription(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__CreateSubscriptionResponse *created = (const void *)response;
    char name[16], note[64];
    snprintf(note, sizeof note, "%s%s", subscription_prefix, number_of(name, sizeof name, trial));
    assert_string_equal(created->subscription->subscription_id, name);
    assert_int_equal(created->subscription->n_types, 1);
    assert_int_equal(count_notes(context, note), 1);
}

static void check_list_of_subscriptions(void *context, unsigned trial,
                                        const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__ListSubscriptionsResponse *list = (const void *)response;
    (void)context;
    assert_int_equal(list->n_subscriptions, 1);
    assert_string_equal(list->subscriptions[0]->subscription_id, "N000000");
    assert_true(trial == 0 || list->next_page_token[0] != '\0');
}

static void check_deletion(void *context, unsigned trial, const ProtobufCMessage *response)
{
    char name[16], note[64];
    (void)response;
    snprintf(note, sizeof note, "%s%s", subscription_prefix, number_of(name, sizeof name, trial));
    assert_int_equal(count_notes(context, note), 0);
}

static void check_dead_letters(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__ListDeadLettersResponse *list = (const void *)response;
    (void)context;
    (void)trial;
    assert_int_equal(list->n_dead_letters, 1);
    assert_string_equal(list->dead_letters[0]->reason, "status 503");
    assert_true(list->next_page_token[0] != '\0');
}

/*
 * The last answer tells how many it found: both, one that is not yet wanted, or none. What the
 * sender, on its own thread, makes of what is wanted is not looked at here.
 */
static void check_replay(void *context, unsigned trial, const ProtobufCMessage *response)
{
    const Waybill__Tracking__V1__ReplayDeadLettersResponse *replayed = (const void *)response;
    (void)context;
    (void)trial;
    assert_false(replayed->more);
    assert_in_range(replayed->dead_letters, 0, 2);
}

/* --- all of them --- */

static const struct rpc_memory_trial trials[] = {
    {"create_tracking", "CreateTracking", make_creation, .check = check_creation},
    {"get_tracking", "GetTracking", make_get, .check = check_tracking},
    {"get_tracking_of_none", "GetTracking", make_get_of_none, .status = GRPC_STATUS_NOT_FOUND},
    {"list_trackings", "ListTrackings", make_list, .check = check_list},
    {"record_event", "RecordEvent", make_event, .check = check_recorded},
    {"record_event_of_a_code", "RecordEvent", make_coded_event, .check = check_recorded},
    {"record_event_with_bad_fields", "RecordEvent", make_wrong_event, .check = check_unrecorded,
     .status = GRPC_STATUS_INVALID_ARGUMENT},
    {"record_events", "RecordEvents", make_streamed_event, .check = check_streamed,
     .says_not_done = says_not_recorded},
    {"record_events_of_a_large_one", "RecordEvents", make_large_streamed_event,
     .check = check_large_streamed, .says_not_done = says_not_recorded},
    {"record_ping", "RecordPing", make_ping, .check = check_unrecorded},
    {"list_events", "ListEvents", make_list_of_events, .check = check_list_of_events},
    {"watch_tracking", "WatchTracking", make_watch, .check = check_watched,
     .messages_until_cancelled = 1},
    {"remap_trackings", "RemapTrackings", make_remap},
    {"erase_tracking", "EraseTracking", make_erasure, .check = check_erasure,
     .done_before = GRPC_STATUS_NOT_FOUND},
    {"create_subscription", "CreateSubscription", make_subscription, .check = check_subscription},
    {"list_subscriptions", "ListSubscriptions", make_list_of_subscriptions,
     .check = check_list_of_subscriptions},
    {"delete_subscription", "DeleteSubscription", make_deletion, .check = check_deletion,
     .done_before = GRPC_STATUS_NOT_FOUND},
    {"list_dead_letters", "ListDeadLetters", make_list_of_dead_letters,
     .check = check_dead_letters},
    {"replay_dead_letters", "ReplayDeadLetters", make_replay_of_dead_letters,
     .check = check_replay},
};
enum { trial_count = sizeof trials / sizeof trials[0], failures_min = 10 };

int main(void)
{
    return rpc_memory_kit_main("tracking_rpc_allocation_failure", trials, trial_count, failures_min,
                               set_up, tear_down);
}
