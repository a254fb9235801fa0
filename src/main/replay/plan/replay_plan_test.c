/*
 * Goal: the plan is the same on every run, keeps its shares, and its ids tell what they name.
 * Method: the real data set with the default seed against figures once computed; ids read back.
 */
#include "main/replay/plan/replay_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct data_set data_set;

static int read_data_set(void **state)
{
    (void)state;
    struct error error = data_set_read(&data_set, file_system_posix(), getenv("WAYBILL_DATA_SET"));
    return error_is(error) ? -1 : 0;
}

static int release_data_set(void **state)
{
    (void)state;
    data_set_deinit(&data_set);
    return 0;
}

static void plan_is_the_same_on_every_machine(void **state)
{
    struct replay_plan plan;
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    assert_string_equal(plan.prefix, "replay:f139aea9331f:");
    static const struct hold_totals expected[] = {
        [HOLD_PAID] = {.holds = 7030, .lines = 9610, .packs = 189265090},
        [HOLD_CANCELLED] = {.holds = 387, .lines = 515, .packs = 11185677},
        [HOLD_LAPSED] = {.holds = 347, .lines = 468, .packs = 9605800},
    };
    for (int i = 0; i < hold_outcome_count; i++) {
        assert_int_equal(plan.totals[i].holds, expected[i].holds);
        assert_int_equal(plan.totals[i].lines, expected[i].lines);
        assert_int_equal(plan.totals[i].packs, expected[i].packs);
    }
    replay_plan_deinit(&plan);
}

static void every_order_is_paid_and_one_in_twenty_each_is_first_cancelled_or_abandoned(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct replay_plan plan;
        assert_false(error_is(replay_plan_init(&plan, &data_set, seed)));
        assert_int_equal(plan.totals[HOLD_PAID].holds, 7030);
        assert_int_equal(plan.totals[HOLD_PAID].lines, 9610);
        assert_int_equal(plan.totals[HOLD_PAID].packs, 189265090);
        /* Five standard deviations of a binomial distribution. */
        assert_in_range(plan.totals[HOLD_CANCELLED].holds, 351 - 92, 351 + 92);
        assert_in_range(plan.totals[HOLD_LAPSED].holds, 351 - 92, 351 + 92);
        assert_int_equal(plan.hold_count,
                         7030 + plan.totals[HOLD_CANCELLED].holds + plan.totals[HOLD_LAPSED].holds);
        replay_plan_deinit(&plan);
    }
}

static void outcome_does_not_depend_on_the_rest_of_the_data(void **state)
{
    struct data_set few;
    struct replay_plan plan;
    (void)state;
    static const char table[] = "ASN/DN #,Item Description,Line Item Quantity\n"
                                "ASN-94,x,1\nASN-85,x,1\nASN-8,x,1\n";
    assert_false(error_is(data_set_read_bytes(&few, "t.csv", text_of(table))));
    assert_false(error_is(replay_plan_init(&plan, &few, 1)));
    for (uint32_t i = 0; i < plan.hold_count; i++) {
        struct text order_id = replay_plan_order(&plan, i)->order_id;
        assert_int_equal(replay_plan_outcome(&plan, i),
                         i < few.order_count ? HOLD_PAID : replay_plan_extra_of(1, order_id));
    }
    replay_plan_deinit(&plan);
    data_set_deinit(&few);
}

static void seed_and_data_set_name_the_run(void **state)
{
    struct data_set few;
    struct replay_plan one;
    struct replay_plan other;
    struct replay_plan third;
    (void)state;
    static const char table[] = "ASN/DN #,Item Description,Line Item Quantity\nASN-94,x,1\n";
    assert_false(error_is(data_set_read_bytes(&few, "t.csv", text_of(table))));
    assert_false(error_is(replay_plan_init(&one, &data_set, 1)));
    assert_false(error_is(replay_plan_init(&other, &data_set, 2)));
    assert_false(error_is(replay_plan_init(&third, &few, 1)));
    assert_string_not_equal(one.prefix, other.prefix);
    assert_string_not_equal(one.prefix, third.prefix);
    replay_plan_deinit(&one);
    replay_plan_deinit(&other);
    replay_plan_deinit(&third);
    data_set_deinit(&few);
}

static void reservation_ids_are_valid_and_read_back(void **state)
{
    static const uint32_t attempts[] = {1, 2, replay_attempts_max};
    struct replay_plan plan;
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (uint32_t i = 0; i < plan.hold_count; i++) {
        for (size_t j = 0; j < sizeof attempts / sizeof attempts[0]; j++) {
            uint32_t hold;
            uint32_t attempt;
            struct replay_id id = replay_plan_reservation_id(&plan, i, attempts[j]);
            assert_in_range(strlen(id.string), 1, replay_id_bytes_max);
            assert_true(replay_plan_find_reservation(&plan, text_of(id.string), &hold, &attempt));
            assert_int_equal(hold, i);
            assert_int_equal(attempt, attempts[j]);
        }
    }
    replay_plan_deinit(&plan);
}

static void ids_of_others_are_not_taken_for_ours(void **state)
{
    static const char *const endings[] = {"",           "ASN-8",     "ASN-8:",   "ASN-8:0",
                                          "ASN-8:01",   "ASN-8:100", "ASN-8:-1", "ASN-8:x",
                                          "NO-ORDER:1", ":1",        "1",        "ASN-8:1:1",
                                          "ASN-8:1y",   "ASN-8:x",   "x"};
    struct replay_plan plan;
    uint32_t hold;
    uint32_t attempt;
    char id[128];
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(id, sizeof id, "%s%s", plan.prefix, endings[i]);
        assert_false(replay_plan_find_reservation(&plan, text_of(id), &hold, &attempt));
    }
    snprintf(id, sizeof id, "%sASN-8:1", plan.prefix);
    assert_true(replay_plan_find_reservation(&plan, text_of(id), &hold, &attempt));
    assert_false(replay_plan_find_reservation(&plan, text_of("replay:0:ASN-8:1"), &hold, &attempt));
    replay_plan_deinit(&plan);
}

