/*
 * The subscription's thread hands over a batch; its events go to the repository all at once, and
 * the thread waits for the answers, which come back through an executor of its own. Then the place
 * is noted. An error of the repository fails the batch, which comes again later.
 */
#include "tracking/interfaces/events/carrier_event_consumer.h"

#include "platform/base/codec.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/events/event_subscription.h"
#include "tracking/domain/limits.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "waybill/shipping/v1/shipping_events.pb-c.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const char note_name[] = "place/shipping";

enum { batch_bytes_max = 16 * 1024 * 1024 };

/* What the repository answers runs on the thread that waits for it. */
struct waiting_executor {
    struct executor base;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    struct task *first;
    struct task *last;
};

struct carrier_event_consumer {
    struct tracking_service *service;
    struct event_subscription *subscription;
    struct waiting_executor executor;
    size_t under_way;
    struct error error;   /* the first of this batch */
    struct arena arena;   /* of this batch, for this thread */
    struct arena answers; /* of this batch, for the repository's */
    _Atomic uint64_t count;
};

static void post(struct executor *base, struct task *first, struct task *last)
{
    struct waiting_executor *executor = (struct waiting_executor *)base;
    pthread_mutex_lock(&executor->mutex);
    if (executor->first == NULL)
        executor->first = first;
    else
        executor->last->next = first;
    executor->last = last;
    pthread_cond_signal(&executor->posted);
    pthread_mutex_unlock(&executor->mutex);
}

/* Runs what comes until everything sent is answered. */
static void wait_for_answers(struct carrier_event_consumer *consumer)
{
    struct waiting_executor *executor = &consumer->executor;
    while (consumer->under_way > 0) {
        pthread_mutex_lock(&executor->mutex);
        while (executor->first == NULL)
            pthread_cond_wait(&executor->posted, &executor->mutex);
        struct task *task = executor->first;
        executor->first = NULL;
        executor->last->next = NULL;
        pthread_mutex_unlock(&executor->mutex);
        while (task != NULL) {
            struct task *next = task->next;
            task->run(task);
            task = next;
        }
    }
}

static void answered(void *context, const struct error *error)
{
    struct carrier_event_consumer *consumer = context;
    consumer->under_way--;
    if (error != NULL && !error_is(consumer->error))
        consumer->error = *error;
}

static struct tracking_command command_base(struct carrier_event_consumer *consumer)
{
    return (struct tracking_command){.executor = &consumer->executor.base,
                                     .arena = &consumer->answers};
}

static void begin(struct carrier_event_consumer *consumer)
{
    arena_reset(&consumer->arena);
    arena_reset(&consumer->answers);
    consumer->error = error_none();
    consumer->under_way = 0;
}

/* --- one event --- */

/* Without control characters and within bytes_max, cut between characters: carriers write what they
 * like. */
static struct text cleaned(struct arena *arena, const char *string, size_t bytes_max)
{
    struct text copy = arena_copy_text(arena, text_of(string));
    char *bytes = (char *)(uintptr_t)copy.data;
    if (copy.data == NULL)
        return text_make("", 0);
    for (size_t i = 0; i < copy.size; i++) {
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7F)
            bytes[i] = ' ';
    }
    if (copy.size > bytes_max)
        copy.size = bytes_max;
    while (copy.size > 0 && !text_is_utf8(copy))
        copy.size--;
    return text_trim(copy);
}

static struct tracking_event event_of(struct arena *arena,
                                      const Waybill__Shipping__V1__CarrierEventReceived *message)
{
    const Waybill__Shipping__V1__Scan *scan = message->scan;
    struct tracking_event event = {
        .carrier = arena_copy_text(arena, text_of(message->carrier)),
        .tracking_number = arena_copy_text(arena, text_of(scan->tracking_number)),
        .occurred_time_us = tracking_time_of(scan->occurred_time),
        .carrier_code = cleaned(arena, scan->carrier_code, tracking_carrier_code_bytes_max),
        .description = cleaned(arena, scan->description, tracking_description_bytes_max),
        .location.facility = cleaned(arena, scan->facility, tracking_facility_bytes_max),
        .location.city = cleaned(arena, scan->city, tracking_city_bytes_max),
        .location.country_code = cleaned(arena, scan->country_code, tracking_country_bytes),
        .source = text_of("shipping"),
    };
    if (scan->utc_offset_minutes != NULL) {
        event.has_utc_offset = true;
        event.utc_offset_minutes = scan->utc_offset_minutes->value;
        event.utc_offset_source = UTC_OFFSET_CARRIER;
    }
    if (scan->point != NULL) {
        event.location.has_point = true;
        event.location.latitude_e7 = scan->point->latitude_e7;
        event.location.longitude_e7 = scan->point->longitude_e7;
    }
    return event;
}

/* The number belongs to a shipment of ours: it is opened, or was. */
static bool send_creation(struct carrier_event_consumer *consumer,
                          const Waybill__Shipping__V1__CarrierEventReceived *message,
                          const struct tracking_event *event)
{
    struct violations violations;
    struct arena *arena = &consumer->arena;
    struct create_tracking_command *command = arena_allocate_zero(arena, 1, sizeof *command);
    if (command == NULL)
        return false;
    violations_init(&violations, arena);
    command->base = command_base(consumer);
    command->carrier = event->carrier;
    command->tracking_number = event->tracking_number;
    command->shipment_id = arena_copy_text(arena, text_of(message->shipment_id));
    command->order_id = arena_copy_text(arena, text_of(message->order_id));
    command->start_time_us = event->occurred_time_us;
    if (tracking_service_create_tracking(consumer->service, command, &violations, answered,
                                         consumer))
        consumer->under_way++;
    return true;
}

