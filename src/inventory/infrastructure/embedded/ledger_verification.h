#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_LEDGER_VERIFICATION_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_LEDGER_VERIFICATION_H

#include "inventory/domain/inventory_repository.h"
#include "inventory/infrastructure/embedded/engine_state.h"
#include "platform/storage/record_log.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Recomputes every balance from the ledger's entries and compares: the balances of one instant,
 * copied by the engine, against the records up to that instant, read from disk. It touches nothing
 * of the engine's, so it may run on a thread of its own while the engine goes on.
 */
struct ledger_balance {
    struct text sku; /* views the engine's SKU, which lives as long as the engine */
    struct stock stock;
};

struct ledger_verification {
    struct verify_ledger_command *command;
    struct record_log *log;
    uint64_t end; /* records below it are committed and make up the balances */
    uint64_t hash_seed;
    size_t balance_count;
    struct ledger_balance balances[];
};

/* Copies the balances; the open batch must be empty. NULL without memory. */
struct ledger_verification *ledger_verification_create(struct verify_ledger_command *command,
                                                       struct record_log *log,
                                                       const struct engine_state *state);

/* Does the work, fills the command's results, posts its completion and releases itself. */
void ledger_verification_run(struct ledger_verification *verification);

#endif
