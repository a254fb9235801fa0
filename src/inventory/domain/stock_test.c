/* The arithmetic of stock, change by change: what it becomes, and what is refused at which bound.
 */
#include "inventory/domain/stock.h"

#include "inventory/domain/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* 100 received, 5 returned, 3 written off, 40 committed, 20 reserved: on hand 62, available 42. */
static const struct stock some = {
    .received = 100,
    .returned = 5,
    .adjusted = -3,
    .committed = 40,
    .reserved = 20,
    .revision = 7,
    .update_time_us = 1000,
};

/* `after` is `before` but for what a change always changes; `expected` has the rest. */
static void assert_changed(const struct stock *after, struct stock expected)
{
    expected.revision = some.revision + 1;
    expected.update_time_us = 2000;
    assert_memory_equal(after, &expected, sizeof expected);
}

static void on_hand_is_what_came_less_what_left(void **state)
{
    (void)state;
    assert_int_equal(stock_on_hand(&some), 62);
    assert_int_equal(stock_available(&some), 42);
}

static void available_is_negative_when_more_is_promised_than_there(void **state)
{
    (void)state;
    struct stock stock = {.received = 3, .reserved = 8};
    assert_int_equal(stock_available(&stock), -5);
    assert_int_equal(stock_state(&stock), STOCK_STATE_OUT_OF_STOCK);
}

static void stock_is_out_at_zero_available(void **state)
{
    (void)state;
    struct stock stock = {.received = 8, .reserved = 8};
    assert_int_equal(stock_state(&stock), STOCK_STATE_OUT_OF_STOCK);
    stock.reserved = 7;
    assert_int_equal(stock_state(&stock), STOCK_STATE_IN_STOCK);
}

static void receipt_adds_to_received(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    expected.received = 111;
    assert_int_equal(stock_receive(&some, 11, 2000, &after), STOCK_CHANGED);
    assert_changed(&after, expected);
}

static void receipt_may_fill_up_to_the_limit(void **state)
{
    (void)state;
    struct stock after;
    struct stock nearly_full = {.received = inventory_on_hand_max - 5};
    assert_int_equal(stock_receive(&nearly_full, 5, 2000, &after), STOCK_CHANGED);
    assert_int_equal(stock_on_hand(&after), inventory_on_hand_max);
    assert_int_equal(stock_receive(&nearly_full, 6, 2000, &after), STOCK_ABOVE_LIMIT);
}

static void adjustment_adds_to_adjusted(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    expected.adjusted = 1;
    assert_int_equal(stock_adjust(&some, 4, 0, 2000, &after), STOCK_CHANGED);
    assert_changed(&after, expected);
    expected.adjusted = -65;
    assert_int_equal(stock_adjust(&some, -62, 0, 2000, &after), STOCK_CHANGED);
    assert_changed(&after, expected);
    assert_int_equal(stock_on_hand(&after), 0);
}

static void adjustment_below_zero_is_refused(void **state)
{
    (void)state;
    struct stock after;
    assert_int_equal(stock_adjust(&some, -63, 0, 2000, &after), STOCK_INSUFFICIENT);
}

static void adjustment_upwards_is_taken_below_zero(void **state)
{
    (void)state;
    struct stock after;
    struct stock oversold = {.received = 1, .committed = 9};
    assert_int_equal(stock_adjust(&oversold, 3, 0, 2000, &after), STOCK_CHANGED);
    assert_int_equal(stock_on_hand(&after), -5);
    assert_int_equal(stock_adjust(&oversold, -1, 0, 2000, &after), STOCK_INSUFFICIENT);
}

static void adjustment_above_the_limit_is_refused(void **state)
{
    (void)state;
    struct stock after;
    struct stock nearly_full = {.received = inventory_on_hand_max - 5};
    assert_int_equal(stock_adjust(&nearly_full, 5, 0, 2000, &after), STOCK_CHANGED);
    assert_int_equal(stock_adjust(&nearly_full, 6, 0, 2000, &after), STOCK_ABOVE_LIMIT);
}

static void adjustment_needs_the_expected_revision(void **state)
{
    (void)state;
    struct stock after;
    assert_int_equal(stock_adjust(&some, 1, 7, 2000, &after), STOCK_CHANGED);
    assert_int_equal(stock_adjust(&some, 1, 6, 2000, &after), STOCK_REVISION_DIFFERENT);
    assert_int_equal(stock_adjust(&some, 1, 8, 2000, &after), STOCK_REVISION_DIFFERENT);
    assert_int_equal(stock_adjust(&some, -63, 6, 2000, &after), STOCK_REVISION_DIFFERENT);
}

