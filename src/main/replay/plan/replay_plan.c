/*
 * The lot of an order is drawn by a hash of seed and order id (XXH3, whose values are fixed for all
 * machines and versions); the run's name by SHA-256. Nothing is drawn in sequence, so an order's
 * lot does not depend on where it stands.
 */
#include "main/replay/plan/replay_plan.h"
#include "main/replay/data/replay_places.h"

#include "platform/base/check.h"
#include "platform/base/codec.h"
#include "platform/base/hash_map.h"
#include "platform/base/memory.h"

#include <openssl/evp.h>
#include <stdio.h>

static const char extra_mark[] = "x"; /* behind the attempt, in the id of an extra hold */

enum hold_outcome replay_plan_extra_of(uint64_t seed, struct text order_id)
{
    uint64_t lot = hash_text(seed, order_id) % 20;
    if (lot == 0)
        return HOLD_LAPSED;
    return lot == 1 ? HOLD_CANCELLED : HOLD_PAID;
}

static struct error name_run(struct replay_plan *plan)
{
    char facts[data_set_digest_bytes + sizeof plan->seed];
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct byte_writer writer = {facts};
    write_bytes(&writer, plan->data_set->digest, data_set_digest_bytes);
    write_uint64(&writer, plan->seed);
    if (EVP_Digest(facts, sizeof facts, digest, NULL, EVP_sha256(), NULL) != 1)
        return error_make(ERROR_OUT_OF_MEMORY, "name of the replay");
    snprintf(plan->prefix, sizeof plan->prefix, "replay:%02x%02x%02x%02x%02x%02x:", digest[0],
             digest[1], digest[2], digest[3], digest[4], digest[5]);
    return error_none();
}

static void add_hold(struct replay_plan *plan, uint32_t order, enum hold_outcome outcome)
{
    struct hold_totals *totals = &plan->totals[outcome];
    plan->holds[plan->hold_count++] = (struct replay_hold){order, outcome};
    totals->holds++;
    totals->lines += plan->data_set->orders[order].sku_count;
    totals->packs += plan->data_set->orders[order].packs;
}

struct error replay_plan_init(struct replay_plan *plan, const struct data_set *data_set,
                              uint64_t seed)
{
    *plan = (struct replay_plan){.data_set = data_set, .seed = seed};
    struct error error = name_run(plan);
    if (error_is(error))
        return error;
    plan->holds = memory_allocate_zero(2 * (size_t)data_set->order_count, sizeof *plan->holds);
    plan->extra_holds = memory_allocate_zero(data_set->order_count, sizeof *plan->extra_holds);
    if (plan->holds == NULL || plan->extra_holds == NULL) {
        replay_plan_deinit(plan);
        return error_make(ERROR_OUT_OF_MEMORY, "plan of the replay");
    }
    for (uint32_t i = 0; i < data_set->order_count; i++)
        add_hold(plan, i, HOLD_PAID);
    for (uint32_t i = 0; i < data_set->order_count; i++) {
        enum hold_outcome outcome = replay_plan_extra_of(seed, data_set->orders[i].order_id);
        plan->extra_holds[i] = outcome == HOLD_PAID ? data_set_nowhere : plan->hold_count;
        if (outcome != HOLD_PAID)
            add_hold(plan, i, outcome);
    }
    return error_none();
}

void replay_plan_deinit(struct replay_plan *plan)
{
    memory_release(plan->holds);
    memory_release(plan->extra_holds);
    plan->holds = NULL;
    plan->extra_holds = NULL;
}

struct replay_id replay_plan_receipt_id(const struct replay_plan *plan, uint32_t product)
{
    struct replay_id id;
    struct text sku = plan->data_set->products[product].sku;
    snprintf(id.string, sizeof id.string, "%s%.*s", plan->prefix, (int)sku.size, sku.data);
    return id;
}

static const char delivery_mark[] = "in:";
static const char allocation_mark[] = "a:";
static const char order_mark[] = "o:";
static const char shipment_mark[] = "s:";
static const char parcel_mark[] = "p:";

struct replay_id replay_plan_delivery_id(const struct replay_plan *plan, const char *warehouse_id,
                                         uint32_t product)
{
    struct replay_id id;
    struct text sku = plan->data_set->products[product].sku;
    snprintf(id.string, sizeof id.string, "%s%s%.*s:%.*s", plan->prefix, delivery_mark,
             replay_warehouse_id_bytes_max, warehouse_id, (int)sku.size, sku.data);
    return id;
}

bool replay_plan_is_receipt(const struct replay_plan *plan, struct text id, uint32_t product)
{
    char start[sizeof plan->prefix + sizeof delivery_mark];
    struct text sku = plan->data_set->products[product].sku;
    if (text_equals_string(id, replay_plan_receipt_id(plan, product).string))
        return true;
    snprintf(start, sizeof start, "%s%s", plan->prefix, delivery_mark);
    return text_starts_with(id, text_of(start)) && id.size > sku.size &&
           text_equal(text_make(id.data + id.size - sku.size, sku.size), sku);
}

static struct replay_id id_of_order(const struct replay_plan *plan, const char *mark,
                                    uint32_t order)
{
    struct replay_id id;
    struct text order_id = plan->data_set->orders[order].order_id;
    snprintf(id.string, sizeof id.string, "%s%s%.*s", plan->prefix, mark, (int)order_id.size,
             order_id.data);
    return id;
}

