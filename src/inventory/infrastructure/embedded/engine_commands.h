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
void engine_reserve(struct engine *engine, struct reserve_command *command);
void engine_commit(struct engine *engine, struct commit_command *command);
void engine_rollback(struct engine *engine, struct rollback_command *command);
void engine_get_reservation(struct engine *engine, struct get_reservation_command *command);

/* Reads a page of one SKU's ledger (engine_listing.c). */
void engine_list_stock_entries(struct engine *engine, struct list_stock_entries_command *command);

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
