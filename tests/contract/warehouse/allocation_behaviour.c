/* Which warehouses are chosen, what is held, and until when. */
#include "tests/contract/warehouse/warehouse_contract.h"

#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;

/* NEAR at 1° E (priority 2, 72 km), FAR at 20° E (priority 1, 1,430 km), ten A of 1 kg at each. */
static struct warehouse_kit *two_sites(void **state)
{
    struct warehouse_kit *kit = *state;
    assert_int_equal(kit_site(kit, "NEAR", 2, 1), WAREHOUSE_DONE);
    assert_int_equal(kit_site(kit, "FAR", 1, 20), WAREHOUSE_DONE);
    assert_int_equal(kit_item(kit, "A", 1000), WAREHOUSE_DONE);
    assert_int_equal(kit_receive(kit, "M1", "NEAR", "A", 10), WAREHOUSE_DONE);
    assert_int_equal(kit_receive(kit, "M2", "FAR", "A", 10), WAREHOUSE_DONE);
    return kit;
}

static const struct allocation *allocate(struct warehouse_kit *kit, const char *id,
                                         const char *lines)
{
    struct allocate_command *command = kit_allocation(kit, id, lines);
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    return &command->allocation;
}

static enum allocation_reason_code reason_of(const struct allocation *allocation, const char *id)
{
    for (size_t i = 0; i < allocation->reason_count; i++) {
        if (text_equals_string(allocation->reasons[i].warehouse_id, id))
            return allocation->reasons[i].code;
    }
    return (enum allocation_reason_code)0;
}

static void update_site(struct warehouse_kit *kit, unsigned field, struct warehouse changes)
{
    struct warehouse_record_command *update =
        warehouse_kit_command(kit, COMMAND_UPDATE_WAREHOUSE, sizeof *update);
    update->warehouse = changes;
    update->warehouse.warehouse_id = text_of("NEAR");
    update->fields = field;
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_DONE);
}

static void the_cheapest_warehouse_holds_the_stock(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    const struct allocation *allocation = allocate(kit, "AL", "A=3");
    assert_int_equal(allocation->state, ALLOCATION_FIRM);
    assert_int_equal(allocation->part_count, 1);
    assert_true(text_equals_string(allocation->parts[0].warehouse_id, "NEAR"));
    assert_int_equal(allocation->total_cost.amount_minor, 100 + 500 + 3 * 10);
    assert_string_equal(allocation->total_cost.currency, "USD");
    assert_int_equal(allocation->parts[0].distance_metres, 71474);
    assert_int_equal(allocation->parts[0].lines[0].picks[0].quantity, 3);
    assert_int_equal(reason_of(allocation, "NEAR"), REASON_USED);
    assert_int_equal(reason_of(allocation, "FAR"), REASON_NOT_NEEDED);
    kit_assert_stock(kit, "NEAR", "A", 10, 3);
    kit_assert_books_are_right(kit);
}

static void an_allocation_made_again_holds_nothing_more(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    allocate(kit, "AL", "A=3");
    allocate(kit, "AL", "A=1 A=2");
    kit_assert_stock(kit, "NEAR", "A", 10, 3);
    assert_int_equal(kit_ask(kit, &kit_allocation(kit, "AL", "A=4")->base), WAREHOUSE_ID_REUSED);
    struct allocate_command *other = kit_allocation(kit, "AL", "A=3");
    other->strategy = STRATEGY_PRIORITY;
    assert_int_equal(kit_ask(kit, &other->base), WAREHOUSE_ID_REUSED);
}

static void priority_goes_before_distance_and_splits_as_needed(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct allocate_command *command = kit_allocation(kit, "AL", "A=15");
    command->strategy = STRATEGY_PRIORITY;
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    assert_int_equal(command->allocation.part_count, 2);
    assert_true(text_equals_string(command->allocation.parts[0].warehouse_id, "FAR"));
    assert_int_equal(command->allocation.parts[0].lines[0].quantity, 10);
    assert_int_equal(command->allocation.parts[1].lines[0].quantity, 5);
}

