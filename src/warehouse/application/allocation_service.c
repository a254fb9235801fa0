/* What allocations may say. */
#include "warehouse/application/field_checks.h"
#include "warehouse/domain/limits.h"

#include <stdio.h>

static void check_lines(struct allocate_command *allocate, struct violations *violations)
{
    char path[64];
    if (allocate->line_count < 1 || allocate->line_count > warehouse_lines_max)
        violations_add(violations, "must have 1 to 100 lines", "lines");
    size_t found = violations->count;
    for (size_t i = 0; i < allocate->line_count; i++) {
        snprintf(path, sizeof path, "lines[%zu].sku", i);
        field_check_sku(violations, allocate->lines[i].sku, path);
        snprintf(path, sizeof path, "lines[%zu].quantity", i);
        field_check_quantity(violations, allocate->lines[i].quantity, path);
        allocate->lines[i].index = i;
    }
    if (violations->count > found)
        return;
    allocate->line_count = item_lines_normalize(allocate->lines, allocate->line_count);
    for (size_t i = 0; i < allocate->line_count; i++) {
        if (allocate->lines[i].quantity > warehouse_quantity_max)
            violations_add(violations, "the lines of one SKU must sum to at most 1000000000000",
                           "lines[%zu].quantity", allocate->lines[i].index);
    }
}

static void check_wish(struct allocate_command *allocate)
{
    struct violations *violations = &allocate->base.violations;
    field_check_optional_id(violations, allocate->order_id, "order_id");
    field_check_optional_id(violations, allocate->reservation_id, "reservation_id");
    field_check_address(violations, &allocate->destination, "destination");
    if (!allocate->destination.has_point)
        violations_add(violations, "must be given: distances are measured to it",
                       "destination.point");
    if ((int)allocate->strategy == 0)
        allocate->strategy = STRATEGY_LOWEST_COST;
    field_check_range(violations, (int64_t)allocate->strategy, STRATEGY_PRIORITY,
                      STRATEGY_LOWEST_COST, "must be one of the AllocationStrategy values",
                      "strategy");
    field_check_amount(violations, allocate->split_cost, "split_cost");
    check_lines(allocate, violations);
}

void check_plan_allocation(struct warehouse_command *command)
{
    struct allocate_command *allocate = (struct allocate_command *)command;
    field_check_optional_id(&command->violations, allocate->allocation_id, "allocation_id");
    check_wish(allocate);
}

void check_allocate(struct warehouse_command *command)
{
    struct allocate_command *allocate = (struct allocate_command *)command;
    field_check_id(&command->violations, allocate->allocation_id, "allocation_id");
    check_wish(allocate);
}

void check_allocation_id(struct warehouse_command *command)
{
    field_check_id(&command->violations, ((struct allocation_command *)command)->allocation_id,
                   "allocation_id");
}

void check_ship_allocation(struct warehouse_command *command)
{
    const struct ship_allocation_command *ship = (struct ship_allocation_command *)command;
    struct violations *violations = &command->violations;
    char path[64];
    char bin_path[64];
    field_check_id(violations, ship->allocation_id, "allocation_id");
    field_check_optional_id(violations, ship->warehouse_id, "warehouse_id");
    if (ship->line_count > warehouse_lines_max)
        violations_add(violations, "must have at most 100 lines", "lines");
    for (size_t i = 0; i < ship->line_count; i++) {
        const struct ship_line *line = &ship->lines[i];
        snprintf(path, sizeof path, "lines[%zu].sku", i);
        field_check_sku(violations, line->sku, path);
        snprintf(path, sizeof path, "lines[%zu].quantity", i);
        field_check_quantity(violations, line->quantity, path);
        snprintf(path, sizeof path, "lines[%zu].zone", i);
        snprintf(bin_path, sizeof bin_path, "lines[%zu].bin", i);
        field_check_place(violations, line->zone, line->bin, path, bin_path);
        snprintf(path, sizeof path, "lines[%zu].lot", i);
        field_check_optional_sku(violations, line->lot, path);
    }
}

void check_list_allocations(struct warehouse_command *command)
{
    struct list_allocations_command *list = (struct list_allocations_command *)command;
    field_check_optional_id(&command->violations, list->order_id, "order_id");
    field_check_optional_id(&command->violations, list->warehouse_id, "warehouse_id");
    field_check_range(&command->violations, (int64_t)list->state, 0, ALLOCATION_EXPIRED,
                      "must be one of the AllocationState values", "state");
    field_check_page(&command->violations, &list->page);
}
