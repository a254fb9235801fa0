/*
 * Goal: the SQL stores decide what the model decides, whatever is asked in whatever order.
 * Method: from a seed, the same commands to both: promises, claims, saves under right and wrong
 * claims, signals, time that passes, reopened stores; each answer is compared at once, all that is
 * there every so often: orders, lists, what is due, events (on SQLite to the byte and the
 * microsecond, for both have one clock there).
 *
 * PostgreSQL has a clock of its own: there what is to be over soon is waited for at once, and all
 * else lasts longer than the test.
 */
#include "tests/support/fulfillment/fulfillment_kit.h"
#include "tests/support/fulfillment/order_copy.h"
#include "tests/support/fulfillment/order_world.h"

#include "platform/base/check.h"
#include "platform/base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ids_per_world = 8, operations_per_world = 300, worlds_sqlite = 12, worlds_postgresql = 2 };

static const int64_t far_us = INT64_C(600000000);
static const int64_t soon_us = 1000;
static const int64_t over_us = 20000; /* what passes for `soon` to be over */

static uint64_t seed;
static struct random_seeded chance;
static struct fulfillment_kit stores[2]; /* the model, the database */

/* What a driver has in hand of an order: the last it was given, and under which claim. */
struct hand {
    struct order *order;
    uint64_t claim;
};
static struct hand hands[ids_per_world];
static struct arena hand_arena;

static unsigned below(unsigned bound)
{
    return (unsigned)random_below(&chance.base, bound);
}

static bool has_one_clock(void)
{
    return !sql_kit_runs_on_postgresql();
}

static void pass(int64_t duration_us)
{
    for (size_t k = 0; k < 2; k++)
        fulfillment_kit_pass(&stores[k], duration_us);
}

/* --- comparing --- */

static void same_orders(const struct order *a, size_t a_count, const struct order *b,
                        size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        const char *different = order_difference(&a[i], &b[i], has_one_clock());
        if (different != NULL)
            fail_msg("%.*s: %s; the model has %s at revision %lld, the store %s at %lld",
                     (int)a[i].order_id.size, a[i].order_id.data, different,
                     order_state_name(a[i].state), (long long)a[i].revision,
                     order_state_name(b[i].state), (long long)b[i].revision);
    }
}

static void same_outcome(const struct fulfillment_command *a, const struct fulfillment_command *b,
                         unsigned *outcomes)
{
    if (a->outcome != b->outcome)
        fail_msg("command %d: outcome %d of the model, %d of the store", (int)a->kind,
                 (int)a->outcome, (int)b->outcome);
    outcomes[a->outcome]++;
}

/* --- one command, as both get it --- */

static const char *id_of(unsigned number)
{
    static const char *const ids[ids_per_world] = {"o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7"};
    return ids[number];
}

static void take_in_hand(unsigned number, const struct order *order, uint64_t claim)
{
    hands[number] = (struct hand){order_copy(&hand_arena, order), claim};
}

