#ifndef WAYBILL_MAIN_VERIFY_TRACKING_H
#define WAYBILL_MAIN_VERIFY_TRACKING_H

#include <stdbool.h>

/* Whether DIR/tracking is there. */
bool verify_tracking_is_there(const char *directory);

/* Verifies it and prints what was found, as `waybill verify` does. False: it is not good. */
bool verify_tracking(const char *directory, bool json);

#endif
