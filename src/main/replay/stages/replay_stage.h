#ifndef WAYBILL_MAIN_REPLAY_STAGES_REPLAY_STAGE_H
#define WAYBILL_MAIN_REPLAY_STAGES_REPLAY_STAGE_H

#include "main/replay/pump/call_pump.h"
#include "main/replay/state/replay_state.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What a replay is made of. A stage is a row of a table: whom it concerns, what it sends, what the
 * answer means; its context is the replay. Stages run one after the other; each takes what the ones
 * before it left. A further context of the product is further rows.
 */
struct replay_stage {
    const char *name;  /* in the progress file */
    const char *title; /* on the display */
    struct pump_work work;
};

/* Stock from inventory itself, where the data set tells of no warehouses (inventory_stages.c). */
extern const struct replay_stage receive_stage;

/* Stock by way of the warehouses (warehouse_stages.c). */
extern const struct replay_stage supply_stages[];
extern const size_t supply_stage_count;

/* Holds and their ends (inventory_stages.c). */
extern const struct replay_stage hold_stages[];
extern const size_t hold_stage_count;

/* What each strategy would do (strategy_stage.c). */
extern const struct replay_stage strategy_stage;

/* From paid to allocated, and from labelled to shipped (warehouse_stages.c). */
extern const struct replay_stage allocate_stage;
extern const struct replay_stage dispatch_stage;

/* From allocated to labelled (consignment_stage.c). */
extern const struct replay_stage consignment_stage;

/* From promised to confirmed, and from shipped to delivered, by fulfillment (order_stages.c). */
extern const struct replay_stage promise_stages[];
extern const size_t promise_stage_count;
extern const struct replay_stage deliver_stage;

/* From shipped to delivered, line by line (tracking_stage.c). */
extern const struct replay_stage tracking_stage;

/* What is kept while an order is at work (consignment_stage.c). */
void replay_release_consignments(struct replay *replay, uint32_t order);

/* What is kept while an order is being delivered (order_stages.c). */
void replay_release_delivery(struct replay *replay, uint32_t order);

#endif
