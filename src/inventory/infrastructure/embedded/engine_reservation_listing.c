/*
 * One page of reservations, newest first. A page follows one chain through the log: of the order,
 * else of the customer, else of the SKU, else of all. For each first record that fits, the
 * reservation as it is now is looked up by its id: one that is forgotten, or whose id stands for a
 * later one, is passed over. Few pending ones are taken from memory instead, for in a long log they
 * may be far apart.
 *
 * A page ends after so many records were looked at (options.list_examined_max), perhaps with fewer
 * reservations than asked for, so a listing never holds up the engine for longer.
 */
#include "inventory/infrastructure/embedded/engine_commands.h"

#include <stdlib.h>

/* So many pending ones are sorted for a page rather than looked for in the log. */
enum { sorted_pending_max = 4096 };

/* The next record to look at; what it is to be asked. */
struct walk {
    struct engine *engine;
    struct list_reservations_command *command;
    uint64_t position; /* 0 = the end */
};

static enum reservation_list list_of(const struct list_reservations_command *command)
{
    if (command->order_id.size > 0)
        return LIST_ORDER;
    return command->customer_id.size > 0 ? LIST_CUSTOMER : LIST_ANY;
}

static bool follows_sku(const struct list_reservations_command *command)
{
    return command->sku.size > 0 && list_of(command) == LIST_ANY;
}

/* Where the chain begins. */
static uint64_t first_position(const struct walk *walk)
{
    const struct list_reservations_command *command = walk->command;
    const struct engine_state *state = &walk->engine->state;
    if (follows_sku(command)) {
        const struct sku *sku = engine_state_sku(state, command->sku);
        return sku == NULL ? 0 : sku->last_position;
    }
    return reservation_lists_first(&state->lists, list_of(command),
                                   command->order_id.size > 0 ? command->order_id
                                                              : command->customer_id);
}

static bool is_first_record(const struct inventory_record *record)
{
    return record->type == RECORD_RESERVATION && record->change == CHANGE_RESERVED;
}

/* Goes on behind a record, which is in the chain. False if it is in no such chain. */
static bool go_on(struct walk *walk, const struct inventory_record *record)
{
    if (!follows_sku(walk->command)) {
        walk->position = reservation_lists_next(&walk->engine->state.lists, list_of(walk->command),
                                                record, walk->position);
        return is_first_record(record);
    }
    size_t line = engine_find_line(record, walk->command->sku);
    if (line == inventory_record_line_count(record))
        return false;
    walk->position = inventory_record_link(record, line).previous_position;
    return true;
}

static bool fits(const struct list_reservations_command *command,
                 const struct inventory_record *record)
{
    const struct reservation *reservation = &record->reservation;
    return is_first_record(record) &&
           (command->order_id.size == 0 || text_equal(command->order_id, reservation->order_id)) &&
           (command->customer_id.size == 0 ||
            text_equal(command->customer_id, reservation->customer_id)) &&
           (command->sku.size == 0 ||
            engine_find_line(record, command->sku) < reservation->line_count);
}

static bool add(struct list_reservations_command *command, const struct reservation *reservation)
{
    if (command->has_state && reservation->state != command->state)
        return true;
    struct reservation *item = &command->reservations[command->reservation_count];
    if (!engine_copy_reservation(&command->base, reservation, item))
        return false;
    command->reservation_count++;
    return true;
}

/*
 * Adds the reservation that the first record is of, as it is now. `record` is gone after it. False:
 * the command has failed.
 */
static bool add_present(struct walk *walk, const struct inventory_record *record)
{
    char id[inventory_id_bytes_max];
    struct text wanted = text_make(id, record->id.size);
    int64_t create_time_us = record->reservation.create_time_us;
    struct inventory_record present;
    struct id_place place;
    bool found;
    for (size_t i = 0; i < record->id.size; i++)
        id[i] = record->id.data[i];
    struct error error =
        engine_find_record(walk->engine, ID_SPACE_RESERVATION, wanted, &place, &present, &found);
    if (error_is(error)) {
        engine_fail(&walk->command->base, error);
        return false;
    }
    if (!found || present.reservation.create_time_us != create_time_us)
        return true;
    return add(walk->command, &present.reservation);
}

