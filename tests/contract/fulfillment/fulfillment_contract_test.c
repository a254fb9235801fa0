/*
 * What fulfillment's repository promises, told against the port, on the model and on every
 * database. Orders are driven by hand: begin or claim, change what the process would, save.
 */
#include "tests/support/fulfillment/fulfillment_kit.h"
#include "tests/support/fulfillment/order_world.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

/*
 * Either so long that it is never over within a test, or over at once: nothing here depends on how
 * fast the machine is.
 */
static const int64_t long_us = INT64_C(600000000);
static const int64_t short_us = 1000;
static const int64_t over_us = 20000; /* what passes for `short` to be over */
static int64_t lease_us;              /* of the next claims; set up as long */
static int64_t promise_us;            /* of the next promises; set up as long */

/* --- words --- */

static struct begin_order_command *begin(struct fulfillment_kit *kit, const char *order_id,
                                         enum fulfillment_outcome outcome)
{
    struct begin_order_command *command =
        fulfillment_kit_command(kit, COMMAND_BEGIN_ORDER, sizeof *command);
    struct order *request = order_world_order(&kit->arena, order_id);
    request->customer_id = text_of("customer-1");
    command->request = request;
    command->lease_us = lease_us;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), outcome);
    return command;
}

static struct claim_order_command *claim(struct fulfillment_kit *kit, const char *order_id,
                                         enum order_request request,
                                         enum fulfillment_outcome outcome)
{
    struct claim_order_command *command =
        fulfillment_kit_command(kit, COMMAND_CLAIM_ORDER, sizeof *command);
    command->order_id = text_of(order_id);
    command->request = request;
    command->reason = text_of("changed my mind");
    command->lease_us = lease_us;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), outcome);
    return command;
}

static void save(struct fulfillment_kit *kit, struct order *order, uint64_t number,
                 enum save_order_mode mode, enum fulfillment_outcome outcome)
{
    struct save_order_command *command =
        fulfillment_kit_command(kit, COMMAND_SAVE_ORDER, sizeof *command);
    command->order = order;
    command->claim = number;
    command->mode = mode;
    command->lease_us = lease_us;
    command->delay_us = promise_us;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), outcome);
}

static struct order *get(struct fulfillment_kit *kit, const char *order_id)
{
    struct get_order_command *command =
        fulfillment_kit_command(kit, COMMAND_GET_ORDER, sizeof *command);
    command->order_id = text_of(order_id);
    enum fulfillment_outcome outcome = fulfillment_kit_ask(kit, &command->base);
    return outcome == FULFILLMENT_DONE ? &command->order : NULL;
}

static size_t due(struct fulfillment_kit *kit)
{
    struct list_due_command *command =
        fulfillment_kit_command(kit, COMMAND_LIST_DUE, sizeof *command);
    command->count_max = 10;
    command->must_count = true;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), FULFILLMENT_DONE);
    assert_true(command->open.unfinished >= command->order_count);
    return command->order_count;
}

static void rest(struct order *order, enum order_state state)
{
    order->state = state;
    order->goal = GOAL_NONE;
    order->step = STEP_NONE;
}

/* With two parts, as far as a promise goes. */
static void fill(struct fulfillment_kit *kit, struct order *order)
{
    order->part_count = 2;
    order->parts = arena_allocate_zero(&kit->arena, 2, sizeof *order->parts);
    for (size_t i = 0; i < 2; i++) {
        struct order_part *part = &order->parts[i];
        part->warehouse_id = text_of(i == 0 ? "W1" : "W2");
        part->line_count = 1;
        part->lines = arena_allocate_zero(&kit->arena, 1, sizeof *part->lines);
        part->lines[0] = (struct order_part_line){.sku = order->lines[i].sku,
                                                  .quantity = order->lines[i].quantity};
        part->is_located = true;
        part->origin = (struct order_address){.city = text_of("Bonn"),
                                              .has_point = true,
                                              .latitude_e7 = -5,
                                              .longitude_e7 = 1800000000};
        part->carrier = text_of("c1");
        part->service_code = text_of("S");
        part->amount_minor = 100;
        part->shipment_attempt = ++order->shipment_attempts;
    }
}

static void promise(struct fulfillment_kit *kit, const char *order_id)
{
    struct begin_order_command *command = begin(kit, order_id, FULFILLMENT_DONE);
    assert_true(command->is_claimed);
    fill(kit, &command->order);
    rest(&command->order, ORDER_PROMISED);
    command->order.expire_time_us = fulfillment_kit_now_us(kit) + promise_us;
    save(kit, &command->order, command->claim, SAVE_AND_REST, FULFILLMENT_DONE);
}

