/*
 * Promises that are made slowly: time passes while a service is asked, the holds of before end
 * meanwhile, and who asked did nothing wrong. Against the small world of order_world.h.
 */
#include "tests/support/fulfillment/order_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { arena_bytes_max = 64 * 1024 * 1024, actions_max = 2000 };

struct kit {
    struct arena arena;
    struct random_seeded random;
    struct order_world world;
    struct order *order;
};

static int set_up(void **state)
{
    static struct kit kit;
    memset(&kit, 0, sizeof kit);
    arena_init(&kit.arena, arena_bytes_max);
    random_seeded_init(&kit.random, 1);
    order_world_init(&kit.world, &kit.random.base, INT64_C(1700000000000000));
    kit.order = order_world_order(&kit.arena, "order-1");
    *state = &kit;
    return 0;
}

static int tear_down(void **state)
{
    arena_deinit(&((struct kit *)*state)->arena);
    return 0;
}

/* The first `count` calls of that kind take longer than a hold lasts. */
static enum order_state promise(struct kit *kit, enum order_call_kind slow, unsigned count)
{
    struct order *order = order_world_copy(&kit->arena, kit->order); /* as a store gives it back */
    struct order_call call = {0};
    const struct order_call *result = NULL;
    kit->order = order;
    order_begin_promise(order);
    for (unsigned i = 0; i < actions_max; i++) {
        struct order_action action = order_next_step(order, result, &kit->arena, kit->world.now_us);
        result = NULL;
        if (action.kind == ACTION_REST)
            return order->state;
        if (action.kind != ACTION_CALL) {
            order->must_save = false;
            continue;
        }
        call = (struct order_call){.kind = action.call,
                                   .order = order,
                                   .part = action.part,
                                   .item = action.item,
                                   .arena = &kit->arena};
        if (action.call == slow && count > 0) {
            count--;
            order_world_pass(&kit->world, 2 * order->ttl_us);
        }
        order_world_answer(&kit->world, &call);
        result = &call;
    }
    fail_msg("the promise does not come to rest");
    return (enum order_state)0;
}

static void a_promise_whose_holds_end_while_it_is_made_is_made_anew(void **state)
{
    struct kit *kit = *state;
    static const enum order_call_kind slow[] = {CALL_ALLOCATE, CALL_GET_WAREHOUSE, CALL_GET_RATES};
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        (void)tear_down(state);
        (void)set_up(state);
        assert_int_equal(promise(kit, slow[i], 1), ORDER_PROMISED);
        assert_int_equal(kit->order->refusal.kind, REFUSAL_NONE);
        assert_true(kit->order->expire_time_us > kit->world.now_us);
        assert_int_equal(order_world_pending(&kit->world), 1);
        assert_int_equal(order_world_allocations(&kit->world), 1);
    }
}

/* Not for ever; then it may be asked for again, and nothing is held. */
static void a_promise_that_is_always_too_slow_is_unavailable(void **state)
{
    struct kit *kit = *state;
    static const enum order_call_kind slow[] = {CALL_ALLOCATE, CALL_GET_RATES};
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        (void)tear_down(state);
        (void)set_up(state);
        assert_int_equal(promise(kit, slow[i], actions_max), ORDER_REFUSED);
        assert_int_equal(kit->order->refusal.kind, REFUSAL_UNAVAILABLE);
        order_world_pass(&kit->world, 2 * kit->order->ttl_us);
        assert_int_equal(order_world_pending(&kit->world), 0);
        assert_int_equal(order_world_allocations(&kit->world), 0);
        assert_int_equal(promise(kit, CALL_NONE, 0), ORDER_PROMISED);
    }
}

/* How often it was refused before has no bearing on it. */
static void an_order_may_be_refused_any_number_of_times(void **state)
{
    struct kit *kit = *state;
    kit->world.on_hand[1] = 0;
    for (int i = 0; i < 200; i++)
        assert_int_equal(promise(kit, CALL_NONE, 0), ORDER_REFUSED);
    kit->world.on_hand[1] = 10;
    assert_int_equal(promise(kit, CALL_GET_RATES, 1), ORDER_PROMISED);
}

/*
 * It was refused, with an allocation that was released, and forgotten a day later: its ids begin
 * anew, and the warehouse knows the first ones still.
 */
static void an_order_that_was_refused_and_forgotten_is_promised_at_once(void **state)
{
    struct kit *kit = *state;
    for (uint32_t i = 0; i < 3; i++) {
        struct world_allocation *one = &kit->world.allocations[kit->world.allocation_count++];
        struct text id = order_made_id(&kit->arena, kit->order->order_id, "allocation", i + 1);
        memcpy(one->id, id.data, id.size);
        one->state = WORLD_RELEASED;
    }
    assert_int_equal(promise(kit, CALL_NONE, 0), ORDER_PROMISED);
    assert_int_equal(kit->order->reservation_attempt, 1);
    assert_int_equal(kit->order->allocation_attempt, 4);
    assert_int_equal(kit->order->expire_time_us, kit->world.now_us + kit->order->ttl_us);
    assert_int_equal(order_world_pending(&kit->world), 1);
    assert_int_equal(order_world_allocations(&kit->world), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_promise_whose_holds_end_while_it_is_made_is_made_anew),
        CASE(a_promise_that_is_always_too_slow_is_unavailable),
        CASE(an_order_may_be_refused_any_number_of_times),
        CASE(an_order_that_was_refused_and_forgotten_is_promised_at_once),
    };
    return cmocka_run_group_tests_name("order_promise", tests, NULL, NULL);
}
