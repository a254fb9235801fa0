/*
 * ShipAllocation: what was picked leaves the shelves, place by place, as OUTBOUND movements of the
 * allocation. A part is shipped whole: what it lacks is held no more and stays on the shelf.
 */
#include "warehouse/infrastructure/sql/allocation_rows.h"

#include <string.h>

struct shipping {
    struct step *step;
    struct ledger ledger;
    struct allocation *allocation;
    struct ship_line *lines; /* in normal form; none = all */
    size_t line_count;
    struct ship_decision decision;
    struct short_line *short_lines;
    size_t short_count;
};

static enum sql_verdict refuse(struct shipping *shipping, struct text warehouse_id)
{
    struct step *step = shipping->step;
    switch (shipping->decision.outcome) {
    case SHIP_NOW:
    case SHIP_REPEATED:
    case SHIP_OUT_OF_MEMORY:
        break;
    case SHIP_NOT_FIRM:
        switch (shipping->decision.part_state) {
        case ALLOCATION_TENTATIVE:
        case ALLOCATION_FIRM:
            return step_refuse(step, WAREHOUSE_ALLOCATION_TENTATIVE, (struct text){0});
        case ALLOCATION_SHIPPED:
        case ALLOCATION_RELEASED:
            return step_refuse(step, WAREHOUSE_ALLOCATION_RELEASED, (struct text){0});
        case ALLOCATION_EXPIRED:
            return step_refuse(step, WAREHOUSE_ALLOCATION_EXPIRED, (struct text){0});
        }
        break;
    case SHIP_SHIPPED:
        return step_refuse(step, WAREHOUSE_ALLOCATION_SHIPPED, (struct text){0});
    case SHIP_PART_NOT_FOUND:
        return step_refuse(step, WAREHOUSE_PART_NOT_FOUND, warehouse_id);
    case SHIP_PART_AMBIGUOUS:
        violations_add(&step->command->violations,
                       "must be given: lines are of one part, and there are several",
                       "warehouse_id");
        return step_invalid(step);
    case SHIP_LINES_NOT_HELD:
        violations_add(&step->command->violations,
                       "the part does not hold this SKU in this quantity", "lines[%zu]",
                       shipping->decision.failed);
        return step_invalid(step);
    }
    return step_fail_memory(step);
}

/* Adds a pick to the line's, where it may have one from that place already. */
static void add_pick(struct allocation_line *line, const struct pick *pick)
{
    for (size_t i = 0; i < line->pick_count; i++) {
        struct pick *there = &line->picks[i];
        if (place_equal(there->zone, there->bin, pick->zone, pick->bin) &&
            text_equal(there->lot, pick->lot) && there->expiry_day == pick->expiry_day) {
            there->quantity += pick->quantity;
            return;
        }
    }
    line->picks[line->pick_count++] = *pick;
}

static bool ship_pick(struct shipping *shipping, const struct allocation_part *part,
                      struct allocation_line *line, const struct pick *pick, int64_t *number)
{
    const struct allocation *allocation = shipping->allocation;
    struct movement movement = {
        .movement_id = step_made_id(shipping->step, "allocation", allocation->allocation_id,
                                    part->warehouse_id, (*number)++),
        .type = MOVEMENT_OUTBOUND,
        .warehouse_id = part->warehouse_id,
        .zone = pick->zone,
        .bin = pick->bin,
        .sku = line->sku,
        .lot = pick->lot,
        .expiry_day = pick->expiry_day,
        .quantity = -pick->quantity,
        .reference = allocation->allocation_id,
        .reservation_id = allocation->reservation_id,
        .time_us = shipping->ledger.now_us,
    };
    if (!ledger_post(&shipping->ledger, &movement, (struct text){0}, 0))
        return false;
    add_pick(line, pick);
    line->shipped_quantity += pick->quantity;
    return true;
}

/* Picks and ships a quantity of a line from wherever the filter allows. */
static bool ship_quantity(struct shipping *shipping, const struct allocation_part *part,
                          struct allocation_line *line, const struct pick_filter *filter,
                          int64_t quantity, int64_t *number)
{
    struct ledger_stock *stock = ledger_find(&shipping->ledger, line->sku, part->warehouse_id);
    struct pick *picks;
    size_t count;
    if (!ledger_pick(&shipping->ledger, stock, filter, quantity, INT64_MAX, &picks, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!ship_pick(shipping, part, line, &picks[i], number))
            return false;
    }
    return true;
}

static bool ship_asked_lines(struct shipping *shipping, const struct allocation_part *part,
                             struct allocation_line *line, int64_t *number)
{
    for (size_t i = 0; i < shipping->line_count; i++) {
        const struct ship_line *asked = &shipping->lines[i];
        const struct pick_filter filter = {
            .any_place = asked->zone.size == 0,
            .zone = asked->zone,
            .bin = asked->bin,
            .lot = asked->lot,
        };
        if (text_equal(asked->sku, line->sku) &&
            !ship_quantity(shipping, part, line, &filter, asked->quantity, number))
            return false;
    }
    return true;
}

