#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_MODEL_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_MODEL_H

#include "fulfillment/domain/fulfillment_event.h"
#include "fulfillment/domain/fulfillment_repository.h"
#include "platform/base/clock.h"

#include <stddef.h>

/*
 * Fulfillment's books said a second time, as plainly as can be: lists of records and linear search.
 * What a request or a signal does to an order is the domain's (order_process.h); claims, leases,
 * what is due, expiry, revisions, positions and events are said here anew. It is a repository
 * itself, so the contract suite holds it to the same behaviour.
 *
 * Each command is decided at once and answered through its executor. Without memory it aborts.
 * Thread: one.
 */
struct fulfillment_model;

/* `encode` may be NULL: then events have no data. */
struct fulfillment_model *fulfillment_model_create(struct clock *clock,
                                                   fulfillment_event_encode *encode);
void fulfillment_model_destroy(struct fulfillment_model *model);

struct fulfillment_repository *fulfillment_model_port(struct fulfillment_model *model);

/* Nobody drives anything now. */
void fulfillment_model_release_claims(struct fulfillment_model *model);

/* What went out, in order; texts live as long as the model. */
struct fulfillment_model_event {
    const char *type; /* "OrderPromised" */
    struct text key;
    int64_t revision;
    int64_t time_us;
    struct text data;
};
size_t fulfillment_model_event_count(const struct fulfillment_model *model);
const struct fulfillment_model_event *fulfillment_model_event(const struct fulfillment_model *model,
                                                              size_t index);

#endif
