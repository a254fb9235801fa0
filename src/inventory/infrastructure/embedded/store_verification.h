#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_STORE_VERIFICATION_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_STORE_VERIFICATION_H

#include "inventory/infrastructure/embedded/embedded_repository.h"

/*
 * For `waybill verify`: replays a store that no process has open and compares every balance with
 * the ledger, without changing or locking anything. The command needs its arena only; its results
 * are set as VerifyLedger sets them. `options` as for opening; `threaded` and `on_hand_source` are
 * ignored. Errors: DAMAGED with file and offset, NOT_FOUND (there is no store), INPUT_OUTPUT,
 * OUT_OF_MEMORY.
 */
struct error embedded_store_verify(const struct embedded_repository_options *options,
                                   struct verify_ledger_command *command);

#endif
