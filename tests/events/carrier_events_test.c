/*
 * Goal: tracking follows shipping's events, whatever is read again: shipments are opened parcel by
 * parcel, scans become events by their content, once each; what cannot be kept is passed over and
 * holds nothing up (issue: CarrierEventReceived from shipping).
 *
 * Method: shipping is an event log on disk into which the test puts packed events; the store is the
 * embedded one with its threads. Both are closed and opened again in between, and the consumer's
 * place is taken away, so that everything is told again.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/events/event_log.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tracking/tracking_call.h"
#include "tracking/application/tracking_service.h"
#include "tracking/infrastructure/code_maps/built_in_code_maps.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"
#include "tracking/interfaces/events/carrier_event_consumer.h"
#include "waybill/shipping/v1/shipping_events.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { data_bytes_max = 8192, wait_ms_max = 60000, pause_ms = 5 };

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t hour_us = INT64_C(3600) * 1000000;

struct fixture {
    struct temporary_directory directory;
    char log_path[300];
    char store_path[300];
    struct built_in_code_maps code_maps;
    struct event_log *shipping;
    struct tracking_repository *repository;
    struct tracking_service service;
    struct carrier_event_consumer *consumer;
    struct tracking_caller caller;
    uint64_t told;
};

/* --- a deployment --- */

static void assert_good(struct error error)
{
    assert_string_equal(error.detail, "");
}

static void open_all(struct fixture *fixture)
{
    struct event_log_options log = event_log_options_default();
    struct embedded_tracking_options store = embedded_tracking_options_default();
    log.directory = fixture->log_path;
    log.source = "shipping";
    store.directory = fixture->store_path;
    store.segment_bytes = 1 << 20;
    store.batch_bytes_max = 1 << 18;
    store.memory_bytes_max = 4 << 20;
    store.free_bytes_min = 0;
    assert_good(event_log_open(&fixture->shipping, &log));
    assert_good(embedded_tracking_open(&fixture->repository, &store));
    fixture->service = (struct tracking_service){
        .repository = fixture->repository,
        .code_maps = &fixture->code_maps.all,
        .clock = clock_system(),
    };
    assert_good(carrier_event_consumer_open(&fixture->consumer, &fixture->service,
                                            event_log_feed(fixture->shipping)));
    tracking_caller_init(&fixture->caller, fixture->repository);
}

static void close_all(struct fixture *fixture)
{
    carrier_event_consumer_close(fixture->consumer);
    tracking_caller_deinit(&fixture->caller);
    embedded_tracking_close(fixture->repository);
    event_log_close(fixture->shipping);
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_allocate_zero(1, sizeof *fixture);
    assert_non_null(fixture);
    temporary_directory_create(&fixture->directory);
    snprintf(fixture->log_path, sizeof fixture->log_path, "%s/shipping", fixture->directory.path);
    snprintf(fixture->store_path, sizeof fixture->store_path, "%s/tracking",
             fixture->directory.path);
    assert_good(built_in_code_maps_init(&fixture->code_maps));
    open_all(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    close_all(fixture);
    built_in_code_maps_deinit(&fixture->code_maps);
    temporary_directory_remove(&fixture->directory);
    memory_release(fixture);
    return 0;
}

/* --- what shipping tells --- */

static void tell(struct fixture *fixture, const ProtobufCMessage *message, const char *key)
{
    uint8_t data[data_bytes_max];
    char id[32];
    size_t appended = 0;
    size_t size = protobuf_c_message_get_packed_size(message);
    assert_in_range(size, 0, sizeof data);
    protobuf_c_message_pack(message, data);
    snprintf(id, sizeof id, "shipping-%llu", (unsigned long long)++fixture->told);
    struct event event = {
        .event_id = text_of(id),
        .type = text_of(message->descriptor->name),
        .source = text_of("shipping"),
        .key = text_of(key),
        .time_us = start_us,
        .data = text_make(data, size),
    };
    assert_good(event_sink_append(event_log_sink(fixture->shipping), &event, 1, &appended));
    assert_int_equal(appended, 1);
}

static Google__Protobuf__Timestamp time_of(int64_t time_us)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time.seconds = time_us / 1000000;
    time.nanos = (int32_t)(time_us % 1000000) * 1000;
    return time;
}

