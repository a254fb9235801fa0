/*
 * Goal: rates of all carriers by the deadline, a reason for each that gave none, and a rate_id that
 * buys just what was rated. Method: fake carriers; every character of a rate_id bent in turn.
 */
#include "platform/base/base64.h"
#include "tests/support/shipping/shipping_desk.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;

static void all_carriers_are_asked_and_the_cheapest_comes_first(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.rate_services = 2; /* 1000, 1500; beta 1200 */
    struct desk_call *call = desk_ask(desk, desk_get_rates());
    const struct get_rates_call *answer = &call->as.rates;
    assert_int_equal(answer->rate_count, 3);
    assert_int_equal(answer->failure_count, 0);
    assert_string_equal(answer->rates[0].carrier, "alpha");
    assert_string_equal(answer->rates[1].carrier, "beta");
    assert_int_equal(answer->rates[2].rate.amount.amount_minor, 1500);
    assert_string_equal(answer->consignment.ship_date, "2026-09-21");
    desk_call_destroy(call);
}

static void a_carrier_without_an_answer_has_a_reason(void **state)
{
    struct shipping_desk *desk = *state;
    desk->beta.rate = (struct fake_orders){.verdict = CARRIER_UNKNOWN, .held = true, .count = 1};
    struct desk_call *call = desk_ask(desk, desk_get_rates());
    assert_false(call->is_done);
    fake_carrier_release(&desk->beta); /* as an adapter does at the end of the time it was given */
    shipping_desk_run(desk);
    assert_int_equal(call->as.rates.rate_count, 1);
    assert_int_equal(call->as.rates.failure_count, 1);
    assert_string_equal(call->as.rates.failures[0].carrier, "beta");
    assert_true(text_equals_string(call->as.rates.failures[0].reason, "no usable answer: lost"));
    desk_call_destroy(call);
}

static void who_is_not_named_is_not_asked(void **state)
{
    struct shipping_desk *desk = *state;
    struct text beta = text_of("beta");
    struct desk_call *call = desk_get_rates();
    call->as.rates.carriers = &beta;
    call->as.rates.carrier_count = 1;
    desk_ask(desk, call);
    assert_int_equal(call->as.rates.rate_count, 1);
    assert_int_equal(desk->alpha.rates_asked, 0);
    desk_call_destroy(call);
}

static void what_is_too_heavy_is_not_even_asked(void **state)
{
    struct shipping_desk *desk = *state;
    struct shipping_parcel parcel = {.weight_grams = 70001};
    struct desk_call *call = desk_get_rates();
    desk->beta.base.capabilities.parcel_grams_max = 0; /* any */
    call->as.rates.consignment.parcels = &parcel;
    desk_ask(desk, call);
    assert_int_equal(call->as.rates.rate_count, 1);
    assert_int_equal(desk->alpha.rates_asked, 0);
    assert_string_equal(call->as.rates.failures[0].carrier, "alpha");
    desk_call_destroy(call);
}

static struct violation only_violation(struct shipping_desk *desk, struct desk_call *call)
{
    assert_false(desk_call_submit(desk, call));
    assert_int_equal(call->call->violations.count, 1);
    return call->call->violations.items[0];
}

static void a_border_asks_for_customs(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = desk_get_rates();
    call->as.rates.consignment.destination.country_code = text_of("CA");
    assert_true(text_equals_string(only_violation(desk, call).field, "customs"));
    desk_call_destroy(call);
    call = desk_get_rates();
    call->as.rates.consignment.origin.country_code = text_of("DE");
    call->as.rates.consignment.destination.country_code = text_of("FR");
    desk_ask(desk, call);
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    desk_call_destroy(call);
}

static void an_unknown_carrier_and_a_bent_date_are_violations(void **state)
{
    struct shipping_desk *desk = *state;
    struct text gamma = text_of("gamma");
    struct desk_call *call = desk_get_rates();
    call->as.rates.carriers = &gamma;
    call->as.rates.carrier_count = 1;
    assert_true(text_equals_string(only_violation(desk, call).field, "carriers[0]"));
    desk_call_destroy(call);
    static const char *const dates[] = {"2026-02-29",  "2026-13-01", "26-01-01",
                                        "2026-01-01 ", "2026-1-1",   "today"};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        call = desk_get_rates();
        call->as.rates.ship_date = text_of(dates[i]);
        assert_true(text_equals_string(only_violation(desk, call).field, "ship_date"));
        desk_call_destroy(call);
    }
}

/* --- rate_id --- */