static void begin(unsigned number, int64_t lease_us, unsigned *outcomes)
{
    struct begin_order_command *commands[2];
    unsigned variant = below(10) == 0 ? 1 : 0;
    for (size_t k = 0; k < 2; k++) {
        commands[k] = fulfillment_kit_command(&stores[k], COMMAND_BEGIN_ORDER, sizeof **commands);
        struct order *request = order_world_order(&stores[k].arena, id_of(number));
        request->customer_id = text_of(number % 2 == 0 ? "even" : "odd");
        request->lines[0].quantity += variant;
        commands[k]->request = request;
        commands[k]->lease_us = lease_us;
        (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
    }
    same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
    if (commands[0]->base.outcome != FULFILLMENT_DONE)
        return;
    assert_int_equal(commands[0]->is_claimed, commands[1]->is_claimed);
    same_orders(&commands[0]->order, 1, &commands[1]->order, 1);
    if (!commands[0]->is_claimed)
        return;
    assert_int_equal(commands[0]->claim, commands[1]->claim);
    take_in_hand(number, &commands[0]->order, commands[0]->claim);
}

static void claim(unsigned number, int64_t lease_us, unsigned *outcomes)
{
    struct claim_order_command *commands[2];
    static const enum order_request requests[] = {ORDER_RESUME, ORDER_RESUME, ORDER_CONFIRM,
                                                  ORDER_CONFIRM, ORDER_CANCEL};
    enum order_request request = requests[below(sizeof requests / sizeof requests[0])];
    for (size_t k = 0; k < 2; k++) {
        commands[k] = fulfillment_kit_command(&stores[k], COMMAND_CLAIM_ORDER, sizeof **commands);
        commands[k]->order_id = text_of(id_of(number));
        commands[k]->request = request;
        commands[k]->reason = text_of("changed");
        commands[k]->lease_us = lease_us;
        (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
    }
    same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
    if (commands[0]->base.outcome == FULFILLMENT_REFUSED)
        assert_true(
            text_equal(commands[0]->order.refusal.reason, commands[1]->order.refusal.reason));
    if (commands[0]->base.outcome != FULFILLMENT_DONE)
        return;
    assert_int_equal(commands[0]->is_claimed, commands[1]->is_claimed);
    same_orders(&commands[0]->order, 1, &commands[1]->order, 1);
    if (!commands[0]->is_claimed)
        return;
    assert_int_equal(commands[0]->claim, commands[1]->claim);
    take_in_hand(number, &commands[0]->order, commands[0]->claim);
}

static void rest(struct order *order, enum order_state state)
{
    order->state = state;
    order->goal = GOAL_NONE;
    order->step = STEP_NONE;
}

/* Two parts, as far as a promise goes; `labelled`: with a parcel each. */
static void fill(struct order *order, struct arena *arena, bool labelled)
{
    order->part_count = 2;
    order->parts = arena_allocate_zero(arena, 2, sizeof *order->parts);
    CHECK(order->parts != NULL);
    for (size_t i = 0; i < 2; i++) {
        struct order_part *part = &order->parts[i];
        part->warehouse_id = text_of(i == 0 ? "W1" : "W2");
        part->line_count = 1;
        part->lines = arena_allocate_zero(arena, 1, sizeof *part->lines);
        part->lines[0] = (struct order_part_line){.sku = order->lines[i].sku,
                                                  .quantity = order->lines[i].quantity};
        part->carrier = text_of("c1");
        part->shipment_attempt = ++order->shipment_attempts;
        if (!labelled)
            continue;
        part->parcels = arena_allocate_zero(arena, 1, sizeof *part->parcels);
        part->parcels[0].tracking_number = text_of(i == 0 ? "N1" : "N2");
        part->parcel_count = 1;
        part->label = LABEL_BOUGHT;
        part->charged = (struct order_money){"EUR", 99};
    }
}

/* What a process might make of it. */
static void change(struct order *order, struct arena *arena, unsigned variant, int64_t expire_us)
{
    static const enum order_state ends[] = {ORDER_SHIPPED, ORDER_DELIVERED, ORDER_RETURNED,
                                            ORDER_CANCELLED};
    switch (variant % 7) {
    case 0:
    case 1:
        fill(order, arena, false);
        order->expire_time_us = expire_us;
        rest(order, ORDER_PROMISED);
        break;
    case 2:
        fill(order, arena, true);
        order->pivot_is_passed = true;
        rest(order, ORDER_CONFIRMED);
        break;
    case 3:
        if (order->state == ORDER_PROMISING)
            rest(order, ORDER_REFUSED);
        break;
    case 4:
        if (order->state != ORDER_PROMISING) {
            order->state = ORDER_NEEDS_ATTENTION;
            order->goal = GOAL_CONFIRM;
            order->step = STEP_LABEL;
            order->pivot_is_passed = true;
            order->attention_reason = text_of("LABEL: nobody will");
        }
        break;
    case 5:
        order->tries++;
        break;
    default:
        if (order->state != ORDER_PROMISING)
            rest(order, ends[variant / 7 % 4]);
        break;
    }
}

static void save(unsigned number, int64_t duration_us, unsigned *outcomes)
{
    struct save_order_command *commands[2];
    unsigned variant = below(28);
    bool goes_on = variant % 7 == 5;
    enum save_order_mode mode = !goes_on        ? SAVE_AND_REST
                                : below(2) == 0 ? SAVE_AND_KEEP
                                                : SAVE_AND_WAIT;
    uint64_t wrong = below(8) == 0 ? 1 : 0;
    if (hands[number].order == NULL)
        return;
    for (size_t k = 0; k < 2; k++) {
        struct fulfillment_kit *kit = &stores[k];
        commands[k] = fulfillment_kit_command(kit, COMMAND_SAVE_ORDER, sizeof **commands);
        commands[k]->order = order_copy(&kit->arena, hands[number].order);
        change(commands[k]->order, &kit->arena, variant, fulfillment_kit_now_us(kit) + duration_us);
        commands[k]->claim = hands[number].claim + wrong;
        commands[k]->mode = mode;
        commands[k]->delay_us = commands[k]->lease_us = duration_us;
        (void)fulfillment_kit_ask(kit, &commands[k]->base);
    }
    same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
    if (commands[0]->base.outcome != FULFILLMENT_DONE)
        return;
    same_orders(commands[0]->order, 1, commands[1]->order, 1);
    if (mode == SAVE_AND_KEEP)
        take_in_hand(number, commands[0]->order, hands[number].claim);
    else
        hands[number].order = NULL; /* the claim is given up */
}

static struct order_signal some_signal(struct arena *arena)
{
    struct order_part_line *line = arena_allocate_zero(arena, 1, sizeof *line);
    unsigned number = below(ids_per_world + 1);
    struct text id = text_of(number < ids_per_world ? id_of(number) : "unknown");
    CHECK(line != NULL);
    *line = (struct order_part_line){
        .sku = text_of("A"), .quantity = 2, .shipped_quantity = 1 + (int64_t)below(2)};
    return (struct order_signal){
        .kind = (enum order_signal_kind)(1 + below(SIGNAL_PARCEL_RETURNED)),
        .order_id = id,
        .allocation_id = order_made_id(arena, id, "allocation", 1 + below(2)),
        .warehouse_id = text_of(below(2) == 0 ? "W1" : "W2"),
        .lines = line,
        .line_count = 1,
        .carrier = text_of("c1"),
        .tracking_number = text_of(below(2) == 0 ? "N1" : "N2"),
        .time_us = 77,
    };
}

static void follow(unsigned *outcomes)
{
    struct follow_events_command *commands[2];
    struct order_signal signals[3];
    size_t count = below(4);
    uint64_t position = below(1000);
    for (size_t i = 0; i < count; i++)
        signals[i] = some_signal(&stores[0].arena);
    for (size_t k = 0; k < 2; k++) {
        commands[k] = fulfillment_kit_command(&stores[k], COMMAND_FOLLOW_EVENTS, sizeof **commands);
        commands[k]->source = text_of(position % 2 == 0 ? "warehouse" : "tracking");
        commands[k]->place = (struct order_place){.log = text_of("log"), .position = position};
        commands[k]->signals = signals;
        commands[k]->signal_count = count;
        (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
    }
    same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
    assert_int_equal(commands[0]->kept_count, commands[1]->kept_count);
}

/* --- all that is there --- */

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* Of two that are due since the same instant either may come first. */
static void same_due(unsigned *outcomes)
{
    struct list_due_command *commands[2];
    for (size_t k = 0; k < 2; k++) {
        commands[k] = fulfillment_kit_command(&stores[k], COMMAND_LIST_DUE, sizeof **commands);
        commands[k]->count_max = ids_per_world;
        (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
        qsort(commands[k]->order_ids, commands[k]->order_count, sizeof(struct text), compare_texts);
    }
    same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
    assert_int_equal(commands[0]->order_count, commands[1]->order_count);
    for (size_t i = 0; i < commands[0]->order_count; i++)
        assert_true(text_equal(commands[0]->order_ids[i], commands[1]->order_ids[i]));
}

static void get(unsigned number, unsigned *outcomes)
{
    struct get_order_command *commands[2];
    for (size_t k = 0; k < 2; k++) {
        commands[k] = fulfillment_kit_command(&stores[k], COMMAND_GET_ORDER, sizeof **commands);
        commands[k]->order_id = text_of(id_of(number));
        (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
    }
    same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
    if (commands[0]->base.outcome == FULFILLMENT_DONE)
        same_orders(&commands[0]->order, 1, &commands[1]->order, 1);
}

static void same_list(const char *customer_id, enum order_state state, size_t page_size,
                      unsigned *outcomes)
{
    uint64_t after[2] = {0, 0};
    do {
        struct list_orders_command *commands[2];
        for (size_t k = 0; k < 2; k++) {
            commands[k] =
                fulfillment_kit_command(&stores[k], COMMAND_LIST_ORDERS, sizeof **commands);
            commands[k]->customer_id = text_of(customer_id);
            commands[k]->state = state;
            commands[k]->page_size = page_size;
            commands[k]->after = after[k];
            (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
            after[k] = commands[k]->next;
        }
        same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
        same_orders(commands[0]->orders, commands[0]->order_count, commands[1]->orders,
                    commands[1]->order_count);
        assert_int_equal(after[0] == 0, after[1] == 0);
    } while (after[0] != 0);
}

static void same_places(unsigned *outcomes)
{
    static const char *const sources[] = {"warehouse", "tracking", "shipping"};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct get_place_command *commands[2];
        for (size_t k = 0; k < 2; k++) {
            commands[k] = fulfillment_kit_command(&stores[k], COMMAND_GET_PLACE, sizeof **commands);
            commands[k]->source = text_of(sources[i]);
            (void)fulfillment_kit_ask(&stores[k], &commands[k]->base);
        }
        same_outcome(&commands[0]->base, &commands[1]->base, outcomes);
        assert_int_equal(commands[0]->place.position, commands[1]->place.position);
        assert_true(text_equal(commands[0]->place.log, commands[1]->place.log));
    }
}

/* The next event of that order from *index on, or NULL. */
static const struct fulfillment_kit_event *next_event(const struct fulfillment_kit_event *events,
                                                      size_t count, const char *key, size_t *index)
{
    while (*index < count && !text_equals_string(events[*index].key, key))
        ++*index;
    return *index < count ? &events[(*index)++] : NULL;
}

/* Order holds per key (DESIGN section 4, events); promises of several orders expire at will. */
static void same_events(void)
{
    size_t count[2];
    const struct fulfillment_kit_event *told[2];
    for (size_t k = 0; k < 2; k++)
        told[k] = fulfillment_kit_told(&stores[k], &count[k]);
    assert_int_equal(count[0], count[1]);
    for (unsigned number = 0; number < ids_per_world; number++) {
        size_t index[2] = {0, 0};
        const struct fulfillment_kit_event *a, *b;
        do {
            a = next_event(told[0], count[0], id_of(number), &index[0]);
            b = next_event(told[1], count[1], id_of(number), &index[1]);
            assert_int_equal(a == NULL, b == NULL);
            if (a == NULL)
                break;
            assert_true(text_equal(a->event_id, b->event_id) && text_equal(a->type, b->type));
            if (has_one_clock())
                assert_true(a->time_us == b->time_us && text_equal(a->data, b->data));
        } while (true);
    }
}

static void same_everything(unsigned *outcomes)
{
    same_due(outcomes);
    for (unsigned i = 0; i < ids_per_world; i++)
        get(i, outcomes);
    for (int state = 0; state <= ORDER_NEEDS_ATTENTION; state++)
        same_list(state % 2 == 0 ? "" : "odd", (enum order_state)state, 3, outcomes);
    same_list("", (enum order_state)0, 100, outcomes);
    same_places(outcomes);
    same_events();
}

/* --- a world --- */

static void one_thing(unsigned *outcomes)
{
    unsigned number = below(ids_per_world);
    bool is_soon = below(3) == 0;
    int64_t duration_us = is_soon ? soon_us : far_us;
    switch (below(10)) {
    case 0:
    case 1:
        begin(number, duration_us, outcomes);
        break;
    case 2:
    case 3:
    case 4:
        claim(number, duration_us, outcomes);
        break;
    case 5:
    case 6:
    case 7:
        save(number, duration_us, outcomes);
        break;
    case 8:
        follow(outcomes);
        break;
    default:
        get(number, outcomes);
        break;
    }
    if (!has_one_clock() && is_soon)
        pass(over_us);
    else if (has_one_clock())
        pass((int64_t)below(700));
}

static void run_world(unsigned *outcomes)
{
    fulfillment_kit_init_model(&stores[0]);
    fulfillment_kit_init(&stores[1]);
    arena_init(&hand_arena, (size_t)256 * 1024 * 1024);
    memset(hands, 0, sizeof hands);
    for (unsigned i = 0; i < operations_per_world; i++) {
        if (below(40) == 0)
            fulfillment_kit_reopen(&stores[1]);
        for (size_t k = 0; k < 2 && i % 61 == 60; k++)
            fulfillment_kit_release_claims(&stores[k]);
        one_thing(outcomes);
        if (i % 50 == 49)
            same_everything(outcomes);
        for (size_t k = 0; k < 2; k++)
            fulfillment_kit_reset(&stores[k]);
    }
    same_everything(outcomes);
    for (size_t k = 0; k < 2; k++)
        fulfillment_kit_deinit(&stores[k]);
    arena_deinit(&hand_arena);
}

static void the_stores_decide_what_the_model_decides(void **state)
{
    unsigned outcomes[FULFILLMENT_REFUSED + 1] = {0};
    unsigned worlds = sql_kit_runs_on_postgresql() ? worlds_postgresql : worlds_sqlite;
    (void)state;
    random_seeded_init(&chance, seed);
    for (unsigned i = 0; i < worlds; i++)
        run_world(outcomes);
    print_message("# %u operations: %u answers done, %u not found, %u ids reused, %u busy,"
                  " %u claims lost, %u refused\n",
                  worlds * operations_per_world, outcomes[FULFILLMENT_DONE],
                  outcomes[FULFILLMENT_ORDER_NOT_FOUND], outcomes[FULFILLMENT_ID_REUSED],
                  outcomes[FULFILLMENT_BUSY], outcomes[FULFILLMENT_CLAIM_LOST],
                  outcomes[FULFILLMENT_REFUSED]);
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        assert_true(outcomes[i] > 0); /* the test has seen what it is about */
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_stores_decide_what_the_model_decides)};
    seed = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : (uint64_t)time(NULL);
    print_message("# replay: fulfillment_differential_test %" PRIu64 "\n", seed);
    return cmocka_run_group_tests_name("fulfillment_differential", tests, NULL, NULL);
}
