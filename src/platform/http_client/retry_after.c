/*
 * Each form of a date has its parts at fixed places, so it is read by place and by size; nothing
 * depends on the process's locale. What is not read is 0 or false, and the caller's own guess takes
 * its place.
 */
#include "platform/http_client/retry_after.h"

#include "platform/base/civil_date.h"

#include <string.h>

static const int64_t second_us = 1000000;
static const int64_t day_seconds = 86400;

static bool has(struct text text, size_t at, const char *part)
{
    size_t size = strlen(part);
    return text.size >= size && at <= text.size - size && memcmp(text.data + at, part, size) == 0;
}

/* 1 to 12; 0 = there is none. */
static int64_t month_at(struct text text, size_t at)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (has(text, at, names[i]))
            return (int64_t)i + 1;
    }
    return 0;
}

/* "08:49:37"; 60 is a leap second. */
static bool clock_at(struct text text, size_t at, int64_t *seconds)
{
    int64_t hour, minute, second;
    if (!text_digits(text, at, 2, &hour) || !has(text, at + 2, ":") ||
        !text_digits(text, at + 3, 2, &minute) || !has(text, at + 5, ":") ||
        !text_digits(text, at + 6, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_fixed(struct text text, struct civil_date *date, int64_t *seconds)
{
    date->month = month_at(text, 8);
    return text.size == 29 && has(text, 3, ", ") && text_digits(text, 5, 2, &date->day) &&
           has(text, 7, " ") && has(text, 11, " ") && text_digits(text, 12, 4, &date->year) &&
           has(text, 16, " ") && clock_at(text, 17, seconds) && has(text, 25, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(struct text text, struct civil_date *date, int64_t *seconds)
{
    bool one_digit = has(text, 8, " ");
    date->month = month_at(text, 4);
    return text.size == 24 && has(text, 3, " ") && has(text, 7, " ") &&
           text_digits(text, one_digit ? 9 : 8, one_digit ? 1 : 2, &date->day) &&
           has(text, 10, " ") && clock_at(text, 11, seconds) && has(text, 19, " ") &&
           text_digits(text, 20, 4, &date->year);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool read_rfc850(struct text text, int64_t this_year, struct civil_date *date,
                        int64_t *seconds)
{
    const char *comma = text.size == 0 ? NULL : memchr(text.data, ',', text.size);
    size_t at = comma == NULL ? 0 : (size_t)(comma - text.data);
    date->month = month_at(text, at + 5);
    if (comma == NULL || text.size != at + 24 || !has(text, at, ", ") ||
        !text_digits(text, at + 2, 2, &date->day) || !has(text, at + 4, "-") ||
        !has(text, at + 8, "-") || !text_digits(text, at + 9, 2, &date->year) ||
        !has(text, at + 11, " ") || !clock_at(text, at + 12, seconds) ||
        !has(text, at + 20, " GMT"))
        return false;
    date->year += this_year / 100 * 100;
    if (date->year > this_year + 50)
        date->year -= 100;
    return true;
}

bool http_date_read(struct text text, int64_t now_us, int64_t *time_us)
{
    int64_t this_year = civil_date_of_day(now_us / second_us / day_seconds).year, seconds;
    struct civil_date date;
    if ((!read_fixed(text, &date, &seconds) && !read_asctime(text, &date, &seconds) &&
         !read_rfc850(text, this_year, &date, &seconds)) ||
        date.month == 0 || !civil_date_exists(date))
        return false;
    *time_us = (civil_date_to_day(date) * day_seconds + seconds) * second_us;
    return true;
}

int64_t http_retry_after_us(struct text retry_after, struct text date, int64_t now_us)
{
    struct text value = text_trim(retry_after);
    int64_t seconds, at_us, from_us;
    if (text_is_digits(value)) /* what does not fit into 64 bits is more than a day, too */
        return text_to_int64(value, &seconds) && seconds < day_seconds ? seconds * second_us
                                                                       : HTTP_RETRY_AFTER_US_MAX;
    if (!http_date_read(value, now_us, &at_us))
        return 0;
    if (!http_date_read(text_trim(date), now_us, &from_us))
        from_us = now_us;
    int64_t wait_us = at_us - from_us;
    if (wait_us <= 0)
        return 0;
    return wait_us < HTTP_RETRY_AFTER_US_MAX ? wait_us : HTTP_RETRY_AFTER_US_MAX;
}
