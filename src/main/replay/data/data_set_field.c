/* Plain scanning; what is not exactly of the form is refused. */
#include "main/replay/data/data_set_field.h"

#include "platform/base/civil_date.h"

#include <string.h>

static const int64_t value_max = INT64_C(1000000000000000);

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool data_set_decimal(struct text text, unsigned scale, int64_t *value)
{
    int64_t number = 0;
    size_t at = 0;
    unsigned places = 0;
    bool rounds_up = false;
    for (; at < text.size && is_digit(text.data[at]); at++) {
        number = number * 10 + (text.data[at] - '0');
        if (number > value_max)
            return false;
    }
    bool has_number = at > 0;
    if (at < text.size && text.data[at] == '.') {
        for (at++; at < text.size && is_digit(text.data[at]); at++) {
            if (places < scale)
                number = number * 10 + (text.data[at] - '0');
            else if (places == scale)
                rounds_up = text.data[at] >= '5';
            places++;
            if (number > value_max)
                return false;
        }
        has_number = has_number && places > 0;
    }
    if (!has_number || at != text.size)
        return false;
    for (; places < scale; places++)
        number *= 10;
    number += rounds_up;
    *value = number;
    return number <= value_max;
}

bool data_set_day(struct text text, int32_t *day)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    size_t at = 0;
    int32_t number = 0;
    for (; at < text.size && at < 2 && is_digit(text.data[at]); at++)
        number = number * 10 + (text.data[at] - '0');
    if (at == 0 || text.size != at + 7 || text.data[at] != '-' || text.data[at + 4] != '-' ||
        !is_digit(text.data[at + 5]) || !is_digit(text.data[at + 6]))
        return false;
    int32_t year = (text.data[at + 5] - '0') * 10 + (text.data[at + 6] - '0');
    year += year < 70 ? 2000 : 1900;
    int32_t month = 1;
    while (month <= 12 && memcmp(months + (month - 1) * 3, text.data + at + 1, 3) != 0)
        month++;
    struct civil_date date = {year, month, number};
    if (!civil_date_exists(date))
        return false;
    *day = (int32_t)civil_date_to_day(date);
    return true;
}
