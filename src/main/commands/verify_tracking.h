#ifndef WAYBILL_MAIN_COMMANDS_VERIFY_TRACKING_H
#define WAYBILL_MAIN_COMMANDS_VERIFY_TRACKING_H

#include "platform/base/error.h"

#include <stdbool.h>

/* Whether DIR/tracking is there. */
bool verify_tracking_is_there(const char *directory);

/*
 * Verifies it and prints what was found, as `waybill verify` does; *good: nothing is wrong. Errors,
 * which the caller tells: LOCKED and what embedded_tracking_verify says.
 */
__attribute__((warn_unused_result)) struct error verify_tracking(const char *directory, bool json,
                                                                 bool *good);

#endif
