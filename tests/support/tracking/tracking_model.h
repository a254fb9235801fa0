#ifndef WAYBILL_TESTS_SUPPORT_TRACKING_TRACKING_MODEL_H
#define WAYBILL_TESTS_SUPPORT_TRACKING_TRACKING_MODEL_H

#include "platform/base/clock.h"
#include "tracking/domain/tracking_repository.h"

/*
 * Tracking said a second time, as plainly as can be: lists of numbers, generations and events, all
 * sorted anew for every answer. It shares no decision with the domain. Thread: one; each call is
 * decided at once and answered through its executor.
 */
struct tracking_model;

/* Never fails: without memory it aborts. Pings older than the retention tell nothing. */
struct tracking_model *tracking_model_create(struct clock *clock, int64_t ping_retention_us,
                                             int64_t generation_gap_us);
void tracking_model_destroy(struct tracking_model *model);

struct tracking_repository *tracking_model_port(struct tracking_model *model);

#endif
