/*
 * Goal: wherever the process dies, a shipment_id has at most one label that is paid for, and after
 * the next start its record tells the truth: CREATED with the number that the carrier sold, or an
 * end without a label, or a person is asked. Method: the books hear the first N commands and no
 * more, for every N until a run needs no more; the carrier behaves in every way; each with the last
 * command's answer lost or not. Then a new process on the same books, the same call again, and a
 * day passes.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const int64_t hour_us = INT64_C(3600) * 1000000;
enum { fuel_max = 60 };

/* How the carrier behaves at the first purchase and at the first look-ups. */
struct manner {
    const char *name;
    struct fake_orders create;
    struct fake_orders find;
    bool resolve; /* a person voids while it is unknown */
};

static const struct manner manners[] = {
    {"answers", {0}, {0}, false},
    {"refuses", {.verdict = CARRIER_REFUSED, .count = 1}, {0}, false},
    {"is throttled", {.verdict = CARRIER_THROTTLED, .count = 2}, {0}, false},
    {"is away", {.verdict = CARRIER_UNAVAILABLE, .count = 2}, {0}, false},
    {"sells and says nothing",
     {.verdict = CARRIER_UNKNOWN, .done_before = true, .count = 1},
     {0},
     false},
    {"sells nothing and says nothing", {.verdict = CARRIER_UNKNOWN, .count = 1}, {0}, false},
    {"sells, says nothing and lags",
     {.verdict = CARRIER_UNKNOWN, .done_before = true, .count = 1},
     {.verdict = CARRIER_NOT_FOUND, .count = 3},
     false},
    {"sells, says nothing and is voided by a person",
     {.verdict = CARRIER_UNKNOWN, .done_before = true, .count = 1},
     {.verdict = CARRIER_NOT_FOUND, .count = 1},
     true},
};

/* The record against what the carrier sold. */
static void check_truth(struct shipping_desk *desk, const struct manner *manner)
{
    struct desk_call *call = desk_get(desk, "a");
    assert_true(call->is_done && call->call->refusal == REFUSAL_NONE);
    const struct shipment *shipment = &call->as.get.shipment;
    size_t live = 0;
    for (size_t i = 0; i < desk->alpha.sale_count; i++)
        live += !desk->alpha.sales[i].voided;
    assert_true(live <= 1);
    assert_true(desk->alpha.sale_count <= 1 || manner->resolve);
    if (shipment->state == SHIPMENT_CREATED) {
        assert_int_equal(live, 1);
        assert_true(text_equals_string(shipment->tracking_number,
                                       desk->alpha.sales[desk->alpha.sale_count - 1].number));
    } else if (shipment->state == SHIPMENT_FAILED || shipment->state == SHIPMENT_INTENT) {
        assert_int_equal(live, 0);
    } else if (!manner->resolve) {
        assert_int_equal(shipment->state, SHIPMENT_NEEDS_ATTENTION);
        assert_int_equal(live, 0);
    }
    desk_call_destroy(call);
}

static void let_a_person_void(struct shipping_desk *desk)
{
    struct desk_call *call = desk_call_create(CALL_RESOLVE_SHIPMENT);
    call->as.resolve.shipment_id = text_of("a");
    call->as.resolve.resolution = SHIPMENT_VOID;
    desk_call_destroy(desk_ask(desk, call));
}

/* Dies after `fuel` commands; true: it did not come so far. */
static bool live_and_die(const struct manner *manner, size_t fuel, bool last_is_lost)
{
    static struct shipping_desk desk;
    shipping_desk_init(&desk);
    desk.alpha.create = manner->create;
    desk.alpha.find = manner->find;
    shipping_desk_start(&desk);
    desk.fuel = fuel;
    desk.last_is_lost = last_is_lost;
    struct desk_call *first = desk_ask(&desk, desk_create_shipment("a"));
    if (manner->resolve)
        let_a_person_void(&desk);
    shipping_desk_pass(&desk, hour_us / 20);
    bool survived = desk.fuel > 0;
    shipping_desk_kill(&desk);
    assert_true(first->is_done);
    desk_call_destroy(first);
    desk.last_is_lost = false;
    shipping_desk_start(&desk);
    for (int i = 0; i < 4; i++) { /* as a caller that wants its label does */
        desk_call_destroy(desk_ask(&desk, desk_create_shipment("a")));
        shipping_desk_pass(&desk, hour_us / 60);
    }
    shipping_desk_leap(&desk, 26 * hour_us);
    check_truth(&desk, manner);
    shipping_desk_deinit(&desk);
    return survived;
}

