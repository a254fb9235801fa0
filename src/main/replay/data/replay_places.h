#ifndef WAYBILL_MAIN_REPLAY_DATA_REPLAY_PLACES_H
#define WAYBILL_MAIN_REPLAY_DATA_REPLAY_PLACES_H

#include "main/replay/data/data_set.h"
#include "platform/base/error.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where the goods of a data set come from and go to, and what sending costs: three small tables
 * beside it (data/README.md). Read only after the making; texts live with it.
 *
 *     sites.csv       site, warehouse_id, place, country_code, latitude, longitude; the site
 *                     "From RDC" stands for each distribution centre
 *     places.csv      country, country_code, place, latitude, longitude
 *     cost_cards.csv  kind (centre, site), valid_from, handling, parcel_grams_max,
 *                     distance_metres_max, base, per_kilogram; bands in rising order
 */
enum {
    replay_warehouses_max = 1000,
    replay_warehouse_id_bytes_max = 24,
    replay_countries_max = 300,
    replay_bands_max = 20,
};

struct replay_place {
    const char *place;
    const char *country_code;
    int32_t latitude_e7;
    int32_t longitude_e7;
};

struct replay_warehouse {
    struct text site;
    const char *warehouse_id;
    struct replay_place place;
    bool is_centre;
};

struct replay_country {
    struct text country;
    struct replay_place place;
};

/* Money in cents of a US dollar. */
struct replay_band {
    int64_t distance_metres_max;
    int64_t base_minor;
    int64_t per_kilogram_minor;
};

struct replay_cost_card {
    char valid_from[11]; /* "2006-01-01" */
    int64_t handling_minor;
    int64_t parcel_grams_max;
    struct replay_band bands[replay_bands_max];
    size_t band_count;
};

struct replay_places {
    struct arena arena;
    struct replay_warehouse *warehouses; /* centres first, then by warehouse_id as in the file */
    struct replay_country *countries;
    size_t warehouse_count;
    size_t centre_count;
    size_t country_count;
    struct replay_cost_card cards[2]; /* of a site, of a centre: cards[is_centre] */
    uint32_t *warehouse_of_site;      /* by the data set's sites */
    uint32_t *country_of_country;     /* place in `countries` by the data set's countries */
};

/*
 * Reads the three tables from the folder and finds every site and country of the data set in them.
 * Errors: INVALID_INPUT "FILE:LINE: COLUMN: problem", or what the data set names and no table has;
 * the file system's; OUT_OF_MEMORY. On an error there is nothing to release.
 */
__attribute__((warn_unused_result)) struct error replay_places_read(
    struct replay_places *places, struct file_system *file_system, const char *folder,
    const struct data_set *data_set);

void replay_places_deinit(struct replay_places *places);

#endif