static void priority_needs_neither_items_nor_cards(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 1);
    kit_receive(kit, "M", "W", "X", 5);
    struct allocate_command *command = kit_allocation(kit, "AL", "X=5");
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INVALID_FIELD); /* no weight */
    assert_true(text_equals_string(command->base.violations.items[0].field, "lines[0].sku"));
    command->strategy = STRATEGY_PRIORITY;
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    assert_false(money_is(command->allocation.total_cost));
}

static void too_little_is_refused_line_by_line(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    kit_item(kit, "B", 5);
    struct allocate_command *command = kit_allocation(kit, "AL", "B=2 A=21");
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INSUFFICIENT_STOCK);
    assert_int_equal(command->base.shortage_count, 2);
    assert_int_equal(command->base.shortages[0].available_quantity, 20);
    assert_int_equal(command->base.shortages[1].requested_quantity, 2);
    command->allow_partial = true;
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    assert_int_equal(command->allocation.part_count, 2);
    struct allocate_command *unknown = kit_allocation(kit, "AL2", "NEVER=1");
    assert_int_equal(kit_ask(kit, &unknown->base), WAREHOUSE_SKU_NOT_FOUND);
    struct allocate_command *nothing = kit_allocation(kit, "AL3", "B=1");
    nothing->allow_partial = true;
    assert_int_equal(kit_ask(kit, &nothing->base), WAREHOUSE_INSUFFICIENT_STOCK);
    kit_assert_books_are_right(kit);
}

static void a_plan_holds_nothing(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct allocate_command *plan = kit_allocation(kit, "AL", "A=3");
    plan->base.kind = COMMAND_PLAN_ALLOCATION;
    assert_int_equal(kit_ask(kit, &plan->base), WAREHOUSE_DONE);
    assert_int_equal(plan->allocation.total_cost.amount_minor, 630);
    kit_assert_stock(kit, "NEAR", "A", 10, 0);
    struct allocation_command *get = kit_allocation_command(kit, COMMAND_GET_ALLOCATION, "AL");
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_ALLOCATION_NOT_FOUND);
}

static void each_warehouse_left_out_has_its_reason(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    static const struct text always[] = {{"SUNDAY", 6},    {"monday", 6},   {"TUESDAY", 7},
                                         {"WEDNESDAY", 9}, {"THURSDAY", 8}, {"FRIDAY", 6},
                                         {"SATURDAY", 8}};
    kit_bare_site(kit, "CARDLESS", 1, 1);
    kit_receive(kit, "M3", "CARDLESS", "A", 1);
    kit_site(kit, "DISTANT", 1, 90);
    kit_receive(kit, "M4", "DISTANT", "A", 1);
    kit_site(kit, "EMPTY", 1, 1);
    const struct allocation *first = allocate(kit, "1", "A=1");
    assert_int_equal(reason_of(first, "CARDLESS"), REASON_NO_COST_CARD);
    assert_int_equal(reason_of(first, "DISTANT"), REASON_TOO_FAR);
    assert_int_equal(reason_of(first, "EMPTY"), REASON_NO_STOCK);
    update_site(kit, WAREHOUSE_ACTIVE, (struct warehouse){.active = false});
    assert_int_equal(reason_of(allocate(kit, "2", "A=1"), "NEAR"), REASON_INACTIVE);
    update_site(kit, WAREHOUSE_ACTIVE | WAREHOUSE_CLOSED_DAYS,
                (struct warehouse){.active = true, .closed_days = always, .closed_day_count = 7});
    assert_int_equal(reason_of(allocate(kit, "3", "A=1"), "NEAR"), REASON_CLOSED);
    update_site(kit, WAREHOUSE_ADDRESS, (struct warehouse){.active = true});
    assert_int_equal(reason_of(allocate(kit, "4", "A=1"), "NEAR"), REASON_NO_POINT);
    assert_int_equal(reason_of(kit_get_allocation(kit, "3"), "NEAR"), REASON_CLOSED);
}

