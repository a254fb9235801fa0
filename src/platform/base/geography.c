/* The only place beside statistics with floating point (DESIGN section 3 rule 7). */
#include "platform/base/geography.h"

#include <math.h>

static const double earth_radius_metres = 6371008.8;

static double radians(int64_t degrees_e7)
{
    return (double)degrees_e7 * (M_PI / 180.0 / 1e7);
}

int64_t geography_distance_metres(struct geo_point a, struct geo_point b)
{
    double latitude_half = sin(radians((int64_t)b.latitude_e7 - (int64_t)a.latitude_e7) / 2);
    double longitude_half = sin(radians((int64_t)b.longitude_e7 - (int64_t)a.longitude_e7) / 2);
    double haversine = latitude_half * latitude_half + cos(radians(a.latitude_e7)) *
                                                           cos(radians(b.latitude_e7)) *
                                                           longitude_half * longitude_half;
    if (haversine > 1)
        haversine = 1; /* antipodes, by rounding */
    return llround(2 * earth_radius_metres * asin(sqrt(haversine)));
}
