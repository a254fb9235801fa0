#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_OBSERVATIONS_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_OBSERVATIONS_H

#include "platform/base/buffer.h"
#include "platform/base/hash_map.h"
#include "tests/support/inventory/inventory_call.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What must be so among answers by themselves, whatever the model says:
 *   - revisions of a SKU never run back, and equal revisions mean equal stock. Where an answer
 * about a reservation tells the very next change of a SKU, the stock after it is worked out, so the
 * next reading of that revision must show it;
 *   - a grant that is such a next change takes no more than was available;
 *   - reserved is never negative, nor is a running total but adjusted;
 *   - a reservation that came to its end stays as it is, and none is pending beyond its time;
 *   - VerifyLedger finds no mismatch.
 * Thread: one.
 */
struct observations {
    struct hash_map stocks_by_sku;
    struct observed_stock *stocks; /* the latest of each SKU */
    size_t stock_count;
    struct hash_map reservations_by_id;
    struct observed_reservation *reservations;
    size_t reservation_count;
};

void observations_init(struct observations *observations);
void observations_deinit(struct observations *observations);

/*
 * Looks at one answer, in the order of decision; `now_us` is not after the store's time. False, and
 * `violation` is told, if it contradicts itself or an earlier one.
 */
bool observations_add(struct observations *observations, const struct inventory_call *call,
                      int64_t now_us, struct buffer *violation);

#endif
