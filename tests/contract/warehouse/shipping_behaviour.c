/* What leaves: whole parts, short picks, repeats. */
#include "tests/contract/warehouse/warehouse_contract.h"

/* Two parts: ten A and five B at NEAR, ten A at FAR; all of it allocated, for reservation R. */
static struct warehouse_kit *allocated(void **state)
{
    struct warehouse_kit *kit = *state;
    assert_int_equal(kit_site(kit, "NEAR", 1, 1), WAREHOUSE_DONE);
    assert_int_equal(kit_site(kit, "FAR", 2, 20), WAREHOUSE_DONE);
    kit_item(kit, "A", 1000);
    kit_item(kit, "B", 1000);
    kit_bin(kit, "NEAR", "Z", "1");
    kit_receive(kit, "M1", "NEAR", "A", 10);
    kit_receive(kit, "M2", "FAR", "A", 10);
    kit_receive(kit, "M3", "NEAR", "B", 5);
    struct movement_command *move = kit_movement(kit, COMMAND_MOVE_STOCK, "V", "NEAR", "A", 4);
    move->to_zone = text_of("Z");
    move->to_bin = text_of("1");
    assert_int_equal(kit_ask(kit, &move->base), WAREHOUSE_DONE);
    struct allocate_command *command = kit_allocation(kit, "AL", "A=20 B=5");
    command->reservation_id = text_of("R");
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    assert_int_equal(command->allocation.part_count, 2);
    return kit;
}

static enum warehouse_outcome ship(struct warehouse_kit *kit, const char *warehouse_id,
                                   const char *lines)
{
    return kit_ask(kit, &kit_shipping(kit, "AL", warehouse_id, lines)->base);
}

static void everything_leaves_by_the_proposed_picks(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ship(kit, "", ""), WAREHOUSE_DONE);
    kit_assert_stock(kit, "NEAR", "A", 0, 0);
    kit_assert_stock(kit, "FAR", "A", 0, 0);
    struct allocation *shipped = kit_get_allocation(kit, "AL");
    assert_int_equal(shipped->state, ALLOCATION_SHIPPED);
    assert_int_equal(shipped->parts[0].lines[0].shipped_quantity, 10);
    assert_int_equal(shipped->parts[0].lines[0].pick_count, 2);
    assert_int_equal(kit_stock(kit, "NEAR", "A").shipped_for_reservations, 10);
    kit_assert_books_are_right(kit);
}

static void parts_leave_one_by_one(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    assert_int_equal(ship(kit, "FAR", ""), WAREHOUSE_DONE);
    assert_int_equal(kit_get_allocation(kit, "AL")->state, ALLOCATION_FIRM);
    kit_assert_stock(kit, "NEAR", "A", 10, 10);
    assert_int_equal(ship(kit, "NOWHERE", ""), WAREHOUSE_PART_NOT_FOUND);
    assert_int_equal(ship(kit, "NEAR", ""), WAREHOUSE_DONE);
    assert_int_equal(kit_get_allocation(kit, "AL")->state, ALLOCATION_SHIPPED);
    kit_assert_books_are_right(kit);
}

static void what_a_short_pick_lacks_stays_unallocated(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    assert_int_equal(ship(kit, "NEAR", "A=7"), WAREHOUSE_DONE);
    kit_assert_stock(kit, "NEAR", "A", 3, 0);
    kit_assert_stock(kit, "NEAR", "B", 5, 0);
    assert_int_equal(ship(kit, "NEAR", "A=3 A=4"), WAREHOUSE_DONE); /* summed: the same */
    assert_int_equal(ship(kit, "NEAR", "A=6"), WAREHOUSE_ALLOCATION_SHIPPED);
    assert_int_equal(ship(kit, "NEAR", ""), WAREHOUSE_ALLOCATION_SHIPPED);
    assert_int_equal(kit_stock(kit, "NEAR", "A").shipped_for_reservations, 7);
    kit_assert_books_are_right(kit);
}

static void lines_that_name_everything_are_no_lines(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    assert_int_equal(ship(kit, "NEAR", "B=5 A=10"), WAREHOUSE_DONE);
    assert_int_equal(ship(kit, "NEAR", ""), WAREHOUSE_DONE);
}

