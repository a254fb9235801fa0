/* Sums, ids, and what the state of a confirmed order follows from. All pure. */
#include "fulfillment/domain/order.h"

#include "platform/base/hexadecimal.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[order_state_count] = {
    [ORDER_PROMISED] = "PROMISED",   [ORDER_CONFIRMING] = "CONFIRMING",
    [ORDER_CONFIRMED] = "CONFIRMED", [ORDER_SHIPPED] = "SHIPPED",
    [ORDER_DELIVERED] = "DELIVERED", [ORDER_RETURNED] = "RETURNED",
    [ORDER_EXPIRED] = "EXPIRED",     [ORDER_CANCELLED] = "CANCELLED",
    [ORDER_PROMISING] = "PROMISING", [ORDER_NEEDS_ATTENTION] = "NEEDS_ATTENTION",
    [ORDER_REFUSED] = "REFUSED",
};

const char *order_state_name(enum order_state state)
{
    return state_names[state];
}

/* --- ids --- */

struct text order_made_id(struct arena *arena, struct text order_id, const char *step,
                          uint32_t attempt)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char *id = arena_allocate_zero(arena, 1, fulfillment_made_id_bytes + 1);
    char *content =
        arena_format(arena, "%.*s\n%s\n%" PRIu32, (int)order_id.size, order_id.data, step, attempt);
    if (id == NULL || content == NULL ||
        EVP_Digest(content, strlen(content), digest, &size, EVP_sha256(), NULL) != 1)
        return (struct text){0};
    hexadecimal_write(digest, fulfillment_made_id_bytes / 2, id);
    return text_make(id, fulfillment_made_id_bytes);
}

struct text order_reservation_id(struct arena *arena, const struct order *order)
{
    return order_made_id(arena, order->order_id, "reservation", order->reservation_attempt);
}

struct text order_allocation_id(struct arena *arena, const struct order *order)
{
    return order_made_id(arena, order->order_id, "allocation", order->allocation_attempt);
}

struct text order_shipment_id(struct arena *arena, const struct order *order,
                              const struct order_part *part)
{
    return order_made_id(arena, order->order_id, "shipment", part->shipment_attempt);
}

/* --- lines --- */

struct order_line *order_find_line(const struct order *order, struct text sku)
{
    for (size_t i = 0; i < order->line_count; i++) {
        if (text_equal(order->lines[i].sku, sku))
            return &order->lines[i];
    }
    return NULL;
}

static int compare_lines(const void *a, const void *b)
{
    return text_compare(((const struct order_line *)a)->sku, ((const struct order_line *)b)->sku);
}

enum order_lines order_normalize_lines(struct order_line *lines, size_t *line_count, size_t *failed)
{
    size_t kept = 0;
    for (size_t i = 0; i < *line_count; i++) {
        size_t same = 0;
        while (same < kept && !text_equal(lines[same].sku, lines[i].sku))
            same++;
        *failed = i;
        if (same == kept) {
            lines[kept++] = lines[i];
            continue;
        }
        if (lines[same].unit_value_minor != lines[i].unit_value_minor)
            return ORDER_LINES_TWO_VALUES;
        if (lines[same].quantity > fulfillment_quantity_max - lines[i].quantity)
            return ORDER_LINES_TOO_MANY;
        lines[same].quantity += lines[i].quantity;
    }
    *line_count = kept;
    qsort(lines, kept, sizeof *lines, compare_lines);
    return ORDER_LINES_NORMAL;
}

/* --- money --- */

/* *sum += amount; false beyond the limit. */
static bool add_amount(int64_t *sum, int64_t amount)
{
    return !__builtin_add_overflow(*sum, amount, sum) && *sum >= 0 &&
           *sum <= fulfillment_amount_max;
}

static bool add_product(int64_t *sum, int64_t quantity, int64_t amount)
{
    int64_t product;
    return !__builtin_mul_overflow(quantity, amount, &product) && add_amount(sum, product);
}

bool order_goods_value(const struct order_line *lines, size_t line_count, int64_t *goods_minor)
{
    *goods_minor = 0;
    for (size_t i = 0; i < line_count; i++) {
        if (!add_product(goods_minor, lines[i].quantity, lines[i].unit_value_minor))
            return false;
    }
    return true;
}