static void tracking_numbers_are_valid_and_read_back(void **state)
{
    struct replay_plan plan;
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (uint32_t i = 0; i < data_set.line_count; i++) {
        uint32_t line;
        struct replay_id number = replay_plan_tracking_number(&plan, i);
        assert_in_range(strlen(number.string), 1, replay_id_bytes_max);
        assert_true(replay_plan_find_parcel(&plan, text_of(number.string), &line));
        assert_int_equal(line, i);
    }
    replay_plan_deinit(&plan);
}

static void tracking_numbers_of_others_are_not_taken_for_ours(void **state)
{
    static const char *const endings[] = {
        "p:ASN-8",      "p:ASN-8:", "p:ASN-8:0", "p:ASN-8:01", "p:ASN-8:-1", "p:NO-ORDER:1",
        "p:ASN-8:9999", "ASN-8:1",  "p::1",      "p:",         "",           "a:ASN-8"};
    struct replay_plan plan;
    uint32_t line;
    char number[128];
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(number, sizeof number, "%s%s", plan.prefix, endings[i]);
        assert_false(replay_plan_find_parcel(&plan, text_of(number), &line));
    }
    snprintf(number, sizeof number, "%sp:ASN-8:1", plan.prefix);
    assert_true(replay_plan_find_parcel(&plan, text_of(number), &line));
    replay_plan_deinit(&plan);
}

static void shipment_ids_are_valid_and_read_back(void **state)
{
    static const uint32_t parts[] = {0, 1, 53, UINT16_MAX - 1};
    static const char *const bad[] = {"s:ASN-8", "s:ASN-8:0", "s:ASN-8:01", "s:ASN-8:65536", "s:"};
    struct replay_plan plan;
    uint32_t order;
    uint32_t part;
    char id[128];
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (uint32_t i = 0; i < data_set.order_count; i++) {
        struct replay_id one = replay_plan_shipment_id(&plan, i, parts[i % 4]);
        assert_in_range(strlen(one.string), 1, replay_id_bytes_max);
        assert_true(replay_plan_find_shipment(&plan, text_of(one.string), &order, &part));
        assert_int_equal(order, i);
        assert_int_equal(part, parts[i % 4]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(id, sizeof id, "%s%s", plan.prefix, bad[i]);
        assert_false(replay_plan_find_shipment(&plan, text_of(id), &order, &part));
    }
    replay_plan_deinit(&plan);
}

static void order_ids_are_valid_and_read_back(void **state)
{
    struct replay_plan plan;
    char id[128];
    uint32_t hold;
    uint32_t order;
    uint32_t extras = 0;
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (uint32_t i = 0; i < plan.hold_count; i++) {
        struct replay_id one = replay_plan_order_id(&plan, i);
        assert_in_range(strlen(one.string), 1, replay_id_bytes_max);
        assert_true(replay_plan_find_order_id(&plan, text_of(one.string), &hold));
        assert_int_equal(hold, i);
        bool is_own = replay_plan_find_own_order(&plan, text_of(one.string), &order);
        assert_int_equal(is_own, i < data_set.order_count);
        extras += !is_own;
    }
    assert_in_range(extras, data_set.order_count / 20, data_set.order_count / 5);
    for (uint32_t i = 0; i < data_set.order_count; i++) {
        struct replay_id one = replay_plan_order_id(&plan, i);
        snprintf(id, sizeof id, "%.*s2", (int)strlen(one.string) - 1, one.string);
        assert_int_equal(replay_plan_find_order_id(&plan, text_of(id), &hold),
                         plan.extra_holds[i] != data_set_nowhere);
    }
    snprintf(id, sizeof id, "%so:ASN-8:3", plan.prefix);
    assert_false(replay_plan_find_order_id(&plan, text_of(id), &hold));
    replay_plan_deinit(&plan);
}

static void receipt_ids_differ_by_product(void **state)
{
    struct replay_plan plan;
    (void)state;
    assert_false(error_is(replay_plan_init(&plan, &data_set, 1)));
    for (uint32_t i = 1; i < data_set.product_count; i++) {
        struct replay_id one = replay_plan_receipt_id(&plan, i - 1);
        struct replay_id other = replay_plan_receipt_id(&plan, i);
        assert_string_not_equal(one.string, other.string);
    }
    replay_plan_deinit(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_is_the_same_on_every_machine),
        cmocka_unit_test(
            every_order_is_paid_and_one_in_twenty_each_is_first_cancelled_or_abandoned),
        cmocka_unit_test(outcome_does_not_depend_on_the_rest_of_the_data),
        cmocka_unit_test(seed_and_data_set_name_the_run),
        cmocka_unit_test(reservation_ids_are_valid_and_read_back),
        cmocka_unit_test(ids_of_others_are_not_taken_for_ours),
        cmocka_unit_test(tracking_numbers_are_valid_and_read_back),
        cmocka_unit_test(tracking_numbers_of_others_are_not_taken_for_ours),
        cmocka_unit_test(shipment_ids_are_valid_and_read_back),
        cmocka_unit_test(order_ids_are_valid_and_read_back),
        cmocka_unit_test(receipt_ids_differ_by_product),
    };
    return cmocka_run_group_tests_name("replay_plan", tests, read_data_set, release_data_set);
}
