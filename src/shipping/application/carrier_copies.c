/* Struct by struct; whoever runs out of memory says so once, at the end. */
#include "shipping/application/carrier_copies.h"

#include "shipping/domain/limits.h"

#include <string.h>

struct text copy_text(struct arena *arena, struct text text, bool *failed)
{
    if (text.size == 0)
        return (struct text){0};
    struct text copy = arena_copy_text(arena, text);
    *failed = *failed || copy.data == NULL;
    return copy;
}

static void *copy_array(struct arena *arena, const void *from, size_t count, size_t size,
                        bool *failed)
{
    void *copy = arena_allocate_zero(arena, count + 1, size);
    if (copy == NULL)
        *failed = true;
    else if (count > 0)
        memcpy(copy, from, count * size);
    return copy;
}

static struct carrier_label *copy_labels(struct arena *arena, const struct carrier_label *from,
                                         size_t count, bool *failed)
{
    struct carrier_label *labels = copy_array(arena, from, count, sizeof *from, failed);
    for (size_t i = 0; labels != NULL && i < count; i++)
        labels[i].content = copy_text(arena, from[i].content, failed);
    return labels;
}

static struct carrier_charge *copy_charges(struct arena *arena, const struct carrier_charge *from,
                                           size_t count, bool *failed)
{
    struct carrier_charge *charges = copy_array(arena, from, count, sizeof *from, failed);
    for (size_t i = 0; charges != NULL && i < count; i++)
        charges[i].description = copy_text(arena, from[i].description, failed);
    return charges;
}

bool copy_carrier_shipment(struct arena *arena, const struct carrier_shipment *from,
                           struct carrier_shipment *to)
{
    bool failed = false;
    *to = *from;
    if (from->charged.amount_minor < 0) /* no carrier pays for what it carries: not known */
        to->charged = (struct shipping_money){0};
    to->tracking_number = copy_text(arena, from->tracking_number, &failed);
    to->labels = copy_labels(arena, from->labels, from->label_count, &failed);
    to->warnings = copy_charges(arena, from->warnings, from->warning_count, &failed);
    struct carrier_parcel *parcels =
        copy_array(arena, from->parcels, from->parcel_count, sizeof *parcels, &failed);
    for (size_t i = 0; parcels != NULL && i < from->parcel_count; i++) {
        parcels[i].tracking_number = copy_text(arena, from->parcels[i].tracking_number, &failed);
        parcels[i].labels =
            copy_labels(arena, from->parcels[i].labels, from->parcels[i].label_count, &failed);
    }
    to->parcels = parcels;
    return !failed;
}

struct carrier_rate *copy_carrier_rates(struct arena *arena, const struct carrier_rates *from)
{
    bool failed = false;
    struct carrier_rate *rates =
        copy_array(arena, from->rates, from->rate_count, sizeof *rates, &failed);
    for (size_t i = 0; rates != NULL && i < from->rate_count; i++) {
        rates[i].service_code = copy_text(arena, from->rates[i].service_code, &failed);
        rates[i].service_name = copy_text(arena, from->rates[i].service_name, &failed);
        rates[i].breakdown =
            copy_charges(arena, from->rates[i].breakdown, from->rates[i].charge_count, &failed);
    }
    return failed ? NULL : rates;
}

struct shipping_scan *copy_scans(struct arena *arena, const struct shipping_scan *from,
                                 size_t count)
{
    bool failed = false;
    struct shipping_scan *scans = copy_array(arena, from, count, sizeof *scans, &failed);
    for (size_t i = 0; scans != NULL && i < count; i++) {
        scans[i].tracking_number = copy_text(arena, from[i].tracking_number, &failed);
        scans[i].carrier_code = copy_text(arena, from[i].carrier_code, &failed);
        scans[i].description = copy_text(arena, from[i].description, &failed);
        scans[i].facility = copy_text(arena, from[i].facility, &failed);
        scans[i].city = copy_text(arena, from[i].city, &failed);
        scans[i].country_code = copy_text(arena, from[i].country_code, &failed);
    }
    return failed ? NULL : scans;
}

static bool is_number(struct text number)
{
    return number.size > 0 && number.size <= shipping_tracking_number_bytes_max;
}

struct shipping_scan *bound_scans(struct arena *arena, const struct shipping_scan *from,
                                  size_t count, size_t *left_out)
{
    struct shipping_scan *scans = arena_allocate_zero(arena, count + 1, sizeof *scans);
    size_t kept = 0;
    *left_out = 0;
    for (size_t i = 0; scans != NULL && i < count; i++) {
        if (!is_number(from[i].tracking_number))
            continue;
        scans[kept] = from[i];
        scans[kept].carrier_code = text_shortened(from[i].carrier_code, shipping_text_bytes_max);
        scans[kept].description =
            text_shortened(from[i].description, shipping_description_bytes_max);
        scans[kept].facility = text_shortened(from[i].facility, shipping_text_bytes_max);
        scans[kept].city = text_shortened(from[i].city, shipping_text_bytes_max);
        scans[kept].country_code = text_shortened(from[i].country_code, shipping_text_bytes_max);
        kept++;
    }
    *left_out = count - kept;
    return scans;
}

bool carrier_numbers_fit(const struct carrier_shipment *shipment)
{
    bool fit = is_number(shipment->tracking_number);
    for (size_t i = 0; i < shipment->parcel_count; i++)
        fit =
            fit && shipment->parcels[i].tracking_number.size <= shipping_tracking_number_bytes_max;
    return fit;
}