/* Confirmed, with a parcel a part. */
static void confirm(struct fulfillment_kit *kit, const char *order_id)
{
    struct claim_order_command *command = claim(kit, order_id, ORDER_CONFIRM, FULFILLMENT_DONE);
    assert_true(command->is_claimed);
    struct order *order = &command->order;
    for (size_t i = 0; i < order->part_count; i++) {
        struct order_part *part = &order->parts[i];
        part->parcels = arena_allocate_zero(&kit->arena, 1, sizeof *part->parcels);
        part->parcels[0].tracking_number = text_of(i == 0 ? "N1" : "N2");
        part->parcels[0].is_registered = true;
        part->parcel_count = 1;
        part->label = LABEL_BOUGHT;
        part->charged = (struct order_money){"EUR", 99};
    }
    order->pivot_is_passed = true;
    rest(order, ORDER_CONFIRMED);
    save(kit, order, command->claim, SAVE_AND_REST, FULFILLMENT_DONE);
}

static size_t follow(struct fulfillment_kit *kit, uint64_t position,
                     const struct order_signal *signals, size_t count)
{
    struct follow_events_command *command =
        fulfillment_kit_command(kit, COMMAND_FOLLOW_EVENTS, sizeof *command);
    command->source = text_of("warehouse");
    command->place = (struct order_place){.log = text_of("log-1"), .position = position};
    command->signals = signals;
    command->signal_count = count;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), FULFILLMENT_DONE);
    return command->kept_count;
}

static struct order_signal shipped(struct fulfillment_kit *kit, const char *order_id)
{
    static const struct order_part_line line = {
        .sku = {"A", 1}, .quantity = 2, .shipped_quantity = 2};
    return (struct order_signal){
        .kind = SIGNAL_PART_SHIPPED,
        .order_id = text_of(order_id),
        .allocation_id = order_made_id(&kit->arena, text_of(order_id), "allocation", 1),
        .warehouse_id = text_of("W1"),
        .lines = &line,
        .line_count = 1,
    };
}

/* --- promises --- */

static void a_promise_being_made_is_nobody_elses(void **state)
{
    struct fulfillment_kit *kit = *state;
    struct begin_order_command *first = begin(kit, "o1", FULFILLMENT_DONE);
    assert_true(first->is_claimed);
    assert_int_equal(first->order.state, ORDER_PROMISING);
    assert_int_equal(first->order.reservation_attempt, 1);
    (void)begin(kit, "o1", FULFILLMENT_BUSY);
    assert_null(get(kit, "o1"));
    (void)claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_ORDER_NOT_FOUND);
    (void)claim(kit, "o1", ORDER_RESUME, FULFILLMENT_BUSY);
    assert_string_equal(fulfillment_kit_events(kit), "");
}

static void the_same_promise_again_answers_with_the_record(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    struct begin_order_command *again = begin(kit, "o1", FULFILLMENT_DONE);
    assert_false(again->is_claimed);
    assert_int_equal(again->order.state, ORDER_PROMISED);
    struct begin_order_command *other =
        fulfillment_kit_command(kit, COMMAND_BEGIN_ORDER, sizeof *other);
    struct order *request = order_world_order(&kit->arena, "o1");
    request->lines[0].quantity++;
    other->request = request;
    other->lease_us = lease_us;
    assert_int_equal(fulfillment_kit_ask(kit, &other->base), FULFILLMENT_ID_REUSED);
    assert_string_equal(fulfillment_kit_events(kit), "OrderPromised");
}

static void what_was_refused_begins_anew_under_the_next_attempt(void **state)
{
    struct fulfillment_kit *kit = *state;
    struct begin_order_command *first = begin(kit, "o1", FULFILLMENT_DONE);
    rest(&first->order, ORDER_REFUSED);
    save(kit, &first->order, first->claim, SAVE_AND_REST, FULFILLMENT_DONE);
    assert_null(get(kit, "o1"));
    struct begin_order_command *second =
        fulfillment_kit_command(kit, COMMAND_BEGIN_ORDER, sizeof *second);
    struct order *request = order_world_order(&kit->arena, "o1");
    request->lines[0].quantity++; /* other content, too */
    second->request = request;
    second->lease_us = lease_us;
    assert_int_equal(fulfillment_kit_ask(kit, &second->base), FULFILLMENT_DONE);
    assert_true(second->is_claimed);
    assert_true(second->claim > first->claim);
    assert_int_equal(second->order.reservation_attempt, 2);
    assert_int_equal(second->order.allocation_attempt, 2);
    save(kit, &first->order, first->claim, SAVE_AND_REST, FULFILLMENT_CLAIM_LOST);
    assert_string_equal(fulfillment_kit_events(kit), "");
}

