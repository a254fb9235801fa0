/*
 * Goal: a record comes back from its bytes as it was; bytes that are no record are refused.
 * Method: round trips of each type, every cut and every flipped bit of an encoding.
 */
#include "inventory/infrastructure/embedded/inventory_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct inventory_record_lines scratch;
static struct stock_crossing crossings[inventory_lines_max];
static struct quantity_line requested[inventory_lines_max];
static char bytes[inventory_record_bytes_max];

static struct inventory_record adjustment(void)
{
    return (struct inventory_record){
        .type = RECORD_STOCK_ADJUSTED,
        .id = text_of("adjustment-1"),
        .time_us = INT64_C(1764000000000000),
        .sku = text_of("SKU"),
        .quantity = -inventory_quantity_max,
        .stock_revision = 300,
        .link = {.previous_position = 1 << 20, .entry_number = 77},
        .crossing = {STOCK_STATE_IN_STOCK, STOCK_STATE_OUT_OF_STOCK, true, -3, 12},
        .reason = ADJUSTMENT_DAMAGE,
        .note = text_of("fell from the shelf"),
    };
}

static struct inventory_record reservation(enum reservation_state state,
                                           struct reservation_line *lines, struct sku_link *links,
                                           size_t line_count)
{
    struct inventory_record record = {
        .type = RECORD_RESERVATION,
        .id = text_of("reservation-1"),
        .links = links,
        .crossings = crossings,
        .reservation =
            {
                .reservation_id = text_of("reservation-1"),
                .order_id = text_of("order"),
                .customer_id = text_of(""),
                .state = state,
                .ttl_us = inventory_ttl_us_default,
                .create_time_us = INT64_C(1764000000000000),
                .expire_time_us = INT64_C(1764000000000000) + inventory_ttl_us_default,
                .resolve_time_us = state == RESERVATION_PENDING ? 0 : INT64_C(1764000000000007),
                .line_count = line_count,
                .lines = lines,
                .allow_partial = true,
                .requested_count = line_count,
                .requested = requested,
            },
    };
    record.time_us = state == RESERVATION_PENDING ? record.reservation.create_time_us
                                                  : record.reservation.resolve_time_us;
    for (size_t i = 0; i < line_count; i++) {
        lines[i] = (struct reservation_line){
            .sku = text_make("0123456789012345678901234567890123456789012345678901234567890123",
                             inventory_sku_bytes_max - i % 7),
            .quantity = inventory_quantity_max - (int64_t)i,
            .committed_quantity = state == RESERVATION_COMMITTED ? (int64_t)i : 0,
            .backordered_quantity = (int64_t)i,
            .stock_revision = INT64_MAX - (int64_t)i,
        };
        requested[i] = (struct quantity_line){lines[i].sku, inventory_quantity_max};
        crossings[i] =
            (struct stock_crossing){(enum stock_state)(i % 3), (enum stock_state)((i + 1) % 3),
                                    false, INT64_MIN / 4, inventory_quantity_max};
        links[i] = (struct sku_link){.previous_position = UINT64_MAX >> 1, .entry_number = i};
    }
    return record;
}

static void an_adjustment_comes_back(void **state)
{
    struct inventory_record record = adjustment();
    struct inventory_record back;
    (void)state;
    size_t size = inventory_record_encode(&record, bytes);
    assert_true(inventory_record_decode(text_make(bytes, size), &scratch, &back));
    assert_int_equal(back.type, RECORD_STOCK_ADJUSTED);
    assert_true(text_equal(back.id, record.id) && text_equal(back.sku, record.sku));
    assert_true(back.quantity == -inventory_quantity_max && back.time_us == record.time_us);
    assert_int_equal(back.stock_revision, 300);
    assert_int_equal(back.link.previous_position, 1 << 20);
    assert_int_equal(back.link.entry_number, 77);
    assert_memory_equal(&back.crossing, &record.crossing, sizeof back.crossing);
    assert_int_equal(back.reason, ADJUSTMENT_DAMAGE);
    assert_true(text_equal(back.note, record.note));
}

static void a_policy_comes_back_without_entries(void **state)
{
    const struct inventory_record record = {
        .type = RECORD_STOCK_POLICY,
        .id = text_of("SKU"),
        .sku = text_of("SKU"),
        .time_us = 7,
        .policy = {1, 2, 3, inventory_quantity_max},
        .stock_revision = 8,
    };
    struct inventory_record back;
    struct stock_entry entries[2];
    (void)state;
    size_t size = inventory_record_encode(&record, bytes);
    assert_true(inventory_record_decode(text_make(bytes, size), &scratch, &back));
    assert_memory_equal(&back.policy, &record.policy, sizeof back.policy);
    assert_true(text_equals_string(back.sku, "SKU"));
    assert_int_equal(back.stock_revision, 8);
    assert_int_equal(inventory_record_entries(&back, 0, entries), 0);
}

