/* Pushes: kept before they are acknowledged, once; what they say, told once for ever. */
#include "tests/contract/shipping/shipping_contract.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

static struct keep_webhook_command *keep(struct shipping_kit *kit, const char *carrier,
                                         const char *body)
{
    struct keep_webhook_command *command =
        shipping_kit_command(kit, COMMAND_KEEP_WEBHOOK, sizeof *command);
    command->carrier = text_of(carrier);
    command->body = text_of(body);
    assert_int_equal(shipping_kit_ask(kit, &command->base), SHIPPING_DONE);
    return command;
}

static struct list_webhooks_command *waiting(struct shipping_kit *kit, size_t page_size)
{
    struct list_webhooks_command *list =
        shipping_kit_command(kit, COMMAND_LIST_WEBHOOKS, sizeof *list);
    list->page_size = page_size;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    return list;
}

static struct shipping_scan scan_of(const char *number, const char *code)
{
    return (struct shipping_scan){
        .tracking_number = text_of(number),
        .carrier_code = text_of(code),
        .description = text_of("Departed \xC3\x9C"
                               "bach"),
        .occurred_time_us = INT64_C(1800000000000000),
        .has_utc_offset = true,
        .utc_offset_minutes = -300,
        .city = text_of("Louisville"),
        .country_code = text_of("US"),
    };
}

static size_t record(struct shipping_kit *kit, uint64_t webhook_id, const char *carrier,
                     const struct shipping_scan *scans, size_t count)
{
    struct record_scans_command *command =
        shipping_kit_command(kit, COMMAND_RECORD_SCANS, sizeof *command);
    command->webhook_id = webhook_id;
    command->carrier = text_of(carrier);
    command->receive_time_us = INT64_C(1800000001000000);
    command->scans = scans;
    command->scan_count = count;
    assert_int_equal(shipping_kit_ask(kit, &command->base), SHIPPING_DONE);
    return command->new_count;
}

static void a_push_is_kept_once_by_carrier_and_body(void **state)
{
    struct shipping_kit *kit = *state;
    struct keep_webhook_command *first = keep(kit, "ups", "{\"a\":1}");
    assert_true(first->is_new);
    struct keep_webhook_command *again = keep(kit, "ups", "{\"a\":1}");
    assert_false(again->is_new);
    assert_int_equal(again->webhook_id, first->webhook_id);
    struct keep_webhook_command *other = keep(kit, "dhl", "{\"a\":1}");
    assert_true(other->is_new);
    assert_int_not_equal(other->webhook_id, first->webhook_id);
    shipping_kit_reopen(kit);
    struct list_webhooks_command *list = waiting(kit, 10);
    assert_int_equal(list->webhook_count, 2);
    assert_int_equal(list->webhooks[0].webhook_id, first->webhook_id);
    assert_true(text_equals_string(list->webhooks[0].carrier, "ups"));
    assert_true(text_equals_string(list->webhooks[0].body, "{\"a\":1}"));
    assert_true(list->webhooks[0].receive_time_us > 0);
    assert_true(text_equals_string(list->webhooks[1].carrier, "dhl"));
    assert_int_equal(waiting(kit, 1)->webhook_count, 1);
}

static void a_push_that_was_processed_waits_no_more_and_comes_not_again(void **state)
{
    struct shipping_kit *kit = *state;
    struct shipping_scan scan = scan_of("1Z", "DP");
    uint64_t id = keep(kit, "ups", "body")->webhook_id;
    assert_int_equal(record(kit, id, "ups", &scan, 1), 1);
    assert_int_equal(waiting(kit, 10)->webhook_count, 0);
    assert_false(keep(kit, "ups", "body")->is_new);
    assert_int_equal(waiting(kit, 10)->webhook_count, 0);
    assert_int_equal(record(kit, id, "ups", &scan, 1), 0);
}

static void an_unknown_shape_is_kept_for_a_person_and_waits_no_more(void **state)
{
    struct shipping_kit *kit = *state;
    struct record_scans_command *command =
        shipping_kit_command(kit, COMMAND_RECORD_SCANS, sizeof *command);
    command->webhook_id = keep(kit, "ups", "strange")->webhook_id;
    command->carrier = text_of("ups");
    command->is_unknown_shape = true;
    command->why = text_of("no events in it");
    assert_int_equal(shipping_kit_ask(kit, &command->base), SHIPPING_DONE);
    assert_int_equal(command->new_count, 0);
    assert_int_equal(waiting(kit, 10)->webhook_count, 0);
    assert_false(keep(kit, "ups", "strange")->is_new);
}

