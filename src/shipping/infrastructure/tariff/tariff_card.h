#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_CARD_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_CARD_H

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Dated tariff cards: what our own carrier `tariff` asks, as files of data
 * (docs/internals/tariff.md has their form). A card holds services from its day on; a service is
 * valid until a later card has it again, with other prices or as withdrawn. Immutable once read;
 * any thread.
 */

/* Sizes and limits of a card; beyond them a file is refused. */
enum {
    tariff_code_bytes_max = 32,
    tariff_services_max = 32, /* codes, of all cards together */
    tariff_zones_max = 32,    /* of a service */
    tariff_steps_max = 8,     /* of a zone */
    tariff_fuel_weeks_max = 2000,
    tariff_cards_max = 256,
    tariff_file_bytes_max = 1024 * 1024,
};

/* A price a kilogram for what is above this weight; the part below keeps the price before. */
struct tariff_step {
    int64_t above_grams;            /* 0 in the first, ascending */
    int64_t per_kilogram_millionth; /* of a minor unit */
};

/* Conditions that are absent hold; the first zone of a service whose conditions hold is taken. */
struct tariff_zone {
    struct text name;
    bool same_country;
    struct text from_countries;  /* "DE FR"; empty = any */
    struct text to_countries;    /* so here */
    int64_t distance_metres_max; /* 0 = any; else both places must be known and not farther apart */
    int64_t base_minor;          /* a parcel, or a consignment if the service goes by that */
    int64_t minimum_minor;       /* of base and weight together */
    struct tariff_step steps[tariff_steps_max];
    size_t step_count;
    int64_t transit_days; /* Monday to Friday */
};

/* A price for something more; < 0 = the service does not have it. */
struct tariff_surcharges {
    int64_t signature_minor;
    int64_t saturday_minor;
    int64_t residential_minor; /* the destination names no company */
    int64_t remote_minor;      /* the destination is in the card's list of remote places */
    int64_t oversize_minor;    /* a parcel beyond oversize_mm */
    int64_t oversize_mm;       /* longest side */
    int64_t insurance_percent_hundredth;
    int64_t insurance_minimum_minor;
};

struct tariff_fuel_week {
    int64_t day; /* a Monday, 0 = 1970-01-01; holds until the next entry */
    int64_t percent_hundredth;
};

/* Postal codes that begin with one of these are remote. */
struct tariff_remote {
    struct text country_code;
    struct text prefixes; /* "995 996 997" */
};

struct tariff_card {
    struct text name;
    int64_t valid_from_day;
    char currency_code[4];
    const struct tariff_fuel_week *fuel;
    size_t fuel_count;
    const struct tariff_remote *remote;
    size_t remote_count;
};

struct tariff_service {
    struct text code;
    struct text title;
    const struct tariff_card *card;
    bool withdrawn;      /* from the card's day on it is not sold */
    bool by_consignment; /* priced and labelled as one piece; else each parcel for itself */
    bool fuel;           /* the card's fuel percentage is added */
    int64_t parcel_grams_max;
    int64_t parcels_max;
    int64_t length_mm_max; /* longest side; 0 = any, as the next */
    int64_t girth_mm_max;  /* longest side + 2 × (the other two) */
    /*
     * Only for what others refuse: a parcel heavier or longer than this, or a consignment heavier
     * than this; 0 = no such reason; all three 0 = for everything.
     */
    int64_t beyond_parcel_grams;
    int64_t beyond_consignment_grams;
    int64_t beyond_length_mm;
    int64_t divisor;    /* cm³ a kilogram of volumetric weight; 0 = none */
    int64_t step_grams; /* the weight is rounded up to a multiple of it; 1 = exact */
    struct tariff_surcharges surcharges;
    const struct tariff_zone *zones;
    size_t zone_count;
};

/* All cards. */
struct tariff;

/* The text of a card and what to call it in errors ("cards/2026.ini"). */
struct tariff_file {
    const char *name;
    struct text text;
};

/*
 * Reads cards; the texts may go afterwards. Errors: INVALID_SETTING with "NAME:LINE: what is
 * wrong", OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error tariff_create(struct tariff **tariff,
                                                               const struct tariff_file *files,
                                                               size_t file_count);

/* The cards in data/tariff when the program was built. Errors: OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error tariff_create_built_in(struct tariff **tariff);

/* Every file of a folder whose name ends in ".ini", instead. Errors: the above, the file system's.
 */
__attribute__((warn_unused_result)) struct error tariff_create_from_directory(
    struct tariff **tariff, struct file_system *fs, const char *path);

/* NULL is allowed. Nobody may use it any more. */
void tariff_destroy(struct tariff *tariff);

/* How many codes there are; services are asked for by index, in the order of the cards. */
size_t tariff_service_count(const struct tariff *tariff);

/* The service valid on that day, or NULL: not yet, or withdrawn. */
const struct tariff_service *tariff_service_on(const struct tariff *tariff, size_t index,
                                               int64_t day);

#endif