static void the_largest_reservation_comes_back_in_every_state(void **state)
{
    struct reservation_line lines[inventory_lines_max];
    struct sku_link links[inventory_lines_max];
    (void)state;
    for (int i = RESERVATION_PENDING; i <= RESERVATION_EXPIRED; i++) {
        struct inventory_record back;
        struct inventory_record record =
            reservation((enum reservation_state)i, lines, links, inventory_lines_max);
        size_t size = inventory_record_encode(&record, bytes);
        assert_true(size <= inventory_record_bytes_max);
        assert_true(inventory_record_decode(text_make(bytes, size), &scratch, &back));
        assert_int_equal(back.reservation.state, i);
        assert_true(back.time_us == record.time_us);
        assert_true(back.reservation.expire_time_us == record.reservation.expire_time_us);
        assert_true(back.reservation.resolve_time_us == record.reservation.resolve_time_us);
        assert_int_equal(back.reservation.line_count, inventory_lines_max);
        for (size_t j = 0; j < inventory_lines_max; j++) {
            assert_true(text_equal(back.reservation.lines[j].sku, lines[j].sku));
            assert_true(back.reservation.lines[j].quantity == lines[j].quantity);
            assert_true(back.reservation.lines[j].committed_quantity ==
                        lines[j].committed_quantity);
            assert_true(back.reservation.lines[j].stock_revision == lines[j].stock_revision);
            assert_true(back.reservation.lines[j].backordered_quantity == (int64_t)j);
            assert_true(back.links[j].previous_position == links[j].previous_position);
            assert_int_equal(back.crossings[j].before, j % 3);
            assert_int_equal(back.crossings[j].after, (j + 1) % 3);
            assert_true(back.crossings[j].available == INT64_MIN / 4);
            assert_true(text_equal(back.reservation.requested[j].sku, lines[j].sku));
            assert_true(back.reservation.requested[j].quantity == inventory_quantity_max);
        }
    }
}

static void every_cut_is_no_record(void **state)
{
    struct reservation_line lines[2];
    struct sku_link links[2];
    struct inventory_record back;
    struct inventory_record record = reservation(RESERVATION_COMMITTED, lines, links, 2);
    (void)state;
    size_t size = inventory_record_encode(&record, bytes);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(inventory_record_decode(text_make(bytes, cut), &scratch, &back));
    bytes[size] = 0;
    assert_false(inventory_record_decode(text_make(bytes, size + 1), &scratch, &back));
}

static void a_flipped_bit_never_reads_beyond_the_bytes(void **state)
{
    struct reservation_line lines[2];
    struct sku_link links[2];
    struct inventory_record record = reservation(RESERVATION_COMMITTED, lines, links, 2);
    (void)state;
    size_t size = inventory_record_encode(&record, bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        struct inventory_record back;
        char *exact = malloc(size); /* of its own size, so that a sanitizer sees each byte beyond */
        memcpy(exact, bytes, size);
        exact[bit / 8] = (char)(exact[bit / 8] ^ (1 << bit % 8));
        if (inventory_record_decode(text_make(exact, size), &scratch, &back))
            assert_true(inventory_record_line_count(&back) >= 1);
        free(exact);
    }
}

static void entries_follow_from_the_record(void **state)
{
    struct reservation_line lines[2];
    struct sku_link links[2];
    struct stock_entry entries[2];
    struct inventory_record record = adjustment();
    (void)state;
    assert_int_equal(inventory_record_entries(&record, 0, entries), 1);
    assert_int_equal(entries[0].from_account, STOCK_ACCOUNT_AVAILABLE);
    assert_int_equal(entries[0].to_account, STOCK_ACCOUNT_ADJUSTMENT);
    assert_true(entries[0].quantity == inventory_quantity_max);
    record = reservation(RESERVATION_COMMITTED, lines, links, 2);
    assert_int_equal(inventory_record_entries(&record, 0, entries), 1);
    assert_int_equal(entries[0].to_account, STOCK_ACCOUNT_AVAILABLE); /* nothing was taken of it */
    assert_int_equal(inventory_record_entries(&record, 1, entries), 2);
    assert_int_equal(entries[0].to_account, STOCK_ACCOUNT_COMMITTED);
    assert_int_equal(entries[0].quantity, 1);
    assert_int_equal(entries[1].to_account, STOCK_ACCOUNT_AVAILABLE);
    assert_true(entries[0].quantity + entries[1].quantity == lines[1].quantity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adjustment_comes_back),
        cmocka_unit_test(a_policy_comes_back_without_entries),
        cmocka_unit_test(the_largest_reservation_comes_back_in_every_state),
        cmocka_unit_test(every_cut_is_no_record),
        cmocka_unit_test(a_flipped_bit_never_reads_beyond_the_bytes),
        cmocka_unit_test(entries_follow_from_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
