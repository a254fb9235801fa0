/*
 * Each text is made in its own small array, which is returned by value.
 */
#include "main/replay/report/number_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct number_text number_text_of_count(int64_t count)
{
    struct number_text text;
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)count);
    char *to = text.string;
    for (const char *from = digits; *from != '\0'; from++) {
        *to++ = *from;
        size_t left = strlen(from) - 1;
        if (*from != '-' && left > 0 && left % 3 == 0)
            *to++ = ',';
    }
    *to = '\0';
    return text;
}

struct number_text number_text_of_money(int64_t amount_minor)
{
    struct number_text whole = number_text_of_count(amount_minor / 100);
    int64_t cents = amount_minor % 100;
    struct number_text text;
    snprintf(text.string, sizeof text.string, "%.36s.%c%c", whole.string,
             (char)('0' + (cents < 0 ? -cents : cents) / 10),
             (char)('0' + (cents < 0 ? -cents : cents) % 10));
    return text;
}

struct number_text number_text_of_duration(int64_t duration_us)
{
    struct number_text text;
    if (duration_us < 1000)
        snprintf(text.string, sizeof text.string, "%lld µs", (long long)duration_us);
    else if (duration_us < 1000000)
        snprintf(text.string, sizeof text.string, "%.1f ms", (double)duration_us / 1e3);
    else
        snprintf(text.string, sizeof text.string, "%.1f s", (double)duration_us / 1e6);
    return text;
}

struct number_text number_text_of_time(int64_t time_us)
{
    struct number_text text;
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text.string, sizeof text.string, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        snprintf(text.string, sizeof text.string, "an unknown time");
    return text;
}
