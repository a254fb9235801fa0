/*
 * The subscription's thread hands over a batch; its events go to the repository all at once, and
 * the thread waits for the answers, which come back through an executor of its own. Then the place
 * is noted. An error of the repository fails the batch, which comes again later.
 */
#include "tracking/interfaces/events/carrier_event_consumer.h"

#include "platform/base/codec.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/base/waiting_executor.h"
#include "platform/rpc/message_pack.h"
#include "tracking/interfaces/events/scan_event.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "waybill/shipping/v1/shipping_events.pb-c.h"

#include <stdatomic.h>
#include <string.h>

static const char note_name[] = "place/shipping";
static const char source[] = "shipping";

const char *const carrier_event_types[] = {
    "waybill.shipping.v1.CarrierEventReceived",
    "waybill.shipping.v1.ShipmentCreated",
    "waybill.shipping.v1.ShipmentCancelled",
};
const size_t carrier_event_type_count = sizeof carrier_event_types / sizeof carrier_event_types[0];

enum { batch_bytes_max = 16 * 1024 * 1024, batch_events = 64 };

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

/* Runs what comes until everything sent is answered. */
static void wait_for_answers(struct carrier_event_consumer *consumer)
{
    while (consumer->under_way > 0)
        waiting_executor_run_one(&consumer->executor);
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

/* What is sent to the repository for an event, until it is answered. */
struct sent {
    struct carrier_event_consumer *consumer;
    struct text event_id;
    union {
        struct tracking_command base;
        struct create_tracking_command create;
        struct record_event_command record;
    };
};

static void tell_refusal(struct text event_id, const char *what, struct text why)
{
    struct log_field fields[] = {
        log_text("event", event_id),
        log_string("what", what),
        log_text("why", why),
    };
    log_event(LOG_LEVEL_WARNING, "tracking: something that shipping told could not be kept", fields,
              sizeof fields / sizeof fields[0]);
}

static void sent_answered(void *context, const struct error *error)
{
    static const char *const reasons[] = {
        [TRACKING_DONE] = "",
        [TRACKING_NOT_FOUND] = "it is not known",
        [TRACKING_ID_REUSED] = "the number is another shipment's",
        [TRACKING_EVENT_LIMIT] = "the number has too many events",
        [TRACKING_GENERATION_LIMIT] = "the number was used too often",
        [TRACKING_NOTE_LIMIT] = "there are too many",
    };
    struct sent *sent = context;
    if (error == NULL && sent->base.outcome != TRACKING_DONE)
        tell_refusal(sent->event_id, "decision", text_of(reasons[sent->base.outcome]));
    answered(sent->consumer, error);
}

/* NULL without memory for it, or for anything copied before. */
static struct sent *make_sent(struct carrier_event_consumer *consumer, const struct event *event)
{
    struct sent *sent = arena_allocate_zero(&consumer->arena, 1, sizeof *sent);
    if (sent == NULL || consumer->arena.refused)
        return NULL;
    sent->consumer = consumer;
    sent->event_id = event->event_id;
    sent->base = command_base(consumer);
    return sent;
}

/* A parcel of a shipment of ours: it is opened, or was. False without memory. */
static bool open_parcel(struct carrier_event_consumer *consumer, const struct event *event,
                        struct create_tracking_command wanted)
{
    struct violations violations;
    struct sent *sent = make_sent(consumer, event);
    if (sent == NULL)
        return false;
    wanted.base = sent->base;
    sent->create = wanted;
    violations_init(&violations, &consumer->arena);
    if (tracking_service_create_tracking(consumer->service, &sent->create, &violations,
                                         sent_answered, sent))
        consumer->under_way++;
    else
        tell_refusal(event->event_id, "tracking", violations.items[0].field);
    return true;
}

static bool record(struct carrier_event_consumer *consumer, const struct event *event,
                   const struct tracking_event *recorded)
{
    struct violations violations;
    struct sent *sent = make_sent(consumer, event);
    if (sent == NULL)
        return false;
    sent->record.event = *recorded;
    violations_init(&violations, &consumer->arena);
    if (tracking_service_record_event(consumer->service, &sent->record, &violations, sent_answered,
                                      sent)) {
        consumer->under_way++;
        consumer->count++;
    } else {
        tell_refusal(event->event_id, "scan", violations.items[0].field);
    }
    return true;
}

static struct text copy(struct carrier_event_consumer *consumer, const char *string)
{
    return arena_copy_text(&consumer->arena, text_of(string));
}

/* CarrierEventReceived: the number is opened if its shipment is known, then the scan is kept. */
static bool take_scan(struct carrier_event_consumer *consumer, const struct event *event,
                      const ProtobufCMessage *base)
{
    const Waybill__Shipping__V1__CarrierEventReceived *message = (const void *)base;
    if (message->scan == NULL) {
        tell_refusal(event->event_id, "scan", text_of("there is none"));
        return true;
    }
    struct tracking_event scan =
        scan_event_of(&consumer->arena, text_of(message->carrier), message->scan, source);
    struct create_tracking_command wanted = {
        .carrier = scan.carrier,
        .tracking_number = scan.tracking_number,
        .shipment_id = copy(consumer, message->shipment_id),
        .order_id = copy(consumer, message->order_id),
        .start_time_us = scan.occurred_time_us,
    };
    return (message->shipment_id[0] == '\0' || open_parcel(consumer, event, wanted)) &&
           record(consumer, event, &scan);
}

/*
 * Where no parcel has the shipment's own number, its carrier tells of the whole alone (DHL
 * Express), in pushes and in answers: then that is the number to follow.
 */
static bool is_followed_as_one(const Waybill__Shipping__V1__Shipment *shipment)
{
    for (size_t i = 0; i < shipment->n_parcels; i++) {
        if (strcmp(shipment->parcels[i]->tracking_number, shipment->tracking_number) == 0)
            return false;
    }
    return shipment->tracking_number[0] != '\0';
}

static size_t number_count(const Waybill__Shipping__V1__Shipment *shipment)
{
    return is_followed_as_one(shipment) || shipment->n_parcels == 0 ? 1 : shipment->n_parcels;
}

/* Number by number; a parcel without one has the whole's. */
static const char *number_of(const Waybill__Shipping__V1__Shipment *shipment, size_t parcel)
{
    const char *number = is_followed_as_one(shipment) || shipment->n_parcels == 0
                             ? shipment->tracking_number
                             : shipment->parcels[parcel]->tracking_number;
    return number[0] != '\0' ? number : shipment->tracking_number;
}

static bool is_first_of_its_number(const Waybill__Shipping__V1__Shipment *shipment, size_t parcel)
{
    for (size_t i = 0; i < parcel; i++) {
        if (strcmp(number_of(shipment, i), number_of(shipment, parcel)) == 0)
            return false;
    }
    return number_of(shipment, parcel)[0] != '\0';
}

/* ShipmentCreated: each parcel is opened. */
static bool take_creation(struct carrier_event_consumer *consumer, const struct event *event,
                          const ProtobufCMessage *base)
{
    const Waybill__Shipping__V1__Shipment *shipment =
        ((const Waybill__Shipping__V1__ShipmentCreated *)(const void *)base)->shipment;
    bool good = true;
    for (size_t i = 0; shipment != NULL && i < number_count(shipment) && good; i++) {
        struct create_tracking_command wanted = {
            .carrier = copy(consumer, shipment->carrier),
            .tracking_number = copy(consumer, number_of(shipment, i)),
            .shipment_id = copy(consumer, shipment->shipment_id),
            .order_id = copy(consumer, shipment->order_id),
            .start_time_us = message_time_us(shipment->create_time),
        };
        if (is_first_of_its_number(shipment, i))
            good = open_parcel(consumer, event, wanted);
    }
    return good;
}

/* ShipmentCancelled: the labels are void, nothing more is heard of their parcels. */
static bool take_cancellation(struct carrier_event_consumer *consumer, const struct event *event,
                              const ProtobufCMessage *base)
{
    const Waybill__Shipping__V1__Shipment *shipment =
        ((const Waybill__Shipping__V1__ShipmentCancelled *)(const void *)base)->shipment;
    bool good = true;
    for (size_t i = 0; shipment != NULL && i < number_count(shipment) && good; i++) {
        struct tracking_event cancelled = {
            .carrier = copy(consumer, shipment->carrier),
            .tracking_number = copy(consumer, number_of(shipment, i)),
            .type = TRACKING_EVENT_CANCELLED,
            .occurred_time_us = event->time_us,
            .description = text_of("The label was voided"),
            .source = text_of(source),
        };
        if (is_first_of_its_number(shipment, i))
            good = record(consumer, event, &cancelled);
    }
    return good;
}

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    bool (*take)(struct carrier_event_consumer *consumer, const struct event *event,
                 const ProtobufCMessage *message); /* false without memory */
} kinds[] = {
    {&waybill__shipping__v1__carrier_event_received__descriptor, take_scan},
    {&waybill__shipping__v1__shipment_created__descriptor, take_creation},
    {&waybill__shipping__v1__shipment_cancelled__descriptor, take_cancellation},
};

