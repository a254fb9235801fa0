/* What movements, transfers and counts may say. */
#include "warehouse/application/field_checks.h"
#include "warehouse/domain/limits.h"

#include <stdio.h>

/* --- movements --- */

static void check_movement(struct warehouse_command *command)
{
    const struct movement_command *movement = (struct movement_command *)command;
    struct violations *violations = &command->violations;
    field_check_id(violations, movement->movement_id, "movement_id");
    field_check_id(violations, movement->warehouse_id, "warehouse_id");
    field_check_sku(violations, movement->sku, "sku");
    field_check_optional_sku(violations, movement->lot, "lot");
    field_check_words(violations, movement->reason, warehouse_reason_bytes_max, "reason");
    field_check_words(violations, movement->reference, warehouse_reason_bytes_max, "reference");
    field_check_words(violations, movement->note, warehouse_note_bytes_max, "note");
}

void check_receive_stock(struct warehouse_command *command)
{
    const struct movement_command *movement = (struct movement_command *)command;
    check_movement(command);
    field_check_place(&command->violations, movement->zone, movement->bin, "zone", "bin");
    field_check_quantity(&command->violations, movement->quantity, "quantity");
}

void check_ship_stock(struct warehouse_command *command)
{
    check_receive_stock(command);
}

void check_adjust_stock(struct warehouse_command *command)
{
    const struct movement_command *movement = (struct movement_command *)command;
    check_movement(command);
    field_check_place(&command->violations, movement->zone, movement->bin, "zone", "bin");
    if (movement->quantity == 0 || movement->quantity < -warehouse_quantity_max ||
        movement->quantity > warehouse_quantity_max)
        violations_add(&command->violations, "must be -1000000000000 to 1000000000000 and not 0",
                       "delta");
}

void check_move_stock(struct warehouse_command *command)
{
    const struct movement_command *movement = (struct movement_command *)command;
    struct violations *violations = &command->violations;
    check_movement(command);
    field_check_place(violations, movement->zone, movement->bin, "from_zone", "from_bin");
    field_check_place(violations, movement->to_zone, movement->to_bin, "to_zone", "to_bin");
    if (place_equal(movement->zone, movement->bin, movement->to_zone, movement->to_bin))
        violations_add(violations, "must be another place than from_zone and from_bin", "to_bin");
    field_check_quantity(violations, movement->quantity, "quantity");
}

void check_list_movements(struct warehouse_command *command)
{
    struct list_movements_command *list = (struct list_movements_command *)command;
    struct violations *violations = &command->violations;
    field_check_optional_id(violations, list->warehouse_id, "warehouse_id");
    field_check_optional_sku(violations, list->sku, "sku");
    field_check_range(violations, (int64_t)list->type, 0, MOVEMENT_RETURN,
                      "must be one of the MovementType values", "type");
    field_check_words(violations, list->reference, warehouse_reason_bytes_max, "reference");
    if (list->start_time_us > 0 && list->end_time_us > 0 && list->end_time_us < list->start_time_us)
        violations_add(violations, "must not be before start_time", "end_time");
    field_check_page(violations, &list->page);
}

void check_verify_movements(struct warehouse_command *command)
{
    (void)command; /* has no fields */
}

/* --- stock --- */

void check_get_stock(struct warehouse_command *command)
{
    const struct stock_command *get = (struct stock_command *)command;
    field_check_id(&command->violations, get->warehouse_id, "warehouse_id");
    field_check_sku(&command->violations, get->sku, "sku");
}

void check_list_stock(struct warehouse_command *command)
{
    struct list_stock_command *list = (struct list_stock_command *)command;
    field_check_optional_sku(&command->violations, list->sku, "sku");
    field_check_optional_id(&command->violations, list->warehouse_id, "warehouse_id");
    field_check_page(&command->violations, &list->page);
}

/* --- transfers --- */

void check_create_transfer(struct warehouse_command *command)
{
    struct create_transfer_command *create = (struct create_transfer_command *)command;
    struct violations *violations = &command->violations;
    char path[64];
    field_check_id(violations, create->transfer_id, "transfer_id");
    field_check_id(violations, create->from_warehouse_id, "from_warehouse_id");
    field_check_id(violations, create->to_warehouse_id, "to_warehouse_id");
    if (create->to_warehouse_id.size > 0 &&
        text_equal(create->from_warehouse_id, create->to_warehouse_id))
        violations_add(violations, "must be another than from_warehouse_id", "to_warehouse_id");
    if (create->line_count < 1 || create->line_count > warehouse_lines_max)
        violations_add(violations, "must have 1 to 100 lines", "lines");
    for (size_t i = 0; i < create->line_count; i++) {
        snprintf(path, sizeof path, "lines[%zu].sku", i);
        field_check_sku(violations, create->lines[i].sku, path);
        snprintf(path, sizeof path, "lines[%zu].lot", i);
        field_check_optional_sku(violations, create->lines[i].lot, path);
        snprintf(path, sizeof path, "lines[%zu].quantity", i);
        field_check_quantity(violations, create->lines[i].quantity, path);
        create->lines[i].index = i;
    }
    if (violations->count > 0)
        return;
    create->line_count = transfer_request_normalize(create->lines, create->line_count);
    for (size_t i = 0; i < create->line_count; i++) {
        if (create->lines[i].quantity > warehouse_quantity_max)
            violations_add(violations,
                           "the lines of one SKU and lot must sum to at most 1000000000000",
                           "lines[%zu].quantity", create->lines[i].index);
    }
}