bool order_sum_costs(struct order *order)
{
    int64_t shipping = 0;
    int64_t handling = order->splits_minor;
    int64_t landed = 0;
    for (size_t i = 0; i < order->part_count; i++) {
        if (!add_amount(&shipping, order->parts[i].amount_minor) ||
            !add_amount(&handling, order->parts[i].handling_minor))
            return false;
    }
    if (!add_amount(&landed, order->goods_minor) || !add_amount(&landed, shipping) ||
        !add_amount(&landed, handling))
        return false;
    order->shipping_minor = shipping;
    order->handling_minor = handling;
    order->landed_minor = landed;
    return true;
}

/* --- parcels --- */

int64_t order_part_weight_grams(const struct order *order, const struct order_part *part)
{
    int64_t weight = 0;
    for (size_t i = 0; i < part->line_count; i++) {
        const struct order_line *line = order_find_line(order, part->lines[i].sku);
        int64_t grams;
        if (line == NULL)
            continue;
        if (__builtin_mul_overflow(part->lines[i].quantity, line->weight_grams, &grams) ||
            __builtin_add_overflow(weight, grams, &weight))
            return INT64_MAX;
    }
    return weight;
}

size_t order_parcel_count(const struct order *order, const struct order_part *part,
                          int64_t parcel_grams_max)
{
    int64_t weight_grams = order_part_weight_grams(order, part);
    for (size_t i = 0; i < part->line_count; i++) {
        const struct order_line *line = order_find_line(order, part->lines[i].sku);
        if (line != NULL && line->weight_grams > parcel_grams_max)
            return 1;
    }
    if (weight_grams <= parcel_grams_max)
        return 1;
    int64_t count = (weight_grams - 1) / parcel_grams_max + 1;
    return count > fulfillment_parcels_max ? 1 : (size_t)count;
}

int64_t order_share(int64_t total, size_t count, size_t index)
{
    return total / (int64_t)count + ((int64_t)index < total % (int64_t)count ? 1 : 0);
}

int64_t order_part_value_minor(const struct order *order, const struct order_part *part)
{
    int64_t value = 0; /* at most goods_minor, which is within its limit */
    for (size_t i = 0; i < part->line_count; i++) {
        const struct order_line *line = order_find_line(order, part->lines[i].sku);
        if (line != NULL)
            value += part->lines[i].quantity * line->unit_value_minor;
    }
    return value;
}

/* --- what parcels make of an order --- */

bool order_has_shipped_part(const struct order *order)
{
    for (size_t i = 0; i < order->part_count; i++) {
        if (order->parts[i].is_shipped)
            return true;
    }
    return false;
}

int64_t order_part_delivered_time_us(const struct order_part *part)
{
    int64_t last = 0;
    for (size_t i = 0; i < part->parcel_count; i++) {
        if (part->parcels[i].status != PARCEL_DELIVERED)
            return 0;
        if (part->parcels[i].delivered_time_us > last)
            last = part->parcels[i].delivered_time_us;
    }
    return last;
}

enum order_state order_settled_state(const struct order *order)
{
    size_t parcels = 0;
    size_t delivered = 0;
    size_t returned = 0;
    bool all_shipped = order->part_count > 0;
    for (size_t i = 0; i < order->part_count; i++) {
        const struct order_part *part = &order->parts[i];
        if (part->label == LABEL_VOIDED || part->label == LABEL_LOST)
            continue; /* it was cancelled */
        all_shipped = all_shipped && part->is_shipped;
        parcels += part->parcel_count == 0 ? 1 : part->parcel_count;
        for (size_t k = 0; k < part->parcel_count; k++) {
            delivered += part->parcels[k].status == PARCEL_DELIVERED;
            returned += part->parcels[k].status == PARCEL_RETURNED;
        }
    }
    if (parcels > 0 && delivered + returned == parcels)
        return returned > 0 ? ORDER_RETURNED : ORDER_DELIVERED;
    return all_shipped ? ORDER_SHIPPED : ORDER_CONFIRMED;
}