/* CreateShipment by a rate_id; the call is the caller's to destroy. */
static struct desk_call *buy(struct shipping_desk *desk, struct text rate_id)
{
    struct desk_call *call = desk_create_shipment("a");
    call->as.create.request.carrier = (struct text){0};
    call->as.create.request.service_code = (struct text){0};
    call->as.create.request.rate_id = arena_copy_text(&call->arena, rate_id);
    return desk_ask(desk, call);
}

static void a_rate_buys_what_was_rated(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.rate_services = 2;
    struct desk_call *asked = desk_ask(desk, desk_get_rates());
    desk->alpha.price_minor = 9999; /* meanwhile */
    struct desk_call *call = buy(desk, asked->as.rates.rates[2].rate_id);
    const struct shipment *shipment = &call->as.create.shipment;
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_true(text_equals_string(shipment->carrier, "alpha"));
    assert_true(text_equals_string(shipment->service_code, "S2"));
    assert_int_equal(shipment->amount.amount_minor, 1500);
    assert_int_equal(desk->alpha.rates_asked, 1);
    desk_call_destroy(call);
    desk_call_destroy(asked);
}

static void a_bent_rate_is_found_out_at_every_character(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *asked = desk_ask(desk, desk_get_rates());
    char bent[shipping_rate_id_bytes_max];
    struct text good = asked->as.rates.rates[0].rate_id;
    assert_true(good.size > 80 && good.size < sizeof bent);
    for (size_t i = 0; i < good.size; i++) {
        memcpy(bent, good.data, good.size);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        struct desk_call *call = buy(desk, text_make(bent, good.size));
        assert_int_equal(call->call->refusal, REFUSAL_RATE_MISMATCH);
        desk_call_destroy(call);
    }
    struct desk_call *call = buy(desk, text_make(good.data, good.size - 1));
    assert_int_equal(call->call->refusal, REFUSAL_RATE_MISMATCH);
    desk_call_destroy(call);
    assert_int_equal(desk_state(desk, "a"), 0); /* no trace */
    desk_call_destroy(asked);
}

static void another_keys_rate_is_a_mismatch(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *asked = desk_ask(desk, desk_get_rates());
    shipping_desk_stop(desk);
    desk->options.rate_key[0] ^= 1;
    shipping_desk_start(desk);
    struct desk_call *call = buy(desk, asked->as.rates.rates[0].rate_id);
    assert_int_equal(call->call->refusal, REFUSAL_RATE_MISMATCH);
    desk_call_destroy(call);
    desk_call_destroy(asked);
}

/* Changes one fact of a good consignment; NULL = there are no more. */
static const char *change_fact(struct consignment *consignment, int which)
{
    static struct shipping_parcel parcel;
    static struct shipping_customs_item item;
    static struct shipping_customs customs;
    switch (which) {
    case 0:
        consignment->origin.lines[0] = text_of("2 Main Street");
        return "origin";
    case 1:
        consignment->destination.postal_code = text_of("60602");
        return "destination";
    case 2:
        parcel = consignment->parcels[0];
        parcel.weight_grams++;
        consignment->parcels = &parcel;
        return "parcels";
    case 3:
        item = (struct shipping_customs_item){.description = text_of("A shirt"),
                                              .quantity = 1,
                                              .value = {"USD", 1999},
                                              .origin_country = text_of("BD")};
        customs = (struct shipping_customs){.items = &item, .item_count = 1};
        consignment->customs = &customs;
        return "customs";
    case 4:
        consignment->direction = SHIPPING_RETURN;
        return "direction";
    case 5:
        consignment->options.signature = true;
        return "options.signature";
    case 6:
        consignment->options.saturday = true;
        return "options.saturday";
    case 7:
        consignment->options.insured_value = (struct shipping_money){"USD", 10000};
        return "options.insured_value";
    default:
        return NULL;
    }
}

/* CreateShipment "a" by that rate, with so many facts changed. */
static struct desk_call *buy_changed(struct text rate_id, int first, int last)
{
    struct desk_call *call = desk_create_shipment("a");
    struct shipment_request *request = &call->as.create.request;
    request->carrier = request->service_code = (struct text){0};
    request->rate_id = arena_copy_text(&call->arena, rate_id);
    for (int which = first; which <= last; which++)
        change_fact(&request->consignment, which);
    return call;
}

