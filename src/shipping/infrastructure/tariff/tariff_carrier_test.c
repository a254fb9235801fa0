/*
 * Goal: the carrier keeps the port's promises: `done` once and later, the same shipment the same
 * numbers, one label of freight, a reason for each refusal. Method: calls on an executor that the
 * test runs, every allocation failing once, and numbers by the hundred thousand.
 */
#include "shipping/infrastructure/tariff/tariff_carrier.h"

#include "platform/base/memory.h"
#include "shipping/domain/tracking_number.h"
#include "shipping/infrastructure/tariff/tariff_number.h"
#include "tests/support/test_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    size_t calls;
    enum carrier_verdict verdict;
    char code[64];
    char message[512];
    size_t rates;
    char services[16][33];
    int64_t amounts[16];
    bool added_up;
    struct shipping_money charged;
    char number[64];
    char numbers[shipping_parcels_max][64];
    size_t parcels;
    size_t labels;
    size_t scans;
};

struct fixture {
    struct test_executor executor;
    struct tariff *tariff;
    struct carrier *carrier;
    struct heard heard;
    struct shipping_parcel parcels[shipping_parcels_max];
    struct consignment consignment;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    test_executor_init(&fixture.executor);
    assert_false(error_is(tariff_create_built_in(&fixture.tariff)));
    assert_false(
        error_is(tariff_carrier_create(&fixture.carrier, fixture.tariff, &fixture.executor.base)));
    fixture.parcels[0].weight_grams = 2000;
    fixture.consignment = (struct consignment){
        .origin = {.country_code = text_of("US")},
        .destination = {.country_code = text_of("US"), .company = text_of("A shop")},
        .parcels = fixture.parcels,
        .parcel_count = 1,
        .ship_date = "2026-11-25",
    };
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(tariff_carrier_pending(fixture->carrier), 0);
    tariff_carrier_close(fixture->carrier);
    tariff_destroy(fixture->tariff);
    test_executor_deinit(&fixture->executor);
    return 0;
}

static void copy(char *to, size_t size, struct text text)
{
    snprintf(to, size, "%.*s", (int)text.size, text.size > 0 ? text.data : "");
}

static void hear(struct heard *heard, const struct carrier_outcome *outcome)
{
    heard->calls++;
    heard->verdict = outcome->verdict;
    copy(heard->code, sizeof heard->code, outcome->code);
    copy(heard->message, sizeof heard->message, outcome->message);
}

static void on_rates(void *context, const struct carrier_outcome *outcome,
                     const struct carrier_rates *rates)
{
    struct heard *heard = context;
    hear(heard, outcome);
    assert_int_equal(rates != NULL, outcome->verdict == CARRIER_ANSWERED);
    heard->rates = rates == NULL ? 0 : rates->rate_count;
    heard->added_up = true;
    for (size_t i = 0; i < heard->rates; i++) {
        int64_t sum = 0;
        copy(heard->services[i], sizeof heard->services[i], rates->rates[i].service_code);
        heard->amounts[i] = rates->rates[i].amount.amount_minor;
        for (size_t line = 0; line < rates->rates[i].charge_count; line++)
            sum += rates->rates[i].breakdown[line].amount.amount_minor;
        heard->added_up = heard->added_up && sum == heard->amounts[i];
    }
}

static void on_shipment(void *context, const struct carrier_outcome *outcome,
                        const struct carrier_shipment *shipment)
{
    struct heard *heard = context;
    hear(heard, outcome);
    assert_int_equal(shipment != NULL, outcome->verdict == CARRIER_ANSWERED);
    heard->parcels = 0;
    if (shipment == NULL)
        return;
    copy(heard->number, sizeof heard->number, shipment->tracking_number);
    heard->charged = shipment->charged;
    heard->parcels = shipment->parcel_count;
    heard->labels = shipment->label_count;
    for (size_t i = 0; i < heard->parcels; i++) {
        copy(heard->numbers[i], sizeof heard->numbers[i], shipment->parcels[i].tracking_number);
        heard->labels += shipment->parcels[i].label_count;
    }
}

static void on_found(void *context, const struct carrier_outcome *outcome,
                     const struct carrier_matches *matches)
{
    if (matches != NULL)
        assert_int_equal(matches->shipment_count, 1);
    on_shipment(context, outcome, matches == NULL ? NULL : &matches->shipments[0]);
}

static void on_cancelled(void *context, const struct carrier_outcome *outcome)
{
    hear(context, outcome);
}

