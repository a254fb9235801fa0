#ifndef WAYBILL_MAIN_COMMANDS_RECONCILE_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_RECONCILE_COMMAND_H

/*
 * `waybill reconcile [--repair] [--server HOST:PORT] [--inventory …] [--warehouse …]
 * [--wait SECONDS] [--json]`: compares inventory's books with warehouse's shelves by the public
 * interface (DESIGN section 2), SKU by SKU:
 *
 *     on_hand + committed − returned − shipped_for_reservations = Σ shelves + in transit
 *
 * Inventory follows the shelves with a delay, so a difference counts as drift only when it is the
 * same in every reading for --wait seconds. --repair posts each drift to inventory as an
 * adjustment with reason CORRECTION at the revision read, so what changes meanwhile is left alone.
 * Exit: 0 no drift, or all of it repaired; 1 drift; 64 + the gRPC status code if a call failed; 2
 * for wrong arguments.
 */
int reconcile_command(int argc, char **argv);

#endif