static void a_promise_left_half_way_is_made_on_by_the_same_caller(void **state)
{
    struct fulfillment_kit *kit = *state;
    lease_us = short_us;
    struct begin_order_command *first = begin(kit, "o1", FULFILLMENT_DONE);
    fulfillment_kit_pass(kit, over_us);
    struct begin_order_command *second = begin(kit, "o1", FULFILLMENT_DONE);
    assert_true(second->is_claimed);
    assert_int_equal(second->order.reservation_attempt, 1);
    save(kit, &first->order, first->claim, SAVE_AND_KEEP, FULFILLMENT_CLAIM_LOST);
}

static void a_promise_left_half_way_is_undone_by_the_driver(void **state)
{
    struct fulfillment_kit *kit = *state;
    lease_us = short_us;
    (void)begin(kit, "o1", FULFILLMENT_DONE);
    fulfillment_kit_pass(kit, over_us);
    assert_int_equal(due(kit), 1);
    lease_us = long_us;
    struct claim_order_command *command = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE);
    assert_true(command->is_claimed);
    assert_int_equal(command->order.goal, GOAL_REFUSE);
    assert_int_equal(command->order.step, STEP_ROLL_BACK);
    assert_int_equal(due(kit), 0);
}

static void a_promise_expires_at_its_instant_and_says_so_once(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o2");
    promise_us = short_us;
    promise(kit, "o1");
    fulfillment_kit_pass(kit, over_us);
    struct order *order = get(kit, "o1");
    assert_int_equal(order->state, ORDER_EXPIRED);
    assert_int_equal(order->revision, 2);
    assert_int_equal(due(kit), 0);
    assert_int_equal(get(kit, "o1")->revision, 2);
    assert_int_equal(get(kit, "o2")->state, ORDER_PROMISED);
    assert_string_equal(fulfillment_kit_events(kit), "OrderPromised OrderPromised OrderExpired");
}

static void what_is_due_expires_though_nobody_asks_for_it(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise_us = short_us;
    promise(kit, "o1");
    promise(kit, "o2");
    fulfillment_kit_pass(kit, over_us);
    assert_int_equal(due(kit), 0); /* asking for work expires promises */
    assert_string_equal(fulfillment_kit_events(kit),
                        "OrderPromised OrderPromised OrderExpired OrderExpired");
}

static void a_late_payment_meets_an_expired_order(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise_us = short_us;
    promise(kit, "o1");
    fulfillment_kit_pass(kit, over_us);
    struct claim_order_command *command = claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_DONE);
    assert_true(command->is_claimed);
    assert_int_equal(command->order.state, ORDER_CONFIRMING);
    assert_int_equal(command->order.step, STEP_EXTEND);
    assert_string_equal(fulfillment_kit_events(kit), "OrderPromised OrderExpired");
}

/* --- claims --- */

static void one_drives_at_a_time(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    struct claim_order_command *first = claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_DONE);
    (void)claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_BUSY);
    (void)claim(kit, "o1", ORDER_CANCEL, FULFILLMENT_BUSY);
    assert_int_equal(get(kit, "o1")->state, ORDER_CONFIRMING);
    save(kit, &first->order, first->claim, SAVE_AND_KEEP, FULFILLMENT_DONE);
    (void)claim(kit, "o1", ORDER_RESUME, FULFILLMENT_BUSY);
    lease_us = short_us;
    save(kit, &first->order, first->claim, SAVE_AND_KEEP, FULFILLMENT_DONE);
    fulfillment_kit_pass(kit, over_us);
    lease_us = long_us;
    struct claim_order_command *second = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE);
    assert_true(second->is_claimed);
    save(kit, &first->order, first->claim, SAVE_AND_REST, FULFILLMENT_CLAIM_LOST);
    save(kit, &second->order, second->claim, SAVE_AND_WAIT, FULFILLMENT_DONE);
    assert_int_equal(due(kit), 0);
    second = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE); /* nobody holds it meanwhile */
    promise_us = short_us;
    save(kit, &second->order, second->claim, SAVE_AND_WAIT, FULFILLMENT_DONE);
    fulfillment_kit_pass(kit, over_us);
    assert_int_equal(due(kit), 1);
}