static bool ship_line(struct shipping *shipping, const struct allocation_part *part,
                      struct allocation_line *line, int64_t *number)
{
    const struct pick_filter anything = {.any_place = true};
    struct ledger_stock *stock = ledger_find(&shipping->ledger, line->sku, part->warehouse_id);
    line->pick_count = 0;
    line->picks = step_allocate(shipping->step, stock->stock.shelf_count + 1, sizeof *line->picks);
    if (line->picks == NULL)
        return false;
    bool good = shipping->line_count == 0
                    ? ship_quantity(shipping, part, line, &anything, line->quantity, number)
                    : ship_asked_lines(shipping, part, line, number);
    if (!good)
        return false;
    stock->stock.allocated -= line->quantity;
    stock->changed = true;
    if (shipping->allocation->reservation_id.size > 0)
        stock->stock.shipped_for_reservations += line->shipped_quantity;
    if (line->shipped_quantity < line->quantity)
        shipping->short_lines[shipping->short_count++] = (struct short_line){
            .warehouse_id = part->warehouse_id,
            .sku = line->sku,
            .allocated_quantity = line->quantity,
            .shipped_quantity = line->shipped_quantity,
        };
    return true;
}

static bool ship_parts(struct shipping *shipping, struct text *warehouse_ids, size_t *count)
{
    struct allocation *allocation = shipping->allocation;
    *count = 0;
    for (size_t i = 0; i < allocation->part_count; i++) {
        struct allocation_part *part = &allocation->parts[i];
        int64_t number = 0;
        if (!shipping->decision.parts[i])
            continue;
        for (size_t k = 0; k < part->line_count; k++) {
            if (!ship_line(shipping, part, &part->lines[k], &number))
                return false;
        }
        part->state = ALLOCATION_SHIPPED;
        part->shipped = shipping->decision.shipped;
        warehouse_ids[(*count)++] = part->warehouse_id;
    }
    return true;
}

static enum sql_verdict ship(struct shipping *shipping)
{
    struct step *step = shipping->step;
    struct allocation *allocation = shipping->allocation;
    size_t lines = 0;
    size_t shipped_count;
    for (size_t i = 0; i < allocation->part_count; i++)
        lines += allocation->parts[i].line_count;
    struct text *shipped = step_allocate(step, allocation->part_count + 1, sizeof *shipped);
    shipping->short_lines = step_allocate(step, lines + 1, sizeof *shipping->short_lines);
    if (shipped == NULL || shipping->short_lines == NULL)
        return SQL_FAIL;
    shipping->ledger.verdict = SQL_FAIL;
    if (!ship_parts(shipping, shipped, &shipped_count) || !ledger_write(&shipping->ledger))
        return shipping->ledger.verdict;
    allocation->state = allocation_state_of_parts(allocation);
    allocation->revision++;
    if (!allocation_update(step, allocation))
        return SQL_FAIL;
    for (size_t i = 0; i < allocation->part_count; i++) {
        if (shipping->decision.parts[i] && !allocation_update_shipped(step, allocation, i))
            return SQL_FAIL;
    }
    const struct warehouse_event event = {
        .type = EVENT_ALLOCATION_SHIPPED,
        .allocation = allocation,
        .warehouse_ids = shipped,
        .warehouse_id_count = shipped_count,
        .short_lines = shipping->short_lines,
        .short_line_count = shipping->short_count,
    };
    if (!allocation_propose_from(&shipping->ledger, allocation) ||
        !allocation_emit(step, &event, shipping->ledger.now_us))
        return SQL_FAIL;
    return SQL_COMMIT;
}

enum sql_verdict ship_allocation_script(struct step *step)
{
    struct ship_allocation_command *command = (struct ship_allocation_command *)step->command;
    struct shipping shipping = {
        .step = step, .ledger.step = step, .allocation = &command->allocation};
    enum sql_verdict verdict;
    struct text content;
    if (!allocation_find(step, command->allocation_id, false, shipping.allocation, &content,
                         &verdict))
        return verdict;
    if (!allocation_lock(&shipping.ledger, step, shipping.allocation, true))
        return shipping.ledger.verdict;
    shipping.line_count = command->line_count;
    shipping.lines = step_allocate(step, command->line_count + 1, sizeof *shipping.lines);
    if (shipping.lines == NULL)
        return SQL_FAIL;
    for (size_t i = 0; i < command->line_count; i++) {
        shipping.lines[i] = command->lines[i];
        shipping.lines[i].index = i;
    }
    shipping.decision = allocation_ship_decide(shipping.allocation, command->warehouse_id,
                                               shipping.lines, &shipping.line_count, step->arena);
    if (shipping.decision.outcome == SHIP_NOW)
        return ship(&shipping);
    if (shipping.decision.outcome == SHIP_REPEATED)
        return allocation_propose(step, shipping.allocation) ? SQL_COMMIT : SQL_FAIL;
    return refuse(&shipping, command->warehouse_id);
}
