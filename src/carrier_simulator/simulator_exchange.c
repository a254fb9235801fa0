/*
 * Texts, times and parameters in the forms in which requests and answers hold them. Nothing fails:
 * what is too long is cut, what is absent is empty.
 */
#include "carrier_simulator/simulator_exchange.h"

#include <string.h>
#include <time.h>

const char *simulator_carrier_name(enum simulator_carrier carrier)
{
    static const char *const names[] = {"ups", "fedex", "dhl"};
    return names[carrier];
}

void simulator_copy(char *out, size_t size, struct text text)
{
    size_t taken = text.size < size - 1 ? text.size : size - 1;
    if (taken > 0)
        memcpy(out, text.data, taken);
    out[taken] = '\0';
}

static void format_time(int64_t time_us, const char *format, char *out, size_t size)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(out, size, format, &parts);
}

void simulator_date(int64_t time_us, char date[9])
{
    format_time(time_us, "%Y%m%d", date, 9);
}

void simulator_clock(int64_t time_us, char clock[7])
{
    format_time(time_us, "%H%M%S", clock, 7);
}

void simulator_iso(int64_t time_us, char iso[20])
{
    format_time(time_us, "%Y-%m-%dT%H:%M:%S", iso, 20);
}

struct text simulator_parameter(struct text query, const char *name)
{
    size_t size = strlen(name);
    while (query.size > 0) {
        const char *end = memchr(query.data, '&', query.size);
        size_t part = end == NULL ? query.size : (size_t)(end - query.data);
        if (part > size && memcmp(query.data, name, size) == 0 && query.data[size] == '=')
            return text_make(query.data + size + 1, part - size - 1);
        if (end == NULL)
            break;
        query = text_make(end + 1, query.size - part - 1);
    }
    return (struct text){0};
}