static void on_tracking(void *context, const struct carrier_outcome *outcome,
                        const struct carrier_tracking *tracking)
{
    struct heard *heard = context;
    hear(heard, outcome);
    assert_int_equal(tracking != NULL, outcome->verdict == CARRIER_ANSWERED);
    heard->scans = tracking == NULL ? 0 : tracking->scan_count;
}

/* Nothing has been heard before the executor runs, and then once. */
static void heard_once(struct fixture *fixture)
{
    assert_int_equal(fixture->heard.calls, 0);
    assert_int_equal(tariff_carrier_pending(fixture->carrier), 1);
    test_executor_run_all(&fixture->executor);
    assert_int_equal(fixture->heard.calls, 1);
    fixture->heard.calls = 0;
}

static void rate(struct fixture *fixture)
{
    struct carrier_rate_request request = {.consignment = &fixture->consignment, .timeout_us = 1};
    assert_false(
        error_is(carrier_calculate_rate(fixture->carrier, &request, on_rates, &fixture->heard)));
    heard_once(fixture);
}

static void buy(struct fixture *fixture, const char *shipment_id, const char *service)
{
    struct carrier_shipment_request request = {.shipment_id = text_of(shipment_id),
                                               .service_code = text_of(service),
                                               .consignment = &fixture->consignment,
                                               .timeout_us = 1};
    assert_false(error_is(
        carrier_create_shipment(fixture->carrier, &request, on_shipment, &fixture->heard)));
    heard_once(fixture);
}

static void find(struct fixture *fixture, const char *shipment_id, const char *service)
{
    struct carrier_find_request request = {.shipment_id = text_of(shipment_id), .timeout_us = 1};
    if (service != NULL) {
        request.consignment = &fixture->consignment;
        request.service_code = text_of(service);
    }
    assert_false(
        error_is(carrier_find_by_reference(fixture->carrier, &request, on_found, &fixture->heard)));
    heard_once(fixture);
}

static void rates_are_those_of_the_day(void **state)
{
    struct fixture *fixture = *state;
    rate(fixture);
    assert_int_equal(fixture->heard.rates, 5);
    assert_true(fixture->heard.added_up);
    assert_string_equal(fixture->heard.services[0], "DHL");
    assert_int_equal(fixture->heard.amounts[0], 1100);
    assert_string_equal(fixture->heard.services[1], "FEDEX");
    assert_int_equal(fixture->heard.amounts[1], 1084);
    assert_string_equal(fixture->heard.services[2], "UPS");
    assert_int_equal(fixture->heard.amounts[2], 950);
    strcpy(fixture->consignment.ship_date, "2003-01-01");
    rate(fixture);
    assert_int_equal(fixture->heard.rates, 3);
    strcpy(fixture->consignment.ship_date, "1999-01-01");
    rate(fixture);
    assert_int_equal(fixture->heard.verdict, CARRIER_REFUSED);
    assert_string_equal(fixture->heard.message, "no service on that day");
    strcpy(fixture->consignment.ship_date, "soon");
    rate(fixture);
    assert_int_equal(fixture->heard.verdict, CARRIER_REFUSED);
    assert_string_equal(fixture->heard.code, "SHIP_DATE");
}

static void only_freight_takes_what_is_too_heavy(void **state)
{
    struct fixture *fixture = *state;
    fixture->parcels[0].weight_grams = 1048000;
    rate(fixture);
    assert_int_equal(fixture->heard.rates, 1);
    assert_string_equal(fixture->heard.services[0], "FREIGHT");
    fixture->consignment.options.saturday = true;
    rate(fixture);
    assert_int_equal(fixture->heard.verdict, CARRIER_REFUSED);
    assert_string_equal(fixture->heard.code, "NO_SERVICE");
    assert_non_null(strstr(fixture->heard.message, "UPS: a parcel is too heavy"));
    assert_non_null(strstr(fixture->heard.message, "FREIGHT: not on Saturdays"));
}

static void same_shipment(const struct heard *a, const struct heard *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_string_equal(a->number, b->number);
    assert_int_equal(a->charged.amount_minor, b->charged.amount_minor);
    assert_int_equal(a->parcels, b->parcels);
    for (size_t i = 0; i < a->parcels; i++)
        assert_string_equal(a->numbers[i], b->numbers[i]);
}

