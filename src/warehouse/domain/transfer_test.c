/* What came of what was sent, and where it is put; and the lives of transfers and counts. */
#include "warehouse/domain/count.h"
#include "warehouse/domain/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void lines_without_a_lot_fill_the_lots_in_order(void **state)
{
    struct transfer_line sent[] = {{.sku = text_of("A"), .lot = text_of("1"), .quantity = 3},
                                   {.sku = text_of("A"), .lot = text_of("2"), .quantity = 3},
                                   {.sku = text_of("B"), .quantity = 1}};
    const struct reception_line came[] = {{.sku = text_of("A"), .quantity = 2, .lot = text_of("2")},
                                          {.sku = text_of("A"), .quantity = 6}};
    struct placement placements[16];
    size_t count, failed;
    (void)state;
    assert_true(transfer_reception(sent, 3, came, 2, placements, &count, &failed));
    assert_int_equal(sent[0].received_quantity, 3);
    assert_int_equal(sent[1].received_quantity, 5); /* two more than sent: to the last */
    assert_int_equal(sent[2].received_quantity, 0); /* not named: did not come */
    assert_int_equal(count, 2);
    assert_int_equal(placements[1].line, 1);
    assert_int_equal(placements[1].quantity, 5);
}

static void no_lines_are_all_as_sent(void **state)
{
    struct transfer_line sent[] = {{.sku = text_of("A"), .quantity = 3},
                                   {.sku = text_of("B"), .quantity = 1}};
    struct placement placements[8];
    size_t count, failed;
    (void)state;
    assert_true(transfer_reception(sent, 2, NULL, 0, placements, &count, &failed));
    assert_int_equal(count, 2);
    assert_int_equal(sent[0].received_quantity, 3);
    assert_int_equal(sent[1].received_quantity, 1);
}

static void what_was_not_sent_is_told(void **state)
{
    struct transfer_line sent[] = {{.sku = text_of("A"), .quantity = 3}};
    const struct reception_line came[] = {
        {.sku = text_of("A"), .quantity = 1},
        {.sku = text_of("A"), .lot = text_of("L"), .quantity = 1}};
    struct placement placements[8];
    size_t count, failed;
    (void)state;
    assert_false(transfer_reception(sent, 1, came, 2, placements, &count, &failed));
    assert_int_equal(failed, 1);
}

static void each_ends_once(void **state)
{
    enum transfer_state transfer;
    enum count_state count;
    (void)state;
    assert_int_equal(transfer_transition(TRANSFER_IN_TRANSIT, TRANSFER_RECEIVE, &transfer),
                     TRANSFER_MOVES);
    assert_int_equal(transfer, TRANSFER_RECEIVED);
    assert_int_equal(transfer_transition(TRANSFER_RECEIVED, TRANSFER_CANCEL, &transfer),
                     TRANSFER_REFUSES);
    assert_int_equal(transfer_transition(TRANSFER_CANCELLED, TRANSFER_RECEIVE, &transfer),
                     TRANSFER_REFUSES);
    assert_int_equal(count_transition(COUNT_OPEN, COUNT_APPROVE, &count), COUNT_REFUSES);
    assert_int_equal(count_transition(COUNT_RECORDED, COUNT_RECORD, &count), COUNT_MOVES);
    assert_int_equal(count_transition(COUNT_RECORDED, COUNT_APPROVE, &count), COUNT_MOVES);
    assert_int_equal(count, COUNT_APPROVED);
    assert_int_equal(count_transition(COUNT_APPROVED, COUNT_APPROVE, &count), COUNT_STAYS);
    assert_int_equal(count_transition(COUNT_CANCELLED, COUNT_APPROVE, &count), COUNT_REFUSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_without_a_lot_fill_the_lots_in_order),
        cmocka_unit_test(no_lines_are_all_as_sent),
        cmocka_unit_test(what_was_not_sent_is_told),
        cmocka_unit_test(each_ends_once),
    };
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
