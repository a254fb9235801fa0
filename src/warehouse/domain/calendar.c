/*
 * Civil dates to day numbers by whole 400-year eras (146,097 days each): no tables, no time zone.
 */
#include "warehouse/domain/calendar.h"

#include <stdio.h>
#include <strings.h>

static const char *const weekday_names[7] = {"SUNDAY",   "MONDAY", "TUESDAY", "WEDNESDAY",
                                             "THURSDAY", "FRIDAY", "SATURDAY"};

/* Years begin in March, so that the day that comes and goes is their last. */
static int64_t day_of(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month > 2 ? year : year - 1;
    int64_t era = shifted / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void date_of(int64_t number, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t shifted = number + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = era * 400 + year_of_era + (*month <= 2);
}

/* The digits of text[from, from + count) as a number; false if one is no digit. */
static bool read_digits(struct text text, size_t from, size_t count, int64_t *value)
{
    *value = 0;
    for (size_t i = from; i < from + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *value = *value * 10 + (text.data[i] - '0');
    }
    return true;
}

bool calendar_date_parse(struct text text, int64_t *day)
{
    int64_t year, month, day_of_month;
    *day = 0;
    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !read_digits(text, 0, 4, &year) || !read_digits(text, 5, 2, &month) ||
        !read_digits(text, 8, 2, &day_of_month))
        return false;
    if (year < 2000 || month < 1 || month > 12 || day_of_month < 1 || day_of_month > 31)
        return false;
    int64_t number = day_of(year, month, day_of_month);
    int64_t year_again, month_again, day_again;
    date_of(number, &year_again, &month_again, &day_again);
    if (day_again != day_of_month)
        return false; /* 30 February */
    *day = number;
    return true;
}

void calendar_date_format(int64_t day, char out[calendar_date_size])
{
    int64_t year, month, day_of_month;
    char digits[64];
    out[0] = '\0';
    if (day == 0)
        return;
    date_of(day, &year, &month, &day_of_month);
    snprintf(digits, sizeof digits, "%04lld-%02lld-%02lld", (long long)year, (long long)month,
             (long long)day_of_month);
    snprintf(out, calendar_date_size, "%.10s", digits);
}

int calendar_weekday(int64_t day)
{
    int64_t weekday = (day + 4) % 7; /* 1970-01-01 was a Thursday */
    return (int)(weekday < 0 ? weekday + 7 : weekday);
}

bool calendar_weekday_parse(struct text text, int *weekday)
{
    for (int i = 0; i < 7; i++) {
        const char *name = weekday_names[i];
        if (text.size == text_of(name).size && strncasecmp(text.data, name, text.size) == 0) {
            *weekday = i;
            return true;
        }
    }
    return false;
}

bool calendar_time_parse(struct text text, int64_t *minutes)
{
    int64_t hour, minute;
    if (text.size != 5 || text.data[2] != ':' || !read_digits(text, 0, 2, &hour) ||
        !read_digits(text, 3, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = hour * 60 + minute;
    return true;
}

static bool is_open(const struct working_days *working_days, int64_t day)
{
    if ((working_days->closed_weekdays >> calendar_weekday(day) & 1) != 0)
        return false;
    for (size_t i = 0; i < working_days->closed_date_count; i++) {
        if (working_days->closed_dates[i] == day)
            return false;
    }
    return true;
}

bool working_days_first_open(const struct working_days *working_days, int64_t local_day,
                             int64_t local_minutes, int64_t within_days, int64_t *open_day)
{
    int64_t first = local_minutes < working_days->cutoff_minutes ? local_day : local_day + 1;
    for (int64_t day = first; day <= local_day + within_days; day++) {
        if (is_open(working_days, day)) {
            *open_day = day;
            return true;
        }
    }
    return false;
}
