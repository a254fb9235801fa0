/*
 * Goal: the ledger's entries tell where each hold stands, what others did, and what can be by no
 * means this replay's work. Method: a plan of three orders, one with each kind of extra hold and
 * one with none; ledgers written by hand.
 */
#include "main/replay/findings/ledger_survey.h"

#include "platform/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ACCOUNT(name) WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_##name

/*
 * The hold of an order without an extra one, and the extra holds of the two others. Each order has
 * 3 packs of product 0 and, but the one whose extra hold lapses, 2 of product 1.
 */
struct fixture {
    struct data_set data_set;
    struct replay_plan plan;
    struct ledger_survey *survey;
    uint32_t paid;
    uint32_t cancelled;
    uint32_t lapsed;
    struct hold_status holds[5];
    struct survey_totals totals;
    struct difference_list conflicts;
};

/* The first order id made of a letter and a number whose lot is that. */
static void find_name(char *name, size_t size, enum hold_outcome extra)
{
    for (int i = 0;; i++) {
        snprintf(name, size, "N%d", i);
        if (replay_plan_extra_of(1, text_of(name)) == extra)
            return;
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    char paid[16];
    char cancelled[16];
    char lapsed[16];
    char table[256];
    fixture = (struct fixture){0};
    find_name(paid, sizeof paid, HOLD_PAID);
    find_name(cancelled, sizeof cancelled, HOLD_CANCELLED);
    find_name(lapsed, sizeof lapsed, HOLD_LAPSED);
    snprintf(table, sizeof table,
             "ASN/DN #,Item Description,Line Item Quantity\n"
             "%s,x,1\n%s,x,2\n%s,y,2\n%s,x,3\n%s,y,2\n%s,x,3\n",
             paid, paid, paid, cancelled, cancelled, lapsed);
    if (error_is(data_set_read_bytes(&fixture.data_set, "t.csv", text_of(table))) ||
        error_is(replay_plan_init(&fixture.plan, &fixture.data_set, 1)) ||
        error_is(ledger_survey_create(&fixture.survey, &fixture.plan)) ||
        !data_set_find_order(&fixture.data_set, text_of(paid), &fixture.paid) ||
        !data_set_find_order(&fixture.data_set, text_of(cancelled), &fixture.cancelled) ||
        !data_set_find_order(&fixture.data_set, text_of(lapsed), &fixture.lapsed))
        return -1;
    fixture.cancelled = fixture.plan.extra_holds[fixture.cancelled];
    fixture.lapsed = fixture.plan.extra_holds[fixture.lapsed];
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ledger_survey_destroy(fixture->survey);
    replay_plan_deinit(&fixture->plan);
    data_set_deinit(&fixture->data_set);
    return 0;
}

static void add(struct fixture *fixture, uint32_t product, const char *cause, const char *cause_id,
                Waybill__Inventory__V1__StockAccount from, Waybill__Inventory__V1__StockAccount to,
                int64_t packs)
{
    Waybill__Inventory__V1__StockEntry entry = WAYBILL__INVENTORY__V1__STOCK_ENTRY__INIT;
    entry.cause = (char *)cause;
    entry.cause_id = (char *)cause_id;
    entry.from_account = from;
    entry.to_account = to;
    entry.quantity = packs;
    assert_false(error_is(ledger_survey_add(fixture->survey, product, &entry)));
}

static void add_receipt(struct fixture *fixture, uint32_t product, int64_t packs)
{
    struct replay_id id = replay_plan_receipt_id(&fixture->plan, product);
    add(fixture, product, "StockReceived", id.string, ACCOUNT(SUPPLY), ACCOUNT(AVAILABLE), packs);
}

/* What one event of a reservation writes into the ledgers of its products. */
static void add_event(struct fixture *fixture, uint32_t hold, uint32_t attempt, const char *cause)
{
    struct replay_id id = replay_plan_reservation_id(&fixture->plan, hold, attempt);
    bool is_reserved = strcmp(cause, "StockReserved") == 0;
    bool is_committed = strcmp(cause, "StockCommitted") == 0;
    Waybill__Inventory__V1__StockAccount from =
        is_reserved ? ACCOUNT(AVAILABLE) : ACCOUNT(RESERVED);
    Waybill__Inventory__V1__StockAccount to = is_reserved ? ACCOUNT(RESERVED) : ACCOUNT(AVAILABLE);
    if (is_committed)
        to = ACCOUNT(COMMITTED);
    add(fixture, 0, cause, id.string, from, to, 3);
    if (replay_plan_order(&fixture->plan, hold)->sku_count == 2)
        add(fixture, 1, cause, id.string, from, to, 2);
}

static void fold(struct fixture *fixture)
{
    fixture->conflicts = (struct difference_list){0};
    assert_false(error_is(ledger_survey_fold(fixture->survey, fixture->holds, &fixture->totals,
                                             &fixture->conflicts)));
}

static void expect_hold(const struct fixture *fixture, uint32_t hold, enum hold_state state,
                        uint32_t attempt)
{
    assert_int_equal(fixture->holds[hold].state, state);
    assert_int_equal(fixture->holds[hold].attempt, attempt);
}

static void add_whole_replay(struct fixture *fixture)
{
    add_receipt(fixture, 0, 9);
    add_receipt(fixture, 1, 4);
    add_event(fixture, fixture->paid, 1, "StockReserved");
    add_event(fixture, fixture->cancelled, 1, "StockReserved");
    add_event(fixture, fixture->lapsed, 1, "StockReserved");
    add_event(fixture, fixture->paid, 1, "StockCommitted");
    add_event(fixture, fixture->cancelled, 1, "ReservationRolledBack");
    add_event(fixture, fixture->lapsed, 1, "ReservationExpired");
    for (uint32_t i = 0; i < fixture->data_set.order_count; i++) {
        if (i == fixture->paid)
            continue;
        add_event(fixture, i, 1, "StockReserved");
        add_event(fixture, i, 1, "StockCommitted");
    }
}

static size_t count_differences(struct fixture *fixture)
{
    struct difference_list differences = {0};
    assert_false(error_is(ledger_survey_compare(fixture->survey, fixture->holds, &differences)));
    return differences.count;
}

static void empty_ledger_means_that_nothing_was_done(void **state)
{
    struct fixture *fixture = *state;
    fold(fixture);
    for (uint32_t i = 0; i < 5; i++)
        expect_hold(fixture, i, HOLD_NONE, 1);
    assert_int_equal(fixture->totals.holds[HOLD_NONE].holds, 5);
    assert_int_equal(fixture->totals.products_received, 0);
    assert_false(ledger_survey_is_received(fixture->survey, 0));
    assert_int_equal(fixture->conflicts.count, 0);
    /* Two receipts, five holds, and in both ledgers what should be committed. */
    assert_int_equal(count_differences(fixture), 2 + 5 + 2);
}

static void whole_replay_is_as_planned(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    fold(fixture);
    expect_hold(fixture, fixture->paid, HOLD_COMMITTED, 1);
    expect_hold(fixture, fixture->cancelled, HOLD_ROLLED_BACK, 1);
    expect_hold(fixture, fixture->lapsed, HOLD_EXPIRED, 1);
    assert_int_equal(fixture->totals.products_received, 2);
    assert_int_equal(fixture->totals.holds[HOLD_COMMITTED].packs, 13);
    assert_int_equal(fixture->totals.holds[HOLD_COMMITTED].lines, 5);
    assert_int_equal(fixture->conflicts.count, 0);
    assert_int_equal(count_differences(fixture), 0);
}

static void hold_is_told_from_its_end(void **state)
{
    struct fixture *fixture = *state;
    add_event(fixture, fixture->paid, 1, "StockReserved");
    fold(fixture);
    expect_hold(fixture, fixture->paid, HOLD_PENDING, 1);
    expect_hold(fixture, fixture->cancelled, HOLD_NONE, 1);
    add_event(fixture, fixture->paid, 1, "StockCommitted");
    fold(fixture);
    expect_hold(fixture, fixture->paid, HOLD_COMMITTED, 1);
}

static void hold_that_ran_out_is_followed_by_the_next_attempt(void **state)
{
    struct fixture *fixture = *state;
    add_event(fixture, fixture->paid, 1, "StockReserved");
    add_event(fixture, fixture->paid, 1, "ReservationExpired");
    fold(fixture);
    expect_hold(fixture, fixture->paid, HOLD_NONE, 2);
    add_event(fixture, fixture->paid, 2, "StockReserved");
    fold(fixture);
    expect_hold(fixture, fixture->paid, HOLD_PENDING, 2);
    add_event(fixture, fixture->paid, 2, "StockCommitted");
    fold(fixture);
    expect_hold(fixture, fixture->paid, HOLD_COMMITTED, 2);
    assert_int_equal(fixture->conflicts.count, 0);
}

static void attempts_may_be_met_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    add_event(fixture, fixture->cancelled, 2, "StockReserved");
    add_event(fixture, fixture->cancelled, 1, "ReservationExpired");
    add_event(fixture, fixture->cancelled, 2, "ReservationRolledBack");
    add_event(fixture, fixture->cancelled, 1, "StockReserved");
    fold(fixture);
    expect_hold(fixture, fixture->cancelled, HOLD_ROLLED_BACK, 2);
}