static struct claim_order_command *claim_by(struct fulfillment_kit *kit,
                                            struct order_claimant claimant,
                                            enum fulfillment_outcome outcome)
{
    struct claim_order_command *command =
        fulfillment_kit_command(kit, COMMAND_CLAIM_ORDER, sizeof *command);
    command->order_id = text_of("o1");
    command->request = ORDER_RESUME;
    command->claimant = claimant;
    command->lease_us = lease_us;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), outcome);
    return command;
}

/* The answer to a claim or a save got lost: who made it need not wait for the lease, others must.
 */
static void a_lost_claim_is_taken_over_by_its_driver_alone(void **state)
{
    struct fulfillment_kit *kit = *state;
    const struct order_claimant holder = {.driver = 7};
    const struct order_claimant loser = {.driver = 7, .takes_over = true};
    const struct order_claimant other = {.driver = 8, .takes_over = true};
    const struct order_claimant nobody = {.takes_over = true};
    promise(kit, "o1");
    (void)claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_DONE);
    (void)claim_by(kit, nobody, FULFILLMENT_BUSY);
    fulfillment_kit_release_claims(kit);
    struct claim_order_command *first = claim_by(kit, holder, FULFILLMENT_DONE);
    assert_true(first->is_claimed);
    (void)claim_by(kit, holder, FULFILLMENT_BUSY);
    (void)claim_by(kit, other, FULFILLMENT_BUSY);
    struct claim_order_command *second = claim_by(kit, loser, FULFILLMENT_DONE);
    assert_true(second->is_claimed);
    assert_true(second->claim > first->claim);
    save(kit, &first->order, first->claim, SAVE_AND_REST, FULFILLMENT_CLAIM_LOST);
    save(kit, &second->order, second->claim, SAVE_AND_KEEP, FULFILLMENT_DONE);
    assert_true(claim_by(kit, loser, FULFILLMENT_DONE)->is_claimed);
}

static void a_promise_begun_in_vain_is_begun_again_by_its_driver(void **state)
{
    struct fulfillment_kit *kit = *state;
    uint64_t last = 0;
    for (int i = 0; i < 2; i++) {
        struct begin_order_command *command =
            fulfillment_kit_command(kit, COMMAND_BEGIN_ORDER, sizeof *command);
        command->request = order_world_order(&kit->arena, "o1");
        command->claimant = (struct order_claimant){.driver = 7, .takes_over = true};
        command->lease_us = lease_us;
        assert_int_equal(fulfillment_kit_ask(kit, &command->base), FULFILLMENT_DONE);
        assert_true(command->is_claimed);
        assert_true(command->claim > last);
        assert_int_equal(command->order.reservation_attempt, 1);
        last = command->claim;
    }
}

static void what_was_begun_goes_on_after_a_restart(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    struct claim_order_command *first = claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_DONE);
    first->order.pivot_is_passed = true;
    first->order.step = STEP_LABEL;
    first->order.tries = 3;
    lease_us = short_us;
    save(kit, &first->order, first->claim, SAVE_AND_KEEP, FULFILLMENT_DONE);
    fulfillment_kit_reopen(kit);
    fulfillment_kit_pass(kit, over_us);
    assert_int_equal(due(kit), 1);
    struct claim_order_command *second = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE);
    assert_true(second->order.pivot_is_passed);
    assert_int_equal(second->order.step, STEP_LABEL);
    assert_int_equal(second->order.part_count, 2);
    assert_int_equal(second->order.parts[1].shipment_attempt, 2);
    assert_int_equal(second->order.parts[0].origin.latitude_e7, -5);
}

static void claims_of_who_is_gone_are_given_up(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    promise(kit, "o2");
    struct claim_order_command *first = claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_DONE);
    fulfillment_kit_reopen(kit);
    (void)claim(kit, "o1", ORDER_RESUME, FULFILLMENT_BUSY);
    fulfillment_kit_release_claims(kit);
    assert_int_equal(due(kit), 1);
    assert_true(claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE)->is_claimed);
    save(kit, &first->order, first->claim, SAVE_AND_REST, FULFILLMENT_CLAIM_LOST);
    assert_int_equal(get(kit, "o2")->state, ORDER_PROMISED);
}

