#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_ENGINE_COMMANDS_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_ENGINE_COMMANDS_H

#include "inventory/infrastructure/embedded/engine.h"

/*
 * One function a command, called by engine_execute within a step, and what they share. A command
 * ends with an outcome (engine_refuse…, DONE if nothing is said) or an error (engine_fail).
 */
void engine_receive_stock(struct engine *engine, struct receive_stock_command *command);
void engine_adjust_stock(struct engine *engine, struct adjust_stock_command *command);
void engine_set_stock_policy(struct engine *engine, struct set_stock_policy_command *command);
void engine_get_stock(struct engine *engine, struct get_stock_command *command);
void engine_batch_get_stock(struct engine *engine, struct batch_get_stock_command *command);
void engine_list_stock(struct engine *engine, struct list_stock_command *command);
void engine_follow_shelf(struct engine *engine, struct follow_shelf_command *command);
void engine_get_shelf_place(struct engine *engine, struct get_shelf_place_command *command);
void engine_reserve(struct engine *engine, struct reserve_command *command);
void engine_commit(struct engine *engine, struct commit_command *command);
void engine_rollback(struct engine *engine, struct rollback_command *command);
void engine_extend_reservation(struct engine *engine, struct extend_reservation_command *command);
void engine_return_stock(struct engine *engine, struct return_stock_command *command);
void engine_list_reservations(struct engine *engine, struct list_reservations_command *command);
void engine_get_reservation(struct engine *engine, struct get_reservation_command *command);

/* Reads a page of one SKU's ledger (engine_listing.c). */
void engine_list_stock_entries(struct engine *engine, struct list_stock_entries_command *command);

/*
 * Moves an expired reservation, whose record is decoded from `position`, to COMMITTED, or answers
 * that not all of `committed` (a quantity a line) is free (engine_resolved_commands.c).
 */
void engine_retake(struct engine *engine, struct commit_command *command, uint64_t position,
                   struct inventory_record *record, const int64_t *committed);

/*
 * Finds a reservation; its texts view the store. False if the command is answered: it is unknown,
 * or cannot be read.
 */
bool engine_find_reservation(struct engine *engine, struct inventory_command *command,
                             struct text id, struct id_place *place,
                             struct inventory_record *record);

/* A copy that lives with the command; false without memory, then the command has failed. */
bool engine_copy_reservation(struct inventory_command *command, const struct reservation *from,
                             struct reservation *to);

/* The line whose change of this SKU the record is; the number of lines if there is none. */
size_t engine_find_line(const struct inventory_record *record, struct text sku);

/* Refuses what a reservation in this state does not allow. */
void engine_refuse_by_state(struct inventory_command *command, enum reservation_state state);

void engine_refuse(struct inventory_command *command, enum inventory_outcome outcome);
void engine_refuse_sku(struct inventory_command *command, enum inventory_outcome outcome,
                       struct text sku);

/* The command ends with OUT_OF_MEMORY; false, for callers that answer with it. */
bool engine_out_of_memory(struct inventory_command *command);

/*
 * Room for one more id, in memory and within the bound that retention promises; false if there is
 * none, then the command has failed with why.
 */
bool engine_reserve_id(struct engine *engine, struct inventory_command *command);

#endif
