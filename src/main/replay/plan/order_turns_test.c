/*
 * Goal: orders of one product begin one after the other, in the order of the data set, and what has
 * no product in common does not wait.
 * Method: small tables against what is written here; random tables, whose orders end in random
 * order, and the real data set against the rule itself, read from the lines.
 */
#include "main/replay/plan/order_turns.h"

#include "platform/base/buffer.h"
#include "platform/base/check.h"
#include "platform/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char header[] = "ASN/DN #,Item Description,Line Item Quantity\n";

static void read_table(struct data_set *data_set, const char *rows)
{
    struct buffer table;
    buffer_init(&table, 1 << 20);
    CHECK(buffer_append_string(&table, header) && buffer_append_string(&table, rows));
    assert_false(error_is(data_set_read_bytes(data_set, "t.csv", buffer_text(&table))));
    buffer_deinit(&table);
}

static void assert_next(struct order_turns *turns, uint32_t expected)
{
    uint32_t order;
    assert_true(order_turns_next(turns, &order));
    assert_int_equal(order, expected);
}

static void assert_nobody_is_next(struct order_turns *turns)
{
    uint32_t order;
    assert_false(order_turns_next(turns, &order));
}

static void an_order_waits_for_those_before_it_with_one_of_its_products(void **state)
{
    struct data_set data_set;
    struct order_turns turns;
    (void)state;
    read_table(&data_set, "A,cup,1\nB,mug,1\nC,cup,1\nC,mug,1\nD,pot,1\nE,mug,1\n");
    assert_false(error_is(order_turns_init(&turns, &data_set)));
    for (int round = 0; round < 2; round++) {
        order_turns_begin(&turns);
        assert_next(&turns, 0);
        assert_next(&turns, 1);
        assert_next(&turns, 3);
        assert_nobody_is_next(&turns);
        order_turns_done(&turns, 1);
        order_turns_done(&turns, 3);
        assert_nobody_is_next(&turns); /* C wants a cup, too, and E comes behind C */
        order_turns_done(&turns, 0);
        assert_next(&turns, 2);
        assert_nobody_is_next(&turns);
        order_turns_done(&turns, 2);
        assert_next(&turns, 4);
        order_turns_done(&turns, 4);
        assert_nobody_is_next(&turns);
    }
    order_turns_deinit(&turns);
    data_set_deinit(&data_set);
}

static void a_product_on_several_lines_is_waited_for_once(void **state)
{
    struct data_set data_set;
    struct order_turns turns;
    (void)state;
    read_table(&data_set, "A,cup,1\nA,cup,2\nB,cup,1\nB,cup,5\nA,cup,3\n");
    assert_false(error_is(order_turns_init(&turns, &data_set)));
    order_turns_begin(&turns);
    assert_next(&turns, 0);
    assert_nobody_is_next(&turns);
    order_turns_done(&turns, 0);
    assert_next(&turns, 1);
    order_turns_deinit(&turns);
    data_set_deinit(&data_set);
}

/* What the rule needs to know of a run. */
struct run {
    const struct data_set *data_set;
    uint32_t *done_before; /* of each product: its orders that are over */
    uint32_t *place;       /* of each product: its orders up to now, while the rule is reckoned */
    uint32_t *expected;    /* of each line: how many orders of its product must be over */
};

static void reckon(struct run *run, const struct data_set *data_set)
{
    *run = (struct run){
        .data_set = data_set,
        .done_before = calloc(data_set->product_count, sizeof(uint32_t)),
        .place = calloc(data_set->product_count, sizeof(uint32_t)),
        .expected = calloc(data_set->line_count, sizeof(uint32_t)),
    };
    CHECK(run->done_before != NULL && run->place != NULL && run->expected != NULL);
}

static void release(struct run *run)
{
    free(run->done_before);
    free(run->place);
    free(run->expected);
}

