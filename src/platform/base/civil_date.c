/*
 * By whole 400-year eras of 146,097 days: no tables. Years begin in March, so that the day that
 * comes and goes is their last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
#include "platform/base/civil_date.h"

#include <stdio.h>

/* From the first of March of year 0 to 1970-01-01. */
static const int64_t days_to_1970 = 719468;
static const int64_t era_days = 146097;

int64_t civil_date_to_day(struct civil_date date)
{
    int64_t year = date.month > 2 ? date.year : date.year - 1;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    return era * era_days + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           days_to_1970;
}

struct civil_date civil_date_of_day(int64_t day)
{
    struct civil_date date;
    int64_t shifted = day + days_to_1970;
    int64_t era = (shifted >= 0 ? shifted : shifted - era_days + 1) / era_days;
    int64_t day_of_era = shifted - era * era_days;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    date.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    date.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    date.year = era * 400 + year_of_era + (date.month <= 2);
    return date;
}

bool civil_date_exists(struct civil_date date)
{
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > 31)
        return false;
    return civil_date_of_day(civil_date_to_day(date)).day == date.day; /* else 30 February */
}

bool civil_date_parse(struct text text, int64_t *day)
{
    struct civil_date date;
    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !text_digits(text, 0, 4, &date.year) || !text_digits(text, 5, 2, &date.month) ||
        !text_digits(text, 8, 2, &date.day) || !civil_date_exists(date))
        return false;
    *day = civil_date_to_day(date);
    return true;
}

void civil_date_format(int64_t day, char out[civil_date_size])
{
    struct civil_date date = civil_date_of_day(day);
    snprintf(out, civil_date_size, "%04u-%02u-%02u", (unsigned)date.year % 10000,
             (unsigned)date.month % 100, (unsigned)date.day % 100);
}

int civil_weekday(int64_t day)
{
    int64_t weekday = (day + 4) % 7; /* 1970-01-01 was a Thursday */
    return (int)(weekday < 0 ? weekday + 7 : weekday);
}
