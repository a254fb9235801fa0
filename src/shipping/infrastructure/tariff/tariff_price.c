/*
 * The order of the lines: base, weight, what lacks to the minimum, surcharges, fuel on all of
 * these, insurance. What would leave the range of amounts is not offered; the products before that
 * fit 128 bits by the limits of cards and consignments (2 × 10^10 g × 10^17 × 10^4).
 */
#include "shipping/infrastructure/tariff/tariff_price.h"

#include "platform/base/geography.h"
#include "shipping/domain/limits.h"
#include "shipping/infrastructure/tariff/tariff_day.h"

/* One minor unit; a millionth of it a kilogram is 10^-9 a gram, and 10^-4 of that its fuel. */
static const int64_t unit = INT64_C(10000000000000);
static const int64_t delivery_us_of_day = INT64_C(18) * 3600 * 1000000;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* -------------------------------------------------------------------------------------- facts */

static int64_t longest(const struct shipping_parcel *parcel)
{
    return larger(parcel->length_mm, larger(parcel->width_mm, parcel->height_mm));
}

bool tariff_facts_of(const struct consignment *consignment, struct tariff_facts *facts)
{
    const struct shipping_address *from = &consignment->origin, *to = &consignment->destination;
    *facts = (struct tariff_facts){.consignment = consignment, .distance_metres = -1};
    if (!tariff_day_of(text_of(consignment->ship_date), &facts->day))
        return false;
    facts->same_country =
        from->country_code.size > 0 && text_equal(from->country_code, to->country_code);
    if (from->has_point && to->has_point)
        facts->distance_metres =
            geography_distance_metres((struct geo_point){from->latitude_e7, from->longitude_e7},
                                      (struct geo_point){to->latitude_e7, to->longitude_e7});
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        const struct shipping_parcel *parcel = &consignment->parcels[i];
        int64_t side = longest(parcel);
        int64_t others = (int64_t)parcel->length_mm + parcel->width_mm + parcel->height_mm - side;
        facts->grams += parcel->weight_grams;
        facts->heaviest_grams = larger(facts->heaviest_grams, parcel->weight_grams);
        facts->longest_mm = larger(facts->longest_mm, side);
        facts->girthest_mm = larger(facts->girthest_mm, side + 2 * others);
    }
    return true;
}

/* ------------------------------------------------------------------------- what may go, where */

static bool list_has(struct text list, struct text word)
{
    for (size_t at = 0; at + word.size <= list.size && word.size > 0; at++) {
        bool begins = at == 0 || list.data[at - 1] == ' ' || list.data[at - 1] == '\t';
        size_t end = at + word.size;
        bool ends = end == list.size || list.data[end] == ' ' || list.data[end] == '\t';
        if (begins && ends && memcmp(list.data + at, word.data, word.size) == 0)
            return true;
    }
    return false;
}

static const struct tariff_zone *find_zone(const struct tariff_service *service,
                                           const struct tariff_facts *facts)
{
    struct text from = facts->consignment->origin.country_code;
    struct text to = facts->consignment->destination.country_code;
    for (size_t i = 0; i < service->zone_count; i++) {
        const struct tariff_zone *zone = &service->zones[i];
        if ((zone->same_country && !facts->same_country) ||
            (zone->from_countries.size > 0 && !list_has(zone->from_countries, from)) ||
            (zone->to_countries.size > 0 && !list_has(zone->to_countries, to)))
            continue;
        if (zone->distance_metres_max == 0 ||
            (facts->distance_metres >= 0 && facts->distance_metres <= zone->distance_metres_max))
            return zone;
    }
    return NULL;
}

static enum tariff_verdict may_go(const struct tariff_service *service,
                                  const struct tariff_facts *facts)
{
    const struct shipping_options *options = &facts->consignment->options;
    const struct tariff_surcharges *more = &service->surcharges;
    bool insured = options->insured_value.currency_code[0] != '\0';
    bool beyond = (service->beyond_parcel_grams > 0 &&
                   facts->heaviest_grams > service->beyond_parcel_grams) ||
                  (service->beyond_consignment_grams > 0 &&
                   facts->grams > service->beyond_consignment_grams) ||
                  (service->beyond_length_mm > 0 && facts->longest_mm > service->beyond_length_mm);
    bool for_everything = service->beyond_parcel_grams == 0 &&
                          service->beyond_consignment_grams == 0 && service->beyond_length_mm == 0;
    if ((int64_t)facts->consignment->parcel_count > service->parcels_max)
        return TARIFF_TOO_MANY_PARCELS;
    if (facts->heaviest_grams > service->parcel_grams_max)
        return TARIFF_TOO_HEAVY;
    if ((service->length_mm_max > 0 && facts->longest_mm > service->length_mm_max) ||
        (service->girth_mm_max > 0 && facts->girthest_mm > service->girth_mm_max))
        return TARIFF_TOO_LARGE;
    if (!beyond && !for_everything)
        return TARIFF_NOT_BEYOND;
    if (options->saturday && more->saturday_minor < 0)
        return TARIFF_NO_SATURDAY;
    if (options->signature && more->signature_minor < 0)
        return TARIFF_NO_SIGNATURE;
    if (insured && (more->insurance_percent_hundredth < 0 ||
                    memcmp(options->insured_value.currency_code, service->card->currency_code, 4)))
        return TARIFF_NO_INSURANCE;
    return TARIFF_OFFERED;
}