/* Whether the line is its order's first of that product. */
static bool is_first(const struct data_set *data_set, const struct data_set_order *order,
                     uint32_t line)
{
    for (uint32_t i = order->first_line; i < line; i++) {
        if (data_set->lines[i].product == data_set->lines[line].product)
            return false;
    }
    return true;
}

static void expect_rising_orders(struct run *run)
{
    for (uint32_t i = 0; i < run->data_set->order_count; i++) {
        const struct data_set_order *order = &run->data_set->orders[i];
        for (uint32_t j = order->first_line; j < order->first_line + order->line_count; j++) {
            if (is_first(run->data_set, order, j))
                run->expected[j] = run->place[run->data_set->lines[j].product]++;
        }
    }
}

static void assert_may_begin(const struct run *run, uint32_t number)
{
    const struct data_set_order *order = &run->data_set->orders[number];
    for (uint32_t j = order->first_line; j < order->first_line + order->line_count; j++) {
        if (is_first(run->data_set, order, j))
            assert_int_equal(run->done_before[run->data_set->lines[j].product], run->expected[j]);
    }
}

static void end(struct run *run, struct order_turns *turns, uint32_t number)
{
    const struct data_set_order *order = &run->data_set->orders[number];
    for (uint32_t j = order->first_line; j < order->first_line + order->line_count; j++) {
        if (is_first(run->data_set, order, j))
            run->done_before[run->data_set->lines[j].product]++;
    }
    order_turns_done(turns, number);
}

/* All orders of the data set, up to `at_once` of them at a time, which end in random order. */
static void play(const struct data_set *data_set, struct random *random, size_t at_once)
{
    struct order_turns turns;
    struct run run;
    uint32_t *open = calloc(at_once, sizeof *open);
    size_t open_count = 0;
    uint32_t ended = 0;
    reckon(&run, data_set);
    expect_rising_orders(&run);
    assert_false(error_is(order_turns_init(&turns, data_set)));
    order_turns_begin(&turns);
    while (ended < data_set->order_count) {
        while (open_count < at_once && order_turns_next(&turns, &open[open_count]))
            assert_may_begin(&run, open[open_count++]);
        assert_true(open_count > 0);
        size_t chosen = (size_t)random_below(random, open_count);
        end(&run, &turns, open[chosen]);
        open[chosen] = open[--open_count];
        ended++;
    }
    assert_nobody_is_next(&turns);
    order_turns_deinit(&turns);
    release(&run);
    free(open);
}

static void random_orders_keep_the_rule_and_all_have_their_turn(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random_seeded random;
        struct buffer rows;
        struct data_set data_set;
        random_seeded_init(&random, seed);
        buffer_init(&rows, 1 << 20);
        uint64_t lines = 1 + random_below(&random.base, 100);
        uint64_t products = 1 + random_below(&random.base, 12);
        for (uint64_t i = 0; i < lines; i++)
            CHECK(buffer_append_format(&rows, "O%llu,p%llu,1\n",
                                       (unsigned long long)random_below(&random.base, 40),
                                       (unsigned long long)random_below(&random.base, products)));
        CHECK(buffer_append(&rows, "", 1));
        read_table(&data_set, buffer_text(&rows).data);
        play(&data_set, &random.base, (size_t)(1 + random_below(&random.base, 20)));
        buffer_deinit(&rows);
        data_set_deinit(&data_set);
    }
}

static void the_real_orders_keep_the_rule(void **state)
{
    struct data_set data_set;
    struct random_seeded random;
    (void)state;
    random_seeded_init(&random, 1);
    assert_false(
        error_is(data_set_read(&data_set, file_system_posix(), getenv("WAYBILL_DATA_SET"))));
    play(&data_set, &random.base, 256);
    data_set_deinit(&data_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_waits_for_those_before_it_with_one_of_its_products),
        cmocka_unit_test(a_product_on_several_lines_is_waited_for_once),
        cmocka_unit_test(random_orders_keep_the_rule_and_all_have_their_turn),
        cmocka_unit_test(the_real_orders_keep_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