static void tell_scan(struct fixture *fixture, const char *number, const char *code, int hours,
                      const char *shipment)
{
    Google__Protobuf__Timestamp time = time_of(start_us + hours * hour_us);
    Waybill__Shipping__V1__Scan scan = WAYBILL__SHIPPING__V1__SCAN__INIT;
    Waybill__Shipping__V1__CarrierEventReceived received =
        WAYBILL__SHIPPING__V1__CARRIER_EVENT_RECEIVED__INIT;
    scan.tracking_number = (char *)number;
    scan.carrier_code = (char *)code;
    scan.description = (char *)"as the carrier says";
    scan.city = (char *)"Lagos";
    scan.country_code = (char *)"NG";
    scan.occurred_time = &time;
    received.carrier = (char *)"fedex";
    received.scan = &scan;
    if (shipment != NULL) {
        received.shipment_id = (char *)shipment;
        received.order_id = (char *)"o1";
    }
    tell(fixture, &received.base, shipment == NULL ? "fedex/number" : shipment);
}

/* A shipment of `count` parcels with these numbers. */
static Waybill__Shipping__V1__Shipment shipment_of(const char *shipment, const char *const *numbers,
                                                   size_t count,
                                                   Waybill__Shipping__V1__ShipmentParcel *parcels,
                                                   Waybill__Shipping__V1__ShipmentParcel **pointers,
                                                   Google__Protobuf__Timestamp *time)
{
    Waybill__Shipping__V1__Shipment message = WAYBILL__SHIPPING__V1__SHIPMENT__INIT;
    for (size_t i = 0; i < count; i++) {
        waybill__shipping__v1__shipment_parcel__init(&parcels[i]);
        parcels[i].tracking_number = (char *)numbers[i];
        pointers[i] = &parcels[i];
    }
    *time = time_of(start_us);
    message.shipment_id = (char *)shipment;
    message.order_id = (char *)"o1";
    message.carrier = (char *)"fedex";
    message.tracking_number = (char *)numbers[0];
    message.create_time = time;
    message.n_parcels = count;
    message.parcels = pointers;
    return message;
}

enum { parcels_max = 4 };

static void tell_shipment(struct fixture *fixture, const char *shipment, const char *const *numbers,
                          size_t count, bool is_cancelled)
{
    Waybill__Shipping__V1__ShipmentParcel parcels[parcels_max];
    Waybill__Shipping__V1__ShipmentParcel *pointers[parcels_max];
    Google__Protobuf__Timestamp time;
    Waybill__Shipping__V1__Shipment message =
        shipment_of(shipment, numbers, count, parcels, pointers, &time);
    Waybill__Shipping__V1__ShipmentCreated created = WAYBILL__SHIPPING__V1__SHIPMENT_CREATED__INIT;
    Waybill__Shipping__V1__ShipmentCancelled cancelled =
        WAYBILL__SHIPPING__V1__SHIPMENT_CANCELLED__INIT;
    created.shipment = &message;
    cancelled.shipment = &message;
    tell(fixture, is_cancelled ? &cancelled.base : &created.base, shipment);
}

/* --- what tracking knows --- */

static void wait_until_told(struct fixture *fixture)
{
    const struct timespec pause = {.tv_nsec = pause_ms * 1000000};
    uint64_t newest = event_log_usage(fixture->shipping).newest;
    for (int ms = 0; ms < wait_ms_max; ms += pause_ms) {
        struct event_subscription_status status =
            carrier_event_consumer_status(fixture->consumer).subscription;
        if (status.place.position == newest)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("tracking has not come to %llu", (unsigned long long)newest);
}

static bool get(struct fixture *fixture, const char *number, struct tracking *tracking)
{
    struct tracking_call call = {.kind = TRACKING_CALL_GET};
    call.get.carrier = text_of("fedex");
    call.get.tracking_number = text_of(number);
    tracking_call_run(&fixture->caller, &call);
    assert_good(fixture->caller.error);
    *tracking = call.get.tracking;
    return call.base.outcome == TRACKING_DONE;
}

static void expect(struct fixture *fixture, const char *number, enum tracking_status status,
                   int64_t events, const char *shipment)
{
    struct tracking tracking;
    assert_true(get(fixture, number, &tracking));
    assert_int_equal(tracking.status, status);
    assert_int_equal(tracking.event_count, events);
    assert_true(text_equals_string(tracking.shipment_id, shipment));
    assert_true(text_equals_string(tracking.order_id, shipment[0] == '\0' ? "" : "o1"));
}

/* --- cases --- */

static const char *const two[] = {"P1", "P2"};

static void shipment_opens_each_of_its_parcels(void **state)
{
    static const char *const shared[] = {"P3", "", "P3"};
    struct fixture *fixture = *state;
    struct tracking tracking;
    tell_shipment(fixture, "s1", two, 2, false);
    tell_shipment(fixture, "s2", shared, 3, false);
    wait_until_told(fixture);
    expect(fixture, "P1", TRACKING_STATUS_UNKNOWN, 0, "s1");
    expect(fixture, "P2", TRACKING_STATUS_UNKNOWN, 0, "s1");
    expect(fixture, "P3", TRACKING_STATUS_UNKNOWN, 0, "s2");
    assert_true(get(fixture, "P1", &tracking));
    assert_int_equal(tracking.start_time_us, start_us);
    assert_int_equal(tracking.revision, 1);
}

static void tracking_that_a_caller_opened_stays_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct tracking tracking;
    struct tracking_call call = {.kind = TRACKING_CALL_CREATE};
    call.create.carrier = text_of("fedex");
    call.create.tracking_number = text_of("P1");
    call.create.shipment_id = text_of("s1");
    call.create.order_id = text_of("o1");
    call.create.expected_delivery_time_us = start_us + 48 * hour_us;
    call.create.start_time_us = start_us - hour_us;
    tracking_call_run(&fixture->caller, &call);
    tell_shipment(fixture, "s1", two, 2, false);
    wait_until_told(fixture);
    assert_true(get(fixture, "P1", &tracking));
    assert_int_equal(tracking.start_time_us, start_us - hour_us);
    assert_int_equal(tracking.expected_delivery_time_us, start_us + 48 * hour_us);
    assert_int_equal(tracking.generation, 1);
}

