/* The life of a reservation, the normal form of lines, what is the same content, what a commit
 * takes. */
#include "inventory/domain/reservation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_state_meets_every_event(void **state)
{
    static const struct {
        enum reservation_state before;
        enum reservation_event event;
        enum reservation_transition transition;
        enum reservation_state after;
    } table[] = {
        {RESERVATION_PENDING, RESERVATION_COMMIT, RESERVATION_MOVES, RESERVATION_COMMITTED},
        {RESERVATION_PENDING, RESERVATION_ROLLBACK, RESERVATION_MOVES, RESERVATION_ROLLED_BACK},
        {RESERVATION_PENDING, RESERVATION_EXPIRE, RESERVATION_MOVES, RESERVATION_EXPIRED},
        {RESERVATION_COMMITTED, RESERVATION_COMMIT, RESERVATION_STAYS, RESERVATION_COMMITTED},
        {RESERVATION_COMMITTED, RESERVATION_ROLLBACK, RESERVATION_REFUSES, RESERVATION_COMMITTED},
        {RESERVATION_COMMITTED, RESERVATION_EXPIRE, RESERVATION_STAYS, RESERVATION_COMMITTED},
        {RESERVATION_ROLLED_BACK, RESERVATION_COMMIT, RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
        {RESERVATION_ROLLED_BACK, RESERVATION_ROLLBACK, RESERVATION_STAYS, RESERVATION_ROLLED_BACK},
        {RESERVATION_ROLLED_BACK, RESERVATION_EXPIRE, RESERVATION_STAYS, RESERVATION_ROLLED_BACK},
        {RESERVATION_EXPIRED, RESERVATION_COMMIT, RESERVATION_REFUSES, RESERVATION_EXPIRED},
        {RESERVATION_EXPIRED, RESERVATION_ROLLBACK, RESERVATION_STAYS, RESERVATION_EXPIRED},
        {RESERVATION_EXPIRED, RESERVATION_EXPIRE, RESERVATION_STAYS, RESERVATION_EXPIRED},
        {RESERVATION_PENDING, RESERVATION_EXTEND, RESERVATION_MOVES, RESERVATION_PENDING},
        {RESERVATION_PENDING, RESERVATION_RETAKE, RESERVATION_MOVES, RESERVATION_COMMITTED},
        {RESERVATION_PENDING, RESERVATION_RETURN, RESERVATION_REFUSES, RESERVATION_PENDING},
        {RESERVATION_COMMITTED, RESERVATION_EXTEND, RESERVATION_REFUSES, RESERVATION_COMMITTED},
        {RESERVATION_COMMITTED, RESERVATION_RETAKE, RESERVATION_STAYS, RESERVATION_COMMITTED},
        {RESERVATION_COMMITTED, RESERVATION_RETURN, RESERVATION_MOVES, RESERVATION_COMMITTED},
        {RESERVATION_ROLLED_BACK, RESERVATION_EXTEND, RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
        {RESERVATION_ROLLED_BACK, RESERVATION_RETAKE, RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
        {RESERVATION_ROLLED_BACK, RESERVATION_RETURN, RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
        {RESERVATION_EXPIRED, RESERVATION_EXTEND, RESERVATION_REFUSES, RESERVATION_EXPIRED},
        {RESERVATION_EXPIRED, RESERVATION_RETAKE, RESERVATION_MOVES, RESERVATION_COMMITTED},
        {RESERVATION_EXPIRED, RESERVATION_RETURN, RESERVATION_REFUSES, RESERVATION_EXPIRED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        enum reservation_state after;
        assert_int_equal(reservation_transition(table[i].before, table[i].event, &after),
                         table[i].transition);
        assert_int_equal(after, table[i].after);
    }
}

static void hold_is_due_at_its_time_and_not_before(void **state)
{
    (void)state;
    assert_false(reservation_is_due(1000, 999));
    assert_true(reservation_is_due(1000, 1000));
    assert_true(reservation_is_due(1000, 1001));
}

static void lines_are_sorted_and_summed_by_sku(void **state)
{
    (void)state;
    struct quantity_line lines[] = {
        {text_of("b"), 1},  {text_of("a"), 2}, {text_of("ab"), 3},
        {text_of("b"), 10}, {text_of("B"), 4}, {text_of("b"), 100},
    };
    assert_int_equal(quantity_lines_normalize(lines, 6), 4);
    assert_true(text_equals_string(lines[0].sku, "B"));
    assert_true(text_equals_string(lines[1].sku, "a"));
    assert_true(text_equals_string(lines[2].sku, "ab"));
    assert_true(text_equals_string(lines[3].sku, "b"));
    assert_int_equal(lines[0].quantity, 4);
    assert_int_equal(lines[1].quantity, 2);
    assert_int_equal(lines[2].quantity, 3);
    assert_int_equal(lines[3].quantity, 111);
}

static void no_lines_and_one_line_are_in_normal_form(void **state)
{
    (void)state;
    struct quantity_line line = {text_of("a"), 2};
    assert_int_equal(quantity_lines_normalize(NULL, 0), 0);
    assert_int_equal(quantity_lines_normalize(&line, 1), 1);
    assert_int_equal(line.quantity, 2);
}

/* Holds A 4, B 2, C 9. */
static struct reservation some(struct reservation_line lines[3])
{
    lines[0] = (struct reservation_line){.sku = text_of("A"), .quantity = 4};
    lines[1] = (struct reservation_line){.sku = text_of("B"), .quantity = 2};
    lines[2] = (struct reservation_line){.sku = text_of("C"), .quantity = 9};
    return (struct reservation){
        .order_id = text_of("order"),
        .customer_id = text_of("customer"),
        .ttl_us = 1000,
        .line_count = 3,
        .lines = lines,
    };
}

static bool has(const struct reservation *record, struct text order_id, struct text customer_id,
                int64_t ttl_us, const struct quantity_line *lines, size_t line_count)
{
    const struct reservation_content content = {
        .order_id = order_id,
        .customer_id = customer_id,
        .ttl_us = ttl_us,
        .lines = lines,
        .line_count = line_count,
    };
    return reservation_has_content(record, &content);
}

static void content_of_a_partial_one_is_what_was_asked(void **state)
{
    (void)state;
    struct reservation_line held[3];
    struct reservation record = some(held);
    const struct quantity_line asked[] = {{text_of("A"), 7}, {text_of("Z"), 2}};
    const struct quantity_line got[] = {{text_of("A"), 4}, {text_of("B"), 2}, {text_of("C"), 9}};
    struct reservation_content content = {
        .order_id = record.order_id,
        .customer_id = record.customer_id,
        .ttl_us = record.ttl_us,
        .allow_partial = true,
        .lines = got,
        .line_count = 3,
    };
    assert_false(reservation_has_content(&record, &content));
    record.allow_partial = true;
    record.requested = asked;
    record.requested_count = 2;
    assert_false(reservation_has_content(&record, &content));
    content.lines = asked;
    content.line_count = 2;
    assert_true(reservation_has_content(&record, &content));
    content.allow_partial = false;
    assert_false(reservation_has_content(&record, &content));
}

static void texts_are_sorted_and_each_kept_once(void **state)
{
    (void)state;
    struct text texts[] = {text_of("B"), text_of("A"), text_of("B"), text_of("AA"), text_of("A")};
    assert_int_equal(texts_normalize(texts, 5), 3);
    assert_true(text_equals_string(texts[0], "A"));
    assert_true(text_equals_string(texts[1], "AA"));
    assert_true(text_equals_string(texts[2], "B"));
    assert_int_equal(texts_normalize(texts, 0), 0);
}

static void content_is_order_customer_ttl_and_lines(void **state)
{
    (void)state;
    struct reservation_line held[3];
    struct reservation record = some(held);
    struct text order = text_of("order");
    struct text customer = text_of("customer");
    const struct quantity_line lines[] = {
        {text_of("A"), 4}, {text_of("B"), 2}, {text_of("C"), 9}, {text_of("D"), 1}};
    const struct quantity_line other_sku[] = {
        {text_of("A"), 4}, {text_of("B"), 2}, {text_of("D"), 9}};
    const struct quantity_line other_quantity[] = {
        {text_of("A"), 4}, {text_of("B"), 3}, {text_of("C"), 9}};
    assert_true(has(&record, order, customer, 1000, lines, 3));
    assert_false(has(&record, text_of(""), customer, 1000, lines, 3));
    assert_false(has(&record, order, text_of("x"), 1000, lines, 3));
    assert_false(has(&record, order, customer, 1001, lines, 3));
    assert_false(has(&record, order, customer, 1000, lines, 2));
    assert_false(has(&record, order, customer, 1000, lines, 4));
    assert_false(has(&record, order, customer, 1000, other_sku, 3));
    assert_false(has(&record, order, customer, 1000, other_quantity, 3));
}

static void commit_without_lines_takes_everything(void **state)
{
    (void)state;
    struct reservation_line held[3];
    struct reservation record = some(held);
    int64_t committed[3];
    size_t failed;
    assert_true(reservation_committed_quantities(&record, NULL, 0, committed, &failed));
    assert_int_equal(committed[0], 4);
    assert_int_equal(committed[1], 2);
    assert_int_equal(committed[2], 9);
}

static void commit_with_lines_takes_those(void **state)
{
    (void)state;
    struct reservation_line held[3];
    struct reservation record = some(held);
    const struct quantity_line lines[] = {{text_of("A"), 4}, {text_of("C"), 1}};
    int64_t committed[3];
    size_t failed;
    assert_true(reservation_committed_quantities(&record, lines, 2, committed, &failed));
    assert_int_equal(committed[0], 4);
    assert_int_equal(committed[1], 0);
    assert_int_equal(committed[2], 1);
}

/* Which of one or two lines is not held. */
static void assert_not_held(const char *first, int64_t first_quantity, const char *second,
                            int64_t second_quantity, size_t expected)
{
    struct reservation_line held[3];
    struct reservation record = some(held);
    const struct quantity_line lines[] = {
        {text_of(first), first_quantity},
        {text_of(second), second_quantity},
    };
    int64_t committed[3];
    size_t failed;
    assert_false(reservation_committed_quantities(&record, lines, second == NULL ? 1 : 2, committed,
                                                  &failed));
    assert_int_equal(failed, expected);
}

static void commit_of_what_is_not_held_names_the_line(void **state)
{
    (void)state;
    assert_not_held("A", 5, NULL, 0, 0);
    assert_not_held("0", 1, NULL, 0, 0); /* before all that is held */
    assert_not_held("D", 1, NULL, 0, 0); /* behind all that is held */
    assert_not_held("A", 4, "AA", 1, 1); /* between two that are held */
    assert_not_held("A", 4, "C", 10, 1);
    assert_not_held("AA", 1, "C", 1, 0);
    assert_not_held("B", 3, "C", 10, 0);
}

static void return_takes_what_is_committed_and_out_still(void **state)
{
    (void)state;
    struct reservation_line held[3];
    struct reservation record = some(held);
    int64_t returned[3];
    size_t failed;
    const struct quantity_line lines[] = {{text_of("A"), 2}, {text_of("C"), 3}};
    held[0].committed_quantity = 4;
    held[0].returned_quantity = 2;
    held[2].committed_quantity = 2;
    assert_false(reservation_returned_quantities(&record, lines, 2, returned, &failed));
    assert_int_equal(failed, 1);
    held[2].committed_quantity = 3;
    assert_true(reservation_returned_quantities(&record, lines, 2, returned, &failed));
    assert_int_equal(returned[0], 2);
    assert_int_equal(returned[1], 0);
    assert_int_equal(returned[2], 3);
    held[0].returned_quantity = 3;
    assert_false(reservation_returned_quantities(&record, lines, 2, returned, &failed));
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_meets_every_event),
        cmocka_unit_test(hold_is_due_at_its_time_and_not_before),
        cmocka_unit_test(lines_are_sorted_and_summed_by_sku),
        cmocka_unit_test(no_lines_and_one_line_are_in_normal_form),
        cmocka_unit_test(content_is_order_customer_ttl_and_lines),
        cmocka_unit_test(content_of_a_partial_one_is_what_was_asked),
        cmocka_unit_test(texts_are_sorted_and_each_kept_once),
        cmocka_unit_test(commit_without_lines_takes_everything),
        cmocka_unit_test(commit_with_lines_takes_those),
        cmocka_unit_test(commit_of_what_is_not_held_names_the_line),
        cmocka_unit_test(return_takes_what_is_committed_and_out_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
