/*
 * Goal: two processes on one set of books sell a shipment_id once, whatever the one does while the
 * other is asking the carrier. Method: two services over the same books and carriers; the carrier's
 * answers are held while the other starts (and declares lost what it finds sent), looks up,
 * cancels, or asks a person; then they come.
 */
#include "tests/support/shipping/shipping_desk.h"

#include "platform/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t second_us = 1000000;

/* Books, carriers, clock and thread are the first's. */
static struct shipping_desk first, second;

static int set_up(void **state)
{
    (void)state;
    shipping_desk_init(&first);
    shipping_desk_init(&second);
    second.options.repository = &first.gate;
    second.options.carriers = first.carriers;
    second.options.clock = &first.clock.base;
    second.options.executor = &first.executor.base;
    second.options.drawing = &first.executor.base;
    shipping_desk_start(&first);
    return 0;
}

static void run(void)
{
    while (test_executor_run_all(&first.executor) + test_executor_run_all(&second.executor) > 0)
        continue;
}

static void start_second(void)
{
    shipping_desk_start(&second);
    run();
}

static int tear_down(void **state)
{
    (void)state;
    if (second.service != NULL) {
        shipping_service_close(second.service);
        fake_carrier_release(&first.alpha);
        run();
        assert_true(second.closed);
        shipping_service_destroy(second.service);
        second.service = NULL;
    }
    shipping_desk_deinit(&first);
    shipping_desk_deinit(&second);
    return 0;
}

static void pass(int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++) {
        fake_clock_advance(&first.clock, second_us);
        shipping_service_alarm(first.service);
        if (second.service != NULL)
            shipping_service_alarm(second.service);
        run();
    }
}

static struct desk_call *submit(struct shipping_desk *desk, struct desk_call *call)
{
    assert_true(desk_call_submit(desk, call));
    run();
    return call;
}

static struct desk_call *make(enum shipping_call_kind kind, const char *id)
{
    struct desk_call *call = desk_call_create(kind);
    struct text shipment_id = arena_copy_text(&call->arena, text_of(id));
    if (kind == CALL_CANCEL_SHIPMENT)
        call->as.cancel.shipment_id = shipment_id;
    else
        call->as.resolve.shipment_id = shipment_id;
    return call;
}

static void done(struct desk_call *call)
{
    assert_true(call->is_done);
    desk_call_destroy(call);
}

static size_t live(void)
{
    size_t count = 0;
    for (size_t i = 0; i < first.alpha.sale_count; i++)
        count += !first.alpha.sales[i].voided;
    return count;
}

static size_t told(enum shipping_event_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < shipping_model_event_count(first.model); i++)
        count += shipping_model_event(first.model, i)->type == type;
    return count;
}

/* The next purchase is answered when it is released. */
static void hold(enum carrier_verdict verdict, bool sold)
{
    first.alpha.create =
        (struct fake_orders){.verdict = verdict, .done_before = sold, .held = true, .count = 1};
}

static void both_are_asked_at_once_and_one_buys(void **state)
{
    (void)state;
    start_second();
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        hold(CARRIER_ANSWERED, true);
        struct desk_call *one = desk_create_shipment(id), *other = desk_create_shipment(id);
        assert_true(desk_call_submit(i % 2 == 0 ? &first : &second, one));
        assert_true(desk_call_submit(i % 2 == 0 ? &second : &first, other));
        run();
        fake_carrier_release(&first.alpha);
        run();
        done(one);
        done(other);
        assert_int_equal(desk_state(&first, id), SHIPMENT_CREATED);
        assert_int_equal(fake_carrier_sold(&first.alpha, id), 1);
    }
    assert_int_equal(first.alpha.creates, 20);
    assert_int_equal(told(EVENT_SHIPMENT_CREATED), 20);
}

static void an_answer_after_the_others_start_counts(void **state)
{
    (void)state;
    hold(CARRIER_ANSWERED, true);
    struct desk_call *call = submit(&first, desk_create_shipment("a"));
    start_second();
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_UNKNOWN);
    fake_carrier_release(&first.alpha);
    run();
    done(call);
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_CREATED);
    pass(300);
    assert_int_equal(first.alpha.creates, 1);
    assert_int_equal(first.alpha.cancels, 0);
    assert_int_equal(told(EVENT_SHIPMENT_CREATED), 1);
}

static void an_answer_after_the_others_look_up_is_no_second_label(void **state)
{
    (void)state;
    hold(CARRIER_ANSWERED, true);
    struct desk_call *call = submit(&first, desk_create_shipment("a"));
    start_second();
    pass(90);
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_CREATED);
    assert_false(call->is_done);
    fake_carrier_release(&first.alpha);
    run();
    done(call);
    pass(300);
    assert_int_equal(first.alpha.cancels, 0); /* the only label is not voided */
    assert_int_equal(live(), 1);
    assert_int_equal(told(EVENT_SHIPMENT_CREATED), 1);
}

static void an_answer_after_a_persons_no_is_voided(void **state)
{
    (void)state;
    hold(CARRIER_ANSWERED, true);
    first.alpha.find = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = SIZE_MAX};
    struct desk_call *call = submit(&first, desk_create_shipment("a"));
    start_second();
    pass(25 * 3600); /* it is not found, and a person is asked */
    struct desk_call *no = make(CALL_RESOLVE_SHIPMENT, "a");
    no->as.resolve.resolution = SHIPMENT_VOID;
    done(submit(&second, no));
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_CANCELLED);
    fake_carrier_release(&first.alpha);
    run();
    done(call);
    pass(60);
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_CANCELLED);
    assert_int_equal(live(), 0);
    assert_int_equal(told(EVENT_SHIPMENT_CREATED), 0);
    assert_int_equal(told(EVENT_SHIPMENT_CANCELLED), 1);
}