struct replay_id replay_plan_allocation_id(const struct replay_plan *plan, uint32_t order)
{
    return id_of_order(plan, allocation_mark, order);
}

bool replay_plan_find_allocation(const struct replay_plan *plan, struct text id, uint32_t *order)
{
    char start[sizeof plan->prefix + sizeof allocation_mark];
    int size = snprintf(start, sizeof start, "%s%s", plan->prefix, allocation_mark);
    if (!text_starts_with(id, text_of(start)))
        return false;
    return data_set_find_order(plan->data_set, text_make(id.data + size, id.size - (size_t)size),
                               order);
}

struct replay_id replay_plan_tracking_number(const struct replay_plan *plan, uint32_t line)
{
    struct replay_id id;
    uint32_t order = data_set_order_of_line(plan->data_set, line);
    const struct data_set_order *of = &plan->data_set->orders[order];
    snprintf(id.string, sizeof id.string, "%s%s%.*s:%u", plan->prefix, parcel_mark,
             (int)of->order_id.size, of->order_id.data, line - of->first_line + 1);
    return id;
}

/* Splits "ORDER:NUMBER"; the number is written without leading zeros. */
static bool read_number_of_order(const struct replay_plan *plan, struct text text,
                                 int64_t number_max, uint32_t *order, uint32_t *number)
{
    int64_t value;
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    struct text digits = text_make(text.data + colon, text.size - colon);
    if (!text_to_int64(digits, &value) || value < 1 || value > number_max || digits.data[0] == '0')
        return false;
    *number = (uint32_t)value;
    return data_set_find_order(plan->data_set, text_make(text.data, colon - 1), order);
}

/* With a number behind it. */
static struct replay_id numbered_id_of_order(const struct replay_plan *plan, const char *mark,
                                             uint32_t order, uint32_t number)
{
    struct replay_id id = id_of_order(plan, mark, order);
    size_t size = strlen(id.string);
    snprintf(id.string + size, sizeof id.string - size, ":%u", number);
    return id;
}

static bool find_numbered(const struct replay_plan *plan, const char *mark, struct text id,
                          int64_t number_max, uint32_t *order, uint32_t *number)
{
    char start[sizeof plan->prefix + 8];
    int size = snprintf(start, sizeof start, "%s%s", plan->prefix, mark);
    return text_starts_with(id, text_of(start)) &&
           read_number_of_order(plan, text_make(id.data + size, id.size - (size_t)size), number_max,
                                order, number);
}

struct replay_id replay_plan_order_id(const struct replay_plan *plan, uint32_t hold)
{
    uint32_t order = plan->holds[hold].order;
    return numbered_id_of_order(plan, order_mark, order, hold == order ? 1 : 2);
}

bool replay_plan_find_order_id(const struct replay_plan *plan, struct text id, uint32_t *hold)
{
    uint32_t order;
    uint32_t number;
    if (!find_numbered(plan, order_mark, id, 2, &order, &number))
        return false;
    *hold = number == 1 ? order : plan->extra_holds[order];
    return *hold != data_set_nowhere;
}

bool replay_plan_find_own_order(const struct replay_plan *plan, struct text id, uint32_t *order)
{
    return replay_plan_find_order_id(plan, id, order) && *order < plan->data_set->order_count;
}

struct replay_id replay_plan_shipment_id(const struct replay_plan *plan, uint32_t order,
                                         uint32_t part)
{
    return numbered_id_of_order(plan, shipment_mark, order, part + 1);
}

bool replay_plan_find_shipment(const struct replay_plan *plan, struct text id, uint32_t *order,
                               uint32_t *part)
{
    if (!find_numbered(plan, shipment_mark, id, UINT16_MAX, order, part))
        return false;
    (*part)--;
    return true;
}

bool replay_plan_find_parcel(const struct replay_plan *plan, struct text number, uint32_t *line)
{
    uint32_t order;
    uint32_t place;
    if (!find_numbered(plan, parcel_mark, number, UINT32_MAX, &order, &place) ||
        place > plan->data_set->orders[order].line_count)
        return false;
    *line = plan->data_set->orders[order].first_line + place - 1;
    return true;
}

struct replay_id replay_plan_reservation_id(const struct replay_plan *plan, uint32_t hold,
                                            uint32_t attempt)
{
    struct replay_id id;
    struct text order_id = replay_plan_order(plan, hold)->order_id;
    CHECK(attempt >= 1 && attempt <= replay_attempts_max);
    snprintf(id.string, sizeof id.string, "%s%.*s:%u%s", plan->prefix, (int)order_id.size,
             order_id.data, attempt, hold < plan->data_set->order_count ? "" : extra_mark);
    return id;
}

bool replay_plan_find_reservation(const struct replay_plan *plan, struct text id, uint32_t *hold,
                                  uint32_t *attempt)
{
    struct text prefix = text_of(plan->prefix);
    uint32_t order;
    bool is_extra = id.size > 0 && id.data[id.size - 1] == extra_mark[0];
    id.size -= is_extra;
    if (!text_starts_with(id, prefix) ||
        !read_number_of_order(plan, text_make(id.data + prefix.size, id.size - prefix.size),
                              replay_attempts_max, &order, attempt))
        return false;
    *hold = is_extra ? plan->extra_holds[order] : order;
    return *hold != data_set_nowhere;
}
