/* Cycle counts: what was counted becomes true when somebody approves it, and only then. */
#include "tests/contract/warehouse/warehouse_contract.h"

static struct warehouse_kit *stocked(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    kit_bin(kit, "W", "Z", "1");
    kit_receive(kit, "M", "W", "A", 10);
    struct movement_command *move = kit_movement(kit, COMMAND_MOVE_STOCK, "V", "W", "A", 4);
    move->to_zone = text_of("Z");
    move->to_bin = text_of("1");
    assert_int_equal(kit_ask(kit, &move->base), WAREHOUSE_DONE);
    return kit;
}

static struct start_count_command *start(struct warehouse_kit *kit, const char *zone)
{
    struct start_count_command *command =
        warehouse_kit_command(kit, COMMAND_START_COUNT, sizeof *command);
    command->count_id = text_of("C");
    command->warehouse_id = text_of("W");
    command->zone = text_of(zone);
    return command;
}

static struct count_command *of_count(struct warehouse_kit *kit, enum warehouse_command_kind kind)
{
    struct count_command *command = warehouse_kit_command(kit, kind, sizeof *command);
    command->count_id = text_of("C");
    return command;
}

/* What was counted of A in bin Z/1. */
static struct count_command *record(struct warehouse_kit *kit, struct count_line *line,
                                    int64_t counted)
{
    struct count_command *command = of_count(kit, COMMAND_RECORD_COUNT);
    *line = (struct count_line){
        .sku = text_of("A"), .zone = text_of("Z"), .bin = text_of("1"), .counted = counted};
    command->lines = line;
    command->line_count = 1;
    return command;
}

static void approval_posts_the_differences(void **state)
{
    struct warehouse_kit *kit = stocked(state);
    struct count_line line;
    struct start_count_command *started = start(kit, "");
    assert_int_equal(kit_ask(kit, &started->base), WAREHOUSE_DONE);
    assert_int_equal(started->count.line_count, 2);
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_APPROVE_COUNT)->base),
                     WAREHOUSE_COUNT_OPEN);
    struct count_command *recorded = record(kit, &line, 3);
    assert_int_equal(kit_ask(kit, &recorded->base), WAREHOUSE_DONE);
    assert_int_equal(recorded->count.state, COUNT_RECORDED);
    kit_assert_stock(kit, "W", "A", 10, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_APPROVE_COUNT)->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 9, 0);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 2)->base), WAREHOUSE_COUNT_APPROVED);
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_CANCEL_COUNT)->base),
                     WAREHOUSE_COUNT_APPROVED);
    kit_assert_books_are_right(kit);
}

static void what_moves_after_the_count_is_no_difference(void **state)
{
    struct warehouse_kit *kit = stocked(state);
    struct count_line line;
    assert_int_equal(kit_ask(kit, &start(kit, "Z")->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 5)->base), WAREHOUSE_DONE);
    struct movement_command *ship = kit_movement(kit, COMMAND_SHIP_STOCK, "S", "W", "A", 3);
    ship->zone = text_of("Z");
    ship->bin = text_of("1");
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 5)->base), WAREHOUSE_DONE); /* a repeat */
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_APPROVE_COUNT)->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 8, 0); /* 10 + 1 found − 3 shipped */
    kit_assert_books_are_right(kit);
}

static void it_may_be_counted_once_more_before_approval(void **state)
{
    struct warehouse_kit *kit = stocked(state);
    struct count_line line;
    assert_int_equal(kit_ask(kit, &start(kit, "")->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 0)->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 4)->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_APPROVE_COUNT)->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 10, 0);
}

static void a_place_would_go_below_nothing(void **state)
{
    struct warehouse_kit *kit = stocked(state);
    struct count_line line;
    assert_int_equal(kit_ask(kit, &start(kit, "")->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 1)->base), WAREHOUSE_DONE);
    struct movement_command *ship = kit_movement(kit, COMMAND_SHIP_STOCK, "S", "W", "A", 3);
    ship->zone = text_of("Z");
    ship->bin = text_of("1");
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_APPROVE_COUNT)->base),
                     WAREHOUSE_INSUFFICIENT_STOCK);
    kit_assert_books_are_right(kit);
}

static void a_count_is_about_its_zone(void **state)
{
    struct warehouse_kit *kit = stocked(state);
    struct count_line line;
    struct start_count_command *started = start(kit, "Z");
    assert_int_equal(kit_ask(kit, &started->base), WAREHOUSE_DONE);
    assert_int_equal(started->count.line_count, 1);
    assert_int_equal(started->count.lines[0].expected, 4);
    struct count_command *recorded = record(kit, &line, 1);
    line.zone = line.bin = text_of("");
    assert_int_equal(kit_ask(kit, &recorded->base), WAREHOUSE_INVALID_FIELD);
    line.zone = text_of("Z");
    line.bin = text_of("9");
    assert_int_equal(kit_ask(kit, &recorded->base), WAREHOUSE_BIN_NOT_FOUND);
}

static void a_cancelled_count_changes_nothing(void **state)
{
    struct warehouse_kit *kit = stocked(state);
    struct count_line line;
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_GET_COUNT)->base),
                     WAREHOUSE_COUNT_NOT_FOUND);
    assert_int_equal(kit_ask(kit, &start(kit, "")->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &start(kit, "")->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &start(kit, "Z")->base), WAREHOUSE_ID_REUSED);
    assert_int_equal(kit_ask(kit, &record(kit, &line, 1)->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_CANCEL_COUNT)->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &of_count(kit, COMMAND_APPROVE_COUNT)->base),
                     WAREHOUSE_COUNT_CANCELLED);
    kit_assert_stock(kit, "W", "A", 10, 0);
    struct list_counts_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_COUNTS, sizeof *list);
    list->state = COUNT_CANCELLED;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->count_count, 1);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(approval_posts_the_differences),
    cmocka_unit_test(what_moves_after_the_count_is_no_difference),
    cmocka_unit_test(it_may_be_counted_once_more_before_approval),
    cmocka_unit_test(a_place_would_go_below_nothing),
    cmocka_unit_test(a_count_is_about_its_zone),
    cmocka_unit_test(a_cancelled_count_changes_nothing),
};
const struct warehouse_cases count_cases = {cases, sizeof cases / sizeof cases[0]};