static void hold_takes_all_that_is_available_and_no_more(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    expected.reserved = 62;
    assert_int_equal(stock_hold(&some, 42, 2000, &after), STOCK_CHANGED);
    assert_changed(&after, expected);
    assert_int_equal(stock_hold(&some, 43, 2000, &after), STOCK_INSUFFICIENT);
}

static void nothing_can_be_held_of_less_than_nothing(void **state)
{
    (void)state;
    struct stock after;
    struct stock oversold = {.received = 3, .reserved = 8};
    assert_int_equal(stock_hold(&oversold, 1, 2000, &after), STOCK_INSUFFICIENT);
}

static void settlement_ends_the_hold_and_takes_what_is_committed(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    expected.reserved = 5;
    expected.committed = 49;
    stock_settle(&some, 15, 9, 2000, &after);
    assert_changed(&after, expected);
    expected.committed = 40;
    stock_settle(&some, 15, 0, 2000, &after);
    assert_changed(&after, expected);
}

static void settlement_is_taken_below_zero_on_hand(void **state)
{
    (void)state;
    struct stock after;
    struct stock counted_down = {.received = 10, .adjusted = -10, .reserved = 8};
    stock_settle(&counted_down, 8, 8, 2000, &after);
    assert_int_equal(stock_on_hand(&after), -8);
    assert_int_equal(after.reserved, 0);
}

static void safety_stock_is_not_available(void **state)
{
    (void)state;
    struct stock stock = some;
    stock.policy.safety_stock = 50;
    assert_int_equal(stock_unreserved(&stock), 42);
    assert_int_equal(stock_available(&stock), -8);
    stock.policy.backorder_limit = 10;
    assert_int_equal(stock_grantable(&stock), 2);
}

static void stock_is_low_up_to_the_threshold(void **state)
{
    (void)state;
    struct stock stock = some;
    stock.policy.low_stock_threshold = 41;
    assert_int_equal(stock_state(&stock), STOCK_STATE_IN_STOCK);
    stock.policy.low_stock_threshold = 42;
    assert_int_equal(stock_state(&stock), STOCK_STATE_LOW_STOCK);
    stock.reserved = 62;
    assert_int_equal(stock_state(&stock), STOCK_STATE_OUT_OF_STOCK);
}

static void backorder_is_what_exceeds_the_available(void **state)
{
    (void)state;
    struct stock after;
    struct stock stock = some;
    stock.policy.backorder_limit = 5;
    assert_int_equal(stock_backordered(&stock, 42), 0);
    assert_int_equal(stock_backordered(&stock, 45), 3);
    assert_int_equal(stock_hold(&stock, 48, 2000, &after), STOCK_INSUFFICIENT);
    assert_int_equal(stock_hold(&stock, 45, 2000, &after), STOCK_CHANGED);
    assert_int_equal(stock_available(&after), -3);
    assert_int_equal(stock_backordered(&after, 2), 2);
    assert_int_equal(stock_hold(&after, 3, 2000, &after), STOCK_INSUFFICIENT);
    assert_int_equal(stock_hold(&after, 2, 2000, &after), STOCK_CHANGED);
}

static void quantity_limit_is_for_one_hold(void **state)
{
    (void)state;
    struct stock after;
    struct stock stock = some;
    assert_true(stock_allows_quantity(&stock, inventory_quantity_max));
    stock.policy.reservation_quantity_max = 7;
    assert_true(stock_allows_quantity(&stock, 7));
    assert_int_equal(stock_hold(&stock, 8, 2000, &after), STOCK_ABOVE_QUANTITY);
    assert_int_equal(stock_hold(&stock, 7, 2000, &after), STOCK_CHANGED);
}

static void what_is_free_can_be_taken_without_a_promise(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    expected.committed = 82;
    assert_int_equal(stock_take(&some, 43, 2000, &after), STOCK_INSUFFICIENT);
    assert_int_equal(stock_take(&some, 42, 2000, &after), STOCK_CHANGED);
    assert_changed(&after, expected);
}

