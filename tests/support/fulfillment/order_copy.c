/* Field by field. `#field` names what differs. */
#include "tests/support/fulfillment/order_copy.h"

#include "platform/base/check.h"

#include <string.h>

/* --- copying --- */

static struct text keep(struct arena *arena, struct text text)
{
    struct text copy = arena_copy_text(arena, text);
    CHECK(copy.data != NULL);
    return copy;
}

static void *keep_array(struct arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = arena_allocate_zero(arena, count + 1, size);
    CHECK(copy != NULL);
    if (count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

static struct text *keep_texts(struct arena *arena, const struct text *texts, size_t count)
{
    struct text *copy = keep_array(arena, texts, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = keep(arena, texts[i]);
    return copy;
}

static void keep_address(struct arena *arena, struct order_address *address)
{
    struct text *texts[] = {&address->name,        &address->company,     &address->phone,
                            &address->email,       &address->city,        &address->region,
                            &address->postal_code, &address->country_code};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = keep(arena, *texts[i]);
    address->lines = keep_texts(arena, address->lines, address->line_count);
}

static struct order_part_line *keep_part_lines(struct arena *arena,
                                               const struct order_part_line *lines, size_t count)
{
    struct order_part_line *copy = keep_array(arena, lines, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i].sku = keep(arena, copy[i].sku);
    return copy;
}

static void keep_part(struct arena *arena, struct order_part *part)
{
    part->warehouse_id = keep(arena, part->warehouse_id);
    part->lines = keep_part_lines(arena, part->lines, part->line_count);
    keep_address(arena, &part->origin);
    part->carrier = keep(arena, part->carrier);
    part->service_code = keep(arena, part->service_code);
    part->tried_carriers = keep_texts(arena, part->tried_carriers, part->tried_count);
    part->parcels = keep_array(arena, part->parcels, part->parcel_count, sizeof *part->parcels);
    for (size_t i = 0; i < part->parcel_count; i++)
        part->parcels[i].tracking_number = keep(arena, part->parcels[i].tracking_number);
}

struct order *order_copy(struct arena *arena, const struct order *order)
{
    struct order *copy = keep_array(arena, order, 1, sizeof *copy);
    copy->order_id = keep(arena, copy->order_id);
    copy->customer_id = keep(arena, copy->customer_id);
    copy->lines = keep_array(arena, copy->lines, copy->line_count, sizeof *copy->lines);
    for (size_t i = 0; i < copy->line_count; i++) {
        struct order_line *line = &copy->lines[i];
        line->sku = keep(arena, line->sku);
        line->name = keep(arena, line->name);
        line->hs_code = keep(arena, line->hs_code);
        line->origin_country = keep(arena, line->origin_country);
    }
    keep_address(arena, &copy->destination);
    copy->carriers = keep_texts(arena, copy->carriers, copy->carrier_count);
    copy->incoterm = keep(arena, copy->incoterm);
    copy->parts = keep_array(arena, copy->parts, copy->part_count, sizeof *copy->parts);
    for (size_t i = 0; i < copy->part_count; i++)
        keep_part(arena, &copy->parts[i]);
    copy->attention_reason = keep(arena, copy->attention_reason);
    copy->cancel_reason = keep(arena, copy->cancel_reason);
    copy->must_save = false;
    copy->refusal = (struct order_refusal){0};
    return copy;
}

struct order_signal order_copy_signal(struct arena *arena, const struct order_signal *signal)
{
    struct order_signal copy = *signal;
    copy.order_id = keep(arena, copy.order_id);
    copy.allocation_id = keep(arena, copy.allocation_id);
    copy.warehouse_id = keep(arena, copy.warehouse_id);
    copy.lines = keep_part_lines(arena, copy.lines, copy.line_count);
    copy.carrier = keep(arena, copy.carrier);
    copy.tracking_number = keep(arena, copy.tracking_number);
    return copy;
}

/* --- comparing --- */

#define SAME(field)                                                                                \
    do {                                                                                           \
        if (a->field != b->field)                                                                  \
            return #field;                                                                         \
    } while (false)
#define SAME_TEXT(field)                                                                           \
    do {                                                                                           \
        if (!text_equal(a->field, b->field))                                                       \
            return #field;                                                                         \
    } while (false)

static const char *texts_difference(const struct text *a, size_t a_count, const struct text *b,
                                    size_t b_count, const char *name)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++)
        same = text_equal(a[i], b[i]);
    return same ? NULL : name;
}

static const char *address_difference(const struct order_address *a, const struct order_address *b)
{
    SAME_TEXT(name);
    SAME_TEXT(company);
    SAME_TEXT(phone);
    SAME_TEXT(email);
    SAME_TEXT(city);
    SAME_TEXT(region);
    SAME_TEXT(postal_code);
    SAME_TEXT(country_code);
    SAME(has_point);
    SAME(latitude_e7);
    SAME(longitude_e7);
    return texts_difference(a->lines, a->line_count, b->lines, b->line_count, "lines");
}

static const char *request_difference(const struct order *a, const struct order *b)
{
    SAME_TEXT(customer_id);
    SAME(line_count);
    for (size_t i = 0; i < a->line_count; i++) {
        SAME_TEXT(lines[i].sku);
        SAME(lines[i].quantity);
        SAME(lines[i].unit_value_minor);
    }
    if (strcmp(a->currency, b->currency) != 0)
        return "currency";
    SAME(rule);
    SAME_TEXT(incoterm);
    SAME(ttl_us);
    const char *different = address_difference(&a->destination, &b->destination);
    return different != NULL ? different
                             : texts_difference(a->carriers, a->carrier_count, b->carriers,
                                                b->carrier_count, "carriers");
}

bool order_same_request(const struct order *a, const struct order *b)
{
    return request_difference(a, b) == NULL;
}

static const char *parcel_difference(const struct order_parcel *a, const struct order_parcel *b)
{
    SAME_TEXT(tracking_number);
    SAME(is_registered);
    SAME(status);
    SAME(delivered_time_us);
    return NULL;
}

static const char *part_difference(const struct order_part *a, const struct order_part *b)
{
    const char *different = address_difference(&a->origin, &b->origin);
    SAME_TEXT(warehouse_id);
    SAME(line_count);
    for (size_t i = 0; i < a->line_count; i++) {
        SAME_TEXT(lines[i].sku);
        SAME(lines[i].quantity);
        SAME(lines[i].shipped_quantity);
    }
    SAME(is_located);
    SAME(handling_minor);
    SAME(shipment_attempt);
    SAME_TEXT(carrier);
    SAME_TEXT(service_code);
    SAME(amount_minor);
    SAME(estimated_delivery_time_us);
    SAME(label);
    if (strcmp(a->charged.currency, b->charged.currency) != 0)
        return "charged.currency";
    SAME(charged.amount_minor);
    SAME(is_shipped);
    SAME(shorts_are_given);
    SAME(parcel_count);
    for (size_t i = 0; different == NULL && i < a->parcel_count; i++)
        different = parcel_difference(&a->parcels[i], &b->parcels[i]);
    return different != NULL
               ? different
               : texts_difference(a->tried_carriers, a->tried_count, b->tried_carriers,
                                  b->tried_count, "tried_carriers");
}

static const char *process_difference(const struct order *a, const struct order *b)
{
    SAME(goal);
    SAME(step);
    SAME(tries);
    SAME(pivot_is_passed);
    SAME(must_reserve);
    SAME(reservation_attempt);
    SAME(allocation_attempt);
    SAME(shipment_attempts);
    SAME(milestones);
    return NULL;
}

static const char *times_difference(const struct order *a, const struct order *b)
{
    SAME(create_time_us);
    SAME(expire_time_us);
    SAME(hold_until_us);
    SAME(give_up_time_us);
    return NULL;
}

const char *order_difference(const struct order *a, const struct order *b, bool with_times)
{
    const char *different = request_difference(a, b);
    SAME_TEXT(order_id);
    SAME(state);
    SAME(splits_minor);
    SAME(goods_minor);
    SAME(shipping_minor);
    SAME(handling_minor);
    SAME(landed_minor);
    SAME_TEXT(attention_reason);
    SAME_TEXT(cancel_reason);
    SAME(revision);
    SAME(part_count);
    if (different == NULL)
        different = process_difference(a, b);
    if (different == NULL && with_times)
        different = times_difference(a, b);
    for (size_t i = 0; different == NULL && i < a->line_count; i++) {
        SAME(lines[i].is_described);
        SAME_TEXT(lines[i].name);
        SAME(lines[i].weight_grams);
        SAME_TEXT(lines[i].hs_code);
        SAME_TEXT(lines[i].origin_country);
    }
    for (size_t i = 0; different == NULL && i < a->part_count; i++)
        different = part_difference(&a->parts[i], &b->parts[i]);
    return different;
}
