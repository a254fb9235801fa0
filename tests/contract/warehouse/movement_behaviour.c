/* The five kinds of movement: what they do to shelves and books, and what they refuse. */
#include "tests/contract/warehouse/warehouse_contract.h"

#include <stdio.h>

static int64_t day(const char *date)
{
    int64_t number;
    assert_true(calendar_date_parse(text_of(date), &number));
    return number;
}

static void goods_received_lie_where_they_were_put(void **state)
{
    struct warehouse_kit *kit = *state;
    assert_int_equal(kit_receive(kit, "M", "W", "A", 5), WAREHOUSE_WAREHOUSE_NOT_FOUND);
    kit_bare_site(kit, "W", 1, 8);
    struct movement_command *receive = kit_movement(kit, COMMAND_RECEIVE_STOCK, "M", "W", "A", 5);
    receive->zone = text_of("Z");
    receive->bin = text_of("1");
    receive->lot = text_of("L");
    receive->expiry_day = day("2027-05-01");
    assert_int_equal(kit_ask(kit, &receive->base), WAREHOUSE_BIN_NOT_FOUND);
    kit_bin(kit, "W", "Z", "1");
    assert_int_equal(kit_ask(kit, &receive->base), WAREHOUSE_DONE);
    assert_int_equal(receive->stock.on_hand, 5);
    assert_int_equal(receive->stock.shelf_count, 1);
    assert_true(text_equals_string(receive->stock.shelves[0].bin, "1"));
    assert_int_equal(receive->stock.shelves[0].expiry_day, day("2027-05-01"));
    assert_int_equal(receive->movement.type, MOVEMENT_INBOUND);
    kit_assert_books_are_right(kit);
}

static void a_movement_sent_again_moves_nothing(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kit_receive(kit, "M", "W", "A", 5), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 5, 0);
    assert_int_equal(kit_receive(kit, "M", "W", "A", 6), WAREHOUSE_ID_REUSED);
    assert_int_equal(kit_receive(kit, "M", "W", "B", 5), WAREHOUSE_ID_REUSED);
    struct movement_command *back = kit_movement(kit, COMMAND_RETURN_STOCK, "M", "W", "A", 5);
    assert_int_equal(kit_ask(kit, &back->base), WAREHOUSE_ID_REUSED);
    kit_assert_stock(kit, "W", "A", 5, 0);
}

static void a_refusal_leaves_no_trace_and_a_repeat_decides_anew(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    struct movement_command *ship = kit_movement(kit, COMMAND_SHIP_STOCK, "S", "W", "A", 5);
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_SKU_NOT_FOUND);
    kit_receive(kit, "M", "W", "A", 4);
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_INSUFFICIENT_STOCK);
    assert_int_equal(ship->base.shortages[0].requested_quantity, 5);
    assert_int_equal(ship->base.shortages[0].available_quantity, 4);
    kit_receive(kit, "N", "W", "A", 1);
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 0, 0);
    kit_assert_books_are_right(kit);
}

static void receive_lot(struct warehouse_kit *kit, const char *id, const char *lot,
                        const char *expiry, int64_t quantity)
{
    struct movement_command *receive =
        kit_movement(kit, COMMAND_RECEIVE_STOCK, id, "W", "A", quantity);
    receive->lot = text_of(lot);
    receive->expiry_day = expiry[0] == '\0' ? 0 : day(expiry);
    assert_int_equal(kit_ask(kit, &receive->base), WAREHOUSE_DONE);
}

static void what_expires_first_leaves_first_then_what_came_first(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    receive_lot(kit, "M1", "old", "", 2);
    warehouse_kit_pass(kit, 1000);
    receive_lot(kit, "M2", "late", "2028-01-01", 2);
    warehouse_kit_pass(kit, 1000);
    receive_lot(kit, "M3", "soon", "2027-02-01", 2);
    warehouse_kit_pass(kit, 1000);
    receive_lot(kit, "M4", "new", "", 2);
    struct movement_command *ship = kit_movement(kit, COMMAND_SHIP_STOCK, "S", "W", "A", 5);
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_DONE);
    assert_true(text_equals_string(ship->movement.lot, "soon"));
    assert_int_equal(ship->movement.quantity, -2);
    assert_int_equal(ship->stock.shelf_count, 2);
    assert_true(text_equals_string(ship->stock.shelves[0].lot, "old"));
    assert_int_equal(ship->stock.shelves[0].quantity, 1);
    assert_true(text_equals_string(ship->stock.shelves[1].lot, "new"));
    kit_assert_books_are_right(kit);
}

