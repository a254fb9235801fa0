#ifndef WAYBILL_MAIN_REPLAY_SURVEY_REPLAY_SURVEY_H
#define WAYBILL_MAIN_REPLAY_SURVEY_REPLAY_SURVEY_H

#include "main/replay/state/replay_state.h"
#include "platform/base/error.h"

/*
 * What the services know of this replay, read through their public lists; and at the end, whether
 * that is what the plan wants. They block and run the loop. Errors of the readings: those of
 * call_pump_run, and PROTOCOL for answers that cannot be.
 */

/*
 * Reads the ledgers of all products and takes over what they tell (hold_survey.c): holds,
 * received products; totals and conflicts into the result.
 */
__attribute__((warn_unused_result)) struct error replay_survey_holds(struct replay *replay);

/* Reads all allocations of this replay (shelf_survey.c). */
__attribute__((warn_unused_result)) struct error replay_survey_allocations(struct replay *replay);

/*
 * Reads all orders of this replay (order_survey.c), after the ledgers. Without the service
 * has_fulfillment is false afterwards.
 */
__attribute__((warn_unused_result)) struct error replay_survey_orders(struct replay *replay);

/*
 * Reads all shipments of this replay (shipment_survey.c). Without the service has_shipping is false
 * afterwards.
 */
__attribute__((warn_unused_result)) struct error replay_survey_shipments(struct replay *replay);

/*
 * Reads the trackings of all lines (tracking_survey.c). Without the service has_tracking is false
 * afterwards.
 */
__attribute__((warn_unused_result)) struct error replay_survey_parcels(struct replay *replay);

/* At the end: whether each order is where the plan leaves it (order_survey.c). */
void replay_judge_orders(struct replay *replay);

/* At the end: what lies on the shelves, and the warehouses' own verification (shelf_survey.c). */
__attribute__((warn_unused_result)) struct error replay_judge_shelves(struct replay *replay);

/* At the end: whether every order has its labels (shipment_survey.c). */
void replay_judge_shipments(struct replay *replay);

/* At the end: whether all have arrived (tracking_survey.c). */
void replay_judge_parcels(struct replay *replay);

#endif
