/* Items, warehouses, cost cards and bins: made once, changed by name, listed page by page. */
#include "tests/contract/warehouse/warehouse_contract.h"

#include <stdio.h>
#include <string.h>

static struct warehouse_record_command *get_site(struct warehouse_kit *kit, const char *id)
{
    struct warehouse_record_command *get =
        warehouse_kit_command(kit, COMMAND_GET_WAREHOUSE, sizeof *get);
    get->warehouse.warehouse_id = text_of(id);
    return get;
}

static void a_warehouse_made_again_is_the_record_as_it_is_now(void **state)
{
    struct warehouse_kit *kit = *state;
    struct warehouse_record_command *update =
        warehouse_kit_command(kit, COMMAND_UPDATE_WAREHOUSE, sizeof *update);
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    update->warehouse.warehouse_id = text_of("W");
    update->warehouse.priority = 7;
    update->fields = WAREHOUSE_PRIORITY;
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_DONE);
    assert_int_equal(update->record.revision, 2);
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    struct warehouse_record_command *get = get_site(kit, "W");
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_DONE);
    assert_int_equal(get->record.priority, 7);
    assert_int_equal(get->record.revision, 2);
    assert_int_equal(get->record.address.point.longitude_e7, 80000000);
}

static void other_content_under_the_same_id_is_refused(void **state)
{
    struct warehouse_kit *kit = *state;
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    assert_int_equal(kit_bare_site(kit, "W", 2, 8), WAREHOUSE_ID_REUSED);
    assert_int_equal(kit_bare_site(kit, "W", 1, 9), WAREHOUSE_ID_REUSED);
}

static void an_update_that_changes_nothing_is_no_revision(void **state)
{
    struct warehouse_kit *kit = *state;
    struct warehouse_record_command *update =
        warehouse_kit_command(kit, COMMAND_UPDATE_WAREHOUSE, sizeof *update);
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    update->warehouse.warehouse_id = text_of("W");
    update->warehouse.name = text_of("West");
    update->fields = WAREHOUSE_NAME;
    update->expected_revision = 1;
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_DONE);
    assert_int_equal(update->record.revision, 2);
    assert_true(text_equals_string(update->record.name, "West"));
    assert_true(update->record.active);
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_DONE); /* the same again */
    assert_int_equal(update->record.revision, 2);
    update->warehouse.name = text_of("East");
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_REVISION_MISMATCH);
    update->warehouse.warehouse_id = text_of("X");
    assert_int_equal(kit_ask(kit, &update->base), WAREHOUSE_WAREHOUSE_NOT_FOUND);
}

static void an_item_is_put_in_place_of_the_one_before(void **state)
{
    struct warehouse_kit *kit = *state;
    struct item_command *get = warehouse_kit_command(kit, COMMAND_GET_ITEM, sizeof *get);
    get->item.sku = text_of("A");
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_SKU_NOT_FOUND);
    assert_int_equal(kit_item(kit, "A", 100), WAREHOUSE_DONE);
    assert_int_equal(kit_item(kit, "A", 200), WAREHOUSE_DONE);
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_DONE);
    assert_int_equal(get->item.weight_grams, 200);
}

static void items_are_paged_each_exactly_once(void **state)
{
    struct warehouse_kit *kit = *state;
    char sku[8];
    size_t seen = 0;
    for (int i = 0; i < 25; i++) {
        snprintf(sku, sizeof sku, "S%02d", i);
        assert_int_equal(kit_item(kit, sku, 1), WAREHOUSE_DONE);
    }
    struct list_items_command *list = warehouse_kit_command(kit, COMMAND_LIST_ITEMS, sizeof *list);
    list->page.size = 7;
    do {
        assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
        for (size_t i = 0; i < list->item_count; i++, seen++) {
            snprintf(sku, sizeof sku, "S%02zu", seen);
            assert_true(text_equals_string(list->items[i].sku, sku));
        }
        list->page.after = list->page.next;
    } while (list->page.next != 0);
    assert_int_equal(seen, 25);
}

