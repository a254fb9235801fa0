/*
 * An order as bytes: what is written is read again, field by field; what is damaged is refused or
 * read as something within its limits, never beyond the bytes.
 */
#include "fulfillment/infrastructure/sql/order_record.h"
#include "platform/base/random.h"
#include "tests/support/fulfillment/order_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { arena_bytes_max = 64 * 1024 * 1024 };

/* Every field has a value of its own. */
static struct order *full_order(struct arena *arena)
{
    static struct text lines[] = {{"1, Rue", 6}, {"2nd floor", 9}};
    static struct text carriers[] = {{"c1", 2}, {"c3", 2}};
    static struct order_part_line part_lines[] = {{{"A", 1}, 2, 1}, {{"B", 1}, 1, 1}};
    static struct order_parcel parcels[] = {{{"N1", 2}, true, PARCEL_DELIVERED, 7},
                                            {{"N2", 2}, false, PARCEL_RETURNED, 0}};
    struct order *order = order_world_order(arena, "order-1");
    struct order_part *part = arena_allocate_zero(arena, 1, sizeof *part);
    order->customer_id = text_of("ann");
    order->destination.lines = lines;
    order->destination.line_count = 2;
    order->destination.has_point = true;
    order->destination.latitude_e7 = -900000000;
    order->destination.longitude_e7 = 1800000000;
    order->carriers = carriers;
    order->carrier_count = 2;
    order->incoterm = text_of("DDP");
    order->lines[0].is_described = true;
    order->lines[0].name = text_of("a thing");
    order->lines[0].weight_grams = 500;
    order->lines[0].hs_code = text_of("3004.90");
    order->lines[0].origin_country = text_of("DE");
    *part = (struct order_part){
        .warehouse_id = text_of("W1"),
        .lines = part_lines,
        .line_count = 2,
        .is_located = true,
        .origin = {.city = text_of("Bonn"), .lines = lines, .line_count = 1},
        .handling_minor = 7,
        .shipment_attempt = 3,
        .carrier = text_of("c2"),
        .service_code = text_of("S"),
        .amount_minor = INT64_MAX,
        .estimated_delivery_time_us = 99,
        .tried_carriers = carriers,
        .tried_count = 2,
        .label = LABEL_LOST,
        .charged = {"EUR", 5},
        .parcels = parcels,
        .parcel_count = 2,
        .is_shipped = true,
        .shorts_are_given = true,
    };
    order->parts = part;
    order->part_count = 1;
    order->splits_minor = 1;
    order->shipping_minor = 2;
    order->handling_minor = 3;
    order->landed_minor = 4;
    order->attention_reason = text_of("why");
    order->cancel_reason = text_of("because");
    order->goal = GOAL_CANCEL;
    order->step = STEP_RETURN;
    order->tries = 5;
    order->pivot_is_passed = true;
    order->must_reserve = true;
    order->reservation_attempt = 6;
    order->allocation_attempt = 7;
    order->shipment_attempts = 8;
    order->hold_until_us = -9;
    order->give_up_time_us = 10;
    order->milestones = MILESTONE_CONFIRMED | MILESTONE_SHIPPED;
    return order;
}

static void what_is_written_is_read_again(void **state)
{
    struct arena arena;
    struct order read;
    (void)state;
    arena_init(&arena, arena_bytes_max);
    struct order *order = full_order(&arena);
    struct text bytes = order_record_pack(&arena, order);
    assert_non_null(bytes.data);
    assert_true(order_record_unpack(&arena, bytes, &read));
    assert_true(text_equal(bytes, order_record_pack(&arena, &read)));
    assert_int_equal(read.hold_until_us, -9);
    assert_int_equal(read.milestones, order->milestones);
    assert_int_equal(read.destination.latitude_e7, -900000000);
    assert_true(text_equals_string(read.destination.lines[1], "2nd floor"));
    assert_true(text_equals_string(read.lines[0].hs_code, "3004.90"));
    assert_int_equal(read.parts[0].amount_minor, INT64_MAX);
    assert_int_equal(read.parts[0].lines[0].shipped_quantity, 1);
    assert_int_equal(read.parts[0].parcels[0].delivered_time_us, 7);
    assert_int_equal(read.parts[0].label, LABEL_LOST);
    assert_string_equal(read.parts[0].charged.currency, "EUR");
    assert_true(text_equals_string(read.parts[0].tried_carriers[1], "c3"));
    assert_true(text_equals_string(read.cancel_reason, "because"));
    assert_int_equal(read.step, STEP_RETURN);
    arena_deinit(&arena);
}

static void what_is_cut_is_refused(void **state)
{
    struct arena arena;
    struct order read;
    (void)state;
    arena_init(&arena, arena_bytes_max);
    struct text bytes = order_record_pack(&arena, full_order(&arena));
    for (size_t size = 0; size < bytes.size; size++)
        assert_false(order_record_unpack(&arena, text_make(bytes.data, size), &read));
    char *longer = arena_allocate_zero(&arena, 1, bytes.size + 1);
    memcpy(longer, bytes.data, bytes.size);
    assert_false(order_record_unpack(&arena, text_make(longer, bytes.size + 1), &read));
    arena_deinit(&arena);
}

/* Under the address sanitizer this says: nothing beyond the bytes is read. */
static void what_is_garbled_is_refused_or_within_its_limits(void **state)
{
    struct arena arena;
    struct arena scratch;
    struct random_seeded random;
    struct order read;
    (void)state;
    arena_init(&arena, arena_bytes_max);
    arena_init(&scratch, arena_bytes_max);
    random_seeded_init(&random, 1);
    struct text bytes = order_record_pack(&arena, full_order(&arena));
    char *garbled = malloc(bytes.size);
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(garbled, bytes.data, bytes.size);
        for (unsigned k = 0; k < 1 + i % 3; k++)
            garbled[random_below(&random.base, bytes.size)] = (char)random_below(&random.base, 256);
        if (order_record_unpack(&scratch, text_make(garbled, bytes.size), &read)) {
            assert_true(read.step <= STEP_RETURN && read.goal <= GOAL_CANCEL);
            assert_true(read.part_count <= 1000 && read.line_count <= 1000);
        }
        arena_reset(&scratch);
    }
    free(garbled);
    arena_deinit(&scratch);
    arena_deinit(&arena);
}

static void two_promises_are_the_same_by_what_was_asked_for(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, arena_bytes_max);
    struct order *one = full_order(&arena);
    struct order *other = full_order(&arena);
    other->landed_minor = 77;
    other->parts[0].carrier = text_of("other");
    other->lines[0].name = text_of("other");
    assert_true(text_equal(order_request_digest(&arena, one), order_request_digest(&arena, other)));
    other->ttl_us++;
    assert_false(
        text_equal(order_request_digest(&arena, one), order_request_digest(&arena, other)));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(what_is_garbled_is_refused_or_within_its_limits),
        cmocka_unit_test(two_promises_are_the_same_by_what_was_asked_for),
    };
    return cmocka_run_group_tests_name("order_record", tests, NULL, NULL);
}