/* Each of these adds to a whole replay what no replay does to its paid hold. */
static void expect_conflict(struct fixture *fixture)
{
    fold(fixture);
    assert_int_equal(fixture->holds[fixture->paid].state, HOLD_UNKNOWN);
    assert_int_equal(fixture->conflicts.count, 1);
    assert_true(count_differences(fixture) > 0);
}

static void hold_made_twice_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add_event(fixture, fixture->paid, 1, "StockReserved");
    expect_conflict(fixture);
}

static void hold_paid_twice_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add_event(fixture, fixture->paid, 1, "StockReserved");
    add_event(fixture, fixture->paid, 1, "StockCommitted");
    expect_conflict(fixture);
}

static void hold_paid_under_two_attempts_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add_event(fixture, fixture->paid, 2, "StockReserved");
    add_event(fixture, fixture->paid, 2, "StockCommitted");
    expect_conflict(fixture);
}

static void hold_with_two_ends_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add_event(fixture, fixture->paid, 1, "ReservationRolledBack");
    expect_conflict(fixture);
}

static void half_a_hold_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct replay_id id = replay_plan_reservation_id(&fixture->plan, fixture->paid, 1);
    add(fixture, 0, "StockReserved", id.string, ACCOUNT(AVAILABLE), ACCOUNT(RESERVED), 3);
    expect_conflict(fixture);
}