static void scans_are_mapped_and_kept_once_by_their_content(void **state)
{
    struct fixture *fixture = *state;
    struct tracking tracking;
    for (int round = 0; round < 3; round++) {
        tell_scan(fixture, "P1", "PU", 1, "s1"); /* a push, and again by a question */
        tell_scan(fixture, "P1", "DL", 9, "s1");
        tell_scan(fixture, "Q", "OD", 2, NULL); /* of no shipment of ours */
    }
    wait_until_told(fixture);
    expect(fixture, "P1", TRACKING_STATUS_DELIVERED, 2, "s1");
    expect(fixture, "Q", TRACKING_STATUS_OUT_FOR_DELIVERY, 1, "");
    assert_true(get(fixture, "P1", &tracking));
    assert_int_equal(tracking.delivered_time_us, start_us + 9 * hour_us);
    assert_true(text_equals_string(tracking.last_event.carrier_code, "DL"));
    assert_true(text_equals_string(tracking.location.city, "Lagos"));
}

static void scan_before_its_shipment_is_the_same_as_behind_it(void **state)
{
    struct fixture *fixture = *state;
    tell_scan(fixture, "P1", "PU", 1, NULL);
    tell_shipment(fixture, "s1", two, 2, false);
    tell_scan(fixture, "P2", "PU", 1, NULL);
    wait_until_told(fixture);
    expect(fixture, "P1", TRACKING_STATUS_PICKED_UP, 1, "s1");
    expect(fixture, "P2", TRACKING_STATUS_PICKED_UP, 1, "s1");
}

static void cancelled_shipment_ends_the_road_of_its_parcels(void **state)
{
    struct fixture *fixture = *state;
    tell_shipment(fixture, "s1", two, 2, false);
    tell_shipment(fixture, "s1", two, 2, true);
    tell_shipment(fixture, "s1", two, 2, true);
    wait_until_told(fixture);
    expect(fixture, "P1", TRACKING_STATUS_CANCELLED, 1, "s1");
    expect(fixture, "P2", TRACKING_STATUS_CANCELLED, 1, "s1");
}

static void untidy_words_are_made_tidy(void **state)
{
    struct fixture *fixture = *state;
    struct tracking tracking;
    char description[400];
    Google__Protobuf__Timestamp time = time_of(start_us);
    Waybill__Shipping__V1__Scan scan = WAYBILL__SHIPPING__V1__SCAN__INIT;
    Waybill__Shipping__V1__CarrierEventReceived received =
        WAYBILL__SHIPPING__V1__CARRIER_EVENT_RECEIVED__INIT;
    memset(description, 'x', sizeof description);
    memcpy(description + 254, "\xC3\xB4", 2); /* ends at byte 256 */
    memcpy(description + 256, "\xC3\xB4", 3);
    scan.tracking_number = (char *)"P1";
    scan.carrier_code = (char *)"DL";
    scan.description = description;
    scan.city = (char *)" C\xC3\xB4te\t d'Ivoire\xC2\x85\r\n";
    scan.country_code = (char *)"Ivory Coast";
    scan.occurred_time = &time;
    received.carrier = (char *)"fedex";
    received.scan = &scan;
    tell(fixture, &received.base, "fedex/P1");
    wait_until_told(fixture);
    assert_true(get(fixture, "P1", &tracking));
    assert_int_equal(tracking.last_event.description.size, 256);
    assert_true(text_equals_string(tracking.last_event.location.city, "C\xC3\xB4te  d'Ivoire"));
    assert_int_equal(tracking.last_event.location.country_code.size, 0);
}

