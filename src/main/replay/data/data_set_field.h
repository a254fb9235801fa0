#ifndef WAYBILL_MAIN_REPLAY_DATA_DATA_SET_FIELD_H
#define WAYBILL_MAIN_REPLAY_DATA_DATA_SET_FIELD_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Fields of the data set as values. All functions are pure. */

/*
 * A decimal number that is not negative, "780.34", times 10^scale, rounded half up; scale 0 to 7.
 * False: not a number, or larger than 10^15 afterwards.
 */
bool data_set_decimal(struct text text, unsigned scale, int64_t *value);

/* A day, "2-Jun-06" (1970 to 2069), as days since 1970-01-01. False: not one of the calendar. */
bool data_set_day(struct text text, int32_t *day);

#endif
