/* What items, warehouses, cost cards and bins may say. */
#include "platform/base/time_zone.h"
#include "warehouse/application/field_checks.h"
#include "warehouse/domain/limits.h"

#include <stdio.h>

/* --- items --- */

static bool is_hs_code(struct text code)
{
    size_t digits = 0;
    for (size_t i = 0; i < code.size; i++) {
        bool is_digit = code.data[i] >= '0' && code.data[i] <= '9';
        if (!is_digit && code.data[i] != '.')
            return false;
        digits += is_digit;
    }
    return code.size == 0 || (digits >= 4 && digits <= 12 && code.size <= 16);
}

static bool is_country(struct text code)
{
    return code.size == 0 || (code.size == 2 && code.data[0] >= 'A' && code.data[0] <= 'Z' &&
                              code.data[1] >= 'A' && code.data[1] <= 'Z');
}

void check_put_item(struct warehouse_command *command)
{
    static const char length_rule[] = "must be 0 to 1000000";
    const struct item *item = &((struct item_command *)command)->item;
    struct violations *violations = &command->violations;
    field_check_sku(violations, item->sku, "item.sku");
    field_check_words(violations, item->name, warehouse_name_bytes_max, "item.name");
    field_check_range(violations, item->weight_grams, 0, warehouse_weight_grams_max,
                      "must be 0 to 1000000000", "item.weight_grams");
    field_check_range(violations, item->length_mm, 0, warehouse_length_mm_max, length_rule,
                      "item.length_mm");
    field_check_range(violations, item->width_mm, 0, warehouse_length_mm_max, length_rule,
                      "item.width_mm");
    field_check_range(violations, item->height_mm, 0, warehouse_length_mm_max, length_rule,
                      "item.height_mm");
    field_check_words(violations, item->hazard_class, 16, "item.hazard_class");
    if (!is_hs_code(item->hs_code))
        violations_add(violations, "must be empty or 4 to 12 digits, with dots or without",
                       "item.hs_code");
    if (!is_country(item->origin_country))
        violations_add(violations, "must be empty or two capital letters", "item.origin_country");
}

void check_get_item(struct warehouse_command *command)
{
    field_check_sku(&command->violations, ((struct item_command *)command)->item.sku, "sku");
}

void check_list_items(struct warehouse_command *command)
{
    field_check_page(&command->violations, &((struct list_items_command *)command)->page);
}

/* --- warehouses --- */

static void check_closed_days(struct violations *violations, const struct warehouse *warehouse)
{
    if (warehouse->closed_day_count > warehouse_closed_days_max)
        violations_add(violations, "must be at most 400", "warehouse.closed_days");
    for (size_t i = 0; i < warehouse->closed_day_count; i++) {
        int64_t day;
        int weekday;
        if (!calendar_date_parse(warehouse->closed_days[i], &day) &&
            !calendar_weekday_parse(warehouse->closed_days[i], &weekday))
            violations_add(violations, "must be a date (2026-12-25) or a weekday's name (SUNDAY)",
                           "warehouse.closed_days[%zu]", i);
    }
}

static void check_warehouse(struct violations *violations, const struct warehouse *warehouse,
                            unsigned fields)
{
    int64_t minutes;
    field_check_id(violations, warehouse->warehouse_id, "warehouse.warehouse_id");
    if ((fields & WAREHOUSE_NAME) != 0)
        field_check_words(violations, warehouse->name, warehouse_name_bytes_max, "warehouse.name");
    if ((fields & WAREHOUSE_PRIORITY) != 0)
        field_check_range(violations, warehouse->priority, 0, warehouse_priority_max,
                          "must be 0 to 1000000", "warehouse.priority");
    if ((fields & WAREHOUSE_ADDRESS) != 0)
        field_check_address(violations, &warehouse->address, "warehouse.address");
    if ((fields & WAREHOUSE_HANDLING_COST) != 0)
        field_check_amount(violations, warehouse->handling_cost, "warehouse.handling_cost");
    if ((fields & WAREHOUSE_CUTOFF_LOCAL_TIME) != 0 && warehouse->cutoff_local_time.size > 0 &&
        !calendar_time_parse(warehouse->cutoff_local_time, &minutes))
        violations_add(violations, "must be empty or HH:MM, 00:00 to 23:59",
                       "warehouse.cutoff_local_time");
    if ((fields & WAREHOUSE_TIME_ZONE) != 0 && warehouse->time_zone.size > 0 &&
        !time_zone_is_known(warehouse->time_zone))
        violations_add(violations, "must be empty or a name of the time zone database",
                       "warehouse.time_zone");
    if ((fields & WAREHOUSE_CLOSED_DAYS) != 0)
        check_closed_days(violations, warehouse);
    if ((fields & WAREHOUSE_CAPACITY_PER_DAY) != 0)
        field_check_range(violations, warehouse->capacity_per_day, 0, warehouse_capacity_max,
                          "must be 0 to 1000000000", "warehouse.capacity_per_day");
}

