#ifndef WAYBILL_TESTS_CONTRACT_TRACKING_TRACKING_NOTE_BEHAVIOUR_H
#define WAYBILL_TESTS_CONTRACT_TRACKING_TRACKING_NOTE_BEHAVIOUR_H

#include "tests/support/tracking/tracking_call.h"

/* One note more than a command allows is refused, whatever else there is: on an empty store. */
void tracking_note_behaviour(struct tracking_caller *caller);

#endif
