/*
 * Goal: the carriers' codes mean what they should, and a wrong file is refused with its line.
 * Method: the maps built into the program are asked for codes as the carriers' interfaces send
 * them, in every way they write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tracking/infrastructure/code_maps/built_in_code_maps.h"

#include <string.h>

static int set_up(void **state)
{
    static struct built_in_code_maps maps;
    struct error error = built_in_code_maps_init(&maps);
    if (error_is(error))
        fail_msg("%s", error.detail);
    *state = &maps;
    return 0;
}

static int tear_down(void **state)
{
    built_in_code_maps_deinit(*state);
    return 0;
}

static struct tracking_event mapped(void **state, const char *carrier, const char *code)
{
    struct built_in_code_maps *maps = *state;
    struct tracking_event event = {
        .carrier = text_of(carrier), .carrier_code = text_of(code), .type_is_mapped = true};
    code_maps_apply(&maps->all, 0, &event);
    return event;
}

static void ups_codes_are_found_as_track_and_track_alert_send_them(void **state)
{
    assert_int_equal(mapped(state, "ups", "D/F4/011").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "ups", "D/KB/011").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "ups", "M/MP/003").type, TRACKING_EVENT_INFO_RECEIVED);
    assert_int_equal(mapped(state, "ups", "I/OT/017").type, TRACKING_EVENT_OUT_FOR_DELIVERY);
    assert_int_equal(mapped(state, "ups", "I/OR").type, TRACKING_EVENT_PICKED_UP);
    assert_int_equal(mapped(state, "ups", "021").type, TRACKING_EVENT_OUT_FOR_DELIVERY);
    assert_int_equal(mapped(state, "ups", "X/48/048").type, TRACKING_EVENT_EXCEPTION);
    assert_int_equal(mapped(state, "ups", "X/ZZ/999").type, TRACKING_EVENT_EXCEPTION);
    assert_int_equal(mapped(state, "ups", "MV/VP").type, TRACKING_EVENT_CANCELLED);
    assert_int_equal(mapped(state, "ups", "I/DP").type, TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(mapped(state, "ups", "M/DP").type, TRACKING_EVENT_INFO_RECEIVED);
}

static void ups_exceptions_and_deliveries_say_what_happened(void **state)
{
    assert_int_equal(mapped(state, "ups", "X/48/048").sub_status,
                     TRACKING_SUB_STATUS_DELIVERY_ATTEMPTED);
    assert_int_equal(mapped(state, "ups", "X/AG").sub_status, TRACKING_SUB_STATUS_ADDRESS_PROBLEM);
    assert_int_equal(mapped(state, "ups", "X/C5").sub_status, TRACKING_SUB_STATUS_WEATHER);
    assert_int_equal(mapped(state, "ups", "X/UA").type, TRACKING_EVENT_RETURNED);
    assert_int_equal(mapped(state, "ups", "X/SR/003").type, TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(mapped(state, "ups", "D/M3").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "ups", "D/OT/017").type, TRACKING_EVENT_OUT_FOR_DELIVERY);
    assert_int_equal(mapped(state, "ups", "D/50").type, TRACKING_EVENT_EXCEPTION);
    assert_int_equal(mapped(state, "ups", "D/011").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "ups", "D/QQ").type, TRACKING_EVENT_UNSPECIFIED);
}

static void ups_types_alone_say_what_they_can(void **state)
{
    static const struct {
        const char *code;
        enum tracking_event_type type;
    } cases[] = {
        {"P", TRACKING_EVENT_PICKED_UP},    {"O", TRACKING_EVENT_OUT_FOR_DELIVERY},
        {"I", TRACKING_EVENT_IN_TRANSIT},   {"I/QQ", TRACKING_EVENT_IN_TRANSIT},
        {"X", TRACKING_EVENT_EXCEPTION},    {"M", TRACKING_EVENT_INFO_RECEIVED},
        {"MV", TRACKING_EVENT_CANCELLED},   {"RS/QQ", TRACKING_EVENT_RETURNED},
        {"NA", TRACKING_EVENT_UNSPECIFIED}, {"D", TRACKING_EVENT_UNSPECIFIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(mapped(state, "ups", cases[i].code).type, cases[i].type);
}

static void fedex_codes_are_found_in_capitals_or_not(void **state)
{
    assert_int_equal(mapped(state, "fedex", "Ow").type, TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(mapped(state, "fedex", "DL").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "fedex", "OD").type, TRACKING_EVENT_OUT_FOR_DELIVERY);
    assert_int_equal(mapped(state, "fedex", "RS").type, TRACKING_EVENT_RETURNED);
    assert_int_equal(mapped(state, "fedex", "HL").sub_status,
                     TRACKING_SUB_STATUS_AVAILABLE_FOR_PICKUP);
}

static void dhl_codes_are_those_of_all_its_interfaces(void **state)
{
    assert_int_equal(mapped(state, "dhl", "OK").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "dhl", "WC").type, TRACKING_EVENT_OUT_FOR_DELIVERY);
    assert_int_equal(mapped(state, "dhl", "pre-transit").type, TRACKING_EVENT_INFO_RECEIVED);
    assert_int_equal(mapped(state, "dhl", "delivered").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "dhl", "transit/WC").type, TRACKING_EVENT_OUT_FOR_DELIVERY);
    assert_int_equal(mapped(state, "dhl", "transit/ZZ").type, TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(mapped(state, "dhl", "delivered/OK").type, TRACKING_EVENT_DELIVERED);
    assert_int_equal(mapped(state, "dhl", "DD").sub_status, TRACKING_SUB_STATUS_DELIVERED_DAMAGED);
}

static void unknown_codes_and_carriers_say_nothing(void **state)
{
    struct tracking_event event = mapped(state, "ups", "no/such/code");
    assert_int_equal(event.type, TRACKING_EVENT_UNSPECIFIED);
    assert_int_equal(event.map_version, 2);
    event = mapped(state, "snail", "DL");
    assert_int_equal(event.type, TRACKING_EVENT_UNSPECIFIED);
    assert_int_equal(event.map_version, 0);
    assert_int_equal(mapped(state, "ups", "Q/").type, TRACKING_EVENT_UNSPECIFIED);
    assert_int_equal(mapped(state, "ups", "/").type, TRACKING_EVENT_UNSPECIFIED);
    assert_int_equal(mapped(state, "ups", "a code of more than thirty-two bytes").type,
                     TRACKING_EVENT_UNSPECIFIED);
}

static void every_line_has_provenance_and_a_reason_where_it_is_finer(void **state)
{
    struct built_in_code_maps *maps = *state;
    for (size_t i = 0; i < maps->all.count; i++) {
        assert_true(maps->maps[i].count > 50);
        for (size_t j = 0; j < maps->maps[i].count; j++) {
            const struct code_map_line *line = &maps->maps[i].lines[j];
            assert_true(line->provenance.size > 0);
            assert_true(line->sub_status == TRACKING_SUB_STATUS_NONE || line->reason.size > 0);
        }
    }
}

#define HEADING "version,code,type,sub_status,reason,provenance\n"

static void wrong_files_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *file;
        const char *says;
    } cases[] = {
        {"1,A,DELIVERED,,,me\n", "line 1"},
        {HEADING "1,A,DELIVERED,,me\n", "line 2: there must be six fields"},
        {HEADING "# fine\n1,A,DELIVERED,,,me,too\n", "line 3: there must be six fields"},
        {HEADING "0,A,DELIVERED,,,me\n", "version"},
        {HEADING "1,a,DELIVERED,,,me\n", "code"},
        {HEADING "1,,DELIVERED,,,me\n", "code"},
        {HEADING "1,A,GONE,,,me\n", "type"},
        {HEADING "1,A,UNSPECIFIED,,,me\n", "type"},
        {HEADING "1,A,DELIVERED,SHINY,,me\n", "sub_status"},
        {HEADING "1,A,DELIVERED,,,\n", "six fields"},
        {HEADING "1,A,DELIVERED,,,me\n1,A,RETURNED,,,me\n", "more than once"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct code_map map;
        arena_init(&arena, 1 << 20);
        struct error error = code_map_parse(text_of("x"), text_of(cases[i].file), &arena, &map);
        assert_int_equal(error.code, ERROR_INVALID_SETTING);
        if (strstr(error.detail, cases[i].says) == NULL)
            fail_msg("case %zu says %s", i, error.detail);
        arena_deinit(&arena);
    }
}

static void map_of_a_version_knows_nothing_of_later_ones(void **state)
{
    static const char file[] =
        HEADING "2,A,DELIVERED,,,me\n1,A,IN_TRANSIT,,,me\n3,B,RETURNED,,,me\n";
    struct arena arena;
    struct code_map map;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_false(error_is(code_map_parse(text_of("x"), text_of(file), &arena, &map)));
    assert_int_equal(map.newest_version, 3);
    assert_int_equal(code_map_find(&map, text_of("A"), 1)->type, TRACKING_EVENT_IN_TRANSIT);
    assert_int_equal(code_map_find(&map, text_of("A"), 3)->type, TRACKING_EVENT_DELIVERED);
    assert_null(code_map_find(&map, text_of("B"), 2));
    assert_null(code_map_find(&map, text_of("A"), 0));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ups_codes_are_found_as_track_and_track_alert_send_them,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(ups_exceptions_and_deliveries_say_what_happened, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ups_types_alone_say_what_they_can, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fedex_codes_are_found_in_capitals_or_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(dhl_codes_are_those_of_all_its_interfaces, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_codes_and_carriers_say_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_line_has_provenance_and_a_reason_where_it_is_finer,
                                        set_up, tear_down),
        cmocka_unit_test(wrong_files_are_refused_with_their_line),
        cmocka_unit_test(map_of_a_version_knows_nothing_of_later_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