static void a_card_of_the_same_day_is_replaced(void **state)
{
    struct warehouse_kit *kit = *state;
    struct list_cost_cards_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_COST_CARDS, sizeof *list);
    assert_int_equal(kit_card(kit, "W", "2026-01-01", "USD"), WAREHOUSE_WAREHOUSE_NOT_FOUND);
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    assert_int_equal(kit_card(kit, "W", "2026-06-01", "USD"), WAREHOUSE_DONE);
    assert_int_equal(kit_card(kit, "W", "2026-01-01", "USD"), WAREHOUSE_DONE);
    assert_int_equal(kit_card(kit, "W", "2026-01-01", "EUR"), WAREHOUSE_DONE);
    list->warehouse_id = text_of("W");
    list->page.size = 1;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->cost_card_count, 1);
    assert_string_equal(list->cost_cards[0].currency, "EUR");
    assert_int_equal(list->cost_cards[0].band_count, 2);
    list->page.after = list->page.next;
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_string_equal(list->cost_cards[0].currency, "USD");
    assert_int_equal(list->page.next, 0);
}

static void bins_are_made_once_and_listed_by_zone(void **state)
{
    struct warehouse_kit *kit = *state;
    struct list_bins_command *list = warehouse_kit_command(kit, COMMAND_LIST_BINS, sizeof *list);
    assert_int_equal(kit_bin(kit, "W", "Z", "1"), WAREHOUSE_WAREHOUSE_NOT_FOUND);
    assert_int_equal(kit_bare_site(kit, "W", 1, 8), WAREHOUSE_DONE);
    assert_int_equal(kit_bin(kit, "W", "Z", "1"), WAREHOUSE_DONE);
    assert_int_equal(kit_bin(kit, "W", "Z", "1"), WAREHOUSE_DONE);
    assert_int_equal(kit_bin(kit, "W", "Y", "1"), WAREHOUSE_DONE);
    list->warehouse_id = text_of("W");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->bin_count, 2);
    list->zone = text_of("Y");
    assert_int_equal(kit_ask(kit, &list->base), WAREHOUSE_DONE);
    assert_int_equal(list->bin_count, 1);
}

static void wrong_fields_are_refused_before_the_store(void **state)
{
    struct warehouse_kit *kit = *state;
    struct warehouse_record_command *create =
        warehouse_kit_command(kit, COMMAND_CREATE_WAREHOUSE, sizeof *create);
    static const struct text days[] = {{"2026-02-30", 10}, {"Someday", 7}, {"Sunday", 6}};
    create->warehouse.warehouse_id = text_of("not an id");
    create->warehouse.priority = -1;
    create->warehouse.time_zone = text_of("Nowhere/Land");
    create->warehouse.cutoff_local_time = text_of("24:00");
    create->warehouse.closed_days = days;
    create->warehouse.closed_day_count = 3;
    create->warehouse.capacity_per_day = -1;
    assert_int_equal(kit_ask(kit, &create->base), WAREHOUSE_INVALID_FIELD);
    assert_int_equal(create->base.violations.count, 7);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_warehouse_made_again_is_the_record_as_it_is_now),
    cmocka_unit_test(other_content_under_the_same_id_is_refused),
    cmocka_unit_test(an_update_that_changes_nothing_is_no_revision),
    cmocka_unit_test(an_item_is_put_in_place_of_the_one_before),
    cmocka_unit_test(items_are_paged_each_exactly_once),
    cmocka_unit_test(a_card_of_the_same_day_is_replaced),
    cmocka_unit_test(bins_are_made_once_and_listed_by_zone),
    cmocka_unit_test(wrong_fields_are_refused_before_the_store),
};
const struct warehouse_cases site_cases = {cases, sizeof cases / sizeof cases[0]};