void check_receive_transfer(struct warehouse_command *command)
{
    const struct transfer_command *receive = (struct transfer_command *)command;
    struct violations *violations = &command->violations;
    char path[64];
    char bin_path[64];
    field_check_id(violations, receive->transfer_id, "transfer_id");
    if (receive->line_count > warehouse_lines_max)
        violations_add(violations, "must have at most 100 lines", "lines");
    for (size_t i = 0; i < receive->line_count; i++) {
        const struct reception_line *line = &receive->lines[i];
        snprintf(path, sizeof path, "lines[%zu].sku", i);
        field_check_sku(violations, line->sku, path);
        snprintf(path, sizeof path, "lines[%zu].lot", i);
        field_check_optional_sku(violations, line->lot, path);
        snprintf(path, sizeof path, "lines[%zu].quantity", i);
        field_check_range(violations, line->quantity, 0, warehouse_quantity_max,
                          "must be 0 to 1000000000000", path);
        snprintf(path, sizeof path, "lines[%zu].zone", i);
        snprintf(bin_path, sizeof bin_path, "lines[%zu].bin", i);
        field_check_place(violations, line->zone, line->bin, path, bin_path);
    }
}

void check_transfer_id(struct warehouse_command *command)
{
    field_check_id(&command->violations, ((struct transfer_command *)command)->transfer_id,
                   "transfer_id");
}

void check_list_transfers(struct warehouse_command *command)
{
    struct list_transfers_command *list = (struct list_transfers_command *)command;
    field_check_optional_id(&command->violations, list->warehouse_id, "warehouse_id");
    field_check_range(&command->violations, (int64_t)list->state, 0, TRANSFER_CANCELLED,
                      "must be one of the TransferState values", "state");
    field_check_page(&command->violations, &list->page);
}

/* --- counts --- */

void check_start_count(struct warehouse_command *command)
{
    struct start_count_command *start = (struct start_count_command *)command;
    struct violations *violations = &command->violations;
    char path[64];
    field_check_id(violations, start->count_id, "count_id");
    field_check_id(violations, start->warehouse_id, "warehouse_id");
    field_check_optional_sku(violations, start->zone, "zone");
    if (start->sku_count > warehouse_lines_max)
        violations_add(violations, "must be at most 100", "skus");
    for (size_t i = 0; i < start->sku_count; i++) {
        snprintf(path, sizeof path, "skus[%zu]", i);
        field_check_sku(violations, start->skus[i], path);
    }
    if (violations->count == 0)
        start->sku_count = count_skus_normalize(start->skus, start->sku_count);
}

void check_record_count(struct warehouse_command *command)
{
    struct count_command *record = (struct count_command *)command;
    struct violations *violations = &command->violations;
    char path[64];
    char bin_path[64];
    field_check_id(violations, record->count_id, "count_id");
    if (record->line_count < 1 || record->line_count > warehouse_count_lines_max)
        violations_add(violations, "must have 1 to 1000 lines", "lines");
    for (size_t i = 0; i < record->line_count; i++) {
        struct count_line *line = &record->lines[i];
        snprintf(path, sizeof path, "lines[%zu].sku", i);
        field_check_sku(violations, line->sku, path);
        snprintf(path, sizeof path, "lines[%zu].zone", i);
        snprintf(bin_path, sizeof bin_path, "lines[%zu].bin", i);
        field_check_place(violations, line->zone, line->bin, path, bin_path);
        snprintf(path, sizeof path, "lines[%zu].lot", i);
        field_check_optional_sku(violations, line->lot, path);
        snprintf(path, sizeof path, "lines[%zu].counted", i);
        field_check_range(violations, line->counted, 0, warehouse_quantity_max,
                          "must be 0 to 1000000000000", path);
        line->index = i;
    }
    if (violations->count > 0)
        return;
    count_lines_sort(record->lines, record->line_count);
    for (size_t i = 1; i < record->line_count; i++) {
        if (count_line_compare(&record->lines[i - 1], &record->lines[i]) == 0)
            violations_add(violations, "names a place that another line names, too", "lines[%zu]",
                           record->lines[i].index);
    }
}

void check_count_id(struct warehouse_command *command)
{
    field_check_id(&command->violations, ((struct count_command *)command)->count_id, "count_id");
}

void check_list_counts(struct warehouse_command *command)
{
    struct list_counts_command *list = (struct list_counts_command *)command;
    field_check_optional_id(&command->violations, list->warehouse_id, "warehouse_id");
    field_check_range(&command->violations, (int64_t)list->state, 0, COUNT_CANCELLED,
                      "must be one of the CountState values", "state");
    field_check_page(&command->violations, &list->page);
}