static void what_is_confirmed_is_answered_and_what_is_not_there_is_not_found(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    confirm(kit, "o1");
    struct claim_order_command *again = claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_DONE);
    assert_false(again->is_claimed);
    assert_int_equal(again->order.state, ORDER_CONFIRMED);
    assert_string_equal(again->order.parts[1].charged.currency, "EUR");
    (void)claim(kit, "o9", ORDER_CONFIRM, FULFILLMENT_ORDER_NOT_FOUND);
    assert_null(get(kit, "o9"));
    assert_string_equal(fulfillment_kit_events(kit), "OrderPromised OrderConfirmed");
}

static void a_cancellation_keeps_its_reason(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    struct claim_order_command *command = claim(kit, "o1", ORDER_CANCEL, FULFILLMENT_DONE);
    assert_int_equal(command->order.goal, GOAL_CANCEL);
    rest(&command->order, ORDER_CANCELLED);
    save(kit, &command->order, command->claim, SAVE_AND_REST, FULFILLMENT_DONE);
    struct order *order = get(kit, "o1");
    assert_int_equal(order->state, ORDER_CANCELLED);
    assert_true(text_equals_string(order->cancel_reason, "changed my mind"));
    struct claim_order_command *late = claim(kit, "o1", ORDER_CONFIRM, FULFILLMENT_REFUSED);
    assert_string_equal(late->order.refusal.reason.data, "ORDER_CANCELLED");
    assert_string_equal(fulfillment_kit_events(kit), "OrderPromised OrderCancelled");
}

/* --- what others tell --- */

static void what_is_told_of_a_resting_order_makes_it_due(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    confirm(kit, "o1");
    const struct order_signal signals[] = {shipped(kit, "o1"), shipped(kit, "unknown")};
    assert_int_equal(follow(kit, 7, signals, 2), 1);
    assert_int_equal(due(kit), 1);
    struct claim_order_command *command = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE);
    assert_true(command->is_claimed);
    assert_true(command->order.parts[0].is_shipped);
    assert_int_equal(command->order.parts[0].lines[0].shipped_quantity, 2);
    assert_false(command->order.parts[1].is_shipped);
    rest(&command->order, ORDER_CONFIRMED);
    save(kit, &command->order, command->claim, SAVE_AND_REST, FULFILLMENT_DONE);
    assert_int_equal(due(kit), 0); /* it is taken */
}

static void what_is_told_while_it_is_driven_makes_it_due_afterwards(void **state)
{
    struct fulfillment_kit *kit = *state;
    promise(kit, "o1");
    confirm(kit, "o1");
    const struct order_signal first = shipped(kit, "o1");
    const struct order_signal second = {.kind = SIGNAL_PARCEL_DELIVERED,
                                        .order_id = text_of("o1"),
                                        .carrier = text_of("c1"),
                                        .tracking_number = text_of("N2"),
                                        .time_us = 77};
    assert_int_equal(follow(kit, 7, &first, 1), 1);
    struct claim_order_command *command = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE);
    assert_int_equal(follow(kit, 8, &second, 1), 1);
    assert_int_equal(due(kit), 0);
    rest(&command->order, ORDER_CONFIRMED);
    save(kit, &command->order, command->claim, SAVE_AND_REST, FULFILLMENT_DONE);
    assert_int_equal(due(kit), 1);
    command = claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE);
    assert_true(command->order.parts[0].is_shipped);
    assert_int_equal(command->order.parts[1].parcels[0].delivered_time_us, 77);
}

static void what_is_told_of_a_promise_is_not_forgotten_when_it_expires(void **state)
{
    struct fulfillment_kit *kit = *state;
    const struct order_signal signal = shipped(kit, "o1");
    promise_us = short_us;
    promise(kit, "o1");
    assert_int_equal(follow(kit, 7, &signal, 1), 1);
    fulfillment_kit_pass(kit, over_us);
    assert_int_equal(due(kit), 1);
    assert_int_equal(get(kit, "o1")->state, ORDER_EXPIRED);
    assert_true(claim(kit, "o1", ORDER_RESUME, FULFILLMENT_DONE)->order.parts[0].is_shipped);
    assert_int_equal(due(kit), 0);
}

static void the_place_is_kept_with_what_was_told(void **state)
{
    struct fulfillment_kit *kit = *state;
    for (uint64_t position = 0; position < 3; position++) {
        struct get_place_command *command =
            fulfillment_kit_command(kit, COMMAND_GET_PLACE, sizeof *command);
        command->source = text_of("warehouse");
        assert_int_equal(fulfillment_kit_ask(kit, &command->base), FULFILLMENT_DONE);
        assert_int_equal(command->place.position, position);
        assert_int_equal(command->place.log.size, position == 0 ? 0 : 5);
        (void)follow(kit, position + 1, NULL, 0);
        fulfillment_kit_reopen(kit);
    }
}