static void a_day_takes_no_more_than_its_capacity(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    update_site(kit, WAREHOUSE_CAPACITY_PER_DAY, (struct warehouse){.capacity_per_day = 2});
    assert_int_equal(reason_of(allocate(kit, "1", "A=1"), "NEAR"), REASON_USED);
    assert_int_equal(reason_of(allocate(kit, "2", "A=1"), "NEAR"), REASON_USED);
    assert_int_equal(reason_of(allocate(kit, "3", "A=1"), "NEAR"), REASON_NO_CAPACITY);
    struct allocation_command *release =
        kit_allocation_command(kit, COMMAND_RELEASE_ALLOCATION, "1");
    assert_int_equal(kit_ask(kit, &release->base), WAREHOUSE_DONE);
    assert_int_equal(reason_of(allocate(kit, "4", "A=1"), "NEAR"), REASON_USED);
}

static void currencies_that_differ_are_refused(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct allocate_command *command = kit_allocation(kit, "AL", "A=1");
    command->split_cost = (struct money){"EUR", 5};
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INVALID_FIELD);
    assert_true(
        text_equals_string(command->base.violations.items[0].field, "split_cost.currency_code"));
    assert_int_equal(kit_card(kit, "FAR", "2020-01-01", "EUR"), WAREHOUSE_DONE);
    command->split_cost = (struct money){{0}, 0};
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_INVALID_FIELD);
    command->strategy = STRATEGY_PRIORITY;
    assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
}

static struct allocate_command *tentative(struct warehouse_kit *kit, const char *id,
                                          int64_t hold_us)
{
    struct allocate_command *command = kit_allocation(kit, id, "A=10");
    command->expire_time_us = warehouse_kit_now_us(kit) + hold_us;
    return command;
}

static void a_tentative_one_expires_exactly(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct allocate_command *first = tentative(kit, "1", second_us);
    assert_int_equal(kit_ask(kit, &first->base), WAREHOUSE_DONE);
    assert_int_equal(first->allocation.state, ALLOCATION_TENTATIVE);
    kit_assert_stock(kit, "NEAR", "A", 10, 10);
    warehouse_kit_pass(kit, second_us);
    kit_assert_stock(kit, "NEAR", "A", 10, 0); /* nobody swept */
    struct allocation *expired = kit_get_allocation(kit, "1");
    assert_int_equal(expired->state, ALLOCATION_EXPIRED);
    assert_int_equal(expired->revision, 2);
    assert_int_equal(kit_ask(kit, &first->base), WAREHOUSE_DONE); /* a repeat: as it is now */
    assert_int_equal(first->allocation.state, ALLOCATION_EXPIRED);
    struct allocation_command *confirm =
        kit_allocation_command(kit, COMMAND_CONFIRM_ALLOCATION, "1");
    assert_int_equal(kit_ask(kit, &confirm->base), WAREHOUSE_ALLOCATION_EXPIRED);
    struct allocation_command *release =
        kit_allocation_command(kit, COMMAND_RELEASE_ALLOCATION, "1");
    assert_int_equal(kit_ask(kit, &release->base), WAREHOUSE_DONE); /* must not fail */
    assert_int_equal(release->allocation.state, ALLOCATION_EXPIRED);
    kit_assert_books_are_right(kit);
}

static void a_decision_does_not_count_what_is_due(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(kit_ask(kit, &tentative(kit, "1", second_us)->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &tentative(kit, "2", second_us)->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &kit_allocation(kit, "3", "A=20")->base),
                     WAREHOUSE_INSUFFICIENT_STOCK);
    warehouse_kit_pass(kit, second_us);
    assert_int_equal(kit_ask(kit, &kit_allocation(kit, "3", "A=20")->base), WAREHOUSE_DONE);
    kit_assert_books_are_right(kit);
}

static void the_sweep_expires_what_nobody_asks_about(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(kit_ask(kit, &tentative(kit, "1", second_us)->base), WAREHOUSE_DONE);
    warehouse_kit_pass(kit, second_us);
    struct error error = sql_warehouse_sweep(kit->repository);
    assert_false(error_is(error));
    struct list_allocations_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_ALLOCATIONS, sizeof *list);
    list->state = ALLOCATION_EXPIRED;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->allocation_count, 1);
}

static void a_list_by_state_is_exact_without_a_sweep(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct list_allocations_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_ALLOCATIONS, sizeof *list);
    assert_int_equal(kit_ask(kit, &tentative(kit, "1", second_us)->base), WAREHOUSE_DONE);
    warehouse_kit_pass(kit, second_us);
    list->state = ALLOCATION_EXPIRED;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->allocation_count, 1);
}

