#ifndef WAYBILL_MAIN_REPLAY_DATA_ITEM_WEIGHTS_H
#define WAYBILL_MAIN_REPLAY_DATA_ITEM_WEIGHTS_H

#include "main/replay/data/data_set.h"
#include "platform/base/error.h"

/*
 * What a pack of each product weighs: the median of weight ÷ packs over its lines that were
 * weighed; of a product never weighed, the median over the weighed lines of its group; in whole
 * grams, at least 1 (data/README.md). The mean of the two in the middle where there is no one
 * middle.
 *
 * Sets weight_grams of every product. Errors: INVALID_INPUT (a group without any weighed line),
 * OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error item_weights_fill(struct data_set *data_set,
                                                                   uint32_t *never_weighed);

/* The edge of a cube of that weight at 250 kg/m³, in whole millimetres, rounded up, at least 1. */
int64_t item_edge_mm(int64_t weight_grams);

#endif
