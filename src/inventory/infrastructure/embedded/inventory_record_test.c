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
static int64_t returned_now[inventory_lines_max];
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

static struct inventory_record reservation(enum reservation_change change,
                                           struct reservation_line *lines, struct sku_link *links,
                                           size_t line_count)
{
    static const enum reservation_state states[] = {
        [CHANGE_RESERVED] = RESERVATION_PENDING,        [CHANGE_COMMITTED] = RESERVATION_COMMITTED,
        [CHANGE_ROLLED_BACK] = RESERVATION_ROLLED_BACK, [CHANGE_EXPIRED] = RESERVATION_EXPIRED,
        [CHANGE_EXTENDED] = RESERVATION_PENDING,        [CHANGE_RETAKEN] = RESERVATION_COMMITTED,
        [CHANGE_RETURNED] = RESERVATION_COMMITTED,
    };
    const int64_t create_us = INT64_C(1764000000000000);
    bool pending = states[change] == RESERVATION_PENDING;
    bool returned = change == CHANGE_RETURNED;
    struct inventory_record record = {
        .type = RECORD_RESERVATION,
        .id = text_of("reservation-1"),
        .time_us = change == CHANGE_RESERVED ? create_us : create_us + 9,
        .change = change,
        .links = links,
        .crossings = crossings,
        .returned_now = returned_now,
        .return_id = text_of(returned ? "return-1" : ""),
        .return_reason = returned ? RETURN_SHORT_PICK : (enum return_reason)0,
        .reservation =
            {
                .reservation_id = text_of("reservation-1"),
                .order_id = text_of("order"),
                .customer_id = text_of(""),
                .state = states[change],
                .ttl_us = inventory_ttl_us_default,
                .create_time_us = create_us,
                .expire_time_us = create_us + inventory_ttl_us_default + 5,
                .resolve_time_us = pending    ? 0
                                   : returned ? create_us + 7
                                              : create_us + 9,
                .line_count = line_count,
                .lines = lines,
                .allow_partial = true,
                .requested_count = line_count,
                .requested = requested,
            },
    };
    if (change == CHANGE_RESERVED)
        record.list_links = (struct reservation_links){1, UINT64_MAX >> 1, 3};
    for (size_t i = 0; i < line_count; i++) {
        lines[i] = (struct reservation_line){
            .sku = text_make("0123456789012345678901234567890123456789012345678901234567890123",
                             inventory_sku_bytes_max - i % 7),
            .quantity = inventory_quantity_max - (int64_t)i,
            .committed_quantity = states[change] == RESERVATION_COMMITTED ? (int64_t)i : 0,
            .returned_quantity = returned ? (int64_t)i : 0,
            .backordered_quantity = (int64_t)i,
            .stock_revision = INT64_MAX - (int64_t)i,
        };
        requested[i] = (struct quantity_line){lines[i].sku, inventory_quantity_max};
        returned_now[i] = returned ? (int64_t)i / 2 : 0;
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
    assert_int_equal(back.crossing.before, record.crossing.before);
    assert_int_equal(back.crossing.after, record.crossing.after);
    assert_true(back.crossing.shortage);
    assert_int_equal(back.crossing.available, record.crossing.available);
    assert_int_equal(back.crossing.low_stock_threshold, record.crossing.low_stock_threshold);
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

static void the_largest_reservation_comes_back_after_every_change(void **state)
{
    struct reservation_line lines[inventory_lines_max];
    struct sku_link links[inventory_lines_max];
    (void)state;
    for (int i = CHANGE_RESERVED; i <= CHANGE_RETURNED; i++) {
        struct inventory_record back;
        struct inventory_record record =
            reservation((enum reservation_change)i, lines, links, inventory_lines_max);
        size_t size = inventory_record_encode(&record, bytes);
        assert_true(size <= inventory_record_bytes_max);
        assert_true(inventory_record_decode(text_make(bytes, size), &scratch, &back));
        assert_int_equal(back.change, i);
        assert_int_equal(back.reservation.state, record.reservation.state);
        assert_true(back.time_us == record.time_us);
        assert_true(back.reservation.expire_time_us == record.reservation.expire_time_us);
        assert_true(back.reservation.resolve_time_us == record.reservation.resolve_time_us);
        assert_memory_equal(&back.list_links, &record.list_links, sizeof back.list_links);
        assert_true(text_equal(back.return_id, record.return_id));
        assert_int_equal(back.return_reason, record.return_reason);
        assert_int_equal(back.reservation.line_count, inventory_lines_max);
        for (size_t j = 0; j < inventory_lines_max; j++) {
            const struct reservation_line *line = &back.reservation.lines[j];
            assert_true(text_equal(line->sku, lines[j].sku));
            assert_true(line->quantity == lines[j].quantity);
            assert_true(line->committed_quantity == lines[j].committed_quantity);
            assert_true(line->returned_quantity == lines[j].returned_quantity);
            assert_true(line->stock_revision == lines[j].stock_revision);
            assert_true(line->backordered_quantity == (int64_t)j);
            assert_true(back.returned_now[j] == returned_now[j]);
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
    struct inventory_record record = reservation(CHANGE_COMMITTED, lines, links, 2);
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
    struct inventory_record record = reservation(CHANGE_COMMITTED, lines, links, 2);
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
    record = reservation(CHANGE_COMMITTED, lines, links, 2);
    assert_int_equal(inventory_record_entries(&record, 0, entries), 1);
    assert_int_equal(entries[0].to_account, STOCK_ACCOUNT_AVAILABLE); /* nothing was taken of it */
    assert_int_equal(inventory_record_entries(&record, 1, entries), 2);
    assert_int_equal(entries[0].to_account, STOCK_ACCOUNT_COMMITTED);
    assert_int_equal(entries[0].quantity, 1);
    assert_int_equal(entries[1].to_account, STOCK_ACCOUNT_AVAILABLE);
    assert_true(entries[0].quantity + entries[1].quantity == lines[1].quantity);
    record = reservation(CHANGE_EXTENDED, lines, links, 2);
    assert_false(inventory_record_touches(&record, 0));
    assert_int_equal(inventory_record_entries(&record, 0, entries), 0);
    record = reservation(CHANGE_RETAKEN, lines, links, 2);
    assert_false(inventory_record_touches(&record, 0));
    assert_int_equal(inventory_record_entries(&record, 0, entries), 0);
    assert_int_equal(inventory_record_entries(&record, 1, entries), 1);
    assert_int_equal(entries[0].from_account, STOCK_ACCOUNT_AVAILABLE);
    assert_int_equal(entries[0].to_account, STOCK_ACCOUNT_COMMITTED);
    record = reservation(CHANGE_RETURNED, lines, links, 2);
    returned_now[1] = 1;
    assert_false(inventory_record_touches(&record, 0));
    assert_int_equal(inventory_record_entries(&record, 1, entries), 1);
    assert_int_equal(entries[0].from_account, STOCK_ACCOUNT_RETURNED);
    assert_string_equal(inventory_record_cause(&record), "StockReturned");
    assert_true(text_equals_string(inventory_record_cause_id(&record), "return-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adjustment_comes_back),
        cmocka_unit_test(a_policy_comes_back_without_entries),
        cmocka_unit_test(the_largest_reservation_comes_back_after_every_change),
        cmocka_unit_test(every_cut_is_no_record),
        cmocka_unit_test(a_flipped_bit_never_reads_beyond_the_bytes),
        cmocka_unit_test(entries_follow_from_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