static void what_cannot_be_kept_holds_nothing_up(void **state)
{
    static const char *const taken[] = {"P1"};
    struct fixture *fixture = *state;
    Waybill__Shipping__V1__CarrierEventReceived nothing =
        WAYBILL__SHIPPING__V1__CARRIER_EVENT_RECEIVED__INIT;
    Waybill__Shipping__V1__ShipmentCreated empty = WAYBILL__SHIPPING__V1__SHIPMENT_CREATED__INIT;
    Waybill__Shipping__V1__ShipmentFailed other = WAYBILL__SHIPPING__V1__SHIPMENT_FAILED__INIT;
    tell(fixture, &nothing.base, "x");
    tell(fixture, &empty.base, "x");
    tell(fixture, &other.base, "x"); /* no business of tracking's */
    tell_scan(fixture, "not a number", "DL", 1, NULL);
    tell_shipment(fixture, "s1", two, 2, false);
    tell_shipment(fixture, "s2", taken, 1, false); /* the number is another shipment's */
    tell_scan(fixture, "P1", "DL", 1, "s1");
    wait_until_told(fixture);
    expect(fixture, "P1", TRACKING_STATUS_DELIVERED, 1, "s1");
    assert_int_equal(carrier_event_consumer_status(fixture->consumer).subscription.failures, 0);
}

/* It will never be one: the parcels behind it go on, and its place is told. */
static void what_is_no_message_is_set_aside(void **state)
{
    static const char bytes[] = "\x0a\xff\xff\xff"; /* a field longer than all there is */
    struct fixture *fixture = *state;
    struct event event = {
        .event_id = text_of("damaged"),
        .type = text_of(waybill__shipping__v1__shipment_created__descriptor.name),
        .source = text_of("shipping"),
        .key = text_of("s0"),
        .time_us = start_us,
        .data = text_make(bytes, sizeof bytes - 1),
    };
    size_t appended = 0;
    assert_good(event_sink_append(event_log_sink(fixture->shipping), &event, 1, &appended));
    fixture->told++;
    tell_shipment(fixture, "s1", two, 2, false);
    tell_scan(fixture, "P1", "DL", 1, "s1");
    wait_until_told(fixture);
    expect(fixture, "P1", TRACKING_STATUS_DELIVERED, 1, "s1");
    struct event_subscription_status status =
        carrier_event_consumer_status(fixture->consumer).subscription;
    assert_int_equal(status.set_aside, 1);
    assert_int_equal(status.failures, 0);
}

static void forget_place(struct fixture *fixture)
{
    struct tracking_call call = {.kind = TRACKING_CALL_PUT_NOTE};
    call.put_note.name = text_of("place/shipping");
    tracking_call_run(&fixture->caller, &call);
    assert_good(fixture->caller.error);
}

static void restarts_lose_nothing_and_repeat_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct tracking tracking;
    char number[16];
    for (int life = 0; life < 6; life++) {
        for (int i = 0; i < 300; i++) {
            snprintf(number, sizeof number, "N%d", i % 50);
            tell_scan(fixture, number, "IT", life * 300 + i, i % 2 == 0 ? "s1" : NULL);
        }
        close_all(fixture); /* wherever it is */
        open_all(fixture);
    }
    wait_until_told(fixture);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 50; i++) {
            snprintf(number, sizeof number, "N%d", i);
            expect(fixture, number, TRACKING_STATUS_IN_TRANSIT, 36, i % 2 == 0 ? "s1" : "");
        }
        assert_true(get(fixture, "N0", &tracking));
        assert_int_equal(tracking.revision, 37);
        carrier_event_consumer_close(fixture->consumer);
        forget_place(fixture); /* the second turn: all of it has been told once more */
        assert_good(carrier_event_consumer_open(&fixture->consumer, &fixture->service,
                                                event_log_feed(fixture->shipping)));
        wait_until_told(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shipment_opens_each_of_its_parcels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tracking_that_a_caller_opened_stays_as_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(scans_are_mapped_and_kept_once_by_their_content, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(scan_before_its_shipment_is_the_same_as_behind_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cancelled_shipment_ends_the_road_of_its_parcels, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(untidy_words_are_made_tidy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_kept_holds_nothing_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_message_is_set_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restarts_lose_nothing_and_repeat_nothing, set_up,
                                        tear_down),
    };
    log_configure(LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests_name("carrier_events", tests, NULL, NULL);
}