static void a_confirmed_one_does_not_expire(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct allocation_command *confirm =
        kit_allocation_command(kit, COMMAND_CONFIRM_ALLOCATION, "1");
    assert_int_equal(kit_ask(kit, &confirm->base), WAREHOUSE_ALLOCATION_NOT_FOUND);
    assert_int_equal(kit_ask(kit, &tentative(kit, "1", second_us)->base), WAREHOUSE_DONE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kit_ask(kit, &confirm->base), WAREHOUSE_DONE);
        assert_int_equal(confirm->allocation.state, ALLOCATION_FIRM);
        assert_int_equal(confirm->allocation.revision, 2);
    }
    warehouse_kit_pass(kit, second_us);
    kit_assert_stock(kit, "NEAR", "A", 10, 10);
    struct allocate_command *late = tentative(kit, "2", 0);
    assert_int_equal(kit_ask(kit, &late->base), WAREHOUSE_INVALID_FIELD);
    assert_true(text_equals_string(late->base.violations.items[0].field, "expire_time"));
}

static void a_released_one_holds_nothing(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    allocate(kit, "AL", "A=3");
    struct allocation_command *release =
        kit_allocation_command(kit, COMMAND_RELEASE_ALLOCATION, "AL");
    for (int i = 0; i < 2; i++)
        assert_int_equal(kit_ask(kit, &release->base), WAREHOUSE_DONE);
    assert_int_equal(release->allocation.state, ALLOCATION_RELEASED);
    kit_assert_stock(kit, "NEAR", "A", 10, 0);
    struct allocation_command *confirm =
        kit_allocation_command(kit, COMMAND_CONFIRM_ALLOCATION, "AL");
    assert_int_equal(kit_ask(kit, &confirm->base), WAREHOUSE_ALLOCATION_RELEASED);
    kit_assert_books_are_right(kit);
}

static void allocations_are_listed_by_order_warehouse_and_state(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    char id[8];
    size_t seen = 0;
    for (int i = 0; i < 9; i++) {
        snprintf(id, sizeof id, "%d", i);
        struct allocate_command *command = kit_allocation(kit, id, "A=1");
        command->order_id = text_of(i % 3 == 0 ? "O" : "");
        assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    }
    struct list_allocations_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_ALLOCATIONS, sizeof *list);
    list->page.size = 2;
    do {
        assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
        for (size_t i = 0; i < list->allocation_count; i++) {
            snprintf(id, sizeof id, "%zu", seen++);
            assert_true(text_equals_string(list->allocations[i].allocation_id, id));
        }
        list->page.after = list->page.next;
    } while (list->page.next != 0);
    assert_int_equal(seen, 9);
    list->page = (struct list_page){.size = 100};
    list->order_id = text_of("O");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->allocation_count, 3);
    list->warehouse_id = text_of("FAR");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->allocation_count, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(the_cheapest_warehouse_holds_the_stock),
    cmocka_unit_test(an_allocation_made_again_holds_nothing_more),
    cmocka_unit_test(priority_goes_before_distance_and_splits_as_needed),
    cmocka_unit_test(priority_needs_neither_items_nor_cards),
    cmocka_unit_test(too_little_is_refused_line_by_line),
    cmocka_unit_test(a_plan_holds_nothing),
    cmocka_unit_test(each_warehouse_left_out_has_its_reason),
    cmocka_unit_test(a_day_takes_no_more_than_its_capacity),
    cmocka_unit_test(currencies_that_differ_are_refused),
    cmocka_unit_test(a_tentative_one_expires_exactly),
    cmocka_unit_test(a_decision_does_not_count_what_is_due),
    cmocka_unit_test(the_sweep_expires_what_nobody_asks_about),
    cmocka_unit_test(a_list_by_state_is_exact_without_a_sweep),
    cmocka_unit_test(a_confirmed_one_does_not_expire),
    cmocka_unit_test(a_released_one_holds_nothing),
    cmocka_unit_test(allocations_are_listed_by_order_warehouse_and_state),
};
const struct warehouse_cases allocation_cases = {cases, sizeof cases / sizeof cases[0]};
