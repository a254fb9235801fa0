#ifndef WAYBILL_FULFILLMENT_DOMAIN_ORDER_RESULTS_H
#define WAYBILL_FULFILLMENT_DOMAIN_ORDER_RESULTS_H

#include "fulfillment/domain/order_services.h"

/*
 * What the process puts into the order of what calls have brought, and what a step still has to do:
 * the half of order_process.h that knows the record. Pure; texts of a result must live as long as
 * the order.
 */

/* Texts are literals. */
struct order_refusal order_refusal_make(enum order_refusal_kind kind, const char *reason,
                                        const char *message);

/* Steps that are made once for each line, part or parcel; and those of parts and parcels alone. */
bool order_step_is_for_each(enum order_step step);
bool order_step_is_for_parts(enum order_step step);

/* Whether that step has something to do for the part; *item is the parcel. */
bool order_part_needs(const struct order_part *part, enum order_step step, size_t *item);

/* What a part lacks after a short pick, of its lines[i]. */
int64_t order_part_short_quantity(const struct order_part *part, size_t line);

/* shipped_quantity of the lines named. */
void order_take_shipped_lines(struct order_part *part, const struct order_part_line *lines,
                              size_t line_count);

/*
 * Puts what a call has brought into the order, by the order's step. Gives the call's outcome, or
 * what its content makes of it: no rate that fits is CARRIER_REFUSED, another currency REFUSED;
 * then order->refusal says so.
 */
enum order_call_outcome order_take_result(struct order *order, const struct order_call *result,
                                          struct arena *arena);

/*
 * The rate to buy: among those of the currency and of carriers not tried yet, the cheapest, or the
 * one that delivers first (those that do not say come last); then the other way round, then by
 * carrier and service. NULL = none.
 */
const struct order_rate *order_choose_rate(const struct order_rate *rates, size_t rate_count,
                                           const char *currency, enum order_rule rule,
                                           const struct order_part *part);

/* The part's carrier is not asked again; the next shipment has an id of its own. False: too many,
 * or no memory. */
bool order_exclude_carrier(struct order *order, struct order_part *part, struct arena *arena);

/* What cannot be given back goes into attention_reason; the part is dealt with. */
void order_note_loss(struct order *order, const struct order_call *result, struct arena *arena);

/* "LABEL of part 1 at W1: …" */
struct text order_attention_text(const struct order *order, const char *step,
                                 const struct order_call *result, struct arena *arena);

#endif
