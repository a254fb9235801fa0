/* Field by field; nothing is compared or copied by memcmp, for structs have holes. */
#include "tests/support/shipping/shipping_copy.h"

#include "platform/base/check.h"

#include <string.h>

struct text shipping_copy_text(struct arena *arena, struct text text)
{
    struct text copy = arena_copy_text(arena, text);
    CHECK(copy.data != NULL);
    return copy;
}

static void *take(struct arena *arena, size_t count, size_t size)
{
    void *memory = arena_allocate_zero(arena, count + 1, size);
    CHECK(memory != NULL);
    return memory;
}

static struct shipping_address copy_address(struct arena *arena,
                                            const struct shipping_address *from)
{
    struct shipping_address address = *from;
    struct text *const texts[] = {
        &address.name,     &address.company,  &address.phone,       &address.email,
        &address.lines[0], &address.lines[1], &address.lines[2],    &address.lines[3],
        &address.city,     &address.region,   &address.postal_code, &address.country_code,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = shipping_copy_text(arena, *texts[i]);
    return address;
}

static const struct shipping_customs *copy_customs(struct arena *arena,
                                                   const struct shipping_customs *from)
{
    struct shipping_customs *customs = take(arena, 1, sizeof *customs);
    struct shipping_customs_item *items = take(arena, from->item_count, sizeof *items);
    customs->incoterm = shipping_copy_text(arena, from->incoterm);
    customs->contents_type = shipping_copy_text(arena, from->contents_type);
    customs->item_count = from->item_count;
    customs->items = items;
    for (size_t i = 0; i < from->item_count; i++) {
        items[i] = from->items[i];
        items[i].description = shipping_copy_text(arena, from->items[i].description);
        items[i].hs_code = shipping_copy_text(arena, from->items[i].hs_code);
        items[i].origin_country = shipping_copy_text(arena, from->items[i].origin_country);
    }
    return customs;
}

struct consignment shipping_copy_consignment(struct arena *arena, const struct consignment *from)
{
    struct consignment copy = *from;
    struct shipping_parcel *parcels = take(arena, from->parcel_count, sizeof *parcels);
    copy.origin = copy_address(arena, &from->origin);
    copy.destination = copy_address(arena, &from->destination);
    for (size_t i = 0; i < from->parcel_count; i++) {
        parcels[i] = from->parcels[i];
        parcels[i].reference = shipping_copy_text(arena, from->parcels[i].reference);
    }
    copy.parcels = parcels;
    if (from->customs != NULL)
        copy.customs = copy_customs(arena, from->customs);
    return copy;
}

struct shipment shipping_copy_shipment(struct arena *arena, const struct shipment *from)
{
    struct shipment copy = *from;
    struct shipment_parcel *parcels = take(arena, from->consignment.parcel_count, sizeof *parcels);
    struct text *const texts[] = {
        &copy.shipment_id,  &copy.order_id,        &copy.reference, &copy.carrier,
        &copy.service_code, &copy.tracking_number, &copy.failure,   &copy.cancel_reason,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = shipping_copy_text(arena, *texts[i]);
    copy.consignment = shipping_copy_consignment(arena, &from->consignment);
    for (size_t i = 0; i < from->consignment.parcel_count; i++) {
        parcels[i].parcel = copy.consignment.parcels[i];
        if (from->parcels != NULL)
            parcels[i].tracking_number =
                shipping_copy_text(arena, from->parcels[i].tracking_number);
    }
    copy.parcels = parcels;
    return copy;
}

/* --- differences --- */

static bool same_money(struct shipping_money a, struct shipping_money b)
{
    return strcmp(a.currency_code, b.currency_code) == 0 &&
           (a.currency_code[0] == '\0' || a.amount_minor == b.amount_minor);
}

static bool same_address(const struct shipping_address *a, const struct shipping_address *b)
{
    bool same = text_equal(a->name, b->name) && text_equal(a->company, b->company) &&
                text_equal(a->phone, b->phone) && text_equal(a->email, b->email) &&
                a->line_count == b->line_count && text_equal(a->city, b->city) &&
                text_equal(a->region, b->region) && text_equal(a->postal_code, b->postal_code) &&
                text_equal(a->country_code, b->country_code) && a->has_point == b->has_point;
    for (size_t i = 0; same && i < a->line_count; i++)
        same = text_equal(a->lines[i], b->lines[i]);
    return same && (!a->has_point ||
                    (a->latitude_e7 == b->latitude_e7 && a->longitude_e7 == b->longitude_e7));
}

static bool same_parcel(const struct shipping_parcel *a, const struct shipping_parcel *b)
{
    return a->weight_grams == b->weight_grams && a->length_mm == b->length_mm &&
           a->width_mm == b->width_mm && a->height_mm == b->height_mm &&
           same_money(a->value, b->value) && text_equal(a->reference, b->reference);
}

static bool same_customs(const struct shipping_customs *a, const struct shipping_customs *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    bool same = text_equal(a->incoterm, b->incoterm) &&
                text_equal(a->contents_type, b->contents_type) && a->item_count == b->item_count;
    for (size_t i = 0; same && i < a->item_count; i++) {
        const struct shipping_customs_item *one = &a->items[i];
        const struct shipping_customs_item *other = &b->items[i];
        same = text_equal(one->description, other->description) &&
               one->quantity == other->quantity && same_money(one->value, other->value) &&
               one->weight_grams == other->weight_grams &&
               text_equal(one->hs_code, other->hs_code) &&
               text_equal(one->origin_country, other->origin_country);
    }
    return same;
}

static const char *consignment_difference(const struct consignment *a, const struct consignment *b)
{
    if (!same_address(&a->origin, &b->origin))
        return "origin";
    if (!same_address(&a->destination, &b->destination))
        return "destination";
    if (a->parcel_count != b->parcel_count)
        return "parcel_count";
    for (size_t i = 0; i < a->parcel_count; i++) {
        if (!same_parcel(&a->parcels[i], &b->parcels[i]))
            return "parcels";
    }
    if (!same_customs(a->customs, b->customs))
        return "customs";
    if (a->direction != b->direction)
        return "direction";
    if (a->options.signature != b->options.signature ||
        a->options.saturday != b->options.saturday ||
        !same_money(a->options.insured_value, b->options.insured_value))
        return "options";
    return strcmp(a->ship_date, b->ship_date) == 0 ? NULL : "ship_date";
}

static const char *text_difference(const struct shipment *a, const struct shipment *b)
{
    const struct {
        const char *name;
        struct text a, b;
    } texts[] = {
        {"shipment_id", a->shipment_id, b->shipment_id},
        {"order_id", a->order_id, b->order_id},
        {"reference", a->reference, b->reference},
        {"carrier", a->carrier, b->carrier},
        {"service_code", a->service_code, b->service_code},
        {"tracking_number", a->tracking_number, b->tracking_number},
        {"failure", a->failure, b->failure},
        {"cancel_reason", a->cancel_reason, b->cancel_reason},
        {"content_hash", text_make(a->content_hash, 32), text_make(b->content_hash, 32)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!text_equal(texts[i].a, texts[i].b))
            return texts[i].name;
    }
    for (size_t i = 0; i < a->consignment.parcel_count; i++) {
        if (!text_equal(a->parcels[i].tracking_number, b->parcels[i].tracking_number) ||
            !same_parcel(&a->parcels[i].parcel, &b->parcels[i].parcel))
            return "parcels[].tracking_number";
    }
    return NULL;
}

const char *shipping_difference(const struct shipment *a, const struct shipment *b, bool with_times)
{
    const struct {
        const char *name;
        int64_t a, b;
        bool is_time;
    } numbers[] = {
        {"state", a->state, b->state, false},
        {"label_format", a->label_format, b->label_format, false},
        {"estimated_delivery_time", a->estimated_delivery_time_us, b->estimated_delivery_time_us,
         false},
        {"attempt", a->attempt, b->attempt, false},
        {"lookups", a->lookups, b->lookups, false},
        {"cancel_wanted", a->cancel_wanted, b->cancel_wanted, false},
        {"revision", a->revision, b->revision, false},
        {"is sent", a->sent_time_us != 0, b->sent_time_us != 0, false},
        {"is looked up", a->lookup_time_us != 0, b->lookup_time_us != 0, false},
        {"sent_time", a->sent_time_us, b->sent_time_us, true},
        {"lookup_time", a->lookup_time_us, b->lookup_time_us, true},
        {"create_time", a->create_time_us, b->create_time_us, true},
    };
    const char *different = consignment_difference(&a->consignment, &b->consignment);
    if (different != NULL)
        return different;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].a != numbers[i].b && (with_times || !numbers[i].is_time))
            return numbers[i].name;
    }
    if (!same_money(a->amount, b->amount))
        return "amount";
    if (!same_money(a->charged, b->charged))
        return "charged";
    return text_difference(a, b);
}