static void a_changed_fact_is_a_mismatch_that_names_it(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *asked = desk_ask(desk, desk_get_rates());
    struct consignment ignored;
    desk_fill_consignment(&ignored);
    for (int which = 0; change_fact(&ignored, which) != NULL; which++) {
        char wanted[64];
        struct desk_call *call =
            desk_ask(desk, buy_changed(asked->as.rates.rates[0].rate_id, which, which));
        snprintf(wanted, sizeof wanted, "what differs: %s. ", change_fact(&ignored, which));
        assert_int_equal(call->call->refusal, REFUSAL_RATE_MISMATCH);
        assert_non_null(memmem(call->call->why.data, call->call->why.size, wanted, strlen(wanted)));
        desk_call_destroy(call);
    }
    struct desk_call *call = desk_ask(desk, buy_changed(asked->as.rates.rates[0].rate_id, 4, 6));
    assert_non_null(memmem(call->call->why.data, call->call->why.size,
                           "direction, options.signature, options.saturday. ", 48));
    desk_call_destroy(call);
    desk_call_destroy(asked);
    assert_int_equal(desk_state(desk, "a"), 0);
}

static void what_was_asked_about_is_bought_with_its_options_and_direction(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *asked = desk_get_rates();
    for (int which = 4; which <= 7; which++)
        change_fact(&asked->as.rates.consignment, which);
    desk_ask(desk, asked);
    assert_int_equal(asked->as.rates.rate_count, 2);
    struct desk_call *call = desk_ask(desk, buy_changed(asked->as.rates.rates[0].rate_id, 4, 7));
    assert_int_equal(call->call->refusal, REFUSAL_NONE);
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CREATED);
    assert_int_equal(call->as.create.shipment.consignment.direction, SHIPPING_RETURN);
    desk_call_destroy(call);
    call = desk_create_shipment("b"); /* without them it is another consignment */
    call->as.create.request.carrier = call->as.create.request.service_code = (struct text){0};
    call->as.create.request.rate_id = asked->as.rates.rates[0].rate_id;
    desk_ask(desk, call);
    assert_int_equal(call->call->refusal, REFUSAL_RATE_MISMATCH);
    desk_call_destroy(call);
    desk_call_destroy(asked);
}

static void who_cannot_do_what_is_asked_for_is_not_asked(void **state)
{
    struct shipping_desk *desk = *state;
    static const char *const reasons[] = {"has no returns", "does not deliver on Saturdays",
                                          "insures nothing"};
    desk->beta.base.capabilities.returns = false;
    desk->beta.base.capabilities.saturday = false;
    desk->beta.base.capabilities.insurance = false;
    for (size_t i = 0; i < 3; i++) {
        static const int facts[] = {4, 6, 7};
        struct desk_call *call = desk_get_rates();
        change_fact(&call->as.rates.consignment, facts[i]);
        desk_ask(desk, call);
        assert_int_equal(call->as.rates.rate_count, 1);
        assert_string_equal(call->as.rates.failures[0].carrier, "beta");
        assert_true(text_equals_string(call->as.rates.failures[0].reason, reasons[i]));
        desk_call_destroy(call);
    }
    assert_int_equal(desk->beta.rates_asked, 0);
}

/* A rate_id of the form before this one: sealed by the same key, without the parts of the facts. */
static void a_rate_of_an_earlier_release_has_expired(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *asked = desk_ask(desk, desk_get_rates());
    char bytes[512], sealed[700];
    size_t size = 0;
    assert_true(base64_decode(asked->as.rates.rates[0].rate_id, bytes, &size));
    bytes[0] = 1;
    size -= 32 + 4 * (size_t)consignment_part_count;
    assert_non_null(HMAC(EVP_sha256(), desk->options.rate_key, 32, (const unsigned char *)bytes,
                         size, (unsigned char *)bytes + size, NULL));
    size_t length = base64_encode(text_make(bytes, size + 32), false, sealed);
    for (size_t i = 0; i < length; i++)
        sealed[i] = sealed[i] == '+' ? '-' : sealed[i] == '/' ? '_' : sealed[i];
    struct desk_call *call = buy(desk, text_make(sealed, length));
    assert_int_equal(call->call->refusal, REFUSAL_RATE_EXPIRED);
    desk_call_destroy(call);
    desk_call_destroy(asked);
}

static void a_rate_ends_and_a_repeat_does_not(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *asked = desk_ask(desk, desk_get_rates());
    struct text rate_id = asked->as.rates.rates[0].rate_id;
    shipping_desk_pass(desk, 3599 * second_us);
    struct desk_call *call = buy(desk, rate_id);
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CREATED);
    desk_call_destroy(call);
    shipping_desk_pass(desk, 2 * second_us);
    call = buy(desk, rate_id); /* the record is there: the rate is not looked at */
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CREATED);
    desk_call_destroy(call);
    call = desk_create_shipment("b");
    call->as.create.request.carrier = call->as.create.request.service_code = (struct text){0};
    call->as.create.request.rate_id = rate_id;
    desk_ask(desk, call);
    assert_int_equal(call->call->refusal, REFUSAL_RATE_EXPIRED);
    desk_call_destroy(call);
    desk_call_destroy(asked);
}

