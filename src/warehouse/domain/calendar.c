/* Dates are those of platform/base/civil_date.h; nothing here keeps state or fails. */
#include "warehouse/domain/calendar.h"

#include <strings.h>

static const int64_t first_day = 10957; /* 2000-01-01 */

static const char *const weekday_names[7] = {"SUNDAY",   "MONDAY", "TUESDAY", "WEDNESDAY",
                                             "THURSDAY", "FRIDAY", "SATURDAY"};

bool calendar_date_parse(struct text text, int64_t *day)
{
    int64_t number;
    *day = 0;
    if (!civil_date_parse(text, &number) || number < first_day)
        return false;
    *day = number;
    return true;
}

void calendar_date_format(int64_t day, char out[civil_date_size])
{
    out[0] = '\0';
    if (day != 0)
        civil_date_format(day, out);
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
    if (text.size != 5 || text.data[2] != ':' || !text_digits(text, 0, 2, &hour) ||
        !text_digits(text, 3, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = hour * 60 + minute;
    return true;
}

static bool is_open(const struct working_days *working_days, int64_t day)
{
    if ((working_days->closed_weekdays >> civil_weekday(day) & 1) != 0)
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