static void a_body_may_be_any_bytes_and_large(void **state)
{
    struct shipping_kit *kit = *state;
    enum { count = 6 };
    char *bytes = memory_allocate(shipping_webhook_bytes_max);
    CHECK(bytes != NULL);
    for (size_t i = 0; i < shipping_webhook_bytes_max; i++)
        bytes[i] = (char)(i * 3 + i / 255);
    for (size_t i = 0; i < count; i++) {
        struct keep_webhook_command *command =
            shipping_kit_command(kit, COMMAND_KEEP_WEBHOOK, sizeof *command);
        bytes[0] = (char)i;
        command->carrier = text_of("fedex");
        command->body = text_make(bytes, shipping_webhook_bytes_max);
        assert_int_equal(shipping_kit_ask(kit, &command->base), SHIPPING_DONE);
        assert_true(command->is_new);
    }
    struct list_webhooks_command *list = waiting(kit, 1000);
    assert_true(list->webhook_count > 0 && list->webhook_count <= count);
    const struct shipping_webhook *last = &list->webhooks[list->webhook_count - 1];
    bytes[0] = (char)(list->webhook_count - 1);
    assert_int_equal(last->body.size, shipping_webhook_bytes_max);
    assert_memory_equal(last->body.data, bytes, shipping_webhook_bytes_max);
    memory_release(bytes);
}

static void a_scan_is_told_once_however_often_it_comes(void **state)
{
    struct shipping_kit *kit = *state;
    struct shipping_scan scans[] = {scan_of("1Z", "DP"), scan_of("1Z", "AR"), scan_of("1Z", "DP")};
    assert_int_equal(record(kit, keep(kit, "ups", "a")->webhook_id, "ups", scans, 3), 2);
    assert_int_equal(record(kit, keep(kit, "ups", "b")->webhook_id, "ups", scans, 3), 0);
    assert_int_equal(record(kit, 0, "ups", scans, 3), 0);
    scans[0].description = text_of("Departed");
    assert_int_equal(record(kit, 0, "ups", scans, 3), 1);
    assert_int_equal(record(kit, 0, "dhl", &scans[1], 1), 1);
    assert_string_equal(kit_event_words(kit),
                        "CarrierEventReceived:ups/1Z CarrierEventReceived:ups/1Z "
                        "CarrierEventReceived:ups/1Z CarrierEventReceived:dhl/1Z");
}

static void a_scan_of_our_shipment_is_told_under_its_id(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    struct shipping_scan scans[] = {scan_of("N-S", "AR"), scan_of("N-S-0", "AR"),
                                    scan_of("N-S-7", "AR")};
    assert_int_equal(record(kit, 0, "ups", scans, 3), 3);
    assert_string_equal(kit_event_words(kit),
                        "ShipmentCreated:S CarrierEventReceived:S CarrierEventReceived:S "
                        "CarrierEventReceived:ups/N-S-7");
}

static void every_event_has_an_id_of_its_own(void **state)
{
    struct shipping_kit *kit = *state;
    struct shipping_scan scans[] = {scan_of("1Z", "DP"), scan_of("2Z", "DP")};
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    kit_begin_cancel(kit, "S", "x");
    kit_end_cancel(kit, "S", true, "");
    kit_bring(kit, "F", 0, SHIPMENT_FAILED);
    record(kit, 0, "ups", scans, 2);
    size_t count;
    const struct kit_event *events = kit_events(kit, &count);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_true(events[i].event_id.size > 0 && events[i].event_id.size <= 96);
        assert_true(events[i].data.size > 0);
        for (size_t k = 0; k < i; k++)
            assert_false(text_equal(events[i].event_id, events[k].event_id));
    }
}

/* A carrier's push may hold what it likes; the process must not end of it. */
static void a_number_of_any_length_makes_a_key(void **state)
{
    struct shipping_kit *kit = *state;
    char number[1001];
    memset(number, 'x', sizeof number);
    number[sizeof number - 1] = '\0';
    memcpy(number + 150, "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 10);
    struct shipping_scan scan = scan_of(number, "DP");
    assert_int_equal(record(kit, 0, "ups", &scan, 1), 1);
    size_t count;
    (void)kit_events(kit, &count);
    assert_int_equal(count, 1);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_push_is_kept_once_by_carrier_and_body),
    cmocka_unit_test(a_push_that_was_processed_waits_no_more_and_comes_not_again),
    cmocka_unit_test(an_unknown_shape_is_kept_for_a_person_and_waits_no_more),
    cmocka_unit_test(a_body_may_be_any_bytes_and_large),
    cmocka_unit_test(a_scan_is_told_once_however_often_it_comes),
    cmocka_unit_test(a_scan_of_our_shipment_is_told_under_its_id),
    cmocka_unit_test(every_event_has_an_id_of_its_own),
    cmocka_unit_test(a_number_of_any_length_makes_a_key),
};
const struct shipping_cases webhook_cases = {cases, sizeof cases / sizeof cases[0]};