static void the_seal_is_hmac_as_others_know_it(void **state)
{
    char bytes[512], alphabet[600];
    unsigned char seal[32];
    unsigned seal_size = 0;
    size_t size = 0;
    struct desk_call *asked = desk_ask(*state, desk_get_rates());
    struct text rate_id = asked->as.rates.rates[0].rate_id;
    assert_true(rate_id.size < sizeof alphabet);
    assert_int_equal(rate_id.data[rate_id.size], '\0');
    assert_true(base64_decode(rate_id, bytes, &size));
    assert_true(size > sizeof seal);
    assert_non_null(HMAC(EVP_sha256(), ((struct shipping_desk *)*state)->options.rate_key, 32,
                         (const unsigned char *)bytes, size - sizeof seal, seal, &seal_size));
    assert_int_equal(seal_size, sizeof seal);
    assert_memory_equal(seal, bytes + size - sizeof seal, sizeof seal);
    desk_call_destroy(asked);
}

/* --- a carrier that decides its rates --- */

static bool decide(struct carrier *carrier, const struct carrier_rate_request *request,
                   struct arena *arena, struct carrier_outcome *outcome,
                   struct carrier_rates *decided)
{
    static const struct carrier_rate only = {.service_code = {"D1", 2}, .amount = {"USD", 1100}};
    (void)carrier;
    (void)arena;
    *decided = (struct carrier_rates){.rates = &only, .rate_count = 1};
    *outcome = (struct carrier_outcome){.verdict = CARRIER_ANSWERED};
    if (request->consignment->parcel_count > 1)
        *outcome =
            (struct carrier_outcome){.verdict = CARRIER_REFUSED, .message = {"one parcel", 10}};
    return request->consignment->parcel_count < 3; /* no memory for three */
}

/* beta becomes it, and the service gets a thread of its own, which runs only when told to. */
static void let_beta_decide(struct shipping_desk *desk, struct carrier *decider,
                            struct test_executor *thread)
{
    static struct carrier_table table;
    table = *desk->beta.base.table;
    table.decide_rates = decide;
    *decider = desk->beta.base;
    decider->table = &table;
    test_executor_init(thread);
    shipping_desk_stop(desk);
    desk->carriers[1] = decider;
    desk->options.executor = &thread->base;
    shipping_desk_start(desk);
}

static struct desk_call *rates_of_beta(size_t parcel_count)
{
    static struct text beta;
    static struct shipping_parcel parcels[3];
    struct desk_call *call = desk_get_rates();
    beta = text_of("beta");
    for (size_t i = 0; i < 3; i++)
        parcels[i] = call->as.rates.consignment.parcels[0];
    call->as.rates.carriers = &beta;
    call->as.rates.carrier_count = 1;
    call->as.rates.consignment.parcels = parcels;
    call->as.rates.consignment.parcel_count = parcel_count;
    return call;
}

static void who_decides_its_rates_answers_on_the_callers_thread(void **state)
{
    struct shipping_desk *desk = *state;
    struct carrier decider;
    struct test_executor thread;
    let_beta_decide(desk, &decider, &thread);
    struct desk_call *call = rates_of_beta(1);
    assert_true(desk_call_submit(desk, call));
    assert_false(call->is_done); /* never before submit has returned */
    shipping_desk_run(desk);
    assert_true(call->is_done);
    assert_int_equal(call->as.rates.rate_count, 1);
    assert_string_equal(call->as.rates.rates[0].carrier, "beta");
    assert_int_equal(call->as.rates.rates[0].rate.amount.amount_minor, 1100);
    assert_true(call->as.rates.rates[0].rate_id.size > 80);
    assert_string_equal(call->as.rates.consignment.ship_date, "2026-09-21");
    desk_call_destroy(call);
    call = desk_ask(desk, rates_of_beta(2));
    assert_int_equal(call->as.rates.rate_count, 0);
    assert_int_equal(call->as.rates.failure_count, 1);
    assert_true(text_equals_string(call->as.rates.failures[0].reason, "refused: one parcel"));
    desk_call_destroy(call);
    call = desk_ask(desk, rates_of_beta(3));
    assert_int_equal(call->error.code, ERROR_OUT_OF_MEMORY);
    desk_call_destroy(call);
    test_executor_run_all(&thread);
    shipping_desk_stop(desk);
    test_executor_deinit(&thread);
}