static void die_everywhere(bool last_is_lost)
{
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        size_t fuel = 1;
        while (!live_and_die(&manners[i], fuel, last_is_lost)) {
            fuel++;
            assert_true(fuel < fuel_max);
        }
        print_message("# the carrier %s: %zu points\n", manners[i].name, fuel - 1);
        assert_true(fuel > 4);
    }
}

static void a_death_between_any_two_steps_buys_nothing_twice(void **state)
{
    (void)state;
    die_everywhere(false);
}

static void neither_does_one_whose_last_step_was_done_unheard(void **state)
{
    (void)state;
    die_everywhere(true);
}

static void nor_do_two_deaths(void **state)
{
    (void)state;
    for (size_t first = 1; first < 14; first++) {
        for (size_t second = 1; second < 14; second += 3) {
            static struct shipping_desk desk;
            shipping_desk_init(&desk);
            desk.alpha.create = manners[4].create;
            for (int death = 0; death < 2; death++) {
                shipping_desk_start(&desk);
                desk.fuel = death == 0 ? first : second;
                struct desk_call *call = desk_ask(&desk, desk_create_shipment("a"));
                shipping_desk_pass(&desk, hour_us / 30);
                shipping_desk_kill(&desk);
                desk_call_destroy(call);
            }
            shipping_desk_start(&desk);
            desk_call_destroy(desk_ask(&desk, desk_create_shipment("a")));
            shipping_desk_leap(&desk, 26 * hour_us);
            check_truth(&desk, &manners[4]);
            shipping_desk_deinit(&desk);
        }
    }
}

/*
 * Many shipments at once, faults of every kind by a seed, deaths at random: the ledger of the
 * carrier and the books agree at the end.
 */
static void three_hundred_shipments_with_faults_and_deaths(void **state)
{
    static struct shipping_desk desk;
    struct random_seeded random;
    uint64_t seed = 20260921;
    char id[16];
    (void)state;
    print_message("# seed %llu\n", (unsigned long long)seed);
    random_seeded_init(&random, seed);
    shipping_desk_init(&desk);
    shipping_desk_start(&desk);
    for (int i = 0; i < 300; i++) {
        static const enum carrier_verdict verdicts[] = {CARRIER_UNKNOWN, CARRIER_UNKNOWN,
                                                        CARRIER_REFUSED, CARRIER_UNAVAILABLE};
        uint64_t draw = random_below(&random.base, 12);
        if (draw < 4)
            desk.alpha.create = (struct fake_orders){
                .verdict = verdicts[draw], .done_before = draw == 0, .count = 1};
        snprintf(id, sizeof id, "s%d", i);
        desk_call_destroy(desk_ask(&desk, desk_create_shipment(id)));
        if (random_below(&random.base, 50) == 0) {
            desk.fuel = random_below(&random.base, 6);
            struct desk_call *call = desk_ask(&desk, desk_create_shipment(id));
            shipping_desk_kill(&desk);
            desk_call_destroy(call);
            shipping_desk_start(&desk);
        }
        if (random_below(&random.base, 20) == 0)
            shipping_desk_pass(&desk, hour_us / 60);
    }
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "s%d", i);
        desk_call_destroy(desk_ask(&desk, desk_create_shipment(id)));
    }
    shipping_desk_leap(&desk, 27 * hour_us);
    size_t created = 0, live = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "s%d", i);
        enum shipment_state is = desk_state(&desk, id);
        created += is == SHIPMENT_CREATED;
        assert_true(is == SHIPMENT_CREATED || is == SHIPMENT_FAILED ||
                    is == SHIPMENT_NEEDS_ATTENTION || is == SHIPMENT_INTENT);
        assert_true(fake_carrier_sold(&desk.alpha, id) <= 1);
    }
    for (size_t i = 0; i < desk.alpha.sale_count; i++)
        live += !desk.alpha.sales[i].voided;
    assert_int_equal(created, live);
    shipping_desk_deinit(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_death_between_any_two_steps_buys_nothing_twice),
        cmocka_unit_test(neither_does_one_whose_last_step_was_done_unheard),
        cmocka_unit_test(nor_do_two_deaths),
        cmocka_unit_test(three_hundred_shipments_with_faults_and_deaths),
    };
    return cmocka_run_group_tests_name("shipping_crash_points", tests, NULL, NULL);
}