static void lines_the_part_does_not_hold_are_refused(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    struct ship_allocation_command *command = kit_shipping(kit, "AL", "NEAR", "B=1 A=11");
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INVALID_FIELD);
    assert_true(text_equals_string(command->base.violations.items[0].field, "lines[1]"));
    command = kit_shipping(kit, "AL", "", "A=1");
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INVALID_FIELD);
    assert_true(text_equals_string(command->base.violations.items[0].field, "warehouse_id"));
    kit_assert_stock(kit, "NEAR", "A", 10, 10);
}

static void picks_may_name_their_place(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    struct ship_allocation_command *command = kit_shipping(kit, "AL", "NEAR", "A=5");
    ((struct ship_line *)(uintptr_t)command->lines)[0].zone = text_of("Z");
    ((struct ship_line *)(uintptr_t)command->lines)[0].bin = text_of("1");
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INSUFFICIENT_STOCK);
    assert_int_equal(command->base.shortages[0].available_quantity, 4);
    ((struct ship_line *)(uintptr_t)command->lines)[0].quantity = 4;
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    struct warehouse_stock stock = kit_stock(kit, "NEAR", "A");
    assert_int_equal(stock.shelf_count, 1);
    assert_int_equal(stock.shelves[0].quantity, 6);
    kit_assert_books_are_right(kit);
}

static void the_shelves_may_have_less_than_is_held(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    struct movement_command *lost = kit_movement(kit, COMMAND_ADJUST_STOCK, "J", "NEAR", "A", -2);
    assert_int_equal(kit_ask(kit, &lost->base), WAREHOUSE_DONE);
    assert_int_equal(ship(kit, "NEAR", ""), WAREHOUSE_INSUFFICIENT_STOCK);
    assert_int_equal(ship(kit, "NEAR", "A=8 B=5"), WAREHOUSE_DONE);
    kit_assert_stock(kit, "NEAR", "A", 0, 0);
    kit_assert_books_are_right(kit);
}

static void what_is_left_can_be_released(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    struct allocation_command *release =
        kit_allocation_command(kit, COMMAND_RELEASE_ALLOCATION, "AL");
    assert_int_equal(ship(kit, "FAR", ""), WAREHOUSE_DONE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kit_ask(kit, &release->base), WAREHOUSE_DONE);
        assert_int_equal(release->allocation.state, ALLOCATION_SHIPPED);
    }
    kit_assert_stock(kit, "NEAR", "A", 10, 0);
    assert_int_equal(ship(kit, "NEAR", ""), WAREHOUSE_ALLOCATION_RELEASED);
    kit_assert_books_are_right(kit);
}

static void what_was_shipped_cannot_be_released(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    struct allocation_command *release =
        kit_allocation_command(kit, COMMAND_RELEASE_ALLOCATION, "AL");
    assert_int_equal(ship(kit, "", ""), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &release->base), WAREHOUSE_ALLOCATION_SHIPPED);
}

static void a_tentative_one_cannot_be_shipped(void **state)
{
    struct warehouse_kit *kit = allocated(state);
    kit_receive(kit, "M9", "NEAR", "A", 1);
    struct allocate_command *command = kit_allocation(kit, "T", "A=1");
    command->expire_time_us = warehouse_kit_now_us(kit) + 60000000;
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &kit_shipping(kit, "T", "", "")->base),
                     WAREHOUSE_ALLOCATION_TENTATIVE);
    assert_int_equal(kit_ask(kit, &kit_shipping(kit, "X", "", "")->base),
                     WAREHOUSE_ALLOCATION_NOT_FOUND);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(everything_leaves_by_the_proposed_picks),
    cmocka_unit_test(parts_leave_one_by_one),
    cmocka_unit_test(what_a_short_pick_lacks_stays_unallocated),
    cmocka_unit_test(lines_that_name_everything_are_no_lines),
    cmocka_unit_test(lines_the_part_does_not_hold_are_refused),
    cmocka_unit_test(picks_may_name_their_place),
    cmocka_unit_test(the_shelves_may_have_less_than_is_held),
    cmocka_unit_test(what_is_left_can_be_released),
    cmocka_unit_test(what_was_shipped_cannot_be_released),
    cmocka_unit_test(a_tentative_one_cannot_be_shipped),
};
const struct warehouse_cases shipping_cases = {cases, sizeof cases / sizeof cases[0]};