static void the_same_shipment_has_the_same_numbers(void **state)
{
    struct fixture *fixture = *state;
    fixture->consignment.parcel_count = 3;
    fixture->parcels[1].weight_grams = fixture->parcels[2].weight_grams = 500;
    buy(fixture, "order-1", "UPS");
    struct heard first = fixture->heard;
    assert_int_equal(first.parcels, 3);
    assert_int_equal(first.labels, 0);
    assert_int_equal(first.charged.amount_minor, 2250); /* 3 × 5.50 + 3 × 2.00 */
    assert_string_equal(first.number, first.numbers[0]);
    assert_string_not_equal(first.numbers[0], first.numbers[1]);
    buy(fixture, "order-1", "UPS");
    same_shipment(&first, &fixture->heard);
    find(fixture, "order-1", "UPS");
    same_shipment(&first, &fixture->heard);
    find(fixture, "order-1", NULL);
    assert_string_equal(first.number, fixture->heard.number);
    assert_int_equal(fixture->heard.parcels, 0);
    buy(fixture, "order-2", "UPS");
    assert_string_not_equal(first.number, fixture->heard.number);
}

static void freight_has_one_number_for_the_consignment(void **state)
{
    struct fixture *fixture = *state;
    fixture->consignment.parcel_count = 20;
    for (size_t i = 0; i < 20; i++)
        fixture->parcels[i].weight_grams = 90000;
    buy(fixture, "heavy", "FREIGHT");
    assert_int_equal(fixture->heard.verdict, CARRIER_ANSWERED);
    assert_int_equal(fixture->heard.parcels, 0);
    assert_true(tariff_number_is(text_of(fixture->heard.number)));
}

static void what_is_refused_is_refused_again_and_not_found(void **state)
{
    struct fixture *fixture = *state;
    for (int turn = 0; turn < 2; turn++) {
        buy(fixture, "a", "FREIGHT");
        assert_int_equal(fixture->heard.verdict, CARRIER_REFUSED);
        assert_string_equal(fixture->heard.code, "NO_SERVICE");
        buy(fixture, "a", "ROCKET");
        assert_int_equal(fixture->heard.verdict, CARRIER_REFUSED);
        assert_string_equal(fixture->heard.code, "SERVICE_UNKNOWN");
    }
    find(fixture, "a", "ROCKET");
    assert_int_equal(fixture->heard.verdict, CARRIER_NOT_FOUND);
    strcpy(fixture->consignment.ship_date, "2026-02-30");
    buy(fixture, "a", "UPS");
    assert_string_equal(fixture->heard.code, "SHIP_DATE");
}

static void cancel(struct fixture *fixture, const char *shipment_id, const char *number)
{
    struct carrier_cancel_request request = {
        .shipment_id = text_of(shipment_id), .tracking_number = text_of(number), .timeout_us = 1};
    assert_false(error_is(
        carrier_cancel_shipment(fixture->carrier, &request, on_cancelled, &fixture->heard)));
    heard_once(fixture);
}

static void cancellation_always_answers_for_its_own(void **state)
{
    struct fixture *fixture = *state;
    char number[tariff_number_size];
    assert_true(tariff_number_make(text_of("a"), 1, number));
    for (int turn = 0; turn < 2; turn++) {
        cancel(fixture, "a", number);
        assert_int_equal(fixture->heard.verdict, CARRIER_ANSWERED);
    }
    cancel(fixture, "b", number);
    assert_int_equal(fixture->heard.verdict, CARRIER_NOT_FOUND);
}

static void tracking_has_no_scans_and_nobody_pushes(void **state)
{
    struct fixture *fixture = *state;
    struct carrier_webhook webhook = {.body = text_of("{}")};
    struct carrier_webhook_result result;
    char number[tariff_number_size];
    assert_true(tariff_number_make(text_of("a"), 2, number));
    struct carrier_tracking_request request = {.tracking_number = text_of(number), .timeout_us = 1};
    assert_false(error_is(
        carrier_get_tracking_info(fixture->carrier, &request, on_tracking, &fixture->heard)));
    heard_once(fixture);
    assert_int_equal(fixture->heard.verdict, CARRIER_ANSWERED);
    assert_int_equal(fixture->heard.scans, 0);
    request.tracking_number = text_of("1Z5R89390357567127");
    assert_false(error_is(
        carrier_get_tracking_info(fixture->carrier, &request, on_tracking, &fixture->heard)));
    heard_once(fixture);
    assert_int_equal(fixture->heard.verdict, CARRIER_NOT_FOUND);
    assert_false(error_is(carrier_read_webhook(fixture->carrier, &webhook, NULL, &result)));
    assert_int_equal(result.verdict, CARRIER_WEBHOOK_REFUSED);
    assert_int_equal(carrier_state(fixture->carrier).circuit, CARRIER_CIRCUIT_CLOSED);
}

