#ifndef WAYBILL_TESTS_CONTRACT_TRACKING_TRACKING_IDLE_BEHAVIOUR_H
#define WAYBILL_TESTS_CONTRACT_TRACKING_TRACKING_IDLE_BEHAVIOUR_H

#include "tests/support/tracking/tracking_call.h"

#include <stdint.h>

/* Those on their way are listed by when they were heard of last: on an empty store. */
void tracking_idle_behaviour(struct tracking_caller *caller, int64_t now_us);

#endif
