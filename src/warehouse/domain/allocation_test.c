/* The life of an allocation: each state meets each event; what shipping decides. */
#include "warehouse/domain/allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Two FIRM parts: W1 holds A 4 and B 2, W2 holds A 1. */
struct sample {
    struct allocation allocation;
    struct allocation_part parts[2];
    struct allocation_line lines[3];
    struct arena arena;
};

static void begin(struct sample *sample)
{
    *sample = (struct sample){
        .lines = {{.sku = text_of("A"), .quantity = 4},
                  {.sku = text_of("B"), .quantity = 2},
                  {.sku = text_of("A"), .quantity = 1}},
    };
    sample->parts[0] = (struct allocation_part){.warehouse_id = text_of("W1"),
                                                .state = ALLOCATION_FIRM,
                                                .lines = &sample->lines[0],
                                                .line_count = 2};
    sample->parts[1] = (struct allocation_part){.warehouse_id = text_of("W2"),
                                                .state = ALLOCATION_FIRM,
                                                .lines = &sample->lines[2],
                                                .line_count = 1};
    sample->allocation =
        (struct allocation){.state = ALLOCATION_FIRM, .parts = sample->parts, .part_count = 2};
    arena_init(&sample->arena, 1 << 20);
}

static void terminal_is_terminal(void **state)
{
    static const enum allocation_transition expected[6][4] = {
        [ALLOCATION_TENTATIVE] = {ALLOCATION_MOVES, ALLOCATION_MOVES, ALLOCATION_MOVES,
                                  ALLOCATION_REFUSES},
        [ALLOCATION_FIRM] = {ALLOCATION_STAYS, ALLOCATION_MOVES, ALLOCATION_STAYS,
                             ALLOCATION_MOVES},
        [ALLOCATION_SHIPPED] = {ALLOCATION_STAYS, ALLOCATION_REFUSES, ALLOCATION_STAYS,
                                ALLOCATION_STAYS},
        [ALLOCATION_RELEASED] = {ALLOCATION_REFUSES, ALLOCATION_STAYS, ALLOCATION_STAYS,
                                 ALLOCATION_REFUSES},
        [ALLOCATION_EXPIRED] = {ALLOCATION_REFUSES, ALLOCATION_STAYS, ALLOCATION_STAYS,
                                ALLOCATION_REFUSES},
    };
    (void)state;
    for (int from = ALLOCATION_TENTATIVE; from <= ALLOCATION_EXPIRED; from++) {
        for (int event = ALLOCATION_CONFIRM; event <= ALLOCATION_SHIP; event++) {
            const struct allocation allocation = {.state = (enum allocation_state)from};
            assert_int_equal(allocation_transition(&allocation, (enum allocation_event)event),
                             expected[from][event]);
        }
    }
}

static void it_is_due_at_the_instant(void **state)
{
    (void)state;
    assert_false(allocation_is_due(ALLOCATION_TENTATIVE, 10, 9));
    assert_true(allocation_is_due(ALLOCATION_TENTATIVE, 10, 10));
    assert_false(allocation_is_due(ALLOCATION_FIRM, 10, 11));
}

static void the_state_follows_from_the_parts(void **state)
{
    struct sample sample;
    (void)state;
    begin(&sample);
    sample.parts[0].state = ALLOCATION_SHIPPED;
    assert_int_equal(allocation_state_of_parts(&sample.allocation), ALLOCATION_FIRM);
    sample.parts[1].state = ALLOCATION_RELEASED;
    assert_int_equal(allocation_state_of_parts(&sample.allocation), ALLOCATION_SHIPPED);
    sample.allocation.state = ALLOCATION_SHIPPED;
    assert_int_equal(allocation_transition(&sample.allocation, ALLOCATION_RELEASE),
                     ALLOCATION_STAYS); /* a repeat of the release */
    sample.parts[0].state = ALLOCATION_RELEASED;
    assert_int_equal(allocation_state_of_parts(&sample.allocation), ALLOCATION_RELEASED);
}