static void who_decides_its_rates_stands_beside_who_is_asked(void **state)
{
    struct shipping_desk *desk = *state;
    struct carrier decider;
    struct test_executor thread;
    let_beta_decide(desk, &decider, &thread);
    struct desk_call *call = desk_get_rates();
    assert_true(desk_call_submit(desk, call));
    shipping_desk_run(desk);
    assert_false(call->is_done); /* alpha has to be asked */
    test_executor_run_all(&thread);
    shipping_desk_run(desk);
    assert_true(call->is_done);
    assert_int_equal(call->as.rates.rate_count, 2);
    assert_string_equal(call->as.rates.rates[0].carrier, "alpha"); /* 1000 */
    assert_string_equal(call->as.rates.rates[1].carrier, "beta");
    desk_call_destroy(call);
    shipping_desk_stop(desk);
    test_executor_deinit(&thread);
}

/* --- rules --- */

static struct desk_call *by_rule(struct shipping_desk *desk, enum rate_rule rule)
{
    struct desk_call *call = desk_create_shipment("a");
    call->as.create.request.carrier = call->as.create.request.service_code = (struct text){0};
    call->as.create.request.rule = (int)rule;
    return desk_ask(desk, call);
}

static void the_cheapest_and_the_fastest_are_told_apart(void **state)
{
    struct shipping_desk *desk = *state;
    desk->beta.rate_services = 3;
    desk->beta.price_minor = 900;
    struct desk_call *call = by_rule(desk, RATE_RULE_CHEAPEST);
    assert_true(text_equals_string(call->as.create.shipment.carrier, "beta"));
    assert_true(text_equals_string(call->as.create.shipment.service_code, "S1"));
    desk_call_destroy(call);
    shipping_desk_deinit(desk);
    shipping_desk_init(desk);
    shipping_desk_start(desk);
    desk->beta.rate_services = 3;
    call = by_rule(desk, RATE_RULE_FASTEST);
    assert_true(text_equals_string(call->as.create.shipment.service_code, "S3"));
    assert_int_equal(call->as.create.shipment.amount.amount_minor, 2200);
    desk_call_destroy(call);
}

static void without_any_rate_there_is_no_trace(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.rate = (struct fake_orders){.verdict = CARRIER_REFUSED, .count = SIZE_MAX};
    desk->beta.rate = (struct fake_orders){.verdict = CARRIER_REFUSED, .count = 1};
    struct desk_call *call = by_rule(desk, RATE_RULE_CHEAPEST);
    assert_int_equal(call->call->refusal, REFUSAL_NO_SERVICE);
    assert_true(text_equals_string(call->call->why, "no carrier takes it: alpha refused: no; "
                                                    "beta refused: no"));
    desk_call_destroy(call);
    desk->beta.rate = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = 1};
    call = by_rule(desk, RATE_RULE_CHEAPEST);
    assert_int_equal(call->call->refusal, REFUSAL_CARRIER_UNAVAILABLE);
    desk_call_destroy(call);
    assert_int_equal(desk_state(desk, "a"), 0);
}

static void a_named_service_is_bought_without_a_price_if_nobody_says_it(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.rate = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = SIZE_MAX};
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    assert_int_equal(call->as.create.shipment.state, SHIPMENT_CREATED);
    assert_int_equal(call->as.create.shipment.amount.currency_code[0], '\0');
    desk_call_destroy(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_carriers_are_asked_and_the_cheapest_comes_first,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_without_an_answer_has_a_reason,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(who_is_not_named_is_not_asked, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_heavy_is_not_even_asked, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_border_asks_for_customs, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_carrier_and_a_bent_date_are_violations,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_rate_buys_what_was_rated, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_bent_rate_is_found_out_at_every_character,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(another_keys_rate_is_a_mismatch, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_changed_fact_is_a_mismatch_that_names_it,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_asked_about_is_bought_with_its_options_and_direction, shipping_desk_set_up,
            shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(who_cannot_do_what_is_asked_for_is_not_asked,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_rate_of_an_earlier_release_has_expired,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_rate_ends_and_a_repeat_does_not, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_seal_is_hmac_as_others_know_it, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(who_decides_its_rates_answers_on_the_callers_thread,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(who_decides_its_rates_stands_beside_who_is_asked,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(the_cheapest_and_the_fastest_are_told_apart,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(without_any_rate_there_is_no_trace, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_named_service_is_bought_without_a_price_if_nobody_says_it,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_rates", tests, NULL, NULL);
}