/* --- lists --- */

static struct list_orders_command *list(struct fulfillment_kit *kit, const char *customer_id,
                                        enum order_state order_state, size_t page_size,
                                        uint64_t after)
{
    struct list_orders_command *command =
        fulfillment_kit_command(kit, COMMAND_LIST_ORDERS, sizeof *command);
    command->customer_id = text_of(customer_id);
    command->state = order_state;
    command->page_size = page_size;
    command->after = after;
    assert_int_equal(fulfillment_kit_ask(kit, &command->base), FULFILLMENT_DONE);
    return command;
}

static void lists_go_by_creation_and_show_what_there_is(void **state)
{
    struct fulfillment_kit *kit = *state;
    char id[8];
    size_t count = 0;
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "l%02d", i);
        struct begin_order_command *command =
            begin(kit, arena_format(&kit->arena, "%s", id), FULFILLMENT_DONE);
        rest(&command->order, i % 5 == 4 ? ORDER_REFUSED : ORDER_CONFIRMED);
        save(kit, &command->order, command->claim, SAVE_AND_REST, FULFILLMENT_DONE);
    }
    (void)begin(kit, "l99", FULFILLMENT_DONE); /* being promised */
    for (uint64_t after = 0, more = 1; more != 0; after = more) {
        struct list_orders_command *page = list(kit, "", 0, 3, after);
        for (size_t i = 0; i < page->order_count; i++, count++) {
            snprintf(id, sizeof id, "l%02zu", count + count / 4);
            assert_true(text_equals_string(page->orders[i].order_id, id));
        }
        more = page->next;
    }
    assert_int_equal(count, 16);
    assert_int_equal(list(kit, "customer-1", ORDER_CONFIRMED, 100, 0)->order_count, 16);
    assert_int_equal(list(kit, "customer-1", ORDER_SHIPPED, 100, 0)->order_count, 0);
    assert_int_equal(list(kit, "customer-2", 0, 100, 0)->order_count, 0);
}

/* --- */

static bool is_of_model;

static int setup(void **state)
{
    struct fulfillment_kit *kit = memory_allocate_zero(1, sizeof *kit);
    CHECK(kit != NULL);
    if (is_of_model)
        fulfillment_kit_init_model(kit);
    else
        fulfillment_kit_init(kit);
    lease_us = long_us;
    promise_us = long_us;
    *state = kit;
    return 0;
}

static int teardown(void **state)
{
    fulfillment_kit_deinit(*state);
    memory_release(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argument_count, char **arguments)
{
    is_of_model = argument_count > 1 && strcmp(arguments[1], "model") == 0;
    const struct CMUnitTest tests[] = {
        CASE(a_promise_being_made_is_nobody_elses),
        CASE(the_same_promise_again_answers_with_the_record),
        CASE(what_was_refused_begins_anew_under_the_next_attempt),
        CASE(a_promise_left_half_way_is_made_on_by_the_same_caller),
        CASE(a_promise_left_half_way_is_undone_by_the_driver),
        CASE(a_promise_expires_at_its_instant_and_says_so_once),
        CASE(what_is_due_expires_though_nobody_asks_for_it),
        CASE(a_late_payment_meets_an_expired_order),
        CASE(one_drives_at_a_time),
        CASE(what_was_begun_goes_on_after_a_restart),
        CASE(claims_of_who_is_gone_are_given_up),
        CASE(a_lost_claim_is_taken_over_by_its_driver_alone),
        CASE(a_promise_begun_in_vain_is_begun_again_by_its_driver),
        CASE(what_is_confirmed_is_answered_and_what_is_not_there_is_not_found),
        CASE(a_cancellation_keeps_its_reason),
        CASE(what_is_told_of_a_resting_order_makes_it_due),
        CASE(what_is_told_while_it_is_driven_makes_it_due_afterwards),
        CASE(what_is_told_of_a_promise_is_not_forgotten_when_it_expires),
        CASE(the_place_is_kept_with_what_was_told),
        CASE(lists_go_by_creation_and_show_what_there_is),
    };
    const char *store = is_of_model                    ? "fulfillment: model"
                        : sql_kit_runs_on_postgresql() ? "fulfillment: postgresql"
                                                       : "fulfillment: sqlite";
    return cmocka_run_group_tests_name(store, tests, NULL, NULL);
}