static void a_lot_has_one_expiry_date(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    receive_lot(kit, "M1", "L", "2027-02-01", 2);
    struct movement_command *receive = kit_movement(kit, COMMAND_RECEIVE_STOCK, "M2", "W", "A", 1);
    receive->lot = text_of("L");
    receive->expiry_day = day("2027-02-02");
    assert_int_equal(kit_ask(kit, &receive->base), WAREHOUSE_LOT_MISMATCH);
    receive_lot(kit, "M3", "L", "", 2); /* its own */
    assert_int_equal(kit_stock(kit, "W", "A").shelf_count, 1);
}

static void an_adjustment_never_takes_a_place_below_nothing(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    kit_receive(kit, "M", "W", "A", 5);
    struct movement_command *adjust = kit_movement(kit, COMMAND_ADJUST_STOCK, "J", "W", "A", -6);
    adjust->reason = adjustment_reason_text(ADJUSTMENT_DAMAGE);
    assert_int_equal(kit_ask(kit, &adjust->base), WAREHOUSE_INSUFFICIENT_STOCK);
    adjust->quantity = -2;
    assert_int_equal(kit_ask(kit, &adjust->base), WAREHOUSE_DONE);
    assert_true(text_equals_string(adjust->movement.reason, "DAMAGE"));
    kit_assert_stock(kit, "W", "A", 3, 0);
    struct movement_command *found = kit_movement(kit, COMMAND_ADJUST_STOCK, "F", "W", "B", 4);
    assert_int_equal(kit_ask(kit, &found->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "B", 4, 0);
    kit_assert_books_are_right(kit);
}

static void an_adjustment_may_go_below_what_is_allocated(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_site(kit, "W", 1, 8);
    kit_item(kit, "A", 100);
    kit_receive(kit, "M", "W", "A", 5);
    assert_int_equal(kit_ask(kit, &kit_allocation(kit, "AL", "A=4")->base), WAREHOUSE_DONE);
    struct movement_command *adjust = kit_movement(kit, COMMAND_ADJUST_STOCK, "J", "W", "A", -3);
    assert_int_equal(kit_ask(kit, &adjust->base), WAREHOUSE_DONE);
    kit_assert_stock(kit, "W", "A", 2, 4);
    struct movement_command *ship = kit_movement(kit, COMMAND_SHIP_STOCK, "S", "W", "A", 1);
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_INSUFFICIENT_STOCK);
    kit_assert_books_are_right(kit);
}

static void an_inactive_warehouse_takes_no_goods(void **state)
{
    struct warehouse_kit *kit = *state;
    struct warehouse_record_command *update =
        warehouse_kit_command(kit, COMMAND_UPDATE_WAREHOUSE, sizeof *update);
    kit_bare_site(kit, "W", 1, 8);
    kit_receive(kit, "M", "W", "A", 5);
    update->warehouse.warehouse_id = text_of("W");
    update->fields = WAREHOUSE_ACTIVE;
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_DONE);
    assert_int_equal(kit_receive(kit, "N", "W", "A", 5), WAREHOUSE_INACTIVE);
    assert_int_equal(kit_receive(kit, "M", "W", "A", 5), WAREHOUSE_DONE); /* a repeat */
    struct movement_command *ship = kit_movement(kit, COMMAND_SHIP_STOCK, "S", "W", "A", 5);
    assert_int_equal(kit_ask(kit, &ship->base), WAREHOUSE_DONE);
}

static void a_move_changes_places_and_nothing_else(void **state)
{
    struct warehouse_kit *kit = *state;
    kit_bare_site(kit, "W", 1, 8);
    kit_bin(kit, "W", "Z", "1");
    receive_lot(kit, "M1", "L1", "2027-02-01", 2);
    receive_lot(kit, "M2", "L2", "2027-03-01", 2);
    struct movement_command *move = kit_movement(kit, COMMAND_MOVE_STOCK, "V", "W", "A", 3);
    move->to_zone = text_of("Z");
    move->to_bin = text_of("1");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kit_ask(kit, &move->base), WAREHOUSE_DONE);
        assert_int_equal(move->movement.type, MOVEMENT_TRANSFER);
        assert_int_equal(move->movement.quantity, 2);
        assert_int_equal(move->stock.on_hand, 4);
        assert_int_equal(move->stock.shelf_count, 3);
    }
    struct list_movements_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_MOVEMENTS, sizeof *list);
    list->type = MOVEMENT_TRANSFER;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->movement_count, 4); /* two lots, two legs each */
    kit_assert_books_are_right(kit);
}