static void pass_over(const struct event *event, const struct violations *violations)
{
    struct log_field fields[] = {
        log_text("event", event->event_id),
        log_text("field", violations->count == 0 ? text_of("") : violations->items[0].field),
    };
    log_event(LOG_LEVEL_WARNING, "tracking: a carrier's event is none that can be kept", fields,
              sizeof fields / sizeof fields[0]);
}

/* False without memory. */
static bool send_event(struct carrier_event_consumer *consumer, const struct event *event)
{
    struct violations violations;
    struct arena *arena = &consumer->arena;
    struct record_event_command *command = arena_allocate_zero(arena, 1, sizeof *command);
    Waybill__Shipping__V1__CarrierEventReceived *message =
        waybill__shipping__v1__carrier_event_received__unpack(NULL, event->data.size,
                                                              (const uint8_t *)event->data.data);
    bool good = command != NULL && message != NULL;
    violations_init(&violations, arena);
    if (good && message->scan == NULL) {
        pass_over(event, &violations);
    } else if (good) {
        command->base = command_base(consumer);
        command->event = event_of(arena, message);
        if (message->shipment_id[0] != '\0')
            good = send_creation(consumer, message, &command->event);
        if (good && tracking_service_record_event(consumer->service, command, &violations, answered,
                                                  consumer)) {
            consumer->under_way++;
            consumer->count++;
        } else if (good) {
            pass_over(event, &violations);
        }
    }
    waybill__shipping__v1__carrier_event_received__free_unpacked(message, NULL);
    return good;
}

/* --- the consumer --- */

static struct error load(void *context, struct event_place *place)
{
    struct carrier_event_consumer *consumer = context;
    struct list_notes_command command = {
        .base = command_base(consumer), .prefix = text_of(note_name), .page_size = 1};
    *place = (struct event_place){0};
    begin(consumer);
    consumer->under_way = 1;
    tracking_repository_list_notes(consumer->service->repository, &command, answered, consumer);
    wait_for_answers(consumer);
    if (error_is(consumer->error) || command.note_count == 0)
        return consumer->error;
    struct byte_reader reader = byte_reader_of(command.notes[0].value);
    struct text identity = read_text(&reader);
    place->position = read_varint(&reader);
    if (reader.failed || identity.size >= sizeof place->identity)
        return error_make(ERROR_DAMAGED, "the place in shipping's events is none");
    memcpy(place->identity, identity.data, identity.size);
    return error_none();
}

static struct error save(struct carrier_event_consumer *consumer, const struct event_place *place)
{
    char bytes[64];
    struct byte_writer writer = {.at = bytes};
    write_text(&writer, text_of(place->identity));
    write_varint(&writer, place->position);
    struct put_note_command command = {
        .base = command_base(consumer),
        .name = text_of(note_name),
        .value = text_make(bytes, (size_t)(writer.at - bytes)),
    };
    consumer->under_way = 1;
    tracking_repository_put_note(consumer->service->repository, &command, answered, consumer);
    wait_for_answers(consumer);
    return consumer->error;
}

static struct error handle(void *context, const struct event_batch *batch,
                           const struct event_place *place)
{
    struct carrier_event_consumer *consumer = context;
    const char *type = waybill__shipping__v1__carrier_event_received__descriptor.name;
    bool good = true;
    begin(consumer);
    for (size_t i = 0; i < batch->event_count && good; i++) {
        if (text_equals_string(batch->events[i].type, type))
            good = send_event(consumer, &batch->events[i]);
    }
    wait_for_answers(consumer);
    if (!good)
        return error_make(ERROR_OUT_OF_MEMORY, "taking in carriers' events");
    return error_is(consumer->error) ? consumer->error : save(consumer, place);
}

/* Another log, or too old a place: whatever is kept is taken again, and changes nothing twice. */
static enum event_place_lost lost(void *context, const struct error *error)
{
    (void)context;
    log_error("tracking: the place in shipping's events is lost; all that is kept is taken again",
              error);
    return EVENT_PLACE_OLDEST;
}

struct error carrier_event_consumer_open(struct carrier_event_consumer **consumer,
                                         struct tracking_service *service,
                                         struct event_feed *shipping)
{
    static const struct executor_table table = {.post = post};
    struct carrier_event_consumer *made = memory_allocate_zero(1, sizeof *made);
    struct event_subscription_options options = event_subscription_options_default();
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: shipping's events");
    made->service = service;
    made->executor.base.table = &table;
    pthread_mutex_init(&made->executor.mutex, NULL);
    pthread_cond_init(&made->executor.posted, NULL);
    arena_init(&made->arena, batch_bytes_max);
    arena_init(&made->answers, batch_bytes_max);
    options.name = "carriers' events";
    options.feed = shipping;
    options.clock = clock_system();
    options.consumer =
        (struct event_consumer){.load = load, .handle = handle, .lost = lost, .context = made};
    *consumer = made;
    return event_subscription_start(&made->subscription, &options);
}

void carrier_event_consumer_close(struct carrier_event_consumer *consumer)
{
    if (consumer == NULL)
        return;
    event_subscription_stop(consumer->subscription);
    arena_deinit(&consumer->arena);
    arena_deinit(&consumer->answers);
    pthread_cond_destroy(&consumer->executor.posted);
    pthread_mutex_destroy(&consumer->executor.mutex);
    memory_release(consumer);
}

uint64_t carrier_event_consumer_count(struct carrier_event_consumer *consumer)
{
    return consumer == NULL ? 0 : consumer->count;
}
