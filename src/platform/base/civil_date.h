#ifndef WAYBILL_PLATFORM_BASE_CIVIL_DATE_H
#define WAYBILL_PLATFORM_BASE_CIVIL_DATE_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Days of the proleptic Gregorian calendar (ISO 8601) as numbers: 0 is 1970-01-01. No time zone.
 * Pure; any thread.
 */
struct civil_date {
    int64_t year;
    int64_t month; /* 1 to 12 */
    int64_t day;   /* of the month */
};

/* Whether there is such a day in the years 1 to 9999: not 30 February. Any numbers. */
bool civil_date_exists(struct civil_date date);

/* The number of a date, also outside those years, and back. */
int64_t civil_date_to_day(struct civil_date date);
struct civil_date civil_date_of_day(int64_t day);

/* "YYYY-MM-DD", from 0001-01-01 on. False: it is none, and `day` is left. */
bool civil_date_parse(struct text text, int64_t *day);

/* The same way, for the years 0 to 9999. */
enum { civil_date_size = 11 }; /* with the NUL behind it */
void civil_date_format(int64_t day, char out[civil_date_size]);

/* 0 = Sunday … 6 = Saturday. */
int civil_weekday(int64_t day);

#endif
