#ifndef WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_MODEL_H
#define WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_MODEL_H

#include "platform/base/clock.h"
#include "shipping/domain/shipping_event.h"
#include "shipping/domain/shipping_repository.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Shipping's books said a second time, as plainly as can be: lists of records and linear search. It
 * shares no decision with the domain. It is a repository itself, so the contract suite holds it to
 * the same behaviour, and use cases can be tried on it without a database.
 *
 * Each command is decided at once and answered through its executor. Without memory it aborts.
 * Thread: one.
 */
struct shipping_model;

/* `encode` may be NULL: then events have no data. */
struct shipping_model *shipping_model_create(struct clock *clock, shipping_event_encode *encode);
void shipping_model_destroy(struct shipping_model *model);

struct shipping_repository *shipping_model_port(struct shipping_model *model);

/*
 * The next command of that kind fails with that error, once; `is_done`: after it was done, as when
 * the answer is lost.
 */
void shipping_model_fail_next(struct shipping_model *model, enum shipping_command_kind kind,
                              enum error_code code, bool is_done);

/* What went out, in order; texts live as long as the model. */
struct shipping_model_event {
    enum shipping_event_type type;
    struct text key;
    struct text event_id;
    struct text data;
};
size_t shipping_model_event_count(const struct shipping_model *model);
const struct shipping_model_event *shipping_model_event(const struct shipping_model *model,
                                                        size_t index);

#endif
