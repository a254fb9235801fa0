/* A small table of standard times, without summer time: an hour matters less than a day. */
#include "shipping/application/origin_date.h"

#include <string.h>
#include <time.h>

static const int64_t second_us = 1000000;

/* Country codes by hours ahead of UTC in their capital. */
static const struct {
    int hours;
    const char *countries; /* each followed by a space */
} zones[] = {
    {-6, "CR GT HN MX NI SV "},
    {-5, "CA CO CU EC PA PE US "},
    {-4, "BO CL DO PR PY VE "},
    {-3, "AR BR UY "},
    {1, "AL AT BA BE CH CZ DE DK DZ ES FR HR HU IT LI LU MC ME MK MT NL NO PL RS SE SI SK SM TN "
        "VA NG MA "},
    {2, "BG CY EE EG FI GR IL LT LV MD RO UA ZA "},
    {3, "BY IQ KE KW QA RU SA TR "},
    {4, "AE AM AZ GE OM "},
    {5, "IN KZ LK PK UZ "},
    {6, "BD "},
    {7, "ID TH VN KH "},
    {8, "CN HK MY PH SG TW MO "},
    {9, "JP KR "},
    {10, "AU "},
    {12, "NZ FJ "},
};

static int64_t offset_seconds(const struct shipping_address *address)
{
    if (address->has_point)
        return (int64_t)address->longitude_e7 * 240 / 10000000;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        for (const char *at = zones[i].countries; *at != '\0'; at += 3) {
            if (address->country_code.size == 2 && memcmp(at, address->country_code.data, 2) == 0)
                return (int64_t)zones[i].hours * 3600;
        }
    }
    return 0;
}

void origin_date(const struct shipping_address *address, int64_t now_us, char date[11])
{
    time_t local = (time_t)(now_us / second_us + offset_seconds(address));
    struct tm parts;
    date[0] = '\0';
    if (gmtime_r(&local, &parts) != NULL)
        strftime(date, 11, "%Y-%m-%d", &parts);
}