/* Other events are passed over; what is no message is set aside. False without memory. */
static bool take_event(struct carrier_event_consumer *consumer, const struct event *event)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!text_equals_string(event->type, kinds[i].descriptor->name))
            continue;
        ProtobufCMessage *message;
        struct error error = message_unpack(kinds[i].descriptor, event->data, &message);
        if (error.code == ERROR_DAMAGED) {
            event_subscription_set_aside(consumer->subscription, event, &error);
            return true;
        }
        bool good = message != NULL && kinds[i].take(consumer, event, message);
        message_release(message);
        return good;
    }
    return true;
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
    bool good = true;
    begin(consumer);
    for (size_t i = 0; i < batch->event_count && good; i++)
        good = take_event(consumer, &batch->events[i]);
    wait_for_answers(consumer);
    if (!good)
        return error_make(ERROR_OUT_OF_MEMORY, "taking in shipping's events");
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
    struct carrier_event_consumer *made = memory_allocate_zero(1, sizeof *made);
    struct event_subscription_options options = event_subscription_options_default();
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: shipping's events");
    made->service = service;
    waiting_executor_init(&made->executor);
    arena_init(&made->arena, batch_bytes_max);
    arena_init(&made->answers, batch_bytes_max);
    options.name = "shipping's events";
    options.feed = shipping;
    options.clock = clock_system();
    options.batch_events_max = batch_events; /* a shipment may have many parcels */
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
    waiting_executor_deinit(&consumer->executor);
    memory_release(consumer);
}

struct carrier_event_consumer_status carrier_event_consumer_status(
    struct carrier_event_consumer *consumer)
{
    return (struct carrier_event_consumer_status){
        .subscription = event_subscription_status(consumer->subscription),
        .events = consumer->count,
    };
}
