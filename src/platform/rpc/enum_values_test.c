/* Allowed values behind what is wrong, on messages of the interface. */
#include "platform/rpc/enum_values.h"

#include "waybill/shipping/v1/shipping.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { arena_bytes_max = 64 * 1024 };

static void assert_told(const ProtobufCMessageDescriptor *request, const char *path,
                        const char *description, const char *told)
{
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    const struct violation given = {text_of(path), text_of(description)};
    struct violation named = enum_values_named(&arena, request, given);
    assert_true(text_equals_string(named.field, path));
    assert_string_equal(arena_copy_string(&arena, named.description), told);
    arena_deinit(&arena);
}

static void values_come_from_the_descriptor(void **state)
{
    (void)state;
    assert_told(&waybill__shipping__v1__create_shipment_request__descriptor, "rule",
                "must be one of the RateRule values",
                "must be one of the RateRule values: RATE_RULE_CHEAPEST, RATE_RULE_FASTEST");
    assert_told(&waybill__shipping__v1__create_shipment_request__descriptor, "labelFormat",
                "is no name of this enum",
                "is no name of this enum: LABEL_FORMAT_PDF, LABEL_FORMAT_ZPL, LABEL_FORMAT_PNG");
}

static void a_path_leads_into_messages(void **state)
{
    (void)state;
    assert_told(&waybill__tracking__v1__record_event_request__descriptor, "event.utc_offset_source",
                "must be one of the UtcOffsetSource values",
                "must be one of the UtcOffsetSource values: UTC_OFFSET_SOURCE_CARRIER, "
                "UTC_OFFSET_SOURCE_PLACE");
}

static void what_is_about_something_else_stays(void **state)
{
    static const char words[] = "must be given where carrier_code is not";
    (void)state;
    assert_told(&waybill__tracking__v1__record_event_request__descriptor, "event.type", words,
                words);
    assert_told(&waybill__tracking__v1__record_event_request__descriptor, "event.carrier",
                "is no enum", "is no enum");
    assert_told(&waybill__tracking__v1__record_event_request__descriptor, "event.nothing.type",
                "is no enum", "is no enum");
    assert_told(&waybill__tracking__v1__record_event_request__descriptor, "", "is no enum",
                "is no enum");
    assert_told(NULL, "rule", "is no enum", "is no enum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_from_the_descriptor),
        cmocka_unit_test(a_path_leads_into_messages),
        cmocka_unit_test(what_is_about_something_else_stays),
    };
    return cmocka_run_group_tests_name("enum_values", tests, NULL, NULL);
}