static void what_was_surely_not_done_is_bought_by_the_other(void **state)
{
    (void)state;
    hold(CARRIER_UNAVAILABLE, false);
    struct desk_call *call = submit(&first, desk_create_shipment("a"));
    start_second();
    done(submit(&second, desk_create_shipment("a"))); /* it is UNKNOWN: nothing is bought */
    assert_int_equal(first.alpha.creates, 1);
    fake_carrier_release(&first.alpha);
    run();
    done(call);
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_INTENT);
    done(submit(&second, desk_create_shipment("a")));
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_CREATED);
    assert_int_equal(live(), 1);
}

static void both_cancel_and_it_is_cancelled_once(void **state)
{
    (void)state;
    start_second();
    done(submit(&first, desk_create_shipment("a")));
    first.alpha.cancel = (struct fake_orders){.held = true, .count = 2};
    struct desk_call *one = submit(&first, make(CALL_CANCEL_SHIPMENT, "a"));
    struct desk_call *other = submit(&second, make(CALL_CANCEL_SHIPMENT, "a"));
    fake_carrier_release(&first.alpha);
    run();
    done(one);
    done(other);
    assert_int_equal(desk_state(&first, "a"), SHIPMENT_CANCELLED);
    assert_int_equal(live(), 0);
    assert_int_equal(told(EVENT_SHIPMENT_CANCELLED), 1);
}

static void cancelling_against_buying_leaves_one_or_none(void **state)
{
    (void)state;
    start_second();
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        first.alpha.create =
            (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = (size_t)(i % 2)};
        done(submit(&first, desk_create_shipment(id))); /* every other one is an INTENT */
        struct desk_call *buy = desk_create_shipment(id);
        struct desk_call *cancel = make(CALL_CANCEL_SHIPMENT, id);
        assert_true(desk_call_submit(&first, i % 4 < 2 ? buy : cancel));
        assert_true(desk_call_submit(&second, i % 4 < 2 ? cancel : buy));
        run();
        done(buy);
        done(cancel);
        pass(200);
        enum shipment_state is = desk_state(&first, id);
        assert_true(is == SHIPMENT_CREATED || is == SHIPMENT_CANCELLED);
        size_t sold = 0;
        for (size_t k = 0; k < first.alpha.sale_count; k++)
            sold += strncmp(first.alpha.sales[k].reference, id, strlen(id)) == 0 &&
                    (first.alpha.sales[k].reference[strlen(id)] == '\0' ||
                     first.alpha.sales[k].reference[strlen(id)] == '~') &&
                    !first.alpha.sales[k].voided;
        assert_int_equal(sold, is == SHIPMENT_CREATED);
    }
}

/* Answers held and released at random, the second process stopped and started among them. */
static void many_shipments_with_answers_of_every_kind(void **state)
{
    enum { count = 300 };
    static struct desk_call *calls[2 * count];
    struct random_seeded random;
    uint64_t seed = 20270115;
    size_t call_count = 0, created = 0;
    (void)state;
    print_message("# seed %llu\n", (unsigned long long)seed);
    random_seeded_init(&random, seed);
    start_second();
    for (int i = 0; i < count; i++) {
        static const struct fake_orders manners[] = {
            {.held = true, .done_before = true, .count = 1},
            {.verdict = CARRIER_UNKNOWN, .done_before = true, .held = true, .count = 1},
            {.verdict = CARRIER_UNAVAILABLE, .held = true, .count = 1},
            {.verdict = CARRIER_REFUSED, .count = 1},
            {.count = 0},
        };
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        first.alpha.create = manners[random_below(&random.base, 5)];
        for (int k = 0; k < 2; k++) {
            calls[call_count] = desk_create_shipment(id);
            assert_true(desk_call_submit(random_below(&random.base, 2) == 0 ? &first : &second,
                                         calls[call_count++]));
        }
        run();
        if (random_below(&random.base, 6) == 0)
            fake_carrier_release(&first.alpha);
        if (random_below(&random.base, 10) == 0)
            pass(20);
    }
    fake_carrier_release(&first.alpha);
    run();
    pass(400);
    for (size_t i = 0; i < call_count; i++)
        done(calls[i]);
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        done(submit(&second, desk_create_shipment(id)));
        created += desk_state(&first, id) == SHIPMENT_CREATED;
    }
    assert_int_equal(created, live());
    assert_int_equal(told(EVENT_SHIPMENT_CREATED), created);
    assert_int_equal(first.alpha.cancels, 0);
    print_message("# %zu created of %d\n", created, count);
    assert_true(created > count / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_are_asked_at_once_and_one_buys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_after_the_others_start_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_after_the_others_look_up_is_no_second_label,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_after_a_persons_no_is_voided, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_surely_not_done_is_bought_by_the_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(both_cancel_and_it_is_cancelled_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelling_against_buying_leaves_one_or_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_shipments_with_answers_of_every_kind, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("shipping_two_processes", tests, NULL, NULL);
}
