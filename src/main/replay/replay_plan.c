/*
 * The lot of an order is drawn by a hash of seed and order id (XXH3, whose values are fixed for all
 * machines and versions); the run's name by SHA-256. Nothing is drawn in sequence, so an order's
 * lot does not depend on where it stands.
 */
#include "main/replay/replay_plan.h"

#include "platform/base/check.h"
#include "platform/base/codec.h"
#include "platform/base/hash_map.h"
#include "platform/base/memory.h"

#include <openssl/evp.h>
#include <stdio.h>

enum order_outcome replay_plan_outcome_of(uint64_t seed, struct text order_id)
{
    uint64_t lot = hash_text(seed, order_id) % 20;
    if (lot == 0)
        return ORDER_LAPSED;
    return lot == 1 ? ORDER_CANCELLED : ORDER_PAID;
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

struct error replay_plan_init(struct replay_plan *plan, const struct data_set *data_set,
                              uint64_t seed)
{
    *plan = (struct replay_plan){.data_set = data_set, .seed = seed};
    struct error error = name_run(plan);
    if (error_is(error))
        return error;
    plan->outcomes = memory_allocate_zero(data_set->order_count, sizeof *plan->outcomes);
    if (plan->outcomes == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "plan of the replay");
    for (uint32_t i = 0; i < data_set->order_count; i++) {
        const struct data_set_order *order = &data_set->orders[i];
        enum order_outcome outcome = replay_plan_outcome_of(seed, order->order_id);
        plan->outcomes[i] = (uint8_t)outcome;
        plan->totals[outcome].orders++;
        plan->totals[outcome].lines += order->sku_count;
        plan->totals[outcome].packs += order->packs;
    }
    return error_none();
}

void replay_plan_deinit(struct replay_plan *plan)
{
    memory_release(plan->outcomes);
    plan->outcomes = NULL;
}

struct replay_id replay_plan_receipt_id(const struct replay_plan *plan, uint32_t product)
{
    struct replay_id id;
    struct text sku = plan->data_set->products[product].sku;
    snprintf(id.string, sizeof id.string, "%s%.*s", plan->prefix, (int)sku.size, sku.data);
    return id;
}

struct replay_id replay_plan_reservation_id(const struct replay_plan *plan, uint32_t order,
                                            uint32_t attempt)
{
    struct replay_id id;
    struct text order_id = plan->data_set->orders[order].order_id;
    CHECK(attempt >= 1 && attempt <= replay_attempts_max);
    snprintf(id.string, sizeof id.string, "%s%.*s:%u", plan->prefix, (int)order_id.size,
             order_id.data, attempt);
    return id;
}

bool replay_plan_find_reservation(const struct replay_plan *plan, struct text id, uint32_t *order,
                                  uint32_t *attempt)
{
    struct text prefix = text_of(plan->prefix);
    int64_t number;
    if (!text_starts_with(id, prefix))
        return false;
    size_t colon = id.size;
    while (colon > prefix.size && id.data[colon - 1] != ':')
        colon--;
    if (colon == prefix.size)
        return false;
    struct text order_id = text_make(id.data + prefix.size, colon - 1 - prefix.size);
    struct text digits = text_make(id.data + colon, id.size - colon);
    if (!text_to_int64(digits, &number) || number < 1 || number > replay_attempts_max ||
        digits.data[0] == '0')
        return false;
    *attempt = (uint32_t)number;
    return data_set_find_order(plan->data_set, order_id, order);
}