static void hold_of_other_quantities_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct replay_id id = replay_plan_reservation_id(&fixture->plan, fixture->paid, 1);
    add(fixture, 0, "StockReserved", id.string, ACCOUNT(AVAILABLE), ACCOUNT(RESERVED), 3);
    add(fixture, 1, "StockReserved", id.string, ACCOUNT(AVAILABLE), ACCOUNT(RESERVED), 3);
    expect_conflict(fixture);
}

static void attempt_that_is_missing_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_event(fixture, fixture->paid, 2, "StockReserved");
    expect_conflict(fixture);
}

static void event_of_another_kind_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add_event(fixture, fixture->paid, 1, "ReservationExtended");
    expect_conflict(fixture);
}

static void receipt_taken_twice_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add_receipt(fixture, 1, 4);
    fold(fixture);
    assert_int_equal(fixture->conflicts.count, 1);
    assert_int_equal(count_differences(fixture), 1);
}

static void others_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add(fixture, 0, "StockReceived", "theirs", ACCOUNT(SUPPLY), ACCOUNT(AVAILABLE), 100);
    add(fixture, 0, "StockReserved", "theirs", ACCOUNT(AVAILABLE), ACCOUNT(RESERVED), 60);
    add(fixture, 0, "StockCommitted", "theirs", ACCOUNT(RESERVED), ACCOUNT(COMMITTED), 40);
    fold(fixture);
    assert_int_equal(fixture->totals.others_received, 100);
    assert_int_equal(fixture->totals.others_reserved, 20);
    assert_int_equal(fixture->totals.others_committed, 40);
    assert_int_equal(fixture->conflicts.count, 0);
    assert_int_equal(count_differences(fixture), 0);
}