static struct ship_decision decide(struct sample *sample, const char *warehouse_id,
                                   struct ship_line *lines, size_t *count)
{
    return allocation_ship_decide(&sample->allocation, text_of(warehouse_id), lines, count,
                                  &sample->arena);
}

static void everything_or_one_part(void **state)
{
    struct sample sample;
    size_t none = 0;
    (void)state;
    begin(&sample);
    struct ship_decision decision = decide(&sample, "", NULL, &none);
    assert_int_equal(decision.outcome, SHIP_NOW);
    assert_true(decision.parts[0] && decision.parts[1]);
    decision = decide(&sample, "W2", NULL, &none);
    assert_true(!decision.parts[0] && decision.parts[1]);
    assert_int_equal(decide(&sample, "W3", NULL, &none).outcome, SHIP_PART_NOT_FOUND);
    sample.parts[1].state = ALLOCATION_SHIPPED;
    sample.parts[1].shipped = decision.shipped;
    assert_int_equal(decide(&sample, "W2", NULL, &none).outcome, SHIP_REPEATED);
    arena_deinit(&sample.arena);
}

static void lines_are_brought_into_normal_form(void **state)
{
    struct sample sample;
    struct ship_line lines[] = {{.sku = text_of("B"), .quantity = 2},
                                {.sku = text_of("A"), .quantity = 1},
                                {.sku = text_of("A"), .quantity = 3}};
    size_t count = 3;
    (void)state;
    begin(&sample);
    assert_int_equal(decide(&sample, "W1", lines, &count).outcome, SHIP_NOW);
    assert_int_equal(count, 0); /* they name everything */
    arena_deinit(&sample.arena);
}

static void lines_must_be_held_and_of_one_part(void **state)
{
    struct sample sample;
    struct ship_line lines[] = {{.sku = text_of("A"), .quantity = 3, .index = 0},
                                {.sku = text_of("A"),
                                 .quantity = 2,
                                 .zone = text_of("Z"),
                                 .bin = text_of("1"),
                                 .index = 1}};
    size_t count = 2;
    (void)state;
    begin(&sample);
    assert_int_equal(decide(&sample, "", lines, &count).outcome, SHIP_PART_AMBIGUOUS);
    assert_int_equal(decide(&sample, "W1", lines, &count).outcome, SHIP_LINES_NOT_HELD);
    struct ship_line other[] = {{.sku = text_of("C"), .quantity = 1, .index = 0}};
    count = 1;
    assert_int_equal(decide(&sample, "W1", other, &count).outcome, SHIP_LINES_NOT_HELD);
    arena_deinit(&sample.arena);
}

static void other_lines_than_before_are_refused(void **state)
{
    struct sample sample;
    struct ship_line one[] = {{.sku = text_of("A"), .quantity = 1}};
    size_t count = 1;
    size_t none = 0;
    (void)state;
    begin(&sample);
    struct ship_decision first = decide(&sample, "W1", one, &count);
    sample.parts[0].state = ALLOCATION_SHIPPED;
    sample.parts[0].shipped = first.shipped;
    assert_int_equal(decide(&sample, "W1", one, &count).outcome, SHIP_REPEATED);
    one[0].quantity = 2;
    assert_int_equal(decide(&sample, "W1", one, &count).outcome, SHIP_SHIPPED);
    assert_int_equal(decide(&sample, "W1", NULL, &none).outcome, SHIP_SHIPPED);
    sample.parts[1].state = ALLOCATION_RELEASED;
    assert_int_equal(decide(&sample, "W2", NULL, &none).outcome, SHIP_NOT_FIRM);
    arena_deinit(&sample.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal_is_terminal),
        cmocka_unit_test(it_is_due_at_the_instant),
        cmocka_unit_test(the_state_follows_from_the_parts),
        cmocka_unit_test(everything_or_one_part),
        cmocka_unit_test(lines_are_brought_into_normal_form),
        cmocka_unit_test(lines_must_be_held_and_of_one_part),
        cmocka_unit_test(other_lines_than_before_are_refused),
    };
    return cmocka_run_group_tests_name("allocation", tests, NULL, NULL);
}