/* ------------------------------------------------------------------------------------- weights */

static int64_t volumetric_grams(const struct tariff_service *service,
                                const struct shipping_parcel *parcel)
{
    if (service->divisor == 0)
        return 0;
    /* 1 mm³ over a divisor in cm³ a kilogram is a gram. At most 10^15 mm³. */
    int64_t volume = (int64_t)parcel->length_mm * parcel->width_mm * parcel->height_mm;
    return (volume + service->divisor - 1) / service->divisor;
}

static int64_t stepped(const struct tariff_service *service, int64_t grams)
{
    return (grams + service->step_grams - 1) / service->step_grams * service->step_grams;
}

/* In 10^-13 minor units. */
static __int128 weight_price(const struct tariff_zone *zone, int64_t grams)
{
    __int128 sum = 0;
    for (size_t i = 0; i < zone->step_count; i++) {
        int64_t to = i + 1 < zone->step_count ? zone->steps[i + 1].above_grams : INT64_MAX;
        int64_t end = grams < to ? grams : to;
        if (end > zone->steps[i].above_grams)
            sum += (__int128)(end - zone->steps[i].above_grams) *
                   zone->steps[i].per_kilogram_millionth;
    }
    return sum * 10000; /* of 10^-9 */
}

static bool is_oversize(const struct tariff_service *service, const struct shipping_parcel *parcel)
{
    return service->surcharges.oversize_mm > 0 && longest(parcel) > service->surcharges.oversize_mm;
}

/* ------------------------------------------------------------------------------------ the sum */

/* The running sum, exact and as rounded so far. */
struct bill {
    struct tariff_price *price;
    __int128 sum;
    int64_t rounded;
    bool beyond;
};

static void add_line(struct bill *bill, const char *description, __int128 exact)
{
    bill->sum += exact;
    __int128 rounded = (bill->sum + unit / 2) / unit;
    if (rounded > shipping_amount_minor_max) {
        bill->beyond = true;
        return;
    }
    int64_t line = (int64_t)rounded - bill->rounded;
    bill->rounded = (int64_t)rounded;
    if (line == 0)
        return;
    struct carrier_charge *charge = &bill->price->charges[bill->price->charge_count++];
    charge->description = text_of(description);
    charge->amount.amount_minor = line;
    memcpy(charge->amount.currency_code, bill->price->amount.currency_code, 4);
}

static void add_minor(struct bill *bill, const char *description, int64_t minor, bool wanted)
{
    if (wanted && minor > 0)
        add_line(bill, description, (__int128)minor * unit);
}

static void add_transport(struct bill *bill, const struct tariff_service *service,
                          const struct tariff_zone *zone, const struct tariff_facts *facts)
{
    const struct consignment *consignment = facts->consignment;
    __int128 weight = 0;
    int64_t volumetric = 0,
            pieces = service->by_consignment ? 1 : (int64_t)consignment->parcel_count;
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        const struct shipping_parcel *parcel = &consignment->parcels[i];
        int64_t volume = volumetric_grams(service, parcel);
        volumetric += volume;
        if (!service->by_consignment)
            weight += weight_price(zone, stepped(service, larger(parcel->weight_grams, volume)));
    }
    if (service->by_consignment)
        weight = weight_price(zone, stepped(service, larger(facts->grams, volumetric)));
    add_minor(bill, "Base", zone->base_minor * pieces, true);
    add_line(bill, "Weight", weight);
    __int128 minimum = (__int128)zone->minimum_minor * unit;
    if (bill->sum < minimum)
        add_line(bill, "To the minimum", minimum - bill->sum);
}

