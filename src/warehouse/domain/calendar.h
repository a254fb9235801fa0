#ifndef WAYBILL_WAREHOUSE_DOMAIN_CALENDAR_H
#define WAYBILL_WAREHOUSE_DOMAIN_CALENDAR_H

#include "platform/base/civil_date.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Days of the Gregorian calendar as numbers: 0 is 1970-01-01. As dates they are written
 * YYYY-MM-DD, from 2000-01-01 to 9999-12-31; so 0 can stand for "no date". Pure; any thread.
 */
/* False if it is no such date. */
bool calendar_date_parse(struct text text, int64_t *day);

/* The day as a date; the empty string for 0. */
void calendar_date_format(int64_t day, char out[civil_date_size]);

/* "SUNDAY" … in any case, as civil_weekday counts; false if it is none. */
bool calendar_weekday_parse(struct text text, int *weekday);

/* "HH:MM", 00:00 to 23:59, in minutes of the day. */
bool calendar_time_parse(struct text text, int64_t *minutes);

/*
 * When a warehouse works: today's goods leave today until the cutoff, else on the next day that is
 * not closed.
 */
struct working_days {
    int64_t cutoff_minutes;   /* of the local day; 1440 = midnight */
    unsigned closed_weekdays; /* bit 0 = Sunday */
    const int64_t *closed_dates;
    size_t closed_date_count;
};

/*
 * The first open day from a local day and minute on, if it is at most `within_days` after the
 * present day.
 */
bool working_days_first_open(const struct working_days *working_days, int64_t local_day,
                             int64_t local_minutes, int64_t within_days, int64_t *open_day);

#endif