static void numbers_are_right_their_own_and_no_other_carriers(void **state)
{
    char number[tariff_number_size], other[tariff_number_size], id[32];
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(id, sizeof id, "shipment-%u", i);
        assert_true(tariff_number_make(text_of(id), 1 + i % 99, number));
        assert_int_equal(strlen(number), tariff_number_size - 1);
        assert_true(tariff_number_is(text_of(number)));
        assert_int_equal(tracking_number_kind_of(text_of(number)), TRACKING_NUMBER_UNKNOWN);
    }
    /* Worked out by Python: hashlib, and 98 - int("3211" + digits + "0100") % 97. */
    assert_true(tariff_number_make(text_of("order-1"), 1, number));
    assert_string_equal(number, "WB816000039661942290940175");
    for (size_t at = 2; number[at] != '\0'; at++) {
        for (char digit = '0'; digit <= '9'; digit++) {
            memcpy(other, number, sizeof other);
            other[at] = digit;
            assert_int_equal(tariff_number_is(text_of(other)), digit == number[at]);
        }
        if (number[at + 1] != '\0' && number[at + 1] != number[at]) {
            memcpy(other, number, sizeof other);
            other[at] = number[at + 1];
            other[at + 1] = number[at];
            assert_false(tariff_number_is(text_of(other)));
        }
    }
    assert_false(tariff_number_is(text_of("")));
    assert_false(tariff_number_is(text_of("WB0123456789012345678901x9")));
}

static void without_memory_nothing_is_started(void **state)
{
    struct fixture *fixture = *state;
    struct carrier_rate_request rates = {.consignment = &fixture->consignment, .timeout_us = 1};
    struct carrier_shipment_request request = {.shipment_id = text_of("a"),
                                               .service_code = text_of("UPS"),
                                               .consignment = &fixture->consignment,
                                               .timeout_us = 1};
    struct carrier_find_request found = {.shipment_id = text_of("a"), .timeout_us = 1};
    struct carrier_cancel_request cancelled = {.shipment_id = text_of("a"), .timeout_us = 1};
    struct carrier_tracking_request tracked = {.tracking_number = text_of("a"), .timeout_us = 1};
    struct carrier *other;
    memory_fail_after(0, 1);
    struct error errors[] = {
        carrier_calculate_rate(fixture->carrier, &rates, on_rates, &fixture->heard),
        carrier_create_shipment(fixture->carrier, &request, on_shipment, &fixture->heard),
        carrier_find_by_reference(fixture->carrier, &found, on_found, &fixture->heard),
        carrier_cancel_shipment(fixture->carrier, &cancelled, on_cancelled, &fixture->heard),
        carrier_get_tracking_info(fixture->carrier, &tracked, on_tracking, &fixture->heard),
        tariff_carrier_create(&other, fixture->tariff, &fixture->executor.base),
    };
    memory_fail_after(UINT64_MAX, 0);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        assert_int_equal(errors[i].code, ERROR_OUT_OF_MEMORY);
    assert_int_equal(test_executor_run_all(&fixture->executor), 0);
    assert_int_equal(fixture->heard.calls, 0);
}

static void it_closes_with_the_last_call(void **state)
{
    struct fixture *fixture = *state;
    struct carrier_rate_request request = {.consignment = &fixture->consignment, .timeout_us = 1};
    struct carrier *carrier;
    assert_false(
        error_is(tariff_carrier_create(&carrier, fixture->tariff, &fixture->executor.base)));
    for (size_t i = 0; i < 3; i++)
        assert_false(
            error_is(carrier_calculate_rate(carrier, &request, on_rates, &fixture->heard)));
    tariff_carrier_close(carrier);
    test_executor_run_all(&fixture->executor);
    assert_int_equal(fixture->heard.calls, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rates_are_those_of_the_day),
        TEST(only_freight_takes_what_is_too_heavy),
        TEST(the_same_shipment_has_the_same_numbers),
        TEST(freight_has_one_number_for_the_consignment),
        TEST(what_is_refused_is_refused_again_and_not_found),
        TEST(cancellation_always_answers_for_its_own),
        TEST(tracking_has_no_scans_and_nobody_pushes),
        TEST(numbers_are_right_their_own_and_no_other_carriers),
        TEST(without_memory_nothing_is_started),
        TEST(it_closes_with_the_last_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
