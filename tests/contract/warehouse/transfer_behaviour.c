/* Two-step transfers: goods are counted once, wherever they are. */
#include "tests/contract/warehouse/warehouse_contract.h"

static struct warehouse_kit *two_sites(void **state)
{
    struct warehouse_kit *kit = *state;
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    assert_int_equal(kit_bare_site(kit, "V", 1, 9), WAREHOUSE_DONE);
    assert_int_equal(kit_receive(kit, "M", "W", "A", 10), WAREHOUSE_DONE);
    return kit;
}

static enum warehouse_outcome send(struct warehouse_kit *kit, const char *lines)
{
    return kit_ask(kit, &kit_transfer(kit, "T", "W", "V", lines)->base);
}

static struct transfer_command *receive(struct warehouse_kit *kit, const char *lines)
{
    return kit_transfer_command(kit, COMMAND_RECEIVE_TRANSFER, "T", lines);
}

static void goods_leave_when_sent_and_come_when_received(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(send(kit, "A=4"), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 6, 0);
    kit_assert_stock(kit, "W", "A", 6, 0);
    kit_assert_books_are_right(kit);
    struct transfer_command *came = receive(kit, "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kit_ask(kit, &came->base), WAREHOUSE_DONE);
        assert_int_equal(came->transfer.state, TRANSFER_RECEIVED);
        assert_int_equal(came->transfer.lines[0].received_quantity, 4);
    }
    kit_assert_stock(kit, "V", "A", 4, 0);
    assert_int_equal(kit_ask(kit, &receive(kit, "A=4")->base), WAREHOUSE_DONE); /* names all */
    assert_int_equal(kit_ask(kit, &receive(kit, "A=3")->base), WAREHOUSE_TRANSFER_RECEIVED);
    kit_assert_books_are_right(kit);
}

static void a_transfer_made_again_sends_nothing(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(send(kit, "A=2 A=2"), WAREHOUSE_DONE);
    assert_int_equal(send(kit, "A=4"), WAREHOUSE_DONE); /* lines summed: the same */
    assert_int_equal(send(kit, "A=5"), WAREHOUSE_ID_REUSED);
    kit_assert_stock(kit, "W", "A", 6, 0);
}

static void more_than_is_free_is_refused(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(send(kit, "A=11"), WAREHOUSE_INSUFFICIENT_STOCK);
    assert_int_equal(send(kit, "X=1"), WAREHOUSE_SKU_NOT_FOUND);
    assert_int_equal(send(kit, "A=10"), WAREHOUSE_DONE);
}

static void what_is_short_and_what_is_more_is_adjusted(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    kit_receive(kit, "N", "W", "B", 10);
    assert_int_equal(send(kit, "A=4 B=4"), WAREHOUSE_DONE);
    struct transfer_command *came = receive(kit, "A=3 B=6");
    assert_int_equal(kit_ask(kit, &came->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "V", "A", 3, 0);
    kit_assert_stock(kit, "V", "B", 6, 0);
    struct list_movements_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_MOVEMENTS, sizeof *list);
    list->type = MOVEMENT_ADJUSTMENT;
    list->reference = text_of("T");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->movement_count, 2);
    assert_int_equal(list->movements[0].quantity, -1);
    assert_int_equal(list->movements[1].quantity, 2);
    kit_assert_books_are_right(kit);
}

static void nothing_at_all_may_come(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(send(kit, "A=4"), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &receive(kit, "A=0")->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "V", "A", 0, 0);
    kit_assert_books_are_right(kit);
}

static void what_was_not_sent_cannot_be_received(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(kit_ask(kit, &receive(kit, "A=1")->base), WAREHOUSE_TRANSFER_NOT_FOUND);
    assert_int_equal(send(kit, "A=4"), WAREHOUSE_DONE);
    struct transfer_command *came = receive(kit, "A=4 B=1");
    assert_int_equal(kit_ask(kit, &came->base), WAREHOUSE_INVALID_FIELD);
    assert_true(text_equals_string(came->base.violations.items[0].field, "lines[1]"));
}

static void a_cancelled_transfer_goes_back_where_it_was(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    kit_bin(kit, "W", "Z", "1");
    struct movement_command *move = kit_movement(kit, COMMAND_MOVE_STOCK, "V", "W", "A", 3);
    move->to_zone = text_of("Z");
    move->to_bin = text_of("1");
    assert_int_equal(kit_ask(kit, &move->base), WAREHOUSE_DONE);
    assert_int_equal(send(kit, "A=9"), WAREHOUSE_DONE);
    struct transfer_command *cancel = kit_transfer_command(kit, COMMAND_CANCEL_TRANSFER, "T", "");
    assert_int_equal(kit_ask(kit, &cancel->base), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &cancel->base), WAREHOUSE_DONE);
    assert_int_equal(cancel->transfer.state, TRANSFER_CANCELLED);
    struct warehouse_stock stock = kit_stock(kit, "W", "A");
    assert_int_equal(stock.on_hand, 10);
    assert_int_equal(stock.shelf_count, 2);
    assert_int_equal(stock.shelves[0].quantity + stock.shelves[1].quantity, 10);
    assert_int_equal(stock.shelves[0].quantity == 3 || stock.shelves[1].quantity == 3, true);
    assert_int_equal(kit_ask(kit, &receive(kit, "")->base), WAREHOUSE_TRANSFER_CANCELLED);
    kit_assert_books_are_right(kit);
}

static void what_was_received_cannot_be_cancelled(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    assert_int_equal(send(kit, "A=4"), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &receive(kit, "")->base), WAREHOUSE_DONE);
    struct transfer_command *cancel = kit_transfer_command(kit, COMMAND_CANCEL_TRANSFER, "T", "");
    assert_int_equal(kit_ask(kit, &cancel->base), WAREHOUSE_TRANSFER_RECEIVED);
}

static void transfers_are_listed_by_warehouse_and_state(void **state)
{
    struct warehouse_kit *kit = two_sites(state);
    struct list_transfers_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_TRANSFERS, sizeof *list);
    assert_int_equal(send(kit, "A=4"), WAREHOUSE_DONE);
    list->warehouse_id = text_of("V");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->transfer_count, 1);
    assert_int_equal(list->transfers[0].line_count, 1);
    list->state = TRANSFER_RECEIVED;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->transfer_count, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(goods_leave_when_sent_and_come_when_received),
    cmocka_unit_test(a_transfer_made_again_sends_nothing),
    cmocka_unit_test(more_than_is_free_is_refused),
    cmocka_unit_test(what_is_short_and_what_is_more_is_adjusted),
    cmocka_unit_test(nothing_at_all_may_come),
    cmocka_unit_test(what_was_not_sent_cannot_be_received),
    cmocka_unit_test(a_cancelled_transfer_goes_back_where_it_was),
    cmocka_unit_test(what_was_received_cannot_be_cancelled),
    cmocka_unit_test(transfers_are_listed_by_warehouse_and_state),
};
const struct warehouse_cases transfer_cases = {cases, sizeof cases / sizeof cases[0]};
