/*
 * Goal: a label is the carrier's own, or drawn for the tariff from the record; what cannot be had
 * is refused with its reason. Method: fake carriers and a drawer that writes what it was asked.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static struct error draw(struct label_drawer *drawer, const struct label_request *request,
                         struct buffer *content)
{
    (void)drawer;
    if (!buffer_append_format(content, "drawn %.*s page %zu of %zu, format %d, %s",
                              (int)request->tracking_numbers[0].size,
                              request->tracking_numbers[0].data, request->only,
                              request->tracking_number_count, (int)request->format,
                              request->ship_date))
        return error_make(ERROR_LIMIT, "too long");
    return error_none();
}

static const struct label_drawer_table drawer_table = {.draw = draw};
static struct label_drawer drawer = {&drawer_table};

static int set_up(void **state)
{
    static struct shipping_desk desk;
    shipping_desk_init(&desk);
    desk.options.drawer = &drawer;
    shipping_desk_start(&desk);
    *state = &desk;
    return 0;
}

static struct desk_call *label(struct shipping_desk *desk, int64_t parcel, bool any_format,
                               enum shipping_label_format format)
{
    struct desk_call *call = desk_call_create(CALL_GET_LABEL);
    call->as.label.shipment_id = text_of("a");
    call->as.label.parcel = parcel;
    call->as.label.any_format = any_format;
    call->as.label.format = format;
    desk_ask(desk, call);
    assert_true(call->is_done);
    assert_false(error_is(call->error));
    return call;
}

static void assert_refused(struct shipping_desk *desk, int64_t parcel,
                           enum shipping_label_format format, enum shipping_refusal expected)
{
    struct desk_call *call = label(desk, parcel, false, format);
    assert_int_equal(call->call->refusal, expected);
    desk_call_destroy(call);
}

static void the_carriers_own_label_is_served(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    struct desk_call *call = label(desk, 0, true, SHIPPING_LABEL_PDF);
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_true(text_equals_string(call->as.label.content, "%PDF-1.4 a label"));
    desk_call_destroy(call);
    call = label(desk, 1, false, SHIPPING_LABEL_PDF);
    assert_true(call->as.label.content.size > 0);
    desk_call_destroy(call);
}

static void what_was_delivered_is_served_whatever_was_asked(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *create = desk_create_shipment("a");
    create->as.create.request.label_format = SHIPPING_LABEL_ZPL; /* the fake gives PDF */
    desk_call_destroy(desk_ask(desk, create));
    struct desk_call *call = label(desk, 0, true, SHIPPING_LABEL_PDF);
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_int_equal(call->as.label.format, SHIPPING_LABEL_PDF);
    desk_call_destroy(call);
    assert_refused(desk, 0, SHIPPING_LABEL_ZPL, REFUSAL_LABEL_FORMAT_UNAVAILABLE);
}

static void what_is_not_there_is_refused_with_its_reason(void **state)
{
    struct shipping_desk *desk = *state;
    assert_refused(desk, 0, SHIPPING_LABEL_PDF, REFUSAL_SHIPMENT_NOT_FOUND);
    desk->alpha.create = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = 1};
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    assert_refused(desk, 0, SHIPPING_LABEL_PDF, REFUSAL_SHIPMENT_NOT_CREATED);
    desk->alpha.with_labels = false;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    assert_refused(desk, 0, SHIPPING_LABEL_PDF, REFUSAL_LABEL_NOT_FOUND);
    assert_refused(desk, 2, SHIPPING_LABEL_PDF, REFUSAL_LABEL_NOT_FOUND);
}

static void labels_of_the_tariff_are_drawn_from_the_record(void **state)
{
    struct shipping_desk *desk = *state;
    strcpy(desk->alpha.base.name, "tariff");
    desk->alpha.with_labels = false;
    struct desk_call *create = desk_create_shipment("a");
    create->as.create.request.carrier = text_of("tariff");
    desk_call_destroy(desk_ask(desk, create));
    struct desk_call *call = label(desk, 1, false, SHIPPING_LABEL_ZPL);
    assert_true(
        text_equals_string(call->as.label.content, "drawn N1 page 1 of 1, format 1, 2026-09-21"));
    desk_call_destroy(call);
    call = label(desk, 0, true, SHIPPING_LABEL_PDF);
    assert_true(
        text_equals_string(call->as.label.content, "drawn N1 page 1 of 1, format 0, 2026-09-21"));
    desk_call_destroy(call);
}

static void tracking_is_asked_by_shipment_or_by_number(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    struct desk_call *call = desk_call_create(CALL_GET_TRACKING_INFO);
    call->as.tracking.shipment_id = text_of("a");
    desk_ask(desk, call);
    assert_int_equal(call->as.tracking.tracking.scan_count, 1);
    assert_true(text_equals_string(call->as.tracking.tracking.scans[0].carrier_code, "PU"));
    desk_call_destroy(call);
    desk->beta.track = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = 1};
    call = desk_call_create(CALL_GET_TRACKING_INFO);
    call->as.tracking.carrier = text_of("beta");
    call->as.tracking.tracking_number = text_of("N7");
    desk_ask(desk, call);
    assert_int_equal(call->call->refusal, REFUSAL_NUMBER_NOT_FOUND);
    desk_call_destroy(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_carriers_own_label_is_served, set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_was_delivered_is_served_whatever_was_asked, set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_refused_with_its_reason, set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(labels_of_the_tariff_are_drawn_from_the_record, set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(tracking_is_asked_by_shipment_or_by_number, set_up,
                                        shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_labels", tests, NULL, NULL);
}
