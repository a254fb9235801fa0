#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_LOG_AUDIT_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_LOG_AUDIT_H

#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "platform/base/buffer.h"

#include <stdbool.h>

/*
 * Reads the log that an embedded store has left, from its first record, and checks what no answer
 * tells: that each change says exactly which states it crossed (StockAlert), both ways, and that
 * StockShortage is said where a count took available below zero, and nowhere else. What a state is
 * it works out by itself. False: a violation, which it then tells.
 */
bool log_audit(const struct embedded_repository_options *options, struct buffer *violation);

#endif