static void entries_that_are_missing_are_noticed(void **state)
{
    struct fixture *fixture = *state;
    Waybill__Inventory__V1__Stock stock = WAYBILL__INVENTORY__V1__STOCK__INIT;
    add_whole_replay(fixture);
    stock.received = 9;
    stock.committed = 9;
    assert_true(ledger_survey_is_complete(fixture->survey, 0, &stock));
    stock.received = 10;
    assert_false(ledger_survey_is_complete(fixture->survey, 0, &stock));
    stock.received = 9;
    stock.committed = 6;
    assert_false(ledger_survey_is_complete(fixture->survey, 0, &stock));
    stock.committed = 9;
    stock.reserved = 1;
    assert_false(ledger_survey_is_complete(fixture->survey, 0, &stock));
}

static void product_can_be_read_anew(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    add(fixture, 0, "StockReceived", "theirs", ACCOUNT(SUPPLY), ACCOUNT(AVAILABLE), 100);
    ledger_survey_restart(fixture->survey, 0);
    ledger_survey_restart(fixture->survey, 1);
    add_whole_replay(fixture);
    fold(fixture);
    assert_int_equal(fixture->totals.others_received, 0);
    assert_int_equal(count_differences(fixture), 0);
}

static void without_memory_an_error_is_given(void **state)
{
    struct fixture *fixture = *state;
    add_whole_replay(fixture);
    memory_fail_after(0, 1);
    struct error error =
        ledger_survey_fold(fixture->survey, fixture->holds, &fixture->totals, &fixture->conflicts);
    memory_fail_after(UINT64_MAX, 0);
    assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
}

#define SURVEY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SURVEY_TEST(empty_ledger_means_that_nothing_was_done),
        SURVEY_TEST(whole_replay_is_as_planned),
        SURVEY_TEST(hold_is_told_from_its_end),
        SURVEY_TEST(hold_that_ran_out_is_followed_by_the_next_attempt),
        SURVEY_TEST(attempts_may_be_met_in_any_order),
        SURVEY_TEST(hold_made_twice_is_a_conflict),
        SURVEY_TEST(hold_paid_twice_is_a_conflict),
        SURVEY_TEST(hold_paid_under_two_attempts_is_a_conflict),
        SURVEY_TEST(hold_with_two_ends_is_a_conflict),
        SURVEY_TEST(half_a_hold_is_a_conflict),
        SURVEY_TEST(hold_of_other_quantities_is_a_conflict),
        SURVEY_TEST(attempt_that_is_missing_is_a_conflict),
        SURVEY_TEST(event_of_another_kind_is_a_conflict),
        SURVEY_TEST(receipt_taken_twice_is_a_conflict),
        SURVEY_TEST(others_are_told_apart),
        SURVEY_TEST(entries_that_are_missing_are_noticed),
        SURVEY_TEST(product_can_be_read_anew),
        SURVEY_TEST(without_memory_an_error_is_given),
    };
    return cmocka_run_group_tests_name("ledger_survey", tests, NULL, NULL);
}
