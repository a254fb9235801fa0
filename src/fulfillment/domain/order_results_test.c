/* The words that an order which waits for a person has for what holds it up. */
#include "fulfillment/domain/order_results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct text words_of(struct arena *arena, enum order_step step, const char *reason)
{
    struct order_parcel parcels[] = {{.tracking_number = text_of("1ZFIRST")},
                                     {.tracking_number = text_of("1ZSECOND")}};
    struct order_part part = {
        .warehouse_id = text_of("HOME"), .parcels = parcels, .parcel_count = 2};
    const struct order order = {.step = step, .parts = &part, .part_count = 1};
    const struct order_call result = {
        .item = 1,
        .refusal = {.reason = text_of(reason), .message = text_of("it was used before")},
    };
    return order_attention_text(&order, "STEP", &result, arena);
}

static void attention_tells_the_parcel_and_what_to_do(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 10000);
    assert_true(text_equals_string(
        words_of(&arena, STEP_TRACK, "ID_REUSED"),
        "STEP of HOME, parcel 1ZSECOND: ID_REUSED it was used before; tracking has this number for "
        "another shipment: CancelOrder voids the label and gives all back, ConfirmOrder tries once "
        "more"));
    assert_true(text_equals_string(words_of(&arena, STEP_TRACK, "OTHER"),
                                   "STEP of HOME, parcel 1ZSECOND: OTHER it was used before"));
    assert_true(text_equals_string(
        words_of(&arena, STEP_LABEL, "ID_REUSED"),
        "STEP of HOME: ID_REUSED it was used before; a label may have been bought: CancelOrder "
        "voids it and gives all back"));
    assert_true(text_equals_string(words_of(&arena, STEP_LABEL, "OTHER"),
                                   "STEP of HOME: OTHER it was used before"));
    arena_deinit(&arena);
}

/* What a person reads when no rate is of use: each carrier with its own reason. */
static void no_rate_names_every_carrier(void **state)
{
    struct text tried[] = {text_of("ups")};
    struct order_part part = {.tried_carriers = tried, .tried_count = 1};
    struct order order = {.step = STEP_RATE, .currency = "USD", .parts = &part, .part_count = 1};
    struct order_rate rates[] = {
        {.carrier = text_of("ups"), .service_code = text_of("03"), .amount = {"USD", 100}},
        {.carrier = text_of("fedex"), .service_code = text_of("A"), .amount = {"EUR", 100}},
        {.carrier = text_of("fedex"), .service_code = text_of("B"), .amount = {"EUR", 200}},
    };
    struct order_call call = {
        .rates = rates,
        .rate_count = 3,
        .refusal = {.message = text_of("dhl: CARRIER_UNAVAILABLE: no answer")},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena, 65536);
    assert_int_equal(order_take_result(&order, &call, &arena), CALL_CARRIER_REFUSED);
    assert_true(text_equals_string(order.refusal.reason, "NO_RATE"));
    assert_true(text_equals_string(order.refusal.message,
                                   "ups: tried before; fedex: has no rate in USD; "
                                   "dhl: CARRIER_UNAVAILABLE: no answer"));
    struct text told = order_attention_text(&order, "RATE", &call, &arena);
    assert_true(text_starts_with(told, text_of("RATE: NO_RATE ups: tried before; ")));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(attention_tells_the_parcel_and_what_to_do),
        cmocka_unit_test(no_rate_names_every_carrier),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