static bool is_remote(const struct tariff_card *card, const struct shipping_address *to)
{
    for (size_t i = 0; i < card->remote_count; i++) {
        struct text left = card->remote[i].prefixes;
        if (!text_equal(card->remote[i].country_code, to->country_code))
            continue;
        while (left.size > 0) {
            const char *end = memchr(left.data, ' ', left.size);
            size_t size = end == NULL ? left.size : (size_t)(end - left.data);
            if (size > 0 && text_starts_with(to->postal_code, text_make(left.data, size)))
                return true;
            size += end != NULL;
            left = text_make(left.data + size, left.size - size);
        }
    }
    return false;
}

static void add_surcharges(struct bill *bill, const struct tariff_service *service,
                           const struct consignment *consignment)
{
    const struct tariff_surcharges *more = &service->surcharges;
    const struct shipping_address *to = &consignment->destination;
    int64_t oversize = 0;
    for (size_t i = 0; i < consignment->parcel_count; i++)
        oversize += is_oversize(service, &consignment->parcels[i]);
    add_minor(bill, "Oversize", more->oversize_minor * oversize, oversize > 0);
    add_minor(bill, "Remote area", more->remote_minor,
              more->remote_minor > 0 && is_remote(service->card, to));
    add_minor(bill, "Residential", more->residential_minor, to->company.size == 0);
    add_minor(bill, "Saturday", more->saturday_minor, consignment->options.saturday);
    add_minor(bill, "Signature", more->signature_minor, consignment->options.signature);
}

static int64_t fuel_percent(const struct tariff_card *card, int64_t day)
{
    size_t low = 0, high = card->fuel_count; /* the first week later than the day */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (card->fuel[middle].day > day)
            high = middle;
        else
            low = middle + 1;
    }
    return low == 0 ? 0 : card->fuel[low - 1].percent_hundredth;
}

static void add_insurance(struct bill *bill, const struct tariff_service *service,
                          const struct shipping_options *options)
{
    const struct tariff_surcharges *more = &service->surcharges;
    if (options->insured_value.currency_code[0] == '\0')
        return;
    __int128 premium = (__int128)options->insured_value.amount_minor *
                       more->insurance_percent_hundredth * (unit / 10000);
    __int128 minimum = (__int128)more->insurance_minimum_minor * unit;
    add_line(bill, "Insurance", premium > minimum ? premium : minimum);
}

enum tariff_verdict tariff_price_of(const struct tariff_service *service,
                                    const struct tariff_facts *facts, struct tariff_price *price)
{
    const struct consignment *consignment = facts->consignment;
    struct bill bill = {.price = price};
    const struct tariff_zone *zone;
    enum tariff_verdict verdict = may_go(service, facts);
    if (verdict != TARIFF_OFFERED)
        return verdict;
    zone = find_zone(service, facts);
    if (zone == NULL)
        return TARIFF_NO_ZONE;
    price->charge_count = 0;
    price->amount.amount_minor = 0;
    memcpy(price->amount.currency_code, service->card->currency_code, 4);
    add_transport(&bill, service, zone, facts);
    add_surcharges(&bill, service, consignment);
    if (service->fuel)
        add_line(&bill, "Fuel", bill.sum / 10000 * fuel_percent(service->card, facts->day));
    add_insurance(&bill, service, &consignment->options);
    if (bill.beyond)
        return TARIFF_BEYOND_AMOUNT;
    price->amount.amount_minor = bill.rounded;
    price->estimated_delivery_time_us =
        tariff_day_after(facts->day, zone->transit_days, consignment->options.saturday) *
            tariff_day_us +
        delivery_us_of_day;
    return TARIFF_OFFERED;
}

const char *tariff_verdict_text(enum tariff_verdict verdict)
{
    static const char *const texts[] = {
        [TARIFF_OFFERED] = "",
        [TARIFF_TOO_MANY_PARCELS] = "too many parcels",
        [TARIFF_TOO_HEAVY] = "a parcel is too heavy",
        [TARIFF_TOO_LARGE] = "a parcel is too large",
        [TARIFF_NOT_BEYOND] = "only for what parcel services refuse",
        [TARIFF_NO_ZONE] = "not from there to there",
        [TARIFF_NO_SATURDAY] = "not on Saturdays",
        [TARIFF_NO_SIGNATURE] = "no signature",
        [TARIFF_NO_INSURANCE] = "no insurance, or not in that currency",
        [TARIFF_BEYOND_AMOUNT] = "the price is beyond what an amount can hold",
    };
    return texts[verdict];
}