static void on_hand_has_a_limit(void **state)
{
    struct warehouse_kit *kit = *state;
    char id[16];
    kit_bare_site(kit, "W", 1, 8);
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "M%d", i);
        assert_int_equal(kit_receive(kit, id, "W", "A", INT64_C(1000000000000)), WAREHOUSE_DONE);
        warehouse_kit_reset(kit);
    }
    assert_int_equal(kit_receive(kit, "one", "W", "A", 1), WAREHOUSE_ON_HAND_LIMIT);
    kit_assert_books_are_right(kit);
}

static void movements_are_listed_by_any_filter_page_by_page(void **state)
{
    struct warehouse_kit *kit = *state;
    char id[16];
    size_t seen = 0;
    kit_bare_site(kit, "W", 1, 8);
    kit_bare_site(kit, "V", 1, 9);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "M%d", i);
        struct movement_command *receive = kit_movement(
            kit, COMMAND_RECEIVE_STOCK, id, i % 2 == 0 ? "W" : "V", i % 4 < 2 ? "A" : "B", 1 + i);
        receive->reference = text_of(i < 10 ? "PO1" : "");
        assert_int_equal(kit_ask(kit, &receive->base), WAREHOUSE_DONE);
    }
    struct list_movements_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_MOVEMENTS, sizeof *list);
    list->page.size = 3;
    do {
        assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
        for (size_t i = 0; i < list->movement_count; i++)
            assert_int_equal(list->movements[i].quantity, 1 + seen++);
        list->page.after = list->page.next;
    } while (list->page.next != 0);
    assert_int_equal(seen, 20);
    list->page = (struct list_page){.size = 100};
    list->warehouse_id = text_of("W");
    list->sku = text_of("B");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->movement_count, 5);
    list->reference = text_of("PO1");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->movement_count, 2);
    list->type = MOVEMENT_OUTBOUND;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->movement_count, 0);
}

static void stock_is_listed_by_sku_and_warehouse(void **state)
{
    struct warehouse_kit *kit = *state;
    struct list_stock_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_WAREHOUSE_STOCK, sizeof *list);
    kit_bare_site(kit, "W", 1, 8);
    kit_bare_site(kit, "V", 1, 9);
    kit_receive(kit, "1", "W", "A", 1);
    kit_receive(kit, "2", "V", "A", 2);
    kit_receive(kit, "3", "W", "B", 3);
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->stock_count, 3);
    list->sku = text_of("A");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->stock_count, 2);
    list->warehouse_id = text_of("V");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->stock_count, 1);
    assert_int_equal(list->stocks[0].shelves[0].quantity, 2);
    struct stock_command *get =
        warehouse_kit_command(kit, COMMAND_GET_WAREHOUSE_STOCK, sizeof *get);
    get->warehouse_id = text_of("V");
    get->sku = text_of("C");
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_SKU_NOT_FOUND);
    kit_item(kit, "C", 5);
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_DONE); /* known, and none here */
    assert_int_equal(get->stock.on_hand, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(goods_received_lie_where_they_were_put),
    cmocka_unit_test(a_movement_sent_again_moves_nothing),
    cmocka_unit_test(a_refusal_leaves_no_trace_and_a_repeat_decides_anew),
    cmocka_unit_test(what_expires_first_leaves_first_then_what_came_first),
    cmocka_unit_test(a_lot_has_one_expiry_date),
    cmocka_unit_test(an_adjustment_never_takes_a_place_below_nothing),
    cmocka_unit_test(an_adjustment_may_go_below_what_is_allocated),
    cmocka_unit_test(an_inactive_warehouse_takes_no_goods),
    cmocka_unit_test(a_move_changes_places_and_nothing_else),
    cmocka_unit_test(on_hand_has_a_limit),
    cmocka_unit_test(movements_are_listed_by_any_filter_page_by_page),
    cmocka_unit_test(stock_is_listed_by_sku_and_warehouse),
};
const struct warehouse_cases movement_cases = {cases, sizeof cases / sizeof cases[0]};