static void walk_chain(struct walk *walk)
{
    struct list_reservations_command *command = walk->command;
    uint64_t last = 0;
    for (uint64_t examined = 0;
         walk->position != 0 && command->reservation_count < command->page_size &&
         examined < walk->engine->options.list_examined_max;
         examined++) {
        struct inventory_record record;
        struct error error = engine_record_at(walk->engine, walk->position, &record);
        bool wanted = !error_is(error) && fits(command, &record);
        last = walk->position;
        if (!error_is(error) && !go_on(walk, &record))
            error = error_make(ERROR_DAMAGED, "record at position %llu is in no list",
                               (unsigned long long)last);
        if (error_is(error)) {
            engine_fail(&command->base, error);
            return;
        }
        if (wanted && !add_present(walk, &record))
            return;
    }
    command->next = walk->position == 0 ? 0 : last;
}

static int compare_newest_first(const void *a, const void *b)
{
    const struct held_reservation *left = *(struct held_reservation *const *)a;
    const struct held_reservation *right = *(struct held_reservation *const *)b;
    return (left->create_position < right->create_position) -
           (left->create_position > right->create_position);
}

/* Pending ones made before `after`, from memory. */
static void sort_pending(struct engine *engine, struct list_reservations_command *command)
{
    struct held_reservation **found =
        arena_allocate(command->base.arena, engine->state.due_count * sizeof(void *));
    size_t count = 0;
    if (found == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    for (size_t i = 0; i < engine->state.due_count; i++) {
        if (command->after == 0 || engine->state.due[i]->create_position < command->after)
            found[count++] = engine->state.due[i];
    }
    if (count > 1)
        qsort(found, count, sizeof found[0], compare_newest_first);
    for (size_t i = 0; i < count && i < command->page_size; i++) {
        struct inventory_record record;
        if (!inventory_record_decode(text_make(found[i]->record, found[i]->record_size),
                                     &engine->lines, &record)) {
            engine_fail(&command->base, error_make(ERROR_DAMAGED, "a pending reservation"));
            return;
        }
        if (!add(command, &record.reservation))
            return;
    }
    command->next = count > command->page_size ? found[command->page_size - 1]->create_position : 0;
}

static bool is_sorted_from_memory(const struct engine *engine,
                                  const struct list_reservations_command *command)
{
    return command->has_state && command->state == RESERVATION_PENDING &&
           list_of(command) == LIST_ANY && command->sku.size == 0 &&
           engine->state.due_count <= sorted_pending_max;
}

/* The place where a page goes on; false if the token is of no list that there is. */
static bool find_place(struct walk *walk)
{
    struct inventory_record record;
    walk->position = walk->command->after;
    if (walk->position >= record_log_end(walk->engine->log))
        return false;
    struct error error = engine_record_at(walk->engine, walk->position, &record);
    return !error_is(error) && go_on(walk, &record);
}

void engine_list_reservations(struct engine *engine, struct list_reservations_command *command)
{
    struct walk walk = {.engine = engine, .command = command};
    command->reservation_count = 0;
    command->next = 0;
    command->reservations =
        arena_allocate(command->base.arena, command->page_size * sizeof *command->reservations);
    if (command->reservations == NULL) {
        engine_out_of_memory(&command->base);
        return;
    }
    if (is_sorted_from_memory(engine, command)) {
        sort_pending(engine, command);
        return;
    }
    if (command->after == 0)
        walk.position = first_position(&walk);
    else if (!find_place(&walk)) {
        engine_refuse(&command->base, INVENTORY_PAGE_TOKEN_INVALID);
        return;
    }
    walk_chain(&walk);
}