void check_create_warehouse(struct warehouse_command *command)
{
    struct warehouse_record_command *create = (struct warehouse_record_command *)command;
    check_warehouse(&command->violations, &create->warehouse, WAREHOUSE_ALL_FIELDS);
}

void check_update_warehouse(struct warehouse_command *command)
{
    struct warehouse_record_command *update = (struct warehouse_record_command *)command;
    check_warehouse(&command->violations, &update->warehouse, update->fields);
    if (update->expected_revision < 0)
        violations_add(&command->violations, "must be 0 or a revision", "expected_revision");
}

void check_get_warehouse(struct warehouse_command *command)
{
    struct warehouse_record_command *get = (struct warehouse_record_command *)command;
    field_check_id(&command->violations, get->warehouse.warehouse_id, "warehouse_id");
}

void check_list_warehouses(struct warehouse_command *command)
{
    field_check_page(&command->violations, &((struct list_warehouses_command *)command)->page);
}

/* --- cost cards and bins --- */

void check_set_cost_card(struct warehouse_command *command)
{
    static const char amount_rule[] = "must be 0 to 1000000000000";
    const struct cost_card *card = &((struct cost_card_command *)command)->cost_card;
    struct violations *violations = &command->violations;
    int64_t nearest = -1;
    char path[80];
    field_check_id(violations, card->warehouse_id, "cost_card.warehouse_id");
    field_check_range(violations, card->parcel_grams_max, 1, warehouse_weight_grams_max,
                      "must be 1 to 1000000000", "cost_card.parcel_grams_max");
    if (card->band_count < 1 || card->band_count > warehouse_bands_max)
        violations_add(violations, "must be 1 to 64", "cost_card.bands");
    for (size_t i = 0; i < card->band_count; i++) {
        const struct cost_band *band = &card->bands[i];
        snprintf(path, sizeof path, "cost_card.bands[%zu].distance_metres_max", i);
        field_check_range(violations, band->distance_metres_max, nearest + 1,
                          warehouse_distance_metres_max,
                          "must be 0 to 100000000 and more than the band's before", path);
        if (band->distance_metres_max > nearest)
            nearest = band->distance_metres_max;
        snprintf(path, sizeof path, "cost_card.bands[%zu].base.amount_minor", i);
        field_check_range(violations, band->base_minor, 0, warehouse_amount_minor_max, amount_rule,
                          path);
        snprintf(path, sizeof path, "cost_card.bands[%zu].per_kilogram.amount_minor", i);
        field_check_range(violations, band->per_kilogram_minor, 0, warehouse_amount_minor_max,
                          amount_rule, path);
    }
}

void check_list_cost_cards(struct warehouse_command *command)
{
    struct list_cost_cards_command *list = (struct list_cost_cards_command *)command;
    field_check_id(&command->violations, list->warehouse_id, "warehouse_id");
    field_check_page(&command->violations, &list->page);
}

void check_create_bin(struct warehouse_command *command)
{
    const struct bin *bin = &((struct bin_command *)command)->bin;
    field_check_id(&command->violations, bin->warehouse_id, "warehouse_id");
    field_check_sku(&command->violations, bin->zone, "zone");
    field_check_sku(&command->violations, bin->bin, "bin");
}

void check_list_bins(struct warehouse_command *command)
{
    struct list_bins_command *list = (struct list_bins_command *)command;
    field_check_id(&command->violations, list->warehouse_id, "warehouse_id");
    field_check_optional_sku(&command->violations, list->zone, "zone");
    field_check_page(&command->violations, &list->page);
}
