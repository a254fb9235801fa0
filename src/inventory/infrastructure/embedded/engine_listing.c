/*
 * One page of a SKU's ledger. The records of a SKU are a chain through the log, newest first; a
 * page is asked for oldest first. So: start at the nearest checkpoint behind the page (or at the
 * newest record), walk the chain back to the page's beginning, and put each entry at its place by
 * its number. At most sku_checkpoint_interval records are read beyond the page's own.
 */
#include "inventory/infrastructure/embedded/engine_commands.h"

/* The record to walk back from: the first checkpoint at or behind `end`, else the newest record. */
static uint64_t walk_start(const struct sku *sku, uint64_t end)
{
    size_t low = 0;
    size_t high = sku->checkpoint_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sku->checkpoints[middle].entry_number < end)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sku->checkpoint_count ? sku->checkpoints[low].position : sku->last_position;
}

size_t engine_find_line(const struct inventory_record *record, struct text sku)
{
    size_t line = 0;
    while (line < inventory_record_line_count(record) &&
           !(inventory_record_touches(record, line) &&
             text_equal(inventory_record_sku(record, line), sku)))
        line++;
    return line;
}

/* Puts those entries of one record that lie on the page into their places. */
static struct error place_entries(struct list_stock_entries_command *command, uint64_t end,
                                  uint64_t position, const struct inventory_record *record,
                                  size_t line)
{
    struct stock_entry entries[2];
    struct arena *arena = command->base.arena;
    size_t count = inventory_record_entries(record, line, entries);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = inventory_record_link(record, line).entry_number + i;
        if (number < command->after || number >= end)
            continue;
        char *id = arena_format(arena, "%llu-%zu-%zu", (unsigned long long)position, line, i);
        entries[i].entry_id = text_of(id);
        entries[i].time_us = record->time_us;
        entries[i].cause = inventory_record_cause(record);
        entries[i].cause_id = arena_copy_text(arena, inventory_record_cause_id(record));
        if (id == NULL || entries[i].cause_id.data == NULL)
            return error_make(ERROR_OUT_OF_MEMORY, "page of stock entries");
        command->entries[number - command->after] = entries[i];
    }
    return error_none();
}

static struct error walk_back(struct engine *engine, struct list_stock_entries_command *command,
                              const struct sku *sku, uint64_t end)
{
    uint64_t position = walk_start(sku, end);
    uint64_t first = UINT64_MAX; /* number of the first entry of the record walked last */
    while (first > command->after) {
        struct inventory_record record;
        struct error error = engine_record_at(engine, position, &record);
        if (error_is(error))
            return error;
        size_t line = engine_find_line(&record, command->sku);
        if (line == inventory_record_line_count(&record))
            return error_make(ERROR_DAMAGED, "record at position %llu is not in its SKU's chain",
                              (unsigned long long)position);
        error = place_entries(command, end, position, &record, line);
        if (error_is(error))
            return error;
        first = inventory_record_link(&record, line).entry_number;
        position = inventory_record_link(&record, line).previous_position;
    }
    return error_none();
}

void engine_list_stock_entries(struct engine *engine, struct list_stock_entries_command *command)
{
    const struct sku *sku = engine_state_sku(&engine->state, command->sku);
    if (sku == NULL) {
        command->base.outcome = INVENTORY_SKU_NOT_FOUND;
        command->base.failed_sku = command->sku;
        return;
    }
    if (command->after > sku->entry_count) {
        command->base.outcome = INVENTORY_PAGE_TOKEN_INVALID;
        return;
    }
    uint64_t left = sku->entry_count - command->after;
    command->entry_count = left < command->page_size ? (size_t)left : command->page_size;
    command->next = left > command->page_size ? command->after + command->page_size : 0;
    if (command->entry_count == 0)
        return;
    command->entries =
        arena_allocate(command->base.arena, command->entry_count * sizeof *command->entries);
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "page of stock entries");
    if (command->entries != NULL)
        error = walk_back(engine, command, sku, command->after + command->entry_count);
    if (error_is(error))
        engine_fail(&command->base, error);
}