static void returned_goods_are_on_hand(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    struct stock nearly_full = {.received = inventory_on_hand_max - 5};
    expected.returned = 12;
    assert_int_equal(stock_return(&some, 7, 2000, &after), STOCK_CHANGED);
    assert_changed(&after, expected);
    assert_int_equal(stock_return(&nearly_full, 6, 2000, &after), STOCK_ABOVE_LIMIT);
}

static void policy_changes_once(void **state)
{
    (void)state;
    struct stock after;
    struct stock expected = some;
    const struct stock_policy policy = {1, 2, 3, 4};
    assert_int_equal(stock_set_policy(&some, &some.policy, 99, 2000, &after), STOCK_UNCHANGED);
    assert_int_equal(stock_set_policy(&some, &policy, 6, 2000, &after), STOCK_REVISION_DIFFERENT);
    assert_int_equal(stock_set_policy(&some, &policy, 7, 2000, &after), STOCK_CHANGED);
    expected.policy = policy;
    assert_changed(&after, expected);
}

static void crossings_are_told_both_ways(void **state)
{
    (void)state;
    struct stock low = some;
    low.policy.low_stock_threshold = 42;
    struct stock_crossing crossing = stock_crossing(&some, &low, false);
    assert_int_equal(crossing.before, STOCK_STATE_IN_STOCK);
    assert_int_equal(crossing.after, STOCK_STATE_LOW_STOCK);
    assert_int_equal(crossing.available, 42);
    assert_int_equal(crossing.low_stock_threshold, 42);
    crossing = stock_crossing(&low, &some, false);
    assert_int_equal(crossing.before, STOCK_STATE_LOW_STOCK);
    assert_int_equal(crossing.after, STOCK_STATE_IN_STOCK);
    crossing = stock_crossing(&low, &low, false);
    assert_int_equal(crossing.before, crossing.after);
    assert_int_equal(crossing.available, 0);
}

static void first_receipt_crosses_nothing(void **state)
{
    (void)state;
    struct stock nothing = {0};
    struct stock after;
    assert_int_equal(stock_receive(&nothing, 5, 2000, &after), STOCK_CHANGED);
    struct stock_crossing crossing = stock_crossing(&nothing, &after, false);
    assert_int_equal(crossing.before, crossing.after);
}

static void only_a_count_makes_a_shortage_and_only_once(void **state)
{
    (void)state;
    struct stock short_of = some;
    short_of.adjusted -= 43;
    assert_true(stock_crossing(&some, &short_of, true).shortage);
    assert_int_equal(stock_crossing(&some, &short_of, true).available, -1);
    assert_false(stock_crossing(&some, &short_of, false).shortage);
    struct stock shorter = short_of;
    shorter.adjusted--;
    assert_false(stock_crossing(&short_of, &shorter, true).shortage);
    short_of.adjusted++;
    assert_false(stock_crossing(&some, &short_of, true).shortage); /* 0 is no shortage */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_hand_is_what_came_less_what_left),
        cmocka_unit_test(available_is_negative_when_more_is_promised_than_there),
        cmocka_unit_test(stock_is_out_at_zero_available),
        cmocka_unit_test(receipt_adds_to_received),
        cmocka_unit_test(receipt_may_fill_up_to_the_limit),
        cmocka_unit_test(adjustment_adds_to_adjusted),
        cmocka_unit_test(adjustment_below_zero_is_refused),
        cmocka_unit_test(adjustment_upwards_is_taken_below_zero),
        cmocka_unit_test(adjustment_above_the_limit_is_refused),
        cmocka_unit_test(adjustment_needs_the_expected_revision),
        cmocka_unit_test(hold_takes_all_that_is_available_and_no_more),
        cmocka_unit_test(nothing_can_be_held_of_less_than_nothing),
        cmocka_unit_test(settlement_ends_the_hold_and_takes_what_is_committed),
        cmocka_unit_test(settlement_is_taken_below_zero_on_hand),
        cmocka_unit_test(safety_stock_is_not_available),
        cmocka_unit_test(stock_is_low_up_to_the_threshold),
        cmocka_unit_test(backorder_is_what_exceeds_the_available),
        cmocka_unit_test(quantity_limit_is_for_one_hold),
        cmocka_unit_test(what_is_free_can_be_taken_without_a_promise),
        cmocka_unit_test(returned_goods_are_on_hand),
        cmocka_unit_test(policy_changes_once),
        cmocka_unit_test(crossings_are_told_both_ways),
        cmocka_unit_test(first_receipt_crosses_nothing),
        cmocka_unit_test(only_a_count_makes_a_shortage_and_only_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
