#ifndef WAYBILL_PLATFORM_BASE_GEOGRAPHY_H
#define WAYBILL_PLATFORM_BASE_GEOGRAPHY_H

#include <stdint.h>

/* A place in units of 10^-7 degrees. */
struct geo_point {
    int32_t latitude_e7;  /* ±900000000 */
    int32_t longitude_e7; /* ±1800000000 */
};

/*
 * The great-circle distance by the haversine formula on a sphere of the earth's mean radius
 * 6,371,008.8 m (IUGG R1), rounded to metres. Symmetric. Pure; any thread.
 */
int64_t geography_distance_metres(struct geo_point a, struct geo_point b);

#endif
